/* SPDX-License-Identifier: Apache-2.0
 * The requests that copy one blob:
 *
 *   small     GET and PUT, or one PUT that names the source (Copy Blob From URL, which answers when it is done)
 *   large     the blocks that are there already; each other block by GET and Put Block, or by Put Block From URL; commit
 *
 * Every read names the version it wants (If-Match). A source that changes meanwhile is looked at and begun again. */
#include "consumer/adapters/azure/azure_blob.h"

#include "consumer/adapters/openssl/base64.h"
#include "consumer/core/fnv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHANGES_MAX = 3, LARGE_FAILURES_MAX = 3, LINES_MAX_BYTES = 16 * 1024 };

/* ---- blobs ---- */

static bool set_version(struct blob *b, const char *etag, const char *md5, int64_t size)
{
	snprintf(b->etag, sizeof b->etag, "%s", etag);
	snprintf(b->md5, sizeof b->md5, "%s", md5);
	b->size = size;
	b->block_bytes = AZURE_BLOCK_BYTES;
	if (size / b->block_bytes >= BLOB_BLOCKS_MAX)
		b->block_bytes = size / BLOB_BLOCKS_MAX + 1;
	b->blocks = size > AZURE_BLOCK_BYTES ? (int)((size + b->block_bytes - 1) / b->block_bytes) : 0;
	b->next = b->there = 0;
	b->is_known = b->has_changed = b->was_doubted = false;
	free(b->is_there);
	b->is_there = calloc((size_t)b->blocks + 1, 1);
	return b->is_there != NULL;
}

bool blob_no_memory(struct err *e)
{
	return err_set(e, ERR_TRANSIENT, 0, "blobs", "out of memory");
}

bool blob_open(struct blob *b, const struct azure_entry *entry, struct err *e)
{
	*b = (struct blob){ .is_open = true, .is_block_blob = entry->is_block_blob };
	memcpy(b->path, entry->path, strlen(entry->path) + 1); /* safe paths fit */
	buf_init(&b->meta, LINES_MAX_BYTES);
	buf_init(&b->content, LINES_MAX_BYTES);
	return (buf_add_text(&b->meta, entry->meta) && buf_add_text(&b->content, entry->content) &&
	        set_version(b, entry->etag, entry->md5, entry->size)) || blob_no_memory(e);
}

void blob_close(struct blob *b)
{
	if (!b->is_open)
		return;
	buf_done(&b->meta);
	buf_done(&b->content);
	free(b->is_there);
	*b = (struct blob){ .is_open = false };
}

bool blob_has_block(const struct blob *b)
{
	return b->is_open && b->is_known && !b->has_changed && !b->is_gone && b->next < b->blocks;
}

/* ---- slots ---- */

bool blob_slot_init(struct blob_slot *s, struct azure *a, const char *source_root, const char *generation,
                    const char *folder, struct err *e)
{
	*s = (struct blob_slot){ .a = a, .source_root = source_root, .generation = generation, .folder = folder };
	return azure_call_init(a, &s->call, 0, e);
}

void blob_slot_done(struct blob_slot *s)
{
	if (!s->a)
		return;
	azure_call_done(s->a, &s->call);
	buf_done(&s->data);
	s->a = NULL;
}

static bool is_block(const struct blob_slot *s)
{
	return s->block >= 0;
}

static void idle(struct blob_slot *s)
{
	s->blob->slots--;
	s->blob = NULL;
	s->call.state = AZURE_IDLE;
}

/* ---- beginning ---- */

static bool begin_copy(struct blob_slot *s, struct err *e)
{
	s->way = s->blob->is_block_blob ? azure_way_choose(&s->a->ways, is_block(s) ? AZURE_BLOCK : AZURE_WHOLE) :
		AZURE_BY_STREAM;
	return s->way == AZURE_BY_SERVER ? blob_send_from_url(s, e) : blob_send_get(s, e);
}

static bool is_large_whole(const struct blob_slot *s)
{
	return !is_block(s) && s->blob->blocks > 0;
}

/* One request for a large blob spares the service reading and writing it, where it can share what lies there. A copy that
 * takes so long that it seems stalled is given up, and goes by blocks. */
static bool begin_blob(struct blob_slot *s, struct err *e)
{
	const struct azure *a = s->a;

	if (!is_large_whole(s))
		return begin_copy(s, e);
	s->way = AZURE_BY_SERVER;
	return s->blob->is_block_blob && s->blob->size <= a->copied_whole_max && a->large_failures < LARGE_FAILURES_MAX &&
	       !a->ways.is_off[AZURE_BY_SERVER] ? blob_send_from_url(s, e) : blob_send_list_blocks(s, e);
}

bool blob_begin(struct blob_slot *s, struct blob *b, struct err *e)
{
	s->blob = b;
	s->block = -1;
	b->slots++;
	return begin_blob(s, e);
}

static int next_missing(const struct blob *b)
{
	int i = b->next;

	while (i < b->blocks && b->is_there[i])
		i++;
	return i;
}

bool blob_begin_block(struct blob_slot *s, struct blob *b, struct err *e)
{
	s->blob = b;
	b->slots++;
	s->block = b->next;
	b->next++;
	b->next = next_missing(b);
	return begin_copy(s, e);
}

/* ---- what came of a request ---- */

static bool bad_answer(const struct blob_slot *s, const char *doing, struct err *e)
{
	char what[128];

	snprintf(what, sizeof what, "%s in %.60s", doing, s->folder);
	return azure_call_failed(&s->call, what, e);
}

/* The last slot of a blob that is not as it was decides what becomes of it. */
static bool give_up_version(struct blob_slot *s, enum blob_news *news_r, struct err *e)
{
	struct blob *b = s->blob;

	if (b->slots > 1) {
		idle(s);
		return true;
	}
	if (b->is_gone) {
		*news_r = BLOB_VANISHED;
		idle(s);
		return true;
	}
	if (++b->changes > CHANGES_MAX)
		return err_set(e, ERR_TRANSIENT, 0, "blobs", "a blob in %.60s changes faster than it can be copied", s->folder);
	s->block = -1;
	return blob_send_look(s, e);
}

static bool is_there(struct blob_slot *s, enum blob_news *news_r, int64_t bytes)
{
	*news_r = BLOB_IS_THERE;
	s->bytes = bytes;
	idle(s);
	return true;
}

/* A block or the whole has been written. */
static bool written(struct blob_slot *s, enum blob_news *news_r, struct err *e)
{
	struct blob *b = s->blob;

	if (is_large_whole(s))
		s->a->large_failures = 0;
	else
		azure_way_ended(&s->a->ways, is_block(s) ? AZURE_BLOCK : AZURE_WHOLE, s->way, azure_now_ms());
	buf_clear(&s->data);
	if (!is_block(s))
		return is_there(s, news_r, b->size);
	b->is_there[s->block] = 1;
	b->there++;
	s->bytes = blob_block_size(b, s->block);
	*news_r = BLOB_MOVED;
	if (b->has_changed || b->is_gone)
		return give_up_version(s, news_r, e);
	if (b->there == b->blocks)
		return blob_send_commit(s, e);
	idle(s);
	return true;
}

static bool got(struct blob_slot *s, enum blob_news *news_r, struct err *e)
{
	int64_t size = blob_block_size(s->blob, s->block);

	if (s->call.status == 404)
		s->blob->is_gone = true;
	else if (s->call.status == 412 || s->call.status == 416)
		s->blob->has_changed = true;
	else if (s->call.status != 200 && s->call.status != 206)
		return bad_answer(s, "reading a blob", e);
	if (s->blob->is_gone || s->blob->has_changed)
		return give_up_version(s, news_r, e);
	if ((int64_t)s->call.body.len != size)
		return err_set(e, ERR_TRANSIENT, 0, "blobs", "a blob in %.60s came with another length than it has", s->folder);
	buf_done(&s->data);
	s->data = s->call.body; /* taken over: the next answer gets memory of its own */
	buf_init(&s->call.body, 0);
	return blob_send_put(s, e);
}

/* "pending", "failed" and "aborted" come with a 202 as well. */
static bool has_copied(const struct blob_slot *s)
{
	if (s->call.result != CURLE_OK)
		return false;
	return is_block(s) ? s->call.status == 201 : s->call.status == 202 && strcmp(s->call.copied, "success") == 0;
}

/* Does the answer tell something about copying, and not about this moment or this blob? */
static bool tells_of_the_way(const struct azure_call *c)
{
	return !azure_call_is_busy(c) && (c->result != CURLE_OK || (c->status != 404 && c->status != 412));
}

/* The service does not copy this: then we do. The blob's own trouble, if it has any, shows when we read it. */
static bool copied_by_server(struct blob_slot *s, enum blob_news *news_r, struct err *e)
{
	if (has_copied(s))
		return written(s, news_r, e);
	if (is_large_whole(s)) {
		s->a->large_failures += tells_of_the_way(&s->call);
		return blob_send_list_blocks(s, e);
	}
	if (tells_of_the_way(&s->call))
		azure_way_failed(&s->a->ways);
	s->way = AZURE_BY_STREAM;
	return blob_send_get(s, e);
}

static bool looked(struct blob_slot *s, enum blob_news *news_r, struct err *e)
{
	struct blob *b = s->blob;

	if (s->call.status == 404) {
		b->is_gone = true;
		return give_up_version(s, news_r, e);
	}
	if (s->call.status != 200 || !*s->call.etag || s->call.length < 0)
		return bad_answer(s, "looking at a blob", e);
	if (!set_version(b, s->call.etag, s->call.md5, s->call.length))
		return blob_no_memory(e);
	return begin_blob(s, e);
}

struct marking {
	struct blob *blob;
	int64_t bytes;
};

static void mark_block(void *arg, const char *id)
{
	struct marking *m = arg;
	unsigned char text[BLOB_ID_MAX + 1];
	char right[BLOB_ID_MAX];
	size_t len = base64_read(id, strlen(id), text, BLOB_ID_MAX);
	int block;

	text[len] = '\0';
	block = len > 17 ? atoi((const char *)text + 17) : -1;
	if (block < 0 || block >= m->blob->blocks || !blob_block_id(m->blob, block, right) || strcmp(id, right) != 0 ||
	    m->blob->is_there[block])
		return;
	m->blob->is_there[block] = 1;
	m->blob->there++;
	m->bytes += blob_block_size(m->blob, block);
}

static bool listed(struct blob_slot *s, enum blob_news *news_r, struct err *e)
{
	struct marking m = { s->blob, 0 };
	struct arena *mem = arena_new(AZURE_LIST_BYTES_MAX);
	bool ok = mem || blob_no_memory(e);

	if (s->call.status == 200)
		ok = ok && azure_parse_blocks(buf_text(&s->call.body), s->call.body.len, mem, mark_block, &m, e);
	else if (s->call.status != 404)
		ok = ok && bad_answer(s, "listing a blob's blocks", e);
	arena_free(&mem);
	if (!ok)
		return false;
	s->blob->is_known = true;
	s->blob->next = next_missing(s->blob);
	s->bytes = m.bytes;
	*news_r = BLOB_MOVED;
	if (s->blob->there == s->blob->blocks)
		return blob_send_commit(s, e);
	s->blob->slots--; /* taken again at once, for its first block */
	return blob_begin_block(s, s->blob, e);
}

/* Other bytes came than the source's hash is of: they changed on the way, or that hash was never right (of a blob that was
 * put together from blocks it is what its writer said). Read again, the same bytes tell that it is the hash. */
static bool read_again(struct blob_slot *s, struct err *e)
{
	uint64_t sum = fnv64(FNV64_START, s->data.data, s->data.len);
	struct blob *b = s->blob;

	if (b->was_doubted && b->doubted == sum)
		b->md5[0] = '\0';
	else if (++b->changes > CHANGES_MAX)
		return bad_answer(s, "writing a blob", e);
	b->was_doubted = true;
	b->doubted = sum;
	return blob_send_get(s, e);
}

static bool put_ended(struct blob_slot *s, enum blob_news *news_r, struct err *e)
{
	if (!is_block(s) && *s->blob->md5 && s->call.status == 400 && strcmp(s->call.code, "Md5Mismatch") == 0)
		return read_again(s, e);
	return s->call.status == 201 ? written(s, news_r, e) : bad_answer(s, "writing a blob", e);
}

/* The service forgets blocks after a week: then all begins again. */
static bool committed(struct blob_slot *s, enum blob_news *news_r, struct err *e)
{
	if (s->call.status == 201)
		return is_there(s, news_r, 0);
	if (s->call.status != 400 || strcmp(s->call.code, "InvalidBlockList") != 0)
		return bad_answer(s, "putting a blob together", e);
	s->blob->has_changed = true;
	return give_up_version(s, news_r, e);
}

bool blob_ended(struct blob_slot *s, enum blob_news *news_r, struct err *e)
{
	*news_r = BLOB_NOTHING;
	if (s->act == BLOB_FROM_URL)
		return copied_by_server(s, news_r, e);
	if (s->call.result != CURLE_OK)
		return bad_answer(s, s->act == BLOB_GET || s->act == BLOB_LOOK ? "reading a blob" : "writing a blob", e);
	switch (s->act) {
	case BLOB_LOOK:
		return looked(s, news_r, e);
	case BLOB_LIST:
		return listed(s, news_r, e);
	case BLOB_GET:
		return got(s, news_r, e);
	case BLOB_COMMIT:
		return committed(s, news_r, e);
	default:
		return put_ended(s, news_r, e);
	}
}
