/* SPDX-License-Identifier: Apache-2.0
 * Steps 16, 27 and 29 with a container of Azurite as the blob store, and cancelling after them. */
#include "tests/support/azurite.h"
#include "tests/support/step_test.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct azurite azurite;
static struct blobs blobs;
static struct files_port *folder; /* the world's own store */
static size_t skip;               /* of the paths on disk, what stands in front of the blobs' names */
struct world *w;

/* What steps that ran before have put into the generation's folder is no business of the container. */
static int upload(const char *path, const struct stat *st, int type, struct FTW *where)
{
	char content[4096];
	FILE *f;

	(void)st;
	(void)where;
	if (type != FTW_F || strncmp(path + skip, WORLD_GENERATION "/", strlen(WORLD_GENERATION "/")) == 0)
		return 0;
	f = fopen(path, "re");
	ck_assert_ptr_nonnull(f);
	blobs_put(&blobs, path + skip, content, fread(content, 1, sizeof content, f));
	fclose(f);
	return 0;
}

static void setup(void)
{
	struct azure_settings settings = { .parallel = 4 };
	char path[256];

	w = world_before(STEP_clone_azure_attachments);
	blobs_open(&blobs, azurite.url, "steps", true);
	snprintf(path, sizeof path, "%s/objects", w->folder);
	skip = strlen(path) + 1;
	nftw(path, upload, 16, FTW_PHYS);
	folder = w->ports.objects;
	settings.target = blobs_container(&blobs);
	w->ports.objects = azure_files_new(&settings, &w->stop, &w->err);
	ck_assert_msg(w->ports.objects, "%s", w->err.text);
}

static void teardown(void)
{
	azure_files_free(&w->ports.objects);
	w->ports.objects = folder;
	world_free(&w);
	blobs_close(&blobs);
}

static int64_t size_of(const char *path)
{
	char name[256];

	snprintf(name, sizeof name, WORLD_GENERATION "/%s", path);
	return blobs_get(&blobs, name, NULL, 0, NULL);
}

static void ck_attachments(const char *wanted)
{
	static const char *const paths[] = { "0/1", "0/2", "0/3", "0/4", "1/10001" };
	char path[100], found[100] = "";

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		snprintf(path, sizeof path, "Attachments/folder%s", paths[i]);
		if (size_of(path) >= 0)
			snprintf(found + strlen(found), sizeof found - strlen(found), " %s", paths[i]);
	}
	ck_assert_str_eq(found, wanted);
}

START_TEST(what_the_request_wants_is_copied_and_cancelling_takes_it_away)
{
	ck_step(STEP_clone_azure_templates, STEP_DONE);
	ck_assert_int_eq(size_of("Template/letter.docx"), 20);
	ck_assert_int_ge(size_of("Template/USR/mail.htm"), 0);
	ck_assert_int_eq(size_of("Template/old.docx"), -1);
	ck_assert_int_eq(w->last.rows, 3);
	world_take_over(w);
	ck_step(STEP_clone_azure_templates, STEP_ALREADY);

	w->job.documents = DOCUMENTS_NONE;
	ck_step(STEP_clone_azure_documents, STEP_SKIPPED);
	w->job.documents = DOCUMENTS_INCLUDED_USERS;
	ck_step(STEP_clone_azure_documents, STEP_DONE);
	ck_assert_int_ge(size_of("Documents/TST/2026.2/offer.docx"), 1);
	ck_assert_int_eq(size_of("Documents/ADM/2026.1/plan.docx"), -1);
	w->job.documents = DOCUMENTS_ALL;
	ck_step(STEP_clone_azure_documents, STEP_DONE);
	ck_assert_int_ge(size_of("Documents/ADM/2026.1/plan.docx"), 1);

	w->job.attachments = ATTACHMENTS_NONE;
	ck_step(STEP_clone_azure_attachments, STEP_DONE);
	ck_attachments(" 0/3");
	w->job.attachments = ATTACHMENTS_NO_REQUESTS;
	ck_step(STEP_clone_azure_attachments, STEP_DONE);
	ck_attachments(" 0/2 0/3 0/4 1/10001");
	w->job.attachments = ATTACHMENTS_ALL;
	ck_step(STEP_clone_azure_attachments, STEP_DONE);
	ck_attachments(" 0/1 0/2 0/3 0/4 1/10001");
	ck_assert_msg(strstr(w->last.detail, "1 rows without a file"), "%s", w->last.detail);

	ck_assert_int_eq(world_abandon(w), STEP_DONE);
	ck_attachments("");
	ck_assert_int_eq(size_of("Template/letter.docx"), -1);
	ck_assert_int_eq(blobs_get(&blobs, WORLD_SOURCE "/Template/letter.docx", NULL, 0, NULL), 20);
	ck_assert_int_ge(blobs_get(&blobs, WORLD_TARGET "/Template/old.docx", NULL, 0, NULL), 1);
}
END_TEST

static int run_tests(void)
{
	Suite *suite = suite_create("steps_azurite");
	TCase *tc = tcase_create("steps_azurite");
	SRunner *sr = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, what_the_request_wants_is_copied_and_cancelling_takes_it_away);
	suite_add_tcase(suite, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}

int main(void)
{
	enum azurite_result started;
	char path[256];
	int status = 1;

	setenv("BUILD_DIR", BUILD_DIR, 0);
	setenv("SOURCE_DIR", SOURCE_DIR, 0);
	if (!world_test_folder(path, sizeof path))
		return 1;
	started = azurite_start(&azurite);
	if (started == AZURITE_STARTED)
		status = run_tests();
	else if (started == AZURITE_ABSENT)
		status = puts("SKIPPED: no Azurite on this machine") < 0;
	azurite_stop(&azurite);
	world_remove_folder(path);
	return status;
}
