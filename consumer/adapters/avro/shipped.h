/* SPDX-License-Identifier: Apache-2.0
 * The schemas in the program: those we write with, and the version before each. */
#ifndef SANDBOX_AVRO_SHIPPED_H
#define SANDBOX_AVRO_SHIPPED_H

#include "consumer/adapters/avro/source.h"
#include "handlers/base/embedded.h"

/* Without a registry these are the ids on the wire (schemas/README.md). */
enum { SHIPPED_ID_FIRST = 1000, SHIPPED_ID_BEFORE = 900 };

enum shipped_version { SHIPPED_NOW, SHIPPED_BEFORE };

/* The file of that kind, byte for byte as in schemas/; NULL when kind is none. */
const struct embedded_file *shipped_file(enum message_kind kind, enum shipped_version version);
enum topic shipped_topic(enum message_kind kind);
const struct schema *shipped_schema(enum message_kind kind, enum shipped_version version, struct arena *mem,
                                    struct err *e);

/* Knows the shipped schemas by fixed ids: no registry is needed. NULL and *e when memory is short. */
struct schema_source *shipped_schemas_new(struct err *e);

/* The GUID that stands for one of these ids in the header form of the wire format. */
void shipped_guid(uint32_t id, unsigned char guid_r[SCHEMA_GUID_BYTES]);

#endif
