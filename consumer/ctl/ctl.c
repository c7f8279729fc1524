/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/ctl/ctl.h"

#include "consumer/ctl/message_json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORY_MAX = 512 * 1024 * 1024, OUT_MAX = 256 * 1024 * 1024, TALK_MAX = 2048, ANSWER_MAX = 128 };

/* ---- talking ---- */

void ctl_flush(struct ctl *c)
{
	if (c->out.len)
		c->desk->write(c->desk, DESK_OUT, c->out.data, c->out.len);
	buf_clear(&c->out);
}

void ctl_talk(struct ctl *c, const char *fmt, ...)
{
	char line[TALK_MAX];
	va_list ap;
	int n;

	ctl_flush(c);
	va_start(ap, fmt);
	n = vsnprintf(line, sizeof line - 1, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if (n > (int)sizeof line - 2)
		n = (int)sizeof line - 2;
	line[n] = '\n';
	c->desk->write(c->desk, DESK_TALK, line, (size_t)n + 1);
}

enum ctl_exit ctl_exit_for(const struct err *e)
{
	if (e->code == ERR_CODE_AUTH)
		return CTL_AUTH;
	if (e->code == ERR_CODE_ABORTED)
		return CTL_INTERRUPTED;
	switch (e->class) {
	case ERR_TRANSIENT:
	case ERR_UNSURE:
		return CTL_UNAVAILABLE;
	case ERR_REFUSED:
		return CTL_USAGE;
	default:
		return CTL_FAILED;
	}
}

int ctl_fail(struct ctl *c, const struct err *e)
{
	if (e->code != ERR_CODE_ABORTED)
		ctl_talk(c, "sandboxctl: %s", e->text);
	return (int)ctl_exit_for(e);
}

int ctl_confirm(struct ctl *c, const char *what, const char *word)
{
	char question[512], answer[ANSWER_MAX];

	if (args_has(&c->args, "yes"))
		return CTL_OK;
	if (args_has(&c->args, "no-input") || !c->desk->is_terminal(c->desk, DESK_IN)) {
		ctl_talk(c, "sandboxctl: %s. Add --yes when that is meant.", what);
		return CTL_USAGE;
	}
	ctl_flush(c);
	snprintf(question, sizeof question, "%s. Type %s to go on: ", what, word);
	if (c->desk->ask(c->desk, question, answer, sizeof answer) && strcmp(answer, word) == 0)
		return CTL_OK;
	ctl_talk(c, "sandboxctl: not confirmed; nothing was sent");
	return c->desk->interrupted(c->desk) ? CTL_INTERRUPTED : CTL_USAGE;
}

const char *ctl_asker(struct ctl *c)
{
	const char *given = args_text(&c->args, "requested-by"), *user = c->desk->environment(c->desk, "USER");

	return given ? given : *user ? user : "sandboxctl";
}

/* ---- sending ---- */

static void show_message(struct ctl *c, const struct bus_message *m, const struct message *meaning)
{
	struct js j = { .out = &c->out, .lines = 2 };

	js_object(&j, NULL);
	js_number(&j, "version", 1);
	js_flag(&j, "sent", false);
	js_text(&j, "topic", topic_name(m->topic));
	js_bytes(&j, "key", m->key, m->key_len);
	js_object(&j, "headers");
	for (size_t i = 0; i < m->header_count; i++)
		js_bytes(&j, m->headers[i].name, m->headers[i].value, m->headers[i].len);
	js_close(&j);
	js_number(&j, "value_bytes", (int64_t)m->value_len);
	message_json(&j, "value", meaning);
	js_close(&j);
}

bool ctl_send(struct ctl *c, const struct message *m, enum topic topic, const char *key, const char *traceparent,
              struct err *e)
{
	struct codec_port *codec = c->desk->codec(c->desk, e);
	struct bus_message out = { .topic = topic, .key = key, .key_len = strlen(key) };
	struct buf value;
	bool ok;

	if (!codec)
		return false;
	buf_init(&value, RECORD_MAX_BYTES);
	ok = codec->encode(codec, m, &value, e) &&
		codec->headers(codec, m, traceparent, c->mem, out.headers, &out.header_count, e);
	if (ok) {
		out.value = value.data + codec->unsaid_bytes;
		out.value_len = value.len - codec->unsaid_bytes;
	}
	if (ok && args_has(&c->args, "dry-run"))
		show_message(c, &out, m);
	else if (ok)
		ok = c->desk->publish(c->desk, &out, e);
	buf_done(&value);
	return ok;
}

/* ---- one call ---- */

bool ctl_configure(struct ctl *c, struct err *e)
{
	c->now_ms = c->desk->utc_ms(c->desk);
	return c->desk->configure(c->desk, args_text(&c->args, "config"), e);
}

static bool wants_colors(struct ctl *c)
{
	const char *when = args_text(&c->args, "color"), *terminal = c->desk->environment(c->desk, "TERM");

	if (when && strcmp(when, "auto") != 0)
		return strcmp(when, "always") == 0;
	return c->desk->is_terminal(c->desk, DESK_OUT) && !*c->desk->environment(c->desk, "NO_COLOR") && *terminal &&
	       strcmp(terminal, "dumb") != 0;
}

static bool speaks_utf8(struct ctl *c)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *value = c->desk->environment(c->desk, names[i]);

		if (*value)
			return strstr(value, "UTF-8") || strstr(value, "utf8") || strstr(value, "UTF8");
	}
	return false;
}

static enum ctl_format format_of(const struct args *a)
{
	static const char *const names[] = { "table", "json", "jsonl", "ids", "mermaid" };
	const char *name = args_text(a, "output");

	for (int i = 0; name && i < (int)(sizeof names / sizeof *names); i++)
		if (strcmp(name, names[i]) == 0)
			return (enum ctl_format)i;
	return CTL_TABLE;
}

static int help_for(struct ctl *c)
{
	if (c->args.command)
		help_command(c->args.command, &c->out);
	else if (*c->args.noun)
		help_noun(c->args.noun, &c->out);
	else
		help_overview(&c->out);
	return CTL_OK;
}

static int run(struct ctl *c, int argc, const char *const *argv)
{
	struct err e = { 0 };

	if (!args_read(&c->args, argc, argv, &e))
		return ctl_fail(c, &e);
	if (c->args.help)
		return help_for(c);
	if (!c->args.command) {
		help_for(c);
		c->desk->write(c->desk, DESK_TALK, c->out.data, c->out.len);
		buf_clear(&c->out);
		return CTL_USAGE;
	}
	c->format = format_of(&c->args);
	c->titles = !args_has(&c->args, "no-headers");
	c->colors = wants_colors(c);
	c->utf8 = speaks_utf8(c);
	return c->args.command->run(c);
}

int ctl_main(struct desk_port *desk, int argc, char *const *argv)
{
	struct ctl *c = calloc(1, sizeof *c);
	int rc = CTL_UNAVAILABLE;

	if (!c)
		return rc;
	c->desk = desk;
	c->mem = arena_new(MEMORY_MAX);
	buf_init(&c->out, OUT_MAX);
	if (c->mem)
		rc = run(c, argc, (const char *const *)argv);
	if (c->out.failed)
		ctl_talk(c, "sandboxctl: there is more to print than fits into memory");
	ctl_flush(c);
	buf_done(&c->out);
	arena_free(&c->mem);
	free(c);
	return rc;
}
