/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/ctl/command.h"

#include "consumer/core/config.h"

#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 128, WORD_SHOWN = 60 };

#define USAGE(e, ...) err_set((e), ERR_REFUSED, 0, "usage", __VA_ARGS__)

bool word_is_one_of(const char *word, const char *words)
{
	size_t len = strlen(word);

	for (const char *p = words; len; p += strcspn(p, "|") + 1) {
		if (strcspn(p, "|") == len && memcmp(p, word, len) == 0)
			return true;
		if (!p[strcspn(p, "|")])
			break;
	}
	return false;
}

/* ---- what was probably meant ---- */

struct names {
	const char *names[NAMES_MAX];
	size_t count;
};

static void add_name(struct names *n, const char *name)
{
	if (n->count < NAMES_MAX)
		n->names[n->count++] = name;
}

static bool unknown_option(const struct command *command, const char *word, struct err *e)
{
	struct names n = { .count = 0 };
	const char *nearest;

	for (size_t i = 0; command && i < command->option_count; i++)
		add_name(&n, command->options[i].name);
	for (size_t i = 0; i < common_option_count; i++)
		add_name(&n, common_options[i].name);
	nearest = config_nearest(word, n.names, n.count);
	if (nearest)
		return USAGE(e, "there is no option --%.*s here; did you mean --%s?", WORD_SHOWN, word, nearest);
	return USAGE(e, "there is no option --%.*s here; --help lists them", WORD_SHOWN, word);
}

/* A verb without its noun, as in "sandboxctl watch". */
static const struct command *by_verb(const char *verb)
{
	for (size_t i = 0; i < command_count; i++)
		if (*verb && strcmp(commands[i].verb, verb) == 0)
			return &commands[i];
	return NULL;
}

static bool unknown_noun(const char *word, struct err *e)
{
	struct names n = { .count = 0 };
	const struct command *meant = by_verb(word);
	const char *nearest;

	if (meant)
		return USAGE(e, "there is no command '%s'; did you mean '%s %s'?", word, meant->noun, meant->verb);
	for (size_t i = 0; i < command_count; i++)
		add_name(&n, commands[i].noun);
	nearest = config_nearest(word, n.names, n.count);
	if (nearest)
		return USAGE(e, "there is no command '%.*s'; did you mean '%s'?", WORD_SHOWN, word, nearest);
	return USAGE(e, "there is no command '%.*s'; 'sandboxctl help' lists them", WORD_SHOWN, word);
}

static bool unknown_verb(const char *noun, const char *word, struct err *e)
{
	struct names n = { .count = 0 };
	const char *nearest;

	for (size_t i = 0; i < command_count; i++)
		if (strcmp(commands[i].noun, noun) == 0)
			add_name(&n, commands[i].verb);
	nearest = config_nearest(word, n.names, n.count);
	if (nearest)
		return USAGE(e, "there is no command '%s %.*s'; did you mean '%s %s'?", noun, WORD_SHOWN, word, noun,
			     nearest);
	return USAGE(e, "there is no command '%s %.*s'; 'sandboxctl help %s' lists them", noun, WORD_SHOWN, word, noun);
}

/* ---- reading ---- */

static const struct option_row *find_option(const struct command *command, const char *name, size_t len)
{
	for (size_t i = 0; command && i < command->option_count; i++)
		if (strlen(command->options[i].name) == len && memcmp(command->options[i].name, name, len) == 0)
			return &command->options[i];
	for (size_t i = 0; i < common_option_count; i++)
		if (strlen(common_options[i].name) == len && memcmp(common_options[i].name, name, len) == 0)
			return &common_options[i];
	return NULL;
}

static bool check_value(const struct args *a, const struct option_row *option, const char *value, struct err *e)
{
	const char *words = strcmp(option->name, "output") == 0 && a->command ? a->command->formats : option->words;

	if (!words || word_is_one_of(value, words))
		return true;
	if (!*words)
		return USAGE(e, "this command prints no data: --output means nothing to it");
	return USAGE(e, "--%s takes %s, not '%.*s'", option->name, words, WORD_SHOWN, value);
}

static bool keep(struct args *a, const struct option_row *option, const char *value, struct err *e)
{
	if (a->count == ARGS_MAX)
		return USAGE(e, "more than %d options", ARGS_MAX);
	if (!option->repeats && args_has(a, option->name))
		return USAGE(e, "--%s is given twice", option->name);
	if (strcmp(option->name, "help") == 0)
		a->help = true;
	a->given[a->count++] = (struct given){ option, value };
	return true;
}

struct words {
	const char *const *argv;
	int argc, at;
};

static bool read_long(struct args *a, struct words *w, struct err *e)
{
	const char *word = w->argv[w->at] + 2;
	size_t len = strcspn(word, "=");
	const struct option_row *option = find_option(a->command, word, len);

	if (!option)
		return unknown_option(a->command, word, e);
	if (word[len] == '=' && !option->value)
		return USAGE(e, "--%s takes no value", option->name);
	if (word[len] == '=')
		return keep(a, option, word + len + 1, e);
	if (!option->value)
		return keep(a, option, "", e);
	if (w->at + 1 >= w->argc)
		return USAGE(e, "--%s needs a value: %s", option->name, option->value);
	return keep(a, option, w->argv[++w->at], e);
}

static bool read_short(struct args *a, struct words *w, struct err *e)
{
	const char *word = w->argv[w->at];

	if (strcmp(word, "-h") == 0)
		return keep(a, find_option(NULL, "help", 4), "", e);
	if (word[1] != 'o')
		return USAGE(e, "there is no option %.*s; --help lists them", WORD_SHOWN, word);
	if (word[2])
		return keep(a, find_option(NULL, "output", 6), word + 2, e);
	if (w->at + 1 >= w->argc)
		return USAGE(e, "-o needs a value");
	return keep(a, find_option(NULL, "output", 6), w->argv[++w->at], e);
}

static bool read_noun(struct args *a, const char *word, struct err *e)
{
	for (size_t i = 0; i < command_count; i++) {
		if (strcmp(commands[i].noun, word) != 0)
			continue;
		a->noun = commands[i].noun;
		if (!commands[i].verb[0])
			a->command = &commands[i];
		return true;
	}
	return unknown_noun(word, e);
}

static bool read_verb(struct args *a, const char *word, struct err *e)
{
	for (size_t i = 0; i < command_count; i++)
		if (strcmp(commands[i].noun, a->noun) == 0 && strcmp(commands[i].verb, word) == 0)
			a->command = &commands[i];
	return a->command || unknown_verb(a->noun, word, e);
}

static bool read_plain(struct args *a, const char *word, struct err *e)
{
	if (!a->noun[0])
		return read_noun(a, word, e);
	if (!a->command)
		return read_verb(a, word, e);
	if (a->operand_count == OPERANDS_MAX || a->operand_count == a->command->most)
		return USAGE(e, "'%.*s' is one word too many: %s %s %s", WORD_SHOWN, word, a->command->noun,
			     a->command->verb, a->command->operands);
	a->operands[a->operand_count++] = word;
	return true;
}

static bool check_all(const struct args *a, struct err *e)
{
	const struct command *c = a->command;

	if (!c)
		return !a->noun[0] || USAGE(e, "%s what? 'sandboxctl help %s' lists the verbs", a->noun, a->noun);
	for (size_t i = 0; i < a->count; i++)
		if (!check_value(a, a->given[i].option, a->given[i].value, e))
			return false;
	if (a->operand_count < c->least)
		return USAGE(e, "%s%s%s needs %s", c->noun, *c->verb ? " " : "", c->verb, c->operands);
	return true;
}

bool args_read(struct args *a, int argc, const char *const *argv, struct err *e)
{
	struct words w = { argv, argc, 0 };
	bool only_plain = false;

	memset(a, 0, sizeof *a);
	a->noun = "";
	for (; w.at < argc; w.at++) {
		const char *word = argv[w.at];
		bool ok;

		if (!only_plain && strcmp(word, "--") == 0) {
			only_plain = true;
			continue;
		}
		if (only_plain || word[0] != '-' || !word[1])
			ok = read_plain(a, word, e);
		else if (word[1] == '-')
			ok = read_long(a, &w, e);
		else
			ok = read_short(a, &w, e);
		if (!ok)
			return false;
	}
	return a->help || check_all(a, e);
}

/* ---- asking ---- */

const char *args_next(const struct args *a, const char *option, size_t *at)
{
	while (*at < a->count) {
		const struct given *g = &a->given[(*at)++];

		if (strcmp(g->option->name, option) == 0)
			return g->value;
	}
	return NULL;
}

const char *args_text(const struct args *a, const char *option)
{
	const char *value = NULL, *next;
	size_t at = 0;

	while ((next = args_next(a, option, &at)) != NULL)
		value = next;
	return value;
}

bool args_has(const struct args *a, const char *option)
{
	return args_text(a, option) != NULL;
}

bool args_number(const struct args *a, const char *option, long max, long fallback, long *number_r, struct err *e)
{
	const char *value = args_text(a, option);
	char *end;

	*number_r = fallback;
	if (!value)
		return true;
	*number_r = strtol(value, &end, 10);
	if (*end || end == value || *number_r < 1 || *number_r > max)
		return USAGE(e, "--%s takes a number from 1 to %ld, not '%.*s'", option, max, WORD_SHOWN, value);
	return true;
}
