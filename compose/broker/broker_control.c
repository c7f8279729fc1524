/* SPDX-License-Identifier: Apache-2.0
 * One line, one act, one answer; a few words are enough, so no parser. */
#include "compose/broker/broker_control.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int control_listen(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof address.sun_path)
		return -1;
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	unlink(path);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 8)) {
		close(fd);
		return -1;
	}
	return fd;
}

void control_settle(void)
{
	usleep(3000);
}

static rd_kafka_resp_err_t set_reachable(struct control *c, int broker, bool up)
{
	rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;

	for (int id = 1; id <= c->brokers && !code; id++) {
		if (broker != 0 && broker != id)
			continue;
		control_settle();
		code = up ? rd_kafka_mock_broker_set_up(c->cluster, id) : rd_kafka_mock_broker_set_down(c->cluster, id);
	}
	return code;
}

enum { ERRORS_MAX = 1000 };

static rd_kafka_resp_err_t push_errors(struct control *c, int api_key, int code, int count)
{
	rd_kafka_resp_err_t codes[ERRORS_MAX];

	if (api_key < 0 || api_key > INT16_MAX || count < 0 || count > ERRORS_MAX)
		return RD_KAFKA_RESP_ERR__INVALID_ARG;
	if (count == 0) {
		rd_kafka_mock_clear_request_errors(c->cluster, (int16_t)api_key);
		return RD_KAFKA_RESP_ERR_NO_ERROR;
	}
	for (int i = 0; i < count; i++)
		codes[i] = (rd_kafka_resp_err_t)code;
	rd_kafka_mock_push_request_errors_array(c->cluster, (int16_t)api_key, (size_t)count, codes);
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* The words are in docs/kafka.md. */
static rd_kafka_resp_err_t act(struct control *c, const char *line)
{
	char name[128];
	int a = 0, b = 0, n = 0;

	if (strcmp(line, "down") == 0 || sscanf(line, "down %d", &a) == 1)
		return set_reachable(c, a, false);
	if (strcmp(line, "up") == 0 || sscanf(line, "up %d", &a) == 1)
		return set_reachable(c, a, true);
	if (sscanf(line, "errors %d %d %d", &a, &b, &n) == 3)
		return push_errors(c, a, b, n);
	if (sscanf(line, "rtt %d %d", &a, &b) == 2)
		return rd_kafka_mock_broker_set_rtt(c->cluster, a, b);
	if (sscanf(line, "topic %127s %d", name, &a) == 2)
		return rd_kafka_mock_topic_create(c->cluster, name, a, 1);
	if (sscanf(line, "coordinator %127s %d", name, &a) == 2)
		return rd_kafka_mock_coordinator_set(c->cluster, "group", name, a);
	return RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED;
}

static void answer(struct control *c)
{
	rd_kafka_resp_err_t code;
	char text[CONTROL_LINE_MAX];
	int len;

	control_settle();
	code = act(c, c->line);
	if (code)
		len = snprintf(text, sizeof text, "no: %s\n", rd_kafka_err2str(code));
	else
		len = snprintf(text, sizeof text, "ok\n");
	if (send(c->fd, text, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT) != len)
		c->len = 0; /* the other side is gone; the next read tells */
}

bool control_serve(struct control *c)
{
	ssize_t got = recv(c->fd, c->line + c->len, sizeof c->line - 1 - c->len, MSG_DONTWAIT);
	char *end;

	if (got <= 0)
		return false;
	c->len += (size_t)got;
	c->line[c->len] = '\0';
	while ((end = strchr(c->line, '\n'))) {
		size_t rest = c->len - (size_t)(end + 1 - c->line);

		*end = '\0';
		answer(c);
		memmove(c->line, end + 1, rest + 1);
		c->len = rest;
	}
	return c->len < sizeof c->line - 1;
}
