/* SPDX-License-Identifier: Apache-2.0
 * dead-letter list, show, requeue, park. */
#include "consumer/core/log_text.h"
#include "consumer/ctl/commands.h"
#include "consumer/ctl/grid.h"
#include "consumer/ctl/human.h"
#include "consumer/ctl/letters.h"
#include "consumer/ctl/message_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_STANDARD = 50, HOPS_MAX = 3, HEX_BYTES = 16, SHOWN_BYTES = 512, READ_WITHIN_MS = 30000 };

static const char hops_header[] = "sandbox-hops";

/* ---- list ---- */

struct listed { /* the newest ones, in a ring */
	struct letter *letters;
	size_t size, count; /* count: of all that were seen */
	const char *code;
};

static bool keep(void *arg, struct letter *letter)
{
	struct listed *l = arg;
	struct letter *slot = &l->letters[l->count % l->size];

	if (l->code && strcmp(l->code, letter->message->dead_letter.reason_code) != 0) {
		message_free(&letter->message);
		return true;
	}
	message_free(&slot->message);
	*slot = *letter;
	l->count++;
	return true;
}

static int newest_first(const void *a, const void *b)
{
	const struct letter *x = a, *y = b;
	int64_t left = x->message->dead_letter.at_ms, right = y->message->dead_letter.at_ms;

	return (left < right) - (left > right);
}

static void letter_json(struct js *j, const struct letter *l)
{
	const struct dead_letter *d = &l->message->dead_letter;
	char id[LETTER_ID_TEXT];

	js_text(j, "id", letter_id(l, id));
	js_text(j, "topic", topic_name(l->at.topic));
	js_time(j, "at", d->at_ms);
	js_text(j, "reason_code", d->reason_code);
	js_text(j, "reason", d->reason);
	js_text(j, "origin_topic", d->origin_topic);
	js_number(j, "origin_partition", d->origin_partition);
	js_number(j, "origin_offset", d->origin_offset);
	js_bytes(j, "key", d->key ? d->key : "", d->key_len);
	js_number(j, "value_size", d->value_size);
	js_number(j, "value_kept", (int64_t)d->value_len);
}

static void list_row(struct ctl *c, struct grid *g, const struct letter *l)
{
	const struct dead_letter *d = &l->message->dead_letter;
	char id[LETTER_ID_TEXT];
	struct buf cell;

	buf_init(&cell, 512);
	grid_text(g, letter_id(l, id));
	human_ago(&cell, c->now_ms, d->at_ms);
	grid_take(g, &cell);
	grid_text(g, d->reason_code);
	buf_printf(&cell, "%s %d:%lld", d->origin_topic, d->origin_partition, (long long)d->origin_offset);
	grid_take(g, &cell);
	buf_add(&cell, d->key, d->key_len < 64 ? d->key_len : 64);
	grid_take(g, &cell);
	grid_text(g, d->reason);
	buf_done(&cell);
}

static void print_list(struct ctl *c, const struct listed *l, size_t count)
{
	static const char *const titles[] = { "ID", "AT", "CODE", "ORIGIN", "KEY", "REASON" };
	struct grid g = grid_of(c->mem, titles, sizeof titles / sizeof *titles, 0);
	struct js j = { .out = &c->out, .lines = c->format == CTL_JSON ? 2 : 0 };

	if (c->format == CTL_JSON) {
		js_object(&j, NULL);
		js_number(&j, "version", 1);
		js_array(&j, "dead_letters");
	}
	for (size_t i = 0; i < count; i++) {
		const struct letter *letter = &l->letters[i];
		char id[LETTER_ID_TEXT];

		if (c->format == CTL_IDS) {
			buf_printf(&c->out, "%s\n", letter_id(letter, id));
		} else if (c->format == CTL_TABLE) {
			list_row(c, &g, letter);
		} else {
			js_object(&j, NULL);
			letter_json(&j, letter);
			js_close(&j);
		}
	}
	if (c->format == CTL_JSON) {
		js_close(&j);
		js_close(&j);
	} else if (c->format == CTL_TABLE && count) {
		grid_print(&g, c->titles, &c->out);
	} else if (c->format == CTL_TABLE) {
		ctl_talk(c, "No dead letter.");
	}
}

int cmd_dead_letter_list(struct ctl *c)
{
	struct listed l = { .code = args_text(&c->args, "reason") };
	struct err e = { 0 };
	long limit;
	int rc = CTL_OK;

	if (!args_number(&c->args, "limit", 10000, LIST_STANDARD, &limit, &e) || !ctl_configure(c, &e))
		return ctl_fail(c, &e);
	l.size = (size_t)limit;
	l.letters = calloc(l.size, sizeof *l.letters);
	if (!l.letters)
		return CTL_UNAVAILABLE;
	if (letters_read(c, keep, &l, &e)) {
		size_t count = l.count < l.size ? l.count : l.size;

		qsort(l.letters, count, sizeof *l.letters, newest_first);
		print_list(c, &l, count);
	} else {
		rc = ctl_fail(c, &e);
	}
	for (size_t i = 0; i < l.size; i++)
		message_free(&l.letters[i].message);
	free(l.letters);
	return rc;
}

/* ---- one of them ---- */

static bool take_first(void *arg, struct letter *letter)
{
	*(struct letter *)arg = *letter;
	return false;
}

/* The letter of the first operand, the caller's to free. */
static int find(struct ctl *c, struct letter *l)
{
	const char *id = c->args.operands[0];
	struct bus_position at;
	struct err e = { 0 };

	*l = (struct letter){ .message = NULL };
	if (!letter_id_read(id, &at)) {
		ctl_talk(c, "sandboxctl: %.40s is no id of a dead letter: [notifier:]PARTITION:OFFSET, as dead-letter list "
			 "shows", id);
		return CTL_USAGE;
	}
	if (!ctl_configure(c, &e) || !letters_read_from(c, &at, take_first, l, &e))
		return ctl_fail(c, &e);
	if (l->message && l->at.partition == at.partition && l->at.offset == at.offset)
		return CTL_OK;
	message_free(&l->message);
	ctl_talk(c, "sandboxctl: there is no dead letter %s", id);
	return CTL_NOT_FOUND;
}

/* Sixteen bytes a line, in hexadecimal and as ASCII. */
static void dump(struct buf *out, const unsigned char *bytes, size_t len)
{
	for (size_t at = 0; at < len && at < SHOWN_BYTES; at += HEX_BYTES) {
		buf_printf(out, "%06zx ", at);
		for (size_t i = at; i < at + HEX_BYTES; i++)
			if (i < len)
				buf_printf(out, " %02x", bytes[i]);
			else
				buf_add_text(out, "   ");
		buf_add_text(out, "  ");
		for (size_t i = at; i < at + HEX_BYTES && i < len; i++)
			buf_printf(out, "%c", bytes[i] >= 0x20 && bytes[i] < 0x7f ? bytes[i] : '.');
		buf_add_text(out, "\n");
	}
	if (len > SHOWN_BYTES)
		buf_printf(out, "... and %zu more; 'dead-letter park' writes all of them to a file\n",
			   len - SHOWN_BYTES);
}

/* What it says, when it can be decoded; the caller's to free. */
static struct message *meaning_of(struct ctl *c, const struct dead_letter *d, struct err *e)
{
	enum message_kind kind = letter_kind(letter_origin(d));
	struct bus_record record = { .at = { letter_origin(d), d->origin_partition, d->origin_offset }, .key = d->key,
		.value = d->value, .key_len = d->key_len, .value_len = d->value_len };
	struct codec_port *codec = c->desk->codec(c->desk, e);
	struct message *m = NULL;

	if (kind == MESSAGE_UNSET)
		err_set(e, ERR_REFUSED, 0, "origin", "none of our programs reads its topic");
	else if (codec)
		codec->decode(codec, kind, &record, &m, e);
	return m;
}

static void show_json(struct ctl *c, const struct letter *l, const struct message *meaning, const struct err *e)
{
	struct js j = { .out = &c->out, .lines = 2 };
	const struct dead_letter *d = &l->message->dead_letter;
	const unsigned char *bytes = d->value;
	struct buf hex;

	buf_init(&hex, 4 * RECORD_MAX_BYTES);
	for (size_t i = 0; i < d->value_len; i++)
		buf_printf(&hex, "%02x", bytes[i]);
	js_object(&j, NULL);
	js_number(&j, "version", 1);
	letter_json(&j, l);
	js_text(&j, "value_hex", buf_text(&hex));
	if (meaning)
		message_json(&j, "value", meaning);
	else
		js_text(&j, "undecodable", e->text);
	js_close(&j);
	buf_done(&hex);
}

static void show_words(struct ctl *c, const struct letter *l, const struct message *meaning, const struct err *e)
{
	const struct dead_letter *d = &l->message->dead_letter;
	struct js j = { .out = &c->out, .lines = 1 };
	char time[LOG_TIME_TEXT], id[LETTER_ID_TEXT];

	log_time_text(d->at_ms, time);
	buf_printf(&c->out, "%s: ", d->reason_code);
	human_text(&c->out, d->reason, strlen(d->reason));
	buf_printf(&c->out, "\ntopic   %s\norigin  %s partition %d offset %lld\nat      %s\nkey     ",
		topic_name(l->at.topic), d->origin_topic, d->origin_partition, (long long)d->origin_offset, time);
	human_text(&c->out, d->key ? d->key : "", d->key_len);
	buf_printf(&c->out, "\nvalue   %lld bytes", (long long)d->value_size);
	if (d->value_size > (int64_t)d->value_len)
		buf_printf(&c->out, ", of which the first %zu were kept", d->value_len);
	buf_add_text(&c->out, "\n\n");
	dump(&c->out, d->value, d->value_len);
	buf_add_text(&c->out, "\n");
	if (meaning)
		message_json(&j, NULL, meaning);
	else
		buf_printf(&c->out, "It does not decode: %s\n", e->text);
	if (letter_may_return(letter_origin(d)))
		buf_printf(&c->out, "\nNext: sandboxctl dead-letter requeue %s\n", letter_id(l, id));
	else
		buf_printf(&c->out, "\nNext: sandboxctl dead-letter park %s --to FILE\n", letter_id(l, id));
}

int cmd_dead_letter_show(struct ctl *c)
{
	struct letter l;
	struct err e = { 0 };
	struct message *meaning;
	int rc = find(c, &l);

	if (rc)
		return rc;
	meaning = meaning_of(c, &l.message->dead_letter, &e);
	if (c->format == CTL_JSON)
		show_json(c, &l, meaning, &e);
	else
		show_words(c, &l, meaning, &e);
	message_free(&meaning);
	message_free(&l.message);
	return CTL_OK;
}

/* ---- requeue ---- */

struct origin { /* the record a letter came from, as it still lies in its topic */
	struct ctl *c;
	struct bus_position wanted;
	struct bus_header headers[BUS_HEADERS_MAX];
	size_t header_count;
	long hops;
	bool found;
};

static void keep_header(struct origin *o, const struct bus_header *h)
{
	char text[8] = "";

	if (strcmp(h->name, hops_header) == 0) {
		memcpy(text, h->value, h->len < sizeof text - 1 ? h->len : sizeof text - 1);
		o->hops = strtol(text, NULL, 10);
		return;
	}
	if (o->header_count == BUS_HEADERS_MAX - 1) /* one place is for our own */
		return;
	o->headers[o->header_count] = (struct bus_header){ arena_text(o->c->mem, h->name, strlen(h->name)),
		arena_text(o->c->mem, h->value ? h->value : "", h->len), h->len };
	o->header_count += o->headers[o->header_count].name && o->headers[o->header_count].value;
}

static bool take_origin(void *arg, const struct bus_record *record)
{
	struct origin *o = arg;

	o->found = record->at.offset == o->wanted.offset;
	for (size_t i = 0; o->found && i < record->header_count; i++)
		keep_header(o, &record->headers[i]);
	return false;
}

/* Its headers may say which schema it was written with, and how often it was requeued. */
static void look_at_origin(struct ctl *c, const struct dead_letter *d, enum topic topic, struct origin *o)
{
	struct desk_read what = { .partition = d->origin_partition, .offset = d->origin_offset,
		.within_ms = READ_WITHIN_MS };
	struct err e = { 0 };

	what.topics[topic] = true;
	*o = (struct origin){ .c = c, .wanted = { topic, d->origin_partition, d->origin_offset } };
	c->desk->read(c->desk, &what, take_origin, o, &e);
	if (!o->found)
		ctl_talk(c, "The record it came from is gone: it is sent without its headers.");
}

static bool may_requeue(const struct dead_letter *d, enum topic topic, struct err *e)
{
	if (!letter_may_return(topic))
		return err_set(e, ERR_REFUSED, 0, "requeue", "its topic %.60s takes no requests, replays or controls",
			d->origin_topic);
	if (!d->value || d->value_size > (int64_t)d->value_len)
		return err_set(e, ERR_REFUSED, 0, "requeue", "its bytes were not all kept");
	return true;
}

static bool send_again(struct ctl *c, const struct dead_letter *d, enum topic topic, struct origin *o, struct err *e)
{
	struct bus_message m = { .topic = topic, .key = d->key, .value = d->value, .key_len = d->key_len,
		.value_len = d->value_len, .header_count = o->header_count };
	char hops[24];

	snprintf(hops, sizeof hops, "%ld", o->hops + 1);
	memcpy(m.headers, o->headers, sizeof m.headers);
	m.headers[m.header_count++] = (struct bus_header){ hops_header, hops, strlen(hops) };
	return args_has(&c->args, "dry-run") || c->desk->publish(c->desk, &m, e);
}

static void print_requeued(struct ctl *c, const struct letter *l, enum topic topic, long hops)
{
	bool sent = !args_has(&c->args, "dry-run");
	struct js j = { .out = &c->out, .lines = 1 };

	if (c->format == CTL_JSON) {
		js_object(&j, NULL);
		js_number(&j, "version", 1);
		js_flag(&j, "sent", sent);
		js_text(&j, "topic", topic_name(topic));
		js_number(&j, "value_bytes", (int64_t)l->message->dead_letter.value_len);
		js_number(&j, "hops", hops);
		js_close(&j);
		return;
	}
	buf_printf(&c->out, "%s %zu bytes to %s, time %ld of %d\n", sent ? "Sent" : "Would send",
		l->message->dead_letter.value_len, topic_name(topic), hops, HOPS_MAX);
}

static int requeue(struct ctl *c, const struct letter *l)
{
	const struct dead_letter *d = &l->message->dead_letter;
	enum topic topic = letter_origin(d);
	struct err e = { 0 };
	struct origin origin;

	if (!may_requeue(d, topic, &e)) {
		ctl_fail(c, &e);
		return CTL_CONFLICT;
	}
	look_at_origin(c, d, topic, &origin);
	if (origin.hops >= HOPS_MAX) {
		ctl_talk(c, "sandboxctl: it was requeued %ld times already; park it, or send a new request",
			 origin.hops);
		return CTL_CONFLICT;
	}
	if (!send_again(c, d, topic, &origin, &e))
		return ctl_fail(c, &e);
	print_requeued(c, l, topic, origin.hops + 1);
	return CTL_OK;
}

int cmd_dead_letter_requeue(struct ctl *c)
{
	struct letter l;
	int rc = find(c, &l);

	if (rc)
		return rc;
	rc = requeue(c, &l);
	message_free(&l.message);
	return rc;
}

/* ---- park ---- */

static bool save_note(struct ctl *c, const char *path, const struct letter *l, struct err *e)
{
	struct buf note;
	struct js j = { .out = &note, .lines = 1 };
	char *name = arena_printf(c->mem, "%s.json", path);
	bool ok;

	buf_init(&note, 64 * 1024);
	js_object(&j, NULL);
	js_number(&j, "version", 1);
	letter_json(&j, l);
	js_time(&j, "parked_at", c->now_ms);
	js_text(&j, "parked_by", ctl_asker(c));
	js_close(&j);
	ok = name && !note.failed && c->desk->save(c->desk, name, note.data, note.len, e);
	buf_done(&note);
	return ok || err_set(e, ERR_TRANSIENT, 0, "park", "there is no memory for the note");
}

int cmd_dead_letter_park(struct ctl *c)
{
	const char *path = args_text(&c->args, "to");
	struct err e = { 0 };
	struct letter l;
	int rc;

	if (!path) {
		ctl_talk(c, "sandboxctl: dead-letter park needs --to FILE");
		return CTL_USAGE;
	}
	rc = find(c, &l);
	if (rc)
		return rc;
	if (!c->desk->save(c->desk, path, l.message->dead_letter.value ? l.message->dead_letter.value : "",
	    l.message->dead_letter.value_len, &e) || !save_note(c, path, &l, &e))
		rc = ctl_fail(c, &e);
	else
		ctl_talk(c,
			 "Parked in %s; %s.json says where it came from. It stays in the topic until that forgets it.",
			 path, path);
	message_free(&l.message);
	return rc;
}
