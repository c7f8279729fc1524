/* SPDX-License-Identifier: Apache-2.0 */
#include "handlers/words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { SEAL_PARTS_MAX = 12 };

static void show_name(struct step_progress *p, const char *name)
{
	size_t len = strnlen(name, STEP_TABLE_MAX - 1);

	for (size_t i = 0; i < STEP_TABLE_MAX; i++)
		atomic_store_explicit(&p->table[i], i < len ? name[i] : '\0', memory_order_relaxed);
}

void step_is_at(struct step_ctx *c, const char *what)
{
	show_name(c->progress, what);
}

void step_pages(struct step_ctx *c, const struct sql_pages *pages)
{
	struct step_progress *p = c->progress;

	_Static_assert(sizeof pages->table == STEP_TABLE_MAX, "a name fits into the progress of a step");
	atomic_store(&p->rows, pages->rows);
	atomic_store(&p->bytes, pages->bytes);
	atomic_store(&p->rows_total, pages->rows_expected);
	atomic_store(&p->tables, pages->tables_done);
	atomic_store(&p->tables_total, pages->tables_total);
	atomic_store(&p->table_rows, pages->table_rows);
	atomic_store(&p->table_bytes, pages->table_bytes);
	show_name(p, pages->table);
}

static bool is_larger(const struct step_table *a, const struct step_table *b)
{
	return a->bytes > b->bytes || (a->bytes == b->bytes && a->rows > b->rows);
}

void step_table_add(struct step_ctx *c, const struct step_table *table)
{
	struct step_tables *t = c->tables;
	size_t at = t->count;

	t->masked += table->masked;
	while (at > 0 && is_larger(table, &t->table[at - 1]))
		at--;
	if (t->count == STEP_TABLES_MAX)
		t->more++;
	else
		t->count++;
	if (at == STEP_TABLES_MAX)
		return;
	memmove(&t->table[at + 1], &t->table[at], (t->count - at - 1) * sizeof *table);
	t->table[at] = *table;
}

bool step_may_act(struct step_ctx *c)
{
	if (!step_must_stop(c))
		return true;
	return err_set(c->err, ERR_TRANSIENT, ERR_CODE_ABORTED, c->fence.step, "the step was asked to stop");
}

enum step_outcome step_so(const struct step_ctx *c)
{
	return c->acted ? STEP_DONE : STEP_ALREADY;
}

enum step_outcome step_look_act(struct step_ctx *c, look_fn *look, act_fn *act)
{
	return step_look_act_look(c, look, act, look);
}

enum step_outcome step_look_act_look(struct step_ctx *c, look_fn *look, act_fn *act, look_fn *look_again)
{
	bool so = false;

	if (!look(c, &so))
		return step_failed(c);
	if (so)
		return step_so(c);
	if (!step_may_act(c))
		return step_failed(c);
	c->acted = true;
	if (!act(c) || !look_again(c, &so))
		return step_failed(c);
	if (so)
		return STEP_DONE;
	err_set(c->err, ERR_TRANSIENT, 0, c->fence.step, "the change was accepted but a second look does not see it");
	return step_failed(c);
}

const char *step_text(struct step_ctx *c, const char *fmt, ...)
{
	char text[4200]; /* the longest column a step writes */
	const char *kept = NULL;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (len >= 0 && (size_t)len < sizeof text)
		kept = arena_text(c->mem, text, (size_t)len);
	if (!kept)
		err_set(c->err, ERR_REFUSED, 0, c->fence.step, "a text is longer than a step may hold");
	return kept;
}

void *step_take(struct step_ctx *c, size_t size_bytes)
{
	void *taken = arena_take(c->mem, size_bytes);

	if (!taken)
		err_set(c->err, ERR_REFUSED, 0, c->fence.step, "the step needs more memory than it may take");
	return taken;
}

const char *step_now(struct step_ctx *c, int64_t minus_ms)
{
	time_t seconds = (time_t)((c->ports->clock->utc_ms(c->ports->clock) - minus_ms) / 1000);
	char text[32];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
	return step_text(c, "%s", text);
}

struct sql_arg sql_text(const char *name, const char *text)
{
	return (struct sql_arg){ name, { .kind = text ? SQL_TEXT : SQL_NULL, .text = text } };
}

struct sql_arg sql_number(const char *name, int64_t number)
{
	return (struct sql_arg){ name, { .kind = SQL_NUMBER, .number = number } };
}

bool ask_number(struct step_ctx *c, const char *statement, const struct sql_args *args, int64_t *number_r)
{
	return c->ports->sql->scalar(c->ports->sql, SQL_TARGET, statement, args, number_r, c->err);
}

struct collecting {
	struct step_ctx *c;
	struct texts *texts;
};

static bool grow(struct step_ctx *c, struct texts *texts)
{
	size_t size = texts->size ? 2 * texts->size : 64;
	const char **bigger = step_take(c, size * sizeof *bigger);

	if (!bigger)
		return false;
	if (texts->count)
		memcpy(bigger, texts->text, texts->count * sizeof *bigger);
	texts->text = bigger;
	texts->size = size;
	return true;
}

static bool collect(void *arg, const struct sql_row *row, struct err *e)
{
	struct collecting *to = arg;
	const char *text;

	(void)e;
	if (row->count < 1 || row->values[0].kind == SQL_NULL)
		return true;
	if (to->texts->count == to->texts->size && !grow(to->c, to->texts))
		return false;
	text = step_text(to->c, "%s", row->values[0].text);
	to->texts->text[to->texts->count++] = text;
	return text != NULL;
}

bool ask_texts(struct step_ctx *c, const char *statement, struct texts *texts_r)
{
	struct collecting to = { c, texts_r };
	const struct sql_args none = { 0 };

	*texts_r = (struct texts){ 0 };
	return c->ports->sql->rows(c->ports->sql, SQL_TARGET, statement, &none, collect, &to, c->err) &&
	       c->err->class == ERR_NONE;
}

bool change_all(struct step_ctx *c, const struct sql_change *changes, size_t count)
{
	int64_t rows = 0;

	if (!step_may_act(c) || !c->ports->sql->apply(c->ports->sql, &c->fence, changes, count, &rows, c->err))
		return false;
	c->rows += rows;
	return true;
}

bool change(struct step_ctx *c, const char *statement, const struct sql_args *args)
{
	const struct sql_change one = { statement, *args };

	return change_all(c, &one, 1);
}

bool key_next(struct step_ctx *c, const char *table, const char *key, int64_t *key_r)
{
	const struct sql_args args = SQL_ARGS(sql_text("table", table), sql_text("key", key));

	return ask_number(c, "key_next", &args, key_r);
}

struct sql_change key_used(const char *table, const char *key)
{
	return (struct sql_change){ "key_used", SQL_ARGS(sql_text("table", table), sql_text("key", key)) };
}

bool row_seal(struct step_ctx *c, char out_r[SEAL_TEXT], const char *const *parts, size_t count)
{
	const char *all[SEAL_PARTS_MAX] = { c->job->target_ctx };

	if (count >= SEAL_PARTS_MAX)
		return err_set(c->err, ERR_BUG, 0, c->fence.step, "a seal over too many parts");
	for (size_t i = 0; i < count; i++)
		all[i + 1] = parts[i];
	return c->ports->seal->seal(c->ports->seal, all, count + 1, out_r, c->err);
}
