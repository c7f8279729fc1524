/* SPDX-License-Identifier: Apache-2.0
 * What a registry answered, kept as files for when it is down. Best effort: the registry is the truth. */
#ifndef SANDBOX_AVRO_FOLDER_H
#define SANDBOX_AVRO_FOLDER_H

#include "handlers/base/buf.h"

/* key is "<kind>/<name>" of harmless characters; folder NULL: there is none. The file is replaced as a whole. */
void folder_write(const char *folder, const char *key, const char *text, size_t len);
/* Appends what is kept. False when there is nothing, or more than fits. */
bool folder_read(const char *folder, const char *key, struct buf *text);

#endif
