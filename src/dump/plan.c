#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tagcore/arch.h>
#include <tagcore/plan.h>

#include "base/text.h"
#include "base/util.h"

const char *plan_action_name(enum plan_action a)
{
	static const char *const names[] = {
		[PLAN_OMIT] = "omit",
		[PLAN_FIRST_PAGE] = "first-page",
		[PLAN_TOUCHED] = "touched",
		[PLAN_WHOLE] = "whole",
	};

	return names[a];
}

static struct plan_entry decide(const struct area *a, const struct plan_opts *o)
{
	const struct plan_rule *rule = plan_rules;
	u64 len = vma_len(a->vma);

	while (!rule->match(a, o))
		rule++;
	return (struct plan_entry){
		.rule = rule,
		.action = rule->action,
		.filesz = rule->action == PLAN_OMIT ? 0 :
			  rule->action == PLAN_FIRST_PAGE ? min(o->page_size, len) : len,
	};
}

int plan_make(const struct areas *areas, const struct plan_opts *opts, struct plan *out, struct err *e)
{
	struct plan p = { .n = areas->n, .v = calloc(areas->n + 1, sizeof(*p.v)) };

	if (!p.v)
		return err_set(e, -ENOMEM, "plan of %zu areas", areas->n);
	for (size_t i = 0; i < p.n; i++)
		p.v[i] = decide(&areas->v[i], opts);
	*out = p;
	return 0;
}

void plan_free(struct plan *p)
{
	free(p->v);
	*p = (struct plan){ 0 };
}

/* "START-END"; false when it does not look like one, and is a glob then. */
static bool parse_range(const char *text, u64 *start, u64 *end)
{
	const char *dash = strchr(text, '-');
	char first[32];

	if (!dash || (size_t)(dash - text) >= sizeof(first))
		return false;
	memcpy(first, text, (size_t)(dash - text));
	first[dash - text] = 0;
	return !text_parse_u64(first, 16, false, start) && !text_parse_u64(dash + 1, 16, false, end);
}

int plan_select_parse(const char *text, bool include, struct plan_select *out, struct err *e)
{
	struct plan_select s = { .include = include };

	if (!*text)
		return err_set(e, ERR_USAGE, "--%s needs START-END or a glob on the mapping's name",
			       include ? "include" : "exclude");
	if (!parse_range(text, &s.start, &s.end)) {
		s.glob = text;
		*out = s;
		return 0;
	}
	/* As the target prints its pointers: with their tags, where the machine has them. */
	s.start = arch_untag(arch_native(), s.start);
	s.end = arch_untag(arch_native(), s.end);
	if (s.start >= s.end)
		return err_set(e, ERR_USAGE, "range %s is empty", text);
	*out = s;
	return 0;
}
