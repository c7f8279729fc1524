/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/core/replay.h"

#include <string.h>

enum step_id replay_begins(const struct clone_replay *r, int failed_step)
{
	if (r->from_step[0])
		return step_by_slug(r->from_step);
	return failed_step >= 0 ? (enum step_id)failed_step : STEP_END;
}

static bool changes_mask(const struct clone_replay *r, const struct step_job *was)
{
	return (r->has_mask_domain && (!was || strcmp(was->mask_domain, r->mask_domain) != 0)) ||
	       (r->has_mask_mode && (!was || was->mask_mode != r->mask_mode));
}

step_set replay_clears(enum plan_order order, const struct clone_replay *r, const struct step_job *was, int failed_step)
{
	enum step_id from = replay_begins(r, failed_step);
	step_set cleared = from == STEP_END ? 0 : plan_descendants(order, from);

	/* Texts are masked while they are copied: only a new copy gives what a new clone would. Who begins later, at the
	 * masking itself, has chosen to mask what is masked once more. */
	if (changes_mask(r, was) && !(cleared & STEP_BIT(STEP_mask_email_domains)))
		cleared |= plan_descendants(order, STEP_copy_database);
	if (r->has_documents && (!was || was->documents != r->documents))
		cleared |= plan_descendants(order, STEP_clone_azure_documents) |
			   plan_descendants(order, STEP_clone_soarc_documents);
	if (r->has_attachments && (!was || was->attachments != r->attachments))
		cleared |= plan_descendants(order, STEP_clone_azure_attachments) |
			   plan_descendants(order, STEP_clone_soarc_attachments);
	if (r->has_set_running && (!was || was->set_running != r->set_running))
		cleared |= plan_descendants(order, STEP_enter_running_mode);
	return cleared;
}
