/* SPDX-License-Identifier: Apache-2.0
 * An authorised app as rows of the clone: OnlineApp, and a system user when the app has a token (domain section 5). */
#ifndef SANDBOX_APP_ROWS_H
#define SANDBOX_APP_ROWS_H

#include "handlers/step.h"

/* Does the clone have the app's row and, when the app has a token, its system user? */
bool app_is_right(struct step_ctx *c, const struct app_authorisation *app, bool *right_r);
/* Adds or repairs them. */
bool app_make(struct step_ctx *c, const struct app_authorisation *app);
/* Deletes the rows and system users of apps that are not among the active ones. */
bool apps_drop_strangers(struct step_ctx *c, const struct app_authorisations *apps);

#endif
