/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/core/file_names.h"

#include <limits.h>
#include <string.h>

static bool is_part(const char *part, size_t len)
{
	return len > 0 && len <= NAME_MAX && !(part[0] == '.' && (len == 1 || (len == 2 && part[1] == '.')));
}

bool file_name_is_safe(const char *name)
{
	return is_part(name, strlen(name)) && !strchr(name, '/');
}

bool file_path_is_safe(const char *path)
{
	if (strlen(path) >= FILES_PATH_MAX)
		return false;
	for (const char *part = path;; part += strcspn(part, "/") + 1) {
		size_t len = strcspn(part, "/");

		if (!is_part(part, len))
			return false;
		if (part[len] == '\0')
			return true;
	}
}

/* Names that begin with a dot are ours (.sandbox-token, .parts-...). */
bool file_root_is_safe(const char *name)
{
	return file_name_is_safe(name) && name[0] != '.';
}

static bool refuse(struct err *e, const char *why)
{
	return err_set(e, ERR_REFUSED, 0, "files", "%s", why);
}

bool file_root_refused(struct err *e)
{
	return refuse(e, "the folder to remove is no name of a tenant's folder");
}

bool file_places_check(const struct fence *f, const struct files_choice *choice, struct err *e)
{
	if (!file_root_is_safe(f->generation))
		return refuse(e, "the generation is no name of a folder");
	if (!file_root_is_safe(choice->source_root))
		return refuse(e, "the source root is no name of a folder");
	if (!file_path_is_safe(choice->folder) || choice->folder[0] == '.')
		return refuse(e, "the folder to copy is no safe path");
	if (strcmp(f->generation, choice->source_root) == 0)
		return refuse(e, "the files of the source would be copied onto themselves");
	return true;
}
