/* SPDX-License-Identifier: Apache-2.0
 * sandboxctl: the operator's command. Puts the logic of consumer/ctl on a real desk. */
#include "consumer/ctl/ctl.h"
#include "consumer/programs/sandboxctl_desk.h"

#include <signal.h>
#include <unistd.h>

static volatile sig_atomic_t stop;

/* The second time nobody is waited for any more. */
static void on_signal(int number)
{
	if (stop)
		_exit(CTL_INTERRUPTED);
	stop = number;
}

int main(int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = on_signal };
	static struct desk desk;
	int rc;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	desk_init(&desk, &stop);
	rc = ctl_main(&desk.port, argc - 1, argv + 1);
	desk_done(&desk);
	return rc;
}
