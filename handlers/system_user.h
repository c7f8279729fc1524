/* SPDX-License-Identifier: Apache-2.0
 * A system user: an associate of type 13 without a person, linked to the role of type 3, with one incoming credential
 * sealed for this target (domain section 5). 12 makes the platform's, 25 those of partner apps. */
#ifndef SANDBOX_SYSTEM_USER_H
#define SANDBOX_SYSTEM_USER_H

#include "handlers/step.h"

struct system_user {
	const char *name; /* associate.name: the key by which it is found again */
	const char *tooltip;
	const char *credential; /* Credentials.credentialType */
	const char *search;     /* Credentials.searchName, what the user signs in with; a secret */
};

/* Is it there, signed for this target, and able to sign in? */
bool system_user_is_right(struct step_ctx *c, const struct system_user *user, bool *right_r);
/* Makes or repairs it in one transaction. */
bool system_user_make(struct step_ctx *c, const struct system_user *user);

/* The names of the platform's own system users; NULL behind the last. 25 leaves them alone. */
extern const struct system_user platform_users[];

#endif
