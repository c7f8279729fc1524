/* SPDX-License-Identifier: Apache-2.0
 * The stub systems (compose/stubs) for one test: own folder, own port, faults on demand, and every call to count. */
#ifndef SANDBOX_TESTS_STUB_SERVER_H
#define SANDBOX_TESTS_STUB_SERVER_H

#include "handlers/base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct stub_server;

/* Starts one with that seed (compose/stubs/README.md) and waits until it answers; NULL with *e. Its state is in folder,
 * which exists; with NULL it is in a temporary one that stub_server_free removes. It ends with the caller's process
 * whatever happens. */
struct stub_server *stub_server_start(const char *folder, const char *seed_json, struct err *e);
/* Ends it and frees. NULL-safe; *server becomes NULL. */
void stub_server_free(struct stub_server **server);

/* "http://127.0.0.1:<port>/<system>" for "hosting", "superid", "mail", "licence" or "apps"; out_r holds size bytes. */
const char *stub_server_url(const struct stub_server *server, const char *system, char *out_r, size_t size);
int stub_server_port(const struct stub_server *server);
/* With a file "token" in it, the next restart demands that bearer token of every call to a system. */
const char *stub_server_folder(const struct stub_server *server);
pid_t stub_server_pid(const struct stub_server *server); /* 0 while it does not run */

void stub_server_stop(struct stub_server *server); /* SIGTERM */
void stub_server_kill(struct stub_server *server); /* SIGKILL */
/* Runs it again on the same state and port. */
bool stub_server_restart(struct stub_server *server, struct err *e);

/* {"kind": "act-then-hang", "system": "hosting", "method": "PUT", "path": "/tenants/x", "ms": 500, "times": 1} */
bool stub_server_fault(struct stub_server *server, const char *fault_json);
bool stub_server_clear_faults(struct stub_server *server);

/* A list of calls, {"world": ..., "tokens": ...}; owned by the caller. NULL when it does not answer. */
json_t *stub_server_calls(struct stub_server *server);
json_t *stub_server_state(struct stub_server *server);
/* How many calls whose idempotency key contains key_part changed the world / were received. */
size_t stub_server_acted(struct stub_server *server, const char *key_part);
size_t stub_server_received(struct stub_server *server, const char *key_part);

#endif
