/* SPDX-License-Identifier: Apache-2.0
 * A sight written out: as JSON, and in the words, glyphs and colours that list, show and watch share. */
#ifndef SANDBOX_CTL_LOOK_H
#define SANDBOX_CTL_LOOK_H

#include "consumer/ctl/js.h"
#include "consumer/ctl/sight.h"

enum step_state { STEP_IS_PENDING, STEP_IS_RUNNING, STEP_IS_STILL, STEP_IS_WAITING, STEP_IS_DONE, STEP_IS_SKIPPED, STEP_IS_FAILED,
                  STEP_IS_LEFT_OUT, STEP_STATE_END };

enum step_state look_step_state(const struct sight *s, enum step_id step);
const char *look_step_state_name(enum step_state state); /* "pending", "running", ... */
/* One place wide; ASCII when the terminal does not speak UTF-8. */
const char *look_glyph(enum step_state state, bool utf8);
/* Escape sequences to begin and end the colour of a state; "" without colours. */
const char *look_color(enum step_state state, bool colors);
const char *look_status_color(enum clone_status status, bool colors);
const char *look_color_end(bool colors);

/* "12/33", "08 copy_database (45%)", "5,370,000 rows, 2.0 GiB" */
void look_step_name(struct buf *out, const struct sight *s, enum step_id step);
void look_moved(struct buf *out, const struct step_note *note);
/* "  no movement for 1m10s" */
void look_still(struct buf *out, const struct sight *s, enum step_id step);

/* The members of one clone, into an object that is open. with_steps: the 33 steps too. */
void look_json(struct js *j, const struct sight *s, bool with_steps, int64_t now_ms, struct arena *mem);

#endif
