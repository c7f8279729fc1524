/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/runtime/sweeper.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WISHES_MAX = 256 }; /* of one survey; what is left over is found again by the next */

struct sweeper {
	struct world_port *world;
	struct log *log;
	int64_t every_ms;
	atomic_bool stop;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t stopped;
	struct sweep_wish wishes[WISHES_MAX]; /* ring */
	size_t first, count;
};

static bool is_wished(const struct sweeper *s, const char *clone_id)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->wishes[(s->first + i) % WISHES_MAX].clone_id, clone_id) == 0)
			return true;
	return false;
}

static bool wish(void *arg, const struct sweep_found *found, struct err *e)
{
	struct sweeper *s = arg;
	struct sweep_wish w;

	(void)e;
	snprintf(w.clone_id, sizeof w.clone_id, "%s", found->clone_id);
	snprintf(w.target_ctx, sizeof w.target_ctx, "%s", found->target_ctx);
	snprintf(w.source_ctx, sizeof w.source_ctx, "%s", found->source_ctx);
	if (found->kind == SWEEP_ORPHAN)
		log_info(s->log, NULL, "a database that nobody's record names", log_text("target", found->target_ctx),
			log_text("database", found->database));
	pthread_mutex_lock(&s->lock);
	if (s->count < WISHES_MAX && !is_wished(s, w.clone_id))
		s->wishes[(s->first + s->count++) % WISHES_MAX] = w;
	pthread_mutex_unlock(&s->lock);
	return true;
}

static void survey(struct sweeper *s)
{
	struct err e = { 0 };

	if (!s->world->survey(s->world, &s->stop, wish, s, &e) && !atomic_load(&s->stop))
		log_warn(s->log, NULL, "nobody could look for what may be swept", log_text("where", e.where), LOG_ERR(&e));
}

/* False when it was stopped. */
static bool wait_for(struct sweeper *s, int64_t ms)
{
	struct timespec until;
	int rc = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&s->lock);
	while (!atomic_load(&s->stop) && rc == 0)
		rc = pthread_cond_timedwait(&s->stopped, &s->lock, &until);
	pthread_mutex_unlock(&s->lock);
	return !atomic_load(&s->stop);
}

static void *sweeper(void *arg)
{
	struct sweeper *s = arg;

	while (wait_for(s, s->every_ms))
		survey(s);
	return NULL;
}

struct sweeper *sweeper_new(struct world_port *world, int64_t every_ms, struct log *log, struct err *e)
{
	struct sweeper *s = calloc(1, sizeof *s);
	pthread_condattr_t monotonic;

	if (!s) {
		err_set(e, ERR_TRANSIENT, 0, "sweeper", "out of memory");
		return NULL;
	}
	s->world = world;
	s->log = log;
	s->every_ms = every_ms;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&s->stopped, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (pthread_create(&s->thread, NULL, sweeper, s) == 0)
		return s;
	err_set(e, ERR_TRANSIENT, 0, "sweeper", "its thread could not be started");
	free(s);
	return NULL;
}

void sweeper_free(struct sweeper **s_)
{
	struct sweeper *s = *s_;

	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	atomic_store(&s->stop, true);
	pthread_cond_broadcast(&s->stopped);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	pthread_cond_destroy(&s->stopped);
	pthread_mutex_destroy(&s->lock);
	free(s);
	*s_ = NULL;
}

bool sweeper_next(struct sweeper *s, struct sweep_wish *wish_r)
{
	bool any;

	pthread_mutex_lock(&s->lock);
	any = s->count > 0;
	if (any) {
		*wish_r = s->wishes[s->first];
		s->first = (s->first + 1) % WISHES_MAX;
		s->count--;
	}
	pthread_mutex_unlock(&s->lock);
	return any;
}
