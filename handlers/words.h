/* SPDX-License-Identifier: Apache-2.0
 * The words the handlers are written in: look, act, look again, and short forms of the SQL port. */
#ifndef SANDBOX_WORDS_H
#define SANDBOX_WORDS_H

#include "handlers/step.h"

/* Says in *so_r whether the world already is as the step wants it; false with c->err filled when it cannot tell. */
typedef bool look_fn(struct step_ctx *c, bool *so_r);
/* Makes it so; false with c->err filled. */
typedef bool act_fn(struct step_ctx *c);

/* The form of most handlers: looks; when it is not so, acts and looks again. An act that did not take is TRANSIENT.
 * Sets c->acted before acting. */
enum step_outcome step_look_act(struct step_ctx *c, look_fn *look, act_fn *act);
/* The same for a step whose second look, right after the world took its act, may be content with less. */
enum step_outcome step_look_act_look(struct step_ctx *c, look_fn *look, act_fn *act, look_fn *look_again);

/* It is so: DONE when this run changed something, ALREADY otherwise. */
enum step_outcome step_so(const struct step_ctx *c);

/* False, with c->err TRANSIENT, once the engine wants the step to end: ask before each effect. */
bool step_may_act(struct step_ctx *c);

/* Text in the step's arena; NULL with c->err filled when the arena is used up. */
const char *step_text(struct step_ctx *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void *step_take(struct step_ctx *c, size_t size_bytes);
/* Now, as the database writes its times: "2026-08-01 10:15:00" in UTC; NULL as step_text. */
const char *step_now(struct step_ctx *c, int64_t minus_ms);

/* Shows people how far a pass over the tables is. */
void step_pages(struct step_ctx *c, const struct sql_pages *pages);

/* Shows people what a step that goes over no tables is at: "copying". */
void step_is_at(struct step_ctx *c, const char *what);

/* One table more that the step went over, for c->tables: the largest come first. No table is added twice. */
void step_table_add(struct step_ctx *c, const struct step_table *table);

/* ---- values of statements: SQL_ARGS(sql_text("name", text), sql_number("id", 7)) ---- */

struct sql_arg sql_text(const char *name, const char *text); /* NULL text is SQL NULL */
struct sql_arg sql_number(const char *name, int64_t number);
#define SQL_ARGS(...)                                                                                                  \
	((struct sql_args){ sizeof(struct sql_arg[]){ __VA_ARGS__ } / sizeof(struct sql_arg), { __VA_ARGS__ } })

/* The first number of a statement on the generation. */
bool ask_number(struct step_ctx *c, const char *statement, const struct sql_args *args, int64_t *number_r);
/* First column of every row of a statement on the generation, without NULLs; in the step's arena. */
struct texts {
	const char **text;
	size_t count, size;
};
bool ask_texts(struct step_ctx *c, const char *statement, struct texts *texts_r);
/* One change of the generation, with stamp check and ledger row; its rows are added to c->rows. */
bool change(struct step_ctx *c, const char *statement, const struct sql_args *args);
/* Several changes in one transaction. */
bool change_all(struct step_ctx *c, const struct sql_change *changes, size_t count);

/* ---- rows that steps add: keys come from the table `sequence`, hashes from the seal ---- */

/* The next free key of a table of the generation, from `sequence` or beyond the greatest key, whichever is more. */
bool key_next(struct step_ctx *c, const char *table, const char *key, int64_t *key_r);
/* The change that moves `sequence` past the keys used; goes into the same change_all as the insert. */
struct sql_change key_used(const char *table, const char *key);

/* encryptedCheck of a row: sealed over the target's name and the parts, so that a copied row never fits. */
#define ROW_SEAL(c, out_r, ...)                                                                                        \
	row_seal(c, out_r, (const char *const[]){ __VA_ARGS__ },                                                       \
		 sizeof(const char *const[]){ __VA_ARGS__ } / sizeof(const char *))
bool row_seal(struct step_ctx *c, char out_r[SEAL_TEXT], const char *const *parts, size_t count);

#endif
