/* SPDX-License-Identifier: Apache-2.0
 * Remembering clones from the topics: with a store and topics of our own and the real codec. */
#include "consumer/adapters/avro/avro_codec.h"
#include "consumer/core/snapshot.h"
#include "consumer/runtime/rebuild.h"
#include "tests/unit/avro_samples.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a store that notes what is asked and answers at once ---- */

enum { OPS = 64, PAIRS = 80, TEXT = 64, RECORDS = 64 };

struct noted {
	enum store_op_kind kind;
	char target[64], clone[64];
	uint64_t token, least_token, before, after;
	int64_t utc_us;
	char names[PAIRS][TEXT], values[PAIRS][TEXT];
	size_t count;
	bool on_target;
};

struct fake_store {
	struct store_port port;
	struct noted ops[OPS];
	size_t count, answered;
	uint64_t tags[OPS];
	int held_times, target_held_times, silent_from; /* silent_from: from that op on nothing is answered; -1 never */
	enum store_status introduce_status;
	bool remembers, target_is_named;
};

static struct fake_store store;
static struct codec_port *codec;
static struct log *logger;

static void note_pairs(struct noted *n, const struct store_pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++, n->count++) {
		snprintf(n->names[n->count], TEXT, "%s", pairs[i].name);
		snprintf(n->values[n->count], TEXT, "%.*s", (int)pairs[i].len, (const char *)pairs[i].value);
	}
}

static bool submit(struct store_port *self, const struct store_op *op, struct err *e)
{
	struct noted *n = &store.ops[store.count];

	(void)self;
	(void)e;
	ck_assert_uint_lt(store.count, OPS);
	*n = (struct noted){ .kind = op->kind, .token = op->token, .least_token = op->least_token,
		.before = op->sequence_before, .after = op->sequence_after, .utc_us = op->utc_us };
	snprintf(n->target, sizeof n->target, "%s", op->target_ctx);
	snprintf(n->clone, sizeof n->clone, "%s", op->clone_id);
	note_pairs(n, op->clone_set, op->clone_set_count);
	n->on_target = op->target_set_count > 0;
	note_pairs(n, op->target_set, op->target_set_count);
	store.tags[store.count++] = op->tag;
	return true;
}

static bool next(struct store_port *self, struct store_answer *a)
{
	static const struct store_pair named[] = { { "active", "c9", 2 } };
	const struct noted *n = &store.ops[store.answered];
	bool is_memory = strcmp(n->target, "_store") == 0;

	(void)self;
	if (store.answered == store.count || (store.silent_from >= 0 && (int)store.answered >= store.silent_from))
		return false;
	*a = (struct store_answer){ .tag = store.tags[store.answered++], .kind = n->kind, .status = STORE_OK };
	if (n->kind == STORE_ACQUIRE && is_memory && store.held_times > 0) {
		store.held_times--;
		a->status = STORE_HELD;
	} else if (n->kind == STORE_ACQUIRE && !is_memory && store.target_held_times > 0) {
		store.target_held_times--;
		a->status = STORE_HELD;
	} else if (n->kind == STORE_ACQUIRE) {
		a->token = 1000;
		a->found = is_memory && store.remembers;
		a->target = named;
		a->target_count = !is_memory && store.target_is_named;
	} else if (n->kind == STORE_INTRODUCE) {
		a->status = store.introduce_status;
	} else if (n->kind == STORE_RECORD && is_memory) {
		store.remembers = true;
	}
	return true;
}

static int no_fd(struct store_port *self)
{
	(void)self;
	return -1;
}

static void flush(struct store_port *self)
{
	(void)self;
}

static int64_t no_timeout(struct store_port *self)
{
	(void)self;
	return 1;
}

/* ---- topics ---- */

struct topics {
	struct bus_record records[RECORDS];
	struct buf values[RECORDS];
	size_t count;
	bool fails;
};

static struct topics topics;

static bool read_topics(void *arg, rebuild_record_fn *fn, void *fn_arg, struct err *e)
{
	const struct topics *t = arg;

	for (size_t i = 0; i < t->count; i++)
		if (!fn(fn_arg, &t->records[i]))
			return true;
	return !t->fails || err_set(e, ERR_TRANSIENT, 0, "kafka", "no broker answers");
}

static void add_bytes(enum topic topic, const void *value, size_t len)
{
	topics.records[topics.count] = (struct bus_record){ .at = { topic, 0, (int64_t)topics.count }, .value = value,
		.value_len = len };
	topics.count++;
}

static void add(enum topic topic, const struct message *m)
{
	struct buf *value = &topics.values[topics.count];
	struct err e = { 0 };

	buf_init(value, RECORD_MAX_BYTES);
	ck_assert_msg(codec->encode(codec, m, value, &e), "%s", e.text);
	add_bytes(topic, value->data, value->len);
}

static void tell_request(const char *id, const char *target)
{
	struct message m = sample_request();

	m.request.job.clone_id = id;
	m.request.job.target_ctx = m.request.job.approved_target = target;
	add(TOPIC_REQUESTED, &m);
}

static void tell_step(const char *id, const char *target, enum step_id step, int run, int64_t sequence)
{
	struct message m = sample_step();

	m.step_completed.clone_id = id;
	m.step_completed.target_ctx = target;
	m.step_completed.slug = steps[step].slug;
	m.step_completed.step_no = (int)step + 1;
	m.step_completed.run = run;
	m.step_completed.sequence = sequence;
	add(TOPIC_STEP_COMPLETED, &m);
}

static void tell_state(const char *id, const char *target, enum clone_status status, const char *generation, uint64_t token,
                       int64_t sequence)
{
	struct message m = sample_state();

	m.state.clone_id = id;
	m.state.target_ctx = target;
	m.state.status = status;
	m.state.generation = generation;
	m.state.token = token;
	m.state.run = 1;
	m.state.sequence = sequence;
	add(TOPIC_STATE, &m);
}

/* ---- the tests ---- */

static int64_t some_time(struct clock_port *self)
{
	(void)self;
	return 1785578400000;
}

static bool keep_line(void *arg, const char *line, size_t len)
{
	(void)arg;
	(void)line;
	return len > 0;
}

static int64_t log_time(void *arg)
{
	(void)arg;
	return 1785578400000;
}

static void setup(void)
{
	static struct clock_port clock = { .utc_ms = some_time };
	const struct avro_codec_settings settings = { .clock = &clock };
	const struct log_settings quiet = { LOG_LEVEL_INFO, LOG_FORMAT_JSON, 8192, keep_line, NULL, log_time, NULL };
	struct err e = { 0 };

	codec = avro_codec_new(&settings, &e);
	ck_assert_msg(codec != NULL, "%s", e.text);
	logger = log_new(&quiet);
	memset(&store, 0, sizeof store);
	store.silent_from = -1;
	store.port = (struct store_port){ .fd = no_fd, .submit = submit, .flush = flush, .next = next,
		.timeout_ms = no_timeout };
	memset(&topics, 0, sizeof topics);
}

static void teardown(void)
{
	for (size_t i = 0; i < topics.count; i++)
		buf_done(&topics.values[i]);
	codec->close(codec);
	log_free(&logger);
}

static bool rebuild(int64_t within_ms, struct err *e)
{
	const struct rebuild_parts parts = { .store = &store.port, .codec = codec, .log = logger, .read_topics = read_topics,
		.read_arg = &topics, .within_ms = within_ms };

	*e = (struct err){ 0 };
	return rebuild_store(&parts, e);
}

static void rebuilt(void)
{
	struct err e;

	ck_assert_msg(rebuild(5000, &e), "%s", e.text);
}

static const struct noted *find_op(enum store_op_kind kind, const char *clone)
{
	for (size_t i = 0; i < store.count; i++)
		if (store.ops[i].kind == kind && strcmp(store.ops[i].clone, clone) == 0)
			return &store.ops[i];
	return NULL;
}

static const char *value_of(const struct noted *n, const char *name)
{
	for (size_t i = 0; i < n->count; i++)
		if (strcmp(n->names[i], name) == 0)
			return n->values[i];
	return "nothing";
}

static int count_ops(enum store_op_kind kind)
{
	int count = 0;

	for (size_t i = 0; i < store.count; i++)
		count += store.ops[i].kind == kind;
	return count;
}

START_TEST(a_clone_is_remembered_as_the_topics_tell_it)
{
	const struct noted *n;

	tell_step("c1", "T", STEP_enter_offline_mode, 1, 2);
	tell_request("c1", "T");
	tell_state("c1", "T", CLONE_PAUSED, "T__g10", 7, 4);
	tell_step("c1", "T", STEP_wait_customer_tasks, 1, 3);
	rebuilt();
	n = find_op(STORE_INTRODUCE, "c1");
	ck_assert_ptr_nonnull(n);
	ck_assert_str_eq(n->target, "T");
	ck_assert_uint_eq(n->after, 4);
	ck_assert_str_eq(value_of(n, "status"), "PAUSED");
	ck_assert_str_eq(value_of(n, "run"), "1");
	ck_assert_str_eq(value_of(n, "generation"), "T__g10");
	ck_assert_str_eq(value_of(n, "m:enter_offline_mode"), "ALREADY_DONE");
	ck_assert_str_eq(value_of(n, "m:wait_customer_tasks"), "ALREADY_DONE");
	ck_assert_str_eq(value_of(n, "m:copy_database"), "nothing");
	ck_assert_str_eq(value_of(n, "scope"), "0000000000000011"); /* two steps of the sample: the 1st and the 5th */
	ck_assert_str_ne(value_of(n, "request"), "nothing");
	ck_assert_str_ne(value_of(n, "fingerprint"), "0000000000000000");
}
END_TEST

START_TEST(what_was_asked_and_never_begun_is_left_to_its_record)
{
	tell_request("c1", "T");
	rebuilt();
	ck_assert_int_eq(count_ops(STORE_INTRODUCE), 0);
	ck_assert(store.remembers);
}
END_TEST

/* The first request counts: a later one of the same id is a duplicate or a conflict. */
START_TEST(the_first_request_of_an_id_counts)
{
	struct message other = sample_request();
	char first[TEXT];

	tell_request("c1", "T");
	tell_state("c1", "T", CLONE_RUNNING, "T__g10", 7, 1);
	rebuilt();
	snprintf(first, sizeof first, "%s", value_of(find_op(STORE_INTRODUCE, "c1"), "fingerprint"));
	store.count = store.answered = 0;
	store.remembers = false;
	other.request.job.clone_id = "c1";
	other.request.job.target_ctx = other.request.job.approved_target = "T";
	other.request.job.mask_domain = "other.example";
	add(TOPIC_REQUESTED, &other);
	rebuilt();
	ck_assert_str_eq(value_of(find_op(STORE_INTRODUCE, "c1"), "fingerprint"), first);
}
END_TEST

START_TEST(it_is_done_once)
{
	tell_state("c1", "T", CLONE_RUNNING, "T__g10", 7, 1);
	rebuilt();
	ck_assert_int_eq(count_ops(STORE_INTRODUCE), 1);
	store.count = store.answered = 0;
	rebuilt();
	ck_assert_uint_eq(store.count, 2);
	ck_assert_int_eq(store.ops[0].kind, STORE_ACQUIRE);
	ck_assert_int_eq(store.ops[1].kind, STORE_RELEASE);
}
END_TEST

START_TEST(nonsense_in_the_topics_is_passed_over)
{
	add_bytes(TOPIC_REQUESTED, "not avro at all", 15);
	add_bytes(TOPIC_STATE, NULL, 0);
	add_bytes(TOPIC_STEP_COMPLETED, "", 0);
	tell_state("c1", "T", CLONE_RUNNING, "T__g10", 7, 1);
	add_bytes(TOPIC_STATE, "\0\0\0\0\1\377\377\377", 8);
	tell_state("", "T", CLONE_RUNNING, "T__g10", 7, 1);
	tell_state("c2", "", CLONE_RUNNING, "T__g10", 7, 1);
	tell_state("c3", "a-tenant-with-a-name-much-longer-than-any-may-be", CLONE_RUNNING, "T__g10", 7, 1);
	tell_step("an-id-that-is-longer-than-any-uuid-could-ever-be", "T", STEP_copy_database, 1, 2);
	tell_state("c1", "T", CLONE_RUNNING, "T__g10", UINT64_MAX / 2, 2);
	rebuilt();
	ck_assert_int_eq(count_ops(STORE_INTRODUCE), 1);
	ck_assert_uint_eq(find_op(STORE_ACQUIRE, "c1")->least_token, 7);
}
END_TEST

START_TEST(the_clone_that_began_last_has_the_target)
{
	const struct noted *n;

	tell_state("old", "T", CLONE_PAUSED, "T__gzz", 900, 9); /* its token was used later, it began earlier */
	tell_state("new", "T", CLONE_COMPLETED, "T__g100", 800, 36);
	tell_state("other", "U", CLONE_RUNNING, "U__g5", 5, 1);
	tell_state("rejected", "V", CLONE_REJECTED, "", 0, 1);
	rebuilt();
	ck_assert_int_eq(count_ops(STORE_INTRODUCE), 4);
	ck_assert_ptr_null(find_op(STORE_RECORD, "old"));
	ck_assert_ptr_null(find_op(STORE_RECORD, "rejected"));
	ck_assert_ptr_nonnull(find_op(STORE_RECORD, "other"));
	n = find_op(STORE_RECORD, "new");
	ck_assert(n->on_target);
	ck_assert_uint_eq(n->token, 1000);
	ck_assert_uint_eq(n->before, 36);
	ck_assert_uint_eq(n->after, 36);
	ck_assert_str_eq(value_of(n, "active"), "new");
	ck_assert_str_eq(value_of(n, "active_status"), "COMPLETED");
	ck_assert_str_eq(value_of(n, "generation"), "T__g100");
	n = find_op(STORE_ACQUIRE, "new");
	ck_assert_uint_eq(n->least_token, 800);
	ck_assert_int_gt(n->utc_us, 1600000000000000);
	ck_assert_ptr_nonnull(find_op(STORE_RELEASE, "new"));
	ck_assert_int_eq(count_ops(STORE_ACQUIRE), count_ops(STORE_RELEASE));
}
END_TEST

START_TEST(a_target_that_was_named_meanwhile_stays_so)
{
	store.target_is_named = true;
	tell_state("c1", "T", CLONE_RUNNING, "T__g10", 7, 1);
	rebuilt();
	ck_assert_ptr_null(find_op(STORE_RECORD, "c1"));
	ck_assert_ptr_nonnull(find_op(STORE_RELEASE, "c1"));
}
END_TEST

/* By a consumer that is just told that the store is empty. */
START_TEST(a_target_that_is_held_for_a_moment_is_named_all_the_same)
{
	store.target_held_times = 3;
	tell_state("c1", "T", CLONE_COMPLETED, "T__g10", 7, 1);
	rebuilt();
	ck_assert_str_eq(value_of(find_op(STORE_RECORD, "c1"), "generation"), "T__g10");
}
END_TEST

START_TEST(it_ends_when_it_is_told_to)
{
	const atomic_bool stop = true;
	struct err e = { 0 };
	const struct rebuild_parts parts = { .store = &store.port, .codec = codec, .log = logger, .read_topics = read_topics,
		.read_arg = &topics, .within_ms = 5000, .stop = &stop };

	tell_state("c1", "T", CLONE_COMPLETED, "T__g10", 7, 1);
	ck_assert(!rebuild_store(&parts, &e));
	ck_assert(!store.remembers);
}
END_TEST

/* A consumer that still had it in memory was faster. */
START_TEST(a_clone_that_is_known_already_is_left)
{
	store.introduce_status = STORE_FENCED;
	tell_state("c1", "T", CLONE_RUNNING, "T__g10", 7, 1);
	rebuilt();
	ck_assert(store.remembers);
}
END_TEST

START_TEST(a_store_that_goes_away_is_an_error_and_not_remembered)
{
	struct err e;

	store.introduce_status = STORE_UNAVAILABLE;
	tell_state("c1", "T", CLONE_RUNNING, "T__g10", 7, 1);
	ck_assert(!rebuild(5000, &e));
	ck_assert_int_eq(e.class, ERR_TRANSIENT);
	ck_assert(!store.remembers);
	ck_assert_ptr_nonnull(find_op(STORE_RELEASE, "rebuilt"));
}
END_TEST

START_TEST(topics_that_cannot_be_read_are_an_error)
{
	struct err e;

	topics.fails = true;
	tell_state("c1", "T", CLONE_RUNNING, "T__g10", 7, 1);
	ck_assert(!rebuild(5000, &e));
	ck_assert_str_eq(e.text, "no broker answers");
	ck_assert_int_eq(count_ops(STORE_INTRODUCE), 0);
	ck_assert(!store.remembers);
}
END_TEST

START_TEST(another_process_is_waited_for)
{
	struct err e;

	store.held_times = 2;
	store.remembers = true;
	rebuilt();
	ck_assert_int_eq(count_ops(STORE_ACQUIRE), 3);
	store.held_times = 1000;
	ck_assert(!rebuild(500, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "another process"));
}
END_TEST

START_TEST(a_silent_store_is_not_waited_for_too_long)
{
	tell_state("c1", "T", CLONE_RUNNING, "T__g10", 7, 1);
	for (int from = 0; from < 7; from++) {
		struct err e;

		store.count = store.answered = 0;
		store.remembers = false;
		store.silent_from = from;
		ck_assert_msg(!rebuild(100, &e), "silent from %d", from);
		ck_assert_int_eq(e.class, ERR_TRANSIENT);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rebuild");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_clone_is_remembered_as_the_topics_tell_it);
	tcase_add_test(tc, what_was_asked_and_never_begun_is_left_to_its_record);
	tcase_add_test(tc, the_first_request_of_an_id_counts);
	tcase_add_test(tc, it_is_done_once);
	tcase_add_test(tc, nonsense_in_the_topics_is_passed_over);
	tcase_add_test(tc, the_clone_that_began_last_has_the_target);
	tcase_add_test(tc, a_target_that_was_named_meanwhile_stays_so);
	tcase_add_test(tc, a_target_that_is_held_for_a_moment_is_named_all_the_same);
	tcase_add_test(tc, it_ends_when_it_is_told_to);
	tcase_add_test(tc, a_clone_that_is_known_already_is_left);
	tcase_add_test(tc, a_store_that_goes_away_is_an_error_and_not_remembered);
	tcase_add_test(tc, topics_that_cannot_be_read_are_an_error);
	tcase_add_test(tc, another_process_is_waited_for);
	tcase_add_test(tc, a_silent_store_is_not_waited_for_too_long);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
