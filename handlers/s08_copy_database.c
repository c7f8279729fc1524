/* SPDX-License-Identifier: Apache-2.0
 * s08: the generation holds the source's schema and every row of it, equal by count and checksum per table, with the
 * addresses already masked when the request wants that: no real address lands at all.
 *
 * Look: the ledger's cursor of this step says how far the copy is; the port's first page says whether it is finished.
 * Act:  copy one page after the other; each page and its cursor are one transaction.
 * Safe to repeat because a page is copied from where the ledger stands, never from memory. */
#include "handlers/mask_filter.h"
#include "handlers/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PAGES_A_CALL = 64 }; /* then other clones get a turn */

static bool restore(struct step_ctx *c, struct sql_pages *pages)
{
	struct sql_ledger ledger;

	if (!c->ports->sql->ledger(c->ports->sql, &c->fence, &ledger, c->err))
		return false;
	if (ledger.found) {
		memcpy(pages->cursor, ledger.cursor, sizeof pages->cursor);
		pages->rows = ledger.rows;
	}
	return true;
}

static bool copy_pages(struct step_ctx *c, const struct sql_filter *filter, struct sql_pages *pages)
{
	struct sql_port *sql = c->ports->sql;
	int64_t before = pages->rows;

	for (int i = 0; i < PAGES_A_CALL && !pages->finished; i++) {
		if (!step_may_act(c) || !sql->copy_next(sql, &c->fence, filter, pages, c->err))
			return false;
		c->acted |= pages->rows > before;
		step_pages(c, pages);
	}
	return true;
}

struct telling {
	struct step_ctx *c;
	int64_t bytes;
};

static bool take_table(void *arg, const struct sql_row *row, struct err *e)
{
	struct telling *telling = arg;
	struct step_table table = { 0 };
	const struct sql_value *v = row->values;

	if (row->count < 4 || v[0].kind != SQL_TEXT)
		return err_set(e, ERR_BUG, 0, "copy_database", "the copy's own account of its tables cannot be read");
	snprintf(table.name, sizeof table.name, "%s", v[0].text);
	table.rows = v[1].number;
	table.bytes = v[2].number;
	table.masked = v[3].number;
	telling->bytes += table.bytes;
	step_table_add(telling->c, &table);
	return true;
}

/* From what the copy remembers in the generation, so that nothing is missing whoever copied it. */
static bool tell_tables(struct step_ctx *c, const struct sql_pages *pages)
{
	const struct sql_args none = { 0 };
	struct telling telling = { .c = c };

	if (!c->ports->sql->rows(c->ports->sql, SQL_TARGET, "s08_tables", &none, take_table, &telling, c->err))
		return false;
	c->rows = pages->rows;
	c->bytes = pages->bytes ? pages->bytes : telling.bytes; /* a server that copies by itself counts none */
	return true;
}

enum step_outcome s08_copy_database(struct step_ctx *c)
{
	struct sql_pages pages = { 0 };
	struct mask_filter mask = { 0 };
	bool ok = restore(c, &pages) && (!c->job->mask_enabled || mask_filter_init(&mask, c)) &&
		  copy_pages(c, c->job->mask_enabled ? &mask.filter : NULL, &pages);

	mask_filter_done(&mask, c->err);
	if (!ok)
		return step_failed(c);
	if (!pages.finished)
		return step_again(c);
	if (!tell_tables(c, &pages))
		return step_failed(c);
	if (pages.left_behind[0])
		step_detail(c, "DELETE %s from sql.folder, it holds every address; %" PRId64 " rows in %" PRId64 " tables",
			    pages.left_behind, pages.rows, pages.tables_done);
	else
		step_detail(c, "%" PRId64 " rows in %" PRId64 " tables, %" PRId64 " texts masked on the way", pages.rows,
			    pages.tables_done, pages.cells_changed);
	return step_so(c);
}
