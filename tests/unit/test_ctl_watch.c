/* SPDX-License-Identifier: Apache-2.0
 * One clone as it is seen, and what watch shows of it. */
#include "ctl_desk.h"

#include "consumer/ctl/look.h"
#include "consumer/ctl/watch.h"

static struct fake fake;
static struct ctl ctl;
static struct clone_snapshot snap;
static struct sight sight, before;
static struct pace pace;
static struct buf out;

static void setup(void)
{
	fake_init(&fake);
	memset(&ctl, 0, sizeof ctl);
	ctl.desk = &fake.port;
	ctl.mem = arena_new(1 << 22);
	ctl.now_ms = FAKE_NOW;
	snapshot_init(&snap);
	snap.status = CLONE_RUNNING;
	snap.run = 1;
	snap.started_at_ms = FAKE_NOW - 80000;
	snprintf(snap.source_ctx, sizeof snap.source_ctx, "Cust70000");
	memset(&pace, 0, sizeof pace);
	memset(&sight, 0, sizeof sight);
	memset(&before, 0, sizeof before);
	buf_init(&out, 1 << 16);
}

static void teardown(void)
{
	buf_done(&out);
	sight_done(&sight);
	sight_done(&before);
	arena_free(&ctl.mem);
	fake_done(&fake);
}

static void done_until(enum step_id last)
{
	for (int i = 0; i <= (int)last; i++)
		snap.outcome[i] = STEP_DONE;
}

/* Looks at the clone as it is now; what was seen before goes to `before`. */
static struct fake_clone *look(void)
{
	struct fake_clone *c = fake.clone_count ? &fake.clones[0] : fake_add_clone(&fake, FAKE_ID, "Cust70001", &snap);
	struct inspect_clone view;

	fake_change(c, &snap);
	view = fake_view(c);
	sight_done(&before);
	before = sight;
	memset(&sight, 0, sizeof sight);
	sight_make(&ctl, &view, true, &sight);
	return c;
}

static void look_with_note(const char *slug, const char *value)
{
	struct fake_clone *c = look();

	c->note_count = 0;
	fake_note(c, slug, value);
	look();
}

/* ---- what is seen ---- */

START_TEST(a_note_tells_what_moves_and_what_waits)
{
	done_until(STEP_create_login);
	look_with_note("copy_database", "2000 4096 5000 1795382399000 0 0 0 0\t\t");
	ck_assert_int_eq(look_step_state(&sight, STEP_create_login), STEP_IS_DONE);
	ck_assert_int_eq(look_step_state(&sight, STEP_copy_database), STEP_IS_RUNNING);
	ck_assert_int_eq(look_step_state(&sight, STEP_prepare_database), STEP_IS_PENDING);
	ck_assert_int_eq(sight.notes[STEP_copy_database].rows, 2000);
	ck_assert_int_eq(sight_step(&sight), STEP_copy_database);
	look_with_note("register_superid", "0 0 0 1795382399000 0 0 0 0\t\tSuperID: answered 503");
	ck_assert_int_eq(look_step_state(&sight, STEP_register_superid), STEP_IS_WAITING);
	ck_assert_str_eq(sight.notes[STEP_register_superid].text, "SuperID: answered 503");
}
END_TEST

START_TEST(what_does_not_move_is_a_state_of_its_own)
{
	struct pace none = { 0 };
	struct watch_frame frame = { .sight = &sight, .pace = &none, .now_ms = FAKE_NOW };
	char note[64];

	fake.lease = (struct inspect_lease){ true, "owner", FAKE_ID, 7, 20000 };
	done_until(STEP_create_login);
	snprintf(note, sizeof note, "2000 4096 5000 %lld 0 0 0 0\t\t", (long long)FAKE_NOW - 9999);
	look_with_note("copy_database", note);
	ck_assert_int_eq(look_step_state(&sight, STEP_copy_database), STEP_IS_RUNNING);
	snprintf(note, sizeof note, "2000 4096 5000 %lld 0 0 0 0\t\t", (long long)FAKE_NOW - 70000);
	look_with_note("copy_database", note);
	ck_assert_int_eq(look_step_state(&sight, STEP_copy_database), STEP_IS_STILL);
	ck_assert_str_eq(sight_waits_on(&sight, ctl.mem), "copy_database: no movement for 1m10s");
	watch_frame_print(&frame, ctl.mem, &out);
	ck_has(&out, "= 08 copy_database              2,000 of 5,000 rows, 4.0 KiB  no movement for 1m10s\n");
	buf_clear(&out);
	before.notes[STEP_copy_database].at_ms = FAKE_NOW;
	before.seen_ms = FAKE_NOW;
	watch_changes(&before, &sight, &pace, FAKE_NOW, ctl.mem, &out);
	ck_has(&out, "08 copy_database no movement for 1m10s");
	buf_clear(&out);
	watch_changes(&sight, &before, &pace, FAKE_NOW, ctl.mem, &out);
	ck_has(&out, "08 copy_database moves");
	look_with_note("copy_database", "0 0 0 1795382000000 0 0 0 0\t\tthe lock of somebody"); /* it names what it waits for */
	ck_assert_int_ne(look_step_state(&sight, STEP_copy_database), STEP_IS_STILL);
}
END_TEST

START_TEST(what_it_waits_on_is_one_sentence)
{
	fake.lease = (struct inspect_lease){ .is_held = false };
	look();
	ck_assert_ptr_nonnull(strstr(sight_waits_on(&sight, ctl.mem), "waits for a consumer"));
	fake.lease = (struct inspect_lease){ true, "owner", FAKE_ID, 7, 20000 };
	look();
	ck_assert_str_eq(sight_waits_on(&sight, ctl.mem), "");
	look_with_note("wait_customer_tasks", "0 0 0 1795382399000 0 0 0 0\t\t3 customer tasks");
	ck_assert_str_eq(sight_waits_on(&sight, ctl.mem), "wait_customer_tasks waits for 3 customer tasks");
	fake.lease.clone_id = "another";
	look();
	ck_assert(!sight.lease.is_held);
	snap.status = CLONE_FAILED;
	look();
	ck_assert_str_eq(sight_waits_on(&sight, ctl.mem), "");
}
END_TEST

START_TEST(notes_of_an_earlier_run_or_of_nonsense_are_nothing)
{
	look_with_note("copy_database", "2000 4096 5000 1000 0 0 0 0\t\t");
	ck_assert_int_eq(sight.notes[STEP_copy_database].at_ms, 0);
	ck_assert(!(sight.running & STEP_BIT(STEP_copy_database)));
	look_with_note("copy_database", "2000 x");
	ck_assert_int_eq(sight.notes[STEP_copy_database].rows, 0);
	look_with_note("no_such_step", "1 2 3 1795382399000 0 0 0 0\t\t");
	ck_assert_uint_eq(sight.running, 0);
}
END_TEST

START_TEST(a_record_that_expired_or_makes_no_sense_is_said)
{
	struct fake_clone *c = look();
	struct inspect_clone view;

	c->pair_count = 0;
	view = fake_view(c);
	sight_make(&ctl, &view, false, &sight);
	ck_assert(!sight.is_readable);
	ck_assert_str_eq(sight_status(&sight), "UNREADABLE");
	ck_assert_ptr_nonnull(strstr(sight.problem, "gone"));
	c->pairs[0] = (struct store_pair){ "status", "NONSENSE", 8 };
	c->pair_count = 1;
	view = fake_view(c);
	sight_make(&ctl, &view, false, &sight);
	ck_assert(!sight.is_readable);
	ck_assert_str_eq(sight_waits_on(&sight, ctl.mem), "");
}
END_TEST

START_TEST(states_have_glyphs_of_one_place)
{
	for (int s = 0; s < STEP_STATE_END; s++) {
		const char *glyph = look_glyph((enum step_state)s, true);

		ck_assert_uint_eq(strlen(look_glyph((enum step_state)s, false)), 1);
		ck_assert((unsigned char)glyph[0] < 0x80 ? strlen(glyph) == 1 : strlen(glyph) <= 3);
		ck_assert_str_eq(look_color((enum step_state)s, false), "");
		for (int t = 0; t < s; t++)
			ck_assert_str_ne(glyph, look_glyph((enum step_state)t, true));
	}
}
END_TEST

/* ---- a frame ---- */

static int frame(int columns, int rows, bool colors)
{
	const struct watch_frame f = { &sight, &pace, FAKE_NOW, columns, rows, colors, true };

	buf_clear(&out);
	return watch_frame_print(&f, ctl.mem, &out);
}

static int lines_of(const char *text)
{
	int lines = 0;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

START_TEST(a_frame_has_a_line_a_step)
{
	done_until(STEP_create_login);
	look_with_note("copy_database", "2000 2147483648 5000 1795382399000 0 0 0 0\t\t");
	ck_assert_int_eq(frame(120, 60, false), STEP_END + 2);
	ck_assert_int_eq(lines_of(buf_text(&out)), STEP_END + 2);
	ck_has(&out, "Cust70000 -> Cust70001  RUNNING  7/33  1m20s");
	ck_has(&out, "✓ 07 create_login");
	ck_has(&out, "▶ 08 copy_database              2,000 of 5,000 rows, 2.0 GiB");
	ck_has(&out, "· 09 prepare_database");
	ck_has_not(&out, "\033");
}
END_TEST

START_TEST(a_low_terminal_shows_what_matters)
{
	done_until(STEP_create_login);
	look_with_note("copy_database", "2000 4096 5000 1795382399000 0 0 0 0\t\t");
	for (int rows = 5; rows < 40; rows++) {
		int lines = frame(120, rows, false);

		ck_assert_int_eq(lines, lines_of(buf_text(&out)));
		ck_assert_msg(lines < rows || lines == STEP_END + 2, "%d lines on %d rows", lines, rows);
		ck_has(&out, "08 copy_database");
	}
	frame(120, 10, false);
	ck_has(&out, "✓ 7 done, ");
}
END_TEST

START_TEST(no_line_is_wider_than_the_terminal)
{
	look_with_note("wait_customer_tasks",
		       "0 0 0 1795382399000 0 0 0 0\t\ta text that is much longer than a narrow terminal \xc3\xb8");
	for (int columns = 10; columns < 60; columns += 7)
		for (int colors = 0; colors < 2; colors++) {
			const char *p;

			frame(columns, 60, colors);
			for (p = buf_text(&out); *p; p += strcspn(p, "\n") + 1) {
				int width = 0;

				for (size_t i = 0; i < strcspn(p, "\n"); i++) {
					if (p[i] == '\033')
						i += strcspn(p + i, "m");
					else
						width += ((unsigned char)p[i] & 0xc0) != 0x80;
				}
				ck_assert_msg(width <= columns, "%d places in %d: %.80s", width, columns, p);
			}
		}
}
END_TEST

START_TEST(a_cause_stands_above_the_steps_and_cannot_steer)
{
	snap.status = CLONE_FAILED;
	snap.failed_step = STEP_copy_database;
	snprintf(snap.cause, sizeof snap.cause, "the disk\033[2J is full");
	look();
	frame(100, 60, false);
	ck_has(&out, "\nthe disk?[2J is full\n");
	ck_has(&out, "✗ 08 copy_database");
}
END_TEST

/* ---- changes ---- */

static const char *changes(void)
{
	buf_clear(&out);
	watch_changes(&before, &sight, &pace, FAKE_NOW, ctl.mem, &out);
	return buf_text(&out);
}

START_TEST(a_pipe_gets_a_line_for_each_change)
{
	fake.lease = (struct inspect_lease){ true, "owner", FAKE_ID, 7, 20000 };
	look();
	buf_clear(&out);
	watch_changes(NULL, &sight, &pace, FAKE_NOW, ctl.mem, &out);
	ck_has(&out, "RUNNING  0/33  run 1  elapsed 1m20s\n");
	look();
	ck_assert_str_eq(changes(), "");
	done_until(STEP_wait_customer_tasks);
	look();
	changes();
	ck_has(&out, "01 enter_offline_mode DONE  1/33\n");
	ck_has(&out, "02 wait_customer_tasks DONE  2/33\n");
	ck_assert_int_eq(lines_of(buf_text(&out)), 2);
	look_with_note("copy_database", "100 0 1000 1795382399000 0 0 0 0\t\t");
	look();
	ck_assert_str_eq(changes(), "");
}
END_TEST

START_TEST(a_running_step_tells_of_each_tenth)
{
	look_with_note("copy_database", "100 0 1000 1795382399000 0 0 0 0\t\t");
	look_with_note("copy_database", "140 0 1000 1795382399500 0 0 0 0\t\t");
	look_with_note("copy_database", "180 0 1000 1795382399600 0 0 0 0\t\t");
	ck_has_not(&out, "moves");
	before.notes[STEP_copy_database].rows = 140;
	ck_assert_str_eq(changes(), "");
	look_with_note("copy_database", "210 0 1000 1795382399700 0 0 0 0\t\t");
	before = sight;
	before.message = NULL;
	before.notes[STEP_copy_database].rows = 180;
	changes();
	ck_has(&out, "08 copy_database moves  210 of 1,000 rows\n");
	before.notes[STEP_copy_database].rows = 200;
	ck_assert_str_eq(changes(), "");
}
END_TEST

START_TEST(waiting_and_failing_are_changes)
{
	look();
	look_with_note("wait_customer_tasks", "0 0 0 1795382399000 0 0 0 0\t\t3 customer tasks");
	before.running = 0;
	before.notes[STEP_wait_customer_tasks].text = "";
	changes();
	ck_has(&out, "02 wait_customer_tasks waits for 3 customer tasks\n");
	look();
	ck_assert_str_eq(changes(), "");
	snap.status = CLONE_FAILED;
	snap.failed_step = STEP_wait_customer_tasks;
	snprintf(snap.cause, sizeof snap.cause, "it took too long");
	look();
	changes();
	ck_has(&out, "02 wait_customer_tasks FAILED");
	ck_has(&out, "FAILED  0/33  run 1");
	ck_has(&out, "it took too long\n");
}
END_TEST

/* ---- how long it may take ---- */

START_TEST(rates_give_a_range)
{
	struct time_left left;

	done_until(STEP_create_login);
	look_with_note("copy_database", "0 0 10000 1795382390000 0 0 0 0\t\t");
	pace_look(&pace, &sight);
	ck_assert(!pace_of_step(&pace, &sight, STEP_copy_database).is_known);
	look_with_note("copy_database", "1000 0 10000 1795382391000 0 0 0 0\t\t");
	pace_look(&pace, &sight);
	ck_assert(!pace_of_step(&pace, &sight, STEP_copy_database).is_known);
	look_with_note("copy_database", "1500 0 10000 1795382392000 0 0 0 0\t\t");
	pace_look(&pace, &sight);
	left = pace_of_step(&pace, &sight, STEP_copy_database);
	ck_assert(left.is_known);
	ck_assert_int_eq(left.least_ms, 8500);
	ck_assert_int_eq(left.most_ms, 17000);
	pace_print(&out, &left);
	ck_assert_str_eq(buf_text(&out), "8.0s to 17s");
	frame(120, 60, false);
	ck_has(&out, "left 8.0s to 17s");
}
END_TEST

START_TEST(a_burst_and_a_hitch_do_not_widen_the_range)
{
	static const int moves[] = { 0, 1000, 1000, 900, 5000, 1100, 10, 1000, 1000, 1000, 1000, 1000, 1000 };
	struct time_left left;
	char note[80];
	int rows = 0;

	done_until(STEP_create_login);
	for (size_t i = 0; i < sizeof moves / sizeof *moves; i++) {
		rows += moves[i];
		snprintf(note, sizeof note, "%d 0 100000 %lld 0 0 0 0\t\t", rows, (long long)FAKE_NOW - 20000 + (int)i * 1000);
		look_with_note("copy_database", note);
		pace_look(&pace, &sight);
	}
	left = pace_of_step(&pace, &sight, STEP_copy_database);
	ck_assert(left.is_known);
	ck_assert_int_gt(left.least_ms, 60000);
	ck_assert_int_lt(left.most_ms, 90000);
}
END_TEST

/* One long halt must not make the range useless for ever, and while it lasts there is nothing to tell it from. */
START_TEST(a_halt_gives_no_range_and_is_forgotten)
{
	struct time_left left;
	char note[80];

	snap.started_at_ms = FAKE_NOW - 700000;
	done_until(STEP_create_login);
	for (int i = 0; i < 3; i++) {
		snprintf(note, sizeof note, "%d 0 100000 %lld 0 0 0 0\t\t", i * 1000, (long long)FAKE_NOW - 690000 + i * 1000);
		look_with_note("copy_database", note);
		pace_look(&pace, &sight);
	}
	ck_assert_int_eq(look_step_state(&sight, STEP_copy_database), STEP_IS_STILL);
	ck_assert(!pace_of_step(&pace, &sight, STEP_copy_database).is_known);
	for (int i = 0; i <= PACE_RATES; i++) { /* after eleven minutes it goes on as before */
		snprintf(note, sizeof note, "%d 0 100000 %lld 0 0 0 0\t\t", 3000 + i * 1000,
			 (long long)FAKE_NOW - 31000 + i * 1000);
		look_with_note("copy_database", note);
		pace_look(&pace, &sight);
	}
	left = pace_of_step(&pace, &sight, STEP_copy_database);
	ck_assert(left.is_known);
	ck_assert_int_eq(left.least_ms, 67000);
	ck_assert_int_le(left.most_ms, 67000 * 21); /* by the mean of all, not by the halt alone */
}
END_TEST

START_TEST(a_still_step_says_for_how_long_in_json)
{
	char note[80];

	done_until(STEP_create_login);
	snprintf(note, sizeof note, "2000 4096 5000 %lld 3 9 70 4096\tperson\t", (long long)FAKE_NOW - 70000);
	look_with_note("copy_database", note);
	watch_changes_json(NULL, &sight, &pace, FAKE_NOW, ctl.mem, &out);
	ck_has(&out, "\"change\":\"still\"");
	ck_has(&out, "\"still_ms\":70000");
	buf_clear(&out);
	frame(200, 60, false);
	ck_has(&out, "table 4 of 9 person at 70 (4.0 KiB)  no movement for 1m10s");
}
END_TEST

START_TEST(clones_of_another_size_say_nothing_of_this_one)
{
	struct sight earlier = { 0 };

	fake.lease = (struct inspect_lease){ true, "owner", FAKE_ID, 7, 20000 };
	done_until(STEP_create_login);
	look_with_note("copy_database", "2000 4096 5000 1795382399000 0 0 0 0\t\t");
	earlier.snap = snap;
	earlier.snap.status = CLONE_COMPLETED;
	earlier.snap.ended_at_ms = earlier.snap.started_at_ms + 9000000;
	earlier.notes[STEP_copy_database] = (struct step_note){ .rows = 10002, .rows_total = 10002, .text = "" };
	pace_earlier(&pace, &earlier, true);
	ck_assert(!pace_of_clone(&pace, &sight, FAKE_NOW).is_known);
	earlier.notes[STEP_copy_database].rows = earlier.notes[STEP_copy_database].rows_total = 2500;
	pace_earlier(&pace, &earlier, false);
	ck_assert(pace_of_clone(&pace, &sight, FAKE_NOW).is_known);
	ck_assert_int_eq(pace_of_clone(&pace, &sight, FAKE_NOW).by, 1);
	sight.notes[STEP_copy_database] = (struct step_note){ .text = "" }; /* not known yet: what the same source took */
	ck_assert_int_eq(pace_of_clone(&pace, &sight, FAKE_NOW).by, 1);
}
END_TEST

START_TEST(the_table_under_way_is_shown)
{
	struct pace none = { 0 };
	struct watch_frame frame = { .sight = &sight, .pace = &none, .now_ms = FAKE_NOW };

	fake.lease = (struct inspect_lease){ true, "owner", FAKE_ID, 7, 20000 };
	done_until(STEP_create_login);
	look_with_note("copy_database", "2000 4096 5000 1795382399000 16 120 1500 0\tperson\t");
	watch_frame_print(&frame, ctl.mem, &out);
	ck_has(&out, "08 copy_database              2,000 of 5,000 rows, 4.0 KiB, table 17 of 120 person at 1,500\n");
	buf_clear(&out);
	look_with_note("copy_database", "5000 4096 5000 1795382399000 120 120 0 0\tperson\t");
	watch_frame_print(&frame, ctl.mem, &out);
	ck_has(&out, "08 copy_database              5,000 rows, 4.0 KiB\n");
	buf_clear(&out);
	look_with_note("copy_database", "2000 4096 5000 1795382399000 0 0 0 0\tcomparing again\t"); /* it has no tables */
	watch_frame_print(&frame, ctl.mem, &out);
	ck_has(&out, "08 copy_database              2,000 of 5,000 rows, 4.0 KiB, comparing again\n");
	look_with_note("copy_database", "2000 4096 5000 1795382399000 16 120 1500 0 person"); /* a field is missing */
	ck_assert_int_eq(sight.notes[STEP_copy_database].rows, 0);
}
END_TEST

START_TEST(earlier_clones_give_a_range)
{
	struct sight earlier = { 0 };
	struct time_left left;

	look();
	ck_assert(!pace_of_clone(&pace, &sight, FAKE_NOW).is_known);
	earlier.snap = snap;
	earlier.snap.status = CLONE_FAILED;
	earlier.snap.ended_at_ms = earlier.snap.started_at_ms + 90000;
	pace_earlier(&pace, &earlier, true);
	ck_assert_uint_eq(pace.earlier_count, 0);
	earlier.snap.status = CLONE_COMPLETED;
	pace_earlier(&pace, &earlier, true);
	earlier.snap.ended_at_ms = earlier.snap.started_at_ms + 200000;
	pace_earlier(&pace, &earlier, true);
	left = pace_of_clone(&pace, &sight, FAKE_NOW);
	ck_assert(left.is_known);
	ck_assert_int_eq(left.least_ms, 10000);
	ck_assert_int_eq(left.most_ms, 120000);
	ck_assert(!pace_of_clone(&pace, &sight, FAKE_NOW + 120000).is_known);
	frame(120, 60, false);
	ck_has(&out, "left 10s to 2m (by 2 earlier)");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ctl_watch");
	TCase *t = tcase_create("watch");
	SRunner *sr = srunner_create(s);

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_note_tells_what_moves_and_what_waits);
	tcase_add_test(t, what_does_not_move_is_a_state_of_its_own);
	tcase_add_test(t, what_it_waits_on_is_one_sentence);
	tcase_add_test(t, notes_of_an_earlier_run_or_of_nonsense_are_nothing);
	tcase_add_test(t, a_record_that_expired_or_makes_no_sense_is_said);
	tcase_add_test(t, states_have_glyphs_of_one_place);
	tcase_add_test(t, a_frame_has_a_line_a_step);
	tcase_add_test(t, a_low_terminal_shows_what_matters);
	tcase_add_test(t, no_line_is_wider_than_the_terminal);
	tcase_add_test(t, a_cause_stands_above_the_steps_and_cannot_steer);
	tcase_add_test(t, a_pipe_gets_a_line_for_each_change);
	tcase_add_test(t, a_running_step_tells_of_each_tenth);
	tcase_add_test(t, waiting_and_failing_are_changes);
	tcase_add_test(t, rates_give_a_range);
	tcase_add_test(t, earlier_clones_give_a_range);
	tcase_add_test(t, a_burst_and_a_hitch_do_not_widen_the_range);
	tcase_add_test(t, a_halt_gives_no_range_and_is_forgotten);
	tcase_add_test(t, a_still_step_says_for_how_long_in_json);
	tcase_add_test(t, clones_of_another_size_say_nothing_of_this_one);
	tcase_add_test(t, the_table_under_way_is_shown);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
