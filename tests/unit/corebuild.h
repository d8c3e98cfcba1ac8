/*
 * corebuild.h - makes a small good core in memory, of any class and byte order.
 *
 * Three stages, so that a test can damage any one: cb_good() lists notes and
 * segments, cb_layout() gives them places, cb_write() makes the bytes.
 *
 * Areas: CB_TEXT r-x, two pages of "/bin/prog", of which the first is saved;
 * CB_HEAP rw-, two pages, saved; CB_STACK rw-, two pages, saved.  Two threads.
 * Every saved byte is cb_byte() of its address.  cb_good_mte() adds a tag segment
 * for heap and stack, in which every tag is cb_tag() of its address.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "arch/arch.h"
#include "base/buf.h"
#include "base/uapi.h"
#include "core/core.h"
#include "elf/elffmt.h"
#include "elf/note.h"
#include "elf/tags.h"

#define cb_unused __attribute__((unused))

enum {
	CB_PAGE = 4096,
	CB_TEXT = 0x400000,
	CB_HEAP = 0x600000,
	CB_STACK = 0x700000,
	CB_TID1 = 1001,
	CB_TID2 = 1002,
	CB_NO_MACHINE = 0x7a5a,	/* of no table */
	CB_NOTES_MAX = 24,
};

struct cb_note {
	const char *owner;
	u32 type;
	struct buf desc;
};

struct cb {
	struct arch arch;
	GElf_Ehdr ehdr;
	struct cb_note notes[CB_NOTES_MAX];	/* segment 0 */
	size_t n_notes;
	size_t n_late_notes;	/* so many of the last go into a second PT_NOTE, at the end */
	GElf_Phdr *segs;
	u64 *data_at;		/* where cb_write() puts a segment's bytes, whatever its header says then */
	u64 *data_len;
	size_t n_segs;
	size_t cap;
};

/* What every saved byte is. */
static inline u8 cb_byte(u64 addr)
{
	return (u8)(addr ^ addr >> 8 ^ addr >> 16);
}

/* The tag of the granule there: 0, 1, 2 ... in a page, and another row in the next. */
static inline u8 cb_tag(u64 addr)
{
	return (u8)(addr / TAG_GRANULE + addr / CB_PAGE) & 0xf;
}

static inline bool cb_is_memtag(u32 type)
{
	return type == PT_AARCH64_MEMTAG_MTE || type == CORE_PT_MEMTAG_OLD;
}

static inline void cb_ok(int r, const struct err *e)
{
	if (r < 0)
		fail_msg("%d: %s", r, e->msg);
}

cb_unused static struct cb_note *cb_note_add(struct cb *cb, const char *owner, u32 type, const void *p, size_t len)
{
	struct cb_note *n = &cb->notes[cb->n_notes++];
	struct err e;

	assert_true(cb->n_notes <= CB_NOTES_MAX);
	*n = (struct cb_note){ .owner = owner, .type = type };
	if (len)
		cb_ok(buf_add(&n->desc, p, len, &e), &e);
	return n;
}

/* The @nth (from 0) note of @type. */
cb_unused static struct cb_note *cb_note_at(struct cb *cb, u32 type, int nth)
{
	for (size_t i = 0; i < cb->n_notes; i++)
		if (cb->notes[i].type == type && !nth--)
			return &cb->notes[i];
	fail_msg("no note of type %u", type);
	return NULL;
}

cb_unused static void cb_note_swap(struct cb *cb, size_t i, size_t k)
{
	struct cb_note n = cb->notes[i];

	cb->notes[i] = cb->notes[k];
	cb->notes[k] = n;
}

cb_unused static void cb_note_drop(struct cb *cb, struct cb_note *n)
{
	buf_fini(&n->desc);
	memmove(n, n + 1, (size_t)(cb->notes + cb->n_notes - (n + 1)) * sizeof(*n));
	cb->n_notes--;
}

static inline GElf_Phdr *cb_seg_add(struct cb *cb, u32 type, u32 flags, u64 addr, u64 filesz, u64 memsz)
{
	if (cb->n_segs == cb->cap) {
		cb->cap = cb->cap ? cb->cap * 2 : 8;
		cb->segs = reallocarray(cb->segs, cb->cap, sizeof(*cb->segs));
		cb->data_at = reallocarray(cb->data_at, cb->cap, sizeof(*cb->data_at));
		cb->data_len = reallocarray(cb->data_len, cb->cap, sizeof(*cb->data_len));
		assert_non_null(cb->segs && cb->data_at && cb->data_len ? cb : NULL);
	}
	cb->segs[cb->n_segs] = (GElf_Phdr){ .p_type = type, .p_flags = flags, .p_vaddr = addr, .p_filesz = filesz,
					    .p_memsz = memsz, .p_align = type == PT_LOAD ? CB_PAGE : 4 };
	return &cb->segs[cb->n_segs++];
}

/* The machine's tables, or a made-up machine of that class and byte order. */
static inline struct arch cb_arch(u16 machine, struct elffmt fmt, u32 flags)
{
	const struct arch *known = arch_find(machine, fmt, flags);
	bool is64 = fmt.class == ELFCLASS64;

	if (known)
		return *known;
	return (struct arch){ .name = "made-up", .machine = machine, .fmt = fmt, .word = is64 ? 8 : 4,
			      .ugid_size = 4, .gregs = { .size = is64 ? 64 : 32 } };
}

static inline void cb_prstatus(struct cb *cb, s32 tid, s32 signo)
{
	u8 regs[1024] = { 0 };
	struct prstatus s = { .pid = tid, .ppid = 1, .cursig = signo, .si_signo = signo,
			      .regs = { .p = regs, .len = cb->arch.gregs.size } };
	const struct reg *r = cb->arch.gregs.regs;
	struct cb_note *n = cb_note_add(cb, "CORE", NT_PRSTATUS, NULL, 0);
	struct err e;

	if (r) {
		uint_put(cb->arch.fmt, regs + r[cb->arch.pc].off, r[cb->arch.pc].size, CB_TEXT + 0x100);
		uint_put(cb->arch.fmt, regs + r[cb->arch.sp].off, r[cb->arch.sp].size, CB_STACK + 0x1000);
	}
	cb_ok(prstatus_put(&cb->arch, &s, &n->desc, &e), &e);
}

static inline void cb_prpsinfo(struct cb *cb)
{
	struct prpsinfo p = { .sname = 'R', .uid = 1000, .gid = 1000, .pid = CB_TID1, .ppid = 1,
			      .fname = "prog", .psargs = "prog --work" };
	struct cb_note *n = cb_note_add(cb, "CORE", NT_PRPSINFO, NULL, 0);
	struct err e;

	cb_ok(prpsinfo_put(&cb->arch, &p, &n->desc, &e), &e);
}

static inline void cb_long(struct cb *cb, struct buf *b, u64 value)
{
	u8 raw[8];
	struct err e;

	uint_put(cb->arch.fmt, raw, cb->arch.word, value);
	cb_ok(buf_add(b, raw, cb->arch.word, &e), &e);
}

static inline void cb_siginfo(struct cb *cb)
{
	u8 raw[128] = { 0 };

	uint_put(cb->arch.fmt, raw, 4, 11);
	uint_put(cb->arch.fmt, raw + 8, 4, 1);
	uint_put(cb->arch.fmt, raw + (cb->arch.word == 8 ? 16 : 12), cb->arch.word, 0x1234);
	cb_note_add(cb, "CORE", NT_SIGINFO, raw, sizeof(raw));
}

static inline void cb_auxv(struct cb *cb)
{
	struct cb_note *n = cb_note_add(cb, "CORE", NT_AUXV, NULL, 0);

	cb_long(cb, &n->desc, AT_PAGESZ);
	cb_long(cb, &n->desc, CB_PAGE);
	cb_long(cb, &n->desc, AT_NULL);
	cb_long(cb, &n->desc, 0);
}

static inline void cb_file(struct cb *cb)
{
	const u64 longs[] = { 1, CB_PAGE, CB_TEXT, CB_TEXT + 2 * CB_PAGE, 3 };
	struct cb_note *n = cb_note_add(cb, "CORE", NT_FILE, NULL, 0);
	struct err e;

	for (size_t i = 0; i < 5; i++)
		cb_long(cb, &n->desc, longs[i]);
	cb_ok(buf_add(&n->desc, "/bin/prog", 10, &e), &e);
}

static inline void cb_fpregs(struct cb *cb)
{
	u8 raw[1024] = { 0 };

	cb_note_add(cb, "CORE", NT_PRFPREG, raw, cb->arch.n_sets ? cb->arch.sets[0].size : 32);
}

/* For an ABI that only e_flags distinguish. */
cb_unused static void cb_good_abi(struct cb *cb, u16 machine, struct elffmt fmt, u32 flags)
{
	*cb = (struct cb){ .arch = cb_arch(machine, fmt, flags) };
	cb->ehdr = (GElf_Ehdr){ .e_ident = { 0x7f, 'E', 'L', 'F', fmt.class, fmt.data, EV_CURRENT }, .e_flags = flags,
				.e_type = ET_CORE, .e_machine = machine, .e_version = EV_CURRENT };
	cb_prstatus(cb, CB_TID1, 11);
	cb_prpsinfo(cb);
	cb_siginfo(cb);
	cb_auxv(cb);
	cb_file(cb);
	cb_fpregs(cb);
	cb_prstatus(cb, CB_TID2, 0);
	cb_fpregs(cb);
	cb_seg_add(cb, PT_NOTE, 0, 0, 0, 0);
	cb_seg_add(cb, PT_LOAD, PF_R | PF_X, CB_TEXT, CB_PAGE, 2 * CB_PAGE);
	cb_seg_add(cb, PT_LOAD, PF_R | PF_W, CB_HEAP, 2 * CB_PAGE, 2 * CB_PAGE);
	cb_seg_add(cb, PT_LOAD, PF_R | PF_W, CB_STACK, 2 * CB_PAGE, 2 * CB_PAGE);
}

cb_unused static void cb_good(struct cb *cb, u16 machine, struct elffmt fmt)
{
	cb_good_abi(cb, machine, fmt, 0);
}

/* A core with one note of 64 zeros, of somebody else's, and one segment. */
cb_unused static struct cb_note *cb_with_note(struct cb *cb, u16 machine, struct elffmt fmt, const char *owner, u32 type)
{
	u8 desc[64] = { 0 };

	*cb = (struct cb){ .arch = cb_arch(machine, fmt, 0) };
	cb->ehdr = (GElf_Ehdr){ .e_ident = { 0x7f, 'E', 'L', 'F', fmt.class, fmt.data, EV_CURRENT },
				.e_type = ET_CORE, .e_machine = machine, .e_version = EV_CURRENT };
	cb_seg_add(cb, PT_NOTE, 0, 0, 0, 0);
	cb_seg_add(cb, PT_LOAD, PF_R, CB_TEXT, CB_PAGE, CB_PAGE);
	return cb_note_add(cb, owner, type, desc, sizeof(desc));
}

/* As the kernel writes it: all zero but for these. */
cb_unused static GElf_Phdr *cb_memtag_add(struct cb *cb, u64 addr, u64 filesz, u64 memsz)
{
	GElf_Phdr *p = cb_seg_add(cb, PT_AARCH64_MEMTAG_MTE, 0, addr, filesz, memsz);

	p->p_align = 0;
	return p;
}

/* Segments 4 and 5 are the tags of heap and stack. */
cb_unused static void cb_good_mte(struct cb *cb, struct elffmt fmt)
{
	cb_good(cb, EM_AARCH64, fmt);
	cb_memtag_add(cb, CB_HEAP, 2 * CB_PAGE / TAG_BYTE_SPAN, 2 * CB_PAGE);
	cb_memtag_add(cb, CB_STACK, 2 * CB_PAGE / TAG_BYTE_SPAN, 2 * CB_PAGE);
}

/* The bytes of notes [from, to). */
static inline void cb_notes(struct cb *cb, size_t from, size_t to, struct buf *out)
{
	struct err e;

	for (size_t i = from; i < to; i++) {
		const struct cb_note *n = &cb->notes[i];

		cb_ok(note_put(out, cb->arch.fmt, n->owner, n->type, n->desc.p, n->desc.len, &e), &e);
	}
}

static inline size_t cb_notes_len(struct cb *cb, size_t from, size_t to)
{
	struct buf b = { 0 };
	size_t len;

	cb_notes(cb, from, to, &b);
	len = b.len;
	buf_fini(&b);
	return len;
}

static inline void cb_place(struct cb *cb, size_t i, u64 *at, u64 align, u64 len)
{
	*at = (*at + align - 1) / align * align;
	cb->data_at[i] = cb->segs[i].p_offset = *at;
	cb->data_len[i] = cb->segs[i].p_filesz = len;
	*at += len;
}

/* Kernel's order: header, program headers, notes, pages; with PN_XNUM the section header at the end. */
cb_unused static void cb_layout(struct cb *cb)
{
	struct elffmt fmt = cb->arch.fmt;
	size_t early = cb->n_notes - cb->n_late_notes;
	u64 at;

	if (cb->n_late_notes)
		cb_seg_add(cb, PT_NOTE, 0, 0, 0, 0);
	at = elffmt_ehdr_size(fmt) + cb->n_segs * elffmt_phdr_size(fmt);
	cb_place(cb, 0, &at, 4, cb_notes_len(cb, 0, early));
	for (size_t i = 1; i < cb->n_segs; i++)
		if (cb->segs[i].p_type == PT_LOAD)
			cb_place(cb, i, &at, CB_PAGE, cb->segs[i].p_filesz);
		else if (cb_is_memtag(cb->segs[i].p_type))
			cb_place(cb, i, &at, 1, cb->segs[i].p_filesz);
		else
			cb_place(cb, i, &at, 4, cb_notes_len(cb, early, cb->n_notes));
	cb->ehdr.e_ehsize = (u16)elffmt_ehdr_size(fmt);
	cb->ehdr.e_phoff = elffmt_ehdr_size(fmt);
	cb->ehdr.e_phentsize = (u16)elffmt_phdr_size(fmt);
	cb->ehdr.e_phnum = cb->n_segs < PN_XNUM ? (u16)cb->n_segs : PN_XNUM;
	if (cb->n_segs >= PN_XNUM) {
		cb->ehdr.e_shoff = (at + 7) / 8 * 8;
		cb->ehdr.e_shnum = 1;
		cb->ehdr.e_shentsize = (u16)elffmt_shdr_size(fmt);
	}
}

static inline void cb_pad_to(struct buf *out, u64 off)
{
	struct err e;

	assert_true(out->len <= off);
	cb_ok(buf_zero(out, (size_t)(off - out->len), &e), &e);
}

static inline u8 cb_data_byte(const GElf_Phdr *p, u64 k)
{
	u64 at = p->p_vaddr + k * TAG_BYTE_SPAN;

	return cb_is_memtag(p->p_type) ? (u8)(cb_tag(at) | cb_tag(at + TAG_GRANULE) << 4) : cb_byte(p->p_vaddr + k);
}

static inline void cb_data(struct cb *cb, size_t i, struct buf *out)
{
	size_t early = cb->n_notes - cb->n_late_notes;
	u64 len = cb->data_len[i];
	struct err e;
	u8 *to;

	if (!len)
		return;
	cb_pad_to(out, cb->data_at[i]);
	if (cb->segs[i].p_type == PT_NOTE) {
		cb_notes(cb, i ? early : 0, i ? cb->n_notes : early, out);
		return;
	}
	cb_ok(buf_reserve(out, (size_t)len, &to, &e), &e);
	for (u64 k = 0; k < len; k++)
		to[k] = cb_data_byte(&cb->segs[i], k);
	out->len += (size_t)len;
}

cb_unused static void cb_write(struct cb *cb, struct buf *out)
{
	struct elffmt fmt = cb->arch.fmt;
	struct err e;

	cb_ok(elffmt_put_ehdr(fmt, &cb->ehdr, out, &e), &e);
	for (size_t i = 0; i < cb->n_segs; i++)
		cb_ok(elffmt_put_phdr(fmt, &cb->segs[i], out, &e), &e);
	for (size_t i = 0; i < cb->n_segs; i++)
		cb_data(cb, i, out);
	if (cb->ehdr.e_shoff) {
		GElf_Shdr sh = { .sh_info = (u32)cb->n_segs };

		cb_pad_to(out, cb->ehdr.e_shoff);
		cb_ok(elffmt_put_shdr(fmt, &sh, out, &e), &e);
	}
}

cb_unused static void cb_fini(struct cb *cb)
{
	for (size_t i = 0; i < cb->n_notes; i++)
		buf_fini(&cb->notes[i].desc);
	free(cb->segs);
	free(cb->data_at);
	free(cb->data_len);
}

/* A file of these bytes, without a name of its own: @path is good while the returned descriptor is open. */
cb_unused static int cb_file_of(const struct buf *b, char path[32])
{
	int fd = memfd_create("core", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, b->p, b->len), b->len);
	snprintf(path, 32, "/proc/self/fd/%d", fd);
	return fd;
}

#define CB_LE64 ((struct elffmt){ ELFCLASS64, ELFDATA2LSB })
#define CB_BE64 ((struct elffmt){ ELFCLASS64, ELFDATA2MSB })
#define CB_LE32 ((struct elffmt){ ELFCLASS32, ELFDATA2LSB })
#define CB_BE32 ((struct elffmt){ ELFCLASS32, ELFDATA2MSB })
