/* SPDX-License-Identifier: Apache-2.0 */
#include "compose/seed/seed.h"

#include "compose/seed/seed_priv.h"
#include "consumer/adapters/odbc/sql_text.h"
#include "handlers/ports/fence.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MEMORY_MAX_BYTES = 64 * 1024 * 1024, STATEMENT_MAX = 64 * 1024 };

static bool make_tables(const struct seed_plan *plan, struct seed_db *db, struct err *e)
{
	struct buf sql;
	bool ok = true;

	buf_init(&sql, STATEMENT_MAX);
	for (size_t i = 0; ok && i < plan->table_count; i++) {
		buf_clear(&sql);
		ok = seed_table_sql(plan->tables[i], &sql) ? seed_db_exec(db, sql.data, e)
		                                           : err_set(e, ERR_BUG, 0, "seed", "a table is too wide");
	}
	buf_done(&sql);
	return ok;
}

/* extras.sql: a statement ends with a semicolon at the end of a line. */
static bool make_extras(struct seed_db *db, struct err *e)
{
	const char *at = seed_file("extras.sql"), *end;
	struct buf sql;
	bool ok = at || err_set(e, ERR_BUG, 0, "seed", "extras.sql was not built in");

	buf_init(&sql, STATEMENT_MAX);
	while (ok && (end = strstr(at, ";\n"))) {
		while (strncmp(at, "--", 2) == 0)
			at += strcspn(at, "\n") + 1;
		buf_clear(&sql);
		ok = buf_add(&sql, at, (size_t)(end - at)) && seed_db_exec(db, sql.data, e);
		at = end + 2;
	}
	buf_done(&sql);
	return ok;
}

static bool sync_path(const char *path, int flags, struct err *e)
{
	int fd = open(path, flags | O_RDONLY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return ok || err_set(e, ERR_TRANSIENT, errno, "seed", "the database cannot be put on disk");
}

static bool fill_database(const struct seed_plan *plan, const char *path, struct seed_result *result, struct err *e)
{
	const char *driver = plan->options->driver ? plan->options->driver : "SQLite3";
	struct seed_db *db = seed_db_open(driver, path, e);
	bool ok = db && make_tables(plan, db, e) && seed_write_rows(plan, db, result, e) && make_extras(db, e) &&
	          seed_db_commit(db, e);

	seed_db_close(&db);
	result->tables = (int64_t)plan->table_count;
	return ok && sync_path(path, 0, e);
}

/* Under another name until it is whole. */
static bool make_database(const struct seed_plan *plan, struct seed_result *result, struct err *e)
{
	char path[PATH_MAX], part[PATH_MAX + 8];

	snprintf(path, sizeof path, "%s/%s.sqlite", plan->options->folder, plan->options->source);
	snprintf(part, sizeof part, "%s.part", path);
	unlink(part);
	if (fill_database(plan, part, result, e)) {
		if (rename(part, path) == 0)
			return sync_path(plan->options->folder, O_DIRECTORY, e);
		err_set(e, ERR_TRANSIENT, errno, "seed", "the database cannot be given its name");
	}
	unlink(part);
	return false;
}

static bool is_new(const struct seed_options *o, struct err *e)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof path, "%s/%s.sqlite", o->folder, o->source);

	if (n < 0 || (size_t)n >= sizeof path)
		return err_set(e, ERR_REFUSED, 0, "seed", "the path of the folder is too long");
	if (access(o->folder, W_OK | X_OK) != 0)
		return err_set(e, ERR_REFUSED, errno, "seed", "the folder of the databases cannot be written to");
	return access(path, F_OK) != 0 ||
	       err_set(e, ERR_REFUSED, 0, "seed", "there is a database %s already; remove it first", o->source);
}

static bool check(const struct seed_options *o, struct err *e)
{
	if (!database_name_is_legal(o->source) || strlen(o->source) > CTX_MAX || !database_name_is_legal(o->target) ||
	    strlen(o->target) > CTX_MAX || strcmp(o->source, o->target) == 0)
		return err_set(e, ERR_REFUSED, 0, "seed", "source and target must be two names of tenants, such as Cust70000");
	if (o->factor < 0 || o->factor > 1000)
		return err_set(e, ERR_REFUSED, 0, "seed", "the factor must be from 0 to 1000");
	return is_new(o, e);
}

/* The database comes last: when it is there everything is. */
static bool build(struct seed_plan *plan, struct seed_result *result, struct err *e)
{
	return seed_read_schema(plan, e) && seed_read_content(plan, e) && seed_write_files(plan, result, e) &&
	       (!plan->options->stubs || seed_write_stubs(plan, e)) && make_database(plan, result, e);
}

bool seed_customer(const struct seed_options *options, struct seed_result *result_r, struct err *e)
{
	struct seed_options o = *options;
	struct seed_plan plan = { .options = &o, .mem = arena_new(MEMORY_MAX_BYTES) };
	struct seed_result result = { 0 };
	bool ok;

	o.source = o.source ? o.source : "Cust70000";
	o.target = o.target ? o.target : "Cust70001";
	ok = plan.mem ? check(&o, e) && build(&plan, &result, e) : err_set(e, ERR_TRANSIENT, 0, "seed", "no memory");
	arena_free(&plan.mem);
	*result_r = result;
	return ok;
}
