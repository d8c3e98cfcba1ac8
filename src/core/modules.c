#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/util.h"
#include "core/core_priv.h"
#include "core/modules.h"
#include "elf/elffmt.h"

/*
 * Bounds on what one header can make us read: programs have a dozen program
 * headers, and their mapped notes are a few hundred bytes.
 */
enum { PHDRS_MAX = 128, NOTES_MAX = 16384, PAGE = 4096 };

/*
 * A walk over every address where a module may begin: where an area does, where
 * the first byte of a file is mapped, and at AT_SYSINFO_EHDR.
 */
struct walk {
	struct core *core;
	int (*fn)(const struct core_module *m, void *arg, struct err *e);
	void *arg;
	size_t area;	/* the next ones */
	size_t map;
	u64 vdso;	/* or UINT64_MAX; and what else the kernel started: */
	u64 started[3];
	struct core_module pending;	/* found, but the next may be the same one, better known */
	bool has_pending;
	u64 floor;	/* where the last one given began */
	u8 phdrs[PHDRS_MAX * sizeof(Elf64_Phdr)];
	u8 notes[NOTES_MAX];
};

/* What a module's program headers say; addresses as in the file. */
struct image {
	struct elffmt fmt;
	GElf_Ehdr ehdr;
	size_t n;	/* program headers in walk->phdrs */
	u64 lo, hi;	/* all of its PT_LOADs */
	u64 first;	/* address of the file's first byte */
	u64 bias;	/* from there to memory; wraps */
};

static bool next_start(struct walk *w, u64 from, u64 *out)
{
	const struct core *c = w->core;
	u64 best = w->vdso >= from ? w->vdso : UINT64_MAX;

	while (w->area < c->n_areas && c->areas[w->area].start < from)
		w->area++;
	while (w->map < c->n_maps && (c->maps[w->map].start < from || c->maps[w->map].pgoff))
		w->map++;
	if (w->area < c->n_areas)
		best = min(best, c->areas[w->area].start);
	if (w->map < c->n_maps)
		best = min(best, c->maps[w->map].start);
	*out = best;
	return best != UINT64_MAX;
}

static struct core_text path_at(const struct walk *w, u64 addr)
{
	const struct core_map *m = core_map_at(w->core, addr);
	const struct core_noted_area *noted = core_noted_area_at(w->core, addr);

	if (m)
		return m->name;
	if (noted && noted->name.len)
		return noted->name;
	if (addr == w->vdso)
		return (struct core_text){ .p = "[vdso]", .len = 6 };
	return (struct core_text){ 0 };
}

static bool same_path(struct core_text a, struct core_text b)
{
	return a.len == b.len && (!a.len || !memcmp(a.p, b.p, a.len));
}

/* Program header @i of the module. */
static bool phdr_at(const struct walk *w, const struct image *im, size_t i, GElf_Phdr *out)
{
	size_t size = elffmt_phdr_size(im->fmt);

	return !elffmt_get_phdr(im->fmt, (struct bytes){ .p = w->phdrs + i * size, .len = size }, out, NULL);
}

/* 1 when an ELF header of a program or library is at @addr, and its program headers are read. */
static int read_headers(struct walk *w, u64 addr, struct image *im, struct err *e)
{
	u8 raw[sizeof(Elf64_Ehdr)];
	struct bytes b = { .p = raw };
	size_t size;
	u64 at;
	int r = core_read_present(w->core, addr, raw, sizeof(raw), &b.len, e);

	if (r)
		return r;
	if (elffmt_ident(b, &im->fmt, NULL) || elffmt_get_ehdr(im->fmt, b, &im->ehdr, NULL))
		return 0;
	size = elffmt_phdr_size(im->fmt);
	if ((im->ehdr.e_type != ET_EXEC && im->ehdr.e_type != ET_DYN) || im->ehdr.e_phentsize != size ||
	    add_overflow(addr, im->ehdr.e_phoff, &at))
		return 0;
	im->n = min((size_t)im->ehdr.e_phnum, (size_t)PHDRS_MAX);
	r = core_read_present(w->core, at, w->phdrs, im->n * size, &b.len, e);
	if (r)
		return r;
	im->n = b.len / size;
	return 1;
}

/*
 * The page at @addr, which begins with the file's header, is that of @p, not of @first: where
 * code and data are in the file's first page, both segments have that, and the one of the
 * data, which are written to, is what many cores have.  A PT_GNU_RELRO may have removed
 * that flag.
 */
static bool is_page_of(const struct walk *w, u64 addr, const GElf_Phdr *p, const GElf_Phdr *first)
{
	const struct core_area *a = core_area_find(w->core, addr);
	u32 prot;
	bool known;

	if (!a || a->start > addr || align_down(p->p_offset, PAGE))
		return false;
	prot = core_area_prot(w->core, a, &known);
	return known && p->p_flags & ~first->p_flags & PF_W && (prot & PF_W || first->p_flags & ~prot & PF_X);
}

/* False when there is no PT_LOAD, or none that makes sense. */
static bool measure(const struct walk *w, u64 addr, struct image *im)
{
	GElf_Phdr p, first = { .p_offset = UINT64_MAX };
	u64 end;

	im->lo = UINT64_MAX;
	im->hi = 0;
	for (size_t i = 0; i < im->n; i++) {
		if (!phdr_at(w, im, i, &p) || p.p_type != PT_LOAD || add_overflow(p.p_vaddr, p.p_memsz, &end))
			continue;
		im->lo = min(im->lo, p.p_vaddr);
		im->hi = max(im->hi, end);
		if (p.p_offset < first.p_offset || is_page_of(w, addr, &p, &first)) {
			im->first = p.p_vaddr - p.p_offset;
			first = p;
		}
	}
	return im->lo < im->hi && im->hi <= UINT64_MAX - PAGE;
}

/*
 * Where the module is.  A program of fixed addresses (ET_EXEC) whose data begin in the
 * file's first page has its ELF header in memory twice: then the header says
 * where it begins, not the address where it was found.
 */
static bool place(struct image *im, u64 addr, struct core_module *m)
{
	u64 start, end;

	im->bias = addr - im->first;
	if (im->ehdr.e_type == ET_EXEC && im->lo <= addr && addr < im->hi)
		im->bias = 0;
	start = align_down(im->lo + im->bias, PAGE);
	end = align_up(im->hi + im->bias, PAGE);
	if (start > addr || end <= addr)
		return false;
	m->start = start;
	m->end = end;
	return true;
}

static bool is_note(const struct note *n, const char *owner, u32 type)
{
	return n->type == type && !strcmp(n->owner, owner) && n->desc.len;
}

/* The first note of a kind counts.  True when there is no more to look for. */
static bool take_notes(struct bytes notes, struct elffmt fmt, const GElf_Phdr *p, u64 addr, struct core_module *m)
{
	struct note_iter it;
	struct note n;

	note_iter_init(&it, notes, fmt, p->p_align);
	while (note_next(&it, &n, NULL) > 0) {
		u64 at = addr + (u64)(n.desc.p - notes.p);

		if (!m->build_id_len && is_note(&n, "GNU", NT_GNU_BUILD_ID) && n.desc.len <= CORE_BUILD_ID_MAX) {
			memcpy(m->build_id, n.desc.p, n.desc.len);
			m->build_id_len = n.desc.len;
			m->build_id_addr = at;
		} else if (!m->package_len && is_note(&n, PACKAGE_OWNER, PACKAGE_TYPE)) {
			m->package_addr = at;
			m->package_len = n.desc.len;
		}
	}
	return m->build_id_len && m->package_len;
}

/* Looks at the notes of @p, whose first @len bytes are at @addr; 1 when there is no more to look for. */
static int look_in_notes(struct walk *w, const struct image *im, const GElf_Phdr *p, u64 addr, size_t len,
			 struct core_module *m, struct err *e)
{
	struct bytes notes = { .p = w->notes };
	int r = core_read_present(w->core, addr, w->notes, len, &notes.len, e);

	return r ? r : take_notes(notes, im->fmt, p, addr, m);
}

/*
 * @header is where the ELF header was found.  Where that is the second mapping of
 * the file's first page, the notes may be in that page when the first is not saved.
 */
static int find_notes(struct walk *w, const struct image *im, u64 header, struct core_module *m, struct err *e)
{
	size_t left = NOTES_MAX, len;
	GElf_Phdr p;
	int r = 0;

	for (size_t i = 0; !r && left && i < im->n; i++) {
		if (!phdr_at(w, im, i, &p) || p.p_type != PT_NOTE)
			continue;
		len = (size_t)min(p.p_filesz, (u64)left);
		left -= len;
		r = look_in_notes(w, im, &p, p.p_vaddr + im->bias, len, m, e);
		if (!r && p.p_offset < PAGE)
			r = look_in_notes(w, im, &p, header + p.p_offset, min(len, PAGE - (size_t)p.p_offset), m, e);
	}
	return min(r, 0);
}

static bool in_range(u64 addr, u64 start, u64 end)
{
	return addr >= start && addr < end;
}

/* Is that a program's: executable, or what the kernel started? */
static bool is_code(const struct walk *w, const struct core_map *m)
{
	const struct core_area *a = core_area_find(w->core, m->start);
	bool known;

	if (a && a->start < m->end && core_area_prot(w->core, a, &known) & PF_X)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(w->started); i++)
		if (in_range(w->started[i], m->start, m->end))
			return true;
	return false;
}

/* A module whose ELF header is not in the core is known by the mappings of its file. */
static bool known_by_name(const struct walk *w, u64 addr, struct core_module *m)
{
	const struct core *c = w->core;
	const struct core_map *first = w->map < c->n_maps ? &c->maps[w->map] : NULL;
	bool code = false;

	if (!first || first->start != addr)
		return false;
	m->end = first->end;
	for (const struct core_map *k = first; k < c->maps + c->n_maps; k++) {
		if (k != first && (!k->pgoff || !same_path(k->name, first->name)))
			break;
		code |= is_code(w, k);
		m->end = max(m->end, k->end);
	}
	return code;
}

/* 1 when a module begins at @addr. */
static int look_at(struct walk *w, u64 addr, struct core_module *m, struct err *e)
{
	struct image im = { 0 };
	int r = read_headers(w, addr, &im, e);

	*m = (struct core_module){ .start = addr, .path = path_at(w, addr) };
	if (r < 0)
		return r;
	if (!r || !measure(w, addr, &im) || !place(&im, addr, m))
		return known_by_name(w, addr, m);
	m->has_header = true;
	r = find_notes(w, &im, addr, m, e);
	return r ? r : 1;
}

static int emit_pending(struct walk *w, struct err *e)
{
	if (!w->has_pending)
		return 0;
	w->has_pending = false;
	w->floor = w->pending.start;
	return w->fn(&w->pending, w->arg, e);
}

/* The file's first page may be mapped a second time, for data: that is no second module. */
static int set_pending(struct walk *w, u64 addr, const struct core_module *m, struct err *e)
{
	const struct core_module *h = &w->pending;
	int r = 0;

	if (w->has_pending && same_path(h->path, m->path)) {
		if (in_range(addr, h->start, h->end) && (h->has_header || !m->has_header))
			return 0;
		if (in_range(h->start, m->start, m->end))
			w->has_pending = false;
	}
	r = emit_pending(w, e);
	w->pending = *m;
	/* A header of ET_EXEC may say anything; modules are reported in address order. */
	w->pending.start = max(m->start, w->floor);
	w->has_pending = true;
	return r;
}

static void walk_begin(struct walk *w, struct core *core)
{
	static const u16 started[ARRAY_SIZE(w->started)] = { AT_ENTRY, AT_PHDR, AT_BASE };

	w->core = core;
	w->vdso = UINT64_MAX;
	core_auxv(core, AT_SYSINFO_EHDR, &w->vdso);
	for (size_t i = 0; i < ARRAY_SIZE(started); i++) {
		w->started[i] = UINT64_MAX;
		core_auxv(core, started[i], &w->started[i]);
	}
}

int core_modules(struct core *core, int (*fn)(const struct core_module *m, void *arg, struct err *e),
		 void *arg, struct err *e)
{
	struct walk *w auto_free = calloc(1, sizeof(*w));
	struct core_module m;
	u64 addr = 0;
	int r = 0;

	if (!w)
		return err_set(e, -ENOMEM, "modules");
	walk_begin(w, core);
	w->fn = fn;
	w->arg = arg;
	for (; !r && next_start(w, addr, &addr); addr++) {
		if (core->cancel && *core->cancel)
			return err_set(e, ERR_CANCELLED, "cancelled");
		r = look_at(w, addr, &m, e);
		if (r > 0)
			r = set_pending(w, addr, &m, e);
	}
	return r ? r : emit_pending(w, e);
}
