/* SPDX-License-Identifier: Apache-2.0
 * One error value for every layer: what class it is decides what happens next,
 * the sentence is for the operator. The first failure sets it; later layers only
 * put context in front of it. */
#ifndef SANDBOX_BASE_ERR_H
#define SANDBOX_BASE_ERR_H

#include <stdbool.h>

enum err_class {
	ERR_NONE,
	ERR_TRANSIENT, /* nothing happened; trying again may work */
	ERR_UNSURE,    /* it was sent and no answer came: look before anything else */
	ERR_REFUSED,   /* it will never work as asked */
	ERR_MISUSE,    /* the caller broke the contract of a function */
	ERR_BUG,       /* what cannot be happened */
	ERR_CLASS_END
};

/* Codes that others act on; every other code belongs to the system that made it. */
enum err_code {
	ERR_CODE_FENCED = 9001,  /* a newer owner has taken over: our effect was refused */
	ERR_CODE_ABORTED = 9002, /* we were asked to stop in the middle */
	ERR_CODE_AUTH = 9003,    /* our name, password or rights were not accepted */
	ERR_CODE_MISSING = 9004, /* what it is about does not exist */
	ERR_CODE_TOO_LATE = 9005, /* it cannot be undone any more; nothing was changed */
};

struct err {
	enum err_class class;
	int code;
	char where[64];
	char text[256];
};

/* Fills *e unless it already holds an error. Always returns false, so that a
 * failing function can end with `return err_set(...)`. */
bool err_set(struct err *e, enum err_class class, int code, const char *where, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Puts "context: " in front of the sentence already there. */
void err_prepend(struct err *e, const char *context);

void err_clear(struct err *e);

/* "transient", "unsure", ...; never NULL. */
const char *err_class_name(enum err_class class);

#endif
