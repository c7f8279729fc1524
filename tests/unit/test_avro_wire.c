/* SPDX-License-Identifier: Apache-2.0
 * The two forms of the wire format, written and read again, with every kind of message. */
#include "consumer/adapters/avro/avro_codec.h"
#include "consumer/adapters/avro/shipped.h"
#include "consumer/adapters/avro/wire.h"
#include "tests/unit/avro_samples.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t fixed_time(struct clock_port *self)
{
	(void)self;
	return 1700000000000;
}

static struct clock_port fake_clock = { fixed_time };

static struct codec_port *open_codec(bool schema_in_header)
{
	const struct avro_codec_settings settings = { .clock = &fake_clock, .schema_in_header = schema_in_header };
	struct err e = { 0 };
	struct codec_port *codec = avro_codec_new(&settings, &e);

	ck_assert_msg(codec != NULL, "%s", e.text);
	return codec;
}

/* What a reader of the topic gets of a published message; its parts live in value and mem. */
static struct bus_record published(struct codec_port *codec, const struct message *m, struct buf *value, struct arena *mem)
{
	struct bus_record record = { 0 };
	struct err e = { 0 };

	ck_assert_msg(codec->encode(codec, m, value, &e), "%s", e.text);
	ck_assert_msg(codec->headers(codec, m, SAMPLE_TRACE, mem, record.headers, &record.header_count, &e), "%s", e.text);
	ck_assert_uint_le(record.header_count, BUS_HEADERS_MAX);
	record.value = value->data + codec->unsaid_bytes;
	record.value_len = value->len - codec->unsaid_bytes;
	return record;
}

/* Whatever form the reader writes himself. */
static void read_by_both(const struct bus_record *record, enum message_kind kind, const struct buf *whole)
{
	for (int in_header = 0; in_header <= 1; in_header++) {
		struct codec_port *reader = open_codec(in_header);
		struct message *m = NULL;
		struct err e = { 0 };
		struct buf again;

		ck_assert_msg(reader->decode(reader, kind, record, &m, &e) == CODEC_OK, "%s", e.text);
		buf_init(&again, RECORD_MAX_BYTES);
		ck_assert(reader->encode(reader, m, &again, &e));
		if (kind != MESSAGE_REQUEST && kind != MESSAGE_REPLAY) { /* those take the trace of the header */
			ck_assert_uint_eq(again.len, whole->len);
			ck_assert_mem_eq(again.data, whole->data, whole->len);
		}
		buf_done(&again);
		message_free(&m);
		reader->close(reader);
	}
}

START_TEST(the_prefix_form_is_written_unless_told)
{
	enum message_kind kind = (enum message_kind)_i;
	struct codec_port *codec = open_codec(false);
	struct arena *mem = arena_new(64 * 1024);
	struct message m = sample(kind);
	struct bus_record record;
	struct buf value;

	buf_init(&value, RECORD_MAX_BYTES);
	record = published(codec, &m, &value, mem);
	ck_assert_uint_eq(codec->unsaid_bytes, 0);
	ck_assert_ptr_null(wire_header(&record, wire_header_name));
	ck_assert_uint_eq(wire_read_id((const unsigned char *)record.value + 1), SHIPPED_ID_FIRST + (uint32_t)kind);
	read_by_both(&record, kind, &value);
	buf_done(&value);
	arena_free(&mem);
	codec->close(codec);
}
END_TEST

START_TEST(the_header_form_is_written_when_told)
{
	enum message_kind kind = (enum message_kind)_i;
	struct codec_port *codec = open_codec(true);
	struct arena *mem = arena_new(64 * 1024);
	struct message m = sample(kind);
	const struct bus_header *header;
	unsigned char expected[WIRE_HEADER_BYTES] = { 1 };
	struct bus_record record, whole;
	struct buf value;

	buf_init(&value, RECORD_MAX_BYTES);
	record = published(codec, &m, &value, mem);
	header = wire_header(&record, "__value_schema_id");
	ck_assert_ptr_nonnull(header);
	ck_assert_uint_eq(header->len, 17);
	shipped_guid(SHIPPED_ID_FIRST + (uint32_t)kind, expected + 1);
	ck_assert_mem_eq(header->value, expected, sizeof expected);
	read_by_both(&record, kind, &value);

	/* What is kept without headers bears its schema itself. */
	whole = (struct bus_record){ .value = value.data, .value_len = value.len };
	read_by_both(&whole, kind, &value);
	buf_done(&value);
	arena_free(&mem);
	codec->close(codec);
}
END_TEST

START_TEST(nothing_need_be_learnt_without_a_registry)
{
	struct codec_port *codec = open_codec(true);
	struct err e = { 0 };

	ck_assert(codec->get_ready(codec, &e));
	codec->close(codec);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("avro_wire");
	TCase *tc = tcase_create("avro_wire");
	SRunner *sr;
	int failed;

	tcase_add_loop_test(tc, the_prefix_form_is_written_unless_told, MESSAGE_UNSET + 1, MESSAGE_END);
	tcase_add_loop_test(tc, the_header_form_is_written_when_told, MESSAGE_UNSET + 1, MESSAGE_END);
	tcase_add_test(tc, nothing_need_be_learnt_without_a_registry);
	suite_add_tcase(suite, tc);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
