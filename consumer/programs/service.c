/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/programs/service.h"

#include "consumer/adapters/kafka/kafka_bus.h"
#include "consumer/adapters/system/log_fd.h"
#include "consumer/adapters/system/secret_file.h"
#include "consumer/adapters/system/supervisor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, EXIT_UNAVAILABLE = 69, EXIT_CONFIG = 78 };

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
		"out of memory, or an error of this program's own; it ends, and the next process goes on\n";

	if (write(STDERR_FILENO, sentence, sizeof sentence - 1) < 0)
		_exit(EXIT_UNAVAILABLE);
	raise(signal); /* now by its default, with a core file where that is wished */
}

/* ---- how it is ---- */

static bool is_alive(void *arg)
{
	struct service *s = arg;

	return s->kind->is_alive(s);
}

static bool is_ready(void *arg)
{
	struct service *s = arg;

	return atomic_load(&s->ready);
}

static void serve_metrics(void *arg, const char *accept, struct httpd_answer *answer)
{
	struct service *s = arg;
	enum metrics_format format = metrics_format_for(accept);

	metrics_raise(s->metrics, METRIC_LOG_DROPPED, 0, 0, (int64_t)log_dropped(s->log));
	answer->content_type = metrics_content_type(format);
	if (!metrics_write(s->metrics, format, &answer->body))
		answer->status = 500;
}

static void serve_health(void *arg, const char *accept, struct httpd_answer *answer)
{
	struct service *s = arg;
	bool alive = is_alive(s);

	(void)accept;
	answer->status = alive ? 200 : 503;
	buf_printf(&answer->body, "%s\n", alive ? "ok" : s->kind->still);
}

static void serve_ready(void *arg, const char *accept, struct httpd_answer *answer)
{
	struct service *s = arg;
	bool ready = is_ready(s);

	(void)accept;
	answer->status = ready ? 200 : 503;
	buf_printf(&answer->body, "%s%s\n", ready ? "ready" : "not ready: ", ready ? "" : s->kind->unready);
}

static bool start_httpd(struct service *s, struct httpd_settings settings, struct err *e)
{
	static struct httpd_route routes[] = {
		{ "/metrics", true, serve_metrics, NULL },
		{ "/healthz", false, serve_health, NULL },
		{ "/readyz", false, serve_ready, NULL },
	};
	const char *token_file = config_text(s->config, CONF_HTTP_TOKEN_FILE);

	buf_init(&s->http_token, SECRET_MAX_BYTES);
	if (*token_file && !secret_file_read_text(token_file, &s->http_token, e))
		return false;
	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
		routes[i].arg = s;
	settings.routes = routes;
	settings.route_count = sizeof routes / sizeof *routes;
	settings.token = buf_text(&s->http_token);
	s->httpd = httpd_start(&settings, e);
	return s->httpd;
}

bool service_listen(struct service *s, const char *listen, struct httpd_settings settings, struct err *e)
{
	const struct supervisor_settings supervised = { is_alive, is_ready, &stop_count, s };

	settings.listen = listen;
	return supervisor_start(&supervised, &s->supervisor, e) && (!*listen || start_httpd(s, settings, e));
}

/* ---- parts ---- */

static void note_kafka(void *arg, int severity, const char *text)
{
	struct service *s = arg;

	log_write(s->log, severity <= 3 ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG, NULL, "kafka",
		LOG_FIELDS(log_text("text", text)) + 1, 1);
}

bool service_kafka(struct service *s, struct kafka_settings *settings_r, struct err *e)
{
	if (!wire_kafka(s->config, &s->texts, settings_r, e))
		return false;
	settings_r->create_topics = config_bool(s->config, CONF_TOPICS_CREATE);
	settings_r->note = note_kafka;
	settings_r->note_arg = s;
	return true;
}

/* ---- from start to end ---- */

static int run(struct service *s, const char *config_path)
{
	struct err e = { 0 };
	bool ok;

	s->config = wire_config(config_path, &e);
	if (!s->config) {
		fprintf(stderr, "%s: %s\n", s->kind->name, e.text);
		return e.class == ERR_TRANSIENT ? EXIT_UNAVAILABLE : EXIT_CONFIG;
	}
	s->log = log_stderr_new(s->config);
	s->metrics = metrics_new();
	if (!s->log || !s->metrics)
		return EXIT_UNAVAILABLE;
	metrics_set(s->metrics, METRIC_BUILD_INFO, 0, 0, 1);
	if (!s->kind->set_up(s, &e)) {
		log_error(s->log, NULL, "cannot start", log_text("where", e.where), LOG_ERR(&e));
		return e.class == ERR_TRANSIENT ? EXIT_UNAVAILABLE : EXIT_CONFIG;
	}
	ok = s->kind->run(s, &e);
	if (ok)
		log_info(s->log, NULL, "ended");
	else
		log_error(s->log, NULL, "ended", LOG_ERR(&e));
	return ok ? EXIT_SUCCESS : EXIT_UNAVAILABLE;
}

/* What others may still ask goes first, what everybody uses last. */
static void tear_down(struct service *s)
{
	supervisor_stop(&s->supervisor);
	httpd_stop(&s->httpd);
	s->kind->tear_down(s);
	wire_texts_done(&s->texts);
	secret_done(&s->http_token);
	metrics_free(&s->metrics);
	log_free(&s->log);
	config_free(&s->config);
}

static void take_signals(void)
{
	const struct sigaction ends = { .sa_handler = on_signal }, last = { .sa_handler = on_abort,
		.sa_flags = (int)SA_RESETHAND };

	sigaction(SIGTERM, &ends, NULL);
	sigaction(SIGINT, &ends, NULL);
	sigaction(SIGABRT, &last, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static int print_version(const struct service_kind *kind)
{
	printf("%s %s", kind->name, SANDBOX_VERSION);
	if (kind->plan)
		printf(" plan %d", kind->plan);
	return printf("\n") < 0;
}

int service_main(const struct service_kind *kind, void *program, int argc, char **argv)
{
	static struct service s; /* zero, and as long as the threads that look at it */
	int code;

	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return print_version(kind);
	if (argc != 1 && (argc != 3 || strcmp(argv[1], "--config") != 0)) {
		fprintf(stderr, "usage: %s [--config FILE] [--version]\n%s\n", kind->name, kind->does);
		return EXIT_USAGE;
	}
	s.kind = kind;
	s.program = program;
	s.stop = &stop_count;
	take_signals();
	code = run(&s, argc == 3 ? argv[2] : NULL);
	tear_down(&s);
	return code;
}
