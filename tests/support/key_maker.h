/* SPDX-License-Identifier: Apache-2.0
 * New private keys for tests. */
#ifndef SANDBOX_TESTS_KEY_MAKER_H
#define SANDBOX_TESTS_KEY_MAKER_H

#include "handlers/base/buf.h"

/* Puts a new key as PEM into an initialised buffer; ends the program when it cannot. 2048 bits take about 0.1 s. */
void make_rsa_key(struct buf *pem, unsigned bits);
void make_ed25519_key(struct buf *pem);

#endif
