/* SPDX-License-Identifier: Apache-2.0
 * An id never changes its schema, so what was once answered is kept: in memory, and in a folder over restarts. What
 * is unknown now may be registered a moment later, so that is only remembered for a while. */
#include "consumer/adapters/avro/registry.h"

#include "consumer/adapters/avro/background.h"
#include "consumer/adapters/avro/folder.h"
#include "consumer/adapters/avro/shipped.h"
#include "consumer/core/fnv.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KNOWN_MAX = 64, UNKNOWN_MAX = 256, KEY_MAX = 48, RETRY_DEFAULT_MS = 30000, ANSWER_MAX = 2 * SCHEMA_TEXT_MAX };

struct known {
	char key[KEY_MAX]; /* "ids/7" or "guids/<guid>" */
	struct arena *mem;
	const struct schema *schema;
};

struct unknown {
	char key[KEY_MAX];
	int64_t until_ms;
};

struct registry {
	struct schema_source source;
	struct registry_settings settings;
	char *cache_folder;
	struct known known[KNOWN_MAX]; /* rings: the oldest makes room */
	struct unknown unknown[UNKNOWN_MAX];
	size_t next_known, next_unknown;
	struct schema_name own[MESSAGE_END]; /* id 0: not asked yet */
	struct background *background;       /* asks for us once nobody may wait; NULL before */
};

static int64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- what is remembered ---- */

static const struct schema *remembered(const struct registry *r, const char *key)
{
	for (size_t i = 0; i < KNOWN_MAX; i++)
		if (r->known[i].schema && strcmp(r->known[i].key, key) == 0)
			return r->known[i].schema;
	return NULL;
}

static bool is_unknown_for_now(const struct registry *r, const char *key)
{
	int64_t now = monotonic_ms();

	for (size_t i = 0; i < UNKNOWN_MAX; i++)
		if (r->unknown[i].until_ms > now && strcmp(r->unknown[i].key, key) == 0)
			return true;
	return false;
}

static enum codec_result say_unknown(struct err *e, const char *key)
{
	err_set(e, ERR_REFUSED, 0, "unknown-schema", "the registry knows no usable schema %s", key);
	return CODEC_BAD;
}

static void remember_unknown(struct registry *r, const char *key)
{
	struct unknown *u = &r->unknown[r->next_unknown];

	r->next_unknown = (r->next_unknown + 1) % UNKNOWN_MAX;
	snprintf(u->key, sizeof u->key, "%s", key);
	u->until_ms = monotonic_ms() + r->settings.unknown_retry_ms;
}

/* Parses and keeps. BAD when the text is no schema that we take. */
static enum codec_result remember(struct registry *r, const char *key, const char *text, size_t len,
                                  const struct schema **schema_r, struct err *e)
{
	struct known *k = &r->known[r->next_known];
	struct arena *mem = arena_new(SCHEMA_MEMORY_MAX);
	struct err why = { 0 };

	if (!mem) {
		err_set(e, ERR_TRANSIENT, 0, "registry", "not enough memory for a schema");
		return CODEC_LATER;
	}
	*schema_r = schema_parse(text, len, mem, &why);
	if (!*schema_r) {
		arena_free(&mem);
		if (why.class == ERR_TRANSIENT) {
			*e = why;
			return CODEC_LATER;
		}
		err_set(e, ERR_REFUSED, 0, "unknown-schema", "schema %s is not usable: %s", key, why.text);
		return CODEC_BAD;
	}
	r->next_known = (r->next_known + 1) % KNOWN_MAX;
	arena_free(&k->mem);
	snprintf(k->key, sizeof k->key, "%s", key);
	k->mem = mem;
	k->schema = *schema_r;
	return CODEC_OK;
}

/* A spoiled file is as good as none. */
static bool load(struct registry *r, const char *key, const struct schema **schema_r)
{
	struct err ignored = { 0 };
	struct buf text;
	bool ok;

	buf_init(&text, SCHEMA_TEXT_MAX);
	ok = folder_read(r->cache_folder, key, &text) &&
	     remember(r, key, text.data, text.len, schema_r, &ignored) == CODEC_OK;
	buf_done(&text);
	return ok;
}

/* ---- asking ---- */

/* LATER with a sentence for every status but the good one and 404. */
static enum codec_result classify(int status, const char *path, struct err *e)
{
	if (status == 200)
		return CODEC_OK;
	if (status == 404)
		return CODEC_BAD;
	err_set(e, ERR_TRANSIENT, status, "registry", "the schema registry answered %d to %s", status, path);
	return CODEC_LATER;
}

/* The answer as JSON; NULL when it is none: then it was not the registry that answered. */
static json_t *parse_answer(const struct buf *answer, const char *path, struct err *e)
{
	json_t *json = json_loadb(buf_text(answer), answer->len, JSON_REJECT_DUPLICATES, NULL);

	if (answer->failed || !json_is_object(json)) {
		json_decref(json);
		err_set(e, ERR_TRANSIENT, 0, "registry",
		        "the schema registry answered no JSON object of a sane size to %s", path);
		return NULL;
	}
	return json;
}

/* One request; on CODEC_OK *json_r is the caller's. */
static enum codec_result ask(struct registry *r, const char *path, const char *post, json_t **json_r, struct err *e)
{
	enum codec_result result = CODEC_LATER;
	struct buf answer;
	int status = 0;

	*json_r = NULL;
	buf_init(&answer, ANSWER_MAX);
	if (r->background ? background_fetch(r->background, path, post, &answer, &status, e)
	                  : r->settings.fetch(r->settings.fetch_arg, path, post, &answer, &status, e))
		result = classify(status, path, e);
	else
		err_set(e, ERR_TRANSIENT, 0, "registry", "the schema registry did not answer");
	if (result == CODEC_OK) {
		*json_r = parse_answer(&answer, path, e);
		if (!*json_r)
			result = CODEC_LATER;
	}
	buf_done(&answer);
	return result;
}

static enum codec_result take_schema(struct registry *r, const char *key, const json_t *json,
                                     const struct schema **schema_r, struct err *e)
{
	const char *type = json_string_value(json_object_get(json, "schemaType"));
	const char *text = json_string_value(json_object_get(json, "schema"));
	size_t len = json_string_length(json_object_get(json, "schema"));
	enum codec_result result;

	if (!text) {
		err_set(e, ERR_TRANSIENT, 0, "registry", "the schema registry's answer for %s holds no schema", key);
		return CODEC_LATER;
	}
	if ((type && strcmp(type, "AVRO") != 0) || json_array_size(json_object_get(json, "references")) > 0) {
		err_set(e, ERR_REFUSED, 0, "unknown-schema", "schema %s is not an Avro schema without references", key);
		return CODEC_BAD;
	}
	result = remember(r, key, text, len, schema_r, e);
	if (result == CODEC_OK)
		folder_write(r->cache_folder, key, text, len);
	return result;
}

static enum codec_result look_up(struct registry *r, const char *key, const struct schema **schema_r, struct err *e)
{
	char path[KEY_MAX + 16];
	enum codec_result result;
	json_t *json;

	*schema_r = remembered(r, key);
	if (*schema_r || load(r, key, schema_r))
		return CODEC_OK;
	if (is_unknown_for_now(r, key))
		return say_unknown(e, key);
	snprintf(path, sizeof path, "/schemas/%s", key);
	result = ask(r, path, NULL, &json, e);
	if (result == CODEC_OK)
		result = take_schema(r, key, json, schema_r, e);
	else if (result == CODEC_BAD)
		say_unknown(e, key);
	if (result == CODEC_BAD)
		remember_unknown(r, key);
	json_decref(json);
	return result;
}

static enum codec_result registry_by_id(struct schema_source *self, uint32_t id, const struct schema **schema_r,
                                        struct err *e)
{
	char key[KEY_MAX];

	snprintf(key, sizeof key, "ids/%u", id);
	return look_up((struct registry *)self, key, schema_r, e);
}

static enum codec_result registry_by_guid(struct schema_source *self, const unsigned char guid[SCHEMA_GUID_BYTES],
                                          const struct schema **schema_r, struct err *e)
{
	char key[KEY_MAX] = "guids/";
	size_t at = strlen(key);

	for (int i = 0; i < SCHEMA_GUID_BYTES; i++) {
		bool hyphen = i == 4 || i == 6 || i == 8 || i == 10;

		at += (size_t)snprintf(key + at, sizeof key - at, "%s%02x", hyphen ? "-" : "", guid[i]);
	}
	return look_up((struct registry *)self, key, schema_r, e);
}

/* ---- our own schemas ---- */

/* The file's bytes as they are: avro-c would lose defaults and logical types. */
static char *own_schema_json(enum message_kind kind)
{
	const struct embedded_file *file = shipped_file(kind, SHIPPED_NOW);
	json_t *json = file ? json_pack("{s:s%}", "schema", file->text, file->len) : NULL;
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	return text;
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c ? strchr(digits, c | 0x20) : NULL;

	return found ? (int)(found - digits) : -1;
}

/* Hyphens count for nothing. False unless it is 32 digits. */
static bool read_guid(const char *text, unsigned char guid_r[SCHEMA_GUID_BYTES])
{
	size_t n = 0;

	for (; text && *text; text++) {
		int digit = hex_digit(*text);

		if (*text == '-')
			continue;
		if (digit < 0 || n == 2 * SCHEMA_GUID_BYTES)
			return false;
		guid_r[n / 2] = (unsigned char)(n % 2 ? guid_r[n / 2] | digit : digit << 4);
		n++;
	}
	return n == 2 * SCHEMA_GUID_BYTES;
}

static bool read_name(const json_t *json, struct schema_name *name_r)
{
	json_int_t id = json_integer_value(json_object_get(json, "id"));

	if (id < 1 || id > INT32_MAX)
		return false;
	name_r->id = (uint32_t)id;
	name_r->has_guid = read_guid(json_string_value(json_object_get(json, "guid")), name_r->guid);
	return true;
}

static bool refuse_own(const struct registry *r, enum message_kind kind, int status, struct err *e)
{
	const char *topic = topic_name(shipped_topic(kind)), *file = shipped_file(kind, SHIPPED_NOW)->name;

	err_clear(e);
	if (status == 409)
		return err_set(e, ERR_REFUSED, status, "registry",
		               "schemas/%s is not compatible with what the schema registry has for subject %s-value: see who "
		               "registered that, and register ours or set the subject's compatibility",
		               file, topic);
	if (r->settings.auto_register)
		return err_set(e, ERR_REFUSED, status, "registry",
		               "the schema registry refused schemas/%s for subject %s-value with %d", file, topic,
		               status);
	return err_set(e, ERR_REFUSED, status, "registry",
	               "subject %s-value lacks schemas/%s: register it, or switch registration on", topic, file);
}

/* Our file by its content: another version of it has another answer. */
static void own_key(enum message_kind kind, char key[KEY_MAX])
{
	const struct embedded_file *file = shipped_file(kind, SHIPPED_NOW);

	snprintf(key, KEY_MAX, "own/%d-%016" PRIx64, (int)kind, fnv64(FNV64_START, file->text, file->len));
}

static bool own_from_folder(const struct registry *r, enum message_kind kind, struct schema_name *name_r)
{
	char key[KEY_MAX];
	struct buf text;
	json_t *json;
	bool ok;

	own_key(kind, key);
	buf_init(&text, ANSWER_MAX);
	json = folder_read(r->cache_folder, key, &text) ? json_loadb(text.data, text.len, 0, NULL) : NULL;
	ok = read_name(json, name_r);
	json_decref(json);
	buf_done(&text);
	return ok;
}

/* What is known of our own schema. Its text needs not be asked for: it is the one we asked with. */
static void remember_own(struct registry *r, enum message_kind kind, const struct schema_name *name)
{
	const struct embedded_file *file = shipped_file(kind, SHIPPED_NOW);
	const struct schema *schema;
	struct err ignored = { 0 };
	char key[KEY_MAX];

	r->own[kind] = *name;
	snprintf(key, sizeof key, "ids/%u", name->id);
	if (!remembered(r, key))
		remember(r, key, file->text, file->len, &schema, &ignored);
}

static void keep_answer(const struct registry *r, enum message_kind kind, const json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT), key[KEY_MAX];

	own_key(kind, key);
	if (text)
		folder_write(r->cache_folder, key, text, strlen(text));
	free(text);
}

static enum codec_result ask_own(struct registry *r, enum message_kind kind, struct schema_name *name_r, struct err *e)
{
	char path[128], *post = own_schema_json(kind);
	enum codec_result result;
	json_t *json = NULL;

	if (!post) {
		err_set(e, ERR_TRANSIENT, 0, "registry", "not enough memory to ask for a schema's id");
		return CODEC_LATER;
	}
	snprintf(path, sizeof path, "/subjects/%s-value%s", topic_name(shipped_topic(kind)),
	         r->settings.auto_register ? "/versions" : "");
	result = ask(r, path, post, &json, e);
	free(post);
	if (result == CODEC_BAD)
		refuse_own(r, kind, 404, e);
	else if (result == CODEC_LATER && (e->code == 409 || e->code == 422)) {
		refuse_own(r, kind, e->code, e);
		result = CODEC_BAD;
	} else if (result == CODEC_OK && !read_name(json, name_r)) {
		err_set(e, ERR_TRANSIENT, 0, "registry", "the schema registry's answer to %s holds no id", path);
		result = CODEC_LATER;
	} else if (result == CODEC_OK) {
		keep_answer(r, kind, json);
	}
	json_decref(json);
	return result;
}

static bool registry_name_of(struct schema_source *self, enum message_kind kind, struct schema_name *name_r,
                             struct err *e)
{
	struct registry *r = (struct registry *)self;
	enum codec_result result;

	if (kind <= MESSAGE_UNSET || kind >= MESSAGE_END)
		return err_set(e, ERR_MISUSE, 0, "schema", "there is no message kind %d", (int)kind);
	*name_r = r->own[kind];
	if (name_r->id)
		return true;
	result = ask_own(r, kind, name_r, e);
	if (result == CODEC_BAD || (result == CODEC_LATER && !own_from_folder(r, kind, name_r)))
		return false;
	err_clear(e);
	remember_own(r, kind, name_r);
	return true;
}

/* Replays and controls are written by others only, who find their schemas where we have registered the rest. */
static bool is_needed(const struct registry *r, int kind)
{
	return r->settings.auto_register || (kind != MESSAGE_REPLAY && kind != MESSAGE_CONTROL);
}

static bool registry_get_ready(struct schema_source *self, struct err *e)
{
	struct registry *r = (struct registry *)self;
	struct schema_name name;

	for (int kind = MESSAGE_UNSET + 1; kind < MESSAGE_END; kind++)
		if (is_needed(r, kind) && !registry_name_of(self, (enum message_kind)kind, &name, e))
			return false;
	if (!r->background)
		r->background = background_new(&r->settings, e);
	return r->background != NULL;
}

static void registry_close(struct schema_source *self)
{
	struct registry *r = (struct registry *)self;

	background_free(&r->background);
	for (size_t i = 0; i < KNOWN_MAX; i++)
		arena_free(&r->known[i].mem);
	free(r->cache_folder);
	free(r);
}

struct schema_source *registry_schemas_new(const struct registry_settings *settings, struct err *e)
{
	struct registry *r = calloc(1, sizeof *r);
	char *folder = settings->cache_folder ? strdup(settings->cache_folder) : NULL;

	if (!r || (settings->cache_folder && !folder)) {
		free(folder);
		free(r);
		err_set(e, ERR_TRANSIENT, 0, "registry", "not enough memory for the registry client");
		return NULL;
	}
	r->source = (struct schema_source){ registry_by_id, registry_by_guid, registry_name_of,
					   registry_get_ready, registry_close };
	r->settings = *settings;
	r->cache_folder = folder;
	if (r->settings.unknown_retry_ms == 0)
		r->settings.unknown_retry_ms = RETRY_DEFAULT_MS;
	return &r->source;
}
