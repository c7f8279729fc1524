/* SPDX-License-Identifier: Apache-2.0
 * The partner's server of the tests as a program of its own: it writes its ports and its certificate authority into a
 * folder, runs until SIGTERM or SIGINT, and is steered over HTTP (tests/support/partner_server.h).
 *
 *   sandbox-partner FOLDER       FOLDER/ca.pem, and FOLDER/ports once it is ready: one "name number" a line */
#include "tests/support/partner_server.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static const char *const doors[] = { "http", "https", "expired", "other-host", "self-signed", "old-tls", "mute" };

_Static_assert(sizeof doors / sizeof *doors == PARTNER_DOOR_END, "each door has its name");

/* Under another name first: who sees the file sees all of it. */
static bool write_ports(const struct partner_server *server, const char *folder)
{
	char path[512], part[520];
	FILE *file;
	bool ok;

	snprintf(path, sizeof path, "%s/ports", folder);
	snprintf(part, sizeof part, "%s.part", path);
	file = fopen(part, "we");
	ok = file != NULL;
	for (int i = 0; ok && i < PARTNER_DOOR_END; i++)
		ok = fprintf(file, "%s %d\n", doors[i], partner_server_port(server, (enum partner_door)i)) > 0;
	if (file)
		ok = fclose(file) == 0 && ok;
	return ok && rename(part, path) == 0;
}

int main(int argc, char **argv)
{
	struct err err = { 0 };
	struct partner_server *server;
	sigset_t ends;
	int got;
	bool ok;

	if (argc != 2) {
		fprintf(stderr, "usage: sandbox-partner FOLDER\n");
		return 2;
	}
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigprocmask(SIG_BLOCK, &ends, NULL); /* before there is a thread that could take them */
	server = partner_server_start(argv[1], &err);
	ok = server && write_ports(server, argv[1]);
	if (ok)
		sigwait(&ends, &got);
	else
		fprintf(stderr, "sandbox-partner: %s\n", *err.text ? err.text : "the file of the ports cannot be written");
	partner_server_free(&server);
	return ok ? 0 : 1;
}
