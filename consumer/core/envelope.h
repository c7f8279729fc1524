/* SPDX-License-Identifier: Apache-2.0
 * A message with its topic, key and headers as one block of bytes: what the outbox stores. */
#ifndef SANDBOX_CORE_ENVELOPE_H
#define SANDBOX_CORE_ENVELOPE_H

#include "consumer/ports/bus.h"
#include "handlers/base/buf.h"

/* Appends the packed message; false when the buffer's maximum is reached. */
bool envelope_pack(const struct bus_message *message, struct buf *out);
/* Everything in *message_r points into data. False when the block is no envelope. */
bool envelope_unpack(const void *data, size_t len, struct bus_message *message_r);

#endif
