/* SPDX-License-Identifier: Apache-2.0
 * Changing what waits: entering, claiming, settling, and what operators do. */
#include "consumer/adapters/redis/redis_deliveries_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ENTER_CHUNK = 500, CLAIM_PARTS = 6, DAY_MS = 24 * 60 * 60 * 1000, KEEP_DAYS = 30 };

struct redis_deliveries *redis_deliveries_of(struct deliveries_port *port)
{
	return (struct redis_deliveries *)port; /* its first member */
}

bool deliveries_ready(struct redis_deliveries *d, struct err *e)
{
	return redis_link_wait(d->link, e);
}

redisReply *deliveries_answer(struct redis_deliveries *d, struct err *e)
{
	return redis_ask_answer(d->link, d->command_timeout_ms, e);
}

/* ---- arguments ---- */

static void arg_text(struct redis_deliveries *d, const char *text)
{
	redis_arg_text(redis_link_out(d->link), text);
}

static void arg_number(struct redis_deliveries *d, int64_t number)
{
	redis_arg_number(redis_link_out(d->link), number > 0 ? (uint64_t)number : 0);
}

static void arg_flag(struct redis_deliveries *d, bool flag)
{
	arg_text(d, flag ? "1" : "0");
}

void deliveries_arg_key(struct redis_deliveries *d, const char *kind, const char *name)
{
	char key[sizeof d->prefix + 16 + DELIVERY_NAMES_MAX];

	snprintf(key, sizeof key, "%s%s%s", d->prefix, kind, name);
	arg_text(d, key);
}

void deliveries_command(struct redis_deliveries *d, const char *command, const char *kind, const char *name,
			const char *argument)
{
	redis_command(redis_link_out(d->link), argument ? 3 : 2);
	arg_text(d, command);
	deliveries_arg_key(d, kind, name);
	if (argument)
		arg_text(d, argument);
}

/* The script with its verb and the time; exactly so many more arguments must follow. */
static void begin(struct redis_deliveries *d, const char *verb, int64_t now_ms, size_t more)
{
	redis_command(redis_link_out(d->link), 6 + more);
	arg_text(d, "EVALSHA");
	arg_text(d, redis_link_script(d->link, REDIS_SCRIPT_DELIVERIES));
	arg_text(d, "1");
	arg_text(d, d->prefix);
	arg_text(d, verb);
	arg_number(d, now_ms);
}

/* The whole number that the script answered. */
static bool answer_number(struct redis_deliveries *d, long long *number_r, struct err *e)
{
	SCOPED_REPLY *reply = deliveries_answer(d, e);

	if (!reply)
		return false;
	if (reply->type != REDIS_REPLY_INTEGER)
		return redis_ask_malformed(d->link, e);
	*number_r = reply->integer;
	return true;
}

static bool fits(const char *name, struct err *e)
{
	return (name[0] && strlen(name) <= DELIVERY_NAMES_MAX) ||
	       err_set(e, ERR_REFUSED, 0, "redis", "the name of a notice, tenant or app is empty or too long");
}

/* ---- enter ---- */

static void write_notice(struct redis_deliveries *d, const struct notice *n)
{
	char change[12];

	snprintf(change, sizeof change, "%d", n->change_type);
	const struct { const char *name, *value; } texts[] = {
		{ "event", n->event_id }, { "ctx", n->ctx }, { "version", n->version_name }, { "files", n->file_version },
		{ "endpoint", n->public_endpoint }, { "clone", n->clone_id }, { "trace", n->traceparent }, { "change", change },
	};

	arg_number(d, sizeof texts / sizeof *texts + 2);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		arg_text(d, texts[i].name);
		arg_text(d, texts[i].value);
	}
	arg_text(d, "sequence");
	arg_number(d, n->sequence);
	arg_text(d, "occurred");
	arg_number(d, n->occurred_at_ms);
}

enum { NOTICE_ARGUMENTS = 5 + 2 * 10 };

static void write_chunk(struct redis_deliveries *d, const struct notice *notice, const struct notice_app *apps,
			size_t count, bool is_last, int64_t now_ms)
{
	begin(d, "enter", now_ms, NOTICE_ARGUMENTS + 4 * count);
	arg_number(d, d->keep_ms);
	arg_text(d, notice->event_id);
	arg_text(d, notice->ctx);
	arg_flag(d, is_last);
	write_notice(d, notice);
	for (size_t i = 0; i < count; i++) {
		arg_text(d, apps[i].client_id);
		arg_text(d, apps[i].name);
		arg_number(d, apps[i].ack);
		arg_number(d, apps[i].ack_until_ms);
	}
}

static bool enter(struct deliveries_port *port, const struct notice *notice, const struct notice_app *apps,
		  size_t count, int64_t now_ms, struct err *e)
{
	struct redis_deliveries *d = redis_deliveries_of(port);
	size_t chunks = count ? (count + ENTER_CHUNK - 1) / ENTER_CHUNK : 1;
	long long added;

	if (count > DELIVERY_APPS_MAX)
		return err_set(e, ERR_REFUSED, 0, "redis", "more than %d apps for one notice", DELIVERY_APPS_MAX);
	if (!fits(notice->event_id, e) || !fits(notice->ctx, e))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!fits(apps[i].client_id, e))
			return false;
	if (!deliveries_ready(d, e))
		return false;
	for (size_t i = 0; i < chunks; i++) {
		size_t from = i * ENTER_CHUNK, left = count - from;

		write_chunk(d, notice, apps + from, left < ENTER_CHUNK ? left : ENTER_CHUNK, i + 1 == chunks, now_ms);
	}
	for (size_t i = 0; i < chunks; i++)
		if (!answer_number(d, &added, e))
			return false;
	return true;
}

/* ---- claim ---- */

struct claimed { /* what one answer is read into */
	struct arena *mem;
	const redisReply *claims, *notices;
	struct notice *read; /* as many as notices has pairs */
	struct claim *list;
	size_t count;
	bool no_memory;
};

static bool read_notices(struct claimed *c)
{
	size_t count = c->notices->elements / 2;

	c->read = arena_take(c->mem, count * sizeof *c->read + 1);
	c->no_memory = !c->read;
	for (size_t i = 0; i < count && c->read; i++) {
		const redisReply *fields = c->notices->element[2 * i + 1];

		if (fields->type != REDIS_REPLY_ARRAY || fields->elements % 2)
			return false;
		c->no_memory = !delivery_notice_read(fields, c->mem, &c->read[i], NULL);
		if (c->no_memory)
			return false;
	}
	return c->read != NULL;
}

static const struct notice *notice_of(const struct claimed *c, const char *number)
{
	for (size_t i = 0; i + 1 < c->notices->elements; i += 2)
		if (c->notices->element[i]->type == REDIS_REPLY_STRING && strcmp(c->notices->element[i]->str, number) == 0)
			return &c->read[i / 2];
	return NULL;
}

static bool read_claim(struct claimed *c, redisReply **parts, struct claim *claim)
{
	struct delivery_record record = { 0 };

	for (int i = 0; i < CLAIM_PARTS; i++)
		if (parts[i]->type != REDIS_REPLY_STRING)
			return false;
	*claim = (struct claim){ .notice = notice_of(c, parts[1]->str),
		.client_id = arena_text(c->mem, parts[0]->str, parts[0]->len),
		.app_failing_since_ms = strtoll(parts[4]->str, NULL, 10),
		.app_slow = strcmp(parts[5]->str, "1") == 0 };
	c->no_memory = !claim->client_id;
	if (!claim->notice || !claim->client_id || !redis_reply_number(parts[2], &claim->token) ||
	    !delivery_read(parts[3]->str, c->mem, &record, &claim->first_try_ms, &c->no_memory))
		return false;
	claim->tries = record.tries;
	return true;
}

static bool read_claims(struct claimed *c)
{
	size_t count = c->claims->elements / CLAIM_PARTS;

	if (c->claims->elements % CLAIM_PARTS || c->notices->elements % 2 || !read_notices(c))
		return false;
	c->list = arena_take(c->mem, count * sizeof *c->list + 1);
	c->no_memory = !c->list;
	for (size_t i = 0; i < count && c->list; i++, c->count++)
		if (!read_claim(c, &c->claims->element[i * CLAIM_PARTS], &c->list[i]))
			return false;
	return c->list != NULL;
}

static bool is_claims(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_ARRAY && reply->elements == 3 &&
	       reply->element[0]->type == REDIS_REPLY_STRING && reply->element[1]->type == REDIS_REPLY_ARRAY &&
	       reply->element[2]->type == REDIS_REPLY_ARRAY;
}

static bool claim(struct deliveries_port *port, int64_t now_ms, int64_t lease_ms, const struct claim_room *room,
		  struct arena *mem, const struct claim **claims_r, size_t *count_r, int64_t *next_ms_r, struct err *e)
{
	struct redis_deliveries *d = redis_deliveries_of(port);
	struct claimed c = { .mem = mem };

	*count_r = 0;
	if (!deliveries_ready(d, e))
		return false;
	begin(d, "claim", now_ms, 4);
	arg_number(d, lease_ms);
	arg_number(d, (int64_t)(room->max < DELIVERY_CLAIM_MAX ? room->max : DELIVERY_CLAIM_MAX));
	arg_number(d, (int64_t)room->slow_max);
	arg_number(d, (int64_t)room->per_app);
	SCOPED_REPLY *reply = deliveries_answer(d, e);
	if (!reply)
		return false;
	if (!is_claims(reply))
		return redis_ask_malformed(d->link, e);
	c.claims = reply->element[1];
	c.notices = reply->element[2];
	if (!read_claims(&c))
		return c.no_memory ? redis_ask_no_memory(d->link, e) : redis_ask_malformed(d->link, e);
	*claims_r = c.list;
	*count_r = c.count;
	*next_ms_r = strtoll(reply->element[0]->str, NULL, 10);
	return true;
}

/* ---- settle ---- */

/* A line of the log: nothing that would end it early. */
static void arg_line(struct redis_deliveries *d, const char *text)
{
	char line[256];

	snprintf(line, sizeof line, "%s", text ? text : "");
	for (char *c = line; *c; c++)
		if (*c == '\n' || *c == '\r')
			*c = ' ';
	arg_text(d, line);
}

static void write_settlement(struct redis_deliveries *d, const struct settlement *s, int64_t now_ms)
{
	const char state[2] = { delivery_letter(s->state), '\0' };

	begin(d, "settle", now_ms, 16);
	arg_number(d, d->keep_ms);
	arg_text(d, s->claim->client_id);
	arg_text(d, s->claim->notice->ctx);
	arg_text(d, s->claim->notice->event_id);
	redis_arg_number(redis_link_out(d->link), s->claim->token);
	arg_flag(d, s->was_tried);
	arg_number(d, s->tried.at_ms);
	arg_number(d, s->tried.took_ms);
	arg_number(d, s->tried.status);
	arg_line(d, s->tried.text);
	arg_text(d, state);
	arg_number(d, s->again_ms);
	arg_flag(d, s->app_failed);
	arg_flag(d, s->app_off);
	arg_line(d, s->off_reason);
	arg_flag(d, s->app_slow);
}

static bool settle(struct deliveries_port *port, const struct settlement *settlements, size_t count, int64_t now_ms,
		   struct err *e)
{
	struct redis_deliveries *d = redis_deliveries_of(port);
	long long taken;

	if (!deliveries_ready(d, e))
		return false;
	for (size_t i = 0; i < count; i++)
		write_settlement(d, &settlements[i], now_ms);
	for (size_t i = 0; i < count; i++)
		if (!answer_number(d, &taken, e))
			return false;
	return true;
}

/* ---- operators ---- */

static bool redeliver(struct deliveries_port *port, const char *event_id, const char *client_id, int64_t now_ms,
		      struct err *e)
{
	struct redis_deliveries *d = redis_deliveries_of(port);
	long long said;

	if (!fits(event_id, e) || !fits(client_id, e) || !deliveries_ready(d, e))
		return false;
	begin(d, "again", now_ms, 2);
	arg_text(d, event_id);
	arg_text(d, client_id);
	if (!answer_number(d, &said, e))
		return false;
	if (said == 1)
		return true;
	return err_set(e, ERR_REFUSED, 0, "redis", said == 0 ? "that delivery waits for its turn anyway" :
		"no such delivery is known");
}

static bool switch_app(struct deliveries_port *port, const char *client_id, bool on, const char *reason, int64_t now_ms,
		       struct err *e)
{
	struct redis_deliveries *d = redis_deliveries_of(port);
	long long said;

	if (!fits(client_id, e) || !deliveries_ready(d, e))
		return false;
	begin(d, "switch", now_ms, 3);
	arg_text(d, client_id);
	arg_flag(d, on);
	arg_line(d, reason);
	if (!answer_number(d, &said, e))
		return false;
	return said == 1 || err_set(e, ERR_REFUSED, 0, "redis", "no app of that id was ever told anything");
}

/* ---- life ---- */

static void close_deliveries(struct deliveries_port *port)
{
	struct redis_deliveries *d = redis_deliveries_of(port);

	redis_link_free(&d->link);
	free(d);
}

struct deliveries_port *redis_deliveries_later(const struct redis_settings *settings, struct err *e)
{
	struct redis_deliveries *d = calloc(1, sizeof *d);

	if (!d) {
		err_set(e, ERR_TRANSIENT, 0, "redis", "out of memory");
		return NULL;
	}
	d->port = (struct deliveries_port){ .enter = enter, .claim = claim, .settle = settle, .redeliver = redeliver,
		.switch_app = switch_app, .close = close_deliveries };
	deliveries_look(&d->port);
	snprintf(d->prefix, sizeof d->prefix, "%.*s:{notifier}:", REDIS_PREFIX_MAX,
		 settings->prefix && settings->prefix[0] ? settings->prefix : "sandbox");
	d->command_timeout_ms = settings->command_timeout_ms > 0 ? settings->command_timeout_ms : REDIS_ASK_TIMEOUT_MS;
	d->keep_ms = settings->keep_ms > 0 ? settings->keep_ms : (int64_t)KEEP_DAYS * DAY_MS;
	d->link = redis_link_new(settings, REDIS_LINK_STORE, e);
	if (d->link)
		return &d->port;
	close_deliveries(&d->port);
	return NULL;
}

struct deliveries_port *redis_deliveries_new(const struct redis_settings *settings, struct err *e)
{
	struct deliveries_port *made = redis_deliveries_later(settings, e);

	if (!made || deliveries_ready(redis_deliveries_of(made), e))
		return made;
	close_deliveries(made);
	return NULL;
}
