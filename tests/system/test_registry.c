/* SPDX-License-Identifier: Apache-2.0
 * A consumer whose schema registry is slow, down, or talks nonsense: a record of an unknown schema waits with its
 * partition, everything else goes on, and nothing is lost. And clones whose records say their schema in a header. */
#include "consumer/adapters/avro/wire.h"
#include "tests/support/installation.h"
#include "tests/support/schema_registry.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { CLONE_WITHIN_MS = 60000, SOON_MS = 20000, OTHERS = 5 };

static const char strange[] = "0198f0c2-0001-7c5b-9a54-000000000001", behind[] = "0198f0c2-0002-7c5b-9a54-000000000002";

static struct installation *i;
static struct schema_registry *registry;

static void setup(void)
{
	registry = schema_registry_new();
	setenv("SANDBOX_REGISTRY__URL", schema_registry_url(registry), 1);
	setenv("SANDBOX_REGISTRY__TIMEOUT", "1s", 1);
	i = installation_new(&(struct installation_options){ .targets = 1 + OTHERS, .own_sources = true });
}

static void teardown(void)
{
	installation_free(&i);
	schema_registry_free(&registry);
}

/* A sound request whose bytes name a schema that nobody has seen. */
static void send_strange(void)
{
	const struct message m = good_request(i, strange, TARGET);
	struct buf value;

	encode_message(i, &m, &value);
	wire_write_prefix(STRANGE_ID, value.data);
	send_bytes(i, TOPIC_REQUESTED, TARGET, value.data, value.len);
	buf_done(&value);
}

static void await_question(int more_than)
{
	int64_t until = now_ms() + SOON_MS;

	while (schema_registry_asked(registry) <= more_than) {
		if (now_ms() > until)
			fail_with_logs(i, "the registry was not asked");
		pause_ms(10);
	}
}

static void await_reading(void)
{
	int64_t until = now_ms() + SOON_MS;

	while (!consumer_said(i, "partition taken")) {
		if (now_ms() > until)
			fail_with_logs(i, "no partition was taken");
		pause_ms(10);
	}
}

static const char *other_id(int n)
{
	static char id[64];

	snprintf(id, sizeof id, "0198f0c2-01%02d-7c5b-9a54-000000000001", n);
	return id;
}

/* Requests for the other targets, each a tenant of its own. How many of them end within the time. */
static int clone_others(void)
{
	int64_t until = now_ms() + CLONE_WITHIN_MS;
	int ended = 0;

	for (int n = 1; n <= OTHERS; n++) {
		char target[32];

		snprintf(target, sizeof target, "Cust%d", 70001 + n);
		send_request(i, other_id(n), target);
	}
	/* Those in the same partition wait with it, and are the same in every run. */
	while (ended < 2 && now_ms() < until) {
		ended = 0;
		for (int n = 1; n <= OTHERS; n++)
			ended += look_at(i, other_id(n)).status == CLONE_COMPLETED;
		pause_ms(20);
	}
	return ended;
}

START_TEST(nobody_else_waits_for_a_slow_registry)
{
	setenv("SANDBOX_REGISTRY__TIMEOUT", "10m", 1);
	consumer_start(i, 0);
	await_reading();

	schema_registry_is(registry, REGISTRY_HANGS);
	send_strange();
	await_question(0);
	send_request(i, behind, TARGET);
	ck_assert_int_ge(clone_others(), 2);
	ck_assert_int_eq(look_at(i, strange).status, CLONE_STATUS_UNSET);
	ck_assert_int_eq(look_at(i, behind).status, CLONE_STATUS_UNSET);

	schema_registry_is(registry, REGISTRY_ANSWERS);
	await(i, behind, CLONE_REJECTED, CLONE_WITHIN_MS); /* it came second, when the target was busy */
	await(i, strange, CLONE_COMPLETED, CLONE_WITHIN_MS);
	for (int n = 1; n <= OTHERS; n++)
		await(i, other_id(n), CLONE_COMPLETED, CLONE_WITHIN_MS);
	await_committed(i, SOON_MS);
}
END_TEST

START_TEST(what_waits_is_read_again_by_the_next)
{
	setenv("SANDBOX_REGISTRY__TIMEOUT", "10m", 1);
	consumer_start(i, 0);
	await_reading();
	schema_registry_is(registry, REGISTRY_HANGS);
	send_strange();
	await_question(0);
	consumer_kill(i, 0);

	schema_registry_is(registry, REGISTRY_ANSWERS);
	consumer_start(i, 0);
	await(i, strange, CLONE_COMPLETED, CLONE_WITHIN_MS);
	await_committed(i, SOON_MS);
}
END_TEST

START_TEST(a_stop_does_not_wait_either)
{
	setenv("SANDBOX_REGISTRY__TIMEOUT", "10m", 1);
	consumer_start(i, 0);
	await_reading();
	schema_registry_is(registry, REGISTRY_HANGS);
	send_strange();
	await_question(0);
	ck_assert_int_eq(consumer_stop(i, 0, SOON_MS), 0);
}
END_TEST

START_TEST(nonsense_is_waited_out)
{
	static const enum registry_mood moods[] = { REGISTRY_DROPS, REGISTRY_BABBLES, REGISTRY_ENDLESS };
	struct events events;

	consumer_start(i, 0);
	await_reading();
	schema_registry_is(registry, moods[0]);
	send_strange();
	for (size_t m = 0; m < sizeof moods / sizeof *moods; m++) {
		schema_registry_is(registry, moods[m]);
		await_question(schema_registry_asked(registry) + 1); /* it had an answer of that kind, and asks again */
	}
	ck_assert_int_eq(look_at(i, strange).status, CLONE_STATUS_UNSET);
	schema_registry_is(registry, REGISTRY_ANSWERS);
	await(i, strange, CLONE_COMPLETED, CLONE_WITHIN_MS);
	events_read(i, &events);
	ck_assert_uint_eq(events_count(&events, MESSAGE_DEAD_LETTER, ""), 0);
	events_free(&events);
}
END_TEST

START_TEST(an_unknown_schema_is_a_dead_letter)
{
	struct message *letter;

	consumer_start(i, 0);
	await_reading();
	schema_registry_is(registry, REGISTRY_KNOWS_NOT);
	send_strange();
	letter = await_dead_letter(i, 0, SOON_MS);
	ck_assert_str_eq(letter->dead_letter.reason_code, "unknown-schema");
	message_free(&letter);
	send_request(i, behind, TARGET); /* the partition goes on */
	await(i, behind, CLONE_COMPLETED, CLONE_WITHIN_MS);
	await_committed(i, SOON_MS);
}
END_TEST

static void await_end(int n)
{
	int64_t until = now_ms() + SOON_MS;

	while (consumer_runs(i, n)) {
		if (now_ms() > until)
			fail_with_logs(i, "the consumer goes on");
		pause_ms(10);
	}
}

START_TEST(it_begins_with_what_it_learnt_before)
{
	char folder[128];

	schema_registry_is(registry, REGISTRY_DROPS);
	consumer_start(i, 0);
	await_end(0);
	ck_assert(consumer_said(i, "cannot start"));

	snprintf(folder, sizeof folder, "%s/schemas", i->folder);
	ck_assert_int_eq(mkdir(folder, 0755), 0);
	setenv("SANDBOX_REGISTRY__CACHE_DIR", folder, 1);
	schema_registry_is(registry, REGISTRY_ANSWERS);
	consumer_start(i, 0);
	send_strange();
	await(i, strange, CLONE_COMPLETED, CLONE_WITHIN_MS);
	ck_assert_int_eq(consumer_stop(i, 0, SOON_MS), 0);

	schema_registry_is(registry, REGISTRY_DROPS);
	consumer_start(i, 0);
	send_request(i, behind, TARGET);
	await(i, behind, CLONE_COMPLETED, CLONE_WITHIN_MS);
}
END_TEST

START_TEST(our_schemas_must_be_registered)
{
	schema_registry_is(registry, REGISTRY_KNOWS_NOT);
	consumer_start(i, 0);
	await_end(0);
	ck_assert(consumer_said(i, "register it, or switch registration on"));
}
END_TEST

/* ---- the header form ---- */

/* events_read decodes every record, by its header. */
static void check_header_form(const char *id)
{
	struct events events;

	events_read(i, &events);
	ck_assert_uint_eq(events_count(&events, MESSAGE_STEP_COMPLETED, id), 33);
	check_sequence(&events, id);
	for (size_t n = 0; n < events.count; n++)
		ck_assert(events.items[n].schema_in_header);
	events_free(&events);
}

START_TEST(a_clone_in_the_header_form)
{
	setenv("SANDBOX_REGISTRY__WIRE_FORM", "header", 1);
	consumer_start(i, 0);
	send_request(i, behind, TARGET);
	await_steps(i, behind, 3, CLONE_WITHIN_MS);
	consumer_kill(i, 0); /* its successor finds the request in the store, where it has no headers */
	consumer_start(i, 0);
	await(i, behind, CLONE_COMPLETED, CLONE_WITHIN_MS);
	check_header_form(behind);
}
END_TEST

START_TEST(a_clone_in_the_header_form_without_a_registry)
{
	unsetenv("SANDBOX_REGISTRY__URL");
	setenv("SANDBOX_REGISTRY__WIRE_FORM", "header", 1);
	consumer_start(i, 0);
	send_request(i, behind, TARGET);
	await(i, behind, CLONE_COMPLETED, CLONE_WITHIN_MS);
	check_header_form(behind);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("registry");
	TCase *tc = tcase_create("registry");

	tcase_set_timeout(tc, 240);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, nobody_else_waits_for_a_slow_registry);
	tcase_add_test(tc, what_waits_is_read_again_by_the_next);
	tcase_add_test(tc, a_stop_does_not_wait_either);
	tcase_add_test(tc, nonsense_is_waited_out);
	tcase_add_test(tc, an_unknown_schema_is_a_dead_letter);
	tcase_add_test(tc, it_begins_with_what_it_learnt_before);
	tcase_add_test(tc, our_schemas_must_be_registered);
	tcase_add_test(tc, a_clone_in_the_header_form);
	tcase_add_test(tc, a_clone_in_the_header_form_without_a_registry);
	suite_add_tcase(suite, tc);
	return installation_run(suite);
}
