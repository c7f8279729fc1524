/* SPDX-License-Identifier: Apache-2.0
 * What the state API tells sandboxctl of tenants. */
#include "consumer/adapters/http/http_client.h"
#include "consumer/adapters/http/http_json.h"
#include "consumer/adapters/system/secret_file.h"
#include "consumer/programs/sandboxctl_desk.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

enum { PAGE_ROWS = 500, PATH_MAX_BYTES = 512, WITHIN_MS = 10000, HTTP_OK = 200, HTTP_UNAUTHORIZED = 401 };

static const char where[] = "tenant";

static struct http_client *open_client(const struct config *c, struct err *e)
{
	const char *token_file = config_text(c, CONF_HTTP_TOKEN_FILE);
	struct http_settings http = { .base_url = config_text(c, CONF_TENANT_URL), .total_timeout_ms = WITHIN_MS };
	struct http_client *client = NULL;
	struct buf token;

	buf_init(&token, SECRET_MAX_BYTES);
	if (!*token_file || secret_file_read_text(token_file, &token, e)) {
		http.bearer = buf_text(&token);
		client = http_client_new(&http, where, NULL, e);
	}
	secret_done(&token);
	return client;
}

static json_t *get(struct http_client *client, const char *path, struct err *e)
{
	const struct http_request request = { .method = "GET", .path = path };
	struct http_answer answer;
	json_t *page;

	if (!http_client_send(client, &request, &answer, e))
		return NULL;
	if (answer.status == HTTP_UNAUTHORIZED) {
		err_set(e, ERR_REFUSED, ERR_CODE_AUTH, where, "the state API wants the token of [http] token_file");
		return NULL;
	}
	page = answer.status == HTTP_OK ? http_json_parse(answer.body) : NULL;
	if (!page)
		err_set(e, ERR_TRANSIENT, 0, where, "the state API answered %d, or nothing that makes sense", answer.status);
	return page;
}

static bool read_row(const struct json_reader *r, const json_t *object, struct tenant_row *row, int64_t *changed_r,
		     bool *stuck_r)
{
	static const struct json_text_field texts[] = {
		{ "context", offsetof(struct tenant_row, ctx), sizeof row->ctx },
		{ "clone", offsetof(struct tenant_row, clone_id), sizeof row->clone_id },
		{ "version", offsetof(struct tenant_row, version_name), sizeof row->version_name },
		JSON_TEXT_FIELD(struct tenant_row, step),
		JSON_TEXT_FIELD(struct tenant_row, host),
		JSON_TEXT_FIELD(struct tenant_row, file_version),
		JSON_TEXT_FIELD(struct tenant_row, cause),
		JSON_TEXT_FIELD(struct tenant_row, next_command),
	};
	char superid[16], status[24];
	int64_t state, run, step_no, total;

	memset(row, 0, sizeof *row);
	if (!http_json_texts(r, object, texts, sizeof texts / sizeof *texts, row) ||
	    !http_json_text(r, object, "superid", superid, sizeof superid) ||
	    !http_json_text(r, object, "status", status, sizeof status) ||
	    !http_json_number(r, object, "state_number", 0, INT_MAX, &state) ||
	    !http_json_number(r, object, "since_ms", 0, INT64_MAX, &row->since_ms) ||
	    !http_json_number(r, object, "run", 0, INT_MAX, &run) ||
	    !http_json_number(r, object, "step_no", 0, INT_MAX, &step_no) ||
	    !http_json_number(r, object, "total_steps", 0, INT_MAX, &total) ||
	    !http_json_number(r, object, "sequence", 0, INT64_MAX, &row->sequence) ||
	    !http_json_number(r, object, "changed", 0, INT64_MAX, changed_r) ||
	    !http_json_flag(r, object, "stuck", stuck_r))
		return false;
	row->state = (enum tenant_state)state;
	row->superid = strcmp(superid, "Normal") == 0 ? IDENTITY_NORMAL : IDENTITY_IN_MIGRATION;
	row->status = clone_status_by_name(status);
	row->run = (int)run;
	row->step_no = (int)step_no;
	row->total_steps = (int)total;
	return true;
}

/* *next_r is where the next page begins, "" when there is none. */
static bool read_page(const json_t *page, desk_tenant_fn *fn, void *arg, char next_r[CTX_MAX + 1], struct err *e)
{
	const struct json_reader r = { .system = where, .e = e };
	json_t *list, *object;
	size_t i;

	if (!http_json_text(&r, page, "next_after", next_r, CTX_MAX + 1) ||
	    !http_json_list(&r, page, "tenants", PAGE_ROWS, &list))
		return false;
	json_array_foreach(list, i, object) {
		struct tenant_row row;
		int64_t changed;
		bool stuck;

		if (!read_row(&r, object, &row, &changed, &stuck))
			return false;
		fn(arg, &row, changed, stuck);
	}
	return true;
}

static bool is_name(const char *ctx)
{
	return strlen(ctx) <= CTX_MAX &&
	       strspn(ctx, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == strlen(ctx);
}

static bool add_path(const struct desk_tenants *what, const char *after, struct buf *path, struct err *e)
{
	if (!is_name(what->ctx) || !is_name(after))
		return err_set(e, ERR_REFUSED, 0, where, "that cannot be the name of a tenant");
	buf_clear(path);
	buf_printf(path, "/api/state?limit=%d&context=%s&after=%s&stuck=%s", PAGE_ROWS, what->ctx, after,
		what->only_stuck ? "true" : "false");
	if (what->changed_after >= 0)
		buf_printf(path, "&changed_after=%" PRId64, what->changed_after);
	return true;
}

static bool desk_tenants(struct desk_port *self, const struct desk_tenants *what, desk_tenant_fn *fn, void *arg,
			 struct err *e)
{
	struct desk *d = (struct desk *)self;
	struct http_client *client = open_client(d->config, e);
	char after[CTX_MAX + 1] = "";
	struct buf path;
	bool ok = client;

	buf_init(&path, PATH_MAX_BYTES);
	do {
		json_t *page = ok && add_path(what, after, &path, e) ? get(client, buf_text(&path), e) : NULL;

		ok = page && read_page(page, fn, arg, after, e);
		json_decref(page);
	} while (ok && *after);
	buf_done(&path);
	http_client_free(&client);
	return ok;
}

void desk_tenant(struct desk_port *port)
{
	port->tenants = desk_tenants;
}
