/* SPDX-License-Identifier: Apache-2.0
 * s16: the templates of the source lie in the generation's tree of the blob store; they are always cloned.
 *
 * Look: compare the Template folders by name and size.
 * Act:  copy what is missing or differs, file by file.
 * Safe to repeat because a file appears whole or not at all, and an equal one is left alone. */
#include "handlers/clone_files.h"

enum step_outcome s16_clone_azure_templates(struct step_ctx *c)
{
	return clone_files(c,
			   &(struct file_task){ .store = c->ports->objects, .folder = FOLDER_TEMPLATES, .rows = -1 });
}
