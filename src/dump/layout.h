/* layout.h - where everything is in a core file: computed without I/O. */
#pragma once

#include "arch/arch.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/types.h"

/* One program header; the maker fills all but @off, unless it has its place already. */
struct segment {
	u32 type;	/* PT_* */
	u32 flags;	/* PF_* */
	u64 vaddr;
	u64 memsz;
	u64 filesz;
	u64 off;
};

/* A file: headers at 0, then the segments' data in the order of the array. */
struct layout {
	u64 page_size;
	u64 shdr_off;	/* of the one section header that PN_XNUM needs; 0 without */
	u64 size;	/* of the whole file */
};

/*
 * Sets every segment's offset that is 0: PT_LOAD on page borders, notes on 4 bytes, MTE
 * tags back to back.  Where segments have offsets, the first one, which has the notes, comes before
 * those, and the others after them: ERR_LIMIT if there is no room for it.  ERR_UNSUPPORTED when the file would pass 2^63 bytes or
 * the class.  fs/binfmt_elf.c: elf_core_dump().
 */
int layout_make(struct elffmt fmt, u64 page_size, struct segment *segs, size_t n, struct layout *out,
		struct err *e) must_check;

/* Appends the file header and all program headers. */
int layout_put_headers(const struct arch *a, const struct layout *l, const struct segment *segs, size_t n,
		       struct buf *b, struct err *e) must_check;
/* Appends the section header, if the layout has one. */
int layout_put_trailer(const struct arch *a, const struct layout *l, size_t n, struct buf *b,
		       struct err *e) must_check;
