/* SPDX-License-Identifier: Apache-2.0
 * A file that was put into the program when it was built (consumer/cmake/embed.cmake). */
#ifndef SANDBOX_BASE_EMBEDDED_H
#define SANDBOX_BASE_EMBEDDED_H

#include <stddef.h>

struct embedded_file {
	const char *name; /* path below the folder whose CMakeLists.txt embedded it */
	const char *text; /* NUL-terminated */
	size_t len;       /* without the NUL */
};

#endif
