/* SPDX-License-Identifier: Apache-2.0
 * What runs beside the plan, by name. */
#include "handlers/step.h"

#include <string.h>

static const struct {
	const char *name;
	step_fn *run;
} asides[ASIDE_END] = {
	[ASIDE_UNSET] = { "", NULL },
	[ASIDE_CLEAN_UP] = { "clean_up", abandon_clone },
	[ASIDE_ROLL_BACK] = { "roll_back", roll_back_clone },
	[ASIDE_SWEEP] = { "sweep", sweep_target },
};

const char *step_aside_name(enum step_aside aside)
{
	return asides[(unsigned)aside < ASIDE_END ? aside : ASIDE_UNSET].name;
}

enum step_outcome step_aside_run(struct step_ctx *c)
{
	for (int i = ASIDE_UNSET + 1; i < ASIDE_END; i++)
		if (strcmp(asides[i].name, c->fence.step) == 0)
			return asides[i].run(c);
	return step_refused(c, "nothing of that name runs beside the plan");
}
