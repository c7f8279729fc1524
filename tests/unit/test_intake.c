/* SPDX-License-Identifier: Apache-2.0
 * The thread that stores, between a bus, a codec and a store of deliveries that this test plays. The one thing that
 * matters: an offset moves when all before it is stored or lies in the dead letters, and not before. */
#include "consumer/notifier/intake.h"
#include "consumer/notifier/notifier_clock.h"
#include "tests/unit/notifier_fixture.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { PARTITIONS = 2, EVENTS_MAX = 1024, TEXT = 48, STORED_MAX = 1024, TURNS_WITHIN_MS = 60000, KEPT_MAX = 256 };

static struct world {
	struct bus_port bus;
	struct codec_port codec;
	struct deliveries_port deliveries;
	struct intake_parts parts;
	struct bus_event events[EVENTS_MAX];
	char values[EVENTS_MAX][TEXT];
	size_t event_count, taken;
	int64_t next_offset[PARTITIONS], committed[PARTITIONS];
	char stored[STORED_MAX][TEXT]; /* "event apps" */
	size_t stored_count, told_stored;
	char letters[STORED_MAX][2 * TEXT]; /* "code value" */
	uint64_t letter_tags[STORED_MAX];
	size_t letter_count;
	int fail_enters, fail_publishes, enters;
	const char *refused_by; /* where enter() says that it is refused; NULL: it is transient */
	bool no_schema, paused, was_paused;
	int released;
	void (*on_turn)(void);
	volatile sig_atomic_t stop;
	_Atomic int64_t alive_ms;
	int64_t until_ms;
	int wake;
} w;

/* ---- the bus ---- */

static int bus_fd(struct bus_port *self)
{
	(void)self;
	return w.wake;
}

static void next(struct bus_port *self, struct bus_event *event_r)
{
	(void)self;
	*event_r = (struct bus_event){ .kind = BUS_NOTHING };
	if (w.taken < w.event_count && (!w.paused || w.events[w.taken].kind != BUS_RECORD))
		*event_r = w.events[w.taken++];
}

static bool publish(struct bus_port *self, const struct bus_message *message, uint64_t tag, struct err *e)
{
	(void)self;
	ck_assert_int_eq(message->topic, TOPIC_NOTIFIER_DEAD_LETTER);
	if (w.fail_publishes > 0 && w.fail_publishes--)
		return err_set(e, ERR_TRANSIENT, 0, "kafka", "the queue is full");
	snprintf(w.letters[w.letter_count], sizeof *w.letters, "%.*s", (int)message->value_len, (const char *)message->value);
	w.letter_tags[w.letter_count++] = tag;
	return true;
}

static bool commit(struct bus_port *self, const struct bus_position *at, struct err *e)
{
	(void)self, (void)e;
	ck_assert_int_gt(at->offset, w.committed[at->partition]);
	w.committed[at->partition] = at->offset;
	return true;
}

static void pause_bus(struct bus_port *self, bool paused)
{
	(void)self;
	w.paused = paused;
	w.was_paused |= paused;
}

/* Asked once a turn, at its end: the turn of the test. */
static void lags(struct bus_port *self, void (*fn)(void *arg, const struct bus_position *at, int64_t records), void *arg)
{
	const uint64_t one = 1;

	(void)self, (void)fn, (void)arg;
	ck_assert_msg(notifier_now_ms() < w.until_ms, "it does not end: %zu stored, %zu letters", w.stored_count, w.letter_count);
	w.on_turn();
	rest_ms(1);
	ck_assert_int_eq(write(w.wake, &one, sizeof one), sizeof one);
}

static void release_revoked(struct bus_port *self)
{
	(void)self;
	w.released++;
}

static void add_event(struct bus_event event)
{
	ck_assert_uint_lt(w.event_count, EVENTS_MAX);
	w.events[w.event_count++] = event;
}

/* A record that says "<tenant> <event>", or something that no codec reads. */
static void came(int partition, const char *value)
{
	char *kept = w.values[w.event_count];

	snprintf(kept, TEXT, "%s", value);
	add_event((struct bus_event){ .kind = BUS_RECORD, .record = { .at = { TOPIC_BACKUP_RESTORED, partition,
		w.next_offset[partition]++ }, .key = "key", .key_len = 3, .value = kept, .value_len = strlen(kept) } });
}

/* ---- the codec ---- */

static bool split(struct message *m, const char *text, size_t len)
{
	const char *blank = memchr(text, ' ', len);

	if (!blank)
		return false;
	m->backup_restored = (struct backup_restored){ .change_type = 1, .version_name = "v", .file_version = "1", .token = "",
		.public_endpoint = "online.example", .clone_id = "clone",
		.context_identifier = arena_text(m->mem, text, (size_t)(blank - text)),
		.event_id = arena_text(m->mem, blank + 1, len - (size_t)(blank + 1 - text)) };
	return true;
}

static enum codec_result decode(struct codec_port *self, enum message_kind kind, const struct bus_record *record,
                                struct message **message_r, struct err *e)
{
	struct message *m = calloc(1, sizeof *m);

	(void)self;
	ck_assert_int_eq(kind, MESSAGE_BACKUP_RESTORED);
	ck_assert_ptr_nonnull(m);
	m->kind = kind;
	m->mem = arena_new(4096);
	if (w.no_schema && record->at.partition == 0) {
		message_free(&m);
		return CODEC_LATER;
	}
	if (!split(m, record->value, record->value_len)) {
		message_free(&m);
		err_set(e, ERR_REFUSED, 0, "malformed", "nobody can read that");
		return CODEC_BAD;
	}
	*message_r = m;
	return CODEC_OK;
}

static bool encode(struct codec_port *self, const struct message *m, struct buf *value, struct err *e)
{
	(void)self, (void)e;
	ck_assert_int_eq(m->kind, MESSAGE_DEAD_LETTER);
	ck_assert_str_eq(m->dead_letter.origin_topic, "sandbox.clone.backup-restored");
	return buf_printf(value, "%s %.*s", m->dead_letter.reason_code, (int)m->dead_letter.value_len,
	                  (const char *)m->dead_letter.value);
}

static bool headers(struct codec_port *self, const struct message *m, const char *traceparent, struct arena *mem,
                    struct bus_header *headers_r, size_t *count_r, struct err *e)
{
	(void)self, (void)m, (void)traceparent, (void)mem, (void)headers_r, (void)e;
	*count_r = 0;
	return true;
}

/* ---- the store ---- */

static bool enter(struct deliveries_port *self, const struct notice *notice, const struct notice_app *apps, size_t count,
                  int64_t now_ms, struct err *e)
{
	(void)self, (void)apps, (void)now_ms;
	w.enters++;
	if (w.fail_enters > 0 && w.fail_enters--)
		return err_set(e, w.refused_by ? ERR_REFUSED : ERR_TRANSIENT, 0, w.refused_by ? w.refused_by : "redis", "it fails");
	snprintf(w.stored[w.stored_count++], TEXT, "%s %zu", notice->event_id, count);
	return true;
}

static void on_stored(void *arg)
{
	(void)arg;
	w.told_stored++;
}

/* ---- running it ---- */

static void on_news(void *arg)
{
	(void)arg;
}

static void setup(void)
{
	fixture_open(3, on_news, 20);
	memset(&w, 0, sizeof w);
	w.wake = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	w.bus = (struct bus_port){ .fd = bus_fd, .next = next, .publish = publish, .commit = commit, .pause = pause_bus,
		.lags = lags, .release_revoked = release_revoked };
	w.codec = (struct codec_port){ .decode = decode, .encode = encode, .headers = headers };
	w.deliveries = (struct deliveries_port){ .enter = enter };
	w.parts = (struct intake_parts){ .bus = &w.bus, .codec = &w.codec, .deliveries = &w.deliveries, .directory = directory,
		.log = quiet_log, .metrics = metrics, .wake_fd = w.wake, .stored = on_stored, .stop = &w.stop,
		.alive_ms = &w.alive_ms };
	w.until_ms = notifier_now_ms() + TURNS_WITHIN_MS;
}

static void teardown(void)
{
	close(w.wake);
	fixture_close();
}

static void run(void (*on_turn)(void))
{
	struct err e = { 0 };

	w.on_turn = on_turn;
	ck_assert_msg(intake_run(&w.parts, &e), "%s", e.text);
}

/* Ends it when both partitions are dealt with to their ends. */
static void end_when_committed(void)
{
	if (w.committed[0] == w.next_offset[0] && w.committed[1] == w.next_offset[1])
		w.stop = 1;
}

static void answer_letters(bool ok)
{
	static size_t answered;

	if (w.letter_count == 0)
		answered = 0;
	for (; answered < w.letter_count; answered++)
		add_event((struct bus_event){ .kind = BUS_DELIVERED, .tag = w.letter_tags[answered], .ok = ok });
}

/* ---- what can be stored ---- */

START_TEST(the_offset_follows_what_is_stored)
{
	came(0, "T1 e1");
	came(1, "T2 e2");
	came(0, "T1 e3");
	run(end_when_committed);
	ck_assert_uint_eq(w.stored_count, 3);
	ck_assert_uint_eq(w.told_stored, 3);
	ck_assert_int_eq(w.committed[0], 2);
	ck_assert_int_eq(w.committed[1], 1);
	ck_assert_str_eq(w.stored[0], "e1 3");
}
END_TEST

static void approve_one_more(void)
{
	if (w.stored_count == 1 && w.event_count == 1) {
		approvals.apps = 4;
		came(0, "T1 e2");
	}
	if (w.stored_count == 2)
		end_when_committed();
}

START_TEST(an_app_approved_a_moment_ago_is_told_too)
{
	came(0, "T1 e1");
	run(approve_one_more);
	ck_assert_str_eq(w.stored[0], "e1 3");
	ck_assert_str_eq(w.stored[1], "e2 4");
}
END_TEST

START_TEST(nobody_to_tell_is_stored_too)
{
	came(0, "gone e1");
	run(end_when_committed);
	ck_assert_str_eq(w.stored[0], "e1 0");
}
END_TEST

/* ---- what cannot be stored now ---- */

static void look_at_offset(void)
{
	if (w.fail_enters > 0)
		ck_assert_int_eq(w.committed[0], 0);
	end_when_committed();
}

START_TEST(while_the_store_is_away_the_offset_stays)
{
	came(0, "T1 e1");
	w.fail_enters = 2;
	run(look_at_offset);
	ck_assert_int_eq(w.enters, 3);
	ck_assert_uint_eq(w.stored_count, 1);
	ck_assert_uint_eq(w.letter_count, 0);
}
END_TEST

/* A store that says it is full refuses; that is no fault of the record. */
START_TEST(what_the_store_refuses_for_itself_is_tried_again)
{
	came(0, "T1 e1");
	w.fail_enters = 1;
	w.refused_by = "redis";
	run(end_when_committed);
	ck_assert_uint_eq(w.stored_count, 1);
	ck_assert_uint_eq(w.letter_count, 0);
}
END_TEST

START_TEST(a_tenant_that_must_wait_keeps_its_order_and_holds_up_no_other)
{
	came(0, "T1 e1");
	came(0, "T1 e2");
	came(0, "T2 e3");
	came(1, "T3 e4");
	w.fail_enters = 1; /* of e1 */
	run(end_when_committed);
	ck_assert_uint_eq(w.stored_count, 4);
	ck_assert(strncmp(w.stored[0], "e1", 2) != 0 && strncmp(w.stored[1], "e1", 2) != 0);
	ck_assert_str_eq(w.stored[2], "e1 3");
	ck_assert_str_eq(w.stored[3], "e2 3");
}
END_TEST

static void end_when_two_stored(void)
{
	ck_assert_int_eq(w.committed[0], 0);
	if (w.stored_count == 2 && w.committed[1] == 1)
		w.stop = 1;
}

/* e3 is stored, but the offset stays before e1; whoever reads next stores e3 again, which changes nothing. */
START_TEST(approvals_that_cannot_be_had_hold_up_one_tenant)
{
	came(0, "away e1");
	came(0, "away e2");
	came(0, "T2 e3");
	came(1, "T3 e4");
	run(end_when_two_stored);
	ck_assert_int_eq(w.committed[0], 0);
	ck_assert_uint_eq(w.letter_count, 0);
}
END_TEST

static void bring_the_schema(void)
{
	if (w.no_schema && w.committed[1] == 1) {
		ck_assert_uint_eq(w.stored_count, 1);
		w.no_schema = false;
	}
	end_when_committed();
}

START_TEST(a_schema_that_cannot_be_had_holds_up_one_partition)
{
	came(0, "T1 e1");
	came(0, "T2 e2");
	came(1, "T3 e3");
	w.no_schema = true;
	run(bring_the_schema);
	ck_assert_uint_eq(w.stored_count, 3);
	ck_assert_str_eq(w.stored[1], "e1 3");
}
END_TEST

/* ---- what can never be stored ---- */

static void answer_late(void)
{
	static int turns;

	turns = w.letter_count == 0 ? 0 : turns + 1;
	if (w.letter_count == 1 && turns < 5)
		ck_assert_int_le(w.committed[0], 1); /* stored before it; not behind it */
	else
		answer_letters(true);
	end_when_committed();
}

START_TEST(the_offset_waits_for_the_dead_letter)
{
	came(0, "T1 e1");
	came(0, "nonsense");
	came(0, "T1 e2");
	run(answer_late);
	ck_assert_uint_eq(w.letter_count, 1);
	ck_assert_str_eq(w.letters[0], "malformed nonsense");
	ck_assert_uint_eq(w.stored_count, 2);
}
END_TEST

static void lose_the_first(void)
{
	if (w.letter_count < 2)
		ck_assert_int_eq(w.committed[0], 0);
	answer_letters(w.letter_count > 1);
	end_when_committed();
}

START_TEST(a_dead_letter_that_got_lost_is_sent_again)
{
	came(0, "nonsense");
	w.fail_publishes = 1;
	run(lose_the_first);
	ck_assert_uint_eq(w.letter_count, 2);
	ck_assert_str_eq(w.letters[1], "malformed nonsense");
}
END_TEST

static void answer_all(void)
{
	answer_letters(true);
	end_when_committed();
}

START_TEST(what_the_store_will_never_take_is_a_dead_letter)
{
	came(0, "T1 e1");
	w.fail_enters = 1;
	w.refused_by = "invalid";
	run(answer_all);
	ck_assert_uint_eq(w.stored_count, 0);
	ck_assert_str_eq(w.letters[0], "invalid T1 e1");
}
END_TEST

/* ---- the partitions ---- */

static void take_away(void)
{
	if (w.enters == 1 && w.released == 0)
		add_event((struct bus_event){ .kind = BUS_REVOKED, .at = { TOPIC_BACKUP_RESTORED, 0, 0 } });
	if (w.released > 0)
		came(1, "T9 later");
	if (w.stored_count > 0)
		w.stop = 1;
}

START_TEST(what_is_anothers_now_is_forgotten)
{
	came(0, "T1 e1");
	w.fail_enters = 1;
	run(take_away);
	ck_assert_int_eq(w.released, 1);
	ck_assert_int_eq(w.committed[0], 0);
	ck_assert_str_eq(w.stored[0], "later 3");
}
END_TEST

static void let_go_on(void)
{
	if (w.was_paused)
		atomic_store(&approvals.away, false);
	end_when_committed();
}

START_TEST(it_reads_no_more_than_it_can_keep)
{
	char text[TEXT];

	atomic_store(&approvals.away, true);
	for (int i = 0; i < 2 * KEPT_MAX; i++) {
		snprintf(text, sizeof text, "T%d e%d", i, i);
		came(0, text);
	}
	run(let_go_on);
	ck_assert(w.was_paused);
	ck_assert_uint_eq(w.stored_count, 2 * KEPT_MAX);
}
END_TEST

static void nothing(void)
{
}

START_TEST(a_bus_that_is_lost_ends_it)
{
	struct err e = { 0 };

	came(0, "away e1");
	add_event((struct bus_event){ .kind = BUS_FATAL, .text = "fenced" });
	w.on_turn = nothing;
	ck_assert(!intake_run(&w.parts, &e));
	ck_assert_str_eq(e.text, "fenced");
	ck_assert_int_eq(w.committed[0], 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { the_offset_follows_what_is_stored, an_app_approved_a_moment_ago_is_told_too,
		nobody_to_tell_is_stored_too, while_the_store_is_away_the_offset_stays,
		what_the_store_refuses_for_itself_is_tried_again, a_tenant_that_must_wait_keeps_its_order_and_holds_up_no_other,
		approvals_that_cannot_be_had_hold_up_one_tenant, a_schema_that_cannot_be_had_holds_up_one_partition,
		the_offset_waits_for_the_dead_letter, a_dead_letter_that_got_lost_is_sent_again,
		what_the_store_will_never_take_is_a_dead_letter, what_is_anothers_now_is_forgotten, it_reads_no_more_than_it_can_keep,
		a_bus_that_is_lost_ends_it };
	Suite *suite = suite_create("intake");
	TCase *tc = tcase_create("intake");
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
