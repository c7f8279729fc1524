/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/redis/redis_greeting.h"

#include "consumer/adapters/redis/redis_command.h"
#include "consumer/adapters/redis/redis_reply.h"
#include "consumer/adapters/redis/redis_scripts.h"

#include <string.h>

enum redis_hello redis_greeting_write(struct buf *out, const char *user, const char *password, int db, bool with_scripts)
{
	if (password[0]) {
		redis_command(out, user[0] ? 3 : 2);
		redis_arg_text(out, "AUTH");
		if (user[0])
			redis_arg_text(out, user);
		redis_arg_text(out, password);
	}
	redis_command(out, 2);
	redis_arg_text(out, "SELECT");
	redis_arg_number(out, (uint64_t)db);
	redis_command(out, 1);
	redis_arg_text(out, "INFO");
	if (with_scripts)
		redis_script_loads(out);
	return password[0] ? REDIS_HELLO_AUTH : REDIS_HELLO_SELECT;
}

bool redis_greeting_refused(int at, const redisReply *reply, struct err *e)
{
	static const char *const asked[] = {
		[REDIS_HELLO_AUTH] = "the user and password",
		[REDIS_HELLO_SELECT] = "the database number",
		[REDIS_HELLO_INFO] = "to tell about itself",
		[REDIS_HELLO_SCRIPTS] = "to load the scripts",
	};
	const bool is_auth = at == REDIS_HELLO_AUTH;
	const char *sentence;
	enum redis_remedy remedy = redis_remedy(reply, &sentence);

	return err_set(e, remedy == REDIS_RECONNECT || is_auth ? ERR_REFUSED : ERR_TRANSIENT,
		       is_auth || strncmp(reply->str, "NOAUTH", 6) == 0 ? ERR_CODE_AUTH : 0, "redis", "Redis refuses %s: %s",
		       asked[at < REDIS_HELLO_SCRIPTS ? at : REDIS_HELLO_SCRIPTS], sentence);
}
