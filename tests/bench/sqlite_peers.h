/* SPDX-License-Identifier: Apache-2.0
 * What a program of one's own does with a SQLite database, by its C interface. All end the program when they fail. */
#ifndef SANDBOX_BENCH_SQLITE_PEERS_H
#define SANDBOX_BENCH_SQLITE_PEERS_H

#include "handlers/masking/masking.h"

const char *sqlite_peer_version(void);
/* Makes the database: mails with two indexes, one of them on the address; texts with an address in every other one. */
void sqlite_peer_make(const char *path, int mails, int texts);
/* Copies the file, then drops the index on the address, masks both tables with a C function, makes the index again. */
void sqlite_peer_mask(const char *source, const char *copy, const struct mask_policy *policy);
void sqlite_peer_backup(const char *source, const char *copy);
void sqlite_peer_vacuum(const char *source, const char *copy);
/* So many rows, and in no address column another domain. */
void sqlite_peer_check(const char *path, const char *domain, int64_t rows);

#endif
