/* SPDX-License-Identifier: Apache-2.0
 * A desk of a test's own: what is written, sent and asked is kept; what is there is what the test put there. The codec
 * is the real one. */
#ifndef SANDBOX_TEST_CTL_DESK_H
#define SANDBOX_TEST_CTL_DESK_H

#include "consumer/adapters/avro/avro_codec.h"
#include "consumer/adapters/http/json_request.h"
#include "consumer/core/snapshot.h"
#include "consumer/ctl/ctl.h"
#include "handlers/masking/masking.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FAKE_RECORDS = 64, FAKE_CLONES = 8, FAKE_FIELDS = SNAPSHOT_PAIRS_MAX + 2 };

#define FAKE_NOW ((int64_t)1795382400000)
#define FAKE_ID  "01a2051c-c2c9-7e51-a205-823376bdf438"

struct fake_record { /* in a topic */
	struct bus_position at;
	struct buf value;
	char key[64];
	char hops[8];
};

struct fake_clone {
	const char *id, *target;
	struct snapshot_fields fields;
	struct store_pair pairs[FAKE_FIELDS];
	size_t pair_count;
	struct store_pair notes[4];
	size_t note_count;
	struct buf request;
};

struct fake {
	struct desk_port port; /* first */
	struct inspect_port store;
	struct codec_port *codec;
	struct clock_port clock;
	struct config *config;
	struct buf out, talk, file, saved;
	void (*spoil_topics)(struct topic_facts *topics);
	int topics_changed, new_replicas;
	bool terminal[3], interrupted, no_store, no_brokers, unsure, bad_clock;
	int columns, rows;
	int64_t now_ms, interrupt_at_ms;
	const char *answer, *no_color, *term;
	struct fake_clone clones[FAKE_CLONES]; /* newest first */
	size_t clone_count;
	void (*on_sleep)(struct fake *f); /* the world goes on while somebody waits */
	struct inspect_lease lease;
	struct inspect_health health;
	struct fake_record records[FAKE_RECORDS];
	size_t record_count;
	struct fake_record sent; /* what was published last */
	int sent_count, orphans;
	int http_status;
	struct deliveries_port *deliveries; /* NULL: none can be had */
	const struct tenant_row *tenants; /* NULL: the state API does not answer */
	size_t tenant_count;
	int64_t tenants_changed;
	int tenants_asked;
	bool (*on_trial)(struct fake *f, const struct desk_trial *trial, struct post_result *result_r, bool *signed_r);
};

static inline struct fake *fake_of(struct desk_port *port)
{
	return (struct fake *)port;
}

/* ---- the terminal ---- */

static inline void fake_write(struct desk_port *self, enum desk_stream to, const char *text, size_t len)
{
	buf_add(to == DESK_OUT ? &fake_of(self)->out : &fake_of(self)->talk, text, len);
}

static inline bool fake_is_terminal(struct desk_port *self, enum desk_stream which)
{
	return fake_of(self)->terminal[which];
}

static inline void fake_screen(struct desk_port *self, int *columns_r, int *rows_r)
{
	*columns_r = fake_of(self)->columns;
	*rows_r = fake_of(self)->rows;
}

static inline bool fake_ask(struct desk_port *self, const char *question, char *answer_r, size_t size)
{
	buf_add_text(&fake_of(self)->talk, question);
	snprintf(answer_r, size, "%s", fake_of(self)->answer ? fake_of(self)->answer : "");
	return fake_of(self)->answer != NULL;
}

static inline const char *fake_environment(struct desk_port *self, const char *name)
{
	const char *value = strcmp(name, "NO_COLOR") == 0 ? fake_of(self)->no_color :
		strcmp(name, "TERM") == 0 ? fake_of(self)->term : strcmp(name, "LANG") == 0 ? "C.UTF-8" :
		strcmp(name, "USER") == 0 ? "olga" : NULL;

	return value ? value : "";
}

static inline bool fake_interrupted(struct desk_port *self)
{
	struct fake *f = fake_of(self);

	return f->interrupted || (f->interrupt_at_ms && f->now_ms >= f->interrupt_at_ms);
}

static inline void fake_sleep(struct desk_port *self, int64_t ms)
{
	fake_of(self)->now_ms += ms;
	if (fake_of(self)->on_sleep)
		fake_of(self)->on_sleep(fake_of(self));
}

static inline int64_t fake_utc_ms(struct desk_port *self)
{
	return fake_of(self)->now_ms;
}

static inline int64_t fake_clock_ms(struct clock_port *clock)
{
	(void)clock;
	return FAKE_NOW;
}

static inline bool fake_new_id(struct desk_port *self, char id_r[DESK_ID_TEXT], struct err *e)
{
	(void)self;
	(void)e;
	snprintf(id_r, DESK_ID_TEXT, "%s", FAKE_ID);
	return true;
}

static inline bool fake_load(struct desk_port *self, const char *path, struct buf *content, struct err *e)
{
	if (strcmp(path, "request.json") != 0)
		return err_set(e, ERR_REFUSED, 0, "file", "%s is not there", path);
	return buf_add(content, fake_of(self)->file.data, fake_of(self)->file.len);
}

static inline bool fake_save(struct desk_port *self, const char *path, const void *data, size_t len, struct err *e)
{
	(void)e;
	buf_printf(&fake_of(self)->saved, "<%s>", path);
	return buf_add(&fake_of(self)->saved, data, len);
}

static inline bool fake_parse(struct desk_port *self, const struct buf *json, struct arena *mem,
                              struct clone_request *request, struct err *e)
{
	(void)self;
	return json_request_read(json, mem, request, e);
}

/* ---- configuration and systems ---- */

static inline bool fake_configure(struct desk_port *self, const char *path, struct err *e)
{
	(void)self;
	return !path || err_set(e, ERR_REFUSED, 0, "config", "there is no file %s", path);
}

static inline const struct config *fake_config(struct desk_port *self)
{
	return fake_of(self)->config;
}

static inline const char *fake_config_path(struct desk_port *self)
{
	(void)self;
	return "";
}

static inline struct request_rules fake_rules(struct desk_port *self)
{
	(void)self;
	return (struct request_rules){ .domain_check = mask_domain_check };
}

static inline struct inspect_port *fake_inspect(struct desk_port *self, struct err *e)
{
	struct fake *f = fake_of(self);

	if (!f->no_store)
		return &f->store;
	err_set(e, ERR_TRANSIENT, 0, "redis", "cannot connect to Redis");
	return NULL;
}

/* Those of the name, all by the same change; the even ones are stuck. */
static inline bool fake_tenants(struct desk_port *self, const struct desk_tenants *what, desk_tenant_fn *fn, void *arg,
				struct err *e)
{
	struct fake *f = fake_of(self);

	f->tenants_asked++;
	if (!f->tenants)
		return err_set(e, ERR_TRANSIENT, 0, "tenant", "the state API does not answer");
	for (size_t i = 0; i < f->tenant_count; i++)
		if ((!*what->ctx || strcmp(what->ctx, f->tenants[i].ctx) == 0) && (!what->only_stuck || i % 2 == 0) &&
		    f->tenants_changed > what->changed_after)
			fn(arg, &f->tenants[i], f->tenants_changed, i % 2 == 0);
	return true;
}

static inline struct deliveries_port *fake_deliveries(struct desk_port *self, struct err *e)
{
	if (!fake_of(self)->deliveries)
		err_set(e, ERR_TRANSIENT, 0, "redis", "cannot connect to Redis");
	return fake_of(self)->deliveries;
}

static inline bool fake_try_partner(struct desk_port *self, const struct desk_trial *trial, struct post_result *result_r,
                                    bool *signed_r, struct err *e)
{
	struct fake *f = fake_of(self);

	return (f->on_trial && f->on_trial(f, trial, result_r, signed_r)) ||
	       err_set(e, ERR_REFUSED, 0, "partner", "%s has not approved that app", trial->ctx);
}

static inline struct codec_port *fake_codec(struct desk_port *self, struct err *e)
{
	(void)e;
	return fake_of(self)->codec;
}

static inline bool fake_publish(struct desk_port *self, const struct bus_message *m, struct err *e)
{
	struct fake *f = fake_of(self);

	if (f->no_brokers)
		return err_set(e, ERR_TRANSIENT, 0, "kafka", "no broker answers");
	f->sent_count++;
	f->sent.at.topic = m->topic;
	snprintf(f->sent.key, sizeof f->sent.key, "%.*s", (int)m->key_len, (const char *)m->key);
	f->sent.hops[0] = '\0';
	for (size_t i = 0; i < m->header_count; i++)
		if (strcmp(m->headers[i].name, "sandbox-hops") == 0)
			snprintf(f->sent.hops, sizeof f->sent.hops, "%.*s", (int)m->headers[i].len,
				(const char *)m->headers[i].value);
	buf_clear(&f->sent.value);
	buf_add(&f->sent.value, m->value, m->value_len);
	return !f->unsure || err_set(e, ERR_UNSURE, 0, "kafka", "nobody said");
}

static inline bool fake_read(struct desk_port *self, const struct desk_read *what, desk_record_fn *fn, void *arg,
                             struct err *e)
{
	struct fake *f = fake_of(self);

	if (f->no_brokers)
		return err_set(e, ERR_TRANSIENT, 0, "kafka", "no broker answers");
	for (size_t i = 0; i < f->record_count; i++) {
		const struct fake_record *r = &f->records[i];
		struct bus_record record = { .at = r->at,
					     .key = r->key,
					     .key_len = strlen(r->key),
					     .value = r->value.data,
					     .value_len = r->value.len };

		if (r->hops[0])
			record.headers[record.header_count++] =
			    (struct bus_header){ "sandbox-hops", r->hops, strlen(r->hops) };
		if (!what->topics[r->at.topic] || (what->partition >= 0 && r->at.partition != what->partition) ||
		    r->at.offset < what->offset)
			continue;
		if (!fn(arg, &record))
			return true;
	}
	while (what->follow && fn(arg, NULL))
		;
	return true;
}

/* ---- the store ---- */

static inline struct fake *fake_of_store(struct inspect_port *store)
{
	return (struct fake *)((char *)store - offsetof(struct fake, store));
}

static inline struct inspect_clone fake_view(const struct fake_clone *c)
{
	return (struct inspect_clone){ .clone_id = c->id, .target_ctx = c->target, .requested_at_ms = FAKE_NOW - 60000,
		.fields = c->pairs, .field_count = c->pair_count, .note = c->notes, .note_count = c->note_count };
}

static inline bool fake_list(struct inspect_port *self, size_t limit, struct arena *mem,
                             const struct inspect_clone **clones_r, size_t *count_r, struct err *e)
{
	struct fake *f = fake_of_store(self);
	struct inspect_clone *clones = arena_take(mem, sizeof *clones * FAKE_CLONES);

	(void)e;
	*count_r = f->clone_count < limit ? f->clone_count : limit;
	for (size_t i = 0; i < *count_r; i++)
		clones[i] = fake_view(&f->clones[i]);
	*clones_r = clones;
	return true;
}

static inline bool fake_clone_of(struct inspect_port *self, const char *id, struct arena *mem,
                                 struct inspect_clone *clone_r, struct err *e)
{
	struct fake *f = fake_of_store(self);

	(void)mem;
	for (size_t i = 0; i < f->clone_count; i++)
		if (strncmp(f->clones[i].id, id, strlen(id)) == 0) {
			*clone_r = fake_view(&f->clones[i]);
			return true;
		}
	return err_set(e, ERR_REFUSED, 0, "redis", "no clone is known whose id begins with %s", id);
}

static inline bool fake_lease(struct inspect_port *self, const char *target, struct arena *mem,
                              struct inspect_lease *lease_r, struct err *e)
{
	(void)target;
	(void)mem;
	(void)e;
	*lease_r = fake_of_store(self)->lease;
	return true;
}

static inline bool fake_health(struct inspect_port *self, struct arena *mem, struct inspect_health *health_r,
                               struct err *e)
{
	(void)mem;
	(void)e;
	*health_r = fake_of_store(self)->health;
	return true;
}

/* ---- looks ---- */

static inline bool fake_brokers(struct desk_port *self, struct desk_brokers *brokers_r, struct err *e)
{
	if (fake_of(self)->no_brokers)
		return err_set(e, ERR_TRANSIENT, 0, "kafka", "no broker answers");
	brokers_r->brokers = 3;
	for (int t = TOPIC_REQUESTED; t < TOPIC_END; t++)
		brokers_r->topics[t] = (struct topic_facts){ true, 4, 3, 3, 0, { "" } };
	return true;
}

/* As `topics apply` would have made them, with what the test changes. */
static inline bool fake_topics(struct desk_port *self, struct desk_brokers *brokers_r, struct err *e)
{
	struct fake *f = fake_of(self);

	if (!fake_brokers(self, brokers_r, e))
		return false;
	for (enum topic t = TOPIC_REQUESTED; t < TOPIC_END; t++)
		for (enum topic_setting s = TOPIC_CLEANUP_POLICY; s < TOPIC_SETTING_END; s++)
			snprintf(brokers_r->topics[t].settings[s], TOPIC_VALUE_MAX, "%s", topic_standard(t, s, 3));
	if (f->spoil_topics)
		f->spoil_topics(brokers_r->topics);
	return true;
}

static inline bool fake_change_topics(struct desk_port *self, const struct topic_change *changes, size_t count,
				      int replicas, struct err *e)
{
	struct fake *f = fake_of(self);

	f->new_replicas = replicas;
	for (size_t i = 0; i < count; i++)
		f->topics_changed += changes[i].remedy != TOPIC_BY_HAND;
	return !f->unsure || err_set(e, ERR_UNSURE, 0, "kafka", "the brokers did not answer in time");
}

static inline bool fake_reach(struct desk_port *self, enum desk_system system, int *http_status_r, struct err *e)
{
	(void)system;
	(void)e;
	*http_status_r = fake_of(self)->http_status;
	return true;
}

static inline bool fake_databases(struct desk_port *self, struct err *e)
{
	(void)self;
	(void)e;
	return true;
}

static inline bool fake_folder(struct desk_port *self, const char *path, struct err *e)
{
	(void)self;
	return strstr(path, "gone") == NULL || err_set(e, ERR_REFUSED, 0, "file", "%s is not there", path);
}

static inline bool fake_blobs(struct desk_port *self, struct err *e)
{
	return fake_of(self)->http_status == 404 || err_set(e, ERR_TRANSIENT, 0, "blobs", "our key is not allowed");
}

static inline bool fake_secret(struct desk_port *self, enum config_id key, struct err *e)
{
	(void)self;
	(void)key;
	return err_set(e, ERR_REFUSED, 0, "secret", "the secret file can be used by others");
}

static inline bool fake_clock_is_synchronised(struct desk_port *self)
{
	return !fake_of(self)->bad_clock;
}

static inline bool fake_survey(struct desk_port *self, sweep_fn *fn, void *arg, struct err *e)
{
	const struct sweep_found orphan = { SWEEP_ORPHAN, "Cust70001", "Cust70000", FAKE_ID, "Cust70001__gold" };
	const struct sweep_found kept = { SWEEP_PREVIOUS, "Cust70001", "Cust70000", FAKE_ID, "Cust70001" };

	if (fake_of(self)->no_brokers)
		return err_set(e, ERR_TRANSIENT, 0, "world", "nobody answers");
	for (int i = 0; i < fake_of(self)->orphans; i++)
		if (!fn(arg, &orphan, e))
			return false;
	return fn(arg, &kept, e);
}

/* ---- life ---- */

static inline void fake_init(struct fake *f)
{
	static const struct inspect_port store = { fake_list, fake_clone_of, NULL, fake_lease, fake_health, NULL };
	struct avro_codec_settings settings = { .clock = &f->clock };
	struct err e = { 0 };

	memset(f, 0, sizeof *f);
	f->port = (struct desk_port){ .write = fake_write, .is_terminal = fake_is_terminal, .screen = fake_screen,
		.ask = fake_ask, .environment = fake_environment, .interrupted = fake_interrupted, .sleep = fake_sleep,
		.utc_ms = fake_utc_ms, .new_id = fake_new_id, .load = fake_load, .save = fake_save,
		.parse_request = fake_parse, .configure = fake_configure, .config = fake_config,
		.config_path = fake_config_path, .rules = fake_rules, .domain_is_public = mask_domain_is_public,
		.inspect = fake_inspect, .deliveries = fake_deliveries, .try_partner = fake_try_partner, .tenants = fake_tenants, .codec = fake_codec, .publish = fake_publish, .read = fake_read,
		.topics = fake_topics, .change_topics = fake_change_topics,
		.brokers = fake_brokers, .reach = fake_reach, .databases = fake_databases, .folder = fake_folder, .blobs = fake_blobs,
		.secret = fake_secret, .seal = fake_databases, .clock_is_synchronised = fake_clock_is_synchronised,
		.survey = fake_survey };
	f->store = store;
	f->clock.utc_ms = fake_clock_ms;
	f->codec = avro_codec_new(&settings, &e);
	f->config = config_new();
	f->now_ms = FAKE_NOW;
	f->http_status = 404;
	f->term = "xterm";
	f->health = (struct inspect_health){ "7.0.15", "master", "noeviction", true, 20, "", "" };
	buf_init(&f->out, 1 << 20);
	buf_init(&f->talk, 1 << 20);
	buf_init(&f->file, 1 << 20);
	buf_init(&f->saved, 1 << 20);
	buf_init(&f->sent.value, 1 << 20);
	ck_assert_ptr_nonnull(f->codec);
	ck_assert_ptr_nonnull(f->config);
}

static inline void fake_done(struct fake *f)
{
	f->codec->close(f->codec);
	config_free(&f->config);
	buf_done(&f->out);
	buf_done(&f->talk);
	buf_done(&f->file);
	buf_done(&f->saved);
	buf_done(&f->sent.value);
	for (size_t i = 0; i < f->record_count; i++)
		buf_done(&f->records[i].value);
	for (size_t i = 0; i < f->clone_count; i++)
		buf_done(&f->clones[i].request);
}

/* ---- what is there ---- */

/* The snapshot as the store keeps it; at the end of the list, so the newest comes first. */
static inline struct fake_clone *fake_add_clone(struct fake *f, const char *id, const char *target,
                                                const struct clone_snapshot *s)
{
	struct fake_clone *c = &f->clones[f->clone_count++];

	c->id = id;
	c->target = target;
	buf_init(&c->request, RECORD_MAX_BYTES);
	snapshot_write(s, ALL_STEPS, &c->fields);
	memcpy(c->pairs, c->fields.pairs, c->fields.count * sizeof *c->pairs);
	c->pair_count = c->fields.count;
	return c;
}

/* Writes the snapshot again, as a consumer would. */
static inline void fake_change(struct fake_clone *c, const struct clone_snapshot *s)
{
	snapshot_write(s, ALL_STEPS, &c->fields);
	memcpy(c->pairs, c->fields.pairs, c->fields.count * sizeof *c->pairs);
	c->pair_count = c->fields.count;
}

static inline void fake_note(struct fake_clone *c, const char *slug, const char *value)
{
	c->notes[c->note_count++] = (struct store_pair){ slug, value, strlen(value) };
}

static inline struct fake_record *fake_add_record(struct fake *f, enum topic topic, int partition, int64_t offset,
                                                  const char *key, const struct message *m)
{
	struct fake_record *r = &f->records[f->record_count++];
	struct err e = { 0 };

	r->at = (struct bus_position){ topic, partition, offset };
	snprintf(r->key, sizeof r->key, "%s", key);
	buf_init(&r->value, RECORD_MAX_BYTES);
	ck_assert_msg(!m || f->codec->encode(f->codec, m, &r->value, &e), "%s", e.text);
	return r;
}

/* Runs "clone list -o json" and so on; words are split at blanks. The exit code. */
static inline int fake_run(struct fake *f, const char *line)
{
	char text[1024], *argv[64], *rest = text;
	int argc = 0;

	buf_clear(&f->out);
	buf_clear(&f->talk);
	snprintf(text, sizeof text, "%s", line);
	while (argc < 63 && (argv[argc] = strsep(&rest, " ")) != NULL)
		argc += argv[argc][0] != '\0';
	argv[argc] = NULL;
	return ctl_main(&f->port, argc, argv);
}

#define ck_has(buffer, text)                                                                                           \
	ck_assert_msg(strstr(buf_text(buffer), (text)) != NULL, "no \"%s\" in:\n%s", (text), buf_text(buffer))
#define ck_has_not(buffer, text)                                                                                       \
	ck_assert_msg(strstr(buf_text(buffer), (text)) == NULL, "\"%s\" in:\n%s", (text), buf_text(buffer))

#endif
