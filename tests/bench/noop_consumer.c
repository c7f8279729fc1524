/* SPDX-License-Identifier: Apache-2.0
 * noop_consumer TRACE steps|wait|alarm CLONES STEP_MS ALARM_NS
 * The real consumer (loop, engine, Redis, Kafka, Avro, log, the product's own configuration) in a world where steps do
 * nothing: they end at once or after STEP_MS, or the first one waits for ever, or until the alarm. When it has drained
 * after a SIGTERM it leaves the times of all calls in TRACE. */
#include "consumer/adapters/kafka/kafka_bus.h"
#include "consumer/adapters/redis/redis_store.h"
#include "consumer/adapters/system/log_fd.h"
#include "consumer/adapters/system/random_uuid.h"
#include "consumer/programs/wire.h"
#include "consumer/runtime/loop.h"
#include "handlers/masking/masking.h"
#include "tests/bench/measure.h"
#include "tests/bench/services.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LONG_WAIT_MS = 3600 * 1000, ALARM_SPREAD_MS = 200, BROKER_WAIT_MS = 30000, CLOSE_WITHIN_MS = 10000 };

static volatile sig_atomic_t stop_count;

static void on_signal(int signal)
{
	(void)signal;
	stop_count = stop_count + 1;
}

struct noop_world {
	struct world_port port;
	struct step_settings settings;
	enum noop_mode mode;
	int step_ms;
	int64_t alarm_ns;
	struct trace_row *rows;
	size_t size;
	_Atomic size_t count;
};

static bool open_nothing(struct world_port *self, const struct step_job *job, const struct fence *fence,
                         const atomic_bool *stop, struct step_ports *ports, struct world_session **session_r,
                         struct err *e)
{
	(void)self;
	(void)job;
	(void)fence;
	(void)stop;
	(void)ports;
	(void)session_r;
	(void)e;
	return true;
}

static void leave_alone(struct world_port *self, struct world_session *session)
{
	(void)self;
	(void)session;
}

static void note(struct noop_world *w, int clone, int step, int64_t start_ns, int64_t end_ns)
{
	size_t at = w->count++;

	if (at < w->size)
		w->rows[at] = (struct trace_row){ clone, step, start_ns, end_ns };
}

/* Waits until its moment, notes how late it was called then, and waits on. */
static enum step_outcome ring(struct noop_world *w, struct step_ctx *c, int clone)
{
	int64_t due_ns = w->alarm_ns + (int64_t)(clone % ALARM_SPREAD_MS) * 1000000, now_ns = measure_now_ns();

	if (now_ns < due_ns)
		return step_wait(c, (due_ns - now_ns + 999999) / 1000000, "the alarm");
	note(w, clone, 0, due_ns, now_ns);
	return step_wait(c, LONG_WAIT_MS, "nobody");
}

static enum step_outcome run(struct world_port *self, enum step_id step, struct step_ctx *c)
{
	struct noop_world *w = (struct noop_world *)self;
	int64_t start_ns = measure_now_ns();
	int clone = bench_clone_number(c->job->clone_id);

	if (w->mode == NOOP_ALARM)
		return ring(w, c, clone);
	if (w->mode == NOOP_WAIT) {
		note(w, clone, (int)step, start_ns, start_ns);
		return step_wait(c, LONG_WAIT_MS, "nobody");
	}
	if (w->step_ms)
		nanosleep(&(struct timespec){ .tv_nsec = w->step_ms * 1000000L }, NULL);
	note(w, clone, (int)step, start_ns, measure_now_ns());
	return STEP_DONE;
}

static bool write_trace(const struct noop_world *w, const char *path)
{
	FILE *f = fopen(path, "w");

	if (!f)
		return false;
	for (size_t i = 0; i < w->count && i < w->size; i++)
		fprintf(f, "%d,%d,%" PRId64 ",%" PRId64 "\n", w->rows[i].clone, w->rows[i].step, w->rows[i].start_ns,
			w->rows[i].end_ns);
	return fclose(f) == 0;
}

/* ---- the real rest ---- */

static bool open_store(const struct config *config, struct loop_parts *parts, struct err *e)
{
	struct wire_texts texts = { 0 };
	struct redis_settings settings;
	char owner[UUID_TEXT];

	if (!wire_redis(config, &texts, &settings, e) || !uuid_v7(owner, e))
		return false;
	settings.owner = owner;
	parts->store = redis_store_new(&settings, e);
	wire_texts_done(&texts);
	return parts->store != NULL;
}

static bool open_bus(const struct config *config, struct loop_parts *parts, struct err *e)
{
	struct wire_texts texts = { 0 };
	struct kafka_settings settings;
	bool ok;

	if (!wire_kafka(config, &texts, &settings, e))
		return false;
	settings.reads[TOPIC_REQUESTED] = settings.reads[TOPIC_REPLAY] = settings.reads[TOPIC_CONTROL] = true;
	for (int t = TOPIC_STEP_COMPLETED; t <= TOPIC_DEAD_LETTER; t++)
		settings.writes[t] = true;
	parts->bus = kafka_bus_new(&settings, e);
	ok = parts->bus && kafka_bus_start(parts->bus, BROKER_WAIT_MS, e);
	wire_texts_done(&texts);
	return ok;
}

static bool run_loop(struct noop_world *world, struct err *e)
{
	struct config *config = wire_config(NULL, e);
	_Atomic int64_t alive_ms;
	_Atomic bool ready;
	struct loop_parts parts = { .seed = 1, .world = &world->port, .stop = &stop_count, .alive_ms = &alive_ms,
		.ready = &ready, .facts.domain_is_public = mask_domain_is_public };
	bool ok;

	if (!config)
		return false;
	parts.log = log_stderr_new(config);
	parts.metrics = metrics_new();
	parts.policy = wire_policy(config);
	parts.workers = parts.policy.max_running;
	parts.rules = wire_request_rules(config);
	parts.codec = wire_codec(config, e);
	ok = parts.codec && open_store(config, &parts, e) && open_bus(config, &parts, e) && loop_run(&parts, e);
	if (parts.bus)
		parts.bus->close(parts.bus, CLOSE_WITHIN_MS);
	if (parts.store)
		parts.store->close(parts.store);
	if (parts.codec)
		parts.codec->close(parts.codec);
	metrics_free(&parts.metrics);
	log_free(&parts.log);
	config_free(&config);
	return ok;
}

int main(int argc, char **argv)
{
	static struct noop_world world = { .port = { .open = open_nothing, .abort = leave_alone, .close = leave_alone,
		.run = run } };
	const struct sigaction action = { .sa_handler = on_signal };
	struct err e = { 0 };

	if (argc != 6)
		return 2;
	world.port.settings = &world.settings;
	world.mode = strcmp(argv[2], "wait") == 0 ? NOOP_WAIT : strcmp(argv[2], "alarm") == 0 ? NOOP_ALARM : NOOP_STEPS;
	world.size = strtoul(argv[3], NULL, 10) * (world.mode == NOOP_STEPS ? STEP_END + 1 : 4);
	world.step_ms = (int)strtol(argv[4], NULL, 10);
	world.alarm_ns = strtoll(argv[5], NULL, 10);
	world.rows = malloc((world.size + 1) * sizeof *world.rows);
	if (!world.rows)
		return 1;
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (!run_loop(&world, &e)) {
		fprintf(stderr, "noop_consumer: %s\n", e.text);
		return 1;
	}
	return write_trace(&world, argv[1]) ? 0 : 1;
}
