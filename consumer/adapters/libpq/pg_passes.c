/* SPDX-License-Identifier: Apache-2.0
 * The port: settings, and the sessions that are kept between calls. */
#include "consumer/adapters/libpq/pg_passes.h"

#include "consumer/adapters/libpq/copy.h"
#include "consumer/adapters/libpq/sweep.h"

#include <stdlib.h>
#include <string.h>

enum { WORKERS = 2, UNIT_PAGES = 4096, CALL_MS = 2000, TEXTS = 6 };

struct pg_passes {
	struct passes_port port; /* first: what others see */
	struct pg_settings settings;
	char *texts[TEXTS];
	pthread_mutex_t lock;
	struct pg_session *idle; /* under the lock */
};

static struct pg_passes *of(struct passes_port *self)
{
	return (struct pg_passes *)self;
}

/* ---- sessions ---- */

/* Takes one out of the idle ones; source NULL: of any. */
static struct pg_session *take_idle(struct pg_passes *p, const char *source, const char *target)
{
	struct pg_session *found = NULL;

	pthread_mutex_lock(&p->lock);
	for (struct pg_session **at = &p->idle; *at && !found; at = found ? at : &(*at)->next) {
		if (strcmp((*at)->target, target) != 0 || (source && strcmp((*at)->source, source) != 0))
			continue;
		found = *at;
		*at = found->next;
	}
	pthread_mutex_unlock(&p->lock);
	return found;
}

static void give_idle(struct pg_passes *p, struct pg_session *s)
{
	pg_session_obey(s, NULL);
	pthread_mutex_lock(&p->lock);
	s->next = p->idle;
	p->idle = s;
	pthread_mutex_unlock(&p->lock);
}

static void forget(struct passes_port *self, const char *database)
{
	struct pg_session *s;

	while ((s = take_idle(of(self), NULL, database)))
		pg_session_free(&s);
}

typedef bool pass_fn(struct pg_session *session, const struct passes_call *call, struct sql_pages *pages, struct err *e);

/* A session is only kept by a call that did its work and has more to do. */
static bool run(struct passes_port *self, const char *source, const struct passes_call *call, pass_fn *fn,
		struct sql_pages *pages, struct err *e)
{
	struct pg_passes *p = of(self);
	struct pg_session *s = take_idle(p, source, call->target);
	bool ok;

	if (!s)
		s = pg_session_new(&p->settings, source, call->target, e);
	if (!s)
		return false;
	pg_session_obey(s, call->stop);
	ok = fn(s, call, pages, e);
	if (ok && !pages->finished)
		give_idle(p, s);
	else
		pg_session_free(&s);
	return ok;
}

static bool copy_next(struct passes_port *self, const struct passes_call *call, struct sql_pages *pages, struct err *e)
{
	return run(self, call->source, call, pg_copy_next, pages, e);
}

static bool mask_next(struct passes_port *self, const struct passes_call *call, struct sql_pages *pages, struct err *e)
{
	return run(self, "", call, pg_mask_next, pages, e);
}

static bool scan_next(struct passes_port *self, const struct passes_call *call, struct sql_pages *pages, struct err *e)
{
	return run(self, "", call, pg_scan_next, pages, e);
}

/* ---- life ---- */

static bool keep_texts(struct pg_passes *p, const struct pg_settings *settings)
{
	struct pg_settings *own = &p->settings;
	const char **texts[TEXTS] = { &own->host,        &own->user,            &own->password,
				      &own->source_user, &own->source_password, &own->tls };

	*own = *settings;
	for (size_t i = 0; i < TEXTS; i++) {
		p->texts[i] = strdup(*texts[i] ? *texts[i] : "");
		if (!p->texts[i])
			return false;
		*texts[i] = p->texts[i];
	}
	if (own->workers < 1)
		own->workers = WORKERS;
	if (own->workers > WORKERS_MAX)
		own->workers = WORKERS_MAX;
	if (own->unit_pages < 1)
		own->unit_pages = UNIT_PAGES;
	if (own->call_ms < 1)
		own->call_ms = CALL_MS;
	return true;
}

struct passes_port *pg_passes_new(const struct pg_settings *settings, struct err *e)
{
	struct pg_passes *p = calloc(1, sizeof *p);
	struct passes_port *port = (struct passes_port *)p;

	if (!p) {
		err_set(e, ERR_TRANSIENT, 0, "sql", "out of memory");
		return NULL;
	}
	pthread_mutex_init(&p->lock, NULL);
	p->port = (struct passes_port){ copy_next, mask_next, scan_next, forget };
	if (keep_texts(p, settings))
		return port;
	err_set(e, ERR_TRANSIENT, 0, "sql", "out of memory");
	pg_passes_free(&port);
	return NULL;
}

void pg_passes_free(struct passes_port **port)
{
	struct pg_passes *p = port && *port ? of(*port) : NULL;

	if (!p)
		return;
	while (p->idle) {
		struct pg_session *s = p->idle;

		p->idle = s->next;
		pg_session_free(&s);
	}
	pthread_mutex_destroy(&p->lock);
	for (size_t i = 0; i < TEXTS; i++)
		free(p->texts[i]);
	free(p);
	*port = NULL;
}
