/* SPDX-License-Identifier: Apache-2.0
 * How long it may still take, as a range, when that can be known: from how fast rows move, and from how long earlier
 * clones of that size took; while the size is not known, of the same source. */
#ifndef SANDBOX_CTL_PACE_H
#define SANDBOX_CTL_PACE_H

#include "consumer/ctl/sight.h"

enum { PACE_EARLIER_MAX = 100, PACE_RATES = 30 };

struct step_pace { /* the last rates and the mean of them all: one long halt says nothing for ever */
	int64_t rows, at_ms;             /* seen last */
	int64_t first_rows, first_at_ms; /* seen first */
	double rates[PACE_RATES];        /* rows a millisecond, by turns */
	int samples;                     /* how many there ever were */
};

struct pace {
	struct step_pace steps[STEP_END];
	struct {
		int64_t rows, took_ms; /* rows 0: not known */
		bool same_source;
	} earlier[PACE_EARLIER_MAX];
	size_t earlier_count;
};

struct time_left {
	bool is_known;
	int64_t least_ms, most_ms;
	int by; /* so many earlier clones, where it is known from them */
};

/* Takes in what is seen now. */
void pace_look(struct pace *p, const struct sight *s);
/* Takes in another clone if it completed in its first run; what is more than PACE_EARLIER_MAX is left out. */
void pace_earlier(struct pace *p, const struct sight *earlier, bool same_source);
struct time_left pace_of_step(const struct pace *p, const struct sight *s, enum step_id step);
struct time_left pace_of_clone(const struct pace *p, const struct sight *s, int64_t now_ms);
/* "1m10s to 2m", or one figure when both are near. */
void pace_print(struct buf *out, const struct time_left *left);

#endif
