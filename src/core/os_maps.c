/* os_maps.c - the mapped files of a FreeBSD process, from the kernel's list of its mappings. */
#include "base/array.h"
#include "base/util.h"
#include "core/core_priv.h"

/*
 * FreeBSD 14, sys/sys/user.h: struct kinfo_vmentry, the same for 32 and 64 bits,
 * each cut after its path: sys/kern/kern_proc.c: kern_proc_vmmap_out().
 */
enum { STRUCTSIZE = 0, START = 8, END = 16, OFFSET = 24, PATH = 136 };

bool core_vmmap_next(const struct core *c, struct bytes d, u64 *at, struct core_map *out)
{
	struct bytes e;
	u64 size;

	if (bytes_uint(d, c->fmt, *at + STRUCTSIZE, 4, &size, NULL) || size <= PATH || bytes_sub(d, *at, size, &e, NULL))
		return false;
	*out = (struct core_map){
		.start = uint_get(c->fmt, e.p + START, 8), .end = uint_get(c->fmt, e.p + END, 8),
		.pgoff = uint_get(c->fmt, e.p + OFFSET, 8),
	};
	if (bytes_str(e, PATH, &out->name.p, &out->name.len, NULL))
		return false;
	*at += size;
	return true;
}

/* sys/kern/imgact_elf.c: note_procstat_vmmap(). */
int core_load_os_maps(struct core *c, struct err *e)
{
	const struct core_note *n = core_os_note(c, c->os->vmmap);
	struct core_map m;
	size_t cap = 0;
	u64 at = CORE_VMMAP_BEGIN;
	int r = 0;

	while (!r && n && core_vmmap_next(c, n->note.desc, &at, &m)) {
		if (!m.name.len || m.end <= m.start)
			continue;
		r = array_grow((void **)&c->maps, c->n_maps, &cap, sizeof(m), "read core", e);
		if (!r)
			c->maps[c->n_maps++] = m;
	}
	return r;
}
