/* SPDX-License-Identifier: Apache-2.0
 * The system's clocks. */
#ifndef SANDBOX_SYSTEM_CLOCK_SYSTEM_H
#define SANDBOX_SYSTEM_CLOCK_SYSTEM_H

#include "handlers/ports/clock.h"

#include <stdint.h>

/* Milliseconds since 1970-01-01 UTC: for stamps and rows. */
int64_t clock_utc_ms(void);
/* Milliseconds since some moment, never set back: for deadlines. */
int64_t clock_steady_ms(void);

/* The port, as a value to keep and to point to. */
struct clock_port clock_system(void);

#endif
