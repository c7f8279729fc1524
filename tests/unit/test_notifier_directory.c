/* SPDX-License-Identifier: Apache-2.0
 * Who is approved, asked of a store of approvals that this test plays: asked once, remembered, asked anew when it is too
 * old, left alone for a while when it fails, and never more remembered than it may be. */
#include "consumer/notifier/directory.h"
#include "consumer/notifier/notifier_clock.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { NEWS_WITHIN_MS = 20000, PAUSE_MS = 300 };

struct fake_apps {
	struct apps_port port; /* first */
	atomic_int asked;
	atomic_bool fails;
	char last[32];
};

static struct fake_apps store;
static atomic_int news;
static struct directory *directory;
static struct err e;

static bool list(struct apps_port *self, const char *ctx, struct arena *mem, struct app_authorisations *apps_r, struct err *err)
{
	static const struct app_authorisation all[] = {
		{ .client_id = "a-good", .status = APP_ACTIVE, .state_change_url = "https://a.example/" },
		{ .client_id = "b-silent", .status = APP_ACTIVE, .state_change_url = "" },
		{ .client_id = "c-ended", .status = APP_EXPIRED, .state_change_url = "https://c.example/" },
	};
	struct app_authorisation *copy = arena_take(mem, sizeof all);

	(void)self;
	atomic_fetch_add(&store.asked, 1);
	snprintf(store.last, sizeof store.last, "%s", ctx);
	if (atomic_load(&store.fails) || !copy)
		return err_set(err, ERR_TRANSIENT, 0, "apps", "the store of approvals is away");
	memcpy(copy, all, sizeof all);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		copy[i].name = copy[i].partner = copy[i].system_user_token = "";
	*apps_r = (struct app_authorisations){ copy, sizeof all / sizeof *all };
	return true;
}

static void on_news(void *arg)
{
	(void)arg;
	atomic_fetch_add(&news, 1);
}

static void await_news(int count)
{
	const int64_t until_ms = notifier_now_ms() + NEWS_WITHIN_MS;

	while (atomic_load(&news) < count) {
		ck_assert_int_lt(notifier_now_ms(), until_ms);
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
}

static void open_directory(size_t max_tenants)
{
	const struct directory_settings settings = { .apps = &store.port, .max_tenants = max_tenants, .pause_ms = PAUSE_MS,
		.news = on_news };

	memset(&store, 0, sizeof store);
	store.port.list = list;
	atomic_store(&news, 0);
	directory = directory_new(&settings, &e);
	ck_assert_ptr_nonnull(directory);
}

static enum directory_answer look(const char *ctx, int64_t since_ms)
{
	const struct tenant_apps *apps = NULL;
	const enum directory_answer answer = directory_look(directory, ctx, since_ms, &apps, &e);

	directory_release(directory, &apps);
	return answer;
}

START_TEST(what_is_known_is_not_asked_again_until_it_is_old)
{
	const struct tenant_apps *apps = NULL;

	open_directory(0);
	ck_assert_int_eq(look("T1", 0), DIRECTORY_ASKED);
	await_news(1);
	ck_assert_int_eq(directory_look(directory, "T1", 0, &apps, &e), DIRECTORY_KNOWN);
	ck_assert_uint_eq(apps->list.count, 3);
	ck_assert_ptr_nonnull(directory_approved(apps, "a-good"));
	ck_assert_ptr_null(directory_approved(apps, "b-silent"));
	ck_assert_ptr_null(directory_approved(apps, "c-ended"));
	ck_assert_ptr_null(directory_approved(apps, "nobody"));
	ck_assert_int_eq(atomic_load(&store.asked), 1);
	/* From now on: what was asked for before is too old. What is held stays as it was. */
	ck_assert_int_eq(look("T1", notifier_now_ms() + 1), DIRECTORY_ASKED);
	await_news(2);
	ck_assert_int_eq(atomic_load(&store.asked), 2);
	ck_assert_str_eq(apps->list.apps[0].client_id, "a-good");
	directory_release(directory, &apps);
	ck_assert_ptr_null(apps);
	directory_free(&directory);
}
END_TEST

START_TEST(a_store_that_fails_is_left_alone_for_a_while)
{
	open_directory(0);
	atomic_store(&store.fails, true);
	ck_assert_int_eq(look("T1", 0), DIRECTORY_ASKED);
	await_news(1);
	ck_assert_int_eq(look("T1", 0), DIRECTORY_FAILED);
	ck_assert_ptr_nonnull(strstr(e.text, "is away"));
	ck_assert_int_eq(atomic_load(&store.asked), 1);
	atomic_store(&store.fails, false);
	for (int64_t until_ms = notifier_now_ms() + NEWS_WITHIN_MS; look("T1", 0) == DIRECTORY_FAILED;) {
		ck_assert_int_lt(notifier_now_ms(), until_ms);
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	await_news(2);
	ck_assert_int_eq(look("T1", 0), DIRECTORY_KNOWN);
	directory_free(&directory);
}
END_TEST

START_TEST(the_one_not_looked_at_for_longest_is_forgotten)
{
	const struct tenant_apps *held = NULL;
	char ctx[16];

	open_directory(2);
	for (int i = 1; i <= 3; i++) {
		snprintf(ctx, sizeof ctx, "T%d", i);
		ck_assert_int_eq(look(ctx, 0), DIRECTORY_ASKED);
		await_news(i);
		ck_assert_str_eq(store.last, ctx);
		if (i == 1)
			ck_assert_int_eq(directory_look(directory, "T1", 0, &held, &e), DIRECTORY_KNOWN);
	}
	ck_assert_int_eq(look("T2", 0), DIRECTORY_KNOWN);
	ck_assert_int_eq(look("T3", 0), DIRECTORY_KNOWN);
	ck_assert_int_eq(look("T1", 0), DIRECTORY_ASKED);
	ck_assert_ptr_nonnull(directory_approved(held, "a-good")); /* who holds it is not robbed */
	directory_release(directory, &held);
	await_news(4);
	directory_free(&directory);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notifier_directory");
	TCase *tc = tcase_create("directory");
	SRunner *sr = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, what_is_known_is_not_asked_again_until_it_is_old);
	tcase_add_test(tc, a_store_that_fails_is_left_alone_for_a_while);
	tcase_add_test(tc, the_one_not_looked_at_for_longest_is_forgotten);
	suite_add_tcase(suite, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
