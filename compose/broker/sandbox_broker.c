/* SPDX-License-Identifier: Apache-2.0
 * sandbox-broker: a Kafka broker for trials and tests. It is librdkafka's mock cluster in a process of its own: real
 * sockets, real protocol, but everything is in memory and gone with the process. */
#include "compose/broker/broker_control.h"
#include "consumer/ports/messages.h"

#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EXTRA_TOPICS_MAX = 64, PARTITIONS_MAX = 1000, BROKERS_MAX = 9 };

struct options {
	const char *address_file, *control_path;
	int partitions, brokers;
	const char *topics[EXTRA_TOPICS_MAX];
	int topic_count;
	bool die_with_parent;
};

static const char usage[] =
    "Usage: sandbox-broker --address-file FILE [OPTION...]\n"
    "A volatile Kafka broker for trials and tests: all data is in memory and lost when it ends.\n"
    "\n"
    "  --address-file FILE   write the bootstrap address to FILE when ready\n"
    "  --control SOCKET      take control words on a unix socket (docs/kafka.md)\n"
    "  --partitions N        partitions of each of our topics (default 4)\n"
    "  --brokers N           number of brokers, 1 to 9 (default 1)\n"
    "  --topic NAME          make this topic too; may be repeated\n"
    "  --die-with-parent     end when the thread that started it ends\n";

static int number(const char *text, int max)
{
	char *end;
	long n = strtol(text, &end, 10);

	return *end || n < 1 || n > max ? 0 : (int)n;
}

static bool parse(int argc, char **argv, struct options *o)
{
	static const struct option names[] = {
		{ "address-file", required_argument, NULL, 'a' },
		{ "control", required_argument, NULL, 'c' },
		{ "partitions", required_argument, NULL, 'p' },
		{ "brokers", required_argument, NULL, 'b' },
		{ "topic", required_argument, NULL, 't' },
		{ "die-with-parent", no_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	*o = (struct options){ .partitions = 4, .brokers = 1 };
	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (c) {
		case 'a':
			o->address_file = optarg;
			break;
		case 'c':
			o->control_path = optarg;
			break;
		case 'p':
			o->partitions = number(optarg, PARTITIONS_MAX);
			break;
		case 'b':
			o->brokers = number(optarg, BROKERS_MAX);
			break;
		case 't':
			if (o->topic_count < EXTRA_TOPICS_MAX)
				o->topics[o->topic_count++] = optarg;
			break;
		case 'd':
			o->die_with_parent = true;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			return false;
		}
	}
	return o->address_file && o->partitions && o->brokers && optind == argc;
}

static rd_kafka_t *host_new(void)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char reason[200];
	rd_kafka_t *host;

	rd_kafka_conf_set_log_cb(conf, NULL); /* it talks about bootstrap servers that it does not need */
	host = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
	if (!host) {
		fprintf(stderr, "sandbox-broker: %s\n", reason);
		rd_kafka_conf_destroy(conf);
	}
	return host;
}

static bool make_topic(rd_kafka_mock_cluster_t *cluster, const char *name, int partitions)
{
	control_settle();
	return rd_kafka_mock_topic_create(cluster, name, partitions, 1) == RD_KAFKA_RESP_ERR_NO_ERROR;
}

static bool make_topics(rd_kafka_mock_cluster_t *cluster, const struct options *o)
{
	for (int topic = TOPIC_UNSET + 1; topic < TOPIC_END; topic++)
		if (!make_topic(cluster, topic_name((enum topic)topic), o->partitions))
			return false;
	for (int i = 0; i < o->topic_count; i++)
		if (!make_topic(cluster, o->topics[i], o->partitions))
			return false;
	return true;
}

/* Written beside and renamed, so that who waits for the file never reads half of it. */
static bool write_address(const char *path, const char *address)
{
	char beside[4096];
	FILE *f;
	bool ok;

	if (snprintf(beside, sizeof beside, "%s.new", path) >= (int)sizeof beside)
		return false;
	f = fopen(beside, "w");
	if (!f)
		return false;
	ok = fprintf(f, "%s\n", address) > 0;
	ok = fclose(f) == 0 && ok;
	return ok && rename(beside, path) == 0;
}

static void serve(struct control *c, int signal_fd, int listen_fd)
{
	for (;;) {
		struct pollfd fds[] = { { signal_fd, POLLIN, 0 },
					{ c->fd < 0 ? listen_fd : -1, POLLIN, 0 },
					{ c->fd, POLLIN, 0 } };

		if (poll(fds, 3, -1) < 0)
			continue;
		if (fds[0].revents)
			return;
		if (fds[1].revents) {
			c->fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
			c->len = 0;
		}
		if (fds[2].revents && !control_serve(c)) {
			close(c->fd);
			c->fd = -1;
		}
	}
}

/* The signals are blocked before librdkafka starts its threads, so that only our descriptor gets them. */
static int block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static int run(const struct options *o, int signal_fd, rd_kafka_mock_cluster_t *cluster)
{
	struct control control = { .cluster = cluster, .brokers = o->brokers, .fd = -1 };
	int listen_fd = o->control_path ? control_listen(o->control_path) : -1;

	if (o->control_path && listen_fd < 0) {
		fprintf(stderr, "sandbox-broker: the control socket cannot be made\n");
		return 1;
	}
	if (!make_topics(cluster, o) || !write_address(o->address_file, rd_kafka_mock_cluster_bootstraps(cluster))) {
		fprintf(stderr, "sandbox-broker: the topics or the address file cannot be made\n");
		return 1;
	}
	fprintf(stderr, "sandbox-broker: volatile, everything is lost when it ends; address in %s\n", o->address_file);
	serve(&control, signal_fd, listen_fd);
	unlink(o->address_file);
	if (o->control_path)
		unlink(o->control_path);
	return 0;
}

int main(int argc, char **argv)
{
	pid_t parent = getppid();
	rd_kafka_mock_cluster_t *cluster;
	struct options o;
	rd_kafka_t *host;
	int signal_fd, status;

	if (!parse(argc, argv, &o)) {
		fputs(usage, stderr);
		return 2;
	}
	signal_fd = block_signals();
	if (o.die_with_parent && (prctl(PR_SET_PDEATHSIG, SIGTERM) || getppid() != parent))
		return 1;
	host = host_new();
	if (!host)
		return 1;
	cluster = rd_kafka_mock_cluster_new(host, o.brokers);
	if (!cluster) {
		fprintf(stderr, "sandbox-broker: no brokers could be started\n");
		return 1;
	}
	status = run(&o, signal_fd, cluster);
	rd_kafka_mock_cluster_destroy(cluster);
	rd_kafka_destroy(host);
	return status;
}
