/* SPDX-License-Identifier: Apache-2.0
 * Layout: version 1, topic, number of headers (a byte each), then key, value and for each header name (with its NUL)
 * and value, every one with its length in four bytes, lowest first. */
#include "consumer/core/envelope.h"

#include <string.h>

enum { ENVELOPE_VERSION = 1 };

static void put_block(const void *data, size_t len, struct buf *out)
{
	const unsigned char size[4] = { (unsigned char)len, (unsigned char)(len >> 8), (unsigned char)(len >> 16),
		(unsigned char)(len >> 24) };

	buf_add(out, size, sizeof size);
	buf_add(out, data, len);
}

bool envelope_pack(const struct bus_message *m, struct buf *out)
{
	const unsigned char head[3] = { ENVELOPE_VERSION, (unsigned char)m->topic, (unsigned char)m->header_count };

	buf_add(out, head, sizeof head);
	put_block(m->key, m->key_len, out);
	put_block(m->value, m->value_len, out);
	for (size_t i = 0; i < m->header_count; i++) {
		put_block(m->headers[i].name, strlen(m->headers[i].name) + 1, out);
		put_block(m->headers[i].value, m->headers[i].len, out);
	}
	return !out->failed;
}

struct reader {
	const unsigned char *at;
	size_t left;
	bool ok;
};

static const void *take_block(struct reader *r, size_t *len_r)
{
	const unsigned char *data;
	size_t len;

	if (!r->ok || r->left < 4)
		return r->ok = false, NULL;
	len = (size_t)r->at[0] | (size_t)r->at[1] << 8 | (size_t)r->at[2] << 16 | (size_t)r->at[3] << 24;
	if (len > r->left - 4)
		return r->ok = false, NULL;
	data = r->at + 4;
	r->at += 4 + len;
	r->left -= 4 + len;
	*len_r = len;
	return data;
}

bool envelope_unpack(const void *data, size_t len, struct bus_message *m)
{
	struct reader r = { data, len, true };

	*m = (struct bus_message){ 0 };
	if (len < 3 || r.at[0] != ENVELOPE_VERSION || r.at[1] == TOPIC_UNSET || r.at[1] >= TOPIC_END ||
	    r.at[2] > BUS_HEADERS_MAX)
		return false;
	m->topic = (enum topic)r.at[1];
	m->header_count = r.at[2];
	r.at += 3;
	r.left -= 3;
	m->key = take_block(&r, &m->key_len);
	m->value = take_block(&r, &m->value_len);
	for (size_t i = 0; i < m->header_count; i++) {
		size_t name_len = 0;
		const char *name = take_block(&r, &name_len);

		if (!r.ok || name_len == 0 || name[name_len - 1] != '\0')
			return false;
		m->headers[i].name = name;
		m->headers[i].value = take_block(&r, &m->headers[i].len);
	}
	return r.ok && r.left == 0;
}
