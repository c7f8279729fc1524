/* SPDX-License-Identifier: Apache-2.0
 * Setting up and ending an installation: folder, source customer, services. */
#include "tests/support/installation_priv.h"

#include "compose/seed/seed.h"
#include "consumer/adapters/avro/avro_codec.h"
#include "consumer/adapters/kafka/kafka_bus.h"
#include "consumer/adapters/system/clock_system.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PARTITIONS = 3, REAL_PARTITIONS = 4 /* as sandboxctl topics makes them */, START_WITHIN_MS = 20000, PATH_SIZE = 256, SEED = 7 };

/* ---- the source customer and the outside world ---- */

static void make_folders(const struct installation *i)
{
	static const char *const parts[] = { "db", "objects", "archive", "stubs", "redis" };
	char path[PATH_SIZE];

	for (size_t p = 0; p < sizeof parts / sizeof *parts; p++)
		ck_assert_int_eq(mkdir(installation_path(i, parts[p], path, sizeof path), 0755), 0);
}

/* The same text with one name in the place of another, wherever it stands. */
static char *replace(const char *text, const char *from, const char *to)
{
	struct buf out;
	const char *at;

	buf_init(&out, 1 << 20);
	while ((at = strstr(text, from))) {
		buf_add(&out, text, (size_t)(at - text));
		buf_add_text(&out, to);
		text = at + strlen(from);
	}
	ck_assert(buf_add_text(&out, text));
	return out.data;
}

/* What belongs to the first target, for the nth. */
static json_t *for_target(const char *text, int n, bool own_source)
{
	char ctx[32], serial[32], source[32], *named, *numbered, *linked;
	json_t *copy;

	snprintf(ctx, sizeof ctx, "Cust%d", 70000 + n);
	snprintf(serial, sizeof serial, "70000000%02d", n + 1);
	snprintf(source, sizeof source, "Cust%d", 71000 + n);
	named = replace(text, TARGET, ctx);
	numbered = replace(named, "7000000002", serial);
	linked = replace(numbered, SOURCE, own_source ? source : SOURCE);
	copy = json_loads(linked, 0, NULL);
	free(named);
	free(numbered);
	free(linked);
	ck_assert_ptr_nonnull(copy);
	return copy;
}

/* What belongs to the source, for the production tenant of the nth target: other names, the same data. */
static json_t *for_source(const char *text, int n)
{
	char ctx[32], *named;
	json_t *copy;

	snprintf(ctx, sizeof ctx, "Cust%d", 71000 + n);
	named = replace(text, SOURCE, ctx);
	copy = json_loads(named, 0, NULL);
	free(named);
	ck_assert_ptr_nonnull(copy);
	if (json_object_get(copy, "database")) {
		json_object_set_new(copy, "database", json_string(SOURCE));
		json_object_set_new(copy, "files_root", json_string(SOURCE));
	}
	return copy;
}

static void add_tenants(const struct installation *i, json_t *list)
{
	size_t first = json_array_size(list);

	for (size_t at = 0; at < first; at++) {
		char *text = json_dumps(json_array_get(list, at), 0);
		bool is_target = strstr(text, TARGET);

		for (int n = 1; is_target && n <= i->targets; n++)
			if (n > 1)
				json_array_append_new(list, for_target(text, n, i->own_sources));
			else
				json_array_set_new(list, at, for_target(text, n, i->own_sources));
		for (int n = 1; !is_target && i->own_sources && n <= i->targets; n++)
			json_array_append_new(list, for_source(text, n));
		free(text);
	}
}

static char *read_world(const struct installation *i, const char *path, const struct installation_options *o)
{
	static const char *const lists[] = { "tenants", "identities", "routes", "licences", "authorisations" };
	json_t *world = json_load_file(path, 0, NULL);
	char *text;

	ck_assert_ptr_nonnull(world);
	for (size_t l = 0; l < sizeof lists / sizeof *lists; l++)
		add_tenants(i, json_object_get(world, lists[l]));
	if (o->web_config_reads)
		json_object_set_new(json_object_get(world, "settings"), "web_config_reads", json_integer(o->web_config_reads));
	if (o->apps) {
		json_t *more = json_loads(o->apps, 0, NULL);

		ck_assert_int_eq(json_array_extend(json_object_get(world, "authorisations"), more), 0);
		json_decref(more);
	}
	text = json_dumps(world, 0);
	json_decref(world);
	return text;
}

static void seed(struct installation *i, const struct installation_options *o)
{
	char db[PATH_SIZE], objects[PATH_SIZE], archive[PATH_SIZE], stubs[PATH_SIZE], world[PATH_SIZE], *text;
	struct seed_options options = { .folder = installation_path(i, "db", db, sizeof db), .factor = o->factor,
		.seed = SEED, .source = SOURCE, .target = TARGET,
		.objects = installation_path(i, "objects", objects, sizeof objects),
		.archive = installation_path(i, "archive", archive, sizeof archive),
		.stubs = installation_path(i, "world.json", world, sizeof world) };
	struct seed_result made;
	struct err e = { 0 };

	ck_assert_msg(seed_customer(&options, &made, &e), "%s", e.text);
	text = read_world(i, world, o);
	i->stubs = stub_server_start(installation_path(i, "stubs", stubs, sizeof stubs), text, &e);
	ck_assert_msg(i->stubs, "%s", e.text);
	free(text);
}

/* ---- a small disk ---- */

/* In a mount namespace of this process and its children: it goes with them. */
static bool mount_disk(const struct installation *i, const char *size)
{
	char path[PATH_SIZE], options[32];

	snprintf(options, sizeof options, "size=%s", size);
	if (unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("tmpfs", installation_path(i, "db", path, sizeof path), "tmpfs", 0, options) == 0)
		return true;
	printf("skipped: a small disk cannot be mounted here (%s)\n", strerror(errno));
	return false;
}

void disk_resize(const struct installation *i, const char *size)
{
	char path[PATH_SIZE], options[32];

	snprintf(options, sizeof options, "size=%s", size);
	ck_assert_int_eq(mount("tmpfs", installation_path(i, "db", path, sizeof path), "tmpfs", MS_REMOUNT, options), 0);
}

/* ---- what the consumers are told ---- */

static void write_key(const struct installation *i)
{
	char path[PATH_SIZE];
	int fd = open(installation_path(i, "key", path, sizeof path), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_gt(dprintf(fd, "0123456789abcdef0123456789abcdef0123456789abcdef"), 0);
	close(fd);
}

static void write_config(const struct installation *i)
{
	static const char *const systems[] = { "hosting", "superid", "mail", "licence", "apps" };
	char path[PATH_SIZE], url[128];
	FILE *f = fopen(installation_path(i, "s.ini", path, sizeof path), "we");

	ck_assert_ptr_nonnull(f);
	fprintf(f, "[kafka]\nbootstrap.servers = %s\nsession.timeout.ms = 6000\nfetch.wait.max.ms = 10\n",
		i->broker.bootstrap);
	fprintf(f, "[topics]\ncreate = %s\n", i->own_broker ? "true" : "false");
	fprintf(f, "[redis]\nsocket = %s\n", redis_server_socket(i->redis));
	fprintf(f, "[sql]\nfolder = %s/db\n", i->folder);
	for (size_t s = 0; s < sizeof systems / sizeof *systems; s++)
		fprintf(f, "[%s]\nurl = %s\ntimeout = 2s\n", systems[s],
			stub_server_url(i->stubs, systems[s], url, sizeof url));
	fprintf(f, "[files]\nobjects_root = %s/objects\narchive_root = %s/archive\n", i->folder, i->folder);
	fprintf(f, "[seal]\nkey_file = %s/key\n", i->folder);
	fprintf(f, "[engine]\nworkers = 4\npoll = 20ms\nlease_ttl = 2s\nretry_first = 50ms\nretry_cap = 400ms\n"
		"breaker_open = 300ms\nretry_budget = 10m\n");
	fprintf(f, "[http]\nlisten = 127.0.0.1:0\n");
	ck_assert_int_eq(fclose(f), 0);
}

/* ---- the services ---- */

struct kafka_settings installation_kafka(const struct installation *i)
{
	static const struct kafka_property quick = { "fetch.wait.max.ms", "10" };

	return (struct kafka_settings){ .bootstrap_servers = i->broker.bootstrap, .client_id = "test",
		.properties = &quick, .property_count = 1, .create_topics = i->own_broker };
}

static void open_bus(struct installation *i)
{
	static struct clock_port clock;
	struct avro_codec_settings codec = { .clock = &clock };
	struct kafka_settings settings = installation_kafka(i);
	struct err e = { 0 };

	clock = clock_system();
	settings.writes[TOPIC_REQUESTED] = settings.writes[TOPIC_REPLAY] = settings.writes[TOPIC_CONTROL] = true;
	i->bus = kafka_bus_new(&settings, &e);
	ck_assert_msg(i->bus && kafka_bus_start(i->bus, START_WITHIN_MS, &e), "%s", e.text);
	i->codec = avro_codec_new(&codec, &e);
	ck_assert_msg(i->codec, "%s", e.text);
}

static void choose_broker(struct installation *i, const struct kafka_broker *running)
{
	i->own_broker = !running;
	i->partitions = running ? REAL_PARTITIONS : PARTITIONS;
	if (running)
		i->broker = *running;
	else
		ck_assert(kafka_broker_start(&i->broker, PARTITIONS));
}

struct installation *installation_new(const struct installation_options *options)
{
	struct installation *i = calloc(1, sizeof *i);
	const char *tmp = getenv("TMPDIR");
	char path[PATH_SIZE];
	struct err e = { 0 };

	ck_assert_ptr_nonnull(i);
	i->targets = options->targets ? options->targets : 1;
	ck_assert_int_le(i->targets, TARGETS_MAX);
	i->own_sources = options->own_sources;
	snprintf(i->folder, sizeof i->folder, "%s/i-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(i->folder));
	make_folders(i);
	if (options->disk && !mount_disk(i, options->disk)) {
		installation_free(&i);
		return NULL;
	}
	choose_broker(i, options->kafka);
	i->redis = redis_server_start(installation_path(i, "redis", path, sizeof path), &e);
	ck_assert_msg(i->redis, "%s", e.text);
	seed(i, options);
	write_key(i);
	write_config(i);
	open_bus(i);
	return i;
}

/* ---- the end ---- */

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *at)
{
	(void)status, (void)type, (void)at;
	return remove(path);
}

static void remove_folder(const char *path)
{
	if (!getenv("SANDBOX_KEEP"))
		nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void installation_free(struct installation **i_)
{
	struct installation *i = *i_;

	if (!i)
		return;
	for (int n = 0; n < CONSUMERS_MAX; n++)
		consumer_kill(i, n);
	if (i->inspect)
		i->inspect->close(i->inspect);
	if (i->bus)
		i->bus->close(i->bus, 1000);
	if (i->codec)
		i->codec->close(i->codec);
	if (i->own_broker)
		kafka_broker_stop(&i->broker);
	redis_server_free(&i->redis);
	stub_server_free(&i->stubs);
	remove_folder(i->folder);
	free(i);
	*i_ = NULL;
}

int installation_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	const char *tmp = getenv("TMPDIR");
	char folder[64];
	int failed;

	/* Unix sockets have short names: a long TMPDIR does not do. */
	snprintf(folder, sizeof folder, "%s/sbx-XXXXXX", tmp && *tmp && strlen(tmp) < 20 ? tmp : "/tmp");
	if (!mkdtemp(folder) || setenv("TMPDIR", folder, 1) != 0) {
		perror("no temporary folder");
		return 1;
	}
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	remove_folder(folder);
	return failed != 0;
}

const char *installation_path(const struct installation *i, const char *part, char *out_r, size_t size)
{
	ck_assert_int_lt(snprintf(out_r, size, "%s/%s", i->folder, part), (int)size);
	return out_r;
}
