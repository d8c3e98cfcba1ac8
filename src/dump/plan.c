#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "dump/plan.h"

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
