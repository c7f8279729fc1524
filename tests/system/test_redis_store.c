/* SPDX-License-Identifier: Apache-2.0
 * The store in a real redis-server: leases, records, outbox. */
#include "consumer/adapters/redis/redis_store.h"
#include "tests/support/redis_server.h"
#include "tests/support/store_driver.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char folder[] = "/tmp/sandbox-redis-XXXXXX";
static struct redis_server *server;

static void start_server(void)
{
	struct err e = { 0 };

	ck_assert_ptr_nonnull(mkdtemp(folder));
	server = redis_server_start(folder, &e);
	ck_assert_msg(server != NULL, "%s", e.text);
}

static void end_server(void)
{
	char command[64];

	redis_server_free(&server);
	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	ck_assert_int_eq(system(command), 0);
}

static struct store_port *open_store(const char *owner)
{
	const struct redis_settings settings = { .socket_path = redis_server_socket(server), .owner = owner };
	struct err e = { 0 };
	struct store_port *store = redis_store_new(&settings, &e);

	ck_assert_msg(store != NULL, "%s", e.text);
	return store;
}

static long long tell(const char *line)
{
	long long number = redis_server_tell(server, line);

	ck_assert_msg(number != REDIS_SERVER_ERROR, "%s", line);
	return number;
}

static int64_t utc_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static struct store_op acquire_op(const char *target, const char *source, const char *clone, int64_t ttl_ms)
{
	return (struct store_op){ .kind = STORE_ACQUIRE,
				  .tag = 7,
				  .target_ctx = target,
				  .source_ctx = source,
				  .clone_id = clone,
				  .ttl_ms = ttl_ms,
				  .utc_us = utc_us() };
}

static struct store_answer acquire(struct store_port *store, const char *target, const char *source, const char *clone,
				   int64_t ttl_ms)
{
	const struct store_op op = acquire_op(target, source, clone, ttl_ms);

	return store_ask(store, &op);
}

static struct store_answer under(struct store_port *store, enum store_op_kind kind, const char *target,
				 const char *source, const char *clone, uint64_t token)
{
	const struct store_op op = { .kind = kind,
				     .tag = 8,
				     .target_ctx = target,
				     .source_ctx = source,
				     .clone_id = clone,
				     .token = token,
				     .ttl_ms = 60000 };

	return store_ask(store, &op);
}

static enum store_status record(struct store_port *store, const char *target, const char *clone, uint64_t token,
				uint64_t before, uint64_t after)
{
	const struct store_pair set[] = { { "status", "RUNNING", 7 } };
	const struct store_entry entry = { .sequence = after, .data = "a\0b\r\n", .len = 5 };
	const struct store_op op = { .kind = STORE_RECORD,
				     .tag = 9,
				     .target_ctx = target,
				     .clone_id = clone,
				     .token = token,
				     .sequence_before = before,
				     .sequence_after = after,
				     .clone_set = set,
				     .clone_set_count = 1,
				     .entries = &entry,
				     .entry_count = 1 };

	return store_ask(store, &op).status;
}

START_TEST(one_owner_at_a_time)
{
	struct store_port *one = open_store("one"), *two = open_store("two");
	struct store_answer a = acquire(one, "T1", NULL, "c1", 60000), b;

	ck_assert_int_eq(a.status, STORE_OK);
	ck_assert(!a.found);
	ck_assert_uint_gt(a.token, 1600000000000000);
	b = acquire(two, "T1", NULL, "c1", 60000);
	ck_assert_int_eq(b.status, STORE_HELD);
	ck_assert(b.retry_ms > 50000 && b.retry_ms <= 60000);
	ck_assert_str_eq(b.held_by, "c1");
	ck_assert(!b.found);
	ck_assert_int_eq(acquire(one, "T1", NULL, "c2", 60000).status, STORE_HELD);
	ck_assert_int_eq(acquire(two, "T2", NULL, "c2", 60000).status, STORE_OK);

	/* The answer was lost and the same owner asks again: its own lease, a greater token, the old one is fenced. */
	b = acquire(one, "T1", NULL, "c1", 60000);
	ck_assert_int_eq(b.status, STORE_OK);
	ck_assert_uint_gt(b.token, a.token);
	ck_assert_int_eq(under(one, STORE_RENEW, "T1", NULL, "c1", a.token).status, STORE_FENCED);
	ck_assert_int_eq(under(one, STORE_RENEW, "T1", NULL, "c1", b.token).status, STORE_OK);
	one->close(one);
	two->close(two);
}
END_TEST

START_TEST(expiry_gives_a_greater_token_and_fences_the_old)
{
	struct store_port *one = open_store("one"), *two = open_store("two");
	struct store_answer a = acquire(one, "T3", "S3", "c1", 60), b;
	struct store_op op;

	ck_assert_int_eq(a.status, STORE_OK);
	ck_assert_int_eq(record(one, "T3", "c1", a.token, 0, 1), STORE_OK);
	usleep(80000);
	op = acquire_op("T3", "S3", "c1", 60000);
	op.utc_us = 5; /* a clock that is behind */
	b = store_ask(two, &op);
	ck_assert_int_eq(b.status, STORE_OK);
	ck_assert_uint_gt(b.token, a.token);
	ck_assert(b.found);
	ck_assert_int_eq(record(one, "T3", "c1", a.token, 1, 2), STORE_FENCED);
	ck_assert_int_eq(under(one, STORE_RENEW, "T3", "S3", "c1", a.token).status, STORE_FENCED);
	ck_assert_int_eq(under(one, STORE_RELEASE, "T3", "S3", "c1", a.token).status, STORE_FENCED);
	ck_assert_int_eq(record(two, "T3", "c1", b.token, 1, 2), STORE_OK);
	ck_assert_int_eq(under(two, STORE_RELEASE, "T3", "S3", "c1", b.token).status, STORE_OK);
	ck_assert_int_eq(under(two, STORE_RELEASE, "T3", "S3", "c1", b.token).status, STORE_FENCED);
	one->close(one);
	two->close(two);
}
END_TEST

START_TEST(tokens_pass_the_stamp_and_survive_a_flush)
{
	struct store_port *store = open_store("one");
	struct store_op op = acquire_op("T4", NULL, "c1", 60000);
	struct store_answer a;
	struct err e = { 0 };

	op.least_token = (uint64_t)utc_us() + 3600000000u;
	a = store_ask(store, &op);
	ck_assert_uint_eq(a.token, op.least_token + 1);
	tell("FLUSHALL");
	a = store_ask(store, &op);
	ck_assert_uint_eq(a.token, op.least_token + 1);
	op.least_token = 0;
	ck_assert_uint_gt(store_ask(store, &op).token, a.token);

	op.least_token = (uint64_t)1 << 53;
	ck_assert(!store->submit(store, &op, &e));
	ck_assert_int_eq(e.class, ERR_MISUSE);
	tell("SET sandbox:{T4b}:token 9007199254740991");
	a = acquire(store, "T4b", NULL, "c1", 1000);
	ck_assert_int_eq(a.status, STORE_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(a.text, "token"));
	store->close(store);
}
END_TEST

START_TEST(a_source_is_shared_but_never_a_target_meanwhile)
{
	struct store_port *one = open_store("one"), *two = open_store("two");
	struct store_answer a = acquire(one, "T5a", "S5", "c1", 60000), b = acquire(two, "T5b", "S5", "c2", 60000), c;

	ck_assert_int_eq(a.status, STORE_OK);
	ck_assert_int_eq(b.status, STORE_OK);
	c = acquire(two, "S5", NULL, "c3", 60000);
	ck_assert_int_eq(c.status, STORE_HELD);
	ck_assert(c.retry_ms > 50000 && c.retry_ms <= 60000);
	ck_assert_str_eq(c.held_by, "");
	ck_assert_int_eq(under(one, STORE_RENEW, "T5a", "S5", "c1", a.token).status, STORE_OK);
	ck_assert_int_eq(under(one, STORE_RELEASE, "T5a", "S5", "c1", a.token).status, STORE_OK);
	ck_assert_int_eq(acquire(two, "S5", NULL, "c3", 60000).status, STORE_HELD);
	ck_assert_int_eq(under(two, STORE_RELEASE, "T5b", "S5", "c2", b.token).status, STORE_OK);
	ck_assert_int_eq(acquire(two, "S5", NULL, "c3", 60000).status, STORE_OK);

	/* Now S5 is written: nobody may read it, and the half that was granted is given back at once. */
	c = acquire(one, "T5a", "S5", "c1", 60000);
	ck_assert_int_eq(c.status, STORE_HELD);
	ck_assert_int_gt(c.retry_ms, 50000);
	ck_assert_int_eq(acquire(two, "T5a", NULL, "c4", 60000).status, STORE_OK);
	/* And the other way round: the target is refused, so the source must not stay taken. */
	ck_assert_int_eq(acquire(one, "T5a", "S5x", "c1", 60000).status, STORE_HELD);
	ck_assert_int_eq(acquire(two, "S5x", NULL, "c5", 60000).status, STORE_OK);
	one->close(one);
	two->close(two);
}
END_TEST

START_TEST(a_read_lease_that_lapsed_fences)
{
	struct store_port *store = open_store("one");
	struct store_answer a = acquire(store, "T6", "S6", "c1", 60000);

	tell("DEL sandbox:{S6}:readers");
	ck_assert_int_eq(under(store, STORE_RENEW, "T6", "S6", "c1", a.token).status, STORE_FENCED);
	store->close(store);
}
END_TEST

START_TEST(a_refusal_tells_what_is_known)
{
	struct store_port *one = open_store("one"), *two = open_store("two");
	uint64_t token = acquire(one, "T11", NULL, "c1", 60000).token;
	struct store_answer a;

	ck_assert_int_eq(record(one, "T11", "c1", token, 0, 1), STORE_OK);
	a = acquire(two, "T11", NULL, "c1", 60000);
	ck_assert_int_eq(a.status, STORE_HELD);
	ck_assert(a.found);
	ck_assert_uint_eq(a.clone_count, 2);
	ck_assert_uint_eq(a.token, 0);
	ck_assert_uint_eq(a.entry_count, 0);

	/* The target could be had, its source not. */
	under(one, STORE_RELEASE, "T11", NULL, "c1", token);
	acquire(one, "S11", NULL, "c2", 60000);
	a = acquire(two, "T11", "S11", "c1", 60000);
	ck_assert_int_eq(a.status, STORE_HELD);
	ck_assert(a.found);
	ck_assert_uint_eq(a.token, 0);
	ck_assert_uint_eq(a.entry_count, 0);
	ck_assert_str_eq(a.held_by, "");
	ck_assert_int_eq(acquire(one, "T11", NULL, "c1", 60000).status, STORE_OK);
	one->close(one);
	two->close(two);
}
END_TEST

static const struct store_pair *field(const struct store_answer *a, const char *name)
{
	for (size_t i = 0; i < a->clone_count; i++)
		if (strcmp(a->clone[i].name, name) == 0)
			return &a->clone[i];
	return NULL;
}

static enum store_status reject(struct store_port *store, const char *target, const char *clone)
{
	const struct store_pair set[] = { { "status", "REJECTED", 8 }, { "cause", "busy", 4 } };
	const struct store_op op = { .kind = STORE_INTRODUCE,
				     .tag = 10,
				     .target_ctx = target,
				     .clone_id = clone,
				     .sequence_after = 1,
				     .clone_set = set,
				     .clone_set_count = 2 };

	return store_ask(store, &op).status;
}

START_TEST(a_clone_is_rejected_only_if_nobody_began_it)
{
	struct store_port *one = open_store("one"), *two = open_store("two");
	uint64_t token = acquire(one, "T12", NULL, "c1", 60000).token;
	struct store_answer a;

	/* c1 is about to begin: its record must not meet a rejection with the same sequence. */
	ck_assert_int_eq(reject(two, "T12", "c1"), STORE_FENCED);
	ck_assert_int_eq(reject(two, "T12", "c2"), STORE_OK);
	ck_assert_int_eq(reject(one, "T12", "c2"), STORE_OK);
	ck_assert_int_gt(tell("TTL sandbox:{T12}:clone:c2"), 29 * 86400);
	ck_assert_int_eq(record(one, "T12", "c1", token, 0, 1), STORE_OK);
	under(one, STORE_RELEASE, "T12", NULL, "c1", token);
	ck_assert_int_eq(reject(two, "T12", "c1"), STORE_FENCED);
	a = acquire(two, "T12", NULL, "c2", 60000);
	ck_assert_int_eq(a.status, STORE_OK);
	ck_assert_mem_eq(field(&a, "status")->value, "REJECTED", 8);
	ck_assert_mem_eq(field(&a, "sequence")->value, "1", 1);
	one->close(one);
	two->close(two);
}
END_TEST

START_TEST(records_apply_once)
{
	struct store_port *store = open_store("one");
	struct store_answer a = acquire(store, "T7", NULL, "c1", 60000);

	ck_assert_int_eq(record(store, "T7", "c1", a.token, 0, 1), STORE_OK);
	ck_assert_int_eq(record(store, "T7", "c1", a.token, 0, 1), STORE_OK);
	ck_assert_int_eq(record(store, "T7", "c1", a.token, 1, 2), STORE_OK);
	ck_assert_int_eq(record(store, "T7", "c1", a.token, 0, 1), STORE_BEHIND);
	ck_assert_int_eq(record(store, "T7", "c1", a.token + 1, 2, 3), STORE_FENCED);
	ck_assert_int_eq(record(store, "T7", "c2", a.token, 0, 1), STORE_FENCED);
	ck_assert_int_eq(tell("HLEN sandbox:{T7}:clone:c1"), 4); /* status, sequence and two entries */

	tell("FLUSHALL");
	ck_assert_int_eq(record(store, "T7", "c1", a.token, 2, 3), STORE_FENCED);
	a = acquire(store, "T7", NULL, "c1", 60000);
	ck_assert(!a.found);
	ck_assert_int_eq(record(store, "T7", "c1", a.token, 2, 3), STORE_BEHIND);
	ck_assert_int_eq(record(store, "T7", "c1", a.token, 0, 3), STORE_OK);
	store->close(store);
}
END_TEST

START_TEST(bytes_come_back_as_they_went)
{
	static const char *const names[] = { "with space", "cr\r\nlf", "100%s%n", "quo\"t'e", "{brace}", "a:b:c" };
	struct store_port *store = open_store("one");

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const struct store_pair set[] = { { names[i], "v\0\r\n%", 5 }, { "gone", "x", 1 }, { "empty", "", 0 } };
		const struct store_pair target[] = { { "generation", names[i], strlen(names[i]) } };
		const char *const clear[] = { "gone" };
		const struct store_entry entries[] = { { 10, "\0ten\0", 5 }, { 9, "nine", 4 }, { 11, "", 0 } };
		const struct store_op op = { .kind = STORE_RECORD,
					     .tag = 1,
					     .target_ctx = names[i],
					     .clone_id = names[i],
					     .token = acquire(store, names[i], "s \r\n%", names[i], 60000).token,
					     .sequence_after = 11,
					     .clone_set = set,
					     .clone_set_count = 3,
					     .target_set = target,
					     .target_set_count = 1,
					     .clone_clear = clear,
					     .clone_clear_count = 1,
					     .entries = entries,
					     .entry_count = 3 };
		struct store_answer a = store_ask(store, &op);

		ck_assert_msg(a.status == STORE_OK, "%s: %s", names[i], a.text);
		a = acquire(store, names[i], "s \r\n%", names[i], 60000);
		ck_assert_int_eq(a.status, STORE_OK);
		ck_assert(a.found);
		ck_assert_uint_eq(field(&a, names[i])->len, 5);
		ck_assert_mem_eq(field(&a, names[i])->value, "v\0\r\n%", 5);
		ck_assert_ptr_null(field(&a, "gone"));
		ck_assert_uint_eq(field(&a, "empty")->len, 0);
		ck_assert_mem_eq(field(&a, "sequence")->value, "11", 2);
		ck_assert_uint_eq(a.target_count, 1);
		ck_assert_mem_eq(a.target[0].value, names[i], strlen(names[i]));
		ck_assert_uint_eq(a.entry_count, 3);
		ck_assert_uint_eq(a.entries[0].sequence, 9);
		ck_assert_uint_eq(a.entries[1].sequence, 10);
		ck_assert_uint_eq(a.entries[1].len, 5);
		ck_assert_mem_eq(a.entries[1].data, "\0ten\0", 5);
		ck_assert_uint_eq(a.entries[2].len, 0);
	}
	store->close(store);
}
END_TEST

START_TEST(delivered_entries_leave_the_outbox)
{
	struct store_port *store = open_store("one");
	struct store_answer a = acquire(store, "T8", NULL, "c1", 60000);
	struct store_op op = {
		.kind = STORE_DELIVERED, .tag = 1, .target_ctx = "T8", .clone_id = "c1",
		.delivered_from = 1, .delivered_to = 10
	};

	for (uint64_t i = 0; i < 12; i++)
		ck_assert_int_eq(record(store, "T8", "c1", a.token, i, i + 1), STORE_OK);
	ck_assert_int_eq(store_ask(store, &op).status, STORE_OK);
	ck_assert_int_eq(store_ask(store, &op).status, STORE_OK);
	a = acquire(store, "T8", NULL, "c1", 60000);
	ck_assert_uint_eq(a.entry_count, 2);
	ck_assert_uint_eq(a.entries[0].sequence, 11);
	ck_assert_uint_eq(a.entries[1].sequence, 12);
	store->close(store);
}
END_TEST

/* Also when the record itself had been applied before: its answer was lost, and more was delivered since. */
START_TEST(a_record_takes_delivered_entries_along)
{
	struct store_port *store = open_store("one");
	struct store_answer a = acquire(store, "T8b", NULL, "c1", 60000);
	struct store_op op = { .kind = STORE_RECORD, .tag = 1, .target_ctx = "T8b", .clone_id = "c1", .token = a.token,
			       .sequence_before = 5, .sequence_after = 6, .delivered_from = 1, .delivered_to = 3 };

	for (uint64_t i = 0; i < 5; i++)
		ck_assert_int_eq(record(store, "T8b", "c1", a.token, i, i + 1), STORE_OK);
	ck_assert_int_eq(store_ask(store, &op).status, STORE_OK);
	a = acquire(store, "T8b", NULL, "c1", 60000);
	ck_assert_uint_eq(a.entry_count, 2);
	op.token = a.token;
	op.delivered_from = 4;
	op.delivered_to = 4;
	ck_assert_int_eq(store_ask(store, &op).status, STORE_OK);
	op.sequence_before = op.sequence_after = 9;
	op.delivered_from = op.delivered_to = 5;
	ck_assert_int_eq(store_ask(store, &op).status, STORE_BEHIND);
	a = acquire(store, "T8b", NULL, "c1", 60000);
	ck_assert_uint_eq(a.entry_count, 1);
	ck_assert_uint_eq(a.entries[0].sequence, 5);
	store->close(store);
}
END_TEST

/* What is delivered is hidden at once and dropped by and by; nothing is left in the end. */
START_TEST(delivered_entries_are_dropped_in_blocks)
{
	struct store_port *store = open_store("one");
	struct store_answer a = acquire(store, "T8c", NULL, "c1", 60000);
	struct store_op op = { .kind = STORE_RECORD, .tag = 1, .target_ctx = "T8c", .clone_id = "c1", .token = a.token };
	long most = 0;

	for (uint64_t i = 0; i < 40; i++) {
		ck_assert_int_eq(record(store, "T8c", "c1", op.token, i, i + 1), STORE_OK);
		op.sequence_before = op.sequence_after = i + 1;
		op.delivered_from = op.delivered_to = i + 1;
		if (i % 3 == 0)
			op.delivered_from = i > 1 ? i - 1 : 1;
		if (i % 3 == 2 || i == 0)
			continue; /* named by the next one, or never: what an earlier block left is dropped with a later one */
		ck_assert_int_eq(store_ask(store, &op).status, STORE_OK);
		most = tell("HLEN sandbox:{T8c}:clone:c1") > most ? tell("HLEN sandbox:{T8c}:clone:c1") : most;
	}
	a = acquire(store, "T8c", NULL, "c1", 60000);
	ck_assert_uint_eq(a.entry_count, 0);
	ck_assert_int_le(most, 3 + 8);
	op.kind = STORE_DELIVERED;
	op.delivered_from = op.delivered_to = 40;
	ck_assert_int_eq(store_ask(store, &op).status, STORE_OK);
	ck_assert_int_eq(tell("HLEN sandbox:{T8c}:clone:c1"), 3); /* status, sequence, delivered */
	op.delivered_to = 0;
	ck_assert(!store->submit(store, &op, &(struct err){ 0 }));
	op.delivered_from = 42;
	op.delivered_to = 41;
	ck_assert(!store->submit(store, &op, &(struct err){ 0 }));
	store->close(store);
}
END_TEST

START_TEST(a_clone_at_rest_expires_and_one_at_work_does_not)
{
	struct store_port *store = open_store("one");
	struct store_answer a = acquire(store, "T9", NULL, "c1", 60000);

	record(store, "T9", "c1", a.token, 0, 1);
	ck_assert_int_eq(tell("PTTL sandbox:{T9}:clone:c1"), -1);
	under(store, STORE_RELEASE, "T9", NULL, "c1", a.token);
	ck_assert_int_gt(tell("TTL sandbox:{T9}:clone:c1"), 29 * 86400);
	acquire(store, "T9", NULL, "c1", 60000);
	ck_assert_int_eq(tell("PTTL sandbox:{T9}:clone:c1"), -1);
	store->close(store);
}
END_TEST

START_TEST(wrong_operations_are_refused)
{
	struct store_port *store = open_store("one");
	char name[200];
	struct store_op ops[] = {
		acquire_op("T", "T", "c", 1000),
		acquire_op("", "S", "c", 1000),
		acquire_op("T", "S", NULL, 1000),
		acquire_op("T", "S", "c", 0),
		acquire_op(name, "S", "c", 1),
		{ .kind = STORE_OP_UNSET },
		{ .kind = STORE_NOTE, .target_ctx = "T", .clone_id = "c" },
	};

	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
		struct err e = { 0 };

		ck_assert(!store->submit(store, &ops[i], &e));
		ck_assert_int_eq(e.class, ERR_MISUSE);
	}
	store->close(store);
}
END_TEST

START_TEST(a_record_with_thousands_of_fields_is_applied_whole)
{
	enum { MANY = 4096 };
	static char names[MANY][8];
	static struct store_pair set[MANY];
	struct store_port *store = open_store("one");
	struct store_answer a = acquire(store, "T10", NULL, "c1", 60000);
	struct store_op op = { .kind = STORE_RECORD,
			       .tag = 1,
			       .target_ctx = "T10",
			       .clone_id = "c1",
			       .token = a.token,
			       .sequence_after = 1,
			       .clone_set = set,
			       .clone_set_count = MANY };

	for (int i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof names[i], "f%d", i);
		set[i] = (struct store_pair){ names[i], "v", 1 };
	}
	ck_assert_int_eq(store_ask(store, &op).status, STORE_OK);
	ck_assert_int_eq(tell("HLEN sandbox:{T10}:clone:c1"), MANY + 1);
	store->close(store);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("redis_store");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 15);
	tcase_add_unchecked_fixture(tc, start_server, end_server);
	tcase_add_test(tc, one_owner_at_a_time);
	tcase_add_test(tc, expiry_gives_a_greater_token_and_fences_the_old);
	tcase_add_test(tc, tokens_pass_the_stamp_and_survive_a_flush);
	tcase_add_test(tc, a_source_is_shared_but_never_a_target_meanwhile);
	tcase_add_test(tc, a_read_lease_that_lapsed_fences);
	tcase_add_test(tc, a_refusal_tells_what_is_known);
	tcase_add_test(tc, a_clone_is_rejected_only_if_nobody_began_it);
	tcase_add_test(tc, records_apply_once);
	tcase_add_test(tc, bytes_come_back_as_they_went);
	tcase_add_test(tc, delivered_entries_leave_the_outbox);
	tcase_add_test(tc, a_record_takes_delivered_entries_along);
	tcase_add_test(tc, delivered_entries_are_dropped_in_blocks);
	tcase_add_test(tc, a_clone_at_rest_expires_and_one_at_work_does_not);
	tcase_add_test(tc, wrong_operations_are_refused);
	tcase_add_test(tc, a_record_with_thousands_of_fields_is_applied_whole);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
