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
	_Atomic int64_t alive_ms;
};

static bool is_alive(struct service *s)
{
	struct program *p = s->program;

	return loop_now_ms() - atomic_load(&p->alive_ms) < ALIVE_WITHIN_MS;
}

/* ---- the bus and the store ---- */

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

static bool rebuild(struct service *s, struct kafka_settings *settings, struct err *e)
{
	struct program *p = s->program;
	const struct rebuild_parts parts = { .store = p->parts.store, .codec = p->parts.codec, .log = s->log,
		.read_topics = read_topics, .read_arg = settings, .within_ms = REBUILD_WITHIN_MS };

	return rebuild_store(&parts, e);
}

static bool open_bus(struct service *s, struct err *e)
{
	struct program *p = s->program;
	struct kafka_settings settings;

	if (!service_kafka(s, &settings, e))
		return false;
	settings.reads[TOPIC_REQUESTED] = settings.reads[TOPIC_REPLAY] = settings.reads[TOPIC_CONTROL] = true;
	for (int t = TOPIC_STEP_COMPLETED; t <= TOPIC_DEAD_LETTER; t++)
		settings.writes[t] = true;
	p->parts.bus = kafka_bus_new(&settings, e);
	return p->parts.bus && rebuild(s, &settings, e) && p->parts.codec->get_ready(p->parts.codec, e) &&
		kafka_bus_start(p->parts.bus, BROKER_WAIT_MS, e);
}

static bool open_store(struct service *s, struct err *e)
{
	struct program *p = s->program;
	struct redis_settings settings;
	char owner[UUID_TEXT];

	if (!wire_redis(s->config, &s->texts, &settings, e) || !uuid_v7(owner, e))
		return false;
	settings.owner = owner;
	p->parts.store = redis_store_new(&settings, e);
	if (!p->parts.store)
		return false;
	if (*redis_store_warnings(p->parts.store))
		log_warn(s->log, NULL, redis_store_warnings(p->parts.store));
	return true;
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
