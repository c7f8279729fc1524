/* SPDX-License-Identifier: Apache-2.0
 * The copy of a server of one's own: BACKUP ... COPY_ONLY of the source, RESTORE under the generation's name, in quarantine
 * (RESTRICTED_USER) from its first moment. */
#include "consumer/adapters/odbc/engine_copy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { FILES_MAX = 31, RESTORE_MAX = 1 << 18 };

static const char where[] = "copy";

bool engine_backup_path(const struct odbc_server *server, const char *generation, uint64_t token,
			char out[ENGINE_PATH_BYTES], struct err *e)
{
	const char *folder = server_settings(server)->folder;
	size_t len = strlen(folder);
	const char *slash = strchr(folder, '\\') ? "\\" : "/";

	if (!connection_part_is_legal(folder))
		return err_set(e, ERR_MISUSE, 0, where, "sql.folder must name the server's folder of backups");
	if (folder[len - 1] == *slash)
		slash = "";
	if (snprintf(out, ENGINE_PATH_BYTES, "%s%s%s_%" PRIu64 ".bak", folder, slash, generation, token) >=
	    ENGINE_PATH_BYTES)
		return err_set(e, ERR_MISUSE, 0, where, "sql.folder is too long");
	return true;
}

struct file_list { /* of a backup, and where they go */
	char data[ENGINE_PATH_BYTES / 2], log[ENGINE_PATH_BYTES / 2];
	const char *generation;
	struct arena *mem;
	struct bind binds[FILES_MAX * 2 + 1];
	size_t count;
};

static bool take_folders(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct file_list *list = arg;

	(void)count;
	if (cells[0].len == 0 || cells[0].len >= sizeof list->data || cells[1].len == 0 ||
	    cells[1].len >= sizeof list->log)
		return err_set(e, ERR_REFUSED, 0, where, "the server does not tell its folders of databases");
	memcpy(list->data, cells[0].text, cells[0].len + 1);
	memcpy(list->log, cells[1].text, cells[1].len + 1);
	return true;
}

/* Logical name, file, kind (L log, D rows, others are folders), ... */
static bool take_file(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct file_list *list = arg;
	char path[ENGINE_PATH_BYTES];
	bool is_log;

	if (count < 3 || list->count + 2 > FILES_MAX * 2)
		return err_set(e, ERR_REFUSED, 0, where, "the backup has too many files");
	is_log = cells[2].text[0] == 'L';
	snprintf(path, sizeof path, "%s%s_%zu.%s", is_log ? list->log : list->data, list->generation, list->count / 2,
		 is_log ? "ldf" : "mdf");
	list->binds[1 + list->count++] = TEXT(arena_text(list->mem, cells[0].text, cells[0].len));
	list->binds[1 + list->count++] = TEXT(arena_text(list->mem, path, strlen(path)));
	return (list->binds[list->count].text && list->binds[list->count - 1].text) ||
	       err_set(e, ERR_TRANSIENT, 0, where, "out of memory");
}

static bool restore_text(const struct file_list *list, struct buf *sql)
{
	bool ok = buf_add_text(sql, "RESTORE DATABASE ") && sql_quote_name(sql, list->generation) &&
		  buf_add_text(sql, " FROM DISK = ? WITH RESTRICTED_USER, CHECKSUM, STATS = 5");

	for (size_t i = 0; ok && i < list->count; i += 2)
		ok = buf_add_text(sql, ", MOVE ? TO ?");
	return ok;
}

/* The empty generation goes first: then RESTORE needs no REPLACE, and its own checks stay on. */
static bool restore(struct engine_job *j, struct conn *c, struct copy_state *state, struct err *e)
{
	const char *generation = engine_job_fence(j)->generation;
	const struct odbc_server *server = engine_job_port(j)->server;
	struct file_list list = { .generation = generation, .mem = arena_new(1 << 20) };
	char file[ENGINE_PATH_BYTES] = "";
	const struct sql_args args = ARGS(arg_text("database", generation), arg_text("file", file));
	struct buf sql;
	bool ok;

	buf_init(&sql, RESTORE_MAX);
	list.binds[0] = TEXT(file);
	ok = engine_backup_path(server, generation, state->file_token, file, e) &&
	     (list.mem || err_set(e, ERR_TRANSIENT, 0, where, "out of memory")) &&
	     section_query(server, c, "_default_folders", NULL, take_folders, &list, e) &&
	     section_query(server, c, "_backup_files", &args, take_file, &list, e) &&
	     (restore_text(&list, &sql) || err_set(e, ERR_REFUSED, 0, where, "the backup has too many files")) &&
	     section_exec(server, c, "_database_drop", &args, NULL, e) &&
	     conn_exec(c, buf_text(&sql), list.binds, list.count + 1, NULL, e);
	buf_done(&sql);
	arena_free(&list.mem);
	state->reached = REACHED_COPY;
	return ok;
}

bool engine_back_up(struct engine_job *j, struct conn *master, struct copy_state *state, struct err *e)
{
	struct odbc_port *p = engine_job_port(j);
	char file[ENGINE_PATH_BYTES] = "";
	const struct sql_args args = ARGS(arg_text("database", p->source), arg_text("file", file));

	if (!engine_backup_path(p->server, engine_job_fence(j)->generation, state->file_token, file, e) ||
	    !section_exec(p->server, master, "_backup", &args, NULL, e))
		return false;
	state->reached = REACHED_BACKUP;
	return true;
}

static bool on_master(struct odbc_port *p, const char *section, const struct sql_args *args, struct err *e)
{
	struct link *l = server_take(p->server, "master", ACCESS_WRITE, &p->stop, e);
	bool ok = l && section_exec(p->server, l->conn, section, args, NULL, e);

	server_give(p->server, &l);
	return ok;
}

/* It holds every address. One that is not there any more is no error. */
static bool remove_backup(struct odbc_port *p, const char *generation, uint64_t token, struct err *e)
{
	char file[ENGINE_PATH_BYTES] = "";
	const struct sql_args args = ARGS(arg_text("file", file));

	return engine_backup_path(p->server, generation, token, file, e) && on_master(p, "_backup_forget", &args, e);
}

bool engine_restore_forget(struct odbc_port *p, const char *generation, struct err *e)
{
	uint64_t token = 0;

	return engine_left_file(p, generation, &token, e) && (token == 0 || remove_backup(p, generation, token, e));
}

/* What came with the restore is settled, the backup removed. */
static bool finish(struct engine_call *call, struct err *e)
{
	const struct sql_args args = ARGS(arg_text("database", call->fence->generation));

	call->pages->finished = engine_stamp(call, e) && on_master(call->port, "_database_prepare", &args, e) &&
				remove_backup(call->port, call->fence->generation, call->state.file_token, e) &&
				engine_reach(call, REACHED_END, e);
	return call->pages->finished;
}

bool engine_restore_next(struct engine_call *call, struct err *e)
{
	if (!engine_went_well(call, e))
		return false;
	switch (call->state.reached) {
	case REACHED_NOTHING:
		return engine_begin_backup(call, e);
	case REACHED_BACKUP:
		return engine_job_begin(call, restore, "restore", e);
	case REACHED_COPY:
		return finish(call, e);
	default:
		call->pages->finished = true;
		return true;
	}
}
