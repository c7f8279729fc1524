/* SPDX-License-Identifier: Apache-2.0
 * What a target no longer needs is gone: generations that nobody's record names, and the previous sandbox once the time
 * for a rollback is over. Runs in the name of the clone that built on the target last, under its lease, while that clone
 * is at rest; so nothing builds there meanwhile.
 *
 * Look: the server's catalogue, the registry's record of the target, each generation's own stamp, the clones' records.
 * Act:  drop what is left over, each after the guard's proof: files first, because the database says whose they are.
 * Safe to repeat because a generation's name is never used again: what nobody names now, nobody will name. */
#include "handlers/guard.h"
#include "handlers/previous.h"
#include "handlers/words.h"

#include <stdlib.h>
#include <string.h>

struct generation {
	struct generation *next;
	const char *name, *owner; /* owner: the clone that made it */
	char target[CTX_MAX + 1];
};

struct generations {
	struct step_ctx *c;
	struct generation *first, **last;
};

/* ---- the server's catalogue ---- */

/* The tenant before the last "__g": its name may have one of its own. */
static bool take_target(const char *database, char target_r[CTX_MAX + 1])
{
	const char *mark = NULL, *at = database;

	while ((at = strstr(at, "__g")) != NULL)
		mark = at++;
	if (!mark || mark == database || mark - database > CTX_MAX)
		return false;
	memcpy(target_r, database, (size_t)(mark - database));
	target_r[mark - database] = '\0';
	return guard_is_generation_of(database, target_r);
}

static bool take_generation(void *arg, const struct sql_row *row, struct err *e)
{
	struct generations *all = arg;
	struct generation *g;
	char target[CTX_MAX + 1];

	(void)e;
	if (row->count < 2 || row->values[0].kind != SQL_TEXT || !take_target(row->values[0].text, target))
		return true;
	g = step_take(all->c, sizeof *g);
	if (!g)
		return false;
	*g = (struct generation){ .name = step_text(all->c, "%s", row->values[0].text),
		.owner = step_text(all->c, "%s", row->values[1].kind == SQL_TEXT ? row->values[1].text : "") };
	memcpy(g->target, target, sizeof target);
	*all->last = g;
	all->last = &g->next;
	return g->name && g->owner;
}

static bool list_generations(struct step_ctx *c, struct generations *all)
{
	const struct sql_args none = { 0 };

	*all = (struct generations){ .c = c };
	all->last = &all->first;
	return c->ports->sql->rows(c->ports->sql, SQL_SERVER, "sweep_databases", &none, take_generation, all, c->err) &&
	       c->err->class == ERR_NONE;
}

/* ---- is it nobody's? ---- */

static bool is_same(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static bool is_named(const struct step_ctx *c, const struct tenant_record *target, const char *name)
{
	return is_same(name, target->database) || is_same(name, target->previous_database) ||
	       is_same(name, target->stamp.database) || (c->fence.generation && is_same(name, c->fence.generation));
}

/* Tokens are microseconds: the one in the name is of the beginning, the one in the stamp of the last owner. */
static bool is_old(const struct step_ctx *c, const struct generation *g, const struct sql_stamp *stamp)
{
	uint64_t began = strtoull(g->name + strlen(g->target) + strlen("__g"), NULL, 36);
	uint64_t newest = stamp->token > began ? stamp->token : began;
	uint64_t now = (uint64_t)c->ports->clock->utc_ms(c->ports->clock) * 1000;

	return newest <= now && now - newest >= (uint64_t)c->settings->sweep_age_ms * 1000;
}

/* One without a stamp is left alone: nothing proves what it is. */
static bool is_orphan(struct step_ctx *c, const struct tenant_record *target, const struct generation *g, bool *so_r)
{
	struct sql_port *sql = c->ports->sql;
	struct records_port *records = c->ports->records;
	struct sql_stamp stamp = { 0 };
	bool there = false, named = false;

	*so_r = false;
	if (is_named(c, target, g->name) || !sql->exists(sql, g->name, &there, c->err) || !there)
		return c->err->class == ERR_NONE;
	if (!sql->stamp(sql, g->name, &stamp, c->err))
		return false;
	if (!stamp.found || !is_same(stamp.target_ctx, g->target) || !is_old(c, g, &stamp))
		return true;
	if (!records->names(records, g->target, stamp.clone_id, g->name, &named, c->err))
		return false;
	*so_r = !named;
	return true;
}

/* ---- the sweep ---- */

/* Everything that may say no is asked before the first thing goes. */
static bool drop_orphan(struct step_ctx *c, const struct tenant_record *target, const char *name)
{
	if (!guard_database(c, name) || !step_may_act(c) || !remove_root_guarded(c, target, name) ||
	    !drop_guarded(c, name))
		return false;
	c->rows++;
	step_detail(c, "dropped %s", name);
	return true;
}

static bool sweep_orphans(struct step_ctx *c, const struct tenant_record *target)
{
	struct generations all;

	if (!list_generations(c, &all))
		return false;
	for (const struct generation *g = all.first; g; g = g->next) {
		bool orphan = false;

		if (!is_same(g->target, c->job->target_ctx))
			continue;
		if (!is_orphan(c, target, g, &orphan) || (orphan && !drop_orphan(c, target, g->name)))
			return false;
	}
	return true;
}

/* The ledger of the database in service says since when it is: it survives whatever else is lost. */
static bool rollback_is_over(struct step_ctx *c, const struct tenant_record *target, bool *so_r)
{
	const struct sql_args args = SQL_ARGS(sql_text("clone_id", c->job->clone_id));
	int64_t keep_ms = c->settings->previous_keep_ms, since = 0;

	*so_r = false;
	if (!target->previous_database[0] || keep_ms < 0 || !is_same(target->database, c->fence.generation))
		return true;
	if (!c->ports->sql->scalar(c->ports->sql, SQL_TARGET, "sweep_switched_at", &args, &since, c->err))
		return false;
	*so_r = since > 0 && c->ports->clock->utc_ms(c->ports->clock) - since >= keep_ms;
	return true;
}

static bool sweep_previous(struct step_ctx *c, const struct tenant_record *target)
{
	bool over = false;

	if (!rollback_is_over(c, target, &over))
		return false;
	if (!over)
		return true;
	if (!drop_previous(c, target))
		return false;
	c->rows++;
	step_detail(c, "dropped %s, kept long enough", target->previous_database);
	return true;
}

enum step_outcome sweep_target(struct step_ctx *c)
{
	struct tenant_record target;

	if (!guard_target(c, &target) || !sweep_orphans(c, &target) || !sweep_previous(c, &target))
		return step_failed(c);
	return c->rows ? STEP_DONE : STEP_ALREADY;
}

/* ---- the survey ---- */

struct survey {
	struct step_ctx *c;
	sweep_fn *fn;
	void *arg;
};

static bool tell(const struct survey *s, const struct tenant_record *target, enum sweep_kind kind, const char *database)
{
	const struct sweep_found found = { .kind = kind, .target_ctx = target->ctx, .source_ctx = target->stamp.source_ctx,
		.clone_id = target->stamp.clone_id, .database = database };

	return s->fn(s->arg, &found, s->c->err);
}

/* What belongs to no test tenant of ours is none of our business. */
static bool take_record(struct step_ctx *c, const char *ctx, struct tenant_record *target, bool *ours_r)
{
	*ours_r = false;
	if (!c->ports->tenant->get(c->ports->tenant, ctx, target, c->err)) {
		if (c->err->class != ERR_REFUSED)
			return false;
		err_clear(c->err);
		return true;
	}
	*ours_r = is_same(target->ctx, ctx) && target->kind == TENANT_TEST && target->stamp.clone_id[0] &&
		is_same(target->stamp.source_ctx, target->linked_source);
	return true;
}

bool sweep_survey(struct step_ctx *c, sweep_fn *fn, void *arg)
{
	const struct survey s = { c, fn, arg };
	struct tenant_record target = { 0 };
	struct generations all;
	bool ours = false;

	if (!list_generations(c, &all))
		return false;
	for (const struct generation *g = all.first; g; g = g->next) {
		bool orphan = false, is_first = !is_same(target.ctx, g->target);

		if (!step_may_act(c) || (is_first && !take_record(c, g->target, &target, &ours)))
			return false;
		memcpy(target.ctx, g->target, sizeof target.ctx);
		if (!ours)
			continue;
		if (is_first && target.previous_database[0] && c->settings->previous_keep_ms >= 0 &&
		    !tell(&s, &target, SWEEP_PREVIOUS, target.previous_database))
			return false;
		if (!is_orphan(c, &target, g, &orphan) || (orphan && !tell(&s, &target, SWEEP_ORPHAN, g->name)))
			return false;
	}
	return true;
}
