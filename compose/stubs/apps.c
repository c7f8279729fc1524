/* SPDX-License-Identifier: Apache-2.0
 * App authorisations, given per tenant and read only here. Data: a list of the seed's "authorisations". */
#include "compose/stubs/stubs.h"

#include <string.h>

static void get_authorisations(json_t *data, const struct call *c, struct reply *r)
{
	json_t *found = json_array(), *authorisation;
	size_t i;

	json_array_foreach(data, i, authorisation) {
		json_t *shown;

		if (strcmp(json_string_value(json_object_get(authorisation, "ctx")), c->ctx) != 0)
			continue;
		shown = json_copy(authorisation);
		json_object_del(shown, "ctx");
		json_array_append_new(found, shown);
	}
	reply_with(r, 200, json_pack("{so}", "authorisations", found));
}

static bool is_status(const json_t *status)
{
	const char *name = json_string_value(status);

	return strcmp(name, "active") == 0 || strcmp(name, "expired") == 0 || strcmp(name, "revoked") == 0;
}

static json_t *seed_apps(const json_t *seed, struct problem *p)
{
	static const struct seed_field fields[] = {
		{ "ctx", JSON_STRING, NULL },           { "client_id", JSON_STRING, NULL },
		{ "name", JSON_STRING, NULL },          { "partner", JSON_STRING, "" },
		{ "status", JSON_STRING, "active" },    { "system_user_token", JSON_STRING, "" },
		{ "state_change_url", JSON_STRING, "" },  { "webhook_secrets", JSON_ARRAY, NULL },
		{ "acknowledgement", JSON_STRING, "none" }, { "acknowledge_within_s", JSON_INTEGER, NULL },
	};
	json_t *list = seed_list(seed, "authorisations", p), *data = json_array(), *from;
	bool ok = list != NULL;
	size_t i;

	json_array_foreach(list, i, from) {
		json_t *made = ok ? seed_object(from, fields, sizeof fields / sizeof *fields, p) : NULL;

		ok = made && json_array_append_new(data, made) == 0;
		if (ok && !is_status(json_object_get(made, "status")))
			ok = seed_failed(p, "the status of an authorisation is active, expired or revoked") != NULL;
	}
	json_decref(list);
	if (ok)
		return data;
	json_decref(data);
	return NULL;
}

static const struct operation operations[] = {
	{ "GET", "/tenants/{ctx}/authorisations", get_authorisations },
};

const struct system apps_system = { "apps", operations, sizeof operations / sizeof *operations, seed_apps };
