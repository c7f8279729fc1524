/* SPDX-License-Identifier: Apache-2.0
 * A small HTTP server for metrics, health and read-only resources: GET and HEAD only, a bound on connections and on
 * their time. Its own errors are problem details (RFC 9457). */
#ifndef SANDBOX_HTTPD_HTTPD_H
#define SANDBOX_HTTPD_HTTPD_H

#include "handlers/base/buf.h"
#include "handlers/base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { HTTPD_BODY_MAX = 8 * 1024 * 1024, HTTPD_CONNECTIONS = 32, HTTPD_TIMEOUT_S = 10, HTTPD_HEADERS_MAX = 6,
       HTTPD_HEADER_MAX = 128 };

struct httpd_header {
	const char *name; /* a constant */
	char value[HTTPD_HEADER_MAX];
};

struct httpd_answer {
	int status;               /* 200 unless set */
	const char *content_type; /* a constant; "text/plain; charset=utf-8" unless set */
	struct buf body;
	struct httpd_header headers[HTTPD_HEADERS_MAX]; /* without Cache-Control among them it is no-store */
	size_t header_count;
};

/* Adds a header to the answer; more than fit, or too long ones, are left out. */
void httpd_answer_header(struct httpd_answer *answer, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Makes the answer a problem: status, detail. */
void httpd_answer_problem(struct httpd_answer *answer, int status, const char *detail);

struct httpd_request;

/* What follows the path of the resource, decoded; "" nothing. Borrowed while the request is served, like the others. */
const char *httpd_rest(const struct httpd_request *r);
/* A header of the request; "" none. */
const char *httpd_header(const struct httpd_request *r, const char *name);
/* A parameter of the query, decoded; "" none. */
const char *httpd_parameter(const struct httpd_request *r, const char *name);

struct httpd_route {
	const char *path;
	bool needs_token; /* only when the settings have one */
	/* Fills the answer; accept is the header's text or "". Called from the server's thread. */
	void (*handle)(void *arg, const char *accept, struct httpd_answer *answer);
	void *arg;
};

struct httpd_resource {
	const char *path; /* "/api/state" */
	bool below;       /* only what is below it, "/api/state/..."; otherwise only the path itself */
	bool needs_token;
	/* Fills the answer; called from the server's threads. */
	void (*serve)(void *arg, const struct httpd_request *request, struct httpd_answer *answer);
	void *arg;
};

struct httpd_settings {
	const char *listen; /* "127.0.0.1:9109", "[::1]:9109"; port 0 takes a free one */
	const char *token;  /* bearer token of the routes that need one; NULL or "" none. Without one only loopback is
	                     * listened on. Copied. */
	const struct httpd_route *routes; /* borrowed until httpd_stop */
	size_t route_count;
	const struct httpd_resource *resources; /* the same */
	size_t resource_count;
	unsigned connections; /* at a time; 0: HTTPD_CONNECTIONS */
	unsigned threads;     /* 0: one */
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
