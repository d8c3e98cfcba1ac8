/* vma.h - an address space as a sequence of areas, walked the kernel's way. */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "base/types.h"

/*
 * Bits of struct vma.flags.  The first four are always known; the rest only
 * when VM_KNOWN is set (smaps has them, maps and PROCMAP_QUERY do not).
 * Names: include/linux/mm.h; two-letter codes: fs/proc/task_mmu.c:
 * show_smap_vma_flags(), as rows in vma_flags.c.
 */
enum vma_flag {
	VM_READ		= 1 << 0,
	VM_WRITE	= 1 << 1,
	VM_EXEC		= 1 << 2,
	VM_SHARED	= 1 << 3,	/* maps: 's'; VM_MAYSHARE, as the kernel prints it */
	VM_KNOWN	= 1 << 4,	/* ours: the bits below are filled in */
	VM_DONTDUMP	= 1 << 5,	/* dd */
	VM_IO		= 1 << 6,	/* io */
	VM_PFNMAP	= 1 << 7,	/* pf */
	VM_MIXEDMAP	= 1 << 8,	/* mm */
	VM_HUGETLB	= 1 << 9,	/* ht */
	VM_MTE		= 1 << 10,	/* mt */
	VM_DONTCOPY	= 1 << 11,	/* dc */
	VM_WIPEONFORK	= 1 << 12,	/* wf */
	VM_GROWSDOWN	= 1 << 13,	/* gd */
	VM_UFFD_MISSING	= 1 << 14,	/* um: the content of pages that are not there is with a monitor */
	VM_SHADOW_STACK	= 1 << 15,	/* ss: return addresses that only calls and returns write */
	VM_UFFD_MINOR	= 1 << 16,	/* ui: a monitor is asked before a page of the file is mapped in */
	VM_UFFD_RWP	= 1 << 17,	/* ur: a monitor is asked before a protected page is read; since v7.3 */
	VM_UFFD_WP	= 1 << 18,	/* uw: a monitor is asked before a page is written to */
	/* Reading through the target may wait for a monitor of userfaultfd(2). */
	VM_UFFD_WAITS	= VM_UFFD_MISSING | VM_UFFD_MINOR | VM_UFFD_RWP,
};

/* The flag with that two-letter code; 0 for a code that we have no use for. */
u32 vma_flag_of(const char *code);
/* The codes of those that are set, "dd,mt"; "-" for none, "?" without VM_KNOWN; returns @out. */
#define VMA_FLAGS_MAX 48
const char *vma_flags_text(u32 flags, char out[VMA_FLAGS_MAX]);
/* "rw-p" as in maps; returns @out. */
#define VMA_PERMS_MAX 5
const char *vma_perms(u32 flags, char out[VMA_PERMS_MAX]);
/* The same as p_flags of a segment. */
u32 vma_seg_flags(u32 flags);

/*
 * One area: the addresses [start, end), page-aligned, end > start.
 * @pgoff is the offset in the file, in bytes, of start.  @name is NULL for an
 * area without one (never ""); a newline in it reads "\012" as the kernel
 * escapes it, and " (deleted)" stays at its end.
 */
struct vma {
	u64 start;
	u64 end;
	u64 pgoff;
	u64 ino;
	u32 dev_major;
	u32 dev_minor;
	u32 flags;
	const char *name;
	/* From smaps, 0 unless VM_KNOWN; bytes. */
	u64 anon;	/* private copies in memory (Anonymous:) */
	u64 swap;	/* and in swap (Swap:) */
	u64 huge;	/* pages of hugetlb in memory, not among @anon (Private_Hugetlb:, Shared_Hugetlb:) */
};

static inline u64 vma_len(const struct vma *v)
{
	return v->end - v->start;
}

/*
 * Maps no file: "[heap]" and "[anon:x]" are anonymous, "/dev/zero (deleted)" is
 * not, nor is anything special.  Private and anonymous: an untouched page is zero.
 */
bool vma_is_anon(const struct vma *v);
/*
 * One of the kernel's own mappings: [vdso], [vvar], [vsyscall], [uprobes], [sigpage], [vectors]
 * and whatever else a kernel has (7.x: [uprobes-trampoline]).  Any name in brackets but those
 * of the process's memory: Linux 6.12, fs/proc/task_mmu.c: get_vma_name().
 */
bool vma_is_special(const struct vma *v);
/* Of memfd_secret(2), which is in nobody's page tables but the process's (mm/secretmem.c). */
bool vma_is_secret(const struct vma *v);
/*
 * The vdso's data: [vvar], [vvar_vclock].  By name, since its VmFlags are a detail of the
 * kernel and the machine: io pf up to 6.x, mm in 7.x, neither on 32-bit Arm.
 */
bool vma_is_vvar(const struct vma *v);
/* Not a guard, nor a gap that a dynamic linker leaves between a library's segments: somebody may touch it. */
static inline bool vma_is_accessible(const struct vma *v)
{
	return v->flags & (VM_READ | VM_WRITE | VM_EXEC);
}
static inline bool vma_is_mte(const struct vma *v)
{
	return v->flags & VM_MTE;
}

struct mm;

/*
 * A backend: answers one question, "the first area that ends above @addr".
 * find: 1 and *out filled, 0 at the end, negative on error.
 * out->name lives until the next call.  Linux 6.11, fs/proc/task_mmu.c:
 * do_procmap_query(), PROCMAP_QUERY_COVERING_OR_NEXT_VMA.
 *
 * Rising addresses cost one pass over the text; an address at or below the
 * last one asked for begins a new pass, so that a new walk sees the new state.
 *
 * prev may be NULL: the last area that begins below @addr; results as find's.
 * Without it vma_prev() is a scan from address 0: to walk a text backend
 * backwards, take a vma_snapshot() and walk that.
 */
struct mm_ops {
	const char *name;
	int (*find)(struct mm *mm, u64 addr, struct vma *out, struct err *e);
	void (*close)(struct mm *mm);
	int (*prev)(struct mm *mm, u64 addr, struct vma *out, struct err *e);
};

/* An open address space.  @priv belongs to the backend.  A zeroed mm may be closed. */
struct mm {
	const struct mm_ops *ops;
	void *priv;
};

/*
 * On one target all give the same areas, but for [vsyscall]: it is no part of
 * the address space, and only the texts print it.
 */
extern const struct mm_ops vma_maps_ops;	/* /proc/PID/maps text */
extern const struct mm_ops vma_query_ops;	/* PROCMAP_QUERY, Linux 6.11 */
extern const struct mm_ops vma_smaps_ops;	/* /proc/PID/smaps text: VM_KNOWN, anon, swap */
extern const struct mm_ops vma_list_ops;	/* a vma_list in memory */

/*
 * The address space of thread @tid of process @pid (tid == pid for the leader;
 * another live thread where the leader has exited, whose own files are empty).
 * @backend is "maps", "query", "smaps", or NULL for the best of maps and query
 * that the kernel has.  ERR_UNSUPPORTED: this kernel lacks the backend;
 * ERR_GONE: no such process, or it has no memory (any more): a zombie, a kernel
 * thread; ERR_USAGE: no such backend.  When the process exits or executes
 * another program later, find and every walk end with ERR_GONE, too.
 */
int mm_open_pid(struct mm *mm, pid_t pid, pid_t tid, const char *backend,
		struct err *e) must_check;
void mm_close(struct mm *mm);
int mm_find(struct mm *mm, u64 addr, struct vma *out, struct err *e) must_check;

/*
 * A walk, forward or backward.  The kernel's macro has no error channel because
 * its tree is in memory; ours does I/O, so the iterator keeps the first error,
 * every later step then yields NULL, and vma_iter_end() hands the error out.
 * Safe on an address space that changes under it: a forward walk never goes
 * backwards, never repeats an address, and ends.  An area that has grown over
 * what was already visited is cut to the rest; one that covers the address
 * where a walk begins is visited whole.
 */
struct vma_iter {
	struct mm *mm;
	u64 addr;	/* where the next search begins */
	u64 prev_end;	/* vma_prev: areas must begin below this */
	u64 visited;	/* areas are cut to what is above this */
	bool done;
	struct vma vma;
	struct err err;
};

#define VMA_ITERATOR(name, mm_, addr_) \
	struct vma_iter name = { .mm = (mm_), .addr = (addr_), .prev_end = (addr_) }

/* Next area, in address order; NULL at the end or after an error.  It lives until the next step. */
struct vma *vma_next(struct vma_iter *vmi);
/* As vma_next, but only areas that begin below @end. */
struct vma *vma_next_range(struct vma_iter *vmi, u64 end);
/* As vma_next, but only areas with VM_MTE, which only a source with VM_KNOWN can tell. */
struct vma *vma_next_mte(struct vma_iter *vmi);
/*
 * The area before the last one visited, the last one when a walk has ended, or
 * the last that begins below the address the iterator was put at, whole; NULL
 * at the beginning.  vma_next then goes on after it.
 */
struct vma *vma_prev(struct vma_iter *vmi);
/* Puts the iterator at @addr, and clears the end (never the error). */
void vma_iter_set(struct vma_iter *vmi, u64 addr);
/* 0, or the error that ended the walk, copied to @e.  Must be called after every walk. */
int vma_iter_end(struct vma_iter *vmi, struct err *e) must_check;

/*
 * Linux's own names.  The range is [vmi.addr, end): an area that only begins
 * below @end is visited, whole.
 */
#define for_each_vma(vmi, v)		while (((v) = vma_next(&(vmi))))
#define for_each_vma_range(vmi, v, end)	while (((v) = vma_next_range(&(vmi), (end))))
#define for_each_mte_vma(vmi, v)	while (((v) = vma_next_mte(&(vmi))))

/*
 * A copy of an address space.  Owns the areas and, through @names, their
 * names.  Sorted by address, without overlap.
 */
struct vma_list {
	struct vma *v;
	size_t n;
	size_t cap;
	void *names;
};

/* Copies every area of @mm.  On error *out is untouched. */
int vma_snapshot(struct mm *mm, struct vma_list *out, struct err *e) must_check;
/* Appends one area, copying its name.  ERR_INPUT unless it is above the last. */
int vma_list_add(struct vma_list *l, const struct vma *v, struct err *e) must_check;
void vma_list_fini(struct vma_list *l);
/* A borrowed view of @l as an mm; @l must outlive it. */
void mm_open_list(struct mm *mm, const struct vma_list *l);
