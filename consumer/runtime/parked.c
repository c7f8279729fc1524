/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/runtime/parked.h"

#include <stdlib.h>
#include <string.h>

struct parked {
	struct bus_position *waiting; /* as they came */
	size_t count, size;
};

struct parked *parked_new(void)
{
	return calloc(1, sizeof(struct parked));
}

void parked_free(struct parked **p)
{
	if (!*p)
		return;
	free((*p)->waiting);
	free(*p);
	*p = NULL;
}

static bool is_among(const struct bus_position *list, size_t count, const struct bus_position *at)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].topic == at->topic && list[i].partition == at->partition)
			return true;
	return false;
}

bool parked_holds(const struct parked *p, const struct bus_position *at)
{
	return is_among(p->waiting, p->count, at);
}

bool parked_add(struct parked *p, const struct bus_position *at)
{
	if (p->count == p->size) {
		size_t size = p->size ? 2 * p->size : 64;
		struct bus_position *grown = realloc(p->waiting, size * sizeof *grown);

		if (!grown)
			return false;
		p->waiting = grown;
		p->size = size;
	}
	p->waiting[p->count++] = *at;
	return true;
}

size_t parked_count(const struct parked *p)
{
	return p->count;
}

void parked_forget_partition(struct parked *p, const struct bus_position *at)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->count; i++)
		if (!is_among(&p->waiting[i], 1, at))
			p->waiting[kept++] = p->waiting[i];
	p->count = kept;
}

/* What was kept so far names the partitions that go on waiting; there are few of them, so the search is short. */
void parked_retry(struct parked *p, bool (*take)(void *arg, const struct bus_position *at), void *arg)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->count; i++)
		if (is_among(p->waiting, kept, &p->waiting[i]) || !take(arg, &p->waiting[i]))
			p->waiting[kept++] = p->waiting[i];
	p->count = kept;
}
