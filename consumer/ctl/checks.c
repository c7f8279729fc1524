/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/ctl/checks.h"

#include "consumer/ctl/human.h"
#include "consumer/ctl/look.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void checks_add(struct checks *k, const char *name, enum check_result result, const char *fix, const char *fmt, ...)
{
	struct check *row = &k->rows[k->count];
	va_list ap;

	if (k->count == CHECKS_MAX)
		return; /* there are fewer looks than that */
	k->count++;
	row->name = name;
	row->result = result;
	row->fix = fix;
	va_start(ap, fmt);
	vsnprintf(row->text, sizeof row->text, fmt, ap);
	va_end(ap);
}

void checks_add_err(struct checks *k, const char *name, const char *fix, const struct err *e)
{
	checks_add(k, name, CHECK_BAD, fix, "%s", e->text);
}

const char *check_result_name(enum check_result result)
{
	static const char *const names[CHECK_RESULT_END] = { "ok", "warning", "bad", "skipped" };

	return names[(unsigned)result < CHECK_RESULT_END ? result : CHECK_BAD];
}

void checks_print(const struct checks *k, bool colors, bool utf8, struct buf *out)
{
	static const enum step_state like[CHECK_RESULT_END] = { STEP_IS_DONE, STEP_IS_WAITING, STEP_IS_FAILED,
		STEP_IS_SKIPPED };

	for (size_t i = 0; i < k->count; i++) {
		const struct check *row = &k->rows[i];
		enum step_state state = like[row->result];

		buf_printf(out, "%s%s%s %-14s ", look_color(state, colors), look_glyph(state, utf8),
			   look_color_end(colors), row->name);
		human_text(out, row->text, strlen(row->text));
		if (row->fix[0] && row->result != CHECK_WELL)
			buf_printf(out, ". Fix: %s", row->fix);
		buf_add_text(out, "\n");
	}
}

/* ---- Kafka ---- */

static void check_topic(const struct desk_brokers *b, enum topic topic, struct checks *k)
{
	const struct topic_facts *t = &b->topics[topic];
	const char *name = topic_name(topic);

	if (!t->exists)
		checks_add(k, "topic", CHECK_BAD, "make it: sandboxctl topics apply", "%s does not exist",
			   name);
	else if (t->without_leader)
		checks_add(k, "topic", CHECK_BAD, "look at the brokers", "%s: nobody serves %d of %d partitions", name,
			t->without_leader, t->partitions);
	else if (t->in_sync < t->replicas)
		checks_add(k, "topic", CHECK_WARNING, "look at the brokers", "%s: %d of %d replicas in sync", name,
			   t->in_sync, t->replicas);
}

void checks_brokers(struct ctl *c, struct checks *k)
{
	struct desk_brokers b = { 0 };
	struct err e = { 0 };
	size_t before = k->count + 1;

	if (!c->desk->brokers(c->desk, &b, &e)) {
		checks_add_err(k, "kafka", "set [kafka] bootstrap.servers, start the brokers, check the network", &e);
		return;
	}
	checks_add(k, "kafka", CHECK_WELL, "", "%d broker%s answer%s", b.brokers, b.brokers == 1 ? "" : "s",
		b.brokers == 1 ? "s" : "");
	for (enum topic t = TOPIC_REQUESTED; t < TOPIC_END; t++)
		check_topic(&b, t, k);
	if (k->count == before)
		checks_add(k, "topics", CHECK_WELL, "", "all %d are there, %d partitions for requests", TOPIC_END - 1,
			b.topics[TOPIC_REQUESTED].partitions);
}

/* What we would send can be encoded: with a registry that means it answers and knows our schemas. */
void checks_codec(struct ctl *c, struct checks *k)
{
	bool has_registry = *config_text(c->desk->config(c->desk), CONF_REGISTRY_URL);
	struct message m = { .kind = MESSAGE_CONTROL, .control = { .clone_id = "0", .target_ctx = "doctor",
		.verb = CONTROL_RETRY_NOW, .reason = "", .requested_by = "doctor" } };
	struct codec_port *codec;
	struct err e = { 0 };
	struct buf value;

	buf_init(&value, RECORD_MAX_BYTES);
	codec = c->desk->codec(c->desk, &e);
	if (codec && codec->encode(codec, &m, &value, &e))
		checks_add(k, "schemas", CHECK_WELL, "", has_registry ? "the registry knows them" :
			"those of this program; no registry is configured");
	else
		checks_add_err(k, "schemas", "start the registry, or register schemas/*.avsc there", &e);
	buf_done(&value);
}

/* ---- Redis ---- */

void checks_store(struct ctl *c, struct checks *k)
{
	struct err e = { 0 };
	struct inspect_port *inspect = c->desk->inspect(c->desk, &e);
	struct inspect_health h;

	if (!inspect || !inspect->health(inspect, c->mem, &h, &e)) {
		checks_add_err(k, "redis", "start the server, or set [redis] socket, host and port", &e);
		return;
	}
	if (h.problem[0])
		checks_add(k, "redis", CHECK_BAD, "see docs/redis.md", "%s", h.problem);
	else if (h.warning[0])
		checks_add(k, "redis", CHECK_WARNING, "see docs/redis.md", "%s", h.warning);
	else
		checks_add(k, "redis", CHECK_WELL, "", "%s %s, append-only file %s, %lld us a round trip", h.role,
			   h.version, h.aof_enabled ? "on" : "off", (long long)h.latency_us);
}

/* ---- databases and files ---- */

static void check_folder(struct ctl *c, struct checks *k, const char *name, enum config_id id)
{
	const char *path = config_text(c->desk->config(c->desk), id);
	struct err e = { 0 };

	if (!*path)
		checks_add(k, name, CHECK_BAD, "set it", "[%s] %s is not set", config_rows[id].section,
			   config_rows[id].key);
	else if (!c->desk->folder(c->desk, path, &e))
		checks_add_err(k, name, "make the folder, or give this user the right to write there", &e);
	else
		checks_add(k, name, CHECK_WELL, "", "%s can be written", path);
}

static void check_objects(struct ctl *c, struct checks *k)
{
	const struct config *config = c->desk->config(c->desk);
	struct err e = { 0 };

	if (strcmp(config_text(config, CONF_OBJECTS_KIND), "azure") != 0)
		check_folder(c, k, "objects", CONF_FILES_OBJECTS_ROOT);
	else if (!c->desk->blobs(c->desk, &e))
		checks_add_err(k, "objects", "look at [objects] url and its key or SAS, and at the container's rights", &e);
	else
		checks_add(k, "objects", CHECK_WELL, "", "%s can be listed and written",
			   config_text(config, CONF_OBJECTS_URL));
}

void checks_databases(struct ctl *c, struct checks *k)
{
	struct err e = { 0 };

	if (c->desk->databases(c->desk, &e))
		checks_add(k, "sql", CHECK_WELL, "", "driver %s, dialect %s",
			config_text(c->desk->config(c->desk), CONF_SQL_DRIVER),
			config_text(c->desk->config(c->desk), CONF_SQL_DIALECT));
	else
		checks_add_err(k, "sql", "install the ODBC driver, and set [sql] driver and folder", &e);
	check_objects(c, k);
	check_folder(c, k, "archive", CONF_FILES_ARCHIVE_ROOT);
}

/* ---- what lies behind a URL ---- */

static const struct {
	const char *name;
	enum config_id url, token_file;
	bool may_be_none;
} systems[DESK_SYSTEM_END] = {
	[DESK_REGISTRY] = { "registry", CONF_REGISTRY_URL, CONF_REGISTRY_TOKEN_FILE, true },
	[DESK_HOSTING] = { "hosting", CONF_HOSTING_URL, CONF_HOSTING_TOKEN_FILE, false },
	[DESK_SUPERID] = { "superid", CONF_SUPERID_URL, CONF_SUPERID_TOKEN_FILE, false },
	[DESK_MAIL] = { "mail", CONF_MAIL_URL, CONF_MAIL_TOKEN_FILE, false },
	[DESK_LICENCE] = { "licence", CONF_LICENCE_URL, CONF_LICENCE_TOKEN_FILE, false },
	[DESK_APPS] = { "apps", CONF_APPS_URL, CONF_APPS_TOKEN_FILE, false },
};

static void check_system(struct ctl *c, struct checks *k, enum desk_system system)
{
	const char *name = systems[system].name, *url = config_text(c->desk->config(c->desk), systems[system].url);
	struct err e = { 0 };
	int status = 0;

	if (!*url && systems[system].may_be_none)
		return;
	if (!*url)
		checks_add(k, name, CHECK_BAD, "set its URL", "[%s] url is not set", name);
	else if (!c->desk->reach(c->desk, system, &status, &e))
		checks_add_err(k, name, "start it, or correct its URL", &e);
	else if (status == 401 || status == 403)
		checks_add(k, name, CHECK_BAD, "put a valid token into its token_file", "it refuses our token (%d)",
			   status);
	else if (status >= 500)
		checks_add(k, name, CHECK_WARNING, "look at its own health", "it answers, with status %d", status);
	else
		checks_add(k, name, CHECK_WELL, "", "it answers");
}

void checks_systems(struct ctl *c, struct checks *k)
{
	for (enum desk_system s = DESK_REGISTRY; s < DESK_SYSTEM_END; s++)
		check_system(c, k, s);
}

/* ---- secrets, clock ---- */

void checks_secrets(struct ctl *c, struct checks *k)
{
	const struct config *config = c->desk->config(c->desk);
	struct err seal = { 0 };
	int well = 0;

	for (int i = 0; i < CONFIG_END; i++) {
		struct err e = { 0 };

		if (config_rows[i].type != CONFIG_SECRET || !*config_text(config, (enum config_id)i))
			continue;
		if (c->desk->secret(c->desk, (enum config_id)i, &e))
			well++;
		else
			checks_add_err(k, "secret", "chmod 600 the file, and own it", &e);
	}
	if (well)
		checks_add(k, "secrets", CHECK_WELL, "", "%d file%s that only this user can read", well,
			   well == 1 ? "" : "s");
	if (c->desk->seal(c->desk, &seal))
		checks_add(k, "seal", CHECK_WELL, "", "its key can be read");
	else
		checks_add_err(k, "seal", "set [seal] key_file to a file of 32 bytes or more: head -c 32 /dev/urandom",
			       &seal);
}

void checks_clock(struct ctl *c, struct checks *k)
{
	const int64_t year_2025_ms = INT64_C(1735689600000), year_2100_ms = INT64_C(4102444800000);

	if (c->now_ms < year_2025_ms || c->now_ms > year_2100_ms)
		checks_add(k, "clock", CHECK_BAD, "set it, and keep it right with NTP",
			   "the clock of this machine is wrong");
	else if (!c->desk->clock_is_synchronised(c->desk))
		checks_add(k, "clock", CHECK_WARNING, "start an NTP client",
			   "nobody keeps the clock of this machine right");
	else
		checks_add(k, "clock", CHECK_WELL, "", "kept right");
}

/* ---- what nobody needs any more: a sweep without its drops ---- */

enum { ORPHANS_SHOWN = 5 };

struct orphans {
	struct checks *k;
	int count, kept;
};

static bool take_orphan(void *arg, const struct sweep_found *found, struct err *e)
{
	struct orphans *o = arg;

	(void)e;
	if (found->kind == SWEEP_PREVIOUS) {
		o->kept++;
		return true;
	}
	if (o->count++ < ORPHANS_SHOWN)
		checks_add(o->k, "orphan", CHECK_WARNING, "nothing, the sweep drops it; see [sweep] every and age",
			   "%s: nobody's record names this database of %s", found->database, found->target_ctx);
	return true;
}

void checks_orphans(struct ctl *c, struct checks *k)
{
	struct orphans o = { .k = k };
	struct err e = { 0 };

	if (!c->desk->survey(c->desk, take_orphan, &o, &e))
		checks_add(k, "orphans", CHECK_SKIPPED, "", "nobody could look: %.250s", e.text);
	else if (o.count > ORPHANS_SHOWN)
		checks_add(k, "orphans", CHECK_WARNING, "", "and %d more", o.count - ORPHANS_SHOWN);
	else if (!o.count)
		checks_add(k, "orphans", CHECK_WELL, "", "none; %d previous sandbox%s kept", o.kept,
			   o.kept == 1 ? " is" : "es are");
}
