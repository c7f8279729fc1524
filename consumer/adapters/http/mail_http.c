/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/http/mail_http.h"

#include "consumer/adapters/http/http_json.h"
#include "consumer/adapters/http/http_rest.h"

#include <stdlib.h>
#include <string.h>

struct mail_http {
	struct mail_port port; /* first */
	struct http_client *client;
};

static struct http_client *client_of(struct mail_port *self)
{
	return ((struct mail_http *)self)->client;
}

enum { ROUTES_MAX = 10 * 1000 };

static int by_id(const void *a, const void *b)
{
	const struct mail_route *x = a, *y = b;

	return strcmp(x->id, y->id);
}

static bool read_routes(const struct json_reader *r, const json_t *object, const char *ctx,
                        struct mail_routes *routes_r)
{
	struct mail_route *routes;
	json_t *list, *entry;
	size_t i;

	if (!http_json_list(r, object, "routes", ROUTES_MAX, &list))
		return false;
	routes = http_json_room(r, json_array_size(list), sizeof *routes);
	if (!routes)
		return false;
	json_array_foreach(list, i, entry) {
		if (!http_json_keep(r, entry, "id", &routes[i].id) ||
		    !http_json_keep(r, entry, "address", &routes[i].address) ||
		    !http_json_keep(r, entry, "tenant_ctx", &routes[i].tenant_ctx))
			return false;
		/* A provider that matches by prefix would give us another tenant's route to remove. */
		if (strcmp(routes[i].tenant_ctx, ctx) != 0)
			return err_set(r->e, ERR_REFUSED, 0, r->system, "the answer names a route of another tenant");
	}
	qsort(routes, json_array_size(list), sizeof *routes, by_id);
	*routes_r = (struct mail_routes){ routes, json_array_size(list) };
	return true;
}

static bool list_routes(struct mail_port *self, const char *ctx, struct arena *mem, struct mail_routes *routes_r,
                        struct err *e)
{
	const struct json_reader r = { http_client_system(client_of(self)), mem, e };
	json_t *object;
	bool ok;

	if (!http_rest_read(client_of(self), ctx, "routes", NULL, &object, e))
		return false;
	ok = read_routes(&r, object, ctx, routes_r);
	json_decref(object);
	return ok;
}

static bool remove_route(struct mail_port *self, const struct fence *f, const char *route_id, struct err *e)
{
	return http_rest_write(client_of(self), f,
	                       &(struct http_order){ .method = "DELETE", .ctx = f->target_ctx, .tail = "routes",
	                                             .id = route_id, .verb = "remove", .item = route_id,
	                                             .body = json_null(), .missing_is_done = true },
	                       e);
}

static bool put(struct mail_port *self, const struct fence *f, const char *route_id, const char *address,
                struct err *e)
{
	return http_rest_write(client_of(self), f,
	                       &(struct http_order){ .method = "PUT", .ctx = f->target_ctx, .tail = "routes",
	                                             .id = route_id, .verb = "put", .item = route_id,
	                                             .body = json_pack("{ss}", "address", address),
	                                             .item_is_content = true },
	                       e);
}

struct mail_port *mail_http_new(const struct http_settings *s, const atomic_bool *stop, struct err *e)
{
	struct mail_http *h = calloc(1, sizeof *h);

	if (!h) {
		err_set(e, ERR_TRANSIENT, 0, "mail", "out of memory");
		return NULL;
	}
	h->port = (struct mail_port){ list_routes, remove_route, put };
	h->client = http_client_new(s, "mail", stop, e);
	if (h->client)
		return &h->port;
	free(h);
	return NULL;
}

void mail_http_free(struct mail_port **p)
{
	struct mail_http *h;

	if (!p || !*p)
		return;
	h = (struct mail_http *)*p; /* its first member */
	http_client_free(&h->client);
	free(h);
	*p = NULL;
}
