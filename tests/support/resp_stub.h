/* SPDX-License-Identifier: Apache-2.0
 * Something that speaks like a Redis server and greets well, but then answers every command with the same bytes. */
#ifndef SANDBOX_TESTS_RESP_STUB_H
#define SANDBOX_TESTS_RESP_STUB_H

#include <stddef.h>
#include <sys/types.h>

#define RESP_STUB_GOOD_INFO                                                                                            \
	"redis_version:7.0.15\r\nrole:master\r\nloading:0\r\naof_enabled:1\r\nmaxmemory_policy:noeviction\r\n"

/* Listens on a unix socket in a process of its own until that is killed (it ends with its parent too). INFO is
 * answered with that text, all that is not of the greeting with the answer's bytes. Returns the process. */
pid_t resp_stub_start(const char *socket_path, const char *info, const char *answer, size_t answer_len);
void resp_stub_end(pid_t stub);

#endif
