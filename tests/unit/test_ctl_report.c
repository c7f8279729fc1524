/* SPDX-License-Identifier: Apache-2.0
 * The events of a clone, put in order, and the report made of them. */
#include "ctl_desk.h"

#include "consumer/ctl/report.h"

#include <jansson.h>

#define PROOF "{\"masked\":true,\"policy\":\"f523a148535cbdf0\",\"cells\":76382,\"addresses\":24039,\"left\":0}"

static struct fake fake;
static struct history history;
static struct report report;
static struct buf out;
static int64_t next_offset;

static void setup(void)
{
	fake_init(&fake);
	memset(&history, 0, sizeof history);
	history.clone_id = FAKE_ID;
	history.target_ctx = "Cust70001";
	buf_init(&out, 1 << 18);
	next_offset = 0;
}

static void teardown(void)
{
	history_done(&history);
	buf_done(&out);
	fake_done(&fake);
}

static void add(enum topic topic, const char *key, const struct message *m)
{
	fake_add_record(&fake, topic, (int)(next_offset % 4), next_offset, key, m);
	next_offset++;
}

static struct message step_event(enum step_id step, int run, int64_t sequence, enum step_outcome outcome, int64_t rows,
                                 const char *detail)
{
	static char ids[64][64];
	char *id = ids[sequence % 64];

	snprintf(id, sizeof ids[0], "%s/%d/%d", "c", run, (int)sequence);
	return (struct message){ .kind = MESSAGE_STEP_COMPLETED,
				 .step_completed = { .event_id = id,
						     .clone_id = FAKE_ID,
						     .source_ctx = "Cust70000",
						     .target_ctx = "Cust70001",
						     .slug = steps[step].slug,
						     .detail = detail,
						     .run = run,
						     .step_no = (int)step + 1,
						     .total_steps = 33,
						     .attempt = 1,
						     .sequence = sequence,
						     .started_at_ms = FAKE_NOW + sequence * 1000,
						     .finished_at_ms = FAKE_NOW + sequence * 1000 + 500,
						     .outcome = outcome,
						     .rows = rows,
						     .bytes = 2048 } };
}

static void add_step(enum step_id step, int run, int64_t sequence, enum step_outcome outcome, int64_t rows,
                     const char *detail)
{
	struct message m = step_event(step, run, sequence, outcome, rows, detail);

	add(TOPIC_STEP_COMPLETED, "Cust70001", &m);
}

static void add_state(enum clone_status status, int run, int64_t sequence, const char *cause)
{
	char id[64];
	struct message m = { .kind = MESSAGE_STATE,
			     .state = { .event_id = id,
					.clone_id = FAKE_ID,
					.source_ctx = "Cust70000",
					.target_ctx = "Cust70001",
					.generation = "Cust70001__gx1",
					.status = status,
					.run = run,
					.steps_done = 3,
					.total_steps = 33,
					.sequence = sequence,
					.requested_at_ms = FAKE_NOW,
					.updated_at_ms = FAKE_NOW + sequence * 1000,
					.step = "",
					.cause = cause,
					.error_class = "",
					.next_command =
					    *cause ? "sandboxctl clone replay " FAKE_ID " --reason '...'" : "",
					.token = 9 } };

	snprintf(id, sizeof id, "state/%d", (int)sequence);
	add(TOPIC_STATE, FAKE_ID, &m);
}

static void add_restored(const char *proof, bool is_public, int64_t sequence)
{
	struct message m = { .kind = MESSAGE_BACKUP_RESTORED,
		.backup_restored = { .event_id = "restored", .change_type = 1, .context_identifier = "Cust70001",
			.version_name = "11", .file_version = "11.1", .token = "", .public_endpoint = "online4.example",
			.clone_id = FAKE_ID, .source_ctx = "Cust70000", .generation = "Cust70001__gx1",
			.mask_domain = "mailinator.com", .mask_domain_public = is_public, .proof = proof, .run = 1,
			.sequence = sequence, .occurred_at_ms = FAKE_NOW, .apps_to_tell = 2 } };

	add(TOPIC_BACKUP_RESTORED, "Cust70001", &m);
}

/* Feeds all records, last one first: topics are read in no order that could be relied on. */
static void take_all(void)
{
	for (size_t i = fake.record_count; i > 0; i--) {
		const struct fake_record *r = &fake.records[i - 1];
		const struct bus_record record = { .at = r->at, .key = r->key, .key_len = strlen(r->key),
			.value = r->value.data, .value_len = r->value.len };

		history_take(&history, fake.codec, &record);
	}
	history_sort(&history);
	report_make(&history, &report);
}

static void add_good_clone(void)
{
	add_state(CLONE_RUNNING, 1, 1, "");
	add_step(STEP_copy_database, 1, 2, STEP_DONE, 21608, "21608 rows in 126 tables");
	add_step(STEP_mask_email_domains, 1, 3, STEP_DONE, 76382, "24039 addresses in 76382 texts");
	add_step(STEP_clone_azure_templates, 1, 4, STEP_DONE, 20, "");
	add_step(STEP_clone_soarc_attachments, 1, 5, STEP_ALREADY, 140, "");
	add_step(STEP_clone_azure_documents, 1, 6, STEP_SKIPPED, 0, "no documents asked for");
	add_restored(PROOF, false, 7);
	add_step(STEP_enter_running_mode, 1, 8, STEP_DONE, 0, "running");
	add_state(CLONE_COMPLETED, 1, 9, "");
}

static void print(void)
{
	const struct report_style style = { false, true };

	buf_clear(&out);
	report_print(&report, &style, &out);
}

/* ---- history ---- */

START_TEST(events_come_in_order_each_once)
{
	add_good_clone();
	add_step(STEP_copy_database, 1, 2, STEP_DONE, 21608, "21608 rows in 126 tables"); /* sent twice */
	take_all();
	ck_assert_uint_eq(history.count, 10);
	ck_assert_int_eq(history_gap(&history), 0);
	for (size_t i = 1; i < history.count; i++)
		ck_assert(history_sequence(history.events[i - 1].message) <=
			  history_sequence(history.events[i].message));
	ck_assert(!history.events[1].is_repeat && history.events[2].is_repeat);
	take_all(); /* the same records once more are nothing new */
	ck_assert_uint_eq(history.count, 10);
}
END_TEST

START_TEST(only_events_of_the_clone_are_taken)
{
	struct message other = step_event(STEP_copy_database, 1, 5, STEP_DONE, 1, "");

	add_good_clone();
	other.step_completed.clone_id = "0198f0c2-7d1e-7c5b-9a54-2f6f2a1b9c10";
	add(TOPIC_STEP_COMPLETED, "Cust70001", &other); /* an earlier clone of the same target */
	add(TOPIC_STEP_COMPLETED, "Cust70002", &other);
	buf_add_text(&fake_add_record(&fake, TOPIC_STEP_COMPLETED, 0, 900, "Cust70001", NULL)->value, "nonsense");
	fake_add_record(&fake, TOPIC_STATE, 0, 901, FAKE_ID, NULL); /* a tombstone: it has no value */
	take_all();
	ck_assert_uint_eq(history.count, 9);
	ck_assert_uint_eq(history.unreadable, 1);
}
END_TEST

START_TEST(a_gap_is_seen)
{
	add_state(CLONE_RUNNING, 1, 1, "");
	add_step(STEP_copy_database, 1, 4, STEP_DONE, 1, "");
	take_all();
	ck_assert_int_eq(history_gap(&history), 2);
}
END_TEST

/* ---- report ---- */

START_TEST(a_good_clone_reads_well)
{
	add_good_clone();
	take_all();
	ck_assert(report_is_good(&report));
	ck_assert_int_eq(report.rows_copied, 21608);
	ck_assert_int_eq(report.files, 160);
	ck_assert_int_eq(report.file_bytes, 3 * 2048);
	ck_assert_int_eq(report.skipped, 1);
	print();
	ck_has(&out, "COMPLETED  3/33 steps in 6.5s");
	ck_has(&out, "✓ 08 copy_database              500 ms  21608 rows in 126 tables");
	ck_has(&out, "– 27 clone_azure_documents              no documents asked for");
	ck_has(&out, "Rows copied         21,608");
	ck_has(&out, "Files copied        160 (6.0 KiB)");
	ck_has(&out, "Addresses left      0 outside the mask domain, of 24,039 found");
	ck_has(&out, "Partner apps        2 to be told of BackupRestored");
	ck_has(&out, "Tenant              Cust70001, running at online4.example");
	ck_has_not(&out, "Warning");
}
END_TEST

START_TEST(doubts_are_said)
{
	add_state(CLONE_COMPLETED, 1, 2, "");
	add_restored(PROOF, true, 1);
	take_all();
	ck_assert(!report_is_good(&report));
	print();
	ck_has(&out, "Warning: the mask domain mailinator.com is a public inbox");
	ck_has(&out, "not opened");
}
END_TEST

START_TEST(no_proof_is_never_a_zero)
{
	add_step(STEP_copy_database, 1, 1, STEP_DONE, 21608, "21608 rows in 126 tables");
	add_state(CLONE_COMPLETED, 1, 2, "");
	take_all();
	ck_assert_int_eq(report.addresses_left, -1);
	ck_assert(!report_is_good(&report));
	print();
	ck_has(&out, "Addresses left      not proved");
	add_restored("{\"masked\":false}", false, 3);
	take_all();
	print();
	ck_has(&out, "not masked, as asked");
	ck_has(&out, "Warning: the sandbox holds real addresses");
}
END_TEST

START_TEST(a_failure_shows_its_cause_and_the_next_command)
{
	add_step(STEP_copy_database, 1, 1, STEP_REFUSED, 0, "the disk is full");
	add_state(CLONE_FAILED, 1, 2, "the disk is full");
	take_all();
	print();
	ck_has(&out, "Cause: the disk is full");
	ck_has(&out, "✗ 08 copy_database");
	ck_has(&out, "Next: sandboxctl clone replay " FAKE_ID);
}
END_TEST

START_TEST(the_last_run_counts)
{
	add_step(STEP_copy_database, 1, 1, STEP_REFUSED, 0, "the disk is full");
	add_state(CLONE_FAILED, 1, 2, "the disk is full");
	add_step(STEP_copy_database, 2, 3, STEP_DONE, 7, "7 rows in 1 tables");
	add_state(CLONE_COMPLETED, 2, 4, "");
	take_all();
	ck_assert_int_eq(report.runs, 2);
	ck_assert_int_eq(report.failed, 0);
	ck_assert_int_eq(report.rows_copied, 7);
	ck_assert_int_eq(report.state->status, CLONE_COMPLETED);
}
END_TEST

START_TEST(the_largest_tables_are_shown)
{
	static const struct table_figures tables[] = { { "contact", 5000000, 1 << 30, 12345 }, { "per\033son", 7, 9, 0 } };
	struct message m = step_event(STEP_copy_database, 1, 1, STEP_DONE, 5000107, "");
	struct report_style style = { 0 };
	struct js j = { .out = &out };

	m.step_completed.tables = tables;
	m.step_completed.table_count = 2;
	m.step_completed.more_tables = 4998;
	add(TOPIC_STEP_COMPLETED, "Cust70001", &m);
	take_all();
	report_print(&report, &style, &out);
	ck_has(&out, "Largest tables      contact: 5,000,000 rows, 1.0 GiB, masked 12,345\n                    per?son: 7 rows, 9 B\n");
	buf_clear(&out);
	report_json(&report, &j);
	ck_has(&out, "\"tables\":[{\"table\":\"contact\",\"rows\":5000000,");
	ck_has(&out, "\"more_tables\":4998");
}
END_TEST

START_TEST(json_holds_the_same)
{
	struct js j = { .out = &out, .lines = 2 };
	json_t *root;

	add_good_clone();
	take_all();
	report_json(&report, &j);
	root = json_loads(buf_text(&out), JSON_REJECT_DUPLICATES, NULL);
	ck_assert_msg(root != NULL, "%s", buf_text(&out));
	ck_assert_int_eq(json_integer_value(json_object_get(root, "addresses_left")), 0);
	ck_assert_int_eq(json_integer_value(json_object_get(root, "file_bytes")), 6144);
	ck_assert(json_is_true(json_object_get(root, "good")));
	ck_assert_uint_eq(json_array_size(json_object_get(root, "steps")), 6);
	json_decref(root);
}
END_TEST

/* ---- the commands ---- */

START_TEST(events_and_report_read_the_topics)
{
	struct clone_snapshot snap;

	snapshot_init(&snap);
	snap.status = CLONE_COMPLETED;
	snap.run = 1;
	fake_add_clone(&fake, FAKE_ID, "Cust70001", &snap);
	add_good_clone();
	add_state(CLONE_COMPLETED, 1, 9, "");
	ck_assert_int_eq(fake_run(&fake, "clone events @latest"), CTL_OK);
	ck_has(&fake.out, "   2  2026-");
	ck_has(&fake.out, "step 08 copy_database DONE 21608 rows in 126 tables\n");
	ck_has_not(&fake.out, "(repeat)");
	ck_assert_int_eq(fake_run(&fake, "clone events @latest --all"), CTL_OK);
	ck_has(&fake.out, "(repeat)");
	ck_assert_int_eq(fake_run(&fake, "clone events @latest --follow -o jsonl"), CTL_OK);
	ck_has(&fake.out, "\"step_key\":\"copy_database\"");
	ck_assert_int_eq(fake_run(&fake, "clone report @latest"), CTL_OK);
	ck_has(&fake.out, "Addresses left      0");
	fake.no_brokers = true;
	ck_assert_int_eq(fake_run(&fake, "clone report @latest"), CTL_UNAVAILABLE);
}
END_TEST

START_TEST(a_whole_id_needs_no_store)
{
	add_good_clone();
	fake.no_store = true;
	ck_assert_int_eq(fake_run(&fake, "clone events " FAKE_ID), CTL_OK);
	ck_has(&fake.talk, "cannot connect to Redis");
	ck_assert_int_eq(fake_run(&fake, "clone events @latest"), CTL_UNAVAILABLE);
	ck_assert_int_eq(fake_run(&fake, "clone report 01a2051c-c2c9-7e51-a205-000000000000"), CTL_NOT_FOUND);
	fake.no_store = false;
	ck_assert_int_eq(fake_run(&fake, "clone events 01a2"), CTL_NOT_FOUND);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ctl_report");
	TCase *t = tcase_create("report");
	SRunner *sr = srunner_create(s);

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, events_come_in_order_each_once);
	tcase_add_test(t, only_events_of_the_clone_are_taken);
	tcase_add_test(t, a_gap_is_seen);
	tcase_add_test(t, a_good_clone_reads_well);
	tcase_add_test(t, doubts_are_said);
	tcase_add_test(t, no_proof_is_never_a_zero);
	tcase_add_test(t, a_failure_shows_its_cause_and_the_next_command);
	tcase_add_test(t, the_last_run_counts);
	tcase_add_test(t, the_largest_tables_are_shown);
	tcase_add_test(t, json_holds_the_same);
	tcase_add_test(t, events_and_report_read_the_topics);
	tcase_add_test(t, a_whole_id_needs_no_store);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
