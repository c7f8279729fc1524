/* SPDX-License-Identifier: Apache-2.0 */
#include "handlers/proof.h"
#include "handlers/mask_filter.h"
#include "handlers/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char unmasked[] = "{\"masked\":false}";

/* Sixteen digits that stand for the mask domain and the mode: a proof for others is none. */
static bool policy_of(struct step_ctx *c, char policy_r[17])
{
	char seal[SEAL_TEXT];
	bool ok;

	if (c->job->mask_mode == MASK_HASH)
		ok = ROW_SEAL(c, seal, "mask domain", c->job->mask_domain, "hash");
	else
		ok = ROW_SEAL(c, seal, "mask domain", c->job->mask_domain);
	if (!ok)
		return false;
	snprintf(policy_r, 17, "%.16s", seal);
	return true;
}

enum { SCAN_NAME_MAX = 300 };

struct scan { /* a pass goes from table to table and meets none of them twice */
	const struct mask_policy *policy;
	struct scan_counts *counts;
	struct step_ctx *c;
	bool by_table, until_left;
	char name[SCAN_NAME_MAX]; /* of the table under way; "" none */
	struct step_table table;
};

static void end_table(struct scan *s)
{
	if (s->name[0])
		step_table_add(s->c, &s->table);
	s->name[0] = '\0';
}

static void begin_table(struct scan *s, const char *name)
{
	end_table(s);
	s->table = (struct step_table){ 0 };
	snprintf(s->name, sizeof s->name, "%s", name);
	snprintf(s->table.name, sizeof s->table.name, "%.*s", STEP_TABLE_MAX - 1, name);
}

static enum sql_cell show(void *arg, const char *table, const char *column, size_t width_chars, const char *text,
			  size_t len, struct buf *out)
{
	struct scan *scan = arg;
	int64_t before = scan->counts->addresses;

	(void)width_chars;
	(void)out;
	if (scan->by_table && strncmp(scan->name, table, sizeof scan->name - 1) != 0)
		begin_table(scan, table);
	scan_cell(scan->policy, table, column, text, len, scan->counts);
	scan->table.rows++;
	scan->table.bytes += (int64_t)len;
	scan->table.masked += scan->counts->addresses > before;
	return SQL_CELL_KEEP;
}

static bool scan_all(struct scan *scan)
{
	const struct sql_filter filter = { show, scan };
	struct sql_pages pages = { 0 };
	struct step_ctx *c = scan->c;

	while (!pages.finished && !(scan->until_left && scan->counts->left > 0)) {
		if (!step_may_act(c) || !c->ports->sql->scan_next(c->ports->sql, &filter, &pages, c->err))
			return false;
		step_pages(c, &pages);
	}
	return true;
}

static bool look(struct step_ctx *c, bool by_table, bool until_left, struct scan_counts *counts_r)
{
	struct mask_key key;
	struct mask_policy *policy = mask_policy_of(c, &key);
	struct scan scan = { .policy = policy, .counts = counts_r, .c = c, .by_table = by_table, .until_left = until_left };
	bool ok;

	*counts_r = (struct scan_counts){ 0 };
	if (!policy)
		return false;
	ok = scan_all(&scan);
	if (by_table)
		end_table(&scan);
	mask_policy_free(&policy);
	return ok;
}

bool proof_try(struct step_ctx *c, struct scan_counts *counts_r)
{
	bool ok = look(c, true, true, counts_r);

	if (!ok || counts_r->left > 0)
		*c->tables = (struct step_tables){ 0 };
	return ok;
}

bool proof_scan(struct step_ctx *c, bool by_table, struct scan_counts *counts_r)
{
	bool ok = look(c, by_table, false, counts_r);

	if (ok && counts_r->left > 0)
		ok = err_set(c->err, ERR_REFUSED, 0, c->fence.step,
			     "%" PRId64 " addresses outside the mask domain are left, the first in %s.%s",
			     counts_r->left, counts_r->first_table, counts_r->first_column);
	return ok;
}

bool proof_put(struct step_ctx *c, const struct scan_counts *counts)
{
	time_t now = (time_t)(c->ports->clock->utc_ms(c->ports->clock) / 1000);
	char at[32], policy[17], json[sizeof((struct sql_stamp *)NULL)->proof];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%SZ", &tm);
	snprintf(json, sizeof json, "%s", unmasked);
	if (counts && !policy_of(c, policy))
		return false;
	if (counts)
		snprintf(json, sizeof json,
			 "{\"masked\":true,%s\"policy\":\"%s\",\"cells\":%" PRId64 ",\"addresses\":%" PRId64
			 ",\"left\":%" PRId64 "}",
			 c->job->mask_mode == MASK_HASH ? "\"mode\":\"hash\"," : "", policy, counts->cells,
			 counts->addresses, counts->left);
	return step_may_act(c) && c->ports->sql->put_proof(c->ports->sql, &c->fence, at, json, c->err);
}

bool proof_has(struct step_ctx *c, bool *has_r)
{
	struct sql_stamp stamp;
	char policy[17];

	*has_r = false;
	if (!c->ports->sql->stamp(c->ports->sql, c->fence.generation, &stamp, c->err))
		return false;
	if (!stamp.found || strcmp(stamp.clone_id, c->job->clone_id) != 0)
		return true;
	if (!c->job->mask_enabled) {
		*has_r = strcmp(stamp.proof, unmasked) == 0;
		return true;
	}
	if (!policy_of(c, policy))
		return false;
	*has_r = strstr(stamp.proof, policy) != NULL;
	return true;
}
