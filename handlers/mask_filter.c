/* SPDX-License-Identifier: Apache-2.0 */
#include "handlers/mask_filter.h"
#include "handlers/words.h"

#include <ctype.h>
#include <string.h>

const char *test_mail_address(struct step_ctx *c)
{
	char lower[CTX_MAX + 1] = "";

	for (size_t i = 0; i < CTX_MAX && c->job->target_ctx[i]; i++)
		lower[i] = (char)tolower((unsigned char)c->job->target_ctx[i]);
	return step_text(c, "test-%s@%s", lower, c->settings->test_mail_domain);
}

/* A user chosen by id keeps the sign-in name the source knows; *login_r stays NULL when there is no such user. */
static bool login_of(struct step_ctx *c, const struct user_plan *user, const char **login_r)
{
	const struct sql_args args = SQL_ARGS(sql_number("associate", user->associate_id));

	*login_r = user->login;
	if (user->login && user->login[0])
		return true;
	return c->ports->sql->text(c->ports->sql, SQL_SOURCE, "login_of_associate", &args, c->mem, login_r, c->err);
}

/* "mask address" is no tenant's name, with which the seals of rows begin: the two never meet. */
static bool hash(void *arg, const char *before, const char *part, char hex_r[MASK_HASH_TEXT])
{
	const char *const parts[] = { "mask address", before, part };
	struct mask_key *key = arg;

	_Static_assert((int)MASK_HASH_TEXT == (int)SEAL_TEXT, "a seal is the hash");
	return key->seal->seal(key->seal, parts, sizeof parts / sizeof *parts, hex_r, &key->err);
}

struct mask_policy *mask_policy_of(struct step_ctx *c, struct mask_key *key)
{
	const struct step_job *job = c->job;
	struct mask_choices choices = { .domain = job->mask_domain, .hash_arg = key };
	const char **keep = step_take(c, (job->mask_keep_count + job->user_count + 1) * sizeof *keep);
	size_t count = 0;

	*key = (struct mask_key){ .seal = c->ports->seal };
	if (!keep)
		return NULL;
	if (job->mask_mode != MASK_KEEP_NAMES && job->mask_mode != MASK_HASH) {
		err_set(c->err, ERR_BUG, 0, c->fence.step, "the clone has no mask mode");
		return NULL;
	}
	for (size_t i = 0; i < job->mask_keep_count; i++)
		keep[count++] = job->mask_keep[i];
	for (size_t i = 0; i < job->user_count; i++) {
		if (!login_of(c, &job->users[i], &keep[count]))
			return NULL;
		if (keep[count] && keep[count][0])
			count++;
	}
	keep[count] = test_mail_address(c);
	if (!keep[count++])
		return NULL;
	choices.keep = keep;
	choices.keep_count = count;
	choices.hash = job->mask_mode == MASK_HASH ? hash : NULL;
	return mask_policy_new(&choices, c->err);
}

static enum sql_cell cell(void *arg, const char *table, const char *column, size_t width_chars, const char *text,
			  size_t len, struct buf *out)
{
	struct mask_filter *m = arg;

	switch (mask_cell(m->policy, table, column, width_chars, text, len, out, &m->counts)) {
	case MASK_CHANGED:
		return SQL_CELL_REPLACE;
	case MASK_BLANK:
		if (!out->failed) /* too big to be rewritten is no reason to empty it: the page fails on that */
			buf_clear(out);
		return SQL_CELL_REPLACE;
	case MASK_SAME:
		break;
	}
	return SQL_CELL_KEEP;
}

bool mask_filter_init(struct mask_filter *m, struct step_ctx *c)
{
	*m = (struct mask_filter){ .filter = { cell, m } };
	m->policy = mask_policy_of(c, &m->key);
	return m->policy != NULL;
}

void mask_filter_done(struct mask_filter *m, struct err *e)
{
	mask_policy_free(&m->policy);
	if (e->class != ERR_NONE && m->key.err.class != ERR_NONE)
		*e = m->key.err;
}
