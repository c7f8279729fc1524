/* SPDX-License-Identifier: Apache-2.0
 * The simulation's loop: one heap of events, engines fed with them, their effects planned as further events. */
#include "tests/support/sim_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FAULTS_UNTIL_MS = 20000, END_MS = 4 * 60 * 60 * 1000, EVENTS_MAX = 2000000 };

int sim_target_of(int clone)
{
	return clone % SIM_TARGETS;
}

int sim_partition_of(int clone)
{
	return sim_target_of(clone) % SIM_PARTITIONS;
}

int64_t sim_chance(struct sim *s, int64_t below)
{
	return chance_below(&s->chance_world, below);
}

bool sim_fault(struct sim *s, int per_thousand)
{
	return !s->healing && chance_below(&s->chance_fault, 1000) * 4 < (int64_t)per_thousand * s->fault_rate;
}

void sim_trace(struct sim *s, const char *fmt, ...)
{
	va_list ap;

	if (!s->trace)
		return;
	printf("%8lld ", (long long)s->now);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

void sim_broken(struct sim *s, const char *fmt, ...)
{
	char text[200];
	va_list ap;

	if (s->failed)
		return;
	s->failed = true;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	snprintf(s->why, 256, "at %lld ms: %s", (long long)s->now, text);
	sim_trace(s, "BROKEN %s", text);
}

/* ---- the heap ---- */

static bool before(const struct sim_event *a, const struct sim_event *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

struct sim_event *sim_plan(struct sim *s, int64_t delay, enum sim_event_kind kind, int consumer)
{
	size_t i;

	if (s->heap_count == s->heap_size) {
		s->heap_size = s->heap_size ? 2 * s->heap_size : 256;
		s->heap = realloc(s->heap, s->heap_size * sizeof *s->heap);
		if (!s->heap)
			abort();
	}
	struct sim_event event = { .at = s->now + delay, .order = ++s->order, .kind = kind, .consumer = consumer,
		.life = consumer >= 0 ? s->consumers[consumer].life : 0 };

	i = s->heap_count++;
	while (i && before(&event, &s->heap[(i - 1) / 2])) {
		s->heap[i] = s->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	s->heap[i] = event;
	return &s->heap[i]; /* the caller fills in the rest before it plans another */
}

static struct sim_event take(struct sim *s)
{
	struct sim_event first = s->heap[0], last = s->heap[--s->heap_count];
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= s->heap_count)
			break;
		if (child + 1 < s->heap_count && before(&s->heap[child + 1], &s->heap[child]))
			child++;
		if (!before(&s->heap[child], &last))
			break;
		s->heap[i] = s->heap[child];
		i = child;
	}
	if (s->heap_count)
		s->heap[i] = last;
	return first;
}

/* ---- messages ---- */

static enum topic topic_of(int log)
{
	return log == 0 ? TOPIC_REQUESTED : log == 1 ? TOPIC_REPLAY : TOPIC_CONTROL;
}

static int log_of(enum topic topic)
{
	return topic == TOPIC_REQUESTED ? 0 : topic == TOPIC_REPLAY ? 1 : 2;
}

struct message *sim_message_of(struct sim *s, const struct sim_record *record)
{
	static const char *const targets[SIM_TARGETS] = { "TargetA", "TargetB" };
	struct message *m = calloc(1, sizeof *m);
	const char *id = s->ids[record->clone], *target = targets[sim_target_of(record->clone)];

	m->kind = record->kind;
	if (record->kind == MESSAGE_REQUEST) {
		m->request.job = (struct step_job){ .clone_id = id, .kind = CLONE_REPLACE, .source_ctx = "SourceX",
			.target_ctx = target, .requested_by = "", .mask_domain = "m.example", .documents = DOCUMENTS_ALL,
			.approved_target = "" };
		m->request.expected_generation = "";
		m->request.fingerprint = record->other_wishes ? 2 : 1;
		m->request.requested_at_ms = 1;
	} else if (record->kind == MESSAGE_REPLAY) {
		m->replay = (struct clone_replay){ .clone_id = id, .target_ctx = target, .from_step = "", .until_step = "",
			.expected_generation = "", .reason = "", .requested_by = "", .mask_domain = "", .approved_target = "" };
	} else {
		m->control = (struct clone_control){ .clone_id = id, .target_ctx = target, .verb = record->verb, .reason = "",
			.requested_by = "" };
	}
	return m;
}

/* ---- a consumer ---- */

static void plan_fetch(struct sim *s, int consumer)
{
	struct sim_consumer *c = &s->consumers[consumer];

	if (c->fetch_planned)
		return;
	c->fetch_planned = true;
	sim_plan(s, 1 + sim_chance(s, 10), SIM_FETCH, consumer);
}

static void plan_bus(struct sim *s, int consumer, const struct sim_event *like)
{
	struct sim_consumer *c = &s->consumers[consumer];
	int64_t at = s->now + sim_chance(s, 8);
	struct sim_event *event;

	if (at < c->bus_free_at)
		at = c->bus_free_at;
	c->bus_free_at = at;
	event = sim_plan(s, at - s->now, SIM_BUS_APPEND, consumer);
	event->bus = like->bus;
}

static void publish(struct sim *s, int consumer, const struct effect *fx)
{
	struct sim_event like = { .kind = SIM_BUS_APPEND };
	int clone = 0;

	for (int i = 0; i < s->clone_count; i++)
		if (strcmp(s->ids[i], fx->clone_id) == 0)
			clone = i;
	for (uint64_t q = fx->first; q <= fx->last; q++) {
		const struct sim_message *m = sim_outbox_get(s->consumers[consumer].outbox[clone], q);

		like.bus.ref = fx->ref;
		if (!m) {
			sim_broken(s, "clone %d: event %llu is to be sent but nobody has it", clone, (unsigned long long)q);
			return;
		}
		like.bus.message = *m;
		plan_bus(s, consumer, &like);
	}
}

static void direct(struct sim *s, int consumer, const struct effect *fx)
{
	struct sim_event like = { .kind = SIM_BUS_APPEND };

	like.bus.direct = true;
	like.bus.at = fx->at;
	like.bus.message.clone = -1;
	if (fx->kind == FX_TELL_REJECTED)
		for (int i = 0; i < s->clone_count; i++)
			if (strcmp(s->ids[i], fx->request->job.clone_id) == 0)
				like.bus.message.clone = i;
	plan_bus(s, consumer, &like);
}

static void revoked_done(struct sim *s, int consumer)
{
	struct sim_consumer *c = &s->consumers[consumer];

	c->revoking = false;
	for (int p = 0; p < SIM_PARTITIONS; p++)
		if (c->gives[p])
			c->owns[p] = c->gives[p] = false;
	plan_fetch(s, consumer);
	sim_plan(s, 1, SIM_ASSIGN, -1)->life = 0;
}

static void carry_out(struct sim *s, int consumer, const struct effect *fx)
{
	struct sim_consumer *c = &s->consumers[consumer];

	switch (fx->kind) {
	case FX_ACQUIRE:
		sim_store_submit(s, consumer, fx, STORE_ACQUIRE);
		break;
	case FX_RENEW:
		sim_store_submit(s, consumer, fx, STORE_RENEW);
		break;
	case FX_RELEASE:
		sim_forget_events(s, consumer, fx, UINT64_MAX);
		sim_store_submit(s, consumer, fx, STORE_RELEASE);
		break;
	case FX_RECORD:
		sim_store_submit(s, consumer, fx, STORE_RECORD);
		break;
	case FX_FORGET:
		sim_forget_events(s, consumer, fx, fx->last);
		sim_store_submit(s, consumer, fx, STORE_DELIVERED);
		break;
	case FX_START_STEP:
		sim_handler_start(s, consumer, fx);
		break;
	case FX_ABORT_STEP:
		sim_handler_abort(s, consumer, fx);
		break;
	case FX_PUBLISH:
		publish(s, consumer, fx);
		break;
	case FX_REJECT:
		sim_store_submit(s, consumer, fx, STORE_INTRODUCE);
		break;
	case FX_TELL_REJECTED:
	case FX_DEAD_LETTER:
		direct(s, consumer, fx);
		break;
	case FX_COMMIT:
		sim_check_commit(s, &fx->at);
		if (c->owns[fx->at.partition]) /* the group refuses what a member of an earlier generation commits */
			s->logs[log_of(fx->at.topic)][fx->at.partition].committed = fx->at.offset;
		break;
	case FX_INTAKE:
		c->intake_paused = fx->flag;
		plan_fetch(s, consumer);
		break;
	case FX_REVOKED_DONE:
		revoked_done(s, consumer);
		break;
	case FX_DRAINED:
		s->counts->drained++;
		break;
	default:
		break;
	}
}

void sim_turn(struct sim *s, int consumer)
{
	struct sim_consumer *c = &s->consumers[consumer];
	const struct effect *fx;
	size_t count;
	int64_t wake;

	fx = engine_effects(c->engine, &count);
	for (size_t i = 0; i < count; i++) {
		sim_trace(s, "c%d effect %d clone %.8s %s step %d seq %llu..%llu at %d/%d/%lld %s", consumer, fx[i].kind,
			fx[i].clone_id ? fx[i].clone_id : "-", fx[i].snapshot ? clone_status_name(fx[i].snapshot->status) : "",
			fx[i].step, (unsigned long long)fx[i].sequence_before, (unsigned long long)fx[i].sequence_after,
			fx[i].at.topic, fx[i].at.partition, (long long)fx[i].at.offset, fx[i].text ? fx[i].text : "");
		carry_out(s, consumer, &fx[i]);
	}
	wake = engine_wake_ms(c->engine);
	if (wake >= 0 && (c->wake_planned <= s->now || wake < c->wake_planned)) {
		c->wake_planned = wake > s->now ? wake : s->now + 1;
		sim_plan(s, c->wake_planned - s->now, SIM_WAKE, consumer);
	}
}

void sim_feed(struct sim *s, int consumer, const struct input *in)
{
	struct sim_consumer *c = &s->consumers[consumer];

	sim_trace(s, "c%d input %d step %d status %d outcome %d", consumer, in->kind, in->step, in->status,
		in->result ? (int)in->result->outcome : -1);
	engine_tick(c->engine, s->now, s->now);
	engine_feed(c->engine, in);
	sim_turn(s, consumer);
}

static void fetch(struct sim *s, int consumer)
{
	struct sim_consumer *c = &s->consumers[consumer];

	c->fetch_planned = false;
	if (c->intake_paused)
		return;
	for (int p = 0; p < SIM_PARTITIONS; p++)
		for (int t = 0; t < 3 && c->owns[p] && !c->revoking; t++) {
			struct sim_log *log = &s->logs[t][p];
			struct input in = { .kind = IN_MESSAGE, .at = { topic_of(t), p, c->next[t][p] } };

			if (c->next[t][p] >= log->count)
				continue;
			in.message = sim_message_of(s, &log->records[c->next[t][p]++]);
			if (s->bug == SIM_BUG_COMMIT_EARLY)
				log->committed = c->next[t][p];
			plan_fetch(s, consumer);
			sim_feed(s, consumer, &in);
			return;
		}
}

/* ---- partitions ---- */

static bool taken_by_another(const struct sim *s, int consumer, int partition)
{
	for (int i = 0; i < SIM_CONSUMERS; i++)
		if (i != consumer && s->consumers[i].life && s->consumers[i].owns[partition])
			return true;
	return false;
}

/* The group does not wait for a process that stands still: its partition is somebody else's before it knows. */
static void lose(struct sim *s, int consumer, int partition)
{
	struct sim_consumer *c = &s->consumers[consumer];

	if (!c->owns[partition])
		return; /* it cannot take one either */
	c->owns[partition] = false;
	sim_plan(s, c->paused_until - s->now, SIM_LOST, consumer)->partition = partition;
	sim_plan(s, 1, SIM_ASSIGN, -1);
}

static void learn_of_loss(struct sim *s, int consumer, int partition)
{
	struct input in = { .kind = IN_LOST, .at = { TOPIC_UNSET, partition, 0 } };

	if (s->consumers[consumer].owns[partition])
		return; /* it came back meanwhile */
	for (int t = 0; t < 3; t++) {
		in.at.topic = topic_of(t);
		sim_feed(s, consumer, &in);
	}
	sim_plan(s, 1, SIM_ASSIGN, -1);
}

static void deal(struct sim *s);

/* The work on what was to be given was not at rest in time: it is lost, and dealt anew, perhaps to the same one. */
static void give_up(struct sim *s, int consumer)
{
	struct sim_consumer *c = &s->consumers[consumer];

	if (!c->revoking)
		return;
	s->counts->revocation_given_up++;
	c->revoking = false;
	for (int p = 0; p < SIM_PARTITIONS; p++) {
		if (!c->gives[p])
			continue;
		c->owns[p] = c->gives[p] = false;
		learn_of_loss(s, consumer, p);
	}
	deal(s);
}

/* Like the eager protocol: whoever must give something up finishes first, then it is taken by the one that wants it. */
static void assign(struct sim *s)
{
	for (int i = 0; i < SIM_CONSUMERS; i++) {
		struct sim_consumer *c = &s->consumers[i];

		for (int p = 0; p < SIM_PARTITIONS && c->life; p++) {
			struct input in = { .at = { TOPIC_REQUESTED, p, 0 } };

			if (c->owns[p] == c->wants[p] || c->revoking || (c->wants[p] && taken_by_another(s, i, p)))
				continue;
			if (c->paused_until > s->now) {
				lose(s, i, p);
				continue;
			}
			if (c->owns[p]) {
				c->revoking = c->gives[p] = true;
				sim_plan(s, 5 + sim_chance(s, 100), SIM_GIVE_UP, i);
			}
			c->owns[p] = true;
			for (int t = 0; t < 3; t++) {
				in.kind = c->wants[p] ? IN_ASSIGNED : IN_REVOKED;
				in.at.topic = topic_of(t);
				c->next[t][p] = s->logs[t][p].committed;
				sim_feed(s, i, &in);
			}
			plan_fetch(s, i);
		}
	}
}

static void deal(struct sim *s)
{
	int alive[SIM_CONSUMERS], count = 0;

	for (int i = 0; i < SIM_CONSUMERS; i++)
		if (s->consumers[i].life && !s->consumers[i].draining && s->consumers[i].paused_until <= s->now)
			alive[count++] = i;
	for (int p = 0; p < SIM_PARTITIONS; p++) {
		for (int i = 0; i < SIM_CONSUMERS; i++)
			s->consumers[i].wants[p] = false;
		if (count)
			s->consumers[alive[sim_chance(s, count)]].wants[p] = true;
	}
	s->counts->rebalance++;
	assign(s);
}

static void start(struct sim *s, int consumer)
{
	static uint32_t lives;
	struct sim_consumer *c = &s->consumers[consumer];

	*c = (struct sim_consumer){ .life = ++lives ? lives : ++lives };
	c->engine = engine_new(&s->policy, chance_next(&s->chance_engine));
	engine_tick(c->engine, s->now, s->now);
	deal(s);
}

static void end_engine(struct sim *s, int consumer)
{
	struct sim_consumer *c = &s->consumers[consumer];
	struct engine_figures figures;

	if (!c->engine)
		return;
	engine_figures(c->engine, &figures);
	for (int p = 0; p < PORT_END; p++)
		s->counts->throttled += figures.port_throttled[p];
	engine_free(&c->engine);
}

static void crash(struct sim *s, int consumer)
{
	struct sim_consumer *c = &s->consumers[consumer];

	if (!c->life)
		return;
	sim_trace(s, "c%d dies", consumer);
	s->counts->crash++;
	end_engine(s, consumer);
	if (s->bug == SIM_BUG_NO_OUTBOX)
		for (int i = 0; i < s->clone_count; i++)
			sim_outbox_forget(s->stored[i].outbox, UINT64_MAX);
	*c = (struct sim_consumer){ 0 };
	sim_plan(s, 50 + sim_chance(s, 4000), SIM_RESTART, consumer)->life = 0;
	sim_plan(s, 1000 + sim_chance(s, 2000), SIM_ASSIGN, -1)->fault = 1; /* the group notices */
}

/* ---- faults and wishes ---- */

static void drain(struct sim *s, int consumer)
{
	struct input in = { .kind = IN_STOP };

	if (!s->consumers[consumer].life)
		return;
	s->consumers[consumer].draining = true;
	sim_feed(s, consumer, &in);
}

static void something_goes_wrong(struct sim *s)
{
	int consumer = (int)sim_chance(s, SIM_CONSUMERS);

	if (s->healing)
		return;
	switch (chance_below(&s->chance_fault, 8)) {
	case 0:
	case 1:
		if (s->faults & 2)
			crash(s, consumer);
		break;
	case 2:
		if ((s->faults & 4) && s->consumers[consumer].life) {
			s->consumers[consumer].paused_until = s->now + sim_chance(s, 3 * s->policy.lease_ttl_ms);
			sim_plan(s, 1000 + sim_chance(s, 2000), SIM_ASSIGN, -1)->fault = 1; /* the group notices */
			s->counts->pause_past_lease += s->consumers[consumer].paused_until - s->now > s->policy.lease_ttl_ms;
		}
		break;
	case 3:
		if (s->faults & 8)
			deal(s);
		break;
	case 4:
		if (s->faults & 16)
			s->store_down = !s->store_down;
		break;
	case 5:
		if ((s->faults & 32) && sim_chance(s, 3) == 0) {
			for (int i = 0; i < SIM_CONSUMERS; i++)
				if (sim_chance(s, 2))
					crash(s, i);
			sim_store_wipe(s);
		}
		break;
	case 6:
		if (s->faults & 64) {
			drain(s, consumer);
			crash(s, consumer);
		}
		break;
	default:
		s->store_down = false;
		if (s->faults & 1)
			s->systems_down_until = s->now + sim_chance(s, 6000);
		break;
	}
	sim_plan(s, 100 + sim_chance(s, 3000), SIM_FAULT, -1);
}

static void append(struct sim *s, int log, const struct sim_record *record)
{
	struct sim_log *l = &s->logs[log][sim_partition_of(record->clone)];

	if (l->count == SIM_RECORDS)
		return;
	l->records[l->count++] = *record;
	sim_trace(s, "asked: log %d clone %d verb %d", log, record->clone, record->verb);
	for (int i = 0; i < SIM_CONSUMERS; i++)
		if (s->consumers[i].life)
			plan_fetch(s, i);
}

static void survey(struct sim *s)
{
	static struct sweep_wish wish;
	const struct input in = { .kind = IN_SWEEP, .sweep = &wish };
	int clone = (int)sim_chance(s, s->clone_count), consumer = (int)sim_chance(s, SIM_CONSUMERS);
	struct message *request = sim_message_of(s, &(struct sim_record){ MESSAGE_REQUEST, clone, CONTROL_UNSET, false });

	snprintf(wish.clone_id, sizeof wish.clone_id, "%s", request->request.job.clone_id);
	snprintf(wish.target_ctx, sizeof wish.target_ctx, "%s", request->request.job.target_ctx);
	snprintf(wish.source_ctx, sizeof wish.source_ctx, "%s", request->request.job.source_ctx);
	free(request);
	if (s->consumers[consumer].life && s->consumers[consumer].paused_until <= s->now)
		sim_feed(s, consumer, &in);
	if (!s->healing)
		sim_plan(s, 1 + sim_chance(s, 3000), SIM_SWEEP, -1);
}

static void ask(struct sim *s, int what)
{
	struct sim_record record = { .clone = (int)sim_chance(s, s->clone_count) };

	if (what < s->clone_count) { /* each clone is asked for once */
		append(s, 0, &(struct sim_record){ MESSAGE_REQUEST, what, CONTROL_UNSET, false });
		return;
	}
	switch (sim_chance(s, 10)) {
	case 0:
		record.kind = MESSAGE_REQUEST;
		s->counts->duplicate_request++;
		append(s, 0, &record);
		break;
	case 1:
		record.kind = MESSAGE_REQUEST;
		record.other_wishes = true;
		s->counts->conflicting_request++;
		append(s, 0, &record);
		break;
	case 2:
	case 3:
		record.kind = MESSAGE_REPLAY;
		append(s, 1, &record);
		break;
	case 4:
		record.kind = MESSAGE_CONTROL;
		record.verb = CONTROL_ROLLBACK;
		append(s, 2, &record);
		break;
	default:
		record.kind = MESSAGE_CONTROL;
		record.verb = (enum control_verb)(1 + sim_chance(s, CONTROL_END - 1));
		append(s, 2, &record);
		break;
	}
}

/* ---- the topics ---- */

static void bus_append(struct sim *s, struct sim_event *event)
{
	bool ok = !sim_fault(s, 6);
	struct sim_event *reply;

	if (ok && event->bus.direct) {
		if (event->bus.message.clone >= 0) {
			s->rejected[event->bus.message.clone] = true;
			s->counts->clone_rejected++;
		} else {
			s->counts->dead_letter++;
			s->dead_letters++;
		}
	} else if (ok) {
		sim_check_told(s, &event->bus.message);
	} else {
		s->counts->publish_failed++;
	}
	struct sim_event answered = *event;

	reply = sim_plan(s, 1 + sim_chance(s, 5), SIM_BUS_REPLY, event->consumer);
	reply->life = answered.life;
	reply->bus = answered.bus;
	reply->bus.ok = ok;
}

static void bus_reply(struct sim *s, struct sim_event *event)
{
	struct input in = { .kind = event->bus.direct ? IN_DIRECT_DELIVERED : IN_DELIVERED, .ref = event->bus.ref,
		.at = event->bus.at, .sequence = event->bus.message.sequence, .ok = event->bus.ok };

	sim_feed(s, event->consumer, &in);
}

/* ---- the loop ---- */

static bool put_off(struct sim *s, const struct sim_event *event)
{
	const struct sim_consumer *c = event->consumer >= 0 ? &s->consumers[event->consumer] : NULL;
	struct sim_event *later;

	if (!c || c->paused_until <= s->now || event->life != c->life || event->kind == SIM_STORE_APPLY ||
	    event->kind == SIM_BUS_APPEND || event->kind == SIM_STEP_TURN)
		return false;
	struct sim_event copy = *event;

	later = sim_plan(s, c->paused_until - s->now, copy.kind, copy.consumer);
	copy.at = later->at;
	copy.order = later->order;
	*later = copy;
	return true;
}

static void happen(struct sim *s, struct sim_event *event)
{
	bool gone = event->consumer >= 0 && event->life && s->consumers[event->consumer].life != event->life;

	if (put_off(s, event))
		return;
	switch (event->kind) {
	case SIM_STORE_APPLY:
		sim_store_apply(s, event); /* what a dead process has sent still arrives */
		return;
	case SIM_STORE_REPLY:
		sim_store_reply(s, event);
		return;
	case SIM_BUS_APPEND:
		if (!gone || sim_chance(s, 2))
			bus_append(s, event);
		return;
	case SIM_STEP_TURN:
		sim_handler_turn(s, event);
		return;
	case SIM_ASSIGN:
		if (event->fault == 1)
			deal(s);
		else
			assign(s);
		return;
	case SIM_RESTART:
		if (!s->consumers[event->consumer].life)
			start(s, event->consumer);
		return;
	case SIM_FAULT:
		something_goes_wrong(s);
		return;
	case SIM_ASK:
		ask(s, event->ask);
		return;
	case SIM_REBUILT:
		sim_store_rebuilt(s);
		return;
	case SIM_SWEEP:
		survey(s);
		return;
	default:
		break;
	}
	if (gone)
		return;
	if (event->kind == SIM_WAKE) {
		engine_tick(s->consumers[event->consumer].engine, s->now, s->now);
		sim_turn(s, event->consumer);
	} else if (event->kind == SIM_LOST) {
		learn_of_loss(s, event->consumer, event->partition);
	} else if (event->kind == SIM_GIVE_UP) {
		give_up(s, event->consumer);
	} else if (event->kind == SIM_FETCH) {
		fetch(s, event->consumer);
	} else {
		bus_reply(s, event);
	}
}

static void heal(struct sim *s)
{
	s->healing = true;
	s->store_down = false;
	s->systems_down_until = 0;
	for (int i = 0; i < SIM_CONSUMERS; i++) {
		if (s->consumers[i].draining)
			crash(s, i);
		if (!s->consumers[i].life)
			start(s, i);
		s->consumers[i].paused_until = 0;
	}
	deal(s);
}

static bool quiet(const struct sim *s)
{
	for (int t = 0; t < 3; t++)
		for (int p = 0; p < SIM_PARTITIONS; p++)
			if (s->logs[t][p].committed < s->logs[t][p].count)
				return false;
	return true;
}

static void set_up(struct sim *s, uint64_t seed)
{
	static const struct engine_policy policy = { .max_clones = 100, .max_running = 12, .max_running_a_clone = 4,
		.port_limit = { 8, 8, 8, 8, 8, 8, 8, 8 }, .lease_ttl_ms = 3000, .lease_retry_ms = 400, .retry_first_ms = 20,
		.retry_cap_ms = 500, .retry_budget_ms = 1500, .stall_after_ms = 1500, .drain_ms = 300, .breaker_failures = 5,
		.breaker_open_ms = 200 };

	s->chance_world = seed * 2 + 1;
	s->chance_fault = seed * 3 + 7;
	s->chance_engine = seed * 5 + 11;
	s->policy = policy;
	s->policy.order = sim_chance(s, 6) ? PLAN_PARALLEL : PLAN_STRICT;
	s->policy.on_busy = sim_chance(s, 3) ? BUSY_REFUSE : BUSY_SUPERSEDE;
	for (int p = 0; p < PORT_END && seed % 4 == 0; p++)
		s->policy.port_rate[p] = seed % 8 ? 0 : 600 + (int)(seed / 8 % 7) * 600;
	s->nothing_before = seed % 2;
	s->faults = (unsigned)sim_chance(s, 256);
	s->fault_rate = (int)sim_chance(s, 9);
	if (s->bug) { /* a fault of the design shows soonest when everything else goes wrong too */
		s->faults = 255;
		s->fault_rate = 4 + s->fault_rate / 2;
	}
	s->clone_count = 1 + (int)sim_chance(s, SIM_CLONES);
	s->heal_at = 2000 + sim_chance(s, FAULTS_UNTIL_MS);
	for (int i = 0; i < SIM_CLONES; i++)
		snprintf(s->ids[i], sizeof s->ids[i], "%08d-0000-7000-8000-000000000000", i);
	for (int t = 0; t < SIM_TARGETS; t++)
		s->leases[t] = (struct sim_lease){ .consumer = -1, .clone = -1, .active = -1 };
	for (int i = 0; i < SIM_CONSUMERS; i++)
		if (i == 0 || sim_chance(s, 2))
			start(s, i);
	for (int i = 0; i < s->clone_count; i++)
		sim_plan(s, 1 + sim_chance(s, 6000), SIM_ASK, -1)->ask = i;
	for (int64_t i = sim_chance(s, 8); s->faults & 128 && i > 0; i--)
		sim_plan(s, 500 + sim_chance(s, s->heal_at), SIM_ASK, -1)->ask = s->clone_count;
	sim_plan(s, 200 + sim_chance(s, 2000), SIM_FAULT, -1);
	if (seed % 3 == 0)
		sim_plan(s, 200 + sim_chance(s, 3000), SIM_SWEEP, -1);
}

static void tear_down(struct sim *s)
{
	for (int i = 0; i < SIM_CONSUMERS; i++)
		end_engine(s, i);
	for (int i = 0; i < SIM_COROUTINES; i++)
		if (s->coroutines[i].used)
			sim_handlers_forget(s, s->coroutines[i].consumer, s->coroutines[i].life);
	for (size_t i = 0; i < s->heap_count; i++)
		if (s->heap[i].kind == SIM_STORE_APPLY || s->heap[i].kind == SIM_STORE_REPLY) {
			free(s->heap[i].op->events);
			free(s->heap[i].op);
		}
	free(s->heap);
	free(s);
}

bool sim_run(uint64_t seed, enum sim_bug bug, bool trace, struct sim_counts *counts, char why[256])
{
	struct sim *s = calloc(1, sizeof *s);
	long happened = 0;
	bool failed;

	if (!s)
		abort();
	s->bug = bug;
	s->trace = trace;
	s->counts = counts;
	s->why = why;
	why[0] = '\0';
	counts->runs++;
	set_up(s, seed);
	while (s->heap_count && !s->failed) {
		struct sim_event event = take(s);

		s->now = event.at;
		if (!s->healing && s->now >= s->heal_at)
			heal(s);
		if (s->healing && s->now > s->heal_at + 7000 && quiet(s))
			break;
		if (s->now > END_MS || ++happened > EVENTS_MAX) {
			sim_broken(s, "no rest: offsets stand still after %ld events", happened);
			break;
		}
		happen(s, &event);
		if ((event.kind == SIM_STORE_APPLY || event.kind == SIM_STORE_REPLY) && s->failed)
			break;
	}
	if (!s->failed && !quiet(s))
		sim_broken(s, "all is at rest, but offsets stand still");
	if (!s->failed)
		sim_check_end(s);
	counts->trace += (long)s->order;
	failed = s->failed;
	tear_down(s);
	return !failed;
}
