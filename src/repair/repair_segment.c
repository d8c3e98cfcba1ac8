#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "base/scope.h"
#include "base/text.h"
#include "base/util.h"
#include "elf/tags.h"
#include "repair/repairs.h"

#define ull unsigned long long

/* What the file has of segment @i; of an area not more than its memory, where its size was false from the beginning. */
static u64 have_of(const struct core *c, size_t i)
{
	const GElf_Phdr *p = &c->segs[i];
	u64 have = core_seg_in_file(c, i);

	return p->p_type == PT_LOAD ? min(have, p->p_memsz) : have;
}

static int did_cut(struct repair_ctx *x, size_t i, u64 have, struct err *e)
{
	const struct core *c = x->core;
	const GElf_Phdr *p = &c->segs[i];
	char end[TEXT_END_MAX];

	if (p->p_type == PT_LOAD)
		return repair_did(x, e, core_phdr_off(c, i), "area 0x%llx-%s: the file has %llu of %llu bytes; the others "
				  "are absent", (ull)p->p_vaddr, text_end(range_end(p->p_vaddr, p->p_memsz), end), (ull)have,
				  (ull)p->p_filesz);
	return repair_did(x, e, core_phdr_off(c, i), "segment %zu%s: the file has %llu of %llu bytes", i,
			  p->p_type == PT_NOTE ? " (notes)" : core_is_memtag(c, p) ? " (memory tags)" : "", (ull)have,
			  (ull)p->p_filesz);
}

/* Bytes, or with @tags bytes whose tags the segment should have, and how many it has. */
static int lost_range(struct repair_ctx *x, const GElf_Phdr *p, bool tags, u64 have, u64 want, struct err *e)
{
	const struct core_map *m = core_map_at(x->core, p->p_vaddr);
	char name[PATH_MAX], safe[PATH_MAX], what[PATH_MAX + 64];

	want = min(want, p->p_memsz);
	if (have >= want || core_range_wraps(x->core, p->p_vaddr, want))
		return 0;
	snprintf(what, sizeof(what), "the file was cut short%s%s%s", m ? " (" : "",
		 m ? text_escape(core_text_copy(m->name, name, sizeof(name)), safe, sizeof(safe)) : "", m ? ")" : "");
	return repair_lost_range(x, tags, p->p_vaddr + have, range_end(p->p_vaddr, want), what, e);
}

static int did_lose(struct repair_ctx *x, size_t i, u64 have, struct err *e)
{
	const GElf_Phdr *p = &x->core->segs[i];
	u64 covers, wanted;

	if (p->p_type == PT_LOAD)
		return lost_range(x, p, false, have, p->p_filesz, e);
	if (core_is_memtag(x->core, p)) {
		if (mul_overflow(have, (u64)TAG_BYTE_SPAN, &covers) ||
		    mul_overflow(p->p_filesz, (u64)TAG_BYTE_SPAN, &wanted))
			wanted = covers = p->p_memsz;
		return lost_range(x, p, true, covers, wanted, e);
	}
	if (p->p_type != PT_NOTE)
		return repair_lost_other(x, p->p_filesz - have, "bytes of a segment", e);
	x->out->lost_notes += min(p->p_filesz - have, UINT64_MAX - x->out->lost_notes);
	return 0;
}

/* Code, and the beginning of a file, are as a rule what the file has: debuggers may read it there. */
static bool is_as_in_file(const struct core *c, const GElf_Phdr *p)
{
	const struct core_map *m = core_map_at(c, p->p_vaddr);

	/* Without a FILE note debuggers look into the executable. */
	if (p->p_flags & PF_W || (!m && c->n_maps))
		return false;
	return p->p_flags & PF_X || (m && !m->pgoff);
}

/*
 * With memory beyond its bytes, gdb reads zeros there, and eu-stack the bytes that
 * follow in the file (elfutils 0.188, libdwfl/linux-core-attach.c: core_memory_read();
 * gdb 13.1, corelow.c: core_target::xfer_partial()).  So a segment that had all of
 * its area ends with what is left; what followed is recorded.
 */
static bool ends_with_bytes(const struct core *c, const GElf_Phdr *p)
{
	return p->p_type == PT_LOAD && p->p_filesz >= p->p_memsz && !core_kind_is_machine(c->kind) &&
	       !is_as_in_file(c, p) && !core_range_wraps(c, p->p_vaddr, p->p_memsz);
}

static int cut_one(struct repair_ctx *x, size_t i, struct err *e)
{
	const struct core *c = x->core;
	GElf_Phdr p = c->segs[i];
	int r;

	p.p_filesz = have_of(c, i);
	if (ends_with_bytes(c, &c->segs[i]))
		p.p_memsz = p.p_filesz;
	/* elfutils reads no notes at all when those of one segment begin past the end. */
	if (p.p_type == PT_NOTE)
		p.p_offset = min(p.p_offset, c->file.size);
	r = repair_put_phdr(x, i, &p, e);
	if (!r)
		r = did_lose(x, i, p.p_filesz, e);
	return r ? r : did_cut(x, i, p.p_filesz, e);
}

int repair_seg_cut(struct repair_ctx *x, struct err *e)
{
	const struct core *c = x->core;
	int r = 0;

	for (size_t i = 0; !r && i < c->n_segs; i++)
		if (c->segs[i].p_type != PT_NULL && core_seg_in_file(c, i) != c->segs[i].p_filesz)
			r = cut_one(x, i, e);
	return r;
}

int repair_seg_wrap(struct repair_ctx *x, struct err *e)
{
	const struct core *c = x->core;
	int r = 0;

	for (size_t i = 0; !r && i < c->n_segs; i++) {
		GElf_Phdr p = c->segs[i];
		u64 was = p.p_memsz;

		if (p.p_type != PT_LOAD || !p.p_filesz || !core_range_wraps(c, p.p_vaddr, was) ||
		    core_range_wraps(c, p.p_vaddr, p.p_filesz))
			continue;
		p.p_memsz = p.p_filesz;
		r = repair_put_phdr(x, i, &p, e);
		if (!r)
			r = repair_did(x, e, core_phdr_off(c, i), "segment %zu at 0x%llx: its %llu bytes passed the end of all "
				       "addresses; it has the %llu that are in the file", i, (ull)p.p_vaddr, (ull)was,
				       (ull)p.p_memsz);
	}
	return r;
}

static int by_vaddr(const void *a, const void *b, void *arg)
{
	const GElf_Phdr *segs = arg;
	u32 i = *(const u32 *)a, k = *(const u32 *)b;

	if (segs[i].p_vaddr != segs[k].p_vaddr)
		return segs[i].p_vaddr < segs[k].p_vaddr ? -1 : 1;
	return i < k ? -1 : i > k;
}

/* Indices of the PT_LOADs, by address; NULL when memory is short. */
static u32 *sorted_loads(const struct core *c, size_t *n)
{
	u32 *order = calloc(c->n_segs ? c->n_segs : 1, sizeof(*order));

	*n = 0;
	for (size_t i = 0; order && i < c->n_segs; i++)
		if (c->segs[i].p_type == PT_LOAD)
			order[(*n)++] = (u32)i;
	if (order)
		qsort_r(order, *n, sizeof(*order), by_vaddr, c->segs);
	return order;
}

/* True when the @k-th area by address may have as much memory as it has bytes. */
static bool has_room(const struct core *c, const u32 *order, size_t n, size_t k)
{
	const GElf_Phdr *p = &c->segs[order[k]];

	return !core_range_wraps(c, p->p_vaddr, p->p_filesz) &&
	       (k + 1 == n || c->segs[order[k + 1]].p_vaddr - p->p_vaddr >= p->p_filesz);
}

static int fit_one(struct repair_ctx *x, size_t i, bool grow, struct err *e)
{
	GElf_Phdr p = x->core->segs[i];
	u64 filesz = p.p_filesz, memsz = p.p_memsz;
	int r;

	/* Bytes that were saved were memory. */
	if (grow)
		p.p_memsz = filesz;
	else
		p.p_filesz = memsz;
	r = repair_put_phdr(x, i, &p, e);
	return r ? r : repair_did(x, e, core_phdr_off(x->core, i), "area at 0x%llx: %llu bytes in the file for %llu in memory; %s",
				  (ull)p.p_vaddr, (ull)filesz, (ull)memsz,
				  grow ? "the memory is as large" : "the others would be another area's");
}

int repair_seg_filesz(struct repair_ctx *x, struct err *e)
{
	const struct core *c = x->core;
	size_t n;
	u32 *order auto_free = sorted_loads(c, &n);
	int r = order ? 0 : err_set(e, -ENOMEM, "%zu segments", c->n_segs);

	for (size_t k = 0; !r && k < n; k++)
		if (c->segs[order[k]].p_filesz > c->segs[order[k]].p_memsz)
			r = fit_one(x, order[k], has_room(c, order, n, k), e);
	return r;
}

/* The largest power of two, up to a page of 4 KiB, by which offset and address differ. */
static u64 true_align(const GElf_Phdr *p)
{
	enum { PAGE = 4096 };
	u64 differ = p->p_filesz ? (p->p_vaddr ^ p->p_offset) | PAGE : PAGE;

	return differ & -differ;
}

int repair_seg_align(struct repair_ctx *x, struct err *e)
{
	const struct core *c = x->core;
	int r = 0;

	for (size_t i = 0; !r && i < c->n_segs; i++) {
		GElf_Phdr p = c->segs[i];
		u64 was = p.p_align, rest = (p.p_vaddr ^ p.p_offset) & (was - 1);

		if (p.p_type != PT_LOAD || was <= 1 || (!(was & (was - 1)) && !(p.p_filesz && rest)))
			continue;
		p.p_align = true_align(&p);
		r = repair_put_phdr(x, i, &p, e);
		if (!r)
			r = repair_did(x, e, core_phdr_off(c, i), "segment %zu at 0x%llx: its alignment was 0x%llx, is 0x%llx",
				       i, (ull)p.p_vaddr, (ull)was, (ull)p.p_align);
	}
	return r;
}

/* Of areas that overlap, the first header's is taken: there the order means something. */
static bool overlap(const struct core *c, const u32 *order, size_t n)
{
	u64 end = 0;

	for (size_t k = 0; k < n; k++) {
		const GElf_Phdr *p = &c->segs[order[k]];

		if (p->p_memsz && p->p_vaddr < end)
			return true;
		if (core_range_wraps(c, p->p_vaddr, p->p_memsz))
			return true;
		end = max(end, p->p_vaddr + p->p_memsz);
	}
	return false;
}

int repair_seg_order(struct repair_ctx *x, struct err *e)
{
	const struct core *c = x->core;
	size_t n, k = 0, moved = 0, first = 0;
	u32 *order auto_free = sorted_loads(c, &n);
	int r = order ? 0 : err_set(e, -ENOMEM, "%zu segments", c->n_segs);

	if (r || overlap(c, order, n))
		return r;
	for (size_t i = 0; !r && i < c->n_segs; i++) {
		if (c->segs[i].p_type != PT_LOAD)
			continue;
		if (order[k] != i) {
			r = repair_put_phdr(x, i, &c->segs[order[k]], e);
			if (!moved++)
				first = i;
		}
		k++;
	}
	return r || !moved ? r : repair_did(x, e, core_phdr_off(c, first), "%zu of %zu areas' headers were not in the order of "
					    "addresses", moved, n);
}
