/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/libpq/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH_LINES = 256, BATCH_BYTES = 256 << 10, PARCEL_THINGS = 32, PARCEL_PAGES = 256 };
#define CELL_MAX_BYTES ((size_t)1 << 30)

int64_t pg_clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- life ---- */

struct pg_session *pg_session_new(const struct pg_settings *settings, const char *source, const char *target,
				  struct err *e)
{
	struct pg_session *s = calloc(1, sizeof *s);

	if (!s) {
		err_set(e, ERR_TRANSIENT, 0, "sql", "out of memory");
		return NULL;
	}
	s->settings = settings;
	snprintf(s->source, sizeof s->source, "%s", source);
	snprintf(s->target, sizeof s->target, "%s", target);
	for (size_t i = 0; i < WORKERS_MAX; i++) {
		struct pg_worker *w = &s->workers[i];

		buf_init(&w->sql, SQL_MAX);
		buf_init(&w->out, CELL_MAX_BYTES);
		buf_init(&w->work.plain, CELL_MAX_BYTES);
		buf_init(&w->work.changed, CELL_MAX_BYTES);
	}
	return s;
}

void pg_session_leave_source(struct pg_session *s)
{
	pg_close(&s->exporter);
	s->snapshot = 0;
	for (size_t i = 0; i < WORKERS_MAX; i++) {
		pg_close(&s->workers[i].source);
		s->workers[i].in_snapshot = false;
	}
}

void pg_session_free(struct pg_session **sp)
{
	struct pg_session *s = *sp;

	if (!s)
		return;
	pg_session_leave_source(s);
	pg_close(&s->own);
	for (size_t i = 0; i < WORKERS_MAX; i++) {
		struct pg_worker *w = &s->workers[i];

		pg_close(&w->target);
		buf_done(&w->sql);
		buf_done(&w->out);
		buf_done(&w->work.plain);
		buf_done(&w->work.changed);
	}
	pg_schema_done(&s->schema);
	free(s);
	*sp = NULL;
}

void pg_session_obey(struct pg_session *s, const atomic_bool *stop)
{
	s->exporter.stop = s->own.stop = stop;
	for (size_t i = 0; i < WORKERS_MAX; i++)
		s->workers[i].source.stop = s->workers[i].target.stop = stop;
}

/* ---- transactions ---- */

static bool check_stamp(struct pg *target, const PGresult *r, const struct fence *f, struct err *e)
{
	char token[24], run[12];
	uint64_t seen;

	if (PQntuples(r) == 0)
		return err_set(e, ERR_REFUSED, 0, "fence", "the generation bears no stamp");
	if (strcmp(PQgetvalue(r, 0, 0), f->clone_id) != 0)
		return err_set(e, ERR_REFUSED, 0, "fence", "the generation bears the stamp of another clone");
	seen = (uint64_t)pg_number(r, 0, 1);
	if (seen > f->token)
		return err_set(e, ERR_REFUSED, ERR_CODE_FENCED, "fence", "a newer owner has taken over this generation");
	if (seen == f->token)
		return true;
	snprintf(token, sizeof token, "%" PRIu64, f->token);
	snprintf(run, sizeof run, "%d", f->run);
	return PG_DO(target, "UPDATE public.sandbox_stamp SET token = $1, run = greatest(run, $2) WHERE one = 1", e, token, run);
}

bool pg_fenced_begin(struct pg *target, const struct fence *f, struct err *e)
{
	PGresult *r;
	bool ok;

	if (!pg_do(target, "BEGIN", NULL, 0, e))
		return false;
	r = pg_query(target, "SELECT clone_id, token FROM public.sandbox_stamp WHERE one = 1 FOR SHARE", NULL, 0, e);
	ok = r && check_stamp(target, r, f, e);
	PQclear(r);
	if (!ok)
		pg_rollback(target);
	return ok;
}

bool pg_commit(struct pg *pg, struct err *e)
{
	return pg_do(pg, "COMMIT", NULL, 0, e);
}

/* Also for one that was told to stop. What cannot be rolled back is closed, which does the same. */
void pg_rollback(struct pg *pg)
{
	const atomic_bool *stop = pg->stop;
	struct err ignored = { 0 };

	pg->stop = NULL;
	if (pg->conn && (pg->queued > 0 || !pg_do(pg, "ROLLBACK", NULL, 0, &ignored)))
		pg_close(pg);
	pg->stop = stop;
}

static void name_owner(const struct fence *f, size_t size, char *out)
{
	snprintf(out, size, "%s %" PRIu64, f->clone_id, f->token);
}

bool pg_tell_owner(struct pg *target, const struct fence *f, struct err *e)
{
	static const char sql[] = "SELECT set_config('sandbox.clone', $1, false), set_config('sandbox.token', $2, false)";
	char owner[sizeof target->owner], token[24];

	name_owner(f, sizeof owner, owner);
	if (strcmp(target->owner, owner) == 0)
		return true;
	snprintf(token, sizeof token, "%" PRIu64, f->token);
	if (!PG_DO(target, sql, e, f->clone_id, token))
		return false;
	snprintf(target->owner, sizeof target->owner, "%s", owner);
	return true;
}

bool pg_take_over(struct pg *own, const struct fence *f, struct err *e)
{
	char owner[sizeof own->owner];

	name_owner(f, sizeof owner, owner);
	return strcmp(own->owner, owner) == 0 ||
	       (pg_fenced_begin(own, f, e) && pg_commit(own, e) && pg_tell_owner(own, f, e));
}

bool pg_fenced_queue(struct pg *target, struct err *e)
{
	return pg_queue(target, "BEGIN", NULL, 0, e) && pg_queue(target, PG_FENCE_SQL, NULL, 0, e);
}

/* The server's word for it is a division by zero. */
bool pg_blame_fence(struct pg *target, const struct fence *f, struct err *e)
{
	struct err why = { 0 };

	pg_rollback(target);
	if (e->code == ERR_CODE_ABORTED || !target->conn)
		return false;
	if (pg_fenced_begin(target, f, &why))
		pg_rollback(target);
	else if (strcmp(why.where, "fence") == 0)
		*e = why;
	return false;
}

bool pg_fenced_end(struct pg *target, const struct fence *f, PGresult **rows_r, struct err *e)
{
	return (pg_queue(target, "COMMIT", NULL, 0, e) && pg_queue_end(target, rows_r, NULL, e)) || pg_blame_fence(target, f, e);
}

bool pg_queue_ledger(struct pg *target, const struct fence *f, int64_t rows, const char *cursor, struct err *e)
{
	static const char sql[] =
		"INSERT INTO public.sandbox_ledger (clone_id, run, step, token, rows, cursor, updated_at) VALUES ($1, $2, $3,"
		" $4, $5, $6, to_char(now() AT TIME ZONE 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')) ON CONFLICT (clone_id, run,"
		" step) DO UPDATE SET token = excluded.token, rows = excluded.rows, cursor = excluded.cursor,"
		" updated_at = excluded.updated_at";
	char run[12], token[24], count[24];

	snprintf(run, sizeof run, "%d", f->run);
	snprintf(token, sizeof token, "%" PRIu64, f->token);
	snprintf(count, sizeof count, "%" PRId64, rows);
	return PG_QUEUE(target, sql, e, f->clone_id, run, f->step, token, count, cursor);
}

bool pg_worker_target(struct pg_session *s, struct pg_worker *w, const struct fence *f, struct err *e)
{
	/* A commit that a loss of power takes away takes along the row that remembers it. */
	static const char sql[] = "SELECT set_config('synchronous_commit', 'off', false),"
				  " set_config('maintenance_work_mem', '128MB', false)";

	if (!w->target.conn && (!pg_open(&w->target, s->settings, PG_TARGET, s->target, e) || !pg_do(&w->target, sql, NULL, 0, e)))
		return false;
	return pg_tell_owner(&w->target, f, e);
}

/* ---- the crew ---- */

struct hand { /* one worker's thread */
	struct pg_crew *crew;
	struct pg_worker *worker;
	pthread_t thread;
};

static void fail_crew(struct pg_crew *crew, const struct err *e)
{
	pthread_mutex_lock(&crew->err_lock);
	if (!atomic_exchange(&crew->failed, true))
		*crew->e = *e;
	pthread_mutex_unlock(&crew->err_lock);
}

static void *work(void *arg)
{
	struct hand *hand = arg;
	struct pg_crew *crew = hand->crew;

	while (!atomic_load(&crew->failed) && (pg_clock_ms() < crew->until_ms || atomic_load(&crew->next) == 0)) {
		size_t job = atomic_fetch_add(&crew->next, 1);
		struct err e = { 0 };

		if (job >= crew->count)
			break;
		if (crew->fn(crew, hand->worker, job, &e))
			atomic_fetch_add(&crew->done, 1);
		else
			fail_crew(crew, &e);
	}
	return NULL;
}

/* A parcel of many costs few round trips; one of few leaves work for the other workers. */
static void make_parcels(struct pg_crew *crew, size_t count, pg_pages_fn *pages_of)
{
	size_t workers = (size_t)crew->session->settings->workers, most = count / (2 * workers) + 1;
	int64_t pages = 0;

	crew->count = 0;
	for (size_t i = 0; i < count; i++) {
		struct pg_parcel *last = &crew->parcels[crew->count - (crew->count > 0)];
		int64_t more = pages_of(crew->arg, i);

		if (crew->count > 0 && last->count < most && last->count < PARCEL_THINGS && pages + more <= PARCEL_PAGES) {
			last->count++;
			pages += more;
		} else {
			crew->parcels[crew->count++] = (struct pg_parcel){ i, 1 };
			pages = more;
		}
	}
}

static bool run_crew(struct pg_crew *crew, size_t *done_r, struct err *e)
{
	int wanted = crew->session->settings->workers, started = 0;
	struct hand hands[WORKERS_MAX];

	crew->e = e;
	pthread_mutex_init(&crew->filter_lock, NULL);
	pthread_mutex_init(&crew->err_lock, NULL);
	for (int i = 0; i < wanted && (size_t)i < crew->count; i++) {
		hands[i] = (struct hand){ .crew = crew, .worker = &crew->session->workers[i] };
		if (i > 0 && pthread_create(&hands[i].thread, NULL, work, &hands[i]) != 0)
			break; /* the others do it alone */
		started++;
	}
	if (started > 0)
		work(&hands[0]); /* this thread is one of them */
	for (int i = 1; i < started; i++)
		pthread_join(hands[i].thread, NULL);
	pthread_mutex_destroy(&crew->filter_lock);
	pthread_mutex_destroy(&crew->err_lock);
	for (size_t i = 0, done = atomic_load(&crew->done); i < done; i++)
		*done_r += crew->parcels[i].count;
	return !atomic_load(&crew->failed);
}

bool pg_crew_run(struct pg_crew *crew, size_t count, pg_pages_fn *pages_of, size_t *done_r, struct err *e)
{
	bool ok;

	*done_r = 0;
	crew->parcels = calloc(count + 1, sizeof *crew->parcels);
	if (!crew->parcels)
		return err_set(e, ERR_TRANSIENT, 0, "sql", "out of memory");
	make_parcels(crew, count, pages_of);
	ok = run_crew(crew, done_r, e);
	free(crew->parcels);
	return ok;
}

/* ---- streams ---- */

struct batch {
	char *line[BATCH_LINES];
	size_t len[BATCH_LINES], count, bytes;
};

static bool fill(struct batch *b, struct pg *from, bool *more_r, struct err *e)
{
	bool ok = true;

	b->count = b->bytes = 0;
	*more_r = true;
	while (ok && *more_r && b->count < BATCH_LINES && b->bytes < BATCH_BYTES) {
		ok = pg_copy_line(from, &b->line[b->count], &b->len[b->count], e);
		*more_r = ok && b->line[b->count];
		if (*more_r)
			b->bytes += b->len[b->count++];
	}
	return ok;
}

/* A filter counts what it does: only one worker at a time may be in it. */
static bool filter_batch(struct pg_crew *crew, struct pg_worker *w, const struct batch *b, struct err *e)
{
	bool locks = w->work.filter && crew->count > 1, ok = true;

	if (locks)
		pthread_mutex_lock(&crew->filter_lock);
	for (size_t i = 0; ok && i < b->count; i++)
		ok = pg_line(&w->work, b->line[i], b->len[i], e);
	if (locks)
		pthread_mutex_unlock(&crew->filter_lock);
	return ok;
}

bool pg_crew_stream(struct pg_crew *crew, struct pg_worker *w, struct pg *from, struct pg *to, struct err *e)
{
	struct batch batch;
	bool ok = true, more = true;

	w->work.out = to ? &w->out : NULL;
	w->work.lines = (struct pg_lines){ 0 };
	while (ok && more) {
		ok = fill(&batch, from, &more, e);
		buf_clear(&w->out);
		ok = ok && filter_batch(crew, w, &batch, e) &&
		     (!to || w->out.len == 0 || pg_copy_put(to, buf_text(&w->out), w->out.len, e));
		for (size_t i = 0; i < batch.count; i++)
			PQfreemem(batch.line[i]);
	}
	return ok;
}
