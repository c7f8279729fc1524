/* SPDX-License-Identifier: Apache-2.0
 * Which steps a replay does again. */
#include "consumer/core/replay.h"

#include <check.h>
#include <stdlib.h>

static const struct step_job was = { .mask_domain = "old.example", .mask_mode = MASK_KEEP_NAMES,
	.documents = DOCUMENTS_NONE, .attachments = ATTACHMENTS_NONE, .set_running = true };

static struct clone_replay plain(const char *from)
{
	return (struct clone_replay){ .from_step = from, .until_step = "", .mask_domain = "" };
}

static step_set clears(const struct clone_replay *r, int failed)
{
	return replay_clears(PLAN_PARALLEL, r, &was, failed);
}

START_TEST(it_begins_where_it_says_or_failed)
{
	struct clone_replay r = plain("");

	ck_assert_int_eq(replay_begins(&r, -1), STEP_END);
	ck_assert_uint_eq(clears(&r, -1), 0);
	ck_assert_int_eq(replay_begins(&r, STEP_register_superid), STEP_register_superid);
	ck_assert_uint_eq(clears(&r, STEP_register_superid), plan_descendants(PLAN_PARALLEL, STEP_register_superid));
	r = plain("copy_database");
	ck_assert_int_eq(replay_begins(&r, STEP_register_superid), STEP_copy_database);
	ck_assert_uint_eq(clears(&r, STEP_register_superid), plan_descendants(PLAN_PARALLEL, STEP_copy_database));
}
END_TEST

START_TEST(another_mask_needs_another_copy)
{
	struct clone_replay r = plain("");
	const step_set copied = plan_descendants(PLAN_PARALLEL, STEP_copy_database);

	r.has_mask_domain = true;
	r.mask_domain = "old.example";
	ck_assert_uint_eq(clears(&r, -1), 0); /* it is the same */
	r.mask_domain = "new.example";
	ck_assert_uint_eq(clears(&r, -1), copied);
	ck_assert_uint_eq(clears(&r, STEP_register_superid), copied | plan_descendants(PLAN_PARALLEL, STEP_register_superid));
	r.has_mask_domain = false;
	r.has_mask_mode = true;
	r.mask_mode = MASK_HASH;
	ck_assert_uint_eq(clears(&r, -1), copied);
	r.from_step = "mask_email_domains"; /* chosen: what is masked is masked once more */
	ck_assert_uint_eq(clears(&r, -1), plan_descendants(PLAN_PARALLEL, STEP_mask_email_domains));
	r.from_step = "enter_offline_mode";
	ck_assert_uint_eq(clears(&r, -1), plan_descendants(PLAN_PARALLEL, STEP_enter_offline_mode));
}
END_TEST

START_TEST(other_files_and_another_end_need_their_steps)
{
	struct clone_replay r = plain("");

	r.has_documents = true;
	r.documents = was.documents;
	ck_assert_uint_eq(clears(&r, -1), 0);
	r.documents = DOCUMENTS_ALL;
	ck_assert_uint_eq(clears(&r, -1), plan_descendants(PLAN_PARALLEL, STEP_clone_azure_documents) |
						  plan_descendants(PLAN_PARALLEL, STEP_clone_soarc_documents));
	r = plain("");
	r.has_attachments = true;
	r.attachments = ATTACHMENTS_ALL;
	ck_assert(clears(&r, -1) & STEP_BIT(STEP_clone_azure_attachments));
	ck_assert(clears(&r, -1) & STEP_BIT(STEP_clone_soarc_attachments));
	ck_assert(!(clears(&r, -1) & STEP_BIT(STEP_clone_azure_documents)));
	r = plain("");
	r.has_set_running = true;
	ck_assert_uint_eq(clears(&r, -1), plan_descendants(PLAN_PARALLEL, STEP_enter_running_mode));
}
END_TEST

/* Whoever cannot read the request must not promise that a step is left out. */
START_TEST(what_is_not_known_counts_as_changed)
{
	struct clone_replay r = plain("");

	r.has_mask_domain = true;
	r.mask_domain = "old.example";
	ck_assert_uint_eq(replay_clears(PLAN_STRICT, &r, NULL, -1), plan_descendants(PLAN_STRICT, STEP_copy_database));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("replay");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, it_begins_where_it_says_or_failed);
	tcase_add_test(tc, another_mask_needs_another_copy);
	tcase_add_test(tc, other_files_and_another_end_need_their_steps);
	tcase_add_test(tc, what_is_not_known_counts_as_changed);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
