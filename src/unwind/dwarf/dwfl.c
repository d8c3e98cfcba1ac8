#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "unwind/dwarf/dw.h"

/*
 * libdw reads no table of a machine that it has no backend for, or whose has no
 * abi_cfi: mips and loongarch, until elfutils 0.190 at least, alpha and parisc.  All that it wants of one is what its
 * ABI says of registers that no row names (libebl, abi_cfi), and cfi.c knows that
 * better: another machine's will do, whose ABI has no rule for the register that
 * ours returns by.
 */
static const struct {
	u16 machine, instead;
} substitutes[] = {
	{ EM_MIPS, EM_RISCV }, { EM_ALPHA, EM_RISCV }, { EM_FAKE_ALPHA, EM_RISCV }, { EM_PARISC, EM_AARCH64 },
	{ EM_LOONGARCH, EM_AARCH64 },
};

static void substitute_machine(Elf *elf)
{
	GElf_Ehdr eh;

	for (size_t i = 0; gelf_getehdr(elf, &eh) && i < ARRAY_SIZE(substitutes); i++)
		if (substitutes[i].machine == eh.e_machine) {
			eh.e_machine = substitutes[i].instead;
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
		substitute_machine(m->elf);
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

int dwfl_open(struct dw *d, struct err *e)
{
	struct unwind *u = d->u;
	int r = 0;

	elf_version(EV_CURRENT);
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

Dwfl *dw_dwfl(const struct unwind *u)
{
	return u->dw->dwfl;
}
