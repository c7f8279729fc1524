/* SPDX-License-Identifier: Apache-2.0
 * calls.jsonl: one line for each call that reached a system, in the order in which they were decided. A line says
 * "acted": true only when the call changed the world, so counting those lines counts effects. A line with "saved": true
 * has the whole request: carried out again, in order, on the last files of the store, those lines make the state. */
#include "compose/stubs/stubs.h"

#include "consumer/core/fnv.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SAVE_EVERY = 5000 };

/* ---- reading ---- */

/* Calls fn for each line; the file's length without a line torn by a kill. */
static off_t read_lines(const struct record *r, void (*fn)(void *arg, json_t *call), void *arg)
{
	FILE *file = fopen(r->path, "re");
	char *line = NULL;
	size_t size = 0;
	off_t whole = 0;
	ssize_t len;

	while (file && (len = getline(&line, &size, file)) > 0 && line[len - 1] == '\n') {
		json_t *call = json_loadb(line, (size_t)len, 0, NULL);

		if (call)
			fn(arg, call);
		json_decref(call);
		whole += len;
	}
	free(line);
	if (file)
		fclose(file);
	return whole;
}

static void list_one(void *arg, json_t *call)
{
	json_object_del(call, "body");
	json_array_append(arg, call);
}

json_t *record_list(const struct record *r)
{
	json_t *list = json_array();

	read_lines(r, list_one, list);
	return list;
}

/* ---- the state again ---- */

static const char *member(const json_t *call, const char *name)
{
	return json_string_value(json_object_get(call, name));
}

static int system_of(const json_t *call)
{
	const char *name = member(call, "system");
	int id = 0;

	while (id < SYSTEM_END && (!name || strcmp(systems[id]->name, name) != 0))
		id++;
	return id;
}

static void carry_out_again(void *arg, json_t *call)
{
	struct store *s = arg;
	int64_t seq = json_integer_value(json_object_get(call, "seq"));
	int id = system_of(call);
	const json_t *body = json_object_get(call, "body");
	struct request q = { .method = member(call, "method"), .path = member(call, "path"), .key = member(call, "key"),
		             .token = member(call, "token"), .body = json_string_value(body),
		             .body_len = json_string_length(body) };
	struct reply r = { 0 };

	if (seq > s->seq)
		s->seq = seq;
	if (id == SYSTEM_END || !json_is_true(json_object_get(call, "saved")) || !q.method || !q.path || !q.body ||
	    seq <= json_integer_value(json_object_get(s->root[id], "seq")))
		return;
	q.system = (enum system_id)id;
	order_run(s, &q, &r);
	json_decref(r.body);
	s->since++;
}

bool record_open(struct record *r, const char *dir, struct store *s)
{
	size_t size = strlen(dir) + sizeof "/calls.jsonl";

	*r = (struct record){ .fd = -1, .path = malloc(size) };
	if (!r->path)
		return false;
	snprintf(r->path, size, "%s/calls.jsonl", dir);
	r->fd = open(r->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	r->size = read_lines(r, carry_out_again, s);
	r->next = s->seq + 1;
	return r->fd >= 0 && ftruncate(r->fd, r->size) == 0;
}

void record_close(struct record *r)
{
	if (r->fd >= 0)
		close(r->fd);
	free(r->path);
}

static void now_text(char text_r[40])
{
	struct timespec now;
	struct tm utc;
	size_t len;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	len = strftime(text_r, 40, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text_r + len, 40 - len, ".%03dZ", (int)(now.tv_nsec / 1000000));
}

static json_t *text_or_null(const char *text)
{
	json_t *value = text ? json_string(text) : NULL;

	return value ? value : json_null();
}

/* The whole request only where it will be carried out again. */
static json_t *describe(const struct record *r, const struct request *q, const struct reply *answer, const char *fault)
{
	char time[40], hash[17];
	json_t *call;

	now_text(time);
	snprintf(hash, sizeof hash, "%016" PRIx64, fnv64(FNV64_START, q->body, q->body_len));
	call = json_pack("{sIsssssssososososisbsbsbss}", "seq", (json_int_t)r->next, "time", time, "system",
	                 systems[q->system]->name, "method", q->method, "path", text_or_null(q->path), "key",
	                 text_or_null(q->key), "token", text_or_null(q->token), "body_hash", text_or_null(hash),
	                 "status", answer->status, "acted", answer->is_changed, "saved", answer->is_saved, "replayed",
	                 answer->is_replayed, "fault", fault);
	if (answer->is_saved)
		json_object_set_new(call, "body", json_stringn(q->body, q->body_len));
	return call;
}

static bool write_line(struct record *r, const json_t *call)
{
	char *line = json_dumps(call, JSON_COMPACT);
	size_t len = line ? strlen(line) : 0;
	bool ok = false;

	if (line) {
		line[len] = '\n';
		ok = write(r->fd, line, len + 1) == (ssize_t)(len + 1);
	}
	free(line);
	if (ok)
		r->size += (off_t)len + 1;
	else if (ftruncate(r->fd, r->size) != 0)
		fprintf(stderr, "sandbox-stubs: calls.jsonl ends in half a line\n");
	return ok;
}

bool record_add(struct record *r, struct store *s, const struct request *q, const struct reply *answer,
                const char *fault)
{
	json_t *call = describe(r, q, answer, fault);
	bool ok = write_line(r, call);

	json_decref(call);
	if (!ok) {
		fprintf(stderr, "sandbox-stubs: a call could not be recorded in calls.jsonl\n");
		if (answer->is_saved && store_load(s))
			read_lines(r, carry_out_again, s);
		return false;
	}
	s->seq = r->next++;
	if (answer->is_saved && ++s->since >= SAVE_EVERY)
		store_save(s);
	return true;
}
