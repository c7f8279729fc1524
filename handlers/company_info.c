/* SPDX-License-Identifier: Apache-2.0 */
#include "handlers/company_info.h"

#include <string.h>

bool company_info_of(struct step_ctx *c, enum sql_place place, struct company_info *info)
{
	struct sql_port *sql = c->ports->sql;
	const struct sql_args none = { 0 };
	int64_t users = 0;

	if (!sql->text(sql, place, "s26_company", &none, c->mem, &info->company, c->err) ||
	    !sql->text(sql, place, "s26_serial", &none, c->mem, &info->serial, c->err) ||
	    !sql->scalar(sql, place, "s26_users_with_plan", &none, &users, c->err))
		return false;
	info->users_with_plan = (long)users;
	return true;
}

bool company_info_equal(const struct company_info *a, const struct company_info *b)
{
	return strcmp(a->company, b->company) == 0 && strcmp(a->serial, b->serial) == 0 &&
	       strcmp(a->database, b->database) == 0 && a->users_with_plan == b->users_with_plan;
}
