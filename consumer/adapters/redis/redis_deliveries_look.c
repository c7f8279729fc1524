/* SPDX-License-Identifier: Apache-2.0
 * Looking at what waits and at what was delivered. */
#include "consumer/adapters/redis/redis_deliveries_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_MAX = 1000, PAGE = 20, NUMBER_TEXT = 24 };

static bool trouble(struct redis_deliveries *d, bool no_memory, struct err *e)
{
	return no_memory ? redis_ask_no_memory(d->link, e) : redis_ask_malformed(d->link, e);
}

static bool is_list(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_ARRAY;
}

/* ---- apps ---- */

static bool read_app(const redisReply *fields, const char *client_id, struct arena *mem, struct app_record *app)
{
	const char *name = delivery_field(fields, "name"), *reason = delivery_field(fields, "off_reason");

	*app = (struct app_record){
		.client_id = arena_text(mem, client_id, strlen(client_id)),
		.name = arena_text(mem, name, strlen(name)),
		.off_reason = arena_text(mem, reason, strlen(reason)),
		.is_off = strcmp(delivery_field(fields, "off"), "1") == 0,
		.is_slow = strcmp(delivery_field(fields, "slow"), "1") == 0,
		.off_since_ms = strtoll(delivery_field(fields, "off_since"), NULL, 10),
		.failing_since_ms = strtoll(delivery_field(fields, "failing_since"), NULL, 10),
		.failures = strtoll(delivery_field(fields, "failures"), NULL, 10),
		.last_success_ms = strtoll(delivery_field(fields, "last_success"), NULL, 10),
		.waiting = strtoll(delivery_field(fields, "waiting"), NULL, 10),
	};
	return app->client_id && app->name && app->off_reason;
}

static bool app(struct deliveries_port *port, const char *client_id, struct arena *mem, struct app_record *app_r,
		bool *found_r, struct err *e)
{
	struct redis_deliveries *d = redis_deliveries_of(port);

	*found_r = false;
	if (strlen(client_id) > DELIVERY_NAMES_MAX)
		return true;
	if (!deliveries_ready(d, e))
		return false;
	deliveries_command(d, "HGETALL", "app:", client_id, NULL);
	SCOPED_REPLY *fields = deliveries_answer(d, e);
	if (!fields)
		return false;
	if (!is_list(fields))
		return redis_ask_malformed(d->link, e);
	*found_r = fields->elements > 0;
	return read_app(fields, client_id, mem, app_r) || redis_ask_no_memory(d->link, e);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The app ids, sorted; borrowed from the reply. */
static const char **sorted_ids(const redisReply *ids, struct arena *mem)
{
	const char **list = arena_take(mem, ids->elements * sizeof *list + 1);

	for (size_t i = 0; i < ids->elements && list; i++)
		list[i] = ids->element[i]->type == REDIS_REPLY_STRING ? ids->element[i]->str : "";
	if (list)
		qsort(list, ids->elements, sizeof *list, by_text);
	return list;
}

static bool apps(struct deliveries_port *port, struct arena *mem, const struct app_record **list_r, size_t *count_r,
		 struct err *e)
{
	struct redis_deliveries *d = redis_deliveries_of(port);
	struct app_record *list;
	const char **ids;

	*count_r = 0;
	if (!deliveries_ready(d, e))
		return false;
	deliveries_command(d, "SMEMBERS", "apps", "", NULL);
	SCOPED_REPLY *members = deliveries_answer(d, e);
	if (!members)
		return false;
	if (!is_list(members))
		return redis_ask_malformed(d->link, e);
	ids = sorted_ids(members, mem);
	list = ids ? arena_take(mem, members->elements * sizeof *list + 1) : NULL;
	if (!list)
		return redis_ask_no_memory(d->link, e);
	for (size_t i = 0; i < members->elements; i++)
		deliveries_command(d, "HGETALL", "app:", ids[i], NULL);
	for (size_t i = 0; i < members->elements; i++) {
		SCOPED_REPLY *fields = deliveries_answer(d, e);

		if (!fields)
			return false;
		if (!is_list(fields) || !read_app(fields, ids[i], mem, &list[i]))
			return trouble(d, is_list(fields), e);
	}
	*list_r = list;
	*count_r = members->elements;
	return true;
}

/* ---- figures ---- */

static bool take_due(struct redis_deliveries *d, int64_t now_ms, int64_t *oldest_ms, struct err *e)
{
	SCOPED_REPLY *first = deliveries_answer(d, e);
	int64_t due_ms;

	if (!first)
		return false;
	if (!is_list(first))
		return redis_ask_malformed(d->link, e);
	if (first->elements < 2 || first->element[1]->type != REDIS_REPLY_STRING)
		return true;
	due_ms = (int64_t)strtod(first->element[1]->str, NULL);
	if (due_ms <= now_ms && (*oldest_ms == 0 || due_ms < *oldest_ms))
		*oldest_ms = due_ms;
	return true;
}

static void ask_first(struct redis_deliveries *d, const char *lane)
{
	struct buf *out = redis_link_out(d->link);

	redis_command(out, 5);
	redis_arg_text(out, "ZRANGE");
	deliveries_arg_key(d, "lane:", lane);
	redis_arg_text(out, "0");
	redis_arg_text(out, "0");
	redis_arg_text(out, "WITHSCORES");
}

static bool figures(struct deliveries_port *port, int64_t now_ms, struct deliveries_figures *f, struct err *e)
{
	struct redis_deliveries *d = redis_deliveries_of(port);

	*f = (struct deliveries_figures){ 0 };
	if (!deliveries_ready(d, e))
		return false;
	deliveries_command(d, "HGET", "totals", "", "waiting");
	deliveries_command(d, "SCARD", "off", "", NULL);
	ask_first(d, "0");
	ask_first(d, "1");
	SCOPED_REPLY *waiting = deliveries_answer(d, e);
	SCOPED_REPLY *off = waiting ? deliveries_answer(d, e) : NULL;
	if (!off)
		return false;
	f->waiting = waiting->type == REDIS_REPLY_STRING ? strtoll(waiting->str, NULL, 10) : 0;
	f->apps_off = off->type == REDIS_REPLY_INTEGER ? off->integer : 0;
	return take_due(d, now_ms, &f->oldest_due_ms, e) && take_due(d, now_ms, &f->oldest_due_ms, e);
}

/* ---- one notice with its deliveries ---- */

struct looked { /* a list that grows */
	struct redis_deliveries *d;
	const struct delivery_filter *filter;
	struct arena *mem;
	struct delivery_record *list;
	size_t count, limit;
};

static bool any_or(const char *wanted, const char *is)
{
	return !wanted || !wanted[0] || strcmp(wanted, is) == 0;
}

static bool take_delivery(struct looked *l, const struct notice *notice, int64_t entered_ms, const char *client_id,
			  const char *value, struct err *e)
{
	struct delivery_record *r = &l->list[l->count];
	bool no_memory = false;
	int64_t first_ms;

	*r = (struct delivery_record){ .event_id = notice->event_id, .ctx = notice->ctx, .clone_id = notice->clone_id,
		.entered_ms = entered_ms };
	if (!delivery_read(value, l->mem, r, &first_ms, &no_memory))
		return trouble(l->d, no_memory, e);
	r->client_id = arena_text(l->mem, client_id, strlen(client_id));
	if (!r->client_id)
		return redis_ask_no_memory(l->d->link, e);
	l->count++;
	return true;
}

static int by_client(const void *a, const void *b)
{
	const struct delivery_record *x = a, *y = b;

	return strcmp(x->client_id, y->client_id);
}

/* WAITING of an app that is off is PARKED; drops what the filter does not want once that is known. */
static bool park(struct looked *l, size_t from, struct err *e)
{
	struct redis_deliveries *d = l->d;
	size_t kept = from;

	for (size_t i = from; i < l->count; i++)
		deliveries_command(d, "HGET", "app:", l->list[i].client_id, "off");
	for (size_t i = from; i < l->count; i++) {
		SCOPED_REPLY *off = deliveries_answer(d, e);

		if (!off)
			return false;
		if (l->list[i].state == DELIVERY_WAITING && off->type == REDIS_REPLY_STRING && strcmp(off->str, "1") == 0)
			l->list[i].state = DELIVERY_PARKED;
	}
	for (size_t i = from; i < l->count; i++)
		if (l->filter->state == DELIVERY_UNSET || l->list[i].state == l->filter->state)
			l->list[kept++] = l->list[i];
	l->count = kept;
	qsort(l->list + from, kept - from, sizeof *l->list, by_client);
	return true;
}

static bool grow(struct looked *l, size_t more)
{
	struct delivery_record *list = arena_take(l->mem, (l->count + more) * sizeof *list + 1);

	if (!list)
		return false;
	if (l->count)
		memcpy(list, l->list, l->count * sizeof *list);
	l->list = list;
	return true;
}

static bool take_told(struct looked *l, const struct notice *notice, int64_t entered_ms, struct err *e)
{
	SCOPED_REPLY *told = deliveries_answer(l->d, e);
	const size_t from = l->count;
	const bool is_one = told && told->type == REDIS_REPLY_STRING;

	if (!told)
		return false;
	if (told->type == REDIS_REPLY_NIL)
		return true;
	if (!is_one && (!is_list(told) || told->elements % 2))
		return redis_ask_malformed(l->d->link, e);
	if (!grow(l, is_one ? 1 : told->elements / 2))
		return redis_ask_no_memory(l->d->link, e);
	if (is_one && !take_delivery(l, notice, entered_ms, l->filter->client_id, told->str, e))
		return false;
	for (size_t i = 0; i < told->elements && !is_one; i += 2) {
		const redisReply *client = told->element[i], *value = told->element[i + 1];

		if (client->type != REDIS_REPLY_STRING || value->type != REDIS_REPLY_STRING)
			return redis_ask_malformed(l->d->link, e);
		if (!take_delivery(l, notice, entered_ms, client->str, value->str, e))
			return false;
	}
	if (!park(l, from, e))
		return false;
	if (l->count > l->limit)
		l->count = l->limit;
	return true;
}

static bool wants_notice(const struct delivery_filter *f, const struct notice *n, int64_t entered_ms)
{
	return n->event_id[0] && any_or(f->ctx, n->ctx) && any_or(f->event_id, n->event_id) &&
	       any_or(f->clone_id, n->clone_id) && entered_ms >= f->since_ms;
}

static bool take_notice(struct looked *l, const char *number, const redisReply *fields, struct err *e)
{
	struct notice notice;
	int64_t entered_ms;

	if (!is_list(fields))
		return redis_ask_malformed(l->d->link, e);
	if (!delivery_notice_read(fields, l->mem, &notice, &entered_ms))
		return redis_ask_no_memory(l->d->link, e);
	if (l->count >= l->limit || !wants_notice(l->filter, &notice, entered_ms))
		return true;
	if (l->filter->client_id && l->filter->client_id[0])
		deliveries_command(l->d, "HGET", "told:", number, l->filter->client_id);
	else
		deliveries_command(l->d, "HGETALL", "told:", number, NULL);
	return take_told(l, &notice, entered_ms, e);
}

/* ---- the index ---- */

static void ask_page(struct redis_deliveries *d, int64_t since_ms, size_t offset)
{
	struct buf *out = redis_link_out(d->link);

	redis_command(out, 7);
	redis_arg_text(out, "ZREVRANGEBYSCORE");
	deliveries_arg_key(d, "notices", "");
	redis_arg_text(out, "+inf");
	redis_arg_number(out, since_ms > 0 ? (uint64_t)since_ms : 0);
	redis_arg_text(out, "LIMIT");
	redis_arg_number(out, offset);
	redis_arg_number(out, PAGE);
}

/* The notices of one page; their fields come together, their deliveries only when they are wanted. */
static bool take_page(struct looked *l, const redisReply *numbers, struct err *e)
{
	redisReply *fields[PAGE] = { 0 };
	bool ok = true;

	for (size_t i = 0; i < numbers->elements; i++)
		deliveries_command(l->d, "HGETALL", "notice:", numbers->element[i]->str, NULL);
	for (size_t i = 0; i < numbers->elements && ok; i++)
		ok = (fields[i] = deliveries_answer(l->d, e)) != NULL;
	for (size_t i = 0; i < numbers->elements && ok; i++)
		ok = take_notice(l, numbers->element[i]->str, fields[i], e);
	for (size_t i = 0; i < PAGE; i++)
		redis_ask_free(&fields[i]);
	return ok;
}

static bool is_page(const redisReply *reply)
{
	if (!is_list(reply) || reply->elements > PAGE)
		return false;
	for (size_t i = 0; i < reply->elements; i++)
		if (reply->element[i]->type != REDIS_REPLY_STRING)
			return false;
	return true;
}

static bool take_all(struct looked *l, struct err *e)
{
	size_t offset = 0, count = PAGE;

	for (; count == PAGE && l->count < l->limit; offset += PAGE) {
		ask_page(l->d, l->filter->since_ms, offset);
		SCOPED_REPLY *page = deliveries_answer(l->d, e);
		if (!page)
			return false;
		if (!is_page(page))
			return redis_ask_malformed(l->d->link, e);
		count = page->elements;
		if (!take_page(l, page, e))
			return false;
	}
	return true;
}

/* The notice of that event, when it is known. */
static bool take_event(struct looked *l, const char *event_id, bool *known_r, bool *complete_r, struct err *e)
{
	*known_r = *complete_r = false;
	if (strlen(event_id) > DELIVERY_NAMES_MAX)
		return true;
	deliveries_command(l->d, "GET", "id:", event_id, NULL);
	SCOPED_REPLY *number = deliveries_answer(l->d, e);
	if (!number)
		return false;
	if (number->type != REDIS_REPLY_STRING)
		return true;
	deliveries_command(l->d, "HGETALL", "notice:", number->str, NULL);
	SCOPED_REPLY *fields = deliveries_answer(l->d, e);
	if (!fields)
		return false;
	*known_r = is_list(fields) && fields->elements > 0;
	*complete_r = *known_r && strcmp(delivery_field(fields, "complete"), "1") == 0;
	return !*known_r || take_notice(l, number->str, fields, e);
}

static bool list(struct deliveries_port *port, const struct delivery_filter *filter, struct arena *mem,
		 const struct delivery_record **list_r, size_t *count_r, struct err *e)
{
	const bool of_one = filter->event_id && filter->event_id[0];
	const size_t most = of_one ? DELIVERY_APPS_MAX : LIST_MAX;
	struct looked l = { .d = redis_deliveries_of(port), .filter = filter, .mem = mem,
		.limit = filter->limit && filter->limit < most ? filter->limit : most };
	bool known, complete;

	*count_r = 0;
	if (!deliveries_ready(l.d, e))
		return false;
	if (of_one ? !take_event(&l, filter->event_id, &known, &complete, e) : !take_all(&l, e))
		return false;
	*list_r = l.list;
	*count_r = l.count;
	return true;
}

static bool show(struct deliveries_port *port, const char *event_id, const char *client_id, struct arena *mem,
		 struct delivery_record *record_r, struct err *e)
{
	const struct delivery_filter filter = { .client_id = client_id, .event_id = event_id };
	const struct delivery_record *found;
	size_t count;

	if (!list(port, &filter, mem, &found, &count, e))
		return false;
	if (count == 0 || !client_id[0])
		return err_set(e, ERR_REFUSED, 0, "redis", "no such delivery is known");
	*record_r = found[0];
	return true;
}

static bool unacknowledged(struct deliveries_port *port, const char *event_id, struct arena *mem,
			   const struct delivery_record **list_r, size_t *count_r, bool *known_r, struct err *e)
{
	const struct delivery_filter any = { 0 };
	struct looked l = { .d = redis_deliveries_of(port), .filter = &any, .mem = mem, .limit = DELIVERY_APPS_MAX };
	bool known;
	size_t kept = 0;

	*count_r = 0;
	if (!deliveries_ready(l.d, e) || !take_event(&l, event_id, &known, known_r, e))
		return false;
	for (size_t i = 0; i < l.count; i++)
		if (l.list[i].ack != ACK_NONE && l.list[i].state != DELIVERY_DONE && l.list[i].state != DELIVERY_WITHDRAWN)
			l.list[kept++] = l.list[i];
	*list_r = l.list;
	*count_r = kept;
	return true;
}

void deliveries_look(struct deliveries_port *port)
{
	port->figures = figures;
	port->app = app;
	port->apps = apps;
	port->list = list;
	port->show = show;
	port->unacknowledged = unacknowledged;
}
