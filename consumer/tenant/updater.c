/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/tenant/updater_priv.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TURN_MS = 250, AGAIN_MS = 500, DRAIN_MAX = 4096,
       GATHER_MS = 100 }; /* between two changes, unless the batch is full: many events of a clone then cost one */

int64_t updater_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + 1;
}

/* ---- partitions ---- */

struct part *updater_part(struct updater *u, enum topic topic, int partition)
{
	for (size_t i = 0; i < u->part_count; i++)
		if (u->parts[i].topic == topic && u->parts[i].partition == partition)
			return &u->parts[i];
	return NULL;
}

static struct part *part_make(struct updater *u, enum topic topic, int partition)
{
	struct part *p = updater_part(u, topic, partition), *grown;

	if (p)
		return p;
	grown = realloc(u->parts, (u->part_count + 1) * sizeof *grown);
	if (!grown)
		return NULL;
	u->parts = grown;
	p = &u->parts[u->part_count++];
	*p = (struct part){ .topic = topic, .partition = partition, .stands = -1, .next = -1 };
	return p;
}

static void note_failure(struct updater *u, const struct err *e)
{
	if (!u->store_failed)
		log_warn(u->s.log, NULL, "the store of tenants fails; nothing is read until it answers", LOG_ERR(e));
	u->store_failed = true;
	atomic_store(u->s.ready, false);
}

static void note_success(struct updater *u)
{
	if (u->store_failed)
		log_info(u->s.log, NULL, "the store of tenants answers again");
	u->store_failed = false;
}

bool updater_start_at(void *updater, enum topic topic, int partition, int64_t *offset_r)
{
	struct updater *u = updater;
	struct part *p = part_make(u, topic, partition);
	struct err e = { 0 };

	if (!p)
		return false;
	if (!u->s.tenants->position(u->s.tenants, topic_name(topic), partition, &p->stands, &e)) {
		note_failure(u, &e);
		return false;
	}
	note_success(u);
	p->next = p->stands;
	*offset_r = p->stands;
	return true;
}

/* ---- records ---- */

static enum message_kind kind_of(enum topic topic)
{
	switch (topic) {
	case TOPIC_STEP_COMPLETED:
		return MESSAGE_STEP_COMPLETED;
	case TOPIC_BACKUP_RESTORED:
		return MESSAGE_BACKUP_RESTORED;
	default:
		return MESSAGE_STATE;
	}
}

/* What can never be read was never ours: the partition goes on. */
static void pass_over(struct updater *u, const struct bus_record *record, const struct err *e)
{
	log_warn(u->s.log, NULL, "record passed over", log_text("topic", topic_name(record->at.topic)),
		log_number("partition", record->at.partition), log_number("offset", record->at.offset),
		log_text("reason", e->where), LOG_ERR(e));
	metrics_add(u->s.metrics, METRIC_RECORDS_UNREADABLE, record->at.topic, 0, 1);
}

/* False: its schema cannot be had now. */
static bool take_record(struct updater *u, struct part *p, const struct bus_record *record)
{
	struct batch_item item = { .topic = record->at.topic, .partition = record->at.partition };
	struct err e = { 0 };

	if (record->value) { /* the compacted topic may say that a clone is forgotten: nothing to fold */
		switch (u->s.codec->decode(u->s.codec, kind_of(record->at.topic), record, &item.message, &e)) {
		case CODEC_LATER:
			return false;
		case CODEC_BAD:
			pass_over(u, record, &e);
			break;
		default:
			u->batch[u->batch_count++] = item;
			break;
		}
	}
	p->next = record->at.offset + 1;
	return true;
}

static void pause_as_needed(struct updater *u)
{
	bool pause = u->store_failed || u->raw.count;

	if (pause == u->paused)
		return;
	u->paused = pause;
	u->bus->pause(u->bus, pause);
}

static void on_record(struct updater *u, const struct bus_record *record)
{
	struct part *p = updater_part(u, record->at.topic, record->at.partition);

	metrics_add(u->s.metrics, METRIC_RECORDS_READ, record->at.topic, 0, 1);
	if (!p || !p->is_ours)
		return;
	if (!u->raw.count && u->batch_count < u->batch_size) {
		if (take_record(u, p, record))
			return;
		log_warn(u->s.log, NULL, "a record waits for its schema", log_text("topic", topic_name(record->at.topic)),
			log_number("partition", record->at.partition), log_number("offset", record->at.offset));
		u->raw_again_ms = updater_now_ms() + AGAIN_MS;
	}
	if (!raw_queue_add(&u->raw, record))
		err_set(&u->fatal, ERR_TRANSIENT, 0, "tenant", "out of memory for records that wait");
	pause_as_needed(u);
}

static void retry_raw(struct updater *u)
{
	const struct bus_record *record;

	if (!u->raw.count || updater_now_ms() < u->raw_again_ms)
		return;
	while ((record = raw_queue_first(&u->raw)) && u->batch_count < u->batch_size) {
		struct part *p = updater_part(u, record->at.topic, record->at.partition);

		if (p && p->is_ours && !take_record(u, p, record)) {
			u->raw_again_ms = updater_now_ms() + AGAIN_MS;
			break;
		}
		raw_queue_drop(&u->raw);
	}
	pause_as_needed(u);
}

/* ---- the bus ---- */

static void on_assigned(struct updater *u, const struct bus_position *at)
{
	struct part *p = updater_part(u, at->topic, at->partition);

	if (p)
		p->is_ours = true;
	log_debug(u->s.log, NULL, "partition assigned", log_text("topic", topic_name(at->topic)),
		log_number("partition", at->partition), log_number("offset", p ? p->stands : -1));
}

static void on_gone(struct updater *u, const struct bus_position *at)
{
	struct part *p = updater_part(u, at->topic, at->partition);

	if (!p)
		return;
	p->is_ours = false;
	updater_drop_batch_of(u, p);
}

/* What is in the batch is folded first; if that fails it is read again by whoever has the partition next. */
static void on_revoked(struct updater *u, const struct bus_position *at)
{
	struct err ignored = { 0 };

	if (u->batch_count)
		updater_fold_batch(u, &ignored);
	on_gone(u, at);
}

static bool take_event(struct updater *u, bool *revoked_r)
{
	struct bus_event event;

	u->bus->next(u->bus, &event);
	switch (event.kind) {
	case BUS_RECORD:
		on_record(u, &event.record);
		break;
	case BUS_ASSIGNED:
		on_assigned(u, &event.at);
		break;
	case BUS_REVOKED:
		on_revoked(u, &event.at);
		*revoked_r = true;
		break;
	case BUS_LOST:
		on_gone(u, &event.at);
		break;
	case BUS_FATAL:
		err_set(&u->fatal, ERR_TRANSIENT, 0, "kafka", "%s", event.text);
		break;
	case BUS_NOTHING:
		return false;
	default:
		break;
	}
	return true;
}

/* A full batch is folded before more is taken. While the store fails next() is called all the same, for that keeps the
 * membership: the bus is paused, so what comes is only what was on its way. */
static void take_bus(struct updater *u)
{
	bool revoked = false;

	for (int i = 0; i < DRAIN_MAX && (u->batch_count < u->batch_size || u->store_failed) && !u->fatal.class; i++)
		if (!take_event(u, &revoked))
			break;
	if (revoked)
		u->bus->release_revoked(u->bus);
}

/* ---- turns ---- */

static bool has_moved(const struct updater *u)
{
	for (size_t i = 0; i < u->part_count; i++)
		if (u->parts[i].is_ours && u->parts[i].next != u->parts[i].stands)
			return true;
	return u->batch_count > 0;
}

/* False: the process must end. */
static bool settle(struct updater *u, bool ok, const struct err *e)
{
	if (ok) {
		note_success(u);
	} else if (e->class == ERR_TRANSIENT || e->class == ERR_UNSURE) {
		note_failure(u, e);
		u->again_ms = updater_now_ms() + AGAIN_MS;
	} else {
		u->fatal = *e;
		return false;
	}
	pause_as_needed(u);
	return true;
}

static void use_store(struct updater *u)
{
	int64_t now = updater_now_ms();
	struct err e = { 0 };

	if (now < u->again_ms)
		return;
	if (has_moved(u)) {
		if (now < u->folded_ms + GATHER_MS && u->batch_count < u->batch_size)
			return;
		u->folded_ms = now;
		u->refresh_at_ms = now + u->s.refresh_ms;
		settle(u, updater_fold_batch(u, &e), &e);
	} else if (now >= u->refresh_at_ms) {
		u->refresh_at_ms = now + u->s.refresh_ms;
		settle(u, updater_refresh(u, &e), &e);
	}
}

static void set_lag(void *arg, const struct bus_position *at, int64_t records)
{
	metrics_set(arg, METRIC_LAG, at->topic, (size_t)at->partition, records);
}

static void say_alive(struct updater *u)
{
	bool has_parts = false;

	for (size_t i = 0; i < u->part_count; i++)
		has_parts |= u->parts[i].is_ours;
	atomic_store(u->s.alive_ms, updater_now_ms());
	atomic_store(u->s.ready, has_parts && !u->store_failed);
	metrics_set(u->s.metrics, METRIC_TENANTS, 0, 0, (int64_t)board_count(u->s.board));
	metrics_set(u->s.metrics, METRIC_TENANTS_STUCK, 0, 0, (int64_t)board_stuck(u->s.board));
	u->bus->lags(u->bus, set_lag, u->s.metrics);
}

static void wait_for_more(struct updater *u)
{
	struct pollfd watched = { .fd = u->bus->fd(u->bus), .events = POLLIN };
	int ms = u->s.refresh_ms < TURN_MS ? (int)u->s.refresh_ms : TURN_MS;

	if (has_moved(u) && !u->store_failed && ms > GATHER_MS)
		ms = GATHER_MS;
	if (u->batch_count < u->batch_size || u->store_failed)
		poll(&watched, 1, ms);
}

bool updater_run(struct updater *u, struct bus_port *bus, struct err *e)
{
	int64_t say_at_ms = 0;

	u->bus = bus;
	while (!*u->s.stop && !u->fatal.class) {
		take_bus(u);
		retry_raw(u);
		use_store(u);
		if (updater_now_ms() >= say_at_ms) {
			say_alive(u);
			say_at_ms = updater_now_ms() + TURN_MS;
		}
		wait_for_more(u);
	}
	atomic_store(u->s.ready, false);
	if (!u->fatal.class && u->batch_count)
		updater_fold_batch(u, e);
	return !u->fatal.class || err_set(e, u->fatal.class, u->fatal.code, u->fatal.where, "%s", u->fatal.text);
}

/* ---- from start to end ---- */

struct updater *updater_new(const struct updater_settings *settings, struct err *e)
{
	struct updater *u = calloc(1, sizeof *u);

	if (!u) {
		err_set(e, ERR_TRANSIENT, 0, "tenant", "out of memory");
		return NULL;
	}
	u->s = *settings;
	u->batch_size = settings->batch;
	u->batch = calloc(u->batch_size, sizeof *u->batch);
	u->known = known_new();
	u->last = 0;
	if (!u->batch || !u->known)
		err_set(e, ERR_TRANSIENT, 0, "tenant", "out of memory");
	else if (updater_refresh(u, e))
		return u;
	updater_free(&u);
	return NULL;
}

void updater_free(struct updater **up)
{
	struct updater *u = up ? *up : NULL;

	if (!u)
		return;
	for (size_t i = 0; i < u->batch_count; i++)
		message_free(&u->batch[i].message);
	free(u->batch);
	free(u->parts);
	raw_queue_clear(&u->raw);
	known_free(&u->known);
	free(u);
	*up = NULL;
}
