/* SPDX-License-Identifier: Apache-2.0
 * One try as a post: the body with its token, the headers with their signatures. */
#ifndef SANDBOX_NOTIFIER_RENDER_H
#define SANDBOX_NOTIFIER_RENDER_H

#include "consumer/ports/deliveries.h"
#include "consumer/ports/poster.h"
#include "consumer/ports/signer.h"
#include "handlers/base/arena.h"

struct render_settings {
	const char *issuer;
	int64_t token_life_ms;
};

struct render_app { /* whom it is for */
	const char *client_id, *url;
	const char *const *secrets;
	size_t secret_count;
};

/* Fills all of the post but its tag; its texts live in mem. REFUSED when what the app or the event gave cannot be sent. */
bool render_post(const struct render_settings *settings, struct signer_port *signer, const struct notice *notice,
                 const struct render_app *app, int64_t now_ms, struct arena *mem, struct post *post_r, struct err *e);

#endif
