/* SPDX-License-Identifier: Apache-2.0
 * What an operator sees of a real server: clones, leases, health. */
#include "consumer/adapters/redis/redis_inspect.h"
#include "consumer/adapters/redis/redis_store.h"
#include "tests/support/redis_server.h"
#include "tests/support/store_driver.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static char folder[] = "/tmp/sandbox-redis-XXXXXX";
static struct redis_server *server;
static struct store_port *store;
static struct inspect_port *inspect;
static struct arena *mem;
static struct err e;

static void start_all(void)
{
	struct redis_settings settings = { .owner = "host:7", .command_timeout_ms = 400, .connect_timeout_ms = 400 };

	strcpy(folder, "/tmp/sandbox-redis-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	err_clear(&e);
	server = redis_server_start(folder, &e);
	ck_assert_msg(server != NULL, "%s", e.text);
	settings.socket_path = redis_server_socket(server);
	store = redis_store_new(&settings, &e);
	ck_assert_msg(store != NULL, "%s", e.text);
	settings.owner = NULL;
	inspect = redis_inspect_new(&settings, &e);
	ck_assert_msg(inspect != NULL, "%s", e.text);
	mem = arena_new(4 * 1024 * 1024);
	ck_assert_ptr_nonnull(mem);
}

static void end_all(void)
{
	char command[64];

	arena_free(&mem);
	inspect->close(inspect);
	store->close(store);
	redis_server_free(&server);
	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	ck_assert_int_eq(system(command), 0);
}

/* A clone with one message in its outbox and a progress note. Returns the lease's token. */
static uint64_t make_clone(const char *target, const char *clone, const char *requested_at)
{
	struct timespec now;
	const struct store_pair set[] = { { "requested_at", requested_at, strlen(requested_at) },
					  { "status", "RUNNING", 7 },
					  { "generation", "T1__gx", 6 } };
	const struct store_pair note = { "rows", "12", 2 };
	const struct store_entry entry = { 1, "event", 5 };
	struct store_op op = { .kind = STORE_ACQUIRE, .target_ctx = target, .clone_id = clone, .ttl_ms = 60000 };
	uint64_t token;

	clock_gettime(CLOCK_REALTIME, &now);
	op.utc_us = (int64_t)now.tv_sec * 1000000;
	token = store_ask(store, &op).token;
	op = (struct store_op){ .kind = STORE_RECORD,
				.target_ctx = target,
				.clone_id = clone,
				.token = token,
				.sequence_after = 1,
				.clone_set = set,
				.clone_set_count = 3,
				.entries = &entry,
				.entry_count = 1 };
	ck_assert_int_eq(store_ask(store, &op).status, STORE_OK);
	op = (struct store_op){
		.kind = STORE_NOTE, .target_ctx = target, .clone_id = clone, .clone_set = &note, .clone_set_count = 1
	};
	ck_assert_int_eq(store_ask(store, &op).status, STORE_OK);
	return token;
}

START_TEST(clones_are_listed_newest_first)
{
	const struct inspect_clone *clones;
	size_t count;

	ck_assert(inspect->list(inspect, 10, mem, &clones, &count, &e));
	ck_assert_uint_eq(count, 0);
	make_clone("T1", "aaa-1", "1760000000001");
	make_clone("T 2\r\n", "aaa 2%", "1760000000003");
	make_clone("T3", "bbb-3", "1760000000002");
	ck_assert(inspect->list(inspect, 2, mem, &clones, &count, &e));
	ck_assert_uint_eq(count, 2);
	ck_assert_str_eq(clones[0].clone_id, "aaa 2%");
	ck_assert_str_eq(clones[0].target_ctx, "T 2\r\n");
	ck_assert_int_eq(clones[0].requested_at_ms, 1760000000003);
	ck_assert_str_eq(clones[1].clone_id, "bbb-3");
	ck_assert_uint_eq(clones[1].field_count, 4);
	ck_assert_uint_eq(clones[1].outbox_length, 1);
	ck_assert_uint_eq(clones[1].note_count, 1);
	ck_assert_str_eq(clones[1].note[0].name, "rows");
	ck_assert_str_eq(clones[1].note[0].value, "12");
}
END_TEST

START_TEST(one_clone_is_found_by_the_beginning_of_its_id)
{
	struct inspect_clone clone;

	make_clone("T1", "aaa", "1");
	make_clone("T2", "aaa-2", "2");
	make_clone("T3", "b*[x]", "3");
	ck_assert(inspect->clone(inspect, "aaa-", mem, &clone, &e));
	ck_assert_str_eq(clone.target_ctx, "T2");
	ck_assert_uint_eq(clone.outbox_length, 1);
	ck_assert(inspect->clone(inspect, "aaa", mem, &clone, &e)); /* whole, though another begins so too */
	ck_assert_str_eq(clone.target_ctx, "T1");
	ck_assert(inspect->clone(inspect, "b*", mem, &clone, &e));
	ck_assert_str_eq(clone.target_ctx, "T3");
	ck_assert(!inspect->clone(inspect, "aa", mem, &clone, &e));
	ck_assert_int_eq(e.class, ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(e.text, "more than one"));
	err_clear(&e);
	ck_assert(!inspect->clone(inspect, "*", mem, &clone, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "no clone"));
	err_clear(&e);
	ck_assert(!inspect->clone(inspect, "", mem, &clone, &e));
}
END_TEST

START_TEST(clones_are_found_among_thousands)
{
	enum { THOUSANDS = 3000 };
	struct inspect_clone clone;
	char id[16], target[16];

	for (int i = 0; i < THOUSANDS; i++) {
		snprintf(id, sizeof id, "%04d-x", i);
		snprintf(target, sizeof target, "T%d", i);
		make_clone(target, id, "5");
	}
	for (int i = 0; i < THOUSANDS; i += 299) {
		snprintf(id, sizeof id, "%04d", i);
		snprintf(target, sizeof target, "T%d", i);
		ck_assert_msg(inspect->clone(inspect, id, mem, &clone, &e), "%s", e.text);
		ck_assert_str_eq(clone.target_ctx, target);
	}
	ck_assert(!inspect->clone(inspect, "29", mem, &clone, &e));
}
END_TEST

START_TEST(a_record_names_its_generation)
{
	char generation[DATABASE_MAX + 1];

	make_clone("T1", "c1", "1");
	ck_assert_msg(inspect->generation(inspect, "T1", "c1", generation, &e), "%s", e.text);
	ck_assert_str_eq(generation, "T1__gx");
	ck_assert(inspect->generation(inspect, "T1", "c2", generation, &e));
	ck_assert_str_eq(generation, "");
	ck_assert(inspect->generation(inspect, "T2", "c1", generation, &e));
	ck_assert_str_eq(generation, "");
	ck_assert(!inspect->generation(inspect, "", "c1", generation, &e));
}
END_TEST

START_TEST(the_holder_of_a_target_is_shown)
{
	struct inspect_lease lease;
	uint64_t token = make_clone("T1", "c|1", "1");

	ck_assert(inspect->lease(inspect, "T1", mem, &lease, &e));
	ck_assert(lease.is_held);
	ck_assert_str_eq(lease.owner, "host:7");
	ck_assert_str_eq(lease.clone_id, "c|1");
	ck_assert_uint_eq(lease.token, token);
	ck_assert(lease.remaining_ms > 50000 && lease.remaining_ms <= 60000);
	ck_assert(inspect->lease(inspect, "T2", mem, &lease, &e));
	ck_assert(!lease.is_held);
}
END_TEST

START_TEST(health_is_told)
{
	struct inspect_health health;

	ck_assert_msg(inspect->health(inspect, mem, &health, &e), "%s", e.text);
	ck_assert_str_eq(health.role, "master");
	ck_assert_str_eq(health.maxmemory_policy, "noeviction");
	ck_assert_str_eq(health.problem, "");
	ck_assert_str_eq(health.warning, "");
	ck_assert(health.version[0] >= '1' && health.aof_enabled);
	ck_assert(health.latency_us > 0 && health.latency_us < 400000);
}
END_TEST

START_TEST(a_server_that_stops_and_comes_back_is_told_and_asked_again)
{
	struct inspect_health health;
	struct inspect_lease lease;

	make_clone("T1", "c1", "1");
	kill(redis_server_pid(server), SIGSTOP);
	ck_assert(!inspect->health(inspect, mem, &health, &e));
	ck_assert_int_eq(e.class, ERR_TRANSIENT);
	kill(redis_server_pid(server), SIGCONT);
	err_clear(&e);
	ck_assert_msg(inspect->lease(inspect, "T1", mem, &lease, &e), "%s", e.text);
	ck_assert(lease.is_held);
	redis_server_kill(server);
	ck_assert(!inspect->lease(inspect, "T1", mem, &lease, &e));
	err_clear(&e);
	ck_assert_msg(redis_server_restart(server, &e), "%s", e.text);
	ck_assert_msg(inspect->lease(inspect, "T1", mem, &lease, &e), "%s", e.text);
}
END_TEST

START_TEST(what_does_not_fit_the_arena_is_an_error_and_no_mix_up)
{
	struct arena *small = arena_new(200);
	const struct inspect_clone *clones;
	struct inspect_clone clone;
	size_t count;

	make_clone("T1", "c1", "1");
	make_clone("T2", "c2", "2");
	ck_assert(!inspect->list(inspect, 10, small, &clones, &count, &e));
	err_clear(&e);
	ck_assert_msg(inspect->clone(inspect, "c2", mem, &clone, &e), "%s", e.text);
	ck_assert_str_eq(clone.target_ctx, "T2");
	ck_assert_uint_eq(clone.field_count, 4);
	arena_free(&small);
}
END_TEST

/* The rights of compose/redis/users.acl are enough, for the store and for looking; compose/demo makes a whole clone with
 * them. And a server that starts with them has all that was written: it reads its own file as the default user. */
START_TEST(the_documented_rights_suffice)
{
	struct redis_settings settings = {
		.socket_path = redis_server_socket(server), .owner = "o", .user = "sandbox-consumer", .password = "pw"
	};
	const struct inspect_clone *clones;
	struct inspect_health health;
	struct inspect_lease lease;
	struct inspect_clone clone;
	char generation[DATABASE_MAX + 1];
	size_t count;
	uint64_t token, token_before = make_clone("T0", "d1", "1"); /* lease and token are written in one transaction */

	ck_assert_msg(redis_server_use_users(server, &e), "%s", e.text);
	store->close(store);
	store = redis_store_new(&settings, &e);
	ck_assert_msg(store != NULL, "%s", e.text);
	token = make_clone("T1", "c1", "1");
	for (enum store_op_kind kind = STORE_ACQUIRE; kind < STORE_OP_END; kind++) {
		const struct store_pair set = { "status", "RUNNING", 7 };
		const struct store_op op = { .kind = kind,
					     .target_ctx = kind == STORE_ACQUIRE ? "T2" : "T1",
					     .source_ctx = kind == STORE_ACQUIRE ? "S" : NULL,
					     .clone_id = "c1",
					     .token = token,
					     .ttl_ms = 60000,
					     .utc_us = 1,
					     .clone_set = &set,
					     .clone_set_count = 1,
					     .clone_clear = &set.name,
					     .clone_clear_count = kind == STORE_RECORD,
					     .delivered_from = 1,
					     .delivered_to = kind == STORE_DELIVERED };
		struct store_answer a = store_ask(store, &op);

		ck_assert_msg(a.status != STORE_UNAVAILABLE, "%d: %s", (int)kind, a.text);
	}
	inspect->close(inspect);
	inspect = redis_inspect_new(&settings, &e); /* the consumer asks so before it sweeps */
	ck_assert_msg(inspect != NULL, "%s", e.text);
	ck_assert_msg(inspect->generation(inspect, "T1", "c1", generation, &e), "%s", e.text);
	inspect->close(inspect);
	settings.user = "sandbox-operator";
	inspect = redis_inspect_new(&settings, &e);
	ck_assert_msg(inspect != NULL, "%s", e.text);
	ck_assert_msg(inspect->list(inspect, 5, mem, &clones, &count, &e), "%s", e.text);
	ck_assert_msg(inspect->clone(inspect, "c", mem, &clone, &e), "%s", e.text);
	ck_assert_msg(inspect->clone(inspect, "d", mem, &clone, &e), "%s", e.text);
	ck_assert_uint_eq(clone.field_count, 4);
	ck_assert_msg(inspect->lease(inspect, "T0", mem, &lease, &e), "%s", e.text);
	ck_assert_uint_eq(lease.token, token_before);
	ck_assert_msg(inspect->generation(inspect, "T1", "c1", generation, &e), "%s", e.text);
	ck_assert_msg(inspect->lease(inspect, "T2", mem, &lease, &e), "%s", e.text);
	ck_assert_msg(inspect->health(inspect, mem, &health, &e), "%s", e.text);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("redis_inspect");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 20);
	tcase_add_checked_fixture(tc, start_all, end_all);
	tcase_add_test(tc, clones_are_listed_newest_first);
	tcase_add_test(tc, one_clone_is_found_by_the_beginning_of_its_id);
	tcase_add_test(tc, clones_are_found_among_thousands);
	tcase_add_test(tc, a_record_names_its_generation);
	tcase_add_test(tc, the_holder_of_a_target_is_shown);
	tcase_add_test(tc, health_is_told);
	tcase_add_test(tc, a_server_that_stops_and_comes_back_is_told_and_asked_again);
	tcase_add_test(tc, what_does_not_fit_the_arena_is_an_error_and_no_mix_up);
	tcase_add_test(tc, the_documented_rights_suffice);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
