#include <errno.h>
#include <stdlib.h>

#include <tagcore/elffmt.h>

#include "base/scope.h"
#include "base/uapi.h"
#include "base/util.h"
#include "core/core_priv.h"

u64 core_phdr_off(const struct core *c, size_t i)
{
	return c->ehdr.e_phoff + i * elffmt_phdr_size(c->fmt);
}

static int phdr_read(struct core *c, u64 i, GElf_Phdr *out, struct err *e)
{
	u8 raw[sizeof(Elf64_Phdr)];
	struct bytes b = { .p = raw, .len = elffmt_phdr_size(c->fmt), .off = core_phdr_off(c, i) };
	int r = core_file_read(&c->file, b.off, raw, b.len, e);

	return r ? r : elffmt_get_phdr(c->fmt, b, out, e);
}

/* sh_info of section header 0, which the kernel puts at the end of the core. */
static int xnum_read(struct core *c, u64 *out)
{
	u8 raw[sizeof(Elf64_Shdr)];
	struct bytes b = { .p = raw, .len = elffmt_shdr_size(c->fmt), .off = c->ehdr.e_shoff };
	GElf_Shdr sh;
	struct err e;

	if (!c->ehdr.e_shoff || core_file_read(&c->file, b.off, raw, b.len, &e) ||
	    elffmt_get_shdr(c->fmt, b, &sh, &e))
		return ERR_INPUT;
	*out = sh.sh_info;
	return 0;
}

/* As the kernel lays a core out, the first segment's data follow the headers. */
static u64 xnum_guess(struct core *c)
{
	GElf_Phdr first;
	struct err e;
	u64 n = 0;

	if (!phdr_read(c, 0, &first, &e) && first.p_offset > c->ehdr.e_phoff)
		n = (first.p_offset - c->ehdr.e_phoff) / elffmt_phdr_size(c->fmt);
	return n ? n : PN_XNUM;
}

static void count_segs(struct core *c)
{
	c->phnum = c->ehdr.e_phnum;
	if (c->phnum != PN_XNUM)
		return;
	c->xnum = CORE_XNUM_GOOD;
	if (!xnum_read(c, &c->phnum) && c->phnum)
		return;
	c->xnum = CORE_XNUM_LOST;
	c->phnum = xnum_guess(c);
}

/* Headers that are whole in the file, and within our bound. */
static size_t segs_in_file(const struct core *c)
{
	u64 room = c->ehdr.e_phoff < c->file.size ? c->file.size - c->ehdr.e_phoff : 0;
	u64 n = min(c->phnum, room / elffmt_phdr_size(c->fmt));

	return (size_t)min(n, (u64)CORE_SEGS_MAX);
}

static int decode_piece(struct core *c, const u8 *raw, size_t n, struct err *e)
{
	size_t size = elffmt_phdr_size(c->fmt);
	int r = 0;

	for (size_t i = 0; !r && i < n; i++) {
		struct bytes b = { .p = raw + i * size, .len = size, .off = core_phdr_off(c, c->n_segs) };

		r = elffmt_get_phdr(c->fmt, b, &c->segs[c->n_segs], e);
		c->n_segs += !r;
	}
	return r;
}

static int load_table(struct core *c, struct err *e)
{
	enum { PIECE = 1024 };
	size_t size = elffmt_phdr_size(c->fmt), n = segs_in_file(c);
	u8 *raw auto_free = malloc(PIECE * size);
	int r = 0;

	c->segs = calloc(n ? n : 1, sizeof(*c->segs));
	if (!c->segs || !raw)
		return err_set(e, -ENOMEM, "%zu program headers", n);
	while (!r && c->n_segs < n) {
		size_t k = min((size_t)PIECE, n - c->n_segs);

		r = core_file_read(&c->file, core_phdr_off(c, c->n_segs), raw, k * size, e);
		if (!r)
			r = decode_piece(c, raw, k, e);
	}
	return r ? err_wrap(e, "program headers") : 0;
}

u64 core_seg_in_file(const struct core *c, size_t i)
{
	const GElf_Phdr *p = &c->segs[i];
	u64 room = p->p_offset < c->file.size ? c->file.size - p->p_offset : 0;

	return min(p->p_filesz, room);
}

bool core_is_truncated(const struct core *c)
{
	if (c->n_segs < c->phnum || c->xnum == CORE_XNUM_LOST)
		return true;
	for (size_t i = 0; i < c->n_segs; i++)
		if (c->segs[i].p_type != PT_NULL && core_seg_in_file(c, i) < c->segs[i].p_filesz)
			return true;
	return false;
}

static u64 add_clip(u64 a, u64 b)
{
	u64 sum;

	return add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static int area_cmp(const void *a, const void *b)
{
	const struct core_area *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->seg < y->seg ? -1 : x->seg > y->seg;
}

/* Sorted; then what a lower segment covers is cut off, so that areas never overlap. */
static void areas_settle(struct core *c)
{
	u64 end = 0;
	size_t n = 0;

	if (c->n_areas)
		qsort(c->areas, c->n_areas, sizeof(*c->areas), area_cmp);
	for (size_t i = 0; i < c->n_areas; i++) {
		struct core_area a = c->areas[i];

		a.start = max(a.start, end);
		if (a.start >= a.end)
			continue;
		a.saved_end = max(a.start, min(a.saved_end, a.end));
		end = a.end;
		c->areas[n++] = a;
	}
	c->n_areas = n;
}

bool core_is_memtag(const struct core *c, const GElf_Phdr *p)
{
	return p->p_type == PT_AARCH64_MEMTAG_MTE && c->ehdr.e_machine == EM_AARCH64;
}

static void areas_mark_mte(struct core *c)
{
	for (size_t i = 0; i < c->n_segs; i++) {
		const struct core_area *a;

		if (!core_is_memtag(c, &c->segs[i]))
			continue;
		a = core_area_find(c, c->segs[i].p_vaddr);
		if (a && a->start == c->segs[i].p_vaddr)
			c->areas[a - c->areas].mte = true;
	}
}

static int load_areas(struct core *c, struct err *e)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_segs; i++)
		n += c->segs[i].p_type == PT_LOAD && c->segs[i].p_memsz;
	c->areas = calloc(n ? n : 1, sizeof(*c->areas));
	if (!c->areas)
		return err_set(e, -ENOMEM, "%zu areas", n);
	for (size_t i = 0; i < c->n_segs; i++) {
		const GElf_Phdr *p = &c->segs[i];

		if (p->p_type != PT_LOAD || !p->p_memsz)
			continue;
		c->areas[c->n_areas++] = (struct core_area){
			.start = p->p_vaddr,
			.end = add_clip(p->p_vaddr, p->p_memsz),
			.saved_end = add_clip(p->p_vaddr, core_seg_in_file(c, i)),
			.seg = (u32)i,
		};
	}
	areas_settle(c);
	areas_mark_mte(c);
	return 0;
}

int core_load_segs(struct core *c, struct err *e)
{
	int r;

	count_segs(c);
	r = load_table(c, e);
	return r ? r : load_areas(c, e);
}

const struct core_area *core_area_find(const struct core *c, u64 addr)
{
	size_t lo = 0, hi = c->n_areas;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (c->areas[mid].end > addr)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo < c->n_areas ? &c->areas[lo] : NULL;
}
