/* SPDX-License-Identifier: Apache-2.0
 * TLS on a socket that somebody else connects and watches: bytes in, bytes out, nothing ever blocks. The handshake goes
 * on with every read and write. */
#ifndef SANDBOX_OPENSSL_TLS_CLIENT_H
#define SANDBOX_OPENSSL_TLS_CLIENT_H

#include "handlers/base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct tls_settings { /* read and copied by tls_client_new */
	const char *ca_file;      /* PEM; empty: the system's authorities */
	const char *cert_file;    /* PEM, with the chain; empty: no certificate of our own is shown */
	const char *key_file;
	const char *key_password; /* empty: the key is not encrypted */
	bool any_name;            /* a certificate of that authority will do, whatever name it bears */
};

enum tls_status { TLS_MOVED, TLS_WANTS_READ, TLS_WANTS_WRITE, TLS_ENDED };

struct tls_client;
struct tls_stream;

/* NULL with a sentence about the file that cannot be used. */
struct tls_client *tls_client_new(const struct tls_settings *settings, struct err *e);
void tls_client_free(struct tls_client **client);

/* On a socket that does not block and may still be connecting; it stays the caller's. name: host name or address that
 * the certificate has to be for. NULL when memory is short. */
struct tls_stream *tls_stream_new(struct tls_client *client, int fd, const char *name, struct err *e);
void tls_stream_free(struct tls_stream **stream);

/* With TLS_ENDED, *e: REFUSED when the other end is not who it should be or does not want us, else TRANSIENT. A write that
 * moved nothing may be repeated with other bytes behind the same first ones. */
enum tls_status tls_read(struct tls_stream *stream, void *data, size_t size, size_t *moved_r, struct err *e);
enum tls_status tls_write(struct tls_stream *stream, const void *data, size_t len, size_t *moved_r, struct err *e);
bool tls_is_open(const struct tls_stream *stream); /* the handshake is over */

#endif
