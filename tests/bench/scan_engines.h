/* SPDX-License-Identifier: Apache-2.0
 * Engines that look for addresses in a text, given the best start each can have. */
#ifndef SANDBOX_BENCH_SCAN_ENGINES_H
#define SANDBOX_BENCH_SCAN_ENGINES_H

#include <stdbool.h>
#include <stddef.h>

/* What an operator would write. */
#define SCAN_EXPRESSION "[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\\.[A-Za-z]{2,}"

struct scan_text {
	char *bytes;
	size_t size, len, lines; /* each line ends with a newline */
};

double scan_cpu_s(void);
const char *scan_versions(void);
/* Processor seconds; counts the addresses of each line that are not at `masked`. behind_at: only in lines with an at sign. */
double scan_pcre2(const struct scan_text *t, const char *masked, bool behind_at, unsigned char *left);
/* Block mode over all of it: the engine finds at signs with a name before and a host behind them, the rest is looked at by
 * hand, because it knows no lookahead and would tell each end that an address could have. */
double scan_hyperscan(const struct scan_text *t, const char *masked, unsigned char *left);

#endif
