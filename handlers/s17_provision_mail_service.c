/* SPDX-License-Identifier: Apache-2.0
 * s17: the sandbox has one mailbox, test-<target>, with its route at the mail provider, and sends as that address.
 *
 * Look: no other mailbox, alias, mail rule or parked mail; the default sender is the test address; the provider lists
 *       exactly the test route.
 * Act:  empty the mailbox tables and add the test mailbox in one transaction, remove stray routes, put the test route.
 * Safe to repeat because mailbox and route have fixed names, and putting the route again replaces it by itself. */
#include "handlers/guard.h"
#include "handlers/mask_filter.h"
#include "handlers/words.h"

#include <string.h>

static const char *const must_be_0[] = { "s17_wrong_mailboxes", "s17_aliases",      "s17_rules",
					 "s17_rule_links",      "s17_parked_mails", "s17_wrong_senders" };

static bool database_is_so(struct step_ctx *c, const struct sql_args *args, bool *so_r)
{
	int64_t count = 0;

	if (!ask_number(c, "s17_right_mailbox", args, &count))
		return false;
	*so_r = count == 1;
	for (size_t i = 0; *so_r && i < sizeof must_be_0 / sizeof *must_be_0; i++) {
		if (!ask_number(c, must_be_0[i], args, &count))
			return false;
		*so_r = count == 0;
	}
	return true;
}

static bool look(struct step_ctx *c, bool *so_r)
{
	const char *address = test_mail_address(c), *id = step_text(c, "test-%s", c->job->target_ctx);
	const struct sql_args args = SQL_ARGS(sql_text("address", address));
	struct mail_routes routes;

	if (!address || !id || !database_is_so(c, &args, so_r) ||
	    !c->ports->mail->list(c->ports->mail, c->job->target_ctx, c->mem, &routes, c->err))
		return false;
	*so_r = *so_r && routes.count == 1 && strcmp(routes.routes[0].id, id) == 0 &&
		strcmp(routes.routes[0].address, address) == 0;
	return true;
}

static bool fill_database(struct step_ctx *c, const char *address)
{
	static const char *const parts[] = { "s17_drop_parked_mails", "s17_drop_rule_links",  "s17_drop_rules",
					     "s17_drop_aliases",      "s17_drop_mailboxes",   "s17_add_mailbox",
					     "s17_default_category",  "s17_default_language", "s17_default_sender" };
	struct sql_change changes[sizeof parts / sizeof *parts + 1];
	int64_t key = 0;
	bool so = false;

	const struct sql_args wanted = SQL_ARGS(sql_text("address", address));

	if (!database_is_so(c, &wanted, &so) || so)
		return so;
	if (!key_next(c, "mail_in_filter", "id", &key))
		return false;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		changes[i] =
		    (struct sql_change){ parts[i], SQL_ARGS(sql_text("address", address), sql_number("key", key)) };
	changes[sizeof parts / sizeof *parts] = key_used("mail_in_filter", "id");
	return change_all(c, changes, sizeof changes / sizeof *changes);
}

static bool act(struct step_ctx *c)
{
	const char *address = test_mail_address(c), *id = step_text(c, "test-%s", c->job->target_ctx);
	struct mail_port *mail = c->ports->mail;
	struct mail_routes routes;

	if (!address || !id || !guard_database(c, c->fence.generation) || !fill_database(c, address) ||
	    !mail->list(mail, c->job->target_ctx, c->mem, &routes, c->err))
		return false;
	for (size_t i = 0; i < routes.count; i++)
		if (strcmp(routes.routes[i].id, id) != 0 && !mail->remove(mail, &c->fence, routes.routes[i].id, c->err))
			return false;
	return step_may_act(c) && mail->put(mail, &c->fence, id, address, c->err);
}

enum step_outcome s17_provision_mail_service(struct step_ctx *c)
{
	return step_look_act(c, look, act);
}
