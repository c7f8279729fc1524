/* SPDX-License-Identifier: Apache-2.0
 * One clone that may be known, a desk, and commands run on it: for the tests of sandboxctl's commands. */
#ifndef SANDBOX_TEST_CTL_FIXTURE_H
#define SANDBOX_TEST_CTL_FIXTURE_H

#include "ctl_desk.h"

#define OTHER_ID "0198f0c2-7d1e-7c5b-9a54-2f6f2a1b9c10"

static struct fake fake;
static struct clone_snapshot snap;

static inline void setup(void)
{
	fake_init(&fake);
	snapshot_init(&snap);
	snap.status = CLONE_RUNNING;
	snap.run = 1;
	snap.started_at_ms = snap.requested_at_ms = FAKE_NOW - 80000;
	snprintf(snap.source_ctx, sizeof snap.source_ctx, "Cust70000");
	snprintf(snap.generation, sizeof snap.generation, "Cust70001__gx1");
}

static inline void teardown(void)
{
	fake_done(&fake);
}

static inline struct fake_clone *known_as(enum clone_status status)
{
	snap.status = status;
	if (clone_status_is_at_rest(status))
		snap.ended_at_ms = FAKE_NOW - 1000;
	return fake_add_clone(&fake, OTHER_ID, "Cust70001", &snap);
}

/* What was sent last, decoded with the schema of its topic; the caller's to free. */
static inline struct message *sent(enum message_kind kind)
{
	const struct bus_record record = { .at = { fake.sent.at.topic, 0, 0 }, .value = fake.sent.value.data,
		.value_len = fake.sent.value.len };
	struct message *m = NULL;
	struct err e = { 0 };

	ck_assert_int_eq(fake.codec->decode(fake.codec, kind, &record, &m, &e), CODEC_OK);
	return m;
}

static inline void ends(const char *line, int code)
{
	int rc = fake_run(&fake, line);

	ck_assert_msg(rc == code, "'%s' ends with %d, not %d: %s%s", line, rc, code, buf_text(&fake.talk),
		buf_text(&fake.out));
}

static inline struct message letter_about(const char *origin, const void *value, size_t len)
{
	return (struct message){ .kind = MESSAGE_DEAD_LETTER,
				 .dead_letter = { .origin_topic = origin,
						  .origin_partition = 1,
						  .origin_offset = 3,
						  .at_ms = FAKE_NOW + 500,
						  .reason_code = "conflict",
						  .reason = "it was taken before",
						  .key = "Cust70001",
						  .key_len = 9,
						  .value = value,
						  .value_len = len,
						  .value_size = (int64_t)len } };
}

static inline TCase *cases(const char *name, const TTest *const *tests, size_t count)
{
	TCase *t = tcase_create(name);

	tcase_add_checked_fixture(t, setup, teardown);
	for (size_t i = 0; i < count; i++)
		tcase_add_test(t, tests[i]);
	return t;
}

#define CASES(name, ...)                                                                                               \
	cases(name, (const TTest *const[]){ __VA_ARGS__ },                                                             \
	      sizeof((const TTest *const[]){ __VA_ARGS__ }) / sizeof(TTest *))

#endif
