/* SPDX-License-Identifier: Apache-2.0
 * The master of Redis dies, and Sentinels make its replica the master: the store goes on there by itself, in the middle of
 * operations and in the middle of a clone. */
#include "consumer/adapters/redis/redis_store.h"
#include "tests/support/installation.h"
#include "tests/support/redis_group.h"
#include "tests/support/store_driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FAILOVER_WITHIN_MS = 120000, CLONE_WITHIN_MS = 120000 };

static const char first[] = "0198f0c2-0001-7c5b-9a54-000000000001", second[] = "0198f0c2-0002-7c5b-9a54-000000000002";
static struct installation *i;
static struct redis_group group;

static void start_group(struct redis_server *master, const char *in)
{
	char folder[80];
	struct err e = { 0 };

	snprintf(folder, sizeof folder, "%s/g", in);
	ck_assert_int_eq(mkdir(folder, 0755), 0);
	ck_assert_msg(redis_group_start(&group, master, folder, &e), "%s", e.text);
}

/* ---- the store alone ---- */

static struct redis_server *server;

static void start_server(void)
{
	char folder[80];
	struct err e = { 0 };

	snprintf(folder, sizeof folder, "%s/s.XXXXXX", getenv("TMPDIR"));
	ck_assert_ptr_nonnull(mkdtemp(folder));
	server = redis_server_start(folder, &e);
	ck_assert_msg(server, "%s", e.text);
	start_group(server, folder);
}

static void stop_server(void)
{
	redis_group_stop(&group);
	redis_server_free(&server);
}

/* A machine that is busy may have made them change places before. */
static int kill_master(void)
{
	int master = redis_group_master(&group);

	ck_assert_int_ge(master, 0);
	redis_server_kill(group.servers[master]);
	return !master;
}

/* One Sentinel brings it about, and the others hear of it a little later. */
static void await_master(int wanted)
{
	const int64_t until = now_ms() + FAILOVER_WITHIN_MS;

	while (redis_group_master(&group) != wanted) {
		ck_assert_msg(now_ms() < until, "the Sentinels still name another master");
		pause_ms(50);
	}
}

static struct redis_settings by_sentinels(const char *const *sentinels, size_t count)
{
	return (struct redis_settings){ .sentinels = sentinels, .sentinel_count = count, .sentinel_master = REDIS_GROUP,
		.owner = "one", .connect_timeout_ms = 2000, .command_timeout_ms = 2000 };
}

/* Asked again until the store has found the new master. */
static struct store_answer ask_until_there(struct store_port *store, const struct store_op *op)
{
	const int64_t until = now_ms() + FAILOVER_WITHIN_MS;
	struct store_answer a;

	while ((a = store_ask(store, op)).status == STORE_UNAVAILABLE) {
		ck_assert_msg(now_ms() < until, "no new master was found: %s", a.text);
		pause_ms(50);
	}
	return a;
}

static void check_sentences(void)
{
	const char *const sentinels[] = { group.sentinels[2] }, *const nobody[] = { "127.0.0.1:1", "127.0.0.1:2" };
	struct redis_settings settings = by_sentinels(sentinels, 1);
	struct err e = { 0 };

	settings.sentinel_master = "another";
	ck_assert_ptr_null(redis_store_new(&settings, &e));
	ck_assert_msg(e.class == ERR_TRANSIENT && strstr(e.text, "knows no master of the name"), "%s", e.text);
	settings = by_sentinels(nobody, 2);
	settings.connect_timeout_ms = 200;
	err_clear(&e);
	ck_assert_ptr_null(redis_store_new(&settings, &e));
	ck_assert_msg(e.class == ERR_TRANSIENT && strstr(e.text, "cannot connect to the Redis Sentinel"), "%s", e.text);
	settings.sentinel_master = "";
	err_clear(&e);
	ck_assert_ptr_null(redis_store_new(&settings, &e));
	ck_assert_msg(e.class == ERR_REFUSED && strstr(e.text, "sentinel_master"), "%s", e.text);
	settings = by_sentinels(sentinels, 1);
	settings.socket_path = "/nowhere/redis.sock";
	err_clear(&e);
	ck_assert_ptr_null(redis_store_new(&settings, &e));
	ck_assert_msg(e.class == ERR_REFUSED && strstr(e.text, "name one of them"), "%s", e.text);
}

START_TEST(trouble_is_a_sentence_and_operations_go_on_at_the_new_master)
{
	const char *const sentinels[] = { "127.0.0.1:1", group.sentinels[0], group.sentinels[1] }; /* nobody is at the first */
	const struct redis_settings settings = by_sentinels(sentinels, 3);
	const struct store_pair status = { "status", "RUNNING", 7 };
	struct store_op op = { .kind = STORE_ACQUIRE, .target_ctx = "T1", .clone_id = "c1", .ttl_ms = 600000, .utc_us = 1 };
	struct err e = { 0 };
	struct store_port *store = redis_store_new(&settings, &e);
	struct store_answer a;
	uint64_t token;
	int left;

	check_sentences();
	ck_assert_msg(store, "%s", e.text);
	a = ask_until_there(store, &op);
	ck_assert_int_eq(a.status, STORE_OK);
	token = a.token;
	op = (struct store_op){ .kind = STORE_RECORD, .target_ctx = "T1", .clone_id = "c1", .token = token, .ttl_ms = 600000,
		.utc_us = 1, .clone_set = &status, .clone_set_count = 1 };
	ck_assert_int_eq(ask_until_there(store, &op).status, STORE_OK);
	ck_assert(redis_group_is_in_step(&group));
	left = kill_master();
	a = ask_until_there(store, &op);
	ck_assert_msg(a.status == STORE_OK, "%d: %s", (int)a.status, a.text);
	ck_assert_int_eq(redis_server_tell(group.servers[left], "HEXISTS sandbox:{T1}:clone:c1 status"), 1);
	await_master(left);
	store->close(store);
}
END_TEST

/* ---- a whole clone ---- */

static void setup(void)
{
	i = installation_new(&(struct installation_options){ .targets = 2, .own_sources = true });
	start_group(i->redis, i->folder);
}

/* The installation's own is freed with it, whoever is looked at last. */
static void teardown(void)
{
	i->redis = group.servers[0];
	redis_group_stop(&group);
	installation_free(&i);
}

static void look_at_server(int n)
{
	if (i->inspect)
		i->inspect->close(i->inspect);
	i->inspect = NULL;
	i->redis = group.servers[n];
}

/* What replication had not passed on yet is gone, and built again from the topics. */
START_TEST(a_clone_goes_on_at_the_new_master)
{
	char sentinels[128];
	struct buf wanted, found;

	buf_init(&wanted, WORLD_TEXT_MAX);
	buf_init(&found, WORLD_TEXT_MAX);
	snprintf(sentinels, sizeof sentinels, "%s, %s, %s", group.sentinels[0], group.sentinels[1], group.sentinels[2]);
	setenv("SANDBOX_REDIS__SOCKET", "", 1);
	setenv("SANDBOX_REDIS__SENTINELS", sentinels, 1);
	setenv("SANDBOX_REDIS__SENTINEL_MASTER", REDIS_GROUP, 1);
	consumer_start(i, 0);
	look_at_server(redis_group_master(&group));
	send_request(i, first, TARGET);
	await(i, first, CLONE_COMPLETED, CLONE_WITHIN_MS);
	send_request(i, second, "Cust70002");
	await_steps(i, second, 5, CLONE_WITHIN_MS);
	look_at_server(kill_master());
	await(i, second, CLONE_COMPLETED, CLONE_WITHIN_MS);
	snapshot_target(i, TARGET, &wanted);
	snapshot_target(i, "Cust70002", &found);
	check_same(&wanted, &found, "the world");
	snapshot_calls(i, first, TARGET, &wanted);
	snapshot_calls(i, second, "Cust70002", &found);
	check_same(&wanted, &found, "the effects outside");
	ck_assert_str_eq(left_over_databases(i), "");
	buf_done(&wanted);
	buf_done(&found);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("redis_sentinel");
	TCase *alone = tcase_create("alone"), *clone = tcase_create("clone");

	tcase_set_timeout(alone, 280);
	tcase_add_checked_fixture(alone, start_server, stop_server);
	tcase_add_test(alone, trouble_is_a_sentence_and_operations_go_on_at_the_new_master);
	suite_add_tcase(suite, alone);
	tcase_set_timeout(clone, 280);
	tcase_add_checked_fixture(clone, setup, teardown);
	tcase_add_test(clone, a_clone_goes_on_at_the_new_master);
	suite_add_tcase(suite, clone);
	return installation_run(suite);
}
