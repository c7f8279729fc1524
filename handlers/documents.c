/* SPDX-License-Identifier: Apache-2.0
 * A document lies below a folder that bears its owner's short name: <name>/<year>.<half>/<file> (domain section 4). */
#include "handlers/documents.h"
#include "handlers/clone_files.h"
#include "handlers/words.h"

#include <string.h>
#include <strings.h>

struct owners { /* short names of the users who get a plan */
	const char **names;
	size_t count;
};

static bool is_owned(void *arg, const char *path)
{
	const struct owners *owners = arg;
	size_t len = strcspn(path, "/");

	for (size_t i = 0; i < owners->count; i++)
		if (strlen(owners->names[i]) == len && strncasecmp(owners->names[i], path, len) == 0)
			return true;
	return false;
}

/* From the source: the clone's short names may be masked, the folders are not. */
static bool find_owners(struct step_ctx *c, struct owners *owners_r)
{
	owners_r->count = 0;
	owners_r->names = step_take(c, (c->job->user_count + 1) * sizeof *owners_r->names);
	if (!owners_r->names)
		return false;
	for (size_t i = 0; i < c->job->user_count; i++) {
		const struct user_plan *user = &c->job->users[i];
		const struct sql_args args =
		    SQL_ARGS(sql_number("associate", user->associate_id), sql_text("login", user->login));
		const char *name = NULL;

		if (!user->plan || !user->plan[0])
			continue; /* listed, and "none" ticked */
		if (!c->ports->sql->text(c->ports->sql, SQL_SOURCE, "document_owner", &args, c->mem, &name, c->err))
			return false;
		if (name && name[0])
			owners_r->names[owners_r->count++] = name;
	}
	return true;
}

enum step_outcome clone_documents(struct step_ctx *c, struct files_port *store)
{
	struct file_task task = { .store = store, .folder = FOLDER_DOCUMENTS, .rows = -1 };
	struct owners owners;

	if (c->job->documents == DOCUMENTS_NONE)
		return step_skipped(c, "no documents asked for");
	if (c->job->documents == DOCUMENTS_INCLUDED_USERS) {
		if (!find_owners(c, &owners))
			return step_failed(c);
		task.wants = is_owned;
		task.arg = &owners;
	}
	return clone_files(c, &task);
}
