/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/driver.h"

#include <librdkafka/rdkafka.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PATIENCE_S = 60, REQUEST_MAX_BYTES = 64 * 1024, TOPIC_WITHIN_MS = 15000 };

struct driver {
	const struct driver_subject *subject;
	rd_kafka_t *producer, *consumer;
	unsigned char *seen; /* records on the done topic, by clone number */
	size_t clones, wanted, ended;
	struct buf key, value;
};

static bool complain(const char *what)
{
	fprintf(stderr, "driver: %s\n", what);
	return false;
}

static time_t now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static rd_kafka_t *client(rd_kafka_type_t type, const char *bootstrap)
{
	static const char *const settings[][2] = { { "socket.nagle.disable", "true" }, { "linger.ms", "0" },
		{ "fetch.wait.max.ms", "5" }, { "fetch.error.backoff.ms", "5" }, { "group.id", "driver" },
		{ "enable.auto.commit", "false" }, { "allow.auto.create.topics", "true" }, { "log_level", "3" } };
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[256];
	rd_kafka_t *rk;

	rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap, why, sizeof why);
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
		rd_kafka_conf_set(conf, settings[i][0], settings[i][1], why, sizeof why);
	rk = rd_kafka_new(type, conf, why, sizeof why);
	if (!rk) {
		complain(why);
		rd_kafka_conf_destroy(conf);
	}
	return rk;
}

/* How many partitions the topic has, once it has a leader; it is made by asking for it. 0: not in time. */
static int partitions_of(rd_kafka_t *rk, const char *name)
{
	rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, name, NULL);
	time_t until = now_s() + TOPIC_WITHIN_MS / 1000;
	int count = 0;

	while (topic && !count && now_s() < until) {
		const rd_kafka_metadata_t *metadata;

		if (rd_kafka_metadata(rk, 0, topic, &metadata, 2000) == RD_KAFKA_RESP_ERR_NO_ERROR) {
			if (metadata->topic_cnt == 1 && !metadata->topics[0].err)
				count = metadata->topics[0].partition_cnt;
			rd_kafka_metadata_destroy(metadata);
		}
		if (!count)
			nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	}
	if (topic)
		rd_kafka_topic_destroy(topic);
	return count;
}

/* A topic that was just made may have no leader yet. */
static bool end_of(rd_kafka_t *rk, const char *topic, int partition, int64_t *end_r)
{
	time_t until = now_s() + TOPIC_WITHIN_MS / 1000;
	int64_t low;

	while (rd_kafka_query_watermark_offsets(rk, topic, partition, &low, end_r, 2000)) {
		if (now_s() >= until)
			return false;
		nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	}
	return true;
}

/* From where the topic ends now: what earlier runs left there is none of ours. */
static bool read_from_end(struct driver *d)
{
	int count = partitions_of(d->consumer, d->subject->done_topic);
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(count);
	bool ok = count > 0;

	for (int i = 0; i < count && ok; i++) {
		int64_t end = 0;

		ok = end_of(d->consumer, d->subject->done_topic, i, &end);
		rd_kafka_topic_partition_list_add(list, d->subject->done_topic, i)->offset = end;
	}
	ok = ok && rd_kafka_assign(d->consumer, list) == RD_KAFKA_RESP_ERR_NO_ERROR;
	rd_kafka_topic_partition_list_destroy(list);
	return ok || complain("the broker has no topic to read the ends from");
}

struct driver *driver_open(const char *bootstrap, const struct driver_subject *subject, size_t clones)
{
	struct driver *d = calloc(1, sizeof *d);

	if (!d)
		return NULL;
	d->subject = subject;
	d->clones = clones;
	d->seen = calloc(clones, 1);
	buf_init(&d->key, REQUEST_MAX_BYTES);
	buf_init(&d->value, REQUEST_MAX_BYTES);
	d->producer = client(RD_KAFKA_PRODUCER, bootstrap);
	d->consumer = client(RD_KAFKA_CONSUMER, bootstrap);
	if (d->consumer)
		rd_kafka_poll_set_consumer(d->consumer);
	if (!d->seen || !d->producer || !d->consumer || !partitions_of(d->producer, subject->request_topic) ||
	    !read_from_end(d))
		driver_close(&d);
	return d;
}

void driver_close(struct driver **d_)
{
	struct driver *d = *d_;

	if (!d)
		return;
	if (d->producer)
		rd_kafka_destroy(d->producer);
	if (d->consumer)
		rd_kafka_destroy(d->consumer);
	buf_done(&d->key);
	buf_done(&d->value);
	free(d->seen);
	free(d);
	*d_ = NULL;
}

static bool publish(struct driver *d, size_t n)
{
	rd_kafka_resp_err_t code;

	buf_clear(&d->key);
	buf_clear(&d->value);
	if (!d->subject->request(d->subject->arg, n, &d->key, &d->value))
		return complain("a request cannot be made");
	do {
		code = rd_kafka_producev(d->producer, RD_KAFKA_V_TOPIC(d->subject->request_topic),
			RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(d->key.data, d->key.len),
			RD_KAFKA_V_VALUE(d->value.data, d->value.len), RD_KAFKA_V_END);
		rd_kafka_poll(d->producer, code == RD_KAFKA_RESP_ERR__QUEUE_FULL ? 10 : 0);
	} while (code == RD_KAFKA_RESP_ERR__QUEUE_FULL);
	return !code || complain(rd_kafka_err2str(code));
}

/* True when a clone has ended with the next record. */
static bool take_end(struct driver *d, int within_ms)
{
	rd_kafka_message_t *m = rd_kafka_consumer_poll(d->consumer, within_ms);
	size_t n = m && !m->err ? d->subject->number_of(d->subject->arg, m->key, m->key_len) : SIZE_MAX;
	bool ended = false;

	if (n < d->clones && d->seen[n] < UINT8_MAX)
		ended = ++d->seen[n] == d->wanted;
	if (m)
		rd_kafka_message_destroy(m);
	return ended;
}

bool driver_run(struct driver *d, size_t from, size_t to, size_t in_flight)
{
	size_t next = from, ended = from;
	time_t last = now_s();

	d->wanted = d->subject->done_records;
	while (ended < to) {
		while (next < to && next - ended < in_flight)
			if (!publish(d, next++))
				return false;
		if (take_end(d, 1000)) {
			ended++;
			last = now_s();
		} else if (now_s() - last > PATIENCE_S) {
			fprintf(stderr, "driver: %zu of %zu clones did not end\n", to - ended, to - from);
			return false;
		}
	}
	return true;
}

bool driver_publish(struct driver *d, size_t from, size_t to, size_t records)
{
	size_t ended = from;
	time_t last = now_s();

	d->wanted = records;
	for (size_t n = from; n < to; n++)
		if (!publish(d, n))
			return false;
	while (ended < to && now_s() - last <= PATIENCE_S)
		if (take_end(d, 1000)) {
			ended++;
			last = now_s();
		}
	return ended == to || complain("not every clone began");
}
