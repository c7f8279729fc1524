/* SPDX-License-Identifier: Apache-2.0
 * What looks like an address and is none: file names, and message ids, which thread replies and so must stay as they
 * are. Masking and proof share this one file, because what is exempt is a decision and not a matter of finding. */
#include "handlers/masking/masking_priv.h"

#include <string.h>
#include <strings.h>

enum { ID_MAX = 998, BARE_ID_LOCAL_MIN = 16, BARE_ID_DIGITS_MIN = 4 };

#define ENDING(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

/* File names often end like hosts (logo@2x.png, john@company.com.pdf). None of these is a top-level domain. */
bool mask_is_file_ending(const char *label, size_t len)
{
	uint32_t packed = 0;

	if (len < 2 || len > 4)
		return false;
	for (size_t i = 0; i < 4; i++)
		packed = packed << 8 | (i < len ? (unsigned char)label[i] | 32u : 0u);
	switch (packed) {
	case ENDING('p', 'n', 'g', 0):
	case ENDING('j', 'p', 'g', 0):
	case ENDING('j', 'p', 'e', 'g'):
	case ENDING('g', 'i', 'f', 0):
	case ENDING('s', 'v', 'g', 0):
	case ENDING('w', 'e', 'b', 'p'):
	case ENDING('b', 'm', 'p', 0):
	case ENDING('i', 'c', 'o', 0):
	case ENDING('t', 'i', 'f', 0):
	case ENDING('t', 'i', 'f', 'f'):
	case ENDING('p', 'd', 'f', 0):
	case ENDING('t', 'x', 't', 0):
	case ENDING('c', 's', 'v', 0):
	case ENDING('e', 'm', 'l', 0):
	case ENDING('h', 't', 'm', 'l'):
	case ENDING('h', 't', 'm', 0):
	case ENDING('x', 'm', 'l', 0):
	case ENDING('j', 's', 'o', 'n'):
	case ENDING('d', 'o', 'c', 'x'):
	case ENDING('x', 'l', 's', 'x'):
	case ENDING('p', 'p', 't', 'x'):
	case ENDING('c', 's', 's', 0):
	case ENDING('j', 's', 0, 0):
		return true;
	default:
		return false;
	}
}

/* Outlook's inline pictures are called image001.png@01D7F2A3.4B5C6D70: eight capital hex digits on either side. */
bool mask_is_content_id(const char *host, size_t len)
{
	if (len != 17 || host[8] != '.')
		return false;
	for (size_t i = 0; i < len; i++)
		if (i != 8 && !(host[i] >= '0' && host[i] <= '9') && !(host[i] >= 'A' && host[i] <= 'F'))
			return false;
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',';
}

static bool is_id_byte(char c)
{
	return (unsigned char)c > ' ' && c != 0x7F && !strchr("\"<>,;@", c);
}

/* Length of <left@right> at the start of the text, with exactly one at sign; 0 when it is something else. */
static size_t bracketed_id(const char *text, size_t len)
{
	size_t i = 1, at = 0;

	if (!len || text[0] != '<')
		return 0;
	for (; i < len && i < ID_MAX && (is_id_byte(text[i]) || (text[i] == '@' && !at)); i++)
		if (text[i] == '@')
			at = i;
	return at && i < len && text[i] == '>' ? i + 1 : 0;
}

/* An id without brackets must look made by a machine: otherwise it counts as an address. */
static bool is_bare_id(const char *text, size_t len)
{
	const char *at = memchr(text, '@', len);
	size_t digits = 0;

	if (!at || (size_t)(at - text) < BARE_ID_LOCAL_MIN || len > ID_MAX)
		return false;
	for (const char *c = text; c < text + len; c++) {
		if (c != at && !is_id_byte(*c))
			return false;
		digits += c < at && *c >= '0' && *c <= '9';
	}
	return digits >= BARE_ID_DIGITS_MIN;
}

bool mask_is_message_ids(const char *text, size_t len)
{
	size_t i = 0;

	while (len && is_blank(text[len - 1]))
		len--;
	while (i < len && is_blank(text[i]))
		i++;
	if (is_bare_id(text + i, len - i))
		return true;
	while (i < len) {
		size_t n = bracketed_id(text + i, len - i);

		if (!n)
			return false;
		for (i += n; i < len && is_blank(text[i]); i++)
			;
	}
	return len > 0;
}

static bool names_ids(const char *line, size_t len)
{
	static const char *const names[] = {
		"Message-ID:", "In-Reply-To:", "References:", "Content-ID:", "Resent-Message-ID:", "X-Message-ID:",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (len >= strlen(names[i]) && strncasecmp(line, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static size_t line_end(const char *text, size_t from, size_t len)
{
	const char *newline = memchr(text + from, '\n', len - from);

	return newline ? (size_t)(newline - text) + 1 : len;
}

/* Takes in the next header line with the lines folded into it. */
static void next_line(struct mask_id_lines *lines, const char *text, size_t len)
{
	size_t start = lines->line_end, end = line_end(text, start, len);

	if (text[start] == '\n' || (text[start] == '\r' && start + 1 < len && text[start + 1] == '\n'))
		lines->past_headers = true;
	lines->is_id_line = names_ids(text + start, end - start);
	while (end < len && (text[end] == ' ' || text[end] == '\t'))
		end = line_end(text, end, len);
	lines->line_end = end;
}

size_t mask_id_end(struct mask_id_lines *lines, const char *text, size_t len, size_t at)
{
	size_t open = at, id, ats = text[at] == '@';

	while (!lines->past_headers && lines->line_end <= at)
		next_line(lines, text, len);
	if (lines->past_headers || !lines->is_id_line)
		return 0;
	while (open > 0 && at - open < ID_MAX && text[open] != '<') {
		open--;
		ats += text[open] == '@';
		if (ats > 1 || (text[open] != '<' && text[open] != '@' && !is_id_byte(text[open])))
			return 0;
	}
	if (text[open] != '<')
		return 0;
	id = bracketed_id(text + open, len - open);
	return id > at - open ? open + id : 0;
}
