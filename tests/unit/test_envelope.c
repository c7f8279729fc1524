/* SPDX-License-Identifier: Apache-2.0
 * The block of bytes that the outbox stores: it comes back as it went, and nothing else is taken for one. */
#include "consumer/core/envelope.h"
#include "consumer/core/retry.h"

#include <check.h>
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

START_TEST(hostile_lengths_are_refused)
{
	static const unsigned long lengths[] = { 5, 6, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffc };
	struct bus_message m = sample(2), back;
	struct buf b = packed(&m);

	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		struct buf evil = packed(&m);

		for (int k = 0; k < 4; k++)
			evil.data[3 + k] = (char)(lengths[i] >> 8 * k);
		/* A longer key may eat into what follows; it must never be taken with the same bytes left. */
		if (unpack_exactly(evil.data, evil.len, &back))
			ck_assert_uint_ne(back.key_len, m.key_len);
		ck_assert(lengths[i] < 100 || !unpack_exactly(evil.data, evil.len, &back));
		buf_done(&evil);
	}
	buf_done(&b);
}
END_TEST

START_TEST(wrong_heads_are_refused)
{
	struct bus_message m = sample(1), back;
	struct buf b = packed(&m);
	const struct {
		int at, value;
	} wrong[] = { { 0, 0 }, { 0, 2 }, { 0, 255 }, { 1, 0 }, { 1, TOPIC_END }, { 1, 255 }, { 2, BUS_HEADERS_MAX + 1 },
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
	struct buf b = packed(&m);
	char *name = memmem(b.data, b.len, "ce_id", 6);

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
			bytes[0] = 1;
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
