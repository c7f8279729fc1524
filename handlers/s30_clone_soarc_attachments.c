/* SPDX-License-Identifier: Apache-2.0
 * s30: the attachments the request asks for, and always those of Service packages, lie in the generation's tree of the
 * archive share.
 *
 * Look: compare the wanted attachments by name and size.
 * Act:  copy what is missing or differs, file by file.
 * Safe to repeat because a file appears whole or not at all, and an equal one is left alone. */
#include "handlers/attachments.h"

enum step_outcome s30_clone_soarc_attachments(struct step_ctx *c)
{
	return clone_attachments(c, c->ports->archive);
}
