/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/sqlite_peers.h"

#include "tests/bench/peer.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *sqlite_peer_version(void)
{
	return sqlite3_libversion();
}

static void must(sqlite3 *db, int rc, const char *what)
{
	if (rc == SQLITE_OK || rc == SQLITE_DONE || rc == SQLITE_ROW)
		return;
	fprintf(stderr, "bench_sqlite: %s: %s\n", what, db ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
	exit(1);
}

static sqlite3 *open_database(const char *path)
{
	sqlite3 *db;

	must(NULL, sqlite3_open(path, &db), path);
	return db;
}

static void run(sqlite3 *db, const char *sql)
{
	must(db, sqlite3_exec(db, sql, NULL, NULL, NULL), sql);
}

static int64_t number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *s;
	int64_t value;

	must(db, sqlite3_prepare_v2(db, sql, -1, &s, NULL), sql);
	must(db, sqlite3_step(s), sql);
	value = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return value;
}

/* ---- the database ---- */

static void put_mails(sqlite3 *db, int mails)
{
	sqlite3_stmt *s;
	char address[96];

	must(db, sqlite3_prepare_v2(db, "INSERT INTO Email VALUES (?, ?, ?, ?, 0)", -1, &s, NULL), "mails");
	for (int i = 1; i <= mails; i++) {
		unsigned mixed = (unsigned)i * 2654435761u; /* in the order of their keys addresses come as they do in life: in none */
		int len = snprintf(address, sizeof address, "first.last%u@company%u.example", mixed, mixed % 5000);

		sqlite3_bind_int(s, 1, i);
		sqlite3_bind_int(s, 2, (int)(mixed % 900000));
		sqlite3_bind_text(s, 3, address, len, SQLITE_STATIC);
		sqlite3_bind_int64(s, 4, 1700000000 + i);
		must(db, sqlite3_step(s), "mails");
		sqlite3_reset(s);
	}
	sqlite3_finalize(s);
}

static void put_texts(sqlite3 *db, int texts)
{
	sqlite3_stmt *s;
	char text[1024];

	must(db, sqlite3_prepare_v2(db, "INSERT INTO text VALUES (?, 1, ?)", -1, &s, NULL), "texts");
	for (int i = 1; i <= texts; i++) {
		int len = 0;

		while (len < 300 + i * 37 % 400)
			len += snprintf(text + len, sizeof text - (size_t)len, "Thank you for the quote nr %d, please call again. ", i + len);
		if (i % 2)
			len += snprintf(text + len, sizeof text - (size_t)len, "Regards, person.%d@company%d.example", i, i % 997);
		sqlite3_bind_int(s, 1, i);
		sqlite3_bind_text(s, 2, text, len, SQLITE_STATIC);
		must(db, sqlite3_step(s), "texts");
		sqlite3_reset(s);
	}
	sqlite3_finalize(s);
}

void sqlite_peer_make(const char *path, int mails, int texts)
{
	sqlite3 *db = open_database(path);

	run(db, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN");
	run(db, "CREATE TABLE Email (email_id INTEGER PRIMARY KEY, contact_id INTEGER, email_address VARCHAR(239),"
		" registered INTEGER, protocol INTEGER)");
	run(db, "CREATE TABLE text (text_id INTEGER PRIMARY KEY, type INTEGER, text TEXT)");
	put_mails(db, mails);
	put_texts(db, texts);
	run(db, "CREATE INDEX email_by_address ON Email (email_address); CREATE INDEX email_by_contact ON Email (contact_id); COMMIT");
	sqlite3_close(db);
}

/* ---- masking in a copy ---- */

struct masking {
	const struct mask_policy *policy;
	struct mask_counts counts;
	struct buf out;
};

/* mask(table, column, width, text) */
static void mask(sqlite3_context *context, int count, sqlite3_value **values)
{
	struct masking *m = sqlite3_user_data(context);
	const char *text = (const char *)sqlite3_value_text(values[3]);

	(void)count;
	buf_clear(&m->out);
	if (text && mask_cell(m->policy, (const char *)sqlite3_value_text(values[0]), (const char *)sqlite3_value_text(values[1]),
			      (size_t)sqlite3_value_int(values[2]), text, (size_t)sqlite3_value_bytes(values[3]), &m->out,
			      &m->counts) != MASK_SAME)
		sqlite3_result_text(context, m->out.data, (int)m->out.len, SQLITE_TRANSIENT);
	else
		sqlite3_result_value(context, values[3]);
}

static void copy_file(const char *source, const char *copy)
{
	const char *const cp[] = { "cp", source, copy, NULL };
	struct peer_figures f;

	if (!peer_run(cp, NULL, 0, &f))
		exit(1);
}

void sqlite_peer_mask(const char *source, const char *copy, const struct mask_policy *policy)
{
	struct masking m = { .policy = policy };
	sqlite3 *db;

	copy_file(source, copy);
	buf_init(&m.out, 1 << 20);
	db = open_database(copy);
	must(db, sqlite3_create_function(db, "mask", 4, SQLITE_UTF8 | SQLITE_DETERMINISTIC, &m, mask, NULL, NULL), "mask");
	run(db, "DROP INDEX email_by_address");
	run(db, "UPDATE Email SET email_address = mask('Email', 'email_address', 239, email_address)");
	run(db, "UPDATE text SET text = mask('text', 'text', 0, text)");
	run(db, "CREATE INDEX email_by_address ON Email (email_address)");
	sqlite3_close(db);
	buf_done(&m.out);
}

void sqlite_peer_check(const char *path, const char *domain, int64_t rows)
{
	sqlite3 *db = open_database(path);
	char sql[256];

	snprintf(sql, sizeof sql, "SELECT count(*) FROM Email WHERE email_address NOT LIKE '%%@%s'", domain);
	if (number(db, sql) != 0 ||
	    number(db, "SELECT (SELECT count(*) FROM Email) + (SELECT count(*) FROM text)") != rows) {
		fprintf(stderr, "bench_sqlite: the peer's copy is not masked\n");
		exit(1);
	}
	sqlite3_close(db);
}

/* ---- copies ---- */

void sqlite_peer_backup(const char *source, const char *copy)
{
	sqlite3 *from = open_database(source), *to = open_database(copy);
	sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");

	must(to, sqlite3_backup_step(b, -1), "backup");
	must(to, sqlite3_backup_finish(b), "backup");
	sqlite3_close(from);
	sqlite3_close(to);
}

void sqlite_peer_vacuum(const char *source, const char *copy)
{
	sqlite3 *db = open_database(source);
	char sql[1024];

	snprintf(sql, sizeof sql, "VACUUM INTO '%s'", copy);
	run(db, sql);
	sqlite3_close(db);
}
