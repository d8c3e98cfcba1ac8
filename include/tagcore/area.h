/*
 * tagcore/area.h - an address space as a sequence of areas, iterated as the kernel does.
 *
 * A core file is an address space, as a live process is, and the same loop walks either:
 *
 *	const struct tagcore_area *area;
 *
 *	TAGCORE_AREA_ITER(it, tagcore_core_mm(core), 0);
 *	tagcore_for_each_area(it, area)
 *		printf("%llx-%llx %s\n", …);
 *	r = tagcore_area_iter_end(&it, &error);
 *
 * An area is what Linux calls a VMA: pages side by side with the same access and origin.
 */
#pragma once

#include <sys/types.h>

#include <tagcore/core.h>
#include <tagcore/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bits of tagcore_area.flags.  The first four are always known, the others only with TAGCORE_AREA_KNOWN. */
enum tagcore_area_flag {
	TAGCORE_AREA_READ	= 1 << 0,
	TAGCORE_AREA_WRITE	= 1 << 1,
	TAGCORE_AREA_EXEC	= 1 << 2,
	TAGCORE_AREA_SHARED	= 1 << 3,
	TAGCORE_AREA_KNOWN	= 1 << 4,	/* the bits below are filled in */
	TAGCORE_AREA_DONTDUMP	= 1 << 5,	/* MADV_DONTDUMP */
	TAGCORE_AREA_IO		= 1 << 6,	/* memory of a device */
	TAGCORE_AREA_PFNMAP	= 1 << 7,	/* pages without struct page */
	TAGCORE_AREA_MIXEDMAP	= 1 << 8,
	TAGCORE_AREA_HUGETLB	= 1 << 9,
	TAGCORE_AREA_MTE	= 1 << 10,	/* has memory tags (PROT_MTE); always filled in for cores */
	TAGCORE_AREA_DONTCOPY	= 1 << 11,	/* MADV_DONTFORK */
	TAGCORE_AREA_WIPEONFORK	= 1 << 12,
	TAGCORE_AREA_GROWSDOWN	= 1 << 13,
	TAGCORE_AREA_UFFD_MISSING = 1 << 14,	/* userfaultfd(2) supplies missing pages */
	TAGCORE_AREA_SHADOW_STACK = 1 << 15,	/* always filled in for cores */
	TAGCORE_AREA_UFFD_MINOR	= 1 << 16,
	TAGCORE_AREA_UFFD_RWP	= 1 << 17,
};

/*
 * One area.  Valid until the next step of an iterator over the same tagcore_mm.
 * A newline in @name reads "\012" and " (deleted)" stays at its end, as in
 * /proc/PID/maps.
 */
struct tagcore_area {
	uint64_t start;		/* page-aligned, as is @end */
	uint64_t end;
	uint64_t offset;	/* of @start in the mapped file, in bytes */
	uint64_t inode;		/* 0: none, or unknown */
	uint32_t dev_major;
	uint32_t dev_minor;
	uint32_t flags;		/* TAGCORE_AREA_* */
	const char *name;	/* path, "[heap]", "[anon:…]" …; NULL: none, never "" */
	uint64_t anonymous;	/* bytes of private copies in memory; 0 unless the source is smaps */
	uint64_t swapped;	/* bytes in swap; likewise */
};

/* An address space: of a core, or of a live process by one of several backends. */
struct tagcore_mm;

/* The address space of @core, which owns it.  Never NULL. */
TAGCORE_API struct tagcore_mm *tagcore_core_mm(struct tagcore_core *core);
/*
 * The address space of process @pid (or the one that has a thread with that number),
 * which goes on running.  @backend is
 *
 *	"maps"	the text of /proc/PID/maps
 *	"query"	the ioctl PROCMAP_QUERY, since Linux 6.11
 *	"smaps"	the text of /proc/PID/smaps: slower, and the only one with TAGCORE_AREA_KNOWN
 *	NULL	the best of maps and query that the kernel has
 *
 * TAGCORE_ERR_GONE: there is no such process, or it has no memory (a zombie, a kernel
 * thread); TAGCORE_ERR_UNSUPPORTED: this kernel lacks the backend; TAGCORE_ERR_USAGE: there is no such backend.
 * If the process ends, or executes another program, walks end with TAGCORE_ERR_GONE.
 */
TAGCORE_API int tagcore_mm_open_pid(struct tagcore_mm **mm, pid_t pid, const char *backend,
				    struct tagcore_error *error) TAGCORE_MUST_CHECK;
/* Not for the one that a core owns. */
TAGCORE_API void tagcore_mm_close(struct tagcore_mm *mm);
/* "core", "maps", "query" or "smaps". */
TAGCORE_API const char *tagcore_mm_backend(const struct tagcore_mm *mm);

/*
 * A walk, on the stack of the caller; nothing needs to be freed.  The members are the
 * library's own.  The size of this structure never changes.
 */
struct tagcore_area_iter {
	union {
		struct tagcore_area area;
		uint64_t area_room[32];
	} current;
	uint64_t state[128];
};

/* A walk of @mm that begins with the first area that ends above @addr.  @mm must outlive it. */
TAGCORE_API struct tagcore_area_iter tagcore_area_iter_at(struct tagcore_mm *mm, uint64_t addr);
#define TAGCORE_AREA_ITER(name, mm, addr) struct tagcore_area_iter name = tagcore_area_iter_at((mm), (addr))

/*
 * The next area, in address order; NULL at the end, or after an error, which
 * tagcore_area_iter_end() yields.  On an address space that changes meanwhile a walk never
 * goes backwards, never repeats an address and ends: an area that has grown over
 * addresses already visited is cut to the rest.
 */
TAGCORE_API const struct tagcore_area *tagcore_area_next(struct tagcore_area_iter *it);
/* The same, of areas that begin below @end. */
TAGCORE_API const struct tagcore_area *tagcore_area_next_range(struct tagcore_area_iter *it, uint64_t end);
/* The same, of areas that have memory tags: of cores and of the backend smaps. */
TAGCORE_API const struct tagcore_area *tagcore_area_next_tagged(struct tagcore_area_iter *it);
/*
 * The area before the last one visited; the last of all when the walk has ended; the last that
 * begins below the address where the iterator was put.  NULL when there is none.
 * Costs a pass over the text with the backends maps and smaps.
 */
TAGCORE_API const struct tagcore_area *tagcore_area_prev(struct tagcore_area_iter *it);
/* Puts the iterator at @addr; an error stays. */
TAGCORE_API void tagcore_area_iter_set(struct tagcore_area_iter *it, uint64_t addr);
/* 0, or the error that ended the walk.  Call it after every walk: a failed walk looks like one that is at its end. */
TAGCORE_API int tagcore_area_iter_end(const struct tagcore_area_iter *it,
				      struct tagcore_error *error) TAGCORE_MUST_CHECK;

/* A loop over all areas from where the iterator is. */
#define tagcore_for_each_area(it, area)		while (((area) = tagcore_area_next(&(it))))
/* Areas that have a part in [where the iterator is, end); each is visited whole. */
#define tagcore_for_each_area_range(it, area, end)	while (((area) = tagcore_area_next_range(&(it), (end))))
/* Areas with memory tags alone. */
#define tagcore_for_each_tagged_area(it, area)	while (((area) = tagcore_area_next_tagged(&(it))))

#ifdef __cplusplus
}
#endif
