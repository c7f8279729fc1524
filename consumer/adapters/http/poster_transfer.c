/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/http/poster_priv.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	HEADER_LINE_MAX = 8 * 1024,
	RECEIVE_BYTES = 4 * 1024, /* of libcurl, for each transfer; answers are small */
	IDLE_S = 60,
	CONNECTION_LIFE_S = 600,
	TIMEOUT_LEAST_MS = 1, /* 0 would be none at all */
	RESOLVED_KEPT_S = 5,
};

static const int64_t retry_after_most_ms = INT64_C(7) * 24 * 60 * 60 * 1000;

int64_t poster_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- making one ---- */

static bool is_token(const char *name)
{
	return *name && name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")] == '\0';
}

/* What says where a request ends and to whom it goes is not the caller's. */
static bool is_ours(const char *name)
{
	static const char *const names[] = { "host", "content-length", "transfer-encoding", "connection", "expect", "te",
		                             "upgrade", "user-agent", "proxy-authorization" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcasecmp(name, names[i]) == 0)
			return true;
	return false;
}

static bool add_line(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (longer)
		*list = longer;
	return longer != NULL;
}

static bool add_header(struct transfer *t, const struct post_header *h, struct err *e)
{
	char line[HEADER_LINE_MAX];
	int len;

	if (!is_token(h->name) || is_ours(h->name) || strpbrk(h->value, "\r\n"))
		return err_set(e, ERR_MISUSE, 0, "poster", "a header has a name or a value that cannot be");
	len = snprintf(line, sizeof line, *h->value ? "%s: %s" : "%s;", h->name, h->value);
	if (len < 0 || (size_t)len >= sizeof line)
		return err_set(e, ERR_MISUSE, 0, "poster", "a header is longer than %d bytes", HEADER_LINE_MAX);
	return add_line(&t->headers, line) || err_set(e, ERR_TRANSIENT, 0, "poster", "out of memory");
}

static bool add_headers(struct transfer *t, const struct post *post, struct err *e)
{
	bool has_type = false, ok = true;

	for (size_t i = 0; ok && i < post->header_count; i++) {
		ok = add_header(t, &post->headers[i], e);
		has_type = has_type || strcasecmp(post->headers[i].name, "content-type") == 0;
	}
	if (!ok)
		return false;
	return has_type || add_line(&t->headers, "Content-Type: application/json") ||
	       err_set(e, ERR_TRANSIENT, 0, "poster", "out of memory");
}

static bool copy_post(struct transfer *t, const struct post *post, struct err *e)
{
	if (!post->url || post->header_count > POST_HEADERS_MAX || post->body_len > POST_BODY_MAX ||
	    (post->body_len && !post->body))
		return err_set(e, ERR_MISUSE, 0, "poster", "a post without URL, or with more than it may have");
	t->body_len = post->body_len;
	t->body = malloc(post->body_len + 1);
	if (!t->body)
		return err_set(e, ERR_TRANSIENT, 0, "poster", "out of memory");
	if (post->body_len)
		memcpy(t->body, post->body, post->body_len);
	return add_headers(t, post, e);
}

struct transfer *transfer_new(const struct poster_bounds *bounds, const struct post *post, struct err *e)
{
	struct transfer *t = calloc(1, sizeof *t);

	if (!t) {
		err_set(e, ERR_TRANSIENT, 0, "poster", "out of memory");
		return NULL;
	}
	t->bounds = bounds;
	t->began_ms = poster_now_ms();
	t->result.tag = post->tag;
	if (copy_post(t, post, e))
		return t;
	transfer_free(t);
	return NULL;
}

void transfer_free(struct transfer *t)
{
	curl_easy_cleanup(t->easy);
	curl_slist_free_all(t->headers);
	curl_slist_free_all(t->resolved);
	free(t->body);
	free(t);
}

const struct target_url *transfer_hop(const struct transfer *t)
{
	return t->bounds->has_proxy ? &t->bounds->proxy : &t->url;
}

void transfer_end(struct transfer *t, enum post_end end, const char *text)
{
	t->result.end = end;
	t->result.took_ms = poster_now_ms() - t->began_ms;
	snprintf(t->result.text, sizeof t->result.text, "%s", text);
}

/* ---- addresses ---- */

bool transfer_take_addresses(struct transfer *t, const struct net_address *addresses, size_t count)
{
	const char *why = NULL;
	char text[POST_TEXT_MAX];

	t->address_count = 0;
	for (size_t i = 0; i < count; i++) {
		const char *wrong = t->bounds->has_proxy ? NULL : address_forbidden(&t->bounds->rules, &addresses[i]);

		if (wrong)
			why = wrong;
		else
			t->addresses[t->address_count++] = addresses[i];
	}
	if (t->address_count > 0)
		return true;
	snprintf(text, sizeof text, "its host may not be reached: %s", why ? why : "it has no address");
	transfer_end(t, POST_FORBIDDEN, text);
	return false;
}

static bool read_socket_address(const struct sockaddr *from, struct net_address *to_r, int *port_r)
{
	const struct sockaddr_in *v4 = (const void *)from;
	const struct sockaddr_in6 *v6 = (const void *)from;

	*to_r = (struct net_address){ .is_v6 = from->sa_family == AF_INET6 };
	if (from->sa_family == AF_INET)
		memcpy(to_r->bytes, &v4->sin_addr, 4);
	else if (from->sa_family == AF_INET6)
		memcpy(to_r->bytes, &v6->sin6_addr, 16);
	else
		return false;
	*port_r = ntohs(from->sa_family == AF_INET ? v4->sin_port : v6->sin6_port);
	return true;
}

/* The last word, on the very address that connect() will get. */
static bool may_connect(const struct transfer *t, const struct sockaddr *to)
{
	struct net_address address;
	int port;

	if (!read_socket_address(to, &address, &port) || port != transfer_hop(t)->port ||
	    (!t->bounds->has_proxy && address_forbidden(&t->bounds->rules, &address)))
		return false;
	for (size_t i = 0; i < t->address_count; i++)
		if (memcmp(&address, &t->addresses[i], sizeof address) == 0)
			return true;
	return false;
}

static curl_socket_t on_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct transfer *t = arg;

	if (purpose != CURLSOCKTYPE_IPCXN || !may_connect(t, &to->addr)) {
		t->is_blocked = true;
		return CURL_SOCKET_BAD;
	}
	return socket(to->family, to->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, to->protocol);
}

/* "+host:port:address,address": libcurl looks nothing up by itself and starts no thread. */
static bool pin(struct transfer *t)
{
	const struct target_url *hop = transfer_hop(t);
	char line[TARGET_HOST_MAX + 16 + LOOKUP_ADDRESSES_MAX * (INET6_ADDRSTRLEN + 3)], text[INET6_ADDRSTRLEN];
	size_t len;

	if (hop->is_address)
		return true;
	len = (size_t)snprintf(line, sizeof line, "+%s:%d:", hop->host, hop->port);
	for (size_t i = 0; i < t->address_count; i++) {
		const struct net_address *a = &t->addresses[i];

		if (!inet_ntop(a->is_v6 ? AF_INET6 : AF_INET, a->bytes, text, sizeof text))
			return false;
		len += (size_t)snprintf(line + len, sizeof line - len, a->is_v6 ? "%s[%s]" : "%s%s", i ? "," : "",
		                        text);
	}
	return add_line(&t->resolved, line);
}

/* ---- the answer ---- */

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	struct transfer *t = arg;

	(void)data;
	t->body_bytes += size * count;
	t->is_too_large = t->is_too_large || t->body_bytes > t->bounds->max_answer_bytes;
	return t->is_too_large ? 0 : size * count;
}

static void keep_retry_after(struct transfer *t, const char *line, size_t len)
{
	static const char name[] = "retry-after:";

	if (len < sizeof name - 1 || strncasecmp(line, name, sizeof name - 1) != 0)
		return;
	line += sizeof name - 1;
	len -= sizeof name - 1;
	if (len <= RETRY_AFTER_TEXT_MAX)
		snprintf(t->retry_after, sizeof t->retry_after, "%.*s", (int)len, line);
}

static size_t on_header(char *data, size_t size, size_t count, void *arg)
{
	struct transfer *t = arg;

	t->head_bytes += size * count;
	t->is_too_large = t->is_too_large || t->head_bytes > t->bounds->max_answer_bytes;
	if (size * count > 5 && strncmp(data, "HTTP/", 5) == 0)
		t->retry_after[0] = '\0'; /* what came before belongs to a 1xx */
	keep_retry_after(t, data, size * count);
	return t->is_too_large ? 0 : size * count;
}

static int on_connected(void *arg, char *remote_ip, char *local_ip, int remote_port, int local_port)
{
	struct transfer *t = arg;

	(void)remote_ip, (void)local_ip, (void)remote_port, (void)local_port;
	t->is_connected = true;
	return CURL_PREREQFUNC_OK;
}

/* ---- options ---- */

/* Option by option against what libcurl would do otherwise, some of it decided by the environment. An option that is
 * not taken would be a defence that is not there: each is checked. */
static const struct {
	CURLoption option;
	long value;
} fixed[] = {
	{ CURLOPT_FOLLOWLOCATION, 0 },
	{ CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 },
	{ CURLOPT_HTTP_CONTENT_DECODING, 0 },
	{ CURLOPT_PATH_AS_IS, 1 },
	{ CURLOPT_NOSIGNAL, 1 },
	{ CURLOPT_NETRC, CURL_NETRC_IGNORED },
	{ CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 },
	{ CURLOPT_SSL_VERIFYPEER, 1 },
	{ CURLOPT_SSL_VERIFYHOST, 2 },
	{ CURLOPT_BUFFERSIZE, RECEIVE_BYTES },
	{ CURLOPT_DNS_CACHE_TIMEOUT, RESOLVED_KEPT_S },
	{ CURLOPT_MAXAGE_CONN, IDLE_S },
	{ CURLOPT_MAXLIFETIME_CONN, CONNECTION_LIFE_S },
};

static bool set_number(CURL *easy, CURLoption option, long value)
{
	return curl_easy_setopt(easy, option, value) == CURLE_OK;
}

static bool set_text(CURL *easy, CURLoption option, const char *value)
{
	return curl_easy_setopt(easy, option, value) == CURLE_OK;
}

static bool set_protocol(CURL *easy, const struct poster_bounds *b)
{
	bool ok = set_text(easy, CURLOPT_PROTOCOLS_STR, b->allow_http ? "https,http" : "https") &&
	          set_text(easy, CURLOPT_REDIR_PROTOCOLS_STR, "https") &&
	          set_text(easy, CURLOPT_USERAGENT, "sandbox-notifier/" SANDBOX_VERSION);

	for (size_t i = 0; ok && i < sizeof fixed / sizeof *fixed; i++)
		ok = set_number(easy, fixed[i].option, fixed[i].value);
	/* Only certificates of one file, and of no folder, are read once instead of once for each connection. */
	if (ok && b->ca_file)
		ok = set_text(easy, CURLOPT_CAINFO, b->ca_file) && set_text(easy, CURLOPT_CAPATH, NULL) &&
		     set_text(easy, CURLOPT_PROXY_CAINFO, b->ca_file) && set_text(easy, CURLOPT_PROXY_CAPATH, NULL);
	return ok;
}

static bool set_proxy(CURL *easy, const struct poster_bounds *b)
{
	if (!b->has_proxy)
		return set_text(easy, CURLOPT_PROXY, "") && set_text(easy, CURLOPT_NOPROXY, "*");
	return set_text(easy, CURLOPT_PROXY, b->proxy.text) && set_number(easy, CURLOPT_PROXYPORT, b->proxy.port) &&
	       set_text(easy, CURLOPT_NOPROXY, "") && set_number(easy, CURLOPT_HTTPPROXYTUNNEL, 1) &&
	       set_number(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1);
}

static bool set_bounds(struct transfer *t)
{
	const struct poster_bounds *b = t->bounds;
	int64_t left_ms = b->total_timeout_ms - (poster_now_ms() - t->began_ms);

	left_ms = left_ms < TIMEOUT_LEAST_MS ? TIMEOUT_LEAST_MS : left_ms;
	return set_number(t->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)b->connect_timeout_ms) &&
	       set_number(t->easy, CURLOPT_TIMEOUT_MS, (long)left_ms) &&
	       curl_easy_setopt(t->easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)b->max_answer_bytes) == CURLE_OK;
}

static bool set_callbacks(struct transfer *t)
{
	return curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t) == CURLE_OK &&
	       curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket) == CURLE_OK &&
	       curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETDATA, t) == CURLE_OK &&
	       curl_easy_setopt(t->easy, CURLOPT_PREREQFUNCTION, on_connected) == CURLE_OK &&
	       curl_easy_setopt(t->easy, CURLOPT_PREREQDATA, t) == CURLE_OK &&
	       curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
	       curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t) == CURLE_OK &&
	       curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
	       curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t) == CURLE_OK;
}

static bool set_request(struct transfer *t)
{
	return curl_easy_setopt(t->easy, CURLOPT_URL, t->url.text) == CURLE_OK &&
	       set_number(t->easy, CURLOPT_POST, 1) &&
	       curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->body_len) == CURLE_OK &&
	       curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, t->body) == CURLE_OK &&
	       curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers) == CURLE_OK &&
	       curl_easy_setopt(t->easy, CURLOPT_RESOLVE, t->resolved) == CURLE_OK;
}

bool transfer_prepare(struct transfer *t)
{
	t->easy = curl_easy_init();
	if (t->easy && pin(t) && set_protocol(t->easy, t->bounds) && set_proxy(t->easy, t->bounds) && set_bounds(t) &&
	    set_callbacks(t) && set_request(t))
		return true;
	transfer_end(t, POST_FAILED, "it was not sent: out of memory, or libcurl does not know an option");
	return false;
}

/* ---- what it came to ---- */

int64_t poster_retry_after_ms(const char *text, time_t now)
{
	int64_t seconds = 0;
	time_t date;
	size_t digits;

	text += strspn(text, " \t");
	digits = strspn(text, "0123456789");
	if (digits > 0) {
		if (text[digits + strspn(text + digits, " \t\r\n")])
			return 0;
		for (size_t i = 0; i < digits && seconds < retry_after_most_ms; i++)
			seconds = seconds * 10 + (text[i] - '0');
	} else if (*text >= 'A' && *text <= 'Z') { /* dates begin with the day of the week */
		date = curl_getdate(text, NULL);
		seconds = date > now ? date - now : 0;
	}
	return seconds < retry_after_most_ms / 1000 ? seconds * 1000 : retry_after_most_ms;
}

static void answered(struct transfer *t)
{
	char text[POST_TEXT_MAX];
	long status = 0;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	t->result.status = (int)status;
	t->result.retry_after_ms = poster_retry_after_ms(t->retry_after, time(NULL));
	snprintf(text, sizeof text, "it answered with status %ld%s", status,
	         status >= 300 && status < 400 ? "; redirects are not followed" : "");
	transfer_end(t, POST_ANSWERED, text);
}

static void timed_out(struct transfer *t)
{
	const struct poster_bounds *b = t->bounds;
	char text[POST_TEXT_MAX];

	if (t->is_connected)
		snprintf(text, sizeof text, "its whole answer did not come within %lld ms",
		         (long long)b->total_timeout_ms);
	else
		snprintf(text, sizeof text, "no connection to it was made within %lld ms",
		         (long long)b->connect_timeout_ms);
	transfer_end(t, POST_TIMED_OUT, text);
}

/* Numbers of OpenSSL's X509_V_ERR_*: they are part of its interface and never change. 1 is what libcurl sets before it
 * asks, and leaves there when the name is what is wrong. */
static const char *certificate_fault(CURL *easy)
{
	long code = 0;

	curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &code);
	switch (code) {
	case 0:
	case 1:
		return "its certificate is for another host";
	case 9:
		return "its certificate is not valid yet";
	case 10:
		return "its certificate has expired";
	case 18:
	case 19:
		return "its certificate is signed by itself";
	case 2:
	case 20:
	case 21:
		return "its certificate is by nobody we trust, or the chain is not whole";
	default:
		return "its certificate is not accepted";
	}
}

static const char *failure_of(const struct transfer *t, CURLcode code)
{
	const bool at_proxy = t->bounds->has_proxy && !t->is_connected;

	switch (code) {
	case CURLE_COULDNT_CONNECT:
		return at_proxy ? "no connection to the proxy" : "no connection: it is refused or cannot be reached";
	case CURLE_PEER_FAILED_VERIFICATION:
		return certificate_fault(t->easy);
	case CURLE_SSL_CONNECT_ERROR:
		return "no TLS connection: it speaks none, or none from version 1.2 on";
	case CURLE_GOT_NOTHING:
		return "the connection was closed without an answer";
	case CURLE_RECV_ERROR:
		return at_proxy ? "the proxy did not let it through" : "the connection broke off";
	case CURLE_SEND_ERROR:
	case CURLE_PARTIAL_FILE:
		return "the connection broke off";
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		return "what it answered is not HTTP";
	default:
		return curl_easy_strerror(code);
	}
}

void transfer_judge(struct transfer *t, CURLcode code)
{
	/* A line beyond libcurl's own bound is told as memory that is short. */
	if (t->is_too_large || code == CURLE_FILESIZE_EXCEEDED || (code == CURLE_OUT_OF_MEMORY && t->is_connected))
		transfer_end(t, POST_TOO_LARGE, "its answer is larger than allowed");
	else if (code == CURLE_OK)
		answered(t);
	else if (t->is_blocked)
		transfer_end(t, POST_FORBIDDEN, "its address may not be reached");
	else if (code == CURLE_OPERATION_TIMEDOUT)
		timed_out(t);
	else
		transfer_end(t, POST_FAILED, failure_of(t, code));
}
