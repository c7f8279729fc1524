/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/tenant/raw_queue.h"

#include <stdlib.h>
#include <string.h>

struct raw_record { /* and behind it what the record points to */
	struct raw_record *next;
	struct bus_record record;
	char bytes[];
};

static size_t size_of(const struct bus_record *r)
{
	size_t size = r->value_len;

	for (size_t i = 0; i < r->header_count; i++)
		size += strlen(r->headers[i].name) + 1 + r->headers[i].len;
	return size;
}

static const void *copy(char **at, const void *data, size_t len)
{
	char *to = *at;

	if (!data)
		return NULL;
	memcpy(to, data, len);
	*at += len;
	return to;
}

bool raw_queue_add(struct raw_queue *q, const struct bus_record *record)
{
	struct raw_record *r = malloc(sizeof *r + size_of(record));
	char *at;

	if (!r)
		return false;
	at = r->bytes;
	r->next = NULL;
	r->record = *record;
	r->record.key = NULL; /* nobody asks for it */
	r->record.key_len = 0;
	r->record.value = copy(&at, record->value, record->value_len);
	for (size_t i = 0; i < record->header_count; i++) {
		struct bus_header *h = &r->record.headers[i];

		h->name = copy(&at, h->name, strlen(h->name) + 1);
		h->value = copy(&at, h->value, h->len);
	}
	*(q->last ? &q->last->next : &q->first) = r;
	q->last = r;
	q->count++;
	return true;
}

const struct bus_record *raw_queue_first(const struct raw_queue *q)
{
	return q->first ? &q->first->record : NULL;
}

void raw_queue_drop(struct raw_queue *q)
{
	struct raw_record *r = q->first;

	q->first = r->next;
	if (!q->first)
		q->last = NULL;
	q->count--;
	free(r);
}

void raw_queue_clear(struct raw_queue *q)
{
	while (q->first)
		raw_queue_drop(q);
}
