/* SPDX-License-Identifier: Apache-2.0
 * Masks one cell: finds the addresses by the class of its column, rewrites them, and makes the result fit. */
#include "handlers/masking/masking_priv.h"

#include <string.h>

enum { SHORT_LEN = 9 };

struct rewrite {
	const struct mask_policy *policy;
	enum mask_class class;
	const char *text;
	size_t len;
	struct buf *out;
	struct mask_counts counts;
	size_t copied;      /* bytes of text that are in out or were replaced */
	size_t each_max;    /* characters one masked address may take; 0: as many as it likes */
	size_t room;        /* characters left in out; SIZE_MAX: no limit */
	size_t raw;         /* characters of the addresses before, counted only when there is a width */
	bool has_width, changed;
};

/* Appends text as it is, cut between two characters when it does not fit. False when it was cut. */
static bool copy_text(struct rewrite *r, size_t end)
{
	const char *from = r->text + r->copied;
	size_t n = end - r->copied, i = 0;

	r->copied = end;
	if (r->room == SIZE_MAX) {
		buf_add(r->out, from, n);
		return true;
	}
	while (i < n && r->room) {
		size_t step = bytes_utf8(from + i, n - i);

		i += step ? step : 1;
		r->room--;
	}
	buf_add(r->out, from, i);
	return i == n;
}

static bool mask_piece(struct rewrite *r, const struct piece *piece)
{
	size_t around = SHORT_LEN + piece->address.at_len + r->policy->domain_len;
	size_t max = r->each_max && r->each_max < around ? around : r->each_max;
	bool shortened;

	if (!address_mask(r->policy, &piece->address, max, r->out, &shortened))
		return false;
	r->copied = piece->end;
	r->changed = true;
	r->counts.addresses++;
	r->counts.shortened += shortened;
	if (r->has_width)
		r->raw += bytes_count(r->text + piece->start, piece->end - piece->start);
	return true;
}

/* Appends a piece and what is glued to it, or nothing when it does not fit: half an address could be another one. */
static bool add_piece(struct rewrite *r, const struct piece *piece)
{
	size_t before = r->out->len, used;

	if (piece->kind == PIECE_REWRITE && !mask_piece(r, piece))
		return false;
	if (r->room == SIZE_MAX)
		return true;
	buf_add(r->out, r->text + r->copied, piece->tail - r->copied);
	r->copied = piece->tail;
	used = bytes_count(r->out->data + before, r->out->len - before);
	if (used > r->room) {
		r->out->len = before;
		r->out->data[before] = '\0';
		return false;
	}
	r->room -= used;
	return true;
}

static bool is_blank(char c)
{
	return (unsigned char)c <= ' ' || c == 0x7F;
}

/* The address that is the whole cell but for blanks, with any local part that SMTP allows. */
static bool whole_cell(const struct mask_policy *p, const char *text, size_t len, struct piece *piece)
{
	size_t start = 0, end = len;

	while (start < end && is_blank(text[start]))
		start++;
	while (end > start && is_blank(text[end - 1]))
		end--;
	*piece = (struct piece){ .start = start, .end = end, .tail = end };
	if (!address_parse(text + start, end - start, &piece->address))
		return false;
	piece->kind = address_judge(p, &piece->address);
	return true;
}

static bool may_be_whole(const struct rewrite *r)
{
	return r->class == MASK_CLASS_ADDRESS || r->class == MASK_CLASS_NAME;
}

static bool take_piece(struct rewrite *r, const struct piece *piece)
{
	r->counts.already += piece->kind == PIECE_ALREADY;
	r->counts.kept += piece->kind == PIECE_KEPT;
	if (piece->kind != PIECE_REWRITE && r->room == SIZE_MAX)
		return true;
	return copy_text(r, piece->start) && add_piece(r, piece);
}

/* One pass over the cell. Leaves out empty when nothing had to be rewritten. */
static void rewrite_pass(struct rewrite *r, size_t each_max, size_t room)
{
	struct mask_id_lines lines = { .line_end = 0 };
	struct text_walk walk = { r->text, r->len, 0, r->class == MASK_CLASS_HEADER ? &lines : NULL };
	struct piece piece;
	bool going = true;

	buf_clear(r->out);
	r->counts = (struct mask_counts){ .addresses = 0 };
	r->copied = r->raw = 0;
	r->each_max = each_max;
	r->room = room;
	if (may_be_whole(r) && whole_cell(r->policy, r->text, r->len, &piece)) {
		going = take_piece(r, &piece);
		walk.next = r->len;
	}
	while (going && text_next(r->policy, &walk, &piece))
		going = take_piece(r, &piece);
	if (going && r->changed)
		copy_text(r, r->len);
}

static bool too_long(const struct rewrite *r, size_t limit)
{
	return r->out->len > limit && bytes_count(r->out->data, r->out->len) > limit;
}

/* First the addresses give way, all to the same length; when that is not enough the cell is cut. A cell that was too
 * long for its column before is not made shorter than it was. */
static void fit(struct rewrite *r, size_t width_chars)
{
	size_t before, limit, around, share;
	struct piece piece;

	if (!too_long(r, width_chars))
		return;
	before = bytes_count(r->text, r->len);
	limit = before > width_chars ? before : width_chars;
	if (!too_long(r, limit))
		return;
	around = before - r->raw;
	share = limit > around ? (limit - around) / (size_t)r->counts.addresses : 0;
	rewrite_pass(r, share + !share, SIZE_MAX);
	if (!too_long(r, limit))
		return;
	rewrite_pass(r, share + !share, limit);
	if (may_be_whole(r) && whole_cell(r->policy, buf_text(r->out), r->out->len, &piece) &&
	    piece.kind == PIECE_REWRITE)
		buf_clear(r->out); /* what the cut left reads as an address only now */
}

static void add_counts(struct mask_counts *to, const struct mask_counts *from)
{
	to->addresses += from->addresses;
	to->already += from->already;
	to->kept += from->kept;
	to->shortened += from->shortened;
	to->odd += from->odd;
	to->blanked += from->blanked;
	to->unknown_cells += from->unknown_cells;
}

static bool has_control(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7F)
			return true;
	return false;
}

/* A line end inside one address would let it write mail headers of its own later. */
static bool blank_controls(struct rewrite *r)
{
	if (!has_control(r->text, r->len))
		return true;
	if (!r->changed && !buf_add(r->out, r->text, r->len))
		return false;
	r->changed = true;
	for (size_t i = 0; i < r->out->len; i++)
		if ((unsigned char)r->out->data[i] < ' ' || r->out->data[i] == 0x7F)
			r->out->data[i] = ' ';
	return true;
}

static bool is_odd(const struct rewrite *r)
{
	const struct mask_counts *c = &r->counts;

	if (r->class != MASK_CLASS_ADDRESS && r->class != MASK_CLASS_LIST)
		return false;
	if (c->addresses || c->already || c->kept)
		return false;
	for (size_t i = 0; i < r->len; i++)
		if ((unsigned char)r->text[i] > ' ')
			return true;
	return false;
}

static enum mask_result finish(struct rewrite *r, struct mask_counts *counts)
{
	r->counts.odd += is_odd(r);
	if (r->class == MASK_CLASS_UNKNOWN)
		r->counts.unknown_cells += r->counts.addresses;
	if (r->class == MASK_CLASS_ADDRESS && !blank_controls(r))
		r->out->failed = true;
	r->counts.blanked += r->changed && r->out->len == 0;
	add_counts(counts, &r->counts);
	if (r->out->failed) {
		buf_clear(r->out);
		r->out->failed = true; /* the caller must be able to tell this from a rule */
		return MASK_BLANK;
	}
	if (!r->changed)
		return MASK_SAME;
	return r->out->len ? MASK_CHANGED : MASK_BLANK;
}

enum mask_result mask_cell(const struct mask_policy *p, const char *table, const char *column, size_t width_chars,
                           const char *text, size_t len, struct buf *out, struct mask_counts *counts)
{
	struct mask_rule rule = mask_columns_find(p->columns, table, column);
	struct rewrite r = { .policy = p, .class = rule.class, .text = text, .len = len, .out = out,
	                     .has_width = width_chars > 0 };

	buf_clear(out);
	if (len == 0 || rule.class == MASK_CLASS_BLOB)
		return MASK_SAME;
	if (rule.blank) {
		counts->blanked++;
		return MASK_BLANK;
	}
	if (rule.class == MASK_CLASS_MESSAGE_ID && mask_is_message_ids(text, len))
		return MASK_SAME;
	rewrite_pass(&r, 0, SIZE_MAX);
	if (width_chars && r.changed)
		fit(&r, width_chars);
	return finish(&r, counts);
}

enum mask_result mask_address(const struct mask_policy *p, const char *text, size_t len, size_t max_chars,
                              struct buf *out, struct mask_counts *counts)
{
	enum piece_kind kind;
	struct address a;
	bool shortened;

	buf_clear(out);
	if (len == 0)
		return MASK_SAME;
	if (!address_parse(text, len, &a)) {
		counts->odd++;
		return MASK_SAME;
	}
	kind = address_judge(p, &a);
	counts->already += kind == PIECE_ALREADY;
	counts->kept += kind == PIECE_KEPT;
	if (kind != PIECE_REWRITE)
		return MASK_SAME;
	if (!address_mask(p, &a, max_chars, out, &shortened)) {
		counts->blanked += !out->failed;
		return MASK_BLANK;
	}
	counts->addresses++;
	counts->shortened += shortened;
	return MASK_CHANGED;
}
