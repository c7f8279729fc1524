/* SPDX-License-Identifier: Apache-2.0 */
#include "handlers/licence_rows.h"
#include "handlers/words.h"

#include <inttypes.h>
#include <string.h>

static const char *const clear[] = { "licence_drop_assignments", "licence_drop_satellites", "licence_drop_modules",
				     "licence_drop_owners" };

enum { CLEAR = sizeof clear / sizeof *clear };

struct comparison {
	struct step_ctx *c;
	const struct licence *licence;
	size_t at;
	bool right;
};

static const char *module_seal(struct step_ctx *c, const struct licence_module *module)
{
	const char *type = step_text(c, "%d", module->type), *count = step_text(c, "%d", module->count);
	char seal[SEAL_TEXT];

	if (!type || !count ||
	    !ROW_SEAL(c, seal, "ModuleLicense", module->name, type, count, module->is_user_plan ? "1" : "0",
		      module->set))
		return NULL;
	return step_text(c, "%s", seal);
}

/* The hidden licences a plan turns on are kept as "set=a,b,c". */
static const char *extra_info(struct step_ctx *c, const struct licence_module *module)
{
	return module->set[0] ? step_text(c, "set=%s", module->set) : "";
}

static bool same_text(const struct sql_value *value, const char *text)
{
	return strcmp(value->kind == SQL_TEXT ? value->text : "", text) == 0;
}

static bool compare_row(void *arg, const struct sql_row *row, struct err *e)
{
	struct comparison *is = arg;

	(void)e;
	if (is->at >= is->licence->count || row->count < 6)
		return is->right = false;
	const struct licence_module *module = &is->licence->modules[is->at++];
	const char *seal = module_seal(is->c, module), *info = extra_info(is->c, module);

	is->right = seal && info && same_text(&row->values[0], module->name) && row->values[1].number == module->type &&
		    row->values[2].number == module->count && row->values[3].number == (module->is_user_plan ? 1 : 0) &&
		    same_text(&row->values[4], info) && same_text(&row->values[5], seal);
	return is->right;
}

bool licence_rows_are_right(struct step_ctx *c, const struct licence *licence, bool *right_r)
{
	struct comparison is = { c, licence, 0, true };
	const struct sql_args none = { 0 };
	int64_t owners = 0;

	*right_r = false;
	if (!ask_number(c, "licence_owners", &none, &owners) ||
	    !c->ports->sql->rows(c->ports->sql, SQL_TARGET, "licence_modules", &none, compare_row, &is, c->err))
		return false;
	*right_r = owners == 1 && is.right && is.at == licence->count;
	return c->err->class == ERR_NONE;
}

size_t licence_rows_count(const struct licence *licence)
{
	return CLEAR + 3 + licence->count;
}

static struct sql_change owner_change(struct step_ctx *c, const struct licence *licence, int64_t key)
{
	char seal[SEAL_TEXT] = "";

	(void)!ROW_SEAL(c, seal, "ModuleOwner", licence->owner, licence->serial);
	return (struct sql_change){ "licence_owner", SQL_ARGS(sql_number("owner", key), sql_text("now", step_now(c, 0)),
							      sql_text("seal", step_text(c, "%s", seal))) };
}

static struct sql_change module_change(struct step_ctx *c, const struct licence_module *module, int64_t key,
				       int64_t owner, size_t order)
{
	return (struct sql_change){
		"licence_module",
		SQL_ARGS(sql_number("key", key), sql_text("name", module->name), sql_number("type", module->type),
			 sql_number("count", module->count), sql_number("is_plan", module->is_user_plan),
			 sql_text("info", extra_info(c, module)), sql_number("owner", owner),
			 sql_number("order", (int64_t)order), sql_text("seal", module_seal(c, module)),
			 sql_text("now", step_now(c, 0))),
	};
}

bool licence_rows_changes(struct step_ctx *c, const struct licence *licence, struct sql_change *changes_r)
{
	int64_t owner = 0, module = 0;
	size_t n = 0;

	if (!key_next(c, "ModuleOwner", "ModuleOwner_id", &owner) ||
	    !key_next(c, "ModuleLicense", "ModuleLicense_id", &module))
		return false;
	for (size_t i = 0; i < CLEAR; i++)
		changes_r[n++] = (struct sql_change){ clear[i], { 0 } };
	changes_r[n++] = owner_change(c, licence, owner);
	for (size_t i = 0; i < licence->count; i++)
		changes_r[n++] = module_change(c, &licence->modules[i], module + (int64_t)i, owner, i);
	changes_r[n++] = key_used("ModuleOwner", "ModuleOwner_id");
	changes_r[n++] = key_used("ModuleLicense", "ModuleLicense_id");
	return c->err->class == ERR_NONE;
}
