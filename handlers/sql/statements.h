/* SPDX-License-Identifier: Apache-2.0
 * The statements of handlers/sql/<dialect>/ and handlers/sql/standard/, which SQLite and PostgreSQL share, put into the
 * program when it was built. A file holds named sections:
 *
 *   -- name: s11_disable_schedules     starts one, up to the next
 *   -- needs: schedule                 it is passed over when the table, or a column as in
 *   -- needs: Email.email_address      this line, is not there
 *
 * Values are :name and are bound; identifiers are {name} and are quoted; a section may hold several statements, each
 * ended by ';'. */
#ifndef SANDBOX_SQL_STATEMENTS_H
#define SANDBOX_SQL_STATEMENTS_H

#include "handlers/base/embedded.h"

extern const struct embedded_file sql_files[];
extern const size_t sql_files_count;

#endif
