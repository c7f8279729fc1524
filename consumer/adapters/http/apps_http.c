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

enum { APPS_MAX = 10 * 1000, ACKNOWLEDGE_WITHIN_MAX_S = 30 * 24 * 60 * 60 };

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

/* One more secret than a reader knows of would mean signatures that the app waits for and never gets. */
static bool read_secrets(const struct json_reader *r, const json_t *entry, struct app_authorisation *app_r)
{
	const json_t *list = json_object_get(entry, "webhook_secrets"), *secret;
	size_t i;

	if (!list)
		return true;
	if (!json_is_array(list) || json_array_size(list) > APP_SECRETS_MAX)
		return err_set(r->e, ERR_REFUSED, 0, r->system, "\"webhook_secrets\" is no list of at most %d texts",
			       APP_SECRETS_MAX);
	json_array_foreach(list, i, secret) {
		if (!json_is_string(secret))
			return err_set(r->e, ERR_REFUSED, 0, r->system, "\"webhook_secrets\" holds something else than texts");
		app_r->webhook_secrets[i] = arena_text(r->mem, json_string_value(secret), json_string_length(secret));
		if (!app_r->webhook_secrets[i])
			return err_set(r->e, ERR_REFUSED, 0, r->system, "the answer needs more memory than it may take");
	}
	app_r->webhook_secret_count = json_array_size(list);
	return true;
}

/* A word that we do not know holds nobody up: that is what an app without the member gets. */
static bool read_acknowledgement(const struct json_reader *r, const json_t *entry, struct app_authorisation *app_r)
{
	const char *word = json_string_value(json_object_get(entry, "acknowledgement"));
	int64_t within_s = 0;

	if (!word)
		return true;
	app_r->acknowledgement = strcmp(word, "hold") == 0 ? ACK_HOLD : strcmp(word, "wait") == 0 ? ACK_WAIT : ACK_NONE;
	if (app_r->acknowledgement == ACK_WAIT &&
	    !http_json_number(r, entry, "acknowledge_within_s", 0, ACKNOWLEDGE_WITHIN_MAX_S, &within_s))
		return false;
	app_r->acknowledge_within_ms = within_s * 1000;
	return true;
}

static bool read_app(const struct json_reader *r, const json_t *entry, struct app_authorisation *app_r)
{
	char status[32];

	if (!http_json_keep(r, entry, "client_id", &app_r->client_id) ||
	    !http_json_keep(r, entry, "name", &app_r->name) ||
	    !http_json_keep(r, entry, "partner", &app_r->partner) ||
	    !http_json_text(r, entry, "status", status, sizeof status) ||
	    !http_json_keep(r, entry, "system_user_token", &app_r->system_user_token) ||
	    !http_json_keep(r, entry, "state_change_url", &app_r->state_change_url) ||
	    !read_secrets(r, entry, app_r) || !read_acknowledgement(r, entry, app_r))
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
