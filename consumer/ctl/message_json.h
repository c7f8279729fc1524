/* SPDX-License-Identifier: Apache-2.0
 * A request, replay or control as JSON, with the names of its schema: a request is what --from-file takes. */
#ifndef SANDBOX_CTL_MESSAGE_JSON_H
#define SANDBOX_CTL_MESSAGE_JSON_H

#include "consumer/ctl/js.h"
#include "consumer/ports/messages.h"

void message_json(struct js *j, const char *name, const struct message *m);

/* What a step did table by table, as further members of an open object. */
void tables_json(struct js *j, const struct step_completed *s);

/* The symbols of the schema. */
const char *mask_mode_symbol(enum mask_mode mode);
const char *documents_symbol(enum documents_choice choice);
const char *attachments_symbol(enum attachments_choice choice);

#endif
