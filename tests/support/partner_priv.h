/* SPDX-License-Identifier: Apache-2.0
 * What the files of the partner's server share: partner_server.c is what tests call and what is remembered,
 * partner_loop.c the connections, partner_behaviour.c what is answered, partner_control.c the steering over HTTP,
 * partner_certificates.c who we say we are. */
#ifndef SANDBOX_TESTS_PARTNER_PRIV_H
#define SANDBOX_TESTS_PARTNER_PRIV_H

#include "handlers/base/buf.h"
#include "tests/support/partner_server.h"

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>

enum {
	PARTNER_BUCKETS = 4096,
	PARTNER_HEAD_MAX = 64 * 1024,
	PARTNER_REQUEST_MAX = 1024 * 1024,
	PARTNER_ANSWER_MAX = 64 * 1024 * 1024,
	PARTNER_LISTENERS = 2 * PARTNER_DOOR_END,
	PARTNER_WORD_MAX = 255,
};

enum partner_end { PARTNER_KEEP, PARTNER_CLOSE, PARTNER_RESET };

/* How an answer goes out. */
struct partner_answer {
	struct buf bytes;
	int64_t delay_ms;    /* -1: never */
	size_t drip_from;    /* from this byte on one a second; SIZE_MAX: none */
	const char *endless; /* what follows without end; NULL: nothing */
	enum partner_end end;
};

struct partner_script {
	char **words;
	size_t count;
};

struct partner_path { /* one path that was named or asked for */
	struct partner_path *next;
	char *path;
	struct partner_script script; /* count 0: none of its own */
	size_t place;                 /* how many of the script's words were used */
	size_t *numbers;              /* of its requests */
	size_t count;
};

struct partner_server {
	pthread_mutex_t lock;
	pthread_cond_t came;
	struct partner_path *buckets[PARTNER_BUCKETS];
	struct partner_path *prefixes; /* in a list of their own; path without the "*" */
	struct partner_request **requests;
	size_t count;
	size_t connections[PARTNER_DOOR_END];

	pthread_t thread;
	bool is_running;
	atomic_bool stop;
	int wake, epoll;
	int ports[PARTNER_DOOR_END];
	int listeners[PARTNER_LISTENERS];
	SSL_CTX *tls[PARTNER_DOOR_END]; /* NULL where none is spoken */
	char folder[200], ca_file[232];
	bool folder_is_ours;
};

/* ---- partner_server.c ---- */
int64_t partner_now_ms(void);
/* Keeps the request (it is taken over) and tells in word_r how to behave. */
void partner_remember(struct partner_server *server, struct partner_request *request, char word_r[PARTNER_WORD_MAX + 1]);
/* Calls back for each path with its count, or request from number first on, under the lock. */
void partner_each_path(struct partner_server *server, void (*each)(const char *path, size_t count, void *arg), void *arg);
void partner_each_request(struct partner_server *server, size_t first, size_t limit,
                          void (*each)(const struct partner_request *request, void *arg), void *arg);

/* ---- partner_behaviour.c ---- */
bool partner_word_is_known(const char *word);
/* answer_r->bytes is made; the caller calls buf_done. */
void partner_answer_make(struct partner_answer *answer_r, const char *word);
/* A whole answer with that body. */
void partner_answer_plain(struct partner_answer *answer_r, int status, const char *type, const char *body, size_t len);

/* ---- partner_control.c ---- */
void partner_control(struct partner_server *server, const struct partner_request *request,
                     struct partner_answer *answer_r);

/* ---- partner_certificates.c ---- */
/* Fills server->tls and writes the file of the authority. */
bool partner_certificates_make(struct partner_server *server, struct err *e);

/* ---- partner_loop.c ---- */
bool partner_loop_open(struct partner_server *server, struct err *e);
void *partner_loop_run(void *server);
void partner_loop_close(struct partner_server *server);

#endif
