/* SPDX-License-Identifier: Apache-2.0
 * What an operator may and may not set; needs no broker. */
#include "consumer/adapters/kafka/kafka_bus.h"

#include <check.h>
#include <string.h>

static struct kafka_settings settings(const struct kafka_property *property)
{
	struct kafka_settings s = { .bootstrap_servers = "127.0.0.1:1", .group_id = "group", .client_id = "test" };

	s.properties = property;
	s.property_count = property ? 1 : 0;
	s.reads[TOPIC_REQUESTED] = s.writes[TOPIC_STATE] = true;
	return s;
}

static void check_refused(const struct kafka_settings *s, const char *word, const char *secret)
{
	struct err e = { 0 };
	struct bus_port *bus = kafka_bus_new(s, &e);

	ck_assert_msg(bus == NULL, "%s was taken", word);
	ck_assert_int_eq(e.class, ERR_MISUSE);
	ck_assert_msg(strstr(e.text, word) != NULL, "\"%s\" does not name %s", e.text, word);
	if (secret)
		ck_assert_ptr_null(strstr(e.text, secret));
}

static void check_taken(const struct kafka_settings *s)
{
	struct err e = { 0 };
	struct bus_port *bus = kafka_bus_new(s, &e);

	ck_assert_msg(bus != NULL, "%s", e.text);
	bus->close(bus, 1000);
}

enum { BAD_COUNT = 16 };

START_TEST(a_property_that_breaks_a_promise_is_refused)
{
	static const struct kafka_property bad[] = {
		{ "enable.auto.commit", "true" },
		{ "enable.auto.offset.store", "true" },
		{ "auto.offset.reset", "latest" },
		{ "auto.offset.reset", "LARGEST" },
		{ "check.crcs", "false" },
		{ "enable.idempotence", "false" },
		{ "acks", "1" },
		{ "request.required.acks", "1" },
		{ "transactional.id", "t" },
		{ "delivery.report.only.error", "true" },
		{ "log.queue", "false" },
		{ "partition.assignment.strategy", "cooperative-sticky" },
		{ "plugin.library.paths", "x.so" },
		{ "group.id", "other" },
		{ "client.id", "other" },
		{ "bootstrap.servers", "other:9092" },
	};
	struct kafka_settings s = settings(&bad[_i]);

	ck_assert_uint_eq(sizeof bad / sizeof *bad, BAD_COUNT);
	check_refused(&s, bad[_i].name, NULL);
}
END_TEST

START_TEST(other_properties_pass_through)
{
	static const struct kafka_property good[] = {
		{ "compression.type", "lz4" },    { "session.timeout.ms", "6000" },
		{ "auto.offset.reset", "error" }, { "partition.assignment.strategy", "roundrobin" },
		{ "security.protocol", "SSL" },   { "message.timeout.ms", "60000" },
	};

	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct kafka_settings s = settings(&good[i]);

		check_taken(&s);
	}
}
END_TEST

START_TEST(a_wrong_property_is_named_and_its_value_kept_secret)
{
	static const struct kafka_property unknown = { "sasl.pasword", "hunter2" }, wrong = { "linger.ms", "hunter2" };
	struct kafka_settings s = settings(&unknown);

	check_refused(&s, "sasl.pasword", "hunter2");
	s = settings(&wrong);
	check_refused(&s, "linger.ms", "hunter2");
}
END_TEST

START_TEST(identity_is_checked)
{
	struct kafka_settings s = settings(NULL);

	s.client_id = "a-client-id-with-thirty-three-chars";
	check_refused(&s, "client id", NULL);
	s = settings(NULL);
	s.client_id = "";
	check_refused(&s, "client id", NULL);
	s = settings(NULL);
	s.group_id = NULL;
	check_refused(&s, "group id", NULL);
	s.reads[TOPIC_REQUESTED] = false;
	check_taken(&s); /* producing needs no group */
	s.bootstrap_servers = "";
	check_refused(&s, "bootstrap servers", NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("kafka_settings");
	TCase *tests = tcase_create("settings");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tests, a_property_that_breaks_a_promise_is_refused, 0, BAD_COUNT);
	tcase_add_test(tests, other_properties_pass_through);
	tcase_add_test(tests, a_wrong_property_is_named_and_its_value_kept_secret);
	tcase_add_test(tests, identity_is_checked);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
