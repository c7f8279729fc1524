/* SPDX-License-Identifier: Apache-2.0
 * The text forms: Prometheus 0.0.4 and OpenMetrics 1.0. */
#include "consumer/core/metrics_priv.h"

#include <stdlib.h>
#include <string.h>

const char *metrics_content_type(enum metrics_format format)
{
	return format == METRICS_OPENMETRICS ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
	                                     : "text/plain; version=0.0.4; charset=utf-8";
}

/* ---- Accept ---- */

/* The q of one element in thousandths: ";q=0.75" is 750, none is 1000. */
static int weight(const char *element, size_t len)
{
	const char *q = memmem(element, len, "q=", 2);
	int total = 0, digit = 100;

	if (!q || q[2] == '1')
		return 1000;
	for (q += 2 + (q[2] == '0') + (q[3] == '.'); digit && *q >= '0' && *q <= '9'; q++, digit /= 10)
		total += (*q - '0') * digit;
	return total;
}

static bool begins(const char *element, size_t len, const char *type)
{
	return len >= strlen(type) && memcmp(element, type, strlen(type)) == 0;
}

static bool contains(const char *element, size_t len, const char *part)
{
	return memmem(element, len, part, strlen(part)) != NULL;
}

enum metrics_format metrics_format_for(const char *accept)
{
	int text = 0, open = 0;

	for (const char *at = accept; at && *at;) {
		size_t blanks = strspn(at, ", \t"), len = strcspn(at + blanks, ",");

		at += blanks;
		if (begins(at, len, "application/openmetrics-text") &&
		    (contains(at, len, "version=1.") || !contains(at, len, "version=")))
			open = weight(at, len) > open ? weight(at, len) : open;
		else if (begins(at, len, "text/plain") || begins(at, len, "text/*"))
			text = weight(at, len) > text ? weight(at, len) : text;
		at += len;
	}
	return open > 0 && open >= text ? METRICS_OPENMETRICS : METRICS_PROMETHEUS;
}

/* ---- samples ---- */

static void add_number(struct buf *out, enum metric_unit unit, int64_t value)
{
	if (unit == METRIC_UNIT_ONE)
		buf_printf(out, "%lld", (long long)value);
	else
		buf_printf(out, "%s%lld.%03lld", value < 0 ? "-" : "", llabs(value / 1000), llabs(value % 1000));
}

static void add_label(struct buf *out, enum metric_label_id id, size_t value, const char **separator)
{
	const struct metric_label *label = &metric_labels[id];

	if (id == LABEL_NONE)
		return;
	buf_printf(out, "%s%s=\"", *separator, label->name);
	if (label->values)
		buf_add_text(out, label->values[value]);
	else if (value < label->count - 1)
		buf_printf(out, "%zu", value);
	else
		buf_add_text(out, "other");
	buf_add_text(out, "\"");
	*separator = ",";
}

/* name_suffix{labels,le="..."} */
static void add_name(struct buf *out, const struct metric_row *row, const char *suffix, const size_t values[2],
                     const char *le)
{
	const char *separator = "{";

	buf_printf(out, "%s%s", row->name, suffix);
	for (int i = 0; i < 2; i++)
		add_label(out, row->labels[i], values[i], &separator);
	if (le)
		buf_printf(out, "%sle=\"%s\"", separator, le);
	buf_add_text(out, *separator == ',' || le ? "} " : " ");
}

/* "0.05", "1.0": at least one digit behind the point, as OpenMetrics writes a bound. */
static void add_bound(struct buf *out, int64_t ms)
{
	add_number(out, METRIC_UNIT_MS, ms);
	while (!out->failed && out->data[out->len - 1] == '0' && out->data[out->len - 2] != '.')
		out->data[--out->len] = '\0';
}

static void add_histogram(struct buf *out, const struct metric_row *row, const size_t values[2],
                          const _Atomic int64_t *cells)
{
	int64_t total = 0;

	for (size_t i = 0; i <= METRIC_BOUNDS; i++) {
		struct buf le;

		buf_init(&le, 32);
		if (i < METRIC_BOUNDS)
			add_bound(&le, metric_bounds_ms[i]);
		else
			buf_add_text(&le, "+Inf");
		total += metric_value(&cells[i]);
		add_name(out, row, "_bucket", values, buf_text(&le));
		buf_printf(out, "%lld\n", (long long)total);
		buf_done(&le);
	}
	add_name(out, row, "_sum", values, NULL);
	add_number(out, row->unit, metric_value(&cells[METRIC_CELL_SUM]));
	buf_add_text(out, "\n");
	add_name(out, row, "_count", values, NULL);
	buf_printf(out, "%lld\n", (long long)total); /* of the buckets just written, while others go on counting */
}

static void add_series(struct buf *out, enum metric_id id, const size_t values[2], const _Atomic int64_t *cells)
{
	const struct metric_row *row = &metric_rows[id];

	if (!metric_is_touched(id, cells))
		return;
	if (row->type == METRIC_TYPE_HISTOGRAM) {
		add_histogram(out, row, values, cells);
		return;
	}
	add_name(out, row, "", values, NULL);
	add_number(out, row->unit, metric_value(cells));
	buf_add_text(out, "\n");
}

static void add_head(struct buf *out, const struct metric_row *row, enum metrics_format format)
{
	static const char *const types[] = { "", "counter", "gauge", "histogram" };
	size_t len = strlen(row->name);

	/* OpenMetrics names the family of a counter without the _total of its samples. */
	if (format == METRICS_OPENMETRICS && row->type == METRIC_TYPE_COUNTER)
		len -= sizeof "_total" - 1;
	buf_printf(out, "# HELP %.*s %s\n# TYPE %.*s %s\n", (int)len, row->name, row->help, (int)len, row->name,
	           types[row->type]);
}

bool metrics_write(const struct metrics *m, enum metrics_format format, struct buf *out)
{
	for (size_t id = 0; id < METRIC_END; id++) {
		const struct metric_row *row = &metric_rows[id];
		size_t values[2];

		add_head(out, row, format);
		for (values[0] = 0; values[0] < metric_labels[row->labels[0]].count; values[0]++) {
			for (values[1] = 0; values[1] < metric_labels[row->labels[1]].count; values[1]++)
				add_series(out, (enum metric_id)id, values,
				           metric_cells(m, (enum metric_id)id, values[0], values[1]));
		}
	}
	if (format == METRICS_OPENMETRICS)
		buf_add_text(out, "# EOF\n");
	return !out->failed;
}
