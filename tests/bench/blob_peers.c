/* SPDX-License-Identifier: Apache-2.0
 * The plain ways: one curl_multi, so many transfers at a time, each blob as one request or as a GET and a PUT, connections
 * kept, nothing listed, compared or tried again. */
#include "tests/bench/blob_peers.h"
#include "handlers/base/buf.h"
#include "tests/bench/measure.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SLOTS_MAX = 64, BLOB_MAX = 128 * 1024 * 1024 };

struct slot {
	CURL *easy;
	struct curl_slist *headers;
	struct buf body;
	const char *name;
	bool is_writing;
};

struct plain {
	const struct blob_peer_task *task;
	CURLM *multi;
	struct slot slots[SLOTS_MAX];
	bool by_server, failed;
	int next, running;
};

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	struct slot *s = arg;

	return s->is_writing || buf_add(&s->body, data, size * count) ? size * count : 0;
}

static void url_of(const struct blob_peer_task *t, const char *folder, const char *name, char url_r[2048])
{
	snprintf(url_r, 2048, "%s/%s/%s?%s", t->url, folder, name, t->sas);
}

static void add_header(struct slot *s, const char *line)
{
	s->headers = curl_slist_append(s->headers, line);
}

static void start(struct plain *p, struct slot *s, const char *url)
{
	curl_easy_setopt(s->easy, CURLOPT_URL, url);
	curl_easy_setopt(s->easy, CURLOPT_HTTPHEADER, s->headers);
	curl_easy_setopt(s->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(s->easy, CURLOPT_WRITEDATA, s);
	curl_easy_setopt(s->easy, CURLOPT_PRIVATE, s);
	curl_easy_setopt(s->easy, CURLOPT_BUFFERSIZE, 256L * 1024);
	curl_easy_setopt(s->easy, CURLOPT_UPLOAD_BUFFERSIZE, 256L * 1024);
	if (curl_multi_add_handle(p->multi, s->easy) != CURLM_OK)
		peer_die("curl_multi_add_handle");
	p->running++;
}

static void clean(struct slot *s)
{
	curl_easy_reset(s->easy);
	curl_slist_free_all(s->headers);
	s->headers = NULL;
}

static void begin_write(struct plain *p, struct slot *s)
{
	char url[2048], line[2100];

	clean(s);
	s->is_writing = true;
	add_header(s, "x-ms-version: 2021-12-02");
	add_header(s, "Expect:");
	add_header(s, "Content-Type:");
	if (p->by_server) {
		url_of(p->task, p->task->from, s->name, url);
		snprintf(line, sizeof line, "x-ms-copy-source: %s", url);
		add_header(s, line);
		add_header(s, "x-ms-requires-sync: true");
	} else {
		add_header(s, "x-ms-blob-type: BlockBlob");
	}
	url_of(p->task, p->task->to, s->name, url);
	curl_easy_setopt(s->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)s->body.len);
	curl_easy_setopt(s->easy, CURLOPT_POSTFIELDS, buf_text(&s->body));
	curl_easy_setopt(s->easy, CURLOPT_CUSTOMREQUEST, "PUT");
	start(p, s, url);
}

static void begin(struct plain *p, struct slot *s)
{
	char url[2048];

	if (p->next == p->task->count)
		return;
	s->name = p->task->names[p->next++];
	buf_clear(&s->body);
	if (p->by_server) {
		begin_write(p, s);
		return;
	}
	clean(s);
	s->is_writing = false;
	url_of(p->task, p->task->from, s->name, url);
	start(p, s, url);
}

static void ended(struct plain *p, struct slot *s, CURLcode result)
{
	long status = 0;

	curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_multi_remove_handle(p->multi, s->easy);
	p->running--;
	if (result != CURLE_OK || status / 100 != 2) {
		fprintf(stderr, "plain copy of %s: %s, %ld\n", s->name, curl_easy_strerror(result), status);
		p->failed = true;
	} else if (s->is_writing) {
		begin(p, s);
	} else {
		begin_write(p, s);
	}
}

static void run(struct plain *p)
{
	CURLMsg *message;
	int left;

	while (p->running && !p->failed) {
		curl_multi_perform(p->multi, &left);
		while ((message = curl_multi_info_read(p->multi, &left))) {
			struct slot *s = NULL;
			CURLcode result = message->data.result;

			curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &s);
			ended(p, s, result);
		}
		if (p->running)
			curl_multi_poll(p->multi, NULL, 0, 100, NULL);
	}
}

static bool copy_plainly(const struct blob_peer_task *t, bool by_server, struct peer_figures *figures_r)
{
	struct plain *p = calloc(1, sizeof *p);
	double cpu = measure_cpu_s(getpid());
	int64_t begun = measure_now_ns();
	bool ok;

	if (!p)
		peer_die("memory");
	p->task = t;
	p->by_server = by_server;
	p->multi = curl_multi_init();
	for (int i = 0; i < t->parallel && i < SLOTS_MAX; i++) {
		p->slots[i].easy = curl_easy_init();
		buf_init(&p->slots[i].body, BLOB_MAX);
		begin(p, &p->slots[i]);
	}
	run(p);
	ok = !p->failed;
	for (int i = 0; i < SLOTS_MAX && p->slots[i].easy; i++) {
		clean(&p->slots[i]);
		curl_easy_cleanup(p->slots[i].easy);
		buf_done(&p->slots[i].body);
	}
	curl_multi_cleanup(p->multi);
	free(p);
	*figures_r = (struct peer_figures){ (double)(measure_now_ns() - begun) / 1e9, measure_cpu_s(getpid()) - cpu };
	return ok;
}

static bool copy_by_rclone(const struct blob_peer_task *t, struct peer_figures *figures_r)
{
	char from[512], to[512], parallel[16], sas_url[1024];
	const char *const container = strrchr(t->url, '/') + 1;
	const char *const argv[] = { "rclone", "copy", "--config", "/dev/null", "--retries", "1", "--transfers", parallel,
		                     "--checkers", parallel, from, to, NULL };

	snprintf(parallel, sizeof parallel, "%d", t->parallel);
	snprintf(sas_url, sizeof sas_url, "%s?%s", t->url, t->sas);
	setenv("RCLONE_AZUREBLOB_SAS_URL", sas_url, 1);
	snprintf(from, sizeof from, ":azureblob:%s/%s", container, t->from);
	snprintf(to, sizeof to, ":azureblob:%s/%s", container, t->to);
	return peer_run(argv, NULL, 0, figures_r);
}

bool blob_peer_copy(enum blob_peer peer, const struct blob_peer_task *t, struct peer_figures *figures_r)
{
	return peer == PEER_RCLONE ? copy_by_rclone(t, figures_r) : copy_plainly(t, peer == PEER_CURL_SERVER, figures_r);
}
