/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/tenant/state_api.h"

#include "consumer/core/fnv.h"
#include "consumer/core/json_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- values ---- */

static void add_text(struct buf *out, const char *name, const char *text)
{
	buf_printf(out, "\"%s\":", name);
	json_text_add(out, text, strlen(text));
}

static void split_time(int64_t utc_ms, struct tm *tm_r, int *ms_r)
{
	time_t seconds = (time_t)(utc_ms / 1000);

	*ms_r = (int)(utc_ms % 1000);
	if (utc_ms < 0 || !gmtime_r(&seconds, tm_r) || tm_r->tm_year > 9999 - 1900)
		memset(tm_r, 0, sizeof *tm_r);
}

/* 2026-08-01T10:15:00.0000000Z: seven decimals, as the real service writes it. */
static void add_time(struct buf *out, const char *name, int64_t utc_ms, bool seven)
{
	struct tm tm;
	int ms;

	split_time(utc_ms, &tm, &ms);
	buf_printf(out, "\"%s\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03d%sZ\"", name, tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
		tm.tm_hour, tm.tm_min, tm.tm_sec, ms, seven ? "0000" : "");
}

static bool is_running(enum tenant_state state)
{
	return state == TENANT_RUNNING || state == TENANT_ONLINE_MAINTENANCE;
}

static bool is_ctx(const char *ctx)
{
	size_t len = strnlen(ctx, CTX_MAX + 1);

	return len > 0 && len <= CTX_MAX &&
		strspn(ctx, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

/* "https://host/ctx" and what follows; "" while the host was not told. */
static void add_endpoint(struct buf *out, const char *name, const char *host, const char *ctx, const char *tail)
{
	char url[FACTS_HOST_MAX + CTX_MAX + 32] = "";

	if (*host)
		snprintf(url, sizeof url, "https://%s/%s%s", host, ctx, tail);
	add_text(out, name, url);
}

/* ---- one tenant ---- */

/* Of what the answer says, without how long it holds: the same from every instance and after every restart. Weak,
 * because ValidUntil is in the body. */
static void make_etag(const char *ctx, const struct board_state *s, char etag[24])
{
	uint64_t hash = fnv64(FNV64_START, ctx, strlen(ctx) + 1);

	hash = fnv64(hash, &s->state, sizeof s->state);
	hash = fnv64(hash, s->host, strlen(s->host) + 1);
	hash = fnv64(hash, s->version_name, strlen(s->version_name) + 1);
	snprintf(etag, 24, "W/\"%016" PRIx64 "\"", hash);
}

/* A list of tags, weak or strong, or '*' (RFC 9110 13.1.2): compared weakly. */
static bool is_match(const char *if_none_match, const char *etag)
{
	const char *tag = etag + 2; /* without W/ */
	size_t len = strlen(tag);

	if (strcmp(if_none_match, "*") == 0)
		return true;
	for (const char *p = if_none_match; (p = strstr(p, tag)); p += len)
		if (p[len] == '\0' || p[len] == ',' || p[len] == ' ')
			return true;
	return false;
}

struct state_answer state_api_get(const struct state_api *api, const char *ctx, const char *if_none_match, int64_t utc_ms,
                                  struct buf *body)
{
	struct board_state s = { .state = TENANT_UNKNOWN };
	struct state_answer a = { .status = 200 };
	int64_t valid_ms;

	if (!is_ctx(ctx))
		return (struct state_answer){ .status = 400, .problem = "that cannot be the context identifier of a tenant" };
	board_state(api->board, ctx, &s);
	valid_ms = is_running(s.state) ? api->valid_running_ms : api->valid_offline_ms;
	make_etag(ctx, &s, a.etag);
	a.max_age_s = valid_ms / 1000;
	if (!is_running(s.state))
		a.retry_after_s = a.max_age_s > 0 ? a.max_age_s : 1;
	if (*if_none_match && is_match(if_none_match, a.etag)) {
		a.status = 304;
		return a;
	}
	buf_add_text(body, "{");
	add_text(body, "ContextIdentifier", ctx);
	buf_add_text(body, ",");
	add_endpoint(body, "Endpoint", s.host, ctx, "");
	buf_printf(body, ",\"State\":\"%s\",\"IsRunning\":%s,", tenant_state_name(s.state), is_running(s.state) ? "true" : "false");
	add_time(body, "ValidUntil", utc_ms + valid_ms, true);
	buf_add_text(body, ",");
	add_endpoint(body, "Api", s.host, ctx, "/api");
	buf_add_text(body, ",");
	add_text(body, "Version", s.version_name);
	buf_add_text(body, "}\n");
	return a;
}

/* ---- many ---- */

struct listing {
	struct buf *out;
	size_t count;
	int64_t last_changed;
	char last[CTX_MAX + 1];
};

static void add_row(void *arg, const struct tenant_row *r, int64_t changed)
{
	struct listing *l = arg;
	const struct {
		const char *name, *text;
	} texts[] = {
		{ "context", r->ctx }, { "state", tenant_state_name(r->state) }, { "superid", identity_state_name(r->superid) },
		{ "clone", r->clone_id }, { "status", r->status ? clone_status_name(r->status) : "" }, { "step", r->step },
		{ "host", r->host }, { "version", r->version_name }, { "file_version", r->file_version }, { "cause", r->cause },
		{ "next_command", r->next_command },
	};

	buf_add_text(l->out, l->count++ ? ",\n{" : "\n{");
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		add_text(l->out, texts[i].name, texts[i].text);
		buf_add_text(l->out, ",");
	}
	if (r->since_ms) {
		add_time(l->out, "since", r->since_ms, false);
		buf_add_text(l->out, ",");
	}
	buf_printf(l->out, "\"since_ms\":%" PRId64 ",", r->since_ms);
	buf_printf(l->out, "\"state_number\":%d,\"run\":%d,\"step_no\":%d,\"total_steps\":%d,\"sequence\":%" PRId64
		",\"stuck\":%s,\"changed\":%" PRId64 "}", (int)r->state, r->run, r->step_no, r->total_steps, r->sequence,
		tenant_is_stuck(r) ? "true" : "false", changed);
	memcpy(l->last, r->ctx, sizeof l->last);
	if (changed > l->last_changed)
		l->last_changed = changed;
}

static bool read_number(const char *text, int64_t least, int64_t most, int64_t standard, int64_t *out)
{
	char *end;

	*out = standard;
	if (!*text)
		return true;
	if (strlen(text) > 18 || strspn(text, "0123456789") != strlen(text))
		return false;
	*out = strtoll(text, &end, 10);
	return *out >= least && *out <= most;
}

static const char *read_query(const struct state_list_query *q, struct board_query *query)
{
	int64_t limit;

	if ((*q->context && !is_ctx(q->context)) || (*q->after && !is_ctx(q->after)))
		return "context and after are context identifiers of tenants";
	if (!read_number(q->changed_after, 0, INT64_MAX, -1, &query->changed_after))
		return "changed_after is the number of a change";
	if (!read_number(q->limit, 1, STATE_LIST_MAX, STATE_LIST_DEFAULT, &limit))
		return "limit is a number from 1 to 1000";
	if (*q->stuck && strcmp(q->stuck, "true") != 0 && strcmp(q->stuck, "false") != 0)
		return "stuck is true or false";
	query->ctx = q->context;
	query->after = q->after;
	query->only_stuck = strcmp(q->stuck, "true") == 0;
	query->limit = (size_t)limit;
	return NULL;
}

struct state_answer state_api_list(const struct state_api *api, const struct state_list_query *q, struct buf *body)
{
	struct listing l = { .out = body, .last_changed = 0 };
	struct board_query query;
	const char *problem = read_query(q, &query);
	size_t total;

	if (problem)
		return (struct state_answer){ .status = 400, .problem = problem };
	buf_add_text(body, "{\"tenants\":[");
	if (!board_list(api->board, &query, add_row, &l, &total))
		return (struct state_answer){ .status = 503, .problem = "memory is short" };
	buf_printf(body, "%s],\"total\":%zu,\"changed\":%" PRId64 ",\"next_after\":\"%s\"}\n", l.count ? "\n" : "", total,
		l.last_changed, l.count < total ? l.last : "");
	return (struct state_answer){ .status = 200 };
}
