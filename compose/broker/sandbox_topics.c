/* SPDX-License-Identifier: Apache-2.0
 * sandbox-topics: makes our topics on a real Kafka, with the settings that docs/kafka.md lists, and says what is there.
 */
#include "consumer/adapters/kafka/kafka_admin.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROPERTIES_MAX = 64, WITHIN_MS = 20000 };

static const char usage[] = "Usage: sandbox-topics --bootstrap HOST:PORT[,...] [OPTION...]\n"
			    "Makes the topics of sandbox-clone that do not exist yet; what exists is left as it is.\n"
			    "\n"
			    "  --partitions N         partitions of each new topic (default 4)\n"
			    "  --replicas N           copies of each partition (default 1)\n"
			    "  --property NAME=VALUE  a property of librdkafka; may be repeated\n";

struct options {
	struct kafka_settings kafka;
	struct kafka_property properties[PROPERTIES_MAX];
	int partitions, replicas;
};

static bool add_property(struct options *o, char *text)
{
	char *value = strchr(text, '=');

	if (!value || o->kafka.property_count == PROPERTIES_MAX)
		return false;
	*value++ = '\0';
	o->properties[o->kafka.property_count++] = (struct kafka_property){ text, value };
	return true;
}

static bool parse(int argc, char **argv, struct options *o)
{
	static const struct option names[] = {
		{ "bootstrap", required_argument, NULL, 'b' },
		{ "partitions", required_argument, NULL, 'p' },
		{ "replicas", required_argument, NULL, 'r' },
		{ "property", required_argument, NULL, 'x' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	*o = (struct options){ .partitions = 4, .replicas = 1, .kafka.client_id = "sandbox-topics" };
	o->kafka.properties = o->properties;
	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (c) {
		case 'b':
			o->kafka.bootstrap_servers = optarg;
			break;
		case 'p':
			o->partitions = atoi(optarg);
			break;
		case 'r':
			o->replicas = atoi(optarg);
			break;
		case 'x':
			if (!add_property(o, optarg))
				return false;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			return false;
		}
	}
	return o->kafka.bootstrap_servers && optind == argc;
}

int main(int argc, char **argv)
{
	struct err e = { 0 };
	struct kafka_facts facts;
	struct options o;

	if (!parse(argc, argv, &o)) {
		fputs(usage, stderr);
		return 2;
	}
	if (!kafka_topics_create(&o.kafka, o.partitions, o.replicas, WITHIN_MS, &e) ||
	    !kafka_describe(&o.kafka, WITHIN_MS, &facts, &e)) {
		fprintf(stderr, "sandbox-topics: %s\n", e.text);
		return 1;
	}
	for (int topic = TOPIC_UNSET + 1; topic < TOPIC_END; topic++)
		printf("%-32s %d partitions, %d replicas\n", topic_name((enum topic)topic),
		       facts.topics[topic].partitions, facts.topics[topic].replicas);
	return 0;
}
