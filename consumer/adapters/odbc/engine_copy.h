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

#endif
