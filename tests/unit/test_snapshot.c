/* SPDX-License-Identifier: Apache-2.0
 * What is remembered of a clone: as fields of a hash and back, and folded from its events in any order. */
#include "consumer/core/retry.h"
#include "consumer/core/snapshot.h"

#include <check.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fill(char *text, size_t size, char with)
{
	memset(text, with, size - 1);
	text[size - 1] = '\0';
}

/* Every field as long as it can be. */
static struct clone_snapshot greatest(void)
{
	struct clone_snapshot s;
	int longest = 0;

	memset(&s, 0, sizeof s); /* compared as bytes below: no gap may differ */
	s.status = CLONE_CANCELLING;
	s.run = s.plan_version = INT_MAX;
	s.sequence = s.token = s.fingerprint = UINT64_MAX;
	fill(s.source_ctx, sizeof s.source_ctx, 'S');
	fill(s.generation, sizeof s.generation, 'G');
	fill(s.error_class, sizeof s.error_class, 'e');
	fill(s.cause, sizeof s.cause, 'c');
	for (int i = 0; i < STEP_END; i++) {
		s.outcome[i] = STEP_ALREADY; /* the longest name */
		if (strlen(steps[i].slug) > strlen(steps[longest].slug))
			longest = i;
	}
	s.scope = UINT64_MAX;
	s.requested_at_ms = s.started_at_ms = s.ended_at_ms = INT64_MIN + 1;
	s.failed_step = longest;
	s.cancel_begun = true;
	s.left_in = TENANT_MIGRATION_PENDING;
	s.control = s.replay = (struct input_mark){ INT_MAX, INT64_MAX };
	return s;
}

/* Written, read back with the sequence that the store keeps by itself. */
static struct clone_snapshot there_and_back(const struct clone_snapshot *s)
{
	struct snapshot_fields fields;
	struct store_pair pairs[SNAPSHOT_PAIRS_MAX + 1];
	struct clone_snapshot back;
	struct err e = { 0 };
	char sequence[24];

	snapshot_write(s, snapshot_done(s), &fields);
	memcpy(pairs, fields.pairs, fields.count * sizeof *pairs);
	snprintf(sequence, sizeof sequence, "%lld", (long long)s->sequence);
	pairs[fields.count] = (struct store_pair){ "sequence", sequence, strlen(sequence) };
	memset(&back, 0, sizeof back);
	ck_assert_msg(snapshot_read(pairs, fields.count + 1, &back, &e), "%s", e.text);
	return back;
}

static void same(const struct clone_snapshot *a, const struct clone_snapshot *b)
{
	ck_assert_int_eq(a->status, b->status);
	ck_assert_int_eq(a->run, b->run);
	ck_assert_int_eq(a->plan_version, b->plan_version);
	ck_assert_uint_eq(a->sequence, b->sequence);
	ck_assert_uint_eq(a->token, b->token);
	ck_assert_uint_eq(a->fingerprint, b->fingerprint);
	ck_assert_str_eq(a->source_ctx, b->source_ctx);
	ck_assert_str_eq(a->generation, b->generation);
	ck_assert_mem_eq(a->outcome, b->outcome, sizeof a->outcome);
	ck_assert_uint_eq(a->scope, b->scope);
	ck_assert_int_eq(a->requested_at_ms, b->requested_at_ms);
	ck_assert_int_eq(a->started_at_ms, b->started_at_ms);
	ck_assert_int_eq(a->ended_at_ms, b->ended_at_ms);
	ck_assert_int_eq(a->failed_step, b->failed_step);
	ck_assert_int_eq(a->cancel_begun, b->cancel_begun);
	ck_assert_int_eq(a->left_in, b->left_in);
	ck_assert_str_eq(a->error_class, b->error_class);
	ck_assert_str_eq(a->cause, b->cause);
	ck_assert_int_eq(a->control.partition, b->control.partition);
	ck_assert_int_eq(a->control.offset, b->control.offset);
	ck_assert_int_eq(a->replay.partition, b->replay.partition);
	ck_assert_int_eq(a->replay.offset, b->replay.offset);
}

START_TEST(the_greatest_fits_and_comes_back)
{
	struct clone_snapshot s = greatest(), back = there_and_back(&s);
	struct snapshot_fields fields;

	same(&s, &back);
	snapshot_write(&s, ALL_STEPS, &fields);
	ck_assert_uint_eq(fields.count, 18 + STEP_END);
	ck_assert_uint_le(fields.used, sizeof fields.text);
}
END_TEST

START_TEST(a_new_one_comes_back)
{
	struct clone_snapshot s, back;

	snapshot_init(&s);
	s.status = CLONE_RUNNING;
	s.run = 1;
	back = there_and_back(&s);
	same(&s, &back);
	ck_assert_int_eq(back.failed_step, -1);
	ck_assert_int_eq(back.control.offset, -1);
	ck_assert_uint_eq(back.scope, ALL_STEPS);
}
END_TEST

START_TEST(any_one_comes_back)
{
	uint64_t chance = 23;

	for (int i = 0; i < 3000; i++) {
		struct clone_snapshot s = greatest(), back;

		s.status = (enum clone_status)(1 + chance_below(&chance, CLONE_STATUS_END - 1));
		s.run = 1 + (int)chance_below(&chance, 5);
		s.token = chance_next(&chance) >> 11;
		s.sequence = chance_next(&chance) >> 20;
		s.fingerprint = chance_next(&chance);
		s.scope = chance_next(&chance) & ALL_STEPS;
		s.failed_step = (int)chance_below(&chance, STEP_END + 1) - 1;
		s.cause[chance_below(&chance, sizeof s.cause)] = '\0';
		s.started_at_ms = (int64_t)(chance_next(&chance) >> 22);
		for (int k = 0; k < STEP_END; k++)
			s.outcome[k] = (unsigned char)chance_below(&chance, STEP_SKIPPED + 1);
		if (chance_below(&chance, 2))
			s.control = (struct input_mark){ 0, -1 };
		back = there_and_back(&s);
		same(&s, &back);
	}
}
END_TEST

START_TEST(only_the_marks_asked_for_are_written)
{
	struct clone_snapshot s = greatest();
	struct snapshot_fields fields;
	int marks = 0;

	s.outcome[STEP_copy_database] = 0;
	snapshot_write(&s, STEP_BIT(STEP_create_login) | STEP_BIT(STEP_copy_database), &fields);
	for (size_t i = 0; i < fields.count; i++)
		if (strncmp(fields.pairs[i].name, "m:", 2) == 0) {
			ck_assert_str_eq(fields.pairs[i].name, "m:create_login");
			marks++;
		}
	ck_assert_int_eq(marks, 1);
	for (int i = 0; i < STEP_END; i++) {
		ck_assert_uint_le(strlen(snapshot_marker_field((enum step_id)i)), SLUG_MAX + 2);
		ck_assert_str_eq(snapshot_marker_field((enum step_id)i) + 2, steps[i].slug);
	}
}
END_TEST

/* Whoever writes only markers because the fingerprint is the same must not lose a field. */
START_TEST(any_changed_field_changes_the_fingerprint)
{
	const struct clone_snapshot s = greatest();
	struct clone_snapshot changed[20];
	size_t count = 0;

#define CHANGED(...) do { changed[count] = s; changed[count++].__VA_ARGS__; } while (0)
	CHANGED(status = CLONE_FAILED);
	CHANGED(run--);
	CHANGED(plan_version--);
	CHANGED(token--);
	CHANGED(fingerprint--);
	CHANGED(source_ctx[0]++);
	CHANGED(generation[0]++);
	CHANGED(scope--);
	CHANGED(requested_at_ms--);
	CHANGED(started_at_ms--);
	CHANGED(ended_at_ms--);
	CHANGED(failed_step--);
	CHANGED(cancel_begun = false);
	CHANGED(left_in--);
	CHANGED(error_class[0]++);
	CHANGED(cause[sizeof s.cause - 2]--);
	CHANGED(control.partition--);
	CHANGED(control.offset--);
	CHANGED(replay.partition--);
	CHANGED(replay.offset--);
#undef CHANGED
	for (size_t i = 0; i < count; i++)
		ck_assert_msg(snapshot_fingerprint(&changed[i]) != snapshot_fingerprint(&s), "change %zu", i);
	changed[0] = s;
	changed[0].sequence--;
	changed[0].outcome[3] = 0;
	ck_assert_uint_eq(snapshot_fingerprint(&changed[0]), snapshot_fingerprint(&s));
}
END_TEST

static bool reads(const char *name, const char *value, size_t len, struct clone_snapshot *s)
{
	const struct store_pair pairs[] = { { "status", "RUNNING", 7 }, { "run", "1", 1 }, { name, value, len } };
	struct err e = { 0 };
	bool ok = snapshot_read(pairs, 3, s, &e);

	ck_assert_int_eq(e.class, ok ? ERR_NONE : ERR_REFUSED);
	ck_assert(ok || strstr(e.text, name));
	return ok;
}

START_TEST(what_a_newer_version_wrote_is_passed_over)
{
	struct clone_snapshot s;

	ck_assert(reads("colour", "blue", 4, &s));
	ck_assert(reads("m:a_step_of_tomorrow", "DONE", 4, &s));
	ck_assert(reads("failed_step", "a_step_of_tomorrow", 18, &s));
	ck_assert_int_eq(s.failed_step, -1);
	ck_assert(reads("request", "\0\1\2", 3, &s));
	ck_assert(reads("", "", 0, &s));
}
END_TEST

START_TEST(nonsense_is_refused)
{
	static const struct {
		const char *name, *value;
	} bad[] = {
		{ "status", "" },             { "status", "running" },        { "status", "UNKNOWN" },
		{ "status", "A_STATUS_LONGER_THAN_ANY" },
		{ "run", "" },                { "run", "0" },                 { "run", "-1" },
		{ "run", "one" },             { "run", "4294967297" },        { "run", "1 " },
		{ "run", " 1" },              { "run", "+1" },                { "run", "99999999999999999999" },
		{ "plan", "x" },              { "token", "0x10" },            { "token", "1.5" },
		{ "token", "123456789012345678901234567890123" },
		{ "fingerprint", "" },        { "fingerprint", "xyz" },       { "fingerprint", "-1" },
		{ "fingerprint", "0x12" },    { "fingerprint", "11112222333344445" },
		{ "scope", "all" },           { "requested_at", "now" },      { "ended_at", "" },
		{ "sequence", "abc" },        { "m:copy_database", "" },      { "m:copy_database", "WAIT" },
		{ "m:copy_database", "FAILED" }, { "m:copy_database", "done" },
		{ "in_control", "" },         { "in_control", "5" },          { "in_control", "5:" },
		{ "in_control", ":5" },       { "in_control", "a:5" },        { "in_control", "5:b" },
		{ "in_control", "-1:5" },     { "in_control", "1:-5" },       { "in_replay", "1:2:3" },
		{ "in_replay", "99999999999:2" },
	};
	struct clone_snapshot s;
	char longer[300];

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (strcmp(bad[i].value, "0") == 0 && strcmp(bad[i].name, "run") == 0) {
			const struct store_pair pairs[] = { { "status", "RUNNING", 7 }, { "run", "0", 1 } };
			struct err e = { 0 };

			ck_assert(!snapshot_read(pairs, 2, &s, &e));
		} else {
			ck_assert_msg(!reads(bad[i].name, bad[i].value, strlen(bad[i].value), &s), "%s = \"%s\" passed", bad[i].name,
				bad[i].value);
		}
	fill(longer, sizeof longer, 'x');
	ck_assert(!reads("cause", longer, sizeof s.cause, &s));
	ck_assert(!reads("cause", "a\0b", 3, &s));
	ck_assert(!reads("source", longer, CTX_MAX + 1, &s));
	ck_assert(!reads("generation", longer, DATABASE_MAX + 1, &s));
	ck_assert(!reads("error_class", longer, sizeof s.error_class, &s));
}
END_TEST

START_TEST(without_status_or_run_it_is_none)
{
	const struct store_pair pairs[] = { { "status", "RUNNING", 7 }, { "run", "1", 1 } };
	struct clone_snapshot s;

	for (size_t i = 0; i < 2; i++) {
		struct err e = { 0 };

		ck_assert(!snapshot_read(&pairs[i], 1, &s, &e));
		ck_assert(!snapshot_read(NULL, 0, &s, &e));
	}
}
END_TEST

/* ---- folding ---- */

enum { EVENTS_MAX = 80 };

struct history {
	struct {
		bool is_state;
		struct step_completed step;
		struct clone_state state;
	} events[EVENTS_MAX];
	int count, run;
};

static void tell_state(struct history *h, enum clone_status status, const char *step, const char *cause)
{
	h->events[h->count].is_state = true;
	h->events[h->count].state = (struct clone_state){ .source_ctx = "S", .generation = "T__gabc", .status = status,
		.run = h->run, .sequence = h->count + 1, .requested_at_ms = 77, .step = step, .cause = cause,
		.error_class = *cause ? "refused" : "" };
	h->count++;
}

static void tell_step(struct history *h, enum step_id step, enum step_outcome outcome)
{
	h->events[h->count++].step = (struct step_completed){ .source_ctx = "S", .slug = steps[step].slug, .run = h->run,
		.sequence = h->count, .outcome = outcome };
	h->events[h->count - 1].step.sequence = h->count;
}

/* A run that fails at the masking, a replay from the copy that is paused, resumed and completed. */
static struct history a_life(void)
{
	struct history h = { .run = 1 };

	tell_state(&h, CLONE_RUNNING, "", "");
	for (int i = 0; i < STEP_mask_email_domains; i++)
		tell_step(&h, (enum step_id)i, i % 3 ? STEP_DONE : STEP_ALREADY);
	tell_step(&h, STEP_mask_email_domains, STEP_REFUSED);
	tell_state(&h, CLONE_FAILED, "mask_email_domains", "a column is too short");
	h.run = 2;
	tell_state(&h, CLONE_RUNNING, "", "");
	for (int i = STEP_copy_database; i < STEP_mask_email_domains; i++)
		tell_step(&h, (enum step_id)i, STEP_DONE);
	tell_state(&h, CLONE_PAUSED, "", "paused by an operator");
	tell_state(&h, CLONE_RUNNING, "", "");
	for (int i = STEP_mask_email_domains; i < STEP_END; i++)
		tell_step(&h, (enum step_id)i, i == STEP_clone_azure_documents ? STEP_SKIPPED : STEP_DONE);
	tell_state(&h, CLONE_COMPLETED, "", "");
	return h;
}

static void fold(struct clone_snapshot *s, const struct history *h, int i)
{
	if (h->events[i].is_state)
		snapshot_fold_state(s, &h->events[i].state);
	else
		snapshot_fold_step(s, &h->events[i].step);
}

static struct clone_snapshot fold_first(const struct history *h, int count)
{
	struct clone_snapshot s;

	snapshot_init(&s);
	for (int i = 0; i < count; i++)
		fold(&s, h, i);
	return s;
}

START_TEST(a_life_is_told)
{
	struct history h = a_life();
	struct clone_snapshot s;
	int failed = 0;

	while (!h.events[failed].is_state || h.events[failed].state.status != CLONE_FAILED)
		failed++;
	s = fold_first(&h, failed + 1);
	ck_assert_int_eq(s.status, CLONE_FAILED);
	ck_assert_int_eq(s.failed_step, STEP_mask_email_domains);
	ck_assert_str_eq(s.cause, "a column is too short");
	ck_assert_uint_eq(s.sequence, (uint64_t)failed + 1);
	ck_assert_uint_eq(snapshot_done(&s), STEP_BIT(STEP_mask_email_domains) - 1);

	/* The replay cleared markers that its events do not name: none of the first run's may count for it. */
	s = fold_first(&h, failed + 2);
	ck_assert_int_eq(s.status, CLONE_RUNNING);
	ck_assert_int_eq(s.run, 2);
	ck_assert_int_eq(s.failed_step, -1);
	ck_assert_str_eq(s.cause, "");
	ck_assert_uint_eq(snapshot_done(&s), 0);

	s = fold_first(&h, h.count);
	ck_assert_int_eq(s.status, CLONE_COMPLETED);
	ck_assert_uint_eq(s.sequence, (uint64_t)h.count);
	ck_assert_str_eq(s.source_ctx, "S");
	ck_assert_str_eq(s.generation, "T__gabc");
	ck_assert_int_eq(s.requested_at_ms, 77);
	ck_assert_int_eq(s.outcome[STEP_clone_azure_documents], STEP_SKIPPED);
}
END_TEST

/* A replay that ends early must end early after a loss of the store, too; the run after it does all again. */
START_TEST(what_a_run_does_is_told)
{
	static const char *const only[] = { "enter_offline_mode", "no_such_step", "copy_database" };
	static const char *const unknown[] = { "no_such_step" };
	struct history h = { .run = 1 };
	struct clone_snapshot s;

	tell_state(&h, CLONE_PAUSED, "", "as it was told");
	h.events[0].state.only_steps = only;
	h.events[0].state.only_step_count = 3;
	s = fold_first(&h, 1);
	ck_assert_uint_eq(s.scope, STEP_BIT(STEP_enter_offline_mode) | STEP_BIT(STEP_copy_database));
	h.events[0].state.only_steps = unknown;
	h.events[0].state.only_step_count = 1;
	ck_assert_uint_eq(fold_first(&h, 1).scope, ALL_STEPS);
	h.events[0].state.only_steps = only;

	h.run = 2;
	tell_step(&h, STEP_copy_database, STEP_DONE);
	ck_assert_uint_eq(fold_first(&h, 2).scope, ALL_STEPS);
	tell_state(&h, CLONE_RUNNING, "", "");
	ck_assert_uint_eq(fold_first(&h, 3).scope, ALL_STEPS);
}
END_TEST

/* Topics have no common order and consumers send again: any prefix of a life, shuffled and with repeats. */
START_TEST(folding_in_any_order_and_twice_is_the_same)
{
	struct history h = a_life();

	for (uint64_t seed = 1; seed <= 4000; seed++) {
		uint64_t chance = seed;
		int count = 1 + (int)chance_below(&chance, h.count), order[2 * EVENTS_MAX], n = 0;
		struct clone_snapshot expected = fold_first(&h, count), s;

		for (int i = 0; i < count; i++) {
			order[n++] = i;
			if (chance_below(&chance, 3) == 0)
				order[n++] = i;
		}
		for (int i = n - 1; i > 0; i--) {
			int k = (int)chance_below(&chance, i + 1), kept = order[i];

			order[i] = order[k];
			order[k] = kept;
		}
		snapshot_init(&s);
		for (int i = 0; i < n; i++)
			fold(&s, &h, order[i]);
		same(&expected, &s);
		ck_assert_uint_eq(expected.state_sequence, s.state_sequence);
	}
}
END_TEST

/* The state topic is compacted: of the states only the last is left. */
START_TEST(only_the_last_state_is_enough)
{
	struct history h = a_life();

	for (int count = 1; count <= h.count; count++) {
		struct clone_snapshot expected = fold_first(&h, count), s;
		int last = count - 1;

		while (!h.events[last].is_state)
			last--;
		snapshot_init(&s);
		fold(&s, &h, last);
		for (int i = 0; i < count; i++)
			if (!h.events[i].is_state)
				fold(&s, &h, i);
		same(&expected, &s);
	}
}
END_TEST

START_TEST(steps_alone_say_that_it_runs)
{
	const struct step_completed step = { .slug = "enter_offline_mode", .source_ctx = "S", .run = 1, .sequence = 2,
		.outcome = STEP_DONE };
	const struct step_completed unknown = { .slug = "a_step_of_tomorrow", .source_ctx = "S", .run = 1, .sequence = 9,
		.outcome = STEP_DONE };
	struct clone_snapshot s;

	snapshot_init(&s);
	snapshot_fold_step(&s, &step);
	ck_assert_int_eq(s.status, CLONE_RUNNING);
	ck_assert_int_eq(s.run, 1);
	snapshot_fold_step(&s, &unknown);
	ck_assert_uint_eq(snapshot_done(&s), STEP_BIT(STEP_enter_offline_mode));
	ck_assert_uint_eq(s.sequence, 9); /* its number is taken: the next event must not bear it again */
}
END_TEST

START_TEST(a_step_that_told_one_event_of_two_is_done_again)
{
	const struct step_completed step = { .slug = "notify_partner_apps", .source_ctx = "S", .run = 2, .sequence = 40,
		.outcome = STEP_DONE };
	const struct backup_restored earlier = { .run = 1, .sequence = 30 }, told = { .run = 2, .sequence = 41 };
	const struct clone_state ended = { .run = 2, .sequence = 44, .status = CLONE_COMPLETED, .source_ctx = "S",
		.generation = "T__g1", .step = "", .error_class = "", .cause = "" };
	struct clone_snapshot s;

	snapshot_init(&s);
	snapshot_fold_restored(&s, &told);
	snapshot_fold_step(&s, &step);
	snapshot_fold_end(&s);
	ck_assert_uint_eq(snapshot_done(&s), STEP_BIT(STEP_notify_partner_apps));
	ck_assert_uint_eq(s.sequence, 41); /* the next event must not bear its number */
	snapshot_init(&s);
	snapshot_fold_restored(&s, &earlier);
	snapshot_fold_step(&s, &step);
	snapshot_fold_end(&s);
	ck_assert_uint_eq(snapshot_done(&s), 0);
	snapshot_init(&s);
	snapshot_fold_step(&s, &step);
	snapshot_fold_state(&s, &ended); /* at rest everything was told, even if the topic has lost it since */
	snapshot_fold_end(&s);
	ck_assert_uint_eq(snapshot_done(&s), STEP_BIT(STEP_notify_partner_apps));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("snapshot");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, the_greatest_fits_and_comes_back);
	tcase_add_test(tc, a_new_one_comes_back);
	tcase_add_test(tc, any_one_comes_back);
	tcase_add_test(tc, only_the_marks_asked_for_are_written);
	tcase_add_test(tc, any_changed_field_changes_the_fingerprint);
	tcase_add_test(tc, what_a_newer_version_wrote_is_passed_over);
	tcase_add_test(tc, nonsense_is_refused);
	tcase_add_test(tc, without_status_or_run_it_is_none);
	tcase_add_test(tc, a_life_is_told);
	tcase_add_test(tc, what_a_run_does_is_told);
	tcase_add_test(tc, folding_in_any_order_and_twice_is_the_same);
	tcase_add_test(tc, only_the_last_state_is_enough);
	tcase_add_test(tc, steps_alone_say_that_it_runs);
	tcase_add_test(tc, a_step_that_told_one_event_of_two_is_done_again);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
