#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/scope.h"
#include "base/util.h"
#include "elf/elffmt.h"
#include "repair/repairs.h"

#define ull unsigned long long
/* File position of a member of the ELF header. */
#define EHDR_OFF(c, member) \
	((c)->fmt.class == ELFCLASS32 ? offsetof(Elf32_Ehdr, member) : offsetof(Elf64_Ehdr, member))

int repair_version(struct repair_ctx *x, struct err *e)
{
	GElf_Ehdr h = x->core->ehdr;
	int r = 0;

	if (h.e_ident[EI_VERSION] != EV_CURRENT)
		r = repair_did(x, e, EI_VERSION, "the identification's version was %u, is 1", h.e_ident[EI_VERSION]);
	if (!r && h.e_version != EV_CURRENT)
		r = repair_did(x, e, EHDR_OFF(x->core, e_version), "the header's version was %u, is 1", h.e_version);
	if (r || !x->n)
		return r;
	h.e_ident[EI_VERSION] = EV_CURRENT;
	h.e_version = EV_CURRENT;
	return repair_put_ehdr(x, &h, e);
}

int repair_ehsize(struct repair_ctx *x, struct err *e)
{
	GElf_Ehdr h = x->core->ehdr;
	u16 was = h.e_ehsize;
	int r;

	h.e_ehsize = (u16)elffmt_ehdr_size(x->core->fmt);
	if (was == h.e_ehsize)
		return 0;
	r = repair_put_ehdr(x, &h, e);
	return r ? r : repair_did(x, e, EHDR_OFF(x->core, e_ehsize), "the ELF header's size was %u, is %u", was, h.e_ehsize);
}

static bool try_ehdr(struct repair_ctx *x, const GElf_Ehdr *h)
{
	struct buf b scoped(buf_fini) = { 0 };

	return !elffmt_put_ehdr(x->core->fmt, h, &b, NULL) && repair_try(x->out->overlay, b.p, b.len);
}

int repair_phoff(struct repair_ctx *x, struct err *e)
{
	const struct core *c = x->core;
	GElf_Ehdr h = c->ehdr;
	int r;

	h.e_phoff = elffmt_ehdr_size(c->fmt);
	if (c->n_threads || h.e_phoff == c->ehdr.e_phoff || !try_ehdr(x, &h))
		return 0;
	r = repair_put_ehdr(x, &h, e);
	return r ? r : repair_did(x, e, EHDR_OFF(c, e_phoff), "program headers were said to be at 0x%llx; they are at 0x%llx",
				  (ull)c->ehdr.e_phoff, (ull)h.e_phoff);
}

static bool is_null(const GElf_Phdr *p)
{
	static const GElf_Phdr null;

	return !memcmp(p, &null, sizeof(null));
}

/* Headers that the file has; of a guessed number without the zeros before the first segment's bytes. */
static u64 count_real(const struct core *c)
{
	u64 n = c->n_segs;

	while (c->xnum == CORE_XNUM_LOST && n && is_null(&c->segs[n - 1]))
		n--;
	return n;
}

/* False: the number is lost, and cannot be computed: the first segment's bytes do not follow the headers. */
bool repair_is_counted(const struct core *c)
{
	return c->xnum != CORE_XNUM_LOST || (c->n_segs && c->segs[0].p_offset > c->ehdr.e_phoff);
}

/* Nothing is said of the number: the first segment's bytes follow the headers. */
static u64 count_by_offset(struct repair_ctx *x, GElf_Ehdr *h)
{
	struct elffmt fmt = x->core->fmt;
	u8 raw[sizeof(Elf64_Phdr)];
	struct bytes b = { .p = raw, .len = elffmt_phdr_size(fmt) };
	GElf_Phdr first;
	u64 n;

	if (!h->e_phoff)
		h->e_phoff = elffmt_ehdr_size(fmt);
	if (core_file_read(&x->core->file, h->e_phoff, raw, b.len, NULL) || elffmt_get_phdr(fmt, b, &first, NULL) ||
	    first.p_offset <= h->e_phoff)
		return 0;
	n = (first.p_offset - h->e_phoff) / b.len;
	h->e_phentsize = (u16)b.len;
	h->e_phnum = (u16)min(n, (u64)PN_XNUM);
	return n < PN_XNUM && try_ehdr(x, h) ? n : 0;
}

static int set_phnum(struct repair_ctx *x, GElf_Ehdr *h, u64 n, struct err *e)
{
	const struct core *c = x->core;
	int r;

	h->e_phnum = (u16)n;
	r = repair_put_ehdr(x, h, e);
	return r ? r : repair_did(x, e, EHDR_OFF(c, e_phnum), "the number of program headers was %s%llu, is %llu",
				  c->xnum == CORE_XNUM_LOST ? "lost, perhaps " : "", (ull)c->phnum, (ull)n);
}

/* A number that is a guess says nothing of what was there. */
static int lost_phdrs(struct repair_ctx *x, u64 n, struct err *e)
{
	const struct core *c = x->core;
	char what[128];

	if (c->xnum == CORE_XNUM_LOST || n >= c->phnum)
		return 0;
	snprintf(what, sizeof(what), "%llu of %llu program headers, and what they were of", (ull)(c->phnum - n),
		 (ull)c->phnum);
	return repair_lost_other(x, 0, what, e);
}

int repair_phnum(struct repair_ctx *x, struct err *e)
{
	const struct core *c = x->core;
	GElf_Ehdr h = c->ehdr;
	u64 n;
	int r;

	if (!c->phnum) {
		n = count_by_offset(x, &h);
		return n ? set_phnum(x, &h, n, e) : 0;
	}
	/* At the bound, more of them may be in the file. */
	if (c->n_segs == CORE_SEGS_MAX || !repair_is_counted(c))
		return 0;
	n = count_real(c);
	/* If the file has none of the headers, all that can be recorded is how many there were. */
	if (!n || n >= PN_XNUM || (c->ehdr.e_phnum == n && n == c->phnum))
		return 0;
	r = lost_phdrs(x, n, e);
	return r ? r : set_phnum(x, &h, n, e);
}

/* Appended last: what a segment past the end would have had there is not in the file. */
int repair_xnum(struct repair_ctx *x, struct err *e)
{
	const struct core *c = x->core;
	u64 n = count_real(c), at = align_up(c->file.size, 8);
	GElf_Shdr sh = { .sh_size = 1, .sh_info = (u32)n };
	struct buf b scoped(buf_fini) = { 0 };
	GElf_Ehdr h = c->ehdr;
	int r;

	if (c->xnum == CORE_XNUM_NONE || n < PN_XNUM || n == CORE_SEGS_MAX || !repair_is_counted(c) ||
	    (c->xnum == CORE_XNUM_GOOD && n == c->phnum))
		return 0;
	r = lost_phdrs(x, n, e);
	if (r)
		return r;
	h.e_shoff = at;
	h.e_shnum = 1;
	h.e_shentsize = (u16)elffmt_shdr_size(c->fmt);
	h.e_shstrndx = SHN_UNDEF;
	r = elffmt_put_shdr(c->fmt, &sh, &b, e);
	if (!r)
		r = repair_put(x, at, b.p, b.len, e);
	if (!r)
		r = repair_put_ehdr(x, &h, e);
	return r ? r : repair_did(x, e, at, "section header 0 was lost, has the number of program headers, %llu", (ull)n);
}

/* Number 0 with headers: section header 0 has the number, in sh_size. */
static bool has_sections(const struct core *c)
{
	const GElf_Ehdr *h = &c->ehdr;
	u64 end;

	return h->e_shoff && h->e_shentsize == elffmt_shdr_size(c->fmt) &&
	       !add_overflow(h->e_shoff, (u64)h->e_shentsize * max(h->e_shnum, (u16)1), &end) && end <= c->file.size;
}

int repair_sections(struct repair_ctx *x, struct err *e)
{
	const struct core *c = x->core;
	GElf_Ehdr h = c->ehdr;
	bool has_table = h.e_shoff || h.e_shnum || h.e_shstrndx;
	int r;

	/* PN_XNUM needs section header 0. */
	if (!has_table || h.e_phnum == PN_XNUM || has_sections(c))
		return 0;
	h.e_shoff = 0;
	h.e_shnum = 0;
	h.e_shentsize = 0;
	h.e_shstrndx = SHN_UNDEF;
	r = repair_put_ehdr(x, &h, e);
	return r ? r : repair_did(x, e, EHDR_OFF(c, e_shoff), "%u section headers at 0x%llx are not in the file, and not "
				  "counted any more", c->ehdr.e_shnum, (ull)c->ehdr.e_shoff);
}
