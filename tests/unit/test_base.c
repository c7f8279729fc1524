/* SPDX-License-Identifier: Apache-2.0
 * What everything stands on: the arena, the buffer, the error. */
#include "consumer/core/retry.h"
#include "handlers/base/arena.h"
#include "handlers/base/buf.h"
#include "handlers/base/err.h"

#include <check.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- arena ---- */

static bool is_all(const unsigned char *bytes, size_t len, int value)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] != value)
			return false;
	return true;
}

START_TEST(taken_memory_is_zeroed_aligned_and_apart)
{
	enum { PIECES = 2000 };
	static unsigned char *pieces[PIECES];
	static size_t sizes[PIECES];
	struct arena *a = arena_new(64 * 1024 * 1024);
	uint64_t chance = 3;

	for (int i = 0; i < PIECES; i++) {
		sizes[i] = (size_t)chance_below(&chance, i % 100 ? 300 : 40000);
		pieces[i] = arena_take(a, sizes[i]);
		ck_assert_ptr_nonnull(pieces[i]);
		ck_assert_uint_eq((uintptr_t)pieces[i] % alignof(max_align_t), 0);
		ck_assert(is_all(pieces[i], sizes[i], 0));
		memset(pieces[i], i % 255 + 1, sizes[i]);
	}
	for (int i = 0; i < PIECES; i++)
		ck_assert(is_all(pieces[i], sizes[i], i % 255 + 1));
	arena_free(&a);
	ck_assert_ptr_null(a);
	arena_free(&a);
	arena_free(NULL);
}
END_TEST

START_TEST(the_maximum_holds)
{
	struct arena *a = arena_new(1024);
	size_t taken = 0;

	ck_assert_ptr_null(arena_take(a, 1025));
	ck_assert_ptr_null(arena_take(a, SIZE_MAX));
	ck_assert_ptr_null(arena_take(a, SIZE_MAX - 4));
	ck_assert_ptr_null(arena_text(a, "x", SIZE_MAX));
	while (arena_take(a, 100))
		taken += 100;
	ck_assert_uint_le(taken, 1024);
	ck_assert_uint_ge(taken, 800);
	ck_assert_ptr_null(arena_printf(a, "%0500d", 1));
	arena_clear(a);
	ck_assert_ptr_nonnull(arena_take(a, 1024));
	ck_assert_ptr_null(arena_take(a, 1));
	arena_free(&a);
}
END_TEST

START_TEST(a_cleared_arena_is_as_good_as_new)
{
	struct arena *a = arena_new(1024 * 1024);

	for (int round = 0; round < 100; round++) {
		unsigned char *p = arena_take(a, 5000 + (size_t)round * 100);

		ck_assert_ptr_nonnull(p);
		ck_assert(is_all(p, 5000, 0)); /* and nothing of the round before shows through */
		memset(p, 255, 5000);
		arena_take(a, 100000);
		arena_clear(a);
	}
	arena_free(&a);
}
END_TEST

START_TEST(texts_are_copied_and_ended)
{
	struct arena *a = arena_new(4096);
	char source[] = "hello";
	char *copy = arena_text(a, source, 3), *nothing = arena_text(a, NULL, 0);

	source[0] = 'x';
	ck_assert_str_eq(copy, "hel");
	ck_assert_str_eq(nothing, "");
	ck_assert_str_eq(arena_printf(a, "%s/%d", "run", 7), "run/7");
	ck_assert_str_eq(arena_printf(a, "%s", ""), "");
	arena_free(&a);
}
END_TEST

/* ---- buf ---- */

START_TEST(a_buffer_grows_up_to_its_maximum)
{
	for (size_t max = 0; max < 700; max += 7) {
		struct buf b;
		size_t n = 0;

		buf_init(&b, max);
		ck_assert_str_eq(buf_text(&b), "");
		while (buf_add(&b, "abc", 3))
			n += 3;
		ck_assert_uint_eq(b.len, n);
		ck_assert_uint_le(b.len, max);
		ck_assert_uint_gt(b.len + 3, max);
		ck_assert(b.failed);
		ck_assert_uint_eq(strlen(buf_text(&b)), n);
		ck_assert_msg(!buf_add(&b, "", 0), "a failed buffer stays failed");
		buf_clear(&b);
		ck_assert_str_eq(buf_text(&b), "");
		ck_assert(max < 3 || buf_add(&b, "xyz", 3));
		buf_done(&b);
		ck_assert_ptr_null(b.data);
		ck_assert_uint_eq(b.max, max);
	}
}
END_TEST

START_TEST(what_does_not_fit_changes_nothing)
{
	struct buf b;

	buf_init(&b, 10);
	ck_assert(buf_add_text(&b, "12345"));
	ck_assert(!buf_printf(&b, "%s", "678901"));
	ck_assert_str_eq(buf_text(&b), "12345");
	ck_assert_uint_eq(b.len, 5);
	ck_assert(!buf_add_text(&b, "6"));
	buf_clear(&b);
	ck_assert(buf_printf(&b, "%d", 1234567890));
	ck_assert_str_eq(buf_text(&b), "1234567890");
	ck_assert(!buf_add(&b, "x", SIZE_MAX));
	buf_done(&b);
}
END_TEST

START_TEST(a_buffer_holds_any_bytes)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	for (int i = 0; i < 100000; i++) {
		const unsigned char byte = (unsigned char)i;

		ck_assert(buf_add(&b, &byte, 1));
	}
	ck_assert_uint_eq(b.len, 100000);
	for (int i = 0; i < 100000; i++)
		ck_assert_int_eq((unsigned char)b.data[i], i % 256);
	ck_assert_int_eq(b.data[b.len], '\0');
	buf_done(&b);
}
END_TEST

/* ---- err ---- */

START_TEST(the_first_failure_stays)
{
	struct err e = { 0 };

	ck_assert(!err_set(&e, ERR_TRANSIENT, 5, "redis", "no answer in %d ms", 30));
	ck_assert(!err_set(&e, ERR_BUG, 6, "loop", "something else"));
	ck_assert_int_eq(e.class, ERR_TRANSIENT);
	ck_assert_int_eq(e.code, 5);
	ck_assert_str_eq(e.where, "redis");
	ck_assert_str_eq(e.text, "no answer in 30 ms");
	err_prepend(&e, "taking the lease");
	ck_assert_str_eq(e.text, "taking the lease: no answer in 30 ms");
	err_clear(&e);
	ck_assert_int_eq(e.class, ERR_NONE);
	ck_assert_str_eq(e.text, "");
}
END_TEST

START_TEST(long_sentences_are_cut_and_ended)
{
	struct err e = { 0 };
	char line[1000];

	memset(line, 'x', sizeof line - 1);
	line[sizeof line - 1] = '\0';
	err_set(&e, ERR_REFUSED, 0, line, "%s", line);
	ck_assert_uint_eq(strlen(e.text), sizeof e.text - 1);
	ck_assert_uint_eq(strlen(e.where), sizeof e.where - 1);
	err_prepend(&e, "context");
	ck_assert_int_eq(strncmp(e.text, "context: xxx", 12), 0);
	ck_assert_uint_eq(strlen(e.text), sizeof e.text - 1);
	err_prepend(&e, line); /* a context that fills it all would push out the cause: left away */
	ck_assert_int_eq(strncmp(e.text, "context: xxx", 12), 0);
}
END_TEST

START_TEST(every_class_has_a_name)
{
	for (int i = ERR_NONE; i < ERR_CLASS_END; i++) {
		ck_assert_str_ne(err_class_name((enum err_class)i), "unknown");
		for (int k = ERR_NONE; k < i; k++)
			ck_assert_str_ne(err_class_name((enum err_class)i), err_class_name((enum err_class)k));
	}
	ck_assert_str_eq(err_class_name(ERR_CLASS_END), "unknown");
	ck_assert_str_eq(err_class_name((enum err_class)99), "unknown");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("base");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, taken_memory_is_zeroed_aligned_and_apart);
	tcase_add_test(tc, the_maximum_holds);
	tcase_add_test(tc, a_cleared_arena_is_as_good_as_new);
	tcase_add_test(tc, texts_are_copied_and_ended);
	tcase_add_test(tc, a_buffer_grows_up_to_its_maximum);
	tcase_add_test(tc, what_does_not_fit_changes_nothing);
	tcase_add_test(tc, a_buffer_holds_any_bytes);
	tcase_add_test(tc, the_first_failure_stays);
	tcase_add_test(tc, long_sentences_are_cut_and_ended);
	tcase_add_test(tc, every_class_has_a_name);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
