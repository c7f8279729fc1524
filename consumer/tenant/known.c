/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/tenant/known.h"

#include "consumer/core/table.h"
#include "consumer/tenant/fold.h"

#include <stdlib.h>
#include <string.h>

struct clone { /* of a tenant */
	struct clone *next;
	struct clone_facts facts;
	struct clone_facts *changed; /* in the change; NULL as it was */
	bool is_new, is_past;        /* made by the change; of no use after it */
};

struct tenant {
	struct tenant *next, *next_touched, *next_set;
	char ctx[CTX_MAX + 1];
	struct clone *clones;
	size_t count;
	bool touched, set;
};

struct known {
	struct table index; /* by ctx */
	struct tenant *tenants, *touched, *set;
	const struct clone_facts **order; /* room to fold a tenant */
	size_t order_size;
};

struct known *known_new(void)
{
	return calloc(1, sizeof(struct known));
}

static void clone_free(struct clone *c)
{
	free(c->changed);
	free(c);
}

void known_free(struct known **k)
{
	struct tenant *next;

	if (!k || !*k)
		return;
	for (struct tenant *t = (*k)->tenants; t; t = next) {
		next = t->next;
		while (t->clones) {
			struct clone *behind = t->clones->next;

			clone_free(t->clones);
			t->clones = behind;
		}
		free(t);
	}
	table_done(&(*k)->index);
	free((*k)->order);
	free(*k);
	*k = NULL;
}

/* ---- finding ---- */

static struct tenant *tenant_of(struct known *k, const char *ctx)
{
	struct tenant *t;
	uint64_t value;

	if (table_get(&k->index, ctx, &value))
		return (struct tenant *)(uintptr_t)value;
	t = calloc(1, sizeof *t);
	if (!t)
		return NULL;
	memcpy(t->ctx, ctx, strnlen(ctx, CTX_MAX));
	if (!table_set(&k->index, t->ctx, (uint64_t)(uintptr_t)t)) {
		free(t);
		return NULL;
	}
	t->next = k->tenants;
	k->tenants = t;
	return t;
}

static struct clone *clone_of(struct tenant *t, const char *clone_id)
{
	for (struct clone *c = t->clones; c; c = c->next)
		if (strcmp(c->facts.clone_id, clone_id) == 0)
			return c;
	return NULL;
}

static struct clone *clone_add(struct tenant *t, const char *clone_id)
{
	struct clone *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	facts_init(&c->facts, t->ctx, clone_id);
	c->next = t->clones;
	t->clones = c;
	t->count++;
	return c;
}

static void touch(struct known *k, struct tenant *t)
{
	if (t->touched)
		return;
	t->touched = true;
	t->next_touched = k->touched;
	k->touched = t;
}

/* ---- what the store says ---- */

bool known_set(struct known *k, const struct clone_facts *facts)
{
	struct tenant *t = tenant_of(k, facts->ctx);
	struct clone *c = t ? clone_of(t, facts->clone_id) : NULL;

	if (t && !c)
		c = clone_add(t, facts->clone_id);
	if (!c)
		return false;
	c->facts = *facts;
	if (!t->set) {
		t->set = true;
		t->next_set = k->set;
		k->set = t;
	}
	return true;
}

/* ---- a change ---- */

bool known_fold(struct known *k, const struct message *m)
{
	const char *ctx, *clone_id;
	struct clone_facts facts;
	struct tenant *t;
	struct clone *c;

	if (!facts_names(m, &ctx, &clone_id))
		return true;
	t = tenant_of(k, ctx);
	if (!t)
		return false;
	c = clone_of(t, clone_id);
	if (c)
		facts = c->changed ? *c->changed : c->facts;
	else
		facts_init(&facts, ctx, clone_id);
	if (!facts_fold(&facts, m))
		return true;
	if (!c) {
		c = clone_add(t, clone_id);
		if (!c)
			return false;
		c->is_new = true;
	}
	touch(k, t); /* before anything that can fail: known_drop must find it */
	if (!c->changed)
		c->changed = malloc(sizeof *c->changed);
	if (c->changed)
		*c->changed = facts;
	return c->changed;
}

static bool make_room(struct known *k, size_t count)
{
	const struct clone_facts **grown;

	if (count <= k->order_size)
		return true;
	grown = realloc(k->order, 2 * count * sizeof *grown);
	if (!grown)
		return false;
	k->order = grown;
	k->order_size = 2 * count;
	return true;
}

/* Into k->order; the row with it. */
static bool fold_tenant(struct known *k, const struct tenant *t, struct tenant_row *row)
{
	size_t count = 0;

	if (!make_room(k, t->count))
		return false;
	for (const struct clone *c = t->clones; c; c = c->next)
		k->order[count++] = c->changed ? c->changed : &c->facts;
	tenant_fold(t->ctx, k->order, count, row);
	return true;
}

static void mark_past(struct known *k, struct tenant *t)
{
	size_t first, past = tenant_fold_past(k->order, t->count, &first);

	for (size_t i = 0; i < past; i++)
		clone_of(t, k->order[first + i]->clone_id)->is_past = true;
}

static bool tell_clones(const struct tenant *t, const struct known_changes *fns, void *arg)
{
	for (const struct clone *c = t->clones; c; c = c->next) {
		if (c->is_past) {
			if (!c->is_new && !fns->past(arg, &c->facts))
				return false;
		} else if (c->changed && !fns->clone(arg, c->changed)) {
			return false;
		}
	}
	return true;
}

bool known_each_change(struct known *k, const struct known_changes *fns, void *arg)
{
	struct tenant_row row;

	for (struct tenant *t = k->touched; t; t = t->next_touched) {
		if (!fold_tenant(k, t, &row))
			return false;
		mark_past(k, t);
		if (!tell_clones(t, fns, arg) || !fns->row(arg, &row))
			return false;
	}
	return true;
}

bool known_each_set(struct known *k, bool (*fn)(void *arg, const struct tenant_row *row), void *arg)
{
	struct tenant_row row;

	while (k->set) {
		struct tenant *t = k->set;

		if (!fold_tenant(k, t, &row) || !fn(arg, &row))
			return false;
		t->set = false;
		k->set = t->next_set;
	}
	return true;
}

/* Every clone of the touched tenants: taken over, or as it was. */
static void end_change(struct known *k, bool takes)
{
	while (k->touched) {
		struct tenant *t = k->touched;
		struct clone **at = &t->clones;

		k->touched = t->next_touched;
		t->touched = false;
		while (*at) {
			struct clone *c = *at;

			if (takes ? c->is_past : c->is_new) {
				*at = c->next;
				t->count--;
				clone_free(c);
				continue;
			}
			if (takes && c->changed)
				c->facts = *c->changed;
			free(c->changed);
			c->changed = NULL;
			c->is_new = c->is_past = false;
			at = &c->next;
		}
	}
}

void known_take_over(struct known *k)
{
	end_change(k, true);
}

void known_drop(struct known *k)
{
	end_change(k, false);
}
