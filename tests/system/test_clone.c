/* SPDX-License-Identifier: Apache-2.0
 * Clones from request to running sandbox through the real program: what comes out, what a second one does to the
 * first, and requests that must not have an effect. */
#include "tests/support/installation.h"

#include <stdlib.h>
#include <string.h>

enum { CLONE_WITHIN_MS = 90000, TOLD_WITHIN_MS = 30000 };

static const char first[] = "0198f0c2-0001-7c5b-9a54-000000000001", second[] = "0198f0c2-0002-7c5b-9a54-000000000002",
		  third[] = "0198f0c2-0003-7c5b-9a54-000000000003", other[] = "0198f0c2-0004-7c5b-9a54-000000000004";

static struct installation *i;
static struct buf world, world2;

static void setup(void)
{
	i = installation_new(&(struct installation_options){ .targets = 2 });
	buf_init(&world, WORLD_TEXT_MAX);
	buf_init(&world2, WORLD_TEXT_MAX);
	consumer_start(i, 0);
}

static void teardown(void)
{
	buf_done(&world);
	buf_done(&world2);
	installation_free(&i);
}

static void check_steps(const struct events *events, const char *id)
{
	ck_assert_uint_eq(events_count(events, MESSAGE_STEP_COMPLETED, id), STEP_END);
	for (size_t n = 0; n < STEP_END; n++) {
		const struct step_completed *s = &events_nth(events, MESSAGE_STEP_COMPLETED, id, n)->step_completed;
		enum step_id step = step_by_slug(s->slug);

		ck_assert_int_lt(step, STEP_END);
		ck_assert_int_eq(s->step_no, (int)step + 1);
		ck_assert_int_eq(s->total_steps, STEP_END);
		ck_assert_int_eq(s->run, 1);
		ck_assert_str_eq(s->source_ctx, SOURCE);
		ck_assert(s->outcome == STEP_DONE || s->outcome == STEP_ALREADY);
		ck_assert_int_le(s->started_at_ms, s->finished_at_ms);
		ck_assert_msg(!strchr(s->detail, '@'), "%s tells an address: %s", s->slug, s->detail);
	}
}

static void check_restored(const struct events *events, const char *id, const char *target, const char *generation)
{
	const struct backup_restored *b;

	ck_assert_uint_eq(events_count(events, MESSAGE_BACKUP_RESTORED, id), 1);
	b = &events_nth(events, MESSAGE_BACKUP_RESTORED, id, 0)->backup_restored;
	ck_assert_int_eq(b->change_type, 1);
	ck_assert_str_eq(b->context_identifier, target);
	ck_assert_str_eq(b->version_name, "Release_11.12_2026.07.20-01");
	ck_assert_str_eq(b->file_version, "11.12.675.0");
	ck_assert_str_eq(b->token, "");
	ck_assert_str_eq(b->public_endpoint, "online4.example");
	ck_assert_str_eq(b->generation, generation);
	ck_assert_str_eq(b->mask_domain, "sandbox.example");
	ck_assert(!b->mask_domain_public);
	ck_assert_ptr_nonnull(strstr(b->proof, "\"left\":0"));
	ck_assert_int_eq(b->apps_to_tell, 2);
}

static void check_states(const struct events *events, const char *id, enum clone_status last)
{
	size_t count = events_count(events, MESSAGE_STATE, id);
	const struct clone_state *begin = &events_nth(events, MESSAGE_STATE, id, 0)->state;
	const struct clone_state *end = &events_nth(events, MESSAGE_STATE, id, count - 1)->state;

	ck_assert_uint_eq(count, 2);
	ck_assert_int_eq(begin->status, CLONE_RUNNING);
	ck_assert_int_eq(begin->steps_done, 0);
	ck_assert_int_eq(end->status, last);
	ck_assert_int_eq(end->steps_done, STEP_END);
	ck_assert_str_eq(end->cause, "");
}

START_TEST(two_targets_end_to_end)
{
	struct events events;
	struct buf source;
	struct seen s;

	buf_init(&source, WORLD_TEXT_MAX);
	snapshot_source(i, &source);
	send_request(i, first, TARGET);
	send_request(i, other, "Cust70002");
	s = await(i, first, CLONE_COMPLETED, CLONE_WITHIN_MS);
	await(i, other, CLONE_COMPLETED, CLONE_WITHIN_MS);
	ck_assert_int_eq(s.steps_done, STEP_END);
	await_committed(i, TOLD_WITHIN_MS);
	events_read(i, &events);
	check_sequence(&events, first);
	check_sequence(&events, other);
	check_steps(&events, first);
	check_restored(&events, first, TARGET, s.generation);
	check_states(&events, first, CLONE_COMPLETED);
	ck_assert_uint_eq(events_count(&events, MESSAGE_DEAD_LETTER, ""), 0);
	events_free(&events);
	snapshot_source(i, &world);
	check_same(&source, &world, "the source before and after");
	snapshot_target(i, TARGET, &world);
	snapshot_target(i, "Cust70002", &world2);
	check_same(&world, &world2, "two clones of one source");
	snapshot_events(i, first, TARGET, true, &world);
	snapshot_events(i, other, "Cust70002", true, &world2);
	check_same(&world, &world2, "the events of two clones of one source");
	ck_assert_str_eq(left_over_databases(i), "");
	ck_assert_int_eq(consumer_stop(i, 0, 10000), 0);
	buf_done(&source);
}
END_TEST

START_TEST(a_second_clone_replaces_the_first)
{
	struct message m = good_request(i, third, TARGET);
	struct seen one, two, three;
	char text[DATABASE_MAX + 1];

	send_request(i, first, TARGET);
	one = await(i, first, CLONE_COMPLETED, CLONE_WITHIN_MS);
	snapshot_target(i, TARGET, &world);
	send_request(i, second, TARGET);
	two = await(i, second, CLONE_COMPLETED, CLONE_WITHIN_MS);
	ck_assert_str_ne(one.generation, two.generation);
	ck_assert_str_eq(hosting_text(i, TARGET, "database", text, sizeof text), two.generation);
	ck_assert_str_eq(hosting_text(i, TARGET, "previous_database", text, sizeof text), "");
	ck_assert_str_eq(left_over_databases(i), "");
	snapshot_target(i, TARGET, &world2);
	check_same(&world, &world2, "the second clone of the same source");
	m.request.expected_generation = one.generation;
	send_message(i, &m);
	three = await(i, third, CLONE_REJECTED, TOLD_WITHIN_MS);
	ck_assert_msg(strstr(three.cause, "not the generation"), "%s", three.cause);
	m = good_request(i, other, TARGET);
	m.request.expected_generation = two.generation;
	send_message(i, &m);
	await(i, other, CLONE_COMPLETED, CLONE_WITHIN_MS);
	await_committed(i, TOLD_WITHIN_MS);
}
END_TEST

START_TEST(a_repeat_has_no_effect_and_other_wishes_are_a_conflict)
{
	struct message m = good_request(i, first, TARGET), *letter;
	struct seen before, after;
	struct events events;
	size_t acted;

	send_request(i, first, TARGET);
	send_request(i, first, TARGET);
	before = await(i, first, CLONE_COMPLETED, CLONE_WITHIN_MS);
	acted = stub_server_acted(i->stubs, "");
	send_request(i, first, TARGET);
	m.request.job.mask_domain = "another.example";
	send_message(i, &m);
	letter = await_dead_letter(i, 0, TOLD_WITHIN_MS);
	ck_assert_str_eq(letter->dead_letter.reason_code, "conflict");
	ck_assert_str_eq(letter->dead_letter.origin_topic, "sandbox.clone.requested");
	ck_assert_uint_gt(letter->dead_letter.value_len, 0);
	message_free(&letter);
	await_committed(i, TOLD_WITHIN_MS);
	after = look_at(i, first);
	ck_assert_str_eq(before.generation, after.generation);
	ck_assert_int_eq(after.run, 1);
	ck_assert_int_eq(after.status, CLONE_COMPLETED);
	ck_assert_uint_eq(stub_server_acted(i->stubs, ""), acted);
	events_read(i, &events);
	check_sequence(&events, first);
	check_steps(&events, first);
	events_free(&events);
}
END_TEST

START_TEST(a_busy_target_rejects_and_supersedes)
{
	struct seen s;

	slow_one_call(i);
	send_request(i, first, TARGET);
	await_steps(i, first, 3, CLONE_WITHIN_MS);
	send_request(i, second, TARGET);
	s = await(i, second, CLONE_REJECTED, TOLD_WITHIN_MS);
	ck_assert_msg(strstr(s.cause, first), "%s", s.cause);
	await(i, first, CLONE_COMPLETED, CLONE_WITHIN_MS);
	await_committed(i, TOLD_WITHIN_MS);
	consumer_stop(i, 0, 10000);
	setenv("SANDBOX_ENGINE__ON_BUSY", "supersede", 1);
	consumer_start(i, 0);
	slow_one_call(i);
	send_request(i, third, TARGET);
	await_steps(i, third, 3, CLONE_WITHIN_MS);
	send_request(i, other, TARGET);
	await(i, third, CLONE_CANCELLED, CLONE_WITHIN_MS);
	await(i, other, CLONE_COMPLETED, CLONE_WITHIN_MS);
	await_committed(i, TOLD_WITHIN_MS);
	ck_assert_str_eq(left_over_databases(i), "");
}
END_TEST

/* The same names in every clone of the installation, and none of the source's. A repeat that keeps names is another
 * wish. */
START_TEST(hidden_names_are_the_same_in_every_clone)
{
	struct message m = good_request(i, first, TARGET), n = good_request(i, other, "Cust70002"), *letter;
	const struct backup_restored *b;
	struct events events;
	struct seen s;

	m.request.job.mask_mode = n.request.job.mask_mode = MASK_HASH;
	send_message(i, &m);
	send_message(i, &n);
	s = await(i, first, CLONE_COMPLETED, CLONE_WITHIN_MS);
	await(i, other, CLONE_COMPLETED, CLONE_WITHIN_MS);
	ck_assert_int_gt(database_number(i, s.generation, "SELECT count(*) FROM Email WHERE email_address LIKE "
	                                                  "'m__________________________@sandbox.example'"), 2);
	ck_assert_int_eq(database_number(i, s.generation, "SELECT count(*) FROM Email WHERE email_address GLOB "
	                                                  "'*_*@sandbox.example'"), 0);
	events_read(i, &events);
	check_steps(&events, first);
	check_restored(&events, first, TARGET, s.generation);
	b = &events_nth(&events, MESSAGE_BACKUP_RESTORED, first, 0)->backup_restored;
	ck_assert_ptr_nonnull(strstr(b->proof, "\"mode\":\"hash\""));
	events_free(&events);
	snapshot_target(i, TARGET, &world);
	snapshot_target(i, "Cust70002", &world2);
	check_same(&world, &world2, "two clones with hidden names");
	send_request(i, first, TARGET);
	letter = await_dead_letter(i, 0, TOLD_WITHIN_MS);
	ck_assert_str_eq(letter->dead_letter.reason_code, "conflict");
	message_free(&letter);
}
END_TEST

START_TEST(strict_order_makes_the_same_world)
{
	struct events events;

	send_request(i, first, TARGET);
	await(i, first, CLONE_COMPLETED, CLONE_WITHIN_MS);
	consumer_stop(i, 0, 10000);
	setenv("SANDBOX_ENGINE__PLAN", "strict", 1);
	consumer_start(i, 0);
	send_request(i, second, "Cust70002");
	await(i, second, CLONE_COMPLETED, CLONE_WITHIN_MS);
	events_read(i, &events);
	for (size_t n = 0; n < STEP_END; n++)
		ck_assert_int_eq(events_nth(&events, MESSAGE_STEP_COMPLETED, second, n)->step_completed.step_no, (int)n + 1);
	events_free(&events);
	snapshot_target(i, TARGET, &world);
	snapshot_target(i, "Cust70002", &world2);
	check_same(&world, &world2, "side by side and one by one");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("clone");
	TCase *tc = tcase_create("clone");

	tcase_set_timeout(tc, 90);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, two_targets_end_to_end);
	tcase_add_test(tc, a_second_clone_replaces_the_first);
	tcase_add_test(tc, a_repeat_has_no_effect_and_other_wishes_are_a_conflict);
	tcase_add_test(tc, a_busy_target_rejects_and_supersedes);
	tcase_add_test(tc, hidden_names_are_the_same_in_every_clone);
	tcase_add_test(tc, strict_order_makes_the_same_world);
	suite_add_tcase(suite, tc);
	return installation_run(suite);
}
