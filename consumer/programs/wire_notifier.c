/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/programs/wire_notifier.h"

#include "consumer/adapters/http/poster_curl.h"
#include "consumer/adapters/redis/redis_deliveries.h"
#include "consumer/programs/wire.h"
#include "consumer/programs/wire_signer.h"

struct deliveries_port *wire_deliveries(const struct config *c, struct err *e)
{
	struct wire_texts texts = { 0 };
	struct redis_settings settings;
	struct deliveries_port *made = NULL;

	if (wire_redis(c, &texts, &settings, e)) {
		settings.keep_ms = config_ms(c, CONF_NOTIFIER_KEEP);
		made = redis_deliveries_new(&settings, e);
	}
	wire_texts_done(&texts);
	return made;
}

/* ---- keys ---- */

struct signer_port *wire_notifier_signer(const struct config *c, struct err *e)
{
	struct key_files files = { .rsa_count = 0 };

	files.rsa_count = config_list(c, CONF_NOTIFIER_RSA_KEYS, &files.rsa);
	files.ed25519_count = config_list(c, CONF_NOTIFIER_ED25519_KEYS, &files.ed25519);
	return config_need(c, CONF_NOTIFIER_RSA_KEYS, e) ? wire_signer(&files, e) : NULL;
}

/* ---- posts ---- */

struct poster_port *wire_poster(const struct config *c, size_t max_under_way, struct err *e)
{
	const struct poster_settings settings = {
		.allow_http = config_bool(c, CONF_NOTIFIER_ALLOW_HTTP),
		.allow_nets = config_text(c, CONF_NOTIFIER_ALLOW_NETS),
		.deny_nets = config_text(c, CONF_NOTIFIER_DENY_NETS),
		.ca_file = config_text(c, CONF_NOTIFIER_CA),
		.proxy = config_text(c, CONF_NOTIFIER_PROXY),
		.connect_timeout_ms = config_ms(c, CONF_NOTIFIER_CONNECT_TIMEOUT),
		.total_timeout_ms = config_ms(c, CONF_NOTIFIER_TIMEOUT),
		.max_under_way = max_under_way,
	};

	return poster_curl_new(&settings, e);
}
