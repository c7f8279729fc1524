/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/tenant/facts.h"

#include <stdio.h>
#include <string.h>

/* ---- names ---- */

static bool is_name(const char *text, size_t max)
{
	size_t len = strnlen(text, max + 1);

	if (len == 0 || len > max)
		return false;
	return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

bool facts_names(const struct message *m, const char **ctx_r, const char **clone_id_r)
{
	int64_t sequence;

	switch (m->kind) {
	case MESSAGE_STATE:
		if (m->state.status == CLONE_REJECTED || m->state.status == CLONE_STATUS_UNSET)
			return false;
		*ctx_r = m->state.target_ctx;
		*clone_id_r = m->state.clone_id;
		sequence = m->state.sequence;
		break;
	case MESSAGE_STEP_COMPLETED:
		*ctx_r = m->step_completed.target_ctx;
		*clone_id_r = m->step_completed.clone_id;
		sequence = m->step_completed.sequence;
		break;
	case MESSAGE_BACKUP_RESTORED:
		*ctx_r = m->backup_restored.context_identifier;
		*clone_id_r = m->backup_restored.clone_id;
		sequence = m->backup_restored.sequence;
		break;
	default:
		return false;
	}
	return sequence > 0 && is_name(*ctx_r, CTX_MAX) && is_name(*clone_id_r, CLONE_ID_MAX);
}

/* ---- keeping the last of each kind ---- */

/* Cuts between two characters, never inside one. Everything behind the text stays zero. */
static void keep_text(char *out, size_t size, const char *text)
{
	size_t len = strnlen(text, size);

	if (len == size) {
		len--;
		while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--;
	}
	memcpy(out, text, len);
}

/* A clone never gives one sequence to two events. Should it happen all the same, the choice must not depend on which
 * came first. */
static bool take(void *known, int64_t known_sequence, const void *told, int64_t told_sequence, size_t size)
{
	if (told_sequence < known_sequence || (told_sequence == known_sequence && memcmp(told, known, size) <= 0))
		return false;
	memcpy(known, told, size);
	return true;
}

/* The same in every event of a clone. */
static bool take_source(struct clone_facts *f, const char *source)
{
	char told[CTX_MAX + 1] = { 0 };

	keep_text(told, sizeof told, source);
	return take(f->source_ctx, 0, told, 0, sizeof told);
}

static bool fold_turn(struct clone_facts *f, const struct step_completed *m)
{
	static const enum step_id turns[TURN_END] = {
		[TURN_OFFLINE] = STEP_enter_offline_mode,
		[TURN_IN_MIGRATION] = STEP_superid_in_migration,
		[TURN_NORMAL] = STEP_superid_normal,
		[TURN_OPEN] = STEP_enter_running_mode,
	};
	const struct facts_turn told = { m->sequence, m->finished_at_ms };

	if (m->outcome != STEP_DONE && m->outcome != STEP_ALREADY)
		return false;
	for (int i = 0; i < TURN_END; i++)
		if (strcmp(steps[turns[i]].slug, m->slug) == 0)
			return take(&f->turns[i], f->turns[i].sequence, &told, told.sequence, sizeof told);
	return false;
}

static bool fold_step(struct clone_facts *f, const struct step_completed *m)
{
	bool turned = fold_turn(f, m);
	struct facts_step told;

	memset(&told, 0, sizeof told);
	told.sequence = m->sequence;
	told.at_ms = m->finished_at_ms;
	told.run = m->run;
	told.step_no = m->step_no;
	told.total_steps = m->total_steps;
	keep_text(told.slug, sizeof told.slug, m->slug);
	return take(&f->last, f->last.sequence, &told, told.sequence, sizeof told) || turned;
}

static bool fold_state(struct clone_facts *f, const struct clone_state *m)
{
	struct facts_state told;

	memset(&told, 0, sizeof told);
	told.sequence = m->sequence;
	told.requested_at_ms = m->requested_at_ms;
	told.updated_at_ms = m->updated_at_ms;
	told.status = m->status;
	told.leaves = m->leaves;
	told.run = m->run;
	told.steps_done = m->steps_done;
	told.total_steps = m->total_steps;
	keep_text(told.generation, sizeof told.generation, m->generation);
	keep_text(told.step, sizeof told.step, m->step);
	keep_text(told.cause, sizeof told.cause, m->cause);
	keep_text(told.next_command, sizeof told.next_command, m->next_command);
	return take(&f->state, f->state.sequence, &told, told.sequence, sizeof told);
}

static bool fold_restored(struct clone_facts *f, const struct backup_restored *m)
{
	struct facts_restored told;

	memset(&told, 0, sizeof told);
	told.sequence = m->sequence;
	told.at_ms = m->occurred_at_ms;
	keep_text(told.version_name, sizeof told.version_name, m->version_name);
	keep_text(told.file_version, sizeof told.file_version, m->file_version);
	keep_text(told.host, sizeof told.host, m->public_endpoint);
	return take(&f->restored, f->restored.sequence, &told, told.sequence, sizeof told);
}

void facts_init(struct clone_facts *f, const char *ctx, const char *clone_id)
{
	memset(f, 0, sizeof *f);
	keep_text(f->ctx, sizeof f->ctx, ctx);
	keep_text(f->clone_id, sizeof f->clone_id, clone_id);
}

bool facts_fold(struct clone_facts *f, const struct message *m)
{
	bool has_source = false, has_event = false;

	switch (m->kind) {
	case MESSAGE_STEP_COMPLETED:
		has_source = take_source(f, m->step_completed.source_ctx);
		has_event = fold_step(f, &m->step_completed);
		break;
	case MESSAGE_BACKUP_RESTORED:
		has_source = take_source(f, m->backup_restored.source_ctx);
		has_event = fold_restored(f, &m->backup_restored);
		break;
	case MESSAGE_STATE:
		has_source = take_source(f, m->state.source_ctx);
		has_event = fold_state(f, &m->state);
		break;
	default:
		break;
	}
	return has_source || has_event;
}
