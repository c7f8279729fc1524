/* SPDX-License-Identifier: Apache-2.0
 * steps.def made into a const array, and the words every handler ends with. */
#include "handlers/step.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define P1(a) (1u << PORT_##a)
#define P2(a, b) (P1(a) | P1(b))
#define P3(a, b, c) (P2(a, b) | P1(c))
#define P4(a, b, c, d) (P2(a, b) | P2(c, d))
#define A0() 0
#define A1(a) STEP_BIT(STEP_##a)
#define A2(a, b) (A1(a) | A1(b))
#define A8(a, b, c, d, e, f, g, h) (A2(a, b) | A2(c, d) | A2(e, f) | A2(g, h))

#define HOUR_MS ((int64_t)60 * 60 * 1000)
#define WAIT_1h HOUR_MS
#define WAIT_6h (6 * HOUR_MS)
#define WAIT_24h (24 * HOUR_MS)

/* nn is only pasted or made text: 08 and 09 are no octal numbers. */
const struct step_row steps[STEP_END] = {
#define STEP(nn_, slug_, phase_, ports_, effect_, if_unsure_, undo_, wait_, need_, after_, sentence_) \
	[STEP_##slug_] = { \
		.nn = #nn_, .slug = #slug_, .sentence = sentence_, .phase = PHASE_##phase_, .ports = ports_, \
		.effect = EFFECT_##effect_, .if_unsure = IF_UNSURE_##if_unsure_, .undo = UNDO_##undo_, \
		.deadline_ms = WAIT_##wait_, .need = NEED_##need_, .after = after_, .run = s##nn_##_##slug_, \
	},
#include "handlers/steps.def"
#undef STEP
};

static_assert(STEP_END == 33, "the wizard's users know 33 steps; a new plan needs a decision");

enum step_id step_by_slug(const char *slug)
{
	for (int i = 0; i < STEP_END; i++)
		if (strcmp(steps[i].slug, slug) == 0)
			return (enum step_id)i;
	return STEP_END;
}

#define NAME_OF(names, value) \
	((size_t)(value) < sizeof(names) / sizeof *(names) && (names)[value] ? (names)[value] : "UNSET")

const char *step_phase_name(enum step_phase phase)
{
	static const char *const names[PHASE_END] = {
		[PHASE_QUIESCE] = "QUIESCE",   [PHASE_DATABASE] = "DATABASE", [PHASE_NEUTRALIZE] = "NEUTRALIZE",
		[PHASE_SERVICES] = "SERVICES", [PHASE_TENANT] = "TENANT",     [PHASE_CONTENT] = "CONTENT",
		[PHASE_OPEN] = "OPEN",
	};

	return NAME_OF(names, phase);
}

const char *step_effect_name(enum step_effect effect)
{
	static const char *const names[EFFECT_END] = {
		[EFFECT_LOOKS] = "LOOKS",     [EFFECT_CREATES] = "CREATES", [EFFECT_REPLACES] = "REPLACES",
		[EFFECT_ADDS] = "ADDS",       [EFFECT_CHANGES] = "CHANGES", [EFFECT_DROPS] = "DROPS",
		[EFFECT_TELLS] = "TELLS",
	};

	return NAME_OF(names, effect);
}

const char *step_outcome_name(enum step_outcome outcome)
{
	static const char *const names[STEP_OUTCOME_END] = {
		[STEP_DONE] = "DONE",   [STEP_ALREADY] = "ALREADY_DONE", [STEP_SKIPPED] = "SKIPPED", [STEP_WAIT] = "WAIT",
		[STEP_RETRY] = "RETRY", [STEP_UNSURE] = "UNSURE",        [STEP_REFUSED] = "FAILED",
	};

	return NAME_OF(names, outcome);
}

const char *step_port_name(enum step_port port)
{
	static const char *const names[PORT_END] = {
		[PORT_SQL] = "sql",         [PORT_TENANT] = "hosting", [PORT_IDENTITY] = "superid", [PORT_MAIL] = "mail",
		[PORT_OBJECTS] = "objects", [PORT_ARCHIVE] = "archive", [PORT_LICENCE] = "licence", [PORT_APPS] = "apps",
	};

	return NAME_OF(names, port);
}

enum step_outcome step_failed(struct step_ctx *c)
{
	switch (c->err->class) {
	case ERR_TRANSIENT:
		return STEP_RETRY;
	case ERR_UNSURE:
		return STEP_UNSURE;
	case ERR_NONE:
		err_set(c->err, ERR_BUG, 0, c->fence.step, "the step failed without saying why");
		return STEP_REFUSED;
	default:
		return STEP_REFUSED;
	}
}

enum step_outcome step_wait(struct step_ctx *c, int64_t delay_ms, const char *on)
{
	c->delay_ms = delay_ms;
	snprintf(c->waiting_on, sizeof c->waiting_on, "%s", on);
	return STEP_WAIT;
}

enum step_outcome step_again(struct step_ctx *c)
{
	return step_wait(c, 0, "");
}

enum step_outcome step_skipped(struct step_ctx *c, const char *why)
{
	step_detail(c, "%s", why);
	return STEP_SKIPPED;
}

enum step_outcome step_refused(struct step_ctx *c, const char *fmt, ...)
{
	char text[sizeof c->err->text];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	err_set(c->err, ERR_REFUSED, 0, c->fence.step, "%s", text);
	return STEP_REFUSED;
}

void step_detail(struct step_ctx *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->detail, sizeof c->detail, fmt, ap);
	va_end(ap);
}

bool step_must_stop(const struct step_ctx *c)
{
	return atomic_load_explicit(c->stop, memory_order_relaxed);
}
