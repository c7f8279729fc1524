/* SPDX-License-Identifier: Apache-2.0
 * Where the schemas of records come from: the program itself, or a registry. */
#ifndef SANDBOX_AVRO_SOURCE_H
#define SANDBOX_AVRO_SOURCE_H

#include "consumer/adapters/avro/schema.h"
#include "consumer/ports/codec.h"

#include <stdbool.h>
#include <stdint.h>

enum { SCHEMA_GUID_BYTES = 16 };

struct schema_name { /* what a schema is known by on the wire */
	uint32_t id;
	bool has_guid;
	unsigned char guid[SCHEMA_GUID_BYTES];
};

struct schema_source {
	/* The schema of that id (1 to 2^31-1) or GUID; borrowed until the next call. CODEC_BAD with `where` of *e
	 * unknown-schema when there is none or it is not usable, CODEC_LATER when that cannot be said now. */
	enum codec_result (*by_id)(struct schema_source *self, uint32_t id, const struct schema **schema_r,
	                           struct err *e);
	enum codec_result (*by_guid)(struct schema_source *self, const unsigned char guid[SCHEMA_GUID_BYTES],
	                             const struct schema **schema_r, struct err *e);
	/* What our own schema of that kind is known by. TRANSIENT when that cannot be said now, REFUSED when it is not
	 * registered and may not be. */
	bool (*name_of)(struct schema_source *self, enum message_kind kind, struct schema_name *name_r, struct err *e);
	/* As get_ready of the codec port: what our own are known by is asked for now, and from here on nobody waits. */
	bool (*get_ready)(struct schema_source *self, struct err *e);
	void (*close)(struct schema_source *self);
};

#endif
