/* SPDX-License-Identifier: Apache-2.0
 * The desk of sandboxctl on the real terminal, topics and store. */
#ifndef SANDBOX_SANDBOXCTL_DESK_H
#define SANDBOX_SANDBOXCTL_DESK_H

#include "consumer/ctl/desk.h"
#include "consumer/programs/wire.h"

#include <signal.h>

struct kafka_reader;

struct desk {
	struct desk_port port; /* first */
	const volatile sig_atomic_t *stop;
	struct config *config;
	char config_path[4096];
	struct wire_texts kafka_texts, redis_texts;
	struct kafka_settings kafka;
	bool has_kafka;
	char kafka_said[256]; /* the last trouble librdkafka told of */
	struct kafka_reader *reader;
	struct bus_port *bus;
	struct inspect_port *inspect;
	struct codec_port *codec;
	struct deliveries_port *deliveries;
};

/* Fills in all functions. */
void desk_init(struct desk *d, const volatile sig_atomic_t *stop);
void desk_done(struct desk *d);

/* Settings for the topics, made once. */
bool desk_kafka(struct desk *d, struct err *e);
/* sandboxctl_partner.c: deliveries, and posts to a partner. */
void desk_partner(struct desk_port *port);
/* sandboxctl_tenant.c: what the state API lists. */
void desk_tenant(struct desk_port *port);
/* sandboxctl_probes.c: the looks of doctor. */
void desk_probes(struct desk_port *port);

#endif
