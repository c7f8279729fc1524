/* SPDX-License-Identifier: Apache-2.0
 * A simulated world around real engines: bus, store, target databases and handlers with a virtual clock, everything
 * decided by one seed, and faults between any two effects. Handlers are coroutines that are switched out at every port
 * call, so two owners interleave at each of them and a crash is simply never resuming one. */
#ifndef SANDBOX_TESTS_SIM_H
#define SANDBOX_TESTS_SIM_H

#include <stdbool.h>
#include <stdint.h>

/* Rare things that a batch of seeds must have met, or it proves nothing. */
#define SIM_SOMETIMES(X) \
	X(crash) X(pause_past_lease) X(store_reply_lost) X(store_wiped) X(store_empty) X(store_down) X(rebalance) \
	X(revocation_given_up) X(fenced_effect) X(event_sent_again) X(resumed_after_crash) X(step_failed) X(step_unsure) X(step_refused) \
	X(step_stalled) X(clone_paused) X(clone_resumed) X(clone_cancelled) X(clone_failed) X(clone_replayed) \
	X(clone_rejected) X(clone_superseded) X(duplicate_request) X(conflicting_request) X(dead_letter) X(publish_failed) \
	X(drained) X(restored_from_topics) X(budget_spent) X(throttled) \
	X(swept) X(clone_rolled_back) X(rollback_refused) X(rollback_broken) X(cancelled_too_late)

struct sim_counts {
#define X(name) long name;
	SIM_SOMETIMES(X)
#undef X
	long runs, steps, completed, at_rest, trace;
};

/* Deliberate design faults: each must be found by the invariants within a bounded number of seeds. */
enum sim_bug {
	SIM_BUG_NONE,
	SIM_BUG_NO_FENCE,        /* the target takes effects with an old token */
	SIM_BUG_NO_LEDGER,       /* looking never sees what was done */
	SIM_BUG_COMMIT_EARLY,    /* offsets are committed when a record is read */
	SIM_BUG_NO_OUTBOX,       /* an event is forgotten when its publisher dies */
	SIM_BUG_NO_STORE_CHECKS, /* the store takes records whoever has the lease, whatever their sequence */
	SIM_BUG_END
};

/* Runs one seed to its end. False: an invariant broke; what is in `why` (with the time and the clone), and with
 * trace every event is printed. Adds to *counts. */
bool sim_run(uint64_t seed, enum sim_bug bug, bool trace, struct sim_counts *counts, char why[256]);

#endif
