/* SPDX-License-Identifier: Apache-2.0
 * Posts to addresses that strangers gave us, many at a time, without blocking. Nothing of an answer but its status, its
 * Retry-After and a sentence comes back; no redirect is followed; an address that may not be reached is never connected
 * to. One thread. */
#ifndef SANDBOX_PORTS_POSTER_H
#define SANDBOX_PORTS_POSTER_H

#include "handlers/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { POST_HEADERS_MAX = 12, POST_URL_MAX = 2048, POST_BODY_MAX = 20 * 1024, POST_TEXT_MAX = 160 };

struct post_header {
	const char *name, *value;
};

struct post { /* copied */
	const char *url;
	struct post_header headers[POST_HEADERS_MAX];
	size_t header_count;
	const char *body;
	size_t body_len;
	uint64_t tag;
};

enum post_end {
	POST_UNSET,
	POST_ANSWERED,  /* status, retry_after_ms */
	POST_FORBIDDEN, /* the URL, or every address behind its name, may not be reached; nothing was connected to */
	POST_FAILED,    /* no connection, no TLS, cut off */
	POST_TIMED_OUT,
	POST_TOO_LARGE, /* the answer's head or body is beyond bounds; counts as a failure whatever its status */
};

struct post_result {
	uint64_t tag;
	enum post_end end;
	int status;
	int64_t retry_after_ms; /* as asked for; 0 none; at most 7 days */
	int64_t took_ms;
	char text[POST_TEXT_MAX]; /* a sentence for the operator, without the URL's query, user or any of the answer */
};

struct poster_port {
	/* Begins one. MISUSE for what cannot be a post; TRANSIENT when there are as many under way as may be. A URL that may
	 * not be reached is a result, not an error. */
	bool (*post)(struct poster_port *self, const struct post *post, struct err *e);
	/* The next result; false when there is none now. */
	bool (*next)(struct poster_port *self, struct post_result *result_r);
	/* Waits for something to happen, or for wake(), at most that long. */
	void (*wait)(struct poster_port *self, int64_t ms);
	void (*wake)(struct poster_port *self); /* from any thread */
	size_t (*under_way)(struct poster_port *self);
	size_t (*room)(struct poster_port *self); /* how many more post() would take */
	void (*close)(struct poster_port *self); /* cuts off what is under way */
};

#endif
