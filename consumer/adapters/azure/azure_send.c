/* SPDX-License-Identifier: Apache-2.0
 * The requests of one slot, each with the version of the source that it is about. */
#include "consumer/adapters/azure/azure_blob.h"

#include "consumer/adapters/openssl/base64.h"
#include "consumer/core/fnv.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LINES_MAX_BYTES = 24 * 1024, SERVER_TRIES = 2, ANSWER_MAX = 4096 };

/* ---- blocks ---- */

static bool is_block(const struct blob_slot *s)
{
	return s->block >= 0;
}

static int64_t block_begin(const struct blob *b, int block)
{
	return block < 0 ? 0 : block * b->block_bytes;
}

int64_t blob_block_size(const struct blob *b, int block)
{
	int64_t left = b->size - block_begin(b, block);

	return block < 0 || left < b->block_bytes ? left : b->block_bytes;
}

/* Tells the version and the place, so that a block of another version is never taken for this one. */
bool blob_block_id(const struct blob *b, int block, char id_r[BLOB_ID_MAX])
{
	uint64_t version = fnv64_number(fnv64(FNV64_START, b->etag, strlen(b->etag)), (uint64_t)b->size);
	char text[32];
	struct buf id;
	int len = snprintf(text, sizeof text, "%016" PRIx64 "-%07d", version, block);
	bool ok;

	buf_init(&id, BLOB_ID_MAX);
	ok = base64_add(&id, text, (size_t)len);
	snprintf(id_r, BLOB_ID_MAX, "%s", buf_text(&id));
	buf_done(&id);
	return ok;
}

static struct azure_place *source_of(const struct blob_slot *s)
{
	return s->a->source.path ? &s->a->source : &s->a->target;
}

static void name_of(const struct blob_slot *s, const char *root, char name_r[3 * FILES_PATH_MAX])
{
	snprintf(name_r, (size_t)3 * FILES_PATH_MAX, "%s/%s/%s", root, s->folder, s->blob->path);
}

/* Sends the request of this act. body_max bounds its answer. */
static bool send_act(struct blob_slot *s, enum blob_act act, struct azure_request *r, const struct buf *lines,
                     size_t body_max, struct err *e)
{
	char name[3 * FILES_PATH_MAX];
	bool reads = act == BLOB_LOOK || act == BLOB_GET;

	name_of(s, reads ? s->source_root : s->generation, name);
	r->at = reads ? source_of(s) : &s->a->target;
	r->blob = name;
	r->headers = buf_text(lines);
	s->act = act;
	s->call.body.max = body_max;
	if (lines->failed)
		return err_set(e, ERR_REFUSED, 0, "blobs", "a blob of %.60s has too much metadata", s->folder);
	if (!azure_call_start(s->a, &s->call, r, e))
		return false;
	if (act == BLOB_FROM_URL)
		s->call.tries_max = is_block(s) || s->blob->blocks == 0 ? SERVER_TRIES : 1;
	return true;
}

/* ---- requests ---- */

bool blob_send_get(struct blob_slot *s, struct err *e)
{
	int64_t begin = block_begin(s->blob, s->block), size = blob_block_size(s->blob, s->block);
	struct azure_request r = { .method = "GET" };
	struct buf lines;
	bool ok;

	buf_init(&lines, LINES_MAX_BYTES);
	buf_printf(&lines, "If-Match: \"%s\"\n", s->blob->etag);
	if (is_block(s))
		buf_printf(&lines, "x-ms-range: bytes=%" PRId64 "-%" PRId64 "\n", begin, begin + size - 1);
	buf_done(&s->call.body);
	s->call.body = s->data; /* the memory of the block before: a slot holds one block, not two */
	buf_init(&s->data, 0);
	ok = send_act(s, BLOB_GET, &r, &lines, (size_t)size + ANSWER_MAX, e);
	buf_done(&lines);
	return ok;
}

static void add_block_params(const struct blob_slot *s, struct azure_request *r, const char *id)
{
	if (!is_block(s))
		return;
	r->params[0] = (struct azure_param){ "blockid", id };
	r->params[1] = (struct azure_param){ "comp", "block" };
}

static void add_kind(const struct blob_slot *s, struct buf *lines)
{
	buf_printf(lines, "%sx-ms-meta-" AZURE_MARK ": %s\n", buf_text(&s->blob->meta), s->blob->etag);
}

bool blob_send_put(struct blob_slot *s, struct err *e)
{
	struct azure_request r = { .method = "PUT", .body = buf_text(&s->data), .body_len = s->data.len };
	char id[BLOB_ID_MAX] = "";
	struct buf lines;
	bool ok;

	buf_init(&lines, LINES_MAX_BYTES);
	if (is_block(s) && !blob_block_id(s->blob, s->block, id))
		return blob_no_memory(e);
	add_block_params(s, &r, id);
	if (!is_block(s)) {
		buf_printf(&lines, "x-ms-blob-type: BlockBlob\n%s", buf_text(&s->blob->content));
		if (*s->blob->md5) /* the service refuses other bytes than those */
			buf_printf(&lines, "Content-MD5: %s\n", s->blob->md5);
		add_kind(s, &lines);
	}
	ok = send_act(s, BLOB_PUT, &r, &lines, ANSWER_MAX, e);
	buf_done(&lines);
	return ok;
}

bool blob_send_from_url(struct blob_slot *s, struct err *e)
{
	int64_t begin = block_begin(s->blob, s->block), size = blob_block_size(s->blob, s->block);
	struct azure_request r = { .method = "PUT" };
	char name[3 * FILES_PATH_MAX], id[BLOB_ID_MAX] = "";
	struct buf lines;
	bool ok;

	buf_init(&lines, LINES_MAX_BYTES);
	name_of(s, s->source_root, name);
	ok = (!is_block(s) || blob_block_id(s->blob, s->block, id) || blob_no_memory(e)) &&
	     buf_add_text(&lines, "x-ms-copy-source: ") && azure_add_source(&lines, source_of(s), name, e);
	add_block_params(s, &r, id);
	buf_printf(&lines, "\nx-ms-source-if-match: \"%s\"\n", s->blob->etag);
	if (is_block(s)) {
		buf_printf(&lines, "x-ms-source-range: bytes=%" PRId64 "-%" PRId64 "\n", begin, begin + size - 1);
	} else {
		buf_add_text(&lines, "x-ms-requires-sync: true\n");
		add_kind(s, &lines);
	}
	ok = ok && send_act(s, BLOB_FROM_URL, &r, &lines, ANSWER_MAX, e);
	if (lines.data)
		explicit_bzero(lines.data, lines.size);
	buf_done(&lines);
	return ok;
}

bool blob_send_look(struct blob_slot *s, struct err *e)
{
	struct azure_request r = { .method = "HEAD" };
	struct buf none;

	buf_init(&none, 1);
	return send_act(s, BLOB_LOOK, &r, &none, 0, e);
}

bool blob_send_list_blocks(struct blob_slot *s, struct err *e)
{
	struct azure_request r = { .method = "GET", .params = { { "blocklisttype", "uncommitted" }, { "comp", "blocklist" } } };
	struct buf none;

	buf_init(&none, 1);
	return send_act(s, BLOB_LIST, &r, &none, AZURE_LIST_BYTES_MAX, e);
}

bool blob_send_commit(struct blob_slot *s, struct err *e)
{
	struct azure_request r = { .method = "PUT", .params = { { "comp", "blocklist" } } };
	struct buf lines;
	char id[BLOB_ID_MAX];
	bool ok;

	buf_init(&lines, LINES_MAX_BYTES);
	buf_done(&s->data);
	buf_init(&s->data, (size_t)BLOB_BLOCKS_MAX * (BLOB_ID_MAX + 40));
	ok = buf_add_text(&s->data, "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>");
	for (int i = 0; ok && i < s->blob->blocks; i++)
		ok = blob_block_id(s->blob, i, id) && buf_printf(&s->data, "<Latest>%s</Latest>", id);
	if (!ok || !buf_add_text(&s->data, "</BlockList>"))
		return blob_no_memory(e);
	r.body = buf_text(&s->data);
	r.body_len = s->data.len;
	buf_add_text(&lines, buf_text(&s->blob->content));
	if (*s->blob->md5)
		buf_printf(&lines, "x-ms-blob-content-md5: %s\n", s->blob->md5);
	add_kind(s, &lines);
	ok = send_act(s, BLOB_COMMIT, &r, &lines, ANSWER_MAX, e);
	buf_done(&lines);
	return ok;
}
