/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/programs/wire.h"

#include "consumer/adapters/avro/avro_codec.h"
#include "consumer/adapters/avro/registry.h"
#include "consumer/adapters/system/clock_system.h"
#include "consumer/adapters/system/config_file.h"
#include "consumer/adapters/system/secret_file.h"
#include "handlers/masking/masking.h"

#include <stdlib.h>
#include <string.h>

enum { SERVERS_MAX_BYTES = 64 * 1024, SCHEMA_ANSWER_MAX_BYTES = 1024 * 1024 };

struct config *wire_config(const char *path, struct err *e)
{
	struct config *c = config_new();

	if (!c) {
		err_set(e, ERR_TRANSIENT, 0, "config", "out of memory");
		return NULL;
	}
	if ((path && *path && !config_file_read(c, path, e)) || !config_environment_read(c, e))
		config_free(&c);
	return c;
}

void wire_texts_done(struct wire_texts *texts)
{
	buf_done(&texts->servers);
	secret_done(&texts->secret);
	secret_done(&texts->sentinel_secret);
	secret_done(&texts->key_secret);
}

/* ---- kafka ---- */

/* The secret of that file as one more property; nothing when no file is named. */
static bool add_secret(const struct config *c, enum config_id file, const char *name, struct buf *secret,
                       struct kafka_settings *settings, struct kafka_property *properties, struct err *e)
{
	const char *place = config_text(c, file);

	if (!*place)
		return true;
	for (size_t i = 0; i < settings->property_count; i++)
		if (strcmp(properties[i].name, name) == 0)
			return err_set(e, ERR_REFUSED, 0, "kafka", "%s and %s_file are both set: take one away", name, name);
	buf_init(secret, SECRET_MAX_BYTES);
	if (!secret_file_read_text(place, secret, e))
		return false;
	properties[settings->property_count++] = (struct kafka_property){ name, buf_text(secret) };
	return true;
}

bool wire_kafka(const struct config *c, struct wire_texts *texts, struct kafka_settings *settings, struct err *e)
{
	const char *const *servers;
	const struct config_pair *pairs;
	size_t count = config_list(c, CONF_KAFKA_BOOTSTRAP_SERVERS, &servers);

	if (!config_need(c, CONF_KAFKA_BOOTSTRAP_SERVERS, e))
		return false;
	buf_init(&texts->servers, SERVERS_MAX_BYTES);
	for (size_t i = 0; i < count; i++)
		buf_printf(&texts->servers, "%s%s", i ? "," : "", servers[i]);
	*settings = (struct kafka_settings){ .bootstrap_servers = buf_text(&texts->servers),
		.group_id = config_text(c, CONF_KAFKA_GROUP_ID), .client_id = config_text(c, CONF_KAFKA_CLIENT_ID),
		.properties = texts->properties, .property_count = config_passthrough(c, &pairs) };
	for (size_t i = 0; i < settings->property_count; i++)
		texts->properties[i] = (struct kafka_property){ pairs[i].name, pairs[i].value };
	return add_secret(c, CONF_KAFKA_SASL_PASSWORD_FILE, "sasl.password", &texts->secret, settings, texts->properties, e) &&
	       add_secret(c, CONF_KAFKA_SSL_KEY_PASSWORD_FILE, "ssl.key.password", &texts->key_secret, settings,
			  texts->properties, e);
}

/* ---- redis ---- */

static bool read_password(const struct config *c, enum config_id key, struct buf *secret, struct err *e)
{
	const char *file = config_text(c, key);

	buf_init(secret, SECRET_MAX_BYTES);
	return !*file || secret_file_read_text(file, secret, e);
}

bool wire_redis(const struct config *c, struct wire_texts *texts, struct redis_settings *settings, struct err *e)
{
	const char *const *sentinels = NULL;
	size_t sentinel_count = config_list(c, CONF_REDIS_SENTINELS, &sentinels);

	if (!read_password(c, CONF_REDIS_PASSWORD_FILE, &texts->secret, e) ||
	    !read_password(c, CONF_REDIS_SENTINEL_PASSWORD_FILE, &texts->sentinel_secret, e) ||
	    !read_password(c, CONF_REDIS_TLS_KEY_PASSWORD_FILE, &texts->key_secret, e))
		return false;
	*settings = (struct redis_settings){
		.socket_path = config_text(c, CONF_REDIS_SOCKET),
		.host = config_text(c, CONF_REDIS_HOST),
		.port = (int)config_int(c, CONF_REDIS_PORT),
		.user = config_text(c, CONF_REDIS_USER),
		.password = buf_text(&texts->secret),
		.tls = config_bool(c, CONF_REDIS_TLS),
		.tls_ca_file = config_text(c, CONF_REDIS_TLS_CA),
		.tls_cert_file = config_text(c, CONF_REDIS_TLS_CERT),
		.tls_key_file = config_text(c, CONF_REDIS_TLS_KEY),
		.tls_key_password = buf_text(&texts->key_secret),
		.tls_any_name = !config_bool(c, CONF_REDIS_TLS_CHECK_NAME),
		.sentinels = sentinels,
		.sentinel_count = sentinel_count,
		.sentinel_master = config_text(c, CONF_REDIS_SENTINEL_MASTER),
		.sentinel_password = buf_text(&texts->sentinel_secret),
		.connect_timeout_ms = config_ms(c, CONF_REDIS_CONNECT_TIMEOUT),
		.command_timeout_ms = config_ms(c, CONF_REDIS_COMMAND_TIMEOUT),
		.keep_ms = config_ms(c, CONF_REDIS_CLONE_TTL),
	};
	return true;
}

/* ---- the codec ---- */

struct registry_link { /* lives as long as the program: the codec has no end before it */
	struct http_client *client;
	atomic_bool stop;
};

static void stop_fetch(void *arg)
{
	struct registry_link *link = arg;

	atomic_store(&link->stop, true);
}

static bool fetch(void *arg, const char *path, const char *post, struct buf *answer, int *status_r, struct err *e)
{
	static const struct http_header json = { "Content-Type", "application/vnd.schemaregistry.v1+json" };
	struct registry_link *link = arg;
	const struct http_request request = { .method = post ? "POST" : "GET", .path = path, .headers = &json,
		.header_count = post ? 1 : 0, .body = post, .body_len = post ? strlen(post) : 0 };
	struct http_answer got;

	if (!http_client_send(link->client, &request, &got, e))
		return false;
	*status_r = got.status;
	buf_add(answer, got.body->data, got.body->len);
	return true;
}

static struct schema_source *registry_source(const struct config *c, struct err *e)
{
	static struct registry_link link;
	const char *token_file = config_text(c, CONF_REGISTRY_TOKEN_FILE), *cache = config_text(c, CONF_REGISTRY_CACHE_DIR);
	struct buf token;
	struct http_settings http = { .base_url = config_text(c, CONF_REGISTRY_URL),
		.connect_timeout_ms = config_ms(c, CONF_REGISTRY_CONNECT_TIMEOUT),
		.total_timeout_ms = config_ms(c, CONF_REGISTRY_TIMEOUT), .max_body_bytes = SCHEMA_ANSWER_MAX_BYTES };
	struct registry_settings settings = { .fetch = fetch, .stop = stop_fetch, .fetch_arg = &link,
		.cache_folder = *cache ? cache : NULL,
		.auto_register = config_bool(c, CONF_REGISTRY_AUTO_REGISTER) };

	buf_init(&token, SECRET_MAX_BYTES);
	if (!*token_file || secret_file_read_text(token_file, &token, e)) {
		http.bearer = buf_text(&token);
		link.client = http_client_new(&http, "registry", &link.stop, e);
	}
	secret_done(&token);
	return link.client ? registry_schemas_new(&settings, e) : NULL;
}

struct codec_port *wire_codec(const struct config *c, struct err *e)
{
	static struct clock_port clock;
	struct avro_codec_settings settings = { .clock = &clock,
		.schema_in_header = strcmp(config_text(c, CONF_REGISTRY_WIRE_FORM), "header") == 0 };

	clock = clock_system();
	if (*config_text(c, CONF_REGISTRY_URL)) {
		settings.schemas = registry_source(c, e);
		if (!settings.schemas)
			return NULL;
	}
	return avro_codec_new(&settings, e);
}

/* ---- rules and policy ---- */

struct request_rules wire_request_rules(const struct config *c)
{
	return (struct request_rules){ .domain_check = mask_domain_check,
		.allow_unmasked = config_bool(c, CONF_MASK_ALLOW_UNMASKED) };
}

struct engine_policy wire_policy(const struct config *c)
{
	int workers = (int)config_int(c, CONF_ENGINE_WORKERS);
	struct engine_policy p = {
		.order = strcmp(config_text(c, CONF_ENGINE_PLAN), "strict") == 0 ? PLAN_STRICT : PLAN_PARALLEL,
		.on_busy = strcmp(config_text(c, CONF_ENGINE_ON_BUSY), "supersede") == 0 ? BUSY_SUPERSEDE : BUSY_REFUSE,
		.max_clones = (int)config_int(c, CONF_ENGINE_MAX_CLONES),
		.max_running = workers,
		.max_running_a_clone = workers / 2 > 0 ? workers / 2 : 1,
		.lease_ttl_ms = config_ms(c, CONF_ENGINE_LEASE_TTL),
		.lease_retry_ms = config_ms(c, CONF_ENGINE_LEASE_TTL) / 10,
		.retry_first_ms = config_ms(c, CONF_ENGINE_RETRY_FIRST),
		.retry_cap_ms = config_ms(c, CONF_ENGINE_RETRY_CAP),
		.retry_budget_ms = config_ms(c, CONF_ENGINE_RETRY_BUDGET),
		.stall_after_ms = config_ms(c, CONF_ENGINE_STALL_AFTER),
		.drain_ms = config_ms(c, CONF_ENGINE_DRAIN),
		.breaker_failures = (int)config_int(c, CONF_ENGINE_BREAKER_FAILURES),
		.breaker_open_ms = config_ms(c, CONF_ENGINE_BREAKER_OPEN),
	};
	const enum config_id rates[PORT_END] = {
		[PORT_SQL] = CONF_ENGINE_RATE_SQL,         [PORT_TENANT] = CONF_ENGINE_RATE_HOSTING,
		[PORT_IDENTITY] = CONF_ENGINE_RATE_SUPERID, [PORT_MAIL] = CONF_ENGINE_RATE_MAIL,
		[PORT_OBJECTS] = CONF_ENGINE_RATE_OBJECTS, [PORT_ARCHIVE] = CONF_ENGINE_RATE_ARCHIVE,
		[PORT_LICENCE] = CONF_ENGINE_RATE_LICENCE, [PORT_APPS] = CONF_ENGINE_RATE_APPS,
	};
	const enum config_id limits[PORT_END] = {
		[PORT_SQL] = CONF_ENGINE_LIMIT_SQL,         [PORT_TENANT] = CONF_ENGINE_LIMIT_HOSTING,
		[PORT_IDENTITY] = CONF_ENGINE_LIMIT_SUPERID, [PORT_MAIL] = CONF_ENGINE_LIMIT_MAIL,
		[PORT_OBJECTS] = CONF_ENGINE_LIMIT_OBJECTS, [PORT_ARCHIVE] = CONF_ENGINE_LIMIT_ARCHIVE,
		[PORT_LICENCE] = CONF_ENGINE_LIMIT_LICENCE, [PORT_APPS] = CONF_ENGINE_LIMIT_APPS,
	};

	for (int i = 0; i < PORT_END; i++) {
		p.port_limit[i] = (int)config_int(c, limits[i]);
		p.port_rate[i] = (int)config_int(c, rates[i]);
	}
	return p;
}
