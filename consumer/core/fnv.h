/* SPDX-License-Identifier: Apache-2.0
 * FNV-1a, 64 bits: a fingerprint that is the same on every machine. Not a defence against somebody who wants two
 * inputs to collide. */
#ifndef SANDBOX_CORE_FNV_H
#define SANDBOX_CORE_FNV_H

#include <stddef.h>
#include <stdint.h>

#define FNV64_START UINT64_C(0xcbf29ce484222325)

/* The hash of what was hashed before and these bytes; begin with FNV64_START. */
static inline uint64_t fnv64(uint64_t hash, const void *data, size_t len)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* The same for a number, in one step instead of eight. */
static inline uint64_t fnv64_number(uint64_t hash, uint64_t number)
{
	hash = (hash ^ number) * UINT64_C(0x100000001b3);
	return hash ^ hash >> 32; /* so that the upper half of a number reaches the lower half of the hash */
}

#endif
