/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/world.h"

#include "consumer/adapters/files/files_fs.h"
#include "consumer/adapters/http/apps_http.h"
#include "consumer/adapters/http/identity_http.h"
#include "consumer/adapters/http/licence_http.h"
#include "consumer/adapters/http/mail_http.h"
#include "consumer/adapters/http/tenant_http.h"
#include "consumer/adapters/libpq/pg_passes.h"
#include "consumer/adapters/odbc/odbc_sql.h"
#include "consumer/adapters/sqlite/sqlite_views.h"
#include "consumer/adapters/system/seal_openssl.h"
#include "tests/support/postgres_server.h"
#include "tests/support/world_priv.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CALLS_MAX = 2000, ARENA_MAX = 64 * 1024 * 1024, FIRST_TOKEN = 1000 };

static int64_t fixed_now(struct clock_port *self)
{
	(void)self;
	return 1785578400000; /* 2026-08-01 10:00:00 UTC */
}

static const struct user_plan users[] = {
	{ .login = "tester@company.example", .plan = "ten-salesservicemarketing", .is_admin = true },
	{ .associate_id = 3, .plan = "ten-sales" },
};
static const char *const keep[] = { "colleague@company.example" };
static const int64_t ticked[] = { 2 };

static void ask_for_a_clone(struct world *w)
{
	w->job = (struct step_job){
		.clone_id = "0198f0c2-7d1e-7c5b-9a54-2f6f2a1b9c10",
		.kind = CLONE_REPLACE,
		.source_ctx = WORLD_SOURCE,
		.target_ctx = WORLD_TARGET,
		.requested_by = "admin@company.example",
		.mask_enabled = true,
		.mask_domain = WORLD_DOMAIN,
		.mask_mode = MASK_KEEP_NAMES,
		.mask_keep = keep,
		.mask_keep_count = 1,
		.users = users,
		.user_count = 2,
		.documents = DOCUMENTS_INCLUDED_USERS,
		.attachments = ATTACHMENTS_NO_REQUESTS,
		.enable_schedules = ticked,
		.enable_schedule_count = 1,
		.set_running = true,
		.approved_target = WORLD_TARGET,
	};
	w->settings = (struct step_settings){
		.test_mail_domain = "mail.sandbox.example",
		.sink_host = "sink.invalid",
		.query_principal = "customer_query",
		.poll_ms = 1,
	};
}

/* ---- the adapters ---- */

static void open_http(struct world *w)
{
	char hosting[128], superid[128], mail[128], licence[128], apps[128];
	struct http_settings s = { .total_timeout_ms = 3000 };

	s.base_url = stub_server_url(w->stubs, "hosting", hosting, sizeof hosting);
	w->ports.tenant = tenant_http_new(&s, &w->stop, &w->err);
	s.base_url = stub_server_url(w->stubs, "superid", superid, sizeof superid);
	w->ports.identity = identity_http_new(&s, &w->stop, &w->err);
	s.base_url = stub_server_url(w->stubs, "mail", mail, sizeof mail);
	w->ports.mail = mail_http_new(&s, &w->stop, &w->err);
	s.base_url = stub_server_url(w->stubs, "licence", licence, sizeof licence);
	w->ports.licence = licence_http_new(&s, &w->stop, &w->err);
	s.base_url = stub_server_url(w->stubs, "apps", apps, sizeof apps);
	w->ports.apps = apps_http_new(&s, &w->stop, &w->err);
	ck_assert_msg(w->ports.tenant && w->ports.identity && w->ports.mail && w->ports.licence && w->ports.apps, "%s",
		      w->err.text);
}

static void open_stores(struct world *w)
{
	char path[PATH_MAX];

	world_path(path, w->folder, "objects");
	w->ports.objects = files_fs_new(path, &w->stop, &w->err);
	world_path(path, w->folder, "archive");
	w->ports.archive = files_fs_new(path, &w->stop, &w->err);
	world_path(path, w->folder, "key");
	w->ports.seal = seal_openssl_new(path, &w->err);
	ck_assert_msg(w->ports.objects && w->ports.archive && w->ports.seal, "%s", w->err.text);
}

static void open_sql(struct world *w)
{
	struct odbc_databases databases = { .source = WORLD_SOURCE,
					    .previous = WORLD_TARGET,
					    .target = WORLD_GENERATION };
	struct odbc_settings settings = {
		.dialect = "sqlite", .driver = "SQLite3", .busy_timeout_ms = 2000, .page_rows = 5
	};
	char path[PATH_MAX];

	if (world_is_postgres()) {
		const struct pg_settings streams = { .host = "127.0.0.1", .port = w->postgres->port, .user = "cloner",
						     .source_user = "reader", .call_units = 1 };

		w->passes = pg_passes_new(&streams, &w->err);
		ck_assert_ptr_nonnull(w->passes);
		settings = (struct odbc_settings){ .dialect = "postgresql", .driver = "PostgreSQL ANSI", .host = "127.0.0.1",
						   .port = w->postgres->port, .user = "cloner", .source_user = "reader",
						   .passes = w->passes };
	}
	if (!world_is_postgres())
		settings.views = sqlite_views(&w->err);
	world_path(path, w->folder, "db");
	settings.folder = path;
	w->server = odbc_server_open(&settings, &w->err);
	ck_assert_msg(w->server, "%s", w->err.text);
	w->ports.sql = odbc_sql_open(w->server, &databases, &w->err);
	ck_assert_msg(w->ports.sql, "%s", w->err.text);
}

static void open_all(struct world *w, const char *seed_json)
{
	static struct clock_port clock = { fixed_now };
	char path[PATH_MAX];

	world_path(path, w->folder, "stubs");
	w->stubs = stub_server_start(path, seed_json, &w->err);
	ck_assert_msg(w->stubs, "%s", w->err.text);
	w->ports.clock = &clock;
	if (world_is_postgres())
		world_postgres_open(w);
	open_http(w);
	open_stores(w);
	open_sql(w);
	w->mem = arena_new(ARENA_MAX);
	w->texts = arena_new(ARENA_MAX);
	ck_assert(w->mem && w->texts);
}

bool world_is_postgres(void)
{
	const char *dialect = getenv("SANDBOX_TEST_DIALECT");

	return dialect && strcmp(dialect, "postgresql") == 0;
}

bool world_test_folder(char *path_r, size_t size)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(path_r, size, "%s/sandbox-test-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	return mkdtemp(path_r) && chmod(path_r, 0711) == 0 && setenv("TMPDIR", path_r, 1) == 0;
}

static struct world *in_new_folder(void)
{
	const char *tmp = getenv("TMPDIR");
	struct world *w = calloc(1, sizeof *w);

	ck_assert_ptr_nonnull(w);
	snprintf(w->folder, sizeof w->folder, "%s/world-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(w->folder));
	ck_assert_int_eq(chmod(w->folder, 0711), 0); /* a database server is another user */
	w->token = FIRST_TOKEN;
	w->run = 1;
	ask_for_a_clone(w);
	return w;
}

/* ---- life ---- */

struct world *world_new(void)
{
	struct world *w = in_new_folder();
	char *seed = world_make(w);

	open_all(w, seed);
	free(seed);
	return w;
}

struct world *world_of_seed(int factor)
{
	static const struct user_plan seeded[] = {
		{ .login = "tester@north.example", .plan = "ten-salesservicemarketing", .is_admin = true },
		{ .associate_id = 3, .plan = "ten-sales" },
	};
	struct world *w = in_new_folder();
	char *seed = world_make_seeded(w, factor);

	w->job.kind = CLONE_CREATE;
	w->job.users = seeded;
	w->job.approved_target = "";
	open_all(w, seed);
	free(seed);
	return w;
}

struct world *world_open(const char *folder)
{
	struct world *w = in_new_folder();

	world_copy_folder(folder, w->folder);
	open_all(w, "{}"); /* the saved state is there already */
	return w;
}

void world_save(const struct world *w, const char *folder)
{
	if (w->postgres)
		world_postgres_settle(w);
	world_copy_folder(w->folder, folder);
}

struct world *world_copy(const struct world *w)
{
	struct world *copy;

	if (w->postgres)
		world_postgres_settle(w);
	copy = world_open(w->folder);

	copy->job = w->job;
	copy->settings = w->settings;
	copy->token = w->token;
	copy->run = w->run;
	memcpy(copy->acted, w->acted, sizeof copy->acted);
	return copy;
}

struct world *world_before(enum step_id step)
{
	struct world *w = world_new();
	step_set needed = steps[step].after;

	for (int i = STEP_END - 1; i >= 0; i--) /* a step comes after earlier rows only */
		if (needed & STEP_BIT(i))
			needed |= steps[i].after;
	for (int i = 0; i < STEP_END; i++)
		if (needed & STEP_BIT(i))
			world_do(w, (enum step_id)i);
	return w;
}

void world_free(struct world **w)
{
	if (!*w)
		return;
	odbc_sql_close(&(*w)->ports.sql);
	odbc_server_close(&(*w)->server);
	pg_passes_free(&(*w)->passes);
	world_postgres_stop(*w);
	tenant_http_free(&(*w)->ports.tenant);
	identity_http_free(&(*w)->ports.identity);
	mail_http_free(&(*w)->ports.mail);
	licence_http_free(&(*w)->ports.licence);
	apps_http_free(&(*w)->ports.apps);
	files_fs_free(&(*w)->ports.objects);
	files_fs_free(&(*w)->ports.archive);
	seal_openssl_free(&(*w)->ports.seal);
	stub_server_free(&(*w)->stubs);
	arena_free(&(*w)->mem);
	arena_free(&(*w)->texts);
	world_remove_folder((*w)->folder);
	free(*w);
	*w = NULL;
}

/* ---- running steps ---- */

static void begin_call(struct world *w, const char *slug, bool acted)
{
	err_clear(&w->err);
	arena_clear(w->mem);
	w->tables = (struct step_tables){ 0 };
	w->last = (struct step_ctx){
		.job = &w->job,
		.settings = &w->settings,
		.ports = &w->ports,
		.fence = { .clone_id = w->job.clone_id,
			   .run = w->run,
			   .step = slug,
			   .target_ctx = WORLD_TARGET,
			   .generation = WORLD_GENERATION,
			   .token = w->token },
		.mem = w->mem,
		.acted = acted,
		.stop = &w->stop,
		.progress = &w->progress,
		.tables = &w->tables,
		.notice = &w->notice,
		.err = &w->err,
	};
}

enum step_outcome world_call(struct world *w, enum step_id step)
{
	enum step_outcome outcome;

	begin_call(w, steps[step].slug, w->acted[step]);
	outcome = steps[step].run(&w->last);
	w->acted[step] |= w->last.acted || outcome == STEP_UNSURE;
	return outcome;
}

enum step_outcome world_abandon(struct world *w)
{
	begin_call(w, "abandon", false);
	return abandon_clone(&w->last);
}

enum step_outcome world_aside(struct world *w, enum step_aside aside)
{
	begin_call(w, step_aside_name(aside), false);
	return step_aside_run(&w->last);
}

enum step_outcome world_run(struct world *w, enum step_id step)
{
	enum step_outcome outcome = STEP_WAIT;

	for (int i = 0; i < CALLS_MAX && outcome == STEP_WAIT; i++)
		outcome = world_call(w, step);
	return outcome;
}

void world_do(struct world *w, enum step_id step)
{
	enum step_outcome outcome = world_run(w, step);

	ck_assert_msg(outcome == STEP_DONE || outcome == STEP_ALREADY || outcome == STEP_SKIPPED, "%s %s: %s (%s: %s)",
		      steps[step].nn, steps[step].slug, step_outcome_name(outcome), w->err.where, w->err.text);
}

void world_take_over(struct world *w)
{
	w->token += 10;
	memset(w->acted, 0, sizeof w->acted);
}

void world_overtaken(struct world *w)
{
	struct fence newer = { .clone_id = w->job.clone_id,
			       .run = w->run,
			       .step = "take_over",
			       .target_ctx = WORLD_TARGET,
			       .generation = WORLD_GENERATION,
			       .token = w->token + 5 };
	struct tenant_stamp stamp = { .token = newer.token };

	snprintf(stamp.clone_id, sizeof stamp.clone_id, "%s", w->job.clone_id);
	snprintf(stamp.source_ctx, sizeof stamp.source_ctx, "%s", WORLD_SOURCE);
	snprintf(stamp.database, sizeof stamp.database, "%s", WORLD_GENERATION);
	err_clear(&w->err);
	ck_assert_msg(w->ports.tenant->put_stamp(w->ports.tenant, &newer, WORLD_TARGET, &stamp, &w->err), "%s",
		      w->err.text);
	if (world_has_database(w, WORLD_GENERATION))
		ck_assert_msg(w->ports.sql->raise_token(w->ports.sql, &newer, &w->err), "%s", w->err.text);
}
