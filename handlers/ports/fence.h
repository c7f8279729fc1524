/* SPDX-License-Identifier: Apache-2.0
 * Who acts: goes with every effect on the world, so that the world can refuse an old owner
 * and recognise a repeat. */
#ifndef SANDBOX_PORTS_FENCE_H
#define SANDBOX_PORTS_FENCE_H

#include <stdint.h>

enum {
	CTX_MAX = 40,       /* tenant names: [A-Za-z0-9][A-Za-z0-9_-]{0,39} (design section 6) */
	DATABASE_MAX = 63,  /* PostgreSQL cuts silently behind this */
	CLONE_ID_MAX = 36,  /* a UUID as text */
	SLUG_MAX = 40,
};

struct fence {
	const char *clone_id;
	int run;
	const char *step;       /* slug */
	const char *target_ctx; /* the only tenant this fence may act on */
	const char *generation; /* the only database and file tree this fence may build or drop */
	uint64_t token;         /* of the lease; a system that saw a greater one must refuse */
};

#endif
