/* SPDX-License-Identifier: Apache-2.0
 * A PostgreSQL customer through the running consumer, killed in the middle of the copy: every table is there, no
 * address is left, neither by an independent query nor in the bytes of the target's files, and who may log in where is
 * tried by logging in. */
#include "tests/support/installation.h"
#include "tests/support/postgres_customer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SOURCE "Cust70000"
#define TARGET "Cust70001"

enum { CLONE_WITHIN_MS = 120000, FACTOR = 1, KILL_AFTER_UNITS = 60 };

static const char id[] = "0198f0c2-0099-7c5b-9a54-000000000001";
static struct installation *i;
static struct postgres_server *postgres;
static char generation[DATABASE_MAX + 1];

static void tell_consumer(void)
{
	char port[8];

	snprintf(port, sizeof port, "%d", postgres->port);
	setenv("SANDBOX_SQL__DIALECT", "postgresql", 1);
	setenv("SANDBOX_SQL__PORT", port, 1);
	setenv("SANDBOX_SQL__USER", "cloner", 1);
	setenv("SANDBOX_SQL__SOURCE_USER", "reader", 1);
	setenv("SANDBOX_QUERY__PRINCIPAL", "customer_query", 1);
}

static void setup(void)
{
	char folder[128], file[160];

	i = installation_new(&(struct installation_options){ .factor = FACTOR });
	snprintf(folder, sizeof folder, "%s/pg", i->folder);
	snprintf(file, sizeof file, "%s/db/" SOURCE ".sqlite", i->folder);
	ck_assert_int_eq(mkdir(folder, 0755), 0);
	ck_assert_int_eq(chmod(i->folder, 0711), 0); /* the server is another user */
	ck_assert_int_eq(chmod(getenv("TMPDIR"), 0711), 0);
	postgres = postgres_start_in(folder);
	postgres_customer_make(postgres, file, SOURCE);
	tell_consumer();
	consumer_start(i, 0);
}

static void teardown(void)
{
	postgres_stop(&postgres);
	installation_free(&i);
}

static int64_t number(const char *database, const char *sql)
{
	return postgres_number(postgres, database, "tenants", "", sql, NULL);
}

/* Units of the copy that are done; 0 before it begins. */
static int64_t units_done(void)
{
	bool found;
	struct seen seen = look_at(i, id);

	if (!seen.generation[0])
		return 0;
	return postgres_number(postgres, seen.generation, "tenants", "",
			       "SELECT count(*) FROM sandbox_copy_unit WHERE done = 1", &found);
}

static void kill_in_the_copy(void)
{
	int64_t until = now_ms() + CLONE_WITHIN_MS;

	while (units_done() < KILL_AFTER_UNITS) {
		ck_assert_msg(now_ms() < until, "the copy does not begin");
		pause_ms(1);
	}
	consumer_kill(i, 0);
	ck_assert_int_gt(number(look_at(i, id).generation, "SELECT count(*) FROM sandbox_copy_unit WHERE done = 0"), 0);
	/* The source moves while nobody looks at it. */
	number(SOURCE, "WITH w AS (INSERT INTO temporary_words (id, word) VALUES (990001, 'late') RETURNING 1)"
	       " UPDATE person SET firstname = 'Late' WHERE person_id = 1 RETURNING 1");
	consumer_start(i, 0);
}

/* Every table of the source is in the target, with as many rows where no step deletes any. */
static void check_tables(void)
{
	static const char tables[] = "SELECT count(*) FROM pg_tables WHERE schemaname IN ('public', 'y_more') AND tablename !~"
				     " '^sandbox_'";
	static const char *const kept[] = { "person", "contact", "Email", "ticket", "ej_message", "document", "y_visit",
					    "y_more.y_visits" };
	static const char indexes[] = "SELECT count(*) FROM pg_indexes WHERE schemaname IN ('public', 'y_more') AND tablename"
				      " !~ '^sandbox_'";
	char sql[80];

	ck_assert_int_eq(number(generation, tables), number(SOURCE, tables));
	ck_assert_int_eq(number(generation, indexes), number(SOURCE, indexes));
	for (size_t k = 0; k < sizeof kept / sizeof *kept; k++) {
		snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", kept[k]);
		ck_assert_msg(number(generation, sql) == number(SOURCE, sql), "%s: other rows", kept[k]);
	}
	ck_assert_int_eq(number(generation, "SELECT count(*) FROM sandbox_copy WHERE checked = 0"), 0);
	ck_assert_int_eq(number(generation, "SELECT count(*) FROM person WHERE person_id = 1 AND firstname = 'Late'"), 1);
}

static void check_what_is_odd(void)
{
	ck_assert_int_eq(number(generation, "SELECT count(*) FROM y_more.y_visits WHERE x_mood = 'sad' AND x_len = 2 AND"
				" x_when @> CAST('2026-01-15' AS timestamptz) AND x_at ~= point '(1,2)' AND x_tags[3] IS NULL"), 20);
	ck_assert_int_eq(number(generation, "SELECT count(*) FROM y_more.y_visits WHERE x_note IS NULL AND x_tags IS NULL"), 1);
	ck_assert_int_eq(number(generation, "SELECT count(*) FROM y_more.y_visits WHERE x_note->>'mail' ="
				" 'very.private_hidden.example@sandbox.example' AND x_tags[2] = 'tag_hidden.example@sandbox.example'"), 20);
	ck_assert_int_eq(number(generation, "SELECT nextval('y_more.y_counter')"), 6);
	ck_assert_int_eq(number(generation, "SELECT last_value FROM y_more.y_visits_id_seq"), 21);
	ck_assert_int_eq(number(generation, "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND convalidated AND conrelid ="
				" CAST('y_more.y_visits' AS regclass)"), 1);
	ck_assert_int_eq(number(generation, "SELECT count(*) FROM pg_trigger WHERE tgname = 't' AND tgenabled = 'O'"), 1);
}

/* Partitions of partitions, types of the customer's own, what is computed and stored. */
static void check_structures(void)
{
	static const char *const same[] = {
		"SELECT count(*) FROM pg_inherits WHERE inhrelid::regclass::text LIKE 'y_more.%'",
		"SELECT count(*) FROM pg_index WHERE indisvalid AND indexrelid::regclass::text LIKE 'y_more.%'",
		"SELECT count(*) FROM pg_index WHERE NOT indisvalid AND indexrelid::regclass::text LIKE 'y_more.%'",
		"SELECT count(*) FROM pg_constraint WHERE contype IN ('p', 'x', 'c') AND (connamespace = 'y_more'::regnamespace)",
		"SELECT count(*) FROM y_more.y_logs_new_1",
		"SELECT count(*) FROM y_more.y_logs_x",
		"SELECT count(*) FROM ONLY y_more.y_logs_old",
		"SELECT count(*) FROM y_more.y_mails",
		"SELECT count(*) FROM pg_class WHERE relpersistence = 'u' AND relname = 'y_rooms'",
	};

	for (size_t k = 0; k < sizeof same / sizeof *same; k++)
		ck_assert_msg(number(generation, same[k]) == number(SOURCE, same[k]), "%s: %" PRId64 ", not %" PRId64, same[k],
			      number(generation, same[k]), number(SOURCE, same[k]));
	ck_assert_int_eq(number(generation, "SELECT count(*) FROM y_more.y_logs WHERE mail = 'log' || id ||"
				" '_hidden.example@sandbox.example'"), 900);
	ck_assert_int_eq(number(generation, "SELECT count(*) FROM y_more.y_rooms WHERE owner = 'room' || id ||"
				" '_hidden.example@sandbox.example' AND (reach).mail = 'reach' || id || '_hidden.example@sandbox.example'"), 50);
	ck_assert_int_eq(number(generation, "SELECT count(*) FROM y_more.y_mails WHERE mail LIKE 'room%_hidden.example@sandbox.example'"),
			 50);
}

/* Written apart from the product: one question for each column of texts there is, then the bytes of the files. What may
 * stay are the two whom the request keeps, and the ids of invitations. */
static void check_addresses(void)
{
	static const char left[] =
		"SELECT coalesce(sum((xpath('/row/c/text()', query_to_xml(format('SELECT count(*) AS c FROM %I.%I WHERE"
		" regexp_replace(CAST(%I AS text), ''([A-Za-z0-9._%%+~-]+@sandbox[.]example)|((admin|tester)@north[.]example)|"
		"([0-9a-f]+@calendar[.]example)'', '''', ''gi'') ~ ''[A-Za-z0-9._%%+-]+@[A-Za-z0-9-]+[.](com|example|net|org)''',"
		" table_schema, table_name, column_name), false, true, '')))[1]::text::int), 0) FROM information_schema.columns WHERE"
		" table_schema IN ('public', 'y_more') AND table_name !~ '^sandbox_' AND data_type IN ('text', 'character varying',"
		" 'character', 'jsonb', 'ARRAY')";
	static const char *const hosts[] = { "@hidden.example", "@bakery.example", "@alpine.example", "@polder.example" };

	ck_assert_int_gt(number(SOURCE, left), 1000);
	ck_assert_int_eq(number(generation, left), 0);
	for (size_t h = 0; h < sizeof hosts / sizeof *hosts; h++) {
		ck_assert_msg(postgres_bytes(postgres, SOURCE, hosts[h]) > 0, "the source has no %s", hosts[h]);
		ck_assert_msg(postgres_bytes(postgres, generation, hosts[h]) == 0, "%s is in the files of the target", hosts[h]);
	}
}

static bool can(const char *database, const char *user, const char *password, const char *sql)
{
	bool found;

	postgres_number(postgres, database, user, password, sql, &found);
	return found;
}

static void check_logins(void)
{
	static const char read[] = "SELECT count(*) FROM person", write[] = "UPDATE person SET rank = rank RETURNING 1",
			  stamp[] = "SELECT token FROM sandbox_stamp";

	ck_assert(can(generation, "customer_query", "ask me", read));
	ck_assert(!can(generation, "customer_query", "wrong", read));
	ck_assert(!can(generation, "customer_query", "ask me", write));
	ck_assert(!can(generation, "customer_query", "ask me", stamp));
	ck_assert(!can(SOURCE, "customer_query", "ask me", read));
	ck_assert(!can("_sandbox", "customer_query", "ask me", "SELECT 1"));
	ck_assert(!can(SOURCE, "cloner", "", "SELECT 1")); /* the reader alone sees the source */
	number("postgres", "SELECT set_config('x.x', '', false); ALTER ROLE \"" TARGET "_app\" PASSWORD 'known now'");
	ck_assert(can(generation, TARGET "_app", "known now", read));
	ck_assert(can(generation, TARGET "_app", "known now", write));
	ck_assert(!can(generation, TARGET "_app", "known now", "SELECT token FROM sandbox_stamp"));
	ck_assert(!can(generation, TARGET "_app", "known now", "CREATE TABLE public.z (a int)"));
	ck_assert(!can(SOURCE, TARGET "_app", "known now", "SELECT 1"));
}

START_TEST(a_customer_is_cloned_though_killed)
{
	struct seen seen;

	send_request(i, id, TARGET);
	kill_in_the_copy();
	seen = await(i, id, CLONE_COMPLETED, CLONE_WITHIN_MS);
	memcpy(generation, seen.generation, sizeof generation);
	check_tables();
	check_what_is_odd();
	check_structures();
	check_addresses();
	check_logins();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("postgres");
	TCase *tc = tcase_create("postgres");

	if (!postgres_is_here())
		return 0;
	tcase_set_timeout(tc, 200);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_customer_is_cloned_though_killed);
	suite_add_tcase(suite, tc);
	return installation_run(suite);
}
