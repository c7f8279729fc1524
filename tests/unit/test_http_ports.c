/* SPDX-License-Identifier: Apache-2.0
 * Every function of the five HTTP ports against the real stub server: it does what the port's header says, a repeat
 * acts once, an old owner is refused, and names from outside stay names. */
#include "consumer/adapters/http/apps_http.h"
#include "consumer/adapters/http/identity_http.h"
#include "consumer/adapters/http/licence_http.h"
#include "consumer/adapters/http/mail_http.h"
#include "consumer/adapters/http/tenant_http.h"
#include "tests/support/stub_server.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char seed[] =
	"{\"tenants\":["
	"{\"ctx\":\"North\",\"kind\":\"production\",\"database\":\"north\",\"files_root\":\"north\"},"
	"{\"ctx\":\"NorthTest\",\"kind\":\"test\",\"linked_source\":\"North\",\"company\":\"North Ltd\","
	"\"database\":\"north_test\",\"files_root\":\"nt\",\"home_web_cluster\":\"web1\",\"home_db_cluster\":\"db1\","
	"\"web_cluster\":\"web9\",\"db_cluster\":\"db9\",\"endpoint\":\"https://online.example/NorthTest\","
	"\"version_name\":\"v1\",\"file_version\":\"1.0\",\"tasks\":[{\"name\":\"Upgrade\",\"ends_after_reads\":1}]}],"
	"\"identities\":[{\"ctx\":\"North\",\"name\":\"North\",\"serial\":\"1\"},"
	"{\"ctx\":\"OldTest\",\"test_of\":\"North\"}],"
	"\"routes\":[{\"id\":\"r2\",\"address\":\"b@nt.example\",\"tenant_ctx\":\"NorthTest\"},"
	"{\"id\":\"r1\",\"address\":\"a@nt.example\",\"tenant_ctx\":\"NorthTest\"},"
	"{\"id\":\"r3\",\"address\":\"c@nt.example\",\"tenant_ctx\":\"NorthTest2\"}],"
	"\"licences\":[{\"ctx\":\"NorthTest\",\"owner\":\"North\",\"serial\":\"S-9\",\"modules\":["
	"{\"name\":\"sales\",\"type\":3,\"count\":5,\"is_user_plan\":true,\"set\":\"user,web\"},"
	"{\"name\":\"site\",\"type\":1,\"count\":1,\"is_user_plan\":false}]}],"
	"\"authorisations\":[{\"ctx\":\"NorthTest\",\"client_id\":\"z\",\"name\":\"Z\",\"status\":\"revoked\"},"
	"{\"ctx\":\"NorthTest\",\"client_id\":\"a\",\"name\":\"A\",\"partner\":\"P\",\"system_user_token\":\"A-x\","
	"\"state_change_url\":\"https://p.example/h\",\"webhook_secrets\":[\"whsec_new\",\"whsec_old\"],"
	"\"acknowledgement\":\"wait\",\"acknowledge_within_s\":90},"
	"{\"ctx\":\"Odd\",\"client_id\":\"o\",\"name\":\"O\",\"acknowledgement\":\"perhaps\"},"
	"{\"ctx\":\"Many\",\"client_id\":\"m\",\"name\":\"M\",\"webhook_secrets\":[\"1\",\"2\",\"3\",\"4\",\"5\"]},"
	"{\"ctx\":\"Numbers\",\"client_id\":\"n\",\"name\":\"N\",\"webhook_secrets\":[1]},"
	"{\"ctx\":\"North\",\"client_id\":\"b\",\"name\":\"B\"}]}";

static struct stub_server *server;
static struct err err;
static struct arena *mem;
static struct tenant_port *tenant;
static struct identity_port *identity;
static struct mail_port *mail;
static struct licence_port *licence;
static struct apps_port *apps;
static struct fence now = { "11111111-1111-7111-8111-111111111111", 1, "some_step", "NorthTest", "nt__g1", 100 };
static struct fence old;

static struct http_settings at(const char *system, char url[64])
{
	stub_server_url(server, system, url, 64);
	return (struct http_settings){ .base_url = url, .total_timeout_ms = 5000 };
}

static void setup(void)
{
	struct http_settings s;
	char url[64];

	err_clear(&err);
	server = stub_server_start(NULL, seed, &err);
	ck_assert_msg(server, "%s", err.text);
	mem = arena_new((size_t)64 * 1024 * 1024);
	s = at("hosting", url);
	tenant = tenant_http_new(&s, NULL, &err);
	s = at("superid", url);
	identity = identity_http_new(&s, NULL, &err);
	s = at("mail", url);
	mail = mail_http_new(&s, NULL, &err);
	s = at("licence", url);
	licence = licence_http_new(&s, NULL, &err);
	s = at("apps", url);
	apps = apps_http_new(&s, NULL, &err);
	ck_assert_msg(tenant && identity && mail && licence && apps, "%s", err.text);
	old = now;
	old.token = now.token - 1;
	old.step = "older_step";
}

static void teardown(void)
{
	tenant_http_free(&tenant);
	identity_http_free(&identity);
	mail_http_free(&mail);
	licence_http_free(&licence);
	apps_http_free(&apps);
	arena_free(&mem);
	stub_server_free(&server);
}

static void done(bool ok)
{
	ck_assert_msg(ok, "%s: %s", err_class_name(err.class), err.text);
}

/* Done twice, the second time with a new owner's token, and then tried by the first: one effect. */
static void acts_once(const char *key, bool first, bool again, bool by_old)
{
	done(first && again);
	ck_assert_uint_eq(stub_server_acted(server, key), 1);
	ck_assert(!by_old);
	ck_assert_int_eq(err.class, ERR_REFUSED);
	ck_assert_int_eq(err.code, ERR_CODE_FENCED);
	ck_assert_ptr_nonnull(strstr(err.text, "newer owner"));
	err_clear(&err);
}
#define ACTS_ONCE(key, CALL)                                                                                           \
	do {                                                                                                           \
		const struct fence *f = &now;                                                                          \
		bool first = (CALL), again = (CALL);                                                                   \
		f = &old;                                                                                              \
		acts_once(key, first, again, (CALL));                                                                  \
	} while (0)

static struct tenant_record look(void)
{
	struct tenant_record record;

	done(tenant->get(tenant, "NorthTest", &record, &err));
	return record;
}

/* ---- hosting ---- */

START_TEST(test_tenant_get)
{
	struct tenant_record r = look();

	ck_assert_str_eq(r.ctx, "NorthTest");
	ck_assert_int_eq(r.kind, TENANT_TEST);
	ck_assert_int_eq(r.state, TENANT_RUNNING);
	ck_assert_str_eq(r.linked_source, "North");
	ck_assert_str_eq(r.company, "North Ltd");
	ck_assert_str_eq(r.database, "north_test");
	ck_assert_str_eq(r.files_root, "nt");
	ck_assert_str_eq(r.home_web_cluster, "web1");
	ck_assert_str_eq(r.home_db_cluster, "db1");
	ck_assert_str_eq(r.web_cluster, "web9");
	ck_assert_str_eq(r.db_cluster, "db9");
	ck_assert_str_eq(r.endpoint, "https://online.example/NorthTest");
	ck_assert(strcmp(r.version_name, "v1") == 0 && strcmp(r.file_version, "1.0") == 0);
	ck_assert_str_eq(r.stamp.clone_id, "");
	ck_assert_int_eq(r.pending_tasks, 1);
	ck_assert_int_eq(look().pending_tasks, 0);
	done(tenant->get(tenant, "North", &r, &err));
	ck_assert_int_eq(r.kind, TENANT_PRODUCTION);
}
END_TEST

START_TEST(test_tenant_unknown)
{
	struct tenant_record r;

	ck_assert(!tenant->get(tenant, "Nobody", &r, &err));
	ck_assert_int_eq(err.class, ERR_REFUSED);
	ck_assert_int_eq(err.code, ERR_CODE_MISSING);
	ck_assert_ptr_nonnull(strstr(err.text, "No such tenant"));
}
END_TEST

START_TEST(test_tenant_state)
{
	ACTS_ONCE("set_state/OfflineMaintenance",
	          tenant->set_state(tenant, f, "NorthTest", TENANT_OFFLINE_MAINTENANCE, &err));
	ck_assert_int_eq(look().state, TENANT_OFFLINE_MAINTENANCE);
}
END_TEST

START_TEST(test_tenant_clusters)
{
	ACTS_ONCE("bind_clusters", tenant->bind_clusters(tenant, f, "NorthTest", "web1", "db1", &err));
	ck_assert_str_eq(look().web_cluster, "web1");
	ck_assert_str_eq(look().db_cluster, "db1");
}
END_TEST

START_TEST(test_tenant_generations)
{
	struct tenant_record r;

	ACTS_ONCE("/retire", tenant->retire(tenant, f, "NorthTest", &err));
	r = look();
	ck_assert_str_eq(r.database, "");
	ck_assert(strcmp(r.previous_database, "north_test") == 0 && strcmp(r.previous_files_root, "nt") == 0);
	ACTS_ONCE("/route/nt__g1", tenant->route(tenant, f, "NorthTest", "nt__g1", "nt__g1f", &err));
	r = look();
	ck_assert(strcmp(r.database, "nt__g1") == 0 && strcmp(r.files_root, "nt__g1f") == 0);
	ck_assert_str_eq(r.previous_database, "north_test");
	ck_assert_int_eq(r.pending_web_config, 1);
	ck_assert_int_eq(look().pending_web_config, 1);
	ck_assert_int_eq(look().pending_web_config, 0);
	ACTS_ONCE("/forget_previous", tenant->forget_previous(tenant, f, "NorthTest", &err));
	ck_assert_str_eq(look().previous_database, "");
	ck_assert_str_eq(look().previous_files_root, "");
}
END_TEST

/* Rolling back must never leave the database in service named as the one to drop. */
START_TEST(test_tenant_route_back)
{
	done(tenant->retire(tenant, &now, "NorthTest", &err));
	done(tenant->route(tenant, &now, "NorthTest", "nt__g1", "nt__g1", &err));
	done(tenant->route(tenant, &now, "NorthTest", "north_test", "nt", &err));
	ck_assert_str_eq(look().database, "north_test");
	ck_assert_str_eq(look().previous_database, "nt__g1");
}
END_TEST

START_TEST(test_tenant_stamp)
{
	struct tenant_stamp stamp = { "11111111-1111-7111-8111-111111111111", "North", "nt__g1", 18446744073709551615u };
	struct tenant_record r;

	ACTS_ONCE("put_stamp", tenant->put_stamp(tenant, f, "NorthTest", &stamp, &err));
	r = look();
	ck_assert_str_eq(r.stamp.clone_id, stamp.clone_id);
	ck_assert_str_eq(r.stamp.source_ctx, "North");
	ck_assert_str_eq(r.stamp.database, "nt__g1");
	ck_assert(r.stamp.token == stamp.token);
	stamp.token = 7; /* a new owner stamps again in the same step */
	done(tenant->put_stamp(tenant, &now, "NorthTest", &stamp, &err));
	ck_assert(look().stamp.token == 7);
}
END_TEST

START_TEST(test_tenant_recycle)
{
	ACTS_ONCE("/recycle", tenant->recycle(tenant, f, "NorthTest", &err));
	ck_assert_str_eq(look().pool_recycled_by, "11111111-1111-7111-8111-111111111111/1/some_step/recycle");
}
END_TEST

START_TEST(test_production_is_refused)
{
	struct fence f = now;

	f.target_ctx = "North";
	ck_assert(!tenant->set_state(tenant, &f, "North", TENANT_OFFLINE_MAINTENANCE, &err));
	ck_assert_int_eq(err.class, ERR_REFUSED);
	ck_assert_int_eq(err.code, 403);
	ck_assert_uint_eq(stub_server_acted(server, ""), 0);
}
END_TEST

/* A caller's mistake never leaves the machine. */
START_TEST(test_other_tenant_than_the_fence)
{
	ck_assert(!tenant->set_state(tenant, &now, "North", TENANT_OFFLINE_MAINTENANCE, &err));
	ck_assert_int_eq(err.class, ERR_MISUSE);
	err_clear(&err);
	ck_assert(!identity->link_test(identity, &now, "NorthTest", "North", &err));
	ck_assert_int_eq(err.class, ERR_MISUSE);
	ck_assert_uint_eq(stub_server_received(server, ""), 0);
}
END_TEST

START_TEST(test_state_names)
{
	ck_assert_str_eq(tenant_state_name(TENANT_UNKNOWN), "Unknown");
	ck_assert_str_eq(tenant_state_name(TENANT_OFFLINE_MAINTENANCE), "OfflineMaintenance");
	ck_assert_str_eq(tenant_state_name(TENANT_MIGRATION_PENDING), "MigrationPending");
	ck_assert_str_eq(tenant_state_name((enum tenant_state)99), "Unknown");
}
END_TEST

/* ---- SuperID ---- */

START_TEST(test_identity_register_and_link)
{
	struct identity_tenant t;
	bool found = true;

	done(identity->get(identity, "NorthTest", &found, &t, &err));
	ck_assert(!found);
	ACTS_ONCE("/put/", identity->put(identity, f, "NorthTest", "Test Env - North", "S-9", &err));
	ACTS_ONCE("/link_test/North", identity->link_test(identity, f, "North", "NorthTest", &err));
	done(identity->get(identity, "NorthTest", &found, &t, &err));
	ck_assert(found);
	ck_assert_str_eq(t.name, "Test Env - North");
	ck_assert_str_eq(t.serial, "S-9");
	ck_assert_str_eq(t.test_of, "North");
	ck_assert_int_eq(t.state, IDENTITY_NORMAL);
	done(identity->get(identity, "OldTest", &found, &t, &err)); /* the former link is replaced */
	ck_assert_str_eq(t.test_of, "");
	ck_assert_str_eq(t.test_tenant, "");
	done(identity->get(identity, "North", &found, &t, &err));
	ck_assert_str_eq(t.test_tenant, "NorthTest");
}
END_TEST

START_TEST(test_identity_state)
{
	struct identity_tenant t;
	bool found;

	done(identity->put(identity, &now, "NorthTest", "n", "s", &err));
	ACTS_ONCE("/set_state/in_migration",
	          identity->set_state(identity, f, "NorthTest", IDENTITY_IN_MIGRATION, &err));
	done(identity->get(identity, "NorthTest", &found, &t, &err));
	ck_assert_int_eq(t.state, IDENTITY_IN_MIGRATION);
}
END_TEST

START_TEST(test_identity_users)
{
	const struct identity_user two[] = { { "zoe", 7 }, { "adam \"q\" \xc3\xa6", 3 } };
	const struct identity_users users = { two, 2 }, none = { NULL, 0 };
	struct identity_users got;

	done(identity->put(identity, &now, "NorthTest", "n", "s", &err));
	ACTS_ONCE("/put_users/", identity->put_users(identity, f, "NorthTest", &users, &err));
	done(identity->list_users(identity, "NorthTest", mem, &got, &err));
	ck_assert_uint_eq(got.count, 2);
	ck_assert_str_eq(got.users[0].login, "adam \"q\" \xc3\xa6");
	ck_assert_int_eq(got.users[0].associate_id, 3);
	ck_assert_str_eq(got.users[1].login, "zoe");
	done(identity->put_users(identity, &now, "NorthTest", &none, &err)); /* other content, another order */
	done(identity->list_users(identity, "NorthTest", mem, &got, &err));
	ck_assert_uint_eq(got.count, 0);
}
END_TEST

START_TEST(test_identity_many_users)
{
	enum { MANY = 20000 };
	struct identity_user *list = calloc(MANY, sizeof *list);
	const struct identity_users users = { list, MANY };
	struct identity_users got;

	for (long i = 0; i < MANY; i++)
		list[i] = (struct identity_user){ arena_printf(mem, "user%05ld", i), i };
	done(identity->put(identity, &now, "NorthTest", "n", "s", &err));
	done(identity->put_users(identity, &now, "NorthTest", &users, &err));
	done(identity->list_users(identity, "NorthTest", mem, &got, &err));
	ck_assert_uint_eq(got.count, MANY);
	ck_assert_str_eq(got.users[MANY - 1].login, "user19999");
	free(list);
}
END_TEST

START_TEST(test_text_that_is_not_utf8)
{
	ck_assert(!identity->put(identity, &now, "NorthTest", "bad \xff name", "s", &err));
	ck_assert_int_eq(err.class, ERR_REFUSED);
	ck_assert_uint_eq(stub_server_received(server, ""), 0);
}
END_TEST

/* ---- mail ---- */

START_TEST(test_mail_routes)
{
	struct mail_routes got;

	done(mail->list(mail, "NorthTest", mem, &got, &err));
	ck_assert_uint_eq(got.count, 2); /* not r3, whose tenant only begins alike */
	ck_assert_str_eq(got.routes[0].id, "r1");
	ck_assert_str_eq(got.routes[0].address, "a@nt.example");
	ck_assert_str_eq(got.routes[1].tenant_ctx, "NorthTest");
	ACTS_ONCE("/remove/r1", mail->remove(mail, f, "r1", &err));
	ACTS_ONCE("/put/r9", mail->put(mail, f, "r9", "test-NorthTest@sink.example", &err));
	done(mail->list(mail, "NorthTest", mem, &got, &err));
	ck_assert_uint_eq(got.count, 2);
	ck_assert_str_eq(got.routes[0].id, "r2");
	ck_assert_str_eq(got.routes[1].id, "r9");
}
END_TEST

START_TEST(test_mail_of_others)
{
	struct mail_routes got;

	done(mail->remove(mail, &now, "nothing", &err)); /* there was none: done */
	done(mail->remove(mail, &now, "r3", &err));
	ck_assert(!mail->put(mail, &now, "r3", "x@sink.example", &err));
	ck_assert_int_eq(err.class, ERR_REFUSED);
	ck_assert_int_eq(err.code, 409);
	err_clear(&err);
	done(mail->list(mail, "NorthTest2", mem, &got, &err));
	ck_assert_uint_eq(got.count, 1);
	ck_assert_str_eq(got.routes[0].address, "c@nt.example");
}
END_TEST

/* ---- licence ---- */

START_TEST(test_licence)
{
	struct licence l;

	done(licence->get(licence, "NorthTest", mem, &l, &err));
	ck_assert_str_eq(l.owner, "North");
	ck_assert_str_eq(l.serial, "S-9");
	ck_assert_uint_eq(l.count, 2);
	ck_assert_str_eq(l.modules[0].name, "sales");
	ck_assert_int_eq(l.modules[0].type, 3);
	ck_assert_int_eq(l.modules[0].count, 5);
	ck_assert(l.modules[0].is_user_plan && !l.modules[1].is_user_plan);
	ck_assert_str_eq(l.modules[0].set, "user,web");
	ck_assert(!licence->get(licence, "North", mem, &l, &err));
	ck_assert_int_eq(err.class, ERR_REFUSED);
}
END_TEST

START_TEST(test_company)
{
	const struct company_info info = { "Test Env - North", "S-9", "nt__g1", 4 };
	struct company_info got;
	bool found = true;

	done(licence->get_company(licence, "NorthTest", mem, &found, &got, &err));
	ck_assert(!found);
	ACTS_ONCE("/put_company/", licence->put_company(licence, f, "NorthTest", &info, &err));
	done(licence->get_company(licence, "NorthTest", mem, &found, &got, &err));
	ck_assert(found);
	ck_assert_str_eq(got.company, info.company);
	ck_assert(strcmp(got.serial, info.serial) == 0 && strcmp(got.database, info.database) == 0);
	ck_assert_int_eq(got.users_with_plan, 4);
}
END_TEST

/* ---- apps ---- */

START_TEST(test_apps)
{
	struct app_authorisations got;

	done(apps->list(apps, "NorthTest", mem, &got, &err));
	ck_assert_uint_eq(got.count, 2);
	ck_assert_str_eq(got.apps[0].client_id, "a");
	ck_assert_str_eq(got.apps[0].name, "A");
	ck_assert_str_eq(got.apps[0].partner, "P");
	ck_assert_int_eq(got.apps[0].status, APP_ACTIVE);
	ck_assert_str_eq(got.apps[0].system_user_token, "A-x");
	ck_assert_str_eq(got.apps[0].state_change_url, "https://p.example/h");
	ck_assert_int_eq(got.apps[1].status, APP_REVOKED);
	ck_assert_str_eq(got.apps[1].state_change_url, "");
	ck_assert_uint_eq(got.apps[0].webhook_secret_count, 2);
	ck_assert_str_eq(got.apps[0].webhook_secrets[0], "whsec_new");
	ck_assert_str_eq(got.apps[0].webhook_secrets[1], "whsec_old");
	ck_assert_int_eq(got.apps[0].acknowledgement, ACK_WAIT);
	ck_assert_int_eq(got.apps[0].acknowledge_within_ms, 90000);
	ck_assert_uint_eq(got.apps[1].webhook_secret_count, 0);
	ck_assert_int_eq(got.apps[1].acknowledgement, ACK_NONE);
	done(apps->list(apps, "Nobody", mem, &got, &err));
	ck_assert_uint_eq(got.count, 0);
}
END_TEST

START_TEST(test_apps_with_odd_webhook_members)
{
	struct app_authorisations got;

	done(apps->list(apps, "Odd", mem, &got, &err));
	ck_assert_int_eq(got.apps[0].acknowledgement, ACK_NONE);
	ck_assert(!apps->list(apps, "Many", mem, &got, &err));
	ck_assert_int_eq(err.class, ERR_REFUSED);
	err_clear(&err);
	ck_assert(!apps->list(apps, "Numbers", mem, &got, &err));
	ck_assert_int_eq(err.class, ERR_REFUSED);
	ck_assert_ptr_null(strstr(err.text, "whsec"));
}
END_TEST

/* ---- names from outside ---- */

START_TEST(test_hostile_names)
{
	static const char *const names[] = { "North/../NorthTest", "NorthTest/state", "NorthTest?x=", "NorthTest#",
		                             "%4eorthTest", "..%2f..", "a b\r\nX-Evil: 1", "x@example.com", "\xff\xfe" };
	const char *name = names[_i];
	struct fence f = now;
	struct tenant_record r;

	ck_assert(!tenant->get(tenant, name, &r, &err));
	ck_assert_int_eq(err.class, ERR_REFUSED);
	ck_assert_ptr_null(strchr(err.text, '@'));
	err_clear(&err);
	f.target_ctx = name;
	ck_assert(!tenant->set_state(tenant, &f, name, TENANT_SUSPENDED, &err));
	ck_assert_int_eq(err.class, ERR_REFUSED);
	ck_assert_uint_eq(stub_server_acted(server, ""), 0);
}
END_TEST

START_TEST(test_names_that_are_no_path)
{
	static const char *const names[] = { "", ".", ".." };
	struct tenant_record r;

	ck_assert(!tenant->get(tenant, names[_i], &r, &err));
	ck_assert_int_eq(err.class, ERR_REFUSED);
	err_clear(&err);
	ck_assert(!mail->remove(mail, &now, names[_i], &err));
	ck_assert_int_eq(err.class, ERR_REFUSED);
}
END_TEST

static Suite *http_ports_suite(void)
{
	const TTest *const tests[] = {
		test_tenant_get, test_tenant_unknown, test_tenant_state, test_tenant_clusters, test_tenant_generations,
		test_tenant_route_back, test_tenant_stamp, test_tenant_recycle, test_production_is_refused,
		test_other_tenant_than_the_fence, test_state_names, test_identity_register_and_link,
		test_identity_state, test_identity_users, test_identity_many_users, test_text_that_is_not_utf8,
		test_mail_routes, test_mail_of_others, test_licence, test_company, test_apps, test_apps_with_odd_webhook_members,
	};
	Suite *s = suite_create("http_ports");
	TCase *t = tcase_create("stub");

	tcase_add_checked_fixture(t, setup, teardown);
	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
		tcase_add_test(t, tests[i]);
	tcase_add_loop_test(t, test_hostile_names, 0, 9);
	tcase_add_loop_test(t, test_names_that_are_no_path, 0, 3);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(http_ports_suite());
	int failures;

	srunner_run_all(sr, CK_NORMAL);
	failures = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failures != 0;
}
