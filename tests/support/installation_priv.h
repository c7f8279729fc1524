/* SPDX-License-Identifier: Apache-2.0
 * Between the files of the installation. */
#ifndef SANDBOX_TESTS_INSTALLATION_PRIV_H
#define SANDBOX_TESTS_INSTALLATION_PRIV_H

#include "consumer/adapters/kafka/kafka_settings.h"
#include "tests/support/installation.h"

/* A part of the folder; out_r holds size bytes. */
const char *installation_path(const struct installation *i, const char *part, char *out_r, size_t size);
struct kafka_settings installation_kafka(const struct installation *i);

#endif
