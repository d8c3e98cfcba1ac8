#include <errno.h>

#include "check/checks.h"

/* Unpacks it all, the first time; then the faults with that code, or with any other. */
static void report(struct check_ctx *x, bool truncated)
{
	struct core_file *f = &x->core->file;
	struct err e = { 0 };
	int r = core_file_verify(f, &e);

	if (r == ERR_LIMIT)
		x->why = e;
	if (r == ERR_CANCELLED || r == ERR_LIMIT || r == -ENOMEM)
		x->oom = r;
	else if (r && !truncated)
		check_found_err(x, 0, &e);
	for (size_t i = 0; !x->oom && f->packing && i < f->packing->n_faults; i++)
		if ((f->packing->faults[i].code == ERR_TRUNCATED) == truncated)
			check_found_err(x, 0, &f->packing->faults[i]);
}

void check_packed_truncated(struct check_ctx *x)
{
	report(x, true);
}

void check_packed_damaged(struct check_ctx *x)
{
	report(x, false);
}

void check_packed_table(struct check_ctx *x)
{
	const struct core_packing *p = x->core->file.packing;

	if (p && p->table.code)
		check_found_err(x, 0, &p->table);
}
