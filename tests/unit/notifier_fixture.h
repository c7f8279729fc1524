/* SPDX-License-Identifier: Apache-2.0
 * What the tests of the notifier's two threads share: a log that says nothing, metrics, and a store of approvals. Of it
 * tenant "away" cannot be asked, tenant "gone" has approved nobody, and every other one so many apps "app-0000" and on. */
#ifndef SANDBOX_TESTS_NOTIFIER_FIXTURE_H
#define SANDBOX_TESTS_NOTIFIER_FIXTURE_H

#include "consumer/core/log.h"
#include "consumer/core/metrics.h"
#include "consumer/notifier/directory.h"

#include <check.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct approvals {
	struct apps_port port; /* first */
	size_t apps;
	const char *secret; /* of all; NULL: none has one */
	atomic_int asked;
	atomic_bool away; /* for every tenant */
};

static struct approvals approvals;
static struct log *quiet_log;
static struct metrics *metrics;
static struct directory *directory;

static bool fill_apps(struct app_authorisation *apps, struct arena *mem)
{
	for (size_t i = 0; i < approvals.apps; i++) {
		char *name = arena_take(mem, 32);

		if (!name)
			return false;
		snprintf(name, 32, "app-%04zu", i);
		apps[i] = (struct app_authorisation){ .client_id = name, .name = name, .partner = "", .system_user_token = "",
			.status = APP_ACTIVE, .state_change_url = "https://partner.example/", .webhook_secrets = { approvals.secret },
			.webhook_secret_count = approvals.secret != NULL };
	}
	return true;
}

static bool list_apps(struct apps_port *self, const char *ctx, struct arena *mem, struct app_authorisations *apps_r,
                      struct err *e)
{
	struct app_authorisation *apps = arena_take(mem, approvals.apps * sizeof *apps + 1);

	(void)self;
	atomic_fetch_add(&approvals.asked, 1);
	if (strcmp(ctx, "away") == 0 || atomic_load(&approvals.away) || !apps || !fill_apps(apps, mem))
		return err_set(e, ERR_TRANSIENT, 0, "apps", "the store of approvals is away");
	*apps_r = (struct app_authorisations){ apps, strcmp(ctx, "gone") == 0 ? 0 : approvals.apps };
	return true;
}

static bool drop_line(void *arg, const char *line, size_t len)
{
	(void)arg, (void)line, (void)len;
	return true;
}

static int64_t no_time(void *arg)
{
	(void)arg;
	return 0;
}

static void fixture_open(size_t apps, void (*news)(void *arg), int64_t pause_ms)
{
	const struct log_settings settings = { .level = LOG_LEVEL_DEBUG, .format = LOG_FORMAT_LOGFMT, .line_max = 4096,
		.write = drop_line, .utc_ms = no_time };
	struct err e = { 0 };

	approvals.port.list = list_apps;
	approvals.apps = apps;
	approvals.secret = NULL;
	atomic_store(&approvals.asked, 0);
	atomic_store(&approvals.away, false);
	quiet_log = log_new(&settings);
	metrics = metrics_new();
	ck_assert(quiet_log && metrics);
	directory = directory_new(&(struct directory_settings){ .apps = &approvals.port, .news = news, .pause_ms = pause_ms }, &e);
	ck_assert_msg(directory, "%s", e.text);
}

static void fixture_close(void)
{
	directory_free(&directory);
	metrics_free(&metrics);
	log_free(&quiet_log);
}

static void rest_ms(int64_t ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

#endif
