/* SPDX-License-Identifier: Apache-2.0
 * SuperID: tenants known to the sign-in service and their users. Data: {ctx: {"ctx", "name", "serial", "test_of",
 * "state", "users"}}. A source has one test tenant at most: a new link takes the former one's away. */
#include "compose/stubs/stubs.h"

#include <string.h>

static json_t *find(json_t *data, const struct call *c, struct reply *r)
{
	json_t *tenant = json_object_get(data, c->ctx);

	if (!tenant)
		reply_problem(r, 404, "not-found", "No such tenant", "SuperID knows no tenant %s", c->ctx);
	return tenant;
}

static const char *test_tenant_of(json_t *data, const char *source)
{
	const char *ctx;
	json_t *tenant;

	json_object_foreach(data, ctx, tenant)
		if (strcmp(json_string_value(json_object_get(tenant, "test_of")), source) == 0)
			return ctx;
	return "";
}

static void get_tenant(json_t *data, const struct call *c, struct reply *r)
{
	json_t *tenant = find(data, c, r), *shown;

	if (!tenant)
		return;
	shown = json_copy(tenant);
	json_object_del(shown, "users");
	json_object_set_new(shown, "test_tenant", json_string(test_tenant_of(data, c->ctx)));
	reply_with(r, 200, shown);
}

static void put_tenant(json_t *data, const struct call *c, struct reply *r)
{
	json_t *tenant = json_object_get(data, c->ctx);
	const char *name = body_text(c, "name", r);
	const char *serial = name ? body_text(c, "serial", r) : NULL;
	bool is_changed = false;

	if (!serial)
		return;
	if (!tenant) {
		tenant = json_pack("{sssssss[]}", "ctx", c->ctx, "test_of", "", "state", "normal", "users");
		json_object_set_new(data, c->ctx, tenant);
	}
	is_changed |= put_text(tenant, "name", name);
	is_changed |= put_text(tenant, "serial", serial);
	reply_receipt(r, is_changed);
}

static void put_test_link(json_t *data, const struct call *c, struct reply *r)
{
	json_t *tenant = find(data, c, r), *other;
	const char *source = tenant ? body_text(c, "test_of", r) : NULL, *ctx;
	bool is_changed = false;

	if (!source)
		return;
	if (!json_object_get(data, source)) {
		reply_problem(r, 409, "conflict", "The source is not registered", "SuperID knows no tenant %s", source);
		return;
	}
	json_object_foreach(data, ctx, other)
		if (other != tenant && strcmp(json_string_value(json_object_get(other, "test_of")), source) == 0)
			is_changed |= put_text(other, "test_of", "");
	is_changed |= put_text(tenant, "test_of", source);
	reply_receipt(r, is_changed);
}

static void put_state(json_t *data, const struct call *c, struct reply *r)
{
	json_t *tenant = find(data, c, r);
	const char *state = tenant ? body_text(c, "state", r) : NULL;

	if (!state)
		return;
	if (strcmp(state, "normal") != 0 && strcmp(state, "in_migration") != 0) {
		reply_problem(r, 400, "bad-request", "No such state", "the state is normal or in_migration");
		return;
	}
	reply_receipt(r, put_text(tenant, "state", state));
}

static void get_users(json_t *data, const struct call *c, struct reply *r)
{
	json_t *tenant = find(data, c, r);

	if (tenant)
		reply_with(r, 200, json_pack("{sO}", "users", json_object_get(tenant, "users")));
}

static bool is_user_list(const json_t *users)
{
	const json_t *user;
	size_t i;

	json_array_foreach(users, i, user)
		if (!json_is_string(json_object_get(user, "login")) ||
		    !json_is_integer(json_object_get(user, "associate_id")))
			return false;
	return json_is_array(users);
}

static void put_users(json_t *data, const struct call *c, struct reply *r)
{
	json_t *tenant = find(data, c, r), *users = json_object_get(c->body, "users");
	bool is_changed;

	if (!tenant)
		return;
	if (!is_user_list(users)) {
		reply_problem(r, 400, "bad-request", "No list of users", "each user has a login and an associate_id");
		return;
	}
	is_changed = !json_equal(users, json_object_get(tenant, "users"));
	json_object_set_new(tenant, "users", json_deep_copy(users));
	reply_receipt(r, is_changed);
}

static json_t *seed_identity(const json_t *from, struct problem *p)
{
	static const struct seed_field fields[] = {
		{ "ctx", JSON_STRING, NULL },    { "name", JSON_STRING, "" },      { "serial", JSON_STRING, "" },
		{ "test_of", JSON_STRING, "" },  { "state", JSON_STRING, "normal" }, { "users", JSON_ARRAY, NULL },
	};
	json_t *tenant = seed_object(from, fields, sizeof fields / sizeof *fields, p);

	if (!tenant || is_user_list(json_object_get(tenant, "users")))
		return tenant;
	json_decref(tenant);
	return seed_failed(p, "each user of \"identities\" needs login and associate_id");
}

static json_t *seed_superid(const json_t *seed, struct problem *p)
{
	return seed_by_key(seed, "identities", "ctx", seed_identity, p);
}

static const struct operation operations[] = {
	{ "GET", "/tenants/{ctx}", get_tenant },
	{ "PUT", "/tenants/{ctx}", put_tenant },
	{ "PUT", "/tenants/{ctx}/test-link", put_test_link },
	{ "PUT", "/tenants/{ctx}/state", put_state },
	{ "GET", "/tenants/{ctx}/users", get_users },
	{ "PUT", "/tenants/{ctx}/users", put_users },
};

const struct system superid_system = { "superid", operations, sizeof operations / sizeof *operations, seed_superid };
