/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/core/log.h"

#include "consumer/core/log_text.h"
#include "handlers/base/buf.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
	TAIL_BYTES = 32, /* room kept for ,"truncated":true}\n */
	BATCH_BYTES = 64 * 1024,
};

struct log {
	struct log_settings settings;
	struct log *of; /* of a batch: where its lines go; NULL otherwise */
	struct buf kept;
	struct buf line; /* of a batch: memory for one line */
	uint64_t kept_lines;
	_Atomic uint64_t dropped;
};

struct line {
	struct buf text;
	enum log_format format;
	bool truncated;
};

struct log *log_new(const struct log_settings *settings)
{
	struct log *l = calloc(1, sizeof *l);

	if (!l)
		return NULL;
	l->settings = *settings;
	if (l->settings.line_max < LOG_LINE_MIN)
		l->settings.line_max = LOG_LINE_MIN;
	return l;
}

struct log *log_batch_new(struct log *of)
{
	struct log *l = log_new(&of->settings);

	if (!l)
		return NULL;
	l->of = of;
	buf_init(&l->kept, BATCH_BYTES);
	buf_init(&l->line, l->settings.line_max);
	return l;
}

static void write_out(struct log *l, const char *lines, size_t len, uint64_t count)
{
	if (!l->settings.write(l->settings.write_arg, lines, len))
		atomic_fetch_add(&l->dropped, count);
}

void log_flush(struct log *l)
{
	if (l->kept_lines)
		write_out(l->of, l->kept.data, l->kept.len, l->kept_lines);
	buf_clear(&l->kept);
	l->kept_lines = 0;
}

/* What is urgent takes along what was said before it. */
static void take_line(struct log *l, enum log_level level, const struct buf *line)
{
	if (!l->of) {
		write_out(l, line->data, line->len, 1);
		return;
	}
	if (line->len > l->kept.max - l->kept.len)
		log_flush(l);
	l->kept_lines += buf_add(&l->kept, line->data, line->len);
	if (level >= LOG_LEVEL_WARN)
		log_flush(l);
}

void log_free(struct log **l)
{
	if (!l || !*l)
		return;
	log_flush(*l);
	buf_done(&(*l)->kept);
	buf_done(&(*l)->line);
	free(*l);
	*l = NULL;
}

uint64_t log_dropped(const struct log *l)
{
	return atomic_load(&l->dropped);
}

bool log_wants(const struct log *l, enum log_level level)
{
	return level >= l->settings.level;
}

const char *log_level_name(enum log_level level)
{
	static const char *const names[LOG_LEVEL_END] = {
		[LOG_LEVEL_DEBUG] = "debug", [LOG_LEVEL_INFO] = "info",
		[LOG_LEVEL_WARN] = "warn",   [LOG_LEVEL_ERROR] = "error",
	};

	return level > LOG_LEVEL_UNSET && level < LOG_LEVEL_END ? names[level] : "unknown";
}

enum log_level log_level_by_name(const char *name)
{
	for (int level = LOG_LEVEL_DEBUG; level < LOG_LEVEL_END; level++) {
		if (strcmp(name, log_level_name((enum log_level)level)) == 0)
			return (enum log_level)level;
	}
	return LOG_LEVEL_UNSET;
}

struct log_field log_text(const char *name, const char *text)
{
	return (struct log_field){ name, LOG_KIND_TEXT, text ? text : "", 0 };
}

struct log_field log_number(const char *name, int64_t number)
{
	return (struct log_field){ name, LOG_KIND_NUMBER, NULL, number };
}

struct log_field log_bool(const char *name, bool value)
{
	return (struct log_field){ name, LOG_KIND_BOOL, NULL, value };
}

struct log_field log_ms(const char *name, int64_t ms)
{
	return (struct log_field){ name, LOG_KIND_SECONDS, NULL, ms };
}

struct log_field log_secret(const char *name)
{
	return (struct log_field){ name, LOG_KIND_SECRET, NULL, 0 };
}

static void add_seconds(struct buf *text, int64_t ms)
{
	int64_t size = llabs(ms);
	char thousandths[4] = { '.', (char)('0' + size / 100 % 10), (char)('0' + size / 10 % 10), (char)('0' + size % 10) };

	if (ms < 0)
		buf_add_text(text, "-");
	buf_add_number(text, size / 1000);
	buf_add(text, thousandths, sizeof thousandths);
}

static void add_value(struct line *line, const struct log_field *f)
{
	bool json = line->format == LOG_FORMAT_JSON;

	switch (f->kind) {
	case LOG_KIND_NUMBER:
		buf_add_number(&line->text, f->number);
		break;
	case LOG_KIND_BOOL:
		buf_add_text(&line->text, f->number ? "true" : "false");
		break;
	case LOG_KIND_SECONDS:
		add_seconds(&line->text, f->number);
		break;
	case LOG_KIND_SECRET:
		log_text_add(&line->text, "[secret]", json);
		break;
	default:
		log_text_add(&line->text, f->text, json);
		break;
	}
}

/* A field is in the line whole or not at all. */
static void add_field(struct line *line, const struct log_field *f)
{
	size_t before = line->text.len;

	if (line->format == LOG_FORMAT_JSON) {
		buf_add_text(&line->text, before > 1 ? ",\"" : "\"");
		buf_add_text(&line->text, f->name);
		buf_add_text(&line->text, "\":");
	} else {
		buf_add_text(&line->text, before ? " " : "");
		buf_add_text(&line->text, f->name);
		buf_add_text(&line->text, "=");
	}
	add_value(line, f);
	if (!line->text.failed && line->text.max - line->text.len >= TAIL_BYTES)
		return;
	line->text.failed = false;
	line->text.len = before;
	line->truncated = true;
}

/* The nearest context that knows. */
static struct log_context resolve(const struct log_context *c)
{
	struct log_context r = { 0 };

	for (; c; c = c->parent) {
		if (!r.clone_id)
			r.clone_id = c->clone_id;
		if (!r.step)
			r.step = c->step;
		if (!r.run)
			r.run = c->run;
		if (!r.attempt)
			r.attempt = c->attempt;
		if (!r.token)
			r.token = c->token;
	}
	return r;
}

static void add_context(struct line *line, const struct log_context *context)
{
	const struct log_context c = resolve(context);
	const struct log_field fields[] = {
		log_text("clone", c.clone_id),     log_number("run", c.run),
		log_text("step", c.step),          log_number("attempt", c.attempt),
		log_number("token", (int64_t)c.token),
	};

	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		if (fields[i].kind == LOG_KIND_TEXT ? fields[i].text[0] != '\0' : fields[i].number != 0)
			add_field(line, &fields[i]);
	}
}

static void add_end(struct line *line)
{
	bool json = line->format == LOG_FORMAT_JSON;

	if (line->truncated)
		buf_add_text(&line->text, json ? ",\"truncated\":true" : " truncated=true");
	buf_add_text(&line->text, json ? "}\n" : "\n");
}

void log_write(struct log *l, enum log_level level, const struct log_context *context, const char *message,
               const struct log_field *fields, size_t count)
{
	struct line line = { .format = l->settings.format };
	char time[LOG_TIME_TEXT];

	if (!log_wants(l, level))
		return;
	if (l->of)
		line.text = l->line;
	else
		buf_init(&line.text, l->settings.line_max);
	buf_clear(&line.text);
	if (line.format == LOG_FORMAT_JSON)
		buf_add_text(&line.text, "{");
	log_time_text(l->settings.utc_ms(l->settings.clock_arg), time);
	add_field(&line, &(struct log_field){ "time", LOG_KIND_TEXT, time, 0 });
	add_field(&line, &(struct log_field){ "level", LOG_KIND_TEXT, log_level_name(level), 0 });
	add_field(&line, &(struct log_field){ "message", LOG_KIND_TEXT, message, 0 });
	add_context(&line, context);
	for (size_t i = 0; i < count; i++) {
		if (fields[i].kind != LOG_KIND_UNSET)
			add_field(&line, &fields[i]);
	}
	add_end(&line);
	if (line.text.failed)
		atomic_fetch_add(&l->dropped, 1);
	else
		take_line(l, level, &line.text);
	if (l->of)
		l->line = line.text;
	else
		buf_done(&line.text);
}
