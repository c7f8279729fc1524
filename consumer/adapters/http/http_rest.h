/* SPDX-License-Identifier: Apache-2.0
 * What the contracts of all five outside systems have in common (schemas/<system>.openapi.yaml, docs/outside-systems.md):
 * paths below /tenants/{ctx}, the idempotency key and fencing token of a write, and what each answer means. */
#ifndef SANDBOX_HTTP_REST_H
#define SANDBOX_HTTP_REST_H

#include "consumer/adapters/http/http_client.h"
#include "handlers/ports/fence.h"

#include <jansson.h>

/* The object at /tenants/{ctx}[/{tail}], owned by the caller. A 404 is REFUSED, or with found_r not NULL is true
 * with *found_r false and *object_r NULL. */
bool http_rest_read(struct http_client *c, const char *ctx, const char *tail, bool *found_r, json_t **object_r,
                    struct err *e);

struct http_order { /* one write to /tenants/{ctx}[/{tail}[/{id}]] */
	const char *method, *ctx, *tail, *id; /* tail and id may be NULL */
	const char *verb; /* member of the port: last part of the idempotency key, for people too */
	const char *item; /* tells apart several writes of one verb in one step; NULL: none */
	json_t *body;     /* given away, even on failure; json_null() for none; NULL is REFUSED */
	bool item_is_content; /* the body's hash is the item: other content is another order */
	bool missing_is_done; /* 404 means it was done already */
};

/* True when the system says that the order was carried out, by this request or an earlier one of the same key.
 * MISUSE when the order is not for the fence's own target. */
bool http_rest_write(struct http_client *c, const struct fence *f, const struct http_order *order, struct err *e);

#endif
