/* SPDX-License-Identifier: Apache-2.0
 * The parts of the blob store that need no service: listings it reads, what it signs, which way it takes. */
#include "consumer/adapters/azure/azure_priv.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct arena *mem;
static struct azure_listing list;
static struct err err;

static void setup(void)
{
	mem = arena_new(16 * 1024 * 1024);
	err_clear(&err);
}

static void teardown(void)
{
	arena_free(&mem);
}

/* ---- listings ---- */

#define HEAD   "\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ServiceEndpoint=\"x\" ContainerName=\"c\">"
#define BLOB(name, more)                                                                                               \
	"<Blob><Name>" name "</Name><Properties><Etag>0x8D</Etag><Content-Length>5</Content-Length>" more                \
	"</Properties></Blob>"
#define TAIL "<NextMarker/></EnumerationResults>"

static bool parse(const char *xml)
{
	err_clear(&err);
	return azure_parse_list(xml, strlen(xml), "r/d/", mem, &list, &err);
}

START_TEST(a_listing_is_read)
{
	ck_assert_msg(parse(HEAD "<Prefix>r/d/</Prefix><MaxResults>9</MaxResults>\n<Blobs>"
	                    "<Blob><Name>r/d/a &amp; &lt;b&gt; &#xE5;&#229;</Name><Snapshot>no</Snapshot><Properties>\n"
	                    "<Last-Modified>now</Last-Modified><Etag>\"0x8DC\"</Etag><Content-Length>123456789012"
	                    "</Content-Length><Content-Type>text/plain</Content-Type><Content-Encoding />"
	                    "<Content-MD5>XUFAKrxLKna5cZ2REBfFkg==</Content-MD5><BlobType>AppendBlob</BlobType></Properties>"
	                    "<Metadata><owner>anna</owner><sandbox_source>0x1</sandbox_source><e/></Metadata>"
	                    "<OrMetadata /></Blob>" BLOB("r/d/x", "") "</Blobs><NextMarker>2!8!abc</NextMarker>"
	                    "</EnumerationResults>"), "%s", err.text);
	ck_assert_uint_eq(list.count, 2);
	ck_assert_str_eq(list.entries[0].path, "a & <b> \xc3\xa5\xc3\xa5");
	ck_assert_str_eq(list.entries[0].etag, "0x8DC");
	ck_assert_str_eq(list.entries[0].md5, "XUFAKrxLKna5cZ2REBfFkg==");
	ck_assert_str_eq(list.entries[0].mark, "0x1");
	ck_assert_str_eq(list.entries[0].meta, "x-ms-meta-owner: anna\n");
	ck_assert_str_eq(list.entries[0].content, "x-ms-blob-content-type: text/plain\n");
	ck_assert_int_eq(list.entries[0].size, 123456789012);
	ck_assert(!list.entries[0].is_block_blob && list.entries[1].is_block_blob);
	ck_assert_str_eq(list.marker, "2!8!abc");
	ck_assert(parse(HEAD "<Blobs><Blob><Name Encoded=\"true\">r/d/%01%EF%BF%BE</Name><Properties><Etag>1</Etag>"
	                     "<Content-Length>0</Content-Length></Properties></Blob></Blobs>" TAIL));
	ck_assert_str_eq(list.entries[0].path, "\x01\xef\xbf\xbe");
	ck_assert_str_eq(list.marker, "");
}
END_TEST

START_TEST(what_is_no_listing_is_refused)
{
	static const char *const bad[] = {
		"", "nothing", "<html><body>proxy</body></html>", HEAD, HEAD "<Blobs>" BLOB("r/d/x", ""),
		HEAD BLOB("r/other/x", "") TAIL,            /* not below the prefix */
		HEAD "<Blob><Name>r/d/x</Name></Blob>" TAIL, /* without length and version */
		HEAD BLOB("r/d/x", "<Content-Length>-1</Content-Length>") TAIL,
		HEAD BLOB("r/d/x", "<Content-Length>12x</Content-Length>") TAIL,
		HEAD BLOB("r/d/x", "<Etag>two\r\nlines</Etag>") TAIL,
		HEAD BLOB("r/d/&unknown;", "") TAIL, HEAD BLOB("r/d/&#0;", "") TAIL, HEAD BLOB("r/d/&#x110000;", "") TAIL,
		HEAD BLOB("r/d/<b>x</b>", "") TAIL, HEAD "<!DOCTYPE x [<!ENTITY a \"b\">]>" TAIL, HEAD "<Blob><Name" TAIL,
		HEAD "<Blob><Name Encoded=\"true\">r/d/%0</Name></Blob>" TAIL,
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ck_assert_msg(!parse(bad[i]), "%s", bad[i]);
		ck_assert_int_eq(err.class, ERR_TRANSIENT);
	}
}
END_TEST

/* Cut or changed anywhere, it is read or refused, and nothing else: the sanitizers watch. */
START_TEST(a_broken_listing_breaks_nothing)
{
	static const char good[] = HEAD "<Blobs>" BLOB("r/d/a&amp;&#229;", "<Content-Type>t</Content-Type>")
	    "<Blob><Name Encoded=\"true\">r/d/%41</Name><Properties/><Metadata><a>b</a></Metadata></Blob></Blobs>" TAIL;
	char text[sizeof good];
	unsigned state = 1;

	for (size_t cut = 0; cut < sizeof good - 1; cut++) {
		char *exact = malloc(cut + 1);

		memcpy(exact, good, cut);
		exact[cut] = '\0';
		ck_assert(!parse(exact));
		free(exact);
		arena_clear(mem);
	}
	for (int i = 0; i < 20000; i++) {
		memcpy(text, good, sizeof good);
		for (int n = 0; n < 3; n++) {
			state = state * 1103515245u + 12345u;
			text[(state >> 8) % (sizeof good - 1)] = "<>/&;\"=%x#"[(state >> 24) % 10];
		}
		(void)!parse(text);
		arena_clear(mem);
	}
}
END_TEST

static void count_block(void *arg, const char *id)
{
	*(int *)arg += strcmp(id, "YWJj") == 0;
}

START_TEST(a_list_of_blocks_is_read)
{
	static const char xml[] = "<?xml version=\"1.0\"?><BlockList><CommittedBlocks/><UncommittedBlocks><Block>"
	                          "<Name>YWJj</Name><Size>3</Size></Block><Block><Name>YWJj</Name><Size>3</Size></Block>"
	                          "</UncommittedBlocks></BlockList>";
	int count = 0;

	ck_assert(azure_parse_blocks(xml, strlen(xml), mem, count_block, &count, &err));
	ck_assert_int_eq(count, 2);
	ck_assert(!azure_parse_blocks(xml, strlen(xml) - 5, mem, count_block, &count, &err));
}
END_TEST

/* ---- order and names ---- */

START_TEST(the_order_of_the_service_is_known)
{
	struct azure a = { .is_bytewise = false };

	ck_assert_int_lt(azure_order(&a, "a-b", "a/b"), 0);
	ck_assert_int_lt(azure_order(&a, "A", "a"), 0);
	ck_assert_int_lt(azure_order(&a, "a", "a/"), 0);
	ck_assert_int_eq(azure_order(&a, "\xc3\xa5", "\xc3\xa5"), 0);
	ck_assert_int_lt(azure_order(&a, "\xf0\x9f\x90\x98", "\xef\xbf\xbd"), 0); /* as UTF-16 has it */
	ck_assert_int_lt(azure_order(&a, "\xed\x9f\xbf", "\xf0\x9f\x90\x98"), 0);
	a.is_bytewise = true;
	ck_assert_int_gt(azure_order(&a, "\xf0\x9f\x90\x98", "\xef\xbf\xbd"), 0);
}
END_TEST

START_TEST(names_in_addresses_are_encoded)
{
	struct buf out;

	buf_init(&out, 1024);
	ck_assert(azure_add_path(&out, "a b/\xc3\xa5?#%&=+/.~_-"));
	ck_assert_str_eq(buf_text(&out), "/a%20b/%C3%A5%3F%23%25%26%3D%2B/.~_-");
	buf_done(&out);
}
END_TEST

/* ---- signing: against a text signed by hand (openssl dgst -sha256 -mac HMAC -macopt hexkey:...) ---- */

START_TEST(a_request_is_signed)
{
	const struct azure_container c = { "https://acc.blob.core.windows.net/box", "acc", "c2VjcmV0IGtleSBvZiB0aGUgdGVzdA==", NULL };
	struct azure_place place = { .key_len = 0 };
	const struct azure_request r = { .method = "PUT", .at = &place, .blob = "a b", .body = "hello", .body_len = 5,
		                         .params = { { "comp", "block" }, { "empty", "" } } };
	struct buf line;

	ck_assert_msg(azure_place_init(&place, &c, &err), "%s", err.text);
	buf_init(&line, 1024);
	ck_assert_msg(azure_add_authorization(&line, &r,
	                                      "x-ms-version: 2021-12-02\nX-MS-Date: Mon\nIf-Match: \"1\"\nx-ms-meta-b:  v \n",
	                                      &err), "%s", err.text);
	ck_assert_str_eq(buf_text(&line), "Authorization: SharedKey acc:t0yzIC1XII0FvYR0ly7MxjwlkvbPX6hBTuFSFMrCs8I=\n");
	buf_clear(&line);
	ck_assert(azure_add_url(&line, &r));
	ck_assert_str_eq(buf_text(&line), "https://acc.blob.core.windows.net/box/a%20b?comp=block");
	buf_done(&line);
	azure_place_done(&place);
	for (size_t i = 0; i < sizeof place.key; i++)
		ck_assert_uint_eq(place.key[i], 0);
}
END_TEST

/* ---- which way ---- */

/* Copies so many, each in the time of its way; how many the service copied. */
static int copy_some(struct azure_ways *w, int count, const int64_t ms[AZURE_WAY_END], int64_t *now)
{
	int by_server = 0;

	for (int i = 0; i < count; i++) {
		enum azure_way way = azure_way_choose(w, AZURE_WHOLE);

		by_server += way == AZURE_BY_SERVER;
		*now += ms[way];
		azure_way_ended(w, AZURE_WHOLE, way, *now);
	}
	return by_server;
}

START_TEST(the_faster_way_is_taken_and_looked_at_again)
{
	const int64_t slow_server[AZURE_WAY_END] = { [AZURE_BY_SERVER] = 30, [AZURE_BY_STREAM] = 10 };
	const int64_t fast_server[AZURE_WAY_END] = { [AZURE_BY_SERVER] = 1, [AZURE_BY_STREAM] = 10 };
	struct azure_ways w;
	int64_t now = 0;
	int by_server;

	azure_ways_init(&w, AZURE_WAY_END);
	by_server = copy_some(&w, 1900, slow_server, &now);
	ck_assert_int_ge(by_server, 8 + 1);
	ck_assert_int_lt(by_server, 3 * (8 + 32) - 3 * 8); /* three looks: it was clear before their windows had ended */
	ck_assert_int_gt(copy_some(&w, 4000, fast_server, &now), 2000); /* now the service is the faster one */
	ck_assert_int_eq(copy_some(&w, 100, fast_server, &now), 100);
	ck_assert_int_eq(azure_way_choose(&w, AZURE_BLOCK), AZURE_BY_STREAM); /* of blocks nothing is known yet */
}
END_TEST

START_TEST(one_hiccup_does_not_decide_for_long)
{
	const int64_t ms[AZURE_WAY_END] = { [AZURE_BY_SERVER] = 5, [AZURE_BY_STREAM] = 10 };
	struct azure_ways w;
	int64_t now = 0;
	int by_server;

	azure_ways_init(&w, AZURE_WAY_END);
	ck_assert_int_eq(copy_some(&w, 8 + 32, ms, &now), 0);
	ck_assert_int_eq(copy_some(&w, 8 + 3, ms, &now), 8 + 3);
	now += _i == 0 ? 600 : 5000; /* in the middle of the first look */
	ck_assert_int_eq(copy_some(&w, 2, ms, &now), 1);
	by_server = copy_some(&w, 3000, ms, &now);
	ck_assert_msg(by_server >= 2500, "%d", by_server);
}
END_TEST

START_TEST(a_way_that_does_not_work_is_left)
{
	struct azure_ways w;

	azure_ways_init(&w, AZURE_BY_SERVER);
	ck_assert_int_eq(azure_way_choose(&w, AZURE_BLOCK), AZURE_BY_SERVER);
	azure_way_failed(&w);
	azure_way_failed(&w);
	azure_way_ended(&w, AZURE_BLOCK, AZURE_BY_SERVER, 5); /* it was a blob's own trouble */
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(azure_way_choose(&w, AZURE_BLOCK), AZURE_BY_SERVER);
		azure_way_failed(&w);
	}
	ck_assert_int_eq(azure_way_choose(&w, AZURE_BLOCK), AZURE_BY_STREAM);
	azure_ways_init(&w, AZURE_BY_STREAM);
	ck_assert_int_eq(azure_way_choose(&w, AZURE_BLOCK), AZURE_BY_STREAM);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("azure");
	TCase *tc = tcase_create("azure");
	SRunner *sr = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_listing_is_read);
	tcase_add_test(tc, what_is_no_listing_is_refused);
	tcase_add_test(tc, a_broken_listing_breaks_nothing);
	tcase_add_test(tc, a_list_of_blocks_is_read);
	tcase_add_test(tc, the_order_of_the_service_is_known);
	tcase_add_test(tc, names_in_addresses_are_encoded);
	tcase_add_test(tc, a_request_is_signed);
	tcase_add_test(tc, the_faster_way_is_taken_and_looked_at_again);
	tcase_add_loop_test(tc, one_hiccup_does_not_decide_for_long, 0, 2);
	tcase_add_test(tc, a_way_that_does_not_work_is_left);
	suite_add_tcase(suite, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
