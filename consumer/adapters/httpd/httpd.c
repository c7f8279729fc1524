/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/httpd/httpd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { TOKEN_MAX = 1024, CONNECTION_MEMORY = 32 * 1024 };

struct httpd {
	struct MHD_Daemon *daemon;
	const struct httpd_route *routes;
	size_t route_count;
	char token[TOKEN_MAX];
	int port;
};

/* ---- answering ---- */

static enum MHD_Result send_answer(struct MHD_Connection *connection, int status, const char *type, const char *body,
                                   size_t len, const char *extra_name, const char *extra_value)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(len, (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result sent = MHD_NO;

	if (!response)
		return MHD_NO;
	if (MHD_add_response_header(response, "Content-Type", type) &&
	    MHD_add_response_header(response, "Cache-Control", "no-store") &&
	    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff") &&
	    (!extra_name || MHD_add_response_header(response, extra_name, extra_value)))
		sent = MHD_queue_response(connection, (unsigned)status, response);
	MHD_destroy_response(response);
	return sent;
}

static enum MHD_Result send_text(struct MHD_Connection *connection, int status, const char *text,
                                 const char *extra_name, const char *extra_value)
{
	return send_answer(connection, status, "text/plain; charset=utf-8", text, strlen(text), extra_name, extra_value);
}

/* Takes as long for a wrong token as for the right one. */
static bool same_secret(const char *expected, const char *given)
{
	size_t len = strlen(expected), given_len = strlen(given);
	volatile unsigned char difference = given_len != len;

	for (size_t i = 0; i < len; i++)
		difference |= (unsigned char)(expected[i] ^ given[given_len ? i % given_len : 0]);
	return difference == 0;
}

static bool may_see(const struct httpd *h, const struct httpd_route *route, struct MHD_Connection *connection)
{
	const char *header = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");

	if (!route->needs_token || !h->token[0])
		return true;
	return header && strncmp(header, "Bearer ", 7) == 0 && same_secret(h->token, header + 7);
}

static enum MHD_Result run_route(const struct httpd_route *route, struct MHD_Connection *connection)
{
	const char *accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Accept");
	struct httpd_answer answer = { .status = MHD_HTTP_OK, .content_type = "text/plain; charset=utf-8" };
	enum MHD_Result sent;

	buf_init(&answer.body, HTTPD_BODY_MAX);
	route->handle(route->arg, accept ? accept : "", &answer);
	if (answer.body.failed)
		sent = send_text(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "the answer is too long\n", NULL, NULL);
	else
		sent = send_answer(connection, answer.status, answer.content_type, buf_text(&answer.body),
		                   answer.body.len, NULL, NULL);
	buf_done(&answer.body);
	return sent;
}

static enum MHD_Result answer(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *upload, size_t *upload_len, void **state)
{
	const struct httpd *h = arg;

	(void)version;
	(void)upload;
	(void)upload_len;
	(void)state;
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return send_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n", "Allow", "GET, HEAD");
	for (size_t i = 0; i < h->route_count; i++) {
		if (strcmp(h->routes[i].path, url) != 0)
			continue;
		if (!may_see(h, &h->routes[i], connection))
			return send_text(connection, MHD_HTTP_UNAUTHORIZED, "a bearer token is needed\n",
			                 "WWW-Authenticate", "Bearer");
		return run_route(&h->routes[i], connection);
	}
	return send_text(connection, MHD_HTTP_NOT_FOUND, "there is nothing here\n", NULL, NULL);
}

/* ---- starting ---- */

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static bool read_port(const char *text, uint16_t *port_r)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);

	*port_r = htons((uint16_t)port);
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' && port <= UINT16_MAX;
}

static bool read_address(const char *listen, union address *address_r)
{
	const char *colon = strrchr(listen, ':');
	char host[INET6_ADDRSTRLEN + 2] = "";
	size_t len = colon ? (size_t)(colon - listen) : 0;
	uint16_t port;

	memset(address_r, 0, sizeof *address_r);
	if (len == 0 || len >= sizeof host || !read_port(colon + 1, &port))
		return false;
	memcpy(host, listen, len);
	if (strcmp(host, "localhost") == 0)
		strcpy(host, "127.0.0.1");
	address_r->v4.sin_family = AF_INET;
	address_r->v4.sin_port = port;
	if (inet_pton(AF_INET, host, &address_r->v4.sin_addr) == 1)
		return true;
	if (host[0] != '[' || host[len - 1] != ']')
		return false;
	host[len - 1] = '\0';
	memset(address_r, 0, sizeof *address_r);
	address_r->v6.sin6_family = AF_INET6;
	address_r->v6.sin6_port = port;
	return inet_pton(AF_INET6, host + 1, &address_r->v6.sin6_addr) == 1;
}

static bool is_loopback(const union address *a)
{
	if (a->any.sa_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
	return ntohl(a->v4.sin_addr.s_addr) >> 24 == 127;
}

static bool start_daemon(struct httpd *h, const union address *address)
{
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_USE_ITC;
	const union MHD_DaemonInfo *info;

	if (address->any.sa_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	h->daemon = MHD_start_daemon(flags, 0, NULL, NULL, answer, h, MHD_OPTION_SOCK_ADDR, &address->any,
	                             MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTPD_CONNECTIONS,
	                             MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)HTTPD_CONNECTIONS,
	                             MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTPD_TIMEOUT_S,
	                             MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_END);
	info = h->daemon ? MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_BIND_PORT) : NULL;
	h->port = info ? info->port : 0;
	return info;
}

struct httpd *httpd_start(const struct httpd_settings *settings, struct err *e)
{
	const char *token = settings->token ? settings->token : "";
	struct httpd *h = calloc(1, sizeof *h);
	union address address;

	if (!h)
		err_set(e, ERR_TRANSIENT, 0, "httpd", "no memory");
	else if (!read_address(settings->listen, &address))
		err_set(e, ERR_REFUSED, 0, "httpd", "%.60s is no address and port such as 127.0.0.1:9109",
		        settings->listen);
	else if (!token[0] && !is_loopback(&address))
		err_set(e, ERR_REFUSED, 0, "httpd", "%.60s can be reached from outside: that needs a token",
		        settings->listen);
	else if (strlen(token) >= sizeof h->token)
		err_set(e, ERR_REFUSED, 0, "httpd", "the token is longer than %d bytes", TOKEN_MAX);
	else {
		strcpy(h->token, token);
		h->routes = settings->routes;
		h->route_count = settings->route_count;
		if (start_daemon(h, &address))
			return h;
		err_set(e, ERR_TRANSIENT, 0, "httpd", "cannot listen on %.60s: %s", settings->listen,
		        errno == EADDRINUSE ? "the port is taken" : "the system refused it");
	}
	httpd_stop(&h);
	return NULL;
}

int httpd_port(const struct httpd *h)
{
	return h->port;
}

void httpd_stop(struct httpd **h)
{
	if (!h || !*h)
		return;
	if ((*h)->daemon)
		MHD_stop_daemon((*h)->daemon);
	explicit_bzero((*h)->token, sizeof (*h)->token);
	free(*h);
	*h = NULL;
}
