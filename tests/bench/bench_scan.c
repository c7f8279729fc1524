/* SPDX-License-Identifier: Apache-2.0
 * The leftover scan beside other ways to find addresses: bench_scan FOLDER [MB of text (256) [rounds (1)]]. FOLDER takes
 * the text of a round. All of them look for addresses outside the mask domain, and all must find the same ones: those of
 * each line are compared. Figures are gigabytes a second of processor time, so that a busy machine matters less. */
#include "handlers/masking/masking.h"
#include "tests/bench/measure.h"
#include "tests/bench/peer.h"
#include "tests/bench/scan_engines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MASKED "sandbox.example"

enum { LINE_BYTES = 2000, ADDRESS_EACH = 200, PATH_MAX_BYTES = 512, KINDS = 3, ENGINES_MAX = 10 };

struct bench {
	struct scan_text text;
	struct mask_policy *policy;
	unsigned char *truth; /* addresses left in each line, as ours has it */
	char file[PATH_MAX_BYTES], found[PATH_MAX_BYTES];
};

static uint64_t next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Lines of words; in most of them, about every 200 bytes, an address at `host`, which may have a %u for its name. */
static void fill(struct scan_text *t, const char *host)
{
	static const char *const words[] = { "thank", "you", "for", "the", "quote", "nr", "4711", "<p>", "</p>",
					     "s\xc3\xb8knad,", "regards", "please", "call", "+47", "22",
					     "https://www.company.example/page" };
	uint64_t state = 88172645463325252u;
	size_t n = 0, since = 0, line = 0;

	t->lines = 0;
	while (n + 256 < t->size) {
		size_t begin = n;

		if (host && since > ADDRESS_EACH - 30) {
			n += (size_t)sprintf(t->bytes + n, "person.%u@", (unsigned)(next(&state) % 100000));
			n += (size_t)sprintf(t->bytes + n, host, (unsigned)(next(&state) % 5000));
			t->bytes[n++] = ' ';
			since = 0;
		} else {
			n += (size_t)sprintf(t->bytes + n, "%s ", words[next(&state) % 16]);
		}
		since += n - begin;
		line += n - begin;
		if (line > LINE_BYTES) {
			t->bytes[n++] = '\n';
			t->lines++;
			line = 0;
		}
	}
	t->bytes[n++] = '\n';
	t->lines++;
	t->len = n;
}

static void write_file(const struct bench *b)
{
	FILE *f = fopen(b->file, "w");

	if (!f || fwrite(b->text.bytes, 1, b->text.len, f) != b->text.len || fclose(f) != 0)
		peer_die(b->file);
}

/* ---- ours ---- */

static double ours(struct bench *b, unsigned char *left)
{
	double begun = scan_cpu_s();
	const char *at = b->text.bytes, *end = at + b->text.len;

	for (size_t i = 0; at < end; i++) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		struct scan_counts counts = { .cells = 0 };

		scan_cell(b->policy, "text", "text", at, (size_t)(stop - at), &counts);
		left[i] = (unsigned char)counts.left;
		at = stop + 1;
	}
	return scan_cpu_s() - begun;
}

/* ---- programs ---- */

/* Lines "offset:address" of grep -ob and rg -ob. The programs know no "but not there": what is masked is left out after. */
static void read_found(const struct bench *b, unsigned char *left)
{
	FILE *f = fopen(b->found, "r");
	const char *at = b->text.bytes, *end;
	size_t line = 0, offset;
	char address[256];

	if (!f)
		peer_die(b->found);
	end = memchr(at, '\n', b->text.len);
	while (fscanf(f, "%zu:%255s", &offset, address) == 2) {
		while (b->text.bytes + offset > end) {
			line++;
			end = memchr(end + 1, '\n', b->text.len - (size_t)(end + 1 - at));
		}
		left[line] = (unsigned char)(left[line] + (strcmp(strchr(address, '@') + 1, MASKED) != 0));
	}
	fclose(f);
}

static double program(struct bench *b, const char *const *argv, unsigned char *left)
{
	struct peer_figures f;

	if (!peer_run(argv, b->found, 1, &f))
		exit(1);
	if (left)
		read_found(b, left);
	return f.cpu_s;
}

/* ---- the table ---- */

enum way { WAY_OURS, WAY_PCRE2, WAY_PCRE2_AT, WAY_HYPERSCAN, WAY_GREP, WAY_RIPGREP, WAY_WC, WAYS };

static const char *const names[WAYS] = { "ours (scan_cell)",        "PCRE2 JIT",   "PCRE2 JIT behind memchr('@')",
					 "hyperscan, check by hand", "grep -oE",   "ripgrep -o",
					 "wc -l (reads it, no more)" };

static double run(struct bench *b, enum way way, unsigned char *left)
{
	const char *const grep[] = { "grep", "-obE", SCAN_EXPRESSION, b->file, NULL };
	const char *const rg[] = { "rg", "--no-config", "-j1", "--no-line-number", "-ob", "(?-u)" SCAN_EXPRESSION, b->file, NULL };
	const char *const wc[] = { "wc", "-l", b->file, NULL };

	switch (way) {
	case WAY_OURS:
		return ours(b, left);
	case WAY_PCRE2:
		return scan_pcre2(&b->text, MASKED, false, left);
	case WAY_PCRE2_AT:
		return scan_pcre2(&b->text, MASKED, true, left);
	case WAY_HYPERSCAN:
		return scan_hyperscan(&b->text, MASKED, left);
	case WAY_GREP:
		return program(b, grep, left);
	case WAY_RIPGREP:
		return peer_is_there("rg") ? program(b, rg, left) : -1;
	default:
		return program(b, wc, NULL);
	}
}

static void compare(const struct bench *b, enum way way, const unsigned char *left)
{
	if (way == WAY_WC || memcmp(left, b->truth, b->text.lines) == 0)
		return;
	for (size_t i = 0; i < b->text.lines; i++)
		if (left[i] != b->truth[i]) {
			fprintf(stderr, "bench_scan: %s found %d addresses in line %zu, ours %d\n", names[way], left[i], i + 1,
				b->truth[i]);
			exit(1);
		}
}

static void measure(struct bench *b, const char *kind, const char *host, int rounds)
{
	double seconds[WAYS][PEER_ROUNDS_MAX], speed[WAYS], best = 0;
	long found = 0;

	fill(&b->text, host);
	write_file(b);
	for (int round = 0; round < rounds; round++)
		for (int way = 0; way < WAYS; way++) {
			unsigned char *left = calloc(b->text.lines, 1);

			seconds[way][round] = run(b, (enum way)way, left);
			if (way == WAY_OURS)
				memcpy(b->truth, left, b->text.lines);
			if (seconds[way][round] >= 0)
				compare(b, (enum way)way, left);
			free(left);
		}
	for (size_t i = 0; i < b->text.lines; i++)
		found += b->truth[i];
	for (int way = 0; way < WAYS; way++) {
		speed[way] = (double)b->text.len / 1e9 / median(seconds[way], (size_t)rounds);
		if (way != WAY_OURS && way != WAY_WC && speed[way] > best)
			best = speed[way];
	}
	for (int way = 0; way < WAYS; way++) {
		if (speed[way] < 0)
			printf("| %-12s | %-28s | left out: not installed |\n", kind, names[way]);
		else
			printf("| %-12s | %-28s | %8.2f | %10.2f | %8ld |\n", kind, names[way], speed[way],
			       speed[WAY_OURS] / speed[way], way == WAY_WC ? 0 : found);
	}
	printf("| %-12s | ours of the best engine: %.2f (T17, masked text: at least 3); of wc -l: %.2f (aim 0.8)\n", kind,
	       speed[WAY_OURS] / best, speed[WAY_OURS] / speed[WAY_WC]);
}

int main(int argc, char **argv)
{
	const struct mask_choices choices = { .domain = MASKED };
	long mb = argc > 2 ? atol(argv[2]) : 256, rounds = argc > 3 ? atol(argv[3]) : 1;
	struct err e = { .class = ERR_NONE };
	struct bench b = { .truth = NULL };

	if (argc < 2 || mb < 1 || mb > 4000 || rounds < 1 || rounds > PEER_ROUNDS_MAX) {
		fprintf(stderr, "usage: bench_scan FOLDER [MB [rounds]]\n");
		return 2;
	}
	setenv("LC_ALL", "C", 1);
	snprintf(b.file, sizeof b.file, "%s/scan.txt", argv[1]);
	snprintf(b.found, sizeof b.found, "%s/scan.found", argv[1]);
	b.text.size = (size_t)mb * 1000000;
	b.text.bytes = malloc(b.text.size + 1);
	b.truth = calloc(b.text.size / LINE_BYTES + 2, 1);
	b.policy = mask_policy_new(&choices, &e);
	if (!b.text.bytes || !b.truth || !b.policy)
		return 1;
	printf("%s\n", scan_versions());
	puts("| text         | scanner                      | GB/s     | ours / it  | left     |\n|---|---|---|---|---|");
	measure(&b, "masked", MASKED, (int)rounds);
	measure(&b, "no at sign", NULL, (int)rounds);
	measure(&b, "address-rich", "company%u.example", (int)rounds);
	unlink(b.file);
	unlink(b.found);
	mask_policy_free(&b.policy);
	free(b.truth);
	free(b.text.bytes);
	return 0;
}
