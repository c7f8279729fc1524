/* SPDX-License-Identifier: Apache-2.0
 * What becomes of the sandbox before a clone, and of what nobody needs: kept for a rollback, rolled back to, swept. */
#include "tests/support/installation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLONE_WITHIN_MS = 120000, TOLD_WITHIN_MS = 30000 };

static const char first[] = "0198f0c2-0001-7c5b-9a54-000000000001", second[] = "0198f0c2-0002-7c5b-9a54-000000000002",
		  third[] = "0198f0c2-0003-7c5b-9a54-000000000003";

static struct installation *i;
static struct buf before, after;

static void setup(void)
{
	i = installation_new(&(struct installation_options){ .targets = 1 });
	buf_init(&before, WORLD_TEXT_MAX);
	buf_init(&after, WORLD_TEXT_MAX);
}

static void teardown(void)
{
	buf_done(&before);
	buf_done(&after);
	installation_free(&i);
}

static void clone(const char *id)
{
	send_request(i, id, TARGET);
	await(i, id, CLONE_COMPLETED, CLONE_WITHIN_MS);
}

/* Two clones, one after the other; the sandbox of the first is kept. */
static void two_clones(const char *keep)
{
	setenv("SANDBOX_PREVIOUS__KEEP", keep, 1);
	consumer_start(i, 0);
	clone(first);
	snapshot_target(i, TARGET, &before);
	clone(second);
}

static void check_back(void)
{
	struct events events;

	snapshot_target(i, TARGET, &after);
	check_same(&before, &after, "a clone that was rolled back");
	ck_assert_str_eq(left_over_databases(i), "");
	await_committed(i, TOLD_WITHIN_MS);
	events_read(i, &events);
	check_sequence(&events, second);
	events_free(&events);
}

static void check_dead_letter(size_t nth, const char *words)
{
	struct message *letter = await_dead_letter(i, nth, TOLD_WITHIN_MS);

	ck_assert_str_eq(letter->dead_letter.reason_code, "refused");
	ck_assert_msg(strstr(letter->dead_letter.reason, words), "%s", letter->dead_letter.reason);
	message_free(&letter);
}

START_TEST(a_complete_clone_is_rolled_back)
{
	char name[DATABASE_MAX + 1];
	struct seen s;

	two_clones("30d");
	hosting_text(i, TARGET, "previous_database", name, sizeof name);
	ck_assert_str_ne(name, "");
	send_control(i, first, TARGET, CONTROL_ROLLBACK);
	check_dead_letter(0, "a newer clone has taken this target");
	send_control(i, second, TARGET, CONTROL_ROLLBACK);
	s = await_from_rest(i, second, CLONE_ROLLED_BACK, CLONE_WITHIN_MS);
	ck_assert_ptr_nonnull(strstr(s.cause, "rolled back"));
	check_back();
	send_control(i, second, TARGET, CONTROL_ROLLBACK);
	check_dead_letter(1, "only a complete clone");
	clone(third); /* and a new one finds nothing in its way */
	await_committed(i, TOLD_WITHIN_MS);
}
END_TEST

START_TEST(the_consumer_dies_while_rolling_back)
{
	two_clones("30d");
	ck_assert(stub_server_fault(i->stubs, "{\"kind\":\"delay\",\"system\":\"mail\",\"ms\":1500,\"times\":-1}"));
	send_control(i, second, TARGET, CONTROL_ROLLBACK);
	await_from_rest(i, second, CLONE_ROLLING_BACK, TOLD_WITHIN_MS);
	pause_ms(900);
	consumer_kill(i, 0);
	ck_assert(stub_server_clear_faults(i->stubs));
	consumer_start(i, 0);
	await(i, second, CLONE_ROLLED_BACK, CLONE_WITHIN_MS);
	check_back();
}
END_TEST

START_TEST(nothing_was_kept)
{
	struct seen s = { 0 };

	two_clones("0");
	snapshot_target(i, TARGET, &before);
	send_control(i, second, TARGET, CONTROL_ROLLBACK);
	for (int64_t until = now_ms() + TOLD_WITHIN_MS; now_ms() < until && !s.cause[0]; pause_ms(50))
		s = look_at(i, second);
	s = await(i, second, CLONE_COMPLETED, TOLD_WITHIN_MS);
	ck_assert_msg(strstr(s.cause, "no previous sandbox is kept"), "%s", s.cause);
	check_back();
}
END_TEST

static void await_swept(const char *what)
{
	for (int64_t until = now_ms() + TOLD_WITHIN_MS; *left_over_databases(i); pause_ms(100))
		if (now_ms() > until)
			fail_with_logs(i, "%s: still there: %s", what, left_over_databases(i));
}

START_TEST(what_was_kept_goes_when_its_time_is_over)
{
	char name[DATABASE_MAX + 1] = "";
	int64_t until;

	setenv("SANDBOX_SWEEP__EVERY", "300ms", 1);
	two_clones("8s");
	ck_assert_str_ne(left_over_databases(i), "");
	await_swept("a sandbox whose time is over");
	for (until = now_ms() + TOLD_WITHIN_MS; now_ms() < until; pause_ms(50))
		if (!*hosting_text(i, TARGET, "previous_database", name, sizeof name))
			break;
	ck_assert_str_eq(name, "");
	ck_assert(database_number(i, hosting_text(i, TARGET, "database", name, sizeof name),
		"SELECT count(*) FROM sandbox_stamp WHERE clone_id = '0198f0c2-0002-7c5b-9a54-000000000002'") == 1);
	await_committed(i, TOLD_WITHIN_MS);
}
END_TEST

/* A failed clone's database belongs to it as long as it is remembered, whatever was built on the target since. */
START_TEST(what_nobody_remembers_goes)
{
	char line[128];

	setenv("SANDBOX_SWEEP__EVERY", "300ms", 1);
	setenv("SANDBOX_SWEEP__AGE", "1s", 1);
	consumer_start(i, 0);
	ck_assert(stub_server_fault(i->stubs, "{\"kind\":\"status\",\"system\":\"licence\",\"status\":400,\"times\":1}"));
	send_request(i, first, TARGET);
	await(i, first, CLONE_FAILED, CLONE_WITHIN_MS);
	clone(second);
	pause_ms(2500); /* more than one survey passes it */
	ck_assert_str_ne(left_over_databases(i), "");
	ck_assert(!consumer_said(i, "nobody's record names"));
	snprintf(line, sizeof line, "DEL sandbox:{%s}:clone:%s", TARGET, first);
	ck_assert_int_eq(redis_server_tell(i->redis, line), 1);
	await_swept("a database that nobody remembers");
	ck_assert(consumer_said(i, "nobody's record names"));
	await_committed(i, TOLD_WITHIN_MS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("kept");
	TCase *tc = tcase_create("kept");

	tcase_set_timeout(tc, 300);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_complete_clone_is_rolled_back);
	tcase_add_test(tc, the_consumer_dies_while_rolling_back);
	tcase_add_test(tc, nothing_was_kept);
	tcase_add_test(tc, what_was_kept_goes_when_its_time_is_over);
	tcase_add_test(tc, what_nobody_remembers_goes);
	suite_add_tcase(suite, tc);
	return installation_run(suite);
}
