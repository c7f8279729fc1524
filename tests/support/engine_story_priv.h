/* SPDX-License-Identifier: Apache-2.0
 * Inside a story: shared by its own files only. */
#ifndef SANDBOX_TESTS_ENGINE_STORY_PRIV_H
#define SANDBOX_TESTS_ENGINE_STORY_PRIV_H

#include "handlers/base/buf.h"
#include "tests/support/engine_story.h"

enum { CLONES = 80, WANTS = 4096, WORDS = 10, WORD_MAX = 72 };

struct story_clone {
	char id[CLONE_ID_MAX + 1], target[CTX_MAX + 1];
	clone_ref ref;
	uint64_t fingerprint;
	bool found;
	struct clone_snapshot stored;
	char domain[64];
	uint64_t oldest; /* undelivered in the store; 0 none */
	/* the record that is out */
	struct clone_snapshot recording;
	char recording_domain[64];
	uint64_t recording_from, recording_to;
	bool takes_target, stores_request;
};

struct story_target {
	char name[CTX_MAX + 1], active[CLONE_ID_MAX + 1], generation[DATABASE_MAX + 1];
};

struct want { /* an effect that waits for its answer */
	enum effect_kind kind;
	struct story_clone *clone;
	enum step_id step;
	uint64_t token, first, last;
	struct bus_position at;
};

struct story {
	struct engine *engine;
	int64_t now;
	uint64_t token;
	int64_t offsets[TOPIC_END];
	struct story_clone clones[CLONES];
	int clone_count;
	struct story_target targets[CLONES];
	int target_count;
	struct want wants[WANTS];
	int want_count;
	bool passing;
	story_event_fn *event_fn;
	void *event_arg;
	struct buf heard;
	struct arena *mem;
	const char *file;
	int line;
};

/* engine_story.c */
struct story_clone *story_clone(struct story *s, const char *id); /* made when it is new */
struct story_target *story_target(struct story *s, const char *name);
struct message *story_request(struct story *s, const struct story_clone *c, uint64_t fingerprint, const char *expects,
                              const char *domain);

/* engine_story_hear.c */
const char *story_slug(enum step_id step);
void story_listen(struct story *s);
void story_feed(struct story *s, const struct input *in);

/* engine_story_answer.c */
int story_step(const char *slug); /* STEP_END: "cleanup" */
void story_answer_lease(struct story *s, struct story_clone *c, const char *how, const char *holder);
void story_answer_record(struct story *s, struct story_clone *c, const char *how);
void story_answer_step(struct story *s, struct story_clone *c, const char *slug, const char *how, const char *ms);
void story_answer_delivery(struct story *s, struct story_clone *c, uint64_t sequence, bool ok);
void story_answer_simply(struct story *s, struct story_clone *c, enum effect_kind asked, enum input_kind kind,
                         const char *how);
/* As well as can be. */
void story_answer_well(struct story *s, const struct want *want);

#endif
