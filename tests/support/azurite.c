/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/azurite.h"

#include "consumer/adapters/azure/azure_priv.h"
#include "consumer/adapters/openssl/base64.h"
#include "consumer/adapters/openssl/hmac_sha256.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

/* Benchmarks use this as well, where no test runs that could fail. */
#define need(ok, ...)                                                                                                  \
	do {                                                                                                           \
		if (!(ok)) {                                                                                           \
			fprintf(stderr, "azurite: " __VA_ARGS__);                                                      \
			abort();                                                                                       \
		}                                                                                                      \
	} while (0)

enum { EXIT_SKIP = 77, CONTENT_MAX = 256 * 1024 * 1024 };

/* ---- the program ---- */

static int run_script(const struct azurite *z, const char *act, char *line_r, size_t size)
{
	const char *source = getenv("SOURCE_DIR");
	char command[512];
	FILE *f;
	int status;

	snprintf(command, sizeof command, "'%s/compose/lib/azurite.sh' %s '%s'", source ? source : ".", act, z->folder);
	f = popen(command, "re");
	if (!f)
		return -1;
	*line_r = '\0';
	if (fgets(line_r, (int)size, f))
		line_r[strcspn(line_r, "\n")] = '\0';
	status = pclose(f);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

enum azurite_result azurite_start(struct azurite *z)
{
	const char *tmp = getenv("TMPDIR");
	int status;

	if (!tmp || strlen(tmp) > 40)
		tmp = "/tmp";
	snprintf(z->folder, sizeof z->folder, "%s/azurite.XXXXXX", tmp);
	if (!mkdtemp(z->folder)) {
		z->folder[0] = '\0';
		return AZURITE_FAILED;
	}
	status = run_script(z, "start", z->url, sizeof z->url);
	if (status == 0 && *z->url)
		return AZURITE_STARTED;
	return status == EXIT_SKIP ? AZURITE_ABSENT : AZURITE_FAILED;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

void azurite_stop(struct azurite *z)
{
	char line[128];

	if (!*z->folder)
		return;
	if (run_script(z, "stop", line, sizeof line) != 0)
		fprintf(stderr, "azurite: what runs in %s could not be stopped\n", z->folder);
	nftw(z->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- blobs ---- */

struct azure_container blobs_container(const struct blobs *b)
{
	return (struct azure_container){ .url = b->url, .account = AZURITE_ACCOUNT, .key = AZURITE_KEY };
}

static struct azure *azure_of(struct blobs *b)
{
	return (struct azure *)b->port;
}

/* Runs it; the call is the caller's to end. */
static void ask(struct blobs *b, struct azure_call *c, const struct azure_request *r)
{
	struct err e = { 0 };

	need(azure_call_init(azure_of(b), c, CONTENT_MAX, &e), "%s\n", e.text);
	need(azure_call_run(azure_of(b), c, r, &e), "%s\n", e.text);
	need(c->result == CURLE_OK, "%s\n", curl_easy_strerror(c->result));
}

static void must(struct blobs *b, struct azure_request *r, int status)
{
	struct azure_call c;

	r->at = &azure_of(b)->target;
	ask(b, &c, r);
	need(c.status == status, "%s answered %d %s %s\n", r->blob ? r->blob : "container", c.status, c.code,
	     buf_text(&c.body));
	azure_call_done(azure_of(b), &c);
}

void blobs_open(struct blobs *b, const char *account_url, const char *container, bool make)
{
	struct azure_request r = { .method = "PUT", .params = { { "restype", "container" } } };
	struct azure_settings s = { .parallel = 1 };
	struct err e = { 0 };

	snprintf(b->url, sizeof b->url, "%s/%s", account_url, container);
	s.target = blobs_container(b);
	b->port = azure_files_new(&s, NULL, &e);
	need(b->port, "%s\n", e.text);
	if (make)
		must(b, &r, 201);
}

void blobs_close(struct blobs *b)
{
	azure_files_free(&b->port);
}

void blobs_put_with(struct blobs *b, const char *name, const void *content, size_t len, const char *headers)
{
	char lines[1024];
	struct azure_request r = { .method = "PUT", .blob = name, .headers = lines, .body = content, .body_len = len };

	snprintf(lines, sizeof lines, "x-ms-blob-type: BlockBlob\n%s", headers);
	must(b, &r, 201);
}

void blobs_put(struct blobs *b, const char *name, const void *content, size_t len)
{
	blobs_put_with(b, name, content, len, "");
}

void blobs_put_block(struct blobs *b, const char *name, const char *id, const void *content, size_t len)
{
	struct azure_request r = { .method = "PUT", .blob = name, .body = content, .body_len = len,
		                   .params = { { "blockid", id }, { "comp", "block" } } };

	must(b, &r, 201);
}

void blobs_commit(struct blobs *b, const char *name, const char *list, const char *headers)
{
	struct azure_request r = { .method = "PUT", .blob = name, .headers = headers, .body = list, .body_len = strlen(list),
		                   .params = { { "comp", "blocklist" } } };

	must(b, &r, 201);
}

int64_t blobs_get(struct blobs *b, const char *name, char *content_r, size_t size, char etag_r[80])
{
	struct azure_request r = { .method = "GET", .at = &azure_of(b)->target, .blob = name };
	struct azure_call c;
	int64_t len = -1;

	ask(b, &c, &r);
	need(c.status == 200 || c.status == 404, "%s: %d %s\n", name, c.status, c.code);
	if (c.status == 200) {
		len = (int64_t)c.body.len;
		if (content_r)
			snprintf(content_r, size, "%s", buf_text(&c.body));
		if (etag_r)
			snprintf(etag_r, 80, "%s", c.etag);
	}
	azure_call_done(azure_of(b), &c);
	return len;
}

struct wanted {
	const char *name;
	char *value;
	size_t size;
};

static size_t on_header(char *data, size_t size, size_t count, void *arg)
{
	const struct wanted *w = arg;
	size_t len = strlen(w->name);

	if (size * count > len && strncasecmp(data, w->name, len) == 0 && data[len] == ':')
		snprintf(w->value, w->size, "%.*s", (int)strcspn(data + len + 2, "\r\n"), data + len + 2);
	return size * count;
}

void blobs_header(struct blobs *b, const char *name, const char *header, char *value_r, size_t size)
{
	struct azure_request r = { .method = "HEAD", .at = &azure_of(b)->target, .blob = name };
	struct wanted w = { header, value_r, size };
	struct azure_call c;
	struct err e = { 0 };

	*value_r = '\0';
	need(azure_call_init(azure_of(b), &c, 0, &e) && azure_call_start(azure_of(b), &c, &r, &e), "%s\n", e.text);
	curl_easy_setopt(c.easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c.easy, CURLOPT_HEADERDATA, &w);
	while (c.state != AZURE_ENDED)
		need(azure_pump(azure_of(b), 100, &e), "%s\n", e.text);
	azure_call_done(azure_of(b), &c);
}

void blobs_remove(struct blobs *b, const char *name)
{
	struct azure_request r = { .method = "DELETE", .blob = name };

	must(b, &r, 202);
}

void blobs_sas(const struct blobs *b, const char *rights, char kind, char *sas_r, size_t size)
{
	static const char until[] = "2099-01-01T00:00:00Z";
	unsigned char key[AZURE_KEY_MAX], hash[HMAC_SHA256_BYTES];
	size_t key_len = base64_read(AZURITE_KEY, strlen(AZURITE_KEY), key, sizeof key);
	struct err e = { 0 };
	struct buf signature;
	char text[512], *escaped;

	if (kind == 'c')
		snprintf(text, sizeof text, "%s\n\n%s\n/blob/" AZURITE_ACCOUNT "/%s\n\n\n\n2021-12-02\nc\n\n\n\n\n\n\n", rights,
		         until, strrchr(b->url, '/') + 1);
	else
		snprintf(text, sizeof text, AZURITE_ACCOUNT "\n%s\nb\nsco\n\n%s\n\n\n2021-12-02\n\n", rights, until);
	buf_init(&signature, 128);
	need(hmac_sha256(key, key_len, text, strlen(text), hash, &e) && base64_add(&signature, hash, sizeof hash), "%s\n",
	     e.text);
	escaped = curl_easy_escape(NULL, buf_text(&signature), (int)signature.len);
	snprintf(sas_r, size, "?sv=2021-12-02&%s&sp=%s&se=%s&sig=%s", kind == 'c' ? "sr=c" : "ss=b&srt=sco", rights, until,
	         escaped);
	curl_free(escaped);
	buf_done(&signature);
}
