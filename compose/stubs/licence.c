/* SPDX-License-Identifier: Apache-2.0
 * The licence server. Data: {ctx: {"licence": {"owner", "serial", "modules"}, "company": {...} or null}}. */
#include "compose/stubs/stubs.h"

#include <string.h>

static json_t *find(json_t *data, const struct call *c, const char *member, struct reply *r)
{
	json_t *found = json_object_get(json_object_get(data, c->ctx), member);

	if (json_is_object(found))
		return found;
	reply_problem(r, 404, "not-found", "Nothing of that kind", "%s has no %s", c->ctx, member);
	return NULL;
}

static void get_member(json_t *data, const struct call *c, const char *member, struct reply *r)
{
	json_t *found = find(data, c, member, r);

	if (found)
		reply_with(r, 200, json_incref(found));
}

static void get_licence(json_t *data, const struct call *c, struct reply *r)
{
	get_member(data, c, "licence", r);
}

static void get_company(json_t *data, const struct call *c, struct reply *r)
{
	get_member(data, c, "company", r);
}

static void put_company(json_t *data, const struct call *c, struct reply *r)
{
	json_t *tenant = json_object_get(data, c->ctx), *users = json_object_get(c->body, "users_with_plan"), *company;
	const char *name = body_text(c, "company", r);
	const char *serial = name ? body_text(c, "serial", r) : NULL;
	const char *database = serial ? body_text(c, "database", r) : NULL;

	if (!database)
		return;
	if (!json_is_integer(users)) {
		reply_problem(r, 400, "bad-request", "The body lacks a member", "users_with_plan is a whole number");
		return;
	}
	if (!tenant) {
		reply_problem(r, 404, "not-found", "No licence", "%s has no licence", c->ctx);
		return;
	}
	company = json_pack("{sssssssO}", "company", name, "serial", serial, "database", database, "users_with_plan",
	                    users);
	reply_receipt(r, !json_equal(company, json_object_get(tenant, "company")));
	json_object_set_new(tenant, "company", company);
}

/* ---- seed ---- */

static json_t *seed_modules(const json_t *licence, struct problem *p)
{
	static const struct seed_field fields[] = {
		{ "name", JSON_STRING, NULL },     { "type", JSON_INTEGER, NULL }, { "count", JSON_INTEGER, NULL },
		{ "is_user_plan", JSON_TRUE, NULL }, { "set", JSON_STRING, "" },
	};
	json_t *list = seed_list(licence, "modules", p), *made = json_array(), *from;
	bool ok = list != NULL;
	size_t i;

	json_array_foreach(list, i, from) {
		json_t *module = ok ? seed_object(from, fields, sizeof fields / sizeof *fields, p) : NULL;

		ok = module && json_array_append_new(made, module) == 0;
	}
	json_decref(list);
	if (ok)
		return made;
	json_decref(made);
	return NULL;
}

static json_t *seed_tenant(const json_t *from, struct problem *p)
{
	static const struct seed_field fields[] = {
		{ "ctx", JSON_STRING, NULL },
		{ "owner", JSON_STRING, NULL },
		{ "serial", JSON_STRING, NULL },
		{ "modules", JSON_ARRAY, NULL },
	};
	json_t *licence = seed_object(from, fields, sizeof fields / sizeof *fields, p);
	json_t *modules = licence ? seed_modules(licence, p) : NULL;

	if (!modules) {
		json_decref(licence);
		return NULL;
	}
	json_object_del(licence, "ctx");
	json_object_set_new(licence, "modules", modules);
	return json_pack("{sosn}", "licence", licence, "company");
}

static json_t *seed_licence(const json_t *seed, struct problem *p)
{
	return seed_by_key(seed, "licences", "ctx", seed_tenant, p);
}

static const struct operation operations[] = {
	{ "GET", "/tenants/{ctx}/licence", get_licence },
	{ "GET", "/tenants/{ctx}/company", get_company },
	{ "PUT", "/tenants/{ctx}/company", put_company },
};

const struct system licence_system = { "licence", operations, sizeof operations / sizeof *operations, seed_licence };
