/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/runtime/rebuilder.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { AGAIN_AFTER_S = 1 };

struct rebuilder {
	rebuild_fn *fn;
	void *arg;
	struct log *log;
	atomic_bool stop;
	bool wanted;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
};

/* False when it was stopped. */
static bool await_wish(struct rebuilder *r)
{
	pthread_mutex_lock(&r->lock);
	while (!r->wanted && !atomic_load(&r->stop))
		pthread_cond_wait(&r->changed, &r->lock);
	pthread_mutex_unlock(&r->lock);
	return !atomic_load(&r->stop);
}

/* What was wished for while it was done is done too. */
static void end_wish(struct rebuilder *r)
{
	pthread_mutex_lock(&r->lock);
	r->wanted = false;
	pthread_mutex_unlock(&r->lock);
}

static void pause_after_failure(struct rebuilder *r)
{
	struct timespec until;
	int rc = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += AGAIN_AFTER_S;
	pthread_mutex_lock(&r->lock);
	while (!atomic_load(&r->stop) && rc == 0)
		rc = pthread_cond_clockwait(&r->changed, &r->lock, CLOCK_MONOTONIC, &until);
	pthread_mutex_unlock(&r->lock);
}

static void *rebuilder(void *arg)
{
	struct rebuilder *r = arg;

	while (await_wish(r)) {
		struct err e = { 0 };

		log_warn(r->log, NULL, "the store has lost what it knew; it is rebuilt from the topics, and no clone goes on until then");
		if (!r->fn(r->arg, &r->stop, &e) && !atomic_load(&r->stop)) {
			log_error(r->log, NULL, "the store could not be rebuilt; it is tried again", LOG_ERR(&e));
			pause_after_failure(r);
		}
		end_wish(r);
	}
	return NULL;
}

struct rebuilder *rebuilder_new(rebuild_fn *fn, void *arg, struct log *log, struct err *e)
{
	struct rebuilder *r = calloc(1, sizeof *r);

	if (!r) {
		err_set(e, ERR_TRANSIENT, 0, "rebuilder", "out of memory");
		return NULL;
	}
	r->fn = fn;
	r->arg = arg;
	r->log = log;
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->changed, NULL);
	if (pthread_create(&r->thread, NULL, rebuilder, r) == 0)
		return r;
	err_set(e, ERR_TRANSIENT, 0, "rebuilder", "its thread could not be started");
	free(r);
	return NULL;
}

void rebuilder_free(struct rebuilder **r_)
{
	struct rebuilder *r = *r_;

	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	atomic_store(&r->stop, true);
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	free(r);
	*r_ = NULL;
}

void rebuilder_wake(struct rebuilder *r)
{
	pthread_mutex_lock(&r->lock);
	r->wanted = true;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
}
