/* SPDX-License-Identifier: Apache-2.0
 * A TCP port on loopback for a server that cannot choose one itself, or that must be found again after it was killed. */
#ifndef SANDBOX_TEST_FREE_PORT_H
#define SANDBOX_TEST_FREE_PORT_H

/* It was free a moment ago, and it lies below the ports that connections get for themselves: one of those would soon be
 * taken again. 0 when none was found. */
int free_port(void);

#endif
