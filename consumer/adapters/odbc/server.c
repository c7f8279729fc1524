/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/odbc/server.h"

#include "consumer/adapters/odbc/engine_copy.h"
#include "consumer/adapters/odbc/source.h"

#include "handlers/sql/statements.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { IDLE_MAX = 32, PAGE_ROWS = 2000, WATCH_MS = 50, CONNECTION_MAX = 4096 };

struct odbc_server {
	struct odbc_settings settings; /* its strings are ours */
	char *texts[10];                /* the settings' */
	const struct sql_dialect *dialect;
	struct odbc_env *env;
	struct statements *statements;
	char id[80];
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct link *idle, *live; /* under the lock, like the two below */
	size_t idle_count;
	bool ending;
	pthread_t watchdog;
	bool has_watchdog;
	struct engine_jobs jobs;
};

const struct odbc_settings *server_settings(const struct odbc_server *s)
{
	return &s->settings;
}

const struct sql_dialect *server_dialect(const struct odbc_server *s)
{
	return s->dialect;
}

const char *server_id(const struct odbc_server *s)
{
	return s->id;
}

struct engine_jobs *server_jobs(struct odbc_server *s)
{
	return &s->jobs;
}

/* ---- connections ---- */

static void close_link(struct odbc_server *s, struct link *l)
{
	struct link **p;

	pthread_mutex_lock(&s->lock); /* the watchdog must not look at it any more */
	for (p = &s->live; *p && *p != l; p = &(*p)->next_live)
		continue;
	if (*p)
		*p = l->next_live;
	pthread_mutex_unlock(&s->lock);
	pass_free(&l->pass);
	if (l->conn)
		conn_rollback(l->conn); /* no connection is closed in a transaction of the driver */
	conn_close(&l->conn);
	free(l);
}

static struct link *take_idle(struct odbc_server *s, const char *database, enum access access, const char *identity)
{
	struct link *found = NULL;

	pthread_mutex_lock(&s->lock);
	for (struct link **p = &s->idle; *p; p = &(*p)->next) {
		struct link *l = *p;

		if (l->access != access || strcmp(l->database, database) != 0 || strcmp(l->identity, identity) != 0)
			continue;
		*p = l->next;
		s->idle_count--;
		found = l;
		break;
	}
	pthread_mutex_unlock(&s->lock);
	return found;
}

static struct link *open_link(struct odbc_server *s, const char *database, enum access access, const char *identity,
			      struct err *e)
{
	struct link *l = calloc(1, sizeof *l);
	struct buf text;

	if (!l) {
		err_set(e, ERR_TRANSIENT, 0, "odbc", "out of memory");
		return NULL;
	}
	l->access = access;
	snprintf(l->database, sizeof l->database, "%s", database);
	snprintf(l->identity, sizeof l->identity, "%s", identity);
	buf_init(&text, CONNECTION_MAX);
	if (s->dialect->connection(&s->settings, database, access, &text))
		l->conn = conn_open(s->env, s->dialect, buf_text(&text), access, &s->settings, e);
	else
		err_set(e, ERR_REFUSED, 0, "odbc", "a connection cannot be made of that name and these settings");
	buf_done(&text);
	if (!l->conn) {
		free(l);
		return NULL;
	}
	pthread_mutex_lock(&s->lock);
	l->next_live = s->live;
	s->live = l;
	pthread_mutex_unlock(&s->lock);
	return l;
}

static struct link *take(struct odbc_server *s, const char *database, enum access access, const char *identity,
			 const atomic_bool *stop, struct err *e)
{
	struct link *l = take_idle(s, database, access, identity);

	if (!l)
		l = open_link(s, database, access, identity, e);
	if (l)
		conn_obey(l->conn, stop);
	return l;
}

struct link *server_take(struct odbc_server *s, const char *database, enum access access, const atomic_bool *stop,
			 struct err *e)
{
	bool elsewhere = access == ACCESS_SOURCE && source_is_distant(&s->settings);
	char identity[80] = "elsewhere";

	if (!elsewhere && !s->dialect->files->identity(&s->settings, database, identity, sizeof identity, e))
		return NULL;
	return take(s, database, access, identity, stop, e);
}

struct link *server_take_snapshot(struct odbc_server *s, const char *source, const char *generation,
				  const atomic_bool *stop, struct err *e)
{
	return take(s, source, ACCESS_SNAPSHOT, generation, stop, e);
}

void server_close(struct odbc_server *s, struct link **l)
{
	if (*l)
		close_link(s, *l);
	*l = NULL;
}

void server_give(struct odbc_server *s, struct link **lp)
{
	struct link *l = *lp;
	bool keep;

	if (!l)
		return;
	*lp = NULL;
	if (l->access != ACCESS_SNAPSHOT)
		conn_rollback(l->conn);
	conn_obey(l->conn, NULL);
	l->idle_since_ms = conn_clock_ms();
	pthread_mutex_lock(&s->lock);
	keep = !conn_is_tainted(l->conn) && s->idle_count < IDLE_MAX && !s->ending;
	if (keep) {
		l->next = s->idle;
		s->idle = l;
		s->idle_count++;
	}
	pthread_mutex_unlock(&s->lock);
	if (!keep)
		close_link(s, l);
}

static struct link *pop_idle(struct odbc_server *s, const char *database)
{
	struct link *found = NULL;

	pthread_mutex_lock(&s->lock);
	for (struct link **p = &s->idle; *p && !found; p = found ? p : &(*p)->next) {
		if (database && strcmp((*p)->database, database) != 0 && strcmp((*p)->identity, database) != 0)
			continue;
		found = *p;
		*p = found->next;
		s->idle_count--;
	}
	pthread_mutex_unlock(&s->lock);
	return found;
}

void server_forget(struct odbc_server *s, const char *database)
{
	struct link *l;

	while ((l = pop_idle(s, database)))
		close_link(s, l);
}

/* ---- watchdog ---- */

/* A snapshot that nobody goes on with would keep old rows on its server. Under the lock. */
static struct link *pop_expired(struct odbc_server *s)
{
	struct link *l, **p;

	for (p = &s->idle; (l = *p); p = &l->next) {
		if (l->access != ACCESS_SNAPSHOT || conn_clock_ms() - l->idle_since_ms < SNAPSHOT_IDLE_MS)
			continue;
		*p = l->next;
		s->idle_count--;
		return l;
	}
	return NULL;
}

static void *watch(void *arg)
{
	struct odbc_server *s = arg;
	struct link *expired;

	pthread_mutex_lock(&s->lock);
	while (!s->ending) {
		struct timespec until;

		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += WATCH_MS * 1000000L;
		until.tv_sec += until.tv_nsec / 1000000000L;
		until.tv_nsec %= 1000000000L;
		pthread_cond_timedwait(&s->wake, &s->lock, &until);
		for (struct link *l = s->live; l; l = l->next_live)
			conn_interrupt_if_due(l->conn, conn_clock_ms());
		expired = pop_expired(s);
		if (!expired)
			continue;
		pthread_mutex_unlock(&s->lock);
		close_link(s, expired);
		pthread_mutex_lock(&s->lock);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* ---- sections ---- */

static bool changes_rows(const char *sql)
{
	static const char *const words[] = { "insert", "update", "delete", "replace", "with" };

	sql += strspn(sql, " \t\r\n");
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strncasecmp(sql, words[i], strlen(words[i])) == 0)
			return true;
	return false;
}

static bool exec_counted(const struct odbc_server *s, struct conn *c, const struct statement *st, int64_t *total,
			 struct err *e)
{
	int64_t rows = 0;
	bool found;

	if (!conn_exec(c, buf_text(&st->sql), st->values, st->value_count, &rows, e))
		return false;
	if (!changes_rows(buf_text(&st->sql)))
		rows = 0; /* of a SELECT they say nothing */
	else if (s->dialect->changes && !conn_number(c, s->dialect->changes, NULL, 0, &rows, &found, e))
		return false;
	*total += rows;
	return true;
}

const struct section *server_section(const struct odbc_server *s, const char *name, struct err *e)
{
	return statements_find(s->statements, name, e);
}

bool section_exec(const struct odbc_server *s, struct conn *c, const char *name, const struct sql_args *args,
		  int64_t *rows_r, struct err *e)
{
	const struct section *section = statements_find(s->statements, name, e);
	const char *at = section ? section->sql : NULL;
	struct statement st = { .schema = s->settings.schema };
	int64_t total = 0;
	bool ok = section != NULL, more = true;

	if (section && section->says_rows)
		return section_exec_rows(s, c, name, args, 0, NULL, e);
	buf_init(&st.sql, SQL_STATEMENT_MAX);
	while (ok && more) {
		ok = statement_next(section, &at, args, &st, &more, e);
		if (ok && more)
			ok = exec_counted(s, c, &st, &total, e);
	}
	buf_done(&st.sql);
	if (!ok)
		err_prepend(e, name);
	else if (rows_r)
		*rows_r = total;
	return ok;
}

bool section_query(const struct odbc_server *s, struct conn *c, const char *name, const struct sql_args *args,
		   conn_row_fn *fn, void *arg, struct err *e)
{
	const struct section *section = statements_find(s->statements, name, e);
	const char *at = section ? section->sql : NULL;
	struct statement st = { .schema = s->settings.schema };
	bool ok, more;

	if (!section)
		return false;
	buf_init(&st.sql, SQL_STATEMENT_MAX);
	ok = statement_next(section, &at, args, &st, &more, e) &&
	     (more || err_set(e, ERR_MISUSE, 0, "sql", "the section is empty")) &&
	     conn_query(c, buf_text(&st.sql), st.values, st.value_count, fn, arg, e);
	buf_done(&st.sql);
	if (!ok)
		err_prepend(e, name);
	return ok;
}

bool server_has(const struct odbc_server *s, struct conn *c, const char *table, const char *column, bool *has_r,
		struct err *e)
{
	const struct bind binds[] = { TEXT(table), TEXT(column ? column : "") };
	const char *sql = column ? s->dialect->catalogue->has_column : s->dialect->catalogue->has_table;
	int64_t count = 0;
	bool found;

	if (!conn_number(c, sql, binds, column ? 2 : 1, &count, &found, e))
		return false;
	*has_r = count > 0;
	return true;
}

bool section_is_needed(const struct odbc_server *s, struct conn *c, const char *name, bool *needed_r, struct err *e)
{
	const struct section *section = statements_find(s->statements, name, e);

	if (!section)
		return false;
	*needed_r = true;
	for (size_t i = 0; i < section->need_count && *needed_r; i++) {
		const struct section_need *need = &section->needs[i];

		if (!server_has(s, c, need->table, need->column[0] ? need->column : NULL, needed_r, e))
			return false;
	}
	return true;
}

/* ---- opening ---- */

static bool take_id(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct odbc_server *s = arg;

	(void)count;
	(void)e;
	snprintf(s->id, sizeof s->id, "%s", cells[0].text);
	return true;
}

static bool random_uuid(char out[37], struct err *e)
{
	unsigned char b[16];

	if (getrandom(b, sizeof b, 0) != (ssize_t)sizeof b)
		return err_set(e, ERR_TRANSIENT, 0, "odbc", "the system gave no random bytes");
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	for (int i = 0, at = 0; i < 16; i++)
		at += snprintf(out + at, (size_t)(37 - at), "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
			       b[i]);
	return true;
}

/* Two consumers may do this at once: the first row stays. */
static bool open_catalogue(struct odbc_server *s, struct err *e)
{
	struct link *l = NULL;
	char uuid[37];
	bool ok;

	if (!random_uuid(uuid, e) || !s->dialect->files->create(&s->settings, s->dialect->server_database, e))
		return false;
	l = server_take(s, s->dialect->server_database, ACCESS_WRITE, NULL, e);
	if (!l)
		return false;
	const struct sql_args args = ARGS(arg_text("id", uuid));

	ok = conn_begin_write(l->conn, e) && section_exec(s, l->conn, "_server_schema", NULL, NULL, e) &&
	     section_exec(s, l->conn, "_server_put_identity", &args, NULL, e) && conn_commit(l->conn, e) &&
	     section_query(s, l->conn, "_server_identity", NULL, take_id, s, e);
	server_give(s, &l);
	return ok && (s->id[0] || err_set(e, ERR_REFUSED, 0, "odbc", "the server's catalogue has no identity"));
}

static bool read_statements(struct odbc_server *s, struct err *e)
{
	statements_free(&s->statements);
	s->settings.dialect = s->dialect->name;
	s->statements = statements_new(s->dialect->name, s->dialect->shared_statements, s->dialect->folds_names, sql_files,
				       sql_files_count, e);
	return s->statements != NULL;
}

/* What the server turns out to be decides how everything else is said to it; connections look alike. */
static bool know_engine(struct odbc_server *s, struct err *e)
{
	const struct sql_dialect *engine;

	if (!s->dialect->engine)
		return true;
	engine = s->dialect->engine(&s->settings, e);
	if (!engine || engine == s->dialect)
		return engine != NULL;
	s->dialect = engine;
	return read_statements(s, e);
}

static bool copy_settings(struct odbc_server *s, const struct odbc_settings *settings, struct err *e)
{
	struct odbc_settings *own = &s->settings;
	const char **texts[] = { &own->driver,   &own->folder,      &own->host,            &own->user,
				 &own->password, &own->source_user, &own->source_password, &own->source_host, &own->tls, &own->schema };

	_Static_assert(sizeof texts / sizeof *texts == sizeof s->texts / sizeof *s->texts, "one for each");
	*own = *settings;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		s->texts[i] = strdup(*texts[i] ? *texts[i] : "");
		if (!s->texts[i])
			return err_set(e, ERR_TRANSIENT, 0, "odbc", "out of memory");
		*texts[i] = s->texts[i];
	}
	s->settings.server = s;
	if (s->settings.page_rows == 0)
		s->settings.page_rows = PAGE_ROWS;
	return true;
}

struct odbc_server *odbc_server_open(const struct odbc_settings *settings, struct err *e)
{
	struct odbc_server *s = calloc(1, sizeof *s);
	bool ok;

	if (!s) {
		err_set(e, ERR_TRANSIENT, 0, "odbc", "out of memory");
		return NULL;
	}
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->wake, NULL);
	pthread_mutex_init(&s->jobs.lock, NULL);
	s->dialect = dialect_find(settings->dialect, e);
	ok = s->dialect && source_is_allowed(settings, e) && copy_settings(s, settings, e) &&
	     read_statements(s, e) && (s->env = odbc_env_new(e)) && know_engine(s, e) && open_catalogue(s, e);
	if (ok) {
		s->has_watchdog = pthread_create(&s->watchdog, NULL, watch, s) == 0;
		if (!s->has_watchdog)
			ok = err_set(e, ERR_TRANSIENT, 0, "odbc", "the system gave no thread");
	}
	if (!ok)
		odbc_server_close(&s);
	return s;
}

void odbc_server_close(struct odbc_server **sp)
{
	struct odbc_server *s = sp ? *sp : NULL;

	if (!s)
		return;
	engine_jobs_end(&s->jobs); /* the watchdog cancels what they do */
	pthread_mutex_lock(&s->lock);
	s->ending = true;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
	if (s->has_watchdog)
		pthread_join(s->watchdog, NULL);
	server_forget(s, NULL);
	odbc_env_free(&s->env);
	statements_free(&s->statements);
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->lock);
	pthread_mutex_destroy(&s->jobs.lock);
	for (size_t i = 0; i < sizeof s->texts / sizeof *s->texts; i++)
		free(s->texts[i]);
	free(s);
	*sp = NULL;
}
