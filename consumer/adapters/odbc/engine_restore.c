/* SPDX-License-Identifier: Apache-2.0
 * The two statements of a copy that the server itself makes: backup and restore, and the files they are about. */
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
bool engine_restore(const struct odbc_server *server, struct conn *c, const char *generation, const char *file,
		    struct err *e)
{
	const struct sql_args args = ARGS(arg_text("database", generation), arg_text("file", file));
	struct file_list list = { .generation = generation, .mem = arena_new(1 << 20) };
	struct buf sql;
	bool ok;

	buf_init(&sql, RESTORE_MAX);
	list.binds[0] = TEXT(file);
	ok = (list.mem || err_set(e, ERR_TRANSIENT, 0, where, "out of memory")) &&
	     section_query(server, c, "_default_folders", NULL, take_folders, &list, e) &&
	     section_query(server, c, "_backup_files", &args, take_file, &list, e) &&
	     (restore_text(&list, &sql) || err_set(e, ERR_REFUSED, 0, where, "the backup has too many files")) &&
	     section_exec(server, c, "_database_drop", &args, NULL, e) &&
	     conn_exec(c, buf_text(&sql), list.binds, list.count + 1, NULL, e);
	buf_done(&sql);
	arena_free(&list.mem);
	return ok;
}

bool engine_back_up(const struct odbc_server *server, struct conn *c, const char *source, const char *file, struct err *e)
{
	const struct sql_args args = ARGS(arg_text("database", source), arg_text("file", file));

	return section_exec(server, c, "_backup", &args, NULL, e);
}
