#include <string.h>

#include "base/util.h"
#include "explain/abort_message.h"
#include "unwind/dwarf/debuginfo.h"

bool variable_of_module(struct crash *c, struct module *m, const char *name, u64 *out)
{
	enum { SYMBOLS_MAX = 1 << 20 };
	Dwfl_Module *mod = module_elf(c->u, m) ? dwfl_addrmodule(dw_dwfl(c->u), m->start) : NULL;
	int n = mod ? dwfl_module_getsymtab(mod) : 0;

	for (int i = 1; i < min(n, (int)SYMBOLS_MAX); i++) {
		GElf_Sym sym;
		GElf_Addr addr;
		Elf *elf = NULL;
		const char *s = dwfl_module_getsym_info(mod, i, &sym, &addr, NULL, &elf, NULL);

		if (!s || GELF_ST_TYPE(sym.st_info) != STT_OBJECT || sym.st_shndx == SHN_UNDEF)
			continue;
		s = text_of_symbol(c->u, mod, elf, s);
		/* "@@GLIBC_PRIVATE" may follow. */
		if (s && !strncmp(s, name, strlen(name)) && (!s[strlen(name)] || s[strlen(name)] == '@')) {
			*out = addr;
			return true;
		}
	}
	return false;
}
