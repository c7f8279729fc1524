/* SPDX-License-Identifier: Apache-2.0
 * Masking under libFuzzer. The first byte chooses the column and whether names are hidden, the second the width; the rest
 * is the cell. Holds for every input: the proof finds nothing after masking, a second masking changes nothing, and no cell outgrows its column. */
#include "tests/unit/mask_hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const columns[][2] = {
	{ "Email", "email_address" }, { "text", "text" },        { "ticket", "from_address" },    { "nobody", "knows" },
	{ "contact", "name" },        { "form", "config" },      { "ej_message", "email_header" }, { "BinaryObject", "binaryData" },
	{ "ej_message", "message_id" }, { "Email", "lastBounceReason" },
};

static const struct mask_policy *policy_once(bool hides)
{
	static const char *const keep[] = { "t@k.no", "o'neil@b.no" };
	static struct mask_policy *policies[2];
	const struct mask_choices choices = { .domain = "d.example", .keep = keep, .keep_count = 2,
	                                      .hash = hides ? mask_test_hash : NULL };
	struct err e = { .class = ERR_NONE };

	if (!policies[hides])
		policies[hides] = mask_policy_new(&choices, &e);
	if (!policies[hides])
		abort();
	return policies[hides];
}

static size_t count_chars(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)text[i] & 0xC0) != 0x80;
	return n;
}

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct mask_policy *policy;
	struct mask_counts counts = { .addresses = 0 };
	struct scan_counts scan = { .cells = 0 };
	const char *const *column, *text = (const char *)data + 2;
	enum mask_result result;
	size_t width, len;
	struct buf out, again;

	if (size < 2)
		return 0;
	policy = policy_once(data[0] >= 128);
	column = columns[data[0] % 128 % (sizeof columns / sizeof *columns)];
	width = data[1];
	len = size - 2;
	buf_init(&out, 1 << 22);
	buf_init(&again, 1 << 22);
	result = mask_cell(policy, column[0], column[1], width, text, len, &out, &counts);
	must(!out.failed, "the buffer was large enough");
	if (result != MASK_SAME) {
		must(result == MASK_CHANGED || out.len == 0, "a blank cell is empty");
		must(!width || out.len <= len || count_chars(out.data, out.len) <= width, "no wider than the column");
		text = buf_text(&out);
		len = out.len;
	}
	scan_cell(policy, column[0], column[1], text, len, &scan);
	must(scan.left == 0, "the proof finds nothing");
	must(mask_cell(policy, column[0], column[1], width, text, len, &again, &counts) == MASK_SAME, "a second masking");
	buf_done(&out);
	buf_done(&again);
	return 0;
}
