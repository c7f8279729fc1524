/* SPDX-License-Identifier: Apache-2.0
 * sandbox-stubs: hosting, SuperID, the mail provider, the licence server and the app store in one small server, for
 * the demo and the tests. See README.md in this folder. */
#include "compose/stubs/stubs.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
	const char *bind, *port_file, *state_dir, *seed, *token_file;
	long port;
};

static const char usage[] =
	"usage: sandbox-stubs --state-dir DIR [--seed FILE] [--port N] [--port-file FILE]\n"
	"                     [--bind ADDRESS] [--token-file FILE]\n"
	"  --state-dir DIR    keeps <system>.json and calls.jsonl there\n"
	"  --seed FILE        first state, used when DIR has none\n"
	"  --port N           0, the default, takes any free port\n"
	"  --port-file FILE   the port is written there once calls are answered\n"
	"  --bind ADDRESS     IPv4 address; 127.0.0.1 by default, because nothing here is guarded but by a token\n"
	"  --token-file FILE  every call to a system must bear the token in the first line of FILE\n";

static bool read_options(int argc, char **argv, struct options *o)
{
	static const struct option known[] = {
		{ "port", required_argument, NULL, 'p' },      { "port-file", required_argument, NULL, 'f' },
		{ "state-dir", required_argument, NULL, 'd' }, { "seed", required_argument, NULL, 's' },
		{ "bind", required_argument, NULL, 'b' },      { "token-file", required_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 },
	};
	char *end = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 'p')
			o->port = strtol(optarg, &end, 10);
		else if (option == 'f')
			o->port_file = optarg;
		else if (option == 'd')
			o->state_dir = optarg;
		else if (option == 's')
			o->seed = optarg;
		else if (option == 'b')
			o->bind = optarg;
		else if (option == 't')
			o->token_file = optarg;
		else
			return false;
	}
	return optind == argc && o->state_dir && o->port >= 0 && o->port <= 65535 && (!end || !*end);
}

static bool read_token(const char *path, char *token_r, size_t size)
{
	FILE *file = fopen(path, "re");
	bool ok = file && fgets(token_r, (int)size, file);

	if (file)
		fclose(file);
	if (ok)
		token_r[strcspn(token_r, "\r\n")] = '\0';
	return ok && *token_r;
}

/* Whoever waits for the file never sees half a number. */
static bool write_port(const char *path, uint16_t port)
{
	char fresh[4096];
	FILE *file;
	bool ok;
	int len = snprintf(fresh, sizeof fresh, "%s.new", path);

	if (len < 0 || (size_t)len >= sizeof fresh)
		return false;
	file = fopen(fresh, "we");
	if (!file)
		return false;
	ok = fprintf(file, "%u\n", (unsigned)port) > 0;
	ok &= fclose(file) == 0;
	return ok && rename(fresh, path) == 0;
}

static int failed(const char *what)
{
	fprintf(stderr, "sandbox-stubs: %s\n", what);
	return EXIT_FAILURE;
}

static int serve(const struct options *o, const struct server_settings *settings, const sigset_t *stops)
{
	struct server *server = server_start(settings);
	int got;

	if (!server)
		return failed("the port or the address cannot be had; is another one running?");
	if (o->port_file && !write_port(o->port_file, server_port(server))) {
		server_stop(&server);
		return failed("the port file cannot be written");
	}
	printf("sandbox-stubs: http://%s:%u/{hosting,superid,mail,licence,apps}\n", o->bind,
	       (unsigned)server_port(server));
	fflush(stdout);
	sigwait(stops, &got);
	server_stop(&server);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct options o = { .bind = "127.0.0.1" };
	struct store store;
	struct record record;
	struct problem problem = { "" };
	char token[1024];
	sigset_t stops;
	int code;

	if (!read_options(argc, argv, &o)) {
		fputs(usage, stderr);
		return 2;
	}
	if (o.token_file && !read_token(o.token_file, token, sizeof token))
		return failed("the token file cannot be read or is empty");
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&stops);
	sigaddset(&stops, SIGTERM);
	sigaddset(&stops, SIGINT);
	sigprocmask(SIG_BLOCK, &stops, NULL); /* before the server's threads are made, which inherit it */
	if (!store_open(&store, o.state_dir, o.seed, &problem)) {
		store_close(&store);
		return failed(problem.text);
	}
	if (record_open(&record, o.state_dir, &store))
		code = serve(&o, &(struct server_settings){ o.bind, (uint16_t)o.port, o.token_file ? token : NULL, &store,
		                                            &record }, &stops);
	else
		code = failed("calls.jsonl cannot be opened in the state folder");
	if (store.since)
		store_save(&store); /* the next start has less to do */
	record_close(&record);
	store_close(&store);
	return code;
}
