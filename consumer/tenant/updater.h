/* SPDX-License-Identifier: Apache-2.0
 * The tenant-state updater: reads the three topics, folds what they tell into the store in batches, and shows the rows
 * on the board. One thread. */
#ifndef SANDBOX_TENANT_UPDATER_H
#define SANDBOX_TENANT_UPDATER_H

#include "consumer/core/log.h"
#include "consumer/core/metrics.h"
#include "consumer/ports/bus.h"
#include "consumer/ports/codec.h"
#include "consumer/ports/tenants.h"
#include "consumer/tenant/board.h"

#include <signal.h>

struct updater_settings { /* all borrowed */
	struct codec_port *codec;
	struct tenants_port *tenants;
	struct board *board;
	struct log *log;
	struct metrics *metrics;
	size_t batch;        /* events folded in one change, at most */
	int64_t refresh_ms;  /* how often it looks for changes of other instances while there is nothing to fold */
	const volatile sig_atomic_t *stop; /* ends when it is not 0 */
	_Atomic int64_t *alive_ms; /* of updater_now_ms(): the last turn */
	_Atomic bool *ready;       /* partitions are assigned and the store answers */
};

struct updater;

int64_t updater_now_ms(void);

/* Reads everything the store knows onto the board. NULL and *e when it cannot be reached. */
struct updater *updater_new(const struct updater_settings *settings, struct err *e);
void updater_free(struct updater **u);

/* For the bus (kafka_settings.start_at): where the store says that a partition stands. */
bool updater_start_at(void *updater, enum topic topic, int partition, int64_t *offset_r);

/* Until it is asked to stop. False and *e when the process has to be started again. */
bool updater_run(struct updater *u, struct bus_port *bus, struct err *e);

#endif
