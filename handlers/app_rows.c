/* SPDX-License-Identifier: Apache-2.0 */
#include "handlers/app_rows.h"
#include "handlers/system_user.h"
#include "handlers/words.h"

#include <string.h>

static bool user_of(struct step_ctx *c, const struct app_authorisation *app, struct system_user *user_r)
{
	*user_r = (struct system_user){ step_text(c, "app:%s", app->client_id), app->name, "AppSystemUser",
					app->system_user_token };
	return user_r->name != NULL;
}

bool app_is_right(struct step_ctx *c, const struct app_authorisation *app, bool *right_r)
{
	const struct sql_args args = SQL_ARGS(sql_text("client", app->client_id), sql_text("name", app->name),
					      sql_text("partner", app->partner));
	struct system_user user;
	int64_t rows = 0;

	if (!ask_number(c, "s25_right_app", &args, &rows))
		return false;
	*right_r = rows == 1;
	if (!*right_r || !app->system_user_token[0])
		return true;
	return user_of(c, app, &user) && system_user_is_right(c, &user, right_r);
}

bool app_make(struct step_ctx *c, const struct app_authorisation *app)
{
	struct system_user user;
	int64_t key = 0;

	if (!key_next(c, "OnlineApp", "onlineapp_id", &key))
		return false;
	const struct sql_change changes[] = {
		{ "s25_put_app",
		  SQL_ARGS(sql_number("key", key), sql_text("client", app->client_id), sql_text("name", app->name),
			   sql_text("partner", app->partner), sql_text("now", step_now(c, 0))) },
		key_used("OnlineApp", "onlineapp_id"),
	};

	if (!change_all(c, changes, 2))
		return false;
	return !app->system_user_token[0] || (user_of(c, app, &user) && system_user_make(c, &user));
}

/* prefix is "app:" for names of system users, "" for client ids. */
static bool is_wanted(const struct app_authorisations *apps, const char *text, const char *prefix, bool needs_token)
{
	size_t len = strlen(prefix);

	for (size_t i = 0; i < apps->count; i++)
		if (apps->apps[i].status == APP_ACTIVE && strncmp(text, prefix, len) == 0 &&
		    strcmp(text + len, apps->apps[i].client_id) == 0)
			return !needs_token || apps->apps[i].system_user_token[0];
	return false;
}

bool apps_drop_strangers(struct step_ctx *c, const struct app_authorisations *apps)
{
	struct texts users, clients;

	if (!ask_texts(c, "s25_app_user_names", &users) || !ask_texts(c, "s25_app_clients", &clients))
		return false;
	for (size_t i = 0; i < users.count; i++) {
		const struct sql_args args = SQL_ARGS(sql_text("name", users.text[i]));

		if (!is_wanted(apps, users.text[i], "app:", true) && !change(c, "s25_drop_app_user", &args))
			return false;
	}
	for (size_t i = 0; i < clients.count; i++) {
		const struct sql_args args = SQL_ARGS(sql_text("client", clients.text[i]));

		if (!is_wanted(apps, clients.text[i], "", false) && !change(c, "s25_drop_app", &args))
			return false;
	}
	return true;
}
