/* SPDX-License-Identifier: Apache-2.0
 * Masking that hides names, by example. The digits were made with Python's hmac module by the rule in docs/masking.md. */
#include "tests/unit/mask_hash.h"

#include <check.h>
#include <stdlib.h>

#define D     "@sandbox.example"
#define JOHN  "mb31807143c4c835bad0b8467a0" /* john.doe@company.com */
#define J     "mf6500c246360fc4bb480ce4c64" /* j@c.org */
#define K     "m7fcaef1bdd17316d88876bde85" /* k@d.org */
#define A     "m66798ca34433d06c5565235664" /* a@b.no */
#define C     "m629af12750c6103962b381dc3a" /* c@d.no */
#define SOME  "6f3487d4a24e40b0c76f0ba37c"  /* somebody@company.com */
#define ODD   "m2e82127131bf74a605897918a6" /* "odd name"@c.org */
#define NEIL  "md2640758e20dcfe69abff20de6" /* o'neil@b.no */
#define BERRY "md7a8d11babf15b1fe3401af111" /* jens@blåbær.no */

struct vector {
	const char *table, *column;
	size_t width;
	const char *in, *out; /* out NULL: unchanged; "": blank */
};

#define ADDRESS "ejuser", "email", 0
#define LIST    "ticket", "from_address", 0
#define TEXT    "text", "text", 0
#define JSON    "form", "config", 0
#define HEADER  "ej_message", "email_header", 0
#define IDS     "ej_message", "message_id", 0
#define LINK    "URL", "url_address", 0

static const struct vector vectors[] = {
	{ ADDRESS, "john.doe@company.com", JOHN D },
	{ ADDRESS, "John.Doe@Company.COM", JOHN D },
	{ ADDRESS, "a_b@c.org", "mf256c2cde79d42bd2181b9ca91" D },
	{ ADDRESS, "x+tag@mail.c.org", "m02a03b1247a494200616c64a1a" D },
	{ ADDRESS, "\"odd name\"@c.org", ODD D },
	{ ADDRESS, "a!b/c@d.org", "m266fe7066bed39c1d073db098b" D },
	{ ADDRESS, "person@[192.0.2.1]", "m3e3a1d6e3f9f42508073f92e8c" D },
	{ ADDRESS, "jens@bl\xc3\xa5" "b\xc3\xa6r.no", BERRY D },
	{ ADDRESS, "", NULL },
	{ ADDRESS, "not an address", NULL },
	{ ADDRESS, "Test.User@Company.com", NULL }, /* on the keep list */
	{ "Email", "email_address", 239, "skype:live.jd", NULL },
	{ LIST, "\"J. Doe\" <j@c.org>; K@D.org", "\"J. Doe\" <" J D ">; " K D },
	{ TEXT, "Write to J@c.org.", "Write to " J D "." },
	{ TEXT, "o'neil@b.no and 'j@c.org'", NEIL D " and '" J D "'" },
	{ TEXT, "a@b.no@c.org", "m04875c57134f3d27806ffcfc22" D },
	{ TEXT, "mail \"odd name\"@c.org", "mail " ODD D },
	{ TEXT, "c:\\j@c.org \\nj@c.org", "c:\\" J D " \\n" J D },
	{ JSON, "{\"to\":\"j\\u0040c.org\",\"text\":\"x\\nk@d.org\"}", "{\"to\":\"" J "\\u0040sandbox.example\",\"text\":\"x\\n" K D "\"}" },
	{ JSON, "\\\"odd name\\\"@c.org", ODD D },
	/* in URLs: the escape before a name is not a part of it */
	{ LINK, "mailto:a@b.no?cc=c@d.no", "mailto:" A D "?cc=" C D },
	{ LINK, "mailto:a@b.no%2Cc@d.no", "mailto:" A D "%2C" C D },
	{ LINK, "?to=a%40b.no%2cc%40d.no%20%252Cj%2540c.org", "?to=" A "%40sandbox.example%2c" C "%40sandbox.example%20%252C" J
	  "%2540sandbox.example" },
	/* glued together */
	{ LINK, "?to=a@b.no+c@d.no", "?to=" A D "~629af12750c6103962b381dc3" D },
	{ TEXT, "a@b.no~c@d.no", A D "~629af12750c6103962b381dc3" D },
	/* at the mask domain before: only a hash stays */
	{ ADDRESS, JOHN D, NULL },
	{ ADDRESS, JOHN "@SANDBOX.Example", NULL },
	{ ADDRESS, "~" SOME D, "mc31e7d5dac68936cc0319af6b1" D }, /* one digit too many */
	{ ADDRESS, "~6f3487d4" D, NULL },
	{ ADDRESS, "john.doe_company.com" D, "m9e206c33c8ca4c8a74ed2b7e25" D },
	{ ADDRESS, "JOHN" D, "m0ed9718a7a1a8e798f99fabf33" D },
	{ TEXT, "see john" D ", " JOHN D, "see m0ed9718a7a1a8e798f99fabf33" D ", " JOHN D },
	/* ids */
	{ IDS, "<CAF123@mail.c.org>", NULL },
	{ IDS, "<CAF123@sandbox.example>", NULL },
	{ IDS, "j@c.org", J D },
	{ HEADER, "From: j@c.org\nMessage-ID: <1@c.org>\nTo: k@d.org\n", "From: " J D "\nMessage-ID: <1@c.org>\nTo: " K D "\n" },
	/* narrow columns: as many digits as fit, at least eight */
	{ "person", "x_mail", 43, "somebody@company.com", "m" SOME D },
	{ "person", "x_mail", 42, "somebody@company.com", "~6f3487d4a24e40b0c76f0ba37" D },
	{ "person", "x_mail", 39, "somebody@company.com", "~6f3487d4a24e40b0c76f0b" D },
	{ "person", "x_mail", 25, "Somebody@company.com", "~6f3487d4" D },
	{ "person", "x_mail", 24, "somebody@company.com", "" },
	{ "person", "x_mail", 60, "j@c.org, k@d.org", "~f6500c246360" D ", ~7fcaef1bdd17" D },
};

static struct mask_policy *policy;
static struct buf out;
static int calls_left;

static void setup(void)
{
	static const char *const keep[] = { "test.user@company.com", "postmaster@sandbox.example" };
	const struct mask_choices choices = { .domain = "sandbox.example", .keep = keep, .keep_count = 2,
	                                      .hash = mask_test_hash, .hash_arg = &calls_left };
	struct err e = { .class = ERR_NONE };

	policy = mask_policy_new(&choices, &e);
	ck_assert_msg(policy != NULL, "%s", e.text);
	buf_init(&out, 1 << 20);
	calls_left = -1;
}

static void teardown(void)
{
	buf_done(&out);
	mask_policy_free(&policy);
}

static int64_t left_in(const char *table, const char *column, const char *text)
{
	struct scan_counts counts = { .cells = 0 };

	scan_cell(policy, table, column, text, strlen(text), &counts);
	return counts.left;
}

START_TEST(test_vectors)
{
	const struct vector *v = &vectors[_i];
	struct mask_counts counts = { .addresses = 0 };
	enum mask_result result = mask_cell(policy, v->table, v->column, v->width, v->in, strlen(v->in), &out, &counts);
	const char *got = result == MASK_SAME ? v->in : result == MASK_BLANK ? "" : buf_text(&out);
	char *copy = strdup(got);

	ck_assert_ptr_nonnull(copy);
	ck_assert_msg(strcmp(got, v->out ? v->out : v->in) == 0, "[%s] became [%s], not [%s]", v->in, got, v->out);
	ck_assert_int_eq(result, !v->out ? MASK_SAME : *v->out ? MASK_CHANGED : MASK_BLANK);
	ck_assert_msg(left_in(v->table, v->column, got) == 0, "the proof finds something in [%s]", got);
	ck_assert_msg((left_in(v->table, v->column, v->in) > 0) == (v->out != NULL), "the proof misjudges [%s]", v->in);
	ck_assert_int_eq(mask_cell(policy, v->table, v->column, v->width, copy, strlen(copy), &out, &counts), MASK_SAME);
	free(copy);
}
END_TEST

/* The proof counts what is at the mask domain under a name. */
START_TEST(test_proof_of_the_form)
{
	static const char *const bad[] = {
		"john" D, "john.doe_company.com" D, "M" SOME D, "x" JOHN D, "x.~6f3487d4" D, "~6f3487d" D, "john~6f3487d4" D, JOHN "0" D,
		"m6F3487D4A24E40B0C76F0BA37C" D, "john%40sandbox.example", "john+" JOHN D, JOHN D " john" D, "john@" JOHN D,
	};
	static const char *const good[] = {
		JOHN D, "~6f3487d4" D, "<" JOHN D ">", "..." JOHN D, "\\n" JOHN D, "\\u003c" JOHN D, "%2C" JOHN D, "'" JOHN D "'",
		JOHN "%40SANDBOX.example", JOHN D "~6f3487d4" D, "PostMaster" D, "see Test.User@company.com", "@" JOHN D,
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_msg(left_in("text", "text", bad[i]) == 1, "the proof does not count [%s]", bad[i]);
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		ck_assert_msg(left_in("text", "text", good[i]) == 0, "the proof counts [%s]", good[i]);
}
END_TEST

START_TEST(test_counts)
{
	struct mask_counts counts = { .addresses = 0 };
	const char *text = "j@c.org, " JOHN D ", john" D ", postmaster" D;

	ck_assert_int_eq(mask_cell(policy, "text", "text", 0, text, strlen(text), &out, &counts), MASK_CHANGED);
	ck_assert_int_eq(counts.addresses, 2);
	ck_assert_int_eq(counts.already, 1);
	ck_assert_int_eq(counts.kept, 1);
	ck_assert_int_eq(counts.shortened, 0);
	ck_assert_int_eq(mask_address(policy, "k@d.org", 7, 30, &out, &counts), MASK_CHANGED);
	ck_assert_str_eq(buf_text(&out), "~7fcaef1bdd173" D);
	ck_assert_int_eq(counts.shortened, 1);
	ck_assert_int_eq(mask_address(policy, "k@d.org", 7, 24, &out, &counts), MASK_BLANK);
	ck_assert(!out.failed);
	ck_assert_int_eq(counts.blanked, 1);
}
END_TEST

/* Longer than any address: hashed in parts, whole, and linked to each other. */
START_TEST(test_long_names)
{
	struct mask_counts counts = { .addresses = 0 };
	char text[1024], twin[1024];

	memset(text, 'x', 600);
	strcpy(text + 600, "@c.org");
	ck_assert_int_eq(mask_cell(policy, "text", "text", 0, text, strlen(text), &out, &counts), MASK_CHANGED);
	ck_assert_str_eq(buf_text(&out), "m2881fbb7f48fcc3bdeed3ded34" D);
	text[0] = 'y';
	ck_assert_int_eq(mask_cell(policy, "text", "text", 0, text, strlen(text), &out, &counts), MASK_CHANGED);
	ck_assert_uint_eq(out.len, 27 + strlen(D));
	snprintf(twin, sizeof twin, "%s", buf_text(&out));
	text[0] = 'x';
	ck_assert_int_eq(mask_cell(policy, "text", "text", 0, text, strlen(text), &out, &counts), MASK_CHANGED);
	ck_assert_str_ne(buf_text(&out), twin);
}
END_TEST

/* A hash that cannot be made must stop the page: neither the name nor an empty cell may be written. */
START_TEST(test_hash_fails)
{
	static const char text[] = "j@c.org; k@d.org";
	struct mask_counts counts = { .addresses = 0 };

	for (int at = 1; at <= 2; at++) {
		calls_left = at;
		ck_assert_int_eq(mask_cell(policy, "text", "text", 0, text, sizeof text - 1, &out, &counts), MASK_BLANK);
		ck_assert(out.failed);
		ck_assert_uint_eq(out.len, 0);
	}
	calls_left = 1;
	ck_assert_int_eq(mask_address(policy, "j@c.org", 7, 0, &out, &counts), MASK_BLANK);
	ck_assert(out.failed);
	ck_assert_int_eq(counts.blanked, 0);
	calls_left = -1;
	ck_assert_int_eq(mask_cell(policy, "text", "text", 0, text, sizeof text - 1, &out, &counts), MASK_CHANGED);
	ck_assert_str_eq(buf_text(&out), J D "; " K D);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mask_hashed");
	TCase *tc = tcase_create("mask_hashed");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, test_vectors, 0, sizeof vectors / sizeof *vectors);
	tcase_add_test(tc, test_proof_of_the_form);
	tcase_add_test(tc, test_counts);
	tcase_add_test(tc, test_long_names);
	tcase_add_test(tc, test_hash_fails);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
