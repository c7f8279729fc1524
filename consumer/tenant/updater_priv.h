/* SPDX-License-Identifier: Apache-2.0
 * Inside the updater: shared by its own files only. */
#ifndef SANDBOX_TENANT_UPDATER_PRIV_H
#define SANDBOX_TENANT_UPDATER_PRIV_H

#include "consumer/tenant/known.h"
#include "consumer/tenant/raw_queue.h"
#include "consumer/tenant/updater.h"

struct part { /* a partition that is or was ours */
	enum topic topic;
	int partition;
	int64_t stands; /* what the store says; -1 nothing */
	int64_t next;   /* everything below it is in the batch or in the store */
	bool is_ours;
};

struct batch_item {
	struct message *message;
	enum topic topic;
	int partition;
};

struct updater {
	struct updater_settings s;
	struct bus_port *bus;
	struct known *known;
	int64_t last; /* the number of the last change that `known` has */
	struct part *parts;
	size_t part_count;
	struct batch_item *batch;
	size_t batch_count, batch_size;
	struct raw_queue raw;
	bool paused, store_failed;
	bool unsure; /* the end of the last change is not known */
	int64_t again_ms, raw_again_ms, refresh_at_ms, folded_ms;
	struct err fatal;
};

/* NULL: not one we ever had. */
struct part *updater_part(struct updater *u, enum topic topic, int partition);

/* updater_fold.c */
/* Folds the batch into the store and shows it; the batch is empty then. False and *e: it is still there. TRANSIENT: try
 * again. Anything else is for the process to end. */
bool updater_fold_batch(struct updater *u, struct err *e);
/* Takes in what others changed. */
bool updater_refresh(struct updater *u, struct err *e);
void updater_drop_batch_of(struct updater *u, const struct part *p);

#endif
