/* SPDX-License-Identifier: Apache-2.0
 * The configuration: every row of config.def, every type, every way to get it wrong, files and environment. */
#include "consumer/adapters/redis/redis_store.h"
#include "consumer/adapters/system/config_file.h"
#include "consumer/core/config.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct config *config;
static struct err err;
static char file[64];

static void setup(void)
{
	config = config_new();
	ck_assert_ptr_nonnull(config);
	err_clear(&err);
	snprintf(file, sizeof file, "/tmp/sandbox-config-%d.ini", (int)getpid());
}

static void teardown(void)
{
	config_free(&config);
	unlink(file);
}

static bool set(const char *section, const char *key, const char *value)
{
	const struct config_origin origin = { CONFIG_FROM_FLAG, "--set", 0 };

	err_clear(&err);
	return config_set(config, section, key, value, &origin, &err);
}

static bool read_text(const char *text, mode_t mode)
{
	FILE *f = fopen(file, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(text, 1, strlen(text), f), strlen(text));
	fclose(f);
	ck_assert_int_eq(chmod(file, mode), 0);
	err_clear(&err);
	return config_file_read(config, file, &err);
}

static void expect(const char *part)
{
	ck_assert_int_eq(err.class, ERR_REFUSED);
	ck_assert_msg(strstr(err.text, part), "\"%s\" is not in \"%s\"", part, err.text);
}

START_TEST(every_row_is_complete_and_its_default_is_legal)
{
	for (size_t i = 0; i < CONFIG_END; i++) {
		const struct config_row *row = &config_rows[i];

		ck_assert_msg(set(row->section, row->key, row->standard), "%s: %s", row->key, err.text);
		ck_assert_msg(row->sentence[strlen(row->sentence) - 1] == '.', "%s: no sentence", row->key);
		ck_assert_int_eq(row->type == CONFIG_SECRET, strstr(row->key, "_file") != NULL);
		for (size_t j = 0; j < i; j++)
			ck_assert(strcmp(row->key, config_rows[j].key) || strcmp(row->section, config_rows[j].section));
	}
}
END_TEST

START_TEST(limits_of_every_number_are_enforced)
{
	for (size_t i = 0; i < CONFIG_END; i++) {
		const struct config_row *row = &config_rows[i];
		bool number = row->type == CONFIG_INT || row->type == CONFIG_DURATION || row->type == CONFIG_SIZE;

		if (number) {
			ck_assert_msg(strstr(row->limits, ".."), "%s has no limits", row->key);
			ck_assert(!set(row->section, row->key, "99999999999999999999"));
			ck_assert(!set(row->section, row->key, "-5"));
			ck_assert(!set(row->section, row->key, ""));
		}
	}
}
END_TEST

START_TEST(typed_values)
{
	const char *const *items;

	ck_assert(set("engine", "retry_cap", "1h30m"));
	ck_assert_int_eq(config_ms(config, CONF_ENGINE_RETRY_CAP), 5400000);
	ck_assert(set("engine", "retry_cap", "500ms"));
	ck_assert_int_eq(config_ms(config, CONF_ENGINE_RETRY_CAP), 500);
	ck_assert(set("previous", "keep", "forever"));
	ck_assert_int_eq(config_ms(config, CONF_PREVIOUS_KEEP), CONFIG_FOREVER);
	ck_assert(!set("engine", "drain", "forever"));
	ck_assert(set("log", "line_max", "64KiB"));
	ck_assert_int_eq(config_bytes(config, CONF_LOG_LINE_MAX), 65536);
	ck_assert(set("engine", "workers", " 12 "));
	ck_assert_int_eq(config_int(config, CONF_ENGINE_WORKERS), 12);
	ck_assert(set("mask", "allow_unmasked", "yes"));
	ck_assert(config_bool(config, CONF_MASK_ALLOW_UNMASKED));
	ck_assert(set("guard", "deny_targets", "Cust1, Cust2 ,,Cust3"));
	ck_assert_uint_eq(config_list(config, CONF_GUARD_DENY_TARGETS, &items), 3);
	ck_assert_str_eq(items[1], "Cust2");
	ck_assert_str_eq(config_text(config, CONF_ENGINE_PLAN), "parallel");
}
END_TEST

START_TEST(wrong_values_say_what_was_expected)
{
	ck_assert(!set("engine", "plan", "sideways"));
	expect("flag --set: [engine] plan: expected one of parallel|strict, not \"sideways\"");
	ck_assert(!set("engine", "workers", "1000"));
	expect("a whole number, 1..256");
	ck_assert(!set("engine", "drain", "5 parsecs"));
	expect("a duration such as");
	ck_assert(!set("hosting", "url", "ftp://x"));
	ck_assert(!set("hosting", "url", "https://user:pw@host/"));
	ck_assert_ptr_null(strstr(err.text, "pw"));
	ck_assert(!set("http", "listen", "9109"));
	ck_assert(!set("sql", "folder", "relative/folder"));
	ck_assert(!set("guard", "deny_targets", "Cust1,Cu\"st2"));
	ck_assert(!set("log", "line_max", "64 kilobytes"));
	ck_assert(!set("mask", "allow_unmasked", "maybe"));
	ck_assert(!set("kafka", "BOOTSTRAP", "x"));
}
END_TEST

START_TEST(a_secret_is_never_echoed)
{
	ck_assert(!set("redis", "password_file", "hunter2"));
	expect("absolute path of a file");
	ck_assert_ptr_null(strstr(err.text, "hunter2"));
	ck_assert(set("redis", "password_file", "credential:redis"));
	ck_assert_str_eq(config_text(config, CONF_REDIS_PASSWORD_FILE), "credential:redis");
}
END_TEST

START_TEST(unknown_names_are_answered_with_the_nearest)
{
	ck_assert(!set("redis", "sokcet", "/x"));
	expect("[redis] sokcet: there is no such key; did you mean socket?");
	ck_assert(!set("reddis", "socket", "/x"));
	expect("[reddis] there is no such section; did you mean redis?");
	ck_assert(!set("redis", "colour", "blue"));
	ck_assert_ptr_null(strstr(err.text, "did you mean"));
}
END_TEST

START_TEST(librdkafka_properties_pass_through)
{
	const struct config_pair *pairs;

	ck_assert(set("kafka", "socket.keepalive.enable", "true"));
	ck_assert(set("kafka", "sasl.password", "hunter2"));
	ck_assert(set("kafka", "socket.keepalive.enable", "false"));
	ck_assert_uint_eq(config_passthrough(config, &pairs), 2);
	ck_assert_str_eq(pairs[0].name, "socket.keepalive.enable");
	ck_assert_str_eq(pairs[0].value, "false");
	for (int i = 0; i < CONFIG_PASSTHROUGH_MAX - 2; i++) {
		char key[32];

		snprintf(key, sizeof key, "a.b%d", i);
		ck_assert(set("kafka", key, "1"));
	}
	ck_assert(!set("kafka", "one.too.many", "1"));
	expect("too many properties");
}
END_TEST

START_TEST(the_stronger_source_wins)
{
	struct buf out;

	ck_assert(config_set_variable(config, "SANDBOX_REDIS__PORT", "7000", &err));
	ck_assert_msg(read_text("[redis]\nport = 8000\nhost = redis.example\n", 0644), "%s", err.text);
	ck_assert_int_eq(config_int(config, CONF_REDIS_PORT), 7000);
	ck_assert_str_eq(config_text(config, CONF_REDIS_HOST), "redis.example");
	ck_assert(set("redis", "port", "9000"));
	ck_assert(config_set_variable(config, "SANDBOX_REDIS__PORT", "7001", &err));
	ck_assert_int_eq(config_int(config, CONF_REDIS_PORT), 9000);
	buf_init(&out, 1 << 20);
	ck_assert(config_show(config, true, &out));
	ck_assert_ptr_nonnull(strstr(out.data, "port = 9000  ; flag --set\n"));
	ck_assert_ptr_nonnull(strstr(out.data, ".ini:3\n"));
	ck_assert_ptr_nonnull(strstr(out.data, "workers = 8  ; default\n"));
	buf_done(&out);
}
END_TEST

START_TEST(variables)
{
	const struct config_pair *pairs;
	const char *const *items;

	ck_assert(config_set_variable(config, "SANDBOX_KAFKA__BOOTSTRAP_SERVERS", "a:1,b:2", &err));
	ck_assert_uint_eq(config_list(config, CONF_KAFKA_BOOTSTRAP_SERVERS, &items), 2);
	ck_assert(config_set_variable(config, "SANDBOX_KAFKA__SOCKET_TIMEOUT_MS", "100", &err));
	ck_assert_uint_eq(config_passthrough(config, &pairs), 1);
	ck_assert_str_eq(pairs[0].name, "socket.timeout.ms");
	ck_assert(config_set_variable(config, "SANDBOX_SANITIZE", "ON", &err));
	ck_assert(!config_set_variable(config, "SANDBOX_REDIS__PROT", "1", &err));
	expect("environment SANDBOX_REDIS__PROT: [redis] prot: there is no such key; did you mean port?");
	err_clear(&err);
	setenv("SANDBOX_ENGINE__WORKERS", "3", 1);
	ck_assert(config_environment_read(config, &err));
	unsetenv("SANDBOX_ENGINE__WORKERS");
	ck_assert_int_eq(config_int(config, CONF_ENGINE_WORKERS), 3);
}
END_TEST

START_TEST(files_with_mistakes)
{
	ck_assert(!read_text("[redis]\n\n; fine\nport = many\n", 0644));
	expect(".ini:4: [redis] port: expected a whole number");
	ck_assert(!read_text("[redis]\nport\n", 0644));
	expect(".ini:2: expected [section], key = value");
	ck_assert(!read_text("[redis]\nport = 1\nport = 2\n", 0644));
	expect(".ini:3: [redis] port: is set twice");
	ck_assert(!config_file_read(config, "/nonexistent/x.ini", &(struct err){ 0 }));
	ck_assert(!config_file_read(config, "/tmp", &(struct err){ 0 }));
}
END_TEST

/* What the limits let through is no news to the adapter: there is no such server, which is all it may say. */
START_TEST(the_store_takes_what_the_limits_allow)
{
	struct redis_settings settings = { .socket_path = "/nowhere/redis.sock", .owner = "a", .connect_timeout_ms = 50 };

	ck_assert(!set("redis", "clone_ttl", "29d"));
	expect("30d..3650d");
	ck_assert(set("redis", "clone_ttl", "30d"));
	settings.keep_ms = config_ms(config, CONF_REDIS_CLONE_TTL);
	ck_assert_ptr_null(redis_store_new(&settings, &err));
	ck_assert_msg(err.class == ERR_TRANSIENT, "%s", err.text);
	err_clear(&err);
	settings.keep_ms--;
	ck_assert_ptr_null(redis_store_new(&settings, &err));
	expect("clone_ttl");
}
END_TEST

/* Silently without TLS would be worse than not at all. */
START_TEST(the_store_says_which_tls_makes_no_sense)
{
	struct redis_settings settings = { .socket_path = "/nowhere/redis.sock", .owner = "a" };

	ck_assert(set("redis", "tls", "true"));
	settings.tls = config_bool(config, CONF_REDIS_TLS);
	ck_assert_ptr_null(redis_store_new(&settings, &err));
	ck_assert_int_eq(err.class, ERR_REFUSED);
	expect("both tls and a socket");
	err_clear(&err);
	settings.socket_path = "";
	settings.tls_cert_file = "/nowhere/cert.pem";
	ck_assert_ptr_null(redis_store_new(&settings, &err));
	expect("set together or not at all");
	err_clear(&err);
	settings.tls_key_file = "/nowhere/key.pem";
	settings.tls = false;
	ck_assert_ptr_null(redis_store_new(&settings, &err));
	expect("nothing would be encrypted");
	err_clear(&err);
	settings.tls = true;
	ck_assert_ptr_null(redis_store_new(&settings, &err));
	expect("the certificate in /nowhere/cert.pem cannot be read");
}
END_TEST

START_TEST(long_lines_are_read_whole_or_refused)
{
	char text[CONFIG_LINE_MAX + 200];
	const char *const *items;

	strcpy(text, "[guard]\ndeny_targets = ");
	for (int i = 0; i < 300; i++)
		strcat(text, "Cust10000,");
	strcat(text, "\n");
	ck_assert_msg(read_text(text, 0644), "%s", err.text);
	ck_assert_uint_eq(config_list(config, CONF_GUARD_DENY_TARGETS, &items), 300);
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	memcpy(text, "[guard]\n", 8);
	ck_assert(!read_text(text, 0644));
	expect(".ini:2: the line is too long");
}
END_TEST

START_TEST(a_secret_property_needs_a_private_file)
{
	struct buf out;

	ck_assert(!read_text("[kafka]\nsasl.password = hunter2\n", 0644));
	expect("chmod 600");
	ck_assert_msg(read_text("[kafka]\nsasl.password = hunter2\n", 0600), "%s", err.text);
	buf_init(&out, 1 << 20);
	ck_assert(config_show(config, false, &out));
	ck_assert_ptr_nonnull(strstr(out.data, "sasl.password = (hidden)\n"));
	ck_assert_ptr_null(strstr(out.data, "hunter2"));
	buf_done(&out);
}
END_TEST

START_TEST(what_is_shown_can_be_read_again)
{
	struct buf first, second;
	struct config *copy = config;

	ck_assert(set("engine", "workers", "5"));
	buf_init(&first, 1 << 20);
	buf_init(&second, 1 << 20);
	ck_assert(config_show(config, true, &first));
	config = config_new();
	ck_assert_msg(read_text(first.data, 0600), "%s", err.text);
	ck_assert(config_show(copy, false, &first));
	buf_clear(&first);
	ck_assert(config_show(copy, false, &first) && config_show(config, false, &second));
	ck_assert_str_eq(first.data, second.data);
	config_free(&copy);
	buf_done(&first);
	buf_done(&second);
}
END_TEST

START_TEST(what_is_needed_and_missing_says_how_to_set_it)
{
	ck_assert(!config_need(config, CONF_HOSTING_URL, &err));
	expect("[hosting] url is not set; set it in the configuration file or by SANDBOX_HOSTING__URL.");
	ck_assert(config_need(config, CONF_ENGINE_PLAN, &(struct err){ 0 }));
}
END_TEST

/* Any bytes: an error or a value, never a crash (the sanitizer builds look closely). */
START_TEST(random_files_never_crash)
{
	static const char alphabet[] = "[]=;#\n\n kafkaredisport..1\"\x01\xff";
	unsigned seed = 1;

	for (int round = 0; round < 300; round++) {
		char text[200];

		for (size_t i = 0; i < sizeof text - 1; i++) {
			seed = seed * 1103515245U + 12345U;
			text[i] = alphabet[(seed >> 16) % (sizeof alphabet - 1)];
		}
		text[sizeof text - 1] = '\0';
		if (!read_text(text, 0600))
			ck_assert_int_eq(err.class, ERR_REFUSED);
	}
}
END_TEST

START_TEST(the_manual_is_up_to_date)
{
	const char *path = SOURCE_DIR "/docs/configuration.md";
	FILE *f = fopen(path, getenv("UPDATE_DOCS") ? "w+" : "r");
	struct buf manual;
	char *found;
	size_t len;

	buf_init(&manual, 1 << 20);
	ck_assert(config_write_manual(&manual));
	ck_assert_ptr_nonnull(f);
	if (getenv("UPDATE_DOCS"))
		ck_assert_uint_eq(fwrite(manual.data, 1, manual.len, f), manual.len);
	rewind(f);
	found = calloc(1, 1 << 20);
	ck_assert_ptr_nonnull(found);
	len = fread(found, 1, (1 << 20) - 1, f);
	fclose(f);
	ck_assert_msg(len == manual.len && memcmp(found, manual.data, len) == 0,
	              "docs/configuration.md is old: run this test with UPDATE_DOCS=1");
	free(found);
	buf_done(&manual);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config");
	TCase *tc = tcase_create("config");
	SRunner *sr = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, every_row_is_complete_and_its_default_is_legal);
	tcase_add_test(tc, limits_of_every_number_are_enforced);
	tcase_add_test(tc, typed_values);
	tcase_add_test(tc, wrong_values_say_what_was_expected);
	tcase_add_test(tc, a_secret_is_never_echoed);
	tcase_add_test(tc, unknown_names_are_answered_with_the_nearest);
	tcase_add_test(tc, librdkafka_properties_pass_through);
	tcase_add_test(tc, the_stronger_source_wins);
	tcase_add_test(tc, variables);
	tcase_add_test(tc, files_with_mistakes);
	tcase_add_test(tc, the_store_takes_what_the_limits_allow);
	tcase_add_test(tc, the_store_says_which_tls_makes_no_sense);
	tcase_add_test(tc, long_lines_are_read_whole_or_refused);
	tcase_add_test(tc, a_secret_property_needs_a_private_file);
	tcase_add_test(tc, what_is_shown_can_be_read_again);
	tcase_add_test(tc, what_is_needed_and_missing_says_how_to_set_it);
	tcase_add_test(tc, random_files_never_crash);
	tcase_add_test(tc, the_manual_is_up_to_date);
	suite_add_tcase(suite, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
