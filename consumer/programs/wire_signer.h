/* SPDX-License-Identifier: Apache-2.0
 * From key files to the signer. */
#ifndef SANDBOX_WIRE_SIGNER_H
#define SANDBOX_WIRE_SIGNER_H

#include "consumer/ports/signer.h"

struct key_files { /* absolute paths or credential:NAME, readable by their owner only; the newest first */
	const char *const *rsa, *const *ed25519;
	size_t rsa_count, ed25519_count;
};

/* NULL and *e filled, with the file's name, when one cannot be read or is no key of its kind. */
struct signer_port *wire_signer(const struct key_files *files, struct err *e);

#endif
