/* SPDX-License-Identifier: Apache-2.0
 * Layout: version 2, topic, number of headers (a byte each), then key, value and for each header name and value, as
 * pieces. A piece begins with a number, seven bits a byte, lowest first, whose two lowest bits say what follows:
 *   0 so many bytes;  1 nothing, it is the word of that number;  2 so many bytes are the same as earlier in the
 *   envelope, at the offset that follows as a number.
 * The headers of an event repeat its key, its id and a few words: this halves what is stored for each step. */
#include "consumer/core/envelope.h"

#include <string.h>

enum { ENVELOPE_VERSION = 2, REPEAT_MIN_BYTES = 12, NUMBER_MAX_BYTES = 5 };

enum piece { PIECE_BYTES, PIECE_WORD, PIECE_REPEAT, PIECE_END };

/* Their numbers are stored: only add behind the last. */
static const char *const words[] = {
	"ce_specversion", "ce_type", "ce_source", "ce_id", "ce_subject", "ce_time", "ce_partitionkey", "content-type",
	"ce_traceparent", "traceparent", "1.0", "application/avro", "sandbox.clone.step.completed.v1",
	"sandbox.clone.state.v1", "sandbox.clone.backup-restored.v1",
};

enum { WORDS = sizeof words / sizeof *words };

/* ---- packing ---- */

static void put_number(uint64_t number, struct buf *out)
{
	unsigned char bytes[10];
	size_t n = 0;

	for (; number > 0x7f; number >>= 7)
		bytes[n++] = (unsigned char)(number | 0x80);
	bytes[n++] = (unsigned char)number;
	buf_add(out, bytes, n);
}

static void put_bytes(const void *data, size_t len, struct buf *out)
{
	put_number((uint64_t)len << 2 | PIECE_BYTES, out);
	buf_add(out, data, len);
}

static bool put_word(const char *text, size_t len, struct buf *out)
{
	for (size_t i = 0; i < WORDS; i++)
		if (words[i][0] == *text && strlen(words[i]) == len && memcmp(words[i], text, len) == 0) {
			put_number((uint64_t)i << 2 | PIECE_WORD, out);
			return true;
		}
	return false;
}

struct placed { /* key or value, where it stands in the envelope */
	const char *data;
	size_t len, offset;
};

static bool put_repeat(const char *text, size_t len, const struct placed *earlier, struct buf *out)
{
	const char *found = len <= earlier->len ? memmem(earlier->data, earlier->len, text, len) : NULL;

	if (!found)
		return false;
	put_number((uint64_t)len << 2 | PIECE_REPEAT, out);
	put_number(earlier->offset + (size_t)(found - earlier->data), out);
	return true;
}

static void put_header(const struct bus_header *h, const struct placed *key, const struct placed *value, struct buf *out)
{
	const size_t name_len = strlen(h->name);

	if (name_len == 0 || !put_word(h->name, name_len, out))
		put_bytes(h->name, name_len + 1, out);
	if (h->len && put_word(h->value, h->len, out))
		return;
	if (h->len < REPEAT_MIN_BYTES || (!put_repeat(h->value, h->len, key, out) && !put_repeat(h->value, h->len, value, out)))
		put_bytes(h->value, h->len, out);
}

static struct placed put_placed(const void *data, size_t len, size_t start, struct buf *out)
{
	put_bytes(data, len, out);
	return (struct placed){ data, len, out->len - len - start };
}

bool envelope_pack(const struct bus_message *m, struct buf *out)
{
	const unsigned char head[3] = { ENVELOPE_VERSION, (unsigned char)m->topic, (unsigned char)m->header_count };
	const size_t start = out->len;
	struct placed key, value;

	buf_add(out, head, sizeof head);
	key = put_placed(m->key, m->key_len, start, out);
	value = put_placed(m->value, m->value_len, start, out);
	for (size_t i = 0; i < m->header_count; i++)
		put_header(&m->headers[i], &key, &value, out);
	return !out->failed;
}

/* ---- unpacking ---- */

struct reader {
	const unsigned char *data;
	size_t len, at;
	bool ok;
};

static uint64_t take_number(struct reader *r)
{
	uint64_t number = 0;

	for (int i = 0; r->ok && i < NUMBER_MAX_BYTES && r->at < r->len; i++) {
		unsigned char byte = r->data[r->at++];

		number |= (uint64_t)(byte & 0x7f) << 7 * i;
		if (!(byte & 0x80))
			return number;
	}
	r->ok = false;
	return 0;
}

static const void *take_bytes(struct reader *r, size_t len)
{
	const void *data = r->data + r->at;

	if (!r->ok || len > r->len - r->at)
		return r->ok = false, NULL;
	r->at += len;
	return data;
}

static const void *take_repeat(struct reader *r, size_t len)
{
	const size_t before = r->at;
	uint64_t offset = take_number(r);

	if (!r->ok || offset > before || len > before - offset)
		return r->ok = false, NULL;
	return r->data + offset;
}

static const void *take_piece(struct reader *r, size_t *len_r, enum piece *piece_r)
{
	const uint64_t number = take_number(r);

	*len_r = (size_t)(number >> 2);
	*piece_r = (enum piece)(number & 3);
	switch (*piece_r) {
	case PIECE_BYTES:
		return take_bytes(r, *len_r);
	case PIECE_REPEAT:
		return take_repeat(r, *len_r);
	case PIECE_WORD:
		if (r->ok && number >> 2 < WORDS) {
			const char *word = words[number >> 2];

			*len_r = strlen(word);
			return word;
		}
		break;
	default:
		break;
	}
	return r->ok = false, NULL;
}

/* A name is a text with its NUL. */
static bool take_header(struct reader *r, struct bus_header *h)
{
	enum piece piece;
	size_t len;
	const char *name = take_piece(r, &len, &piece);

	if (!r->ok || piece == PIECE_REPEAT)
		return false;
	if (piece == PIECE_BYTES && (len == 0 || name[len - 1] != '\0'))
		return false;
	h->name = name;
	h->value = take_piece(r, &h->len, &piece);
	return r->ok;
}

bool envelope_unpack(const void *data, size_t len, struct bus_message *m)
{
	struct reader r = { data, len, 3, true };
	enum piece piece;

	*m = (struct bus_message){ 0 };
	if (len < 3 || r.data[0] != ENVELOPE_VERSION || r.data[1] == TOPIC_UNSET || r.data[1] >= TOPIC_END ||
	    r.data[2] > BUS_HEADERS_MAX)
		return false;
	m->topic = (enum topic)r.data[1];
	m->header_count = r.data[2];
	m->key = take_piece(&r, &m->key_len, &piece);
	m->value = take_piece(&r, &m->value_len, &piece);
	for (size_t i = 0; r.ok && i < m->header_count; i++)
		if (!take_header(&r, &m->headers[i]))
			return false;
	return r.ok && r.at == len;
}
