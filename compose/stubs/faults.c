/* SPDX-License-Identifier: Apache-2.0 */
#include "compose/stubs/stubs.h"

#include <stdio.h>
#include <string.h>

static const char *const kind_names[FAULT_END] = {
	[FAULT_NONE] = "",
	[FAULT_DELAY] = "delay",
	[FAULT_STATUS] = "status",
	[FAULT_HANG] = "hang",
	[FAULT_RESET] = "reset",
	[FAULT_NONSENSE] = "nonsense",
	[FAULT_ENDLESS] = "endless",
	[FAULT_ACT_THEN_HANG] = "act-then-hang",
	[FAULT_ACT_THEN_RESET] = "act-then-reset",
	[FAULT_ACT_THEN_LATE] = "act-then-late",
};

const char *fault_name(enum fault_kind kind)
{
	return kind_names[kind];
}

static bool take_text(const json_t *order, const char *name, char *out_r, size_t size)
{
	const json_t *value = json_object_get(order, name);

	out_r[0] = '\0';
	if (!value)
		return true;
	if (!json_is_string(value) || json_string_length(value) >= size)
		return false;
	memcpy(out_r, json_string_value(value), json_string_length(value) + 1);
	return true;
}

static bool take_number(const json_t *order, const char *name, int or_else, int max, int *number_r)
{
	const json_t *value = json_object_get(order, name);

	*number_r = value ? (int)json_integer_value(value) : or_else;
	return !value ||
	       (json_is_integer(value) && json_integer_value(value) >= -1 && json_integer_value(value) <= max);
}

static enum fault_kind kind_of_name(const char *name)
{
	for (int k = FAULT_NONE + 1; k < FAULT_END; k++)
		if (strcmp(kind_names[k], name) == 0)
			return (enum fault_kind)k;
	return FAULT_NONE;
}

static bool read_fault(const json_t *order, struct fault *fault_r)
{
	char kind[32];

	if (!take_text(order, "kind", kind, sizeof kind) ||
	    !take_text(order, "system", fault_r->system, sizeof fault_r->system) ||
	    !take_text(order, "method", fault_r->method, sizeof fault_r->method) ||
	    !take_text(order, "path", fault_r->path, sizeof fault_r->path) ||
	    !take_number(order, "ms", 0, 3600 * 1000, &fault_r->ms) ||
	    !take_number(order, "status", 503, 599, &fault_r->status) ||
	    !take_number(order, "retry_after_s", 0, 1000 * 1000, &fault_r->retry_after_s) ||
	    !take_number(order, "times", 1, 1000 * 1000, &fault_r->times))
		return false;
	fault_r->kind = kind_of_name(kind);
	return fault_r->kind != FAULT_NONE && fault_r->status >= 200 && fault_r->times != 0;
}

bool faults_add(struct faults *f, const json_t *order)
{
	if (f->count == FAULTS_MAX || !read_fault(order, &f->list[f->count]))
		return false;
	f->count++;
	return true;
}

void faults_clear(struct faults *f)
{
	f->count = 0;
	f->generation++;
}

static bool fault_matches(const struct fault *fault, const char *system, const char *method, const char *path)
{
	return (!*fault->system || strcmp(fault->system, system) == 0) &&
	       (!*fault->method || strcmp(fault->method, method) == 0) &&
	       strncmp(fault->path, path, strlen(fault->path)) == 0;
}

struct fault faults_take(struct faults *f, const char *system, const char *method, const char *path)
{
	for (size_t i = 0; i < f->count; i++) {
		struct fault taken = f->list[i];

		if (!fault_matches(&taken, system, method, path))
			continue;
		if (taken.times > 0 && --f->list[i].times == 0) {
			f->count--;
			memmove(&f->list[i], &f->list[i + 1], (f->count - i) * sizeof *f->list);
		}
		return taken;
	}
	return (struct fault){ 0 };
}
