/* SPDX-License-Identifier: Apache-2.0
 * The store's port: operations in, their answers out, and what becomes of them when the connection ends. */
#include "consumer/adapters/redis/redis_store.h"

#include "consumer/adapters/redis/redis_flights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	IN_FLIGHT_DEFAULT = 100000,
	COMMAND_TIMEOUT_MS = 3000,
	ANSWER_MAX_BYTES = 4 * 1024 * 1024, /* of one answer's lists; the values stay in the reply */
};

static const int64_t keep_least_ms = (int64_t)30 * 24 * 60 * 60 * 1000;

struct redis_store {
	struct store_port port;
	struct redis_link *link;
	struct redis_writer writer;
	char owner[REDIS_NAME_MAX + 1], prefix[REDIS_PREFIX_MAX + 1];
	int64_t command_timeout_ms;
	size_t max_in_flight;

	struct redis_flights flights;
	int64_t progress_ms; /* when an answer last came */
	unsigned losses;     /* of the link, as far as we have dealt with them */
	bool reloading;      /* the scripts are being loaded again */

	struct arena *mem; /* lists of the answer shown last */
	redisReply *shown; /* their values */
	char trouble[160]; /* why operations were last UNAVAILABLE */
};

static struct redis_store *of(struct store_port *port)
{
	return (struct redis_store *)port; /* its first member */
}

/* ---- an operation comes in ---- */

/* What was appended since the buffer held len bytes is not to be sent. */
static void take_back(struct buf *out, size_t len)
{
	out->len = len;
	out->failed = false;
}

static bool submit(struct store_port *port, const struct store_op *op, struct err *e)
{
	struct redis_store *s = of(port);
	struct redis_flights *flights = &s->flights;
	const size_t len = s->writer.out->len;
	enum redis_part parts[REDIS_PARTS_MAX];
	uint32_t id = REDIS_NOBODY;
	size_t count;

	if (!redis_op_check(op, e))
		return false;
	if (flights->under_way >= s->max_in_flight)
		return err_set(e, ERR_TRANSIENT, 0, "redis_store", "%zu operations are under way already",
			       flights->under_way);
	if (!redis_flights_reserve(flights))
		return err_set(e, ERR_TRANSIENT, 0, "redis_store", "out of memory");
	count = redis_op_write(&s->writer, op, parts);
	if (!s->writer.out->failed)
		id = redis_flights_begin(flights, op);
	if (id == REDIS_NOBODY) {
		take_back(s->writer.out, len);
		return err_set(e, ERR_TRANSIENT, 0, "redis_store", "out of memory, or too many bytes are under way");
	}
	for (size_t i = 0; i < count; i++)
		redis_flights_await(flights, parts[i] == REDIS_PART_NOTHING ? REDIS_NOBODY : id, parts[i]);
	return true;
}

/* ---- answers ---- */

static void say_trouble(struct redis_store *s, const char *sentence)
{
	snprintf(s->trouble, sizeof s->trouble, "%s", sentence[0] ? sentence : "there is no connection to Redis");
}

/* Lease, read lease and mark are three slots of the server, so one may be granted and another refused: then what was
 * granted is given back. When that is lost on its way, it runs out by itself, or is adopted by the next try. */
static void give_back(struct redis_store *s, const struct redis_flight *flight)
{
	struct buf *out = s->writer.out;
	const size_t len = out->len;

	if (flight->has_lease)
		redis_return_lease(&s->writer, flight->target_ctx, flight->clone_id,
				   redis_acquired_token(flight->found));
	if (flight->has_reader)
		redis_return_reader(&s->writer, flight->source_ctx, flight->clone_id);
	if (out->failed) {
		take_back(out, len);
		return;
	}
	for (int i = flight->has_lease + flight->has_reader; i > 0; i--)
		redis_flights_await(&s->flights, REDIS_NOBODY, REDIS_PART_NOTHING);
}

static void on_part(struct redis_store *s, const struct redis_awaited *a, enum store_status status)
{
	struct redis_flight *flight = &s->flights.all[a->flight];

	if (status > flight->status)
		flight->status = status; /* enum store_status rises with gravity */
	if (a->part == REDIS_PART_READERS && status == STORE_OK)
		flight->has_reader = true;
	if (--flight->awaited > 0)
		return;
	if (flight->kind == STORE_ACQUIRE && (flight->status == STORE_HELD || flight->status == STORE_EMPTY) &&
	    redis_flights_reserve(&s->flights))
		give_back(s, &s->flights.all[a->flight]);
	redis_flights_answer(&s->flights, a->flight);
}

static void load_scripts_again(struct redis_store *s)
{
	const size_t len = s->writer.out->len;

	if (s->reloading || !redis_flights_reserve(&s->flights))
		return;
	redis_script_loads(s->writer.out);
	if (s->writer.out->failed) {
		take_back(s->writer.out, len);
		return;
	}
	s->reloading = true;
	for (int i = 0; i < REDIS_SCRIPT_END; i++)
		redis_flights_await(&s->flights, REDIS_NOBODY, REDIS_PART_NOTHING);
}

static void on_error(struct redis_store *s, const struct redis_awaited *a, const redisReply *reply)
{
	const char *sentence;
	enum redis_remedy remedy = redis_remedy(reply, &sentence);

	say_trouble(s, sentence);
	on_part(s, a, STORE_UNAVAILABLE);
	if (remedy == REDIS_RELOAD)
		load_scripts_again(s);
	else if (remedy == REDIS_RECONNECT)
		redis_link_drop(s->link, sentence);
}

/* Takes the reply over. */
static void on_answer(struct redis_store *s, const struct redis_awaited *a, redisReply *reply)
{
	struct redis_flight *flight = &s->flights.all[a->flight];
	enum store_status status = redis_part_status(flight->kind, a->part, reply, &flight->retry_ms);

	s->reloading = false;
	if (status == STORE_UNAVAILABLE)
		say_trouble(s, "Redis answered something that none of our scripts answers");
	flight->has_lease |= a->part == REDIS_PART_LEASE && status == STORE_OK;
	if (a->part == REDIS_PART_LEASE && status != STORE_UNAVAILABLE)
		flight->found = reply;
	else
		freeReplyObject(reply);
	on_part(s, a, status);
}

static void on_reply(struct redis_store *s, redisReply *reply)
{
	const struct redis_awaited a = redis_flights_due(&s->flights);

	redis_flights_came(&s->flights);
	s->progress_ms = redis_now_ms();
	if (a.flight != REDIS_NOBODY && reply->type != REDIS_REPLY_ERROR) {
		on_answer(s, &a, reply);
		return;
	}
	if (a.flight != REDIS_NOBODY)
		on_error(s, &a, reply);
	freeReplyObject(reply);
}

/* ---- the end of a connection ---- */

static void fail_all(struct redis_store *s)
{
	s->reloading = false;
	while (s->flights.ring_count) {
		const struct redis_awaited a = redis_flights_due(&s->flights);

		redis_flights_came(&s->flights);
		if (a.flight != REDIS_NOBODY)
			on_part(s, &a, STORE_UNAVAILABLE);
	}
}

static void notice_losses(struct redis_store *s)
{
	if (s->losses == redis_link_losses(s->link))
		return;
	s->losses = redis_link_losses(s->link);
	say_trouble(s, redis_link_why(s->link));
	fail_all(s);
}

static void receive(struct redis_store *s)
{
	redisReply *reply;

	while ((reply = redis_link_take(s->link))) {
		if (s->flights.ring_count == 0) {
			freeReplyObject(reply);
			redis_link_drop(s->link, "Redis answered what was not asked; the connection was closed");
			break;
		}
		on_reply(s, reply);
		notice_losses(s);
	}
	notice_losses(s);
}

/* An operation has its time-out from when it was submitted, or from the last answer while the server works through a
 * long pipeline. */
static int64_t due_ms(const struct redis_store *s)
{
	int64_t since = redis_flights_due(&s->flights).since_ms;

	return (since > s->progress_ms ? since : s->progress_ms) + s->command_timeout_ms;
}

static void expire(struct redis_store *s)
{
	if (s->flights.ring_count == 0 || redis_now_ms() < due_ms(s))
		return;
	receive(s); /* we may have been the ones who slept */
	if (s->flights.ring_count == 0 || redis_now_ms() < due_ms(s))
		return;
	redis_link_drop(s->link, "Redis did not answer in time; whether it did what was asked is not known");
	notice_losses(s);
}

/* ---- the port ---- */

static void flush(struct store_port *port)
{
	struct redis_store *s = of(port);

	redis_link_drive(s->link);
	notice_losses(s);
	expire(s);
}

static void forget_shown(struct redis_store *s)
{
	if (s->shown)
		freeReplyObject(s->shown);
	s->shown = NULL;
	arena_clear(s->mem);
}

static void show(struct redis_store *s, struct redis_flight *f, struct store_answer *answer_r)
{
	*answer_r =
	    (struct store_answer){ .tag = f->tag, .kind = f->kind, .status = f->status, .retry_ms = f->retry_ms };
	s->shown = f->found;
	f->found = NULL;
	if (s->shown && f->status <= STORE_HELD && !redis_acquired(s->shown, s->mem, answer_r)) {
		*answer_r = (struct store_answer){ .tag = f->tag, .kind = f->kind, .status = STORE_UNAVAILABLE };
		say_trouble(s, "what Redis holds of this clone is malformed or too large");
	}
	if (answer_r->status == STORE_UNAVAILABLE)
		memcpy(answer_r->text, s->trouble, sizeof answer_r->text);
}

static void gather(struct redis_store *s)
{
	redis_link_drive(s->link);
	receive(s);
	expire(s);
	if (!redis_link_is_idle(s->link))
		redis_link_drive(s->link); /* what was given back */
	notice_losses(s);
}

static bool next(struct store_port *port, struct store_answer *answer_r)
{
	struct redis_store *s = of(port);
	uint32_t id;

	forget_shown(s);
	if (s->flights.answered_first == REDIS_NOBODY)
		gather(s);
	id = redis_flights_take(&s->flights);
	if (id == REDIS_NOBODY)
		return false;
	show(s, &s->flights.all[id], answer_r);
	redis_flights_end(&s->flights, id);
	return true;
}

static int fd(struct store_port *port)
{
	return redis_link_fd(of(port)->link);
}

static bool wants_write(struct store_port *port)
{
	(void)port;
	return false;
}

static int64_t timeout_ms(struct store_port *port)
{
	const struct redis_store *s = of(port);
	int64_t link_ms = redis_link_timeout_ms(s->link), left_ms;

	if (s->flights.answered_first != REDIS_NOBODY)
		return 0;
	if (s->flights.ring_count == 0)
		return link_ms;
	left_ms = due_ms(s) - redis_now_ms();
	if (left_ms < 0)
		left_ms = 0;
	return link_ms >= 0 && link_ms < left_ms ? link_ms : left_ms;
}

static void close_store(struct store_port *port)
{
	struct redis_store *s = of(port);

	if (!s)
		return;
	redis_flights_done(&s->flights);
	forget_shown(s);
	arena_free(&s->mem);
	redis_link_free(&s->link);
	free(s);
}

const char *redis_store_warnings(const struct store_port *store)
{
	return redis_facts_warning(redis_link_facts(((const struct redis_store *)store)->link));
}

/* ---- making one ---- */

static bool check_settings(const struct redis_settings *settings, struct err *e)
{
	const char *owner = settings->owner, *prefix = settings->prefix;

	if (!owner || !owner[0] || strlen(owner) > REDIS_NAME_MAX || strchr(owner, '|'))
		return err_set(e, ERR_MISUSE, 0, "redis_store", "the owner is missing, too long or holds a '|'");
	if (prefix && (strlen(prefix) > REDIS_PREFIX_MAX || strpbrk(prefix, "{}")))
		return err_set(e, ERR_REFUSED, 0, "redis_store", "[redis] prefix is longer than %d or holds a brace",
			       REDIS_PREFIX_MAX);
	if (settings->keep_ms && settings->keep_ms < keep_least_ms)
		return err_set(e, ERR_REFUSED, 0, "redis_store", "[redis] clone_ttl is shorter than 30 days");
	if (settings->command_timeout_ms < 0)
		return err_set(e, ERR_REFUSED, 0, "redis_store", "[redis] command_timeout is negative");
	return true;
}

static void fill(struct redis_store *s, const struct redis_settings *settings)
{
	s->port = (struct store_port){ fd, wants_write, submit, flush, next, timeout_ms, close_store };
	snprintf(s->owner, sizeof s->owner, "%s", settings->owner);
	snprintf(s->prefix, sizeof s->prefix, "%s",
		 settings->prefix && settings->prefix[0] ? settings->prefix : "sandbox");
	s->command_timeout_ms = settings->command_timeout_ms ? settings->command_timeout_ms : COMMAND_TIMEOUT_MS;
	s->max_in_flight = settings->max_in_flight ? settings->max_in_flight : IN_FLIGHT_DEFAULT;
	redis_flights_init(&s->flights);
	s->writer = (struct redis_writer){
		.out = redis_link_out(s->link),
		.link = s->link,
		.prefix = s->prefix,
		.owner = s->owner,
		.asks_for_mark = settings->asks_for_mark,
		.keep_ms = settings->keep_ms ? settings->keep_ms : keep_least_ms,
	};
}

struct store_port *redis_store_new(const struct redis_settings *settings, struct err *e)
{
	struct redis_store *s;

	if (!check_settings(settings, e))
		return NULL;
	s = calloc(1, sizeof *s);
	if (!s) {
		err_set(e, ERR_TRANSIENT, 0, "redis_store", "out of memory");
		return NULL;
	}
	s->link = redis_link_new(settings, REDIS_LINK_STORE, e);
	s->mem = arena_new(ANSWER_MAX_BYTES);
	if (!s->link || !s->mem) {
		err_set(e, ERR_TRANSIENT, 0, "redis_store", "out of memory");
		redis_link_free(&s->link);
		arena_free(&s->mem);
		free(s);
		return NULL;
	}
	fill(s, settings);
	if (!redis_link_wait(s->link, e)) {
		close_store(&s->port);
		return NULL;
	}
	return &s->port;
}
