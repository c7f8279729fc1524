/* SPDX-License-Identifier: Apache-2.0
 * Which attachments a clone takes along (domain section 4, "Attachment sets"), and copying them: 29 and 30. */
#ifndef SANDBOX_ATTACHMENTS_H
#define SANDBOX_ATTACHMENTS_H

#include "handlers/step.h"

/* Copies the attachments the request wants from one store: all, all but those only requests use, or only those that
 * Service packages need. */
enum step_outcome clone_attachments(struct step_ctx *c, struct files_port *store);

#endif
