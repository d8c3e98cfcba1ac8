#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/scope.h"
#include "base/text.h"
#include "base/util.h"
#include "check/checks.h"
#include "elf/elffmt.h"

#define ull unsigned long long

static bool is_load(const GElf_Phdr *p)
{
	return p->p_type == PT_LOAD;
}

/* PT_NULL's other members mean nothing (gABI). */
#define for_each_seg(c, i, p) \
	for (size_t i = 0; i < (c)->n_segs; i++) \
		for (const GElf_Phdr *p = &(c)->segs[i]; p && p->p_type != PT_NULL; p = NULL)

static bool file_end(const GElf_Phdr *p, u64 *end)
{
	return !add_overflow(p->p_offset, p->p_filesz, end);
}

void check_seg_wrap(struct check_ctx *x)
{
	const struct core *c = x->core;
	u64 end;

	for_each_seg(c, i, p) {
		if (!file_end(p, &end))
			check_found(x, core_phdr_off(c, i), "segment %zu: offset 0x%llx + size 0x%llx overflow", i,
				    (ull)p->p_offset, (ull)p->p_filesz);
		if ((is_load(p) || core_is_memtag(c, p)) && core_range_wraps(c, p->p_vaddr, p->p_memsz))
			check_found(x, core_phdr_off(c, i), "segment %zu: address 0x%llx + size 0x%llx overflow",
				    i, (ull)p->p_vaddr, (ull)p->p_memsz);
	}
}

/* " (NAME)", or "" where no note has the area's name. */
static const char *area_name(const struct core *c, u64 addr, char out[300])
{
	const struct core_map *m = core_map_at(c, addr);
	const struct core_noted_area *noted = m ? NULL : core_noted_area_at(c, addr);
	struct core_text name = m ? m->name : noted ? noted->name : (struct core_text){ 0 };
	char raw[128], safe[256];

	out[0] = 0;
	if (name.len)
		snprintf(out, 300, " (%s)", text_escape(core_text_copy(name, raw, sizeof(raw)), safe, sizeof(safe)));
	return out;
}

static void seg_truncated(struct check_ctx *x, size_t i, const GElf_Phdr *p, u64 have)
{
	const struct core *c = x->core;
	char name[300], end[TEXT_END_MAX];

	if (is_load(p))
		check_found(x, core_phdr_off(c, i), "area 0x%llx-%s%s: the last %llu of %llu bytes are past the end of "
			    "the file", (ull)p->p_vaddr, text_end(range_end(p->p_vaddr, p->p_memsz), end), area_name(c, p->p_vaddr, name),
			    (ull)(p->p_filesz - have), (ull)p->p_filesz);
	else
		check_found(x, core_phdr_off(c, i), "segment %zu%s: the last %llu of %llu bytes are past the end of the file",
			    i, p->p_type == PT_NOTE ? " (notes)" : core_is_memtag(c, p) ? " (memory tags)" : "",
			    (ull)(p->p_filesz - have), (ull)p->p_filesz);
}

void check_seg_truncated(struct check_ctx *x)
{
	u64 end;

	for_each_seg(x->core, i, p) {
		u64 have = core_seg_in_file(x->core, i);

		if (have != p->p_filesz && file_end(p, &end))
			seg_truncated(x, i, p, have);
	}
}

/* Since Linux 6.12, fs/coredump.c: cmp_vma_size(): by what is saved of them, those of one size in any order. */
bool check_is_by_size(const struct core *c)
{
	u64 size = 0, addr = 0;
	bool ascend = true;

	if (!check_is_by_kernel(c))
		return false;
	for_each_seg(c, i, p) {
		if (!is_load(p))
			continue;
		if (p->p_filesz < size)
			return false;
		ascend &= p->p_vaddr >= addr;
		size = p->p_filesz;
		addr = p->p_vaddr;
	}
	return !ascend;
}

void check_seg_order(struct check_ctx *x)
{
	const struct core *c = x->core;
	u64 last = 0;

	if (check_is_by_size(c)) {
		check_found_info(x, c->ehdr.e_phoff, "segments are in the order of their sizes, as the kernel writes them "
				 "with kernel.core_sort_vma=1: elfutils does not find its way in such a core");
		return;
	}

	for_each_seg(c, i, p) {
		if (!is_load(p))
			continue;
		if (p->p_vaddr < last)
			check_found(x, core_phdr_off(c, i), "segment %zu at 0x%llx follows one at 0x%llx", i,
				    (ull)p->p_vaddr, (ull)last);
		last = p->p_vaddr;
	}
}

u32 *check_sorted_segs(struct check_ctx *x, bool (*want)(const struct core *c, const GElf_Phdr *p),
		       int (*cmp)(const void *, const void *, void *), size_t *n)
{
	const struct core *c = x->core;
	u32 *order = calloc(c->n_segs ? c->n_segs : 1, sizeof(*order));

	*n = 0;
	if (!order) {
		x->oom = -ENOMEM;
		return NULL;
	}
	for_each_seg(c, i, p)
		if (want(c, p))
			order[(*n)++] = (u32)i;
	qsort_r(order, *n, sizeof(*order), cmp, c->segs);
	return order;
}

int check_by_vaddr(const void *a, const void *b, void *arg)
{
	const GElf_Phdr *segs = arg;
	u64 x = segs[*(const u32 *)a].p_vaddr, y = segs[*(const u32 *)b].p_vaddr;

	return x < y ? -1 : x > y;
}

static int by_offset(const void *a, const void *b, void *arg)
{
	const GElf_Phdr *segs = arg;
	u64 x = segs[*(const u32 *)a].p_offset, y = segs[*(const u32 *)b].p_offset;

	return x < y ? -1 : x > y;
}

static bool has_memory(const struct core *c, const GElf_Phdr *p)
{
	(void)c;
	return is_load(p) && p->p_memsz;
}

static bool has_data(const struct core *c, const GElf_Phdr *p)
{
	u64 end;

	(void)c;
	return p->p_filesz && file_end(p, &end);
}

void check_seg_overlap(struct check_ctx *x)
{
	const struct core *c = x->core;
	size_t n;
	u32 *order auto_free = check_sorted_segs(x, has_memory, check_by_vaddr, &n);
	u64 last = 0;
	char of[TEXT_END_MAX];
	bool any = false;

	for (size_t k = 0; k < n; k++) {
		const GElf_Phdr *p = &c->segs[order[k]];
		u64 end;

		if (any && p->p_vaddr <= last)
			check_found(x, core_phdr_off(c, order[k]), "segment %u at 0x%llx begins inside an area that "
				    "ends at %s", order[k], (ull)p->p_vaddr, text_end(range_end(last, 1), of));
		/* What wraps is another check's finding. */
		if (add_overflow(p->p_vaddr, p->p_memsz - 1, &end))
			continue;
		last = any ? max(last, end) : end;
		any = true;
	}
}

/* The headers that share bytes with the segment, or NULL.  Tables of headers may be anywhere in the file. */
static const char *headers_in(const struct core *c, const GElf_Phdr *p)
{
	const struct {
		const char *name;
		u64 off, len;
	} headers[] = {
		{ "the ELF header", 0, elffmt_ehdr_size(c->fmt) },
		{ "the program headers", c->ehdr.e_phoff, c->n_segs * elffmt_phdr_size(c->fmt) },
		{ "the section headers", c->ehdr.e_shoff, c->ehdr.e_shoff ? c->ehdr.e_shnum * elffmt_shdr_size(c->fmt) : 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(headers); i++)
		if (p->p_offset < range_end(headers[i].off, headers[i].len) &&
		    headers[i].off < p->p_offset + p->p_filesz)
			return headers[i].name;
	return NULL;
}

void check_seg_data_overlap(struct check_ctx *x)
{
	const struct core *c = x->core;
	size_t n;
	u32 *order auto_free = check_sorted_segs(x, has_data, by_offset, &n);
	u64 last = 0;

	for (size_t k = 0; k < n; k++) {
		const GElf_Phdr *p = &c->segs[order[k]];
		const char *of = headers_in(c, p);

		if (!of && p->p_offset < last)
			of = "another segment";
		if (of)
			check_found(x, core_phdr_off(c, order[k]), "segment %u: its bytes at 0x%llx are also those of %s",
				    order[k], (ull)p->p_offset, of);
		last = max(last, p->p_offset + p->p_filesz);
	}
}

static bool is_misaligned(const GElf_Phdr *p)
{
	return p->p_filesz && (p->p_vaddr ^ p->p_offset) & (p->p_align - 1);
}

/* Who places one segment without regard to its alignment, does so with all: one finding for these. */
void check_seg_align(struct check_ctx *x)
{
	const struct core *c = x->core;
	size_t n = 0, first = 0;

	for_each_seg(c, i, p) {
		if (!is_load(p) || p->p_align <= 1)
			continue;
		if (p->p_align & (p->p_align - 1))
			check_found(x, core_phdr_off(c, i), "segment %zu: alignment 0x%llx is not a power of two", i,
				    (ull)p->p_align);
		else if (is_misaligned(p) && !n++)
			first = i;
	}
	if (n)
		check_found(x, core_phdr_off(c, first), "address and offset of %zu segment%s differ modulo the alignment; "
			    "the first is %zu, at 0x%llx with 0x%llx, modulo 0x%llx", n, n == 1 ? "" : "s", first,
			    (ull)c->segs[first].p_vaddr, (ull)c->segs[first].p_offset, (ull)c->segs[first].p_align);
}

void check_seg_page(struct check_ctx *x)
{
	const struct core *c = x->core;
	size_t n = 0, first = 0;

	for_each_seg(c, i, p)
		if (is_load(p) && p->p_filesz && p->p_offset & 0xfff && !n++)
			first = i;
	if (n)
		check_found(x, core_phdr_off(c, first), "the bytes of %zu segment%s do not begin on a page of the file",
			    n, n == 1 ? "" : "s");
}

void check_seg_filesz(struct check_ctx *x)
{
	const struct core *c = x->core;

	for_each_seg(c, i, p)
		if (is_load(p) && p->p_filesz > p->p_memsz)
			check_found(x, core_phdr_off(c, i), "segment %zu: %llu bytes in the file for %llu in memory", i,
				    (ull)p->p_filesz, (ull)p->p_memsz);
}

/* Who writes one such bit, does so in every header: one finding. */
void check_seg_flags(struct check_ctx *x)
{
	const struct core *c = x->core;
	const u32 known = PF_R | PF_W | PF_X | PF_MASKOS | PF_MASKPROC;
	size_t n = 0, first = 0;

	for_each_seg(c, i, p)
		if (p->p_flags & ~known && !core_is_memtag(c, p) && !n++)
			first = i;
	if (n)
		check_found(x, core_phdr_off(c, first), "p_flags of %zu segment%s have bits without a meaning; the first is "
			    "%zu, at 0x%llx, with 0x%x: perhaps VM_* flags, of which 1 is to read and 4 to execute", n,
			    n == 1 ? "" : "s", first, (ull)c->segs[first].p_vaddr, c->segs[first].p_flags);
}

void check_seg_unreadable(struct check_ctx *x)
{
	const struct core *c = x->core;
	size_t n = 0, readable = 0, first = 0;

	for_each_seg(c, i, p) {
		if (!is_load(p))
			continue;
		readable += (p->p_flags & (PF_R | PF_W)) == (PF_R | PF_W);
		if ((p->p_flags & (PF_R | PF_W | PF_X)) == (PF_W | PF_X) && !n++)
			first = i;
	}
	if (n)
		check_found(x, core_phdr_off(c, first), "%zu area%s can be written and executed, and not read (-wx); the first "
			    "is 0x%llx; %zu can be read and written", n, n == 1 ? "" : "s", (ull)c->segs[first].p_vaddr,
			    readable);
}
