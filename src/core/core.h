/* core.h - a core file read without trust: header, segments, notes, threads, areas, memory. */
#pragma once

#include <gelf.h>

#include "arch/arch.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/types.h"
#include "core/core_file.h"
#include "elf/note.h"
#include "mm/pagewalk.h"
#include "mm/vma.h"

struct os;
struct core_os;

/* Bytes of a note, without a NUL; borrowed from the core.  @p may be NULL: no such text. */
struct core_text {
	const char *p;
	size_t len;
};
/* Copies @t to @out as a string, cut to @size - 1 bytes and at a NUL; returns @out. */
const char *core_text_copy(struct core_text t, char *out, size_t size);
bool core_text_is(struct core_text t, const char *s);

/* Why core_open() refused: only what would make every view wrong. */
enum core_fault {
	CORE_OK,
	CORE_FAULT_IDENT,	/* not ELF, or an unknown class or byte order */
	CORE_FAULT_TYPE,	/* ELF, but not ET_CORE */
	CORE_FAULT_PHENTSIZE,	/* program headers of an unknown size */
};

/* Bounds on what a hostile header can make us keep; far above any real core. */
enum {
	CORE_SEGS_MAX = 1 << 22,
	CORE_NOTES_MAX = 1 << 22,
	CORE_NOTE_BYTES_MAX = 1 << 30,
};

/* The program headers, after PN_XNUM (gABI, "Program Header"; Linux fs/binfmt_elf.c: fill_extnum_info()). */
enum core_xnum {
	CORE_XNUM_NONE,		/* e_phnum is the count */
	CORE_XNUM_GOOD,		/* sh_info of section header 0 is */
	CORE_XNUM_LOST,		/* that header cannot be read: the count is a guess from the first p_offset */
};

/*
 * An area of the address space: the part of PT_LOAD @seg in [start, end) that no
 * lower segment covers; or one that is only in NT_FILE or AREAS (gdb writes no
 * segment for a file's unchanged text), which then is absent, not unmapped.
 * Bytes in [start, saved_end) are in this file, unless a missing range says
 * otherwise; core->areas is sorted and does not overlap.
 */
#define CORE_NO_SEG UINT32_MAX
struct core_area {
	u64 start;
	u64 end;
	u64 saved_end;
	u32 seg;
	bool mte;	/* a tag segment has part of it, or all */
	bool shadow_stack;	/* a thread's registers say so */
};

/*
 * Where tags are kept: the part of tag segment @seg in [start, end) that no lower
 * one covers.  Those of [start, have_end) are in this file; core->tagged is
 * sorted and does not overlap.
 */
struct core_tagged {
	u64 start;
	u64 end;
	u64 have_end;
	u32 seg;
};

/*
 * A PT_NOTE segment as read: @data is shorter than p_filesz when the file is;
 * @malformed when a note did not fit, and it and what follows were not read.
 */
struct core_note_seg {
	u32 seg;
	bool malformed;
	struct bytes data;
};

/*
 * @thread is the index of the thread that the note belongs to, or -1; @seg indexes note_segs.
 * @adopted: the file gives it no owner, or an unknown one; note.owner is the one of its type.
 */
struct core_note {
	struct note note;
	u32 seg;
	s32 thread;
	bool adopted;
	bool begins;	/* the thread's first */
};

/* A thread, from its PRSTATUS, or what another system has for it; @cursig of the crashed one may be from its SIGINFO.  @name and @state are from the TAGCORE note, if there is one. */
#define CORE_NO_NOTE UINT32_MAX
struct core_thread {
	s32 tid;
	s32 cursig;
	u32 note;	/* index of its first note, on Linux PRSTATUS, in core->notes; CORE_NO_NOTE: see core_next_bare_thread() */
	char state;	/* as in /proc/PID/stat, or 0 */
	bool partial;	/* it did not stop: core_thread_has_reg() */
	struct core_text name;
};

/* An entry of NT_FILE; @pgoff in bytes, wrapped to 64 bits. */
struct core_map {
	u64 start;
	u64 end;
	u64 pgoff;
	struct core_text name;
};

/* A line of the TAGCORE AREAS note.  @flags are VM_*; @name is escaped as in maps. */
struct core_noted_area {
	u64 start;
	u64 end;
	u64 pgoff;
	u32 flags;
	struct core_text action;
	struct core_text rule;
	struct core_text name;
};

/*
 * A range whose bytes (or tags) are not in the file, as a MISSING note has it; or a
 * loss without address (notes, program headers): 0, and its bytes as @end, 0 if not known.
 */
struct core_missing {
	u64 start;
	u64 end;
	struct core_text reason;
};
/* True when it was in the core when that was made, and the file has lost it since: tagcore repair says so. */
bool core_missing_is_lost(const struct core_missing *m);
/* True for a page that has no content, so that nothing is missing of it. */
bool core_missing_is_guard(const struct core_missing *m);

/* What a core is of.  All but CORE_PROCESS say so by their notes, or by physical addresses. */
enum core_kind {
	CORE_PROCESS,	/* a process of Linux, or of a system that is not known */
	CORE_KDUMP,	/* a crashed Linux kernel: /proc/vmcore, or makedumpfile -E */
	CORE_QEMU,	/* a virtual machine: qemu's dump-guest-memory */
	CORE_VMCORE,	/* the memory of a machine, not known by whom */
	CORE_KCORE,	/* a running Linux kernel: /proc/kcore */
	CORE_FREEBSD,	/* and these: a process */
	CORE_OPENBSD,
	CORE_NETBSD,
	CORE_SOLARIS,	/* or illumos */
};
/* Those that are of a machine: PT_LOADs have physical addresses, a PRSTATUS is of a processor. */
#define CORE_MACHINE_KINDS (1u << CORE_KDUMP | 1u << CORE_QEMU | 1u << CORE_VMCORE | 1u << CORE_KCORE)

/*
 * An open core.  Everything but the memory's content is in it after
 * core_open(); all arrays are owned by it.  A zeroed core may be closed.
 */
struct core {
	struct core_file file;
	enum core_fault fault;
	struct elffmt fmt;
	GElf_Ehdr ehdr;
	const struct arch *arch;	/* the machine's tables, or NULL; for another system, with its register sets */
	enum core_kind kind;
	const struct os *os;		/* the tables of a system other than Linux (src/os/os.h), or NULL */
	struct core_os *os_tables;	/* tables built from @os, which @arch then points to, or NULL */
	struct arch layout;		/* *arch, or derived from class and note sizes; for prstatus_get() */

	u64 phnum;			/* as the header says */
	enum core_xnum xnum;
	GElf_Phdr *segs;		/* those that the file holds: n_segs <= phnum */
	size_t n_segs;
	struct core_area *areas;
	size_t n_areas;
	struct core_tagged *tagged;
	size_t n_tagged;

	u8 *note_data;
	struct core_note_seg *note_segs;
	size_t n_note_segs;
	struct core_note *notes;	/* in file order; reading stops at a malformed note of a segment */
	size_t n_notes;
	bool notes_cut;			/* a bound above was met */
	struct core_thread *threads;	/* in file order */
	const struct core_thread *crashed;	/* the one that took the signal of the crash, or NULL */
	size_t n_threads;
	u32 *by_tid;			/* indices of threads, sorted by tid */

	struct core_map *maps;		/* sorted by start */
	size_t n_maps;
	u64 map_page_size;		/* NT_FILE's unit; gdb writes 1; 0 without NT_FILE */
	struct core_noted_area *noted_areas; /* sorted by start */
	size_t n_noted_areas;
	struct core_missing *missing;	/* memory; sorted by start */
	size_t n_missing;
	struct core_missing *missing_tags; /* only their tags: the reason begins "memory tags"; sorted */
	size_t n_missing_tags;
	struct core_missing *missing_other;	/* those without address, in the note's order */
	size_t n_missing_other;
	u64 more_missing;		/* ranges that found no room in the MISSING note, */
	u64 more_missing_bytes;		/* and their bytes */

	/* Not NULL: != 0 ends a long walk with ERR_CANCELLED.  The file's, or set by the owner after core_open(). */
	const volatile sig_atomic_t *cancel;
};

/*
 * Opens @path.  ERR_INPUT when every view would be wrong, and core->fault says
 * why; a damaged part is left out and is a finding of validate.
 */
int core_open(struct core *core, const char *path, struct err *e) must_check;
/*
 * The same for a file that is open already, and is started here: nothing is
 * opened any more, so the caller may have given up the right to.  Takes over
 * @file, also on failure; @name is for messages.
 */
int core_open_file(struct core *core, struct core_file *file, const char *name,
		   struct err *e) must_check;
void core_close(struct core *core);

bool core_kind_is_machine(enum core_kind k);
/* "core", "qemu vmcore", "OpenBSD core", ... */
const char *core_kind_name(enum core_kind k);

/* File position of program header @i. */
u64 core_phdr_off(const struct core *core, size_t i);
/* "x86_64", "s390", … or "EM_1234" into @out, which is returned. */
#define CORE_MACHINE_MAX 16
const char *core_machine(const struct core *core, char out[CORE_MACHINE_MAX]);
/* Bytes of segment @i that the file really holds, of its p_filesz. */
u64 core_seg_in_file(const struct core *core, size_t i);
/* @len bytes of memory from @addr on go past the machine's last address.  They may end at it, at 2^64 or 2^32. */
bool core_range_wraps(const struct core *core, u64 addr, u64 len);
/*
 * What 5.18 release candidates called a tag segment (PT_ARM_MEMTAG_MTE); Linux
 * commit c35fe2a68f29 moved it, as PT_AARCH64_UNWIND had that number.
 */
#define CORE_PT_MEMTAG_OLD 0x70000001
/* True for the tag segments of aarch64, of either type; both mean other things on other machines. */
bool core_is_memtag(const struct core *core, const GElf_Phdr *p);
/* @addr as areas have it: without the tag of a pointer, where the machine ignores that. */
u64 core_untag(const struct core *core, u64 addr);
/* True when a header or a segment's data reach past the end of the file. */
bool core_is_truncated(const struct core *core);

/* The owner that stands in the file, "" for none, into @out, which is returned. */
#define CORE_OWNER_MAX sizeof(((struct note *)0)->owner)
const char *core_note_owner(const struct core *core, const struct core_note *n, char out[CORE_OWNER_MAX]);
/*
 * What OpenBSD's kernel on SPARC has changed the return addresses in saved register
 * windows with, by exclusive or (StackGhost); 0: nothing.
 */
u64 core_return_cookie(const struct core *core);
/* The first note of that kind from index @from on, or NULL. */
const struct core_note *core_note_find(const struct core *core, size_t from, const char *owner,
				       u32 type);
/* The note of thread @t, or NULL. */
const struct core_note *core_thread_note(const struct core *core, const struct core_thread *t,
					 const char *owner, u32 type);
/* The thread, or NULL. */
const struct core_thread *core_thread_find(const struct core *core, s32 tid);
/* The general registers, for reg_get() with c->arch->gregs; ERR_UNSUPPORTED without the machine's or the system's tables. */
int core_thread_regs(const struct core *core, const struct core_thread *t, struct bytes *out,
		     struct err *e) must_check;
/* A register set in a note; registers of size 0 are not in it. */
struct core_regset {
	const struct regset *set;
	struct bytes desc;
};
/* The next register set in @n, after the first *at; false when there are no more, or no tables for the machine. */
bool core_note_regset(const struct core *core, const struct note *n, size_t *at, struct core_regset *out);
/* A walk over all sets of a thread, in the order of its notes; begins zeroed. */
struct core_regset_iter {
	size_t note;
	size_t at;
};
bool core_thread_next_regset(const struct core *core, const struct core_thread *t, struct core_regset_iter *it,
			     struct core_regset *out);
/* Thread @t's set of that @name, wherever its system has it. */
bool core_thread_regset(const struct core *core, const struct core_thread *t, const char *name,
			struct core_regset *out);
/*
 * Whether register @i of @set is in the core.  Of a thread that did not stop when tagcore saved it, at most pc, sp and
 * the number of its system call are, and all others are zeros that were never read.
 */
bool core_thread_has_reg(const struct core *core, const struct core_thread *t, const struct regset *set, unsigned i);
/* It did not stop, and even pc and sp are not known. */
bool core_thread_is_bare(const struct core *core, const struct core_thread *t);
/*
 * Threads of which the core has no register at all: the next line of tagcore's list, from *@at, which begins at 0.
 * False when there are no more.
 */
bool core_next_bare_thread(const struct core *core, u64 *at, struct core_thread *out);
/* Program counter and stack pointer; ERR_UNSUPPORTED without the machine's tables. */
int core_thread_pc(const struct core *core, const struct core_thread *t, u64 *out,
		   struct err *e) must_check;
int core_thread_sp(const struct core *core, const struct core_thread *t, u64 *out,
		   struct err *e) must_check;
/* The thread's name: TAGCORE's, or the command's for the first thread of the process; "" if unknown. */
#define CORE_NAME_MAX 64
const char *core_thread_name(const struct core *core, const struct core_thread *t,
			     char out[CORE_NAME_MAX]);

/* "SEGV" for SIGSEGV, by the numbers of the core's system and machine; NULL if unknown. */
const char *core_signal_name(const struct core *core, int signo);
/* "SIGSEGV" into @out, or NULL. */
#define CORE_SIGNAL_MAX 24
const char *core_signal_text(const struct core *core, int signo, char out[CORE_SIGNAL_MAX]);

/*
 * siginfo_t's head, and which members of its union are meant.  @addr is meaningful
 * if @has_addr: of a fault that is no SEGV_MTEAERR, which comes too late to know one.
 */
struct core_siginfo {
	s32 signo;
	s32 code;
	s32 generic_code;	/* the same where machines number it in their own way */
	s32 error;
	u64 addr;
	bool has_addr;
	enum siginfo_form form;
};
int core_siginfo_get(const struct core *core, struct bytes desc, struct core_siginfo *out,
		     struct err *e) must_check;
/* The SIGINFO of the crashed thread, or of the process if it agrees; false if there is no such note. */
bool core_crash_siginfo(const struct core *core, struct core_siginfo *out) must_check;
/* The signal that ended the process, 0 for none, and its SIGINFO if *has_si. */
int core_crash_signal(const struct core *core, struct core_siginfo *si, bool *has_si);

/* The value of @key in the TAGCORE INFO note; p NULL when it is not there. */
struct core_text core_info(const struct core *core, const char *key);
/* Threads could run while tagcore copied their memory. */
bool core_is_inconsistent(const struct core *core);
/* The program that made this core, "tagcore 0.1.0", "gdb", "kernel", or NULL if unknown. */
const char *core_tool(const struct core *core, char *out, size_t size);
/* The process: 0, or negative when PRPSINFO is not there or cannot be read. */
int core_prpsinfo(const struct core *core, struct prpsinfo *out, struct err *e) must_check;

/*
 * The process, from the notes of any system; what is not in them is
 * false or "".  The signal is only there where it is not in a PRSTATUS of Linux.
 */
struct core_procinfo {
	bool has_pid, has_uid, has_signo, has_name, has_args;
	s64 pid, uid, signo;
	char name[33];
	char args[81];
};
void core_procinfo(const struct core *core, struct core_procinfo *out);
/* The value of @key in the VMCOREINFO note ("OSRELEASE"); p NULL when it is not there. */
struct core_text core_vmcoreinfo(const struct core *core, const char *key);

/* PF_* of the area; 0 with *known false if it has no segment. */
u32 core_area_prot(const struct core *core, const struct core_area *a, bool *known);
/* First area that ends above @addr, or NULL. */
const struct core_area *core_area_find(const struct core *core, u64 addr);
/* First missing range of memory that ends above @addr, or NULL; the same for tags. */
const struct core_missing *core_missing_find(const struct core *core, u64 addr);
const struct core_missing *core_missing_tags_find(const struct core *core, u64 addr);
/* The NT_FILE entry, or the AREAS line, that covers @addr, or NULL. */
const struct core_map *core_map_at(const struct core *core, u64 addr);
const struct core_noted_area *core_noted_area_at(const struct core *core, u64 addr);

/* Three states that are never merged: absent is not zero, and not unmapped. */
enum mem_state {
	MEM_UNMAPPED,	/* the process had nothing there */
	MEM_ABSENT,	/* it had, but the bytes are not in this file */
	MEM_PRESENT,
};
/* The state at @addr, which holds in [addr, *until); only the last address of all has *until == addr. */
enum mem_state core_mem_state(const struct core *core, u64 addr, u64 *until);
/*
 * Reads memory at @addr: *state holds for the next *n bytes, 0 < *n <= len
 * (0 for @len 0).  @buf has them only when MEM_PRESENT.
 */
int core_read(struct core *core, u64 addr, void *buf, size_t len, enum mem_state *state,
	      size_t *n, struct err *e) must_check;

/* As much of [addr, addr + len) as is present from @addr on: *n may be 0. */
int core_read_present(struct core *core, u64 addr, void *buf, size_t len, size_t *n,
		      struct err *e) must_check;

/* Three states of a granule's tag, never merged either: an absent tag is not 0. */
enum tag_state {
	TAG_NONE,	/* no tags were kept for this memory */
	TAG_ABSENT,	/* they were, but are not in this file */
	TAG_KNOWN,
};

/* Granules [start, end) share their state and, when it is TAG_KNOWN, their tag (else 0). */
struct core_tag_run {
	u64 start;
	u64 end;
	enum tag_state state;
	u8 tag;
};

/*
 * Calls @fn for each run of known or absent tags in [start, end), cut to it, in
 * address order.  A run does not pass the end of its tag segment.  Not 0 from @fn
 * ends the walk and is returned.  Tags are read in pieces: a segment may be of
 * any size.  Byte i of a segment has the tags of [p_vaddr + 32 i, + 32), also in a
 * big-endian core: see the check mte-big-endian.
 */
int core_tag_runs(struct core *core, u64 start, u64 end,
		  int (*fn)(const struct core_tag_run *run, void *arg, struct err *e), void *arg,
		  struct err *e) must_check;
/* The tag of the granule at @addr; *tag only when TAG_KNOWN. */
int core_tag_at(struct core *core, u64 addr, enum tag_state *state, u8 *tag, struct err *e) must_check;

/*
 * How a thread's accesses are checked, from NT_ARM_TAGGED_ADDR_CTRL: prctl(2)'s
 * PR_SET_TAGGED_ADDR_CTRL.  Both @sync and @async: as the CPU prefers.
 */
struct core_tag_ctrl {
	bool tagged_addresses;	/* system calls take tagged pointers */
	bool sync;
	bool async;
	bool store_only;	/* loads are not checked: PR_MTE_STORE_ONLY, since v6.17 */
	u16 include_mask;	/* bit n: IRG may make tag n */
};
/* ERR_INPUT when the thread has no such note. */
int core_tag_ctrl(const struct core *core, const struct core_thread *t, struct core_tag_ctrl *out,
		  struct err *e) must_check;

/* The core as an address space, and what of it is saved; @core must outlive them. */
extern const struct mm_ops vma_core_ops;
extern const struct page_source_ops page_core_ops;
int mm_open_core(struct mm *mm, struct core *core, struct err *e) must_check;
void page_source_open_core(struct page_source *src, struct core *core);

/*
 * What is not in the file: [start, end), and why.  @tags: the memory is, only its
 * tags are not.  @lost: it was saved, and the file has lost it.
 */
struct core_gap {
	u64 start;
	u64 end;
	bool tags;
	bool lost;
	char reason[160];
};
/*
 * Calls @fn for each gap: recorded by the dump, lost by truncation, left out by a
 * rule or by the core's maker.  Not 0 from @fn ends the walk and is returned.
 */
int core_gaps(const struct core *core, int (*fn)(const struct core_gap *g, void *arg, struct err *e),
	      void *arg, struct err *e) must_check;

/* What the file has lost of what was saved, cut off or recorded by a repair; program headers and notes are parts. */
struct core_loss {
	u64 bytes;	/* of memory, */
	u64 ranges;	/* in so many */
	u64 tagged;	/* bytes of memory whose tags are lost */
	u64 parts;	/* without address */
};
int core_loss(const struct core *core, struct core_loss *out, struct err *e) must_check;
static inline bool core_loss_any(const struct core_loss *l)
{
	return l->bytes || l->tagged || l->parts;
}
/* Up to where the AREAS note says that the area is saved: its start for one left out. */
u64 core_noted_saved_end(const struct core_noted_area *a);

/* Walks the auxiliary vector, the first if there are several. */
struct auxv_iter {
	struct bytes desc;
	struct elffmt fmt;
	unsigned word;	/* bytes of a long */
	unsigned type_size;	/* bytes of a type, at the beginning of a long */
	u64 at;
};
struct auxv {
	u64 type;	/* AT_* */
	u64 value;
};
void auxv_iter_init(struct auxv_iter *it, const struct core *core);
/* False at AT_NULL, or at the end of the note. */
bool auxv_next(struct auxv_iter *it, struct auxv *out);
/* The value of the first entry of Linux's @type, or of the core's system's equivalent; false if there is no such entry. */
bool core_auxv(const struct core *core, u64 type, u64 *out);

/* Walks the entries of an NT_FILE descriptor. */
struct ntfile_iter {
	struct bytes desc;
	struct elffmt fmt;
	u64 count;
	u64 page_size;
	unsigned word;	/* bytes of a long */
	u64 i;
	u64 name_at;
};
/* ERR_INPUT or ERR_TRUNCATED when the counts do not fit the descriptor. */
int ntfile_iter_init(struct ntfile_iter *it, struct bytes desc, struct elffmt fmt,
		     struct err *e) must_check;
/* The entry of a FreeBSD memory map at *at, which moves on; false at the end, and at what is malformed. */
bool core_vmmap_next(const struct core *core, struct bytes desc, u64 *at, struct core_map *out);
/* Where its first entry is: an int, the size of an entry, comes before. */
#define CORE_VMMAP_BEGIN 4
/* 1 and *out, 0 at the end. */
int ntfile_next(struct ntfile_iter *it, struct core_map *out, struct err *e) must_check;

/* Walks the lines of a tagcore note; a NUL ends it. */
struct line_iter {
	struct bytes desc;
	u64 at;
};
/* 1 and the line without its newline and its file position; 0 at the end. */
int line_next(struct line_iter *it, struct core_text *line, u64 *off);
/* Each parses one line; ERR_INPUT when it is not of that form. */
int threads_line_parse(struct core_text line, u64 off, struct core_thread *out, struct err *e) must_check;
int areas_line_parse(struct core_text line, u64 off, struct core_noted_area *out, struct err *e) must_check;
/* A range: 0.  "+N BYTES more ranges": 1, with start N and end BYTES.  "? BYTES REASON": 2, with end BYTES. */
int missing_line_parse(struct core_text line, u64 off, struct core_missing *out, struct err *e) must_check;
