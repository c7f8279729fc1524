/* SPDX-License-Identifier: Apache-2.0
 * The nth allocation fails, for every n there is: each call says so as its header promises, never gives half a result,
 * and loses nothing it took (the sanitized build would tell). A lack of memory is never blamed on what was read. */
#include "consumer/adapters/avro/avro_codec.h"
#include "consumer/adapters/avro/registry.h"
#include "consumer/adapters/avro/shipped.h"
#include "consumer/adapters/system/config_file.h"
#include "consumer/core/config.h"
#include "consumer/runtime/outbox.h"
#include "consumer/runtime/parked.h"
#include "consumer/runtime/records.h"
#include "handlers/masking/masking.h"
#include "tests/unit/avro_samples.h"

#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

/* ---- allocations that fail; the linker leads every one of ours here (tests/CMakeLists.txt) ---- */

static long left = -1; /* so many succeed, then one fails; -1: all succeed */
static bool failed;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);

static bool fails(void)
{
	if (left < 0 || left-- > 0)
		return false;
	failed = true;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

char *__wrap_strdup(const char *text)
{
	return fails() ? NULL : __real_strdup(text);
}

/* Runs it with the first, second, ... allocation failing, until none is left to fail. It must have been asked for memory
 * at least so many times, or it proves nothing. */
static void torture(void (*one)(void), long least)
{
	long n = 0;

	do {
		left = n++;
		failed = false;
		one();
		left = -1;
	} while (failed);
	ck_assert_int_gt(n, least);
}

static void check_short(const struct err *e)
{
	ck_assert(failed);
	ck_assert_msg(e->class == ERR_TRANSIENT, "%s: %s: %s", err_class_name(e->class), e->where, e->text);
	ck_assert_msg(strstr(e->text, "memory") != NULL, "%s", e->text);
}

/* ---- the codec ---- */

static int64_t fixed_time(struct clock_port *self)
{
	(void)self;
	return 1700000000000;
}

static struct clock_port fake_clock = { fixed_time };
static struct codec_port *codec;
static struct buf bytes;
static struct user_plan users[3000]; /* more than the first blocks of an arena hold */
static enum message_kind kind;

static struct message big(enum message_kind k)
{
	struct message m = sample(k);

	if (k == MESSAGE_REQUEST) {
		for (size_t i = 0; i < 3000; i++)
			users[i] = (struct user_plan){ .login = "someone", .associate_id = 7, .plan = "ten" };
		m.request.job.users = users;
		m.request.job.user_count = 3000;
	}
	return m;
}

static struct codec_port *new_codec(void)
{
	const struct avro_codec_settings settings = { .clock = &fake_clock };
	struct err e = { 0 };
	struct codec_port *made = avro_codec_new(&settings, &e);

	ck_assert_msg(made != NULL, "%s", e.text);
	return made;
}

static void open_codec(void)
{
	codec = new_codec();
	buf_init(&bytes, RECORD_MAX_BYTES);
}

static void close_codec(void)
{
	buf_done(&bytes);
	codec->close(codec);
}

static void decode_one(void)
{
	const struct bus_record record = { .value = bytes.data, .value_len = bytes.len };
	struct err e = { 0 };
	struct message *m;
	enum codec_result result = codec->decode(codec, kind, &record, &m, &e);

	left = -1;
	ck_assert_int_ne(result, CODEC_BAD);
	if (result == CODEC_LATER) {
		check_short(&e);
		ck_assert_ptr_null(m);
		return;
	}
	if (kind == MESSAGE_REQUEST) {
		ck_assert_uint_eq(m->request.job.user_count, 3000);
		ck_assert_str_eq(m->request.job.users[2999].plan, "ten");
	}
	message_free(&m);
}

START_TEST(decoding_puts_it_off)
{
	struct message m;
	struct err e = { 0 };

	open_codec();
	kind = (enum message_kind)_i;
	m = big(kind);
	ck_assert_msg(codec->encode(codec, &m, &bytes, &e), "%s", e.text);
	torture(decode_one, 2);
	close_codec();
}
END_TEST

static void encode_one(void)
{
	const struct message m = big(kind);
	struct err e = { 0 };
	struct buf out;
	bool ok;

	buf_init(&out, RECORD_MAX_BYTES);
	ok = codec->encode(codec, &m, &out, &e);
	left = -1;
	if (ok) {
		ck_assert_uint_eq(out.len, bytes.len);
		ck_assert_mem_eq(out.data, bytes.data, bytes.len);
	} else {
		ck_assert(failed);
		ck_assert_uint_eq(out.len, 0);
	}
	buf_done(&out);
}

/* Inside avro-c the process ends; everywhere else the call says so. Each n in a process of its own; what it said. */
static int in_a_child(void (*one)(void), long n, bool *failed_r, char *said, size_t size)
{
	int pipes[2], status;
	size_t len = 0;
	ssize_t got;
	pid_t pid;

	ck_assert_int_eq(pipe(pipes), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		dup2(pipes[1], STDERR_FILENO);
		left = n;
		one();
		_exit(failed ? 1 : 0);
	}
	close(pipes[1]);
	while (len < size - 1 && (got = read(pipes[0], said + len, size - 1 - len)) > 0)
		len += (size_t)got;
	said[len] = '\0';
	close(pipes[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status), "killed by signal %d at allocation %ld", WTERMSIG(status), n);
	*failed_r = WEXITSTATUS(status) != 0;
	return WEXITSTATUS(status);
}

static int ended, went_on;

/* Of the many allocations that come late, some. */
static void torture_in_children(void (*one)(void))
{
	bool again = true;
	char said[512];

	ended = went_on = 0;
	for (long n = 0; again; n += 1 + n / 20) {
		int status = in_a_child(one, n, &again, said, sizeof said);

		if (status == EX_OSERR) {
			ck_assert_str_eq(said, "out of memory while encoding an event; the run resumes after a restart\n");
			ended++;
		} else if (again) {
			ck_assert_msg(status == 1, "exit code %d at allocation %ld: %s", status, n, said);
			went_on++;
		}
	}
}

START_TEST(encoding_says_so_or_ends_with_a_sentence)
{
	struct message m;
	struct err e = { 0 };

	open_codec();
	kind = (enum message_kind)_i;
	m = big(kind);
	ck_assert_msg(codec->encode(codec, &m, &bytes, &e), "%s", e.text);
	codec->close(codec); /* one that was used has most of its memory already */
	codec = new_codec();
	torture_in_children(encode_one);
	ck_assert_int_gt(ended, 0);
	close_codec();
}
END_TEST

static void make_codec(void)
{
	const struct avro_codec_settings settings = { .clock = &fake_clock };
	struct err e = { 0 };
	struct codec_port *made = avro_codec_new(&settings, &e);

	left = -1;
	if (made)
		made->close(made);
	else
		check_short(&e);
}

START_TEST(a_codec_is_made_whole_or_not)
{
	torture_in_children(make_codec);
	ck_assert_int_gt(went_on, 10);
	ck_assert_int_gt(ended, 20);
}
END_TEST

/* ---- the registry ---- */

static bool fetch(void *arg, const char *path, const char *post, struct buf *answer, int *status_r, struct err *e)
{
	const struct embedded_file *file = shipped_file(MESSAGE_STATE, SHIPPED_NOW);
	long saved = left;
	json_t *json;
	char *text;

	(void)arg;
	(void)path;
	(void)post;
	(void)e;
	left = -1; /* the other end has memory */
	json = json_pack("{s:s%}", "schema", file->text, file->len);
	text = json_dumps(json, 0);
	*status_r = 200;
	buf_add_text(answer, text);
	free(text);
	json_decref(json);
	left = saved;
	return true;
}

static void ask_registry(void)
{
	const struct registry_settings settings = { .fetch = fetch };
	struct err e = { 0 };
	struct schema_source *source = registry_schemas_new(&settings, &e);
	enum codec_result result = CODEC_LATER;
	const struct schema *schema;

	if (source)
		result = source->by_id(source, 7, &schema, &e);
	left = -1;
	ck_assert_int_ne(result, CODEC_BAD); /* it would be remembered as unknown */
	if (result == CODEC_LATER)
		ck_assert(failed && e.class == ERR_TRANSIENT);
	if (source)
		source->close(source);
}

START_TEST(a_schema_is_asked_for_again)
{
	torture(ask_registry, 4);
}
END_TEST

/* ---- the configuration ---- */

static char path[128];

static void load_config(void)
{
	static const struct config_origin flag = { CONFIG_FROM_FLAG, "--log-level", 0 };
	struct config *c = config_new();
	struct err e = { 0 };
	bool ok = c && config_file_read(c, path, &e) && config_set(c, "log", "level", "debug", &flag, &e) &&
		config_set_variable(c, "SANDBOX_ENGINE__WORKERS", "3", &e);

	left = -1;
	if (ok) {
		ck_assert_int_eq(config_int(c, CONF_ENGINE_WORKERS), 3);
		ck_assert_str_eq(config_text(c, CONF_KAFKA_GROUP_ID), "torture");
		ck_assert_str_eq(config_text(c, CONF_LOG_LEVEL), "debug");
	} else {
		ck_assert(failed);
		ck_assert_msg(!c || e.class == ERR_TRANSIENT, "%s: %s", err_class_name(e.class), e.text);
	}
	config_free(&c);
}

START_TEST(a_configuration_is_read_whole_or_not)
{
	const char *base = getenv("TMPDIR");
	FILE *f;
	int fd;

	snprintf(path, sizeof path, "%s/no-memory-XXXXXX", base && strlen(base) < 80 ? base : "/tmp");
	fd = mkstemp(path);
	f = fd >= 0 ? fdopen(fd, "w") : NULL;
	ck_assert_ptr_nonnull(f);
	fputs("[kafka]\nbootstrap.servers = 127.0.0.1:9092, 127.0.0.2:9092\ngroup.id = torture\nlinger.ms = 5\n", f);
	for (int n = 0; n < 100; n++)
		fprintf(f, "x.%d = %0400d\n", n, n);
	fclose(f);
	torture(load_config, 5);
	unlink(path);
}
END_TEST

static void show_config(void)
{
	struct config *c;
	struct buf out;
	long saved = left;
	bool ok;

	left = -1;
	c = config_new();
	ck_assert_ptr_nonnull(c);
	buf_init(&out, 1 << 20);
	left = saved;
	ok = config_show(c, true, &out);
	left = -1;
	ck_assert(ok || failed);
	ck_assert(!ok || strstr(buf_text(&out), "clone_ttl"));
	buf_done(&out);
	config_free(&c);
}

START_TEST(a_configuration_is_shown_whole_or_not)
{
	torture(show_config, 3);
}
END_TEST

/* ---- masking: a text whose addresses could not be masked must never pass for one without ---- */

static struct mask_policy *policy;

static void make_policy(void)
{
	static const char *const keep[] = { "t@k.no", "ab@b.no" };
	const struct mask_choices choices = { .domain = "d.example", .keep = keep, .keep_count = 2 };
	struct err e = { 0 };
	struct mask_policy *p = mask_policy_new(&choices, &e);

	left = -1;
	if (!p)
		check_short(&e);
	mask_policy_free(&p);
}

START_TEST(a_policy_is_made_whole_or_not)
{
	torture(make_policy, 5);
}
END_TEST

static const char *const texts[] = {
	"john.doe@company.com",
	"John Doe <john.doe@company.com>, \"B, C\" <b.c@other.org>; t@k.no",
	"a text of some length with one address, mary@poppins.co.uk, and another: <a href=\"mailto:bert@park.org\">",
};

static void mask_texts(void)
{
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct mask_counts counts = { 0 };
		enum mask_result result;
		struct buf out;
		long saved;

		buf_init(&out, 4096);
		result = mask_cell(policy, "no_such_table", "no_such_column", 0, texts[i], strlen(texts[i]), &out, &counts);
		saved = left;
		left = -1; /* check asks for memory, too */
		if (result == MASK_CHANGED && !out.failed)
			ck_assert(strstr(buf_text(&out), "@d.example") && !strstr(buf_text(&out), "@company.com"));
		else
			ck_assert_msg(failed && out.failed && result != MASK_SAME, "%s", texts[i]);
		buf_done(&out);
		left = saved;
	}
}

START_TEST(no_address_slips_through)
{
	const struct mask_choices choices = { .domain = "d.example", .keep = NULL, .keep_count = 0 };
	struct err e = { 0 };

	policy = mask_policy_new(&choices, &e);
	ck_assert_ptr_nonnull(policy);
	torture(mask_texts, 3);
	mask_policy_free(&policy);
}
END_TEST

/* ---- what the loop keeps ---- */

static void keep_things(void)
{
	const struct bus_position at = { TOPIC_REQUESTED, 0, 7 };
	const struct bus_record record = { .at = at, .key = "k", .key_len = 1, .value = "value", .value_len = 5 };
	struct records *records = records_new();
	struct parked *parked = parked_new();
	struct outbox *outbox = outbox_new();
	bool kept = records && records_keep(records, &record), added = parked && parked_add(parked, &at),
	     put = outbox && outbox_put(outbox, "clone", 1, "envelope", 8);

	left = -1;
	ck_assert((kept && added && put) || failed);
	ck_assert(!records || (records_find(records, &at) != NULL) == kept);
	ck_assert(!parked || parked_holds(parked, &at) == added);
	ck_assert(!outbox || (outbox_get(outbox, "clone", 1) != NULL) == put);
	records_free(&records);
	parked_free(&parked);
	outbox_free(&outbox);
}

START_TEST(what_is_kept_is_kept_whole_or_not)
{
	torture(keep_things, 6);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("no_memory");
	TCase *tc = tcase_create("no_memory");
	SRunner *sr;
	int count;

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, decoding_puts_it_off, MESSAGE_UNSET + 1, MESSAGE_END);
	tcase_add_loop_test(tc, encoding_says_so_or_ends_with_a_sentence, MESSAGE_UNSET + 1, MESSAGE_END);
	tcase_add_test(tc, a_codec_is_made_whole_or_not);
	tcase_add_test(tc, a_schema_is_asked_for_again);
	tcase_add_test(tc, a_configuration_is_read_whole_or_not);
	tcase_add_test(tc, a_configuration_is_shown_whole_or_not);
	tcase_add_test(tc, a_policy_is_made_whole_or_not);
	tcase_add_test(tc, no_address_slips_through);
	tcase_add_test(tc, what_is_kept_is_kept_whole_or_not);
	suite_add_tcase(suite, tc);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	count = srunner_ntests_failed(sr);
	srunner_free(sr);
	return count != 0;
}
