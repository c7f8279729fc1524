/* SPDX-License-Identifier: Apache-2.0
 * A whole small world for one step: a source customer and an old sandbox in real databases, the stub systems, folders
 * as stores, and the real adapters over them. Only the clock stands still, so that two worlds can be compared. What
 * cannot be set up fails the test at once. */
#ifndef SANDBOX_TESTS_WORLD_H
#define SANDBOX_TESTS_WORLD_H

#include "handlers/step.h"
#include "tests/support/stub_server.h"

#define WORLD_SOURCE     "Cust70000"
#define WORLD_TARGET     "Cust70001"
#define WORLD_GENERATION "Cust70001__gnew"
#define WORLD_DOMAIN     "sandbox.example"

enum { WORLD_SNAPSHOT_MAX = 16 * 1024 * 1024 };

struct world {
	char folder[128]; /* db, objects, archive, stubs, key */
	struct stub_server *stubs;
	struct postgres_server *postgres; /* NULL: the databases are SQLite's */
	struct passes_port *passes;
	struct odbc_server *server;
	struct step_ports ports;
	struct step_job job; /* a test changes it before it runs a step */
	struct step_settings settings;
	uint64_t token;
	int run;
	bool acted[STEP_END]; /* as the engine remembers it between calls */
	atomic_bool stop;
	struct step_progress progress;
	struct step_notice notice; /* what 31 said */
	struct step_tables tables; /* what 8 and 13 said */
	struct arena *mem, *texts; /* of the step; of the test */
	struct err err;            /* of the last call */
	struct step_ctx last;      /* what the last call said */
};

/* Are the databases PostgreSQL's (SANDBOX_TEST_DIALECT=postgresql)? */
bool world_is_postgres(void);

/* Makes a folder below which all worlds of this process and its children lie from now on, so that main can remove what
 * a failed test left (world_remove_folder). False when it cannot be made. */
bool world_test_folder(char *path_r, size_t size);
void world_remove_folder(const char *path);

/* Source, old sandbox in service, stubs; nothing done yet. */
struct world *world_new(void);
/* The demo's customer (compose/seed) and its new target, which has nothing yet; factor as in seed_options. */
struct world *world_of_seed(int factor);
/* world_new with every step done that this one comes after. */
struct world *world_before(enum step_id step);
/* An equal world with folders and processes of its own; of a folder that world_save filled. */
struct world *world_copy(const struct world *w);
struct world *world_open(const char *folder);
void world_save(const struct world *w, const char *folder);
/* Ends its processes, removes its folder. NULL-safe; *w becomes NULL. */
void world_free(struct world **w);

/* One call of the step's handler. */
enum step_outcome world_call(struct world *w, enum step_id step);
/* Calls until it says something else than WAIT; a wait for the outside passes because every look lets time pass there.
 */
enum step_outcome world_run(struct world *w, enum step_id step);
/* world_run that must end in DONE, ALREADY or SKIPPED. */
void world_do(struct world *w, enum step_id step);

/* abandon_clone, as cancelling calls it. */
enum step_outcome world_abandon(struct world *w);
/* What the engine runs beside the plan. */
enum step_outcome world_aside(struct world *w, enum step_aside aside);

/* Another consumer takes the clone over: greater token, and nothing remembered of who acted. */
void world_take_over(struct world *w);
/* Somebody else has taken over and we do not know: stamp and registry bear a greater token than ours. */
void world_overtaken(struct world *w);

/* ---- looking and disturbing, past the ports ---- */

/* One statement on a database ("server" is the catalogue); numbers and texts of its first cell. */
void world_exec(struct world *w, const char *database, const char *sql);
/* Does that statement work for who logs in with that password? Of a PostgreSQL world. */
bool world_can(struct world *w, const char *database, const char *user, const char *password, const char *sql);
int64_t world_number(struct world *w, const char *database, const char *sql);
const char *world_text(struct world *w, const char *database,
		       const char *sql); /* "" for NULL; valid until world_free */
bool world_has_database(struct world *w, const char *database);

/* How often the bytes are in the database's files, rows, dead rows and log alike. */
int64_t world_bytes(struct world *w, const char *database, const char *bytes);
/* The number of a counting section of step 09 (handlers/sql), by the port. */
bool world_count_rule(struct world *w, const char *section, int64_t *left_r);

/* A file in a part of the folder ("objects", "archive", "db"): its size, -1 when there is none; writing, linking and
 * removing one. A target that is no absolute path is meant in the same part. */
int64_t world_file(const struct world *w, const char *part, const char *path);
void world_put_file(const struct world *w, const char *part, const char *path, const char *content);
void world_link_file(const struct world *w, const char *part, const char *target, const char *path);
void world_drop_file(const struct world *w, const char *part, const char *path);

/* A member of what the stub systems hold, by its path as in "hosting.tenants.Cust70001.state" or
 * "superid.Cust70001.users.0.login": a text or number as text, "there" for anything else, NULL when there is none.
 * Valid until world_free. */
const char *world_told(struct world *w, const char *path);

/* Everything that is: each table of each database, the stubs' worlds, the files. One line a thing, with a hash; tokens
 * and running outside tasks are left out. */
void world_snapshot(struct world *w, struct buf *out);
void world_snapshot_of(struct world *w, const char *database, struct buf *out);
/* Fails the test with the first differing line when the worlds differ. */
void world_assert_same(const struct buf *one, const struct buf *other, const char *what);

#endif
