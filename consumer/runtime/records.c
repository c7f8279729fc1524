/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/runtime/records.h"

#include "consumer/core/envelope.h"

#include <stdlib.h>
#include <string.h>

enum { ENVELOPE_KEEP_MAX_BYTES = 3 * RECORD_KEEP_MAX_BYTES };

struct records {
	struct kept_record *kept; /* sorted by topic, partition, offset */
	size_t count, size;
};

struct records *records_new(void)
{
	return calloc(1, sizeof(struct records));
}

void records_free(struct records **r)
{
	if (!*r)
		return;
	for (size_t i = 0; i < (*r)->count; i++)
		free((*r)->kept[i].data);
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

static size_t at_most(size_t len)
{
	return len < RECORD_KEEP_MAX_BYTES ? len : RECORD_KEEP_MAX_BYTES;
}

/* Thousands are kept for as long as their clones take: none with room to grow. */
static void trim(struct buf *data)
{
	char *exact = realloc(data->data, data->len ? data->len : 1);

	if (exact)
		data->data = exact;
}

static bool pack(const struct bus_record *record, struct kept_record *k)
{
	struct bus_message m = { .topic = record->at.topic, .key = record->key, .key_len = at_most(record->key_len),
		.value = record->value, .value_len = at_most(record->value_len), .header_count = record->header_count };
	struct buf data;

	memcpy(m.headers, record->headers, sizeof m.headers);
	buf_init(&data, ENVELOPE_KEEP_MAX_BYTES);
	if (!envelope_pack(&m, &data)) {
		buf_done(&data);
		m.header_count = 0; /* headers of an unreasonable size are none of ours */
		if (!envelope_pack(&m, &data)) {
			buf_done(&data);
			return false;
		}
	}
	trim(&data);
	*k = (struct kept_record){ .at = record->at, .value_size = (int64_t)record->value_len, .data = data.data,
		.len = data.len };
	return true;
}

bool records_keep(struct records *r, const struct bus_record *record)
{
	struct kept_record k;
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
	if (!pack(record, &k))
		return false;
	memmove(&r->kept[i + 1], &r->kept[i], (r->count - i) * sizeof *r->kept);
	r->kept[i] = k;
	r->count++;
	return true;
}

bool records_read(const struct kept_record *kept, struct bus_record *record_r)
{
	struct bus_message m;

	if (!envelope_unpack(kept->data, kept->len, &m))
		return false;
	*record_r = (struct bus_record){ .at = kept->at, .key = m.key, .key_len = m.key_len, .value = m.value,
		.value_len = m.value_len, .header_count = m.header_count };
	memcpy(record_r->headers, m.headers, sizeof record_r->headers);
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
		free(r->kept[i].data);
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
