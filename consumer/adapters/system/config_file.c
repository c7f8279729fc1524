/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/system/config_file.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct reading {
	struct config *config;
	const char *path;
	FILE *file;
	struct err *err;
	size_t bytes;
	int line;
	bool open_to_others, failed;
};

static bool refuse(struct reading *r, const char *why)
{
	r->failed = true;
	return err_set(r->err, ERR_REFUSED, 0, "config", "%.120s:%d: %s", r->path, r->line, why);
}

/* inih cuts a line that does not fit and takes the rest for another one; so lines come from here, whole or not at
 * all, and are counted, which the library was built without. */
static char *next_line(char *line, int size, void *arg)
{
	struct reading *r = arg;
	int n = 0, ch = 0;

	while (!r->failed && ch != '\n' && (ch = fgetc(r->file)) != EOF) {
		if (n == 0)
			r->line++;
		if (n >= size - 1)
			refuse(r, "the line is too long");
		else if (ch == '\0')
			refuse(r, "there is a zero byte in it");
		else if (++r->bytes > CONFIG_FILE_MAX_BYTES)
			refuse(r, "the file is too long");
		else
			line[n++] = (char)ch;
	}
	if (r->failed || n == 0)
		return NULL;
	line[n] = '\0';
	return line;
}

static int set(void *arg, const char *section, const char *name, const char *value)
{
	struct reading *r = arg;
	const struct config_origin origin = { CONFIG_FROM_FILE, r->path, r->line };

	if (r->failed)
		return 0;
	if (r->open_to_others && strcmp(section, "kafka") == 0 && config_is_secret_property(name))
		return refuse(r, "a secret in a file that others can read; chmod 600 the file");
	if (!config_set(r->config, section, name, value, &origin, r->err))
		r->failed = true;
	return !r->failed;
}

/* The library's switches are variables of its own; programs read their configuration before they start threads. */
static bool read_stream(struct reading *r)
{
	int wrong;

	ini_use_stack = false;
	ini_initial_alloc = ini_max_line = CONFIG_LINE_MAX + 1;
	ini_allow_multiline = false;
	ini_stop_on_first_error = true;
	wrong = ini_parse_stream(next_line, r, set, r);
	if (!r->failed && wrong > 0) {
		r->line = wrong;
		refuse(r, "expected [section], key = value, or a comment");
	}
	if (!r->failed && wrong == -2) { /* the library's word for no memory */
		r->failed = true;
		err_set(r->err, ERR_TRANSIENT, 0, "config", "not enough memory for the configuration");
	}
	if (!r->failed && (wrong < 0 || ferror(r->file)))
		refuse(r, "the file cannot be read");
	return !r->failed;
}

bool config_file_read(struct config *c, const char *path, struct err *e)
{
	struct reading r = { .config = c, .path = path, .err = e };
	struct stat st;
	bool ok;

	r.file = fopen(path, "re");
	if (!r.file)
		return err_set(e, ERR_REFUSED, 0, "config", "the configuration file %.120s cannot be opened: %s", path,
		               errno == ENOENT ? "there is none" : "not permitted or not readable");
	ok = fstat(fileno(r.file), &st) == 0 && S_ISREG(st.st_mode);
	if (!ok)
		err_set(e, ERR_REFUSED, 0, "config", "the configuration file %.120s is no plain file", path);
	r.open_to_others = st.st_mode & (S_IRWXG | S_IRWXO);
	ok = ok && read_stream(&r);
	fclose(r.file);
	return ok;
}

bool config_environment_read(struct config *c, struct err *e)
{
	for (char **variable = environ; *variable; variable++) {
		const char *equals = strchr(*variable, '=');
		char name[256];

		if (!equals || strncmp(*variable, "SANDBOX_", 8) != 0 || (size_t)(equals - *variable) >= sizeof name)
			continue;
		memcpy(name, *variable, (size_t)(equals - *variable));
		name[equals - *variable] = '\0';
		if (!config_set_variable(c, name, equals + 1, e))
			return false;
	}
	return true;
}
