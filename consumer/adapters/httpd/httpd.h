/* SPDX-License-Identifier: Apache-2.0
 * A small HTTP server for metrics and health: GET and HEAD only, a bound on connections and on their time. */
#ifndef SANDBOX_HTTPD_HTTPD_H
#define SANDBOX_HTTPD_HTTPD_H

#include "handlers/base/buf.h"
#include "handlers/base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { HTTPD_BODY_MAX = 8 * 1024 * 1024, HTTPD_CONNECTIONS = 32, HTTPD_TIMEOUT_S = 10 };

struct httpd_answer {
	int status;               /* 200 unless set */
	const char *content_type; /* a constant; "text/plain; charset=utf-8" unless set */
	struct buf body;
};

struct httpd_route {
	const char *path;
	bool needs_token; /* only when the settings have one */
	/* Fills the answer; accept is the header's text or "". Called from the server's thread. */
	void (*handle)(void *arg, const char *accept, struct httpd_answer *answer);
	void *arg;
};

struct httpd_settings {
	const char *listen; /* "127.0.0.1:9109", "[::1]:9109"; port 0 takes a free one */
	const char *token;  /* bearer token of the routes that need one; NULL or "" none. Without one only loopback is
	                     * listened on. Copied. */
	const struct httpd_route *routes; /* borrowed until httpd_stop */
	size_t route_count;
};

struct httpd;

/* Starts the server's thread. NULL and *e filled when the address is wrong or taken, or when it is not loopback and
 * there is no token. */
struct httpd *httpd_start(const struct httpd_settings *settings, struct err *e);
/* The port it listens on. */
int httpd_port(const struct httpd *h);
/* Ends connections and thread; *h becomes NULL; NULL-safe. */
void httpd_stop(struct httpd **h);

#endif
