/* SPDX-License-Identifier: Apache-2.0
 * Azurite for one test program, and its blobs past the port: containers, writing, reading, removing. What cannot be set up
 * fails the test at once. */
#ifndef SANDBOX_TESTS_AZURITE_H
#define SANDBOX_TESTS_AZURITE_H

#include "consumer/adapters/azure/azure_files.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AZURITE_ACCOUNT "devstoreaccount1"
/* The emulator's published key; no secret. */
#define AZURITE_KEY "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

struct azurite {
	char folder[64], url[128]; /* url: of the account, without a slash at its end */
};

enum azurite_result { AZURITE_STARTED, AZURITE_ABSENT, AZURITE_FAILED };

/* In a temporary folder that azurite_stop removes. ABSENT: it cannot be had on this machine, it was said why. */
enum azurite_result azurite_start(struct azurite *z);
void azurite_stop(struct azurite *z);

/* A container of that account, by its key; made when make. */
struct blobs {
	char url[256];
	struct files_port *port; /* an adapter object of its own */
};

void blobs_open(struct blobs *b, const char *account_url, const char *container, bool make);
void blobs_close(struct blobs *b);
struct azure_container blobs_container(const struct blobs *b);

void blobs_put(struct blobs *b, const char *name, const void *content, size_t len);
/* With header lines, such as "x-ms-meta-a: b\n". */
void blobs_put_with(struct blobs *b, const char *name, const void *content, size_t len, const char *headers);
void blobs_put_block(struct blobs *b, const char *name, const char *id, const void *content, size_t len);
/* Puts a blob together: the XML that lists its blocks, and header lines. */
void blobs_commit(struct blobs *b, const char *name, const char *list, const char *headers);
/* Its size, -1 when there is none; the first bytes and the ETag when asked for. */
int64_t blobs_get(struct blobs *b, const char *name, char *content_r, size_t size, char etag_r[80]);
/* The value of a header of the blob's answer that is one of its metadata or properties, "" when there is none. */
void blobs_header(struct blobs *b, const char *name, const char *header, char *value_r, size_t size);
void blobs_remove(struct blobs *b, const char *name);
/* A SAS for that container. rights: "rl". kind: 'c' for the container, 'a' for the account. */
void blobs_sas(const struct blobs *b, const char *rights, char kind, char *sas_r, size_t size);

#endif
