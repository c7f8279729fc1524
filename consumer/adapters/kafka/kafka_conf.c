/* SPDX-License-Identifier: Apache-2.0
 * Settings to a librdkafka client. The table of defaults says why each differs from librdkafka's own. */
#include "consumer/adapters/kafka/kafka_priv.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FOR(role_) (1u << KAFKA_ROLE_##role_)

enum { FETCHES = FOR(CONSUMER) | FOR(READER), EVERYONE = FETCHES | FOR(PRODUCER) | FOR(ASKER) };

struct preset {
	unsigned roles;
	const char *name, *value;
};

static const struct preset presets[] = {
	/* Nagle costs up to 40 ms an event; dead brokers are noticed and tried again within seconds, not minutes. */
	{ EVERYONE, "socket.nagle.disable", "true" },
	{ EVERYONE, "socket.keepalive.enable", "true" },
	{ EVERYONE, "socket.timeout.ms", "15000" },
	{ EVERYONE, "reconnect.backoff.max.ms", "2000" },
	{ EVERYONE, "topic.metadata.refresh.interval.ms", "60000" },
	{ EVERYONE, "receive.message.max.bytes", "33554432" },
	/* No event lost, doubled or out of order on the way; an event is never given up by time, because a later one of
	 * the same clone would then overtake it. Same partitions as the Java clients choose. */
	{ FOR(PRODUCER), "enable.idempotence", "true" },
	{ FOR(PRODUCER), "acks", "all" },
	{ FOR(PRODUCER), "linger.ms", "0" },
	{ FOR(PRODUCER), "message.timeout.ms", "0" },
	{ FOR(PRODUCER), "message.max.bytes", "1000000" },
	{ FOR(PRODUCER), "queue.buffering.max.messages", "200000" },
	{ FOR(PRODUCER), "queue.buffering.max.kbytes", "131072" },
	{ FOR(PRODUCER), "partitioner", "murmur2_random" },
	/* An offset moves only when we say so; a new group begins with the first request, not after the last one. */
	{ FETCHES, "enable.auto.commit", "false" },
	{ FETCHES, "enable.auto.offset.store", "false" },
	{ FETCHES, "auto.offset.reset", "earliest" },
	{ FETCHES, "check.crcs", "true" },
	/* Requests are small: bounded memory before speed. A fetch waits at the broker only briefly. */
	{ FETCHES, "fetch.wait.max.ms", "100" },
	{ FETCHES, "fetch.error.backoff.ms", "100" },
	{ FETCHES, "max.partition.fetch.bytes", "1048576" },
	{ FETCHES, "fetch.max.bytes", "8388608" },
	{ FETCHES, "queued.min.messages", "1000" },
	{ FETCHES, "queued.max.messages.kbytes", "16384" },
	/* Cooperative rebalancing crashes and hangs in 2.0.2. */
	{ FOR(CONSUMER), "partition.assignment.strategy", "range" },
	{ FOR(READER), "enable.partition.eof", "true" },
};

/* What an operator may not set, and why. With a value: only values that contain it are refused. */
static const struct {
	const char *name, *value, *why;
} promises[] = {
	{ "enable.auto.commit", NULL, "an offset moves only when its clone is at rest" },
	{ "auto.commit.enable", NULL, "an offset moves only when its clone is at rest" },
	{ "enable.auto.offset.store", NULL, "an offset moves only when its clone is at rest" },
	{ "auto.offset.reset", "latest", "requests sent before the first start would be skipped" },
	{ "auto.offset.reset", "largest", "requests sent before the first start would be skipped" },
	{ "auto.offset.reset", "end", "requests sent before the first start would be skipped" },
	{ "check.crcs", "false", "a damaged record could be taken for a request" },
	{ "enable.idempotence", NULL, "events could be doubled or change their order" },
	{ "acks", NULL, "an event counts as told only when every in-sync replica has it" },
	{ "request.required.acks", NULL, "an event counts as told only when every in-sync replica has it" },
	{ "transactional.id", NULL, "transactions are not used" },
	{ "delivery.report.only.error", NULL, "every delivery must be reported" },
	{ "partition.assignment.strategy", "cooperative", "librdkafka 2.0.2 hangs and crashes with it" },
	{ "group.protocol", "consumer", "only the classic group protocol is supported" },
	{ "enabled_events", NULL, "the program depends on it" },
	{ "log.queue", NULL, "the program depends on it" },
	{ "enable.partition.eof", NULL, "the program depends on it" },
	{ "plugin.library.paths", NULL, "foreign code is not loaded" },
	{ "bootstrap.servers", NULL, "it has a setting of its own" },
	{ "metadata.broker.list", NULL, "the bootstrap servers have a setting of their own" },
	{ "group.id", NULL, "it has a setting of its own" },
	{ "client.id", NULL, "it has a setting of its own" },
};

static bool check_promises(const struct kafka_property *p, struct err *e)
{
	for (size_t i = 0; i < sizeof promises / sizeof *promises; i++) {
		if (strcmp(p->name, promises[i].name) != 0)
			continue;
		if (promises[i].value && !strcasestr(p->value, promises[i].value))
			continue;
		return err_set(e, ERR_MISUSE, 0, "kafka", "the Kafka property %s may not be set%s%s: %s", p->name,
			       promises[i].value ? " to " : "", promises[i].value ? promises[i].value : "",
			       promises[i].why);
	}
	return true;
}

/* librdkafka's own sentence quotes the value, which may be a secret: it is not passed on. */
static bool set(rd_kafka_conf_t *conf, const char *name, const char *value, struct err *e)
{
	char ignored[8];

	switch (rd_kafka_conf_set(conf, name, value, ignored, sizeof ignored)) {
	case RD_KAFKA_CONF_OK:
		return true;
	case RD_KAFKA_CONF_UNKNOWN:
		return err_set(e, ERR_MISUSE, 0, "kafka", "librdkafka %s does not know the property %s",
			       rd_kafka_version_str(), name);
	default:
		return err_set(e, ERR_MISUSE, 0, "kafka", "librdkafka %s does not take the value given for %s",
			       rd_kafka_version_str(), name);
	}
}

static bool set_identity(rd_kafka_conf_t *conf, const struct kafka_settings *s, enum kafka_role role, struct err *e)
{
	if (!s->bootstrap_servers || !*s->bootstrap_servers)
		return err_set(e, ERR_MISUSE, 0, "kafka", "no Kafka bootstrap servers are configured");
	if (!s->client_id || !*s->client_id || strlen(s->client_id) > KAFKA_CLIENT_ID_MAX)
		return err_set(e, ERR_MISUSE, 0, "kafka", "the Kafka client id must have 1 to %d characters",
			       KAFKA_CLIENT_ID_MAX);
	if (role == KAFKA_ROLE_CONSUMER && (!s->group_id || !*s->group_id))
		return err_set(e, ERR_MISUSE, 0, "kafka", "reading topics needs a Kafka group id");
	return set(conf, "bootstrap.servers", s->bootstrap_servers, e) && set(conf, "client.id", s->client_id, e) &&
	       (role != KAFKA_ROLE_CONSUMER || set(conf, "group.id", s->group_id, e)) &&
	       set(conf, "allow.auto.create.topics", s->create_topics ? "true" : "false", e);
}

/* A partition that has more than the least number waiting is not asked for again for a second (librdkafka 2.0.2). */
static bool fetch_ahead(rd_kafka_conf_t *conf, struct err *e)
{
	return set(conf, "queued.min.messages", "50000", e) && set(conf, "queued.max.messages.kbytes", "65536", e);
}

static bool fill(rd_kafka_conf_t *conf, const struct kafka_settings *s, enum kafka_role role, struct err *e)
{
	for (size_t i = 0; i < sizeof presets / sizeof *presets; i++)
		if (presets[i].roles & (1u << role) && !set(conf, presets[i].name, presets[i].value, e))
			return false;
	if (!set_identity(conf, s, role, e) || (role == KAFKA_ROLE_CONSUMER && s->fetches_ahead && !fetch_ahead(conf, e)))
		return false;
	for (size_t i = 0; i < s->property_count; i++)
		if (!check_promises(&s->properties[i], e) ||
		    !set(conf, s->properties[i].name, s->properties[i].value, e))
			return false;
	return true;
}

/* The bus takes everything as events from its queues; the blocking clients are told of trouble while they poll. */
static bool set_reporting(rd_kafka_conf_t *conf, enum kafka_role role, struct kafka_trouble *trouble, struct err *e)
{
	const bool blocks = role == KAFKA_ROLE_READER || role == KAFKA_ROLE_ASKER;
	int events = RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG;

	kafka_trouble_watch(conf, trouble, blocks);
	if (blocks)
		return true;
	events |= role == KAFKA_ROLE_PRODUCER
		      ? RD_KAFKA_EVENT_DR
		      : RD_KAFKA_EVENT_FETCH | RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_OFFSET_COMMIT;
	rd_kafka_conf_set_events(conf, events);
	return set(conf, "log.queue", "true", e);
}

/* Its sentence names the property: a file that is not there, or a key that the password does not open. */
static rd_kafka_t *open_client(rd_kafka_conf_t *conf, enum kafka_role role, struct err *e)
{
	rd_kafka_type_t type =
	    role == KAFKA_ROLE_CONSUMER || role == KAFKA_ROLE_READER ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER;
	char reason[200];
	rd_kafka_t *client = rd_kafka_new(type, conf, reason, sizeof reason);

	if (client)
		return client;
	err_set(e, ERR_MISUSE, 0, "kafka", "librdkafka refuses the settings: %s%s", reason,
		strncmp(reason, "ssl.", 4) == 0 ? ": is the file there, readable and PEM, and does its password open it?" : "");
	return NULL;
}

rd_kafka_t *kafka_client_new(const struct kafka_settings *s, enum kafka_role role, struct err *e)
{
	struct kafka_trouble *trouble = kafka_trouble_new(s);
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_t *client = NULL;

	if (!trouble)
		err_set(e, ERR_TRANSIENT, 0, "kafka", "no memory for a Kafka client");
	else if (fill(conf, s, role, e) && set_reporting(conf, role, trouble, e))
		client = open_client(conf, role, e);
	if (client)
		return client;
	rd_kafka_conf_destroy(conf);
	free(trouble);
	return NULL;
}
