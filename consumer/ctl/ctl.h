/* SPDX-License-Identifier: Apache-2.0
 * sandboxctl: the operator's command, as pure logic over a desk. */
#ifndef SANDBOX_CTL_H
#define SANDBOX_CTL_H

#include "consumer/ctl/command.h"
#include "consumer/ctl/desk.h"
#include "handlers/base/arena.h"

enum ctl_exit { /* fixed: scripts depend on them */
	CTL_OK = 0,
	CTL_FAILED = 1, /* the clone did not complete, or a check found trouble */
	CTL_USAGE = 2,  /* the command, the request or the configuration is wrong */
	CTL_AUTH = 3,
	CTL_NOT_FOUND = 4,
	CTL_CONFLICT = 5, /* the target is taken, or the clone is not in a state for this */
	CTL_TIMEOUT = 6,
	CTL_UNAVAILABLE = 7,
	CTL_INTERRUPTED = 130,
};

enum ctl_format { CTL_TABLE, CTL_JSON, CTL_JSONL, CTL_IDS, CTL_MERMAID };

struct ctl { /* one call of the command */
	struct desk_port *desk;
	struct args args;
	struct arena *mem; /* everything that lives as long as the call */
	struct buf out;    /* data for standard output */
	enum ctl_format format;
	bool titles, colors, utf8;
	int64_t now_ms;
};

/* Runs the words behind the program's name; the exit code. */
int ctl_main(struct desk_port *desk, int argc, char *const *argv);

/* ---- for the commands ---- */

/* Sends what was gathered to standard output. */
void ctl_flush(struct ctl *c);
/* A line of talk, on standard error. */
void ctl_talk(struct ctl *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Says what went wrong; the exit code for it. */
int ctl_fail(struct ctl *c, const struct err *e);
enum ctl_exit ctl_exit_for(const struct err *e);
/* The configuration and a time of day; every command that asks the world begins with it. */
bool ctl_configure(struct ctl *c, struct err *e);
/* Who asks, as far as it is known: --requested-by, or the user of the system. */
const char *ctl_asker(struct ctl *c);
/* May it be done? By --yes, or by somebody at the terminal who types `word`. CTL_OK, or the exit code after the reason
 * was said. */
int ctl_confirm(struct ctl *c, const char *what, const char *word);
/* Encodes and publishes, or with --dry-run shows as JSON what would be. */
bool ctl_send(struct ctl *c, const struct message *m, enum topic topic, const char *key, const char *traceparent,
              struct err *e);

#endif
