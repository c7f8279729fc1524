/* SPDX-License-Identifier: Apache-2.0
 * sandbox-tenant: keeps the state of every tenant and serves it. Wires the adapters to the updater; no logic. */
#include "consumer/adapters/httpd/httpd.h"
#include "consumer/adapters/kafka/kafka_bus.h"
#include "consumer/adapters/odbc/tenants_odbc.h"
#include "consumer/adapters/system/log_fd.h"
#include "consumer/adapters/system/secret_file.h"
#include "consumer/adapters/system/supervisor.h"
#include "consumer/programs/wire.h"
#include "consumer/tenant/state_api.h"
#include "consumer/tenant/updater.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { EXIT_USAGE = 2, EXIT_CONFIG = 78, EXIT_UNAVAILABLE = 69, BROKER_WAIT_MS = 30000, CLOSE_WITHIN_MS = 10000,
       ALIVE_WITHIN_MS = 60000 };

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
	struct metrics *metrics;
	struct wire_texts texts;
	struct codec_port *codec;
	struct tenants_port *tenants;
	struct board *board;
	struct updater *updater;
	struct bus_port *bus;
	struct state_api api;
	struct httpd *httpd;
	struct buf http_token;
	struct supervisor *supervisor;
	_Atomic int64_t alive_ms;
	_Atomic bool ready;
};

/* ---- the state API ---- */

static int64_t utc_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void serve_state(void *arg, const struct httpd_request *request, struct httpd_answer *answer)
{
	struct program *p = arg;
	struct state_answer a = state_api_get(&p->api, httpd_rest(request), httpd_header(request, "If-None-Match"),
		utc_now_ms(), &answer->body);

	metrics_add(p->metrics, METRIC_STATE_REQUESTS, 0, 0, 1);
	if (a.problem) {
		httpd_answer_problem(answer, a.status, a.problem);
		return;
	}
	answer->status = a.status;
	answer->content_type = "application/json";
	httpd_answer_header(answer, "Cache-Control", "public, max-age=%lld", (long long)a.max_age_s);
	httpd_answer_header(answer, "ETag", "%s", a.etag);
	if (a.retry_after_s)
		httpd_answer_header(answer, "Retry-After", "%lld", (long long)a.retry_after_s);
}

static void serve_list(void *arg, const struct httpd_request *request, struct httpd_answer *answer)
{
	struct program *p = arg;
	const struct state_list_query query = { .context = httpd_parameter(request, "context"),
		.after = httpd_parameter(request, "after"), .changed_after = httpd_parameter(request, "changed_after"),
		.stuck = httpd_parameter(request, "stuck"), .limit = httpd_parameter(request, "limit") };
	struct state_answer a = state_api_list(&p->api, &query, &answer->body);

	metrics_add(p->metrics, METRIC_STATE_REQUESTS, 0, 0, 1);
	answer->status = a.status;
	answer->content_type = "application/json";
	if (a.problem)
		httpd_answer_problem(answer, a.status, a.problem);
}

/* ---- metrics and health ---- */

static void serve_metrics(void *arg, const char *accept, struct httpd_answer *answer)
{
	struct program *p = arg;
	enum metrics_format format = metrics_format_for(accept);

	metrics_raise(p->metrics, METRIC_LOG_DROPPED, 0, 0, (int64_t)log_dropped(p->log));
	answer->content_type = metrics_content_type(format);
	if (!metrics_write(p->metrics, format, &answer->body))
		answer->status = 500;
}

static bool is_alive(void *arg)
{
	struct program *p = arg;

	return updater_now_ms() - atomic_load(&p->alive_ms) < ALIVE_WITHIN_MS;
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
	buf_add_text(&answer->body, answer->status == 200 ? "ok\n" : "the updater stands still\n");
}

static void serve_ready(void *arg, const char *accept, struct httpd_answer *answer)
{
	(void)accept;
	answer->status = is_ready(arg) ? 200 : 503;
	buf_add_text(&answer->body, answer->status == 200 ? "ready\n" :
		"not ready: starting, stopping, without partitions, or the database does not answer\n");
}

static bool start_httpd(struct program *p, struct err *e)
{
	static struct httpd_route routes[] = {
		{ .path = "/metrics", .needs_token = true, .handle = serve_metrics },
		{ .path = "/healthz", .handle = serve_health },
		{ .path = "/readyz", .handle = serve_ready },
	};
	static struct httpd_resource resources[] = {
		{ .path = "/api/state", .below = true, .serve = serve_state },
		{ .path = "/api/state", .needs_token = true, .serve = serve_list },
	};
	const char *token_file = config_text(p->config, CONF_HTTP_TOKEN_FILE);
	struct httpd_settings settings = { .listen = config_text(p->config, CONF_TENANT_LISTEN), .routes = routes,
		.route_count = sizeof routes / sizeof *routes, .resources = resources,
		.resource_count = sizeof resources / sizeof *resources,
		.connections = (unsigned)config_int(p->config, CONF_TENANT_CONNECTIONS),
		.threads = (unsigned)config_int(p->config, CONF_TENANT_THREADS) };

	p->api = (struct state_api){ .board = p->board, .valid_running_ms = config_ms(p->config, CONF_TENANT_VALID_RUNNING),
		.valid_offline_ms = config_ms(p->config, CONF_TENANT_VALID_OFFLINE) };
	if (!*settings.listen)
		return true;
	buf_init(&p->http_token, SECRET_MAX_BYTES);
	if (*token_file && !secret_file_read_text(token_file, &p->http_token, e))
		return false;
	settings.token = buf_text(&p->http_token);
	for (size_t i = 0; i < settings.route_count; i++)
		routes[i].arg = p;
	for (size_t i = 0; i < settings.resource_count; i++)
		resources[i].arg = p;
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
	settings.group_id = config_text(p->config, CONF_TENANT_GROUP_ID);
	settings.client_id = "sandbox-tenant";
	settings.reads[TOPIC_STATE] = settings.reads[TOPIC_STEP_COMPLETED] = settings.reads[TOPIC_BACKUP_RESTORED] = true;
	settings.create_topics = config_bool(p->config, CONF_TOPICS_CREATE);
	settings.fetches_ahead = true;
	settings.start_at = updater_start_at;
	settings.start_arg = p->updater;
	settings.note = note_kafka;
	settings.note_arg = p;
	p->bus = kafka_bus_new(&settings, e);
	return p->bus && kafka_bus_start(p->bus, BROKER_WAIT_MS, e);
}

static bool open_tenants(struct program *p, struct err *e)
{
	const struct config *c = p->config;
	const char *dialect = config_text(c, CONF_TENANT_DIALECT), *driver = config_text(c, CONF_TENANT_DRIVER);
	const char *password_file = config_text(c, CONF_TENANT_PASSWORD_FILE);
	bool is_sqlite = strcmp(dialect, "sqlite") == 0;
	struct odbc_settings settings = { .dialect = dialect,
		.driver = *driver ? driver : is_sqlite ? "SQLite3" : "PostgreSQL ANSI",
		.folder = config_text(c, CONF_TENANT_FOLDER), .host = config_text(c, CONF_TENANT_HOST),
		.port = (int)config_int(c, CONF_TENANT_PORT), .user = config_text(c, CONF_TENANT_USER),
		.busy_timeout_ms = config_ms(c, CONF_TENANT_BUSY_TIMEOUT) };
	struct buf password;

	if (is_sqlite && !config_need(c, CONF_TENANT_FOLDER, e))
		return false;
	buf_init(&password, SECRET_MAX_BYTES);
	if (!*password_file || secret_file_read_text(password_file, &password, e)) {
		settings.password = buf_text(&password);
		p->tenants = tenants_odbc_open(&settings, config_text(c, CONF_TENANT_DATABASE), e);
	}
	secret_done(&password);
	return p->tenants;
}

static bool open_updater(struct program *p, struct err *e)
{
	const struct updater_settings settings = { .codec = p->codec, .tenants = p->tenants, .board = p->board, .log = p->log,
		.metrics = p->metrics, .batch = (size_t)config_int(p->config, CONF_TENANT_BATCH),
		.refresh_ms = config_ms(p->config, CONF_TENANT_REFRESH), .stop = &stop_count, .alive_ms = &p->alive_ms,
		.ready = &p->ready };

	p->updater = updater_new(&settings, e);
	return p->updater;
}

static bool set_up(struct program *p, struct err *e)
{
	const struct supervisor_settings supervised = { is_alive, is_ready, &stop_count, p };

	atomic_store(&p->alive_ms, updater_now_ms());
	p->board = board_new();
	if (!p->board)
		return err_set(e, ERR_TRANSIENT, 0, "start", "out of memory");
	p->codec = wire_codec(p->config, e);
	return p->codec && supervisor_start(&supervised, &p->supervisor, e) && open_tenants(p, e) && open_updater(p, e) && start_httpd(p, e) && open_bus(p, e);
}

static void tear_down(struct program *p)
{
	supervisor_stop(&p->supervisor);
	httpd_stop(&p->httpd);
	if (p->bus)
		p->bus->close(p->bus, CLOSE_WITHIN_MS);
	updater_free(&p->updater);
	if (p->tenants)
		p->tenants->close(p->tenants);
	board_free(&p->board);
	if (p->codec)
		p->codec->close(p->codec);
	wire_texts_done(&p->texts);
	secret_done(&p->http_token);
	metrics_free(&p->metrics);
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
		fprintf(stderr, "sandbox-tenant: %s\n", e.text);
		return EXIT_CONFIG;
	}
	p->log = log_stderr_new(p->config);
	p->metrics = metrics_new();
	if (!p->log || !p->metrics)
		return EXIT_UNAVAILABLE;
	metrics_set(p->metrics, METRIC_BUILD_INFO, 0, 0, 1);
	if (!set_up(p, &e)) {
		log_error(p->log, NULL, "cannot start", log_text("where", e.where), LOG_ERR(&e));
		return e.class == ERR_TRANSIENT ? EXIT_UNAVAILABLE : EXIT_CONFIG;
	}
	log_info(p->log, NULL, "started", log_text("version", SANDBOX_VERSION),
		log_number("tenants", (int64_t)board_count(p->board)));
	ok = updater_run(p->updater, p->bus, &e);
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
		return printf("sandbox-tenant %s\n", SANDBOX_VERSION) < 0;
	if (argc != 1 && (argc != 3 || strcmp(argv[1], "--config") != 0)) {
		fprintf(stderr, "usage: sandbox-tenant [--config FILE] [--version]\n"
			"Folds the events of clones into the state of their tenants and serves it. SIGTERM ends it.\n");
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
