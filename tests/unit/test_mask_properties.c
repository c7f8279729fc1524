/* SPDX-License-Identifier: Apache-2.0
 * Masking by property, over generated addresses and hostile texts, once with names kept and once with names hidden. The
 * seed is fixed; a failure prints the text. */
#include "tests/unit/mask_hash.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ADDRESSES = 100000, SOUPS = 300000, TEXT_MAX = 8192 };

static struct mask_policy *policy;
static bool hidden;
static struct buf out, again;
static uint64_t state;

static uint32_t next_random(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)((state * UINT64_C(0x2545F4914F6CDD1D)) >> 33) % below;
}

static void setup_with(mask_hash_fn *hash)
{
	static const char *const keep[] = { "t@k.no", "ab@b.no" };
	const struct mask_choices choices = { .domain = "d.example", .keep = keep, .keep_count = 2, .hash = hash };
	struct err e = { .class = ERR_NONE };

	policy = mask_policy_new(&choices, &e);
	ck_assert_msg(policy != NULL, "%s", e.text);
	buf_init(&out, 1 << 20);
	buf_init(&again, 1 << 20);
	state = UINT64_C(0x9E3779B97F4A7C15);
	hidden = hash != NULL;
}

static void setup_kept(void)
{
	setup_with(NULL);
}

static void setup_hidden(void)
{
	setup_with(mask_test_hash);
}

static void teardown(void)
{
	buf_done(&out);
	buf_done(&again);
	mask_policy_free(&policy);
}

/* ---- addresses ---- */
static size_t random_word(char *to, size_t min, size_t max, const char *alphabet)
{
	size_t len = min + next_random((uint32_t)(max - min + 1)), n = strlen(alphabet);

	for (size_t i = 0; i < len; i++)
		to[i] = alphabet[next_random((uint32_t)n)];
	return len;
}

/* A legal address whose local part text can be told from its surroundings. Small alphabets make near collisions. */
static void random_address(char *to)
{
	bool long_one = next_random(4) == 0;
	size_t n = random_word(to, 1, long_one ? 60 : 6, "ab_-+1"), labels = 1 + next_random(long_one ? 4 : 2);

	if (next_random(3) == 0) {
		to[n++] = '.';
		n += random_word(to + n, 1, 3, "ab_AB");
	}
	to[n++] = '@';
	for (size_t i = 0; i < labels; i++) {
		n += random_word(to + n, 1, long_one ? 30 : 3, "ab1");
		to[n++] = '.';
	}
	n += random_word(to + n, 2, 3, "abno");
	to[n] = '\0';
}

static const char *mask_in(const char *table, const char *column, const char *text)
{
	struct mask_counts counts = { .addresses = 0 };

	if (mask_cell(policy, table, column, 0, text, strlen(text), &again, &counts) == MASK_SAME)
		return text;
	return buf_text(&again);
}

static int by_masked(const void *a, const void *b)
{
	return strcmp(((char *const *)a)[1], ((char *const *)b)[1]);
}

/* Not by ck_assert in the loops: check writes a file mark for each of them, which takes longer than the work. */
static void must(bool good, const char *what, const char *raw, const char *masked)
{
	if (!good)
		ck_abort_msg("%s: [%s] became [%s]", what, raw, masked);
}

static bool is_legal(const char *masked)
{
	const char *at = strchr(masked, '@');

	if (hidden)
		return masked[0] == 'm' && strspn(masked + 1, "0123456789abcdef") == 26 && strcmp(masked + 27, "@d.example") == 0;
	if (!at || at == masked || at - masked > 64 || strlen(masked) > 254 || strcmp(at, "@d.example") != 0)
		return false;
	if (masked[0] == '.' || at[-1] == '.' || strstr(masked, ".."))
		return false;
	for (const char *c = masked; c < at; c++)
		if (!strchr("!#$%&'*+/=?^`{|}~-_.", *c) && !(*c >= '0' && *c <= '9') && !(*c >= 'a' && *c <= 'z') &&
		    !(*c >= 'A' && *c <= 'Z'))
			return false;
	return true;
}

/* One address, looked at in columns of every kind; its masked form is in out. */
static bool check_address(const char *raw, struct mask_counts *counts)
{
	enum mask_result result = mask_address(policy, raw, strlen(raw), 0, &out, counts);
	const char *masked = buf_text(&out);
	char text[600];

	if (result == MASK_SAME)
		return false; /* kept */
	must(result == MASK_CHANGED && is_legal(masked), "the form", raw, masked);
	must(strcmp(mask_in("ejuser", "email", raw), masked) == 0, "an address column", raw, masked);
	must(strcmp(mask_in("contact", "name", raw), masked) == 0, "a name column", raw, masked);
	must(strcmp(mask_in("text", "text", raw), masked) == 0, "a text column", raw, masked);
	snprintf(text, sizeof text, "To \"X\" <%s>.", raw);
	must(strstr(mask_in("ej_message", "body", text), masked) != NULL, "inside text", raw, masked);
	must(mask_address(policy, masked, out.len, 0, &again, counts) == MASK_SAME, "a second time", raw, masked);
	return true;
}

/* Addresses that may be masked alike. */
static bool are_one(const char *a, const char *b)
{
	return hidden ? strcasecmp(a, b) == 0 : strcmp(a, b) == 0;
}

START_TEST(test_addresses)
{
	char **pairs = calloc(2 * ADDRESSES, sizeof *pairs);
	struct mask_counts counts = { .addresses = 0 };
	size_t n = 0;

	ck_assert_ptr_nonnull(pairs);
	while (n < ADDRESSES) {
		char raw[400];

		random_address(raw);
		if (!check_address(raw, &counts))
			continue;
		pairs[2 * n] = strdup(raw);
		pairs[2 * n + 1] = strdup(buf_text(&out));
		n++;
	}
	ck_assert_int_eq(counts.already, ADDRESSES);
	if (hidden)
		ck_assert_int_eq(counts.shortened, 0);
	else
		ck_assert_int_gt(counts.shortened, ADDRESSES / 10);
	qsort(pairs, ADDRESSES, 2 * sizeof *pairs, by_masked);
	for (size_t i = 1; i < ADDRESSES; i++)
		must(strcmp(pairs[2 * i - 1], pairs[2 * i + 1]) != 0 || are_one(pairs[2 * i - 2], pairs[2 * i]),
		     pairs[2 * i - 2], pairs[2 * i], pairs[2 * i + 1]);
	for (size_t i = 0; i < 2 * ADDRESSES; i++)
		free(pairs[i]);
	free(pairs);
}
END_TEST

static size_t count_chars(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)text[i] & 0xC0) != 0x80;
	return n;
}

/* Every width from nothing to enough: never wider than the column, never half an address, shortened before cut. */
START_TEST(test_widths)
{
	static const char *const texts[] = {
		"somebody@company.com", "Kontakt: s\xc3\xb8ren.kierkegaard@j\xc3\xa6rn.no i dag",
		"a@b.no, c@d.no; \"J. Doe\" <john.doe.the.third@company.example>", "x@d.example y@longer.company.org \xe2\x82\xac\xe2\x82\xac",
	};
	static const char *const columns[][2] = { { "ejuser", "email" }, { "person", "x_a" }, { "ticket", "from_address" } };

	for (size_t t = 0; t < sizeof texts / sizeof *texts; t++) {
		size_t len = strlen(texts[t]), chars = count_chars(texts[t], len);

		for (size_t width = chars; width < 200; width++) {
			const char *const *column = columns[width % 3];
			struct mask_counts counts = { .addresses = 0 };
			struct scan_counts scan = { .cells = 0 };
			enum mask_result result;

			result = mask_cell(policy, column[0], column[1], width, texts[t], len, &out, &counts);
			ck_assert_int_ne(result, MASK_SAME);
			ck_assert_uint_le(count_chars(buf_text(&out), out.len), width);
			scan_cell(policy, column[0], column[1], buf_text(&out), out.len, &scan);
			ck_assert_msg(scan.left == 0, "%s", buf_text(&out));
			if (width >= chars + 30)
				ck_assert_int_eq(counts.addresses + counts.already, scan.addresses);
		}
	}
}
END_TEST

/* ---- hostile texts ---- */
static const char *const atoms[] = {
	"a", "b", "z", "@", "@", "@", ".", ".", "-", "_", "\"", "<", ">", ",", ";", " ", "~", "%", "\xc3\xa9", "no", "com",
	"b.no", "d.example", "@d.example", "%40", "\\", "\\n", "&#64;", "\\u0040", "'", "(", ")", "[", "]", "1", "2.3",
	"[1.2.3.4]", "\xe2\x80\x9d", "\xc3", "\xa0", "\xc2\xa0", "\n", "\r\n", ".png", "t@k.no", "a@b.no", "ab@b.no",
	"Message-ID: ", "x", "+", "=", "?", "cc=", "64;", "40", "\"odd name\"@c.no", "01D7F2A3.ABCDEF12", "\xef\xbc\xa0",
	"\xe0\x82\x80", "\\u003c", "!", "*", "%2C", "%252C", "%3", "M", "m", "m0123456789abcdef0123456789", "~01234567", "~0123",
	"m0123456789abcdef0123456789@d.example", "john@d.example", "john@D.Example",
};

static size_t random_soup(char *to)
{
	static const char *const letters = "abcdefghijklmnopqrstuvwxyz@@@@....__--\"\"<>,; ~%";
	size_t n = 0, pieces = next_random(24);

	if (next_random(8) == 0) {
		for (; n < 2 * pieces; n++)
			to[n] = (char)next_random(256);
		return n;
	}
	if (next_random(3) == 0)
		return random_word(to, 0, 40, letters);
	for (size_t i = 0; i < pieces; i++) {
		const char *atom = atoms[next_random(sizeof atoms / sizeof *atoms)];

		memcpy(to + n, atom, strlen(atom));
		n += strlen(atom);
		if (next_random(100) == 0) {
			size_t run = next_random(350);

			memset(to + n, "x.a@"[next_random(4)], run);
			n += run;
		}
	}
	return n;
}

static void print_soup(const char *what, const char *text, size_t len)
{
	fprintf(stderr, "%s [", what);
	for (size_t i = 0; i < len; i++)
		fprintf(stderr, text[i] >= ' ' && text[i] < 0x7F ? "%c" : "\\x%02x", (unsigned char)text[i]);
	fprintf(stderr, "]\n");
}

static void check_soup(const char *const column[2], size_t width, const char *soup, size_t len)
{
	struct mask_counts counts = { .addresses = 0 };
	struct scan_counts scan = { .cells = 0 }, raw = { .cells = 0 };
	enum mask_result first = mask_cell(policy, column[0], column[1], width, soup, len, &out, &counts), second;
	const char *text = first == MASK_SAME ? soup : first == MASK_BLANK ? "" : out.data;
	size_t text_len = first == MASK_SAME ? len : first == MASK_BLANK ? 0 : out.len;
	bool good;

	scan_cell(policy, column[0], column[1], soup, len, &raw);
	scan_cell(policy, column[0], column[1], text, text_len, &scan);
	second = mask_cell(policy, column[0], column[1], width, text, text_len, &again, &counts);
	good = scan.left == 0 && second == MASK_SAME && !(raw.left && first == MASK_SAME);
	good = good && !(width && first == MASK_CHANGED && text_len > len && count_chars(text, text_len) > width);
	if (!good) {
		fprintf(stderr, "%s.%s, width %zu, left %d\n", column[0], column[1], width, (int)scan.left);
		print_soup("soup", soup, len);
		print_soup("masked", text, text_len);
		print_soup("again", buf_text(&again), again.len);
		ck_abort_msg("a soup was not masked well, see above");
	}
}

START_TEST(test_soups)
{
	static const char *const columns[][2] = {
		{ "Email", "email_address" }, { "text", "text" },         { "ticket", "from_address" }, { "nobody", "knows" },
		{ "ej_message", "email_header" }, { "contact", "name" }, { "ej_message", "message_id" }, { "form", "config" },
	};

	for (int i = 0; i < SOUPS; i++) {
		char soup[TEXT_MAX], *exact;
		size_t len = random_soup(soup), width = next_random(3) ? 0 : 1 + next_random(60);

		exact = malloc(len ? len : 1); /* so that AddressSanitizer sees a byte too far */
		if (!exact)
			ck_abort_msg("memory is short");
		memcpy(exact, soup, len);
		check_soup(columns[next_random(8)], width, exact, len);
		free(exact);
	}
}
END_TEST

/* What would make a scanner look at the same bytes again and again; the time limit of check is the judge. */
START_TEST(test_no_worst_case)
{
	static const char *const bad[] = { "@", "a@", "a@a.", "a@b.no", "\"", "\"@", ".", "..@", "%40", "\\", "a", "<@", "4", "64;",
	                                   "x@1.", "(@", "'a", "\xe2\x80\x9d", "\xc3\xa9", "a@b.no-", "[1.2.3.4]@" };
	enum { SIZE = 400000 };
	char *text = malloc(SIZE);
	struct buf big;

	ck_assert_ptr_nonnull(text);
	buf_init(&big, 64 << 20);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		size_t n = strlen(bad[i]);
		struct mask_counts counts = { .addresses = 0 };
		struct scan_counts scan = { .cells = 0 };

		for (size_t k = 0; k < SIZE; k++)
			text[k] = bad[i][k % n];
		if (mask_cell(policy, "ej_message", "email_header", 0, text, SIZE, &big, &counts) == MASK_SAME)
			scan_cell(policy, "ej_message", "email_header", text, SIZE, &scan);
		else
			scan_cell(policy, "ej_message", "email_header", buf_text(&big), big.len, &scan);
		ck_assert_msg(scan.left == 0, "%s", bad[i]);
	}
	buf_done(&big);
	free(text);
}
END_TEST

static TCase *properties(const char *name, void (*setup)(void))
{
	TCase *tc = tcase_create(name);

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_addresses);
	tcase_add_test(tc, test_widths);
	tcase_add_test(tc, test_soups);
	tcase_add_test(tc, test_no_worst_case);
	return tc;
}

int main(void)
{
	Suite *s = suite_create("mask_properties");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, properties("names_kept", setup_kept));
	suite_add_tcase(s, properties("names_hidden", setup_hidden));
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
