/* SPDX-License-Identifier: Apache-2.0
 * Between the two halves of the schema parser. */
#ifndef SANDBOX_AVRO_SCHEMA_PRIV_H
#define SANDBOX_AVRO_SCHEMA_PRIV_H

#include "consumer/adapters/avro/schema.h"

#include <jansson.h>

/* The default of a field as a value of its type, copied into mem. False and *e (REFUSED) when it does not fit. */
bool schema_read_default(const struct schema *type, const json_t *json, struct arena *mem, struct datum *out_r,
                         struct err *e);

bool schema_no_memory(struct err *e);

#endif
