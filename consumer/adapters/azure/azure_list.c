/* SPDX-License-Identifier: Apache-2.0
 * Listings in pages, with no more than one page of each in memory, and two of them walked side by side. */
#include "consumer/adapters/azure/azure_priv.h"

#include "consumer/core/file_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_MEMORY_MAX = 4 * AZURE_LIST_BYTES_MAX, MARKER_MAX = 16 * 1024, ANEW_MAX = 3 };

static bool no_memory(struct err *e)
{
	return err_set(e, ERR_TRANSIENT, 0, "blobs", "out of memory");
}

/* A backslash is a slash to some. */
bool azure_path_is_safe(const char *path)
{
	return file_path_is_safe(path) && !strchr(path, '\\');
}

/* In UTF-16 the characters beyond 0xFFFF come before the last of those below: a lead byte from 0xF0 before 0xEE. */
int azure_order(const struct azure *a, const char *x, const char *y)
{
	unsigned char p, q;

	while (*x && *x == *y)
		x++, y++;
	p = (unsigned char)*x;
	q = (unsigned char)*y;
	if (!a->is_bytewise && p >= 0xEE && q >= 0xEE && (p >= 0xF0) != (q >= 0xF0))
		return p >= 0xF0 ? -1 : 1;
	return p - q;
}

/* ---- one listing ---- */

bool azure_cursor_open(struct azure_cursor *c, struct azure *a, struct azure_place *at, const char *root,
                       const char *folder, struct err *e)
{
	*c = (struct azure_cursor){ .a = a, .at = at };
	buf_init(&c->marker, MARKER_MAX);
	buf_init(&c->last, MARKER_MAX);
	buf_init(&c->behind, MARKER_MAX);
	if (folder)
		snprintf(c->prefix, sizeof c->prefix, "%s/%s/", root, folder);
	else
		snprintf(c->prefix, sizeof c->prefix, "%s/", root);
	c->mem = arena_new(LIST_MEMORY_MAX);
	return azure_call_init(a, &c->call, AZURE_LIST_BYTES_MAX, e) && (c->mem || no_memory(e));
}

void azure_cursor_close(struct azure_cursor *c)
{
	if (!c->a)
		return;
	azure_call_done(c->a, &c->call);
	arena_free(&c->mem);
	buf_done(&c->marker);
	buf_done(&c->last);
	buf_done(&c->behind);
	c->a = NULL;
}

/* Both walks rely on it, and so does every restart behind a path. */
static bool check_order(struct azure_cursor *c, struct err *e)
{
	const char *last = c->last.len ? buf_text(&c->last) : NULL;

	for (size_t i = 0; i < c->page.count; i++) {
		const char *path = c->page.entries[i].path;

		if (last && azure_order(c->a, last, path) >= 0) {
			if (strcmp(last, path) >= 0)
				return err_set(e, ERR_REFUSED, 0, "blobs",
				               "the container lists its blobs in no order that is known here; a "
				               "hierarchical namespace is not supported");
			c->a->is_bytewise = true;
		}
		last = path;
	}
	buf_clear(&c->last);
	return !last || buf_add_text(&c->last, last) || no_memory(e);
}

/* The service does not know its marker any more, so the listing begins anew, and what was seen is passed. */
static bool is_forgotten(const struct azure_cursor *c)
{
	return c->call.status == 400 && c->marker.len && c->times_anew < ANEW_MAX;
}

static bool begin_anew(struct azure_cursor *c, struct err *e)
{
	c->times_anew++;
	buf_clear(&c->marker);
	/* While names are passed, what is behind them is not yet known to be seen. */
	if (!c->behind.len && c->last.len && !buf_add_text(&c->behind, buf_text(&c->last)))
		return no_memory(e);
	buf_clear(&c->last);
	return true;
}

static void pass_seen(struct azure_cursor *c)
{
	while (c->behind.len && c->at_entry < c->page.count &&
	       azure_order(c->a, c->page.entries[c->at_entry].path, buf_text(&c->behind)) <= 0)
		c->at_entry++;
	if (c->at_entry == c->page.count)
		return;
	buf_clear(&c->behind);
	c->times_anew = 0;
}

static bool take_page(struct azure_cursor *c, struct err *e)
{
	arena_clear(c->mem);
	if (!azure_parse_list(buf_text(&c->call.body), c->call.body.len, c->prefix, c->mem, &c->page, e) ||
	    !check_order(c, e))
		return false;
	if (*c->page.marker && strcmp(c->page.marker, buf_text(&c->marker)) == 0)
		return err_set(e, ERR_TRANSIENT, 0, "blobs", "the service's listing goes round in circles");
	buf_clear(&c->marker);
	c->is_last = !*c->page.marker;
	pass_seen(c);
	return c->is_last || buf_add_text(&c->marker, c->page.marker) || no_memory(e);
}

static bool fetch(struct azure_cursor *c, struct err *e)
{
	char count[16];
	const struct azure_request request = {
		.method = "GET", .at = c->at,
		.params = { { "comp", "list" }, { "include", "metadata" }, { "marker", buf_text(&c->marker) },
		            { "maxresults", count }, { "prefix", c->prefix }, { "restype", "container" } },
	};

	snprintf(count, sizeof count, "%d", c->a->names_a_page);
	c->page.count = c->at_entry = 0;
	if (!azure_call_run(c->a, &c->call, &request, e))
		return false;
	if (c->call.result == CURLE_OK && c->call.status == 200)
		return take_page(c, e);
	if (c->call.result == CURLE_OK && is_forgotten(c))
		return begin_anew(c, e);
	azure_call_failed(&c->call, "listing blobs", e);
	if (c->marker.len)
		e->class = ERR_TRANSIENT; /* it has listed before: the next look begins at the beginning */
	return false;
}

bool azure_cursor_peek(struct azure_cursor *c, const struct azure_entry **entry_r, struct err *e)
{
	while (c->at_entry == c->page.count && !c->is_last)
		if (!fetch(c, e))
			return false;
	*entry_r = c->at_entry < c->page.count ? &c->page.entries[c->at_entry] : NULL;
	return true;
}

void azure_cursor_step(struct azure_cursor *c)
{
	c->at_entry++;
}

/* ---- two of them ---- */

struct azure_pair *azure_pair_open(struct azure *a, const struct fence *f, const struct files_choice *choice,
                                   struct err *e)
{
	struct azure_place *source = a->source.path ? &a->source : &a->target;
	struct azure_pair *p = calloc(1, sizeof *p);

	if (!p) {
		no_memory(e);
		return NULL;
	}
	snprintf(p->source_root, sizeof p->source_root, "%s", choice->source_root);
	snprintf(p->generation, sizeof p->generation, "%s", f->generation);
	snprintf(p->folder, sizeof p->folder, "%s", choice->folder);
	if (!azure_cursor_open(&p->source, a, source, choice->source_root, choice->folder, e) ||
	    !azure_cursor_open(&p->target, a, &a->target, f->generation, choice->folder, e))
		azure_pair_close(&p);
	return p;
}

void azure_pair_close(struct azure_pair **p)
{
	if (!*p)
		return;
	azure_cursor_close(&(*p)->source);
	azure_cursor_close(&(*p)->target);
	free(*p);
	*p = NULL;
}

bool azure_pair_next(struct azure_pair *p, const struct azure_entry **source_r, const struct azure_entry **target_r,
                     struct err *e)
{
	*target_r = NULL;
	if (!azure_cursor_peek(&p->source, source_r, e) || !*source_r)
		return e->class == ERR_NONE;
	for (;;) {
		const struct azure_entry *target;
		int order;

		if (!azure_cursor_peek(&p->target, &target, e))
			return false;
		order = target ? azure_order(p->source.a, target->path, (*source_r)->path) : 1;
		if (order == 0)
			*target_r = target;
		if (order >= 0)
			break;
		azure_cursor_step(&p->target);
	}
	azure_cursor_step(&p->source);
	return true;
}
