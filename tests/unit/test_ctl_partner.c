/* SPDX-License-Identifier: Apache-2.0
 * The commands for partner apps and what they were told, on a store of the test's own. */
#include "ctl_fixture.h"

#define EVENT OTHER_ID "/1/backup-restored"

static const struct delivery_try tries[] = { { FAKE_NOW - 9000, 1500, 503, "overloaded" }, { FAKE_NOW - 4000, 12, 0, "cut off" } };
static struct delivery_record records[3];
static size_t record_count, unanswered;
static struct app_record app;
static struct delivery_filter asked;
static int again_count, switched; /* 1 on, -1 off */
static char reason[64];

static bool list(struct deliveries_port *self, const struct delivery_filter *filter, struct arena *mem,
                 const struct delivery_record **list_r, size_t *count_r, struct err *e)
{
	(void)self, (void)mem, (void)e;
	asked = *filter;
	*list_r = records;
	*count_r = record_count;
	return true;
}

static bool show(struct deliveries_port *self, const char *event_id, const char *client_id, struct arena *mem,
                 struct delivery_record *record_r, struct err *e)
{
	(void)self, (void)mem;
	for (size_t i = 0; i < record_count; i++)
		if (strcmp(records[i].event_id, event_id) == 0 && strcmp(records[i].client_id, client_id) == 0) {
			*record_r = records[i];
			return true;
		}
	return err_set(e, ERR_REFUSED, 0, "redis", "no such delivery is known");
}

static bool redeliver(struct deliveries_port *self, const char *event_id, const char *client_id, int64_t now_ms, struct err *e)
{
	(void)self, (void)event_id, (void)now_ms;
	if (strcmp(client_id, "waits") == 0)
		return err_set(e, ERR_REFUSED, 0, "redis", "that delivery waits for its turn anyway");
	again_count++;
	return true;
}

static bool one_app(struct deliveries_port *self, const char *client_id, struct arena *mem, struct app_record *app_r,
                    bool *found_r, struct err *e)
{
	(void)self, (void)mem, (void)e;
	*found_r = strcmp(client_id, app.client_id) == 0;
	*app_r = app;
	return true;
}

static bool all_apps(struct deliveries_port *self, struct arena *mem, const struct app_record **list_r, size_t *count_r,
                     struct err *e)
{
	(void)self, (void)mem, (void)e;
	*list_r = &app;
	*count_r = 1;
	return true;
}

static bool switch_app(struct deliveries_port *self, const char *client_id, bool on, const char *why, int64_t now_ms,
                       struct err *e)
{
	(void)self, (void)client_id, (void)now_ms, (void)e;
	switched = on ? 1 : -1;
	snprintf(reason, sizeof reason, "%s", why);
	return true;
}

static bool unacknowledged(struct deliveries_port *self, const char *event_id, struct arena *mem,
                           const struct delivery_record **list_r, size_t *count_r, bool *known_r, struct err *e)
{
	(void)self, (void)mem, (void)e;
	*known_r = strcmp(event_id, EVENT) == 0;
	*list_r = records;
	*count_r = unanswered;
	return true;
}

static struct deliveries_port store = { .list = list, .show = show, .redeliver = redeliver, .app = one_app,
	.apps = all_apps, .switch_app = switch_app, .unacknowledged = unacknowledged };

static void partners(void)
{
	setup();
	fake.deliveries = &store;
	records[0] = (struct delivery_record){ EVENT, "sync", "Cust70001", OTHER_ID, DELIVERY_GIVEN_UP, 10,
		FAKE_NOW - 60000, 0, FAKE_NOW - 4000, tries, 2, ACK_HOLD, 0 };
	records[1] = (struct delivery_record){ EVENT, "waits", "Cust70001", OTHER_ID, DELIVERY_WAITING, 1,
		FAKE_NOW - 60000, FAKE_NOW + 300000, 0, tries, 1, ACK_WAIT, FAKE_NOW + 600000 };
	records[2] = (struct delivery_record){ EVENT, "done\033[31m", "Cust70001", OTHER_ID, DELIVERY_DONE, 1,
		FAKE_NOW - 60000, 0, FAKE_NOW - 59000, NULL, 0, ACK_NONE, 0 };
	record_count = 3;
	unanswered = 2;
	app = (struct app_record){ "sync", "Sync", "it answered 410", true, false, FAKE_NOW - 50000, FAKE_NOW - 90000, 4,
		FAKE_NOW - 99000, 7 };
	again_count = switched = 0;
}

START_TEST(deliveries_are_listed)
{
	ends("delivery list", CTL_OK);
	ck_has(&fake.out, "given-up");
	ck_has(&fake.out, "503 overloaded");
	ck_has_not(&fake.out, "\033[31m");
	ck_assert_uint_eq(asked.limit, 50);
	ends("delivery list --app sync --tenant Cust70001 --clone " OTHER_ID " --event e --state given-up --since 2h --limit 7", CTL_OK);
	ck_assert_str_eq(asked.client_id, "sync");
	ck_assert_str_eq(asked.ctx, "Cust70001");
	ck_assert_str_eq(asked.clone_id, OTHER_ID);
	ck_assert_str_eq(asked.event_id, "e");
	ck_assert_int_eq(asked.state, DELIVERY_GIVEN_UP);
	ck_assert_int_eq(asked.since_ms, FAKE_NOW - 2 * 3600 * 1000);
	ck_assert_uint_eq(asked.limit, 7);
	ends("delivery list --since 2026-11-22T12:00:00Z", CTL_OK);
	ck_assert_int_eq(asked.since_ms, 1795348800000);
	ends("delivery list --since yesterday", CTL_USAGE);
	ends("delivery list --state lost", CTL_USAGE);
	ends("delivery list -o ids", CTL_OK);
	ck_has(&fake.out, EVENT " sync\n");
	ends("delivery list -o json", CTL_OK);
	ck_has(&fake.out, "\"state\":\"given-up\"");
	ends("delivery list -o jsonl", CTL_OK);
	ck_has(&fake.out, "\"acknowledgement\":\"hold\"");
	record_count = 0;
	ends("delivery list", CTL_OK);
	ck_has(&fake.talk, "No delivery like that");
	fake.deliveries = NULL;
	ends("delivery list", CTL_UNAVAILABLE);
}
END_TEST

START_TEST(one_delivery_is_shown_with_its_tries)
{
	ends("delivery show " EVENT " sync", CTL_OK);
	ck_has(&fake.out, "given-up, 10 tries");
	ck_has(&fake.out, "HTTP 503: overloaded");
	ck_has(&fake.out, "cut off");
	ck_has(&fake.out, "Next: sandboxctl delivery redeliver " EVENT " sync");
	ends("delivery show " EVENT " sync -o json", CTL_OK);
	ck_has(&fake.out, "\"tries_kept\"");
	ends("delivery show " EVENT " nobody", CTL_NOT_FOUND);
	ends("delivery show " EVENT, CTL_USAGE);
}
END_TEST

START_TEST(deliveries_go_out_again)
{
	ends("delivery redeliver " EVENT " sync --dry-run", CTL_OK);
	ck_assert_int_eq(again_count, 0);
	ends("delivery redeliver " EVENT " sync", CTL_OK);
	ck_assert_int_eq(again_count, 1);
	ends("delivery redeliver " EVENT " waits", CTL_CONFLICT);
	ends("delivery redeliver " EVENT " nobody", CTL_NOT_FOUND);
	ends("delivery redeliver-since 24h", CTL_USAGE);
	ck_has(&fake.talk, "--yes");
	ck_assert_int_eq(again_count, 1);
	ends("delivery redeliver-since 24h --app sync --dry-run", CTL_OK);
	ck_has(&fake.out, "Would put 3 deliveries");
	ends("delivery redeliver-since 24h --app sync --yes", CTL_OK);
	ck_assert_int_eq(again_count, 3); /* the one that waits is passed over */
	ck_assert_int_eq(asked.state, DELIVERY_GIVEN_UP);
	ck_assert_int_eq(asked.since_ms, FAKE_NOW - 24 * 3600 * 1000);
	ends("delivery redeliver-since 24h --state done --yes", CTL_OK);
	ck_assert_int_eq(asked.state, DELIVERY_DONE);
	ends("delivery redeliver-since 24h --state waiting --yes", CTL_USAGE);
	ends("delivery redeliver-since now --yes", CTL_USAGE);
}
END_TEST

START_TEST(partners_are_listed_and_switched)
{
	ends("partner list", CTL_OK);
	ck_has(&fake.out, "it answered 410");
	ends("partner list --off -o ids", CTL_OK);
	ck_has(&fake.out, "sync\n");
	ends("partner list -o json", CTL_OK);
	ck_has(&fake.out, "\"condition\":\"off\"");
	ends("partner show sync", CTL_OK);
	ck_has(&fake.out, "Sync is off: it answered 410");
	ck_has(&fake.out, "Next: sandboxctl partner enable sync");
	ends("partner show nobody", CTL_NOT_FOUND);
	ends("partner enable sync", CTL_OK);
	ck_assert_int_eq(switched, 1);
	ends("partner disable sync", CTL_USAGE);
	ck_assert_int_eq(switched, 1);
	ends("partner disable sync --reason they-asked", CTL_OK);
	ck_assert_int_eq(switched, -1);
	ck_assert_str_eq(reason, "they-asked");
	ends("partner disable nobody --reason x", CTL_NOT_FOUND);
	app.is_off = false;
	ends("partner list --off", CTL_OK);
	ck_has(&fake.talk, "No app is off");
	ends("partner show sync", CTL_OK);
	ck_has(&fake.out, "Sync is failing");
}
END_TEST

/* ---- partner test ---- */

static int trial_count;
static char first_event[96];

/* An endpoint as it should be. */
static bool good_endpoint(struct fake *f, const struct desk_trial *trial, struct post_result *r, bool *signed_r)
{
	(void)f;
	if (trial_count++ == 0)
		snprintf(first_event, sizeof first_event, "%s", trial->event_id);
	else if (trial_count == 2)
		ck_assert_str_eq(first_event, trial->event_id);
	else
		ck_assert_str_ne(first_event, trial->event_id);
	*signed_r = true;
	*r = (struct post_result){ .end = POST_ANSWERED, .status = trial->age_ms || trial->is_forged ? 401 : 204, .took_ms = 3 };
	return true;
}

/* One that checks nothing. */
static bool open_door(struct fake *f, const struct desk_trial *trial, struct post_result *r, bool *signed_r)
{
	(void)f, (void)trial;
	*signed_r = true;
	*r = (struct post_result){ .end = POST_ANSWERED, .status = 200 };
	return true;
}

static bool no_signature(struct fake *f, const struct desk_trial *trial, struct post_result *r, bool *signed_r)
{
	open_door(f, trial, r, signed_r);
	*signed_r = false;
	r->status = trial->age_ms ? 403 : 200;
	return true;
}

static bool mute(struct fake *f, const struct desk_trial *trial, struct post_result *r, bool *signed_r)
{
	(void)f, (void)trial;
	*signed_r = true;
	*r = (struct post_result){ .end = POST_TIMED_OUT, .text = "no answer within 15 s" };
	return true;
}

START_TEST(an_endpoint_is_tried)
{
	trial_count = 0;
	fake.on_trial = good_endpoint;
	ends("partner test sync --tenant Cust70001 --yes", CTL_OK);
	ck_assert_int_eq(trial_count, 5);
	ck_has_not(&fake.out, "FAILED");
	fake.on_trial = open_door;
	ends("partner test sync --tenant Cust70001 --yes", CTL_FAILED);
	ck_has(&fake.out, "it took what it must refuse");
	ends("partner test sync --tenant Cust70001 --yes -o json", CTL_FAILED);
	ck_has(&fake.out, "\"passed\":false");
	fake.on_trial = no_signature;
	ends("partner test sync --tenant Cust70001 --yes", CTL_OK);
	ck_has(&fake.out, "skipped");
	fake.on_trial = mute;
	ends("partner test sync --tenant Cust70001 --yes", CTL_FAILED);
	ck_has(&fake.out, "no answer within 15 s");
	fake.on_trial = NULL;
	ends("partner test sync --tenant Cust70001 --yes", CTL_USAGE);
	ends("partner test sync --yes", CTL_USAGE);
	ends("partner test sync --tenant Cust70001", CTL_USAGE); /* it is asked for */
	ck_has(&fake.talk, "--yes");
}
END_TEST

/* ---- the clone ---- */

START_TEST(a_clone_shows_who_has_not_answered)
{
	known_as(CLONE_RUNNING);
	ends("clone show @latest", CTL_OK);
	ck_has(&fake.out, "told 1 of 3");
	ck_has(&fake.out, "not answered sync (given-up)");
	ck_has(&fake.out, "waits (waiting), waited for until in 10m");
	ends("clone show @latest -o json", CTL_OK);
	ck_has(&fake.out, "\"apps_not_answered\"");
	fake.deliveries = NULL;
	ends("clone show @latest", CTL_OK);
	ck_has_not(&fake.out, "told");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ctl_partner");
	SRunner *sr = srunner_create(s);
	const TTest *const tests[] = { deliveries_are_listed, one_delivery_is_shown_with_its_tries, deliveries_go_out_again,
		partners_are_listed_and_switched, an_endpoint_is_tried, a_clone_shows_who_has_not_answered };
	TCase *t = tcase_create("partner");
	int failed;

	tcase_add_checked_fixture(t, partners, teardown);
	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
		tcase_add_test(t, tests[i]);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
