/* SPDX-License-Identifier: Apache-2.0
 * State on disk: <dir>/<system>.json, replaced as a whole by rename now and then, and the record of calls, whose line is
 * written before an answer leaves. So a SIGKILL loses nothing that was acknowledged, and an order costs one line. It is
 * not synced: losing the machine's power is not what stubs are for. */
#include "compose/stubs/stubs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const struct system *const systems[SYSTEM_END] = {
	[SYSTEM_HOSTING] = &hosting_system, [SYSTEM_SUPERID] = &superid_system, [SYSTEM_MAIL] = &mail_system,
	[SYSTEM_LICENCE] = &licence_system, [SYSTEM_APPS] = &apps_system,
};

static bool path_of(const struct store *s, enum system_id id, const char *ending, char *path_r, size_t size)
{
	int len = snprintf(path_r, size, "%s/%s.json%s", s->dir, systems[id]->name, ending);

	return len > 0 && (size_t)len < size;
}

static bool load(struct store *s, enum system_id id)
{
	char path[4096];
	json_t *root;

	if (!path_of(s, id, "", path, sizeof path))
		return false;
	root = json_load_file(path, 0, NULL);
	if (!root)
		return false;
	json_decref(s->root[id]);
	s->root[id] = root;
	if (json_integer_value(json_object_get(root, "seq")) > s->seq)
		s->seq = json_integer_value(json_object_get(root, "seq"));
	return true;
}

static bool save(const struct store *s, enum system_id id)
{
	char path[4096], fresh[4096];

	json_object_set_new(s->root[id], "seq", json_integer((json_int_t)s->seq));
	return path_of(s, id, "", path, sizeof path) && path_of(s, id, ".new", fresh, sizeof fresh) &&
	       json_dump_file(s->root[id], fresh, JSON_INDENT(1)) == 0 && rename(fresh, path) == 0;
}

/* Hosting last: its file says that a seed is complete. */
bool store_save(struct store *s)
{
	s->since = 0; /* also when it fails: later is soon enough */
	for (int id = SYSTEM_END - 1; id >= 0; id--)
		if (!save(s, (enum system_id)id))
			return false;
	return true;
}

bool store_load(struct store *s)
{
	bool ok = true;

	for (int id = 0; id < SYSTEM_END; id++)
		ok &= load(s, (enum system_id)id);
	return ok;
}

static bool seed_all(struct store *s, const json_t *seed, struct problem *p)
{
	for (int id = 0; id < SYSTEM_END; id++) {
		json_t *data = systems[id]->seed(seed, p);

		if (!data)
			return false;
		json_decref(s->root[id]);
		s->root[id] = json_pack("{sos{}s{}}", "data", data, "tokens", "keys");
	}
	return store_save(s) || seed_failed(p, "cannot write to the state folder") != NULL;
}

static bool check_members(const json_t *seed, struct problem *p)
{
	static const char *const known[] = { "settings", "tenants", "identities", "routes", "licences",
		                             "authorisations" };
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)seed, name, value) {
		size_t i = 0;

		while (i < sizeof known / sizeof *known && strcmp(known[i], name) != 0)
			i++;
		if (i == sizeof known / sizeof *known)
			return seed_failed(p, "\"%s\" is not known in a seed", name) != NULL;
	}
	return true;
}

static bool seed_from(struct store *s, const char *seed_path, struct problem *p)
{
	json_error_t at = { .line = 0 };
	json_t *seed = seed_path ? json_load_file(seed_path, JSON_REJECT_DUPLICATES, &at) : json_object();
	bool ok;

	if (json_is_object(seed))
		ok = check_members(seed, p) && seed_all(s, seed, p);
	else
		ok = seed_failed(p, "the seed is no JSON object: line %d: %s", at.line, at.text) != NULL;
	json_decref(seed);
	return ok;
}

bool store_open(struct store *s, const char *dir, const char *seed_path, struct problem *p)
{
	*s = (struct store){ .dir = strdup(dir) };
	if (!s->dir)
		return seed_failed(p, "out of memory") != NULL;
	mkdir(dir, 0700); /* what fails here fails again, and is told, when a file is written */
	if (!load(s, SYSTEM_HOSTING))
		return seed_from(s, seed_path, p);
	for (int id = 0; id < SYSTEM_END; id++)
		if (!load(s, (enum system_id)id))
			return seed_failed(p, "%s.json in the state folder is missing or no JSON", systems[id]->name) !=
			       NULL;
	return true;
}

void store_close(struct store *s)
{
	for (int id = 0; id < SYSTEM_END; id++)
		json_decref(s->root[id]);
	free(s->dir);
	*s = (struct store){ 0 };
}
