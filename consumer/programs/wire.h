/* SPDX-License-Identifier: Apache-2.0
 * From the configuration to the adapters: the only place that knows their concrete names. Shared by all programs. */
#ifndef SANDBOX_WIRE_H
#define SANDBOX_WIRE_H

#include "consumer/adapters/http/http_client.h"
#include "consumer/adapters/kafka/kafka_settings.h"
#include "consumer/adapters/redis/redis_settings.h"
#include "consumer/core/config.h"
#include "consumer/core/engine.h"
#include "consumer/core/log.h"
#include "consumer/core/request.h"
#include "consumer/ports/codec.h"
#include "consumer/ports/world.h"

/* Reads the file (path NULL or "": none) and then the environment. NULL and *e filled when a value is wrong. */
struct config *wire_config(const char *path, struct err *e);

/* Texts that settings borrow: keep it as long as what was made from them. */
struct wire_texts {
	struct buf servers, secret, sentinel_secret, key_secret;
	struct kafka_property properties[CONFIG_PASSTHROUGH_MAX + 2];
};
void wire_texts_done(struct wire_texts *texts);

/* Topics and direction are left to the caller. */
bool wire_kafka(const struct config *c, struct wire_texts *texts, struct kafka_settings *settings_r, struct err *e);
/* owner is left to the caller. */
bool wire_redis(const struct config *c, struct wire_texts *texts, struct redis_settings *settings_r, struct err *e);
/* The Avro codec with the shipped schemas, or with those of the configured registry. */
struct codec_port *wire_codec(const struct config *c, struct err *e);
/* Rules of requests: legal domain, whether unmasked clones are accepted. */
struct request_rules wire_request_rules(const struct config *c);
struct engine_policy wire_policy(const struct config *c);

struct wire_system { /* one outside system behind HTTP; http borrows token */
	struct http_settings http;
	struct buf token;
};

struct wire_system_keys {
	enum config_id url, token_file, connect_timeout, timeout;
};

#define WIRE_SYSTEM_KEYS(name)                                                                                         \
	{ CONF_##name##_URL, CONF_##name##_TOKEN_FILE, CONF_##name##_CONNECT_TIMEOUT, CONF_##name##_TIMEOUT }

/* Free the token with secret_done. */
bool wire_system(const struct config *c, const struct wire_system_keys *keys, struct wire_system *system_r, struct err *e);

/* What is remembered of clones; connects when first asked. */
struct records_port *wire_records_new(const struct config *c, struct err *e);
void wire_records_free(struct records_port **records); /* NULL-safe */

/* Where the steps act. NULL and *e filled when a system is not configured or cannot be opened. */
struct world_port *wire_world_new(const struct config *c, struct err *e);
/* Every session must be closed before. NULL-safe. */
void wire_world_free(struct world_port **world);

#endif
