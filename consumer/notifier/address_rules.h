/* SPDX-License-Identifier: Apache-2.0
 * Which addresses a post may be sent to, when strangers chose the name. Pure: bytes in, the reason out. What may be
 * reached is what is left when everything special is taken away (RFC 6890 and the IANA special-purpose registries of
 * IPv4 and IPv6); of IPv6 only 2000::/3, the only block that was ever given out, is looked at at all. */
#ifndef SANDBOX_NOTIFIER_ADDRESS_RULES_H
#define SANDBOX_NOTIFIER_ADDRESS_RULES_H

#include "handlers/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ADDRESS_NETS_MAX = 64, ADDRESS_NETS_TEXT_MAX = 4096 };

struct net_address {
	bool is_v6;
	uint8_t bytes[16]; /* in the order of the network; the first 4 of IPv4 */
};

struct address_net {
	struct net_address first;
	uint8_t bits; /* of the prefix */
};

struct address_nets {
	struct address_net nets[ADDRESS_NETS_MAX];
	size_t count;
};

/* Built once from the settings; a zeroed one allows what is public and nothing else. */
struct address_rules {
	struct address_nets allowed; /* in spite of being special: tests, on-premises */
	struct address_nets denied;  /* though public; stronger than `allowed` */
};

/* Reads "10.1.0.0/16, fd12:3456::/32" (commas or white space between; "" is none). An address alone is a net of one.
 * REFUSED, naming `setting` and the word: what is no address, bits beyond the prefix, a net wider than /8 (IPv4) or /7
 * (IPv6), more than ADDRESS_NETS_MAX of them, a text beyond ADDRESS_NETS_TEXT_MAX. */
bool address_nets_read(struct address_nets *nets_r, const char *text, const char *setting, struct err *e);

/* NULL: it may be reached. Otherwise why not, as words to put behind "address of": "the loopback network". "this
 * host" (0.0.0.0, ::), multicast and broadcast are never allowed. An IPv6 address with an IPv4 address inside needs
 * both: itself allowed, and what is inside allowed or public. */
const char *address_forbidden(const struct address_rules *rules, const struct net_address *address);

/* Reads "192.0.2.1" (four decimal numbers, nothing else) or IPv6 without brackets and zone. */
bool net_address_read(struct net_address *address_r, const char *text);

#endif
