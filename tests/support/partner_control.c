/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/partner_priv.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { REQUESTS_AT_ONCE = 1000 };

static void say(struct partner_answer *answer_r, int status, const char *text)
{
	partner_answer_plain(answer_r, status, "text/plain", text, strlen(text));
}

static json_t *headers_of(const struct partner_request *request)
{
	json_t *headers = json_object();

	for (const char *line = request->head; *line;) {
		size_t len = strcspn(line, "\r\n"), name_len = strcspn(line, ":");
		char name[PARTNER_WORD_MAX + 1];

		if (name_len < len && name_len < sizeof name) {
			memcpy(name, line, name_len);
			name[name_len] = '\0';
			name_len += 1 + strspn(line + name_len + 1, " ");
			json_object_set_new(headers, name, json_stringn(line + name_len, len - name_len));
		}
		line += len + strspn(line + len, "\r\n");
	}
	return headers;
}

static void add_request(const struct partner_request *r, void *arg)
{
	json_t *body = json_stringn(r->body, r->body_len); /* NULL when it is no UTF-8 */
	json_t *object = json_pack("{sI sI si ss ss so so*}", "number", (json_int_t)r->number, "at_ms",
	                           (json_int_t)r->at_ms, "door", (int)r->door, "method", r->method, "path", r->path,
	                           "headers", headers_of(r), "body", body);
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

	if (text) {
		buf_add_text(arg, text);
		buf_add_text(arg, "\n");
	}
	free(text);
	json_decref(object);
}

static void list_requests(struct partner_server *server, const char *query, struct partner_answer *answer_r)
{
	struct buf text;

	buf_init(&text, PARTNER_ANSWER_MAX);
	partner_each_request(server, (size_t)strtoul(query, NULL, 10), REQUESTS_AT_ONCE, add_request, &text);
	partner_answer_plain(answer_r, 200, "application/x-ndjson", buf_text(&text), text.len);
	buf_done(&text);
}

static void add_count(const char *path, size_t count, void *arg)
{
	json_object_set_new(arg, path, json_integer((json_int_t)count));
}

static void list_counts(struct partner_server *server, struct partner_answer *answer_r)
{
	json_t *counts = json_object();
	char *text;

	partner_each_path(server, add_count, counts);
	text = json_dumps(counts, JSON_COMPACT | JSON_SORT_KEYS);
	partner_answer_plain(answer_r, 200, "application/json", text ? text : "{}", strlen(text ? text : "{}"));
	free(text);
	json_decref(counts);
}

static bool is_call(const struct partner_request *request, const char *method, const char *path)
{
	const size_t len = strlen(path);

	return strcmp(request->method, method) == 0 && strncmp(request->path, path, len) == 0 &&
	       (request->path[len] == '\0' || request->path[len] == '?');
}

void partner_control(struct partner_server *server, const struct partner_request *request,
                     struct partner_answer *answer_r)
{
	const char *query = strchr(request->path, '?');

	query = query ? query + 1 : "";
	if (is_call(request, "GET", "/-/requests")) {
		list_requests(server, query, answer_r);
	} else if (is_call(request, "GET", "/-/counts")) {
		list_counts(server, answer_r);
	} else if (is_call(request, "DELETE", "/-/requests")) {
		partner_server_forget(server);
		say(answer_r, 204, "");
	} else if (is_call(request, "PUT", "/-/script")) {
		bool ok = partner_server_script(server, query, request->body);

		say(answer_r, ok ? 204 : 400, ok ? "" : "this is no path, or no script\n");
	} else {
		say(answer_r, 404, "there is nothing here\n");
	}
}
