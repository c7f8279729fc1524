/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/runtime/loop_priv.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { EFFECT_MEMORY_MAX_BYTES = 16 * 1024 * 1024, ENVELOPE_MAX_BYTES = 1024 * 1024, SLEEP_MAX_MS = 1000, GIVE_BACK_WITHIN_MS = 3000 };

int64_t loop_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t); /* counts a suspended machine too: leases went on meanwhile */
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + 1;
}

int64_t loop_utc_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void loop_feed_later(struct loop *l, const struct input *in)
{
	if (l->later_count == l->later_size) {
		size_t size = l->later_size ? 2 * l->later_size : 64;
		struct input *grown = realloc(l->later, size * sizeof *grown);

		if (!grown)
			abort(); /* crash-only, as above */
		l->later = grown;
		l->later_size = size;
	}
	l->later[l->later_count++] = *in;
}

/* ---- one turn ---- */

static void feed_later(struct loop *l)
{
	for (size_t i = 0; i < l->later_count; i++)
		engine_feed(l->engine, &l->later[i]);
	l->later_count = 0;
}


static void carry_out_all(struct loop *l)
{
	const struct effect *fx;
	size_t count;

	fx = engine_effects(l->engine, &count);
	for (size_t i = 0; i < count; i++) {
		arena_clear(l->mem);
		loop_carry_out(l, &fx[i]);
	}
	loop_publish_held(l);
	l->p->store->flush(l->p->store);
	workers_start(l->workers);
	log_flush(l->log);
}

static void set_lag(void *arg, const struct bus_position *at, int64_t records)
{
	metrics_set(arg, METRIC_LAG, at->topic, (size_t)at->partition, records);
}

/* A series that was never above 0 is left out. */
static void set_under_way(struct metrics *m, enum metric_id id, size_t step, size_t activity, int64_t value)
{
	if (value || metrics_get(m, id, step, activity))
		metrics_set(m, id, step, activity, value);
}

static void say_under_way(struct metrics *m, const struct engine_figures *f)
{
	for (size_t i = 0; i < STEP_END; i++) {
		for (size_t a = 0; a < STEP_ACTIVITY_END; a++)
			set_under_way(m, METRIC_STEPS, i, a, f->under_way[i].count[a]);
		set_under_way(m, METRIC_STEP_ROWS, i, 0, f->under_way[i].moved.rows);
		set_under_way(m, METRIC_STEP_ROWS_EXPECTED, i, 0, f->under_way[i].moved.rows_total);
		set_under_way(m, METRIC_STEP_BYTES, i, 0, f->under_way[i].moved.bytes);
	}
}

static void say_alive(struct loop *l)
{
	struct engine_figures figures;

	if (l->p->alive_ms)
		atomic_store(l->p->alive_ms, loop_now_ms());
	if (!l->p->ready)
		return;
	engine_figures(l->engine, &figures);
	atomic_store(l->p->ready, !figures.stopping && !figures.stalled_steps);
	metrics_set(l->p->metrics, METRIC_WORKERS_BUSY, 0, 0, figures.running_steps);
	metrics_set(l->p->metrics, METRIC_CLONES, CLONE_RUNNING, 0, figures.clones);
	l->p->bus->lags(l->p->bus, set_lag, l->p->metrics);
	say_under_way(l->p->metrics, &figures);
	metrics_set(l->p->metrics, METRIC_WATCHDOG_AGE, 0, 0, figures.longest_still_ms);
	metrics_raise(l->p->metrics, METRIC_LEASES_LOST, 0, 0, figures.leases_lost);
	for (int p = 0; p < PORT_END; p++) {
		metrics_set(l->p->metrics, METRIC_BREAKER_OPEN, (size_t)p, 0, figures.breaker_open[p]);
		metrics_raise(l->p->metrics, METRIC_PORT_FAILURES, (size_t)p, 0, figures.port_failures[p]);
		metrics_raise(l->p->metrics, METRIC_PORT_THROTTLED, (size_t)p, 0, figures.port_throttled[p]);
	}
	metrics_set(l->p->metrics, METRIC_OLDEST_WAITING, 0, 0,
		figures.oldest_wait_ms ? loop_utc_ms() - figures.oldest_wait_ms : 0);
}

static int64_t sooner(int64_t a, int64_t b)
{
	if (a < 0)
		return b;
	return b < 0 || a < b ? a : b;
}

static int sleep_ms(struct loop *l)
{
	int64_t now = loop_now_ms(), wake = engine_wake_ms(l->engine), ms = SLEEP_MAX_MS;

	if (l->later_count)
		return 0;
	if (wake >= 0)
		ms = sooner(ms, wake > now ? wake - now : 0);
	ms = sooner(ms, l->p->store->timeout_ms(l->p->store));
	ms = sooner(ms, loop_publish_wait_ms(l, now));
	if (parked_count(l->parked))
		ms = sooner(ms, l->parked_again_ms > now ? l->parked_again_ms - now : 0);
	if (l->running)
		ms = sooner(ms, l->notes_at_ms > now ? l->notes_at_ms - now : 0);
	return (int)ms;
}

static void check_stop(struct loop *l, int *seen)
{
	const struct input stop = { .kind = IN_STOP };

	if (*l->p->stop == *seen)
		return;
	*seen = *l->p->stop;
	log_info(l->log, NULL, *seen == 1 ? "stopping: running steps may end" : "stopping at once");
	if (*seen > 1)
		l->drained = true;
	engine_feed(l->engine, &stop);
}

static void turn(struct loop *l, int *stop_seen)
{
	int64_t now = loop_now_ms();

	engine_tick(l->engine, now, loop_utc_ms());
	check_stop(l, stop_seen);
	feed_later(l);
	loop_take_store(l);
	loop_take_steps(l);
	loop_take_bus(l);
	loop_try_parked(l);
	if (now >= l->notes_at_ms) {
		loop_note_progress(l);
		loop_take_sweeps(l);
		say_alive(l);
		l->notes_at_ms = now + 1000;
	}
	carry_out_all(l);
}

/* ---- from start to end ---- */

static bool watch(int epoll, int fd, struct err *e)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0 ||
		err_set(e, ERR_BUG, errno, "loop", "cannot watch a descriptor: %s", strerror(errno));
}

static bool open_loop(struct loop *l, int *epoll_r, struct err *e)
{
	l->engine = engine_new(&l->p->policy, l->p->seed);
	l->workers = workers_new(l->p->world, l->p->workers, e);
	l->outbox = outbox_new();
	l->records = records_new();
	l->parked = parked_new();
	l->log = log_batch_new(l->p->log);
	l->mem = arena_new(EFFECT_MEMORY_MAX_BYTES);
	buf_init(&l->bytes, ENVELOPE_MAX_BYTES);
	buf_init(&l->value, RECORD_MAX_BYTES);
	*epoll_r = epoll_create1(EPOLL_CLOEXEC);
	if (!l->engine || !l->outbox || !l->records || !l->parked || !l->log || !l->mem || *epoll_r < 0)
		return err_set(e, ERR_TRANSIENT, 0, "loop", "out of memory or descriptors");
	return l->workers && watch(*epoll_r, workers_fd(l->workers), e) && watch(*epoll_r, l->p->bus->fd(l->p->bus), e) &&
		watch(*epoll_r, l->p->store->fd(l->p->store), e);
}

static void free_works(struct work *list)
{
	while (list) {
		struct work *next = list->peer;

		free(list);
		list = next;
	}
}

static void close_loop(struct loop *l, int epoll)
{
	for (struct work *w = l->running; w; w = w->peer)
		workers_abort(l->workers, w);
	workers_free(&l->workers);
	free_works(l->running);
	free_works(l->spare);
	engine_free(&l->engine);
	outbox_free(&l->outbox);
	records_free(&l->records);
	parked_free(&l->parked);
	log_free(&l->log);
	arena_free(&l->mem);
	buf_done(&l->bytes);
	buf_done(&l->value);
	free(l->flights);
	free(l->held);
	free(l->later);
	if (epoll >= 0)
		close(epoll);
}

/* Thousands of leases do not fit into one write: those that are not given back keep others waiting until they lapse. */
static void give_back_leases(struct loop *l)
{
	const int64_t until_ms = loop_now_ms() + GIVE_BACK_WITHIN_MS;
	struct pollfd answers = { .fd = l->p->store->fd(l->p->store), .events = POLLIN };

	l->p->store->flush(l->p->store);
	while (l->releases_out && loop_now_ms() < until_ms) {
		poll(&answers, 1, 20);
		loop_take_store(l);
		l->p->store->flush(l->p->store);
	}
}

bool loop_run(const struct loop_parts *parts, struct err *e)
{
	struct loop l = { .p = parts, .err = e };
	struct epoll_event events[4];
	int epoll = -1, stop_seen = 0;
	bool ok = open_loop(&l, &epoll, e);

	while (ok && !l.drained && !l.fatal) {
		turn(&l, &stop_seen);
		if (!l.drained && epoll_wait(epoll, events, 4, sleep_ms(&l)) < 0 && errno != EINTR)
			ok = err_set(e, ERR_BUG, errno, "loop", "cannot wait: %s", strerror(errno));
	}
	if (ok)
		give_back_leases(&l);
	close_loop(&l, epoll);
	return ok && !l.fatal;
}
