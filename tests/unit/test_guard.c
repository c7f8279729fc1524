/* SPDX-License-Identifier: Apache-2.0
 * The guard: each thing that would harm production is refused, one by one, and the lawful case passes. */
#include "handlers/guard.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

enum { OURS = 1000 };

/* A world of one source, one target and four databases, each field of which a test may spoil. */
static struct world {
	struct tenant_record source, target;
	struct sql_stamp stamp; /* of every database but the source's */
	struct sql_identity source_identity, other_identity;
	atomic_bool stop;
} world;

static struct step_job job;
static struct step_settings settings;
static struct step_ports ports;
static struct step_ctx ctx;
static struct err err;

static bool get_tenant(struct tenant_port *self, const char *name, struct tenant_record *record_r, struct err *e)
{
	(void)self;
	(void)e;
	*record_r = strcmp(name, world.source.ctx) == 0 ? world.source : world.target;
	return true;
}

static bool identity(struct sql_port *self, const char *database, struct sql_identity *identity_r, struct err *e)
{
	(void)self;
	(void)e;
	*identity_r = strcmp(database, world.source.database) == 0 ? world.source_identity : world.other_identity;
	return true;
}

static bool stamp(struct sql_port *self, const char *database, struct sql_stamp *stamp_r, struct err *e)
{
	(void)self;
	(void)database;
	(void)e;
	*stamp_r = world.stamp;
	return true;
}

static void setup(void)
{
	static struct tenant_port tenant = { .get = get_tenant };
	static struct sql_port sql = { .identity = identity, .stamp = stamp };

	world = (struct world){
		.source = { .ctx = "Cust70000", .kind = TENANT_PRODUCTION, .database = "Cust70000" },
		.target = { .ctx = "Cust70001",
			    .kind = TENANT_TEST,
			    .linked_source = "Cust70000",
			    .database = "Cust70001",
			    .stamp = { .token = OURS - 1 } },
		.stamp = { .found = true, .source_ctx = "Cust70000", .target_ctx = "Cust70001", .token = OURS - 1 },
		.source_identity = { "server", "1" },
		.other_identity = { "server", "2" },
	};
	job = (struct step_job){
		.clone_id = "c1", .source_ctx = "Cust70000", .target_ctx = "Cust70001", .approved_target = ""
	};
	settings = (struct step_settings){ 0 };
	ports = (struct step_ports){ .tenant = &tenant, .sql = &sql };
	err_clear(&err);
	ctx = (struct step_ctx){
		.job = &job,
		.settings = &settings,
		.ports = &ports,
		.stop = &world.stop,
		.err = &err,
		.fence = { .clone_id = "c1",
			   .run = 1,
			   .step = "drop_database",
			   .target_ctx = "Cust70001",
			   .generation = "Cust70001__grs",
			   .token = OURS },
	};
}

static void refused(bool passed, enum err_class class, int code, const char *sentence)
{
	ck_assert_msg(!passed, "the guard let it pass, instead of: %s", sentence);
	ck_assert_int_eq(err.class, class);
	ck_assert_int_eq(err.code, code);
	ck_assert_msg(strstr(err.text, sentence), "\"%s\" does not say \"%s\"", err.text, sentence);
}

START_TEST(a_test_tenant_linked_to_the_source_passes)
{
	struct tenant_record record;

	ck_assert_msg(guard_target(&ctx, &record), "%s", err.text);
	ck_assert_str_eq(record.ctx, "Cust70001");
	ck_assert_msg(guard_target(&ctx, NULL), "%s", err.text);
	ck_assert_msg(guard_database(&ctx, "Cust70001"), "%s", err.text);
	ck_assert_msg(guard_database(&ctx, "Cust70001__grs"), "%s", err.text);
	ck_assert_msg(guard_database(&ctx, "Cust70001__gold"), "%s", err.text);
}
END_TEST

START_TEST(source_and_target_must_differ_also_by_more_than_case)
{
	job.source_ctx = "Cust70001";
	refused(guard_target(&ctx, NULL), ERR_REFUSED, 0, "same tenant");
	err_clear(&err);
	job.source_ctx = "CUST70001";
	refused(guard_target(&ctx, NULL), ERR_REFUSED, 0, "same tenant");
}
END_TEST

START_TEST(only_legal_names_come_through)
{
	static const char *const bad[] = { "",    "a b",  "a'b",      "a;b",
					   "a]b", "../a", "-a",       "_a",
					   "a/b", "a\"b", "\xc3\xa5", "a1234567890123456789012345678901234567890" };

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		setup();
		job.source_ctx = bad[i];
		refused(guard_target(&ctx, NULL), ERR_REFUSED, 0, "legal tenant name");
		setup();
		job.target_ctx = ctx.fence.target_ctx = bad[i];
		refused(guard_target(&ctx, NULL), ERR_REFUSED, 0, "legal tenant name");
	}
}
END_TEST

START_TEST(a_fence_for_another_target_is_a_bug)
{
	ctx.fence.target_ctx = "Cust70002";
	refused(guard_target(&ctx, NULL), ERR_BUG, 0, "not made for this target");
	setup();
	ctx.fence.generation = "Cust70002__grs";
	refused(guard_target(&ctx, NULL), ERR_BUG, 0, "not made for this target");
}
END_TEST

START_TEST(the_deny_list_is_obeyed_without_case)
{
	static const char *const deny[] = { "Cust1", "cust70001" };

	settings.deny_targets = deny;
	settings.deny_count = 2;
	refused(guard_target(&ctx, NULL), ERR_REFUSED, 0, "deny list");
}
END_TEST

START_TEST(production_and_strangers_are_no_targets)
{
	world.target.kind = TENANT_PRODUCTION;
	refused(guard_target(&ctx, NULL), ERR_REFUSED, 0, "test tenant");
	setup();
	world.target.kind = TENANT_KIND_UNSET;
	refused(guard_target(&ctx, NULL), ERR_REFUSED, 0, "test tenant");
	setup();
	strcpy(world.target.linked_source, "Cust7000");
	refused(guard_target(&ctx, NULL), ERR_REFUSED, 0, "link the target to this source");
	setup();
	strcpy(world.target.ctx, "Cust70009");
	refused(guard_target(&ctx, NULL), ERR_REFUSED, 0, "another tenant");
}
END_TEST

START_TEST(an_old_owner_is_fenced)
{
	world.target.stamp.token = OURS + 1;
	refused(guard_target(&ctx, NULL), ERR_REFUSED, ERR_CODE_FENCED, "newer owner");
	setup();
	world.stamp.token = OURS + 1;
	refused(guard_database(&ctx, "Cust70001"), ERR_REFUSED, ERR_CODE_FENCED, "newer owner");
	setup();
	atomic_store(&world.stop, true);
	refused(guard_database(&ctx, "Cust70001"), ERR_TRANSIENT, ERR_CODE_ABORTED, "asked to stop");
}
END_TEST

START_TEST(the_source_database_is_safe_under_every_name)
{
	refused(guard_database(&ctx, "Cust70000"), ERR_REFUSED, 0, "does not belong to the target");
	setup();
	strcpy(world.source.database, "Cust70001"); /* the registry itself is wrong */
	refused(guard_database(&ctx, "Cust70001"), ERR_REFUSED, 0, "the source works with");
	setup();
	world.other_identity = world.source_identity; /* an alias, a link, a second name */
	refused(guard_database(&ctx, "Cust70001__grs"), ERR_REFUSED, 0, "under another name");
	setup();
	world.other_identity.database_id[0] = '\0';
	refused(guard_database(&ctx, "Cust70001"), ERR_REFUSED, 0, "does not say which database");
}
END_TEST

START_TEST(the_same_number_on_another_server_is_another_database)
{
	world.other_identity = (struct sql_identity){ "other server", "1" };
	ck_assert_msg(guard_database(&ctx, "Cust70001"), "%s", err.text);
}
END_TEST

START_TEST(only_the_targets_own_names_come_through)
{
	static const char *const foreign[] = { "Cust70002",     "Cust70001x",   "Cust70001__", "Cust70001__g",
					       "Cust70001__gX", "Cust7000__g1", "master",      "" };

	for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
		setup();
		refused(guard_database(&ctx, foreign[i]), ERR_REFUSED, 0, "does not belong to the target");
	}
}
END_TEST

START_TEST(an_unstamped_database_needs_an_operator)
{
	world.stamp.found = false;
	refused(guard_database(&ctx, "Cust70001"), ERR_REFUSED, 0, "no sandbox stamp");
	setup();
	world.stamp.found = false;
	job.approved_target = "Cust70002";
	refused(guard_database(&ctx, "Cust70001"), ERR_REFUSED, 0, "no sandbox stamp");
	setup();
	world.stamp.found = false;
	job.approved_target = "Cust70001";
	ck_assert_msg(guard_database(&ctx, "Cust70001"), "%s", err.text);
}
END_TEST

START_TEST(a_foreign_stamp_is_refused_whoever_approves)
{
	strcpy(world.stamp.target_ctx, "Cust70002");
	job.approved_target = "Cust70001";
	refused(guard_database(&ctx, "Cust70001"), ERR_REFUSED, 0, "stamp of another target");
}
END_TEST

START_TEST(an_older_clone_is_refused_once_a_newer_one_has_built)
{
	static const char *const newer[] = { "Cust70001__grt", "Cust70001__gzz", "Cust70001__g100" };
	static const char *const older[] = { "Cust70001__grs", "Cust70001__grr", "Cust70001__gz", "Cust70001", "", "Cust70002__gzz" };

	for (size_t i = 0; i < sizeof newer / sizeof *newer; i++) {
		setup();
		strcpy(world.target.stamp.database, newer[i]);
		refused(guard_target(&ctx, NULL), ERR_REFUSED, 0, "a newer clone");
		setup();
		strcpy(world.target.stamp.database, newer[i]);
		ctx.fence.step = "clean_up";
		ck_assert_msg(guard_target(&ctx, NULL), "%s", err.text);
	}
	for (size_t i = 0; i < sizeof older / sizeof *older; i++) {
		setup();
		strcpy(world.target.stamp.database, older[i]);
		ck_assert_msg(guard_target(&ctx, NULL), "%s: %s", older[i], err.text);
	}
}
END_TEST

START_TEST(generations_are_told_from_what_looks_like_them)
{
	ck_assert(guard_is_generation_of("acme__g1z9", "acme"));
	ck_assert(guard_is_generation_of("acme-2__g0", "acme-2"));
	ck_assert(!guard_is_generation_of("acme-2__g0", "acme"));
	ck_assert(!guard_is_generation_of("acme__g", "acme"));
	ck_assert(!guard_is_generation_of("acme__gA", "acme"));
	ck_assert(!guard_is_generation_of("acme__g1/..", "acme"));
	ck_assert(!guard_is_generation_of("acme", "acme"));
	ck_assert(!guard_is_generation_of("__g1", ""));
	ck_assert(!guard_is_generation_of("a", "acme"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("guard");
	TCase *t = tcase_create("guard");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, a_test_tenant_linked_to_the_source_passes);
	tcase_add_test(t, source_and_target_must_differ_also_by_more_than_case);
	tcase_add_test(t, only_legal_names_come_through);
	tcase_add_test(t, a_fence_for_another_target_is_a_bug);
	tcase_add_test(t, the_deny_list_is_obeyed_without_case);
	tcase_add_test(t, production_and_strangers_are_no_targets);
	tcase_add_test(t, an_old_owner_is_fenced);
	tcase_add_test(t, the_source_database_is_safe_under_every_name);
	tcase_add_test(t, the_same_number_on_another_server_is_another_database);
	tcase_add_test(t, only_the_targets_own_names_come_through);
	tcase_add_test(t, an_unstamped_database_needs_an_operator);
	tcase_add_test(t, a_foreign_stamp_is_refused_whoever_approves);
	tcase_add_test(t, an_older_clone_is_refused_once_a_newer_one_has_built);
	tcase_add_test(t, generations_are_told_from_what_looks_like_them);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
