/*
 * elfbuild.h - makes a small program in memory, of any class and byte order, with all that backtraces are read from.
 *
 * Two pages, mapped whole by one PT_LOAD: headers, functions (of no instructions),
 * then the sections.  Every function has a frame of EB_FRAME bytes with its return
 * address in the last word below the canonical frame address, and its table in
 * .eh_frame, or in .debug_frame: eb_funcs[].
 */
#pragma once

#include "elfparts.h"

/* ---- DWARF 4 or 5: a source file, and a function inlined into "leaf" */

/* Where it is, or of DWARF 5 in @strings. */
static inline void eb_string(struct eb *eb, struct buf *strings, const char *text)
{
	struct err e;

	if (!eb->dwarf5) {
		eb_text(eb, text);
		return;
	}
	eb_uint(eb, 4, strings->len);
	cb_ok(buf_add(strings, text, strlen(text) + 1, &e), &e);
}

static inline void eb_name(struct eb *eb, const char *text)
{
	eb_string(eb, &eb->str, text);
}

static inline void eb_path(struct eb *eb, const char *text)
{
	eb_string(eb, &eb->line_str, text);
}

static inline void eb_strings(struct eb *eb, const char *section, const struct buf *strings)
{
	eb_begin(eb, section, SHT_PROGBITS, false);
	eb_raw(eb, strings->p, strings->len);
	eb_end(eb);
}

static inline void eb_abbrev(struct eb *eb)
{
	const u8 name = eb->dwarf5 ? DW_FORM_strp : DW_FORM_string, path = eb->dwarf5 ? DW_FORM_line_strp : DW_FORM_string;
	const u8 bytes[] = {
		1, DW_TAG_compile_unit, 1, DW_AT_name, path, DW_AT_stmt_list, DW_FORM_sec_offset,
			DW_AT_low_pc, DW_FORM_addr, DW_AT_high_pc, DW_FORM_data4, DW_AT_comp_dir, path, 0, 0,
		2, DW_TAG_subprogram, 0, DW_AT_name, name, DW_AT_inline, DW_FORM_data1, 0, 0,
		3, DW_TAG_subprogram, 1, DW_AT_name, name, DW_AT_low_pc, DW_FORM_addr,
			DW_AT_high_pc, DW_FORM_data4, DW_AT_linkage_name, name, 0, 0,
		4, DW_TAG_inlined_subroutine, 0, DW_AT_abstract_origin, DW_FORM_ref4, DW_AT_low_pc, DW_FORM_addr,
			DW_AT_high_pc, DW_FORM_data4, DW_AT_call_file, DW_FORM_data1, DW_AT_call_line, DW_FORM_data1,
			DW_AT_call_column, DW_FORM_data1, 0, 0,
		5, DW_TAG_namespace, 1, 0, 0,
		/* DW_TAG_GNU_call_site, without and with DW_AT_GNU_tail_call; DW_AT_GNU_all_call_sites. */
		6, 0x89, 0x82, 1, 0, DW_AT_low_pc, DW_FORM_addr, DW_AT_abstract_origin, DW_FORM_ref4, 0, 0,
		7, 0x89, 0x82, 1, 0, DW_AT_low_pc, DW_FORM_addr, DW_AT_abstract_origin, DW_FORM_ref4,
			0x95, 0x42, DW_FORM_flag_present, 0, 0,
		8, DW_TAG_subprogram, 1, DW_AT_name, name, DW_AT_low_pc, DW_FORM_addr,
			DW_AT_high_pc, DW_FORM_data4, 0x97, 0x42, DW_FORM_flag_present, 0, 0,
		0,
	};

	eb_begin(eb, ".debug_abbrev", SHT_PROGBITS, false);
	eb_raw(eb, bytes, sizeof(bytes));
	eb_end(eb);
}

/* A call of abbreviation @abbrev in @f, which returns to @off; gives the place of the reference to what it calls. */
static inline size_t eb_call(struct eb *eb, u64 abbrev, enum eb_func f, u64 off, size_t called)
{
	size_t at;

	eb_uleb(eb, abbrev);
	eb_word(eb, eb_func_addr(eb, f) + off);
	at = eb->b.len;
	eb_uint(eb, 4, called);
	return at;
}

/* @call: the entry of what it calls at EB_CALL_AT, or 0. */
static inline void eb_die_of(struct eb *eb, enum eb_func f, size_t inlined, size_t call)
{
	eb_uleb(eb, 3);
	eb_name(eb, eb_funcs[f].name);
	eb_word(eb, eb_func_addr(eb, f));
	eb_uint(eb, 4, EB_FUNC_SIZE);
	eb_name(eb, eb_funcs[f].name);
	if (inlined) {
		eb_uleb(eb, 4);
		eb_uint(eb, 4, inlined);
		eb_word(eb, eb_func_addr(eb, f));
		eb_uint(eb, 4, EB_FUNC_SIZE / 2);
		eb_raw(eb, "\1\x2a\7", 3);
	}
	if (call)
		eb_call(eb, 6, f, EB_CALL_AT, call);
	eb_uleb(eb, 0);
}

/* The function that is gone. */
static inline size_t eb_die_gone(struct eb *eb)
{
	size_t at;

	eb_uleb(eb, 8);
	eb_name(eb, "plain");
	eb_word(eb, eb_func_addr(eb, EB_PLAIN));
	eb_uint(eb, 4, EB_FUNC_SIZE);
	at = eb_call(eb, 7, EB_PLAIN, EB_TAIL_CALL_AT, 0);
	eb_uleb(eb, 0);
	return at;
}

static inline void eb_info(struct eb *eb)
{
	size_t at = eb_begin(eb, ".debug_info", SHT_PROGBITS, false)->sh_offset, inlined, gone = 0, tail = 0;

	eb_uint(eb, 4, 0);
	eb_uint(eb, 2, eb->dwarf5 ? 5 : 4);
	if (eb->dwarf5) {
		eb_uint(eb, 1, DW_UT_compile);
		eb_uint(eb, 1, eb->arch->word);
	}
	eb_uint(eb, 4, 0);
	if (!eb->dwarf5)
		eb_uint(eb, 1, eb->arch->word);
	eb_uleb(eb, 1);
	eb_path(eb, "a.c");
	eb_uint(eb, 4, 0);
	eb_word(eb, eb_func_addr(eb, 0));
	eb_uint(eb, 4, EB_FUNCS * EB_FUNC_SIZE);
	eb_path(eb, "/top");
	inlined = eb->b.len - at;
	eb_uleb(eb, 2);
	eb_name(eb, "tiny");
	eb_uint(eb, 1, DW_INL_inlined);
	if (eb->calls) {
		gone = eb->b.len - at;
		tail = eb_die_gone(eb);
	}
	/* In namespaces, as LLVM puts functions: { { caller } leaf } */
	eb_uleb(eb, 5);
	eb_uleb(eb, 5);
	eb_die_of(eb, EB_CALLER, 0, gone);
	eb_uleb(eb, 0);
	if (eb->calls)
		uint_put(eb->arch->fmt, eb->b.p + tail, 4, eb->b.len - at);
	eb_die_of(eb, EB_LEAF, inlined, 0);
	eb_uleb(eb, 0);
	eb_uleb(eb, 0);
	eb_set_len(eb, at);
	eb_end(eb);
}

/* Without it, libdw finds no compilation unit by address: clang leaves it out. */
static inline void eb_aranges(struct eb *eb)
{
	size_t at = eb_begin(eb, ".debug_aranges", SHT_PROGBITS, false)->sh_offset;

	eb_uint(eb, 4, 0);
	eb_uint(eb, 2, 2);
	eb_uint(eb, 4, 0);
	eb_uint(eb, 1, eb->arch->word);
	eb_uint(eb, 1, 0);
	eb_pad(eb, 2 * eb->arch->word);
	eb_word(eb, eb_func_addr(eb, 0));
	eb_word(eb, EB_FUNCS * EB_FUNC_SIZE);
	eb_word(eb, 0);
	eb_word(eb, 0);
	eb_set_len(eb, at);
	eb_end(eb);
}

/* Directories, then files: the first one of them is of DWARF 5 the unit's, and has no number before. */
static inline void eb_line_paths(struct eb *eb)
{
	if (!eb->dwarf5) {
		eb_raw(eb, "src\0\0a.c\0\1\0\0b.h\0\1\0\0", 19);
		eb_uint(eb, 1, 0);
		return;
	}
	eb_raw(eb, (u8[]){ 1, DW_LNCT_path, DW_FORM_line_strp, 2 }, 4);
	eb_path(eb, "/top");
	eb_path(eb, "src");
	eb_raw(eb, (u8[]){ 2, DW_LNCT_path, DW_FORM_line_strp, DW_LNCT_directory_index, DW_FORM_udata, 3 }, 6);
	for (const char *const *name = (const char *const[]){ "a.c", "a.c", "b.h", NULL }; *name; name++) {
		eb_path(eb, *name);
		eb_uleb(eb, 1);
	}
}

static inline void eb_line(struct eb *eb)
{
	static const u8 lengths[] = { 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1 };
	size_t at = eb_begin(eb, ".debug_line", SHT_PROGBITS, false)->sh_offset, header;

	eb_uint(eb, 4, 0);
	eb_uint(eb, 2, eb->dwarf5 ? 5 : 4);
	if (eb->dwarf5) {
		eb_uint(eb, 1, eb->arch->word);
		eb_uint(eb, 1, 0);
	}
	header = eb->b.len;
	eb_uint(eb, 4, 0);
	eb_raw(eb, "\1\1\1\xfb\x0e\x0d", 6);
	eb_raw(eb, lengths, sizeof(lengths));
	eb_line_paths(eb);
	eb_set_len(eb, header);
	eb_uint(eb, 1, 0);
	eb_uleb(eb, 1 + eb->arch->word);
	eb_uint(eb, 1, DW_LNE_set_address);
	eb_word(eb, eb_func_addr(eb, 0));
	for (unsigned i = 0; i < 16; i++)
		eb_uint(eb, 1, 0x4c + i);	/* some lines and some instructions on */
	eb_uint(eb, 1, DW_LNS_advance_pc);
	eb_uleb(eb, EB_FUNCS * EB_FUNC_SIZE);
	eb_raw(eb, "\0\1\1", 3);
	eb_set_len(eb, at);
	eb_end(eb);
}

/* ---- the file */

static inline void eb_note(struct eb *eb)
{
	u8 id[20];
	struct err e;

	memset(id, EB_BUILD_ID, sizeof(id));
	/* With 8 it would be a note of another kind: gABI, "Note Section". */
	eb_begin(eb, ".note.gnu.build-id", SHT_NOTE, true)->sh_addralign = 4;
	cb_ok(note_put(&eb->b, eb->arch->fmt, "GNU", NT_GNU_BUILD_ID, id, sizeof(id), &e), &e);
	eb_phdr(eb, PT_NOTE, eb_end(eb));
}

static inline void eb_headers(struct eb *eb, u64 shoff)
{
	struct elffmt fmt = eb->arch->fmt;
	GElf_Ehdr eh = {
		.e_ident = { 0x7f, 'E', 'L', 'F', fmt.class, fmt.data, EV_CURRENT }, .e_type = eb->type,
		.e_machine = eb->arch->machine, .e_version = EV_CURRENT, .e_phoff = elffmt_ehdr_size(fmt), .e_shoff = shoff,
		.e_ehsize = (u16)elffmt_ehdr_size(fmt), .e_phentsize = (u16)elffmt_phdr_size(fmt), .e_phnum = eb->n_phdrs,
		.e_shentsize = (u16)elffmt_shdr_size(fmt), .e_shnum = (u16)eb->n_sections + 1,
		.e_shstrndx = (u16)eb->n_sections, .e_entry = eb_func_addr(eb, EB_START), .e_flags = eb->arch->flags,
	};
	struct buf h = { 0 };
	struct err e;

	cb_ok(elffmt_put_ehdr(fmt, &eh, &h, &e), &e);
	for (u16 i = 0; i < eb->n_phdrs; i++)
		cb_ok(elffmt_put_phdr(fmt, &eb->phdrs[i], &h, &e), &e);
	assert_true(h.len <= EB_CODE);
	memcpy((u8 *)eb->b.p, h.p, h.len);
	buf_fini(&h);
}

static inline void eb_section_headers(struct eb *eb)
{
	GElf_Shdr *str = eb_begin(eb, ".shstrtab", SHT_STRTAB, false);
	struct err e;
	u64 at;

	eb_uint(eb, 1, 0);
	for (size_t i = 1; i <= eb->n_sections; i++) {
		eb->sections[i].sh.sh_name = (u32)(eb->b.len - str->sh_offset);
		eb_text(eb, eb->sections[i].name);
	}
	eb_end(eb);
	eb_pad(eb, 8);
	at = eb->b.len;
	for (size_t i = 0; i <= eb->n_sections; i++)
		cb_ok(elffmt_put_shdr(eb->arch->fmt, &eb->sections[i].sh, &eb->b, &e), &e);
	assert_true(eb->b.len <= EB_SIZE);
	cb_ok(buf_zero(&eb->b, EB_SIZE - eb->b.len, &e), &e);
	eb_headers(eb, at);
}

/* Fill in arch, base, type, r_debug, no_build_id, calls, dwarf5 before. */
cb_unused static void eb_make(struct eb *eb)
{
	const u64 ehdr = elffmt_ehdr_size(eb->arch->fmt);
	const GElf_Shdr whole = { .sh_addr = eb->base, .sh_size = EB_SIZE };
	const GElf_Shdr phdrs = { .sh_offset = ehdr, .sh_addr = eb_addr(eb, ehdr), .sh_size = 5 * elffmt_phdr_size(eb->arch->fmt) };
	struct err e;

	eb_phdr(eb, PT_LOAD, &whole);
	eb->phdrs[0].p_flags = PF_R | PF_X;
	eb->phdrs[0].p_align = CB_PAGE;
	cb_ok(buf_zero(&eb->b, EB_CODE, &e), &e);
	eb_begin(eb, ".text", SHT_PROGBITS, true)->sh_flags |= SHF_EXECINSTR;
	cb_ok(buf_zero(&eb->b, EB_FUNCS * EB_FUNC_SIZE, &e), &e);
	eb_end(eb);
	if (!eb->no_build_id)
		eb_note(eb);
	eb_frames(eb);
	eb_dynamic(eb);
	eb_phdr(eb, PT_PHDR, &phdrs);
	eb_symbols(eb, ".strtab", ".symtab", false);
	eb_abbrev(eb);
	eb_info(eb);
	if (!eb->no_aranges)
		eb_aranges(eb);
	eb_line(eb);
	if (eb->dwarf5) {
		eb_strings(eb, ".debug_str", &eb->str);
		eb_strings(eb, ".debug_line_str", &eb->line_str);
	}
	eb_section_headers(eb);
}

cb_unused static void eb_fini(struct eb *eb)
{
	buf_fini(&eb->b);
	buf_fini(&eb->str);
	buf_fini(&eb->line_str);
}
