/* modules.h - the programs and libraries in a core's memory, with their build-ids. */
#pragma once

#include "base/err.h"
#include "base/types.h"
#include "core/core.h"

/*
 * An ELF file that the process had mapped, in [start, end).  Its build-id is
 * read from the core's own memory, never from a file of this machine.
 */
#define CORE_BUILD_ID_MAX 64
struct core_module {
	u64 start;
	u64 end;
	struct core_text path;	/* "[vdso]" for that; p NULL when unknown; borrowed from the core */
	bool has_header;	/* its ELF header is in this core; else it is known by its name only */
	u64 build_id_addr;
	size_t build_id_len;	/* 0: it has none, or it is not in this core */
	u8 build_id[CORE_BUILD_ID_MAX];
	u64 package_addr;	/* where .note.package has its JSON text, */
	size_t package_len;	/* and its bytes; 0: it has none, or it is not in this core */
};

/*
 * Owner and type of .note.package, which says what package a file is of:
 * systemd.io/PACKAGE_METADATA_FOR_EXECUTABLE_FILES (JSON, ended by NUL).
 */
#define PACKAGE_OWNER "FDO"
#define PACKAGE_TYPE 0xcafe1a7eu

/*
 * Calls @fn for each module in address order.  Not 0 from @fn ends the walk and
 * is returned.
 */
int core_modules(struct core *core, int (*fn)(const struct core_module *m, void *arg, struct err *e),
		 void *arg, struct err *e) must_check;
