/* SPDX-License-Identifier: Apache-2.0
 * Schemas of a Confluent-compatible registry. How to reach it is the caller's: this is what to ask, what to believe
 * of the answers, and what to remember. */
#ifndef SANDBOX_AVRO_REGISTRY_H
#define SANDBOX_AVRO_REGISTRY_H

#include "consumer/adapters/avro/source.h"
#include "handlers/base/buf.h"

/* One request to the registry: a GET of path, or a POST of that JSON (application/vnd.schemaregistry.v1+json) when it
 * is not NULL. True when an answer came, whatever its status; the body is appended to *answer, which remembers when it
 * did not fit. Otherwise *e says why none came. Called by one thread at a time; after get_ready() by one of our own. */
typedef bool schema_fetch(void *arg, const char *path, const char *post, struct buf *answer, int *status_r,
                          struct err *e);

struct registry_settings {
	schema_fetch *fetch;
	void (*stop)(void *arg); /* makes a running fetch end soon, and all later ones fail; NULL: it ends by itself */
	void *fetch_arg;         /* of both */
	const char *cache_folder;  /* answers are kept here as files, for when the registry is down; NULL: not */
	bool auto_register;        /* register our own schemas; otherwise they must be there */
	int64_t unknown_retry_ms;  /* an unknown id is not asked for again before that; 0: 30 s */
};

/* Copies the settings. NULL and *e when memory is short. */
struct schema_source *registry_schemas_new(const struct registry_settings *settings, struct err *e);

#endif
