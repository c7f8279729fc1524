/* SPDX-License-Identifier: Apache-2.0
 * The poster under load, with the partners in a process of their own (sandbox-partner): a thousand posts of which one in
 * ten hangs, what a post costs in memory, how many threads there are. Figures are printed; bounds are generous, because
 * a machine may have other things to do. */
#include "consumer/adapters/http/http_client.h"
#include "consumer/adapters/http/poster_curl.h"

#include <check.h>
#include <dirent.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	POSTS = 1000,
	TLS_POSTS = 300,
	HANG_EVERY = 10,
	TOTAL_MS = 6000,
	PATIENT_MS = 60 * 1000,
	/* Half as much again as poster_curl.h says. */
	HTTP_BYTES_MOST = 30 * 1024,
	TLS_BYTES_MOST = 200 * 1024,
};

static char folder[128];
static pid_t partner;
static int http_port, https_port;
static struct poster_port *poster;
static struct err err;

static int64_t steady_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- the partners ---- */

static _Noreturn void run_partner(void)
{
	const char *build = getenv("BUILD_DIR");
	struct rlimit files;
	char program[512];

	snprintf(program, sizeof program, "%s/tests/sandbox-partner", build ? build : BUILD_DIR);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	execl(program, "sandbox-partner", folder, (char *)NULL);
	fprintf(stderr, "%s cannot be run; was it built?\n", program);
	_exit(127);
}

static bool read_ports(void)
{
	char path[192];
	FILE *file;
	bool ok;

	snprintf(path, sizeof path, "%s/ports", folder);
	file = fopen(path, "re");
	ok = file && fscanf(file, "http %d\nhttps %d\n", &http_port, &https_port) == 2;
	if (file)
		fclose(file);
	return ok;
}

static void start_partner(void)
{
	const char *tmp = getenv("TMPDIR");
	int64_t until_ms = steady_ms() + PATIENT_MS;

	snprintf(folder, sizeof folder, "%s/sandbox-load.XXXXXX", tmp ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	partner = fork();
	ck_assert_int_ge(partner, 0);
	if (partner == 0)
		run_partner();
	while (!read_ports() && steady_ms() < until_ms)
		nanosleep(&(struct timespec){ .tv_nsec = 10 * 1000000 }, NULL);
	ck_assert_int_gt(https_port, 0);
}

static void stop_partner(void)
{
	static const char *const files[] = { "ports", "ca.pem" };
	char path[192];

	kill(partner, SIGTERM);
	waitpid(partner, NULL, 0);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, files[i]);
		unlink(path);
	}
	rmdir(folder);
}

static void script(const char *path, const char *words)
{
	char base[64], call[128];
	struct http_settings s = { .base_url = base };
	struct http_client *client;
	struct http_answer answer;

	snprintf(base, sizeof base, "http://127.0.0.1:%d", http_port);
	snprintf(call, sizeof call, "/-/script?%s", path);
	client = http_client_new(&s, "partner", NULL, &err);
	ck_assert_ptr_nonnull(client);
	ck_assert_msg(http_client_send(client, &(struct http_request){ .method = "PUT", .path = call, .body = words,
	                                                               .body_len = strlen(words) },
	                               &answer, &err),
	              "%s", err.text);
	ck_assert_int_eq(answer.status, 204);
	http_client_free(&client);
}

/* Our authority among all those that are usual: what they cost must be paid once, not by each connection. */
static void add_usual_authorities(const char *ca_file)
{
	FILE *usual = fopen("/etc/ssl/certs/ca-certificates.crt", "re"), *ours = fopen(ca_file, "ae");
	char data[4096];
	size_t len;

	ck_assert_ptr_nonnull(ours);
	while (usual && (len = fread(data, 1, sizeof data, usual)) > 0)
		ck_assert_uint_eq(fwrite(data, 1, len, ours), len);
	if (usual)
		fclose(usual);
	ck_assert_int_eq(fclose(ours), 0);
}

static void open_poster(int64_t total_ms)
{
	struct poster_settings s = { .allow_http = true, .allow_nets = "127.0.0.0/8, ::1", .connect_timeout_ms = PATIENT_MS,
		                     .total_timeout_ms = total_ms };
	char ca_file[192];

	snprintf(ca_file, sizeof ca_file, "%s/ca.pem", folder);
	add_usual_authorities(ca_file);
	s.ca_file = ca_file;
	poster = poster_curl_new(&s, &err);
	ck_assert_msg(poster, "%s", err.text);
}

static void setup(void)
{
	err_clear(&err);
	start_partner();
	script("/hang/*", "hang");
}

static void teardown(void)
{
	if (poster)
		poster->close(poster);
	poster = NULL;
	stop_partner();
}

static void begin(bool is_https, const char *host, const char *path, uint64_t tag)
{
	static const char body[] = "{\"ChangeType\":1,\"ContextIdentifier\":\"T000001\",\"VersionName\":\"10.1\"}";
	struct post post = { .headers = { { "webhook-id", "msg_1" } }, .header_count = 1, .body = body,
		             .body_len = sizeof body - 1, .tag = tag };
	char url[128];

	snprintf(url, sizeof url, "%s://%s:%d%s", is_https ? "https" : "http", host, is_https ? https_port : http_port, path);
	post.url = url;
	ck_assert_msg(poster->post(poster, &post, &err), "%s", err.text);
}

/* ---- one in ten hangs ---- */

struct round {
	int64_t took_ms[POSTS], answered_ms, last_answer_ms;
	size_t answered, timed_out;
};

static int by_size(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void note(struct round *round, const struct post_result *result, bool hangs, int64_t began_ms)
{
	if (hangs) {
		ck_assert_msg(result->end == POST_TIMED_OUT, "%d: %s", result->end, result->text);
		ck_assert_int_ge(result->took_ms, TOTAL_MS - 1);
		round->timed_out++;
		return;
	}
	ck_assert_msg(result->end == POST_ANSWERED && result->status == 200, "%d: %s", result->end, result->text);
	ck_assert_msg(round->timed_out == 0, "somebody who answers was told of after somebody who hangs");
	round->took_ms[round->answered++] = result->took_ms;
	round->last_answer_ms = steady_ms() - began_ms;
}

static void run_round(struct round *round, bool with_hanging)
{
	int64_t began_ms = steady_ms();
	struct post_result result;
	char path[64];

	*round = (struct round){ .answered = 0 };
	for (uint64_t i = 0; i < POSTS; i++) {
		snprintf(path, sizeof path, with_hanging && i % HANG_EVERY == 0 ? "/hang/%d" : "/app/%d", (int)i);
		begin(false, "127.0.0.1", path, i);
		poster->wait(poster, 0);
	}
	while (poster->under_way(poster) > 0)
		if (poster->next(poster, &result))
			note(round, &result, with_hanging && result.tag % HANG_EVERY == 0, began_ms);
		else
			poster->wait(poster, 1000);
	qsort(round->took_ms, round->answered, sizeof *round->took_ms, by_size);
	printf("%4zu answered, %3zu hang: median %lld ms, p99 %lld ms, last after %lld ms\n", round->answered,
	       round->timed_out, (long long)round->took_ms[round->answered / 2],
	       (long long)round->took_ms[round->answered * 99 / 100], (long long)round->last_answer_ms);
}

/* Compared within one run: the same machine, the same neighbours. */
START_TEST(test_hanging_partners_delay_nobody)
{
	struct round healthy, mixed;

	open_poster(TOTAL_MS);
	run_round(&healthy, false); /* warms up */
	run_round(&healthy, false);
	run_round(&mixed, true);
	ck_assert_uint_eq(healthy.answered, POSTS);
	ck_assert_uint_eq(mixed.timed_out, POSTS / HANG_EVERY);
	ck_assert_uint_eq(mixed.answered, POSTS - POSTS / HANG_EVERY);
	ck_assert_int_le(mixed.took_ms[mixed.answered * 99 / 100], 3 * healthy.took_ms[healthy.answered * 99 / 100] + 500);
	ck_assert_int_lt(mixed.last_answer_ms, TOTAL_MS);
}
END_TEST

/* ---- memory and threads ---- */

static bool is_sanitized(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return true;
#else
	return false;
#endif
}

static size_t bytes_in_use(void)
{
	const struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static void drain(enum post_end end)
{
	struct post_result result;

	while (poster->under_way(poster) > 0)
		if (!poster->next(poster, &result))
			poster->wait(poster, 1000);
		else
			ck_assert_msg(result.end == end, "%d: %s", result.end, result.text);
}

static void wait_until_all_hang(size_t count)
{
	char base[64];
	struct http_settings s = { .base_url = base, .total_timeout_ms = PATIENT_MS };
	struct http_client *client;
	struct http_answer answer;
	char first[48];

	snprintf(base, sizeof base, "http://127.0.0.1:%d", http_port);
	snprintf(first, sizeof first, "/-/requests?%zu", count - 1);
	client = http_client_new(&s, "partner", NULL, &err);
	ck_assert_ptr_nonnull(client);
	do {
		for (int i = 0; i < 20; i++)
			poster->wait(poster, 10);
		ck_assert(http_client_send(client, &(struct http_request){ .method = "GET", .path = first }, &answer, &err));
	} while (answer.body->len == 0);
	http_client_free(&client);
}

static void measure(bool is_https, size_t count, size_t bytes_most)
{
	size_t before, during, after;

	open_poster(PATIENT_MS);
	begin(is_https, "127.0.0.1", "/app/1", 0); /* certificates are read, tables are made */
	drain(POST_ANSWERED);
	before = bytes_in_use();
	for (size_t i = 0; i < count; i++) {
		begin(is_https, "127.0.0.1", "/hang/1", i);
		poster->wait(poster, 0);
	}
	wait_until_all_hang(count + 1);
	ck_assert_uint_eq(poster->under_way(poster), count);
	during = bytes_in_use();
	poster->close(poster);
	poster = NULL;
	after = bytes_in_use();
	printf("%s: %zu bytes for each of %zu posts; before %zu, during %zu, after %zu\n", is_https ? "https" : "http",
	       (during - before) / count, count, before, during, after);
	if (is_sanitized())
		return;
	ck_assert_uint_lt((during - before) / count, bytes_most);
	ck_assert_uint_lt(after, before + 256 * 1024);
}

START_TEST(test_memory_http)
{
	measure(false, POSTS, HTTP_BYTES_MOST);
}
END_TEST

START_TEST(test_memory_tls)
{
	measure(true, TLS_POSTS, TLS_BYTES_MOST);
}
END_TEST

static size_t threads_now(void)
{
	DIR *tasks = opendir("/proc/self/task");
	size_t count = 0;

	ck_assert_ptr_nonnull(tasks);
	while (readdir(tasks))
		count++;
	closedir(tasks);
	return count - 2;
}

/* A look-up for each post would be a thread for each post, as libcurl does it. */
START_TEST(test_names_cost_no_threads)
{
	size_t before = threads_now(), most = 0;

	open_poster(PATIENT_MS);
	for (uint64_t i = 0; i < POSTS; i++) {
		begin(false, "localhost", "/app/1", i);
		poster->wait(poster, 0);
		if (threads_now() > most)
			most = threads_now();
	}
	drain(POST_ANSWERED);
	printf("threads: %zu before, at most %zu\n", before, most);
	ck_assert_uint_le(most, before + 3); /* a sanitizer has one of its own */
}
END_TEST

START_TEST(test_rate)
{
	enum { ALL = 10000, AT_ONCE = 50 };
	int64_t began_ms = steady_ms();
	struct post_result result;
	size_t begun = 0, ended = 0;

	open_poster(PATIENT_MS);
	while (ended < ALL) {
		while (begun < ALL && poster->under_way(poster) < AT_ONCE)
			begin(true, "127.0.0.1", "/app/1", begun++);
		poster->wait(poster, 1000);
		while (poster->next(poster, &result)) {
			ck_assert_msg(result.end == POST_ANSWERED, "%s", result.text);
			ended++;
		}
	}
	printf("%d posts over TLS on %d kept connections: %lld a second\n", ALL, AT_ONCE,
	       (long long)(ALL * INT64_C(1000) / (steady_ms() - began_ms + 1)));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("poster_load");
	TCase *t = tcase_create("load");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 280);
	tcase_add_test(t, test_hanging_partners_delay_nobody);
	tcase_add_test(t, test_memory_http);
	tcase_add_test(t, test_memory_tls);
	tcase_add_test(t, test_names_cost_no_threads);
	tcase_add_test(t, test_rate);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
