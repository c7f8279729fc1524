/* SPDX-License-Identifier: Apache-2.0
 * The thread that posts, between a store of deliveries, a poster and a signer that this test plays: how much it takes,
 * what it does when one of them fails, and that nothing claimed is left behind when it ends. */
#include "consumer/notifier/notifier_clock.h"
#include "consumer/notifier/sending.h"
#include "tests/unit/notifier_fixture.h"

#include <stdlib.h>

enum { ITEMS_MAX = 1000, LIMIT = 2000, AHEAD = 128, TURN_STARTS = 32, LEASE_MS = 60000, ENDS_WITHIN_MS = 60000 };

struct item { /* a delivery, each of an app of its own */
	char client_id[32];
	struct notice notice;
	int64_t due_ms;   /* -1: it ended */
	uint64_t claimed; /* token; 0: nobody has it */
	bool is_slow, hangs;
	bool is_begun;    /* of this claim */
	int posts, settlements, given_back; /* given_back: settled without a try, to be claimed again */
	size_t begun_before;                /* posts begun when it was claimed */
	struct settlement last;
	char text[POST_TEXT_MAX];
};

static struct world {
	struct deliveries_port deliveries;
	struct poster_port poster;
	struct signer_port signer;
	struct sending_parts parts;
	struct item items[ITEMS_MAX];
	size_t count, ended, begun;
	size_t looking, looking_most, begun_before_turn, turn_most, waited_most;
	uint64_t tokens;
	struct post_result results[LIMIT];
	size_t result_count, hanging;
	int turns, claims, fail_claims, settles, fail_settles, sign_ms;
	size_t slow_least; /* the least room for slow apps that was ever given */
	bool is_full, is_misuse;
	void (*on_turn)(void);
	volatile sig_atomic_t stop;
	atomic_bool news, broken;
	_Atomic int64_t alive_ms;
	int64_t until_ms;
} w;

static struct item *item_of(const char *client_id)
{
	return &w.items[atoi(client_id + 4)];
}

/* ---- the store ---- */

static struct claim hand_out(struct item *item)
{
	item->claimed = ++w.tokens;
	item->begun_before = w.begun;
	item->is_begun = false;
	w.looking++;
	return (struct claim){ .notice = &item->notice, .client_id = item->client_id, .app_slow = item->is_slow,
		.token = item->claimed };
}

static bool may_go(const struct item *item, int64_t now_ms, const struct claim_room *room, size_t taken, size_t slow)
{
	return !item->claimed && item->due_ms >= 0 && item->due_ms <= now_ms && taken < room->max &&
	       (!item->is_slow || slow < room->slow_max);
}

static bool claim(struct deliveries_port *self, int64_t now_ms, int64_t lease_ms, const struct claim_room *room,
                  struct arena *mem, const struct claim **claims_r, size_t *count_r, int64_t *next_ms_r, struct err *e)
{
	struct claim *claims = arena_take(mem, room->max * sizeof *claims + 1);
	size_t slow = 0;

	(void)self, (void)lease_ms;
	ck_assert(claims && room->max <= DELIVERY_CLAIM_MAX);
	w.claims++;
	if (w.fail_claims > 0 && w.fail_claims--)
		return err_set(e, ERR_TRANSIENT, 0, "redis", "the store is away");
	w.slow_least = room->slow_max < w.slow_least ? room->slow_max : w.slow_least;
	*count_r = 0;
	*next_ms_r = -1;
	for (size_t i = 0; i < w.count; i++) {
		struct item *item = &w.items[i];

		if (may_go(item, now_ms, room, *count_r, slow)) {
			slow += item->is_slow;
			claims[(*count_r)++] = hand_out(item);
		} else if (!item->claimed && item->due_ms >= 0 && (*next_ms_r < 0 || item->due_ms < *next_ms_r)) {
			*next_ms_r = item->due_ms;
		}
	}
	*claims_r = claims;
	w.looking_most = w.looking > w.looking_most ? w.looking : w.looking_most;
	return true;
}

static void settle_one(const struct settlement *s)
{
	struct item *item = item_of(s->claim->client_id);

	ck_assert_uint_eq(s->claim->token, item->claimed);
	snprintf(item->text, sizeof item->text, "%s", s->tried.text);
	item->last = *s;
	item->claimed = 0;
	item->due_ms = s->state == DELIVERY_WAITING ? s->again_ms : -1;
	w.ended += item->due_ms < 0;
	item->settlements++;
	item->given_back += !s->was_tried && s->state == DELIVERY_WAITING;
	w.looking -= !item->is_begun;
}

static bool settle(struct deliveries_port *self, const struct settlement *settlements, size_t count, int64_t now_ms,
                   struct err *e)
{
	(void)self, (void)now_ms;
	w.settles++;
	if (w.fail_settles > 0 && w.fail_settles--)
		return err_set(e, ERR_TRANSIENT, 0, "redis", "the store is away");
	for (size_t i = 0; i < count; i++)
		settle_one(&settlements[i]);
	return true;
}

static bool figures(struct deliveries_port *self, int64_t now_ms, struct deliveries_figures *f, struct err *e)
{
	(void)self, (void)now_ms, (void)e;
	*f = (struct deliveries_figures){ 0 };
	return true;
}

/* ---- the signer ---- */

static bool sign_token(struct signer_port *self, const char *payload_json, struct buf *out, struct err *e)
{
	(void)self, (void)payload_json, (void)e;
	rest_ms(w.sign_ms);
	return buf_add_text(out, "head.body.signature");
}

static bool sign_secret(struct signer_port *self, const char *secret, const void *text, size_t len, struct buf *out,
                        struct err *e)
{
	(void)self, (void)text, (void)len, (void)out;
	return err_set(e, ERR_REFUSED, 0, "signer", "the secret of %s is none", *secret ? "the app" : "nobody");
}

static bool sign_nothing(struct signer_port *self, const void *text, size_t len, struct buf *out, struct err *e)
{
	(void)self, (void)text, (void)len, (void)out, (void)e;
	return true;
}

/* ---- the poster ---- */

static struct item *item_of_post(const struct post *post)
{
	for (size_t i = 0; i < post->header_count; i++)
		if (strcmp(post->headers[i].name, "webhook-id") == 0)
			return item_of(post->headers[i].value);
	ck_abort_msg("a post without its id");
}

static bool begin(struct poster_port *self, const struct post *post, struct err *e)
{
	struct item *item = item_of_post(post);

	(void)self;
	if (w.is_misuse)
		return err_set(e, ERR_MISUSE, 0, "post", "that is no post");
	if (w.is_full)
		return err_set(e, ERR_TRANSIENT, 0, "post", "there are as many as may be");
	ck_assert_uint_ne(item->claimed, 0);
	w.waited_most = w.begun - item->begun_before > w.waited_most ? w.begun - item->begun_before : w.waited_most;
	item->is_begun = true;
	item->posts++;
	w.begun++;
	w.looking--;
	if (item->hangs)
		w.hanging++;
	else
		w.results[w.result_count++] = (struct post_result){ .tag = post->tag, .end = POST_ANSWERED, .status = 200 };
	return true;
}

static bool take_result(struct poster_port *self, struct post_result *result_r)
{
	(void)self;
	if (w.result_count == 0)
		return false;
	*result_r = w.results[--w.result_count];
	return true;
}

static void turn_ends(struct poster_port *self, int64_t ms)
{
	const size_t begun = w.begun - w.begun_before_turn;

	(void)self;
	w.turns++;
	w.turn_most = begun > w.turn_most ? begun : w.turn_most;
	w.begun_before_turn = w.begun;
	ck_assert_msg(notifier_now_ms() < w.until_ms, "it does not end: %zu of %zu ended", w.ended, w.count);
	w.on_turn();
	rest_ms(ms < 5 ? ms : 5);
}

static void wake(struct poster_port *self)
{
	(void)self;
}

static size_t under_way(struct poster_port *self)
{
	(void)self;
	return w.hanging + w.result_count;
}

static size_t room(struct poster_port *self)
{
	return LIMIT - under_way(self);
}

/* ---- running it ---- */

static void on_news(void *arg)
{
	(void)arg;
}

static void end_when_all_ended(void)
{
	if (w.ended == w.count)
		w.stop = 1;
}

static void end_when_all_settled(void)
{
	size_t settled = 0;

	for (size_t i = 0; i < w.count; i++)
		settled += w.items[i].settlements > 0;
	if (settled == w.count)
		w.stop = 1;
}

static void setup(void)
{
	fixture_open(ITEMS_MAX, on_news, 20);
	memset(&w, 0, sizeof w);
	w.deliveries = (struct deliveries_port){ .claim = claim, .settle = settle, .figures = figures };
	w.poster = (struct poster_port){ .post = begin, .next = take_result, .wait = turn_ends, .wake = wake,
		.under_way = under_way, .room = room };
	w.signer = (struct signer_port){ .jwt = sign_token, .hmac = sign_secret, .ed25519 = sign_nothing };
	w.parts = (struct sending_parts){ .settings = { .issuer = "https://notifier.example", .token_life_ms = 60000,
		.lease_ms = LEASE_MS, .drain_ms = 5000, .recheck_ms = 60000, .limit = LIMIT, .limit_slow = 1000, .limit_app = 4 },
		.deliveries = &w.deliveries, .poster = &w.poster, .signer = &w.signer, .directory = directory, .log = quiet_log,
		.metrics = metrics, .news = &w.news, .stop = &w.stop, .broken = &w.broken, .alive_ms = &w.alive_ms };
	w.slow_least = SIZE_MAX;
	w.on_turn = end_when_all_ended;
}

static void teardown(void)
{
	fixture_close();
}

static void due(size_t count, const char *ctx)
{
	for (size_t i = 0; i < count; i++) {
		struct item *item = &w.items[w.count];

		snprintf(item->client_id, sizeof item->client_id, "app-%04zu", w.count++);
		item->notice = (struct notice){ .event_id = item->client_id, .ctx = ctx, .version_name = "v", .file_version = "1",
			.public_endpoint = "online.example", .clone_id = "clone", .change_type = 1, .traceparent = "" };
	}
}

/* The tenant's approvals are known already, so that nothing waits for them. */
static void know(const char *ctx)
{
	const struct tenant_apps *apps = NULL;
	struct err e = { 0 };

	while (directory_look(directory, ctx, 0, &apps, &e) != DIRECTORY_KNOWN)
		rest_ms(1);
	directory_release(directory, &apps);
}

static void run(void)
{
	struct err e = { 0 };

	w.until_ms = notifier_now_ms() + ENDS_WITHIN_MS;
	ck_assert_msg(sending_run(&w.parts, &e), "%s", e.text);
	for (size_t i = 0; i < w.count; i++)
		ck_assert_msg(w.items[i].claimed == 0, "%s was claimed and not settled", w.items[i].client_id);
}

static void check_all_delivered_once(void)
{
	for (size_t i = 0; i < w.count; i++) {
		ck_assert_int_eq(w.items[i].last.state, DELIVERY_DONE);
		ck_assert_int_eq(w.items[i].posts, 1);
	}
}

/* ---- how much it takes ---- */

/* Signing takes long, as on a machine that is busy: what was claimed must be begun before its lease ends, and the posts
 * under way must be looked after meanwhile. */
START_TEST(no_more_is_claimed_than_can_be_begun)
{
	due(600, "T1");
	know("T1");
	w.sign_ms = 5;
	run();
	check_all_delivered_once();
	ck_assert_uint_le(w.looking_most, AHEAD);
	ck_assert_uint_le(w.waited_most, AHEAD);
	ck_assert_uint_le(w.turn_most, 5);
}
END_TEST

START_TEST(a_turn_ends_though_much_is_due)
{
	due(ITEMS_MAX, "T1");
	know("T1");
	run();
	check_all_delivered_once();
	ck_assert_uint_le(w.turn_most, TURN_STARTS);
	ck_assert_uint_le(w.looking_most, AHEAD);
}
END_TEST

START_TEST(what_was_claimed_too_long_ago_is_given_back)
{
	int given_back = 0;

	due(8, "T1");
	w.parts.settings.lease_ms = 100;
	know("T1");
	w.sign_ms = 60;
	run();
	check_all_delivered_once();
	for (size_t i = 0; i < w.count; i++)
		given_back += w.items[i].given_back;
	ck_assert_int_gt(given_back, 0);
}
END_TEST

static void end_when_slow_hang(void)
{
	if (w.hanging == 3 && w.claims > 3 && w.ended == w.count - 10)
		w.stop = 2;
}

START_TEST(slow_apps_have_a_room_of_their_own)
{
	due(40, "T1");
	w.parts.settings.limit_slow = 3;
	for (size_t i = 0; i < 10; i++)
		w.items[i].is_slow = w.items[i].hangs = true;
	w.on_turn = end_when_slow_hang;
	run();
	ck_assert_uint_eq(w.hanging, 3);
	ck_assert_uint_eq(w.slow_least, 0);
	ck_assert_uint_eq(w.ended, 30);
}
END_TEST

/* ---- when something fails ---- */

START_TEST(a_store_that_is_away_is_asked_again)
{
	due(5, "T1");
	w.fail_claims = 2;
	w.fail_settles = 2;
	run();
	check_all_delivered_once();
	ck_assert_int_ge(w.claims, 3);
	ck_assert_int_ge(w.settles, 3);
}
END_TEST

START_TEST(who_cannot_be_asked_for_holds_up_nobody)
{
	const int64_t now_ms = notifier_utc_ms();

	due(1, "away");
	due(1, "gone");
	due(3, "T1");
	w.on_turn = end_when_all_settled;
	run();
	ck_assert_int_eq(w.items[0].posts, 0);
	ck_assert_int_eq(w.items[0].last.state, DELIVERY_WAITING);
	ck_assert(!w.items[0].last.was_tried);
	ck_assert_int_ge(w.items[0].last.again_ms, now_ms + 5000);
	ck_assert_int_eq(w.items[1].posts, 0);
	ck_assert_int_eq(w.items[1].last.state, DELIVERY_WITHDRAWN);
	for (size_t i = 2; i < 5; i++)
		ck_assert_int_eq(w.items[i].last.state, DELIVERY_DONE);
}
END_TEST

/* The app's fault is a try that failed, which its owner can see; a poster that is full is nobody's. */
START_TEST(what_cannot_be_sent_is_a_failed_try)
{
	due(1, "T1");
	approvals.secret = "nonsense";
	w.on_turn = end_when_all_settled;
	run();
	ck_assert(w.items[0].last.was_tried && w.items[0].last.app_failed);
	ck_assert_int_eq(w.items[0].last.state, DELIVERY_WAITING);
	ck_assert_str_eq(w.items[0].text, "the secret of the app is none");
	ck_assert_int_eq(w.items[0].posts, 0);
}
END_TEST

START_TEST(what_the_poster_refuses_is_a_failed_try)
{
	due(1, "T1");
	w.is_misuse = true;
	w.on_turn = end_when_all_settled;
	run();
	ck_assert(w.items[0].last.was_tried && w.items[0].last.app_failed);
	ck_assert_str_eq(w.items[0].text, "that is no post");
}
END_TEST

START_TEST(a_full_poster_is_no_try)
{
	due(2, "T1");
	w.is_full = true;
	w.on_turn = end_when_all_settled;
	run();
	for (size_t i = 0; i < w.count; i++) {
		ck_assert(!w.items[i].last.was_tried && !w.items[i].last.app_failed);
		ck_assert_int_eq(w.items[i].last.state, DELIVERY_WAITING);
	}
}
END_TEST

/* ---- the end ---- */

static void end_in_the_middle(void)
{
	if (w.begun > 20 && w.looking > 20)
		w.stop = 1;
}

/* run() looks that nothing is left claimed. */
START_TEST(what_was_not_begun_is_given_back_at_the_end)
{
	size_t given_back = 0;

	due(300, "T1");
	for (size_t i = 0; i < 300; i += 10)
		w.items[i].hangs = true;
	w.sign_ms = 1;
	w.parts.settings.drain_ms = 200;
	w.on_turn = end_in_the_middle;
	run();
	ck_assert_uint_gt(w.hanging, 0);
	for (size_t i = 0; i < w.count; i++) {
		const struct item *item = &w.items[i];

		if (item->settlements == 0)
			continue; /* it was never claimed */
		ck_assert_int_eq(item->last.state, item->posts && !item->hangs ? DELIVERY_DONE : DELIVERY_WAITING);
		ck_assert_int_le(item->last.again_ms, notifier_utc_ms());
		given_back += (size_t)item->given_back;
	}
	ck_assert_uint_gt(given_back, w.hanging);
}
END_TEST

static void end_at_once(void)
{
	if (w.hanging > 0)
		w.stop = 2;
}

START_TEST(told_twice_it_ends_at_once)
{
	const int64_t begun_ms = notifier_now_ms();

	due(1, "T1");
	w.items[0].hangs = true;
	w.parts.settings.drain_ms = 2 * ENDS_WITHIN_MS;
	w.on_turn = end_at_once;
	run();
	ck_assert_int_lt(notifier_now_ms() - begun_ms, ENDS_WITHIN_MS);
	ck_assert_int_eq(w.items[0].last.state, DELIVERY_WAITING);
}
END_TEST

static void break_in_the_middle(void)
{
	if (w.begun > 20)
		atomic_store(&w.broken, true);
}

START_TEST(it_ends_when_the_intake_is_lost)
{
	due(100, "T1");
	w.on_turn = break_in_the_middle;
	run();
	ck_assert_int_eq(w.stop, 0);
}
END_TEST

/* Who has given up on the store says so by leaving claims to their leases; nothing is said to be settled. */
static void lose_the_store(void)
{
	if (w.begun > 0) {
		w.fail_settles = 1000000;
		w.stop = 1;
	}
}

START_TEST(a_store_that_stays_away_does_not_keep_it)
{
	struct err e = { 0 };

	due(10, "T1");
	w.parts.settings.drain_ms = 300;
	w.on_turn = lose_the_store;
	w.until_ms = notifier_now_ms() + ENDS_WITHIN_MS;
	ck_assert(sending_run(&w.parts, &e));
	ck_assert_uint_eq(w.ended, 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { no_more_is_claimed_than_can_be_begun, a_turn_ends_though_much_is_due,
		what_was_claimed_too_long_ago_is_given_back, slow_apps_have_a_room_of_their_own, a_store_that_is_away_is_asked_again,
		who_cannot_be_asked_for_holds_up_nobody, what_cannot_be_sent_is_a_failed_try, what_the_poster_refuses_is_a_failed_try,
		a_full_poster_is_no_try, what_was_not_begun_is_given_back_at_the_end, told_twice_it_ends_at_once,
		it_ends_when_the_intake_is_lost, a_store_that_stays_away_does_not_keep_it };
	Suite *suite = suite_create("sending");
	TCase *tc = tcase_create("sending");
	SRunner *sr = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(suite, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
