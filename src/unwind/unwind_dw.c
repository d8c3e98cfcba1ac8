#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/util.h"
#include "unwind/debuginfo.h"

/* libdw finds tables, symbols and debug information; files and memory come from us, the steps are cfi.c's. */
struct dw {
	struct unwind *u;
	Dwfl *dwfl;
	Dwfl_Callbacks cb;
};

/*
 * libdw reads no table of a machine that it has no backend for, or whose has no
 * abi_cfi: mips and loongarch, until elfutils 0.190 at least, alpha and parisc.  All that it wants of one is what its
 * ABI says of registers that no row names (libebl, abi_cfi), and cfi.c knows that
 * better: another machine's will do, whose ABI has no rule for the register that
 * ours returns by.
 */
static const struct {
	u16 machine, instead;
} lent[] = {
	{ EM_MIPS, EM_RISCV }, { EM_ALPHA, EM_RISCV }, { EM_FAKE_ALPHA, EM_RISCV }, { EM_PARISC, EM_AARCH64 },
	{ EM_LOONGARCH, EM_AARCH64 },
};

static void lend_machine(Elf *elf)
{
	GElf_Ehdr eh;

	for (size_t i = 0; gelf_getehdr(elf, &eh) && i < ARRAY_SIZE(lent); i++)
		if (lent[i].machine == eh.e_machine) {
			eh.e_machine = lent[i].instead;
			gelf_update_ehdr(elf, &eh);
			return;
		}
}

static int find_elf(Dwfl_Module *mod, void **userdata, const char *name, Dwarf_Addr base, char **file, Elf **elf)
{
	struct module *m = *userdata;

	(void)mod;
	(void)name;
	(void)base;
	/* Counted: libdw ends its reference, modules_close() ours. */
	if (m && module_elf(m->u, m)) {
		lend_machine(m->elf);
		*elf = elf_begin(-1, ELF_C_READ, m->elf);
	}
	if (m && *elf && m->file)
		*file = strdup(m->file);
	return -1;
}

static int report(struct dw *d, struct module *m, struct err *e)
{
	Dwfl_Module *mod = dwfl_report_module(d->dwfl, m->path ? m->path : "", m->start, m->end);
	void **userdata;

	if (!mod)
		return err_set(e, ERR_INPUT, "module at 0x%llx: %s", (unsigned long long)m->start, dwfl_errmsg(-1));
	dwfl_module_info(mod, &userdata, NULL, NULL, NULL, NULL, NULL, NULL);
	*userdata = m;
	return 0;
}

/* ---- open and close */

static int begin(struct dw *d, struct err *e)
{
	struct unwind *u = d->u;
	int r = 0;

	d->cb = (Dwfl_Callbacks){ .find_elf = find_elf, .find_debuginfo = debugfile_find };
	d->dwfl = dwfl_begin(&d->cb);
	if (!d->dwfl)
		return err_set(e, -ENOMEM, "libdw: %s", dwfl_errmsg(-1));
	dwfl_report_begin(d->dwfl);
	for (size_t i = 0; !r && i < u->n_mods; i++)
		r = report(d, &u->mods[i], e);
	dwfl_report_end(d->dwfl, NULL, NULL);
	return r;
}

int dw_open(struct unwind *u, struct err *e)
{
	struct dw *d = calloc(1, sizeof(*d));

	if (!d)
		return err_set(e, -ENOMEM, "libdw");
	u->dw = d;
	d->u = u;
	elf_version(EV_CURRENT);
	return begin(d, e);
}

void dw_close(struct dw *d)
{
	if (!d)
		return;
	dwfl_end(d->dwfl);
	free(d);
}

Dwfl *dw_dwfl(const struct unwind *u)
{
	return u->dw->dwfl;
}

/* ---- a walk */

static bool read_row(Dwarf_CFI *cfi, Dwarf_Addr at, struct row *out)
{
	if (!cfi || dwarf_cfi_addrframe(cfi, at, &out->frame))
		return false;
	dwarf_frame_info(out->frame, NULL, NULL, &out->is_signal);
	return true;
}

static struct row row_at(struct unwind *u, u64 addr)
{
	Dwfl_Module *mod = dwfl_addrmodule(u->dw->dwfl, addr);
	struct row row = { 0 };
	Dwarf_Addr bias = 0;
	Dwarf_CFI *cfi = mod ? dwfl_module_eh_cfi(mod, &bias) : NULL;

	if (read_row(cfi, addr - bias, &row))
		return row;
	cfi = mod ? dwfl_module_dwarf_cfi(mod, &bias) : NULL;
	read_row(cfi, addr - bias, &row);
	return row;
}

struct row dw_row_of(struct unwind *u, struct frame *f)
{
	struct row row = row_at(u, f->pc);

	/* arm64's vdso has no table for it (Linux commit 87676cfca141), nor have emulators and most C libraries. */
	if (!row.is_signal && (step_is_signal(u, f->pc, f->sp) ||
			       (!row.frame && !f->exact && step_is_like_signal(u, f->pc, f->sp)))) {
		free(row.frame);
		row = (struct row){ .is_signal = true };
	}
	if (!row.is_signal && !f->exact) {
		free(row.frame);
		row = row_at(u, f->pc - 1);
	}
	f->signal = row.is_signal;
	f->exact |= row.is_signal;
	return row;
}

/* True when there is a way on from here. */
static bool judge(struct unwind *u, const struct frame *f, struct stack *s)
{
	unsigned long long pc = f->pc;

	if (stack_is_full(u, s))
		stack_ends(s, STACK_LIMIT, "more frames than wanted, from 0x%llx on", pc);
	else if (!f->signal && !space_is_code(u, f->exact ? f->pc : f->pc - 1))
		stack_ends(s, STACK_NO_CODE, "0x%llx is in no executable memory", pc);
	else
		return true;
	return false;
}

/* By call frame information or, where there is none, by 32-bit Arm's other tables. */
static enum cfi_step step(struct unwind *u, const struct frame *f, Dwarf_Frame *frame, struct cpu_regs *r,
			  enum frame_by *by)
{
	if (!frame)
		return exidx_step(u, f, r, by);
	*by = FRAME_BY_CFI;
	return cfi_step(u, frame, r);
}

/* One frame, and the step to the next: 1 when there is one, 0 when s->end is set. */
static int walk_one(struct unwind *u, struct cpu_regs *r, enum frame_by *by, struct stack *s, struct err *e)
{
	struct frame f = { .pc = r->pc, .exact = r->exact, .doubt = r->doubt, .by = *by };
	enum cfi_step done;
	struct row row;
	int ret;

	regs_get(u, r, u->core->arch->sp, &f.sp);
	row = dw_row_of(u, &f);
	Dwarf_Frame *frame auto_free = row.frame;
	if (stack_loops(s, &f)) {
		stack_ends(s, STACK_LOOP, "0x%llx would be its own caller", (unsigned long long)f.pc);
		return 0;
	}
	if (stack_leaves_code(u, s, &f))
		return 0;
	ret = tailcall_add(u, s, &f, r, frame, e);
	if (ret || !judge(u, &f, s) || first_ends(u, r, frame, s))
		return ret;
	done = step(u, &f, frame, r, by);
	if (done != CFI_STEPPED)
		stack_ends_by(u, s, done, f.pc);
	return done == CFI_STEPPED;
}

static int dw_walk(struct unwind *u, struct cpu_regs *r, enum frame_by by, struct stack *s, struct err *e)
{
	int ret;

	do {
		ret = walk_one(u, r, &by, s, e);
	} while (ret > 0);
	return ret;
}

const struct unwinder_ops unwinder_dw_ops = { .name = "libdw", .walk = dw_walk };
