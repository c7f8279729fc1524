/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/http/licence_http.h"

#include "consumer/adapters/http/http_json.h"
#include "consumer/adapters/http/http_rest.h"

#include <stdlib.h>
#include <string.h>

struct licence_http {
	struct licence_port port; /* first */
	struct http_client *client;
};

static struct http_client *client_of(struct licence_port *self)
{
	return ((struct licence_http *)self)->client;
}

enum { MODULES_MAX = 1000 };

/* ---- reading ---- */

static bool read_module(const struct json_reader *r, const json_t *entry, struct licence_module *module_r)
{
	int64_t type, count;

	if (!http_json_keep(r, entry, "name", &module_r->name) ||
	    !http_json_number(r, entry, "type", 0, 1000, &type) ||
	    !http_json_number(r, entry, "count", 0, INT32_MAX, &count) ||
	    !http_json_flag(r, entry, "is_user_plan", &module_r->is_user_plan) ||
	    !http_json_keep(r, entry, "set", &module_r->set))
		return false;
	module_r->type = (int)type;
	module_r->count = (int)count;
	return true;
}

static bool read_licence(const struct json_reader *r, const json_t *object, struct licence *licence_r)
{
	struct licence_module *modules;
	json_t *list, *entry;
	size_t i;

	if (!http_json_keep(r, object, "owner", &licence_r->owner) ||
	    !http_json_keep(r, object, "serial", &licence_r->serial) ||
	    !http_json_list(r, object, "modules", MODULES_MAX, &list))
		return false;
	modules = http_json_room(r, json_array_size(list), sizeof *modules);
	if (!modules)
		return false;
	json_array_foreach(list, i, entry)
		if (!read_module(r, entry, &modules[i]))
			return false;
	licence_r->modules = modules;
	licence_r->count = json_array_size(list);
	return true;
}

static bool get(struct licence_port *self, const char *ctx, struct arena *mem, struct licence *licence_r,
                struct err *e)
{
	const struct json_reader r = { http_client_system(client_of(self)), mem, e };
	json_t *object;
	bool ok;

	if (!http_rest_read(client_of(self), ctx, "licence", NULL, &object, e))
		return false;
	ok = read_licence(&r, object, licence_r);
	json_decref(object);
	return ok;
}

static bool read_company(const struct json_reader *r, const json_t *object, struct company_info *info_r)
{
	int64_t users;

	if (!http_json_keep(r, object, "company", &info_r->company) ||
	    !http_json_keep(r, object, "serial", &info_r->serial) ||
	    !http_json_keep(r, object, "database", &info_r->database) ||
	    !http_json_number(r, object, "users_with_plan", 0, INT32_MAX, &users))
		return false;
	info_r->users_with_plan = (long)users;
	return true;
}

static bool get_company(struct licence_port *self, const char *ctx, struct arena *mem, bool *found_r,
                        struct company_info *info_r, struct err *e)
{
	const struct json_reader r = { http_client_system(client_of(self)), mem, e };
	json_t *object;
	bool ok;

	if (!http_rest_read(client_of(self), ctx, "company", found_r, &object, e))
		return false;
	if (!*found_r)
		return true;
	ok = read_company(&r, object, info_r);
	json_decref(object);
	return ok;
}

/* ---- writing ---- */

static bool put_company(struct licence_port *self, const struct fence *f, const char *ctx,
                        const struct company_info *info, struct err *e)
{
	json_t *body = json_pack("{sssssssI}", "company", info->company, "serial", info->serial, "database",
	                         info->database, "users_with_plan", (json_int_t)info->users_with_plan);

	return http_rest_write(client_of(self), f,
	                       &(struct http_order){ .method = "PUT", .ctx = ctx, .tail = "company",
	                                             .verb = "put_company", .body = body, .item_is_content = true },
	                       e);
}

struct licence_port *licence_http_new(const struct http_settings *s, const atomic_bool *stop, struct err *e)
{
	struct licence_http *h = calloc(1, sizeof *h);

	if (!h) {
		err_set(e, ERR_TRANSIENT, 0, "licence", "out of memory");
		return NULL;
	}
	h->port = (struct licence_port){ get, get_company, put_company };
	h->client = http_client_new(s, "licence", stop, e);
	if (h->client)
		return &h->port;
	free(h);
	return NULL;
}

void licence_http_free(struct licence_port **p)
{
	struct licence_http *h;

	if (!p || !*p)
		return;
	h = (struct licence_http *)*p; /* its first member */
	http_client_free(&h->client);
	free(h);
	*p = NULL;
}
