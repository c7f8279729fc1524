/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/http/http_rest.h"

#include "consumer/adapters/http/http_json.h"
#include "consumer/core/fnv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	PATH_MAX_BYTES = 2048,
	KEY_MAX_BYTES = 300,
	SAID_MAX = 120, /* how much of a problem's words is repeated */
};

/* ---- what an answer means ---- */

/* Copies words of the other side for an operator: one line of ASCII, no control characters, and no word with an
 * '@' in it, because it may be somebody's address. */
static void copy_said(const char *said, char out_r[SAID_MAX])
{
	size_t len = 0;

	while (*said && len < SAID_MAX - 1) {
		size_t word = strcspn(said, " \t\r\n");
		bool is_address = memchr(said, '@', word) != NULL;

		if (is_address)
			len += (size_t)snprintf(out_r + len, SAID_MAX - len, "(address)");
		for (size_t i = 0; !is_address && i < word && len < SAID_MAX - 1; i++)
			out_r[len++] = said[i] >= ' ' && said[i] <= '~' ? said[i] : '?';
		if (len > SAID_MAX - 1)
			len = SAID_MAX - 1;
		said += word;
		if (*said && len < SAID_MAX - 1)
			out_r[len++] = ' ';
		said += *said != '\0';
	}
	out_r[len] = '\0';
}

static enum err_class class_of_status(int status, bool is_read)
{
	switch (status) {
	case 401: /* nothing is wrong with the clone: it can go on once somebody has put a new token there */
	case 408: /* the request did not arrive whole */
	case 425:
	case 429:
	case 503:
		return ERR_TRANSIENT;
	case 501:
		return ERR_REFUSED;
	default:
		if (status >= 500)
			return is_read ? ERR_TRANSIENT : ERR_UNSURE;
		return ERR_REFUSED;
	}
}

static const char *member_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static bool answer_refused(const struct http_client *c, const struct http_answer *a, bool is_read, struct err *e)
{
	json_t *problem = http_json_parse(a->body);
	const bool is_fenced = a->status == 409 && strcmp(member_text(problem, "type"), "fenced") == 0;
	enum err_class class = class_of_status(a->status, is_read);
	int code = is_fenced ? ERR_CODE_FENCED : a->status;
	char said[2][SAID_MAX], wait[64] = "";

	copy_said(member_text(problem, "title"), said[0]);
	copy_said(member_text(problem, "detail"), said[1]);
	if (a->retry_after_ms > 0)
		snprintf(wait, sizeof wait, ", asks to wait %" PRId64 " s", a->retry_after_ms / 1000);
	err_set(e, class, code, http_client_system(c), "answered %d%s%s%s%s%s%s", a->status,
	        a->status == 401 ? ", the token is not accepted" : "", wait, *said[0] ? ": " : "", said[0],
	        *said[1] ? ": " : "", said[1]);
	json_decref(problem);
	return false;
}

/* ---- paths and the words put in front of an error ---- */

static bool make_path(const struct http_client *c, struct buf *path, const char *ctx, const char *tail, const char *id,
                      struct err *e)
{
	buf_init(path, PATH_MAX_BYTES);
	if (buf_add_text(path, "/tenants") && http_path_add(path, ctx) && (!tail || http_path_add(path, tail)) &&
	    (!id || http_path_add(path, id)))
		return true;
	return err_set(e, ERR_REFUSED, 0, http_client_system(c), "the name of a tenant or of a thing cannot be in a path");
}

static bool failed(struct err *e, const char *what, const char *ctx)
{
	char name[SAID_MAX], context[SAID_MAX + 60];

	copy_said(ctx, name);
	snprintf(context, sizeof context, "%.16s: %.30s of %.41s", e->where, what, name);
	err_prepend(e, context);
	return false;
}

/* ---- reading ---- */

static bool take_object(struct http_client *c, const struct http_answer *a, bool *found_r, json_t **object_r,
                        struct err *e)
{
	if (found_r)
		*found_r = a->status != 404;
	if (found_r && a->status == 404)
		return true;
	if (a->status != 200)
		return answer_refused(c, a, true, e);
	*object_r = http_json_parse(a->body);
	return *object_r ||
	       err_set(e, ERR_TRANSIENT, 0, http_client_system(c), "the answer is no sound JSON object");
}

bool http_rest_read(struct http_client *c, const char *ctx, const char *tail, bool *found_r, json_t **object_r,
                    struct err *e)
{
	struct http_request request = { .method = "GET" };
	struct http_answer answer;
	struct buf path;
	bool ok;

	*object_r = NULL;
	ok = make_path(c, &path, ctx, tail, NULL, e);
	request.path = buf_text(&path);
	ok = ok && http_client_send(c, &request, &answer, e) && take_object(c, &answer, found_r, object_r, e);
	buf_done(&path);
	return ok || failed(e, tail ? tail : "record", ctx);
}

/* ---- writing ---- */

/* <clone>/<run>/<step>/<verb>[/<item>]: the same for every try and every owner of the step. */
static bool make_key(const struct http_client *c, const struct fence *f, const struct http_order *o, const char *body,
                     struct buf *key, struct err *e)
{
	buf_init(key, KEY_MAX_BYTES);
	if (buf_printf(key, "%s/%d/%s/%s", f->clone_id, f->run, f->step, o->verb) &&
	    (!o->item || http_path_add(key, o->item)) &&
	    (!o->item_is_content || buf_printf(key, "/%016" PRIx64, fnv64(FNV64_START, body, strlen(body)))))
		return true;
	return err_set(e, ERR_REFUSED, 0, http_client_system(c), "the name of a thing cannot be in an idempotency key");
}

/* Only the system itself answers with "acted": a page of some proxy in between does not count as done. */
static bool take_receipt(const struct http_client *c, const struct http_order *o, const struct http_answer *a,
                         struct err *e)
{
	json_t *receipt;
	bool ok;

	if (o->missing_is_done && a->status == 404)
		return true;
	if (a->status < 200 || a->status > 299)
		return answer_refused(c, a, false, e);
	receipt = http_json_parse(a->body);
	ok = json_is_boolean(json_object_get(receipt, "acted"));
	json_decref(receipt);
	return ok || err_set(e, ERR_UNSURE, 0, http_client_system(c), "the answer is not the system's own");
}

static bool send_order(struct http_client *c, const struct fence *f, const struct http_order *o, const char *body,
                       const char *key, struct err *e)
{
	char token[24];
	const struct http_header headers[] = { { "Idempotency-Key", key }, { "Sandbox-Fencing-Token", token } };
	struct http_request request = { .method = o->method, .headers = headers, .header_count = 2 };
	struct http_answer answer;
	struct buf path;
	bool ok;

	snprintf(token, sizeof token, "%" PRIu64, f->token);
	ok = make_path(c, &path, o->ctx, o->tail, o->id, e);
	request.path = buf_text(&path);
	if (*body) {
		request.body = body;
		request.body_len = strlen(body);
	}
	ok = ok && http_client_send(c, &request, &answer, e) && take_receipt(c, o, &answer, e);
	buf_done(&path);
	return ok;
}

bool http_rest_write(struct http_client *c, const struct fence *f, const struct http_order *order, struct err *e)
{
	/* jansson makes no value, NULL here, of text that is not UTF-8. */
	char *dumped = json_is_null(order->body) ? strdup("") : json_dumps(order->body, JSON_COMPACT);
	struct buf key;
	bool ok;

	json_decref(order->body);
	if (!dumped)
		return err_set(e, ERR_REFUSED, 0, http_client_system(c), "%s holds text that is not UTF-8", order->verb);
	if (strcmp(order->ctx, f->target_ctx) != 0) {
		free(dumped);
		return err_set(e, ERR_MISUSE, 0, http_client_system(c), "%s is not for the fence's own tenant",
		               order->verb);
	}
	ok = make_key(c, f, order, dumped, &key, e) && send_order(c, f, order, dumped, buf_text(&key), e);
	buf_done(&key);
	free(dumped);
	return ok || failed(e, order->verb, order->ctx);
}
