/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/notifier/notifier.h"

#include "consumer/notifier/intake.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct notifier {
	const struct notifier_parts *p;
	struct directory *directory;
	int intake_wake;
	atomic_bool news, broken;
	pthread_t intake;
	bool intake_ok;
	struct err intake_error;
};

/* From the directory's thread. */
static void on_approvals(void *arg)
{
	struct notifier *n = arg;
	const uint64_t one = 1;

	n->p->poster->wake(n->p->poster);
	if (write(n->intake_wake, &one, sizeof one) < 0)
		return; /* it is awake already */
}

/* From the intake's thread. */
static void on_stored(void *arg)
{
	struct notifier *n = arg;

	atomic_store(&n->news, true);
	n->p->poster->wake(n->p->poster);
}

static void *run_intake(void *arg)
{
	struct notifier *n = arg;
	const struct intake_parts parts = { .bus = n->p->bus, .codec = n->p->codec, .deliveries = n->p->intake_store,
		.directory = n->directory, .log = n->p->log, .metrics = n->p->metrics, .wake_fd = n->intake_wake,
		.stored = on_stored, .stored_arg = n, .stop = n->p->stop, .alive_ms = n->p->intake_alive_ms };

	n->intake_ok = intake_run(&parts, &n->intake_error);
	if (!n->intake_ok) {
		atomic_store(&n->broken, true);
		n->p->poster->wake(n->p->poster);
	}
	return NULL;
}

/* The rest has joined the threads when this returns. */
static bool run(struct notifier *n, struct err *e)
{
	struct sending_parts sending = { .settings = n->p->settings, .deliveries = n->p->sending_store,
		.poster = n->p->poster, .signer = n->p->signer, .directory = n->directory, .log = n->p->log,
		.metrics = n->p->metrics, .news = &n->news, .stop = n->p->stop, .broken = &n->broken,
		.alive_ms = n->p->sending_alive_ms };
	bool ok;

	if (pthread_create(&n->intake, NULL, run_intake, n) != 0)
		return err_set(e, ERR_TRANSIENT, 0, "start", "no thread can be started");
	atomic_store(n->p->ready, true);
	ok = sending_run(&sending, e);
	atomic_store(n->p->ready, false);
	pthread_join(n->intake, NULL);
	if (!n->intake_ok && ok)
		*e = n->intake_error;
	return ok && n->intake_ok;
}

bool notifier_run(const struct notifier_parts *parts, struct err *e)
{
	struct notifier n = { .p = parts, .intake_wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
	const struct directory_settings directory = { .apps = parts->apps, .news = on_approvals, .news_arg = &n };
	bool ok = false;

	if (n.intake_wake < 0)
		return err_set(e, ERR_TRANSIENT, 0, "start", "out of file descriptors");
	n.directory = directory_new(&directory, e);
	if (n.directory)
		ok = run(&n, e);
	directory_free(&n.directory);
	close(n.intake_wake);
	return ok;
}
