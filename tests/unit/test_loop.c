/* SPDX-License-Identifier: Apache-2.0
 * The loop among ports that only remember: what many clones tell travels together, the end of a clone alone waits for
 * nobody, and leases are given back before the program leaves, however slowly the store takes them. */
#include "consumer/runtime/loop.h"

#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { CLONES_MAX = 400, ANSWERS_MAX = 4096, RELEASES_A_LOOK = 7,
       TOLD_OF_A_FAILED = 3, NEVER = -1, LONG_ENOUGH_MS = 3000 }; /* running, its step, failed */

struct published {
	uint64_t tag;
	size_t turn;
};

static struct {
	struct bus_port bus;
	struct store_port store;
	struct codec_port codec;
	struct world_port world;
	int bus_fd, store_fd;
	size_t clones, read, waiting; /* wanted, handed out, steps that have begun to wait */
	bool assigned;
	size_t turn, read_in; /* a record a turn */
	struct published published[4 * CLONES_MAX];
	size_t published_count, delivered_count;
	struct store_answer answers[ANSWERS_MAX]; /* ring */
	size_t asked, answered;
	size_t released; /* answers to RELEASE that the loop has taken */
	size_t recorded_in; /* the turn of the last answer to RECORD */
	int fails_after_ms; /* the first step of each clone, for good; NEVER: it waits for somebody */
	size_t notes; /* of progress, while it runs */
	uint64_t token;
	char ids[CLONES_MAX][CLONE_ID_MAX + 1], targets[CLONES_MAX][CTX_MAX + 1];
} fake;

static volatile sig_atomic_t stop;

static void ring(int fd)
{
	const uint64_t one = 1;

	ck_assert_int_eq(write(fd, &one, sizeof one), sizeof one);
}

static void hush(int fd)
{
	uint64_t count;

	(void)!read(fd, &count, sizeof count);
}

/* ---- the bus ---- */

static int bus_fd(struct bus_port *self)
{
	(void)self;
	return fake.bus_fd;
}

static void bus_next(struct bus_port *self, struct bus_event *event)
{
	(void)self;
	*event = (struct bus_event){ .kind = BUS_NOTHING };
	if (!fake.assigned) {
		fake.assigned = true;
		event->kind = BUS_ASSIGNED;
		event->at = (struct bus_position){ TOPIC_REQUESTED, 0, 0 };
	} else if (fake.read < fake.clones && fake.read_in != fake.turn) {
		fake.read_in = fake.turn;
		event->kind = BUS_RECORD;
		event->record = (struct bus_record){ .at = { TOPIC_REQUESTED, 0, (int64_t)fake.read }, .key = "k", .key_len = 1,
			.value = &fake.ids[fake.read], .value_len = sizeof fake.ids[0] };
		fake.read++;
	} else if (fake.delivered_count < fake.published_count) {
		event->kind = BUS_DELIVERED;
		event->tag = fake.published[fake.delivered_count++].tag;
		event->ok = true;
	} else if (fake.read == fake.clones) {
		hush(fake.bus_fd);
	}
}

static bool bus_publish(struct bus_port *self, const struct bus_message *message, uint64_t tag, struct err *e)
{
	(void)self;
	(void)e;
	ck_assert(message->topic == TOPIC_STATE || message->topic == TOPIC_STEP_COMPLETED);
	ck_assert_uint_lt(fake.published_count, sizeof fake.published / sizeof *fake.published);
	fake.published[fake.published_count++] = (struct published){ tag, fake.turn };
	if (fake.fails_after_ms != NEVER && fake.published_count == TOLD_OF_A_FAILED * fake.clones)
		stop = 1;
	ring(fake.bus_fd);
	return true;
}

static bool bus_commit(struct bus_port *self, const struct bus_position *next, struct err *e)
{
	(void)self;
	(void)next;
	(void)e;
	return true;
}

static void bus_pause(struct bus_port *self, bool paused)
{
	(void)self;
	(void)paused;
}

static void bus_lags(struct bus_port *self, void (*fn)(void *, const struct bus_position *, int64_t), void *arg)
{
	(void)self;
	(void)fn;
	(void)arg;
}

static void bus_release(struct bus_port *self)
{
	(void)self;
}

/* ---- the store: everything is granted; leases are given back a few at a time ---- */

static int store_fd(struct store_port *self)
{
	(void)self;
	return fake.store_fd;
}

static bool store_submit(struct store_port *self, const struct store_op *op, struct err *e)
{
	struct store_answer *a = &fake.answers[fake.asked++ % ANSWERS_MAX];

	(void)self;
	(void)e;
	fake.notes += op->kind == STORE_NOTE;
	ck_assert_uint_le(fake.asked - fake.answered, ANSWERS_MAX);
	*a = (struct store_answer){ .tag = op->tag, .kind = op->kind, .status = STORE_OK, .token = ++fake.token };
	ring(fake.store_fd);
	return true;
}

/* Once in each turn. */
static void store_flush(struct store_port *self)
{
	(void)self;
	fake.turn++;
}

static bool store_next(struct store_port *self, struct store_answer *answer)
{
	static size_t given_back;

	(void)self;
	if (fake.answered == fake.asked) {
		hush(fake.store_fd);
		return false;
	}
	*answer = fake.answers[fake.answered % ANSWERS_MAX];
	if (answer->kind == STORE_RELEASE && ++given_back % RELEASES_A_LOOK == 0)
		return false; /* the rest comes with the next look */
	fake.answered++;
	fake.released += answer->kind == STORE_RELEASE;
	if (answer->kind == STORE_RECORD)
		fake.recorded_in = fake.turn;
	return true;
}

static int64_t store_timeout(struct store_port *self)
{
	(void)self;
	return -1;
}

/* ---- the codec: a request is its clone's id ---- */

static enum codec_result decode(struct codec_port *self, enum message_kind kind, const struct bus_record *record,
                                struct message **message_r, struct err *e)
{
	static const struct user_plan admin = { .login = "boss", .plan = "sales-premium", .is_admin = true };
	struct message *m = calloc(1, sizeof *m);
	size_t n = (size_t)record->at.offset;

	(void)self;
	(void)e;
	ck_assert_int_eq(kind, MESSAGE_REQUEST);
	ck_assert_ptr_nonnull(m);
	m->kind = MESSAGE_REQUEST;
	m->request = (struct clone_request){ .job = { .clone_id = fake.ids[n], .kind = CLONE_REPLACE, .source_ctx = "Source1",
		.target_ctx = fake.targets[n], .requested_by = "test", .mask_domain = "sandbox.example", .mask_enabled = true,
		.mask_mode = MASK_KEEP_NAMES,
		.users = &admin, .user_count = 1, .documents = DOCUMENTS_ALL, .attachments = ATTACHMENTS_ALL,
		.approved_target = "" }, .confirmed = true, .requested_at_ms = 1, .expected_generation = "", .fingerprint = 1 };
	*message_r = m;
	return CODEC_OK;
}

static bool encode(struct codec_port *self, const struct message *message, struct buf *value, struct err *e)
{
	(void)self;
	(void)message;
	(void)e;
	return buf_add_text(value, "bytes");
}

static bool headers(struct codec_port *self, const struct message *message, const char *traceparent, struct arena *mem,
                    struct bus_header *headers_r, size_t *count_r, struct err *e)
{
	(void)self;
	(void)message;
	(void)traceparent;
	(void)mem;
	(void)headers_r;
	(void)e;
	*count_r = 0;
	return true;
}

static bool any_domain(const char *domain, struct err *e)
{
	(void)domain;
	(void)e;
	return true;
}

/* ---- the world: every first step waits for somebody ---- */

static bool open_nothing(struct world_port *self, const struct step_job *job, const struct fence *fence,
                         const atomic_bool *stopping, struct step_ports *ports, struct world_session **session_r,
                         struct err *e)
{
	(void)self;
	(void)job;
	(void)fence;
	(void)stopping;
	(void)ports;
	(void)session_r;
	(void)e;
	return true;
}

static void leave_alone(struct world_port *self, struct world_session *session)
{
	(void)self;
	(void)session;
}

static enum step_outcome wait_or_refuse(struct world_port *self, enum step_id step, struct step_ctx *c)
{
	static atomic_size_t begun;

	(void)self;
	(void)step;
	if (fake.fails_after_ms != NEVER) {
		poll(NULL, 0, fake.fails_after_ms);
		return step_refused(c, "never");
	}
	if (atomic_fetch_add(&begun, 1) + 1 == fake.clones)
		stop = 1;
	return step_wait(c, 3600 * 1000, "somebody");
}

/* ---- a life with so many clones ---- */

static bool write_nothing(void *arg, const char *line, size_t len)
{
	(void)arg;
	(void)line;
	(void)len;
	return true;
}

static int64_t no_time(void *arg)
{
	(void)arg;
	return 1;
}

static void prepare(size_t clones, int fails_after_ms)
{
	memset(&fake, 0, sizeof fake);
	fake.clones = clones;
	fake.fails_after_ms = fails_after_ms;
	fake.bus_fd = eventfd(0, EFD_NONBLOCK);
	fake.store_fd = eventfd(0, EFD_NONBLOCK);
	fake.bus = (struct bus_port){ bus_fd, bus_next, bus_publish, bus_commit, bus_pause, bus_lags, bus_release, NULL };
	fake.store = (struct store_port){ .fd = store_fd, .submit = store_submit, .flush = store_flush, .next = store_next,
		.timeout_ms = store_timeout };
	fake.codec = (struct codec_port){ .decode = decode, .encode = encode, .headers = headers };
	fake.world = (struct world_port){ .open = open_nothing, .abort = leave_alone, .close = leave_alone, .run = wait_or_refuse };
	for (size_t i = 0; i < clones; i++) {
		snprintf(fake.ids[i], sizeof fake.ids[i], "0198f0c2-0001-7c5b-9a54-%012u", (unsigned)i);
		snprintf(fake.targets[i], sizeof fake.targets[i], "Target%zu", i);
	}
	ring(fake.bus_fd);
}

static void live(size_t clones, int fails_after_ms)
{
	static const struct step_settings settings;
	const struct log_settings quiet = { .level = LOG_LEVEL_ERROR, .format = LOG_FORMAT_JSON, .line_max = 4096,
		.write = write_nothing, .utc_ms = no_time };
	struct loop_parts parts = { .seed = 1, .workers = 4, .bus = &fake.bus, .store = &fake.store, .codec = &fake.codec,
		.world = &fake.world, .rules = { any_domain, true }, .stop = &stop,
		.policy = { .order = PLAN_STRICT, .max_clones = CLONES_MAX, .max_running = 4, .max_running_a_clone = 1,
			.lease_ttl_ms = 30000, .lease_retry_ms = 1000, .retry_first_ms = 100, .retry_cap_ms = 1000,
			.retry_budget_ms = 60000, .stall_after_ms = 60000, .drain_ms = 5000, .breaker_failures = 5,
			.breaker_open_ms = 1000 } };
	struct err e = { 0 };

	prepare(clones, fails_after_ms);
	fake.world.settings = &settings;
	for (int p = 0; p < PORT_END; p++)
		parts.policy.port_limit[p] = 4;
	parts.log = log_new(&quiet);
	parts.metrics = metrics_new();
	ck_assert_msg(loop_run(&parts, &e), "%s", e.text);
	metrics_free(&parts.metrics);
	log_free(&parts.log);
	close(fake.bus_fd);
	close(fake.store_fd);
}

START_TEST(leases_are_given_back_before_it_leaves)
{
	live(CLONES_MAX, NEVER);
	ck_assert_uint_eq(fake.released, CLONES_MAX);
}
END_TEST

static size_t bursts(void)
{
	size_t count = 1;

	for (size_t i = 1; i < fake.published_count; i++)
		count += fake.published[i].turn != fake.published[i - 1].turn;
	return count;
}

START_TEST(what_many_clones_tell_travels_together)
{
	live(CLONES_MAX, NEVER);
	ck_assert_uint_eq(fake.published_count, CLONES_MAX);
	ck_assert_msg(bursts() < CLONES_MAX / 2, "%zu bursts", bursts());
}
END_TEST

/* Nothing else is told that it could go with. */
START_TEST(the_end_of_one_clone_waits_for_nobody)
{
	live(1, 0);
	ck_assert_uint_eq(fake.published_count, TOLD_OF_A_FAILED);
	ck_assert_uint_eq(fake.published[TOLD_OF_A_FAILED - 1].turn, fake.recorded_in);
	ck_assert_uint_eq(fake.released, 1);
}
END_TEST

/* It counts nothing: that it is under way is said once, and its end. */
START_TEST(a_long_step_is_seen)
{
	live(1, LONG_ENOUGH_MS);
	ck_assert_uint_eq(fake.notes, 2);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("loop");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, leases_are_given_back_before_it_leaves);
	tcase_add_test(tc, what_many_clones_tell_travels_together);
	tcase_add_test(tc, the_end_of_one_clone_waits_for_nobody);
	tcase_add_test(tc, a_long_step_is_seen);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
