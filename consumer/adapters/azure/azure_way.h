/* SPDX-License-Identifier: Apache-2.0
 * Which of two ways to copy is the faster one, found by trying: the service copies by itself, or we read and write. It
 * depends on the account, on the distance and on what is under way, so it is measured, and now and then again. */
#ifndef SANDBOX_AZURE_AZURE_WAY_H
#define SANDBOX_AZURE_AZURE_WAY_H

#include <stdbool.h>
#include <stdint.h>

enum azure_way { AZURE_BY_SERVER, AZURE_BY_STREAM, AZURE_WAY_END };
enum azure_size { AZURE_WHOLE, AZURE_BLOCK, AZURE_SIZE_END }; /* a small blob; a block of a large one */

/* Side by side the ways would slow each other down and look alike. So all that is begun within a window goes one way, and
 * what counts is how many come to their end in how much time. */
struct azure_contest {
	enum azure_way way;          /* of the window under way */
	int ended;                   /* in this window */
	int64_t from_ms;             /* when those of the window before were through */
	double cost[AZURE_WAY_END];  /* milliseconds for one */
	bool is_known[AZURE_WAY_END];
	int windows;                 /* since the other way was tried */
	int looks;                   /* at the other way, after the first */
	int done[AZURE_WAY_END];     /* of all windows */
};

struct azure_ways {
	struct azure_contest contests[AZURE_SIZE_END];
	int failed; /* by the service, in a row */
	bool is_off[AZURE_WAY_END];
};

/* only: the way that is forced, or AZURE_WAY_END to measure. */
void azure_ways_init(struct azure_ways *w, enum azure_way only);
enum azure_way azure_way_choose(const struct azure_ways *w, enum azure_size size);
void azure_way_ended(struct azure_ways *w, enum azure_size size, enum azure_way way, int64_t now_ms);
/* The service did not copy. After a few times in a row it is not asked again. */
void azure_way_failed(struct azure_ways *w);

#endif
