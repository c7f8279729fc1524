/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/odbc/tenants_columns.h"

#include <stdlib.h>
#include <string.h>

#define FACTS_FORM "1"

enum column_kind { COLUMN_TEXT, COLUMN_INT, COLUMN_LONG };

struct column {
	const char *name;
	enum column_kind kind;
	size_t at, size; /* of the member */
};

#define MEMBER(name, kind, type, member) { name, kind, offsetof(type, member), sizeof((type *)0)->member }
#define OF_CLONE(kind, member) MEMBER(NULL, kind, struct clone_facts, member)
#define OF_TURN(turn) OF_CLONE(COLUMN_LONG, turns[turn].sequence), OF_CLONE(COLUMN_LONG, turns[turn].at_ms)
#define OF_ROW(name, kind, member) MEMBER(name, kind, struct tenant_row, member)

/* In the order they are written into the one column `facts`, separated by tabs, behind the number of this form. */
static const struct column clone_members[] = {
	OF_CLONE(COLUMN_TEXT, source_ctx),
	OF_TURN(TURN_OFFLINE),
	OF_TURN(TURN_IN_MIGRATION),
	OF_TURN(TURN_NORMAL),
	OF_TURN(TURN_OPEN),
	OF_CLONE(COLUMN_LONG, last.sequence),
	OF_CLONE(COLUMN_LONG, last.at_ms),
	OF_CLONE(COLUMN_INT, last.run),
	OF_CLONE(COLUMN_INT, last.step_no),
	OF_CLONE(COLUMN_INT, last.total_steps),
	OF_CLONE(COLUMN_TEXT, last.slug),
	OF_CLONE(COLUMN_LONG, state.sequence),
	OF_CLONE(COLUMN_LONG, state.requested_at_ms),
	OF_CLONE(COLUMN_LONG, state.updated_at_ms),
	OF_CLONE(COLUMN_INT, state.status),
	OF_CLONE(COLUMN_INT, state.leaves),
	OF_CLONE(COLUMN_INT, state.run),
	OF_CLONE(COLUMN_INT, state.steps_done),
	OF_CLONE(COLUMN_INT, state.total_steps),
	OF_CLONE(COLUMN_TEXT, state.generation),
	OF_CLONE(COLUMN_TEXT, state.step),
	OF_CLONE(COLUMN_TEXT, state.cause),
	OF_CLONE(COLUMN_TEXT, state.next_command),
	OF_CLONE(COLUMN_LONG, restored.sequence),
	OF_CLONE(COLUMN_LONG, restored.at_ms),
	OF_CLONE(COLUMN_TEXT, restored.version_name),
	OF_CLONE(COLUMN_TEXT, restored.file_version),
	OF_CLONE(COLUMN_TEXT, restored.host),
};

static const struct column row_columns[] = {
	OF_ROW("state_number", COLUMN_INT, state),
	OF_ROW("since_ms", COLUMN_LONG, since_ms),
	OF_ROW("clone_id", COLUMN_TEXT, clone_id),
	OF_ROW("run", COLUMN_INT, run),
	OF_ROW("step_no", COLUMN_INT, step_no),
	OF_ROW("total_steps", COLUMN_INT, total_steps),
	OF_ROW("sequence", COLUMN_LONG, sequence),
	OF_ROW("step", COLUMN_TEXT, step),
	OF_ROW("host", COLUMN_TEXT, host),
	OF_ROW("version_name", COLUMN_TEXT, version_name),
	OF_ROW("file_version", COLUMN_TEXT, file_version),
	OF_ROW("cause", COLUMN_TEXT, cause),
	OF_ROW("next_command", COLUMN_TEXT, next_command),
};

/* For those who read the table: the names of numbers. */
static const char *const row_names[] = { "state", "superid_state", "clone_status" };

enum {
	CLONE_MEMBERS = sizeof clone_members / sizeof *clone_members,
	ROW_COLUMNS = sizeof row_columns / sizeof *row_columns,
	ROW_NAMES = sizeof row_names / sizeof *row_names,
};

_Static_assert(ROW_COLUMNS + ROW_NAMES + 2 < (int)TENANTS_BINDS_MAX, "values of one row");

/* ---- statements ---- */

bool clone_table_make(struct buf *sql)
{
	return buf_printf(sql, "CREATE TABLE IF NOT EXISTS sandbox_tenant_clone (ctx VARCHAR(%d) NOT NULL,"
		" clone_id VARCHAR(%d) NOT NULL, facts VARCHAR(%d) NOT NULL, changed BIGINT NOT NULL,"
		" PRIMARY KEY (ctx, clone_id))", CTX_MAX, CLONE_ID_MAX, FACTS_TEXT_MAX);
}

bool row_table_make(struct buf *sql)
{
	buf_printf(sql, "CREATE TABLE IF NOT EXISTS sandbox_tenant (ctx VARCHAR(%d) NOT NULL PRIMARY KEY", CTX_MAX);
	for (size_t i = 0; i < ROW_COLUMNS; i++) {
		const struct column *c = &row_columns[i];

		if (c->kind == COLUMN_TEXT)
			buf_printf(sql, ", %s VARCHAR(%zu) NOT NULL", c->name, c->size - 1);
		else
			buf_printf(sql, ", %s %s NOT NULL", c->name, c->kind == COLUMN_INT ? "INTEGER" : "BIGINT");
	}
	for (size_t i = 0; i < ROW_NAMES; i++)
		buf_printf(sql, ", %s VARCHAR(40) NOT NULL", row_names[i]);
	return buf_add_text(sql, ", changed BIGINT NOT NULL)");
}

static void add_row_columns(struct buf *sql, const char *behind)
{
	for (size_t i = 0; i < ROW_COLUMNS; i++)
		buf_printf(sql, "%s%s, ", row_columns[i].name, behind);
	for (size_t i = 0; i < ROW_NAMES; i++)
		buf_printf(sql, "%s%s, ", row_names[i], behind);
	buf_printf(sql, "changed%s", behind);
}

bool row_table_update(struct buf *sql)
{
	buf_add_text(sql, "UPDATE sandbox_tenant SET ");
	add_row_columns(sql, " = ?");
	return buf_add_text(sql, " WHERE ctx = ?");
}

bool row_table_insert(struct buf *sql)
{
	buf_add_text(sql, "INSERT INTO sandbox_tenant (");
	add_row_columns(sql, "");
	buf_add_text(sql, ", ctx) VALUES (");
	for (size_t i = 0; i < ROW_COLUMNS + ROW_NAMES + 1; i++)
		buf_add_text(sql, "?, ");
	return buf_add_text(sql, "?)");
}

/* ---- rows ---- */

static struct bind bind_of(const struct column *c, const void *from)
{
	const char *member = (const char *)from + c->at;
	int64_t wide;
	int small;

	switch (c->kind) {
	case COLUMN_TEXT:
		return TEXT(member);
	case COLUMN_INT: /* an enum or an int */
		memcpy(&small, member, sizeof small);
		return NUMBER(small);
	default:
		memcpy(&wide, member, sizeof wide);
		return NUMBER(wide);
	}
}

size_t row_binds(const struct tenant_row *row, int64_t changed, struct bind binds[TENANTS_BINDS_MAX])
{
	size_t count = 0;

	while (count < ROW_COLUMNS) {
		binds[count] = bind_of(&row_columns[count], row);
		count++;
	}
	binds[count++] = TEXT(tenant_state_name(row->state));
	binds[count++] = TEXT(identity_state_name(row->superid));
	binds[count++] = TEXT(row->status == CLONE_STATUS_UNSET ? "" : clone_status_name(row->status));
	binds[count++] = NUMBER(changed);
	binds[count++] = TEXT(row->ctx);
	return count;
}

/* ---- facts as one text ---- */

static void add_escaped(struct buf *out, const char *text)
{
	for (size_t len; *text; text += len) {
		len = strcspn(text, "\t\\");
		buf_add(out, text, len);
		if (text[len]) {
			buf_add_text(out, text[len] == '\t' ? "\\t" : "\\\\");
			len++;
		}
	}
}

bool facts_write(const struct clone_facts *f, struct buf *out)
{
	buf_add_text(out, FACTS_FORM);
	for (size_t i = 0; i < CLONE_MEMBERS; i++) {
		const struct bind value = bind_of(&clone_members[i], f);

		buf_add(out, "\t", 1);
		if (value.kind == BIND_NUMBER)
			buf_add_number(out, value.number);
		else
			add_escaped(out, value.text);
	}
	return !out->failed;
}

/* Up to the next tab into out, without its escapes; false when it does not fit. */
static bool read_escaped(const char **at, const char *end, char *out, size_t size)
{
	size_t len = 0;

	for (; *at < end && **at != '\t'; (*at)++) {
		char c = **at;

		if (c == '\\' && *at + 1 < end)
			c = *++*at == 't' ? '\t' : '\\';
		if (len + 1 >= size)
			return false;
		out[len++] = c;
	}
	return true;
}

static bool read_member(const struct column *c, const char **at, const char *end, struct clone_facts *f)
{
	char *member = (char *)f + c->at, text[24] = "", *stop;
	int64_t wide;
	int small;

	if (c->kind == COLUMN_TEXT)
		return read_escaped(at, end, member, c->size);
	if (!read_escaped(at, end, text, sizeof text) || !*text)
		return false;
	wide = strtoll(text, &stop, 10);
	small = (int)wide;
	if (c->kind == COLUMN_LONG)
		memcpy(member, &wide, sizeof wide);
	else
		memcpy(member, &small, sizeof small);
	return !*stop && (c->kind == COLUMN_LONG || small == wide);
}

static bool read_facts(const char *text, size_t len, struct clone_facts *f)
{
	const char *at = text, *end = text + len;
	char form[8] = "";

	if (!read_escaped(&at, end, form, sizeof form) || strcmp(form, FACTS_FORM) != 0)
		return false;
	for (size_t i = 0; i < CLONE_MEMBERS; i++)
		if (at++ == end || !read_member(&clone_members[i], &at, end, f))
			return false;
	return at == end;
}

bool clone_of_cells(const struct cell cells[CLONE_CELLS], struct clone_facts *f, struct err *e)
{
	memset(f, 0, sizeof *f);
	if (cells[0].len <= CTX_MAX && cells[1].len <= CLONE_ID_MAX && read_facts(cells[2].text, cells[2].len, f)) {
		memcpy(f->ctx, cells[0].text, cells[0].len);
		memcpy(f->clone_id, cells[1].text, cells[1].len);
		return true;
	}
	return err_set(e, ERR_REFUSED, 0, "tenants",
		"sandbox_tenant_clone holds what this program has not put there; another version wrote it, or somebody by hand");
}
