/* SPDX-License-Identifier: Apache-2.0
 * What a service manager hears of a program, by a socket of this test in the manager's place. */
#include "consumer/adapters/system/supervisor.h"

#include <check.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { WITHIN_MS = 20000, SILENCE_MS = 400 };

static atomic_bool alive, ready;
static volatile sig_atomic_t stop;
static int manager = -1;
static struct supervisor *supervisor;
static struct err err;

static bool is_alive(void *arg)
{
	(void)arg;
	return atomic_load(&alive);
}

static bool is_ready(void *arg)
{
	(void)arg;
	return atomic_load(&ready);
}

/* In the abstract space, so that nothing is left behind. */
static void listen_as_manager(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char name[64];
	int len = snprintf(name, sizeof name, "@sandbox-test-supervisor-%d", (int)getpid());

	memcpy(address.sun_path + 1, name + 1, (size_t)len - 1);
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(manager, (const struct sockaddr *)&address,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)len)), 0);
	setenv("NOTIFY_SOCKET", name, 1);
}

static void start(void)
{
	const struct supervisor_settings settings = { is_alive, is_ready, &stop, NULL };

	ck_assert_msg(supervisor_start(&settings, &supervisor, &err), "%s", err.text);
}

static bool hear(char words_r[128], int within_ms)
{
	struct pollfd heard = { .fd = manager, .events = POLLIN };
	ssize_t len;

	if (poll(&heard, 1, within_ms) != 1)
		return false;
	len = recv(manager, words_r, 127, 0);
	ck_assert_int_gt(len, 0);
	words_r[len] = '\0';
	return true;
}

static void ck_hears(const char *beginning)
{
	char words[128] = "nothing";

	ck_assert_msg(hear(words, WITHIN_MS) && strncmp(words, beginning, strlen(beginning)) == 0, "heard \"%s\", not \"%s\"",
		words, beginning);
}

static void setup(void)
{
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

static void teardown(void)
{
	supervisor_stop(&supervisor);
	if (manager >= 0)
		close(manager);
}

START_TEST(without_a_manager_nothing_happens)
{
	start();
	ck_assert_ptr_null(supervisor);
}
END_TEST

START_TEST(an_address_that_is_none_is_refused)
{
	const struct supervisor_settings settings = { is_alive, is_ready, &stop, NULL };
	static const char *const bad[] = { "", "/", "@", "relative/path", "vsock:1:2" };
	char longest[256];

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		setenv("NOTIFY_SOCKET", bad[i], 1);
		ck_assert(!supervisor_start(&settings, &supervisor, &err));
		ck_assert_int_eq(err.class, ERR_MISUSE);
		err_clear(&err);
	}
	memset(longest, 'x', sizeof longest);
	longest[0] = '/';
	longest[sizeof longest - 1] = '\0';
	setenv("NOTIFY_SOCKET", longest, 1);
	ck_assert(!supervisor_start(&settings, &supervisor, &err));
}
END_TEST

START_TEST(it_hears_of_each_change_once)
{
	char words[128];

	listen_as_manager();
	start();
	ck_assert(!hear(words, SILENCE_MS)); /* not ready yet: nothing to say */
	ready = true;
	ck_hears("READY=1\nSTATUS=ready");
	ready = false;
	ck_hears("STATUS=not ready");
	ready = true;
	ck_hears("READY=1");
	ck_assert(!hear(words, SILENCE_MS));
	stop = 1;
	ck_hears("STOPPING=1");
}
END_TEST

START_TEST(a_quick_end_is_said_too)
{
	listen_as_manager();
	ready = true;
	start();
	ck_hears("READY=1");
	stop = 1;
	supervisor_stop(&supervisor);
	ck_hears("STOPPING=1");
}
END_TEST

START_TEST(signs_of_life_end_with_life)
{
	char words[128], pid[16];
	int signs = 0;

	snprintf(pid, sizeof pid, "%d", (int)getpid());
	setenv("WATCHDOG_USEC", "200000", 1);
	setenv("WATCHDOG_PID", pid, 1);
	alive = true;
	listen_as_manager();
	start();
	for (int i = 0; i < 3; i++)
		ck_hears("WATCHDOG=1");
	alive = false;
	while (hear(words, SILENCE_MS))
		ck_assert_int_lt(++signs, 4); /* what was on its way */
}
END_TEST

START_TEST(the_watchdog_of_another_process_is_not_ours)
{
	char words[128];

	setenv("WATCHDOG_USEC", "100000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	alive = true;
	listen_as_manager();
	start();
	ck_assert(!hear(words, SILENCE_MS));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("supervisor");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, without_a_manager_nothing_happens);
	tcase_add_test(tc, an_address_that_is_none_is_refused);
	tcase_add_test(tc, it_hears_of_each_change_once);
	tcase_add_test(tc, a_quick_end_is_said_too);
	tcase_add_test(tc, signs_of_life_end_with_life);
	tcase_add_test(tc, the_watchdog_of_another_process_is_not_ours);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
