/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/partner_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char plain_head[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n";
static const char plain_body[] = "{\"ok\":true}    ";
static const char open_head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n";
static const char filler[] = "0123456789012345678901234567890123456789012345678901234567890123456789\r\n";
static const char filler_line[] = "X-Filler: 012345678901234567890123456789012345678901234567890123456789\r\n";
static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

/* Words that need nothing but bytes. */
static const struct bytes_row {
	const char *word, *bytes, *endless;
	enum partner_end end;
} bytes_rows[] = {
	{ "endless-body", open_head, filler, PARTNER_CLOSE },
	{ "endless-head", "HTTP/1.1 200 OK\r\n", filler_line, PARTNER_CLOSE },
	{ "endless-line", "HTTP/1.1 200 OK\r\nX-Filler: ", "0123456789012345678901234567890123456789", PARTNER_CLOSE },
	{ "endless-status", "HTTP/1.1 200 ", "0123456789012345678901234567890123456789", PARTNER_CLOSE },
	{ "flood", go_on, go_on, PARTNER_CLOSE },
	{ "error-body", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 28\r\n\r\n"
	                "{\"error\":\"it did not work!\"}\n", NULL, PARTNER_KEEP },
	{ "gzip", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 11\r\n\r\nnot gzipped", NULL, PARTNER_KEEP },
	{ "cookie", "HTTP/1.1 200 OK\r\nSet-Cookie: who=you; Path=/\r\nContent-Length: 0\r\n\r\n", NULL, PARTNER_KEEP },
	{ "reset", "", NULL, PARTNER_RESET },
	{ "close", "", NULL, PARTNER_CLOSE },
	{ "cut", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf of it", NULL, PARTNER_CLOSE },
	{ "nonsense", "SSH-2.0-OpenSSH_9.2 this is another protocol altogether\r\n\r\n", NULL, PARTNER_CLOSE },
	{ "bare", "hello", NULL, PARTNER_CLOSE },
};

static const struct bytes_row *bytes_row_of(const char *word)
{
	for (size_t i = 0; i < sizeof bytes_rows / sizeof *bytes_rows; i++)
		if (strcmp(bytes_rows[i].word, word) == 0)
			return &bytes_rows[i];
	return NULL;
}

static bool is_number(const char *text)
{
	return *text && strlen(text) < 10 && text[strspn(text, "0123456789")] == '\0';
}

/* "503" or "503:VALUE"; 0: it is none. */
static int status_of(const char *word)
{
	int status = strspn(word, "0123456789") == 3 && (word[3] == '\0' || word[3] == ':') ? atoi(word) : 0;

	return status >= 200 && status <= 599 ? status : 0;
}

bool partner_word_is_known(const char *word)
{
	return status_of(word) || bytes_row_of(word) || strcmp(word, "hang") == 0 || strcmp(word, "drip") == 0 ||
	       strcmp(word, "drip-body") == 0 || (strncmp(word, "slow:", 5) == 0 && is_number(word + 5)) ||
	       (strncmp(word, "large:", 6) == 0 && is_number(word + 6));
}

static void answer_init(struct partner_answer *answer_r)
{
	*answer_r = (struct partner_answer){ .drip_from = SIZE_MAX };
	buf_init(&answer_r->bytes, PARTNER_ANSWER_MAX);
}

void partner_answer_plain(struct partner_answer *answer_r, int status, const char *type, const char *body, size_t len)
{
	answer_init(answer_r);
	buf_printf(&answer_r->bytes, "HTTP/1.1 %d Answer\r\n", status);
	if (status != 204 && status != 304)
		buf_printf(&answer_r->bytes, "Content-Type: %s\r\nContent-Length: %zu\r\n", type, len);
	buf_add_text(&answer_r->bytes, "\r\n");
	if (status != 204 && status != 304)
		buf_add(&answer_r->bytes, body, len);
}

static void answer_status(struct partner_answer *answer_r, int status, const char *value)
{
	char text[PARTNER_WORD_MAX + 1];

	answer_init(answer_r);
	buf_printf(&answer_r->bytes, "HTTP/1.1 %d Answer\r\n", status);
	if (*value == ':') {
		snprintf(text, sizeof text, "%s", value + 1);
		for (char *p = text; *p; p++)
			*p = *p == '_' ? ' ' : *p;
		buf_printf(&answer_r->bytes, "%s: %s\r\n", status / 100 == 3 ? "Location" : "Retry-After", text);
	}
	buf_add_text(&answer_r->bytes, status == 204 || status == 304 ? "\r\n" : "Content-Length: 3\r\n\r\n...");
}

static void answer_large(struct partner_answer *answer_r, size_t len)
{
	buf_printf(&answer_r->bytes, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", len);
	for (size_t i = 0; i < len; i++)
		buf_add(&answer_r->bytes, "x", 1);
}

void partner_answer_make(struct partner_answer *answer_r, const char *word)
{
	const struct bytes_row *row = bytes_row_of(word);

	if (status_of(word)) {
		answer_status(answer_r, status_of(word), word + 3);
		return;
	}
	answer_init(answer_r);
	if (row) {
		buf_add_text(&answer_r->bytes, row->bytes);
		answer_r->endless = row->endless;
		answer_r->end = row->end;
	} else if (strncmp(word, "large:", 6) == 0) {
		answer_large(answer_r, (size_t)atol(word + 6));
	} else {
		buf_add_text(&answer_r->bytes, plain_head);
		buf_add_text(&answer_r->bytes, plain_body);
		answer_r->delay_ms = strcmp(word, "hang") == 0 ? -1 : strncmp(word, "slow:", 5) == 0 ? atol(word + 5) : 0;
		if (strncmp(word, "drip", 4) == 0)
			answer_r->drip_from = word[4] ? sizeof plain_head - 1 : 0;
	}
}
