/* SPDX-License-Identifier: Apache-2.0
 * The bytes of a connection to Redis, by unix socket, TCP or TLS; none of it ever blocks. */
#ifndef SANDBOX_REDIS_WIRE_H
#define SANDBOX_REDIS_WIRE_H

#include "consumer/adapters/redis/redis_settings.h"
#include "handlers/base/buf.h"

#include <hiredis/hiredis.h>

struct redis_wire {
	redisContext *context; /* NULL while there is no connection */
	struct tls_client *tls; /* NULL: none is wanted */
	struct tls_stream *stream; /* over the context's socket; NULL without TLS */
};

bool redis_wire_init(struct redis_wire *w, const struct redis_settings *settings, struct err *e);
void redis_wire_done(struct redis_wire *w);

/* Begins to connect, to the socket unless its path is "". */
bool redis_wire_connect(struct redis_wire *w, const char *socket_path, const char *host, int port, struct err *e);
void redis_wire_disconnect(struct redis_wire *w); /* takes the socket out of every epoll set */

/* False with *e when the connection ended: REFUSED when it is not to be spoken to. */
/* As much as goes now from behind *sent on; *waits_r: no more goes before something was read. */
bool redis_wire_send(struct redis_wire *w, const struct buf *out, size_t *sent, bool *waits_r, struct err *e);
/* What has come, if anything, goes to the context's reader. */
bool redis_wire_read(struct redis_wire *w, struct err *e);
bool redis_wire_shakes_hands(const struct redis_wire *w); /* of TLS, and that is not over yet */

#endif
