/* SPDX-License-Identifier: Apache-2.0
 * Hostile records and hostile schemas. The first byte chooses: 0xff reads the input as the text of a schema, a NUL and
 * a record of it; anything else as a record of one of the shipped schemas. What decodes must encode again. */
#include "consumer/adapters/avro/avro_codec.h"
#include "consumer/adapters/avro/read.h"
#include "consumer/adapters/avro/shipped.h"
#include "consumer/adapters/avro/walk.h"
#include "consumer/adapters/avro/wire.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct codec_port *codec; /* made once: opening it costs more than a thousand records */

static void fuzz_schema(const uint8_t *data, size_t size)
{
	const uint8_t *nul = memchr(data, 0, size);
	size_t len = nul ? (size_t)(nul - data) : size;
	struct arena *mem = arena_new(SCHEMA_MEMORY_MAX), *values = arena_new(1 << 20);
	struct err e = { 0 };
	const struct schema *s = schema_parse((const char *)data, len, mem, &e);
	struct datum value;

	if (s && nul && walk_record(s, nul + 1, size - len - 1, &e))
		/* What was walked must be readable by its own schema, or need more memory than there is. */
		if (!read_record(s, s, nul + 1, size - len - 1, values, &value, &e) &&
		    strcmp(e.where, "too-large") != 0)
			abort();
	arena_free(&values);
	arena_free(&mem);
}

static int64_t no_time(struct clock_port *self)
{
	(void)self;
	return 0;
}

static void fuzz_record(const uint8_t *data, size_t size)
{
	enum message_kind kind = (enum message_kind)(1 + data[0] % (MESSAGE_END - 1));
	uint32_t id = (data[0] & 0x80 ? SHIPPED_ID_BEFORE : SHIPPED_ID_FIRST) + (uint32_t)kind;
	char *value = malloc(WIRE_PREFIX_BYTES + size);
	struct bus_record record = { .value = value, .value_len = WIRE_PREFIX_BYTES + size - 1 };
	struct err e = { 0 };
	struct message *m;
	struct buf again;

	if (!value)
		return;
	wire_write_prefix(id, value);
	memcpy(value + WIRE_PREFIX_BYTES, data + 1, size - 1);
	buf_init(&again, RECORD_MAX_BYTES);
	if (codec->decode(codec, kind, &record, &m, &e) == CODEC_OK) {
		if (!codec->encode(codec, m, &again, &e) && strcmp(e.where, "too-large") != 0)
			abort();
		message_free(&m);
	} else if (e.class != ERR_REFUSED || !e.text[0]) {
		abort();
	}
	buf_done(&again);
	free(value);
}

static void close_codec(void)
{
	codec->close(codec);
}

static void open_codec(void)
{
	static struct clock_port clock = { .utc_ms = no_time };
	const struct avro_codec_settings settings = { .clock = &clock };
	struct err e = { 0 };

	codec = avro_codec_new(&settings, &e);
	if (!codec || atexit(close_codec) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!codec)
		open_codec();
	if (size == 0)
		return 0;
	if (data[0] == 0xff)
		fuzz_schema(data + 1, size - 1);
	else
		fuzz_record(data, size);
	return 0;
}
