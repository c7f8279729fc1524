/* SPDX-License-Identifier: Apache-2.0
 * Bytes of a record to a message and back. */
#ifndef SANDBOX_PORTS_CODEC_H
#define SANDBOX_PORTS_CODEC_H

#include "consumer/ports/bus.h"
#include "consumer/ports/messages.h"
#include "handlers/base/buf.h"

enum { RECORD_MAX_BYTES = 64 * 1024,
       REQUEST_MAX_BYTES = RECORD_MAX_BYTES - 4096 }; /* it is encoded again, with what a replay changes, to be stored */

enum codec_result {
	CODEC_OK,
	CODEC_BAD,    /* these bytes will never decode: dead letter; err->where is the reason code */
	CODEC_LATER,  /* the schema could not be had now: keep the record and try again */
};

struct codec_port {
	/* Of an encoded value so much is left out when it is published with headers(), which say it instead: 0, or the
	 * wire-format prefix. What is kept without headers is kept whole. */
	size_t unsaid_bytes;
	/* Decodes one record of that kind from value and headers. Takes at most RECORD_MAX_BYTES and refuses hostile bytes
	 * before it takes memory. On CODEC_OK *message_r is the caller's to free. Reason codes: too-large empty bad-magic
	 * unknown-schema malformed invalid. */
	enum codec_result (*decode)(struct codec_port *self, enum message_kind kind, const struct bus_record *record,
	                            struct message **message_r, struct err *e);
	/* Appends the record's value (wire-format prefix included) to *value. */
	bool (*encode)(struct codec_port *self, const struct message *message, struct buf *value, struct err *e);
	/* Fills the CloudEvents and trace headers of standards F1 and F3 for that message, and the schema's where the value
	 * does not bear it; borrowed from mem.
	 * At most BUS_HEADERS_MAX. */
	bool (*headers)(struct codec_port *self, const struct message *message, const char *traceparent, struct arena *mem,
	                struct bus_header *headers_r, size_t *count_r, struct err *e);
	/* Learns all that encode() will need, for which it may wait, and from then on nothing waits: what is not known yet
	 * is CODEC_LATER and is asked for in the background. False: TRANSIENT when it cannot be learnt now, REFUSED when
	 * our schemas are not where they must be. Without this call every other one may wait for an answer. */
	bool (*get_ready)(struct codec_port *self, struct err *e);
	void (*close)(struct codec_port *self);
};

#endif
