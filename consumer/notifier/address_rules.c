/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/notifier/address_rules.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum { V4_BITS = 32, V6_BITS = 128, WIDEST_V4 = 8, WIDEST_V6 = 7, WORD_MAX = 63 };

/* ---- what is special ---- */

struct special {
	const char *net;
	uint8_t bits;
	bool never;   /* whatever the settings allow */
	const char *why;
};

/* The IANA IPv4 special-purpose registry, multicast, and the addresses at which clouds serve their own machines. Some
 * of these nets are reachable from anywhere (AS112, AMT); no partner's server is in them. The first match tells why. */
static const struct special special_v4[] = {
	{ "0.0.0.0", 8, true, "\"this network\"" },
	{ "10.0.0.0", 8, false, "a private network" },
	{ "100.64.0.0", 10, false, "a network shared behind a carrier's NAT" },
	{ "127.0.0.0", 8, false, "the loopback network" },
	{ "168.63.129.16", 32, false, "a cloud's services for its own machines" },
	{ "169.254.0.0", 16, false, "the link-local network" },
	{ "172.16.0.0", 12, false, "a private network" },
	{ "192.0.0.0", 24, false, "a network for protocols" },
	{ "192.0.2.0", 24, false, "a network for documentation" },
	{ "192.31.196.0", 24, false, "a network for protocols" },
	{ "192.52.193.0", 24, false, "a network for protocols" },
	{ "192.88.99.0", 24, false, "the 6to4 relay network" },
	{ "192.168.0.0", 16, false, "a private network" },
	{ "192.175.48.0", 24, false, "a network for protocols" },
	{ "198.18.0.0", 15, false, "a network for benchmarks" },
	{ "198.51.100.0", 24, false, "a network for documentation" },
	{ "203.0.113.0", 24, false, "a network for documentation" },
	{ "224.0.0.0", 4, true, "a multicast network" },
	{ "255.255.255.255", 32, true, "broadcast" },
	{ "240.0.0.0", 4, false, "a reserved network" },
};

/* Those outside 2000::/3 are here only for their reason. */
static const struct special special_v6[] = {
	{ "::", 128, true, "\"this host\"" },
	{ "::1", 128, false, "the loopback network" },
	{ "::", 96, false, "IPv4-compatible addresses" },
	{ "::ffff:0:0", 96, false, "IPv4-mapped addresses" },
	{ "::ffff:0:0:0", 96, false, "IPv4-translated addresses" },
	{ "64:ff9b::", 96, false, "NAT64" },
	{ "64:ff9b:1::", 48, false, "a local NAT64" },
	{ "100::", 64, false, "the discard-only network" },
	{ "2001::", 32, false, "Teredo" },
	{ "2001:2::", 48, false, "a network for benchmarks" },
	{ "2001::", 23, false, "a network for protocols" },
	{ "2001:db8::", 32, false, "a network for documentation" },
	{ "2002::", 16, false, "6to4" },
	{ "2620:4f:8000::", 48, false, "a network for protocols" },
	{ "3ffe::", 16, false, "a network given back" },
	{ "3fff::", 20, false, "a network for documentation" },
	{ "5f00::", 16, false, "segment routing" },
	{ "fc00::", 7, false, "a unique local network" },
	{ "fe80::", 10, false, "the link-local network" },
	{ "fec0::", 10, false, "a site-local network" },
	{ "ff00::", 8, true, "a multicast network" },
};

static const struct address_net global_v6 = { { true, { 0x20 } }, 3 };

/* Where the four bytes of an IPv4 address are in an IPv6 address. */
static const struct inside {
	const char *net;
	uint8_t bits, at;
	bool is_inverted;
} insides[] = {
	{ "::", 96, 12, false },
	{ "::ffff:0:0", 96, 12, false },
	{ "::ffff:0:0:0", 96, 12, false },
	{ "64:ff9b::", 96, 12, false },
	{ "64:ff9b:1::", 48, 12, false },
	{ "2001::", 32, 12, true }, /* Teredo: the client */
	{ "2001::", 32, 4, false }, /* Teredo: the server */
	{ "2002::", 16, 2, false },
};

bool net_address_read(struct net_address *address_r, const char *text)
{
	*address_r = (struct net_address){ .is_v6 = strchr(text, ':') != NULL };
	return inet_pton(address_r->is_v6 ? AF_INET6 : AF_INET, text, address_r->bytes) == 1;
}

static bool begins_with(const struct net_address *a, const struct address_net *net)
{
	const size_t whole = net->bits / 8, rest = net->bits % 8;

	return a->is_v6 == net->first.is_v6 && memcmp(a->bytes, net->first.bytes, whole) == 0 &&
	       (rest == 0 || (a->bytes[whole] ^ net->first.bytes[whole]) >> (8 - rest) == 0);
}

static bool is_in(const struct net_address *a, const char *net_text, uint8_t bits)
{
	struct address_net net = { .bits = bits };

	return net_address_read(&net.first, net_text) && begins_with(a, &net);
}

static bool is_in_one_of(const struct net_address *a, const struct address_nets *nets)
{
	for (size_t i = 0; i < nets->count; i++)
		if (begins_with(a, &nets->nets[i]))
			return true;
	return false;
}

static const struct special *special_of(const struct net_address *a)
{
	static const struct special unassigned = { "", 0, false, "a network that was given to nobody" };
	const struct special *rows = a->is_v6 ? special_v6 : special_v4;
	const size_t count = a->is_v6 ? sizeof special_v6 / sizeof *rows : sizeof special_v4 / sizeof *rows;

	for (size_t i = 0; i < count; i++)
		if (is_in(a, rows[i].net, rows[i].bits))
			return &rows[i];
	return a->is_v6 && !begins_with(a, &global_v6) ? &unassigned : NULL;
}

static struct net_address taken_out(const struct net_address *a, size_t at, bool is_inverted)
{
	struct net_address inner = { .is_v6 = false };

	for (size_t i = 0; i < 4; i++)
		inner.bytes[i] = is_inverted ? (uint8_t)~a->bytes[at + i] : a->bytes[at + i];
	return inner;
}

/* ISATAP may be below any prefix; its mark is in the middle. */
static bool is_isatap(const struct net_address *a)
{
	return (a->bytes[8] & 0xfc) == 0 && a->bytes[9] == 0 && a->bytes[10] == 0x5e && a->bytes[11] == 0xfe;
}

static const char *forbidden_inside(const struct address_rules *rules, const struct net_address *a)
{
	const char *why = NULL;
	struct net_address inner;

	for (size_t i = 0; !why && i < sizeof insides / sizeof *insides; i++)
		if (is_in(a, insides[i].net, insides[i].bits) && !is_in(a, "::1", V6_BITS)) {
			inner = taken_out(a, insides[i].at, insides[i].is_inverted);
			why = address_forbidden(rules, &inner);
		}
	if (!why && is_isatap(a)) {
		inner = taken_out(a, 12, false);
		why = address_forbidden(rules, &inner);
	}
	return why;
}

const char *address_forbidden(const struct address_rules *rules, const struct net_address *address)
{
	const struct special *special = special_of(address);

	if (is_in_one_of(address, &rules->denied))
		return "a network that the settings deny";
	if (special && (special->never || !is_in_one_of(address, &rules->allowed)))
		return special->why;
	return address->is_v6 ? forbidden_inside(rules, address) : NULL;
}

/* ---- nets from the settings ---- */

static bool is_between(char ch)
{
	return ch == ',' || ch == ' ' || ch == '\t' || ch == '\n' || ch == '\r';
}

static bool has_bits_beyond(const struct address_net *net)
{
	const size_t bytes = net->first.is_v6 ? 16 : 4;

	for (size_t bit = net->bits; bit < bytes * 8; bit++)
		if (net->first.bytes[bit / 8] & 0x80 >> bit % 8)
			return true;
	return false;
}

/* Digits only: strtol would take signs and spaces. */
static bool read_bits(const char *text, uint8_t *bits_r)
{
	unsigned value = 0;

	if (!*text || strlen(text) > 3 || (text[0] == '0' && text[1]))
		return false;
	for (; *text >= '0' && *text <= '9'; text++)
		value = value * 10 + (unsigned)(*text - '0');
	*bits_r = (uint8_t)value;
	return !*text && value <= V6_BITS;
}

static const char *read_net(struct address_net *net_r, char *word)
{
	char *slash = strchr(word, '/');
	uint8_t most;

	if (slash)
		*slash = '\0';
	if (!net_address_read(&net_r->first, word))
		return "is no address; write 192.168.1.0/24 or fd12:3456::/32";
	most = net_r->first.is_v6 ? V6_BITS : V4_BITS;
	net_r->bits = most;
	if (slash && (!read_bits(slash + 1, &net_r->bits) || net_r->bits > most))
		return "has no length of its prefix after the slash";
	if (net_r->bits < (net_r->first.is_v6 ? WIDEST_V6 : WIDEST_V4))
		return "is too wide: at least /8, IPv6 /7";
	return has_bits_beyond(net_r) ? "has bits beyond its prefix" : NULL;
}

static bool add_net(struct address_nets *nets, const char *text, size_t len, const char *setting, struct err *e)
{
	char word[WORD_MAX + 1];
	const char *wrong;

	if (len > WORD_MAX)
		return err_set(e, ERR_REFUSED, 0, setting, "a word of more than %d letters is no address", WORD_MAX);
	if (nets->count == ADDRESS_NETS_MAX)
		return err_set(e, ERR_REFUSED, 0, setting, "more than %d networks", ADDRESS_NETS_MAX);
	memcpy(word, text, len);
	word[len] = '\0';
	wrong = read_net(&nets->nets[nets->count], word);
	if (wrong)
		return err_set(e, ERR_REFUSED, 0, setting, "\"%.*s\" %s", (int)len, text, wrong);
	nets->count++;
	return true;
}

bool address_nets_read(struct address_nets *nets_r, const char *text, const char *setting, struct err *e)
{
	size_t len;

	nets_r->count = 0;
	if (strnlen(text, ADDRESS_NETS_TEXT_MAX + 1) > ADDRESS_NETS_TEXT_MAX)
		return err_set(e, ERR_REFUSED, 0, setting, "longer than %d letters", ADDRESS_NETS_TEXT_MAX);
	for (; *text; text += len) {
		while (is_between(*text))
			text++;
		for (len = 0; text[len] && !is_between(text[len]);)
			len++;
		if (len && !add_net(nets_r, text, len, setting, e)) {
			nets_r->count = 0;
			return false;
		}
	}
	return true;
}
