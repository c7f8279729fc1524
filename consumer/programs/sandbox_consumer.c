/* SPDX-License-Identifier: Apache-2.0
 * sandbox-consumer: runs clones. Wires the adapters to the loop; no logic. */
#include "consumer/adapters/kafka/kafka_bus.h"
#include "consumer/adapters/kafka/kafka_reader.h"
#include "consumer/adapters/redis/redis_store.h"
#include "consumer/adapters/system/random_uuid.h"
#include "consumer/programs/service.h"
#include "consumer/runtime/loop.h"
#include "consumer/runtime/rebuild.h"
#include "handlers/masking/masking.h"

#include <string.h>
#include <sys/random.h>

enum { REBUILD_WITHIN_MS = 10 * 60 * 1000, ALIVE_WITHIN_MS = 30000 };

struct program {
	struct loop_parts parts;
	struct kafka_settings kafka;
	struct redis_settings redis;
	_Atomic int64_t alive_ms;
};

static bool is_alive(struct service *s)
{
	struct program *p = s->program;

	return loop_now_ms() - atomic_load(&p->alive_ms) < ALIVE_WITHIN_MS;
}

/* ---- when the store has lost everything ---- */

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

static struct store_port *new_store(const struct program *p, bool asks_for_mark, struct err *e)
{
	struct redis_settings settings = p->redis;
	char owner[UUID_TEXT];

	if (!uuid_v7(owner, e))
		return NULL;
	settings.owner = owner;
	settings.asks_for_mark = asks_for_mark;
	return redis_store_new(&settings, e);
}

/* With a store, a codec and a reader of its own: while the loop runs this is another thread. */
static bool rebuild(void *arg, const atomic_bool *stop, struct err *e)
{
	struct service *s = arg;
	struct program *p = s->program;
	struct rebuild_parts parts = { .store = new_store(p, false, e), .log = s->log, .read_topics = read_topics,
		.read_arg = &p->kafka, .within_ms = REBUILD_WITHIN_MS, .stop = stop };
	bool ok = false;

	if (parts.store)
		parts.codec = wire_codec(s->config, e);
	if (parts.codec) {
		ok = rebuild_store(&parts, e);
		parts.codec->close(parts.codec);
	}
	if (parts.store)
		parts.store->close(parts.store);
	return ok;
}

/* ---- the bus and the store ---- */

static bool open_bus(struct service *s, struct err *e)
{
	struct program *p = s->program;

	if (!service_kafka(s, &p->kafka, e))
		return false;
	p->kafka.reads[TOPIC_REQUESTED] = p->kafka.reads[TOPIC_REPLAY] = p->kafka.reads[TOPIC_CONTROL] = true;
	for (int t = TOPIC_STEP_COMPLETED; t <= TOPIC_DEAD_LETTER; t++)
		p->kafka.writes[t] = true;
	p->parts.bus = kafka_bus_new(&p->kafka, e);
	return p->parts.bus && rebuild(s, NULL, e) && p->parts.codec->get_ready(p->parts.codec, e) &&
		kafka_bus_start(p->parts.bus, BROKER_WAIT_MS, e);
}

static bool open_store(struct service *s, struct err *e)
{
	struct program *p = s->program;

	if (!wire_redis(s->config, &s->texts, &p->redis, e))
		return false;
	p->parts.store = new_store(p, true, e);
	if (!p->parts.store)
		return false;
	if (*redis_store_warnings(p->parts.store))
		log_warn(s->log, NULL, redis_store_warnings(p->parts.store));
	p->parts.rebuilder = rebuilder_new(rebuild, s, s->log, e);
	return p->parts.rebuilder;
}

/* ---- from start to end ---- */

static bool start_sweeper(struct service *s, struct err *e)
{
	struct program *p = s->program;
	int64_t every_ms = config_ms(s->config, CONF_SWEEP_EVERY);

	if (every_ms > 0)
		p->parts.sweeper = sweeper_new(p->parts.world, every_ms, s->log, e);
	return every_ms <= 0 || p->parts.sweeper;
}

static bool set_up(struct service *s, struct err *e)
{
	struct program *p = s->program;

	p->parts.log = s->log;
	p->parts.metrics = s->metrics;
	p->parts.policy = wire_policy(s->config);
	p->parts.workers = p->parts.policy.max_running;
	p->parts.rules = wire_request_rules(s->config);
	p->parts.facts.domain_is_public = mask_domain_is_public;
	if (strcmp(config_text(s->config, CONF_MASK_PUBLIC_INBOX), "deny") == 0)
		p->parts.domain_is_denied = mask_domain_is_public;
	p->parts.stop = s->stop;
	p->parts.alive_ms = &p->alive_ms;
	p->parts.ready = &s->ready;
	if (getrandom(&p->parts.seed, sizeof p->parts.seed, 0) != (ssize_t)sizeof p->parts.seed)
		return err_set(e, ERR_TRANSIENT, 0, "start", "the system gives no random bytes");
	atomic_store(&p->alive_ms, loop_now_ms());
	p->parts.world = wire_world_new(s->config, e);
	p->parts.codec = p->parts.world ? wire_codec(s->config, e) : NULL;
	return p->parts.codec && service_listen(s, config_text(s->config, CONF_HTTP_LISTEN), (struct httpd_settings){ 0 }, e) &&
		open_store(s, e) && open_bus(s, e) && start_sweeper(s, e);
}

static bool run(struct service *s, struct err *e)
{
	struct program *p = s->program;

	log_info(s->log, NULL, "started", log_text("version", SANDBOX_VERSION), log_number("plan", PLAN_VERSION),
		log_number("workers", p->parts.workers));
	return loop_run(&p->parts, e);
}

static void tear_down(struct service *s)
{
	struct program *p = s->program;

	sweeper_free(&p->parts.sweeper);
	rebuilder_free(&p->parts.rebuilder);
	if (p->parts.bus)
		p->parts.bus->close(p->parts.bus, CLOSE_WITHIN_MS);
	if (p->parts.store)
		p->parts.store->close(p->parts.store);
	if (p->parts.codec)
		p->parts.codec->close(p->parts.codec);
	wire_world_free(&p->parts.world);
}

int main(int argc, char **argv)
{
	static const struct service_kind kind = { .name = "sandbox-consumer", .plan = PLAN_VERSION,
		.does = "Runs the clones that sandbox.clone.requested asks for. SIGTERM drains, a second one ends at once.",
		.still = "the loop stands still", .unready = "starting, stopping, or a step stands still", .set_up = set_up,
		.run = run, .tear_down = tear_down, .is_alive = is_alive };
	static struct program p;

	return service_main(&kind, &p, argc, argv);
}
