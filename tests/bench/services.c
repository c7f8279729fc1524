/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/services.h"

#include "consumer/adapters/avro/avro_codec.h"
#include "consumer/adapters/system/clock_system.h"
#include "tests/bench/measure.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <libgen.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- servers ---- */

static bool complain(const char *what)
{
	fprintf(stderr, "bench: %s\n", what);
	return false;
}

/* Of a program in the folder of the one that runs. */
static bool path_of(const char *name, char *path, size_t size)
{
	char self[4096];
	ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);

	if (len < 0)
		return false;
	self[len] = '\0';
	return (size_t)snprintf(path, size, "%s/%s", dirname(self), name) < size;
}

/* Where the broker's program is. */
static bool find_build(void)
{
	char path[4096];

	return getenv("BUILD_DIR") || (path_of("../..", path, sizeof path) && setenv("BUILD_DIR", path, 1) == 0);
}

static bool start_redis(struct services *s, const char *fsync)
{
	struct err e = { 0 };
	char line[64];

	s->redis = redis_server_start(s->folder, &e);
	if (!s->redis)
		return complain(e.text);
	snprintf(line, sizeof line, "CONFIG SET appendfsync %s", fsync);
	return redis_server_tell(s->redis, line) != REDIS_SERVER_ERROR || complain("Redis does not take that appendfsync");
}

static bool start_broker(struct services *s, const char *bootstrap, pid_t broker_pid)
{
	if (bootstrap[0]) {
		snprintf(s->bootstrap, sizeof s->bootstrap, "%s", bootstrap);
		s->broker_pid = broker_pid;
		return true;
	}
	if (!find_build() || !kafka_broker_start(&s->broker, BENCH_PARTITIONS))
		return false;
	snprintf(s->bootstrap, sizeof s->bootstrap, "%s", s->broker.bootstrap);
	s->broker_pid = s->broker.pid;
	return kafka_broker_say(&s->broker, "topic floor.requests 8") && kafka_broker_say(&s->broker, "topic floor.events 8") &&
		kafka_broker_say(&s->broker, "topic floor.ends 8");
}

bool services_start(struct services *s, const char *bootstrap, pid_t broker_pid, const char *fsync)
{
	const char *tmp = getenv("TMPDIR");

	*s = (struct services){ .broker = { .control = -1 }, .fetch_wait_ms = bootstrap[0] ? "100" : "5",
		.session_ms = bootstrap[0] ? "45000" : "6000" };
	snprintf(s->folder, sizeof s->folder, "%s/sandbox-bench.XXXXXX", tmp && strlen(tmp) < 30 ? tmp : "/tmp");
	if (!mkdtemp(s->folder)) {
		s->folder[0] = '\0';
		return complain("there is no temporary folder");
	}
	return start_redis(s, fsync) && start_broker(s, bootstrap, broker_pid);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

void services_stop(struct services *s)
{
	redis_server_free(&s->redis);
	if (s->broker.pid)
		kafka_broker_stop(&s->broker);
	if (s->folder[0])
		nftw(s->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

bool services_forget(const struct services *s)
{
	return redis_server_tell(s->redis, "FLUSHALL") != REDIS_SERVER_ERROR;
}

/* ---- the program that is measured ---- */

static void set_env(const char *name, const char *fmt, ...)
{
	char value[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof value, fmt, ap);
	va_end(ap);
	setenv(name, value, 1);
}

static bool start(struct services *s, const char *name, const char *const argv[], struct subject *r)
{
	char path[4096], log[96];
	pid_t parent = getpid();

	if (!path_of(name, path, sizeof path))
		return false;
	snprintf(log, sizeof log, "%s/%s.log", s->folder, name);
	r->pid = fork();
	if (r->pid == 0) {
		int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent && fd >= 0 && dup2(fd, 1) >= 0 && dup2(fd, 2) >= 0)
			execv(path, (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	return r->pid > 0;
}

/* The configuration is the product's own, through its environment variables. */
static void configure(const struct services *s, const struct noop_options *o)
{
	static const char *const limits[] = { "SQL", "HOSTING", "SUPERID", "MAIL", "OBJECTS", "ARCHIVE", "LICENCE", "APPS" };

	set_env("SANDBOX_KAFKA__BOOTSTRAP_SERVERS", "%s", s->bootstrap);
	set_env("SANDBOX_KAFKA__FETCH_WAIT_MAX_MS", "%s", s->fetch_wait_ms);
	set_env("SANDBOX_KAFKA__SESSION_TIMEOUT_MS", "%s", s->session_ms); /* as the floor has it */
	set_env("SANDBOX_REDIS__SOCKET", "%s", redis_server_socket(s->redis));
	set_env("SANDBOX_ENGINE__PLAN", "strict");
	set_env("SANDBOX_ENGINE__WORKERS", "%d", o->workers);
	set_env("SANDBOX_ENGINE__MAX_CLONES", "%d", 20000);
	set_env("SANDBOX_LOG__LEVEL", "info");
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
		char name[64];

		snprintf(name, sizeof name, "SANDBOX_ENGINE__LIMIT_%s", limits[i]);
		set_env(name, "%d", o->workers);
	}
}

bool subject_start_noop(struct services *s, const struct noop_options *o, struct subject *r)
{
	static const char *const modes[] = { [NOOP_STEPS] = "steps", [NOOP_WAIT] = "wait", [NOOP_ALARM] = "alarm" };
	char clones[24], step_ms[24], alarm[24];
	const char *argv[] = { "noop_consumer", r->trace, modes[o->mode], clones, step_ms, alarm, NULL };

	snprintf(r->trace, sizeof r->trace, "%s/noop.trace", s->folder);
	snprintf(clones, sizeof clones, "%zu", o->clones);
	snprintf(step_ms, sizeof step_ms, "%d", o->step_ms);
	snprintf(alarm, sizeof alarm, "%" PRId64, o->alarm_ns);
	configure(s, o);
	return start(s, argv[0], argv, r);
}

bool subject_start_floor(struct services *s, const char *mode, size_t clones, struct subject *r)
{
	char count[24];
	const char *argv[] = { "floor", s->bootstrap, redis_server_socket(s->redis), mode, count, r->trace,
		s->fetch_wait_ms, s->session_ms, NULL };

	snprintf(r->trace, sizeof r->trace, "%s/floor.trace", s->folder);
	snprintf(count, sizeof count, "%zu", clones);
	return start(s, argv[0], argv, r);
}

static void show_logs(const struct services *s)
{
	char command[160];
	FILE *f;

	for (int i = 0; i < 2; i++) {
		snprintf(command, sizeof command, "%s/%s.log", s->folder, i ? "floor" : "noop_consumer");
		f = fopen(command, "r");
		if (!f)
			continue;
		fseek(f, -2000, SEEK_END);
		for (int c = getc(f); c != EOF; c = getc(f))
			putc(c, stderr);
		fclose(f);
	}
}

bool subject_end(struct services *s, struct subject *r, bool ask)
{
	int status = -1;

	if (r->pid <= 0)
		return false;
	if (ask)
		kill(r->pid, SIGTERM);
	while (waitpid(r->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	r->pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	show_logs(s);
	fprintf(stderr, "bench: what was measured ended with status %x\n", (unsigned)status);
	return false;
}

/* ---- requests ---- */

struct bench_requests {
	struct clock_port clock;
	struct codec_port *codec;
	unsigned run; /* tells the clones of this process from those of others in the same topics */
};

struct bench_requests *bench_requests_new(void)
{
	struct bench_requests *r = calloc(1, sizeof *r);
	struct avro_codec_settings settings = { 0 };
	struct err e = { 0 };

	if (!r)
		return NULL;
	r->clock = clock_system();
	r->run = (unsigned)(measure_now_ns() / 1000000);
	settings.clock = &r->clock;
	r->codec = avro_codec_new(&settings, &e);
	if (!r->codec) {
		complain(e.text);
		free(r);
		return NULL;
	}
	return r;
}

void bench_requests_free(struct bench_requests **r)
{
	if (!*r)
		return;
	(*r)->codec->close((*r)->codec);
	free(*r);
	*r = NULL;
}

static bool request_of_noop(void *arg, size_t n, struct buf *key, struct buf *value)
{
	static const struct user_plan admin = { .login = "boss", .plan = "sales-premium", .is_admin = true };
	struct bench_requests *r = arg;
	char id[CLONE_ID_MAX + 1], source[CTX_MAX + 1], target[CTX_MAX + 1];
	struct message m = { .kind = MESSAGE_REQUEST };
	struct err e = { 0 };

	snprintf(id, sizeof id, "%08x-0000-4000-8000-%012zx", r->run, n);
	snprintf(source, sizeof source, "Source%zu", n % 7);
	snprintf(target, sizeof target, "Target%x-%zu", r->run, n);
	m.request = (struct clone_request){ .job = { .clone_id = id, .kind = CLONE_REPLACE, .source_ctx = source,
		.target_ctx = target, .requested_by = "bench@sandbox.example", .mask_enabled = true,
		.mask_domain = "sandbox.example", .mask_mode = MASK_KEEP_NAMES, .users = &admin, .user_count = 1,
		.documents = DOCUMENTS_ALL,
		.attachments = ATTACHMENTS_ALL, .set_running = true, .approved_target = target },
		.confirmed = true, .requested_at_ms = measure_now_ns() / 1000000, .expected_generation = "" };
	return buf_add_text(key, target) && r->codec->encode(r->codec, &m, value, &e);
}

int bench_clone_number(const char *clone_id)
{
	char *end;
	unsigned long n;

	if (strlen(clone_id) != CLONE_ID_MAX || strncmp(clone_id + 8, "-0000-4000-8000-", 16) != 0)
		return -1;
	n = strtoul(clone_id + 24, &end, 16);
	return *end || n > INT32_MAX ? -1 : (int)n;
}

static size_t number_of_noop(void *arg, const char *key, size_t len)
{
	const struct bench_requests *r = arg;
	char id[CLONE_ID_MAX + 1], run[10];
	int n;

	if (len != CLONE_ID_MAX)
		return SIZE_MAX;
	memcpy(id, key, len);
	id[len] = '\0';
	snprintf(run, sizeof run, "%08x-", r->run);
	n = bench_clone_number(id);
	return n < 0 || strncmp(id, run, strlen(run)) != 0 ? SIZE_MAX : (size_t)n;
}

/* Two states of each clone: RUNNING and COMPLETED. */
struct driver_subject driver_of_noop(struct bench_requests *r)
{
	return (struct driver_subject){ "sandbox.clone.requested", "sandbox.clone.state", 2, request_of_noop,
		number_of_noop, r };
}

static bool request_of_floor(void *arg, size_t n, struct buf *key, struct buf *value)
{
	(void)arg;
	return buf_printf(key, "%zu", n) && buf_printf(value, "%zu", n);
}

static size_t number_of_floor(void *arg, const char *key, size_t len)
{
	char text[24] = "";

	(void)arg;
	if (len == 0 || len >= sizeof text)
		return SIZE_MAX;
	memcpy(text, key, len);
	return strtoul(text, NULL, 10);
}

struct driver_subject driver_of_floor(void)
{
	return (struct driver_subject){ "floor.requests", "floor.ends", 1, request_of_floor, number_of_floor, NULL };
}
