/* SPDX-License-Identifier: Apache-2.0
 * s20: the clone calls itself "Test Env - <company>", bears the test tenant's own serial number and its licence, all
 * sealed for it: two tenants with one serial would break the mail gateway.
 *
 * Look: company row, its seal, the owner contact's name and every licence row are as the licence server says.
 * Act:  in one transaction clear who holds which licence, put in the licence's rows, write names, serial and seal.
 * Safe to repeat because the transaction writes the wanted end, not a change. */
#include "handlers/guard.h"
#include "handlers/licence_rows.h"
#include "handlers/words.h"

struct wish {
	struct licence licence;
	const char *name;
	char seal[SEAL_TEXT];
};

static bool wished(struct step_ctx *c, struct wish *wish_r)
{
	if (!c->ports->licence->get(c->ports->licence, c->job->target_ctx, c->mem, &wish_r->licence, c->err))
		return false;
	wish_r->name = step_text(c, "Test Env - %s", wish_r->licence.owner);
	return wish_r->name && ROW_SEAL(c, wish_r->seal, "company", wish_r->name, wish_r->licence.serial);
}

static struct sql_args values(const struct wish *wish)
{
	return SQL_ARGS(sql_text("name", wish->name), sql_text("serial", wish->licence.serial),
			sql_text("seal", wish->seal));
}

static bool look(struct step_ctx *c, bool *so_r)
{
	struct wish wish;
	int64_t wrong = 0, owner = 0;

	if (!wished(c, &wish) || !licence_rows_are_right(c, &wish.licence, so_r))
		return false;
	const struct sql_args args = values(&wish);

	if (!ask_number(c, "s20_wrong_companies", &args, &wrong) ||
	    !ask_number(c, "s20_wrong_owner_contacts", &args, &owner))
		return false;
	*so_r = *so_r && wrong == 0 && owner == 0;
	return true;
}

static bool act(struct step_ctx *c)
{
	struct sql_change *changes;
	struct wish wish;
	size_t count;

	if (!wished(c, &wish))
		return false;
	count = licence_rows_count(&wish.licence);
	changes = step_take(c, (count + 2) * sizeof *changes);
	if (!changes || !licence_rows_changes(c, &wish.licence, changes))
		return false;
	changes[count++] = (struct sql_change){ "s20_write_company", values(&wish) };
	changes[count++] = (struct sql_change){ "s20_write_owner_contact", values(&wish) };
	return guard_database(c, c->fence.generation) && change_all(c, changes, count);
}

enum step_outcome s20_change_serial_number(struct step_ctx *c)
{
	return step_look_act(c, look, act);
}
