/* SPDX-License-Identifier: Apache-2.0
 * The blob store, as a folder or as a container, by the configuration. */
#ifndef SANDBOX_WIRE_OBJECTS_H
#define SANDBOX_WIRE_OBJECTS_H

#include "consumer/adapters/azure/azure_files.h"
#include "consumer/core/config.h"
#include "handlers/base/buf.h"

enum { WIRE_OBJECTS_SECRETS = 4 };

struct wire_objects { /* keep it as long as what was opened from it */
	bool is_azure;
	const char *folder;
	struct azure_settings azure;
	struct buf secrets[WIRE_OBJECTS_SECRETS];
};

/* Reads the secrets. End it with wire_objects_done, also after a failure. */
bool wire_objects(const struct config *c, struct wire_objects *o, struct err *e);
void wire_objects_done(struct wire_objects *o);

struct files_port *wire_objects_open(const struct wire_objects *o, const atomic_bool *stop, struct err *e);
/* NULL-safe; port becomes NULL. */
void wire_objects_close(const struct wire_objects *o, struct files_port **port);

#endif
