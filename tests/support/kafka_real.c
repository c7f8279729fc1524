/* SPDX-License-Identifier: Apache-2.0
 * A real Apache Kafka by kafka_real.sh: one of the test's own, or one that runs already and that many tests share. */
#include "tests/support/kafka_broker_priv.h"

#include "consumer/adapters/kafka/kafka_topics.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { EXIT_SKIP = 77, ASK_WITHIN_MS = 20000, EMPTY_TRIES = 200, PAUSE_MS = 100, CLUSTER = 3 };

/* Runs kafka_real.sh with its output in a file of the folder; its exit status, or -1. */
static int run_script(const struct kafka_broker *b, const char *act)
{
	const char *source = getenv("SOURCE_DIR");
	posix_spawn_file_actions_t actions;
	char script[4096], folder[64];
	char *argv[] = { script, (char *)(uintptr_t)act, folder, NULL };
	int status = -1;
	pid_t pid;

	snprintf(script, sizeof script, "%s/compose/lib/kafka_real.sh", source ? source : ".");
	memcpy(folder, b->folder, sizeof folder);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	if (posix_spawn(&pid, script, &actions, NULL, argv, environ) == 0)
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			continue;
	posix_spawn_file_actions_destroy(&actions);
	return status >= 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- one of the test's own ---- */

enum kafka_real_result kafka_real_start(struct kafka_broker *b, const char *as)
{
	int status;

	if (!kafka_broker_make_folder(b))
		return KAFKA_REAL_FAILED;
	b->is_real = true;
	status = run_script(b, as);
	if (status == 0 && kafka_broker_read_address(b, "bootstrap"))
		return KAFKA_REAL_STARTED;
	return status == EXIT_SKIP ? KAFKA_REAL_ABSENT : KAFKA_REAL_FAILED;
}

static pid_t pid_of(const struct kafka_broker *b, int n)
{
	char path[96], name[16] = "pid";
	int pid = 0;
	FILE *f;

	if (n)
		snprintf(name, sizeof name, "%d/pid", n);
	kafka_broker_file(b, name, path, sizeof path);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%d", &pid) != 1)
		pid = 0;
	fclose(f);
	return pid > 1 ? pid : 0;
}

bool kafka_real_kill(const struct kafka_broker *b, int n)
{
	pid_t pid = pid_of(b, n);

	return pid > 0 && kill(pid, SIGKILL) == 0;
}

bool kafka_real_again(const struct kafka_broker *b)
{
	return run_script(b, "start") == 0;
}

bool kafka_real_listener(const struct kafka_broker *b, const char *name, char *address_r, size_t size)
{
	char path[96], line[128];
	size_t len = strlen(name);
	bool found = false;
	FILE *f;

	kafka_broker_file(b, "listeners", path, sizeof path);
	f = fopen(path, "re");
	while (f && !found && fgets(line, sizeof line, f))
		found = strncmp(line, name, len) == 0 && line[len] == ' ';
	if (f)
		fclose(f);
	line[strcspn(line, "\n")] = '\0';
	return found && (size_t)snprintf(address_r, size, "%s", line + len + 1) < size;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

void kafka_real_stop(struct kafka_broker *b)
{
	if (run_script(b, "stop") != 0)
		fprintf(stderr, "kafka_broker: the real Kafka in %s could not be stopped\n", b->folder);
	nftw(b->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

int kafka_real_main(struct kafka_broker *b, const char *as, int (*run)(void))
{
	enum kafka_real_result started = kafka_real_start(b, as);
	int status = 1;

	if (started == KAFKA_REAL_STARTED)
		status = run();
	else if (started == KAFKA_REAL_ABSENT)
		status = puts("SKIPPED: no real Kafka on this machine") < 0;
	kafka_real_stop(b);
	return status;
}

/* ---- one that is shared ---- */

/* Those of a cluster have folders of their own, 1 to 3. */
static int count_brokers(const struct kafka_broker *b)
{
	char path[96];

	kafka_broker_file(b, "1", path, sizeof path);
	return access(path, F_OK) == 0 ? CLUSTER : 1;
}

static void pause_a_while(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = PAUSE_MS * 1000000L }, NULL);
}

/* The adapter has no way to delete a topic, and needs none. */
static bool drop_topics(const struct kafka_broker *b)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_DeleteTopic_t *orders[TOPIC_END];
	rd_kafka_queue_t *queue;
	rd_kafka_event_t *event;
	rd_kafka_t *client;
	size_t count = 0;
	bool ok;

	rd_kafka_conf_set(conf, "bootstrap.servers", b->bootstrap, NULL, 0);
	client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
	if (!client)
		return false;
	queue = rd_kafka_queue_new(client);
	for (int t = TOPIC_UNSET + 1; t < TOPIC_END; t++)
		orders[count++] = rd_kafka_DeleteTopic_new(topic_name((enum topic)t));
	rd_kafka_DeleteTopics(client, orders, count, NULL, queue);
	event = rd_kafka_queue_poll(queue, ASK_WITHIN_MS);
	ok = event && !rd_kafka_event_error(event); /* a topic that is not there is an error of its own, and well */
	rd_kafka_event_destroy(event);
	rd_kafka_DeleteTopic_destroy_array(orders, count);
	rd_kafka_queue_destroy(queue);
	rd_kafka_destroy(client);
	return ok;
}

/* What differs; SIZE_MAX: nobody answers. */
static size_t look(const struct kafka_settings *s, const struct topic_wishes *wishes, struct topic_change *changes)
{
	struct kafka_facts facts;
	struct err e = { 0 };

	return kafka_topics_look(s, ASK_WITHIN_MS, &facts, &e) ? topics_compare(facts.topics, wishes, changes) : SIZE_MAX;
}

static bool make_topics(const struct kafka_broker *b, int partitions)
{
	const struct kafka_settings s = { .bootstrap_servers = b->bootstrap, .client_id = "test" };
	const struct topic_wishes wishes = { .partitions = partitions, .replicas = count_brokers(b) };
	struct topic_change changes[TOPIC_CHANGES_MAX];
	struct err e = { 0 };

	for (int tries = 0; tries < EMPTY_TRIES; tries++, pause_a_while()) {
		size_t count = look(&s, &wishes, changes);

		if (count == 0)
			return true;
		if (count < TOPIC_CHANGES_MAX)
			kafka_topics_apply(&s, changes, count, wishes.replicas, ASK_WITHIN_MS, &e);
	}
	fprintf(stderr, "kafka_broker: the topics could not be made: %s\n", e.text);
	return false;
}

/* Deleting is done when nobody knows of them any more. */
static bool await_no_topics(const struct kafka_broker *b)
{
	const struct kafka_settings s = { .bootstrap_servers = b->bootstrap, .client_id = "test" };
	struct err e = { 0 };

	for (int tries = 0; tries < EMPTY_TRIES; tries++, pause_a_while()) {
		struct kafka_facts facts;
		bool any = !kafka_describe(&s, ASK_WITHIN_MS, &facts, &e);

		for (int t = TOPIC_UNSET + 1; t < TOPIC_END; t++)
			any |= facts.topics[t].exists;
		if (!any)
			return true;
	}
	return false;
}

bool kafka_real_take(struct kafka_broker *b, const char *folder, int partitions)
{
	*b = (struct kafka_broker){ .control = -1, .is_real = true };
	if ((size_t)snprintf(b->folder, sizeof b->folder, "%s", folder) >= sizeof b->folder)
		return false;
	if (count_brokers(b) == CLUSTER || !pid_of(b, 0) || kill(pid_of(b, 0), 0) != 0)
		run_script(b, "start"); /* the test before killed it */
	if (kafka_broker_read_address(b, "bootstrap") && drop_topics(b) && await_no_topics(b))
		return make_topics(b, partitions);
	fprintf(stderr, "kafka_broker: the real Kafka in %s cannot be used\n", folder);
	return false;
}

bool kafka_real_say(struct kafka_broker *b, const char *words)
{
	if (strcmp(words, "down") == 0 && count_brokers(b) == CLUSTER)
		return kafka_real_kill(b, b->victim = b->victim % CLUSTER + 1);
	if (strcmp(words, "down") == 0)
		return kafka_real_kill(b, 0);
	if (strcmp(words, "up") == 0)
		return kafka_real_again(b);
	fprintf(stderr, "kafka_broker: a real Kafka cannot do \"%s\"\n", words);
	return false;
}
