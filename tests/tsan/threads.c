/* SPDX-License-Identifier: Apache-2.0
 * C11 threads in terms of POSIX ones, for programs under ThreadSanitizer. The one of gcc 12 does not know the C11 calls,
 * through which librdkafka makes its threads and locks: such a thread crashes at its first call, and no lock of it would
 * be seen. In glibc the two kinds have the same size and meaning. Nor does it know one of the ways to join. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <threads.h>
#include <time.h>

_Static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t) && sizeof(cnd_t) == sizeof(pthread_cond_t) &&
		       sizeof(thrd_t) == sizeof(pthread_t) && sizeof(once_flag) == sizeof(pthread_once_t),
	       "the C library makes C11 threads another way");

struct beginning {
	thrd_start_t run;
	void *arg;
};

static void *begin(void *arg)
{
	const struct beginning b = *(struct beginning *)arg;

	free(arg);
	b.run(b.arg);
	return NULL;
}

static int result(int rc)
{
	if (rc == 0)
		return thrd_success;
	if (rc == ETIMEDOUT)
		return thrd_timedout;
	return rc == EBUSY ? thrd_busy : rc == ENOMEM ? thrd_nomem : thrd_error;
}

int thrd_create(thrd_t *thread, thrd_start_t run, void *arg)
{
	struct beginning *b = malloc(sizeof *b);
	int rc;

	if (!b)
		return thrd_nomem;
	*b = (struct beginning){ run, arg };
	rc = pthread_create(thread, NULL, begin, b);
	if (rc != 0)
		free(b);
	return result(rc);
}

/* Nobody in these programs asks what a thread returned. */
int thrd_join(thrd_t thread, int *returned)
{
	int rc = pthread_join(thread, NULL);

	if (returned)
		*returned = 0;
	return result(rc);
}

int mtx_init(mtx_t *m, int type)
{
	pthread_mutexattr_t kind;
	int rc;

	pthread_mutexattr_init(&kind);
	pthread_mutexattr_settype(&kind, type & mtx_recursive ? PTHREAD_MUTEX_RECURSIVE : PTHREAD_MUTEX_NORMAL);
	rc = pthread_mutex_init((pthread_mutex_t *)m, &kind);
	pthread_mutexattr_destroy(&kind);
	return result(rc);
}

void mtx_destroy(mtx_t *m)
{
	pthread_mutex_destroy((pthread_mutex_t *)m);
}

int mtx_lock(mtx_t *m)
{
	return result(pthread_mutex_lock((pthread_mutex_t *)m));
}

int mtx_trylock(mtx_t *m)
{
	return result(pthread_mutex_trylock((pthread_mutex_t *)m));
}

int mtx_unlock(mtx_t *m)
{
	return result(pthread_mutex_unlock((pthread_mutex_t *)m));
}

int cnd_init(cnd_t *c)
{
	return result(pthread_cond_init((pthread_cond_t *)c, NULL));
}

void cnd_destroy(cnd_t *c)
{
	pthread_cond_destroy((pthread_cond_t *)c);
}

int cnd_signal(cnd_t *c)
{
	return result(pthread_cond_signal((pthread_cond_t *)c));
}

int cnd_broadcast(cnd_t *c)
{
	return result(pthread_cond_broadcast((pthread_cond_t *)c));
}

int cnd_wait(cnd_t *c, mtx_t *m)
{
	return result(pthread_cond_wait((pthread_cond_t *)c, (pthread_mutex_t *)m));
}

int cnd_timedwait(cnd_t *restrict c, mtx_t *restrict m, const struct timespec *restrict until)
{
	return result(pthread_cond_timedwait((pthread_cond_t *)c, (pthread_mutex_t *)m, until));
}

void call_once(once_flag *flag, void (*run)(void))
{
	pthread_once((pthread_once_t *)flag, run);
}

int pthread_clockjoin_np(pthread_t thread, void **returned, clockid_t clock, const struct timespec *until)
{
	struct timespec now, end;
	long long left_ns;

	clock_gettime(clock, &now);
	clock_gettime(CLOCK_REALTIME, &end);
	left_ns = (until->tv_sec - now.tv_sec) * 1000000000LL + until->tv_nsec - now.tv_nsec + end.tv_nsec;
	end.tv_sec += left_ns / 1000000000;
	end.tv_nsec = left_ns % 1000000000;
	if (end.tv_nsec < 0) {
		end.tv_sec--;
		end.tv_nsec += 1000000000;
	}
	return pthread_timedjoin_np(thread, returned, &end);
}
