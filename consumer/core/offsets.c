/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/core/offsets.h"

#include <stdlib.h>
#include <string.h>

struct partition {
	enum topic topic;
	int number;
	int64_t *open; /* offsets under way, rising */
	size_t count, size;
	int64_t next;      /* behind the greatest offset ever begun; -1 before the first */
	int64_t committed; /* what the group knows: where reading began, then the last handed out */
	bool revoked;
};

struct offsets {
	struct partition *partitions;
	size_t count, size;
};

struct offsets *offsets_new(void)
{
	return calloc(1, sizeof(struct offsets));
}

void offsets_free(struct offsets **o)
{
	if (!o || !*o)
		return;
	for (size_t i = 0; i < (*o)->count; i++)
		free((*o)->partitions[i].open);
	free((*o)->partitions);
	free(*o);
	*o = NULL;
}

static struct partition *find(struct offsets *o, enum topic topic, int number)
{
	for (size_t i = 0; i < o->count; i++)
		if (o->partitions[i].topic == topic && o->partitions[i].number == number)
			return &o->partitions[i];
	return NULL;
}

bool offsets_assign(struct offsets *o, enum topic topic, int partition)
{
	offsets_drop(o, topic, partition);
	if (o->count == o->size) {
		size_t size = o->size ? 2 * o->size : 16;
		struct partition *grown = realloc(o->partitions, size * sizeof *grown);

		if (!grown)
			return false;
		o->partitions = grown;
		o->size = size;
	}
	o->partitions[o->count++] = (struct partition){ .topic = topic, .number = partition, .next = -1, .committed = -1 };
	return true;
}

void offsets_drop(struct offsets *o, enum topic topic, int partition)
{
	struct partition *p = find(o, topic, partition);

	if (!p)
		return;
	free(p->open);
	*p = o->partitions[--o->count];
}

void offsets_revoke(struct offsets *o, enum topic topic, int partition)
{
	struct partition *p = find(o, topic, partition);

	if (p)
		p->revoked = true;
}

void offsets_drop_revoked(struct offsets *o)
{
	for (size_t i = o->count; i-- > 0;)
		if (o->partitions[i].revoked)
			offsets_drop(o, o->partitions[i].topic, o->partitions[i].number);
}

/* Index of the first open offset that is not below. */
static size_t lower_bound(const struct partition *p, int64_t offset)
{
	size_t low = 0, high = p->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->open[middle] < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool offsets_begin(struct offsets *o, const struct bus_position *at)
{
	struct partition *p = find(o, at->topic, at->partition);
	size_t i;

	if (!p)
		return true;
	i = lower_bound(p, at->offset);
	if (i < p->count && p->open[i] == at->offset)
		return true;
	if (p->count == p->size) {
		size_t size = p->size ? 2 * p->size : 64;
		int64_t *grown = realloc(p->open, size * sizeof *grown);

		if (!grown)
			return false;
		p->open = grown;
		p->size = size;
	}
	memmove(&p->open[i + 1], &p->open[i], (p->count - i) * sizeof *p->open);
	p->open[i] = at->offset;
	p->count++;
	if (p->next < 0)
		p->committed = at->offset; /* where reading began: nothing to say before something moves */
	if (at->offset >= p->next)
		p->next = at->offset + 1;
	return true;
}

void offsets_end(struct offsets *o, const struct bus_position *at)
{
	struct partition *p = find(o, at->topic, at->partition);
	size_t i;

	if (!p)
		return;
	i = lower_bound(p, at->offset);
	if (i == p->count || p->open[i] != at->offset)
		return;
	p->count--;
	memmove(&p->open[i], &p->open[i + 1], (p->count - i) * sizeof *p->open);
}

bool offsets_next_commit(struct offsets *o, struct bus_position *at_r)
{
	for (size_t i = 0; i < o->count; i++) {
		struct partition *p = &o->partitions[i];
		int64_t ready = p->count ? p->open[0] : p->next;

		if (ready <= p->committed)
			continue;
		p->committed = ready;
		*at_r = (struct bus_position){ .topic = p->topic, .partition = p->number, .offset = ready };
		return true;
	}
	return false;
}
