/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/partner_priv.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>

enum { DAY_S = 24 * 60 * 60 };

struct identity {
	EVP_PKEY *key;
	X509 *certificate;
};

struct wanted {
	const char *subject, *names; /* NULL names: an authority */
	long from_s, until_s;        /* from now */
};

static const char our_names[] = "DNS:localhost,DNS:*.partner.test,IP:127.0.0.1,IP:::1";
static const struct wanted authority = { "Authority of a test", NULL, -DAY_S, DAY_S };
static const struct wanted good = { "localhost", our_names, -DAY_S, DAY_S };
static const struct wanted expired = { "localhost", our_names, -2 * DAY_S, -DAY_S };
static const struct wanted other_host = { "other.example", "DNS:other.example", -DAY_S, DAY_S };

static bool add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;
	bool ok;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	ok = extension && X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
	return ok;
}

static bool set_names(X509 *certificate, const struct wanted *w, X509 *issuer)
{
	X509_NAME *name = X509_get_subject_name(certificate);
	uint64_t serial;

	return RAND_bytes((unsigned char *)&serial, sizeof serial) == 1 &&
	       ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1) &&
	       X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)w->subject, -1, -1, 0) &&
	       X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
}

static bool set_extensions(X509 *certificate, const struct wanted *w, X509 *issuer)
{
	if (!w->names)
		return add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:TRUE") &&
		       add_extension(certificate, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
	return add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_extension(certificate, issuer, NID_subject_alt_name, w->names);
}

/* by NULL: signed by itself. */
static bool identity_make(struct identity *i_r, const struct wanted *w, const struct identity *by)
{
	X509 *issuer;

	i_r->key = EVP_EC_gen("P-256");
	i_r->certificate = X509_new();
	if (!i_r->key || !i_r->certificate)
		return false;
	issuer = by ? by->certificate : i_r->certificate;
	return X509_set_version(i_r->certificate, X509_VERSION_3) && set_names(i_r->certificate, w, issuer) &&
	       X509_gmtime_adj(X509_getm_notBefore(i_r->certificate), w->from_s) &&
	       X509_gmtime_adj(X509_getm_notAfter(i_r->certificate), w->until_s) &&
	       X509_set_pubkey(i_r->certificate, i_r->key) && set_extensions(i_r->certificate, w, issuer) &&
	       X509_sign(i_r->certificate, by ? by->key : i_r->key, EVP_sha256()) > 0;
}

static void identity_done(struct identity *i)
{
	X509_free(i->certificate);
	EVP_PKEY_free(i->key);
	*i = (struct identity){ NULL, NULL };
}

static bool open_door(struct partner_server *server, enum partner_door door, const struct wanted *w,
                      const struct identity *by)
{
	struct identity identity = { NULL, NULL };
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
	bool ok = tls && identity_make(&identity, w, by) && SSL_CTX_use_certificate(tls, identity.certificate) == 1 &&
	          SSL_CTX_use_PrivateKey(tls, identity.key) == 1;

	if (ok)
		SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
		                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	server->tls[door] = tls;
	identity_done(&identity);
	return ok;
}

static bool only_old_versions(SSL_CTX *tls)
{
	return SSL_CTX_set_cipher_list(tls, "ALL:@SECLEVEL=0") && SSL_CTX_set_min_proto_version(tls, TLS1_VERSION) &&
	       SSL_CTX_set_max_proto_version(tls, TLS1_1_VERSION);
}

static bool write_authority(const struct partner_server *server, const struct identity *ca)
{
	FILE *file = fopen(server->ca_file, "we");
	bool ok = file && PEM_write_X509(file, ca->certificate) == 1;

	return file && fclose(file) == 0 && ok;
}

bool partner_certificates_make(struct partner_server *server, struct err *e)
{
	struct identity ca = { NULL, NULL };
	bool ok = identity_make(&ca, &authority, NULL) && write_authority(server, &ca) &&
	          open_door(server, PARTNER_HTTPS, &good, &ca) && open_door(server, PARTNER_EXPIRED, &expired, &ca) &&
	          open_door(server, PARTNER_OTHER_HOST, &other_host, &ca) &&
	          open_door(server, PARTNER_SELF_SIGNED, &good, NULL) &&
	          open_door(server, PARTNER_OLD_TLS, &good, &ca) && only_old_versions(server->tls[PARTNER_OLD_TLS]);

	identity_done(&ca);
	return ok || err_set(e, ERR_TRANSIENT, 0, "partner_server", "the certificates could not be made");
}
