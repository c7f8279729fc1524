/* SPDX-License-Identifier: Apache-2.0
 * Names of topics, statuses and verbs, and the end of a decoded message. */
#include "consumer/ports/messages.h"

#include <stdlib.h>
#include <string.h>

static const char *const status_names[CLONE_STATUS_END] = {
	[CLONE_STATUS_UNSET] = "UNKNOWN",  [CLONE_RUNNING] = "RUNNING",     [CLONE_CANCELLING] = "CANCELLING",
	[CLONE_COMPLETED] = "COMPLETED",   [CLONE_FAILED] = "FAILED",       [CLONE_PAUSED] = "PAUSED",
	[CLONE_CANCELLED] = "CANCELLED",   [CLONE_REJECTED] = "REJECTED",   [CLONE_ROLLING_BACK] = "ROLLING_BACK",
	[CLONE_ROLLED_BACK] = "ROLLED_BACK",
};

const char *const topic_names[TOPIC_END] = {
	[TOPIC_UNSET] = "",
	[TOPIC_REQUESTED] = "sandbox.clone.requested",
	[TOPIC_REPLAY] = "sandbox.clone.replay",
	[TOPIC_CONTROL] = "sandbox.clone.control",
	[TOPIC_STEP_COMPLETED] = "sandbox.clone.step.completed",
	[TOPIC_BACKUP_RESTORED] = "sandbox.clone.backup-restored",
	[TOPIC_STATE] = "sandbox.clone.state",
	[TOPIC_DEAD_LETTER] = "sandbox.clone.dead-letter",
	[TOPIC_NOTIFIER_DEAD_LETTER] = "sandbox.notifier.dead-letter",
};

const char *topic_name(enum topic topic)
{
	return (unsigned)topic < TOPIC_END ? topic_names[topic] : "";
}

const char *clone_status_name(enum clone_status status)
{
	return status_names[(unsigned)status < CLONE_STATUS_END ? status : CLONE_STATUS_UNSET];
}

enum clone_status clone_status_by_name(const char *name)
{
	for (int i = CLONE_STATUS_UNSET + 1; i < CLONE_STATUS_END; i++)
		if (strcmp(status_names[i], name) == 0)
			return (enum clone_status)i;
	return CLONE_STATUS_UNSET;
}

bool clone_status_is_at_rest(enum clone_status status)
{
	switch (status) {
	case CLONE_COMPLETED:
	case CLONE_FAILED:
	case CLONE_PAUSED:
	case CLONE_CANCELLED:
	case CLONE_REJECTED:
	case CLONE_ROLLED_BACK:
		return true;
	default:
		return false;
	}
}

const char *control_verb_name(enum control_verb verb)
{
	static const char *const names[CONTROL_END] = {
		[CONTROL_UNSET] = "UNKNOWN", [CONTROL_PAUSE] = "PAUSE",         [CONTROL_RESUME] = "RESUME",
		[CONTROL_CANCEL] = "CANCEL", [CONTROL_RETRY_NOW] = "RETRY_NOW", [CONTROL_ROLLBACK] = "ROLLBACK",
	};

	return names[(unsigned)verb < CONTROL_END ? verb : CONTROL_UNSET];
}

void message_free(struct message **m)
{
	if (!m || !*m)
		return;
	arena_free(&(*m)->mem);
	free(*m);
	*m = NULL;
}
