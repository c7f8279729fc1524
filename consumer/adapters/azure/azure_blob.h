/* SPDX-License-Identifier: Apache-2.0
 * One blob on its way, and the slots that carry it. */
#ifndef SANDBOX_AZURE_AZURE_BLOB_H
#define SANDBOX_AZURE_AZURE_BLOB_H

#include "consumer/adapters/azure/azure_priv.h"

enum { BLOB_BLOCKS_MAX = 50000, BLOB_ID_MAX = 40 };

struct blob {
	bool is_open;
	char path[FILES_PATH_MAX];
	char etag[AZURE_ETAG_MAX]; /* the version that is copied */
	char md5[AZURE_MD5_MAX];
	int64_t size;
	bool is_block_blob;
	struct buf meta, content; /* header lines */
	int64_t block_bytes;
	int blocks, next, there;    /* of a large one; 0 blocks: written as a whole */
	unsigned char *is_there;    /* a flag for each block */
	int slots;                  /* that work on it */
	bool is_known;              /* its uncommitted blocks were looked at */
	bool has_changed, is_gone;  /* in the source, meanwhile: no more work is begun */
	int changes;
	bool was_doubted;           /* the service found another hash than the source keeps, of the bytes with this sum */
	uint64_t doubted;
};

enum blob_act { BLOB_LOOK, BLOB_LIST, BLOB_GET, BLOB_PUT, BLOB_FROM_URL, BLOB_COMMIT };

struct blob_slot {
	struct azure *a;
	const char *source_root, *generation, *folder; /* borrowed */
	struct azure_call call;
	struct buf data; /* what was read and is being written */
	struct blob *blob; /* NULL: idle */
	int block;         /* -1: the whole */
	enum blob_act act;
	enum azure_way way;
	int64_t bytes; /* that the last news were about */
};

enum blob_news { BLOB_NOTHING, BLOB_MOVED, BLOB_IS_THERE, BLOB_VANISHED };

bool blob_slot_init(struct blob_slot *s, struct azure *a, const char *source_root, const char *generation,
                    const char *folder, struct err *e);
/* Ends what it does. NULL-safe inside: one that was never begun may be given. */
void blob_slot_done(struct blob_slot *s);

bool blob_open(struct blob *b, const struct azure_entry *entry, struct err *e);
void blob_close(struct blob *b);
/* Is there a block that nobody works on? */
bool blob_has_block(const struct blob *b);

/* The idle slot takes the first thing that an open blob needs; or its next block. */
bool blob_begin(struct blob_slot *s, struct blob *b, struct err *e);
bool blob_begin_block(struct blob_slot *s, struct blob *b, struct err *e);
/* The slot's call has ended: it goes on with what comes next, or is idle; *news_r is what the page must know. */
bool blob_ended(struct blob_slot *s, enum blob_news *news_r, struct err *e);

/* ---- azure_send.c: the slot's next request; false with *e when it cannot be made ---- */

/* -1: of the whole. */
int64_t blob_block_size(const struct blob *b, int block);
/* Tells the version and the place, so that a block of another version is never taken for this one. */
bool blob_block_id(const struct blob *b, int block, char id_r[BLOB_ID_MAX]);

bool blob_send_get(struct blob_slot *s, struct err *e);
bool blob_send_put(struct blob_slot *s, struct err *e);
bool blob_send_from_url(struct blob_slot *s, struct err *e);
bool blob_send_look(struct blob_slot *s, struct err *e);
bool blob_send_list_blocks(struct blob_slot *s, struct err *e);
bool blob_send_commit(struct blob_slot *s, struct err *e);

/* Always false. */
bool blob_no_memory(struct err *e);

#endif
