/* SPDX-License-Identifier: Apache-2.0
 * SQLite's databases are files of one folder: <folder>/<name>.sqlite with its -wal and -shm. */
#include "consumer/adapters/odbc/dialect.h"

#include "consumer/adapters/odbc/sql_text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LOCK_EVERY_MS = 10 };
static const char where[] = "sqlite";

static bool path_of(const struct odbc_settings *s, const char *database, const char *tail, char *out, size_t size,
		    struct err *e)
{
	int n;

	if (!database_name_is_legal(database) && strcmp(database, dialect_sqlite.server_database) != 0)
		return err_set(e, ERR_REFUSED, 0, where, "that is no name of a database");
	n = snprintf(out, size, "%s/%s.sqlite%s", s->folder, database, tail);
	if (n < 0 || (size_t)n >= size)
		return err_set(e, ERR_MISUSE, 0, where, "the path of the database folder is too long");
	return true;
}

static bool fail(struct err *e, const char *what, const char *database)
{
	int code = errno;
	bool may_pass =
	    code == ENOSPC || code == EDQUOT || code == EMFILE || code == ENFILE || code == EIO || code == ENOMEM;

	return err_set(e, may_pass ? ERR_TRANSIENT : ERR_REFUSED, code, where, "%s %s: %s", what, database,
		       code == ENOSPC || code == EDQUOT ? "disk full" : strerror(code));
}

static bool exists(const struct odbc_settings *s, const char *database, bool *exists_r, struct err *e)
{
	char path[PATH_MAX];
	struct stat st;

	if (!path_of(s, database, "", path, sizeof path, e))
		return false;
	*exists_r = false;
	if (stat(path, &st) != 0)
		return errno == ENOENT || fail(e, "cannot look at database", database);
	*exists_r = S_ISREG(st.st_mode);
	return true;
}

/* Follows links: a link to the source is the source. */
static bool identity(const struct odbc_settings *s, const char *database, char *out, size_t size, struct err *e)
{
	char path[PATH_MAX];
	struct stat st;

	if (!path_of(s, database, "", path, sizeof path, e))
		return false;
	if (stat(path, &st) != 0) {
		if (errno == ENOENT)
			return err_set(e, ERR_REFUSED, 0, where, "there is no database %s", database);
		return fail(e, "cannot look at database", database);
	}
	snprintf(out, size, "%jx:%jx", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return true;
}

static bool sync_folder(const struct odbc_settings *s, struct err *e)
{
	int fd = open(s->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;

	if (!ok)
		fail(e, "cannot sync the folder of", "the databases");
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool remove_tail(const struct odbc_settings *s, const char *database, const char *tail, struct err *e)
{
	char path[PATH_MAX];

	if (!path_of(s, database, tail, path, sizeof path, e))
		return false;
	return unlink(path) == 0 || errno == ENOENT || fail(e, "cannot remove database", database);
}

static bool remove_log(const struct odbc_settings *s, const char *database, struct err *e)
{
	return remove_tail(s, database, "-wal", e) && remove_tail(s, database, "-shm", e) &&
	       remove_tail(s, database, "-journal", e);
}

/* Under the folder's lock: looking, clearing an old log and making the file are one act to other programs, who would
 * otherwise have the log of their new file taken away. */
static bool create_locked(const struct odbc_settings *s, const char *database, struct err *e)
{
	char path[PATH_MAX];
	bool there = false;
	int fd;

	if (!path_of(s, database, "", path, sizeof path, e) || !exists(s, database, &there, e))
		return false;
	if (there)
		return true;
	/* A crash between the two steps of drop() leaves a log that must not be read into the new file. */
	if (!remove_log(s, database, e))
		return false;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(e, "cannot create database", database);
	close(fd);
	return sync_folder(s, e);
}

/* Whoever is frozen with the lock must not hold up others for ever. */
static bool lock_folder(const struct odbc_settings *s, int folder, struct err *e)
{
	for (int64_t waited_ms = 0; flock(folder, LOCK_EX | LOCK_NB) != 0; waited_ms += LOCK_EVERY_MS) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return fail(e, "cannot lock the folder of", "the databases");
		if (waited_ms >= s->busy_timeout_ms)
			return err_set(e, ERR_TRANSIENT, 0, where, "another program holds the lock on the folder of the databases");
		nanosleep(&(struct timespec){ .tv_nsec = LOCK_EVERY_MS * 1000000L }, NULL);
	}
	return true;
}

static bool create(const struct odbc_settings *s, const char *database, struct err *e)
{
	int folder = open(s->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok;

	if (folder < 0)
		return fail(e, "cannot open the folder of", "the databases");
	ok = lock_folder(s, folder, e) && create_locked(s, database, e);
	close(folder); /* and with it the lock */
	return ok;
}

/* The file first: whoever finds it has all of it, log included. */
static bool drop(const struct odbc_settings *s, const char *database, struct err *e)
{
	char path[PATH_MAX];
	struct stat st;

	if (!path_of(s, database, "", path, sizeof path, e))
		return false;
	if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return err_set(e, ERR_REFUSED, 0, where, "database %s is a link or no file: it is not dropped",
			       database);
	if (!remove_tail(s, database, "", e) || !remove_log(s, database, e))
		return false;
	return sync_folder(s, e);
}

/* By path, never by opening: closing a descriptor of a file drops all locks that this process has on it. */
static bool close_to_others(const struct odbc_settings *s, const char *database, bool closed, struct err *e)
{
	static const char *const tails[] = { "", "-wal", "-shm" };
	char path[PATH_MAX];
	struct stat st;

	for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
		if (!path_of(s, database, tails[i], path, sizeof path, e))
			return false;
		if (lstat(path, &st) != 0 && errno == ENOENT && i > 0)
			continue;
		if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
			return err_set(e, ERR_REFUSED, 0, where, "database %s is a link or no file", database);
		if (chmod(path, closed ? 0600 : 0660) != 0 && (i == 0 || errno != ENOENT))
			return fail(e, "cannot change the access to database", database);
	}
	return true;
}

const struct sql_files dialect_sqlite_files = {
	.exists = exists,
	.identity = identity,
	.create = create,
	.drop = drop,
	.close_to_others = close_to_others,
};
