/* SPDX-License-Identifier: Apache-2.0
 * copy_next for a server that copies whole databases by itself: BACKUP ... COPY_ONLY of the source, RESTORE under the
 * generation's name, in quarantine (RESTRICTED_USER) from its first moment. Addresses arrive as they are; step 13 masks
 * them there, and until then nobody but the cloner gets in.
 *
 * Both statements may run for hours and in no transaction: each is a job of its own thread, and copy_next looks how far
 * it is. What is done is remembered in the server's catalogue, because the restore takes the generation's own ledger
 * away. While a job runs it holds the token's row there: a newer owner waits for it, and it never begins under an old
 * token. */
#include "consumer/adapters/odbc/engine_copy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LOOK_MS = 500 };
enum reached { REACHED_NOTHING, REACHED_BACKUP, REACHED_RESTORE, REACHED_END };

static const char where[] = "copy";

struct copy_state { /* of the generation, in the server's catalogue */
	enum reached reached;
	uint64_t file_token; /* whose backup it is */
	char source_ctx[CTX_MAX + 1];
};

struct engine_job {
	struct engine_job *next;
	struct sql_port *port; /* its own: sources and target as the step's */
	struct odbc_server *server;
	struct fence fence;
	char clone_id[CLONE_ID_MAX + 1], step[SLUG_MAX + 1], target_ctx[CTX_MAX + 1], generation[DATABASE_MAX + 1];
	struct copy_state state;
	pthread_t thread;
	struct conn *running; /* under the lock of the jobs */
	atomic_int session; /* number of its session on the server, 0 before */
	atomic_bool ended;
	bool restores; /* else it backs up */
	bool ok;
	struct err err;
};

/* ---- the state ---- */

static bool take_state(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct copy_state *s = arg;

	(void)count;
	(void)e;
	s->reached = (enum reached)cells[0].number;
	s->file_token = (uint64_t)cells[1].number;
	snprintf(s->source_ctx, sizeof s->source_ctx, "%s", cells[2].text);
	return true;
}

/* Another run begins anew: what an earlier one made was changed by its later steps. */
static bool read_state(struct odbc_port *p, struct conn *c, const struct fence *f, struct copy_state *s, struct err *e)
{
	const struct sql_args args = ARGS(arg_text("name", f->generation), arg_number("run", f->run));

	memset(s, 0, sizeof *s);
	return section_query(p->server, c, "_copy_state", &args, take_state, s, e);
}

static bool write_state(struct odbc_port *p, struct conn *c, const struct fence *f, const struct copy_state *s,
			struct err *e)
{
	const struct sql_args args = ARGS(arg_text("name", f->generation), arg_number("run", f->run),
					  arg_number("phase", s->reached), arg_number("token", (int64_t)s->file_token),
					  arg_text("source_ctx", s->source_ctx));

	return section_exec(p->server, c, "_copy_put_state", &args, NULL, e);
}

/* ---- jobs ---- */

static void set_running(struct engine_job *j, struct conn *c)
{
	struct engine_jobs *jobs = server_jobs(j->server);

	pthread_mutex_lock(&jobs->lock);
	j->running = c;
	pthread_mutex_unlock(&jobs->lock);
}

static bool run_on(struct engine_job *j, struct conn *c, struct err *e)
{
	char file[ENGINE_PATH_BYTES];
	int64_t session = 0;
	bool found, ok;

	if (!engine_backup_path(j->server, j->generation, j->state.file_token, file, e) ||
	     !conn_number(c, "SELECT CAST(@@SPID AS integer)", NULL, 0, &session, &found, e))
		return false;
	atomic_store(&j->session, (int)session);
	set_running(j, c);
	ok = j->restores ? engine_restore(j->server, c, j->generation, file, e)
			 : engine_back_up(j->server, c, port_of(j->port)->source, file, e);
	set_running(j, NULL);
	return ok;
}

static bool run_fenced(struct engine_job *j, struct conn *catalogue, struct err *e)
{
	struct odbc_port *p = port_of(j->port);
	struct link *l = server_take(j->server, "master", ACCESS_WRITE, &p->stop, e);
	bool ok = l != NULL;

	if (ok) {
		conn_limit(l->conn, 0);
		ok = run_on(j, l->conn, e);
		conn_limit(l->conn, server_settings(j->server)->query_timeout_ms);
	}
	server_give(j->server, &l);
	j->state.reached++;
	return ok && write_state(p, catalogue, &j->fence, &j->state, e) && conn_commit(catalogue, e);
}

static void *work(void *arg)
{
	struct engine_job *j = arg;
	struct odbc_port *p = port_of(j->port);
	struct conn *catalogue = port_conn(p, SQL_SERVER, &j->err);

	j->ok = catalogue && server_fenced_begin(p, catalogue, &j->fence, &j->err) &&
		run_fenced(j, catalogue, &j->err);
	if (!j->ok && catalogue)
		conn_rollback(catalogue);
	atomic_store(&j->ended, true);
	return NULL;
}

static void free_job(struct engine_job *j)
{
	odbc_sql_close(&j->port);
	free(j);
}

static struct engine_job *job_new(struct odbc_port *p, const struct fence *f, const struct copy_state *state, struct err *e)
{
	const struct odbc_databases databases = { p->source, "", p->target };
	struct engine_job *j = calloc(1, sizeof *j);

	if (!j) {
		err_set(e, ERR_TRANSIENT, 0, where, "out of memory");
		return NULL;
	}
	j->server = p->server;
	j->state = *state;
	j->restores = state->reached == REACHED_BACKUP;
	snprintf(j->clone_id, sizeof j->clone_id, "%s", f->clone_id);
	snprintf(j->step, sizeof j->step, "%s", f->step);
	snprintf(j->target_ctx, sizeof j->target_ctx, "%s", f->target_ctx);
	snprintf(j->generation, sizeof j->generation, "%s", f->generation);
	j->fence = (struct fence){ j->clone_id, f->run, j->step, j->target_ctx, j->generation, f->token };
	j->port = odbc_sql_open(p->server, &databases, e);
	if (!j->port || pthread_create(&j->thread, NULL, work, j) != 0) {
		if (j->port)
			err_set(e, ERR_TRANSIENT, 0, where, "the system gave no thread");
		free_job(j);
		return NULL;
	}
	return j;
}

static struct engine_job **find_job(struct engine_jobs *jobs, const char *generation)
{
	struct engine_job **p = &jobs->first;

	while (*p && strcmp((*p)->generation, generation) != 0)
		p = &(*p)->next;
	return p;
}

void engine_jobs_end(struct engine_jobs *jobs)
{
	for (struct engine_job *j = jobs->first; j; j = j->next)
		odbc_sql_cancel(j->port);
	while (jobs->first) {
		struct engine_job *j = jobs->first;

		jobs->first = j->next;
		pthread_join(j->thread, NULL);
		free_job(j);
	}
}

void engine_job_cancel(struct odbc_port *p, const struct fence *f, const char *generation)
{
	struct engine_jobs *jobs = server_jobs(p->server);
	struct engine_job *j, **at;

	pthread_mutex_lock(&jobs->lock);
	at = find_job(jobs, generation);
	j = *at;
	if (j && j->fence.token <= f->token)
		*at = j->next;
	else
		j = NULL;
	pthread_mutex_unlock(&jobs->lock);
	if (!j)
		return;
	odbc_sql_cancel(j->port);
	pthread_join(j->thread, NULL);
	free_job(j);
}

/* Begins what comes next, unless it is under way already. */
static bool begin_job(struct odbc_port *p, const struct fence *f, const struct copy_state *state, struct err *e)
{
	struct engine_jobs *jobs = server_jobs(p->server);
	struct engine_job *j;

	port_let_go(p, f->generation); /* the restore wants it alone */
	j = job_new(p, f, state, e);
	if (!j)
		return false;
	pthread_mutex_lock(&jobs->lock);
	j->next = jobs->first;
	jobs->first = j;
	pthread_mutex_unlock(&jobs->lock);
	return true;
}

/* NULL when there is none, or when it has just ended: then *ok_r and *e tell how. */
static struct engine_job *job_under_way(struct odbc_port *p, const struct fence *f, bool *ok_r, struct err *e)
{
	struct engine_jobs *jobs = server_jobs(p->server);
	struct engine_job *j, **at;
	int waited_ms = 0;

	*ok_r = true;
	pthread_mutex_lock(&jobs->lock);
	j = *find_job(jobs, f->generation);
	pthread_mutex_unlock(&jobs->lock);
	for (; j && !atomic_load(&j->ended) && waited_ms < LOOK_MS; waited_ms += 10)
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	if (!j || !atomic_load(&j->ended))
		return j;
	pthread_mutex_lock(&jobs->lock);
	at = find_job(jobs, f->generation);
	*at = j->next;
	pthread_mutex_unlock(&jobs->lock);
	pthread_join(j->thread, NULL);
	*ok_r = j->ok;
	if (!j->ok)
		err_set(e, j->err.class, j->err.code, j->err.where, "%s", j->err.text);
	free_job(j);
	return NULL;
}

/* ---- looking how far it is ---- */

static bool take_count(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	int64_t *numbers = arg;

	(void)e;
	for (size_t i = 0; i < 2 && i < count; i++)
		numbers[i] = cells[i].number;
	return true;
}

/* By the messages of the statement, where the driver passes them on in time, and by asking the server, where the login
 * may (VIEW SERVER STATE). */
static bool show_progress(struct odbc_port *p, struct conn *c, struct engine_job *j, struct sql_pages *pages,
			  struct err *e)
{
	const struct sql_args args =
	    ARGS(arg_text("database", p->source), arg_number("session", atomic_load(&j->session)));
	int64_t size[2] = { 0 }, asked[2] = { 0 };
	struct engine_jobs *jobs = server_jobs(p->server);
	int64_t percent;

	pthread_mutex_lock(&jobs->lock);
	percent = j->running ? conn_percent(j->running) : 0;
	pthread_mutex_unlock(&jobs->lock);
	if (!section_query(p->server, c, "_copy_size", &args, take_count, size, e) ||
	    !section_query(p->server, c, "_copy_progress", &args, take_count, asked, e))
		return false;
	if (asked[0] > percent)
		percent = asked[0];
	pages->bytes = size[0] / 100 * percent;
	snprintf(pages->cursor, sizeof pages->cursor, "%s %" PRId64 "%%", j->restores ? "restore" : "backup", percent);
	return true;
}

/* ---- the end ---- */

static bool stamp_it(struct odbc_port *p, struct conn *c, const struct fence *f, const struct copy_state *s,
		     struct sql_pages *pages, struct err *e)
{
	int64_t token = 0, counts[2] = { 0 };

	if (!fence_token(f, &token, e))
		return false;
	const struct sql_args args =
	    ARGS(arg_text("source_ctx", s->source_ctx), arg_text("target_ctx", f->target_ctx),
		 arg_text("clone_id", f->clone_id), arg_number("run", f->run), arg_number("token", token));

	if (!conn_begin_write(c, e))
		return false;
	if (section_exec(p->server, c, "_core_schema", NULL, NULL, e) &&
	    section_exec(p->server, c, "_core_forget_others", &args, NULL, e) &&
	    section_exec(p->server, c, "_stamp_put", &args, NULL, e) &&
	    section_query(p->server, c, "_copy_counts", NULL, take_count, counts, e) &&
	    ledger_set(p, c, f, counts[0], "finished", e) && conn_commit(c, e)) {
		pages->rows = pages->rows_expected = counts[0];
		pages->tables_done = pages->tables_total = counts[1];
		return true;
	}
	conn_rollback(c);
	return false;
}

/* What came with the restore is settled, the backup, which holds every address, is removed. */
static bool finish(struct odbc_port *p, struct conn *catalogue, const struct fence *f, struct copy_state *s,
		   struct sql_pages *pages, struct err *e)
{
	struct conn *c = port_conn(p, SQL_TARGET, e);
	struct link *l = c ? server_take(p->server, "master", ACCESS_WRITE, &p->stop, e) : NULL;
	char file[ENGINE_PATH_BYTES];
	bool ok;

	ok = l && engine_backup_path(p->server, f->generation, s->file_token, file, e) && stamp_it(p, c, f, s, pages, e);
	if (ok) {
		const struct sql_args args = ARGS(arg_text("database", f->generation), arg_text("file", file));

		ok = section_exec(p->server, l->conn, "_database_prepare", &args, NULL, e) &&
		     section_exec(p->server, l->conn, "_backup_forget", &args, NULL, e);
	}
	server_give(p->server, &l);
	s->reached = REACHED_END;
	if (!ok || !server_fenced_begin(p, catalogue, f, e))
		return false;
	if (write_state(p, catalogue, f, s, e) && conn_commit(catalogue, e)) {
		pages->finished = true;
		return true;
	}
	conn_rollback(catalogue);
	return false;
}

static bool read_fenced(struct odbc_port *p, struct conn *c, const struct fence *f, struct copy_state *s, struct err *e)
{
	if (!server_fenced_begin(p, c, f, e))
		return false;
	if (read_state(p, c, f, s, e) && conn_commit(c, e))
		return true;
	conn_rollback(c);
	return false;
}

/* The first job remembers what the stamp says, which goes with the restore. */
static bool begin_copy(struct odbc_port *p, const struct fence *f, struct copy_state *s, struct err *e)
{
	struct sql_stamp stamp;

	if (!port_may_touch(p, f, f->generation, e) || !p->port.stamp(&p->port, f->generation, &stamp, e))
		return false;
	if (!stamp.found || strcmp(stamp.clone_id, f->clone_id) != 0)
		return err_set(e, ERR_REFUSED, 0, where, "%s does not bear this clone's stamp", f->generation);
	snprintf(s->source_ctx, sizeof s->source_ctx, "%s", stamp.source_ctx);
	s->file_token = f->token;
	return begin_job(p, f, s, e);
}

static bool copy_next(struct sql_port *self, const struct fence *f, const struct sql_filter *filter,
		      struct sql_pages *pages, struct err *e)
{
	struct odbc_port *p = port_of(self);
	struct conn *c = port_conn(p, SQL_SERVER, e);
	struct sql_pages next = { 0 };
	struct engine_job *j;
	struct copy_state s;
	bool ok;

	(void)filter; /* step 13 masks */
	if (strcmp(f->generation, p->target) != 0 || !p->source[0])
		return err_set(e, ERR_MISUSE, 0, where, "this step has no source, or another generation");
	j = c ? job_under_way(p, f, &ok, e) : NULL;
	if (!c || (!j && !ok))
		return false;
	if (j)
		ok = show_progress(p, c, j, &next, e);
	else if (!read_fenced(p, c, f, &s, e))
		return false;
	else if (s.reached == REACHED_NOTHING)
		ok = begin_copy(p, f, &s, e);
	else if (s.reached == REACHED_BACKUP)
		ok = begin_job(p, f, &s, e);
	else if (s.reached == REACHED_RESTORE)
		ok = finish(p, c, f, &s, &next, e);
	else
		next = (struct sql_pages){ .finished = true, .rows = pages->rows };
	if (ok)
		*pages = next;
	return ok;
}

void port_engine_copy(struct sql_port *port)
{
	port->copy_next = copy_next;
}
