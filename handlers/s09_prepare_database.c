/* SPDX-License-Identifier: Apache-2.0
 * s09: nothing in the copy can act on the source's systems or people any more, and what names the installation names
 * the target: every rule of s09_rules.def counts 0, and `sequence` is ahead of every key.
 *
 * Look: run the counting query of each rule, and compare each row of `sequence` with its table.
 * Act:  for each rule that counts something, put it right in a transaction of its own.
 * Safe to repeat because a rule that counts 0 is passed over, and putting right twice leaves the same. */
#include "handlers/guard.h"
#include "handlers/sequence.h"
#include "handlers/words.h"

#include <ctype.h>
#include <inttypes.h>

static const struct rule {
	const char *left, *act, *what;
} rules[] = {
#define RULE(slug, what_) { "s09_" #slug "_left", "s09_" #slug, what_ },
#include "handlers/s09_rules.def"
#undef RULE
};

enum { RULES = sizeof rules / sizeof *rules };

/* "/cust70000/cs/scripts/": where the Service programs of the source live below any of its hosts. */
static const char *service_path(struct step_ctx *c)
{
	char ctx[CTX_MAX + 1] = "";

	for (size_t i = 0; i < CTX_MAX && c->job->source_ctx[i]; i++)
		ctx[i] = (char)tolower((unsigned char)c->job->source_ctx[i]);
	return step_text(c, "/%s/cs/scripts/", ctx);
}

/* The clone's id without dashes: 32 digits, as long as an installation id may be. */
static const char *clone_hex(struct step_ctx *c)
{
	char hex[CLONE_ID_MAX + 1];
	size_t n = 0;

	for (const char *p = c->job->clone_id; *p && n < sizeof hex - 5; p++)
		if (*p != '-')
			hex[n++] = *p;
	hex[n] = '\0';
	return step_text(c, "%s", hex);
}

static bool values(struct step_ctx *c, struct sql_args *args_r)
{
	struct tenant_record source, target;

	if (!guard_target(c, &target) || !c->ports->tenant->get(c->ports->tenant, c->job->source_ctx, &source, c->err))
		return false;
	*args_r = SQL_ARGS(sql_text("now", step_now(c, 0)), sql_text("clone_hex", clone_hex(c)),
			   sql_text("source_endpoint", step_text(c, "%s", source.endpoint)),
			   sql_text("target_endpoint", step_text(c, "%s", target.endpoint)),
			   sql_text("service_path", service_path(c)), sql_text("files_root", c->fence.generation),
			   sql_text("sink_host", c->settings->sink_host));
	return c->err->class == ERR_NONE;
}

enum step_outcome s09_prepare_database(struct step_ctx *c)
{
	struct sql_args args;
	int64_t left, lagging = 0;

	if (!values(c, &args))
		return step_failed(c);
	for (int i = 0; i < RULES; i++) {
		if (!ask_number(c, rules[i].left, &args, &left))
			return step_failed(c);
		if (left == 0)
			continue;
		c->acted = true;
		if (!change(c, rules[i].act, &args) || !ask_number(c, rules[i].left, &args, &left))
			return step_failed(c);
		if (left > 0)
			return step_refused(c, "%" PRId64 " %s are left after putting them right", left, rules[i].what);
		atomic_store(&c->progress->rows, c->rows);
	}
	if (!sequence_catch_up(c, &lagging))
		return step_failed(c);
	step_detail(c, "%d rules hold, %" PRId64 " rows put right, %" PRId64 " key sequences moved on", RULES, c->rows,
		    lagging);
	return step_so(c);
}
