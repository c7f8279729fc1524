/* SPDX-License-Identifier: Apache-2.0
 * Stands between the blob store's adapter and Azurite, tells a test of every request, and does to it what the test says. */
#ifndef SANDBOX_TESTS_BLOB_PROXY_H
#define SANDBOX_TESTS_BLOB_PROXY_H

#include <stdbool.h>
#include <stdint.h>

enum blob_fault {
	BLOB_PASS,
	BLOB_BUSY,  /* 503 ServerBusy, Retry-After as set; nothing done */
	BLOB_TOO_MANY, /* 429, likewise */
	BLOB_ERROR, /* 500; nothing done */
	BLOB_RESET, /* the connection is reset; nothing done */
	BLOB_LOST,  /* done, and the connection is reset instead of an answer */
	BLOB_HALF,  /* done, and the answer ends in its middle */
	BLOB_CLOSED, /* an answer that is not allowed: 403 */
	BLOB_ODD,    /* 400: the request makes no sense */
	BLOB_COPIES, /* 202 with x-ms-copy-status as set; nothing done */
	BLOB_STILL_COPIES, /* 409 PendingCopyOperation; nothing done */
	BLOB_FLIPPED, /* done, and one bit of the answer's last byte is another */
};

struct blob_proxy {
	char url[128]; /* of the account, by way of the proxy */
	int port, upstream_port;
	int listener;
	int retry_after_s, delay_ms; /* delay: before each request goes on */
	bool is_retry_date;          /* Retry-After is said as a date */
	const char *copy_status;
	/* Called for each request, one at a time, with its first line and headers; number counts from 1. */
	enum blob_fault (*on_request)(void *arg, const char *head, int number);
	void *arg;
	int64_t came_ms[4096]; /* when each of the first requests came */
	int under_way[4096];   /* and with how many it then was under way, itself among them */
	int now;
	int requests;
};

/* account_url: where the requests go on to. It runs in threads until the process ends. */
bool blob_proxy_start(struct blob_proxy *p, const char *account_url);
int64_t blob_proxy_now_ms(void);

#endif
