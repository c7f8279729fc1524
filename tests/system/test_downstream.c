/* SPDX-License-Identifier: Apache-2.0
 * Everything behind the events of clones: sandbox-notifier and sandbox-tenant as real programs, killed at random while a
 * hundred clones are told and partners misbehave in every way. Nobody who can be told misses a notice or gets one out of
 * order, and every tenant's row is right. Then two notifiers that share the work, of which one dies.
 * SANDBOX_SEED=n repeats a run's choices. */
#include "consumer/core/retry.h"
#include "consumer/tenant/fold.h"
#include "tests/support/delivery_watch.h"
#include "tests/support/notifier_world.h"
#include "tests/support/tenant_program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	TENANTS = 20,
	CLONES_EACH = 5,
	APPS = 200,
	KILLS = 4,
	SHARED_APPS = 40,
	LINES_MAX = 48,
	LINE_SIZE = 96,
	WITHIN_MS = 240000,
	HELP_AFTER_MS = 10000,
};

static const char secret[] = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
static const char settings[] = "connect_timeout = 3s\ntimeout = 3s\n"; /* bounds that a busy machine keeps */
static struct notifier_world *w;
static struct tenant_program tenants;
static struct told_events *told; /* of each tenant */
static size_t published[TENANTS];
static uint64_t chance;
static int helped; /* how often a healthy app was tried again by hand */

static const char *ctx_of(int tenant)
{
	static char names[TENANTS][32];

	snprintf(names[tenant], sizeof names[tenant], "Cust7%04d", tenant);
	return names[tenant];
}

/* ---- a hundred clones: # is the clone, @ the tenant ---- */

enum end { ENDS_RUNNING, ENDS_GIVEN_BACK, ENDS_STUCK };

struct kind {
	enum end end;
	const char *lines[6];
};

static const struct kind kinds[] = {
	{ ENDS_RUNNING, { "request # of @", "go", "pass 1000" } },
	{ ENDS_RUNNING, { "request # of @", "go without sync_superid_users", "step # sync_superid_users refused", "go", "replay #",
	  "go" } },
	{ ENDS_GIVEN_BACK, { "request # of @", "go without mask_email_domains", "cancel #", "step # mask_email_domains done",
	  "pass 2000", "go" } },
	{ ENDS_RUNNING, { "request # of @", "go without enter_running_mode", "step # enter_running_mode refused", "go", "replay #",
	  "go" } },
	{ ENDS_STUCK, { "request # of @", "go without copy_database", "step # copy_database refused", "pass 1000", "go" } },
};

enum { KINDS = sizeof kinds / sizeof *kinds, COMPLETES = 0, STICKS = KINDS - 1 };

/* A clone that sticks bars the way for the next one, so it is always the last. */
static const struct kind *kind_of(int tenant, int clone)
{
	if (clone == CLONES_EACH - 1 && tenant % 4 == 0)
		return &kinds[STICKS];
	return &kinds[clone == 0 ? COMPLETES : (tenant + clone) % STICKS];
}

static void fill_in(char out[LINE_SIZE], const char *line, int tenant, int clone)
{
	size_t at = 0;

	for (; *line; line++) {
		if (*line == '#')
			at += (size_t)snprintf(out + at, LINE_SIZE - at, "t%02d-%d", tenant, clone);
		else if (*line == '@')
			at += (size_t)snprintf(out + at, LINE_SIZE - at, "%s", ctx_of(tenant));
		else
			out[at++] = *line;
		ck_assert_uint_lt(at, LINE_SIZE);
	}
	out[at] = '\0';
}

static void play(int tenant)
{
	char text[LINES_MAX][LINE_SIZE];
	const char *lines[LINES_MAX + 1] = { NULL };
	int count = 0;

	for (int clone = 0; clone < CLONES_EACH; clone++) {
		const struct kind *k = kind_of(tenant, clone);

		for (size_t i = 0; i < sizeof k->lines / sizeof *k->lines && k->lines[i]; i++) {
			ck_assert_int_lt(count, LINES_MAX);
			fill_in(text[count], k->lines[i], tenant, clone);
			lines[count] = text[count];
			count++;
		}
	}
	told_begin(&told[tenant]);
	told_play(&told[tenant], lines);
}

static int notices_of(int tenant)
{
	int count = 0;

	for (size_t i = 0; i < told[tenant].count; i++)
		count += told[tenant].items[i].topic == TOPIC_BACKUP_RESTORED;
	return count;
}

static int all_notices(void)
{
	int count = 0;

	for (int t = 0; t < TENANTS; t++)
		count += notices_of(t);
	return count;
}

/* The place of the event among its tenant's notices, from 0. */
static int number_of(const char *event_id, int *tenant_r)
{
	int number = 0;

	ck_assert_int_eq(sscanf(event_id, "t%d-", tenant_r), 1);
	ck_assert_int_lt(*tenant_r, TENANTS);
	for (size_t i = 0; i < told[*tenant_r].count; i++) {
		const struct told_event *event = &told[*tenant_r].items[i];

		if (event->topic != TOPIC_BACKUP_RESTORED)
			continue;
		if (strcmp(event->message->backup_restored.event_id, event_id) == 0)
			return number;
		number++;
	}
	ck_abort_msg("%s was never told", event_id);
}

/* Of each tenant its next events, so many in all; false when there are none left. */
static bool publish_some(size_t count)
{
	const struct told_event *next[1024];
	size_t taken = 0, before;

	ck_assert_uint_le(count, sizeof next / sizeof *next);
	do {
		before = taken;
		for (int t = 0; t < TENANTS && taken < count; t++)
			if (published[t] < told[t].count)
				next[taken++] = &told[t].items[published[t]++];
	} while (taken > before && taken < count);
	tell_events(w, next, taken);
	return taken > 0;
}

/* ---- partners ---- */

static const char *const bad_scripts[] = { "slow:300", "hang", "500", "301", "410", "429:30", "endless-body", "endless-head",
	"reset", "drip", "nonsense", "cut" };
static const enum partner_door bad_doors[] = { PARTNER_EXPIRED, PARTNER_SELF_SIGNED, PARTNER_OTHER_HOST, PARTNER_OLD_TLS,
	PARTNER_MUTE };
enum {
	BAD_SCRIPTS = (int)(sizeof bad_scripts / sizeof *bad_scripts),
	BAD_DOORS = (int)(sizeof bad_doors / sizeof *bad_doors),
	FIRST_BAD_DOOR = 2 * BAD_SCRIPTS, /* two apps follow each script */
	FIRST_GOOD = FIRST_BAD_DOOR + BAD_DOORS,
	RECOVERING = 6,
};

static const char *script_of(int app)
{
	return app < FIRST_BAD_DOOR ? bad_scripts[app / 2] : app >= FIRST_GOOD && app < FIRST_GOOD + RECOVERING ? "500 200" : "200";
}

/* A slow answer is an answer; one that comes with half its body says 200 all the same. */
static bool is_healthy(int app)
{
	return app >= FIRST_GOOD || strncmp(script_of(app), "slow", 4) == 0;
}

static void name_app(int app, char client[32], char path[32])
{
	snprintf(client, 32, "app-%03d", app);
	snprintf(path, 32, "/app-%03d", app);
}

static void approve_app(int app)
{
	const char *word = script_of(app);
	enum partner_door door = app % 10 == 9 ? PARTNER_HTTPS : PARTNER_HTTP;
	char client[32], path[32], script[320], url[256];

	if (app >= FIRST_BAD_DOOR && app < FIRST_GOOD)
		door = bad_doors[app - FIRST_BAD_DOOR];
	name_app(app, client, path);
	partner_server_url(w->partner, PARTNER_HTTP, "/secret", url, sizeof url);
	snprintf(script, sizeof script, strcmp(word, "301") == 0 ? "301:%s" : word, url);
	ck_assert(partner_server_script(w->partner, path, script));
	for (int t = 0; t < TENANTS; t++)
		approve(w, ctx_of(t), client, door, path, app % 2 ? secret : "");
}

/* How many different notices came, each in its turn; a repeat may come at any time. Fails when one is ahead of another. */
static int heard_in_order(int app)
{
	int next[TENANTS] = { 0 }, different = 0, tenant;
	char client[32], path[32], id[128];

	name_app(app, client, path);
	for (size_t n = 0;; n++) {
		const struct partner_request *r = partner_server_request(w->partner, path, n);
		int number;

		if (!r)
			return different;
		number = number_of(partner_request_header(r, "webhook-id", id, sizeof id), &tenant);
		ck_assert_msg(number <= next[tenant], "%s got %s, its notice %d, before number %d", path, id, number, next[tenant]);
		if (number == next[tenant]) {
			next[tenant]++;
			different++;
		}
	}
}

/* A healthy app whose answer came too late twice, because this machine is busy, is next tried after five minutes. Nothing
 * is lost then, the store says so, and an operator would not wait either: the app is enabled, which makes it due now. */
static void help(int app)
{
	char client[32], path[32];
	struct delivery_counts counts;

	name_app(app, client, path);
	counts = deliveries_count(w, client);
	if (counts.other > 0) {
		deliveries_say(w, client);
		notifier_failed(w, "%zu deliveries of %s are neither done nor wait", counts.other, client);
	}
	if (counts.failed > 0) {
		deliveries_try_now(w, client);
		helped++;
	}
}

static void await_heard(int app, int wanted, int64_t until_ms)
{
	int64_t help_at_ms = steady_ms() + HELP_AFTER_MS;
	char client[32], path[32];

	name_app(app, client, path);
	while (heard_in_order(app) < wanted) {
		if (steady_ms() > until_ms) {
			deliveries_say(w, client);
			notifier_failed(w, "%s heard of %d of %d notices", client, heard_in_order(app), wanted);
		}
		if (steady_ms() > help_at_ms) {
			help(app);
			help_at_ms = steady_ms() + HELP_AFTER_MS;
		}
		wait_ms(100);
	}
}

/* What they heard is one side; that the store knows all of it as delivered is the other. */
static void await_done(int app, int wanted, int64_t until_ms)
{
	char client[32], path[32];
	struct delivery_counts counts;

	name_app(app, client, path);
	while (counts = deliveries_count(w, client), counts.done < (size_t)wanted) {
		if (steady_ms() > until_ms || counts.other > 0) {
			deliveries_say(w, client);
			notifier_failed(w, "%s heard all, but %zu of %zu are done", client, counts.done, counts.all);
		}
		wait_ms(200);
	}
	ck_assert_uint_eq(counts.all, (size_t)wanted);
}

static bool is_any(int app)
{
	return app >= 0;
}

static void await_all_of(int apps, bool (*is_wanted)(int app))
{
	const int64_t until_ms = steady_ms() + WITHIN_MS;
	const int wanted = all_notices();

	for (int app = 0; app < apps; app++)
		if (is_wanted(app))
			await_heard(app, wanted, until_ms);
	for (int app = 0; app < apps; app++)
		if (is_wanted(app))
			await_done(app, wanted, until_ms);
}

static void check_bad_partners(void)
{
	struct app_record app;
	struct err e = { 0 };
	bool found;
	char client[32], path[32];

	ck_assert_uint_eq(partner_server_count(w->partner, "/secret"), 0);
	for (int a = 0; a < FIRST_BAD_DOOR; a++) {
		name_app(a, client, path);
		arena_clear(w->mem);
		ck_assert(w->deliveries->app(w->deliveries, client, w->mem, &app, &found, &e) && found);
		ck_assert_msg(app.is_off == (strcmp(script_of(a), "410") == 0), "%s: %s", client, app.off_reason);
		ck_assert_uint_gt(partner_server_count(w->partner, path), 0);
		if (!is_healthy(a))
			ck_assert_msg(heard_in_order(a) <= TENANTS, "%s, which answers %s, was told more", client, script_of(a));
	}
	for (int a = FIRST_BAD_DOOR; a < FIRST_GOOD; a++) { /* nothing was said to somebody who could be anybody */
		name_app(a, client, path);
		ck_assert_uint_eq(partner_server_count(w->partner, path), 0);
	}
}

/* ---- rows ---- */

static struct tenant_row folded(int tenant)
{
	static struct clone_facts facts[CLONES_EACH];
	const struct clone_facts *clones[CLONES_EACH];
	const char *ctx, *clone_id;
	struct tenant_row row;
	int number;

	for (int c = 0; c < CLONES_EACH; c++) {
		char id[32];

		snprintf(id, sizeof id, "t%02d-%d", tenant, c);
		facts_init(&facts[c], ctx_of(tenant), id);
		clones[c] = &facts[c];
	}
	for (size_t i = 0; i < told[tenant].count; i++) {
		ck_assert(facts_names(told[tenant].items[i].message, &ctx, &clone_id));
		ck_assert_int_eq(sscanf(strchr(clone_id, '-'), "-%d", &number), 1);
		facts_fold(&facts[number], told[tenant].items[i].message);
	}
	tenant_fold(ctx_of(tenant), clones, CLONES_EACH, &row);
	return row;
}

/* What the last clone of the tenant left behind, by its story; the fold itself is judged by that. */
static void check_by_story(int tenant, const struct tenant_row *row)
{
	const enum end end = kind_of(tenant, CLONES_EACH - 1)->end;

	ck_assert_int_eq(row->state, end == ENDS_STUCK ? TENANT_OFFLINE_MAINTENANCE : TENANT_RUNNING);
	ck_assert_int_eq(row->status == CLONE_FAILED, end == ENDS_STUCK);
	ck_assert_int_eq(*row->next_command != '\0', end == ENDS_STUCK);
	if (end != ENDS_GIVEN_BACK)
		ck_assert_int_eq(row->clone_id[strlen(row->clone_id) - 1], '0' + CLONES_EACH - 1);
}

static bool is_text(const json_t *row, const char *member, const char *wanted)
{
	const char *text = json_string_value(json_object_get(row, member));

	return text && strcmp(text, wanted) == 0;
}

static bool is_number(const json_t *row, const char *member, int64_t wanted)
{
	const json_t *number = json_object_get(row, member);

	return number && json_integer_value(number) == wanted;
}

static bool is_row(const json_t *row, const struct tenant_row *wanted)
{
	return is_text(row, "state", tenant_state_name(wanted->state)) &&
	       is_text(row, "superid", identity_state_name(wanted->superid)) && is_text(row, "clone", wanted->clone_id) &&
	       is_text(row, "status", wanted->status ? clone_status_name(wanted->status) : "") &&
	       is_text(row, "step", wanted->step) && is_text(row, "host", wanted->host) &&
	       is_text(row, "version", wanted->version_name) && is_text(row, "file_version", wanted->file_version) &&
	       is_text(row, "cause", wanted->cause) && is_text(row, "next_command", wanted->next_command) &&
	       is_number(row, "since_ms", wanted->since_ms) && is_number(row, "run", wanted->run) &&
	       is_number(row, "step_no", wanted->step_no) && is_number(row, "sequence", wanted->sequence);
}

static void await_rows(void)
{
	const int64_t until_ms = steady_ms() + WITHIN_MS;

	for (int t = 0; t < TENANTS; t++) {
		const struct tenant_row wanted = folded(t);
		json_t *row = tenant_program_row(&tenants, ctx_of(t));

		check_by_story(t, &wanted);
		while (!is_row(row, &wanted)) {
			char *text = json_dumps(row, 0);

			ck_assert_msg(steady_ms() < until_ms, "%s of %s is %s", ctx_of(t), wanted.clone_id, text ? text : "unknown");
			free(text);
			json_decref(row);
			wait_ms(50);
			row = tenant_program_row(&tenants, ctx_of(t));
		}
		json_decref(row);
	}
}

/* ---- tests ---- */

static void setup(void)
{
	const char *given = getenv("SANDBOX_SEED");
	char config[128];

	chance = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
	printf("test_downstream: SANDBOX_SEED=%llu\n", (unsigned long long)chance);
	fflush(stdout);
	w = notifier_world_new();
	snprintf(config, sizeof config, "%s/n.ini", w->folder);
	tenant_program_init(&tenants, w->folder, "tenant", config);
	told = calloc(TENANTS, sizeof *told);
	ck_assert_ptr_nonnull(told);
	memset(published, 0, sizeof published);
	helped = 0;
	for (int t = 0; t < TENANTS; t++)
		play(t);
}

static void teardown(void)
{
	for (int t = 0; t < TENANTS; t++)
		told_end(&told[t]);
	free(told);
	tenant_program_done(&tenants);
	notifier_world_free(&w);
}

/* Some posts later. While the member that died still has its partitions nothing is read; it may be over before that. */
static void await_some_moment(void)
{
	const size_t posts = partner_server_count(w->partner, NULL) + 1 + (size_t)chance_below(&chance, 1500);

	partner_server_await(w->partner, NULL, posts, 1000 + chance_below(&chance, 10000));
	wait_ms((int)chance_below(&chance, 100));
}

static void kill_some(void)
{
	const int64_t which = chance_below(&chance, 4);

	if (which != 1) {
		if (!notifier_runs(w, 0))
			notifier_failed(w, "the notifier ended by itself");
		notifier_kill(w, 0);
		notifier_start(w, 0);
	}
	if (which != 2) {
		tenant_program_kill(&tenants);
		tenant_program_start(&tenants);
	}
}

START_TEST(nothing_is_lost_whatever_dies)
{
	size_t posts;

	for (int app = 0; app < APPS; app++)
		approve_app(app);
	notifier_world_open(w, settings);
	notifier_start(w, 0);
	tenant_program_start(&tenants);
	for (int k = 0; k < KILLS; k++) {
		publish_some(500 + (size_t)chance_below(&chance, 500));
		await_some_moment();
		kill_some();
	}
	while (publish_some(1000))
		;
	await_all_of(APPS, is_healthy);
	await_rows();
	posts = partner_server_count(w->partner, NULL);
	check_bad_partners();
	printf("%d clones, %d notices to each of %d apps, %zu posts, %d times tried again by hand\n", TENANTS * CLONES_EACH,
	       all_notices(), APPS, posts, helped);
	ck_assert_int_eq(notifier_stop(w, 0, 30000), 0);
	ck_assert_int_eq(tenant_program_stop(&tenants), 0);
}
END_TEST

static void approve_good(int apps)
{
	char client[32], path[32];

	for (int app = 0; app < apps; app++) {
		name_app(app, client, path);
		for (int t = 0; t < TENANTS; t++)
			approve(w, ctx_of(t), client, PARTNER_HTTP, path, "");
	}
}

START_TEST(two_share_the_work_and_one_dies)
{
	const int64_t until_ms = steady_ms() + WITHIN_MS;
	const int dies = (int)chance_below(&chance, 2);

	approve_good(SHARED_APPS);
	notifier_world_open(w, settings);
	notifier_start(w, 0);
	notifier_start(w, 1);
	while (!notifier_said(w, 0, "notice stored") || !notifier_said(w, 1, "notice stored")) {
		if (!notifier_runs(w, 0) || !notifier_runs(w, 1) || steady_ms() > until_ms)
			notifier_failed(w, "only one of the two works");
		publish_some(10);
		wait_ms(20);
	}
	publish_some(1000);
	await_some_moment();
	notifier_kill(w, dies);
	while (publish_some(1000))
		;
	await_all_of(SHARED_APPS, is_any);
	ck_assert(notifier_runs(w, !dies));
	printf("%d notices to each of %d apps, %zu posts\n", all_notices(), SHARED_APPS, partner_server_count(w->partner, NULL));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("downstream");
	TCase *tc = tcase_create("downstream");
	SRunner *sr = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 420);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, nothing_is_lost_whatever_dies);
	tcase_add_test(tc, two_share_the_work_and_one_dies);
	suite_add_tcase(suite, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
