/* SPDX-License-Identifier: Apache-2.0
 * sandbox-tenant beside real consumers: it is killed at random while clones run, fail, are cancelled and replayed. Its
 * rows are what hosting and SuperID say, and the same when the topics are read from the beginning into an empty
 * database, killed again and again, and once more. SANDBOX_SEED=n repeats a run's choices. */
#include "tests/support/installation.h"
#include "tests/support/tenant_program.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TARGETS = 6, WITHIN_MS = 120000 };

static struct installation *i;
static struct tenant_program live, again, killed;
static struct user_plan too_many[] = { { "admin@north.example", 0, "ten-salesservicemarketing", true },
				       { "", 3, "ten-sales", false },
				       { "", 4, "ten-sales", false },
				       { "", 5, "ten-sales", false } };

static void setup(void)
{
	const char *seed = getenv("SANDBOX_SEED");
	unsigned chosen = seed ? (unsigned)strtoul(seed, NULL, 10) : (unsigned)time(NULL);
	char config[128];

	fprintf(stderr, "test_tenant: SANDBOX_SEED=%u\n", chosen);
	srandom(chosen);
	i = installation_new(&(struct installation_options){ .targets = TARGETS, .own_sources = true });
	snprintf(config, sizeof config, "%s/s.ini", i->folder);
	tenant_program_init(&live, i->folder, "tenant-live", config);
	tenant_program_init(&again, i->folder, "tenant-again", config);
	tenant_program_init(&killed, i->folder, "tenant-killed", config);
	consumer_start(i, 0);
	tenant_program_start(&live);
}

static void teardown(void)
{
	tenant_program_done(&live);
	tenant_program_done(&again);
	tenant_program_done(&killed);
	installation_free(&i);
}

/* ---- clones ---- */

static const char *target_of(int n)
{
	static char name[TARGETS + 1][16];

	snprintf(name[n], sizeof name[n], "Cust%d", 70000 + n);
	return name[n];
}

static const char *id_of(int target, int n)
{
	static char ids[TARGETS + 1][4][CLONE_ID_MAX + 1];

	snprintf(ids[target][n], sizeof ids[target][n], "0198f0c2-0007-7c5b-9a54-%04d%08d", target, n);
	return ids[target][n];
}

/* At some moment of its work, or at none. */
static void disturb(void)
{
	pause_ms((int)(random() % 200));
	tenant_program_kill(&live);
	tenant_program_start(&live);
}

static void fail_clone(int target, int n)
{
	struct message m = good_request(i, id_of(target, n), target_of(target));

	m.request.job.users = too_many;
	m.request.job.user_count = sizeof too_many / sizeof *too_many;
	send_message(i, &m);
	await(i, id_of(target, n), CLONE_FAILED, WITHIN_MS);
}

static void complete(int target, int n)
{
	send_request(i, id_of(target, n), target_of(target));
	await(i, id_of(target, n), CLONE_COMPLETED, WITHIN_MS);
}

static void complete_offline(int target, int n)
{
	struct message m = good_request(i, id_of(target, n), target_of(target));

	m.request.job.set_running = false;
	send_message(i, &m);
	await(i, id_of(target, n), CLONE_COMPLETED, WITHIN_MS);
}

/* No clone comes further than to its licences, so that it can be met there. */
static void hold_up(void)
{
	ck_assert(stub_server_fault(i->stubs, "{\"system\":\"licence\",\"kind\":\"status\",\"status\":503,\"times\":-1}"));
}

static void let_go(void)
{
	ck_assert(stub_server_clear_faults(i->stubs));
}

static void run_clones(void)
{
	complete(1, 0);
	disturb();
	fail_clone(2, 0);
	complete(3, 0);
	disturb();
	hold_up();
	send_request(i, id_of(3, 1), target_of(3));
	await_steps(i, id_of(3, 1), 12, WITHIN_MS);
	disturb();
	send_control(i, id_of(3, 1), target_of(3), CONTROL_CANCEL);
	await(i, id_of(3, 1), CLONE_CANCELLING, WITHIN_MS);
	let_go();
	await(i, id_of(3, 1), CLONE_CANCELLED, WITHIN_MS);
	fail_clone(4, 0);
	send_control(i, id_of(4, 0), target_of(4), CONTROL_CANCEL);
	disturb();
	await_from_rest(i, id_of(4, 0), CLONE_CANCELLED, WITHIN_MS);
	complete_offline(5, 0);
	disturb();
	hold_up();
	send_request(i, id_of(6, 0), target_of(6));
	await_steps(i, id_of(6, 0), 3, WITHIN_MS);
	send_request(i, id_of(6, 1), target_of(6));
	await(i, id_of(6, 1), CLONE_REJECTED, WITHIN_MS);
	let_go();
	await(i, id_of(6, 0), CLONE_COMPLETED, WITHIN_MS);
	complete(1, 1);
	disturb();
}

/* ---- rows ---- */

static const char *text_of(const json_t *row, const char *member)
{
	const char *text = json_string_value(json_object_get(row, member));

	return text ? text : "";
}

/* Until the tenant is as hosting has it, by that clone, in that status. */
static json_t *await_row(struct tenant_program *t, int target, int clone, enum clone_status status)
{
	int64_t until = now_ms() + WITHIN_MS;
	char state[40];
	json_t *row = NULL;

	hosting_text(i, target_of(target), "state", state, sizeof state);
	while (now_ms() < until) {
		row = tenant_program_row(t, target_of(target));
		if (strcmp(text_of(row, "state"), state) == 0 && strcmp(text_of(row, "clone"), id_of(target, clone)) == 0 &&
		    strcmp(text_of(row, "status"), clone_status_name(status)) == 0)
			return row;
		if (now_ms() + 200 > until)
			break;
		json_decref(row);
		row = NULL;
		pause_ms(50);
	}
	fail_with_logs(i, "%s is %s by %s %s, not %s by %s; see %s/log", target_of(target), text_of(row, "state"),
		text_of(row, "clone"), text_of(row, "status"), state, id_of(target, clone), t->folder);
}

static void expect_row(int target, int clone, enum clone_status status, const char *state, const char *superid, bool stuck)
{
	json_t *row = await_row(&live, target, clone, status);

	ck_assert_str_eq(text_of(row, "state"), state);
	ck_assert_str_eq(text_of(row, "superid"), superid);
	ck_assert_int_eq(json_is_true(json_object_get(row, "stuck")), stuck);
	json_decref(row);
}

static void check_live(void)
{
	json_t *row;

	expect_row(1, 1, CLONE_COMPLETED, "Running", "Normal", false);
	expect_row(2, 0, CLONE_FAILED, "OfflineMaintenance", "In migration", true);
	expect_row(3, 0, CLONE_COMPLETED, "Running", "Normal", false);
	expect_row(5, 0, CLONE_COMPLETED, "OfflineMaintenance", "Normal", false);
	expect_row(6, 0, CLONE_COMPLETED, "Running", "Normal", false);
	row = await_row(&live, 2, 0, CLONE_FAILED);
	ck_assert_str_eq(text_of(row, "step"), "assign_user_plans");
	ck_assert_msg(strstr(text_of(row, "cause"), "ten-sales"), "%s", text_of(row, "cause"));
	ck_assert_msg(strstr(text_of(row, "next_command"), "sandboxctl clone replay"), "%s", text_of(row, "next_command"));
	json_decref(row);
}

/* As an operator asks: the real command through the real API. */
static void check_command(void)
{
	const char *build = getenv("BUILD_DIR");
	char line[600], said[4096];
	FILE *f;
	size_t n;

	snprintf(line, sizeof line, "SANDBOX_TENANT__URL=http://127.0.0.1:%d %s/consumer/programs/sandboxctl tenant show %s"
		" --config %s/s.ini 2>&1", live.port, build ? build : ".", target_of(2), i->folder);
	f = popen(line, "re");
	ck_assert_ptr_nonnull(f);
	n = fread(said, 1, sizeof said - 1, f);
	said[n] = '\0';
	ck_assert_msg(pclose(f) == 0, "%s", said);
	ck_assert_msg(strstr(said, "OfflineMaintenance since") && strstr(said, "In migration") &&
		strstr(said, "Next: sandboxctl clone replay"), "%s", said);
}

/* A cancelled clone of a tenant that no other clone is known of: only its state is told. */
static void check_given_back(void)
{
	int64_t until = now_ms() + WITHIN_MS;
	char wanted[40];
	bool same = false;

	hosting_text(i, target_of(4), "state", wanted, sizeof wanted);
	while (!same && now_ms() < until) {
		json_t *row = tenant_program_row(&live, target_of(4));

		same = row && strcmp(text_of(row, "state"), wanted) == 0 && strcmp(text_of(row, "superid"), "Normal") == 0;
		json_decref(row);
		pause_ms(50);
	}
	ck_assert_msg(same, "%s was given back, but is not %s", target_of(4), wanted);
}

/* Every fact of every row; the first that differs fails the test when the time is over. */
static void await_same_rows(struct tenant_program *t)
{
	int64_t until = now_ms() + WITHIN_MS;
	int same = 0;

	while (same < TARGETS && now_ms() < until) {
		same = 0;
		for (int n = 1; n <= TARGETS; n++) {
			json_t *one = tenant_program_row(&live, target_of(n)), *other = tenant_program_row(t, target_of(n));

			same += one && json_equal(one, other);
			if (now_ms() + 300 > until && !json_equal(one, other)) {
				char *a = json_dumps(one, JSON_SORT_KEYS), *b = json_dumps(other, JSON_SORT_KEYS);

				ck_abort_msg("rows differ:\n%s\n%s", a ? a : "none", b ? b : "none");
			}
			json_decref(one);
			json_decref(other);
		}
		pause_ms(50);
	}
	ck_assert_int_eq(same, TARGETS);
}

/* ---- tests ---- */

START_TEST(rows_are_right_whatever_dies)
{
	int status;
	json_t *state;

	run_clones();
	check_live();
	check_command();
	check_given_back();
	state = tenant_program_state(&live, target_of(2), &status);
	ck_assert_int_eq(status, 200);
	ck_assert_str_eq(text_of(state, "State"), "OfflineMaintenance");
	json_decref(state);
	tenant_program_start(&again);
	await_same_rows(&again);
	ck_assert_int_eq(tenant_program_stop(&again), 0);
	setenv("SANDBOX_TENANT__BATCH", "7", 1);
	for (int n = 0; n < 6; n++) {
		tenant_program_start(&killed);
		pause_ms(200 + (int)(random() % 1500));
		tenant_program_kill(&killed);
	}
	tenant_program_start(&killed);
	await_same_rows(&killed);
	unsetenv("SANDBOX_TENANT__BATCH");
	tenant_program_start(&again); /* twice: it has read everything before */
	await_same_rows(&again);
	ck_assert_int_eq(tenant_program_stop(&live), 0);
}
END_TEST

/* From the request on: offline while the clone runs, with the cause when it fails, Running after the replay. */
START_TEST(a_failure_is_shown_and_a_replay_clears_it)
{
	struct message replay = good_replay(id_of(2, 0), target_of(2));
	int status;
	json_t *row, *state;

	state = tenant_program_state(&live, target_of(2), &status);
	for (int64_t until = now_ms() + WITHIN_MS; !state && now_ms() < until; pause_ms(50))
		state = tenant_program_state(&live, target_of(2), &status);
	ck_assert_str_eq(text_of(state, "State"), "Unknown");
	json_decref(state);
	ck_assert(stub_server_fault(i->stubs, "{\"system\":\"licence\",\"kind\":\"status\",\"status\":403,\"times\":-1}"));
	send_request(i, id_of(2, 0), target_of(2));
	await(i, id_of(2, 0), CLONE_FAILED, WITHIN_MS);
	row = await_row(&live, 2, 0, CLONE_FAILED);
	ck_assert(json_is_true(json_object_get(row, "stuck")));
	ck_assert_str_ne(text_of(row, "cause"), "");
	ck_assert_str_ne(text_of(row, "next_command"), "");
	json_decref(row);
	let_go();
	send_message(i, &replay);
	await_from_rest(i, id_of(2, 0), CLONE_COMPLETED, WITHIN_MS);
	row = await_row(&live, 2, 0, CLONE_COMPLETED);
	ck_assert_str_eq(text_of(row, "state"), "Running");
	ck_assert_str_eq(text_of(row, "cause"), "");
	ck_assert_int_eq(json_integer_value(json_object_get(row, "run")), 2);
	json_decref(row);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tenant");
	TCase *tc = tcase_create("tenant");

	tcase_set_timeout(tc, 280);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, rows_are_right_whatever_dies);
	tcase_add_test(tc, a_failure_is_shown_and_a_replay_clears_it);
	suite_add_tcase(suite, tc);
	return installation_run(suite);
}
