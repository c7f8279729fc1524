/* SPDX-License-Identifier: Apache-2.0
 * Notices to partner apps that wait to be delivered, kept across restarts. A *notice* is one BackupRestored event; a
 * *delivery* is that notice for one app. Deliveries of one app and tenant form a queue: only its head is ever tried, so
 * an app hears of a tenant in order. Calls block for at most the store's time-outs; one thread at a time. What is handed
 * out lives in the arena given. TRANSIENT: the store cannot be reached, nothing is known to have changed. */
#ifndef SANDBOX_PORTS_DELIVERIES_H
#define SANDBOX_PORTS_DELIVERIES_H

#include "handlers/base/arena.h"
#include "handlers/base/err.h"
#include "handlers/ports/apps.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DELIVERY_APPS_MAX = 10000, DELIVERY_CLAIM_MAX = 512, DELIVERY_TRIES_KEPT = 16, CLIENT_ID_MAX = 128 };

enum delivery_state {
	DELIVERY_UNSET,
	DELIVERY_WAITING,   /* for its first try, its next one, or for those before it */
	DELIVERY_DONE,      /* the app answered 2xx */
	DELIVERY_GIVEN_UP,  /* tried as often as the schedule says; by hand only from here */
	DELIVERY_PARKED,    /* its app is switched off; goes on when it is switched on */
	DELIVERY_WITHDRAWN, /* the tenant does not approve the app any more, or it has no URL */
	DELIVERY_STATE_END
};

struct notice { /* the six fields but Token, and what tells one notice from another */
	const char *event_id; /* the webhook-id of every try */
	const char *ctx, *version_name, *file_version, *public_endpoint, *clone_id;
	int change_type;
	int64_t sequence, occurred_at_ms;
	const char *traceparent; /* "" none */
};

struct notice_app {
	const char *client_id, *name;
	enum ack_policy ack;
	int64_t ack_until_ms; /* of ACK_WAIT, since 1970 */
};

struct claim {
	const struct notice *notice; /* shared by the claims of one notice */
	const char *client_id;
	int tries;            /* before this one */
	int64_t first_try_ms; /* 0: none yet */
	int64_t app_failing_since_ms; /* 0: the app's last try went well, or it had none */
	bool app_slow;                /* as its last settlement said */
	uint64_t token;               /* of this claim: settle() takes no other */
};

/* How much may be handed out. Apps are served in turn, so one with many tenants takes no more than another. */
struct claim_room {
	size_t max;      /* at most DELIVERY_CLAIM_MAX */
	size_t slow_max; /* of these, for slow apps */
	size_t per_app;  /* claims of one app that may be under way, those of other notifiers too */
};

struct delivery_try {
	int64_t at_ms, took_ms;
	int status;       /* HTTP; 0: no whole answer */
	const char *text; /* a sentence without secrets; "" when all went well */
};

struct settlement { /* what one try came to */
	const struct claim *claim;
	struct delivery_try tried;
	bool was_tried;             /* false: only the state changes (withdrawn, or the app is asked for later) */
	enum delivery_state state;  /* WAITING: again at again_ms */
	int64_t again_ms;           /* since 1970 */
	bool app_failed, app_off;   /* app_off: switch the app off because of `off_reason` */
	const char *off_reason;
	bool app_slow; /* from now on it shares the room of slow apps */
};

struct app_record { /* what the notifier remembers of an app, over all tenants */
	const char *client_id, *name, *off_reason;
	bool is_off, is_slow;
	int64_t off_since_ms, failing_since_ms; /* 0: not */
	int64_t failures;                       /* in a row */
	int64_t last_success_ms, waiting;
};

struct delivery_record {
	const char *event_id, *client_id, *ctx, *clone_id;
	enum delivery_state state;
	int tries;
	int64_t entered_ms, again_ms, ended_ms;
	const struct delivery_try *log; /* the last DELIVERY_TRIES_KEPT, oldest first */
	size_t log_count;
	enum ack_policy ack;
	int64_t ack_until_ms;
};

struct deliveries_figures {
	int64_t waiting, apps_off, oldest_due_ms; /* oldest_due_ms: since 1970; 0: none is due */
};

struct delivery_filter { /* "" or 0: any */
	const char *client_id, *ctx, *event_id, *clone_id;
	enum delivery_state state;
	int64_t since_ms;
	size_t limit; /* at most 1000; with event_id, all of that notice; 0: as many as may be */
};

struct deliveries_port {
	/* ---- the notifier ---- */
	/* Stores the notice with a delivery for each app, each once: calling it again, after a crash in its middle too, adds
	 * only what is missing. When it returns true all of it outlives us. */
	bool (*enter)(struct deliveries_port *self, const struct notice *notice, const struct notice_app *apps, size_t count,
	              int64_t now_ms, struct err *e);
	/* Takes heads of queues that are due, of the apps that wait longest first, for lease_ms: nobody else gets them until
	 * then. *next_ms_r: when the next one is due that the room for slow apps would let through, -1 none. */
	bool (*claim)(struct deliveries_port *self, int64_t now_ms, int64_t lease_ms, const struct claim_room *room,
	              struct arena *mem, const struct claim **claims_r, size_t *count_r, int64_t *next_ms_r,
	              struct err *e);
	/* Records tries and makes the next head of a queue due. One whose claim has run out and was given to another is
	 * passed over. Calling it again with the same settlements changes nothing. */
	bool (*settle)(struct deliveries_port *self, const struct settlement *settlements, size_t count, int64_t now_ms,
	               struct err *e);
	bool (*figures)(struct deliveries_port *self, int64_t now_ms, struct deliveries_figures *figures_r, struct err *e);
	/* The app's memory; *found_r false when it was never told anything. */
	bool (*app)(struct deliveries_port *self, const char *client_id, struct arena *mem, struct app_record *app_r,
	            bool *found_r, struct err *e);

	/* ---- operators ---- */
	bool (*list)(struct deliveries_port *self, const struct delivery_filter *filter, struct arena *mem,
	             const struct delivery_record **list_r, size_t *count_r, struct err *e); /* newest first */
	/* REFUSED when there is none. */
	bool (*show)(struct deliveries_port *self, const char *event_id, const char *client_id, struct arena *mem,
	             struct delivery_record *record_r, struct err *e);
	/* Puts an ended delivery (done too) behind its queue again, with a new schedule and the same webhook-id. REFUSED
	 * when it waits anyway or is not known. */
	bool (*redeliver)(struct deliveries_port *self, const char *event_id, const char *client_id, int64_t now_ms,
	                  struct err *e);
	bool (*apps)(struct deliveries_port *self, struct arena *mem, const struct app_record **list_r, size_t *count_r,
	             struct err *e);
	/* Switching on makes parked queues due and forgets failures; switching off parks them. */
	bool (*switch_app)(struct deliveries_port *self, const char *client_id, bool on, const char *reason, int64_t now_ms,
	                   struct err *e);
	/* Deliveries of that clone's run that have an ack policy and no 2xx yet, by client id; an app
	 * that is not approved any more is none of them. *known_r: the notice is stored with all of its apps. */
	bool (*unacknowledged)(struct deliveries_port *self, const char *event_id, struct arena *mem,
	                       const struct delivery_record **list_r, size_t *count_r, bool *known_r, struct err *e);
	void (*close)(struct deliveries_port *self);
};

#endif
