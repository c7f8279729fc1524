/* SPDX-License-Identifier: Apache-2.0
 * Encryption of SQL Server's connections, by both real drivers against a scripted server that encrypts: which words of
 * sql.sslmode connect to what, and what the operator is told when they do not. */
#include "tests/support/tds_server.h"
#include "tests/unit/odbc_fixture.h"

#include <limits.h>

struct attempt {
	const char *tls;
	const char *certificate; /* NULL: the server does not encrypt */
	const char *spoken;      /* how TLS begins; NULL: it does not */
};

static char folder[PATH_MAX / 2];

/* False when the driver or python3 cannot be had. */
static bool serve(int which, const char *certificate, char driver[PATH_MAX], struct tds_server **tds_r)
{
	char pem[PATH_MAX] = "";

	if (!tds_driver_path((enum tds_driver)which, driver, PATH_MAX))
		return false;
	if (certificate)
		snprintf(pem, sizeof pem, "%s/%s.pem", folder, certificate);
	*tds_r = tds_server_start_tls("[]", certificate ? pem : NULL);
	if (!*tds_r)
		puts("SKIPPED: python3 is not installed");
	return *tds_r != NULL;
}

static struct conn *dial(const struct tds_server *tds, const char *driver, const char *tls, struct odbc_env *env, struct err *e)
{
	const struct odbc_settings s = { .dialect = "sqlserver",
					 .driver = driver,
					 .host = "localhost",
					 .port = tds_server_port(tds),
					 .user = "cloner",
					 .password = "secret",
					 .tls = tls,
					 .query_timeout_ms = 60000 };
	struct conn *c;
	struct buf text;

	buf_init(&text, 4096);
	ck_assert(dialect_sqlserver.connection(&s, "Cust70001", ACCESS_WRITE, &text));
	c = conn_open(env, &dialect_sqlserver, buf_text(&text), ACCESS_WRITE, &s, e);
	buf_done(&text);
	return c;
}

static void connects(int which, const struct attempt *a)
{
	char driver[PATH_MAX], said[100];
	struct tds_server *tds;
	struct odbc_env *env;
	struct conn *c;

	if (!serve(which, a->certificate, driver, &tds))
		return;
	must((env = odbc_env_new(e)));
	must((c = dial(tds, driver, a->tls, env, e)));
	must(conn_exec(c, "UPDATE t SET a = ?", &TEXT("\xc3\x85sa"), 1, NULL, e));
	ck_assert_uint_eq(tds_server_asked(tds, "\xc3\x85sa"), 1);
	snprintf(said, sizeof said, "{\"kind\": \"tls\", \"text\": \"%s\"", a->spoken ? a->spoken : "");
	ck_assert_uint_eq(tds_server_asked(tds, said), a->spoken ? 1 : 0);
	conn_close(&c);
	odbc_env_free(&env);
	tds_server_stop(&tds);
}

/* Nothing was told to the server, not even who asks. */
static void is_refused(int which, const struct attempt *a, enum err_class wanted, const char *advice)
{
	char driver[PATH_MAX];
	struct tds_server *tds;
	struct odbc_env *env;

	if (!serve(which, a->certificate, driver, &tds))
		return;
	must((env = odbc_env_new(e)));
	must_fail(dial(tds, driver, a->tls, env, e), wanted);
	ck_assert_msg(strstr(failure.text, advice), "%s", failure.text);
	ck_assert_uint_eq(tds_server_asked(tds, "\"kind\": \"login\""), 0);
	odbc_env_free(&env);
	tds_server_stop(&tds);
}

START_TEST(a_certificate_of_a_known_authority_is_good_for_every_word)
{
	connects(_i, &(struct attempt){ "require", "good", "inside PRELOGIN" });
	connects(_i, &(struct attempt){ "prefer", "good", "inside PRELOGIN" });
	connects(_i, &(struct attempt){ "trust", "good", "inside PRELOGIN" });
}
END_TEST

START_TEST(trust_asks_nobody_whose_certificate_it_is)
{
	connects(_i, &(struct attempt){ "trust", "self", "inside PRELOGIN" });
}
END_TEST

START_TEST(disable_works_with_a_server_that_does_not_encrypt)
{
	connects(_i, &(struct attempt){ "disable", NULL, NULL });
}
END_TEST

START_TEST(microsofts_driver_wants_to_know_whose_certificate_it_is)
{
	static const char advice[] = "is not trusted";

	connects(TDS_MICROSOFT, &(struct attempt){ "verify-full", "good", "inside PRELOGIN" });
	is_refused(TDS_MICROSOFT, &(struct attempt){ "require", "self", NULL }, ERR_REFUSED, advice);
	is_refused(TDS_MICROSOFT, &(struct attempt){ "verify-full", "self", NULL }, ERR_REFUSED, advice);
	is_refused(TDS_MICROSOFT, &(struct attempt){ "verify-full", "elsewhere", NULL }, ERR_REFUSED, advice);
}
END_TEST

START_TEST(strict_is_encrypted_before_anything_is_said)
{
	connects(TDS_MICROSOFT, &(struct attempt){ "strict", "good", "first, tds/8.0" });
	is_refused(TDS_MICROSOFT, &(struct attempt){ "strict", "self", NULL }, ERR_REFUSED, "is not trusted");
}
END_TEST

/* FreeTDS does not say why: a server that was just going away looks the same, so the step tries again for its time. */
START_TEST(a_server_without_encryption_is_not_talked_to)
{
	const struct attempt plain = { "require", NULL, NULL };

	is_refused(_i, &plain, _i == TDS_MICROSOFT ? ERR_REFUSED : ERR_TRANSIENT, "sql.sslmode");
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("odbc_sqlserver_tls");
	TCase *t = tcase_create("both drivers");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, a_certificate_of_a_known_authority_is_good_for_every_word, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, trust_asks_nobody_whose_certificate_it_is, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, disable_works_with_a_server_that_does_not_encrypt, 0, TDS_DRIVERS);
	tcase_add_test(t, microsofts_driver_wants_to_know_whose_certificate_it_is);
	tcase_add_test(t, strict_is_encrypted_before_anything_is_said);
	tcase_add_loop_test(t, a_server_without_encryption_is_not_talked_to, 0, TDS_DRIVERS);
	suite_add_tcase(s, t);
	return s;
}

/* The driver reads SSL_CERT_FILE as OpenSSL does: so an operator names an authority of his own. */
static bool make_certificates(void)
{
	const char *base = getenv("TMPDIR"), *source = getenv("SOURCE_DIR");
	char text[PATH_MAX * 2];

	snprintf(folder, sizeof folder, "%s/sandbox-tds-tls-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(folder))
		return false;
	snprintf(text, sizeof text, "%s/ca.pem", folder);
	setenv("SSL_CERT_FILE", text, 1);
	snprintf(text, sizeof text, "'%s/tests/support/tds_certificates.sh' '%s'", source ? source : SOURCE_DIR, folder);
	return system(text) == 0;
}

static void remove_certificates(void)
{
	DIR *d = opendir(folder);
	struct dirent *entry;

	while (d && (entry = readdir(d)))
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(d), entry->d_name, 0);
	if (d)
		closedir(d);
	rmdir(folder);
}

int main(void)
{
	SRunner *sr = srunner_create(suite());
	int failed = 1;

	if (make_certificates()) {
		srunner_run_all(sr, CK_NORMAL);
		failed = srunner_ntests_failed(sr);
	}
	remove_certificates();
	srunner_free(sr);
	return failed != 0;
}
