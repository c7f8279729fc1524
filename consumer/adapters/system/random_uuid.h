/* SPDX-License-Identifier: Apache-2.0
 * New ids: UUID version 7 (RFC 9562), which sort by the time they were made. */
#ifndef SANDBOX_SYSTEM_RANDOM_UUID_H
#define SANDBOX_SYSTEM_RANDOM_UUID_H

#include "handlers/base/err.h"

#include <stdbool.h>

enum { UUID_TEXT = 37 };

/* Lower case text with a closing NUL. TRANSIENT when the system gives no random bytes. */
bool uuid_v7(char out_r[UUID_TEXT], struct err *e);

#endif
