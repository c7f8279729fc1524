/* SPDX-License-Identifier: Apache-2.0
 * Requests to the state API at a given rate over kept connections, whatever the answers do: who is slow is asked all the
 * same, and a request's time counts from when it was due. */
#ifndef SANDBOX_BENCH_STATE_LOAD_H
#define SANDBOX_BENCH_STATE_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct state_load {
	int port, connections, tenants; /* of Cust1 .. */
	double rate;                    /* a second; 0: as many as it can, each connection one after the other */
	double seconds;
};

struct state_load_result {
	size_t answered, wrong; /* wrong: not 200 */
	double per_second;
	int64_t p50_ns, p99_ns, p999_ns, most_ns;
};

/* False: said on stderr why not. */
bool state_load_run(const struct state_load *load, struct state_load_result *result_r);

#endif
