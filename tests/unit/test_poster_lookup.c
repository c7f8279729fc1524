/* SPDX-License-Identifier: Apache-2.0
 * The pool for names: each asked once at a time, remembered for seconds, never more threads than allowed, slow names kept
 * from holding up the others. getaddrinfo is this file's own: its names say how they behave. */
#include "consumer/adapters/http/poster_lookup.h"

#include <check.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <resolv.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENT_MS = 60 * 1000, THREADS = 4 };

static struct lookups *lookups;
static struct err err;

/* ---- names: "held-…" wait for the gate, "slow-…" take longer than LOOKUP_SLOW_MS the first time they are asked ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool gate_is_open;
static int asked, in_getaddrinfo, most_in_getaddrinfo, wrong_options;

static void wait_for_gate(void)
{
	while (!gate_is_open)
		pthread_cond_wait(&changed, &lock);
}

static struct addrinfo *address_list(size_t count)
{
	struct addrinfo *list = NULL;

	for (size_t i = 0; i < count; i++) {
		struct addrinfo *a = calloc(1, sizeof *a + sizeof(struct sockaddr_in));
		struct sockaddr_in *in;

		if (!a)
			abort();
		in = (void *)(a + 1);
		*in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x01020300u + (uint32_t)(count - i)) };
		*a = (struct addrinfo){ .ai_family = AF_INET, .ai_addrlen = sizeof *in, .ai_addr = (void *)in, .ai_next = list };
		list = a;
	}
	return list;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **list_r)
{
	(void)service, (void)hints;
	pthread_mutex_lock(&lock);
	asked++;
	if (++in_getaddrinfo > most_in_getaddrinfo)
		most_in_getaddrinfo = in_getaddrinfo;
	wrong_options += (_res.options & (RES_DNSRCH | RES_DEFNAMES)) != 0 || _res.retry != 2 || _res.retrans != 2;
	pthread_cond_broadcast(&changed);
	if (strncmp(name, "held-", 5) == 0)
		wait_for_gate();
	pthread_mutex_unlock(&lock);
	if (strncmp(name, "slow-", 5) == 0)
		poll(NULL, 0, LOOKUP_SLOW_MS + 100);
	pthread_mutex_lock(&lock);
	in_getaddrinfo--;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	*list_r = strncmp(name, "many-", 5) == 0 ? address_list(LOOKUP_ADDRESSES_MAX + 5) : address_list(2);
	if (strncmp(name, "none-", 5) != 0)
		return 0;
	freeaddrinfo(*list_r);
	return EAI_NONAME;
}

static int figure(const int *which)
{
	int value;

	pthread_mutex_lock(&lock);
	value = *which;
	pthread_mutex_unlock(&lock);
	return value;
}

static void await_figure(const int *which, int value)
{
	pthread_mutex_lock(&lock);
	while (*which != value)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

static void open_gate(void)
{
	pthread_mutex_lock(&lock);
	gate_is_open = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static void setup(void)
{
	lookups = lookups_new(THREADS, &err);
	ck_assert_msg(lookups, "%s", err.text);
}

static void teardown(void)
{
	open_gate();
	lookups_free(&lookups);
}

static struct lookup_waiter *take(int64_t now_ms, const struct lookup_found **found_r)
{
	struct pollfd fd = { lookups_fd(lookups), POLLIN, 0 };
	struct lookup_waiter *w;

	while (!(w = lookups_take(lookups, now_ms, found_r)))
		ck_assert_int_eq(poll(&fd, 1, PATIENT_MS), 1);
	return w;
}

/* ---- tests ---- */

START_TEST(test_found_and_remembered)
{
	struct lookup_waiter w = { .name = NULL };
	const struct lookup_found *found;

	ck_assert_ptr_null(lookups_ask(lookups, "a.test", 1000, &w));
	ck_assert_ptr_eq(take(1000, &found), &w);
	ck_assert_uint_eq(found->count, 2);
	ck_assert_mem_eq(found->addresses[0].bytes, "\1\2\3\1", 4);
	ck_assert_mem_eq(found->addresses[1].bytes, "\1\2\3\2", 4);
	ck_assert_ptr_null(found->failure);
	ck_assert_ptr_nonnull(lookups_ask(lookups, "a.test", 1000 + LOOKUP_KEPT_MS - 1, &w));
	ck_assert_int_eq(figure(&asked), 1);
	ck_assert_ptr_null(lookups_ask(lookups, "a.test", 1000 + LOOKUP_KEPT_MS, &w));
	ck_assert_ptr_eq(take(1000 + LOOKUP_KEPT_MS, &found), &w);
	ck_assert_int_eq(figure(&asked), 2);
	ck_assert_int_eq(figure(&wrong_options), 0);
}
END_TEST

START_TEST(test_failure_is_remembered_shortly)
{
	struct lookup_waiter w = { .name = NULL };
	const struct lookup_found *found;

	ck_assert_ptr_null(lookups_ask(lookups, "none-a", 1000, &w));
	take(1000, &found);
	ck_assert_str_eq(found->failure, "its name has no address");
	ck_assert_uint_eq(found->count, 0);
	found = lookups_ask(lookups, "none-a", 1000 + LOOKUP_FAILURE_KEPT_MS - 1, &w);
	ck_assert_ptr_nonnull(found);
	ck_assert_str_eq(found->failure, "its name has no address");
	ck_assert_ptr_null(lookups_ask(lookups, "none-a", 1000 + LOOKUP_FAILURE_KEPT_MS, &w));
	take(1000, &found);
}
END_TEST

START_TEST(test_addresses_are_bounded)
{
	struct lookup_waiter w = { .name = NULL };
	const struct lookup_found *found;

	ck_assert_ptr_null(lookups_ask(lookups, "many-a", 1000, &w));
	take(1000, &found);
	ck_assert_uint_eq(found->count, LOOKUP_ADDRESSES_MAX);
}
END_TEST

START_TEST(test_many_wait_for_one)
{
	struct lookup_waiter w[10] = { { .name = NULL } };
	const struct lookup_found *found;

	for (int i = 0; i < 10; i++)
		ck_assert_ptr_null(lookups_ask(lookups, "held-a", 1000, &w[i]));
	lookups_withdraw(&w[0]);
	lookups_withdraw(&w[5]);
	lookups_withdraw(&w[9]);
	lookups_withdraw(&w[9]);
	open_gate();
	for (int i = 1; i < 9; i++)
		if (i != 5)
			ck_assert_ptr_eq(take(1000, &found), &w[i]);
	ck_assert_ptr_null(lookups_take(lookups, 1000, &found));
	ck_assert_int_eq(figure(&asked), 1);
}
END_TEST

START_TEST(test_threads_are_bounded)
{
	struct lookup_waiter w[100] = { { .name = NULL } };
	const struct lookup_found *found;
	char name[32];

	ck_assert_uint_eq(lookups_threads(lookups), 0);
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof name, "held-%d", i);
		ck_assert_ptr_null(lookups_ask(lookups, name, 1000, &w[i]));
	}
	await_figure(&in_getaddrinfo, THREADS);
	open_gate();
	for (int i = 0; i < 100; i++)
		take(1000, &found);
	ck_assert_uint_eq(lookups_threads(lookups), THREADS);
	ck_assert_int_eq(figure(&most_in_getaddrinfo), THREADS);
	ck_assert_int_eq(figure(&asked), 100);
}
END_TEST

/* Names that were slow once get half of the threads; the other half is there for everybody else. */
START_TEST(test_slow_names_share_half)
{
	struct lookup_waiter slow[2 * THREADS] = { { .name = NULL } }, quick = { .name = NULL };
	const int64_t later_ms = 1000 + LOOKUP_KEPT_MS;
	const struct lookup_found *found;
	char name[32];

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 2 * THREADS; i++) {
			snprintf(name, sizeof name, "slow-%d", i);
			ck_assert_ptr_null(lookups_ask(lookups, name, round ? later_ms : 1000, &slow[i]));
		}
		if (round == 0)
			for (int i = 0; i < 2 * THREADS; i++)
				take(1000, &found);
	}
	await_figure(&in_getaddrinfo, THREADS / 2);
	ck_assert_ptr_null(lookups_ask(lookups, "quick", later_ms, &quick));
	ck_assert_ptr_eq(take(later_ms, &found), &quick); /* before any of the slow ones */
	for (int i = 0; i < 2 * THREADS; i++)
		take(later_ms, &found);
	ck_assert_int_eq(figure(&asked), 4 * THREADS + 1);
}
END_TEST

/* More names than are remembered: the old ones are forgotten, those under way never. */
START_TEST(test_names_are_bounded)
{
	struct lookup_waiter held = { .name = NULL }, w = { .name = NULL };
	const struct lookup_found *found;
	char name[32];

	ck_assert_ptr_null(lookups_ask(lookups, "held-a", 1000, &held));
	for (int i = 0; i < LOOKUP_NAMES_MAX + 10; i++) {
		snprintf(name, sizeof name, "n%d", i);
		ck_assert_ptr_null(lookups_ask(lookups, name, 1000, &w));
		ck_assert_ptr_eq(take(1000, &found), &w);
	}
	ck_assert_ptr_null(lookups_ask(lookups, "n0", 1000, &w)); /* forgotten before its time */
	take(1000, &found);
	open_gate();
	ck_assert_ptr_eq(take(1000, &found), &held);
}
END_TEST

/* Threads in the middle of a look-up outlive the pool's owner, and end by themselves. */
START_TEST(test_free_does_not_wait)
{
	struct lookup_waiter w[THREADS + 3] = { { .name = NULL } };
	char name[32];

	for (int i = 0; i < THREADS + 3; i++) {
		snprintf(name, sizeof name, "held-%d", i);
		ck_assert_ptr_null(lookups_ask(lookups, name, 1000, &w[i]));
	}
	await_figure(&in_getaddrinfo, THREADS);
	lookups_free(&lookups);
	ck_assert_ptr_null(lookups);
	ck_assert_int_eq(figure(&in_getaddrinfo), THREADS);
	open_gate();
	await_figure(&in_getaddrinfo, 0);
	ck_assert_int_eq(figure(&asked), THREADS); /* what was queued is dropped */
}
END_TEST

int main(void)
{
	Suite *s = suite_create("poster_lookup");
	TCase *t = tcase_create("lookups");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, test_found_and_remembered);
	tcase_add_test(t, test_failure_is_remembered_shortly);
	tcase_add_test(t, test_addresses_are_bounded);
	tcase_add_test(t, test_many_wait_for_one);
	tcase_add_test(t, test_threads_are_bounded);
	tcase_add_test(t, test_slow_names_share_half);
	tcase_add_test(t, test_names_are_bounded);
	tcase_add_test(t, test_free_does_not_wait);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
