/* SPDX-License-Identifier: Apache-2.0
 * The poster port on libcurl, driven by epoll; names are looked up by a bounded pool of threads of our own.
 *
 * What is connected to: a name is looked up once for each post, every address it has is put before the address rules,
 * and libcurl is given only those that may be reached. A name that has forbidden addresses besides allowed ones is
 * posted to at the allowed ones. When libcurl opens a socket, the very address it is about to connect to must be one of
 * these and pass the rules again; otherwise there is no socket. So neither a name that changes between check and use,
 * nor a redirect (none is followed), a proxy from the environment (ignored), another protocol (none but https, and http
 * when allowed) or an odd spelling of a host (refused, target_url.h) leads anywhere else.
 *
 * With `proxy` set, every post goes through a CONNECT tunnel of that proxy and the names are its business to look up
 * and to judge: then only hosts that are written as addresses are put before the rules here.
 *
 * Memory: about 20 KiB for each post under way over http and 135 KiB over TLS, where libcurl makes a TLS context for
 * each connection, and what the post carries; so at most 280 MiB for 2,000 over TLS. The certificates are read once.
 * test_poster_load measures it and fails beyond half as much again. */
#ifndef SANDBOX_HTTP_POSTER_CURL_H
#define SANDBOX_HTTP_POSTER_CURL_H

#include "consumer/ports/poster.h"

struct poster_settings {           /* all of it is copied; 0, NULL and "" take what is said here */
	bool allow_http;           /* false: https only */
	const char *allow_nets;    /* address_rules.h; none */
	const char *deny_nets;     /* none */
	const char *ca_file;       /* PEM, instead of the system's certificates */
	const char *proxy;         /* "http://host:port" or https, without user; none */
	int64_t connect_timeout_ms; /* 5 s: finding the address, and again for connecting with TLS */
	int64_t total_timeout_ms;   /* 15 s: all of it, to the last byte of the answer */
	size_t max_under_way;       /* 2,000 */
	size_t max_answer_bytes;    /* 64 KiB, of the head and of the body each */
	size_t max_idle;            /* 256 connections are kept for the next post */
	size_t lookup_threads;      /* 64 at most; started when needed */
};

/* NULL and *e on failure: REFUSED for settings that cannot be. Raises this process's soft limit of open files as far as
 * max_under_way needs; REFUSED when the hard limit is below that. close() frees it and does not wait for look-ups. */
struct poster_port *poster_curl_new(const struct poster_settings *s, struct err *e);

#endif
