/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/notifier/target_url.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { LABEL_MAX = 63, HTTPS_PORT = 443, HTTP_PORT = 80, PORT_MAX = 65535 };

static bool is_digit(char ch)
{
	return ch >= '0' && ch <= '9';
}

static bool is_name_letter(char ch)
{
	return is_digit(ch) || (ch >= 'a' && ch <= 'z') || ch == '-' || ch == '_';
}

static char lower(char ch)
{
	return ch >= 'A' && ch <= 'Z' ? (char)(ch - 'A' + 'a') : ch;
}

/* Space, control characters, backslash and what is not ASCII: places where readers of URLs differ. */
static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text >= 0x7f || strchr("\\\"<>^`{|}", *text))
			return false;
	return true;
}

/* "127.1", "0x7f.1" and "017" are addresses to some readers and names to others. */
static bool ends_in_number(const char *host)
{
	const char *dot = strrchr(host, '.'), *last = dot ? dot + 1 : host;

	if (last[0] == '0' && last[1] == 'x')
		return last[2 + strspn(last + 2, "0123456789abcdef")] == '\0';
	return last[strspn(last, "0123456789")] == '\0';
}

/* Labels as RFC 1123 has them, and underscores, which some hosts have. */
static bool labels_are_sound(const char *host)
{
	for (size_t len; *host; host += len + (host[len] == '.')) {
		len = strcspn(host, ".");
		if (len == 0 || len > LABEL_MAX || host[0] == '-' || host[len - 1] == '-')
			return false;
		for (size_t i = 0; i < len; i++)
			if (!is_name_letter(host[i]))
				return false;
	}
	return true;
}

static const char *read_name(struct target_url *url)
{
	size_t len = strlen(url->host);

	if (len > 1 && url->host[len - 1] == '.')
		url->host[--len] = '\0';
	if (url->host[len - 1] == '.' || !labels_are_sound(url->host))
		return "the host of the URL is no name that can be looked up";
	if (!ends_in_number(url->host))
		return NULL;
	url->is_address = net_address_read(&url->address, url->host);
	return url->is_address ? NULL : "the host of the URL is a number, but no IPv4 address of four decimal numbers";
}

static const char *read_v6(struct target_url *url)
{
	if (strchr(url->host, '%'))
		return "the address in the URL has a zone";
	url->is_address = strchr(url->host, ':') && net_address_read(&url->address, url->host);
	return url->is_address ? NULL : "what is between the brackets of the URL is no IPv6 address";
}

static const char *read_port(struct target_url *url, const char *text, size_t len)
{
	int port = 0;

	for (size_t i = 0; i < len; i++) {
		if (!is_digit(text[i]) || i == 5)
			return "the port of the URL is no number from 1 to 65535";
		port = port * 10 + (text[i] - '0');
	}
	if (port < 1 || port > PORT_MAX)
		return "the port of the URL is no number from 1 to 65535";
	url->port = port;
	return NULL;
}

/* text is everything between "//" and the path. */
static const char *read_authority(struct target_url *url, const char *text, size_t len)
{
	const bool has_brackets = len > 0 && text[0] == '[';
	const char *start = text + has_brackets, *end = memchr(start, has_brackets ? ']' : ':', len - has_brackets);
	const char *wrong;

	if (memchr(text, '@', len))
		return "the URL names a user";
	if (has_brackets && !end)
		return "the URL has a bracket that is not closed";
	if (!end)
		end = text + len;
	if (end == start || end - start > TARGET_HOST_MAX)
		return end == start ? "the URL names no host" : "the host of the URL is too long";
	for (const char *p = start; p < end; p++)
		url->host[p - start] = lower(*p);
	url->host[end - start] = '\0';
	wrong = has_brackets ? read_v6(url) : read_name(url);
	end += has_brackets;
	if (wrong || end == text + len)
		return wrong;
	if (*end != ':')
		return "the URL goes on behind its bracket";
	return read_port(url, end + 1, (size_t)(text + len - end - 1));
}

static const char *read_scheme(struct target_url *url, const char *text, bool allow_http, const char **rest_r)
{
	url->is_https = strncasecmp(text, "https://", 8) == 0;
	*rest_r = text + (url->is_https ? 8 : 7);
	if (url->is_https || (allow_http && strncasecmp(text, "http://", 7) == 0)) {
		url->port = url->is_https ? HTTPS_PORT : HTTP_PORT;
		return NULL;
	}
	return allow_http ? "the URL is neither https:// nor http://" : "the URL is not https://";
}

/* In one spelling: that is what is handed on, never the text that came. */
static void write_text(struct target_url *url, const char *path, size_t path_len)
{
	const char *bracket = url->is_address && url->address.is_v6 ? "[" : "";
	char port[8] = "";

	if (url->port != (url->is_https ? HTTPS_PORT : HTTP_PORT))
		snprintf(port, sizeof port, ":%d", url->port);
	snprintf(url->text, sizeof url->text, "%s://%s%s%s%s%s%.*s", url->is_https ? "https" : "http", bracket,
	         url->host, *bracket ? "]" : "", port, *path == '/' ? "" : "/", (int)path_len, path);
}

const char *target_url_read(struct target_url *url_r, const char *text, bool allow_http)
{
	const char *wrong, *authority;
	size_t len;

	*url_r = (struct target_url){ .port = 0 };
	if (strnlen(text, TARGET_URL_MAX + 1) > TARGET_URL_MAX)
		return "the URL is longer than allowed";
	if (!is_plain(text))
		return "the URL has characters that belong percent-encoded";
	wrong = read_scheme(url_r, text, allow_http, &authority);
	if (wrong)
		return wrong;
	len = strcspn(authority, "/?#");
	wrong = read_authority(url_r, authority, len);
	if (!wrong)
		write_text(url_r, authority + len, strcspn(authority + len, "#"));
	return wrong;
}
