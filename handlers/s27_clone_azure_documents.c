/* SPDX-License-Identifier: Apache-2.0
 * s27: the documents the request asks for, all or those of included users, lie in the generation's tree of the
 * blob store.
 *
 * Look: compare the wanted part of the document folders by name and size.
 * Act:  copy what is missing or differs, file by file.
 * Safe to repeat because a file appears whole or not at all, and an equal one is left alone. */
#include "handlers/documents.h"

enum step_outcome s27_clone_azure_documents(struct step_ctx *c)
{
	return clone_documents(c, c->ports->objects);
}
