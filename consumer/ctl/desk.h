/* SPDX-License-Identifier: Apache-2.0
 * What an operator's command may use of the world: the terminal, files, the clock, the topics, the store, and the
 * looks that `doctor` takes. The program gives it (consumer/programs/sandboxctl_desk.c); tests give one of their own.
 */
#ifndef SANDBOX_CTL_DESK_H
#define SANDBOX_CTL_DESK_H

#include "consumer/core/config.h"
#include "consumer/core/request.h"
#include "consumer/core/topics.h"
#include "consumer/ports/bus.h"
#include "consumer/ports/codec.h"
#include "consumer/ports/deliveries.h"
#include "consumer/ports/inspect.h"
#include "consumer/ports/poster.h"
#include "consumer/ports/tenants.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DESK_ID_TEXT = 37, DESK_FILE_MAX = 4 * 1024 * 1024 };

enum desk_stream { DESK_IN, DESK_OUT, DESK_TALK };

struct desk_read {
	bool topics[TOPIC_END];
	int partition;      /* -1: all */
	int64_t offset;     /* -1: from the beginning, otherwise from there */
	int64_t last;       /* when not 0: only so many records before the end of each partition */
	bool follow;        /* goes on after the end, until interrupted */
	int64_t within_ms;  /* for the whole call; 0 with follow: without end */
};

/* The record is borrowed. With follow it is called with NULL now and then while nothing comes. False ends reading. */
typedef bool desk_record_fn(void *arg, const struct bus_record *record);

struct desk_brokers {
	int brokers;
	struct topic_facts topics[TOPIC_END];
};

struct desk_trial { /* one notice of `partner test`; the tenant's approval says where it goes and how it is signed */
	const char *ctx, *client_id, *event_id;
	int64_t age_ms; /* it says it was made so long ago */
	bool is_forged; /* its body was changed after it was signed */
};

struct desk_tenants { /* of the state API */
	const char *ctx;       /* only this one; "" all */
	int64_t changed_after; /* only those changed by a later change; -1 all */
	bool only_stuck;
};
/* stuck: a clone at rest has left it offline or In migration. */
typedef void desk_tenant_fn(void *arg, const struct tenant_row *row, int64_t changed, bool stuck);

/* The systems behind a URL of the configuration. */
enum desk_system { DESK_REGISTRY, DESK_HOSTING, DESK_SUPERID, DESK_MAIL, DESK_LICENCE, DESK_APPS, DESK_SYSTEM_END };

struct desk_port {
	/* ---- the terminal, files, time ---- */
	void (*write)(struct desk_port *self, enum desk_stream to, const char *text, size_t len);
	bool (*is_terminal)(struct desk_port *self, enum desk_stream which);
	void (*screen)(struct desk_port *self, int *columns_r, int *rows_r);
	/* One line, without its end, that somebody types; false when nobody did. */
	bool (*ask)(struct desk_port *self, const char *question, char *answer_r, size_t size);
	const char *(*environment)(struct desk_port *self, const char *name); /* "" when it is not set */
	bool (*interrupted)(struct desk_port *self);
	void (*sleep)(struct desk_port *self, int64_t ms); /* ends early when interrupted */
	int64_t (*utc_ms)(struct desk_port *self);
	bool (*new_id)(struct desk_port *self, char id_r[DESK_ID_TEXT], struct err *e);
	/* The whole file into *content, at most DESK_FILE_MAX; "-" is standard input. */
	bool (*load)(struct desk_port *self, const char *path, struct buf *content, struct err *e);
	/* A new file that only its owner can read; REFUSED when there is one already. */
	bool (*save)(struct desk_port *self, const char *path, const void *data, size_t len, struct err *e);
	/* A request as JSON (docs/man/sandboxctl.md); its texts live in mem. Fields that are not there stay as they
	 * are. */
	bool (*parse_request)(struct desk_port *self, const struct buf *json, struct arena *mem,
	                      struct clone_request *request, struct err *e);

	/* ---- the configuration ---- */
	/* Reads it, from that file or, with NULL, from where it usually is. Once, before what follows. */
	bool (*configure)(struct desk_port *self, const char *path, struct err *e);
	const struct config *(*config)(struct desk_port *self);
	const char *(*config_path)(struct desk_port *self); /* "" when no file was read */
	struct request_rules (*rules)(struct desk_port *self);
	bool (*domain_is_public)(const char *domain);

	/* ---- the systems; opened when first asked for, borrowed, NULL with *e when they cannot be ---- */
	struct inspect_port *(*inspect)(struct desk_port *self, struct err *e);
	struct codec_port *(*codec)(struct desk_port *self, struct err *e);
	struct deliveries_port *(*deliveries)(struct desk_port *self, struct err *e);
	/* Sends one and waits for its end; *signed_r: did it bear a signature beside its token? REFUSED when the tenant has
	 * not approved the app. */
	bool (*try_partner)(struct desk_port *self, const struct desk_trial *trial, struct post_result *result_r,
			    bool *signed_r, struct err *e);
	/* fn for each, by name. */
	bool (*tenants)(struct desk_port *self, const struct desk_tenants *what, desk_tenant_fn *fn, void *arg, struct err *e);
	/* Returns when all in-sync replicas have it. UNSURE when that was not told in time: it may come or not. */
	bool (*publish)(struct desk_port *self, const struct bus_message *message, struct err *e);
	bool (*read)(struct desk_port *self, const struct desk_read *what, desk_record_fn *fn, void *arg,
		     struct err *e);

	/* ---- the topics on the brokers ---- */
	/* Like brokers below, with the settings of the topics. */
	bool (*topics)(struct desk_port *self, struct desk_brokers *brokers_r, struct err *e);
	/* Makes those changes that are not TOPIC_BY_HAND; `replicas` is for new topics. */
	bool (*change_topics)(struct desk_port *self, const struct topic_change *changes, size_t count, int replicas,
			      struct err *e);

	/* ---- looks for doctor; false with *e when it is not well ---- */
	bool (*brokers)(struct desk_port *self, struct desk_brokers *brokers_r, struct err *e);
	bool (*reach)(struct desk_port *self, enum desk_system system, int *http_status_r, struct err *e);
	bool (*databases)(struct desk_port *self, struct err *e);
	bool (*folder)(struct desk_port *self, const char *path, struct err *e); /* there, and may be written */
	bool (*blobs)(struct desk_port *self, struct err *e); /* the configured containers can be listed and written */
	bool (*secret)(struct desk_port *self, enum config_id key_of_file, struct err *e);
	bool (*seal)(struct desk_port *self, struct err *e);
	bool (*clock_is_synchronised)(struct desk_port *self);
	/* What the next sweep may drop; changes nothing. */
	bool (*survey)(struct desk_port *self, sweep_fn *fn, void *arg, struct err *e);
};

#endif
