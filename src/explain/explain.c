#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "explain/hang.h"
#include "explain/tagfault.h"

void verdict_fini(struct verdict *v)
{
	stack_fini(&v->stack);
	for (size_t i = 0; i < v->n_others; i++)
		stack_fini(&v->others[i]);
	free(v->others);
	free(v->waits);
	free(v->locked);
	free(v->deadlocks);
}

static void crash_close(struct crash *c)
{
	mte_free(c->mte);
	hang_free(c->hang);
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

/*
 * It has died, whether or not a row knows why: what its threads wait for is no reason.  gdb's cores of processes have no such
 * siginfo.
 */
static bool has_died(const struct crash *c)
{
	static const char *const with_core[] = { "QUIT", "ILL", "ABRT", "FPE", "SEGV", "BUS", "SYS", "XCPU", "XFSZ" };

	for (size_t i = 0; c->has_si && i < ARRAY_SIZE(with_core); i++)
		if (crash_is(c, with_core[i]))
			return true;
	return false;
}

static void no_hang(struct crash *c)
{
	if (!c->v->kind && !has_died(c))
		say(c, "no thread has crashed, and none is seen to hang: tagcore stack shows what each was doing");
}

/* The first row that applies, of a crash or of a process that hangs. */
static void find_row(struct crash *c, bool of_hang)
{
	const struct diagnosis *found = NULL;

	for (size_t i = 0; !found && i < n_diagnoses; i++)
		if ((diagnoses[i].applies == diagnosis_of_hang) == of_hang && diagnoses[i].find(c))
			found = &diagnoses[i];
	if (found)
		c->v->kind = found;
}

/* The crash.  What it was sent from outside may be because it hung: only a deadlock is more than that. */
static int find_crash(struct crash *c, struct err *e)
{
	int r;

	if (!crash_gather(c, e, &r))
		return r;
	access_find(c);
	find_row(c, false);
	if (!c->v->kind)
		no_row(c);
	/* A row may have it from elsewhere. */
	c->v->has_access |= c->is_fault && (c->access.type || c->access.has_addr);
	c->v->access = c->access;
	return 0;
}

/* A thread of it would never have gone on. */
static bool is_stuck(const struct crash *c)
{
	for (size_t i = 0; i < c->hang->n; i++)
		if (c->hang->v[i].is_refused)
			return true;
	return c->v->n_deadlocks;
}

/* What has ended a process that hung, from outside or within, has done so because it hung: both are said, the cause first. */
static int find_hang(struct crash *c, struct err *e)
{
	char sent[VERDICT_TEXT_MAX / 2] = "";
	size_t len;
	int r;

	if (!hang_gather(c, e, &r))
		return r;
	if ((c->v->kind || has_died(c)) && !is_stuck(c)) {
		/* Of what ended itself nobody asks what else it did. */
		if (c->v->kind && strcmp(c->v->kind->name, "killed") != 0)
			c->v->n_waits = 0;
		return 0;
	}
	if (c->v->kind)
		put_fmt(sent, sizeof(sent), "; %s", c->v->sentence);
	find_row(c, true);
	no_hang(c);
	len = strlen(c->v->sentence);
	put_fmt(c->v->sentence + len, sizeof(c->v->sentence) - len, "%s", sent);
	return 0;
}

static int explain(struct unwind *u, const struct explain_opts *opts, bool hang, struct verdict *out, struct err *e)
{
	struct crash c = { .u = u, .core = u->core, .opts = *opts, .v = out };
	int r = find_crash(&c, e);

	if (!r && hang)
		r = find_hang(&c, e);
	crash_close(&c);
	return r < 0 ? r : out->kind != NULL;
}

int explain_crash(struct unwind *u, const struct explain_opts *opts, struct verdict *out, struct err *e)
{
	return explain(u, opts, false, out, e);
}

int explain_core(struct unwind *u, const struct explain_opts *opts, struct verdict *out, struct err *e)
{
	return explain(u, opts, true, out, e);
}
