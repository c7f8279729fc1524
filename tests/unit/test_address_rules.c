/* SPDX-License-Identifier: Apache-2.0
 * Which addresses may be reached: the edges of every special network, from inside and from outside, written down from the
 * IANA registries and not from the code; IPv4 addresses inside IPv6 ones; networks from the settings. */
#include "consumer/notifier/address_rules.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct address_rules strict;

struct row {
	const char *address, *why; /* NULL: it may be reached; else a part of the reason */
};

static const struct row rows[] = {
	/* IPv4: public on both sides of everything special */
	{ "0.0.0.0", "this network" }, { "0.0.0.1", "this network" }, { "0.255.255.255", "this network" },
	{ "1.0.0.0", NULL }, { "1.1.1.1", NULL }, { "8.8.8.8", NULL }, { "9.9.9.9", NULL }, { "9.255.255.255", NULL },
	{ "10.0.0.0", "private" }, { "10.0.0.1", "private" }, { "10.127.0.1", "private" },
	{ "10.255.255.255", "private" }, { "11.0.0.0", NULL },
	{ "100.63.255.255", NULL }, { "100.64.0.0", "NAT" }, { "100.100.100.200", "NAT" }, { "100.127.255.255", "NAT" },
	{ "100.128.0.0", NULL },
	{ "126.255.255.255", NULL }, { "127.0.0.0", "loopback" }, { "127.0.0.1", "loopback" }, { "127.0.1.1", "loopback" },
	{ "127.53.0.1", "loopback" }, { "127.255.255.254", "loopback" }, { "127.255.255.255", "loopback" },
	{ "128.0.0.0", NULL },
	{ "168.63.129.15", NULL }, { "168.63.129.16", "cloud" }, { "168.63.129.17", NULL },
	{ "169.253.255.255", NULL }, { "169.254.0.0", "link-local" }, { "169.254.169.254", "link-local" },
	{ "169.254.170.2", "link-local" }, { "169.254.255.255", "link-local" }, { "169.255.0.0", NULL },
	{ "172.15.255.255", NULL }, { "172.16.0.0", "private" }, { "172.17.0.1", "private" }, { "172.20.10.1", "private" },
	{ "172.31.255.255", "private" }, { "172.32.0.0", NULL }, { "172.217.16.14", NULL },
	{ "191.255.255.255", NULL }, { "192.0.0.0", "protocols" }, { "192.0.0.1", "protocols" },
	{ "192.0.0.8", "protocols" }, { "192.0.0.9", "protocols" }, { "192.0.0.170", "protocols" },
	{ "192.0.0.192", "protocols" }, { "192.0.0.255", "protocols" }, { "192.0.1.0", NULL }, { "192.0.1.255", NULL },
	{ "192.0.2.0", "documentation" }, { "192.0.2.1", "documentation" }, { "192.0.2.255", "documentation" },
	{ "192.0.3.0", NULL },
	{ "192.31.195.255", NULL }, { "192.31.196.0", "protocols" }, { "192.31.196.255", "protocols" },
	{ "192.31.197.0", NULL },
	{ "192.52.192.255", NULL }, { "192.52.193.0", "protocols" }, { "192.52.193.255", "protocols" },
	{ "192.52.194.0", NULL },
	{ "192.88.98.255", NULL }, { "192.88.99.0", "6to4" }, { "192.88.99.1", "6to4" }, { "192.88.99.255", "6to4" },
	{ "192.88.100.0", NULL },
	{ "192.167.255.255", NULL }, { "192.168.0.0", "private" }, { "192.168.0.1", "private" },
	{ "192.168.1.254", "private" }, { "192.168.255.255", "private" }, { "192.169.0.0", NULL },
	{ "192.175.47.255", NULL }, { "192.175.48.0", "protocols" }, { "192.175.48.255", "protocols" },
	{ "192.175.49.0", NULL },
	{ "198.17.255.255", NULL }, { "198.18.0.0", "benchmarks" }, { "198.19.0.1", "benchmarks" },
	{ "198.19.255.255", "benchmarks" }, { "198.20.0.0", NULL },
	{ "198.51.99.255", NULL }, { "198.51.100.0", "documentation" }, { "198.51.100.255", "documentation" },
	{ "198.51.101.0", NULL },
	{ "203.0.112.255", NULL }, { "203.0.113.0", "documentation" }, { "203.0.113.255", "documentation" },
	{ "203.0.114.0", NULL },
	{ "223.255.255.255", NULL }, { "224.0.0.0", "multicast" }, { "224.0.0.1", "multicast" },
	{ "224.0.0.251", "multicast" }, { "232.1.2.3", "multicast" }, { "239.255.255.255", "multicast" },
	{ "240.0.0.0", "reserved" }, { "240.0.0.1", "reserved" }, { "250.1.2.3", "reserved" },
	{ "255.255.255.254", "reserved" }, { "255.255.255.255", "broadcast" },
	{ "93.184.216.34", NULL }, { "151.101.1.69", NULL }, { "52.95.110.1", NULL },

	/* IPv6: this host, and IPv4 inside the first bits */
	{ "::", "this host" }, { "::1", "loopback" }, { "::2", "IPv4-compatible" }, { "::7f00:1", "IPv4-compatible" },
	{ "::127.0.0.1", "IPv4-compatible" }, { "::8.8.8.8", "IPv4-compatible" }, { "::ffff", "IPv4-compatible" },
	{ "::ffff:ffff", "IPv4-compatible" }, { "::1:0:0", "nobody" },
	{ "::fffe:ffff:ffff", "nobody" }, { "::ffff:0:0", "IPv4-mapped" }, { "::ffff:127.0.0.1", "IPv4-mapped" },
	{ "::ffff:7f00:1", "IPv4-mapped" }, { "::ffff:10.0.0.1", "IPv4-mapped" }, { "::ffff:8.8.8.8", "IPv4-mapped" },
	{ "::ffff:169.254.169.254", "IPv4-mapped" }, { "::ffff:255.255.255.255", "IPv4-mapped" },
	{ "::1:0:0:0", "nobody" }, { "::ffff:0:127.0.0.1", "IPv4-translated" }, { "::ffff:0:8.8.8.8", "IPv4-translated" },
	{ "::ffff:0:ffff:ffff", "IPv4-translated" },
	{ "64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff", "nobody" }, { "64:ff9b::", "NAT64" }, { "64:ff9b::127.0.0.1", "NAT64" },
	{ "64:ff9b::a9fe:a9fe", "NAT64" }, { "64:ff9b::8.8.8.8", "NAT64" }, { "64:ff9b::ffff:ffff", "NAT64" },
	{ "64:ff9b:0:0:0:1::", "nobody" }, { "64:ff9b:1::", "local NAT64" }, { "64:ff9b:1::10.0.0.1", "local NAT64" },
	{ "64:ff9b:1:fffe::10.0.0.1", "local NAT64" }, { "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "local NAT64" },
	{ "64:ff9b:2::", "nobody" },
	{ "100::", "discard" }, { "100::1", "discard" }, { "100::ffff:ffff:ffff:ffff", "discard" },
	{ "100:0:0:1::", "nobody" }, { "200::1", "nobody" }, { "400::1", "nobody" }, { "800::1", "nobody" },
	{ "1000::1", "nobody" }, { "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "nobody" },

	/* 2000::/3, and what is special in it */
	{ "2000::", NULL }, { "2000:ffff::1", NULL },
	{ "2001::", "Teredo" }, { "2001:0:4136:e378:8000:63bf:3fff:fdd2", "Teredo" }, { "2001::1", "Teredo" },
	{ "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", "Teredo" }, { "2001:1::", "protocols" }, { "2001:1::1", "protocols" },
	{ "2001:1::2", "protocols" }, { "2001:2::", "benchmarks" }, { "2001:2::1", "benchmarks" },
	{ "2001:2:0:ffff:ffff:ffff:ffff:ffff", "benchmarks" }, { "2001:2:1::", "protocols" }, { "2001:3::1", "protocols" },
	{ "2001:4:112::1", "protocols" }, { "2001:10::1", "protocols" }, { "2001:1f:ffff::", "protocols" },
	{ "2001:20::1", "protocols" }, { "2001:30::1", "protocols" },
	{ "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "protocols" }, { "2001:200::", NULL }, { "2001:200::1", NULL },
	{ "2001:470:0:76::2", NULL }, { "2001:4860:4860::8888", NULL },
	{ "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", NULL }, { "2001:db8::", "documentation" },
	{ "2001:db8::1", "documentation" }, { "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "documentation" },
	{ "2001:db9::", NULL }, { "2001:ffff::1", NULL },
	{ "2002::", "6to4" }, { "2002:7f00:1::", "6to4" }, { "2002:7f00:1::1", "6to4" }, { "2002:a00:1::1", "6to4" },
	{ "2002:808:808::1", "6to4" }, { "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "6to4" }, { "2003::", NULL },
	{ "2606:4700:4700::1111", NULL }, { "2607:f8b0:4005:80a::200e", NULL }, { "2620:fe::fe", NULL },
	{ "2620:4f:7fff::1", NULL }, { "2620:4f:8000::1", "protocols" }, { "2620:4f:8000:ffff:ffff:ffff:ffff:ffff", "protocols" },
	{ "2620:4f:8001::1", NULL }, { "2a00:1450:4001:81b::200e", NULL }, { "2c0f:fb50:4003::", NULL },
	{ "3ffd:ffff::1", NULL }, { "3ffe::1", "given back" }, { "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "given back" },
	{ "3fff::", "documentation" }, { "3fff::1", "documentation" },
	{ "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "documentation" }, { "3fff:1000::", NULL },
	{ "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL },

	/* ISATAP below a public prefix: the machine inside counts */
	{ "2a00:1450::5efe:10.0.0.1", "private" }, { "2a00:1450::5efe:127.0.0.1", "loopback" },
	{ "2a00:1450::200:5efe:192.168.1.1", "private" }, { "2a00:1450::200:5efe:8.8.8.8", NULL },
	{ "2a00:1450::5efe:169.254.169.254", "link-local" }, { "2a00:1450::5eff:10.0.0.1", NULL },

	/* behind it */
	{ "4000::", "nobody" }, { "4000::1", "nobody" }, { "5eff::1", "nobody" }, { "5f00::", "segment" },
	{ "5f00:ffff::1", "segment" }, { "5f01::", "nobody" }, { "6000::1", "nobody" }, { "8000::1", "nobody" },
	{ "a000::1", "nobody" }, { "c000::1", "nobody" }, { "e000::1", "nobody" }, { "f000::1", "nobody" },
	{ "f800::1", "nobody" }, { "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "nobody" }, { "fc00::", "unique local" },
	{ "fc00::1", "unique local" }, { "fd00::1", "unique local" }, { "fd00:ec2::254", "unique local" },
	{ "fd20:ce::254", "unique local" }, { "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "unique local" },
	{ "fe00::", "nobody" }, { "fe7f:ffff::1", "nobody" }, { "fe80::", "link-local" }, { "fe80::1", "link-local" },
	{ "fe80::a9fe:a9fe", "link-local" }, { "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "link-local" },
	{ "fec0::", "site-local" }, { "fec0::1", "site-local" }, { "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "site-local" },
	{ "ff00::", "multicast" }, { "ff01::1", "multicast" }, { "ff02::1", "multicast" }, { "ff02::fb", "multicast" },
	{ "ff05::2", "multicast" }, { "ff0e::1", "multicast" }, { "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "multicast" },
};

static const char *why(const struct address_rules *rules, const char *text)
{
	struct net_address address;

	ck_assert_msg(net_address_read(&address, text), "%s is no address", text);
	return address_forbidden(rules, &address);
}

static void check_row(const struct address_rules *rules, const struct row *row)
{
	const char *said = why(rules, row->address);

	ck_assert_msg(!said == !row->why && (!said || strstr(said, row->why)), "%s: %s, expected: %s", row->address,
	              said ? said : "may be reached", row->why ? row->why : "may be reached");
}

START_TEST(test_row)
{
	check_row(&strict, &rows[_i]);
}
END_TEST

START_TEST(test_there_are_many)
{
	ck_assert_uint_ge(sizeof rows / sizeof *rows, 200);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (size_t k = i + 1; k < sizeof rows / sizeof *rows; k++)
			ck_assert_msg(strcmp(rows[i].address, rows[k].address) != 0, "%s twice", rows[i].address);
}
END_TEST

/* ---- networks from the settings ---- */

static struct address_rules rules_with(const char *allowed, const char *denied)
{
	struct address_rules rules = { .allowed = { .count = 0 } };
	struct err err = { 0 };

	ck_assert_msg(address_nets_read(&rules.allowed, allowed, "allow_nets", &err), "%s", err.text);
	ck_assert_msg(address_nets_read(&rules.denied, denied, "deny_nets", &err), "%s", err.text);
	return rules;
}

static const struct row allowing_rows[] = {
	{ "127.0.0.1", NULL }, { "127.255.0.1", NULL }, { "10.1.2.3", NULL }, { "10.1.3.0", "private" },
	{ "10.0.255.255", "private" }, { "192.168.7.7", NULL }, { "192.168.7.6", "private" }, { "::1", NULL },
	{ "::2", "IPv4-compatible" }, { "fd12:3456::1", NULL }, { "fd12:3457::1", "unique local" },
	/* An address that was not allowed itself does not get in by what is inside. */
	{ "::ffff:127.0.0.1", "IPv4-mapped" }, { "2002:7f00:1::1", "6to4" },
	/* NAT64 was allowed: what is inside counts, and 127/8 and 10.1.2/24 are allowed. */
	{ "64:ff9b::8.8.8.8", NULL }, { "64:ff9b::10.1.2.3", NULL }, { "64:ff9b::10.1.3.3", "private" },
	{ "64:ff9b::169.254.169.254", "link-local" }, { "64:ff9b::127.0.0.1", NULL }, { "64:ff9b::5.5.5.5", "settings deny" },
	/* never, though allowed */
	{ "0.0.0.0", "this network" }, { "224.0.0.1", "multicast" }, { "ff02::1", "multicast" },
	/* denied, though public; and denied beats allowed */
	{ "5.5.5.5", "settings deny" }, { "5.5.6.0", NULL }, { "127.9.9.9", "settings deny" }, { "2a00:1::1", "settings deny" },
	{ "2a00:2::1", NULL },
};

START_TEST(test_settings)
{
	const struct address_rules rules =
		rules_with("127.0.0.0/8,10.1.2.0/24 192.168.7.7\n::1, fd12:3456::/32 64:ff9b::/96 224.0.0.0/8 ff00::/8",
	                   "5.5.5.0/24, 127.9.9.9/32, 2a00:1::/32");

	check_row(&rules, &allowing_rows[_i]);
}
END_TEST

START_TEST(test_this_host_is_never_allowed)
{
	const struct address_rules rules = rules_with("::/96, ::ffff:0:0/96", "");

	ck_assert_ptr_nonnull(why(&rules, "::"));
	ck_assert_ptr_null(why(&rules, "::1"));
	ck_assert_ptr_null(why(&rules, "::ffff:8.8.8.8"));
	ck_assert_ptr_nonnull(why(&rules, "::ffff:127.0.0.1"));
	ck_assert_ptr_nonnull(why(&rules, "::ffff:0.0.0.0"));
}
END_TEST

/* Teredo holds two addresses, one of them inverted: 192.0.2.45 is 3fff:fdd2. */
START_TEST(test_teredo_holds_two)
{
	const struct address_rules rules = rules_with("2001::/32", "");

	ck_assert_ptr_nonnull(why(&rules, "2001:0:4136:e378:8000:63bf:3fff:fdd2"));
	ck_assert_ptr_null(why(&rules, "2001:0:4136:e378:8000:63bf:f7f7:f7f7"));
	ck_assert_ptr_nonnull(why(&rules, "2001:0:0a00:0001:8000:63bf:f7f7:f7f7"));
	ck_assert_ptr_nonnull(why(&rules, "2001:0:4136:e378:8000:63bf:80ff:fffe"));
}
END_TEST

static const struct {
	const char *text, *wrong; /* NULL: it is sound */
} texts[] = {
	{ "", NULL }, { " , ,\n", NULL }, { "10.0.0.0/8", NULL }, { "10.0.0.1", NULL }, { "10.0.0.1/32", NULL },
	{ "fc00::/7", NULL }, { "::1/128", NULL }, { "100.64.0.0/10,fd00::/8", NULL }, { "::ffff:127.0.0.1", NULL },
	{ "0.0.0.0/0", "too wide" }, { "::/0", "too wide" }, { "8.0.0.0/7", "too wide" }, { "fc00::/6", "too wide" },
	{ "10.0.0.0/33", "length" }, { "::1/129", "length" }, { "10.0.0.0/-1", "length" }, { "10.0.0.0/+8", "length" },
	{ "10.0.0.0/", "length" }, { "10.0.0.0/08", "length" }, { "10.0.0.0/ 8", "length" }, { "10.0.0.0/8x", "length" },
	{ "10.0.0.0/999", "length" }, { "10.0.0.0/4294967304", "length" }, { "10.0.0.0/8/8", "length" },
	{ "10.0.0.1/8", "beyond its prefix" }, { "fd00::1/64", "beyond its prefix" }, { "172.16.0.0/11", "beyond its prefix" },
	{ "10/8", "no address" }, { "10.0.0/24", "no address" }, { "010.0.0.0/8", "no address" },
	{ "0x0a000000/8", "no address" }, { "localhost", "no address" }, { "10.0.0.256", "no address" },
	{ "fd00::/8::", "length" }, { "fe80::1%eth0", "no address" }, { "[::1]", "no address" }, { "*", "no address" },
	{ "10.0.0.0/8;11.0.0.0/8", "length" }, { "all", "no address" }, { "/8", "no address" },
	{ "1111111111111111111111111111111111111111111111111111111111111111", "no address" },
};

START_TEST(test_reading)
{
	struct address_nets nets;
	struct err err = { 0 };
	bool ok = address_nets_read(&nets, texts[_i].text, "allow_nets", &err);

	ck_assert_msg(ok == !texts[_i].wrong, "\"%s\": %s", texts[_i].text, ok ? "taken" : err.text);
	if (ok)
		return;
	ck_assert_msg(strstr(err.text, texts[_i].wrong), "\"%s\": %s", texts[_i].text, err.text);
	ck_assert_int_eq(err.class, ERR_REFUSED);
	ck_assert_str_eq(err.where, "allow_nets");
	ck_assert_uint_eq(nets.count, 0);
}
END_TEST

static char *repeated(const char *word, size_t count)
{
	char *text = malloc(strlen(word) * count + 1);

	ck_assert_ptr_nonnull(text);
	text[0] = '\0';
	for (size_t i = 0; i < count; i++)
		memcpy(text + i * strlen(word), word, strlen(word) + 1);
	return text;
}

START_TEST(test_bounds_of_reading)
{
	char *most = repeated("10.0.0.0/8,", ADDRESS_NETS_MAX), *many = repeated("10.0.0.0/8,", ADDRESS_NETS_MAX + 1);
	char *longer = repeated(" ", ADDRESS_NETS_TEXT_MAX + 1);
	struct address_nets nets;
	struct err err = { 0 };

	ck_assert(address_nets_read(&nets, most, "allow_nets", &err));
	ck_assert_uint_eq(nets.count, ADDRESS_NETS_MAX);
	ck_assert(!address_nets_read(&nets, many, "allow_nets", &err));
	ck_assert_ptr_nonnull(strstr(err.text, "more than 64 networks"));
	err_clear(&err);
	ck_assert(!address_nets_read(&nets, longer, "allow_nets", &err));
	ck_assert_ptr_nonnull(strstr(err.text, "longer than 4096"));
	free(most);
	free(many);
	free(longer);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("address_rules");
	TCase *t = tcase_create("rules");
	SRunner *sr;
	int failed;

	tcase_add_loop_test(t, test_row, 0, sizeof rows / sizeof *rows);
	tcase_add_test(t, test_there_are_many);
	tcase_add_loop_test(t, test_settings, 0, sizeof allowing_rows / sizeof *allowing_rows);
	tcase_add_test(t, test_this_host_is_never_allowed);
	tcase_add_test(t, test_teredo_holds_two);
	tcase_add_loop_test(t, test_reading, 0, sizeof texts / sizeof *texts);
	tcase_add_test(t, test_bounds_of_reading);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
