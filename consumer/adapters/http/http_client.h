/* SPDX-License-Identifier: Apache-2.0
 * One HTTP conversation partner: bounded in time and size, with no redirects, no proxy from the environment, no
 * decompression, and stoppable. What the answers mean is decided one layer up (http_rest). */
#ifndef SANDBOX_HTTP_CLIENT_H
#define SANDBOX_HTTP_CLIENT_H

#include "handlers/base/buf.h"
#include "handlers/base/err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_settings {
	const char *base_url;       /* http:// or https://, without user, query or fragment */
	const char *bearer;         /* NULL or "": no Authorization header; a secret, never logged */
	int64_t connect_timeout_ms; /* 0: 3 s */
	int64_t total_timeout_ms;   /* 0: 10 s; name look-up to last byte */
	size_t max_body_bytes;      /* 0: 16 MiB */
};

struct http_header {
	const char *name, *value;
};

struct http_request {
	const char *method; /* GET, PUT, POST or DELETE */
	const char *path;   /* below base_url, made with http_path_add */
	const struct http_header *headers;
	size_t header_count;
	const char *body; /* NULL: none */
	size_t body_len;
};

struct http_answer {
	int status;
	int64_t retry_after_ms; /* 0 when not asked for; at most one hour */
	const struct buf *body; /* borrowed until the next call on this client */
};

struct http_client;

/* A client of that system (its name goes into err.where). Settings are copied. stop may be NULL; once it is true a
 * running call ends within about 100 ms. One thread at a time; connections are kept between calls. NULL on failure. */
struct http_client *http_client_new(const struct http_settings *s, const char *system, const atomic_bool *stop,
                                    struct err *e);
void http_client_free(struct http_client **c);
const char *http_client_system(const struct http_client *c);

/* True when an answer of any status arrived whole. On failure: TRANSIENT when the request never left or was a GET,
 * UNSURE when anything else had been sent; ERR_CODE_ABORTED as code when it was stopped. */
bool http_client_send(struct http_client *c, const struct http_request *request, struct http_answer *answer_r,
                      struct err *e);

/* Adds "/" and the segment, percent-encoded but for letters, digits and "-_~.". False for a segment that would
 * change the path's meaning ("", ".", "..") and when it does not fit. */
bool http_path_add(struct buf *path, const char *segment);

#endif
