/* osbuild.h - threads of systems other than Linux, with registers at the places that their headers document. */
#pragma once

#include "corebuild.h"

/* Puts @len bytes at @at of a note's descriptor, which grows to that. */
cb_unused static void ob_put(struct cb_note *n, size_t at, const void *p, size_t len)
{
	struct err e;

	if (n->desc.len < at + len)
		cb_ok(buf_zero(&n->desc, at + len - n->desc.len, &e), &e);
	memcpy(n->desc.p + at, p, len);
}

cb_unused static void ob_uint(struct cb *cb, struct cb_note *n, size_t at, unsigned size, u64 value)
{
	u8 raw[8];

	uint_put(cb->arch.fmt, raw, size, value);
	ob_put(n, at, raw, size);
}

/*
 * A system on a machine: the note that has the general registers, its size, and
 * where pc, sp and the frame pointer (0: not recorded) are in it.
 */
struct ob_system {
	enum core_kind kind;
	u16 machine;
	u8 class, data;
	u32 type;
	u16 size, pc, sp, fp;
};
#define OB_LE64 ELFCLASS64, ELFDATA2LSB
#define OB_BE64 ELFCLASS64, ELFDATA2MSB
#define OB_LE32 ELFCLASS32, ELFDATA2LSB
#define OB_BE32 ELFCLASS32, ELFDATA2MSB

cb_unused static const struct ob_system ob_systems[] = {
	/* sys/sys/procfs.h: pr_reg at 48 or 28; sys/amd64/include/reg.h and its sisters. */
	{ CORE_FREEBSD, EM_X86_64, OB_LE64, 1, 48 + 176, 184, 208, 128 },
	{ CORE_FREEBSD, EM_386, OB_LE32, 1, 28 + 76, 80, 92, 48 },
	{ CORE_FREEBSD, EM_AARCH64, OB_LE64, 1, 48 + 272, 304, 296, 280 },
	{ CORE_FREEBSD, EM_ARM, OB_LE32, 1, 28 + 68, 88, 80, 0 },
	{ CORE_FREEBSD, EM_RISCV, OB_LE64, 1, 48 + 264, 296, 56, 136 },
	{ CORE_FREEBSD, EM_MIPS, OB_BE32, 1, 28 + 160, 176, 144, 0 },
	{ CORE_FREEBSD, EM_MIPS, OB_BE64, 1, 48 + 320, 344, 280, 0 },
	{ CORE_FREEBSD, EM_PPC, OB_BE32, 1, 28 + 148, 172, 32, 0 },
	{ CORE_FREEBSD, EM_PPC64, OB_BE64, 1, 48 + 296, 336, 56, 0 },
	{ CORE_FREEBSD, EM_PPC64, OB_LE64, 1, 48 + 296, 336, 56, 0 },
	{ CORE_FREEBSD, EM_SPARCV9, OB_BE64, 1, 48 + 256, 248, 160, 0 },
	/* The whole note is struct reg: sys/arch/amd64/include/reg.h and its sisters. */
	{ CORE_NETBSD, EM_X86_64, OB_LE64, 33, 208, 168, 192, 96 },
	{ CORE_NETBSD, EM_386, OB_LE32, 33, 64, 32, 16, 20 },
	{ CORE_NETBSD, EM_AARCH64, OB_LE64, 32, 280, 256, 248, 232 },
	{ CORE_NETBSD, EM_ARM, OB_LE32, 33, 68, 60, 52, 0 },
	{ CORE_NETBSD, EM_MIPS, OB_BE32, 33, 152, 148, 116, 0 },
	{ CORE_NETBSD, EM_MIPS, OB_LE64, 33, 304, 296, 232, 0 },
	{ CORE_NETBSD, EM_PPC, OB_BE32, 33, 148, 144, 4, 0 },
	{ CORE_NETBSD, EM_RISCV, OB_LE64, 32, 256, 248, 8, 56 },
	{ CORE_NETBSD, EM_ALPHA, OB_LE64, 32, 264, 248, 240, 0 },
	{ CORE_NETBSD, EM_SPARC, OB_BE32, 32, 80, 4, 72, 0 },
	{ CORE_NETBSD, EM_SPARCV9, OB_BE64, 32, 160, 8, 144, 0 },
	{ CORE_NETBSD, EM_68K, OB_BE32, 33, 72, 68, 60, 56 },
	{ CORE_NETBSD, EM_PARISC, OB_BE32, 33, 188, 140, 120, 0 },
	{ CORE_OPENBSD, EM_X86_64, OB_LE64, 20, 192, 128, 120, 96 },
	{ CORE_OPENBSD, EM_386, OB_LE32, 20, 64, 32, 16, 20 },
	{ CORE_OPENBSD, EM_AARCH64, OB_LE64, 20, 280, 256, 248, 232 },
	{ CORE_OPENBSD, EM_ARM, OB_LE32, 20, 68, 60, 52, 0 },
	{ CORE_OPENBSD, EM_MIPS, OB_BE64, 20, 584, 296, 232, 0 },
	{ CORE_OPENBSD, EM_PPC, OB_BE32, 20, 412, 384, 4, 0 },
	{ CORE_OPENBSD, EM_PPC64, OB_BE64, 20, 312, 288, 8, 0 },
	{ CORE_OPENBSD, EM_RISCV, OB_LE64, 20, 264, 248, 8, 88 },
	{ CORE_OPENBSD, EM_SPARCV9, OB_BE64, 20, 288, 8, 144, 0 },
	{ CORE_OPENBSD, EM_SPARCV9, OB_BE64, 20, 832, 8, 160, 0 },
	/* BFD, elf.c: elfcore_grok_solaris_note_impl(): lwpstatus_t, then the old prstatus_t. */
	{ CORE_SOLARIS, EM_X86_64, OB_LE64, 16, 1296, 680, 704, 624 },
	{ CORE_SOLARIS, EM_386, OB_LE32, 16, 800, 400, 412, 368 },
	{ CORE_SOLARIS, EM_SPARC, OB_BE32, 16, 896, 476, 400, 0 },
	{ CORE_SOLARIS, EM_SPARCV9, OB_BE64, 16, 1392, 808, 656, 0 },
	{ CORE_SOLARIS, EM_X86_64, OB_LE64, 1, 824, 736, 760, 680 },
	{ CORE_SOLARIS, EM_386, OB_LE32, 1, 432, 412, 424, 380 },
	{ CORE_SOLARIS, EM_SPARC, OB_BE32, 1, 508, 488, 412, 0 },
	{ CORE_SOLARIS, EM_SPARCV9, OB_BE64, 1, 904, 864, 712, 0 },
};

enum { OB_PID = 4321, OB_UID = 1000, OB_TID1 = 101, OB_TID2 = 102 };

static inline bool ob_is_wide(const struct cb *cb)
{
	return cb->arch.fmt.class == ELFCLASS64;
}

/* The process, and its signal where that is not in a thread's note, for thread @taker. */
static inline void ob_process(struct cb *cb, enum core_kind kind, u32 signo, s32 code, s32 taker)
{
	bool wide = ob_is_wide(cb);
	struct cb_note *n = NULL;

	switch ((int)kind) {
	case CORE_FREEBSD:
		n = cb_note_add(cb, "FreeBSD", NT_PRPSINFO, NULL, 0);
		ob_uint(cb, n, wide ? 116 : 108, 4, OB_PID);
		ob_put(n, wide ? 16 : 8, "vi", 3);
		ob_uint(cb, n, 0, 4, 1);
		break;
	case CORE_OPENBSD:
		n = cb_note_add(cb, "OpenBSD", NT_OPENBSD_PROCINFO, NULL, 0);
		ob_uint(cb, n, 32, 4, OB_PID);
		ob_put(n, 72 + 31, "", 1);
		ob_put(n, 72, "vi", 3);
		break;
	case CORE_NETBSD:
		n = cb_note_add(cb, "NetBSD-CORE", NT_NETBSD_PROCINFO, NULL, 0);
		ob_uint(cb, n, 80, 4, OB_PID);
		ob_put(n, 124, "vi", 3);
		ob_uint(cb, n, 4, 4, 160);
		ob_uint(cb, n, 156, 4, (u32)taker);
		break;
	case CORE_SOLARIS:
		n = cb_note_add(cb, "CORE", NT_SOLARIS_PSINFO, NULL, 0);
		ob_uint(cb, n, 8, 4, OB_PID);
		ob_put(n, wide ? 439 : 359, "", 1);
		ob_put(n, wide ? 136 : 88, "vi", 3);
		break;
	}
	if (kind == CORE_OPENBSD || kind == CORE_NETBSD) {
		ob_uint(cb, n, 8, 4, signo);
		ob_uint(cb, n, 12, 4, (u32)code);
	}
}

static inline const char *ob_owner(enum core_kind kind, s32 tid)
{
	return kind == CORE_FREEBSD ? "FreeBSD" : kind == CORE_SOLARIS ? "CORE" :
	       kind == CORE_OPENBSD ? tid == OB_TID1 ? "OpenBSD@101" : "OpenBSD@102" :
	       tid == OB_TID1 ? "NetBSD-CORE@101" : "NetBSD-CORE@102";
}

/* @signo and @code of the thread's own note, where the system has one. */
static inline void ob_thread_signal(struct cb *cb, const struct ob_system *s, struct cb_note *n, s32 tid, u32 signo,
				    s32 code)
{
	bool wide = ob_is_wide(cb), old = s->type == NT_PRSTATUS;

	if (s->kind == CORE_FREEBSD) {
		ob_uint(cb, n, wide ? 36 : 20, 4, signo);
		ob_uint(cb, n, wide ? 40 : 24, 4, (u32)tid);
	}
	if (s->kind != CORE_SOLARIS)
		return;
	ob_uint(cb, n, !old ? 4 : wide ? 520 : 308, 4, (u32)tid);
	ob_uint(cb, n, !old ? 12 : wide ? 264 : 136, 2, signo);
	ob_uint(cb, n, old ? 8 : 16, 4, signo);
	ob_uint(cb, n, old ? 12 : 20, 4, (u32)code);
}

/* A thread, whose pc, sp and frame pointer are these. */
static inline struct cb_note *ob_thread(struct cb *cb, const struct ob_system *s, s32 tid, u64 pc, u64 sp, u32 signo,
					s32 code)
{
	unsigned word = ob_is_wide(cb) ? 8 : 4;
	struct cb_note *n = cb_note_add(cb, ob_owner(s->kind, tid), s->type, NULL, 0);

	ob_put(n, s->size - 1u, "", 1);
	ob_thread_signal(cb, s, n, tid, signo, code);
	ob_uint(cb, n, s->pc, word, pc);
	ob_uint(cb, n, s->sp, word, sp);
	if (s->fp)
		ob_uint(cb, n, s->fp, word, sp);
	return n;
}

/* The row for a system on a machine; there is one. */
static inline const struct ob_system *ob_find(enum core_kind kind, u16 machine)
{
	const struct ob_system *s = ob_systems;

	while (s->kind != kind || s->machine != machine)
		s++;
	return s;
}

/* A core of the system on that machine, without notes, and with a segment of text. */
cb_unused static void ob_begin(struct cb *cb, const struct ob_system *s)
{
	struct elffmt fmt = { s->class, s->data };

	*cb = (struct cb){ .arch = cb_arch(s->machine, fmt, 0) };
	cb->ehdr = (GElf_Ehdr){ .e_ident = { 0x7f, 'E', 'L', 'F', fmt.class, fmt.data, EV_CURRENT },
				.e_type = ET_CORE, .e_machine = s->machine, .e_version = EV_CURRENT };
	cb_seg_add(cb, PT_NOTE, 0, 0, 0, 0);
	cb_seg_add(cb, PT_LOAD, PF_R | PF_X, CB_TEXT, CB_PAGE, 2 * CB_PAGE);
}
