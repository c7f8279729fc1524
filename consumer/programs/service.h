/* SPDX-License-Identifier: Apache-2.0
 * What the programs that run until they are told to end have in common: arguments, signals, configuration, log, metrics,
 * health and readiness over HTTP and to the service manager, and the order of beginning and ending. */
#ifndef SANDBOX_PROGRAMS_SERVICE_H
#define SANDBOX_PROGRAMS_SERVICE_H

#include "consumer/adapters/httpd/httpd.h"
#include "consumer/core/metrics.h"
#include "consumer/programs/wire.h"

#include <signal.h>
#include <stdatomic.h>

enum { BROKER_WAIT_MS = 30000, CLOSE_WITHIN_MS = 10000 };

struct service {
	void *program; /* the kind's own */
	struct config *config;
	struct log *log;
	struct metrics *metrics;
	struct wire_texts texts;
	const volatile sig_atomic_t *stop; /* how often the program was told to end */
	_Atomic bool ready;                /* the kind's: it does its work */

	const struct service_kind *kind;
	struct httpd *httpd;
	struct buf http_token;
	struct supervisor *supervisor;
};

struct service_kind {
	const char *name;
	int plan;            /* version of the plan that it runs, for --version; 0 none */
	const char *does;    /* a sentence for --help */
	const char *still;   /* what is wrong when it is not alive */
	const char *unready; /* what may be wrong when it is not ready */
	bool (*set_up)(struct service *s, struct err *e);
	bool (*run)(struct service *s, struct err *e); /* until *s->stop; says "started" first */
	void (*tear_down)(struct service *s);          /* also of what is half set up */
	bool (*is_alive)(struct service *s);           /* asked from other threads */
};

/* The whole of main: returns the exit code. */
int service_main(const struct service_kind *kind, void *program, int argc, char **argv);

/* For set_up: /metrics, /healthz and /readyz, with the kind's own resources in *settings, on `listen` ("" nowhere), and
 * word to the service manager. From here on is_alive is asked. */
bool service_listen(struct service *s, const char *listen, struct httpd_settings settings, struct err *e);

struct kafka_settings;
/* For set_up: Kafka as it is configured, with its remarks in the log; the kind adds its topics and group. */
bool service_kafka(struct service *s, struct kafka_settings *settings_r, struct err *e);

#endif
