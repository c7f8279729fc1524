/* SPDX-License-Identifier: Apache-2.0
 * A schema registry that answers as it is told. Our own schemas have the ids and GUIDs they have without a registry
 * (schemas/README.md); beside them it knows STRANGE_ID, the request's schema under another id. */
#ifndef SANDBOX_TESTS_SCHEMA_REGISTRY_H
#define SANDBOX_TESTS_SCHEMA_REGISTRY_H

#include <stdint.h>

enum { STRANGE_ID = 70001 };

enum registry_mood {
	REGISTRY_ANSWERS,
	REGISTRY_HANGS,    /* takes the question and says nothing, until the mood changes */
	REGISTRY_DROPS,    /* closes the connection without a word, as if it were down */
	REGISTRY_KNOWS_NOT, /* 404 */
	REGISTRY_BABBLES,  /* 200 and a page of some proxy */
	REGISTRY_ENDLESS,  /* 200 and a body that never ends */
};

struct schema_registry;

/* On a free port of the loopback, in threads of this process. Fails the test when it cannot be had. */
struct schema_registry *schema_registry_new(void);
void schema_registry_free(struct schema_registry **r);

const char *schema_registry_url(const struct schema_registry *r);
void schema_registry_is(struct schema_registry *r, enum registry_mood mood);
/* Questions for ids or GUIDs, and for our own subjects. */
int schema_registry_asked(const struct schema_registry *r);
int schema_registry_asked_own(const struct schema_registry *r);

#endif
