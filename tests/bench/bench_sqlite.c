/* SPDX-License-Identifier: Apache-2.0
 * A masked copy of a SQLite database: bench_sqlite FOLDER [mails (5000000) [texts (700000) [rounds (1)]]]. Ours is what
 * steps 6, 8 and 13 do, through ODBC: masked on its way, read back, proved. Beside it the best that a program of one's own
 * does: copy the file, drop the index on what changes, UPDATE with a C function, make the index again; and two copies that
 * mask nothing. `durable` is until a sync behind it has ended. */
#include "consumer/adapters/odbc/odbc_sql.h"
#include "consumer/adapters/sqlite/sqlite_views.h"
#include "handlers/masking/masking.h"
#include "tests/bench/measure.h"
#include "tests/bench/peer.h"
#include "tests/bench/sqlite_peers.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define MASKED "sandbox.example"

enum { PATH_BYTES = 512, PAGE_ROWS = 5000 }; /* as [sql] page_rows has it */

struct bench {
	char folder[PATH_BYTES], source[PATH_BYTES + 64], copy[PATH_BYTES + 64];
	struct mask_policy *policy;
	struct row_views *views;
	int64_t rows;
};

static void must(bool ok, const struct err *e)
{
	if (ok)
		return;
	fprintf(stderr, "bench_sqlite: %s\n", e->text);
	exit(1);
}

/* ---- ours ---- */

struct filter {
	const struct bench *b;
	struct mask_counts masked;
	struct scan_counts seen;
};

static enum sql_cell mask(void *arg, const char *table, const char *column, size_t width, const char *text, size_t len,
			  struct buf *out)
{
	struct filter *f = arg;

	return mask_cell(f->b->policy, table, column, width, text, len, out, &f->masked) == MASK_SAME ? SQL_CELL_KEEP :
													SQL_CELL_REPLACE;
}

static enum sql_cell prove(void *arg, const char *table, const char *column, size_t width, const char *text, size_t len,
			   struct buf *out)
{
	struct filter *f = arg;

	(void)width;
	(void)out;
	scan_cell(f->b->policy, table, column, text, len, &f->seen);
	return SQL_CELL_KEEP;
}

static void steps(const struct bench *b, struct sql_port *sql, struct fence *f, double parts_s[3])
{
	struct filter filter = { .b = b };
	const struct sql_filter masks = { mask, &filter }, proves = { prove, &filter };
	struct sql_pages copied = { 0 }, masked = { 0 }, proved = { 0 };
	double at_s[4] = { measure_cpu_s(getpid()) };
	struct err e = { 0 };

	must(sql->create_database(sql, f, "Cust70000", &e), &e);
	while (!copied.finished)
		must(sql->copy_next(sql, f, &masks, &copied, &e), &e);
	at_s[1] = measure_cpu_s(getpid());
	f->step = "mask_email_domains";
	while (!masked.finished)
		must(sql->mask_next(sql, f, &masks, &masked, &e), &e);
	at_s[2] = measure_cpu_s(getpid());
	while (!proved.finished)
		must(sql->scan_next(sql, &proves, &proved, &e), &e);
	at_s[3] = measure_cpu_s(getpid());
	for (int i = 0; i < 3; i++)
		parts_s[i] = at_s[i + 1] - at_s[i];
	if (copied.rows != b->rows || filter.seen.left || filter.seen.addresses < b->rows / 2) {
		fprintf(stderr, "bench_sqlite: %" PRId64 " rows, %" PRId64 " addresses, %" PRId64 " left\n", copied.rows,
			filter.seen.addresses, filter.seen.left);
		exit(1);
	}
}

static void ours(const struct bench *b, double parts_s[3])
{
	const struct odbc_settings settings = { .dialect = "sqlite", .driver = "SQLite3", .folder = b->folder,
						.busy_timeout_ms = 10000, .page_rows = PAGE_ROWS, .views = b->views };
	const struct odbc_databases databases = { "Cust70000", "", "Cust70001__g1" };
	struct fence fence = { "0b9d6d2e-7a55-4a0e-9a63-3f4f0c7f0001", 1, "copy_database", "Cust70001", "Cust70001__g1", 1000 };
	struct err e = { 0 };
	struct odbc_server *server = odbc_server_open(&settings, &e);
	struct sql_port *sql;

	must(server != NULL, &e);
	sql = odbc_sql_open(server, &databases, &e);
	must(sql != NULL, &e);
	steps(b, sql, &fence, parts_s);
	odbc_sql_close(&sql);
	odbc_server_close(&server);
}

/* ---- the table ---- */

enum way { WAY_OURS, WAY_PEER, WAY_BACKUP, WAY_VACUUM, WAYS };

static const char *const names[WAYS] = { "ours (steps 6, 8, 13)", "cp, C function, index made again", "sqlite3_backup, unmasked",
					 "VACUUM INTO, unmasked" };

static void run(const struct bench *b, enum way way, double parts_s[3])
{
	switch (way) {
	case WAY_OURS:
		ours(b, parts_s);
		break;
	case WAY_PEER:
		sqlite_peer_mask(b->source, b->copy, b->policy);
		break;
	case WAY_BACKUP:
		sqlite_peer_backup(b->source, b->copy);
		break;
	default:
		sqlite_peer_vacuum(b->source, b->copy);
	}
}

static void remove_copy(const struct bench *b, enum way way)
{
	char path[2 * PATH_BYTES];

	if (way != WAY_OURS) {
		unlink(b->copy);
		return;
	}
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof path, "%s/Cust70001__g1.sqlite%s", b->folder, (const char *[]){ "", "-wal", "-shm", "-journal" }[i]);
		unlink(path);
	}
}

static void measure_once(const struct bench *b, enum way way, struct row *row, int round, double parts_s[3])
{
	double cpu = measure_cpu_s(getpid());
	int64_t begun;

	sync();
	begun = measure_now_ns();
	run(b, way, parts_s);
	row->wall_s[round] = (double)(measure_now_ns() - begun) / 1e9;
	row->cpu_s[round] = measure_cpu_s(getpid()) - cpu;
	sync();
	row->durable_s[round] = (double)(measure_now_ns() - begun) / 1e9;
	if (way == WAY_PEER)
		sqlite_peer_check(b->copy, MASKED, b->rows);
	remove_copy(b, way);
}

static void print(const struct row *rows, int rounds, double parts[3][PEER_ROUNDS_MAX])
{
	double wall[WAYS], durable[WAYS];

	puts("| copied with                      |  run s | durable s |  CPU s | ours / it, run | ours / it, durable |\n"
	     "|---|---|---|---|---|---|");
	for (int i = 0; i < WAYS; i++) {
		struct row row = rows[i];

		wall[i] = median(row.wall_s, (size_t)rounds);
		durable[i] = median(row.durable_s, (size_t)rounds);
		printf("| %-32s | %6.2f | %9.2f | %6.2f | %14.2f | %18.2f |\n", names[i], wall[i], durable[i],
		       median(row.cpu_s, (size_t)rounds), wall[0] / wall[i], durable[0] / durable[i]);
	}
	printf("ours, CPU: copied and read back %.2f s, looked for what to mask %.2f s, proved %.2f s\n", median(parts[0], (size_t)rounds),
	       median(parts[1], (size_t)rounds), median(parts[2], (size_t)rounds));
	printf("ours / the peer: %.2f, durable %.2f (T13: at most 0.86)\n", wall[0] / wall[1], durable[0] / durable[1]);
}

int main(int argc, char **argv)
{
	int mails = argc > 2 ? atoi(argv[2]) : 5000000, texts = argc > 3 ? atoi(argv[3]) : 700000;
	int rounds = argc > 4 ? atoi(argv[4]) : 1;
	const struct mask_choices choices = { .domain = MASKED };
	double parts[3][PEER_ROUNDS_MAX], parts_s[3];
	struct row rows[WAYS] = { { .name = NULL } };
	struct err e = { 0 };
	struct rusage usage;
	struct bench b = { .rows = (int64_t)mails + texts };
	const char *const remove[] = { "rm", "-rf", b.folder, NULL };
	struct peer_figures ignored;

	if (argc < 2 || mails < 1 || texts < 1 || rounds < 1 || rounds > PEER_ROUNDS_MAX) {
		fprintf(stderr, "usage: bench_sqlite FOLDER [mails [texts [rounds]]]\n");
		return 2;
	}
	snprintf(b.folder, sizeof b.folder, "%s/sqlite-XXXXXX", argv[1]);
	if (!mkdtemp(b.folder))
		peer_die(b.folder);
	snprintf(b.source, sizeof b.source, "%s/Cust70000.sqlite", b.folder);
	snprintf(b.copy, sizeof b.copy, "%s/copy.sqlite", b.folder);
	b.policy = mask_policy_new(&choices, &e);
	b.views = sqlite_views(&e);
	must(b.policy && b.views, &e);
	sqlite_peer_make(b.source, mails, texts);
	for (int round = 0; round < rounds; round++)
		for (int i = 0; i < WAYS; i++) {
			int way = (i + round) % WAYS;

			measure_once(&b, (enum way)way, &rows[way], round, parts_s);
			for (int part = 0; way == WAY_OURS && part < 3; part++)
				parts[part][round] = parts_s[part];
		}
	printf("SQLite %s, %d mails with 2 indexes, %d texts\n", sqlite_peer_version(), mails, texts);
	print(rows, rounds, parts);
	getrusage(RUSAGE_SELF, &usage);
	printf("memory at most: %ld MiB, of all ways together\n", usage.ru_maxrss / 1024);
	mask_policy_free(&b.policy);
	return !peer_run(remove, NULL, 0, &ignored);
}
