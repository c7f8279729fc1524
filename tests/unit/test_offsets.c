/* SPDX-License-Identifier: Apache-2.0
 * Offsets: whatever order work ends in, the committed offset never passes a record that is under way, never goes back,
 * and reaches the end when all is at rest. */
#include "consumer/core/offsets.h"
#include "consumer/core/retry.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct bus_position at(int partition, int64_t offset)
{
	return (struct bus_position){ .topic = TOPIC_REQUESTED, .partition = partition, .offset = offset };
}

static void begin(struct offsets *o, int partition, int64_t offset)
{
	const struct bus_position p = at(partition, offset);

	ck_assert(offsets_begin(o, &p));
}

static void end(struct offsets *o, int partition, int64_t offset)
{
	const struct bus_position p = at(partition, offset);

	offsets_end(o, &p);
}

/* The commit that is due, of whatever partition; -1 when none is. */
static int64_t commit_of(struct offsets *o)
{
	struct bus_position p;

	return offsets_next_commit(o, &p) ? p.offset : -1;
}

START_TEST(nothing_is_committed_before_something_moves)
{
	struct offsets *o = offsets_new();
	struct bus_position p;

	ck_assert(offsets_assign(o, TOPIC_REQUESTED, 3));
	ck_assert_int_eq(commit_of(o), -1);
	begin(o, 3, 100);
	ck_assert_int_eq(commit_of(o), -1);
	end(o, 3, 100);
	ck_assert(offsets_next_commit(o, &p));
	ck_assert_int_eq(p.topic, TOPIC_REQUESTED);
	ck_assert_int_eq(p.partition, 3);
	ck_assert_int_eq(p.offset, 101);
	ck_assert_int_eq(commit_of(o), -1);
	offsets_free(&o);
	ck_assert_ptr_null(o);
	offsets_free(&o);
}
END_TEST

/* All 5,040 orders in which seven records can end, with gaps between their offsets as compaction leaves them. */
START_TEST(every_order_of_ending)
{
	enum { N = 7 };
	static const int64_t offsets[N] = { 10, 11, 14, 15, 16, 20, 30 };
	int order[N], orders = 0;

	for (int code = 0; code < 7 * 6 * 5 * 4 * 3 * 2; code++) {
		struct offsets *o = offsets_new();
		bool open[N], taken[N] = { false };
		int64_t last = 10;

		for (int i = 0, rest = code; i < N; rest /= N - i, i++) {
			int skip = rest % (N - i), k = 0;

			while (taken[k] || skip--)
				k++;
			taken[k] = true;
			order[i] = k;
		}
		orders++;
		ck_assert(offsets_assign(o, TOPIC_REQUESTED, 0));
		for (int i = 0; i < N; i++) {
			begin(o, 0, offsets[i]);
			open[i] = true;
		}
		for (int i = 0; i < N; i++) {
			int64_t expected = 31, got;

			end(o, 0, offsets[order[i]]);
			open[order[i]] = false;
			for (int k = N - 1; k >= 0; k--)
				if (open[k])
					expected = offsets[k];
			got = commit_of(o);
			ck_assert_int_eq(got, expected > last ? expected : -1);
			last = expected;
			ck_assert_int_eq(commit_of(o), -1);
		}
		ck_assert_int_eq(last, 31);
		offsets_free(&o);
	}
	ck_assert_int_eq(orders, 5040);
}
END_TEST

enum { PARTITIONS = 5, RECORDS = 400 };

struct model { /* of one partition */
	bool ours, open[RECORDS];
	int next, from, committed;
};

static int first_open(const struct model *m)
{
	for (int i = m->from; i < m->next; i++)
		if (m->open[i])
			return i;
	return m->next;
}

static void assign_or_drop(struct offsets *o, struct model *m, int partition)
{
	if (m->ours) {
		offsets_drop(o, TOPIC_REQUESTED, partition);
		m->ours = false;
		return;
	}
	ck_assert(offsets_assign(o, TOPIC_REQUESTED, partition));
	m->ours = true;
	m->next = m->from = m->committed; /* reading goes on from what was committed */
	memset(m->open, 0, sizeof m->open);
}

static void check_commits(struct offsets *o, struct model *models)
{
	struct bus_position p;

	while (offsets_next_commit(o, &p)) {
		struct model *m = &models[p.partition];

		ck_assert_msg(m->ours, "a commit for a partition that is not ours");
		ck_assert_int_gt(p.offset, m->committed);
		ck_assert_int_eq(p.offset, first_open(m));
		m->committed = (int)p.offset;
	}
	for (int i = 0; i < PARTITIONS; i++)
		if (models[i].ours && models[i].next > models[i].from)
			ck_assert_int_eq(models[i].committed, first_open(&models[i]));
}

static void act(struct offsets *o, struct model *models, uint64_t *chance)
{
	int partition = (int)chance_below(chance, PARTITIONS), what = (int)chance_below(chance, 100);
	struct model *m = &models[partition];
	int span = m->next - m->from, some = m->from + (int)chance_below(chance, span);

	if (what < 40 && m->next < RECORDS) {
		begin(o, partition, m->next);
		if (m->ours)
			m->open[m->next++] = true;
	} else if (what < 85 && span > 0) {
		end(o, partition, some);
		if (m->ours)
			m->open[some] = false;
	} else if (what < 97 && span > 0 && m->open[some]) {
		begin(o, partition, some); /* read again while it is under way: counted once */
	} else if (what == 98) {
		assign_or_drop(o, m, partition);
	}
}

START_TEST(any_history_against_a_model)
{
	for (uint64_t seed = 1; seed <= 60; seed++) {
		struct model models[PARTITIONS] = { 0 };
		struct offsets *o = offsets_new();
		uint64_t chance = seed;

		for (int i = 0; i < PARTITIONS; i++)
			assign_or_drop(o, &models[i], i);
		for (int i = 0; i < 4000; i++) {
			act(o, models, &chance);
			if (chance_below(&chance, 3) == 0)
				check_commits(o, models);
		}
		for (int i = 0; i < PARTITIONS; i++)
			for (int k = models[i].from; models[i].ours && k < models[i].next; k++) {
				end(o, i, k);
				models[i].open[k] = false;
			}
		check_commits(o, models);
		for (int i = 0; i < PARTITIONS; i++)
			if (models[i].ours)
				ck_assert_int_eq(models[i].committed, models[i].next);
		offsets_free(&o);
	}
}
END_TEST

START_TEST(one_that_ended_twice_or_was_never_begun_changes_nothing)
{
	struct offsets *o = offsets_new();

	offsets_assign(o, TOPIC_REQUESTED, 0);
	begin(o, 0, 5);
	begin(o, 0, 6);
	end(o, 0, 6);
	end(o, 0, 6);
	end(o, 0, 7);
	ck_assert_int_eq(commit_of(o), -1);
	end(o, 0, 5);
	ck_assert_int_eq(commit_of(o), 7);
	end(o, 0, 5);
	ck_assert_int_eq(commit_of(o), -1);
	offsets_free(&o);
}
END_TEST

START_TEST(an_old_ownership_is_forgotten)
{
	struct offsets *o = offsets_new();

	offsets_assign(o, TOPIC_REQUESTED, 0);
	begin(o, 0, 5);
	begin(o, 0, 6);
	offsets_assign(o, TOPIC_REQUESTED, 0); /* it came back: 5 is read again, and only that counts */
	ck_assert_int_eq(commit_of(o), -1);
	begin(o, 0, 5);
	end(o, 0, 6);
	ck_assert_int_eq(commit_of(o), -1);
	end(o, 0, 5);
	ck_assert_int_eq(commit_of(o), 6);
	offsets_drop(o, TOPIC_REQUESTED, 0);
	offsets_drop(o, TOPIC_REQUESTED, 0);
	begin(o, 0, 7);
	end(o, 0, 7);
	ck_assert_int_eq(commit_of(o), -1);
	offsets_free(&o);
}
END_TEST

START_TEST(what_is_revoked_is_told_of_until_it_is_dropped)
{
	struct offsets *o = offsets_new();

	for (int n = 0; n < 100; n++)
		offsets_assign(o, TOPIC_REQUESTED, n);
	for (int n = 1; n < 100; n++)
		offsets_revoke(o, TOPIC_REQUESTED, n);
	offsets_revoke(o, TOPIC_CONTROL, 1); /* was never ours */
	offsets_assign(o, TOPIC_REQUESTED, 2); /* came back */
	for (int n = 0; n < 4; n++)
		begin(o, n, 5);
	end(o, 3, 5);
	ck_assert_int_eq(commit_of(o), 6);
	offsets_drop_revoked(o);
	end(o, 1, 5);
	ck_assert_int_eq(commit_of(o), -1);
	end(o, 0, 5);
	ck_assert_int_eq(commit_of(o), 6);
	end(o, 2, 5);
	ck_assert_int_eq(commit_of(o), 6);
	ck_assert_int_eq(commit_of(o), -1);
	offsets_free(&o);
}
END_TEST

START_TEST(topics_are_kept_apart)
{
	struct offsets *o = offsets_new();
	struct bus_position control = { TOPIC_CONTROL, 0, 9 }, p;

	offsets_assign(o, TOPIC_REQUESTED, 0);
	offsets_assign(o, TOPIC_CONTROL, 0);
	begin(o, 0, 9);
	ck_assert(offsets_begin(o, &control));
	offsets_end(o, &control);
	ck_assert(offsets_next_commit(o, &p));
	ck_assert_int_eq(p.topic, TOPIC_CONTROL);
	ck_assert_int_eq(p.offset, 10);
	ck_assert(!offsets_next_commit(o, &p));
	offsets_free(&o);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("offsets");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, nothing_is_committed_before_something_moves);
	tcase_add_test(tc, every_order_of_ending);
	tcase_add_test(tc, any_history_against_a_model);
	tcase_add_test(tc, one_that_ended_twice_or_was_never_begun_changes_nothing);
	tcase_add_test(tc, an_old_ownership_is_forgotten);
	tcase_add_test(tc, what_is_revoked_is_told_of_until_it_is_dropped);
	tcase_add_test(tc, topics_are_kept_apart);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
