/* SPDX-License-Identifier: Apache-2.0
 * The newest token a tree of blobs has seen, in a small blob at its top. It is written only over the one that was read,
 * so that of two owners the later one wins, whatever the order of their requests. */
#include "consumer/adapters/azure/azure_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { TOKEN_BYTES_MAX = 1024, TRIES_MAX = 5 };

/* etag_r "" and 0 when there is none. */
static bool read_token(struct azure *a, struct azure_call *c, const char *name, uint64_t *token_r, struct err *e)
{
	const struct azure_request request = { .method = "GET", .at = &a->target, .blob = name };

	*token_r = 0;
	if (!azure_call_run(a, c, &request, e))
		return false;
	if (c->result == CURLE_OK && c->status == 404) {
		c->etag[0] = '\0';
		return true;
	}
	if (c->result != CURLE_OK || c->status != 200 || !*c->etag)
		return azure_call_failed(c, "reading the token", e);
	*token_r = strtoull(buf_text(&c->body), NULL, 10);
	return true;
}

/* *lost_r: somebody else has written since it was read. */
static bool write_token(struct azure *a, struct azure_call *c, const char *name, const struct fence *f, bool *lost_r,
                        struct err *e)
{
	char text[32], headers[AZURE_ETAG_MAX + 64];
	struct azure_request request = { .method = "PUT", .at = &a->target, .blob = name, .headers = headers, .body = text };

	request.body_len = (size_t)snprintf(text, sizeof text, "%" PRIu64 "\n", f->token);
	if (*c->etag)
		snprintf(headers, sizeof headers, "x-ms-blob-type: BlockBlob\nIf-Match: \"%s\"\n", c->etag);
	else
		snprintf(headers, sizeof headers, "x-ms-blob-type: BlockBlob\nIf-None-Match: *\n");
	if (!azure_call_run(a, c, &request, e))
		return false;
	*lost_r = c->result == CURLE_OK && (c->status == 412 || c->status == 409);
	return *lost_r || (c->result == CURLE_OK && c->status == 201) || azure_call_failed(c, "writing the token", e);
}

static bool check(struct azure *a, struct azure_call *c, const char *name, const struct fence *f, uint64_t *seen_r,
                  struct err *e)
{
	if (!read_token(a, c, name, seen_r, e))
		return false;
	return *seen_r <= f->token || err_set(e, ERR_REFUSED, ERR_CODE_FENCED, "blobs",
	                                      "a newer owner has taken over these files");
}

static bool raise(struct azure *a, struct azure_call *c, const char *name, const struct fence *f, struct err *e)
{
	for (int tries = 0; tries < TRIES_MAX; tries++) {
		bool lost = false;
		uint64_t seen;

		if (!check(a, c, name, f, &seen, e))
			return false;
		if (seen == f->token)
			return true;
		if (!write_token(a, c, name, f, &lost, e))
			return false;
		if (!lost)
			return true;
	}
	return err_set(e, ERR_TRANSIENT, 0, "blobs", "others write the token at the same time");
}

bool azure_token_check(struct azure *a, const char *root, const struct fence *f, struct err *e)
{
	char name[300];
	struct azure_call c;
	uint64_t seen;
	bool ok;

	snprintf(name, sizeof name, "%s/" AZURE_TOKEN_NAME, root);
	ok = azure_call_init(a, &c, TOKEN_BYTES_MAX, e) && check(a, &c, name, f, &seen, e);
	azure_call_done(a, &c);
	return ok;
}

bool azure_token_raise(struct azure *a, const struct fence *f, struct err *e)
{
	char name[300];
	struct azure_call c;
	bool ok;

	snprintf(name, sizeof name, "%s/" AZURE_TOKEN_NAME, f->generation);
	ok = azure_call_init(a, &c, TOKEN_BYTES_MAX, e) && raise(a, &c, name, f, e);
	azure_call_done(a, &c);
	return ok;
}
