/* SPDX-License-Identifier: Apache-2.0
 * What a real engine tells of clones, recorded from stories (engine_story.h), as bytes and as a reader gets it. */
#ifndef SANDBOX_TESTS_TOLD_EVENTS_H
#define SANDBOX_TESTS_TOLD_EVENTS_H

#include "consumer/ports/codec.h"
#include "handlers/base/arena.h"

enum { TOLD_MAX = 1024 };

struct told_event {
	enum topic topic; /* UNSET, and no key: added by hand */
	char key[CLONE_ID_MAX + 1];
	struct message *message;
	struct buf value;
};

struct told_events {
	struct told_event items[TOLD_MAX];
	size_t count;
	struct codec_port *codec;
	struct arena *mem;
};

/* One that reads and writes as told_events does; for one thread, closed by the caller. */
struct codec_port *told_codec(void);
void told_begin(struct told_events *t);
void told_end(struct told_events *t);
/* One more, through the wire and back. */
void told_add(struct told_events *t, const struct message *m);
/* Tells the lines of a story, the last one NULL, to an engine that has all partitions, and records what it tells. */
void told_play(struct told_events *t, const char *const *lines);
#define TOLD_STORY(...) (const char *const[]){ __VA_ARGS__, NULL }
/* Every kind of story, on tenants A to H and one after another on the same. */
void told_play_everything(struct told_events *t);

#endif
