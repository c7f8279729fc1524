/* SPDX-License-Identifier: Apache-2.0
 * Which apps a tenant has approved: asked in a thread of its own, because asking blocks, and remembered for a while.
 * What is remembered has a bound; what was not looked at for longest goes first. */
#ifndef SANDBOX_NOTIFIER_DIRECTORY_H
#define SANDBOX_NOTIFIER_DIRECTORY_H

#include "handlers/ports/apps.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct directory_settings {
	struct apps_port *apps; /* used by the directory's thread only */
	size_t max_tenants;     /* 0: 4096 */
	size_t max_bytes;       /* 0: 256 MiB */
	int64_t pause_ms;       /* after an ask that failed, 0: 2 s */
	void (*news)(void *arg); /* an answer came, or asking failed; called from the directory's thread */
	void *news_arg;
};

struct directory;

struct tenant_apps { /* shared and never changed; held until released */
	struct app_authorisations list; /* sorted by client id */
};

enum directory_answer {
	DIRECTORY_KNOWN,  /* *apps_r is held for the caller */
	DIRECTORY_ASKED,  /* news() will be called */
	DIRECTORY_FAILED, /* *e says why; asking again later may help */
};

/* Starts the thread; NULL with *e. */
struct directory *directory_new(const struct directory_settings *settings, struct err *e);
/* Ends the thread when the ask under way has ended. Nothing may be held any more. NULL-safe; *d becomes NULL. */
void directory_free(struct directory **d);

/* What is known of the tenant, when it was asked for after since_ms (of notifier_now_ms). Any thread, never blocks. */
enum directory_answer directory_look(struct directory *d, const char *ctx, int64_t since_ms,
                                     const struct tenant_apps **apps_r, struct err *e);
void directory_release(struct directory *d, const struct tenant_apps **apps); /* NULL-safe; *apps becomes NULL */

/* The app in the list, when it may be told: approved, with a URL. NULL otherwise. */
const struct app_authorisation *directory_approved(const struct tenant_apps *apps, const char *client_id);

#endif
