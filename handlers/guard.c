/* SPDX-License-Identifier: Apache-2.0 */
#include "handlers/guard.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char where[] = "guard";

static bool refuse(struct step_ctx *c, const char *why)
{
	return err_set(c->err, ERR_REFUSED, 0, where, "%s", why);
}

/* [A-Za-z0-9][A-Za-z0-9_-]{0,39}: what may stand in a path, an identifier and an address without any quoting. */
static bool well_formed(const char *ctx)
{
	size_t len = ctx ? strlen(ctx) : 0;

	if (len == 0 || len > CTX_MAX || !isalnum((unsigned char)ctx[0]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)ctx[i]) && ctx[i] != '_' && ctx[i] != '-')
			return false;
	return true;
}

bool guard_is_generation_of(const char *database, const char *target_ctx)
{
	size_t len = strlen(target_ctx);
	const char *digits;

	if (len == 0 || strlen(database) > DATABASE_MAX || strncmp(database, target_ctx, len) != 0 ||
	    strncmp(database + len, "__g", 3) != 0)
		return false;
	digits = database + len + 3;
	if (*digits == '\0')
		return false;
	for (; *digits; digits++)
		if (!isdigit((unsigned char)*digits) && !(*digits >= 'a' && *digits <= 'z'))
			return false;
	return true;
}

/* What can be known without asking anybody. */
static bool job_is_sane(struct step_ctx *c)
{
	const char *target = c->job->target_ctx, *source = c->job->source_ctx;

	if (!well_formed(target) || !well_formed(source))
		return refuse(c, "the name of the source or of the target is not a legal tenant name");
	if (strcasecmp(target, source) == 0)
		return refuse(c, "source and target are the same tenant");
	if (strcmp(c->fence.target_ctx, target) != 0 || !guard_is_generation_of(c->fence.generation, target))
		return err_set(c->err, ERR_BUG, 0, where, "the fence is not made for this target");
	for (size_t i = 0; i < c->settings->deny_count; i++)
		if (strcasecmp(c->settings->deny_targets[i], target) == 0)
			return refuse(c, "the target is on the deny list of this installation");
	return true;
}

/* An aborted step must not start another effect: the lease may be somebody else's by now. */
static bool lease_is_ours(struct step_ctx *c, uint64_t token_seen)
{
	if (step_must_stop(c))
		return err_set(c->err, ERR_TRANSIENT, ERR_CODE_ABORTED, where, "the step was asked to stop");
	if (token_seen > c->fence.token)
		return err_set(c->err, ERR_REFUSED, ERR_CODE_FENCED, where, "a newer owner has taken over this target");
	return true;
}

/* Generations end in the token under which they began: the later, the greater, and sooner or later longer. */
static bool began_later(const char *generation, const char *other)
{
	size_t length = strlen(generation), others = strlen(other);

	return length != others ? length > others : strcmp(generation, other) > 0;
}

/* The lease is asked for at the store, which can lose its memory; the registry keeps who built on the target last. A
 * replay of an older clone would destroy that. Cleaning up after one may go on: it only removes what is its own. */
static bool is_the_latest(struct step_ctx *c, const struct tenant_record *target)
{
	const char *latest = target->stamp.database;

	if (strcmp(c->fence.step, "clean_up") == 0 || !guard_is_generation_of(latest, target->ctx) ||
	    !began_later(latest, c->fence.generation))
		return true;
	return refuse(c, "a newer clone has built on this target; this older one would destroy its work");
}

bool guard_target(struct step_ctx *c, struct tenant_record *record_r)
{
	struct tenant_record mine, *record = record_r ? record_r : &mine;

	if (!job_is_sane(c) || !c->ports->tenant->get(c->ports->tenant, c->job->target_ctx, record, c->err))
		return false;
	if (strcmp(record->ctx, c->job->target_ctx) != 0)
		return refuse(c, "the registry answered for another tenant");
	if (record->kind != TENANT_TEST)
		return refuse(c, "the registry does not call the target a test tenant");
	if (strcmp(record->linked_source, c->job->source_ctx) != 0)
		return refuse(c, "the registry does not link the target to this source");
	return lease_is_ours(c, record->stamp.token) && is_the_latest(c, record);
}

/* Two names may be one database: the server's own identity decides (design section 6). */
static bool is_not_the_source(struct step_ctx *c, const char *database)
{
	struct sql_port *sql = c->ports->sql;
	struct tenant_record source;
	struct sql_identity a, b;

	if (!c->ports->tenant->get(c->ports->tenant, c->job->source_ctx, &source, c->err))
		return false;
	if (strcmp(source.database, database) == 0)
		return refuse(c, "the database is the one the source works with");
	if (!sql->identity(sql, source.database, &a, c->err) || !sql->identity(sql, database, &b, c->err))
		return false;
	if (a.database_id[0] == '\0' || b.database_id[0] == '\0')
		return refuse(c, "the server does not say which database this is");
	if (strcmp(a.server_id, b.server_id) == 0 && strcmp(a.database_id, b.database_id) == 0)
		return refuse(c, "the database is the source's under another name");
	return true;
}

static bool is_a_sandbox(struct step_ctx *c, const char *database)
{
	struct sql_stamp stamp;

	if (!c->ports->sql->stamp(c->ports->sql, database, &stamp, c->err))
		return false;
	if (!stamp.found) {
		if (c->job->approved_target && strcmp(c->job->approved_target, c->job->target_ctx) == 0)
			return true;
		return refuse(c, "the database bears no sandbox stamp and nobody approved the target by name");
	}
	if (strcmp(stamp.target_ctx, c->job->target_ctx) != 0)
		return refuse(c, "the database bears the stamp of another target");
	return lease_is_ours(c, stamp.token);
}

bool guard_database(struct step_ctx *c, const char *database)
{
	struct tenant_record target;

	if (!guard_target(c, &target))
		return false;
	if (strcmp(database, c->job->target_ctx) != 0 && !guard_is_generation_of(database, c->job->target_ctx))
		return refuse(c, "the database does not belong to the target by its name");
	return is_not_the_source(c, database) && is_a_sandbox(c, database);
}
