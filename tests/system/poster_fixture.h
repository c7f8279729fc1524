/* SPDX-License-Identifier: Apache-2.0
 * What the tests of the poster share: a partner's server, a poster, one post at a time. */
#ifndef SANDBOX_TESTS_POSTER_FIXTURE_H
#define SANDBOX_TESTS_POSTER_FIXTURE_H

#include "consumer/adapters/http/poster_curl.h"
#include "tests/support/partner_server.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* A loaded machine is given time; what must end by a bound has a bound of its own. */
enum { PATIENT_MS = 60 * 1000 };

static struct partner_server *server;
static struct poster_port *poster;
static struct err err;

static inline int64_t steady_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline void open_server(void)
{
	err_clear(&err);
	server = partner_server_start(NULL, &err);
	ck_assert_msg(server, "%s", err.text);
}

/* http and the loopback networks allowed, the server's authority trusted, patient. */
static inline struct poster_settings lenient(void)
{
	return (struct poster_settings){ .allow_http = true, .allow_nets = "127.0.0.0/8, ::1",
		                         .ca_file = partner_server_ca_file(server), .connect_timeout_ms = PATIENT_MS,
		                         .total_timeout_ms = PATIENT_MS };
}

static inline void open_poster(const struct poster_settings *s)
{
	if (poster)
		poster->close(poster);
	err_clear(&err);
	poster = poster_curl_new(s, &err);
	ck_assert_msg(poster, "%s", err.text);
}

static inline void close_all(void)
{
	if (poster)
		poster->close(poster);
	poster = NULL;
	partner_server_free(&server);
}

static inline struct post plain_post(const char *url, uint64_t tag)
{
	return (struct post){ .url = url, .headers = { { "Content-Type", "application/json" }, { "webhook-id", "msg_1" } },
		              .header_count = 2, .body = "{\"ChangeType\":1}", .body_len = 16, .tag = tag };
}

static inline struct post_result next_result(void)
{
	const int64_t until_ms = steady_ms() + 2 * PATIENT_MS;
	struct post_result result = { .end = POST_UNSET };

	while (!poster->next(poster, &result) && steady_ms() < until_ms)
		poster->wait(poster, 1000);
	ck_assert_msg(result.end != POST_UNSET, "no result came");
	return result;
}

static inline struct post_result post_to(const char *url)
{
	const struct post post = plain_post(url, 77);
	struct post_result result;

	err_clear(&err);
	ck_assert_msg(poster->post(poster, &post, &err), "%s", err.text);
	result = next_result();
	ck_assert_uint_eq(result.tag, 77);
	ck_assert_uint_eq(poster->under_way(poster), 0);
	ck_assert_msg(strlen(result.text) > 10 && strlen(result.text) < sizeof result.text - 1, "no sentence: %s", result.text);
	return result;
}

static inline struct post_result post_to_door(enum partner_door door, const char *path)
{
	char url[256];

	return post_to(partner_server_url(server, door, path, url, sizeof url));
}

static inline void expect_end(const struct post_result *result, enum post_end end, const char *what)
{
	ck_assert_msg(result->end == end, "%s: end %d, status %d: %s", what, result->end, result->status, result->text);
}

#endif
