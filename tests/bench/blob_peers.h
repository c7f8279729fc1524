/* SPDX-License-Identifier: Apache-2.0
 * Copying blobs without the adapter: as a plain program over libcurl would, and by rclone. */
#ifndef SANDBOX_BENCH_BLOB_PEERS_H
#define SANDBOX_BENCH_BLOB_PEERS_H

#include "tests/bench/peer.h"

#include <stdbool.h>

enum blob_peer { PEER_CURL_SERVER, PEER_CURL_STREAM, PEER_RCLONE, PEER_END };

struct blob_peer_task {
	const char *url, *sas;   /* of the container; a SAS that may read, write and list, without "?" */
	const char *from, *to;   /* folders in it, without slashes at their ends */
	const char *const *names; /* below from */
	int count, parallel;
};

/* Copies all; false, said on stderr, when it could not. */
bool blob_peer_copy(enum blob_peer peer, const struct blob_peer_task *t, struct peer_figures *figures_r);

#endif
