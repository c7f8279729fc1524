/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/kafka/kafka_topics.h"

#include "consumer/adapters/kafka/kafka_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DESTROY_WITHIN_MS = 3000 };

struct asker {
	rd_kafka_t *client;
	rd_kafka_queue_t *queue;
	int within_ms;
};

static bool asker_init(struct asker *a, const struct kafka_settings *s, int within_ms, struct err *e)
{
	*a = (struct asker){ .within_ms = within_ms };
	a->client = kafka_client_new(s, KAFKA_ROLE_ASKER, e);
	if (!a->client)
		return false;
	a->queue = rd_kafka_queue_new(a->client);
	return true;
}

static void asker_done(struct asker *a)
{
	if (!a->client)
		return;
	rd_kafka_queue_destroy(a->queue);
	kafka_clients_destroy(a->client, NULL, DESTROY_WITHIN_MS);
}

static rd_kafka_AdminOptions_t *options_for(struct asker *a, rd_kafka_admin_op_t operation)
{
	rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(a->client, operation);
	char ignored[8];

	rd_kafka_AdminOptions_set_request_timeout(options, a->within_ms, ignored, sizeof ignored);
	if (operation == RD_KAFKA_ADMIN_OP_CREATETOPICS || operation == RD_KAFKA_ADMIN_OP_CREATEPARTITIONS)
		rd_kafka_AdminOptions_set_operation_timeout(options, a->within_ms, ignored, sizeof ignored);
	return options;
}

/* The answer to what was asked; NULL and *e when there is none. The options are given away. */
static rd_kafka_event_t *await(struct asker *a, rd_kafka_AdminOptions_t *options, const char *what, struct err *e)
{
	rd_kafka_event_t *event = rd_kafka_queue_poll(a->queue, a->within_ms + 1000);
	rd_kafka_resp_err_t code = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR_NO_ERROR;

	rd_kafka_AdminOptions_destroy(options);
	rd_kafka_poll(a->client, 0);
	if (!event) {
		err_set(e, ERR_UNSURE, 0, "kafka", "%s: the brokers did not answer in time", what);
	} else if (code) {
		kafka_trouble_err(a->client, code, what, e);
		rd_kafka_event_destroy(event);
		event = NULL;
	}
	return event;
}

/* ---- looking ---- */

static void take_entry(struct topic_facts *facts, const rd_kafka_ConfigEntry_t *entry)
{
	const char *value = rd_kafka_ConfigEntry_value(entry);

	for (int s = 0; s < TOPIC_SETTING_END; s++)
		if (strcmp(rd_kafka_ConfigEntry_name(entry), topic_setting_names[s]) == 0)
			snprintf(facts->settings[s], TOPIC_VALUE_MAX, "%s", value ? value : "");
}

static bool take_settings(const rd_kafka_ConfigResource_t *topic, struct topic_facts *facts, struct err *e)
{
	size_t count;
	const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(topic, &count);
	rd_kafka_resp_err_t code = rd_kafka_ConfigResource_error(topic);

	if (code)
		return kafka_err_set(e, code, "kafka", rd_kafka_ConfigResource_name(topic));
	for (size_t i = 0; i < count; i++)
		take_entry(facts, entries[i]);
	return true;
}

/* The settings of those topics, as an event; NULL and *e. */
static rd_kafka_event_t *ask_settings(struct asker *a, const bool wanted[TOPIC_END], struct err *e)
{
	rd_kafka_AdminOptions_t *options = options_for(a, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
	rd_kafka_ConfigResource_t *topics[TOPIC_END];
	size_t count = 0;

	for (int t = TOPIC_UNSET + 1; t < TOPIC_END; t++)
		if (wanted[t])
			topics[count++] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic_name((enum topic)t));
	rd_kafka_DescribeConfigs(a->client, topics, count, options, a->queue);
	rd_kafka_ConfigResource_destroy_array(topics, count);
	return await(a, options, "the settings of the topics cannot be seen", e);
}

static bool look_at_settings(struct asker *a, struct kafka_facts *facts, struct err *e)
{
	const rd_kafka_ConfigResource_t **topics;
	bool wanted[TOPIC_END] = { false }, any = false, ok = true;
	rd_kafka_event_t *event;
	size_t count;

	for (int t = TOPIC_UNSET + 1; t < TOPIC_END; t++)
		any |= wanted[t] = facts->topics[t].exists;
	if (!any)
		return true;
	event = ask_settings(a, wanted, e);
	if (!event)
		return false;
	topics = rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event), &count);
	for (size_t i = 0; i < count && ok; i++)
		ok = take_settings(topics[i], &facts->topics[kafka_topic_by_name(rd_kafka_ConfigResource_name(topics[i]))],
				   e);
	rd_kafka_event_destroy(event);
	return ok;
}

bool kafka_topics_look(const struct kafka_settings *s, int within_ms, struct kafka_facts *facts_r, struct err *e)
{
	struct asker a;
	bool ok;

	if (!kafka_describe(s, within_ms, facts_r, e) || !asker_init(&a, s, within_ms, e))
		return false;
	ok = look_at_settings(&a, facts_r, e);
	asker_done(&a);
	return ok;
}

/* ---- changing ---- */

struct order {
	const struct topic_change *changes;
	size_t count;
	int replicas;
};

static bool check_results(const rd_kafka_topic_result_t **results, size_t count, struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[i]);

		if (code && code != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
			return kafka_err_set(e, code, "kafka", rd_kafka_topic_result_name(results[i]));
	}
	return true;
}

static rd_kafka_NewTopic_t *new_topic(const struct topic_change *change, int replicas)
{
	char ignored[8];
	rd_kafka_NewTopic_t *t = rd_kafka_NewTopic_new(topic_name(change->topic), atoi(change->wanted), replicas, ignored,
						       sizeof ignored);

	for (enum topic_setting s = TOPIC_CLEANUP_POLICY; t && s < TOPIC_SETTING_END; s++) {
		const char *value = topic_standard(change->topic, s, replicas);

		if (*value)
			rd_kafka_NewTopic_set_config(t, topic_setting_names[s], value);
	}
	return t;
}

static bool make(struct asker *a, const struct order *o, struct err *e)
{
	rd_kafka_NewTopic_t *plan[TOPIC_END];
	rd_kafka_AdminOptions_t *options;
	const rd_kafka_topic_result_t **results;
	rd_kafka_event_t *event;
	size_t count = 0;
	bool ok = false;

	for (size_t i = 0; i < o->count; i++)
		if (o->changes[i].remedy == TOPIC_MAKE && (plan[count] = new_topic(&o->changes[i], o->replicas)))
			count++;
	if (!count)
		return true;
	options = options_for(a, RD_KAFKA_ADMIN_OP_CREATETOPICS);
	rd_kafka_CreateTopics(a->client, plan, count, options, a->queue);
	rd_kafka_NewTopic_destroy_array(plan, count);
	event = await(a, options, "the topics could not be made", e);
	if (event) {
		results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
		ok = check_results(results, count, e);
		rd_kafka_event_destroy(event);
	}
	return ok;
}

static bool grow(struct asker *a, const struct order *o, struct err *e)
{
	rd_kafka_NewPartitions_t *plan[TOPIC_END];
	rd_kafka_AdminOptions_t *options;
	const rd_kafka_topic_result_t **results;
	rd_kafka_event_t *event;
	char ignored[8];
	size_t count = 0;
	bool ok = false;

	for (size_t i = 0; i < o->count; i++)
		if (o->changes[i].remedy == TOPIC_GROW &&
		    (plan[count] = rd_kafka_NewPartitions_new(topic_name(o->changes[i].topic),
							      (size_t)atoi(o->changes[i].wanted), ignored, sizeof ignored)))
			count++;
	if (!count)
		return true;
	options = options_for(a, RD_KAFKA_ADMIN_OP_CREATEPARTITIONS);
	rd_kafka_CreatePartitions(a->client, plan, count, options, a->queue);
	rd_kafka_NewPartitions_destroy_array(plan, count);
	event = await(a, options, "the topics could not get more partitions", e);
	if (event) {
		results = rd_kafka_CreatePartitions_result_topics(rd_kafka_event_CreatePartitions_result(event), &count);
		ok = check_results(results, count, e);
		rd_kafka_event_destroy(event);
	}
	return ok;
}

static const char *new_value(const struct order *o, const char *topic, const char *name)
{
	for (size_t i = 0; i < o->count; i++) {
		const struct topic_change *c = &o->changes[i];

		if (c->remedy == TOPIC_SET && strcmp(topic_name(c->topic), topic) == 0 &&
		    strcmp(topic_setting_names[c->setting], name) == 0)
			return c->wanted;
	}
	return NULL;
}

/* A change of settings replaces all of a topic's own (librdkafka before 2.3 cannot change one), so those that were set
 * by others are said again. */
static rd_kafka_ConfigResource_t *with_its_own(const rd_kafka_ConfigResource_t *topic, const struct order *o)
{
	size_t count;
	const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(topic, &count);
	const char *name = rd_kafka_ConfigResource_name(topic);
	rd_kafka_ConfigResource_t *copy = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name);

	for (size_t i = 0; i < count; i++) {
		const char *key = rd_kafka_ConfigEntry_name(entries[i]), *old = rd_kafka_ConfigEntry_value(entries[i]);
		const bool is_own = rd_kafka_ConfigEntry_source(entries[i]) == RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG;

		if (old && is_own && !new_value(o, name, key))
			rd_kafka_ConfigResource_set_config(copy, key, old);
	}
	for (int s = 0; s < TOPIC_SETTING_END; s++) {
		const char *wanted = new_value(o, name, topic_setting_names[s]);

		if (wanted)
			rd_kafka_ConfigResource_set_config(copy, topic_setting_names[s], wanted);
	}
	return copy;
}

/* What could not be read would be set back: then nothing is changed. */
static bool plan_settings(rd_kafka_event_t *seen, const struct order *o, rd_kafka_ConfigResource_t **plan,
			  size_t *planned_r, struct err *e)
{
	size_t count;
	const rd_kafka_ConfigResource_t **topics =
	    rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(seen), &count);

	for (*planned_r = 0; *planned_r < count; ++*planned_r) {
		const rd_kafka_ConfigResource_t *topic = topics[*planned_r];

		if (rd_kafka_ConfigResource_error(topic))
			return kafka_err_set(e, rd_kafka_ConfigResource_error(topic), "kafka",
					     rd_kafka_ConfigResource_name(topic));
		plan[*planned_r] = with_its_own(topic, o);
	}
	return true;
}

static bool alter(struct asker *a, rd_kafka_ConfigResource_t **plan, size_t count, struct err *e)
{
	rd_kafka_AdminOptions_t *options = options_for(a, RD_KAFKA_ADMIN_OP_ALTERCONFIGS);
	const rd_kafka_ConfigResource_t **results;
	rd_kafka_event_t *event;
	bool ok = true;

	rd_kafka_AlterConfigs(a->client, plan, count, options, a->queue);
	event = await(a, options, "the settings of the topics could not be changed", e);
	if (!event)
		return false;
	results = rd_kafka_AlterConfigs_result_resources(rd_kafka_event_AlterConfigs_result(event), &count);
	for (size_t i = 0; i < count && ok; i++) {
		rd_kafka_resp_err_t code = rd_kafka_ConfigResource_error(results[i]);

		if (code)
			ok = kafka_err_set(e, code, "kafka", rd_kafka_ConfigResource_name(results[i]));
	}
	rd_kafka_event_destroy(event);
	return ok;
}

static bool set_settings(struct asker *a, const struct order *o, struct err *e)
{
	rd_kafka_ConfigResource_t *plan[TOPIC_END];
	bool wanted[TOPIC_END] = { false }, any = false, ok;
	rd_kafka_event_t *seen;
	size_t count;

	for (size_t i = 0; i < o->count; i++)
		if (o->changes[i].remedy == TOPIC_SET)
			any = wanted[o->changes[i].topic] = true;
	if (!any)
		return true;
	seen = ask_settings(a, wanted, e);
	if (!seen)
		return false;
	ok = plan_settings(seen, o, plan, &count, e) && alter(a, plan, count, e);
	rd_kafka_ConfigResource_destroy_array(plan, count);
	rd_kafka_event_destroy(seen);
	return ok;
}

bool kafka_topics_apply(const struct kafka_settings *s, const struct topic_change *changes, size_t count, int replicas,
			int within_ms, struct err *e)
{
	const struct order order = { changes, count, replicas };
	struct asker a;
	bool ok;

	if (!asker_init(&a, s, within_ms, e))
		return false;
	ok = make(&a, &order, e) && grow(&a, &order, e) && set_settings(&a, &order, e);
	asker_done(&a);
	return ok;
}
