/* SPDX-License-Identifier: Apache-2.0
 * What the end of a post means: done, again at some moment, given up, or the app is switched off. Pure. Sources:
 * "SW" is the Standard Webhooks specification 1.0.0, "Svix" how its authors' service switches endpoints off. */
#ifndef SANDBOX_NOTIFIER_DELIVERY_POLICY_H
#define SANDBOX_NOTIFIER_DELIVERY_POLICY_H

#include "consumer/ports/deliveries.h"
#include "consumer/ports/poster.h"

/* Fills the whole settlement of a claim whose post ended with result at now_ms. Its texts are borrowed: the try's from
 * result, which must live until it is settled, the reason is constant. chance is the state of core/retry's chance. */
void delivery_judge(const struct claim *claim, const struct post_result *result, int64_t now_ms, uint64_t *chance,
                    struct settlement *settlement_r);

/* Tries in all, the first one included, and the time between the try before and that one without its jitter
 * (number counts from 1; 0 for the first). For the manual and its test. */
enum { DELIVERY_TRIES = 10 };
int64_t delivery_delay_ms(int number);

#endif
