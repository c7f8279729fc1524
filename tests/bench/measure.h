/* SPDX-License-Identifier: Apache-2.0
 * What a benchmark measures: processor time and memory of processes, and the trace of steps that a subject leaves. */
#ifndef SANDBOX_BENCH_MEASURE_H
#define SANDBOX_BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

int64_t measure_now_ns(void); /* wall clock: two processes compare it */

/* Processor seconds of all threads so far; 0 when there is no such process (pid 0 is none). */
double measure_cpu_s(pid_t pid);
/* Memory of the process, shared pages counted by their share; 0 when it cannot be told. */
int64_t measure_pss_bytes(pid_t pid);

struct trace_row { /* one call of one step */
	int clone, step;
	int64_t start_ns, end_ns;
};

struct trace {
	struct trace_row *rows;
	size_t count;
};

/* Lines "clone,step,start,end". False: said on stderr why not. */
bool trace_read(const char *path, struct trace *t);
void trace_done(struct trace *t);

struct trace_figures {
	double steps_per_s;
	int64_t gap_p50_ns, gap_p99_ns;     /* from the end of a step to the start of the next of the same clone */
	int64_t clone_p50_ns, clone_p99_ns; /* from the first step's start to the last one's end */
};

/* Of the clones numbered `from` and above; sorts the rows. */
struct trace_figures trace_figures(struct trace *t, int from);

/* The value that the given share (0 to 1) of them do not exceed; sorts them. 0 when there are none. */
int64_t percentile(int64_t *values, size_t count, double share);
double median(double *values, size_t count);

#endif
