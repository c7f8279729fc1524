/* SPDX-License-Identifier: Apache-2.0
 * Two halves: the pool, shared by threads under its lock and kept alive by each of them; and the names, which only the
 * caller's thread touches. A *job* goes from the names to the pool and back. */
#include "consumer/adapters/http/poster_lookup.h"

#include "consumer/core/fnv.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BUCKETS = 1024, STACK_BYTES = 256 * 1024, TRY_S = 2, TRIES = 2 };

struct job {
	struct job *next;
	struct lookup_name *name; /* of the names' half: not for threads */
	char text[LOOKUP_NAME_MAX + 1];
	bool is_slow;
	int64_t took_ms;
	struct lookup_found found;
};

struct jobs {
	struct job *first, **end;
};

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct jobs quick, slow, done;
	size_t users; /* threads, and the names' half */
	size_t threads, threads_max, idle, slow_running, queued;
	bool is_closed;
	int fd;
};

struct lookup_name {
	struct lookup_name *next;
	char text[LOOKUP_NAME_MAX + 1];
	bool is_asked; /* a job is out */
	bool is_slow;
	int64_t known_until_ms;
	struct lookup_found found;
	struct lookup_waiter waiting; /* a ring */
};

struct lookups {
	struct pool *pool;
	struct lookup_name *buckets[BUCKETS];
	size_t count;
	struct lookup_name *answered; /* the one whose waiters are being told */
};

static const struct lookup_found no_memory = { .failure = "its name could not be looked up: out of memory" };

static int64_t steady_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- jobs ---- */

static void jobs_init(struct jobs *jobs)
{
	jobs->first = NULL;
	jobs->end = &jobs->first;
}

static void jobs_add(struct jobs *jobs, struct job *job)
{
	job->next = NULL;
	*jobs->end = job;
	jobs->end = &job->next;
}

static struct job *jobs_take(struct jobs *jobs)
{
	struct job *job = jobs->first;

	if (job)
		jobs->first = job->next;
	if (!jobs->first)
		jobs->end = &jobs->first;
	return job;
}

static void jobs_free(struct jobs *jobs)
{
	for (struct job *job; (job = jobs_take(jobs));)
		free(job);
}

/* ---- the pool ---- */

/* With the lock; lets go of it. */
static void pool_leave(struct pool *pool)
{
	const bool is_last = --pool->users == 0;

	pthread_mutex_unlock(&pool->lock);
	if (!is_last)
		return;
	jobs_free(&pool->quick);
	jobs_free(&pool->slow);
	jobs_free(&pool->done);
	pthread_cond_destroy(&pool->work);
	pthread_mutex_destroy(&pool->lock);
	close(pool->fd);
	free(pool);
}

static void keep_address(struct lookup_found *found, const struct sockaddr *address)
{
	struct net_address *kept = &found->addresses[found->count];

	if (found->count == LOOKUP_ADDRESSES_MAX)
		return;
	*kept = (struct net_address){ .is_v6 = address->sa_family == AF_INET6 };
	if (address->sa_family == AF_INET)
		memcpy(kept->bytes, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
	else if (address->sa_family == AF_INET6)
		memcpy(kept->bytes, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
	else
		return;
	found->count++;
}

static const char *failure_of(int code)
{
	switch (code) {
	case EAI_NONAME:
	case EAI_NODATA:
	case EAI_ADDRFAMILY:
		return "its name has no address";
	case EAI_AGAIN:
		return "its name could not be looked up: the name servers did not answer";
	default:
		return "its name could not be looked up";
	}
}

/* Names are whole as they are: no search list of this machine may lead them to a neighbour. The resolver's state is the
 * thread's own; it is made anew each time, so that a changed resolv.conf is heard of. */
static void look_up(struct job *job)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
	struct addrinfo *list = NULL;
	int64_t began_ms = steady_ms();
	int code;

	if (res_ninit(&_res) == 0) {
		_res.retrans = TRY_S;
		_res.retry = TRIES;
		_res.options &= ~(unsigned long)(RES_DNSRCH | RES_DEFNAMES);
	}
	code = getaddrinfo(job->text, NULL, &hints, &list);
	res_nclose(&_res);
	for (const struct addrinfo *a = list; code == 0 && a; a = a->ai_next)
		keep_address(&job->found, a->ai_addr);
	if (code == 0)
		freeaddrinfo(list);
	if (job->found.count == 0)
		job->found.failure = failure_of(code ? code : EAI_NONAME);
	job->took_ms = steady_ms() - began_ms;
}

/* With the lock. */
static struct job *next_job(struct pool *pool)
{
	struct job *job = jobs_take(&pool->quick);

	if (!job && pool->slow_running < (pool->threads_max + 1) / 2)
		job = jobs_take(&pool->slow);
	pool->queued -= job != NULL;
	return job;
}

static void do_job(struct pool *pool, struct job *job)
{
	pool->slow_running += job->is_slow;
	pthread_mutex_unlock(&pool->lock);
	look_up(job);
	pthread_mutex_lock(&pool->lock);
	pool->slow_running -= job->is_slow;
	jobs_add(&pool->done, job);
	eventfd_write(pool->fd, 1);
}

static void *work(void *arg)
{
	struct pool *pool = arg;
	struct job *job;

	pthread_mutex_lock(&pool->lock);
	while (!pool->is_closed) {
		job = next_job(pool);
		if (job) {
			do_job(pool, job);
			continue;
		}
		pool->idle++;
		pthread_cond_wait(&pool->work, &pool->lock);
		pool->idle--;
	}
	pool_leave(pool);
	return NULL;
}

/* With the lock. One thread more when none is free for the next job; that none can be had is bad only when it would be
 * the first. */
static bool pool_grow(struct pool *pool)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int failure;

	if (pool->idle > pool->queued || pool->threads == pool->threads_max)
		return true;
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	failure = pthread_create(&thread, &attributes, work, pool);
	pthread_attr_destroy(&attributes);
	if (failure)
		return pool->threads > 0;
	pool->threads++;
	pool->users++;
	return true;
}

static bool pool_give(struct pool *pool, struct job *job)
{
	bool ok;

	pthread_mutex_lock(&pool->lock);
	ok = pool_grow(pool);
	if (ok) {
		jobs_add(job->is_slow ? &pool->slow : &pool->quick, job);
		pool->queued++;
		pthread_cond_signal(&pool->work);
	}
	pthread_mutex_unlock(&pool->lock);
	return ok;
}

static struct pool *pool_new(size_t threads_max)
{
	struct pool *pool = calloc(1, sizeof *pool);

	if (!pool)
		return NULL;
	pool->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (pool->fd < 0) {
		free(pool);
		return NULL;
	}
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->work, NULL);
	jobs_init(&pool->quick);
	jobs_init(&pool->slow);
	jobs_init(&pool->done);
	pool->threads_max = threads_max;
	pool->users = 1;
	return pool;
}

/* ---- the names ---- */

static struct lookup_name **place_of(struct lookups *l, const char *text)
{
	return &l->buckets[fnv64(FNV64_START, text, strlen(text)) % BUCKETS];
}

static struct lookup_name *name_find(struct lookups *l, const char *text)
{
	struct lookup_name *name = *place_of(l, text);

	while (name && strcmp(name->text, text) != 0)
		name = name->next;
	return name;
}

/* Those nobody waits for; the ones known still only when all_of_them. */
static void drop_names(struct lookups *l, int64_t now_ms, bool all_of_them)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct lookup_name **at = &l->buckets[i]; *at;) {
			struct lookup_name *name = *at;

			if (name->is_asked || name == l->answered || (!all_of_them && name->known_until_ms > now_ms)) {
				at = &name->next;
				continue;
			}
			*at = name->next;
			free(name);
			l->count--;
		}
}

static struct lookup_name *name_add(struct lookups *l, const char *text, int64_t now_ms)
{
	struct lookup_name *name, **place = place_of(l, text);

	if (l->count >= LOOKUP_NAMES_MAX)
		drop_names(l, now_ms, false);
	if (l->count >= LOOKUP_NAMES_MAX)
		drop_names(l, now_ms, true);
	name = calloc(1, sizeof *name);
	if (!name)
		return NULL;
	strcpy(name->text, text);
	name->waiting.next = name->waiting.prev = &name->waiting;
	name->next = *place;
	*place = name;
	l->count++;
	return name;
}

static bool name_ask(struct lookups *l, struct lookup_name *name)
{
	struct job *job = calloc(1, sizeof *job);

	if (!job)
		return false;
	job->name = name;
	job->is_slow = name->is_slow;
	strcpy(job->text, name->text);
	name->is_asked = pool_give(l->pool, job);
	if (!name->is_asked)
		free(job);
	if (name->is_asked && l->answered == name)
		l->answered = NULL; /* who waits from now on waits for the new answer */
	return name->is_asked;
}

const struct lookup_found *lookups_ask(struct lookups *l, const char *text, int64_t now_ms, struct lookup_waiter *w)
{
	struct lookup_name *name = name_find(l, text);

	if (name && !name->is_asked && name->known_until_ms > now_ms)
		return &name->found;
	if (!name)
		name = name_add(l, text, now_ms);
	if (!name || (!name->is_asked && !name_ask(l, name)))
		return &no_memory;
	*w = (struct lookup_waiter){ &name->waiting, name->waiting.prev, name };
	w->prev->next = w;
	name->waiting.prev = w;
	return NULL;
}

void lookups_withdraw(struct lookup_waiter *w)
{
	if (!w->name)
		return;
	w->prev->next = w->next;
	w->next->prev = w->prev;
	*w = (struct lookup_waiter){ NULL, NULL, NULL };
}

/* Learns what the next job that is done found out; NULL when none is. */
static struct lookup_name *next_answer(struct lookups *l, int64_t now_ms)
{
	struct lookup_name *name;
	eventfd_t count;
	struct job *job;

	pthread_mutex_lock(&l->pool->lock);
	job = jobs_take(&l->pool->done);
	if (!job)
		eventfd_read(l->pool->fd, &count);
	pthread_mutex_unlock(&l->pool->lock);
	if (!job)
		return NULL;
	name = job->name;
	name->is_asked = false;
	name->is_slow = job->took_ms >= LOOKUP_SLOW_MS;
	name->found = job->found;
	name->known_until_ms = now_ms + (name->found.failure ? LOOKUP_FAILURE_KEPT_MS : LOOKUP_KEPT_MS);
	free(job);
	return name;
}

struct lookup_waiter *lookups_take(struct lookups *l, int64_t now_ms, const struct lookup_found **found_r)
{
	struct lookup_waiter *w;

	while (!l->answered || l->answered->waiting.next == &l->answered->waiting) {
		l->answered = next_answer(l, now_ms);
		if (!l->answered)
			return NULL;
	}
	w = l->answered->waiting.next;
	*found_r = &l->answered->found;
	lookups_withdraw(w);
	return w;
}

struct lookups *lookups_new(size_t threads_max, struct err *e)
{
	struct lookups *l = calloc(1, sizeof *l);

	if (l)
		l->pool = pool_new(threads_max);
	if (l && l->pool)
		return l;
	free(l);
	err_set(e, ERR_TRANSIENT, errno, "poster", "the pool for names could not be made: out of memory or files");
	return NULL;
}

void lookups_free(struct lookups **l)
{
	if (!l || !*l)
		return;
	pthread_mutex_lock(&(*l)->pool->lock);
	(*l)->pool->is_closed = true;
	pthread_cond_broadcast(&(*l)->pool->work);
	pool_leave((*l)->pool);
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct lookup_name *name = (*l)->buckets[i], *next; name; name = next) {
			next = name->next;
			free(name);
		}
	free(*l);
	*l = NULL;
}

int lookups_fd(const struct lookups *l)
{
	return l->pool->fd;
}

size_t lookups_threads(struct lookups *l)
{
	size_t threads;

	pthread_mutex_lock(&l->pool->lock);
	threads = l->pool->threads;
	pthread_mutex_unlock(&l->pool->lock);
	return threads;
}
