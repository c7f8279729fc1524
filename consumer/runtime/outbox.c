/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/runtime/outbox.h"
#include "consumer/core/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct box {
	char clone_id[CLONE_ID_MAX + 1];
	struct outbox_entry *entries; /* by rising sequence */
	size_t count, size;
};

struct outbox {
	struct table boxes; /* clone id to struct box * */
};

struct outbox *outbox_new(void)
{
	return calloc(1, sizeof(struct outbox));
}

static void free_box(struct box *b)
{
	for (size_t i = 0; i < b->count; i++)
		free(b->entries[i].data);
	free(b->entries);
	free(b);
}

void outbox_free(struct outbox **o)
{
	if (!*o)
		return;
	for (size_t i = 0; i < (*o)->boxes.size; i++)
		if ((*o)->boxes.slots[i].value)
			free_box((struct box *)(uintptr_t)(*o)->boxes.slots[i].value);
	table_done(&(*o)->boxes);
	free(*o);
	*o = NULL;
}

static struct box *find(const struct outbox *o, const char *clone_id)
{
	uint64_t value;

	return table_get(&o->boxes, clone_id, &value) ? (struct box *)(uintptr_t)value : NULL;
}

static struct box *add_box(struct outbox *o, const char *clone_id)
{
	struct box *b = calloc(1, sizeof *b);

	if (!b)
		return NULL;
	snprintf(b->clone_id, sizeof b->clone_id, "%s", clone_id);
	if (!table_set(&o->boxes, b->clone_id, (uint64_t)(uintptr_t)b)) {
		free(b);
		return NULL;
	}
	return b;
}

static bool make_room(struct box *b)
{
	size_t size = b->size ? 2 * b->size : 4;
	struct outbox_entry *grown;

	if (b->count < b->size)
		return true;
	grown = realloc(b->entries, size * sizeof *grown);
	if (!grown)
		return false;
	b->entries = grown;
	b->size = size;
	return true;
}

bool outbox_put(struct outbox *o, const char *clone_id, uint64_t sequence, const void *data, size_t len)
{
	struct box *b = find(o, clone_id);
	char *copy = malloc(len);
	size_t i;

	if (!b)
		b = add_box(o, clone_id);
	if (!b || !copy || !make_room(b)) {
		free(copy);
		return false;
	}
	memcpy(copy, data, len);
	for (i = b->count; i > 0 && b->entries[i - 1].sequence >= sequence; i--)
		;
	if (i < b->count && b->entries[i].sequence == sequence) {
		free(b->entries[i].data);
	} else {
		memmove(&b->entries[i + 1], &b->entries[i], (b->count - i) * sizeof *b->entries);
		b->count++;
	}
	b->entries[i] = (struct outbox_entry){ sequence, copy, len };
	return true;
}

const struct outbox_entry *outbox_get(const struct outbox *o, const char *clone_id, uint64_t sequence)
{
	struct box *b = find(o, clone_id);

	for (size_t i = 0; b && i < b->count; i++)
		if (b->entries[i].sequence == sequence)
			return &b->entries[i];
	return NULL;
}

const struct outbox_entry *outbox_all(const struct outbox *o, const char *clone_id, size_t *count_r)
{
	struct box *b = find(o, clone_id);

	*count_r = b ? b->count : 0;
	return b ? b->entries : NULL;
}

size_t outbox_clones(const struct outbox *o)
{
	return o->boxes.count;
}

void outbox_forget(struct outbox *o, const char *clone_id, uint64_t sequence)
{
	struct box *b = find(o, clone_id);
	size_t gone = 0;

	if (!b)
		return;
	while (gone < b->count && b->entries[gone].sequence <= sequence)
		free(b->entries[gone++].data);
	b->count -= gone;
	memmove(b->entries, b->entries + gone, b->count * sizeof *b->entries);
	if (b->count == 0) {
		table_remove(&o->boxes, b->clone_id);
		free(b->entries);
		free(b);
	}
}
