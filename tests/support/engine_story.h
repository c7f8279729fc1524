/* SPDX-License-Identifier: Apache-2.0
 * Tells an engine a story and hears what it wants, both as short lines of text:
 *
 *	say(s, "request c1", "acquire c1");
 *	say(s, "lease c1", "record c1 0..1 RUNNING request target [state]");
 *	say(s, "recorded c1", "publish c1 1-1, start c1 enter_offline_mode");
 *
 * The story keeps a small store (what was recorded, who has the target), so that a lease answers with what is known.
 *
 * Lines:
 *   tick MS                              time passes, at once
 *   pass MS                              time passes second by second, and leases are renewed
 *   assign|revoke|lose TOPIC             partition 0 of requested, replay or control
 *   request ID [of TARGET] [wishes N] [expects GENERATION]
 *   again ID OFFSET                      the record of that offset, a request, is read once more
 *   replay ID [from SLUG] [until SLUG] [expects GENERATION] [mask DOMAIN]
 *   pause|resume|cancel|retry-now|rollback ID   (a control record)
 *   sweep ID                             a survey has found something on its target
 *   bad TOPIC CODE
 *   lease ID [held ID2 | readers | down]
 *   recorded|released|renewed ID [fenced | behind | down]
 *   step ID SLUG done|already|skipped|again|wait MS|retry|unsure|refused|broken|late|aborted|fenced|offline
 *                                        (broken: refused after something was changed; late: cleaning up, with nothing to
 *                                        go back to)
 *   moved ID SLUG
 *   delivered|failed ID SEQUENCE
 *   told|untold TOPIC OFFSET             a dead letter or a rejection
 *   wipe                                 the store loses everything
 *   go [without SLUG [of ID]]            all that is wanted is answered well (but that step), until it is quiet; heard
 *                                        is what the store then has of each clone
 *   stop
 *
 * SLUG may be "rollback", "sweeping", or "cleanup", which leaves the target running, or offline when it ends so. */
#ifndef SANDBOX_TESTS_ENGINE_STORY_H
#define SANDBOX_TESTS_ENGINE_STORY_H

#include "consumer/core/engine.h"

struct story;

/* Limits so wide that nothing waits, a lease of 30 s, a retry budget of an hour, one step after the other. */
struct engine_policy story_policy(void);
struct story *story_begin(const struct engine_policy *policy);
void story_end(struct story **s);

/* Fails the test unless what the engine wants is exactly that. NULL: it does not matter. */
void say_at(struct story *s, const char *line, const char *wanted, const char *file, int number);
#define say(s, line, wanted) say_at(s, line, wanted, __FILE__, __LINE__)

/* From now on fn gets every event that the engine wants recorded, once, with the effect it is part of. */
typedef void story_event_fn(void *arg, const struct effect *fx, const struct engine_event *event, int64_t utc_ms);
void story_hear_events(struct story *s, story_event_fn *fn, void *arg);

struct engine *story_engine(struct story *s);
int64_t story_now(const struct story *s);
clone_ref story_ref(struct story *s, const char *id);
/* What the store has of the clone; NULL nothing. */
const struct clone_snapshot *story_stored(struct story *s, const char *id);
/* The mask domain of the request that was stored last with the clone. */
const char *story_stored_domain(struct story *s, const char *id);

#endif
