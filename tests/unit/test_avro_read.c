/* SPDX-License-Identifier: Apache-2.0
 * Schema evolution: every record is read with the schema before and after it, and every rule of resolution that
 * avro-c 1.11.1 gets wrong (defaults, enums by symbol, aliases) is held to. */
#include "consumer/adapters/avro/read.h"

#include "consumer/adapters/avro/avro_codec.h"
#include "consumer/adapters/avro/shipped.h"
#include "consumer/adapters/avro/walk.h"
#include "consumer/adapters/avro/wire.h"
#include "handlers/base/buf.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct arena *mem;
static struct buf bytes;

static void setup(void)
{
	mem = arena_new(4 * SCHEMA_MEMORY_MAX);
	ck_assert_ptr_nonnull(mem);
	buf_init(&bytes, RECORD_MAX_BYTES);
}

static void teardown(void)
{
	buf_done(&bytes);
	arena_free(&mem);
}

static const struct schema *parse(const char *text)
{
	struct err e = { 0 };
	const struct schema *s = schema_parse(text, strlen(text), mem, &e);

	ck_assert_msg(s != NULL, "%s: %s", text, e.text);
	return s;
}

/* ---- a writer of our own, so that a schema no message belongs to has records too ---- */

static void put_long(int64_t number)
{
	uint64_t bits = ((uint64_t)number << 1) ^ (uint64_t)(number >> 63);

	do {
		unsigned char byte = (unsigned char)((bits & 0x7f) | (bits > 0x7f ? 0x80 : 0));

		ck_assert(buf_add(&bytes, &byte, 1));
		bits >>= 7;
	} while (bits);
}

static void put_text(const char *text)
{
	put_long((int64_t)strlen(text));
	ck_assert(buf_add_text(&bytes, text));
}

/* A value of that schema in which no two fields look alike. */
static void put_any(const struct schema *s, int salt)
{
	char text[32];

	switch (s->type) {
	case SCHEMA_BOOLEAN:
		ck_assert(buf_add(&bytes, salt % 2 ? "\1" : "\0", 1));
		break;
	case SCHEMA_INT:
	case SCHEMA_LONG:
		put_long(1000 + salt);
		break;
	case SCHEMA_BYTES:
	case SCHEMA_STRING:
		snprintf(text, sizeof text, "text %d", salt);
		put_text(text);
		break;
	case SCHEMA_ENUM:
		put_long((int64_t)s->count - 1);
		break;
	case SCHEMA_UNION:
		put_long((int64_t)s->count - 1);
		put_any(s->branches[s->count - 1], salt);
		break;
	case SCHEMA_ARRAY:
		put_long(2);
		put_any(s->items, salt + 1);
		put_any(s->items, salt + 2);
		put_long(0);
		break;
	case SCHEMA_RECORD:
		for (size_t i = 0; i < s->count; i++)
			put_any(s->fields[i].type, salt * 10 + (int)i);
		break;
	default:
		ck_abort_msg("no such type in our schemas");
	}
}

static struct datum read_bytes(const struct schema *writer, const struct schema *reader)
{
	struct datum value;
	struct err e = { 0 };

	ck_assert_msg(walk_record(writer, bytes.data, bytes.len, &e), "%s", e.text);
	ck_assert_msg(read_record(writer, reader, bytes.data, bytes.len, mem, &value, &e), "%s", e.text);
	return value;
}

static void unreadable(const char *writer, const char *reader, const char *code, const char *why)
{
	const struct schema *w = parse(writer), *r = parse(reader);
	struct datum value;
	struct err e = { 0 };

	ck_assert_msg(walk_record(w, bytes.data, bytes.len, &e), "%s", e.text);
	ck_assert(!read_record(w, r, bytes.data, bytes.len, mem, &value, &e));
	ck_assert_str_eq(e.where, code);
	ck_assert_msg(strstr(e.text, why) != NULL, "\"%s\" does not say \"%s\"", e.text, why);
}

/* ---- before and after ---- */

/* What both versions know says the same; what only the reader knows has its default. */
static void same(const struct datum *got, const struct datum *want)
{
	const struct schema *g = got->schema, *w = want->schema;

	ck_assert_int_eq(g->type, w->type);
	switch (g->type) {
	case SCHEMA_BOOLEAN:
		ck_assert_int_eq(got->truth, want->truth);
		break;
	case SCHEMA_INT:
	case SCHEMA_LONG:
		ck_assert_int_eq(got->number, want->number);
		break;
	case SCHEMA_STRING:
	case SCHEMA_BYTES:
		ck_assert_uint_eq(got->bytes.len, want->bytes.len);
		ck_assert_mem_eq(got->bytes.data, want->bytes.data, want->bytes.len);
		break;
	case SCHEMA_ENUM:
		if (schema_symbol_index(g, w->symbols[want->number]) >= 0)
			ck_assert_str_eq(g->symbols[got->number], w->symbols[want->number]);
		else
			ck_assert_int_eq(got->number, g->fallback_symbol);
		break;
	case SCHEMA_ARRAY:
		ck_assert_uint_eq(got->list.count, want->list.count);
		for (size_t i = 0; i < got->list.count; i++)
			same(&got->list.items[i], &want->list.items[i]);
		break;
	case SCHEMA_RECORD:
		ck_assert_uint_eq(got->list.count, g->count);
		for (size_t i = 0; i < g->count; i++) {
			size_t j = schema_field_index(w, g->fields[i].name, 0);

			same(&got->list.items[i], j < w->count ? &want->list.items[j] : g->fields[i].fallback);
		}
		break;
	default:
		ck_assert_int_eq(g->type, SCHEMA_NULL);
	}
}

static void one_way(enum message_kind kind, enum shipped_version written, enum shipped_version read)
{
	struct err e = { 0 };
	const struct schema *writer = shipped_schema(kind, written, mem, &e);
	const struct schema *reader = shipped_schema(kind, read, mem, &e);
	struct datum got, want;

	buf_clear(&bytes);
	put_any(writer, 1);
	want = read_bytes(writer, writer);
	got = read_bytes(writer, reader);
	same(&got, &want);
}

START_TEST(old_records_are_read_by_the_new_schema)
{
	one_way((enum message_kind)_i, SHIPPED_BEFORE, SHIPPED_NOW);
}
END_TEST

START_TEST(new_records_are_read_by_the_old_schema)
{
	one_way((enum message_kind)_i, SHIPPED_NOW, SHIPPED_BEFORE);
}
END_TEST

START_TEST(the_versions_do_differ)
{
	const struct embedded_file *now = shipped_file((enum message_kind)_i, SHIPPED_NOW);
	const struct embedded_file *before = shipped_file((enum message_kind)_i, SHIPPED_BEFORE);

	ck_assert(now->len != before->len || memcmp(now->text, before->text, now->len) != 0);
}
END_TEST

static int64_t no_time(struct clock_port *self)
{
	(void)self;
	return 1;
}

START_TEST(the_codec_reads_records_of_the_version_before)
{
	struct clock_port clock = { .utc_ms = no_time };
	const struct avro_codec_settings settings = { .clock = &clock };
	struct err e = { 0 };
	const struct schema *writer = shipped_schema((enum message_kind)_i, SHIPPED_BEFORE, mem, &e);
	struct codec_port *codec = avro_codec_new(&settings, &e);
	struct bus_record record;
	struct message *m;

	ck_assert(buf_add(&bytes, "\0\0\0\0\0", 5));
	wire_write_prefix(SHIPPED_ID_BEFORE + (uint32_t)_i, bytes.data);
	put_any(writer, 1);
	record = (struct bus_record){ .value = bytes.data, .value_len = bytes.len };
	ck_assert_msg(codec->decode(codec, (enum message_kind)_i, &record, &m, &e) == CODEC_OK, "%s", e.text);
	if (_i == MESSAGE_REQUEST) {
		ck_assert_str_eq(m->request.job.target_ctx, "text 13");
		ck_assert_uint_eq(m->request.job.user_count, 2);
		ck_assert_int_eq(m->request.job.users[0].associate_id, 0);
		ck_assert_uint_eq(m->request.job.mask_keep_count, 0);
		ck_assert_int_eq(m->request.job.mask_mode, MASK_KEEP_NAMES);
		ck_assert_int_eq(m->request.job.documents, DOCUMENTS_ALL);
		ck_assert_str_eq(m->request.expected_generation, "");
	}
	if (_i == MESSAGE_REPLAY)
		ck_assert(!m->replay.has_mask_mode);
	if (_i == MESSAGE_STEP_COMPLETED) {
		ck_assert_str_eq(m->step_completed.slug, "wait_web_config");
		ck_assert_int_eq(m->step_completed.outcome, STEP_SKIPPED);
		ck_assert_int_eq(m->step_completed.attempt, 1);
	}
	message_free(&m);
	codec->close(codec);
}
END_TEST

/* ---- the rules one by one ---- */

#define RECORD(name, fields) "{\"type\":\"record\",\"name\":\"" name "\",\"fields\":[" fields "]}"
#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":" type "}"
#define ENUM(symbols) "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[" symbols "]}"
#define ENUM_DEFAULT(symbols, d) "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[" symbols "],\"default\":\"" d "\"}"

START_TEST(a_reordered_enum_goes_by_symbol)
{
	const struct schema *w = parse(ENUM("\"A\",\"B\",\"C\"")), *r = parse(ENUM("\"C\",\"A\",\"B\""));

	for (int64_t i = 0; i < 3; i++) {
		buf_clear(&bytes);
		put_long(i);
		ck_assert_str_eq(r->symbols[read_bytes(w, r).number], w->symbols[i]);
	}
}
END_TEST

START_TEST(an_unknown_symbol_takes_the_default)
{
	const struct schema *w = parse(ENUM("\"A\",\"NEW\"")), *r = parse(ENUM_DEFAULT("\"X\",\"A\"", "X"));

	put_long(1);
	ck_assert_int_eq(read_bytes(w, r).number, 0);
	unreadable(ENUM("\"A\",\"NEW\""), ENUM("\"A\""), "invalid", "NEW");
}
END_TEST

START_TEST(numbers_are_widened_and_never_narrowed)
{
	const struct schema *i = parse("\"int\""), *l = parse("\"long\"");
	const struct schema *f = parse("\"float\""), *d = parse("\"double\"");

	put_long(-5);
	ck_assert_int_eq(read_bytes(i, l).number, -5);
	ck_assert(read_bytes(i, f).real == -5.0);
	ck_assert(read_bytes(i, d).real == -5.0);
	ck_assert(read_bytes(l, d).real == -5.0);
	unreadable("\"long\"", "\"int\"", "unknown-schema", "long cannot be read as int");
	unreadable("\"int\"", "\"string\"", "unknown-schema", "int cannot be read as string");
	buf_clear(&bytes);
	ck_assert(buf_add(&bytes, "\0\0\300\277", 4));
	ck_assert(read_bytes(f, d).real == -1.5);
	ck_assert(read_bytes(f, f).real == -1.5);
	unreadable("\"float\"", "\"long\"", "unknown-schema", "float");
	buf_clear(&bytes);
	ck_assert(buf_add(&bytes, "\0\0\0\0\0\0\370\277", 8));
	ck_assert(read_bytes(d, d).real == -1.5);
	unreadable("\"double\"", "\"float\"", "unknown-schema", "double");
}
END_TEST

START_TEST(fields_go_by_name_or_alias)
{
	const struct schema *w = parse(RECORD("Old", FIELD("a", "\"long\"") "," FIELD("gone", "\"string\"") ","
	                                      FIELD("former", "\"long\"")));
	const struct schema *r = parse("{\"type\":\"record\",\"name\":\"New\",\"aliases\":[\"x.Old\"],\"fields\":["
	                               "{\"name\":\"present\",\"type\":\"long\",\"aliases\":[\"former\"]},"
	                               "{\"name\":\"added\",\"type\":\"string\",\"default\":\"d\"},"
	                               "{\"name\":\"a\",\"type\":\"long\"}]}");
	struct datum value;

	put_long(1);
	put_text("nobody reads this");
	put_long(3);
	value = read_bytes(w, r);
	ck_assert_int_eq(value.list.items[0].number, 3);
	ck_assert_mem_eq(value.list.items[1].bytes.data, "d", 1);
	ck_assert_int_eq(value.list.items[2].number, 1);
}
END_TEST

START_TEST(a_missing_field_without_default_is_refused)
{
	put_long(1);
	unreadable(RECORD("R", FIELD("a", "\"long\"")), RECORD("R", FIELD("a", "\"long\"") "," FIELD("b", "\"long\"")),
	           "unknown-schema", "no field b");
}
END_TEST

START_TEST(another_record_is_refused)
{
	put_long(1);
	unreadable(RECORD("R", FIELD("a", "\"long\"")), RECORD("S", FIELD("a", "\"long\"")), "unknown-schema",
	           "R cannot be read as S");
}
END_TEST

START_TEST(unions_go_by_branch)
{
	const struct schema *text = parse("\"string\""), *number = parse("\"int\"");
	const struct schema *w = parse("[\"string\",\"int\",\"null\"]"), *r = parse("[\"null\",\"long\",\"string\"]");

	put_long(0);
	put_text("x");
	ck_assert_int_eq(read_bytes(w, r).schema->type, SCHEMA_STRING);
	ck_assert_uint_eq(read_bytes(w, text).bytes.len, 1);
	unreadable("[\"string\",\"int\",\"null\"]", "\"int\"", "unknown-schema", "string");
	buf_clear(&bytes);
	put_long(1);
	put_long(7);
	ck_assert_int_eq(read_bytes(w, r).schema->type, SCHEMA_LONG);
	ck_assert_int_eq(read_bytes(w, r).number, 7);
	ck_assert_int_eq(read_bytes(w, number).number, 7);
	buf_clear(&bytes);
	put_long(2);
	ck_assert_int_eq(read_bytes(w, r).schema->type, SCHEMA_NULL);
	buf_clear(&bytes);
	put_long(7);
	ck_assert_int_eq(read_bytes(number, r).number, 7);
	unreadable("\"int\"", "[\"null\",\"string\"]", "unknown-schema", "int");
}
END_TEST

START_TEST(lists_and_maps)
{
	const struct schema *w = parse("{\"type\":\"array\",\"items\":\"int\"}");
	const struct schema *r = parse("{\"type\":\"array\",\"items\":\"long\"}");
	const struct schema *map = parse("{\"type\":\"map\",\"values\":\"int\"}");
	struct datum value;

	put_long(1);
	put_long(5);
	put_long(-2); /* a block with its size in front */
	put_long(2);
	put_long(6);
	put_long(7);
	put_long(0);
	value = read_bytes(w, r);
	ck_assert_uint_eq(value.list.count, 3);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(value.list.items[i].number, 5 + i);
	buf_clear(&bytes);
	put_long(1);
	put_text("key");
	put_long(9);
	put_long(0);
	value = read_bytes(map, map);
	ck_assert_uint_eq(value.list.count, 2);
	ck_assert_mem_eq(value.list.items[0].bytes.data, "key", 3);
	ck_assert_int_eq(value.list.items[1].number, 9);
}
END_TEST

START_TEST(fixed_needs_the_same_size)
{
	const struct schema *f = parse("{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}");

	ck_assert(buf_add(&bytes, "ab", 2));
	ck_assert_mem_eq(read_bytes(f, f).bytes.data, "ab", 2);
	unreadable("{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}", "{\"type\":\"fixed\",\"name\":\"F\",\"size\":3}",
	           "unknown-schema", "F");
}
END_TEST

START_TEST(memory_is_bounded)
{
	const struct schema *w = parse("{\"type\":\"array\",\"items\":\"int\"}");
	struct arena *small = arena_new(1024);
	struct datum value;
	struct err e = { 0 };

	put_long(9000);
	for (int i = 0; i < 9000; i++)
		put_long(0);
	put_long(0);
	ck_assert(walk_record(w, bytes.data, bytes.len, &e));
	ck_assert(!read_record(w, w, bytes.data, bytes.len, small, &value, &e));
	ck_assert_str_eq(e.where, "too-large");
	arena_free(&small);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("avro_read");
	TCase *tc = tcase_create("avro_read");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, old_records_are_read_by_the_new_schema, MESSAGE_REQUEST, MESSAGE_END);
	tcase_add_loop_test(tc, new_records_are_read_by_the_old_schema, MESSAGE_REQUEST, MESSAGE_END);
	tcase_add_loop_test(tc, the_versions_do_differ, MESSAGE_REQUEST, MESSAGE_END);
	tcase_add_loop_test(tc, the_codec_reads_records_of_the_version_before, MESSAGE_REQUEST, MESSAGE_END);
	tcase_add_test(tc, a_reordered_enum_goes_by_symbol);
	tcase_add_test(tc, an_unknown_symbol_takes_the_default);
	tcase_add_test(tc, numbers_are_widened_and_never_narrowed);
	tcase_add_test(tc, fields_go_by_name_or_alias);
	tcase_add_test(tc, a_missing_field_without_default_is_refused);
	tcase_add_test(tc, another_record_is_refused);
	tcase_add_test(tc, unions_go_by_branch);
	tcase_add_test(tc, lists_and_maps);
	tcase_add_test(tc, fixed_needs_the_same_size);
	tcase_add_test(tc, memory_is_bounded);
	suite_add_tcase(suite, tc);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
