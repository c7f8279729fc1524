/* SPDX-License-Identifier: Apache-2.0
 * An Avro schema as a small tree of our own. One tree drives the check of the bytes and their decoding, so the two
 * cannot disagree. No recursion, and every size is bounded, because a registry may hand us anything. */
#ifndef SANDBOX_AVRO_SCHEMA_H
#define SANDBOX_AVRO_SCHEMA_H

#include "handlers/base/arena.h"
#include "handlers/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SCHEMA_TEXT_MAX = 256 * 1024,
	SCHEMA_DEPTH_MAX = 32,
	SCHEMA_NODES_MAX = 4000,
	SCHEMA_FIELDS_MAX = 256,
	SCHEMA_SYMBOLS_MAX = 256,
	SCHEMA_BRANCHES_MAX = 16,
	SCHEMA_NAME_MAX = 128,
	SCHEMA_FIXED_MAX = 32 * 1024,
	SCHEMA_MEMORY_MAX = 2 * 1024 * 1024, /* an arena for schema_parse need not be larger */
};

enum schema_type {
	SCHEMA_UNSET,
	SCHEMA_NULL,
	SCHEMA_BOOLEAN,
	SCHEMA_INT,
	SCHEMA_LONG,
	SCHEMA_FLOAT,
	SCHEMA_DOUBLE,
	SCHEMA_BYTES,
	SCHEMA_STRING,
	SCHEMA_FIXED,
	SCHEMA_ENUM,
	SCHEMA_ARRAY,
	SCHEMA_MAP,
	SCHEMA_UNION,
	SCHEMA_RECORD,
	SCHEMA_TYPE_END
};

struct schema;

/* A decoded value, or a default. Texts are borrowed: from the record's bytes, or from the schema. */
struct datum {
	const struct schema *schema; /* what it is read as; never a union */
	union {
		bool truth;
		int64_t number; /* INT LONG; ENUM: index of the symbol */
		double real;    /* FLOAT DOUBLE */
		struct {
			const char *data; /* BYTES STRING FIXED; no closing NUL */
			size_t len;
		} bytes;
		struct {
			const struct datum *items; /* RECORD: by field; ARRAY; MAP: key, value, key, value ... */
			size_t count;
		} list;
	};
};

struct schema_field {
	const char *name;
	const char *const *aliases; /* former names, for a reader */
	size_t alias_count;
	const struct schema *type;
	const struct datum *fallback; /* the default; NULL when it has none */
};

struct schema {
	enum schema_type type;
	const char *name; /* of a record, enum or fixed, without namespace; otherwise that of the type */
	const char *full_name;
	const char *const *aliases; /* RECORD ENUM FIXED, without namespace */
	size_t alias_count;
	size_t least_bytes; /* no value of it is shorter */
	int height;         /* 1 for a leaf */
	bool complete;      /* false while the fields of a record are still being read: nothing inside may name it */
	const struct schema_field *fields; /* RECORD */
	const struct schema *const *branches; /* UNION */
	const char *const *symbols;           /* ENUM */
	size_t count;                         /* of fields, branches, symbols; FIXED: bytes */
	const struct schema *items;           /* ARRAY, MAP */
	int fallback_symbol;                  /* ENUM: index of the default; -1 none */
};

/* Parses the text of a schema. Everything lives in mem, also after a failure. NULL and *e: REFUSED when it is no
 * schema, refers to itself, or is beyond the bounds above, TRANSIENT when memory is short. */
const struct schema *schema_parse(const char *text, size_t len, struct arena *mem, struct err *e);

/* Index of that field of a record, by its name; count when there is none. It is looked for at `likely` first. */
size_t schema_field_index(const struct schema *record, const char *name, size_t likely);
/* Index of that symbol of an enum; -1 when there is none. */
int schema_symbol_index(const struct schema *enumeration, const char *symbol);

/* Are both of that name, or is the writer's a former name of the reader's? Always so for types without a name. */
bool schema_same_name(const struct schema *writer, const struct schema *reader);

#endif
