/* SPDX-License-Identifier: Apache-2.0
 * Addresses of requests, and the proof that we may send them: shared key ("Authorize with Shared Key" of the Blob
 * service's REST reference) or a SAS, which is part of the address. */
#include "consumer/adapters/azure/azure_priv.h"

#include "consumer/adapters/openssl/base64.h"
#include "consumer/adapters/openssl/hmac_sha256.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SAS_BYTES_MAX = 4096, SAS_LIFE_S = 6 * 3600, SAS_SPARE_S = 1800, SIGN_BYTES_MAX = 64 * 1024, LINES_MAX = 64 };

#define SAS_VERSION "2021-12-02"

/* ---- a place ---- */

static bool refuse(struct err *e, const char *why)
{
	return err_set(e, ERR_REFUSED, 0, "blobs", "%s", why);
}

static bool take_url(struct azure_place *p, const char *url, struct err *e)
{
	size_t len = strlen(url);
	const char *host;

	while (len > 0 && url[len - 1] == '/')
		len--;
	if (len >= sizeof p->url || (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0) ||
	    strpbrk(url, "?#@% \t\r\n"))
		return refuse(e, "the container's URL must be http:// or https://, a host and the container's path");
	memcpy(p->url, url, len);
	p->url[len] = '\0';
	host = strstr(p->url, "://") + 3;
	p->path = strchr(host, '/');
	return p->path || refuse(e, "the container's URL names no container");
}

static bool take_key(struct azure_place *p, const struct azure_container *c, struct err *e)
{
	if (!c->key || !*c->key)
		return true;
	p->key_len = base64_read(c->key, strlen(c->key), p->key, sizeof p->key);
	if (!p->key_len)
		return refuse(e, "the account's key is none: base64 is expected");
	if (!c->account || !*c->account || strlen(c->account) >= sizeof p->account)
		return refuse(e, "an account's key needs the account's name");
	memcpy(p->account, c->account, strlen(c->account) + 1);
	return true;
}

bool azure_place_init(struct azure_place *p, const struct azure_container *c, struct err *e)
{
	const char *sas = c->sas ? c->sas : "";

	buf_init(&p->sas, SAS_BYTES_MAX);
	buf_init(&p->read, SAS_BYTES_MAX);
	if (!take_url(p, c->url, e) || !take_key(p, c, e))
		return false;
	sas += *sas == '?';
	if (strpbrk(sas, " \t\r\n#") || (*sas && !strstr(sas, "sig=")))
		return refuse(e, "the SAS is none: the part behind the question mark, with sig=, is expected");
	if (*sas && p->key_len)
		return refuse(e, "either the account's key or a SAS, not both");
	return !*sas || buf_add_text(&p->sas, sas) || refuse(e, "the SAS is too long");
}

static void forget(struct buf *secret)
{
	if (secret->data)
		explicit_bzero(secret->data, secret->size);
	buf_done(secret);
}

void azure_place_done(struct azure_place *p)
{
	explicit_bzero(p->key, sizeof p->key);
	forget(&p->sas);
	forget(&p->read);
}

/* ---- addresses ---- */

static bool add_escaped(struct buf *out, const char *text, size_t len)
{
	char *escaped = len ? curl_easy_escape(NULL, text, (int)len) : NULL;
	bool ok = !len || (escaped && buf_add_text(out, escaped));

	curl_free(escaped);
	return ok;
}

bool azure_add_path(struct buf *out, const char *name)
{
	for (;;) {
		size_t len = strcspn(name, "/");

		if (!buf_add_text(out, "/") || !add_escaped(out, name, len))
			return false;
		if (!name[len])
			return true;
		name += len + 1;
	}
}

bool azure_add_url(struct buf *url, const struct azure_request *r)
{
	const char *between = "?";
	bool ok = buf_add_text(url, r->at->url) && (!r->blob || azure_add_path(url, r->blob));

	for (size_t i = 0; ok && i < AZURE_PARAMS_MAX && r->params[i].name; i++) {
		if (!*r->params[i].value)
			continue;
		ok = buf_printf(url, "%s%s=", between, r->params[i].name) &&
		     add_escaped(url, r->params[i].value, strlen(r->params[i].value));
		between = "&";
	}
	if (ok && r->at->sas.len)
		ok = buf_printf(url, "%s%s", between, buf_text(&r->at->sas));
	return ok;
}

/* ---- signing ---- */

static bool add_signature(const struct azure_place *p, const struct buf *text, struct buf *out, struct err *e)
{
	unsigned char hash[HMAC_SHA256_BYTES];

	return hmac_sha256(p->key, p->key_len, buf_text(text), text->len, hash, e) &&
	       (base64_add(out, hash, sizeof hash) || err_set(e, ERR_TRANSIENT, 0, "blobs", "no room for a signature"));
}

struct line {
	const char *text;
	size_t len, name;
};

static bool has_name(const struct line *l, const char *name)
{
	return l->name == strlen(name) && strncasecmp(l->text, name, l->name) == 0;
}

static size_t split_lines(const char *text, struct line lines_r[LINES_MAX])
{
	size_t count = 0;

	for (; *text && count < LINES_MAX; count++) {
		lines_r[count].len = strcspn(text, "\n");
		lines_r[count].text = text;
		lines_r[count].name = strcspn(text, ":");
		text += lines_r[count].len + (text[lines_r[count].len] == '\n');
	}
	return *text ? LINES_MAX + 1 : count;
}

static int by_name(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	size_t len = x->name < y->name ? x->name : y->name;
	int order = strncasecmp(x->text, y->text, len);

	return order ? order : (x->name > y->name) - (x->name < y->name);
}

/* "name: value" as "name:value", the name in lower case. */
static bool add_canonical(struct buf *out, const struct line *l)
{
	const char *value = l->text + l->name + 1;
	size_t len = l->len - l->name - 1;

	for (size_t i = 0; i < l->name; i++) {
		char c = l->text[i];

		c = (char)(c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c);
		if (!buf_add(out, &c, 1))
			return false;
	}
	while (len && *value == ' ')
		value++, len--;
	while (len && value[len - 1] == ' ')
		len--;
	return buf_add(out, ":", 1) && buf_add(out, value, len) && buf_add(out, "\n", 1);
}

/* The eleven standard headers, of which we send five at most. */
static bool add_standard(struct buf *out, const struct azure_request *r, const struct line *lines, size_t count)
{
	static const char *const names[] = { "Content-Encoding", "Content-Language", "Content-Length", "Content-MD5",
		                             "Content-Type", "Date", "If-Modified-Since", "If-Match", "If-None-Match",
		                             "If-Unmodified-Since", "Range" };
	bool ok = buf_printf(out, "%s\n", r->method);

	for (size_t i = 0; ok && i < sizeof names / sizeof *names; i++) {
		if (strcmp(names[i], "Content-Length") == 0 && r->body_len)
			ok = buf_printf(out, "%zu", r->body_len);
		for (size_t l = 0; ok && l < count; l++)
			if (has_name(&lines[l], names[i]))
				ok = buf_add(out, lines[l].text + lines[l].name + 2, lines[l].len - lines[l].name - 2);
		ok = ok && buf_add(out, "\n", 1);
	}
	return ok;
}

static bool add_resource(struct buf *out, const struct azure_request *r)
{
	bool ok = buf_printf(out, "/%s%s", r->at->account, r->at->path) && (!r->blob || azure_add_path(out, r->blob));

	for (size_t i = 0; ok && i < AZURE_PARAMS_MAX && r->params[i].name; i++)
		if (*r->params[i].value)
			ok = buf_printf(out, "\n%s:%s", r->params[i].name, r->params[i].value);
	return ok;
}

bool azure_add_authorization(struct buf *out, const struct azure_request *r, const char *text, struct err *e)
{
	struct line lines[LINES_MAX];
	size_t count = split_lines(text, lines);
	struct buf signed_text;
	bool ok;

	if (!r->at->key_len)
		return true;
	if (count > LINES_MAX)
		return refuse(e, "a blob has more metadata than can be signed");
	buf_init(&signed_text, SIGN_BYTES_MAX);
	ok = add_standard(&signed_text, r, lines, count);
	qsort(lines, count, sizeof *lines, by_name);
	for (size_t i = 0; ok && i < count; i++)
		if (lines[i].name > 5 && strncasecmp(lines[i].text, "x-ms-", 5) == 0)
			ok = add_canonical(&signed_text, &lines[i]);
	ok = (ok && add_resource(&signed_text, r)) || err_set(e, ERR_TRANSIENT, 0, "blobs", "no room for a request");
	ok = ok && buf_printf(out, "Authorization: SharedKey %s:", r->at->account) &&
	     add_signature(r->at, &signed_text, out, e) && buf_add_text(out, "\n");
	buf_done(&signed_text);
	return ok;
}

/* ---- a SAS of our own: reads this container's blobs for some hours ---- */

static bool write_sas(struct azure_place *p, const char *container, const char *until, struct buf *text,
                      struct buf *signature, struct err *e)
{
	/* permissions, start, expiry, resource, identifier, addresses, protocols, version, kind, snapshot, scope, and
	 * five headers of the answer that may be set otherwise */
	bool ok = buf_printf(text, "r\n\n%s\n/blob/%s/%s\n\n\n\n" SAS_VERSION "\nc\n\n\n\n\n\n\n", until, p->account,
	                     container) &&
	          add_signature(p, text, signature, e);

	return ok && buf_printf(&p->read, "sv=" SAS_VERSION "&sr=c&sp=r&se=%s&sig=", until) &&
	       add_escaped(&p->read, buf_text(signature), signature->len);
}

static bool make_sas(struct azure_place *p, struct err *e)
{
	time_t now = time(NULL), end = now + SAS_LIFE_S;
	struct buf text, signature;
	struct tm tm;
	char until[32];
	bool ok;

	if (p->read.len && now < p->read_until)
		return true;
	if (!gmtime_r(&end, &tm) || !strftime(until, sizeof until, "%Y-%m-%dT%H:%M:%SZ", &tm))
		return err_set(e, ERR_TRANSIENT, 0, "blobs", "the clock tells no time");
	buf_clear(&p->read);
	buf_init(&text, SAS_BYTES_MAX);
	buf_init(&signature, SAS_BYTES_MAX);
	ok = write_sas(p, strrchr(p->path, '/') + 1, until, &text, &signature, e);
	buf_done(&text);
	buf_done(&signature);
	p->read_until = end - SAS_SPARE_S;
	return ok || err_set(e, ERR_TRANSIENT, 0, "blobs", "out of memory");
}

bool azure_add_source(struct buf *out, struct azure_place *p, const char *blob, struct err *e)
{
	const struct buf *sas = p->key_len ? &p->read : &p->sas;

	if (p->key_len && !make_sas(p, e))
		return false;
	return (buf_add_text(out, p->url) && azure_add_path(out, blob) &&
	        (!sas->len || buf_printf(out, "?%s", buf_text(sas)))) ||
	       err_set(e, ERR_TRANSIENT, 0, "blobs", "no room for a request");
}
