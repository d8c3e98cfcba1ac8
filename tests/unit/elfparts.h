/* elfparts.h - the parts of elfbuild.h's program that unwinders and loaders read: sections, call frame information, names. */
#pragma once

#include <dwarf.h>

#include "corebuild.h"

enum {
	EB_SIZE = 2 * CB_PAGE,
	EB_CODE = 0x200,
	EB_FUNC_SIZE = 0x100,
	EB_FRAME = 32,
	EB_SECTIONS_MAX = 20,
	EB_BUILD_ID = 0xb1,	/* each of its 20 bytes */
};

enum eb_func { EB_LEAF, EB_CALLER, EB_TRAMP, EB_PLAIN, EB_START, EB_FUNCS };
static const struct {
	const char *name;
	bool is_signal;		/* a signal handler returns to it */
	bool is_first;		/* has no caller */
	bool debug_frame;	/* its table is there, and not in .eh_frame */
} eb_funcs[EB_FUNCS] = {
	[EB_LEAF] = { .name = "leaf" },
	[EB_CALLER] = { .name = "_ZN1a6callerEv" },
	[EB_TRAMP] = { .name = "tramp", .is_signal = true },
	[EB_PLAIN] = { .name = "plain@V1", .debug_frame = true },
	[EB_START] = { .name = "_start", .is_first = true },
};

/* In "caller", and in "plain". */
enum { EB_CALL_AT = 0x20, EB_TAIL_CALL_AT = 0x18 };

struct eb_section {
	const char *name;
	GElf_Shdr sh;
};

struct eb {
	const struct arch *arch;
	u64 base;	/* address of the first byte */
	u16 type;
	u64 r_debug;	/* DT_DEBUG */
	bool no_build_id;
	bool no_aranges;
	struct buf b;
	struct eb_section sections[EB_SECTIONS_MAX];
	size_t n_sections;
	GElf_Phdr phdrs[5];
	u16 n_phdrs;
	bool dwarf5;	/* debug information is of that version, with names in .debug_str and paths in .debug_line_str */
	struct buf str, line_str;
	bool calls;	/* debug information has the calls: "caller" calls "plain", whose last act is to call "leaf" */
};

static inline void eb_raw(struct eb *eb, const void *p, size_t len)
{
	struct err e;

	cb_ok(buf_add(&eb->b, p, len, &e), &e);
}

static inline void eb_uint(struct eb *eb, unsigned size, u64 value)
{
	u8 raw[8];

	uint_put(eb->arch->fmt, raw, size, value);
	eb_raw(eb, raw, size);
}

static inline void eb_word(struct eb *eb, u64 value)
{
	eb_uint(eb, eb->arch->word, value);
}

static inline void eb_text(struct eb *eb, const char *text)
{
	eb_raw(eb, text, strlen(text) + 1);
}

static inline void eb_uleb(struct eb *eb, u64 value)
{
	for (; value >= 0x80; value >>= 7)
		eb_uint(eb, 1, (value & 0x7f) | 0x80);
	eb_uint(eb, 1, value);
}

static inline void eb_pad(struct eb *eb, size_t align)
{
	struct err e;

	cb_ok(buf_zero(&eb->b, (align - eb->b.len % align) % align, &e), &e);
}

/* The 4 bytes at @at become the length of what was added after them. */
static inline void eb_set_len(struct eb *eb, size_t at)
{
	uint_put(eb->arch->fmt, (u8 *)eb->b.p + at, 4, eb->b.len - at - 4);
}

static inline u64 eb_addr(const struct eb *eb, size_t off)
{
	return eb->base + off;
}

static inline size_t eb_func_off(enum eb_func f)
{
	return EB_CODE + (size_t)f * EB_FUNC_SIZE;
}

static inline u64 eb_func_addr(const struct eb *eb, enum eb_func f)
{
	return eb_addr(eb, eb_func_off(f));
}

/* A section begins here; eb_end() closes it. */
static inline GElf_Shdr *eb_begin(struct eb *eb, const char *name, u32 type, bool alloc)
{
	struct eb_section *s = &eb->sections[++eb->n_sections];

	assert_true(eb->n_sections < EB_SECTIONS_MAX);
	eb_pad(eb, 16);
	*s = (struct eb_section){ name, { .sh_type = type, .sh_flags = alloc ? SHF_ALLOC : 0, .sh_offset = eb->b.len,
					  .sh_addr = alloc ? eb_addr(eb, eb->b.len) : 0, .sh_addralign = 8 } };
	return &s->sh;
}

static inline GElf_Shdr *eb_end(struct eb *eb)
{
	GElf_Shdr *sh = &eb->sections[eb->n_sections].sh;

	sh->sh_size = eb->b.len - sh->sh_offset;
	return sh;
}

static inline void eb_phdr(struct eb *eb, u32 type, const GElf_Shdr *sh)
{
	eb->phdrs[eb->n_phdrs++] = (GElf_Phdr){
		.p_type = type, .p_flags = PF_R, .p_offset = sh->sh_offset, .p_vaddr = sh->sh_addr, .p_paddr = sh->sh_addr,
		.p_filesz = sh->sh_size, .p_memsz = sh->sh_size, .p_align = 4,
	};
}

/* ---- call frame information */

static inline u8 eb_dwarf(const struct arch *a, s32 index)
{
	return (u8)a->gregs.regs[index].dwarf;
}

/* The column of the return address: the psABIs' DWARF register numbers. */
static inline u8 eb_ra(const struct arch *a)
{
	switch (a->machine) {
	case EM_X86_64: return 16;
	case EM_386: return 8;
	case EM_S390: return 14;
	default: return eb_dwarf(a, (a->frame.known || a->frame.kept) && a->frame.lr >= 0 ? a->frame.lr : a->pc);
	}
}

/* What is added to the stack pointer to get the canonical frame address. */
static inline u64 eb_cfa(const struct arch *a)
{
	return EB_FRAME + a->frame.cfa_above_sp;
}

static inline size_t eb_cie(struct eb *eb, bool eh, bool is_signal)
{
	const struct arch *a = eb->arch;
	size_t at = eb->b.len;

	eb_uint(eb, 4, 0);
	eb_uint(eb, 4, eh ? 0 : UINT32_MAX);
	eb_uint(eb, 1, 1);
	eb_text(eb, eh ? is_signal ? "zRS" : "zR" : "");
	eb_uleb(eb, 1);
	eb_uint(eb, 1, 0x80 - a->word);	/* data alignment: minus a word */
	eb_uint(eb, 1, eb_ra(a));
	if (eh) {
		eb_uleb(eb, 1);
		eb_uint(eb, 1, DW_EH_PE_pcrel | DW_EH_PE_sdata4);
	}
	eb_uint(eb, 1, DW_CFA_def_cfa);
	eb_uleb(eb, eb_dwarf(a, a->sp));
	eb_uleb(eb, eb_cfa(a));
	eb_uint(eb, 1, DW_CFA_offset_extended);
	eb_uleb(eb, eb_ra(a));
	eb_uleb(eb, 1);
	eb_pad(eb, a->word);
	eb_set_len(eb, at);
	return at;
}

static inline size_t eb_fde(struct eb *eb, bool eh, size_t cie, size_t cie_base, enum eb_func f)
{
	size_t at = eb->b.len;

	eb_uint(eb, 4, 0);
	eb_uint(eb, 4, eh ? eb->b.len - cie : cie - cie_base);
	if (eh) {
		eb_uint(eb, 4, eb_func_off(f) - eb->b.len);
		eb_uint(eb, 4, EB_FUNC_SIZE);
		eb_uleb(eb, 0);
	} else {
		eb_word(eb, eb_func_addr(eb, f));
		eb_word(eb, EB_FUNC_SIZE);
	}
	if (eb_funcs[f].is_first) {
		eb_uint(eb, 1, DW_CFA_undefined);
		eb_uleb(eb, eb_ra(eb->arch));
	}
	eb_pad(eb, eb->arch->word);
	eb_set_len(eb, at);
	return at;
}

static inline void eb_frames(struct eb *eb)
{
	size_t cie[2], fde[EB_FUNCS] = { 0 }, frames, hdr, n = 0;

	frames = eb_begin(eb, ".eh_frame", SHT_PROGBITS, true)->sh_offset;
	cie[0] = eb_cie(eb, true, false);
	cie[1] = eb_cie(eb, true, true);
	for (unsigned f = 0; f < EB_FUNCS; f++)
		if (!eb_funcs[f].debug_frame) {
			fde[f] = eb_fde(eb, true, cie[eb_funcs[f].is_signal], 0, f);
			n++;
		}
	eb_uint(eb, 4, 0);
	eb_end(eb);
	hdr = eb_begin(eb, ".eh_frame_hdr", SHT_PROGBITS, true)->sh_offset;
	eb_raw(eb, "\1\x1b\3\x3b", 4);
	eb_uint(eb, 4, frames - eb->b.len);
	eb_uint(eb, 4, n);
	for (unsigned f = 0; f < EB_FUNCS; f++)
		if (fde[f]) {
			eb_uint(eb, 4, eb_func_off(f) - hdr);
			eb_uint(eb, 4, fde[f] - hdr);
		}
	eb_phdr(eb, PT_GNU_EH_FRAME, eb_end(eb));
	eb_begin(eb, ".debug_frame", SHT_PROGBITS, false);
	cie[0] = eb_cie(eb, false, false);
	for (unsigned f = 0; f < EB_FUNCS; f++)
		if (eb_funcs[f].debug_frame)
			eb_fde(eb, false, cie[0], cie[0], f);
	eb_end(eb);
}

/* ---- names */

static inline void eb_symbols(struct eb *eb, const char *names, const char *table, bool dynamic)
{
	GElf_Shdr *str = eb_begin(eb, names, SHT_STRTAB, dynamic), *sym;
	size_t name[EB_FUNCS];

	eb_uint(eb, 1, 0);
	for (unsigned f = 0; f < EB_FUNCS; f++) {
		name[f] = eb->b.len - str->sh_offset;
		eb_text(eb, eb_funcs[f].name);
	}
	eb_end(eb);
	sym = eb_begin(eb, table, dynamic ? SHT_DYNSYM : SHT_SYMTAB, dynamic);
	sym->sh_link = (u32)eb->n_sections - 1;
	sym->sh_info = 1;
	sym->sh_entsize = eb->arch->word == 8 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
	eb_raw(eb, (u8[sizeof(Elf64_Sym)]){ 0 }, sym->sh_entsize);
	for (unsigned f = 0; f < EB_FUNCS; f++) {
		eb_uint(eb, 4, name[f]);
		if (eb->arch->word == 4) {
			eb_word(eb, eb_func_addr(eb, f));
			eb_word(eb, EB_FUNC_SIZE);
		}
		eb_uint(eb, 1, GELF_ST_INFO(STB_GLOBAL, STT_FUNC));
		eb_uint(eb, 1, 0);
		eb_uint(eb, 2, 1);
		if (eb->arch->word == 8) {
			eb_word(eb, eb_func_addr(eb, f));
			eb_word(eb, EB_FUNC_SIZE);
		}
	}
	eb_end(eb);
}

static inline void eb_dyn(struct eb *eb, u64 tag, u64 value)
{
	eb_word(eb, tag);
	eb_word(eb, value);
}

static inline void eb_dynamic(struct eb *eb)
{
	const GElf_Shdr *str, *sym;
	GElf_Shdr *hash, *dyn;
	u32 syms;

	eb_symbols(eb, ".dynstr", ".dynsym", true);
	syms = (u32)eb->n_sections;
	str = &eb->sections[syms - 1].sh;
	sym = &eb->sections[syms].sh;
	hash = eb_begin(eb, ".hash", SHT_HASH, true);
	hash->sh_link = syms;
	hash->sh_entsize = 4;
	/* One bucket, and in its chain all symbols. */
	eb_uint(eb, 4, 1);
	eb_uint(eb, 4, EB_FUNCS + 1);
	for (unsigned i = 1; i <= EB_FUNCS + 2; i++)
		eb_uint(eb, 4, i > EB_FUNCS + 1 ? 0 : i % (EB_FUNCS + 1));
	eb_end(eb);
	dyn = eb_begin(eb, ".dynamic", SHT_DYNAMIC, true);
	dyn->sh_link = syms - 1;
	dyn->sh_entsize = 2 * eb->arch->word;
	eb_dyn(eb, DT_DEBUG, eb->r_debug);
	eb_dyn(eb, DT_HASH, hash->sh_addr);
	eb_dyn(eb, DT_SYMTAB, sym->sh_addr);
	eb_dyn(eb, DT_STRTAB, str->sh_addr);
	eb_dyn(eb, DT_STRSZ, str->sh_size);
	eb_dyn(eb, DT_SYMENT, sym->sh_entsize);
	eb_dyn(eb, DT_NULL, 0);
	eb_phdr(eb, PT_DYNAMIC, eb_end(eb));
}
