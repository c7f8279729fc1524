/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/postgres_server.h"

#include "tests/support/free_port.h"

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { START_TRIES = 1200, TRY_EVERY_MS = 50 };

/* ---- what is installed ---- */

static bool find_program(const char *name, char *out, size_t size)
{
	char pattern[128];
	glob_t found;
	bool ok;

	snprintf(pattern, sizeof pattern, "/usr/lib/postgresql/*/bin/%s", name);
	ok = glob(pattern, 0, NULL, &found) == 0 && found.gl_pathc > 0;
	if (ok)
		snprintf(out, size, "%s", found.gl_pathv[found.gl_pathc - 1]);
	globfree(&found);
	return ok;
}

static bool has_driver(void)
{
	glob_t found;
	bool ok = glob("/usr/lib/*/odbc/psqlodbca.so", 0, NULL, &found) == 0 && found.gl_pathc > 0;

	globfree(&found);
	return ok;
}

/* ---- processes ---- */

/* The server's user must get through the folders of tests above its own, which are ours alone. Those from the first that
 * everybody may write in (/tmp) upwards are nobody's to change; without one nothing is. */
static bool open_the_way(const char *folder)
{
	const char *slash = strrchr(folder, '/');
	char parent[PATH_MAX];
	struct stat s;

	if (!slash || slash == folder)
		return false;
	snprintf(parent, sizeof parent, "%.*s", (int)(slash - folder), folder);
	if (stat(parent, &s) != 0)
		return false;
	if (s.st_mode & S_ISVTX)
		return true;
	return open_the_way(parent) && ((s.st_mode & S_IXOTH) || chmod(parent, (s.st_mode & 07777) | S_IXOTH) == 0);
}

/* The server refuses to run as root. */
static void become_nobody_special(const char *folder)
{
	const struct passwd *user = getpwnam("postgres");

	if (getuid() != 0)
		return;
	if (!user || chown(folder, user->pw_uid, user->pw_gid) != 0 || setgroups(0, NULL) != 0 ||
	    setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)
		_exit(126);
}

static pid_t spawn(const struct postgres_server *s, const char *const *argv)
{
	char path[PATH_MAX];
	pid_t pid;

	ck_assert(find_program(argv[0], path, sizeof path));
	if (getuid() == 0)
		open_the_way(s->folder);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		int log;

		become_nobody_special(s->folder);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (chdir(s->folder) != 0)
			_exit(126);
		log = open("log", O_WRONLY | O_CREAT | O_APPEND, 0600);
		dup2(open("/dev/null", O_RDONLY), 0);
		dup2(log, 1);
		dup2(log, 2);
		execv(path, (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	return pid;
}

static void run(const struct postgres_server *s, const char *const *argv)
{
	int status = -1;

	ck_assert_int_gt(waitpid(spawn(s, argv), &status, 0), 0);
	ck_assert_msg(status == 0, "%s failed; see %s/log", argv[0], s->folder);
}

/* What was copied belongs to who copied it. */
static uid_t owner;
static gid_t group;

static int give_one(const char *path, const struct stat *status, int type, struct FTW *at)
{
	(void)status, (void)type, (void)at;
	return lchown(path, owner, group);
}

static void give_to_server(const char *folder)
{
	const struct passwd *user = getpwnam("postgres");

	if (getuid() != 0)
		return;
	ck_assert_ptr_nonnull(user);
	owner = user->pw_uid;
	group = user->pw_gid;
	ck_assert_int_eq(nftw(folder, give_one, 8, FTW_PHYS), 0);
}

void postgres_restart(struct postgres_server *s)
{
	char port[8], number[8];
	/* Shared memory as files of its own folder: what is killed leaves nothing behind elsewhere. */
	const char *const server[] = { "postgres", "-D", "data", "-p", port, "-h", "127.0.0.1", "-k", s->folder, "-F", "-c",
		"dynamic_shared_memory_type=mmap", "-c", "autovacuum=off", "-c", "shared_buffers=16MB", "-c", "log_min_messages=warning", NULL };
	const char *const is_ready[] = { "pg_isready", "-q", "-h", s->folder, "-p", number, NULL };

	snprintf(port, sizeof port, "%d", s->port);
	snprintf(number, sizeof number, "%d", s->port);
	s->pid = spawn(s, server);
	for (int i = 0; i < START_TRIES; i++) {
		int status = -1;

		waitpid(spawn(s, is_ready), &status, 0);
		if (status == 0)
			return;
		ck_assert_msg(waitpid(s->pid, NULL, WNOHANG) == 0, "PostgreSQL ended; see %s/log", s->folder);
		nanosleep(&(struct timespec){ .tv_nsec = TRY_EVERY_MS * 1000000 }, NULL);
	}
	ck_abort_msg("PostgreSQL did not start; see %s/log", s->folder);
}

bool postgres_is_here(void)
{
	char path[PATH_MAX];
	bool ok = find_program("initdb", path, sizeof path) && has_driver();

	if (!ok)
		printf("SKIPPED: PostgreSQL is not here; install Debian's postgresql and odbc-postgresql\n");
	return ok;
}

/* Who has a password must give it; the test's own roles need none. */
static void ask_for_passwords(const struct postgres_server *s)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof path, "%s/data/pg_hba.conf", s->folder);
	file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	fputs("local all all trust\nhost all tenants,cloner,reader 127.0.0.1/32 trust\n"
	      "host all all 127.0.0.1/32 scram-sha-256\n", file);
	ck_assert_int_eq(fclose(file), 0);
}

struct postgres_server *postgres_start_in(const char *folder)
{
	static const char *const init[] = { "initdb", "-D", "data", "-U", "tenants", "-A", "trust", "-E", "UTF8", "--locale=C",
		"--no-sync", "--wal-segsize=1", NULL };
	struct postgres_server *s = calloc(1, sizeof *s);
	char path[PATH_MAX];

	ck_assert_ptr_nonnull(s);
	snprintf(s->folder, sizeof s->folder, "%s", folder);
	s->port = free_port();
	snprintf(path, sizeof path, "%s/data/PG_VERSION", folder);
	if (access(path, F_OK) != 0) {
		run(s, init);
		ask_for_passwords(s);
	}
	snprintf(path, sizeof path, "%s/data/postmaster.pid", folder);
	unlink(path); /* of the one that it was copied from */
	give_to_server(folder);
	postgres_restart(s);
	return s;
}

struct postgres_server *postgres_start(void)
{
	static const char *const init[] = { "initdb", "-D", "data", "-U", "tenants", "-A", "trust", "-E", "UTF8", "--locale=C",
		"--no-sync", NULL };
	static const char *const make[] = { "createdb", "-h", NULL, "-p", NULL, "-U", "tenants", "tenants", NULL };
	const char *with[sizeof make / sizeof *make];
	struct postgres_server *s;
	char port[8];

	if (!postgres_is_here())
		return NULL;
	s = calloc(1, sizeof *s);
	snprintf(s->folder, sizeof s->folder, "/tmp/sandbox-postgres-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(s->folder));
	s->port = free_port();
	run(s, init);
	postgres_restart(s);
	snprintf(port, sizeof port, "%d", s->port);
	memcpy(with, make, sizeof make);
	with[2] = s->folder;
	with[4] = port;
	run(s, with);
	return s;
}

void postgres_kill(struct postgres_server *s)
{
	kill(s->pid, SIGQUIT); /* immediate: no checkpoint, every connection cut */
	waitpid(s->pid, NULL, 0);
	s->pid = 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *at)
{
	(void)status;
	(void)type;
	(void)at;
	return remove(path);
}

void postgres_stop(struct postgres_server **s)
{
	if (!*s)
		return;
	if ((*s)->pid)
		postgres_kill(*s);
	nftw((*s)->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(*s);
	*s = NULL;
}
