/* SPDX-License-Identifier: Apache-2.0
 * A few questions at a time, answered one by one. An answer nobody came back for makes room for the next question. */
#include "consumer/adapters/avro/background.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { QUESTIONS_MAX = 8, PATH_BYTES = 160, FRESH_MS = 10000 };

enum state { FREE, WAITING, ASKING, ANSWERED };

struct question {
	enum state state;
	uint64_t turn; /* the smallest is the oldest */
	char path[PATH_BYTES];
	char *post; /* NULL: a GET */
	bool ok;
	int status;
	int64_t answered_ms;
	struct buf answer;
	struct err err;
};

struct background {
	schema_fetch *fetch;
	void (*stop)(void *arg);
	void *arg;
	pthread_t thread;
	pthread_mutex_t lock; /* for all below */
	pthread_cond_t filled;
	bool closing;
	uint64_t turns;
	struct question questions[QUESTIONS_MAX];
};

static int64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void forget(struct question *q)
{
	free(q->post);
	buf_done(&q->answer);
	*q = (struct question){ .state = FREE };
}

static struct question *oldest(struct background *b, enum state state)
{
	struct question *found = NULL;

	for (size_t i = 0; i < QUESTIONS_MAX; i++) {
		struct question *q = &b->questions[i];

		if (q->state == state && (!found || q->turn < found->turn))
			found = q;
	}
	return found;
}

/* ---- the thread ---- */

static void *answer_all(void *arg)
{
	struct background *b = arg;
	struct question *q;

	pthread_mutex_lock(&b->lock);
	while (!b->closing) {
		q = oldest(b, WAITING);
		if (!q) {
			pthread_cond_wait(&b->filled, &b->lock);
			continue;
		}
		q->state = ASKING; /* nobody else touches it from here on */
		pthread_mutex_unlock(&b->lock);
		q->ok = b->fetch(b->arg, q->path, q->post, &q->answer, &q->status, &q->err);
		pthread_mutex_lock(&b->lock);
		q->state = ANSWERED;
		q->answered_ms = monotonic_ms();
	}
	pthread_mutex_unlock(&b->lock);
	return NULL;
}

/* ---- whoever asks ---- */

static bool is_same(const struct question *q, const char *path, const char *post)
{
	if (q->state == FREE || strcmp(q->path, path) != 0 || !q->post != !post)
		return false;
	return !post || strcmp(q->post, post) == 0;
}

static bool later(struct err *e)
{
	return err_set(e, ERR_TRANSIENT, 0, "registry", "the schema registry is being asked");
}

/* Under the lock. */
static bool hand_over(struct question *q, struct buf *answer, int *status_r, struct err *e)
{
	bool ok = q->ok;

	*status_r = q->status;
	if (!ok)
		*e = q->err;
	else if (q->answer.failed || !buf_add(answer, q->answer.data, q->answer.len))
		answer->failed = true;
	forget(q);
	return ok;
}

/* Under the lock. */
static bool put_down(struct background *b, const char *path, const char *post, size_t answer_max, struct err *e)
{
	struct question *q = oldest(b, FREE);
	char *copy = post ? strdup(post) : NULL;

	if (!q)
		q = oldest(b, ANSWERED);
	if (!q || strlen(path) >= sizeof q->path || (post && !copy)) {
		free(copy);
		return err_set(e, ERR_TRANSIENT, 0, "registry", "too much is asked of the schema registry");
	}
	forget(q);
	q->state = WAITING;
	q->turn = ++b->turns;
	q->post = copy;
	strcpy(q->path, path);
	buf_init(&q->answer, answer_max);
	pthread_cond_signal(&b->filled);
	return later(e);
}

/* Under the lock. What was answered long ago, to somebody who did not come back, may not be true any more. */
static struct question *find(struct background *b, const char *path, const char *post)
{
	for (size_t i = 0; i < QUESTIONS_MAX; i++) {
		struct question *q = &b->questions[i];

		if (!is_same(q, path, post))
			continue;
		if (q->state != ANSWERED || monotonic_ms() - q->answered_ms <= FRESH_MS)
			return q;
		forget(q);
	}
	return NULL;
}

bool background_fetch(struct background *b, const char *path, const char *post, struct buf *answer, int *status_r,
                      struct err *e)
{
	struct question *q;
	bool ok;

	pthread_mutex_lock(&b->lock);
	q = find(b, path, post);
	if (!q)
		ok = put_down(b, path, post, answer->max, e);
	else if (q->state == ANSWERED)
		ok = hand_over(q, answer, status_r, e);
	else
		ok = later(e);
	pthread_mutex_unlock(&b->lock);
	return ok;
}

/* ---- its life ---- */

struct background *background_new(const struct registry_settings *settings, struct err *e)
{
	struct background *b = calloc(1, sizeof *b);

	if (!b) {
		err_set(e, ERR_TRANSIENT, 0, "registry", "not enough memory for the registry client");
		return NULL;
	}
	b->fetch = settings->fetch;
	b->stop = settings->stop;
	b->arg = settings->fetch_arg;
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->filled, NULL);
	if (pthread_create(&b->thread, NULL, answer_all, b) == 0)
		return b;
	pthread_cond_destroy(&b->filled);
	pthread_mutex_destroy(&b->lock);
	free(b);
	err_set(e, ERR_TRANSIENT, 0, "registry", "the system gives no thread to ask the schema registry");
	return NULL;
}

void background_free(struct background **b)
{
	if (!*b)
		return;
	pthread_mutex_lock(&(*b)->lock);
	(*b)->closing = true;
	pthread_cond_signal(&(*b)->filled);
	pthread_mutex_unlock(&(*b)->lock);
	if ((*b)->stop)
		(*b)->stop((*b)->arg);
	pthread_join((*b)->thread, NULL);
	for (size_t i = 0; i < QUESTIONS_MAX; i++)
		forget(&(*b)->questions[i]);
	pthread_cond_destroy(&(*b)->filled);
	pthread_mutex_destroy(&(*b)->lock);
	free(*b);
	*b = NULL;
}
