/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/free_port.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FIRST = 20000, COUNT = 12000, TRIES = 100 }; /* Linux gives 32768 and higher to connections */

static int is_free(int port)
{
	const struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((in_port_t)port) };
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const int ok = fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof at) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

int free_port(void)
{
	unsigned number;

	for (int i = 0; i < TRIES; i++) {
		if (getrandom(&number, sizeof number, 0) != sizeof number)
			return 0;
		if (is_free((int)(FIRST + number % COUNT)))
			return (int)(FIRST + number % COUNT);
	}
	return 0;
}
