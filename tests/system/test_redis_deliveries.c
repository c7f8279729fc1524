/* SPDX-License-Identifier: Apache-2.0
 * What waits for partner apps, on a real server: entered once whatever breaks, handed out to one at a time and in order,
 * settled by its claim only, switched off and on, and forgotten in the end. */
#include "consumer/adapters/redis/redis_deliveries.h"
#include "consumer/adapters/redis/redis_notices.h"
#include "tests/support/redis_server.h"

#include <check.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { NOW = 1000000, LEASE = 60000, SECOND = 1000 };

static char folder[] = "/tmp/sandbox-deliver-XXXXXX";
static struct redis_server *server;
static struct deliveries_port *d, *other;
static struct arena *mem;
static struct err e;

static struct deliveries_port *open_at(const char *socket_path, int64_t keep_ms)
{
	struct redis_settings settings = { .socket_path = socket_path, .keep_ms = keep_ms, .command_timeout_ms = 20000,
		.connect_timeout_ms = 5000 };
	struct deliveries_port *made = redis_deliveries_new(&settings, &e);

	ck_assert_msg(made != NULL, "%s", e.text);
	return made;
}

static void setup(void)
{
	strcpy(folder, "/tmp/sandbox-deliver-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	err_clear(&e);
	server = redis_server_start(folder, &e);
	ck_assert_msg(server != NULL, "%s", e.text);
	d = open_at(redis_server_socket(server), 0);
	other = open_at(redis_server_socket(server), 0);
	mem = arena_new((size_t)64 * 1024 * 1024);
	ck_assert_ptr_nonnull(mem);
}

static void teardown(void)
{
	char command[64];

	arena_free(&mem);
	d->close(d);
	other->close(other);
	redis_server_free(&server);
	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	ck_assert_int_eq(system(command), 0);
}

static void good(bool ok)
{
	ck_assert_msg(ok, "%s", e.text);
}

static struct notice notice_of(const char *event, const char *ctx)
{
	return (struct notice){ .event_id = event, .ctx = ctx, .version_name = "Release 11", .file_version = "11.1",
		.public_endpoint = "online.example", .clone_id = "clone-1", .change_type = 1, .sequence = 7,
		.occurred_at_ms = NOW - 5, .traceparent = "" };
}

static void enter_in(struct deliveries_port *port, const char *event, const char *ctx, const char *const *clients,
		     size_t count, int64_t now_ms)
{
	const struct notice notice = notice_of(event, ctx);
	struct notice_app apps[8] = { 0 };

	for (size_t i = 0; i < count; i++)
		apps[i] = (struct notice_app){ .client_id = clients[i], .name = "An app" };
	good(port->enter(port, &notice, apps, count, now_ms, &e));
}

#define ENTER(event, ctx, now_ms, ...)                                                                                 \
	enter_in(d, event, ctx, (const char *const[]){ __VA_ARGS__ },                                                  \
		 sizeof (const char *const[]){ __VA_ARGS__ } / sizeof(char *), now_ms)

struct claimed {
	const struct claim *list;
	size_t count;
	int64_t next_ms;
};

static struct claimed claim_room(struct deliveries_port *port, int64_t now_ms, struct claim_room room)
{
	struct claimed c;

	good(port->claim(port, now_ms, LEASE, &room, mem, &c.list, &c.count, &c.next_ms, &e));
	return c;
}

static struct claimed claim_all(int64_t now_ms)
{
	return claim_room(d, now_ms, (struct claim_room){ 100, 100, 100 });
}

static void settle_as(struct deliveries_port *port, const struct claim *claim, enum delivery_state state, int status,
		      int64_t at_ms, int64_t again_ms)
{
	const struct settlement s = { .claim = claim, .tried = { at_ms, 12, status, status == 200 ? "" : "it said no" },
		.was_tried = true, .state = state, .again_ms = again_ms, .app_failed = status != 200 };

	good(port->settle(port, &s, 1, at_ms, &e));
}

static struct delivery_record shown(const char *event, const char *client)
{
	struct delivery_record r;

	good(d->show(d, event, client, mem, &r, &e));
	return r;
}

static struct app_record app_of(const char *client)
{
	struct app_record app;
	bool found;

	good(d->app(d, client, mem, &app, &found, &e));
	ck_assert(found);
	return app;
}

static int64_t waiting_now(void)
{
	struct deliveries_figures f;

	good(d->figures(d, NOW, &f, &e));
	return f.waiting;
}

/* ---- the way of one notice ---- */

START_TEST(a_notice_is_handed_out_with_all_it_says)
{
	struct claimed c;

	ENTER("e/1", "T1", NOW, "b", "a");
	c = claim_all(NOW);
	ck_assert_uint_eq(c.count, 2);
	ck_assert_str_eq(c.list[0].client_id, "a");
	ck_assert_str_eq(c.list[1].client_id, "b");
	ck_assert_ptr_eq(c.list[0].notice, c.list[1].notice);
	ck_assert_str_eq(c.list[0].notice->event_id, "e/1");
	ck_assert_str_eq(c.list[0].notice->ctx, "T1");
	ck_assert_str_eq(c.list[0].notice->version_name, "Release 11");
	ck_assert_str_eq(c.list[0].notice->file_version, "11.1");
	ck_assert_str_eq(c.list[0].notice->public_endpoint, "online.example");
	ck_assert_str_eq(c.list[0].notice->clone_id, "clone-1");
	ck_assert_int_eq(c.list[0].notice->change_type, 1);
	ck_assert_int_eq(c.list[0].notice->sequence, 7);
	ck_assert_int_eq(c.list[0].notice->occurred_at_ms, NOW - 5);
	ck_assert_int_eq(c.list[0].tries, 0);
	ck_assert_int_eq(c.list[0].first_try_ms, 0);
	ck_assert_uint_ne(c.list[0].token, c.list[1].token);
	ck_assert_int_eq(c.next_ms, NOW + LEASE);
	ck_assert_uint_eq(claim_all(NOW).count, 0);
	settle_as(d, &c.list[0], DELIVERY_DONE, 200, NOW + 1, 0);
	ck_assert_int_eq(shown("e/1", "a").state, DELIVERY_DONE);
	ck_assert_int_eq(shown("e/1", "a").ended_ms, NOW + 1);
	ck_assert_int_eq(shown("e/1", "b").state, DELIVERY_WAITING);
	ck_assert_int_eq(waiting_now(), 1);
	ck_assert_int_eq(app_of("a").last_success_ms, NOW + 1);
	ck_assert_int_eq(app_of("b").waiting, 1);
}
END_TEST

START_TEST(a_tenants_notices_come_in_order_and_others_do_not_wait)
{
	struct claimed c;

	ENTER("e/1", "T1", NOW, "a");
	ENTER("e/2", "T1", NOW, "a");
	ENTER("f/1", "T2", NOW, "a");
	c = claim_all(NOW);
	ck_assert_uint_eq(c.count, 2); /* the heads of two tenants */
	settle_as(d, &c.list[0], DELIVERY_WAITING, 500, NOW, NOW + 5 * SECOND);
	ck_assert_str_eq(c.list[0].notice->event_id, "e/1");
	settle_as(d, &c.list[1], DELIVERY_DONE, 200, NOW, 0);
	c = claim_all(NOW + SECOND);
	ck_assert_uint_eq(c.count, 0);
	ck_assert_int_eq(c.next_ms, NOW + 5 * SECOND);
	c = claim_all(NOW + 5 * SECOND);
	ck_assert_uint_eq(c.count, 1);
	ck_assert_str_eq(c.list[0].notice->event_id, "e/1");
	ck_assert_int_eq(c.list[0].tries, 1);
	ck_assert_int_eq(c.list[0].first_try_ms, NOW);
	ck_assert_int_eq(c.list[0].app_failing_since_ms, 0); /* T2's success came after */
	settle_as(d, &c.list[0], DELIVERY_GIVEN_UP, 500, NOW + 6 * SECOND, 0);
	c = claim_all(NOW + 6 * SECOND);
	ck_assert_uint_eq(c.count, 1);
	ck_assert_str_eq(c.list[0].notice->event_id, "e/2");
	ck_assert_int_eq(c.list[0].app_failing_since_ms, NOW + 6 * SECOND);
}
END_TEST

START_TEST(the_log_keeps_the_last_tries)
{
	struct delivery_record r;

	ENTER("e/1", "T1", NOW, "a");
	for (int i = 0; i < DELIVERY_TRIES_KEPT + 4; i++) {
		struct claimed c = claim_all(NOW + i * SECOND);

		ck_assert_uint_eq(c.count, 1);
		ck_assert_int_eq(c.list[0].tries, i);
		settle_as(d, &c.list[0], DELIVERY_WAITING, 500 + i, NOW + i * SECOND, NOW + (i + 1) * SECOND);
	}
	r = shown("e/1", "a");
	ck_assert_int_eq(r.tries, DELIVERY_TRIES_KEPT + 4);
	ck_assert_uint_eq(r.log_count, DELIVERY_TRIES_KEPT);
	ck_assert_int_eq(r.log[0].status, 504);
	ck_assert_str_eq(r.log[0].text, "");
	ck_assert_int_eq(r.log[15].status, 519);
	ck_assert_int_eq(r.log[15].at_ms, NOW + 19 * SECOND);
	ck_assert_int_eq(r.log[15].took_ms, 12);
	ck_assert_str_eq(r.log[15].text, "it said no");
	ck_assert_int_eq(app_of("a").failures, 20);
	ck_assert_int_eq(app_of("a").failing_since_ms, NOW);
}
END_TEST

/* ---- what goes wrong ---- */

struct cutter { /* a connection that ends after so many bytes to the server */
	char path[108];
	int listener;
	size_t pass;
	pthread_t thread;
};

static int connected(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strncpy(address.sun_path, path, sizeof address.sun_path - 1);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

/* False at the end of either side, or when `left` is used up. */
static bool carry(int from, int to, size_t *left)
{
	char bytes[4096];
	ssize_t n = read(from, bytes, sizeof bytes);

	if (n <= 0)
		return false;
	if (left && (size_t)n > *left)
		n = (ssize_t)*left;
	for (ssize_t sent = 0; sent < n;) {
		ssize_t m = send(to, bytes + sent, (size_t)(n - sent), MSG_NOSIGNAL);

		if (m <= 0)
			return false;
		sent += m;
	}
	if (left)
		*left -= (size_t)n;
	return !left || *left > 0;
}

static void *cut(void *arg)
{
	struct cutter *c = arg;
	int client = accept(c->listener, NULL, NULL), redis = connected(redis_server_socket(server));
	bool goes_on = true;

	while (goes_on) {
		struct pollfd both[] = { { .fd = client, .events = POLLIN }, { .fd = redis, .events = POLLIN } };

		poll(both, 2, -1);
		if (both[0].revents)
			goes_on = carry(client, redis, &c->pass);
		if (goes_on && both[1].revents)
			goes_on = carry(redis, client, NULL);
	}
	close(client);
	close(redis);
	return NULL;
}

static void cutter_start(struct cutter *c, size_t pass)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(c->path, sizeof c->path, "%s/cut", folder);
	unlink(c->path);
	strcpy(address.sun_path, c->path);
	c->pass = pass;
	c->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(c->listener, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(c->listener, 1), 0);
	ck_assert_int_eq(pthread_create(&c->thread, NULL, cut, c), 0);
}

static void cutter_end(struct cutter *c)
{
	pthread_join(c->thread, NULL);
	close(c->listener);
}

enum { MANY = 1700, HELLO_BYTES = 64 * 1024 };

static struct notice_app *many_apps(void)
{
	struct notice_app *apps = calloc(MANY, sizeof *apps);

	for (int i = 0; i < MANY; i++)
		apps[i] = (struct notice_app){ .client_id = arena_printf(mem, "app-%04d", i), .name = "n" };
	return apps;
}

/* The notice is entered through a connection that ends after that many bytes. True when it broke. */
static bool enter_until(size_t pass, const struct notice *notice, const struct notice_app *apps)
{
	struct redis_settings settings = { .connect_timeout_ms = 1000, .command_timeout_ms = 10000 };
	struct deliveries_port *port;
	struct cutter c;
	bool ok = false;

	cutter_start(&c, pass);
	settings.socket_path = c.path;
	port = redis_deliveries_new(&settings, &e);
	if (port) {
		ok = port->enter(port, notice, apps, MANY, NOW, &e);
		port->close(port);
	}
	ck_assert(ok || e.class == ERR_TRANSIENT);
	cutter_end(&c);
	err_clear(&e);
	return !ok;
}

START_TEST(a_crash_anywhere_in_entering_loses_and_repeats_nothing)
{
	struct notice_app *apps = many_apps();
	struct notice notice = notice_of("e/0", "T0");
	int broken = 0, partly = 0;
	char event[16], ctx[16];

	for (size_t pass = 20 * 1024, n = 1; pass < 150 * 1024; pass += 5 * 1024, n++) {
		const int64_t before = waiting_now();

		snprintf(event, sizeof event, "e/%zu", n);
		snprintf(ctx, sizeof ctx, "T%zu", n);
		notice.event_id = event;
		notice.ctx = ctx;
		broken += enter_until(pass, &notice, apps);
		partly += waiting_now() > before && waiting_now() < before + MANY;
		good(d->enter(d, &notice, apps, MANY, NOW, &e));
		good(d->enter(d, &notice, apps, MANY, NOW + 1, &e));
		ck_assert_int_eq(waiting_now(), before + MANY);
		ck_assert_int_eq(app_of("app-1699").waiting, (int64_t)n);
	}
	ck_assert_int_gt(broken, 5);
	ck_assert_int_gt(partly, 2);
	free(apps);
}
END_TEST

START_TEST(a_claim_that_ran_out_is_anothers)
{
	struct claimed mine, theirs;

	ENTER("e/1", "T1", NOW, "a");
	mine = claim_all(NOW);
	theirs = claim_room(other, NOW + LEASE, (struct claim_room){ 10, 10, 10 });
	ck_assert_uint_eq(theirs.count, 1);
	settle_as(d, &mine.list[0], DELIVERY_WAITING, 500, NOW + LEASE + 1, NOW + 2 * LEASE);
	ck_assert_int_eq(shown("e/1", "a").tries, 0);
	ck_assert_int_eq(app_of("a").failures, 0);
	settle_as(other, &theirs.list[0], DELIVERY_DONE, 200, NOW + LEASE + 2, 0);
	ck_assert_int_eq(shown("e/1", "a").state, DELIVERY_DONE);
	settle_as(d, &mine.list[0], DELIVERY_GIVEN_UP, 500, NOW + LEASE + 3, 0);
	ck_assert_int_eq(shown("e/1", "a").state, DELIVERY_DONE);
	ck_assert_int_eq(waiting_now(), 0);
}
END_TEST

START_TEST(a_claim_that_ran_out_and_is_nobodys_still_settles)
{
	struct claimed mine;

	ENTER("e/1", "T1", NOW, "a");
	mine = claim_all(NOW);
	settle_as(d, &mine.list[0], DELIVERY_DONE, 200, NOW + 3 * LEASE, 0);
	ck_assert_int_eq(shown("e/1", "a").state, DELIVERY_DONE);
	ck_assert_uint_eq(claim_all(NOW + 4 * LEASE).count, 0);
}
END_TEST

START_TEST(settling_twice_changes_nothing)
{
	struct claimed c;

	ENTER("e/1", "T1", NOW, "a");
	ENTER("e/2", "T1", NOW, "a");
	c = claim_all(NOW);
	settle_as(d, &c.list[0], DELIVERY_DONE, 200, NOW, 0);
	settle_as(d, &c.list[0], DELIVERY_DONE, 200, NOW, 0);
	ck_assert_int_eq(waiting_now(), 1);
	ck_assert_int_eq(shown("e/1", "a").tries, 1);
	ck_assert_int_eq(shown("e/2", "a").state, DELIVERY_WAITING);
}
END_TEST

START_TEST(two_claimers_never_get_the_same)
{
	enum { TENANTS = 40 };
	bool seen[TENANTS] = { false };
	char event[16], ctx[16];
	size_t total = 0;

	for (int i = 0; i < TENANTS; i++) {
		snprintf(event, sizeof event, "e/%d", i);
		snprintf(ctx, sizeof ctx, "T%d", i);
		ENTER(event, ctx, NOW, "a", "b");
	}
	for (int i = 0; i < 30; i++) {
		struct claimed c = claim_room(i % 2 ? d : other, NOW, (struct claim_room){ 3, 3, 1000 });

		for (size_t n = 0; n < c.count; n++, total++) {
			int tenant = atoi(c.list[n].notice->ctx + 1);

			if (strcmp(c.list[n].client_id, "a") == 0) {
				ck_assert(!seen[tenant]);
				seen[tenant] = true;
			}
		}
	}
	ck_assert_uint_eq(total, 2 * TENANTS);
}
END_TEST

START_TEST(what_was_claimed_survives_the_servers_death)
{
	struct claimed c;

	ENTER("e/1", "T1", NOW, "a", "b");
	c = claim_all(NOW);
	settle_as(d, &c.list[0], DELIVERY_DONE, 200, NOW, 0);
	redis_server_kill(server);
	ck_assert(!d->figures(d, NOW, &(struct deliveries_figures){ 0 }, &e));
	ck_assert_int_eq(e.class, ERR_TRANSIENT);
	err_clear(&e);
	good(redis_server_restart(server, &e));
	ck_assert_int_eq(waiting_now(), 1);
	ck_assert_uint_eq(claim_all(NOW + 1).count, 0);
	ck_assert_uint_eq(claim_all(NOW + LEASE).count, 1);
}
END_TEST

/* ---- who gets how much ---- */

START_TEST(one_app_takes_no_more_than_its_share)
{
	char event[16], ctx[16];
	struct claimed c;

	for (int i = 0; i < 20; i++) {
		snprintf(event, sizeof event, "e/%d", i);
		snprintf(ctx, sizeof ctx, "T%d", i);
		ENTER(event, ctx, NOW, "greedy");
	}
	ENTER("z/1", "T1", NOW + 1, "z");
	c = claim_room(d, NOW + 1, (struct claim_room){ 10, 10, 4 });
	ck_assert_uint_eq(c.count, 5);
	ck_assert_str_eq(c.list[4].client_id, "z");
	ck_assert_int_eq(c.next_ms, NOW + 1 + LEASE); /* the greedy one stands back */
	ck_assert_uint_eq(claim_room(other, NOW + 2, (struct claim_room){ 10, 10, 4 }).count, 0);
	settle_as(d, &c.list[0], DELIVERY_DONE, 200, NOW + 3, 0);
	ck_assert_uint_eq(claim_room(d, NOW + 3, (struct claim_room){ 10, 10, 4 }).count, 1);
	/* A notifier died with its claims: they count no more. */
	ck_assert_uint_eq(claim_room(other, NOW + 3 * LEASE, (struct claim_room){ 10, 10, 4 }).count, 5);
}
END_TEST

START_TEST(slow_apps_share_a_room_of_their_own)
{
	static const char *const names[] = { "s1", "s2", "s3", "q1" };
	struct claimed c;

	enter_in(d, "e/1", "T1", names, 4, NOW);
	enter_in(d, "e/2", "T1", names, 4, NOW);
	c = claim_all(NOW);
	for (size_t i = 0; i < c.count; i++) {
		const struct settlement s = { .claim = &c.list[i], .was_tried = true, .state = DELIVERY_DONE,
			.app_slow = c.list[i].client_id[0] == 's', .tried = { NOW, 1, 200, "" } };

		good(d->settle(d, &s, 1, NOW, &e));
	}
	ck_assert(app_of("s1").is_slow);
	c = claim_room(d, NOW + 1, (struct claim_room){ 10, 0, 4 });
	ck_assert_uint_eq(c.count, 1);
	ck_assert_str_eq(c.list[0].client_id, "q1");
	c = claim_room(d, NOW + 1, (struct claim_room){ 10, 2, 4 });
	ck_assert_uint_eq(c.count, 2);
	ck_assert(c.list[0].app_slow);
	settle_as(d, &c.list[0], DELIVERY_DONE, 200, NOW + 2, 0); /* quick this time */
	ck_assert(!app_of(c.list[0].client_id).is_slow);
}
END_TEST

/* ---- operators ---- */

START_TEST(an_app_that_is_off_is_left_alone_until_it_is_on)
{
	struct claimed c;

	ENTER("e/1", "T1", NOW, "a", "b");
	good(d->switch_app(d, "a", false, "they asked", NOW, &e));
	c = claim_all(NOW);
	ck_assert_uint_eq(c.count, 1);
	ck_assert_str_eq(c.list[0].client_id, "b");
	ENTER("e/2", "T2", NOW, "a");
	ck_assert_uint_eq(claim_all(NOW).count, 0);
	ck_assert_int_eq(shown("e/1", "a").state, DELIVERY_PARKED);
	ck_assert(app_of("a").is_off);
	ck_assert_str_eq(app_of("a").off_reason, "they asked");
	good(d->switch_app(d, "a", true, "", NOW + 1, &e));
	ck_assert_uint_eq(claim_all(NOW + 1).count, 2);
	ck_assert(!d->switch_app(d, "nobody", false, "", NOW, &e));
	ck_assert_int_eq(e.class, ERR_REFUSED);
}
END_TEST

START_TEST(a_settlement_switches_off)
{
	struct deliveries_figures f;
	struct settlement s = { .was_tried = true, .state = DELIVERY_PARKED, .again_ms = NOW, .app_failed = true,
		.app_off = true, .off_reason = "it answered 410", .tried = { NOW, 1, 410, "gone" } };
	struct claimed c;

	ENTER("e/1", "T1", NOW, "a");
	c = claim_all(NOW);
	s.claim = &c.list[0];
	good(d->settle(d, &s, 1, NOW, &e));
	ck_assert(app_of("a").is_off);
	ck_assert_int_eq(shown("e/1", "a").state, DELIVERY_PARKED);
	ck_assert_uint_eq(claim_all(NOW + LEASE).count, 0);
	good(d->figures(d, NOW, &f, &e));
	ck_assert_int_eq(f.apps_off, 1);
	ck_assert_int_eq(f.waiting, 1);
	good(d->switch_app(d, "a", true, "", NOW + 1, &e));
	c = claim_all(NOW + 1);
	ck_assert_uint_eq(c.count, 1);
	ck_assert_int_eq(c.list[0].tries, 1);
	ck_assert_int_eq(c.list[0].app_failing_since_ms, 0);
}
END_TEST

START_TEST(redelivery_goes_behind_the_queue)
{
	struct claimed c;

	ENTER("e/1", "T1", NOW, "a");
	ENTER("e/2", "T1", NOW, "a");
	c = claim_all(NOW);
	ck_assert(!d->redeliver(d, "e/1", "a", NOW, &e)); /* it waits anyway */
	err_clear(&e);
	settle_as(d, &c.list[0], DELIVERY_DONE, 200, NOW, 0);
	good(d->redeliver(d, "e/1", "a", NOW + 1, &e));
	ck_assert_int_eq(waiting_now(), 2);
	c = claim_all(NOW + 1);
	ck_assert_uint_eq(c.count, 1);
	ck_assert_str_eq(c.list[0].notice->event_id, "e/2");
	settle_as(d, &c.list[0], DELIVERY_DONE, 200, NOW + 2, 0);
	c = claim_all(NOW + 2);
	ck_assert_str_eq(c.list[0].notice->event_id, "e/1");
	ck_assert_int_eq(c.list[0].tries, 0);
	settle_as(d, &c.list[0], DELIVERY_DONE, 200, NOW + 3, 0);
	ck_assert_uint_eq(shown("e/1", "a").log_count, 2);
	ck_assert(!d->redeliver(d, "e/9", "a", NOW, &e));
	ck_assert_int_eq(e.class, ERR_REFUSED);
}
END_TEST

static size_t listed(struct delivery_filter filter)
{
	const struct delivery_record *list;
	size_t count;

	good(d->list(d, &filter, mem, &list, &count, &e));
	return count;
}

START_TEST(deliveries_are_listed_newest_first_and_filtered)
{
	const struct delivery_filter all = { 0 };
	const struct delivery_record *list;
	struct claimed c;
	size_t count;
	char event[16];

	for (int i = 0; i < 30; i++) { /* more than one page */
		snprintf(event, sizeof event, "e/%d", i);
		ENTER(event, i % 2 ? "T1" : "T2", NOW + i, "b", "a");
	}
	good(d->list(d, &all, mem, &list, &count, &e));
	ck_assert_uint_eq(count, 60);
	ck_assert_str_eq(list[0].event_id, "e/29");
	ck_assert_str_eq(list[0].client_id, "a");
	ck_assert_str_eq(list[1].client_id, "b");
	ck_assert_str_eq(list[59].event_id, "e/0");
	ck_assert_uint_eq(listed((struct delivery_filter){ .limit = 7 }), 7);
	ck_assert_uint_eq(listed((struct delivery_filter){ .client_id = "b" }), 30);
	ck_assert_uint_eq(listed((struct delivery_filter){ .ctx = "T1" }), 30);
	ck_assert_uint_eq(listed((struct delivery_filter){ .event_id = "e/4" }), 2);
	ck_assert_uint_eq(listed((struct delivery_filter){ .event_id = "e/4", .client_id = "a" }), 1);
	ck_assert_uint_eq(listed((struct delivery_filter){ .clone_id = "none" }), 0);
	ck_assert_uint_eq(listed((struct delivery_filter){ .since_ms = NOW + 28 }), 4);
	c = claim_all(NOW + 30);
	settle_as(d, &c.list[0], DELIVERY_DONE, 200, NOW + 30, 0);
	ck_assert_uint_eq(listed((struct delivery_filter){ .state = DELIVERY_DONE }), 1);
	ck_assert_uint_eq(listed((struct delivery_filter){ .state = DELIVERY_WAITING }), 59);
	ck_assert_uint_eq(listed((struct delivery_filter){ .event_id = "no/such" }), 0);
}
END_TEST

START_TEST(apps_are_listed_sorted)
{
	const struct app_record *list;
	size_t count;

	ENTER("e/1", "T1", NOW, "c", "a", "b b\n*");
	good(d->apps(d, mem, &list, &count, &e));
	ck_assert_uint_eq(count, 3);
	ck_assert_str_eq(list[0].client_id, "a");
	ck_assert_str_eq(list[1].client_id, "b b\n*");
	ck_assert_str_eq(list[2].name, "An app");
}
END_TEST

START_TEST(those_who_have_not_answered_are_known)
{
	const struct notice notice = notice_of("e/1", "T1");
	const struct notice_app apps[] = { { "none", "n", ACK_NONE, 0 }, { "wait", "w", ACK_WAIT, NOW + 9 },
		{ "hold", "h", ACK_HOLD, 0 } };
	const struct delivery_record *list;
	struct claimed c;
	size_t count;
	bool known;

	good(d->unacknowledged(d, "e/1", mem, &list, &count, &known, &e));
	ck_assert(!known);
	good(d->enter(d, &notice, apps, 3, NOW, &e));
	good(d->unacknowledged(d, "e/1", mem, &list, &count, &known, &e));
	ck_assert(known);
	ck_assert_uint_eq(count, 2);
	ck_assert_str_eq(list[0].client_id, "hold");
	ck_assert_int_eq(list[0].ack, ACK_HOLD);
	ck_assert_int_eq(list[1].ack_until_ms, NOW + 9);
	c = claim_all(NOW);
	for (size_t i = 0; i < c.count; i++)
		if (strcmp(c.list[i].client_id, "hold") == 0)
			settle_as(d, &c.list[i], DELIVERY_DONE, 200, NOW, 0);
	good(d->unacknowledged(d, "e/1", mem, &list, &count, &known, &e));
	ck_assert_uint_eq(count, 1);
	ck_assert_str_eq(list[0].client_id, "wait");
}
END_TEST

static struct notices_waited waited(int run, int64_t now_ms)
{
	const struct redis_settings settings = { .socket_path = redis_server_socket(server) };
	struct notices_port *notices = redis_notices_new(&settings, &e);
	struct notices_waited w;

	ck_assert_ptr_nonnull(notices);
	good(notices->waited_for(notices, "clone-1", run, now_ms, &w, &e));
	redis_notices_free(&notices);
	return w;
}

START_TEST(a_clone_waits_for_those_it_must)
{
	const struct notice notice = notice_of("clone-1/2/backup-restored", "T1");
	const struct notice_app apps[] = { { "none", "n", ACK_NONE, 0 }, { "wait", "w", ACK_WAIT, NOW + 9 },
		{ "hold", "h", ACK_HOLD, 0 } };
	struct claimed c;

	ck_assert(!waited(3, NOW).is_stored);
	good(d->enter(d, &notice, apps, 3, NOW, &e));
	ck_assert(!waited(1, NOW).is_stored);
	ck_assert(waited(3, NOW).is_stored); /* a replay that begins behind step 31 */
	ck_assert_uint_eq(waited(2, NOW).count, 2);
	ck_assert_str_eq(waited(2, NOW).first, "hold");
	ck_assert_uint_eq(waited(2, NOW + 9).count, 1);
	c = claim_all(NOW);
	for (size_t i = 0; i < c.count; i++)
		settle_as(d, &c.list[i], strcmp(c.list[i].client_id, "hold") == 0 ? DELIVERY_WITHDRAWN : DELIVERY_DONE, 200, NOW, 0);
	ck_assert_uint_eq(waited(2, NOW).count, 0);
}
END_TEST

START_TEST(a_notice_without_apps_is_known_too)
{
	const struct notice notice = notice_of("e/1", "T1");
	const struct delivery_record *list;
	size_t count;
	bool known;

	good(d->enter(d, &notice, NULL, 0, NOW, &e));
	good(d->unacknowledged(d, "e/1", mem, &list, &count, &known, &e));
	ck_assert(known);
	ck_assert_uint_eq(count, 0);
	ck_assert_int_gt(redis_server_tell(server, "PTTL sandbox:{notifier}:id:e/1"), 0);
}
END_TEST

START_TEST(what_ended_is_kept_for_its_time_only)
{
	struct claimed c;

	ENTER("e/1", "T1", NOW, "a", "b");
	c = claim_all(NOW);
	settle_as(d, &c.list[0], DELIVERY_DONE, 200, NOW, 0);
	ck_assert_int_eq(redis_server_tell(server, "PTTL sandbox:{notifier}:told:1"), -1);
	settle_as(d, &c.list[1], DELIVERY_WITHDRAWN, 0, NOW, 0);
	ck_assert_int_gt(redis_server_tell(server, "PTTL sandbox:{notifier}:told:1"), 29LL * 24 * 3600 * 1000);
	ck_assert_int_gt(redis_server_tell(server, "PTTL sandbox:{notifier}:notice:1"), 29LL * 24 * 3600 * 1000);
	good(d->redeliver(d, "e/1", "a", NOW, &e));
	ck_assert_int_eq(redis_server_tell(server, "PTTL sandbox:{notifier}:told:1"), -1);
	ck_assert_int_eq(redis_server_tell(server, "PTTL sandbox:{notifier}:id:e/1"), -1);
	/* Expired behind our back: the index forgets it with the next notice, and nothing is handed out. */
	redis_server_tell(server, "DEL sandbox:{notifier}:told:1 sandbox:{notifier}:notice:1 sandbox:{notifier}:id:e/1");
	ck_assert_uint_eq(claim_all(NOW + 1).count, 0);
	ENTER("e/2", "T1", NOW, "a");
	ck_assert_int_eq(redis_server_tell(server, "ZCARD sandbox:{notifier}:notices"), 1);
	ck_assert_uint_eq(claim_all(NOW + 1).count, 1);
}
END_TEST

/* What a million waiting retries take: stated in docs/redis.md and held to it here with a fiftieth. */
START_TEST(a_million_waiting_retries_have_a_bound)
{
	enum { TENANTS = 100, APPS = 200 };
	static const char used[] = "EVAL \"return tonumber(redis.call('INFO','memory'):match('used_memory:(%d+)'))\" 0";
	struct notice_app apps[APPS];
	long long before, after;
	char event[80], ctx[16];

	for (int i = 0; i < APPS; i++)
		apps[i] = (struct notice_app){ .client_id = arena_printf(mem, "%08x%08x%08x%08x", i, i, i, i), .name = "An app" };
	before = redis_server_tell(server, used);
	for (int i = 0; i < TENANTS; i++) {
		snprintf(event, sizeof event, "0198f0c2-0001-7c5b-9a54-%012d/1/backup-restored", i);
		snprintf(ctx, sizeof ctx, "Cust%05d", i);
		const struct notice notice = notice_of(event, ctx);
		good(d->enter(d, &notice, apps, APPS, NOW, &e));
	}
	for (size_t done = 0; done < (size_t)TENANTS * APPS;) {
		struct arena *page = arena_new((size_t)8 * 1024 * 1024);
		struct settlement s[DELIVERY_CLAIM_MAX];
		const struct claim *list;
		size_t count;
		int64_t next;

		good(d->claim(d, NOW, LEASE, &(struct claim_room){ DELIVERY_CLAIM_MAX, 512, 100000 }, page, &list, &count, &next, &e));
		ck_assert_uint_gt(count, 0);
		for (size_t i = 0; i < count; i++)
			s[i] = (struct settlement){ .claim = &list[i], .was_tried = true, .state = DELIVERY_WAITING,
				.again_ms = NOW + 5000, .app_failed = true,
				.tried = { 1760000000000, 12, 503, "the app answered 503 Service Unavailable" } };
		good(d->settle(d, s, count, NOW, &e));
		done += count;
		arena_free(&page);
	}
	after = redis_server_tell(server, used);
	printf("a waiting retry takes %lld bytes of Redis, a million %lld MB\n", (after - before) / (TENANTS * APPS),
	       (after - before) * 1000000 / (TENANTS * APPS) / 1000000);
	ck_assert_int_eq(waiting_now(), TENANTS * APPS);
	ck_assert_int_lt((after - before) / (TENANTS * APPS), 600);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("redis_deliveries");
	TCase *t = tcase_create("deliveries");
	SRunner *sr = srunner_create(s);
	const TTest *const tests[] = { a_notice_is_handed_out_with_all_it_says,
		a_tenants_notices_come_in_order_and_others_do_not_wait, the_log_keeps_the_last_tries,
		a_crash_anywhere_in_entering_loses_and_repeats_nothing, a_claim_that_ran_out_is_anothers,
		a_claim_that_ran_out_and_is_nobodys_still_settles, settling_twice_changes_nothing, two_claimers_never_get_the_same,
		what_was_claimed_survives_the_servers_death, one_app_takes_no_more_than_its_share,
		slow_apps_share_a_room_of_their_own, an_app_that_is_off_is_left_alone_until_it_is_on, a_settlement_switches_off,
		redelivery_goes_behind_the_queue, deliveries_are_listed_newest_first_and_filtered, apps_are_listed_sorted,
		those_who_have_not_answered_are_known, a_clone_waits_for_those_it_must, a_notice_without_apps_is_known_too, what_ended_is_kept_for_its_time_only,
		a_million_waiting_retries_have_a_bound };
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 200);
	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
		tcase_add_test(t, tests[i]);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
