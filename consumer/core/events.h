/* SPDX-License-Identifier: Apache-2.0
 * What the engine wants told, as messages. Pure: the same event gives the same message, whenever it is made again. */
#ifndef SANDBOX_CORE_EVENTS_H
#define SANDBOX_CORE_EVENTS_H

#include "consumer/core/engine.h"
#include "handlers/base/arena.h"

struct event_facts { /* what the engine does not know */
	bool (*domain_is_public)(const char *domain);
};

/* The message of one event of an FX_RECORD. Its texts are borrowed from mem and the effect; NULL when mem is full.
 * *topic_r and *key_r say where it goes. */
const struct message *event_message(const struct effect *fx, const struct engine_event *event, int64_t utc_ms,
                                    const struct event_facts *facts, struct arena *mem, enum topic *topic_r,
                                    const char **key_r);
/* The REJECTED state of an FX_TELL_REJECTED. */
const struct message *event_rejected(const struct clone_request *request, const char *why, int64_t utc_ms,
                                     struct arena *mem);
/* "sandboxctl clone ..." that an operator may want to run next; "" when there is nothing to do, NULL when mem is full. */
const char *event_next_command(const struct clone_snapshot *s, const char *clone_id, struct arena *mem);

#endif
