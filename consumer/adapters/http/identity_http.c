/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/http/identity_http.h"

#include "consumer/adapters/http/http_json.h"
#include "consumer/adapters/http/http_rest.h"

#include <stdlib.h>
#include <string.h>

struct identity_http {
	struct identity_port port; /* first */
	struct http_client *client;
};

static struct http_client *client_of(struct identity_port *self)
{
	return ((struct identity_http *)self)->client;
}

enum { USERS_MAX = 100 * 1000 };

static const struct json_text_field tenant_texts[] = {
	JSON_TEXT_FIELD(struct identity_tenant, ctx),
	JSON_TEXT_FIELD(struct identity_tenant, name),
	JSON_TEXT_FIELD(struct identity_tenant, serial),
	JSON_TEXT_FIELD(struct identity_tenant, test_of),
	JSON_TEXT_FIELD(struct identity_tenant, test_tenant),
};

static const char *name_of_state(enum identity_state state)
{
	return state == IDENTITY_IN_MIGRATION ? "in_migration" : "normal";
}

static enum identity_state state_of_name(const char *name)
{
	if (strcmp(name, "normal") == 0)
		return IDENTITY_NORMAL;
	return strcmp(name, "in_migration") == 0 ? IDENTITY_IN_MIGRATION : IDENTITY_UNSET;
}

/* ---- reading ---- */

static bool read_tenant(const struct json_reader *r, const json_t *object, struct identity_tenant *tenant_r)
{
	char state[32];

	if (!http_json_texts(r, object, tenant_texts, sizeof tenant_texts / sizeof *tenant_texts, tenant_r) ||
	    !http_json_text(r, object, "state", state, sizeof state))
		return false;
	tenant_r->state = state_of_name(state);
	return true;
}

static bool get(struct identity_port *self, const char *ctx, bool *found_r, struct identity_tenant *tenant_r,
                struct err *e)
{
	const struct json_reader r = { http_client_system(client_of(self)), NULL, e };
	json_t *object;
	bool ok;

	memset(tenant_r, 0, sizeof *tenant_r);
	if (!http_rest_read(client_of(self), ctx, NULL, found_r, &object, e))
		return false;
	if (!*found_r)
		return true;
	ok = read_tenant(&r, object, tenant_r);
	json_decref(object);
	if (ok && strcmp(tenant_r->ctx, ctx) != 0)
		return err_set(e, ERR_REFUSED, 0, r.system, "asked for one tenant, got the record of another");
	return ok;
}

static int by_login(const void *a, const void *b)
{
	const struct identity_user *x = a, *y = b;

	return strcmp(x->login, y->login);
}

static bool read_users(const struct json_reader *r, const json_t *object, struct identity_users *users_r)
{
	struct identity_user *users;
	json_t *list, *entry;
	int64_t id;
	size_t i;

	if (!http_json_list(r, object, "users", USERS_MAX, &list))
		return false;
	users = http_json_room(r, json_array_size(list), sizeof *users);
	if (!users)
		return false;
	json_array_foreach(list, i, entry) {
		if (!http_json_keep(r, entry, "login", &users[i].login) ||
		    !http_json_number(r, entry, "associate_id", 0, INT32_MAX, &id))
			return false;
		users[i].associate_id = (long)id;
	}
	qsort(users, json_array_size(list), sizeof *users, by_login);
	*users_r = (struct identity_users){ users, json_array_size(list) };
	return true;
}

static bool list_users(struct identity_port *self, const char *ctx, struct arena *mem, struct identity_users *users_r,
                       struct err *e)
{
	const struct json_reader r = { http_client_system(client_of(self)), mem, e };
	json_t *object;
	bool ok;

	if (!http_rest_read(client_of(self), ctx, "users", NULL, &object, e))
		return false;
	ok = read_users(&r, object, users_r);
	json_decref(object);
	return ok;
}

/* ---- writing ---- */

static bool put(struct identity_port *self, const struct fence *f, const char *ctx, const char *name,
                const char *serial, struct err *e)
{
	json_t *body = json_pack("{ssss}", "name", name, "serial", serial);

	return http_rest_write(client_of(self), f,
	                       &(struct http_order){ .method = "PUT", .ctx = ctx, .verb = "put", .body = body,
	                                             .item_is_content = true },
	                       e);
}

static bool link_test(struct identity_port *self, const struct fence *f, const char *source_ctx,
                      const char *target_ctx, struct err *e)
{
	json_t *body = json_pack("{ss}", "test_of", source_ctx);

	return http_rest_write(client_of(self), f,
	                       &(struct http_order){ .method = "PUT", .ctx = target_ctx, .tail = "test-link",
	                                             .verb = "link_test", .item = source_ctx, .body = body },
	                       e);
}

static bool set_state(struct identity_port *self, const struct fence *f, const char *ctx, enum identity_state state,
                      struct err *e)
{
	const char *name = name_of_state(state);

	if (state != IDENTITY_NORMAL && state != IDENTITY_IN_MIGRATION)
		return err_set(e, ERR_MISUSE, 0, "superid", "set_state of %s: no such state", ctx);
	return http_rest_write(client_of(self), f,
	                       &(struct http_order){ .method = "PUT", .ctx = ctx, .tail = "state", .verb = "set_state",
	                                             .item = name, .body = json_pack("{ss}", "state", name) },
	                       e);
}

static json_t *json_of_users(const struct identity_users *users)
{
	json_t *list = json_array();

	for (size_t i = 0; i < users->count; i++) {
		const struct identity_user *u = &users->users[i];
		json_t *entry = json_pack("{sssI}", "login", u->login, "associate_id", (json_int_t)u->associate_id);

		if (json_array_append_new(list, entry) == 0)
			continue;
		json_decref(list);
		return NULL;
	}
	return json_pack("{so}", "users", list);
}

static bool put_users(struct identity_port *self, const struct fence *f, const char *ctx,
                      const struct identity_users *users, struct err *e)
{
	return http_rest_write(client_of(self), f,
	                       &(struct http_order){ .method = "PUT", .ctx = ctx, .tail = "users", .verb = "put_users",
	                                             .body = json_of_users(users), .item_is_content = true },
	                       e);
}

struct identity_port *identity_http_new(const struct http_settings *s, const atomic_bool *stop, struct err *e)
{
	struct identity_http *h = calloc(1, sizeof *h);

	if (!h) {
		err_set(e, ERR_TRANSIENT, 0, "superid", "out of memory");
		return NULL;
	}
	h->port = (struct identity_port){ get, put, link_test, set_state, list_users, put_users };
	h->client = http_client_new(s, "superid", stop, e);
	if (h->client)
		return &h->port;
	free(h);
	return NULL;
}

void identity_http_free(struct identity_port **p)
{
	struct identity_http *h;

	if (!p || !*p)
		return;
	h = (struct identity_http *)*p; /* its first member */
	http_client_free(&h->client);
	free(h);
	*p = NULL;
}
