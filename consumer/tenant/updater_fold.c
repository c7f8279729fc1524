/* SPDX-License-Identifier: Apache-2.0
 * A batch as one change of the store: facts, rows and offsets together. What is in memory is what the store has said
 * or taken; a change that failed leaves it as it was, and one whose end is not known is read back. */
#include "consumer/tenant/updater_priv.h"

#include <stdlib.h>
#include <string.h>

/* ---- what others changed ---- */

static bool take_clone(void *arg, const struct clone_facts *facts)
{
	struct updater *u = arg;

	return known_set(u->known, facts);
}

static bool show(void *arg, const struct tenant_row *row)
{
	struct updater *u = arg;
	const struct tenant_row *shown = board_row(u->s.board, row->ctx);
	bool ok = true;

	if (shown && memcmp(shown, row, sizeof *row) == 0)
		return true;
	board_begin(u->s.board);
	ok = board_put(u->s.board, row, u->last);
	board_end(u->s.board);
	return ok;
}

static bool no_memory(struct err *e)
{
	return err_set(e, ERR_BUG, 0, "tenant", "out of memory for the tenants");
}

static bool read_since(struct updater *u, int64_t last, struct err *e)
{
	if (last < u->last)
		return err_set(e, ERR_REFUSED, 0, "tenant",
			"the database went back in time: what is in memory is newer; start again to read it anew");
	if (last == u->last)
		return true;
	if (!u->s.tenants->clones_since(u->s.tenants, u->last, take_clone, u, e))
		return false;
	u->last = last;
	return known_each_set(u->known, show, u) || no_memory(e);
}

bool updater_refresh(struct updater *u, struct err *e)
{
	int64_t last;

	return u->s.tenants->last(u->s.tenants, &last, e) && read_since(u, last, e);
}

/* ---- our own change ---- */

struct change {
	struct updater *u;
	struct err *e;
	struct tenant_row *rows; /* that differ from what is shown */
	size_t count, size;
};

static bool put_clone(void *arg, const struct clone_facts *facts)
{
	struct change *c = arg;

	return c->u->s.tenants->put_clone(c->u->s.tenants, facts, c->e);
}

static bool drop_clone(void *arg, const struct clone_facts *facts)
{
	struct change *c = arg;

	return c->u->s.tenants->drop_clone(c->u->s.tenants, facts, c->e);
}

static bool put_row(void *arg, const struct tenant_row *row)
{
	struct change *c = arg;
	const struct tenant_row *shown = board_row(c->u->s.board, row->ctx);

	if (shown && memcmp(shown, row, sizeof *row) == 0)
		return true;
	if (c->count == c->size) {
		size_t size = c->size ? 2 * c->size : 64;
		struct tenant_row *grown = realloc(c->rows, size * sizeof *grown);

		if (!grown)
			return no_memory(c->e);
		c->rows = grown;
		c->size = size;
	}
	c->rows[c->count++] = *row;
	return c->u->s.tenants->put_row(c->u->s.tenants, row, c->e);
}

/* Somebody else has moved it: it is theirs, and we shall hear of that. */
static void lose(struct updater *u, struct part *p)
{
	log_warn(u->s.log, NULL, "another instance reads a partition that was ours", log_text("topic", topic_name(p->topic)),
		log_number("partition", p->partition));
	metrics_add(u->s.metrics, METRIC_TENANT_PARTITIONS_LOST, 0, 0, 1);
	p->is_ours = false;
	updater_drop_batch_of(u, p);
}

/* After a change whose end is not known: was it done? */
static bool look_again(struct updater *u, struct part **lost_r, struct err *e)
{
	struct tenants_port *t = u->s.tenants;

	for (size_t i = 0; u->unsure && i < u->part_count; i++) {
		struct part *p = &u->parts[i];

		if (!p->is_ours)
			continue;
		if (!t->position(t, topic_name(p->topic), p->partition, &p->stands, e))
			return false;
		if (p->stands > p->next) {
			*lost_r = p;
			return true;
		}
	}
	u->unsure = false;
	return true;
}

/* *lost_r: not ours any more; then nothing was done. */
static bool move_all(struct updater *u, struct part **lost_r, struct err *e)
{
	struct tenants_port *t = u->s.tenants;

	for (size_t i = 0; i < u->part_count; i++) {
		struct part *p = &u->parts[i];
		bool moved = true;

		if (!p->is_ours || p->next < 0 || p->next == p->stands)
			continue;
		if (!t->move(t, topic_name(p->topic), p->partition, p->stands, p->next, &moved, e))
			return false;
		if (!moved) {
			*lost_r = p;
			return true;
		}
	}
	return true;
}

static bool fold_messages(struct updater *u, struct err *e)
{
	for (size_t i = 0; i < u->batch_count; i++)
		if (!known_fold(u->known, u->batch[i].message))
			return no_memory(e);
	return true;
}

static bool try_change(struct change *c, struct part **lost_r, struct err *e)
{
	static const struct known_changes fns = { put_clone, drop_clone, put_row };
	struct updater *u = c->u;
	struct tenants_port *t = u->s.tenants;
	int64_t last;

	if (!t->begin(t, &last, e) || !read_since(u, last, e) || !look_again(u, lost_r, e) ||
	    (!*lost_r && !move_all(u, lost_r, e)))
		return false;
	if (*lost_r)
		return true;
	if (!fold_messages(u, e))
		return false;
	if (!known_each_change(u->known, &fns, c)) {
		no_memory(e); /* when no function has said why */
		return false;
	}
	return t->commit(t, e);
}

static bool show_change(struct change *c)
{
	struct updater *u = c->u;
	bool ok = true;

	u->last++;
	board_begin(u->s.board);
	for (size_t i = 0; i < c->count; i++)
		ok &= board_put(u->s.board, &c->rows[i], u->last);
	board_end(u->s.board);
	return ok;
}

/* The store has it: now Kafka may know as well, for those who look at the group's lag. */
static void note_moved(struct updater *u)
{
	struct err ignored = { 0 };

	for (size_t i = 0; i < u->part_count; i++) {
		struct part *p = &u->parts[i];
		const struct bus_position next = { p->topic, p->partition, p->next };

		if (!p->is_ours || p->next == p->stands)
			continue;
		p->stands = p->next;
		u->bus->commit(u->bus, &next, &ignored);
	}
}

static void empty_batch(struct updater *u)
{
	for (size_t i = 0; i < u->batch_count; i++) {
		metrics_add(u->s.metrics, METRIC_EVENTS_FOLDED, u->batch[i].topic, 0, 1);
		message_free(&u->batch[i].message);
	}
	u->batch_count = 0;
}

void updater_drop_batch_of(struct updater *u, const struct part *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < u->batch_count; i++) {
		struct batch_item *item = &u->batch[i];

		if (item->topic == p->topic && item->partition == p->partition)
			message_free(&item->message);
		else
			u->batch[kept++] = *item;
	}
	u->batch_count = kept;
}

static bool finish(struct change *c, struct err *e)
{
	struct updater *u = c->u;

	known_take_over(u->known);
	note_moved(u);
	empty_batch(u);
	metrics_add(u->s.metrics, METRIC_TENANT_CHANGES, 0, 0, 1);
	return show_change(c) || no_memory(e);
}

bool updater_fold_batch(struct updater *u, struct err *e)
{
	for (;;) {
		struct change c = { .u = u, .e = e };
		struct part *lost = NULL;
		int64_t began_ms = updater_now_ms();
		bool ok = try_change(&c, &lost, e);

		if (ok && !lost)
			ok = finish(&c, e);
		else
			known_drop(u->known);
		if (!ok || lost)
			u->s.tenants->rollback(u->s.tenants);
		u->unsure |= !ok && e->class == ERR_UNSURE;
		free(c.rows);
		metrics_observe(u->s.metrics, METRIC_FOLD_DURATION, 0, 0, updater_now_ms() - began_ms);
		if (!lost)
			return ok;
		lose(u, lost);
	}
}
