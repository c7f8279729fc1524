/* SPDX-License-Identifier: Apache-2.0
 * The stub systems behind their HTTP contracts (schemas/<system>.openapi.yaml). Each system is a table of operations on
 * a JSON value; who may act, and whether an order was carried out before, is decided for all of them in order.c. */
#ifndef SANDBOX_STUBS_H
#define SANDBOX_STUBS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum system_id { SYSTEM_HOSTING, SYSTEM_SUPERID, SYSTEM_MAIL, SYSTEM_LICENCE, SYSTEM_APPS, SYSTEM_END };

struct call { /* what an operation sees of a request; all borrowed */
	const char *ctx; /* {ctx} of the path, decoded */
	const char *id;  /* {id} of the path, or "" */
	const char *key; /* Idempotency-Key; "" for a read */
	const json_t *body;
};

struct reply {
	int status;
	json_t *body;    /* owned */
	bool is_changed; /* an order changed the world */
	bool is_counted; /* a read let time pass in the world: it must be saved, but nobody acted */
	bool is_saved;   /* what it did is part of the state from here on: changed or counted */
	bool is_replayed;
};

struct operation {
	const char *method;
	const char *path; /* "/tenants/{ctx}/state" */
	void (*run)(json_t *data, const struct call *c, struct reply *r);
};

struct problem { /* what is wrong with a seed */
	char text[256];
};

struct system {
	const char *name;
	const struct operation *operations;
	size_t operation_count;
	/* Makes the system's first data from the whole seed (an object); NULL with *p filled when it is wrong. */
	json_t *(*seed)(const json_t *seed, struct problem *p);
};

extern const struct system hosting_system, superid_system, mail_system, licence_system, apps_system;
extern const struct system *const systems[SYSTEM_END];

/* ---- reply.c: the answers of operations ---- */

void reply_with(struct reply *r, int status, json_t *body);
/* The receipt of an order: {"acted": is_changed}. */
void reply_receipt(struct reply *r, bool is_changed);
void reply_problem(struct reply *r, int status, const char *type, const char *title, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/* The text member of that name in the order's body; NULL after a 400 was put into *r. */
const char *body_text(const struct call *c, const char *name, struct reply *r);
/* Sets a member to a text; true when that changed it. */
bool put_text(json_t *object, const char *name, const char *text);

/* ---- seed.c ---- */

struct seed_field {
	const char *name;
	json_type type;         /* JSON_STRING, JSON_INTEGER, JSON_TRUE for either flag, JSON_ARRAY */
	const char *or_else;    /* text when it is missing; NULL: required (other types: 0, false, empty) */
};

/* A new object with exactly those members; NULL with *p filled when one is missing, unknown or of another type. */
json_t *seed_object(const json_t *from, const struct seed_field *fields, size_t count, struct problem *p);
/* The list of that name in the seed, an empty one when there is none; NULL when it is no list of objects. Owned by
 * the caller. */
json_t *seed_list(const json_t *seed, const char *name, struct problem *p);
/* Each of that list, made by `make` (NULL with *p filled when it is wrong), by its own member `key`; a new object. */
json_t *seed_by_key(const json_t *seed, const char *name, const char *key,
                    json_t *(*make)(const json_t *from, struct problem *p), struct problem *p);
json_t *seed_failed(struct problem *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- store.c: one JSON file a system, whole at any time; what was ordered since is in the record ---- */

struct store {
	char *dir;
	json_t *root[SYSTEM_END]; /* {"seq": of the last call in it, "data": ..., "tokens": {ctx: text},
	                           * "keys": {key: {"hash", "answer"}}} */
	int64_t seq;              /* of the last call that is in memory */
	int since;                /* so many saved calls are in no file yet */
};

/* Loads the folder, making it from the seed file when it is empty. False with *p filled. */
bool store_open(struct store *s, const char *dir, const char *seed_path, struct problem *p);
void store_close(struct store *s);
/* The files once more. */
bool store_load(struct store *s);
/* Writes the files as it is now; that may fail, because the record still has everything. */
bool store_save(struct store *s);

/* ---- order.c ---- */

struct request {
	enum system_id system;
	const char *method;
	const char *path;    /* below the system's prefix, percent-encoded */
	const char *key;     /* NULL: no such header */
	const char *token;   /* NULL: no such header */
	const char *body;
	size_t body_len;
};

/* Carries out one request on the store. The caller holds the lock. */
void order_run(struct store *s, const struct request *q, struct reply *r);

/* ---- faults.c: what tests ask to go wrong ---- */

enum fault_kind { FAULT_NONE, FAULT_DELAY, FAULT_STATUS, FAULT_HANG, FAULT_RESET, FAULT_NONSENSE, FAULT_ENDLESS,
	          FAULT_ACT_THEN_HANG, FAULT_ACT_THEN_RESET, FAULT_ACT_THEN_LATE, FAULT_END };

struct fault {
	enum fault_kind kind;
	char system[16], method[8], path[256]; /* "" matches all; path is a prefix below the system's */
	int ms, status, retry_after_s;
	int times; /* left; -1 until deleted */
};

enum { FAULTS_MAX = 64 };

struct faults {
	struct fault list[FAULTS_MAX];
	size_t count;
	unsigned generation; /* raised when they are deleted, which ends what hangs */
};

const char *fault_name(enum fault_kind kind);
/* False when the order makes no sense or there are too many. */
bool faults_add(struct faults *f, const json_t *order);
void faults_clear(struct faults *f);
/* The first fault that matches, used up once; kind FAULT_NONE when there is none. */
struct fault faults_take(struct faults *f, const char *system, const char *method, const char *path);

/* ---- record.c: every call, one JSON line; those that are saved are the journal of the store ---- */

struct record {
	int fd;
	char *path;
	int64_t next; /* number of the next call */
	off_t size;
};

/* Opens it and carries out on the store what its files do not have yet. */
bool record_open(struct record *r, const char *dir, struct store *s);
void record_close(struct record *r);
/* One line, in one piece; the store knows then what it has. False: nothing was written, and the store, when the call
 * was to be saved, is as it was before the call. */
bool record_add(struct record *r, struct store *s, const struct request *q, const struct reply *answer,
                const char *fault);
/* All calls since the folder was made, as a list, without their bodies. */
json_t *record_list(const struct record *r);

/* ---- server.c ---- */

struct server;

struct server_settings {
	const char *bind_address;
	uint16_t port;      /* 0: any free one */
	const char *bearer; /* NULL: everybody may call */
	struct store *store;
	struct record *record;
};

/* NULL when the port cannot be had. */
struct server *server_start(const struct server_settings *settings);
uint16_t server_port(const struct server *s);
/* Ends what hangs, waits for running requests, frees. */
void server_stop(struct server **s);

#endif
