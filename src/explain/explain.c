#include <stdlib.h>

#include "explain/crash.h"
#include "explain/tagfault.h"

void verdict_fini(struct verdict *v)
{
	stack_fini(&v->stack);
}

static void crash_close(struct crash *c)
{
	mte_free(c->mte);
	free(c->message);
}

static void no_row(struct crash *c)
{
	if (c->is_fault || c->has_si)
		say(c, "SIG%s with code %d: no diagnosis applies; tagcore stack shows where", *c->signal ? c->signal : "?", c->si.code);
	else
		say(c, "SIG%s, of which the core has no siginfo: no diagnosis applies; tagcore stack shows where",
		    *c->signal ? c->signal : "?");
}

int explain_crash(struct unwind *u, const struct explain_opts *opts, struct verdict *out, struct err *e)
{
	struct crash c = { .u = u, .core = u->core, .opts = *opts, .v = out };
	int r;

	if (!crash_gather(&c, e, &r))
		return r;
	access_find(&c);
	for (size_t i = 0; !out->kind && i < n_diagnoses; i++)
		if (diagnoses[i].find(&c))
			out->kind = &diagnoses[i];
	if (!out->kind)
		no_row(&c);
	out->has_access = c.is_fault && (c.access.type || c.access.has_addr);
	out->access = c.access;
	crash_close(&c);
	return out->kind != NULL;
}
