/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/ctl/pace.h"

#include "consumer/ctl/human.h"

#include <string.h>

enum { SAMPLES_MIN = 2, SAMPLE_MS_MIN = 200 };

static void look_at_step(struct step_pace *p, const struct step_note *note)
{
	if (!note->at_ms || note->at_ms <= p->at_ms)
		return;
	if (!p->at_ms || note->rows < p->rows) { /* or it was begun again */
		p->first_rows = note->rows;
		p->first_at_ms = note->at_ms;
		p->samples = 0;
	} else if (note->rows > p->rows && note->at_ms - p->at_ms >= SAMPLE_MS_MIN) {
		p->rates[p->samples++ % PACE_RATES] = (double)(note->rows - p->rows) / (double)(note->at_ms - p->at_ms);
	}
	p->rows = note->rows;
	p->at_ms = note->at_ms;
}

void pace_look(struct pace *p, const struct sight *s)
{
	for (int i = 0; i < STEP_END; i++)
		look_at_step(&p->steps[i], &s->notes[i]);
}

/* Rows that the copy moves, or moved; 0 not known. */
static int64_t rows_of(const struct sight *s)
{
	const struct step_note *note = &s->notes[STEP_copy_database];

	return note->rows > note->rows_total || (s->done & STEP_BIT(STEP_copy_database)) ? note->rows : note->rows_total;
}

void pace_earlier(struct pace *p, const struct sight *earlier, bool same_source)
{
	int64_t took_ms = earlier->snap.ended_at_ms - earlier->snap.started_at_ms;

	if (earlier->snap.status != CLONE_COMPLETED || earlier->snap.run != 1 || earlier->snap.started_at_ms <= 0 ||
	    took_ms <= 0 || p->earlier_count == PACE_EARLIER_MAX)
		return;
	p->earlier[p->earlier_count].rows = rows_of(earlier);
	p->earlier[p->earlier_count].took_ms = took_ms;
	p->earlier[p->earlier_count++].same_source = same_source;
}

/* Of that size: at most twice as large or half as large. */
static bool is_like(const struct pace *p, size_t i, int64_t rows)
{
	int64_t others = p->earlier[i].rows;

	if (rows <= 0 || others <= 0)
		return p->earlier[i].same_source;
	return others / 2 <= rows && rows / 2 <= others;
}

/* The middle half of them, in order: one burst or one hitch is not how fast it goes. */
static void middle_rates(const struct step_pace *pace, double *slowest_r, double *fastest_r)
{
	int count = pace->samples < PACE_RATES ? pace->samples : PACE_RATES;
	double sorted[PACE_RATES];

	for (int i = 0; i < count; i++) {
		int at = i;

		for (; at > 0 && sorted[at - 1] > pace->rates[i]; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = pace->rates[i];
	}
	*slowest_r = sorted[count / 4];
	*fastest_r = sorted[count - 1 - count / 4];
}

struct time_left pace_of_step(const struct pace *p, const struct sight *s, enum step_id step)
{
	const struct step_pace *pace = &p->steps[step];
	const struct step_note *note = &s->notes[step];
	double rest = (double)(note->rows_total - note->rows), mean, slowest, fastest;

	if (pace->samples < SAMPLES_MIN || note->rows_total <= 0 || rest < 0 || !(s->running & STEP_BIT(step)) ||
	    note->text[0] || sight_still_ms(s, step))
		return (struct time_left){ .is_known = false };
	mean = (double)(pace->rows - pace->first_rows) / (double)(pace->at_ms - pace->first_at_ms);
	middle_rates(pace, &slowest, &fastest);
	slowest = mean < slowest ? mean : slowest;
	fastest = mean > fastest ? mean : fastest;
	return (struct time_left){ true, (int64_t)(rest / fastest), (int64_t)(rest / slowest), 0 };
}

struct time_left pace_of_clone(const struct pace *p, const struct sight *s, int64_t now_ms)
{
	int64_t elapsed_ms = sight_elapsed_ms(s, now_ms), rows = rows_of(s), shortest_ms = INT64_MAX, longest_ms = 0;
	struct time_left left = { 0 };

	for (size_t i = 0; i < p->earlier_count; i++) {
		int64_t took_ms = p->earlier[i].took_ms;

		if (!is_like(p, i, rows))
			continue;
		shortest_ms = took_ms < shortest_ms ? took_ms : shortest_ms;
		longest_ms = took_ms > longest_ms ? took_ms : longest_ms;
		left.by++;
	}
	left.is_known = left.by > 0 && elapsed_ms < longest_ms && s->snap.run == 1 && s->snap.status == CLONE_RUNNING;
	left.least_ms = shortest_ms > elapsed_ms ? shortest_ms - elapsed_ms : 0;
	left.most_ms = longest_ms - elapsed_ms;
	return left;
}

void pace_print(struct buf *out, const struct time_left *left)
{
	if (left->most_ms - left->least_ms > left->most_ms / 10) {
		human_duration(out, left->least_ms / 1000 * 1000);
		buf_add_text(out, " to ");
	}
	human_duration(out, (left->most_ms + 999) / 1000 * 1000);
}
