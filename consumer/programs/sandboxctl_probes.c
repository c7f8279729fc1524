/* SPDX-License-Identifier: Apache-2.0
 * What doctor looks at, and the topics on the brokers, on the real adapters. */
#include "consumer/programs/sandboxctl_desk.h"

#include "consumer/adapters/http/http_client.h"
#include "consumer/adapters/kafka/kafka_topics.h"
#include "consumer/adapters/system/seal_openssl.h"
#include "consumer/adapters/system/secret_file.h"
#include "consumer/adapters/system/terminal.h"
#include "consumer/programs/wire_objects.h"
#include "consumer/programs/wire_sql.h"

#include <stdatomic.h>
#include <string.h>

enum { BROKERS_WITHIN_MS = 10000, CHANGED_WITHIN_MS = 20000, CONNECT_WITHIN_MS = 2000, ANSWER_WITHIN_MS = 5000 };

static struct desk *of(struct desk_port *port)
{
	return (struct desk *)port;
}

static void give_facts(const struct kafka_facts *facts, struct desk_brokers *brokers_r)
{
	brokers_r->brokers = facts->brokers;
	memcpy(brokers_r->topics, facts->topics, sizeof facts->topics);
}

static bool look_at_topics(struct desk_port *self, struct desk_brokers *brokers_r, struct err *e)
{
	struct desk *d = of(self);
	struct kafka_facts facts;

	if (!desk_kafka(d, e) || !kafka_topics_look(&d->kafka, BROKERS_WITHIN_MS, &facts, e))
		return false;
	give_facts(&facts, brokers_r);
	return true;
}

static bool change_topics(struct desk_port *self, const struct topic_change *changes, size_t count, int replicas,
			  struct err *e)
{
	struct desk *d = of(self);

	return desk_kafka(d, e) && kafka_topics_apply(&d->kafka, changes, count, replicas, CHANGED_WITHIN_MS, e);
}

static bool probe_brokers(struct desk_port *self, struct desk_brokers *brokers_r, struct err *e)
{
	struct desk *d = of(self);
	struct kafka_facts facts;

	if (!desk_kafka(d, e) || !kafka_describe(&d->kafka, BROKERS_WITHIN_MS, &facts, e))
		return false;
	give_facts(&facts, brokers_r);
	return true;
}

static const struct {
	const char *name, *path; /* path: something that the system must answer, with 404 if need be */
	enum config_id url, token_file;
} systems[DESK_SYSTEM_END] = {
	[DESK_REGISTRY] = { "registry", "/subjects", CONF_REGISTRY_URL, CONF_REGISTRY_TOKEN_FILE },
	[DESK_HOSTING] = { "hosting", "/tenants/doctor", CONF_HOSTING_URL, CONF_HOSTING_TOKEN_FILE },
	[DESK_SUPERID] = { "superid", "/tenants/doctor", CONF_SUPERID_URL, CONF_SUPERID_TOKEN_FILE },
	[DESK_MAIL] = { "mail", "/tenants/doctor", CONF_MAIL_URL, CONF_MAIL_TOKEN_FILE },
	[DESK_LICENCE] = { "licence", "/tenants/doctor", CONF_LICENCE_URL, CONF_LICENCE_TOKEN_FILE },
	[DESK_APPS] = { "apps", "/tenants/doctor", CONF_APPS_URL, CONF_APPS_TOKEN_FILE },
};

static bool get(struct http_client *client, const char *path, int *status_r, struct err *e)
{
	const struct http_request request = { .method = "GET", .path = path };
	struct http_answer answer;

	if (!http_client_send(client, &request, &answer, e))
		return false;
	*status_r = answer.status;
	return true;
}

static bool probe_reach(struct desk_port *self, enum desk_system system, int *http_status_r, struct err *e)
{
	const struct config *c = of(self)->config;
	const char *token_file = config_text(c, systems[system].token_file);
	struct http_settings settings = { .base_url = config_text(c, systems[system].url),
		.connect_timeout_ms = CONNECT_WITHIN_MS, .total_timeout_ms = ANSWER_WITHIN_MS };
	struct http_client *client = NULL;
	struct buf token;
	bool ok;

	buf_init(&token, SECRET_MAX_BYTES);
	if (!*token_file || secret_file_read_text(token_file, &token, e)) {
		settings.bearer = buf_text(&token);
		client = http_client_new(&settings, systems[system].name, NULL, e);
	}
	ok = client && get(client, systems[system].path, http_status_r, e);
	http_client_free(&client);
	secret_done(&token);
	return ok;
}

static bool probe_databases(struct desk_port *self, struct err *e)
{
	const struct config *c = of(self)->config;
	struct odbc_server *server = NULL;
	struct wire_sql sql;
	bool ok = wire_sql_init(&sql, c, e) &&
		  (strcmp(sql.settings.dialect, "sqlite") != 0 || folder_is_writable(sql.settings.folder, e));

	sql.settings.query_timeout_ms = ANSWER_WITHIN_MS;
	ok = ok && (server = odbc_server_open(&sql.settings, e));
	odbc_server_close(&server);
	wire_sql_done(&sql);
	return ok;
}

static bool probe_folder(struct desk_port *self, const char *path, struct err *e)
{
	(void)self;
	return folder_is_writable(path, e);
}

static bool probe_blobs(struct desk_port *self, struct err *e)
{
	struct wire_objects objects;
	struct files_port *port = NULL;
	bool ok = false;

	if (wire_objects(of(self)->config, &objects, e)) {
		objects.azure.connect_timeout_ms = CONNECT_WITHIN_MS;
		objects.azure.total_timeout_ms = ANSWER_WITHIN_MS;
		port = azure_files_new(&objects.azure, NULL, e);
		ok = port && azure_files_probe(port, e);
		azure_files_free(&port);
	}
	wire_objects_done(&objects);
	return ok;
}

static bool probe_secret(struct desk_port *self, enum config_id key_of_file, struct err *e)
{
	struct buf secret;
	bool ok;

	buf_init(&secret, SECRET_MAX_BYTES);
	ok = secret_file_read(config_text(of(self)->config, key_of_file), &secret, e);
	secret_done(&secret);
	return ok;
}

static bool probe_seal(struct desk_port *self, struct err *e)
{
	const struct config *c = of(self)->config;
	struct seal_port *seal;

	if (!config_need(c, CONF_SEAL_KEY_FILE, e))
		return false;
	seal = seal_openssl_new(config_text(c, CONF_SEAL_KEY_FILE), e);
	if (!seal)
		return false;
	seal_openssl_free(&seal);
	return true;
}

static bool probe_clock(struct desk_port *self)
{
	(void)self;
	return clock_is_synchronised();
}

static bool probe_survey(struct desk_port *self, sweep_fn *fn, void *arg, struct err *e)
{
	static const atomic_bool never;
	struct world_port *world = wire_world_new(of(self)->config, e);
	bool ok = world && world->survey(world, &never, fn, arg, e);

	wire_world_free(&world);
	return ok;
}

void desk_probes(struct desk_port *port)
{
	port->topics = look_at_topics;
	port->change_topics = change_topics;
	port->brokers = probe_brokers;
	port->reach = probe_reach;
	port->databases = probe_databases;
	port->folder = probe_folder;
	port->blobs = probe_blobs;
	port->secret = probe_secret;
	port->seal = probe_seal;
	port->clock_is_synchronised = probe_clock;
	port->survey = probe_survey;
}
