/* SPDX-License-Identifier: Apache-2.0
 * How fast blobs are copied, on Azurite: bench_blobs [small blobs (2000) [large ones of 100 MB (6) [rounds (1)]]]. Each
 * round copies them by the service, through us, by whichever the adapter takes, by a plain program over libcurl in both
 * ways, and by rclone where it is there; the table has the medians. All use as many requests at a time. */
#include "tests/bench/blob_peers.h"
#include "tests/bench/measure.h"
#include "tests/support/azurite.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROUNDS_MAX = 15, LARGE_BYTES = 100 * 1000 * 1000, SMALL_MIN = 4096, SMALL_MAX = 65536, WAYS = 3, PARALLEL = 8 };

static const struct {
	const char *name;
	enum azure_copy how;
} ways[WAYS] = { { "by the service", AZURE_COPY_SERVER }, { "through us", AZURE_COPY_STREAM }, { "measured", AZURE_COPY_AUTO } };

struct run {
	double seconds[ROUNDS_MAX], cpu[ROUNDS_MAX];
	int64_t files, bytes;
	bool is_left_out;
};

static const char *const peers[PEER_END] = { "libcurl, service", "libcurl, stream", "rclone" };

struct bench {
	struct blobs blobs;
	char sas[512];
	char **names; /* of the folder that is measured */
	int count, rounds;
};

static void make_blobs(struct blobs *b, int small, int large)
{
	char name[64], *bytes = calloc(1, LARGE_BYTES);

	for (int i = 0; i < small; i++) {
		size_t len = SMALL_MIN + (size_t)i * 7919 % (SMALL_MAX - SMALL_MIN);

		peer_fill(bytes, len, (uint64_t)i + 1);
		snprintf(name, sizeof name, "Cust1/Documents/folder%d/%d", i / 1000, i);
		blobs_put(b, name, bytes, len);
	}
	for (int i = 0; i < large; i++) {
		peer_fill(bytes, LARGE_BYTES, (uint64_t)i + 77);
		snprintf(name, sizeof name, "Cust1/Attachments/%d", i);
		blobs_put(b, name, bytes, LARGE_BYTES);
	}
	free(bytes);
}

static void must(bool ok, const struct err *e)
{
	if (ok)
		return;
	fprintf(stderr, "bench_blobs: %s\n", e->text);
	exit(1);
}

static const struct fence fence = { "clone", 1, "bench", "Cust2", "Cust2__g1", 1 };

/* Counts what is there, fails when anything differs in length, and removes it. */
static void check_and_remove(const struct bench *b, const char *folder, struct run *r)
{
	const struct files_choice choice = { .source_root = "Cust1", .folder = folder };
	const struct azure_settings settings = { .target = blobs_container(&b->blobs) };
	struct err e = { 0 };
	struct files_port *port = azure_files_new(&settings, NULL, &e);
	int64_t different;

	must(port != NULL, &e);
	must(port->compare(port, &fence, &choice, &different, &r->files, &r->bytes, &e), &e);
	if (different != 0 || r->files != b->count) {
		fprintf(stderr, "bench_blobs: %" PRId64 " blobs are not as they should be\n", different);
		exit(1);
	}
	must(port->remove_root(port, &fence, "Cust2__g1", &e), &e);
	azure_files_free(&port);
}

static void copy_once(const struct bench *b, enum azure_copy how, const char *folder, struct run *r, int round)
{
	const struct files_choice choice = { .source_root = "Cust1", .folder = folder };
	const struct azure_settings settings = { .target = blobs_container(&b->blobs), .copy = how, .parallel = PARALLEL };
	int64_t begun;
	struct files_progress p = { 0 };
	struct err e = { 0 };
	struct files_port *port = azure_files_new(&settings, NULL, &e);
	double cpu;

	must(port != NULL, &e);
	cpu = measure_cpu_s(getpid());
	begun = measure_now_ns();
	while (!p.finished)
		must(port->copy_next(port, &fence, &choice, &p, &e), &e);
	r->seconds[round] = (double)(measure_now_ns() - begun) / 1e9;
	r->cpu[round] = measure_cpu_s(getpid()) - cpu;
	azure_files_free(&port);
	check_and_remove(b, folder, r);
}

static void copy_by_peer(const struct bench *b, enum blob_peer peer, const char *folder, struct run *r, int round)
{
	char from[64], to[64];
	const struct blob_peer_task task = { b->blobs.url, b->sas + 1, from, to, (const char *const *)b->names, b->count,
		                             PARALLEL };
	struct peer_figures figures;

	if (peer == PEER_RCLONE && !peer_is_there("rclone"))
		return;
	snprintf(from, sizeof from, "Cust1/%s", folder);
	snprintf(to, sizeof to, "Cust2__g1/%s", folder);
	if (!blob_peer_copy(peer, &task, &figures)) {
		r->is_left_out = true;
		return;
	}
	r->seconds[round] = figures.wall_s;
	r->cpu[round] = figures.cpu_s;
	check_and_remove(b, folder, r);
}

static void print(const char *what, const char *how, struct run *r, int rounds)
{
	double s = median(r->seconds, (size_t)rounds), cpu = median(r->cpu, (size_t)rounds);

	if (r->is_left_out || !r->files) {
		printf("| %-11s | %-16s | left out |\n", what, how);
		return;
	}
	printf("| %-11s | %-16s | %6" PRId64 " | %7.1f | %6.2f | %7.0f | %6.1f | %4.0f %% |\n", what, how, r->files,
	       (double)r->bytes / 1e6, s, (double)r->files / s, (double)r->bytes / 1e6 / s, 100 * cpu / s);
}

static void measure(const struct bench *b, const char *folder, const char *what)
{
	struct run runs[WAYS + PEER_END] = { { .files = 0 } };

	copy_once(b, AZURE_COPY_STREAM, folder, &runs[0], 0); /* the emulator compiles itself as it goes: nobody's figure */
	for (int round = 0; round < b->rounds; round++)
		for (int i = 0; i < WAYS + PEER_END; i++) {
			int which = (i + round + 2) % (WAYS + PEER_END);

			if (which < WAYS)
				copy_once(b, ways[which].how, folder, &runs[which], round);
			else
				copy_by_peer(b, (enum blob_peer)(which - WAYS), folder, &runs[which], round);
		}
	for (int i = 0; i < WAYS + PEER_END; i++)
		print(what, i < WAYS ? ways[i].name : peers[i - WAYS], &runs[i], b->rounds);
}

/* What make_blobs named so. */
static void measure_named(struct bench *b, const char *folder, const char *what, int count, bool is_small)
{
	b->count = count;
	b->names = calloc((size_t)count + 1, sizeof *b->names);
	for (int i = 0; i < count; i++)
		if ((is_small ? asprintf(&b->names[i], "folder%d/%d", i / 1000, i) : asprintf(&b->names[i], "%d", i)) < 0)
			exit(1);
	if (count)
		measure(b, folder, what);
	for (int i = 0; i < count; i++)
		free(b->names[i]);
	free(b->names);
}

int main(int argc, char **argv)
{
	int small = argc > 1 ? atoi(argv[1]) : 2000, large = argc > 2 ? atoi(argv[2]) : 6;
	struct bench b = { .rounds = argc > 3 ? atoi(argv[3]) : 1 };
	struct azurite azurite;
	enum azurite_result started;

	if (b.rounds < 1 || b.rounds > ROUNDS_MAX)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	started = azurite_start(&azurite);
	if (started == AZURITE_STARTED) {
		blobs_open(&b.blobs, azurite.url, "bench", true);
		blobs_sas(&b.blobs, "rcwdl", 'c', b.sas, sizeof b.sas);
		make_blobs(&b.blobs, small, large);
		puts("| what        | copied           |  blobs |      MB |      s | blobs/s |   MB/s |  CPU  |\n"
		     "|---|---|---|---|---|---|---|---|");
		measure_named(&b, "Documents", "4 to 64 KiB", small, true);
		measure_named(&b, "Attachments", "100 MB", large, false);
		blobs_close(&b.blobs);
	} else if (started == AZURITE_ABSENT) {
		puts("no Azurite on this machine");
	}
	azurite_stop(&azurite);
	return started == AZURITE_FAILED;
}
