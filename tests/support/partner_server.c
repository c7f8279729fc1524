/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/partner_priv.h"

#include "consumer/core/fnv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

int64_t partner_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A test that has no memory left has no result either. */
static void *sure(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

/* ---- paths and scripts, under the lock ---- */

static struct partner_path *path_new(const char *path, size_t len)
{
	struct partner_path *p = sure(calloc(1, sizeof *p));

	p->path = sure(strndup(path, len));
	return p;
}

/* The path without its query; made when it is not there. */
static struct partner_path *path_of(struct partner_server *server, const char *path)
{
	const size_t len = strcspn(path, "?");
	struct partner_path **place = &server->buckets[fnv64(FNV64_START, path, len) % PARTNER_BUCKETS], *p;

	for (p = *place; p; p = p->next)
		if (strlen(p->path) == len && memcmp(p->path, path, len) == 0)
			return p;
	p = path_new(path, len);
	p->next = *place;
	*place = p;
	return p;
}

static struct partner_path *prefix_of(struct partner_server *server, const char *prefix)
{
	struct partner_path *p;

	for (p = server->prefixes; p; p = p->next)
		if (strcmp(p->path, prefix) == 0)
			return p;
	p = path_new(prefix, strlen(prefix));
	p->next = server->prefixes;
	server->prefixes = p;
	return p;
}

static void script_done(struct partner_script *script)
{
	for (size_t i = 0; i < script->count; i++)
		free(script->words[i]);
	free(script->words);
	*script = (struct partner_script){ NULL, 0 };
}

static bool script_read(struct partner_script *script_r, const char *text)
{
	size_t len;
	bool ok = true;

	*script_r = (struct partner_script){ NULL, 0 };
	for (text += strspn(text, " "); ok && *text; text += strspn(text, " ")) {
		len = strcspn(text, " ");
		script_r->words = sure(realloc(script_r->words, (script_r->count + 1) * sizeof *script_r->words));
		script_r->words[script_r->count] = sure(strndup(text, len));
		ok = len <= PARTNER_WORD_MAX && partner_word_is_known(script_r->words[script_r->count++]);
		text += len;
	}
	if (ok && script_r->count)
		return true;
	script_done(script_r);
	return false;
}

static const struct partner_script *script_of(const struct partner_server *server, const struct partner_path *path)
{
	const struct partner_path *best = NULL;

	if (path->script.count)
		return &path->script;
	for (const struct partner_path *p = server->prefixes; p; p = p->next)
		if (strncmp(p->path, path->path, strlen(p->path)) == 0 &&
		    (!best || strlen(p->path) > strlen(best->path)))
			best = p;
	return best ? &best->script : NULL;
}

static const char *next_word(const struct partner_server *server, struct partner_path *path)
{
	const struct partner_script *script = script_of(server, path);
	size_t place = path->place++;

	if (!script)
		return "200";
	return script->words[place < script->count ? place : script->count - 1];
}

bool partner_server_script(struct partner_server *server, const char *path, const char *script)
{
	struct partner_script read;
	struct partner_path *p;
	char prefix[PARTNER_WORD_MAX + 1];
	size_t len = strlen(path);

	if (path[0] != '/' || len > PARTNER_WORD_MAX || !script_read(&read, script))
		return false;
	memcpy(prefix, path, len + 1);
	pthread_mutex_lock(&server->lock);
	if (path[len - 1] == '*') {
		prefix[len - 1] = '\0';
		p = prefix_of(server, prefix);
	} else {
		p = path_of(server, path);
	}
	script_done(&p->script);
	p->script = read;
	p->place = 0;
	pthread_mutex_unlock(&server->lock);
	return true;
}

/* ---- what came ---- */

void partner_remember(struct partner_server *server, struct partner_request *request, char word_r[PARTNER_WORD_MAX + 1])
{
	struct partner_path *path;

	pthread_mutex_lock(&server->lock);
	path = path_of(server, request->path);
	snprintf(word_r, PARTNER_WORD_MAX + 1, "%s", next_word(server, path));
	request->number = server->count;
	/* Both lists grow by doubling: whenever the count is a power of two. */
	if ((server->count & (server->count - 1)) == 0)
		server->requests = sure(realloc(server->requests, (server->count * 2 + 1) * sizeof *server->requests));
	if ((path->count & (path->count - 1)) == 0)
		path->numbers = sure(realloc(path->numbers, (path->count * 2 + 1) * sizeof *path->numbers));
	path->numbers[path->count++] = server->count;
	server->requests[server->count++] = request;
	pthread_cond_broadcast(&server->came);
	pthread_mutex_unlock(&server->lock);
}

static size_t count_of(struct partner_server *server, const char *path)
{
	return path ? path_of(server, path)->count : server->count;
}

size_t partner_server_count(struct partner_server *server, const char *path)
{
	size_t count;

	pthread_mutex_lock(&server->lock);
	count = count_of(server, path);
	pthread_mutex_unlock(&server->lock);
	return count;
}

size_t partner_server_connections(struct partner_server *server, enum partner_door door)
{
	size_t count;

	pthread_mutex_lock(&server->lock);
	count = server->connections[door];
	pthread_mutex_unlock(&server->lock);
	return count;
}

bool partner_server_await(struct partner_server *server, const char *path, size_t count, int64_t timeout_ms)
{
	const int64_t until_ms = partner_now_ms() + timeout_ms;
	const struct timespec until = { until_ms / 1000, until_ms % 1000 * 1000000 };
	bool ok;

	pthread_mutex_lock(&server->lock);
	while (!(ok = count_of(server, path) >= count))
		if (pthread_cond_timedwait(&server->came, &server->lock, &until) == ETIMEDOUT)
			break;
	pthread_mutex_unlock(&server->lock);
	return ok;
}

const struct partner_request *partner_server_request(struct partner_server *server, const char *path, size_t n)
{
	const struct partner_request *request = NULL;

	pthread_mutex_lock(&server->lock);
	if (n < count_of(server, path))
		request = server->requests[path ? path_of(server, path)->numbers[n] : n];
	pthread_mutex_unlock(&server->lock);
	return request;
}

const char *partner_request_header(const struct partner_request *request, const char *name, char *out_r, size_t size)
{
	const size_t len = strlen(name);

	out_r[0] = '\0';
	for (const char *line = request->head; *line; line += strcspn(line, "\n") + 1) {
		const char *value = line + len + 1;

		if (strncasecmp(line, name, len) != 0 || line[len] != ':')
			continue;
		value += strspn(value, " \t");
		snprintf(out_r, size, "%.*s", (int)strcspn(value, "\r\n"), value);
		break;
	}
	return out_r;
}

static void forget(struct partner_server *server)
{
	for (size_t i = 0; i < server->count; i++)
		free(server->requests[i]);
	free(server->requests);
	server->requests = NULL;
	server->count = 0;
	for (size_t i = 0; i < PARTNER_BUCKETS; i++)
		for (struct partner_path *p = server->buckets[i]; p; p = p->next) {
			free(p->numbers);
			p->numbers = NULL;
			p->count = 0;
		}
}

void partner_server_forget(struct partner_server *server)
{
	pthread_mutex_lock(&server->lock);
	forget(server);
	pthread_mutex_unlock(&server->lock);
}

void partner_each_path(struct partner_server *server, void (*each)(const char *path, size_t count, void *arg), void *arg)
{
	pthread_mutex_lock(&server->lock);
	for (size_t i = 0; i < PARTNER_BUCKETS; i++)
		for (const struct partner_path *p = server->buckets[i]; p; p = p->next)
			if (p->count)
				each(p->path, p->count, arg);
	pthread_mutex_unlock(&server->lock);
}

void partner_each_request(struct partner_server *server, size_t first, size_t limit,
                          void (*each)(const struct partner_request *request, void *arg), void *arg)
{
	pthread_mutex_lock(&server->lock);
	for (size_t i = first; i < server->count && i - first < limit; i++)
		each(server->requests[i], arg);
	pthread_mutex_unlock(&server->lock);
}

/* ---- beginning and end ---- */

int partner_server_port(const struct partner_server *server, enum partner_door door)
{
	return server->ports[door];
}

const char *partner_server_ca_file(const struct partner_server *server)
{
	return server->ca_file;
}

const char *partner_server_url(const struct partner_server *server, enum partner_door door, const char *path, char *out_r,
                               size_t size)
{
	snprintf(out_r, size, "%s://127.0.0.1:%d%s", door == PARTNER_HTTP ? "http" : "https", server->ports[door], path);
	return out_r;
}

static bool choose_folder(struct partner_server *server, const char *folder, struct err *e)
{
	const char *tmp = getenv("TMPDIR");

	server->folder_is_ours = !folder;
	snprintf(server->folder, sizeof server->folder, folder ? "%s" : "%s/sandbox-partner.XXXXXX",
	         folder ? folder : tmp ? tmp : "/tmp");
	if (!folder && !mkdtemp(server->folder))
		return err_set(e, ERR_TRANSIENT, errno, "partner_server", "no temporary folder");
	snprintf(server->ca_file, sizeof server->ca_file, "%s/ca.pem", server->folder);
	return true;
}

static void init_waiting(struct partner_server *server)
{
	pthread_condattr_t attributes;

	pthread_mutex_init(&server->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&server->came, &attributes);
	pthread_condattr_destroy(&attributes);
}

struct partner_server *partner_server_start(const char *folder, struct err *e)
{
	struct partner_server *server = sure(calloc(1, sizeof *server));

	init_waiting(server);
	server->wake = server->epoll = -1;
	memset(server->listeners, -1, sizeof server->listeners);
	if (choose_folder(server, folder, e) && partner_certificates_make(server, e) && partner_loop_open(server, e)) {
		server->is_running = pthread_create(&server->thread, NULL, partner_loop_run, server) == 0;
		if (server->is_running)
			return server;
		err_set(e, ERR_TRANSIENT, 0, "partner_server", "no thread");
	}
	partner_server_free(&server);
	return NULL;
}

static void free_paths(struct partner_path *p)
{
	for (struct partner_path *next; p; p = next) {
		next = p->next;
		script_done(&p->script);
		free(p->numbers);
		free(p->path);
		free(p);
	}
}

void partner_server_free(struct partner_server **server)
{
	struct partner_server *s = server ? *server : NULL;

	if (!s)
		return;
	atomic_store(&s->stop, true);
	if (s->is_running) {
		eventfd_write(s->wake, 1);
		pthread_join(s->thread, NULL);
	}
	partner_loop_close(s);
	forget(s);
	for (size_t i = 0; i < PARTNER_BUCKETS; i++)
		free_paths(s->buckets[i]);
	free_paths(s->prefixes);
	for (int i = 0; i < PARTNER_DOOR_END; i++)
		SSL_CTX_free(s->tls[i]);
	if (s->folder_is_ours && *s->folder) {
		unlink(s->ca_file);
		rmdir(s->folder);
	}
	pthread_cond_destroy(&s->came);
	pthread_mutex_destroy(&s->lock);
	free(s);
	*server = NULL;
}
