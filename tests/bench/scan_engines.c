/* SPDX-License-Identifier: Apache-2.0 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "tests/bench/scan_engines.h"

#include <hs/hs.h>
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

double scan_cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

const char *scan_versions(void)
{
	static char text[128];
	char pcre2[64];

	pcre2_config(PCRE2_CONFIG_VERSION, pcre2);
	snprintf(text, sizeof text, "PCRE2 %s, hyperscan %s", pcre2, hs_version());
	return text;
}

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench_scan: %s\n", what);
	exit(1);
}

/* ---- PCRE2 ---- */

double scan_pcre2(const struct scan_text *t, const char *masked, bool behind_at, unsigned char *left)
{
	char expression[256];
	int error;
	size_t where;
	pcre2_code *code;
	pcre2_match_data *match;
	const char *at = t->bytes, *end = at + t->len;
	double begun;

	snprintf(expression, sizeof expression, "[A-Za-z0-9._%%+-]+@(?!%s(?![A-Za-z0-9.-]))[A-Za-z0-9.-]+\\.[A-Za-z]{2,}", masked);
	code = pcre2_compile((PCRE2_SPTR)expression, PCRE2_ZERO_TERMINATED, 0, &error, &where, NULL);
	must(code && pcre2_jit_compile(code, PCRE2_JIT_COMPLETE) == 0, "PCRE2 cannot compile the expression");
	match = pcre2_match_data_create_from_pattern(code, NULL);
	begun = scan_cpu_s();
	for (size_t line = 0; at < end; line++) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)(stop - at), from = 0;

		if (!behind_at || memchr(at, '@', len))
			while (pcre2_jit_match(code, (PCRE2_SPTR)at, len, from, 0, match, NULL) > 0) {
				from = pcre2_get_ovector_pointer(match)[1];
				left[line]++;
			}
		at = stop + 1;
	}
	begun = scan_cpu_s() - begun;
	pcre2_match_data_free(match);
	pcre2_code_free(code);
	return begun;
}

/* ---- hyperscan ---- */

struct looking {
	const struct scan_text *t;
	const char *masked, *line_end;
	size_t masked_len, line;
	unsigned char *left;
};

static bool is_host(char c)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '-' || c == '.';
}

static bool is_left(const struct looking *l, const char *host)
{
	size_t len = 0;
	bool dot = false;

	if (memcmp(host, l->masked, l->masked_len) == 0 && !is_host(host[l->masked_len]))
		return false;
	for (; is_host(host[len]); len++)
		dot |= host[len] == '.' && len;
	return dot;
}

static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *arg)
{
	struct looking *l = arg;
	const char *host = l->t->bytes + to - 1; /* the match takes the host's first byte in */

	(void)id;
	(void)from;
	(void)flags;
	while (host > l->line_end) {
		l->line++;
		l->line_end = memchr(l->line_end + 1, '\n', (size_t)(l->t->bytes + l->t->len - l->line_end - 1));
	}
	if (is_left(l, host))
		l->left[l->line]++;
	return 0;
}

double scan_hyperscan(const struct scan_text *t, const char *masked, unsigned char *left)
{
	struct looking l = { t, masked, memchr(t->bytes, '\n', t->len), strlen(masked), 0, left };
	hs_compile_error_t *error = NULL;
	hs_database_t *database = NULL;
	hs_scratch_t *scratch = NULL;
	double begun;

	must(hs_compile("[A-Za-z0-9._%+-]@[A-Za-z0-9]", 0, HS_MODE_BLOCK, NULL, &database, &error) == HS_SUCCESS &&
	     hs_alloc_scratch(database, &scratch) == HS_SUCCESS, "hyperscan cannot compile the expression");
	begun = scan_cpu_s();
	must(hs_scan(database, t->bytes, (unsigned)t->len, 0, scratch, on_match, &l) == HS_SUCCESS, "hyperscan failed");
	begun = scan_cpu_s() - begun;
	hs_free_scratch(scratch);
	hs_free_database(database);
	return begun;
}
