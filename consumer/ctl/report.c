/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/ctl/report.h"

#include "consumer/ctl/human.h"
#include "consumer/ctl/look.h"
#include "consumer/ctl/message_json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const enum step_id file_steps[] = { STEP_clone_azure_templates, STEP_clone_azure_documents,
	STEP_clone_soarc_documents, STEP_clone_azure_attachments, STEP_clone_soarc_attachments };

enum { FILE_STEPS = sizeof file_steps / sizeof *file_steps, TABLES_SHOWN = 5 };

/* ---- folding ---- */

/* The number behind a member of the proof, which step 13 wrote as one flat JSON object; -1 when it is not there. */
static int64_t member(const char *proof, const char *name)
{
	const char *at = strstr(proof, name);
	char *end;
	int64_t number;

	if (!at)
		return -1;
	at += strlen(name);
	number = strtoll(at, &end, 10);
	return end == at ? -1 : number;
}

static void take_proof(struct report *r, const struct backup_restored *b)
{
	r->restored = b;
	r->addresses_left = member(b->proof, "\"left\":");
	r->is_unmasked = strstr(b->proof, "\"masked\":false") != NULL;
	r->is_public = b->mask_domain_public;
}

static void take_step(struct report *r, const struct step_completed *s)
{
	enum step_id id = step_by_slug(s->slug);

	if (id == STEP_END)
		return;
	r->steps[id] = s;
	if (s->run > r->runs)
		r->runs = s->run;
	if (!r->began_ms || s->started_at_ms < r->began_ms)
		r->began_ms = s->started_at_ms;
	if (s->finished_at_ms > r->ended_ms)
		r->ended_ms = s->finished_at_ms;
}

static void count_steps(struct report *r)
{
	for (int i = 0; i < STEP_END; i++) {
		const struct step_completed *s = r->steps[i];

		if (!s)
			continue;
		r->skipped += s->outcome == STEP_SKIPPED;
		r->failed += s->outcome == STEP_REFUSED;
		r->ended += s->outcome != STEP_SKIPPED && s->outcome != STEP_REFUSED;
	}
	if (r->steps[STEP_copy_database])
		r->rows_copied = r->steps[STEP_copy_database]->rows;
	for (int i = 0; i < FILE_STEPS; i++)
		if (r->steps[file_steps[i]]) {
			r->files += r->steps[file_steps[i]]->rows;
			r->file_bytes += r->steps[file_steps[i]]->bytes;
		}
}

void report_make(const struct history *h, struct report *r)
{
	memset(r, 0, sizeof *r);
	r->addresses_left = -1;
	for (size_t i = 0; i < h->count; i++) {
		const struct message *m = h->events[i].message;

		if (h->events[i].is_repeat)
			continue;
		if (m->kind == MESSAGE_STEP_COMPLETED)
			take_step(r, &m->step_completed);
		else if (m->kind == MESSAGE_BACKUP_RESTORED)
			take_proof(r, &m->backup_restored);
		else
			r->state = &m->state;
	}
	if (r->state && r->state->run > r->runs)
		r->runs = r->state->run;
	count_steps(r);
}

bool report_is_good(const struct report *r)
{
	return r->state && r->state->status == CLONE_COMPLETED && r->addresses_left == 0 && !r->is_public;
}

/* ---- for people ---- */

static enum step_state state_of(const struct step_completed *s)
{
	if (!s)
		return STEP_IS_PENDING;
	return s->outcome == STEP_REFUSED   ? STEP_IS_FAILED
	       : s->outcome == STEP_SKIPPED ? STEP_IS_SKIPPED
					    : STEP_IS_DONE;
}

static void print_head(const struct report *r, const struct report_style *style, struct buf *out)
{
	const struct clone_state *s = r->state;
	enum clone_status status = s ? s->status : CLONE_STATUS_UNSET;

	buf_printf(out, "Clone %s\n", s ? s->clone_id : "?");
	buf_printf(out, "%s -> %s  %s%s%s", s ? s->source_ctx : "?", s ? s->target_ctx : "?",
		look_status_color(status, style->colors), clone_status_name(status), look_color_end(style->colors));
	if (s)
		buf_printf(out, "  %d/%d steps", s->steps_done, s->total_steps);
	if (r->ended_ms > r->began_ms) {
		buf_add_text(out, " in ");
		human_duration(out, r->ended_ms - r->began_ms);
	}
	if (r->runs > 1)
		buf_printf(out, ", %d runs", r->runs);
	buf_add_text(out, "\n");
	if (s && s->cause[0]) {
		buf_add_text(out, "Cause: ");
		human_text(out, s->cause, strlen(s->cause));
		buf_add_text(out, "\n");
	}
}

static void print_step(const struct report *r, const struct report_style *style, int i, struct buf *out)
{
	const struct step_completed *s = r->steps[i];
	enum step_state state = state_of(s);
	struct buf took;

	buf_init(&took, 64);
	if (s && state != STEP_IS_SKIPPED)
		human_duration(&took, s->finished_at_ms - s->started_at_ms);
	buf_printf(out, "%s%s%s %s %-26s %6s  ", look_color(state, style->colors), look_glyph(state, style->utf8),
		look_color_end(style->colors), steps[i].nn, steps[i].slug, buf_text(&took));
	if (s && s->detail[0])
		human_text(out, s->detail, strlen(s->detail));
	else if (s && s->rows)
		look_moved(out, &(struct step_note){ .rows = s->rows, .bytes = s->bytes });
	if (s && s->attempt > 1)
		buf_printf(out, " (%d attempts)", s->attempt);
	while (out->len && out->data[out->len - 1] == ' ')
		out->data[--out->len] = '\0';
	buf_add_text(out, "\n");
	buf_done(&took);
}

/* The largest, so that it is seen where the time went. */
static void print_tables(const struct report *r, struct buf *out)
{
	const struct step_completed *copy = r->steps[STEP_copy_database];
	size_t shown = copy && copy->table_count < TABLES_SHOWN ? copy->table_count : TABLES_SHOWN;

	for (size_t i = 0; copy && i < shown; i++) {
		const struct table_figures *t = &copy->tables[i];

		buf_add_text(out, i ? "\n                    " : "\nLargest tables      ");
		human_text(out, t->table, strlen(t->table));
		buf_add_text(out, ": ");
		human_count(out, t->rows);
		buf_add_text(out, " rows, ");
		human_size(out, t->bytes);
		if (t->masked) {
			buf_add_text(out, ", masked ");
			human_count(out, t->masked);
		}
	}
}

static void print_rows(const struct report *r, struct buf *out)
{
	const struct step_completed *mask = r->steps[STEP_mask_email_domains];

	buf_add_text(out, "\nRows copied         ");
	human_count(out, r->rows_copied);
	print_tables(r, out);
	buf_add_text(out, "\nTexts looked at     ");
	if (mask && mask->outcome != STEP_SKIPPED)
		human_count(out, mask->rows);
	else
		buf_add_text(out, "none");
	buf_add_text(out, "\nFiles copied        ");
	human_count(out, r->files);
	buf_add_text(out, " (");
	human_size(out, r->file_bytes);
	buf_add_text(out, ")\n");
}

static void print_proof(const struct report *r, const struct report_style *style, struct buf *out)
{
	bool good = r->addresses_left == 0;

	buf_printf(out, "Addresses left      %s", look_color(good ? STEP_IS_DONE : STEP_IS_FAILED, style->colors));
	if (r->addresses_left >= 0)
		human_count(out, r->addresses_left);
	else
		buf_add_text(out, r->is_unmasked ? "not masked, as asked" : "not proved");
	buf_add_text(out, look_color_end(style->colors));
	if (good && member(r->restored->proof, "\"addresses\":") >= 0) {
		buf_add_text(out, " outside the mask domain, of ");
		human_count(out, member(r->restored->proof, "\"addresses\":"));
		buf_add_text(out, " found");
	}
	buf_add_text(out, "\n");
}

static void print_tenant(const struct report *r, struct buf *out)
{
	const struct step_completed *open = r->steps[STEP_enter_running_mode];

	if (r->is_told_known)
		buf_printf(out, "Partner apps told   %zu of %zu\n", r->apps_told, r->apps_all);
	else if (r->restored)
		buf_printf(out, "Partner apps        %" PRId64 " to be told of BackupRestored\n",
			   r->restored->apps_to_tell);
	buf_printf(out, "Tenant              %s", r->state ? r->state->target_ctx : "?");
	if (open && open->outcome != STEP_REFUSED) {
		buf_add_text(out, ", ");
		human_text(out, open->detail, strlen(open->detail));
	} else {
		buf_add_text(out, ", not opened");
	}
	if (r->restored && r->restored->public_endpoint[0]) {
		buf_add_text(out, " at ");
		human_text(out, r->restored->public_endpoint, strlen(r->restored->public_endpoint));
	}
	buf_add_text(out, "\n");
	if (r->state && r->state->generation[0])
		buf_printf(out, "Generation          %s\n", r->state->generation);
}

static void print_warnings(const struct report *r, const struct report_style *style, struct buf *out)
{
	const char *on = look_color(STEP_IS_WAITING, style->colors), *off = look_color_end(style->colors);

	if (r->is_public)
		buf_printf(out,
			   "%sWarning%s: the mask domain %s is a public inbox: anybody can read what is sent there.\n",
			   on, off, r->restored->mask_domain);
	if (r->is_unmasked)
		buf_printf(out, "%sWarning%s: the sandbox holds real addresses.\n", on, off);
	if (r->state && r->state->next_command[0]) {
		buf_add_text(out, "Next: ");
		human_text(out, r->state->next_command, strlen(r->state->next_command));
		buf_add_text(out, "\n");
	}
}

void report_print(const struct report *r, const struct report_style *style, struct buf *out)
{
	print_head(r, style, out);
	buf_add_text(out, "\n");
	for (int i = 0; i < STEP_END; i++)
		print_step(r, style, i, out);
	print_rows(r, out);
	print_proof(r, style, out);
	print_tenant(r, out);
	print_warnings(r, style, out);
}

/* ---- for machines ---- */

static void json_steps(const struct report *r, struct js *j)
{
	js_array(j, "steps");
	for (int i = 0; i < STEP_END; i++) {
		const struct step_completed *s = r->steps[i];

		if (!s)
			continue;
		js_object(j, NULL);
		js_number(j, "number", i + 1);
		js_text(j, "step", s->slug);
		js_text(j, "outcome", step_outcome_name(s->outcome));
		js_number(j, "run", s->run);
		js_number(j, "attempt", s->attempt);
		js_time(j, "started_at", s->started_at_ms);
		js_time(j, "finished_at", s->finished_at_ms);
		js_number(j, "took_ms", s->finished_at_ms - s->started_at_ms);
		js_number(j, "rows", s->rows);
		js_number(j, "bytes", s->bytes);
		js_text(j, "detail", s->detail);
		tables_json(j, s);
		js_close(j);
	}
	js_close(j);
}

static void json_sandbox(const struct report *r, struct js *j)
{
	const struct backup_restored *b = r->restored;

	js_number(j, "rows_copied", r->rows_copied);
	js_number(j, "files_copied", r->files);
	js_number(j, "file_bytes", r->file_bytes);
	if (r->addresses_left >= 0)
		js_number(j, "addresses_left", r->addresses_left);
	else
		js_text(j, "addresses_left", NULL);
	js_text(j, "proof", b ? b->proof : NULL);
	js_text(j, "mask_domain", b && b->mask_domain[0] ? b->mask_domain : NULL);
	js_flag(j, "mask_domain_public", r->is_public);
	if (b)
		js_number(j, "apps_to_tell", b->apps_to_tell);
	if (r->is_told_known) {
		js_number(j, "apps_told", (int64_t)r->apps_told);
		js_number(j, "apps_stored", (int64_t)r->apps_all);
	}
	js_text(j, "public_endpoint", b ? b->public_endpoint : NULL);
	js_text(j, "tenant", r->steps[STEP_enter_running_mode] ? r->steps[STEP_enter_running_mode]->detail : NULL);
}

void report_json(const struct report *r, struct js *j)
{
	const struct clone_state *s = r->state;

	js_object(j, NULL);
	js_number(j, "version", 1);
	js_text(j, "clone_id", s ? s->clone_id : NULL);
	js_text(j, "status", s ? clone_status_name(s->status) : NULL);
	js_text(j, "source_ctx", s ? s->source_ctx : NULL);
	js_text(j, "target_ctx", s ? s->target_ctx : NULL);
	js_text(j, "generation", s ? s->generation : NULL);
	js_text(j, "cause", s && s->cause[0] ? s->cause : NULL);
	js_number(j, "runs", r->runs);
	js_number(j, "steps_done", s ? s->steps_done : 0);
	js_number(j, "total_steps", s ? s->total_steps : 0);
	js_number(j, "skipped", r->skipped);
	js_time(j, "began_at", r->began_ms);
	js_time(j, "ended_at", r->ended_ms);
	js_number(j, "took_ms", r->ended_ms - r->began_ms);
	json_sandbox(r, j);
	js_flag(j, "good", report_is_good(r));
	json_steps(r, j);
	js_close(j);
}
