/* SPDX-License-Identifier: Apache-2.0
 * The registry client against a scripted registry: what it asks, what it believes, what it remembers. */
#include "consumer/adapters/avro/registry.h"

#include "consumer/adapters/avro/avro_codec.h"
#include "consumer/adapters/avro/shipped.h"
#include "consumer/adapters/avro/wire.h"
#include "tests/unit/avro_samples.h"

#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- a registry that answers what it is told to ---- */

struct fake {
	bool down;
	int status;
	const char *body;
	int asked;
	char path[256];
	char *post;
};

static bool fake_fetch(void *arg, const char *path, const char *post, struct buf *answer, int *status_r, struct err *e)
{
	struct fake *f = arg;

	f->asked++;
	snprintf(f->path, sizeof f->path, "%s", path);
	free(f->post);
	f->post = post ? strdup(post) : NULL;
	if (f->down)
		return err_set(e, ERR_TRANSIENT, 0, "fetch", "connection refused");
	*status_r = f->status;
	buf_add_text(answer, f->body ? f->body : ""); /* one that does not fit leaves its mark in the buffer */
	return true;
}

static struct fake fake;
static struct schema_source *source;
static char folder[64];

static void open_source(bool auto_register, bool cached)
{
	const struct registry_settings settings = { .fetch = fake_fetch, .fetch_arg = &fake,
						    .cache_folder = cached ? folder : NULL,
						    .auto_register = auto_register, .unknown_retry_ms = 100 };
	struct err e = { 0 };

	source = registry_schemas_new(&settings, &e);
	ck_assert_ptr_nonnull(source);
}

static void setup(void)
{
	const char *base = getenv("TMPDIR");

	fake = (struct fake){ .status = 200 };
	snprintf(folder, sizeof folder, "%s/avro-XXXXXX", base && strlen(base) < 40 ? base : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	open_source(false, false);
}

static void teardown(void)
{
	char path[128];

	source->close(source);
	free(fake.post);
	snprintf(path, sizeof path, "%s/ids-7.avsc", folder);
	unlink(path);
	rmdir(folder);
}

static enum codec_result ask(uint32_t id, const struct schema **schema, struct err *e)
{
	*e = (struct err){ 0 };
	return source->by_id(source, id, schema, e);
}

#define ANSWER(schema) "{\"schema\":\"" schema "\"}"

/* ---- asking by id ---- */

START_TEST(an_id_is_asked_for_once)
{
	const struct schema *schema;
	struct err e;

	fake.body = ANSWER("\\\"string\\\"");
	ck_assert_int_eq(ask(7, &schema, &e), CODEC_OK);
	ck_assert_int_eq(schema->type, SCHEMA_STRING);
	ck_assert_str_eq(fake.path, "/schemas/ids/7");
	ck_assert_ptr_null(fake.post);
	ck_assert_int_eq(ask(7, &schema, &e), CODEC_OK);
	ck_assert_int_eq(fake.asked, 1);
	ck_assert_int_eq(ask(8, &schema, &e), CODEC_OK);
	ck_assert_int_eq(fake.asked, 2);
}
END_TEST

START_TEST(a_guid_is_asked_for)
{
	static const unsigned char guid[16] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xfe, 0xdc, 0xba, 0x98,
						0x76, 0x54, 0x32, 0x10 };
	const struct schema *schema;
	struct err e = { 0 };

	fake.body = "{\"schema\":\"\\\"int\\\"\",\"schemaType\":\"AVRO\",\"references\":[]}";
	ck_assert_int_eq(source->by_guid(source, guid, &schema, &e), CODEC_OK);
	ck_assert_str_eq(fake.path, "/schemas/guids/01234567-89ab-cdef-fedc-ba9876543210");
}
END_TEST

START_TEST(an_unknown_id_is_bad_and_remembered_for_a_while)
{
	const struct schema *schema;
	struct err e;

	fake.status = 404;
	fake.body = "{\"error_code\":40403,\"message\":\"Schema not found\"}";
	for (int i = 0; i < 50; i++) {
		ck_assert_int_eq(ask(7, &schema, &e), CODEC_BAD);
		ck_assert_str_eq(e.where, "unknown-schema");
	}
	ck_assert_int_eq(fake.asked, 1);
	usleep(150 * 1000);
	fake.status = 200;
	fake.body = ANSWER("\\\"int\\\"");
	ck_assert_int_eq(ask(7, &schema, &e), CODEC_OK);
}
END_TEST

START_TEST(no_answer_means_later)
{
	const struct schema *schema;
	struct err e;

	fake.down = true;
	ck_assert_int_eq(ask(7, &schema, &e), CODEC_LATER);
	ck_assert_int_eq(e.class, ERR_TRANSIENT);
	fake.down = false;
	fake.body = ANSWER("\\\"int\\\"");
	ck_assert_int_eq(ask(7, &schema, &e), CODEC_OK);
}
END_TEST

START_TEST(nonsense_means_later)
{
	static const struct {
		int status;
		const char *body;
	} answers[] = {
		{ 500, "" },          { 401, "{}" },      { 429, "" },  { 503, "<html>" },    { 302, "" },
		{ 200, "<html>hi" },  { 200, "" },        { 200, "[]" }, { 200, "{}" },       { 200, "{\"schema\":7}" },
		{ 200, "{\"schema\":\"\\\"int\\\"\"" },
	};
	const struct schema *schema;
	struct err e;

	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		fake.status = answers[i].status;
		fake.body = answers[i].body;
		ck_assert_int_eq(ask(7, &schema, &e), CODEC_LATER);
		ck_assert_int_eq(e.class, ERR_TRANSIENT);
		ck_assert_str_ne(e.text, "");
	}
}
END_TEST

START_TEST(schemas_we_do_not_take_are_bad)
{
	static const char *const bodies[] = {
		"{\"schema\":\"syntax = proto3\",\"schemaType\":\"PROTOBUF\"}",
		"{\"schema\":\"{}\",\"schemaType\":\"JSON\"}",
		"{\"schema\":\"\\\"x.Y\\\"\",\"references\":[{\"name\":\"x.Y\",\"subject\":\"y\",\"version\":1}]}",
		ANSWER("{"),
		ANSWER("{\\\"type\\\":\\\"array\\\",\\\"items\\\":\\\"null\\\"}"),
		ANSWER("{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"R\\\",\\\"fields\\\":"
		       "[{\\\"name\\\":\\\"r\\\",\\\"type\\\":[\\\"null\\\",\\\"R\\\"]}]}"),
	};
	const struct schema *schema;
	struct err e;

	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		fake.body = bodies[i];
		ck_assert_int_eq(ask((uint32_t)i + 1, &schema, &e), CODEC_BAD);
		ck_assert_str_eq(e.where, "unknown-schema");
		ck_assert_int_eq(e.class, ERR_REFUSED);
	}
}
END_TEST

START_TEST(a_giant_answer_is_not_kept)
{
	char *body = malloc(3 << 20);
	const struct schema *schema;
	struct err e;

	ck_assert_ptr_nonnull(body);
	memset(body, ' ', 3 << 20);
	memcpy(body, ANSWER("\\\"int\\\""), strlen(ANSWER("\\\"int\\\"")));
	body[(3 << 20) - 1] = '\0';
	fake.body = body;
	ck_assert_int_eq(ask(7, &schema, &e), CODEC_LATER);
	free(body);
}
END_TEST

START_TEST(many_ids_do_not_fill_memory)
{
	const struct schema *schema;
	struct err e;

	fake.body = ANSWER("\\\"int\\\"");
	for (uint32_t id = 1; id <= 1000; id++)
		ck_assert_int_eq(ask(id, &schema, &e), CODEC_OK);
	ck_assert_int_eq(fake.asked, 1000);
	ck_assert_int_eq(ask(1000, &schema, &e), CODEC_OK);
	ck_assert_int_eq(fake.asked, 1000);
	ck_assert_int_eq(ask(1, &schema, &e), CODEC_OK);
	ck_assert_int_eq(fake.asked, 1001);
}
END_TEST

START_TEST(the_folder_serves_when_the_registry_is_down)
{
	const struct schema *schema;
	char path[128];
	struct err e;
	FILE *file;

	source->close(source);
	open_source(false, true);
	fake.body = ANSWER("\\\"long\\\"");
	ck_assert_int_eq(ask(7, &schema, &e), CODEC_OK);
	source->close(source);

	open_source(false, true);
	fake.down = true;
	ck_assert_int_eq(ask(7, &schema, &e), CODEC_OK);
	ck_assert_int_eq(schema->type, SCHEMA_LONG);
	ck_assert_int_eq(fake.asked, 1);
	source->close(source);

	/* A spoiled file is as good as none. */
	snprintf(path, sizeof path, "%s/ids-7.avsc", folder);
	file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	fputs("{half", file);
	fclose(file);
	open_source(false, true);
	ck_assert_int_eq(ask(7, &schema, &e), CODEC_LATER);
	fake.down = false;
	ck_assert_int_eq(ask(7, &schema, &e), CODEC_OK);
}
END_TEST

/* ---- our own schemas ---- */

START_TEST(our_schema_is_looked_up_byte_for_byte)
{
	const struct embedded_file *file = shipped_file(MESSAGE_STATE, SHIPPED_NOW);
	struct err e = { 0 };
	uint32_t id = 0;
	json_t *post;

	fake.body = "{\"subject\":\"sandbox.clone.state-value\",\"id\":41,\"version\":3}";
	ck_assert(source->id_of(source, MESSAGE_STATE, &id, &e));
	ck_assert_uint_eq(id, 41);
	ck_assert_str_eq(fake.path, "/subjects/sandbox.clone.state-value");
	post = json_loads(fake.post, 0, NULL);
	ck_assert_str_eq(json_string_value(json_object_get(post, "schema")), file->text);
	json_decref(post);
	ck_assert(source->id_of(source, MESSAGE_STATE, &id, &e));
	ck_assert_int_eq(fake.asked, 1);
}
END_TEST

START_TEST(our_schema_is_registered_only_when_that_is_on)
{
	struct err e = { 0 };
	uint32_t id = 0;

	source->close(source);
	open_source(true, false);
	fake.body = "{\"id\":42}";
	ck_assert(source->id_of(source, MESSAGE_STEP_COMPLETED, &id, &e));
	ck_assert_str_eq(fake.path, "/subjects/sandbox.clone.step.completed-value/versions");
	ck_assert_uint_eq(id, 42);
}
END_TEST

START_TEST(an_unregistered_schema_is_refused_with_a_way_out)
{
	struct err e = { 0 };
	uint32_t id = 0;

	fake.status = 404;
	ck_assert(!source->id_of(source, MESSAGE_STATE, &id, &e));
	ck_assert_int_eq(e.class, ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(e.text, "clone_state.avsc"));
	ck_assert_ptr_nonnull(strstr(e.text, "sandbox.clone.state-value"));
	fake.status = 200;
	fake.body = "{\"id\":5}";
	err_clear(&e);
	ck_assert(source->id_of(source, MESSAGE_STATE, &id, &e));
}
END_TEST

START_TEST(an_incompatible_schema_is_refused_and_an_outage_is_not)
{
	static const int refusals[] = { 409, 422 }, outages[] = { 500, 503, 401 };
	struct err e = { 0 };
	uint32_t id = 0;

	source->close(source);
	open_source(true, false);
	for (size_t i = 0; i < 2; i++) {
		fake.status = refusals[i];
		err_clear(&e);
		ck_assert(!source->id_of(source, MESSAGE_STATE, &id, &e));
		ck_assert_int_eq(e.class, ERR_REFUSED);
	}
	for (size_t i = 0; i < 3; i++) {
		fake.status = outages[i];
		err_clear(&e);
		ck_assert(!source->id_of(source, MESSAGE_STATE, &id, &e));
		ck_assert_int_eq(e.class, ERR_TRANSIENT);
	}
	fake.status = 200;
	fake.body = "{\"id\":0}";
	err_clear(&e);
	ck_assert(!source->id_of(source, MESSAGE_STATE, &id, &e));
	ck_assert_int_eq(e.class, ERR_TRANSIENT);
	err_clear(&e);
	ck_assert(!source->id_of(source, MESSAGE_END, &id, &e));
	ck_assert_int_eq(e.class, ERR_MISUSE);
}
END_TEST

/* ---- with the codec on top ---- */

START_TEST(the_codec_works_with_a_registry)
{
	const struct avro_codec_settings settings = { .schemas = source };
	struct err e = { 0 };
	struct codec_port *codec = avro_codec_new(&settings, &e);
	const struct embedded_file *file = shipped_file(MESSAGE_CONTROL, SHIPPED_NOW);
	struct message sent = sample_control(), *m = NULL;
	struct bus_record record;
	struct buf value;
	json_t *answer = json_pack("{s:s%}", "schema", file->text, file->len);
	char *text = json_dumps(answer, 0);

	ck_assert_ptr_nonnull(codec);
	buf_init(&value, RECORD_MAX_BYTES);
	fake.down = true;
	ck_assert(!codec->encode(codec, &sent, &value, &e));
	ck_assert_int_eq(e.class, ERR_TRANSIENT);
	ck_assert_uint_eq(value.len, 0);

	fake.down = false;
	fake.body = "{\"id\":77}";
	err_clear(&e);
	ck_assert_msg(codec->encode(codec, &sent, &value, &e), "%s", e.text);
	ck_assert_uint_eq(wire_read_id((unsigned char *)value.data + 1), 77);

	record = (struct bus_record){ .value = value.data, .value_len = value.len };
	fake.down = true;
	ck_assert_int_eq(codec->decode(codec, MESSAGE_CONTROL, &record, &m, &e), CODEC_LATER);
	fake.down = false;
	fake.body = text;
	err_clear(&e);
	ck_assert_msg(codec->decode(codec, MESSAGE_CONTROL, &record, &m, &e) == CODEC_OK, "%s", e.text);
	ck_assert_str_eq(m->control.clone_id, "c1");
	message_free(&m);
	buf_done(&value);
	free(text);
	json_decref(answer);
	codec->close(codec);
	open_source(false, false);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("avro_registry");
	TCase *tc = tcase_create("avro_registry");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, an_id_is_asked_for_once);
	tcase_add_test(tc, a_guid_is_asked_for);
	tcase_add_test(tc, an_unknown_id_is_bad_and_remembered_for_a_while);
	tcase_add_test(tc, no_answer_means_later);
	tcase_add_test(tc, nonsense_means_later);
	tcase_add_test(tc, schemas_we_do_not_take_are_bad);
	tcase_add_test(tc, a_giant_answer_is_not_kept);
	tcase_add_test(tc, many_ids_do_not_fill_memory);
	tcase_add_test(tc, the_folder_serves_when_the_registry_is_down);
	tcase_add_test(tc, our_schema_is_looked_up_byte_for_byte);
	tcase_add_test(tc, our_schema_is_registered_only_when_that_is_on);
	tcase_add_test(tc, an_unregistered_schema_is_refused_with_a_way_out);
	tcase_add_test(tc, an_incompatible_schema_is_refused_and_an_outage_is_not);
	tcase_add_test(tc, the_codec_works_with_a_registry);
	suite_add_tcase(suite, tc);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
