/* SPDX-License-Identifier: Apache-2.0
 * Names that are part of the contract with other programs, the trace context, and the end of a message. */
#include "consumer/core/trace.h"
#include "consumer/ports/messages.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(topics_have_the_names_of_the_contract)
{
	ck_assert_str_eq(topic_name(TOPIC_REQUESTED), "sandbox.clone.requested");
	ck_assert_str_eq(topic_name(TOPIC_REPLAY), "sandbox.clone.replay");
	ck_assert_str_eq(topic_name(TOPIC_CONTROL), "sandbox.clone.control");
	ck_assert_str_eq(topic_name(TOPIC_STEP_COMPLETED), "sandbox.clone.step.completed");
	ck_assert_str_eq(topic_name(TOPIC_BACKUP_RESTORED), "sandbox.clone.backup-restored");
	ck_assert_str_eq(topic_name(TOPIC_STATE), "sandbox.clone.state");
	ck_assert_str_eq(topic_name(TOPIC_DEAD_LETTER), "sandbox.clone.dead-letter");
	ck_assert_str_eq(topic_name((enum topic)77), "");
}
END_TEST

START_TEST(statuses_go_by_name_both_ways)
{
	for (int i = CLONE_STATUS_UNSET + 1; i < CLONE_STATUS_END; i++)
		ck_assert_int_eq(clone_status_by_name(clone_status_name((enum clone_status)i)), i);
	ck_assert_int_eq(clone_status_by_name("UNKNOWN"), CLONE_STATUS_UNSET);
	ck_assert_int_eq(clone_status_by_name("running"), CLONE_STATUS_UNSET);
	ck_assert_str_eq(clone_status_name((enum clone_status)99), "UNKNOWN");
}
END_TEST

START_TEST(only_six_statuses_are_at_rest)
{
	static const bool at_rest[CLONE_STATUS_END] = {
		[CLONE_COMPLETED] = true, [CLONE_FAILED] = true,   [CLONE_PAUSED] = true,
		[CLONE_CANCELLED] = true, [CLONE_REJECTED] = true, [CLONE_ROLLED_BACK] = true,
	};

	for (int i = 0; i < CLONE_STATUS_END; i++)
		ck_assert_int_eq(clone_status_is_at_rest((enum clone_status)i), at_rest[i]);
}
END_TEST

START_TEST(verbs_have_names)
{
	ck_assert_str_eq(control_verb_name(CONTROL_PAUSE), "PAUSE");
	ck_assert_str_eq(control_verb_name(CONTROL_RESUME), "RESUME");
	ck_assert_str_eq(control_verb_name(CONTROL_CANCEL), "CANCEL");
	ck_assert_str_eq(control_verb_name(CONTROL_RETRY_NOW), "RETRY_NOW");
	ck_assert_str_eq(control_verb_name(CONTROL_ROLLBACK), "ROLLBACK");
	ck_assert_str_eq(control_verb_name((enum control_verb)50), "UNKNOWN");
}
END_TEST

START_TEST(a_message_is_freed_with_its_strings)
{
	struct message *m = calloc(1, sizeof *m);

	ck_assert_ptr_nonnull(m);
	m->mem = arena_new(1024);
	ck_assert_ptr_nonnull(arena_text(m->mem, "Cust1", 5));
	message_free(&m);
	ck_assert_ptr_null(m);
	message_free(&m);
	message_free(NULL);
}
END_TEST

#define VALID "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

START_TEST(a_valid_traceparent_is_taken_over)
{
	char out[TRACEPARENT_TEXT];

	ck_assert(traceparent_read(VALID, strlen(VALID), out));
	ck_assert_str_eq(out, VALID);
	ck_assert(traceparent_read("cc" "-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", 60, out));
	ck_assert_str_eq(out, VALID);
}
END_TEST

START_TEST(an_invalid_traceparent_is_ignored_whole)
{
	static const char *const bad[] = {
		"", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
		"ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
		"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.more",
		"00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
		"0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
	};
	char out[TRACEPARENT_TEXT];

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ck_assert_msg(!traceparent_read(bad[i], strlen(bad[i]), out), "took %s", bad[i]);
		ck_assert_str_eq(out, "");
		ck_assert(!traceparent_child(bad[i], "e", out));
		ck_assert_str_eq(out, "");
	}
}
END_TEST

START_TEST(a_child_span_is_the_same_on_every_resend)
{
	char first[TRACEPARENT_TEXT], again[TRACEPARENT_TEXT], other[TRACEPARENT_TEXT];

	ck_assert(traceparent_child(VALID, "c1/1/copy_database/completed", first));
	ck_assert(traceparent_child(VALID, "c1/1/copy_database/completed", again));
	ck_assert(traceparent_child(VALID, "c1/2/copy_database/completed", other));
	ck_assert_str_eq(first, again);
	ck_assert_str_ne(first, other);
	ck_assert_str_ne(first, VALID);
	ck_assert_int_eq(memcmp(first, VALID, 36), 0);
	ck_assert_str_eq(first + 52, "-01");
	ck_assert(traceparent_read(first, strlen(first), other));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("messages");
	TCase *tc = tcase_create("messages");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, topics_have_the_names_of_the_contract);
	tcase_add_test(tc, statuses_go_by_name_both_ways);
	tcase_add_test(tc, only_six_statuses_are_at_rest);
	tcase_add_test(tc, verbs_have_names);
	tcase_add_test(tc, a_message_is_freed_with_its_strings);
	tcase_add_test(tc, a_valid_traceparent_is_taken_over);
	tcase_add_test(tc, an_invalid_traceparent_is_ignored_whole);
	tcase_add_test(tc, a_child_span_is_the_same_on_every_resend);
	suite_add_tcase(suite, tc);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
