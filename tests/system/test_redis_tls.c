/* SPDX-License-Identifier: Apache-2.0
 * The store over TLS: an authority, certificates, a name; and what is said when one of them is not as it should be. */
#include "consumer/adapters/redis/redis_inspect.h"
#include "consumer/adapters/redis/redis_store.h"
#include "tests/support/free_port.h"
#include "tests/support/store_driver.h"

#include <arpa/inet.h>
#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { UP_WITHIN_MS = 60000, PATHS = 8, PATH_SIZE = 160, RECORDS = 300, RECORD_BYTES = 40000 };

static const char clone_id[] = "0198f0c2-0001-7c5b-9a54-000000000001";
static char folder[80];
static pid_t servers[3];
static int tls_port, plain_port, sentinel_port;

/* Two authorities; certificates of the first for the server (localhost and 127.0.0.1), for another host, and for a client,
 * whose key is encrypted. */
static const char certificates[] =
	"set -e; cd \"$1\"; ca() { openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj \"/CN=$1\" -keyout $1.key -out $1.pem; }\n"
	"cert() { openssl req -newkey rsa:2048 -nodes -subj \"/CN=$1\" -keyout $1.key -out $1.csr\n"
	"printf 'subjectAltName=%s' \"$2\" > $1.ext\n"
	"openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile $1.ext -out $1.pem; }\n"
	"ca ca; ca other; cert server DNS:localhost,IP:127.0.0.1; cert stranger DNS:redis.example; cert client DNS:client.example\n"
	"openssl rsa -aes256 -passout pass:geheim -in client.key -out client.enc\n";

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The path of a file, in one of some places by turns. */
static const char *in(const char *name)
{
	static char paths[PATHS][PATH_SIZE];
	static int turn;
	char *path = paths[turn++ % PATHS];

	snprintf(path, PATH_SIZE, "%s/%s", folder, name);
	return path;
}

static pid_t begin(const char *const *argv)
{
	pid_t pid = fork();

	if (pid == 0) {
		int quiet = open("/dev/null", O_RDWR | O_CLOEXEC);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (int fd = 0; fd < 3; fd++)
			dup2(quiet, fd);
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	return pid;
}

static void await_port(int port)
{
	const struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int64_t until = now_ms() + UP_WITHIN_MS;
	bool up = false;

	while (!up) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		up = connect(fd, (const struct sockaddr *)&at, sizeof at) == 0;
		close(fd);
		ck_assert_msg(up || now_ms() < until, "the server at port %d does not come up", port);
		nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	}
}

static void make_certificates(void)
{
	const char *const argv[] = { "sh", "-c", certificates, "sh", folder, NULL };
	int status = 1;

	waitpid(begin(argv), &status, 0);
	ck_assert_int_eq(status, 0);
}

static void start_redis(const char *asks)
{
	char tls[8], plain[8];

	tls_port = free_port();
	plain_port = free_port();
	snprintf(tls, sizeof tls, "%d", tls_port);
	snprintf(plain, sizeof plain, "%d", plain_port);
	servers[0] = begin((const char *const[]){ "redis-server", "--bind", "127.0.0.1", "--port", plain, "--tls-port", tls,
		"--tls-cert-file", in("server.pem"), "--tls-key-file", in("server.key"), "--tls-ca-cert-file", in("ca.pem"),
		"--tls-auth-clients", asks, "--save", "", "--appendonly", "yes", "--dir", folder, NULL });
	await_port(tls_port);
	await_port(plain_port);
}

static void start_sentinel(void)
{
	FILE *f = fopen(in("sentinel.conf"), "we");

	ck_assert_ptr_nonnull(f);
	sentinel_port = free_port();
	fprintf(f, "bind 127.0.0.1\nport 0\ntls-port %d\ntls-cert-file %s\ntls-key-file %s\ntls-ca-cert-file %s\n"
		"tls-auth-clients no\ntls-replication yes\nsentinel monitor group 127.0.0.1 %d 1\n", sentinel_port,
		in("server.pem"), in("server.key"), in("ca.pem"), tls_port);
	fclose(f);
	servers[1] = begin((const char *const[]){ "redis-server", in("sentinel.conf"), "--sentinel", NULL });
	await_port(sentinel_port);
}

static void setup(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(folder, sizeof folder, "%s/tls.XXXXXX", tmp ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	make_certificates();
	start_redis("no");
}

static void stop(pid_t *pid)
{
	if (*pid > 0) {
		kill(*pid, SIGKILL);
		waitpid(*pid, NULL, 0);
	}
	*pid = 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static void teardown(void)
{
	for (size_t i = 0; i < sizeof servers / sizeof *servers; i++)
		stop(&servers[i]);
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static struct redis_settings settings_of(void)
{
	return (struct redis_settings){ .host = "127.0.0.1", .port = tls_port, .tls = true, .tls_ca_file = in("ca.pem"),
		.owner = "one", .connect_timeout_ms = 3000, .command_timeout_ms = 10000 };
}

/* More in both directions than sockets and records of TLS hold. */
static void use_store(const struct redis_settings *settings)
{
	struct err e = { 0 };
	struct store_port *store = redis_store_new(settings, &e);
	struct store_op op = { .kind = STORE_ACQUIRE, .tag = 1, .target_ctx = "Target", .source_ctx = "Source",
		.clone_id = clone_id, .ttl_ms = 60000, .utc_us = 1785578400000000 };
	static char value[RECORD_BYTES];
	struct store_answer a;

	ck_assert_msg(store, "%s", e.text);
	a = store_ask(store, &op);
	ck_assert_int_eq(a.status, STORE_OK);
	memset(value, 'v', sizeof value);
	op.kind = STORE_RECORD;
	op.token = a.token;
	for (uint64_t i = 1; i <= RECORDS; i++) {
		const struct store_entry entry = { i, value, sizeof value };

		op.tag = i + 1;
		op.sequence_before = i - 1;
		op.sequence_after = i;
		op.entries = &entry;
		op.entry_count = 1;
		ck_assert_msg(store->submit(store, &op, &e), "%s", e.text);
	}
	store->flush(store);
	for (int i = 0; i < RECORDS; i++) {
		ck_assert(store_wait(store, 60000, &a));
		ck_assert_msg(a.status == STORE_OK, "%s", a.text);
	}
	op = (struct store_op){ .kind = STORE_ACQUIRE, .tag = 9999, .target_ctx = "Target", .source_ctx = "Source",
		.clone_id = clone_id, .ttl_ms = 60000, .utc_us = 1785578400000000 };
	a = store_ask(store, &op); /* everything comes back: 12 MB */
	ck_assert_msg(a.status == STORE_OK, "%s", a.text);
	ck_assert_uint_eq(a.entry_count, RECORDS);
	ck_assert_uint_eq(a.entries[RECORDS - 1].len, RECORD_BYTES);
	ck_assert_mem_eq(a.entries[RECORDS - 1].data, value, RECORD_BYTES);
	op = (struct store_op){ .kind = STORE_RELEASE, .tag = 10000, .target_ctx = "Target", .source_ctx = "Source",
		.clone_id = clone_id, .token = a.token };
	store_ask(store, &op);
	store->close(store);
}

static void refused(const struct redis_settings *settings, enum err_class class, const char *words)
{
	const int64_t began = now_ms();
	struct err e = { 0 };

	ck_assert_ptr_null(redis_store_new(settings, &e));
	ck_assert_msg(strstr(e.text, words) && e.class == class, "\"%s\" (%s) does not say \"%s\"", e.text,
		      err_class_name(e.class), words);
	ck_assert_int_lt(now_ms() - began, 30000);
}

START_TEST(a_store_works_over_tls)
{
	struct redis_settings settings = settings_of();
	struct inspect_port *inspect;
	struct arena *mem = arena_new(1 << 26);
	struct inspect_lease lease;
	struct err e = { 0 };

	use_store(&settings);
	settings.host = "localhost";
	inspect = redis_inspect_new(&settings, &e); /* the blocking one */
	ck_assert_msg(inspect, "%s", e.text);
	ck_assert_msg(inspect->lease(inspect, "Target", mem, &lease, &e), "%s", e.text);
	ck_assert(!lease.is_held);
	inspect->close(inspect);
	arena_free(&mem);
}
END_TEST

START_TEST(who_is_not_trusted_is_not_spoken_to)
{
	struct redis_settings settings = settings_of();

	settings.tls_ca_file = in("other.pem");
	refused(&settings, ERR_REFUSED, "its certificate is not trusted");
	settings.tls_ca_file = ""; /* the system's */
	refused(&settings, ERR_REFUSED, "its certificate is not trusted");
	settings.tls_ca_file = in("nothing.pem");
	refused(&settings, ERR_REFUSED, "cannot be read as PEM");
}
END_TEST

START_TEST(the_certificate_must_be_for_the_host)
{
	struct redis_settings settings;

	stop(&servers[0]);
	ck_assert_int_eq(rename(in("stranger.pem"), in("server.pem")), 0);
	ck_assert_int_eq(rename(in("stranger.key"), in("server.key")), 0);
	start_redis("no");
	settings = settings_of();
	refused(&settings, ERR_REFUSED, "for another name");
	settings.host = "localhost";
	refused(&settings, ERR_REFUSED, "for another name");
	settings.tls_any_name = true;
	use_store(&settings);
	settings.tls_ca_file = in("other.pem"); /* the authority counts all the same */
	refused(&settings, ERR_REFUSED, "its certificate is not trusted");
}
END_TEST

START_TEST(a_server_may_want_a_certificate_of_ours)
{
	struct redis_settings settings;

	stop(&servers[0]);
	start_redis("yes");
	settings = settings_of();
	refused(&settings, ERR_REFUSED, "does it want a certificate of ours?");
	settings.tls_cert_file = in("client.pem");
	settings.tls_key_file = in("client.enc");
	settings.tls_key_password = "wrong";
	refused(&settings, ERR_REFUSED, "wants another password");
	settings.tls_key_file = in("stranger.key");
	refused(&settings, ERR_REFUSED, "is not the certificate's");
	settings.tls_key_file = in("client.enc");
	settings.tls_key_password = "geheim";
	use_store(&settings);
}
END_TEST

/* A plain port waits for the end of a line that TLS never sends: we do not wait with it. */
START_TEST(a_port_of_the_other_kind_is_told_within_seconds)
{
	struct redis_settings settings = settings_of();

	settings.port = plain_port;
	refused(&settings, ERR_TRANSIENT, "TLS handshake");
	settings = settings_of();
	settings.tls = false;
	settings.tls_ca_file = "";
	refused(&settings, ERR_TRANSIENT, "Redis");
}
END_TEST

START_TEST(sentinels_and_their_master_speak_tls)
{
	const char *sentinels[1];
	char at[32];
	struct redis_settings settings = settings_of();

	start_sentinel();
	snprintf(at, sizeof at, "127.0.0.1:%d", sentinel_port);
	sentinels[0] = at;
	settings.sentinels = sentinels;
	settings.sentinel_count = 1;
	settings.sentinel_master = "group";
	use_store(&settings);
	settings.tls_ca_file = in("other.pem");
	refused(&settings, ERR_REFUSED, "the Redis Sentinel");
}
END_TEST

/* A connection that ends in the middle is opened again, and what was under way is said to be lost. */
START_TEST(a_server_that_ends_is_found_again)
{
	struct redis_settings settings = settings_of();
	struct err e = { 0 };
	struct store_port *store = redis_store_new(&settings, &e);
	struct store_op op = { .kind = STORE_ACQUIRE, .tag = 1, .target_ctx = "Target", .source_ctx = "Source",
		.clone_id = clone_id, .ttl_ms = 60000, .utc_us = 1785578400000000 };
	const int64_t until = now_ms() + UP_WITHIN_MS;
	int port = tls_port;
	char tls[8];

	ck_assert_msg(store, "%s", e.text);
	ck_assert_int_eq(store_ask(store, &op).status, STORE_OK);
	stop(&servers[0]);
	ck_assert_int_eq(store_ask(store, &op).status, STORE_UNAVAILABLE);
	snprintf(tls, sizeof tls, "%d", port);
	servers[0] = begin((const char *const[]){ "redis-server", "--bind", "127.0.0.1", "--port", "0", "--tls-port", tls,
		"--tls-cert-file", in("server.pem"), "--tls-key-file", in("server.key"), "--tls-ca-cert-file", in("ca.pem"),
		"--tls-auth-clients", "no", "--save", "", "--appendonly", "yes", "--dir", folder, NULL });
	while (store_ask(store, &op).status != STORE_OK)
		ck_assert_msg(now_ms() < until, "the store does not come back");
	store->close(store);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("redis_tls");
	TCase *t = tcase_create("tls");
	SRunner *sr = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 240);
	tcase_add_test(t, a_store_works_over_tls);
	tcase_add_test(t, who_is_not_trusted_is_not_spoken_to);
	tcase_add_test(t, the_certificate_must_be_for_the_host);
	tcase_add_test(t, a_server_may_want_a_certificate_of_ours);
	tcase_add_test(t, a_port_of_the_other_kind_is_told_within_seconds);
	tcase_add_test(t, sentinels_and_their_master_speak_tls);
	tcase_add_test(t, a_server_that_ends_is_found_again);
	suite_add_tcase(suite, t);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
