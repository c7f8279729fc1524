/* SPDX-License-Identifier: Apache-2.0
 * Steps 06, 08 and 13 of the product on a PostgreSQL: the handlers themselves over the ODBC and libpq adapters, without
 * broker and Redis. tests/bench/postgres.sh calls it and measures around it.
 *   bench_postgres PORT SOURCE GENERATION masked|plain [STREAMS]
 * What a killed one left is taken up. The line it prints: seconds of each step, rows, texts changed, most memory (MB). */
#include "consumer/adapters/libpq/pg_passes.h"
#include "consumer/adapters/odbc/odbc_sql.h"
#include "handlers/step.h"
#include "tests/bench/measure.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { ARENA_MAX = 64 << 20 };

static int64_t utc_ms(struct clock_port *self)
{
	(void)self;
	return measure_now_ns() / 1000000;
}

/* Seals of rows are compared with each other only. */
static bool seal(struct seal_port *self, const char *const *parts, size_t count, char out_r[SEAL_TEXT], struct err *e)
{
	uint64_t hash = 14695981039346656037u;

	(void)self, (void)e;
	for (size_t i = 0; i < count; i++)
		for (const char *p = parts[i]; *p; p++)
			hash = (hash ^ (unsigned char)*p) * 1099511628211u;
	snprintf(out_r, SEAL_TEXT, "%016" PRIx64 "%048d", hash, 0);
	return true;
}

struct bench {
	struct step_ports ports;
	struct step_job job;
	struct step_settings settings;
	struct fence fence;
	atomic_bool stop;
	struct step_progress progress;
	struct step_notice notice;
	struct step_tables tables;
	struct err err;
	int64_t rows;
	char detail[256];
};

static bool failed(const struct bench *b, const char *what)
{
	fprintf(stderr, "bench_postgres: %s: %s\n", what, b->err.text);
	return false;
}

/* As the engine does: again until it is done, its memory taken away each time. */
static bool run_step(struct bench *b, enum step_id id, double *seconds_r)
{
	int64_t begun = measure_now_ns();
	enum step_outcome outcome;
	bool acted = false;

	do {
		struct step_ctx c = { .job = &b->job, .settings = &b->settings, .ports = &b->ports, .fence = b->fence,
				      .mem = arena_new(ARENA_MAX), .acted = acted, .stop = &b->stop, .progress = &b->progress,
				      .err = &b->err, .tables = &b->tables, .notice = &b->notice };

		c.fence.step = steps[id].slug;
		b->tables = (struct step_tables){ 0 };
		err_clear(&b->err);
		outcome = steps[id].run(&c);
		acted = c.acted;
		b->rows = c.rows;
		snprintf(b->detail, sizeof b->detail, "%s", c.detail);
		arena_free(&c.mem);
	} while (outcome == STEP_WAIT);
	*seconds_r = (double)(measure_now_ns() - begun) / 1e9;
	return outcome == STEP_DONE || outcome == STEP_ALREADY || outcome == STEP_SKIPPED || failed(b, steps[id].slug);
}

static bool clone(struct bench *b)
{
	double copy, mask;
	struct rusage used;
	int64_t rows;

	if (!b->ports.sql->create_database(b->ports.sql, &b->fence, b->job.source_ctx, &b->err))
		return failed(b, "create_database");
	if (!run_step(b, STEP_copy_database, &copy))
		return false;
	rows = b->rows;
	if (!run_step(b, STEP_mask_email_domains, &mask))
		return false;
	getrusage(RUSAGE_SELF, &used);
	printf("%.2f %.2f %" PRId64 " %.1f %s\n", copy, mask, rows, (double)used.ru_maxrss / 1024, b->detail);
	return true;
}

int main(int argc, char **argv)
{
	static struct clock_port clock = { utc_ms };
	static struct seal_port sealer = { seal };
	struct bench b = { .ports = { .clock = &clock, .seal = &sealer }, .settings = { .test_mail_domain = "mail.example" } };
	struct pg_settings streams = { .host = "127.0.0.1", .user = "bench" };
	struct odbc_settings settings = { .dialect = "postgresql", .driver = "PostgreSQL ANSI", .host = "127.0.0.1", .user = "bench" };
	bool ok;

	if (argc < 5)
		return 2;
	streams.port = settings.port = atoi(argv[1]);
	streams.workers = argc > 5 ? atoi(argv[5]) : 0;
	b.job = (struct step_job){ .clone_id = "0198f0c2-0099-7c5b-9a54-000000000001", .kind = CLONE_CREATE, .source_ctx = argv[2],
				   .target_ctx = argv[3], .requested_by = "", .mask_enabled = strcmp(argv[4], "masked") == 0,
				   .mask_domain = "mailinator.com", .mask_mode = MASK_KEEP_NAMES };
	b.fence = (struct fence){ .clone_id = b.job.clone_id, .run = 1, .step = "create_database", .target_ctx = argv[3],
				  .generation = argv[3], .token = 1 };
	settings.passes = pg_passes_new(&streams, &b.err);
	struct odbc_server *server = settings.passes ? odbc_server_open(&settings, &b.err) : NULL;
	const struct odbc_databases databases = { .source = argv[2], .previous = "", .target = argv[3] };

	b.ports.sql = server ? odbc_sql_open(server, &databases, &b.err) : NULL;
	ok = b.ports.sql ? clone(&b) : failed(&b, "cannot begin");
	odbc_sql_close(&b.ports.sql);
	odbc_server_close(&server);
	pg_passes_free(&settings.passes);
	return !ok;
}
