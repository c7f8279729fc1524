/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/redis/redis_settings.h"

static bool has(const char *text)
{
	return text && text[0];
}

bool redis_settings_check(const struct redis_settings *settings, struct err *e)
{
	const bool has_socket = has(settings->socket_path), has_master = has(settings->sentinel_master);

	if (settings->tls && has_socket)
		return err_set(e, ERR_REFUSED, 0, "redis", "[redis] has both tls and a socket, which needs none; name one of them");
	if (settings->tls && has(settings->tls_cert_file) != has(settings->tls_key_file))
		return err_set(e, ERR_REFUSED, 0, "redis", "[redis] tls_cert and tls_key are set together or not at all");
	if (!settings->tls && (has(settings->tls_ca_file) || has(settings->tls_cert_file)))
		return err_set(e, ERR_REFUSED, 0, "redis", "[redis] names certificates, but tls = false: nothing would be encrypted");
	if (settings->sentinel_count > 0 && has_socket)
		return err_set(e, ERR_REFUSED, 0, "redis", "[redis] has both sentinels and a socket; name one of them");
	if (settings->sentinel_count > 0 && !has_master)
		return err_set(e, ERR_REFUSED, 0, "redis",
			       "[redis] sentinels want sentinel_master, the name by which they watch the master");
	return (settings->port >= 0 && settings->port <= 65535 && settings->db >= 0 && settings->connect_timeout_ms >= 0) ||
	       err_set(e, ERR_REFUSED, 0, "redis", "the port, db or connect time-out of [redis] is out of range");
}
