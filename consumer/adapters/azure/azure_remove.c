/* SPDX-License-Identifier: Apache-2.0
 * Removing a tree of blobs, as it is listed: below that name and its slash, so that a neighbour whose name begins alike
 * keeps everything. The token goes last: until then an older owner is refused. */
#include "consumer/adapters/azure/azure_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct removing {
	struct azure *a;
	struct azure_cursor cursor;
	struct azure_call *calls;
	bool all;
};

static bool send_delete(struct removing *r, struct azure_call *c, const char *path, struct err *e)
{
	char name[5 * FILES_PATH_MAX];
	const struct azure_request request = { .method = "DELETE", .at = &r->a->target, .blob = name,
		                               .headers = "x-ms-delete-snapshots: include\n" };

	if (snprintf(name, sizeof name, "%s%s", r->cursor.prefix, path) >= (int)sizeof name || !azure_path_is_safe(path))
		return err_set(e, ERR_REFUSED, 0, "blobs", "the name of a blob to remove is not safe; remove it by hand");
	return azure_call_start(r->a, c, &request, e);
}

static bool begin_next(struct removing *r, struct azure_call *c, struct err *e)
{
	const struct azure_entry *entry;

	do {
		if (!azure_cursor_peek(&r->cursor, &entry, e))
			return false;
		if (!entry) {
			r->all = true;
			return true;
		}
		azure_cursor_step(&r->cursor);
	} while (strcmp(entry->path, AZURE_TOKEN_NAME) == 0);
	return send_delete(r, c, entry->path, e);
}

static bool is_removed(struct azure_call *c, struct err *e)
{
	bool ok = c->result == CURLE_OK && (c->status == 202 || c->status == 404);

	c->state = AZURE_IDLE;
	return ok || azure_call_failed(c, "removing a blob", e);
}

static bool remove_listed(struct removing *r, struct err *e)
{
	for (;;) {
		bool is_busy = false;

		for (int i = 0; i < r->a->parallel; i++) {
			struct azure_call *c = &r->calls[i];

			if (c->state == AZURE_ENDED && !is_removed(c, e))
				return false;
			if (c->state == AZURE_IDLE && !r->all && !begin_next(r, c, e))
				return false;
			is_busy |= c->state != AZURE_IDLE;
		}
		if (!is_busy)
			return true;
		if (!azure_pump(r->a, 100, e))
			return false;
	}
}

static bool remove_token(struct removing *r, struct err *e)
{
	struct azure_call *c = &r->calls[0];

	if (!send_delete(r, c, AZURE_TOKEN_NAME, e))
		return false;
	while (c->state != AZURE_ENDED)
		if (!azure_pump(r->a, 100, e))
			return false;
	return is_removed(c, e);
}

static bool remove_all(struct removing *r, const char *root, struct err *e)
{
	r->calls = calloc((size_t)r->a->parallel, sizeof *r->calls);
	if (!r->calls)
		return err_set(e, ERR_TRANSIENT, 0, "blobs", "out of memory");
	for (int i = 0; i < r->a->parallel; i++)
		if (!azure_call_init(r->a, &r->calls[i], 4096, e))
			return false;
	return azure_cursor_open(&r->cursor, r->a, &r->a->target, root, NULL, e) && remove_listed(r, e) &&
	       remove_token(r, e);
}

bool azure_remove(struct azure *a, const struct fence *f, const char *root, struct err *e)
{
	struct removing r = { .a = a };
	bool ok = azure_token_check(a, root, f, e) && remove_all(&r, root, e);

	for (int i = 0; r.calls && i < a->parallel; i++)
		azure_call_done(a, &r.calls[i]);
	free(r.calls);
	azure_cursor_close(&r.cursor);
	return ok;
}

/* ---- one blob ---- */

static bool remove_one(struct azure *a, const char *name, struct err *e)
{
	const struct azure_request request = { .method = "DELETE", .at = &a->target, .blob = name,
		                               .headers = "x-ms-delete-snapshots: include\n" };
	struct azure_call c;
	bool ok = azure_call_init(a, &c, 4096, e) && azure_call_run(a, &c, &request, e) && is_removed(&c, e);

	azure_call_done(a, &c);
	return ok;
}

bool azure_remove_blob(const struct azure_container *from, const char *name, const atomic_bool *stop, struct err *e)
{
	const struct azure_settings s = { .target = *from, .parallel = 1 };
	struct files_port *port;
	bool ok;

	if (!azure_path_is_safe(name))
		return err_set(e, ERR_MISUSE, 0, "blobs", "the name of a blob to remove is not safe");
	port = azure_files_new(&s, stop, e);
	ok = port && remove_one((struct azure *)port, name, e);
	azure_files_free(&port);
	return ok;
}
