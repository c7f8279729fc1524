/* SPDX-License-Identifier: Apache-2.0
 * CloudEvents 1.0 in binary mode and trace headers of what we publish (standards F1 and F3). */
#ifndef SANDBOX_AVRO_CLOUD_EVENTS_H
#define SANDBOX_AVRO_CLOUD_EVENTS_H

#include "consumer/ports/bus.h"

/* Fills headers_r, which has room for BUS_HEADERS_MAX; texts live in mem. now_ms tells apart two messages that have no
 * id of their own (a replay, a control). traceparent of the asker, "" none; an invalid one is ignored whole. */
bool cloud_event_headers(const struct message *message, const char *traceparent, int64_t now_ms, struct arena *mem,
                         struct bus_header *headers_r, size_t *count_r, struct err *e);

#endif
