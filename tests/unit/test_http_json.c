/* SPDX-License-Identifier: Apache-2.0
 * JSON from outside: bounds before memory is taken, nothing missing, mistyped or too long passes. */
#include "consumer/adapters/http/http_json.h"

#include <check.h>
#include <string.h>

static struct buf text;
static struct err err;
static struct arena *mem;
static struct json_reader reader;

static void setup(void)
{
	buf_init(&text, (size_t)64 * 1024 * 1024);
	err_clear(&err);
	mem = arena_new(100 * 1000);
	reader = (struct json_reader){ "hosting", mem, &err };
}

static void teardown(void)
{
	buf_done(&text);
	arena_free(&mem);
}

static json_t *parse(const char *json)
{
	buf_clear(&text);
	ck_assert(buf_add_text(&text, json));
	return http_json_parse(&text);
}

static json_t *nested(int depth)
{
	buf_clear(&text);
	buf_add_text(&text, "{\"a\":");
	for (int i = 1; i < depth; i++)
		buf_add_text(&text, "[");
	for (int i = 1; i < depth; i++)
		buf_add_text(&text, "]");
	buf_add_text(&text, "}");
	return http_json_parse(&text);
}

START_TEST(test_nonsense)
{
	static const char *const table[] = { "", " ", "[]", "1", "\"x\"", "null", "{", "{}x", "{\"a\":1,\"a\":2}",
		                             "{\"a\":\"\\u0000\"}", "{\"a\":\"\xff\"}", "<html>", "{a:1}", "{\"a\":01}" };

	ck_assert_ptr_null(parse(table[_i]));
}
END_TEST

START_TEST(test_depth)
{
	json_t *v = nested(16);

	ck_assert_ptr_nonnull(v);
	json_decref(v);
	ck_assert_ptr_null(nested(17));
	ck_assert_ptr_null(nested(100000));
	v = parse("{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[ \\\" [[[[[\"}"); /* inside a text they nest nothing */
	ck_assert_ptr_nonnull(v);
	json_decref(v);
}
END_TEST

START_TEST(test_count)
{
	buf_add_text(&text, "{\"a\":[0");
	for (int i = 0; i < 1000 * 1000; i++)
		buf_add_text(&text, ",0");
	buf_add_text(&text, "]}");
	ck_assert_ptr_null(http_json_parse(&text));
}
END_TEST

START_TEST(test_text)
{
	json_t *v = parse("{\"t\":\"four\",\"n\":4}");
	char four[5], three[4];
	const char *kept;

	ck_assert(http_json_text(&reader, v, "t", four, sizeof four));
	ck_assert_str_eq(four, "four");
	ck_assert(http_json_keep(&reader, v, "t", &kept));
	ck_assert_str_eq(kept, "four");
	ck_assert(!http_json_text(&reader, v, "t", three, sizeof three));
	ck_assert_int_eq(err.class, ERR_REFUSED);
	err_clear(&err);
	ck_assert(!http_json_text(&reader, v, "n", four, sizeof four));
	ck_assert_int_eq(err.class, ERR_TRANSIENT);
	err_clear(&err);
	ck_assert(!http_json_keep(&reader, v, "missing", &kept));
	ck_assert_int_eq(err.class, ERR_TRANSIENT);
	json_decref(v);
}
END_TEST

START_TEST(test_kept_text_is_bounded)
{
	const char *kept;
	json_t *v;

	buf_add_text(&text, "{\"t\":\"");
	for (int i = 0; i < 4097; i++)
		buf_add_text(&text, "x");
	buf_add_text(&text, "\"}");
	v = http_json_parse(&text);
	ck_assert(!http_json_keep(&reader, v, "t", &kept));
	ck_assert_int_eq(err.class, ERR_REFUSED);
	json_decref(v);
}
END_TEST

START_TEST(test_number)
{
	json_t *v = parse("{\"n\":9,\"f\":9.0,\"t\":\"9\",\"b\":true}");
	int64_t n;
	bool b;

	ck_assert(http_json_number(&reader, v, "n", 9, 9, &n) && n == 9);
	ck_assert(http_json_flag(&reader, v, "b", &b) && b);
	ck_assert(!http_json_number(&reader, v, "n", 0, 8, &n));
	ck_assert_int_eq(err.class, ERR_REFUSED);
	err_clear(&err);
	ck_assert(!http_json_number(&reader, v, "f", 0, 99, &n));
	ck_assert_int_eq(err.class, ERR_TRANSIENT);
	err_clear(&err);
	ck_assert(!http_json_number(&reader, v, "t", 0, 99, &n));
	ck_assert(!http_json_flag(&reader, v, "n", &b));
	json_decref(v);
}
END_TEST

START_TEST(test_list)
{
	json_t *v = parse("{\"l\":[{},{}],\"m\":[{},1],\"o\":{}}"), *list;

	ck_assert(http_json_list(&reader, v, "l", 2, &list));
	ck_assert(!http_json_list(&reader, v, "l", 1, &list));
	ck_assert_int_eq(err.class, ERR_REFUSED);
	err_clear(&err);
	ck_assert(!http_json_list(&reader, v, "m", 9, &list));
	ck_assert_int_eq(err.class, ERR_TRANSIENT);
	err_clear(&err);
	ck_assert(!http_json_list(&reader, v, "o", 9, &list));
	err_clear(&err);
	ck_assert(!http_json_member(&reader, v, "l", &list));
	json_decref(v);
}
END_TEST

START_TEST(test_room_is_bounded)
{
	ck_assert_ptr_nonnull(http_json_room(&reader, 0, 8));
	ck_assert_ptr_nonnull(http_json_room(&reader, 1000, 8));
	ck_assert_ptr_null(http_json_room(&reader, 100 * 1000, 8));
	ck_assert_int_eq(err.class, ERR_REFUSED);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("http_json");
	TCase *t = tcase_create("all");
	SRunner *sr = srunner_create(s);
	int failures;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, test_nonsense, 0, 14);
	tcase_add_test(t, test_depth);
	tcase_add_test(t, test_count);
	tcase_add_test(t, test_text);
	tcase_add_test(t, test_kept_text_is_bounded);
	tcase_add_test(t, test_number);
	tcase_add_test(t, test_list);
	tcase_add_test(t, test_room_is_bounded);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_NORMAL);
	failures = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failures != 0;
}
