/* SPDX-License-Identifier: Apache-2.0
 * Shared by config.c, config_value.c and config_show.c. */
#ifndef SANDBOX_CORE_CONFIG_PRIV_H
#define SANDBOX_CORE_CONFIG_PRIV_H

#include "consumer/core/config.h"
#include "handlers/base/arena.h"

struct config_value {
	const char *text;  /* as it was written, blanks around it removed */
	int64_t number;    /* INT, BOOL, DURATION (ms), SIZE (bytes) */
	const char *const *items;
	size_t count;      /* LIST */
	struct config_origin origin;
};

struct config_property {
	struct config_pair pair;
	struct config_origin origin;
};

struct config {
	struct arena *mem;
	struct config_value values[CONFIG_END];
	struct config_property properties[CONFIG_PASSTHROUGH_MAX];
	struct config_pair pairs[CONFIG_PASSTHROUGH_MAX];
	size_t property_count;
};

struct config_section {
	const char *name, *sentence;
};

extern const struct config_section config_sections[];
extern const size_t config_section_count;

/* Reads text as the row's type and checks its limits. False with *why filled ("a number from 1 to 64") when it is
 * not that. Memory for lists from mem. */
bool config_value_read(const struct config_row *row, const char *text, size_t len, struct arena *mem,
                       struct config_value *value_r, struct buf *why);
/* "text", "duration", ... */
const char *config_type_name(enum config_type type);
/* SANDBOX_REDIS__SOCKET of a section and a key; false when it does not fit in size. */
bool config_variable_name(const char *section, const char *key, char *name_r, size_t size);

#endif
