/* SPDX-License-Identifier: Apache-2.0
 * The bytes of records under way: they come back as they went, cut where they are too long, and go with the commit. */
#include "consumer/core/retry.h"
#include "consumer/runtime/records.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct bus_record record(enum topic topic, int partition, int64_t offset)
{
	return (struct bus_record){ .at = { topic, partition, offset }, .key = "key", .key_len = 3, .value = "va\0ue",
		.value_len = 5, .headers = { { "ce_id", "7", 1 }, { "trace", "", 0 } }, .header_count = 2 };
}

START_TEST(it_comes_back_as_it_went)
{
	struct records *all = records_new();
	struct bus_record r = record(TOPIC_REQUESTED, 2, 77), back;
	const struct kept_record *kept;

	ck_assert(records_keep(all, &r));
	ck_assert(records_keep(all, &r));
	kept = records_find(all, &r.at);
	ck_assert_ptr_nonnull(kept);
	ck_assert_int_eq(kept->value_size, 5);
	ck_assert(records_read(kept, &back));
	ck_assert_mem_eq(&back.at, &r.at, sizeof r.at);
	ck_assert_uint_eq(back.key_len, 3);
	ck_assert_mem_eq(back.key, "key", 3);
	ck_assert_uint_eq(back.value_len, 5);
	ck_assert_mem_eq(back.value, "va\0ue", 5);
	ck_assert_uint_eq(back.header_count, 2);
	ck_assert_str_eq(back.headers[0].name, "ce_id");
	ck_assert_mem_eq(back.headers[0].value, "7", 1);
	ck_assert_uint_eq(back.headers[1].len, 0);
	records_free(&all);
	ck_assert_ptr_null(all);
	records_free(&all);
}
END_TEST

START_TEST(a_record_without_key_and_value_is_kept)
{
	struct records *all = records_new();
	struct bus_record r = { .at = { TOPIC_CONTROL, 0, 0 } }, back;

	ck_assert(records_keep(all, &r));
	ck_assert(records_read(records_find(all, &r.at), &back));
	ck_assert_uint_eq(back.key_len, 0);
	ck_assert_uint_eq(back.value_len, 0);
	records_free(&all);
}
END_TEST

START_TEST(too_long_ones_are_cut_and_say_so)
{
	enum { LONG = 4 * 1024 * 1024 };
	struct records *all = records_new();
	struct bus_record r = record(TOPIC_REQUESTED, 0, 1), back;
	char *large = malloc(LONG);

	memset(large, 'x', LONG);
	r.value = large;
	r.value_len = LONG;
	ck_assert(records_keep(all, &r));
	ck_assert_int_eq(records_find(all, &r.at)->value_size, LONG);
	ck_assert(records_read(records_find(all, &r.at), &back));
	ck_assert_uint_eq(back.value_len, RECORD_KEEP_MAX_BYTES);
	ck_assert_uint_eq(back.header_count, 2);

	/* Everything at once as large as can be: the headers go first, the bytes stay. */
	r.at.offset = 2;
	r.key = large;
	r.key_len = LONG;
	for (size_t i = 0; i < BUS_HEADERS_MAX; i++)
		r.headers[i] = (struct bus_header){ "h", large, LONG };
	r.header_count = BUS_HEADERS_MAX;
	ck_assert(records_keep(all, &r));
	ck_assert(records_read(records_find(all, &r.at), &back));
	ck_assert_uint_eq(back.header_count, 0);
	ck_assert_uint_eq(back.key_len, RECORD_KEEP_MAX_BYTES);
	ck_assert_uint_eq(back.value_len, RECORD_KEEP_MAX_BYTES);
	free(large);
	records_free(&all);
}
END_TEST

enum { PARTITIONS = 3, OFFSETS = 200 };

static int slot_of(enum topic topic, int partition)
{
	return ((int)topic - TOPIC_REQUESTED) * PARTITIONS + partition;
}

static void check_all(const struct records *all, bool (*model)[OFFSETS])
{
	for (enum topic topic = TOPIC_REQUESTED; topic <= TOPIC_CONTROL; topic++)
		for (int p = 0; p < PARTITIONS; p++)
			for (int64_t i = 0; i < OFFSETS; i++) {
				const struct bus_position at = { topic, p, i };
				const struct kept_record *kept = records_find(all, &at);

				if ((kept != NULL) != model[slot_of(topic, p)][i])
					ck_abort_msg("offset %lld of partition %d", (long long)i, p);
				if (kept && (kept->at.topic != topic || kept->at.partition != p || kept->at.offset != i))
					ck_abort_msg("another record came");
			}
}

START_TEST(against_a_model)
{
	static bool model[3 * PARTITIONS][OFFSETS];
	struct records *all = records_new();
	uint64_t chance = 6;

	for (int i = 0; i < 20000; i++) {
		struct bus_position at = { (enum topic)(TOPIC_REQUESTED + chance_below(&chance, 3)),
			(int)chance_below(&chance, PARTITIONS), chance_below(&chance, OFFSETS) };
		bool *mine = model[slot_of(at.topic, at.partition)];
		int what = (int)chance_below(&chance, 100);

		if (what < 90) {
			const struct bus_record r = record(at.topic, at.partition, at.offset);

			ck_assert(records_keep(all, &r));
			mine[at.offset] = true;
		} else if (what < 98) {
			records_forget_below(all, &at);
			memset(mine, 0, (size_t)at.offset * sizeof *mine);
		} else {
			records_forget_partition(all, &at);
			memset(mine, 0, OFFSETS * sizeof *mine);
		}
		if (i % 200 == 0)
			check_all(all, model);
	}
	check_all(all, model);
	records_free(&all);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("records");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, it_comes_back_as_it_went);
	tcase_add_test(tc, a_record_without_key_and_value_is_kept);
	tcase_add_test(tc, too_long_ones_are_cut_and_say_so);
	tcase_add_test(tc, against_a_model);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
