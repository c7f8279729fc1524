/* SPDX-License-Identifier: Apache-2.0
 * What the engine wants told, as messages: ids that a resend bears again, and bytes that are the same each time. */
#include "consumer/adapters/avro/avro_codec.h"
#include "consumer/core/events.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define TRACE "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static bool is_public(const char *domain)
{
	return strcmp(domain, "mailinator.com") == 0;
}

static int64_t moving_time(struct clock_port *self)
{
	static int64_t now = 1785578400000;

	(void)self;
	return now += 1000; /* whoever writes "now" into an event is found out */
}

static const struct event_facts facts = { .domain_is_public = is_public };
static struct clock_port moving_clock = { .utc_ms = moving_time };
static struct codec_port *codec;
static struct arena *mem;
static struct clone_snapshot snapshot;
static struct clone_request request;
static struct step_result result;

static void setup(void)
{
	const struct avro_codec_settings settings = { .clock = &moving_clock };
	struct err e = { 0 };

	codec = avro_codec_new(&settings, &e);
	ck_assert_msg(codec != NULL, "%s", e.text);
	mem = arena_new(1 << 20);
	snapshot_init(&snapshot);
	snapshot.status = CLONE_RUNNING;
	snapshot.run = 2;
	snapshot.requested_at_ms = 1785578400000;
	memcpy(snapshot.generation, "T__gabc", 8);
	for (int i = 0; i <= STEP_copy_database; i++)
		snapshot.outcome[i] = STEP_DONE;
	request = (struct clone_request){ .job = { .clone_id = "c1", .source_ctx = "S", .target_ctx = "T",
		.mask_enabled = true, .mask_domain = "mailinator.com", .documents = DOCUMENTS_NONE },
		.requested_at_ms = 1785578400000 };
	result = (struct step_result){ .outcome = STEP_DONE, .detail = "29 tables", .rows = 7, .bytes = 9,
		.started_at_ms = 1785578460000, .finished_at_ms = 1785578461000,
		.notice = { .version_name = "11.2", .file_version = "11.2.3", .public_endpoint = "https://t.example",
			.proof = "0 addresses" } };
	err_set(&result.err, ERR_REFUSED, 0, "sql", "the disk is full");
}

static void teardown(void)
{
	codec->close(codec);
	arena_free(&mem);
}

static struct effect effect(void)
{
	return (struct effect){ .kind = FX_RECORD, .clone_id = "c1", .source_ctx = "S", .target_ctx = "T", .token = 77,
		.snapshot = &snapshot, .request = &request };
}

static const struct message *made(enum message_kind kind, enum step_id step, int64_t utc_ms)
{
	const struct engine_event event = { .sequence = 9, .kind = kind, .step = step, .attempt = 3,
		.still_ms = 12000, .result = kind == MESSAGE_STATE ? NULL : &result };
	const struct effect fx = effect();
	enum topic topic;
	const char *key;
	const struct message *m = event_message(&fx, &event, utc_ms, &facts, mem, &topic, &key);

	ck_assert_ptr_nonnull(m);
	ck_assert_int_eq(topic, kind == MESSAGE_STATE ? TOPIC_STATE : kind == MESSAGE_STEP_COMPLETED ?
		TOPIC_STEP_COMPLETED : TOPIC_BACKUP_RESTORED);
	ck_assert_str_eq(key, kind == MESSAGE_STATE ? "c1" : "T");
	return m;
}

START_TEST(a_step_that_is_done)
{
	const struct step_completed *m = &made(MESSAGE_STEP_COMPLETED, STEP_copy_database, 5)->step_completed;

	ck_assert_str_eq(m->event_id, "c1/2/copy_database/completed");
	ck_assert_str_eq(m->slug, "copy_database");
	ck_assert_str_eq(m->detail, "29 tables");
	ck_assert_int_eq(m->step_no, 8);
	ck_assert_int_eq(m->total_steps, 31);
	ck_assert_int_eq(m->attempt, 3);
	ck_assert_int_eq(m->sequence, 9);
	ck_assert_int_eq(m->outcome, STEP_DONE);
	ck_assert_int_eq(m->finished_at_ms, 1785578461000);
}
END_TEST

START_TEST(a_step_tells_its_tables)
{
	const struct step_completed *m;

	result.tables = (struct step_tables){ .table = { { "contact", 5, 8, 2 }, { "person", 2, 1, 0 } }, .count = 2,
		.more = 4950, .masked = 3 };
	m = &made(MESSAGE_STEP_COMPLETED, STEP_copy_database, 5)->step_completed;
	ck_assert_uint_eq(m->table_count, 2);
	ck_assert_str_eq(m->tables[0].table, "contact");
	ck_assert_int_eq(m->tables[0].rows, 5);
	ck_assert_int_eq(m->tables[0].bytes, 8);
	ck_assert_int_eq(m->tables[0].masked, 2);
	ck_assert_str_eq(m->tables[1].table, "person");
	ck_assert_int_eq(m->more_tables, 4950);
	ck_assert_int_eq(m->masked, 3);
	ck_assert_int_eq(m->still_ms, 12000);
}
END_TEST

/* A later run's success must not look like a resend of the failure. */
START_TEST(a_step_that_was_refused_has_an_id_of_its_own)
{
	const struct step_completed *m;

	result.outcome = STEP_REFUSED;
	m = &made(MESSAGE_STEP_COMPLETED, STEP_copy_database, 5)->step_completed;
	ck_assert_str_eq(m->event_id, "c1/2/copy_database/failed");
	ck_assert_str_eq(m->detail, "the disk is full");
}
END_TEST

START_TEST(ids_are_all_different)
{
	enum { IDS = 2 * (STEP_END + 1) + 5 };
	const char *ids[IDS];
	int count = 0;

	for (int run = 1; run <= 2; run++) {
		snapshot.run = run;
		for (int i = 0; i < STEP_END; i++)
			ids[count++] = made(MESSAGE_STEP_COMPLETED, (enum step_id)i, 5)->step_completed.event_id;
		ids[count++] = made(MESSAGE_BACKUP_RESTORED, STEP_notify_partner_apps, 5)->backup_restored.event_id;
		ids[count++] = made(MESSAGE_STATE, STEP_END, 5)->state.event_id;
	}
	for (int i = 0; i < count; i++)
		for (int k = 0; k < i; k++)
			ck_assert_str_ne(ids[i], ids[k]);
}
END_TEST

START_TEST(the_restored_backup)
{
	const struct backup_restored *m = &made(MESSAGE_BACKUP_RESTORED, STEP_notify_partner_apps, 5)->backup_restored;

	ck_assert_str_eq(m->event_id, "c1/2/backup-restored");
	ck_assert_int_eq(m->change_type, 1);
	ck_assert_str_eq(m->context_identifier, "T");
	ck_assert_str_eq(m->version_name, "11.2");
	ck_assert_str_eq(m->public_endpoint, "https://t.example");
	ck_assert_str_eq(m->token, "");
	ck_assert_str_eq(m->proof, "0 addresses");
	ck_assert_str_eq(m->generation, "T__gabc");
	ck_assert_str_eq(m->mask_domain, "mailinator.com");
	ck_assert(m->mask_domain_public);
	ck_assert_int_eq(m->occurred_at_ms, 1785578461000);
	request.job.mask_enabled = false;
	m = &made(MESSAGE_BACKUP_RESTORED, STEP_notify_partner_apps, 5)->backup_restored;
	ck_assert_str_eq(m->mask_domain, "");
	ck_assert(!m->mask_domain_public);
}
END_TEST

START_TEST(the_state_says_what_to_do_next)
{
	const struct clone_state *m = &made(MESSAGE_STATE, STEP_END, 5)->state;

	ck_assert_str_eq(m->event_id, "c1/2/state/9");
	ck_assert_int_eq(m->steps_done, 8);
	ck_assert_int_eq(m->total_steps, 31);
	ck_assert_uint_eq(m->token, 77);
	ck_assert_int_eq(m->updated_at_ms, 5);
	ck_assert_str_eq(m->step, "");
	ck_assert_str_eq(m->next_command, "");
	ck_assert_int_eq(m->leaves, TENANT_OFFLINE_MAINTENANCE);
	request.job.set_running = true;
	ck_assert_int_eq(made(MESSAGE_STATE, STEP_END, 5)->state.leaves, TENANT_RUNNING);
	snapshot.status = CLONE_CANCELLED;
	ck_assert_int_eq(made(MESSAGE_STATE, STEP_END, 5)->state.leaves, TENANT_UNKNOWN);
	snapshot.left_in = TENANT_OFFLINE_MAINTENANCE;
	ck_assert_int_eq(made(MESSAGE_STATE, STEP_END, 5)->state.leaves, TENANT_OFFLINE_MAINTENANCE);
	snapshot.status = CLONE_FAILED;
	snapshot.failed_step = STEP_mask_email_domains;
	memcpy(snapshot.cause, "it is too short", 16);
	m = &made(MESSAGE_STATE, STEP_END, 5)->state;
	ck_assert_str_eq(m->step, "mask_email_domains");
	ck_assert_str_eq(m->cause, "it is too short");
	ck_assert_int_eq(strncmp(m->next_command, "sandboxctl clone replay c1", 26), 0);
	snapshot.status = CLONE_PAUSED;
	ck_assert_str_eq(made(MESSAGE_STATE, STEP_END, 5)->state.next_command, "sandboxctl clone resume c1");
}
END_TEST

START_TEST(the_state_says_which_steps_a_run_does)
{
	const struct clone_state *m;

	snapshot.scope = ALL_STEPS;
	ck_assert_uint_eq(made(MESSAGE_STATE, STEP_END, 5)->state.only_step_count, 0);
	snapshot.scope = STEP_BIT(STEP_enter_offline_mode) | STEP_BIT(STEP_copy_database);
	m = &made(MESSAGE_STATE, STEP_END, 5)->state;
	ck_assert_uint_eq(m->only_step_count, 2);
	ck_assert_str_eq(m->only_steps[0], "enter_offline_mode");
	ck_assert_str_eq(m->only_steps[1], "copy_database");
}
END_TEST

START_TEST(a_rejection)
{
	const struct message *m = event_rejected(&request, "another clone is under way", 5, mem);

	ck_assert_int_eq(m->kind, MESSAGE_STATE);
	ck_assert_str_eq(m->state.event_id, "c1/1/state/1");
	ck_assert_int_eq(m->state.status, CLONE_REJECTED);
	ck_assert_str_eq(m->state.cause, "another clone is under way");
	ck_assert_int_eq(m->state.sequence, 1);
}
END_TEST

/* Headers are few and short: laid behind each other they are compared as one block. */
static void add_headers(const struct message *m, struct buf *out)
{
	struct bus_header headers[BUS_HEADERS_MAX];
	size_t count = 0;
	struct err e = { 0 };

	ck_assert_msg(codec->headers(codec, m, TRACE, mem, headers, &count, &e), "%s", e.text);
	ck_assert_uint_gt(count, 3);
	for (size_t i = 0; i < count; i++) {
		buf_add_text(out, headers[i].name);
		buf_add(out, headers[i].value, headers[i].len);
	}
}

static struct buf bytes_of(enum message_kind kind, enum step_id step)
{
	const struct message *m = made(kind, step, 1785578462000);
	struct err e = { 0 };
	struct buf b;

	buf_init(&b, 2 * RECORD_MAX_BYTES);
	ck_assert_msg(codec->encode(codec, m, &b, &e), "%s", e.text);
	add_headers(m, &b);
	return b;
}

START_TEST(made_twice_it_is_byte_equal)
{
	static const enum message_kind kinds[] = { MESSAGE_STEP_COMPLETED, MESSAGE_BACKUP_RESTORED, MESSAGE_STATE };

	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
		for (int i = 0; i < STEP_END; i++) {
			struct buf first = bytes_of(kinds[k], (enum step_id)i), second;

			arena_clear(mem);
			second = bytes_of(kinds[k], (enum step_id)i);
			ck_assert_uint_eq(first.len, second.len);
			ck_assert_mem_eq(first.data, second.data, first.len);
			buf_done(&first);
			buf_done(&second);
		}
}
END_TEST

/* The longest that a clone can have must encode: the loop ends the process when an event of ours does not. */
START_TEST(the_longest_fits)
{
	char id[CLONE_ID_MAX + 1], ctx[CTX_MAX + 1];

	memset(id, 'i', sizeof id - 1);
	id[sizeof id - 1] = '\0';
	memset(ctx, 't', sizeof ctx - 1);
	ctx[sizeof ctx - 1] = '\0';
	memset(snapshot.cause, '\t', sizeof snapshot.cause - 1);
	memset(snapshot.generation, 'g', sizeof snapshot.generation - 1);
	memset(result.detail, 'd', sizeof result.detail - 1);
	memset(result.err.text, 'e', sizeof result.err.text - 1);
	memset(&result.tables, 'n', sizeof result.tables);
	result.tables.count = STEP_TABLES_MAX;
	for (size_t i = 0; i < STEP_TABLES_MAX; i++)
		result.tables.table[i].name[STEP_TABLE_MAX - 1] = '\0';
	memset(&result.notice, 'n', sizeof result.notice);
	result.notice.version_name[sizeof result.notice.version_name - 1] = '\0';
	result.notice.file_version[sizeof result.notice.file_version - 1] = '\0';
	result.notice.public_endpoint[sizeof result.notice.public_endpoint - 1] = '\0';
	result.notice.proof[sizeof result.notice.proof - 1] = '\0';
	snapshot.status = CLONE_FAILED;
	snapshot.failed_step = STEP_mask_email_domains;
	for (enum message_kind kind = MESSAGE_STEP_COMPLETED; kind <= MESSAGE_STATE; kind++) {
		const struct engine_event event = { .sequence = UINT64_MAX / 2, .kind = kind, .step = STEP_copy_database,
			.attempt = 1000000, .result = kind == MESSAGE_STATE ? NULL : &result };
		struct effect fx = effect();
		enum topic topic;
		const char *key;
		const struct message *m;
		struct err e = { 0 };
		struct buf b;

		fx.clone_id = id;
		fx.source_ctx = fx.target_ctx = ctx;
		m = event_message(&fx, &event, 1785578462000, &facts, mem, &topic, &key);
		buf_init(&b, RECORD_MAX_BYTES / 4); /* far from what a record may have */
		ck_assert_msg(codec->encode(codec, m, &b, &e), "%s", e.text);
		add_headers(m, &b);
		ck_assert(!b.failed);
		buf_done(&b);
	}
}
END_TEST

START_TEST(too_little_memory_is_said)
{
	const struct engine_event event = { .sequence = 9, .kind = MESSAGE_STEP_COMPLETED, .step = STEP_copy_database,
		.result = &result };
	const struct effect fx = effect();
	enum topic topic;
	const char *key;

	for (size_t max = 0; max < sizeof(struct message) + 16; max += 16) {
		struct arena *small = arena_new(max);

		ck_assert_ptr_null(event_message(&fx, &event, 5, &facts, small, &topic, &key));
		ck_assert_ptr_null(event_rejected(&request, "", 5, small));
		arena_free(&small);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("events");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_step_that_is_done);
	tcase_add_test(tc, a_step_that_was_refused_has_an_id_of_its_own);
	tcase_add_test(tc, a_step_tells_its_tables);
	tcase_add_test(tc, ids_are_all_different);
	tcase_add_test(tc, the_restored_backup);
	tcase_add_test(tc, the_state_says_what_to_do_next);
	tcase_add_test(tc, the_state_says_which_steps_a_run_does);
	tcase_add_test(tc, a_rejection);
	tcase_add_test(tc, made_twice_it_is_byte_equal);
	tcase_add_test(tc, the_longest_fits);
	tcase_add_test(tc, too_little_memory_is_said);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
