/* SPDX-License-Identifier: Apache-2.0
 * Real processes of sandbox-tenant, each with a database of its own, that can be killed and started again. */
#ifndef SANDBOX_TESTS_TENANT_PROGRAM_H
#define SANDBOX_TESTS_TENANT_PROGRAM_H

#include <jansson.h>
#include <sys/types.h>

struct tenant_program {
	char folder[200]; /* of its database and its log */
	char config[256];
	int port, starts;
	pid_t pid; /* 0: does not run */
	struct http_client *client;
};

/* Not started; its folder is made below that one. Further settings are taken from the file and from the environment:
 * SANDBOX_TENANT__BATCH. */
void tenant_program_init(struct tenant_program *t, const char *folder, const char *name, const char *config);
/* In a group of its own each time: the embedded broker makes a member wait for one that died. */
void tenant_program_start(struct tenant_program *t);
void tenant_program_kill(struct tenant_program *t); /* SIGKILL */
/* SIGTERM; its exit status. */
int tenant_program_stop(struct tenant_program *t);
void tenant_program_done(struct tenant_program *t);

/* The tenant's row as the API lists it, without the number of its change; NULL there is none. The caller's. */
json_t *tenant_program_row(struct tenant_program *t, const char *ctx);
/* The public answer; *status_r 0 when there was none. The caller's. */
json_t *tenant_program_state(struct tenant_program *t, const char *ctx, int *status_r);

#endif
