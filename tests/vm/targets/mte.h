/* mte.h - memory tags of arm64: making tagged areas and giving granules their tags. */
#pragma once

#include "../../targets/target.h"

#include <sys/auxv.h>
#include <sys/mman.h>

/* Missing in old headers; values from Linux 6.12, arch/arm64/include/uapi/asm/{mman,hwcap}.h. */
#ifndef PROT_MTE
#define PROT_MTE 0x20
#endif
#ifndef HWCAP2_MTE
#define HWCAP2_MTE (1ul << 18)
#endif
#ifndef PR_SET_TAGGED_ADDR_CTRL
#define PR_SET_TAGGED_ADDR_CTRL 55
#define PR_TAGGED_ADDR_ENABLE (1ul << 0)
#endif
#ifndef PR_MTE_TCF_SYNC
#define PR_MTE_TCF_SYNC (1ul << 1)
#define PR_MTE_TCF_ASYNC (1ul << 2)
#define PR_MTE_TAG_SHIFT 3
#endif

#define PAGE 4096ul
#define GRANULE 16ul
#define PER_PAGE (PAGE / GRANULE)
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

/*
 * The tags of an area, in pages 0, step, 2 * step ...; the rest have none (0).
 * Granule i of the area has (first + by * i + i / PER_PAGE) mod 16, so that
 * with @by 0 a page has one tag, and no two neighbours have the same.
 */
struct tagging {
	unsigned first;
	unsigned by;
	unsigned step;	/* 0: no page */
};

static inline unsigned tag_of(const struct tagging *t, size_t granule)
{
	size_t page = granule / PER_PAGE;

	if (!t->step || page % t->step)
		return 0;
	return (unsigned)(t->first + t->by * granule + page) & 15;
}

/* Elsewhere there are no tags to give: mtecmp is built on the host, too. */
static inline void tag_granule(uintptr_t at, unsigned tag)
{
	uintptr_t p = at | (uintptr_t)tag << 56;

#ifdef __aarch64__
	__asm__ volatile(".arch armv8.5-a+memtag\nstg %0, [%0]" : : "r"(p) : "memory");
#else
	(void)p;
#endif
}

/* Known bytes first: through pointers without a tag they could not be written later. */
static inline void tag_area(char *at, size_t len, const struct tagging *t)
{
	for (size_t page = 0; t->step && page < len / PAGE; page += t->step) {
		size_t g = page * PER_PAGE;

		target_fill(at + page * PAGE, PAGE, page + 1);
		for (size_t end = g + PER_PAGE; g < end; g++)
			tag_granule((uintptr_t)at + g * GRANULE, tag_of(t, g));
	}
}

static inline unsigned long mte_mode(unsigned long tcf)
{
	return PR_TAGGED_ADDR_ENABLE | tcf | 0xfffeul << PR_MTE_TAG_SHIFT;
}

/* @tcf: PR_MTE_TCF_*, or 0: tags are there, but nobody looks. */
static inline void mte_begin(unsigned long tcf)
{
	if (!(getauxval(AT_HWCAP2) & HWCAP2_MTE)) {
		puts("skip no MTE here");
		exit(77);
	}
	must(prctl(PR_SET_TAGGED_ADDR_CTRL, mte_mode(tcf), 0, 0, 0) == 0, "PR_SET_TAGGED_ADDR_CTRL");
}
