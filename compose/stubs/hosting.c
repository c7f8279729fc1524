/* SPDX-License-Identifier: Apache-2.0
 * Hosting: the tenant registry. Data: {"settings": {...}, "tenants": {ctx: record}}; a record has the members of the
 * contract, but "tasks" and "web_config" are lists of what is still running. Time passes in it by being looked at:
 * a task that "ends_after_reads" is shown that many times. It refuses every order for a production tenant. */
#include "compose/stubs/stubs.h"

#include <string.h>
#include <time.h>

static const char *const states[] = { "Unknown", "Provisioning", "Running", "Deleted", "Suspended",
	                              "OnlineMaintenance", "OfflineMaintenance", "ProvisioningFailed", "Deleting",
	                              "DeleteFailed", "MigrationPending" };

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- tasks ---- */

static void add_task(json_t *data, json_t *tenant, const char *list, const char *name, const char *setting)
{
	json_t *reads = json_object_get(json_object_get(data, "settings"), setting);

	if (json_integer_value(reads) > 0)
		json_array_append_new(json_object_get(tenant, list),
		                      json_pack("{sssI}", "name", name, "ends_after_reads",
		                                json_integer_value(reads)));
}

/* Does it still run at this look? Counts the look. */
static bool task_runs(json_t *task, bool *counted)
{
	json_t *reads = json_object_get(task, "ends_after_reads");

	if (!reads)
		return json_integer_value(json_object_get(task, "ends_at_ms")) > now_ms();
	*counted = true;
	if (json_integer_value(reads) <= 0)
		return false;
	json_integer_set(reads, json_integer_value(reads) - 1);
	return true;
}

static json_int_t count_running(json_t *tasks, bool *counted)
{
	json_int_t running = 0;

	for (size_t i = 0; i < json_array_size(tasks);) {
		if (task_runs(json_array_get(tasks, i), counted)) {
			running++;
			i++;
			continue;
		}
		json_array_remove(tasks, i);
		*counted = true;
	}
	return running;
}

/* ---- looks ---- */

static json_t *find(json_t *data, const struct call *c, struct reply *r)
{
	json_t *tenant = json_object_get(json_object_get(data, "tenants"), c->ctx);

	if (!tenant)
		reply_problem(r, 404, "not-found", "No such tenant", "Hosting knows no tenant %s", c->ctx);
	return tenant;
}

static void get_tenant(json_t *data, const struct call *c, struct reply *r)
{
	json_t *tenant = find(data, c, r), *shown;
	json_int_t tasks, web_config;

	if (!tenant)
		return;
	tasks = count_running(json_object_get(tenant, "tasks"), &r->is_counted);
	web_config = count_running(json_object_get(tenant, "web_config"), &r->is_counted);
	shown = json_copy(tenant);
	json_object_del(shown, "tasks");
	json_object_del(shown, "web_config");
	json_object_set_new(shown, "pending_tasks", json_integer(tasks));
	json_object_set_new(shown, "pending_web_config", json_integer(web_config));
	reply_with(r, 200, shown);
}

/* ---- orders ---- */

static json_t *find_test(json_t *data, const struct call *c, struct reply *r)
{
	json_t *tenant = find(data, c, r);

	if (!tenant || strcmp(json_string_value(json_object_get(tenant, "kind")), "test") == 0)
		return tenant;
	reply_problem(r, 403, "not-a-sandbox", "Not a test tenant", "%s is a production tenant", c->ctx);
	return NULL;
}

static bool is_state(const char *name)
{
	for (size_t i = 0; i < sizeof states / sizeof *states; i++)
		if (strcmp(states[i], name) == 0)
			return true;
	return false;
}

static void put_state(json_t *data, const struct call *c, struct reply *r)
{
	json_t *tenant = find_test(data, c, r);
	const char *state = tenant ? body_text(c, "state", r) : NULL;

	if (!state)
		return;
	if (!is_state(state)) {
		reply_problem(r, 400, "bad-request", "No such state", "%s is none of the eleven states", state);
		return;
	}
	reply_receipt(r, put_text(tenant, "state", state));
	if (r->is_changed)
		add_task(data, tenant, "tasks", "Change state", "state_task_reads");
}

static void put_clusters(json_t *data, const struct call *c, struct reply *r)
{
	json_t *tenant = find_test(data, c, r);
	const char *web = tenant ? body_text(c, "web_cluster", r) : NULL;
	const char *db = web ? body_text(c, "db_cluster", r) : NULL;
	bool is_changed;

	if (!db)
		return;
	is_changed = put_text(tenant, "web_cluster", web);
	is_changed |= put_text(tenant, "db_cluster", db);
	reply_receipt(r, is_changed);
}

static const char *member(const json_t *tenant, const char *name)
{
	return json_string_value(json_object_get(tenant, name));
}

/* What is in service becomes the previous one. */
static void retire_current(json_t *tenant)
{
	put_text(tenant, "previous_database", member(tenant, "database"));
	put_text(tenant, "previous_files_root", member(tenant, "files_root"));
	put_text(tenant, "database", "");
	put_text(tenant, "files_root", "");
}

static void forget(json_t *tenant)
{
	put_text(tenant, "previous_database", "");
	put_text(tenant, "previous_files_root", "");
}

static void post_retire(json_t *data, const struct call *c, struct reply *r)
{
	json_t *tenant = find_test(data, c, r);
	bool is_changed;

	if (!tenant)
		return;
	is_changed = *member(tenant, "database") || *member(tenant, "files_root");
	if (is_changed)
		retire_current(tenant);
	reply_receipt(r, is_changed);
}

static void put_route(json_t *data, const struct call *c, struct reply *r)
{
	json_t *tenant = find_test(data, c, r);
	const char *database = tenant ? body_text(c, "database", r) : NULL;
	const char *files_root = database ? body_text(c, "files_root", r) : NULL;
	bool was_previous;

	if (!files_root)
		return;
	if (strcmp(member(tenant, "database"), database) == 0 &&
	    strcmp(member(tenant, "files_root"), files_root) == 0) {
		reply_receipt(r, false);
		return;
	}
	was_previous = strcmp(member(tenant, "previous_database"), database) == 0;
	if (*member(tenant, "database"))
		retire_current(tenant);
	else if (was_previous)
		forget(tenant);
	put_text(tenant, "database", database);
	put_text(tenant, "files_root", files_root);
	add_task(data, tenant, "web_config", "Write web server configuration", "web_config_reads");
	reply_receipt(r, true);
}

static void post_forget_previous(json_t *data, const struct call *c, struct reply *r)
{
	json_t *tenant = find_test(data, c, r);
	bool is_changed;

	if (!tenant)
		return;
	is_changed = *member(tenant, "previous_database") || *member(tenant, "previous_files_root");
	forget(tenant);
	reply_receipt(r, is_changed);
}

static void post_recycle(json_t *data, const struct call *c, struct reply *r)
{
	json_t *tenant = find_test(data, c, r);

	if (!tenant)
		return;
	put_text(tenant, "pool_recycled_by", c->key);
	add_task(data, tenant, "web_config", "Recycle application pool", "web_config_reads");
	reply_receipt(r, true);
}

static void put_stamp(json_t *data, const struct call *c, struct reply *r)
{
	static const char *const names[] = { "clone_id", "source_ctx", "database", "token" };
	json_t *tenant = find_test(data, c, r);
	bool is_changed = false;

	for (size_t i = 0; tenant && i < sizeof names / sizeof *names; i++)
		if (!body_text(c, names[i], r))
			return;
	for (size_t i = 0; tenant && i < sizeof names / sizeof *names; i++)
		is_changed |= put_text(json_object_get(tenant, "stamp"), names[i], body_text(c, names[i], r));
	if (tenant)
		reply_receipt(r, is_changed);
}

/* ---- seed ---- */

static bool seed_tasks(json_t *tenant, const char *list, struct problem *p)
{
	json_t *task, *duration;
	size_t i;

	json_array_foreach(json_object_get(tenant, list), i, task) {
		duration = json_object_get(task, "ends_after_ms");
		if (json_is_integer(duration)) {
			json_object_set_new(task, "ends_at_ms", json_integer(now_ms() + json_integer_value(duration)));
			json_object_del(task, "ends_after_ms");
		} else if (!json_is_integer(json_object_get(task, "ends_after_reads"))) {
			return seed_failed(p, "each of \"%s\" needs ends_after_reads or ends_after_ms", list) != NULL;
		}
	}
	return true;
}

static json_t *seed_tenant(const json_t *from, struct problem *p)
{
	static const struct seed_field fields[] = {
		{ "ctx", JSON_STRING, NULL },              { "kind", JSON_STRING, NULL },
		{ "state", JSON_STRING, "Running" },       { "linked_source", JSON_STRING, "" },
		{ "company", JSON_STRING, "" },            { "database", JSON_STRING, "" },
		{ "files_root", JSON_STRING, "" },         { "previous_database", JSON_STRING, "" },
		{ "previous_files_root", JSON_STRING, "" }, { "home_web_cluster", JSON_STRING, "" },
		{ "home_db_cluster", JSON_STRING, "" },    { "web_cluster", JSON_STRING, "" },
		{ "db_cluster", JSON_STRING, "" },         { "endpoint", JSON_STRING, "" },
		{ "version_name", JSON_STRING, "" },       { "file_version", JSON_STRING, "" },
		{ "tasks", JSON_ARRAY, NULL },             { "web_config", JSON_ARRAY, NULL },
	};
	json_t *tenant = seed_object(from, fields, sizeof fields / sizeof *fields, p);

	if (!tenant)
		return NULL;
	if (!seed_tasks(tenant, "tasks", p) || !seed_tasks(tenant, "web_config", p)) {
		json_decref(tenant);
		return NULL;
	}
	json_object_set_new(tenant, "pool_recycled_by", json_string(""));
	json_object_set_new(tenant, "stamp", json_pack("{ssssssss}", "clone_id", "", "source_ctx", "", "database", "",
	                                               "token", "0"));
	return tenant;
}

static json_t *seed_settings(const json_t *seed, struct problem *p)
{
	static const struct { const char *name; json_int_t or_else; } known[] = { { "web_config_reads", 2 },
		                                                                  { "state_task_reads", 1 } };
	const json_t *given = json_object_get(seed, "settings");
	json_t *settings = json_object();
	size_t found = 0;

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		const json_t *value = json_object_get(given, known[i].name);

		found += json_is_integer(value);
		json_object_set_new(settings, known[i].name,
		                    json_integer(value ? json_integer_value(value) : known[i].or_else));
	}
	if (found == json_object_size(given))
		return settings;
	json_decref(settings);
	return seed_failed(p, "\"settings\" may have the whole numbers web_config_reads and state_task_reads");
}

static json_t *seed_hosting(const json_t *seed, struct problem *p)
{
	json_t *settings = seed_settings(seed, p), *tenants = settings ? seed_by_key(seed, "tenants", "ctx", seed_tenant, p) : NULL;

	if (tenants)
		return json_pack("{soso}", "settings", settings, "tenants", tenants);
	json_decref(settings);
	return NULL;
}

static const struct operation operations[] = {
	{ "GET", "/tenants/{ctx}", get_tenant },
	{ "PUT", "/tenants/{ctx}/state", put_state },
	{ "PUT", "/tenants/{ctx}/clusters", put_clusters },
	{ "PUT", "/tenants/{ctx}/route", put_route },
	{ "POST", "/tenants/{ctx}/retire", post_retire },
	{ "POST", "/tenants/{ctx}/recycle", post_recycle },
	{ "POST", "/tenants/{ctx}/forget-previous", post_forget_previous },
	{ "PUT", "/tenants/{ctx}/stamp", put_stamp },
};

const struct system hosting_system = { "hosting", operations, sizeof operations / sizeof *operations, seed_hosting };
