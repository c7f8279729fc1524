/* SPDX-License-Identifier: Apache-2.0
 * An authorised app as rows of the clone: OnlineApp, and a system user when the app has a token (domain section 5). */
#ifndef SANDBOX_APP_ROWS_H
#define SANDBOX_APP_ROWS_H

#include "handlers/step.h"

bool app_is_right(struct step_ctx *c, const struct app_authorisation *app, bool *right_r);
/* Adds the app's row, and makes or repairs its system user. The clone has no row of the app. */
bool app_make(struct step_ctx *c, const struct app_authorisation *app);

#endif
