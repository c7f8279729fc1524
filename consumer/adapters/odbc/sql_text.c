/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/odbc/sql_text.h"

#include <ctype.h>
#include <string.h>

static bool is_word(char ch)
{
	return isalnum((unsigned char)ch) || ch == '_';
}

static enum sql_token piece(const char **at, const char *end, struct sql_piece *p, enum sql_token token)
{
	p->text = *at;
	p->len = (size_t)(end - *at);
	*at = end;
	return token;
}

/* Behind the closing quote; NULL when there is none. A doubled quote is inside. */
static const char *behind_quote(const char *p, char quote)
{
	for (p++; *p; p++) {
		if (*p != quote)
			continue;
		if (p[1] != quote)
			return p + 1;
		p++;
	}
	return NULL;
}

static enum sql_token quoted(const char **at, char quote, enum sql_token token, struct sql_piece *p)
{
	const char *end = behind_quote(*at, quote);

	if (!end)
		return SQL_TOKEN_BROKEN;
	piece(at, end, p, token);
	if (token == SQL_TOKEN_BRACKETED) {
		p->text++;
		p->len -= 2;
		p->quote = quote;
	}
	return token;
}

static enum sql_token comment(const char **at, struct sql_piece *p)
{
	const char *end = (*at)[0] == '-' ? strchrnul(*at, '\n') : strstr(*at + 2, "*/");

	if (!end)
		return SQL_TOKEN_BROKEN;
	return piece(at, (*at)[0] == '-' ? end : end + 2, p, SQL_TOKEN_SPACE);
}

/* :name or {name}; text is the name alone. */
static enum sql_token named(const char **at, char close, enum sql_token token, struct sql_piece *p)
{
	const char *start = *at + 1, *end = start;

	while (is_word(*end))
		end++;
	if (end == start || (size_t)(end - start) >= SQL_NAME_MAX || (close && *end != close))
		return SQL_TOKEN_BROKEN;
	p->text = start;
	p->len = (size_t)(end - start);
	*at = end + (close ? 1 : 0);
	return token;
}

static const char *plain_end(const char *p)
{
	/* "::" is a cast elsewhere, a minus or slash alone is arithmetic */
	do {
		p += p[0] == ':' && p[1] == ':' ? 2 : 1;
	} while (*p && !strchr("'\"[`-/:{;", *p));
	return p;
}

enum sql_token sql_next(const char **at, struct sql_piece *p)
{
	const char *s = *at;

	memset(p, 0, sizeof *p);
	switch (*s) {
	case '\0':
		return SQL_TOKEN_END;
	case '\'':
	case '"':
		return quoted(at, *s, SQL_TOKEN_TEXT, p);
	case '`':
		return quoted(at, '`', SQL_TOKEN_BRACKETED, p);
	case '[':
		return quoted(at, ']', SQL_TOKEN_BRACKETED, p);
	case '-':
		if (s[1] == '-')
			return comment(at, p);
		break;
	case '/':
		if (s[1] == '*')
			return comment(at, p);
		break;
	case ':':
		if (isalpha((unsigned char)s[1]))
			return named(at, '\0', SQL_TOKEN_VALUE, p);
		break;
	case '{':
		return named(at, '}', SQL_TOKEN_IDENTIFIER, p);
	case ';':
		return piece(at, s + 1, p, SQL_TOKEN_STOP);
	default:
		break;
	}
	return piece(at, plain_end(s), p, SQL_TOKEN_TEXT);
}

bool sql_quote_name(struct buf *sql, const char *name)
{
	size_t len = strnlen(name, IDENTIFIER_MAX + 1);

	if (len == 0 || len > IDENTIFIER_MAX || !buf_add(sql, "\"", 1))
		return false;
	for (const char *p = name; *p; p++) {
		if (iscntrl((unsigned char)*p) || (*p == '"' && !buf_add(sql, "\"", 1)) || !buf_add(sql, p, 1))
			return false;
	}
	return buf_add(sql, "\"", 1);
}

bool database_name_is_legal(const char *name)
{
	size_t len = strnlen(name, 64);

	if (len == 0 || len > 63 || !isalnum((unsigned char)name[0]))
		return false;
	for (size_t i = 1; i < len; i++)
		if (!is_word(name[i]) && name[i] != '-')
			return false;
	return true;
}

bool connection_part_is_legal(const char *text)
{
	if (!text || !*text)
		return false;
	for (const char *p = text; *p; p++)
		if (iscntrl((unsigned char)*p) || strchr(";={}[]'\"", *p))
			return false;
	return true;
}

static bool add_renamed(struct buf *sql, const struct sql_piece *p)
{
	bool ok = buf_add(sql, "\"", 1);

	for (size_t i = 0; ok && i < p->len; i++) {
		if (p->quote == '`' && p->text[i] == '`')
			i++; /* doubled inside its own quotes */
		ok = (p->text[i] != '"' || buf_add(sql, "\"", 1)) && buf_add(sql, &p->text[i], 1);
	}
	return ok && buf_add(sql, "\"", 1);
}

bool sql_plain_definition(const char *definition, struct buf *sql, struct err *e)
{
	const char *at = definition;
	struct sql_piece p;

	buf_clear(sql);
	if (!strpbrk(definition, "?{"))
		return buf_add_text(sql, definition) || err_set(e, ERR_REFUSED, 0, "sql", "a definition is too long");
	for (;;) {
		bool ok = true;

		switch (sql_next(&at, &p)) {
		case SQL_TOKEN_END:
			return true;
		case SQL_TOKEN_SPACE:
			ok = buf_add(sql, " ", 1);
			break;
		case SQL_TOKEN_BRACKETED:
			ok = add_renamed(sql, &p);
			break;
		case SQL_TOKEN_TEXT:
		case SQL_TOKEN_STOP:
			ok = buf_add(sql, p.text, p.len);
			break;
		default:
			return err_set(e, ERR_REFUSED, 0, "sql", "a definition of the source cannot be read");
		}
		if (!ok)
			return err_set(e, ERR_REFUSED, 0, "sql", "a definition is too long");
	}
}
