/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/redis/redis_inspect.h"

#include "consumer/adapters/redis/redis_ask.h"
#include "consumer/adapters/redis/redis_command.h"
#include "consumer/adapters/redis/redis_ops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SCAN_COUNT = 1000 };

struct redis_inspect {
	struct inspect_port port;
	struct redis_link *link;
	char prefix[REDIS_PREFIX_MAX + 1];
	int64_t command_timeout_ms;
};

static struct redis_inspect *of(struct inspect_port *port)
{
	return (struct redis_inspect *)port; /* its first member */
}

/* ---- asking ---- */

/* Connects (again) where that is needed; commands are appended after it. */
static bool ready(struct redis_inspect *s, struct err *e)
{
	return redis_link_wait(s->link, e);
}

static redisReply *answer(struct redis_inspect *s, struct err *e)
{
	return redis_ask_answer(s->link, s->command_timeout_ms, e);
}

/* ---- one clone ---- */

static void ask_fields(struct redis_inspect *s, const char *command, enum redis_key kind, const char *target_ctx,
		       const char *clone_id)
{
	struct buf *out = redis_link_out(s->link);
	char key[REDIS_KEY_SIZE];

	redis_key_text(key, s->prefix, kind, target_ctx, clone_id);
	redis_command(out, 2);
	redis_arg_text(out, command);
	redis_arg_text(out, key);
}

static void ask_clone(struct redis_inspect *s, const struct inspect_clone *clone)
{
	ask_fields(s, "HGETALL", REDIS_KEY_CLONE, clone->target_ctx, clone->clone_id);
	ask_fields(s, "HGETALL", REDIS_KEY_NOTE, clone->target_ctx, clone->clone_id);
}

static bool copy_pairs(const struct store_pair *pairs, size_t count, struct arena *mem, const struct store_pair **pairs_r)
{
	struct store_pair *copied = arena_take(mem, count * sizeof *copied + 1);

	if (!copied)
		return false;
	for (size_t i = 0; i < count; i++) {
		copied[i].name = arena_text(mem, pairs[i].name, strlen(pairs[i].name));
		copied[i].value = arena_text(mem, pairs[i].value, pairs[i].len);
		copied[i].len = pairs[i].len;
		if (!copied[i].name || !copied[i].value)
			return false;
	}
	*pairs_r = copied;
	return true;
}

static bool take_clone(struct redis_inspect *s, struct arena *mem, struct inspect_clone *clone, struct err *e)
{
	SCOPED_REPLY *hash = answer(s, e);
	SCOPED_REPLY *note = hash ? answer(s, e) : NULL;
	const struct store_pair *notes;
	struct redis_clone read;

	if (!note)
		return false;
	if (hash->type != REDIS_REPLY_ARRAY || note->type != REDIS_REPLY_ARRAY)
		return redis_ask_malformed(s->link, e);
	if (!redis_clone_read(hash, mem, &read) || !redis_pairs(note, mem, &notes, &clone->note_count) ||
	    !copy_pairs(read.fields, read.field_count, mem, &clone->fields) ||
	    !copy_pairs(notes, clone->note_count, mem, &clone->note))
		return redis_ask_no_memory(s->link, e);
	clone->field_count = read.field_count;
	clone->outbox_length = read.entry_count;
	return true;
}

/* ---- the index ---- */

/* A member and its score, when it is one of ours and begins as wanted. */
enum taken { TAKEN, NOT_OURS, NO_ROOM };

static enum taken take_member(const redisReply *member, const redisReply *score, const char *wanted, struct arena *mem,
			      struct inspect_clone *clone_r)
{
	char clone[REDIS_NAME_MAX + 1], target[REDIS_NAME_MAX + 1];

	*clone_r = (struct inspect_clone){ 0 };
	if (member->type != REDIS_REPLY_STRING || score->type != REDIS_REPLY_STRING ||
	    !redis_index_parse(member->str, clone, target) || strncmp(clone, wanted, strlen(wanted)) != 0)
		return NOT_OURS;
	clone_r->clone_id = arena_text(mem, clone, strlen(clone));
	clone_r->target_ctx = arena_text(mem, target, strlen(target));
	clone_r->requested_at_ms = (int64_t)strtod(score->str, NULL);
	return clone_r->clone_id && clone_r->target_ctx ? TAKEN : NO_ROOM;
}

static redisReply *newest(struct redis_inspect *s, size_t limit, struct err *e)
{
	struct buf *out = redis_link_out(s->link);
	char key[REDIS_KEY_SIZE];

	redis_index_key(key, s->prefix);
	redis_command(out, 5);
	redis_arg_text(out, "ZREVRANGE");
	redis_arg_text(out, key);
	redis_arg_text(out, "0");
	redis_arg_number(out, limit - 1);
	redis_arg_text(out, "WITHSCORES");
	return answer(s, e);
}

static bool list(struct inspect_port *port, size_t limit, struct arena *mem, const struct inspect_clone **clones_r,
		 size_t *count_r, struct err *e)
{
	struct redis_inspect *s = of(port);
	struct inspect_clone *clones;
	size_t count = 0;

	*clones_r = NULL;
	*count_r = 0;
	if (limit == 0 || limit > INSPECT_LIST_MAX)
		limit = INSPECT_LIST_MAX;
	if (!ready(s, e))
		return false;
	SCOPED_REPLY *index = newest(s, limit, e);
	if (!index)
		return false;
	if (index->type != REDIS_REPLY_ARRAY || index->elements % 2)
		return redis_ask_malformed(s->link, e);
	clones = arena_take(mem, index->elements / 2 * sizeof *clones + 1);
	if (!clones)
		return redis_ask_no_memory(s->link, e);
	for (size_t i = 0; i < index->elements; i += 2) {
		enum taken taken = take_member(index->element[i], index->element[i + 1], "", mem, &clones[count]);

		if (taken == NO_ROOM)
			return redis_ask_no_memory(s->link, e);
		if (taken == TAKEN)
			ask_clone(s, &clones[count++]);
	}
	for (size_t i = 0; i < count; i++)
		if (!take_clone(s, mem, &clones[i], e))
			return false;
	*clones_r = clones;
	*count_r = count;
	return true;
}

/* ---- finding one by the beginning of its id ---- */

struct search {
	const char *wanted;
	struct arena *mem;
	struct inspect_clone found; /* the last that began so; the one when exact */
	size_t matches;
	bool is_exact;
};

/* False when there is no room to keep what was found. */
static bool look_at_members(struct search *search, const redisReply *members)
{
	for (size_t i = 0; i + 1 < members->elements && !search->is_exact; i += 2) {
		struct inspect_clone clone;
		enum taken taken =
		    take_member(members->element[i], members->element[i + 1], search->wanted, search->mem, &clone);

		if (taken == NO_ROOM)
			return false;
		if (taken == NOT_OURS)
			continue;
		if (search->matches == 0 || strcmp(search->found.clone_id, clone.clone_id) != 0)
			search->matches++; /* a scan may show a member twice */
		search->is_exact = strcmp(clone.clone_id, search->wanted) == 0;
		search->found = clone;
	}
	return true;
}

static redisReply *scan(struct redis_inspect *s, const char *cursor, const char *wanted, struct err *e)
{
	struct buf *out = redis_link_out(s->link);
	char key[REDIS_KEY_SIZE], pattern[3 * REDIS_NAME_MAX + 2];

	/* An escaped name has no character that a pattern gives a meaning to. */
	redis_index_key(key, s->prefix);
	redis_escape(pattern, wanted);
	strcat(pattern, "*");
	redis_command(out, 7);
	redis_arg_text(out, "ZSCAN");
	redis_arg_text(out, key);
	redis_arg_text(out, cursor);
	redis_arg_text(out, "MATCH");
	redis_arg_text(out, pattern);
	redis_arg_text(out, "COUNT");
	redis_arg_number(out, SCAN_COUNT);
	return answer(s, e);
}

static bool search_all(struct redis_inspect *s, struct search *search, struct err *e)
{
	char cursor[24] = "0";

	do {
		SCOPED_REPLY *page = scan(s, cursor, search->wanted, e);

		if (!page)
			return false;
		if (page->type != REDIS_REPLY_ARRAY || page->elements != 2 ||
		    page->element[0]->type != REDIS_REPLY_STRING || page->element[1]->type != REDIS_REPLY_ARRAY)
			return redis_ask_malformed(s->link, e);
		if (!look_at_members(search, page->element[1]))
			return redis_ask_no_memory(s->link, e);
		snprintf(cursor, sizeof cursor, "%s", page->element[0]->str);
	} while (strcmp(cursor, "0") != 0 && !search->is_exact);
	return true;
}

static bool clone_of(struct inspect_port *port, const char *id_or_prefix, struct arena *mem,
		     struct inspect_clone *clone_r, struct err *e)
{
	struct redis_inspect *s = of(port);
	struct search search = { .wanted = id_or_prefix, .mem = mem };

	if (!id_or_prefix[0] || strlen(id_or_prefix) > REDIS_NAME_MAX)
		return err_set(e, ERR_REFUSED, 0, "redis", "that is no clone id");
	if (!ready(s, e) || !search_all(s, &search, e))
		return false;
	if (search.matches == 0)
		return err_set(e, ERR_REFUSED, 0, "redis", "no clone is known whose id begins with %s", id_or_prefix);
	if (search.matches > 1 && !search.is_exact)
		return err_set(e, ERR_REFUSED, 0, "redis", "more than one clone id begins with %s; give more of it",
			       id_or_prefix);
	*clone_r = search.found;
	ask_clone(s, clone_r);
	return take_clone(s, mem, clone_r, e);
}

static bool generation(struct inspect_port *port, const char *target_ctx, const char *clone_id,
		       char generation_r[DATABASE_MAX + 1], struct err *e)
{
	struct redis_inspect *s = of(port);
	char key[REDIS_KEY_SIZE];

	*generation_r = '\0';
	if (!target_ctx[0] || strlen(target_ctx) > REDIS_NAME_MAX || !clone_id[0] || strlen(clone_id) > REDIS_NAME_MAX)
		return err_set(e, ERR_REFUSED, 0, "redis", "that is no tenant, or no clone id");
	if (!ready(s, e))
		return false;
	redis_key_text(key, s->prefix, REDIS_KEY_CLONE, target_ctx, clone_id);
	redis_command(redis_link_out(s->link), 3);
	redis_arg_text(redis_link_out(s->link), "HGET");
	redis_arg_text(redis_link_out(s->link), key);
	redis_arg_text(redis_link_out(s->link), "generation");
	SCOPED_REPLY *value = answer(s, e);
	if (!value)
		return false;
	if (value->type == REDIS_REPLY_NIL)
		return true;
	if (value->type != REDIS_REPLY_STRING || value->len > DATABASE_MAX)
		return redis_ask_malformed(s->link, e);
	memcpy(generation_r, value->str, value->len + 1);
	return true;
}

/* ---- leases and the server ---- */

static bool lease(struct inspect_port *port, const char *target_ctx, struct arena *mem, struct inspect_lease *lease_r,
		  struct err *e)
{
	struct redis_inspect *s = of(port);
	char owner[REDIS_NAME_MAX + 1], clone[REDIS_NAME_MAX + 1];

	*lease_r = (struct inspect_lease){ 0 };
	if (!target_ctx[0] || strlen(target_ctx) > REDIS_NAME_MAX)
		return err_set(e, ERR_REFUSED, 0, "redis", "that is no tenant");
	if (!ready(s, e))
		return false;
	ask_fields(s, "GET", REDIS_KEY_LEASE, target_ctx, NULL);
	ask_fields(s, "PTTL", REDIS_KEY_LEASE, target_ctx, NULL);
	SCOPED_REPLY *value = answer(s, e);
	SCOPED_REPLY *left = value ? answer(s, e) : NULL;
	if (!left)
		return false;
	if (value->type == REDIS_REPLY_NIL || (left->type == REDIS_REPLY_INTEGER && left->integer == -2))
		return true;
	if (value->type != REDIS_REPLY_STRING || left->type != REDIS_REPLY_INTEGER ||
	    !redis_lease_parse(value->str, owner, &lease_r->token, clone))
		return redis_ask_malformed(s->link, e);
	lease_r->is_held = true;
	lease_r->remaining_ms = left->integer;
	lease_r->owner = arena_text(mem, owner, strlen(owner));
	lease_r->clone_id = arena_text(mem, clone, strlen(clone));
	return (lease_r->owner && lease_r->clone_id) || redis_ask_no_memory(s->link, e);
}

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static bool measure(struct redis_inspect *s, int64_t *latency_us_r, struct err *e)
{
	*latency_us_r = INT64_MAX;
	for (int i = 0; i < 3; i++) {
		const int64_t since_us = now_us();

		redis_command(redis_link_out(s->link), 1);
		redis_arg_text(redis_link_out(s->link), "PING");
		SCOPED_REPLY *pong = answer(s, e);
		if (!pong)
			return false;
		if (now_us() - since_us < *latency_us_r)
			*latency_us_r = now_us() - since_us;
	}
	return true;
}

static bool health(struct inspect_port *port, struct arena *mem, struct inspect_health *health_r, struct err *e)
{
	struct redis_inspect *s = of(port);
	struct redis_facts facts;
	struct err problem = { 0 };

	if (!ready(s, e) || !measure(s, &health_r->latency_us, e))
		return false;
	redis_command(redis_link_out(s->link), 1);
	redis_arg_text(redis_link_out(s->link), "INFO");
	SCOPED_REPLY *info = answer(s, e);
	if (!info)
		return false;
	if (info->type != REDIS_REPLY_STRING)
		return redis_ask_malformed(s->link, e);
	redis_facts_read(info->str, info->len, &facts);
	redis_facts_fit(&facts, &problem);
	health_r->version = arena_text(mem, facts.version, strlen(facts.version));
	health_r->role = arena_text(mem, facts.role, strlen(facts.role));
	health_r->maxmemory_policy = arena_text(mem, facts.maxmemory_policy, strlen(facts.maxmemory_policy));
	health_r->problem = arena_text(mem, problem.text, strlen(problem.text));
	health_r->warning = redis_facts_warning(&facts);
	health_r->aof_enabled = facts.aof_enabled;
	return (health_r->version && health_r->role && health_r->maxmemory_policy && health_r->problem) ||
	       redis_ask_no_memory(s->link, e);
}

/* ---- life ---- */

static void close_inspect(struct inspect_port *port)
{
	struct redis_inspect *s = of(port);

	if (!s)
		return;
	redis_link_free(&s->link);
	free(s);
}

struct inspect_port *redis_inspect_new(const struct redis_settings *settings, struct err *e)
{
	struct redis_inspect *s = calloc(1, sizeof *s);

	if (!s) {
		err_set(e, ERR_TRANSIENT, 0, "redis", "out of memory");
		return NULL;
	}
	s->port = (struct inspect_port){ list, clone_of, generation, lease, health, close_inspect };
	snprintf(s->prefix, sizeof s->prefix, "%s",
		 settings->prefix && settings->prefix[0] ? settings->prefix : "sandbox");
	s->command_timeout_ms = settings->command_timeout_ms > 0 ? settings->command_timeout_ms : REDIS_ASK_TIMEOUT_MS;
	s->link = redis_link_new(settings, REDIS_LINK_READ, e);
	if (!s->link || !redis_link_wait(s->link, e)) {
		close_inspect(&s->port);
		return NULL;
	}
	return &s->port;
}
