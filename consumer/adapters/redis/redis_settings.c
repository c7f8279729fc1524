/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/redis/redis_settings.h"

#include <hiredis/hiredis.h>

bool redis_settings_check(const struct redis_settings *settings, struct err *e)
{
	const bool has_socket = settings->socket_path && settings->socket_path[0];
	const bool has_master = settings->sentinel_master && settings->sentinel_master[0];

	if (settings->tls)
		return err_set(e, ERR_REFUSED, 0, "redis",
			       "[redis] tls = true, but this program was built with hiredis %d.%d, without TLS; reach the server "
			       "by its unix socket or through a local tunnel (stunnel, ssh -L), with tls = false",
			       HIREDIS_MAJOR, HIREDIS_MINOR);
	if (settings->sentinel_count > 0 && has_socket)
		return err_set(e, ERR_REFUSED, 0, "redis", "[redis] has both sentinels and a socket; name one of them");
	if (settings->sentinel_count > 0 && !has_master)
		return err_set(e, ERR_REFUSED, 0, "redis",
			       "[redis] sentinels want sentinel_master, the name by which they watch the master");
	return (settings->port >= 0 && settings->port <= 65535 && settings->db >= 0 && settings->connect_timeout_ms >= 0) ||
	       err_set(e, ERR_REFUSED, 0, "redis", "the port, db or connect time-out of [redis] is out of range");
}
