/* SPDX-License-Identifier: Apache-2.0
 * What every system does with a request: find the operation, refuse an old owner, recognise a repeat, act. */
#include "compose/stubs/stubs.h"

#include "consumer/core/fnv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEGMENTS_MAX = 5, SEGMENT_MAX = 512, KEY_MAX = 400 };

struct path {
	size_t count;
	char segment[SEGMENTS_MAX][SEGMENT_MAX]; /* decoded */
};

/* ---- paths ---- */

static int hex_digit(char ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	if (ch >= 'A' && ch <= 'F')
		return ch - 'A' + 10;
	return ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}

/* False for a broken escape, an encoded NUL, text that is not UTF-8 and what is too long. */
static bool decode(const char *from, size_t len, char out_r[SEGMENT_MAX])
{
	size_t n = 0;
	json_t *text;

	for (size_t i = 0; i < len; i++) {
		char ch = from[i];

		if (ch == '%') {
			int high = i + 2 < len ? hex_digit(from[i + 1]) : -1, low = high < 0 ? -1 : hex_digit(from[i + 2]);

			if (low < 0)
				return false;
			ch = (char)(high * 16 + low);
			i += 2;
		}
		if (ch == '\0' || n + 1 == SEGMENT_MAX)
			return false;
		out_r[n++] = ch;
	}
	out_r[n] = '\0';
	text = json_string(out_r);
	json_decref(text);
	return n > 0 && text;
}

static bool split(const char *text, struct path *path_r)
{
	path_r->count = 0;
	while (*text == '/') {
		size_t len = strcspn(text + 1, "/?");

		if (path_r->count == SEGMENTS_MAX || !decode(text + 1, len, path_r->segment[path_r->count]))
			return false;
		path_r->count++;
		text += 1 + len;
	}
	return *text == '\0';
}

/* Does the path have that shape? Fills the call's parameters. */
static bool matches(const char *shape, const struct path *path, struct call *c)
{
	size_t i = 0;

	for (; *shape == '/'; i++) {
		size_t len = strcspn(shape + 1, "/");

		if (i == path->count)
			return false;
		if (strncmp(shape + 1, "{ctx}", len) == 0)
			c->ctx = path->segment[i];
		else if (strncmp(shape + 1, "{id}", len) == 0)
			c->id = path->segment[i];
		else if (strlen(path->segment[i]) != len || strncmp(shape + 1, path->segment[i], len) != 0)
			return false;
		shape += 1 + len;
	}
	return i == path->count;
}

static const struct operation *find_operation(const struct request *q, const struct path *path, struct call *c,
                                              struct reply *r)
{
	const struct system *system = systems[q->system];
	bool is_path = false;

	for (size_t i = 0; i < system->operation_count; i++) {
		if (!matches(system->operations[i].path, path, c))
			continue;
		if (strcmp(system->operations[i].method, q->method) == 0)
			return &system->operations[i];
		is_path = true;
	}
	if (is_path)
		reply_problem(r, 405, "method-not-allowed", "Not this method", "%s is not for this path", q->method);
	else
		reply_problem(r, 404, "no-such-path", "No such path", "%s has no such path", system->name);
	return NULL;
}

/* ---- orders ---- */

static bool is_printable(const char *text)
{
	for (; *text; text++)
		if (*text < '!' || *text > '~')
			return false;
	return true;
}

static bool take_headers(const struct request *q, uint64_t *token_r, struct reply *r)
{
	char *end = NULL;

	if (!q->key || !*q->key || strlen(q->key) > KEY_MAX || !is_printable(q->key)) {
		reply_problem(r, 400, "header-missing", "No sound Idempotency-Key", "every write bears one");
		return false;
	}
	errno = 0;
	*token_r = q->token && *q->token >= '0' && *q->token <= '9' ? strtoull(q->token, &end, 10) : 0;
	if (end && !*end && errno == 0)
		return true;
	reply_problem(r, 400, "header-missing", "No sound Sandbox-Fencing-Token", "every write bears a decimal number");
	return false;
}

/* Remembers the greatest token of a tenant; false when this one is older. */
static bool raise_token(json_t *tokens, const char *ctx, uint64_t token, struct reply *r)
{
	const char *seen = json_string_value(json_object_get(tokens, ctx));
	uint64_t greatest = seen ? strtoull(seen, NULL, 10) : 0;
	char text[24];

	if (token < greatest) {
		reply_problem(r, 409, "fenced", "A newer owner has taken over", "token %" PRIu64 " is older than %" PRIu64,
		              token, greatest);
		return false;
	}
	snprintf(text, sizeof text, "%" PRIu64, token);
	r->is_counted |= put_text(tokens, ctx, text);
	return true;
}

static void hash_order(const struct request *q, char hash_r[17])
{
	uint64_t hash = fnv64(FNV64_START, q->method, strlen(q->method) + 1);

	hash = fnv64(hash, q->path, strlen(q->path) + 1);
	snprintf(hash_r, 17, "%016" PRIx64, fnv64(hash, q->body, q->body_len));
}

/* True when the key was seen, and then *r is answered. */
static bool is_repeat(const json_t *known, const char *hash, struct reply *r)
{
	if (!known)
		return false;
	if (strcmp(json_string_value(json_object_get(known, "hash")), hash) != 0) {
		reply_problem(r, 422, "key-reused", "Another order under the same key",
		              "an Idempotency-Key stands for one path and one body");
		return true;
	}
	r->is_replayed = true;
	reply_with(r, 200, json_incref(json_object_get(known, "answer")));
	return true;
}

static void run_write(json_t *root, const struct operation *op, const struct request *q, struct call *c,
                      struct reply *r)
{
	json_t *keys = json_object_get(root, "keys");
	uint64_t token = 0;
	char hash[17];

	if (!take_headers(q, &token, r) || !raise_token(json_object_get(root, "tokens"), c->ctx, token, r))
		return;
	hash_order(q, hash);
	if (is_repeat(json_object_get(keys, q->key), hash, r))
		return;
	c->key = q->key;
	op->run(json_object_get(root, "data"), c, r);
	if (r->status != 200)
		return;
	json_object_set_new(keys, q->key, json_pack("{sssO}", "hash", hash, "answer", r->body));
	r->is_counted = true;
}

static json_t *parse_body(const struct request *q, struct reply *r)
{
	json_t *body = q->body_len ? json_loadb(q->body, q->body_len, JSON_REJECT_DUPLICATES, NULL) : json_object();

	if (json_is_object(body))
		return body;
	json_decref(body);
	reply_problem(r, 400, "bad-request", "The body is no JSON object", "send an object");
	return NULL;
}

void order_run(struct store *s, const struct request *q, struct reply *r)
{
	struct call c = { .id = "", .key = "" };
	const struct operation *op;
	struct path path;
	json_t *body;

	if (!split(q->path, &path)) {
		reply_problem(r, 400, "bad-request", "Not a sound path", "broken escape, empty or overlong part");
		return;
	}
	op = find_operation(q, &path, &c, r);
	body = op ? parse_body(q, r) : NULL;
	if (!body)
		return;
	c.body = body;
	if (strcmp(op->method, "GET") == 0)
		op->run(json_object_get(s->root[q->system], "data"), &c, r);
	else
		run_write(s->root[q->system], op, q, &c, r);
	json_decref(body);
	r->is_saved = r->is_changed || r->is_counted;
}
