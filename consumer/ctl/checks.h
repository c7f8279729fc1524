/* SPDX-License-Identifier: Apache-2.0
 * What doctor found: one line each, and what to do about it. */
#ifndef SANDBOX_CTL_CHECKS_H
#define SANDBOX_CTL_CHECKS_H

#include "consumer/ctl/ctl.h"

enum check_result { CHECK_WELL, CHECK_WARNING, CHECK_BAD, CHECK_SKIPPED, CHECK_RESULT_END };

struct check {
	const char *name;
	enum check_result result;
	char text[320]; /* what was found */
	const char *fix; /* what to do; "" nothing */
};

enum { CHECKS_MAX = 64 };

struct checks {
	struct check rows[CHECKS_MAX];
	size_t count;
};

/* Each looks at one part of the world and adds a line or more. */
void checks_brokers(struct ctl *c, struct checks *k);
void checks_codec(struct ctl *c, struct checks *k);
void checks_store(struct ctl *c, struct checks *k);
void checks_databases(struct ctl *c, struct checks *k);
void checks_systems(struct ctl *c, struct checks *k);
void checks_secrets(struct ctl *c, struct checks *k);
void checks_clock(struct ctl *c, struct checks *k);
void checks_orphans(struct ctl *c, struct checks *k);

void checks_add(struct checks *k, const char *name, enum check_result result, const char *fix, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/* From an error: bad, with its sentence. */
void checks_add_err(struct checks *k, const char *name, const char *fix, const struct err *e);
const char *check_result_name(enum check_result result); /* "ok", "warning", "bad", "skipped" */
void checks_print(const struct checks *k, bool colors, bool utf8, struct buf *out);

#endif
