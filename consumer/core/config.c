/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/core/config.h"

#include "consumer/core/config_priv.h"

#include <stdlib.h>
#include <string.h>

enum { MEMORY_MAX_BYTES = 4 * 1024 * 1024, NAME_MAX_BYTES = 128, SHOWN_VALUE = 40 };

const struct config_row config_rows[CONFIG_END] = {
#define CONF(id, section, key, type, standard, limits, sentence)                                                       \
	[CONF_##id] = { #section, key, CONFIG_##type, standard, limits, sentence },
#include "consumer/core/config.def"
};

const struct config_section config_sections[] = {
#define SECTION(name, sentence) { #name, sentence },
#include "consumer/core/config.def"
};
const size_t config_section_count = sizeof config_sections / sizeof config_sections[0];

struct config *config_new(void)
{
	struct config *c = calloc(1, sizeof *c);
	struct buf why;
	bool ok = c && (c->mem = arena_new(MEMORY_MAX_BYTES));

	buf_init(&why, 512);
	for (size_t i = 0; ok && i < CONFIG_END; i++) {
		const struct config_row *row = &config_rows[i];

		ok = config_value_read(row, row->standard, strlen(row->standard), c->mem, &c->values[i], &why);
		c->values[i].origin.from = CONFIG_FROM_DEFAULT;
	}
	buf_done(&why);
	if (!ok)
		config_free(&c);
	return c;
}

void config_free(struct config **c)
{
	if (!c || !*c)
		return;
	arena_free(&(*c)->mem);
	free(*c);
	*c = NULL;
}

/* ---- the nearest name ---- */

static size_t smallest(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

static size_t edit_distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_BYTES + 1], len = strlen(b);

	if (len > NAME_MAX_BYTES)
		return SIZE_MAX;
	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		size_t corner = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < len; j++) {
			size_t cost = corner + (a[i] != b[j]);

			corner = row[j + 1];
			row[j + 1] = smallest(row[j] + 1, corner + 1, cost);
		}
	}
	return row[len];
}

const char *config_nearest(const char *text, const char *const *names, size_t count)
{
	const char *nearest = NULL;
	size_t best = strlen(text) / 3 + 2; /* farther away it is no typing error any more */

	for (size_t i = 0; i < count && strlen(text) <= NAME_MAX_BYTES; i++) {
		size_t distance = edit_distance(text, names[i]);

		if (distance < best) {
			best = distance;
			nearest = names[i];
		}
	}
	return nearest;
}

/* ---- setting ---- */

bool config_origin_text(const struct config_origin *origin, struct buf *out)
{
	switch (origin->from) {
	case CONFIG_FROM_FILE:
		return buf_printf(out, "%s:%d", origin->name, origin->line);
	case CONFIG_FROM_ENVIRONMENT:
		return buf_printf(out, "environment %s", origin->name);
	case CONFIG_FROM_FLAG:
		return buf_printf(out, "flag %s", origin->name);
	default:
		return buf_add_text(out, "default");
	}
}

/* "/etc/sandbox.ini:12: [redis] sokcet: " and then the sentence. */
static bool refuse(struct err *e, const struct config_origin *origin, const char *section, const char *key,
                   const char *sentence)
{
	struct buf place;

	buf_init(&place, 256);
	config_origin_text(origin, &place);
	err_set(e, ERR_REFUSED, 0, "config", "%s: [%.40s] %.60s%s%s", buf_text(&place), section, key, *key ? ": " : "",
	        sentence);
	buf_done(&place);
	return false;
}

static bool refuse_unknown(struct err *e, const struct config_origin *origin, const char *section, const char *key)
{
	const char *names[CONFIG_END], *nearest;
	size_t sections = 0, keys = 0;
	struct buf sentence;

	for (size_t i = 0; i < config_section_count; i++)
		sections += strcmp(config_sections[i].name, section) == 0;
	for (size_t i = 0; i < CONFIG_END; i++) {
		if (strcmp(config_rows[i].section, section) == 0)
			names[keys++] = config_rows[i].key;
	}
	for (size_t i = 0; !sections && i < config_section_count; i++)
		names[i] = config_sections[i].name;
	nearest = config_nearest(sections ? key : section, names, sections ? keys : config_section_count);
	buf_init(&sentence, 512);
	buf_printf(&sentence, "there is no such %s", sections ? "key" : "section");
	if (nearest)
		buf_printf(&sentence, "; did you mean %s?", nearest);
	refuse(e, origin, section, sections ? key : "", buf_text(&sentence));
	buf_done(&sentence);
	return false;
}

static bool refuse_value(struct err *e, const struct config_origin *origin, const struct config_row *row,
                         const char *value, const struct buf *why)
{
	struct buf sentence;

	buf_init(&sentence, 512);
	buf_printf(&sentence, "expected %s", buf_text(why));
	/* A wrong secret may be the secret itself, and an address is nobody's business. */
	if (row->type != CONFIG_SECRET && !strchr(value, '@')) {
		buf_add_text(&sentence, ", not \"");
		for (size_t i = 0; value[i] && i < SHOWN_VALUE; i++)
			buf_printf(&sentence, "%c", (unsigned char)value[i] < ' ' ? '?' : value[i]);
		buf_add_text(&sentence, strlen(value) > SHOWN_VALUE ? "...\"" : "\"");
	}
	refuse(e, origin, row->section, row->key, buf_text(&sentence));
	buf_done(&sentence);
	return false;
}

/* A later source wins; the same line of the same file read twice is a mistake of the caller, not of the file. */
static bool may_replace(const struct config_origin *old, const struct config_origin *new, bool *twice_r)
{
	*twice_r = old->from == CONFIG_FROM_FILE && new->from == CONFIG_FROM_FILE && strcmp(old->name, new->name) == 0;
	return !*twice_r && new->from >= old->from;
}

static bool keep_origin(struct config *c, const struct config_origin *origin, struct config_origin *origin_r)
{
	*origin_r = *origin;
	origin_r->name = arena_text(c->mem, origin->name ? origin->name : "", origin->name ? strlen(origin->name) : 0);
	return origin_r->name;
}

static bool set_row(struct config *c, enum config_id id, const char *value, const struct config_origin *origin,
                    struct err *e)
{
	const struct config_row *row = &config_rows[id];
	struct config_value *old = &c->values[id], v;
	bool twice, ok;
	struct buf why;

	buf_init(&why, 256);
	ok = config_value_read(row, value, strlen(value), c->mem, &v, &why);
	if (!ok)
		refuse_value(e, origin, row, value, &why);
	buf_done(&why);
	if (!ok)
		return false;
	if (may_replace(&old->origin, origin, &twice)) {
		if (!keep_origin(c, origin, &v.origin))
			return refuse(e, origin, row->section, row->key, "no memory left for it");
		*old = v;
	}
	return !twice || refuse(e, origin, row->section, row->key, "is set twice in this file");
}

/* ---- librdkafka's properties ---- */

bool config_is_secret_property(const char *key)
{
	static const char *const parts[] = { "password", "secret", ".pem", "oauthbearer.config", "token" };
	size_t len = strlen(key);

	if (len > 5 && strcmp(key + len - 5, "_file") == 0) /* only the place of one */
		return false;
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		if (strstr(key, parts[i]))
			return true;
	}
	return false;
}

static bool is_property_name(const char *key)
{
	return key[0] >= 'a' && key[0] <= 'z' && strlen(key) <= NAME_MAX_BYTES &&
	       key[strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789._")] == '\0';
}

static struct config_property *find_property(struct config *c, const char *key)
{
	for (size_t i = 0; i < c->property_count; i++) {
		if (strcmp(c->properties[i].pair.name, key) == 0)
			return &c->properties[i];
	}
	return NULL;
}

static bool set_property(struct config *c, const char *key, const char *value, const struct config_origin *origin,
                         struct err *e)
{
	struct config_property *p = find_property(c, key), new = { 0 };
	bool twice = false;

	if (!is_property_name(key))
		return refuse(e, origin, "kafka", key, "this cannot be a librdkafka property");
	if (p && !may_replace(&p->origin, origin, &twice))
		return !twice || refuse(e, origin, "kafka", key, "is set twice in this file");
	if (!p && c->property_count == CONFIG_PASSTHROUGH_MAX)
		return refuse(e, origin, "kafka", key, "too many properties");
	new.pair.name = arena_text(c->mem, key, strlen(key));
	new.pair.value = arena_text(c->mem, value, strlen(value));
	if (!new.pair.name || !new.pair.value || !keep_origin(c, origin, &new.origin))
		return refuse(e, origin, "kafka", key, "no memory left for it");
	if (!p)
		p = &c->properties[c->property_count++];
	*p = new;
	c->pairs[p - c->properties] = new.pair;
	return true;
}

static bool set_any(struct config *c, const char *section, const char *key, const char *value,
                    const struct config_origin *origin, struct err *e)
{
	if (strlen(value) > CONFIG_VALUE_MAX)
		return refuse(e, origin, section, key, "the value is longer than 4096 bytes");
	for (size_t i = 0; i < CONFIG_END; i++) {
		if (strcmp(config_rows[i].section, section) == 0 && strcmp(config_rows[i].key, key) == 0)
			return set_row(c, (enum config_id)i, value, origin, e);
	}
	if (strcmp(section, "kafka") == 0)
		return set_property(c, key, value, origin, e);
	return refuse_unknown(e, origin, section, key);
}

bool config_set(struct config *c, const char *section, const char *key, const char *value,
                const struct config_origin *origin, struct err *e)
{
	if (set_any(c, section, key, value, origin, e))
		return true;
	if (!arena_is_short(c->mem))
		return false;
	err_clear(e); /* nobody's line is wrong */
	return err_set(e, ERR_TRANSIENT, 0, "config", "not enough memory for the configuration");
}

/* ---- the environment ---- */

bool config_variable_name(const char *section, const char *key, char *name_r, size_t size)
{
	struct buf name;
	bool fits;

	buf_init(&name, size - 1);
	fits = buf_printf(&name, "SANDBOX_%s__%s", section, key);
	if (fits)
		memcpy(name_r, name.data, name.len + 1);
	buf_done(&name);
	for (char *p = name_r; fits && *p; p++) {
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
		else if (*p == '.')
			*p = '_';
	}
	return fits;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* What is no row of ours: the names it probably means, for config_set to accept or to complain about. */
static bool set_unlisted_variable(struct config *c, const char *name, const char *bar, const char *value,
                                  const struct config_origin *origin, struct err *e)
{
	char section[NAME_MAX_BYTES] = "", key[NAME_MAX_BYTES] = "";
	size_t section_len = (size_t)(bar - name), key_len = strlen(bar + 2);
	bool kafka;

	if (section_len >= sizeof section || key_len >= sizeof key)
		return err_set(e, ERR_REFUSED, 0, "config", "an environment variable has a name too long to be ours");
	for (size_t i = 0; i < section_len; i++)
		section[i] = lower(name[i]);
	kafka = strcmp(section, "kafka") == 0;
	for (size_t i = 0; i < key_len; i++)
		key[i] = kafka && bar[2 + i] == '_' ? '.' : lower(bar[2 + i]);
	return config_set(c, section, key, value, origin, e);
}

bool config_set_variable(struct config *c, const char *name, const char *value, struct err *e)
{
	const struct config_origin origin = { CONFIG_FROM_ENVIRONMENT, name, 0 };
	const char *rest = name + sizeof "SANDBOX_" - 1, *bar;
	char wanted[2 * NAME_MAX_BYTES];

	if (strncmp(name, "SANDBOX_", sizeof "SANDBOX_" - 1) != 0 || !(bar = strstr(rest, "__")) || bar == rest)
		return true;
	for (size_t i = 0; i < CONFIG_END; i++) {
		if (config_variable_name(config_rows[i].section, config_rows[i].key, wanted, sizeof wanted) &&
		    strcmp(wanted, name) == 0)
			return config_set(c, config_rows[i].section, config_rows[i].key, value, &origin, e);
	}
	return set_unlisted_variable(c, rest, bar, value, &origin, e);
}

bool config_need(const struct config *c, enum config_id id, struct err *e)
{
	const struct config_row *row = &config_rows[id];
	char variable[2 * NAME_MAX_BYTES] = "";

	if (c->values[id].text[0])
		return true;
	config_variable_name(row->section, row->key, variable, sizeof variable);
	return err_set(e, ERR_REFUSED, 0, "config", "[%s] %s is not set; set it in the configuration file or by %s. %s",
	               row->section, row->key, variable, row->sentence);
}

/* ---- getting ---- */

static const struct config_value *get(const struct config *c, enum config_id id, enum config_type type)
{
	if (config_rows[id].type != type)
		abort(); /* the program asks for what config.def does not say */
	return &c->values[id];
}

const char *config_text(const struct config *c, enum config_id id)
{
	return get(c, id, config_rows[id].type == CONFIG_SECRET ? CONFIG_SECRET : CONFIG_TEXT)->text;
}

int64_t config_int(const struct config *c, enum config_id id)
{
	return get(c, id, CONFIG_INT)->number;
}

bool config_bool(const struct config *c, enum config_id id)
{
	return get(c, id, CONFIG_BOOL)->number != 0;
}

int64_t config_ms(const struct config *c, enum config_id id)
{
	return get(c, id, CONFIG_DURATION)->number;
}

int64_t config_bytes(const struct config *c, enum config_id id)
{
	return get(c, id, CONFIG_SIZE)->number;
}

size_t config_list(const struct config *c, enum config_id id, const char *const **items_r)
{
	const struct config_value *v = get(c, id, CONFIG_LIST);

	*items_r = v->items;
	return v->count;
}

size_t config_passthrough(const struct config *c, const struct config_pair **pairs_r)
{
	*pairs_r = c->pairs;
	return c->property_count;
}
