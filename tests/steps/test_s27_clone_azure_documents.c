/* SPDX-License-Identifier: Apache-2.0
 * s27: copies the documents the request wants. */
#include "tests/support/step_test.h"

#define OURS WORLD_GENERATION "/Documents"

START_TEST(included_users_only)
{
	ck_step(STEP_clone_azure_documents, STEP_DONE);
	ck_assert_int_ge(world_file(w, "objects", OURS "/TST/2026.2/offer.docx"), 1);
	ck_assert_int_eq(world_file(w, "objects", OURS "/ADM"), -1);
}
END_TEST

/* A line of the wizard's list with "none" ticked includes nobody. */
START_TEST(a_user_without_a_plan_is_not_included)
{
	static const struct user_plan users[] = { { .login = "tester@company.example", .plan = "" },
						  { .login = "admin@company.example", .plan = "ten-sales" } };

	w->job.users = users;
	w->job.user_count = 2;
	ck_step(STEP_clone_azure_documents, STEP_DONE);
	ck_assert_int_eq(world_file(w, "objects", OURS "/TST"), -1);
	ck_assert_int_ge(world_file(w, "objects", OURS "/ADM/2026.1/plan.docx"), 1);
}
END_TEST

START_TEST(all_documents)
{
	w->job.documents = DOCUMENTS_ALL;
	ck_step(STEP_clone_azure_documents, STEP_DONE);
	ck_assert_int_ge(world_file(w, "objects", OURS "/TST/2026.2/offer.docx"), 1);
	ck_assert_int_ge(world_file(w, "objects", OURS "/ADM/2026.1/plan.docx"), 1);
	ck_assert_int_eq(world_file(w, "objects", WORLD_GENERATION "/Attachments"), -1);
	ck_assert_int_eq(atomic_load(&w->progress.rows), w->last.rows); /* told as it went */
	ck_assert_int_eq(atomic_load(&w->progress.rows_total), w->last.rows);
	ck_assert_int_eq(atomic_load(&w->progress.bytes), w->last.bytes);
}
END_TEST

START_TEST(no_documents)
{
	w->job.documents = DOCUMENTS_NONE;
	ck_step(STEP_clone_azure_documents, STEP_SKIPPED);
	ck_assert_str_eq(w->last.detail, "no documents asked for");
	ck_assert_int_eq(world_file(w, "objects", OURS), -1);
}
END_TEST

START_TEST(goes_on_where_a_crash_left_it)
{
	world_put_file(w, "objects", OURS "/TST/2026.2/offer.docx", "half");
	ck_step(STEP_clone_azure_documents, STEP_DONE);
	ck_assert_int_gt(world_file(w, "objects", OURS "/TST/2026.2/offer.docx"), 4);
}
END_TEST

STEP_TESTS(clone_azure_documents, included_users_only, a_user_without_a_plan_is_not_included, all_documents, no_documents,
	   goes_on_where_a_crash_left_it)
