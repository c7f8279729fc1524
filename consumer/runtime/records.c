/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/runtime/records.h"

#include <stdlib.h>
#include <string.h>

struct records {
	struct kept_record *kept; /* sorted by topic, partition, offset */
	size_t count, size;
};

struct records *records_new(void)
{
	return calloc(1, sizeof(struct records));
}

static void free_record(struct kept_record *k)
{
	free(k->key);
	free(k->value);
}

void records_free(struct records **r)
{
	if (!*r)
		return;
	for (size_t i = 0; i < (*r)->count; i++)
		free_record(&(*r)->kept[i]);
	free((*r)->kept);
	free(*r);
	*r = NULL;
}

static int compare(const struct bus_position *a, const struct bus_position *b)
{
	if (a->topic != b->topic)
		return a->topic < b->topic ? -1 : 1;
	if (a->partition != b->partition)
		return a->partition < b->partition ? -1 : 1;
	return a->offset == b->offset ? 0 : a->offset < b->offset ? -1 : 1;
}

/* Index of the first that is not before `at`. */
static size_t lower_bound(const struct records *r, const struct bus_position *at)
{
	size_t low = 0, high = r->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&r->kept[middle].at, at) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static char *copy_of(const void *data, size_t len)
{
	char *copy = malloc(len ? len : 1);

	if (copy && len)
		memcpy(copy, data, len);
	return copy;
}

bool records_keep(struct records *r, const struct bus_record *record)
{
	struct kept_record k = { .at = record->at, .key_len = record->key_len, .value_len = record->value_len };
	size_t i = lower_bound(r, &record->at);

	if (i < r->count && compare(&r->kept[i].at, &record->at) == 0)
		return true;
	if (r->count == r->size) {
		size_t size = r->size ? 2 * r->size : 64;
		struct kept_record *grown = realloc(r->kept, size * sizeof *grown);

		if (!grown)
			return false;
		r->kept = grown;
		r->size = size;
	}
	if (k.value_len > RECORD_KEEP_MAX_BYTES)
		k.value_len = RECORD_KEEP_MAX_BYTES;
	if (k.key_len > RECORD_KEEP_MAX_BYTES)
		k.key_len = RECORD_KEEP_MAX_BYTES;
	k.key = copy_of(record->key, k.key_len);
	k.value = copy_of(record->value, k.value_len);
	if (!k.key || !k.value) {
		free_record(&k);
		return false;
	}
	memmove(&r->kept[i + 1], &r->kept[i], (r->count - i) * sizeof *r->kept);
	r->kept[i] = k;
	r->count++;
	return true;
}

const struct kept_record *records_find(const struct records *r, const struct bus_position *at)
{
	size_t i = lower_bound(r, at);

	return i < r->count && compare(&r->kept[i].at, at) == 0 ? &r->kept[i] : NULL;
}

static void forget_range(struct records *r, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		free_record(&r->kept[i]);
	memmove(&r->kept[from], &r->kept[to], (r->count - to) * sizeof *r->kept);
	r->count -= to - from;
}

void records_forget_below(struct records *r, const struct bus_position *at)
{
	const struct bus_position first = { at->topic, at->partition, INT64_MIN };

	forget_range(r, lower_bound(r, &first), lower_bound(r, at));
}

void records_forget_partition(struct records *r, const struct bus_position *at)
{
	const struct bus_position end = { at->topic, at->partition, INT64_MAX };

	records_forget_below(r, &end);
}
