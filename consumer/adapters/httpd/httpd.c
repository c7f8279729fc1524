/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/httpd/httpd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKEN_MAX = 1024, CONNECTION_MEMORY = 32 * 1024 };

struct httpd {
	struct MHD_Daemon *daemon;
	struct httpd_settings settings; /* routes and resources */
	char token[TOKEN_MAX];
	int port;
};

struct httpd_request {
	struct MHD_Connection *connection;
	const char *rest;
};

/* ---- answers ---- */

void httpd_answer_header(struct httpd_answer *answer, const char *name, const char *fmt, ...)
{
	struct httpd_header *h = &answer->headers[answer->header_count];
	va_list ap;
	int n;

	if (answer->header_count == HTTPD_HEADERS_MAX)
		return;
	va_start(ap, fmt);
	n = vsnprintf(h->value, sizeof h->value, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof h->value)
		return;
	h->name = name;
	answer->header_count++;
}

static const char *title_of(int status)
{
	switch (status) {
	case MHD_HTTP_BAD_REQUEST:
		return "Bad Request";
	case MHD_HTTP_UNAUTHORIZED:
		return "Unauthorized";
	case MHD_HTTP_NOT_FOUND:
		return "Not Found";
	case MHD_HTTP_METHOD_NOT_ALLOWED:
		return "Method Not Allowed";
	case MHD_HTTP_SERVICE_UNAVAILABLE:
		return "Service Unavailable";
	default:
		return "Internal Server Error";
	}
}

/* detail is a constant of the program: nothing of it needs escaping. */
void httpd_answer_problem(struct httpd_answer *answer, int status, const char *detail)
{
	answer->status = status;
	answer->content_type = "application/problem+json";
	buf_clear(&answer->body);
	buf_printf(&answer->body, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":\"%s\"}\n",
		title_of(status), status, detail);
}

static bool add_headers(struct MHD_Response *response, const struct httpd_answer *answer)
{
	bool says_cache = false;

	for (size_t i = 0; i < answer->header_count; i++) {
		says_cache |= strcmp(answer->headers[i].name, "Cache-Control") == 0;
		if (!MHD_add_response_header(response, answer->headers[i].name, answer->headers[i].value))
			return false;
	}
	/* A 304 has no body whose type could be told. */
	return (answer->status == MHD_HTTP_NOT_MODIFIED ||
		MHD_add_response_header(response, "Content-Type", answer->content_type)) &&
	       (says_cache || MHD_add_response_header(response, "Cache-Control", "no-store")) &&
	       MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
}

/* Frees the body. */
static enum MHD_Result send_answer(struct MHD_Connection *connection, struct httpd_answer *answer)
{
	struct MHD_Response *response;
	enum MHD_Result sent = MHD_NO;

	if (answer->body.failed)
		httpd_answer_problem(answer, MHD_HTTP_INTERNAL_SERVER_ERROR, "the answer is too long");
	response = MHD_create_response_from_buffer(answer->body.len, (void *)(uintptr_t)buf_text(&answer->body),
		MHD_RESPMEM_MUST_COPY);
	if (response && add_headers(response, answer))
		sent = MHD_queue_response(connection, (unsigned)answer->status, response);
	if (response)
		MHD_destroy_response(response);
	buf_done(&answer->body);
	return sent;
}

static void answer_init(struct httpd_answer *answer)
{
	answer->status = MHD_HTTP_OK;
	answer->content_type = "text/plain; charset=utf-8";
	answer->header_count = 0;
	buf_init(&answer->body, HTTPD_BODY_MAX);
}

static enum MHD_Result send_problem(struct MHD_Connection *connection, int status, const char *detail,
                                    const char *name, const char *value)
{
	struct httpd_answer answer;

	answer_init(&answer);
	httpd_answer_problem(&answer, status, detail);
	if (name)
		httpd_answer_header(&answer, name, "%s", value);
	return send_answer(connection, &answer);
}

/* ---- requests ---- */

const char *httpd_rest(const struct httpd_request *r)
{
	return r->rest;
}

const char *httpd_header(const struct httpd_request *r, const char *name)
{
	const char *value = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);

	return value ? value : "";
}

const char *httpd_parameter(const struct httpd_request *r, const char *name)
{
	const char *value = MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, name);

	return value ? value : "";
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

static bool has_token(const struct httpd *h, struct MHD_Connection *connection)
{
	const char *header = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");

	return !h->token[0] || (header && strncmp(header, "Bearer ", 7) == 0 && same_secret(h->token, header + 7));
}

static enum MHD_Result run_route(const struct httpd_route *route, struct MHD_Connection *connection)
{
	const char *accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Accept");
	struct httpd_answer answer;

	answer_init(&answer);
	route->handle(route->arg, accept ? accept : "", &answer);
	return send_answer(connection, &answer);
}

static enum MHD_Result run_resource(const struct httpd_resource *resource, struct MHD_Connection *connection,
                                    const char *rest)
{
	const struct httpd_request request = { connection, rest };
	struct httpd_answer answer;

	answer_init(&answer);
	resource->serve(resource->arg, &request, &answer);
	return send_answer(connection, &answer);
}

static const struct httpd_route *find_route(const struct httpd *h, const char *url)
{
	for (size_t i = 0; i < h->settings.route_count; i++)
		if (strcmp(h->settings.routes[i].path, url) == 0)
			return &h->settings.routes[i];
	return NULL;
}

static const struct httpd_resource *find_resource(const struct httpd *h, const char *url, const char **rest_r)
{
	for (size_t i = 0; i < h->settings.resource_count; i++) {
		const struct httpd_resource *r = &h->settings.resources[i];
		size_t len = strlen(r->path);

		if (strncmp(r->path, url, len) != 0 || url[len] != (r->below ? '/' : '\0'))
			continue;
		*rest_r = url + len + r->below;
		return r;
	}
	return NULL;
}

static enum MHD_Result answer(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *upload, size_t *upload_len, void **state)
{
	const struct httpd *h = arg;
	const struct httpd_resource *resource;
	const struct httpd_route *route;
	const char *rest = "";

	(void)version;
	(void)upload;
	(void)upload_len;
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return send_problem(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD", "Allow", "GET, HEAD");
	if (!*state) { /* MHD closes a connection that is answered before it has read the whole request */
		*state = arg;
		return MHD_YES;
	}
	resource = find_resource(h, url, &rest);
	route = resource ? NULL : find_route(h, url);
	if (!resource && !route)
		return send_problem(connection, MHD_HTTP_NOT_FOUND, "there is nothing here", NULL, NULL);
	if ((resource ? resource->needs_token : route->needs_token) && !has_token(h, connection))
		return send_problem(connection, MHD_HTTP_UNAUTHORIZED, "a bearer token is needed", "WWW-Authenticate", "Bearer");
	return resource ? run_resource(resource, connection, rest) : run_route(route, connection);
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
	unsigned connections = h->settings.connections ? h->settings.connections : HTTPD_CONNECTIONS;
	/* MHD takes a pool of one thread for a mistake. */
	const struct MHD_OptionItem pool[] = {
		{ h->settings.threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, (intptr_t)h->settings.threads, NULL },
		{ MHD_OPTION_END, 0, NULL },
	};
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_USE_ITC;
	const union MHD_DaemonInfo *info;

	if (address->any.sa_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	h->daemon = MHD_start_daemon(flags, 0, NULL, NULL, answer, h, MHD_OPTION_SOCK_ADDR, &address->any,
	                             MHD_OPTION_CONNECTION_LIMIT, connections,
	                             MHD_OPTION_PER_IP_CONNECTION_LIMIT, connections, MHD_OPTION_ARRAY, pool,
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
		h->settings = *settings;
		h->settings.token = h->settings.listen = NULL; /* not ours to keep */
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
