#include <errno.h>
#include <stdlib.h>

#include "base/scope.h"
#include "base/util.h"
#include "core/core_priv.h"
#include "elf/elffmt.h"

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

bool core_range_wraps(const struct core *c, u64 addr, u64 len)
{
	u64 last;

	return len && (add_overflow(addr, len - 1, &last) || (c->fmt.class == ELFCLASS32 && last > UINT32_MAX));
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

int core_load_segs(struct core *c, struct err *e)
{
	count_segs(c);
	return load_table(c, e);
}
