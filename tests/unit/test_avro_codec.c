/* SPDX-License-Identifier: Apache-2.0
 * The codec as the engine sees it: every kind goes out and comes back, avro-c reads what we wrote, and nothing a
 * stranger sends does more than be refused. */
#include "consumer/adapters/avro/avro_codec.h"

#include "consumer/adapters/avro/shipped.h"
#include "consumer/adapters/avro/wire.h"
#include "tests/unit/avro_samples.h"

#include <avro.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
#define SANITIZED true
#else
#define SANITIZED false
#endif

static int64_t fixed_time(struct clock_port *self)
{
	(void)self;
	return 1785578400789;
}

static struct clock_port fake_clock = { .utc_ms = fixed_time };
static struct codec_port *codec;
static struct buf bytes;

static void setup(void)
{
	const struct avro_codec_settings settings = { .clock = &fake_clock };
	struct err e = { 0 };

	codec = avro_codec_new(&settings, &e);
	ck_assert_msg(codec != NULL, "%s", e.text);
	buf_init(&bytes, RECORD_MAX_BYTES);
}

static void teardown(void)
{
	buf_done(&bytes);
	codec->close(codec);
}

static void encode(const struct message *m)
{
	struct err e = { 0 };

	buf_clear(&bytes);
	ck_assert_msg(codec->encode(codec, m, &bytes, &e), "%s", e.text);
}

static enum codec_result decode(enum message_kind kind, const void *value, size_t len, struct message **m,
                                struct err *e)
{
	struct bus_record record = { .value = value, .value_len = len };

	*e = (struct err){ 0 };
	return codec->decode(codec, kind, &record, m, e);
}

static struct message *decoded(enum message_kind kind)
{
	struct message *m;
	struct err e;

	ck_assert_msg(decode(kind, bytes.data, bytes.len, &m, &e) == CODEC_OK, "%s", e.text);
	ck_assert_int_eq(m->kind, kind);
	return m;
}

static void refused(enum message_kind kind, const void *value, size_t len, const char *code)
{
	struct message *m;
	struct err e;

	ck_assert_int_eq(decode(kind, value, len, &m, &e), CODEC_BAD);
	ck_assert_ptr_null(m);
	ck_assert_int_eq(e.class, ERR_REFUSED);
	ck_assert_str_eq(e.where, code);
	ck_assert_str_ne(e.text, "");
}

/* ---- there and back ---- */

#define SAME_TEXT(member) ck_assert_str_eq(got->member, want->member)
#define SAME_NUMBER(member) ck_assert_int_eq(got->member, want->member)

START_TEST(a_request_comes_back)
{
	struct message sent = sample_request(), *m;
	const struct clone_request *want = &sent.request, *got;

	encode(&sent);
	m = decoded(MESSAGE_REQUEST);
	got = &m->request;
	SAME_TEXT(job.clone_id);
	SAME_NUMBER(job.kind);
	SAME_TEXT(job.source_ctx);
	SAME_TEXT(job.target_ctx);
	SAME_TEXT(job.requested_by);
	SAME_NUMBER(job.mask_enabled);
	SAME_TEXT(job.mask_domain);
	SAME_NUMBER(job.mask_mode);
	ck_assert_uint_eq(got->job.mask_keep_count, 2);
	SAME_TEXT(job.mask_keep[0]);
	SAME_TEXT(job.mask_keep[1]);
	ck_assert_uint_eq(got->job.user_count, 2);
	for (int i = 0; i < 2; i++) {
		SAME_TEXT(job.users[i].login);
		SAME_NUMBER(job.users[i].associate_id);
		SAME_TEXT(job.users[i].plan);
		SAME_NUMBER(job.users[i].is_admin);
	}
	SAME_NUMBER(job.documents);
	SAME_NUMBER(job.attachments);
	ck_assert_uint_eq(got->job.enable_schedule_count, 3);
	for (int i = 0; i < 3; i++)
		SAME_NUMBER(job.enable_schedules[i]);
	SAME_NUMBER(job.set_running);
	SAME_TEXT(job.approved_target);
	SAME_NUMBER(confirmed);
	SAME_NUMBER(requested_at_ms);
	SAME_TEXT(expected_generation);
	SAME_TEXT(traceparent);
	ck_assert_uint_ne(got->fingerprint, 0);
	message_free(&m);
}
END_TEST

START_TEST(a_replay_comes_back)
{
	struct message sent = sample_replay(), *m;
	const struct clone_replay *want = &sent.replay, *got;

	encode(&sent);
	m = decoded(MESSAGE_REPLAY);
	got = &m->replay;
	SAME_TEXT(clone_id);
	SAME_TEXT(target_ctx);
	SAME_TEXT(from_step);
	SAME_TEXT(until_step);
	SAME_TEXT(expected_generation);
	SAME_TEXT(reason);
	SAME_TEXT(requested_by);
	ck_assert(got->has_mask_domain && got->has_mask_mode && got->has_attachments && got->has_set_running);
	SAME_NUMBER(mask_mode);
	ck_assert(!got->has_documents && !got->has_approved_target);
	SAME_TEXT(mask_domain);
	SAME_NUMBER(attachments);
	SAME_NUMBER(set_running);
	SAME_TEXT(traceparent);
	message_free(&m);
}
END_TEST

START_TEST(a_control_comes_back)
{
	struct message sent = sample_control(), *m;
	const struct clone_control *want = &sent.control, *got;

	encode(&sent);
	m = decoded(MESSAGE_CONTROL);
	got = &m->control;
	SAME_TEXT(clone_id);
	SAME_TEXT(target_ctx);
	SAME_NUMBER(verb);
	SAME_TEXT(reason);
	SAME_TEXT(requested_by);
	message_free(&m);
}
END_TEST

START_TEST(a_step_comes_back)
{
	struct message sent = sample_step(), *m;
	const struct step_completed *want = &sent.step_completed, *got;

	encode(&sent);
	m = decoded(MESSAGE_STEP_COMPLETED);
	got = &m->step_completed;
	SAME_TEXT(event_id);
	SAME_TEXT(clone_id);
	SAME_TEXT(source_ctx);
	SAME_TEXT(target_ctx);
	SAME_TEXT(slug);
	SAME_TEXT(detail);
	SAME_NUMBER(run);
	SAME_NUMBER(step_no);
	SAME_NUMBER(total_steps);
	SAME_NUMBER(attempt);
	SAME_NUMBER(sequence);
	SAME_NUMBER(started_at_ms);
	SAME_NUMBER(finished_at_ms);
	SAME_NUMBER(outcome);
	SAME_NUMBER(rows);
	SAME_NUMBER(bytes);
	SAME_NUMBER(masked);
	SAME_NUMBER(still_ms);
	SAME_NUMBER(more_tables);
	ck_assert_uint_eq(got->table_count, want->table_count);
	for (size_t i = 0; i < want->table_count; i++) {
		SAME_TEXT(tables[i].table);
		SAME_NUMBER(tables[i].rows);
		SAME_NUMBER(tables[i].bytes);
		SAME_NUMBER(tables[i].masked);
	}
	message_free(&m);
}
END_TEST

START_TEST(a_backup_restored_comes_back)
{
	struct message sent = sample_backup(), *m;
	const struct backup_restored *want = &sent.backup_restored, *got;

	encode(&sent);
	m = decoded(MESSAGE_BACKUP_RESTORED);
	got = &m->backup_restored;
	SAME_TEXT(event_id);
	SAME_NUMBER(change_type);
	SAME_TEXT(context_identifier);
	SAME_TEXT(version_name);
	SAME_TEXT(file_version);
	SAME_TEXT(token);
	SAME_TEXT(public_endpoint);
	SAME_TEXT(clone_id);
	SAME_TEXT(source_ctx);
	SAME_TEXT(generation);
	SAME_TEXT(mask_domain);
	SAME_TEXT(proof);
	SAME_NUMBER(mask_domain_public);
	SAME_NUMBER(run);
	SAME_NUMBER(sequence);
	SAME_NUMBER(occurred_at_ms);
	SAME_NUMBER(apps_to_tell);
	message_free(&m);
}
END_TEST

START_TEST(a_state_comes_back)
{
	struct message sent = sample_state(), *m;
	const struct clone_state *want = &sent.state, *got;

	encode(&sent);
	m = decoded(MESSAGE_STATE);
	got = &m->state;
	SAME_TEXT(event_id);
	SAME_TEXT(clone_id);
	SAME_TEXT(source_ctx);
	SAME_TEXT(target_ctx);
	SAME_TEXT(generation);
	SAME_NUMBER(status);
	SAME_NUMBER(run);
	SAME_NUMBER(steps_done);
	SAME_NUMBER(total_steps);
	SAME_NUMBER(sequence);
	SAME_NUMBER(requested_at_ms);
	SAME_NUMBER(updated_at_ms);
	SAME_TEXT(step);
	SAME_TEXT(cause);
	SAME_TEXT(error_class);
	SAME_TEXT(next_command);
	ck_assert_uint_eq(got->token, want->token);
	SAME_NUMBER(cancel_begun);
	SAME_NUMBER(leaves);
	ck_assert_uint_eq(got->only_step_count, 2);
	ck_assert_str_eq(got->only_steps[1], "drop_database");
	message_free(&m);
}
END_TEST

START_TEST(a_dead_letter_comes_back)
{
	struct message sent = sample_dead_letter(), *m;
	const struct dead_letter *want = &sent.dead_letter, *got;

	encode(&sent);
	m = decoded(MESSAGE_DEAD_LETTER);
	got = &m->dead_letter;
	SAME_TEXT(origin_topic);
	SAME_NUMBER(origin_partition);
	SAME_NUMBER(origin_offset);
	SAME_NUMBER(at_ms);
	SAME_TEXT(reason_code);
	SAME_TEXT(reason);
	ck_assert_ptr_null(got->key);
	ck_assert_uint_eq(got->key_len, 0);
	ck_assert_uint_eq(got->value_len, 4);
	ck_assert_mem_eq(got->value, want->value, 4);
	SAME_NUMBER(value_size);
	message_free(&m);
}
END_TEST

START_TEST(a_dead_letter_of_a_giant_keeps_its_head)
{
	static char giant[1 << 20];
	struct message sent = sample_dead_letter(), *m;

	memset(giant, 0xee, sizeof giant);
	sent.dead_letter.value = sent.dead_letter.key = giant;
	sent.dead_letter.value_len = sent.dead_letter.key_len = sizeof giant;
	sent.dead_letter.value_size = 0;
	encode(&sent);
	ck_assert_uint_le(bytes.len, RECORD_MAX_BYTES);
	m = decoded(MESSAGE_DEAD_LETTER);
	ck_assert_uint_eq(m->dead_letter.value_len, 60 * 1024);
	ck_assert_int_eq(m->dead_letter.value_size, sizeof giant);
	ck_assert_mem_eq(m->dead_letter.value, giant, m->dead_letter.value_len);
	message_free(&m);
}
END_TEST

START_TEST(an_empty_message_comes_back_with_empty_texts)
{
	struct message sent = { .kind = (enum message_kind)_i }, *m;

	if (_i == MESSAGE_STEP_COMPLETED)
		sent.step_completed.slug = "create_login";
	encode(&sent);
	m = decoded((enum message_kind)_i);
	if (_i == MESSAGE_STATE)
		ck_assert_str_eq(m->state.cause, "");
	if (_i == MESSAGE_REQUEST) {
		ck_assert_uint_eq(m->request.job.user_count, 0);
		ck_assert_int_eq(m->request.job.documents, DOCUMENTS_UNSET);
	}
	message_free(&m);
}
END_TEST

/* The same bytes read by avro-c, which shares no code with our reader, and written by it again. */
START_TEST(avro_c_reads_what_was_written)
{
	struct message sent = sample((enum message_kind)_i);
	const struct embedded_file *file = shipped_file((enum message_kind)_i, SHIPPED_NOW);
	char again[RECORD_MAX_BYTES];
	avro_schema_t schema;
	avro_value_iface_t *class;
	avro_value_t value, field;
	avro_reader_t reader;
	avro_writer_t writer;
	const char *text;
	size_t len = bytes.len;

	encode(&sent);
	len = bytes.len - WIRE_PREFIX_BYTES;
	ck_assert_int_eq(wire_read_id((unsigned char *)bytes.data + 1), SHIPPED_ID_FIRST + _i);
	ck_assert_int_eq(avro_schema_from_json_length(file->text, file->len, &schema), 0);
	class = avro_generic_class_from_schema(schema);
	ck_assert_int_eq(avro_generic_value_new(class, &value), 0);
	reader = avro_reader_memory(bytes.data + WIRE_PREFIX_BYTES, (int64_t)len);
	ck_assert_int_eq(avro_value_read(reader, &value), 0);
	writer = avro_writer_memory(again, sizeof again);
	ck_assert_int_eq(avro_value_write(writer, &value), 0);
	ck_assert_uint_eq((size_t)avro_writer_tell(writer), len);
	ck_assert_mem_eq(again, bytes.data + WIRE_PREFIX_BYTES, len);
	if (_i == MESSAGE_STEP_COMPLETED) {
		ck_assert_int_eq(avro_value_get_by_name(&value, "target_ctx", &field, NULL), 0);
		ck_assert_int_eq(avro_value_get_string(&field, &text, NULL), 0);
		ck_assert_str_eq(text, "Cust70001");
	}
	avro_writer_free(writer);
	avro_reader_free(reader);
	avro_value_decref(&value);
	avro_value_iface_decref(class);
	avro_schema_decref(schema);
}
END_TEST

START_TEST(the_same_message_gives_the_same_bytes)
{
	struct message request = sample_request(), other = sample_request();
	char first[4096];
	size_t len;

	encode(&request);
	len = bytes.len;
	memcpy(first, bytes.data, len);
	other.request.job.user_count = 0;
	other.request.job.mask_keep_count = 0;
	encode(&other);
	encode(&request);
	ck_assert_uint_eq(bytes.len, len);
	ck_assert_mem_eq(bytes.data, first, len);
}
END_TEST

/* ---- what cannot be told ---- */

START_TEST(a_bad_text_is_told_all_the_same)
{
	char *huge = malloc(40 * 1024);
	struct message sent = sample_state(), *m;

	memset(huge, 'x', 40 * 1024 - 1);
	huge[40 * 1024 - 1] = '\0';
	sent.state.cause = "disk \377\300 full";
	sent.state.next_command = huge;
	encode(&sent);
	m = decoded(MESSAGE_STATE);
	ck_assert_str_eq(m->state.cause, "disk ?? full");
	ck_assert_uint_eq(strlen(m->state.next_command), 32 * 1024);
	message_free(&m);
	free(huge);
}
END_TEST

START_TEST(what_the_schema_cannot_hold_is_not_encoded)
{
	struct message m = sample_step();
	struct err e = { 0 };

	m.step_completed.slug = "no_such_step";
	ck_assert(!codec->encode(codec, &m, &bytes, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "step_key"));
	m = sample_step();
	m.step_completed.outcome = STEP_WAIT;
	err_clear(&e);
	ck_assert(!codec->encode(codec, &m, &bytes, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "outcome"));
	m = sample_state();
	m.state.token = UINT64_MAX;
	err_clear(&e);
	ck_assert(!codec->encode(codec, &m, &bytes, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "token"));
	m.kind = MESSAGE_END;
	err_clear(&e);
	ck_assert(!codec->encode(codec, &m, &bytes, &e));
	ck_assert_uint_eq(bytes.len, 0);
}
END_TEST

START_TEST(a_request_beyond_a_record_is_not_encoded)
{
	struct user_plan *users = calloc(10001, sizeof *users);
	struct message m = sample_request();
	struct err e = { 0 };

	for (int i = 0; i < 10001; i++)
		users[i].login = "somebody@company.example";
	m.request.job.users = users;
	m.request.job.user_count = 10000;
	ck_assert(!codec->encode(codec, &m, &bytes, &e));
	ck_assert_str_eq(e.where, "too-large");
	m.request.job.user_count = 10001;
	err_clear(&e);
	ck_assert(!codec->encode(codec, &m, &bytes, &e));
	ck_assert_str_eq(e.where, "too-large");
	free(users);
	m = sample_request();
	encode(&m);
}
END_TEST

/* ---- hostile bytes ---- */

START_TEST(truncated_at_every_byte)
{
	struct message sent = sample((enum message_kind)_i);
	size_t whole;

	encode(&sent);
	whole = bytes.len;
	for (size_t len = 0; len < whole; len++) {
		/* of its own size, so that the sanitizer sees a read past the end */
		char *cut = malloc(len ? len : 1);

		memcpy(cut, bytes.data, len);
		refused((enum message_kind)_i, cut, len, len == 0 ? "empty" : len < 5 ? "bad-magic" : "malformed");
		free(cut);
	}
}
END_TEST

/* Every single byte changed to some others: refused or decoded, never worse. */
START_TEST(every_byte_spoiled)
{
	static const unsigned char others[] = { 0, 1, 2, 3, 0x3f, 0x7f, 0x80, 0x81, 0xfe, 0xff };
	struct message sent = sample((enum message_kind)_i);
	char *spoiled;
	size_t refusals = 0;

	encode(&sent);
	spoiled = malloc(bytes.len);
	for (size_t at = 0; at < bytes.len; at++)
		for (size_t i = 0; i < sizeof others; i++) {
			struct message *m;
			struct err e;
			enum codec_result result;

			memcpy(spoiled, bytes.data, bytes.len);
			spoiled[at] = (char)others[i];
			result = decode((enum message_kind)_i, spoiled, bytes.len, &m, &e);
			ck_assert(result == CODEC_OK || result == CODEC_BAD);
			ck_assert_int_eq(m != NULL, result == CODEC_OK);
			refusals += result == CODEC_BAD;
			message_free(&m);
		}
	ck_assert_uint_gt(refusals, 0);
	free(spoiled);
}
END_TEST

START_TEST(the_wire_format_is_checked)
{
	struct message sent = sample_control();
	char *large = calloc(1, RECORD_MAX_BYTES + 1);

	encode(&sent);
	refused(MESSAGE_CONTROL, NULL, 0, "empty");
	refused(MESSAGE_CONTROL, bytes.data, 0, "empty");
	refused(MESSAGE_CONTROL, large, RECORD_MAX_BYTES + 1, "too-large");
	free(large);
	ck_assert(buf_add(&bytes, "x", 1));
	refused(MESSAGE_CONTROL, bytes.data, bytes.len, "malformed");
	bytes.len--;
	bytes.data[0] = 1;
	refused(MESSAGE_CONTROL, bytes.data, bytes.len, "bad-magic");
	wire_write_prefix(4242, bytes.data);
	refused(MESSAGE_CONTROL, bytes.data, bytes.len, "unknown-schema");
	wire_write_prefix(0, bytes.data);
	refused(MESSAGE_CONTROL, bytes.data, bytes.len, "unknown-schema");
	wire_write_prefix(UINT32_C(0x80000001), bytes.data);
	refused(MESSAGE_CONTROL, bytes.data, bytes.len, "unknown-schema");
	wire_write_prefix(SHIPPED_ID_FIRST, bytes.data);
	refused(MESSAGE_CONTROL, bytes.data, bytes.len, "unknown-schema");
	/* A record of another kind than the topic holds. */
	wire_write_prefix(SHIPPED_ID_FIRST + MESSAGE_CONTROL, bytes.data);
	refused(MESSAGE_REPLAY, bytes.data, bytes.len, "unknown-schema");
}
END_TEST

START_TEST(the_header_form_is_read)
{
	struct message sent = sample_control(), *m = NULL;
	unsigned char guid[17] = { 1 };
	struct err e = { 0 };
	struct bus_record record;

	encode(&sent);
	shipped_guid(SHIPPED_ID_FIRST + MESSAGE_CONTROL, guid + 1);
	record = (struct bus_record){
		.value = bytes.data + WIRE_PREFIX_BYTES, .value_len = bytes.len - WIRE_PREFIX_BYTES,
		.headers = { { "__value_schema_id", "old", 3 }, { "__value_schema_id", guid, 17 } }, .header_count = 2,
	};
	ck_assert_msg(codec->decode(codec, MESSAGE_CONTROL, &record, &m, &e) == CODEC_OK, "%s", e.text);
	ck_assert_str_eq(m->control.reason, "why not");
	message_free(&m);

	guid[0] = 2;
	ck_assert_int_eq(codec->decode(codec, MESSAGE_CONTROL, &record, &m, &e), CODEC_BAD);
	ck_assert_str_eq(e.where, "bad-magic");
	guid[0] = 1;
	guid[1] ^= 1;
	err_clear(&e);
	ck_assert_int_eq(codec->decode(codec, MESSAGE_CONTROL, &record, &m, &e), CODEC_BAD);
	ck_assert_str_eq(e.where, "unknown-schema");
}
END_TEST

START_TEST(the_trace_is_taken_from_the_headers)
{
	static const char other[] = "00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-00";
	struct message sent = sample_request(), *m = NULL;
	struct err e = { 0 };
	struct bus_record record;

	encode(&sent);
	record = (struct bus_record){ .value = bytes.data, .value_len = bytes.len,
		                      .headers = { { "ce_traceparent", other, 55 }, { "traceparent", "nonsense", 8 } },
		                      .header_count = 2 };
	ck_assert_int_eq(codec->decode(codec, MESSAGE_REQUEST, &record, &m, &e), CODEC_OK);
	ck_assert_str_eq(m->request.traceparent, other);
	message_free(&m);
	record.header_count = 0;
	ck_assert_int_eq(codec->decode(codec, MESSAGE_REQUEST, &record, &m, &e), CODEC_OK);
	ck_assert_str_eq(m->request.traceparent, SAMPLE_TRACE);
	message_free(&m);
}
END_TEST

static long resident_kib(void)
{
	long size = 0, resident = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%ld %ld", &size, &resident), 2);
	fclose(file);
	return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Six bytes that made avro-c lose 4 KiB each, and four that made it build 67 million elements. */
START_TEST(hostile_messages_cost_nothing_that_stays)
{
	static const unsigned char long_text[] = { 0, 0, 0, 0x03, 0xe9, 0x80, 0x40 };
	static const unsigned char many_items[] = { 0, 0, 0, 0x03, 0xe9, 0x80, 0x80, 0x80, 0x40 };
	struct message sent = sample_request(), *m;
	long before = 0;
	struct err e;

	encode(&sent);
	for (int i = 0; i < 100000; i++) {
		if (i == 1000)
			before = resident_kib();
		ck_assert_int_eq(decode(MESSAGE_REQUEST, long_text, sizeof long_text, &m, &e), CODEC_BAD);
		ck_assert_int_eq(decode(MESSAGE_REQUEST, many_items, sizeof many_items, &m, &e), CODEC_BAD);
		if (i % 10 == 0) {
			ck_assert_int_eq(decode(MESSAGE_REQUEST, bytes.data, bytes.len, &m, &e), CODEC_OK);
			message_free(&m);
			encode(&sent);
		}
	}
	if (!SANITIZED) /* which keeps freed memory on purpose, and finds leaks itself */
		ck_assert_int_le(resident_kib() - before, 1024);
}
END_TEST

/* ---- headers ---- */

static const char *header(const struct bus_header *headers, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(headers[i].name, name) == 0) {
			ck_assert_uint_eq(strlen(headers[i].value), headers[i].len);
			return headers[i].value;
		}
	return NULL;
}

START_TEST(a_step_has_the_headers_of_cloud_events)
{
	struct message m = sample_step();
	struct arena *mem = arena_new(4096);
	struct bus_header headers[BUS_HEADERS_MAX];
	char hop[TRACEPARENT_TEXT];
	struct err e = { 0 };
	size_t count;

	ck_assert(codec->headers(codec, &m, SAMPLE_TRACE, mem, headers, &count, &e));
	ck_assert_uint_eq(count, 10);
	ck_assert_str_eq(header(headers, count, "ce_specversion"), "1.0");
	ck_assert_str_eq(header(headers, count, "ce_type"), "sandbox.clone.step.completed.v1");
	ck_assert_str_eq(header(headers, count, "ce_source"), "/clones/c1/runs/2");
	ck_assert_str_eq(header(headers, count, "ce_id"), "c1/2/copy_database/completed");
	ck_assert_str_eq(header(headers, count, "ce_subject"), "Cust70001");
	ck_assert_str_eq(header(headers, count, "ce_time"), "2026-08-01T10:01:00.456Z");
	ck_assert_str_eq(header(headers, count, "ce_partitionkey"), "Cust70001");
	ck_assert_str_eq(header(headers, count, "content-type"), "application/avro");
	ck_assert_str_eq(header(headers, count, "ce_traceparent"), SAMPLE_TRACE);
	snprintf(hop, sizeof hop, "%s", header(headers, count, "traceparent"));
	ck_assert_mem_eq(hop, SAMPLE_TRACE, 36);
	ck_assert_str_ne(hop, SAMPLE_TRACE);
	ck_assert(codec->headers(codec, &m, SAMPLE_TRACE, mem, headers, &count, &e));
	ck_assert_str_eq(header(headers, count, "traceparent"), hop);
	arena_free(&mem);
}
END_TEST

START_TEST(an_invalid_trace_gives_no_trace_headers)
{
	struct message m = sample_state();
	struct arena *mem = arena_new(4096);
	struct bus_header headers[BUS_HEADERS_MAX];
	struct err e = { 0 };
	size_t count;

	ck_assert(codec->headers(codec, &m, "00-zz", mem, headers, &count, &e));
	ck_assert_ptr_null(header(headers, count, "traceparent"));
	ck_assert_ptr_null(header(headers, count, "ce_traceparent"));
	ck_assert_str_eq(header(headers, count, "ce_partitionkey"), "c1");
	ck_assert(codec->headers(codec, &m, NULL, mem, headers, &count, &e));
	arena_free(&mem);
}
END_TEST

START_TEST(every_kind_has_the_required_attributes)
{
	static const char *const required[] = { "ce_specversion", "ce_type", "ce_source", "ce_id", "ce_time" };
	struct message m = sample((enum message_kind)_i);
	struct arena *mem = arena_new(4096), *small = arena_new(8);
	struct bus_header headers[BUS_HEADERS_MAX];
	struct err e = { 0 };
	size_t count;

	ck_assert(codec->headers(codec, &m, SAMPLE_TRACE, mem, headers, &count, &e));
	for (size_t i = 0; i < sizeof required / sizeof *required; i++)
		ck_assert_msg(header(headers, count, required[i]) != NULL, "kind %d lacks %s", _i, required[i]);
	ck_assert(!codec->headers(codec, &m, SAMPLE_TRACE, small, headers, &count, &e));
	arena_free(&mem);
	arena_free(&small);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("avro_codec");
	TCase *tc = tcase_create("avro_codec");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, a_request_comes_back);
	tcase_add_test(tc, a_replay_comes_back);
	tcase_add_test(tc, a_control_comes_back);
	tcase_add_test(tc, a_step_comes_back);
	tcase_add_test(tc, a_backup_restored_comes_back);
	tcase_add_test(tc, a_state_comes_back);
	tcase_add_test(tc, a_dead_letter_comes_back);
	tcase_add_test(tc, a_dead_letter_of_a_giant_keeps_its_head);
	tcase_add_loop_test(tc, an_empty_message_comes_back_with_empty_texts, MESSAGE_REQUEST, MESSAGE_END);
	tcase_add_loop_test(tc, avro_c_reads_what_was_written, MESSAGE_REQUEST, MESSAGE_END);
	tcase_add_test(tc, the_same_message_gives_the_same_bytes);
	tcase_add_test(tc, a_bad_text_is_told_all_the_same);
	tcase_add_test(tc, what_the_schema_cannot_hold_is_not_encoded);
	tcase_add_test(tc, a_request_beyond_a_record_is_not_encoded);
	tcase_add_loop_test(tc, truncated_at_every_byte, MESSAGE_REQUEST, MESSAGE_END);
	tcase_add_loop_test(tc, every_byte_spoiled, MESSAGE_REQUEST, MESSAGE_END);
	tcase_add_test(tc, the_wire_format_is_checked);
	tcase_add_test(tc, the_header_form_is_read);
	tcase_add_test(tc, the_trace_is_taken_from_the_headers);
	tcase_add_test(tc, hostile_messages_cost_nothing_that_stays);
	tcase_add_test(tc, a_step_has_the_headers_of_cloud_events);
	tcase_add_test(tc, an_invalid_trace_gives_no_trace_headers);
	tcase_add_loop_test(tc, every_kind_has_the_required_attributes, MESSAGE_REQUEST, MESSAGE_END);
	suite_add_tcase(suite, tc);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
