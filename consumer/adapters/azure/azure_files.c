/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/azure/azure_files.h"

#include "consumer/adapters/azure/azure_priv.h"
#include "consumer/core/file_names.h"

#include <stdlib.h>
#include <string.h>

enum { PARALLEL_USUAL = 8, NAMES_A_PAGE = 1000, COPIED_WHOLE_MAX = 256 * 1024 * 1024 };

static struct azure *of(struct files_port *port)
{
	return (struct azure *)port;
}

/* ---- copy ---- */

static bool is_same_copy(const struct azure_pair *p, const struct fence *f, const struct files_choice *choice,
                         const struct files_progress *progress)
{
	return p && strcmp(p->generation, f->generation) == 0 && strcmp(p->source_root, choice->source_root) == 0 &&
	       strcmp(p->folder, choice->folder) == 0 && strcmp(p->after, progress->after) == 0 && *progress->after;
}

/* The listings go on where the last page ended; behind any other path they begin anew. */
static bool open_pair(struct azure *a, const struct fence *f, const struct files_choice *choice,
                      const struct files_progress *progress, struct err *e)
{
	if (is_same_copy(a->pair, f, choice, progress))
		return true;
	azure_pair_close(&a->pair);
	a->pair = azure_pair_open(a, f, choice, e);
	if (a->pair)
		memcpy(a->pair->after, progress->after, sizeof progress->after);
	return a->pair != NULL;
}

static bool copy_next(struct files_port *self, const struct fence *f, const struct files_choice *choice,
                      struct files_progress *progress, struct err *e)
{
	struct azure *a = of(self);

	if (!file_places_check(f, choice, e))
		return false;
	if (strnlen(progress->after, sizeof progress->after) == sizeof progress->after)
		return err_set(e, ERR_MISUSE, 0, "files", "the progress of the copy is no text");
	if (progress->finished)
		return true;
	if (!azure_token_raise(a, f, e) || !open_pair(a, f, choice, progress, e) ||
	    !azure_copy_page(a, f, choice, progress, e)) {
		azure_pair_close(&a->pair);
		return false;
	}
	memcpy(a->pair->after, progress->after, sizeof progress->after);
	if (progress->finished)
		azure_pair_close(&a->pair);
	return true;
}

/* ---- compare ---- */

static bool compare_pair(struct azure_pair *pair, const struct files_choice *choice, int64_t *different_r,
                         int64_t *files_r, int64_t *bytes_r, struct err *e)
{
	const struct azure_entry *source, *target;

	for (;;) {
		if (!azure_pair_next(pair, &source, &target, e))
			return false;
		if (!source)
			return true;
		if (!azure_path_is_safe(source->path) || (choice->wants && !choice->wants(choice->arg, source->path)))
			continue;
		*different_r += !target || target->size != source->size;
		*files_r += 1;
		*bytes_r += source->size;
		if (choice->moved)
			choice->moved(choice->moved_arg, *files_r, *bytes_r);
	}
}

static bool compare(struct files_port *self, const struct fence *f, const struct files_choice *choice,
                    int64_t *different_r, int64_t *files_r, int64_t *bytes_r, struct err *e)
{
	struct azure_pair *pair;
	bool ok;

	*different_r = *files_r = *bytes_r = 0;
	if (!file_places_check(f, choice, e))
		return false;
	pair = azure_pair_open(of(self), f, choice, e);
	ok = pair && compare_pair(pair, choice, different_r, files_r, bytes_r, e);
	azure_pair_close(&pair);
	return ok;
}

/* ---- remove ---- */

static bool remove_root(struct files_port *self, const struct fence *f, const char *root, struct err *e)
{
	return file_root_is_safe(root) ? azure_remove(of(self), f, root, e) : file_root_refused(e);
}

/* ---- doctor ---- */

static bool run(struct azure *a, const struct azure_request *r, int wanted, const char *doing, struct err *e)
{
	struct azure_call c;
	bool ok = azure_call_init(a, &c, AZURE_LIST_BYTES_MAX, e) && azure_call_run(a, &c, r, e) &&
	          ((c.result == CURLE_OK && c.status == wanted) || azure_call_failed(&c, doing, e));

	azure_call_done(a, &c);
	return ok;
}

static bool list_one(struct azure *a, struct azure_place *at, const char *doing, struct err *e)
{
	const struct azure_request r = { .method = "GET", .at = at,
		                         .params = { { "comp", "list" }, { "maxresults", "1" }, { "restype", "container" } } };

	return run(a, &r, 200, doing, e);
}

bool azure_files_probe(struct files_port *port, struct err *e)
{
	struct azure *a = of(port);
	struct azure_request r = { .method = "PUT", .at = &a->target, .blob = ".sandbox-doctor", .body = "?", .body_len = 1,
		                   .headers = "x-ms-blob-type: BlockBlob\n" };

	if (!list_one(a, &a->target, "listing the container", e) ||
	    (a->source.path && !list_one(a, &a->source, "listing the source's container", e)) ||
	    !run(a, &r, 201, "writing into the container", e))
		return false;
	r = (struct azure_request){ .method = "DELETE", .at = &a->target, .blob = ".sandbox-doctor" };
	return run(a, &r, 202, "removing from the container", e);
}

/* ---- the port ---- */

static bool open_curl(struct azure *a, struct err *e)
{
	/* Stores are opened in many threads; without this flag curl_easy_init may race with itself. */
	if (!(curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_THREADSAFE))
		return err_set(e, ERR_MISUSE, 0, "blobs", "this libcurl cannot be started from several threads");
	a->multi = curl_multi_init();
	if (!a->multi)
		return err_set(e, ERR_TRANSIENT, 0, "blobs", "libcurl could not start: out of memory");
	curl_multi_setopt(a->multi, CURLMOPT_MAXCONNECTS, (long)a->parallel + 4);
	return true;
}

static bool take_settings(struct azure *a, const struct azure_settings *s, struct err *e)
{
	static const enum azure_way only[] = { [AZURE_COPY_AUTO] = AZURE_WAY_END,
		                               [AZURE_COPY_SERVER] = AZURE_BY_SERVER,
		                               [AZURE_COPY_STREAM] = AZURE_BY_STREAM };

	a->parallel = s->parallel > 0 ? s->parallel : PARALLEL_USUAL;
	if (a->parallel > AZURE_PARALLEL_MAX)
		a->parallel = AZURE_PARALLEL_MAX;
	a->allowed = a->parallel;
	a->names_a_page = NAMES_A_PAGE;
	a->copied_whole_max = COPIED_WHOLE_MAX;
	a->connect_timeout_ms = s->connect_timeout_ms > 0 ? s->connect_timeout_ms : 3000;
	a->total_timeout_ms = s->total_timeout_ms > 0 ? s->total_timeout_ms : 60000;
	azure_ways_init(&a->ways, only[s->copy]);
	if (!s->target.url || !*s->target.url)
		return err_set(e, ERR_REFUSED, 0, "blobs", "no container is named");
	return azure_place_init(&a->target, &s->target, e) &&
	       (!s->source.url || !*s->source.url || azure_place_init(&a->source, &s->source, e));
}

struct files_port *azure_files_new(const struct azure_settings *s, const atomic_bool *stop, struct err *e)
{
	struct azure *a = calloc(1, sizeof *a);
	struct files_port *port = a ? &a->port : NULL;

	if (!a) {
		err_set(e, ERR_TRANSIENT, 0, "blobs", "no memory");
		return NULL;
	}
	a->port = (struct files_port){ copy_next, compare, remove_root };
	a->stop = stop;
	if (!take_settings(a, s, e) || !open_curl(a, e))
		azure_files_free(&port);
	return port;
}

void azure_files_free(struct files_port **port)
{
	struct azure *a = port ? (struct azure *)*port : NULL;

	if (!a)
		return;
	azure_pair_close(&a->pair);
	curl_multi_cleanup(a->multi);
	azure_place_done(&a->target);
	azure_place_done(&a->source);
	free(a);
	*port = NULL;
}
