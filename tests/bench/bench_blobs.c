/* SPDX-License-Identifier: Apache-2.0
 * How fast blobs are copied, on Azurite: bench_blobs [small blobs (2000) [large ones of 100 MB (6) [rounds (1)]]]. Each
 * round copies them by the service, through us, and by whichever the adapter takes; the table has the medians. */
#include "tests/bench/measure.h"
#include "tests/support/azurite.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROUNDS_MAX = 15, LARGE_BYTES = 100 * 1000 * 1000, SMALL_MIN = 4096, SMALL_MAX = 65536, WAYS = 3 };

static const struct {
	const char *name;
	enum azure_copy how;
} ways[WAYS] = { { "by the service", AZURE_COPY_SERVER }, { "through us", AZURE_COPY_STREAM }, { "measured", AZURE_COPY_AUTO } };

struct run {
	double seconds[ROUNDS_MAX], cpu[ROUNDS_MAX];
	int64_t files, bytes;
};

/* Bytes that do not compress, and differ from blob to blob. */
static void fill(char *bytes, size_t len, uint64_t state)
{
	for (size_t i = 0; i + 8 <= len; i += 8) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		memcpy(bytes + i, &state, 8);
	}
}

static void make_blobs(struct blobs *b, int small, int large)
{
	char name[64], *bytes = calloc(1, LARGE_BYTES);

	for (int i = 0; i < small; i++) {
		size_t len = SMALL_MIN + (size_t)i * 7919 % (SMALL_MAX - SMALL_MIN);

		fill(bytes, len, (uint64_t)i + 1);
		snprintf(name, sizeof name, "Cust1/Documents/folder%d/%d", i / 1000, i);
		blobs_put(b, name, bytes, len);
	}
	for (int i = 0; i < large; i++) {
		fill(bytes, LARGE_BYTES, (uint64_t)i + 77);
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

static void copy_once(const struct blobs *b, enum azure_copy how, const char *folder, struct run *r, int round)
{
	const struct fence fence = { "clone", 1, "bench", "Cust2", "Cust2__g1", 1 };
	const struct files_choice choice = { .source_root = "Cust1", .folder = folder };
	const struct azure_settings settings = { .target = blobs_container(b), .copy = how };
	int64_t begun, different, files, bytes;
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
	r->files = p.files;
	r->bytes = p.bytes;
	must(port->compare(port, &fence, &choice, &different, &files, &bytes, &e), &e);
	if (different != 0 || files != p.files) {
		fprintf(stderr, "bench_blobs: %" PRId64 " blobs are not as they should be\n", different);
		exit(1);
	}
	must(port->remove_root(port, &fence, "Cust2__g1", &e), &e);
	azure_files_free(&port);
}

static void measure(const struct blobs *b, const char *folder, const char *what, int rounds)
{
	struct run runs[WAYS] = { { .files = 0 } };

	for (int round = 0; round < rounds; round++)
		for (int i = 0; i < WAYS; i++)
			copy_once(b, ways[(i + round + 2) % WAYS].how, folder, &runs[(i + round + 2) % WAYS], round);
	for (int i = 0; i < WAYS; i++) {
		double s = median(runs[i].seconds, (size_t)rounds), cpu = median(runs[i].cpu, (size_t)rounds);

		printf("| %-16s | %-14s | %6" PRId64 " | %7.1f | %6.2f | %7.0f | %6.1f | %4.0f %% |\n", what, ways[i].name,
		       runs[i].files, (double)runs[i].bytes / 1e6, s, (double)runs[i].files / s,
		       (double)runs[i].bytes / 1e6 / s, 100 * cpu / s);
	}
}

int main(int argc, char **argv)
{
	int small = argc > 1 ? atoi(argv[1]) : 2000, large = argc > 2 ? atoi(argv[2]) : 6;
	int rounds = argc > 3 ? atoi(argv[3]) : 1;
	struct azurite azurite;
	struct blobs blobs;
	enum azurite_result started;

	if (rounds < 1 || rounds > ROUNDS_MAX)
		return 2;
	started = azurite_start(&azurite);
	if (started == AZURITE_STARTED) {
		blobs_open(&blobs, azurite.url, "bench", true);
		make_blobs(&blobs, small, large);
		puts("| what             | copied         |  blobs |      MB |      s | blobs/s |   MB/s |  CPU  |\n"
		     "|---|---|---|---|---|---|---|---|");
		measure(&blobs, "Documents", "4 to 64 KiB", rounds);
		measure(&blobs, "Attachments", "100 MB", rounds);
		blobs_close(&blobs);
	} else if (started == AZURITE_ABSENT) {
		puts("no Azurite on this machine");
	}
	azurite_stop(&azurite);
	return started == AZURITE_FAILED;
}
