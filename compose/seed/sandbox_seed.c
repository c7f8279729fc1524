/* SPDX-License-Identifier: Apache-2.0
 * sandbox-seed: makes a source customer. */
#include "compose/seed/seed.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
	"sandbox-seed --folder DIR [options]: makes a source customer for demo, tests and benchmarks\n"
	"\n"
	"  sandbox-seed --folder db --objects blobs --archive share --stubs-seed world.json\n"
	"\n"
	"  --folder DIR        databases; makes DIR/NAME.sqlite\n"
	"  --database NAME     source tenant, its database and folder of files (Cust70000)\n"
	"  --target NAME       its test tenant (Cust70001)\n"
	"  --factor N          1: about 2,000 persons and 20,000 rows; 0: a handful (1)\n"
	"  --seed N            the same number gives the same bytes (42)\n"
	"  --objects DIR       root of the blob store; must exist\n"
	"  --archive DIR       root of the archive share; must exist\n"
	"  --stubs-seed FILE   writes the world of the outside systems for sandbox-stubs --seed\n"
	"  --driver NAME       ODBC driver (SQLite3)\n"
	"  --live-task         with a customer task that is under way now\n";

static const struct option options[] = {
	{ "folder", required_argument, NULL, 'f' },  { "database", required_argument, NULL, 'd' },
	{ "target", required_argument, NULL, 't' },  { "factor", required_argument, NULL, 'n' },
	{ "seed", required_argument, NULL, 's' },    { "objects", required_argument, NULL, 'o' },
	{ "archive", required_argument, NULL, 'a' }, { "stubs-seed", required_argument, NULL, 'j' },
	{ "driver", required_argument, NULL, 'D' },  { "live-task", no_argument, NULL, 'l' },
	{ "help", no_argument, NULL, 'h' },          { NULL, 0, NULL, 0 },
};

static bool read_number(const char *text, long long most, long long *number_r)
{
	char *end;

	*number_r = strtoll(text, &end, 10);
	return *text && !*end && *number_r >= 0 && *number_r <= most;
}

static bool take(int option, struct seed_options *o)
{
	long long number = 0;

	switch (option) {
	case 'f': o->folder = optarg; return true;
	case 'd': o->source = optarg; return true;
	case 't': o->target = optarg; return true;
	case 'o': o->objects = optarg; return true;
	case 'a': o->archive = optarg; return true;
	case 'j': o->stubs = optarg; return true;
	case 'D': o->driver = optarg; return true;
	case 'l': o->live_task = true; return true;
	case 'n':
		if (!read_number(optarg, 1000, &number))
			return false;
		o->factor = (int)number;
		return true;
	case 's':
		if (!read_number(optarg, INT64_MAX, &number))
			return false;
		o->seed = (uint64_t)number;
		return true;
	default:
		return false;
	}
}

int main(int argc, char **argv)
{
	struct seed_options o = { .factor = 1, .seed = 42 };
	struct seed_result result;
	struct err err = { 0 };
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'h')
			return fputs(usage, stdout) < 0;
		if (!take(option, &o)) {
			fputs("try sandbox-seed --help\n", stderr);
			return 2;
		}
	}
	if (!o.folder || optind != argc) {
		fputs(usage, stderr);
		return 2;
	}
	if (!seed_customer(&o, &result, &err)) {
		fprintf(stderr, "sandbox-seed: %s\n", err.text);
		return 1;
	}
	printf("%s: %lld tables, %lld rows, %lld files\n", o.source ? o.source : "Cust70000", (long long)result.tables,
	       (long long)result.rows, (long long)result.files);
	return 0;
}
