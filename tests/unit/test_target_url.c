/* SPDX-License-Identifier: Apache-2.0
 * URLs of strangers: what is taken, in which spelling it goes on, and what is refused. */
#include "consumer/notifier/target_url.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- taken ---- */

static const struct {
	const char *url, *text, *host;
	int port;
	bool is_address;
} taken[] = {
	{ "https://app.example/hook", "https://app.example/hook", "app.example", 443, false },
	{ "https://app.example", "https://app.example/", "app.example", 443, false },
	{ "HTTPS://App.EXAMPLE/Hook", "https://app.example/Hook", "app.example", 443, false },
	{ "http://app.example/", "http://app.example/", "app.example", 80, false },
	{ "https://app.example./x", "https://app.example/x", "app.example", 443, false },
	{ "https://app.example:443/x", "https://app.example/x", "app.example", 443, false },
	{ "https://app.example:8443/x", "https://app.example:8443/x", "app.example", 8443, false },
	{ "http://app.example:443/x", "http://app.example:443/x", "app.example", 443, false },
	{ "https://app.example:00443/x", "https://app.example/x", "app.example", 443, false },
	{ "https://app.example?a=b", "https://app.example/?a=b", "app.example", 443, false },
	{ "https://app.example/x?a=b&c=%20d#part", "https://app.example/x?a=b&c=%20d", "app.example", 443, false },
	{ "https://app.example#part@other", "https://app.example/", "app.example", 443, false },
	{ "https://app.example/a@b:c//d/../e", "https://app.example/a@b:c//d/../e", "app.example", 443, false },
	{ "https://app.example?u=http://127.0.0.1/", "https://app.example/?u=http://127.0.0.1/", "app.example", 443, false },
	{ "https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/", "xn--bcher-kva.example", 443, false },
	{ "https://a_b.example/", "https://a_b.example/", "a_b.example", 443, false },
	{ "https://localhost/", "https://localhost/", "localhost", 443, false },
	{ "https://1and1.example/", "https://1and1.example/", "1and1.example", 443, false },
	{ "https://127.0.0.1.example/", "https://127.0.0.1.example/", "127.0.0.1.example", 443, false },
	{ "https://0xcafe.example/", "https://0xcafe.example/", "0xcafe.example", 443, false },
	{ "https://cafe/", "https://cafe/", "cafe", 443, false },
	{ "https://192.0.2.1/", "https://192.0.2.1/", "192.0.2.1", 443, true },
	{ "https://192.0.2.1./", "https://192.0.2.1/", "192.0.2.1", 443, true },
	{ "https://[2001:DB8::1]/", "https://[2001:db8::1]/", "2001:db8::1", 443, true },
	{ "https://[::ffff:127.0.0.1]:8443/x", "https://[::ffff:127.0.0.1]:8443/x", "::ffff:127.0.0.1", 8443, true },
};

START_TEST(test_taken)
{
	struct target_url url;
	const char *wrong = target_url_read(&url, taken[_i].url, true);

	ck_assert_msg(!wrong, "%s: %s", taken[_i].url, wrong);
	ck_assert_str_eq(url.text, taken[_i].text);
	ck_assert_str_eq(url.host, taken[_i].host);
	ck_assert_int_eq(url.port, taken[_i].port);
	ck_assert_int_eq(url.is_address, taken[_i].is_address);
	ck_assert_int_eq(url.is_https, strncmp(taken[_i].text, "https:", 6) == 0);
}
END_TEST

/* ---- refused ---- */

static const char *const refused[] = {
	/* no URL, or another protocol */
	"", "https", "https:", "https:/", "https://", "https:///x", "https:app.example", "//app.example/", "app.example",
	"ftp://app.example/", "file:///etc/passwd", "gopher://app.example/", "ws://app.example/", "javascript:alert(1)",
	"dict://app.example:11211/", "ldap://app.example/", "tftp://app.example/", "smb://app.example/", "data:,x",
	" https://app.example/", "https ://app.example/", "http+unix://x/", "httpss://app.example/",
	/* users */
	"https://user@app.example/", "https://user:secret@app.example/", "https://@app.example/", "https://:@app.example/",
	"https://app.example@127.0.0.1/", "https://127.0.0.1@app.example/", "https://app.example:443@127.0.0.1/",
	"https://a@b@app.example/", "https://user%40x@app.example/",
	/* characters about which readers differ */
	"https://app.example\\@127.0.0.1/", "https://app.example/\\x", "https://app.example/ x", "https://app.example/\tx",
	"https://app.example/\r\nX: y", "https://app.example/\nx", "https://ap\tp.example/", "https://app.exa mple/",
	"https://app.example/<x>", "https://app.example/\"", "https://app.example/`", "https://app.example/{x}",
	"https://app.example/x|y", "https://app.example/x^y", "https://app.example/\x7f", "https://app.example/\x01",
	/* letters beyond ASCII: full-width digits, dots and dashes that are folded to others */
	"https://b\xc3\xbc" "cher.example/", "https://127\xe3\x80\x82" "0\xe3\x80\x82" "0\xe3\x80\x82" "1/",
	"https://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1/", "https://\xe2\x91\xa0\xe2\x91\xa1\xe2\x91\xa6.0.0.1/",
	"https://loc\xc2\xad" "alhost/", "https://app.example/\xc3\xbc", "https://\xff/",
	/* hosts that cannot be looked up */
	"https://./", "https://../", "https://.app.example/", "https://app..example/", "https://app.example../",
	"https://%31%32%37.0.0.1/", "https://127.0.0.1%2f/", "https://app%2eexample/", "https://app.example%00.x/",
	"https://app!example/", "https://app,example/", "https://app;example/", "https://(app)/", "https://*/",
	"https://$(x)/", "https://a+b/", "https://a=b/", "https://app.example&x/", "https://'app'/", "https://~/",
	"https://0123456789012345678901234567890123456789012345678901234567890123.example/",
	/* numbers that are addresses to some */
	"https://2130706433/", "https://0/", "https://1/", "https://127.1/", "https://127.0.1/", "https://127/",
	"https://0x7f000001/", "https://0X7F000001/", "https://0x7f.1/", "https://0x7f.0.0.1/", "https://127.0.0.0x1/",
	"https://0177.0.0.1/", "https://0177.1/", "https://017700000001/", "https://00127.0.0.1/", "https://127.0.0.01/",
	"https://127.00.0.1/", "https://256.0.0.1/", "https://127.0.0.256/", "https://127.0.0.1.1/", "https://1.2.3/",
	"https://1.2.3.4.5/", "https://4294967296/", "https://18446744073709551617/", "https://0x/", "https://a.0x/",
	"https://app.example.1/", "https://app.0x7f/", "https://127.0.0.-1/x", "https://0xa9fea9fe/", "https://2852039166/",
	"https://169.254.43518/", "https://0251.0376.0251.0376/", "https://[127.0.0.1]/", "https://[0x7f000001]/",
	/* IPv6 */
	"https://::1/", "https://[::1/", "https://::1]/", "https://[]/", "https://[::1]x/", "https://[::1]x:443/",
	"https://[::1%25eth0]/", "https://[fe80::1%eth0]/", "https://[fe80::1%251]/", "https://[v1.fe80]/",
	"https://[::1].example/", "https://[app.example]/", "https://[::g]/", "https://[1:2:3:4:5:6:7]/",
	"https://[1:2:3:4:5:6:7:8:9]/", "https://[::1::]/", "https://[[::1]]/", "https://[::ffff:127.0.0.1.1]/",
	"https://[::ffff:0177.0.0.1]/", "https://[::ffff:127.1]/", "https://[:::1]/", "https://[ ::1]/",
	/* ports */
	"https://app.example:/", "https://app.example:0/", "https://app.example:65536/", "https://app.example:-1/",
	"https://app.example:+443/", "https://app.example:443x/", "https://app.example:4 43/", "https://app.example:999999/",
	"https://app.example:443:443/", "https://app.example:0x1bb/", "https://app.example:%34%34%33/", "https://[::1]:/",
	"https://:443/", "https://[::1]:99999/",
};

START_TEST(test_refused)
{
	struct target_url url;
	const char *wrong = target_url_read(&url, refused[_i], true);

	ck_assert_msg(wrong, "\"%s\" was taken as %s", refused[_i], url.text);
	ck_assert_msg(strncmp(wrong, "the ", 4) == 0 || strncmp(wrong, "what ", 5) == 0, "no sentence: %s", wrong);
	ck_assert_ptr_null(strstr(wrong, "secret"));
}
END_TEST

START_TEST(test_only_https_unless_allowed)
{
	struct target_url url;

	ck_assert_ptr_nonnull(target_url_read(&url, "http://app.example/", false));
	ck_assert_ptr_null(target_url_read(&url, "https://app.example/", false));
}
END_TEST

/* The longest that is taken still fits in our spelling, which may be longer by a slash. */
START_TEST(test_length)
{
	char *text = malloc(TARGET_URL_MAX + 2);
	struct target_url url;

	ck_assert_ptr_nonnull(text);
	memset(text, 'a', TARGET_URL_MAX + 1);
	memcpy(text, "https://app.example?", 20);
	text[TARGET_URL_MAX + 1] = '\0';
	ck_assert_ptr_nonnull(target_url_read(&url, text, false));
	text[TARGET_URL_MAX] = '\0';
	ck_assert_ptr_null(target_url_read(&url, text, false));
	ck_assert_uint_eq(strlen(url.text), TARGET_URL_MAX + 1);
	free(text);
}
END_TEST

/* Whatever the bytes are: either a sentence, or a URL that is read again as itself. */
START_TEST(test_reading_is_stable)
{
	static const char letters[] = "htps:/?#[]@%.\\ -_0123456789abcdefxX\x80\t";
	unsigned seed = 20261122;
	size_t count = 0;

	for (int round = 0; round < 200000; round++) {
		char text[48] = "https://";
		struct target_url url, again;
		size_t len = 8;

		while (len < sizeof text - 1 && rand_r(&seed) % 12)
			text[len++] = letters[(size_t)rand_r(&seed) % (sizeof letters - 1)];
		if (target_url_read(&url, text, true))
			continue;
		count++;
		ck_assert_msg(!target_url_read(&again, url.text, true), "%s became %s", text, url.text);
		ck_assert_str_eq(again.text, url.text);
		ck_assert_str_eq(again.host, url.host);
		ck_assert_int_eq(again.port, url.port);
	}
	ck_assert_uint_gt(count, 1000);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("target_url");
	TCase *t = tcase_create("urls");
	SRunner *sr;
	int failed;

	tcase_add_loop_test(t, test_taken, 0, sizeof taken / sizeof *taken);
	tcase_add_loop_test(t, test_refused, 0, sizeof refused / sizeof *refused);
	tcase_add_test(t, test_only_https_unless_allowed);
	tcase_add_test(t, test_length);
	tcase_add_test(t, test_reading_is_stable);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
