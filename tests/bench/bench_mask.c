/* SPDX-License-Identifier: Apache-2.0
 * How fast masking and its proof are on one core: bench_mask [MiB of text, default 64]. Prints a table. */
#include "consumer/adapters/system/seal_openssl.h"
#include "handlers/masking/masking.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CELL = 4096, ADDRESSES = 4096, ROUNDS = 250 };

struct bench {
	struct mask_policy *policy; /* the one that is measured */
	struct mask_policy *keeping, *hiding;
	struct seal_port *seal;
	struct buf out;
	char *text;
	size_t size;
};

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static uint64_t random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Words, and about every 200 bytes an address at one of many hosts, or at the mask domain, or none. */
static void fill(struct bench *b, const char *host)
{
	static const char *const words[] = { "thank", "you", "for", "the", "quote", "nr", "4711", "<p>", "</p>", "s\xc3\xb8knad,",
	                                     "regards", "please", "call", "+47", "22", "https://www.company.example/page" };
	uint64_t state = 88172645463325252u;
	size_t n = 0, since = 0;

	while (n + 128 < b->size) {
		int len;

		if (host && since > 170) {
			len = snprintf(b->text + n, 128, "person.%u@%s%s ", (unsigned)(random_next(&state) % 100000),
			               strchr(host, '%') ? "" : host, strchr(host, '%') ? "company.example" : "");
			since = 0;
		} else {
			len = snprintf(b->text + n, 128, "%s ", words[random_next(&state) % 16]);
		}
		n += (size_t)len;
		since += (size_t)len;
	}
	memset(b->text + n, ' ', b->size - n);
}

static void bench_text(struct bench *b, const char *name, const char *host)
{
	struct mask_counts masked = { .addresses = 0 };
	struct scan_counts scan = { .cells = 0 };
	double begin, masking, scanning;

	fill(b, host);
	begin = seconds();
	for (size_t i = 0; i < b->size; i += CELL)
		mask_cell(b->policy, "text", "text", 0, b->text + i, CELL, &b->out, &masked);
	masking = seconds() - begin;
	begin = seconds();
	for (size_t i = 0; i < b->size; i += CELL)
		scan_cell(b->policy, "text", "text", b->text + i, CELL, &scan);
	scanning = seconds() - begin;
	printf("%-34s %10.2f %10.2f %12lld\n", name, (double)b->size / masking / 1e9, (double)b->size / scanning / 1e9,
	       (long long)scan.addresses);
}

static void bench_addresses(struct bench *b, const char *name, bool cell, bool is_long)
{
	static char addresses[ADDRESSES][128];
	struct mask_counts counts = { .addresses = 0 };
	double begin, taken;

	for (unsigned i = 0; i < ADDRESSES; i++)
		snprintf(addresses[i], sizeof addresses[i], is_long ? "first.middle.last.%u@a.very.long.department.host.name%u.example"
		                                                    : "first.last%u@company%u.example", i, i % 97);
	begin = seconds();
	for (int round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < ADDRESSES; i++)
			if (cell)
				mask_cell(b->policy, "Email", "email_address", 239, addresses[i], strlen(addresses[i]), &b->out, &counts);
			else
				mask_address(b->policy, addresses[i], strlen(addresses[i]), 239, &b->out, &counts);
	taken = seconds() - begin;
	printf("%-34s %10.2f\n", name, (double)counts.addresses / taken / 1e6);
}

/* ---- the policies ---- */

/* As steps 8 and 13 do it. */
static bool hash(void *arg, const char *before, const char *part, char hex_r[MASK_HASH_TEXT])
{
	const char *const parts[] = { "mask address", before, part };
	struct seal_port *seal = arg;
	struct err e = { .class = ERR_NONE };

	return seal->seal(seal, parts, 3, hex_r, &e);
}

static struct seal_port *seal_open(struct err *e)
{
	char path[] = "/tmp/sandbox-bench-key-XXXXXX";
	struct seal_port *seal = NULL;
	int fd = mkstemp(path); /* mode 0600 */

	if (fd < 0)
		return NULL;
	if (write(fd, "0123456789abcdef0123456789abcdef", SEAL_KEY_MIN) == SEAL_KEY_MIN)
		seal = seal_openssl_new(path, e);
	close(fd);
	unlink(path);
	return seal;
}

static bool policies_open(struct bench *b, struct err *e)
{
	struct mask_choices choices = { .domain = "sandbox.example" };

	b->keeping = b->policy = mask_policy_new(&choices, e);
	b->seal = seal_open(e);
	choices.hash = hash;
	choices.hash_arg = b->seal;
	b->hiding = b->seal ? mask_policy_new(&choices, e) : NULL;
	return b->keeping && b->hiding;
}

int main(int argc, char **argv)
{
	long mib = argc > 1 ? strtol(argv[1], NULL, 10) : 64;
	struct err e = { .class = ERR_NONE };
	struct bench b = { .size = 0 };

	if (!policies_open(&b, &e) || mib < 1 || mib > 4096) {
		fprintf(stderr, "usage: bench_mask [MiB of text, 1 to 4096] %s\n", e.text);
		return 2;
	}
	b.size = (size_t)mib << 20;
	b.text = malloc(b.size);
	if (!b.text)
		return 1;
	buf_init(&b.out, 1 << 20);
	printf("%-34s %10s\n", "one address at a time", "million/s");
	bench_addresses(&b, "mask_address", false, false);
	bench_addresses(&b, "mask_address, short form", false, true);
	bench_addresses(&b, "mask_cell, address column", true, false);
	b.policy = b.hiding;
	bench_addresses(&b, "mask_address, names hidden", false, false);
	bench_addresses(&b, "mask_cell, names hidden", true, false);
	b.policy = b.keeping;
	printf("\n%-34s %10s %10s %12s\n", "text in cells of 4 KiB", "mask GB/s", "scan GB/s", "addresses");
	bench_text(&b, "an address every 200 bytes", "company.example");
	bench_text(&b, "masked: the same at the domain", "sandbox.example");
	bench_text(&b, "no at sign", NULL);
	b.policy = b.hiding;
	bench_text(&b, "addresses, names hidden", "company.example");
	buf_done(&b.out);
	free(b.text);
	mask_policy_free(&b.keeping);
	mask_policy_free(&b.hiding);
	seal_openssl_free(&b.seal);
	return 0;
}
