/* SPDX-License-Identifier: Apache-2.0
 * What a port says when its system is slow, dead, refusing or mad; and after UNSURE, what a look then shows. */
#include "consumer/adapters/http/identity_http.h"
#include "consumer/adapters/http/mail_http.h"
#include "consumer/adapters/http/tenant_http.h"
#include "tests/support/stub_server.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char seed[] =
	"{\"tenants\":[{\"ctx\":\"T\",\"kind\":\"test\",\"database\":\"t\"}],"
	"\"identities\":[{\"ctx\":\"T\",\"name\":\"n\"}]}";
static const struct fence fence = { "11111111-1111-7111-8111-111111111111", 1, "some_step", "T", "t__g1", 100 };

static struct stub_server *server;
static struct tenant_port *tenant;
static struct err err;
static atomic_bool stop;

static struct tenant_port *open_port(int64_t timeout_ms, const char *bearer)
{
	char url[64];
	struct http_settings s = { .base_url = stub_server_url(server, "hosting", url, sizeof url), .bearer = bearer,
		                   .connect_timeout_ms = timeout_ms, .total_timeout_ms = timeout_ms,
		                   .max_body_bytes = 64 * 1024 };
	struct tenant_port *port = tenant_http_new(&s, &stop, &err);

	ck_assert_msg(port, "%s", err.text);
	return port;
}

static void setup(void)
{
	err_clear(&err);
	atomic_store(&stop, false);
	server = stub_server_start(NULL, seed, &err);
	ck_assert_msg(server, "%s", err.text);
	tenant = open_port(300, NULL);
}

static void teardown(void)
{
	tenant_http_free(&tenant);
	stub_server_free(&server);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool write_once(void)
{
	err_clear(&err);
	return tenant->set_state(tenant, &fence, "T", TENANT_SUSPENDED, &err);
}

static bool read_once(void)
{
	struct tenant_record record;

	err_clear(&err);
	return tenant->get(tenant, "T", &record, &err);
}

static enum tenant_state state_seen(void)
{
	struct tenant_record record;

	err_clear(&err);
	ck_assert_msg(tenant->get(tenant, "T", &record, &err), "%s", err.text);
	return record.state;
}

static void fault(const char *fault_json)
{
	ck_assert(stub_server_fault(server, fault_json));
}

/* ---- every kind of fault ---- */

static const struct fault_row {
	const char *fault;
	enum err_class read_class, write_class;
	bool write_acts; /* though the caller cannot know */
} faults[] = {
	{ "{\"kind\":\"hang\"}", ERR_TRANSIENT, ERR_UNSURE, false },
	{ "{\"kind\":\"reset\"}", ERR_TRANSIENT, ERR_UNSURE, false },
	{ "{\"kind\":\"nonsense\"}", ERR_TRANSIENT, ERR_UNSURE, false },
	{ "{\"kind\":\"endless\"}", ERR_TRANSIENT, ERR_UNSURE, false },
	{ "{\"kind\":\"act-then-hang\"}", ERR_TRANSIENT, ERR_UNSURE, true },
	{ "{\"kind\":\"act-then-reset\"}", ERR_TRANSIENT, ERR_UNSURE, true },
	{ "{\"kind\":\"act-then-late\",\"ms\":600}", ERR_TRANSIENT, ERR_UNSURE, true },
	{ "{\"kind\":\"status\",\"status\":500}", ERR_TRANSIENT, ERR_UNSURE, false },
	{ "{\"kind\":\"status\",\"status\":502}", ERR_TRANSIENT, ERR_UNSURE, false },
	{ "{\"kind\":\"status\",\"status\":504}", ERR_TRANSIENT, ERR_UNSURE, false },
	{ "{\"kind\":\"status\",\"status\":503}", ERR_TRANSIENT, ERR_TRANSIENT, false },
	{ "{\"kind\":\"status\",\"status\":429}", ERR_TRANSIENT, ERR_TRANSIENT, false },
	{ "{\"kind\":\"status\",\"status\":501}", ERR_REFUSED, ERR_REFUSED, false },
	{ "{\"kind\":\"status\",\"status\":400}", ERR_REFUSED, ERR_REFUSED, false },
	{ "{\"kind\":\"status\",\"status\":401}", ERR_TRANSIENT, ERR_TRANSIENT, false },
	{ "{\"kind\":\"status\",\"status\":422}", ERR_REFUSED, ERR_REFUSED, false },
	{ "{\"kind\":\"status\",\"status\":302}", ERR_REFUSED, ERR_REFUSED, false },
	{ "{\"kind\":\"status\",\"status\":307}", ERR_REFUSED, ERR_REFUSED, false },
	{ "{\"kind\":\"status\",\"status\":200}", ERR_TRANSIENT, ERR_UNSURE, false },
};

START_TEST(test_fault_on_read)
{
	int64_t began = now_ms();

	fault(faults[_i].fault);
	ck_assert(!read_once());
	ck_assert_int_lt(now_ms() - began, 1500);
	ck_assert_msg(err.class == faults[_i].read_class, "%s: %s: %s", faults[_i].fault, err_class_name(err.class),
	              err.text);
	ck_assert_int_ne(err.code, ERR_CODE_FENCED);
	ck_assert(stub_server_clear_faults(server));
	ck_assert(read_once());
}
END_TEST

START_TEST(test_fault_on_write)
{
	const struct fault_row *row = &faults[_i];
	int64_t began = now_ms();

	fault(row->fault);
	ck_assert(!write_once());
	ck_assert_int_lt(now_ms() - began, 1500);
	ck_assert_msg(err.class == row->write_class, "%s: %s: %s", row->fault, err_class_name(err.class), err.text);
	ck_assert(stub_server_clear_faults(server));
	ck_assert_int_eq(state_seen(), row->write_acts ? TENANT_SUSPENDED : TENANT_RUNNING);
	ck_assert_uint_eq(stub_server_acted(server, "set_state"), row->write_acts);
	ck_assert(write_once()); /* whatever happened, the repeat ends in exactly one effect */
	ck_assert_int_eq(state_seen(), TENANT_SUSPENDED);
	ck_assert_uint_eq(stub_server_acted(server, "set_state"), 1);
}
END_TEST

/* The request waits in the system while the caller has given up and repeated it: still one effect. */
START_TEST(test_zombie_request)
{
	fault("{\"kind\":\"delay\",\"ms\":700}");
	ck_assert(!write_once());
	ck_assert_int_eq(err.class, ERR_UNSURE);
	ck_assert_int_eq(state_seen(), TENANT_RUNNING);
	ck_assert(write_once());
	nanosleep(&(struct timespec){ .tv_nsec = 900 * 1000 * 1000 }, NULL);
	ck_assert_uint_eq(stub_server_received(server, "set_state"), 2);
	ck_assert_uint_eq(stub_server_acted(server, "set_state"), 1);
}
END_TEST

/* An old owner's order arrives after the new owner's first. */
START_TEST(test_zombie_owner)
{
	struct fence newer = fence;

	newer.token = fence.token + 1;
	newer.step = "another_step";
	fault("{\"kind\":\"delay\",\"ms\":700}");
	ck_assert(!write_once());
	err_clear(&err);
	ck_assert(tenant->set_state(tenant, &newer, "T", TENANT_OFFLINE_MAINTENANCE, &err));
	nanosleep(&(struct timespec){ .tv_nsec = 900 * 1000 * 1000 }, NULL);
	ck_assert_uint_eq(stub_server_acted(server, "some_step"), 0);
	ck_assert_int_eq(state_seen(), TENANT_OFFLINE_MAINTENANCE);
}
END_TEST

START_TEST(test_system_is_down)
{
	stub_server_kill(server);
	ck_assert(!read_once());
	ck_assert_int_eq(err.class, ERR_TRANSIENT);
	ck_assert(!write_once());
	ck_assert_int_eq(err.class, ERR_TRANSIENT);
	err_clear(&err);
	ck_assert_msg(stub_server_restart(server, &err), "%s", err.text);
	ck_assert(write_once());
	ck_assert_int_eq(state_seen(), TENANT_SUSPENDED);
}
END_TEST

/* The kept connection died between two calls: the next one goes through. */
START_TEST(test_system_restarted)
{
	ck_assert(read_once());
	stub_server_kill(server);
	ck_assert(stub_server_restart(server, &err));
	ck_assert(write_once());
	ck_assert_uint_eq(stub_server_acted(server, "set_state"), 1);
}
END_TEST

/* ---- stopping ---- */

static void *set_stop(void *arg)
{
	nanosleep(&(struct timespec){ .tv_nsec = 100 * 1000 * 1000 }, NULL);
	atomic_store(&stop, true);
	return arg;
}

START_TEST(test_stop)
{
	struct tenant_port *patient = open_port(20000, NULL);
	int64_t began = now_ms();
	pthread_t stopper;

	fault("{\"kind\":\"act-then-hang\"}");
	pthread_create(&stopper, NULL, set_stop, NULL);
	ck_assert(!patient->set_state(patient, &fence, "T", TENANT_SUSPENDED, &err));
	pthread_join(stopper, NULL);
	ck_assert_int_lt(now_ms() - began, 1500);
	ck_assert_int_eq(err.code, ERR_CODE_ABORTED);
	ck_assert_int_eq(err.class, ERR_UNSURE);
	atomic_store(&stop, false);
	ck_assert(stub_server_clear_faults(server));
	ck_assert_int_eq(state_seen(), TENANT_SUSPENDED);
	tenant_http_free(&patient);
}
END_TEST

/* ---- words for the operator ---- */

START_TEST(test_error_text)
{
	fault("{\"kind\":\"status\",\"status\":503,\"retry_after_s\":30}");
	ck_assert(!write_once());
	ck_assert_str_eq(err.text, "hosting: set_state of T: answered 503, asks to wait 30 s: A fault that was asked for: "
	                           "by POST /_control/faults");
	ck_assert_str_eq(err.where, "hosting");
	ck_assert_int_eq(err.code, 503);
}
END_TEST

START_TEST(test_error_text_has_no_address)
{
	char url[64];
	struct http_settings s = { .base_url = stub_server_url(server, "mail", url, sizeof url) };
	struct mail_port *mail = mail_http_new(&s, NULL, &err);
	struct fence other = fence;

	other.target_ctx = "T2";
	other.step = "another_step";
	ck_assert(mail->put(mail, &other, "joe@example.com\n\x01route", "x", &err));
	ck_assert(!mail->put(mail, &fence, "joe@example.com\n\x01route", "x", &err)); /* belongs to T2 */
	ck_assert_ptr_null(strchr(err.text, '@'));
	ck_assert_ptr_null(strchr(err.text, '\n'));
	ck_assert_ptr_null(strchr(err.text, '\x01'));
	ck_assert_ptr_nonnull(strstr(err.text, "belongs to another tenant"));
	mail_http_free(&mail);
}
END_TEST

/* ---- answers that are sound JSON but do not fit ---- */

static void put_name(size_t len, enum err_class class)
{
	char url[64], name[400];
	struct http_settings s = { .base_url = stub_server_url(server, "superid", url, sizeof url) };
	struct identity_port *identity = identity_http_new(&s, NULL, &err);
	struct identity_tenant got;
	bool found, ok;

	memset(name, 'n', len);
	name[len] = '\0';
	ck_assert(identity->put(identity, &fence, "T", name, "1", &err));
	ok = identity->get(identity, "T", &found, &got, &err);
	ck_assert(ok == (class == ERR_NONE));
	ck_assert_int_eq(err.class, class);
	if (ok)
		ck_assert_str_eq(got.name, name);
	identity_http_free(&identity);
}

START_TEST(test_text_that_fits)
{
	put_name(255, ERR_NONE);
}
END_TEST

START_TEST(test_text_is_never_cut)
{
	put_name(256, ERR_REFUSED);
}
END_TEST

static Suite *http_faults_suite(void)
{
	const TTest *const tests[] = {
		test_zombie_request, test_zombie_owner, test_system_is_down, test_system_restarted, test_stop,
		test_error_text, test_error_text_has_no_address, test_text_that_fits, test_text_is_never_cut,
	};
	Suite *s = suite_create("http_faults");
	TCase *t = tcase_create("stub");
	const int rows = (int)(sizeof faults / sizeof *faults);

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, test_fault_on_read, 0, rows);
	tcase_add_loop_test(t, test_fault_on_write, 0, rows);
	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
		tcase_add_test(t, tests[i]);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(http_faults_suite());
	int failures;

	srunner_run_all(sr, CK_NORMAL);
	failures = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failures != 0;
}
