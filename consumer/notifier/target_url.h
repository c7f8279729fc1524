/* SPDX-License-Identifier: Apache-2.0
 * URLs that strangers gave us, taken apart strictly and put together again in one spelling, so that no two readers of
 * a URL can differ about the host it names. Pure. */
#ifndef SANDBOX_NOTIFIER_TARGET_URL_H
#define SANDBOX_NOTIFIER_TARGET_URL_H

#include "consumer/notifier/address_rules.h"

enum { TARGET_HOST_MAX = 253, TARGET_URL_MAX = 2048 };

struct target_url {
	bool is_https;
	bool is_address; /* the host is an address, not a name */
	struct net_address address;
	int port;
	char host[TARGET_HOST_MAX + 1]; /* lower case, no brackets, no closing dot */
	char text[TARGET_URL_MAX + 64]; /* the whole URL in our spelling, without the fragment */
};

/* NULL and *url_r filled, or a sentence that says what is wrong, without any part of the URL. Accepted are https (and
 * http with allow_http), a host of letters, digits, "-", "_" and dots, or an address in its usual spelling, a port of
 * 1..65535, and printable ASCII. A host that ends in a number must be four decimal numbers: "127.1", "0x7f000001",
 * "0177.0.0.1" and "2130706433" are no hosts. No user, no password, no zone. A fragment is dropped. */
const char *target_url_read(struct target_url *url_r, const char *text, bool allow_http);

#endif
