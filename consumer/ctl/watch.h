/* SPDX-License-Identifier: Apache-2.0
 * What `watch` shows: a frame for a terminal, lines of change for a pipe. Pure. */
#ifndef SANDBOX_CTL_WATCH_H
#define SANDBOX_CTL_WATCH_H

#include "consumer/ctl/pace.h"

struct watch_frame {
	const struct sight *sight;
	const struct pace *pace;
	int64_t now_ms;
	int columns, rows; /* of the terminal; 0: no limit */
	bool colors, utf8;
};

/* A heading, one line a step, what it waits on. When the terminal is too low, steps that are done and steps that are
 * far away are counted instead of shown. Returns how many lines. */
int watch_frame_print(const struct watch_frame *f, struct arena *mem, struct buf *out);

/* One line for each difference between two sights; before NULL: the first. */
void watch_changes(const struct sight *before, const struct sight *now, const struct pace *pace, int64_t now_ms,
                   struct arena *mem, struct buf *out);
/* The same as one JSON object a line. */
void watch_changes_json(const struct sight *before, const struct sight *now, const struct pace *pace, int64_t now_ms,
                        struct arena *mem, struct buf *out);

#endif
