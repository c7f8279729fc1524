/* SPDX-License-Identifier: Apache-2.0
 * The archive of files beside what people copy trees with: bench_files FOLDER [small files (50000) [large ones of 200 MB (5)
 * [rounds (1)]]]. FOLDER lies on the file system to be measured. Ours is what steps 28 and 30 do: the look, the copy with
 * everything on disk before it gets its name, the look again. `durable` is until a sync behind it has ended. */
#include "consumer/adapters/files/files_fs.h"
#include "tests/bench/measure.h"
#include "tests/bench/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 512, LARGE_BYTES = 200 * 1000 * 1000, SMALL_MIN = 1024, SMALL_MAX = 32 * 1024, A_FOLDER = 500 };

struct bench {
	char root[PATH_BYTES], source[PATH_BYTES + 64], target[PATH_BYTES + 64];
	int64_t files, bytes;
	bool shares; /* the file system copies by sharing blocks */
};

/* ---- the tree ---- */

static void write_file(struct bench *b, const char *path, char *bytes, size_t len, uint64_t state)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0640);

	peer_fill(bytes, len, state);
	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len || close(fd) != 0)
		peer_die(path);
	b->files++;
	b->bytes += (int64_t)len;
}

static void make_tree(struct bench *b, int small, int large)
{
	char path[PATH_BYTES + 256], *bytes = malloc(LARGE_BYTES);

	if (!bytes)
		peer_die("the tree");
	snprintf(path, sizeof path, "%s/Cust1", b->root);
	if (mkdir(path, 0750) != 0 || mkdir(b->source, 0750) != 0)
		peer_die(path);
	for (int i = 0; i < small; i++) {
		snprintf(path, sizeof path, "%s/%d", b->source, i / A_FOLDER);
		if (i % A_FOLDER == 0 && mkdir(path, 0750) != 0)
			peer_die(path);
		snprintf(path, sizeof path, "%s/%d/document %d", b->source, i / A_FOLDER, i);
		write_file(b, path, bytes, SMALL_MIN + (size_t)i * 7919 % (SMALL_MAX - SMALL_MIN), (uint64_t)i + 1);
	}
	for (int i = 0; i < large; i++) {
		snprintf(path, sizeof path, "%s/large %d", b->source, i);
		write_file(b, path, bytes, LARGE_BYTES, (uint64_t)i + 77);
	}
	free(bytes);
	sync();
}

/* ---- ways ---- */

static void must(bool ok, const struct err *e)
{
	if (ok)
		return;
	fprintf(stderr, "bench_files: %s\n", e->text);
	exit(1);
}

static struct peer_figures ours(struct bench *b)
{
	const struct fence fence = { "clone", 1, "bench", "Cust2", "Cust2__g1", 1 };
	const struct files_choice choice = { .source_root = "Cust1", .folder = "Documents" };
	double cpu = measure_cpu_s(getpid());
	int64_t begun = measure_now_ns(), different, files, bytes;
	struct files_progress p = { 0 };
	struct err e = { 0 };
	struct files_port *port = files_fs_new(b->root, NULL, &e);

	must(port != NULL, &e);
	must(port->compare(port, &fence, &choice, &different, &files, &bytes, &e), &e);
	while (!p.finished)
		must(port->copy_next(port, &fence, &choice, &p, &e), &e);
	must(port->compare(port, &fence, &choice, &different, &files, &bytes, &e), &e);
	files_fs_free(&port);
	if (different || files != b->files || bytes != b->bytes) {
		fprintf(stderr, "bench_files: %" PRId64 " files are not as they should be\n", different);
		exit(1);
	}
	return (struct peer_figures){ (double)(measure_now_ns() - begun) / 1e9, measure_cpu_s(getpid()) - cpu };
}

enum way { WAY_OURS, WAY_CP, WAY_CP_SHARING, WAY_RSYNC, WAY_TAR, WAYS };

static const char *const names[WAYS] = { "ours (step 28)", "cp -r", "cp -r --reflink=always", "rsync -a", "tar | tar" };

static struct peer_figures run(struct bench *b, enum way way)
{
	char from[PATH_BYTES + 80];
	const char *const cp[] = { "cp", "-r", "--reflink=never", b->source, b->target, NULL };
	const char *const cp_sharing[] = { "cp", "-r", "--reflink=always", b->source, b->target, NULL };
	const char *const rsync[] = { "rsync", "-a", from, b->target, NULL };
	const char *const tar[] = { "sh", "-c", "mkdir \"$2\" && tar -C \"$1\" -cf - . | tar -C \"$2\" -xf -", "sh", b->source,
				    b->target, NULL };
	const char *const *argv[WAYS] = { NULL, cp, cp_sharing, rsync, tar };
	struct peer_figures f;

	snprintf(from, sizeof from, "%s/", b->source);
	if (way == WAY_OURS)
		return ours(b);
	if (!peer_run(argv[way], NULL, 0, &f))
		exit(1);
	return f;
}

static void measure_once(struct bench *b, enum way way, struct row *row, int round)
{
	const char *const remove[] = { "rm", "-rf", b->target, NULL };
	char generation[PATH_BYTES + 64];
	const char *const remove_ours[] = { "rm", "-rf", generation, NULL };
	struct peer_figures f, ignored;
	int64_t begun;

	snprintf(generation, sizeof generation, "%s/Cust2__g1", b->root);
	sync();
	begun = measure_now_ns();
	f = run(b, way);
	row->wall_s[round] = f.wall_s;
	row->cpu_s[round] = f.cpu_s;
	sync();
	row->durable_s[round] = (double)(measure_now_ns() - begun) / 1e9;
	if (!peer_run(way == WAY_OURS ? remove_ours : remove, NULL, 0, &ignored))
		exit(1);
}

static void print(const struct row *rows, const struct bench *b, int rounds)
{
	double wall[WAYS], durable[WAYS], cpu[WAYS];
	int best = b->shares ? WAY_CP_SHARING : WAY_CP;

	puts("| copied with             |  run s | durable s |  CPU s | MB/s | ours / it, run | ours / it, durable |\n"
	     "|---|---|---|---|---|---|---|");
	for (int i = 0; i < WAYS; i++) {
		struct row row = rows[i];

		wall[i] = median(row.wall_s, (size_t)rounds);
		durable[i] = median(row.durable_s, (size_t)rounds);
		cpu[i] = median(row.cpu_s, (size_t)rounds);
		if (row.is_left_out)
			printf("| %-23s | left out: not installed, or not of this file system |\n", names[i]);
		else
			printf("| %-23s | %6.2f | %9.2f | %6.2f | %4.0f | %14.2f | %18.2f |\n", names[i], wall[i], durable[i], cpu[i],
			       (double)b->bytes / 1e6 / durable[i], wall[0] / wall[i], durable[0] / durable[i]);
	}
	printf("ours / %s: %.2f, durable %.2f (T14: at most %s)\n", names[best], wall[0] / wall[best], durable[0] / durable[best],
	       b->shares ? "0.8" : "0.95");
}

/* Whether `cp --reflink=always` works there. */
static bool can_share(const struct bench *b)
{
	char from[PATH_BYTES + 16], to[PATH_BYTES + 16];
	const char *const cp[] = { "sh", "-c", "echo x > \"$1\"; cp --reflink=always \"$1\" \"$2\" 2> /dev/null; code=$?; rm -f \"$1\" \"$2\"; exit $code",
				   "sh", from, to, NULL };
	struct peer_figures f;
	int err = dup(2), nowhere = open("/dev/null", O_WRONLY);
	bool can;

	snprintf(from, sizeof from, "%s/a", b->root);
	snprintf(to, sizeof to, "%s/b", b->root);
	dup2(nowhere, 2); /* that it cannot is no news */
	can = peer_run(cp, NULL, 0, &f);
	dup2(err, 2);
	close(err);
	close(nowhere);
	return can;
}

int main(int argc, char **argv)
{
	int small = argc > 2 ? atoi(argv[2]) : 50000, large = argc > 3 ? atoi(argv[3]) : 5, rounds = argc > 4 ? atoi(argv[4]) : 1;
	struct row rows[WAYS] = { { .is_left_out = false } };
	struct bench b = { .files = 0 };
	struct peer_figures ignored;
	const char *const remove[] = { "rm", "-rf", b.root, NULL };

	if (argc < 2 || small < 0 || large < 0 || rounds < 1 || rounds > PEER_ROUNDS_MAX) {
		fprintf(stderr, "usage: bench_files FOLDER [small files [large files [rounds]]]\n");
		return 2;
	}
	snprintf(b.root, sizeof b.root, "%s/files-XXXXXX", argv[1]);
	if (!mkdtemp(b.root))
		peer_die(b.root);
	snprintf(b.source, sizeof b.source, "%s/Cust1/Documents", b.root);
	snprintf(b.target, sizeof b.target, "%s/copy", b.root);
	b.shares = can_share(&b);
	rows[WAY_CP_SHARING].is_left_out = !b.shares;
	rows[WAY_RSYNC].is_left_out = !peer_is_there("rsync");
	make_tree(&b, small, large);
	printf("%" PRId64 " files, %.0f MB\n", b.files, (double)b.bytes / 1e6);
	for (int round = 0; round < rounds; round++)
		for (int i = 0; i < WAYS; i++) {
			int way = (i + round) % WAYS;

			if (!rows[way].is_left_out)
				measure_once(&b, (enum way)way, &rows[way], round);
		}
	print(rows, &b, rounds);
	return !peer_run(remove, NULL, 0, &ignored);
}
