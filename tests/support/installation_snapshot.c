/* SPDX-License-Identifier: Apache-2.0
 * The world of a tenant as lines of text. What differs between two equal clones (names, tokens, times) is replaced, so
 * that a clone that was killed can be compared with one that was not. */
#include "tests/support/installation_priv.h"

#include "consumer/adapters/odbc/conn.h"
#include "tests/support/world_priv.h"

#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 8, LINES_MAX = 100000, SQL_SIZE = 1 << 16 };

struct names { /* what is replaced by what */
	char from[NAMES_MAX][DATABASE_MAX + 1];
	const char *to[NAMES_MAX];
	size_t count;
};

static void add_name(struct names *names, const char *from, const char *to)
{
	ck_assert_uint_lt(names->count, NAMES_MAX);
	if (!from || !*from)
		return;
	snprintf(names->from[names->count], sizeof names->from[0], "%s", from);
	names->to[names->count++] = to;
}

/* 2026-11-22T21:00:59 or with a blank; how much of the text, 0 when it is none. */
static size_t time_length(const char *text)
{
	static const char form[] = "2###-##-##T##:##:##";
	size_t n;

	for (n = 0; n < sizeof form - 1; n++) {
		if (form[n] == '#' ? !isdigit((unsigned char)text[n]) :
		    form[n] == 'T' ? text[n] != 'T' && text[n] != ' ' : text[n] != form[n])
			return 0;
	}
	while (isdigit((unsigned char)text[n]) || text[n] == '.' || text[n] == 'Z')
		n++;
	return n;
}

/* Keyed hashes of rows and of the masking policy; how much of the text, 0 when it is none. */
static size_t hash_length(const char *text, const struct buf *before)
{
	static const char policy[] = "policy\":\"";
	size_t length = strspn(text, "0123456789abcdef"), name = sizeof policy - 1;

	if (length == 64 || (length == 16 && before->len > name && memcmp(before->data + before->len - name, policy, name) == 0))
		return length;
	return 0;
}

static size_t known_name(const char *text, const struct names *names)
{
	size_t n = 0;

	while (n < names->count && strncmp(text, names->from[n], strlen(names->from[n])) != 0)
		n++;
	return n;
}

static void add_normal(struct buf *out, const char *text, const struct names *names)
{
	while (*text) {
		size_t name = known_name(text, names), length;

		if (name < names->count) {
			buf_add_text(out, names->to[name]);
			text += strlen(names->from[name]);
		} else if ((length = hash_length(text, out)) != 0) {
			buf_add_text(out, "HASH");
			text += length;
		} else if ((length = time_length(text)) != 0) {
			buf_add_text(out, "TIME");
			text += length;
		} else {
			buf_add(out, text++, 1);
		}
	}
}

/* ---- databases ---- */

struct rows {
	struct conn *conn;
	const char *shown;
	struct buf columns, line;
	char *lines[LINES_MAX];
	size_t count;
	bool plain; /* a tenant's table */
	const char *only; /* rows that hold this text; NULL all */
	const struct names *names;
};

/* Who wrote and when, and which state of the source was read, is not what was written. */
static bool is_bookkeeping(const char *column)
{
	static const char *const names[] = { "token", "last_token", "updated_at", "created_at", "snapshot", "sid",
					     "login_sid", "secret_hash", "run" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(column, names[i]) == 0)
			return true;
	return false;
}

/* How many rows were written counts those that were written again after a crash. */
static bool is_ledger(const struct rows *r)
{
	return strcmp(r->shown, "sandbox_ledger") == 0;
}

static bool add_column(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct rows *r = arg;

	(void)count, (void)e;
	if (r->plain || !(is_bookkeeping(cells[0].text) || (is_ledger(r) && strcmp(cells[0].text, "rows") == 0)))
		buf_printf(&r->columns, "%s%s", r->columns.len ? "," : "", cells[1].text);
	return true;
}

/* "run 2 phase 3" in the ledger: which run it was is not what was done. */
static void forget_run(char *text)
{
	char *at = strstr(text, "|run ");

	for (at = at ? at + 5 : text + strlen(text); isdigit((unsigned char)*at); at++)
		*at = 'N';
}

static bool add_row(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct rows *r = arg;
	struct buf text;

	(void)e;
	buf_init(&text, WORLD_TEXT_MAX);
	for (size_t i = 0; i < count; i++)
		buf_printf(&text, "|%s", cells[i].is_null ? "(null)" : cells[i].text);
	if (is_ledger(r) && text.data)
		forget_run(text.data);
	if (!r->only || strstr(buf_text(&text), r->only)) {
		buf_clear(&r->line);
		buf_printf(&r->line, "%s ", r->shown);
		add_normal(&r->line, buf_text(&text), r->names);
		ck_assert_uint_lt(r->count, LINES_MAX);
		r->lines[r->count++] = strdup(buf_text(&r->line));
	}
	buf_done(&text);
	return true;
}

static void query(struct rows *r, conn_row_fn *fn, const char *fmt, const char *a, const char *b)
{
	struct err e = { 0 };
	struct buf sql;

	buf_init(&sql, SQL_SIZE);
	ck_assert(buf_printf(&sql, fmt, a, b));
	ck_assert_msg(conn_query(r->conn, buf_text(&sql), NULL, 0, fn, r, &e), "%s: %s", buf_text(&sql), e.text);
	buf_done(&sql);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

#define AS_IDENTIFIER "'\"' || replace(name, '\"', '\"\"') || '\"'"

struct table { /* a customer names its own tables as it likes */
	char name[256], literal[520], identifier[520];
};

static void dump_table(struct rows *r, const struct table *table, struct buf *out)
{
	r->count = 0;
	r->shown = table->name;
	buf_clear(&r->columns);
	query(r, add_column, "SELECT name, " AS_IDENTIFIER " FROM pragma_table_xinfo(%s) ORDER BY cid%s", table->literal, "");
	query(r, add_row, "SELECT %s FROM %s", buf_text(&r->columns), table->identifier);
	qsort(r->lines, r->count, sizeof(char *), by_text);
	for (size_t n = 0; n < r->count; n++) {
		ck_assert(buf_printf(out, "%s\n", r->lines[n]));
		free(r->lines[n]);
	}
}

struct tables {
	struct table table[400];
	size_t count;
};

static bool add_table(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct tables *tables = arg;

	(void)count, (void)e;
	ck_assert_uint_lt(tables->count, 400);
	struct table *t = &tables->table[tables->count++];

	snprintf(t->name, sizeof t->name, "%s", cells[0].text);
	snprintf(t->literal, sizeof t->literal, "%s", cells[1].text);
	snprintf(t->identifier, sizeof t->identifier, "%s", cells[2].text);
	return true;
}

static void dump_database(struct installation *i, const char *database, const char *only, const struct names *names,
                          struct buf *out)
{
	struct rows *r = calloc(1, sizeof *r);
	struct tables *tables = calloc(1, sizeof *tables);
	char path[PATH_MAX];
	struct err e = { 0 };

	ck_assert(r && tables);
	snprintf(path, sizeof path, "%s/db/%s.sqlite", i->folder, database);
	r->conn = world_connect(path, false);
	r->only = only;
	r->names = names;
	buf_init(&r->columns, SQL_SIZE);
	buf_init(&r->line, WORLD_TEXT_MAX);
	ck_assert_msg(conn_query(r->conn, "SELECT name, quote(name), " AS_IDENTIFIER
		" FROM sqlite_master WHERE type = 'table' ORDER BY name", NULL, 0, add_table, tables, &e), "%s", e.text);
	for (size_t t = 0; t < tables->count; t++) {
		const struct table *table = &tables->table[t];

		if (strcmp(table->name, "generation_token") == 0)
			continue; /* outlives its database: earlier clones left theirs */
		r->plain = strncmp(table->name, "sandbox_", 8) != 0 && strcmp(database, "_server") != 0;
		dump_table(r, table, out);
	}
	conn_close(&r->conn);
	buf_done(&r->columns);
	buf_done(&r->line);
	free(tables);
	free(r);
}

int64_t database_number(struct installation *i, const char *database, const char *sql)
{
	char path[PATH_MAX];
	struct err e = { 0 };
	struct conn *c;
	int64_t number = 0;
	bool found = false;

	snprintf(path, sizeof path, "%s/db/%s.sqlite", i->folder, database);
	c = world_connect(path, false);
	ck_assert_msg(conn_number(c, sql, NULL, 0, &number, &found, &e), "%s: %s", sql, e.text);
	conn_close(&c);
	return number;
}

/* ---- the outside systems ---- */

static json_t *hosting_of(json_t *state, const char *ctx)
{
	json_t *hosting = json_object_get(json_object_get(state, "world"), "hosting");

	return json_object_get(json_object_get(hosting, "tenants"), ctx);
}

static bool is_text(const json_t *object, const char *member, const char *text)
{
	const char *value = json_string_value(json_object_get(object, member));

	return value && strcmp(value, text) == 0;
}

/* What is recorded under the tenant's name or for it, each as one line. */
static void dump_records(json_t *value, const char *path, const char *key, const char *ctx, const struct names *names,
                         struct buf *out)
{
	char deeper[512], *text;
	const char *name;
	json_t *member;
	size_t n;

	if (strcmp(key, ctx) == 0 || is_text(value, "ctx", ctx) || is_text(value, "tenant_ctx", ctx)) {
		json_object_del(value, "id"); /* cancelling puts a mail route back under another id */
		text = json_dumps(value, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY);
		add_normal(out, path, names);
		buf_add_text(out, " ");
		add_normal(out, text, names);
		buf_add_text(out, "\n");
		free(text);
		return;
	}
	json_array_foreach(value, n, member)
		dump_records(member, path, "", ctx, names, out);
	json_object_foreach(value, name, member) {
		snprintf(deeper, sizeof deeper, "%s.%s", path, name);
		dump_records(member, json_object_get(member, "id") ? path : deeper, name, ctx, names, out);
	}
}

static json_t *stub_state(struct installation *i)
{
	json_t *state = stub_server_state(i->stubs);

	ck_assert_msg(state, "the stubs do not answer");
	return state;
}

static void dump_systems(struct installation *i, const char *ctx, const struct names *names, struct buf *out)
{
	json_t *state = stub_state(i), *tenant = hosting_of(state, ctx);

	json_object_del(tenant, "tasks");
	json_object_del(tenant, "web_config");
	json_object_del(tenant, "pool_recycled_by"); /* cannot be undone */
	json_object_del(tenant, "stamp"); /* names the clone that built last, also when it was cancelled since */
	if (!i->own_sources) /* of several targets of one source the last clone takes the link */
		json_object_del(json_object_get(json_object_get(json_object_get(state, "world"), "superid"), ctx),
			"test_of");
	dump_records(json_object_get(state, "world"), "stub", "", ctx, names, out);
	json_decref(state);
}

const char *hosting_text(struct installation *i, const char *ctx, const char *member, char *out_r, size_t size)
{
	json_t *state = stub_state(i);
	const char *text = json_string_value(json_object_get(hosting_of(state, ctx), member));

	snprintf(out_r, size, "%s", text ? text : "");
	json_decref(state);
	return out_r;
}

/* ---- the whole ---- */

static void dump_files(struct installation *i, const char *store, const char *root, const struct names *names,
                       struct buf *out)
{
	char part[128], path[PATH_MAX];
	struct buf lines;

	snprintf(part, sizeof part, "%s/%s", store, root);
	buf_init(&lines, WORLD_TEXT_MAX);
	world_dump_folder(installation_path(i, part, path, sizeof path), part, &lines);
	add_normal(out, buf_text(&lines), names);
	buf_done(&lines);
}

void snapshot_source(struct installation *i, struct buf *out)
{
	const struct names names = { .count = 0 };

	buf_clear(out);
	dump_database(i, SOURCE, NULL, &names, out);
	dump_files(i, "objects", SOURCE, &names, out);
	dump_files(i, "archive", SOURCE, &names, out);
	dump_systems(i, SOURCE, &names, out);
	ck_assert(!out->failed);
}

static bool take_text(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	(void)count, (void)e;
	snprintf(arg, CLONE_ID_MAX + 1, "%s", cells[0].text);
	return true;
}

/* Who made the database that is in service. */
static void clone_of(struct installation *i, const char *database, char id_r[CLONE_ID_MAX + 1])
{
	char path[PATH_MAX];
	struct err e = { 0 };
	struct conn *c;

	id_r[0] = '\0';
	if (!database || !*database)
		return;
	snprintf(path, sizeof path, "%s/db/%s.sqlite", i->folder, database);
	c = world_connect(path, false);
	ck_assert_msg(conn_query(c, "SELECT clone_id FROM sandbox_stamp", NULL, 0, take_text, id_r, &e), "%s", e.text);
	conn_close(&c);
}

static void hex_of(const char *id, char out_r[CLONE_ID_MAX + 1])
{
	size_t n = 0;

	for (; id && *id && n < CLONE_ID_MAX; id++)
		if (*id != '-')
			out_r[n++] = *id;
	out_r[n] = '\0';
}

void snapshot_target(struct installation *i, const char *target, struct buf *out)
{
	json_t *state = stub_state(i), *tenant = hosting_of(state, target);
	const char *database = json_string_value(json_object_get(tenant, "database"));
	const char *root = json_string_value(json_object_get(tenant, "files_root"));
	struct names names = { .count = 0 };
	char serial[32], lower[CTX_MAX + 1], id[CLONE_ID_MAX + 1], hex[CLONE_ID_MAX + 1];

	add_name(&names, database, "GENERATION");
	clone_of(i, database, id);
	add_name(&names, id, "CLONE");
	hex_of(id, hex);
	add_name(&names, hex, "CLONE");
	add_name(&names, target, "TARGET");
	snprintf(lower, sizeof lower, "c%s", target + 1); /* in addresses */
	add_name(&names, lower, "TARGET");
	if (i->own_sources) {
		snprintf(lower, sizeof lower, "Cust71%s", target + strlen("Cust70"));
		add_name(&names, lower, "SOURCE");
	}
	snprintf(serial, sizeof serial, "70000000%02d", atoi(target + strlen("Cust")) - 70000 + 1);
	add_name(&names, serial, "SERIAL");
	buf_clear(out);
	if (database && *database)
		dump_database(i, database, NULL, &names, out);
	dump_database(i, "_server", target, &names, out);
	if (root && *root) {
		dump_files(i, "objects", root, &names, out);
		dump_files(i, "archive", root, &names, out);
	}
	dump_systems(i, target, &names, out);
	json_decref(state);
	ck_assert(!out->failed);
}

static void dump_step(const struct step_completed *s, bool exact, const struct names *names, struct buf *out)
{
	buf_printf(out, "%d of %d %s run %d ", s->step_no, s->total_steps, s->slug, s->run);
	if (exact) {
		buf_printf(out, "%s rows %" PRId64 " bytes %" PRId64 " ", step_outcome_name(s->outcome), s->rows, s->bytes);
		add_normal(out, s->detail, names);
	} else if (s->outcome == STEP_DONE || s->outcome == STEP_ALREADY) {
		buf_add_text(out, "so");
	} else {
		buf_add_text(out, step_outcome_name(s->outcome));
	}
	buf_add_text(out, "\n");
}

static void dump_restored(const struct backup_restored *b, const struct names *names, struct buf *out)
{
	buf_printf(out, "restored %d ", b->change_type);
	add_normal(out, b->context_identifier, names);
	buf_printf(out, " %s %s %s apps %" PRId64 " ", b->version_name, b->file_version, b->mask_domain, b->apps_to_tell);
	add_normal(out, b->proof, names);
	add_normal(out, b->public_endpoint, names);
	add_normal(out, b->generation, names);
	buf_add_text(out, "\n");
}

void snapshot_events(struct installation *i, const char *id, const char *target, bool exact, struct buf *out)
{
	struct names names = { .count = 0 };
	struct events events;
	const struct message *m;
	char generation[DATABASE_MAX + 1];

	add_name(&names, hosting_text(i, target, "database", generation, sizeof generation), "GENERATION");
	add_name(&names, target, "TARGET");
	buf_clear(out);
	events_read(i, &events);
	check_sequence(&events, id);
	for (enum step_id step = 0; step < STEP_END; step++)
		for (size_t n = 0; (m = events_nth(&events, MESSAGE_STEP_COMPLETED, id, n)); n++)
			if (strcmp(m->step_completed.slug, steps[step].slug) == 0)
				dump_step(&m->step_completed, exact, &names, out);
	for (size_t n = 0; (m = events_nth(&events, MESSAGE_BACKUP_RESTORED, id, n)); n++)
		dump_restored(&m->backup_restored, &names, out);
	events_free(&events);
	ck_assert(!out->failed);
}

void snapshot_calls(struct installation *i, const char *id, const char *target, struct buf *out)
{
	json_t *calls = stub_server_calls(i->stubs), *call;
	struct names names = { .count = 0 };
	char generation[DATABASE_MAX + 1], **lines;
	size_t n, count = 0;

	ck_assert_msg(calls, "the stubs do not answer");
	lines = calloc(json_array_size(calls) + 1, sizeof *lines);
	ck_assert_ptr_nonnull(lines);
	add_name(&names, hosting_text(i, target, "database", generation, sizeof generation), "GENERATION");
	add_name(&names, target, "TARGET");
	json_array_foreach(calls, n, call) {
		const char *key = json_string_value(json_object_get(call, "key"));
		const char *path = json_string_value(json_object_get(call, "path"));
		struct buf line;

		if (!key || strncmp(key, id, strlen(id)) != 0 || !json_is_true(json_object_get(call, "acted")))
			continue;
		if (strstr(path, "/stamp"))
			continue; /* a new owner's token is written again */
		buf_init(&line, 4096);
		buf_printf(&line, "%s %s ", json_string_value(json_object_get(call, "system")),
			json_string_value(json_object_get(call, "method")));
		add_normal(&line, path, &names);
		lines[count++] = line.data;
	}
	qsort(lines, count, sizeof(char *), by_text);
	buf_clear(out);
	for (n = 0; n < count; n++) {
		buf_printf(out, "%s\n", lines[n]);
		free(lines[n]);
	}
	free(lines);
	json_decref(calls);
	ck_assert(!out->failed);
}

static int is_database(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && strcmp(dot, ".sqlite") == 0 && entry->d_name[0] != '_';
}

const char *left_over_databases(struct installation *i)
{
	static char names[1024];
	struct dirent **entries;
	char path[PATH_MAX], wanted[TARGETS_MAX][DATABASE_MAX + 1], ctx[32];
	int count = scandir(installation_path(i, "db", path, sizeof path), &entries, is_database, alphasort);

	names[0] = '\0';
	for (int t = 0; t < i->targets; t++) {
		snprintf(ctx, sizeof ctx, "Cust%d", 70001 + t);
		hosting_text(i, ctx, "database", wanted[t], sizeof wanted[t]);
	}
	for (int n = 0; n < count; n++) {
		char *name = entries[n]->d_name;
		bool known;

		*strrchr(name, '.') = '\0';
		known = strcmp(name, SOURCE) == 0;
		for (int t = 0; t < i->targets; t++)
			known |= strcmp(name, wanted[t]) == 0;
		if (!known)
			snprintf(names + strlen(names), sizeof names - strlen(names), "%s ", name);
		free(entries[n]);
	}
	if (count >= 0)
		free(entries);
	return names;
}

void check_same(const struct buf *one, const struct buf *other, const char *what)
{
	world_assert_same(one, other, what);
}
