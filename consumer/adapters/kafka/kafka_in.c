/* SPDX-License-Identifier: Apache-2.0
 * The group member: records, the partitions that are ours, and what is committed for them.
 *
 * A revocation is not answered at once: the group waits while the clones of the partitions come to rest, because a
 * rebalance is an event in our queue and it ends when we call rd_kafka_assign(). librdkafka pauses the partitions
 * meanwhile and keeps the membership alive. */
#include "consumer/adapters/kafka/kafka_bus_priv.h"

#include <stdlib.h>
#include <string.h>
#include <syslog.h>

enum { REVOKE_WAIT_DEFAULT_MS = 5000, COMMIT_WITHIN_MS = 20000 }; /* requests fail after 15 s, see kafka_conf.c */

bool kafka_in_open(struct kafka_bus *bus, const struct kafka_settings *s, struct err *e)
{
	struct kafka_in *in = &bus->in;
	const uint64_t one = 1;

	in->client = kafka_client_new(s, KAFKA_ROLE_CONSUMER, e);
	if (!in->client)
		return false;
	in->start_at = s->start_at;
	in->start_arg = s->start_arg;
	in->revoke_wait_ms = s->revoke_wait_ms ? s->revoke_wait_ms : REVOKE_WAIT_DEFAULT_MS;
	rd_kafka_set_log_queue(in->client, NULL);
	rd_kafka_poll_set_consumer(in->client); /* errors and logs come by the same queue */
	in->queue = rd_kafka_queue_get_consumer(in->client);
	rd_kafka_queue_io_event_enable(in->queue, bus->wake_fd, &one, sizeof one);
	return true;
}

bool kafka_in_subscribe(struct kafka_bus *bus, struct err *e)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(TOPIC_END);
	rd_kafka_resp_err_t code;

	for (int topic = 0; topic < TOPIC_END; topic++)
		if (bus->reads[topic])
			rd_kafka_topic_partition_list_add(list, topic_name((enum topic)topic), RD_KAFKA_PARTITION_UA);
	code = rd_kafka_subscribe(bus->in.client, list);
	rd_kafka_topic_partition_list_destroy(list);
	return !code || kafka_err_set(e, code, "kafka", "the topics cannot be subscribed to");
}

static struct kafka_part *part_find(struct kafka_in *in, enum topic topic, int partition)
{
	for (size_t i = 0; i < in->part_count; i++)
		if (in->parts[i].topic == topic && in->parts[i].partition == partition)
			return &in->parts[i];
	return NULL;
}

static void parts_clear(struct kafka_in *in)
{
	free(in->parts);
	in->parts = NULL;
	in->part_count = 0;
}

static void parts_take(struct kafka_in *in, const rd_kafka_topic_partition_list_t *list)
{
	parts_clear(in);
	in->parts = calloc((size_t)list->cnt + 1, sizeof *in->parts);
	for (int i = 0; in->parts && i < list->cnt; i++)
		in->parts[in->part_count++] = (struct kafka_part){ kafka_topic_by_name(list->elems[i].topic),
								   list->elems[i].partition, -1, false };
}

static rd_kafka_topic_partition_list_t *parts_list(const struct kafka_in *in, bool only_dirty)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)in->part_count);

	for (size_t i = 0; i < in->part_count; i++) {
		const struct kafka_part *p = &in->parts[i];

		if (!only_dirty || p->dirty)
			rd_kafka_topic_partition_list_add(list, topic_name(p->topic), p->partition)->offset =
			    p->next_offset;
	}
	return list;
}

static void telling_begin(struct kafka_in *in, enum bus_event_kind kind)
{
	if (in->telling.list)
		rd_kafka_topic_partition_list_destroy(in->telling.list);
	in->telling = (struct kafka_telling){ kind, parts_list(in, false), 0 };
}

/* All that is dirty goes out in one request; the answer comes as an event. */
static void commit_dirty(struct kafka_bus *bus)
{
	struct kafka_in *in = &bus->in;
	rd_kafka_topic_partition_list_t *list = parts_list(in, true);

	if (list->cnt > 0 &&
	    rd_kafka_commit_queue(in->client, list, in->queue, NULL, NULL) == RD_KAFKA_RESP_ERR_NO_ERROR) {
		in->commits_in_flight++;
		in->commit_until_ms = kafka_clock_ms() + COMMIT_WITHIN_MS;
		for (size_t i = 0; i < in->part_count; i++)
			in->parts[i].dirty = false;
	}
	rd_kafka_topic_partition_list_destroy(list);
}

/* One request is under way at most, what comes meanwhile goes together in the next. */
bool kafka_in_commit(struct kafka_bus *bus, const struct bus_position *next, struct err *e)
{
	struct kafka_part *p = part_find(&bus->in, next->topic, next->partition);

	if (!p)
		return err_set(e, ERR_REFUSED, 0, "kafka", "partition %d of %s is not ours any more", next->partition,
			       topic_name(next->topic));
	p->next_offset = next->offset;
	p->dirty = true;
	if (bus->in.commits_in_flight == 0)
		commit_dirty(bus);
	return true;
}

void kafka_in_lags(struct kafka_bus *bus, void (*fn)(void *arg, const struct bus_position *at, int64_t records), void *arg)
{
	for (size_t i = 0; bus->in.client && i < bus->in.part_count; i++) {
		const struct kafka_part *p = &bus->in.parts[i];
		const struct bus_position at = { p->topic, p->partition, p->next_offset };
		int64_t low = 0, high = 0;

		if (rd_kafka_get_watermark_offsets(bus->in.client, topic_name(p->topic), p->partition, &low, &high) !=
			    RD_KAFKA_RESP_ERR_NO_ERROR ||
		    p->next_offset < 0 || high < p->next_offset)
			continue;
		fn(arg, &at, high - p->next_offset);
	}
}

/* A commit that failed for a passing reason is due again at the next tick, unless a newer one stands already. */
static void take_commit(struct kafka_bus *bus, rd_kafka_event_t *event)
{
	const rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(event);
	rd_kafka_resp_err_t code = rd_kafka_event_error(event), failed = code;

	if (bus->in.commits_in_flight > 0) /* or it was given up */
		bus->in.commits_in_flight--;
	for (int i = 0; list && i < list->cnt; i++) {
		const rd_kafka_topic_partition_t *done = &list->elems[i];
		struct kafka_part *p = part_find(&bus->in, kafka_topic_by_name(done->topic), done->partition);

		if (!code && !done->err)
			continue;
		failed = code ? code : done->err;
		if (p && p->next_offset >= 0)
			p->dirty = true;
	}
	if (failed)
		kafka_bus_note(bus, LOG_WARNING, "offsets could not be committed: %s", rd_kafka_err2str(failed));
	else
		commit_dirty(bus);
}

static void pause_all(struct kafka_bus *bus)
{
	rd_kafka_topic_partition_list_t *list = parts_list(&bus->in, false);

	if (bus->in.paused)
		rd_kafka_pause_partitions(bus->in.client, list);
	else
		rd_kafka_resume_partitions(bus->in.client, list);
	rd_kafka_topic_partition_list_destroy(list);
}

void kafka_in_pause(struct kafka_bus *bus, bool paused)
{
	if (bus->in.paused == paused || !bus->in.client)
		return;
	bus->in.paused = paused;
	if (!bus->in.revoking && bus->in.part_count > 0)
		pause_all(bus);
}

static void assign(struct kafka_bus *bus, const rd_kafka_topic_partition_list_t *list)
{
	rd_kafka_resp_err_t code = rd_kafka_assign(bus->in.client, list);

	if (code)
		kafka_bus_note(bus, LOG_ERR, "the assignment of partitions failed: %s", rd_kafka_err2str(code));
}

/* Sets where each begins; false when that is not known now. */
static bool find_starts(struct kafka_in *in, rd_kafka_topic_partition_list_t *list)
{
	for (int i = 0; in->start_at && i < list->cnt; i++) {
		rd_kafka_topic_partition_t *p = &list->elems[i];
		int64_t offset = -1;

		if (!in->start_at(in->start_arg, kafka_topic_by_name(p->topic), p->partition, &offset))
			return false;
		p->offset = offset < 0 ? RD_KAFKA_OFFSET_BEGINNING : offset;
	}
	return true;
}

static void stop_waiting(struct kafka_in *in)
{
	if (in->waiting)
		rd_kafka_topic_partition_list_destroy(in->waiting);
	in->waiting = NULL;
}

static void take_assignment(struct kafka_bus *bus, rd_kafka_topic_partition_list_t *list)
{
	parts_take(&bus->in, list);
	assign(bus, list);
	if (bus->in.paused)
		pause_all(bus); /* an assignment begins unpaused */
	telling_begin(&bus->in, BUS_ASSIGNED);
}

static void try_waiting(struct kafka_bus *bus)
{
	if (!bus->in.waiting || !find_starts(&bus->in, bus->in.waiting))
		return;
	take_assignment(bus, bus->in.waiting);
	stop_waiting(&bus->in);
}

/* librdkafka answers a commit when its request has failed, at the latest. Should it ever forget one, no offset would move
 * again: so it is asked anew, which a late answer does not disturb. */
static void give_up_commit(struct kafka_bus *bus)
{
	struct kafka_in *in = &bus->in;

	if (in->commits_in_flight == 0 || kafka_clock_ms() < in->commit_until_ms)
		return;
	kafka_bus_note(bus, LOG_WARNING, "no answer to a commit of offsets for %d s; it is sent again", COMMIT_WITHIN_MS / 1000);
	in->commits_in_flight = 0;
	for (size_t i = 0; i < in->part_count; i++)
		in->parts[i].dirty |= in->parts[i].next_offset >= 0;
}

void kafka_in_tick(struct kafka_bus *bus)
{
	if (!bus->in.client)
		return;
	try_waiting(bus);
	give_up_commit(bus);
	if (bus->in.commits_in_flight == 0)
		commit_dirty(bus);
}

static void unassign(struct kafka_bus *bus)
{
	stop_waiting(&bus->in);
	bus->in.revoking = false;
	parts_clear(&bus->in);
	assign(bus, NULL);
}

void kafka_in_release(struct kafka_bus *bus)
{
	const struct kafka_telling *t = &bus->in.telling;

	if (!bus->in.revoking || (t->list && t->next < t->list->cnt)) /* who has not heard of all cannot let go of it */
		return;
	commit_dirty(bus);
	unassign(bus);
}

static void lose(struct kafka_bus *bus)
{
	telling_begin(&bus->in, BUS_LOST);
	unassign(bus);
}

static void revoke(struct kafka_bus *bus)
{
	struct kafka_in *in = &bus->in;

	if (in->part_count == 0) {
		unassign(bus);
	} else if (rd_kafka_assignment_lost(in->client)) {
		lose(bus);
	} else {
		in->revoking = true;
		in->revoke_until_ms = kafka_clock_ms() + in->revoke_wait_ms;
		telling_begin(in, BUS_REVOKED);
	}
}

static void take_rebalance(struct kafka_bus *bus, rd_kafka_event_t *event)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(event);

	switch (rd_kafka_event_error(event)) {
	case RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS:
		stop_waiting(&bus->in);
		bus->in.waiting = rd_kafka_topic_partition_list_copy(list);
		try_waiting(bus);
		break;
	case RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS:
		revoke(bus);
		break;
	default:
		kafka_bus_note(bus, LOG_ERR, "the group could not be balanced: %s", rd_kafka_event_error_string(event));
		lose(bus);
	}
}

bool kafka_in_tell(struct kafka_bus *bus, struct bus_event *event_r)
{
	struct kafka_telling *t = &bus->in.telling;

	if (!t->list && bus->in.revoking &&
	    (rd_kafka_assignment_lost(bus->in.client) || kafka_clock_ms() >= bus->in.revoke_until_ms)) {
		kafka_bus_note(bus, LOG_WARNING, "revoked partitions are given up before their clones came to rest");
		lose(bus);
	}
	if (!t->list)
		return false;
	if (t->next < t->list->cnt) {
		const rd_kafka_topic_partition_t *p = &t->list->elems[t->next++];

		event_r->kind = t->kind;
		event_r->at.topic = kafka_topic_by_name(p->topic);
		event_r->at.partition = p->partition;
		return true;
	}
	rd_kafka_topic_partition_list_destroy(t->list);
	t->list = NULL;
	return false;
}

void kafka_in_take_back(struct kafka_bus *bus)
{
	rd_kafka_event_destroy(bus->in.lent);
	bus->in.lent = NULL;
}

static bool lend_record(struct kafka_bus *bus, rd_kafka_event_t *event, struct bus_event *event_r)
{
	const rd_kafka_message_t *message = rd_kafka_event_message_next(event);

	if (!message || message->err)
		return false;
	event_r->kind = BUS_RECORD;
	kafka_record_fill(&event_r->record, message);
	event_r->at = event_r->record.at;
	bus->in.lent = event;
	return true;
}

/* True when it became an event of the bus. */
static bool take(struct kafka_bus *bus, rd_kafka_event_t *event, struct bus_event *event_r)
{
	switch (rd_kafka_event_type(event)) {
	case RD_KAFKA_EVENT_FETCH:
		return lend_record(bus, event, event_r);
	case RD_KAFKA_EVENT_REBALANCE:
		take_rebalance(bus, event);
		return kafka_in_tell(bus, event_r);
	case RD_KAFKA_EVENT_OFFSET_COMMIT:
		take_commit(bus, event);
		return false;
	default:
		return kafka_bus_take_trouble(bus, bus->in.client, event, event_r);
	}
}

bool kafka_in_poll(struct kafka_bus *bus, struct bus_event *event_r)
{
	rd_kafka_event_t *event;

	while ((event = rd_kafka_queue_poll(bus->in.queue, 0))) {
		bool told = take(bus, event, event_r);

		if (event != bus->in.lent)
			rd_kafka_event_destroy(event);
		if (told)
			return true;
	}
	return false;
}

/* Serves the group's last words: answers to commits, and the revocation that leaving begins with. */
static void serve_once(struct kafka_bus *bus, int64_t deadline_ms)
{
	rd_kafka_event_t *event = rd_kafka_queue_poll(bus->in.queue, kafka_left_ms(deadline_ms, 50));

	if (event && rd_kafka_event_type(event) == RD_KAFKA_EVENT_OFFSET_COMMIT)
		take_commit(bus, event);
	if (event && rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE)
		unassign(bus);
	rd_kafka_event_destroy(event);
}

void kafka_in_leave(struct kafka_bus *bus, int64_t deadline_ms)
{
	rd_kafka_error_t *error;

	commit_dirty(bus);
	while (bus->in.commits_in_flight > 0 && kafka_left_ms(deadline_ms, 1) > 0)
		serve_once(bus, deadline_ms);
	if (bus->in.revoking)
		unassign(bus);
	error = rd_kafka_consumer_close_queue(bus->in.client, bus->in.queue);
	if (error) {
		kafka_bus_note(bus, LOG_WARNING, "the group could not be left: %s", rd_kafka_error_string(error));
		rd_kafka_error_destroy(error);
		return;
	}
	while (!rd_kafka_consumer_closed(bus->in.client) && kafka_left_ms(deadline_ms, 1) > 0)
		serve_once(bus, deadline_ms);
}

void kafka_in_free(struct kafka_bus *bus)
{
	kafka_in_take_back(bus);
	if (bus->in.telling.list)
		rd_kafka_topic_partition_list_destroy(bus->in.telling.list);
	stop_waiting(&bus->in);
	parts_clear(&bus->in);
}
