#include <dwarf.h>
#include <string.h>

#include "base/util.h"
#include "unwind/dwarf/dw.h"

/*
 * Strings of libelf and libdw, bounded by the section that they are in.  A file may
 * come from anybody, and its last string need not end.  In elfutils 0.188 and 0.192,
 *
 * - bounded are elf_strptr() (validate_str()), the names of debug links
 *   (dwelf_elf_gnu_debuglink(), dwelf_dwarf_gnu_debugaltlink(): memchr()), the
 *   augmentation of call frame information (dwarf_next_cfi()), and in line tables what is
 *   written there itself (read_srclines());
 * - symbols' names are not: __libdwfl_getsym() checks where they begin.  They have no
 *   other user than us: text_of_symbol();
 * - DW_FORM_string is not, for dwarf_formstring() gives what __libdw_find_attr() found,
 *   which checks only what it skips: text_of_attr();
 * - .debug_str and .debug_line_str: 0.192 stops at their last NUL (string_section_size),
 *   0.188 checks where a string begins, DW_FORM_strx even one byte too late, and
 *   makes the paths of line tables and of split units of them itself, by strlen(3).
 *   So the sections are cut at their last NUL before it reads them.
 */

static struct text_slot *slot_of(struct unwind *u, const void *of)
{
	return &u->dw->texts[((uintptr_t)of >> 4) % TEXT_SLOTS];
}

static bool has(const struct text_slot *s, const char *p)
{
	uintptr_t at = (uintptr_t)p;

	for (size_t i = 0; i < s->n; i++)
		if (at >= (uintptr_t)s->v[i].start && at < (uintptr_t)s->v[i].end)
			return true;
	return false;
}

/* From the first byte to the last that is NUL: all strings that begin there end there. */
static void add(struct text_slot *s, const Elf_Data *data)
{
	const char *last = data && data->d_buf ? memrchr(data->d_buf, 0, data->d_size) : NULL;

	if (last && s->n < TEXT_RANGES_MAX)
		s->v[s->n++] = (struct text_range){ .start = data->d_buf, .end = last + 1 };
}

/* ---- symbols */

/* The strings of the symbol table that libdwfl takes: elfutils, libdwfl/dwfl_module_getdwarf.c: load_symtab(). */
static Elf_Data *symbol_strings(Elf *elf)
{
	bool has_table = false, has_indices = false;
	Elf_Scn *scn = NULL;
	GElf_Word link = 0;
	GElf_Shdr sh;

	while (!(has_table && has_indices) && (scn = elf_nextscn(elf, scn))) {
		if (!gelf_getshdr(scn, &sh))
			continue;
		has_indices |= sh.sh_type == SHT_SYMTAB_SHNDX;
		if (!sh.sh_entsize || (sh.sh_type != SHT_SYMTAB && (sh.sh_type != SHT_DYNSYM || has_table)))
			continue;
		has_table |= sh.sh_type == SHT_SYMTAB;
		link = sh.sh_link;
	}
	return link ? elf_getdata(elf_getscn(elf, link), NULL) : NULL;
}

static Elf_Data *dynamic_section(Elf *elf)
{
	size_t n = 0;
	GElf_Phdr p;

	if (elf_getphdrnum(elf, &n))
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (gelf_getphdr(elf, (int)i, &p) && p.p_type == PT_DYNAMIC)
			return elf_getdata_rawchunk(elf, (int64_t)p.p_offset, p.p_filesz, ELF_T_DYN);
	return NULL;
}

/* Where the file has what is at @addr in memory; 0 when it has not. */
static u64 offset_of(Elf *elf, u64 addr)
{
	size_t n = 0;
	GElf_Phdr p;

	if (elf_getphdrnum(elf, &n))
		return 0;
	for (size_t i = 0; i < n; i++)
		if (gelf_getphdr(elf, (int)i, &p) && p.p_type == PT_LOAD && addr >= p.p_vaddr && addr - p.p_vaddr < p.p_filesz)
			return addr - p.p_vaddr + p.p_offset;
	return 0;
}

/*
 * Without section headers: DT_STRTAB and DT_STRSZ, as libdwfl's find_dynsym() does.
 * libelf has one copy of each such part of a file.
 */
static Elf_Data *dynamic_strings(Elf *elf, u64 bias)
{
	Elf_Data *dynamic = dynamic_section(elf);
	u64 table = 0, size = 0, off;
	GElf_Dyn d;

	for (int i = 0; dynamic && gelf_getdyn(dynamic, i, &d) && d.d_tag != DT_NULL; i++) {
		if (d.d_tag == DT_STRTAB)
			table = d.d_un.d_ptr;
		if (d.d_tag == DT_STRSZ)
			size = d.d_un.d_val;
	}
	off = table ? offset_of(elf, table - bias) : 0;
	return off && size ? elf_getdata_rawchunk(elf, (int64_t)off, size, ELF_T_BYTE) : NULL;
}

static bool is_in(const Elf_Data *data, const char *p)
{
	return data && (uintptr_t)p >= (uintptr_t)data->d_buf && (uintptr_t)p - (uintptr_t)data->d_buf < data->d_size;
}

/* libdwfl takes all names of one file from one table: that which has @name. */
static void find_strings(struct text_slot *s, Dwfl_Module *mod, Elf *elf, const char *name)
{
	Elf_Data *data = symbol_strings(elf);
	GElf_Addr bias = 0;

	if (!is_in(data, name))
		data = dynamic_strings(elf, 0);
	if (!is_in(data, name) && dwfl_module_getelf(mod, &bias))
		data = dynamic_strings(elf, bias);
	if (is_in(data, name))
		add(s, data);
}

const char *text_of_symbol(struct unwind *u, Dwfl_Module *mod, Elf *elf, const char *name)
{
	struct text_slot *s = slot_of(u, elf);

	if (!name || !elf)
		return NULL;
	if (s->of != elf) {
		*s = (struct text_slot){ .of = elf };
		find_strings(s, mod, elf, name);
	}
	return has(s, name) ? name : NULL;
}

/* ---- debug information */

/* Sections that have strings; their names have variants: compressed, of split units, and of link time optimization. */
static const struct {
	const char *name;
	bool is_cut;	/* has nothing but strings */
} sections[] = {
	{ "debug_info", false }, { "debug_types", false }, { "debug_str", true }, { "debug_line_str", true },
};

enum { LTO = 1 << 0, COMPRESSED = 1 << 1, SPLIT = 1 << 2 };

/* Which variant of @base @name is; -1: of another. */
static int variant_of(const char *name, const char *base)
{
	static const char lto[] = ".gnu.debuglto_";
	size_t len = strlen(base);
	int v = 0;

	if (!strncmp(name, lto, sizeof(lto) - 1)) {
		name += sizeof(lto) - 1;
		v |= LTO;
	}
	name += *name == '.';
	if (*name == 'z') {
		name++;
		v |= COMPRESSED;
	}
	if (strncmp(name, base, len))
		return -1;
	if (!strcmp(name + len, ".dwo"))
		return v | SPLIT;
	return name[len] ? -1 : v;
}

/*
 * To its last NUL, but without that: the byte after the new end is a NUL then.
 * Changes libdw's own description of the section.  One that is shorter than the
 * section was cut already.
 */
static void cut(const GElf_Shdr *sh, Elf_Data *data)
{
	const char *start = data->d_buf, *last;

	if (data->d_size < sh->sh_size)
		return;
	last = memrchr(start, 0, data->d_size);
	data->d_size = last ? (size_t)(last - start) : 0;
}

/* False when there are two of a name: which of them libdw has taken is not known. */
static bool add_section(struct text_slot *s, Elf_Scn *scn, const char *name, u8 seen[ARRAY_SIZE(sections)])
{
	Elf_Data *data;
	GElf_Shdr sh;

	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		int v = variant_of(name, sections[i].name);

		if (v < 0 || !gelf_getshdr(scn, &sh) || sh.sh_type == SHT_NOBITS)
			continue;
		if (seen[i] >> v & 1)
			return false;
		seen[i] |= (u8)(1 << v);
		data = elf_getdata(scn, NULL);
		if (data && data->d_buf && sections[i].is_cut)
			cut(&sh, data);
		else
			add(s, data);
	}
	return true;
}

static bool find_sections(struct text_slot *s, Elf *elf)
{
	u8 seen[ARRAY_SIZE(sections)] = { 0 };
	Elf_Scn *scn = NULL;
	size_t names;
	GElf_Shdr sh;

	if (!elf || elf_getshdrstrndx(elf, &names))
		return false;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *name = gelf_getshdr(scn, &sh) ? elf_strptr(elf, names, sh.sh_name) : NULL;

		if (name && !add_section(s, scn, name, seen))
			return false;
	}
	return true;
}

/* The strings of @dw, bounded; NULL when they cannot be. */
static const struct text_slot *strings_of(struct unwind *u, Dwarf *dw)
{
	struct text_slot *s = slot_of(u, dw);

	if (s->of != dw) {
		*s = (struct text_slot){ .of = dw };
		s->is_bounded = find_sections(s, dwarf_getelf(dw));
	}
	return s->is_bounded ? s : NULL;
}

/* The file whose strings several debug files share, if there is one. */
static bool bound_shared(struct unwind *u, Dwarf *dw)
{
	Dwarf *shared = dwarf_getalt(dw);

	return !shared || strings_of(u, shared);
}

const char *text_of_attr(struct unwind *u, Dwarf_Attribute *attr)
{
	Dwarf *dw = attr ? dwarf_cu_getdwarf(attr->cu) : NULL;
	const struct text_slot *s = dw ? strings_of(u, dw) : NULL;
	const char *text;

	if (!s)
		return NULL;
	if ((attr->form == DW_FORM_GNU_strp_alt || attr->form == DW_FORM_strp_sup) && !bound_shared(u, dw))
		return NULL;
	text = dwarf_formstring(attr);
	return attr->form != DW_FORM_string || has(s, text) ? text : NULL;
}

/* What libdw makes paths of, of line tables and of split units. */
bool text_of_unit_ends(struct unwind *u, Dwarf_Die *unit)
{
	static const unsigned parts[] = { DW_AT_comp_dir, DW_AT_dwo_name, DW_AT_GNU_dwo_name };
	Dwarf *dw = dwarf_cu_getdwarf(unit->cu);
	Dwarf_Attribute attr;

	if (!dw || !strings_of(u, dw) || !bound_shared(u, dw))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (dwarf_attr(unit, parts[i], &attr) && dwarf_formstring(&attr) && !text_of_attr(u, &attr))
			return false;
	return true;
}
