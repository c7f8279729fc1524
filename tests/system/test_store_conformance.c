/* SPDX-License-Identifier: Apache-2.0
 * The simulator may not promise what reality does not: the same operations go to the simulated store and to a real
 * Redis, and both must answer alike, in scenes told by hand and in thousands of random ones. Read leases on a source
 * are not simulated (no simulated source is ever a target); test_redis_store has them. */
#include "consumer/adapters/redis/redis_store.h"
#include "consumer/core/snapshot.h"
#include "tests/support/redis_server.h"
#include "tests/support/sim_priv.h"
#include "tests/support/store_driver.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { OWNERS = 2, CLONES = 4, TTL_MS = 600000, TEXT = 400, HISTORY = 24 };

static const char *const targets[SIM_TARGETS] = { "TargetA", "TargetB" };

struct ask {
	enum store_op_kind kind;
	int owner, clone;
	bool old_token; /* the one before the last that this owner got for this clone */
	uint64_t before, after;
	int events; /* the last so many up to `after` */
	enum clone_status status;
	bool take_target;
	uint64_t sequence; /* DELIVERED, RECORD: so far everything is delivered; 0 nothing is said */
};

struct side { /* what is the same of both stores */
	uint64_t token[OWNERS][CLONES], old_token[OWNERS][CLONES], greatest[SIM_TARGETS];
	char answer[TEXT];
};

static char folder[] = "/tmp/sandbox-conformance-XXXXXX";
static struct redis_server *server;
static struct store_port *real[OWNERS];
static struct sim *sim;
static struct sim_counts counts;
static struct side sides[2]; /* simulated, real */
static uint64_t delivered[CLONES]; /* as far as Redis was told */
static char history[HISTORY][TEXT];
static int said;

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

static void tell(const char *line)
{
	ck_assert_msg(redis_server_tell(server, line) != REDIS_SERVER_ERROR, "%s", line);
}

/* ---- both from the beginning ---- */

static void wipe_sim(void)
{
	memset(sim->stored, 0, sizeof sim->stored);
	for (int t = 0; t < SIM_TARGETS; t++)
		sim->leases[t] = (struct sim_lease){ .consumer = -1, .clone = -1, .active = -1 };
}

static void begin(void)
{
	tell("FLUSHALL");
	free(sim->heap);
	memset(sim, 0, sizeof *sim);
	sim->healing = true; /* no faults of its own */
	sim->counts = &counts;
	sim->clone_count = CLONES;
	sim->policy.lease_ttl_ms = TTL_MS;
	sim->now = 1000;
	for (int i = 0; i < CLONES; i++)
		snprintf(sim->ids[i], sizeof sim->ids[i], "clone-%d", i);
	for (int i = 0; i < OWNERS; i++)
		sim->consumers[i].life = (uint32_t)i + 1;
	wipe_sim();
	memset(sides, 0, sizeof sides);
	memset(delivered, 0, sizeof delivered);
	said = 0;
}

static void setup(void)
{
	struct err e = { 0 };

	for (int i = 0; i < OWNERS; i++) {
		const struct redis_settings settings = { .socket_path = redis_server_socket(server),
			.owner = i ? "two" : "one" };

		real[i] = redis_store_new(&settings, &e);
		ck_assert_msg(real[i] != NULL, "%s", e.text);
	}
	sim = calloc(1, sizeof *sim);
	begin();
}

static void teardown(void)
{
	for (int i = 0; i < OWNERS; i++)
		real[i]->close(real[i]);
	free(sim->heap);
	free(sim);
}

/* ---- one question to both ---- */

static struct clone_snapshot snapshot_of(const struct ask *a)
{
	struct clone_snapshot s;

	snapshot_init(&s);
	s.status = a->status;
	s.run = 1;
	s.sequence = a->kind == STORE_INTRODUCE ? 1 : a->after;
	s.fingerprint = 1;
	if (a->kind != STORE_INTRODUCE)
		snprintf(s.generation, sizeof s.generation, "%s__g%d", targets[sim_target_of(a->clone)], a->clone);
	return s;
}

static uint64_t token_of(const struct side *side, const struct ask *a)
{
	return a->old_token ? side->old_token[a->owner][a->clone] : side->token[a->owner][a->clone];
}

static const char *status_word(enum store_status status)
{
	return status == STORE_OK ? "OK" : status == STORE_HELD ? "HELD" : status == STORE_FENCED ? "FENCED" :
		status == STORE_BEHIND ? "BEHIND" : "UNAVAILABLE";
}

/* Tokens differ between the two; that they rise must not. */
static void note_token(struct side *side, const struct ask *a, uint64_t token)
{
	uint64_t *greatest = &side->greatest[sim_target_of(a->clone)];

	ck_assert_msg(token > *greatest, "a token that does not rise");
	*greatest = token;
	side->old_token[a->owner][a->clone] = side->token[a->owner][a->clone];
	side->token[a->owner][a->clone] = token;
}

static void describe(struct side *side, const struct clone_snapshot *found, const char *active,
                     enum clone_status active_status, const char *generation, const char *held_by)
{
	size_t used = strlen(side->answer);

	used += (size_t)snprintf(side->answer + used, TEXT - used, "%s%s", *held_by ? " by " : "", held_by);
	if (found)
		used += (size_t)snprintf(side->answer + used, TEXT - used, " %s at %llu in %s", clone_status_name(found->status),
			(unsigned long long)found->sequence, found->generation);
	if (*active)
		snprintf(side->answer + used, TEXT - used, ", active %s %s in %s", active, clone_status_name(active_status),
			generation);
}

static void describe_entry(struct side *side, uint64_t sequence)
{
	size_t used = strlen(side->answer);

	snprintf(side->answer + used, TEXT - used, " +%llu", (unsigned long long)sequence);
}

static void ask_sim(const struct ask *a)
{
	struct side *side = &sides[0];
	struct clone_snapshot s = snapshot_of(a);
	struct engine_event events[32];
	struct effect fx = { .clone_id = sim->ids[a->clone], .token = token_of(side, a), .snapshot = &s, .fields = true,
		.sequence_before = a->before, .sequence_after = a->after, .take_target = a->take_target, .events = events,
		.event_count = (size_t)a->events, .last = a->sequence };
	struct sim_event event;
	struct sim_op *op;

	for (int i = 0; i < a->events; i++)
		events[i] = (struct engine_event){ .sequence = a->after - (uint64_t)(a->events - 1 - i), .kind = MESSAGE_STATE };
	memset(sim->consumers[a->owner].outbox, 0, sizeof sim->consumers[a->owner].outbox);
	sim_store_submit(sim, a->owner, &fx, a->kind);
	event = sim->heap[0];
	sim->heap_count = 0;
	sim->now = event.at;
	sim_store_apply(sim, &event);
	side->answer[0] = '\0';
	if (a->kind == STORE_DELIVERED)
		return;
	op = sim->heap[0].op;
	sim->heap_count = 0;
	snprintf(side->answer, TEXT, "%s", status_word(op->status));
	if (a->kind == STORE_ACQUIRE) {
		if (op->status == STORE_OK)
			note_token(side, a, op->answer.token);
		describe(side, op->answer.found ? &op->answer_snapshot : NULL, op->answer.active_clone,
			op->answer.active_status, op->answer.latest_generation, op->answer.held_by);
		for (uint64_t q = 1; op->status == STORE_OK && q < SIM_EVENTS; q++)
			for (int i = 0; i < op->event_count; i++)
				if (op->events[i].sequence == q)
					describe_entry(side, q);
	}
	free(op->events);
	free(op);
}

static const char *text_of(const struct store_answer *answer, const char *name, char text[64])
{
	text[0] = '\0';
	for (size_t i = 0; i < answer->target_count; i++)
		if (strcmp(answer->target[i].name, name) == 0)
			snprintf(text, 64, "%.*s", (int)answer->target[i].len, (const char *)answer->target[i].value);
	return text;
}

static void hear_acquired(const struct ask *a, const struct store_answer *answer)
{
	struct side *side = &sides[1];
	char active[64], status[64], generation[64];
	struct clone_snapshot found;
	struct err e = { 0 };

	if (answer->status == STORE_OK)
		note_token(side, a, answer->token);
	ck_assert_msg(!answer->found || snapshot_read(answer->clone, answer->clone_count, &found, &e), "%s", e.text);
	describe(side, answer->found ? &found : NULL, text_of(answer, "active", active),
		clone_status_by_name(text_of(answer, "active_status", status)), text_of(answer, "generation", generation),
		answer->held_by);
	for (size_t i = 0; i < answer->entry_count; i++)
		describe_entry(side, answer->entries[i].sequence);
}

/* As the loop makes it (consumer/runtime/loop_record.c). */
static void ask_redis(const struct ask *a)
{
	struct side *side = &sides[1];
	const struct clone_snapshot s = snapshot_of(a);
	const char *status = clone_status_name(a->status);
	const struct store_pair target[] = { { "active", sim->ids[a->clone], strlen(sim->ids[a->clone]) },
		{ "active_status", status, strlen(status) }, { "generation", s.generation, strlen(s.generation) } };
	struct store_entry entries[32];
	struct snapshot_fields fields;
	struct timespec now;
	struct store_op op = { .kind = a->kind, .tag = 5, .target_ctx = targets[sim_target_of(a->clone)], .source_ctx = "",
		.clone_id = sim->ids[a->clone], .token = token_of(side, a), .ttl_ms = TTL_MS, .sequence_before = a->before,
		.sequence_after = a->kind == STORE_INTRODUCE ? 1 : a->after, .target_set = target,
		.target_set_count = a->take_target ? 3 : 0, .entries = entries, .entry_count = (size_t)a->events,
		.delivered_from = delivered[a->clone] + 1, .delivered_to = a->sequence };
	struct store_answer answer;

	clock_gettime(CLOCK_REALTIME, &now);
	op.utc_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
	for (int i = 0; i < a->events; i++)
		entries[i] = (struct store_entry){ a->after - (uint64_t)(a->events - 1 - i), "x", 1 };
	if (a->kind == STORE_RECORD || a->kind == STORE_INTRODUCE) {
		snapshot_write(&s, 0, &fields);
		op.clone_set = fields.pairs;
		op.clone_set_count = fields.count;
	}
	answer = store_ask(real[a->owner], &op);
	side->answer[0] = '\0';
	if (answer.status == STORE_OK && a->sequence)
		delivered[a->clone] = a->sequence;
	if (a->kind == STORE_DELIVERED)
		return;
	snprintf(side->answer, TEXT, "%s", status_word(answer.status));
	if (a->kind == STORE_ACQUIRE)
		hear_acquired(a, &answer);
}

static void note_history(const struct ask *a)
{
	static const char *const kinds[STORE_OP_END] = { [STORE_ACQUIRE] = "acquire", [STORE_RENEW] = "renew",
		[STORE_RELEASE] = "release", [STORE_RECORD] = "record", [STORE_INTRODUCE] = "introduce",
		[STORE_DELIVERED] = "delivered" };

	snprintf(history[said++ % HISTORY], TEXT, "owner %d: %s clone-%d%s %llu..%llu %s%s", a->owner, kinds[a->kind],
		a->clone, a->old_token ? " with its old token" : "", (unsigned long long)a->before,
		(unsigned long long)(a->kind == STORE_DELIVERED ? a->sequence : a->after), clone_status_name(a->status),
		a->take_target ? " target" : "");
}

static const char *alike(const struct ask *a)
{
	note_history(a);
	ask_sim(a);
	ask_redis(a);
	if (strcmp(sides[0].answer, sides[1].answer) == 0)
		return sides[0].answer;
	for (int i = said > HISTORY ? said - HISTORY : 0; i < said; i++)
		printf("  %s\n", history[i % HISTORY]);
	ck_abort_msg("the simulated store answers \"%s\", Redis \"%s\"", sides[0].answer, sides[1].answer);
}

static void expect(struct ask a, const char *answer)
{
	ck_assert_str_eq(alike(&a), answer);
}

/* The lease on a target runs out. */
static void expire(int target)
{
	char line[64];

	snprintf(line, sizeof line, "DEL sandbox:{%s}:lease", targets[target]);
	tell(line);
	sim->leases[target].until = sim->now;
}

/* ---- scenes ---- */

START_TEST(a_life)
{
	begin();
	expect((struct ask){ .kind = STORE_ACQUIRE }, "OK");
	expect((struct ask){ .kind = STORE_RECORD, .after = 1, .events = 1, .status = CLONE_RUNNING,
		.take_target = true }, "OK");
	expect((struct ask){ .kind = STORE_RECORD, .before = 1, .after = 3, .events = 2, .status = CLONE_RUNNING }, "OK");
	expect((struct ask){ .kind = STORE_DELIVERED, .sequence = 1 }, "");
	expect((struct ask){ .kind = STORE_RENEW }, "OK");
	expect((struct ask){ .kind = STORE_ACQUIRE, .owner = 1 },
		"HELD by clone-0 RUNNING at 3 in TargetA__g0, active clone-0 RUNNING in TargetA__g0");
	expect((struct ask){ .kind = STORE_ACQUIRE },
		"OK RUNNING at 3 in TargetA__g0, active clone-0 RUNNING in TargetA__g0 +2 +3");
	expect((struct ask){ .kind = STORE_RENEW, .old_token = true }, "FENCED");
	expect((struct ask){ .kind = STORE_RECORD, .before = 3, .after = 4, .events = 1, .status = CLONE_COMPLETED,
		.take_target = true }, "OK");
	expect((struct ask){ .kind = STORE_DELIVERED, .sequence = 4 }, "");
	expect((struct ask){ .kind = STORE_RELEASE }, "OK");
	expect((struct ask){ .kind = STORE_RELEASE }, "FENCED");
	expect((struct ask){ .kind = STORE_ACQUIRE, .owner = 1, .clone = 2 }, "OK, active clone-0 COMPLETED in TargetA__g0");
}
END_TEST

START_TEST(records_apply_once_and_only_in_order)
{
	begin();
	expect((struct ask){ .kind = STORE_ACQUIRE }, "OK");
	expect((struct ask){ .kind = STORE_RECORD, .before = 1, .after = 2, .events = 1, .status = CLONE_RUNNING },
		"BEHIND");
	expect((struct ask){ .kind = STORE_RECORD, .after = 2, .events = 2, .status = CLONE_RUNNING }, "OK");
	expect((struct ask){ .kind = STORE_RECORD, .after = 2, .events = 2, .status = CLONE_FAILED }, "OK");
	expect((struct ask){ .kind = STORE_RECORD, .before = 1, .after = 2, .events = 0, .status = CLONE_FAILED }, "OK");
	expect((struct ask){ .kind = STORE_RECORD, .after = 1, .events = 1, .status = CLONE_FAILED }, "BEHIND");
	expect((struct ask){ .kind = STORE_RECORD, .before = 2, .after = 2, .status = CLONE_PAUSED }, "OK");
	expect((struct ask){ .kind = STORE_RECORD, .clone = 2, .after = 1, .events = 1, .status = CLONE_RUNNING },
		"FENCED");
	expect((struct ask){ .kind = STORE_ACQUIRE }, "OK PAUSED at 2 in TargetA__g0 +1 +2");
}
END_TEST

START_TEST(a_lease_that_ran_out)
{
	begin();
	expect((struct ask){ .kind = STORE_ACQUIRE }, "OK");
	expect((struct ask){ .kind = STORE_RECORD, .after = 1, .events = 1, .status = CLONE_RUNNING,
		.take_target = true }, "OK");
	expire(0);
	expect((struct ask){ .kind = STORE_RECORD, .before = 1, .after = 2, .events = 1, .status = CLONE_RUNNING },
		"FENCED");
	expect((struct ask){ .kind = STORE_RENEW }, "FENCED");
	expect((struct ask){ .kind = STORE_RELEASE }, "FENCED");
	expect((struct ask){ .kind = STORE_ACQUIRE, .owner = 1 },
		"OK RUNNING at 1 in TargetA__g0, active clone-0 RUNNING in TargetA__g0 +1");
	expect((struct ask){ .kind = STORE_RECORD, .before = 1, .after = 2, .events = 1, .status = CLONE_RUNNING },
		"FENCED");
	expect((struct ask){ .kind = STORE_DELIVERED, .sequence = 1 }, ""); /* what was delivered stays delivered */
	expect((struct ask){ .kind = STORE_ACQUIRE, .owner = 1 },
		"OK RUNNING at 1 in TargetA__g0, active clone-0 RUNNING in TargetA__g0");
}
END_TEST

START_TEST(rejections)
{
	begin();
	expect((struct ask){ .kind = STORE_ACQUIRE }, "OK");
	expect((struct ask){ .kind = STORE_INTRODUCE, .owner = 1, .status = CLONE_REJECTED }, "FENCED"); /* about to begin */
	expect((struct ask){ .kind = STORE_INTRODUCE, .owner = 1, .clone = 2, .status = CLONE_REJECTED }, "OK");
	expect((struct ask){ .kind = STORE_INTRODUCE, .clone = 2, .status = CLONE_REJECTED }, "OK");
	expect((struct ask){ .kind = STORE_RELEASE }, "OK");
	expect((struct ask){ .kind = STORE_ACQUIRE, .clone = 2 }, "OK REJECTED at 1 in ");
	expect((struct ask){ .kind = STORE_INTRODUCE, .owner = 1, .clone = 2, .status = CLONE_REJECTED }, "OK");
}
END_TEST

/* ---- and at random ---- */

static struct ask random_ask(uint64_t *chance)
{
	static const enum store_op_kind kinds[] = { STORE_ACQUIRE, STORE_ACQUIRE, STORE_ACQUIRE, STORE_RENEW, STORE_RELEASE,
		STORE_RECORD, STORE_RECORD, STORE_RECORD, STORE_RECORD, STORE_INTRODUCE, STORE_DELIVERED };
	struct ask a = { .kind = kinds[chance_below(chance, sizeof kinds / sizeof *kinds)],
		.owner = (int)chance_below(chance, OWNERS), .clone = (int)chance_below(chance, CLONES),
		.old_token = chance_below(chance, 10) == 0 };
	const struct sim_stored *stored = &sim->stored[a.clone];
	uint64_t have = stored->found ? stored->snapshot.sequence : 0;

	if (a.kind == STORE_RECORD || a.kind == STORE_DELIVERED)
		a.sequence = delivered[a.clone] + (uint64_t)chance_below(chance, (int64_t)(have - delivered[a.clone]) + 1);
	if (a.sequence == delivered[a.clone])
		a.sequence = 0; /* nothing new */
	if (a.kind == STORE_DELIVERED && !a.sequence)
		a.kind = STORE_RENEW;
	a.before = have;
	if (chance_below(chance, 5) == 0)
		a.before = have + 2 - (uint64_t)chance_below(chance, have < 2 ? 3 : 5);
	a.events = (int)chance_below(chance, 4);
	a.after = a.before + (uint64_t)a.events;
	a.status = a.kind == STORE_INTRODUCE ? CLONE_REJECTED : (enum clone_status)(CLONE_RUNNING + chance_below(chance, 6));
	/* The engine names the target with every change of a status, so both stores know the active clone's. */
	a.take_target = a.kind == STORE_RECORD && (a.status != stored->snapshot.status || chance_below(chance, 4) == 0);
	if (a.kind == STORE_RECORD && a.after == 0)
		a.after = a.before + (uint64_t)(a.events = 1);
	return a;
}

START_TEST(random_scenes)
{
	static const char *const kinds[] = { "OK", "HELD", "FENCED", "BEHIND" };
	int met[4] = { 0 };

	for (uint64_t seed = 1; seed <= 300; seed++) {
		uint64_t chance = seed;

		begin();
		for (int i = 0; i < 120; i++) {
			struct ask a = random_ask(&chance);
			int64_t luck = chance_below(&chance, 200);

			const char *answer = alike(&a);

			for (int k = 0; k < 4; k++)
				met[k] += strncmp(answer, kinds[k], strlen(kinds[k])) == 0;
			if (luck < 5) {
				expire((int)chance_below(&chance, SIM_TARGETS));
			} else if (luck == 5) {
				tell("FLUSHALL");
				wipe_sim();
				sim->now++; /* its tokens begin again with the time */
				memset(delivered, 0, sizeof delivered);
			}
		}
	}
	for (int k = 0; k < 4; k++)
		ck_assert_msg(met[k] > 200, "%s was met only %d times", kinds[k], met[k]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("store_conformance");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_unchecked_fixture(tc, start_server, end_server);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_life);
	tcase_add_test(tc, records_apply_once_and_only_in_order);
	tcase_add_test(tc, a_lease_that_ran_out);
	tcase_add_test(tc, rejections);
	tcase_add_test(tc, random_scenes);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
