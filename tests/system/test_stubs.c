/* SPDX-License-Identifier: Apache-2.0
 * The stub server keeps the contracts of schemas/<system>.openapi.yaml, loses nothing it acknowledged when it is
 * killed, and does what tests ask it to. Every other test leans on this one. */
#include "consumer/adapters/http/http_client.h"
#include "tests/support/stub_server.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char seed[] =
	"{\"settings\":{\"web_config_reads\":2,\"state_task_reads\":0},"
	"\"tenants\":[{\"ctx\":\"T\",\"kind\":\"test\",\"database\":\"t\","
	"\"tasks\":[{\"name\":\"a\",\"ends_after_reads\":2},{\"name\":\"b\",\"ends_after_ms\":400}]},"
	"{\"ctx\":\"P\",\"kind\":\"production\"}],"
	"\"identities\":[{\"ctx\":\"T\"}],\"routes\":[{\"id\":\"r\",\"address\":\"a@t.example\",\"tenant_ctx\":\"T\"}],"
	"\"licences\":[{\"ctx\":\"T\",\"owner\":\"o\",\"serial\":\"s\",\"modules\":[]}]}";

static struct stub_server *server;
static struct err err;

static void setup(void)
{
	err_clear(&err);
	server = stub_server_start(NULL, seed, &err);
	ck_assert_msg(server, "%s", err.text);
}

static void teardown(void)
{
	stub_server_free(&server);
}

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

/* ---- raw calls ---- */

struct asked {
	int status;     /* 0: no answer */
	char type[64];  /* of a problem */
	int acted;      /* -1: no receipt */
	json_t *object; /* owned */
};

static void drop(struct asked *a)
{
	json_decref(a->object);
	a->object = NULL;
}

static struct asked ask(const char *bearer, const char *system, const char *method, const char *path, const char *key,
                        const char *token, const char *body)
{
	const struct http_header headers[] = { { "Idempotency-Key", key }, { "Sandbox-Fencing-Token", token } };
	const struct http_request request = { method, path, headers, key ? 2 : 0, body, body ? strlen(body) : 0 };
	char url[64];
	struct http_settings s = { .base_url = stub_server_url(server, system, url, sizeof url), .bearer = bearer,
		                   .total_timeout_ms = 5000 };
	struct http_client *c = http_client_new(&s, system, NULL, &err);
	struct asked said = { .acted = -1 };
	struct http_answer answer;
	struct err e = { 0 };
	const json_t *acted;

	if (http_client_send(c, &request, &answer, &e)) {
		said.status = answer.status;
		said.object = json_loads(buf_text(answer.body), 0, NULL);
		snprintf(said.type, sizeof said.type, "%s",
		         json_is_string(json_object_get(said.object, "type")) ?
		                 json_string_value(json_object_get(said.object, "type")) : "");
		acted = json_object_get(said.object, "acted");
		said.acted = json_is_boolean(acted) ? json_is_true(acted) : -1;
	}
	http_client_free(&c);
	return said;
}

static struct asked put_state(const char *key, const char *token, const char *state)
{
	char body[64];
	struct asked a;

	snprintf(body, sizeof body, "{\"state\":\"%s\"}", state);
	a = ask(NULL, "hosting", "PUT", "/tenants/T/state", key, token, body);
	drop(&a); /* what is left are plain values */
	return a;
}

static json_int_t pending(const char *what)
{
	struct asked a = ask(NULL, "hosting", "GET", "/tenants/T", NULL, NULL, NULL);
	json_int_t n = json_integer_value(json_object_get(a.object, what));

	ck_assert_int_eq(a.status, 200);
	drop(&a);
	return n;
}

/* ---- the contracts are served ---- */

/* Every "  /path:" and "    method:" of the file; our own files keep to that form. */
static int check_contract(const char *system, const char *path, const char *method)
{
	static const char *const upper[] = { "GET", "PUT", "POST", "DELETE" };
	char filled[128];
	struct asked a;
	size_t m = 0;

	while (m < 4 && strcasecmp(upper[m], method) != 0)
		m++;
	if (m == 4)
		return 0;
	snprintf(filled, sizeof filled, "/tenants/T%s", path + strlen("/tenants/{ctx}"));
	if (strstr(filled, "{id}"))
		memcpy(strstr(filled, "{id}"), "r", 2);
	a = ask(NULL, system, upper[m], filled, NULL, NULL, m == 0 || m == 3 ? NULL : "{}");
	if (m == 0)
		ck_assert_msg(a.status == 200 || strcmp(a.type, "not-found") == 0, "%s %s", system, filled);
	else
		ck_assert_msg(strcmp(a.type, "header-missing") == 0, "%s %s %s: %d %s", system, upper[m], filled,
		              a.status, a.type);
	drop(&a);
	return 1;
}

START_TEST(test_contract_is_served)
{
	static const struct { const char *system; int operations; } contracts[] = {
		{ "hosting", 8 }, { "superid", 6 }, { "mail", 3 }, { "licence", 3 }, { "apps", 1 } };
	char file[512], line[256], path[128] = "", word[128];
	int operations = 0;
	FILE *f;

	snprintf(file, sizeof file, "%s/schemas/%s.openapi.yaml", SOURCE_DIR, contracts[_i].system);
	f = fopen(file, "re");
	ck_assert_msg(f, "%s cannot be read", file);
	while (fgets(line, sizeof line, f)) {
		if (sscanf(line, "  /%126[^:]:", word) == 1)
			snprintf(path, sizeof path, "/%.126s", word);
		else if (*path && strncmp(line, "    ", 4) == 0 && sscanf(line + 4, "%9[a-z]:", word) == 1)
			operations += check_contract(contracts[_i].system, path, word);
	}
	fclose(f);
	ck_assert_int_eq(operations, contracts[_i].operations);
}
END_TEST

START_TEST(test_what_is_no_contract)
{
	static const struct { const char *system, *method, *path; int status; } table[] = {
		{ "hosting", "DELETE", "/tenants/T", 405 },     { "hosting", "GET", "/tenants", 404 },
		{ "hosting", "GET", "/tenants/T/x/y/z/q", 400 }, { "hosting", "GET", "/tenants/%zz", 400 },
		{ "hosting", "GET", "/tenants/%00", 400 },      { "hosting", "GET", "/tenants//state", 400 },
		{ "nothing", "GET", "/tenants/T", 404 },        { "_control", "GET", "/nothing", 404 },
	};
	struct asked a = ask(NULL, table[_i].system, table[_i].method, table[_i].path, NULL, NULL, NULL);

	ck_assert_int_eq(a.status, table[_i].status);
	drop(&a);
}
END_TEST

/* ---- keys and tokens ---- */

START_TEST(test_headers_are_required)
{
	ck_assert_int_eq(put_state("", "1", "Suspended").status, 400);
	ck_assert_int_eq(put_state("two words", "1", "Suspended").status, 400);
	ck_assert_int_eq(put_state("k", "", "Suspended").status, 400);
	ck_assert_int_eq(put_state("k", "-1", "Suspended").status, 400);
	ck_assert_int_eq(put_state("k", "1x", "Suspended").status, 400);
	ck_assert_int_eq(put_state("k", "99999999999999999999999", "Suspended").status, 400);
	ck_assert_int_eq(put_state("k", "18446744073709551615", "Suspended").acted, 1);
}
END_TEST

START_TEST(test_key)
{
	struct asked first = put_state("k", "5", "Suspended"), again = put_state("k", "5", "Suspended"),
		     other = put_state("k", "5", "Running"), same = put_state("k2", "5", "Suspended");

	ck_assert_int_eq(first.acted, 1);
	ck_assert_int_eq(again.acted, 1); /* the first answer */
	ck_assert_int_eq(other.status, 422);
	ck_assert_str_eq(other.type, "key-reused");
	ck_assert_int_eq(same.status, 200);
	ck_assert_int_eq(same.acted, 0);
	ck_assert_uint_eq(stub_server_acted(server, ""), 1);
	ck_assert_uint_eq(stub_server_received(server, ""), 4);
}
END_TEST

START_TEST(test_a_refused_order_may_be_tried_again)
{
	ck_assert_int_eq(put_state("k", "5", "Nonsense").status, 400);
	ck_assert_int_eq(put_state("k", "5", "Suspended").acted, 1);
}
END_TEST

START_TEST(test_token)
{
	ck_assert_int_eq(put_state("new", "9", "Suspended").acted, 1);
	ck_assert_str_eq(put_state("old", "8", "Running").type, "fenced");
	ck_assert_str_eq(put_state("new", "8", "Suspended").type, "fenced"); /* though the key is known */
	ck_assert_int_eq(put_state("next", "9", "Running").acted, 1);
}
END_TEST

START_TEST(test_token_is_per_tenant_and_system)
{
	struct asked a;

	ck_assert_int_eq(put_state("new", "9", "Suspended").acted, 1);
	a = ask(NULL, "superid", "PUT", "/tenants/T/state", "k", "3", "{\"state\":\"in_migration\"}");
	ck_assert_int_eq(a.acted, 1);
	drop(&a);
	a = ask(NULL, "hosting", "PUT", "/tenants/P/state", "k", "3", "{\"state\":\"Suspended\"}");
	ck_assert_str_eq(a.type, "not-a-sandbox");
	drop(&a);
}
END_TEST

enum { RACERS = 8 };

static void *race(void *arg)
{
	(void)arg;
	ck_assert_int_eq(put_state("k", "5", "Suspended").acted, 1);
	return NULL;
}

START_TEST(test_race_for_one_key)
{
	pthread_t racers[RACERS];

	for (int i = 0; i < RACERS; i++)
		pthread_create(&racers[i], NULL, race, NULL);
	for (int i = 0; i < RACERS; i++)
		pthread_join(racers[i], NULL);
	ck_assert_uint_eq(stub_server_acted(server, "k"), 1);
	ck_assert_uint_eq(stub_server_received(server, "k"), RACERS);
}
END_TEST

/* ---- state ---- */

static char *world_text(void)
{
	json_t *state = stub_server_state(server);
	char *text = json_dumps(state, JSON_SORT_KEYS);

	ck_assert_ptr_nonnull(text);
	json_decref(state);
	return text;
}

START_TEST(test_nothing_acknowledged_is_lost)
{
	char key[16], path[64], body[64], *before, *after;

	for (int i = 0; i < 12; i++) {
		struct asked a;

		snprintf(key, sizeof key, "k%d", i);
		snprintf(path, sizeof path, "/tenants/T/routes/route%d", i);
		snprintf(body, sizeof body, "{\"address\":\"a%d@t.example\"}", i);
		a = ask(NULL, "mail", "PUT", path, key, "5", body);
		ck_assert_int_eq(a.acted, 1);
		drop(&a);
		before = world_text();
		stub_server_kill(server);
		ck_assert_msg(stub_server_restart(server, &err), "%s", err.text);
		after = world_text();
		ck_assert_str_eq(before, after);
		free(before);
		free(after);
		a = ask(NULL, "mail", "PUT", path, key, "5", body);
		ck_assert_int_eq(a.status, 200);
		drop(&a);
	}
	ck_assert_uint_eq(stub_server_acted(server, "k"), 12);
	ck_assert_uint_eq(stub_server_received(server, "k"), 24);
}
END_TEST

/* ---- many at once ---- */

enum { WRITERS = 4, ORDERS = 1500 }; /* together more than fit between two whole writes of the state */

struct writer {
	int number, acknowledged; /* orders 0 .. acknowledged - 1 */
	pthread_t thread;
};

/* Orders until the server goes away; one connection. */
static void *write_many(void *arg)
{
	struct writer *w = arg;
	char url[64], path[64], key[32], body[64];
	struct http_settings s = { .base_url = stub_server_url(server, "mail", url, sizeof url), .total_timeout_ms = 5000 };
	struct err e = { 0 };
	struct http_client *c = http_client_new(&s, "mail", NULL, &e);

	for (int n = 0; c && n < ORDERS; n++) {
		const struct http_header headers[] = { { "Idempotency-Key", key }, { "Sandbox-Fencing-Token", "5" } };
		const struct http_request request = { "PUT", path, headers, 2, body,
			(size_t)snprintf(body, sizeof body, "{\"address\":\"a%d-%d@t.example\"}", w->number, n) };
		struct http_answer answer;

		snprintf(key, sizeof key, "w%d-%d", w->number, n);
		snprintf(path, sizeof path, "/tenants/T/routes/route%d-%d", w->number, n);
		if (!http_client_send(c, &request, &answer, &e) || answer.status != 200)
			break;
		w->acknowledged = n + 1;
	}
	http_client_free(&c);
	return NULL;
}

static void start_writers(struct writer writers[WRITERS])
{
	for (int i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){ .number = i };
		ck_assert_int_eq(pthread_create(&writers[i].thread, NULL, write_many, &writers[i]), 0);
	}
}

/* Each acknowledged order has its effect and its line, and no effect is without a line. */
static void check_writers(const struct writer writers[WRITERS])
{
	json_t *state = stub_server_state(server), *routes = json_object_get(json_object_get(state, "world"), "mail");
	size_t lines = stub_server_acted(server, "w"), acknowledged = 0;

	for (int i = 0; i < WRITERS; i++) {
		acknowledged += (size_t)writers[i].acknowledged;
		for (int n = 0; n < writers[i].acknowledged; n++) {
			char id[64];

			snprintf(id, sizeof id, "route%d-%d", i, n);
			ck_assert_msg(json_object_get(routes, id), "%s was acknowledged and is gone", id);
		}
	}
	ck_assert_uint_eq(json_object_size(routes), lines + 1); /* the seed has one */
	ck_assert_uint_ge(lines, acknowledged);
	ck_assert_uint_le(lines, acknowledged + WRITERS);
	json_decref(state);
}

START_TEST(test_killed_among_many)
{
	struct writer writers[WRITERS];

	start_writers(writers);
	while (stub_server_acted(server, "w") < 100)
		pause_ms(5);
	stub_server_kill(server);
	for (int i = 0; i < WRITERS; i++)
		pthread_join(writers[i].thread, NULL);
	ck_assert_msg(stub_server_restart(server, &err), "%s", err.text);
	check_writers(writers);
}
END_TEST

START_TEST(test_killed_after_very_many)
{
	struct writer writers[WRITERS];
	char *before, *after;

	start_writers(writers);
	for (int i = 0; i < WRITERS; i++)
		pthread_join(writers[i].thread, NULL);
	check_writers(writers);
	before = world_text();
	for (int stop = 0; stop <= 1; stop++) {
		(stop ? stub_server_stop : stub_server_kill)(server);
		ck_assert_msg(stub_server_restart(server, &err), "%s", err.text);
		after = world_text();
		ck_assert_str_eq(before, after);
		free(after);
	}
	ck_assert_int_eq(writers[0].acknowledged, ORDERS);
	free(before);
}
END_TEST

/* What the killed one had half written was never acknowledged. */
START_TEST(test_half_a_line)
{
	char path[512];
	FILE *f;

	ck_assert_int_eq(put_state("k1", "5", "Suspended").acted, 1);
	stub_server_kill(server);
	snprintf(path, sizeof path, "%s/state/calls.jsonl", stub_server_folder(server));
	f = fopen(path, "ae");
	ck_assert_ptr_nonnull(f);
	fputs("{\"seq\":2,\"system\":\"hosting\",\"saved\":true,\"method\":\"PUT\",\"pa", f);
	fclose(f);
	ck_assert_msg(stub_server_restart(server, &err), "%s", err.text);
	ck_assert_int_eq(put_state("k2", "5", "Running").acted, 1);
	ck_assert_uint_eq(stub_server_received(server, "k"), 2);
	stub_server_kill(server);
	ck_assert_msg(stub_server_restart(server, &err), "%s", err.text);
	ck_assert_uint_eq(stub_server_acted(server, "k"), 2);
}
END_TEST

static void *put_and_wait(void *arg)
{
	*(int *)arg = put_state("k", "5", "Suspended").status;
	return NULL;
}

START_TEST(test_killed_before_the_answer)
{
	pthread_t thread;
	int status = -1;

	ck_assert(stub_server_fault(server, "{\"kind\":\"act-then-hang\",\"method\":\"PUT\"}"));
	pthread_create(&thread, NULL, put_and_wait, &status);
	while (stub_server_acted(server, "k") == 0) /* answers although the other call hangs */
		pause_ms(10);
	stub_server_kill(server);
	pthread_join(thread, NULL);
	ck_assert_int_eq(status, 0);
	ck_assert_msg(stub_server_restart(server, &err), "%s", err.text);
	ck_assert_int_eq(put_state("k", "5", "Suspended").acted, 1);
	ck_assert_uint_eq(stub_server_acted(server, "k"), 1);
}
END_TEST

START_TEST(test_time_passes)
{
	struct asked recycled;

	ck_assert_int_eq(pending("pending_tasks"), 2);
	pause_ms(450);
	ck_assert_int_eq(pending("pending_tasks"), 1);
	ck_assert_int_eq(pending("pending_tasks"), 0);
	ck_assert_int_eq(pending("pending_web_config"), 0);
	recycled = ask(NULL, "hosting", "POST", "/tenants/T/recycle", "k", "5", NULL);
	ck_assert_int_eq(recycled.acted, 1);
	drop(&recycled);
	ck_assert_int_eq(pending("pending_web_config"), 1);
	ck_assert_int_eq(pending("pending_web_config"), 1);
	ck_assert_int_eq(pending("pending_web_config"), 0);
}
END_TEST

START_TEST(test_wrong_seed)
{
	static const char *const seeds[] = {
		"", "[]", "{", "{\"tenant\":[]}", "{\"tenants\":{}}", "{\"tenants\":[1]}", "{\"tenants\":[{\"ctx\":\"T\"}]}",
		"{\"tenants\":[{\"ctx\":\"T\",\"kind\":\"test\",\"databse\":\"t\"}]}",
		"{\"tenants\":[{\"ctx\":\"T\",\"kind\":\"test\",\"tasks\":[{\"name\":\"n\"}]}]}",
		"{\"settings\":{\"x\":1}}", "{\"routes\":[{\"id\":\"r\",\"address\":1,\"tenant_ctx\":\"T\"}]}",
		"{\"licences\":[{\"ctx\":\"T\",\"owner\":\"o\",\"serial\":\"s\",\"modules\":[{\"type\":1}]}]}",
		"{\"identities\":[{\"ctx\":\"T\",\"users\":[{\"login\":1}]}]}",
		"{\"authorisations\":[{\"ctx\":\"T\",\"client_id\":\"c\",\"name\":\"n\",\"status\":\"maybe\"}]}",
	};
	struct stub_server *other = stub_server_start(NULL, seeds[_i], &err);

	ck_assert_ptr_null(other);
	ck_assert_int_eq(err.class, ERR_TRANSIENT);
}
END_TEST

static int status_with(const char *bearer)
{
	struct asked a = ask(bearer, "hosting", "GET", "/tenants/T", NULL, NULL, NULL);

	drop(&a);
	return a.status;
}

START_TEST(test_bearer)
{
	char file[256];
	FILE *f;

	snprintf(file, sizeof file, "%s/token", stub_server_folder(server));
	f = fopen(file, "we");
	ck_assert(f && fputs("s3cret\n", f) >= 0 && fclose(f) == 0);
	ck_assert_int_eq(status_with(NULL), 200);
	stub_server_stop(server);
	ck_assert_msg(stub_server_restart(server, &err), "%s", err.text);
	ck_assert_int_eq(status_with(NULL), 401);
	ck_assert_int_eq(status_with("s3cre"), 401);
	ck_assert_int_eq(status_with("s3cret"), 200);
}
END_TEST

/* ---- faults ---- */

START_TEST(test_fault_matches)
{
	ck_assert(stub_server_fault(server, "{\"kind\":\"status\",\"status\":500,\"system\":\"hosting\","
	                                    "\"method\":\"PUT\",\"path\":\"/tenants/T/st\",\"times\":2}"));
	ck_assert_int_eq(pending("pending_web_config"), 0);
	ck_assert_int_eq(put_state("k", "5", "Suspended").status, 500);
	ck_assert_int_eq(put_state("k", "5", "Suspended").status, 500);
	ck_assert_int_eq(put_state("k", "5", "Suspended").acted, 1);
	ck_assert(stub_server_fault(server, "{\"kind\":\"status\",\"times\":-1}"));
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(put_state("k", "5", "Suspended").status, 503);
	ck_assert(stub_server_clear_faults(server));
	ck_assert_int_eq(put_state("k", "5", "Suspended").status, 200);
}
END_TEST

START_TEST(test_wrong_fault)
{
	static const char *const faults[] = { "", "[]", "{}", "{\"kind\":\"\"}", "{\"kind\":\"boom\"}",
		                              "{\"kind\":\"status\",\"status\":42}", "{\"kind\":\"hang\",\"ms\":\"1\"}",
		                              "{\"kind\":\"hang\",\"system\":1}" };

	ck_assert(!stub_server_fault(server, faults[_i]));
	ck_assert_int_eq(put_state("k", "5", "Suspended").acted, 1);
}
END_TEST

START_TEST(test_stops_while_a_call_hangs)
{
	pthread_t thread;
	int status = -1;

	ck_assert(stub_server_fault(server, "{\"kind\":\"hang\"}"));
	pthread_create(&thread, NULL, put_and_wait, &status);
	while (stub_server_received(server, "k") == 0)
		pause_ms(10);
	stub_server_stop(server);
	pthread_join(thread, NULL);
	ck_assert_int_eq(status, 0);
}
END_TEST

static Suite *stubs_suite(void)
{
	const TTest *const tests[] = {
		test_headers_are_required, test_key, test_a_refused_order_may_be_tried_again, test_token,
		test_token_is_per_tenant_and_system, test_race_for_one_key, test_nothing_acknowledged_is_lost,
		test_killed_before_the_answer, test_killed_among_many, test_killed_after_very_many,
		test_half_a_line, test_time_passes, test_bearer, test_fault_matches,
		test_stops_while_a_call_hangs,
	};
	Suite *s = suite_create("stubs");
	TCase *t = tcase_create("server");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 30);
	tcase_add_loop_test(t, test_contract_is_served, 0, 5);
	tcase_add_loop_test(t, test_what_is_no_contract, 0, 8);
	tcase_add_loop_test(t, test_wrong_seed, 0, 14);
	tcase_add_loop_test(t, test_wrong_fault, 0, 8);
	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
		tcase_add_test(t, tests[i]);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(stubs_suite());
	int failures;

	srunner_run_all(sr, CK_NORMAL);
	failures = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failures != 0;
}
