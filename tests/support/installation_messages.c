/* SPDX-License-Identifier: Apache-2.0
 * What goes into an installation's topics, and everything that came out of them. */
#include "tests/support/installation_priv.h"

#include "consumer/adapters/kafka/kafka_reader.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DELIVERED_WITHIN_MS = 15000, READ_WITHIN_MS = 30000, EVENTS_MAX = 20000 };

/* ---- in ---- */

static struct user_plan users[] = {
	{ "admin@north.example", 0, "ten-salesservicemarketing", true },
	{ "tester@north.example", 0, "ten-salesservicemarketing", false },
};

static const char *source_of(const struct installation *i, const char *target)
{
	static const char *const own[] = { "Cust71001", "Cust71002", "Cust71003", "Cust71004", "Cust71005", "Cust71006",
					   "Cust71007", "Cust71008", "Cust71009" };
	const size_t len = strlen(target);
	const size_t n = len ? (size_t)(target[len - 1] - '1') : sizeof own / sizeof *own; /* a bad request may have no target */

	return i->own_sources && n < sizeof own / sizeof *own ? own[n] : SOURCE;
}

struct message good_request(const struct installation *i, const char *id, const char *target)
{
	struct message m = { .kind = MESSAGE_REQUEST };

	m.request = (struct clone_request){ .confirmed = true, .requested_at_ms = 1785578400000, .expected_generation = "" };
	m.request.job = (struct step_job){ .clone_id = id, .kind = CLONE_REPLACE, .source_ctx = source_of(i, target),
		.target_ctx = target, .requested_by = "admin@north.example", .mask_enabled = true,
		.mask_domain = "sandbox.example", .mask_mode = MASK_KEEP_NAMES, .users = users, .user_count = 2,
		.documents = DOCUMENTS_ALL,
		.attachments = ATTACHMENTS_NO_REQUESTS, .set_running = true, .approved_target = "" };
	return m;
}

struct message good_replay(const char *id, const char *target)
{
	struct message m = { .kind = MESSAGE_REPLAY };

	m.replay = (struct clone_replay){ .clone_id = id, .target_ctx = target, .from_step = "", .until_step = "",
		.expected_generation = "", .reason = "a test", .requested_by = "admin@north.example",
		.mask_domain = "", .approved_target = "" };
	return m;
}

struct message good_control(const char *id, const char *target, enum control_verb verb)
{
	struct message m = { .kind = MESSAGE_CONTROL };

	m.control = (struct clone_control){ .clone_id = id, .target_ctx = target, .verb = verb, .reason = "a test",
		.requested_by = "admin@north.example" };
	return m;
}

void encode_message(struct installation *i, const struct message *m, struct buf *value)
{
	struct err e = { 0 };

	buf_init(value, RECORD_MAX_BYTES);
	ck_assert_msg(i->codec->encode(i->codec, m, value, &e), "%s", e.text);
}

void send_bytes(struct installation *i, enum topic topic, const char *key, const void *value, size_t len)
{
	const struct bus_message m = { .topic = topic, .key = key, .key_len = strlen(key), .value = value, .value_len = len };
	struct bus_event said;
	struct err e = { 0 };

	ck_assert_msg(i->bus->publish(i->bus, &m, 1, &e), "%s", e.text);
	ck_assert(bus_wait_for(i->bus, BUS_DELIVERED, DELIVERED_WITHIN_MS, &said) && said.ok);
}

void send_message(struct installation *i, const struct message *m)
{
	struct buf value;

	encode_message(i, m, &value);
	if (m->kind == MESSAGE_REQUEST)
		send_bytes(i, TOPIC_REQUESTED, m->request.job.target_ctx, value.data, value.len);
	else if (m->kind == MESSAGE_REPLAY)
		send_bytes(i, TOPIC_REPLAY, m->replay.target_ctx, value.data, value.len);
	else
		send_bytes(i, TOPIC_CONTROL, m->control.target_ctx, value.data, value.len);
	buf_done(&value);
}

void send_request(struct installation *i, const char *id, const char *target)
{
	const struct message m = good_request(i, id, target);

	send_message(i, &m);
}

void send_control(struct installation *i, const char *id, const char *target, enum control_verb verb)
{
	const struct message m = good_control(id, target, verb);

	send_message(i, &m);
}

/* ---- out ---- */

struct reading {
	struct installation *i;
	struct events *events;
};

static enum message_kind kind_of(enum topic topic)
{
	switch (topic) {
	case TOPIC_STEP_COMPLETED:
		return MESSAGE_STEP_COMPLETED;
	case TOPIC_BACKUP_RESTORED:
		return MESSAGE_BACKUP_RESTORED;
	case TOPIC_STATE:
		return MESSAGE_STATE;
	default:
		return MESSAGE_DEAD_LETTER;
	}
}

static bool has_header(const struct bus_record *record, const char *name)
{
	for (size_t h = 0; h < record->header_count; h++)
		if (strcmp(record->headers[h].name, name) == 0)
			return record->headers[h].len > 0;
	return false;
}

static bool take(void *arg, const struct bus_record *record)
{
	static const char *const headers[] = { "ce_id", "ce_source", "ce_type", "ce_specversion" };
	struct reading *r = arg;
	struct told *told = &r->events->items[r->events->count];
	struct err e = { 0 };

	ck_assert_uint_lt(r->events->count, EVENTS_MAX);
	told->at = record->at;
	ck_assert_msg(r->i->codec->decode(r->i->codec, kind_of(record->at.topic), record, &told->message, &e) == CODEC_OK,
		"%s %d:%lld does not decode: %s", topic_name(record->at.topic), record->at.partition,
		(long long)record->at.offset, e.text);
	for (size_t h = 0; h < sizeof headers / sizeof *headers; h++)
		ck_assert_msg(has_header(record, headers[h]), "%s %d:%lld has no header %s", topic_name(record->at.topic),
			record->at.partition, (long long)record->at.offset, headers[h]);
	told->schema_in_header = has_header(record, "__value_schema_id");
	r->events->count++;
	return true;
}

static int by_place(const void *a_, const void *b_)
{
	const struct bus_position *a = &((const struct told *)a_)->at, *b = &((const struct told *)b_)->at;

	if (a->topic != b->topic)
		return a->topic < b->topic ? -1 : 1;
	if (a->partition != b->partition)
		return a->partition < b->partition ? -1 : 1;
	return (a->offset > b->offset) - (a->offset < b->offset);
}

void events_read(struct installation *i, struct events *events)
{
	const struct kafka_settings settings = installation_kafka(i);
	struct kafka_read what = { .partition = -1, .from = KAFKA_FROM_BEGINNING, .within_ms = READ_WITHIN_MS };
	struct reading r = { i, events };
	struct err e = { 0 };
	struct kafka_reader *reader = kafka_reader_new(&settings, &e);

	*events = (struct events){ .items = calloc(EVENTS_MAX, sizeof *events->items) };
	ck_assert_ptr_nonnull(events->items);
	for (int t = TOPIC_STEP_COMPLETED; t < TOPIC_END; t++)
		what.topics[t] = true;
	ck_assert_msg(reader && kafka_read(reader, &what, take, &r, &e), "%s", e.text);
	kafka_reader_free(&reader);
	qsort(events->items, events->count, sizeof *events->items, by_place);
}

void events_free(struct events *events)
{
	for (size_t n = 0; n < events->count; n++)
		message_free(&events->items[n].message);
	free(events->items);
	*events = (struct events){ 0 };
}

struct identity {
	const char *event_id, *clone_id;
	int64_t sequence;
};

static struct identity identity_of(const struct message *m)
{
	switch (m->kind) {
	case MESSAGE_STEP_COMPLETED:
		return (struct identity){ m->step_completed.event_id, m->step_completed.clone_id, m->step_completed.sequence };
	case MESSAGE_BACKUP_RESTORED:
		return (struct identity){ m->backup_restored.event_id, m->backup_restored.clone_id,
			m->backup_restored.sequence };
	case MESSAGE_STATE:
		return (struct identity){ m->state.event_id, m->state.clone_id, m->state.sequence };
	default:
		return (struct identity){ "", "", 0 };
	}
}

static bool is_repeat(const struct events *events, size_t at)
{
	const char *id = identity_of(events->items[at].message).event_id;

	for (size_t n = 0; *id && n < at; n++)
		if (strcmp(identity_of(events->items[n].message).event_id, id) == 0)
			return true;
	return false;
}

const struct message *events_nth(const struct events *events, enum message_kind kind, const char *id, size_t nth)
{
	for (size_t n = 0; n < events->count; n++) {
		const struct message *m = events->items[n].message;

		if (m->kind != kind || (*id && strcmp(identity_of(m).clone_id, id) != 0) || is_repeat(events, n))
			continue;
		if (nth-- == 0)
			return m;
	}
	return NULL;
}

size_t events_count(const struct events *events, enum message_kind kind, const char *id)
{
	size_t count = 0;

	while (events_nth(events, kind, id, count))
		count++;
	return count;
}

struct message *await_dead_letter(struct installation *i, size_t nth, int within_ms)
{
	int64_t until = now_ms() + within_ms;

	while (now_ms() < until) {
		struct events events;
		struct message *found = NULL;
		size_t seen = 0;

		events_read(i, &events);
		for (size_t n = 0; n < events.count && !found; n++)
			if (events.items[n].message->kind == MESSAGE_DEAD_LETTER && seen++ == nth) {
				found = events.items[n].message;
				events.items[n].message = NULL;
			}
		events_free(&events);
		if (found)
			return found;
	}
	fail_with_logs(i, "there is no dead letter %zu", nth);
}

/* ---- what the group has committed ---- */

static rd_kafka_t *group_member(const struct installation *i)
{
	const char *group = getenv("SANDBOX_KAFKA__GROUP_ID");
	char why[256];
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_t *client;

	rd_kafka_conf_set(conf, "bootstrap.servers", i->broker.bootstrap, NULL, 0);
	rd_kafka_conf_set(conf, "group.id", group ? group : "sandbox-consumer", NULL, 0);
	client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
	ck_assert_msg(client, "%s", why);
	return client;
}

/* Records that were sent in and are not committed; -1 when a broker that was killed cannot say. */
static int64_t uncommitted(rd_kafka_t *client, struct installation *i)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(9);
	int64_t count = 0;

	for (int t = TOPIC_REQUESTED; t <= TOPIC_CONTROL; t++)
		for (int p = 0; p < i->partitions; p++)
			rd_kafka_topic_partition_list_add(list, topic_name((enum topic)t), p);
	if (rd_kafka_committed(client, list, 5000) != RD_KAFKA_RESP_ERR_NO_ERROR)
		count = -1;
	for (int n = 0; n < list->cnt && count >= 0; n++) {
		const rd_kafka_topic_partition_t *at = &list->elems[n];
		int64_t low = 0, high = 0;

		if (rd_kafka_query_watermark_offsets(client, at->topic, at->partition, &low, &high, 5000) !=
		    RD_KAFKA_RESP_ERR_NO_ERROR)
			count = -1;
		else
			count += high - (at->offset >= 0 ? at->offset : 0);
	}
	rd_kafka_topic_partition_list_destroy(list);
	return count;
}

void await_committed(struct installation *i, int within_ms)
{
	int64_t until = now_ms() + within_ms, left;
	rd_kafka_t *client = group_member(i);

	while ((left = uncommitted(client, i)) != 0 && now_ms() < until)
		pause_ms(50);
	rd_kafka_destroy(client);
	if (left)
		fail_with_logs(i, "%lld records are not committed", (long long)left);
}

/* ---- are they sound? ---- */

/* By the sequence: each number once, from 1; what bears the same number is the same event. */
void check_sequence(const struct events *events, const char *id)
{
	const char *ids[512] = { 0 };
	int64_t last = 0, before[TOPIC_END] = { 0 };

	for (size_t n = 0; n < events->count; n++) {
		const struct identity who = identity_of(events->items[n].message);
		enum topic topic = events->items[n].at.topic;

		if (strcmp(who.clone_id, id) != 0)
			continue;
		ck_assert_int_gt(who.sequence, 0);
		ck_assert_int_lt(who.sequence, 512);
		if (ids[who.sequence]) {
			ck_assert_str_eq(ids[who.sequence], who.event_id);
			continue;
		}
		ids[who.sequence] = who.event_id;
		ck_assert_msg(who.sequence > before[topic], "%s: %s came after %s", id, who.event_id,
			before[topic] ? ids[before[topic]] : "");
		before[topic] = who.sequence;
		last = who.sequence > last ? who.sequence : last;
	}
	for (int64_t n = 1; n <= last; n++)
		ck_assert_msg(ids[n], "%s: event %lld of %lld is missing", id, (long long)n, (long long)last);
}
