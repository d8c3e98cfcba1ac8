#include "base/util.h"
#include "core/core_priv.h"

/* First byte at or above @addr, below @end, that is in the file; and up to where. */
static bool saved_at(const struct core *c, u64 addr, u64 end, struct page_run *out)
{
	while (addr < end) {
		const struct core_area *a = core_area_find(c, addr);
		const struct core_missing *m;

		if (!a || a->start >= end)
			return false;
		addr = max(addr, a->start);
		if (addr >= a->saved_end) {
			addr = a->end;
			continue;
		}
		m = core_missing_find(c, addr);
		if (m && m->start <= addr) {
			addr = m->end;
			continue;
		}
		*out = (struct page_run){ .start = addr, .end = min(end, a->saved_end), .flags = PAGE_SAVED };
		if (m)
			out->end = min(out->end, m->start);
		return out->start < end;
	}
	return false;
}

static int core_next(struct page_source *src, u64 start, u64 end, struct page_run *out, struct err *e)
{
	(void)e;
	return saved_at(src->priv, start, end, out);
}

static void core_source_close(struct page_source *src)
{
	(void)src;	/* the core is borrowed */
}

const struct page_source_ops page_core_ops = {
	.name = "core",
	.next = core_next,
	.close = core_source_close,
};

void page_source_open_core(struct page_source *src, struct core *core)
{
	*src = (struct page_source){ .ops = &page_core_ops, .priv = core };
}
