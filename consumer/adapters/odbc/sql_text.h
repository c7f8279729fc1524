/* SPDX-License-Identifier: Apache-2.0
 * SQL as text: one lexer that knows quotes and comments, the one function that quotes identifiers, and the check of
 * database names. Pure functions. */
#ifndef SANDBOX_ODBC_SQL_TEXT_H
#define SANDBOX_ODBC_SQL_TEXT_H

#include "handlers/base/buf.h"
#include "handlers/base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* In bytes; an identifier has at most the 128 characters that SQL Server allows, in UTF-8. */
enum { SQL_NAME_MAX = 64, IDENTIFIER_MAX = 128 * 4 };

/* What stands in a statement where a value or an identifier goes. */
enum sql_token {
	SQL_TOKEN_END,
	SQL_TOKEN_TEXT,       /* copied as it is */
	SQL_TOKEN_SPACE,      /* a comment: one space */
	SQL_TOKEN_VALUE,      /* :name */
	SQL_TOKEN_IDENTIFIER, /* {name} */
	SQL_TOKEN_BRACKETED,  /* [name] or `name` as some databases quote; text is what is inside */
	SQL_TOKEN_STOP,       /* ; */
	SQL_TOKEN_BROKEN,     /* a quote, comment or brace that does not end, or a name that is none */
};

struct sql_piece {
	const char *text;
	size_t len;
	char quote; /* SQL_TOKEN_BRACKETED: the closing quote, which stands for itself when doubled */
};

/* The next piece at *at, which moves on. */
enum sql_token sql_next(const char **at, struct sql_piece *piece_r);

/* Appends the identifier in double quotes, doubled inside. False when it is empty, too long, or has control
 * characters, or when the buffer is full. */
bool sql_quote_name(struct buf *sql, const char *name);

/* [A-Za-z0-9][A-Za-z0-9_-]{0,62}: nothing else ever becomes a path or part of a connection string. */
bool database_name_is_legal(const char *name);
/* The same for text from the configuration: no ; = { } [ ] quotes or controls, not empty. */
bool connection_part_is_legal(const char *text);

/* Rewrites a definition that a catalogue gave so that any driver's simpler lexer understands it: comments are taken
 * out and bracketed names put in double quotes. Leaves what needs no rewriting untouched. */
bool sql_plain_definition(const char *definition, struct buf *sql, struct err *e);

#endif
