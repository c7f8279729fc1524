/* SPDX-License-Identifier: Apache-2.0
 * Counters of a program (metrics.def), added to from any thread without a lock, and their text for Prometheus. */
#ifndef SANDBOX_CORE_METRICS_H
#define SANDBOX_CORE_METRICS_H

#include "handlers/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum metric_id {
#define METRIC(id, ...) METRIC_##id,
#include "consumer/core/metrics.def"
#undef METRIC
	METRIC_END
};

enum { METRIC_PARTITIONS = 64, METRICS_TEXT_MAX = 4 * 1024 * 1024 }; /* partitions from 64 on share one series */

/* The values of a label are the numbers of an enum: STEP enum step_id, OUTCOME enum step_outcome, STATUS enum
 * clone_status, TOPIC enum topic, PORT enum step_port, PARTITION the number, TRY enum metric_try, ACTIVITY enum step_activity; NONE and VERSION 0.
 * A number outside the enum counts as its value 0. */
enum metric_try { METRIC_TRY_UNSET, METRIC_TRY_DELIVERED, METRIC_TRY_FAILED, METRIC_TRY_GIVEN_UP, METRIC_TRY_END };

enum metrics_format { METRICS_PROMETHEUS, METRICS_OPENMETRICS };

struct metrics;

/* NULL when memory is short. */
struct metrics *metrics_new(void);
void metrics_free(struct metrics **m);

/* Of a COUNTER or GAUGE; n < 0 is for gauges only. */
void metrics_add(struct metrics *m, enum metric_id id, size_t label1, size_t label2, int64_t n);
/* Of a GAUGE. */
void metrics_set(struct metrics *m, enum metric_id id, size_t label1, size_t label2, int64_t value);
/* Of a COUNTER whose total is kept elsewhere; it never goes down. */
void metrics_raise(struct metrics *m, enum metric_id id, size_t label1, size_t label2, int64_t total);
/* Of a HISTOGRAM. */
void metrics_observe(struct metrics *m, enum metric_id id, size_t label1, size_t label2, int64_t ms);
int64_t metrics_get(const struct metrics *m, enum metric_id id, size_t label1, size_t label2);

/* How many series there can ever be: a constant of the program. */
size_t metrics_series_max(void);

/* The form that an Accept header prefers; NULL or nonsense is Prometheus 0.0.4. */
enum metrics_format metrics_format_for(const char *accept);
const char *metrics_content_type(enum metrics_format format);
/* Appends the text; series that were never touched are left out, except those without labels. */
bool metrics_write(const struct metrics *m, enum metrics_format format, struct buf *out);

#endif
