/* linkmap.h - the dynamic linker's list of what it has loaded, in a core or a live process. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

/* How memory is reached: all @len bytes at @addr, or false. */
struct linkmap_reader {
	struct elffmt fmt;
	unsigned word;	/* bytes of a long */
	bool (*read)(void *arg, u64 addr, void *buf, size_t len);
	void *arg;
};

/*
 * An entry at @at: struct link_map's l_addr, l_ld and l_name, which is "" for the program
 * itself, and where it cannot be read.
 */
struct link {
	u64 at;
	u64 base;
	u64 ld;
	const char *name;
};

/*
 * Calls @fn for each entry, in the list's order.  @phdr and @phnum are AT_PHDR
 * and AT_PHNUM.  Ends without a word where memory is missing or makes no sense:
 * what came before is still true, but of a list that goes
 * in a circle entries may come up to three times.  Not 0 from @fn ends the walk and is returned.
 * glibc 2.36, elf/link.h: struct r_debug, struct link_map; musl has the same.
 */
int linkmap_walk(const struct linkmap_reader *r, u64 phdr, u64 phnum,
		 int (*fn)(const struct link *l, void *arg, struct err *e), void *arg, struct err *e) must_check;
