/* SPDX-License-Identifier: Apache-2.0
 * The codec port in Avro. Used from the loop's thread only: avro-c keeps its errors in one place for the process. */
#ifndef SANDBOX_AVRO_CODEC_H
#define SANDBOX_AVRO_CODEC_H

#include "consumer/adapters/avro/source.h"
#include "handlers/ports/clock.h"

struct avro_codec_settings {
	struct schema_source *schemas; /* taken over, also on failure; NULL: those shipped with the program */
	struct clock_port *clock;      /* borrowed */
	bool schema_in_header;         /* publish with __value_schema_id instead of the prefix; both are read */
};

/* NULL and *e when memory is short. From here on a failed allocation inside avro-c, which would crash on it, ends the
 * process with exit code 71 (EX_OSERR) instead. */
struct codec_port *avro_codec_new(const struct avro_codec_settings *settings, struct err *e);

#endif
