/* SPDX-License-Identifier: Apache-2.0
 * What the tests of the blob store share: Azurite, a container for each test, and a store that copies inside it. */
#ifndef SANDBOX_TESTS_AZURE_STORE_H
#define SANDBOX_TESTS_AZURE_STORE_H

#include "consumer/adapters/azure/azure_priv.h"
#include "tests/support/azurite.h"

#include <check.h>

extern struct azure_store {
	struct azurite azurite;
	struct blobs blobs;
	struct files_port *port;
	struct azure_settings settings;
	struct fence fence;
	struct files_choice choice;
	struct err err;
} az;

void azure_store_setup(void);
void azure_store_teardown(void);
/* Opens the port anew, with the settings as they are now. */
void azure_store_open(void);
struct files_progress azure_store_must_copy(void);
/* The caller's to free. */
char *azure_store_bytes(size_t len, unsigned seed);
void azure_store_check(const char *source, const char *copy, const char *bytes, size_t len);
/* Checks the error, and that it gives nothing away, and clears it. */
void azure_store_expect(enum err_class class, const char *part);
/* Runs the tests that add adds; what a main returns. */
int azure_store_run(const char *name, void (*add)(TCase *tc));

#endif
