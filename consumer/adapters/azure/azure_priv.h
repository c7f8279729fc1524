/* SPDX-License-Identifier: Apache-2.0
 * The parts of the blob store. All of it runs in the caller's thread; what goes on side by side are requests of one
 * curl_multi. */
#ifndef SANDBOX_AZURE_AZURE_PRIV_H
#define SANDBOX_AZURE_AZURE_PRIV_H

#include "consumer/adapters/azure/azure_files.h"
#include "consumer/adapters/azure/azure_way.h"
#include "handlers/base/arena.h"
#include "handlers/base/buf.h"

#include <curl/curl.h>
#include <time.h>

enum {
	AZURE_URL_MAX = 1024,
	AZURE_ETAG_MAX = 80,
	AZURE_MD5_MAX = 32,   /* 16 bytes in base64 */
	AZURE_CODE_MAX = 48,
	AZURE_KEY_MAX = 128,
	AZURE_PARALLEL_MAX = 64,
	AZURE_LIST_BYTES_MAX = 32 * 1024 * 1024, /* 1,000 blobs with 8 KiB of metadata each, twice over */
	/* Also the largest blob that is written with one request. A little less than 4 MiB, because a buffer grows in powers
	 * of two. */
	AZURE_BLOCK_BYTES = 4 * 1024 * 1024 - 8192,
};

#define AZURE_TOKEN_NAME ".sandbox-token"
#define AZURE_MARK       "sandbox_source" /* metadata of our copies: the ETag of what was copied */

struct azure_place {
	char url[AZURE_URL_MAX]; /* without a slash at its end */
	const char *path;        /* inside url, from the first slash behind the host on */
	char account[64];
	unsigned char key[AZURE_KEY_MAX];
	size_t key_len;  /* 0: no shared key */
	struct buf sas;  /* "" none */
	struct buf read; /* made with the key: a SAS that only reads, for copying from */
	time_t read_until;
};

struct azure {
	struct files_port port;
	struct azure_place target, source;
	const atomic_bool *stop;
	CURLM *multi;
	struct azure_call *calls; /* all there are */
	int64_t connect_timeout_ms, total_timeout_ms;
	int names_a_page;               /* of a listing; the service has 5,000 at most */
	int parallel, allowed, running; /* the service's patience moves `allowed` between 1 and `parallel` */
	int good;                       /* answers since it was moved */
	int64_t quiet_until_ms;         /* nobody sends before */
	bool is_bytewise;               /* how this service sorts, see azure_order */
	struct azure_ways ways;
	int64_t copied_whole_max; /* the service copies larger ones by blocks only */
	int large_failures;       /* of large ones as a whole, in a row */
	struct azure_pair *pair;        /* the listings of the copy under way, NULL between copies */
};

/* ---- azure_sign.c ---- */

struct azure_param {
	const char *name, *value;
};

enum { AZURE_PARAMS_MAX = 7 };

struct azure_request {
	const char *method; /* GET, HEAD, PUT, DELETE */
	struct azure_place *at;
	const char *blob; /* NULL: the container itself */
	struct azure_param params[AZURE_PARAMS_MAX]; /* sorted by name, up to the first without one; empty ones are left out */
	const char *headers;                         /* lines "Name: value\n"; NULL none */
	const char *body;                            /* kept until the call has ended; NULL with GET, HEAD and DELETE */
	size_t body_len;
};

/* Takes over what the container's settings say. REFUSED when they make no sense; secrets never get into *e. */
bool azure_place_init(struct azure_place *p, const struct azure_container *c, struct err *e);
void azure_place_done(struct azure_place *p);
/* Appends "/name", percent-encoded but for its slashes. */
bool azure_add_path(struct buf *out, const char *name);
/* Appends the URL of the request, with a SAS if there is one: it must not be told to anybody. */
bool azure_add_url(struct buf *url, const struct azure_request *r);
/* Appends what x-ms-copy-source may say to let the service read that blob. */
bool azure_add_source(struct buf *out, struct azure_place *p, const char *blob, struct err *e);
/* Appends "Authorization: ..." for the request and its final header lines; nothing when a SAS speaks for us. */
bool azure_add_authorization(struct buf *line, const struct azure_request *r, const char *lines, struct err *e);

/* ---- azure_call.c: requests ---- */

enum azure_call_state { AZURE_IDLE, AZURE_WAITS, AZURE_RUNS, AZURE_ENDED };

struct azure_call {
	struct azure_call *next;
	enum azure_call_state state;
	CURL *easy;
	struct curl_slist *headers;
	const struct azure_place *at;
	const char *method;
	int tries, tries_max; /* the caller may lower the latter after azure_call_start */
	int64_t not_before_ms;
	size_t header_bytes;
	bool is_too_large;
	/* the answer, when ENDED */
	CURLcode result;
	int status;
	int64_t retry_after_ms, length; /* length: Content-Length, -1 when it was not said */
	char etag[AZURE_ETAG_MAX], code[AZURE_CODE_MAX], md5[AZURE_MD5_MAX];
	char copied[16]; /* x-ms-copy-status: only "success" means that the bytes are there */
	struct buf body;
};

int64_t azure_now_ms(void);
/* An idle call that takes answers of so many bytes; azure_call_done ends it, whatever it is doing. */
bool azure_call_init(struct azure *a, struct azure_call *c, size_t body_max, struct err *e);
void azure_call_done(struct azure *a, struct azure_call *c);
bool azure_call_start(struct azure *a, struct azure_call *c, const struct azure_request *r, struct err *e);
/* Moves all calls on, waiting for at most that long when nothing happens. Busy and broken answers are tried again a few
 * times, no sooner than the service asks. False with ABORTED when we must stop. */
bool azure_pump(struct azure *a, int wait_ms, struct err *e);
/* Starts it and pumps until it has ended. */
bool azure_call_run(struct azure *a, struct azure_call *c, const struct azure_request *r, struct err *e);
/* Fills *e with what an ended call's answer means; always false. doing: "listing blobs". */
bool azure_call_failed(const struct azure_call *c, const char *doing, struct err *e);
/* Does the ended call's answer ask for less? */
bool azure_call_is_busy(const struct azure_call *c);

/* ---- azure_xml.c: what the service lists ---- */

struct azure_entry {
	const char *path;    /* below the listing's prefix */
	const char *etag;    /* without quotes */
	const char *md5;     /* base64, "" when unknown */
	const char *mark;    /* AZURE_MARK, "" none */
	const char *meta;    /* header lines that give a copy the same metadata */
	const char *content; /* header lines that give a copy the same content type and so on */
	int64_t size;
	bool is_block_blob;
};

struct azure_listing {
	struct azure_entry *entries;
	size_t count;
	const char *marker; /* "" at the end */
};

/* All of it lives in mem. TRANSIENT when it is no sound listing below that prefix. */
bool azure_parse_list(const char *xml, size_t len, const char *prefix, struct arena *mem, struct azure_listing *list_r,
                      struct err *e);
/* Calls fn with the name of each block that was put and not committed. */
bool azure_parse_blocks(const char *xml, size_t len, struct arena *mem, void (*fn)(void *arg, const char *id), void *arg,
                        struct err *e);

/* ---- azure_list.c ---- */

struct azure_cursor {
	struct azure *a;
	struct azure_place *at;
	char prefix[2 * FILES_PATH_MAX]; /* ends with '/' */
	struct azure_call call;
	struct arena *mem;
	struct azure_listing page;
	size_t at_entry;
	struct buf marker, last; /* where the next page begins; the last path seen */
	struct buf behind;       /* listed anew: paths up to this one were seen before; "" none */
	int times_anew;          /* since it last came to a new name */
	bool is_last;            /* there is no page behind this one */
};

/* Below <root>/<folder>/, or below <root>/ with NULL. */
bool azure_cursor_open(struct azure_cursor *c, struct azure *a, struct azure_place *at, const char *root,
                       const char *folder, struct err *e);
void azure_cursor_close(struct azure_cursor *c);
/* The entry at the cursor, valid until the next azure_cursor_step or peek behind it; NULL at the end. */
bool azure_cursor_peek(struct azure_cursor *c, const struct azure_entry **entry_r, struct err *e);
void azure_cursor_step(struct azure_cursor *c);

/* Two listings side by side: what is to be copied and what is already there. */
struct azure_pair {
	struct azure_cursor source, target;
	char source_root[256], generation[256], folder[FILES_PATH_MAX];
	char after[FILES_PATH_MAX]; /* what the progress said when it was last used */
};

/* The order of this service: UTF-16 or bytes, which differ for rare characters only. */
int azure_order(const struct azure *a, const char *x, const char *y);
/* The next source entry and its counterpart (NULL: none); both are passed. *source_r is NULL at the end. */
bool azure_pair_next(struct azure_pair *p, const struct azure_entry **source_r, const struct azure_entry **target_r,
                     struct err *e);
/* Opens both from their beginning. */
struct azure_pair *azure_pair_open(struct azure *a, const struct fence *f, const struct files_choice *choice,
                                   struct err *e);
void azure_pair_close(struct azure_pair **p);
/* No name of the listing may lead out of its prefix, whatever a server between makes of it. */
bool azure_path_is_safe(const char *path);

/* ---- azure_copy.c ---- */

/* Copies the page behind the progress and moves it on; leaves it as it was on failure. */
bool azure_copy_page(struct azure *a, const struct fence *f, const struct files_choice *choice,
                     struct files_progress *progress, struct err *e);

/* ---- azure_token.c: the same as files_token.c, with conditional writes ---- */

bool azure_token_check(struct azure *a, const char *root, const struct fence *f, struct err *e);
bool azure_token_raise(struct azure *a, const struct fence *f, struct err *e);

/* ---- azure_remove.c ---- */

bool azure_remove(struct azure *a, const struct fence *f, const char *root, struct err *e);

#endif
