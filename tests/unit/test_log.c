/* SPDX-License-Identifier: Apache-2.0
 * Log lines: their two forms, and what hostile texts may not do to them. */
#include "consumer/adapters/system/log_fd.h"
#include "consumer/core/log.h"
#include "consumer/core/log_text.h"

#include <check.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct log *logger;
static struct buf written;
static int lines;
static bool refuse_lines;

static bool keep(void *arg, const char *line, size_t len)
{
	(void)arg;
	lines++;
	buf_clear(&written);
	return !refuse_lines && buf_add(&written, line, len);
}

static int64_t fixed_time(void *arg)
{
	(void)arg;
	return 1785579300123; /* 2026-08-01T10:15:00.123Z */
}

static void start(enum log_format format, size_t line_max)
{
	const struct log_settings settings = { LOG_LEVEL_INFO, format, line_max, keep, NULL, fixed_time, NULL };

	log_free(&logger);
	logger = log_new(&settings);
	ck_assert_ptr_nonnull(logger);
}

static void setup(void)
{
	buf_init(&written, 1 << 20);
	lines = 0;
	refuse_lines = false;
	start(LOG_FORMAT_JSON, 8192);
}

static void teardown(void)
{
	log_free(&logger);
	buf_done(&written);
}

static const struct log_context clone = { .clone_id = "0198f0c2-7d1e", .run = 2, .token = 77 };
static const struct log_context step = { .parent = &clone, .step = "copy_database", .attempt = 3 };

START_TEST(a_line_in_both_forms)
{
	log_info(logger, &step, "step ended", log_text("outcome", "DONE"), log_number("rows", -12), log_ms("took", 1250),
	         log_bool("again", false), log_secret("password"));
	ck_assert_str_eq(written.data,
	                 "{\"time\":\"2026-08-01T10:15:00.123Z\",\"level\":\"info\",\"message\":\"step ended\","
	                 "\"clone\":\"0198f0c2-7d1e\",\"run\":2,\"step\":\"copy_database\",\"attempt\":3,\"token\":77,"
	                 "\"outcome\":\"DONE\",\"rows\":-12,\"took\":1.250,\"again\":false,"
	                 "\"password\":\"[secret]\"}\n");
	start(LOG_FORMAT_LOGFMT, 8192);
	log_warn(logger, NULL, "slow", log_text("what", "a b"), log_text("empty", ""), log_text("eq", "a=b"));
	ck_assert_str_eq(written.data, "time=2026-08-01T10:15:00.123Z level=warn message=slow what=\"a b\" empty=\"\" "
	                               "eq=\"a=b\"\n");
}
END_TEST

START_TEST(levels)
{
	log_debug(logger, NULL, "not wanted");
	ck_assert_int_eq(lines, 0);
	log_error(logger, NULL, "wanted");
	ck_assert_int_eq(lines, 1);
	ck_assert_int_eq(log_level_by_name("warn"), LOG_LEVEL_WARN);
	ck_assert_int_eq(log_level_by_name("loud"), LOG_LEVEL_UNSET);
}
END_TEST

static const char *const hostile[] = {
	"line\nbreak\r\nand\ttab",       "\x1b[31mred\x1b[0m",      "\"},{\"level\":\"forged",
	"back\\slash \"quoted\"",        "broken \xff\xc3 utf-8",   "overlong \xc0\xaf",
	"c1 \xc2\x9b" "31m",             "sep \xe2\x80\xa8 \xe2\x80\xa9", "bidi \xe2\x80\xae" "exe.txt",
	"surrogate \xed\xa0\x80",        "cut \xf0\x9f\x98",        "emoji \xf0\x9f\x98\x80 ok",
	"level=error msg=\"forged\"",    "\x01\x02\x7f",            "%s%n%d",
};

START_TEST(hostile_texts_stay_one_line_of_valid_json)
{
	const char *text = hostile[_i];

	log_info(logger, &(struct log_context){ .clone_id = text }, text, log_text("error", text));
	json_t *json = json_loads(written.data, 0, NULL);
	ck_assert_msg(json, "no JSON: %s", written.data);
	ck_assert_uint_eq(json_object_size(json), 5);
	json_decref(json);
	ck_assert_ptr_eq(strchr(written.data, '\n'), written.data + written.len - 1);
	start(LOG_FORMAT_LOGFMT, 8192);
	log_info(logger, NULL, text);
	ck_assert_ptr_eq(strchr(written.data, '\n'), written.data + written.len - 1);
	for (size_t i = 0; i < written.len - 1; i++)
		ck_assert_msg((unsigned char)written.data[i] >= ' ' && written.data[i] != 0x7f, "control byte");
	ck_assert_ptr_null(strstr(written.data, "\xc2\x9b"));
	ck_assert_ptr_null(strstr(written.data, "\xe2\x80\xae"));
}
END_TEST

START_TEST(json_text_survives)
{
	json_t *json;

	log_info(logger, NULL, "bl\xc3\xa5" "b\xc3\xa6r \"q\" \\ \n end");
	json = json_loads(written.data, 0, NULL);
	ck_assert_str_eq(json_string_value(json_object_get(json, "message")), "bl\xc3\xa5" "b\xc3\xa6r \"q\" \\ \n end");
	json_decref(json);
}
END_TEST

START_TEST(addresses_are_never_written)
{
	static const struct {
		const char *text, *shown;
	} cases[] = {
		{ "john.doe@company.com", "\"[address]\"" },
		{ "user john.doe@company.com was refused", "\"user [address] was refused\"" },
		{ "\"J. Doe\" <j@c.org>; k@d.org", "\"\\\"J. Doe\\\" <[address]>; [address]\"" },
		{ "bad \"odd name\"@c.org end", "\"bad [address] end\"" },
		{ "mailto:a@b.no?cc=c@d.no", "\"[address]\"" },
		{ "q=john%40company.com", "\"[address]\"" },
		{ "wide john\xef\xbc\xa0" "c.org", "\"wide [address]\"" },
		{ "@", "\"[address]\"" },
		{ "no address", "\"no address\"" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct buf out;

		buf_init(&out, 4096);
		log_text_add(&out, cases[i].text, true);
		ck_assert_str_eq(buf_text(&out), cases[i].shown);
		buf_done(&out);
	}
}
END_TEST

START_TEST(long_values_and_lines_are_cut_and_stay_valid)
{
	char *text = malloc(100001);
	json_t *json;

	memset(text, 'x', 100000);
	text[100000] = '\0';
	log_info(logger, NULL, "long", log_text("value", text));
	ck_assert_uint_lt(written.len, 2048);
	memcpy(text + LOG_VALUE_MAX - 12, " john.doe.a@company.com", 23);
	log_info(logger, NULL, "long", log_text("value", text));
	ck_assert_ptr_null(strstr(written.data, "john"));
	free(text);

	for (size_t max = LOG_LINE_MIN; max < 1400; max += 7) {
		start(LOG_FORMAT_JSON, max);
		log_info(logger, &step, "m", log_text("a", "0123456789012345678901234567890123456789"),
		         log_text("b", "0123456789012345678901234567890123456789"), log_number("c", 123456789012345),
		         log_text("d", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
		         log_text("e", "0123456789012345678901234567890123456789"), log_number("f", 1));
		ck_assert_uint_le(written.len, max);
		json = json_loads(written.data, 0, NULL);
		ck_assert_msg(json, "no JSON: %s", written.data);
		ck_assert_int_eq(json_is_true(json_object_get(json, "truncated")), !json_object_get(json, "f"));
		json_decref(json);
	}
}
END_TEST

START_TEST(dropped_lines_are_counted)
{
	refuse_lines = true;
	log_info(logger, NULL, "lost");
	log_info(logger, NULL, "lost");
	ck_assert_uint_eq(log_dropped(logger), 2);
}
END_TEST

START_TEST(a_reader_that_does_not_read_costs_only_the_line)
{
	char line[4096];
	int ends[2], n = 0;

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(fcntl(ends[1], F_SETPIPE_SZ, 8192), 8192);
	memset(line, 'x', sizeof line);
	while (n < 10 && log_fd_write((void *)(intptr_t)ends[1], line, sizeof line))
		n++;
	ck_assert_int_eq(n, 2);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(dates)
{
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ -1, "1969-12-31T23:59:59.999Z" },
		{ 951782400000, "2000-02-29T00:00:00.000Z" },
		{ 951868800000, "2000-03-01T00:00:00.000Z" },
		{ 4107542399999, "2100-02-28T23:59:59.999Z" },
		{ 4107542400000, "2100-03-01T00:00:00.000Z" },
		{ 253402300799999, "9999-12-31T23:59:59.999Z" },
	};
	char text[LOG_TIME_TEXT];

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		log_time_text(cases[i].ms, text);
		ck_assert_str_eq(text, cases[i].text);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log");
	TCase *tc = tcase_create("log");
	SRunner *sr = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_line_in_both_forms);
	tcase_add_test(tc, levels);
	tcase_add_loop_test(tc, hostile_texts_stay_one_line_of_valid_json, 0, sizeof hostile / sizeof hostile[0]);
	tcase_add_test(tc, json_text_survives);
	tcase_add_test(tc, addresses_are_never_written);
	tcase_add_test(tc, long_values_and_lines_are_cut_and_stay_valid);
	tcase_add_test(tc, dropped_lines_are_counted);
	tcase_add_test(tc, a_reader_that_does_not_read_costs_only_the_line);
	tcase_add_test(tc, dates);
	suite_add_tcase(suite, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
