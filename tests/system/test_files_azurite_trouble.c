/* SPDX-License-Identifier: Apache-2.0
 * The blob store and a service that is busy, forgetful, cut off or odd: a proxy before Azurite that does such things. */
#include "tests/support/azure_store.h"
#include "tests/support/blob_proxy.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct blob_proxy proxy;

static void open_by_proxy(enum azure_copy how)
{
	static char url[256];

	ck_assert(blob_proxy_start(&proxy, az.azurite.url));
	snprintf(url, sizeof url, "%s%s", proxy.url, strrchr(az.blobs.url, '/'));
	az.settings.target.url = url;
	az.settings.copy = how;
	azure_store_open();
}

static void make_some(int count)
{
	char name[64];

	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof name, "Cust1/Documents/%03d", i);
		blobs_put(&az.blobs, name, name, strlen(name));
	}
}

static void check_some(int count)
{
	char source[64], copy[64];

	for (int i = 0; i < count; i++) {
		snprintf(source, sizeof source, "Cust1/Documents/%03d", i);
		snprintf(copy, sizeof copy, "Cust2__g1/Documents/%03d", i);
		azure_store_check(source, copy, source, strlen(source));
	}
}

static int busy_at;
static enum blob_fault busy_how;

static enum blob_fault busy_once(void *arg, const char *head, int number)
{
	(void)arg;
	(void)head;
	return number == busy_at ? busy_how : BLOB_PASS;
}

START_TEST(a_busy_service_is_left_alone_for_as_long_as_it_says)
{
	static const enum blob_fault hows[] = { BLOB_BUSY, BLOB_TOO_MANY, BLOB_BUSY };

	make_some(60);
	open_by_proxy(AZURE_COPY_STREAM);
	proxy.on_request = busy_once;
	busy_how = hows[_i];
	proxy.is_retry_date = _i == 2;
	proxy.retry_after_s = _i == 2 ? 2 : 1; /* a date is up to a second less */
	busy_at = 40;
	ck_assert_int_eq(azure_store_must_copy().files, 60);
	check_some(60);
	ck_assert_int_gt(proxy.requests, 120);
	/* Those that were under way at that moment may still come; then it is quiet for that second. */
	for (int i = busy_at + 8; i < proxy.requests; i++)
		ck_assert_int_ge(proxy.came_ms[i], proxy.came_ms[busy_at - 1] + 950);
}
END_TEST

static int most_under_way(int from, int to)
{
	int most = 0;

	for (int i = from; i < to; i++)
		most = proxy.under_way[i] > most ? proxy.under_way[i] : most;
	return most;
}

/* As many at a time as were asked for; half of them when the service is busy, and one more after each while of peace. */
START_TEST(copies_go_side_by_side_and_fewer_when_the_service_is_busy)
{
	make_some(120);
	az.settings.parallel = 8;
	open_by_proxy(AZURE_COPY_STREAM);
	proxy.on_request = busy_once;
	proxy.delay_ms = 10;
	busy_how = BLOB_BUSY;
	busy_at = 60;
	ck_assert_int_eq(azure_store_must_copy().files, 120);
	check_some(120);
	ck_assert_int_ge(proxy.requests, 240);
	ck_assert_int_eq(most_under_way(0, busy_at), 8);
	/* What was under way at that moment ends first. */
	ck_assert_int_eq(most_under_way(busy_at + 8, busy_at + 8 + 20), 4);
	ck_assert_int_ge(most_under_way(proxy.requests - 80, proxy.requests), 6);
}
END_TEST

static enum blob_fault busy_for_a_while(void *arg, const char *head, int number)
{
	struct blob_proxy *p = arg;

	(void)head;
	p->retry_after_s = number == busy_at ? 2 : 1;
	return number >= busy_at && number < busy_at + 4 ? BLOB_BUSY : BLOB_PASS;
}

/* What is under way when it becomes busy is told so as well, with another wait: that is one complaint, and the longest
 * wait holds. */
START_TEST(of_many_busy_answers_the_longest_wait_holds)
{
	int quiet = 60; /* the first request behind the wait */

	make_some(80);
	open_by_proxy(AZURE_COPY_STREAM);
	proxy.on_request = busy_for_a_while;
	proxy.arg = &proxy;
	proxy.delay_ms = 50;
	busy_at = quiet;
	ck_assert_int_eq(azure_store_must_copy().files, 80);
	check_some(80);
	while (quiet < proxy.requests && proxy.came_ms[quiet] < proxy.came_ms[quiet - 1] + 1500)
		quiet++;
	ck_assert_int_lt(quiet, proxy.requests);
	ck_assert_int_lt(quiet, busy_at + 20); /* and not because of anything later */
	ck_assert_int_le(most_under_way(quiet, quiet + 20), 4);
	ck_assert_int_ge(most_under_way(quiet, quiet + 20), 3);
}
END_TEST

static enum blob_fault always_busy(void *arg, const char *head, int number)
{
	(void)arg;
	(void)head;
	return number > 5 ? BLOB_BUSY : BLOB_PASS;
}

START_TEST(a_long_wait_is_handed_on)
{
	struct files_progress p = { 0 };
	int64_t begun = blob_proxy_now_ms();

	make_some(5);
	open_by_proxy(AZURE_COPY_STREAM);
	proxy.on_request = always_busy;
	proxy.retry_after_s = 300;
	ck_assert(!az.port->copy_next(az.port, &az.fence, &az.choice, &p, &az.err));
	ck_assert_int_lt(blob_proxy_now_ms() - begun, 20000);
	azure_store_expect(ERR_TRANSIENT, "answered 503 ServerBusy, asks to wait 300 s");
}
END_TEST

static enum blob_fault every_seventh(void *arg, const char *head, int number)
{
	static const enum blob_fault faults[] = { BLOB_RESET, BLOB_LOST, BLOB_HALF, BLOB_ERROR, BLOB_BUSY };

	(void)arg;
	(void)head;
	return number % 7 == 0 ? faults[number / 7 % 5] : BLOB_PASS;
}

START_TEST(resets_lost_and_half_answers_are_tried_again)
{
	const size_t large = 3 * (size_t)AZURE_BLOCK_BYTES;
	char *bytes = azure_store_bytes(large, 11);

	make_some(40);
	blobs_put(&az.blobs, "Cust1/Documents/large", bytes, large);
	open_by_proxy(AZURE_COPY_STREAM);
	proxy.on_request = every_seventh;
	ck_assert_int_eq(azure_store_must_copy().files, 41);
	check_some(40);
	azure_store_check("large", "Cust2__g1/Documents/large", bytes, large);
	ck_assert_int_gt(proxy.requests, 80 + 80 / 8);
	ck_assert_msg(az.port->remove_root(az.port, &az.fence, "Cust2__g1", &az.err), "%s", az.err.text);
	ck_assert_int_eq(blobs_get(&az.blobs, "Cust2__g1/Documents/000", NULL, 0, NULL), -1);
	free(bytes);
}
END_TEST

static enum blob_fault forget_markers(void *arg, const char *head, int number)
{
	int *left = arg;

	(void)number;
	return strncmp(head, "GET ", 4) == 0 && strstr(head, "marker=") && (*left)-- > 0 ? BLOB_ODD : BLOB_PASS;
}

/* The place in the listing is the service's, and it may forget it: then it is listed anew, from what was seen on. */
START_TEST(a_forgotten_marker_begins_the_listing_anew)
{
	int left = 2;
	int64_t different, files, bytes;

	make_some(60);
	open_by_proxy(AZURE_COPY_STREAM);
	((struct azure *)az.port)->names_a_page = 25;
	proxy.on_request = forget_markers;
	proxy.arg = &left;
	ck_assert_int_eq(azure_store_must_copy().files, 60);
	check_some(60);
	left = 2;
	ck_assert_msg(az.port->compare(az.port, &az.fence, &az.choice, &different, &files, &bytes, &az.err), "%s", az.err.text);
	ck_assert_int_eq(different, 0);
	ck_assert_int_eq(files, 60);
	left = 1000; /* it never remembers */
	ck_assert(!az.port->compare(az.port, &az.fence, &az.choice, &different, &files, &bytes, &az.err));
	azure_store_expect(ERR_TRANSIENT, "listing blobs: answered 400 OutOfRangeQueryParameterValue");
}
END_TEST

static enum blob_fault flip_first_read(void *arg, const char *head, int number)
{
	bool is_read = strncmp(head, "GET ", 4) == 0 && strstr(head, "/Cust1/Documents/");

	(void)number;
	return is_read && (*(int *)arg)-- > 0 ? BLOB_FLIPPED : BLOB_PASS;
}

START_TEST(a_bit_that_flips_on_the_way_is_noticed)
{
	int flips = 2;

	make_some(1);
	open_by_proxy(AZURE_COPY_STREAM);
	proxy.on_request = flip_first_read;
	proxy.arg = &flips;
	ck_assert_int_eq(azure_store_must_copy().files, 1);
	check_some(1);
	ck_assert_int_lt(flips, 1);
}
END_TEST

/* The hash of a blob that was put together from blocks is what its writer said, and nobody has checked it. */
START_TEST(a_blob_whose_hash_was_never_right_is_copied)
{
	static const char list[] = "<?xml version=\"1.0\"?><BlockList><Latest>YWJj</Latest></BlockList>";
	static const enum azure_copy ways[] = { AZURE_COPY_STREAM, AZURE_COPY_SERVER };

	blobs_put_block(&az.blobs, "Cust1/Documents/x", "YWJj", "text", 4);
	blobs_commit(&az.blobs, "Cust1/Documents/x", list, "x-ms-blob-content-md5: XUFAKrxLKna5cZ2REBfFkg==\n");
	az.settings.copy = ways[_i];
	azure_store_open();
	ck_assert_int_eq(azure_store_must_copy().files, 1);
	azure_store_check("x", "Cust2__g1/Documents/x", "text", 4);
}
END_TEST

static enum blob_fault no_copies_of_others(void *arg, const char *head, int number)
{
	int *asked = arg;
	bool is_server = strcasestr(head, "x-ms-copy-source:") != NULL;

	(void)number;
	*asked += is_server;
	return is_server ? BLOB_CLOSED : BLOB_PASS;
}

START_TEST(a_service_that_does_not_copy_is_not_asked_for_long)
{
	int asked = 0;

	make_some(60);
	open_by_proxy(AZURE_COPY_SERVER);
	proxy.on_request = no_copies_of_others;
	proxy.arg = &asked;
	ck_assert_int_eq(azure_store_must_copy().files, 60);
	check_some(60);
	ck_assert_int_ge(asked, 1);
	ck_assert_int_le(asked, 3 + 8); /* and what was under way when it was clear */
}
END_TEST

static enum blob_fault busy_with_copying(void *arg, const char *head, int number)
{
	(void)number;
	return strcasestr(head, "x-ms-copy-source:") && (*(int *)arg)-- > 0 ? BLOB_BUSY : BLOB_PASS;
}

/* To be busy is no way of saying that it cannot copy. */
START_TEST(a_service_that_is_busy_is_asked_to_copy_again)
{
	int left = 12; /* six blobs, each asked for twice */

	make_some(60);
	az.settings.parallel = 1;
	open_by_proxy(AZURE_COPY_SERVER);
	proxy.on_request = busy_with_copying;
	proxy.arg = &left;
	ck_assert_int_eq(azure_store_must_copy().files, 60);
	check_some(60);
	ck_assert_int_eq(((struct azure *)az.port)->ways.contests[AZURE_WHOLE].done[AZURE_BY_SERVER], 60 - 6);
}
END_TEST

static enum blob_fault copies_later(void *arg, const char *head, int number)
{
	(void)number;
	if (!strcasestr(head, "x-ms-copy-source:"))
		return BLOB_PASS;
	++*(int *)arg;
	return BLOB_COPIES;
}

/* Whatever the answer's number: the bytes are there when it says "success", and else we bring them. */
START_TEST(a_copy_that_is_pending_failed_or_aborted_is_no_copy)
{
	static const char *const statuses[] = { "pending", "failed", "aborted" };
	int asked = 0;

	make_some(60);
	open_by_proxy(AZURE_COPY_SERVER);
	proxy.on_request = copies_later;
	proxy.arg = &asked;
	proxy.copy_status = statuses[_i];
	ck_assert_int_eq(azure_store_must_copy().files, 60);
	check_some(60);
	ck_assert_int_ge(asked, 3);
	ck_assert_int_le(asked, 3 + 8);
}
END_TEST

static enum blob_fault still_copies(void *arg, const char *head, int number)
{
	(void)number;
	return strncmp(head, "PUT ", 4) == 0 && strstr(head, "/Documents/") && (*(int *)arg)-- > 0 ? BLOB_STILL_COPIES :
		BLOB_PASS;
}

START_TEST(a_copy_of_before_that_goes_on_is_waited_for)
{
	struct files_progress p = { 0 };
	int left = 1;

	make_some(1);
	open_by_proxy(AZURE_COPY_STREAM);
	proxy.on_request = still_copies;
	proxy.arg = &left;
	ck_assert(!az.port->copy_next(az.port, &az.fence, &az.choice, &p, &az.err));
	azure_store_expect(ERR_TRANSIENT, "answered 409 PendingCopyOperation");
	ck_assert_int_eq(azure_store_must_copy().files, 1);
	check_some(1);
}
END_TEST

static enum blob_fault copies_blocks_only(void *arg, const char *head, int number)
{
	bool is_whole = strcasestr(head, "x-ms-copy-source:") && !strstr(head, "comp=block");

	(void)number;
	*(int *)arg += is_whole;
	return is_whole ? BLOB_RESET : BLOB_PASS;
}

START_TEST(large_ones_that_are_not_copied_as_a_whole_are_copied_by_blocks)
{
	const size_t large = 2 * (size_t)AZURE_BLOCK_BYTES;
	char *bytes = azure_store_bytes(large, 23), name[64];
	int asked = 0;

	for (int i = 0; i < 5; i++) {
		snprintf(name, sizeof name, "Cust1/Documents/%d", i);
		blobs_put(&az.blobs, name, bytes, large);
	}
	az.settings.parallel = 1;
	open_by_proxy(AZURE_COPY_SERVER);
	proxy.on_request = copies_blocks_only;
	proxy.arg = &asked;
	ck_assert_int_eq(azure_store_must_copy().files, 5);
	ck_assert_int_eq(asked, 3);
	ck_assert_int_eq(((struct azure *)az.port)->ways.contests[AZURE_BLOCK].done[AZURE_BY_SERVER], 10);
	for (int i = 0; i < 5; i++) {
		snprintf(name, sizeof name, "Cust2__g1/Documents/%d", i);
		azure_store_check("large", name, bytes, large);
	}
	free(bytes);
}
END_TEST

static enum blob_fault write_on_every_read(void *arg, const char *head, int number)
{
	static int version;
	char text[32];

	(void)arg;
	(void)number;
	if (strncmp(head, "GET ", 4) == 0 && strstr(head, "/Cust1/Documents/busy ")) {
		struct blobs mine;

		blobs_open(&mine, az.azurite.url, strrchr(az.blobs.url, '/') + 1, false);
		blobs_put(&mine, "Cust1/Documents/busy", text, (size_t)snprintf(text, sizeof text, "version %d", version++));
		blobs_close(&mine);
	}
	return BLOB_PASS;
}

START_TEST(a_blob_that_changes_all_the_time_is_said)
{
	struct files_progress p = { 0 };

	blobs_put(&az.blobs, "Cust1/Documents/busy", "text", 4);
	open_by_proxy(AZURE_COPY_STREAM);
	proxy.on_request = write_on_every_read;
	ck_assert(!az.port->copy_next(az.port, &az.fence, &az.choice, &p, &az.err));
	azure_store_expect(ERR_TRANSIENT, "changes faster than it can be copied");
}
END_TEST

/* ---- killed in the middle ---- */

enum { BLOCKS = 12 };

static volatile sig_atomic_t blocks_put;

static bool puts_block(const char *head)
{
	const char *found = strncmp(head, "PUT ", 4) == 0 ? strstr(head, "comp=block") : NULL;

	return found && (found[10] == ' ' || found[10] == '&'); /* and not "comp=blocklist" */
}

static enum blob_fault count_blocks(void *arg, const char *head, int number)
{
	(void)arg;
	(void)number;
	blocks_put += puts_block(head);
	return BLOB_PASS;
}

/* The blocks that were there when it died are not sent again: they are the manifest of a large blob. */
START_TEST(killed_in_the_middle_of_a_blob_it_goes_on_with_the_missing_blocks)
{
	const size_t large = BLOCKS * (size_t)AZURE_BLOCK_BYTES;
	char *bytes = azure_store_bytes(large, 13);
	int before, status;
	pid_t child;

	blobs_put(&az.blobs, "Cust1/Documents/large", bytes, large);
	az.settings.parallel = 2;
	open_by_proxy(AZURE_COPY_STREAM);
	proxy.on_request = count_blocks;
	child = fork();
	if (child == 0) {
		azure_store_must_copy();
		_exit(0);
	}
	while (blocks_put < 5)
		usleep(1000);
	kill(child, SIGKILL);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(blobs_get(&az.blobs, "Cust2__g1/Documents/large", NULL, 0, NULL), -1);
	before = blocks_put;
	ck_assert_int_eq(azure_store_must_copy().files, 1);
	ck_assert_msg(blocks_put <= BLOCKS + az.settings.parallel, "%d and then %d blocks were sent", before, (int)blocks_put);
	azure_store_check("large", "Cust2__g1/Documents/large", bytes, large);
	free(bytes);
}
END_TEST

/* ---- who may, ended in the middle ---- */

static enum blob_fault expire(void *arg, const char *head, int number)
{
	(void)number;
	*(int *)arg += puts_block(head);
	return *(int *)arg > 5 ? BLOB_CLOSED : BLOB_PASS;
}

/* A SAS whose time is over in the middle of a large blob: with the next one only what is missing is sent. */
START_TEST(with_a_new_sas_it_goes_on_where_the_old_one_ended)
{
	const size_t large = BLOCKS * (size_t)AZURE_BLOCK_BYTES;
	char *bytes = azure_store_bytes(large, 17), sas[512];
	struct files_progress p = { 0 };
	int put = 0;

	blobs_put(&az.blobs, "Cust1/Documents/large", bytes, large);
	blobs_sas(&az.blobs, "rwdl", 'c', sas, sizeof sas);
	az.settings.target = (struct azure_container){ .url = az.blobs.url, .sas = sas };
	az.settings.parallel = 2;
	open_by_proxy(AZURE_COPY_STREAM);
	proxy.on_request = expire;
	proxy.arg = &put;
	ck_assert(!az.port->copy_next(az.port, &az.fence, &az.choice, &p, &az.err));
	azure_store_expect(ERR_TRANSIENT, "our key or SAS does not allow it");
	ck_assert_int_eq(blobs_get(&az.blobs, "Cust2__g1/Documents/large", NULL, 0, NULL), -1);
	ck_assert_int_ge(put, 6);
	blocks_put = 0;
	proxy.on_request = count_blocks;
	azure_store_open();
	ck_assert_int_eq(azure_store_must_copy().files, 1);
	ck_assert_int_le(blocks_put, BLOCKS - 5 + az.settings.parallel); /* what was under way when it ended may be lost */
	azure_store_check("large", "Cust2__g1/Documents/large", bytes, large);
	free(bytes);
}
END_TEST

/* The one that we make of the key lasts some hours, and a copy may take longer. */
START_TEST(a_sas_of_our_own_is_made_anew_in_time)
{
	struct azure *a;

	make_some(20);
	az.settings.copy = AZURE_COPY_SERVER;
	azure_store_open();
	a = (struct azure *)az.port;
	ck_assert_int_eq(azure_store_must_copy().files, 20);
	ck_assert_msg(az.port->remove_root(az.port, &az.fence, "Cust2__g1", &az.err), "%s", az.err.text);
	buf_clear(&a->target.read);
	ck_assert(buf_add_text(&a->target.read, "sv=2021-12-02&sr=c&sp=r&se=2020-01-01T00:00:00Z&sig=b2xk"));
	a->target.read_until = time(NULL) - 1;
	ck_assert_int_eq(azure_store_must_copy().files, 20);
	ck_assert_int_eq(a->ways.contests[AZURE_WHOLE].done[AZURE_BY_SERVER], 40);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, a_busy_service_is_left_alone_for_as_long_as_it_says, 0, 3);
	tcase_add_test(tc, of_many_busy_answers_the_longest_wait_holds);
	tcase_add_test(tc, copies_go_side_by_side_and_fewer_when_the_service_is_busy);
	tcase_add_test(tc, a_forgotten_marker_begins_the_listing_anew);
	tcase_add_test(tc, a_bit_that_flips_on_the_way_is_noticed);
	tcase_add_loop_test(tc, a_blob_whose_hash_was_never_right_is_copied, 0, 2);
	tcase_add_test(tc, a_long_wait_is_handed_on);
	tcase_add_test(tc, resets_lost_and_half_answers_are_tried_again);
	tcase_add_test(tc, a_service_that_does_not_copy_is_not_asked_for_long);
	tcase_add_test(tc, a_service_that_is_busy_is_asked_to_copy_again);
	tcase_add_loop_test(tc, a_copy_that_is_pending_failed_or_aborted_is_no_copy, 0, 3);
	tcase_add_test(tc, large_ones_that_are_not_copied_as_a_whole_are_copied_by_blocks);
	tcase_add_test(tc, a_copy_of_before_that_goes_on_is_waited_for);
	tcase_add_test(tc, with_a_new_sas_it_goes_on_where_the_old_one_ended);
	tcase_add_test(tc, a_sas_of_our_own_is_made_anew_in_time);
	tcase_add_test(tc, a_blob_that_changes_all_the_time_is_said);
	tcase_add_test(tc, killed_in_the_middle_of_a_blob_it_goes_on_with_the_missing_blocks);
}

int main(void)
{
	setenv("BUILD_DIR", BUILD_DIR, 0);
	setenv("SOURCE_DIR", SOURCE_DIR, 0);
	return azure_store_run("files_azurite_trouble", add);
}
