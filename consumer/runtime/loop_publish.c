/* SPDX-License-Identifier: Apache-2.0
 * Events from the outbox to their topics. A request to the broker costs as much with one event as with a hundred, and
 * nobody waits for an event but the end of its clone: so each waits some milliseconds for others to go with it. What a
 * clone tells at its end waits only when there are many clones, whose events then travel together. */
#include "consumer/runtime/loop_priv.h"

#include "consumer/core/envelope.h"

#include <stdlib.h>
#include <string.h>

enum { HOLD_MAX_MS = 10, CLONES_A_MS = 8 };

/* ---- what is with the bus ---- */

struct flight *loop_new_flight(struct loop *l, uint64_t *tag_r)
{
	for (size_t i = 0; i < l->flight_size; i++) {
		size_t at = (l->flight_free_hint + i) % l->flight_size;

		if (l->flights[at].used)
			continue;
		l->flight_free_hint = at + 1;
		*tag_r = at + 1;
		l->flights[at] = (struct flight){ .used = true };
		return &l->flights[at];
	}
	size_t size = l->flight_size ? 2 * l->flight_size : 256;
	struct flight *grown = realloc(l->flights, size * sizeof *grown);

	if (!grown)
		abort(); /* crash-only: all that matters is durable */
	memset(grown + l->flight_size, 0, (size - l->flight_size) * sizeof *grown);
	l->flights = grown;
	l->flight_free_hint = l->flight_size;
	l->flight_size = size;
	return loop_new_flight(l, tag_r);
}

bool loop_send(struct loop *l, const void *data, size_t len, struct flight *f, uint64_t tag)
{
	struct bus_message m;
	struct err e = { 0 };

	if (envelope_unpack(data, len, &m)) {
		f->topic = m.topic;
		if (l->p->bus->publish(l->p->bus, &m, tag, &e))
			return true;
	}
	f->used = false;
	log_warn(l->log, NULL, "an event could not be queued", LOG_ERR(&e));
	return false;
}

/* What cannot be queued counts as a delivery that failed: the engine asks for it again. */
static void send_event(struct loop *l, clone_ref ref, const char *clone_id, uint64_t sequence)
{
	const struct outbox_entry *entry = outbox_get(l->outbox, clone_id, sequence);
	struct input failed = { .kind = IN_DELIVERED, .ref = ref, .sequence = sequence };
	struct flight *f;
	uint64_t tag;

	if (!entry) { /* the outbox in the store had a hole: nothing is left to send */
		failed.ok = true;
		loop_feed_later(l, &failed);
		return;
	}
	f = loop_new_flight(l, &tag);
	f->ref = ref;
	f->sequence = sequence;
	if (!loop_send(l, entry->data, entry->len, f, tag))
		loop_feed_later(l, &failed);
}

/* ---- what is held ---- */

static bool is_at_rest(const struct loop *l, clone_ref ref)
{
	struct clone_view view;

	return !engine_view(l->engine, ref, &view) || clone_status_is_at_rest(view.snapshot->status);
}

void loop_publish(struct loop *l, const struct effect *fx)
{
	if (l->held_count == l->held_size) {
		size_t size = l->held_size ? 2 * l->held_size : 64;
		struct held *grown = realloc(l->held, size * sizeof *grown);

		if (!grown)
			abort(); /* crash-only, as above */
		l->held = grown;
		l->held_size = size;
	}
	if (l->held_count == 0) {
		l->held_since_ms = loop_now_ms();
		l->held_ends = false;
	}
	l->held_ends |= is_at_rest(l, fx->ref);
	l->held[l->held_count++] = (struct held){ fx->ref, fx->first, fx->last };
}

static int64_t hold_ms(const struct loop *l)
{
	size_t ms = outbox_clones(l->outbox) / CLONES_A_MS;

	return l->held_ends && ms < HOLD_MAX_MS ? (int64_t)ms : HOLD_MAX_MS;
}

int64_t loop_publish_wait_ms(const struct loop *l, int64_t now_ms)
{
	int64_t due_ms = l->held_since_ms + hold_ms(l);

	if (l->held_count == 0)
		return -1;
	return due_ms > now_ms ? due_ms - now_ms : 0;
}

/* A clone that was let go meanwhile has lost its lease: whoever has it now finds its events in the store. */
void loop_publish_held(struct loop *l)
{
	struct clone_view view;

	if (l->held_count == 0 || loop_publish_wait_ms(l, loop_now_ms()) > 0)
		return;
	for (size_t i = 0; i < l->held_count; i++) {
		const struct held *h = &l->held[i];

		if (!engine_view(l->engine, h->ref, &view))
			continue;
		for (uint64_t q = h->first; q <= h->last; q++)
			send_event(l, h->ref, view.clone_id, q);
	}
	l->held_count = 0;
}
