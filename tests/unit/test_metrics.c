/* SPDX-License-Identifier: Apache-2.0
 * Counting from many threads, a bound on the number of series, and a text that Prometheus' own tool accepts. */
#include "consumer/core/engine.h"
#include "consumer/core/metrics.h"
#include "consumer/ports/messages.h"
#include "handlers/step.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct metrics *metrics;
static struct buf text;

static void setup(void)
{
	metrics = metrics_new();
	ck_assert_ptr_nonnull(metrics);
	buf_init(&text, METRICS_TEXT_MAX);
}

static void teardown(void)
{
	metrics_free(&metrics);
	buf_done(&text);
}

static const char *write_text(enum metrics_format format)
{
	buf_clear(&text);
	ck_assert(metrics_write(metrics, format, &text));
	return text.data;
}

static void expect_line(const char *line)
{
	ck_assert_msg(strstr(text.data, line), "no line \"%s\" in\n%s", line, text.data);
}

static void touch_everything(void)
{
	for (size_t i = 0; i < STEP_END; i++) {
		metrics_add(metrics, METRIC_STEP_RETRIES, i, 0, 1);
		for (size_t j = 0; j < STEP_OUTCOME_END; j++)
			metrics_observe(metrics, METRIC_STEP_DURATION, i, j, (int64_t)(i * 977));
	}
	for (size_t i = 0; i < 200; i++)
		metrics_set(metrics, METRIC_LAG, i % TOPIC_END, i, (int64_t)i);
	for (size_t i = 0; i < CLONE_STATUS_END; i++)
		metrics_add(metrics, METRIC_CLONES_ENDED, i, 0, 1);
	for (size_t i = 0; i < STEP_END; i++) {
		for (size_t a = 0; a < STEP_ACTIVITY_END; a++)
			metrics_set(metrics, METRIC_STEPS, i, a, 1);
		metrics_set(metrics, METRIC_STEP_ROWS, i, 0, INT64_MAX);
		metrics_set(metrics, METRIC_STEP_ROWS_EXPECTED, i, 0, 1);
		metrics_set(metrics, METRIC_STEP_BYTES, i, 0, 1);
	}
	metrics_set(metrics, METRIC_OLDEST_WAITING, 0, 0, 1785579300123);
	metrics_observe(metrics, METRIC_LEASE_WAIT, 0, 0, 3);
}

START_TEST(counters_gauges_and_histograms)
{
	metrics_add(metrics, METRIC_COPY_ROWS, 0, 0, 12);
	metrics_add(metrics, METRIC_COPY_BYTES, PORT_SQL, 0, 4096);
	metrics_add(metrics, METRIC_CLONES, CLONE_RUNNING, 0, 2);
	metrics_add(metrics, METRIC_CLONES, CLONE_RUNNING, 0, -2);
	metrics_raise(metrics, METRIC_LEASES_LOST, 0, 0, 3);
	metrics_raise(metrics, METRIC_LEASES_LOST, 0, 0, 2);
	metrics_set(metrics, METRIC_OLDEST_WAITING, 0, 0, 1785579300123);
	metrics_observe(metrics, METRIC_STEP_DURATION, STEP_copy_database, STEP_DONE, 750);
	metrics_observe(metrics, METRIC_STEP_DURATION, STEP_copy_database, STEP_DONE, 500);
	metrics_observe(metrics, METRIC_STEP_DURATION, STEP_copy_database, STEP_DONE, 90000000);
	metrics_set(metrics, METRIC_STEPS, STEP_copy_database, STEP_STANDS_STILL, 2);
	metrics_set(metrics, METRIC_STEP_ROWS, STEP_copy_database, 0, 5370000);
	write_text(METRICS_PROMETHEUS);
	expect_line("\nsandbox_steps{step=\"copy_database\",activity=\"still\"} 2\n");
	expect_line("\nsandbox_step_rows{step=\"copy_database\"} 5370000\n");
	expect_line("\nsandbox_build_info{version=\"" SANDBOX_VERSION "\"} 1\n");
	expect_line("\nsandbox_copy_rows_total 12\n");
	expect_line("\nsandbox_copy_bytes_total{system=\"sql\"} 4096\n");
	expect_line("\nsandbox_clones{status=\"running\"} 0\n");
	expect_line("\nsandbox_leases_lost_total 3\n");
	expect_line("\nsandbox_oldest_waiting_timestamp_seconds 1785579300.123\n");
	expect_line("_bucket{step=\"copy_database\",outcome=\"done\",le=\"0.1\"} 0\n");
	expect_line("_bucket{step=\"copy_database\",outcome=\"done\",le=\"0.5\"} 1\n");
	expect_line("_bucket{step=\"copy_database\",outcome=\"done\",le=\"1.0\"} 2\n");
	expect_line("_bucket{step=\"copy_database\",outcome=\"done\",le=\"43200.0\"} 2\n");
	expect_line("_bucket{step=\"copy_database\",outcome=\"done\",le=\"+Inf\"} 3\n");
	expect_line("_sum{step=\"copy_database\",outcome=\"done\"} 90001.250\n");
	expect_line("_count{step=\"copy_database\",outcome=\"done\"} 3\n");
	ck_assert_ptr_null(strstr(text.data, "status=\"paused\""));
	ck_assert_ptr_null(strstr(text.data, "# EOF"));
	ck_assert_int_eq(metrics_get(metrics, METRIC_COPY_ROWS, 0, 0), 12);
}
END_TEST

START_TEST(openmetrics)
{
	metrics_add(metrics, METRIC_COPY_ROWS, 0, 0, 1);
	write_text(METRICS_OPENMETRICS);
	expect_line("# TYPE sandbox_copy_rows counter\n");
	expect_line("\nsandbox_copy_rows_total 1\n");
	ck_assert_str_eq(text.data + text.len - 6, "# EOF\n");
}
END_TEST

START_TEST(no_label_makes_more_series_than_the_bound)
{
	size_t lines = 0, before;

	touch_everything();
	write_text(METRICS_PROMETHEUS);
	before = text.len;
	for (size_t i = 0; i < 100000; i++) {
		metrics_set(metrics, METRIC_LAG, i, 64 + i, 7);
		metrics_add(metrics, METRIC_DEAD_LETTERS, i + TOPIC_END, 0, 1);
		metrics_observe(metrics, METRIC_STEP_DURATION, i + STEP_END, i + STEP_OUTCOME_END, 1);
	}
	write_text(METRICS_PROMETHEUS);
	for (const char *p = text.data; (p = strstr(p, "sandbox_consumer_lag_records{")); p++)
		lines++;
	ck_assert_uint_le(lines, (size_t)TOPIC_END * (METRIC_PARTITIONS + 1));
	ck_assert_uint_lt(text.len, before + 20000);
	ck_assert_uint_lt(metrics_series_max(), 2000);
	expect_line("partition=\"other\"} 7\n");
}
END_TEST

static void *count(void *arg)
{
	for (int i = 0; i < 100000; i++) {
		metrics_add(arg, METRIC_COPY_ROWS, 0, 0, 1);
		metrics_add(arg, METRIC_CLONES, CLONE_RUNNING, 0, i % 2 ? -1 : 1);
		metrics_observe(arg, METRIC_LEASE_WAIT, 0, 0, i % 100);
	}
	return NULL;
}

START_TEST(threads_lose_no_count)
{
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, count, metrics), 0);
	write_text(METRICS_PROMETHEUS); /* while they count */
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	ck_assert_int_eq(metrics_get(metrics, METRIC_COPY_ROWS, 0, 0), 400000);
	ck_assert_int_eq(metrics_get(metrics, METRIC_CLONES, CLONE_RUNNING, 0), 0);
	ck_assert_int_eq(metrics_get(metrics, METRIC_LEASE_WAIT, 0, 0), 400000);
}
END_TEST

START_TEST(accept_chooses_the_form)
{
	static const char prometheus_2[] = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
					   "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
	static const char text_first[] = "text/plain;version=0.0.4;q=0.9, application/openmetrics-text;version=1.0.0; q=0.8";

	ck_assert_int_eq(metrics_format_for(prometheus_2), METRICS_OPENMETRICS);
	ck_assert_int_eq(metrics_format_for(text_first), METRICS_PROMETHEUS);
	ck_assert_int_eq(metrics_format_for("application/openmetrics-text"), METRICS_OPENMETRICS);
	ck_assert_int_eq(metrics_format_for("application/openmetrics-text;version=0.0.1"), METRICS_PROMETHEUS);
	ck_assert_int_eq(metrics_format_for("application/openmetrics-text;q=0"), METRICS_PROMETHEUS);
	ck_assert_int_eq(metrics_format_for("application/openmetrics-text;q=0.1,text/plain;q=0.01"), METRICS_OPENMETRICS);
	ck_assert_int_eq(metrics_format_for("*/*"), METRICS_PROMETHEUS);
	ck_assert_int_eq(metrics_format_for(""), METRICS_PROMETHEUS);
	ck_assert_int_eq(metrics_format_for(NULL), METRICS_PROMETHEUS);
	ck_assert_int_eq(metrics_format_for(",,;q=,q"), METRICS_PROMETHEUS);
	ck_assert_str_eq(metrics_content_type(METRICS_OPENMETRICS),
	                 "application/openmetrics-text; version=1.0.0; charset=utf-8");
}
END_TEST

START_TEST(promtool_accepts_the_text)
{
	FILE *tool;
	int status;

	if (access("/usr/bin/promtool", X_OK) != 0)
		return; /* package prometheus */
	touch_everything();
	write_text(METRICS_PROMETHEUS);
	tool = popen("/usr/bin/promtool check metrics", "w");
	ck_assert_ptr_nonnull(tool);
	ck_assert_uint_eq(fwrite(text.data, 1, text.len, tool), text.len);
	status = pclose(tool);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "promtool: %d", status);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("metrics");
	TCase *tc = tcase_create("metrics");
	SRunner *sr = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, counters_gauges_and_histograms);
	tcase_add_test(tc, openmetrics);
	tcase_add_test(tc, no_label_makes_more_series_than_the_bound);
	tcase_add_test(tc, threads_lose_no_count);
	tcase_add_test(tc, accept_chooses_the_form);
	tcase_add_test(tc, promtool_accepts_the_text);
	suite_add_tcase(suite, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
