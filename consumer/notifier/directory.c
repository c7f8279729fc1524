/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/notifier/directory.h"

#include "consumer/core/table.h"
#include "consumer/notifier/notifier_clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { TENANTS_MAX = 4096, PAUSE_MS = 2000 };
#define BYTES_MAX ((size_t)256 * 1024 * 1024)
#define ANSWER_MAX_BYTES ((size_t)64 * 1024 * 1024)

struct held { /* what was handed out; shares its address with tenant_apps */
	struct tenant_apps apps; /* first */
	struct arena *mem;
	size_t bytes;
	int holders; /* the entry is one of them */
};

enum ask_state { ASK_IDLE, ASK_WANTED, ASK_UNDER_WAY };

struct entry {
	struct entry *older, *newer; /* by when it was last looked at */
	struct entry *next_wanted;
	enum ask_state state;
	struct held *held;    /* NULL: nothing known */
	int64_t known_ms;     /* when the ask for it began */
	int64_t failed_ms;    /* 0: the last ask did not fail */
	struct err error;
	char ctx[];
};

struct directory {
	struct directory_settings settings;
	pthread_mutex_t lock;
	pthread_cond_t wanted;
	pthread_t thread;
	bool stop;
	struct table table;
	struct entry *oldest, *newest, *first_wanted, **last_wanted;
	size_t bytes;
};

/* ---- entries ---- */

static void unlink_entry(struct directory *d, struct entry *t)
{
	*(t->older ? &t->older->newer : &d->oldest) = t->newer;
	*(t->newer ? &t->newer->older : &d->newest) = t->older;
	t->older = t->newer = NULL;
}

static void link_newest(struct directory *d, struct entry *t)
{
	t->older = d->newest;
	*(d->newest ? &d->newest->newer : &d->oldest) = t;
	d->newest = t;
}

static void let_go(struct directory *d, struct held *held)
{
	if (!held || --held->holders > 0)
		return;
	d->bytes -= held->bytes;
	arena_free(&held->mem);
	free(held);
}

static void forget(struct directory *d, struct entry *t)
{
	table_remove(&d->table, t->ctx);
	unlink_entry(d, t);
	let_go(d, t->held);
	free(t);
}

/* Those that are being asked for stay, so there may be some more than wished. */
static void make_room(struct directory *d)
{
	struct entry *t = d->oldest;

	while (t && (d->table.count > d->settings.max_tenants || d->bytes > d->settings.max_bytes)) {
		struct entry *newer = t->newer;

		if (t->state == ASK_IDLE && newer)
			forget(d, t);
		t = newer;
	}
}

static struct entry *entry_of(struct directory *d, const char *ctx)
{
	struct entry *t;
	uint64_t found;

	if (table_get(&d->table, ctx, &found)) {
		t = (struct entry *)(uintptr_t)found;
		unlink_entry(d, t);
		link_newest(d, t);
		return t;
	}
	t = calloc(1, sizeof *t + strlen(ctx) + 1);
	if (!t)
		return NULL;
	strcpy(t->ctx, ctx);
	if (!table_set(&d->table, t->ctx, (uintptr_t)t)) {
		free(t);
		return NULL;
	}
	link_newest(d, t);
	make_room(d);
	return t;
}

static void want(struct directory *d, struct entry *t)
{
	if (t->state != ASK_IDLE)
		return;
	t->state = ASK_WANTED;
	t->next_wanted = NULL;
	*d->last_wanted = t;
	d->last_wanted = &t->next_wanted;
	pthread_cond_signal(&d->wanted);
}

/* ---- asking ---- */

static size_t text_bytes(const struct app_authorisations *list)
{
	size_t bytes = list->count * sizeof *list->apps;

	for (size_t i = 0; i < list->count; i++) {
		const struct app_authorisation *a = &list->apps[i];

		bytes += strlen(a->client_id) + strlen(a->name) + strlen(a->partner) + strlen(a->state_change_url) +
			strlen(a->system_user_token) + 5;
		for (size_t s = 0; s < a->webhook_secret_count; s++)
			bytes += strlen(a->webhook_secrets[s]) + 1;
	}
	return bytes;
}

/* Without the lock: it may take as long as the system's time-outs. */
static struct held *ask(struct directory *d, const char *ctx, struct err *e)
{
	struct held *held = calloc(1, sizeof *held);

	if (held)
		held->mem = arena_new(ANSWER_MAX_BYTES);
	if (!held || !held->mem) {
		free(held);
		err_set(e, ERR_TRANSIENT, 0, "apps", "out of memory");
		return NULL;
	}
	if (!d->settings.apps->list(d->settings.apps, ctx, held->mem, &held->apps.list, e)) {
		arena_free(&held->mem);
		free(held);
		return NULL;
	}
	held->bytes = text_bytes(&held->apps.list);
	held->holders = 1;
	return held;
}

static void ask_next(struct directory *d)
{
	const int64_t begun_ms = notifier_now_ms();
	struct entry *t = d->first_wanted;
	struct err e = { 0 };
	struct held *held;

	d->first_wanted = t->next_wanted;
	if (!d->first_wanted)
		d->last_wanted = &d->first_wanted;
	t->state = ASK_UNDER_WAY; /* so it cannot be forgotten meanwhile */
	pthread_mutex_unlock(&d->lock);
	held = ask(d, t->ctx, &e);
	pthread_mutex_lock(&d->lock);
	t->state = ASK_IDLE;
	t->failed_ms = held ? 0 : notifier_now_ms();
	t->error = e;
	if (held) {
		d->bytes += held->bytes;
		let_go(d, t->held);
		t->held = held;
		t->known_ms = begun_ms;
		make_room(d);
	}
}

static void *run(void *arg)
{
	struct directory *d = arg;

	pthread_mutex_lock(&d->lock);
	while (!d->stop) {
		if (!d->first_wanted) {
			pthread_cond_wait(&d->wanted, &d->lock);
			continue;
		}
		ask_next(d);
		pthread_mutex_unlock(&d->lock);
		d->settings.news(d->settings.news_arg);
		pthread_mutex_lock(&d->lock);
	}
	pthread_mutex_unlock(&d->lock);
	return NULL;
}

/* ---- looking ---- */

enum directory_answer directory_look(struct directory *d, const char *ctx, int64_t since_ms,
                                     const struct tenant_apps **apps_r, struct err *e)
{
	enum directory_answer answer = DIRECTORY_ASKED;
	struct entry *t;

	pthread_mutex_lock(&d->lock);
	t = entry_of(d, ctx);
	if (!t) {
		err_set(e, ERR_TRANSIENT, 0, "apps", "out of memory");
		answer = DIRECTORY_FAILED;
	} else if (t->held && t->known_ms >= since_ms) {
		t->held->holders++;
		*apps_r = &t->held->apps;
		answer = DIRECTORY_KNOWN;
	} else if (t->state == ASK_IDLE && t->failed_ms && notifier_now_ms() - t->failed_ms < d->settings.pause_ms) {
		*e = t->error;
		answer = DIRECTORY_FAILED;
	} else {
		want(d, t);
	}
	pthread_mutex_unlock(&d->lock);
	return answer;
}

void directory_release(struct directory *d, const struct tenant_apps **apps)
{
	if (!*apps)
		return;
	pthread_mutex_lock(&d->lock);
	let_go(d, (struct held *)(uintptr_t)*apps); /* its first member; it was made writable here */
	pthread_mutex_unlock(&d->lock);
	*apps = NULL;
}

static int compare(const void *client_id, const void *app)
{
	return strcmp(client_id, ((const struct app_authorisation *)app)->client_id);
}

const struct app_authorisation *directory_approved(const struct tenant_apps *apps, const char *client_id)
{
	const struct app_authorisation *app =
		apps->list.count ? bsearch(client_id, apps->list.apps, apps->list.count, sizeof *app, compare) : NULL;

	return app && app->status == APP_ACTIVE && app->state_change_url[0] ? app : NULL;
}

/* ---- life ---- */

struct directory *directory_new(const struct directory_settings *settings, struct err *e)
{
	struct directory *d = calloc(1, sizeof *d);

	if (!d) {
		err_set(e, ERR_TRANSIENT, 0, "apps", "out of memory");
		return NULL;
	}
	d->settings = *settings;
	d->settings.max_tenants = settings->max_tenants ? settings->max_tenants : TENANTS_MAX;
	d->settings.max_bytes = settings->max_bytes ? settings->max_bytes : BYTES_MAX;
	d->settings.pause_ms = settings->pause_ms ? settings->pause_ms : PAUSE_MS;
	d->last_wanted = &d->first_wanted;
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->wanted, NULL);
	if (pthread_create(&d->thread, NULL, run, d) == 0)
		return d;
	err_set(e, ERR_TRANSIENT, 0, "apps", "no thread can be started");
	free(d);
	return NULL;
}

void directory_free(struct directory **directory)
{
	struct directory *d = *directory;

	if (!d)
		return;
	pthread_mutex_lock(&d->lock);
	d->stop = true;
	pthread_cond_signal(&d->wanted);
	pthread_mutex_unlock(&d->lock);
	pthread_join(d->thread, NULL);
	while (d->oldest)
		forget(d, d->oldest);
	table_done(&d->table);
	pthread_cond_destroy(&d->wanted);
	pthread_mutex_destroy(&d->lock);
	free(d);
	*directory = NULL;
}
