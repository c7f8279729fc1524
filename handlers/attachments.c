/* SPDX-License-Identifier: Apache-2.0
 * An attachment's file bears its key as name: folder<key div 10000>/<key>. Sets of keys are bit sets, so that ten
 * million attachments take little more than a megabyte. */
#include "handlers/attachments.h"
#include "handlers/clone_files.h"
#include "handlers/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { FILES_A_FOLDER = 10000, IDS_A_QUERY = 500000 };

enum user_kind { USED_BY_REQUESTS = 1, USED_BY_PACKAGES = 2, USED_ELSEWHERE = 4 };

/* The columns that point to an attachment (domain section 4). */
static const struct {
	const char *table, *column;
	enum user_kind kind;
} users[] = {
	{ "ticket_attachment", "attachment_id", USED_BY_REQUESTS },
	{ "ej_message", "body_attachment", USED_BY_REQUESTS },
	{ "ej_message", "html_body_attachment", USED_BY_REQUESTS },
	{ "ejpackage", "attachment_id", USED_BY_PACKAGES },
	{ "doc_document", "attachment_id", USED_ELSEWHERE },
	{ "ejuser", "picture_id", USED_ELSEWHERE },
	{ "external_document", "attachment_id", USED_ELSEWHERE },
	{ "kb_attachment", "attachment_id", USED_ELSEWHERE },
	{ "reply_template_attachment", "attachment_id", USED_ELSEWHERE },
	{ "s_attachment", "attachment_id", USED_ELSEWHERE },
	{ "s_picture_entry", "attachment_id", USED_ELSEWHERE },
};

struct id_set {
	unsigned char *bits;
	int64_t max, last; /* greatest key the set has room for; last key read */
	int64_t read;
};

static bool has_id(const struct id_set *set, int64_t id)
{
	return id > 0 && id <= set->max && (set->bits[id / 8] >> (id % 8) & 1);
}

static bool add_row(void *arg, const struct sql_row *row, struct err *e)
{
	struct id_set *set = arg;
	int64_t id = row->count ? row->values[0].number : 0;

	(void)e;
	set->read++;
	set->last = id;
	if (id > 0 && id <= set->max) /* a key beyond the greatest attachment points at nothing */
		set->bits[id / 8] = (unsigned char)(set->bits[id / 8] | 1 << (id % 8));
	return true;
}

static bool make_set(struct step_ctx *c, int64_t max, struct id_set *set_r)
{
	*set_r = (struct id_set){ .max = max, .bits = step_take(c, (size_t)max / 8 + 1) };
	return set_r->bits != NULL;
}

/* Adds every key in that column; a table or column the customer does not have adds none. */
static bool add_column(struct step_ctx *c, const char *table, const char *column, struct id_set *set)
{
	struct sql_port *sql = c->ports->sql;
	bool has = false;

	if (!sql->has(sql, SQL_TARGET, table, column, &has, c->err))
		return false;
	set->last = 0;
	for (set->read = has ? IDS_A_QUERY : 0; set->read == IDS_A_QUERY;) {
		const struct sql_args args = SQL_ARGS(sql_text("table", table), sql_text("column", column),
						      sql_number("after", set->last), sql_number("limit", IDS_A_QUERY));

		set->read = 0;
		if (!sql->rows(sql, SQL_TARGET, "attachment_ids", &args, add_row, set, c->err))
			return false;
	}
	return true;
}

static bool add_users(struct step_ctx *c, unsigned kinds, struct id_set *set)
{
	for (size_t i = 0; i < sizeof users / sizeof *users; i++)
		if ((users[i].kind & kinds) && !add_column(c, users[i].table, users[i].column, set))
			return false;
	return true;
}

/* All minus those that only requests use; an id that anything else uses as well stays. */
static bool without_requests(struct step_ctx *c, struct id_set *set)
{
	struct id_set requests, others;

	if (!make_set(c, set->max, &requests) || !make_set(c, set->max, &others) ||
	    !add_users(c, USED_BY_REQUESTS, &requests) || !add_users(c, USED_BY_PACKAGES | USED_ELSEWHERE, &others))
		return false;
	for (int64_t i = 0; i <= set->max / 8; i++)
		set->bits[i] = (unsigned char)(set->bits[i] & (~requests.bits[i] | others.bits[i]));
	return true;
}

static bool wanted_ids(struct step_ctx *c, struct id_set *set_r)
{
	const struct sql_args none = { 0 };
	int64_t max = 0;

	if (!ask_number(c, "attachment_max", &none, &max) || !make_set(c, max > 0 ? max : 0, set_r))
		return false;
	if (c->job->attachments == ATTACHMENTS_NONE)
		return add_users(c, USED_BY_PACKAGES, set_r);
	return add_column(c, "attachment", "id", set_r) &&
	       (c->job->attachments == ATTACHMENTS_ALL || without_requests(c, set_r));
}

/* "folder12/123456", written exactly so: no sign, no leading zero, the folder that belongs to the key. */
static bool is_wanted(void *arg, const char *path)
{
	char right[64];
	int64_t folder, id;

	if (sscanf(path, "folder%" SCNd64 "/%" SCNd64, &folder, &id) != 2 || !has_id(arg, id))
		return false;
	snprintf(right, sizeof right, "folder%" PRId64 "/%" PRId64, id / FILES_A_FOLDER, id);
	return strcmp(path, right) == 0;
}

enum step_outcome clone_attachments(struct step_ctx *c, struct files_port *store)
{
	struct file_task task = { .store = store, .folder = FOLDER_ATTACHMENTS, .wants = is_wanted };
	struct id_set wanted;

	if (!wanted_ids(c, &wanted))
		return step_failed(c);
	for (int64_t i = 0; i <= wanted.max / 8; i++)
		task.rows += __builtin_popcount(wanted.bits[i]);
	task.arg = &wanted;
	return clone_files(c, &task);
}
