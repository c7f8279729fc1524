/* SPDX-License-Identifier: Apache-2.0
 * Mask domains, the keep list, public inboxes, and the list of columns. */
#include "handlers/masking/masking_priv.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char *const legal[] = {
	"mailinator.com", "sandbox.example", "Sandbox.Example", "x.invalid", "a-b.c-d.no", "1.2.no", "xn--bl-xja.no", "a.xn--p1ai",
};

START_TEST(test_legal_domain)
{
	struct err e = { .class = ERR_NONE };

	ck_assert_msg(mask_domain_check(legal[_i], &e), "%s: %s", legal[_i], e.text);
	ck_assert_int_eq(e.class, ERR_NONE);
}
END_TEST

static const char *const illegal[] = {
	"", "com", "evil.com>", "a@b.no", "a..no", ".a.no", "a.no.", "-a.no", "a-.no", "a b.no", "a_b.no", "bl\xc3\xa5.no",
	"1.2.3.4", "a.1", "a.n", "a.c2", "a.no\n", "a.no;b.no", "a.no,b.no", "a.html", "a/b.no", "a%40b.no", "[1.2.3.4]",
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.no", "mail.\xd1\x80\xd1\x84",
};

START_TEST(test_illegal_domain)
{
	struct mask_choices choices = { .domain = illegal[_i], .keep = NULL, .keep_count = 0 };
	struct err e = { .class = ERR_NONE };

	ck_assert_msg(!mask_domain_check(illegal[_i], &e), "[%s] was taken", illegal[_i]);
	ck_assert_int_eq(e.class, ERR_REFUSED);
	ck_assert_uint_gt(strlen(e.text), 20);
	err_clear(&e);
	ck_assert_ptr_null(mask_policy_new(&choices, &e));
	ck_assert_int_eq(e.class, ERR_REFUSED);
}
END_TEST

START_TEST(test_domain_lengths)
{
	struct err e = { .class = ERR_NONE };
	char domain[300];

	ck_assert(!mask_domain_check(NULL, &e));
	for (size_t len = 150; len < 299; len++) {
		err_clear(&e);
		for (size_t i = 0; i < len; i++)
			domain[i] = i % 40 == 39 && len - i > 3 ? '.' : 'a';
		domain[len] = '\0';
		ck_assert_int_eq(mask_domain_check(domain, &e), len <= 190);
	}
}
END_TEST

START_TEST(test_public_inboxes)
{
	ck_assert(mask_domain_is_public("mailinator.com"));
	ck_assert(mask_domain_is_public("Mailinator.COM"));
	ck_assert(mask_domain_is_public("team.mailinator.com"));
	ck_assert(mask_domain_is_public("yopmail.com"));
	ck_assert(!mask_domain_is_public("notmailinator.com"));
	ck_assert(!mask_domain_is_public("mailinator.com.example"));
	ck_assert(!mask_domain_is_public("sandbox.invalid"));
}
END_TEST

static bool stays(const struct mask_policy *p, const char *text)
{
	struct mask_counts counts = { .addresses = 0 };
	struct scan_counts scan = { .cells = 0 };
	enum mask_result result;
	struct buf out;

	buf_init(&out, 4096);
	result = mask_cell(p, "text", "text", 0, text, strlen(text), &out, &counts);
	buf_done(&out);
	scan_cell(p, "text", "text", text, strlen(text), &scan);
	ck_assert_msg((result == MASK_SAME) == (scan.left == 0), "masking and proof do not agree on [%s]", text);
	return result == MASK_SAME;
}

START_TEST(test_keep_list)
{
	char first[] = "Tester@Company.example";
	const char *const keep[] = { first, "o'neil@c.org", "x@y.no" };
	const struct mask_choices choices = { .domain = "d.example", .keep = keep, .keep_count = 3 };
	struct err e = { .class = ERR_NONE };
	struct mask_policy *p = mask_policy_new(&choices, &e);

	ck_assert_msg(p != NULL, "%s", e.text);
	memset(first, 'z', sizeof first - 1); /* the policy must have its own copy */
	ck_assert(stays(p, "to TESTER@company.EXAMPLE."));
	ck_assert(stays(p, "<tester@company.example>, x@y.no"));
	ck_assert(stays(p, "o'neil@c.org"));
	ck_assert(stays(p, "..tester@company.example"));
	ck_assert(stays(p, "tester%40company.example"));
	ck_assert(!stays(p, "atester@company.example"));
	ck_assert(!stays(p, "a.tester@company.example"));
	ck_assert(!stays(p, "tester@company.example.org"));
	ck_assert(!stays(p, "tester@mail.company.example"));
	ck_assert(!stays(p, "neil@c.org"));
	ck_assert(!stays(p, "zzzzzz@zzzzzzz.zzzzzzz"));
	mask_policy_free(&p);
	mask_policy_free(&p);
}
END_TEST

/* Sign-in names come in this list too; a domain or a pattern must never keep a whole company. */
START_TEST(test_keep_list_of_other_things)
{
	static const char *const keep[] = { "admin", "company.example", "@company.example", "", "a@b", "*@company.example",
	                                    "a@b.no,c@d.no", "a@company.example\n" };
	const struct mask_choices choices = { .domain = "d.example", .keep = keep, .keep_count = sizeof keep / sizeof *keep };
	struct err e = { .class = ERR_NONE };
	struct mask_policy *p = mask_policy_new(&choices, &e);

	ck_assert_msg(p != NULL, "%s", e.text);
	ck_assert(!stays(p, "a@company.example"));
	ck_assert(!stays(p, "a@b.no"));
	ck_assert(!stays(p, "c@d.no"));
	ck_assert(stays(p, "admin"));
	mask_policy_free(&p);
}
END_TEST

/* ---- the list of columns ---- */
static enum mask_class class_of(const struct mask_policy *p, const char *table, const char *column)
{
	return mask_columns_find(p->columns, table, column).class;
}

START_TEST(test_classes_of_the_real_list)
{
	const struct mask_choices choices = { .domain = "d.example", .keep = NULL, .keep_count = 0 };
	struct err e = { .class = ERR_NONE };
	struct mask_policy *p = mask_policy_new(&choices, &e);

	ck_assert_msg(p != NULL, "%s", e.text);
	ck_assert_int_eq(class_of(p, "Email", "email_address"), MASK_CLASS_ADDRESS);
	ck_assert_int_eq(class_of(p, "EMAIL", "EMAIL_Address"), MASK_CLASS_ADDRESS);
	ck_assert_int_eq(class_of(p, "ticket", "from_address"), MASK_CLASS_LIST);
	ck_assert_int_eq(class_of(p, "appointment", "external_participants"), MASK_CLASS_LIST);
	ck_assert_int_eq(class_of(p, "ticket_alert", "sms_to"), MASK_CLASS_NAME);
	ck_assert_int_eq(class_of(p, "associate", "userName"), MASK_CLASS_NAME);
	ck_assert_int_eq(class_of(p, "ej_message", "email_header"), MASK_CLASS_HEADER);
	ck_assert_int_eq(class_of(p, "message_id", "message_id"), MASK_CLASS_MESSAGE_ID);
	ck_assert_int_eq(class_of(p, "ejscript", "body"), MASK_CLASS_TEXT);
	ck_assert_int_eq(class_of(p, "BinaryObject", "binaryData"), MASK_CLASS_BLOB);
	ck_assert_int_eq(class_of(p, "ticket", "x_anything"), MASK_CLASS_TEXT);
	ck_assert_int_eq(class_of(p, "Y_car", "owner"), MASK_CLASS_TEXT);
	ck_assert_int_eq(class_of(p, "partner", "owner"), MASK_CLASS_UNKNOWN);
	ck_assert_int_eq(class_of(p, "", ""), MASK_CLASS_UNKNOWN);
	ck_assert(mask_columns_find(p->columns, "email", "lastbouncereason").blank);
	ck_assert(!mask_columns_find(p->columns, "email", "description").blank);
	mask_policy_free(&p);
}
END_TEST

#define HEAD "table,column,sqltype,what\n"

static const char *const broken_lists[] = {
	"",
	"table,column,what\n",
	HEAD "a,b,c\n",
	HEAD "a,b,c,freetext: x",
	HEAD "a,b,c,freetext: x,y\n",
	HEAD "a,b,c,\"freetext: x\n",
	HEAD "a,b,c,\"freetext\"x\n",
	HEAD "a,b,c,free\"text\n",
	HEAD "a,b,c,nonsense: x\n",
	HEAD "a,b,c,\n",
	HEAD ",b,c,freetext\n",
	HEAD "a,,c,freetext\n",
	HEAD "a,b,c,freetext\nA,B,c,freetext\n",
	HEAD "a,b,c,freetext\r\n",
	HEAD "\n",
};

START_TEST(test_broken_list)
{
	struct err e = { .class = ERR_NONE };

	ck_assert_msg(mask_columns_new(broken_lists[_i], strlen(broken_lists[_i]), &e) == NULL, "taken: %s", broken_lists[_i]);
	ck_assert_int_eq(e.class, ERR_BUG);
	ck_assert_ptr_nonnull(strstr(e.text, "line"));
}
END_TEST

START_TEST(test_small_list)
{
	static const char list[] = HEAD "a,b,c,\"address: \"\"x\"\", blank it\"\n*,x_*,c,dynamic\ny_*,*,c,dynamic\n*,*,c,dynamic\n";
	struct err e = { .class = ERR_NONE };
	struct mask_columns *c = mask_columns_new(list, strlen(list), &e);

	ck_assert_msg(c != NULL, "%s", e.text);
	ck_assert_int_eq(mask_columns_find(c, "A", "B").class, MASK_CLASS_ADDRESS);
	ck_assert(mask_columns_find(c, "a", "b").blank);
	ck_assert_int_eq(mask_columns_find(c, "a", "x_b").class, MASK_CLASS_TEXT);
	ck_assert_int_eq(mask_columns_find(c, "a", "xb").class, MASK_CLASS_UNKNOWN);
	ck_assert_int_eq(mask_columns_find(c, "y_a", "b").class, MASK_CLASS_TEXT);
	mask_columns_free(&c);
	mask_columns_free(&c);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mask_policy");
	TCase *tc = tcase_create("policy");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_loop_test(tc, test_legal_domain, 0, (int)(sizeof legal / sizeof *legal));
	tcase_add_loop_test(tc, test_illegal_domain, 0, (int)(sizeof illegal / sizeof *illegal));
	tcase_add_test(tc, test_domain_lengths);
	tcase_add_test(tc, test_public_inboxes);
	tcase_add_test(tc, test_keep_list);
	tcase_add_test(tc, test_keep_list_of_other_things);
	tcase_add_test(tc, test_classes_of_the_real_list);
	tcase_add_loop_test(tc, test_broken_list, 0, (int)(sizeof broken_lists / sizeof *broken_lists));
	tcase_add_test(tc, test_small_list);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
