/* SPDX-License-Identifier: Apache-2.0
 * Which schema a record was written with (standards F2). Two forms are read: the prefix 0x00 and a schema id in four
 * bytes, big-endian, in front of the Avro bytes; or the header __value_schema_id, 0x01 and a GUID of 16 bytes, and
 * nothing but Avro in the value. The prefix is what we write unless told otherwise. */
#ifndef SANDBOX_AVRO_WIRE_H
#define SANDBOX_AVRO_WIRE_H

#include "consumer/adapters/avro/source.h"

enum { WIRE_PREFIX_BYTES = 5, WIRE_HEADER_BYTES = 1 + SCHEMA_GUID_BYTES };

extern const char wire_header_name[]; /* __value_schema_id */

struct wire {
	const unsigned char *guid; /* SCHEMA_GUID_BYTES; NULL in the prefix form */
	uint32_t id;
	const unsigned char *data; /* Avro bytes */
	size_t len;
};

/* All borrowed from the record. False when it has neither form: *e is REFUSED with `where` too-large, empty, bad-magic
 * or unknown-schema. */
bool wire_split(const struct bus_record *record, struct wire *wire_r, struct err *e);

void wire_write_prefix(uint32_t id, void *prefix_r);
void wire_write_header(const unsigned char guid[SCHEMA_GUID_BYTES], unsigned char value_r[WIRE_HEADER_BYTES]);

/* Four bytes, big-endian. */
uint32_t wire_read_id(const unsigned char *bytes);
void wire_write_id(uint32_t id, unsigned char *bytes_r);

/* The last header of that name, as Kafka counts; NULL when there is none. */
const struct bus_header *wire_header(const struct bus_record *record, const char *name);

#endif
