/* SPDX-License-Identifier: Apache-2.0
 * A scripted server of TDS (tds_server.py) that real ODBC drivers talk to: no SQL Server runs in the tests. */
#ifndef SANDBOX_TESTS_TDS_SERVER_H
#define SANDBOX_TESTS_TDS_SERVER_H

#include <stddef.h>

struct tds_server;

/* Starts one that answers by the script (tds_server.py says how one looks). NULL when python3 is not there. It ends with
 * the caller's process whatever happens. */
struct tds_server *tds_server_start(const char *script_json);
/* The same for one that encrypts, with the key and certificate of that file (tds_certificates.sh); NULL: does not. */
struct tds_server *tds_server_start_tls(const char *script_json, const char *pem);
/* Ends it and removes its folder. NULL-safe; *server becomes NULL. */
void tds_server_stop(struct tds_server **server);

int tds_server_port(const struct tds_server *server);
/* From the next request on. */
void tds_server_script(struct tds_server *server, const char *script_json);
/* What was asked so far, a line of JSON for each request; the caller frees. */
char *tds_server_log(const struct tds_server *server);
/* How often the text was asked so far. */
size_t tds_server_asked(const struct tds_server *server, const char *text);

/* The library of a driver: FreeTDS as Debian packages it, or Microsoft's, fetched into the build's cache (ms_odbc.sh). False
 * when it cannot be had, which is told with the line that has the test counted as skipped. */
enum tds_driver { TDS_FREETDS, TDS_MICROSOFT, TDS_DRIVERS };
_Bool tds_driver_path(enum tds_driver driver, char *out, size_t size);

#endif
