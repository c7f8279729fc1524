/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/avro/shipped.h"

#include "consumer/adapters/avro/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct embedded_file schema_files[];
extern const size_t schema_files_count;

static const struct {
	const char *stem;
	enum topic topic;
} kinds[MESSAGE_END] = {
	[MESSAGE_REQUEST] = { "clone_requested", TOPIC_REQUESTED },
	[MESSAGE_REPLAY] = { "clone_replay", TOPIC_REPLAY },
	[MESSAGE_CONTROL] = { "clone_control", TOPIC_CONTROL },
	[MESSAGE_STEP_COMPLETED] = { "step_completed", TOPIC_STEP_COMPLETED },
	[MESSAGE_BACKUP_RESTORED] = { "backup_restored", TOPIC_BACKUP_RESTORED },
	[MESSAGE_STATE] = { "clone_state", TOPIC_STATE },
	[MESSAGE_DEAD_LETTER] = { "dead_letter", TOPIC_DEAD_LETTER },
};

struct shipped {
	struct schema_source source;
	struct arena *mem;
	const struct schema *known[MESSAGE_END][2]; /* by shipped_version */
};

static const char guid_head[] = "sandboxclone"; /* 12 bytes, then the id */

const struct embedded_file *shipped_file(enum message_kind kind, enum shipped_version version)
{
	char name[64];

	if (kind <= MESSAGE_UNSET || kind >= MESSAGE_END)
		return NULL;
	snprintf(name, sizeof name, version == SHIPPED_NOW ? "%s.avsc" : "history/%s.0.avsc", kinds[kind].stem);
	for (size_t i = 0; i < schema_files_count; i++)
		if (strcmp(schema_files[i].name, name) == 0)
			return &schema_files[i];
	return NULL;
}

enum topic shipped_topic(enum message_kind kind)
{
	return (unsigned)kind < MESSAGE_END ? kinds[kind].topic : TOPIC_UNSET;
}

const struct schema *shipped_schema(enum message_kind kind, enum shipped_version version, struct arena *mem,
                                    struct err *e)
{
	const struct embedded_file *file = shipped_file(kind, version);

	if (!file) {
		err_set(e, ERR_BUG, 0, "schema", "the program holds no schema of message kind %d", (int)kind);
		return NULL;
	}
	return schema_parse(file->text, file->len, mem, e);
}

static enum codec_result shipped_by_id(struct schema_source *self, uint32_t id, const struct schema **schema_r,
                                       struct err *e)
{
	struct shipped *s = (struct shipped *)self;
	enum shipped_version version = id > SHIPPED_ID_FIRST ? SHIPPED_NOW : SHIPPED_BEFORE;
	uint32_t kind = id - (version == SHIPPED_NOW ? SHIPPED_ID_FIRST : SHIPPED_ID_BEFORE);

	if (kind <= MESSAGE_UNSET || kind >= MESSAGE_END) {
		err_set(e, ERR_REFUSED, 0, "unknown-schema",
		        "schema id %u is none of those in this program, and no registry is configured", id);
		return CODEC_BAD;
	}
	*schema_r = s->known[kind][version];
	return CODEC_OK;
}

static enum codec_result shipped_by_guid(struct schema_source *self, const unsigned char guid[SCHEMA_GUID_BYTES],
                                         const struct schema **schema_r, struct err *e)
{
	const unsigned char *id = guid + sizeof guid_head - 1;

	if (memcmp(guid, guid_head, sizeof guid_head - 1) != 0) {
		err_set(e, ERR_REFUSED, 0, "unknown-schema",
		        "the schema GUID is none of those in this program, and no registry is configured");
		return CODEC_BAD;
	}
	return shipped_by_id(self, wire_read_id(id), schema_r, e);
}

static bool shipped_name_of(struct schema_source *self, enum message_kind kind, struct schema_name *name_r,
                            struct err *e)
{
	(void)self;
	if (kind <= MESSAGE_UNSET || kind >= MESSAGE_END)
		return err_set(e, ERR_MISUSE, 0, "schema", "there is no message kind %d", (int)kind);
	*name_r = (struct schema_name){ .id = SHIPPED_ID_FIRST + (uint32_t)kind, .has_guid = true };
	shipped_guid(name_r->id, name_r->guid);
	return true;
}

static bool shipped_get_ready(struct schema_source *self, struct err *e)
{
	(void)self;
	(void)e;
	return true;
}

static void shipped_close(struct schema_source *self)
{
	struct shipped *s = (struct shipped *)self;

	arena_free(&s->mem);
	free(s);
}

struct schema_source *shipped_schemas_new(struct err *e)
{
	struct shipped *s = calloc(1, sizeof *s);

	if (s)
		s->mem = arena_new(SCHEMA_MEMORY_MAX);
	if (!s || !s->mem) {
		free(s);
		err_set(e, ERR_TRANSIENT, 0, "schema", "not enough memory for the schemas");
		return NULL;
	}
	s->source = (struct schema_source){ shipped_by_id, shipped_by_guid, shipped_name_of, shipped_get_ready,
		                           shipped_close };
	for (int kind = MESSAGE_UNSET + 1; kind < MESSAGE_END; kind++)
		for (int version = SHIPPED_NOW; version <= SHIPPED_BEFORE; version++) {
			s->known[kind][version] = shipped_schema((enum message_kind)kind, (enum shipped_version)version,
			                                         s->mem, e);
			if (!s->known[kind][version]) {
				shipped_close(&s->source);
				return NULL;
			}
		}
	return &s->source;
}

void shipped_guid(uint32_t id, unsigned char guid_r[SCHEMA_GUID_BYTES])
{
	memcpy(guid_r, guid_head, sizeof guid_head - 1);
	wire_write_id(id, guid_r + sizeof guid_head - 1);
}
