/* SPDX-License-Identifier: Apache-2.0
 * The Lua scripts beside this file, as the build embedded them. */
#include "consumer/adapters/redis/redis_scripts.h"

#include "consumer/adapters/redis/redis_command.h"
#include "handlers/base/embedded.h"

#include <stdlib.h>
#include <string.h>

extern const struct embedded_file redis_scripts[];
extern const size_t redis_scripts_count;

static const struct embedded_file *script_file(enum redis_script script)
{
	static const char *const names[REDIS_SCRIPT_END] = {
		[REDIS_SCRIPT_ACQUIRE] = "adapters/redis/acquire.lua",
		[REDIS_SCRIPT_RENEW] = "adapters/redis/renew.lua",
		[REDIS_SCRIPT_RELEASE] = "adapters/redis/release.lua",
		[REDIS_SCRIPT_READERS] = "adapters/redis/readers.lua",
		[REDIS_SCRIPT_RECORD] = "adapters/redis/record.lua",
		[REDIS_SCRIPT_REJECT] = "adapters/redis/reject.lua",
		[REDIS_SCRIPT_DELIVERIES] = "adapters/redis/deliveries.lua",
	};

	for (size_t i = 0; i < redis_scripts_count; i++)
		if (strcmp(redis_scripts[i].name, names[script]) == 0)
			return &redis_scripts[i];
	abort(); /* the build embeds every *.lua of this folder */
}

void redis_script_loads(struct buf *out)
{
	for (int i = 0; i < REDIS_SCRIPT_END; i++) {
		const struct embedded_file *file = script_file((enum redis_script)i);

		redis_command(out, 3);
		redis_arg_text(out, "SCRIPT");
		redis_arg_text(out, "LOAD");
		redis_arg(out, file->text, file->len);
	}
}
