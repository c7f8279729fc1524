/* SPDX-License-Identifier: Apache-2.0
 * Backups and restores that are under way on a server, one for each generation. */
#ifndef SANDBOX_ODBC_ENGINE_COPY_H
#define SANDBOX_ODBC_ENGINE_COPY_H

#include "consumer/adapters/odbc/port.h"
#include "consumer/adapters/odbc/sql_text.h"

struct engine_job;

struct engine_jobs {
	pthread_mutex_t lock;
	struct engine_job *first;
};

/* Cancels what runs and waits for its end. */
void engine_jobs_end(struct engine_jobs *jobs);

/* Ends the one of that generation, unless a newer owner than the fence's began it: what it makes is about to go. */
void engine_job_cancel(struct odbc_port *p, const struct fence *f, const char *generation);

/* ---- engine_restore.c ---- */

enum { ENGINE_PATH_BYTES = 600 };

/* The backup's file as the server sees it, which may be another system than ours. MISUSE without a legal sql.folder. */
bool engine_backup_path(const struct odbc_server *server, const char *generation, uint64_t token,
			char out[ENGINE_PATH_BYTES], struct err *e);
bool engine_back_up(const struct odbc_server *server, struct conn *c, const char *source, const char *file, struct err *e);
/* Drops the generation and makes it from the backup. On a connection to master. */
bool engine_restore(const struct odbc_server *server, struct conn *c, const char *generation, const char *file,
		    struct err *e);

#endif
