/* SPDX-License-Identifier: Apache-2.0
 * Inside the loop: shared by its own files only. */
#ifndef SANDBOX_RUNTIME_LOOP_PRIV_H
#define SANDBOX_RUNTIME_LOOP_PRIV_H

#include "consumer/runtime/loop.h"
#include "consumer/runtime/outbox.h"
#include "consumer/runtime/parked.h"
#include "consumer/runtime/records.h"
#include "consumer/runtime/workers.h"

struct flight { /* a message handed to the bus; its tag is its index + 1 */
	bool used, direct;
	clone_ref ref;
	uint64_t sequence;
	struct bus_position at;
	enum topic topic;
};

struct held { /* events that are recorded and wait for others to go with them */
	clone_ref ref;
	uint64_t first, last;
};

struct loop {
	const struct loop_parts *p;
	struct engine *engine;
	struct workers *workers;
	struct outbox *outbox;
	struct records *records;
	struct log *log; /* a turn's lines are written together */
	struct work *running; /* list of calls that are with the workers */
	struct work *spare;   /* calls that came back, to be used again */
	struct flight *flights;
	size_t releases_out; /* leases given back, as far as the store has not answered */
	size_t flight_size, flight_free_hint;
	struct held *held; /* oldest first */
	size_t held_count, held_size;
	int64_t held_since_ms;
	bool held_ends; /* the last events of a clone are among them */
	struct arena *mem; /* of one effect or one record */
	struct buf bytes, value; /* scratch for encoding: an envelope, and what is in it */
	bool intake_paused, drained, fatal, store_refused;
	struct parked *parked; /* records whose schema cannot be had now; their bytes are in records */
	int64_t parked_again_ms, parked_wait_ms, notes_at_ms;
	struct input *later; /* answers that came while effects were carried out: fed in the next turn */
	size_t later_count, later_size;
	struct err *err;
};

/* loop_in.c: what the ports say */
void loop_take_bus(struct loop *l);
void loop_take_store(struct loop *l);
void loop_take_steps(struct loop *l);
void loop_try_parked(struct loop *l);
void loop_take_sweeps(struct loop *l);
/* Reading pauses when the engine wishes it, or when too much waits for schemas. */
void loop_pause_intake(struct loop *l);

/* loop_out.c: what the engine wants */
void loop_carry_out(struct loop *l, const struct effect *fx);
/* Life signs of running handlers to the engine, progress to the store; about once a second. */
void loop_note_progress(struct loop *l);
/* What the call has moved since the engine was told last, if anything. */
bool loop_tell_moved(struct loop *l, struct work *w);
/* A call has come back: what its step waits for now, if that is new, or its last figures. */
void loop_note_return(struct loop *l, const struct work *w);

/* loop_publish.c: events to their topics */
void loop_publish(struct loop *l, const struct effect *fx);
/* Hands over what was held for long enough. */
void loop_publish_held(struct loop *l);
/* Until then; -1: nothing is held. */
int64_t loop_publish_wait_ms(const struct loop *l, int64_t now_ms);
struct flight *loop_new_flight(struct loop *l, uint64_t *tag_r);
/* False: it could not be queued, the flight is free again. */
bool loop_send(struct loop *l, const void *envelope, size_t len, struct flight *f, uint64_t tag);

/* loop_record.c: what is stored of a clone */
void loop_record(struct loop *l, const struct effect *fx);
void loop_reject(struct loop *l, const struct effect *fx);
/* Encodes a message with its headers into l->bytes as an envelope. */
bool loop_encode(struct loop *l, const struct message *m, enum topic topic, const char *key, const char *traceparent,
                 struct err *e);

/* Effects point into the engine, which must not be fed while they are carried out. */
void loop_feed_later(struct loop *l, const struct input *in);
int64_t loop_utc_ms(void);
void loop_store_submit(struct loop *l, const struct store_op *op);

#endif
