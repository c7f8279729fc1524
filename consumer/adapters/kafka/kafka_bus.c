/* SPDX-License-Identifier: Apache-2.0
 * The bus port and its life. One thread, no callback: both clients report through queues, whose arrival wakes one
 * descriptor. The descriptor stays readable until next() has answered BUS_NOTHING. */
#include "consumer/adapters/kafka/kafka_bus_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <syslog.h>
#include <unistd.h>

static struct kafka_bus *bus_of(struct bus_port *port)
{
	return (struct kafka_bus *)port;
}

void kafka_bus_note(const struct kafka_bus *bus, int severity, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (!bus->note)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	bus->note(bus->note_arg, severity, text);
}

/* A property meant for one kind of client is told to both; librdkafka warns about what is only meant for the other. */
static void take_log(const struct kafka_bus *bus, const rd_kafka_t *client, rd_kafka_event_t *event)
{
	const char *facility, *text;
	int severity;

	if (rd_kafka_event_log(event, &facility, &text, &severity) != 0)
		return;
	kafka_trouble_read_log(client, facility, text);
	if (strcmp(facility, "CONFWARN") != 0)
		kafka_bus_note(bus, severity, "%s: %s", facility, text);
}

bool kafka_bus_take_trouble(struct kafka_bus *bus, rd_kafka_t *client, rd_kafka_event_t *event, struct bus_event *event_r)
{
	const char *sentence, *more;

	if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_LOG)
		take_log(bus, client, event);
	if (rd_kafka_event_type(event) != RD_KAFKA_EVENT_ERROR)
		return false;
	if (kafka_trouble_hear(client, rd_kafka_event_error(event), rd_kafka_event_error_string(event))) {
		sentence = kafka_trouble_sentence(client, &more);
		kafka_bus_note(bus, LOG_ERR, "%s%s", sentence, more);
	}
	if (!rd_kafka_event_error_is_fatal(event)) {
		kafka_bus_note(bus, LOG_WARNING, "%s: %s", rd_kafka_err2name(rd_kafka_event_error(event)),
			       rd_kafka_event_error_string(event));
		return false;
	}
	event_r->kind = BUS_FATAL;
	snprintf(event_r->text, sizeof event_r->text, "%s", rd_kafka_event_error_string(event));
	return true;
}

static int bus_fd(struct bus_port *self)
{
	return bus_of(self)->poll_fd;
}

static bool poll_queues(struct kafka_bus *bus, struct bus_event *event_r)
{
	return kafka_out_poll(bus, event_r) || (bus->in.client && kafka_in_poll(bus, event_r));
}

/* After the descriptor was cleared the queues are asked once more, so that nothing that came in between is slept over.
 */
static bool poll_again(struct kafka_bus *bus, struct bus_event *event_r)
{
	uint64_t count;

	if (read(bus->wake_fd, &count, sizeof count) < 0 || !poll_queues(bus, event_r))
		return false;
	count = 1;
	if (write(bus->wake_fd, &count, sizeof count) < 0)
		kafka_bus_note(bus, LOG_ERR, "the wake-up descriptor of the bus cannot be written");
	return true;
}

/* Silences the timer once it has rung; before that not even a system call. */
static void tick(struct kafka_bus *bus)
{
	uint64_t rings;

	if (kafka_clock_ms() < bus->next_ring_ms || read(bus->timer_fd, &rings, sizeof rings) != sizeof rings)
		return;
	bus->next_ring_ms += (int64_t)rings * KAFKA_TICK_MS;
	kafka_in_tick(bus);
}

static void bus_next(struct bus_port *self, struct bus_event *event_r)
{
	struct kafka_bus *bus = bus_of(self);

	memset(event_r, 0, sizeof *event_r);
	kafka_in_take_back(bus);
	tick(bus);
	if (kafka_in_tell(bus, event_r) || poll_queues(bus, event_r) || poll_again(bus, event_r))
		return;
	event_r->kind = BUS_NOTHING;
}

static bool bus_publish(struct bus_port *self, const struct bus_message *message, uint64_t tag, struct err *e)
{
	return kafka_out_publish(bus_of(self), message, tag, e);
}

static bool bus_commit(struct bus_port *self, const struct bus_position *next, struct err *e)
{
	return kafka_in_commit(bus_of(self), next, e);
}

static void bus_pause(struct bus_port *self, bool paused)
{
	kafka_in_pause(bus_of(self), paused);
}

static void bus_lags(struct bus_port *self, void (*fn)(void *arg, const struct bus_position *at, int64_t records),
		     void *arg)
{
	kafka_in_lags(bus_of(self), fn, arg);
}

static void bus_release_revoked(struct bus_port *self)
{
	kafka_in_release(bus_of(self));
}

static void stop_waking(rd_kafka_queue_t *queue)
{
	if (!queue)
		return;
	rd_kafka_queue_io_event_enable(queue, -1, NULL, 0);
	rd_kafka_queue_destroy(queue);
}

static void bus_free(struct kafka_bus *bus, int64_t within_ms)
{
	kafka_in_free(bus);
	kafka_out_free(bus);
	stop_waking(bus->in.queue);
	stop_waking(bus->out.queue);
	if (!kafka_clients_destroy(bus->in.client, bus->out.client, within_ms))
		kafka_bus_note(bus, LOG_WARNING,
			       "librdkafka did not end in time; its threads are left to the end of the process");
	if (bus->poll_fd >= 0)
		close(bus->poll_fd);
	if (bus->timer_fd >= 0)
		close(bus->timer_fd);
	if (bus->wake_fd >= 0)
		close(bus->wake_fd);
	free(bus);
}

/* A third of the time belongs to each: the events on their way, leaving the group, the end of librdkafka's threads. */
static void bus_close(struct bus_port *self, int64_t within_ms)
{
	struct kafka_bus *bus = bus_of(self);
	int64_t start = kafka_clock_ms(), left;

	kafka_in_take_back(bus);
	kafka_out_flush(bus, start + within_ms / 3);
	if (bus->in.client)
		kafka_in_leave(bus, start + within_ms * 2 / 3);
	left = start + within_ms - kafka_clock_ms();
	bus_free(bus, left > within_ms / 3 ? left : within_ms / 3);
}

static bool watch(const struct kafka_bus *bus, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(bus->poll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool start_timer(struct kafka_bus *bus)
{
	struct itimerspec rings = { .it_interval.tv_sec = KAFKA_TICK_MS / 1000 };

	bus->next_ring_ms = kafka_clock_ms() + KAFKA_TICK_MS;
	rings.it_value.tv_sec = bus->next_ring_ms / 1000;
	rings.it_value.tv_nsec = bus->next_ring_ms % 1000 * 1000000;
	return timerfd_settime(bus->timer_fd, TFD_TIMER_ABSTIME, &rings, NULL) == 0;
}

static bool open_descriptors(struct kafka_bus *bus, struct err *e)
{
	bus->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	bus->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	bus->poll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (bus->wake_fd < 0 || bus->timer_fd < 0 || bus->poll_fd < 0 || !watch(bus, bus->wake_fd) ||
	    !watch(bus, bus->timer_fd) || !start_timer(bus))
		return err_set(e, ERR_TRANSIENT, 0, "kafka", "no file descriptors are left for the bus");
	return true;
}

static bool reads_anything(const struct kafka_settings *s)
{
	for (int topic = 0; topic < TOPIC_END; topic++)
		if (s->reads[topic])
			return true;
	return false;
}

struct bus_port *kafka_bus_new(const struct kafka_settings *s, struct err *e)
{
	struct kafka_bus *bus = calloc(1, sizeof *bus);

	if (!bus) {
		err_set(e, ERR_TRANSIENT, 0, "kafka", "no memory for the bus");
		return NULL;
	}
	bus->port =
	    (struct bus_port){ bus_fd, bus_next, bus_publish, bus_commit, bus_pause, bus_lags, bus_release_revoked,
				  bus_close };
	bus->wake_fd = bus->timer_fd = bus->poll_fd = -1;
	bus->create_topics = s->create_topics;
	bus->note = s->note;
	bus->note_arg = s->note_arg;
	memcpy(bus->reads, s->reads, sizeof bus->reads);
	if (!open_descriptors(bus, e) || !kafka_out_open(bus, s, e) ||
	    (reads_anything(s) && !kafka_in_open(bus, s, e))) {
		bus_free(bus, KAFKA_TICK_MS);
		return NULL;
	}
	return &bus->port;
}

static bool has_leaders(const rd_kafka_metadata_topic_t *topic)
{
	for (int i = 0; i < topic->partition_cnt; i++)
		if (topic->partitions[i].leader < 0)
			return false;
	return topic->partition_cnt > 0;
}

/* True: the topic is ready. False without an error: not yet. */
static bool topic_is_ready(const struct kafka_bus *bus, const rd_kafka_metadata_t *metadata, const char *name,
			   struct err *e)
{
	const rd_kafka_metadata_topic_t *topic = kafka_metadata_topic(metadata, name);
	bool missing = !topic || topic->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;

	if (missing && !bus->create_topics)
		return err_set(e, ERR_REFUSED, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "kafka",
			       "the topic %s does not exist: create it as docs/kafka.md says", name);
	if (topic && topic->err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
		return kafka_err_set(e, topic->err, "kafka", name);
	return !missing && !topic->err && has_leaders(topic);
}

static bool all_ready(const struct kafka_bus *bus, rd_kafka_t *client, const bool *wished, int within_ms, struct err *e)
{
	const rd_kafka_metadata_t *metadata;
	rd_kafka_resp_err_t code = rd_kafka_metadata(client, 0, NULL, &metadata, within_ms);
	bool ready = true;

	if (code) {
		kafka_bus_note(bus, LOG_INFO, "no metadata yet: %s", rd_kafka_err2str(code));
		return false;
	}
	for (int topic = 0; ready && topic < TOPIC_END; topic++)
		if (wished[topic])
			ready = topic_is_ready(bus, metadata, topic_name((enum topic)topic), e);
	rd_kafka_metadata_destroy(metadata);
	return ready;
}

static bool no_answer(rd_kafka_t *client, struct err *e)
{
	const char *more;

	if (kafka_trouble_sentence(client, &more))
		return kafka_trouble_err(client, RD_KAFKA_RESP_ERR__TIMED_OUT, "", e);
	return err_set(e, ERR_TRANSIENT, 0, "kafka", "the Kafka brokers did not answer for all topics in time");
}

/* Before the start there is nothing else in the queue than trouble. True: it is certain that nobody will let us in. */
static bool is_turned_away(struct kafka_bus *bus, rd_kafka_t *client, rd_kafka_queue_t *queue)
{
	struct bus_event ignored;
	rd_kafka_event_t *event;

	while ((event = rd_kafka_queue_poll(queue, 0))) {
		kafka_bus_take_trouble(bus, client, event, &ignored);
		rd_kafka_event_destroy(event);
	}
	return kafka_trouble_is_certain(client);
}

/* librdkafka asks for the topics that it holds a handle of. */
static bool warm_up(struct kafka_bus *bus, rd_kafka_t *client, rd_kafka_queue_t *queue, const bool *wished,
		    int64_t deadline_ms, struct err *e)
{
	rd_kafka_topic_t *handles[TOPIC_END] = { NULL };
	bool ready = false;

	for (int topic = 0; topic < TOPIC_END; topic++)
		if (wished[topic])
			handles[topic] = rd_kafka_topic_new(client, topic_name((enum topic)topic), NULL);
	for (;;) {
		ready = all_ready(bus, client, wished, kafka_left_ms(deadline_ms, 2000) + 1, e);
		if (ready || e->class != ERR_NONE || kafka_left_ms(deadline_ms, 1) == 0 ||
		    is_turned_away(bus, client, queue))
			break;
		usleep(50 * 1000);
	}
	for (int topic = 0; topic < TOPIC_END; topic++)
		if (handles[topic])
			rd_kafka_topic_destroy(handles[topic]);
	return ready || (e->class == ERR_NONE && no_answer(client, e));
}

bool kafka_bus_start(struct bus_port *port, int within_ms, struct err *e)
{
	struct kafka_bus *bus = bus_of(port);
	int64_t deadline_ms = kafka_clock_ms() + within_ms;
	bool writes[TOPIC_END];

	if (bus->started)
		return true;
	for (int topic = 0; topic < TOPIC_END; topic++)
		writes[topic] = bus->out.topics[topic] != NULL;
	if (!warm_up(bus, bus->out.client, bus->out.queue, writes, deadline_ms, e))
		return false;
	if (bus->in.client &&
	    (!warm_up(bus, bus->in.client, bus->in.queue, bus->reads, deadline_ms, e) || !kafka_in_subscribe(bus, e)))
		return false;
	bus->started = true;
	return true;
}
