/* SPDX-License-Identifier: Apache-2.0
 * Which of two ways to copy is the faster one, found by trying: the service copies by itself, or we read and write. It
 * depends on the account, on the distance and on what is under way, so it is measured, and now and then again. */
#ifndef SANDBOX_AZURE_AZURE_WAY_H
#define SANDBOX_AZURE_AZURE_WAY_H

#include <stdbool.h>
#include <stdint.h>

enum azure_way { AZURE_BY_SERVER, AZURE_BY_STREAM, AZURE_WAY_END };
enum azure_size { AZURE_WHOLE, AZURE_BLOCK, AZURE_SIZE_END }; /* a small blob; a block of a large one */

struct azure_ways {
	struct {
		double cost; /* milliseconds, of late */
		int started, ended;
	} tried[AZURE_SIZE_END][AZURE_WAY_END];
	int failed[AZURE_WAY_END]; /* in a row */
	bool is_off[AZURE_WAY_END];
	int turn;
};

/* only: the way that is forced, or AZURE_WAY_END to measure. */
void azure_ways_init(struct azure_ways *w, enum azure_way only);
enum azure_way azure_way_choose(struct azure_ways *w, enum azure_size size);
void azure_way_took(struct azure_ways *w, enum azure_size size, enum azure_way way, int64_t ms);
/* It did not work. After a few times in a row the service is not asked to copy again. */
void azure_way_failed(struct azure_ways *w, enum azure_way way);

#endif
