/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/core/plan.h"

#include <string.h>

static step_set after_of(enum plan_order order, int step)
{
	if (order == PLAN_STRICT)
		return STEP_BIT(step) - 1;
	return steps[step].after;
}

step_set plan_ready(enum plan_order order, step_set done)
{
	step_set ready = 0;

	for (int i = 0; i < STEP_END; i++)
		if (!(done & STEP_BIT(i)) && (after_of(order, i) & ~done) == 0)
			ready |= STEP_BIT(i);
	return ready;
}

/* A row comes only after earlier rows (a unit test holds the table to that), so one pass in order is enough. */
step_set plan_descendants(enum plan_order order, enum step_id step)
{
	step_set found = STEP_BIT(step);

	for (int i = (int)step + 1; i < STEP_END; i++)
		if (after_of(order, i) & found)
			found |= STEP_BIT(i);
	return found;
}

step_set plan_ancestors(enum plan_order order, enum step_id step)
{
	step_set found = STEP_BIT(step);

	for (int i = (int)step; i >= 0; i--)
		if (found & STEP_BIT(i))
			found |= after_of(order, i);
	return found;
}

static step_set counted_steps(enum documents_choice documents)
{
	step_set all = ALL_STEPS;

	if (documents == DOCUMENTS_NONE)
		all &= ~(STEP_BIT(STEP_clone_azure_documents) | STEP_BIT(STEP_clone_soarc_documents));
	return all;
}

int plan_total_steps(enum documents_choice documents)
{
	return __builtin_popcountll(counted_steps(documents));
}

int plan_counted(enum documents_choice documents, step_set done)
{
	return __builtin_popcountll(counted_steps(documents) & done);
}

/* The direct edges only: an edge that a longer way implies makes pictures unreadable. */
static step_set direct_after(enum plan_order order, int step)
{
	step_set after = after_of(order, step), direct = after;

	for (int i = 0; i < STEP_END; i++)
		if (after & STEP_BIT(i))
			direct &= ~(plan_ancestors(order, (enum step_id)i) & ~STEP_BIT(i));
	return direct;
}

static void add_slugs(step_set set, const char *open, const char *separator, const char *close, struct buf *out)
{
	const char *between = "";

	for (int i = 0; i < STEP_END; i++) {
		if (!(set & STEP_BIT(i)))
			continue;
		buf_printf(out, "%s%s%s%s", between, open, steps[i].slug, close);
		between = separator;
	}
}

static void print_text(enum plan_order order, struct buf *out)
{
	for (int i = 0; i < STEP_END; i++) {
		buf_printf(out, "%s  %-10s %-24s %-8s after ", steps[i].nn, step_phase_name(steps[i].phase), steps[i].slug,
			steps[i].need == NEED_OPTIONAL ? "optional" : "required");
		if (direct_after(order, i))
			add_slugs(direct_after(order, i), "", ", ", "", out);
		else
			buf_add_text(out, "-");
		buf_add_text(out, "\n");
	}
}

static void print_json(enum plan_order order, struct buf *out)
{
	buf_printf(out, "{\"plan_version\":%d,\"order\":\"%s\",\"steps\":[", PLAN_VERSION,
		order == PLAN_STRICT ? "strict" : "parallel");
	for (int i = 0; i < STEP_END; i++) {
		buf_printf(out, "%s\n {\"number\":%d,\"slug\":\"%s\",\"sentence\":\"%s\",\"phase\":\"%s\",\"effect\":\"%s\","
			"\"optional\":%s,\"deadline_seconds\":%lld,\"after\":[",
			i ? "," : "", i + 1, steps[i].slug, steps[i].sentence, step_phase_name(steps[i].phase),
			step_effect_name(steps[i].effect), steps[i].need == NEED_OPTIONAL ? "true" : "false",
			(long long)(steps[i].deadline_ms / 1000));
		add_slugs(direct_after(order, i), "\"", ",", "\"", out);
		buf_add_text(out, "]}");
	}
	buf_add_text(out, "\n]}\n");
}

static void print_mermaid(enum plan_order order, struct buf *out)
{
	buf_add_text(out, "flowchart LR\n");
	for (enum step_phase phase = PHASE_QUIESCE; phase < PHASE_END; phase++) {
		buf_printf(out, "  subgraph %s\n", step_phase_name(phase));
		for (int i = 0; i < STEP_END; i++)
			if (steps[i].phase == phase)
				buf_printf(out, "    %s[\"%s %s\"]\n", steps[i].slug, steps[i].nn, steps[i].sentence);
		buf_add_text(out, "  end\n");
	}
	for (int i = 0; i < STEP_END; i++)
		for (int j = 0; j < i; j++)
			if (direct_after(order, i) & STEP_BIT(j))
				buf_printf(out, "  %s --> %s\n", steps[j].slug, steps[i].slug);
}

bool plan_print(enum plan_order order, enum plan_format format, struct buf *out)
{
	switch (format) {
	case PLAN_TEXT:
		print_text(order, out);
		break;
	case PLAN_JSON:
		print_json(order, out);
		break;
	case PLAN_MERMAID:
		print_mermaid(order, out);
		break;
	}
	return !out->failed;
}
