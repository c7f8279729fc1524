/* SPDX-License-Identifier: Apache-2.0
 * Open addressing, linear probing; a removed entry leaves a marker that the next growth sweeps away. */
#include "consumer/core/table.h"

#include <stdlib.h>
#include <string.h>

static const char removed[] = "";

static uint64_t hash_of(const char *key)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * UINT64_C(1099511628211);
	return h ^ (h >> 29);
}

void table_done(struct table *t)
{
	free(t->slots);
	*t = (struct table){ 0 };
}

static struct table_entry *find(const struct table *t, const char *key)
{
	if (!t->size)
		return NULL;
	for (size_t i = hash_of(key) & (t->size - 1);; i = (i + 1) & (t->size - 1)) {
		struct table_entry *e = &t->slots[i];

		if (!e->key)
			return NULL;
		if (e->key != removed && strcmp(e->key, key) == 0)
			return e;
	}
}

static void put(struct table *t, const char *key, uint64_t value)
{
	size_t i = hash_of(key) & (t->size - 1);

	while (t->slots[i].key)
		i = (i + 1) & (t->size - 1);
	t->slots[i] = (struct table_entry){ key, value };
	t->used++;
	t->count++;
}

static bool grow(struct table *t)
{
	struct table grown = { .size = 64 };

	while (grown.size < 4 * (t->count + 1))
		grown.size *= 2;
	grown.slots = calloc(grown.size, sizeof *grown.slots);
	if (!grown.slots)
		return false;
	for (size_t i = 0; i < t->size; i++)
		if (t->slots[i].key && t->slots[i].key != removed)
			put(&grown, t->slots[i].key, t->slots[i].value);
	free(t->slots);
	*t = grown;
	return true;
}

bool table_set(struct table *t, const char *key, uint64_t value)
{
	struct table_entry *e = find(t, key);

	if (e) {
		e->key = key;
		e->value = value;
		return true;
	}
	if (2 * (t->used + 1) > t->size && !grow(t))
		return false;
	put(t, key, value);
	return true;
}

bool table_get(const struct table *t, const char *key, uint64_t *value_r)
{
	const struct table_entry *e = find(t, key);

	if (e)
		*value_r = e->value;
	return e != NULL;
}

void table_remove(struct table *t, const char *key)
{
	struct table_entry *e = find(t, key);

	if (!e)
		return;
	*e = (struct table_entry){ removed, 0 };
	t->count--;
}
