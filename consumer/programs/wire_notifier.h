/* SPDX-License-Identifier: Apache-2.0
 * From the configuration to what the notifier and `sandboxctl partner` work with. */
#ifndef SANDBOX_WIRE_NOTIFIER_H
#define SANDBOX_WIRE_NOTIFIER_H

#include "consumer/core/config.h"
#include "consumer/ports/deliveries.h"
#include "consumer/ports/poster.h"
#include "consumer/ports/signer.h"


/* Each is NULL with *e when a setting is missing or wrong, or what it names cannot be reached. */
struct deliveries_port *wire_deliveries(const struct config *c, struct err *e);
struct signer_port *wire_notifier_signer(const struct config *c, struct err *e);
struct poster_port *wire_poster(const struct config *c, size_t max_under_way, struct err *e);

#endif
