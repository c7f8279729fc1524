/* SPDX-License-Identifier: Apache-2.0
 * s32: the proved clone is the target's database in service, opened, running if the request wants that, and the
 * previous one is gone if the installation keeps none. Nothing is opened without the proof.
 *
 * Wait: with acknowledgements on, for the apps whose authorisation says so to answer BackupRestored.
 * Look: the registry has the generation in service in the wanted state, it is open, nothing previous waits to go.
 * Act:  prove once more (later steps wrote since 13), open the generation, note in its ledger since when it is in
 *       service (the sweep drops a kept previous one by that), switch, set the state, drop the previous.
 * Safe to repeat because each part names the wanted end; the previous one goes last, when nothing needs it any more. */
#include "handlers/guard.h"
#include "handlers/previous.h"
#include "handlers/proof.h"
#include "handlers/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool keeps_previous(const struct step_ctx *c)
{
	return c->settings->previous_keep_ms != 0 && !c->settings->previous_drop_first;
}

static bool look(struct step_ctx *c, bool *so_r)
{
	const struct sql_args args = SQL_ARGS(sql_text("database", c->fence.generation));
	struct tenant_record target;
	int64_t open = 0;

	if (!guard_target(c, &target) ||
	    !c->ports->sql->scalar(c->ports->sql, SQL_SERVER, "database_is_open", &args, &open, c->err))
		return false;
	*so_r = open == 1 && strcmp(target.database, c->fence.generation) == 0 &&
		strcmp(target.files_root, c->fence.generation) == 0 &&
		(!c->job->set_running || target.state == TENANT_RUNNING) &&
		(keeps_previous(c) || (!target.previous_database[0] && !target.previous_files_root[0]));
	return true;
}

/* The request may have switched masking off; then the stamp says so, and that is its proof. */
static bool prove(struct step_ctx *c)
{
	struct scan_counts counts;
	const struct sql_args none = { 0 };
	int64_t flags = 0;
	bool proved = false;

	if (!guard_database(c, c->fence.generation) || !proof_has(c, &proved))
		return false;
	if (!proved)
		return err_set(c->err, ERR_REFUSED, 0, c->fence.step,
			       "the clone bears no proof that its addresses are masked");
	if (c->job->mask_enabled && !proof_scan(c, false, &counts))
		return false;
	if (!ask_number(c, "s32_test_flags", &none, &flags))
		return false;
	if (flags != 8)
		return err_set(c->err, ERR_REFUSED, 0, c->fence.step,
			       "%" PRId64 " of the 8 test switches are set right", flags);
	return true;
}

static bool in_service(struct step_ctx *c)
{
	const char *generation = c->fence.generation, *ctx = c->job->target_ctx;
	struct tenant_port *tenant = c->ports->tenant;
	struct sql_port *sql = c->ports->sql;

	return sql->quarantine(sql, &c->fence, generation, false, c->err) && step_may_act(c) &&
	       sql->apply(sql, &c->fence, NULL, 0, NULL, c->err) && step_may_act(c) &&
	       tenant->route(tenant, &c->fence, ctx, generation, generation, c->err) && step_may_act(c) &&
	       (!c->job->set_running || tenant->set_state(tenant, &c->fence, ctx, TENANT_RUNNING, c->err));
}

static bool act(struct step_ctx *c)
{
	struct tenant_record target;

	if (!prove(c) || !in_service(c) || !guard_target(c, &target))
		return false;
	step_detail(c, c->job->set_running ? "running" : "left offline as asked");
	return keeps_previous(c) || drop_previous(c, &target);
}

/* Some apps want to have answered BackupRestored before the sandbox they must have forgotten runs again. Asked only
 * before anything was switched: afterwards there is no way back to waiting. */
static enum step_outcome await_apps(struct step_ctx *c)
{
	struct notices_waited waited;
	char on[sizeof c->waiting_on];

	if (!c->ports->notices->waited_for(c->ports->notices, c->job->clone_id, c->fence.run,
					   c->ports->clock->utc_ms(c->ports->clock), &waited, c->err))
		return step_failed(c);
	if (!waited.is_stored)
		return step_wait(c, c->settings->poll_ms, "the notifier to take in BackupRestored");
	if (waited.count == 0)
		return STEP_DONE;
	snprintf(on, sizeof on, "%.55s%s to answer BackupRestored", waited.first, waited.count > 1 ? " and others" : "");
	return step_wait(c, c->settings->poll_ms, on);
}

enum step_outcome s32_enter_running_mode(struct step_ctx *c)
{
	if (c->ports->notices && !c->acted) {
		enum step_outcome answered = await_apps(c);

		if (answered != STEP_DONE)
			return answered;
	}
	return step_look_act(c, look, act);
}
