/* SPDX-License-Identifier: Apache-2.0
 * Shared by metrics.c (counting) and metrics_text.c (writing out). */
#ifndef SANDBOX_CORE_METRICS_PRIV_H
#define SANDBOX_CORE_METRICS_PRIV_H

#include "consumer/core/metrics.h"

#include <stdatomic.h>

enum metric_type { METRIC_TYPE_UNSET, METRIC_TYPE_COUNTER, METRIC_TYPE_GAUGE, METRIC_TYPE_HISTOGRAM };
enum metric_unit { METRIC_UNIT_ONE, METRIC_UNIT_MS };
enum metric_label_id {
	LABEL_NONE,
	LABEL_STEP,
	LABEL_OUTCOME,
	LABEL_STATUS,
	LABEL_TOPIC,
	LABEL_PARTITION,
	LABEL_PORT,
	LABEL_TRY,
	LABEL_ACTIVITY,
	LABEL_VERSION,
	LABEL_END
};

/* Cells of one histogram series: what fell between two bounds, what lay above the last, sum, count. */
enum { METRIC_BOUNDS = 14, METRIC_CELL_SUM = METRIC_BOUNDS + 1, METRIC_CELL_COUNT, METRIC_CELLS };

struct metric_label {
	const char *name;
	const char *const *values; /* NULL: the number itself */
	size_t count;
};

struct metric_row {
	const char *name;
	enum metric_type type;
	enum metric_unit unit;
	enum metric_label_id labels[2];
	const char *help;
};

struct metrics {
	_Atomic int64_t *cells;
	size_t first[METRIC_END]; /* cell of each metric */
};

extern const struct metric_label metric_labels[LABEL_END];
extern const struct metric_row metric_rows[METRIC_END];
extern const int64_t metric_bounds_ms[METRIC_BOUNDS];

/* The cells of one series. */
_Atomic int64_t *metric_cells(const struct metrics *m, enum metric_id id, size_t label1, size_t label2);
/* Was the series ever counted in? One without labels always was. */
bool metric_is_touched(enum metric_id id, const _Atomic int64_t *cells);
int64_t metric_value(const _Atomic int64_t *cell);

#endif
