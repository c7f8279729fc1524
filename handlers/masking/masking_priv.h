/* SPDX-License-Identifier: Apache-2.0
 * What the files of this folder share. scan.c, the second opinion, uses only the policy and the exemptions of it,
 * never the recogniser (bytes.c, address.c, text.c). */
#ifndef SANDBOX_MASKING_PRIV_H
#define SANDBOX_MASKING_PRIV_H

#include "handlers/masking/masking.h"

enum { MASK_DOMAIN_MAX = 190, MASK_LOCAL_MAX = 64, MASK_ADDRESS_MAX = 254 };

static inline char mask_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* ---- columns.c: email_columns.csv ---- */
enum mask_class {
	MASK_CLASS_UNSET,
	MASK_CLASS_ADDRESS,    /* one address; anything else in it is odd */
	MASK_CLASS_LIST,       /* several; a cell without any is odd */
	MASK_CLASS_NAME,       /* an address or something else: name, telephone number, login */
	MASK_CLASS_HEADER,     /* mail headers: ids on their own lines stay */
	MASK_CLASS_MESSAGE_ID, /* ids stay */
	MASK_CLASS_TEXT,       /* addresses inside text of any kind */
	MASK_CLASS_BLOB,       /* bytes that are no text; another step purges them */
	MASK_CLASS_UNKNOWN,    /* nobody listed it: text */
	MASK_CLASS_END
};

struct mask_rule {
	enum mask_class class;
	bool blank; /* the cell becomes "" */
};

struct mask_columns;

/* Parses the list. NULL and *e filled (BUG: it is part of the program; TRANSIENT when memory is short). */
struct mask_columns *mask_columns_new(const char *csv, size_t len, struct err *e);
void mask_columns_free(struct mask_columns **c);
/* Names are compared without case. Never fails: what matches no row is UNKNOWN. */
struct mask_rule mask_columns_find(const struct mask_columns *c, const char *table, const char *column);

/* ---- policy.c ---- */
struct mask_policy {
	char domain[MASK_DOMAIN_MAX + 2]; /* lower case */
	size_t domain_len;
	struct mask_columns *columns;
	char **keep; /* lower case */
	size_t keep_count;
	size_t keep_longest;
	mask_hash_fn *hash; /* NULL: names are kept */
	void *hash_arg;
};

/* Compare without the case of ASCII letters. */
bool mask_is_domain(const struct mask_policy *p, const char *host, size_t len);
bool mask_begins_with_domain(const struct mask_policy *p, const char *host, size_t len);
bool mask_is_kept(const struct mask_policy *p, const char *local, size_t local_len, const char *host, size_t host_len);

/* ---- exempt.c: what looks like an address and is none ---- */
bool mask_is_file_ending(const char *label, size_t len);
bool mask_is_content_id(const char *host, size_t len);
/* Is the whole cell one or more message ids? */
bool mask_is_message_ids(const char *text, size_t len);
/* Walks the header block of a mail once, forward; zero it first. */
struct mask_id_lines {
	size_t line_end; /* first byte after the line looked at last, with its folded lines */
	bool is_id_line, past_headers;
};
/* End of the <...> around the at sign at `at` on a Message-ID, In-Reply-To, References or Content-ID line; 0 when it is
 * in none. `at` must not go backwards between calls. */
size_t mask_id_end(struct mask_id_lines *lines, const char *text, size_t len, size_t at);

/* ---- bytes.c: which bytes can belong to an address in text ---- */
enum { BYTE_HOST = 1, BYTE_LOCAL = 2, BYTE_ATEXT = 4, BYTE_LETTER = 8 };

extern const uint8_t bytes_kinds[256];

static inline uint8_t bytes_kind(char c)
{
	return bytes_kinds[(unsigned char)c];
}

/* First byte that cannot belong to a host, from `from` on. */
size_t bytes_host_run(const char *text, size_t from, size_t len);
/* First byte of the run of local part bytes that ends before `end`; not below floor, at most 320 bytes. */
size_t bytes_local_run(const char *text, size_t floor, size_t end);
/* Is the character that ends before `end` one of Unicode's punctuation and blanks, which end words? */
bool bytes_ends_punctuation(const char *text, size_t end);
/* Length of the UTF-8 character at p; 0 when the bytes are none. */
size_t bytes_utf8(const char *p, size_t left);
/* Characters of a text; a byte that is no UTF-8 counts as one. */
size_t bytes_count(const char *text, size_t len);
/* Next at sign from `from` on, plain or written as %40, %2540, \u0040, &#64; or &#x40;. False when none is left. */
bool bytes_find_at(const char *text, size_t from, size_t len, size_t *at_r, size_t *at_len_r);
/* Length of the at sign that begins at `at`; 0 when none does. */
size_t bytes_is_at(const char *text, size_t at, size_t len);
/* Length of the at sign that ends before `end`; 0 when none does. */
size_t bytes_was_at(const char *text, size_t end);

/* ---- address.c ---- */
enum piece_kind { PIECE_UNSET, PIECE_OTHER, PIECE_ALREADY, PIECE_KEPT, PIECE_REWRITE };

struct address { /* parts of one address, borrowed from its text; the local part is empty when it is out of reach */
	const char *local, *at, *host;
	size_t local_len, at_len, host_len;
	bool glued; /* begins with a '+' or '~' that parts it from the host or at sign before it */
};

/* End of the host that begins at `from`, whose run of host bytes ends at run_end: the longest piece that ends in a
 * top-level label. 0 when there is none. */
size_t address_host_end(const char *text, size_t from, size_t run_end);
/* End of an address literal ([192.0.2.1]) that begins at `from`, with the host bytes glued to it; 0 when there is none. */
size_t address_literal_end(const char *text, size_t from, size_t len);
/* Is the text one address and nothing else? Fills *a. */
bool address_parse(const char *text, size_t len, struct address *a);
/* What becomes of it. */
enum piece_kind address_judge(const struct mask_policy *p, const struct address *a);
/* Appends the masked form. max_chars 0: no limit but SMTP's. False, with nothing appended, when not even the short form
 * fits (or out is full, or a hash cannot be made: then out->failed is set). */
bool address_mask(const struct mask_policy *p, const struct address *a, size_t max_chars, struct buf *out,
                  bool *shortened_r);

/* ---- hashed.c: local parts that are a keyed hash ----
 * 'm' and 26 lower-case hex digits; where that does not fit, '~' and the first 8 to 25 of them. */
enum { HASHED_DIGITS = 26, HASHED_DIGITS_MIN = 8, HASHED_LOCAL = HASHED_DIGITS + 1 };

/* Length of the hashed local part that ends at the end of the text; 0 when none does. */
size_t hashed_tail(const char *text, size_t len);
/* The local part for the address, at most max_chars long: writes it to local_r, which has room for HASHED_LOCAL, and
 * its length. Length 0: none fits. False: the hash cannot be made. */
bool hashed_local(const struct mask_policy *p, const struct address *a, size_t max_chars, char *local_r, size_t *len_r);

/* ---- text.c: finds addresses in text ---- */
struct piece {
	enum piece_kind kind;
	size_t start; /* of the address */
	size_t end;   /* of the address; the masked form replaces start..end */
	size_t tail;  /* first byte after all that is glued to it and cannot be cut off without changing what it is */
	struct address address; /* of PIECE_REWRITE */
};

struct text_walk {
	const char *text;
	size_t len;
	size_t next;                 /* where to go on */
	struct mask_id_lines *lines; /* NULL outside mail headers */
};

/* The next at sign that has something before it, and what it is. False when none is left. */
bool text_next(const struct mask_policy *p, struct text_walk *w, struct piece *piece_r);

#endif
