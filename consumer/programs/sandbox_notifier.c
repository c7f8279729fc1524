/* SPDX-License-Identifier: Apache-2.0
 * sandbox-notifier: tells partner apps that a sandbox was rebuilt. Wires the adapters to the notifier; no logic. */
#include "consumer/adapters/http/apps_http.h"
#include "consumer/adapters/kafka/kafka_bus.h"
#include "consumer/adapters/system/secret_file.h"
#include "consumer/notifier/notifier.h"
#include "consumer/notifier/notifier_clock.h"
#include "consumer/programs/service.h"
#include "consumer/programs/wire_notifier.h"

#include <sys/random.h>

enum { ALIVE_WITHIN_MS = 60000, JWKS_MAX_BYTES = 64 * 1024, SETTLE_SLACK_MS = 10000 };

struct program {
	struct wire_system apps;
	struct notifier_parts parts;
	struct buf jwks;
	_Atomic int64_t intake_alive_ms, sending_alive_ms;
};

static bool is_alive(struct service *s)
{
	struct program *p = s->program;
	int64_t now_ms = notifier_now_ms();

	return now_ms - atomic_load(&p->intake_alive_ms) < ALIVE_WITHIN_MS &&
	       now_ms - atomic_load(&p->sending_alive_ms) < ALIVE_WITHIN_MS;
}

/* ---- keys ---- */

static void serve_keys(void *arg, const struct httpd_request *request, struct httpd_answer *answer)
{
	struct program *p = arg;

	(void)request;
	answer->content_type = "application/jwk-set+json";
	httpd_answer_header(answer, "Cache-Control", "public, max-age=3600"); /* docs/partners.md: an hour before a new key signs */
	buf_add(&answer->body, p->jwks.data, p->jwks.len);
}

static bool open_doors(struct service *s, struct err *e)
{
	static struct httpd_resource keys = { .path = "/.well-known/jwks", .serve = serve_keys };
	const struct httpd_settings settings = { .resources = &keys, .resource_count = 1 };

	keys.arg = s->program;
	return service_listen(s, config_text(s->config, CONF_NOTIFIER_LISTEN), settings, e);
}

/* ---- the parts ---- */

static bool open_bus(struct service *s, struct err *e)
{
	struct program *p = s->program;
	struct kafka_settings settings;

	if (!service_kafka(s, &settings, e))
		return false;
	settings.group_id = config_text(s->config, CONF_NOTIFIER_GROUP_ID);
	settings.client_id = "sandbox-notifier";
	settings.reads[TOPIC_BACKUP_RESTORED] = true;
	settings.writes[TOPIC_NOTIFIER_DEAD_LETTER] = true;
	p->parts.bus = kafka_bus_new(&settings, e);
	return p->parts.bus && kafka_bus_start(p->parts.bus, BROKER_WAIT_MS, e);
}

static bool open_apps(struct service *s, struct err *e)
{
	static const struct wire_system_keys keys = WIRE_SYSTEM_KEYS(APPS);
	struct program *p = s->program;

	if (wire_system(s->config, &keys, &p->apps, e))
		p->parts.apps = apps_http_new(&p->apps.http, NULL, e);
	return p->parts.apps != NULL;
}

static bool open_keys(struct service *s, struct err *e)
{
	struct program *p = s->program;

	buf_init(&p->jwks, JWKS_MAX_BYTES);
	p->parts.signer = wire_notifier_signer(s->config, e);
	return p->parts.signer && p->parts.signer->jwks(p->parts.signer, &p->jwks, e);
}

static bool fill_settings(const struct config *c, struct sending_settings *settings_r, struct err *e)
{
	*settings_r = (struct sending_settings){
		.issuer = config_text(c, CONF_NOTIFIER_ISSUER),
		.token_life_ms = config_ms(c, CONF_NOTIFIER_TOKEN_LIFE),
		.lease_ms = 2 * (config_ms(c, CONF_NOTIFIER_CONNECT_TIMEOUT) + config_ms(c, CONF_NOTIFIER_TIMEOUT)) +
			SETTLE_SLACK_MS,
		.drain_ms = config_ms(c, CONF_NOTIFIER_DRAIN),
		.recheck_ms = config_ms(c, CONF_NOTIFIER_RECHECK),
		.limit = (size_t)config_int(c, CONF_NOTIFIER_LIMIT),
		.limit_slow = (size_t)config_int(c, CONF_NOTIFIER_LIMIT_SLOW),
		.limit_app = (size_t)config_int(c, CONF_NOTIFIER_LIMIT_APP),
	};
	if (getrandom(&settings_r->chance, sizeof settings_r->chance, 0) != (ssize_t)sizeof settings_r->chance)
		return err_set(e, ERR_TRANSIENT, 0, "start", "the system gives no random bytes");
	return config_need(c, CONF_NOTIFIER_ISSUER, e);
}

static bool set_up(struct service *s, struct err *e)
{
	struct program *p = s->program;
	struct notifier_parts *n = &p->parts;

	n->log = s->log;
	n->metrics = s->metrics;
	n->stop = s->stop;
	n->ready = &s->ready;
	n->intake_alive_ms = &p->intake_alive_ms;
	n->sending_alive_ms = &p->sending_alive_ms;
	atomic_store(&p->intake_alive_ms, notifier_now_ms());
	atomic_store(&p->sending_alive_ms, notifier_now_ms());
	if (!fill_settings(s->config, &n->settings, e) || !open_keys(s, e) || !open_apps(s, e) || !open_doors(s, e))
		return false;
	n->codec = wire_codec(s->config, e);
	n->poster = n->codec ? wire_poster(s->config, n->settings.limit, e) : NULL;
	n->intake_store = n->poster ? wire_deliveries(s->config, e) : NULL;
	n->sending_store = n->intake_store ? wire_deliveries(s->config, e) : NULL;
	return n->sending_store && open_bus(s, e);
}

static bool run(struct service *s, struct err *e)
{
	struct program *p = s->program;

	log_info(s->log, NULL, "started", log_text("version", SANDBOX_VERSION),
		 log_number("limit", (int64_t)p->parts.settings.limit));
	return notifier_run(&p->parts, e);
}

static void tear_down(struct service *s)
{
	struct program *p = s->program;
	struct notifier_parts *n = &p->parts;

	if (n->bus)
		n->bus->close(n->bus, CLOSE_WITHIN_MS);
	if (n->poster)
		n->poster->close(n->poster);
	if (n->intake_store)
		n->intake_store->close(n->intake_store);
	if (n->sending_store)
		n->sending_store->close(n->sending_store);
	if (n->codec)
		n->codec->close(n->codec);
	if (n->signer)
		n->signer->close(n->signer);
	apps_http_free(&n->apps);
	secret_done(&p->apps.token);
	buf_done(&p->jwks);
}

int main(int argc, char **argv)
{
	static const struct service_kind kind = { .name = "sandbox-notifier",
		.does = "Tells partner apps of rebuilt sandboxes. SIGTERM ends posts under way, a second one ends at once.",
		.still = "a thread stands still", .unready = "starting or stopping", .set_up = set_up, .run = run,
		.tear_down = tear_down, .is_alive = is_alive };
	static struct program p;

	return service_main(&kind, &p, argc, argv);
}
