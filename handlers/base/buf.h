/* SPDX-License-Identifier: Apache-2.0
 * A growing byte buffer whose maximum is fixed when it is made. */
#ifndef SANDBOX_BASE_BUF_H
#define SANDBOX_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	char *data; /* NUL-terminated after any successful call; NULL while empty and never grown */
	size_t len, size, max;
	bool failed; /* the maximum was reached or memory was short; stays set until buf_clear */
};

/* An empty buffer that never holds more than max_bytes. Takes no memory yet. */
void buf_init(struct buf *b, size_t max_bytes);
/* Frees the memory; the buffer may be used again. */
void buf_done(struct buf *b);
/* Empties it and keeps the memory. */
void buf_clear(struct buf *b);

/* Each returns false, sets failed and leaves the content as it was when it does not fit. */
bool buf_add(struct buf *b, const void *data, size_t len);
bool buf_add_text(struct buf *b, const char *text);
bool buf_add_number(struct buf *b, int64_t number); /* in decimal; several times as fast as printf */
bool buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The text so far, "" when nothing was added; borrowed until the next change. */
const char *buf_text(const struct buf *b);

#endif
