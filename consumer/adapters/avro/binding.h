/* SPDX-License-Identifier: Apache-2.0
 * Which field of a record is which member of a message: one table a kind, used both to encode and to decode. */
#ifndef SANDBOX_AVRO_BINDING_H
#define SANDBOX_AVRO_BINDING_H

#include "consumer/adapters/avro/schema.h"
#include "consumer/ports/messages.h"

#include <avro.h>

enum binding_type {
	BIND_END,      /* closes a table */
	BIND_TEXT,     /* const char *; NULL is written as "" */
	BIND_INT,      /* int */
	BIND_LONG,     /* int64_t */
	BIND_UNSIGNED, /* uint64_t, below 2^63 */
	BIND_BOOL,     /* bool */
	BIND_ENUM,     /* an enum, by name_of */
	BIND_SYMBOL,   /* const char *, one of the schema's symbols */
	BIND_BYTES,    /* const void * with its length at `count`; NULL is null */
	BIND_TRACE,    /* char[TRACEPARENT_TEXT]; what is not valid is read as "" */
	BIND_RECORD,   /* members of the same struct in a record of their own */
	BIND_TEXTS,    /* const char *const * with its count */
	BIND_LONGS,    /* const int64_t * with its count */
	BIND_RECORDS,  /* const struct * with its count, each of `size` bytes */
};

struct binding {
	const char *field;
	enum binding_type type;
	size_t at;    /* offset of the member */
	size_t count; /* offset of the count or length that belongs to it */
	size_t given; /* offset of the bool that says whether it is there; 0: always */
	const char *(*name_of)(int value);  /* BIND_ENUM: NULL for what has no symbol */
	const struct binding *inside;       /* BIND_RECORD, BIND_RECORDS */
	size_t size;                        /* of one, BIND_RECORDS */
};

/* The table of that kind. */
const struct binding *binding_of(enum message_kind kind);
/* Where in the message its members are. */
void *binding_body(struct message *m);

/* Fills the struct at body; texts are copied into mem. REFUSED with `where` invalid or too-large. */
bool binding_decode(const struct binding *b, const struct datum *record, struct arena *mem, void *body, struct err *e);

/* Fills the avro-c record, whose schema is `schema`. A text that is no UTF-8 is written with '?' for the bad bytes, and
 * an overlong one is cut: an event must be told. scratch is taken for that. */
bool binding_encode(const struct binding *b, const void *body, const struct schema *schema, avro_value_t *record,
                    struct arena *scratch, struct err *e);

#endif
