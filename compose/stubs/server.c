/* SPDX-License-Identifier: Apache-2.0
 * The HTTP side: one thread a connection, so that a call which hangs holds up no other; one lock around the state. */
#include "compose/stubs/stubs.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum {
	BODY_MAX = 16 * 1024 * 1024,
	CONNECTIONS_MAX = 1000,
	IDLE_S = 30,
	STACK_BYTES = 512 * 1024,
	HANG_MS = 60 * 1000, /* when a fault does not say how long */
};

struct server {
	struct MHD_Daemon *daemon;
	struct store *store;
	struct record *record;
	struct faults faults;
	char *authorization; /* "Bearer ..." that every call must bear, or NULL */
	pthread_mutex_t lock;
	pthread_cond_t wake; /* stopping, or faults deleted */
	atomic_bool stopping;
};

struct upload {
	char *data;
	size_t len, size;
	bool too_large;
};

/* ---- answering ---- */

static enum MHD_Result send_json(struct MHD_Connection *conn, int status, json_t *body, int retry_after_s)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL, seconds[16];
	struct MHD_Response *response;
	enum MHD_Result result;

	json_decref(body);
	if (!text)
		return MHD_NO;
	response = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
	MHD_add_response_header(response, "Content-Type",
	                        status >= 400 ? "application/problem+json" : "application/json");
	snprintf(seconds, sizeof seconds, "%d", retry_after_s);
	if (retry_after_s)
		MHD_add_response_header(response, "Retry-After", seconds);
	if (status / 100 == 3)
		MHD_add_response_header(response, "Location", "http://127.0.0.1/");
	result = MHD_queue_response(conn, (unsigned)status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result send_nonsense(struct MHD_Connection *conn)
{
	static char page[] = "<html><body>It works!</body></html>";
	struct MHD_Response *response = MHD_create_response_from_buffer(sizeof page - 1, page, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result result;

	MHD_add_response_header(response, "Content-Type", "text/html");
	result = MHD_queue_response(conn, 200, response);
	MHD_destroy_response(response);
	return result;
}

static ssize_t more_blanks(void *arg, uint64_t pos, char *out, size_t max)
{
	const struct server *s = arg;

	(void)pos;
	memset(out, ' ', max);
	return s->stopping ? MHD_CONTENT_READER_END_OF_STREAM : (ssize_t)max;
}

static enum MHD_Result send_endless(struct server *s, struct MHD_Connection *conn)
{
	struct MHD_Response *response =
		MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 32 * 1024, more_blanks, s, NULL);
	enum MHD_Result result;

	MHD_add_response_header(response, "Content-Type", "application/json");
	result = MHD_queue_response(conn, 200, response);
	MHD_destroy_response(response);
	return result;
}

/* The other side sees the connection reset instead of closed. */
static enum MHD_Result reset(struct MHD_Connection *conn)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(conn, MHD_CONNECTION_INFO_CONNECTION_FD);
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	if (info)
		setsockopt(info->connect_fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	return MHD_NO;
}

/* Until the time is over, the faults are deleted or the server stops. */
static void wait_ms(struct server *s, int ms)
{
	unsigned generation = s->faults.generation;
	struct timespec until;
	int result = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	while (!s->stopping && s->faults.generation == generation && result == 0)
		result = pthread_cond_timedwait(&s->wake, &s->lock, &until);
}

/* ---- one request to a system ---- */

static bool acts(enum fault_kind kind)
{
	return kind == FAULT_NONE || kind == FAULT_DELAY || kind >= FAULT_ACT_THEN_HANG;
}

static bool answers(enum fault_kind kind)
{
	return kind != FAULT_HANG && kind != FAULT_RESET && kind != FAULT_ACT_THEN_HANG &&
	       kind != FAULT_ACT_THEN_RESET;
}

/* Under the lock: what happens to the world, and what the record says of it. */
static void decide(struct server *s, const struct request *q, const struct fault *fault, bool is_allowed,
                   struct reply *r)
{
	struct reply told;

	if (fault->kind == FAULT_DELAY)
		wait_ms(s, fault->ms);
	if (!is_allowed)
		reply_problem(r, 401, "unauthorised", "No or a wrong bearer token", "see docs/outside-systems.md");
	else if (acts(fault->kind))
		order_run(s->store, q, r);
	else if (fault->kind == FAULT_STATUS)
		reply_problem(r, fault->status, "asked-for", "A fault that was asked for", "by POST /_control/faults");
	else if (answers(fault->kind))
		r->status = 200;
	told = *r;
	if (!answers(fault->kind))
		told.status = 0;
	if (!record_add(s->record, s->store, q, &told, fault_name(fault->kind)) && r->is_saved)
		reply_problem(r, 500, "cannot-save", "The state could not be saved", "nothing was done");
	if (fault->kind == FAULT_HANG || fault->kind == FAULT_ACT_THEN_HANG)
		wait_ms(s, fault->ms ? fault->ms : HANG_MS);
	if (fault->kind == FAULT_ACT_THEN_LATE)
		wait_ms(s, fault->ms);
}

static enum MHD_Result send_reply(struct server *s, struct MHD_Connection *conn, const struct fault *fault,
                                  struct reply *r)
{
	if (answers(fault->kind) && fault->kind != FAULT_NONSENSE && fault->kind != FAULT_ENDLESS)
		return send_json(conn, r->status, r->body, fault->retry_after_s);
	json_decref(r->body);
	if (fault->kind == FAULT_NONSENSE)
		return send_nonsense(conn);
	return fault->kind == FAULT_ENDLESS ? send_endless(s, conn) : reset(conn);
}

static enum MHD_Result answer_system(struct server *s, struct MHD_Connection *conn, const struct request *q)
{
	const char *said = MHD_lookup_connection_value(conn, MHD_HEADER_KIND, "Authorization");
	const bool is_allowed = !s->authorization || (said && strcmp(said, s->authorization) == 0);
	struct reply r = { 0 };
	enum MHD_Result result;
	struct fault fault;

	pthread_mutex_lock(&s->lock);
	fault = faults_take(&s->faults, systems[q->system]->name, q->method, q->path);
	decide(s, q, &fault, is_allowed, &r);
	result = send_reply(s, conn, &fault, &r); /* the body shares values with the state: text is made of it here */
	pthread_mutex_unlock(&s->lock);
	return result;
}

/* ---- control ---- */

static json_t *world_of(const struct store *store)
{
	json_t *world = json_object(), *tokens = json_object();

	for (int id = 0; id < SYSTEM_END; id++) {
		json_object_set(world, systems[id]->name, json_object_get(store->root[id], "data"));
		json_object_set(tokens, systems[id]->name, json_object_get(store->root[id], "tokens"));
	}
	return json_pack("{soso}", "world", world, "tokens", tokens);
}

static void control_faults(struct server *s, const char *method, const struct upload *u, struct reply *r)
{
	json_t *order;

	if (strcmp(method, "DELETE") == 0) {
		faults_clear(&s->faults);
		pthread_cond_broadcast(&s->wake);
		reply_with(r, 200, json_pack("{si}", "faults", 0));
		return;
	}
	order = json_loadb(u->data ? u->data : "", u->len, 0, NULL);
	if (strcmp(method, "POST") == 0 && faults_add(&s->faults, order))
		reply_with(r, 200, json_pack("{sI}", "faults", (json_int_t)s->faults.count));
	else
		reply_problem(r, 400, "bad-request", "Not a sound fault", "see compose/stubs/README.md");
	json_decref(order);
}

static enum MHD_Result answer_control(struct server *s, struct MHD_Connection *conn, const char *method,
                                      const char *path, const struct upload *u)
{
	const bool is_get = strcmp(method, "GET") == 0;
	struct reply r = { 0 };
	enum MHD_Result result;

	pthread_mutex_lock(&s->lock);
	if (strcmp(path, "/faults") == 0)
		control_faults(s, method, u, &r);
	else if (is_get && strcmp(path, "/calls") == 0)
		reply_with(&r, 200, json_pack("{so}", "calls", record_list(s->record)));
	else if (is_get && strcmp(path, "/state") == 0)
		reply_with(&r, 200, world_of(s->store));
	else
		reply_problem(&r, 404, "no-such-path", "No such path", "faults, calls and state are there");
	result = send_json(conn, r.status, r.body, 0);
	pthread_mutex_unlock(&s->lock);
	return result;
}

/* ---- requests as libmicrohttpd hands them over ---- */

static enum MHD_Result dispatch(struct server *s, struct MHD_Connection *conn, const char *url, const char *method,
                                const struct upload *u)
{
	const char *rest = *url == '/' ? strchr(url + 1, '/') : NULL;
	size_t len = rest ? (size_t)(rest - url - 1) : 0;
	struct reply r = { 0 };

	if (u->too_large) {
		reply_problem(&r, 413, "too-large", "The body is too large", "at most %d bytes", BODY_MAX);
		return send_json(conn, r.status, r.body, 0);
	}
	if (len == strlen("_control") && strncmp(url + 1, "_control", len) == 0)
		return answer_control(s, conn, method, rest, u);
	for (int id = 0; id < SYSTEM_END; id++) {
		if (len != strlen(systems[id]->name) || strncmp(url + 1, systems[id]->name, len) != 0)
			continue;
		return answer_system(
			s, conn,
			&(struct request){
				.system = (enum system_id)id,
				.method = method,
				.path = rest,
				.key = MHD_lookup_connection_value(conn, MHD_HEADER_KIND, "Idempotency-Key"),
				.token = MHD_lookup_connection_value(conn, MHD_HEADER_KIND, "Sandbox-Fencing-Token"),
				.body = u->data ? u->data : "",
				.body_len = u->len,
			});
	}
	reply_problem(&r, 404, "no-such-path", "No such system", "hosting, superid, mail, licence and apps are there");
	return send_json(conn, r.status, r.body, 0);
}

static void upload_add(struct upload *u, const char *data, size_t len)
{
	size_t size = u->size ? u->size : 1024;
	char *grown;

	if (u->too_large || len > BODY_MAX - u->len) {
		u->too_large = true;
		return;
	}
	while (size < u->len + len)
		size *= 2;
	grown = size > u->size ? realloc(u->data, size) : u->data;
	if (!grown) {
		u->too_large = true;
		return;
	}
	u->data = grown;
	u->size = size;
	memcpy(u->data + u->len, data, len);
	u->len += len;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *conn, const char *url, const char *method,
                                  const char *version, const char *data, size_t *len, void **state)
{
	struct upload *u = *state;

	(void)version;
	if (!u) {
		*state = u = calloc(1, sizeof *u);
		return u ? MHD_YES : MHD_NO;
	}
	if (*len == 0)
		return dispatch(arg, conn, url, method, u);
	upload_add(u, data, *len);
	*len = 0;
	return MHD_YES;
}

static void on_completed(void *arg, struct MHD_Connection *conn, void **state, enum MHD_RequestTerminationCode why)
{
	struct upload *u = *state;

	(void)arg, (void)conn, (void)why;
	if (u)
		free(u->data);
	free(u);
	*state = NULL;
}

/* Paths stay as they were sent: "%2F" in a name is no separator. */
static size_t leave_escaped(void *arg, struct MHD_Connection *conn, char *text)
{
	(void)arg, (void)conn;
	return strlen(text);
}

/* ---- life ---- */

static bool init(struct server *s, const struct server_settings *settings)
{
	pthread_condattr_t monotonic;

	s->store = settings->store;
	s->record = settings->record;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&s->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_mutex_init(&s->lock, NULL);
	return !settings->bearer || asprintf(&s->authorization, "Bearer %s", settings->bearer) > 0;
}

struct server *server_start(const struct server_settings *settings)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(settings->port) };
	struct server *s = calloc(1, sizeof *s);

	if (!s || !init(s, settings) || inet_pton(AF_INET, settings->bind_address, &address.sin_addr) != 1) {
		server_stop(&s);
		return NULL;
	}
	s->daemon = MHD_start_daemon(
		MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL, settings->port, NULL,
		NULL, on_request, s, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address, MHD_OPTION_NOTIFY_COMPLETED,
		on_completed, s, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, s, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
		MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK_BYTES, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u,
		MHD_OPTION_END);
	if (!s->daemon)
		server_stop(&s);
	return s;
}

uint16_t server_port(const struct server *s)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT);

	return info ? info->port : 0;
}

void server_stop(struct server **s)
{
	if (!s || !*s)
		return;
	pthread_mutex_lock(&(*s)->lock);
	(*s)->stopping = true;
	pthread_cond_broadcast(&(*s)->wake);
	pthread_mutex_unlock(&(*s)->lock);
	if ((*s)->daemon)
		MHD_stop_daemon((*s)->daemon);
	pthread_cond_destroy(&(*s)->wake);
	pthread_mutex_destroy(&(*s)->lock);
	free((*s)->authorization);
	free(*s);
	*s = NULL;
}
