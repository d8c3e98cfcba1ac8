/*
 * stackbuild.h - a core whose program is in its memory, with a stack that its tables unwind and a list of libraries.
 *
 * The program of elfbuild.h is at CB_TEXT, saved whole.  Both threads are in its
 * "leaf", called by "caller"; that was called by a signal, which met "plain", whose
 * caller is "_start".  In the heap are the dynamic linker's structures.
 */
#pragma once

#include "elfbuild.h"

#include "unwind/frame/frame.h"

enum {
	SB_SP = CB_STACK + 0x1000,	/* of the innermost frame */
	SB_R_DEBUG = CB_HEAP + 0x100,
	SB_LINKS = CB_HEAP + 0x200,	/* struct link_map, SB_LINK_SIZE each */
	SB_LINK_SIZE = 0x40,
	SB_NAMES = CB_HEAP + 0x800,	/* SB_NAME_SIZE each */
	SB_NAME_SIZE = 0x40,
	SB_LIB = CB_TEXT + 0x100000,	/* only in the list: nothing is saved there but data */
};

struct sb {
	struct cb cb;
	struct eb eb;
	struct buf file;	/* after sb_write() */
	u64 pac;		/* what return addresses are signed with */
};

/* What is executed next in each frame, the innermost first. */
static const struct {
	enum eb_func f;
	u64 off;
} sb_frames[] = { { EB_LEAF, 0x10 }, { EB_CALLER, EB_CALL_AT }, { EB_TRAMP, 0 }, { EB_PLAIN, 0 }, { EB_START, 0x30 } };
enum { SB_FRAMES = sizeof(sb_frames) / sizeof(sb_frames[0]) };

static inline u64 sb_pc(unsigned i)
{
	return CB_TEXT + eb_func_off(sb_frames[i].f) + sb_frames[i].off;
}

static inline void sb_set_reg(struct sb *s, struct cb_note *n, u16 index, u64 value)
{
	const struct arch *a = &s->cb.arch;
	const struct reg *r = &a->gregs.regs[index];
	struct prstatus st;
	struct err e;

	cb_ok(prstatus_get(a, (struct bytes){ .p = n->desc.p, .len = n->desc.len }, &st, &e), &e);
	uint_put(a->fmt, n->desc.p + (st.regs.p - n->desc.p) + r->off, r->size, value);
}

static inline void sb_registers(struct sb *s)
{
	for (int i = 0; i < 2; i++) {
		struct cb_note *n = cb_note_at(&s->cb, NT_PRSTATUS, i);

		sb_set_reg(s, n, s->cb.arch.pc, sb_pc(0));
		sb_set_reg(s, n, s->cb.arch.sp, SB_SP);
		if (s->cb.arch.frame.known && s->cb.arch.frame.fp >= 0)
			sb_set_reg(s, n, s->cb.arch.frame.fp, SB_SP);
	}
}

static inline void sb_auxv(struct sb *s)
{
	const u64 v[][2] = {
		{ AT_PAGESZ, CB_PAGE }, { AT_PHDR, CB_TEXT + elffmt_ehdr_size(s->cb.arch.fmt) }, { AT_PHNUM, s->eb.n_phdrs },
		{ AT_ENTRY, CB_TEXT + eb_func_off(EB_START) }, { AT_NULL, 0 },
	};
	struct cb_note *n = cb_note_at(&s->cb, NT_AUXV, 0);

	n->desc.len = 0;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		cb_long(&s->cb, &n->desc, v[i][0]);
		cb_long(&s->cb, &n->desc, v[i][1]);
	}
}

/* NT_FILE, of which the program is from its first byte on. */
static inline void sb_nt_file(struct sb *s)
{
	struct cb_note *n = cb_note_at(&s->cb, NT_FILE, 0);

	uint_put(s->cb.arch.fmt, n->desc.p + 4 * s->cb.arch.word, s->cb.arch.word, 0);
}

/* @type ET_EXEC or, with addresses from 0 on, ET_DYN; @calls: struct eb. */
cb_unused static void sb_begin_calls(struct sb *s, u16 machine, struct elffmt fmt, u16 type, bool calls)
{
	*s = (struct sb){ 0 };
	cb_good(&s->cb, machine, fmt);
	s->eb = (struct eb){ .arch = &s->cb.arch, .type = type, .base = type == ET_EXEC ? CB_TEXT : 0, .r_debug = SB_R_DEBUG,
			      .calls = calls };
	eb_make(&s->eb);
	s->cb.segs[1].p_filesz = 2 * CB_PAGE;
	cb_seg_add(&s->cb, PT_LOAD, PF_R | PF_W, SB_LIB + CB_PAGE, CB_PAGE, CB_PAGE);
	sb_registers(s);
	sb_auxv(s);
	sb_nt_file(s);
}

/* The program made anew, with its strings in sections of their own. */
cb_unused static void sb_use_strings(struct sb *s)
{
	const struct eb was = s->eb;

	eb_fini(&s->eb);
	s->eb = (struct eb){ .arch = was.arch, .base = was.base, .type = was.type, .r_debug = was.r_debug,
			      .calls = was.calls, .dwarf5 = true };
	eb_make(&s->eb);
}

cb_unused static void sb_begin(struct sb *s, u16 machine, struct elffmt fmt, u16 type)
{
	sb_begin_calls(s, machine, fmt, type, false);
}

/* Changes saved bytes in the written file. */
cb_unused static void sb_poke(struct sb *s, u64 addr, const void *p, size_t len)
{
	const struct cb *cb = &s->cb;

	for (size_t i = 1; i < cb->n_segs; i++)
		if (cb->segs[i].p_type == PT_LOAD && addr >= cb->segs[i].p_vaddr &&
		    addr - cb->segs[i].p_vaddr + len <= cb->data_len[i]) {
			memcpy(s->file.p + cb->data_at[i] + (addr - cb->segs[i].p_vaddr), p, len);
			return;
		}
	fail_msg("nothing is saved at %#llx", (unsigned long long)addr);
}

cb_unused static void sb_poke_word(struct sb *s, u64 addr, u64 value)
{
	u8 raw[8];

	uint_put(s->cb.arch.fmt, raw, s->cb.arch.word, value);
	sb_poke(s, addr, raw, s->cb.arch.word);
}

/* Entry @i of the list; @next is the index of the next, or -1. */
cb_unused static void sb_link(struct sb *s, unsigned i, u64 base, const char *name, u64 ld, int next)
{
	u64 at = SB_LINKS + i * SB_LINK_SIZE, word = s->cb.arch.word;

	sb_poke_word(s, at, base);
	sb_poke_word(s, at + word, SB_NAMES + i * SB_NAME_SIZE);
	sb_poke_word(s, at + 2 * word, ld);
	sb_poke_word(s, at + 3 * word, next < 0 ? 0 : SB_LINKS + (unsigned)next * SB_LINK_SIZE);
	sb_poke(s, SB_NAMES + i * SB_NAME_SIZE, name, strlen(name) + 1);
}

static inline void sb_links(struct sb *s)
{
	sb_poke_word(s, SB_R_DEBUG, 1);
	sb_poke_word(s, SB_R_DEBUG + s->cb.arch.word, SB_LINKS);
	sb_link(s, 0, 0, "", CB_TEXT, 1);
	sb_link(s, 1, SB_LIB, "/lib/libgone.so", SB_LIB + CB_PAGE + 0x80, -1);
}

static inline void sb_stack(struct sb *s)
{
	for (unsigned i = 0; i + 1 < SB_FRAMES; i++) {
		u64 cfa = SB_SP + i * EB_FRAME + eb_cfa(&s->cb.arch);

		sb_poke_word(s, cfa - s->cb.arch.word, sb_pc(i + 1) | s->pac);
	}
}

/* Lays the core out and makes its bytes. */
cb_unused static void sb_write(struct sb *s)
{
	cb_layout(&s->cb);
	cb_write(&s->cb, &s->file);
	sb_poke(s, CB_TEXT, s->eb.b.p, (size_t)s->cb.data_len[1]);
	sb_links(s);
	sb_stack(s);
}

cb_unused static void sb_fini(struct sb *s)
{
	buf_fini(&s->file);
	eb_fini(&s->eb);
	cb_fini(&s->cb);
}

/* ---- the core opened, and ready to be unwound */

struct sb_open {
	struct sb s;
	struct core core;
	struct unwind *u;
	char path[32];
	int fd;
};

/* Writes and opens @o->s.  No file is found but opts->exe, unless there is a sysroot. */
cb_unused static void sb_open(struct sb_open *o, const struct unwind_opts *opts)
{
	struct unwind_opts mine = *opts;
	struct err e = { 0 };

	if (!mine.sysroot)
		mine.sysroot = "/proc/self/ns";
	mine.debuginfo_path = "";
	sb_write(&o->s);
	o->core = (struct core){ 0 };
	o->fd = cb_file_of(&o->s.file, o->path);
	cb_ok(core_open(&o->core, o->path, &e), &e);
	cb_ok(unwind_open(&o->u, &o->core, &mine, &e), &e);
}

cb_unused static void sb_close(struct sb_open *o)
{
	unwind_close(o->u);
	core_close(&o->core);
	close(o->fd);
	sb_fini(&o->s);
}
