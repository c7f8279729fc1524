/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/avro/wire.h"

#include <string.h>

#define BAD(e, code, ...) err_set((e), ERR_REFUSED, 0, code, __VA_ARGS__)

const char wire_header_name[] = "__value_schema_id";

enum { FORM_GUID = 1 }; /* first byte of the header */

const struct bus_header *wire_header(const struct bus_record *record, const char *name)
{
	for (size_t i = record->header_count; i > 0; i--)
		if (strcmp(record->headers[i - 1].name, name) == 0)
			return &record->headers[i - 1];
	return NULL;
}

static bool split_header_form(const struct bus_header *header, struct wire *wire, struct err *e)
{
	const unsigned char *value = header->value;

	if (header->len != WIRE_HEADER_BYTES || value[0] != FORM_GUID)
		return BAD(e, "bad-magic", "the header __value_schema_id is not 0x01 and a GUID of 16 bytes");
	wire->guid = value + 1;
	return true;
}

static bool split_prefix_form(struct wire *wire, struct err *e)
{
	const unsigned char *prefix = wire->data;

	if (prefix[0] != 0)
		return BAD(e, "bad-magic", "the value begins with 0x%02x, not with 0x00 and a schema id", prefix[0]);
	if (wire->len < WIRE_PREFIX_BYTES)
		return BAD(e, "bad-magic", "the value ends within the schema id");
	wire->id = wire_read_id(prefix + 1);
	if (wire->id == 0 || wire->id > INT32_MAX)
		return BAD(e, "unknown-schema", "schema id %u cannot exist", wire->id);
	wire->data += WIRE_PREFIX_BYTES;
	wire->len -= WIRE_PREFIX_BYTES;
	return true;
}

bool wire_split(const struct bus_record *record, struct wire *wire_r, struct err *e)
{
	const struct bus_header *header = wire_header(record, wire_header_name);

	*wire_r = (struct wire){ .data = record->value, .len = record->value_len };
	if (record->value_len > RECORD_MAX_BYTES)
		return BAD(e, "too-large", "the value has %zu bytes, more than %d", record->value_len,
		           RECORD_MAX_BYTES);
	if (!record->value || record->value_len == 0)
		return BAD(e, "empty", "the record has no value");
	return header ? split_header_form(header, wire_r, e) : split_prefix_form(wire_r, e);
}

void wire_write_prefix(uint32_t id, void *prefix_r)
{
	unsigned char *prefix = prefix_r;

	prefix[0] = 0;
	wire_write_id(id, prefix + 1);
}

void wire_write_header(const unsigned char guid[SCHEMA_GUID_BYTES], unsigned char value_r[WIRE_HEADER_BYTES])
{
	value_r[0] = FORM_GUID;
	memcpy(value_r + 1, guid, SCHEMA_GUID_BYTES);
}

uint32_t wire_read_id(const unsigned char *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

void wire_write_id(uint32_t id, unsigned char *bytes_r)
{
	for (int i = 0; i < 4; i++)
		bytes_r[i] = (unsigned char)(id >> (24 - 8 * i));
}
