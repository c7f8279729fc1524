/* SPDX-License-Identifier: Apache-2.0
 * s22: exactly the users of the request hold a plan and the hidden licences it turns on, sealed for this target.
 *
 * Look: the rows of LicenseAssocLink are the wanted links, no more and no less, and each user's own row is sealed.
 * Act:  in one transaction clear all assignments, write the wanted ones, seal the users' rows.
 * Safe to repeat because the wanted links follow from request and licence alone. */
#include "handlers/plans.h"
#include "handlers/words.h"

#include <inttypes.h>

static bool seal_change(struct step_ctx *c, int64_t associate, struct sql_change *change_r)
{
	const char *id = step_text(c, "%" PRId64, associate);
	char seal[SEAL_TEXT];

	if (!id || !ROW_SEAL(c, seal, "associate", id))
		return false;
	*change_r = (struct sql_change){ "s22_seal_user", SQL_ARGS(sql_number("associate", associate),
								   sql_text("seal", step_text(c, "%s", seal))) };
	return c->err->class == ERR_NONE;
}

static bool users_are_sealed(struct step_ctx *c, const struct licence_links *wanted, bool *so)
{
	for (size_t i = 0; *so && i < wanted->associate_count; i++) {
		struct sql_change seal;
		int64_t sealed = 0;

		if (!seal_change(c, wanted->associates[i], &seal) ||
		    !ask_number(c, "s22_sealed_user", &seal.args, &sealed))
			return false;
		*so = sealed == 1;
	}
	return true;
}

static bool look(struct step_ctx *c, bool *so_r)
{
	struct licence_links wanted;

	if (!plans_wanted(c, &wanted) || !plans_are_held(c, &wanted, so_r))
		return false;
	step_detail(c, "%zu users with a plan, %zu licences", wanted.associate_count, wanted.count);
	return users_are_sealed(c, &wanted, so_r);
}

static bool act(struct step_ctx *c)
{
	struct licence_links wanted;
	struct sql_change *changes;
	size_t n;

	if (!plans_wanted(c, &wanted))
		return false;
	n = plans_count(&wanted);
	changes = step_take(c, (n + wanted.associate_count) * sizeof *changes);
	if (!changes || !plans_changes(c, &wanted, changes))
		return false;
	for (size_t i = 0; i < wanted.associate_count; i++)
		if (!seal_change(c, wanted.associates[i], &changes[n++]))
			return false;
	return change_all(c, changes, n);
}

enum step_outcome s22_assign_user_plans(struct step_ctx *c)
{
	return step_look_act(c, look, act);
}
