#include <gelf.h>

#include "unwind/code/code.h"
#include "unwind/dwarf/dw.h"
#include "unwind/walk/walk.h"

/* The name of the symbol that the relocation of section @sh is for. */
static const char *name_of(Elf *elf, const GElf_Shdr *sh, GElf_Xword info)
{
	Elf_Scn *symbols = elf_getscn(elf, sh->sh_link);
	GElf_Shdr at;
	GElf_Sym sym;

	if (!symbols || !gelf_getshdr(symbols, &at) || !gelf_getsym(elf_getdata(symbols, NULL), (int)GELF_R_SYM(info), &sym))
		return NULL;
	return elf_strptr(elf, at.sh_link, sym.st_name);
}

/* Relocation @i; false where there are no more. */
static bool relocation_at(Elf_Data *data, bool has_addend, int i, GElf_Addr *offset, GElf_Xword *info)
{
	GElf_Rela a;
	GElf_Rel r;

	if (has_addend ? !gelf_getrela(data, i, &a) : !gelf_getrel(data, i, &r))
		return false;
	*offset = has_addend ? a.r_offset : r.r_offset;
	*info = has_addend ? a.r_info : r.r_info;
	return true;
}

static const char *import_in(struct unwind *u, Elf *elf, Elf_Scn *scn, u64 offset)
{
	GElf_Addr at;
	GElf_Xword info;
	Elf_Data *data;
	GElf_Shdr sh;

	if (!gelf_getshdr(scn, &sh) || (sh.sh_type != SHT_RELA && sh.sh_type != SHT_REL) || !(data = elf_getdata(scn, NULL)))
		return NULL;
	for (int i = 0; u->relocations_left && relocation_at(data, sh.sh_type == SHT_RELA, i, &at, &info); i++, u->relocations_left--)
		if (at == offset)
			return name_of(elf, &sh, info);
	return NULL;
}

/* The symbol whose address the dynamic linker writes to the word at @slot. */
static const char *import_at(struct unwind *u, u64 slot)
{
	Dwfl_Module *mod = dwfl_addrmodule(dw_dwfl(u), slot);
	GElf_Addr bias;
	Elf *elf = mod ? dwfl_module_getelf(mod, &bias) : NULL;
	const char *name = NULL;

	for (Elf_Scn *scn = NULL; elf && !name && (scn = elf_nextscn(elf, scn));)
		name = import_in(u, elf, scn, slot - bias);
	return name && *name ? name : NULL;
}

/* For a function that has a name. */
struct named {
	int (*fn)(const struct symbol *s, void *arg, struct err *e);
	void *arg;
	bool found;
};

static int if_named(const struct symbol *s, void *arg, struct err *e)
{
	struct named *n = arg;

	if (!s->function && !s->linkage)
		return 0;
	n->found = true;
	return n->fn(s, n->arg, e);
}

int unwind_called(struct unwind *u, const struct frame *f, int (*fn)(const struct symbol *s, void *arg, struct err *e), void *arg,
		  struct err *e)
{
	struct frame called = { .exact = true };
	struct named n = { fn, arg, false };
	struct symbol s = { 0 };
	u64 slot;
	int r = 0;

	if (f->exact || !code_called(u, f->pc, &called.pc, &slot))
		return 0;
	if (called.pc)
		r = unwind_symbols(u, &called, 0, if_named, &n, e);
	/* What an STT_GNU_IFUNC symbol leads to has no name of its own. */
	if (!r && !n.found && slot)
		s.linkage = import_at(u, slot);
	if (!s.linkage)
		return r;
	s.function = demangle(u, s.linkage);
	return fn(&s, arg, e);
}
