/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/http/json_request.h"

#include "consumer/adapters/http/http_json.h"
#include "consumer/core/config.h"
#include "consumer/core/request.h"

#include <string.h>

enum { MEMBERS_MAX = 24 };

struct reading {
	struct arena *mem;
	struct clone_request *request;
	struct err *e;
};

/* One member of an object: its name, and who takes its value. */
struct member {
	const char *name;
	bool (*take)(struct reading *r, const char *name, const json_t *value);
};

static bool refuse(struct reading *r, const char *name, const char *wanted)
{
	return err_set(r->e, ERR_REFUSED, 0, "request", "\"%.60s\" of the request file is no %s", name, wanted);
}

static bool no_memory(struct reading *r)
{
	return err_set(r->e, ERR_TRANSIENT, 0, "request", "there is no memory for the request file");
}

/* Every member that is there must be one of ours: a misspelt one would silently mean its default. */
static bool take_members(struct reading *r, const json_t *object, const char *where, const struct member *members,
                         size_t count)
{
	const char *names[MEMBERS_MAX], *name, *nearest;
	const json_t *value;
	size_t i;

	json_object_foreach((json_t *)(uintptr_t)object, name, value) {
		for (i = 0; i < count && strcmp(members[i].name, name) != 0; i++)
			names[i] = members[i].name;
		if (i < count) {
			if (!members[i].take(r, name, value))
				return false;
			continue;
		}
		nearest = config_nearest(name, names, count);
		return err_set(r->e, ERR_REFUSED, 0, "request", "%s has no member \"%.60s\"%s%s%s", where, name,
			nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
	}
	return true;
}

/* ---- values ---- */

static bool read_text(struct reading *r, const char *name, const json_t *value, const char **text_r)
{
	if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
		return refuse(r, name, "text");
	*text_r = arena_text(r->mem, json_string_value(value), json_string_length(value));
	return *text_r != NULL || no_memory(r);
}

static bool read_flag(struct reading *r, const char *name, const json_t *value, bool *flag_r)
{
	if (!json_is_boolean(value))
		return refuse(r, name, "true or false");
	*flag_r = json_is_true(value);
	return true;
}

static bool read_number(struct reading *r, const char *name, const json_t *value, int64_t *number_r)
{
	if (!json_is_integer(value))
		return refuse(r, name, "whole number");
	*number_r = json_integer_value(value);
	return true;
}

/* The place of a symbol in names; 0 is none of them. */
static bool read_symbol(struct reading *r, const char *name, const json_t *value, const char *const *names, int count,
                        int *index_r)
{
	for (int i = 1; json_is_string(value) && i < count; i++)
		if (strcmp(names[i], json_string_value(value)) == 0) {
			*index_r = i;
			return true;
		}
	return refuse(r, name, "symbol that its schema knows");
}

/* Zeroed room for the items of a list of at most max. */
static bool read_list(struct reading *r, const char *name, const json_t *value, size_t max, size_t size, void **room_r,
                      size_t *count_r)
{
	if (!json_is_array(value))
		return refuse(r, name, "list");
	*count_r = json_array_size(value);
	if (*count_r > max)
		return err_set(r->e, ERR_REFUSED, 0, "request", "\"%s\" of the request file has more than %zu items",
			       name, max);
	*room_r = arena_take(r->mem, *count_r * size + 1);
	return *room_r != NULL || no_memory(r);
}

/* ---- members ---- */

#define TEXT_MEMBER(function, field)                                                                                   \
	static bool function(struct reading *r, const char *name, const json_t *value)                                 \
	{                                                                                                              \
		return read_text(r, name, value, &r->request->field);                                                  \
	}
#define FLAG_MEMBER(function, field)                                                                                   \
	static bool function(struct reading *r, const char *name, const json_t *value)                                 \
	{                                                                                                              \
		return read_flag(r, name, value, &r->request->field);                                                  \
	}

TEXT_MEMBER(take_clone_id, job.clone_id)
TEXT_MEMBER(take_source, job.source_ctx)
TEXT_MEMBER(take_target, job.target_ctx)
TEXT_MEMBER(take_requested_by, job.requested_by)
TEXT_MEMBER(take_mask_domain, job.mask_domain)
TEXT_MEMBER(take_approved, job.approved_target)
TEXT_MEMBER(take_generation, expected_generation)
FLAG_MEMBER(take_mask_enabled, job.mask_enabled)
FLAG_MEMBER(take_set_running, job.set_running)
FLAG_MEMBER(take_confirmed, confirmed)

static bool take_kind(struct reading *r, const char *name, const json_t *value)
{
	static const char *const names[] = { "", "CREATE", "REPLACE" };
	int i = 0;

	if (!read_symbol(r, name, value, names, 3, &i))
		return false;
	r->request->job.kind = i == 1 ? CLONE_CREATE : CLONE_REPLACE;
	return true;
}

static bool take_documents(struct reading *r, const char *name, const json_t *value)
{
	static const char *const names[] = { "", "ALL", "INCLUDED_USERS", "NONE" };
	static const enum documents_choice choices[] = { DOCUMENTS_UNSET, DOCUMENTS_ALL, DOCUMENTS_INCLUDED_USERS,
		DOCUMENTS_NONE };
	int i = 0;

	if (!read_symbol(r, name, value, names, 4, &i))
		return false;
	r->request->job.documents = choices[i];
	return true;
}

static bool take_attachments(struct reading *r, const char *name, const json_t *value)
{
	static const char *const names[] = { "", "ALL", "NO_REQUESTS", "NONE" };
	static const enum attachments_choice choices[] = { ATTACHMENTS_UNSET, ATTACHMENTS_ALL, ATTACHMENTS_NO_REQUESTS,
		ATTACHMENTS_NONE };
	int i = 0;

	if (!read_symbol(r, name, value, names, 4, &i))
		return false;
	r->request->job.attachments = choices[i];
	return true;
}

static bool take_mask_mode(struct reading *r, const char *name, const json_t *value)
{
	static const char *const names[] = { "", "KEEP_NAMES", "HASH" };
	int i = 0;

	if (!read_symbol(r, name, value, names, 3, &i))
		return false;
	r->request->job.mask_mode = i == 1 ? MASK_KEEP_NAMES : MASK_HASH;
	return true;
}

static bool take_keep(struct reading *r, const char *name, const json_t *value)
{
	const char **keep;
	void *room;
	size_t count;

	if (!read_list(r, name, value, REQUEST_KEEP_MAX, sizeof *keep, &room, &count))
		return false;
	keep = room;
	for (size_t i = 0; i < count; i++)
		if (!read_text(r, name, json_array_get(value, i), &keep[i]))
			return false;
	r->request->job.mask_keep = keep;
	r->request->job.mask_keep_count = count;
	return true;
}

static bool take_schedules(struct reading *r, const char *name, const json_t *value)
{
	int64_t *ids;
	void *room;
	size_t count;

	if (!read_list(r, name, value, REQUEST_SCHEDULES_MAX, sizeof *ids, &room, &count))
		return false;
	ids = room;
	for (size_t i = 0; i < count; i++)
		if (!read_number(r, name, json_array_get(value, i), &ids[i]))
			return false;
	r->request->job.enable_schedules = ids;
	r->request->job.enable_schedule_count = count;
	return true;
}

static bool take_mask(struct reading *r, const char *name, const json_t *value)
{
	static const struct member members[] = { { "enabled", take_mask_enabled }, { "domain", take_mask_domain },
		{ "mode", take_mask_mode }, { "keep", take_keep } };

	if (!json_is_object(value))
		return refuse(r, name, "object");
	return take_members(r, value, "\"mask\" of the request", members, sizeof members / sizeof *members);
}

/* ---- users ---- */

static bool take_user(struct reading *r, const json_t *object, struct user_plan *user)
{
	const json_t *login = json_object_get(object, "login"), *id = json_object_get(object, "associate_id");
	const json_t *plan = json_object_get(object, "plan"), *admin = json_object_get(object, "admin");
	int known = (login != NULL) + (id != NULL) + (plan != NULL) + (admin != NULL);

	user->login = user->plan = "";
	if (!json_is_object(object))
		return refuse(r, "user_plan_map", "list of objects");
	if (json_object_size(object) != (size_t)known)
		return err_set(r->e, ERR_REFUSED, 0, "request",
			"an item of \"user_plan_map\" has a member beside login, associate_id, plan and admin");
	return (!login || read_text(r, "login", login, &user->login)) &&
	       (!id || read_number(r, "associate_id", id, &user->associate_id)) &&
	       (!plan || read_text(r, "plan", plan, &user->plan)) &&
	       (!admin || read_flag(r, "admin", admin, &user->is_admin));
}

static bool take_users(struct reading *r, const char *name, const json_t *value)
{
	struct user_plan *users;
	void *room;
	size_t count;

	if (!read_list(r, name, value, REQUEST_USERS_MAX, sizeof *users, &room, &count))
		return false;
	users = room;
	for (size_t i = 0; i < count; i++)
		if (!take_user(r, json_array_get(value, i), &users[i]))
			return false;
	r->request->job.users = users;
	r->request->job.user_count = count;
	return true;
}

bool json_request_read(const struct buf *text, struct arena *mem, struct clone_request *request, struct err *e)
{
	static const struct member members[] = {
		{ "clone_id", take_clone_id },           { "kind", take_kind },
		{ "source_ctx", take_source },           { "target_ctx", take_target },
		{ "requested_by", take_requested_by },   { "mask", take_mask },
		{ "user_plan_map", take_users },         { "documents", take_documents },
		{ "attachments", take_attachments },     { "enable_schedules", take_schedules },
		{ "set_running", take_set_running },     { "confirmed", take_confirmed },
		{ "approved_target", take_approved },    { "expected_generation", take_generation },
	};
	struct reading r = { mem, request, e };
	json_t *root = http_json_parse(text);
	bool ok;

	if (!root)
		return err_set(e, ERR_REFUSED, 0, "request",
			       "the request file is no JSON object, or names a member twice");
	ok = take_members(&r, root, "the request", members, sizeof members / sizeof *members);
	json_decref(root);
	return ok;
}
