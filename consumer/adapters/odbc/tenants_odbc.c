/* SPDX-License-Identifier: Apache-2.0
 * One connection, used by one thread. The row of sandbox_tenant_change is taken first in every change: who has it is
 * alone until the end. */
#include "consumer/adapters/odbc/tenants_odbc.h"

#include "consumer/adapters/odbc/tenants_columns.h"

#include <stdlib.h>
#include <string.h>

enum { STATEMENT_MAX = 8192, CONNECTION_MAX = 4096 };

struct tenants_odbc {
	struct tenants_port port;
	struct odbc_settings settings; /* its strings are in texts */
	char database[DATABASE_MAX + 1];
	const struct sql_dialect *dialect;
	struct odbc_env *env;
	struct conn *conn; /* NULL: not connected */
	struct buf texts, update_row, insert_row, facts;
	int64_t number; /* of the change that is open */
};

static struct tenants_odbc *self_of(struct tenants_port *port)
{
	return (struct tenants_odbc *)(void *)port;
}

/* ---- connecting ---- */

static const char *const make_more[] = {
	"CREATE INDEX IF NOT EXISTS sandbox_tenant_clone_changed ON sandbox_tenant_clone (changed)",
	("CREATE TABLE IF NOT EXISTS sandbox_tenant_position (topic VARCHAR(120) NOT NULL, part INTEGER NOT NULL,"
	 " next BIGINT NOT NULL, PRIMARY KEY (topic, part))"),
	"CREATE TABLE IF NOT EXISTS sandbox_tenant_change (id INTEGER NOT NULL PRIMARY KEY, number BIGINT NOT NULL)",
	"INSERT INTO sandbox_tenant_change (id, number) VALUES (1, 0) ON CONFLICT (id) DO NOTHING",
};

static bool make_table(struct tenants_odbc *t, bool (*statement)(struct buf *sql), struct err *e)
{
	struct buf sql;
	bool ok;

	buf_init(&sql, STATEMENT_MAX);
	ok = statement(&sql) && conn_exec(t->conn, buf_text(&sql), NULL, 0, NULL, e);
	buf_done(&sql);
	return ok;
}

static bool make_tables(struct tenants_odbc *t, struct err *e)
{
	if (!make_table(t, clone_table_make, e) || !make_table(t, row_table_make, e))
		return false;
	for (size_t i = 0; i < sizeof make_more / sizeof *make_more; i++)
		if (!conn_exec(t->conn, make_more[i], NULL, 0, NULL, e))
			return false;
	return true;
}

/* What a password was in. */
static void forget(struct buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->len);
	buf_done(b);
}

static bool connect_now(struct tenants_odbc *t, struct err *e)
{
	struct buf text;

	if (t->conn && !conn_is_tainted(t->conn))
		return true;
	conn_close(&t->conn);
	if (t->dialect->files && !t->dialect->files->create(&t->settings, t->database, e))
		return false;
	buf_init(&text, CONNECTION_MAX);
	if (t->dialect->connection(&t->settings, t->database, ACCESS_WRITE, &text))
		t->conn = conn_open(t->env, t->dialect, buf_text(&text), ACCESS_WRITE, &t->settings, e);
	else
		err_set(e, ERR_MISUSE, 0, "tenants",
			"driver, host, user, password or name of the database have characters that cannot be in a connection string");
	forget(&text);
	if (t->conn && !make_tables(t, e))
		conn_close(&t->conn);
	return t->conn;
}

/* ---- a change ---- */

static void roll_back(struct tenants_port *port)
{
	struct tenants_odbc *t = self_of(port);

	if (t->conn)
		conn_rollback(t->conn);
}

static bool failed(struct tenants_odbc *t)
{
	roll_back(&t->port);
	return false;
}

static bool last(struct tenants_port *port, int64_t *last_r, struct err *e)
{
	struct tenants_odbc *t = self_of(port);
	bool found = false;

	if (!connect_now(t, e))
		return false;
	if (!conn_number(t->conn, "SELECT number FROM sandbox_tenant_change WHERE id = 1", NULL, 0, last_r, &found, e))
		return failed(t);
	return found || (failed(t), err_set(e, ERR_REFUSED, 0, "tenants", "the row of sandbox_tenant_change is gone"));
}

static bool begin(struct tenants_port *port, int64_t *last_r, struct err *e)
{
	struct tenants_odbc *t = self_of(port);

	if (!connect_now(t, e) || !conn_begin_write(t->conn, e))
		return false;
	if (!conn_exec(t->conn, "UPDATE sandbox_tenant_change SET number = number + 1 WHERE id = 1", NULL, 0, NULL, e))
		return failed(t);
	if (!last(port, &t->number, e))
		return false;
	*last_r = t->number - 1;
	return true;
}

/* Most are there already: that is the shorter statement. */
static bool update_or_insert(struct tenants_odbc *t, const char *update, const char *insert, const struct bind *binds,
                             size_t count, struct err *e)
{
	int64_t rows = 0;

	return (conn_exec_kept(t->conn, update, binds, count, &rows, e) &&
		(rows > 0 || conn_exec_kept(t->conn, insert, binds, count, NULL, e))) || failed(t);
}

static bool put_clone(struct tenants_port *port, const struct clone_facts *facts, struct err *e)
{
	static const char update[] = "UPDATE sandbox_tenant_clone SET facts = ?, changed = ? WHERE ctx = ? AND clone_id = ?";
	static const char insert[] = "INSERT INTO sandbox_tenant_clone (facts, changed, ctx, clone_id) VALUES (?, ?, ?, ?)";
	struct tenants_odbc *t = self_of(port);
	struct bind binds[] = { { 0 }, NUMBER(t->number), TEXT(facts->ctx), TEXT(facts->clone_id) };

	buf_clear(&t->facts);
	if (!facts_write(facts, &t->facts)) {
		failed(t);
		return err_set(e, ERR_BUG, 0, "tenants", "the facts of a clone are longer than they can be");
	}
	binds[0] = TEXT(buf_text(&t->facts));
	return update_or_insert(t, update, insert, binds, sizeof binds / sizeof *binds, e);
}

static bool drop_clone(struct tenants_port *port, const struct clone_facts *facts, struct err *e)
{
	struct tenants_odbc *t = self_of(port);
	const struct bind binds[] = { TEXT(facts->ctx), TEXT(facts->clone_id) };

	return conn_exec(t->conn, "DELETE FROM sandbox_tenant_clone WHERE ctx = ? AND clone_id = ?", binds, 2, NULL, e) ||
		failed(t);
}

static bool put_row(struct tenants_port *port, const struct tenant_row *row, struct err *e)
{
	struct tenants_odbc *t = self_of(port);
	struct bind binds[TENANTS_BINDS_MAX];
	size_t count = row_binds(row, t->number, binds);

	return update_or_insert(t, buf_text(&t->update_row), buf_text(&t->insert_row), binds, count, e);
}

static bool position(struct tenants_port *port, const char *topic, int partition, int64_t *next_r, struct err *e)
{
	struct tenants_odbc *t = self_of(port);
	const struct bind binds[] = { TEXT(topic), NUMBER(partition) };
	bool found = false;

	if (!connect_now(t, e))
		return false;
	if (!conn_number(t->conn, "SELECT next FROM sandbox_tenant_position WHERE topic = ? AND part = ?", binds, 2, next_r,
			&found, e))
		return failed(t);
	if (!found)
		*next_r = -1;
	return true;
}

static bool move_on(struct tenants_port *port, const char *topic, int partition, int64_t from, int64_t to, bool *moved_r,
                    struct err *e)
{
	struct tenants_odbc *t = self_of(port);
	const struct bind first[] = { TEXT(topic), NUMBER(partition), NUMBER(to) };
	const struct bind next[] = { NUMBER(to), TEXT(topic), NUMBER(partition), NUMBER(from) };
	int64_t rows = 0;
	bool ok;

	if (from < 0)
		ok = conn_exec(t->conn, "INSERT INTO sandbox_tenant_position (topic, part, next) VALUES (?, ?, ?)"
			" ON CONFLICT (topic, part) DO NOTHING", first, 3, &rows, e);
	else
		ok = conn_exec(t->conn, "UPDATE sandbox_tenant_position SET next = ? WHERE topic = ? AND part = ? AND next = ?",
			next, 4, &rows, e);
	*moved_r = rows == 1;
	return ok || failed(t);
}

static bool commit(struct tenants_port *port, struct err *e)
{
	return conn_commit(self_of(port)->conn, e);
}

/* ---- reading ---- */

struct reading {
	tenants_clone_fn *fn;
	void *arg;
};

static bool take_clone(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct reading *r = arg;
	struct clone_facts facts;

	(void)count;
	return clone_of_cells(cells, &facts, e) &&
		(r->fn(r->arg, &facts) || err_set(e, ERR_TRANSIENT, 0, "tenants", "out of memory for what is known of clones"));
}

static bool clones_since(struct tenants_port *port, int64_t after, tenants_clone_fn *fn, void *arg, struct err *e)
{
	struct tenants_odbc *t = self_of(port);
	const struct bind binds[] = { NUMBER(after) };
	struct reading r = { fn, arg };

	if (!connect_now(t, e))
		return false;
	return conn_query(t->conn, "SELECT ctx, clone_id, facts FROM sandbox_tenant_clone WHERE changed > ?", binds, 1, take_clone, &r, e) || failed(t);
}

/* ---- from start to end ---- */

static void close_port(struct tenants_port *port)
{
	struct tenants_odbc *t = self_of(port);

	conn_close(&t->conn);
	odbc_env_free(&t->env);
	forget(&t->texts);
	buf_done(&t->update_row);
	buf_done(&t->insert_row);
	buf_done(&t->facts);
	free(t);
}

static bool keep_texts(struct tenants_odbc *t, const struct odbc_settings *s)
{
	const char **const texts[] = { &t->settings.driver, &t->settings.folder, &t->settings.host, &t->settings.user,
		&t->settings.password };
	size_t at[sizeof texts / sizeof *texts];

	t->settings = *s;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		at[i] = t->texts.len;
		if (!buf_add_text(&t->texts, *texts[i] ? *texts[i] : "") || !buf_add(&t->texts, "", 1))
			return false;
	}
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		*texts[i] = t->texts.data + at[i];
	return true;
}

static const struct sql_dialect *dialect_of(const char *name)
{
	static const struct sql_dialect *const all[] = { &dialect_sqlite, &dialect_postgresql_plain };

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (strcmp(all[i]->name, name) == 0)
			return all[i];
	return NULL;
}

static bool prepare(struct tenants_odbc *t, const struct odbc_settings *s, const char *database, struct err *e)
{
	t->dialect = dialect_of(s->dialect);
	if (!t->dialect)
		return err_set(e, ERR_MISUSE, 0, "tenants", "the tenants' rows cannot be kept in %.40s", s->dialect);
	if (strlen(database) > DATABASE_MAX)
		return err_set(e, ERR_MISUSE, 0, "tenants", "the name of the database is too long");
	memcpy(t->database, database, strlen(database));
	buf_init(&t->texts, CONNECTION_MAX);
	buf_init(&t->update_row, STATEMENT_MAX);
	buf_init(&t->insert_row, STATEMENT_MAX);
	buf_init(&t->facts, FACTS_TEXT_MAX);
	if (!keep_texts(t, s) || !row_table_update(&t->update_row) || !row_table_insert(&t->insert_row))
		return err_set(e, ERR_TRANSIENT, 0, "tenants", "out of memory");
	t->env = odbc_env_new(e);
	return t->env;
}

struct tenants_port *tenants_odbc_open(const struct odbc_settings *settings, const char *database, struct err *e)
{
	struct tenants_odbc *t = calloc(1, sizeof *t);

	if (!t) {
		err_set(e, ERR_TRANSIENT, 0, "tenants", "out of memory");
		return NULL;
	}
	t->port = (struct tenants_port){ .begin = begin, .put_clone = put_clone, .drop_clone = drop_clone, .put_row = put_row,
		.move = move_on, .commit = commit, .rollback = roll_back, .last = last, .clones_since = clones_since,
		.position = position, .close = close_port };
	if (prepare(t, settings, database, e) && connect_now(t, e))
		return &t->port;
	close_port(&t->port);
	return NULL;
}
