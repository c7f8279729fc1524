/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/http/apps_http.h"

#include "consumer/adapters/http/http_json.h"
#include "consumer/adapters/http/http_rest.h"

#include <stdlib.h>
#include <string.h>

struct apps_http {
	struct apps_port port; /* first */
	struct http_client *client;
};

static struct http_client *client_of(struct apps_port *self)
{
	return ((struct apps_http *)self)->client;
}

enum { APPS_MAX = 10 * 1000 };

/* A status that we do not know is no approval: it counts as revoked. */
static enum app_status status_of_name(const char *name)
{
	if (strcmp(name, "active") == 0)
		return APP_ACTIVE;
	return strcmp(name, "expired") == 0 ? APP_EXPIRED : APP_REVOKED;
}

static int by_client_id(const void *a, const void *b)
{
	const struct app_authorisation *x = a, *y = b;

	return strcmp(x->client_id, y->client_id);
}

static bool read_app(const struct json_reader *r, const json_t *entry, struct app_authorisation *app_r)
{
	char status[32];

	if (!http_json_keep(r, entry, "client_id", &app_r->client_id) ||
	    !http_json_keep(r, entry, "name", &app_r->name) ||
	    !http_json_keep(r, entry, "partner", &app_r->partner) ||
	    !http_json_text(r, entry, "status", status, sizeof status) ||
	    !http_json_keep(r, entry, "system_user_token", &app_r->system_user_token) ||
	    !http_json_keep(r, entry, "state_change_url", &app_r->state_change_url))
		return false;
	app_r->status = status_of_name(status);
	return true;
}

static bool read_apps(const struct json_reader *r, const json_t *object, struct app_authorisations *apps_r)
{
	struct app_authorisation *apps;
	json_t *list, *entry;
	size_t i;

	if (!http_json_list(r, object, "authorisations", APPS_MAX, &list))
		return false;
	apps = http_json_room(r, json_array_size(list), sizeof *apps);
	if (!apps)
		return false;
	json_array_foreach(list, i, entry)
		if (!read_app(r, entry, &apps[i]))
			return false;
	qsort(apps, json_array_size(list), sizeof *apps, by_client_id);
	*apps_r = (struct app_authorisations){ apps, json_array_size(list) };
	return true;
}

static bool list_apps(struct apps_port *self, const char *ctx, struct arena *mem, struct app_authorisations *apps_r,
                      struct err *e)
{
	const struct json_reader r = { http_client_system(client_of(self)), mem, e };
	json_t *object;
	bool ok;

	if (!http_rest_read(client_of(self), ctx, "authorisations", NULL, &object, e))
		return false;
	ok = read_apps(&r, object, apps_r);
	json_decref(object);
	return ok;
}

struct apps_port *apps_http_new(const struct http_settings *s, const atomic_bool *stop, struct err *e)
{
	struct apps_http *h = calloc(1, sizeof *h);

	if (!h) {
		err_set(e, ERR_TRANSIENT, 0, "apps", "out of memory");
		return NULL;
	}
	h->port = (struct apps_port){ list_apps };
	h->client = http_client_new(s, "apps", stop, e);
	if (h->client)
		return &h->port;
	free(h);
	return NULL;
}

void apps_http_free(struct apps_port **p)
{
	struct apps_http *h;

	if (!p || !*p)
		return;
	h = (struct apps_http *)*p; /* its first member */
	http_client_free(&h->client);
	free(h);
	*p = NULL;
}
