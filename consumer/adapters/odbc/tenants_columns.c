/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/odbc/tenants_columns.h"

#include <string.h>

enum column_kind { COLUMN_TEXT, COLUMN_INT, COLUMN_LONG };

struct column {
	const char *name;
	enum column_kind kind;
	size_t at, size; /* of the member */
	bool is_key;
};

#define MEMBER(name, kind, type, member) { name, kind, offsetof(type, member), sizeof((type *)0)->member, false }
#define KEY(name, type, member) { name, COLUMN_TEXT, offsetof(type, member), sizeof((type *)0)->member, true }
#define OF_CLONE(name, kind, member) MEMBER(name, kind, struct clone_facts, member)
#define OF_TURN(name, turn)                                                                                            \
	OF_CLONE(name "_sequence", COLUMN_LONG, turns[turn].sequence), OF_CLONE(name "_at_ms", COLUMN_LONG, turns[turn].at_ms)
#define OF_ROW(name, kind, member) MEMBER(name, kind, struct tenant_row, member)

static const struct column clone_columns[] = {
	KEY("ctx", struct clone_facts, ctx),
	KEY("clone_id", struct clone_facts, clone_id),
	OF_CLONE("source_ctx", COLUMN_TEXT, source_ctx),
	OF_TURN("offline", TURN_OFFLINE),
	OF_TURN("in_migration", TURN_IN_MIGRATION),
	OF_TURN("normal", TURN_NORMAL),
	OF_TURN("open", TURN_OPEN),
	OF_CLONE("last_sequence", COLUMN_LONG, last.sequence),
	OF_CLONE("last_at_ms", COLUMN_LONG, last.at_ms),
	OF_CLONE("last_run", COLUMN_INT, last.run),
	OF_CLONE("last_step_no", COLUMN_INT, last.step_no),
	OF_CLONE("last_total_steps", COLUMN_INT, last.total_steps),
	OF_CLONE("last_step", COLUMN_TEXT, last.slug),
	OF_CLONE("state_sequence", COLUMN_LONG, state.sequence),
	OF_CLONE("state_requested_at_ms", COLUMN_LONG, state.requested_at_ms),
	OF_CLONE("state_updated_at_ms", COLUMN_LONG, state.updated_at_ms),
	OF_CLONE("state_status", COLUMN_INT, state.status),
	OF_CLONE("state_leaves", COLUMN_INT, state.leaves),
	OF_CLONE("state_run", COLUMN_INT, state.run),
	OF_CLONE("state_steps_done", COLUMN_INT, state.steps_done),
	OF_CLONE("state_total_steps", COLUMN_INT, state.total_steps),
	OF_CLONE("state_generation", COLUMN_TEXT, state.generation),
	OF_CLONE("state_step", COLUMN_TEXT, state.step),
	OF_CLONE("state_cause", COLUMN_TEXT, state.cause),
	OF_CLONE("state_next_command", COLUMN_TEXT, state.next_command),
	OF_CLONE("restored_sequence", COLUMN_LONG, restored.sequence),
	OF_CLONE("restored_at_ms", COLUMN_LONG, restored.at_ms),
	OF_CLONE("restored_version_name", COLUMN_TEXT, restored.version_name),
	OF_CLONE("restored_file_version", COLUMN_TEXT, restored.file_version),
	OF_CLONE("restored_host", COLUMN_TEXT, restored.host),
};

static const struct column row_columns[] = {
	KEY("ctx", struct tenant_row, ctx),
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
	CLONE_COLUMNS = sizeof clone_columns / sizeof *clone_columns,
	ROW_COLUMNS = sizeof row_columns / sizeof *row_columns,
	ROW_NAMES = sizeof row_names / sizeof *row_names,
};

_Static_assert((int)CLONE_COLUMNS < (int)TENANTS_BINDS_MAX && ROW_COLUMNS + ROW_NAMES < (int)TENANTS_BINDS_MAX,
               "values of one row");

/* ---- statements ---- */

struct table_shape_of {
	const char *name;
	const struct column *columns;
	size_t count;
	const char *const *names;
	size_t name_count;
};

static const struct table_shape_of clone_table = { "sandbox_tenant_clone", clone_columns, CLONE_COLUMNS, NULL, 0 };
static const struct table_shape_of row_table = { "sandbox_tenant", row_columns, ROW_COLUMNS, row_names, ROW_NAMES };

static void add_keys(const struct table_shape_of *t, struct buf *sql)
{
	for (size_t i = 0; i < t->count && t->columns[i].is_key; i++)
		buf_printf(sql, "%s%s", i ? ", " : "", t->columns[i].name);
}

static bool make(const struct table_shape_of *t, struct buf *sql)
{
	buf_printf(sql, "CREATE TABLE IF NOT EXISTS %s (", t->name);
	for (size_t i = 0; i < t->count; i++) {
		const struct column *c = &t->columns[i];

		if (c->kind == COLUMN_TEXT)
			buf_printf(sql, "%s VARCHAR(%zu) NOT NULL, ", c->name, c->size - 1);
		else
			buf_printf(sql, "%s %s NOT NULL, ", c->name, c->kind == COLUMN_INT ? "INTEGER" : "BIGINT");
	}
	for (size_t i = 0; i < t->name_count; i++)
		buf_printf(sql, "%s VARCHAR(40) NOT NULL, ", t->names[i]);
	buf_add_text(sql, "changed BIGINT NOT NULL, PRIMARY KEY (");
	add_keys(t, sql);
	return buf_add_text(sql, "))");
}

static const char *name_of(const struct table_shape_of *t, size_t i)
{
	if (i < t->count)
		return t->columns[i].name;
	return i < t->count + t->name_count ? t->names[i - t->count] : "changed";
}

static bool put(const struct table_shape_of *t, struct buf *sql)
{
	size_t count = t->count + t->name_count + 1;
	const char *between = "";

	buf_printf(sql, "INSERT INTO %s (", t->name);
	for (size_t i = 0; i < count; i++)
		buf_printf(sql, "%s%s", i ? ", " : "", name_of(t, i));
	buf_add_text(sql, ") VALUES (");
	for (size_t i = 0; i < count; i++)
		buf_add_text(sql, i ? ", ?" : "?");
	buf_add_text(sql, ") ON CONFLICT (");
	add_keys(t, sql);
	buf_add_text(sql, ") DO UPDATE SET ");
	for (size_t i = 0; i < count; i++) {
		if (i < t->count && t->columns[i].is_key)
			continue;
		buf_printf(sql, "%s%s = excluded.%s", between, name_of(t, i), name_of(t, i));
		between = ", ";
	}
	return !sql->failed;
}

bool clone_table_make(struct buf *sql)
{
	return make(&clone_table, sql);
}

bool clone_table_put(struct buf *sql)
{
	return put(&clone_table, sql);
}

bool row_table_make(struct buf *sql)
{
	return make(&row_table, sql);
}

bool row_table_put(struct buf *sql)
{
	return put(&row_table, sql);
}

bool clone_table_list(struct buf *sql)
{
	for (size_t i = 0; i < CLONE_COLUMNS; i++)
		buf_printf(sql, "%s%s", i ? ", " : "", clone_columns[i].name);
	return !sql->failed;
}

/* ---- values ---- */

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

static size_t bind_all(const struct column *columns, size_t count, const void *from, struct bind *binds)
{
	for (size_t i = 0; i < count; i++)
		binds[i] = bind_of(&columns[i], from);
	return count;
}

size_t clone_binds(const struct clone_facts *f, int64_t changed, struct bind binds[TENANTS_BINDS_MAX])
{
	size_t count = bind_all(clone_columns, CLONE_COLUMNS, f, binds);

	binds[count++] = NUMBER(changed);
	return count;
}

size_t row_binds(const struct tenant_row *row, int64_t changed, struct bind binds[TENANTS_BINDS_MAX])
{
	size_t count = bind_all(row_columns, ROW_COLUMNS, row, binds);

	binds[count++] = TEXT(tenant_state_name(row->state));
	binds[count++] = TEXT(identity_state_name(row->superid));
	binds[count++] = TEXT(row->status == CLONE_STATUS_UNSET ? "" : clone_status_name(row->status));
	binds[count++] = NUMBER(changed);
	return count;
}

static bool set_member(const struct column *c, const struct cell *cell, void *to)
{
	char *member = (char *)to + c->at;
	int small = (int)cell->number;

	switch (c->kind) {
	case COLUMN_TEXT:
		if (cell->len >= c->size)
			return false;
		memcpy(member, cell->text, cell->len);
		return true;
	case COLUMN_INT:
		memcpy(member, &small, sizeof small);
		return small == cell->number;
	default:
		memcpy(member, &cell->number, sizeof cell->number);
		return true;
	}
}

bool clone_of_cells(const struct cell *cells, size_t count, struct clone_facts *f, struct err *e)
{
	memset(f, 0, sizeof *f);
	if (count != CLONE_COLUMNS)
		return err_set(e, ERR_BUG, 0, "tenants", "the table of clones has %zu columns", count);
	for (size_t i = 0; i < CLONE_COLUMNS; i++)
		if (!set_member(&clone_columns[i], &cells[i], f))
			return err_set(e, ERR_REFUSED, 0, "tenants", "column %s of sandbox_tenant_clone holds what was never put there",
				clone_columns[i].name);
	return true;
}
