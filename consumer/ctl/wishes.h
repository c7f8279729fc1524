/* SPDX-License-Identifier: Apache-2.0
 * From options to a request or a replay. */
#ifndef SANDBOX_CTL_WISHES_H
#define SANDBOX_CTL_WISHES_H

#include "consumer/ctl/command.h"
#include "consumer/ports/messages.h"

/* What the wizard offers when nothing is chosen. */
void wishes_begin(struct clone_request *r);
/* Puts the options of `clone request` into r; lists are added to what is there. Texts are borrowed from the arguments,
 * arrays live in mem. REFUSED with a sentence that names the option. */
bool wishes_take(struct clone_request *r, const struct args *a, struct arena *mem, struct err *e);

/* The same for `clone replay`: steps and changed inputs. */
bool wishes_take_replay(struct clone_replay *r, const struct args *a, struct err *e);

#endif
