/* SPDX-License-Identifier: Apache-2.0
 * The configuration written out: what is in force, and the manual. */
#include "consumer/core/config_priv.h"

#include <string.h>

static bool show_origin(const struct config_origin *origin, bool with_origin, struct buf *out)
{
	if (with_origin) {
		buf_add_text(out, "  ; ");
		config_origin_text(origin, out);
	}
	return buf_add_text(out, "\n");
}

static bool show_properties(const struct config *c, bool with_origin, struct buf *out)
{
	for (size_t i = 0; i < c->property_count; i++) {
		const struct config_property *p = &c->properties[i];
		bool hidden = config_is_secret_property(p->pair.name);

		buf_printf(out, "%s = %s", p->pair.name, hidden ? "(hidden)" : p->pair.value);
		show_origin(&p->origin, with_origin, out);
	}
	return !out->failed;
}

bool config_show(const struct config *c, bool with_origin, struct buf *out)
{
	for (size_t s = 0; s < config_section_count; s++) {
		const char *section = config_sections[s].name;

		buf_printf(out, "%s[%s]\n", s ? "\n" : "", section);
		for (size_t i = 0; i < CONFIG_END; i++) {
			if (strcmp(config_rows[i].section, section) != 0)
				continue;
			buf_printf(out, "%s = %s", config_rows[i].key, c->values[i].text);
			show_origin(&c->values[i].origin, with_origin, out);
		}
		if (strcmp(section, "kafka") == 0)
			show_properties(c, with_origin, out);
	}
	return !out->failed;
}

static void manual_key(const struct config_row *row, struct buf *out)
{
	char variable[256] = "";

	config_variable_name(row->section, row->key, variable, sizeof variable);
	buf_printf(out, "| `%s` | %s", row->key, config_type_name(row->type));
	if (row->limits[0]) {
		buf_add_text(out, ": ");
		for (const char *p = row->limits; *p; p++)
			buf_add_text(out, *p == '|' ? " or " : (char[]){ *p, '\0' });
	}
	if (row->standard[0])
		buf_printf(out, " | `%s`", row->standard);
	else
		buf_add_text(out, " | (empty)");
	buf_printf(out, " | %s | `%s` |\n", row->sentence, variable);
}

bool config_write_manual(struct buf *out)
{
	buf_add_text(out,
	             "# Configuration\n\n"
	             "<!-- Made from consumer/core/config.def; tests/unit/test_config.c compares the two. -->\n\n"
	             "One INI file: `[section]`, then `key = value`; a line that begins with `;` or `#` is a comment, and\n"
	             "` ;` begins one behind a value. An unknown key or a bad value stops the program with the line, what\n"
	             "was expected and the nearest name. What counts is, from weak to strong: default, file, environment\n"
	             "variable, flag; `sandboxctl config show --origin` prints where each value came from.\n\n"
	             "Durations are written as `500ms`, `2s`, `1h30m`, `7d`; sizes as `64KiB`, `1GiB`; lists with commas.\n"
	             "Secrets are never in the file: a key ending in `_file` names a file that only its owner can read,\n"
	             "or `credential:NAME` for a credential of systemd. A file with a secret librdkafka property in it\n"
	             "(`sasl.password`, `ssl.key.password`, ...) must itself be readable by its owner only.\n");
	for (size_t s = 0; s < config_section_count; s++) {
		buf_printf(out, "\n## [%s]\n%s\n\n| key | type | default | meaning | variable |\n|---|---|---|---|---|\n",
		           config_sections[s].name, config_sections[s].sentence);
		for (size_t i = 0; i < CONFIG_END; i++) {
			if (strcmp(config_rows[i].section, config_sections[s].name) == 0)
				manual_key(&config_rows[i], out);
		}
	}
	return !out->failed;
}
