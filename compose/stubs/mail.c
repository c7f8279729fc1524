/* SPDX-License-Identifier: Apache-2.0
 * The mail provider: incoming routes by exact id. Data: {id: {"id", "address", "tenant_ctx"}}. A route of another
 * tenant is as if it were not there for a removal, and in the way for a creation. */
#include "compose/stubs/stubs.h"

#include <string.h>

static bool belongs_to(const json_t *route, const char *ctx)
{
	return strcmp(json_string_value(json_object_get(route, "tenant_ctx")), ctx) == 0;
}

static void get_routes(json_t *data, const struct call *c, struct reply *r)
{
	json_t *found = json_array(), *route;
	const char *id;

	json_object_foreach(data, id, route)
		if (belongs_to(route, c->ctx))
			json_array_append(found, route);
	reply_with(r, 200, json_pack("{so}", "routes", found));
}

static void put_route(json_t *data, const struct call *c, struct reply *r)
{
	const char *address = body_text(c, "address", r);
	json_t *route = json_object_get(data, c->id);

	if (!address)
		return;
	if (route && !belongs_to(route, c->ctx)) {
		reply_problem(r, 409, "conflict", "The route belongs to another tenant", "%s is not a route of %s",
		              c->id, c->ctx);
		return;
	}
	if (!route) {
		route = json_pack("{ssss}", "id", c->id, "tenant_ctx", c->ctx);
		json_object_set_new(data, c->id, route);
	}
	reply_receipt(r, put_text(route, "address", address));
}

static void delete_route(json_t *data, const struct call *c, struct reply *r)
{
	json_t *route = json_object_get(data, c->id);

	if (route && belongs_to(route, c->ctx))
		reply_receipt(r, json_object_del(data, c->id) == 0);
	else
		reply_problem(r, 404, "not-found", "No such route", "%s has no route %s", c->ctx, c->id);
}

static json_t *seed_route(const json_t *from, struct problem *p)
{
	static const struct seed_field fields[] = {
		{ "id", JSON_STRING, NULL },
		{ "address", JSON_STRING, NULL },
		{ "tenant_ctx", JSON_STRING, NULL },
	};

	return seed_object(from, fields, sizeof fields / sizeof *fields, p);
}

static json_t *seed_mail(const json_t *seed, struct problem *p)
{
	return seed_by_key(seed, "routes", "id", seed_route, p);
}

static const struct operation operations[] = {
	{ "GET", "/tenants/{ctx}/routes", get_routes },
	{ "PUT", "/tenants/{ctx}/routes/{id}", put_route },
	{ "DELETE", "/tenants/{ctx}/routes/{id}", delete_route },
};

const struct system mail_system = { "mail", operations, sizeof operations / sizeof *operations, seed_mail };
