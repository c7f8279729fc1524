/* SPDX-License-Identifier: Apache-2.0
 * Names of keys and the text of leases. Keys of one tenant share a hash tag, "sandbox:{Cust70001}:lease", so that
 * Redis Cluster holds them together. */
#ifndef SANDBOX_REDIS_KEYS_H
#define SANDBOX_REDIS_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	REDIS_NAME_MAX = 128, /* bytes of a tenant, a clone id, an owner */
	REDIS_PREFIX_MAX = 32,
	REDIS_KEY_SIZE = REDIS_PREFIX_MAX + 6 * REDIS_NAME_MAX + 32,
	REDIS_LEASE_SIZE = 2 * REDIS_NAME_MAX + 24,
	REDIS_MEMBER_SIZE = 6 * REDIS_NAME_MAX + 2,
};

enum redis_key {
	REDIS_KEY_LEASE,   /* text, expires */
	REDIS_KEY_TOKEN,   /* the last fencing token */
	REDIS_KEY_TARGET,  /* hash */
	REDIS_KEY_READERS, /* sorted set */
	REDIS_KEY_CLONE,   /* hash; these two are per clone */
	REDIS_KEY_NOTE,    /* hash, expires */
	REDIS_KEY_END
};

/* In a clone's hash, fields of digits are its outbox: sequence -> bytes. Those up to this mark have been delivered, though
 * they may be there still. */
#define REDIS_FIELD_DELIVERED "delivered"

/* The key of that tenant (and clone, for the kinds that have one). Bytes that are not of a plain name are written
 * %XX, so different names never share a key. Names are at most REDIS_NAME_MAX long. Returns the length. */
size_t redis_key_text(char key_r[REDIS_KEY_SIZE], const char *prefix, enum redis_key kind, const char *ctx,
		      const char *clone_id);
/* The sorted set of all clones known, and its members: "<clone> <target>", both escaped. */
void redis_index_key(char key_r[REDIS_KEY_SIZE], const char *prefix);
void redis_index_member(char member_r[REDIS_MEMBER_SIZE], const char *clone_id, const char *target_ctx);
bool redis_index_parse(const char *member, char clone_r[REDIS_NAME_MAX + 1], char target_r[REDIS_NAME_MAX + 1]);
/* The escaped form of one name. */
void redis_escape(char text_r[3 * REDIS_NAME_MAX + 1], const char *name);

/* "<owner>|<token>|<clone>"; owners hold no '|'. Returns the length. */
size_t redis_lease_text(char text_r[REDIS_LEASE_SIZE], const char *owner, uint64_t token, const char *clone_id);
bool redis_lease_parse(const char *text, char owner_r[REDIS_NAME_MAX + 1], uint64_t *token_r,
		       char clone_r[REDIS_NAME_MAX + 1]);
/* "<owner>|<clone>", a member of the readers; fits REDIS_LEASE_SIZE. */
size_t redis_reader_text(char text_r[REDIS_LEASE_SIZE], const char *owner, const char *clone_id);

#endif
