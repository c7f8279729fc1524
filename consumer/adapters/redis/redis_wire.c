/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/redis/redis_wire.h"

#include "consumer/adapters/openssl/tls_client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum { READ_BYTES = 16 * 1024 }; /* as much as a record of TLS holds: nothing is left inside that no event tells of */

bool redis_wire_init(struct redis_wire *w, const struct redis_settings *s, struct err *e)
{
	const struct tls_settings settings = { s->tls_ca_file, s->tls_cert_file, s->tls_key_file, s->tls_key_password,
		s->tls_any_name };

	*w = (struct redis_wire){ 0 };
	if (s->tls)
		w->tls = tls_client_new(&settings, e);
	if (s->tls && !w->tls)
		err_prepend(e, "[redis]");
	return !s->tls || w->tls;
}

void redis_wire_done(struct redis_wire *w)
{
	redis_wire_disconnect(w);
	tls_client_free(&w->tls);
}

bool redis_wire_connect(struct redis_wire *w, const char *socket_path, const char *host, int port, struct err *e)
{
	w->context = socket_path[0] ? redisConnectUnixNonBlock(socket_path) : redisConnectNonBlock(host, port);
	if (!w->context || w->context->err)
		return err_set(e, ERR_TRANSIENT, 0, "redis", "%s", w->context ? w->context->errstr : "out of memory");
	if (w->tls)
		w->stream = tls_stream_new(w->tls, w->context->fd, host, e);
	return !w->tls || w->stream;
}

void redis_wire_disconnect(struct redis_wire *w)
{
	tls_stream_free(&w->stream);
	if (w->context)
		redisFree(w->context);
	w->context = NULL;
}

static bool send_part(struct redis_wire *w, const char *data, size_t len, size_t *moved_r, bool *waits_r, struct err *e)
{
	ssize_t n;

	if (w->stream) {
		enum tls_status status = tls_write(w->stream, data, len, moved_r, e);

		*waits_r = status == TLS_WANTS_READ;
		return status != TLS_ENDED;
	}
	do
		n = send(w->context->fd, data, len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	*moved_r = n > 0 ? (size_t)n : 0;
	return n >= 0 || errno == EAGAIN || errno == EWOULDBLOCK ||
	       err_set(e, ERR_TRANSIENT, errno, "redis", "%s", strerror(errno));
}

/* By send() and not by redisBufferWrite(), which moves all that is left after every part sent and lets SIGPIPE end
 * the program when the server is gone. */
bool redis_wire_send(struct redis_wire *w, const struct buf *out, size_t *sent, bool *waits_r, struct err *e)
{
	size_t moved = 1;

	while (*sent < out->len && moved > 0) {
		if (!send_part(w, out->data + *sent, out->len - *sent, &moved, waits_r, e))
			return false;
		*sent += moved;
	}
	return true;
}

bool redis_wire_read(struct redis_wire *w, struct err *e)
{
	char data[READ_BYTES];
	size_t moved;

	if (!w->stream)
		return redisBufferRead(w->context) == REDIS_OK ||
		       err_set(e, ERR_TRANSIENT, 0, "redis", "%s", w->context->errstr);
	if (tls_read(w->stream, data, sizeof data, &moved, e) == TLS_ENDED)
		return false;
	return !moved || redisReaderFeed(w->context->reader, data, moved) == REDIS_OK ||
	       err_set(e, ERR_TRANSIENT, 0, "redis", "out of memory");
}

bool redis_wire_shakes_hands(const struct redis_wire *w)
{
	return w->stream && !tls_is_open(w->stream);
}
