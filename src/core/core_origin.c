#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "core/core_priv.h"

/* Names for e_machine without a table for the class and byte order in question, as uname -m has them. */
static const struct {
	const char *name;
	u16 machine;
} machines[] = {
	{ "i386", EM_386 }, { "arm", EM_ARM }, { "riscv", EM_RISCV }, { "ppc", EM_PPC },
	{ "ppc64", EM_PPC64 }, { "s390", EM_S390 }, { "mips", EM_MIPS }, { "sparc", EM_SPARC },
	{ "sparc64", EM_SPARCV9 }, { "m68k", EM_68K }, { "loongarch", EM_LOONGARCH },
	{ "alpha", EM_ALPHA }, { "parisc", EM_PARISC }, { "x32", EM_X86_64 }, { "ia64", EM_IA_64 },
};

const char *core_machine(const struct core *c, char out[CORE_MACHINE_MAX])
{
	const char *name = c->arch ? c->arch->name : NULL;

	for (size_t i = 0; !name && i < ARRAY_SIZE(machines); i++)
		if (machines[i].machine == c->ehdr.e_machine)
			name = machines[i].name;
	if (name)
		snprintf(out, CORE_MACHINE_MAX, "%s", name);
	else
		snprintf(out, CORE_MACHINE_MAX, "EM_%u", c->ehdr.e_machine);
	return out;
}

struct core_text core_info(const struct core *c, const char *key)
{
	const struct core_note *n = core_note_find(c, 0, TAGCORE_OWNER, NT_TAGCORE_INFO);
	struct line_iter it = { .desc = n ? n->note.desc : (struct bytes){ 0 } };
	size_t len = strlen(key);
	struct core_text line;
	u64 off;

	while (line_next(&it, &line, &off) > 0)
		if (line.len > len && line.p[len] == ' ' && !memcmp(line.p, key, len))
			return (struct core_text){ .p = line.p + len + 1, .len = line.len - len - 1 };
	return (struct core_text){ 0 };
}

bool core_is_inconsistent(const struct core *c)
{
	return core_info(c, TAGCORE_INCONSISTENT).p;
}

/*
 * Who puts PRPSINFO before all threads: gdb before it had NT_FILE, whose cores are
 * written by BFD and so have section headers; valgrind, whose PRPSINFO has no
 * pid and whose PT_NOTE no flags and no alignment (3.19,
 * coregrind/m_coredump/coredump-elf.c: fill_prpsinfo(), VG_(make_coredump)()).
 */
static const char *tool_with_prpsinfo_first(const struct core *c)
{
	const GElf_Phdr *notes = &c->segs[c->note_segs[c->notes[0].seg].seg];
	struct prpsinfo ps;

	if (c->ehdr.e_shoff)
		return "gdb";
	return !notes->p_flags && !notes->p_align && !core_prpsinfo(c, &ps, NULL) && !ps.pid ? "valgrind" : NULL;
}

/*
 * gdb's signature is NT_FILE in units of 1 byte (gdb 16, linux-tdep.c:
 * linux_make_mappings_corefile_notes()) or, before that note, PRPSINFO first;
 * the kernel's is PRSTATUS first with PRPSINFO second (fs/binfmt_elf.c).
 */
const char *core_tool(const struct core *c, char *out, size_t size)
{
	char version[32];

	if (core_note_find(c, 0, TAGCORE_OWNER, NT_TAGCORE_INFO)) {
		core_text_copy(core_info(c, "version"), version, sizeof(version));
		snprintf(out, size, "tagcore%s%s", version[0] ? " " : "", version);
		return out;
	}
	if (c->os)
		return NULL;
	if (c->kind == CORE_QEMU)
		return "qemu";
	if (c->map_page_size == 1)
		return "gdb";
	if (c->n_notes < 2 || strcmp(c->notes[0].note.owner, "CORE"))
		return NULL;
	if (c->notes[0].note.type == NT_PRPSINFO && c->notes[1].note.type == NT_PRSTATUS)
		return tool_with_prpsinfo_first(c);
	if (c->notes[0].note.type == NT_PRSTATUS && c->notes[1].note.type == NT_PRPSINFO)
		return "kernel";
	return NULL;
}
