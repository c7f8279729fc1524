/* SPDX-License-Identifier: Apache-2.0
 * A source that is missing or locked, a disk that is full: what is wrong is told, nothing is harmed, the clone goes on
 * once it is over, and can be cancelled before. */
#include "tests/support/installation.h"

#include "consumer/adapters/odbc/conn.h"
#include "tests/support/world_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLONE_WITHIN_MS = 60000, TOLD_WITHIN_MS = 15000 };

static const char first[] = "0198f0c2-0001-7c5b-9a54-000000000001", second[] = "0198f0c2-0002-7c5b-9a54-000000000002",
		  third[] = "0198f0c2-0003-7c5b-9a54-000000000003";

static struct installation *i;
static struct buf wanted, found;

static void setup(void)
{
	buf_init(&wanted, WORLD_TEXT_MAX);
	buf_init(&found, WORLD_TEXT_MAX);
}

static void teardown(void)
{
	buf_done(&wanted);
	buf_done(&found);
	installation_free(&i);
}

/* The first clone meets no trouble. False: such an installation cannot be had here, which was said. */
static bool start(const char *disk, const char *retry_budget)
{
	setenv("SANDBOX_ENGINE__RETRY_BUDGET", retry_budget, 1);
	setenv("SANDBOX_SQL__BUSY_TIMEOUT", "200ms", 1);
	i = installation_new(&(struct installation_options){ .disk = disk });
	if (!i)
		return false;
	consumer_start(i, 0);
	send_request(i, first, TARGET);
	await(i, first, CLONE_COMPLETED, CLONE_WITHIN_MS);
	snapshot_target(i, TARGET, &wanted);
	return true;
}

static void check_world(const char *what)
{
	snapshot_target(i, TARGET, &found);
	check_same(&wanted, &found, what);
	ck_assert_str_eq(left_over_databases(i), "");
	await_committed(i, TOLD_WITHIN_MS);
}

static void check_cause(const struct seen *s, const char *words)
{
	ck_assert_msg(strstr(s->cause, words), "\"%s\" does not say \"%s\"", s->cause, words);
}

static void await_said(const char *text)
{
	int64_t until = now_ms() + TOLD_WITHIN_MS;

	while (!consumer_said(i, text)) {
		if (now_ms() > until)
			fail_with_logs(i, "nobody said \"%s\"", text);
		pause_ms(20);
	}
}

/* ---- the source ---- */

static void source_path(char path[256], const char *tail)
{
	snprintf(path, 256, "%s/db/" SOURCE ".sqlite%s", i->folder, tail);
}

START_TEST(a_source_that_is_missing)
{
	const struct message again = good_replay(second, TARGET);
	char path[256], away[256];
	struct seen s;

	start(NULL, "500ms");
	source_path(path, "");
	source_path(away, ".away");
	ck_assert_int_eq(rename(path, away), 0);
	send_request(i, second, TARGET);
	s = await(i, second, CLONE_FAILED, CLONE_WITHIN_MS);
	check_cause(&s, "no database " SOURCE);
	ck_assert_int_eq(rename(away, path), 0);
	send_message(i, &again);
	await_from_rest(i, second, CLONE_COMPLETED, CLONE_WITHIN_MS);
	check_world("a clone whose source came back");
}
END_TEST

/* Readers do not mind a writer; a program that has the file for itself keeps everybody out, and can only begin when
 * nobody has the source open. */
static struct conn *lock_source(void)
{
	struct err e = { 0 };
	char path[256];
	struct conn *c;

	ck_assert_int_eq(consumer_stop(i, 0, CLONE_WITHIN_MS), 0);
	source_path(path, "");
	c = world_connect(path, true);
	ck_assert_msg(conn_exec(c, "PRAGMA locking_mode=EXCLUSIVE", NULL, 0, NULL, &e) &&
		conn_exec(c, "BEGIN IMMEDIATE", NULL, 0, NULL, &e) && conn_exec(c, "COMMIT", NULL, 0, NULL, &e),
		"%s", e.text);
	return c;
}

START_TEST(a_source_that_is_locked_for_a_while)
{
	struct conn *c;

	start(NULL, "1m");
	c = lock_source();
	consumer_start(i, 0);
	send_request(i, second, TARGET);
	await_said("another program holds the lock");
	ck_assert(!clone_status_is_at_rest(look_at(i, second).status));
	conn_close(&c);
	await(i, second, CLONE_COMPLETED, CLONE_WITHIN_MS);
	check_world("a clone whose source was locked");
}
END_TEST

START_TEST(a_source_that_stays_locked)
{
	struct conn *c;
	struct seen s;

	start(NULL, "500ms");
	c = lock_source();
	consumer_start(i, 0);
	send_request(i, second, TARGET);
	s = await(i, second, CLONE_PAUSED, CLONE_WITHIN_MS);
	check_cause(&s, "source: another program holds the lock");
	conn_close(&c);
	send_control(i, second, TARGET, CONTROL_RESUME);
	await_from_rest(i, second, CLONE_COMPLETED, CLONE_WITHIN_MS);
	check_world("a clone whose source was locked");
}
END_TEST

/* ---- the disk ---- */

static void clone_until_full(const char *id)
{
	struct seen s;

	send_request(i, id, TARGET);
	s = await(i, id, CLONE_PAUSED, CLONE_WITHIN_MS);
	check_cause(&s, "make room");
}

START_TEST(a_full_disk_that_gets_more_room)
{
	if (!start("20m", "1s"))
		return;
	disk_resize(i, "4m");
	clone_until_full(second);
	disk_resize(i, "20m");
	send_control(i, second, TARGET, CONTROL_RESUME);
	await_from_rest(i, second, CLONE_COMPLETED, CLONE_WITHIN_MS);
	check_world("a clone that got more disk");
}
END_TEST

/* Room or not, the old sandbox comes back: also by a consumer that was not there when the disk became full. */
START_TEST(a_full_disk_and_a_cancel)
{
	if (!start("20m", "1s"))
		return;
	disk_resize(i, "4m");
	clone_until_full(second);
	send_control(i, second, TARGET, CONTROL_CANCEL);
	await_from_rest(i, second, CLONE_CANCELLED, CLONE_WITHIN_MS);
	check_world("the old sandbox");
	clone_until_full(third);
	consumer_kill(i, 0);
	consumer_start(i, 0);
	send_control(i, third, TARGET, CONTROL_CANCEL);
	await_from_rest(i, third, CLONE_CANCELLED, CLONE_WITHIN_MS);
	check_world("the old sandbox after a restart");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bad_storage");
	TCase *source = tcase_create("source"), *disk = tcase_create("disk");

	tcase_set_timeout(source, 120);
	tcase_add_checked_fixture(source, setup, teardown);
	tcase_add_test(source, a_source_that_is_missing);
	tcase_add_test(source, a_source_that_is_locked_for_a_while);
	tcase_add_test(source, a_source_that_stays_locked);
	suite_add_tcase(suite, source);
	tcase_set_timeout(disk, 120);
	tcase_add_checked_fixture(disk, setup, teardown);
	tcase_add_test(disk, a_full_disk_that_gets_more_room);
	tcase_add_test(disk, a_full_disk_and_a_cancel);
	suite_add_tcase(suite, disk);
	return installation_run(suite);
}
