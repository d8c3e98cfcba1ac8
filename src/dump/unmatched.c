/* unmatched.c - --include and --exclude that had no effect: the user has to know. */
#include <errno.h>
#include <stdlib.h>

#include "dump/dump_priv.h"

int dump_find_unmatched(const struct dump *d, const struct plan_opts *po, struct unmatched *out, struct err *e)
{
	struct unmatched u = { .v = calloc(po->n_select + 1, sizeof(*u.v)) };

	if (!u.v)
		return err_set(e, -ENOMEM, "list of %zu selections", po->n_select);
	for (size_t i = 0; i < po->n_select; i++) {
		struct unmatched_select one = { .select = &po->select[i] };

		one.effect = plan_select_effect(one.select, &d->areas, &d->plan, po, &one.why);
		if (one.effect == PLAN_SELECT_DONE)
			continue;
		/* What was to be kept out may be in the core, or it is not where the user thinks. */
		u.excludes += !one.select->include;
		u.v[u.n++] = one;
	}
	free(out->v);
	*out = u;
	return 0;
}

void unmatched_fini(struct unmatched *u)
{
	free(u->v);
	*u = (struct unmatched){ 0 };
}
