/* SPDX-License-Identifier: Apache-2.0
 * A partner's server to be told what to do: it behaves by script, path by path, badly too, and remembers every request.
 * One thread with epoll inside the calling process, on free ports of 127.0.0.1 and ::1; thousands of paths and
 * connections. The program sandbox-partner (tests/support/partner) is the same beside other processes, steered over
 * HTTP as said below.
 *
 * A script is a list of behaviours, one for each request, separated by spaces; the last one stays: "500 500 429:7 200".
 *   200 … 599      that status with a small body (204 and 304 without)
 *   STATUS:VALUE   3xx with VALUE as Location; any other with VALUE as Retry-After ("_" stands for a space)
 *   slow:MS        200 after so long          hang          the request is read, nothing is ever answered
 *   drip           200, a byte of the head each second                    drip-body     the same with the body
 *   endless-body   200 and a body without end                             endless-head  headers without end
 *   endless-line   one header without end     endless-status                            a status line without end
 *   flood          100 Continue without end   large:N       200 with a body of N bytes
 *   error-body     200 with a body that tells of an error                 gzip          200, says it is compressed, is not
 *   reset          the connection is reset    close         closed without an answer
 *   cut            closed in the middle of the body                       nonsense      an answer that is not HTTP
 *   cookie         200 with Set-Cookie        bare          a few letters, as HTTP/0.9 had it
 * A path without a script of its own follows the longest script for a prefix (one whose path ends in "*"), and has its
 * own place in it; without any it has "200". Query strings do not count as part of the path.
 *
 * Steering over HTTP, on the plain port, for other processes:
 *   PUT /-/script?/path       the body is the script
 *   GET /-/requests?N         requests from number N (from 0) on as JSON, one a line, at most 1000
 *   GET /-/counts             {"path": count, ...}
 *   DELETE /-/requests        forgets counts and requests */
#ifndef SANDBOX_TESTS_PARTNER_SERVER_H
#define SANDBOX_TESTS_PARTNER_SERVER_H

#include "handlers/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where to knock. Certificates are for localhost, *.partner.test, 127.0.0.1 and ::1, by our own authority. */
enum partner_door {
	PARTNER_HTTP,
	PARTNER_HTTPS,
	PARTNER_EXPIRED,     /* certificate that ended yesterday */
	PARTNER_OTHER_HOST,  /* certificate for another name */
	PARTNER_SELF_SIGNED, /* certificate by nobody we know */
	PARTNER_OLD_TLS,     /* speaks TLS 1.1 at most */
	PARTNER_MUTE,        /* takes the connection and never says a word */
	PARTNER_DOOR_END
};

struct partner_request {
	size_t number; /* over all paths, from 0 */
	int64_t at_ms; /* CLOCK_MONOTONIC, when its last byte was read */
	enum partner_door door;
	const char *method, *path; /* the path with its query */
	const char *head;          /* the header lines as they came, each with CR LF */
	const char *body;          /* NUL-terminated too */
	size_t body_len;
};

struct partner_server;

/* NULL with *e on failure. The certificate authority is written into folder as ca.pem; NULL: into a temporary folder
 * that partner_server_free removes. */
struct partner_server *partner_server_start(const char *folder, struct err *e);
void partner_server_free(struct partner_server **server); /* NULL-safe */

int partner_server_port(const struct partner_server *server, enum partner_door door);
const char *partner_server_ca_file(const struct partner_server *server);
/* "https://127.0.0.1:<port><path>"; out_r holds size bytes. */
const char *partner_server_url(const struct partner_server *server, enum partner_door door, const char *path, char *out_r,
                               size_t size);

/* False for a script that cannot be read. The path begins with "/"; a closing "*" makes it a prefix. */
bool partner_server_script(struct partner_server *server, const char *path, const char *script);

/* How many requests came for that path (without query), NULL: for all. */
size_t partner_server_count(struct partner_server *server, const char *path);
/* How many connections were taken at that door, whatever came over them. */
size_t partner_server_connections(struct partner_server *server, enum partner_door door);
/* Waits until there were at least so many; false after timeout_ms. */
bool partner_server_await(struct partner_server *server, const char *path, size_t count, int64_t timeout_ms);
/* The n-th request (from 0) of that path, NULL: of all; NULL when there were fewer. Valid until forgotten or freed. */
const struct partner_request *partner_server_request(struct partner_server *server, const char *path, size_t n);
/* The value of that header; "" when it is not there. out_r holds size bytes. */
const char *partner_request_header(const struct partner_request *request, const char *name, char *out_r, size_t size);
/* Forgets requests and counts; scripts stay and go on where they were. */
void partner_server_forget(struct partner_server *server);

#endif
