/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/ctl/wishes.h"

#include "consumer/core/config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define USAGE(e, ...) err_set((e), ERR_REFUSED, 0, "usage", __VA_ARGS__)

enum { KEY_SHOWN = 40 };

void wishes_begin(struct clone_request *r)
{
	*r = (struct clone_request){ .expected_generation = "",
		.job = { .clone_id = "", .kind = CLONE_REPLACE, .source_ctx = "", .target_ctx = "", .requested_by = "",
			.mask_enabled = true, .mask_domain = "mailinator.com", .mask_mode = MASK_KEEP_NAMES,
			.documents = DOCUMENTS_NONE, .attachments = ATTACHMENTS_NO_REQUESTS, .set_running = true, .approved_target = "" } };
}

static bool read_mask_mode(const char *word, enum mask_mode *mode)
{
	*mode = strcmp(word, "keep-names") == 0 ? MASK_KEEP_NAMES
		: strcmp(word, "hash") == 0     ? MASK_HASH
						: MASK_MODE_UNSET;
	return *mode != MASK_MODE_UNSET;
}

static bool read_documents(const char *word, enum documents_choice *choice)
{
	*choice = strcmp(word, "all") == 0              ? DOCUMENTS_ALL
		  : strcmp(word, "included-users") == 0 ? DOCUMENTS_INCLUDED_USERS
		  : strcmp(word, "none") == 0           ? DOCUMENTS_NONE
							: DOCUMENTS_UNSET;
	return *choice != DOCUMENTS_UNSET;
}

static bool read_attachments(const char *word, enum attachments_choice *choice)
{
	*choice = strcmp(word, "all") == 0           ? ATTACHMENTS_ALL
		  : strcmp(word, "no-requests") == 0 ? ATTACHMENTS_NO_REQUESTS
		  : strcmp(word, "none") == 0        ? ATTACHMENTS_NONE
						     : ATTACHMENTS_UNSET;
	return *choice != ATTACHMENTS_UNSET;
}

static size_t count_of(const struct args *a, const char *option)
{
	size_t at = 0, count = 0;

	while (args_next(a, option, &at))
		count++;
	return count;
}

static bool no_memory(struct err *e)
{
	return err_set(e, ERR_TRANSIENT, 0, "usage", "there is no memory for the request");
}

/* ---- lists ---- */

/* USER=PLAN: the user is a login, or with digits alone an associate id. */
static bool read_user(const char *text, bool is_admin, struct arena *mem, struct user_plan *user, struct err *e)
{
	const char *equals = strrchr(text, '=');
	size_t len = equals ? (size_t)(equals - text) : 0;
	char *login;

	if (!equals || len == 0)
		return USAGE(e, "--%s takes USER=PLAN, a login or an associate id and a plan",
			     is_admin ? "admin" : "user");
	login = arena_text(mem, text, len);
	if (!login)
		return no_memory(e);
	*user = (struct user_plan){ .login = login, .plan = equals + 1, .is_admin = is_admin };
	if (strspn(login, "0123456789") == len && len < 18) {
		user->associate_id = strtoll(login, NULL, 10);
		user->login = "";
	}
	return true;
}

static bool add_users(struct step_job *job, const struct args *a, const char *option, bool is_admin, struct arena *mem,
                      struct err *e)
{
	size_t at = 0, count = count_of(a, option);
	struct user_plan *users = count ? arena_take(mem, (job->user_count + count) * sizeof *users) : NULL;
	const char *text;

	if (!count)
		return true;
	if (!users)
		return no_memory(e);
	if (job->user_count)
		memcpy(users, job->users, job->user_count * sizeof *users);
	while ((text = args_next(a, option, &at)) != NULL)
		if (!read_user(text, is_admin, mem, &users[job->user_count++], e))
			return false;
	job->users = users;
	return true;
}

static bool add_keep(struct step_job *job, const struct args *a, struct arena *mem, struct err *e)
{
	size_t at = 0, count = count_of(a, "keep");
	const char **keep = count ? arena_take(mem, (job->mask_keep_count + count) * sizeof *keep) : NULL;
	const char *text;

	if (!count)
		return true;
	if (!keep)
		return no_memory(e);
	if (job->mask_keep_count)
		memcpy(keep, job->mask_keep, job->mask_keep_count * sizeof *keep);
	while ((text = args_next(a, "keep", &at)) != NULL)
		keep[job->mask_keep_count++] = text;
	job->mask_keep = keep;
	return true;
}

static bool add_schedules(struct step_job *job, const struct args *a, struct arena *mem, struct err *e)
{
	size_t at = 0, count = count_of(a, "enable-schedule");
	int64_t *ids = count ? arena_take(mem, (job->enable_schedule_count + count) * sizeof *ids) : NULL;
	const char *text;

	if (!count)
		return true;
	if (!ids)
		return no_memory(e);
	if (job->enable_schedule_count)
		memcpy(ids, job->enable_schedules, job->enable_schedule_count * sizeof *ids);
	while ((text = args_next(a, "enable-schedule", &at)) != NULL) {
		char *end;

		ids[job->enable_schedule_count++] = strtoll(text, &end, 10);
		if (*end || end == text)
			return USAGE(e, "--enable-schedule takes the number of a scheduled task, not '%.*s'", KEY_SHOWN,
				     text);
	}
	job->enable_schedules = ids;
	return true;
}

/* ---- single choices ---- */

static void take_text(const struct args *a, const char *option, const char **text)
{
	const char *given = args_text(a, option);

	if (given)
		*text = given;
}

bool wishes_take(struct clone_request *r, const struct args *a, struct arena *mem, struct err *e)
{
	struct step_job *job = &r->job;
	const char *kind = args_text(a, "kind"), *documents = args_text(a, "documents");
	const char *attachments = args_text(a, "attachments"), *mode = args_text(a, "mask-mode");

	take_text(a, "source", &job->source_ctx);
	take_text(a, "target", &job->target_ctx);
	take_text(a, "mask-domain", &job->mask_domain);
	take_text(a, "approve-target", &job->approved_target);
	take_text(a, "expected-generation", &r->expected_generation);
	take_text(a, "clone-id", &job->clone_id);
	take_text(a, "requested-by", &job->requested_by);
	if (kind)
		job->kind = strcmp(kind, "create") == 0 ? CLONE_CREATE : CLONE_REPLACE;
	if (mode)
		read_mask_mode(mode, &job->mask_mode);
	if (documents)
		read_documents(documents, &job->documents);
	if (attachments)
		read_attachments(attachments, &job->attachments);
	if (args_has(a, "no-mask") && (args_has(a, "mask-domain") || mode))
		return USAGE(e, "--no-mask and --mask-%s contradict each other", mode ? "mode" : "domain");
	if (args_has(a, "no-mask"))
		job->mask_enabled = false;
	if (args_has(a, "no-run"))
		job->set_running = false;
	if (args_has(a, "confirm"))
		r->confirmed = true;
	return add_users(job, a, "admin", true, mem, e) && add_users(job, a, "user", false, mem, e) &&
	       add_keep(job, a, mem, e) && add_schedules(job, a, mem, e);
}

/* ---- a replay ---- */

static bool set_input(struct clone_replay *r, const char *text, struct err *e)
{
	static const char *const names[] = { "mask-domain", "documents", "attachments", "set-running",
					     "approve-target", "mask-mode" };
	size_t len = strcspn(text, "=");
	const char *value = text + len + 1;
	bool ok = true;

	if (!text[len])
		return USAGE(e, "--set takes INPUT=VALUE, as in mask-domain=sandbox.example");
	if (strncmp(text, names[0], len) == 0 && len == strlen(names[0])) {
		r->has_mask_domain = true;
		r->mask_domain = value;
	} else if (strncmp(text, names[1], len) == 0 && len == strlen(names[1])) {
		r->has_documents = ok = read_documents(value, &r->documents);
	} else if (strncmp(text, names[2], len) == 0 && len == strlen(names[2])) {
		r->has_attachments = ok = read_attachments(value, &r->attachments);
	} else if (strncmp(text, names[3], len) == 0 && len == strlen(names[3])) {
		r->has_set_running = ok = word_is_one_of(value, "yes|no|true|false");
		r->set_running = value[0] == 'y' || value[0] == 't';
	} else if (strncmp(text, names[4], len) == 0 && len == strlen(names[4])) {
		r->has_approved_target = true;
		r->approved_target = value;
	} else if (strncmp(text, names[5], len) == 0 && len == strlen(names[5])) {
		r->has_mask_mode = ok = read_mask_mode(value, &r->mask_mode);
	} else {
		return USAGE(
		    e,
		    "--set knows no input '%.*s'; there are mask-domain, mask-mode, documents, attachments, set-running "
		    "and approve-target",
		    (int)(len < KEY_SHOWN ? len : KEY_SHOWN), text);
	}
	return ok || USAGE(e, "--set %.*s does not take that value", (int)len, text);
}

static bool check_step(const char *option, const char *slug, struct err *e)
{
	const char *names[STEP_END], *nearest;

	if (step_by_slug(slug) != STEP_END)
		return true;
	for (int i = 0; i < STEP_END; i++)
		names[i] = steps[i].slug;
	nearest = config_nearest(slug, names, STEP_END);
	if (nearest)
		return USAGE(e, "--%s: there is no step %.*s; did you mean %s?", option, KEY_SHOWN, slug, nearest);
	return USAGE(e, "--%s: there is no step %.*s; 'sandboxctl clone plan' lists them", option, KEY_SHOWN, slug);
}

bool wishes_take_replay(struct clone_replay *r, const struct args *a, struct err *e)
{
	const char *text;
	size_t at = 0;

	r->from_step = r->until_step = r->expected_generation = r->reason = r->requested_by = "";
	r->mask_domain = r->approved_target = "";
	take_text(a, "from-step", &r->from_step);
	take_text(a, "until-step", &r->until_step);
	take_text(a, "reason", &r->reason);
	if ((r->from_step[0] && !check_step("from-step", r->from_step, e)) ||
	    (r->until_step[0] && !check_step("until-step", r->until_step, e)))
		return false;
	while ((text = args_next(a, "set", &at)) != NULL)
		if (!set_input(r, text, e))
			return false;
	return true;
}
