/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/odbc/statements.h"

#include "consumer/adapters/odbc/sql_text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SLOTS = 2048, SECTIONS_MAX = 1024 }; /* half full at most, so that probing is short */

struct statements {
	struct section *slots[SLOTS];
	size_t count;
	int level; /* of the folder that is being read */
};

static size_t slot_of(const char *name)
{
	uint32_t h = 2166136261u;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 16777619u;
	return h % SLOTS;
}

static struct section **find_slot(struct statements *s, const char *name)
{
	size_t i = slot_of(name);

	while (s->slots[i] && strcmp(s->slots[i]->name, name) != 0)
		i = (i + 1) % SLOTS;
	return &s->slots[i];
}

/* ---- reading the files ---- */

/* "-- key: value" at p? The value without spaces around it. */
static bool header_line(const char *p, size_t len, const char *key, char *value_r, size_t size)
{
	size_t n = strlen(key);

	if (len < n || strncmp(p, key, n) != 0)
		return false;
	p += n;
	len -= n;
	while (len && isspace((unsigned char)*p)) {
		p++;
		len--;
	}
	while (len && isspace((unsigned char)p[len - 1]))
		len--;
	snprintf(value_r, size, "%.*s", (int)(len < size ? len : size - 1), p);
	return true;
}

static bool add_need(struct section *section, char *text, struct err *e)
{
	struct section_need *need = &section->needs[section->need_count];
	char *dot = strchr(text, '.');

	if (section->need_count == NEEDS_MAX)
		return err_set(e, ERR_MISUSE, 0, "sql", "section %s has more than %d needs", section->name, NEEDS_MAX);
	if (dot)
		*dot++ = '\0';
	snprintf(need->table, sizeof need->table, "%s", text);
	snprintf(need->column, sizeof need->column, "%s", dot ? dot : "");
	section->need_count++;
	return true;
}

static bool take_home(struct section *section, const char *word, struct err *e)
{
	static const char *const words[] = { [HOME_MASTER] = "master", [HOME_SOURCE] = "source", [HOME_DATABASE] = "database" };

	for (size_t i = HOME_MASTER; i < sizeof words / sizeof *words; i++)
		if (strcmp(word, words[i]) == 0) {
			section->home = (enum section_home)i;
			return true;
		}
	return err_set(e, ERR_MISUSE, 0, "sql", "section %s has a home that is none: %s", section->name, word);
}

/* A line of the section's head that says more than its name. */
static bool take_header(struct section *section, const char *p, size_t len, struct err *e)
{
	char value[64];

	if (header_line(p, len, "-- needs:", value, sizeof value))
		return add_need(section, value, e);
	if (header_line(p, len, "-- home:", value, sizeof value))
		return take_home(section, value, e);
	if (header_line(p, len, "-- runs:", value, sizeof value))
		section->says_rows = strcmp(value, "its rows") == 0;
	return true;
}

static bool check_pieces(const struct section *section, struct err *e)
{
	const char *at = section->sql;
	enum sql_token token;
	struct sql_piece p;

	while ((token = sql_next(&at, &p)) != SQL_TOKEN_END)
		if (token == SQL_TOKEN_BROKEN)
			return err_set(e, ERR_MISUSE, 0, "sql",
				       "section %s has a quote, comment or name that does not end", section->name);
	return true;
}

static void free_section(struct section **section)
{
	if (*section)
		free((*section)->sql);
	free(*section);
	*section = NULL;
}

/* Takes the section over when it worked. */
static bool keep(struct statements *s, struct section *section, const char *start, const char *end, struct err *e)
{
	struct section **slot = find_slot(s, section->name);

	if (*slot && (*slot)->level < s->level) {
		free_section(&section);
		return true;
	}
	if (*slot)
		return err_set(e, ERR_MISUSE, 0, "sql", "two sections are named %s", section->name);
	if (s->count == SECTIONS_MAX)
		return err_set(e, ERR_MISUSE, 0, "sql", "there are more than %d sections", SECTIONS_MAX);
	section->sql = strndup(start, (size_t)(end - start));
	if (!section->sql)
		return err_set(e, ERR_TRANSIENT, 0, "sql", "out of memory");
	if (!check_pieces(section, e))
		return false;
	section->level = s->level;
	*slot = section;
	s->count++;
	return true;
}

/* Ends the section under way at `end`; its text began at `start`. */
static bool finish(struct statements *s, struct section **section, const char *start, const char *end, struct err *e)
{
	if (*section && !keep(s, *section, start, end, e)) {
		free_section(section);
		return false;
	}
	*section = NULL;
	return true;
}

static bool begin(struct section **section, const char *name, struct err *e)
{
	*section = calloc(1, sizeof **section);
	if (!*section)
		return err_set(e, ERR_TRANSIENT, 0, "sql", "out of memory");
	snprintf((*section)->name, sizeof(*section)->name, "%s", name);
	return true;
}

static bool read_file(struct statements *s, const struct embedded_file *file, struct err *e)
{
	struct section *section = NULL;
	const char *start = NULL, *p = file->text, *next;
	char value[64];

	for (; *p; p = next) {
		const char *eol = strchrnul(p, '\n');
		size_t len = (size_t)(eol - p);

		next = *eol ? eol + 1 : eol;
		if (header_line(p, len, "-- name:", value, sizeof value)) {
			if (!finish(s, &section, start, p, e) || !begin(&section, value, e))
				return false;
			start = next;
		} else if (section && !take_header(section, p, len, e)) {
			free_section(&section);
			return false;
		}
	}
	return finish(s, &section, start, p, e);
}

static void fold_names(struct statements *s)
{
	for (size_t i = 0; i < SLOTS; i++)
		if (s->slots[i])
			s->slots[i]->folds_names = true;
}

static bool read_folder(struct statements *s, const char *folder, const struct embedded_file *files, size_t count, struct err *e)
{
	size_t before = s->count;
	char prefix[64];

	snprintf(prefix, sizeof prefix, "sql/%s/", folder);
	for (size_t i = 0; i < count; i++)
		if (strncmp(files[i].name, prefix, strlen(prefix)) == 0 && !read_file(s, &files[i], e)) {
			err_prepend(e, files[i].name);
			return false;
		}
	return s->count > before || err_set(e, ERR_MISUSE, 0, "sql", "there are no statements for the dialect \"%s\"", folder);
}

struct statements *statements_new(const char *dialect, const char *const *shared, bool folds_names, const struct embedded_file *files,
				  size_t count, struct err *e)
{
	struct statements *s = calloc(1, sizeof *s);
	bool ok;

	if (!s) {
		err_set(e, ERR_TRANSIENT, 0, "sql", "out of memory");
		return NULL;
	}
	ok = read_folder(s, dialect, files, count, e);
	for (; ok && shared && *shared; shared++) {
		s->level++;
		ok = read_folder(s, *shared, files, count, e);
	}
	if (!ok)
		statements_free(&s);
	else if (folds_names)
		fold_names(s);
	return s;
}

void statements_free(struct statements **s)
{
	if (!s || !*s)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		free_section(&(*s)->slots[i]);
	free(*s);
	*s = NULL;
}

const struct section *statements_find(const struct statements *s, const char *name, struct err *e)
{
	size_t i = slot_of(name);

	for (; s->slots[i]; i = (i + 1) % SLOTS)
		if (strcmp(s->slots[i]->name, name) == 0)
			return s->slots[i];
	err_set(e, ERR_MISUSE, 0, "sql", "there is no statement named %s", name);
	return NULL;
}

/* ---- one statement with its values ---- */

static const struct sql_value *argument(const struct section *section, const struct sql_args *args,
					const struct sql_piece *p, struct err *e)
{
	for (size_t i = 0; args && i < args->count; i++)
		if (strlen(args->arg[i].name) == p->len && memcmp(args->arg[i].name, p->text, p->len) == 0)
			return &args->arg[i].value;
	err_set(e, ERR_MISUSE, 0, "sql", "statement %s wants an argument named %.*s", section->name, (int)p->len,
		p->text);
	return NULL;
}

static bool add_value(const struct section *section, const struct sql_args *args, const struct sql_piece *p,
		      struct statement *s, struct err *e)
{
	const struct sql_value *value = argument(section, args, p, e);

	if (!value)
		return false;
	if (s->value_count == STATEMENT_VALUES_MAX)
		return err_set(e, ERR_MISUSE, 0, "sql", "statement %s has too many values", section->name);
	switch (value->kind == SQL_TEXT && !value->text ? SQL_NULL : value->kind) {
	case SQL_NUMBER:
		s->values[s->value_count++] = NUMBER(value->number);
		break;
	case SQL_TEXT:
		s->values[s->value_count++] = TEXT(value->text);
		break;
	default:
		s->values[s->value_count++] = (struct bind){ .kind = BIND_NULL };
	}
	return buf_add(&s->sql, "?", 1);
}

static bool add_identifier(const struct section *section, const struct sql_args *args, const struct sql_piece *p,
			   struct statement *s, struct err *e)
{
	const struct sql_value *value = NULL;
	char folded[IDENTIFIER_MAX + 1] = "";

	if (s->schema && p->len == strlen("schema") && memcmp(p->text, "schema", p->len) == 0)
		return sql_quote_name(&s->sql, s->schema) ||
		       err_set(e, ERR_REFUSED, 0, "sql", "sql.schema is no identifier");
	value = argument(section, args, p, e);
	if (!value)
		return false;
	for (size_t i = 0; value->kind == SQL_TEXT && value->text[i] && i < sizeof folded - 1; i++)
		folded[i] = section->folds_names ? (char)tolower((unsigned char)value->text[i]) : value->text[i];
	if (value->kind != SQL_TEXT || !sql_quote_name(&s->sql, strlen(value->text) < sizeof folded ? folded : ""))
		return err_set(e, ERR_REFUSED, 0, "sql", "statement %s was given something that is no identifier",
			       section->name);
	return true;
}

static bool is_blank(const char *text)
{
	return text[strspn(text, " \t\r\n")] == '\0';
}

/* The ';' inside the body of a trigger, or inside a block of T-SQL, does not end the statement. */
static bool is_block(const char *sql)
{
	sql += strspn(sql, " \t\r\n");
	return strncasecmp(sql, "create trigger", 14) == 0 || strncasecmp(sql, "create temp trigger", 19) == 0 ||
	       (strncasecmp(sql, "begin", 5) == 0 && isspace((unsigned char)sql[5]));
}

bool statement_next(const struct section *section, const char **at, const struct sql_args *args, struct statement *s,
		    bool *more_r, struct err *e)
{
	struct sql_piece p;

	buf_clear(&s->sql);
	s->value_count = 0;
	*more_r = true;
	for (;;) {
		bool ok = true;

		switch (sql_next(at, &p)) {
		case SQL_TOKEN_END:
			*more_r = !is_blank(buf_text(&s->sql));
			return true;
		case SQL_TOKEN_STOP:
			if (is_block(buf_text(&s->sql)))
				ok = buf_add(&s->sql, ";", 1);
			else if (!is_blank(buf_text(&s->sql)))
				return true;
			break;
		case SQL_TOKEN_VALUE:
			ok = add_value(section, args, &p, s, e);
			break;
		case SQL_TOKEN_IDENTIFIER:
			ok = add_identifier(section, args, &p, s, e);
			break;
		case SQL_TOKEN_SPACE:
			ok = buf_add(&s->sql, " ", 1);
			break;
		case SQL_TOKEN_BRACKETED:
			ok = buf_add(&s->sql, p.text - 1, p.len + 2);
			break;
		default:
			ok = buf_add(&s->sql, p.text, p.len);
		}
		if (!ok)
			return err_set(e, ERR_MISUSE, 0, "sql", "statement %s is too long", section->name);
	}
}
