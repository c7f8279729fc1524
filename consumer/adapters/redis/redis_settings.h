/* SPDX-License-Identifier: Apache-2.0
 * How to reach the Redis server, and how long to wait for it. */
#ifndef SANDBOX_REDIS_SETTINGS_H
#define SANDBOX_REDIS_SETTINGS_H

#include "handlers/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct redis_settings {          /* everything is copied by the constructors; 0 or NULL takes the default */
	const char *socket_path; /* a unix socket; when empty, host and port are used */
	const char *host;        /* 127.0.0.1; a name is resolved while connecting, which may block: prefer a number */
	int port;                /* 6379 */
	const char *user;        /* ACL user; empty is the default user */
	const char *password;    /* empty: no AUTH is sent */
	int db;                  /* 0 */
	bool tls;                /* to the server and to the Sentinels */
	const char *tls_ca_file; /* PEM; empty: the system's authorities */
	const char *tls_cert_file, *tls_key_file, *tls_key_password; /* what we show; empty: nothing */
	bool tls_any_name;       /* any certificate of those authorities will do */
	const char *const *sentinels; /* "host:port"; when there are any, they say where the master is */
	size_t sentinel_count;
	const char *sentinel_master;   /* the name by which they watch it */
	const char *sentinel_password; /* theirs; empty: no AUTH is sent to them */
	int64_t connect_timeout_ms; /* 2,000; for the connection and its greeting together */
	int64_t command_timeout_ms; /* 3,000; without any answer for so long the connection is given up */
	const char *owner;          /* the store only: unlike any other consumer's, 1 to 128 bytes, no '|' */
	size_t max_in_flight;       /* 100,000 operations */
	bool asks_for_mark;         /* the store only: without STORE_MARK_CLONE leases are answered STORE_EMPTY */
	const char *prefix;         /* "sandbox": what every key begins with */
	int64_t keep_ms;            /* 30 days, and not less: how long a clone at rest is remembered */
};

/* REFUSED with a sentence when they contradict each other. */
bool redis_settings_check(const struct redis_settings *settings, struct err *e);

#endif
