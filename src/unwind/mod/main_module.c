#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/util.h"
#include "unwind/mod/mod.h"

/*
 * The program itself, where neither a FILE note nor an ELF header in the core shows
 * it: cores of kernels before 3.7, of emulators and of other dumpers, and those
 * that a coredump_filter keeps headers out of.  The auxiliary vector says where it
 * is; what it says must be true of the file.
 */

/* Only an absolute one is looked for. */
char *program_name(struct unwind *u)
{
	char name[4096];
	u64 at;
	size_t n = 0;

	if (!core_auxv(u->core, AT_EXECFN, &at))
		return NULL;
	while (n < sizeof(name) && space_read(u, at + n, &name[n], 1) && name[n])
		n++;
	return n < sizeof(name) && n && !name[n] ? strdup(name) : NULL;
}

/* Where the file has its program headers in memory: PT_PHDR, or the segment that they are in. */
static bool phdr_address(Elf *elf, u64 *out)
{
	GElf_Ehdr eh;
	GElf_Phdr p;
	size_t n = 0;

	if (!gelf_getehdr(elf, &eh) || elf_getphdrnum(elf, &n))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!gelf_getphdr(elf, (int)i, &p))
			continue;
		if (p.p_type == PT_PHDR) {
			*out = p.p_vaddr;
			return true;
		}
		if (p.p_type == PT_LOAD && eh.e_phoff >= p.p_offset && eh.e_phoff - p.p_offset < p.p_filesz) {
			*out = p.p_vaddr + (eh.e_phoff - p.p_offset);
			return true;
		}
	}
	return false;
}

bool program_place(const struct unwind *u, struct module *m)
{
	u64 phdr, entry, phnum, at = 0, lo, hi, bias;
	GElf_Ehdr eh;
	size_t n = 0;

	if (!core_auxv(u->core, AT_ENTRY, &entry) || !gelf_getehdr(m->elf, &eh) || elf_getphdrnum(m->elf, &n) ||
	    !module_span(m->elf, &lo, &hi) || (core_auxv(u->core, AT_PHNUM, &phnum) && n != phnum))
		return false;
	if (core_auxv(u->core, AT_PHDR, &phdr) && !phdr_address(m->elf, &at))
		return false;
	bias = at ? phdr - at : entry - eh.e_entry;
	if (u64_of_word(u, eh.e_entry + bias) != entry || (eh.e_type == ET_EXEC && bias))
		return false;
	m->start = u64_of_word(u, lo + bias);
	m->end = u64_of_word(u, hi + bias);
	return m->start < m->end;
}

static const struct module *main_module(const struct unwind *u)
{
	for (size_t i = 0; i < u->n_mods; i++)
		if (u->mods[i].is_main && u->mods[i].elf)
			return &u->mods[i];
	return NULL;
}

bool program_headers(const struct unwind *u, u64 *at, u64 *n)
{
	const struct module *m;
	size_t count = 0;

	if (core_auxv(u->core, AT_PHDR, at) && core_auxv(u->core, AT_PHNUM, n))
		return true;
	m = u->entry ? main_module(u) : NULL;
	if (!m || !phdr_address(m->elf, at) || elf_getphdrnum(m->elf, &count))
		return false;
	*at = u64_of_word(u, *at + m->bias);
	*n = count;
	return true;
}

int program_load(struct unwind *u, struct err *e)
{
	struct module m scoped(module_fini) = { .u = u, .fd = -1, .is_main = true }, *known;
	const struct core_area *a;
	u64 entry;

	if (!u->core->arch || !core_auxv(u->core, AT_ENTRY, &entry))
		return 0;
	known = module_at(u, entry);
	if (known && !known->path)
		known->path = program_name(u);
	if (known)
		return 0;
	m.path = program_name(u);
	modfile_find(u, &m);
	if (m.elf && !program_place(u, &m))
		modfile_refuse(&m, "its program headers and entry point are others");
	if (!m.elf) {
		a = core_area_find(u->core, entry);
		if (!a || a->start > entry)
			return 0;
		m.start = a->start;
		m.end = a->end;
	}
	if (!m.elf && !m.note)
		modfile_note(&m, "the core does not tell what file the program is: --exe can");
	return modules_take(u, &m, e);
}
