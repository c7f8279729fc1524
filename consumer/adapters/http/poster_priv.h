/* SPDX-License-Identifier: Apache-2.0
 * What the two files of the poster share: poster_curl.c keeps many transfers going, poster_transfer.c knows one. */
#ifndef SANDBOX_HTTP_POSTER_PRIV_H
#define SANDBOX_HTTP_POSTER_PRIV_H

#include "consumer/adapters/http/poster_curl.h"
#include "consumer/adapters/http/poster_lookup.h"
#include "consumer/notifier/target_url.h"

#include <curl/curl.h>
#include <time.h>

enum { RETRY_AFTER_TEXT_MAX = 63 };

/* What holds for every transfer. */
struct poster_bounds {
	struct address_rules rules;
	bool allow_http, has_proxy;
	struct target_url proxy;
	char *ca_file; /* NULL: as libcurl finds them */
	int64_t connect_timeout_ms, total_timeout_ms;
	size_t max_answer_bytes;
};

struct transfer {
	struct lookup_waiter waiter; /* first: what waits for the name is the transfer */
	struct transfer *next, *prev;
	struct transfer_list *list; /* the one it is in */
	const struct poster_bounds *bounds;

	struct target_url url;
	char *body;
	size_t body_len;
	struct curl_slist *headers, *resolved;
	struct net_address addresses[LOOKUP_ADDRESSES_MAX]; /* the only ones it may connect to */
	size_t address_count;
	CURL *easy; /* NULL until it starts */

	int64_t began_ms;
	size_t head_bytes, body_bytes;
	bool is_too_large, is_blocked, is_connected;
	char retry_after[RETRY_AFTER_TEXT_MAX + 1];
	struct post_result result;
};

struct transfer_list {
	struct transfer *first, *last;
	size_t count;
};

int64_t poster_now_ms(void);

/* A copy of the post; NULL and *e for what cannot be a post (MISUSE) or without memory. */
struct transfer *transfer_new(const struct poster_bounds *bounds, const struct post *post, struct err *e);
/* The caller has taken its easy handle out of the multi handle. */
void transfer_free(struct transfer *t);

/* The host to connect to: the URL's, or the proxy's. */
const struct target_url *transfer_hop(const struct transfer *t);
/* Keeps the addresses that may be reached. False when there is none: then the result is filled. */
bool transfer_take_addresses(struct transfer *t, const struct net_address *addresses, size_t count);
/* Makes the easy handle, ready to go. False when the result is filled instead. */
bool transfer_prepare(struct transfer *t);
/* What libcurl says at its end becomes the result. */
void transfer_judge(struct transfer *t, CURLcode code);
/* Fills the result without any transfer. */
void transfer_end(struct transfer *t, enum post_end end, const char *text);

/* Milliseconds to wait as a Retry-After header says (seconds, or a date of HTTP); 0 for anything else; 7 days at most. */
int64_t poster_retry_after_ms(const char *text, time_t now);

#endif
