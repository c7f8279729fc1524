/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/notifier/notifier_clock.h"

#include <time.h>

static int64_t read_clock(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t notifier_utc_ms(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t notifier_now_ms(void)
{
	return read_clock(CLOCK_BOOTTIME);
}
