/* SPDX-License-Identifier: Apache-2.0
 * Hosting: the tenant registry, its clusters, routing, application pools (schemas/hosting.openapi.yaml).
 * Every function returns false and fills *e on failure: TRANSIENT nothing was sent or a refusal that may
 * pass; UNSURE no answer to a write; REFUSED with ERR_CODE_FENCED when a newer token was seen. */
#ifndef SANDBOX_PORTS_TENANT_H
#define SANDBOX_PORTS_TENANT_H

#include "handlers/base/err.h"
#include "handlers/ports/fence.h"

#include <stdbool.h>
#include <stdint.h>

/* Numbers as the state API documents them (domain 2.1). */
enum tenant_state {
	TENANT_UNKNOWN = 0,
	TENANT_PROVISIONING = 1,
	TENANT_RUNNING = 2,
	TENANT_DELETED = 3,
	TENANT_SUSPENDED = 4,
	TENANT_ONLINE_MAINTENANCE = 5,
	TENANT_OFFLINE_MAINTENANCE = 6,
	TENANT_PROVISIONING_FAILED = 8,
	TENANT_DELETING = 10,
	TENANT_DELETE_FAILED = 11,
	TENANT_MIGRATION_PENDING = 12,
};

enum tenant_kind { TENANT_KIND_UNSET, TENANT_PRODUCTION, TENANT_TEST };

struct tenant_stamp { /* the copy of sandbox_stamp outside the database (design section 6) */
	char clone_id[CLONE_ID_MAX + 1];
	char source_ctx[CTX_MAX + 1];
	char database[DATABASE_MAX + 1];
	uint64_t token;
};

struct tenant_record {
	char ctx[CTX_MAX + 1];
	enum tenant_kind kind;
	enum tenant_state state;
	char linked_source[CTX_MAX + 1];     /* "" when it is no test tenant of anybody */
	char company[256];                   /* company name of the tenant, from the registry */
	char database[DATABASE_MAX + 1];     /* the one in service; "" when none */
	char files_root[DATABASE_MAX + 1];   /* folder of its files in the stores; usually as database */
	char previous_database[DATABASE_MAX + 1]; /* taken out of service by step 05; "" when none */
	char previous_files_root[DATABASE_MAX + 1];
	char home_web_cluster[CTX_MAX + 1], home_db_cluster[CTX_MAX + 1]; /* where it lived before */
	char web_cluster[CTX_MAX + 1], db_cluster[CTX_MAX + 1];           /* where it is bound now */
	char endpoint[256];                  /* base URL, https://host/ctx */
	char version_name[128], file_version[64];
	char pool_recycled_by[128];          /* idempotency key of the last recycle */
	int pending_tasks;                   /* operation-center tasks of this tenant not yet ended */
	int pending_web_config;              /* web server configuration writes not yet ended */
	struct tenant_stamp stamp;           /* clone_id "" when never stamped */
};

struct tenant_port {
	/* REFUSED with ERR_CODE_MISSING when no such tenant exists. */
	bool (*get)(struct tenant_port *self, const char *ctx, struct tenant_record *record_r, struct err *e);
	bool (*set_state)(struct tenant_port *self, const struct fence *f, const char *ctx, enum tenant_state state,
	                  struct err *e);
	bool (*bind_clusters)(struct tenant_port *self, const struct fence *f, const char *ctx, const char *web_cluster,
	                      const char *db_cluster, struct err *e);
	/* Takes the database and file tree in service out of it and remembers them as previous; does nothing when
	 * none is in service. */
	bool (*retire)(struct tenant_port *self, const struct fence *f, const char *ctx, struct err *e);
	/* Puts a database and file tree in service: the switch of step 32. */
	bool (*route)(struct tenant_port *self, const struct fence *f, const char *ctx, const char *database,
	              const char *files_root, struct err *e);
	/* Forgets the previous database and tree after they were dropped. */
	bool (*forget_previous)(struct tenant_port *self, const struct fence *f, const char *ctx, struct err *e);
	bool (*put_stamp)(struct tenant_port *self, const struct fence *f, const char *ctx,
	                  const struct tenant_stamp *stamp, struct err *e);
	/* Restarts the application pool; the record then names this fence's idempotency key. */
	bool (*recycle)(struct tenant_port *self, const struct fence *f, const char *ctx, struct err *e);
};

/* "Running", "OfflineMaintenance", ...: the names of the state API. */
const char *tenant_state_name(enum tenant_state state);

#endif
