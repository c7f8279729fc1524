/* SPDX-License-Identifier: Apache-2.0
 * Outside systems that are down, hang, answer nonsense or act and then say nothing: a passing trouble is outlived with
 * the same result, a lasting one is told, and the clone goes on once it is over. */
#include "tests/support/installation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLONE_WITHIN_MS = 60000, TOLD_WITHIN_MS = 15000 };

static const char first[] = "0198f0c2-0001-7c5b-9a54-000000000001", second[] = "0198f0c2-0002-7c5b-9a54-000000000002";

static struct installation *i;
static struct buf wanted, found;

/* The first clone meets no trouble. */
static void set_up(const char *retry_budget)
{
	setenv("SANDBOX_ENGINE__RETRY_BUDGET", retry_budget, 1);
	i = installation_new(&(struct installation_options){ .targets = 2, .own_sources = true });
	consumer_start(i, 0);
	send_request(i, first, TARGET);
	await(i, first, CLONE_COMPLETED, CLONE_WITHIN_MS);
	buf_init(&wanted, WORLD_TEXT_MAX);
	buf_init(&found, WORLD_TEXT_MAX);
}

static void setup(void)
{
	set_up("1m");
}

static void impatient_setup(void)
{
	set_up("1s");
}

static void teardown(void)
{
	buf_done(&wanted);
	buf_done(&found);
	installation_free(&i);
}

static void fault(const char *json)
{
	ck_assert_msg(stub_server_fault(i->stubs, json), "%s", json);
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

static void check_like_the_first(const char *id, const char *target)
{
	await(i, id, CLONE_COMPLETED, CLONE_WITHIN_MS);
	await_committed(i, TOLD_WITHIN_MS);
	snapshot_target(i, TARGET, &wanted);
	snapshot_target(i, target, &found);
	check_same(&wanted, &found, "the world");
	snapshot_events(i, first, TARGET, false, &wanted);
	snapshot_events(i, id, target, false, &found);
	check_same(&wanted, &found, "the events");
	ck_assert_str_eq(left_over_databases(i), "");
	snapshot_calls(i, first, TARGET, &wanted);
	snapshot_calls(i, id, target, &found);
}

/* Each of them several times in each system, on looks and on orders. */
START_TEST(outside_systems_that_fail_for_a_while)
{
	static const char *const systems[] = { "hosting", "superid", "mail", "licence", "apps" };
	static const char *const faults[] = {
		"\"kind\":\"status\",\"status\":503", "\"kind\":\"status\",\"status\":429,\"retry_after_s\":1",
		"\"kind\":\"reset\"", "\"kind\":\"nonsense\"", "\"kind\":\"endless\"",
		"\"kind\":\"act-then-reset\",\"method\":\"PUT\"", "\"kind\":\"act-then-reset\",\"method\":\"POST\"",
		"\"kind\":\"act-then-reset\",\"method\":\"DELETE\"",
	};
	char json[200];

	for (size_t s = 0; s < sizeof systems / sizeof *systems; s++)
		for (size_t f = 0; f < sizeof faults / sizeof *faults; f++) {
			snprintf(json, sizeof json, "{\"system\":\"%s\",%s,\"times\":2}", systems[s], faults[f]);
			fault(json);
		}
	send_request(i, second, "Cust70002");
	check_like_the_first(second, "Cust70002");
	check_same(&wanted, &found, "the effects outside");
}
END_TEST

START_TEST(outside_systems_that_hang)
{
	static const char *const systems[] = { "hosting", "superid", "mail", "licence", "apps" };
	char json[200];

	for (size_t s = 0; s < sizeof systems / sizeof *systems; s++) {
		snprintf(json, sizeof json, "{\"system\":\"%s\",\"kind\":\"hang\",\"ms\":5000,\"times\":1}", systems[s]);
		fault(json);
		snprintf(json, sizeof json, "{\"system\":\"%s\",\"kind\":\"act-then-hang\",\"method\":\"PUT\",\"ms\":5000,\"times\":1}",
			systems[s]);
		fault(json);
		snprintf(json, sizeof json, "{\"system\":\"%s\",\"kind\":\"act-then-late\",\"method\":\"PUT\",\"ms\":3000,\"times\":1}",
			systems[s]);
		fault(json);
	}
	send_request(i, second, "Cust70002");
	check_like_the_first(second, "Cust70002");
	check_same(&wanted, &found, "the effects outside");
}
END_TEST

/* Of the lines of both, which are sorted, how many only the first has; none may be in the second alone. */
static int lines_missing(const struct buf *one, const struct buf *other)
{
	const char *a = buf_text(one), *b = buf_text(other);
	int missing = 0;

	while (*a) {
		size_t length = strcspn(a, "\n") + 1;

		if (strncmp(a, b, length) == 0)
			b += length;
		else
			missing++;
		a += length;
	}
	ck_assert_msg(*b == '\0', "done once too often: %.80s", b);
	return missing;
}

START_TEST(outside_systems_that_are_not_there)
{
	struct err e = { 0 };

	send_request(i, second, "Cust70002");
	await_steps(i, second, 3, CLONE_WITHIN_MS);
	stub_server_kill(i->stubs);
	await_said("not sent: Couldn't connect to server");
	ck_assert_msg(stub_server_restart(i->stubs, &e), "%s", e.text);
	check_like_the_first(second, "Cust70002");
	/* Killed after acting and before it noted the call: the world, equal above, has the effect, the list has not. */
	ck_assert_int_le(lines_missing(&wanted, &found), 1);
}
END_TEST

/* It must be seen to go on, or the old rest is taken for the new one. */
static void resume(const char *id)
{
	int64_t until = now_ms() + TOLD_WITHIN_MS;

	send_control(i, id, "Cust70002", CONTROL_RESUME);
	while (clone_status_is_at_rest(look_at(i, id).status))
		if (now_ms() > until)
			fail_with_logs(i, "%s does not go on", id);
}

/* Until it rests with all of it told: 1 s of tries. */
static struct seen await_rest(const char *id)
{
	int64_t until = now_ms() + CLONE_WITHIN_MS;
	struct seen s = look_at(i, id);

	while (!clone_status_is_at_rest(s.status) || !s.is_told) {
		if (now_ms() > until)
			fail_with_logs(i, "%s goes on and on", id);
		pause_ms(50);
		s = look_at(i, id);
	}
	return s;
}

/* The same clone meets one trouble after the other; each time it rests with the cause told, and goes on. */
START_TEST(a_lasting_trouble_is_told)
{
	static const struct {
		const char *fault, *words;
		enum clone_status status;
	} troubles[] = {
		{ "\"kind\":\"status\",\"status\":503", "superid: record of Cust70002: answered 503", CLONE_PAUSED },
		{ "\"kind\":\"reset\"", "superid: record of Cust70002: no whole answer", CLONE_PAUSED },
		{ "\"kind\":\"nonsense\"", "superid: record of Cust70002: the answer is no sound JSON", CLONE_PAUSED },
		{ "\"kind\":\"endless\"", "superid: record of Cust70002: the answer is larger", CLONE_PAUSED },
		{ "\"kind\":\"hang\",\"ms\":5000", "superid: record of Cust70002: no whole answer: Timeout", CLONE_PAUSED },
		{ "\"kind\":\"status\",\"status\":401", "superid: record of Cust70002: answered 401, the token is not", CLONE_PAUSED },
		{ "\"kind\":\"status\",\"status\":403", "superid: record of Cust70002: answered 403", CLONE_FAILED },
	};
	const struct message again = good_replay(second, "Cust70002");
	char json[200];

	send_request(i, second, "Cust70002");
	for (size_t n = 0; n < sizeof troubles / sizeof *troubles; n++) {
		struct seen s;

		snprintf(json, sizeof json, "{\"system\":\"superid\",%s,\"times\":-1}", troubles[n].fault);
		fault(json);
		if (n > 0)
			resume(second);
		s = await_rest(second);
		ck_assert_int_eq(s.status, troubles[n].status);
		ck_assert_msg(strstr(s.cause, troubles[n].words), "\"%s\" does not say \"%s\"", s.cause, troubles[n].words);
		ck_assert_str_eq(s.failed_step, "register_superid");
		ck_assert(stub_server_clear_faults(i->stubs));
	}
	send_message(i, &again);
	await_from_rest(i, second, CLONE_COMPLETED, CLONE_WITHIN_MS);
	snapshot_target(i, TARGET, &wanted);
	snapshot_target(i, "Cust70002", &found);
	check_same(&wanted, &found, "the world");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bad_world");
	TCase *tc = tcase_create("bad_world"), *impatient;

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, outside_systems_that_fail_for_a_while);
	tcase_add_test(tc, outside_systems_that_hang);
	tcase_add_test(tc, outside_systems_that_are_not_there);
	suite_add_tcase(suite, tc);
	impatient = tcase_create("impatient");
	tcase_set_timeout(impatient, 120);
	tcase_add_checked_fixture(impatient, impatient_setup, teardown);
	tcase_add_test(impatient, a_lasting_trouble_is_told);
	suite_add_tcase(suite, impatient);
	return installation_run(suite);
}
