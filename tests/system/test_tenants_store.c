/* SPDX-License-Identifier: Apache-2.0
 * The durable memory of the tenant-state updater, on SQLite and on a real PostgreSQL: what is put comes back to the
 * byte, all of a change or nothing of it, one writer at a time, and who lost a partition cannot move it. */
#include "consumer/adapters/odbc/conn.h"
#include "consumer/adapters/odbc/tenants_odbc.h"
#include "tests/support/postgres_server.h"

#include <check.h>
#include <ftw.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SQLITE, POSTGRESQL, DATABASES };

static struct postgres_server *postgres; /* NULL: not here */
static char folder[64];
static char database[32];

static struct odbc_settings settings_of(int kind)
{
	if (kind == SQLITE)
		return (struct odbc_settings){ .dialect = "sqlite", .driver = "SQLite3", .folder = folder,
			.busy_timeout_ms = 20000 };
	return (struct odbc_settings){ .dialect = "postgresql", .driver = "PostgreSQL ANSI", .host = postgres->folder,
		.port = postgres->port, .user = "tenants", .password = "" };
}

static struct tenants_port *open_store(int kind)
{
	const struct odbc_settings settings = settings_of(kind);
	struct err e = { 0 };
	struct tenants_port *t = tenants_odbc_open(&settings, kind == SQLITE ? database : "tenants", &e);

	ck_assert_msg(t, "%s", e.text);
	return t;
}

#define must(call)                                                                                                     \
	do {                                                                                                           \
		struct err e_ = { 0 }, *e = &e_;                                                                       \
		ck_assert_msg((call), "%s: %s (%s)", #call, e_.text, err_class_name(e_.class));                        \
	} while (0)

/* Each test has empty tables: a file of its own, or the server's are dropped. */
static void begin_with_nothing(int kind)
{
	static int count;
	const struct odbc_settings settings = settings_of(kind);
	struct odbc_env *env;
	struct conn *c;
	char text[256];

	snprintf(database, sizeof database, "tenants%d", count++);
	if (kind == SQLITE)
		return;
	snprintf(text, sizeof text, "Driver=%s;Server=%s;Port=%d;Database=tenants;Uid=tenants;Pwd=;", settings.driver,
		settings.host, settings.port);
	must((env = odbc_env_new(e)));
	must((c = conn_open(env, &dialect_postgresql, text, ACCESS_WRITE, &settings, e)));
	must(conn_exec(c, "DROP TABLE IF EXISTS sandbox_tenant, sandbox_tenant_clone, sandbox_tenant_position,"
		" sandbox_tenant_change", NULL, 0, NULL, e));
	conn_close(&c);
	odbc_env_free(&env);
}

static bool is_here(int kind)
{
	if (kind == POSTGRESQL && !postgres)
		return false;
	begin_with_nothing(kind);
	return true;
}

/* ---- samples ---- */

static struct clone_facts plain(const char *ctx, const char *id)
{
	struct clone_facts f;

	memset(&f, 0, sizeof f);
	snprintf(f.ctx, sizeof f.ctx, "%s", ctx);
	snprintf(f.clone_id, sizeof f.clone_id, "%s", id);
	return f;
}

static void fill(char *text, size_t size, const char *with)
{
	size_t len = strlen(with);

	memset(text, 0, size);
	for (size_t i = 0; i + len < size; i += len)
		memcpy(text + i, with, len);
}

static struct clone_facts greatest(void)
{
	struct clone_facts f = plain("Cust70001", "0b9d6d2e-7a55-4a0e-9a63-3f4f0c7f0001");

	fill(f.source_ctx, sizeof f.source_ctx, "S");
	for (int i = 0; i < TURN_END; i++)
		f.turns[i] = (struct facts_turn){ INT64_MAX - i, INT64_MIN + 1 + i };
	f.last.sequence = f.last.at_ms = INT64_MAX;
	f.last.run = f.last.step_no = f.last.total_steps = INT_MAX;
	fill(f.last.slug, sizeof f.last.slug, "x");
	f.state.sequence = f.state.requested_at_ms = f.state.updated_at_ms = 1785578400123;
	f.state.status = CLONE_FAILED;
	f.state.leaves = TENANT_MIGRATION_PENDING;
	f.state.run = INT_MIN;
	f.state.steps_done = 7;
	f.state.total_steps = 31;
	fill(f.state.generation, sizeof f.state.generation, "G");
	fill(f.state.step, sizeof f.state.step, "\"");
	fill(f.state.cause, sizeof f.state.cause, "it's \xc3\xa5 \\ ? \n\xe2\x82\xac");
	fill(f.state.next_command, sizeof f.state.next_command, "sandboxctl '...' %s; --");
	f.restored.sequence = f.restored.at_ms = -1;
	fill(f.restored.version_name, sizeof f.restored.version_name, "\xf0\x9f\x98\x80");
	fill(f.restored.file_version, sizeof f.restored.file_version, "1.");
	fill(f.restored.host, sizeof f.restored.host, "h.");
	return f;
}

struct found {
	struct clone_facts clones[16];
	size_t count;
};

static bool collect(void *arg, const struct clone_facts *facts)
{
	struct found *f = arg;

	ck_assert_uint_lt(f->count, 16);
	f->clones[f->count++] = *facts;
	return true;
}

static size_t count_since(struct tenants_port *t, int64_t after)
{
	struct found found = { .count = 0 };

	must(t->clones_since(t, after, collect, &found, e));
	return found.count;
}

static void move(struct tenants_port *t, int64_t from, int64_t to, bool wanted)
{
	bool moved = !wanted;

	must(t->move(t, "sandbox.clone.state", 3, from, to, &moved, e));
	ck_assert_int_eq(moved, wanted);
}

static int64_t position_of(struct tenants_port *t)
{
	int64_t next = 0;

	must(t->position(t, "sandbox.clone.state", 3, &next, e));
	return next;
}

/* ---- tests ---- */

START_TEST(what_is_put_comes_back)
{
	struct tenants_port *t;
	struct clone_facts f = greatest(), g = plain("Cust70001", "c2");
	struct tenant_row row = { .ctx = "Cust70001", .state = TENANT_RUNNING, .superid = IDENTITY_NORMAL, .since_ms = INT64_MAX };
	struct found found = { .count = 0 };
	int64_t last;

	if (!is_here(_i))
		return;
	t = open_store(_i);
	must(t->last(t, &last, e));
	ck_assert_int_eq(last, 0);
	ck_assert_int_eq(position_of(t), -1);
	ck_assert_uint_eq(count_since(t, -1), 0);
	must(t->begin(t, &last, e));
	ck_assert_int_eq(last, 0);
	must(t->put_clone(t, &f, e));
	must(t->put_clone(t, &g, e));
	fill(row.cause, sizeof row.cause, "\xc3\xa5'");
	must(t->put_row(t, &row, e));
	move(t, -1, 17, true);
	must(t->commit(t, e));
	t->close(t);
	t = open_store(_i);
	must(t->clones_since(t, 0, collect, &found, e));
	ck_assert_uint_eq(found.count, 2);
	ck_assert_mem_eq(&found.clones[strcmp(found.clones[0].clone_id, "c2") == 0], &f, sizeof f);
	ck_assert_int_eq(position_of(t), 17);
	must(t->begin(t, &last, e));
	ck_assert_int_eq(last, 1);
	f.state.run = 5;
	must(t->put_clone(t, &f, e));
	must(t->put_row(t, &row, e));
	must(t->drop_clone(t, &g, e));
	must(t->commit(t, e));
	found.count = 0;
	must(t->clones_since(t, 1, collect, &found, e));
	ck_assert_uint_eq(found.count, 1);
	ck_assert_mem_eq(&found.clones[0], &f, sizeof f);
	ck_assert_uint_eq(count_since(t, 0), 1);
	ck_assert_uint_eq(count_since(t, 2), 0);
	t->close(t);
}
END_TEST

START_TEST(all_of_a_change_or_nothing)
{
	struct clone_facts f = plain("T", "c1");
	struct tenants_port *t;
	int64_t last;

	if (!is_here(_i))
		return;
	t = open_store(_i);
	must(t->begin(t, &last, e));
	must(t->put_clone(t, &f, e));
	move(t, -1, 5, true);
	t->rollback(t);
	ck_assert_int_eq(position_of(t), -1);
	ck_assert_uint_eq(count_since(t, -1), 0);
	must(t->begin(t, &last, e));
	ck_assert_int_eq(last, 0);
	must(t->put_clone(t, &f, e));
	move(t, -1, 5, true);
	t->close(t); /* as one that dies */
	t = open_store(_i);
	ck_assert_int_eq(position_of(t), -1);
	ck_assert_uint_eq(count_since(t, -1), 0);
	t->close(t);
}
END_TEST

START_TEST(who_lost_a_partition_cannot_move_it)
{
	struct tenants_port *t;
	int64_t last;

	if (!is_here(_i))
		return;
	t = open_store(_i);
	must(t->begin(t, &last, e));
	move(t, -1, 5, true);
	must(t->commit(t, e));
	must(t->begin(t, &last, e));
	move(t, -1, 6, false);
	move(t, 4, 6, false);
	move(t, 6, 4, false);
	move(t, 5, 9, true);
	move(t, 5, 9, false);
	must(t->commit(t, e));
	ck_assert_int_eq(position_of(t), 9);
	t->close(t);
}
END_TEST

struct other {
	int kind;
	atomic_bool began;
	int64_t last;
};

static void *begin_in_between(void *arg)
{
	struct other *o = arg;
	struct tenants_port *t = open_store(o->kind);
	struct err e = { 0 };

	if (t->begin(t, &o->last, &e)) {
		atomic_store(&o->began, true);
		t->commit(t, &e);
	}
	t->close(t);
	return NULL;
}

START_TEST(one_writer_at_a_time)
{
	struct clone_facts f = plain("T", "c1");
	struct other o = { .kind = _i };
	struct tenants_port *t;
	pthread_t thread;
	int64_t last;

	if (!is_here(_i))
		return;
	t = open_store(_i);
	must(t->begin(t, &last, e));
	must(t->put_clone(t, &f, e));
	ck_assert_int_eq(pthread_create(&thread, NULL, begin_in_between, &o), 0);
	nanosleep(&(struct timespec){ .tv_nsec = 300000000 }, NULL);
	ck_assert(!atomic_load(&o.began));
	must(t->commit(t, e));
	pthread_join(thread, NULL);
	ck_assert(atomic_load(&o.began));
	ck_assert_int_eq(o.last, 1);
	must(t->begin(t, &last, e));
	ck_assert_int_eq(last, 2);
	t->rollback(t);
	t->close(t);
}
END_TEST

START_TEST(a_server_that_goes_is_found_again)
{
	struct clone_facts f = plain("T", "c1");
	struct err failure = { 0 };
	struct tenants_port *t;
	int64_t last;

	if (!is_here(POSTGRESQL))
		return;
	t = open_store(POSTGRESQL);
	must(t->begin(t, &last, e));
	must(t->put_clone(t, &f, e));
	postgres_kill(postgres);
	ck_assert(!t->put_clone(t, &f, &failure));
	ck_assert_msg(failure.class == ERR_TRANSIENT, "%s", failure.text);
	err_clear(&failure);
	ck_assert(!t->begin(t, &last, &failure));
	ck_assert_msg(failure.class == ERR_TRANSIENT, "%s", failure.text);
	postgres_restart(postgres);
	ck_assert_uint_eq(count_since(t, -1), 0);
	must(t->begin(t, &last, e));
	ck_assert_int_eq(last, 0);
	must(t->put_clone(t, &f, e));
	postgres_kill(postgres);
	err_clear(&failure);
	ck_assert(!t->commit(t, &failure));
	ck_assert_msg(failure.class == ERR_UNSURE || failure.class == ERR_TRANSIENT, "%s", failure.text);
	postgres_restart(postgres);
	ck_assert_uint_eq(count_since(t, -1), 0);
	t->close(t);
}
END_TEST

START_TEST(wrong_settings)
{
	struct odbc_settings settings = settings_of(SQLITE);
	struct err e = { 0 };

	settings.dialect = "oracle";
	ck_assert(!tenants_odbc_open(&settings, "tenants", &e));
	ck_assert_int_eq(e.class, ERR_MISUSE);
	settings = settings_of(SQLITE);
	err_clear(&e);
	ck_assert(!tenants_odbc_open(&settings, "a;LoadExt=/x.so", &e));
	settings.folder = "/nowhere/at/all";
	err_clear(&e);
	ck_assert(!tenants_odbc_open(&settings, "tenants", &e));
	if (!postgres)
		return;
	settings = settings_of(POSTGRESQL);
	settings.password = "a;Server=evil";
	err_clear(&e);
	ck_assert(!tenants_odbc_open(&settings, "tenants", &e));
	ck_assert_int_eq(e.class, ERR_MISUSE);
	settings.password = "";
	err_clear(&e);
	ck_assert(!tenants_odbc_open(&settings, "no_such_database", &e));
	ck_assert_msg(!strstr(e.text, "Pwd"), "%s", e.text);
}
END_TEST

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *at)
{
	(void)status;
	(void)type;
	(void)at;
	return remove(path);
}

static void start(void)
{
	postgres = postgres_start();
}

static void stop(void)
{
	postgres_stop(&postgres);
}

int main(void)
{
	Suite *suite = suite_create("tenants_store");
	TCase *t = tcase_create("tenants_store");
	SRunner *sr = srunner_create(suite);
	const char *base = getenv("TMPDIR");
	int failed;

	snprintf(folder, sizeof folder, "%.40s/sandbox-tenants-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(folder))
		return 1;
	tcase_add_unchecked_fixture(t, start, stop);
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, what_is_put_comes_back, 0, DATABASES);
	tcase_add_loop_test(t, all_of_a_change_or_nothing, 0, DATABASES);
	tcase_add_loop_test(t, who_lost_a_partition_cannot_move_it, 0, DATABASES);
	tcase_add_loop_test(t, one_writer_at_a_time, 0, DATABASES);
	tcase_add_test(t, a_server_that_goes_is_found_again);
	tcase_add_test(t, wrong_settings);
	suite_add_tcase(suite, t);
	srunner_set_fork_status(sr, CK_NOFORK);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return failed != 0;
}
