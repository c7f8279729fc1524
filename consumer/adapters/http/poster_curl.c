/* SPDX-License-Identifier: Apache-2.0
 * A transfer is in one list at a time: waiting (for the addresses of its name), running (in libcurl's hands), finished
 * (its result waits to be fetched). Finished ones count as under way, so that results cannot pile up. */
#include "consumer/adapters/http/poster_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
	CONNECT_TIMEOUT_MS = 5000,
	TOTAL_TIMEOUT_MS = 15000,
	MAX_UNDER_WAY = 2000,
	MAX_UNDER_WAY_EVER = 20000,
	MAX_ANSWER_BYTES = 64 * 1024,
	MAX_IDLE = 256,
	LOOKUP_THREADS = 64,
	LOOKUP_THREADS_EVER = 512,
	FILES_BESIDE = 128, /* of the rest of the program */
	EVENTS_AT_ONCE = 256,
	WAIT_MAX_MS = 60 * 1000,
};

struct poster {
	struct poster_port port; /* first */
	struct poster_bounds bounds;
	size_t max_under_way;
	CURLM *multi;
	struct lookups *lookups;
	int epoll, wake;
	int64_t timer_ms; /* when libcurl wants to be called; -1 never */
	struct transfer_list waiting, running, finished;
};

static struct poster *poster_of(struct poster_port *self)
{
	return (struct poster *)self;
}

/* ---- lists ---- */

static void list_remove(struct transfer *t)
{
	struct transfer_list *list = t->list;

	if (!list)
		return;
	*(t->prev ? &t->prev->next : &list->first) = t->next;
	*(t->next ? &t->next->prev : &list->last) = t->prev;
	list->count--;
	t->list = NULL;
}

static void list_move(struct transfer *t, struct transfer_list *to)
{
	list_remove(t);
	t->prev = to->last;
	t->next = NULL;
	*(to->last ? &to->last->next : &to->first) = t;
	to->last = t;
	to->count++;
	t->list = to;
}

/* ---- what libcurl asks for ---- */

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *arg, void *socket_arg)
{
	struct poster *p = arg;
	struct epoll_event event = { .data.fd = socket };

	(void)easy, (void)socket_arg;
	if (what == CURL_POLL_REMOVE) {
		epoll_ctl(p->epoll, EPOLL_CTL_DEL, socket, NULL); /* one that is closed already has left by itself */
		return 0;
	}
	event.events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
	if (epoll_ctl(p->epoll, EPOLL_CTL_MOD, socket, &event) == 0)
		return 0;
	return errno == ENOENT ? epoll_ctl(p->epoll, EPOLL_CTL_ADD, socket, &event) : -1;
}

static int on_timer(CURLM *multi, long ms, void *arg)
{
	struct poster *p = arg;

	(void)multi;
	p->timer_ms = ms < 0 ? -1 : poster_now_ms() + ms;
	return 0;
}

/* ---- the way of a transfer ---- */

static void start(struct poster *p, struct transfer *t, const struct net_address *addresses, size_t count)
{
	list_move(t, &p->finished);
	if (!transfer_take_addresses(t, addresses, count) || !transfer_prepare(t))
		return;
	if (curl_multi_add_handle(p->multi, t->easy) == CURLM_OK)
		list_move(t, &p->running);
	else
		transfer_end(t, POST_FAILED, "it was not sent: out of memory");
}

static void start_or_end(struct poster *p, struct transfer *t, const struct lookup_found *found)
{
	if (!found->failure) {
		start(p, t, found->addresses, found->count);
		return;
	}
	transfer_end(t, POST_FAILED, found->failure);
	list_move(t, &p->finished);
}

static void find_address(struct poster *p, struct transfer *t)
{
	const struct target_url *hop = transfer_hop(t);
	const struct lookup_found *found;

	if (hop->is_address) {
		start(p, t, &hop->address, 1);
		return;
	}
	found = lookups_ask(p->lookups, hop->host, t->began_ms, &t->waiter);
	if (found)
		start_or_end(p, t, found);
	else
		list_move(t, &p->waiting);
}

static void begin(struct poster *p, struct transfer *t, const char *url)
{
	char text[POST_TEXT_MAX];
	const char *wrong = target_url_read(&t->url, url, p->bounds.allow_http);

	if (!wrong && t->url.is_address)
		wrong = address_forbidden(&p->bounds.rules, &t->url.address);
	if (!wrong) {
		find_address(p, t);
		return;
	}
	snprintf(text, sizeof text, t->url.is_address ? "its host may not be reached: %s" : "%s", wrong);
	transfer_end(t, POST_FORBIDDEN, text);
	list_move(t, &p->finished);
}

static bool post(struct poster_port *self, const struct post *post, struct err *e)
{
	struct poster *p = poster_of(self);
	struct transfer *t;

	if (self->room(self) == 0)
		return err_set(e, ERR_TRANSIENT, 0, "poster", "%zu posts are under way, as many as may be",
		               p->max_under_way);
	t = transfer_new(&p->bounds, post, e);
	if (!t)
		return false;
	begin(p, t, post->url);
	return true;
}

static bool next(struct poster_port *self, struct post_result *result_r)
{
	struct transfer *t = poster_of(self)->finished.first;

	if (!t)
		return false;
	*result_r = t->result;
	list_remove(t);
	transfer_free(t);
	return true;
}

/* ---- waiting ---- */

static void collect(struct poster *p)
{
	const CURLMsg *message;
	struct transfer *t;
	int left;

	while ((message = curl_multi_info_read(p->multi, &left))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &t);
		transfer_judge(t, message->data.result);
		curl_multi_remove_handle(p->multi, t->easy);
		curl_easy_cleanup(t->easy);
		t->easy = NULL;
		list_move(t, &p->finished);
	}
}

static void take_addresses(struct poster *p)
{
	const struct lookup_found *found;
	struct lookup_waiter *w;

	while ((w = lookups_take(p->lookups, poster_now_ms(), &found)))
		start_or_end(p, (struct transfer *)w, found);
}

static int64_t lookup_deadline_ms(const struct poster *p)
{
	const struct poster_bounds *b = &p->bounds;
	const bool connect_is_first = b->connect_timeout_ms < b->total_timeout_ms;

	if (!p->waiting.first)
		return -1;
	return p->waiting.first->began_ms + (connect_is_first ? b->connect_timeout_ms : b->total_timeout_ms);
}

/* All wait equally long, so the first in the list is the first to give up. */
static void give_up_waiting(struct poster *p)
{
	for (int64_t now_ms = poster_now_ms(); p->waiting.first && lookup_deadline_ms(p) <= now_ms;) {
		struct transfer *t = p->waiting.first;

		lookups_withdraw(&t->waiter);
		transfer_end(t, POST_TIMED_OUT, "its name was not looked up in time: name servers are slow or silent");
		list_move(t, &p->finished);
	}
}

static int64_t sleep_ms(const struct poster *p, int64_t ms)
{
	const int64_t now_ms = poster_now_ms(), wishes[] = { p->timer_ms, lookup_deadline_ms(p) };

	ms = ms > WAIT_MAX_MS ? WAIT_MAX_MS : ms;
	for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++)
		if (wishes[i] >= 0 && wishes[i] - now_ms < ms)
			ms = wishes[i] - now_ms;
	return ms < 0 || p->finished.first ? 0 : ms;
}

static void act(struct poster *p, const struct epoll_event *event)
{
	const int action = (event->events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) |
	                   (event->events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
	                   (event->events & EPOLLERR ? CURL_CSELECT_ERR : 0);
	eventfd_t count;
	int running;

	if (event->data.fd == p->wake)
		eventfd_read(p->wake, &count);
	else if (event->data.fd != lookups_fd(p->lookups))
		curl_multi_socket_action(p->multi, event->data.fd, action, &running);
}

static void wait_for_some(struct poster_port *self, int64_t ms)
{
	struct poster *p = poster_of(self);
	struct epoll_event events[EVENTS_AT_ONCE];
	int count = epoll_wait(p->epoll, events, EVENTS_AT_ONCE, (int)sleep_ms(p, ms)), running;

	for (int i = 0; i < count; i++)
		act(p, &events[i]);
	take_addresses(p);
	if (p->timer_ms >= 0 && p->timer_ms <= poster_now_ms()) {
		p->timer_ms = -1;
		curl_multi_socket_action(p->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
	collect(p);
	give_up_waiting(p);
}

static void wake(struct poster_port *self)
{
	eventfd_write(poster_of(self)->wake, 1);
}

static size_t under_way(struct poster_port *self)
{
	const struct poster *p = poster_of(self);

	return p->waiting.count + p->running.count + p->finished.count;
}

static size_t room(struct poster_port *self)
{
	return poster_of(self)->max_under_way - under_way(self);
}

/* ---- beginning and end ---- */

static void free_all(struct poster *p, struct transfer_list *list)
{
	for (struct transfer *t; (t = list->first);) {
		lookups_withdraw(&t->waiter);
		if (t->easy)
			curl_multi_remove_handle(p->multi, t->easy);
		list_remove(t);
		transfer_free(t);
	}
}

static void close_poster(struct poster_port *self)
{
	struct poster *p = poster_of(self);

	free_all(p, &p->waiting);
	free_all(p, &p->running);
	free_all(p, &p->finished);
	curl_multi_cleanup(p->multi);
	lookups_free(&p->lookups);
	if (p->epoll >= 0)
		close(p->epoll);
	if (p->wake >= 0)
		close(p->wake);
	free(p->bounds.ca_file);
	free(p);
}

static bool take_proxy(struct poster_bounds *b, const char *proxy, struct err *e)
{
	const char *wrong;

	if (!proxy || !*proxy)
		return true;
	wrong = target_url_read(&b->proxy, proxy, true);
	if (wrong)
		return err_set(e, ERR_REFUSED, 0, "poster", "the proxy cannot be used: %s", wrong);
	b->has_proxy = true;
	return true;
}

/* One file with the certificates, always: see set_protocol(). */
static bool take_ca_file(struct poster_bounds *b, const char *file, struct err *e)
{
	if (!file || !*file)
		file = curl_version_info(CURLVERSION_NOW)->cainfo;
	if (!file)
		return true;
	if (access(file, R_OK) < 0)
		return err_set(e, ERR_REFUSED, errno, "poster", "the file of certificates cannot be read: %s",
		               strerror(errno));
	b->ca_file = strdup(file);
	return b->ca_file || err_set(e, ERR_TRANSIENT, 0, "poster", "out of memory");
}

static bool take_settings(struct poster *p, const struct poster_settings *s, struct err *e)
{
	struct poster_bounds *b = &p->bounds;

	b->allow_http = s->allow_http;
	b->connect_timeout_ms = s->connect_timeout_ms > 0 ? s->connect_timeout_ms : CONNECT_TIMEOUT_MS;
	b->total_timeout_ms = s->total_timeout_ms > 0 ? s->total_timeout_ms : TOTAL_TIMEOUT_MS;
	b->max_answer_bytes = s->max_answer_bytes ? s->max_answer_bytes : MAX_ANSWER_BYTES;
	p->max_under_way = s->max_under_way ? s->max_under_way : MAX_UNDER_WAY;
	if (p->max_under_way > MAX_UNDER_WAY_EVER || s->lookup_threads > LOOKUP_THREADS_EVER)
		return err_set(e, ERR_REFUSED, 0, "poster", "at most %d posts under way and %d threads for names",
		               MAX_UNDER_WAY_EVER, LOOKUP_THREADS_EVER);
	return address_nets_read(&b->rules.allowed, s->allow_nets ? s->allow_nets : "", "allow_nets", e) &&
	       address_nets_read(&b->rules.denied, s->deny_nets ? s->deny_nets : "", "deny_nets", e) &&
	       take_proxy(b, s->proxy, e) && take_ca_file(b, s->ca_file, e);
}

/* A socket for each post, and a second one while IPv6 and IPv4 race; of that some share is enough. */
static bool files_suffice(const struct poster *p, size_t max_idle, struct err *e)
{
	const rlim_t needed = p->max_under_way + p->max_under_way / 2 + max_idle + FILES_BESIDE;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= needed)
		return true;
	if (limit.rlim_max < needed)
		return err_set(e, ERR_REFUSED, 0, "poster",
		               "%zu posts under way need %llu open files, this process may have %llu: raise its limit",
		               p->max_under_way, (unsigned long long)needed, (unsigned long long)limit.rlim_max);
	limit.rlim_cur = needed;
	return setrlimit(RLIMIT_NOFILE, &limit) == 0 ||
	       err_set(e, ERR_REFUSED, errno, "poster", "the limit of open files cannot be raised");
}

static bool listen_to(struct poster *p, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return fd >= 0 && epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool open_multi(struct poster *p, size_t max_idle, struct err *e)
{
	/* Clients are made in many threads; without this flag curl_easy_init may race with itself. */
	if (!(curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_THREADSAFE))
		return err_set(e, ERR_MISUSE, 0, "poster", "this libcurl cannot be started from several threads");
	p->multi = curl_multi_init();
	p->epoll = epoll_create1(EPOLL_CLOEXEC);
	p->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (!p->multi || p->epoll < 0 || !listen_to(p, p->wake) || !listen_to(p, lookups_fd(p->lookups)) ||
	    curl_multi_setopt(p->multi, CURLMOPT_SOCKETFUNCTION, on_socket) != CURLM_OK ||
	    curl_multi_setopt(p->multi, CURLMOPT_SOCKETDATA, p) != CURLM_OK ||
	    curl_multi_setopt(p->multi, CURLMOPT_TIMERFUNCTION, on_timer) != CURLM_OK ||
	    curl_multi_setopt(p->multi, CURLMOPT_TIMERDATA, p) != CURLM_OK ||
	    curl_multi_setopt(p->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING) != CURLM_OK ||
	    curl_multi_setopt(p->multi, CURLMOPT_MAXCONNECTS, (long)max_idle) != CURLM_OK)
		return err_set(e, ERR_TRANSIENT, errno, "poster", "libcurl could not start: out of memory or files");
	return true;
}

struct poster_port *poster_curl_new(const struct poster_settings *s, struct err *e)
{
	const size_t max_idle = s->max_idle ? s->max_idle : MAX_IDLE;
	struct poster *p = calloc(1, sizeof *p);

	if (!p) {
		err_set(e, ERR_TRANSIENT, 0, "poster", "out of memory");
		return NULL;
	}
	p->port = (struct poster_port){ post, next, wait_for_some, wake, under_way, room, close_poster };
	p->epoll = p->wake = -1;
	p->timer_ms = -1;
	if (take_settings(p, s, e) && files_suffice(p, max_idle, e))
		p->lookups = lookups_new(s->lookup_threads ? s->lookup_threads : LOOKUP_THREADS, e);
	if (p->lookups && open_multi(p, max_idle, e))
		return &p->port;
	close_poster(&p->port);
	return NULL;
}
