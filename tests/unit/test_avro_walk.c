/* SPDX-License-Identifier: Apache-2.0
 * The check of bytes before anything is decoded: each trap that avro-c 1.11.1 walks into, and its neighbours. */
#include "consumer/adapters/avro/walk.h"

#include "consumer/adapters/avro/utf8.h"
#include "consumer/ports/codec.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct arena *mem;

static void setup(void)
{
	mem = arena_new(SCHEMA_MEMORY_MAX);
	ck_assert_ptr_nonnull(mem);
}

static void teardown(void)
{
	arena_free(&mem);
}

static const struct schema *parse(const char *text)
{
	struct err e = { 0 };
	const struct schema *s = schema_parse(text, strlen(text), mem, &e);

	ck_assert_msg(s != NULL, "%s: %s", text, e.text);
	return s;
}

/* In memory of just that size, so that the sanitizer sees every byte read beyond. */
static bool walk(const char *schema, const void *data, size_t len, struct err *e)
{
	void *copy = malloc(len ? len : 1);
	bool ok;

	*e = (struct err){ 0 };
	memcpy(copy, data, len);
	ok = walk_record(parse(schema), copy, len, e);
	free(copy);
	return ok;
}

#define GOOD(schema, bytes) \
	do { \
		struct err e_; \
		ck_assert_msg(walk(schema, bytes, sizeof bytes - 1, &e_), "%s refused: %s", schema, e_.text); \
	} while (0)
#define BAD(schema, bytes, code) bad(schema, bytes, sizeof bytes - 1, code)

static void bad(const char *schema, const void *data, size_t len, const char *code)
{
	struct err e;

	ck_assert_msg(!walk(schema, data, len, &e), "%s accepted", schema);
	ck_assert_int_eq(e.class, ERR_REFUSED);
	ck_assert_str_eq(e.where, code);
}

#define INT "\"int\""
#define LONG "\"long\""
#define TEXT "\"string\""
#define ARRAY "{\"type\":\"array\",\"items\":\"long\"}"
#define MAP "{\"type\":\"map\",\"values\":\"null\"}"
#define ENUM "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}"
#define UNION "[\"null\",\"boolean\"]"

START_TEST(numbers)
{
	GOOD(INT, "\0");
	GOOD(INT, "\xff\xff\xff\xff\x0f");
	GOOD(LONG, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
	BAD(INT, "", "malformed");
	BAD(INT, "\x80", "malformed");
	BAD(INT, "\x80\x80\x80\x80\x10", "malformed");
	BAD(LONG, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", "malformed");
	BAD(LONG, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80", "malformed");
	GOOD("\"float\"", "1234");
	BAD("\"float\"", "123", "malformed");
	GOOD("\"double\"", "12345678");
	BAD("\"double\"", "1234567", "malformed");
}
END_TEST

START_TEST(booleans)
{
	GOOD("\"boolean\"", "\0");
	GOOD("\"boolean\"", "\1");
	BAD("\"boolean\"", "\7", "malformed");
	BAD("\"boolean\"", "", "malformed");
}
END_TEST

START_TEST(texts)
{
	GOOD(TEXT, "\0");
	GOOD(TEXT, "\x06" "abc");
	BAD(TEXT, "\x06" "ab", "malformed");
	BAD(TEXT, "\x01", "malformed");                                         /* -1 */
	BAD(TEXT, "\x03", "malformed");                                         /* -2 */
	BAD(TEXT, "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", "too-large");     /* INT64_MAX */
	BAD(TEXT, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "malformed");     /* INT64_MIN */
	BAD(TEXT, "\x80\x40", "malformed");                                     /* 4096 bytes, none there */
	BAD(TEXT, "\x06" "a\0c", "malformed");
	BAD(TEXT, "\x02" "\xff", "malformed");
	BAD(TEXT, "\x04" "\xc0\x80", "malformed");
	BAD(TEXT, "\x06" "\xed\xa0\x80", "malformed");
	GOOD("\"bytes\"", "\x06" "a\0\xff");
	BAD("\"bytes\"", "\x06" "a", "malformed");
	GOOD("{\"type\":\"fixed\",\"name\":\"F\",\"size\":3}", "abc");
	BAD("{\"type\":\"fixed\",\"name\":\"F\",\"size\":3}", "ab", "malformed");
}
END_TEST

START_TEST(a_text_of_32_kib_and_one_more)
{
	char *data = malloc(3 + 32 * 1024 + 1);
	struct err e;

	memset(data, 'x', 3 + 32 * 1024 + 1);
	memcpy(data, "\x80\x80\x04", 3);
	ck_assert(walk(TEXT, data, 3 + 32 * 1024, &e));
	memcpy(data, "\x82\x80\x04", 3);
	bad(TEXT, data, 3 + 32 * 1024 + 1, "too-large");
	free(data);
}
END_TEST

START_TEST(utf8)
{
	static const struct {
		const char *text;
		size_t good;
	} table[] = {
		{ "plain", 5 }, { "\xc2\x80", 2 }, { "\xdf\xbf", 2 }, { "\xe0\xa0\x80", 3 },
		{ "\xef\xbf\xbf", 3 }, { "\xf0\x90\x80\x80", 4 }, { "\xf4\x8f\xbf\xbf", 4 }, { "a\x80", 1 },
		{ "a\xc1\xbf", 1 }, { "a\xe0\x9f\xbf", 1 }, { "a\xed\xa0\x80", 1 },
		{ "a\xf0\x8f\xbf\xbf", 1 }, { "a\xf4\x90\x80\x80", 1 }, { "a\xf5\x80\x80\x80", 1 },
		{ "a\xc3", 1 }, { "a\xe2\x82", 1 }, { "a\xf0\x9f\x98", 1 }, { "a\xc3z", 1 },
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		ck_assert_uint_eq(utf8_good_bytes(table[i].text, strlen(table[i].text)), table[i].good);
	ck_assert_uint_eq(utf8_good_bytes("a\0b", 3), 1);
}
END_TEST

START_TEST(lists)
{
	GOOD(ARRAY, "\0");
	GOOD(ARRAY, "\4\2\4\0");
	GOOD(ARRAY, "\4\2\4\2\6\0");
	GOOD(ARRAY, "\3\4\2\4\0");                                     /* -2 items in 2 bytes */
	BAD(ARRAY, "\3\6\2\4\0", "malformed");                         /* the block says 3 bytes */
	BAD(ARRAY, "\3\2\2\4\0", "malformed");                         /* 1 byte */
	BAD(ARRAY, "\3\1\2\4\0", "malformed");                         /* -1 bytes */
	BAD(ARRAY, "\3\x7e\2\4\0", "malformed");                       /* more than there are */
	BAD(ARRAY, "\4\2\4", "malformed");
	BAD(ARRAY, "\4\2", "malformed");
	BAD(ARRAY, "\x80\x80\x80\x40", "too-large");                   /* 67,108,864 items in 4 bytes */
	BAD(ARRAY, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\0", "too-large");
	BAD(ARRAY, "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\0", "too-large");
	BAD(ARRAY, "\xa0\x9c\x01", "malformed");                       /* 10,000 items and nothing else */
	BAD(ARRAY, "\xa2\x9c\x01", "too-large");                       /* 10,001 */
	GOOD(MAP, "\2\2k\0");
	BAD(MAP, "\2\4k\0", "malformed");
	BAD(MAP, "\2\2\0\0", "malformed");
	BAD(MAP, "\x7e\2k\0", "malformed");
}
END_TEST

/* The bound is on all blocks together. */
START_TEST(items_in_many_blocks)
{
	char *data = malloc(3 * 10001 + 1);
	size_t len = 0;

	for (int i = 0; i < 10001; i++) {
		data[len++] = 2;
		data[len++] = 0;
	}
	data[len++] = 0;
	bad(ARRAY, data, len, "too-large");
	free(data);
}
END_TEST

START_TEST(choices)
{
	GOOD(ENUM, "\0");
	GOOD(ENUM, "\2");
	BAD(ENUM, "\4", "malformed");
	BAD(ENUM, "\1", "malformed");
	BAD(ENUM, "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", "malformed");
	GOOD(UNION, "\0");
	GOOD(UNION, "\2\1");
	BAD(UNION, "\2\2", "malformed");
	BAD(UNION, "\4", "malformed");
	BAD(UNION, "\1", "malformed");
}
END_TEST

START_TEST(the_whole_record)
{
	char *data = calloc(1, RECORD_MAX_BYTES + 1);

	BAD(INT, "\0\0", "malformed");
	bad("\"bytes\"", data, RECORD_MAX_BYTES + 1, "too-large");
	free(data);
}
END_TEST

/* A record of nothing but nulls takes no bytes: doubled thirty times it would take for ever. */
START_TEST(time_is_bounded_by_the_bytes)
{
	char text[4096] = "{\"type\":\"record\",\"name\":\"R0\",\"fields\":[{\"name\":\"a\",\"type\":\"null\"}]}";
	struct err e;

	for (int i = 1; i < 28; i++) {
		char outer[4096];

		snprintf(outer, sizeof outer,
		         "{\"type\":\"record\",\"name\":\"R%d\",\"fields\":[{\"name\":\"a\",\"type\":%.3500s},"
		         "{\"name\":\"b\",\"type\":\"R%d\"}]}",
		         i, text, i - 1);
		memcpy(text, outer, sizeof text);
	}
	ck_assert(!walk(text, "", 0, &e));
	ck_assert_str_eq(e.where, "too-large");
}
END_TEST

START_TEST(the_sentence_names_the_field_and_quotes_nothing)
{
	static const char schema[] = "{\"type\":\"record\",\"name\":\"R\",\"fields\":["
				     "{\"name\":\"who\",\"type\":\"string\"},"
				     "{\"name\":\"flag\",\"type\":\"boolean\"}]}";
	struct err e;

	ck_assert(!walk(schema, "\x06" "a@b\7", 5, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "flag"));
	ck_assert_ptr_null(strstr(e.text, "a@b"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("avro_walk");
	TCase *tc = tcase_create("avro_walk");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, numbers);
	tcase_add_test(tc, booleans);
	tcase_add_test(tc, texts);
	tcase_add_test(tc, a_text_of_32_kib_and_one_more);
	tcase_add_test(tc, utf8);
	tcase_add_test(tc, lists);
	tcase_add_test(tc, items_in_many_blocks);
	tcase_add_test(tc, choices);
	tcase_add_test(tc, the_whole_record);
	tcase_add_test(tc, time_is_bounded_by_the_bytes);
	tcase_add_test(tc, the_sentence_names_the_field_and_quotes_nothing);
	suite_add_tcase(suite, tc);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
