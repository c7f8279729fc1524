/* SPDX-License-Identifier: Apache-2.0
 * Where the configuration comes from: an INI file and the environment. */
#ifndef SANDBOX_SYSTEM_CONFIG_FILE_H
#define SANDBOX_SYSTEM_CONFIG_FILE_H

#include "consumer/core/config.h"

enum { CONFIG_FILE_MAX_BYTES = 1024 * 1024, CONFIG_LINE_MAX = 4096 };

/* Sets what the file says. REFUSED with file and line on the first line that is wrong, on lines that are too long, and
 * when a file that its group or others may read holds a secret property. */
bool config_file_read(struct config *c, const char *path, struct err *e);
/* Sets what the variables SANDBOX_<SECTION>__<KEY> of this process say. */
bool config_environment_read(struct config *c, struct err *e);

#endif
