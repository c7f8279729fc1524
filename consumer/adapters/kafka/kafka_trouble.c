/* SPDX-License-Identifier: Apache-2.0
 * Why no broker lets us in, in a sentence that says what to look at. librdkafka tells it in words, for people, which are
 * not the same in all versions, and does not tell at all what is wrong with a certificate: that is asked by a callback,
 * in librdkafka's threads. What belongs to a client lives as long as the client. */
#include "consumer/adapters/kafka/kafka_priv.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* OpenSSL's results of looking at a certificate, as openssl-verification-options(1) lists them. */
enum { X509_NOT_YET_VALID = 9, X509_EXPIRED = 10, X509_REVOKED = 23, X509_OTHER_HOST = 62, X509_OTHER_ADDRESS = 64 };

enum kind {
	KIND_UNKNOWN,
	KIND_LOGIN,
	KIND_STRANGER,
	KIND_DATES,
	KIND_REVOKED,
	KIND_OTHER_HOST,
	KIND_CLIENT_CERTIFICATE,
	KIND_NO_TLS,
	KIND_ONLY_TLS,
	KIND_END
};

struct kafka_trouble {
	atomic_int certificate; /* what is wrong with the broker's; 0 nothing */
	atomic_int kind, code;  /* the last trouble */
	atomic_bool all_down;   /* every broker was tried, none let us in */
	bool scram_is_old, is_plain;
};

static const char *const sentences[KIND_END] = {
	[KIND_LOGIN] = "the Kafka brokers refuse the login: check sasl.mechanism, sasl.username and the password in "
		       "sasl.password_file",
	[KIND_STRANGER] = "the certificate of the Kafka broker comes from nobody that is trusted here: ssl.ca.location must "
			  "name the file with the certificate of its CA",
	[KIND_DATES] = "the certificate of the Kafka broker has expired or is not valid yet: the broker needs another one, or "
		       "the clock of this machine is wrong",
	[KIND_REVOKED] = "the certificate of the Kafka broker is revoked: the broker needs another one",
	[KIND_OTHER_HOST] = "the certificate of the Kafka broker is for another host: bootstrap.servers and the broker's "
			    "advertised.listeners must use a name that stands in it",
	[KIND_CLIENT_CERTIFICATE] = "the Kafka brokers do not accept our certificate, or miss one: check "
				    "ssl.certificate.location and ssl.key.location, and that the brokers trust its CA",
	[KIND_NO_TLS] = "the Kafka broker does not answer in TLS there: check the port in bootstrap.servers and "
			"security.protocol",
	[KIND_ONLY_TLS] = "the Kafka broker hangs up on plain text, it probably wants TLS there: check the port in "
			  "bootstrap.servers and security.protocol",
};

/* The nonce that librdkafka doubled before 2.6.1 is no longer tolerated by Kafka 4. */
static const char scram_is_refused[] =
	"; brokers of Kafka 4 refuse SCRAM of a librdkafka older than 2.6.1 even with the right password";

static bool has_old_scram(void)
{
	return rd_kafka_version() < 0x020601ff;
}

static bool begins_with(const char *value, const char *start)
{
	return strncasecmp(value, start, strlen(start)) == 0;
}

struct kafka_trouble *kafka_trouble_new(const struct kafka_settings *s)
{
	struct kafka_trouble *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	t->is_plain = true;
	for (size_t i = 0; i < s->property_count; i++) {
		const struct kafka_property *p = &s->properties[i];

		if (strcmp(p->name, "security.protocol") == 0)
			t->is_plain = begins_with(p->value, "plaintext") || begins_with(p->value, "sasl_plaintext");
		else if (begins_with(p->name, "sasl.mechanism"))
			t->scram_is_old = has_old_scram() && begins_with(p->value, "SCRAM");
	}
	return t;
}

/* Accepts exactly what OpenSSL accepts. */
static int see_certificate(rd_kafka_t *client, const char *broker, int32_t id, int *result, int depth, const char *der,
			   size_t size, char *text, size_t text_size, void *opaque)
{
	struct kafka_trouble *t = opaque;

	(void)client, (void)broker, (void)id, (void)der, (void)size, (void)text, (void)text_size;
	if (*result != 0 || depth == 0)
		atomic_store(&t->certificate, *result);
	return *result == 0;
}

static void hear(rd_kafka_t *client, int code, const char *text, void *opaque)
{
	(void)opaque;
	kafka_trouble_hear(client, (rd_kafka_resp_err_t)code, text);
}

static void read_log(const rd_kafka_t *client, int level, const char *facility, const char *text)
{
	(void)level;
	kafka_trouble_read_log(client, facility, text);
}

void kafka_trouble_watch(rd_kafka_conf_t *conf, struct kafka_trouble *t, bool by_callback)
{
	rd_kafka_conf_set_opaque(conf, t);
	rd_kafka_conf_set_ssl_cert_verify_cb(conf, see_certificate); /* refused by a library without TLS: nothing to see */
	if (!by_callback)
		return;
	rd_kafka_conf_set_error_cb(conf, hear);
	rd_kafka_conf_set_log_cb(conf, read_log);
}

static enum kind kind_of_certificate(int result)
{
	switch (result) {
	case X509_NOT_YET_VALID:
	case X509_EXPIRED:
		return KIND_DATES;
	case X509_REVOKED:
		return KIND_REVOKED;
	case X509_OTHER_HOST:
	case X509_OTHER_ADDRESS:
		return KIND_OTHER_HOST;
	default:
		return KIND_STRANGER;
	}
}

static enum kind kind_of(const struct kafka_trouble *t, rd_kafka_resp_err_t code, const char *text)
{
	if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED)
		return KIND_LOGIN;
	if (strstr(text, "certificate verify failed"))
		return kind_of_certificate(atomic_load(&t->certificate));
	if (strstr(text, "SSL alert number") && (strstr(text, "certificate") || strstr(text, "unknown ca")))
		return KIND_CLIENT_CERTIFICATE;
	if (strstr(text, "PLAINTEXT broker listener") || strstr(text, "wrong version number") ||
	    (strstr(text, "SSL handshake failed") && strstr(text, "unexpected eof")))
		return KIND_NO_TLS;
	return t->is_plain && strstr(text, "connecting to a SSL listener") ? KIND_ONLY_TLS : KIND_UNKNOWN;
}

/* Who is hung up on in the middle of a handshake knows no more than before; or else that nobody there speaks TLS. */
static enum kind kind_of_hanging_up(const struct kafka_trouble *t)
{
	const int before = atomic_load(&t->kind);

	return before == KIND_UNKNOWN ? KIND_NO_TLS : (enum kind)before;
}

bool kafka_trouble_hear(rd_kafka_t *client, rd_kafka_resp_err_t code, const char *text)
{
	struct kafka_trouble *t = rd_kafka_opaque(client);
	enum kind kind;

	if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
		atomic_store(&t->all_down, true);
		if (atomic_load(&t->code) == RD_KAFKA_RESP_ERR_NO_ERROR)
			atomic_store(&t->code, (int)code);
		return false;
	}
	atomic_store(&t->code, (int)code);
	kind = kind_of(t, code, text);
	if (kind == KIND_UNKNOWN && strstr(text, "Disconnected") && strstr(text, "in state SSL_HANDSHAKE"))
		kind = kind_of_hanging_up(t);
	return (int)kind != atomic_exchange(&t->kind, (int)kind) && kind != KIND_UNKNOWN;
}

/* A broker that wants TLS hangs up on the first question. Newer versions of librdkafka do not report that as an error. */
void kafka_trouble_read_log(const rd_kafka_t *client, const char *facility, const char *text)
{
	struct kafka_trouble *t = rd_kafka_opaque(client);
	int unknown = KIND_UNKNOWN;

	if (t->is_plain && strcmp(facility, "FAIL") == 0 && strstr(text, "Disconnected") &&
	    strstr(text, "in state APIVERSION_QUERY"))
		atomic_compare_exchange_strong(&t->kind, &unknown, KIND_ONLY_TLS);
}

const char *kafka_trouble_sentence(rd_kafka_t *client, const char **more_r)
{
	const struct kafka_trouble *t = rd_kafka_opaque(client);
	int kind = atomic_load(&t->kind);

	*more_r = kind == KIND_LOGIN && t->scram_is_old ? scram_is_refused : "";
	return sentences[kind];
}

bool kafka_trouble_is_certain(rd_kafka_t *client)
{
	const struct kafka_trouble *t = rd_kafka_opaque(client);

	return atomic_load(&t->all_down) && atomic_load(&t->kind) != KIND_UNKNOWN;
}

bool kafka_trouble_err(rd_kafka_t *client, rd_kafka_resp_err_t code, const char *what, struct err *e)
{
	const struct kafka_trouble *t = rd_kafka_opaque(client);
	rd_kafka_resp_err_t heard = (rd_kafka_resp_err_t)atomic_load(&t->code);
	const char *more, *sentence = kafka_trouble_sentence(client, &more);

	if (!sentence)
		return kafka_err_set(e, heard ? heard : code, "kafka", what);
	return err_set(e, ERR_TRANSIENT, atomic_load(&t->kind) == KIND_LOGIN ? ERR_CODE_AUTH : (int)heard, "kafka", "%s%s",
		       sentence, more);
}
