/* SPDX-License-Identifier: Apache-2.0
 * Makes a source customer: a database with the model's tables and what customers add to them, files in both stores,
 * and the world of the outside systems. Same options, same bytes. For the demo, the tests and the benchmarks. */
#ifndef SANDBOX_SEED_SEED_H
#define SANDBOX_SEED_SEED_H

#include "handlers/base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct seed_options {
	const char *folder;   /* of the databases; <folder>/<source>.sqlite must not exist yet */
	const char *driver;   /* ODBC driver; NULL means SQLite3 */
	const char *source;   /* tenant, database and folder of files; NULL means Cust70000 */
	const char *target;   /* the test tenant; NULL means Cust70001 */
	int factor;           /* 1: about 2,000 persons and 20,000 rows; 0: a handful of each */
	uint64_t seed;
	const char *objects;  /* roots of the stores; NULL: no files there */
	const char *archive;
	const char *stubs;    /* file for `sandbox-stubs --seed`; NULL: none */
	bool live_task;       /* a customer task that is under way now */
};

struct seed_result {
	int64_t tables, rows, files;
};

/* False and *e filled when a name or path is unsafe, the database exists already, or the disk fails; then no database
 * is left behind. */
bool seed_customer(const struct seed_options *options, struct seed_result *result_r, struct err *e);

#endif
