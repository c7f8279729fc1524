/* SPDX-License-Identifier: Apache-2.0
 * A partner's program in Python, with Confluent's client, asks for clones and reads all that is told of them, with the schemas
 * of a registry: a real Apicurio, where schemas must stay compatible, for ids before the value, and the registry of the tests
 * for GUIDs in a header, which Apicurio does not know. Skipped, with a line that says so, where one of them cannot be had.
 * tests/support/on_kafka.sh has it on a real Kafka as well. */
#include "tests/support/installation.h"
#include "tests/support/notifier_world.h"
#include "tests/support/schema_registry.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WITHIN_MS = 120000, LINE_MAX_BYTES = 64 * 1024 };

static const char first[] = "0198f0c2-0010-7c5b-9a54-000000000001", second[] = "0198f0c2-0011-7c5b-9a54-000000000001";

static struct installation *i;
static char python[256], apicurio[96], apicurio_url[128];

/* ---- the programs of others ---- */

/* Its first line, outside of a test, too; false when it ends badly. */
static bool first_line(const char *command, char *line_r, size_t size, int *status_r)
{
	FILE *f = popen(command, "r");

	*status_r = -1;
	if (!f || !fgets(line_r, (int)size, f))
		line_r[0] = '\0';
	if (!f)
		return false;
	line_r[strcspn(line_r, "\n")] = '\0';
	*status_r = pclose(f);
	*status_r = WIFEXITED(*status_r) ? WEXITSTATUS(*status_r) : -1;
	return *status_r == 0 && line_r[0];
}

static FILE *begin_client(const char *words)
{
	char command[8192];
	FILE *f;

	ck_assert_int_lt(snprintf(command, sizeof command, "PYTHONPATH='%s' python3 '%s/compose/lib/kafka_client.py' %s 2>&1",
				  python, SOURCE_DIR, words), (int)sizeof command);
	f = popen(command, "r");
	ck_assert_ptr_nonnull(f);
	return f;
}

/* What it says when it has nothing to tell but trouble; "" all was well. */
static const char *run_client(const char *words)
{
	static char said[LINE_MAX_BYTES];
	FILE *f = begin_client(words);
	size_t len = fread(said, 1, sizeof said - 1, f);

	said[len] = '\0';
	if (pclose(f) != 0 && !len)
		return "it ended badly, without a word";
	return said;
}

/* One record by a partner's hand: file is the schema's, more is the rest of its fields, form "" or "header". */
static void tell(enum topic topic, const char *file, const char *id, const char *more, const char *registry, const char *form)
{
	char words[4096];

	snprintf(words, sizeof words,
		 "ask %s %s %s '%s/schemas/%s' '{\"clone_id\":\"%s\",\"target_ctx\":\"" TARGET
		 "\",\"requested_by\":\"admin@north.example\",%s}' %s",
		 i->broker.bootstrap, registry, topic_name(topic), SOURCE_DIR, file, id, more, form);
	ck_assert_str_eq(run_client(words), "");
}

static void ask(const char *id, const char *registry, const char *form)
{
	tell(TOPIC_REQUESTED, "clone_requested.avsc", id,
	     "\"kind\":\"REPLACE\",\"source_ctx\":\"" SOURCE "\",\"requested_at\":1785578400000,"
	     "\"mask\":{\"domain\":\"sandbox.example\"},\"user_plan_map\":[{\"login\":\"admin@north.example\",\"plan\":"
	     "\"ten-salesservicemarketing\",\"admin\":true}],\"documents\":\"ALL\",\"confirmed\":true",
	     registry, form);
}

struct count {
	json_t *seen; /* event ids: whoever reads events must know one that comes twice */
	int steps, restored, states, letters, refused, unreadable;
};

static void count_letter(struct count *c, const json_t *letter)
{
	const char *code = json_string_value(json_object_get(letter, "reason_code"));
	const char *value = json_string_value(json_object_get(letter, "value"));

	ck_assert_str_ne(json_string_value(json_object_get(letter, "reason")), "");
	c->letters++;
	c->refused += strcmp(code, "refused") == 0;
	c->unreadable += strcmp(code, "bad-magic") == 0 && strcmp(value, "b'nonsense'") == 0;
}

static void count_record(struct count *c, const json_t *said, const char *id, const char *form)
{
	const char *topic = json_string_value(json_object_get(said, "topic"));
	const json_t *record = json_object_get(said, "record");
	const char *event = json_string_value(json_object_get(record, "event_id"));

	ck_assert_str_eq(json_string_value(json_object_get(said, "form")), form);
	if (strcmp(topic, topic_name(TOPIC_DEAD_LETTER)) == 0) {
		count_letter(c, record);
		return;
	}
	ck_assert_str_eq(json_string_value(json_object_get(record, "clone_id")), id);
	if (json_object_get(c->seen, event))
		return;
	json_object_set_new(c->seen, event, json_true());
	c->steps += strcmp(topic, topic_name(TOPIC_STEP_COMPLETED)) == 0;
	c->restored += strcmp(topic, topic_name(TOPIC_BACKUP_RESTORED)) == 0;
	c->states += strcmp(topic, topic_name(TOPIC_STATE)) == 0;
}

/* Every record of the topics is one that the client understands, in that form, and about that clone. */
static struct count read_all(const char *id, const char *registry, const char *form)
{
	char words[768], line[LINE_MAX_BYTES];
	struct count c = { .seen = json_object() };
	FILE *f;

	snprintf(words, sizeof words, "read %s %s", i->broker.bootstrap, registry);
	f = begin_client(words);
	while (fgets(line, sizeof line, f)) {
		json_t *said = json_loads(line, 0, NULL);

		ck_assert_msg(json_is_object(said), "the client says: %s", line);
		count_record(&c, said, id, form);
		json_decref(said);
	}
	ck_assert_int_eq(pclose(f), 0);
	json_decref(c.seen);
	return c;
}

/* A clone that is asked for, paused and replayed in that form, beside what cannot be done. What is told of it, and of that,
 * reads who has the registry. */
static void steer_and_read(const char *id, const char *registry, const char *asked, const char *told)
{
	struct count c;

	ck_assert(stub_server_fault(i->stubs, "{\"kind\":\"status\",\"system\":\"superid\",\"status\":503,\"times\":-1}"));
	send_bytes(i, TOPIC_REQUESTED, TARGET, "nonsense", strlen("nonsense"));
	ask(id, registry, asked);
	await_steps(i, id, 3, WITHIN_MS);
	tell(TOPIC_CONTROL, "clone_control.avsc", id, "\"verb\":\"PAUSE\",\"reason\":\"a look\"", registry, asked);
	await(i, id, CLONE_PAUSED, WITHIN_MS);
	ck_assert(stub_server_clear_faults(i->stubs));
	tell(TOPIC_REPLAY, "clone_replay.avsc", id, "\"reason\":\"looked at\"", registry, asked);
	ck_assert_int_eq(await_from_rest(i, id, CLONE_COMPLETED, WITHIN_MS).run, 2);
	tell(TOPIC_CONTROL, "clone_control.avsc", id, "\"verb\":\"RESUME\"", registry, asked);
	await_committed(i, WITHIN_MS);
	c = read_all(id, registry, told);
	ck_assert_int_eq(c.steps, STEP_END);
	ck_assert_int_eq(c.restored, 1);
	ck_assert_int_ge(c.states, 4);
	ck_assert_int_eq(c.letters, 2);
	ck_assert_int_eq(c.unreadable, 1);
	ck_assert_int_eq(c.refused, 1);
}

/* ---- tests ---- */

static void setup(void)
{
	setenv("SANDBOX_REGISTRY__URL", apicurio_url, 1);
	setenv("SANDBOX_REGISTRY__AUTO_REGISTER", "true", 1);
	i = installation_new(&(struct installation_options){ .targets = 1 });
}

static void teardown(void)
{
	installation_free(&i);
}

static void await_end(void)
{
	int64_t until = now_ms() + WITHIN_MS;

	while (consumer_runs(i, 0)) {
		ck_assert_msg(now_ms() < until, "the consumer goes on");
		pause_ms(20);
	}
}

/* By then it has registered its schemas. */
static void start_and_await(void)
{
	int64_t until = now_ms() + WITHIN_MS;

	consumer_start(i, 0);
	while (!consumer_said(i, "started")) {
		if (now_ms() > until || !consumer_runs(i, 0))
			fail_with_logs(i, "the consumer did not start");
		pause_ms(20);
	}
}

static const char *client_with_subject(const char *act, const char *file)
{
	char words[512];

	snprintf(words, sizeof words, "%s %s %s-value '%s'", act, apicurio_url, topic_name(TOPIC_STATE), file);
	return run_client(words);
}

static void write_foreign_schema(char *path_r, size_t size)
{
	FILE *f;

	snprintf(path_r, size, "%s/foreign.avsc", i->folder);
	f = fopen(path_r, "we");
	ck_assert_ptr_nonnull(f);
	fputs("{\"type\":\"record\",\"name\":\"CloneState\",\"namespace\":\"sandbox.clone\",\"fields\":[{\"name\":\"clone_id\","
	      "\"type\":\"int\"}]}", f);
	ck_assert_int_eq(fclose(f), 0);
}

START_TEST(a_schema_that_does_not_fit_is_refused)
{
	char path[128];

	write_foreign_schema(path, sizeof path);
	ck_assert_str_eq(client_with_subject("register", path), "");
	consumer_start(i, 0);
	await_end();
	ck_assert(consumer_said(i, "schemas/clone_state.avsc is not compatible with what the schema registry has for subject "
				   "sandbox.clone.state-value"));
	ck_assert_str_eq(client_with_subject("forget", path), "");
}
END_TEST

/* Then the registry goes away, and the next consumer does with what this one learnt: ids are remembered. */
START_TEST(a_partner_asks_and_reads_by_ids)
{
	char path[128], command[512], ignored[16];
	int status;

	snprintf(path, sizeof path, "%s/schemas", i->folder);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	setenv("SANDBOX_REGISTRY__CACHE_DIR", path, 1);
	start_and_await();
	steer_and_read(first, apicurio_url, "", "prefix");
	ck_assert_int_eq(consumer_stop(i, 0, WITHIN_MS), 0);
	write_foreign_schema(path, sizeof path);
	ck_assert_ptr_nonnull(strstr(client_with_subject("register", path), "409"));

	ask(second, apicurio_url, "");
	snprintf(command, sizeof command, "'%s/compose/lib/apicurio.sh' stop %s", SOURCE_DIR, apicurio);
	first_line(command, ignored, sizeof ignored, &status);
	ck_assert_int_eq(status, 0);
	consumer_start(i, 0);
	await(i, second, CLONE_COMPLETED, WITHIN_MS);
}
END_TEST

START_TEST(a_partner_asks_and_reads_by_guids)
{
	struct schema_registry *registry = schema_registry_new();

	setenv("SANDBOX_REGISTRY__URL", schema_registry_url(registry), 1);
	setenv("SANDBOX_REGISTRY__WIRE_FORM", "header", 1);
	consumer_start(i, 0);
	steer_and_read(first, schema_registry_url(registry), "header", "header");
	ck_assert_int_eq(consumer_stop(i, 0, WITHIN_MS), 0);
	schema_registry_free(&registry);
}
END_TEST

/* Beside what cannot be read goes what can: then the letter lies in its topic. */
START_TEST(what_the_notifier_refuses_can_be_read)
{
	struct schema_registry *registry = schema_registry_new();
	struct notifier_world *w = notifier_world_new();
	char words[512];
	const char *all, *said;

	setenv("SANDBOX_REGISTRY__URL", schema_registry_url(registry), 1);
	setenv("SANDBOX_REGISTRY__WIRE_FORM", "header", 1);
	unsetenv("SANDBOX_REGISTRY__AUTO_REGISTER");
	approve(w, TARGET, "app", PARTNER_HTTP, "/app", "");
	notifier_world_open(w, "");
	notifier_start(w, 0);
	tell_bytes(w, TARGET, "nonsense", strlen("nonsense"));
	tell_restored(w, TARGET, 1);
	if (!partner_server_await(w->partner, "/app", 1, WITHIN_MS))
		notifier_failed(w, "the partner was not told");
	ck_assert_int_eq(notifier_stop(w, 0, WITHIN_MS), 0);
	snprintf(words, sizeof words, "read %s %s sandbox.notifier.dead-letter", w->broker.bootstrap, schema_registry_url(registry));
	all = run_client(words);
	said = strstr(all, "{\"topic\": \"sandbox.notifier.dead-letter\"");
	ck_assert_msg(said, "the client says: %s", all);
	ck_assert_ptr_nonnull(strstr(said, "\"form\": \"header\""));
	ck_assert_ptr_nonnull(strstr(said, "\"reason_code\": \"bad-magic\""));
	ck_assert_ptr_nonnull(strstr(said, "\"value\": \"b'nonsense'\""));
	notifier_world_free(&w);
	schema_registry_free(&registry);
}
END_TEST

static int run_suite(void)
{
	Suite *suite = suite_create("registry_real");
	TCase *tc = tcase_create("registry_real");

	tcase_set_timeout(tc, 280);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_schema_that_does_not_fit_is_refused);
	tcase_add_test(tc, a_partner_asks_and_reads_by_guids);
	tcase_add_test(tc, a_partner_asks_and_reads_by_ids);
	suite_add_tcase(suite, tc);
	tc = tcase_create("notifier");
	tcase_set_timeout(tc, 280);
	tcase_add_test(tc, what_the_notifier_refuses_can_be_read);
	suite_add_tcase(suite, tc);
	return installation_run(suite);
}

enum { SKIP = 77 };

/* False, and *status_r is what the program ends with: it was skipped, or failed. */
static bool get(const char *what, const char *command, char *line_r, size_t size, int *status_r)
{
	if (first_line(command, line_r, size, status_r))
		return true;
	printf("%s%s\n", *status_r == SKIP ? "SKIPPED: there is here no " : "cannot be started: ", what);
	*status_r = *status_r != SKIP;
	return false;
}

static int run_with_both(const char *folder)
{
	char command[512];
	int status;

	snprintf(command, sizeof command, "'%s/compose/lib/kafka_python.sh'", SOURCE_DIR);
	if (!get("Python client of Confluent", command, python, sizeof python, &status))
		return status;
	snprintf(apicurio, sizeof apicurio, "%s/apicurio", folder);
	snprintf(command, sizeof command, "'%s/compose/lib/apicurio.sh' start %s", SOURCE_DIR, apicurio);
	if (get("Apicurio Registry", command, apicurio_url, sizeof apicurio_url, &status))
		status = run_suite();
	snprintf(command, sizeof command, "'%s/compose/lib/apicurio.sh' stop %s", SOURCE_DIR, apicurio);
	return system(command) != 0 ? 1 : status;
}

int main(void)
{
	const char *tmp = getenv("TMPDIR");
	char folder[64], command[128];
	int status;

	setenv("BUILD_DIR", BUILD_DIR, 0);
	setenv("SOURCE_DIR", SOURCE_DIR, 0);
	snprintf(folder, sizeof folder, "%s/registry-XXXXXX", tmp && *tmp && strlen(tmp) < 40 ? tmp : "/tmp");
	if (!mkdtemp(folder))
		return 1;
	status = run_with_both(folder);
	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	return system(command) != 0 ? 1 : status;
}
