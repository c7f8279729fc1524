/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/odbc/dialect.h"

#include <string.h>

const struct sql_dialect *dialect_find(const char *name, struct err *e)
{
	static const struct sql_dialect *const all[] = { &dialect_sqlite, &dialect_postgresql, &dialect_sqlserver };

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (name && strcmp(all[i]->name, name) == 0)
			return all[i];
	err_set(e, ERR_MISUSE, 0, "sql", "there is no SQL dialect named \"%s\"", name ? name : "");
	return NULL;
}
