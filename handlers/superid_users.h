/* SPDX-License-Identifier: Apache-2.0
 * The users a database wants SuperID to sign in: those who hold a plan. 23 reads the clone, abandoning reads the
 * database that was in service before. */
#ifndef SANDBOX_SUPERID_USERS_H
#define SANDBOX_SUPERID_USERS_H

#include "handlers/step.h"

/* Sorted bytewise by login, each once, in the step's arena. */
bool superid_users_of(struct step_ctx *c, enum sql_place place, struct identity_users *users_r);
bool superid_users_equal(const struct identity_users *a, const struct identity_users *b);

#endif
