#include <stdlib.h>

#include "unwind/frame/frame.h"

static bool read_row(Dwarf_CFI *cfi, Dwarf_Addr at, struct row *out)
{
	if (!cfi || dwarf_cfi_addrframe(cfi, at, &out->frame))
		return false;
	dwarf_frame_info(out->frame, NULL, NULL, &out->is_signal);
	return true;
}

static struct row row_at(struct unwind *u, u64 addr)
{
	Dwfl_Module *mod = dwfl_addrmodule(dw_dwfl(u), addr);
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
