/* SPDX-License-Identifier: Apache-2.0
 * The schema parser and its bounds, and what is demanded of the schemas we ship. */
#include "consumer/adapters/avro/schema.h"

#include "consumer/adapters/avro/shipped.h"
#include "handlers/step.h"

#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct arena *mem;

static void setup(void)
{
	mem = arena_new(SCHEMA_MEMORY_MAX);
	ck_assert_ptr_nonnull(mem);
}

static void teardown(void)
{
	arena_free(&mem);
}

static const struct schema *parse(const char *text)
{
	struct err e = { 0 };
	const struct schema *s = schema_parse(text, strlen(text), mem, &e);

	ck_assert_msg(s != NULL, "%s", e.text);
	ck_assert_int_eq(e.class, ERR_NONE);
	return s;
}

static void refused(const char *text, const char *why)
{
	struct err e = { 0 };

	arena_clear(mem);
	ck_assert_msg(!schema_parse(text, strlen(text), mem, &e), "accepted %s", text);
	ck_assert_int_eq(e.class, ERR_REFUSED);
	ck_assert_msg(strstr(e.text, why) != NULL, "\"%s\" does not say \"%s\"", e.text, why);
}

/* ---- the parser ---- */

START_TEST(all_types)
{
	const struct schema *s = parse(
		"{\"type\":\"record\",\"name\":\"a.b.R\",\"fields\":["
		"{\"name\":\"n\",\"type\":\"null\"},"
		"{\"name\":\"b\",\"type\":\"boolean\"},{\"name\":\"i\",\"type\":\"int\"},"
		"{\"name\":\"l\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}},"
		"{\"name\":\"f\",\"type\":\"float\"},"
		"{\"name\":\"d\",\"type\":\"double\"},{\"name\":\"y\",\"type\":\"bytes\"},"
		"{\"name\":\"s\",\"type\":{\"type\":{\"type\":\"string\"}}},"
		"{\"name\":\"x\",\"type\":{\"type\":\"fixed\",\"name\":\"F\",\"size\":4}},"
		"{\"name\":\"e\",\"type\":{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"P\",\"Q\"],"
		"\"default\":\"Q\"}},"
		"{\"name\":\"a\",\"type\":{\"type\":\"array\",\"items\":\"a.b.F\"}},"
		"{\"name\":\"m\",\"type\":{\"type\":\"map\",\"values\":\"E\"}},"
		"{\"name\":\"u\",\"type\":[\"null\",\"E\",\"F\"]}]}");

	ck_assert_int_eq(s->type, SCHEMA_RECORD);
	ck_assert_str_eq(s->name, "R");
	ck_assert_str_eq(s->full_name, "a.b.R");
	ck_assert_uint_eq(s->count, 13);
	ck_assert_uint_eq(s->least_bytes, 0 + 1 + 1 + 1 + 4 + 8 + 1 + 1 + 4 + 1 + 1 + 1 + 1);
	ck_assert_int_eq(s->height, 3);
	ck_assert_int_eq(s->fields[3].type->type, SCHEMA_LONG);
	ck_assert_int_eq(s->fields[7].type->type, SCHEMA_STRING);
	ck_assert_int_eq(s->fields[9].type->fallback_symbol, 1);
	ck_assert_ptr_eq(s->fields[10].type->items, s->fields[8].type);
	ck_assert_ptr_eq(s->fields[12].type->branches[1], s->fields[9].type);
	ck_assert_uint_eq(schema_field_index(s, "u", 0), 12);
	ck_assert_uint_eq(schema_field_index(s, "zz", 0), 13);
}
END_TEST

START_TEST(namespaces)
{
	const struct schema *s = parse(
		"{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"x\",\"fields\":["
		"{\"name\":\"a\",\"type\":{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"P\"]}},"
		"{\"name\":\"b\",\"type\":{\"type\":\"enum\",\"name\":\"y.E\",\"symbols\":[\"P\"]}},"
		"{\"name\":\"c\",\"type\":{\"type\":\"enum\",\"name\":\"E\",\"namespace\":\"\",\"symbols\":[\"P\"]}},"
		"{\"name\":\"d\",\"type\":\"E\"},{\"name\":\"e\",\"type\":\"y.E\"}]}");

	ck_assert_str_eq(s->fields[0].type->full_name, "x.E");
	ck_assert_str_eq(s->fields[1].type->full_name, "y.E");
	ck_assert_str_eq(s->fields[2].type->full_name, "E");
	ck_assert_ptr_eq(s->fields[3].type, s->fields[0].type);
	ck_assert_ptr_eq(s->fields[4].type, s->fields[1].type);
}
END_TEST

#define RECORD(fields) "{\"type\":\"record\",\"name\":\"R\",\"fields\":[" fields "]}"
#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":" type "}"

START_TEST(what_is_no_schema)
{
	refused("", "no JSON");
	refused("{", "no JSON");
	refused("{\"type\":\"int\",\"type\":\"int\"}", "no JSON");
	refused("7", "type is missing");
	refused("{}", "type is missing");
	refused("\"integer\"", "not defined");
	refused("\"no name\"", "no name");
	refused("\"record\"", "not defined");
	refused("{\"type\":\"union\"}", "not defined");
	refused("{\"type\":\"record\",\"fields\":[]}", "name");
	refused("{\"type\":\"record\",\"name\":\"a b\",\"fields\":[]}", "name");
	refused("{\"type\":\"record\",\"name\":\"9\",\"fields\":[]}", "name");
	refused("{\"type\":\"record\",\"name\":\"a..b\",\"fields\":[]}", "name");
	refused("{\"type\":\"record\",\"name\":\"R\"}", "fields");
	refused(RECORD(FIELD("a", "\"int\"") "," FIELD("a", "\"int\"")), "two fields a");
	refused(RECORD("7"), "name");
	refused("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[]}", "symbols");
	refused("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"A\"]}", "twice");
	refused("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"],\"default\":\"B\"}", "default");
	refused("{\"type\":\"fixed\",\"name\":\"F\",\"size\":0}", "bytes");
	refused("{\"type\":\"fixed\",\"name\":\"F\",\"size\":100000000}", "bytes");
	refused("{\"type\":\"array\"}", "type is missing");
	refused("[]", "branches");
	refused("[\"int\",\"int\"]", "told from another");
	refused("[\"int\",[\"null\"]]", "told from another");
	refused(RECORD(FIELD("a", "{\"type\":\"fixed\",\"name\":\"R\",\"size\":1}")), "defined twice");
}
END_TEST

START_TEST(recursion_is_refused)
{
	refused(RECORD(FIELD("next", "[\"null\",\"R\"]")), "contains itself");
	refused(RECORD(FIELD("many", "{\"type\":\"array\",\"items\":\"R\"}")), "contains itself");
	refused(RECORD(FIELD("a", "\"int\"") "," FIELD("b", "\"R\"")), "contains itself");
	refused("{\"type\":\"R\"}", "not defined");
}
END_TEST

START_TEST(items_without_bytes_are_refused)
{
	refused("{\"type\":\"array\",\"items\":\"null\"}", "no bytes");
	refused("{\"type\":\"array\",\"items\":" RECORD("") "}", "no bytes");
	refused("{\"type\":\"array\",\"items\":" RECORD(FIELD("n", "\"null\"")) "}", "no bytes");
	parse("{\"type\":\"map\",\"values\":\"null\"}");
}
END_TEST

/* n arrays in each other. */
static char *nested(int n)
{
	static const char open[] = "{\"type\":\"array\",\"items\":";
	char *text = malloc((size_t)n * sizeof open + (size_t)n + 16);
	size_t at = 0;

	ck_assert_ptr_nonnull(text);
	for (int i = 0; i < n; i++)
		at += (size_t)sprintf(text + at, "%s", open);
	at += (size_t)sprintf(text + at, "\"int\"");
	for (int i = 0; i < n; i++)
		text[at++] = '}';
	text[at] = '\0';
	return text;
}

START_TEST(depth_is_bounded)
{
	char *deepest = nested(SCHEMA_DEPTH_MAX - 1), *deeper = nested(SCHEMA_DEPTH_MAX), *abyss = nested(2000);

	ck_assert_int_eq(parse(deepest)->height, SCHEMA_DEPTH_MAX);
	refused(deeper, "nested deeper");
	refused(abyss, "nested deeper");
	free(deepest);
	free(deeper);
	free(abyss);
}
END_TEST

START_TEST(size_is_bounded)
{
	char *text = malloc(SCHEMA_TEXT_MAX + 64), *at = text;
	struct err e = { 0 };

	ck_assert_ptr_nonnull(text);
	at += sprintf(at, "{\"type\":\"record\",\"name\":\"R\",\"fields\":[");
	for (int i = 0; i <= SCHEMA_FIELDS_MAX; i++)
		at += sprintf(at, "%s{\"name\":\"f%d\",\"type\":\"int\"}", i ? "," : "", i);
	sprintf(at, "]}");
	refused(text, "256 fields");

	memset(text, ' ', SCHEMA_TEXT_MAX + 1);
	ck_assert_ptr_null(schema_parse(text, SCHEMA_TEXT_MAX + 1, mem, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "longer"));

	/* A default that is far larger in memory than as text. */
	at = text + sprintf(text, "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\","
	                          "\"type\":{\"type\":\"array\",\"items\":\"int\"},\"default\":[");
	for (int i = 0; i < 120000; i++)
		at += sprintf(at, "%s0", i ? "," : "");
	sprintf(at, "]}]}");
	refused(text, "bytes of memory");
	free(text);
}
END_TEST

#define WITH_DEFAULT(type, value) RECORD("{\"name\":\"a\",\"type\":" type ",\"default\":" value "}")

START_TEST(defaults_become_values)
{
	ck_assert_int_eq(parse(WITH_DEFAULT("\"int\"", "-7"))->fields[0].fallback->number, -7);
	ck_assert(parse(WITH_DEFAULT("\"double\"", "2.5"))->fields[0].fallback->real == 2.5);
	ck_assert(parse(WITH_DEFAULT("\"boolean\"", "true"))->fields[0].fallback->truth);
	ck_assert_int_eq(parse(WITH_DEFAULT("[\"null\",\"int\"]", "null"))->fields[0].fallback->schema->type,
	                 SCHEMA_NULL);
	ck_assert_uint_eq(parse(WITH_DEFAULT("\"bytes\"", "\"a\303\277\302\200\""))->fields[0].fallback->bytes.len, 3);
	ck_assert_mem_eq(parse(WITH_DEFAULT("\"bytes\"", "\"a\303\277\302\200\""))->fields[0].fallback->bytes.data,
	                 "a\377\200", 3);
	ck_assert_uint_eq(parse(WITH_DEFAULT("{\"type\":\"array\",\"items\":\"string\"}", "[\"x\",\"y\"]"))
	                          ->fields[0].fallback->list.count, 2);
	ck_assert_uint_eq(parse(WITH_DEFAULT("{\"type\":\"map\",\"values\":\"int\"}", "{}"))
	                          ->fields[0].fallback->list.count, 0);
	refused(WITH_DEFAULT("\"int\"", "\"7\""), "no int");
	refused(WITH_DEFAULT("\"int\"", "3000000000"), "no int");
	refused(WITH_DEFAULT("\"string\"", "null"), "no string");
	refused(WITH_DEFAULT("\"boolean\"", "1"), "no boolean");
	refused(WITH_DEFAULT("\"bytes\"", "\"\304\200\""), "no bytes");
	refused(WITH_DEFAULT("[\"null\",\"int\"]", "7"), "no null");
	refused(WITH_DEFAULT("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"]}", "\"B\""), "no E");
	refused(WITH_DEFAULT("{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}", "\"a\""), "no F");
	refused(WITH_DEFAULT(RECORD(FIELD("b", "\"int\"")), "{}"), "defined twice");
}
END_TEST

/* ---- what we ship ---- */

static json_t *shipped_json(int kind, enum shipped_version version)
{
	const struct embedded_file *file = shipped_file((enum message_kind)kind, version);

	ck_assert_ptr_nonnull(file);
	return json_loadb(file->text, file->len, JSON_REJECT_DUPLICATES, NULL);
}

static void has_doc(const json_t *json, const char *what)
{
	const char *doc = json_string_value(json_object_get(json, "doc"));

	ck_assert_msg(doc && strlen(doc) >= 5, "%s has no doc", what);
}

static void lint(const json_t *type)
{
	const json_t *fields = json_object_get(type, "fields"), *item;
	size_t i;

	if (json_is_array(type)) {
		json_array_foreach(type, i, item)
			lint(item);
		return;
	}
	if (!json_is_object(type))
		return;
	if (json_object_get(type, "name"))
		has_doc(type, json_string_value(json_object_get(type, "name")));
	if (json_object_get(type, "symbols"))
		ck_assert_ptr_nonnull(json_object_get(type, "default"));
	if (json_object_get(type, "items"))
		lint(json_object_get(type, "items"));
	json_array_foreach(fields, i, item) {
		has_doc(item, json_string_value(json_object_get(item, "name")));
		lint(json_object_get(item, "type"));
	}
}

START_TEST(shipped_schemas_are_documented)
{
	for (int version = SHIPPED_NOW; version <= SHIPPED_BEFORE; version++) {
		json_t *json = shipped_json(_i, (enum shipped_version)version);
		struct err e = { 0 };

		ck_assert_ptr_nonnull(json);
		lint(json);
		json_decref(json);
		ck_assert_ptr_nonnull(shipped_schema((enum message_kind)_i, (enum shipped_version)version, mem, &e));
	}
}
END_TEST

/* What was added since the version before has a default, or old records could not be read. */
START_TEST(added_and_dropped_fields_have_defaults)
{
	struct err e = { 0 };
	const struct schema *now = shipped_schema((enum message_kind)_i, SHIPPED_NOW, mem, &e);
	const struct schema *before = shipped_schema((enum message_kind)_i, SHIPPED_BEFORE, mem, &e);

	ck_assert_str_eq(now->full_name, before->full_name);
	for (size_t i = 0; i < now->count; i++)
		if (schema_field_index(before, now->fields[i].name, 0) == before->count)
			ck_assert_ptr_nonnull(now->fields[i].fallback);
	for (size_t i = 0; i < before->count; i++)
		if (schema_field_index(now, before->fields[i].name, 0) == now->count)
			ck_assert_ptr_nonnull(before->fields[i].fallback);
}
END_TEST

START_TEST(the_slugs_are_those_of_the_table)
{
	static const char *const slugs[] = {
#define STEP(nn, slug, ...) #slug,
#include "handlers/steps.def"
#undef STEP
	};
	struct err e = { 0 };
	const struct schema *step = shipped_schema(MESSAGE_STEP_COMPLETED, SHIPPED_NOW, mem, &e);
	const struct schema *keys = step->fields[schema_field_index(step, "step_key", 0)].type;

	ck_assert_str_eq(keys->name, "StepKey");
	ck_assert_uint_eq(keys->count, STEP_END + 1);
	ck_assert_str_eq(keys->symbols[0], "UNKNOWN_STEP");
	ck_assert_int_eq(keys->fallback_symbol, 0);
	for (int i = 0; i < STEP_END; i++)
		ck_assert_str_eq(keys->symbols[i + 1], slugs[i]);
}
END_TEST

START_TEST(the_six_webhook_fields_have_their_names)
{
	static const char *const names[] = { "ChangeType", "ContextIdentifier", "VersionName", "FileVersion", "Token",
					     "PublicEndpoint" };
	struct err e = { 0 };
	const struct schema *s = shipped_schema(MESSAGE_BACKUP_RESTORED, SHIPPED_NOW, mem, &e);

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		ck_assert_str_eq(s->fields[i].name, names[i]);
}
END_TEST

/* Personal data goes in with a request and never comes out with an event. */
START_TEST(events_have_no_place_for_personal_data)
{
	static const char *const words[] = { "login", "mail", "password", "requested_by", "user", "phone", "secret" };
	struct err e = { 0 };
	const struct schema *s = shipped_schema((enum message_kind)_i, SHIPPED_NOW, mem, &e);

	for (size_t i = 0; i < s->count; i++)
		for (size_t w = 0; w < sizeof words / sizeof *words; w++)
			ck_assert_msg(!strstr(s->fields[i].name, words[w]), "%s.%s", s->name, s->fields[i].name);
}
END_TEST

static char *read_source(const char *name)
{
	char path[1024], *text = calloc(1, SCHEMA_TEXT_MAX);
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", SOURCE_DIR, name);
	file = fopen(path, "re");
	ck_assert_msg(file != NULL, "no %s", path);
	ck_assert_uint_gt(fread(text, 1, SCHEMA_TEXT_MAX - 1, file), 0);
	fclose(file);
	return text;
}

/* Registered as it is in the file: what avro-c writes has lost defaults and logical types. */
START_TEST(shipped_bytes_are_those_of_the_file)
{
	const struct embedded_file *file = shipped_file((enum message_kind)_i, SHIPPED_NOW);
	char name[128], *text;

	snprintf(name, sizeof name, "schemas/%s", file->name);
	text = read_source(name);
	ck_assert_uint_eq(strlen(text), file->len);
	ck_assert_mem_eq(text, file->text, file->len);
	free(text);
}
END_TEST

START_TEST(asyncapi_and_the_pages_name_every_schema_and_topic)
{
	static const char *const pages[] = { "schemas/asyncapi.yaml", "schemas/README.md", "docs/events.md" };
	const struct embedded_file *file = shipped_file((enum message_kind)_i, SHIPPED_NOW);

	for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
		char *text = read_source(pages[i]);

		ck_assert_msg(strstr(text, file->name) != NULL, "%s lacks %s", pages[i], file->name);
		ck_assert_msg(strstr(text, topic_name(shipped_topic((enum message_kind)_i))) != NULL,
		              "%s lacks the topic of %s", pages[i], file->name);
		free(text);
	}
}
END_TEST

START_TEST(the_reason_codes_are_written_down)
{
	static const char *const codes[] = { "empty",   "too-large", "bad-magic", "unknown-schema", "malformed",
					     "invalid", "conflict",  "rejected",  "refused",        "unknown-clone" };
	char *text = read_source("schemas/README.md"), row[64];

	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
		snprintf(row, sizeof row, "\n| `%s` |", codes[i]);
		ck_assert_msg(strstr(text, row) != NULL, "schemas/README.md lacks %s", codes[i]);
	}
	free(text);
}
END_TEST

START_TEST(there_is_no_file_of_no_kind)
{
	ck_assert_ptr_null(shipped_file(MESSAGE_UNSET, SHIPPED_NOW));
	ck_assert_ptr_null(shipped_file(MESSAGE_END, SHIPPED_NOW));
	ck_assert_int_eq(shipped_topic(MESSAGE_END), TOPIC_UNSET);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("avro_schema");
	TCase *tc = tcase_create("avro_schema");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, all_types);
	tcase_add_test(tc, namespaces);
	tcase_add_test(tc, what_is_no_schema);
	tcase_add_test(tc, recursion_is_refused);
	tcase_add_test(tc, items_without_bytes_are_refused);
	tcase_add_test(tc, depth_is_bounded);
	tcase_add_test(tc, size_is_bounded);
	tcase_add_test(tc, defaults_become_values);
	tcase_add_loop_test(tc, shipped_schemas_are_documented, MESSAGE_REQUEST, MESSAGE_END);
	tcase_add_loop_test(tc, added_and_dropped_fields_have_defaults, MESSAGE_REQUEST, MESSAGE_END);
	tcase_add_test(tc, the_slugs_are_those_of_the_table);
	tcase_add_test(tc, the_six_webhook_fields_have_their_names);
	tcase_add_loop_test(tc, events_have_no_place_for_personal_data, MESSAGE_STEP_COMPLETED, MESSAGE_END);
	tcase_add_loop_test(tc, shipped_bytes_are_those_of_the_file, MESSAGE_REQUEST, MESSAGE_END);
	tcase_add_loop_test(tc, asyncapi_and_the_pages_name_every_schema_and_topic, MESSAGE_REQUEST, MESSAGE_END);
	tcase_add_test(tc, the_reason_codes_are_written_down);
	tcase_add_test(tc, there_is_no_file_of_no_kind);
	suite_add_tcase(suite, tc);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
