/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/kafka_suite.h"

enum { TEST_WITHIN_S = 40 };

static struct kafka_broker *broker;
static int partitions;

static void start_broker(void)
{
	ck_assert(kafka_broker_start(broker, partitions));
}

static void stop_broker(void)
{
	kafka_broker_stop(broker);
}

int kafka_suite_run(const char *name, struct kafka_broker *broker_, int partitions_, const TTest *const *tests,
                    size_t count)
{
	Suite *suite = suite_create(name);
	SRunner *runner = srunner_create(suite);
	int failed;

	broker = broker_;
	partitions = partitions_;
	for (size_t i = 0; i < count; i++) {
		TCase *tc = tcase_create(tests[i]->name);

		tcase_set_timeout(tc, TEST_WITHIN_S);
		tcase_add_unchecked_fixture(tc, start_broker, stop_broker);
		tcase_add_test(tc, tests[i]);
		suite_add_tcase(suite, tc);
	}
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
