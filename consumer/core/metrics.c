/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/core/metrics.h"

#include "consumer/core/engine.h"
#include "consumer/core/metrics_priv.h"
#include "consumer/ports/messages.h"
#include "handlers/step.h"

#include <stdlib.h>

#define UNTOUCHED INT64_MIN /* of a gauge: 0 is a value */

const int64_t metric_bounds_ms[METRIC_BOUNDS] = { 1,    5,     10,    50,     100,     500,     1000,
	                                          5000, 15000, 60000, 300000, 1800000, 7200000, 43200000 };

static const char *const steps_of[] = {
#define STEP(nn, slug, ...) #slug,
#include "handlers/steps.def"
#undef STEP
};
static const char *const outcomes[STEP_OUTCOME_END] = {
	[STEP_UNSET] = "none",   [STEP_DONE] = "done",   [STEP_ALREADY] = "already", [STEP_SKIPPED] = "skipped",
	[STEP_WAIT] = "wait",    [STEP_RETRY] = "retry", [STEP_UNSURE] = "unsure",   [STEP_REFUSED] = "refused",
};
static const char *const statuses[CLONE_STATUS_END] = {
	[CLONE_STATUS_UNSET] = "none",      [CLONE_RUNNING] = "running", [CLONE_CANCELLING] = "cancelling",
	[CLONE_COMPLETED] = "completed",    [CLONE_FAILED] = "failed",   [CLONE_PAUSED] = "paused",
	[CLONE_CANCELLED] = "cancelled",    [CLONE_REJECTED] = "rejected",
	[CLONE_ROLLING_BACK] = "rolling_back", [CLONE_ROLLED_BACK] = "rolled_back",
};
static const char *const ports[PORT_END] = {
	[PORT_SQL] = "sql",         [PORT_TENANT] = "hosting",  [PORT_IDENTITY] = "superid", [PORT_MAIL] = "mail",
	[PORT_OBJECTS] = "objects", [PORT_ARCHIVE] = "archive", [PORT_LICENCE] = "licence",  [PORT_APPS] = "apps",
};
static const char *const tries[METRIC_TRY_END] = {
	[METRIC_TRY_UNSET] = "none",
	[METRIC_TRY_DELIVERED] = "delivered",
	[METRIC_TRY_FAILED] = "failed",
	[METRIC_TRY_GIVEN_UP] = "given_up",
};
static const char *const activities[STEP_ACTIVITY_END] = {
	[STEP_IS_QUEUED] = "queued",
	[STEP_MOVES] = "moving",
	[STEP_STANDS_STILL] = "still",
	[STEP_WAITS] = "waiting",
};
static const char *const versions[] = { SANDBOX_VERSION };

#define COUNT(names) (sizeof(names) / sizeof(names)[0])

const struct metric_label metric_labels[LABEL_END] = {
	[LABEL_NONE] = { NULL, NULL, 1 },
	[LABEL_STEP] = { "step", steps_of, COUNT(steps_of) },
	[LABEL_OUTCOME] = { "outcome", outcomes, COUNT(outcomes) },
	[LABEL_STATUS] = { "status", statuses, COUNT(statuses) },
	[LABEL_TOPIC] = { "topic", topic_names, TOPIC_END },
	[LABEL_PARTITION] = { "partition", NULL, METRIC_PARTITIONS + 1 },
	[LABEL_PORT] = { "system", ports, COUNT(ports) },
	[LABEL_TRY] = { "result", tries, COUNT(tries) },
	[LABEL_ACTIVITY] = { "activity", activities, COUNT(activities) },
	[LABEL_VERSION] = { "version", versions, COUNT(versions) },
};

const struct metric_row metric_rows[METRIC_END] = {
#define METRIC(id, name, type, unit, label1, label2, help)                                                             \
	[METRIC_##id] = { name, METRIC_TYPE_##type, METRIC_UNIT_##unit, { LABEL_##label1, LABEL_##label2 }, help },
#include "consumer/core/metrics.def"
#undef METRIC
};

static size_t series_of(const struct metric_row *row)
{
	return metric_labels[row->labels[0]].count * metric_labels[row->labels[1]].count;
}

static size_t cells_of(const struct metric_row *row)
{
	return row->type == METRIC_TYPE_HISTOGRAM ? METRIC_CELLS : 1;
}

size_t metrics_series_max(void)
{
	size_t total = 0;

	for (size_t i = 0; i < METRIC_END; i++)
		total += series_of(&metric_rows[i]);
	return total;
}

struct metrics *metrics_new(void)
{
	struct metrics *m = calloc(1, sizeof *m);
	size_t cells = 0;

	if (!m)
		return NULL;
	for (size_t i = 0; i < METRIC_END; i++) {
		m->first[i] = cells;
		cells += series_of(&metric_rows[i]) * cells_of(&metric_rows[i]);
	}
	m->cells = calloc(cells, sizeof *m->cells);
	if (!m->cells) {
		metrics_free(&m);
		return NULL;
	}
	for (size_t i = 0; i < METRIC_END; i++) {
		for (size_t j = 0; metric_rows[i].type == METRIC_TYPE_GAUGE && j < series_of(&metric_rows[i]); j++)
			atomic_init(&m->cells[m->first[i] + j], UNTOUCHED);
	}
	metrics_set(m, METRIC_BUILD_INFO, 0, 0, 1);
	return m;
}

void metrics_free(struct metrics **m)
{
	if (!m || !*m)
		return;
	free((void *)(*m)->cells);
	free(*m);
	*m = NULL;
}

static size_t within(enum metric_label_id label, size_t value)
{
	size_t count = metric_labels[label].count;

	if (value < count)
		return value;
	return label == LABEL_PARTITION ? METRIC_PARTITIONS : 0;
}

_Atomic int64_t *metric_cells(const struct metrics *m, enum metric_id id, size_t label1, size_t label2)
{
	const struct metric_row *row = &metric_rows[id];
	size_t series = within(row->labels[0], label1) * metric_labels[row->labels[1]].count +
	                within(row->labels[1], label2);

	return &m->cells[m->first[id] + series * cells_of(row)];
}

bool metric_is_touched(enum metric_id id, const _Atomic int64_t *cells)
{
	const struct metric_row *row = &metric_rows[id];

	if (row->labels[0] == LABEL_NONE)
		return true;
	if (row->type == METRIC_TYPE_HISTOGRAM)
		return atomic_load(&cells[METRIC_CELL_COUNT]) != 0;
	return atomic_load(cells) != (row->type == METRIC_TYPE_GAUGE ? UNTOUCHED : 0);
}

int64_t metric_value(const _Atomic int64_t *cell)
{
	int64_t value = atomic_load_explicit(cell, memory_order_relaxed);

	return value == UNTOUCHED ? 0 : value;
}

void metrics_add(struct metrics *m, enum metric_id id, size_t label1, size_t label2, int64_t n)
{
	_Atomic int64_t *cell = metric_cells(m, id, label1, label2);
	int64_t untouched = UNTOUCHED;

	if (metric_rows[id].type == METRIC_TYPE_HISTOGRAM)
		abort(); /* the program means metrics_observe */
	if (metric_rows[id].type == METRIC_TYPE_GAUGE)
		atomic_compare_exchange_strong(cell, &untouched, 0);
	atomic_fetch_add_explicit(cell, n, memory_order_relaxed);
}

void metrics_set(struct metrics *m, enum metric_id id, size_t label1, size_t label2, int64_t value)
{
	if (metric_rows[id].type != METRIC_TYPE_GAUGE)
		abort(); /* counters only grow */
	atomic_store_explicit(metric_cells(m, id, label1, label2), value, memory_order_relaxed);
}

void metrics_raise(struct metrics *m, enum metric_id id, size_t label1, size_t label2, int64_t total)
{
	_Atomic int64_t *cell = metric_cells(m, id, label1, label2);
	int64_t seen = atomic_load(cell);

	if (metric_rows[id].type != METRIC_TYPE_COUNTER)
		abort();
	while (seen < total && !atomic_compare_exchange_weak(cell, &seen, total))
		continue;
}

void metrics_observe(struct metrics *m, enum metric_id id, size_t label1, size_t label2, int64_t ms)
{
	_Atomic int64_t *cells = metric_cells(m, id, label1, label2);
	size_t bucket = 0;

	if (metric_rows[id].type != METRIC_TYPE_HISTOGRAM)
		abort();
	while (bucket < METRIC_BOUNDS && ms > metric_bounds_ms[bucket])
		bucket++;
	atomic_fetch_add_explicit(&cells[bucket], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&cells[METRIC_CELL_SUM], ms, memory_order_relaxed);
	atomic_fetch_add_explicit(&cells[METRIC_CELL_COUNT], 1, memory_order_relaxed);
}

int64_t metrics_get(const struct metrics *m, enum metric_id id, size_t label1, size_t label2)
{
	const _Atomic int64_t *cells = metric_cells(m, id, label1, label2);

	return metric_value(metric_rows[id].type == METRIC_TYPE_HISTOGRAM ? &cells[METRIC_CELL_COUNT] : cells);
}
