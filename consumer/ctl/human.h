/* SPDX-License-Identifier: Apache-2.0
 * Figures and texts as people read them on a terminal. */
#ifndef SANDBOX_CTL_HUMAN_H
#define SANDBOX_CTL_HUMAN_H

#include "handlers/base/buf.h"

#include <stddef.h>
#include <stdint.h>

/* "0s", "12 ms", "1.4s", "45s", "1m20s", "1h30m", "3d4h". */
void human_duration(struct buf *out, int64_t ms);
/* "812 B", "4.0 KiB", "1.9 GiB". */
void human_size(struct buf *out, int64_t bytes);
/* "5,370,000". */
void human_count(struct buf *out, int64_t number);
/* "just now", "3m20s ago", "in 5s"; "-" for 0. */
void human_ago(struct buf *out, int64_t now_ms, int64_t then_ms);

/* A text of somebody else's, so that it stays on its line and cannot steer a terminal. */
void human_text(struct buf *out, const char *text, size_t len);
/* How many places on a terminal it takes, one for each character. */
size_t human_width(const char *text, size_t len);

#endif
