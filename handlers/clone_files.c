/* SPDX-License-Identifier: Apache-2.0 */
#include "handlers/clone_files.h"
#include "handlers/guard.h"
#include "handlers/words.h"

#include <inttypes.h>

/* As it goes: one file may take an hour, and one look at ten million of them, too. */
static void moved(void *arg, int64_t files, int64_t bytes)
{
	struct step_ctx *c = arg;

	atomic_store(&c->progress->rows, files);
	atomic_store(&c->progress->bytes, bytes);
}

static bool copy_all(struct step_ctx *c, const struct file_task *task, const struct files_choice *choice,
		     struct files_progress *done)
{
	while (!done->finished)
		if (!step_may_act(c) || !task->store->copy_next(task->store, &c->fence, choice, done, c->err))
			return false;
	return true;
}

static bool compare(struct step_ctx *c, const struct file_task *task, const struct files_choice *choice,
		    int64_t *different_r)
{
	return task->store->compare(task->store, &c->fence, choice, different_r, &c->rows, &c->bytes, c->err);
}

static void report(struct step_ctx *c, const struct file_task *task, const struct files_progress *done,
		   int64_t different)
{
	int64_t without = task->rows > c->rows ? task->rows - c->rows : 0;

	step_detail(c,
		    "%" PRId64 " files, %" PRId64 " bytes; %" PRId64 " names refused, %" PRId64 " vanished, %" PRId64
		    " changed in the source meanwhile, %" PRId64 " rows without a file in this store",
		    c->rows, c->bytes, done->refused, done->missing, different, without);
}

enum step_outcome clone_files(struct step_ctx *c, const struct file_task *task)
{
	struct files_progress done = { 0 };
	struct tenant_record source;
	int64_t different = 0;

	if (!guard_target(c, NULL) || !c->ports->tenant->get(c->ports->tenant, c->job->source_ctx, &source, c->err))
		return step_failed(c);
	const struct files_choice choice = { source.files_root, task->folder, task->wants, task->arg, moved, c };

	step_is_at(c, "comparing");
	if (!compare(c, task, &choice, &different))
		return step_failed(c);
	atomic_store(&c->progress->rows_total, c->rows);
	if (different > 0) {
		c->acted = true;
		step_is_at(c, "copying");
		if (!copy_all(c, task, &choice, &done))
			return step_failed(c);
		step_is_at(c, "comparing again");
		if (!compare(c, task, &choice, &different))
			return step_failed(c);
	}
	report(c, task, &done, different);
	return step_so(c);
}
