/* SPDX-License-Identifier: Apache-2.0
 * The databases as the configuration names them: ODBC for all of them, and COPY streams for those that have them. */
#include "consumer/programs/wire_sql.h"

#include "consumer/adapters/libpq/pg_passes.h"
#include "consumer/adapters/sqlite/sqlite_views.h"

#include <string.h>

static bool read_secret(const struct config *c, enum config_id key, struct buf *secret, struct err *e)
{
	const char *file = config_text(c, key);

	buf_init(secret, SECRET_MAX_BYTES);
	return !*file || secret_file_read_text(file, secret, e);
}

static bool open_passes(const struct config *c, struct wire_sql *w, struct err *e)
{
	const struct odbc_settings *s = &w->settings;
	const struct pg_settings streams = {
		.host = s->host,
		.port = s->port,
		.user = s->user,
		.password = s->password,
		.source_user = s->source_user,
		.source_password = s->source_password,
		.tls = s->tls,
		.workers = (int)config_int(c, CONF_SQL_STREAMS),
	};

	w->settings.passes = w->passes = pg_passes_new(&streams, e);
	return w->passes != NULL;
}

static bool remove_blob(void *arg, const char *name, const atomic_bool *stop, struct err *e)
{
	const struct azure_container *backups = arg;

	return azure_remove_blob(backups, name, stop, e);
}

/* Only a Managed Instance has use for it. */
static bool take_backups(const struct config *c, struct wire_sql *w, struct err *e)
{
	if (!read_secret(c, CONF_SQL_FOLDER_SAS_FILE, &w->folder_sas, e))
		return false;
	w->backups = (struct azure_container){ .url = config_text(c, CONF_SQL_FOLDER), .sas = buf_text(&w->folder_sas) };
	if (*w->backups.sas) {
		w->settings.remove_blob = remove_blob;
		w->settings.remove_arg = &w->backups;
	}
	return true;
}

bool wire_sql_init(struct wire_sql *w, const struct config *c, struct err *e)
{
	const char *dialect = config_text(c, CONF_SQL_DIALECT), *driver = config_text(c, CONF_SQL_DRIVER);
	bool is_sqlite = strcmp(dialect, "sqlite") == 0, is_sqlserver = strcmp(dialect, "sqlserver") == 0;

	*w = (struct wire_sql){ 0 };
	if (!read_secret(c, CONF_SQL_PASSWORD_FILE, &w->password, e) ||
	    !read_secret(c, CONF_SQL_SOURCE_PASSWORD_FILE, &w->source_password, e))
		return false;
	w->settings = (struct odbc_settings){
		.dialect = dialect,
		.driver = *driver ? driver : is_sqlite ? "SQLite3" : is_sqlserver ? "FreeTDS" : "PostgreSQL ANSI",
		.folder = config_text(c, CONF_SQL_FOLDER),
		.host = config_text(c, CONF_SQL_HOST),
		.port = (int)config_int(c, CONF_SQL_PORT),
		.user = config_text(c, CONF_SQL_USER),
		.password = buf_text(&w->password),
		.source_user = config_text(c, CONF_SQL_SOURCE_USER),
		.source_password = buf_text(&w->source_password),
		.source_host = config_text(c, CONF_SQL_SOURCE_HOST),
		.source_port = (int)config_int(c, CONF_SQL_SOURCE_PORT),
		.tls = config_text(c, CONF_SQL_TLS),
		.schema = config_text(c, CONF_SQL_SCHEMA),
		.busy_timeout_ms = config_ms(c, CONF_SQL_BUSY_TIMEOUT),
		.query_timeout_ms = config_ms(c, CONF_SQL_QUERY_TIMEOUT),
		.page_rows = (size_t)config_int(c, CONF_SQL_PAGE_ROWS),
	};
	if (is_sqlserver) /* which engine it is decides whether it wants a folder */
		return take_backups(c, w, e);
	if (is_sqlite && !(w->settings.views = sqlite_views(e)))
		return false;
	if (is_sqlite)
		return config_need(c, CONF_SQL_FOLDER, e);
	return open_passes(c, w, e);
}

void wire_sql_done(struct wire_sql *w)
{
	pg_passes_free(&w->passes);
	secret_done(&w->password);
	secret_done(&w->source_password);
	secret_done(&w->folder_sas);
}
