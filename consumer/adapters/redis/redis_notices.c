/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/redis/redis_notices.h"

#include "consumer/adapters/redis/redis_deliveries.h"

#include <stdio.h>
#include <stdlib.h>

enum { LOOK_MAX_BYTES = 32 * 1024 * 1024 };

struct redis_notices {
	struct notices_port port; /* first */
	struct deliveries_port *deliveries;
};

static void count(const struct delivery_record *list, size_t all, int64_t now_ms, struct notices_waited *w)
{
	for (size_t i = 0; i < all; i++) {
		if (list[i].ack != ACK_HOLD && list[i].ack_until_ms <= now_ms)
			continue;
		if (w->count++ == 0)
			snprintf(w->first, sizeof w->first, "%s", list[i].client_id);
	}
}

/* An event is told once, by the run in which step 31 was done; a replay that begins behind it tells nothing anew. */
static bool look(struct deliveries_port *d, const char *clone_id, int run, int64_t now_ms, struct arena *mem,
		 struct notices_waited *w, struct err *e)
{
	for (; run > 0 && !w->is_stored; run--) {
		const char *event_id = arena_printf(mem, "%s/%d/backup-restored", clone_id, run);
		const struct delivery_record *list = NULL;
		size_t all = 0;

		if (!event_id)
			return err_set(e, ERR_TRANSIENT, 0, "redis", "out of memory");
		if (!d->unacknowledged(d, event_id, mem, &list, &all, &w->is_stored, e))
			return false;
		count(list, all, now_ms, w);
	}
	return true;
}

static bool waited_for(struct notices_port *port, const char *clone_id, int run, int64_t now_ms,
		       struct notices_waited *waited_r, struct err *e)
{
	struct redis_notices *n = (struct redis_notices *)port; /* its first member */
	struct arena *mem = arena_new(LOOK_MAX_BYTES);
	bool ok;

	*waited_r = (struct notices_waited){ 0 };
	if (!mem)
		return err_set(e, ERR_TRANSIENT, 0, "redis", "out of memory");
	ok = look(n->deliveries, clone_id, run, now_ms, mem, waited_r, e);
	arena_free(&mem);
	return ok;
}

struct notices_port *redis_notices_new(const struct redis_settings *settings, struct err *e)
{
	struct redis_notices *n = calloc(1, sizeof *n);

	if (!n) {
		err_set(e, ERR_TRANSIENT, 0, "redis", "out of memory");
		return NULL;
	}
	n->port = (struct notices_port){ waited_for };
	n->deliveries = redis_deliveries_later(settings, e);
	if (n->deliveries)
		return &n->port;
	free(n);
	return NULL;
}

void redis_notices_free(struct notices_port **port)
{
	struct redis_notices *n = port ? (struct redis_notices *)*port : NULL;

	if (!n)
		return;
	n->deliveries->close(n->deliveries);
	free(n);
	*port = NULL;
}
