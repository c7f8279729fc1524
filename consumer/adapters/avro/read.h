/* SPDX-License-Identifier: Apache-2.0
 * Decoding by name: bytes in the writer's schema become a value in the reader's. Fields are matched by name or
 * alias, missing ones take the reader's default, enums go by symbol, numbers are widened as Avro allows. */
#ifndef SANDBOX_AVRO_READ_H
#define SANDBOX_AVRO_READ_H

#include "consumer/adapters/avro/schema.h"

/* data must have passed walk_record() with the writer's schema. *out_r lives in mem; its texts are borrowed from data
 * and from the reader's schema. Otherwise *e is REFUSED, its `where` is the reason code: unknown-schema when the two
 * schemas do not fit, too-large when mem is too small (or short, see arena_is_short), invalid when a symbol is unknown and has no default. */
bool read_record(const struct schema *writer, const struct schema *reader, const void *data, size_t len,
                 struct arena *mem, struct datum *out_r, struct err *e);

#endif
