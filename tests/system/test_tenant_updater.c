/* SPDX-License-Identifier: Apache-2.0
 * The updater on a real SQLite file and a bus of this test: it dies anywhere, its store fails, answers get lost, two
 * of them share the partitions, one sleeps over losing its own. The rows and the offsets are right each time. */
#include "consumer/adapters/odbc/tenants_odbc.h"
#include "consumer/core/retry.h"
#include "consumer/tenant/fold.h"
#include "consumer/tenant/updater.h"
#include "tests/support/told_events.h"

#include <check.h>
#include <ftw.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { PARTS = 5, IDLE_TURNS = 8, REFRESH_MS = 10 };

static char folder[64];
static char database[32];
static struct told_events told;
static struct log *nowhere;

/* ---- the topics: what was told, state in two partitions by clone, steps in two by tenant ---- */

struct topic_part {
	enum topic topic;
	int partition;
	size_t items[TOLD_MAX]; /* of told; TOLD_MAX: bytes that nobody can read */
	int64_t count;
};

static struct topic_part topics[PARTS] = {
	{ .topic = TOPIC_STATE, .partition = 0 }, { .topic = TOPIC_STATE, .partition = 1 },
	{ .topic = TOPIC_STEP_COMPLETED, .partition = 0 }, { .topic = TOPIC_STEP_COMPLETED, .partition = 1 },
	{ .topic = TOPIC_BACKUP_RESTORED, .partition = 0 },
};

static size_t part_of(const struct message *m)
{
	switch (m->kind) {
	case MESSAGE_STATE:
		return m->state.clone_id[0] & 1;
	case MESSAGE_STEP_COMPLETED:
		return 2 + (m->step_completed.target_ctx[0] & 1);
	default:
		return 4;
	}
}

static void fill_topics(void)
{
	for (size_t i = 0; i < PARTS; i++)
		topics[i].count = 0;
	for (size_t i = 0; i < told.count; i++) {
		struct topic_part *p = &topics[part_of(told.items[i].message)];

		if (i % 37 == 5)
			p->items[p->count++] = TOLD_MAX;
		p->items[p->count++] = i;
	}
}

/* ---- the bus ---- */

struct fake_bus {
	struct bus_port port;
	struct updater *updater;
	bool has[PARTS], assigned[PARTS];
	int64_t at[PARTS], committed[PARTS];
	bool paused;
	int idle;
	int64_t dies_after; /* so many events; -1 never */
	uint64_t chance;
	int fd;
	volatile sig_atomic_t stop;
};

static struct fake_bus *bus_of(struct bus_port *port)
{
	return (struct fake_bus *)(void *)port;
}

static int bus_fd(struct bus_port *port)
{
	return bus_of(port)->fd;
}

static bool give_record(struct fake_bus *b, size_t i, struct bus_event *event)
{
	static const char nonsense[] = "nobody can read this";
	const struct topic_part *p = &topics[i];
	size_t item;

	if (!b->has[i] || b->at[i] >= p->count)
		return false;
	item = p->items[b->at[i]];
	event->kind = BUS_RECORD;
	event->record.at = event->at = (struct bus_position){ p->topic, p->partition, b->at[i]++ };
	event->record.value = item == TOLD_MAX ? nonsense : told.items[item].value.data;
	event->record.value_len = item == TOLD_MAX ? sizeof nonsense : told.items[item].value.len;
	return true;
}

static bool assign_next(struct fake_bus *b, struct bus_event *event)
{
	for (size_t i = 0; i < PARTS; i++) {
		int64_t offset = -1;

		if (!b->has[i] || b->assigned[i])
			continue;
		if (!updater_start_at(b->updater, topics[i].topic, topics[i].partition, &offset))
			return false;
		b->assigned[i] = true;
		b->at[i] = offset < 0 ? 0 : offset;
		event->kind = BUS_ASSIGNED;
		event->at = (struct bus_position){ topics[i].topic, topics[i].partition, 0 };
		return true;
	}
	return false;
}

static bool is_all_assigned(const struct fake_bus *b)
{
	for (size_t i = 0; i < PARTS; i++)
		if (b->has[i] && !b->assigned[i])
			return false;
	return true;
}

static void bus_next(struct bus_port *port, struct bus_event *event)
{
	struct fake_bus *b = bus_of(port);
	size_t first = (size_t)chance_below(&b->chance, PARTS);

	memset(event, 0, sizeof *event);
	if (b->dies_after == 0) {
		event->kind = BUS_FATAL;
		return;
	}
	if (assign_next(b, event))
		return;
	for (size_t i = 0; i < PARTS && !b->paused && chance_below(&b->chance, 20); i++)
		if (give_record(b, (first + i) % PARTS, event)) {
			b->dies_after -= b->dies_after > 0;
			b->idle = 0;
			return;
		}
	b->idle += is_all_assigned(b) && !b->paused;
	if (b->idle > IDLE_TURNS)
		b->stop = 1;
}

static bool bus_commit(struct bus_port *port, const struct bus_position *next, struct err *e)
{
	struct fake_bus *b = bus_of(port);

	(void)e;
	for (size_t i = 0; i < PARTS; i++)
		if (topics[i].topic == next->topic && topics[i].partition == next->partition)
			b->committed[i] = next->offset;
	return true;
}

static void bus_pause(struct bus_port *port, bool paused)
{
	bus_of(port)->paused = paused;
}

static void bus_lags(struct bus_port *port, void (*fn)(void *, const struct bus_position *, int64_t), void *arg)
{
	(void)port;
	(void)fn;
	(void)arg;
}

static void bus_release(struct bus_port *port)
{
	(void)port;
}

static struct fake_bus bus_make(uint64_t seed)
{
	struct fake_bus b = { .port = { .fd = bus_fd, .next = bus_next, .commit = bus_commit, .pause = bus_pause,
		.lags = bus_lags, .release_revoked = bus_release }, .chance = seed, .dies_after = -1 };

	b.fd = eventfd(1, 0); /* readable for ever: nobody waits */
	for (size_t i = 0; i < PARTS; i++)
		b.has[i] = true;
	return b;
}

/* ---- a store that fails ---- */

struct bad_store {
	struct tenants_port port;
	struct tenants_port *real;
	uint64_t chance;
	int faults; /* still to come */
	long met[4];
};

static struct bad_store *store_of(struct tenants_port *port)
{
	return (struct bad_store *)(void *)port;
}

static bool fails(struct bad_store *s, int one_in, int which)
{
	if (!s->faults || chance_below(&s->chance, one_in))
		return false;
	s->faults--;
	s->met[which]++;
	return true;
}

static bool broken(struct bad_store *s, enum err_class class, struct err *e)
{
	s->real->rollback(s->real);
	return err_set(e, class, 0, "test", "the store does not answer");
}

static bool bad_begin(struct tenants_port *p, int64_t *last_r, struct err *e)
{
	struct bad_store *s = store_of(p);

	return fails(s, 4, 0) ? broken(s, ERR_TRANSIENT, e) : s->real->begin(s->real, last_r, e);
}

static bool bad_put_clone(struct tenants_port *p, const struct clone_facts *f, struct err *e)
{
	struct bad_store *s = store_of(p);

	return fails(s, 20, 1) ? broken(s, ERR_TRANSIENT, e) : s->real->put_clone(s->real, f, e);
}

static bool bad_drop_clone(struct tenants_port *p, const struct clone_facts *f, struct err *e)
{
	return store_of(p)->real->drop_clone(store_of(p)->real, f, e);
}

static bool bad_put_row(struct tenants_port *p, const struct tenant_row *row, struct err *e)
{
	struct bad_store *s = store_of(p);

	return fails(s, 20, 1) ? broken(s, ERR_TRANSIENT, e) : s->real->put_row(s->real, row, e);
}

static bool bad_move(struct tenants_port *p, const char *topic, int part, int64_t from, int64_t to, bool *moved_r,
                     struct err *e)
{
	return store_of(p)->real->move(store_of(p)->real, topic, part, from, to, moved_r, e);
}

static bool bad_commit(struct tenants_port *p, struct err *e)
{
	struct bad_store *s = store_of(p);

	if (fails(s, 3, 2)) /* done, and the answer is lost */
		return s->real->commit(s->real, e) && err_set(e, ERR_UNSURE, 0, "test", "no answer");
	if (fails(s, 3, 3))
		return broken(s, ERR_UNSURE, e);
	return s->real->commit(s->real, e);
}

static void bad_rollback(struct tenants_port *p)
{
	store_of(p)->real->rollback(store_of(p)->real);
}

static bool bad_last(struct tenants_port *p, int64_t *last_r, struct err *e)
{
	return store_of(p)->real->last(store_of(p)->real, last_r, e);
}

static bool bad_clones_since(struct tenants_port *p, int64_t after, tenants_clone_fn *fn, void *arg, struct err *e)
{
	return store_of(p)->real->clones_since(store_of(p)->real, after, fn, arg, e);
}

static bool bad_position(struct tenants_port *p, const char *topic, int part, int64_t *next_r, struct err *e)
{
	return store_of(p)->real->position(store_of(p)->real, topic, part, next_r, e);
}

static struct tenants_port *open_real(void)
{
	const struct odbc_settings settings = { .dialect = "sqlite", .driver = "SQLite3", .folder = folder,
		.busy_timeout_ms = 60000 };
	struct err e = { 0 };
	struct tenants_port *t = tenants_odbc_open(&settings, database, &e);

	ck_assert_msg(t, "%s", e.text);
	return t;
}

static struct bad_store store_make(uint64_t seed, int faults)
{
	return (struct bad_store){ .port = { .begin = bad_begin, .put_clone = bad_put_clone, .drop_clone = bad_drop_clone,
		.put_row = bad_put_row, .move = bad_move, .commit = bad_commit, .rollback = bad_rollback, .last = bad_last,
		.clones_since = bad_clones_since, .position = bad_position }, .real = open_real(), .chance = seed,
		.faults = faults };
}

/* ---- one life of an updater ---- */

struct life {
	struct fake_bus bus;
	struct bad_store store;
	struct codec_port *codec; /* each its own: a codec is used by one thread */
	struct board *board;
	struct metrics *metrics;
	struct updater *updater;
	size_t batch;
	_Atomic int64_t alive;
	_Atomic bool ready;
	bool ended_well;
	struct err err;
};

static void begin_life(struct life *l, uint64_t seed, size_t batch, int faults)
{
	struct updater_settings s = { .log = nowhere, .batch = batch, .refresh_ms = REFRESH_MS };

	memset(l, 0, sizeof *l);
	l->codec = told_codec();
	s.codec = l->codec;
	l->bus = bus_make(seed);
	l->store = store_make(seed, faults);
	l->board = board_new();
	l->metrics = metrics_new();
	s.tenants = &l->store.port;
	s.board = l->board;
	s.metrics = l->metrics;
	s.stop = &l->bus.stop;
	s.alive_ms = &l->alive;
	s.ready = &l->ready;
	l->updater = updater_new(&s, &l->err);
	ck_assert_msg(l->updater, "%s", l->err.text);
	l->bus.updater = l->updater;
}

static void *live(void *arg)
{
	struct life *l = arg;

	l->ended_well = updater_run(l->updater, &l->bus.port, &l->err);
	return NULL;
}

static void end_life(struct life *l)
{
	updater_free(&l->updater);
	l->store.real->close(l->store.real);
	board_free(&l->board);
	metrics_free(&l->metrics);
	l->codec->close(l->codec);
	close(l->bus.fd);
}

/* ---- what must come out ---- */

static const char *const tenants[] = { "A", "B", "D", "E", "F", "G", "H" };

enum { TENANTS = sizeof tenants / sizeof *tenants };

static struct tenant_row wanted[TENANTS];

static void find_wanted(void)
{
	static struct clone_facts facts[64];
	size_t count = 0;

	for (size_t i = 0; i < told.count; i++) {
		const char *ctx, *id;
		size_t k = 0;

		if (!facts_names(told.items[i].message, &ctx, &id))
			continue;
		while (k < count && (strcmp(facts[k].ctx, ctx) != 0 || strcmp(facts[k].clone_id, id) != 0))
			k++;
		ck_assert_uint_lt(k, 64);
		if (k == count)
			facts_init(&facts[count++], ctx, id);
		facts_fold(&facts[k], told.items[i].message);
	}
	for (size_t t = 0; t < TENANTS; t++) {
		const struct clone_facts *of[64];
		size_t n = 0;

		for (size_t k = 0; k < count; k++)
			if (strcmp(facts[k].ctx, tenants[t]) == 0)
				of[n++] = &facts[k];
		tenant_fold(tenants[t], of, n, &wanted[t]);
	}
}

static void check_board(const struct board *b, uint64_t seed)
{
	for (size_t t = 0; t < TENANTS; t++) {
		const struct tenant_row *row = board_row(b, tenants[t]);

		ck_assert_msg(row && memcmp(row, &wanted[t], sizeof *row) == 0, "seed %llu: %s is %d since %lld by %s, not %d since %lld by %s",
			(unsigned long long)seed, tenants[t], row ? (int)row->state : -1, row ? (long long)row->since_ms : 0,
			row ? row->clone_id : "-", wanted[t].state, (long long)wanted[t].since_ms, wanted[t].clone_id);
	}
}

/* As somebody who starts now finds it; and every partition stands at its end. */
static void check_stored(uint64_t seed)
{
	struct life l;

	begin_life(&l, seed, 10, 0);
	check_board(l.board, seed);
	for (size_t i = 0; i < PARTS; i++) {
		int64_t next = -1;

		ck_assert(l.store.real->position(l.store.real, topic_name(topics[i].topic), topics[i].partition, &next, &l.err));
		ck_assert_int_eq(next, topics[i].count);
	}
	end_life(&l);
}

static void new_database(void)
{
	static int count;

	snprintf(database, sizeof database, "t%d-%d", (int)getpid(), count++);
}

static void setup(void)
{
	const struct log_settings silent = { .level = LOG_LEVEL_ERROR, .format = LOG_FORMAT_JSON, .line_max = 1024 };

	told_begin(&told);
	told_play_everything(&told);
	fill_topics();
	find_wanted();
	nowhere = log_new(&silent);
	new_database();
}

static void teardown(void)
{
	told_end(&told);
	log_free(&nowhere);
}

/* ---- tests ---- */

START_TEST(all_is_folded_and_passed_over)
{
	struct life l;

	begin_life(&l, 1, 50, 0);
	live(&l);
	ck_assert_msg(l.ended_well, "%s", l.err.text);
	check_board(l.board, 1);
	for (size_t i = 0; i < PARTS; i++)
		ck_assert_int_eq(l.bus.committed[i], topics[i].count);
	ck_assert_int_gt(metrics_get(l.metrics, METRIC_RECORDS_UNREADABLE, TOPIC_STEP_COMPLETED, 0), 3);
	ck_assert_uint_gt(board_stuck(l.board), 2);
	end_life(&l);
	check_stored(1);
	begin_life(&l, 2, 50, 0); /* nothing new: nothing is read twice */
	live(&l);
	ck_assert_int_eq(metrics_get(l.metrics, METRIC_RECORDS_READ, TOPIC_STATE, 0), 0);
	end_life(&l);
}
END_TEST

START_TEST(it_dies_anywhere)
{
	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct life l = { .ended_well = false };

		new_database();
		for (int tries = 0; tries < 200 && !l.ended_well; tries++) {
			uint64_t chance = seed * 1000 + (uint64_t)tries;
			int64_t after = tries < 8 ? 1 + chance_below(&chance, 200) : -1;

			begin_life(&l, chance, 1 + (size_t)chance_below(&chance, 60), 0);
			l.bus.dies_after = after;
			live(&l);
			if (l.ended_well)
				check_board(l.board, seed);
			end_life(&l);
		}
		ck_assert(l.ended_well);
		check_stored(seed);
	}
}
END_TEST

START_TEST(its_store_fails)
{
	long met[4] = { 0 };

	for (uint64_t seed = 1; seed <= 24; seed++) {
		struct life l;

		new_database();
		begin_life(&l, seed, 40, 3);
		live(&l);
		ck_assert_msg(l.ended_well, "seed %llu: %s", (unsigned long long)seed, l.err.text);
		check_board(l.board, seed);
		for (int i = 0; i < 4; i++)
			met[i] += l.store.met[i];
		ck_assert_int_eq(metrics_get(l.metrics, METRIC_TENANT_PARTITIONS_LOST, 0, 0), 0);
		end_life(&l);
		check_stored(seed);
	}
	for (int i = 0; i < 4; i++)
		ck_assert_msg(met[i] > 0, "fault %d was never met (%ld %ld %ld %ld)", i, met[0], met[1], met[2], met[3]);
}
END_TEST

/* State and steps of one tenant are read by two instances: each must see what the other knows. */
START_TEST(two_instances)
{
	for (uint64_t seed = 1; seed <= 6; seed++) {
		struct life a, b;
		pthread_t thread;

		new_database();
		begin_life(&a, seed, 7, 0);
		begin_life(&b, seed + 100, 11, 0);
		for (size_t i = 0; i < PARTS; i++)
			(i % 2 ? &a : &b)->bus.has[i] = false;
		ck_assert_int_eq(pthread_create(&thread, NULL, live, &b), 0);
		live(&a);
		pthread_join(thread, NULL);
		ck_assert_msg(a.ended_well && b.ended_well, "%s %s", a.err.text, b.err.text);
		a.bus.stop = b.bus.stop = 0;
		a.bus.idle = b.bus.idle = 0;
		poll(NULL, 0, 2 * REFRESH_MS);
		live(&a); /* one more look, which is due now, at what the other did last */
		live(&b);
		check_board(a.board, seed);
		check_board(b.board, seed);
		end_life(&a);
		end_life(&b);
		check_stored(seed);
	}
}
END_TEST

/* While the sleeper is about to take its first lock, somebody else reads all of its partitions to their end. */
static bool begin_late(struct tenants_port *p, int64_t *last_r, struct err *e)
{
	static bool done;
	struct life other;

	if (!done) {
		done = true;
		begin_life(&other, 2, 20, 0);
		live(&other);
		ck_assert(other.ended_well);
		end_life(&other);
	}
	return bad_begin(p, last_r, e);
}

START_TEST(who_slept_over_it_moves_nothing)
{
	struct life sleeper;

	begin_life(&sleeper, 1, 20, 0);
	sleeper.store.port.begin = begin_late;
	live(&sleeper);
	ck_assert_msg(sleeper.ended_well, "%s", sleeper.err.text);
	ck_assert_int_gt(metrics_get(sleeper.metrics, METRIC_TENANT_PARTITIONS_LOST, 0, 0), 0);
	ck_assert_int_eq(sleeper.bus.committed[0], 0);
	check_board(sleeper.board, 1); /* what the other folded is shown all the same */
	end_life(&sleeper);
	check_stored(1);
}
END_TEST

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *at)
{
	(void)status;
	(void)type;
	(void)at;
	return remove(path);
}

int main(void)
{
	Suite *suite = suite_create("tenant_updater");
	TCase *t = tcase_create("tenant_updater");
	SRunner *sr = srunner_create(suite);
	const char *base = getenv("TMPDIR");
	int failed;

	snprintf(folder, sizeof folder, "%.40s/sandbox-updater-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(folder))
		return 1;
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 250);
	tcase_add_test(t, all_is_folded_and_passed_over);
	tcase_add_test(t, it_dies_anywhere);
	tcase_add_test(t, its_store_fails);
	tcase_add_test(t, two_instances);
	tcase_add_test(t, who_slept_over_it_moves_nothing);
	suite_add_tcase(suite, t);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return failed != 0;
}
