/* SPDX-License-Identifier: Apache-2.0
 * What must always be true, and what must be true in the end. */
#include "tests/support/sim_priv.h"

#include <string.h>

static bool is_at_rest(const struct sim *s, int clone)
{
	const struct sim_stored *stored = &s->stored[clone];

	return s->rejected[clone] || (stored->found && clone_status_is_at_rest(stored->snapshot.status));
}

/* A clone that had come to rest may be at work again for a control or a replay: then the offset of that one waits. */
static bool rested_and_is_held(const struct sim *s, int clone)
{
	for (int topic = 1; topic < 3 && s->rested[clone]; topic++)
		for (int p = 0; p < SIM_PARTITIONS; p++)
			for (int64_t i = s->logs[topic][p].committed; i < s->logs[topic][p].count; i++)
				if (s->logs[topic][p].records[i].clone == clone)
					return true;
	return false;
}

/* No offset passes a request whose clone is not at rest. A request that was refused with a dead letter counts by it. */
void sim_check_commit(struct sim *s, const struct bus_position *at)
{
	const struct sim_log *log = &s->logs[0][at->partition];

	if (at->topic != TOPIC_REQUESTED)
		return;
	if (at->offset < log->committed)
		sim_trace(s, "commit goes back to %lld", (long long)at->offset);
	for (int64_t i = log->committed; i < at->offset; i++) {
		int clone = log->records[i].clone;

		/* After a wipe the store may have forgotten one that rested before. */
		if (!log->records[i].other_wishes && !is_at_rest(s, clone) && !s->wiped && s->dead_letters == 0 &&
		    !rested_and_is_held(s, clone))
			sim_broken(s, "offset %lld of partition %d passes clone %d, which is not at rest", (long long)i, at->partition,
				clone);
	}
}

static bool same(const struct sim_message *a, const struct sim_message *b)
{
	return a->run == b->run && a->step == b->step && a->kind == b->kind && a->outcome == b->outcome &&
		a->status == b->status;
}

/* How the one ended that began with the event before. */
static void note_rollback(struct sim *s, const struct sim_message *m)
{
	for (int i = 0; i < s->told_count[m->clone]; i++) {
		const struct sim_message *before = &s->told[m->clone][i];

		if (before->sequence + 1 != m->sequence || before->status != CLONE_ROLLING_BACK)
			continue;
		s->counts->rollback_refused += m->status == CLONE_COMPLETED;
		s->counts->rollback_broken += m->status == CLONE_FAILED;
	}
}

/* Events of a clone come in order and without a gap; one that comes again is the same again. */
void sim_check_told(struct sim *s, const struct sim_message *m)
{
	struct sim_message *told = s->told[m->clone];
	int count = s->told_count[m->clone];

	for (int i = 0; i < count && !s->wiped; i++)
		if (told[i].sequence == m->sequence) {
			s->counts->event_sent_again++;
			if (!same(&told[i], m))
				sim_broken(s, "clone %d: event %llu came again with other content", m->clone,
					(unsigned long long)m->sequence);
			return;
		}
	if (count == SIM_EVENTS)
		return;
	told[count] = *m;
	s->told_count[m->clone]++;
	if (m->kind == MESSAGE_STATE) {
		s->counts->clone_paused += m->status == CLONE_PAUSED;
		s->counts->clone_cancelled += m->status == CLONE_CANCELLED;
		s->counts->clone_failed += m->status == CLONE_FAILED;
		s->counts->clone_resumed += m->status == CLONE_RUNNING && m->sequence > 1;
		s->counts->clone_replayed += m->status == CLONE_RUNNING && m->run > 1;
		s->counts->completed += m->status == CLONE_COMPLETED;
		s->counts->clone_rolled_back += m->status == CLONE_ROLLED_BACK;
		note_rollback(s, m);
		s->counts->clone_superseded += m->status == CLONE_CANCELLING && s->policy.on_busy == BUSY_SUPERSEDE;
		s->counts->budget_spent += m->status == CLONE_PAUSED && (s->faults & 128) == 0;
	}
}

static bool told_step(const struct sim *s, int clone, int step)
{
	for (int i = 0; i < s->told_count[clone]; i++)
		if (s->told[clone][i].kind == MESSAGE_STEP_COMPLETED && s->told[clone][i].step == step)
			return true;
	return false;
}

static void check_events_of(struct sim *s, int clone)
{
	const struct sim_stored *stored = &s->stored[clone];
	uint64_t last = stored->snapshot.sequence;

	if (!stored->found || s->wiped || stored->snapshot.status == CLONE_REJECTED)
		return;
	for (uint64_t q = 1; q <= last; q++) {
		bool found = false;

		for (int i = 0; i < s->told_count[clone] && !found; i++)
			found = s->told[clone][i].sequence == q;
		if (!found)
			sim_broken(s, "clone %d: event %llu of %llu is missing", clone, (unsigned long long)q, (unsigned long long)last);
	}
}

static void check_clone(struct sim *s, int clone)
{
	const struct sim_stored *stored = &s->stored[clone];
	const struct sim_target *t = &s->targets[clone];

	if (!stored->found)
		return; /* rejected, refused or forgotten by a wipe after it rested */
	if (!clone_status_is_at_rest(stored->snapshot.status))
		sim_broken(s, "clone %d is %s in the end", clone, clone_status_name(stored->snapshot.status));
	s->counts->at_rest++;
	check_events_of(s, clone);
	if (stored->snapshot.status == CLONE_ROLLED_BACK && !t->dropped)
		sim_broken(s, "clone %d is rolled back but its generation is still there", clone);
	if (stored->snapshot.cancel_begun && strstr(stored->snapshot.cause, SIM_TOO_LATE) &&
	    s->leases[sim_target_of(clone)].active == clone)
		sim_broken(s, "clone %d: it was too late to cancel it, and now nothing goes on", clone);
	if (stored->snapshot.status != CLONE_COMPLETED)
		return;
	for (int i = 0; i < STEP_END; i++) {
		if (!t->done[i])
			sim_broken(s, "clone %d is complete without %s", clone, steps[i].slug);
		if (!s->wiped && !told_step(s, clone, i)) /* a wipe takes what only a dead consumer knew */
			sim_broken(s, "clone %d is complete but %s was never told", clone, steps[i].slug);
	}
	if (t->dropped)
		sim_broken(s, "clone %d is complete and its generation was dropped", clone);
}

void sim_check_end(struct sim *s)
{
	for (int i = 0; i < s->clone_count; i++)
		check_clone(s, i);
}
