/* SPDX-License-Identifier: Apache-2.0
 * What the server's answers mean: errors, INFO, and arrays that are too large. */
#include "consumer/adapters/redis/redis_reply.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static enum redis_remedy remedy_of(const char *error)
{
	char text[128];
	redisReply reply = { .type = REDIS_REPLY_ERROR, .str = text, .len = strlen(error) };
	const char *sentence = "";
	enum redis_remedy remedy;

	strcpy(text, error);
	remedy = redis_remedy(&reply, &sentence);
	ck_assert(sentence[0] != '\0');
	ck_assert_ptr_null(strstr(sentence, "hunter2"));
	return remedy;
}

START_TEST(errors_are_told_apart)
{
	ck_assert_int_eq(remedy_of("LOADING Redis is loading the dataset in memory"), REDIS_TRY_LATER);
	ck_assert_int_eq(remedy_of("MISCONF Redis is configured to save"), REDIS_TRY_LATER);
	ck_assert_int_eq(remedy_of("OOM command not allowed"), REDIS_TRY_LATER);
	ck_assert_int_eq(remedy_of("BUSY Redis is busy running a script"), REDIS_TRY_LATER);
	ck_assert_int_eq(remedy_of("CLUSTERDOWN Hash slot not served"), REDIS_TRY_LATER);
	ck_assert_int_eq(remedy_of("NOPERM this user has no permissions"), REDIS_TRY_LATER);
	ck_assert_int_eq(remedy_of("NOSCRIPT No matching script."), REDIS_RELOAD);
	ck_assert_int_eq(remedy_of("READONLY You can't write against a read only replica."), REDIS_RECONNECT);
	ck_assert_int_eq(remedy_of("NOAUTH Authentication required."), REDIS_RECONNECT);
	ck_assert_int_eq(remedy_of("WRONGPASS invalid username-password pair"), REDIS_RECONNECT);
	ck_assert_int_eq(remedy_of("MOVED 3999 127.0.0.1:6381"), REDIS_RECONNECT);
	ck_assert_int_eq(remedy_of("ERR unknown command 'AUTH', args 'hunter2'"), REDIS_TRY_LATER);
	ck_assert_int_eq(remedy_of("LOADINGX"), REDIS_TRY_LATER);
	ck_assert_int_eq(remedy_of(""), REDIS_TRY_LATER);
}
END_TEST

static const char good[] =
    "# Server\r\nredis_version:7.0.15\r\nxrole:slave\r\nrole:master\r\nloading:0\r\naof_enabled:1\r\n"
    "maxmemory_policy:noeviction\r\ncluster_enabled:0";

static bool is_fit(const char *info, struct err *e)
{
	struct redis_facts facts;

	redis_facts_read(info, strlen(info), &facts);
	memset(e, 0, sizeof *e);
	return redis_facts_fit(&facts, e);
}

START_TEST(info_is_read)
{
	struct redis_facts facts;

	redis_facts_read(good, sizeof good - 1, &facts);
	ck_assert_str_eq(facts.version, "7.0.15");
	ck_assert_str_eq(facts.role, "master");
	ck_assert_str_eq(facts.maxmemory_policy, "noeviction");
	ck_assert(facts.aof_enabled && !facts.loading && !facts.is_cluster);
	ck_assert_str_eq(redis_facts_warning(&facts), "");
	facts.aof_enabled = false;
	ck_assert_ptr_nonnull(strstr(redis_facts_warning(&facts), "appendonly"));
}
END_TEST

START_TEST(only_fit_servers_are_taken)
{
	struct err e;

	ck_assert(is_fit(good, &e));
	ck_assert(!is_fit("role:slave\r\nmaxmemory_policy:noeviction\r\n", &e));
	ck_assert_int_eq(e.class, ERR_REFUSED);
	ck_assert(!is_fit("role:master\r\nmaxmemory_policy:allkeys-lru\r\n", &e));
	ck_assert_int_eq(e.class, ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(e.text, "allkeys-lru"));
	ck_assert(!is_fit("role:master\r\nmaxmemory_policy:noeviction\r\nloading:1\r\n", &e));
	ck_assert_int_eq(e.class, ERR_TRANSIENT);
	ck_assert(!is_fit("", &e));
	ck_assert(!is_fit("role", &e));
	ck_assert(!is_fit("role:", &e));
}
END_TEST

static int feed(const char *bytes, void **reply_r)
{
	redisReader *reader = redisReaderCreate();
	struct redis_bounds bounds;
	int rc;

	redis_bounds_set(&bounds, reader);
	redisReaderFeed(reader, bytes, strlen(bytes));
	rc = redisReaderGetReply(reader, reply_r);
	redisReaderFree(reader);
	return rc;
}

START_TEST(huge_arrays_are_refused_before_memory_is_taken)
{
	void *reply = NULL;

	ck_assert_int_eq(feed("*100000000\r\n", &reply), REDIS_ERR);
	ck_assert_int_eq(feed("*2\r\n:1\r\n*65537\r\n", &reply), REDIS_ERR);
	ck_assert_int_eq(feed("*2\r\n:1\r\n*1\r\n$1\r\nx\r\n", &reply), REDIS_OK);
	ck_assert_ptr_nonnull(reply);
	ck_assert_uint_eq(((redisReply *)reply)->element[1]->elements, 1);
	freeReplyObject(reply);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("redis_reply");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, errors_are_told_apart);
	tcase_add_test(tc, info_is_read);
	tcase_add_test(tc, only_fit_servers_are_taken);
	tcase_add_test(tc, huge_arrays_are_refused_before_memory_is_taken);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
