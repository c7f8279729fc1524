/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/http/tenant_http.h"

#include "consumer/adapters/http/http_json.h"
#include "consumer/adapters/http/http_rest.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tenant_http {
	struct tenant_port port; /* first */
	struct http_client *client;
};

static struct http_client *client_of(struct tenant_port *self)
{
	return ((struct tenant_http *)self)->client;
}

/* ---- reading ---- */

static const struct json_text_field record_texts[] = {
	JSON_TEXT_FIELD(struct tenant_record, ctx),
	JSON_TEXT_FIELD(struct tenant_record, linked_source),
	JSON_TEXT_FIELD(struct tenant_record, company),
	JSON_TEXT_FIELD(struct tenant_record, database),
	JSON_TEXT_FIELD(struct tenant_record, files_root),
	JSON_TEXT_FIELD(struct tenant_record, previous_database),
	JSON_TEXT_FIELD(struct tenant_record, previous_files_root),
	JSON_TEXT_FIELD(struct tenant_record, home_web_cluster),
	JSON_TEXT_FIELD(struct tenant_record, home_db_cluster),
	JSON_TEXT_FIELD(struct tenant_record, web_cluster),
	JSON_TEXT_FIELD(struct tenant_record, db_cluster),
	JSON_TEXT_FIELD(struct tenant_record, endpoint),
	JSON_TEXT_FIELD(struct tenant_record, version_name),
	JSON_TEXT_FIELD(struct tenant_record, file_version),
	JSON_TEXT_FIELD(struct tenant_record, pool_recycled_by),
};

static const struct json_text_field stamp_texts[] = {
	JSON_TEXT_FIELD(struct tenant_stamp, clone_id),
	JSON_TEXT_FIELD(struct tenant_stamp, source_ctx),
	JSON_TEXT_FIELD(struct tenant_stamp, database),
};

/* A state that we do not know is Unknown, and receivers of the state API must live with it. */
static enum tenant_state state_of_name(const char *name)
{
	for (int s = TENANT_UNKNOWN; s <= TENANT_MIGRATION_PENDING; s++)
		if (strcmp(tenant_state_name((enum tenant_state)s), name) == 0)
			return (enum tenant_state)s;
	return TENANT_UNKNOWN;
}

static enum tenant_kind kind_of_name(const char *name)
{
	if (strcmp(name, "production") == 0)
		return TENANT_PRODUCTION;
	return strcmp(name, "test") == 0 ? TENANT_TEST : TENANT_KIND_UNSET;
}

static bool read_count(const struct json_reader *r, const json_t *object, const char *name, int *count_r)
{
	int64_t count = 0;

	if (!http_json_number(r, object, name, 0, INT_MAX, &count))
		return false;
	*count_r = (int)count;
	return true;
}

/* Tokens travel as text, because a JSON number is exact only up to 2^53 with many readers. */
static bool read_token(const struct json_reader *r, const json_t *object, uint64_t *token_r)
{
	char text[24], *end;

	if (!http_json_text(r, object, "token", text, sizeof text))
		return false;
	*token_r = strtoull(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && !*end)
		return true;
	return err_set(r->e, ERR_TRANSIENT, 0, r->system, "the answer makes no sense: \"token\" is no decimal number");
}

static bool read_stamp(const struct json_reader *r, const json_t *record, struct tenant_stamp *stamp_r)
{
	json_t *stamp;

	return http_json_member(r, record, "stamp", &stamp) &&
	       http_json_texts(r, stamp, stamp_texts, sizeof stamp_texts / sizeof *stamp_texts, stamp_r) &&
	       read_token(r, stamp, &stamp_r->token);
}

static bool read_record(const struct json_reader *r, const json_t *object, struct tenant_record *record_r)
{
	char kind[32], state[64];

	if (!http_json_texts(r, object, record_texts, sizeof record_texts / sizeof *record_texts, record_r) ||
	    !http_json_text(r, object, "kind", kind, sizeof kind) ||
	    !http_json_text(r, object, "state", state, sizeof state) ||
	    !read_count(r, object, "pending_tasks", &record_r->pending_tasks) ||
	    !read_count(r, object, "pending_web_config", &record_r->pending_web_config) ||
	    !read_stamp(r, object, &record_r->stamp))
		return false;
	record_r->kind = kind_of_name(kind);
	record_r->state = state_of_name(state);
	return true;
}

static bool get(struct tenant_port *self, const char *ctx, struct tenant_record *record_r, struct err *e)
{
	const struct json_reader r = { http_client_system(client_of(self)), NULL, e };
	json_t *object;
	bool ok;

	memset(record_r, 0, sizeof *record_r);
	if (!http_rest_read(client_of(self), ctx, NULL, NULL, &object, e)) {
		if (e->class == ERR_REFUSED && e->code == 404)
			e->code = ERR_CODE_MISSING;
		return false;
	}
	ok = read_record(&r, object, record_r);
	json_decref(object);
	if (ok && strcmp(record_r->ctx, ctx) != 0)
		return err_set(e, ERR_REFUSED, 0, r.system, "asked for one tenant, got the record of another");
	return ok;
}

/* ---- writing ---- */

static bool set_state(struct tenant_port *self, const struct fence *f, const char *ctx, enum tenant_state state,
                      struct err *e)
{
	const char *name = tenant_state_name(state);

	return http_rest_write(client_of(self), f,
	                       &(struct http_order){ .method = "PUT", .ctx = ctx, .tail = "state", .verb = "set_state",
	                                             .item = name, .body = json_pack("{ss}", "state", name) },
	                       e);
}

static bool bind_clusters(struct tenant_port *self, const struct fence *f, const char *ctx, const char *web_cluster,
                          const char *db_cluster, struct err *e)
{
	json_t *body = json_pack("{ssss}", "web_cluster", web_cluster, "db_cluster", db_cluster);

	return http_rest_write(client_of(self), f,
	                       &(struct http_order){ .method = "PUT", .ctx = ctx, .tail = "clusters",
	                                             .verb = "bind_clusters", .body = body, .item_is_content = true },
	                       e);
}

static bool post(struct tenant_port *self, const struct fence *f, const char *ctx, const char *tail, const char *verb,
                 struct err *e)
{
	return http_rest_write(client_of(self), f,
	                       &(struct http_order){ .method = "POST", .ctx = ctx, .tail = tail, .verb = verb,
	                                             .body = json_object() },
	                       e);
}

static bool retire(struct tenant_port *self, const struct fence *f, const char *ctx, struct err *e)
{
	return post(self, f, ctx, "retire", "retire", e);
}

static bool forget_previous(struct tenant_port *self, const struct fence *f, const char *ctx, struct err *e)
{
	return post(self, f, ctx, "forget-previous", "forget_previous", e);
}

static bool recycle(struct tenant_port *self, const struct fence *f, const char *ctx, struct err *e)
{
	return post(self, f, ctx, "recycle", "recycle", e);
}

static bool route(struct tenant_port *self, const struct fence *f, const char *ctx, const char *database,
                  const char *files_root, struct err *e)
{
	json_t *body = json_pack("{ssss}", "database", database, "files_root", files_root);

	return http_rest_write(client_of(self), f,
	                       &(struct http_order){ .method = "PUT", .ctx = ctx, .tail = "route", .verb = "route",
	                                             .item = database, .body = body },
	                       e);
}

static bool put_stamp(struct tenant_port *self, const struct fence *f, const char *ctx,
                      const struct tenant_stamp *stamp, struct err *e)
{
	char token[24];
	json_t *body;

	snprintf(token, sizeof token, "%" PRIu64, stamp->token);
	body = json_pack("{ssssssss}", "clone_id", stamp->clone_id, "source_ctx", stamp->source_ctx, "database",
	                 stamp->database, "token", token);
	return http_rest_write(client_of(self), f,
	                       &(struct http_order){ .method = "PUT", .ctx = ctx, .tail = "stamp", .verb = "put_stamp",
	                                             .item = token, .body = body, .item_is_content = true },
	                       e);
}

struct tenant_port *tenant_http_new(const struct http_settings *s, const atomic_bool *stop, struct err *e)
{
	struct tenant_http *h = calloc(1, sizeof *h);

	if (!h) {
		err_set(e, ERR_TRANSIENT, 0, "hosting", "out of memory");
		return NULL;
	}
	h->port = (struct tenant_port){ get, set_state, bind_clusters, retire, route, forget_previous, put_stamp, recycle };
	h->client = http_client_new(s, "hosting", stop, e);
	if (h->client)
		return &h->port;
	free(h);
	return NULL;
}

void tenant_http_free(struct tenant_port **p)
{
	struct tenant_http *h;

	if (!p || !*p)
		return;
	h = (struct tenant_http *)*p; /* its first member */
	http_client_free(&h->client);
	free(h);
	*p = NULL;
}
