/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/redis/redis_reply.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *code;
	enum redis_remedy remedy;
	const char *sentence;
} troubles[] = {
	{ "LOADING", REDIS_TRY_LATER, "Redis is still loading its data from disk" },
	{ "MISCONF", REDIS_TRY_LATER, "Redis cannot write to its disk and takes no changes; see its log" },
	{ "OOM", REDIS_TRY_LATER, "Redis has reached maxmemory and takes no changes; give it more memory" },
	{ "BUSY", REDIS_TRY_LATER, "Redis is busy with a slow script of somebody else" },
	{ "TRYAGAIN", REDIS_TRY_LATER, "Redis Cluster is moving these keys" },
	{ "CLUSTERDOWN", REDIS_TRY_LATER, "Redis Cluster is down" },
	{ "NOREPLICAS", REDIS_TRY_LATER, "Redis has too few replicas in step and takes no changes" },
	{ "MASTERDOWN", REDIS_RECONNECT, "Redis is a replica without its master" },
	{ "READONLY", REDIS_RECONNECT, "Redis has become a read-only replica; connect to the master" },
	{ "MOVED", REDIS_RECONNECT, "these keys live on another server of a Redis Cluster, which is not supported" },
	{ "ASK", REDIS_RECONNECT, "these keys live on another server of a Redis Cluster, which is not supported" },
	{ "NOAUTH", REDIS_RECONNECT, "Redis wants a password; set [redis] password_file" },
	{ "WRONGPASS", REDIS_RECONNECT, "Redis does not accept the user or password of [redis]" },
	{ "NOPERM", REDIS_TRY_LATER,
	  "the Redis user of [redis] may not run a command or touch a key it needs; see docs/redis.md" },
	{ "NOSCRIPT", REDIS_RELOAD, "Redis had forgotten the scripts; they are loaded again" },
	{ "WRONGTYPE", REDIS_TRY_LATER, "a key below our prefix holds something that we did not put there" },
	{ "TOKEN", REDIS_TRY_LATER, "the next fencing token does not fit: the stored token or the clock is wrong" },
};

enum redis_remedy redis_remedy(const redisReply *reply, const char **sentence_r)
{
	size_t len = 0;

	while (len < reply->len && reply->str[len] != ' ')
		len++;
	for (size_t i = 0; i < sizeof troubles / sizeof troubles[0]; i++) {
		if (strlen(troubles[i].code) != len || memcmp(troubles[i].code, reply->str, len) != 0)
			continue;
		*sentence_r = troubles[i].sentence;
		return troubles[i].remedy;
	}
	/* The text may repeat arguments, so it is not shown. */
	*sentence_r = "Redis answered with an error of its own; see its log";
	return REDIS_TRY_LATER;
}

/* The value behind "name:" at the beginning of a line of INFO. */
static void take_field(const char *info, size_t len, const char *name, char *value_r, size_t size)
{
	const size_t name_len = strlen(name);
	const char *line = info, *end = info + len;

	value_r[0] = '\0';
	while (line < end) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		size_t line_len = (size_t)((stop ? stop : end) - line);

		if (line_len > name_len && memcmp(line, name, name_len) == 0 && line[name_len] == ':') {
			size_t value_len = line_len - name_len - 1;

			if (value_len && line[line_len - 1] == '\r')
				value_len--;
			snprintf(value_r, size, "%.*s", (int)(value_len < size ? value_len : size),
				 line + name_len + 1);
			return;
		}
		line = stop ? stop + 1 : end;
	}
}

void redis_facts_read(const char *info, size_t len, struct redis_facts *facts_r)
{
	char flag[8];

	memset(facts_r, 0, sizeof *facts_r);
	take_field(info, len, "redis_version", facts_r->version, sizeof facts_r->version);
	take_field(info, len, "role", facts_r->role, sizeof facts_r->role);
	take_field(info, len, "maxmemory_policy", facts_r->maxmemory_policy, sizeof facts_r->maxmemory_policy);
	take_field(info, len, "loading", flag, sizeof flag);
	facts_r->loading = flag[0] == '1';
	take_field(info, len, "aof_enabled", flag, sizeof flag);
	facts_r->aof_enabled = flag[0] == '1';
	take_field(info, len, "cluster_enabled", flag, sizeof flag);
	facts_r->is_cluster = flag[0] == '1';
}

bool redis_facts_fit(const struct redis_facts *facts, struct err *e)
{
	if (facts->loading)
		return err_set(e, ERR_TRANSIENT, 0, "redis", "Redis is still loading its data from disk");
	if (strcmp(facts->role, "master") != 0)
		return err_set(
		    e, ERR_REFUSED, 0, "redis",
		    "this Redis server is a %s, and leases can be had from a master only; connect to the master",
		    facts->role[0] ? facts->role : "server that does not tell its role");
	if (strcmp(facts->maxmemory_policy, "noeviction") != 0)
		return err_set(e, ERR_REFUSED, 0, "redis",
			       "this Redis server may throw leases and markers away (maxmemory-policy is %s); set "
			       "maxmemory-policy noeviction",
			       facts->maxmemory_policy[0] ? facts->maxmemory_policy : "unknown");
	return true;
}

const char *redis_facts_warning(const struct redis_facts *facts)
{
	if (facts->is_cluster)
		return "this Redis server is part of a cluster: only a cluster of one server works";
	if (!facts->aof_enabled)
		return "Redis keeps no append-only file: after its restart every clone is rebuilt from the topics and "
		       "the "
		       "ledger; set appendonly yes";
	return "";
}

/* hiredis changed the type of the count in 1.0. */
#if HIREDIS_MAJOR >= 1
typedef size_t array_count;
#else
typedef int array_count;
#endif

static void *bounded_array(const redisReadTask *task, array_count count)
{
	const struct redis_bounds *bounds = task->privdata;

	return count > (array_count)REDIS_ARRAY_MAX ? NULL : bounds->plain->createArray(task, count);
}

void redis_bounds_set(struct redis_bounds *bounds, redisReader *reader)
{
	bounds->plain = reader->fn;
	bounds->bounded = *reader->fn;
	bounds->bounded.createArray = bounded_array;
	reader->fn = &bounds->bounded;
	reader->privdata = bounds;
}

bool redis_reply_number(const redisReply *reply, uint64_t *number_r)
{
	char *end;

	if (!reply || reply->type != REDIS_REPLY_STRING || reply->len == 0 || reply->str[0] < '0' ||
	    reply->str[0] > '9')
		return false;
	errno = 0;
	*number_r = strtoull(reply->str, &end, 10);
	return !errno && end == reply->str + reply->len;
}
