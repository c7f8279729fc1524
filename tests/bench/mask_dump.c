/* SPDX-License-Identifier: Apache-2.0
 * The filter of a script that many would write: pg_dump SOURCE | mask_dump | psql TARGET. The rows of each COPY go through
 * our masking rules, everything else stays as it is. */
#include "handlers/masking/masking.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

enum { COLUMNS_MAX = 64, CELL_MAX = 64 << 20 };

struct table { /* of the COPY under way */
	char name[64], columns[COLUMNS_MAX][64];
	size_t count;
	bool is_open;
};

/* COPY public.person (person_id, firstname) FROM stdin; */
static void begin_table(struct table *t, char *line)
{
	char *open = strchr(line, '('), *save = NULL;

	*t = (struct table){ 0 };
	if (strncmp(line, "COPY ", 5) != 0 || !open || !strstr(line, ") FROM stdin;"))
		return;
	t->is_open = sscanf(line, "COPY %*[^.].%63[^ ]", t->name) == 1;
	*strchr(open, ')') = '\0';
	for (char *c = strtok_r(open + 1, ", ", &save); c && t->count < COLUMNS_MAX; c = strtok_r(NULL, ", ", &save))
		snprintf(t->columns[t->count++], sizeof t->columns[0], "%s", c);
}

static void unescape(struct buf *out, const char *p, size_t len)
{
	static const char plain[256] = { ['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t', ['v'] = '\v' };

	buf_clear(out);
	for (const char *end = p + len; p < end; p++) {
		if (*p == '\\' && p + 1 < end) {
			p++;
			buf_add(out, plain[(unsigned char)*p] ? &plain[(unsigned char)*p] : p, 1);
		} else {
			buf_add(out, p, 1);
		}
	}
}

static void put_escaped(const char *p, size_t len)
{
	static const char letter[256] = { ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r',
					  ['\t'] = 't', ['\v'] = 'v', ['\\'] = '\\' };

	for (size_t i = 0; i < len; i++) {
		if (letter[(unsigned char)p[i]]) {
			putchar_unlocked('\\');
			putchar_unlocked(letter[(unsigned char)p[i]]);
		} else {
			putchar_unlocked(p[i]);
		}
	}
}

struct masking {
	struct mask_policy *policy;
	struct mask_counts counts;
	struct buf plain, changed;
};

static void put_cell(struct masking *m, const struct table *t, size_t column, const char *p, size_t len)
{
	if (column < t->count && memchr(p, '@', len)) {
		unescape(&m->plain, p, len);
		buf_clear(&m->changed);
		if (mask_cell(m->policy, t->name, t->columns[column], 0, buf_text(&m->plain), m->plain.len, &m->changed,
			      &m->counts) != MASK_SAME) {
			put_escaped(buf_text(&m->changed), m->changed.len);
			return;
		}
	}
	fwrite(p, 1, len, stdout);
}

static void put_row(struct masking *m, const struct table *t, const char *p, size_t len)
{
	const char *end = p + len;

	for (size_t i = 0;; i++) {
		const char *tab = memchr(p, '\t', (size_t)(end - p)), *stop = tab ? tab : end;

		put_cell(m, t, i, p, (size_t)(stop - p));
		if (!tab)
			return;
		putchar_unlocked('\t');
		p = tab + 1;
	}
}

int main(void)
{
	struct err e = { 0 };
	struct masking m = { .policy = mask_policy_new(&(struct mask_choices){ .domain = "mailinator.com" }, &e) };
	struct table t = { .is_open = false };
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	if (!m.policy)
		return 1;
	buf_init(&m.plain, CELL_MAX);
	buf_init(&m.changed, CELL_MAX);
	while ((len = getline(&line, &size, stdin)) > 0) {
		bool is_row = t.is_open && strcmp(line, "\\.\n") != 0;

		if (is_row) {
			put_row(&m, &t, line, (size_t)len - 1);
			putchar_unlocked('\n');
			continue;
		}
		fwrite(line, 1, (size_t)len, stdout);
		begin_table(&t, line);
	}
	free(line);
	buf_done(&m.plain);
	buf_done(&m.changed);
	mask_policy_free(&m.policy);
	return fflush(stdout) != 0;
}
