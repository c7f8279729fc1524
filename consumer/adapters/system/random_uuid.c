/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/system/random_uuid.h"

#include "consumer/adapters/system/clock_system.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/random.h>

bool uuid_v7(char out_r[UUID_TEXT], struct err *e)
{
	uint64_t ms = (uint64_t)clock_utc_ms();
	unsigned char b[16];

	if (getrandom(b, sizeof b, 0) != (ssize_t)sizeof b)
		return err_set(e, ERR_TRANSIENT, 0, "uuid", "the system gave no random bytes");
	for (int i = 0; i < 6; i++)
		b[i] = (unsigned char)(ms >> (40 - 8 * i));
	b[6] = (unsigned char)(0x70 | (b[6] & 0x0f));
	b[8] = (unsigned char)(0x80 | (b[8] & 0x3f));
	snprintf(out_r, UUID_TEXT, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
	         b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
	return true;
}
