/* SPDX-License-Identifier: Apache-2.0
 * The commands on a desk of the test's own: what they print, what they send, and how they end. */
#include "ctl_desk.h"

#include "consumer/ctl/commands.h"

#define OTHER_ID "0198f0c2-7d1e-7c5b-9a54-2f6f2a1b9c10"
#define WISHES   "clone request --source Cust70000 --target Cust70001 --admin tester@company.example=ten-sales " \
	"--mask-domain sandbox.example"

static struct fake fake;
static struct clone_snapshot snap;

static void setup(void)
{
	fake_init(&fake);
	snapshot_init(&snap);
	snap.status = CLONE_RUNNING;
	snap.run = 1;
	snap.started_at_ms = snap.requested_at_ms = FAKE_NOW - 80000;
	snprintf(snap.source_ctx, sizeof snap.source_ctx, "Cust70000");
	snprintf(snap.generation, sizeof snap.generation, "Cust70001__gx1");
}

static void teardown(void)
{
	fake_done(&fake);
}

static struct fake_clone *known_as(enum clone_status status)
{
	snap.status = status;
	if (clone_status_is_at_rest(status))
		snap.ended_at_ms = FAKE_NOW - 1000;
	return fake_add_clone(&fake, OTHER_ID, "Cust70001", &snap);
}

/* What was sent last, decoded with the schema of its topic; the caller's to free. */
static struct message *sent(enum message_kind kind)
{
	const struct bus_record record = { .at = { fake.sent.at.topic, 0, 0 }, .value = fake.sent.value.data,
		.value_len = fake.sent.value.len };
	struct message *m = NULL;
	struct err e = { 0 };

	ck_assert_int_eq(fake.codec->decode(fake.codec, kind, &record, &m, &e), CODEC_OK);
	return m;
}

static void ends(const char *line, int code)
{
	int rc = fake_run(&fake, line);

	ck_assert_msg(rc == code, "'%s' ends with %d, not %d: %s%s", line, rc, code, buf_text(&fake.talk),
		buf_text(&fake.out));
}

/* ---- request ---- */

START_TEST(a_request_is_sent_as_it_was_wished)
{
	struct message *m;

	ends(WISHES " --user 12=ten-service --keep a@b.example --documents included-users --attachments none "
		"--enable-schedule 7 --no-run --approve-target Cust70001 --requested-by eva --confirm -o ids", CTL_OK);
	ck_assert_str_eq(buf_text(&fake.out), FAKE_ID "\n");
	ck_has(&fake.talk, "Next: sandboxctl clone watch " FAKE_ID);
	ck_assert_str_eq(fake.sent.key, "Cust70001");
	ck_assert_int_eq(fake.sent.at.topic, TOPIC_REQUESTED);
	m = sent(MESSAGE_REQUEST);
	ck_assert_str_eq(m->request.job.clone_id, FAKE_ID);
	ck_assert_str_eq(m->request.job.requested_by, "eva");
	ck_assert_uint_eq(m->request.job.user_count, 2);
	ck_assert(m->request.job.users[0].is_admin && !m->request.job.users[1].is_admin);
	ck_assert_int_eq(m->request.job.users[1].associate_id, 12);
	ck_assert_str_eq(m->request.job.mask_keep[0], "a@b.example");
	ck_assert_int_eq(m->request.job.documents, DOCUMENTS_INCLUDED_USERS);
	ck_assert_int_eq(m->request.job.attachments, ATTACHMENTS_NONE);
	ck_assert_int_eq(m->request.job.enable_schedules[0], 7);
	ck_assert(!m->request.job.set_running && m->request.confirmed);
	ck_assert_int_eq(m->request.requested_at_ms, FAKE_NOW);
	message_free(&m);
}
END_TEST

START_TEST(a_dry_run_sends_nothing)
{
	ends(WISHES " --dry-run", CTL_OK);
	ck_assert_int_eq(fake.sent_count, 0);
	ck_has(&fake.out, "\"sent\":false");
	ck_has(&fake.out, "\"ce_type\":\"sandbox.clone.requested.v1\"");
	ck_has(&fake.out, "\"login\":\"tester@company.example\"");
	ck_has(&fake.talk, "--confirm");
}
END_TEST

START_TEST(a_file_gives_the_wishes_and_options_win)
{
	struct message *m;

	buf_add_text(&fake.file, "{\"kind\":\"CREATE\",\"source_ctx\":\"Cust70000\",\"target_ctx\":\"Cust70001\","
		"\"mask\":{\"domain\":\"sandbox.example\"},\"documents\":\"ALL\",\"confirmed\":true,"
		"\"user_plan_map\":[{\"login\":\"a@b.example\",\"plan\":\"ten-sales\",\"admin\":true}]}");
	ends("clone request --from-file request.json --documents none --user x@y.example=ten-service", CTL_OK);
	m = sent(MESSAGE_REQUEST);
	ck_assert_int_eq(m->request.job.kind, CLONE_CREATE);
	ck_assert_int_eq(m->request.job.documents, DOCUMENTS_NONE);
	ck_assert_uint_eq(m->request.job.user_count, 2);
	ck_assert_str_eq(m->request.job.requested_by, "olga");
	message_free(&m);
	ends("clone request --from-file gone.json", CTL_USAGE);
}
END_TEST

START_TEST(rules_are_checked_before_anything_is_sent)
{
	ends("clone request --source Cust70000 --target cust70000 --admin a=b --confirm", CTL_USAGE);
	ck_has(&fake.talk, "target_ctx");
	ends("clone request --source Cust70000 --target Cust70001 --user a=b --confirm", CTL_USAGE);
	ck_has(&fake.talk, "administrator");
	ends("clone request --source Cust70000 --admin a=b --confirm", CTL_USAGE);
	ck_has(&fake.talk, "--target");
	ends(WISHES " --no-mask --confirm", CTL_USAGE);
	ends("clone request --source Cust70000 --target Cust70001 --admin a=b --no-mask --confirm", CTL_USAGE);
	ck_has(&fake.talk, "mask.enabled");
	ends(WISHES " --admin x --confirm", CTL_USAGE);
	ck_has(&fake.talk, "USER=PLAN");
	ends(WISHES " --enable-schedule x --confirm", CTL_USAGE);
	ends(WISHES " --traceparent x --confirm", CTL_USAGE);
	ends(WISHES " --timeout 5 --confirm", CTL_USAGE);
	ends(WISHES " --clone-id nonsense --confirm", CTL_USAGE);
	ck_assert_int_eq(fake.sent_count, 0);
}
END_TEST

START_TEST(a_public_inbox_is_warned_of)
{
	ends("clone request --source Cust70000 --target Cust70001 --admin a@b.example=ten --confirm", CTL_OK);
	ck_has(&fake.talk, "mailinator.com is a public inbox");
}
END_TEST

START_TEST(it_must_be_meant)
{
	ends(WISHES, CTL_USAGE);
	ck_has(&fake.talk, "--confirm");
	fake.terminal[DESK_IN] = true;
	fake.answer = "Cust70002";
	ends(WISHES, CTL_USAGE);
	ck_has(&fake.talk, "not confirmed");
	ends(WISHES " --no-input", CTL_USAGE);
	ck_assert_int_eq(fake.sent_count, 0);
	fake.answer = "Cust70001";
	ends(WISHES, CTL_OK);
	ck_has(&fake.talk, "will be lost");
	ck_assert_int_eq(fake.sent_count, 1);
}
END_TEST

START_TEST(a_busy_target_is_a_conflict)
{
	fake.lease = (struct inspect_lease){ true, "owner", OTHER_ID, 7, 20000 };
	ends(WISHES " --confirm", CTL_CONFLICT);
	ck_has(&fake.talk, OTHER_ID);
	ck_assert_int_eq(fake.sent_count, 0);
	ends(WISHES " --confirm --even-if-busy", CTL_OK);
	fake.no_store = true; /* then nobody knows, and the consumer decides */
	ends(WISHES " --confirm", CTL_OK);
	ck_assert_int_eq(fake.sent_count, 2);
}
END_TEST

START_TEST(an_id_that_is_taken_is_a_conflict)
{
	snap.fingerprint = 12345;
	known_as(CLONE_COMPLETED);
	ends(WISHES " --clone-id " OTHER_ID " --confirm", CTL_CONFLICT);
	ck_assert_int_eq(fake.sent_count, 0);
}
END_TEST

START_TEST(what_may_have_arrived_is_said)
{
	fake.unsure = true;
	ends(WISHES " --confirm", CTL_UNAVAILABLE);
	ck_has(&fake.talk, "--clone-id " FAKE_ID " is safe");
	fake.no_brokers = true;
	ends(WISHES " --confirm", CTL_UNAVAILABLE);
	ck_has_not(&fake.talk, "is safe");
}
END_TEST

/* ---- waiting for it ---- */

static void complete_later(struct fake *f)
{
	if (f->clone_count == 0 && f->now_ms > FAKE_NOW + 1000)
		fake_add_clone(f, FAKE_ID, "Cust70001", &snap);
	if (f->clone_count && f->now_ms > FAKE_NOW + 3000) {
		snap.status = CLONE_COMPLETED;
		snap.ended_at_ms = f->now_ms;
		memset(snap.outcome, STEP_DONE, STEP_END);
		fake_change(&f->clones[0], &snap);
	}
}

static void fail_later(struct fake *f)
{
	complete_later(f);
	if (snap.status == CLONE_COMPLETED) {
		snap.status = CLONE_FAILED;
		snprintf(snap.cause, sizeof snap.cause, "the disk is full");
		fake_change(&f->clones[0], &snap);
	}
}

START_TEST(waiting_ends_with_the_clone)
{
	fake.on_sleep = complete_later;
	ends(WISHES " --confirm --wait", CTL_OK);
	ck_has(&fake.out, "33 wait_web_config DONE  33/33\n");
	ck_has(&fake.out, "COMPLETED  33/33");
	ck_has(&fake.talk, "Next: sandboxctl clone report");
}
END_TEST

START_TEST(waiting_for_a_failure_fails)
{
	fake.on_sleep = fail_later;
	ends(WISHES " --confirm --wait", CTL_FAILED);
	ck_has(&fake.out, "the disk is full");
	ck_has(&fake.talk, "Next: sandboxctl clone replay " FAKE_ID);
}
END_TEST

START_TEST(waiting_has_an_end)
{
	ends(WISHES " --confirm --wait --timeout 1m", CTL_TIMEOUT);
	ck_has(&fake.talk, "No consumer has taken the request yet");
	ck_has(&fake.talk, "the clone goes on");
	ck_assert_int_ge(fake.now_ms, FAKE_NOW + 60000);
	ck_assert_int_lt(fake.now_ms, FAKE_NOW + 61000);
	fake.interrupt_at_ms = fake.now_ms + 5000;
	ends(WISHES " --confirm --wait", CTL_INTERRUPTED);
	ck_has(&fake.talk, "the clone goes on");
}
END_TEST

static struct message letter_about(const char *origin, const void *value, size_t len)
{
	return (struct message){ .kind = MESSAGE_DEAD_LETTER,
		.dead_letter = { .origin_topic = origin, .origin_partition = 1, .origin_offset = 3, .at_ms = FAKE_NOW + 500,
			.reason_code = "conflict", .reason = "it was taken before", .key = "Cust70001", .key_len = 9,
			.value = value, .value_len = len, .value_size = (int64_t)len } };
}

START_TEST(waiting_ends_with_a_dead_letter)
{
	struct message m = letter_about("sandbox.clone.requested", "..." FAKE_ID "...", 42);

	fake_add_record(&fake, TOPIC_DEAD_LETTER, 0, 0, "k", &m);
	ends(WISHES " --confirm --wait", CTL_CONFLICT);
	ck_has(&fake.talk, "it was taken before (dead letter 0:0)");
}
END_TEST

/* ---- watch ---- */

START_TEST(watch_ends_at_rest)
{
	known_as(CLONE_FAILED);
	ends("clone watch @latest", CTL_OK);
	ends("clone watch @latest --exit-status", CTL_FAILED);
	ends("clone watch 0198 --exit-status -o jsonl", CTL_FAILED);
	ck_has(&fake.out, "\"change\":\"status\"");
	ends("clone watch 0199", CTL_NOT_FOUND);
	ends("clone watch @latest:Cust70009", CTL_NOT_FOUND);
	ends("clone watch @newest", CTL_NOT_FOUND);
	ends("clone watch " FAKE_ID, CTL_NOT_FOUND); /* a whole id is waited for, but not for ever */
	snap.status = CLONE_REJECTED;
	fake_change(&fake.clones[0], &snap);
	ends("clone watch @latest --exit-status", CTL_CONFLICT);
}
END_TEST

static void redis_comes_back(struct fake *f)
{
	f->no_store = f->now_ms < FAKE_NOW + 5000;
	if (f->now_ms > FAKE_NOW + 8000) {
		snap.status = CLONE_COMPLETED;
		fake_change(&f->clones[0], &snap);
	}
}

START_TEST(watch_survives_the_store)
{
	known_as(CLONE_RUNNING);
	fake.on_sleep = redis_comes_back;
	fake.no_store = true;
	ends("clone watch @latest --exit-status", CTL_OK);
	ck_has(&fake.talk, "trying again");
}
END_TEST

START_TEST(watch_redraws_on_a_terminal)
{
	known_as(CLONE_RUNNING);
	fake.terminal[DESK_OUT] = true;
	fake.columns = 100;
	fake.rows = 50;
	fake.on_sleep = redis_comes_back;
	ends("clone watch @latest", CTL_OK);
	ck_has(&fake.out, "\033[35A");
	ck_has(&fake.out, "\033[36m");
	fake.no_color = "1";
	ends("clone watch @latest", CTL_OK);
	ck_has_not(&fake.out, "\033[3");
	ends("clone watch @latest --color always", CTL_OK);
	ck_has(&fake.out, "\033[32m");
}
END_TEST

START_TEST(interrupting_leaves_the_clone_alone)
{
	known_as(CLONE_RUNNING);
	fake.interrupt_at_ms = FAKE_NOW + 2000;
	ends("clone watch @latest --exit-status", CTL_INTERRUPTED);
	ck_has(&fake.talk, "the clone goes on");
	ck_assert_int_eq(fake.sent_count, 0);
}
END_TEST

/* ---- list, show ---- */

START_TEST(list_picks_and_formats)
{
	ends("clone list", CTL_OK);
	ck_has(&fake.talk, "No clone yet");
	known_as(CLONE_FAILED);
	snap.status = CLONE_RUNNING;
	fake_add_clone(&fake, "0198f0c2-7d1e-7c5b-9a54-000000000000", "Cust70002", &snap);
	ends("clone list", CTL_OK);
	ck_has(&fake.out, "CLONE                      STATUS"); /* as much of the ids as tells them apart */
	ck_has(&fake.out, "0198f0c2-7d1e-7c5b-9a54-2  FAILED");
	ends("clone list --no-headers --status running", CTL_OK);
	ck_has_not(&fake.out, "CLONE");
	ck_has_not(&fake.out, "FAILED");
	ends("clone list --target Cust70001 -o ids", CTL_OK);
	ck_assert_str_eq(buf_text(&fake.out), OTHER_ID "\n");
	ends("clone list -o jsonl", CTL_OK);
	ck_has(&fake.out, "}\n{");
	ends("clone list -o json --limit 1", CTL_OK);
	ck_has(&fake.out, "{\n  \"version\":1,\n  \"clones\":[");
	ends("clone list --limit 0", CTL_USAGE);
	ends("clone list --status sleeping", CTL_USAGE);
	ends("clone list --config gone.ini", CTL_USAGE);
	fake.no_store = true;
	ends("clone list", CTL_UNAVAILABLE);
}
END_TEST

START_TEST(show_says_cause_and_next_command_first)
{
	snap.failed_step = STEP_copy_database;
	snprintf(snap.cause, sizeof snap.cause, "the disk is full");
	snprintf(snap.error_class, sizeof snap.error_class, "refused");
	snap.outcome[STEP_enter_offline_mode] = STEP_DONE;
	known_as(CLONE_FAILED);
	ends("clone show 0198", CTL_OK);
	ck_assert(strncmp(buf_text(&fake.out), "FAILED  1/33  08 copy_database  elapsed 1m19s  run 1\n", 52) == 0);
	ck_assert(strstr(buf_text(&fake.out), "Cause (refused): the disk is full") <
		strstr(buf_text(&fake.out), "enter_offline_mode"));
	ck_has(&fake.out, "Next: sandboxctl clone replay " OTHER_ID " --reason '...'");
	ends("clone show 0198 -o json", CTL_OK);
	ck_has(&fake.out, "\"started_at\":\"2026-11-22T");
	ends("clone show 77", CTL_NOT_FOUND);
}
END_TEST

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
		"--set documents=all --set attachments=none --set set-running=no --set approve-target=Cust70001", CTL_OK);
	ck_assert_int_eq(fake.sent.at.topic, TOPIC_REPLAY);
	m = sent(MESSAGE_REPLAY);
	ck_assert_str_eq(m->replay.from_step, "create_login");
	ck_assert_str_eq(m->replay.expected_generation, "Cust70001__gx1");
	ck_assert_str_eq(m->replay.mask_domain, "other.example");
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
			.mask_domain = "sandbox.example", .users = users, .user_count = 1, .documents = DOCUMENTS_NONE,
			.attachments = ATTACHMENTS_NONE, .approved_target = "" }, .confirmed = true,
			.expected_generation = "" } };
	struct fake_clone *c;
	struct err e = { 0 };

	failed_at_copy();
	c = &fake.clones[0];
	ck_assert(fake.codec->encode(fake.codec, &m, &c->request, &e));
	c->pairs[c->pair_count++] = (struct store_pair){ "request", c->request.data, c->request.len };
	ends("clone show 0198", CTL_OK);
	ck_has(&fake.out, "mask domain  sandbox.example");
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
	ends("doctor", CTL_FAILED);
	ck_has(&fake.out, "✓ kafka          3 brokers answer\n");
	ck_has(&fake.out, "✓ topics         all 7 are there");
	ck_has(&fake.out, "✓ redis          master 7.0.15");
	ck_has(&fake.out, "✓ objects        /blobs can be written");
	ck_has(&fake.out, "✗ archive        /gone is not there. Fix: make the folder");
	ck_has(&fake.out, "✓ hosting        it answers");
	ck_has(&fake.out, "✗ superid        [superid] url is not set. Fix:");
	ck_has(&fake.out, "✗ secret         the secret file can be used by others. Fix: chmod 600");
	ck_has(&fake.out, "◌ clock          nobody keeps the clock");
	fake.http_status = 401;
	fake.no_brokers = fake.no_store = true;
	ends("doctor -o jsonl", CTL_FAILED);
	ck_has(&fake.out, "{\"check\":\"kafka\",\"result\":\"bad\",\"text\":\"no broker answers\",\"fix\":\"");
	ck_has(&fake.out, "it refuses our token (401)");
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
	} rows[] = { { ERR_TRANSIENT, 0, CTL_UNAVAILABLE }, { ERR_UNSURE, 0, CTL_UNAVAILABLE }, { ERR_REFUSED, 0, CTL_USAGE },
		{ ERR_REFUSED, ERR_CODE_AUTH, CTL_AUTH }, { ERR_TRANSIENT, ERR_CODE_AUTH, CTL_AUTH },
		{ ERR_TRANSIENT, ERR_CODE_ABORTED, CTL_INTERRUPTED }, { ERR_BUG, 0, CTL_FAILED } };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct err e = { .class = rows[i].class, .code = rows[i].code };

		ck_assert_int_eq((int)ctl_exit_for(&e), rows[i].wanted);
	}
}
END_TEST

static TCase *cases(const char *name, const TTest *const *tests, size_t count)
{
	TCase *t = tcase_create(name);

	tcase_add_checked_fixture(t, setup, teardown);
	for (size_t i = 0; i < count; i++)
		tcase_add_test(t, tests[i]);
	return t;
}

#define CASES(name, ...) \
	cases(name, (const TTest *const[]){ __VA_ARGS__ }, sizeof((const TTest *const[]){ __VA_ARGS__ }) / sizeof(TTest *))

int main(void)
{
	Suite *s = suite_create("ctl_commands");
	SRunner *sr = srunner_create(s);

	suite_add_tcase(s, CASES("request", a_request_is_sent_as_it_was_wished, a_dry_run_sends_nothing,
		a_file_gives_the_wishes_and_options_win, rules_are_checked_before_anything_is_sent,
		a_public_inbox_is_warned_of, it_must_be_meant, a_busy_target_is_a_conflict,
		an_id_that_is_taken_is_a_conflict, what_may_have_arrived_is_said));
	suite_add_tcase(s, CASES("watch", waiting_ends_with_the_clone, waiting_for_a_failure_fails, waiting_has_an_end,
		waiting_ends_with_a_dead_letter, watch_ends_at_rest, watch_survives_the_store, watch_redraws_on_a_terminal,
		interrupting_leaves_the_clone_alone));
	suite_add_tcase(s, CASES("look", list_picks_and_formats, show_says_cause_and_next_command_first));
	suite_add_tcase(s, CASES("steer", control_is_sent_for_the_target, what_would_be_refused_is_a_conflict,
		cancelling_must_be_meant, resuming_waits_until_it_is_taken, a_replay_shows_what_would_run_and_why,
		a_replay_is_sent_with_its_changes, a_replay_that_makes_no_sense_is_refused, changed_inputs_obey_the_rules));
	suite_add_tcase(s, CASES("letters", letters_are_listed_and_shown, a_letter_is_requeued_three_times_at_most,
		a_letter_that_cannot_go_back_stays, a_letter_is_parked_with_a_note));
	suite_add_tcase(s, CASES("program", doctor_names_each_trouble_with_its_fix, the_rest_prints,
		errors_have_fixed_exit_codes));
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
