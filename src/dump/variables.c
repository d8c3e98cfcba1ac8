#include <string.h>

#include "base/scope.h"
#include "base/util.h"
#include "dump/backing.h"
#include "dump/ranges.h"
#include "elf/elffmt.h"

/*
 * What --stacks saves so that debuggers show variables as they were.  For memory that is
 * absent from a core they read the program's file, in which a variable has its initial
 * value, and bytes past .data belong to other sections: gdb 13, corelow.c:
 * core_target::xfer_partial(); Delve 1.20, core.go.  So each page is saved of which the
 * process has a private copy.  What is not saved is neither in a segment (gdb reads
 * zeros where p_memsz is larger than p_filesz) nor in NT_FILE.
 */
enum {
	HEADERS_LEN = 4096,		/* of a file, with its program headers */
	BSS_PER_MODULE = 4,		/* segments that have some */
	BSS_AREAS_MAX = 16,		/* that one is in */
	BSS_MAX = 16 << 20,		/* bytes saved of all */
	PTHREAD_MAX = 3072,		/* struct pthread: 2304 bytes in glibc 2.36 on x86-64 */
	DTV_MAX = 256,			/* entries */
	TLS_BLOCK_MAX = 64 << 10,
};

/* ---- written pages of mapped files */

static bool may_be_written(const struct vma *v)
{
	return !vma_is_anon(v) && !vma_is_special(v) && !(v->flags & (VM_SHARED | VM_IO | VM_PFNMAP)) &&
	       v->anon + v->swap;
}

static int add_written(struct dump *d, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < d->areas.n; i++) {
		const struct vma *v = d->areas.v[i].vma;

		if (may_be_written(v))
			r = ranges_add_copies(d, v, v->start, v->end, false, e);
	}
	return r;
}

/* ---- .bss: memory after a segment's bytes, in no file */

/* A mapped program or library: its headers, and how far it was moved. */
struct module {
	const struct area *area;	/* of its first page */
	struct elffmt fmt;
	struct bytes headers;
	GElf_Ehdr ehdr;
	u64 bias;
	u8 raw[HEADERS_LEN];
};

static bool read_headers(struct dump *d, struct module *m)
{
	struct backing file = BACKING_NONE;
	struct err ignored;
	const char *why;
	ssize_t n = 0;

	m->headers = (struct bytes){ .p = m->raw, .len = sizeof(m->raw) };
	if (dump_peek(d, m->area->vma->start, m->raw, sizeof(m->raw)))
		return true;
	if (backing_open(&file, &d->target, m->area, &why, &ignored) || why ||
	    backing_read(&file, &d->target, 0, m->raw, sizeof(m->raw), &n, &ignored))
		n = 0;
	backing_close(&file, &d->target);
	m->headers.len = n > 0 ? (size_t)n : 0;
	return n > 0;
}

static bool module_phdr(const struct module *m, size_t i, GElf_Phdr *out)
{
	size_t size = elffmt_phdr_size(m->fmt);
	struct bytes b;
	u64 at;

	return i < m->ehdr.e_phnum && !add_overflow(m->ehdr.e_phoff, i * size, &at) &&
	       !bytes_sub(m->headers, at, size, &b, NULL) && !elffmt_get_phdr(m->fmt, b, out, NULL);
}

static bool module_open(struct dump *d, const struct area *a, struct module *m)
{
	const struct vma *v = a->vma;
	GElf_Phdr p;

	m->area = a;
	if (!(a->file & AREA_FILE_ELF) || v->pgoff || v->flags & VM_SHARED || !read_headers(d, m) ||
	    elffmt_ident(m->headers, &m->fmt, NULL) || elffmt_get_ehdr(m->fmt, m->headers, &m->ehdr, NULL))
		return false;
	for (size_t i = 0; module_phdr(m, i, &p); i++)
		if (p.p_type == PT_LOAD) {
			m->bias = v->start - (align_down(p.p_vaddr, d->page_size));
			return align_down(p.p_offset, d->page_size) == 0;
		}
	return false;
}

/* The segment is where its header says: other mappings of the file, by who reads it as data, have no .bss. */
static bool is_loaded(const struct dump *d, const struct module *m, u64 addr)
{
	const struct vma *v = dump_area_at(d, addr), *first = m->area->vma;

	return v && !vma_is_anon(v) && !(v->flags & VM_SHARED) && v->ino == first->ino &&
	       v->dev_major == first->dev_major && v->dev_minor == first->dev_minor;
}

/* Cuts the ranges from @from on to @left bytes, which is what may still be saved. */
static void trim(struct plan_ranges *w, size_t from, u64 *left)
{
	for (size_t i = from; i < w->n; i++) {
		struct plan_range *r = &w->v[i];

		r->end = r->start + min(r->end - r->start, *left);
		*left -= r->end - r->start;
		if (r->start == r->end) {
			w->n = i;
			return;
		}
	}
}

static int add_bss(struct dump *d, u64 start, u64 end, u64 *left, struct err *e)
{
	size_t before = d->ranges.n, i = dump_area_index(d, start);
	int r = 0;

	for (size_t n = 0; !r && n < BSS_AREAS_MAX && i < d->areas.n && start < end; n++, i++) {
		const struct vma *v = d->areas.v[i].vma;

		if (v->start > start || !vma_is_anon(v) || v->flags & (VM_SHARED | VM_DONTDUMP))
			break;
		r = ranges_add_copies(d, v, start, min(end, v->end), true, e);
		start = v->end;
	}
	trim(&d->ranges, before, left);
	return r;
}

static int add_module(struct dump *d, const struct module *m, u64 *left, struct tls_blocks *tls, struct err *e)
{
	size_t n_bss = 0;
	GElf_Phdr p;
	int r = 0;

	for (size_t i = 0; !r && module_phdr(m, i, &p); i++) {
		u64 at = m->bias + p.p_vaddr, file_end = at + p.p_filesz, end = at + p.p_memsz;

		if (p.p_type == PT_TLS && p.p_memsz <= BSS_MAX) {
			tls->total += p.p_memsz + min(p.p_align, d->page_size);
			tls->largest = max(tls->largest, p.p_memsz);
			tls->n++;
		}
		if (p.p_type != PT_LOAD || p.p_memsz <= p.p_filesz || end < at || end > UINT64_MAX - d->page_size ||
		    n_bss == BSS_PER_MODULE || (p.p_filesz && !is_loaded(d, m, file_end - 1)))
			continue;
		n_bss++;
		r = add_bss(d, align_up(file_end, d->page_size), align_up(end, d->page_size), left, e);
	}
	return r;
}

int variables_add(struct dump *d, struct tls_blocks *tls, struct err *e)
{
	u64 left = BSS_MAX;
	struct module m;
	int r = add_written(d, e);

	*tls = (struct tls_blocks){ 0 };
	for (size_t i = 0; !r && i < d->areas.n; i++)
		if (module_open(d, &d->areas.v[i], &m))
			r = add_module(d, &m, &left, tls, e);
	return r;
}

/* ---- threads, for libthread_db and thread-local variables */

/*
 * The dynamic thread vector: pairs of words, before the first the number of them, in the
 * first a count of changes, then a pair for each module, which begins with the address of
 * its block, or -1 if there is none yet.  glibc 2.36, sysdeps/generic/dl-dtv.h,
 * nptl_db/td_thr_tlsbase.c.
 */
static int add_dtv(struct dump *d, u64 dtv, const struct tls_blocks *tls, struct err *e)
{
	const struct arch *a = d->target.arch;
	u8 raw[(DTV_MAX + 2) * 16];
	size_t pair = 2 * (size_t)a->word, n = (size_t)min(tls->n, (u64)DTV_MAX);
	int r;

	/* glibc allocates 14 more than there are modules (DTV_SURPLUS, elf/dl-tls.c), so all this is there. */
	if (dtv < pair || !dump_peek(d, dtv - pair, raw, (n + 2) * pair))
		return 0;
	n = (size_t)min(uint_get(a->fmt, raw, a->word), (u64)n);
	r = ranges_add_memory(d, dtv - pair, dtv + (n + 1) * pair, e);
	for (size_t i = 0; !r && i < n; i++) {
		u64 block = uint_get(a->fmt, raw + (i + 2) * pair, a->word);

		if (block)
			r = ranges_add_memory(d, block, block + min(tls->largest, (u64)TLS_BLOCK_MAX), e);
	}
	return r;
}

int variables_add_thread(struct dump *d, u64 tp, const struct tls_blocks *tls, struct err *e)
{
	const struct arch *a = d->target.arch;
	u64 room = min(tls->total, (u64)TLS_BLOCK_MAX);
	u64 below = a->tp.tls_above ? PTHREAD_MAX : room, above = a->tp.tls_above ? 2u * a->word + room : PTHREAD_MAX;
	const struct vma *v = tp ? dump_area_at(d, tp) : NULL;
	u8 raw[8];
	int r;

	if (!v)
		return 0;
	/* A static program: the first allocation of all, the vdso's link_map, follows (elf/dl-support.c: setup_vdso()). */
	if (v->name && !strcmp(v->name, "[heap]"))
		above += 2 * d->page_size;
	r = ranges_add_memory(d, tp - min(below, tp - v->start), tp + min(above, v->end - tp), e);
	if (r || !dump_peek(d, tp + (a->tp.tls_above ? 0 : a->word), raw, a->word))
		return r;
	return add_dtv(d, uint_get(a->fmt, raw, a->word), tls, e);
}
