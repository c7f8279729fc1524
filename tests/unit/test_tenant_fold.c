/* SPDX-License-Identifier: Apache-2.0
 * A tenant's state from the events of its clones: right at the end of each story, and the same in whatever order the
 * events come, however often. The events are those of a real engine. */
#include "consumer/core/events.h"
#include "consumer/core/retry.h"
#include "consumer/tenant/fold.h"
#include "tests/support/told_events.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KNOWN_MAX = 32 };

static struct told_events all;

static void setup(void)
{
	told_begin(&all);
}

static void teardown(void)
{
	told_end(&all);
}

static void keep(const struct message *m)
{
	told_add(&all, m);
}

static void play(const char *const *lines)
{
	told_play(&all, lines);
}

/* ---- a reader ---- */

struct reader {
	struct clone_facts known[KNOWN_MAX];
	size_t count;
	bool forgets; /* clones that are past */
};

static struct clone_facts *known(struct reader *r, const char *ctx, const char *clone_id)
{
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->known[i].ctx, ctx) == 0 && strcmp(r->known[i].clone_id, clone_id) == 0)
			return &r->known[i];
	ck_assert_uint_lt(r->count, KNOWN_MAX);
	facts_init(&r->known[r->count], ctx, clone_id);
	return &r->known[r->count++];
}

static size_t clones_of(struct reader *r, const char *ctx, const struct clone_facts **clones)
{
	size_t count = 0;

	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->known[i].ctx, ctx) == 0)
			clones[count++] = &r->known[i];
	return count;
}

static struct tenant_row row_of(struct reader *r, const char *ctx)
{
	const struct clone_facts *clones[KNOWN_MAX];
	struct tenant_row row;

	tenant_fold(ctx, clones, clones_of(r, ctx, clones), &row);
	return row;
}

static void forget_past(struct reader *r, const char *ctx)
{
	const struct clone_facts *clones[KNOWN_MAX];
	size_t count = clones_of(r, ctx, clones), first, past;
	struct tenant_row row;
	char ids[KNOWN_MAX][CLONE_ID_MAX + 1];

	tenant_fold(ctx, clones, count, &row);
	past = tenant_fold_past(clones, count, &first);
	for (size_t i = 0; i < past; i++)
		memcpy(ids[i], clones[first + i]->clone_id, sizeof ids[i]);
	for (size_t i = 0; i < past; i++)
		*known(r, ctx, ids[i]) = r->known[--r->count];
}

static void take(struct reader *r, const struct message *m)
{
	const char *ctx, *clone_id;

	if (!facts_names(m, &ctx, &clone_id))
		return;
	facts_fold(known(r, ctx, clone_id), m);
	if (r->forgets)
		forget_past(r, ctx);
}

static struct tenant_row read_in_order(const char *ctx)
{
	struct reader r = { .count = 0 };

	for (size_t i = 0; i < all.count; i++)
		take(&r, all.items[i].message);
	return row_of(&r, ctx);
}

/* ---- stories ---- */

#define STORY TOLD_STORY

START_TEST(a_complete_clone_leaves_it_running)
{
	struct tenant_row row;

	play(STORY("request c1 of T1", "go without enter_running_mode", "pass 5000", "step c1 enter_running_mode done",
		"pass 5000", "go"));
	row = read_in_order("T1");
	ck_assert_int_eq(row.state, TENANT_RUNNING);
	ck_assert_int_eq(row.superid, IDENTITY_NORMAL);
	ck_assert_int_eq(row.since_ms, 1005000);
	ck_assert_str_eq(row.clone_id, "c1");
	ck_assert_int_eq(row.status, CLONE_COMPLETED);
	ck_assert_int_eq(row.run, 1);
	ck_assert_int_eq(row.sequence, 36);
	ck_assert_str_eq(row.step, "wait_web_config");
	ck_assert_str_eq(row.host, "t.example");
	ck_assert_str_eq(row.version_name, "Release_1");
	ck_assert_str_eq(row.file_version, "1.0");
	ck_assert_str_eq(row.cause, "");
	ck_assert_str_eq(row.next_command, "");
}
END_TEST

START_TEST(nothing_told_is_unknown)
{
	struct tenant_row row = read_in_order("T1");

	ck_assert_int_eq(row.state, TENANT_UNKNOWN);
	ck_assert_int_eq(row.superid, IDENTITY_NORMAL);
	ck_assert_int_eq(row.since_ms, 0);
	ck_assert_str_eq(row.clone_id, "");
	play(STORY("request c1 of T1", "go without enter_offline_mode"));
	row = read_in_order("T1");
	ck_assert_int_eq(row.state, TENANT_UNKNOWN);
	ck_assert_str_eq(row.clone_id, "c1");
	ck_assert_int_eq(row.status, CLONE_RUNNING);
}
END_TEST

START_TEST(a_failed_clone_leaves_it_offline_with_the_cause)
{
	struct tenant_row row;

	play(STORY("request c1 of T1", "go without enter_offline_mode", "pass 1000", "go without copy_database",
		"pass 1000", "step c1 copy_database refused", "go"));
	row = read_in_order("T1");
	ck_assert_int_eq(row.state, TENANT_OFFLINE_MAINTENANCE);
	ck_assert_int_eq(row.since_ms, 1001000);
	ck_assert_int_eq(row.superid, IDENTITY_NORMAL);
	ck_assert_int_eq(row.status, CLONE_FAILED);
	ck_assert_str_eq(row.step, "copy_database");
	ck_assert_str_eq(row.cause, "it did not go well");
	ck_assert_int_eq(strncmp(row.next_command, "sandboxctl clone replay c1", 26), 0);
	ck_assert_str_eq(row.host, "");
}
END_TEST

START_TEST(a_clone_that_fails_between_21_and_24_leaves_it_in_migration)
{
	struct tenant_row row;

	play(STORY("request c1 of T1", "go without sync_superid_users", "step c1 sync_superid_users refused", "go"));
	row = read_in_order("T1");
	ck_assert_int_eq(row.superid, IDENTITY_IN_MIGRATION);
	ck_assert_str_eq(identity_state_name(row.superid), "In migration");
	ck_assert_str_eq(row.cause, "it did not go well");
	play(STORY("request c2 of T2", "go without sync_superid_users", "step c2 sync_superid_users refused", "go",
		"cancel c2", "go"));
	row = read_in_order("T2");
	ck_assert_int_eq(row.superid, IDENTITY_NORMAL);
	ck_assert_str_eq(identity_state_name(row.superid), "Normal");
	ck_assert_int_eq(row.state, TENANT_RUNNING);
}
END_TEST

START_TEST(a_replay_goes_on)
{
	struct tenant_row row;

	play(STORY("request c1 of T1", "go without sync_superid_users", "step c1 sync_superid_users refused", "go",
		"replay c1", "go without enter_running_mode"));
	row = read_in_order("T1");
	ck_assert_int_eq(row.state, TENANT_OFFLINE_MAINTENANCE);
	ck_assert_int_eq(row.superid, IDENTITY_NORMAL);
	ck_assert_int_eq(row.status, CLONE_RUNNING);
	ck_assert_int_eq(row.run, 2);
	ck_assert_str_eq(row.cause, "");
	ck_assert_str_eq(row.step, "notify_partner_apps");
}
END_TEST

START_TEST(a_replay_from_the_beginning_takes_it_offline_again)
{
	play(STORY("request c1 of T1", "go without wait_web_config", "step c1 wait_web_config refused", "go"));
	ck_assert_int_eq(read_in_order("T1").state, TENANT_RUNNING);
	ck_assert_int_eq(read_in_order("T1").status, CLONE_FAILED);
	teardown();
	setup();
	play(STORY("request c1 of T1", "go without wait_web_config", "step c1 wait_web_config refused", "go",
		"replay c1 from enter_offline_mode", "go without copy_database"));
	ck_assert_int_eq(read_in_order("T1").state, TENANT_OFFLINE_MAINTENANCE);
	ck_assert_int_eq(read_in_order("T1").run, 2);
}
END_TEST

START_TEST(the_clone_before_speaks_until_the_next_one_begins)
{
	struct tenant_row row;

	play(STORY("request c1 of T1", "go", "pass 9000", "request c2 of T1", "go without enter_offline_mode"));
	row = read_in_order("T1");
	ck_assert_int_eq(row.state, TENANT_RUNNING);
	ck_assert_int_eq(row.since_ms, 1000000);
	ck_assert_str_eq(row.clone_id, "c2");
	ck_assert_str_eq(row.host, "t.example");
	teardown();
	setup();
	play(STORY("request c1 of T1", "go", "pass 9000", "request c2 of T1", "go without copy_database", "pause c2",
		"step c2 copy_database done", "go"));
	row = read_in_order("T1");
	ck_assert_int_eq(row.state, TENANT_OFFLINE_MAINTENANCE);
	ck_assert_int_eq(row.since_ms, 1009000);
	ck_assert_str_eq(row.clone_id, "c2");
	ck_assert_int_eq(row.status, CLONE_PAUSED);
	ck_assert_str_eq(row.cause, "paused by an operator");
	ck_assert_str_eq(row.next_command, "sandboxctl clone resume c2");
	ck_assert_str_eq(row.version_name, "Release_1");
}
END_TEST

START_TEST(a_cancelled_clone_gives_it_back)
{
	struct tenant_row row;

	play(STORY("request c1 of T1", "go", "pass 9000", "request c2 of T1", "go without copy_database", "cancel c2",
		"step c2 copy_database done", "pass 2000", "go"));
	row = read_in_order("T1");
	ck_assert_int_eq(row.state, TENANT_RUNNING);
	ck_assert_int_eq(row.since_ms, 1011000);
	ck_assert_str_eq(row.clone_id, "c1");
	ck_assert_int_eq(row.status, CLONE_COMPLETED);
	ck_assert_str_eq(row.host, "t.example");
}
END_TEST

START_TEST(a_cancelled_clone_with_nothing_to_go_back_to_leaves_it_offline)
{
	struct tenant_row row;

	play(STORY("request c1 of T1", "go without copy_database", "cancel c1", "step c1 copy_database done",
		"go without cleanup", "step c1 cleanup offline", "go"));
	row = read_in_order("T1");
	ck_assert_int_eq(row.state, TENANT_OFFLINE_MAINTENANCE);
	ck_assert_str_eq(row.clone_id, "c1");
	ck_assert_int_eq(row.status, CLONE_CANCELLED);
	ck_assert_ptr_nonnull(strstr(row.cause, "no earlier sandbox"));
}
END_TEST

START_TEST(a_rollback_gives_it_back)
{
	struct tenant_row row;

	play(STORY("request c1 of T1", "go", "pass 9000", "request c2 of T1", "go", "pass 1000", "rollback c2",
		"go without rollback"));
	row = read_in_order("T1");
	ck_assert_int_eq(row.state, TENANT_OFFLINE_MAINTENANCE);
	ck_assert_int_eq(row.since_ms, 1010000);
	ck_assert_str_eq(row.clone_id, "c2");
	ck_assert_int_eq(row.status, CLONE_ROLLING_BACK);
	teardown();
	setup();
	play(STORY("request c1 of T1", "go", "pass 9000", "request c2 of T1", "go", "pass 1000", "rollback c2", "go"));
	row = read_in_order("T1");
	ck_assert_int_eq(row.state, TENANT_RUNNING);
	ck_assert_int_eq(row.since_ms, 1010000);
	ck_assert_str_eq(row.clone_id, "c1");
	ck_assert_int_eq(row.status, CLONE_COMPLETED);
	teardown();
	setup();
	play(STORY("request c1 of T1", "go", "pass 9000", "request c2 of T1", "go", "rollback c2", "go without rollback",
		"step c2 rollback retry", "pass 1000", "go without rollback", "step c2 rollback refused", "pass 1000", "go"));
	row = read_in_order("T1");
	ck_assert_str_eq(row.clone_id, "c2");
	ck_assert_str_ne(row.cause, "");
	ck_assert_int_eq(row.state, row.status == CLONE_FAILED ? TENANT_OFFLINE_MAINTENANCE : TENANT_RUNNING);
}
END_TEST

/* What an older consumer told, and what is left when the step events are no longer in their topic. */
START_TEST(less_is_told)
{
	struct message state = { .kind = MESSAGE_STATE, .state = { .event_id = "", .clone_id = "c1", .source_ctx = "S",
		.target_ctx = "T1", .generation = "T1__g1", .status = CLONE_COMPLETED, .run = 1, .sequence = 36,
		.updated_at_ms = 7, .step = "", .cause = "", .error_class = "", .next_command = "" } };

	keep(&state);
	ck_assert_int_eq(read_in_order("T1").state, TENANT_RUNNING);
	ck_assert_int_eq(read_in_order("T1").since_ms, 7);
	state.state.leaves = TENANT_OFFLINE_MAINTENANCE;
	state.state.sequence = 37;
	keep(&state);
	ck_assert_int_eq(read_in_order("T1").state, TENANT_OFFLINE_MAINTENANCE);
	state.state.clone_id = "c2";
	state.state.generation = "T1__g2";
	state.state.status = CLONE_FAILED;
	state.state.steps_done = 9;
	state.state.updated_at_ms = 8;
	keep(&state);
	ck_assert_int_eq(read_in_order("T1").state, TENANT_OFFLINE_MAINTENANCE);
	ck_assert_int_eq(read_in_order("T1").since_ms, 8);
	state.state.status = CLONE_CANCELLED;
	state.state.leaves = TENANT_UNKNOWN;
	state.state.sequence = 38;
	keep(&state);
	ck_assert_int_eq(read_in_order("T1").since_ms, 7);
	ck_assert_str_eq(read_in_order("T1").clone_id, "c1");
	state.state.clone_id = "c0"; /* a longer token is a greater one */
	state.state.generation = "T1__g10";
	state.state.status = CLONE_COMPLETED;
	state.state.updated_at_ms = 9;
	keep(&state);
	ck_assert_int_eq(read_in_order("T1").since_ms, 9);
	ck_assert_str_eq(read_in_order("T1").clone_id, "c0");
}
END_TEST

/* A rejected request never was a clone of the tenant, however new it is. */
START_TEST(a_rejected_one_never_counts)
{
	const struct clone_request request = { .job = { .clone_id = "c9", .source_ctx = "S", .target_ctx = "T1" } };

	play(STORY("request c1 of T1", "go"));
	keep(event_rejected(&request, "another clone is under way", 5, all.mem));
	ck_assert_str_eq(read_in_order("T1").clone_id, "c1");
	ck_assert_int_eq(read_in_order("T1").status, CLONE_COMPLETED);
	keep(event_rejected(&(struct clone_request){ .job = { .clone_id = "c8", .source_ctx = "S", .target_ctx = "T2" } },
		"no", 5, all.mem));
	ck_assert_str_eq(read_in_order("T2").clone_id, "");
}
END_TEST

START_TEST(names_from_outside)
{
	struct message m = { .kind = MESSAGE_STATE, .state = { .event_id = "", .clone_id = "c1", .source_ctx = "S",
		.target_ctx = "", .generation = "", .status = CLONE_RUNNING, .run = 1, .sequence = 1, .step = "", .cause = "",
		.error_class = "", .next_command = "" } };
	static const char *const bad[] = { "", "a/b", "a b", "x\n", "Cust\xc3\xa5", "../etc",
		"12345678901234567890123456789012345678901" };
	static const char long_text[] = "\xc3\xa5\xc3\xa5\xc3\xa5\xc3\xa5\xc3\xa5\xc3\xa5\xc3\xa5\xc3\xa5\xc3\xa5\xc3\xa5\xc3\xa5"
		"\xc3\xa5\xc3\xa5\xc3\xa5\xc3\xa5\xc3\xa5\xc3\xa5\xc3\xa5\xc3\xa5\xc3\xa5\xc3\xa5";
	const char *ctx, *clone_id;
	struct clone_facts f;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		m.state.target_ctx = bad[i];
		ck_assert_msg(!facts_names(&m, &ctx, &clone_id), "%s", bad[i]);
	}
	m.state.target_ctx = "Cust-1_2";
	ck_assert(facts_names(&m, &ctx, &clone_id));
	m.state.sequence = 0;
	ck_assert(!facts_names(&m, &ctx, &clone_id));
	m.state.sequence = 1;
	m.state.step = long_text; /* 42 bytes into 40: cut between two characters */
	facts_init(&f, ctx, clone_id);
	ck_assert(facts_fold(&f, &m));
	ck_assert_uint_eq(strlen(f.state.step), SLUG_MAX);
	ck_assert(!facts_fold(&f, &m));
}
END_TEST

/* ---- any order ---- */

static const char *const tenants[] = { "A", "B", "D", "E", "F", "G", "H" };

enum { TENANTS = sizeof tenants / sizeof *tenants };

struct play_list { /* in which order they are read */
	const struct message *items[4 * TOLD_MAX];
	size_t count;
};

static void shuffle(struct play_list *list, uint64_t *chance)
{
	for (size_t i = list->count; i > 1; i--) {
		size_t k = (size_t)chance_below(chance, (int64_t)i);
		const struct message *m = list->items[k];

		list->items[k] = list->items[i - 1];
		list->items[i - 1] = m;
	}
}

/* Each topic in its own order, told again from somewhere earlier now and then, as after a restart. */
static void interleave(struct play_list *list, uint64_t *chance)
{
	static const enum message_kind kinds[] = { MESSAGE_STATE, MESSAGE_STEP_COMPLETED, MESSAGE_BACKUP_RESTORED };
	size_t at[3] = { 0 }, left = 3;

	list->count = 0;
	while (left) {
		size_t k = (size_t)chance_below(chance, 3), again = list->count < 2 * TOLD_MAX;

		if (at[k] > all.count)
			continue;
		if (again && at[k] < all.count && chance_below(chance, 150) == 0)
			at[k] -= (size_t)chance_below(chance, (int64_t)(at[k] < 60 ? at[k] + 1 : 60));
		while (at[k] < all.count && all.items[at[k]].message->kind != kinds[k])
			at[k]++;
		if (at[k] < all.count)
			list->items[list->count++] = all.items[at[k]].message;
		else
			left--;
		at[k]++;
	}
}

/* In no order, some twice. */
static void scatter(struct play_list *list, uint64_t *chance)
{
	list->count = 0;
	for (size_t i = 0; i < all.count; i++) {
		list->items[list->count++] = all.items[i].message;
		if (chance_below(chance, 4) == 0)
			list->items[list->count++] = all.items[i].message;
	}
	shuffle(list, chance);
}

/* The state topic is compacted: of each clone the last record is left for sure, of the others some. */
static void compact(struct play_list *list, uint64_t *chance)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct message *m = list->items[i];
		bool is_last = true;

		for (size_t k = 0; m->kind == MESSAGE_STATE && k < all.count; k++)
			if (all.items[k].message->kind == MESSAGE_STATE && all.items[k].message->state.sequence > m->state.sequence &&
			    strcmp(all.items[k].message->state.clone_id, m->state.clone_id) == 0)
				is_last = false;
		if (is_last || chance_below(chance, 2))
			list->items[kept++] = m;
	}
	list->count = kept;
}

static void check_rows(const struct play_list *list, bool forgets, const struct tenant_row *wanted, int seed)
{
	struct reader r = { .forgets = forgets };

	for (size_t i = 0; i < list->count; i++)
		take(&r, list->items[i]);
	for (size_t t = 0; t < TENANTS; t++) {
		const struct tenant_row row = row_of(&r, tenants[t]);

		ck_assert_msg(memcmp(&row, &wanted[t], sizeof row) == 0, "seed %d: %s is %d since %lld by %s, not %d since %lld by %s",
			seed, tenants[t], row.state, (long long)row.since_ms, row.clone_id, wanted[t].state,
			(long long)wanted[t].since_ms, wanted[t].clone_id);
	}
}

START_TEST(any_order_gives_the_same_rows)
{
	static struct play_list list;
	struct tenant_row wanted[TENANTS];
	enum { SEEDS = 20000 };

	told_play_everything(&all);
	ck_assert_uint_gt(all.count, 300);
	for (size_t t = 0; t < TENANTS; t++)
		wanted[t] = read_in_order(tenants[t]);
	ck_assert_int_eq(wanted[0].state, TENANT_RUNNING);
	ck_assert_int_eq(wanted[1].state, TENANT_OFFLINE_MAINTENANCE);
	ck_assert_str_eq(wanted[2].clone_id, "d1");
	ck_assert_int_eq(wanted[2].run, 3);
	ck_assert_int_eq(wanted[3].superid, IDENTITY_IN_MIGRATION);
	ck_assert_int_eq(wanted[4].status, CLONE_CANCELLED);
	ck_assert_str_eq(wanted[5].clone_id, "g2");
	ck_assert_int_eq(wanted[5].sequence, 36);
	ck_assert_int_eq(wanted[6].status, CLONE_FAILED);
	for (int seed = 1; seed <= SEEDS; seed++) {
		uint64_t chance = (uint64_t)seed;

		if (seed % 2)
			interleave(&list, &chance);
		else
			scatter(&list, &chance);
		if (seed % 8 >= 6)
			compact(&list, &chance);
		check_rows(&list, seed % 3 == 0, wanted, seed);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tenant_fold");
	TCase *stories = tcase_create("stories"), *orders = tcase_create("orders");
	SRunner *sr = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(stories, setup, teardown);
	tcase_add_test(stories, a_complete_clone_leaves_it_running);
	tcase_add_test(stories, nothing_told_is_unknown);
	tcase_add_test(stories, a_failed_clone_leaves_it_offline_with_the_cause);
	tcase_add_test(stories, a_clone_that_fails_between_21_and_24_leaves_it_in_migration);
	tcase_add_test(stories, a_replay_goes_on);
	tcase_add_test(stories, a_replay_from_the_beginning_takes_it_offline_again);
	tcase_add_test(stories, the_clone_before_speaks_until_the_next_one_begins);
	tcase_add_test(stories, a_cancelled_clone_gives_it_back);
	tcase_add_test(stories, a_cancelled_clone_with_nothing_to_go_back_to_leaves_it_offline);
	tcase_add_test(stories, a_rollback_gives_it_back);
	tcase_add_test(stories, less_is_told);
	tcase_add_test(stories, a_rejected_one_never_counts);
	tcase_add_test(stories, names_from_outside);
	suite_add_tcase(suite, stories);
	tcase_add_checked_fixture(orders, setup, teardown);
	tcase_set_timeout(orders, 250);
	tcase_add_test(orders, any_order_gives_the_same_rows);
	suite_add_tcase(suite, orders);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
