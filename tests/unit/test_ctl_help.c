/* SPDX-License-Identifier: Apache-2.0
 * Help, manual page and completion say what the table says. */
#include "consumer/ctl/command.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct buf out;

static void setup(void)
{
	buf_init(&out, 1 << 20);
}

static void teardown(void)
{
	buf_done(&out);
}

static void same_as_file(const char *path, const char *how)
{
	struct buf file;
	char part[4096];
	size_t n;
	FILE *f = fopen(path, "r");

	ck_assert_msg(f != NULL, "%s is not there", path);
	buf_init(&file, 1 << 20);
	while ((n = fread(part, 1, sizeof part, f)) > 0)
		buf_add(&file, part, n);
	fclose(f);
	ck_assert_msg(strcmp(buf_text(&file), buf_text(&out)) == 0, "%s is out of date: sandboxctl help %s > %s", path,
		      how, path);
	buf_done(&file);
}

START_TEST(the_manual_is_up_to_date)
{
	ck_assert(help_manual(&out));
	same_as_file(SOURCE_DIR "/docs/man/sandboxctl.md", "--manual");
}
END_TEST

START_TEST(the_completion_is_up_to_date)
{
	ck_assert(help_completion(&out));
	same_as_file(SOURCE_DIR "/docs/completion.bash", "--completion");
}
END_TEST

/* What bash itself offers after the first words of a line. */
static void offers(const char *words, const char *current, const char *wanted)
{
	char command[1024], answer[4096] = "";
	FILE *p;

	snprintf(command, sizeof command,
		"bash -c 'source " SOURCE_DIR "/docs/completion.bash; COMP_WORDS=(%s \"%s\"); "
		"COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _sandboxctl; echo \" ${COMPREPLY[*]} \"'", words, current);
	p = popen(command, "r");
	ck_assert_ptr_nonnull(p);
	answer[fread(answer, 1, sizeof answer - 1, p)] = '\0';
	ck_assert_int_eq(pclose(p), 0);
	ck_assert_msg(strstr(answer, wanted) != NULL, "'%s %s' offers '%s', not '%s'", words, current, answer, wanted);
}

START_TEST(bash_completes)
{
	offers("sandboxctl", "cl", " clone ");
	offers("sandboxctl", "", " dead-letter ");
	offers("sandboxctl clone", "retr", " retry-now ");
	offers("sandboxctl clone list", "--st", " --status ");
	offers("sandboxctl clone list --status", "fa", " failed ");
	offers("sandboxctl clone plan -o", "mer", " mermaid ");
	offers("sandboxctl clone plan --color", "al", " always ");
}
END_TEST

START_TEST(every_help_begins_with_an_example)
{
	for (size_t i = 0; i < command_count; i++) {
		const struct command *c = &commands[i];

		buf_clear(&out);
		ck_assert(help_command(c, &out));
		ck_assert_msg(strncmp(buf_text(&out), "sandboxctl ", 11) == 0, "%s %s", c->noun, c->verb);
		for (size_t j = 0; j < c->option_count; j++)
			ck_assert_msg(strstr(buf_text(&out), c->options[j].name) != NULL, "%s", c->options[j].name);
	}
	buf_clear(&out);
	ck_assert(help_overview(&out));
	ck_assert(strncmp(buf_text(&out), "sandboxctl ", 11) == 0);
	for (size_t i = 0; i < command_count; i++)
		ck_assert_ptr_nonnull(strstr(buf_text(&out), commands[i].sentence));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ctl_help");
	TCase *t = tcase_create("help");
	SRunner *sr = srunner_create(s);

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, the_manual_is_up_to_date);
	tcase_add_test(t, the_completion_is_up_to_date);
	tcase_add_test(t, bash_completes);
	tcase_add_test(t, every_help_begins_with_an_example);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
