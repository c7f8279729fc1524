/* SPDX-License-Identifier: Apache-2.0
 * What a post can be led to: odd spellings of hosts, names of all kinds, redirects, proxies. The canary is a server on
 * the loopback network that counts connections: whatever is tried, nobody may knock at its door unless it was allowed.
 * Names under .test are looked up by this file, in place of the C library. */
#include "tests/system/poster_fixture.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- names of our own ---- */

static const struct fake_name {
	const char *name, *addresses[4];
	int code;
} fake_names[] = {
	{ "good.partner.test", { "127.0.0.1" }, 0 },
	{ "six.partner.test", { "::1" }, 0 },
	{ "second.partner.test", { "127.0.0.2", "127.0.0.1" }, 0 },
	{ "mixed.partner.test", { "10.0.0.1", "127.0.0.1", "fd00::1" }, 0 },
	{ "public.partner.test", { "93.184.216.34" }, 0 },
	{ "private.test", { "10.0.0.1", "192.168.0.1" }, 0 },
	{ "metadata.test", { "169.254.169.254" }, 0 },
	{ "mapped.test", { "::ffff:127.0.0.1" }, 0 },
	{ "compatible.test", { "::127.0.0.1" }, 0 },
	{ "nat64.test", { "64:ff9b::7f00:1" }, 0 },
	{ "sixtofour.test", { "2002:7f00:1::1" }, 0 },
	{ "zero.test", { "0.0.0.0", "::" }, 0 },
	{ "broadcast.test", { "255.255.255.255" }, 0 },
	{ "loopback.test", { "127.0.0.1", "::1" }, 0 },
	{ "unknown.test", { NULL }, EAI_NONAME },
	{ "silent.test", { NULL }, EAI_AGAIN },
	{ "empty.test", { NULL }, 0 },
};

static atomic_int looked_up;  /* names but localhost */
static atomic_int rebound;    /* look-ups of rebind.test */
static atomic_int held_names; /* look-ups of hold.test that are to wait: until it is 0 */

static struct addrinfo *address_new(const char *text, struct addrinfo *next)
{
	const struct addrinfo numeric = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM };
	struct addrinfo *one = NULL, *copy = calloc(1, sizeof *copy + sizeof(struct sockaddr_in6));
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	ck_assert(copy && real && real(text, NULL, &numeric, &one) == 0);
	*copy = *one;
	copy->ai_addr = memcpy(copy + 1, one->ai_addr, one->ai_addrlen);
	copy->ai_canonname = NULL;
	copy->ai_next = next;
	freeaddrinfo(one);
	return copy;
}

static int answer(const struct fake_name *fake, struct addrinfo **list_r)
{
	size_t count = 0;

	*list_r = NULL;
	while (count < 4 && fake->addresses[count])
		count++;
	while (count > 0)
		*list_r = address_new(fake->addresses[--count], *list_r);
	return fake->code ? fake->code : *list_r ? 0 : EAI_NODATA;
}

/* In place of the C library's, for our code and for libcurl alike; no name but localhost is asked of this machine. The
 * lists that address_new makes are taken apart by the C library's freeaddrinfo, piece by piece as they were made. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **list_r)
{
	static const struct fake_name first = { "", { "127.0.0.1" }, 0 }, later = { "", { "169.254.169.254" }, 0 };
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
	const size_t len = name ? strlen(name) : 0;

	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	if (len == 0 || strcmp(name, "localhost") == 0 || strspn(name, "0123456789abcdef.:") == len)
		return real(name, service, hints, list_r);
	atomic_fetch_add(&looked_up, 1);
	while (strcmp(name, "hold.test") == 0 && atomic_load(&held_names))
		poll(NULL, 0, 10);
	if (strcmp(name, "rebind.test") == 0)
		return answer(atomic_fetch_add(&rebound, 1) ? &later : &first, list_r);
	for (size_t i = 0; i < sizeof fake_names / sizeof *fake_names; i++)
		if (strcmp(fake_names[i].name, name) == 0)
			return answer(&fake_names[i], list_r);
	return EAI_NONAME;
}

static void setup(void)
{
	struct poster_settings s;

	open_server();
	s = lenient();
	open_poster(&s);
}

static void open_strict(void)
{
	struct poster_settings s = lenient();

	s.allow_nets = NULL;
	open_poster(&s);
}

static size_t knocks(void)
{
	return partner_server_connections(server, PARTNER_HTTP) + partner_server_connections(server, PARTNER_HTTPS);
}

static struct post_result post_to_host(const char *host, enum partner_door door)
{
	char url[512];

	snprintf(url, sizeof url, "%s://%s:%d/canary", door == PARTNER_HTTP ? "http" : "https", host,
	         partner_server_port(server, door));
	return post_to(url);
}

/* ---- spellings of this machine, of its neighbours, and of clouds' own services ---- */

static const char *const odd_hosts[] = {
	"127.0.0.1", "127.0.0.1.", "127.1", "127.0.1", "127", "0", "0.0.0.0", "0.0.0.0.", "127.127.127.127", "127.0.1.1",
	"2130706433", "017700000001", "0x7f000001", "0x7F000001", "0X7f000001", "0x7f.1", "0x7f.0.1", "0x7f.0x0.0x0.0x1",
	"0177.1", "0177.0.0.1", "0177.0.01", "00000177.0.0.1", "127.0.0.01", "127.0.00.1", "127.000.000.001", "0127.0.0.1",
	"18446744073709551617", "4294967297", "6425673729", "127.0.0.1.1", "1.0.0.127.in-addr.arpa", "127.0.0.256",
	"127.0.0.-1", "127.0.0.0x1", "0x7f000001.", "2130706433.", "127.1.", "0x7f.1.", "00", "0x0", "0x", "0..0", "..",
	"localhost", "LOCALHOST", "LocalHost.", "localhost..", ".localhost", "local\xc2\xadhost", "localhost%00",
	"localhost%2e", "%6c%6f%63%61%6c%68%6f%73%74", "%31%32%37.0.0.1", "127%2e0%2e0%2e1", "127.0.0.1%23", "127.0.0.1%2f",
	"[::1]", "[0:0:0:0:0:0:0:1]", "[0000::0001]", "[::]", "[::0]", "[0::0]", "[::127.0.0.1]", "[::7f00:1]",
	"[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::FFFF:127.0.0.1]", "[0:0:0:0:0:ffff:127.0.0.1]", "[::ffff:0:127.0.0.1]",
	"[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::127.0.0.1]", "[2002:7f00:1::]", "[2002:7f00:0001::1]",
	"[2001:0:7f00:1::]", "[::1%25lo]", "[::1%lo]", "[::1%251]", "[fe80::1%25lo]", "[fe80::1%251]", "[fe80::1]",
	"[::ffff:127.1]", "[::ffff:0x7f.0.0.1]", "[::ffff:2130706433]", "[127.0.0.1]", "[2130706433]", "[localhost]", "[]",
	"[::1", "::1", "[::1]]", "[[::1]]", "[::1].", "[::1]x", "[::1]@127.0.0.1", "[v1.127.0.0.1]", "[fc00::1]", "[fd00::1]",
	"[ff02::1]", "[fec0::1]", "[2001:db8::1]", "[100::1]", "[5f00::1]", "[::5efe:127.0.0.1]", "[2a00::5efe:127.0.0.1]",
	"user@127.0.0.1", "user:secret@127.0.0.1", "@127.0.0.1", ":@127.0.0.1", "public.partner.test@127.0.0.1",
	"public.partner.test:443@127.0.0.1", "127.0.0.1@public.partner.test@127.0.0.1", "a%40b@127.0.0.1",
	"public.partner.test\\@127.0.0.1", "public.partner.test\\.127.0.0.1", "127.0.0.1\\", "\\127.0.0.1", "127.0.0.1 ",
	" 127.0.0.1", "127.0.0.1\t", "127.0.0.1\r\nHost: x", "127.0.0.1\n", "127.0.0.1;", "127.0.0.1,x", "(127.0.0.1)",
	"127.0.0.1:80", "127.0.0.1:", "127.0.0.1:80@127.0.0.1", "127。0。0。1", "127.0.0。1", "1２7.0.0.1", "①②⑦.⓪.⓪.①",
	"ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "ｌｏｃａｌｈｏｓｔ", "xn--127-0-0-1", "xn--localhost-", "xn--localhost", "xn--tiqp16cbc", "xn--",
	"10.0.0.1", "10.1", "167772161", "192.168.0.1", "192.168.1", "172.16.0.1", "169.254.169.254", "169.254.43518",
	"2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "[::ffff:169.254.169.254]", "[fd00:ec2::254]", "100.100.100.200",
	"168.63.129.16", "192.0.0.192", "100.64.0.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
	"192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "192.88.99.1", "metadata.google.internal",
	"private.test", "metadata.test", "mapped.test", "compatible.test", "nat64.test", "sixtofour.test", "zero.test",
	"broadcast.test", "loopback.test", "LOOPBACK.Test.", "unknown.test", "silent.test", "empty.test",
};

/* One poster for all, as in life: nothing that one host leaves behind may help the next. */
START_TEST(test_odd_hosts)
{
	ck_assert_uint_ge(sizeof odd_hosts / sizeof *odd_hosts, 170);
	open_strict();
	for (size_t i = 0; i < sizeof odd_hosts / sizeof *odd_hosts; i++)
		for (int door = PARTNER_HTTP; door <= PARTNER_HTTPS; door++) {
			struct post_result result = post_to_host(odd_hosts[i], (enum partner_door)door);

			ck_assert_msg(result.end == POST_FORBIDDEN || (result.end == POST_FAILED && strstr(result.text, "name")),
			              "%s: end %d: %s", odd_hosts[i], result.end, result.text);
			ck_assert_msg(!strstr(result.text, "secret"), "%s: %s", odd_hosts[i], result.text);
		}
	ck_assert_uint_eq(knocks(), 0);
}
END_TEST

static const char *const odd_urls[] = {
	"file:///etc/passwd", "file://127.0.0.1/etc/passwd", "gopher://127.0.0.1:%d/_x", "dict://127.0.0.1:%d/x",
	"ftp://127.0.0.1:%d/", "tftp://127.0.0.1:%d/x", "ldap://127.0.0.1:%d/", "smb://127.0.0.1:%d/x",
	"telnet://127.0.0.1:%d/", "smtp://127.0.0.1:%d/", "imap://127.0.0.1:%d/", "rtsp://127.0.0.1:%d/",
	"mqtt://127.0.0.1:%d/", "scp://127.0.0.1:%d/", "ws://127.0.0.1:%d/", "http:127.0.0.1:%d/", "http:/127.0.0.1:%d/",
	"http:///127.0.0.1:%d/", "//127.0.0.1:%d/", "127.0.0.1:%d", "\thttp://127.0.0.1:%d/", " http://127.0.0.1:%d/",
	"https://", "https:", "", "http://127.0.0.1:%d\\@good.partner.test/", "hTTp+unix://127.0.0.1:%d/", "-K/etc/passwd",
	"http://{127.0.0.1,127.0.0.2}:%d/", "http://127.0.0.[1-5]:%d/",
};

/* Even where the loopback network is allowed, these are no URLs. */
START_TEST(test_odd_urls)
{
	for (size_t i = 0; i < sizeof odd_urls / sizeof *odd_urls; i++) {
		struct post_result result;
		char url[256], digits[8], *place;

		snprintf(url, sizeof url, "%s", odd_urls[i]);
		snprintf(digits, sizeof digits, "%d", partner_server_port(server, PARTNER_HTTP));
		place = strstr(url, "%d");
		if (place)
			snprintf(place, sizeof url - (size_t)(place - url), "%s%s", digits, strstr(odd_urls[i], "%d") + 2);
		result = post_to(url);
		expect_end(&result, POST_FORBIDDEN, url);
	}
	ck_assert_uint_eq(knocks(), 0);
}
END_TEST

/* The canary lives: where the network is allowed, the same hosts get through. */
START_TEST(test_allowed_hosts)
{
	static const char *const hosts[] = { "127.0.0.1", "127.0.0.1.", "localhost", "LOCALHOST.", "good.partner.test",
		                             "loopback.test" };

	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
		struct post_result result = post_to_host(hosts[i], PARTNER_HTTP);

		expect_end(&result, POST_ANSWERED, hosts[i]);
	}
	ck_assert_uint_eq(partner_server_count(server, "/canary"), sizeof hosts / sizeof *hosts);
}
END_TEST

START_TEST(test_http_only_when_allowed)
{
	struct poster_settings s = lenient();
	struct post_result result;

	s.allow_http = false;
	open_poster(&s);
	result = post_to_host("127.0.0.1", PARTNER_HTTP);
	expect_end(&result, POST_FORBIDDEN, "http");
	ck_assert_uint_eq(knocks(), 0);
	result = post_to_host("127.0.0.1", PARTNER_HTTPS);
	expect_end(&result, POST_ANSWERED, "https");
}
END_TEST

START_TEST(test_denied_beats_allowed)
{
	struct poster_settings s = lenient();
	struct post_result result;

	s.deny_nets = "127.0.0.1/32";
	open_poster(&s);
	result = post_to_host("good.partner.test", PARTNER_HTTP);
	expect_end(&result, POST_FORBIDDEN, "denied");
	ck_assert_ptr_nonnull(strstr(result.text, "the settings deny"));
	ck_assert_uint_eq(knocks(), 0);
}
END_TEST

/* ---- names ---- */

/* The certificate is for the name, though libcurl was given the address. */
START_TEST(test_name_over_tls)
{
	const char *const hosts[] = { "good.partner.test", "Good.Partner.Test.", "second.partner.test", "mixed.partner.test" };
	struct post_result result;
	char host[128];

	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
		result = post_to_host(hosts[i], PARTNER_HTTPS);
		expect_end(&result, POST_ANSWERED, hosts[i]);
	}
	partner_request_header(partner_server_request(server, NULL, 1), "host", host, sizeof host);
	ck_assert_msg(strncmp(host, "good.partner.test:", 18) == 0, "%s", host);
	result = post_to_host("loopback.test", PARTNER_HTTPS);
	expect_end(&result, POST_FAILED, "loopback.test");
	ck_assert_msg(strstr(result.text, "another host"), "%s", result.text);
}
END_TEST

START_TEST(test_name_with_ipv6)
{
	struct post_result result;

	if (access("/proc/net/if_inet6", R_OK) < 0)
		return;
	result = post_to_host("six.partner.test", PARTNER_HTTPS);
	expect_end(&result, POST_ANSWERED, "six.partner.test");
	result = post_to_host("[::1]", PARTNER_HTTPS);
	expect_end(&result, POST_ANSWERED, "[::1]");
}
END_TEST

static const struct {
	const char *host;
	enum post_end end;
	const char *text;
} name_failures[] = {
	{ "unknown.test", POST_FAILED, "has no address" },
	{ "empty.test", POST_FAILED, "has no address" },
	{ "silent.test", POST_FAILED, "did not answer" },
	{ "private.test", POST_FORBIDDEN, "a private network" },
	{ "metadata.test", POST_FORBIDDEN, "link-local" },
	{ "mapped.test", POST_FORBIDDEN, "IPv4-mapped" },
	{ "zero.test", POST_FORBIDDEN, "this host" },
};

START_TEST(test_name_failure)
{
	struct post_result result = post_to_host(name_failures[_i].host, PARTNER_HTTP);

	expect_end(&result, name_failures[_i].end, name_failures[_i].host);
	ck_assert_msg(strstr(result.text, name_failures[_i].text), "%s", result.text);
}
END_TEST

/* The name says something else the second time: nobody asks a second time. */
START_TEST(test_rebinding)
{
	const struct poster_settings s = lenient();
	struct post_result result = post_to_host("rebind.test", PARTNER_HTTP);

	expect_end(&result, POST_ANSWERED, "rebind.test");
	ck_assert_int_eq(atomic_load(&rebound), 1);
	ck_assert_int_eq(atomic_load(&looked_up), 1);
	/* A new poster knows nothing of the first answer: now the name is judged by the second one. */
	open_poster(&s);
	result = post_to_host("rebind.test", PARTNER_HTTP);
	expect_end(&result, POST_FORBIDDEN, "rebind.test");
	ck_assert_int_eq(atomic_load(&rebound), 2);
}
END_TEST

START_TEST(test_name_is_asked_once)
{
	char url[128];

	snprintf(url, sizeof url, "http://good.partner.test:%d/x", partner_server_port(server, PARTNER_HTTP));
	for (int i = 0; i < 50; i++) {
		struct post post = plain_post(url, 1);

		ck_assert(poster->post(poster, &post, &err));
	}
	for (int i = 0; i < 50; i++) {
		struct post_result result = next_result();

		expect_end(&result, POST_ANSWERED, url);
	}
	ck_assert_int_eq(atomic_load(&looked_up), 1);
}
END_TEST

START_TEST(test_look_up_that_hangs)
{
	struct poster_settings s = lenient();
	struct post_result result;

	s.connect_timeout_ms = 700;
	open_poster(&s);
	atomic_store(&held_names, 1);
	result = post_to_host("hold.test", PARTNER_HTTP);
	expect_end(&result, POST_TIMED_OUT, "hold.test");
	ck_assert_msg(strstr(result.text, "was not looked up in time"), "%s", result.text);
	ck_assert_int_ge(result.took_ms, 699);
	/* Closing does not wait for it, and it may end after everything is gone. */
	poster->close(poster);
	poster = NULL;
	atomic_store(&held_names, 0);
}
END_TEST

/* ---- redirects ---- */

START_TEST(test_redirects_lead_nowhere)
{
	static const int statuses[] = { 300, 301, 302, 303, 305, 307, 308 };
	char script[128];

	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
		struct post_result result;

		snprintf(script, sizeof script, "%d:http://127.0.0.1:%d/canary", statuses[i],
		         partner_server_port(server, PARTNER_HTTP));
		ck_assert(partner_server_script(server, "/app/1", script));
		result = post_to_door(PARTNER_HTTPS, "/app/1");
		expect_end(&result, POST_ANSWERED, script);
		ck_assert_int_eq(result.status, statuses[i]);
	}
	ck_assert_uint_eq(partner_server_count(server, "/canary"), 0);
	ck_assert_uint_eq(partner_server_connections(server, PARTNER_HTTP), 0);
}
END_TEST

/* ---- proxies ---- */

static const char *const proxy_variables[] = { "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" };

static void set_proxies(const char *value)
{
	for (size_t i = 0; i < sizeof proxy_variables / sizeof *proxy_variables; i++)
		setenv(proxy_variables[i], value, 1);
	setenv("no_proxy", "", 1);
}

/* In both directions: no post goes through it, and no check is got around by it. */
START_TEST(test_proxies_of_the_environment)
{
	struct post_result result;
	char proxy[64];

	snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", partner_server_port(server, PARTNER_EXPIRED));
	set_proxies(proxy);
	result = post_to_host("good.partner.test", PARTNER_HTTP);
	expect_end(&result, POST_ANSWERED, "http");
	result = post_to_host("good.partner.test", PARTNER_HTTPS);
	expect_end(&result, POST_ANSWERED, "https");
	snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", partner_server_port(server, PARTNER_HTTP));
	set_proxies(proxy);
	result = post_to_host("private.test", PARTNER_HTTP);
	expect_end(&result, POST_FORBIDDEN, "private");
	ck_assert_uint_eq(partner_server_connections(server, PARTNER_EXPIRED), 0);
	ck_assert_uint_eq(partner_server_count(server, NULL), 2);
}
END_TEST

/* An egress proxy that lets one connection through, whatever name it asks for. */
struct tunnel {
	int listener, port, to_port;
	bool refuses;
	char asked[512];
	pthread_t thread;
};

static int connect_to(int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
		                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof to) == 0 ? fd : -1;
}

static bool carry(int from, int to)
{
	char data[4096];
	ssize_t len = recv(from, data, sizeof data, 0);

	return len > 0 && send(to, data, (size_t)len, MSG_NOSIGNAL) == len;
}

static void carry_both(int a, int b)
{
	struct pollfd fds[2] = { { a, POLLIN, 0 }, { b, POLLIN, 0 } };
	bool ok = true;

	while (ok && poll(fds, 2, -1) > 0)
		ok = (!fds[0].revents || carry(a, b)) && (!fds[1].revents || carry(b, a));
}

static void *run_tunnel(void *arg)
{
	static const char yes[] = "HTTP/1.1 200 OK\r\n\r\n", no[] = "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n";
	struct tunnel *t = arg;
	int near = accept(t->listener, NULL, NULL), far = -1;
	size_t len = 0;

	while (near >= 0 && len < sizeof t->asked - 1 && !strstr(t->asked, "\r\n\r\n")) {
		ssize_t more = recv(near, t->asked + len, sizeof t->asked - 1 - len, 0);

		if (more <= 0)
			break;
		len += (size_t)more;
	}
	if (!t->refuses)
		far = connect_to(t->to_port);
	if (near >= 0)
		send(near, far >= 0 ? yes : no, strlen(far >= 0 ? yes : no), MSG_NOSIGNAL);
	if (far >= 0)
		carry_both(near, far);
	if (near >= 0)
		close(near);
	if (far >= 0)
		close(far);
	return NULL;
}

static void tunnel_open(struct tunnel *t, int to_port, bool refuses)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;

	*t = (struct tunnel){ .to_port = to_port, .refuses = refuses };
	t->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(t->listener, (const struct sockaddr *)&at, sizeof at), 0);
	ck_assert_int_eq(listen(t->listener, 4), 0);
	ck_assert_int_eq(getsockname(t->listener, (struct sockaddr *)&at, &len), 0);
	t->port = ntohs(at.sin_port);
	ck_assert_int_eq(pthread_create(&t->thread, NULL, run_tunnel, t), 0);
}

static void tunnel_close(struct tunnel *t)
{
	poster->close(poster);
	poster = NULL;
	pthread_join(t->thread, NULL);
	close(t->listener);
}

static void open_with_proxy(const struct tunnel *t)
{
	struct poster_settings s = lenient();
	char proxy[64];

	snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", t->port);
	s.proxy = proxy;
	s.allow_nets = NULL; /* the proxy is the operator's: the rules are not for it */
	open_poster(&s);
}

START_TEST(test_egress_proxy)
{
	struct post_result result;
	struct tunnel tunnel;

	tunnel_open(&tunnel, partner_server_port(server, PARTNER_HTTPS), false);
	open_with_proxy(&tunnel);
	result = post_to("https://elsewhere.partner.test/x");
	expect_end(&result, POST_ANSWERED, "through the proxy");
	tunnel_close(&tunnel);
	ck_assert_msg(strncmp(tunnel.asked, "CONNECT elsewhere.partner.test:443 ", 35) == 0, "%s", tunnel.asked);
	ck_assert_int_eq(atomic_load(&looked_up), 0); /* the name is the proxy's business */
	ck_assert_uint_eq(partner_server_count(server, "/x"), 1);
}
END_TEST

START_TEST(test_egress_proxy_that_refuses)
{
	struct post_result result;
	struct tunnel tunnel;

	tunnel_open(&tunnel, 0, true);
	open_with_proxy(&tunnel);
	result = post_to("https://elsewhere.partner.test/x");
	expect_end(&result, POST_FAILED, "refused by the proxy");
	ck_assert_msg(strstr(result.text, "proxy"), "%s", result.text);
	/* What can be judged here is judged here. */
	result = post_to("https://169.254.169.254/");
	expect_end(&result, POST_FORBIDDEN, "an address");
	tunnel_close(&tunnel);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("poster_reach");
	TCase *t = tcase_create("reach");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, setup, close_all);
	tcase_set_timeout(t, 240);
	tcase_add_test(t, test_odd_hosts);
	tcase_add_test(t, test_odd_urls);
	tcase_add_test(t, test_allowed_hosts);
	tcase_add_test(t, test_http_only_when_allowed);
	tcase_add_test(t, test_denied_beats_allowed);
	tcase_add_test(t, test_name_over_tls);
	tcase_add_test(t, test_name_with_ipv6);
	tcase_add_loop_test(t, test_name_failure, 0, sizeof name_failures / sizeof *name_failures);
	tcase_add_test(t, test_rebinding);
	tcase_add_test(t, test_name_is_asked_once);
	tcase_add_test(t, test_look_up_that_hangs);
	tcase_add_test(t, test_redirects_lead_nowhere);
	tcase_add_test(t, test_proxies_of_the_environment);
	tcase_add_test(t, test_egress_proxy);
	tcase_add_test(t, test_egress_proxy_that_refuses);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
