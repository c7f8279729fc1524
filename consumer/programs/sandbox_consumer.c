/* SPDX-License-Identifier: Apache-2.0
 * sandbox-consumer: runs clones. Wires the adapters to the loop; no logic. */
#include "consumer/adapters/httpd/httpd.h"
#include "consumer/adapters/kafka/kafka_bus.h"
#include "consumer/adapters/kafka/kafka_reader.h"
#include "consumer/adapters/redis/redis_store.h"
#include "consumer/adapters/system/log_fd.h"
#include "consumer/adapters/system/random_uuid.h"
#include "consumer/adapters/system/secret_file.h"
#include "consumer/adapters/system/supervisor.h"
#include "consumer/programs/wire.h"
#include "consumer/runtime/loop.h"
#include "consumer/runtime/rebuild.h"
#include "handlers/masking/masking.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, EXIT_CONFIG = 78, EXIT_UNAVAILABLE = 69, BROKER_WAIT_MS = 30000, REBUILD_WITHIN_MS = 10 * 60 * 1000, CLOSE_WITHIN_MS = 10000,
       ALIVE_WITHIN_MS = 30000 };

static volatile sig_atomic_t stop_count;

static void on_signal(int signal)
{
	(void)signal;
	stop_count = stop_count + 1;
}

/* Where nothing can be done about a lack of memory, the program aborts: all that matters is durable, and the next process
 * takes it up. It says so once, whatever part of it gave up. */
static void on_abort(int signal)
{
	static const char sentence[] =
		"sandbox-consumer: out of memory, or an error of its own; it ends, and the next process goes on\n";

	if (write(STDERR_FILENO, sentence, sizeof sentence - 1) < 0)
		_exit(EXIT_UNAVAILABLE);
	raise(signal); /* now by its default, with a core file where that is wished */
}

struct program {
	const char *config_path;
	struct config *config;
	struct log *log;
	struct metrics *metrics;
	struct wire_texts texts;
	struct loop_parts parts;
	struct httpd *httpd;
	struct buf http_token;
	struct supervisor *supervisor;
	_Atomic int64_t alive_ms;
	_Atomic bool ready;
};

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

	return loop_now_ms() - atomic_load(&p->alive_ms) < ALIVE_WITHIN_MS;
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
	buf_add_text(&answer->body, answer->status == 200 ? "ok\n" : "the loop stands still\n");
}

static void serve_ready(void *arg, const char *accept, struct httpd_answer *answer)
{
	bool ready = is_ready(arg);

	(void)accept;
	answer->status = ready ? 200 : 503;
	buf_add_text(&answer->body, ready ? "ready\n" : "not ready: starting, stopping, or a step stands still\n");
}

static bool start_httpd(struct program *p, struct err *e)
{
	static struct httpd_route routes[] = {
		{ "/metrics", true, serve_metrics, NULL },
		{ "/healthz", false, serve_health, NULL },
		{ "/readyz", false, serve_ready, NULL },
	};
	const char *token_file = config_text(p->config, CONF_HTTP_TOKEN_FILE);
	struct httpd_settings settings = { .listen = config_text(p->config, CONF_HTTP_LISTEN), .routes = routes,
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

/* ---- the bus and the store ---- */

static void note_kafka(void *arg, int severity, const char *text)
{
	struct program *p = arg;

	log_write(p->log, severity <= 3 ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG, NULL, "kafka",
		LOG_FIELDS(log_text("text", text)) + 1, 1);
}

static bool read_topics(void *arg, rebuild_record_fn *fn, void *fn_arg, struct err *e)
{
	struct kafka_reader *reader = kafka_reader_new(arg, e);
	const struct kafka_read what = { .topics = { [TOPIC_REQUESTED] = true, [TOPIC_STEP_COMPLETED] = true,
		[TOPIC_BACKUP_RESTORED] = true, [TOPIC_STATE] = true }, .partition = -1, .from = KAFKA_FROM_BEGINNING,
		.within_ms = REBUILD_WITHIN_MS };
	bool ok = reader && kafka_read(reader, &what, fn, fn_arg, e);

	kafka_reader_free(&reader);
	return ok;
}

static bool rebuild(struct program *p, struct kafka_settings *settings, struct err *e)
{
	const struct rebuild_parts parts = { .store = p->parts.store, .codec = p->parts.codec, .log = p->log,
		.read_topics = read_topics, .read_arg = settings, .within_ms = REBUILD_WITHIN_MS };

	return rebuild_store(&parts, e);
}

static bool open_bus(struct program *p, struct err *e)
{
	struct kafka_settings settings;

	if (!wire_kafka(p->config, &p->texts, &settings, e))
		return false;
	settings.reads[TOPIC_REQUESTED] = settings.reads[TOPIC_REPLAY] = settings.reads[TOPIC_CONTROL] = true;
	for (int t = TOPIC_STEP_COMPLETED; t <= TOPIC_DEAD_LETTER; t++)
		settings.writes[t] = true;
	settings.create_topics = config_bool(p->config, CONF_TOPICS_CREATE);
	settings.note = note_kafka;
	settings.note_arg = p;
	p->parts.bus = kafka_bus_new(&settings, e);
	return p->parts.bus && rebuild(p, &settings, e) && p->parts.codec->get_ready(p->parts.codec, e) &&
		kafka_bus_start(p->parts.bus, BROKER_WAIT_MS, e);
}

static bool open_store(struct program *p, struct err *e)
{
	struct redis_settings settings;
	char owner[UUID_TEXT];

	if (!wire_redis(p->config, &p->texts, &settings, e) || !uuid_v7(owner, e))
		return false;
	settings.owner = owner;
	p->parts.store = redis_store_new(&settings, e);
	if (!p->parts.store)
		return false;
	if (*redis_store_warnings(p->parts.store))
		log_warn(p->log, NULL, redis_store_warnings(p->parts.store));
	return true;
}

/* ---- from start to end ---- */

static bool start_sweeper(struct program *p, struct err *e)
{
	int64_t every_ms = config_ms(p->config, CONF_SWEEP_EVERY);

	if (every_ms > 0)
		p->parts.sweeper = sweeper_new(p->parts.world, every_ms, p->log, e);
	return every_ms <= 0 || p->parts.sweeper;
}

static bool set_up(struct program *p, struct err *e)
{
	const struct supervisor_settings supervised = { is_alive, is_ready, &stop_count, p };

	p->parts.log = p->log;
	p->parts.metrics = p->metrics;
	p->parts.policy = wire_policy(p->config);
	p->parts.workers = p->parts.policy.max_running;
	p->parts.rules = wire_request_rules(p->config);
	p->parts.facts.domain_is_public = mask_domain_is_public;
	if (strcmp(config_text(p->config, CONF_MASK_PUBLIC_INBOX), "deny") == 0)
		p->parts.domain_is_denied = mask_domain_is_public;
	p->parts.stop = &stop_count;
	p->parts.alive_ms = &p->alive_ms;
	p->parts.ready = &p->ready;
	if (getrandom(&p->parts.seed, sizeof p->parts.seed, 0) != (ssize_t)sizeof p->parts.seed)
		return err_set(e, ERR_TRANSIENT, 0, "start", "the system gives no random bytes");
	atomic_store(&p->alive_ms, loop_now_ms());
	p->parts.world = wire_world_new(p->config, e);
	p->parts.codec = p->parts.world ? wire_codec(p->config, e) : NULL;
	return p->parts.codec && supervisor_start(&supervised, &p->supervisor, e) && start_httpd(p, e) && open_store(p, e) && open_bus(p, e) && start_sweeper(p, e);
}

static void tear_down(struct program *p)
{
	supervisor_stop(&p->supervisor);
	httpd_stop(&p->httpd);
	sweeper_free(&p->parts.sweeper);
	if (p->parts.bus)
		p->parts.bus->close(p->parts.bus, CLOSE_WITHIN_MS);
	if (p->parts.store)
		p->parts.store->close(p->parts.store);
	if (p->parts.codec)
		p->parts.codec->close(p->parts.codec);
	wire_world_free(&p->parts.world);
	wire_texts_done(&p->texts);
	secret_done(&p->http_token);
	metrics_free(&p->metrics);
	log_free(&p->log);
	config_free(&p->config);
}

static int run(struct program *p)
{
	struct err e = { 0 };
	bool ok;

	p->config = wire_config(p->config_path, &e);
	if (!p->config) {
		fprintf(stderr, "sandbox-consumer: %s\n", e.text);
		return e.class == ERR_TRANSIENT ? EXIT_UNAVAILABLE : EXIT_CONFIG;
	}
	p->log = log_stderr_new(p->config);
	p->metrics = metrics_new();
	if (!p->log || !p->metrics)
		return EXIT_UNAVAILABLE;
	metrics_set(p->metrics, METRIC_BUILD_INFO, 0, 0, 1);
	ok = set_up(p, &e);
	if (!ok) {
		log_error(p->log, NULL, "cannot start", log_text("where", e.where), LOG_ERR(&e));
		return e.class == ERR_TRANSIENT ? EXIT_UNAVAILABLE : EXIT_CONFIG;
	}
	log_info(p->log, NULL, "started", log_text("version", SANDBOX_VERSION), log_number("plan", PLAN_VERSION),
		log_number("workers", p->parts.workers));
	ok = loop_run(&p->parts, &e);
	if (ok)
		log_info(p->log, NULL, "ended");
	else
		log_error(p->log, NULL, "ended", LOG_ERR(&e));
	return ok ? EXIT_SUCCESS : EXIT_UNAVAILABLE;
}

static bool read_arguments(int argc, char **argv, struct program *p)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
			p->config_path = argv[++i];
		else
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	static struct program p;
	const struct sigaction action = { .sa_handler = on_signal }, last = { .sa_handler = on_abort,
		.sa_flags = (int)SA_RESETHAND };
	int rc;

	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return printf("sandbox-consumer %s plan %d\n", SANDBOX_VERSION, PLAN_VERSION) < 0;
	if (!read_arguments(argc, argv, &p)) {
		fprintf(stderr, "usage: sandbox-consumer [--config FILE] [--version]\n"
			"Runs the clones that sandbox.clone.requested asks for. SIGTERM drains, a second one ends at once.\n");
		return EXIT_USAGE;
	}
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGABRT, &last, NULL);
	signal(SIGPIPE, SIG_IGN);
	rc = run(&p);
	tear_down(&p);
	return rc;
}
