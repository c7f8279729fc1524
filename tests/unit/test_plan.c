/* SPDX-License-Identifier: Apache-2.0
 * The table of the steps as a graph, against a closure computed the slow way, and its three pictures. */
#include "consumer/core/plan.h"
#include "consumer/core/retry.h"

#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool after[STEP_END][STEP_END];   /* direct */
static bool reaches[STEP_END][STEP_END]; /* near or far; a step reaches itself */

/* Floyd and Warshall: slow, short and nothing like the code under test. */
static void close_graph(enum plan_order order)
{
	for (int i = 0; i < STEP_END; i++)
		for (int j = 0; j < STEP_END; j++) {
			after[i][j] = order == PLAN_STRICT ? j == i - 1 : (steps[i].after & STEP_BIT(j)) != 0;
			reaches[i][j] = i == j || after[i][j];
		}
	for (int k = 0; k < STEP_END; k++)
		for (int i = 0; i < STEP_END; i++)
			for (int j = 0; j < STEP_END; j++)
				reaches[i][j] |= reaches[i][k] && reaches[k][j];
}

START_TEST(the_table_is_in_order)
{
	ck_assert_int_eq(STEP_END, 33);
	for (int i = 0; i < STEP_END; i++) {
		const struct step_row *row = &steps[i];

		ck_assert_int_eq(atoi(row->nn), i + 1);
		ck_assert_uint_eq(strlen(row->nn), 2);
		ck_assert_int_eq(step_by_slug(row->slug), i);
		ck_assert_uint_le(strlen(row->slug), SLUG_MAX);
		ck_assert_uint_eq(strspn(row->slug, "abcdefghijklmnopqrstuvwxyz_"), strlen(row->slug));
		ck_assert_ptr_nonnull(row->run);
		ck_assert_int_gt(row->deadline_ms, 0);
		ck_assert_uint_ne(row->ports, 0);
		ck_assert_uint_lt(row->ports, 1u << PORT_END);
		ck_assert_msg((row->after & ~(STEP_BIT(i) - 1)) == 0, "%s comes after a later row", row->slug);
		ck_assert_msg(i == 0 || row->after, "%s comes after nothing", row->slug);
		ck_assert_str_ne(step_phase_name(row->phase), "UNSET");
		ck_assert_str_ne(step_effect_name(row->effect), "UNSET");
		ck_assert(i == 0 || row->phase >= steps[i - 1].phase);
		for (int j = 0; j < i; j++)
			ck_assert_str_ne(row->slug, steps[j].slug);
	}
	ck_assert_int_eq(step_by_slug("no_such_step"), STEP_END);
	ck_assert_int_eq(step_by_slug(""), STEP_END);
}
END_TEST

/* The last step waits for every other one, or a clone could be complete with work left. */
START_TEST(everything_leads_to_the_end)
{
	ck_assert_uint_eq(plan_ancestors(PLAN_PARALLEL, STEP_wait_web_config), ALL_STEPS);
	ck_assert_uint_eq(plan_descendants(PLAN_PARALLEL, STEP_enter_offline_mode), ALL_STEPS);
}
END_TEST

/* No step may touch or open the tenant before what makes it harmless. */
START_TEST(nothing_opens_before_it_is_masked)
{
	static const enum step_id opening[] = { STEP_notify_partner_apps, STEP_enter_running_mode,
		STEP_provision_mail_service, STEP_grant_customer_query, STEP_recycle_customer };

	for (size_t i = 0; i < sizeof opening / sizeof *opening; i++)
		ck_assert_msg(plan_ancestors(PLAN_PARALLEL, opening[i]) & STEP_BIT(STEP_mask_email_domains),
			"%s does not wait for the masking", steps[opening[i]].slug);
}
END_TEST

START_TEST(ancestors_and_descendants_are_the_closure)
{
	for (enum plan_order order = PLAN_PARALLEL; order <= PLAN_STRICT; order++) {
		close_graph(order);
		for (int i = 0; i < STEP_END; i++)
			for (int j = 0; j < STEP_END; j++) {
				ck_assert_int_eq((plan_ancestors(order, (enum step_id)i) & STEP_BIT(j)) != 0, reaches[i][j]);
				ck_assert_int_eq((plan_descendants(order, (enum step_id)j) & STEP_BIT(i)) != 0, reaches[i][j]);
			}
	}
}
END_TEST

/* Any step whose turn it is may finish next: what is ready is always what the graph says, and it never stops short. */
START_TEST(any_way_through_the_plan)
{
	for (uint64_t seed = 1; seed <= 300; seed++) {
		enum plan_order order = seed % 10 ? PLAN_PARALLEL : PLAN_STRICT;
		uint64_t chance = seed;
		step_set done = 0;

		close_graph(order);
		while (done != ALL_STEPS) {
			step_set ready = plan_ready(order, done);
			int skip = (int)chance_below(&chance, __builtin_popcountll(ready));

			ck_assert_uint_ne(ready, 0);
			ck_assert(order == PLAN_PARALLEL || __builtin_popcountll(ready) == 1);
			for (int i = 0; i < STEP_END; i++) {
				bool may = !(done & STEP_BIT(i));

				for (int j = 0; j < STEP_END; j++)
					may &= !after[i][j] || (done & STEP_BIT(j));
				ck_assert_int_eq((ready & STEP_BIT(i)) != 0, may);
			}
			while (skip--)
				ready &= ready - 1;
			done |= ready & ~(ready - 1);
		}
		ck_assert_uint_eq(plan_ready(order, done), 0);
	}
}
END_TEST

START_TEST(some_of_it_runs_side_by_side)
{
	step_set ready = plan_ready(PLAN_PARALLEL, plan_ancestors(PLAN_PARALLEL, STEP_mask_email_domains));

	ck_assert(ready & STEP_BIT(STEP_clone_azure_documents));
	ck_assert(ready & STEP_BIT(STEP_clone_soarc_documents));
	ck_assert(ready & STEP_BIT(STEP_change_serial_number));
}
END_TEST

START_TEST(strict_is_one_after_the_other)
{
	step_set done = 0;

	for (int i = 0; i < STEP_END; i++) {
		ck_assert_uint_eq(plan_ready(PLAN_STRICT, done), STEP_BIT(i));
		done |= STEP_BIT(i);
	}
}
END_TEST

START_TEST(totals_are_what_users_know)
{
	step_set documents = STEP_BIT(STEP_clone_azure_documents) | STEP_BIT(STEP_clone_soarc_documents);

	ck_assert_int_eq(plan_total_steps(DOCUMENTS_ALL), 33);
	ck_assert_int_eq(plan_total_steps(DOCUMENTS_INCLUDED_USERS), 33);
	ck_assert_int_eq(plan_total_steps(DOCUMENTS_NONE), 31);
	ck_assert_int_eq(plan_counted(DOCUMENTS_ALL, ALL_STEPS), 33);
	ck_assert_int_eq(plan_counted(DOCUMENTS_NONE, ALL_STEPS), 31);
	ck_assert_int_eq(plan_counted(DOCUMENTS_NONE, documents), 0);
	ck_assert_int_eq(plan_counted(DOCUMENTS_ALL, documents), 2);
	for (int i = 0; i < STEP_END; i++)
		ck_assert_int_eq(steps[i].need == NEED_OPTIONAL, (documents & STEP_BIT(i)) != 0);
}
END_TEST

static struct buf printed(enum plan_order order, enum plan_format format)
{
	struct buf b;

	buf_init(&b, 256 * 1024);
	ck_assert(plan_print(order, format, &b));
	return b;
}

START_TEST(the_text_has_a_line_a_step)
{
	struct buf b = printed(PLAN_PARALLEL, PLAN_TEXT);
	int line = 0;

	for (char *at = b.data, *end; *at; at = end + 1, line++) {
		end = strchr(at, '\n');
		ck_assert_ptr_nonnull(end);
		*end = '\0';
		ck_assert_int_eq(atoi(at), line + 1);
		ck_assert_ptr_nonnull(strstr(at, steps[line].slug));
	}
	ck_assert_int_eq(line, STEP_END);
	buf_done(&b);
}
END_TEST

/* The edges printed leave out what a longer way implies; closed again they must be the same graph. */
static void check_json(enum plan_order order)
{
	struct buf b = printed(order, PLAN_JSON);
	json_error_t error;
	json_t *root = json_loadb(b.data, b.len, JSON_REJECT_DUPLICATES, &error), *list = json_object_get(root, "steps");
	bool from_json[STEP_END][STEP_END] = { 0 };

	ck_assert_msg(root != NULL, "%s in line %d", error.text, error.line);
	ck_assert_int_eq(json_integer_value(json_object_get(root, "plan_version")), PLAN_VERSION);
	ck_assert_str_eq(json_string_value(json_object_get(root, "order")), order == PLAN_STRICT ? "strict" : "parallel");
	ck_assert_uint_eq(json_array_size(list), STEP_END);
	for (int i = 0; i < STEP_END; i++) {
		const json_t *step = json_array_get(list, (size_t)i), *befores = json_object_get(step, "after");

		ck_assert_int_eq(json_integer_value(json_object_get(step, "number")), i + 1);
		ck_assert_str_eq(json_string_value(json_object_get(step, "slug")), steps[i].slug);
		ck_assert_str_eq(json_string_value(json_object_get(step, "sentence")), steps[i].sentence);
		ck_assert_int_eq(json_boolean_value(json_object_get(step, "optional")), steps[i].need == NEED_OPTIONAL);
		ck_assert_int_eq(json_integer_value(json_object_get(step, "deadline_seconds")) * 1000, steps[i].deadline_ms);
		from_json[i][i] = true;
		for (size_t k = 0; k < json_array_size(befores); k++)
			from_json[i][step_by_slug(json_string_value(json_array_get(befores, k)))] = true;
	}
	for (int k = 0; k < STEP_END; k++)
		for (int i = 0; i < STEP_END; i++)
			for (int j = 0; j < STEP_END; j++)
				from_json[i][j] |= from_json[i][k] && from_json[k][j];
	close_graph(order);
	ck_assert_mem_eq(from_json, reaches, sizeof reaches);
	json_decref(root);
	buf_done(&b);
}

START_TEST(the_json_is_the_plan)
{
	check_json(PLAN_PARALLEL);
	check_json(PLAN_STRICT);
}
END_TEST

static int count(const char *text, const char *word)
{
	int n = 0;

	for (; (text = strstr(text, word)); text += strlen(word))
		n++;
	return n;
}

START_TEST(the_picture_has_every_step_once)
{
	struct buf b = printed(PLAN_PARALLEL, PLAN_MERMAID), strict = printed(PLAN_STRICT, PLAN_MERMAID);

	ck_assert_int_eq(strncmp(b.data, "flowchart LR\n", 13), 0);
	ck_assert_int_eq(count(b.data, "[\""), 33);
	ck_assert_int_eq(count(b.data, "\"]\n"), 33);
	ck_assert_int_eq(count(b.data, "  subgraph "), 7);
	ck_assert_int_eq(count(b.data, "  end\n"), 7);
	for (int i = 0; i < STEP_END; i++) {
		char node[SLUG_MAX + 8];

		snprintf(node, sizeof node, "    %s[", steps[i].slug);
		ck_assert_int_eq(count(b.data, node), 1);
	}
	ck_assert_int_ge(count(b.data, " --> "), 32);
	ck_assert_int_eq(count(strict.data, " --> "), 32);
	buf_done(&b);
	buf_done(&strict);
}
END_TEST

START_TEST(too_small_a_buffer_is_said)
{
	for (enum plan_format format = PLAN_TEXT; format <= PLAN_MERMAID; format++) {
		struct buf b;

		buf_init(&b, 1000);
		ck_assert(!plan_print(PLAN_PARALLEL, format, &b));
		buf_done(&b);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("plan");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, the_table_is_in_order);
	tcase_add_test(tc, everything_leads_to_the_end);
	tcase_add_test(tc, nothing_opens_before_it_is_masked);
	tcase_add_test(tc, ancestors_and_descendants_are_the_closure);
	tcase_add_test(tc, any_way_through_the_plan);
	tcase_add_test(tc, some_of_it_runs_side_by_side);
	tcase_add_test(tc, strict_is_one_after_the_other);
	tcase_add_test(tc, totals_are_what_users_know);
	tcase_add_test(tc, the_text_has_a_line_a_step);
	tcase_add_test(tc, the_json_is_the_plan);
	tcase_add_test(tc, the_picture_has_every_step_once);
	tcase_add_test(tc, too_small_a_buffer_is_said);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
