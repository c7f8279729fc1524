/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/http/http_client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	HEADER_BYTES_MAX = 64 * 1024,
	BASE_URL_MAX = 1024,
	URL_MAX = 4096,
	STALLED_S = 30, /* less than one byte a second for so long is dead, however patient the total time-out is */
	POLL_MS = 100,  /* how late a stop may be seen */
	RETRY_AFTER_MAX_S = 3600,
};

struct http_client {
	CURL *easy;
	CURLM *multi; /* not curl_easy_perform: that one may look at `stop` only once a second */
	const atomic_bool *stop;
	char system[32];
	char base_url[BASE_URL_MAX];
	char *authorization; /* whole header line, or NULL */
	int64_t connect_timeout_ms, total_timeout_ms;

	struct buf body; /* of the answer to the call under way */
	size_t header_bytes;
	bool is_sent; /* the request may have left this machine */
	bool is_too_large;
};

/* ---- callbacks ---- */

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	struct http_client *c = arg;

	if (!buf_add(&c->body, data, size * count)) {
		c->is_too_large = true;
		return 0;
	}
	return size * count;
}

static size_t on_header(char *data, size_t size, size_t count, void *arg)
{
	struct http_client *c = arg;

	(void)data;
	c->header_bytes += size * count;
	if (c->header_bytes > HEADER_BYTES_MAX) {
		c->is_too_large = true;
		return 0;
	}
	return size * count;
}

static int on_progress(void *arg, curl_off_t dltotal, curl_off_t dlnow, curl_off_t ultotal, curl_off_t ulnow)
{
	const struct http_client *c = arg;

	(void)dltotal, (void)dlnow, (void)ultotal, (void)ulnow;
	return c->stop && atomic_load(c->stop);
}

/* Connected, nothing written yet: from here on an error no longer proves that nothing arrived. */
static int on_connected(void *arg, char *remote_ip, char *local_ip, int remote_port, int local_port)
{
	struct http_client *c = arg;

	(void)remote_ip, (void)local_ip, (void)remote_port, (void)local_port;
	c->is_sent = true;
	return CURL_PREREQFUNC_OK;
}

/* ---- making one ---- */

static bool base_url_is_plain(const char *text)
{
	static const CURLUPart forbidden[] = { CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY,
		                               CURLUPART_FRAGMENT };
	CURLU *url = curl_url();
	bool ok = url && (strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0) &&
	          curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK;

	for (size_t i = 0; ok && i < sizeof forbidden / sizeof *forbidden; i++) {
		char *part = NULL;

		ok = curl_url_get(url, forbidden[i], &part, 0) != CURLUE_OK;
		curl_free(part);
	}
	curl_url_cleanup(url);
	return ok;
}

static bool take_settings(struct http_client *c, const struct http_settings *s, struct err *e)
{
	size_t len = strlen(s->base_url), size;

	while (len > 0 && s->base_url[len - 1] == '/')
		len--;
	if (len >= sizeof c->base_url || !base_url_is_plain(s->base_url))
		return err_set(e, ERR_REFUSED, 0, c->system,
		               "the base URL must be http:// or https:// without user, query and fragment");
	memcpy(c->base_url, s->base_url, len);
	c->connect_timeout_ms = s->connect_timeout_ms > 0 ? s->connect_timeout_ms : 3000;
	c->total_timeout_ms = s->total_timeout_ms > 0 ? s->total_timeout_ms : 10000;
	buf_init(&c->body, s->max_body_bytes ? s->max_body_bytes : (size_t)16 * 1024 * 1024);
	if (!s->bearer || !*s->bearer)
		return true;
	if (strpbrk(s->bearer, "\r\n"))
		return err_set(e, ERR_REFUSED, 0, c->system, "the bearer token must be one line");
	size = strlen(s->bearer) + sizeof "Authorization: Bearer ";
	c->authorization = malloc(size);
	if (!c->authorization)
		return err_set(e, ERR_TRANSIENT, 0, c->system, "out of memory");
	snprintf(c->authorization, size, "Authorization: Bearer %s", s->bearer);
	return true;
}

static bool open_handles(struct http_client *c, struct err *e)
{
	/* Clients are made in many threads; without this flag curl_easy_init may race with itself. */
	if (!(curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_THREADSAFE))
		return err_set(e, ERR_MISUSE, 0, c->system, "this libcurl cannot be started from several threads");
	c->easy = curl_easy_init();
	c->multi = curl_multi_init();
	if (!c->easy || !c->multi)
		return err_set(e, ERR_TRANSIENT, 0, c->system, "libcurl could not start: out of memory");
	return true;
}

struct http_client *http_client_new(const struct http_settings *s, const char *system, const atomic_bool *stop,
                                    struct err *e)
{
	struct http_client *c = calloc(1, sizeof *c);

	if (!c) {
		err_set(e, ERR_TRANSIENT, 0, system, "out of memory");
		return NULL;
	}
	c->stop = stop;
	snprintf(c->system, sizeof c->system, "%s", system);
	if (!take_settings(c, s, e) || !open_handles(c, e))
		http_client_free(&c);
	return c;
}

void http_client_free(struct http_client **c)
{
	if (!c || !*c)
		return;
	curl_easy_cleanup((*c)->easy);
	curl_multi_cleanup((*c)->multi);
	buf_done(&(*c)->body);
	free((*c)->authorization);
	free(*c);
	*c = NULL;
}

const char *http_client_system(const struct http_client *c)
{
	return c->system;
}

/* ---- sending ---- */

static bool add_line(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (longer)
		*list = longer;
	return longer != NULL;
}

static bool add_header(struct curl_slist **list, const struct http_header *h)
{
	char line[512];
	int len = snprintf(line, sizeof line, "%s: %s", h->name, h->value);

	return len > 0 && (size_t)len < sizeof line && !strpbrk(line, "\r\n") && add_line(list, line);
}

static bool add_headers(const struct http_client *c, const struct http_request *request, struct curl_slist **list)
{
	bool ok = add_line(list, "Accept: application/json, application/problem+json") &&
	          add_line(list, "Expect:") && /* no 100-continue: it costs a round trip and a second's wait */
	          (!c->authorization || add_line(list, c->authorization)) &&
	          (!request->body || add_line(list, "Content-Type: application/json"));

	for (size_t i = 0; ok && i < request->header_count; i++)
		ok = add_header(list, &request->headers[i]);
	return ok;
}

static void set_bounds(struct http_client *c)
{
	curl_easy_reset(c->easy); /* keeps connections; nothing of an earlier call survives */
	curl_easy_setopt(c->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c->easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c->easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(c->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(c->easy, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(c->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c->easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
	curl_easy_setopt(c->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)c->connect_timeout_ms);
	curl_easy_setopt(c->easy, CURLOPT_TIMEOUT_MS, (long)c->total_timeout_ms);
	curl_easy_setopt(c->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(c->easy, CURLOPT_LOW_SPEED_TIME, (long)STALLED_S);
	curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, c);
	curl_easy_setopt(c->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c->easy, CURLOPT_HEADERDATA, c);
	curl_easy_setopt(c->easy, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(c->easy, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(c->easy, CURLOPT_XFERINFODATA, c);
	curl_easy_setopt(c->easy, CURLOPT_PREREQFUNCTION, on_connected);
	curl_easy_setopt(c->easy, CURLOPT_PREREQDATA, c);
}

static void set_request(struct http_client *c, const struct http_request *request, const char *url,
                        struct curl_slist *headers)
{
	curl_easy_setopt(c->easy, CURLOPT_URL, url);
	curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, headers);
	if (request->body) {
		curl_easy_setopt(c->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
		curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS, request->body);
	}
	curl_easy_setopt(c->easy, CURLOPT_CUSTOMREQUEST, request->method);
}

static CURLcode transfer(struct http_client *c)
{
	CURLcode result = CURLE_FAILED_INIT;
	int running = 1, left;
	CURLMsg *message;

	if (curl_multi_add_handle(c->multi, c->easy) != CURLM_OK)
		return result;
	while (running && curl_multi_perform(c->multi, &running) == CURLM_OK)
		if (running && curl_multi_poll(c->multi, NULL, 0, POLL_MS, NULL) != CURLM_OK)
			break;
	while ((message = curl_multi_info_read(c->multi, &left)))
		if (message->msg == CURLMSG_DONE)
			result = message->data.result;
	curl_multi_remove_handle(c->multi, c->easy);
	return result;
}

static bool transfer_failed(const struct http_client *c, CURLcode result, const struct http_request *request,
                            struct err *e)
{
	const bool is_read = strcmp(request->method, "GET") == 0;
	const enum err_class class = is_read || !c->is_sent ? ERR_TRANSIENT : ERR_UNSURE;

	if (result == CURLE_ABORTED_BY_CALLBACK)
		return err_set(e, class, ERR_CODE_ABORTED, c->system, "stopped while waiting for the answer");
	if (c->is_too_large)
		return err_set(e, class, (int)result, c->system, "the answer is larger than allowed");
	return err_set(e, class, (int)result, c->system, "%s: %s", c->is_sent ? "no whole answer" : "not sent",
	               curl_easy_strerror(result));
}

static void take_answer(struct http_client *c, struct http_answer *answer_r)
{
	curl_off_t retry_after_s = 0;
	long status = 0;

	curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(c->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
	if (retry_after_s < 0)
		retry_after_s = 0;
	if (retry_after_s > RETRY_AFTER_MAX_S)
		retry_after_s = RETRY_AFTER_MAX_S;
	*answer_r = (struct http_answer){ (int)status, (int64_t)retry_after_s * 1000, &c->body };
}

bool http_client_send(struct http_client *c, const struct http_request *request, struct http_answer *answer_r,
                      struct err *e)
{
	struct curl_slist *headers = NULL;
	char url[URL_MAX];
	int len = snprintf(url, sizeof url, "%s%s", c->base_url, request->path);
	CURLcode result;

	if (len < 0 || (size_t)len >= sizeof url)
		return err_set(e, ERR_REFUSED, 0, c->system, "the address of the request is too long");
	buf_clear(&c->body);
	c->header_bytes = 0;
	c->is_sent = c->is_too_large = false;
	if (!add_headers(c, request, &headers)) {
		curl_slist_free_all(headers);
		return err_set(e, ERR_REFUSED, 0, c->system, "a header of the request is too long or not one line");
	}
	set_bounds(c);
	set_request(c, request, url, headers);
	result = transfer(c);
	if (result == CURLE_OK)
		take_answer(c, answer_r);
	else
		transfer_failed(c, result, request, e);
	curl_slist_free_all(headers);
	return result == CURLE_OK;
}

static bool is_unreserved(char ch)
{
	return (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') ||
	       (ch != '\0' && strchr("-_~.", ch));
}

bool http_path_add(struct buf *path, const char *segment)
{
	bool ok;

	if (!*segment || strcmp(segment, ".") == 0 || strcmp(segment, "..") == 0)
		return false;
	ok = buf_add(path, "/", 1);
	for (const char *p = segment; ok && *p; p++)
		ok = is_unreserved(*p) ? buf_add(path, p, 1) : buf_printf(path, "%%%02X", (unsigned)(unsigned char)*p);
	return ok;
}
