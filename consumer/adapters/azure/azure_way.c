/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/azure/azure_way.h"

enum { TRIALS = 4, LOOK_AGAIN_EACH = 100, FAILURES_MAX = 3 };
static const double weight_of_new = 0.4, hopeless = 4.0;

void azure_ways_init(struct azure_ways *w, enum azure_way only)
{
	*w = (struct azure_ways){ .turn = 0 };
	w->is_off[AZURE_BY_SERVER] = only == AZURE_BY_STREAM;
	w->is_off[AZURE_BY_STREAM] = only == AZURE_BY_SERVER;
}

enum azure_way azure_way_choose(struct azure_ways *w, enum azure_size size)
{
	enum azure_way best = AZURE_BY_STREAM, other;

	if (w->is_off[AZURE_BY_SERVER] || w->is_off[AZURE_BY_STREAM])
		best = w->is_off[AZURE_BY_SERVER] ? AZURE_BY_STREAM : AZURE_BY_SERVER;
	else if (w->tried[size][AZURE_BY_SERVER].started < TRIALS || w->tried[size][AZURE_BY_STREAM].started < TRIALS)
		best = w->tried[size][AZURE_BY_SERVER].started <= w->tried[size][AZURE_BY_STREAM].started ? AZURE_BY_SERVER :
			AZURE_BY_STREAM;
	else if (w->tried[size][AZURE_BY_SERVER].ended) {
		if (w->tried[size][AZURE_BY_SERVER].cost < w->tried[size][AZURE_BY_STREAM].cost)
			best = AZURE_BY_SERVER;
		other = best == AZURE_BY_SERVER ? AZURE_BY_STREAM : AZURE_BY_SERVER;
		if (++w->turn % LOOK_AGAIN_EACH == 0 && w->tried[size][other].cost < hopeless * w->tried[size][best].cost)
			best = other;
	}
	w->tried[size][best].started++;
	return best;
}

void azure_way_took(struct azure_ways *w, enum azure_size size, enum azure_way way, int64_t ms)
{
	double *cost = &w->tried[size][way].cost;

	*cost = w->tried[size][way].ended++ ? *cost * (1 - weight_of_new) + (double)ms * weight_of_new : (double)ms;
	w->failed[way] = 0;
}

void azure_way_failed(struct azure_ways *w, enum azure_way way)
{
	if (++w->failed[way] >= FAILURES_MAX && way == AZURE_BY_SERVER)
		w->is_off[way] = true;
}
