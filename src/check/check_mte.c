#include "base/scope.h"
#include "base/text.h"
#include "base/util.h"
#include "check/checks.h"
#include "elf/tags.h"

#define ull unsigned long long

/* Bytes for a page of 4 KiB; larger pages have a multiple. */
enum { PAGE_TAGS = 4096 / TAG_BYTE_SPAN };

#define for_each_memtag(c, i, p) \
	for (size_t i = 0; i < (c)->n_segs; i++) \
		for (const GElf_Phdr *p = &(c)->segs[i]; p && core_is_memtag(c, p); p = NULL)

void check_mte_old_type(struct check_ctx *x)
{
	const struct core *c = x->core;

	for_each_memtag(c, i, p)
		if (p->p_type == CORE_PT_MEMTAG_OLD)
			check_found(x, core_phdr_off(c, i), "segment %zu: tags of 0x%llx under the type 0x%x of Linux "
				    "5.18 release candidates", i, (ull)p->p_vaddr, p->p_type);
}

/* One finding for the file. */
void check_mte_big_endian(struct check_ctx *x)
{
	const struct core *c = x->core;

	if (c->fmt.data == ELFDATA2MSB && c->n_tagged)
		check_found(x, core_phdr_off(c, c->tagged[0].seg), "%zu tag segments in a big-endian core: if the "
			    "kernel wrote it, each 8 bytes of tags (of 256 bytes of memory) are in reverse order",
			    c->n_tagged);
}

void check_mte_empty(struct check_ctx *x)
{
	const struct core *c = x->core;

	for_each_memtag(c, i, p)
		if (!p->p_memsz)
			check_found(x, core_phdr_off(c, i), "segment %zu: tags of nothing, at 0x%llx", i,
				    (ull)p->p_vaddr);
}

static bool is_too_large(const GElf_Phdr *p)
{
	return p->p_filesz > p->p_memsz / TAG_BYTE_SPAN + !!(p->p_memsz % TAG_BYTE_SPAN);
}

void check_mte_size(struct check_ctx *x)
{
	const struct core *c = x->core;

	for_each_memtag(c, i, p)
		if (is_too_large(p))
			check_found(x, core_phdr_off(c, i), "segment %zu: %llu bytes of tags for %llu bytes of memory "
				    "at 0x%llx, which has %llu", i, (ull)p->p_filesz, (ull)p->p_memsz,
				    (ull)p->p_vaddr, (ull)p->p_memsz / TAG_BYTE_SPAN);
}

void check_mte_page(struct check_ctx *x)
{
	const struct core *c = x->core;

	for_each_memtag(c, i, p)
		if (p->p_filesz % PAGE_TAGS)
			check_found(x, core_phdr_off(c, i), "segment %zu: %llu bytes of tags are not those of whole "
				    "pages (%d for 4 KiB)", i, (ull)p->p_filesz, PAGE_TAGS);
}

/* As large as the PT_LOAD, with what a repair has cut from that. */
static bool same_size(const struct core *c, const GElf_Phdr *tags, const GElf_Phdr *load)
{
	const struct core_area *a = core_area_find(c, tags->p_vaddr);

	return load->p_memsz == tags->p_memsz || (load->p_memsz < tags->p_memsz && range_len(a->start, a->end) == tags->p_memsz);
}

/* The PT_LOAD at the same address, or NULL. */
static const GElf_Phdr *load_of(const struct core *c, const GElf_Phdr *tags)
{
	const struct core_area *a = core_area_find(c, tags->p_vaddr);
	const GElf_Phdr *p = a && a->seg != CORE_NO_SEG ? &c->segs[a->seg] : NULL;

	return p && p->p_vaddr == tags->p_vaddr ? p : NULL;
}

void check_mte_load(struct check_ctx *x)
{
	const struct core *c = x->core;

	if (!check_has_all_segs(c))
		return;
	for_each_memtag(c, i, p) {
		const GElf_Phdr *load = load_of(c, p);
		char end[TEXT_END_MAX];

		if (!p->p_memsz || (load && same_size(c, p, load)))
			continue;
		check_found(x, core_phdr_off(c, i), "segment %zu: tags of 0x%llx-%s, and %s", i, (ull)p->p_vaddr,
			    text_end(range_end(p->p_vaddr, p->p_memsz), end),
			    load ? "the PT_LOAD there has another size" : "no PT_LOAD begins there");
	}
}

static bool has_tags(const struct core *c, const GElf_Phdr *p)
{
	return core_is_memtag(c, p) && p->p_memsz;
}

void check_mte_overlap(struct check_ctx *x)
{
	const struct core *c = x->core;
	size_t n;
	u32 *order auto_free = check_sorted_segs(x, has_tags, check_by_vaddr, &n);
	u64 last = 0;
	char of[TEXT_END_MAX];
	bool any = false;

	for (size_t k = 0; k < n; k++) {
		const GElf_Phdr *p = &c->segs[order[k]];
		u64 end;

		if (any && p->p_vaddr <= last)
			check_found(x, core_phdr_off(c, order[k]), "segment %u: tags from 0x%llx on, and another's go to "
				    "%s", order[k], (ull)p->p_vaddr, text_end(range_end(last, 1), of));
		/* What wraps is seg-wrap's finding. */
		if (add_overflow(p->p_vaddr, p->p_memsz - 1, &end))
			continue;
		last = any ? max(last, end) : end;
		any = true;
	}
}

void check_mte_order(struct check_ctx *x)
{
	const struct core *c = x->core;
	size_t first = SIZE_MAX, n_before = 0;
	bool by_size = check_is_by_size(c);
	u64 last = 0;

	for (size_t i = 0; i < c->n_segs; i++) {
		const GElf_Phdr *p = &c->segs[i];

		if (p->p_type == PT_LOAD && first != SIZE_MAX)
			n_before++;
		if (!core_is_memtag(c, p))
			continue;
		first = min(first, i);
		if (p->p_vaddr < last && !by_size)
			check_found(x, core_phdr_off(c, i), "segment %zu: tags of 0x%llx follow those of 0x%llx", i,
				    (ull)p->p_vaddr, (ull)last);
		last = p->p_vaddr;
	}
	if (n_before)
		check_found(x, core_phdr_off(c, first), "%zu PT_LOADs follow tag segment %zu", n_before, first);
}

void check_mte_fields(struct check_ctx *x)
{
	const struct core *c = x->core;

	for_each_memtag(c, i, p)
		if (p->p_flags || p->p_paddr || p->p_align)
			check_found(x, core_phdr_off(c, i), "segment %zu: tag segment with p_flags 0x%x, p_paddr 0x%llx, "
				    "p_align 0x%llx", i, p->p_flags, (ull)p->p_paddr, (ull)p->p_align);
}

/* Sizes that are wrong in themselves are the findings of other checks. */
static bool differs(const GElf_Phdr *tags, const GElf_Phdr *load)
{
	return load && load->p_memsz == tags->p_memsz && !is_too_large(tags) && !(tags->p_filesz % PAGE_TAGS) &&
	       load->p_filesz <= load->p_memsz && tags->p_filesz != load->p_filesz / TAG_BYTE_SPAN;
}

/* One finding for the file: a kernel that does it, does it often. */
void check_mte_unsaved(struct check_ctx *x)
{
	const struct core *c = x->core;
	const GElf_Phdr *load = NULL;
	size_t n = 0, first = 0;

	for_each_memtag(c, i, p)
		if (differs(p, load_of(c, p)) && !n++) {
			first = i;
			load = load_of(c, p);
		}
	if (load)
		check_found(x, core_phdr_off(c, first), "%zu tag segment%s other pages saved than %s PT_LOAD; the "
			    "first is %zu, at 0x%llx: tags of %llu bytes, memory of %llu", n, n == 1 ? " has" : "s have",
			    n == 1 ? "its" : "their", first, (ull)load->p_vaddr,
			    (ull)c->segs[first].p_filesz * TAG_BYTE_SPAN, (ull)load->p_filesz);
}

/* One finding for the file. */
void check_mte_no_data(struct check_ctx *x)
{
	const struct core *c = x->core;
	size_t n = 0, first = 0, all = 0;

	for_each_memtag(c, i, p) {
		all++;
		if (p->p_memsz && !p->p_filesz && !n++)
			first = i;
	}
	if (n)
		check_found(x, core_phdr_off(c, first), "%zu of %zu tag segments have no tags in the file; the first is "
			    "%zu, at 0x%llx", n, all, first, (ull)c->segs[first].p_vaddr);
}
