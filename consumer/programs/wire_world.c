/* SPDX-License-Identifier: Apache-2.0
 * The world port on the real adapters: HTTP to the outside systems, ODBC to the databases, folders or blobs as stores. */
#include "consumer/programs/wire.h"
#include "consumer/programs/wire_sql.h"

#include "consumer/adapters/files/files_fs.h"
#include "consumer/adapters/http/apps_http.h"
#include "consumer/adapters/http/identity_http.h"
#include "consumer/adapters/http/licence_http.h"
#include "consumer/adapters/http/mail_http.h"
#include "consumer/adapters/http/tenant_http.h"
#include "consumer/adapters/redis/redis_notices.h"
#include "consumer/adapters/system/clock_system.h"
#include "consumer/adapters/system/seal_openssl.h"
#include "consumer/adapters/system/secret_file.h"
#include "consumer/programs/wire_objects.h"

#include <stdlib.h>
#include <string.h>

struct wire_world {
	struct world_port port;
	struct step_settings settings;
	const struct config *config;
	struct wire_system hosting, superid, mail, licence, apps;
	struct wire_objects objects;
	struct wire_sql sql;
	struct odbc_server *server;
	struct seal_port *seal;
	struct clock_port clock;
};

struct world_session {
	const struct wire_world *world;
	struct sql_port *sql;
	struct tenant_port *tenant;
	struct identity_port *identity;
	struct mail_port *mail;
	struct licence_port *licence;
	struct apps_port *apps;
	struct files_port *objects, *archive;
	struct notices_port *notices; /* NULL: a clone waits for no app */
	struct records_port *records;
};

/* ---- one call ---- */

static void session_free(struct world_session *s)
{
	if (!s)
		return;
	odbc_sql_close(&s->sql);
	tenant_http_free(&s->tenant);
	identity_http_free(&s->identity);
	mail_http_free(&s->mail);
	licence_http_free(&s->licence);
	apps_http_free(&s->apps);
	wire_objects_close(&s->world->objects, &s->objects);
	files_fs_free(&s->archive);
	redis_notices_free(&s->notices);
	wire_records_free(&s->records);
	free(s);
}

/* Cleaning up is told of no tenant where there is none any more, or never was: it knows what to make of that. */
static bool tenant_of(struct world_session *s, const char *ctx, const struct fence *fence, struct tenant_record *record_r,
                      struct err *e)
{
	if (s->tenant->get(s->tenant, ctx, record_r, e))
		return true;
	if (e->code != ERR_CODE_MISSING || strcmp(fence->step, step_aside_name(ASIDE_CLEAN_UP)) != 0)
		return false;
	err_clear(e);
	*record_r = (struct tenant_record){ 0 };
	return true;
}

/* The registry names the databases; nothing of the request does. */
static bool open_databases(struct wire_world *w, struct world_session *s, const struct step_job *job,
                           const struct fence *fence, struct err *e)
{
	struct tenant_record source, target;
	struct odbc_databases names = { .target = fence->generation };

	if (!tenant_of(s, job->source_ctx, fence, &source, e) || !tenant_of(s, job->target_ctx, fence, &target, e))
		return false;
	names.source = source.database;
	names.previous = strcmp(target.database, fence->generation) == 0 || !target.database[0] ? target.previous_database :
		target.database;
	s->sql = odbc_sql_open(w->server, &names, e);
	return s->sql != NULL;
}

/* Only connected to when a step asks. */
static bool open_notices(struct wire_world *w, struct world_session *s, struct err *e)
{
	struct wire_texts texts = { 0 };
	struct redis_settings settings;

	if (!config_bool(w->config, CONF_NOTIFIER_ACKNOWLEDGEMENTS))
		return true;
	if (wire_redis(w->config, &texts, &settings, e))
		s->notices = redis_notices_new(&settings, e);
	wire_texts_done(&texts);
	return s->notices != NULL;
}

static bool open_systems(struct wire_world *w, struct world_session *s, const atomic_bool *stop, struct err *e)
{
	s->tenant = tenant_http_new(&w->hosting.http, stop, e);
	s->identity = s->tenant ? identity_http_new(&w->superid.http, stop, e) : NULL;
	s->mail = s->identity ? mail_http_new(&w->mail.http, stop, e) : NULL;
	s->licence = s->mail ? licence_http_new(&w->licence.http, stop, e) : NULL;
	s->apps = s->licence ? apps_http_new(&w->apps.http, stop, e) : NULL;
	s->objects = s->apps ? wire_objects_open(&w->objects, stop, e) : NULL;
	s->archive = s->objects ? files_fs_new(config_text(w->config, CONF_FILES_ARCHIVE_ROOT), stop, e) : NULL;
	s->records = s->archive ? wire_records_new(w->config, e) : NULL;
	return s->records && open_notices(w, s, e);
}

static struct step_ports ports_of(struct wire_world *w, const struct world_session *s)
{
	return (struct step_ports){ .sql = s->sql, .tenant = s->tenant, .identity = s->identity, .mail = s->mail,
		.objects = s->objects, .archive = s->archive, .licence = s->licence, .apps = s->apps, .clock = &w->clock,
		.seal = w->seal, .records = s->records, .notices = s->notices };
}

static bool world_open(struct world_port *self, const struct step_job *job, const struct fence *fence,
                       const atomic_bool *stop, struct step_ports *ports, struct world_session **session_r, struct err *e)
{
	struct wire_world *w = (struct wire_world *)self;
	struct world_session *s = calloc(1, sizeof *s);

	if (!s)
		return err_set(e, ERR_TRANSIENT, 0, "world", "out of memory");
	s->world = w;
	if (!open_systems(w, s, stop, e) || !open_databases(w, s, job, fence, e)) {
		session_free(s);
		return false;
	}
	*ports = ports_of(w, s);
	*session_r = s;
	return true;
}

static void world_abort(struct world_port *self, struct world_session *session)
{
	(void)self;
	odbc_sql_cancel(session->sql); /* HTTP and files watch the stop flag themselves */
}

static void world_close(struct world_port *self, struct world_session *session)
{
	(void)self;
	session_free(session);
}

static enum step_outcome world_run(struct world_port *self, enum step_id step, struct step_ctx *c)
{
	(void)self;
	return step == STEP_END ? step_aside_run(c) : steps[step].run(c);
}

/* ---- the survey ---- */

enum { SURVEY_MEMORY_MAX_BYTES = 64 * 1024 * 1024 };

static bool survey(struct wire_world *w, struct world_session *s, const atomic_bool *stop, sweep_fn *fn, void *arg,
                   struct err *e)
{
	const struct step_ports ports = ports_of(w, s);
	struct arena *mem = arena_new(SURVEY_MEMORY_MAX_BYTES);
	struct step_ctx c = { .settings = &w->settings, .ports = &ports, .fence = { .step = "survey" }, .mem = mem,
		.stop = stop, .err = e };
	bool ok = mem ? sweep_survey(&c, fn, arg) : err_set(e, ERR_TRANSIENT, 0, "world", "out of memory");

	arena_free(&mem);
	return ok;
}

static bool world_survey(struct world_port *self, const atomic_bool *stop, sweep_fn *fn, void *arg, struct err *e)
{
	const struct odbc_databases none = { .source = "", .previous = "", .target = "" };
	struct wire_world *w = (struct wire_world *)self;
	struct world_session *s = calloc(1, sizeof *s);
	bool ok = s || err_set(e, ERR_TRANSIENT, 0, "world", "out of memory");

	if (s)
		s->world = w;
	if (ok && open_systems(w, s, stop, e))
		s->sql = odbc_sql_open(w->server, &none, e);
	ok = ok && s->sql && survey(w, s, stop, fn, arg, e);
	session_free(s);
	return ok;
}

/* ---- the whole ---- */

bool wire_system(const struct config *c, const struct wire_system_keys *keys, struct wire_system *s, struct err *e)
{
	const char *token_file = config_text(c, keys->token_file);

	buf_init(&s->token, SECRET_MAX_BYTES);
	if (!config_need(c, keys->url, e) || (*token_file && !secret_file_read_text(token_file, &s->token, e)))
		return false;
	s->http = (struct http_settings){ .base_url = config_text(c, keys->url), .bearer = buf_text(&s->token),
		.connect_timeout_ms = config_ms(c, keys->connect_timeout), .total_timeout_ms = config_ms(c, keys->timeout) };
	return true;
}

static bool open_all_systems(struct wire_world *w, struct err *e)
{
	const struct {
		struct wire_system_keys keys;
		struct wire_system *system;
	} all[] = {
		{ WIRE_SYSTEM_KEYS(HOSTING), &w->hosting }, { WIRE_SYSTEM_KEYS(SUPERID), &w->superid }, { WIRE_SYSTEM_KEYS(MAIL), &w->mail },
		{ WIRE_SYSTEM_KEYS(LICENCE), &w->licence }, { WIRE_SYSTEM_KEYS(APPS), &w->apps },
	};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (!wire_system(w->config, &all[i].keys, all[i].system, e))
			return false;
	return wire_objects(w->config, &w->objects, e) && config_need(w->config, CONF_FILES_ARCHIVE_ROOT, e);
}

static void fill_settings(struct wire_world *w)
{
	const struct config *c = w->config;

	w->settings = (struct step_settings){
		.test_mail_domain = config_text(c, CONF_MAIL_TEST_DOMAIN),
		.sink_host = config_text(c, CONF_MAIL_SINK_HOST),
		.query_principal = config_text(c, CONF_QUERY_PRINCIPAL),
		.previous_drop_first = config_bool(c, CONF_PREVIOUS_DROP_FIRST),
		.previous_keep_ms = config_ms(c, CONF_PREVIOUS_KEEP),
		.sweep_age_ms = config_ms(c, CONF_SWEEP_AGE),
		.poll_ms = config_ms(c, CONF_ENGINE_POLL),
	};
	w->settings.deny_count = config_list(c, CONF_GUARD_DENY_TARGETS, &w->settings.deny_targets);
}

static bool open_server(struct wire_world *w, struct err *e)
{
	if (wire_sql_init(&w->sql, w->config, e))
		w->server = odbc_server_open(&w->sql.settings, e);
	return w->server != NULL;
}

struct world_port *wire_world_new(const struct config *c, struct err *e)
{
	struct wire_world *w = calloc(1, sizeof *w);
	struct world_port *port = NULL;

	if (!w) {
		err_set(e, ERR_TRANSIENT, 0, "world", "out of memory");
		return NULL;
	}
	w->config = c;
	w->clock = clock_system();
	w->port = (struct world_port){ &w->settings, world_open, world_abort, world_close, world_run,
		world_survey };
	port = &w->port;
	fill_settings(w);
	if (config_need(c, CONF_SEAL_KEY_FILE, e))
		w->seal = seal_openssl_new(config_text(c, CONF_SEAL_KEY_FILE), e);
	if (!w->seal || !open_all_systems(w, e) || !open_server(w, e))
		wire_world_free(&port);
	return port;
}

void wire_world_free(struct world_port **world)
{
	struct wire_world *w = (struct wire_world *)*world;

	if (!w)
		return;
	odbc_server_close(&w->server);
	wire_sql_done(&w->sql);
	seal_openssl_free(&w->seal);
	secret_done(&w->hosting.token);
	secret_done(&w->superid.token);
	secret_done(&w->mail.token);
	secret_done(&w->licence.token);
	secret_done(&w->apps.token);
	wire_objects_done(&w->objects);
	free(w);
	*world = NULL;
}
