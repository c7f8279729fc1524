/* SPDX-License-Identifier: Apache-2.0
 * One line per thing worth knowing: logfmt for people, JSON for machines. Formatting is pure; where lines go and what
 * time it is are callbacks. What a stranger wrote into a name or an error text stays on its line, and nothing that
 * looks like an address is ever written. */
#ifndef SANDBOX_CORE_LOG_H
#define SANDBOX_CORE_LOG_H

#include "handlers/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level {
	LOG_LEVEL_UNSET,
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_INFO,
	LOG_LEVEL_WARN,
	LOG_LEVEL_ERROR,
	LOG_LEVEL_END
};

enum log_format { LOG_FORMAT_UNSET, LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON, LOG_FORMAT_END };

enum { LOG_VALUE_MAX = 1024, LOG_LINE_MIN = 512 };

struct log_settings {
	enum log_level level; /* less important lines are not even formatted */
	enum log_format format;
	size_t line_max;      /* longest line with its line end; fields that do not fit are left out and that is said */
	/* Takes whole lines with their line ends, from any thread; false when it had to drop them. */
	bool (*write)(void *arg, const char *line, size_t len);
	void *write_arg;
	int64_t (*utc_ms)(void *arg);
	void *clock_arg;
};

/* Who speaks: goes into every line. What is 0 or NULL is taken from the parent. */
struct log_context {
	const struct log_context *parent;
	const char *clone_id, *step;
	int run, attempt;
	uint64_t token;
};

enum log_kind { LOG_KIND_UNSET, LOG_KIND_TEXT, LOG_KIND_NUMBER, LOG_KIND_BOOL, LOG_KIND_SECONDS, LOG_KIND_SECRET };

struct log_field {
	const char *name; /* a constant of the program: letters, digits, '_' */
	enum log_kind kind;
	const char *text;
	int64_t number;
};

struct log;

/* NULL when memory is short. */
struct log *log_new(const struct log_settings *settings);
void log_free(struct log **l);
/* For one busy thread: says through `of`, which must outlive it, but keeps lines back until log_flush(), a warning or
 * an error, or some 64 KiB of them. */
struct log *log_batch_new(struct log *of);
void log_flush(struct log *l);
/* Lines that could not be written so far. */
uint64_t log_dropped(const struct log *l);
bool log_wants(const struct log *l, enum log_level level);

/* Writes one line. context may be NULL. Never fails: a line that cannot be written is counted. */
void log_write(struct log *l, enum log_level level, const struct log_context *context, const char *message,
               const struct log_field *fields, size_t count);

/* log_info(log, &context, "step ended", log_text("outcome", "DONE"), log_number("rows", 12)); */
#define LOG_FIELDS(...) ((const struct log_field[]){ { 0 }, __VA_ARGS__ })
#define LOG_LINE(l, level, context, message, ...)                                                                      \
	log_write(l, level, context, message, LOG_FIELDS(__VA_ARGS__) + 1,                                             \
	          sizeof LOG_FIELDS(__VA_ARGS__) / sizeof(struct log_field) - 1)
#define log_debug(l, context, ...) LOG_LINE(l, LOG_LEVEL_DEBUG, context, __VA_ARGS__, )
#define log_info(l, context, ...)  LOG_LINE(l, LOG_LEVEL_INFO, context, __VA_ARGS__, )
#define log_warn(l, context, ...)  LOG_LINE(l, LOG_LEVEL_WARN, context, __VA_ARGS__, )
#define log_error(l, context, ...) LOG_LINE(l, LOG_LEVEL_ERROR, context, __VA_ARGS__, )

struct log_field log_text(const char *name, const char *text);
struct log_field log_number(const char *name, int64_t number);
struct log_field log_bool(const char *name, bool value);
/* Written in seconds with three decimals. */
struct log_field log_ms(const char *name, int64_t ms);
/* Says that there is a value without having it. */
struct log_field log_secret(const char *name);
/* An error takes two fields: LOG_ERR(&err). */
#define LOG_ERR(e) log_text("error_class", err_class_name((e)->class)), log_text("error", (e)->text)

const char *log_level_name(enum log_level level);
/* LOG_LEVEL_UNSET when there is no such name. */
enum log_level log_level_by_name(const char *name);

#endif
