/* SPDX-License-Identifier: Apache-2.0
 * The desk: opens what a command asks for when it asks for it. */
#include "consumer/programs/sandboxctl_desk.h"

#include "consumer/adapters/http/json_request.h"
#include "consumer/adapters/kafka/kafka_admin.h"
#include "consumer/adapters/kafka/kafka_bus.h"
#include "consumer/adapters/kafka/kafka_reader.h"
#include "consumer/adapters/redis/redis_inspect.h"
#include "consumer/adapters/system/clock_system.h"
#include "consumer/adapters/system/random_uuid.h"
#include "consumer/adapters/system/terminal.h"
#include "handlers/masking/masking.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BROKER_WAIT_MS = 10000, DELIVERY_WAIT_MS = 30000, CLOSE_WITHIN_MS = 3000, POLL_MS = 200 };

_Static_assert((int)DESK_ID_TEXT == (int)UUID_TEXT, "a desk's new id is a UUID");

static struct desk *of(struct desk_port *port)
{
	return (struct desk *)port;
}

/* ---- terminal, files, time ---- */

static int fd_of(enum desk_stream stream)
{
	return stream == DESK_IN ? STDIN_FILENO : stream == DESK_OUT ? STDOUT_FILENO : STDERR_FILENO;
}

static void desk_write(struct desk_port *self, enum desk_stream to, const char *text, size_t len)
{
	(void)self;
	terminal_write(fd_of(to), text, len);
}

static bool desk_is_terminal(struct desk_port *self, enum desk_stream which)
{
	(void)self;
	return isatty(fd_of(which));
}

static void desk_screen(struct desk_port *self, int *columns_r, int *rows_r)
{
	(void)self;
	terminal_size(STDOUT_FILENO, columns_r, rows_r);
}

static bool desk_ask(struct desk_port *self, const char *question, char *answer_r, size_t size)
{
	(void)self;
	return terminal_ask(question, answer_r, size);
}

static const char *desk_environment(struct desk_port *self, const char *name)
{
	const char *value = getenv(name);

	(void)self;
	return value ? value : "";
}

static bool desk_interrupted(struct desk_port *self)
{
	return *of(self)->stop != 0;
}

static void desk_sleep(struct desk_port *self, int64_t ms)
{
	terminal_sleep(ms, of(self)->stop);
}

static int64_t desk_utc_ms(struct desk_port *self)
{
	(void)self;
	return clock_utc_ms();
}

static bool desk_new_id(struct desk_port *self, char id_r[DESK_ID_TEXT], struct err *e)
{
	(void)self;
	return uuid_v7(id_r, e);
}

static bool desk_load(struct desk_port *self, const char *path, struct buf *content, struct err *e)
{
	(void)self;
	return file_load(path, content, e);
}

static bool desk_save(struct desk_port *self, const char *path, const void *data, size_t len, struct err *e)
{
	(void)self;
	return file_save(path, data, len, e);
}

static bool desk_parse_request(struct desk_port *self, const struct buf *json, struct arena *mem,
                               struct clone_request *request, struct err *e)
{
	(void)self;
	return json_request_read(json, mem, request, e);
}

/* ---- the configuration ---- */

/* Where it usually is: the user's, then the system's. "" when neither is there. */
static void usual_place(struct desk *d)
{
	const char *folder = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (folder && folder[0] == '/')
		snprintf(d->config_path, sizeof d->config_path, "%s/sandbox-clone/sandbox.ini", folder);
	else if (home && home[0] == '/')
		snprintf(d->config_path, sizeof d->config_path, "%s/.config/sandbox-clone/sandbox.ini", home);
	if (d->config_path[0] && access(d->config_path, F_OK) == 0)
		return;
	snprintf(d->config_path, sizeof d->config_path, "/etc/sandbox-clone/sandbox.ini");
	if (access(d->config_path, F_OK) != 0)
		d->config_path[0] = '\0';
}

static bool desk_configure(struct desk_port *self, const char *path, struct err *e)
{
	struct desk *d = of(self);
	const char *named = getenv("SANDBOX_CONFIG");

	if (!path && named && *named)
		path = named;
	if (path)
		snprintf(d->config_path, sizeof d->config_path, "%s", path);
	else
		usual_place(d);
	d->config = wire_config(d->config_path, e);
	return d->config != NULL;
}

static const struct config *desk_config(struct desk_port *self)
{
	return of(self)->config;
}

static const char *desk_config_path(struct desk_port *self)
{
	return of(self)->config_path;
}

static struct request_rules desk_rules(struct desk_port *self)
{
	return wire_request_rules(of(self)->config);
}

/* ---- the systems ---- */

static struct inspect_port *desk_inspect(struct desk_port *self, struct err *e)
{
	struct desk *d = of(self);
	struct redis_settings settings;

	if (d->inspect)
		return d->inspect;
	wire_texts_done(&d->redis_texts); /* of an earlier try */
	if (wire_redis(d->config, &d->redis_texts, &settings, e))
		d->inspect = redis_inspect_new(&settings, e);
	return d->inspect;
}

static struct codec_port *desk_codec(struct desk_port *self, struct err *e)
{
	struct desk *d = of(self);

	if (!d->codec)
		d->codec = wire_codec(d->config, e);
	return d->codec;
}

static void note_kafka(void *arg, int severity, const char *text)
{
	struct desk *d = arg;

	if (severity <= 4) /* warnings and worse */
		snprintf(d->kafka_said, sizeof d->kafka_said, "%s", text);
}

bool desk_kafka(struct desk *d, struct err *e)
{
	if (d->has_kafka)
		return true;
	wire_texts_done(&d->kafka_texts);
	d->has_kafka = wire_kafka(d->config, &d->kafka_texts, &d->kafka, e);
	d->kafka.client_id = "sandboxctl";
	d->kafka.create_topics = config_bool(d->config, CONF_TOPICS_CREATE);
	d->kafka.note = note_kafka;
	d->kafka.note_arg = d;
	for (enum topic t = TOPIC_REQUESTED; t <= TOPIC_CONTROL; t++)
		d->kafka.writes[t] = true;
	return d->has_kafka;
}

static bool open_bus(struct desk *d, struct err *e)
{
	if (d->bus)
		return true;
	if (!desk_kafka(d, e))
		return false;
	d->bus = kafka_bus_new(&d->kafka, e);
	return d->bus && kafka_bus_start(d->bus, BROKER_WAIT_MS, e);
}

/* The one message that is under way: delivered, given up, or nobody said. */
static bool await_delivery(struct desk *d, struct err *e)
{
	const int64_t until_ms = clock_steady_ms() + DELIVERY_WAIT_MS;
	struct bus_event event;

	while (clock_steady_ms() < until_ms && !*d->stop) {
		d->bus->next(d->bus, &event);
		if (event.kind == BUS_DELIVERED)
			return event.ok ||
			       err_set(e, ERR_UNSURE, 0, "kafka", "the brokers did not take it for certain");
		if (event.kind == BUS_FATAL)
			return err_set(e, ERR_UNSURE, 0, "kafka", "%.200s", event.text);
		if (event.kind == BUS_NOTHING)
			poll(&(struct pollfd){ .fd = d->bus->fd(d->bus), .events = POLLIN }, 1, POLL_MS);
	}
	return err_set(e, ERR_UNSURE, *d->stop ? ERR_CODE_ABORTED : 0, "kafka",
		"the brokers did not confirm it in time%s%.120s", *d->kafka_said ? ": " : "", d->kafka_said);
}

static bool desk_publish(struct desk_port *self, const struct bus_message *message, struct err *e)
{
	struct desk *d = of(self);

	return open_bus(d, e) && d->bus->publish(d->bus, message, 1, e) && await_delivery(d, e);
}

struct reading {
	struct desk *desk;
	desk_record_fn *fn;
	void *arg;
	bool follow;
};

static bool take_record(void *arg, const struct bus_record *record)
{
	struct reading *r = arg;

	if (*r->desk->stop && !r->follow)
		return false;
	return (!record && !r->follow) || r->fn(r->arg, record);
}

/* Reading may take long; that nobody answers should show at once. */
static bool open_reader(struct desk *d, struct err *e)
{
	struct kafka_facts facts;

	if (!d->reader && kafka_describe(&d->kafka, BROKER_WAIT_MS, &facts, e))
		d->reader = kafka_reader_new(&d->kafka, e);
	return d->reader != NULL;
}

static bool desk_read(struct desk_port *self, const struct desk_read *what, desk_record_fn *fn, void *arg,
		      struct err *e)
{
	struct desk *d = of(self);
	struct reading reading = { d, fn, arg, what->follow };
	struct kafka_read read = { .partition = what->partition, .follow = what->follow, .within_ms = what->within_ms };
	bool ok;

	memcpy(read.topics, what->topics, sizeof read.topics);
	read.from = what->last ? KAFKA_FROM_LAST : what->offset >= 0 ? KAFKA_FROM_OFFSET : KAFKA_FROM_BEGINNING;
	read.number = what->last ? what->last : what->offset >= 0 ? what->offset : 0;
	if (!desk_kafka(d, e))
		return false;
	ok = open_reader(d, e) && kafka_read(d->reader, &read, take_record, &reading, e);
	if (ok && *d->stop && !what->follow)
		return err_set(e, ERR_TRANSIENT, ERR_CODE_ABORTED, "kafka", "interrupted");
	return ok;
}

/* ---- life ---- */

void desk_init(struct desk *d, const volatile sig_atomic_t *stop)
{
	memset(d, 0, sizeof *d);
	d->stop = stop;
	d->port = (struct desk_port){
		.write = desk_write,
		.is_terminal = desk_is_terminal,
		.screen = desk_screen,
		.ask = desk_ask,
		.environment = desk_environment,
		.interrupted = desk_interrupted,
		.sleep = desk_sleep,
		.utc_ms = desk_utc_ms,
		.new_id = desk_new_id,
		.load = desk_load,
		.save = desk_save,
		.parse_request = desk_parse_request,
		.configure = desk_configure,
		.config = desk_config,
		.config_path = desk_config_path,
		.rules = desk_rules,
		.domain_is_public = mask_domain_is_public,
		.inspect = desk_inspect,
		.codec = desk_codec,
		.publish = desk_publish,
		.read = desk_read,
	};
	desk_partner(&d->port);
	desk_tenant(&d->port);
	desk_probes(&d->port);
}

void desk_done(struct desk *d)
{
	if (d->bus)
		d->bus->close(d->bus, CLOSE_WITHIN_MS);
	kafka_reader_free(&d->reader);
	if (d->inspect)
		d->inspect->close(d->inspect);
	if (d->codec)
		d->codec->close(d->codec);
	if (d->deliveries)
		d->deliveries->close(d->deliveries);
	wire_texts_done(&d->kafka_texts);
	wire_texts_done(&d->redis_texts);
	config_free(&d->config);
}
