#include <errno.h>
#include <stdlib.h>

#include "unwind/dwarf/dw.h"

int dw_open(struct unwind *u, struct err *e)
{
	struct dw *d = calloc(1, sizeof(*d));

	if (!d)
		return err_set(e, -ENOMEM, "libdw");
	u->dw = d;
	d->u = u;
	return dwfl_open(d, e);
}

static void forget(struct module *m)
{
	units_free(m->units);
	m->units = NULL;
	names_free(m->names);
	m->names = NULL;
	splits_free(m->splits);
	m->splits = NULL;
}

void dw_close(struct unwind *u)
{
	if (!u->dw)
		return;
	for (size_t i = 0; i < u->n_mods; i++)
		forget(&u->mods[i]);
	dwfl_end(u->dw->dwfl);
	free(u->dw->demangled);
	free(u->dw);
	u->dw = NULL;
}
