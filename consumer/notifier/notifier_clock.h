/* SPDX-License-Identifier: Apache-2.0
 * The clocks of the notifier's threads. */
#ifndef SANDBOX_NOTIFIER_CLOCK_H
#define SANDBOX_NOTIFIER_CLOCK_H

#include <stdint.h>

int64_t notifier_utc_ms(void); /* since 1970: what is stored and signed */
int64_t notifier_now_ms(void); /* never set back: waits and ages */

#endif
