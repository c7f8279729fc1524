/* SPDX-License-Identifier: Apache-2.0
 * sandbox-tenant: keeps the state of every tenant and serves it. Wires the adapters to the updater; no logic. */
#include "consumer/adapters/kafka/kafka_bus.h"
#include "consumer/adapters/odbc/tenants_odbc.h"
#include "consumer/adapters/system/secret_file.h"
#include "consumer/programs/service.h"
#include "consumer/tenant/state_api.h"
#include "consumer/tenant/updater.h"

#include <string.h>
#include <time.h>

enum { ALIVE_WITHIN_MS = 60000 };

struct program {
	struct codec_port *codec;
	struct tenants_port *tenants;
	struct board *board;
	struct updater *updater;
	struct bus_port *bus;
	struct state_api api;
	_Atomic int64_t alive_ms;
};

static bool is_alive(struct service *s)
{
	struct program *p = s->program;

	return updater_now_ms() - atomic_load(&p->alive_ms) < ALIVE_WITHIN_MS;
}

/* ---- the state API ---- */

static int64_t utc_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void serve_state(void *arg, const struct httpd_request *request, struct httpd_answer *answer)
{
	struct service *s = arg;
	const struct program *p = s->program;
	struct state_answer a = state_api_get(&p->api, httpd_rest(request), httpd_header(request, "If-None-Match"),
		utc_now_ms(), &answer->body);

	metrics_add(s->metrics, METRIC_STATE_REQUESTS, 0, 0, 1);
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
	struct service *s = arg;
	const struct program *p = s->program;
	const struct state_list_query query = { .context = httpd_parameter(request, "context"),
		.after = httpd_parameter(request, "after"), .changed_after = httpd_parameter(request, "changed_after"),
		.stuck = httpd_parameter(request, "stuck"), .limit = httpd_parameter(request, "limit") };
	struct state_answer a = state_api_list(&p->api, &query, &answer->body);

	metrics_add(s->metrics, METRIC_STATE_REQUESTS, 0, 0, 1);
	answer->status = a.status;
	answer->content_type = "application/json";
	if (a.problem)
		httpd_answer_problem(answer, a.status, a.problem);
}

static bool open_doors(struct service *s, struct err *e)
{
	static struct httpd_resource resources[] = {
		{ .path = "/api/state", .below = true, .serve = serve_state },
		{ .path = "/api/state", .needs_token = true, .serve = serve_list },
	};
	const struct httpd_settings settings = { .resources = resources,
		.resource_count = sizeof resources / sizeof *resources,
		.connections = (unsigned)config_int(s->config, CONF_TENANT_CONNECTIONS),
		.threads = (unsigned)config_int(s->config, CONF_TENANT_THREADS) };
	struct program *p = s->program;

	p->api = (struct state_api){ .board = p->board, .valid_running_ms = config_ms(s->config, CONF_TENANT_VALID_RUNNING),
		.valid_offline_ms = config_ms(s->config, CONF_TENANT_VALID_OFFLINE) };
	for (size_t i = 0; i < settings.resource_count; i++)
		resources[i].arg = s;
	return service_listen(s, config_text(s->config, CONF_TENANT_LISTEN), settings, e);
}

/* ---- the parts ---- */

static bool open_bus(struct service *s, struct err *e)
{
	struct program *p = s->program;
	struct kafka_settings settings;

	if (!service_kafka(s, &settings, e))
		return false;
	settings.group_id = config_text(s->config, CONF_TENANT_GROUP_ID);
	settings.client_id = "sandbox-tenant";
	settings.reads[TOPIC_STATE] = settings.reads[TOPIC_STEP_COMPLETED] = settings.reads[TOPIC_BACKUP_RESTORED] = true;
	settings.fetches_ahead = true;
	settings.start_at = updater_start_at;
	settings.start_arg = p->updater;
	p->bus = kafka_bus_new(&settings, e);
	return p->bus && kafka_bus_start(p->bus, BROKER_WAIT_MS, e);
}

static bool open_tenants(struct service *s, struct err *e)
{
	const struct config *c = s->config;
	struct program *p = s->program;
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

static bool open_updater(struct service *s, struct err *e)
{
	struct program *p = s->program;
	const struct updater_settings settings = { .codec = p->codec, .tenants = p->tenants, .board = p->board, .log = s->log,
		.metrics = s->metrics, .batch = (size_t)config_int(s->config, CONF_TENANT_BATCH),
		.refresh_ms = config_ms(s->config, CONF_TENANT_REFRESH), .stop = s->stop, .alive_ms = &p->alive_ms,
		.ready = &s->ready };

	p->updater = updater_new(&settings, e);
	return p->updater;
}

static bool set_up(struct service *s, struct err *e)
{
	struct program *p = s->program;

	atomic_store(&p->alive_ms, updater_now_ms());
	p->board = board_new();
	if (!p->board)
		return err_set(e, ERR_TRANSIENT, 0, "start", "out of memory");
	p->codec = wire_codec(s->config, e);
	return p->codec && open_tenants(s, e) && open_updater(s, e) && open_doors(s, e) && open_bus(s, e);
}

static bool run(struct service *s, struct err *e)
{
	struct program *p = s->program;

	log_info(s->log, NULL, "started", log_text("version", SANDBOX_VERSION),
		log_number("tenants", (int64_t)board_count(p->board)));
	return updater_run(p->updater, p->bus, e);
}

static void tear_down(struct service *s)
{
	struct program *p = s->program;

	if (p->bus)
		p->bus->close(p->bus, CLOSE_WITHIN_MS);
	updater_free(&p->updater);
	if (p->tenants)
		p->tenants->close(p->tenants);
	board_free(&p->board);
	if (p->codec)
		p->codec->close(p->codec);
}

int main(int argc, char **argv)
{
	static const struct service_kind kind = { .name = "sandbox-tenant",
		.does = "Folds the events of clones into the state of their tenants and serves it. SIGTERM ends it.",
		.still = "the updater stands still",
		.unready = "starting, stopping, without partitions, or the database does not answer", .set_up = set_up,
		.run = run, .tear_down = tear_down, .is_alive = is_alive };
	static struct program p;

	return service_main(&kind, &p, argc, argv);
}
