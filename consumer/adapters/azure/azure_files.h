/* SPDX-License-Identifier: Apache-2.0
 * A store of files in a container of Azure Blob Storage: <container>/<tenant root>/<folder>/... is a block blob. What is
 * copied, refused and counted is what the folder store does (docs/files.md has the differences). */
#ifndef SANDBOX_AZURE_AZURE_FILES_H
#define SANDBOX_AZURE_AZURE_FILES_H

#include "handlers/ports/files.h"

#include <stdatomic.h>

/* One container and who we are there: the account's name and key, or a SAS, or neither when it is public. */
struct azure_container {
	const char *url;     /* https://ACCOUNT.blob.core.windows.net/CONTAINER; NULL or "": none */
	const char *account; /* with key only */
	const char *key;     /* base64; a secret, never logged */
	const char *sas;     /* "sv=...&sig=..."; a secret, never logged */
};

enum azure_copy { AZURE_COPY_AUTO, AZURE_COPY_SERVER, AZURE_COPY_STREAM };

struct azure_settings {
	struct azure_container target;
	struct azure_container source; /* without URL: the same container is read */
	enum azure_copy copy;          /* AUTO measures both ways and takes the faster one */
	int parallel;                  /* 0: 8; requests under way at a time, 64 at most */
	int64_t connect_timeout_ms;    /* 0: 3 s */
	int64_t total_timeout_ms;      /* 0: 60 s; of one request */
};

/* Connects when first used. Settings are copied. stop, when not NULL, is looked at ten times a second: the call then ends
 * with ERR_CODE_ABORTED. One thread at a time. NULL and *e filled on failure. */
struct files_port *azure_files_new(const struct azure_settings *s, const atomic_bool *stop, struct err *e);
/* NULL-safe. */
void azure_files_free(struct files_port **port);

/* For doctor: can both containers be listed, and can a blob be written into and removed from the target? */
bool azure_files_probe(struct files_port *port, struct err *e);

/* Removes one blob with its snapshots, past any store of files; one that is not there is no error. Waits for the answer. */
bool azure_remove_blob(const struct azure_container *from, const char *name, const atomic_bool *stop, struct err *e);

#endif
