/* SPDX-License-Identifier: Apache-2.0
 * Names of keys, leases and members, and how commands are written: no name ever becomes syntax. */
#include "consumer/adapters/redis/redis_command.h"
#include "consumer/adapters/redis/redis_keys.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char *const odd_names[] = {
	"Cust70001", "two words", "a\r\nFLUSHALL\r\n", "100%", "%25", "quo'te\"s", "{tag}", "a:b",
	"clone:x",   "a|b",       "\xc3\xa6\x01\x7f",
};

enum { ODD_COUNT = sizeof odd_names / sizeof odd_names[0] };

START_TEST(keys_of_one_tenant_share_its_hash_tag)
{
	char key[REDIS_KEY_SIZE];

	redis_key_text(key, "sandbox", REDIS_KEY_LEASE, "Cust70001", NULL);
	ck_assert_str_eq(key, "sandbox:{Cust70001}:lease");
	redis_key_text(key, "sandbox", REDIS_KEY_CLONE, "Cust70001", "c-1");
	ck_assert_str_eq(key, "sandbox:{Cust70001}:clone:c-1");
}
END_TEST

START_TEST(odd_names_make_plain_and_different_keys)
{
	char keys[ODD_COUNT][REDIS_KEY_SIZE];

	for (int i = 0; i < ODD_COUNT; i++) {
		redis_key_text(keys[i], "sandbox", REDIS_KEY_CLONE, odd_names[i], odd_names[i]);
		ck_assert_uint_eq(strcspn(keys[i], " \r\n\"'|"), strlen(keys[i]));
		ck_assert_ptr_eq(strchr(keys[i], '{'), strrchr(keys[i], '{'));
		for (int j = 0; j < i; j++)
			ck_assert_str_ne(keys[i], keys[j]);
	}
}
END_TEST

START_TEST(the_longest_names_fit)
{
	char name[REDIS_NAME_MAX + 1], key[REDIS_KEY_SIZE], member[REDIS_MEMBER_SIZE], lease[REDIS_LEASE_SIZE];
	char clone[REDIS_NAME_MAX + 1], target[REDIS_NAME_MAX + 1], owner[REDIS_NAME_MAX + 1];
	uint64_t token = 0;

	memset(name, ' ', REDIS_NAME_MAX);
	name[REDIS_NAME_MAX] = '\0';
	redis_key_text(key, "12345678901234567890123456789012", REDIS_KEY_CLONE, name, name);
	ck_assert_str_eq(key + strlen(key) - 3, "%20");
	redis_index_member(member, name, name);
	ck_assert(redis_index_parse(member, clone, target));
	ck_assert_str_eq(clone, name);
	ck_assert_str_eq(target, name);
	ck_assert_uint_eq(redis_lease_text(lease, name, UINT64_MAX, name), strlen(lease));
	ck_assert(redis_lease_parse(lease, owner, &token, clone));
	ck_assert_uint_eq(token, UINT64_MAX);
	ck_assert_str_eq(owner, name);
	ck_assert_str_eq(clone, name);
}
END_TEST

START_TEST(index_members_come_back)
{
	char member[REDIS_MEMBER_SIZE], clone[REDIS_NAME_MAX + 1], target[REDIS_NAME_MAX + 1];

	for (int i = 0; i < ODD_COUNT; i++) {
		redis_index_member(member, odd_names[i], "T");
		ck_assert(redis_index_parse(member, clone, target));
		ck_assert_str_eq(clone, odd_names[i]);
		ck_assert_str_eq(target, "T");
	}
	ck_assert(!redis_index_parse("no-space", clone, target));
	ck_assert(!redis_index_parse(" x", clone, target));
	ck_assert(!redis_index_parse("a% x", clone, target));
	ck_assert(!redis_index_parse("a%2 x", clone, target));
	ck_assert(!redis_index_parse("a%zz x", clone, target));
}
END_TEST

START_TEST(only_leases_of_ours_are_read)
{
	static const char *const bad[] = { "", "x", "a|", "a|x|c", "a|-1|c", "a|12", "a|99999999999999999999999|c" };
	char owner[REDIS_NAME_MAX + 1], clone[REDIS_NAME_MAX + 1];
	uint64_t token;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(!redis_lease_parse(bad[i], owner, &token, clone), "%s", bad[i]);
	ck_assert(redis_lease_parse("me|17|c|1", owner, &token, clone));
	ck_assert_uint_eq(token, 17);
	ck_assert_str_eq(clone, "c|1");
}
END_TEST

START_TEST(arguments_go_with_their_length)
{
	struct buf out;

	buf_init(&out, 1024);
	redis_command(&out, 3);
	redis_arg_text(&out, "a\r\n%s");
	redis_arg(&out, "x\0y", 3);
	redis_arg_number(&out, UINT64_MAX);
	ck_assert_uint_eq(out.len, sizeof "*3\r\n$5\r\na\r\n%s\r\n$3\r\nx\0y\r\n$20\r\n18446744073709551615\r\n" - 1);
	ck_assert_mem_eq(out.data, "*3\r\n$5\r\na\r\n%s\r\n$3\r\nx\0y\r\n$20\r\n18446744073709551615\r\n", out.len);
	buf_done(&out);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("redis_keys");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, keys_of_one_tenant_share_its_hash_tag);
	tcase_add_test(tc, odd_names_make_plain_and_different_keys);
	tcase_add_test(tc, the_longest_names_fit);
	tcase_add_test(tc, index_members_come_back);
	tcase_add_test(tc, only_leases_of_ours_are_read);
	tcase_add_test(tc, arguments_go_with_their_length);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
