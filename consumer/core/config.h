/* SPDX-License-Identifier: Apache-2.0
 * The settings of a program: typed, checked and with the place each came from. The table is config.def; reading
 * files and the environment is the adapter's business (consumer/adapters/system/config_file.h). */
#ifndef SANDBOX_CORE_CONFIG_H
#define SANDBOX_CORE_CONFIG_H

#include "handlers/base/buf.h"
#include "handlers/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum config_id {
#define CONF(id, ...) CONF_##id,
#include "consumer/core/config.def"
	CONFIG_END
};

enum config_type {
	CONFIG_TYPE_UNSET,
	CONFIG_TEXT,
	CONFIG_INT,
	CONFIG_BOOL,
	CONFIG_DURATION,
	CONFIG_SIZE,
	CONFIG_LIST,
	CONFIG_SECRET,
	CONFIG_TYPE_END
};

enum { CONFIG_VALUE_MAX = 4096, CONFIG_PASSTHROUGH_MAX = 128, CONFIG_LIST_MAX = 1000 };
#define CONFIG_FOREVER ((int64_t)-1) /* of a duration */

struct config_row { /* one CONF line of config.def */
	const char *section, *key;
	enum config_type type;
	const char *standard, *limits, *sentence;
};

extern const struct config_row config_rows[CONFIG_END];

/* Later ones win over earlier ones, whatever the order of the calls. */
enum config_from {
	CONFIG_FROM_UNSET,
	CONFIG_FROM_DEFAULT,
	CONFIG_FROM_FILE,
	CONFIG_FROM_ENVIRONMENT,
	CONFIG_FROM_FLAG,
};

struct config_origin {
	enum config_from from;
	const char *name; /* of the file, the variable or the flag; copied */
	int line;         /* in the file; 0 otherwise */
};

struct config_pair { /* a librdkafka property of [kafka] */
	const char *name, *value;
};

struct config;

/* All defaults; NULL when memory is short. */
struct config *config_new(void);
void config_free(struct config **c);

/* Sets one value from the outside. REFUSED with place, key, what was expected and the nearest name when the section,
 * the key or the value is none of ours, or when one file sets it twice; TRANSIENT when memory is short. */
bool config_set(struct config *c, const char *section, const char *key, const char *value,
                const struct config_origin *origin, struct err *e);
/* The same from a variable such as SANDBOX_REDIS__SOCKET. A name without "SANDBOX_" in front and "__" in it is not
 * ours and passed over; in a librdkafka property '_' stands for '.'. */
bool config_set_variable(struct config *c, const char *name, const char *value, struct err *e);
/* REFUSED, with the ways to set it, when the text, list or secret is empty. */
bool config_need(const struct config *c, enum config_id id, struct err *e);
/* Is that [kafka] property one whose value is a secret? */
bool config_is_secret_property(const char *key);

/* Values; a getter of another type than the row's ends the program. Borrowed until the value is set again. */
const char *config_text(const struct config *c, enum config_id id); /* TEXT, and the file of a SECRET */
int64_t config_int(const struct config *c, enum config_id id);
bool config_bool(const struct config *c, enum config_id id);
int64_t config_ms(const struct config *c, enum config_id id); /* DURATION; CONFIG_FOREVER only where limits say so */
int64_t config_bytes(const struct config *c, enum config_id id);
size_t config_list(const struct config *c, enum config_id id, const char *const **items_r);
/* The properties of [kafka] that are not in the table, in the order they came. */
size_t config_passthrough(const struct config *c, const struct config_pair **pairs_r);

/* The whole configuration as an INI file, with a comment behind each line that says where it came from when
 * with_origin. Secret properties are shown as "(hidden)". */
bool config_show(const struct config *c, bool with_origin, struct buf *out);
/* "default", "/etc/x.ini:12", "environment SANDBOX_LOG__LEVEL", "flag --log-level". */
bool config_origin_text(const struct config_origin *origin, struct buf *out);
/* Of the names, the one that text was probably meant to be; NULL when none is near. */
const char *config_nearest(const char *text, const char *const *names, size_t count);
/* docs/configuration.md: every section and key. */
bool config_write_manual(struct buf *out);

#endif
