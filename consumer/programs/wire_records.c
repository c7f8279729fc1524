/* SPDX-License-Identifier: Apache-2.0
 * The records port on the store of clones. Each sweep has a connection of its own: there are few. */
#include "consumer/programs/wire.h"

#include "consumer/adapters/redis/redis_inspect.h"

#include <stdlib.h>
#include <string.h>

struct wire_records {
	struct records_port port;
	const struct config *config;
	struct wire_texts texts;
	struct inspect_port *store; /* NULL until somebody asks */
};

static bool connected(struct wire_records *r, struct err *e)
{
	struct redis_settings settings;

	if (r->store)
		return true;
	wire_texts_done(&r->texts); /* of an earlier try */
	if (wire_redis(r->config, &r->texts, &settings, e))
		r->store = redis_inspect_new(&settings, e);
	return r->store != NULL;
}

static bool names(struct records_port *self, const char *target_ctx, const char *clone_id, const char *generation,
                  bool *so_r, struct err *e)
{
	struct wire_records *r = (struct wire_records *)self;
	char found[DATABASE_MAX + 1];

	if (!connected(r, e) || !r->store->generation(r->store, target_ctx, clone_id, found, e))
		return false;
	*so_r = strcmp(found, generation) == 0;
	return true;
}

struct records_port *wire_records_new(const struct config *c, struct err *e)
{
	struct wire_records *r = calloc(1, sizeof *r);

	if (!r) {
		err_set(e, ERR_TRANSIENT, 0, "records", "out of memory");
		return NULL;
	}
	r->port.names = names;
	r->config = c;
	return &r->port;
}

void wire_records_free(struct records_port **records)
{
	struct wire_records *r = (struct wire_records *)*records;

	if (!r)
		return;
	if (r->store)
		r->store->close(r->store);
	wire_texts_done(&r->texts);
	free(r);
	*records = NULL;
}
