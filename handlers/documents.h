/* SPDX-License-Identifier: Apache-2.0
 * Which documents a clone takes along (domain 1.3, page 3 of the wizard), and copying them: 27 and 28. */
#ifndef SANDBOX_DOCUMENTS_H
#define SANDBOX_DOCUMENTS_H

#include "handlers/step.h"

/* Copies the documents the request wants from one store; SKIPPED when it wants none. */
enum step_outcome clone_documents(struct step_ctx *c, struct files_port *store);

#endif
