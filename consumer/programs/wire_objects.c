/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/programs/wire_objects.h"

#include "consumer/adapters/files/files_fs.h"
#include "consumer/adapters/system/secret_file.h"

#include <string.h>

static enum azure_copy copy_of(const char *word)
{
	return strcmp(word, "server") == 0 ? AZURE_COPY_SERVER : strcmp(word, "stream") == 0 ? AZURE_COPY_STREAM :
		AZURE_COPY_AUTO;
}

static bool take_secret(const struct config *c, enum config_id id, struct buf *secret, struct err *e)
{
	const char *file = config_text(c, id);

	return !*file || secret_file_read_text(file, secret, e);
}

static bool take_secrets(const struct config *c, struct wire_objects *o, struct err *e)
{
	static const enum config_id ids[WIRE_OBJECTS_SECRETS] = { CONF_OBJECTS_KEY_FILE, CONF_OBJECTS_SAS_FILE,
		CONF_OBJECTS_SOURCE_KEY_FILE, CONF_OBJECTS_SOURCE_SAS_FILE };

	for (size_t i = 0; i < WIRE_OBJECTS_SECRETS; i++)
		if (!take_secret(c, ids[i], &o->secrets[i], e))
			return false;
	return true;
}

bool wire_objects(const struct config *c, struct wire_objects *o, struct err *e)
{
	*o = (struct wire_objects){ .is_azure = strcmp(config_text(c, CONF_OBJECTS_KIND), "azure") == 0 };
	for (size_t i = 0; i < WIRE_OBJECTS_SECRETS; i++)
		buf_init(&o->secrets[i], SECRET_MAX_BYTES);
	o->folder = config_text(c, CONF_FILES_OBJECTS_ROOT);
	if (!o->is_azure)
		return config_need(c, CONF_FILES_OBJECTS_ROOT, e);
	if (!config_need(c, CONF_OBJECTS_URL, e) || !take_secrets(c, o, e))
		return false;
	o->azure = (struct azure_settings){
		.target = { config_text(c, CONF_OBJECTS_URL), config_text(c, CONF_OBJECTS_ACCOUNT), buf_text(&o->secrets[0]),
			    buf_text(&o->secrets[1]) },
		.source = { config_text(c, CONF_OBJECTS_SOURCE_URL), config_text(c, CONF_OBJECTS_SOURCE_ACCOUNT),
			    buf_text(&o->secrets[2]), buf_text(&o->secrets[3]) },
		.copy = copy_of(config_text(c, CONF_OBJECTS_COPY)),
		.parallel = (int)config_int(c, CONF_OBJECTS_PARALLEL),
		.connect_timeout_ms = config_ms(c, CONF_OBJECTS_CONNECT_TIMEOUT),
		.total_timeout_ms = config_ms(c, CONF_OBJECTS_TIMEOUT),
	};
	return true;
}

void wire_objects_done(struct wire_objects *o)
{
	for (size_t i = 0; i < WIRE_OBJECTS_SECRETS; i++)
		secret_done(&o->secrets[i]);
}

struct files_port *wire_objects_open(const struct wire_objects *o, const atomic_bool *stop, struct err *e)
{
	return o->is_azure ? azure_files_new(&o->azure, stop, e) : files_fs_new(o->folder, stop, e);
}

void wire_objects_close(const struct wire_objects *o, struct files_port **port)
{
	if (o->is_azure)
		azure_files_free(port);
	else
		files_fs_free(port);
}
