/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/redis/redis_ops.h"

#include "consumer/adapters/redis/redis_command.h"

#include <string.h>

enum {
	PAIRS_MAX = 4096,        /* of one list of one operation */
	DROP_TOGETHER = 8,
	NOTE_KEEP_MS = 86400000, /* progress is of interest while it moves */
};

/* The operator's list keeps the newest 100,000 clones: all ranks below the last so many leave it. */
#define INDEX_OLDEST_KEPT "-100001"

static const uint64_t token_max = ((uint64_t)1 << 53) - 1; /* acquire.lua counts in doubles */

/* ---- checks ---- */

static bool is_name(const char *name)
{
	return name && name[0] && strnlen(name, REDIS_NAME_MAX + 1) <= REDIS_NAME_MAX;
}

static bool has_source(const struct store_op *op)
{
	return op->source_ctx && op->source_ctx[0];
}

static bool check_names(const struct store_op *op, struct err *e)
{
	if (!is_name(op->target_ctx) || !is_name(op->clone_id) || (has_source(op) && !is_name(op->source_ctx)))
		return err_set(e, ERR_MISUSE, 0, "redis_store",
			       "the name of a tenant or of a clone is missing or too long");
	if (has_source(op) && strcmp(op->source_ctx, op->target_ctx) == 0)
		return err_set(e, ERR_MISUSE, 0, "redis_store", "source and target are the same tenant");
	return true;
}

static const struct store_pair *clone_field(const struct store_op *op, const char *name)
{
	for (size_t i = 0; i < op->clone_set_count; i++)
		if (strcmp(op->clone_set[i].name, name) == 0)
			return &op->clone_set[i];
	return NULL;
}

static bool check_counts(const struct store_op *op, struct err *e)
{
	if (op->clone_set_count > PAIRS_MAX || op->target_set_count > PAIRS_MAX || op->clone_clear_count > PAIRS_MAX ||
	    op->entry_count > PAIRS_MAX || (op->delivered_to && op->delivered_to - op->delivered_from >= PAIRS_MAX))
		return err_set(e, ERR_MISUSE, 0, "redis_store", "a record has more than %d fields or entries",
			       PAIRS_MAX);
	if (op->delivered_to ? op->delivered_from == 0 || op->delivered_from > op->delivered_to
			     : op->kind == STORE_DELIVERED)
		return err_set(e, ERR_MISUSE, 0, "redis_store", "which entries are delivered makes no sense");
	if (op->kind == STORE_NOTE && op->clone_set_count == 0)
		return err_set(e, ERR_MISUSE, 0, "redis_store", "a note without fields");
	if (op->kind == STORE_INTRODUCE && !clone_field(op, "status"))
		return err_set(e, ERR_MISUSE, 0, "redis_store", "a rejection without a status");
	return true;
}

bool redis_op_check(const struct store_op *op, struct err *e)
{
	if (op->kind <= STORE_OP_UNSET || op->kind >= STORE_OP_END)
		return err_set(e, ERR_MISUSE, 0, "redis_store", "unknown operation %d", (int)op->kind);
	if ((op->kind == STORE_ACQUIRE || op->kind == STORE_RENEW) && op->ttl_ms <= 0)
		return err_set(e, ERR_MISUSE, 0, "redis_store", "a lease needs a time to live");
	if (op->kind == STORE_ACQUIRE &&
	    (op->utc_us <= 0 || (uint64_t)op->utc_us > token_max || op->least_token >= token_max))
		return err_set(e, ERR_MISUSE, 0, "redis_store", "the clock or the stamp's token is out of range");
	return check_names(op, e) && check_counts(op, e);
}

/* ---- commands ---- */

static void begin_script(const struct redis_writer *w, enum redis_script script, size_t keys, size_t args)
{
	redis_command(w->out, 3 + keys + args);
	redis_arg_text(w->out, "EVALSHA");
	redis_arg_text(w->out, redis_link_script(w->link, script));
	redis_arg_number(w->out, keys);
}

static void arg_key(const struct redis_writer *w, enum redis_key kind, const char *ctx, const char *clone_id)
{
	char key[REDIS_KEY_SIZE];

	redis_arg(w->out, key, redis_key_text(key, w->prefix, kind, ctx, clone_id));
}

static void arg_lease(const struct redis_writer *w, uint64_t token, const char *clone_id)
{
	char lease[REDIS_LEASE_SIZE];

	redis_arg(w->out, lease, redis_lease_text(lease, w->owner, token, clone_id));
}

static void arg_reader(const struct redis_writer *w, const char *clone_id)
{
	char member[REDIS_LEASE_SIZE];

	redis_arg(w->out, member, redis_reader_text(member, w->owner, clone_id));
}

static void arg_pairs(const struct redis_writer *w, const struct store_pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		redis_arg_text(w->out, pairs[i].name);
		redis_arg(w->out, pairs[i].value, pairs[i].len);
	}
}

static void write_readers(const struct redis_writer *w, const char *form, const char *source_ctx, const char *clone_id,
			  int64_t ttl_ms)
{
	begin_script(w, REDIS_SCRIPT_READERS, 2, 3);
	arg_key(w, REDIS_KEY_READERS, source_ctx, NULL);
	arg_key(w, REDIS_KEY_LEASE, source_ctx, NULL);
	redis_arg_text(w->out, form);
	arg_reader(w, clone_id);
	redis_arg_number(w->out, (uint64_t)ttl_ms);
}

/* After what it is about: a store that is lost between the two has lost the lease too. */
static size_t write_mark(const struct redis_writer *w, enum redis_part *parts_r)
{
	if (!w->asks_for_mark)
		return 0;
	redis_command(w->out, 2);
	redis_arg_text(w->out, "EXISTS");
	arg_key(w, REDIS_KEY_CLONE, STORE_MARK_TARGET, STORE_MARK_CLONE);
	parts_r[0] = REDIS_PART_MARK;
	return 1;
}

static size_t write_acquire(const struct redis_writer *w, const struct store_op *op, enum redis_part *parts_r)
{
	begin_script(w, REDIS_SCRIPT_ACQUIRE, 5, 5);
	arg_key(w, REDIS_KEY_LEASE, op->target_ctx, NULL);
	arg_key(w, REDIS_KEY_TOKEN, op->target_ctx, NULL);
	arg_key(w, REDIS_KEY_TARGET, op->target_ctx, NULL);
	arg_key(w, REDIS_KEY_CLONE, op->target_ctx, op->clone_id);
	arg_key(w, REDIS_KEY_READERS, op->target_ctx, NULL);
	redis_arg_text(w->out, w->owner);
	redis_arg_text(w->out, op->clone_id);
	redis_arg_number(w->out, (uint64_t)op->ttl_ms);
	redis_arg_number(w->out, (uint64_t)op->utc_us);
	redis_arg_number(w->out, op->least_token);
	parts_r[0] = REDIS_PART_LEASE;
	if (!has_source(op))
		return 1 + write_mark(w, parts_r + 1);
	write_readers(w, "add", op->source_ctx, op->clone_id, op->ttl_ms);
	parts_r[1] = REDIS_PART_READERS;
	return 2 + write_mark(w, parts_r + 2);
}

static size_t write_renew(const struct redis_writer *w, const struct store_op *op, enum redis_part *parts_r)
{
	begin_script(w, REDIS_SCRIPT_RENEW, 1, 2);
	arg_key(w, REDIS_KEY_LEASE, op->target_ctx, NULL);
	arg_lease(w, op->token, op->clone_id);
	redis_arg_number(w->out, (uint64_t)op->ttl_ms);
	parts_r[0] = REDIS_PART_RESULT;
	if (!has_source(op))
		return 1;
	write_readers(w, "renew", op->source_ctx, op->clone_id, op->ttl_ms);
	parts_r[1] = REDIS_PART_READERS;
	return 2;
}

void redis_return_lease(const struct redis_writer *w, const char *target_ctx, const char *clone_id, uint64_t token)
{
	begin_script(w, REDIS_SCRIPT_RELEASE, 2, 2);
	arg_key(w, REDIS_KEY_LEASE, target_ctx, NULL);
	arg_key(w, REDIS_KEY_CLONE, target_ctx, clone_id);
	arg_lease(w, token, clone_id);
	redis_arg_number(w->out, strcmp(target_ctx, STORE_MARK_TARGET) == 0 ? 0 : (uint64_t)w->keep_ms);
}

void redis_return_reader(const struct redis_writer *w, const char *source_ctx, const char *clone_id)
{
	write_readers(w, "remove", source_ctx, clone_id, 0);
}

static size_t write_release(const struct redis_writer *w, const struct store_op *op, enum redis_part *parts_r)
{
	redis_return_lease(w, op->target_ctx, op->clone_id, op->token);
	parts_r[0] = REDIS_PART_RESULT;
	if (!has_source(op))
		return 1;
	redis_return_reader(w, op->source_ctx, op->clone_id);
	parts_r[1] = REDIS_PART_NOTHING;
	return 2;
}

/* With the first record of a clone. The list of all clones lies outside the target's slot, so it is two commands of
 * their own: losing them costs a line of `sandboxctl list`. */
static size_t write_index(const struct redis_writer *w, const struct store_op *op, enum redis_part *parts_r)
{
	char key[REDIS_KEY_SIZE], member[REDIS_MEMBER_SIZE];
	const struct store_pair *asked = op->sequence_before == 0 ? clone_field(op, "requested_at") : NULL;

	if (!asked)
		return 0;
	redis_index_key(key, w->prefix);
	redis_index_member(member, op->clone_id, op->target_ctx);
	redis_command(w->out, 4);
	redis_arg_text(w->out, "ZADD");
	redis_arg_text(w->out, key);
	redis_arg(w->out, asked->value, asked->len);
	redis_arg_text(w->out, member);
	redis_command(w->out, 4);
	redis_arg_text(w->out, "ZREMRANGEBYRANK");
	redis_arg_text(w->out, key);
	redis_arg_text(w->out, "0");
	redis_arg_text(w->out, INDEX_OLDEST_KEPT);
	parts_r[0] = parts_r[1] = REDIS_PART_NOTHING;
	return 2;
}

/* Delivered entries are hidden at once by the clone's mark, and dropped in blocks: one HDEL for so many steps. */
static uint64_t block_below(uint64_t sequence)
{
	return sequence - sequence % DROP_TOGETHER;
}

/* Of the block that delivered_from lies in, earlier ones may be there still. */
static uint64_t first_kept(const struct store_op *op)
{
	return block_below(op->delivered_from - 1) + 1;
}

static void arg_dropped(const struct redis_writer *w, uint64_t from, uint64_t to)
{
	for (uint64_t sequence = from; sequence <= to; sequence++)
		redis_arg_number(w->out, sequence);
}

static size_t write_record(const struct redis_writer *w, const struct store_op *op, enum redis_part *parts_r)
{
	const bool tells = op->delivered_to > 0;
	const uint64_t drop_from = tells ? first_kept(op) : 1, drop_to = tells ? block_below(op->delivered_to) : 0;
	const size_t values = 2 * (tells + op->clone_set_count + op->entry_count);
	const size_t gone = op->clone_clear_count + (drop_to < drop_from ? 0 : drop_to - drop_from + 1);
	const bool has_target = op->target_set_count > 0;

	begin_script(w, REDIS_SCRIPT_RECORD, has_target ? 3 : 2, 6 + values + gone + 2 * op->target_set_count);
	arg_key(w, REDIS_KEY_LEASE, op->target_ctx, NULL);
	arg_key(w, REDIS_KEY_CLONE, op->target_ctx, op->clone_id);
	if (has_target)
		arg_key(w, REDIS_KEY_TARGET, op->target_ctx, NULL);
	arg_lease(w, op->token, op->clone_id);
	redis_arg_number(w->out, op->sequence_before);
	redis_arg_number(w->out, op->sequence_after);
	redis_arg_number(w->out, tells);
	redis_arg_number(w->out, values);
	redis_arg_number(w->out, gone);
	if (tells) {
		redis_arg_text(w->out, REDIS_FIELD_DELIVERED);
		redis_arg_number(w->out, op->delivered_to);
	}
	arg_pairs(w, op->clone_set, op->clone_set_count);
	for (size_t i = 0; i < op->entry_count; i++) {
		redis_arg_number(w->out, op->entries[i].sequence);
		redis_arg(w->out, op->entries[i].data, op->entries[i].len);
	}
	for (size_t i = 0; i < op->clone_clear_count; i++)
		redis_arg_text(w->out, op->clone_clear[i]);
	arg_dropped(w, drop_from, drop_to);
	arg_pairs(w, op->target_set, op->target_set_count);
	parts_r[0] = REDIS_PART_RESULT;
	return 1 + write_index(w, op, parts_r + 1);
}

static size_t write_reject(const struct redis_writer *w, const struct store_op *op, enum redis_part *parts_r)
{
	const struct store_pair *status = clone_field(op, "status");
	size_t count;

	begin_script(w, REDIS_SCRIPT_REJECT, 2, 4 + 2 * op->clone_set_count);
	arg_key(w, REDIS_KEY_LEASE, op->target_ctx, NULL);
	arg_key(w, REDIS_KEY_CLONE, op->target_ctx, op->clone_id);
	redis_arg_text(w->out, op->clone_id);
	redis_arg_number(w->out, op->sequence_after);
	redis_arg(w->out, status->value, status->len);
	redis_arg_number(w->out, (uint64_t)w->keep_ms);
	arg_pairs(w, op->clone_set, op->clone_set_count);
	parts_r[0] = REDIS_PART_RESULT;
	count = 1 + write_mark(w, parts_r + 1);
	return count + write_index(w, op, parts_r + count);
}

/* Needs no lease: a delivered message stays delivered, whoever owns the clone now. */
static size_t write_delivered(const struct redis_writer *w, const struct store_op *op, enum redis_part *parts_r)
{
	redis_command(w->out, 2 + op->delivered_to - first_kept(op) + 1);
	redis_arg_text(w->out, "HDEL");
	arg_key(w, REDIS_KEY_CLONE, op->target_ctx, op->clone_id);
	arg_dropped(w, first_kept(op), op->delivered_to);
	parts_r[0] = REDIS_PART_RESULT;
	return 1;
}

static size_t write_note(const struct redis_writer *w, const struct store_op *op, enum redis_part *parts_r)
{
	redis_command(w->out, 2 + 2 * op->clone_set_count);
	redis_arg_text(w->out, "HSET");
	arg_key(w, REDIS_KEY_NOTE, op->target_ctx, op->clone_id);
	arg_pairs(w, op->clone_set, op->clone_set_count);
	redis_command(w->out, 3);
	redis_arg_text(w->out, "PEXPIRE");
	arg_key(w, REDIS_KEY_NOTE, op->target_ctx, op->clone_id);
	redis_arg_number(w->out, NOTE_KEEP_MS);
	parts_r[0] = REDIS_PART_RESULT;
	parts_r[1] = REDIS_PART_NOTHING;
	return 2;
}

size_t redis_op_write(const struct redis_writer *w, const struct store_op *op, enum redis_part parts_r[REDIS_PARTS_MAX])
{
	switch (op->kind) {
	case STORE_ACQUIRE:
		return write_acquire(w, op, parts_r);
	case STORE_RENEW:
		return write_renew(w, op, parts_r);
	case STORE_RELEASE:
		return write_release(w, op, parts_r);
	case STORE_RECORD:
		return write_record(w, op, parts_r);
	case STORE_INTRODUCE:
		return write_reject(w, op, parts_r);
	case STORE_DELIVERED:
		return write_delivered(w, op, parts_r);
	case STORE_NOTE:
		return write_note(w, op, parts_r);
	case STORE_OP_UNSET:
	case STORE_OP_END:
		break;
	}
	return 0; /* redis_op_check() refused it */
}
