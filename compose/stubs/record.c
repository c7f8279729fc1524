/* SPDX-License-Identifier: Apache-2.0
 * calls.jsonl: one line for each call that reached a system, in the order in which they were decided. A line says
 * "acted": true only when the call changed the world, so counting those lines counts effects. */
#include "compose/stubs/stubs.h"

#include "consumer/core/fnv.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

json_t *record_list(const struct record *r)
{
	FILE *file = fopen(r->path, "re");
	json_t *list = json_array();
	char *line = NULL;
	size_t size = 0;

	while (file && getline(&line, &size, file) > 0) {
		json_t *call = json_loads(line, 0, NULL);

		if (call) /* a line torn by a kill is left out */
			json_array_append_new(list, call);
	}
	free(line);
	if (file)
		fclose(file);
	return list;
}

bool record_open(struct record *r, const char *dir)
{
	size_t size = strlen(dir) + sizeof "/calls.jsonl";
	json_t *earlier;

	*r = (struct record){ .fd = -1, .path = malloc(size) };
	if (!r->path)
		return false;
	snprintf(r->path, size, "%s/calls.jsonl", dir);
	r->fd = open(r->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	earlier = record_list(r);
	r->next = (int64_t)json_array_size(earlier) + 1;
	json_decref(earlier);
	/* Ends a line torn by a kill; an empty line is none. */
	return r->fd >= 0 && (r->next == 1 || write(r->fd, "\n", 1) == 1);
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

void record_add(struct record *r, const struct request *q, const struct reply *answer, const char *fault)
{
	char time[40], hash[17], *line;
	json_t *call;

	now_text(time);
	snprintf(hash, sizeof hash, "%016" PRIx64, fnv64(FNV64_START, q->body, q->body_len));
	call = json_pack("{sIsssssssososososisbsbss}", "seq", (json_int_t)r->next++, "time", time, "system",
	                 systems[q->system]->name, "method", q->method, "path", text_or_null(q->path), "key",
	                 text_or_null(q->key), "token", text_or_null(q->token), "body_hash", text_or_null(hash),
	                 "status", answer->status, "acted", answer->is_changed, "replayed", answer->is_replayed, "fault",
	                 fault);
	line = json_dumps(call, JSON_COMPACT);
	json_decref(call);
	if (!line || dprintf(r->fd, "%s\n", line) < 0)
		fprintf(stderr, "sandbox-stubs: a call could not be recorded in calls.jsonl\n");
	free(line);
}
