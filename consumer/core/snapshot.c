/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/core/snapshot.h"

#include "consumer/core/fnv.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void snapshot_init(struct clone_snapshot *s)
{
	*s = (struct clone_snapshot){ .scope = ALL_STEPS, .failed_step = -1, .plan_version = PLAN_VERSION,
		.control = { 0, -1 }, .replay = { 0, -1 } };
}

step_set snapshot_done(const struct clone_snapshot *s)
{
	step_set done = 0;

	for (int i = 0; i < STEP_END; i++)
		if (s->outcome[i])
			done |= STEP_BIT(i);
	return done;
}

const char *snapshot_marker_field(enum step_id step)
{
	static const char *const names[STEP_END] = {
#define STEP(nn, slug, ...) [STEP_##slug] = "m:" #slug,
#include "handlers/steps.def"
#undef STEP
	};

	return names[step];
}

static void add(struct snapshot_fields *f, const char *name, const char *value)
{
	size_t len = strlen(value);

	if (f->count == SNAPSHOT_PAIRS_MAX || len >= sizeof f->text - f->used)
		return; /* cannot be: the sizes are fixed and a unit test fills them all */
	memcpy(f->text + f->used, value, len + 1);
	f->pairs[f->count++] = (struct store_pair){ name, f->text + f->used, len };
	f->used += len + 1;
}

static void add_number(struct snapshot_fields *f, const char *name, int64_t value)
{
	char text[24];

	snprintf(text, sizeof text, "%" PRId64, value);
	add(f, name, text);
}

static void add_mark(struct snapshot_fields *f, const char *name, const struct input_mark *mark)
{
	char text[40];

	if (mark->offset < 0)
		return;
	snprintf(text, sizeof text, "%d:%" PRId64, mark->partition, mark->offset);
	add(f, name, text);
}

static void add_marks(struct snapshot_fields *f, const struct clone_snapshot *s, step_set marks)
{
	for (int i = 0; i < STEP_END; i++)
		if ((marks & STEP_BIT(i)) && s->outcome[i])
			add(f, snapshot_marker_field((enum step_id)i), step_outcome_name(s->outcome[i]));
}

void snapshot_write(const struct clone_snapshot *s, step_set marks, struct snapshot_fields *f)
{
	char hex[20];

	f->count = f->used = 0;
	add(f, "status", clone_status_name(s->status));
	add_number(f, "run", s->run);
	add_number(f, "plan", s->plan_version);
	add_number(f, "token", (int64_t)s->token);
	snprintf(hex, sizeof hex, "%016" PRIx64, s->fingerprint);
	add(f, "fingerprint", hex);
	add(f, "source", s->source_ctx);
	add(f, "generation", s->generation);
	snprintf(hex, sizeof hex, "%016" PRIx64, s->scope);
	add(f, "scope", hex);
	add_number(f, "requested_at", s->requested_at_ms);
	add_number(f, "started_at", s->started_at_ms);
	add_number(f, "ended_at", s->ended_at_ms);
	add(f, "failed_step", s->failed_step >= 0 ? steps[s->failed_step].slug : "");
	add(f, "error_class", s->error_class);
	add(f, "cause", s->cause);
	if (s->cancel_begun)
		add_number(f, "cancel_begun", 1);
	if (s->left_in)
		add_number(f, "left_in", (int64_t)s->left_in);
	add_mark(f, "in_control", &s->control);
	add_mark(f, "in_replay", &s->replay);
	add_marks(f, s, marks);
}

void snapshot_write_marks(const struct clone_snapshot *s, step_set marks, struct snapshot_fields *f)
{
	f->count = f->used = 0;
	add_marks(f, s, marks);
}

static uint64_t mix_number(uint64_t hash, int64_t number)
{
	return (hash ^ (uint64_t)number) * UINT64_C(0x9e3779b97f4a7c15) ^ hash >> 29;
}

static uint64_t mix_text(uint64_t hash, const char *text)
{
	return fnv64(hash, text, strlen(text) + 1);
}

/* Of what snapshot_write() writes: a field there is a line here. */
uint64_t snapshot_fingerprint(const struct clone_snapshot *s)
{
	const int64_t numbers[] = { (int64_t)s->status, s->run, s->plan_version, (int64_t)s->token, (int64_t)s->fingerprint,
		(int64_t)s->scope, s->requested_at_ms, s->started_at_ms, s->ended_at_ms, s->failed_step,
		s->cancel_begun, (int64_t)s->left_in, s->control.partition, s->control.offset, s->replay.partition, s->replay.offset };
	uint64_t hash = FNV64_START;

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		hash = mix_number(hash, numbers[i]);
	hash = mix_text(hash, s->source_ctx);
	hash = mix_text(hash, s->generation);
	hash = mix_text(hash, s->error_class);
	return mix_text(hash, s->cause);
}

static bool text_of(const struct store_pair *p, char *out, size_t size)
{
	if (p->len >= size || memchr(p->value, '\0', p->len))
		return false;
	memcpy(out, p->value, p->len);
	out[p->len] = '\0';
	return true;
}

static bool digits_only(const char *text, int base)
{
	if (base == 10 && *text == '-')
		text++;
	return *text && strspn(text, base == 16 ? "0123456789abcdef" : "0123456789") == strlen(text);
}

static bool number_of(const struct store_pair *p, int base, uint64_t *out)
{
	char text[32];

	if (!text_of(p, text, sizeof text) || !digits_only(text, base))
		return false;
	errno = 0;
	*out = base == 16 ? strtoull(text, NULL, 16) : (uint64_t)strtoll(text, NULL, 10);
	return errno == 0;
}

static bool small_of(const struct store_pair *p, int *out)
{
	uint64_t value;

	if (!number_of(p, 10, &value) || value > INT_MAX)
		return false;
	*out = (int)value;
	return true;
}

/* "partition:offset" */
static bool mark_of(const struct store_pair *p, struct input_mark *mark)
{
	const char *colon = memchr(p->value, ':', p->len);
	struct store_pair partition = *p, offset = *p;
	uint64_t value;

	if (!colon)
		return false;
	partition.len = (size_t)(colon - (const char *)p->value);
	offset.value = colon + 1;
	offset.len = p->len - partition.len - 1;
	if (!small_of(&partition, &mark->partition) || !number_of(&offset, 10, &value) || value > INT64_MAX)
		return false;
	mark->offset = (int64_t)value;
	return true;
}

static bool outcome_of(const struct store_pair *p, unsigned char *out)
{
	char text[24];

	if (!text_of(p, text, sizeof text))
		return false;
	for (int o = STEP_DONE; o <= STEP_SKIPPED; o++)
		if (strcmp(text, step_outcome_name((enum step_outcome)o)) == 0)
			return *out = (unsigned char)o, true;
	return false;
}

static bool read_status(const struct store_pair *p, struct clone_snapshot *s)
{
	char text[24];

	if (!text_of(p, text, sizeof text))
		return false;
	s->status = clone_status_by_name(text);
	return s->status != CLONE_STATUS_UNSET;
}

static bool read_failed_step(const struct store_pair *p, struct clone_snapshot *s)
{
	char text[SLUG_MAX + 1];
	enum step_id id;

	if (!text_of(p, text, sizeof text))
		return false;
	id = step_by_slug(text);
	s->failed_step = id == STEP_END ? -1 : (int)id;
	return true;
}

static bool read_cancel_begun(const struct store_pair *p, struct clone_snapshot *s)
{
	int value;

	if (!small_of(p, &value))
		return false;
	s->cancel_begun = value != 0;
	return true;
}

static bool read_left_in(const struct store_pair *p, struct clone_snapshot *s)
{
	int value;

	if (!small_of(p, &value))
		return false;
	s->left_in = (enum tenant_state)value;
	return true;
}

static bool read_number(const struct store_pair *p, struct clone_snapshot *s, bool *known_r)
{
	const struct {
		const char *name;
		int base;
		uint64_t *wide;
		int64_t *time;
		int *small;
	} numbers[] = {
		{ "sequence", 10, &s->sequence, NULL, NULL },
		{ "token", 10, &s->token, NULL, NULL },
		{ "fingerprint", 16, &s->fingerprint, NULL, NULL },
		{ "scope", 16, &s->scope, NULL, NULL },
		{ "run", 10, NULL, NULL, &s->run },
		{ "plan", 10, NULL, NULL, &s->plan_version },
		{ "requested_at", 10, NULL, &s->requested_at_ms, NULL },
		{ "started_at", 10, NULL, &s->started_at_ms, NULL },
		{ "ended_at", 10, NULL, &s->ended_at_ms, NULL },
	};

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		uint64_t value;

		if (strcmp(p->name, numbers[i].name) != 0)
			continue;
		if (numbers[i].small)
			return small_of(p, numbers[i].small);
		if (!number_of(p, numbers[i].base, &value))
			return false;
		if (numbers[i].wide)
			*numbers[i].wide = value;
		else
			*numbers[i].time = (int64_t)value;
		return true;
	}
	*known_r = false;
	return true;
}

static bool read_pair(const struct store_pair *p, struct clone_snapshot *s)
{
	bool known = true;

	if (strncmp(p->name, "m:", 2) == 0) {
		enum step_id id = step_by_slug(p->name + 2);

		return id == STEP_END || outcome_of(p, &s->outcome[id]);
	}
	if (!read_number(p, s, &known))
		return false;
	if (known)
		return true;
	if (strcmp(p->name, "status") == 0)
		return read_status(p, s);
	if (strcmp(p->name, "source") == 0)
		return text_of(p, s->source_ctx, sizeof s->source_ctx);
	if (strcmp(p->name, "generation") == 0)
		return text_of(p, s->generation, sizeof s->generation);
	if (strcmp(p->name, "failed_step") == 0)
		return read_failed_step(p, s);
	if (strcmp(p->name, "error_class") == 0)
		return text_of(p, s->error_class, sizeof s->error_class);
	if (strcmp(p->name, "cause") == 0)
		return text_of(p, s->cause, sizeof s->cause);
	if (strcmp(p->name, "cancel_begun") == 0)
		return read_cancel_begun(p, s);
	if (strcmp(p->name, "left_in") == 0)
		return read_left_in(p, s);
	if (strcmp(p->name, "in_control") == 0)
		return mark_of(p, &s->control);
	if (strcmp(p->name, "in_replay") == 0)
		return mark_of(p, &s->replay);
	return true;
}

bool snapshot_read(const struct store_pair *pairs, size_t count, struct clone_snapshot *s, struct err *e)
{
	snapshot_init(s);
	for (size_t i = 0; i < count; i++)
		if (!read_pair(&pairs[i], s))
			return err_set(e, ERR_REFUSED, 0, "snapshot", "the store's field %.40s makes no sense", pairs[i].name);
	if (s->status == CLONE_STATUS_UNSET || s->run < 1)
		return err_set(e, ERR_REFUSED, 0, "snapshot", "the store's clone has no status or run");
	return true;
}

/* A later run than any known. What it kept of earlier ones is not in its events: its handlers look again. */
static void enter_run(struct clone_snapshot *s, int run)
{
	s->run = run;
	s->status = CLONE_RUNNING;
	s->failed_step = -1;
	s->error_class[0] = s->cause[0] = '\0';
	memset(s->outcome, 0, sizeof s->outcome);
	s->scope = ALL_STEPS; /* its state event says otherwise */
}

static void take_sequence(struct clone_snapshot *s, int64_t sequence)
{
	if (sequence > 0 && (uint64_t)sequence > s->sequence)
		s->sequence = (uint64_t)sequence;
}

void snapshot_fold_step(struct clone_snapshot *s, const struct step_completed *event)
{
	enum step_id id = step_by_slug(event->slug);

	take_sequence(s, event->sequence);
	if (id == STEP_END || event->run < s->run)
		return;
	if (event->run > s->run)
		enter_run(s, event->run);
	if (event->outcome != STEP_REFUSED)
		s->outcome[id] = (unsigned char)event->outcome;
	snprintf(s->source_ctx, sizeof s->source_ctx, "%s", event->source_ctx);
}

/* What this program does not know it cannot do either. */
static step_set scope_of(const struct clone_state *event)
{
	step_set scope = 0;

	for (size_t i = 0; i < event->only_step_count; i++) {
		enum step_id id = step_by_slug(event->only_steps[i]);

		if (id != STEP_END)
			scope |= STEP_BIT(id);
	}
	return scope ? scope : ALL_STEPS;
}

void snapshot_fold_state(struct clone_snapshot *s, const struct clone_state *event)
{
	enum step_id failed = step_by_slug(event->step);

	take_sequence(s, event->sequence);
	if ((uint64_t)event->sequence < s->state_sequence)
		return;
	s->state_sequence = (uint64_t)event->sequence;
	s->requested_at_ms = event->requested_at_ms;
	snprintf(s->source_ctx, sizeof s->source_ctx, "%s", event->source_ctx);
	snprintf(s->generation, sizeof s->generation, "%s", event->generation);
	if (event->run < s->run)
		return; /* a step of a later run was told already */
	if (event->run > s->run)
		enter_run(s, event->run);
	s->status = event->status;
	s->scope = scope_of(event);
	s->cancel_begun = event->cancel_begun;
	s->left_in = event->status == CLONE_CANCELLED || event->status == CLONE_ROLLED_BACK ? event->leaves : TENANT_UNKNOWN;
	s->failed_step = failed == STEP_END ? -1 : (int)failed;
	snprintf(s->error_class, sizeof s->error_class, "%s", event->error_class);
	snprintf(s->cause, sizeof s->cause, "%s", event->cause);
}

void snapshot_fold_restored(struct clone_snapshot *s, const struct backup_restored *event)
{
	take_sequence(s, event->sequence);
	if (event->run > s->restored_run)
		s->restored_run = event->run;
}

void snapshot_fold_end(struct clone_snapshot *s)
{
	if (!clone_status_is_at_rest(s->status) && s->restored_run != s->run)
		s->outcome[STEP_notify_partner_apps] = 0;
}
