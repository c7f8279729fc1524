/* SPDX-License-Identifier: Apache-2.0
 * Each effect of a port is replaced by one that counts and calls the real one until the process is dead. */
#include "tests/support/world_break.h"

static struct {
	int nth, count;
	struct sql_port sql;
	struct tenant_port tenant;
	struct identity_port identity;
	struct mail_port mail;
	struct files_port objects;
	struct licence_port licence;
} real;

/* 1: do it; 0: do it and lose the answer; -1: it does not happen. */
static int next_effect(struct err *e)
{
	real.count++;
	if (real.nth == 0 || real.count < real.nth)
		return 1;
	if (real.count == real.nth)
		return 0;
	err_set(e, ERR_TRANSIENT, 0, "world_break", "it did not happen");
	return -1;
}

static bool lost(struct err *e)
{
	err_clear(e);
	return err_set(e, ERR_UNSURE, 0, "world_break", "it happened, but the answer was lost");
}

#define EFFECT(port, name, params, args)                                                                               \
	static bool broken_##port##_##name params                                                                      \
	{                                                                                                              \
		int way = next_effect(e);                                                                              \
		bool done = way >= 0 && real.port.name args;                                                           \
		return way == 0 ? lost(e) : done;                                                                      \
	}

EFFECT(sql, apply,
       (struct sql_port * s, const struct fence *f, const struct sql_change *c, size_t n, int64_t *rows, struct err *e),
       (s, f, c, n, rows, e))
EFFECT(sql, put_proof, (struct sql_port * s, const struct fence *f, const char *at, const char *proof, struct err *e),
       (s, f, at, proof, e))
EFFECT(sql, create_database, (struct sql_port * s, const struct fence *f, const char *source, struct err *e),
       (s, f, source, e))
EFFECT(sql, quarantine, (struct sql_port * s, const struct fence *f, const char *db, bool closed, struct err *e),
       (s, f, db, closed, e))
EFFECT(sql, drop_database, (struct sql_port * s, const struct fence *f, const char *db, struct err *e), (s, f, db, e))
EFFECT(sql, apply_server, (struct sql_port * s, const struct fence *f, const struct sql_change *c, struct err *e),
       (s, f, c, e))
EFFECT(sql, copy_next,
       (struct sql_port * s, const struct fence *f, const struct sql_filter *filter, struct sql_pages *p,
	struct err *e),
       (s, f, filter, p, e))
EFFECT(sql, mask_next,
       (struct sql_port * s, const struct fence *f, const struct sql_filter *filter, struct sql_pages *p,
	struct err *e),
       (s, f, filter, p, e))
EFFECT(tenant, set_state,
       (struct tenant_port * s, const struct fence *f, const char *ctx, enum tenant_state state, struct err *e),
       (s, f, ctx, state, e))
EFFECT(tenant, bind_clusters,
       (struct tenant_port * s, const struct fence *f, const char *ctx, const char *web, const char *db, struct err *e),
       (s, f, ctx, web, db, e))
EFFECT(tenant, retire, (struct tenant_port * s, const struct fence *f, const char *ctx, struct err *e), (s, f, ctx, e))
EFFECT(tenant, route,
       (struct tenant_port * s, const struct fence *f, const char *ctx, const char *db, const char *root,
	struct err *e),
       (s, f, ctx, db, root, e))
EFFECT(tenant, forget_previous, (struct tenant_port * s, const struct fence *f, const char *ctx, struct err *e),
       (s, f, ctx, e))
EFFECT(tenant, put_stamp,
       (struct tenant_port * s, const struct fence *f, const char *ctx, const struct tenant_stamp *stamp,
	struct err *e),
       (s, f, ctx, stamp, e))
EFFECT(tenant, recycle, (struct tenant_port * s, const struct fence *f, const char *ctx, struct err *e), (s, f, ctx, e))
EFFECT(identity, put,
       (struct identity_port * s, const struct fence *f, const char *ctx, const char *name, const char *serial,
	struct err *e),
       (s, f, ctx, name, serial, e))
EFFECT(identity, link_test,
       (struct identity_port * s, const struct fence *f, const char *source, const char *target, struct err *e),
       (s, f, source, target, e))
EFFECT(identity, set_state,
       (struct identity_port * s, const struct fence *f, const char *ctx, enum identity_state state, struct err *e),
       (s, f, ctx, state, e))
EFFECT(identity, put_users,
       (struct identity_port * s, const struct fence *f, const char *ctx, const struct identity_users *users,
	struct err *e),
       (s, f, ctx, users, e))
EFFECT(mail, remove, (struct mail_port * s, const struct fence *f, const char *id, struct err *e), (s, f, id, e))
EFFECT(mail, put, (struct mail_port * s, const struct fence *f, const char *id, const char *address, struct err *e),
       (s, f, id, address, e))
EFFECT(objects, copy_next,
       (struct files_port * s, const struct fence *f, const struct files_choice *choice, struct files_progress *p,
	struct err *e),
       (s, f, choice, p, e))
EFFECT(objects, remove_root, (struct files_port * s, const struct fence *f, const char *root, struct err *e),
       (s, f, root, e))
EFFECT(licence, put_company,
       (struct licence_port * s, const struct fence *f, const char *ctx, const struct company_info *info,
	struct err *e),
       (s, f, ctx, info, e))

static void break_files(struct files_port *port)
{
	port->copy_next = broken_objects_copy_next;
	port->remove_root = broken_objects_remove_root;
}

static void break_sql(struct sql_port *port)
{
	port->apply = broken_sql_apply;
	port->put_proof = broken_sql_put_proof;
	port->create_database = broken_sql_create_database;
	port->quarantine = broken_sql_quarantine;
	port->drop_database = broken_sql_drop_database;
	port->apply_server = broken_sql_apply_server;
	port->copy_next = broken_sql_copy_next;
	port->mask_next = broken_sql_mask_next;
}

static void break_tenant(struct tenant_port *port)
{
	port->set_state = broken_tenant_set_state;
	port->bind_clusters = broken_tenant_bind_clusters;
	port->retire = broken_tenant_retire;
	port->route = broken_tenant_route;
	port->forget_previous = broken_tenant_forget_previous;
	port->put_stamp = broken_tenant_put_stamp;
	port->recycle = broken_tenant_recycle;
}

static void break_others(const struct step_ports *ports)
{
	ports->identity->put = broken_identity_put;
	ports->identity->link_test = broken_identity_link_test;
	ports->identity->set_state = broken_identity_set_state;
	ports->identity->put_users = broken_identity_put_users;
	ports->mail->remove = broken_mail_remove;
	ports->mail->put = broken_mail_put;
	ports->licence->put_company = broken_licence_put_company;
}

void world_break_at(struct world *w, int nth)
{
	if (w->ports.sql->apply != broken_sql_apply) { /* both stores have the same functions */
		real.sql = *w->ports.sql;
		real.tenant = *w->ports.tenant;
		real.identity = *w->ports.identity;
		real.mail = *w->ports.mail;
		real.objects = *w->ports.objects;
		real.licence = *w->ports.licence;
		break_sql(w->ports.sql);
		break_tenant(w->ports.tenant);
		break_files(w->ports.objects);
		break_files(w->ports.archive);
		break_others(&w->ports);
	}
	real.nth = nth;
	real.count = 0;
}

int world_effects(void)
{
	return real.count;
}
