/* SPDX-License-Identifier: Apache-2.0
 * The block of bytes that the outbox stores: it comes back as it went, and nothing else is taken for one. */
#include "consumer/core/envelope.h"
#include "consumer/core/retry.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct bus_message sample(size_t headers)
{
	static const char *const names[BUS_HEADERS_MAX] = { "ce_id", "ce_type", "", "traceparent", "e", "f", "g", "h", "i", "j",
		"k", "l", "m", "n", "o", "p" };
	struct bus_message m = { .topic = TOPIC_STATE, .key = "k\0ey", .key_len = 4, .value = "\0\1\2\3\377", .value_len = 5,
		.header_count = headers };

	for (size_t i = 0; i < headers; i++)
		m.headers[i] = (struct bus_header){ names[i], &"v\0x"[i % 3], 3 - i % 3 };
	return m;
}

static void same_bytes(const void *a, size_t a_len, const void *b, size_t b_len)
{
	ck_assert_uint_eq(a_len, b_len);
	if (a_len)
		ck_assert_mem_eq(a, b, a_len);
}

static void same_message(const struct bus_message *a, const struct bus_message *b)
{
	ck_assert_int_eq(a->topic, b->topic);
	same_bytes(a->key, a->key_len, b->key, b->key_len);
	same_bytes(a->value, a->value_len, b->value, b->value_len);
	ck_assert_uint_eq(a->header_count, b->header_count);
	for (size_t i = 0; i < a->header_count; i++) {
		ck_assert_str_eq(a->headers[i].name, b->headers[i].name);
		same_bytes(a->headers[i].value, a->headers[i].len, b->headers[i].value, b->headers[i].len);
	}
}

static struct buf packed(const struct bus_message *m)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	ck_assert(envelope_pack(m, &b));
	return b;
}

/* In memory of exactly its size, so that the sanitizer sees a byte read too far. */
static bool unpack_exactly(const void *data, size_t len, struct bus_message *m)
{
	char *copy = malloc(len ? len : 1);
	bool ok;

	memcpy(copy, data, len);
	ok = envelope_unpack(copy, len, m);
	free(copy);
	return ok;
}

START_TEST(it_comes_back_as_it_went)
{
	for (size_t headers = 0; headers <= BUS_HEADERS_MAX; headers++) {
		struct bus_message m = sample(headers), back;
		struct buf b;

		m.topic = (enum topic)(1 + headers % (TOPIC_END - 1));
		b = packed(&m);
		ck_assert(envelope_unpack(b.data, b.len, &back));
		same_message(&m, &back);
		buf_done(&b);
	}
}
END_TEST

START_TEST(empty_key_and_value_are_kept)
{
	struct bus_message m = { .topic = TOPIC_REQUESTED }, back;
	struct buf b = packed(&m);

	ck_assert(envelope_unpack(b.data, b.len, &back));
	ck_assert_uint_eq(back.key_len, 0);
	ck_assert_uint_eq(back.value_len, 0);
	buf_done(&b);
}
END_TEST

START_TEST(cut_at_any_byte_it_is_none)
{
	struct bus_message m = sample(4), back;
	struct buf b = packed(&m);

	ck_assert(unpack_exactly(b.data, b.len, &back));
	for (size_t len = 0; len < b.len; len++)
		ck_assert_msg(!unpack_exactly(b.data, len, &back), "the first %zu bytes passed", len);
	ck_assert(buf_add(&b, "x", 1));
	ck_assert(!unpack_exactly(b.data, b.len, &back));
	buf_done(&b);
}
END_TEST

/* The key's length is the number behind the head. */
START_TEST(hostile_lengths_are_refused)
{
	static const char *const numbers[] = { "\x14", "\x7c", "\xfc\x7f", "\xfc\xff\x7f", "\xfc\xff\xff\xff\x7f",
		"\xfc\xff\xff\xff\xff\x7f", "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80", "\x13", "\x7f", "\x3d" };
	struct bus_message m = sample(2), back;
	struct buf b = packed(&m);

	ck_assert_int_eq(b.data[3], 4 << 2);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		struct buf evil;

		buf_init(&evil, 1 << 20);
		ck_assert(buf_add(&evil, b.data, 3) && buf_add_text(&evil, numbers[i]) && buf_add(&evil, b.data + 4, b.len - 4));
		/* A longer key may eat into what follows; it must never be taken with the same bytes left. */
		if (unpack_exactly(evil.data, evil.len, &back))
			ck_assert_uint_ne(back.key_len, m.key_len);
		ck_assert(i == 0 || !unpack_exactly(evil.data, evil.len, &back));
		buf_done(&evil);
	}
	buf_done(&b);
}
END_TEST

/* Head, key, and a value that is said to be the same as bytes that are not there. */
START_TEST(a_repeat_of_what_comes_later_is_refused)
{
	static const char head[] = { 2, TOPIC_STATE, 0, 4 << 2, 'k', 'e', 'y', 's' };
	struct bus_message back;

	for (int len = 0; len < 12; len++)
		for (int offset = 0; offset < 12; offset++) {
			char bytes[10];

			memcpy(bytes, head, sizeof head);
			bytes[8] = (char)(len << 2 | 2);
			bytes[9] = (char)offset;
			ck_assert_int_eq(unpack_exactly(bytes, sizeof bytes, &back), offset + len <= 9);
		}
}
END_TEST

/* As cloud_events.c makes them. */
static struct bus_message event(const char *id, const char *value)
{
	return (struct bus_message){ .topic = TOPIC_STEP_COMPLETED, .key = "Target70001-test", .key_len = 16, .value = value,
		.value_len = strlen(value), .header_count = 5, .headers = { { "ce_specversion", "1.0", 3 }, { "ce_id", id,
		strlen(id) }, { "ce_partitionkey", "Target70001-test", 16 }, { "content-type", "application/avro", 16 },
		{ "ce_type", "sandbox.clone.step.completed.v1", 31 } } };
}

START_TEST(headers_that_repeat_cost_next_to_nothing)
{
	const char *id = "0592d281-0000-4000-8000-000000000000/1/enter_offline_mode/completed";
	char value[200];
	struct bus_message m, back;
	struct buf b;

	snprintf(value, sizeof value, "\1\2\3\4%s and more", id);
	m = event(id, value);
	b = packed(&m);
	ck_assert(envelope_unpack(b.data, b.len, &back));
	same_message(&m, &back);
	ck_assert_uint_lt(b.len, m.key_len + m.value_len + 30);
	buf_clear(&b);
	ck_assert(buf_add_text(&b, "something before it") && envelope_pack(&m, &b));
	ck_assert(envelope_unpack(b.data + 19, b.len - 19, &back));
	same_message(&m, &back);
	buf_done(&b);
	m = event("another id, which the value does not have", value);
	b = packed(&m);
	ck_assert(envelope_unpack(b.data, b.len, &back));
	same_message(&m, &back);
	buf_done(&b);
}
END_TEST

START_TEST(wrong_heads_are_refused)
{
	struct bus_message m = sample(1), back;
	struct buf b = packed(&m);
	const struct {
		int at, value;
	} wrong[] = { { 0, 0 }, { 0, 1 }, { 0, 3 }, { 0, 255 }, { 1, 0 }, { 1, TOPIC_END }, { 1, 255 }, { 2, BUS_HEADERS_MAX + 1 },
		      { 2, 255 }, { 2, 0 }, { 2, 2 } };

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		char kept = b.data[wrong[i].at];

		b.data[wrong[i].at] = (char)wrong[i].value;
		ck_assert_msg(!unpack_exactly(b.data, b.len, &back), "byte %d as %d", wrong[i].at, wrong[i].value);
		b.data[wrong[i].at] = kept;
	}
	ck_assert(unpack_exactly(b.data, b.len, &back));
	buf_done(&b);
}
END_TEST

/* A name is used as a C string: without its NUL it would be read beyond the block. */
START_TEST(a_header_name_without_its_end_is_refused)
{
	struct bus_message m = sample(1), back;
	struct buf b;
	char *name;

	m.headers[0].name = "other";
	b = packed(&m);
	name = memmem(b.data, b.len, "other", 6);
	ck_assert_ptr_nonnull(name);
	name[5] = 'x';
	ck_assert(!unpack_exactly(b.data, b.len, &back));
	buf_done(&b);
}
END_TEST

START_TEST(random_bytes_do_no_harm)
{
	uint64_t chance = 17;
	int taken = 0;

	for (int i = 0; i < 200000; i++) {
		unsigned char bytes[64];
		struct bus_message back;
		size_t len = (size_t)chance_below(&chance, sizeof bytes);

		for (size_t k = 0; k < len; k++)
			bytes[k] = (unsigned char)(chance_next(&chance) & (k % 4 ? 0 : 15));
		if (len > 1) {
			bytes[0] = 2;
			bytes[1] = TOPIC_STATE;
		}
		taken += unpack_exactly(bytes, len, &back);
	}
	ck_assert_int_gt(taken, 0); /* or only the head was ever tried */
}
END_TEST

START_TEST(too_small_a_buffer_is_said)
{
	struct bus_message m = sample(16);
	struct buf whole = packed(&m);

	for (size_t max = 0; max < whole.len; max++) {
		struct buf b;

		buf_init(&b, max);
		ck_assert(!envelope_pack(&m, &b));
		buf_done(&b);
	}
	buf_done(&whole);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("envelope");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, it_comes_back_as_it_went);
	tcase_add_test(tc, empty_key_and_value_are_kept);
	tcase_add_test(tc, cut_at_any_byte_it_is_none);
	tcase_add_test(tc, hostile_lengths_are_refused);
	tcase_add_test(tc, a_repeat_of_what_comes_later_is_refused);
	tcase_add_test(tc, headers_that_repeat_cost_next_to_nothing);
	tcase_add_test(tc, wrong_heads_are_refused);
	tcase_add_test(tc, a_header_name_without_its_end_is_refused);
	tcase_add_test(tc, random_bytes_do_no_harm);
	tcase_add_test(tc, too_small_a_buffer_is_said);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
