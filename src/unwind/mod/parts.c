#include "base/io.h"
#include "base/util.h"
#include "unwind/mod/mod.h"

/*
 * The parts of a file that are in memory as they are in the file: segments that cannot be
 * written to.  Linkers for systems that protect no memory put code, constants and
 * data into one segment: of that the sections say what is written to.
 */
enum { SECTIONS_MAX = 512 };	/* of a segment that can be written to, looked at for each read */

static bool is_load(Elf *elf, size_t i, GElf_Phdr *p)
{
	return gelf_getphdr(elf, (int)i, p) && p->p_type == PT_LOAD && p->p_filesz;
}

/* A section of @p that is loaded from the file and not written to. */
static bool is_constant(const GElf_Shdr *sh, const GElf_Phdr *p, struct part *out)
{
	u64 end;

	if (!(sh->sh_flags & SHF_ALLOC) || sh->sh_flags & (SHF_WRITE | SHF_TLS) || sh->sh_type == SHT_NOBITS || !sh->sh_size ||
	    sh->sh_offset < p->p_offset || add_overflow(sh->sh_offset - p->p_offset, sh->sh_size, &end) || end > p->p_filesz ||
	    sh->sh_addr - p->p_vaddr != sh->sh_offset - p->p_offset)
		return false;
	*out = (struct part){ .addr = sh->sh_addr, .off = sh->sh_offset, .len = sh->sh_size,
			      .is_code = sh->sh_flags & SHF_EXECINSTR };
	return true;
}

static int each_section(Elf *elf, const GElf_Phdr *p, part_fn *fn, void *arg)
{
	Elf_Scn *scn = NULL;
	struct part part;
	GElf_Shdr sh;
	int r = 0;

	for (int i = 0; !r && i < SECTIONS_MAX && (scn = elf_nextscn(elf, scn)); i++)
		if (gelf_getshdr(scn, &sh) && is_constant(&sh, p, &part))
			r = fn(&part, arg);
	return r;
}

int parts_each(Elf *elf, part_fn *fn, void *arg)
{
	size_t n = 0;
	GElf_Phdr p;
	int r = 0;

	if (elf_getphdrnum(elf, &n))
		return 0;
	for (size_t i = 0; !r && i < n; i++) {
		if (!is_load(elf, i, &p))
			continue;
		if (p.p_flags & PF_W)
			r = each_section(elf, &p, fn, arg);
		else
			r = fn(&(struct part){ .addr = p.p_vaddr, .off = p.p_offset, .len = p.p_filesz, .is_code = p.p_flags & PF_X },
			       arg);
	}
	return r;
}

struct wanted {
	u64 addr, len;
	struct part *out;
};

static int covers(const struct part *p, void *arg)
{
	struct wanted *w = arg;

	if (w->addr < p->addr || w->addr - p->addr > p->len || w->len > p->len - (w->addr - p->addr))
		return 0;
	*w->out = *p;
	return 1;
}

bool part_at(Elf *elf, u64 addr, u64 len, struct part *out)
{
	struct wanted w = { .addr = addr, .len = len, .out = out };

	return parts_each(elf, covers, &w) > 0;
}

bool part_read(const struct module *m, const struct part *p, u64 at, void *buf, size_t len)
{
	struct err e;
	size_t got;

	return !io_pread_full(m->fd, buf, len, p->off + at, &got, m->file, &e) && got == len;
}
