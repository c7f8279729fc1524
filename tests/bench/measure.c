/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/measure.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int64_t measure_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- processes ---- */

static FILE *open_proc(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	return pid > 0 ? fopen(path, "r") : NULL;
}

double measure_cpu_s(pid_t pid)
{
	FILE *f = open_proc(pid, "stat");
	unsigned long user = 0, system = 0;
	char line[1024], *at;

	if (!f)
		return 0;
	at = fgets(line, sizeof line, f) ? strrchr(line, ')') : NULL; /* the name before it may hold anything */
	fclose(f);
	if (!at || sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
		return 0;
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

int64_t measure_pss_bytes(pid_t pid)
{
	FILE *f = open_proc(pid, "smaps_rollup");
	char line[256];
	int64_t kib = 0;

	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "Pss: %" SCNd64, &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib * 1024;
}

/* ---- the trace ---- */

static bool grow(struct trace *t, size_t *size)
{
	struct trace_row *grown;

	*size = *size ? 2 * *size : 4096;
	grown = realloc(t->rows, *size * sizeof *grown);
	if (grown)
		t->rows = grown;
	return grown != NULL;
}

bool trace_read(const char *path, struct trace *t)
{
	FILE *f = fopen(path, "r");
	struct trace_row row;
	size_t size = 0;

	*t = (struct trace){ 0 };
	if (!f) {
		perror(path);
		return false;
	}
	while (fscanf(f, "%d,%d,%" SCNd64 ",%" SCNd64, &row.clone, &row.step, &row.start_ns, &row.end_ns) == 4) {
		if (t->count == size && !grow(t, &size))
			break;
		t->rows[t->count++] = row;
	}
	fclose(f);
	if (t->count)
		return true;
	fprintf(stderr, "%s has no steps in it\n", path);
	return false;
}

void trace_done(struct trace *t)
{
	free(t->rows);
	*t = (struct trace){ 0 };
}

static int by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int64_t percentile(int64_t *values, size_t count, double share)
{
	size_t at = (size_t)((double)count * share);

	if (!count)
		return 0;
	qsort(values, count, sizeof *values, by_number);
	return values[at < count ? at : count - 1];
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double median(double *values, size_t count)
{
	if (!count)
		return 0;
	qsort(values, count, sizeof *values, by_size);
	return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static int by_clone_and_time(const void *a, const void *b)
{
	const struct trace_row *x = a, *y = b;

	if (x->clone != y->clone)
		return x->clone < y->clone ? -1 : 1;
	return (x->start_ns > y->start_ns) - (x->start_ns < y->start_ns);
}

struct spans { /* of a trace under way */
	int64_t *gaps, *clones;
	size_t gap_count, clone_count;
	int64_t first_ns, last_ns;
	size_t steps;
};

static void take_row(struct spans *s, const struct trace_row *row, const struct trace_row *before)
{
	bool same = before && before->clone == row->clone;

	if (same)
		s->gaps[s->gap_count++] = row->start_ns - before->end_ns;
	else
		s->clones[s->clone_count++] = -row->start_ns;
	if (!s->steps++ || row->start_ns < s->first_ns)
		s->first_ns = row->start_ns;
	if (row->end_ns > s->last_ns)
		s->last_ns = row->end_ns;
}

static void end_clone(struct spans *s, const struct trace_row *last)
{
	s->clones[s->clone_count - 1] += last->end_ns;
}

struct trace_figures trace_figures(struct trace *t, int from)
{
	struct spans s = { .gaps = calloc(t->count + 1, sizeof(int64_t)), .clones = calloc(t->count + 1, sizeof(int64_t)) };
	struct trace_figures f = { 0 };
	const struct trace_row *before = NULL;

	if (!s.gaps || !s.clones)
		abort();
	qsort(t->rows, t->count, sizeof *t->rows, by_clone_and_time);
	for (size_t i = 0; i < t->count; i++) {
		if (t->rows[i].clone < from)
			continue;
		if (before && before->clone != t->rows[i].clone)
			end_clone(&s, before);
		take_row(&s, &t->rows[i], before);
		before = &t->rows[i];
	}
	if (before) {
		end_clone(&s, before);
		f.steps_per_s = (double)s.steps / ((double)(s.last_ns - s.first_ns) / 1e9);
	}
	f.gap_p50_ns = percentile(s.gaps, s.gap_count, 0.5);
	f.gap_p99_ns = percentile(s.gaps, s.gap_count, 0.99);
	f.clone_p50_ns = percentile(s.clones, s.clone_count, 0.5);
	f.clone_p99_ns = percentile(s.clones, s.clone_count, 0.99);
	free(s.gaps);
	free(s.clones);
	return f;
}
