/* SPDX-License-Identifier: Apache-2.0
 * Tests that each have an embedded broker of their own. */
#ifndef SANDBOX_TESTS_KAFKA_SUITE_H
#define SANDBOX_TESTS_KAFKA_SUITE_H

#include "tests/support/kafka_broker.h"

#include <check.h>
#include <stdlib.h>

/* Runs them; main's value. *broker is started before each test and ended after it, even when the test dies. */
int kafka_suite_run(const char *name, struct kafka_broker *broker, int partitions, const TTest *const *tests,
                    size_t count);
#define KAFKA_SUITE(name, broker, partitions, ...)                                                                     \
	(setenv("BUILD_DIR", BUILD_DIR, 0),                                                                            \
	 kafka_suite_run(name, broker, partitions, (const TTest *const[]){ __VA_ARGS__ },                              \
			 sizeof(const TTest *const[]){ __VA_ARGS__ } / sizeof(const TTest *)))

#endif
