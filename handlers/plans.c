/* SPDX-License-Identifier: Apache-2.0 */
#include "handlers/plans.h"
#include "handlers/words.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MODULES_MAX = 1000 };

struct module {
	int64_t id, seats, taken;
	bool is_plan;
	const char *name, *set; /* "a,b,c": what the plan turns on */
	struct module *next;
};

struct modules {
	struct step_ctx *c;
	struct module *first;
	size_t count;
};

static bool refuse(struct step_ctx *c, const char *fmt, const char *name)
{
	return err_set(c->err, ERR_REFUSED, 0, c->fence.step, fmt, name);
}

static bool add_module(void *arg, const struct sql_row *row, struct err *e)
{
	struct modules *all = arg;
	struct module *module = step_take(all->c, sizeof *module);

	(void)e;
	if (!module || row->count < 5 || all->count++ >= MODULES_MAX)
		return err_set(all->c->err, ERR_REFUSED, 0, all->c->fence.step,
			       "the licence rows of the clone make no sense");
	const char *info = row->values[4].kind == SQL_TEXT ? row->values[4].text : "";

	module->id = row->values[0].number;
	module->name = step_text(all->c, "%s", row->values[1].kind == SQL_TEXT ? row->values[1].text : "");
	module->seats = row->values[2].number;
	module->is_plan = row->values[3].number == 1;
	module->set = step_text(all->c, "%s", strncmp(info, "set=", 4) == 0 ? info + 4 : "");
	module->next = all->first;
	all->first = module;
	return module->name && module->set;
}

static struct module *module_by_name(const struct modules *all, const char *name, size_t len)
{
	for (struct module *module = all->first; module; module = module->next)
		if (strlen(module->name) == len && strncasecmp(module->name, name, len) == 0)
			return module;
	return NULL;
}

static bool find_associate(struct step_ctx *c, size_t at, int64_t *associate_r)
{
	const struct user_plan *user = &c->job->users[at];
	const struct sql_args args =
	    SQL_ARGS(sql_number("associate", user->associate_id), sql_text("login", user->login));

	if (!ask_number(c, "plan_associate", &args, associate_r))
		return false;
	if (*associate_r == 0)
		return err_set(c->err, ERR_REFUSED, 0, c->fence.step,
			       "user %zu of the request is no active employee of the clone", at + 1);
	return true;
}

static void add_link(struct licence_links *links, int64_t associate, int64_t module)
{
	links->links[links->count++] = (struct licence_link){ associate, module };
}

/* The plan itself and each licence of its set. */
static bool add_plan(struct step_ctx *c, const struct modules *all, const char *plan, int64_t associate,
		     struct licence_links *links)
{
	struct module *module = module_by_name(all, plan, strlen(plan));

	if (!module || !module->is_plan)
		return refuse(c, "the sandbox's licence has no user plan \"%s\"", plan);
	module->taken++;
	add_link(links, associate, module->id);
	for (const char *part = module->set; *part;) {
		size_t len = strcspn(part, ",");
		const struct module *hidden = module_by_name(all, part, len);

		if (!hidden)
			return refuse(c, "user plan \"%s\" turns on a licence that the sandbox does not hold", plan);
		add_link(links, associate, hidden->id);
		part += len + (part[len] == ',');
	}
	return true;
}

static bool seats_suffice(struct step_ctx *c, const struct modules *all)
{
	for (const struct module *module = all->first; module; module = module->next)
		if (module->taken > module->seats)
			return err_set(c->err, ERR_REFUSED, 0, c->fence.step,
				       "user plan \"%s\" has %" PRId64 " seats, %" PRId64 " are asked for",
				       module->name, module->seats, module->taken);
	return true;
}

static int by_associate_and_module(const void *a, const void *b)
{
	const struct licence_link *x = a, *y = b;

	if (x->associate != y->associate)
		return x->associate < y->associate ? -1 : 1;
	return (x->module > y->module) - (x->module < y->module);
}

static void sort_and_thin(struct licence_links *links)
{
	size_t kept = 0;

	qsort(links->links, links->count, sizeof *links->links, by_associate_and_module);
	for (size_t i = 0; i < links->count; i++) {
		if (kept && by_associate_and_module(&links->links[kept - 1], &links->links[i]) == 0)
			continue;
		if (!kept || links->links[kept - 1].associate != links->links[i].associate)
			links->associates[links->associate_count++] = links->links[i].associate;
		links->links[kept++] = links->links[i];
	}
	links->count = kept;
}

static bool add_users(struct step_ctx *c, const struct modules *all, struct licence_links *links)
{
	bool has_admin = false;

	for (size_t i = 0; i < c->job->user_count; i++) {
		const struct user_plan *user = &c->job->users[i];
		int64_t associate;

		if (!user->plan || !user->plan[0])
			continue;
		if (!find_associate(c, i, &associate) || !add_plan(c, all, user->plan, associate, links))
			return false;
		has_admin |= user->is_admin;
	}
	return has_admin || err_set(c->err, ERR_REFUSED, 0, c->fence.step, "no administrator gets a user plan");
}

bool plans_wanted(struct step_ctx *c, struct licence_links *wanted_r)
{
	struct modules all = { c, NULL, 0 };
	const struct sql_args none = { 0 };

	*wanted_r = (struct licence_links){ 0 };
	if (!c->ports->sql->rows(c->ports->sql, SQL_TARGET, "plan_modules", &none, add_module, &all, c->err) ||
	    c->err->class != ERR_NONE)
		return false;
	wanted_r->links = step_take(c, (c->job->user_count * (all.count + 1) + 1) * sizeof *wanted_r->links);
	wanted_r->associates = step_take(c, (c->job->user_count + 1) * sizeof *wanted_r->associates);
	if (!wanted_r->links || !wanted_r->associates || !add_users(c, &all, wanted_r) || !seats_suffice(c, &all))
		return false;
	sort_and_thin(wanted_r);
	return true;
}

struct comparison {
	const struct licence_links *wanted;
	size_t at;
	bool same;
};

static bool compare_row(void *arg, const struct sql_row *row, struct err *e)
{
	struct comparison *is = arg;
	const struct licence_link *link = &is->wanted->links[is->at];

	(void)e;
	is->same = row->count >= 2 && is->at < is->wanted->count && row->values[0].number == link->associate &&
		   row->values[1].number == link->module;
	is->at++;
	return is->same;
}

bool plans_are_held(struct step_ctx *c, const struct licence_links *wanted, bool *held_r)
{
	struct comparison is = { wanted, 0, true };
	const struct sql_args none = { 0 };

	if (!c->ports->sql->rows(c->ports->sql, SQL_TARGET, "plan_links", &none, compare_row, &is, c->err))
		return false;
	*held_r = is.same && is.at == wanted->count;
	return true;
}

static bool link_change(struct step_ctx *c, const struct licence_link *link, int64_t key, struct sql_change *change_r)
{
	const char *associate = step_text(c, "%" PRId64, link->associate),
		   *module = step_text(c, "%" PRId64, link->module);
	char seal[SEAL_TEXT];

	if (!associate || !module || !ROW_SEAL(c, seal, "LicenseAssocLink", associate, module))
		return false;
	*change_r = (struct sql_change){
		"plan_add_link",
		SQL_ARGS(sql_number("key", key), sql_number("module", link->module),
			 sql_number("associate", link->associate), sql_text("seal", step_text(c, "%s", seal)),
			 sql_text("now", step_now(c, 0))),
	};
	return c->err->class == ERR_NONE;
}

size_t plans_count(const struct licence_links *wanted)
{
	return wanted->count + 2;
}

bool plans_changes(struct step_ctx *c, const struct licence_links *wanted, struct sql_change *changes_r)
{
	int64_t key = 0;
	size_t n = 0;

	if (!key_next(c, "LicenseAssocLink", "LicenseAssocLink_id", &key))
		return false;
	changes_r[n++] = (struct sql_change){ .statement = "plan_clear_links" };
	for (size_t i = 0; i < wanted->count; i++)
		if (!link_change(c, &wanted->links[i], key + (int64_t)i, &changes_r[n++]))
			return false;
	changes_r[n] = key_used("LicenseAssocLink", "LicenseAssocLink_id");
	return true;
}
