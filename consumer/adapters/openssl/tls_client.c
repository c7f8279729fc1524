/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/openssl/tls_client.h"

#include <errno.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct tls_client {
	SSL_CTX *context;
	BIO_METHOD *socket; /* that no SIGPIPE comes from */
	bool any_name;
};

struct tls_stream {
	SSL *ssl;
};

static const char where[] = "tls";

/* ---- the socket ---- */

static int fd_of(BIO *bio)
{
	return (int)(intptr_t)BIO_get_data(bio);
}

static int settle(BIO *bio, ssize_t n, bool reads)
{
	BIO_clear_retry_flags(bio);
	/* A socket that is still connecting takes nothing yet. */
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == EINPROGRESS || errno == ENOTCONN)) {
		if (reads)
			BIO_set_retry_read(bio);
		else
			BIO_set_retry_write(bio);
	}
	return (int)n;
}

static int put(BIO *bio, const char *data, int len)
{
	return settle(bio, send(fd_of(bio), data, (size_t)len, MSG_NOSIGNAL), false);
}

static int get(BIO *bio, char *data, int size)
{
	return settle(bio, recv(fd_of(bio), data, (size_t)size, 0), true);
}

static long control(BIO *bio, int what, long number, void *arg)
{
	(void)bio;
	(void)number;
	(void)arg;
	return what == BIO_CTRL_FLUSH;
}

static BIO_METHOD *make_socket(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "quiet socket");

	if (m && BIO_meth_set_write(m, put) && BIO_meth_set_read(m, get) && BIO_meth_set_ctrl(m, control))
		return m;
	BIO_meth_free(m);
	return NULL;
}

/* ---- the files ---- */

static int give_password(char *out, int size, int writes, void *arg)
{
	const char *password = arg;
	size_t len = strlen(password);

	(void)writes;
	if (size < 0 || len > (size_t)size)
		return -1;
	memcpy(out, password, len);
	return (int)len;
}

static bool load_own(SSL_CTX *context, const struct tls_settings *s, struct err *e)
{
	const char *password = s->key_password ? s->key_password : "";
	bool ok;

	if (!s->cert_file || !s->cert_file[0])
		return true;
	if (SSL_CTX_use_certificate_chain_file(context, s->cert_file) != 1)
		return err_set(e, ERR_REFUSED, 0, where, "the certificate in %.120s cannot be read as PEM", s->cert_file);
	SSL_CTX_set_default_passwd_cb(context, give_password);
	SSL_CTX_set_default_passwd_cb_userdata(context, (void *)(uintptr_t)password);
	ok = SSL_CTX_use_PrivateKey_file(context, s->key_file ? s->key_file : "", SSL_FILETYPE_PEM) == 1 &&
	     SSL_CTX_check_private_key(context) == 1;
	SSL_CTX_set_default_passwd_cb_userdata(context, NULL);
	SSL_CTX_set_default_passwd_cb(context, NULL);
	return ok || err_set(e, ERR_REFUSED, 0, where,
			     "the key in %.120s cannot be read, wants another password, or is not the certificate's",
			     s->key_file ? s->key_file : "");
}

static bool load(SSL_CTX *context, const struct tls_settings *s, struct err *e)
{
	bool named = s->ca_file && s->ca_file[0];
	int ok = named ? SSL_CTX_load_verify_file(context, s->ca_file) : SSL_CTX_set_default_verify_paths(context);

	if (ok != 1)
		return err_set(e, ERR_REFUSED, 0, where, "the authorities in %.120s cannot be read as PEM",
			       named ? s->ca_file : "the system's folder");
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 && load_own(context, s, e);
}

struct tls_client *tls_client_new(const struct tls_settings *settings, struct err *e)
{
	struct tls_client *c = calloc(1, sizeof *c);

	if (c) {
		c->any_name = settings->any_name;
		c->context = SSL_CTX_new(TLS_client_method());
		c->socket = make_socket();
	}
	if (!c || !c->context || !c->socket)
		err_set(e, ERR_TRANSIENT, 0, where, "out of memory");
	else if (load(c->context, settings, e))
		return c;
	ERR_clear_error();
	tls_client_free(&c);
	return NULL;
}

void tls_client_free(struct tls_client **client)
{
	struct tls_client *c = *client;

	if (!c)
		return;
	SSL_CTX_free(c->context);
	BIO_meth_free(c->socket);
	free(c);
	*client = NULL;
}

/* ---- one stream ---- */

/* Who the other end has to be. An address is no name: it is looked for among the addresses of the certificate. */
static bool expect(SSL *ssl, const char *name, bool any_name)
{
	ASN1_OCTET_STRING *address = a2i_IPADDRESS(name);
	bool is_address = address != NULL;

	ASN1_OCTET_STRING_free(address);
	ERR_clear_error();
	if (is_address)
		return any_name || X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set_tlsext_host_name(ssl, name) == 1 && (any_name || SSL_set1_host(ssl, name) == 1);
}

struct tls_stream *tls_stream_new(struct tls_client *client, int fd, const char *name, struct err *e)
{
	struct tls_stream *s = calloc(1, sizeof *s);
	BIO *bio = BIO_new(client->socket);

	if (s)
		s->ssl = SSL_new(client->context);
	if (!s || !bio || !s->ssl || !expect(s->ssl, name, client->any_name)) {
		BIO_free(bio);
		tls_stream_free(&s);
		err_set(e, ERR_TRANSIENT, 0, where, "out of memory");
		return NULL;
	}
	BIO_set_data(bio, (void *)(intptr_t)fd);
	BIO_set_init(bio, 1);
	SSL_set_bio(s->ssl, bio, bio);
	SSL_set_connect_state(s->ssl);
	return s;
}

void tls_stream_free(struct tls_stream **stream)
{
	if (!*stream)
		return;
	SSL_free((*stream)->ssl);
	free(*stream);
	*stream = NULL;
}

bool tls_is_open(const struct tls_stream *stream)
{
	return SSL_is_init_finished(stream->ssl) == 1;
}

/* Nothing of what the other end sent is quoted. */
static void say_refusal(struct tls_stream *s, unsigned long code, struct err *e)
{
	long verdict = SSL_get_verify_result(s->ssl);

	switch (verdict) {
	case X509_V_OK:
		break;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		err_set(e, ERR_REFUSED, 0, where, "its certificate is for another name than the one it was asked for by");
		return;
	default:
		err_set(e, ERR_REFUSED, 0, where, "its certificate is not trusted: %s", X509_verify_cert_error_string(verdict));
		return;
	}
	switch (ERR_GET_REASON(code)) {
	case SSL_R_WRONG_VERSION_NUMBER:
	case SSL_R_PACKET_LENGTH_TOO_LONG:
	case SSL_R_RECORD_LENGTH_MISMATCH:
		err_set(e, ERR_REFUSED, 0, where, "what answers there does not speak TLS");
		break;
	default:
		err_set(e, ERR_REFUSED, 0, where, "the TLS handshake failed: %s; does it want a certificate of ours?",
			code ? ERR_reason_error_string(code) : "no reason was given");
		break;
	}
}

static enum tls_status ended(struct tls_stream *s, int why, int system, struct err *e)
{
	unsigned long code = ERR_peek_error();
	bool eof = ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING;

	if (why == SSL_ERROR_SSL && !eof)
		say_refusal(s, code, e);
	else if (why == SSL_ERROR_SYSCALL && system)
		err_set(e, ERR_TRANSIENT, system, where, "%s", strerror(system));
	else if (!tls_is_open(s))
		err_set(e, ERR_TRANSIENT, 0, where, "it hung up during the TLS handshake; is it a port without TLS?");
	else
		err_set(e, ERR_TRANSIENT, 0, where, "Server closed the connection");
	ERR_clear_error();
	return TLS_ENDED;
}

static enum tls_status status_of(struct tls_stream *s, int ok, struct err *e)
{
	int system = errno, why;

	if (ok == 1)
		return TLS_MOVED;
	why = SSL_get_error(s->ssl, ok);
	return why == SSL_ERROR_WANT_READ ? TLS_WANTS_READ : why == SSL_ERROR_WANT_WRITE ? TLS_WANTS_WRITE :
		ended(s, why, system, e);
}

enum tls_status tls_read(struct tls_stream *stream, void *data, size_t size, size_t *moved_r, struct err *e)
{
	*moved_r = 0;
	errno = 0;
	ERR_clear_error();
	return status_of(stream, SSL_read_ex(stream->ssl, data, size, moved_r), e);
}

enum tls_status tls_write(struct tls_stream *stream, const void *data, size_t len, size_t *moved_r, struct err *e)
{
	*moved_r = 0;
	errno = 0;
	ERR_clear_error();
	return status_of(stream, SSL_write_ex(stream->ssl, data, len, moved_r), e);
}
