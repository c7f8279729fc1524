/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/system/clock_system.h"

#include <time.h>

static int64_t read_ms(clockid_t clock)
{
	struct timespec t = { 0, 0 };

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_utc_ms(void)
{
	return read_ms(CLOCK_REALTIME);
}

int64_t clock_steady_ms(void)
{
	return read_ms(CLOCK_BOOTTIME);
}

static int64_t utc_ms(struct clock_port *self)
{
	(void)self;
	return clock_utc_ms();
}

struct clock_port clock_system(void)
{
	return (struct clock_port){ utc_ms };
}
