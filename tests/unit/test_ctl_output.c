/* SPDX-License-Identifier: Apache-2.0
 * JSON, tables, figures and texts as sandboxctl prints them. */
#include "consumer/ctl/grid.h"
#include "consumer/ctl/human.h"
#include "consumer/ctl/js.h"

#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static struct buf out;

static void setup(void)
{
	buf_init(&out, 1 << 16);
}

static void teardown(void)
{
	buf_done(&out);
}

static void is(const char *wanted)
{
	ck_assert_str_eq(buf_text(&out), wanted);
	buf_clear(&out);
}

/* ---- JSON ---- */

START_TEST(json_is_what_another_parser_reads)
{
	struct js j = { .out = &out, .lines = 2 };
	const char nasty[] = "a\"b\\c\nd\te\x01\x7f\xc3\xb8\xff\xe2\x80\xae<";
	json_t *root, *list;

	js_object(&j, NULL);
	js_text(&j, nasty, nasty);
	js_text(&j, "null", NULL);
	js_number(&j, "number", INT64_MIN);
	js_flag(&j, "flag", true);
	js_time(&j, "at", 1785578400123);
	js_time(&j, "never", 0);
	js_array(&j, "list");
	js_object(&j, NULL);
	js_close(&j);
	js_array(&j, NULL);
	js_number(&j, NULL, 1);
	js_number(&j, NULL, 2);
	js_close(&j);
	js_close(&j);
	js_close(&j);
	ck_assert(!out.failed);
	root = json_loads(buf_text(&out), JSON_REJECT_DUPLICATES, NULL);
	ck_assert_msg(root != NULL, "%s", buf_text(&out));
	ck_assert_str_eq(json_string_value(json_object_get(root, "at")), "2026-08-01T10:00:00.123Z");
	ck_assert(json_is_null(json_object_get(root, "never")) && json_is_null(json_object_get(root, "null")));
	ck_assert(json_integer_value(json_object_get(root, "number")) == INT64_MIN);
	list = json_object_get(root, "list");
	ck_assert_uint_eq(json_array_size(list), 2);
	ck_assert_uint_eq(json_array_size(json_array_get(list, 1)), 2);
	ck_assert_str_eq(json_string_value(json_object_iter_value(json_object_iter(root))),
		"a\"b\\c\nd\te\x01\x7f\xc3\xb8\xef\xbf\xbd\xe2\x80\xae<");
	ck_assert_ptr_null(strchr(buf_text(&out), 0x7f));
	ck_assert_ptr_null(strstr(buf_text(&out), "\xe2\x80\xae"));
	json_decref(root);
}
END_TEST

START_TEST(json_lines_are_one_line)
{
	struct js j = { .out = &out };

	for (int i = 0; i < 2; i++) {
		js_object(&j, NULL);
		js_number(&j, "i", i);
		js_close(&j);
	}
	is("{\"i\":0}\n{\"i\":1}\n");
}
END_TEST

START_TEST(json_too_deep_is_a_failure_not_a_crash)
{
	struct js j = { .out = &out };

	for (int i = 0; i < 100; i++)
		js_array(&j, NULL);
	ck_assert(out.failed);
}
END_TEST

/* ---- figures ---- */

START_TEST(durations)
{
	static const struct {
		int64_t ms;
		const char *text;
	} rows[] = { { -5, "0s" },      { 0, "0s" },          { 1, "1 ms" },
		   { 349, "349 ms" }, { 999, "999 ms" },    { 1049, "1.0s" },   { 9999, "9.9s" },
		     { 10000, "10s" },  { 59999, "59s" },     { 60000, "1m" },    { 80000, "1m20s" },
		     { 3600000, "1h" }, { 5400000, "1h30m" }, { 86400000, "1d" }, { 273600000, "3d4h" } };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		human_duration(&out, rows[i].ms);
		is(rows[i].text);
	}
}
END_TEST

START_TEST(sizes_and_counts)
{
	human_size(&out, 812);
	is("812 B");
	human_size(&out, 1023);
	is("1023 B");
	human_size(&out, 1024);
	is("1.0 KiB");
	human_size(&out, 2100000000);
	is("1.9 GiB");
	human_size(&out, INT64_MAX);
	is("7.9 EiB");
	human_count(&out, 0);
	is("0");
	human_count(&out, 999);
	is("999");
	human_count(&out, 5370000);
	is("5,370,000");
	human_count(&out, INT64_MAX);
	is("9,223,372,036,854,775,807");
}
END_TEST

START_TEST(times_are_relative)
{
	human_ago(&out, 100000, 0);
	is("-");
	human_ago(&out, 100000, 99500);
	is("just now");
	human_ago(&out, 300000, 99500);
	is("3m20s ago");
	human_ago(&out, 100000, 105000);
	is("in 5.0s");
}
END_TEST

START_TEST(texts_cannot_steer_the_terminal)
{
	const char text[] = "a\033[2Jb\nc\xff\xe2\x80\xae\xc3\xb8";

	human_text(&out, text, strlen(text));
	is("a?[2Jb c??\xc3\xb8");
	ck_assert_uint_eq(human_width("\xc3\xb8x", 3), 2);
}
END_TEST

/* ---- tables ---- */

START_TEST(columns_are_as_wide_as_their_widest_cell)
{
	static const char *const titles[] = { "NAME", "N", "TEXT" };
	struct arena *mem = arena_new(1 << 16);
	struct grid g = grid_of(mem, titles, 3, 2);

	grid_text(&g, "\xc3\xb8");
	grid_text(&g, "12");
	grid_text(&g, "last");
	grid_text(&g, "longer");
	grid_text(&g, "3");
	grid_text(&g, "");
	ck_assert(grid_print(&g, true, &out));
	is("NAME     N  TEXT\n\xc3\xb8       12  last\nlonger   3\n");
	ck_assert(grid_print(&g, false, &out));
	is("\xc3\xb8       12  last\nlonger   3\n");
	grid_text(&g, "half a row");
	ck_assert(!grid_print(&g, true, &out));
	arena_free(&mem);
}
END_TEST

START_TEST(a_table_that_is_too_long_fails)
{
	static const char *const titles[] = { "A" };
	struct arena *mem = arena_new(4096);
	struct grid g = grid_of(mem, titles, 1, 0);

	for (int i = 0; i < 10000; i++)
		grid_text(&g, "some text that takes its place");
	ck_assert(!grid_print(&g, true, &out));
	arena_free(&mem);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ctl_output");
	TCase *t = tcase_create("output");
	SRunner *sr = srunner_create(s);

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, json_is_what_another_parser_reads);
	tcase_add_test(t, json_lines_are_one_line);
	tcase_add_test(t, json_too_deep_is_a_failure_not_a_crash);
	tcase_add_test(t, durations);
	tcase_add_test(t, sizes_and_counts);
	tcase_add_test(t, times_are_relative);
	tcase_add_test(t, texts_cannot_steer_the_terminal);
	tcase_add_test(t, columns_are_as_wide_as_their_widest_cell);
	tcase_add_test(t, a_table_that_is_too_long_fails);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
