/* SPDX-License-Identifier: Apache-2.0 */
#include "handlers/system_user.h"
#include "handlers/words.h"

const struct system_user platform_users[] = {
	{ "NetServer", "NetServer system user", "PlatformSystemUser", "NetServer" },
	{ "ejSysUser", "Service system user", "PlatformSystemUser", "ejSysUser" },
	{ "MailSender", "Mail sender", "PlatformSystemUser", "MailSender" },
	{ 0 },
};

struct seals {
	char associate[SEAL_TEXT], credential[SEAL_TEXT], secret[SEAL_TEXT], link[SEAL_TEXT];
};

static bool seals_of(struct step_ctx *c, const struct system_user *user, struct seals *seals_r)
{
	return ROW_SEAL(c, seals_r->associate, "associate", user->name, "13") &&
	       ROW_SEAL(c, seals_r->secret, "secret", user->credential, user->search) &&
	       ROW_SEAL(c, seals_r->credential, "Credentials", user->credential, user->search) &&
	       ROW_SEAL(c, seals_r->link, "UserRoleLink", user->name, "3");
}

static struct sql_args args_of(const struct system_user *user, const struct seals *seals)
{
	return SQL_ARGS(sql_text("name", user->name), sql_text("tooltip", user->tooltip),
			sql_text("credential", user->credential), sql_text("search", user->search),
			sql_text("secret", seals->secret), sql_text("associate_seal", seals->associate),
			sql_text("credential_seal", seals->credential), sql_text("link_seal", seals->link));
}

bool system_user_is_right(struct step_ctx *c, const struct system_user *user, bool *right_r)
{
	struct seals seals;
	int64_t right = 0;

	if (!seals_of(c, user, &seals))
		return false;
	const struct sql_args args = args_of(user, &seals);

	if (!ask_number(c, "system_user_right", &args, &right))
		return false;
	*right_r = right == 1;
	return true;
}

/* The role of type 3 that system users hold; a source without one gets it here. */
static bool role_change(struct step_ctx *c, struct sql_change *change_r)
{
	char seal[SEAL_TEXT];
	int64_t role = 0;

	if (!ROW_SEAL(c, seal, "Role", "System", "3") || !key_next(c, "Role", "Role_id", &role))
		return false;
	*change_r = (struct sql_change){
		"system_user_role",
		SQL_ARGS(sql_number("role", role), sql_text("role_seal", step_text(c, "%s", seal)),
			 sql_text("now", step_now(c, 0))),
	};
	return c->err->class == ERR_NONE;
}

static bool add_keys(struct step_ctx *c, struct sql_args *args)
{
	int64_t associate = 0, link = 0, credential = 0;

	if (!key_next(c, "associate", "associate_id", &associate) ||
	    !key_next(c, "UserRoleLink", "UserRoleLink_id", &link) ||
	    !key_next(c, "Credentials", "Credentials_id", &credential))
		return false;
	args->arg[args->count++] = sql_text("now", step_now(c, 0));
	args->arg[args->count++] = sql_number("associate", associate);
	args->arg[args->count++] = sql_number("link", link);
	args->arg[args->count++] = sql_number("key", credential);
	return c->err->class == ERR_NONE;
}

bool system_user_make(struct step_ctx *c, const struct system_user *user)
{
	struct sql_change changes[11];
	struct seals seals;
	struct sql_args args;

	if (!seals_of(c, user, &seals))
		return false;
	args = args_of(user, &seals);
	if (!add_keys(c, &args) || !role_change(c, &changes[0]))
		return false;
	changes[1] = key_used("Role", "Role_id");
	changes[2] = (struct sql_change){ "system_user_associate", args };
	changes[3] = key_used("associate", "associate_id");
	changes[4] = (struct sql_change){ "system_user_repair", args };
	changes[5] = (struct sql_change){ "system_user_no_links", args };
	changes[6] = (struct sql_change){ "system_user_link", args };
	changes[7] = key_used("UserRoleLink", "UserRoleLink_id");
	changes[8] = (struct sql_change){ "system_user_no_credentials", args };
	changes[9] = (struct sql_change){ "system_user_credential", args };
	changes[10] = key_used("Credentials", "Credentials_id");
	return change_all(c, changes, sizeof changes / sizeof *changes);
}
