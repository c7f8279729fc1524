/* SPDX-License-Identifier: Apache-2.0
 * s33: no web server configuration write of the target is pending, so its users reach the new sandbox.
 *
 * Look: the registry counts no pending write.
 * Act:  none; ask again later while something is pending.
 * Safe to repeat because it only looks. */
#include "handlers/guard.h"
#include "handlers/words.h"

enum step_outcome s33_wait_web_config(struct step_ctx *c)
{
	struct tenant_record target;

	if (!guard_target(c, &target))
		return step_failed(c);
	if (target.pending_web_config > 0)
		return step_wait(c, c->settings->poll_ms, "web server configuration to be written");
	return STEP_DONE;
}
