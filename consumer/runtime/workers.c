/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/runtime/workers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { STEP_MEMORY_MAX_BYTES = 64 * 1024 * 1024 };

struct queue {
	struct work *first, *last;
};

/* Short steps must not cost a wake-up each: at most one sleeping worker is called at a time (it calls the next one when
 * there is more to do), and the loop's descriptor is written only when it may have gone to sleep. */
struct workers {
	struct world_port *world;
	struct queue given; /* the loop's own, until workers_start() */
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct queue todo, done;
	struct queue taken; /* the loop's own, after workers_take() */
	bool closing, called;
	int idle;
	int event_fd, count;
	pthread_t threads[];
};

static void put(struct queue *q, struct work *work)
{
	work->next = NULL;
	if (q->last)
		q->last->next = work;
	else
		q->first = work;
	q->last = work;
}

static struct work *take(struct queue *q)
{
	struct work *work = q->first;

	if (work) {
		q->first = work->next;
		if (!q->first)
			q->last = NULL;
	}
	return work;
}

static void move_all(struct queue *from, struct queue *to)
{
	if (!from->first)
		return;
	if (to->last)
		to->last->next = from->first;
	else
		to->first = from->first;
	to->last = from->last;
	*from = (struct queue){ 0 };
}

static int64_t utc_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- one call ---- */

/* A new owner raises the stamp's token before anything else: from then on an old owner's transaction is refused.
 * Cleaning up goes on without: the database goes, and the server's token with it; on a full disk that makes the room. */
static bool raise_token(struct work *work, const struct step_ports *ports, struct err *e)
{
	bool exists = false;

	if (!work->raise_token || !ports->sql)
		return true;
	if (!ports->sql->exists(ports->sql, work->fence.generation, &exists, e))
		return false;
	if (exists && !ports->sql->raise_token(ports->sql, &work->fence, e)) {
		if (work->step != STEP_END || e->class != ERR_TRANSIENT)
			return false;
		err_clear(e);
		return true;
	}
	work->token_raised = true;
	return true;
}

static void call_handler(struct world_port *world, struct work *work, const struct step_ports *ports, struct arena *mem)
{
	struct step_result *r = &work->result;
	struct step_ctx c = { .job = work->job, .settings = world->settings, .ports = ports, .fence = work->fence, .mem = mem,
		.acted = work->acted, .stop = &work->stop, .progress = &work->progress, .err = &r->err,
		.tables = &r->tables, .notice = &r->notice };

	if (!raise_token(work, ports, &r->err)) {
		r->outcome = step_failed(&c);
		return;
	}
	r->outcome = world->run(world, work->step, &c);
	r->acted = c.acted;
	r->delay_ms = c.delay_ms;
	r->rows = c.rows;
	r->bytes = c.bytes;
	memcpy(r->waiting_on, c.waiting_on, sizeof r->waiting_on);
	memcpy(r->detail, c.detail, sizeof r->detail);
}

static void outcome_of_error(struct step_result *r)
{
	r->outcome = r->err.class == ERR_TRANSIENT ? STEP_RETRY : r->err.class == ERR_UNSURE ? STEP_UNSURE : STEP_REFUSED;
}

static void run(struct world_port *world, struct work *work)
{
	struct step_result *r = &work->result;
	struct step_ports ports = { 0 };
	struct world_session *session = NULL;
	struct arena *mem = arena_new(STEP_MEMORY_MAX_BYTES);

	r->started_at_ms = utc_now_ms();
	if (!mem)
		err_set(&r->err, ERR_TRANSIENT, 0, "workers", "out of memory");
	else
		world->open(world, work->job, &work->fence, &work->stop, &ports, &session, &r->err);
	if (r->err.class != ERR_NONE) {
		outcome_of_error(r);
	} else {
		atomic_store(&work->session, session);
		call_handler(world, work, &ports, mem);
	}
	arena_free(&mem);
	r->finished_at_ms = utc_now_ms();
}

/* Taken away under the lock, so that an abort never meets a closed one. */
static void close_session(struct workers *w, struct work *work)
{
	struct world_session *session;

	if (!atomic_load(&work->session))
		return; /* only its own worker sets it */
	pthread_mutex_lock(&w->lock);
	session = atomic_exchange(&work->session, NULL);
	pthread_mutex_unlock(&w->lock);
	w->world->close(w->world, session);
}

/* Under the lock. */
static void call_one(struct workers *w)
{
	if (!w->todo.first || !w->idle || w->called)
		return;
	w->called = true;
	pthread_cond_signal(&w->filled);
}

/* Under the lock: the next call; NULL when the pool closes. */
static struct work *wait_for_work(struct workers *w)
{
	struct work *work;

	while (!w->todo.first && !w->closing) {
		w->idle++;
		pthread_cond_wait(&w->filled, &w->lock);
		w->idle--;
		w->called = false;
	}
	work = take(&w->todo);
	call_one(w);
	return work;
}

static void wake_loop(struct workers *w)
{
	const uint64_t one = 1;

	if (write(w->event_fd, &one, sizeof one) != (ssize_t)sizeof one)
		abort(); /* an eventfd of ours cannot fail */
}

static void *worker(void *arg)
{
	struct workers *w = arg;
	struct work *work;

	pthread_mutex_lock(&w->lock);
	while ((work = wait_for_work(w)) != NULL) {
		bool first;

		pthread_mutex_unlock(&w->lock);
		run(w->world, work);
		close_session(w, work);
		pthread_mutex_lock(&w->lock);
		first = !w->done.first;
		put(&w->done, work);
		if (first)
			wake_loop(w);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* ---- the pool ---- */

struct workers *workers_new(struct world_port *world, int count, struct err *e)
{
	struct workers *w = calloc(1, sizeof *w + (size_t)count * sizeof(pthread_t));

	if (!w) {
		err_set(e, ERR_TRANSIENT, 0, "workers", "out of memory");
		return NULL;
	}
	w->world = world;
	w->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->filled, NULL);
	while (w->event_fd >= 0 && w->count < count && pthread_create(&w->threads[w->count], NULL, worker, w) == 0)
		w->count++;
	if (w->count < count) {
		err_set(e, ERR_TRANSIENT, 0, "workers", "only %d of %d worker threads could be started", w->count, count);
		workers_free(&w);
	}
	return w;
}

void workers_free(struct workers **w_)
{
	struct workers *w = *w_;

	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->closing = true;
	pthread_cond_broadcast(&w->filled);
	pthread_mutex_unlock(&w->lock);
	for (int i = 0; i < w->count; i++)
		pthread_join(w->threads[i], NULL);
	if (w->event_fd >= 0)
		close(w->event_fd);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->filled);
	free(w);
	*w_ = NULL;
}

int workers_fd(const struct workers *w)
{
	return w->event_fd;
}

void workers_give(struct workers *w, struct work *work)
{
	put(&w->given, work);
}

void workers_start(struct workers *w)
{
	if (!w->given.first)
		return;
	pthread_mutex_lock(&w->lock);
	move_all(&w->given, &w->todo);
	call_one(w);
	pthread_mutex_unlock(&w->lock);
}

struct work *workers_take(struct workers *w)
{
	uint64_t count;

	if (!w->taken.first && read(w->event_fd, &count, sizeof count) == (ssize_t)sizeof count) {
		pthread_mutex_lock(&w->lock);
		move_all(&w->done, &w->taken);
		pthread_mutex_unlock(&w->lock);
	}
	return take(&w->taken);
}

void workers_abort(struct workers *w, struct work *work)
{
	struct world_session *session;

	atomic_store(&work->stop, true);
	pthread_mutex_lock(&w->lock);
	session = atomic_load(&work->session);
	if (session)
		w->world->abort(w->world, session);
	pthread_mutex_unlock(&w->lock);
}
