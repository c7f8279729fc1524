/* SPDX-License-Identifier: Apache-2.0
 * A hash table from a text to a number. The text is borrowed: it must live as long as its entry. */
#ifndef SANDBOX_CORE_TABLE_H
#define SANDBOX_CORE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table_entry {
	const char *key;
	uint64_t value;
};

struct table {
	struct table_entry *slots;
	size_t count, used, size; /* used counts the removed ones too */
};

void table_done(struct table *t);
/* Sets or replaces. False: memory is short. */
bool table_set(struct table *t, const char *key, uint64_t value);
bool table_get(const struct table *t, const char *key, uint64_t *value_r);
void table_remove(struct table *t, const char *key);

#endif
