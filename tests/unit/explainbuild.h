/* explainbuild.h - a core that crashed in a way that a test has chosen, and the verdict on it. */
#pragma once

#include "unwindbuild.h"

#include "explain/explain.h"

enum { XB_PC = CB_TEXT + 0x100, XB_SP = CB_STACK + 0x1000 };
#define XB_LE64 (struct elffmt){ ELFCLASS64, ELFDATA2LSB }

struct crashed {
	struct fixture f;
	struct verdict v;
	int r;		/* of explain_crash() */
};

/* Signal, code and address, as the kernel writes them; the siginfo of both PRSTATUS and its own note. */
cb_unused static void xb_siginfo(struct cb *cb, s32 signo, s32 code, u64 addr)
{
	struct cb_note *n = cb_note_at(cb, NT_SIGINFO, 0);

	memset(n->desc.p, 0, n->desc.len);
	uint_put(cb->arch.fmt, n->desc.p, 4, (u32)signo);
	uint_put(cb->arch.fmt, n->desc.p + 8, 4, (u32)code);
	uint_put(cb->arch.fmt, n->desc.p + (cb->arch.word == 8 ? 16 : 12), cb->arch.word, addr);
	/* pr_cursig, after pr_info's three ints. */
	uint_put(cb->arch.fmt, cb_note_at(cb, NT_PRSTATUS, 0)->desc.p, 4, (u32)signo);
	uint_put(cb->arch.fmt, cb_note_at(cb, NT_PRSTATUS, 0)->desc.p + 12, 2, (u32)signo);
}

/* The general register of that name, of the first thread. */
cb_unused static void xb_reg(struct cb *cb, const char *name, u64 value)
{
	struct cb_note *n = cb_note_at(cb, NT_PRSTATUS, 0);
	struct prstatus st;
	struct err e;

	cb_ok(prstatus_get(&cb->arch, (struct bytes){ .p = n->desc.p, .len = n->desc.len }, &st, &e), &e);
	for (unsigned i = 0; i < cb->arch.gregs.n_regs; i++)
		if (!strcmp(cb->arch.gregs.regs[i].name, name)) {
			uint_put(cb->arch.fmt, n->desc.p + (st.regs.p - n->desc.p) + cb->arch.gregs.regs[i].off,
				 cb->arch.gregs.regs[i].size, value);
			return;
		}
	fail_msg("no register %s", name);
}

/* After cb_good() and what was changed: the file, opened. */
cb_unused static void xb_open(struct crashed *c)
{
	struct unwind_opts opts = { 0 };
	struct err e = { 0 };

	open_built(&c->f.o);
	cb_ok(unwind_open(&c->f.u, &c->f.o.core, &opts, &e), &e);
}

cb_unused static void xb_code(struct crashed *c, const void *p, size_t len)
{
	poke(&c->f, XB_PC, p, len);
}

cb_unused static void xb_explain(struct crashed *c)
{
	struct explain_opts opts = { 0 };
	struct err e = { 0 };

	c->v = (struct verdict){ 0 };
	c->r = explain_crash(c->f.u, &opts, &c->v, &e);
	cb_ok(c->r, &e);
	assert_int_equal(c->r, c->v.kind != NULL);
	/* A sentence always, and evidence for each verdict. */
	assert_true(*c->v.sentence);
	assert_true(!c->v.kind || (c->v.n_evidence && *c->v.why_sure));
}

cb_unused static void xb_expect(struct crashed *c, const char *kind, enum sure sure)
{
	xb_explain(c);
	if (!kind) {
		if (c->v.kind)
			fail_msg("a verdict, %s: %s", c->v.kind->name, c->v.sentence);
		return;
	}
	if (!c->v.kind || strcmp(c->v.kind->name, kind) != 0 || c->v.sure != sure)
		fail_msg("not %s, %s: %s %s: %s (%s)", sure_name(sure), kind, c->v.kind ? sure_name(c->v.sure) : "",
			 c->v.kind ? c->v.kind->name : "none", c->v.sentence, c->v.why_sure);
}

cb_unused static void xb_end(struct crashed *c)
{
	verdict_fini(&c->v);
	end(&c->f);
}
