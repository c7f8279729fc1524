/* SPDX-License-Identifier: Apache-2.0
 * The registry client against a scripted registry: what it asks, what it believes, what it remembers. */
#include "consumer/adapters/avro/registry.h"

#include "consumer/adapters/avro/avro_codec.h"
#include "consumer/adapters/avro/shipped.h"
#include "consumer/adapters/avro/wire.h"
#include "tests/unit/avro_samples.h"

#include <check.h>
#include <dirent.h>
#include <jansson.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- a registry that answers what it is told to ---- */

struct fake {
	atomic_bool slow, stopped; /* slow: no answer before it is over, or stopped */
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
	while (atomic_load(&f->slow) && !atomic_load(&f->stopped))
		usleep(1000);
	if (f->down || atomic_load(&f->stopped))
		return err_set(e, ERR_TRANSIENT, 0, "fetch", "connection refused");
	*status_r = f->status;
	buf_add_text(answer, f->body ? f->body : ""); /* one that does not fit leaves its mark in the buffer */
	return true;
}

static void fake_stop(void *arg)
{
	struct fake *f = arg;

	atomic_store(&f->stopped, true);
}

static struct fake fake;
static struct schema_source *source;
static char folder[64];

static void open_source(bool auto_register, bool cached)
{
	const struct registry_settings settings = { .fetch = fake_fetch, .stop = fake_stop, .fetch_arg = &fake,
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
	DIR *dir = opendir(folder);
	struct dirent *entry;

	source->close(source);
	free(fake.post);
	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)) != NULL)
		unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
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
	struct schema_name name = { 0 };
	json_t *post;

	fake.body = "{\"subject\":\"sandbox.clone.state-value\",\"id\":41,\"version\":3}";
	ck_assert(source->name_of(source, MESSAGE_STATE, &name, &e));
	ck_assert_uint_eq(name.id, 41);
	ck_assert_str_eq(fake.path, "/subjects/sandbox.clone.state-value");
	post = json_loads(fake.post, 0, NULL);
	ck_assert_str_eq(json_string_value(json_object_get(post, "schema")), file->text);
	json_decref(post);
	ck_assert(source->name_of(source, MESSAGE_STATE, &name, &e));
	ck_assert_int_eq(fake.asked, 1);
}
END_TEST

START_TEST(our_schema_is_registered_only_when_that_is_on)
{
	struct err e = { 0 };
	struct schema_name name = { 0 };

	source->close(source);
	open_source(true, false);
	fake.body = "{\"id\":42}";
	ck_assert(source->name_of(source, MESSAGE_STEP_COMPLETED, &name, &e));
	ck_assert_str_eq(fake.path, "/subjects/sandbox.clone.step.completed-value/versions");
	ck_assert_uint_eq(name.id, 42);
}
END_TEST

START_TEST(an_unregistered_schema_is_refused_with_a_way_out)
{
	struct err e = { 0 };
	struct schema_name name = { 0 };

	fake.status = 404;
	ck_assert(!source->name_of(source, MESSAGE_STATE, &name, &e));
	ck_assert_int_eq(e.class, ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(e.text, "clone_state.avsc"));
	ck_assert_ptr_nonnull(strstr(e.text, "sandbox.clone.state-value"));
	fake.status = 200;
	fake.body = "{\"id\":5}";
	err_clear(&e);
	ck_assert(source->name_of(source, MESSAGE_STATE, &name, &e));
}
END_TEST

START_TEST(an_incompatible_schema_is_refused_and_an_outage_is_not)
{
	static const int refusals[] = { 409, 422 }, outages[] = { 500, 503, 401 };
	struct err e = { 0 };
	struct schema_name name = { 0 };

	source->close(source);
	open_source(true, false);
	for (size_t i = 0; i < 2; i++) {
		fake.status = refusals[i];
		err_clear(&e);
		ck_assert(!source->name_of(source, MESSAGE_STATE, &name, &e));
		ck_assert_int_eq(e.class, ERR_REFUSED);
	}
	for (size_t i = 0; i < 3; i++) {
		fake.status = outages[i];
		err_clear(&e);
		ck_assert(!source->name_of(source, MESSAGE_STATE, &name, &e));
		ck_assert_int_eq(e.class, ERR_TRANSIENT);
	}
	fake.status = 200;
	fake.body = "{\"id\":0}";
	err_clear(&e);
	ck_assert(!source->name_of(source, MESSAGE_STATE, &name, &e));
	ck_assert_int_eq(e.class, ERR_TRANSIENT);
	err_clear(&e);
	ck_assert(!source->name_of(source, MESSAGE_END, &name, &e));
	ck_assert_int_eq(e.class, ERR_MISUSE);
}
END_TEST

START_TEST(a_guid_is_taken_when_the_registry_gives_one)
{
	static const unsigned char guid[16] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xfe, 0xdc, 0xba, 0x98,
						0x76, 0x54, 0x32, 0x10 };
	struct schema_name name = { 0 };
	struct err e = { 0 };

	fake.body = "{\"id\":41,\"guid\":\"01234567-89AB-cdef-fedc-ba9876543210\"}";
	ck_assert(source->name_of(source, MESSAGE_STATE, &name, &e));
	ck_assert(name.has_guid);
	ck_assert_mem_eq(name.guid, guid, sizeof guid);
	fake.body = "{\"id\":42,\"guid\":\"01234567-89ab-cdef-fedc-ba98765432\"}";
	ck_assert(source->name_of(source, MESSAGE_STEP_COMPLETED, &name, &e));
	ck_assert(!name.has_guid);
	fake.body = "{\"id\":43,\"guid\":\"01234567-89ab-cdef-fedc-ba98765432xy\"}";
	ck_assert(source->name_of(source, MESSAGE_DEAD_LETTER, &name, &e));
	ck_assert(!name.has_guid);
}
END_TEST

/* ---- nobody may wait any more ---- */

#define OWN "{\"id\":41}"

START_TEST(what_is_our_own_is_learnt_before)
{
	const struct schema *schema;
	struct schema_name name;
	struct err e = { 0 };

	fake.body = OWN;
	ck_assert_msg(source->get_ready(source, &e), "%s", e.text);
	ck_assert_int_eq(fake.asked, 5); /* replay and control are written by tools */
	fake.down = true;
	ck_assert(source->name_of(source, MESSAGE_DEAD_LETTER, &name, &e));
	ck_assert_uint_eq(name.id, 41);
	ck_assert_int_eq(ask(41, &schema, &e), CODEC_OK); /* our own text is not asked for */
	ck_assert_int_eq(fake.asked, 5);
}
END_TEST

START_TEST(without_our_own_nothing_begins)
{
	struct err e = { 0 };

	fake.down = true;
	ck_assert(!source->get_ready(source, &e));
	ck_assert_int_eq(e.class, ERR_TRANSIENT);
	fake.down = false;
	fake.status = 404;
	err_clear(&e);
	ck_assert(!source->get_ready(source, &e));
	ck_assert_int_eq(e.class, ERR_REFUSED);
}
END_TEST

START_TEST(the_folder_lets_us_begin_while_the_registry_is_down)
{
	struct err e = { 0 };
	struct schema_name name;

	source->close(source);
	open_source(false, true);
	fake.body = "{\"id\":41,\"guid\":\"01234567-89ab-cdef-fedc-ba9876543210\"}";
	ck_assert(source->get_ready(source, &e));
	source->close(source);
	atomic_store(&fake.stopped, false);

	open_source(false, true);
	fake.down = true;
	ck_assert_msg(source->get_ready(source, &e), "%s", e.text);
	ck_assert(source->name_of(source, MESSAGE_STATE, &name, &e));
	ck_assert(name.id == 41 && name.has_guid);
}
END_TEST

/* Asks again until it is not LATER. */
static enum codec_result ask_until_said(uint32_t id, struct err *e)
{
	enum codec_result result = CODEC_LATER;
	const struct schema *schema;

	for (int i = 0; i < 20000 && result == CODEC_LATER; i++) {
		result = ask(id, &schema, e);
		if (result == CODEC_LATER)
			usleep(1000);
	}
	return result;
}

START_TEST(a_slow_registry_is_not_waited_for)
{
	const struct schema *schema;
	struct err e = { 0 };

	fake.body = OWN;
	ck_assert(source->get_ready(source, &e));
	atomic_store(&fake.slow, true);
	for (int i = 0; i < 100; i++) { /* it would hang for ever if one of them waited */
		ck_assert_int_eq(ask(7, &schema, &e), CODEC_LATER);
		ck_assert_int_eq(ask(8, &schema, &e), CODEC_LATER);
		ck_assert_int_eq(e.class, ERR_TRANSIENT);
	}
	for (uint32_t id = 100; id < 200; id++) /* more than it remembers */
		ck_assert_int_eq(ask(id, &schema, &e), CODEC_LATER);
	fake.body = ANSWER("\\\"int\\\"");
	atomic_store(&fake.slow, false);
	ck_assert_int_eq(ask_until_said(7, &e), CODEC_OK);
	ck_assert_int_eq(ask_until_said(8, &e), CODEC_OK);
	ck_assert_int_eq(ask_until_said(199, &e), CODEC_OK);
}
END_TEST

START_TEST(what_the_background_learns_is_believed_as_ever)
{
	struct err e = { 0 };

	fake.body = OWN;
	ck_assert(source->get_ready(source, &e));
	fake.status = 404;
	ck_assert_int_eq(ask_until_said(7, &e), CODEC_BAD);
	ck_assert_str_eq(e.where, "unknown-schema");
}
END_TEST

START_TEST(closing_does_not_wait_for_a_hanging_registry)
{
	const struct schema *schema;
	struct err e = { 0 };

	fake.body = OWN;
	ck_assert(source->get_ready(source, &e));
	atomic_store(&fake.slow, true);
	ck_assert_int_eq(ask(7, &schema, &e), CODEC_LATER);
	source->close(source); /* returns because the fetch is stopped */
	atomic_store(&fake.slow, false);
	atomic_store(&fake.stopped, false);
	open_source(false, false);
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
	ck_assert_int_eq(codec->decode(codec, MESSAGE_CONTROL, &record, &m, &e), CODEC_OK); /* our own needs no asking */
	message_free(&m);
	wire_write_prefix(78, value.data);
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
	tcase_add_test(tc, a_guid_is_taken_when_the_registry_gives_one);
	tcase_add_test(tc, what_is_our_own_is_learnt_before);
	tcase_add_test(tc, without_our_own_nothing_begins);
	tcase_add_test(tc, the_folder_lets_us_begin_while_the_registry_is_down);
	tcase_add_test(tc, a_slow_registry_is_not_waited_for);
	tcase_add_test(tc, what_the_background_learns_is_believed_as_ever);
	tcase_add_test(tc, closing_does_not_wait_for_a_hanging_registry);
	tcase_add_test(tc, the_codec_works_with_a_registry);
	suite_add_tcase(suite, tc);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
