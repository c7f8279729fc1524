/* SPDX-License-Identifier: Apache-2.0
 * W3C trace context, the little we need of it (standards F3). */
#ifndef SANDBOX_CORE_TRACE_H
#define SANDBOX_CORE_TRACE_H

#include "consumer/ports/messages.h"

#include <stdbool.h>
#include <stddef.h>

/* Takes a traceparent header over. False, and "" in out_r, when it is not valid: then it is ignored whole. */
bool traceparent_read(const void *header, size_t len, char out_r[TRACEPARENT_TEXT]);

/* The same trace with a span of its own for `event_id`: always the same one, so that a resend is byte-equal. False,
 * and "" in out_r, when parent is not valid. */
bool traceparent_child(const char *parent, const char *event_id, char out_r[TRACEPARENT_TEXT]);

#endif
