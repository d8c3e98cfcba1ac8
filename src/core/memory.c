#include "base/util.h"
#include "core/core_priv.h"

/*
 * At UINT64_MAX.  That an area ends there or at 2^64, for which it stands, is in the
 * segment; one by notes alone has no odd end.
 */
static enum mem_state state_of_last(const struct core *c, const struct core_area *a)
{
	const struct core_missing *m = core_missing_find(c, UINT64_MAX);
	const GElf_Phdr *p = a && a->seg != CORE_NO_SEG ? &c->segs[a->seg] : NULL;
	bool missing = m && m->start < UINT64_MAX;

	if (!a || (p && !missing && UINT64_MAX - p->p_vaddr >= p->p_memsz))
		return MEM_UNMAPPED;
	return p && !missing && UINT64_MAX - p->p_vaddr < core_seg_in_file(c, a->seg) ? MEM_PRESENT : MEM_ABSENT;
}

/* The state at @addr, and up to where it holds. */
static enum mem_state state_at(const struct core *c, u64 addr, u64 *until, const struct core_area **area)
{
	const struct core_area *a = core_area_find(c, addr);
	const struct core_missing *m;

	*area = a;
	if (addr == UINT64_MAX) {
		*until = addr;
		return state_of_last(c, a);
	}
	if (!a || a->start > addr) {
		*until = a ? a->start : UINT64_MAX;
		return MEM_UNMAPPED;
	}
	if (addr >= a->saved_end) {
		*until = a->end;
		return MEM_ABSENT;
	}
	m = core_missing_find(c, addr);
	if (m && m->start <= addr) {
		*until = min(m->end, a->end);
		return MEM_ABSENT;
	}
	*until = m ? min(m->start, a->saved_end) : a->saved_end;
	return MEM_PRESENT;
}

enum mem_state core_mem_state(const struct core *c, u64 addr, u64 *until)
{
	const struct core_area *a;

	return state_at(c, addr, until, &a);
}

int core_read(struct core *c, u64 addr, void *buf, size_t len, enum mem_state *state, size_t *n,
	      struct err *e)
{
	const struct core_area *a;
	const GElf_Phdr *p;
	enum mem_state s;
	size_t got;
	u64 until;
	int r = 0;

	s = state_at(c, addr, &until, &a);
	/* At the last address of all *until is @addr itself. */
	got = (size_t)min((u64)len, until > addr ? until - addr : 1);
	if (s == MEM_PRESENT && got) {
		p = &c->segs[a->seg];
		r = core_file_read(&c->file, p->p_offset + (addr - p->p_vaddr), buf, got, e);
	}
	if (r)
		return err_wrap(e, "memory at 0x%llx", (unsigned long long)addr);
	*state = s;
	*n = got;
	return 0;
}

int core_read_present(struct core *c, u64 addr, void *buf, size_t len, size_t *n, struct err *e)
{
	size_t got = 0, part;
	enum mem_state s;
	int r;

	while (got < len && addr + got >= addr) {
		r = core_read(c, addr + got, (u8 *)buf + got, len - got, &s, &part, e);
		if (r)
			return r;
		if (s != MEM_PRESENT || !part)
			break;
		got += part;
	}
	*n = got;
	return 0;
}
