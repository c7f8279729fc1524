/* SPDX-License-Identifier: Apache-2.0 */
#include "handlers/previous.h"
#include "handlers/guard.h"
#include "handlers/words.h"

#include <string.h>

/* A drop that was broken off may have left the server's entry of a database that is gone. */
bool drop_guarded(struct step_ctx *c, const char *database)
{
	struct sql_port *sql = c->ports->sql;
	bool there = false;

	if (!sql->exists(sql, database, &there, c->err))
		return false;
	if (!there && strcmp(database, c->job->target_ctx) != 0 &&
	    !guard_is_generation_of(database, c->job->target_ctx))
		return true;
	return (there ? guard_database(c, database) : guard_target(c, NULL)) && step_may_act(c) &&
	       sql->drop_database(sql, &c->fence, database, c->err);
}

/* A file tree belongs to the target when it bears its name, or is one of its generations but not the one in service. */
static bool may_remove_root(struct step_ctx *c, const struct tenant_record *target, const char *root)
{
	if (!guard_target(c, NULL))
		return false;
	if (strcmp(root, target->files_root) == 0 || strcmp(root, c->fence.generation) == 0)
		return err_set(c->err, ERR_REFUSED, 0, "previous", "the file tree to remove is in service");
	if (strcmp(root, c->job->target_ctx) != 0 && !guard_is_generation_of(root, c->job->target_ctx))
		return err_set(c->err, ERR_REFUSED, 0, "previous",
			       "the file tree to remove is not the target's by its name");
	return true;
}

bool remove_root_guarded(struct step_ctx *c, const struct tenant_record *target, const char *root)
{
	struct files_port *objects = c->ports->objects, *archive = c->ports->archive;

	return may_remove_root(c, target, root) && objects->remove_root(objects, &c->fence, root, c->err) &&
	       archive->remove_root(archive, &c->fence, root, c->err);
}

bool drop_previous(struct step_ctx *c, const struct tenant_record *target)
{
	const char *database = target->previous_database, *root = target->previous_files_root;

	if (!database[0] && !root[0])
		return true;
	if (database[0] && !drop_guarded(c, database))
		return false;
	if (root[0] && !remove_root_guarded(c, target, root))
		return false;
	return c->ports->tenant->forget_previous(c->ports->tenant, &c->fence, c->job->target_ctx, c->err);
}
