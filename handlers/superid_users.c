/* SPDX-License-Identifier: Apache-2.0 */
#include "handlers/superid_users.h"
#include "handlers/words.h"

#include <stdlib.h>
#include <string.h>

struct list {
	struct step_ctx *c;
	struct identity_user *users;
	size_t count, size;
};

static bool grow(struct list *list)
{
	size_t size = list->size ? 2 * list->size : 64;
	struct identity_user *bigger = step_take(list->c, size * sizeof *bigger);

	if (!bigger)
		return false;
	if (list->count)
		memcpy(bigger, list->users, list->count * sizeof *bigger);
	list->users = bigger;
	list->size = size;
	return true;
}

static bool add_row(void *arg, const struct sql_row *row, struct err *e)
{
	struct list *list = arg;
	const char *login;

	(void)e;
	if (row->count < 2 || row->values[0].kind != SQL_TEXT)
		return true;
	if (list->count == list->size && !grow(list))
		return false;
	login = step_text(list->c, "%s", row->values[0].text);
	list->users[list->count++] = (struct identity_user){ login, (long)row->values[1].number };
	return login != NULL;
}

static int by_login(const void *a, const void *b)
{
	return strcmp(((const struct identity_user *)a)->login, ((const struct identity_user *)b)->login);
}

bool superid_users_of(struct step_ctx *c, enum sql_place place, struct identity_users *users_r)
{
	struct list list = { .c = c };
	const struct sql_args none = { 0 };

	if (!c->ports->sql->rows(c->ports->sql, place, "plan_users", &none, add_row, &list, c->err) ||
	    c->err->class != ERR_NONE)
		return false;
	if (list.count)
		qsort(list.users, list.count, sizeof *list.users, by_login);
	*users_r = (struct identity_users){ list.users, list.count };
	return true;
}

bool superid_users_equal(const struct identity_users *a, const struct identity_users *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->users[i].login, b->users[i].login) != 0 ||
		    a->users[i].associate_id != b->users[i].associate_id)
			return false;
	return true;
}
