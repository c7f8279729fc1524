/* SPDX-License-Identifier: Apache-2.0
 * Requests side by side in one thread, bounded in time and size as http_client.c has it, with the service's wish for
 * less obeyed: a busy answer halves what may be under way and keeps everybody quiet for as long as it says. */
#include "consumer/adapters/azure/azure_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	TRIES_MAX = 6,
	FIRST_WAIT_MS = 100,
	PATIENCE_MS = 20000, /* a longer wait is left to whoever called us */
	RETRY_AFTER_MAX_S = 3600,
	GOOD_BEFORE_MORE = 32,
	HEADER_BYTES_MAX = 64 * 1024,
	STALLED_S = 30,
	LINES_BYTES_MAX = 32 * 1024,
};

#define API_VERSION "2021-12-02"

int64_t azure_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- the answer as it comes ---- */

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	struct azure_call *c = arg;

	if (buf_add(&c->body, data, size * count))
		return size * count;
	c->is_too_large = true;
	return 0;
}

/* The value of a header line of that name into value_r, without quotes; what does not fit or is not plain is left out. */
static void take_value(const char *line, size_t len, const char *name, char *value_r, size_t size)
{
	size_t skip = strlen(name);

	if (len <= skip || line[skip] != ':' || strncasecmp(line, name, skip) != 0)
		return;
	for (skip++; skip < len && (line[skip] == ' ' || line[skip] == '"'); skip++)
		;
	while (len > skip && (line[len - 1] == '\r' || line[len - 1] == '\n' || line[len - 1] == ' ' || line[len - 1] == '"'))
		len--;
	if (len - skip >= size)
		return;
	for (size_t i = skip; i < len; i++)
		if (line[i] <= ' ' || line[i] > '~' || line[i] == '"')
			return;
	memcpy(value_r, line + skip, len - skip);
	value_r[len - skip] = '\0';
}

static size_t on_header(char *data, size_t size, size_t count, void *arg)
{
	struct azure_call *c = arg;
	size_t len = size * count;

	c->header_bytes += len;
	if (c->header_bytes > HEADER_BYTES_MAX) {
		c->is_too_large = true;
		return 0;
	}
	take_value(data, len, "ETag", c->etag, sizeof c->etag);
	take_value(data, len, "x-ms-error-code", c->code, sizeof c->code);
	take_value(data, len, "Content-MD5", c->md5, sizeof c->md5);
	take_value(data, len, "x-ms-copy-status", c->copied, sizeof c->copied);
	return len;
}

/* ---- making one ---- */

bool azure_call_init(struct azure *a, struct azure_call *c, size_t body_max, struct err *e)
{
	*c = (struct azure_call){ .next = a->calls };
	buf_init(&c->body, body_max);
	a->calls = c;
	c->easy = curl_easy_init();
	return c->easy || err_set(e, ERR_TRANSIENT, 0, "blobs", "out of memory");
}

static void stop_running(struct azure *a, struct azure_call *c)
{
	if (c->state != AZURE_RUNS)
		return;
	curl_multi_remove_handle(a->multi, c->easy);
	a->running--;
	c->state = AZURE_ENDED;
}

void azure_call_done(struct azure *a, struct azure_call *c)
{
	struct azure_call **at = &a->calls;

	while (*at && *at != c)
		at = &(*at)->next;
	if (!*at)
		return; /* never begun, or done before */
	*at = c->next;
	stop_running(a, c);
	curl_easy_cleanup(c->easy);
	curl_slist_free_all(c->headers);
	buf_done(&c->body);
	*c = (struct azure_call){ .easy = NULL };
}

static bool add_lines(struct azure_call *c, char *lines)
{
	for (char *line = lines, *end; *line; line = end + 1) {
		struct curl_slist *longer;

		end = strchr(line, '\n');
		*end = '\0';
		longer = curl_slist_append(c->headers, line);
		*end = '\n';
		if (!longer)
			return false;
		c->headers = longer;
	}
	return true;
}

static bool write_lines(struct buf *lines, const struct azure_request *r, struct err *e)
{
	time_t now = time(NULL);
	struct tm tm;
	char date[40];
	bool ok = gmtime_r(&now, &tm) && strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &tm) &&
	          buf_printf(lines, "x-ms-version: " API_VERSION "\nx-ms-date: %s\n%s", date, r->headers ? r->headers : "");

	if (ok && !azure_add_authorization(lines, r, buf_text(lines), e))
		return false;
	/* No 100-continue, and no content type of libcurl's own, which nobody signed. */
	ok = ok && buf_add_text(lines, "Expect:\nContent-Type:\nAccept: */*\n");
	return ok || err_set(e, ERR_TRANSIENT, 0, "blobs", "a blob's name or metadata is too long");
}

static void set_bounds(const struct azure *a, struct azure_call *c)
{
	curl_easy_reset(c->easy);
	curl_easy_setopt(c->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c->easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c->easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(c->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(c->easy, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(c->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c->easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
	curl_easy_setopt(c->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)a->connect_timeout_ms);
	curl_easy_setopt(c->easy, CURLOPT_TIMEOUT_MS, (long)a->total_timeout_ms);
	curl_easy_setopt(c->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(c->easy, CURLOPT_LOW_SPEED_TIME, (long)STALLED_S);
	curl_easy_setopt(c->easy, CURLOPT_BUFFERSIZE, 256L * 1024);
	curl_easy_setopt(c->easy, CURLOPT_UPLOAD_BUFFERSIZE, 256L * 1024);
	curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, c);
	curl_easy_setopt(c->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c->easy, CURLOPT_HEADERDATA, c);
	curl_easy_setopt(c->easy, CURLOPT_PRIVATE, c);
}

static void set_request(struct azure_call *c, const struct azure_request *r, const char *url)
{
	curl_easy_setopt(c->easy, CURLOPT_URL, url);
	curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->headers);
	if (strcmp(r->method, "HEAD") == 0)
		curl_easy_setopt(c->easy, CURLOPT_NOBODY, 1L);
	if (strcmp(r->method, "PUT") == 0) {
		curl_easy_setopt(c->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_len);
		curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS, r->body ? r->body : "");
	}
	curl_easy_setopt(c->easy, CURLOPT_CUSTOMREQUEST, r->method);
}

bool azure_call_start(struct azure *a, struct azure_call *c, const struct azure_request *r, struct err *e)
{
	struct buf url, lines;
	bool ok;

	buf_init(&url, LINES_BYTES_MAX);
	buf_init(&lines, LINES_BYTES_MAX);
	curl_slist_free_all(c->headers);
	c->headers = NULL;
	set_bounds(a, c);
	ok = write_lines(&lines, r, e) && ((azure_add_url(&url, r) && add_lines(c, lines.data)) ||
	                                   err_set(e, ERR_TRANSIENT, 0, "blobs", "a blob's name is too long"));
	if (ok)
		set_request(c, r, buf_text(&url));
	c->at = r->at;
	c->method = r->method;
	c->tries = 0;
	c->tries_max = TRIES_MAX;
	c->not_before_ms = 0;
	c->state = ok ? AZURE_WAITS : AZURE_IDLE;
	if (url.data)
		explicit_bzero(url.data, url.size);
	buf_done(&url);
	buf_done(&lines);
	return ok;
}

/* ---- moving them on ---- */

static void send_one(struct azure *a, struct azure_call *c)
{
	buf_clear(&c->body);
	c->etag[0] = c->code[0] = c->md5[0] = c->copied[0] = '\0';
	c->header_bytes = 0;
	c->is_too_large = false;
	c->status = 0;
	c->retry_after_ms = 0;
	c->length = -1;
	c->tries++;
	if (curl_multi_add_handle(a->multi, c->easy) != CURLM_OK) {
		c->result = CURLE_FAILED_INIT;
		c->state = AZURE_ENDED;
		return;
	}
	c->state = AZURE_RUNS;
	a->running++;
}

static int send_waiting(struct azure *a, int wait_ms)
{
	int64_t now = azure_now_ms();

	for (struct azure_call *c = a->calls; c; c = c->next) {
		int64_t until = c->not_before_ms > a->quiet_until_ms ? c->not_before_ms : a->quiet_until_ms;

		if (c->state != AZURE_WAITS || a->running >= a->allowed)
			continue;
		if (until <= now)
			send_one(a, c);
		else if (until - now < wait_ms)
			wait_ms = (int)(until - now);
	}
	return wait_ms;
}

static void take_answer(struct azure_call *c)
{
	curl_off_t number = 0;
	long status = 0;

	curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	c->status = (int)status;
	curl_easy_getinfo(c->easy, CURLINFO_RETRY_AFTER, &number);
	number = number < 0 ? 0 : number > RETRY_AFTER_MAX_S ? RETRY_AFTER_MAX_S : number;
	c->retry_after_ms = (int64_t)number * 1000;
	number = -1;
	curl_easy_getinfo(c->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &number);
	c->length = (int64_t)number;
}

bool azure_call_is_busy(const struct azure_call *c)
{
	return c->result == CURLE_OK && (c->status == 429 || c->status == 503);
}

static bool may_pass(const struct azure_call *c)
{
	if (c->result != CURLE_OK)
		return !c->is_too_large;
	return azure_call_is_busy(c) || c->status == 408 || c->status == 500 || c->status == 502 || c->status == 504;
}

/* The answers to what was under way when it became busy are one complaint, and the longest wait of them holds. */
static void slow_down(struct azure *a, int64_t now, int64_t wait_ms)
{
	int64_t until = now + (wait_ms < PATIENCE_MS ? wait_ms : PATIENCE_MS);

	if (now >= a->quiet_until_ms)
		a->allowed = a->allowed > 1 ? a->allowed / 2 : 1;
	if (until > a->quiet_until_ms)
		a->quiet_until_ms = until;
	a->good = 0;
}

/* Ended, or tried again later. */
static void settle(struct azure *a, struct azure_call *c)
{
	int64_t wait_ms = (int64_t)FIRST_WAIT_MS << (c->tries - 1), now = azure_now_ms();

	if (c->retry_after_ms > wait_ms)
		wait_ms = c->retry_after_ms;
	if (azure_call_is_busy(c)) {
		slow_down(a, now, wait_ms);
	} else if (c->result == CURLE_OK && ++a->good >= GOOD_BEFORE_MORE && a->allowed < a->parallel) {
		a->allowed++;
		a->good = 0;
	}
	c->state = AZURE_ENDED;
	if (may_pass(c) && c->tries < c->tries_max && wait_ms <= PATIENCE_MS) {
		c->state = AZURE_WAITS;
		c->not_before_ms = now + wait_ms;
	}
}

/* Has one of them ended for good? */
static bool take_messages(struct azure *a)
{
	bool has_ended = false;
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(a->multi, &left))) {
		struct azure_call *c = NULL;
		CURLcode result = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &c);
		stop_running(a, c);
		c->result = result;
		take_answer(c);
		settle(a, c);
		has_ended |= c->state == AZURE_ENDED;
	}
	return has_ended;
}

bool azure_pump(struct azure *a, int wait_ms, struct err *e)
{
	int running;

	if (a->stop && atomic_load(a->stop))
		return err_set(e, ERR_TRANSIENT, ERR_CODE_ABORTED, "blobs", "stopped when asked to");
	wait_ms = send_waiting(a, wait_ms);
	if (curl_multi_perform(a->multi, &running) != CURLM_OK)
		return err_set(e, ERR_TRANSIENT, 0, "blobs", "libcurl failed");
	if (take_messages(a))
		return true; /* somebody wants to look at that first */
	if (curl_multi_poll(a->multi, NULL, 0, wait_ms, NULL) != CURLM_OK)
		return err_set(e, ERR_TRANSIENT, 0, "blobs", "libcurl failed");
	return true;
}

bool azure_call_run(struct azure *a, struct azure_call *c, const struct azure_request *r, struct err *e)
{
	if (!azure_call_start(a, c, r, e))
		return false;
	while (c->state != AZURE_ENDED)
		if (!azure_pump(a, 100, e))
			return false;
	return true;
}

/* ---- what an answer means ---- */

static enum err_class class_of(const struct azure_call *c)
{
	switch (c->status) {
	case 401: /* nothing is wrong with the clone: it goes on once somebody has put a good key or SAS there */
	case 403:
	case 408:
	case 412:
	case 429:
		return ERR_TRANSIENT;
	case 501:
		return ERR_REFUSED;
	case 409: /* a copy of before that the service has not ended yet */
		return strcmp(c->code, "PendingCopyOperation") == 0 ? ERR_TRANSIENT : ERR_REFUSED;
	default:
		return c->status >= 500 || c->status / 100 == 2 ? ERR_TRANSIENT : ERR_REFUSED;
	}
}

bool azure_call_failed(const struct azure_call *c, const char *doing, struct err *e)
{
	const char *why = c->status == 401 || c->status == 403 ? ", our key or SAS does not allow it" : "";
	char wait[48] = "";

	if (c->is_too_large)
		return err_set(e, ERR_TRANSIENT, (int)c->result, "blobs", "%s: the answer is larger than allowed", doing);
	if (c->result != CURLE_OK)
		return err_set(e, ERR_TRANSIENT, (int)c->result, "blobs", "%s: no whole answer: %s", doing,
		               curl_easy_strerror(c->result));
	if (c->retry_after_ms > 0)
		snprintf(wait, sizeof wait, ", asks to wait %" PRId64 " s", c->retry_after_ms / 1000);
	return err_set(e, class_of(c), c->status, "blobs", "%s: answered %d%s%s%s%s", doing, c->status,
	               *c->code ? " " : "", c->code, wait, why);
}
