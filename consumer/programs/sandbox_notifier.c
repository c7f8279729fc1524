/* SPDX-License-Identifier: Apache-2.0
 * sandbox-notifier: tells partner apps that a sandbox was rebuilt. Wires the adapters to the notifier; no logic. */
#include "consumer/adapters/http/apps_http.h"
#include "consumer/adapters/httpd/httpd.h"
#include "consumer/adapters/kafka/kafka_bus.h"
#include "consumer/adapters/system/log_fd.h"
#include "consumer/adapters/system/secret_file.h"
#include "consumer/adapters/system/supervisor.h"
#include "consumer/notifier/notifier.h"
#include "consumer/notifier/notifier_clock.h"
#include "consumer/programs/wire.h"
#include "consumer/programs/wire_notifier.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { EXIT_USAGE = 2, EXIT_CONFIG = 78, EXIT_UNAVAILABLE = 69, BROKER_WAIT_MS = 30000, CLOSE_WITHIN_MS = 10000,
       ALIVE_WITHIN_MS = 60000, JWKS_MAX_BYTES = 64 * 1024, SETTLE_SLACK_MS = 10000 };

static volatile sig_atomic_t stop_count;

static void on_signal(int signal)
{
	(void)signal;
	stop_count = stop_count + 1;
}

struct program {
	const char *config_path;
	struct config *config;
	struct log *log;
	struct wire_texts texts;
	struct wire_system apps;
	struct notifier_parts parts;
	struct httpd *httpd;
	struct buf http_token, jwks;
	struct supervisor *supervisor;
	_Atomic int64_t intake_alive_ms, sending_alive_ms;
	atomic_bool ready;
};

/* ---- metrics, health and keys ---- */

static void serve_metrics(void *arg, const char *accept, struct httpd_answer *answer)
{
	struct program *p = arg;
	enum metrics_format format = metrics_format_for(accept);

	metrics_raise(p->parts.metrics, METRIC_LOG_DROPPED, 0, 0, (int64_t)log_dropped(p->log));
	answer->content_type = metrics_content_type(format);
	if (!metrics_write(p->parts.metrics, format, &answer->body))
		answer->status = 500;
}

static bool is_alive(void *arg)
{
	struct program *p = arg;
	int64_t now_ms = notifier_now_ms();

	return now_ms - atomic_load(&p->intake_alive_ms) < ALIVE_WITHIN_MS &&
	       now_ms - atomic_load(&p->sending_alive_ms) < ALIVE_WITHIN_MS;
}

static bool is_ready(void *arg)
{
	struct program *p = arg;

	return atomic_load(&p->ready);
}

static void serve_health(void *arg, const char *accept, struct httpd_answer *answer)
{
	(void)accept;
	answer->status = is_alive(arg) ? 200 : 503;
	buf_add_text(&answer->body, answer->status == 200 ? "ok\n" : "a thread stands still\n");
}

static void serve_ready(void *arg, const char *accept, struct httpd_answer *answer)
{
	(void)accept;
	answer->status = is_ready(arg) ? 200 : 503;
	buf_add_text(&answer->body, answer->status == 200 ? "ready\n" : "not ready: starting or stopping\n");
}

static void serve_keys(void *arg, const char *accept, struct httpd_answer *answer)
{
	struct program *p = arg;

	(void)accept;
	answer->content_type = "application/jwk-set+json";
	httpd_answer_header(answer, "Cache-Control", "public, max-age=3600"); /* docs/partners.md: an hour before a new key signs */
	buf_add(&answer->body, p->jwks.data, p->jwks.len);
}

static bool start_httpd(struct program *p, struct err *e)
{
	static struct httpd_route routes[] = {
		{ .path = "/metrics", .needs_token = true, .handle = serve_metrics },
		{ .path = "/healthz", .handle = serve_health },
		{ .path = "/readyz", .handle = serve_ready },
		{ .path = "/.well-known/jwks", .handle = serve_keys },
	};
	const char *token_file = config_text(p->config, CONF_HTTP_TOKEN_FILE);
	struct httpd_settings settings = { .listen = config_text(p->config, CONF_NOTIFIER_LISTEN), .routes = routes,
		.route_count = sizeof routes / sizeof *routes };

	if (!*settings.listen)
		return true;
	buf_init(&p->http_token, SECRET_MAX_BYTES);
	if (*token_file && !secret_file_read_text(token_file, &p->http_token, e))
		return false;
	settings.token = buf_text(&p->http_token);
	for (size_t i = 0; i < settings.route_count; i++)
		routes[i].arg = p;
	p->httpd = httpd_start(&settings, e);
	return p->httpd != NULL;
}

/* ---- the parts ---- */

static void note_kafka(void *arg, int severity, const char *text)
{
	struct program *p = arg;

	log_write(p->log, severity <= 3 ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG, NULL, "kafka",
		  LOG_FIELDS(log_text("text", text)) + 1, 1);
}

static bool open_bus(struct program *p, struct err *e)
{
	struct kafka_settings settings;

	if (!wire_kafka(p->config, &p->texts, &settings, e))
		return false;
	settings.group_id = config_text(p->config, CONF_NOTIFIER_GROUP_ID);
	settings.client_id = "sandbox-notifier";
	settings.reads[TOPIC_BACKUP_RESTORED] = true;
	settings.writes[TOPIC_NOTIFIER_DEAD_LETTER] = true;
	settings.create_topics = config_bool(p->config, CONF_TOPICS_CREATE);
	settings.note = note_kafka;
	settings.note_arg = p;
	p->parts.bus = kafka_bus_new(&settings, e);
	return p->parts.bus && kafka_bus_start(p->parts.bus, BROKER_WAIT_MS, e);
}

static bool open_apps(struct program *p, struct err *e)
{
	static const struct wire_system_keys keys = WIRE_SYSTEM_KEYS(APPS);

	if (wire_system(p->config, &keys, &p->apps, e))
		p->parts.apps = apps_http_new(&p->apps.http, NULL, e);
	return p->parts.apps != NULL;
}

static bool open_keys(struct program *p, struct err *e)
{
	buf_init(&p->jwks, JWKS_MAX_BYTES);
	p->parts.signer = wire_notifier_signer(p->config, e);
	return p->parts.signer && p->parts.signer->jwks(p->parts.signer, &p->jwks, e);
}

static bool fill_settings(struct program *p, struct err *e)
{
	const struct config *c = p->config;
	struct sending_settings *s = &p->parts.settings;

	*s = (struct sending_settings){
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
	if (getrandom(&s->chance, sizeof s->chance, 0) != (ssize_t)sizeof s->chance)
		return err_set(e, ERR_TRANSIENT, 0, "start", "the system gives no random bytes");
	return config_need(c, CONF_NOTIFIER_ISSUER, e);
}

static bool set_up(struct program *p, struct err *e)
{
	const struct supervisor_settings supervised = { is_alive, is_ready, &stop_count, p };
	struct notifier_parts *n = &p->parts;

	n->log = p->log;
	n->stop = &stop_count;
	n->ready = &p->ready;
	n->intake_alive_ms = &p->intake_alive_ms;
	n->sending_alive_ms = &p->sending_alive_ms;
	atomic_store(&p->intake_alive_ms, notifier_now_ms());
	atomic_store(&p->sending_alive_ms, notifier_now_ms());
	if (!fill_settings(p, e) || !open_keys(p, e) || !open_apps(p, e) || !supervisor_start(&supervised, &p->supervisor, e) || !start_httpd(p, e))
		return false;
	n->codec = wire_codec(p->config, e);
	n->poster = n->codec ? wire_poster(p->config, n->settings.limit, e) : NULL;
	n->intake_store = n->poster ? wire_deliveries(p->config, e) : NULL;
	n->sending_store = n->intake_store ? wire_deliveries(p->config, e) : NULL;
	return n->sending_store && open_bus(p, e);
}

static void tear_down(struct program *p)
{
	struct notifier_parts *n = &p->parts;

	supervisor_stop(&p->supervisor);
	httpd_stop(&p->httpd);
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
	secret_done(&p->http_token);
	buf_done(&p->jwks);
	wire_texts_done(&p->texts);
	metrics_free(&n->metrics);
	log_free(&p->log);
	config_free(&p->config);
}

/* ---- from start to end ---- */

static int run(struct program *p)
{
	struct err e = { 0 };
	bool ok;

	p->config = wire_config(p->config_path, &e);
	if (!p->config) {
		fprintf(stderr, "sandbox-notifier: %s\n", e.text);
		return EXIT_CONFIG;
	}
	p->log = log_stderr_new(p->config);
	p->parts.metrics = metrics_new();
	if (!p->log || !p->parts.metrics)
		return EXIT_UNAVAILABLE;
	ok = set_up(p, &e);
	if (!ok) {
		log_error(p->log, NULL, "cannot start", log_text("where", e.where), LOG_ERR(&e));
		return e.class == ERR_TRANSIENT ? EXIT_UNAVAILABLE : EXIT_CONFIG;
	}
	log_info(p->log, NULL, "started", log_text("version", SANDBOX_VERSION),
		 log_number("limit", (int64_t)p->parts.settings.limit));
	ok = notifier_run(&p->parts, &e);
	if (ok)
		log_info(p->log, NULL, "ended");
	else
		log_error(p->log, NULL, "ended", LOG_ERR(&e));
	return ok ? EXIT_SUCCESS : EXIT_UNAVAILABLE;
}

int main(int argc, char **argv)
{
	static struct program p;
	const struct sigaction action = { .sa_handler = on_signal };
	int rc;

	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return printf("sandbox-notifier %s\n", SANDBOX_VERSION) < 0;
	if (argc != 1 && (argc != 3 || strcmp(argv[1], "--config") != 0)) {
		fprintf(stderr, "usage: sandbox-notifier [--config FILE] [--version]\n"
			"Tells partner apps of rebuilt sandboxes. SIGTERM ends posts under way, a second one ends at once.\n");
		return EXIT_USAGE;
	}
	p.config_path = argc == 3 ? argv[2] : NULL;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	rc = run(&p);
	tear_down(&p);
	return rc;
}
