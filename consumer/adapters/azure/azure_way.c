/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/azure/azure_way.h"

/* EDGE: as many as are usually under way when a window begins; they belong to neither. */
enum { EDGE = 8, PATIENCE_FIRST = 8, PATIENCE_MAX = 50, FAILURES_MAX = 3 };
static const int measured[AZURE_SIZE_END] = { [AZURE_WHOLE] = 32, [AZURE_BLOCK] = 8 };
static const double hopeless = 4.0, clearly = 1.5;

void azure_ways_init(struct azure_ways *w, enum azure_way only)
{
	*w = (struct azure_ways){ .failed = 0 };
	w->is_off[AZURE_BY_SERVER] = only == AZURE_BY_STREAM;
	w->is_off[AZURE_BY_STREAM] = only == AZURE_BY_SERVER;
	for (int i = 0; i < AZURE_SIZE_END; i++)
		w->contests[i] = (struct azure_contest){ .way = AZURE_BY_STREAM };
}

enum azure_way azure_way_choose(const struct azure_ways *w, enum azure_size size)
{
	if (w->is_off[AZURE_BY_SERVER])
		return AZURE_BY_STREAM;
	return w->is_off[AZURE_BY_STREAM] ? AZURE_BY_SERVER : w->contests[size].way;
}

/* One hiccup of the service makes its window look slow: so the other way is looked at again soon, and then less and less
 * often; seldom, when it seemed hopeless twice. */
static int patience(const struct azure_contest *c, enum azure_way other)
{
	bool is_hopeless = c->looks > 0 && c->cost[other] >= hopeless * c->cost[c->way];
	int windows = PATIENCE_FIRST << (c->looks < 3 ? c->looks : 3);

	return is_hopeless || windows > PATIENCE_MAX ? PATIENCE_MAX : windows;
}

static void begin_next(struct azure_contest *c)
{
	enum azure_way other = c->way == AZURE_BY_SERVER ? AZURE_BY_STREAM : AZURE_BY_SERVER;

	c->ended = 0;
	if (!c->is_known[other] || c->cost[other] < c->cost[c->way]) {
		c->way = other;
		c->windows = 0;
	} else if (++c->windows >= patience(c, other)) {
		c->way = other;
		c->windows = 0;
		c->looks++;
	}
}

void azure_way_ended(struct azure_ways *w, enum azure_size size, enum azure_way way, int64_t now_ms)
{
	struct azure_contest *c = &w->contests[size];
	enum azure_way other = way == AZURE_BY_SERVER ? AZURE_BY_STREAM : AZURE_BY_SERVER;
	int count;

	c->done[way]++;
	if (way == AZURE_BY_SERVER)
		w->failed = 0;
	if (way != c->way)
		return; /* begun in the window before */
	count = ++c->ended - EDGE;
	if (count == 0)
		c->from_ms = now_ms;
	/* Clearly slower before it has ended: it need not end. */
	if (count < measured[size] &&
	    (count < 1 || !c->is_known[other] ||
	     (double)(now_ms - c->from_ms) < clearly * c->cost[other] * measured[size]))
		return;
	c->cost[way] = (double)(now_ms - c->from_ms) / count;
	c->is_known[way] = true;
	begin_next(c);
}

void azure_way_failed(struct azure_ways *w)
{
	if (++w->failed >= FAILURES_MAX)
		w->is_off[AZURE_BY_SERVER] = true;
}
