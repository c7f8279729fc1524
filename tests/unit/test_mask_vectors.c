/* SPDX-License-Identifier: Apache-2.0
 * Masking by example: the vectors of the domain notes, and every way an address hides in a cell. */
#include "handlers/masking/masking.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

struct vector {
	const char *table, *column;
	size_t width;
	const char *in, *out; /* out NULL: unchanged; "": blank */
};

/* Which class a column has: address, list, text, json, header, ids, name, url, domain, blank. */
#define ADDRESS "ejuser", "email", 0
#define LIST    "ticket", "from_address", 0
#define TEXT    "text", "text", 0
#define JSON    "form", "config", 0
#define HEADER  "ej_message", "email_header", 0
#define IDS     "ej_message", "message_id", 0
#define NAME    "contact", "name", 0
#define LINK    "URL", "url_address", 0

static const struct vector domain_notes[] = {
	{ ADDRESS, "john.doe@company.com", "john.doe_company.com@sandbox.example" },
	{ ADDRESS, "John.Doe@Company.COM", "John.Doe_Company.COM@sandbox.example" },
	{ ADDRESS, "a_b@c.org", "a_b_c.org@sandbox.example" },
	{ ADDRESS, "x+tag@mail.c.org", "x+tag_mail.c.org@sandbox.example" },
	{ ADDRESS, "john.doe_company.com@sandbox.example", NULL },
	{ ADDRESS, "John.Doe_Company.COM@SANDBOX.Example", NULL },
	{ ADDRESS, "", NULL },
	{ "Email", "email_address", 239, "skype:live.jd", NULL },
	{ LIST, "\"J. Doe\" <j@c.org>; k@d.org",
	  "\"J. Doe\" <j_c.org@sandbox.example>; k_d.org@sandbox.example" },
	{ ADDRESS, "\"odd name\"@c.org", "odd_name_c.org~317edfb1@sandbox.example" },
	{ ADDRESS, "jens@bl\xc3\xa5" "b\xc3\xa6r.no", "jens_bl\xc3\xa5" "b\xc3\xa6r.no@sandbox.example" },
	{ LINK, "mailto:a@b.no?cc=c@d.no", "mailto:a_b.no@sandbox.example?cc=c_d.no@sandbox.example" },
	{ ADDRESS, "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff@very.long.host.company.example.org",
	  "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeefffff~031271d4@sandbox.example" },
	{ "person", "x_mail", 39, "somebody.long@company.com", "somebody.long_~ba00b87b@sandbox.example" },
	{ ADDRESS, "not an address", NULL },
	{ IDS, "<CAF123@mail.c.org>", NULL },
	{ ADDRESS, "Test.User@Company.com", NULL }, /* on the keep list */
};

static const struct vector shapes[] = {
	/* around the address */
	{ ADDRESS, "  j@c.org\t ", "  j_c.org@sandbox.example  " },
	{ ADDRESS, "SMTP:j@c.org", "SMTP:j_c.org@sandbox.example" },
	{ ADDRESS, "/O=ORG/OU=X/CN=JDOE", NULL },
	{ TEXT, "IMCEAEX-_O=ORG_CN=JDOE@c.org", "IMCEAEX-_O=ORG_CN=JDOE_c.org@sandbox.example" },
	{ TEXT, "Write to j@c.org.", "Write to j_c.org@sandbox.example." },
	{ TEXT, "j@c.org, k@d.org; l@e.org\nm@f.org", "j_c.org@sandbox.example, k_d.org@sandbox.example; "
	  "l_e.org@sandbox.example\nm_f.org@sandbox.example" },
	{ TEXT, "(j@c.org) [j@c.org] {j@c.org} 'j@c.org'",
	  "(j_c.org@sandbox.example) [j_c.org@sandbox.example] {j_c.org@sandbox.example} 'j_c.org@sandbox.example'" },
	{ TEXT, "\xe2\x80\x9cj@c.org\xe2\x80\x9d \xc2\xabk@d.org\xc2\xbb",
	  "\xe2\x80\x9cj_c.org@sandbox.example\xe2\x80\x9d \xc2\xabk_d.org@sandbox.example\xc2\xbb" },
	{ TEXT, "john@company.com-urgent", "john_company.com-urgent@sandbox.example" },
	{ TEXT, "*_j@c.org_* j@c.org-", "*_j_c.org@sandbox.example_* j_c.org@sandbox.example-" },
	{ TEXT, "o'brien@c.org", "o'brien_c.org@sandbox.example" },
	/* HTML, URL, JSON */
	{ TEXT, "<a href=\"mailto:j@c.org\">j&#64;c.org</a>",
	  "<a href=\"mailto:j_c.org@sandbox.example\">j_c.org&#64;sandbox.example</a>" },
	{ TEXT, "&lt;j@c.org&gt;", "&lt;j_c.org@sandbox.example&gt;" },
	{ LINK, "https://x.org/u?e=j.d%40c.org&f=1", "https://x.org/u?e=j.d_c.org%40sandbox.example&f=1" },
	{ LINK, "https://x.org/?u=https%3A%2F%2Fy.org%3Fe%3Dj%2540c.org",
	  "https://x.org/?u=https%3A%2F%2Fy.org%3Fe%3Dj_c.org%2540sandbox.example" },
	{ JSON, "{\"to\":[\"j@c.org\",\"k\\u0040d.org\"]}",
	  "{\"to\":[\"j_c.org@sandbox.example\",\"k_d.org\\u0040sandbox.example\"]}" },
	{ JSON, "{\"a\":\"line\\nj@c.org\"}", "{\"a\":\"line\\nj_c.org@sandbox.example\"}" },
	{ JSON, "{\"a\":\"line\\ntest.user@company.com\"}", NULL },
	{ JSON, "{\"domain\":\"@company.com\",\"x\":[\"@c.org\"]}", NULL },
	{ JSON, "{\"a\":\"\\\"odd name\\\"@c.org\"}", "{\"a\":\"odd_name_c.org~317edfb1@sandbox.example\"}" },
	/* glued and hostile */
	{ TEXT, "a@b.no@c.org", "a_b.no_c.org~e757bbd1@sandbox.example" },
	{ TEXT, "@user@c.org", "@user_c.org@sandbox.example" },
	{ TEXT, "\"a@b\"@c.org", "\"a@b\"_c.org@sandbox.example" },
	{ ADDRESS, "\"a@b\"@c.org", "a_b_c.org~98205851@sandbox.example" },
	{ TEXT, "\"a@b.no\"@c.org", "\"a_b.no@sandbox.example\"_c.org@sandbox.example" },
	{ TEXT, "john(work)@c.org", "john(work)_c.org@sandbox.example" },
	{ TEXT, "root@[192.0.2.1]", "root__192.0.2.1_~7afef846@sandbox.example" },
	{ ADDRESS, "a@b_c.com", "a_b_c.com~1663dd4d@sandbox.example" },
	{ ADDRESS, "a..b@c.org", "a._b_c.org~46de57a5@sandbox.example" },
	{ ADDRESS, "a!b/c@d.org", "a!b/c_d.org@sandbox.example" },
	{ ADDRESS, "a@b.com\r\nBcc:x@y.com", "a_b.com@sandbox.example  Bcc:x_y.com@sandbox.example" },
	{ ADDRESS, "j@sandbox.example\r\nBcc:", "j@sandbox.example  Bcc:" },
	{ ADDRESS, "j@sandbox.example.evil.org", "j_sandbox.example.evil.org@sandbox.example" },
	{ ADDRESS, "j@notsandbox.example", "j_notsandbox.example@sandbox.example" },
	/* what is no address */
	{ TEXT, "logo@2x.png and cid:image001.png@01D7F2A3.ABCD6D70", NULL },
	{ TEXT, "john@company.com.pdf", "john_company.com@sandbox.example.pdf" },
	{ TEXT, "pkg@1.2.3 user@host a@b @ twitter @handle x@", NULL },
	{ TEXT, "like '%@company.com' or *@company.com", NULL },
	{ "company_domain", "domain_name", 255, "company.com", NULL },
	{ "config", "smtp_host", 255, "smtp.company.com", NULL },
	{ "cust_config", "config", 0, "from=j@c.org host=c.org", "from=j_c.org@sandbox.example host=c.org" },
	/* other classes */
	{ NAME, "Company", NULL },
	{ NAME, "j@c.org", "j_c.org@sandbox.example" },
	{ "phone", "x", 0, "+47 22 00 00 00", NULL },
	{ "ejuser", "sms", 64, "+4722000000", NULL },
	{ "associate", "userName", 254, "test.user@company.com", NULL },
	{ "associate", "userName", 254, "other@company.com", "other_company.com@sandbox.example" },
	{ "Email", "lastBounceReason", 4000, "550 <j@c.org> unknown", "" },
	{ "appointment", "join_videomeet_url", 2000, "https://meet.example/1", "" },
	{ "ejscript", "body", 0, "mail(\"j@c.org\");", "mail(\"j_c.org@sandbox.example\");" },
	{ "BinaryObject", "binaryData", 0, "j@c.org", NULL },
	{ "freetextwords", "word", 0, "j@c.org", "j_c.org@sandbox.example" },
	/* ids */
	{ IDS, "<a1@c.org> <b2@d.org>", NULL },
	{ IDS, "7kukuqrfedlm2f9t0n8n1v2q4k@google.com", NULL },
	{ IDS, "john.doe@company.com", "john.doe_company.com@sandbox.example" },
	{ IDS, "John <john.doe@company.com>", "John <john.doe_company.com@sandbox.example>" },
	{ HEADER, "To: J <j@c.org>\r\nMessage-ID: <1@c.org>\r\nReferences: <2@c.org>\r\n <3@c.org>\r\nCc: k@d.org\r\n",
	  "To: J <j_c.org@sandbox.example>\r\nMessage-ID: <1@c.org>\r\nReferences: <2@c.org>\r\n <3@c.org>\r\n"
	  "Cc: k_d.org@sandbox.example\r\n" },
	{ HEADER, "Message-ID: j@c.org\n\nReferences: <4@c.org>\n",
	  "Message-ID: j_c.org@sandbox.example\n\nReferences: <4_c.org@sandbox.example>\n" },
};

static struct mask_policy *policy;
static struct buf out;

static void setup(void)
{
	static const char *const keep[] = { "test.user@company.com" };
	const struct mask_choices choices = { .domain = "sandbox.example", .keep = keep, .keep_count = 1 };
	struct err e = { .class = ERR_NONE };

	policy = mask_policy_new(&choices, &e);
	ck_assert_msg(policy != NULL, "%s", e.text);
	buf_init(&out, 1 << 20);
}

static void teardown(void)
{
	buf_done(&out);
	mask_policy_free(&policy);
	ck_assert_ptr_null(policy);
}

static void check_vector(const struct vector *v)
{
	const char *expected = v->out ? v->out : v->in;
	enum mask_result result, wanted = !v->out ? MASK_SAME : *v->out ? MASK_CHANGED : MASK_BLANK;
	struct mask_counts counts = { .addresses = 0 };
	struct scan_counts left = { .cells = 0 };
	const char *got;

	result = mask_cell(policy, v->table, v->column, v->width, v->in, strlen(v->in), &out, &counts);
	got = result == MASK_SAME ? v->in : result == MASK_BLANK ? "" : buf_text(&out);
	ck_assert_msg(strcmp(got, expected) == 0, "%s.%s: [%s] became [%s], not [%s]", v->table, v->column, v->in, got,
	              expected);
	ck_assert_msg(result == wanted, "%s.%s: [%s] gave result %d", v->table, v->column, v->in, (int)result);
	scan_cell(policy, v->table, v->column, got, strlen(got), &left);
	ck_assert_msg(left.left == 0, "the proof finds something in [%s]", got);
	result = mask_cell(policy, v->table, v->column, v->width, expected, strlen(expected), &out, &counts);
	ck_assert_msg(result == MASK_SAME, "a second time: [%s] became [%s]", expected, buf_text(&out));
}

START_TEST(test_domain_notes)
{
	check_vector(&domain_notes[_i]);
}
END_TEST

START_TEST(test_shapes)
{
	check_vector(&shapes[_i]);
}
END_TEST

/* The proof must see what masking is for, not only find nothing afterwards. */
START_TEST(test_scan_finds_the_raw)
{
	const struct vector *v = &shapes[_i];
	struct scan_counts found = { .cells = 0 };

	scan_cell(policy, v->table, v->column, v->in, strlen(v->in), &found);
	if (v->out && *v->out && strcmp(v->in, "j@sandbox.example\r\nBcc:") != 0) {
		ck_assert_msg(found.left > 0, "the proof does not see [%s]", v->in);
		ck_assert_str_eq(found.first_table, v->table);
		ck_assert_str_eq(found.first_column, v->column);
	} else if (!v->out) {
		ck_assert_msg(found.left == 0, "the proof sees something in [%s]", v->in);
	}
	ck_assert_int_eq(found.cells, 1);
	ck_assert_int_eq(found.bytes, (int64_t)strlen(v->in));
}
END_TEST

static enum mask_result count_one(const char *table, const char *column, size_t width, const char *in,
                                  struct mask_counts *counts)
{
	return mask_cell(policy, table, column, width, in, strlen(in), &out, counts);
}

START_TEST(test_counts)
{
	struct mask_counts c = { .addresses = 0 };

	count_one("ticket", "from_address", 0, "a@b.no, x@sandbox.example, test.user@company.com, a@b_c.no", &c);
	ck_assert_int_eq(c.addresses, 2);
	ck_assert_int_eq(c.already, 1);
	ck_assert_int_eq(c.kept, 1);
	ck_assert_int_eq(c.shortened, 1);
	count_one("ejuser", "email", 0, "nobody", &c);
	count_one("contact", "name", 0, "nobody", &c);
	count_one("ejuser", "email", 0, "   ", &c);
	ck_assert_int_eq(c.odd, 1);
	count_one("Email", "lastBounceReason", 0, "x", &c);
	count_one("Email", "lastBounceReason", 0, "", &c);
	ck_assert_int_eq(c.blanked, 1);
	count_one("nobody", "knows", 0, "a@b.no c@d.no", &c);
	ck_assert_int_eq(c.unknown_cells, 2);
	count_one("ticket", "x_field", 0, "a@b.no", &c);
	count_one("y_table", "field", 0, "a@b.no", &c);
	ck_assert_int_eq(c.unknown_cells, 2);
	ck_assert_int_eq(c.addresses, 6);
}
END_TEST

START_TEST(test_mask_address)
{
	struct mask_counts c = { .addresses = 0 };

	ck_assert_int_eq(mask_address(policy, "j@c.org", 7, 0, &out, &c), MASK_CHANGED);
	ck_assert_str_eq(buf_text(&out), "j_c.org@sandbox.example");
	ck_assert_int_eq(mask_address(policy, "jane@c.org", 10, 25, &out, &c), MASK_CHANGED);
	ck_assert_uint_eq(out.len, 25);
	ck_assert_int_eq(mask_address(policy, "jane@c.org", 10, 24, &out, &c), MASK_BLANK);
	ck_assert_int_eq(mask_address(policy, "j@c.org;k@d.org", 15, 0, &out, &c), MASK_SAME);
	ck_assert_int_eq(mask_address(policy, "j@c.org\0k", 9, 0, &out, &c), MASK_SAME);
	ck_assert_int_eq(mask_address(policy, "j@c.org\r\n", 9, 0, &out, &c), MASK_SAME);
	ck_assert_int_eq(mask_address(policy, "j@SANDBOX.example", 17, 0, &out, &c), MASK_SAME);
	ck_assert_int_eq(mask_address(policy, "TEST.user@company.com", 21, 0, &out, &c), MASK_SAME);
	ck_assert_int_eq(mask_address(policy, "", 0, 0, &out, &c), MASK_SAME);
	ck_assert_int_eq(c.addresses, 2);
	ck_assert_int_eq(c.shortened, 1);
	ck_assert_int_eq(c.blanked, 1);
	ck_assert_int_eq(c.odd, 3);
	ck_assert_int_eq(c.already, 1);
	ck_assert_int_eq(c.kept, 1);
}
END_TEST

/* A mask domain that is a real one: what is there already stays and is counted (domain 3.4). */
START_TEST(test_real_address_at_the_mask_domain)
{
	const struct mask_choices choices = { .domain = "MailinAtor.com", .keep = NULL, .keep_count = 0 };
	struct mask_counts c = { .addresses = 0 };
	struct err e = { .class = ERR_NONE };
	struct mask_policy *p = mask_policy_new(&choices, &e);

	ck_assert_ptr_nonnull(p);
	ck_assert_int_eq(mask_address(p, "qa@mailinator.com", 17, 0, &out, &c), MASK_SAME);
	ck_assert_int_eq(c.already, 1);
	ck_assert_int_eq(mask_address(p, "john.doe@company.com", 20, 0, &out, &c), MASK_CHANGED);
	ck_assert_str_eq(buf_text(&out), "john.doe_company.com@mailinator.com");
	mask_policy_free(&p);
}
END_TEST

START_TEST(test_buffer_too_small_leaks_nothing)
{
	struct mask_counts c = { .addresses = 0 };
	struct buf small;

	buf_init(&small, 30);
	ck_assert_int_eq(mask_cell(policy, "text", "text", 0, "some words and j@c.org", 22, &small, &c), MASK_BLANK);
	ck_assert(small.failed);
	ck_assert_str_eq(buf_text(&small), "");
	buf_done(&small);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mask_vectors");
	TCase *tc = tcase_create("cells");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, test_domain_notes, 0, (int)(sizeof domain_notes / sizeof *domain_notes));
	tcase_add_loop_test(tc, test_shapes, 0, (int)(sizeof shapes / sizeof *shapes));
	tcase_add_loop_test(tc, test_scan_finds_the_raw, 0, (int)(sizeof shapes / sizeof *shapes));
	tcase_add_test(tc, test_counts);
	tcase_add_test(tc, test_mask_address);
	tcase_add_test(tc, test_real_address_at_the_mask_domain);
	tcase_add_test(tc, test_buffer_too_small_leaks_nothing);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
