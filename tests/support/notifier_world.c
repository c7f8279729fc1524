/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/notifier_world.h"

#include "consumer/adapters/avro/avro_codec.h"
#include "consumer/adapters/kafka/kafka_bus.h"
#include "consumer/adapters/redis/redis_deliveries.h"
#include "consumer/adapters/system/clock_system.h"
#include "tests/support/free_port.h"
#include "tests/support/key_maker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PARTITIONS = 3, START_WITHIN_MS = 30000, DELIVERED_WITHIN_MS = 20000, PATH_SIZE = 256, LOG_TAIL_BYTES = 4000 };

void wait_ms(int ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L }, NULL);
}

int64_t steady_ms(void)
{
	return clock_steady_ms();
}

static const char *path_of(const struct notifier_world *w, const char *part, char out_r[PATH_SIZE])
{
	snprintf(out_r, PATH_SIZE, "%s/%s", w->folder, part);
	return out_r;
}

/* ---- setting up ---- */

static void write_secret(const struct notifier_world *w, const char *name, const struct buf *content)
{
	char path[PATH_SIZE];
	int fd = open(path_of(w, name, path), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, content->data, content->len), (ssize_t)content->len);
	close(fd);
}

static void make_keys(const struct notifier_world *w)
{
	struct buf pem;

	buf_init(&pem, 64 * 1024);
	make_rsa_key(&pem, 2048);
	write_secret(w, "rsa", &pem);
	buf_clear(&pem);
	make_ed25519_key(&pem);
	write_secret(w, "ed25519", &pem);
	buf_done(&pem);
}

static void open_bus(struct notifier_world *w)
{
	static struct clock_port clock;
	struct avro_codec_settings codec = { .clock = &clock };
	struct kafka_settings settings = { .bootstrap_servers = w->broker.bootstrap, .client_id = "test",
		.create_topics = true };
	struct err e = { 0 };

	clock = clock_system();
	settings.writes[TOPIC_BACKUP_RESTORED] = settings.writes[TOPIC_STEP_COMPLETED] = settings.writes[TOPIC_STATE] = true;
	w->bus = kafka_bus_new(&settings, &e);
	ck_assert_msg(w->bus && kafka_bus_start(w->bus, START_WITHIN_MS, &e), "%s", e.text);
	w->codec = avro_codec_new(&codec, &e);
	ck_assert_msg(w->codec, "%s", e.text);
}

struct notifier_world *notifier_world_new(void)
{
	struct notifier_world *w = calloc(1, sizeof *w);
	char path[PATH_SIZE];
	struct err e = { 0 };

	ck_assert_ptr_nonnull(w);
	strcpy(w->folder, "/tmp/sandbox-notify-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(w->folder));
	ck_assert_int_eq(mkdir(path_of(w, "redis", path), 0755), 0);
	ck_assert(kafka_broker_start(&w->broker, PARTITIONS));
	w->redis = redis_server_start(path, &e);
	ck_assert_msg(w->redis, "%s", e.text);
	w->partner = partner_server_start(w->folder, &e);
	ck_assert_msg(w->partner, "%s", e.text);
	w->deliveries = redis_deliveries_new(&(struct redis_settings){ .socket_path = redis_server_socket(w->redis) }, &e);
	ck_assert_msg(w->deliveries, "%s", e.text);
	w->mem = arena_new((size_t)256 * 1024 * 1024);
	w->authorisations = json_array();
	make_keys(w);
	open_bus(w);
	return w;
}

void notifier_world_free(struct notifier_world **world)
{
	struct notifier_world *w = *world;
	char command[128];

	if (!w)
		return;
	for (int n = 0; n < NOTIFIERS_MAX; n++)
		notifier_kill(w, n);
	w->bus->close(w->bus, 1000);
	w->codec->close(w->codec);
	w->deliveries->close(w->deliveries);
	partner_server_free(&w->partner);
	stub_server_free(&w->stubs);
	redis_server_free(&w->redis);
	kafka_broker_stop(&w->broker);
	json_decref(w->authorisations);
	arena_free(&w->mem);
	snprintf(command, sizeof command, "rm -rf '%s'", w->folder);
	ck_assert_int_eq(system(command), 0);
	free(w);
	*world = NULL;
}

void approve(struct notifier_world *w, const char *ctx, const char *client_id, enum partner_door door, const char *path,
             const char *secret)
{
	char url[256];
	json_t *secrets = json_array();

	if (*secret)
		json_array_append_new(secrets, json_string(secret));
	json_array_append_new(w->authorisations, json_pack("{ssssssssso}", "ctx", ctx, "client_id", client_id, "name",
		client_id, "state_change_url", partner_server_url(w->partner, door, path, url, sizeof url),
		"webhook_secrets", secrets));
}

static char *seed_text(const struct notifier_world *w)
{
	json_t *seed = json_pack("{s[]s[]s[]s[]sO}", "tenants", "identities", "routes", "licences", "authorisations",
		w->authorisations);
	char *text = json_dumps(seed, 0);

	json_decref(seed);
	return text;
}

void approvals_changed(struct notifier_world *w)
{
	struct err e = { 0 };
	char *text = seed_text(w);

	stub_server_free(&w->stubs);
	w->stubs = stub_server_start(NULL, text, &e);
	ck_assert_msg(w->stubs, "%s", e.text);
	free(text);
}

void notifier_world_open(struct notifier_world *w, const char *more)
{
	char path[PATH_SIZE], url[128];
	FILE *f;

	approvals_changed(w);
	w->http_port = free_port();
	f = fopen(path_of(w, "n.ini", path), "we");
	ck_assert_ptr_nonnull(f);
	fprintf(f, "[kafka]\nbootstrap.servers = %s\nsession.timeout.ms = 6000\nfetch.wait.max.ms = 10\n",
		w->broker.bootstrap);
	fprintf(f, "[topics]\ncreate = true\n[redis]\nsocket = %s\n", redis_server_socket(w->redis));
	fprintf(f, "[apps]\nurl = %s\ntimeout = 2s\n", stub_server_url(w->stubs, "apps", url, sizeof url));
	fprintf(f, "[notifier]\nlisten = 127.0.0.1:%d\nissuer = https://notifier.example\nrsa_keys = %s/rsa\n"
		"ed25519_keys = %s/ed25519\nallow_http = true\nallow_nets = 127.0.0.0/8\nca_certificates = %s\n%s\n",
		w->http_port, w->folder, w->folder, partner_server_ca_file(w->partner), more);
	ck_assert_int_eq(fclose(f), 0);
}

/* ---- the processes ---- */

static const char *log_path(const struct notifier_world *w, int n, char out_r[PATH_SIZE])
{
	char name[32];

	snprintf(name, sizeof name, "notifier-%d.log", n);
	return path_of(w, name, out_r);
}

static _Noreturn void run(const struct notifier_world *w, int n)
{
	const char *build = getenv("BUILD_DIR");
	char program[512], config[PATH_SIZE], path[PATH_SIZE];
	int log = open(log_path(w, n, path), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	snprintf(program, sizeof program, "%s/consumer/programs/sandbox-notifier", build ? build : ".");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (log >= 0)
		dup2(log, STDERR_FILENO);
	if (n > 0)
		setenv("SANDBOX_NOTIFIER__LISTEN", "127.0.0.1:0", 1);
	execl(program, "sandbox-notifier", "--config", path_of(w, "n.ini", config), (char *)NULL);
	fprintf(stderr, "%s cannot be run; is BUILD_DIR set?\n", program);
	_exit(127);
}

void notifier_start(struct notifier_world *w, int n)
{
	w->notifiers[n] = fork();
	ck_assert_int_ge(w->notifiers[n], 0);
	if (w->notifiers[n] == 0)
		run(w, n);
}

void notifier_kill(struct notifier_world *w, int n)
{
	if (w->notifiers[n] <= 0)
		return;
	kill(w->notifiers[n], SIGKILL);
	while (waitpid(w->notifiers[n], NULL, 0) < 0 && errno == EINTR)
		;
	w->notifiers[n] = 0;
}

int notifier_stop(struct notifier_world *w, int n, int within_ms)
{
	const int64_t until_ms = steady_ms() + within_ms;
	int status;

	ck_assert_int_eq(kill(w->notifiers[n], SIGTERM), 0);
	while (steady_ms() < until_ms) {
		if (waitpid(w->notifiers[n], &status, WNOHANG) == w->notifiers[n]) {
			w->notifiers[n] = 0;
			return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		}
		wait_ms(10);
	}
	notifier_kill(w, n);
	return -1;
}

bool notifier_runs(struct notifier_world *w, int n)
{
	if (w->notifiers[n] > 0 && waitpid(w->notifiers[n], NULL, WNOHANG) == w->notifiers[n])
		w->notifiers[n] = 0;
	return w->notifiers[n] > 0;
}

bool notifier_said(struct notifier_world *w, int n, const char *text)
{
	char path[PATH_SIZE], command[512];

	snprintf(command, sizeof command, "grep -qF -- '%s' %s", text, log_path(w, n, path));
	return system(command) == 0;
}

void notifier_failed(struct notifier_world *w, const char *fmt, ...)
{
	char path[PATH_SIZE], command[512], text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	snprintf(command, sizeof command, "tail -c %d %s >&2", LOG_TAIL_BYTES, log_path(w, 0, path));
	if (system(command) != 0)
		fprintf(stderr, "there is no log\n");
	ck_abort_msg("%s", text);
}

/* ---- events ---- */

void tell_bytes(struct notifier_world *w, const char *key, const void *value, size_t len)
{
	const struct bus_message m = { .topic = TOPIC_BACKUP_RESTORED, .key = key, .key_len = strlen(key), .value = value,
		.value_len = len, .headers = { { "traceparent",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", 55 } }, .header_count = 1 };
	struct bus_event said;
	struct err e = { 0 };

	ck_assert_msg(w->bus->publish(w->bus, &m, 1, &e), "%s", e.text);
	ck_assert(bus_wait_for(w->bus, BUS_DELIVERED, DELIVERED_WITHIN_MS, &said) && said.ok);
}

void tell_events(struct notifier_world *w, const struct told_event *const *events, size_t count)
{
	struct bus_event said;
	struct err e = { 0 };

	for (size_t i = 0; i < count; i++) {
		const struct bus_message m = { .topic = events[i]->topic, .key = events[i]->key,
			.key_len = strlen(events[i]->key), .value = events[i]->value.data,
			.value_len = events[i]->value.len };

		ck_assert_msg(w->bus->publish(w->bus, &m, i, &e), "%s", e.text);
	}
	for (size_t i = 0; i < count; i++)
		ck_assert(bus_wait_for(w->bus, BUS_DELIVERED, DELIVERED_WITHIN_MS, &said) && said.ok);
}

void tell_restored(struct notifier_world *w, const char *ctx, int n)
{
	char event[128], clone[64];
	struct message m = { .kind = MESSAGE_BACKUP_RESTORED, .backup_restored = { .event_id = event, .change_type = 1,
		.context_identifier = ctx, .version_name = "Release_11.12_2026.07.20-01", .file_version = "11.12.675.0",
		.token = "", .public_endpoint = "online4.example", .clone_id = clone, .source_ctx = "Cust70000",
		.generation = "g1", .mask_domain = "sandbox.example", .proof = "{}", .run = n, .sequence = 31,
		.occurred_at_ms = 1790000000000, .apps_to_tell = 1 } };
	struct err e = { 0 };
	struct buf value;

	snprintf(event, sizeof event, "clone-%s/%d/backup-restored", ctx, n);
	snprintf(clone, sizeof clone, "clone-%s", ctx);
	buf_init(&value, RECORD_MAX_BYTES);
	ck_assert_msg(w->codec->encode(w->codec, &m, &value, &e), "%s", e.text);
	tell_bytes(w, ctx, value.data, value.len);
	buf_done(&value);
}

/* ---- looking ---- */

static int connect_to(int port)
{
	const struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)&at, sizeof at) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

char *notifier_get(struct notifier_world *w, const char *path)
{
	const int fd = connect_to(w->http_port);
	char part[4096], *text = NULL;
	struct buf answer;
	ssize_t len;

	if (fd < 0)
		return NULL;
	buf_init(&answer, 4 * 1024 * 1024);
	if (dprintf(fd, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path) > 0)
		while ((len = read(fd, part, sizeof part)) > 0)
			buf_add(&answer, part, (size_t)len);
	close(fd);
	if (strncmp(buf_text(&answer), "HTTP/1.1 200 ", 13) == 0)
		text = strdup(buf_text(&answer));
	buf_done(&answer);
	return text;
}

enum delivery_state delivery_state_of(struct notifier_world *w, const char *ctx, int n, const char *client_id)
{
	struct delivery_record record;
	struct err e = { 0 };
	char event[128];

	snprintf(event, sizeof event, "clone-%s/%d/backup-restored", ctx, n);
	arena_clear(w->mem);
	if (w->deliveries->show(w->deliveries, event, client_id, w->mem, &record, &e))
		return record.state;
	ck_assert_msg(e.class == ERR_REFUSED || e.class == ERR_TRANSIENT, "%s", e.text);
	return DELIVERY_UNSET;
}
