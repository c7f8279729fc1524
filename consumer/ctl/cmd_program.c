/* SPDX-License-Identifier: Apache-2.0
 * doctor, config show, version, help: about the installation, not about a clone. */
#include "consumer/core/plan.h"
#include "consumer/ctl/checks.h"
#include "consumer/ctl/commands.h"
#include "consumer/ctl/js.h"

#include <stdlib.h>
#include <string.h>

/* Of the JSON that this program writes, and of the events it reads and writes. */
enum { OUTPUT_VERSION = 1, EVENTS_VERSION = 1 };

/* ---- doctor ---- */

static void one_json(struct js *j, const struct check *row)
{
	js_object(j, NULL);
	js_text(j, "check", row->name);
	js_text(j, "result", check_result_name(row->result));
	js_text(j, "text", row->text);
	js_text(j, "fix", row->result == CHECK_WELL || !row->fix[0] ? NULL : row->fix);
	js_close(j);
}

static void print_checks(struct ctl *c, const struct checks *k)
{
	struct js j = { .out = &c->out, .lines = c->format == CTL_JSON ? 2 : 0 };

	if (c->format == CTL_TABLE) {
		checks_print(k, c->colors, c->utf8, &c->out);
		return;
	}
	if (c->format == CTL_JSON) {
		js_object(&j, NULL);
		js_number(&j, "version", OUTPUT_VERSION);
		js_array(&j, "checks");
	}
	for (size_t i = 0; i < k->count; i++)
		one_json(&j, &k->rows[i]);
	if (c->format == CTL_JSON) {
		js_close(&j);
		js_close(&j);
	}
}

static bool look_around(struct ctl *c, struct checks *k)
{
	static void (*const looks[])(struct ctl *, struct checks *) = { checks_brokers, checks_codec, checks_store,
		checks_databases, checks_systems, checks_secrets, checks_clock, checks_orphans };
	const char *path = c->desk->config_path(c->desk);

	checks_add(k, "config", CHECK_WELL, "", "%s", *path ? path : "no file: defaults and environment only");
	for (size_t i = 0; i < sizeof looks / sizeof *looks; i++) {
		if (c->desk->interrupted(c->desk))
			return false;
		looks[i](c, k);
	}
	return true;
}

int cmd_doctor(struct ctl *c)
{
	struct checks *k = arena_take(c->mem, sizeof *k);
	struct err e = { 0 };
	int rc = CTL_OK;

	if (!k)
		return CTL_UNAVAILABLE;
	if (!ctl_configure(c, &e)) {
		checks_add_err(k, "config", "correct it; 'sandboxctl config show --origin' shows what is in force", &e);
		rc = CTL_USAGE;
	} else if (!look_around(c, k)) {
		rc = CTL_INTERRUPTED;
	}
	for (size_t i = 0; i < k->count && !rc; i++)
		if (k->rows[i].result == CHECK_BAD)
			rc = CTL_FAILED;
	print_checks(c, k);
	return rc;
}

/* ---- config, version ---- */

int cmd_config_show(struct ctl *c)
{
	struct err e = { 0 };

	if (!ctl_configure(c, &e))
		return ctl_fail(c, &e);
	config_show(c->desk->config(c->desk), args_has(&c->args, "origin"), &c->out);
	return CTL_OK;
}

int cmd_version(struct ctl *c)
{
	struct js j = { .out = &c->out, .lines = 1 };

	if (c->format != CTL_JSON) {
		buf_printf(&c->out, "sandboxctl %s\nplan %d\nevents %d\noutput %d\n", SANDBOX_VERSION, PLAN_VERSION,
			EVENTS_VERSION, OUTPUT_VERSION);
		return CTL_OK;
	}
	js_object(&j, NULL);
	js_number(&j, "version", OUTPUT_VERSION);
	js_text(&j, "program", SANDBOX_VERSION);
	js_number(&j, "plan", PLAN_VERSION);
	js_number(&j, "events", EVENTS_VERSION);
	js_number(&j, "output", OUTPUT_VERSION);
	js_close(&j);
	return CTL_OK;
}

/* ---- help ---- */

static int help_words(struct ctl *c)
{
	const char *const *words = c->args.operands;
	const char *const argv[] = { words[0], words[1] ? words[1] : "--help", "--help" };
	struct args *a = arena_take(c->mem, sizeof *a);
	struct err e = { 0 };

	if (!a)
		return CTL_UNAVAILABLE;
	if (!args_read(a, words[1] ? 3 : 2, argv, &e))
		return ctl_fail(c, &e);
	if (a->command)
		help_command(a->command, &c->out);
	else
		help_noun(a->noun, &c->out);
	return CTL_OK;
}

int cmd_help(struct ctl *c)
{
	if (args_has(&c->args, "manual"))
		help_manual(&c->out);
	else if (args_has(&c->args, "completion"))
		help_completion(&c->out);
	else if (c->args.operand_count)
		return help_words(c);
	else
		help_overview(&c->out);
	return CTL_OK;
}
