/* SPDX-License-Identifier: Apache-2.0
 * floor BOOTSTRAP REDIS_SOCKET strict|lazy CLONES TRACE FETCH_WAIT_MS SESSION_MS
 * The least that a durable step costs on this machine: one marker in Redis by one Lua call, one acknowledged event of
 * 300 bytes, nothing else. No retries, no schemas, no fencing of the store, no log: what bench_steps is measured
 * against. strict: the next step when the event is acknowledged; lazy: on the marker alone, and all events are
 * acknowledged before the clone ends. */
#include <errno.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { STEPS = 33, EVENT_BYTES = 300, LOOK_EVERY_NS = 100000000, COMMIT_EVERY = 16 };

static const char marker_script[] =
	"if redis.call('GET',KEYS[1])~=ARGV[1] then return -1 end "
	"redis.call('PEXPIRE',KEYS[1],ARGV[2]) "
	"return redis.call('HSETNX',KEYS[2],ARGV[3],ARGV[4])";

enum asked { ASKED_MARKER, ASKED_LOCK, ASKED_UNLOCK };

struct clone {
	int id, step, events_out;
	bool marker_out, event_out, ended;
	int64_t start_ns;
};

struct row {
	int clone, step;
	int64_t start_ns, end_ns;
};

struct asking { /* what Redis was asked, oldest first */
	int clone;
	enum asked what;
};

struct floor {
	redisContext *redis;
	rd_kafka_t *producer, *consumer;
	int producer_fd, consumer_fd;
	char script[48];
	bool strict, to_send;
	struct clone *clones;
	struct row *rows;
	struct asking *asked;
	size_t total, begun, ended, committed, row_count, asked_first, asked_last, asked_size;
};

static void die(const char *why)
{
	fprintf(stderr, "floor: %s\n", why);
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- out ---- */

static void ask(struct floor *f, int clone, enum asked what)
{
	f->asked[f->asked_last++ % f->asked_size] = (struct asking){ clone, what };
	f->to_send = true;
}

static void produce(struct floor *f, const char *topic, int id, intptr_t tag)
{
	char key[16], event[EVENT_BYTES];

	memset(event, 'e', sizeof event);
	snprintf(key, sizeof key, "%d", id);
	while (rd_kafka_producev(f->producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_KEY(key, strlen(key)),
		RD_KAFKA_V_VALUE(event, sizeof event), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
		RD_KAFKA_V_OPAQUE((void *)tag), RD_KAFKA_V_END))
		rd_kafka_poll(f->producer, 1);
}

static void tell(struct floor *f, int c)
{
	f->clones[c].events_out++;
	f->clones[c].event_out = f->strict;
	produce(f, "floor.events", f->clones[c].id, c + 1);
}

static void run_step(struct floor *f, int c)
{
	struct clone *x = &f->clones[c];

	x->start_ns = now_ns();
	f->rows[f->row_count++] = (struct row){ x->id, x->step, x->start_ns, now_ns() };
	redisAppendCommand(f->redis, "EVALSHA %s 2 lock:%d clone:%d tok 60000 step%d ok", f->script, x->id, x->id, x->step);
	ask(f, c, ASKED_MARKER);
	x->marker_out = true;
	if (!f->strict)
		tell(f, c);
}

static void advance(struct floor *f, int c)
{
	struct clone *x = &f->clones[c];

	if (x->marker_out || x->event_out)
		return;
	if (x->step < STEPS) {
		x->step++;
		run_step(f, c);
	} else if (!x->events_out && !x->ended) {
		x->ended = true;
		produce(f, "floor.ends", x->id, -(c + 1));
	}
}

/* ---- in ---- */

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *arg)
{
	struct floor *f = arg;
	intptr_t tag = (intptr_t)m->_private;

	(void)rk;
	if (m->err)
		die("an event was not delivered");
	if (tag > 0) {
		f->clones[tag - 1].events_out--;
		f->clones[tag - 1].event_out = false;
		advance(f, (int)tag - 1);
	} else if (tag < 0) {
		redisAppendCommand(f->redis, "DEL lock:%d", f->clones[-tag - 1].id);
		ask(f, (int)-tag - 1, ASKED_UNLOCK);
		f->ended++;
	}
}

static void on_reply(struct floor *f, const redisReply *r)
{
	const struct asking a = f->asked[f->asked_first++ % f->asked_size];
	struct clone *x = &f->clones[a.clone];

	if (a.what == ASKED_LOCK) {
		if (r->type != REDIS_REPLY_STATUS)
			die("a target is locked");
		x->step = 1;
		run_step(f, a.clone);
	} else if (a.what == ASKED_MARKER) {
		if (r->type != REDIS_REPLY_INTEGER || r->integer != 1)
			die("a marker was refused");
		x->marker_out = false;
		if (f->strict)
			tell(f, a.clone);
		else
			advance(f, a.clone);
	}
}

static void take_requests(struct floor *f)
{
	rd_kafka_message_t *m;

	while ((m = rd_kafka_consumer_poll(f->consumer, 0))) {
		if (!m->err && f->begun < f->total) {
			char id[16] = "";
			int c = (int)f->begun++;

			memcpy(id, m->payload, m->len < sizeof id ? m->len : sizeof id - 1);
			f->clones[c] = (struct clone){ .id = atoi(id) };
			redisAppendCommand(f->redis, "SET lock:%d tok NX PX 60000", f->clones[c].id);
			ask(f, c, ASKED_LOCK);
		}
		rd_kafka_message_destroy(m);
	}
}

static void send_redis(struct floor *f)
{
	int done = 0;

	while (f->to_send && !done)
		if (redisBufferWrite(f->redis, &done))
			die("the connection to Redis ended");
	f->to_send = false;
}

static void take_redis(struct floor *f)
{
	void *reply;

	if (redisBufferRead(f->redis))
		die("the connection to Redis ended");
	while (redisGetReplyFromReader(f->redis, &reply) == REDIS_OK && reply) {
		on_reply(f, reply);
		freeReplyObject(reply);
	}
}

static void drain(int fd)
{
	uint64_t count;

	if (read(fd, &count, sizeof count) < 0 && errno != EAGAIN)
		die("an eventfd cannot be read");
}

static void loop(struct floor *f)
{
	int64_t looked_ns = now_ns();

	while (f->ended < f->total) {
		struct pollfd fds[] = { { f->redis->fd, POLLIN, 0 }, { f->producer_fd, POLLIN, 0 }, { f->consumer_fd, POLLIN, 0 } };

		poll(fds, 3, 20);
		if (fds[1].revents)
			drain(f->producer_fd);
		rd_kafka_poll(f->producer, 0);
		if (fds[2].revents || now_ns() - looked_ns > LOOK_EVERY_NS) {
			looked_ns = now_ns();
			drain(f->consumer_fd);
			take_requests(f);
		}
		send_redis(f);
		if (fds[0].revents)
			take_redis(f);
		send_redis(f);
		if (f->ended - f->committed >= COMMIT_EVERY) {
			f->committed = f->ended;
			rd_kafka_commit(f->consumer, NULL, 1);
		}
	}
	rd_kafka_commit(f->consumer, NULL, 0);
}

/* ---- setting up ---- */

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
	char why[256];

	if (rd_kafka_conf_set(conf, name, value, why, sizeof why))
		die(why);
}

static rd_kafka_t *client(rd_kafka_type_t type, rd_kafka_conf_t *conf, const char *bootstrap)
{
	char why[256];
	rd_kafka_t *rk;

	set(conf, "bootstrap.servers", bootstrap);
	set(conf, "socket.nagle.disable", "true");
	rk = rd_kafka_new(type, conf, why, sizeof why);
	if (!rk)
		die(why);
	return rk;
}

static void open_producer(struct floor *f, const char *bootstrap)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();

	set(conf, "linger.ms", "0");
	set(conf, "acks", "all");
	set(conf, "enable.idempotence", "true");
	rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
	rd_kafka_conf_set_opaque(conf, f);
	f->producer = client(RD_KAFKA_PRODUCER, conf, bootstrap);
	for (int i = 0; i < 40; i++) { /* warms its connections up; clone numbers below 0 are nobody's */
		produce(f, "floor.events", -1, 0);
		produce(f, "floor.ends", -1, 0);
	}
	rd_kafka_flush(f->producer, 20000);
}

static void open_consumer(struct floor *f, const char *bootstrap, const char *fetch_wait_ms,
                          const char *session_ms)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);

	set(conf, "group.id", "floor");
	set(conf, "auto.offset.reset", "earliest");
	set(conf, "enable.auto.commit", "false");
	set(conf, "allow.auto.create.topics", "true");
	set(conf, "fetch.error.backoff.ms", "5");
	set(conf, "session.timeout.ms", session_ms);
	set(conf, "fetch.wait.max.ms", fetch_wait_ms);
	f->consumer = client(RD_KAFKA_CONSUMER, conf, bootstrap);
	rd_kafka_poll_set_consumer(f->consumer);
	rd_kafka_topic_partition_list_add(topics, "floor.requests", RD_KAFKA_PARTITION_UA);
	rd_kafka_subscribe(f->consumer, topics);
	rd_kafka_topic_partition_list_destroy(topics);
}

static int wake_by(rd_kafka_queue_t *queue)
{
	static const uint64_t one = 1;
	int fd = eventfd(0, EFD_NONBLOCK);

	rd_kafka_queue_io_event_enable(queue, fd, &one, sizeof one);
	return fd;
}

static void open_redis(struct floor *f, const char *path)
{
	redisReply *r;

	f->redis = redisConnectUnix(path);
	if (!f->redis || f->redis->err)
		die("Redis is not there");
	r = redisCommand(f->redis, "SCRIPT LOAD %s", marker_script);
	if (!r || r->type != REDIS_REPLY_STRING)
		die("Redis does not take the script");
	snprintf(f->script, sizeof f->script, "%s", r->str);
	freeReplyObject(r);
	fcntl(f->redis->fd, F_SETFL, fcntl(f->redis->fd, F_GETFL) | O_NONBLOCK);
	f->redis->flags &= ~REDIS_BLOCK;
}

static void write_trace(const struct floor *f, const char *path)
{
	FILE *out = fopen(path, "w");

	if (!out)
		die("the trace cannot be written");
	for (size_t i = 0; i < f->row_count; i++)
		fprintf(out, "%d,%d,%" PRId64 ",%" PRId64 "\n", f->rows[i].clone, f->rows[i].step, f->rows[i].start_ns,
			f->rows[i].end_ns);
	fclose(out);
}

int main(int argc, char **argv)
{
	static struct floor f;

	if (argc != 8)
		return 2;
	f.strict = strcmp(argv[3], "strict") == 0;
	f.total = strtoul(argv[4], NULL, 10);
	f.asked_size = 4 * f.total + 64;
	f.clones = calloc(f.total + 1, sizeof *f.clones);
	f.rows = malloc((f.total + 1) * STEPS * sizeof *f.rows);
	f.asked = calloc(f.asked_size, sizeof *f.asked);
	if (!f.clones || !f.rows || !f.asked)
		die("out of memory");
	open_redis(&f, argv[2]);
	open_producer(&f, argv[1]);
	open_consumer(&f, argv[1], argv[6], argv[7]);
	f.producer_fd = wake_by(rd_kafka_queue_get_main(f.producer));
	f.consumer_fd = wake_by(rd_kafka_queue_get_consumer(f.consumer));
	loop(&f);
	write_trace(&f, argv[5]);
	rd_kafka_flush(f.producer, 5000);
	rd_kafka_consumer_close(f.consumer); /* the group must not wait for it */
	_exit(0); /* librdkafka 2.0.2 was seen to hang when it is destroyed */
}
