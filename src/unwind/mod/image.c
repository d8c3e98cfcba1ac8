#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/util.h"
#include "elf/elffmt.h"
#include "unwind/mod/mod.h"

/* An ELF file made of the core's own memory: the vdso, and what a dump of everything has. */
enum {
	PHDRS_MAX = 128,
	IMAGE_MAX = 256 << 20,		/* of a module's memory, */
	IMAGES_MAX = 1 << 30,		/* and of all of them together */
};

struct image {
	struct module *m;
	struct elffmt fmt;
	GElf_Ehdr ehdr;
	GElf_Phdr phdrs[PHDRS_MAX];	/* read once: the file may change */
	u64 bias;
	u64 len;	/* of the file, as far as it was mapped */
	u64 mapped;	/* bytes of all segments, which may overlap */
};

static bool read_header(struct unwind *u, struct image *im)
{
	u8 raw[sizeof(Elf64_Ehdr)];
	struct bytes b = { .p = raw, .len = sizeof(raw) };
	struct err e;
	size_t n = 0;

	if (core_read_present(u->core, im->m->start, raw, sizeof(raw), &n, &e))
		return false;
	b.len = n;
	return !elffmt_ident(b, &im->fmt, &e) && !elffmt_get_ehdr(im->fmt, b, &im->ehdr, &e) &&
	       im->ehdr.e_machine == u->core->ehdr.e_machine && im->ehdr.e_phnum <= PHDRS_MAX &&
	       im->ehdr.e_phentsize == elffmt_phdr_size(im->fmt);
}

static bool read_phdr(struct unwind *u, struct image *im, unsigned i)
{
	u8 raw[sizeof(Elf64_Phdr)];
	size_t size = elffmt_phdr_size(im->fmt), n = 0;
	struct err e;

	return !core_read_present(u->core, im->m->start + im->ehdr.e_phoff + i * size, raw, size, &n, &e) && n == size &&
	       !elffmt_get_phdr(im->fmt, (struct bytes){ .p = raw, .len = size }, &im->phdrs[i], &e);
}

/* How long the file was, and where its first byte is. */
static bool measure(struct unwind *u, struct image *im)
{
	u64 lo = UINT64_MAX, end;

	for (unsigned i = 0; i < im->ehdr.e_phnum; i++) {
		const GElf_Phdr *p = &im->phdrs[i];

		if (!read_phdr(u, im, i))
			return false;
		if (p->p_type != PT_LOAD)
			continue;
		if (add_overflow(p->p_offset, p->p_filesz, &end) || end > IMAGE_MAX)
			return false;
		im->len = max(im->len, end);
		im->mapped += p->p_filesz;
		lo = min(lo, (u64)p->p_vaddr);
	}
	im->bias = im->m->start - align_down(lo, 4096);
	/* Segments of one file do not overlap but in a page; hostile ones could be the same megabytes a hundred times. */
	return im->len >= elffmt_ehdr_size(im->fmt) && im->mapped <= im->len + (u64)PHDRS_MAX * 4096 &&
	       im->len <= IMAGES_MAX - u->image_bytes;
}

/* Tables and code must be there; data that were written to are no matter. */
static bool copy_loads(struct unwind *u, const struct image *im)
{
	for (unsigned i = 0; i < im->ehdr.e_phnum; i++) {
		const GElf_Phdr *p = &im->phdrs[i];
		size_t n = 0;
		struct err e;

		if (p->p_type != PT_LOAD || !p->p_filesz)
			continue;
		if (core_read_present(u->core, p->p_vaddr + im->bias, im->m->image + p->p_offset, (size_t)p->p_filesz, &n, &e) ||
		    (n < p->p_filesz && !(p->p_flags & PF_W)))
			return false;
	}
	return true;
}

/*
 * The headers as they were read, without sections.  What a loader needs is found by
 * program headers: gABI, "Program Loading".  Section headers are rarely mapped, and
 * the image may come from anybody: they would let it name files of this machine
 * (.gnu_debuglink, .gnu_debugaltlink, which libdw opens whatever they are), unpack to
 * any size (SHF_COMPRESSED) and have debug information, which libdw walks by recursion.
 */
static bool put_headers(const struct image *im)
{
	struct buf b scoped(buf_fini) = { 0 };
	GElf_Ehdr eh = im->ehdr;
	struct err e;

	eh.e_shoff = eh.e_shnum = eh.e_shstrndx = 0;
	if (elffmt_put_ehdr(im->fmt, &eh, &b, &e))
		return false;
	memcpy(im->m->image, b.p, b.len);
	return true;
}

/*
 * glibc's dynamic linker adds the base to the addresses in a dynamic section that
 * can be written to (2.36, elf/get-dynamic-info.h: elf_get_dynamic_info(),
 * ADJUST_DYN_INFO), and libdw takes them for the file's own.
 */
static void unrelocate_dynamic(const struct image *im, u64 at, u64 len)
{
	static const u64 tags[] = {
		DT_PLTGOT, DT_HASH, DT_STRTAB, DT_SYMTAB, DT_RELA, DT_REL, DT_JMPREL, DT_VERSYM, DT_VERDEF, DT_VERNEED,
		DT_GNU_HASH,
	};
	unsigned word = im->fmt.class == ELFCLASS64 ? 8 : 4;
	const struct module *m = im->m;
	u8 *p = m->image + at;

	for (u64 i = 0; i + 2 * word <= len; i += 2 * word) {
		u64 tag = uint_get(im->fmt, p + i, word), value = uint_get(im->fmt, p + i + word, word);

		if (tag == DT_NULL)
			break;
		for (size_t k = 0; k < ARRAY_SIZE(tags); k++)
			if (tags[k] == tag && value >= m->start && value < m->end)
				uint_put(im->fmt, p + i + word, word, value - im->bias);
	}
}

static void unrelocate(const struct image *im)
{
	for (unsigned i = 0; im->bias && i < im->ehdr.e_phnum; i++) {
		const GElf_Phdr *p = &im->phdrs[i];

		if (p->p_type == PT_DYNAMIC && p->p_offset <= im->len && p->p_filesz <= im->len - p->p_offset)
			unrelocate_dynamic(im, p->p_offset, p->p_filesz);
	}
}

bool modfile_from_memory(struct unwind *u, struct module *m)
{
	struct image im = { .m = m };

	if (!read_header(u, &im) || !measure(u, &im))
		return false;
	m->image = calloc(1, (size_t)im.len);
	if (m->image && copy_loads(u, &im) && put_headers(&im)) {
		unrelocate(&im);
		m->elf = elf_memory((char *)m->image, (size_t)im.len);
	}
	if (!m->elf) {
		free(m->image);
		m->image = NULL;
		return false;
	}
	u->image_bytes += im.len;
	free(m->note);
	m->note = NULL;
	return true;
}
