/* SPDX-License-Identifier: Apache-2.0
 * What sandboxctl does to a partner's endpoint, and the deliveries it looks at. */
#include "consumer/adapters/http/apps_http.h"
#include "consumer/adapters/system/clock_system.h"
#include "consumer/adapters/system/secret_file.h"
#include "consumer/notifier/render.h"
#include "consumer/programs/sandboxctl_desk.h"
#include "consumer/programs/wire_notifier.h"

#include <stdlib.h>
#include <string.h>

enum { APPROVALS_MAX_BYTES = 64 * 1024 * 1024, POST_MAX_BYTES = 256 * 1024, LOOK_EVERY_MS = 200 };

static struct desk *of(struct desk_port *port)
{
	return (struct desk *)port;
}

static struct deliveries_port *desk_deliveries(struct desk_port *self, struct err *e)
{
	struct desk *d = of(self);

	if (!d->deliveries)
		d->deliveries = wire_deliveries(d->config, e);
	return d->deliveries;
}

static bool find_app(const struct config *c, const struct desk_trial *trial, struct arena *mem,
		     struct app_authorisation *app_r, struct err *e)
{
	static const struct wire_system_keys keys = WIRE_SYSTEM_KEYS(APPS);
	struct wire_system system = { .http.base_url = NULL };
	struct app_authorisations list = { 0 };
	struct apps_port *apps = NULL;
	bool ok = wire_system(c, &keys, &system, e) && (apps = apps_http_new(&system.http, NULL, e)) != NULL &&
		  apps->list(apps, trial->ctx, mem, &list, e);

	apps_http_free(&apps);
	secret_done(&system.token);
	for (size_t i = 0; ok && i < list.count; i++)
		if (strcmp(list.apps[i].client_id, trial->client_id) == 0 && list.apps[i].status == APP_ACTIVE &&
		    list.apps[i].state_change_url[0]) {
			*app_r = list.apps[i];
			return true;
		}
	return ok ? err_set(e, ERR_REFUSED, 0, "partner", "%.60s has not approved that app, or it gave no URL", trial->ctx)
		  : false;
}

/* A byte of the body is changed, so that it stays JSON of the same length. */
static bool forge(struct post *post, struct arena *mem, struct err *e)
{
	char *body = arena_text(mem, post->body, post->body_len), *at = body ? strstr(body, "ContextIdentifier\":\"") : NULL;

	if (!at)
		return err_set(e, ERR_TRANSIENT, 0, "partner", "out of memory");
	at += strlen("ContextIdentifier\":\"");
	*at = *at == 'X' ? 'Y' : 'X';
	post->body = body;
	return true;
}

static bool render(const struct desk *d, struct signer_port *signer, const struct desk_trial *trial,
		   const struct app_authorisation *app, struct arena *mem, struct post *post, struct err *e)
{
	const struct render_settings settings = { config_text(d->config, CONF_NOTIFIER_ISSUER),
		config_ms(d->config, CONF_NOTIFIER_TOKEN_LIFE) };
	const struct notice notice = { .event_id = trial->event_id, .ctx = trial->ctx, .version_name = "test",
		.file_version = "0", .public_endpoint = "", .clone_id = "", .change_type = 1, .traceparent = "" };
	const struct render_app to = { app->client_id, app->state_change_url, app->webhook_secrets,
		app->webhook_secret_count };

	return config_need(d->config, CONF_NOTIFIER_ISSUER, e) &&
	       render_post(&settings, signer, &notice, &to, clock_utc_ms() - trial->age_ms, mem, post, e) &&
	       (!trial->is_forged || forge(post, mem, e));
}

static bool send(struct desk *d, const struct post *post, struct post_result *result_r, struct err *e)
{
	struct poster_port *poster = wire_poster(d->config, 1, e);
	bool ok = poster && poster->post(poster, post, e);

	while (ok && !poster->next(poster, result_r)) {
		ok = !*d->stop || err_set(e, ERR_TRANSIENT, ERR_CODE_ABORTED, "partner", "interrupted");
		if (ok)
			poster->wait(poster, LOOK_EVERY_MS);
	}
	if (poster)
		poster->close(poster);
	return ok;
}

static bool has_signature(const struct post *post)
{
	for (size_t i = 0; i < post->header_count; i++)
		if (strcmp(post->headers[i].name, "webhook-signature") == 0)
			return true;
	return false;
}

static bool desk_try_partner(struct desk_port *self, const struct desk_trial *trial, struct post_result *result_r,
			     bool *signed_r, struct err *e)
{
	struct desk *d = of(self);
	struct arena *mem = arena_new(APPROVALS_MAX_BYTES + POST_MAX_BYTES);
	struct signer_port *signer = NULL;
	struct app_authorisation app;
	struct post post;
	bool ok = mem || err_set(e, ERR_TRANSIENT, 0, "partner", "out of memory");

	ok = ok && find_app(d->config, trial, mem, &app, e) && (signer = wire_notifier_signer(d->config, e)) != NULL &&
	     render(d, signer, trial, &app, mem, &post, e) && send(d, &post, result_r, e);
	*signed_r = ok && has_signature(&post);
	if (signer)
		signer->close(signer);
	arena_free(&mem);
	return ok;
}

void desk_partner(struct desk_port *port)
{
	port->deliveries = desk_deliveries;
	port->try_partner = desk_try_partner;
}
