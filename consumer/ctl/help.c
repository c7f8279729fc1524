/* SPDX-License-Identifier: Apache-2.0
 * Help, manual page and completion, all from the table. */
#include "consumer/ctl/command.h"

#include <string.h>

static const char exit_codes[] =
	"0 ok, 1 failed (the clone, or a check), 2 usage or configuration, 3 credentials, 4 not found, 5 conflict,\n"
	"6 time-out, 7 unavailable, 130 interrupted";

static const char id_text[] =
	"ID is a whole clone id, the beginning of one, @latest, or @latest:TENANT for the newest of a target.";

static void add_examples(const struct command *c, const char *indent, struct buf *out)
{
	for (const char *p = c->examples; *p;) {
		size_t len = strcspn(p, "\n");

		buf_printf(out, "%ssandboxctl %.*s\n", indent, (int)len, p);
		p += len + (p[len] == '\n');
	}
}

static void add_name(const struct command *c, struct buf *out)
{
	buf_printf(out, "%s%s%s", c->noun, *c->verb ? " " : "", c->verb);
}

/* "--keep ADDRESS" */
static void option_words(const struct option_row *o, char *text, size_t size)
{
	struct buf b;

	buf_init(&b, size - 1);
	buf_printf(&b, "--%s", o->name);
	if (o->value)
		buf_printf(&b, " %s", o->value);
	memcpy(text, buf_text(&b), b.len + 1);
	buf_done(&b);
}

static void add_option(const struct option_row *o, struct buf *out)
{
	char words[64];

	option_words(o, words, sizeof words);
	buf_printf(out, "  %-28s %s", words, o->sentence);
	if (o->words)
		buf_printf(out, " [%s]", o->words);
	buf_add_text(out, o->repeats ? " May be repeated.\n" : "\n");
}

static void add_options(const struct option_row *rows, size_t count, const char *title, struct buf *out)
{
	if (count)
		buf_printf(out, "\n%s\n", title);
	for (size_t i = 0; i < count; i++)
		add_option(&rows[i], out);
}

bool help_command(const struct command *c, struct buf *out)
{
	add_examples(c, "", out);
	buf_printf(out, "\n%s.\n\nUsage: sandboxctl ", c->sentence);
	add_name(c, out);
	buf_printf(out, "%s%s [OPTION...]\n", *c->operands ? " " : "", c->operands);
	add_options(c->options, c->option_count, "Options", out);
	add_options(common_options, common_option_count, "For every command", out);
	if (*c->formats)
		buf_printf(out, "\nFormats of -o: %s\n", c->formats);
	if (strcmp(c->operands, "ID") == 0 && strcmp(c->noun, "clone") == 0)
		buf_printf(out, "%s\n", id_text);
	return !out->failed;
}

static void list_commands(const char *noun, struct buf *out)
{
	for (size_t i = 0; i < command_count; i++) {
		const struct command *c = &commands[i];
		struct buf name;

		if (*noun && strcmp(c->noun, noun) != 0)
			continue;
		buf_init(&name, 64);
		add_name(c, &name);
		buf_printf(out, "  %-22s %s\n", buf_text(&name), c->sentence);
		buf_done(&name);
	}
}

bool help_noun(const char *noun, struct buf *out)
{
	buf_printf(out, "sandboxctl %s VERB [OPTION...]\n\n", noun);
	list_commands(noun, out);
	buf_printf(out, "\n'sandboxctl help %s VERB' tells more.\n", noun);
	return !out->failed;
}

bool help_overview(struct buf *out)
{
	buf_add_text(out, "sandboxctl clone request --source Cust70000 --target Cust70001 --admin USER=PLAN --wait\n"
		"sandboxctl clone watch @latest\n"
		"sandboxctl clone show @latest:Cust70001\n"
		"sandboxctl doctor\n\n"
		"Turns production tenants into sandboxes, watches that, and helps when it goes wrong.\n\nCommands\n");
	list_commands("", out);
	buf_printf(out, "\nExit codes: %s.\n'sandboxctl help NOUN VERB' tells more about one command.\n", exit_codes);
	return !out->failed;
}

/* ---- the manual page ---- */

static void manual_options(const struct option_row *rows, size_t count, struct buf *out)
{
	if (!count)
		return;
	buf_add_text(out, "\n| option | meaning |\n|---|---|\n");
	for (size_t i = 0; i < count; i++) {
		char words[64];

		option_words(&rows[i], words, sizeof words);
		buf_printf(out, "| `%s` | %s", words, rows[i].sentence);
		for (const char *p = rows[i].words; p && *p; p += strcspn(p, "|") + (p[strcspn(p, "|")] == '|'))
			buf_printf(out, "%s`%.*s`", p == rows[i].words ? " One of " : ", ", (int)strcspn(p, "|"), p);
		buf_add_text(out, rows[i].repeats ? " May be repeated. |\n" : " |\n");
	}
}

static void manual_command(const struct command *c, struct buf *out)
{
	buf_add_text(out, "\n### ");
	add_name(c, out);
	buf_printf(out, "%s%s\n%s.\n\n", *c->operands ? " " : "", c->operands, c->sentence);
	add_examples(c, "    ", out);
	manual_options(c->options, c->option_count, out);
	if (*c->formats && strcmp(c->formats, "table") != 0) {
		buf_add_text(out, "\nFormats:");
		for (const char *p = c->formats; *p; p += strcspn(p, "|") + (p[strcspn(p, "|")] == '|'))
			buf_printf(out, "%s `%.*s`", p == c->formats ? "" : ",", (int)strcspn(p, "|"), p);
		buf_add_text(out, ".\n");
	}
}

bool help_manual(struct buf *out)
{
	buf_add_text(out,
		     "# sandboxctl\n\n"
		     "<!-- Made by `sandboxctl help --manual`; tests/unit/test_ctl_help.c compares the two. -->\n\n"
		     "The operator's command: asks for clones, watches them, and helps when one goes wrong. Data go to "
		     "standard\n"
		     "output, talk to standard error. It asks questions only on a terminal; `--yes` answers them.\n\n"
		     "Times are relative in tables and RFC 3339 in UTC in JSON; durations are written as `1h30m`, "
		     "sizes in binary\n"
		     "units, with exact numbers in JSON. JSON members are only ever added; `version` goes up when one "
		     "changes.\n\n");
	buf_printf(out, "Exit codes: %s.\n\n%s\n\n", exit_codes, id_text);
	buf_add_text(out, "The configuration is `--config FILE`, else the file named by `$SANDBOX_CONFIG`, else\n"
		"`$XDG_CONFIG_HOME/sandbox-clone/sandbox.ini` (`~/.config` when that is not set), else\n"
		"`/etc/sandbox-clone/sandbox.ini`; variables win over it (docs/configuration.md).\n\n"
		"For completion in bash: `source docs/completion.bash`.\n\n## Every command takes\n");
	manual_options(common_options, common_option_count, out);
	buf_add_text(out, "\n## Commands\n");
	for (size_t i = 0; i < command_count; i++)
		manual_command(&commands[i], out);
	buf_add_text(
	    out,
	    "\n## A request as a file\n"
	    "Members are those of `schemas/clone_requested.avsc`; one that is not known is refused. Options given "
	    "beside\n"
	    "the file win over it.\n\n"
	    "```json\n"
	    "{\"kind\":\"REPLACE\",\"source_ctx\":\"Cust70000\",\"target_ctx\":\"Cust70001\",\n"
	    " \"requested_by\":\"admin@company.example\",\n"
	    " \"mask\":{\"enabled\":true,\"domain\":\"sandbox.example\",\"keep\":[\"tester@company.example\"]},\n"
	    " \"user_plan_map\":[{\"login\":\"tester@company.example\",\"plan\":\"ten-sales\",\"admin\":true}],\n"
	    " \"documents\":\"NONE\",\"attachments\":\"NO_REQUESTS\",\"enable_schedules\":[],\"set_running\":true,\n"
	    " \"confirmed\":true}\n"
	    "```\n");
	return !out->failed;
}

/* ---- completion ---- */

static bool first_of_noun(size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (strcmp(commands[j].noun, commands[i].noun) == 0)
			return false;
	return true;
}

static void completion_verbs(struct buf *out)
{
	for (size_t i = 0; i < command_count; i++) {
		if (!commands[i].verb[0] || !first_of_noun(i))
			continue;
		buf_printf(out, "\t%s) words='", commands[i].noun);
		for (size_t j = i; j < command_count; j++)
			if (strcmp(commands[j].noun, commands[i].noun) == 0)
				buf_printf(out, "%s%s", j == i ? "" : " ", commands[j].verb);
		buf_add_text(out, "' ;;\n");
	}
}

static void completion_options(struct buf *out)
{
	for (size_t i = 0; i < command_count; i++) {
		const struct command *c = &commands[i];

		buf_printf(out, "\t'%s %s') words='", c->noun, c->verb);
		for (size_t j = 0; j < c->option_count; j++)
			buf_printf(out, "--%s ", c->options[j].name);
		for (size_t j = 0; j < common_option_count; j++)
			buf_printf(out, "%s--%s", j ? " " : "", common_options[j].name);
		buf_printf(out, "'; formats='");
		for (const char *p = c->formats; *p; p++)
			buf_add_text(out, *p == '|' ? " " : (char[]){ *p, '\0' });
		buf_printf(out, "'; ids='%s' ;;\n",
			strcmp(c->operands, "ID") != 0 ? "" : strcmp(c->noun, "clone") == 0 ? "clone" : "dead-letter");
	}
}

static void completion_values(struct buf *out)
{
	for (size_t i = 0; i < command_count; i++)
		for (size_t j = 0; j < commands[i].option_count; j++) {
			const struct option_row *o = &commands[i].options[j];

			if (!o->words)
				continue;
			buf_printf(out, "\t'%s %s --%s') values='", commands[i].noun, commands[i].verb, o->name);
			for (const char *p = o->words; *p; p++)
				buf_add_text(out, *p == '|' ? " " : (char[]){ *p, '\0' });
			buf_add_text(out, "' ;;\n");
		}
}

bool help_completion(struct buf *out)
{
	buf_add_text(
	    out,
	    "# SPDX-License-Identifier: Apache-2.0\n"
	    "# Completion of sandboxctl for bash. Made by `sandboxctl help --completion`; tests/unit/test_ctl_help.c\n"
	    "# compares the two.\n"
	    "_sandboxctl() {\n"
	    "\tlocal current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
	    "\tlocal noun=${COMP_WORDS[1]} verb=${COMP_WORDS[2]} words='' values='' formats='' ids=''\n"
	    "\tif ((COMP_CWORD == 1)); then\n\t\twords='");
	for (size_t i = 0; i < command_count; i++)
		if (first_of_noun(i))
			buf_printf(out, "%s%s", i ? " " : "", commands[i].noun);
	buf_add_text(out, "'\n\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n\t\treturn\n\tfi\n"
		"\tcase $noun in\n");
	completion_verbs(out);
	buf_add_text(out, "\t*) verb='' ;;\n\tesac\n"
		"\tif ((COMP_CWORD == 2)) && [[ $words ]]; then\n"
		"\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n\t\treturn\n\tfi\n"
		"\tcase \"$noun $verb\" in\n");
	completion_options(out);
	buf_add_text(out, "\tesac\n\tcase \"$noun $verb $previous\" in\n");
	completion_values(out);
	buf_add_text(out, "\t*' -o' | *' --output') values=$formats ;;\n"
		"\t*' --color') values='auto always never' ;;\n"
		"\t*' --config' | *' --from-file' | *' --to')\n"
		"\t\tcompopt -o default\n\t\treturn ;;\n"
		"\tesac\n"
		"\tif [[ $values ]]; then\n\t\twords=$values\n"
		"\telif [[ $current != -* && $ids ]]; then\n"
		"\t\twords=$(sandboxctl \"$ids\" list -o ids --limit 50 2>/dev/null)\n"
		"\t\t[[ $ids == clone ]] && words+=' @latest'\n"
		"\tfi\n"
		"\tCOMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
		"}\n"
		"complete -F _sandboxctl sandboxctl\n");
	return !out->failed;
}
