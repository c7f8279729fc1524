/* SPDX-License-Identifier: Apache-2.0
 * The pool of threads: every call comes back once, an abort ends what blocks and never meets a closed session. To be
 * run under ThreadSanitizer too. */
#include "consumer/core/retry.h"
#include "consumer/runtime/workers.h"

#include <check.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { THREADS = 4, MANY = 3000 };

struct world_session {
	atomic_bool aborted, closed;
	const atomic_bool *stop;
};

struct fake_world {
	struct world_port port;
	struct sql_port sql;
	atomic_int opened, closed, aborted, inside, most_inside;
	struct err open_error, raise_error;
	bool has_database, with_sql;
	atomic_int raised;
};

static const struct step_settings settings;
static struct fake_world world;
static struct workers *pool;

static struct fake_world *fake(struct world_port *self)
{
	return (struct fake_world *)self;
}

static bool db_exists(struct sql_port *self, const char *database, bool *exists_r, struct err *e)
{
	(void)self;
	(void)e;
	ck_assert_str_eq(database, "T__g1");
	*exists_r = world.has_database;
	return true;
}

static bool db_raise(struct sql_port *self, const struct fence *fence, struct err *e)
{
	(void)self;
	if (world.raise_error.class)
		return err_set(e, world.raise_error.class, world.raise_error.code, "sql", "it did not answer");
	ck_assert_uint_eq(fence->token, 42);
	atomic_fetch_add(&world.raised, 1);
	return true;
}

static bool open_session(struct world_port *self, const struct step_job *job, const struct fence *fence,
                         const atomic_bool *stop, struct step_ports *ports_r, struct world_session **session_r,
                         struct err *e)
{
	struct fake_world *w = fake(self);

	(void)job;
	(void)fence;
	if (w->open_error.class)
		return err_set(e, w->open_error.class, 0, "world", "%s", w->open_error.text);
	if (atomic_load(stop))
		return err_set(e, ERR_TRANSIENT, ERR_CODE_ABORTED, "world", "stopped");
	atomic_fetch_add(&w->opened, 1);
	*session_r = calloc(1, sizeof **session_r);
	(*session_r)->stop = stop;
	if (w->with_sql)
		ports_r->sql = &w->sql;
	return true;
}

static void abort_session(struct world_port *self, struct world_session *session)
{
	if (atomic_load(&session->closed))
		abort(); /* it must never meet a closed one */
	atomic_store(&session->aborted, true);
	atomic_fetch_add(&fake(self)->aborted, 1);
}

static void close_session(struct world_port *self, struct world_session *session)
{
	atomic_store(&session->closed, true);
	atomic_fetch_add(&fake(self)->closed, 1);
	free(session);
}

static void sleep_us(long us)
{
	nanosleep(&(struct timespec){ .tv_nsec = us * 1000 }, NULL);
}

static void note_inside(struct fake_world *w)
{
	int inside = atomic_fetch_add(&w->inside, 1) + 1, most = atomic_load(&w->most_inside);

	while (inside > most && !atomic_compare_exchange_weak(&w->most_inside, &most, inside))
		;
}

/* Step 0 is quick, step 1 blocks until it is stopped, step 2 fails, step 3 tells of all it can. */
static enum step_outcome run(struct world_port *self, enum step_id step, struct step_ctx *c)
{
	struct fake_world *w = fake(self);
	enum step_outcome outcome = STEP_DONE;

	note_inside(w);
	c->rows = (int64_t)c->fence.token;
	atomic_fetch_add(&c->progress->rows, 1);
	if (step == 1) {
		while (!step_must_stop(c))
			sleep_us(100);
		err_set(c->err, ERR_TRANSIENT, ERR_CODE_ABORTED, "fake", "stopped");
		outcome = step_failed(c);
	} else if (step == 2) {
		err_set(c->err, ERR_UNSURE, 7, "fake", "no answer");
		outcome = step_failed(c);
	} else if (step == 3) {
		ck_assert_ptr_nonnull(arena_take(c->mem, 1000));
		step_detail(c, "acted %d", c->acted);
		c->bytes = 5;
		memcpy(c->notice->version_name, "11.2", 5);
		outcome = step_wait(c, 99, "a task");
	}
	atomic_fetch_sub(&w->inside, 1);
	return outcome;
}

static void setup(void)
{
	struct err e = { 0 };

	memset(&world, 0, sizeof world);
	world.port = (struct world_port){ .settings = &settings, .open = open_session, .abort = abort_session,
		.close = close_session, .run = run };
	world.sql = (struct sql_port){ .exists = db_exists, .raise_token = db_raise };
	pool = workers_new(&world.port, THREADS, &e);
	ck_assert_msg(pool != NULL, "%s", e.text);
}

static void teardown(void)
{
	workers_free(&pool);
	ck_assert_ptr_null(pool);
	workers_free(&pool);
	ck_assert_int_eq(atomic_load(&world.opened), atomic_load(&world.closed));
}

static struct work *new_work(int step, uint64_t token)
{
	struct work *w = calloc(1, sizeof *w);

	w->step = (enum step_id)step;
	w->fence = (struct fence){ .clone_id = "c1", .run = 1, .step = "x", .target_ctx = "T", .generation = "T__g1",
		.token = token };
	return w;
}

static void give(struct work *work)
{
	workers_give(pool, work);
	workers_start(pool);
}

static struct work *wait_for_one(void)
{
	for (int i = 0; i < 1000; i++) {
		struct pollfd watched = { .fd = workers_fd(pool), .events = POLLIN };
		struct work *work = workers_take(pool);

		if (work)
			return work;
		poll(&watched, 1, 10000);
	}
	ck_abort_msg("nothing comes back");
}

static struct work *call(struct work *work)
{
	struct work *back;

	give(work);
	back = wait_for_one();
	ck_assert_ptr_eq(back, work);
	ck_assert_ptr_null(workers_take(pool));
	return work;
}

START_TEST(a_call_comes_back_with_what_it_said)
{
	struct work *w = new_work(3, 1);

	w->acted = true;
	call(w);
	ck_assert_int_eq(w->result.outcome, STEP_WAIT);
	ck_assert_int_eq(w->result.delay_ms, 99);
	ck_assert_str_eq(w->result.waiting_on, "a task");
	ck_assert_str_eq(w->result.detail, "acted 1");
	ck_assert_int_eq(w->result.bytes, 5);
	ck_assert_str_eq(w->result.notice.version_name, "11.2");
	ck_assert_int_eq(atomic_load(&w->progress.rows), 1);
	ck_assert_int_gt(w->result.started_at_ms, 1600000000000);
	ck_assert_int_ge(w->result.finished_at_ms, w->result.started_at_ms);
	ck_assert_ptr_null(atomic_load(&w->session));
	free(w);
}
END_TEST

START_TEST(many_calls_come_back_once_each)
{
	static bool seen[MANY];
	int back = 0, given = 0;

	while (back < MANY) {
		struct work *work = workers_take(pool);

		if (given < MANY && given - back < 200) {
			workers_give(pool, new_work(given % 5 ? 0 : 2, (uint64_t)given));
			if (++given % 7 == 0 || given == MANY || given - back == 200)
				workers_start(pool); /* several at once, as the loop does */
		}
		if (!work && (given == MANY || given - back == 200))
			work = wait_for_one();
		if (!work)
			continue;
		ck_assert_uint_lt(work->fence.token, MANY);
		ck_assert_msg(!seen[work->fence.token], "one came back twice");
		seen[work->fence.token] = true;
		ck_assert_int_eq(work->result.rows, (int64_t)work->fence.token);
		ck_assert_int_eq(work->result.outcome, work->step == 2 ? STEP_UNSURE : STEP_DONE);
		free(work);
		back++;
	}
	ck_assert_ptr_null(workers_take(pool));
	ck_assert_int_eq(atomic_load(&world.opened), MANY);
	ck_assert_int_le(atomic_load(&world.most_inside), THREADS);
}
END_TEST

START_TEST(nothing_runs_before_it_is_started)
{
	struct work *work = new_work(0, 1);

	workers_give(pool, work);
	sleep_us(20000);
	ck_assert_int_eq(atomic_load(&world.opened), 0);
	workers_start(pool);
	workers_start(pool);
	ck_assert_ptr_eq(wait_for_one(), work);
	free(work);
}
END_TEST

START_TEST(they_run_side_by_side)
{
	struct work *works[THREADS];

	for (int i = 0; i < THREADS; i++)
		workers_give(pool, works[i] = new_work(1, 1));
	workers_start(pool);
	for (int i = 0; i < 10000 && atomic_load(&world.inside) < THREADS; i++)
		sleep_us(1000);
	ck_assert_int_eq(atomic_load(&world.inside), THREADS);
	for (int i = 0; i < THREADS; i++)
		workers_abort(pool, works[i]);
	for (int i = 0; i < THREADS; i++)
		free(wait_for_one());
}
END_TEST

START_TEST(an_abort_ends_a_running_call)
{
	struct work *work = new_work(1, 1);

	give(work);
	while (!atomic_load(&world.inside))
		sleep_us(100);
	ck_assert_ptr_null(workers_take(pool));
	workers_abort(pool, work);
	workers_abort(pool, work);
	ck_assert_ptr_eq(wait_for_one(), work);
	ck_assert_int_eq(work->result.outcome, STEP_RETRY);
	ck_assert_int_eq(work->result.err.code, ERR_CODE_ABORTED);
	ck_assert_int_ge(atomic_load(&world.aborted), 1);
	workers_abort(pool, work); /* too late: nothing is open any more */
	free(work);
}
END_TEST

START_TEST(an_abort_reaches_a_call_that_has_not_begun)
{
	struct work *blocking[THREADS], *queued = new_work(0, 9);

	for (int i = 0; i < THREADS; i++)
		give(blocking[i] = new_work(1, 1));
	while (atomic_load(&world.inside) < THREADS)
		sleep_us(100);
	give(queued);
	workers_abort(pool, queued);
	for (int i = 0; i < THREADS; i++)
		workers_abort(pool, blocking[i]);
	for (int i = 0; i <= THREADS; i++) {
		struct work *work = wait_for_one();

		ck_assert_int_eq(work->result.outcome, STEP_RETRY);
		ck_assert_int_eq(work->result.err.code, ERR_CODE_ABORTED);
		free(work);
	}
	ck_assert_int_eq(atomic_load(&world.opened), THREADS);
}
END_TEST

/* At any moment: before it begins, while it opens, runs and closes, and after. */
START_TEST(aborts_at_any_moment)
{
	uint64_t chance = 1;

	for (int i = 0; i < 1000; i++) {
		struct work *work = new_work(i % 2, 1);

		give(work);
		for (int64_t spin = chance_below(&chance, i % 10 ? 2000 : 200000); spin > 0; spin--)
			atomic_signal_fence(memory_order_seq_cst);
		workers_abort(pool, work);
		ck_assert_ptr_eq(wait_for_one(), work);
		free(work);
	}
}
END_TEST

START_TEST(a_world_that_does_not_open)
{
	static const struct {
		enum err_class class;
		enum step_outcome outcome;
	} cases[] = { { ERR_TRANSIENT, STEP_RETRY }, { ERR_UNSURE, STEP_UNSURE }, { ERR_REFUSED, STEP_REFUSED },
		      { ERR_MISUSE, STEP_REFUSED }, { ERR_BUG, STEP_REFUSED } };

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct work *work = new_work(0, 1);

		err_clear(&world.open_error);
		err_set(&world.open_error, cases[i].class, 0, "world", "it is closed");
		call(work);
		ck_assert_int_eq(work->result.outcome, cases[i].outcome);
		ck_assert_str_eq(work->result.err.text, "it is closed");
		free(work);
	}
	ck_assert_int_eq(atomic_load(&world.closed), 0);
}
END_TEST

/* Before the handler looks, an old owner must be shut out of the database. */
START_TEST(a_fresh_lease_raises_the_stamps_token_first)
{
	struct work *work;

	world.with_sql = world.has_database = true;
	work = call(new_work(0, 42));
	ck_assert_int_eq(atomic_load(&world.raised), 0); /* not asked for */
	free(work);
	work = new_work(0, 42);
	work->raise_token = true;
	call(work);
	ck_assert(work->token_raised);
	ck_assert_int_eq(atomic_load(&world.raised), 1);
	ck_assert_int_eq(work->result.outcome, STEP_DONE);
	free(work);
	world.has_database = false; /* nothing to raise yet */
	work = new_work(0, 42);
	work->raise_token = true;
	call(work);
	ck_assert(work->token_raised);
	ck_assert_int_eq(atomic_load(&world.raised), 1);
	free(work);
}
END_TEST

START_TEST(without_it_the_handler_does_not_run)
{
	struct work *work = new_work(0, 42);

	world.with_sql = world.has_database = true;
	err_set(&world.raise_error, ERR_REFUSED, ERR_CODE_FENCED, "sql", "fenced");
	work->raise_token = true;
	call(work);
	ck_assert(!work->token_raised);
	ck_assert_int_eq(work->result.outcome, STEP_REFUSED);
	ck_assert_int_eq(work->result.err.code, ERR_CODE_FENCED);
	ck_assert_int_eq(atomic_load(&work->progress.rows), 0);
	free(work);
}
END_TEST

/* On a full disk no token can be raised; what cleaning up drops makes the room. A newer owner is still obeyed. */
START_TEST(cleaning_up_goes_on_without_room)
{
	struct work *work;

	world.with_sql = world.has_database = true;
	err_set(&world.raise_error, ERR_TRANSIENT, 13, "sql", "disk full");
	work = new_work(STEP_END, 42);
	work->raise_token = true;
	call(work);
	ck_assert(!work->token_raised);
	ck_assert_int_eq(work->result.outcome, STEP_DONE);
	ck_assert_int_eq(work->result.err.class, ERR_NONE);
	free(work);
	err_clear(&world.raise_error);
	err_set(&world.raise_error, ERR_REFUSED, ERR_CODE_FENCED, "sql", "fenced");
	work = new_work(STEP_END, 42);
	work->raise_token = true;
	call(work);
	ck_assert_int_eq(work->result.outcome, STEP_REFUSED);
	free(work);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("workers");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_call_comes_back_with_what_it_said);
	tcase_add_test(tc, many_calls_come_back_once_each);
	tcase_add_test(tc, nothing_runs_before_it_is_started);
	tcase_add_test(tc, they_run_side_by_side);
	tcase_add_test(tc, an_abort_ends_a_running_call);
	tcase_add_test(tc, an_abort_reaches_a_call_that_has_not_begun);
	tcase_add_test(tc, aborts_at_any_moment);
	tcase_add_test(tc, a_world_that_does_not_open);
	tcase_add_test(tc, a_fresh_lease_raises_the_stamps_token_first);
	tcase_add_test(tc, cleaning_up_goes_on_without_room);
	tcase_add_test(tc, without_it_the_handler_does_not_run);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
