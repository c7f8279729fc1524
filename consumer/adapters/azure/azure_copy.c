/* SPDX-License-Identifier: Apache-2.0
 * One page of a copy: what is missing or differs is copied by as many slots as may be under way at a time. A slot has one
 * thing to do: a small blob as a whole, or a block of a large one, so that all slots help with the last large blob. A name
 * appears when its blob is whole, because writing it, or committing its blocks, is one request.
 *
 * A copy's metadata tells which version of the source it is. What the next try finds is its manifest: blobs of the
 * right version are left alone, and blocks of the right version that nobody has committed are not sent again. */
#include "consumer/adapters/azure/azure_blob.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_FILES = 1024 };
static const int64_t page_bytes = INT64_C(512) * 1024 * 1024;

struct page {
	struct azure *a;
	const struct fence *fence;
	const struct files_choice *choice;
	struct files_progress progress;
	struct blob_slot *slots;
	struct blob *blobs;       /* as many as slots */
	int64_t files, bytes;     /* of this page */
	int64_t told_bytes;       /* with the blocks that are there of blobs that are not whole yet */
	bool all;                 /* the source has no more */
};

static void tell(const struct page *p)
{
	if (p->choice->moved)
		p->choice->moved(p->choice->moved_arg, p->progress.files, p->told_bytes);
}

/* ---- what is to be done ---- */

static void dealt_with(struct page *p, int64_t size)
{
	p->progress.files++;
	p->progress.bytes += size;
	p->files++;
	p->bytes += size;
}

static bool is_equal(const struct azure_entry *source, const struct azure_entry *target)
{
	return target && target->size == source->size && strcmp(target->mark, source->etag) == 0;
}

static bool is_behind(const struct page *p, const char *path)
{
	const char *after = p->a->pair->after;

	return *after && azure_order(p->a, path, after) <= 0;
}

/* The next one that must be copied, if this page has one; everything on the way is counted. */
static bool next_entry(struct page *p, const struct azure_entry **entry_r, struct err *e)
{
	const struct azure_entry *source, *target;

	for (*entry_r = NULL; !*entry_r && p->files < PAGE_FILES && p->bytes < page_bytes;) {
		if (!azure_pair_next(p->a->pair, &source, &target, e))
			return false;
		if (!source) {
			p->all = true;
			return true;
		}
		if (is_behind(p, source->path) || (p->choice->wants && !p->choice->wants(p->choice->arg, source->path)))
			continue;
		if (strlen(source->path) < FILES_PATH_MAX)
			memcpy(p->progress.after, source->path, strlen(source->path) + 1);
		if (!azure_path_is_safe(source->path)) {
			p->progress.refused++;
		} else if (is_equal(source, target)) {
			dealt_with(p, source->size);
			p->told_bytes += source->size;
			tell(p);
		} else {
			*entry_r = source;
			p->files++; /* counted for the page now, for the progress when it is there */
			p->bytes += source->size;
		}
	}
	return true;
}

static struct blob *blob_with_work(struct page *p)
{
	for (int i = 0; i < p->a->parallel; i++)
		if (blob_has_block(&p->blobs[i]))
			return &p->blobs[i];
	return NULL;
}

static struct blob *free_blob(struct page *p)
{
	for (int i = 0; i < p->a->parallel; i++)
		if (!p->blobs[i].is_open)
			return &p->blobs[i];
	return NULL; /* there are as many as slots, and each busy slot holds one at most */
}

/* Gives an idle slot its next thing, if there is any. */
static bool assign(struct page *p, struct blob_slot *slot, struct err *e)
{
	struct blob *blob = blob_with_work(p);
	const struct azure_entry *entry = NULL;

	if (blob)
		return blob_begin_block(slot, blob, e);
	blob = p->all ? NULL : free_blob(p);
	if (!blob)
		return true;
	if (!next_entry(p, &entry, e) || !entry)
		return e->class == ERR_NONE;
	return blob_open(blob, entry, e) && blob_begin(slot, blob, e);
}

/* ---- what came of it ---- */

static bool take(struct page *p, struct blob_slot *slot, struct err *e)
{
	struct blob *blob = slot->blob;
	enum blob_news news = BLOB_NOTHING;

	if (!blob_ended(slot, &news, e))
		return false;
	switch (news) {
	case BLOB_NOTHING:
		break;
	case BLOB_MOVED:
		p->told_bytes += slot->bytes;
		tell(p);
		break;
	case BLOB_IS_THERE:
		p->progress.files++;
		p->progress.bytes += blob->size;
		p->told_bytes += slot->bytes;
		tell(p);
		blob_close(blob);
		break;
	case BLOB_VANISHED:
		p->progress.missing++;
		blob_close(blob);
		break;
	}
	return true;
}

static bool work(struct page *p, struct err *e)
{
	for (;;) {
		bool is_busy = false;

		for (int i = 0; i < p->a->parallel; i++) {
			if (!p->slots[i].blob && !assign(p, &p->slots[i], e))
				return false;
			is_busy |= p->slots[i].blob != NULL;
		}
		if (!is_busy)
			return true;
		if (!azure_pump(p->a, 100, e))
			return false;
		for (int i = 0; i < p->a->parallel; i++)
			if (p->slots[i].blob && p->slots[i].call.state == AZURE_ENDED && !take(p, &p->slots[i], e))
				return false;
	}
}

/* ---- the whole ---- */

static bool copy_page(struct page *p, struct err *e)
{
	p->slots = calloc((size_t)p->a->parallel, sizeof *p->slots);
	p->blobs = calloc((size_t)p->a->parallel, sizeof *p->blobs);
	if (!p->slots || !p->blobs)
		return err_set(e, ERR_TRANSIENT, 0, "blobs", "out of memory");
	for (int i = 0; i < p->a->parallel; i++)
		if (!blob_slot_init(&p->slots[i], p->a, p->choice->source_root, p->fence->generation, p->choice->folder, e))
			return false;
	if (!work(p, e))
		return false;
	p->progress.finished = p->all;
	return azure_token_check(p->a, p->fence->generation, p->fence, e);
}

bool azure_copy_page(struct azure *a, const struct fence *f, const struct files_choice *choice,
                     struct files_progress *progress, struct err *e)
{
	struct page p = { .a = a, .fence = f, .choice = choice, .progress = *progress, .told_bytes = progress->bytes };
	bool ok = copy_page(&p, e);

	if (ok)
		*progress = p.progress;
	for (int i = 0; p.slots && i < a->parallel; i++)
		blob_slot_done(&p.slots[i]);
	for (int i = 0; p.blobs && i < a->parallel; i++)
		blob_close(&p.blobs[i]);
	free(p.slots);
	free(p.blobs);
	return ok;
}
