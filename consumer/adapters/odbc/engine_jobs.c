/* SPDX-License-Identifier: Apache-2.0
 * Statements of a copy that run for hours and in no transaction: each is a job of its own thread, one for a generation, and
 * copy_next looks how far it is. While a job runs it holds the token's row in the server's catalogue: a newer owner waits
 * for it, and it never begins under an old token. */
#include "consumer/adapters/odbc/engine_copy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LOOK_MS = 500 };

static const char where[] = "copy";

struct engine_job {
	struct engine_job *next;
	struct sql_port *port; /* its own: sources and target as the step's */
	struct odbc_server *server;
	struct fence fence;
	char clone_id[CLONE_ID_MAX + 1], step[SLUG_MAX + 1], target_ctx[CTX_MAX + 1], generation[DATABASE_MAX + 1];
	struct copy_state state;
	engine_work_fn *work;
	const char *word;
	pthread_t thread;
	struct conn *running; /* under the lock of the jobs */
	atomic_int session;   /* number of its session on the server, 0 before */
	atomic_bool ended;
	bool ok;
	struct err err;
};

struct odbc_port *engine_job_port(struct engine_job *j)
{
	return port_of(j->port);
}

const struct fence *engine_job_fence(const struct engine_job *j)
{
	return &j->fence;
}

/* ---- the thread ---- */

static void set_running(struct engine_job *j, struct conn *c)
{
	struct engine_jobs *jobs = server_jobs(j->server);

	pthread_mutex_lock(&jobs->lock);
	j->running = c;
	pthread_mutex_unlock(&jobs->lock);
}

static bool run_on(struct engine_job *j, struct conn *c, struct err *e)
{
	int64_t session = 0;
	bool found, ok;

	if (!conn_number(c, "SELECT CAST(@@SPID AS integer)", NULL, 0, &session, &found, e))
		return false;
	atomic_store(&j->session, (int)session);
	set_running(j, c);
	ok = j->work(j, c, &j->state, e);
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
	return ok && engine_put_state(p, catalogue, &j->fence, &j->state, e);
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

/* ---- beginning and ending ---- */

static void free_job(struct engine_job *j)
{
	odbc_sql_close(&j->port);
	free(j);
}

static struct engine_job *job_new(const struct engine_call *call, engine_work_fn *to_do, const char *word, struct err *e)
{
	const struct odbc_databases databases = { call->port->source, "", call->port->target };
	const struct fence *f = call->fence;
	struct engine_job *j = calloc(1, sizeof *j);

	if (!j) {
		err_set(e, ERR_TRANSIENT, 0, where, "out of memory");
		return NULL;
	}
	j->server = call->port->server;
	j->state = call->state;
	j->work = to_do;
	j->word = word;
	snprintf(j->clone_id, sizeof j->clone_id, "%s", f->clone_id);
	snprintf(j->step, sizeof j->step, "%s", f->step);
	snprintf(j->target_ctx, sizeof j->target_ctx, "%s", f->target_ctx);
	snprintf(j->generation, sizeof j->generation, "%s", f->generation);
	j->fence = (struct fence){ j->clone_id, f->run, j->step, j->target_ctx, j->generation, f->token };
	j->port = odbc_sql_open(j->server, &databases, e);
	if (!j->port || pthread_create(&j->thread, NULL, work, j) != 0) {
		if (j->port)
			err_set(e, ERR_TRANSIENT, 0, where, "the system gave no thread");
		free_job(j);
		return NULL;
	}
	return j;
}

bool engine_job_begin(struct engine_call *call, engine_work_fn *to_do, const char *word, struct err *e)
{
	struct engine_jobs *jobs = server_jobs(call->port->server);
	struct engine_job *j;

	port_let_go(call->port, call->fence->generation); /* the server wants it alone */
	j = job_new(call, to_do, word, e);
	if (!j)
		return false;
	pthread_mutex_lock(&jobs->lock);
	j->next = jobs->first;
	jobs->first = j;
	pthread_mutex_unlock(&jobs->lock);
	return true;
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

/* ---- looking ---- */

struct engine_job *engine_job_look(struct odbc_port *p, const struct fence *f, bool *ok_r, struct err *e)
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

bool engine_job_show(struct odbc_port *p, struct engine_job *j, struct sql_pages *pages, struct err *e)
{
	struct engine_jobs *jobs = server_jobs(p->server);
	int64_t percent;

	pthread_mutex_lock(&jobs->lock);
	percent = j->running ? conn_percent(j->running) : 0;
	pthread_mutex_unlock(&jobs->lock);
	return engine_show(p, &j->fence, j->word, atomic_load(&j->session), percent, pages, e);
}
