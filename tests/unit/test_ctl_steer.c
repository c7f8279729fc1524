/* SPDX-License-Identifier: Apache-2.0
 * Steering, replays, dead letters and the installation: what the commands print, what they send, and how they end. */
#include "ctl_fixture.h"

#include "consumer/ctl/commands.h"

/* ---- steering ---- */

START_TEST(control_is_sent_for_the_target)
{
	struct message *m;

	known_as(CLONE_RUNNING);
	ends("clone pause 0198 --reason maintenance", CTL_OK);
	ck_assert_int_eq(fake.sent.at.topic, TOPIC_CONTROL);
	ck_assert_str_eq(fake.sent.key, "Cust70001");
	m = sent(MESSAGE_CONTROL);
	ck_assert_int_eq(m->control.verb, CONTROL_PAUSE);
	ck_assert_str_eq(m->control.clone_id, OTHER_ID);
	ck_assert_str_eq(m->control.reason, "maintenance");
	ck_assert_str_eq(m->control.requested_by, "olga");
	message_free(&m);
	ends("clone retry-now 0198 --dry-run", CTL_OK);
	ck_has(&fake.out, "\"verb\":\"RETRY_NOW\"");
	ck_assert_int_eq(fake.sent_count, 1);
}
END_TEST

START_TEST(what_would_be_refused_is_a_conflict)
{
	known_as(CLONE_COMPLETED);
	ends("clone pause 0198", CTL_CONFLICT);
	ends("clone resume 0198", CTL_CONFLICT);
	ends("clone cancel 0198 --reason x --yes", CTL_CONFLICT);
	ends("clone replay 0198 --reason x", CTL_CONFLICT);
	snap.status = CLONE_FAILED;
	fake_change(&fake.clones[0], &snap);
	ends("clone resume 0198", CTL_CONFLICT);
	ck_has(&fake.talk, "Next: sandboxctl clone replay");
	ck_assert_int_eq(fake.sent_count, 0);
	ends("clone resume 0199", CTL_NOT_FOUND);
}
END_TEST

START_TEST(cancelling_must_be_meant)
{
	known_as(CLONE_RUNNING);
	ends("clone cancel 0198 --yes", CTL_USAGE);
	ck_has(&fake.talk, "--reason");
	ends("clone cancel 0198 --reason wrong", CTL_USAGE);
	ck_has(&fake.talk, "Cust70001__gx1");
	fake.terminal[DESK_IN] = true;
	fake.answer = "yes";
	ends("clone cancel 0198 --reason wrong", CTL_USAGE);
	ck_assert_int_eq(fake.sent_count, 0);
	fake.answer = "Cust70001";
	ends("clone cancel 0198 --reason wrong", CTL_OK);
	ck_assert_int_eq(fake.sent_count, 1);
}
END_TEST

START_TEST(a_rollback_must_be_meant_and_possible)
{
	struct message *m;

	known_as(CLONE_RUNNING);
	ends("clone rollback 0198 --reason x --yes", CTL_CONFLICT);
	snap.status = CLONE_COMPLETED;
	fake_change(&fake.clones[0], &snap);
	ends("clone rollback 0198 --yes", CTL_USAGE);
	ck_has(&fake.talk, "--reason");
	ends("clone rollback 0198 --reason old", CTL_USAGE);
	ck_has(&fake.talk, "Cust70001__gx1");
	ck_assert_int_eq(fake.sent_count, 0);
	ends("clone rollback 0198 --reason old --yes", CTL_OK);
	m = sent(MESSAGE_CONTROL);
	ck_assert_int_eq(m->control.verb, CONTROL_ROLLBACK);
	ck_assert_str_eq(m->control.reason, "old");
	message_free(&m);
}
END_TEST

static void resume_later(struct fake *f)
{
	if (f->now_ms < FAKE_NOW + 500)
		return;
	snap.status = CLONE_RUNNING;
	fake_change(&f->clones[0], &snap);
}

START_TEST(resuming_waits_until_it_is_taken)
{
	known_as(CLONE_PAUSED);
	fake.on_sleep = resume_later;
	ends("clone resume 0198", CTL_OK);
	ck_has_not(&fake.talk, "No consumer");
	snap.status = CLONE_PAUSED;
	fake_change(&fake.clones[0], &snap);
	fake.on_sleep = NULL;
	ends("clone resume 0198", CTL_OK);
	ck_has(&fake.talk, "No consumer has taken it yet");
}
END_TEST

/* ---- replay ---- */

static void failed_at_copy(void)
{
	for (int i = 0; i < STEP_copy_database; i++)
		snap.outcome[i] = STEP_DONE;
	snap.outcome[STEP_clone_azure_templates] = STEP_ALREADY;
	snap.failed_step = STEP_copy_database;
	known_as(CLONE_FAILED);
}

START_TEST(a_replay_shows_what_would_run_and_why)
{
	failed_at_copy();
	ends("clone replay 0198 --dry-run", CTL_OK);
	ck_has(&fake.out, "07  create_login              skip  DONE in an earlier run");
	ck_has(&fake.out, "08  copy_database             run   the run begins here");
	ck_has(&fake.out, "09  prepare_database          run   comes after copy_database");
	ck_has(&fake.out, "14  register_superid          run   was never done");
	ck_has(&fake.out, "16  clone_azure_templates     skip  ALREADY_DONE in an earlier run");
	ends("clone replay 0198 --dry-run --from-step create_database --until-step copy_database", CTL_OK);
	ck_has(&fake.out, "06  create_database           run   the run begins here");
	ck_has(&fake.out, "09  prepare_database          skip  lies behind --until-step");
	ends("clone replay 0198 --dry-run --until-step create_login", CTL_USAGE);
	ck_has(&fake.talk, "nothing would run");
	ends("clone replay 0198 --dry-run -o json", CTL_OK);
	ck_has(&fake.out, "\"runs\":true");
	ck_assert_int_eq(fake.sent_count, 0);
}
END_TEST

START_TEST(a_replay_is_sent_with_its_changes)
{
	struct message *m;

	failed_at_copy();
	ends("clone replay 0198 --reason full --from-step create_login --set mask-domain=other.example "
	     "--set documents=all --set attachments=none --set set-running=no --set approve-target=Cust70001 "
	     "--set mask-mode=hash",
	     CTL_OK);
	ck_assert_int_eq(fake.sent.at.topic, TOPIC_REPLAY);
	m = sent(MESSAGE_REPLAY);
	ck_assert_str_eq(m->replay.from_step, "create_login");
	ck_assert_str_eq(m->replay.expected_generation, "Cust70001__gx1");
	ck_assert_str_eq(m->replay.mask_domain, "other.example");
	ck_assert(m->replay.has_mask_mode && m->replay.mask_mode == MASK_HASH);
	ck_assert_int_eq(m->replay.documents, DOCUMENTS_ALL);
	ck_assert_int_eq(m->replay.attachments, ATTACHMENTS_NONE);
	ck_assert(m->replay.has_set_running && !m->replay.set_running);
	ck_assert_str_eq(m->replay.approved_target, "Cust70001");
	message_free(&m);
}
END_TEST

START_TEST(a_replay_that_makes_no_sense_is_refused)
{
	failed_at_copy();
	ends("clone replay 0198", CTL_USAGE);
	ck_has(&fake.talk, "--reason");
	ends("clone replay 0198 --reason x --from-step copy_databse", CTL_USAGE);
	ck_has(&fake.talk, "did you mean copy_database?");
	ends("clone replay 0198 --reason x --set documents=some", CTL_USAGE);
	ends("clone replay 0198 --reason x --set mask-mode=none", CTL_USAGE);
	ck_has(&fake.talk, "mask-mode does not take that value");
	ends("clone replay 0198 --reason x --set domain=x", CTL_USAGE);
	ck_has(&fake.talk, "mask-domain");
	ends("clone replay 0198 --reason x --set documents", CTL_USAGE);
	ck_assert_int_eq(fake.sent_count, 0);
}
END_TEST

/* The stored request is there: changed inputs are held to its rules before they are sent. */
START_TEST(changed_inputs_obey_the_rules)
{
	static const struct user_plan users[] = { { .login = "a@b.example", .plan = "ten-sales", .is_admin = true } };
	struct message m = { .kind = MESSAGE_REQUEST,
		.request = { .job = { .clone_id = OTHER_ID, .kind = CLONE_REPLACE, .source_ctx = "Cust70000",
			.target_ctx = "Cust70001", .requested_by = "eva", .mask_enabled = true,
			.mask_domain = "sandbox.example", .mask_mode = MASK_HASH, .users = users,
			.user_count = 1, .documents = DOCUMENTS_NONE,
			.attachments = ATTACHMENTS_NONE, .approved_target = "" }, .confirmed = true,
			.expected_generation = "" } };
	struct fake_clone *c;
	struct err e = { 0 };

	failed_at_copy();
	c = &fake.clones[0];
	ck_assert(fake.codec->encode(fake.codec, &m, &c->request, &e));
	c->pairs[c->pair_count++] = (struct store_pair){ "request", c->request.data, c->request.len };
	ends("clone show 0198", CTL_OK);
	ck_has(&fake.out, "mask domain  sandbox.example\nmask mode    hash: names are hidden\n");
	ends("clone show 0198 -o json", CTL_OK);
	ck_has(&fake.out, "\"mask_mode\":\"HASH\"");
	ends("clone show 0198", CTL_OK);
	ck_has(&fake.out, "/31");
	ends("clone replay 0198 --reason x --set mask-domain=no_domain!", CTL_USAGE);
	ck_has(&fake.talk, "mask.domain");
	ends("clone replay 0198 --reason x --set approve-target=Cust70009", CTL_USAGE);
	ck_assert_int_eq(fake.sent_count, 0);
}
END_TEST

/* ---- dead letters ---- */

static void add_letter(int partition, int64_t offset, const char *origin, const void *value, size_t len)
{
	struct message m = letter_about(origin, value, len);

	fake_add_record(&fake, TOPIC_DEAD_LETTER, partition, offset, "k", &m);
}

START_TEST(letters_are_listed_and_shown)
{
	ends("dead-letter list", CTL_OK);
	ck_has(&fake.talk, "No dead letter.");
	add_letter(2, 7, "sandbox.clone.requested", "\0\0\0\3\351nonsense", 13);
	buf_add_text(&fake_add_record(&fake, TOPIC_DEAD_LETTER, 2, 8, "k", NULL)->value, "no letter at all");
	ends("dead-letter list", CTL_OK);
	ck_has(&fake.out, "2:7");
	ck_has(&fake.out, "sandbox.clone.requested 1:3");
	ck_has(&fake.talk, "2:8 is itself unreadable");
	ends("dead-letter list -o ids", CTL_OK);
	ck_assert_str_eq(buf_text(&fake.out), "2:7\n");
	ends("dead-letter list --reason malformed -o jsonl", CTL_OK);
	ck_assert_str_eq(buf_text(&fake.out), "");
	ends("dead-letter show 2:7", CTL_OK);
	ck_has(&fake.out, "000000  00 00 00 03 e9 6e 6f 6e 73 65 6e 73 65 ");
	ck_has(&fake.out, ".....nonsense");
	ck_has(&fake.out, "It does not decode");
	ends("dead-letter show 2:7 -o json", CTL_OK);
	ck_has(&fake.out, "\"value_hex\":\"00000003e96e6f6e73656e7365\"");
	ends("dead-letter show 2:6", CTL_NOT_FOUND);
	ends("dead-letter show seven", CTL_USAGE);
	ends("dead-letter show -- -1:3", CTL_USAGE);
}
END_TEST

/* At the same place in another topic lies another letter; what nobody may send again is not offered for it. */
START_TEST(letters_of_the_notifier_are_among_them)
{
	struct message theirs = letter_about("sandbox.clone.backup-restored", "xyz", 3);

	add_letter(2, 7, "sandbox.clone.requested", "abc", 3);
	fake_add_record(&fake, TOPIC_NOTIFIER_DEAD_LETTER, 2, 7, "k", &theirs);
	ends("dead-letter list -o ids", CTL_OK);
	ck_has(&fake.out, "2:7\n");
	ck_has(&fake.out, "notifier:2:7\n");
	ends("dead-letter list -o jsonl", CTL_OK);
	ck_has(&fake.out, "\"id\":\"notifier:2:7\",\"topic\":\"sandbox.notifier.dead-letter\"");
	ck_has(&fake.out, "\"id\":\"2:7\",\"topic\":\"sandbox.clone.dead-letter\"");
	ends("dead-letter show notifier:2:7", CTL_OK);
	ck_has(&fake.out, "topic   sandbox.notifier.dead-letter");
	ck_has(&fake.out, "78 79 7a");
	ck_has(&fake.out, "Next: sandboxctl dead-letter park notifier:2:7 --to FILE");
	ends("dead-letter show 2:7", CTL_OK);
	ck_has(&fake.out, "topic   sandbox.clone.dead-letter");
	ck_has(&fake.out, "61 62 63");
	ck_has(&fake.out, "Next: sandboxctl dead-letter requeue 2:7");
	ends("dead-letter requeue notifier:2:7", CTL_CONFLICT);
	ck_has(&fake.talk, "takes no requests");
	ends("dead-letter park notifier:2:7 --to letter", CTL_OK);
	ck_has(&fake.saved, "<letter>xyz<letter.json>{");
	ends("dead-letter show notifier:2:8", CTL_NOT_FOUND);
	ends("dead-letter show notifier:7", CTL_USAGE);
}
END_TEST

START_TEST(a_letter_is_requeued_three_times_at_most)
{
	struct fake_record *origin;

	add_letter(0, 0, "sandbox.clone.requested", "abc", 3);
	origin = fake_add_record(&fake, TOPIC_REQUESTED, 1, 3, "Cust70001", NULL);
	ends("dead-letter requeue 0:0 --dry-run", CTL_OK);
	ck_assert_int_eq(fake.sent_count, 0);
	ends("dead-letter requeue 0:0", CTL_OK);
	ck_assert_int_eq(fake.sent.at.topic, TOPIC_REQUESTED);
	ck_assert_str_eq(buf_text(&fake.sent.value), "abc");
	ck_assert_str_eq(fake.sent.key, "Cust70001");
	ck_assert_str_eq(fake.sent.hops, "1");
	snprintf(origin->hops, sizeof origin->hops, "2");
	ends("dead-letter requeue 0:0", CTL_OK);
	ck_assert_str_eq(fake.sent.hops, "3");
	snprintf(origin->hops, sizeof origin->hops, "3");
	ends("dead-letter requeue 0:0", CTL_CONFLICT);
	ck_assert_int_eq(fake.sent_count, 2);
}
END_TEST

START_TEST(a_letter_that_cannot_go_back_stays)
{
	struct message cut = letter_about("sandbox.clone.requested", "abc", 3);

	cut.dead_letter.value_size = 100;
	fake_add_record(&fake, TOPIC_DEAD_LETTER, 0, 0, "k", &cut);
	add_letter(0, 1, "sandbox.clone.state", "abc", 3);
	ends("dead-letter requeue 0:0", CTL_CONFLICT);
	ck_has(&fake.talk, "not all kept");
	ends("dead-letter requeue 0:1", CTL_CONFLICT);
	ck_assert_int_eq(fake.sent_count, 0);
}
END_TEST

START_TEST(a_letter_is_parked_with_a_note)
{
	add_letter(0, 4, "sandbox.clone.requested", "abc", 3);
	ends("dead-letter park 0:4", CTL_USAGE);
	ends("dead-letter park 0:4 --to letter", CTL_OK);
	ck_has(&fake.saved, "<letter>abc<letter.json>{");
	ck_has(&fake.saved, "\"parked_by\":\"olga\"");
}
END_TEST

/* ---- the installation ---- */

START_TEST(doctor_names_each_trouble_with_its_fix)
{
	const struct config_origin origin = { CONFIG_FROM_FLAG, "test", 0 };
	struct err e = { 0 };

	ck_assert(config_set(fake.config, "files", "objects_root", "/blobs", &origin, &e));
	ck_assert(config_set(fake.config, "files", "archive_root", "/gone", &origin, &e));
	ck_assert(config_set(fake.config, "hosting", "url", "http://127.0.0.1:1", &origin, &e));
	ck_assert(config_set(fake.config, "hosting", "token_file", "/secret", &origin, &e));
	fake.bad_clock = true;
	fake.orphans = 7;
	ends("doctor", CTL_FAILED);
	ck_has(&fake.out, "◌ orphan         Cust70001__gold: nobody's record names this database of Cust70001. Fix:");
	ck_has(&fake.out, "◌ orphans        and 2 more");
	fake.orphans = 0;
	ends("doctor", CTL_FAILED);
	ck_has(&fake.out, "✓ orphans        none; 1 previous sandbox is kept");
	ck_has(&fake.out, "✓ kafka          3 brokers answer\n");
	ck_has(&fake.out, "✓ topics         all 8 are there");
	ck_has(&fake.out, "✓ redis          master 7.0.15");
	ck_has(&fake.out, "✓ objects        /blobs can be written");
	ck_has(&fake.out, "✗ archive        /gone is not there. Fix: make the folder");
	ck_has(&fake.out, "✓ hosting        it answers");
	ck_has(&fake.out, "✗ superid        [superid] url is not set. Fix:");
	ck_has(&fake.out, "✗ secret         the secret file can be used by others. Fix: chmod 600");
	ck_has(&fake.out, "◌ clock          nobody keeps the clock");
	ck_assert(config_set(fake.config, "objects", "kind", "azure", &origin, &e));
	ck_assert(config_set(fake.config, "objects", "url", "https://a.example/c", &origin, &e));
	ends("doctor", CTL_FAILED);
	ck_has(&fake.out, "✓ objects        https://a.example/c can be listed and written");
	fake.http_status = 401;
	ends("doctor", CTL_FAILED);
	ck_has(&fake.out, "✗ objects        our key is not allowed. Fix: look at [objects] url");
	fake.no_brokers = fake.no_store = true;
	ends("doctor -o jsonl", CTL_FAILED);
	ck_has(&fake.out, "{\"check\":\"kafka\",\"result\":\"bad\",\"text\":\"no broker answers\",\"fix\":\"");
	ck_has(&fake.out, "it refuses our token (401)");
	ck_has(&fake.out, "{\"check\":\"orphans\",\"result\":\"skipped\",\"text\":\"nobody could look: nobody answers\"");
	ends("doctor --config gone.ini", CTL_USAGE);
	fake.interrupted = true;
	ends("doctor", CTL_INTERRUPTED);
}
END_TEST

START_TEST(the_rest_prints)
{
	ends("config show --origin", CTL_OK);
	ck_has(&fake.out, "level = info  ; default");
	ends("version -o json", CTL_OK);
	ck_has(&fake.out, "\"plan\":1");
	ends("clone plan", CTL_OK);
	ck_has(&fake.out, "33  OPEN       wait_web_config");
	ends("clone plan --strict -o json", CTL_OK);
	ck_has(&fake.out, "\"order\":\"strict\"");
	ends("clone plan -o mermaid", CTL_OK);
	ck_has(&fake.out, "flowchart LR");
	ends("help clone request", CTL_OK);
	ck_has(&fake.out, "--mask-domain");
	ends("help dead-letter", CTL_OK);
	ends("help clone wtch", CTL_USAGE);
	ends("clone watch --help", CTL_OK);
	ends("", CTL_USAGE);
	ck_assert_str_eq(buf_text(&fake.out), "");
	ck_has(&fake.talk, "Commands");
}
END_TEST

START_TEST(errors_have_fixed_exit_codes)
{
	static const struct {
		enum err_class class;
		int code, wanted;
	} rows[] = { { ERR_TRANSIENT, 0, CTL_UNAVAILABLE },
		     { ERR_UNSURE, 0, CTL_UNAVAILABLE },
		     { ERR_REFUSED, 0, CTL_USAGE },
		     { ERR_REFUSED, ERR_CODE_AUTH, CTL_AUTH },
		     { ERR_TRANSIENT, ERR_CODE_AUTH, CTL_AUTH },
		     { ERR_TRANSIENT, ERR_CODE_ABORTED, CTL_INTERRUPTED },
		     { ERR_BUG, 0, CTL_FAILED } };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct err e = { .class = rows[i].class, .code = rows[i].code };

		ck_assert_int_eq((int)ctl_exit_for(&e), rows[i].wanted);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ctl_steer");
	SRunner *sr = srunner_create(s);

	suite_add_tcase(s, CASES("steer", control_is_sent_for_the_target, what_would_be_refused_is_a_conflict,
				 cancelling_must_be_meant, a_rollback_must_be_meant_and_possible, resuming_waits_until_it_is_taken,
				 a_replay_shows_what_would_run_and_why, a_replay_is_sent_with_its_changes,
				 a_replay_that_makes_no_sense_is_refused, changed_inputs_obey_the_rules));
	suite_add_tcase(s, CASES("letters", letters_are_listed_and_shown, letters_of_the_notifier_are_among_them,
		a_letter_is_requeued_three_times_at_most,
		a_letter_that_cannot_go_back_stays, a_letter_is_parked_with_a_note));
	suite_add_tcase(s, CASES("program", doctor_names_each_trouble_with_its_fix, the_rest_prints,
		errors_have_fixed_exit_codes));
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
