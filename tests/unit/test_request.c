/* SPDX-License-Identifier: Apache-2.0
 * The rules of a clone request: one good request, and every way to spoil one field of it. */
#include "consumer/core/request.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static bool domain_check(const char *domain, struct err *e)
{
	return strcmp(domain, "sandbox.example") == 0 || err_set(e, ERR_REFUSED, 0, "mask", "not a host name");
}

static const struct request_rules rules = { .domain_check = domain_check };
static const char *const keep[] = { "tester@company.example" };
static const int64_t schedules[] = { 7, 9 };

struct sample {
	struct user_plan users[2];
	struct clone_request r;
};

static struct sample sample(void)
{
	return (struct sample){
		.users = { { .login = "tester@company.example", .plan = "ten-sales", .is_admin = true },
			   { .associate_id = 12, .plan = "" } },
		.r = { .job = { .clone_id = "0198f0c2-7d1e-7c5b-9a54-2f6f2a1b9c10", .kind = CLONE_REPLACE,
				.source_ctx = "Cust70000", .target_ctx = "Cust70001",
				.requested_by = "admin@company.example", .mask_enabled = true,
				.mask_domain = "sandbox.example", .mask_mode = MASK_KEEP_NAMES, .mask_keep = keep,
				.mask_keep_count = 1,
				.user_count = 2, .documents = DOCUMENTS_NONE, .attachments = ATTACHMENTS_NO_REQUESTS,
				.enable_schedules = schedules, .enable_schedule_count = 2, .set_running = true,
				.approved_target = "" },
		       .confirmed = true, .requested_at_ms = 1, .expected_generation = "" },
	};
}

static void accepted(struct sample *s)
{
	struct err e = { 0 };

	s->r.job.users = s->users;
	ck_assert_msg(request_check(&s->r, &rules, &e), "%s", e.text);
	ck_assert_int_eq(e.class, ERR_NONE);
}

/* The request is refused, and the sentence names the field and quotes no address. */
static void refused(struct sample *s, const char *field)
{
	struct err e = { 0 };

	s->r.job.users = s->users;
	ck_assert_msg(!request_check(&s->r, &rules, &e), "accepted a bad %s", field);
	ck_assert_int_eq(e.class, ERR_REFUSED);
	ck_assert_msg(strncmp(e.text, field, strlen(field)) == 0, "\"%s\" does not begin with %s", e.text, field);
	ck_assert_ptr_null(strstr(e.text, "company.example"));
}

START_TEST(a_good_request_is_accepted)
{
	struct sample s = sample();

	accepted(&s);
	s.r.job.mask_mode = MASK_HASH;
	accepted(&s);
	s.r.job.approved_target = "Cust70001";
	s.r.expected_generation = "Cust70001__gabc";
	s.r.job.clone_id = "c1";
	accepted(&s);
}
END_TEST

START_TEST(bad_tenant_names_are_refused)
{
	static const char *const bad[] = {
		"", "-x", "_x", "Cust 1", "Cust1;drop", "Cust'1", "Cust\"1", "Cust[1]", "../Cust1", "Cust1\n",
		"K\303\270b", "a23456789012345678901234567890123456789012",
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct sample s = sample(), t = sample();

		s.r.job.source_ctx = bad[i];
		refused(&s, "source_ctx");
		t.r.job.target_ctx = bad[i];
		refused(&t, "target_ctx");
	}
}
END_TEST

START_TEST(missing_texts_count_as_empty)
{
	struct sample s = sample();
	struct err e = { 0 };

	memset(&s.r, 0, sizeof s.r);
	ck_assert(!request_check(&s.r, &rules, &e));
	ck_assert_int_eq(e.class, ERR_REFUSED);
	ck_assert_uint_ne(request_fingerprint(&s.r), 0);
}
END_TEST

#define SPOIL(name, field, change) \
	START_TEST(name) \
	{ \
		struct sample s = sample(); \
		struct clone_request *r = &s.r; \
		(void)r; \
		change; \
		refused(&s, field); \
	} \
	END_TEST

SPOIL(source_equals_target, "target_ctx", r->job.target_ctx = "cUST70000")
SPOIL(clone_id_is_empty, "clone_id", r->job.clone_id = "")
SPOIL(clone_id_is_long, "clone_id", r->job.clone_id = "0198f0c2-7d1e-7c5b-9a54-2f6f2a1b9c100")
SPOIL(clone_id_has_other_letters, "clone_id", r->job.clone_id = "run-7")
SPOIL(kind_is_unset, "kind", r->job.kind = CLONE_KIND_UNSET)
SPOIL(not_confirmed, "confirmed", r->confirmed = false)
SPOIL(nobody_asked, "requested_by", r->job.requested_by = "")
SPOIL(requester_with_line_break, "requested_by", r->job.requested_by = "a@b\r\nBcc: c@d")
SPOIL(asked_before_1970, "requested_at", r->requested_at_ms = -1)
SPOIL(approved_target_differs, "approved_target", r->job.approved_target = "Cust70002")
SPOIL(generation_is_no_name, "expected_generation", r->expected_generation = "x;drop")
SPOIL(mask_is_off, "mask.enabled", r->job.mask_enabled = false)
SPOIL(mask_domain_is_empty, "mask.domain", r->job.mask_domain = "")
SPOIL(mask_domain_is_illegal, "mask.domain: not a host name", r->job.mask_domain = "evil.example>")
SPOIL(mask_mode_is_unset, "mask.mode", r->job.mask_mode = MASK_MODE_UNSET)
SPOIL(mask_mode_is_unknown, "mask.mode", r->job.mask_mode = (enum mask_mode)(MASK_HASH + 1))
SPOIL(keep_is_no_address, "mask.keep[0]", r->job.mask_keep = (const char *const[]){ "*" })
SPOIL(too_many_kept, "mask.keep has 1001", r->job.mask_keep_count = 1001)
SPOIL(no_users, "user_plan_map", r->job.user_count = 0)
SPOIL(no_administrator, "user_plan_map", s.users[0].is_admin = false)
SPOIL(administrator_without_plan, "user_plan_map", s.users[0].plan = "")
SPOIL(too_many_users, "user_plan_map has 10001", r->job.user_count = 10001)
SPOIL(user_without_name, "user_plan_map[1]", s.users[1].associate_id = 0)
SPOIL(negative_associate, "user_plan_map[1].associate_id", s.users[1].associate_id = -4)
SPOIL(plan_is_no_name, "user_plan_map[0].plan", s.users[0].plan = "ten'; drop")
SPOIL(login_with_control_character, "user_plan_map[0].login", s.users[0].login = "a\tb@company.example")
SPOIL(login_twice, "user_plan_map", s.users[1].login = "TESTER@company.example")
SPOIL(associate_twice, "user_plan_map", s.users[0].associate_id = 12)
SPOIL(documents_unset, "documents", r->job.documents = DOCUMENTS_UNSET)
SPOIL(attachments_unset, "attachments", r->job.attachments = ATTACHMENTS_UNSET)
SPOIL(too_many_schedules, "enable_schedules has 10001", r->job.enable_schedule_count = 10001)
SPOIL(schedule_zero, "enable_schedules[1]", r->job.enable_schedules = ((const int64_t[]){ 5, 0 }))

START_TEST(unmasked_only_where_it_is_allowed)
{
	const struct request_rules allowing = { .domain_check = domain_check, .allow_unmasked = true };
	struct sample s = sample();
	struct err e = { 0 };

	s.r.job.users = s.users;
	s.r.job.mask_enabled = false;
	s.r.job.mask_domain = "";
	ck_assert(request_check(&s.r, &allowing, &e));
}
END_TEST

START_TEST(the_largest_request_is_accepted)
{
	struct user_plan *users = calloc(REQUEST_USERS_MAX, sizeof *users);
	struct sample s = sample();
	struct err e = { 0 };

	ck_assert_ptr_nonnull(users);
	for (int i = 0; i < REQUEST_USERS_MAX; i++)
		users[i] = (struct user_plan){ .associate_id = i + 1, .plan = "p", .is_admin = true };
	s.r.job.users = users;
	s.r.job.user_count = REQUEST_USERS_MAX;
	ck_assert_msg(request_check(&s.r, &rules, &e), "%s", e.text);
	users[9999].associate_id = 1;
	ck_assert(!request_check(&s.r, &rules, &e));
	free(users);
}
END_TEST

START_TEST(the_fingerprint_sees_every_wish)
{
	struct sample s = sample();
	struct clone_request *r = &s.r;
	uint64_t before, same;

	r->job.users = s.users;
	before = request_fingerprint(r);
	r->requested_at_ms = 99;
	strcpy(r->traceparent, "x");
	r->job.mask_mode = MASK_MODE_UNSET; /* of a request from before there was a choice */
	same = request_fingerprint(r);
	ck_assert_uint_eq(before, same);
	r->job.mask_mode = MASK_KEEP_NAMES;
#define CHANGES(change) \
	do { \
		change; \
		ck_assert_uint_ne(request_fingerprint(r), before); \
		s = sample(); \
		r->job.users = s.users; \
		ck_assert_uint_eq(request_fingerprint(r), before); \
	} while (0)
	CHANGES(r->job.clone_id = "c2");
	CHANGES(r->job.kind = CLONE_CREATE);
	CHANGES(r->job.source_ctx = "Cust7000"; r->job.target_ctx = "0Cust70001");
	CHANGES(r->job.target_ctx = "Cust70002");
	CHANGES(r->job.requested_by = "x");
	CHANGES(r->job.mask_enabled = false);
	CHANGES(r->job.mask_domain = "x");
	CHANGES(r->job.mask_mode = MASK_HASH);
	CHANGES(r->job.mask_keep_count = 0);
	CHANGES(r->job.user_count = 1);
	CHANGES(s.users[0].login = "x");
	CHANGES(s.users[0].plan = "x");
	CHANGES(s.users[0].is_admin = false);
	CHANGES(s.users[1].associate_id = 13);
	CHANGES(r->job.documents = DOCUMENTS_ALL);
	CHANGES(r->job.attachments = ATTACHMENTS_ALL);
	CHANGES(r->job.enable_schedule_count = 1);
	CHANGES(r->job.set_running = false);
	CHANGES(r->job.approved_target = "Cust70001");
	CHANGES(r->confirmed = false);
	CHANGES(r->expected_generation = "x");
}
END_TEST

START_TEST(a_replay_changes_only_what_it_gives)
{
	struct sample s = sample();
	struct clone_replay replay = { .clone_id = s.r.job.clone_id, .target_ctx = "Cust70001", .has_documents = true,
				       .documents = DOCUMENTS_ALL, .mask_domain = "ignored.example" };
	struct err e = { 0 };

	s.r.job.users = s.users;
	ck_assert(request_apply_replay(&s.r, &replay, &e));
	ck_assert_int_eq(s.r.job.documents, DOCUMENTS_ALL);
	ck_assert_str_eq(s.r.job.mask_domain, "sandbox.example");
	ck_assert(s.r.job.set_running);
	ck_assert_uint_eq(s.r.fingerprint, request_fingerprint(&s.r));

	ck_assert_int_eq(s.r.job.mask_mode, MASK_KEEP_NAMES);
	replay.has_mask_domain = replay.has_attachments = replay.has_set_running = replay.has_approved_target = true;
	replay.has_mask_mode = true;
	replay.mask_mode = MASK_HASH;
	replay.mask_domain = "other.example";
	replay.attachments = ATTACHMENTS_ALL;
	replay.approved_target = "Cust70001";
	ck_assert(request_apply_replay(&s.r, &replay, &e));
	ck_assert_str_eq(s.r.job.mask_domain, "other.example");
	ck_assert_int_eq(s.r.job.mask_mode, MASK_HASH);
	ck_assert_int_eq(s.r.job.attachments, ATTACHMENTS_ALL);
	ck_assert(!s.r.job.set_running);
	ck_assert_str_eq(s.r.job.approved_target, "Cust70001");
}
END_TEST

START_TEST(a_replay_of_another_clone_changes_nothing)
{
	struct sample s = sample();
	struct clone_replay replay = { .clone_id = "c2", .target_ctx = "Cust70001", .has_mask_domain = true,
				       .mask_domain = "x" };
	struct err e = { 0 };

	ck_assert(!request_apply_replay(&s.r, &replay, &e));
	ck_assert_int_eq(e.class, ERR_REFUSED);
	ck_assert_str_eq(s.r.job.mask_domain, "sandbox.example");
	err_clear(&e);
	replay.clone_id = s.r.job.clone_id;
	replay.target_ctx = "Cust70002";
	ck_assert(!request_apply_replay(&s.r, &replay, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "target_ctx"));
	err_clear(&e);
	replay.target_ctx = "Cust70001";
	replay.has_mask_mode = true; /* a symbol that this version does not know */
	ck_assert(!request_apply_replay(&s.r, &replay, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "mask_mode"));
	ck_assert_str_eq(s.r.job.mask_domain, "sandbox.example");
}
END_TEST

static void add_spoiled(TCase *tc)
{
	static const TTest *const *const all[] = {
		&source_equals_target, &clone_id_is_empty, &clone_id_is_long, &clone_id_has_other_letters,
		&kind_is_unset, &not_confirmed, &nobody_asked, &requester_with_line_break,
		&asked_before_1970, &approved_target_differs, &generation_is_no_name, &mask_is_off,
		&mask_domain_is_empty, &mask_domain_is_illegal, &keep_is_no_address, &too_many_kept,
		&no_users, &no_administrator, &administrator_without_plan, &too_many_users,
		&user_without_name, &negative_associate, &plan_is_no_name, &login_with_control_character,
		&login_twice, &associate_twice, &documents_unset, &attachments_unset,
		&too_many_schedules, &schedule_zero, &mask_mode_is_unset, &mask_mode_is_unknown,
	};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		tcase_add_test(tc, *all[i]);
}

int main(void)
{
	Suite *suite = suite_create("request");
	TCase *tc = tcase_create("request");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, a_good_request_is_accepted);
	tcase_add_test(tc, bad_tenant_names_are_refused);
	tcase_add_test(tc, missing_texts_count_as_empty);
	add_spoiled(tc);
	tcase_add_test(tc, unmasked_only_where_it_is_allowed);
	tcase_add_test(tc, the_largest_request_is_accepted);
	tcase_add_test(tc, the_fingerprint_sees_every_wish);
	tcase_add_test(tc, a_replay_changes_only_what_it_gives);
	tcase_add_test(tc, a_replay_of_another_clone_changes_nothing);
	suite_add_tcase(suite, tc);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
