#include <string.h>

#include "base/util.h"
#include "check/checks.h"
#include "elf/elffmt.h"

/* Zeros up to the next page, of whatever machine, are how files are padded. */
enum { PADDING_MAX = 64 * 1024 };

static u64 later(u64 end, u64 off, u64 len)
{
	u64 sum;

	return len && !add_overflow(off, len, &sum) ? max(end, sum) : end;
}

static int section_read(struct core *c, u64 i, GElf_Shdr *out)
{
	u8 raw[sizeof(Elf64_Shdr)];
	struct bytes b = { .p = raw, .len = elffmt_shdr_size(c->fmt) };
	u64 off;

	if (add_overflow(c->ehdr.e_shoff, i * b.len, &off) || core_file_read(&c->file, off, raw, b.len, NULL))
		return ERR_INPUT;
	return elffmt_get_shdr(c->fmt, b, out, NULL);
}

/* Section headers, as gdb's gcore writes them, and what they name; number 0 stands for section header 0's size. */
static u64 sections_end(struct core *c, u64 end)
{
	size_t size = elffmt_shdr_size(c->fmt);
	u64 n = c->ehdr.e_shnum;
	GElf_Shdr s;

	if (!c->ehdr.e_shoff || c->ehdr.e_shentsize != size || section_read(c, 0, &s))
		return end;
	if (!n)
		n = s.sh_size;
	n = min(n, c->file.size / size);
	end = later(end, c->ehdr.e_shoff, n * size);
	for (u64 i = 0; i < n && !section_read(c, i, &s); i++)
		if (s.sh_type != SHT_NULL && s.sh_type != SHT_NOBITS)
			end = later(end, s.sh_offset, s.sh_size);
	return end;
}

static u64 known_end(struct core *c)
{
	u64 end = later(elffmt_ehdr_size(c->fmt), c->ehdr.e_phoff, c->n_segs * elffmt_phdr_size(c->fmt));

	for (size_t i = 0; i < c->n_segs; i++)
		if (c->segs[i].p_type != PT_NULL)
			end = later(end, c->segs[i].p_offset, c->segs[i].p_filesz);
	return sections_end(c, end);
}

static bool is_padding(struct core *c, u64 off, u64 len)
{
	u8 buf[4096];

	if (len >= PADDING_MAX)
		return false;
	for (u64 n; len; off += n, len -= n) {
		n = min(len, (u64)sizeof(buf));
		/* What cannot be read now is another's finding. */
		if (core_file_read(&c->file, off, buf, (size_t)n, NULL))
			return true;
		if (buf[0] || memcmp(buf, buf + 1, (size_t)n - 1) != 0)
			return false;
	}
	return true;
}

void check_file_tail(struct check_ctx *x)
{
	struct core *c = x->core;
	u64 end;

	if (!check_has_all_segs(c) || !c->n_segs)
		return;
	end = known_end(c);
	if (end < c->file.size && !is_padding(c, end, c->file.size - end))
		check_found(x, end, "%llu bytes at the end of the file are of no segment, section or header",
			    (unsigned long long)(c->file.size - end));
}
