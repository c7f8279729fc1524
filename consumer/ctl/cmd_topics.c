/* SPDX-License-Identifier: Apache-2.0
 * topics check, apply: what the topics on the brokers are, against what they must be (consumer/core/topics.c). */
#include "consumer/ctl/commands.h"
#include "consumer/ctl/grid.h"
#include "consumer/ctl/js.h"

#include <string.h>

enum { REPLICAS = 3, REPLICAS_MAX = 32 };

struct topics_job {
	struct desk_brokers brokers;
	struct topic_wishes wishes;
	struct topic_change changes[TOPIC_CHANGES_MAX];
	size_t count;
};

static const char *remedy_of(const struct topic_change *change)
{
	static const char *const names[] = { [TOPIC_MAKE] = "make", [TOPIC_GROW] = "grow", [TOPIC_SET] = "set",
		[TOPIC_BY_HAND] = "by hand" };

	return names[change->remedy];
}

static size_t left_by_hand(const struct topics_job *job)
{
	size_t count = 0;

	for (size_t i = 0; i < job->count; i++)
		count += job->changes[i].remedy == TOPIC_BY_HAND;
	return count;
}

/* ---- printing ---- */

static void print_json(struct ctl *c, const struct topics_job *job, bool changed)
{
	struct js j = { .out = &c->out, .lines = 2 };

	js_object(&j, NULL);
	js_number(&j, "version", 1);
	js_number(&j, "brokers", job->brokers.brokers);
	js_flag(&j, "changed", changed);
	js_array(&j, "differences");
	for (size_t i = 0; i < job->count; i++) {
		const struct topic_change *change = &job->changes[i];

		js_object(&j, NULL);
		js_text(&j, "topic", topic_name(change->topic));
		js_text(&j, "what", change->what);
		js_text(&j, "is", change->is);
		js_text(&j, "wanted", change->wanted);
		js_text(&j, "remedy", remedy_of(change));
		js_text(&j, "why", change->why);
		js_close(&j);
	}
	js_close(&j);
	js_close(&j);
}

static void print_table(struct ctl *c, const struct topics_job *job)
{
	static const char *const titles[] = { "TOPIC", "WHAT", "IS", "WANTED", "REMEDY", "WHY" };
	struct grid grid = grid_of(c->mem, titles, sizeof titles / sizeof *titles, 0);

	for (size_t i = 0; i < job->count; i++) {
		const struct topic_change *change = &job->changes[i];
		const bool is_new = change->remedy == TOPIC_MAKE;

		grid_text(&grid, topic_name(change->topic));
		grid_text(&grid, change->what);
		grid_text(&grid, change->is);
		grid_text(&grid, is_new ? "there" : change->wanted);
		grid_text(&grid, remedy_of(change));
		grid_text(&grid, change->why);
	}
	if (job->count)
		grid_print(&grid, c->titles, &c->out);
}

static void print(struct ctl *c, const struct topics_job *job, bool changed)
{
	if (c->format == CTL_JSON)
		print_json(c, job, changed);
	else
		print_table(c, job);
}

/* ---- looking ---- */

static bool read_wishes(struct ctl *c, struct topics_job *job, struct err *e)
{
	long partitions, replicas;

	if (!args_number(&c->args, "partitions", TOPIC_PARTITIONS_MAX, 0, &partitions, e) ||
	    !args_number(&c->args, "replicas", REPLICAS_MAX, 0, &replicas, e))
		return false;
	job->wishes = (struct topic_wishes){ (int)partitions, (int)replicas, args_has(&c->args, "grow-partitions") };
	return true;
}

static bool compare(struct ctl *c, struct topics_job *job, struct err *e)
{
	if (!c->desk->topics(c->desk, &job->brokers, e))
		return false;
	if (!job->wishes.replicas)
		job->wishes.replicas = job->brokers.brokers < REPLICAS ? job->brokers.brokers : REPLICAS;
	if (job->wishes.replicas > job->brokers.brokers)
		return err_set(e, ERR_REFUSED, 0, "topics", "%d replicas need as many brokers, and there are %d",
			       job->wishes.replicas, job->brokers.brokers);
	job->count = topics_compare(job->brokers.topics, &job->wishes, job->changes);
	return true;
}

static struct topics_job *begin(struct ctl *c, struct err *e)
{
	struct topics_job *job = arena_take(c->mem, sizeof *job);

	if (!job)
		err_set(e, ERR_TRANSIENT, 0, "topics", "out of memory");
	return job && read_wishes(c, job, e) && ctl_configure(c, e) && compare(c, job, e) ? job : NULL;
}

int cmd_topics_check(struct ctl *c)
{
	struct err e = { 0 };
	struct topics_job *job = begin(c, &e);

	if (!job)
		return ctl_fail(c, &e);
	print(c, job, false);
	if (!job->count) {
		ctl_talk(c, "All %d topics are as they must be.", TOPIC_END - 1);
		return CTL_OK;
	}
	if (left_by_hand(job) < job->count)
		ctl_talk(c, "Next: sandboxctl topics apply");
	return CTL_FAILED;
}

/* ---- changing ---- */

static void warn_of_growth(struct ctl *c, const struct topics_job *job)
{
	for (size_t i = 0; i < job->count; i++)
		if (job->changes[i].remedy == TOPIC_GROW && topic_is_keyed(job->changes[i].topic))
			ctl_talk(c, "Warning: %s gets %s partitions: what is sent for a key from now on may be read before what "
				    "still waits for it. Let no clone be under way.",
				 topic_name(job->changes[i].topic), job->changes[i].wanted);
}

static int say_what_is_left(struct ctl *c, const struct topics_job *job)
{
	const size_t left = left_by_hand(job);

	if (!left)
		return CTL_OK;
	ctl_talk(c, "%zu difference%s left that somebody must decide about", left, left == 1 ? " is" : "s are");
	return CTL_FAILED;
}

int cmd_topics_apply(struct ctl *c)
{
	const bool dry = args_has(&c->args, "dry-run");
	struct err e = { 0 };
	struct topics_job *job = begin(c, &e);
	bool changes;

	if (!job)
		return ctl_fail(c, &e);
	changes = left_by_hand(job) < job->count;
	warn_of_growth(c, job);
	if (!dry && changes && !c->desk->change_topics(c->desk, job->changes, job->count, job->wishes.replicas, &e))
		return ctl_fail(c, &e);
	print(c, job, !dry && changes);
	if (!job->count)
		ctl_talk(c, "All %d topics are as they must be.", TOPIC_END - 1);
	else if (dry)
		ctl_talk(c, "Nothing was changed (--dry-run).");
	return say_what_is_left(c, job);
}
