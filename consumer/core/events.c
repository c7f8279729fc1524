/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/core/events.h"

#include <string.h>

enum { CHANGE_BACKUP_RESTORED = 1 }; /* ChangeType of the status webhook (domain 2.2) */

/* NULL when memory is short. */
static const struct table_figures *figures_of(const struct step_tables *t, struct arena *mem)
{
	struct table_figures *figures = arena_take(mem, (t->count + 1) * sizeof *figures);

	for (size_t i = 0; figures && i < t->count; i++)
		figures[i] = (struct table_figures){ t->table[i].name, t->table[i].rows, t->table[i].bytes,
			t->table[i].masked };
	return figures;
}

static void fill_step(const struct effect *fx, const struct engine_event *event, struct arena *mem,
                      struct step_completed *m)
{
	const struct step_result *r = event->result;
	const char *slug = steps[event->step].slug;

	*m = (struct step_completed){
		.event_id = arena_printf(mem, "%s/%d/%s/%s", fx->clone_id, fx->snapshot->run, slug,
			r->outcome == STEP_REFUSED ? "failed" : "completed"),
		.clone_id = fx->clone_id,
		.source_ctx = fx->source_ctx,
		.target_ctx = fx->target_ctx,
		.slug = slug,
		.detail = r->outcome == STEP_REFUSED ? r->err.text : r->detail,
		.run = fx->snapshot->run,
		.step_no = (int)event->step + 1,
		.total_steps = plan_total_steps(fx->request->job.documents),
		.attempt = event->attempt,
		.sequence = (int64_t)event->sequence,
		.started_at_ms = r->started_at_ms,
		.finished_at_ms = r->finished_at_ms,
		.outcome = r->outcome,
		.rows = r->rows,
		.bytes = r->bytes,
		.masked = r->tables.masked,
		.still_ms = event->still_ms,
		.tables = figures_of(&r->tables, mem),
		.table_count = r->tables.count,
		.more_tables = r->tables.more,
	};
}

static void fill_restored(const struct effect *fx, const struct engine_event *event, const struct event_facts *facts,
                          struct arena *mem, struct backup_restored *m)
{
	const struct step_result *r = event->result;
	const struct step_job *job = &fx->request->job;

	*m = (struct backup_restored){
		.event_id = arena_printf(mem, "%s/%d/backup-restored", fx->clone_id, fx->snapshot->run),
		.change_type = CHANGE_BACKUP_RESTORED,
		.context_identifier = fx->target_ctx,
		.version_name = r->notice.version_name,
		.file_version = r->notice.file_version,
		.token = "", /* the notifier makes one for each app */
		.public_endpoint = r->notice.public_endpoint,
		.clone_id = fx->clone_id,
		.source_ctx = fx->source_ctx,
		.generation = fx->snapshot->generation,
		.mask_domain = job->mask_enabled ? job->mask_domain : "",
		.mask_domain_public = job->mask_enabled && facts->domain_is_public(job->mask_domain),
		.proof = r->notice.proof,
		.run = fx->snapshot->run,
		.sequence = (int64_t)event->sequence,
		.occurred_at_ms = r->finished_at_ms,
		.apps_to_tell = r->rows,
	};
}

const char *event_next_command(const struct clone_snapshot *s, const char *clone_id, struct arena *mem)
{
	if (s->cancel_begun && (s->status == CLONE_FAILED || s->status == CLONE_PAUSED))
		return arena_printf(mem, "sandboxctl clone cancel %s", clone_id);
	switch (s->status) {
	case CLONE_FAILED:
		if (s->failed_step < 0 && snapshot_done(s) == ALL_STEPS) /* its rollback broke off */
			return arena_printf(mem, "sandboxctl clone rollback %s --reason '...'", clone_id);
		return arena_printf(mem, "sandboxctl clone replay %s --reason '...'", clone_id);
	case CLONE_PAUSED:
		return arena_printf(mem, "sandboxctl clone resume %s", clone_id);
	default:
		return "";
	}
}

static enum tenant_state leaves(const struct effect *fx)
{
	if (fx->snapshot->status == CLONE_CANCELLED || fx->snapshot->status == CLONE_ROLLED_BACK)
		return fx->snapshot->left_in;
	return fx->request->job.set_running ? TENANT_RUNNING : TENANT_OFFLINE_MAINTENANCE;
}

/* Slugs of the steps this run does; none when it does all. NULL when memory is short. */
static const char *const *only_steps(step_set scope, struct arena *mem, size_t *count_r)
{
	const char **slugs = arena_take(mem, STEP_END * sizeof *slugs);

	*count_r = 0;
	for (int i = 0; slugs && scope != ALL_STEPS && i < STEP_END; i++)
		if (scope & STEP_BIT(i))
			slugs[(*count_r)++] = steps[i].slug;
	return slugs;
}

static void fill_state(const struct effect *fx, const struct engine_event *event, int64_t utc_ms, struct arena *mem,
                       struct clone_state *m)
{
	const struct clone_snapshot *s = fx->snapshot;
	enum documents_choice documents = fx->request->job.documents;

	*m = (struct clone_state){
		.event_id = arena_printf(mem, "%s/%d/state/%llu", fx->clone_id, s->run, (unsigned long long)event->sequence),
		.clone_id = fx->clone_id,
		.source_ctx = fx->source_ctx,
		.target_ctx = fx->target_ctx,
		.generation = s->generation,
		.status = s->status,
		.run = s->run,
		.steps_done = plan_counted(documents, snapshot_done(s)),
		.total_steps = plan_total_steps(documents),
		.sequence = (int64_t)event->sequence,
		.requested_at_ms = s->requested_at_ms,
		.updated_at_ms = utc_ms,
		.step = s->failed_step >= 0 ? steps[s->failed_step].slug : "",
		.cause = s->cause,
		.error_class = s->error_class,
		.next_command = event_next_command(s, fx->clone_id, mem),
		.token = fx->token,
		.cancel_begun = s->cancel_begun,
		.leaves = leaves(fx),
	};
	m->only_steps = only_steps(s->scope, mem, &m->only_step_count);
}

const struct message *event_message(const struct effect *fx, const struct engine_event *event, int64_t utc_ms,
                                    const struct event_facts *facts, struct arena *mem, enum topic *topic_r,
                                    const char **key_r)
{
	struct message *m = arena_take(mem, sizeof *m);

	if (!m)
		return NULL;
	m->kind = event->kind;
	*key_r = fx->target_ctx;
	switch (event->kind) {
	case MESSAGE_STEP_COMPLETED:
		*topic_r = TOPIC_STEP_COMPLETED;
		fill_step(fx, event, mem, &m->step_completed);
		return m->step_completed.event_id && m->step_completed.tables ? m : NULL;
	case MESSAGE_BACKUP_RESTORED:
		*topic_r = TOPIC_BACKUP_RESTORED;
		fill_restored(fx, event, facts, mem, &m->backup_restored);
		return m->backup_restored.event_id ? m : NULL;
	default:
		*topic_r = TOPIC_STATE;
		*key_r = fx->clone_id;
		fill_state(fx, event, utc_ms, mem, &m->state);
		return m->state.event_id && m->state.next_command && m->state.only_steps ? m : NULL;
	}
}

const struct message *event_rejected(const struct clone_request *request, const char *why, int64_t utc_ms,
                                     struct arena *mem)
{
	struct message *m = arena_take(mem, sizeof *m);
	const struct step_job *job = &request->job;

	if (!m)
		return NULL;
	m->kind = MESSAGE_STATE;
	m->state = (struct clone_state){
		.event_id = arena_printf(mem, "%s/1/state/1", job->clone_id),
		.clone_id = job->clone_id,
		.source_ctx = job->source_ctx,
		.target_ctx = job->target_ctx,
		.generation = "",
		.status = CLONE_REJECTED,
		.run = 1,
		.total_steps = plan_total_steps(job->documents),
		.sequence = 1,
		.requested_at_ms = request->requested_at_ms,
		.updated_at_ms = utc_ms,
		.step = "",
		.cause = why,
		.error_class = "refused",
		.next_command = "",
	};
	return m->state.event_id ? m : NULL;
}
