/* SPDX-License-Identifier: Apache-2.0
 * A TCP proxy on loopback that holds every byte back for a while: delay_proxy PORT SERVER_PORT DELAY_MS. Added is the delay
 * in each direction; bytes wait side by side, so a connection's bandwidth stays. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LINKS_MAX = 64, CHUNK = 64 << 10, CHUNKS_MAX = 256 }; /* 16 MiB under way in each direction */

struct chunk {
	struct chunk *next;
	int64_t due_ms;
	size_t len, sent;
	char bytes[CHUNK];
};

struct way { /* one direction of a connection */
	int from, to;
	struct chunk *first, **end;
	int count;
	int is_over; /* nothing more is read */
};

static struct way ways[2 * LINKS_MAX];
static int way_count;

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
				     .sin_addr = { htonl(INADDR_LOOPBACK) } };
}

static void take_connection(int listener, int server_port)
{
	struct sockaddr_in address = loopback(server_port);
	int client = accept(listener, NULL, NULL), server = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	if (client < 0 || way_count + 2 > 2 * LINKS_MAX || connect(server, (struct sockaddr *)&address, sizeof address) != 0) {
		close(client);
		close(server);
		return;
	}
	setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	ways[way_count++] = (struct way){ .from = client, .to = server };
	ways[way_count++] = (struct way){ .from = server, .to = client };
}

static void read_some(struct way *w, int delay_ms)
{
	struct chunk *c = malloc(sizeof *c);
	ssize_t got = c ? recv(w->from, c->bytes, sizeof c->bytes, MSG_DONTWAIT) : -1;

	if (got <= 0) {
		free(c);
		w->is_over = 1;
		return;
	}
	c->next = NULL;
	c->due_ms = now_ms() + delay_ms;
	c->len = (size_t)got;
	c->sent = 0;
	*(w->first ? w->end : &w->first) = c;
	w->end = &c->next;
	w->count++;
}

static void write_due(struct way *w)
{
	while (w->first && w->first->due_ms <= now_ms()) {
		struct chunk *c = w->first;
		ssize_t put = send(w->to, c->bytes + c->sent, c->len - c->sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (put < 0)
			return;
		c->sent += (size_t)put;
		if (c->sent < c->len)
			return;
		w->first = c->next;
		w->count--;
		free(c);
	}
	if (w->is_over && !w->first)
		shutdown(w->to, SHUT_WR);
}

static void forget_ended(void)
{
	for (int i = 0; i < way_count; i += 2) {
		if (!ways[i].is_over || !ways[i + 1].is_over || ways[i].first || ways[i + 1].first)
			continue;
		close(ways[i].from);
		close(ways[i].to);
		way_count -= 2;
		memmove(&ways[i], &ways[i + 2], (size_t)(way_count - i) * sizeof *ways);
		i -= 2;
	}
}

static void turn(int listener, int server_port, int delay_ms)
{
	struct pollfd fds[1 + 2 * LINKS_MAX] = { { .fd = listener, .events = POLLIN } };
	int count = way_count, busy = 0;

	for (int i = 0; i < count; i++) {
		int reads = !ways[i].is_over && ways[i].count < CHUNKS_MAX;

		fds[1 + i] = (struct pollfd){ .fd = reads ? ways[i].from : -1, .events = POLLIN };
		busy |= ways[i].first != NULL;
	}
	poll(fds, (nfds_t)(1 + count), busy ? 1 : 1000);
	for (int i = 0; i < count; i++) {
		if (fds[1 + i].revents)
			read_some(&ways[i], delay_ms);
		write_due(&ways[i]);
	}
	if (fds[0].revents)
		take_connection(listener, server_port);
	forget_ended();
}

int main(int argc, char **argv)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	struct sockaddr_in address = loopback(argc > 1 ? atoi(argv[1]) : 0);

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (argc < 4 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 16) != 0)
		return 2;
	for (;;)
		turn(listener, atoi(argv[2]), atoi(argv[3]));
}
