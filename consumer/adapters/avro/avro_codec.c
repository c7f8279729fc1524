/* SPDX-License-Identifier: Apache-2.0
 * Decoding is our own, from the check of the bytes to the struct; encoding goes through avro-c
 * (docs/decisions/0005-avro.md says why). */
#include "consumer/adapters/avro/avro_codec.h"

#include "consumer/adapters/avro/binding.h"
#include "consumer/adapters/avro/cloud_events.h"
#include "consumer/adapters/avro/read.h"
#include "consumer/adapters/avro/shipped.h"
#include "consumer/adapters/avro/walk.h"
#include "consumer/adapters/avro/wire.h"
#include "consumer/core/request.h"
#include "consumer/core/trace.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* Together they are the 4 MiB that decoding may take. */
enum { SCRATCH_MAX = 5 * 512 * 1024, MESSAGE_MAX = 3 * 512 * 1024 };
/* A dead letter must fit into a record itself. */
enum { DEAD_VALUE_MAX = RECORD_MAX_BYTES - 4096, DEAD_KEY_MAX = 2048 };

struct writer { /* of one kind */
	const struct schema *schema;
	avro_schema_t avro_schema;
	avro_value_iface_t *class;
	avro_value_t value; /* used again for every record */
};

struct avro_codec {
	struct codec_port port;
	struct schema_source *schemas;
	struct clock_port *clock;
	struct arena *mem, *scratch;
	struct writer writers[MESSAGE_END];
	avro_writer_t out;
	char bytes[RECORD_MAX_BYTES];
};

static void *allocate_or_die(void *user_data, void *old, size_t old_size, size_t size)
{
	static const char sentence[] = "out of memory while encoding an event; the run resumes after a restart\n";
	void *memory;

	(void)user_data;
	(void)old_size;
	if (size == 0) {
		free(old);
		return NULL;
	}
	memory = realloc(old, size);
	if (memory)
		return memory;
	if (write(STDERR_FILENO, sentence, sizeof sentence - 1) < 0)
		_exit(EX_OSERR);
	_exit(EX_OSERR);
}

/* ---- decoding ---- */

static enum codec_result find_schema(struct avro_codec *c, const struct wire *wire, const struct schema **schema_r,
                                     struct err *e)
{
	if (wire->guid)
		return c->schemas->by_guid(c->schemas, wire->guid, schema_r, e);
	return c->schemas->by_id(c->schemas, wire->id, schema_r, e);
}

/* A header says it better than the record, which may have been written long before it was sent. */
static void take_trace(const struct bus_record *record, char traceparent[TRACEPARENT_TEXT])
{
	static const char *const names[] = { "traceparent", "ce_traceparent" };
	char found[TRACEPARENT_TEXT];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const struct bus_header *header = wire_header(record, names[i]);

		if (header && header->value && traceparent_read(header->value, header->len, found)) {
			memcpy(traceparent, found, sizeof found);
			return;
		}
	}
}

static void finish(struct message *m, const struct bus_record *record)
{
	if (m->kind == MESSAGE_REQUEST) {
		take_trace(record, m->request.traceparent);
		m->request.fingerprint = request_fingerprint(&m->request);
	} else if (m->kind == MESSAGE_REPLAY) {
		take_trace(record, m->replay.traceparent);
	}
}

static struct message *new_message(enum message_kind kind, struct err *e)
{
	struct message *m = calloc(1, sizeof *m);

	if (m) {
		m->kind = kind;
		m->mem = arena_new(MESSAGE_MAX);
	}
	if (!m || !m->mem) {
		message_free(&m);
		err_set(e, ERR_TRANSIENT, 0, "codec", "not enough memory to decode a record");
	}
	return m;
}

/* What failed only because memory was short is not the record's fault: it is tried again. */
static enum codec_result blame(const struct arena *one, const struct arena *other, struct err *e)
{
	if (!arena_is_short(one) && !arena_is_short(other))
		return CODEC_BAD;
	err_clear(e);
	err_set(e, ERR_TRANSIENT, 0, "codec", "not enough memory for a record");
	return CODEC_LATER;
}

static enum codec_result decode_value(struct avro_codec *c, enum message_kind kind, const struct schema *writer,
                                      const struct wire *wire, struct message **message_r, struct err *e)
{
	enum codec_result result = CODEC_OK;
	struct datum value;
	struct message *m;

	if (!walk_record(writer, wire->data, wire->len, e))
		return CODEC_BAD;
	if (!read_record(writer, c->writers[kind].schema, wire->data, wire->len, c->scratch, &value, e))
		return blame(c->scratch, NULL, e);
	m = new_message(kind, e);
	if (!m)
		return CODEC_LATER;
	if (!binding_decode(binding_of(kind), &value, m->mem, binding_body(m), e)) {
		result = blame(c->scratch, m->mem, e);
		message_free(&m);
	}
	*message_r = m;
	return result;
}

static enum codec_result codec_decode(struct codec_port *self, enum message_kind kind, const struct bus_record *record,
                                      struct message **message_r, struct err *e)
{
	struct avro_codec *c = (struct avro_codec *)self;
	const struct schema *writer;
	enum codec_result result;
	struct wire wire;

	*message_r = NULL;
	if (kind <= MESSAGE_UNSET || kind >= MESSAGE_END) {
		err_set(e, ERR_MISUSE, 0, "invalid", "there is no message kind %d", (int)kind);
		return CODEC_BAD;
	}
	if (!wire_split(record, &wire, e))
		return CODEC_BAD;
	result = find_schema(c, &wire, &writer, e);
	if (result != CODEC_OK)
		return result;
	result = decode_value(c, kind, writer, &wire, message_r, e);
	arena_clear(c->scratch);
	if (result == CODEC_OK)
		finish(*message_r, record);
	return result;
}

/* ---- encoding ---- */

/* What of a message cannot be told is left out where that harms nobody, so that the rest can be told. */
static struct message fit(const struct message *message)
{
	struct message m = *message;

	if (m.kind != MESSAGE_DEAD_LETTER)
		return m;
	if (m.dead_letter.value_size < (int64_t)m.dead_letter.value_len)
		m.dead_letter.value_size = (int64_t)m.dead_letter.value_len;
	if (m.dead_letter.value_len > DEAD_VALUE_MAX)
		m.dead_letter.value_len = DEAD_VALUE_MAX;
	if (m.dead_letter.key_len > DEAD_KEY_MAX)
		m.dead_letter.key_len = DEAD_KEY_MAX;
	return m;
}

/* The record in c->bytes, prefix included; it is checked as if a stranger had written it. */
static bool encode_value(struct avro_codec *c, const struct message *message, size_t *len_r, struct err *e)
{
	struct writer *w = &c->writers[message->kind];
	struct message m = fit(message);
	char *body = c->bytes + WIRE_PREFIX_BYTES;
	size_t len;
	bool ok;

	avro_value_reset(&w->value);
	ok = binding_encode(binding_of(m.kind), binding_body(&m), w->schema, &w->value, c->scratch, e);
	if (!ok)
		blame(c->scratch, NULL, e);
	arena_clear(c->scratch);
	if (!ok)
		return false;
	avro_writer_memory_set_dest(c->out, body, RECORD_MAX_BYTES - WIRE_PREFIX_BYTES);
	if (avro_value_write(c->out, &w->value) != 0)
		return err_set(e, ERR_REFUSED, 0, "too-large", "the record takes more than %d bytes", RECORD_MAX_BYTES);
	len = (size_t)avro_writer_tell(c->out);
	*len_r = WIRE_PREFIX_BYTES + len;
	return walk_record(w->schema, body, len, e);
}

static bool codec_encode(struct codec_port *self, const struct message *message, struct buf *value, struct err *e)
{
	struct avro_codec *c = (struct avro_codec *)self;
	struct schema_name name;
	size_t len = 0;

	if (!c->schemas->name_of(c->schemas, message->kind, &name, e) || !encode_value(c, message, &len, e))
		return false;
	wire_write_prefix(name.id, c->bytes);
	return buf_add(value, c->bytes, len) ||
	       err_set(e, ERR_REFUSED, 0, "too-large", "the record of %zu bytes does not fit", len);
}

static bool refuse_without_guid(uint32_t id, struct err *e)
{
	return err_set(e, ERR_REFUSED, 0, "registry",
	               "the schema registry gives schema %u no GUID: it is too old for wire_form = header", id);
}

static bool add_schema_header(struct avro_codec *c, enum message_kind kind, struct arena *mem,
                              struct bus_header *headers, size_t *count, struct err *e)
{
	unsigned char *value = arena_take(mem, WIRE_HEADER_BYTES);
	struct schema_name name;

	if (!value)
		return err_set(e, ERR_TRANSIENT, 0, "headers", "memory is short");
	if (!c->schemas->name_of(c->schemas, kind, &name, e))
		return false;
	if (!name.has_guid)
		return refuse_without_guid(name.id, e);
	wire_write_header(name.guid, value);
	headers[(*count)++] = (struct bus_header){ wire_header_name, value, WIRE_HEADER_BYTES };
	return true;
}

static bool codec_headers(struct codec_port *self, const struct message *message, const char *traceparent,
                          struct arena *mem, struct bus_header *headers_r, size_t *count_r, struct err *e)
{
	struct avro_codec *c = (struct avro_codec *)self;

	return cloud_event_headers(message, traceparent ? traceparent : "", c->clock->utc_ms(c->clock), mem, headers_r,
	                           count_r, e) &&
	       (!self->unsaid_bytes || add_schema_header(c, message->kind, mem, headers_r, count_r, e));
}

static bool codec_get_ready(struct codec_port *self, struct err *e)
{
	struct avro_codec *c = (struct avro_codec *)self;
	struct schema_name name;

	if (!c->schemas->get_ready(c->schemas, e) || !c->schemas->name_of(c->schemas, MESSAGE_STATE, &name, e))
		return false;
	return !self->unsaid_bytes || name.has_guid || refuse_without_guid(name.id, e);
}

/* ---- its life ---- */

static void codec_close(struct codec_port *self)
{
	struct avro_codec *c = (struct avro_codec *)self;

	for (int kind = MESSAGE_UNSET + 1; kind < MESSAGE_END; kind++) {
		struct writer *w = &c->writers[kind];

		if (w->value.self)
			avro_value_decref(&w->value);
		if (w->class)
			avro_value_iface_decref(w->class);
		if (w->avro_schema)
			avro_schema_decref(w->avro_schema);
	}
	if (c->out)
		avro_writer_free(c->out);
	c->schemas->close(c->schemas);
	arena_free(&c->scratch);
	arena_free(&c->mem);
	free(c);
}

static bool open_writer(struct avro_codec *c, enum message_kind kind, struct err *e)
{
	const struct embedded_file *file = shipped_file(kind, SHIPPED_NOW);
	struct writer *w = &c->writers[kind];

	w->schema = shipped_schema(kind, SHIPPED_NOW, c->mem, e);
	if (!w->schema)
		return false;
	if (avro_schema_from_json_length(file->text, file->len, &w->avro_schema) != 0)
		return err_set(e, ERR_BUG, 0, "avro", "avro-c does not take schemas/%s", file->name);
	w->class = avro_generic_class_from_schema(w->avro_schema);
	if (!w->class || avro_generic_value_new(w->class, &w->value) != 0)
		return err_set(e, ERR_BUG, 0, "avro", "avro-c makes no value of schemas/%s", file->name);
	return true;
}

struct codec_port *avro_codec_new(const struct avro_codec_settings *settings, struct err *e)
{
	struct schema_source *schemas = settings->schemas ? settings->schemas : shipped_schemas_new(e);
	struct avro_codec *c = schemas ? calloc(1, sizeof *c) : NULL;
	bool ok = true;

	if (!c) {
		if (schemas)
			schemas->close(schemas);
		err_set(e, ERR_TRANSIENT, 0, "codec", "not enough memory for the codec");
		return NULL;
	}
	avro_set_allocator(allocate_or_die, NULL);
	c->port = (struct codec_port){ settings->schema_in_header ? WIRE_PREFIX_BYTES : 0, codec_decode, codec_encode,
		codec_headers, codec_get_ready, codec_close };
	c->schemas = schemas;
	c->clock = settings->clock;
	c->mem = arena_new(SCHEMA_MEMORY_MAX);
	c->scratch = arena_new(SCRATCH_MAX);
	c->out = avro_writer_memory(c->bytes, sizeof c->bytes);
	if (!c->mem || !c->scratch)
		ok = err_set(e, ERR_TRANSIENT, 0, "codec", "not enough memory for the codec");
	for (int kind = MESSAGE_UNSET + 1; ok && kind < MESSAGE_END; kind++)
		ok = open_writer(c, (enum message_kind)kind, e);
	if (ok)
		return &c->port;
	codec_close(&c->port);
	return NULL;
}
