/* SPDX-License-Identifier: Apache-2.0
 * What cancelling a clone runs: the undo of every step in reverse order, each looking first, until the target is as it
 * was before: the previous database in service with its mail routes, users and state, and nothing of the clone left.
 * A target that had no previous database stays offline. Safe to repeat: every part names the wanted end.
 * The clone's own database goes before anything is written to the disk of the databases, which may be full of it. */
#include "handlers/company_info.h"
#include "handlers/guard.h"
#include "handlers/previous.h"
#include "handlers/superid_users.h"
#include "handlers/words.h"

#include <inttypes.h>
#include <string.h>

/* Where the target goes back to; "" when there is nothing. */
static bool find_previous(struct step_ctx *c, const struct tenant_record *target, const char **previous_r)
{
	bool there = false;

	*previous_r = "";
	if (target->database[0] && strcmp(target->database, c->fence.generation) != 0)
		*previous_r = target->database;
	else if (target->previous_database[0])
		*previous_r = target->previous_database;
	if ((*previous_r)[0] && !c->ports->sql->exists(c->ports->sql, *previous_r, &there, c->err))
		return false;
	if (!there)
		*previous_r = "";
	return true;
}

/* Undo of 32: the registry first. Who works in the clone must not write into it while it goes. */
static bool switch_back(struct step_ctx *c, const struct tenant_record *target, const char *previous)
{
	struct tenant_port *tenant = c->ports->tenant;
	const char *ctx = c->job->target_ctx;

	if (strcmp(target->database, previous) == 0)
		return true;
	return guard_database(c, previous) && step_may_act(c) &&
	       (target->state == TENANT_OFFLINE_MAINTENANCE ||
		tenant->set_state(tenant, &c->fence, ctx, TENANT_OFFLINE_MAINTENANCE, c->err)) &&
	       step_may_act(c) &&
	       tenant->route(tenant, &c->fence, ctx, previous, target->previous_files_root, c->err);
}

/* Undo of 05. */
static bool open_previous(struct step_ctx *c, const char *previous)
{
	const struct sql_args args = SQL_ARGS(sql_text("database", previous));
	struct sql_port *sql = c->ports->sql;
	int64_t open = 0;

	if (!sql->scalar(sql, SQL_SERVER, "database_is_open", &args, &open, c->err))
		return false;
	return open != 0 || (guard_database(c, previous) && step_may_act(c) &&
			     sql->quarantine(sql, &c->fence, previous, false, c->err));
}

/* Undo of 01, and of what switch_back did. */
static bool run_again(struct step_ctx *c)
{
	struct tenant_port *tenant = c->ports->tenant;
	struct tenant_record target;

	if (!guard_target(c, &target))
		return false;
	return target.state == TENANT_RUNNING ||
	       (step_may_act(c) &&
		tenant->set_state(tenant, &c->fence, c->job->target_ctx, TENANT_RUNNING, c->err));
}

/* Is SuperID's list the one that 23 put? Only then it is ours to put back. */
static bool is_the_clones_list(struct step_ctx *c, const struct identity_users *now, bool *ours_r)
{
	struct sql_port *sql = c->ports->sql;
	struct identity_users clones;
	bool there = false;

	*ours_r = false;
	if (!sql->exists(sql, c->fence.generation, &there, c->err))
		return false;
	if (there && !sql->has(sql, SQL_TARGET, "LicenseAssocLink", "assocId", &there, c->err))
		return false;
	if (!there)
		return true;
	if (!superid_users_of(c, SQL_TARGET, &clones))
		return false;
	*ours_r = superid_users_equal(&clones, now);
	return true;
}

static bool users_back(struct step_ctx *c)
{
	struct identity_port *identity = c->ports->identity;
	struct identity_users wanted, now;
	bool ours = false;

	if (!identity->list_users(identity, c->job->target_ctx, c->mem, &now, c->err) ||
	    !is_the_clones_list(c, &now, &ours))
		return false;
	if (!ours)
		return true;
	return superid_users_of(c, SQL_PREVIOUS, &wanted) &&
	       (superid_users_equal(&wanted, &now) ||
		identity->put_users(identity, &c->fence, c->job->target_ctx, &wanted, c->err));
}

/* Undo of 23 and 21. */
static bool superid_back(struct step_ctx *c, const char *previous)
{
	struct identity_port *identity = c->ports->identity;
	struct identity_tenant tenant;
	bool found = false;

	if (!identity->get(identity, c->job->target_ctx, &found, &tenant, c->err))
		return false;
	if (!found)
		return true;
	return (!previous[0] || users_back(c)) &&
	       (tenant.state == IDENTITY_NORMAL ||
		identity->set_state(identity, &c->fence, c->job->target_ctx, IDENTITY_NORMAL, c->err));
}

/* Undo of 26: a record that names another database than the clone's is not ours. */
static bool company_back(struct step_ctx *c, const char *previous)
{
	struct licence_port *licence = c->ports->licence;
	struct company_info now, wanted;
	bool found = false;

	if (!licence->get_company(licence, c->job->target_ctx, c->mem, &found, &now, c->err))
		return false;
	if (!found || strcmp(now.database, c->fence.generation) != 0)
		return true;
	if (!company_info_of(c, SQL_PREVIOUS, &wanted))
		return false;
	wanted.database = previous;
	return !wanted.company || !wanted.serial ||
	       (step_may_act(c) && licence->put_company(licence, &c->fence, c->job->target_ctx, &wanted, c->err));
}

struct routes_back {
	struct step_ctx *c;
	struct mail_routes now;
	bool *wanted; /* one for each of now */
};

/* A mailbox of the previous database keeps its route, or gets one again. */
static bool want_route(void *arg, const struct sql_row *row, struct err *e)
{
	struct routes_back *back = arg;
	struct step_ctx *c = back->c;
	bool there = false;

	(void)e;
	if (row->count < 2 || row->values[1].kind != SQL_TEXT)
		return true;
	for (size_t i = 0; i < back->now.count; i++)
		if (strcmp(back->now.routes[i].address, row->values[1].text) == 0)
			there = back->wanted[i] = true;
	if (there)
		return true;
	const char *id = step_text(c, "%s-%" PRId64, c->job->target_ctx, row->values[0].number);

	return id && step_may_act(c) && c->ports->mail->put(c->ports->mail, &c->fence, id, row->values[1].text, c->err);
}

/* Undo of 17 and 04. */
static bool mail_back(struct step_ctx *c, const char *previous)
{
	struct sql_port *sql = c->ports->sql;
	struct mail_port *mail = c->ports->mail;
	const struct sql_args none = { 0 };
	struct routes_back back = { .c = c };

	if (!mail->list(mail, c->job->target_ctx, c->mem, &back.now, c->err))
		return false;
	back.wanted = step_take(c, back.now.count + 1);
	if (!back.wanted)
		return false;
	if (previous[0] && (!sql->rows(sql, SQL_PREVIOUS, "abandon_mailboxes", &none, want_route, &back, c->err) ||
			    c->err->class != ERR_NONE))
		return false;
	for (size_t i = 0; i < back.now.count; i++)
		if (!back.wanted[i] &&
		    (!step_may_act(c) || !mail->remove(mail, &c->fence, back.now.routes[i].id, c->err)))
			return false;
	return true;
}

/* One whose making was broken off bears no stamp yet: it is made to the end, which only its own clone can. */
static bool make_sure_of_stamp(struct step_ctx *c)
{
	struct sql_port *sql = c->ports->sql;
	struct sql_stamp stamp = { 0 };
	bool there = false;

	if (!sql->exists(sql, c->fence.generation, &there, c->err))
		return false;
	if (!there)
		return true;
	return sql->stamp(sql, c->fence.generation, &stamp, c->err) &&
	       (stamp.found || (step_may_act(c) && sql->create_database(sql, &c->fence, c->job->source_ctx, c->err)));
}

/* Undo of 06 to 30: files first, because the database bears the stamp that says what they belong to. */
static bool drop_generation(struct step_ctx *c)
{
	struct files_port *objects = c->ports->objects, *archive = c->ports->archive;
	const char *generation = c->fence.generation;

	return guard_target(c, NULL) && guard_is_generation_of(generation, c->job->target_ctx) &&
	       make_sure_of_stamp(c) && objects->remove_root(objects, &c->fence, generation, c->err) &&
	       archive->remove_root(archive, &c->fence, generation, c->err) && drop_guarded(c, generation);
}

/* Switching back made the generation the registry's previous one; it is gone now. */
static bool forget_generation(struct step_ctx *c)
{
	struct tenant_record target;

	if (!guard_target(c, &target))
		return false;
	return strcmp(target.previous_database, c->fence.generation) != 0 ||
	       c->ports->tenant->forget_previous(c->ports->tenant, &c->fence, c->job->target_ctx, c->err);
}

/* 01, with which everything begins, has not been done, or left nothing that must be undone. */
static bool is_as_before(const struct tenant_record *target)
{
	return target->state == TENANT_RUNNING || (!target->database[0] && !target->previous_database[0]);
}

/* The target is refused; but when the registry knows no such tenant, or it is as before, and there is no database of the
 * clone's own, then there is nothing to clean up. False also when that cannot be said. */
static bool never_began(struct step_ctx *c)
{
	const struct err why = *c->err;
	struct tenant_record target;
	bool there = true, known;

	if (why.class != ERR_REFUSED || why.code == ERR_CODE_FENCED)
		return false;
	err_clear(c->err);
	known = c->ports->tenant->get(c->ports->tenant, c->job->target_ctx, &target, c->err);
	if (known ? is_as_before(&target) : c->err->code == ERR_CODE_MISSING) {
		err_clear(c->err);
		if (!c->ports->sql->exists(c->ports->sql, c->fence.generation, &there, c->err))
			return false;
	}
	if (there)
		*c->err = why;
	return !there;
}

enum step_outcome abandon_clone(struct step_ctx *c)
{
	struct tenant_record target;
	const char *previous;

	if (!guard_target(c, &target)) {
		if (!never_began(c))
			return step_failed(c);
		step_detail(c, "nothing of the target had been touched");
		return STEP_DONE;
	}
	if (!find_previous(c, &target, &previous))
		return step_failed(c);
	if (!previous[0] && strcmp(target.database, c->fence.generation) == 0) {
		err_set(c->err, ERR_REFUSED, ERR_CODE_TOO_LATE, c->fence.step,
			"the clone is in service, and there is nothing to go back to");
		return step_failed(c);
	}
	if (previous[0] && !switch_back(c, &target, previous))
		return step_failed(c);
	if (!superid_back(c, previous) || !mail_back(c, previous) || (previous[0] && !company_back(c, previous)) ||
	    !drop_generation(c))
		return step_failed(c);
	if (previous[0] && !open_previous(c, previous))
		return step_failed(c);
	if (!forget_generation(c) || (previous[0] && !run_again(c)))
		return step_failed(c);
	c->notice->left_in = previous[0] ? TENANT_RUNNING : TENANT_OFFLINE_MAINTENANCE;
	step_detail(c, previous[0] ? "back on the previous database" : "no previous database: left offline");
	return STEP_DONE;
}
