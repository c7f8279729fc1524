/* SPDX-License-Identifier: Apache-2.0
 * How long it may still take, as a range, when that can be known: from how fast rows move, and from how long earlier
 * clones of the same source took. */
#ifndef SANDBOX_CTL_PACE_H
#define SANDBOX_CTL_PACE_H

#include "consumer/ctl/sight.h"

struct step_pace {
	int64_t rows, at_ms;   /* seen last */
	double slowest, fastest; /* rows a millisecond; 0: not known yet */
	int samples;
};

struct pace {
	struct step_pace steps[STEP_END];
	int64_t shortest_ms, longest_ms; /* of earlier clones; 0: none is known */
	int earlier;
};

struct time_left {
	bool is_known;
	int64_t least_ms, most_ms;
};

/* Takes in what is seen now. */
void pace_look(struct pace *p, const struct sight *s);
/* Takes in another clone that completed in its first run. */
void pace_earlier(struct pace *p, const struct sight *earlier);
struct time_left pace_of_step(const struct pace *p, const struct sight *s, enum step_id step);
struct time_left pace_of_clone(const struct pace *p, const struct sight *s, int64_t now_ms);
/* "1m10s to 2m", or one figure when both are near. */
void pace_print(struct buf *out, const struct time_left *left);

#endif
