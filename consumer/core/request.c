/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/core/request.h"

#include "consumer/core/fnv.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ADDRESS_MAX = 254, PLAN_MAX = 64 };

#define NO_TENANT_NAME "is no tenant name: 1 to 40 letters, digits, '_' and '-', the first a letter or digit"

/* Values are never quoted: some are addresses, and all of them were written by a stranger. */
#define REFUSE(e, ...) err_set((e), ERR_REFUSED, 0, "request", __VA_ARGS__)

static const char *text_of(const char *text)
{
	return text ? text : "";
}

static bool is_letter_or_digit(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* At most max letters, digits and characters of `others`, the first one a letter or digit. */
static bool is_name(const char *text, size_t max, const char *others)
{
	size_t len = strlen(text);

	if (len == 0 || len > max || !is_letter_or_digit(text[0]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_letter_or_digit(text[i]) && !strchr(others, text[i]))
			return false;
	return true;
}

static bool is_clone_id(const char *text)
{
	return strlen(text) <= CLONE_ID_MAX && text[0] != '\0' && text[0] != '-' &&
	       strspn(text, "0123456789abcdefABCDEF-") == strlen(text);
}

static bool is_plain_text(const char *text, size_t max)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return false;
	return len <= max;
}

static bool tenants_check(const struct clone_request *r, struct err *e)
{
	const char *source = text_of(r->job.source_ctx), *target = text_of(r->job.target_ctx);
	const char *approved = text_of(r->job.approved_target);

	if (!is_name(source, CTX_MAX, "_-"))
		return REFUSE(e, "source_ctx " NO_TENANT_NAME);
	if (!is_name(target, CTX_MAX, "_-"))
		return REFUSE(e, "target_ctx " NO_TENANT_NAME);
	if (strcasecmp(source, target) == 0)
		return REFUSE(e, "target_ctx is the same tenant as source_ctx: a tenant cannot be cloned into itself");
	if (approved[0] && strcmp(approved, target) != 0)
		return REFUSE(e, "approved_target does not repeat target_ctx exactly");
	if (text_of(r->expected_generation)[0] && !is_name(r->expected_generation, DATABASE_MAX, "_-"))
		return REFUSE(e, "expected_generation is no database name: at most 63 letters, digits, '_' and '-'");
	return true;
}

static bool is_mask_mode(enum mask_mode mode)
{
	return mode == MASK_KEEP_NAMES || mode == MASK_HASH;
}

static bool mask_check(const struct clone_request *r, const struct request_rules *rules, struct err *e)
{
	const struct step_job *job = &r->job;

	if (!job->mask_enabled && !rules->allow_unmasked)
		return REFUSE(e, "mask.enabled is false, and this installation makes no clones with real addresses");
	if (job->mask_keep_count > REQUEST_KEEP_MAX)
		return REFUSE(e, "mask.keep has %zu addresses; at most %d are allowed", job->mask_keep_count,
		              REQUEST_KEEP_MAX);
	for (size_t i = 0; i < job->mask_keep_count; i++) {
		const char *address = text_of(job->mask_keep[i]);

		if (!is_plain_text(address, ADDRESS_MAX) || !strchr(address, '@'))
			return REFUSE(e, "mask.keep[%zu] is no e-mail address", i);
	}
	if (!job->mask_enabled)
		return true;
	if (!text_of(job->mask_domain)[0])
		return REFUSE(e, "mask.domain is empty: masked addresses need a domain to end in");
	if (!rules->domain_check(job->mask_domain, e)) {
		err_prepend(e, "mask.domain");
		return false;
	}
	return is_mask_mode(job->mask_mode) || REFUSE(e, "mask.mode is not KEEP_NAMES or HASH");
}

static bool user_check(const struct user_plan *user, size_t i, struct err *e)
{
	if (!is_plain_text(text_of(user->login), ADDRESS_MAX))
		return REFUSE(e, "user_plan_map[%zu].login is longer than %d bytes or has control characters", i,
		              ADDRESS_MAX);
	if (user->associate_id < 0)
		return REFUSE(e, "user_plan_map[%zu].associate_id is negative", i);
	if (!text_of(user->login)[0] && user->associate_id == 0)
		return REFUSE(e, "user_plan_map[%zu] names nobody: login and associate_id are both empty", i);
	if (text_of(user->plan)[0] && !is_name(user->plan, PLAN_MAX, "._-"))
		return REFUSE(e, "user_plan_map[%zu].plan is no plan name: at most %d letters, digits and '._-'", i,
		              PLAN_MAX);
	return true;
}

static int by_login(const void *a, const void *b)
{
	const struct user_plan *const *x = a, *const *y = b;

	return strcasecmp(text_of((*x)->login), text_of((*y)->login));
}

static int by_associate(const void *a, const void *b)
{
	const struct user_plan *const *x = a, *const *y = b;

	return ((*x)->associate_id > (*y)->associate_id) - ((*x)->associate_id < (*y)->associate_id);
}

/* The same person twice could be given two plans. */
static bool no_user_twice(const struct step_job *job, struct err *e)
{
	const struct user_plan **sorted = calloc(job->user_count, sizeof *sorted);
	bool twice = false;

	if (!sorted)
		return err_set(e, ERR_TRANSIENT, 0, "request", "no memory to compare %zu users", job->user_count);
	for (size_t i = 0; i < job->user_count; i++)
		sorted[i] = &job->users[i];
	qsort(sorted, job->user_count, sizeof(struct user_plan *), by_login);
	for (size_t i = 1; i < job->user_count; i++)
		twice |= text_of(sorted[i]->login)[0] && by_login(&sorted[i - 1], &sorted[i]) == 0;
	qsort(sorted, job->user_count, sizeof(struct user_plan *), by_associate);
	for (size_t i = 1; i < job->user_count; i++)
		twice |= sorted[i]->associate_id && by_associate(&sorted[i - 1], &sorted[i]) == 0;
	free(sorted);
	return !twice || REFUSE(e, "user_plan_map names the same login or associate_id twice");
}

static bool users_check(const struct step_job *job, struct err *e)
{
	bool admin = false;

	if (job->user_count > REQUEST_USERS_MAX)
		return REFUSE(e, "user_plan_map has %zu users; at most %d are allowed", job->user_count,
		              REQUEST_USERS_MAX);
	for (size_t i = 0; i < job->user_count; i++) {
		if (!user_check(&job->users[i], i, e))
			return false;
		admin |= job->users[i].is_admin && text_of(job->users[i].plan)[0];
	}
	if (!admin)
		return REFUSE(e, "user_plan_map has no administrator with a plan: nobody could manage the sandbox");
	return no_user_twice(job, e);
}

static bool choices_check(const struct step_job *job, struct err *e)
{
	if (job->documents <= DOCUMENTS_UNSET || job->documents > DOCUMENTS_NONE)
		return REFUSE(e, "documents is not ALL, INCLUDED_USERS or NONE");
	if (job->attachments <= ATTACHMENTS_UNSET || job->attachments > ATTACHMENTS_NONE)
		return REFUSE(e, "attachments is not ALL, NO_REQUESTS or NONE");
	if (job->enable_schedule_count > REQUEST_SCHEDULES_MAX)
		return REFUSE(e, "enable_schedules has %zu tasks; at most %d are allowed", job->enable_schedule_count,
		              REQUEST_SCHEDULES_MAX);
	for (size_t i = 0; i < job->enable_schedule_count; i++)
		if (job->enable_schedules[i] <= 0)
			return REFUSE(e, "enable_schedules[%zu] is no key of a scheduled task", i);
	return true;
}

bool request_check(const struct clone_request *r, const struct request_rules *rules, struct err *e)
{
	const struct step_job *job = &r->job;

	if (!is_clone_id(text_of(job->clone_id)))
		return REFUSE(e, "clone_id is not 1 to 36 hex digits and hyphens, as a UUID is");
	if (!tenants_check(r, e))
		return false;
	if (job->kind != CLONE_CREATE && job->kind != CLONE_REPLACE)
		return REFUSE(e, "kind is neither CREATE nor REPLACE");
	if (!r->confirmed)
		return REFUSE(e, "confirmed is false: whoever asks must confirm that the old sandbox is lost");
	if (!text_of(job->requested_by)[0] || !is_plain_text(job->requested_by, ADDRESS_MAX))
		return REFUSE(e, "requested_by is empty, longer than %d bytes or has control characters", ADDRESS_MAX);
	if (r->requested_at_ms < 0)
		return REFUSE(e, "requested_at is before 1970");
	return mask_check(r, rules, e) && users_check(job, e) && choices_check(job, e);
}

/* With the length in front, so that "ab"+"c" differs from "a"+"bc". */
static uint64_t add_text(uint64_t hash, const char *text)
{
	size_t len = strlen(text_of(text));

	return fnv64(fnv64_number(hash, len), text_of(text), len);
}

static uint64_t add_number(uint64_t hash, int64_t number)
{
	return fnv64_number(hash, (uint64_t)number);
}

uint64_t request_fingerprint(const struct clone_request *r)
{
	const struct step_job *job = &r->job;
	uint64_t hash = FNV64_START;

	hash = add_text(hash, job->clone_id);
	hash = add_number(hash, (int64_t)job->kind);
	hash = add_text(hash, job->source_ctx);
	hash = add_text(hash, job->target_ctx);
	hash = add_text(hash, job->requested_by);
	hash = add_number(hash, job->mask_enabled);
	hash = add_text(hash, job->mask_domain);
	if (job->mask_mode == MASK_HASH) /* requests from before there was a choice keep their fingerprint */
		hash = add_number(hash, (int64_t)job->mask_mode);
	hash = add_number(hash, (int64_t)job->mask_keep_count);
	for (size_t i = 0; i < job->mask_keep_count; i++)
		hash = add_text(hash, job->mask_keep[i]);
	hash = add_number(hash, (int64_t)job->user_count);
	for (size_t i = 0; i < job->user_count; i++) {
		hash = add_text(hash, job->users[i].login);
		hash = add_number(hash, job->users[i].associate_id);
		hash = add_text(hash, job->users[i].plan);
		hash = add_number(hash, job->users[i].is_admin);
	}
	hash = add_number(hash, (int64_t)job->documents);
	hash = add_number(hash, (int64_t)job->attachments);
	hash = add_number(hash, (int64_t)job->enable_schedule_count);
	for (size_t i = 0; i < job->enable_schedule_count; i++)
		hash = add_number(hash, job->enable_schedules[i]);
	hash = add_number(hash, job->set_running);
	hash = add_text(hash, job->approved_target);
	hash = add_number(hash, r->confirmed);
	return add_text(hash, r->expected_generation);
}

bool request_apply_replay(struct clone_request *r, const struct clone_replay *replay, struct err *e)
{
	struct step_job *job = &r->job;

	if (strcmp(text_of(replay->clone_id), text_of(job->clone_id)) != 0)
		return REFUSE(e, "clone_id of the replay is not that of the clone");
	if (strcmp(text_of(replay->target_ctx), text_of(job->target_ctx)) != 0)
		return REFUSE(e, "target_ctx of the replay is not the target of the clone");
	if (replay->has_mask_mode && !is_mask_mode(replay->mask_mode))
		return REFUSE(e, "mask_mode of the replay is not KEEP_NAMES or HASH");
	if (replay->has_mask_domain)
		job->mask_domain = text_of(replay->mask_domain);
	if (replay->has_mask_mode)
		job->mask_mode = replay->mask_mode;
	if (replay->has_documents)
		job->documents = replay->documents;
	if (replay->has_attachments)
		job->attachments = replay->attachments;
	if (replay->has_set_running)
		job->set_running = replay->set_running;
	if (replay->has_approved_target)
		job->approved_target = text_of(replay->approved_target);
	r->fingerprint = request_fingerprint(r);
	return true;
}
