/* SPDX-License-Identifier: Apache-2.0
 * What becomes of operations when the server stops, dies, forgets, or answers nonsense. */
#include "consumer/adapters/redis/redis_store.h"
#include "tests/support/redis_server.h"
#include "tests/support/resp_stub.h"
#include "tests/support/store_driver.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { BRIEF_MS = 300 };

static char folder[] = "/tmp/sandbox-redis-XXXXXX", stub_path[64];
static struct redis_server *server;

static void make_folder(void)
{
	strcpy(folder, "/tmp/sandbox-redis-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(stub_path, sizeof stub_path, "%s/stub.sock", folder);
}

static void start_server(void)
{
	struct err e = { 0 };

	make_folder();
	server = redis_server_start(folder, &e);
	ck_assert_msg(server != NULL, "%s", e.text);
}

static void remove_all(void)
{
	char command[64];

	redis_server_free(&server);
	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	ck_assert_int_eq(system(command), 0);
}

static struct redis_settings brief(const char *socket_path)
{
	return (struct redis_settings){ .socket_path = socket_path,
					.owner = "one",
					.connect_timeout_ms = BRIEF_MS,
					.command_timeout_ms = BRIEF_MS };
}

static struct store_port *open_store_with(const struct redis_settings *settings)
{
	struct err e = { 0 };
	struct store_port *store = redis_store_new(settings, &e);

	ck_assert_msg(store != NULL, "%s", e.text);
	return store;
}

static struct store_port *open_store(void)
{
	const struct redis_settings settings = brief(redis_server_socket(server));

	return open_store_with(&settings);
}

static int64_t now_us(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static struct store_answer acquire(struct store_port *store, const char *target, const char *source)
{
	const struct store_op op = { .kind = STORE_ACQUIRE,
				     .tag = 1,
				     .target_ctx = target,
				     .source_ctx = source,
				     .clone_id = "c1",
				     .ttl_ms = 60000,
				     .utc_us = now_us(CLOCK_REALTIME) };

	return store_ask(store, &op);
}

static struct store_op record_op(const char *target, uint64_t token, uint64_t before)
{
	static const struct store_pair set[] = { { "status", "RUNNING", 7 } };

	return (struct store_op){ .kind = STORE_RECORD,
				  .tag = 100 + before,
				  .target_ctx = target,
				  .clone_id = "c1",
				  .token = token,
				  .sequence_before = before,
				  .sequence_after = before + 1,
				  .clone_set = set,
				  .clone_set_count = 1 };
}

static enum store_status record(struct store_port *store, const char *target, uint64_t token, uint64_t before)
{
	const struct store_op op = record_op(target, token, before);

	return store_ask(store, &op).status;
}

static void tell(const char *line)
{
	ck_assert_msg(redis_server_tell(server, line) != REDIS_SERVER_ERROR, "%s", line);
}

/* Asks until the store has its connection back. */
static struct store_answer acquire_again(struct store_port *store, const char *target)
{
	struct store_answer a = { .status = STORE_UNAVAILABLE };

	for (int i = 0; i < 20 && a.status == STORE_UNAVAILABLE; i++)
		a = acquire(store, target, NULL);
	return a;
}

START_TEST(a_stopped_server_is_unavailable_in_time_and_nothing_is_mixed_up_later)
{
	struct store_port *store = open_store();
	struct store_answer a = acquire(store, "T1", "S1"), b;
	const int64_t since_us = now_us(CLOCK_MONOTONIC);
	const struct store_op op = record_op("T1", a.token, 0);

	ck_assert_int_eq(a.status, STORE_OK);
	kill(redis_server_pid(server), SIGSTOP);
	b = store_ask(store, &op);
	ck_assert_int_eq(b.status, STORE_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(b.text, "in time"));
	ck_assert_int_eq(record(store, "T1", a.token, 0), STORE_UNAVAILABLE);
	ck_assert_int_lt(now_us(CLOCK_MONOTONIC) - since_us, (4 * BRIEF_MS + 500) * 1000);
	kill(redis_server_pid(server), SIGCONT);

	/* The late answers of the first record must not be taken for those of other operations. */
	b = acquire_again(store, "T1b");
	ck_assert_int_eq(b.status, STORE_OK);
	ck_assert_uint_ne(b.token, a.token);
	ck_assert_int_eq(record(store, "T1", a.token, 0), STORE_OK);
	ck_assert_int_eq(record(store, "T1", a.token, 2), STORE_BEHIND);
	ck_assert_int_eq(record(store, "T1b", a.token, 0), STORE_FENCED);
	store->close(store);
}
END_TEST

START_TEST(a_lost_answer_to_acquire_is_adopted)
{
	struct store_port *store = open_store();
	struct store_op op = { .kind = STORE_ACQUIRE,
			       .tag = 1,
			       .target_ctx = "T2",
			       .source_ctx = "S2",
			       .clone_id = "c1",
			       .ttl_ms = 60000,
			       .utc_us = 1 };
	struct store_answer a;

	tell("CLIENT PAUSE 600 WRITE"); /* it does the scripts, but later than we wait */
	ck_assert_int_eq(store_ask(store, &op).status, STORE_UNAVAILABLE);
	usleep(700000);
	a = store_ask(store, &op);
	ck_assert_msg(a.status == STORE_OK, "%s", a.text);
	store->close(store);
}
END_TEST

START_TEST(a_restarted_server_goes_on_with_its_data)
{
	struct store_port *store = open_store();
	struct store_answer a = acquire(store, "T3", "S3");
	struct err e = { 0 };

	ck_assert_int_eq(record(store, "T3", a.token, 0), STORE_OK);
	redis_server_stop(server);
	ck_assert_int_eq(record(store, "T3", a.token, 1), STORE_UNAVAILABLE);
	ck_assert_msg(redis_server_restart(server, &e), "%s", e.text);
	ck_assert_int_eq(acquire_again(store, "T3b").status, STORE_OK);
	ck_assert_int_eq(record(store, "T3", a.token, 1), STORE_OK);
	store->close(store);
}
END_TEST

START_TEST(a_server_that_lost_its_data_fences)
{
	struct store_port *store = open_store();
	struct store_answer a = acquire(store, "T4", NULL), b;
	struct err e = { 0 };

	ck_assert_int_eq(record(store, "T4", a.token, 0), STORE_OK);
	redis_server_kill(server);
	redis_server_wipe(server);
	ck_assert_msg(redis_server_restart(server, &e), "%s", e.text);
	ck_assert_int_eq(acquire_again(store, "T4b").status, STORE_OK);
	ck_assert_int_eq(record(store, "T4", a.token, 1), STORE_FENCED);
	b = acquire(store, "T4", NULL);
	ck_assert(!b.found);
	ck_assert_uint_gt(b.token, a.token);
	ck_assert_int_eq(record(store, "T4", b.token, 1), STORE_BEHIND);
	store->close(store);
}
END_TEST

/* Nobody may have the lease afterwards: the rebuild takes it. */
static void check_empty(struct store_port *careful, struct store_port *rebuilder)
{
	static const struct store_pair rejected = { "status", "REJECTED", 8 };
	const struct store_op reject = { .kind = STORE_INTRODUCE, .tag = 3, .target_ctx = "T10", .source_ctx = "", .clone_id = "c2",
		.sequence_after = 1, .clone_set = &rejected, .clone_set_count = 1 };
	const struct store_op release = { .kind = STORE_RELEASE, .tag = 2, .target_ctx = "T10", .source_ctx = "S10",
		.clone_id = "c1" };
	struct store_op give_back = release;

	ck_assert_int_eq(acquire(careful, "T10", "S10").status, STORE_EMPTY);
	ck_assert_int_eq(store_ask(careful, &reject).status, STORE_EMPTY);
	give_back.token = acquire(rebuilder, "T10", "S10").token;
	ck_assert_uint_gt(give_back.token, 0);
	ck_assert_int_eq(store_ask(rebuilder, &give_back).status, STORE_OK);
}

START_TEST(without_the_mark_of_a_rebuild_nobody_gets_a_lease)
{
	struct redis_settings settings = brief(redis_server_socket(server));
	struct store_port *rebuilder = open_store(), *careful;
	static const struct store_pair status = { "status", "RUNNING", 7 };
	struct store_op mark = { .kind = STORE_RECORD, .tag = 4, .target_ctx = STORE_MARK_TARGET, .source_ctx = "",
		.clone_id = STORE_MARK_CLONE, .sequence_after = 1, .clone_set = &status, .clone_set_count = 1 };
	struct store_op take = { .kind = STORE_ACQUIRE, .tag = 5, .target_ctx = STORE_MARK_TARGET, .source_ctx = "",
		.clone_id = STORE_MARK_CLONE, .ttl_ms = 60000, .utc_us = now_us(CLOCK_REALTIME) };
	struct store_answer a;

	settings.owner = "two";
	settings.asks_for_mark = true;
	careful = open_store_with(&settings);
	check_empty(careful, rebuilder);
	mark.token = store_ask(rebuilder, &take).token;
	check_empty(careful, rebuilder); /* somebody rebuilds it */
	ck_assert_int_eq(store_ask(rebuilder, &mark).status, STORE_OK);
	mark.kind = STORE_RELEASE;
	ck_assert_int_eq(store_ask(rebuilder, &mark).status, STORE_OK);
	ck_assert_int_eq(redis_server_tell(server, "PTTL sandbox:{_store}:clone:rebuilt"), -1); /* it never expires */
	a = acquire(careful, "T10", "S10");
	ck_assert_int_eq(a.status, STORE_OK);
	ck_assert_int_eq(record(careful, "T10", a.token, 0), STORE_OK);
	tell("FLUSHALL");
	ck_assert_int_eq(record(careful, "T10", a.token, 1), STORE_FENCED);
	check_empty(careful, rebuilder);
	careful->close(careful);
	rebuilder->close(rebuilder);
}
END_TEST

START_TEST(operations_wait_for_the_connection_no_longer_than_their_time)
{
	struct store_port *store = open_store();
	struct store_answer a = acquire(store, "T5", NULL);
	int64_t since_us;

	redis_server_kill(server);
	for (int i = 0; i < 3; i++) {
		since_us = now_us(CLOCK_MONOTONIC);
		ck_assert_int_eq(record(store, "T5", a.token, 0), STORE_UNAVAILABLE);
		ck_assert_int_lt(now_us(CLOCK_MONOTONIC) - since_us, (BRIEF_MS + 200) * 1000);
	}
	store->close(store);
}
END_TEST

START_TEST(forgotten_scripts_are_loaded_again)
{
	struct store_port *store = open_store();
	struct store_answer a;

	tell("SCRIPT FLUSH");
	a = acquire(store, "T6", "S6");
	ck_assert_int_eq(a.status, STORE_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(a.text, "scripts"));
	ck_assert_int_eq(acquire(store, "T6", "S6").status, STORE_OK);
	store->close(store);
}
END_TEST

START_TEST(a_server_out_of_memory_is_unavailable_and_recovers)
{
	struct store_port *store = open_store();
	struct store_answer a = acquire(store, "T7", NULL), b;
	const struct store_op op = record_op("T7", a.token, 0);

	tell("CONFIG SET maxmemory 1");
	b = store_ask(store, &op);
	ck_assert_int_eq(b.status, STORE_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(b.text, "maxmemory"));
	tell("CONFIG SET maxmemory 0");
	ck_assert_int_eq(store_ask(store, &op).status, STORE_OK);
	store->close(store);
}
END_TEST

START_TEST(unfit_servers_and_wrong_passwords_are_refused_with_a_sentence)
{
	struct redis_settings settings = brief(redis_server_socket(server));
	struct err e = { 0 };
	struct store_port *store;

	tell("CONFIG SET maxmemory-policy allkeys-lru");
	ck_assert_ptr_null(redis_store_new(&settings, &e));
	ck_assert_int_eq(e.class, ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(e.text, "noeviction"));
	tell("CONFIG SET maxmemory-policy noeviction");

	tell("CONFIG SET requirepass hunter2");
	err_clear(&e);
	ck_assert_ptr_null(redis_store_new(&settings, &e));
	ck_assert_int_eq(e.class, ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(e.text, "password"));
	settings.password = "hunter3";
	err_clear(&e);
	ck_assert_ptr_null(redis_store_new(&settings, &e));
	ck_assert_ptr_null(strstr(e.text, "hunter3"));
	settings.password = "hunter2";
	settings.socket_path = NULL;
	settings.port = redis_server_port(server); /* and over TCP */
	err_clear(&e);
	store = redis_store_new(&settings, &e);
	ck_assert_msg(store != NULL, "%s", e.text);
	ck_assert_str_eq(redis_store_warnings(store), "");
	ck_assert_int_eq(acquire(store, "T8", "S8").status, STORE_OK);
	store->close(store);
}
END_TEST

START_TEST(a_server_that_is_not_there_is_a_sentence)
{
	struct redis_settings settings = brief("/nonexistent/redis.sock");
	struct err e = { 0 };

	ck_assert_ptr_null(redis_store_new(&settings, &e));
	ck_assert_int_eq(e.class, ERR_TRANSIENT);
	ck_assert_ptr_nonnull(strstr(e.text, "cannot connect"));
	settings.socket_path = NULL;
	settings.port = 1;
	err_clear(&e);
	ck_assert_ptr_null(redis_store_new(&settings, &e));
	ck_assert_int_eq(e.class, ERR_TRANSIENT);
	ck_assert_ptr_nonnull(strstr(e.text, "cannot connect"));
}
END_TEST

static const struct {
	const char *answer, *says;
} bad_answers[] = {
	{ "-LOADING Redis is loading the dataset in memory\r\n", "loading" },
	{ "-READONLY You can't write against a read only replica.\r\n", "replica" },
	{ "-BUSY Redis is busy running a script.\r\n", "busy" },
	{ "-MISCONF no disk\r\n", "disk" },
	{ "-NOAUTH Authentication required.\r\n", "password" },
	{ "-MOVED 1 127.0.0.1:1\r\n", "Cluster" },
	{ "-CLUSTERDOWN Hash slot not served\r\n", "Cluster" },
	{ "-ERR something with hunter2 in it\r\n", "error" },
	{ "*100000000\r\n", "no answer" },
	{ "*2\r\n*2\r\n*2\r\n*2\r\n*2\r\n*2\r\n*2\r\n*2\r\n*2\r\n*2\r\n", "no answer" },
	{ "$900000000\r\nxx", "in time" },
	{ "HTTP/1.1 400 Bad Request\r\n\r\n", "no answer" },
	{ "+OK\r\n", "none of our scripts" },
	{ ":1\r\n", "none of our scripts" },
	{ "$-1\r\n", "none of our scripts" },
	{ "*-1\r\n", "none of our scripts" },
	{ "*0\r\n", "none of our scripts" },
	{ "*2\r\n$2\r\nOK\r\n$1\r\n5\r\n", "none of our scripts" },
	{ "*5\r\n$4\r\nHELD\r\n:1\r\n:1\r\n:1\r\n:1\r\n", "none of our scripts" },
	{ "*5\r\n$2\r\nOK\r\n$1\r\n5\r\n:1\r\n:1\r\n:1\r\n", "none of our scripts" },
	{ "", "in time" },
};

START_TEST(bad_answers_are_never_a_lease)
{
	const char *bytes = bad_answers[_i].answer;
	pid_t stub = resp_stub_start(stub_path, RESP_STUB_GOOD_INFO, bytes, strlen(bytes));
	const struct redis_settings settings = brief(stub_path);
	struct err e = { 0 };
	struct store_port *store = redis_store_new(&settings, &e);
	struct store_answer a;
	struct rusage used;

	ck_assert_msg(store != NULL, "%s", e.text);
	a = acquire(store, "T", "S");
	ck_assert_int_eq(a.status, STORE_UNAVAILABLE);
	ck_assert_msg(strstr(a.text, bad_answers[_i].says) != NULL, "%s", a.text);
	ck_assert_ptr_null(strstr(a.text, "hunter2"));
	getrusage(RUSAGE_SELF, &used);
	ck_assert_int_lt(used.ru_maxrss, 200 * 1024);
	store->close(store);
	resp_stub_end(stub);
}
END_TEST

START_TEST(more_answers_than_questions_end_the_connection)
{
	static const char two[] = "*5\r\n$2\r\nOK\r\n$1\r\n5\r\n*0\r\n*0\r\n*0\r\n:1\r\n";
	pid_t stub = resp_stub_start(stub_path, RESP_STUB_GOOD_INFO, two, sizeof two - 1);
	const struct redis_settings settings = brief(stub_path);
	struct err e = { 0 };
	struct store_port *store = redis_store_new(&settings, &e);

	ck_assert_msg(store != NULL, "%s", e.text);
	ck_assert_int_eq(acquire(store, "T", NULL).status, STORE_OK);
	/* The second answer looks like that of a record, but no record was asked for yet. */
	ck_assert_int_ne(record(store, "T", 5, 0), STORE_OK);
	store->close(store);
	resp_stub_end(stub);
}
END_TEST

START_TEST(a_replica_is_refused)
{
	pid_t stub = resp_stub_start(stub_path, "role:slave\r\nmaxmemory_policy:noeviction\r\n", "", 0);
	const struct redis_settings settings = brief(stub_path);
	struct err e = { 0 };

	ck_assert_ptr_null(redis_store_new(&settings, &e));
	ck_assert_int_eq(e.class, ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(e.text, "master"));
	resp_stub_end(stub);
}
END_TEST

START_TEST(twenty_thousand_records_travel_as_one_pipeline)
{
	enum { RECORDS = 20000 };
	struct redis_settings settings = { .socket_path = redis_server_socket(server),
					   .owner = "one",
					   .max_in_flight = RECORDS };
	struct err e = { 0 };
	struct store_port *store = redis_store_new(&settings, &e);
	struct store_answer a = acquire(store, "T9", NULL);
	char event[300];
	int64_t since_us, cpu_us, took_us;

	memset(event, 'e', sizeof event);
	since_us = now_us(CLOCK_MONOTONIC);
	cpu_us = now_us(CLOCK_PROCESS_CPUTIME_ID);
	for (uint64_t i = 0; i < RECORDS; i++) {
		const struct store_entry entry = { i + 1, event, sizeof event };
		struct store_op op = record_op("T9", a.token, i);

		op.entries = &entry;
		op.entry_count = 1;
		if (!store->submit(store, &op, &e)) /* each ck_assert is a system call */
			ck_abort_msg("%s", e.text);
	}
	ck_assert(!store->submit(
	    store, &(struct store_op){ .kind = STORE_RELEASE, .target_ctx = "T9", .clone_id = "c1" }, &e));
	ck_assert_int_eq(e.class, ERR_TRANSIENT);
	for (uint64_t i = 0; i < RECORDS; i++) {
		if (!store_wait(store, 5000, &a) || a.tag != 100 + i || a.status != STORE_OK)
			ck_abort_msg("record %d: %s", (int)i, a.text);
	}
	took_us = now_us(CLOCK_MONOTONIC) - since_us;
	printf("%d records of 300 bytes in one pipeline: %.0f/s, %.2f us of our CPU each\n", RECORDS,
	       RECORDS * 1e6 / (double)took_us, (double)(now_us(CLOCK_PROCESS_CPUTIME_ID) - cpu_us) / RECORDS);
	store->close(store);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("redis_faults");
	TCase *real = tcase_create("real"), *stub = tcase_create("stub");
	SRunner *sr;
	int failed;

	tcase_set_timeout(real, 30);
	tcase_add_checked_fixture(real, start_server, remove_all);
	tcase_add_test(real, a_stopped_server_is_unavailable_in_time_and_nothing_is_mixed_up_later);
	tcase_add_test(real, a_lost_answer_to_acquire_is_adopted);
	tcase_add_test(real, a_restarted_server_goes_on_with_its_data);
	tcase_add_test(real, a_server_that_lost_its_data_fences);
	tcase_add_test(real, without_the_mark_of_a_rebuild_nobody_gets_a_lease);
	tcase_add_test(real, operations_wait_for_the_connection_no_longer_than_their_time);
	tcase_add_test(real, forgotten_scripts_are_loaded_again);
	tcase_add_test(real, a_server_out_of_memory_is_unavailable_and_recovers);
	tcase_add_test(real, unfit_servers_and_wrong_passwords_are_refused_with_a_sentence);
	tcase_add_test(real, twenty_thousand_records_travel_as_one_pipeline);
	tcase_add_checked_fixture(stub, make_folder, remove_all);
	tcase_add_test(stub, a_server_that_is_not_there_is_a_sentence);
	tcase_add_loop_test(stub, bad_answers_are_never_a_lease, 0, sizeof bad_answers / sizeof bad_answers[0]);
	tcase_add_test(stub, more_answers_than_questions_end_the_connection);
	tcase_add_test(stub, a_replica_is_refused);
	suite_add_tcase(s, real);
	suite_add_tcase(s, stub);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
