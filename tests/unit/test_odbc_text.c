/* SPDX-License-Identifier: Apache-2.0
 * The pure parts of the SQL adapter: statements and their sections, quoting, names, packed pages. */
#include "consumer/adapters/odbc/packed.h"
#include "consumer/adapters/odbc/sql_text.h"
#include "consumer/adapters/odbc/statements.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct embedded_file file(const char *name, const char *text)
{
	return (struct embedded_file){ name, text, strlen(text) };
}

static struct statements *read_one(const char *text, struct err *e)
{
	const struct embedded_file f = file("sql/sqlite/x.sql", text);

	return statements_new("sqlite", NULL, false, &f, 1, e);
}

/* The statements of section `name` with ';' between them; "!" and the error when it fails. */
static const char *built(const char *text, const char *name, const struct sql_args *args, size_t *values)
{
	static char out[4096];
	struct err e = { 0 };
	struct statements *s = read_one(text, &e);
	const struct section *section = s ? statements_find(s, name, &e) : NULL;
	const char *at = section ? section->sql : NULL;
	struct statement st = { 0 };
	bool more = section != NULL;

	out[0] = '\0';
	*values = 0;
	buf_init(&st.sql, 4096);
	while (more && statement_next(section, &at, args, &st, &more, &e) && more) {
		strcat(out, buf_text(&st.sql));
		strcat(out, "|");
		*values += st.value_count;
	}
	buf_done(&st.sql);
	statements_free(&s);
	if (e.class != ERR_NONE)
		snprintf(out, sizeof out, "!%s", e.text);
	for (char *p = out; *p; p++)
		if (*p == '\n')
			*p = ' ';
	return out;
}

START_TEST(test_values_are_bound_and_identifiers_quoted)
{
	const struct sql_args args = {
		2, { { "id", { .kind = SQL_NUMBER, .number = 7 } }, { "t", { .kind = SQL_TEXT, .text = "a\"b;'x" } } }
	};
	size_t values;

	ck_assert_str_eq(
	    built("-- name: q\nSELECT ':id', \":id\" FROM {t} -- :no ; '\nWHERE a = :id AND b=:id/* :no */", "q", &args,
		  &values),
	    "SELECT ':id', \":id\" FROM \"a\"\"b;'x\"   WHERE a = ? AND b=? |");
	ck_assert_uint_eq(values, 2);
	ck_assert_str_eq(built("-- name: q\nSELECT 1::int, 'it''s :id', 4-2/2", "q", &args, &values),
			 "SELECT 1::int, 'it''s :id', 4-2/2|");
	ck_assert_uint_eq(values, 0);
}
END_TEST

START_TEST(test_several_statements_in_a_section)
{
	const struct sql_args args = { 1, { { "a", { .kind = SQL_NULL } } } };
	size_t values;

	ck_assert_str_eq(built("-- name: q\nDELETE FROM x WHERE y = :a;\nDELETE FROM z;\n\n", "q", &args, &values),
			 "DELETE FROM x WHERE y = ?| DELETE FROM z|");
	ck_assert_str_eq(built("-- name: q\nCREATE TRIGGER t BEGIN SELECT 1; SELECT 2; END;\n", "q", &args, &values),
			 "CREATE TRIGGER t BEGIN SELECT 1; SELECT 2; END; |");
}
END_TEST

START_TEST(test_bad_statements_are_clear_errors)
{
	const struct sql_args args = { 1, { { "t", { .kind = SQL_TEXT, .text = "bad\nname" } } } };
	const struct embedded_file twice[] = { file("sql/sqlite/a.sql", "-- name: q\nSELECT 1\n"),
					       file("sql/sqlite/b.sql", "-- name: q\nSELECT 2\n") };
	struct err e = { 0 };
	size_t values;

	ck_assert_str_eq(built("-- name: q\nSELECT :gone", "q", &args, &values),
			 "!statement q wants an argument named gone");
	ck_assert_str_eq(built("-- name: q\nSELECT 1", "other", &args, &values), "!there is no statement named other");
	ck_assert_ptr_nonnull(strstr(built("-- name: q\nSELECT {t}", "q", &args, &values), "no identifier"));
	ck_assert_ptr_nonnull(strstr(built("-- name: q\nSELECT 'open", "q", &args, &values), "does not end"));
	ck_assert_ptr_nonnull(strstr(built("-- name: q\nSELECT {1 2}", "q", &args, &values), "does not end"));
	ck_assert_ptr_null(statements_new("sqlite", NULL, false, twice, 2, &e));
	ck_assert_str_eq(e.text, "sql/sqlite/b.sql: two sections are named q");
	err_clear(&e);
	ck_assert_ptr_null(statements_new("oracle", NULL, false, twice, 2, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "no statements for the dialect"));
}
END_TEST

START_TEST(test_what_is_shared_stands_behind_what_is_own)
{
	static const char *const standard[] = { "standard", NULL };
	const struct embedded_file both[] = { file("sql/standard/x.sql", "-- name: q\nSELECT 1\n-- name: all\nSELECT 2\n"),
					      file("sql/sqlite/x.sql", "-- name: q\nSELECT 3\n") };
	const struct embedded_file twice[] = { file("sql/sqlite/x.sql", "-- name: q\nSELECT 3\n"),
					       file("sql/standard/x.sql", "-- name: all\nSELECT 1\n-- name: all\nSELECT 2\n") };
	struct err e = { 0 };
	struct statements *s = statements_new("sqlite", standard, false, both, 2, &e);

	ck_assert_msg(s, "%s", e.text);
	ck_assert_str_eq(statements_find(s, "q", &e)->sql, "SELECT 3\n");
	ck_assert_str_eq(statements_find(s, "all", &e)->sql, "SELECT 2\n");
	statements_free(&s);
	s = statements_new("sqlite", NULL, false, both, 2, &e);
	ck_assert_ptr_null(statements_find(s, "all", &e));
	err_clear(&e);
	statements_free(&s);
	ck_assert_ptr_null(statements_new("sqlite", standard, false, twice, 2, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "sql/standard/x.sql: two sections are named all"));
}
END_TEST

START_TEST(test_needs_are_read)
{
	struct err e = { 0 };
	struct statements *s =
	    read_one("-- name: q\n-- needs: schedule\n-- needs: Email.email_address \nSELECT 1\n", &e);
	const struct section *q = statements_find(s, "q", &e);

	ck_assert_uint_eq(q->need_count, 2);
	ck_assert_str_eq(q->needs[0].table, "schedule");
	ck_assert_str_eq(q->needs[0].column, "");
	ck_assert_str_eq(q->needs[1].table, "Email");
	ck_assert_str_eq(q->needs[1].column, "email_address");
	statements_free(&s);
}
END_TEST

START_TEST(test_names)
{
	static const char *const bad[] = {
		"",     "a b", "a;LoadExt=x", "../x", "a/b",
		"-a",   "_a",  "a{b}",        "a'b",  "a\"b",
		"a\nb", "a.b", "\xc3\xa6",    "a=b",  "0123456789012345678901234567890123456789012345678901234567890123"
	};
	static const char *const bad_parts[] = { "", "a;b", "a=b", "{a}", "[a]", "a'b", "a\"b", "a\nb", "a\x7f" };

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(!database_name_is_legal(bad[i]), "%s", bad[i]);
	ck_assert(database_name_is_legal("Cust70001__g1abc"));
	ck_assert(database_name_is_legal("9-9"));
	for (size_t i = 0; i < sizeof bad_parts / sizeof bad_parts[0]; i++)
		ck_assert_msg(!connection_part_is_legal(bad_parts[i]), "%s", bad_parts[i]);
	ck_assert(!connection_part_is_legal(NULL));
	ck_assert(connection_part_is_legal("/srv/data bases/%41?"));
}
END_TEST

START_TEST(test_definitions_for_a_simple_lexer)
{
	struct err e = { 0 };
	struct buf sql;

	buf_init(&sql, 4096);
	ck_assert(sql_plain_definition("CREATE TABLE [a] (b)", &sql, &e)); /* nothing to confuse anybody */
	ck_assert_str_eq(buf_text(&sql), "CREATE TABLE [a] (b)");
	ck_assert(sql_plain_definition("CREATE TABLE [a?\"{] (`b``?` TEXT DEFAULT '?', -- don't {?\n \"c?\" /* ? */)",
				       &sql, &e));
	ck_assert_str_eq(buf_text(&sql), "CREATE TABLE \"a?\"\"{\" (\"b`?\" TEXT DEFAULT '?',  \n \"c?\"  )");
	ck_assert(!sql_plain_definition("CREATE TABLE [a? (", &sql, &e));
	buf_done(&sql);
}
END_TEST

/* ---- packed pages ---- */

static char seen[4096];

static bool see(void *arg, int64_t key, const struct packed_cell *cells, struct err *e)
{
	const size_t *count = arg;

	(void)e;
	sprintf(seen + strlen(seen), "%lld:", (long long)key);
	for (size_t i = 0; i < *count; i++) {
		sprintf(seen + strlen(seen), "%c%zu", cells[i].type, cells[i].len);
		strncat(seen, "=", 2);
		strncat(seen, cells[i].text ? cells[i].text : "", cells[i].len);
		strcat(seen, " ");
	}
	return true;
}

static bool read_text(const char *text, size_t count)
{
	struct packed_cell cells[8];
	char *copy = strdup(text);
	struct err e = { 0 };
	bool ok;

	seen[0] = '\0';
	ok = packed_read(copy, strlen(copy), cells, count, see, &count, &e);
	ck_assert(ok || e.class == ERR_BUG);
	free(copy);
	return ok;
}

START_TEST(test_packed_pages)
{
	ck_assert(read_text("[]", 2));
	ck_assert_str_eq(seen, "");
	ck_assert(read_text("[[-5,[1,\"a\\\"\\\\\\n\\u0009z\"]],[6,[null,[\"1.5\"]]],[7,[[\"b\",\"00FF\"],\"\"]]]", 2));
	ck_assert_str_eq(seen, "-5:i1=1 t6=a\"\\\n\tz 6:n0= r3=1.5 7:b4=00FF t0= ");
	ck_assert(read_text("[[1,[1,2],[3]]]", 3)); /* groups */
	ck_assert_str_eq(seen, "1:i1=1 i1=2 i1=3 ");
}
END_TEST

START_TEST(test_broken_pages)
{
	static const char *const bad[] = { "",
					   "[",
					   "[[1,[1]]",
					   "[[1,[1,2]]]",
					   "[[1,[]]]",
					   "[[1,[\"a]]]",
					   "[[\"1\",[1]]]",
					   "[[1,[1]]]]",
					   "[[1,[\"\\q\"]]]",
					   "[[1,[\"\\u00e9\"]]]",
					   "[[1,[\"\\u00",
					   "[[1,[[\"b\",]]]]",
					   "null" };

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(!read_text(bad[i], 1), "%s", bad[i]);
}
END_TEST

START_TEST(test_odd_numbers_are_found)
{
	static const char *const plain[] = { "[[1,[null,\"1.5 e \\\" . \\\\\"]]]", "[]", "[[-1,[-3]]]" };
	static const char *const odd[] = { "[[1,[\"\\\\\",1.5]]]", "[[1,[Inf]]]", "[[1,[1e300]]]" };

	for (size_t i = 0; i < 3; i++) {
		ck_assert_msg(!packed_is_odd(plain[i], strlen(plain[i])), "%s", plain[i]);
		ck_assert_msg(packed_is_odd(odd[i], strlen(odd[i])), "%s", odd[i]);
	}
}
END_TEST

static uint64_t hash_of(const char *types, const char *const *texts)
{
	uint64_t hash = 0;

	for (; *types; types++, texts++) {
		const struct packed_cell cell = { (enum packed_type) * types, *texts, strlen(*texts) };

		hash = packed_hash_cell(hash, &cell);
	}
	return packed_hash_end(hash);
}

START_TEST(test_hashes_tell_rows_apart)
{
	const uint64_t h[] = { hash_of("tt", (const char *[]){ "ab", "c" }),
			       hash_of("tt", (const char *[]){ "a", "bc" }),
			       hash_of("nt", (const char *[]){ "", "c" }),
			       hash_of("tt", (const char *[]){ "", "c" }),
			       hash_of("it", (const char *[]){ "1", "c" }),
			       hash_of("tt", (const char *[]){ "1", "c" }),
			       hash_of("t", (const char *[]){ "0123456789abcdef" }),
			       hash_of("t", (const char *[]){ "0123456789abcdeF" }),
			       hash_of("t", (const char *[]){ "0123456789abcdef0123456789abcdefx" }) };
	const size_t count = sizeof h / sizeof h[0];

	for (size_t i = 0; i < count; i++)
		for (size_t j = i + 1; j < count; j++)
			ck_assert_msg(h[i] != h[j], "%zu %zu", i, j);
	ck_assert_uint_eq(h[0], hash_of("tt", (const char *[]){ "ab", "c" }));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("odbc_text");
	TCase *tc = tcase_create("text");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, test_values_are_bound_and_identifiers_quoted);
	tcase_add_test(tc, test_several_statements_in_a_section);
	tcase_add_test(tc, test_bad_statements_are_clear_errors);
	tcase_add_test(tc, test_what_is_shared_stands_behind_what_is_own);
	tcase_add_test(tc, test_needs_are_read);
	tcase_add_test(tc, test_names);
	tcase_add_test(tc, test_definitions_for_a_simple_lexer);
	tcase_add_test(tc, test_packed_pages);
	tcase_add_test(tc, test_broken_pages);
	tcase_add_test(tc, test_odd_numbers_are_found);
	tcase_add_test(tc, test_hashes_tell_rows_apart);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
