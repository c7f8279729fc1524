/* SPDX-License-Identifier: Apache-2.0
 * Command lines: what is taken, what is refused, and what was probably meant. */
#include "consumer/ctl/command.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 32 };

static struct args args;
static struct err err;
static char line_text[1024];

/* Splits at blanks; a "_" stands for an empty word. */
static bool read_line(const char *line)
{
	const char *argv[WORDS_MAX];
	char *rest = line_text, *word;
	int argc = 0;

	err_clear(&err);
	strncpy(line_text, line, sizeof line_text - 1);
	while (argc < WORDS_MAX && (word = strsep(&rest, " ")) != NULL)
		if (*word)
			argv[argc++] = strcmp(word, "_") == 0 ? "" : word;
	return args_read(&args, argc, argv, &err);
}

static void refused(const char *line, const char *sentence)
{
	ck_assert_msg(!read_line(line), "'%s' was taken", line);
	ck_assert_int_eq(err.class, ERR_REFUSED);
	ck_assert_msg(strstr(err.text, sentence) != NULL, "'%s' gives \"%s\", not \"%s\"", line, err.text, sentence);
}

START_TEST(words_and_options_stand_in_any_order)
{
	ck_assert_msg(read_line("--config a.ini clone --yes list --limit 7 --status=failed -o json --status paused"),
		      "%s", err.text);
	ck_assert_str_eq(args.command->verb, "list");
	ck_assert_str_eq(args_text(&args, "config"), "a.ini");
	ck_assert_str_eq(args_text(&args, "limit"), "7");
	ck_assert_str_eq(args_text(&args, "output"), "json");
	ck_assert(args_has(&args, "yes"));
	ck_assert(!args_has(&args, "no-headers"));
	ck_assert(read_line("clone list -ojsonl"));
	ck_assert_str_eq(args_text(&args, "output"), "jsonl");
}
END_TEST

START_TEST(repeated_options_keep_their_order)
{
	size_t at = 0;

	ck_assert(read_line("clone request --user b=x --admin a=y --user c="));
	ck_assert_str_eq(args_next(&args, "user", &at), "b=x");
	ck_assert_str_eq(args_next(&args, "user", &at), "c=");
	ck_assert_ptr_null(args_next(&args, "user", &at));
	refused("clone request --source a --source b", "--source is given twice");
}
END_TEST

START_TEST(what_was_meant_is_said)
{
	refused("clon list", "did you mean 'clone'?");
	refused("watch", "did you mean 'clone watch'?");
	refused("requeue", "did you mean 'dead-letter requeue'?");
	refused("clone lst", "did you mean 'clone list'?");
	refused("clone list --limti 3", "did you mean --limit?");
	refused("clone show --no-header x", "did you mean --no-headers?");
	refused("xyzzyplugh", "'sandboxctl help' lists them");
	refused("clone frobnicate", "'sandboxctl help clone' lists them");
	refused("clone", "clone what?");
}
END_TEST

START_TEST(values_are_checked)
{
	refused("clone request --documents some", "--documents takes all|included-users|none");
	refused("clone list -o yaml", "--output takes table|json|jsonl|ids");
	refused("clone plan -o ids", "--output takes table|json|mermaid");
	refused("clone plan -x", "there is no option -x");
	refused("clone list --limit", "--limit needs a value");
	refused("clone plan --strict=yes", "--strict takes no value");
	refused("clone show", "clone show needs ID");
	refused("clone show a b", "one word too many");
	refused("clone list --color sometimes", "--color takes auto|always|never");
	refused("help -o json", "this command prints no data");
}
END_TEST

START_TEST(a_value_may_look_like_an_option)
{
	ck_assert(read_line("clone cancel abc --reason --yes"));
	ck_assert_str_eq(args_text(&args, "reason"), "--yes");
	ck_assert(!args_has(&args, "yes"));
	ck_assert(read_line("clone show -- -abc"));
	ck_assert_str_eq(args.operands[0], "-abc");
	ck_assert(read_line("clone request --from-file - --source _"));
	ck_assert_str_eq(args_text(&args, "from-file"), "-");
	ck_assert_str_eq(args_text(&args, "source"), "");
}
END_TEST

START_TEST(help_needs_nothing_else)
{
	ck_assert(read_line("clone show --help"));
	ck_assert(args.help);
	ck_assert(read_line("-h"));
	ck_assert(args.help && !args.command);
}
END_TEST

START_TEST(numbers_are_bounded)
{
	long n;

	ck_assert(read_line("clone list --limit 12"));
	ck_assert(args_number(&args, "limit", 100, 50, &n, &err));
	ck_assert_int_eq(n, 12);
	ck_assert(read_line("clone list"));
	ck_assert(args_number(&args, "limit", 100, 50, &n, &err));
	ck_assert_int_eq(n, 50);
	for (const char *const *bad = (const char *const[]){ "0", "101", "-3", "1x", "_", NULL }; *bad; bad++) {
		char line[64] = "clone list --limit ";

		ck_assert(read_line(strcat(line, *bad)));
		ck_assert_msg(!args_number(&args, "limit", 100, 50, &n, &err), "%s was taken", *bad);
	}
}
END_TEST

START_TEST(too_much_is_refused)
{
	static const char *argv[2 * ARGS_MAX + 4];
	int argc = 0;

	argv[argc++] = "clone";
	argv[argc++] = "request";
	for (int i = 0; i <= ARGS_MAX; i++) {
		argv[argc++] = "--keep";
		argv[argc++] = "a@b.example";
	}
	ck_assert(!args_read(&args, argc, argv, &err));
}
END_TEST

/* The table itself: what the help and the completion rely on. */
START_TEST(every_row_is_whole)
{
	for (size_t i = 0; i < command_count; i++) {
		const struct command *c = &commands[i];

		ck_assert_ptr_nonnull(c->run);
		ck_assert_msg(c->examples[0] && strncmp(c->examples, c->noun, strlen(c->noun)) == 0,
			      "%s %s has no example", c->noun, c->verb);
		ck_assert_msg(c->least <= c->most && c->most <= OPERANDS_MAX, "%s %s", c->noun, c->verb);
		for (size_t j = 0; j < i; j++)
			ck_assert(strcmp(c->noun, commands[j].noun) != 0 || strcmp(c->verb, commands[j].verb) != 0);
		for (size_t j = 0; j < c->option_count; j++)
			for (size_t k = 0; k < common_option_count; k++)
				ck_assert_str_ne(c->options[j].name, common_options[k].name);
	}
}
END_TEST

/* The examples are command lines that are taken; quoted words are put together first. */
START_TEST(every_example_is_taken)
{
	for (size_t i = 0; i < command_count; i++)
		for (const char *p = commands[i].examples; *p; p += strcspn(p, "\n") + (p[strcspn(p, "\n")] == '\n')) {
			char line[512] = "";
			bool quoted = false;

			for (size_t j = 0; j < strcspn(p, "\n"); j++) {
				quoted ^= p[j] == '\'';
				line[j] = p[j] == ' ' && quoted ? '.' : p[j];
			}
			ck_assert_msg(read_line(line), "'%s': %s", line, err.text);
			ck_assert_ptr_eq(args.command, &commands[i]);
		}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ctl_command");
	TCase *t = tcase_create("lines");
	SRunner *sr = srunner_create(s);

	tcase_add_test(t, words_and_options_stand_in_any_order);
	tcase_add_test(t, repeated_options_keep_their_order);
	tcase_add_test(t, what_was_meant_is_said);
	tcase_add_test(t, values_are_checked);
	tcase_add_test(t, a_value_may_look_like_an_option);
	tcase_add_test(t, help_needs_nothing_else);
	tcase_add_test(t, numbers_are_bounded);
	tcase_add_test(t, too_much_is_refused);
	tcase_add_test(t, every_row_is_whole);
	tcase_add_test(t, every_example_is_taken);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
