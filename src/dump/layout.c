#include <string.h>

#include "base/uapi.h"
#include "base/util.h"
#include "dump/layout.h"
#include "elf/elffmt.h"

static u64 align_of(const struct segment *s, u64 page_size)
{
	return s->type == PT_LOAD ? page_size : s->type == PT_NOTE ? 4 : 1;
}

static int place(u64 *at, struct segment *s, u64 page_size, struct err *e)
{
	u64 end;

	s->off = align_up(*at, align_of(s, page_size));
	if (add_overflow(s->off, s->filesz, &end) || end > INT64_MAX - page_size)
		return err_set(e, ERR_UNSUPPORTED, "the core would be larger than a file can be");
	*at = end;
	return 0;
}

/* Of the segments that have a place: where the first begins and the last ends; 0 and 0 if there is none. */
static void find_placed(const struct segment *segs, size_t n, u64 *begin, u64 *end)
{
	*begin = *end = 0;
	for (size_t i = 0; i < n; i++) {
		if (!segs[i].off)
			continue;
		*begin = *begin ? min(*begin, segs[i].off) : segs[i].off;
		*end = max(*end, segs[i].off + segs[i].filesz);
	}
}

int layout_make(struct elffmt fmt, u64 page_size, struct segment *segs, size_t n, struct layout *out,
		struct err *e)
{
	struct layout l = { .page_size = page_size };
	u64 at = elffmt_ehdr_size(fmt) + n * elffmt_phdr_size(fmt), begin, end;

	find_placed(segs, n, &begin, &end);
	for (size_t i = 0; i < n; i++) {
		int r = segs[i].off ? 0 : place(&at, &segs[i], page_size, e);

		if (r)
			return r;
		if (!i && begin && at > begin)
			return err_set(e, ERR_LIMIT, "headers and notes have become larger than there is room for");
		if (!i)
			at = max(at, end);
	}
	if (n >= PN_XNUM) {
		l.shdr_off = align_up(at, 8);
		at = l.shdr_off + elffmt_shdr_size(fmt);
	}
	if (fmt.class == ELFCLASS32 && at > UINT32_MAX)
		return err_set(e, ERR_UNSUPPORTED, "the core would have %llu bytes, and a 32-bit ELF file ends at "
			       "4 GiB: leave something out (--exclude, --filter)", (unsigned long long)at);
	l.size = at;
	*out = l;
	return 0;
}

static int put_ehdr(const struct arch *a, const struct layout *l, size_t n, struct buf *b, struct err *e)
{
	bool xnum = n >= PN_XNUM;
	GElf_Ehdr h = {
		.e_ident = { [EI_CLASS] = a->fmt.class, [EI_DATA] = a->fmt.data, [EI_VERSION] = EV_CURRENT,
			     [EI_OSABI] = ELFOSABI_NONE },
		.e_type = ET_CORE,
		.e_machine = a->machine,
		.e_version = EV_CURRENT,
		.e_phoff = elffmt_ehdr_size(a->fmt),
		.e_ehsize = (u16)elffmt_ehdr_size(a->fmt),
		.e_phentsize = (u16)elffmt_phdr_size(a->fmt),
		.e_phnum = xnum ? PN_XNUM : (u16)n,
		.e_shoff = l->shdr_off,
		.e_shentsize = xnum ? (u16)elffmt_shdr_size(a->fmt) : 0,
		.e_shnum = xnum ? 1 : 0,
		.e_shstrndx = SHN_UNDEF,
	};

	memcpy(h.e_ident, ELFMAG, SELFMAG);
	return elffmt_put_ehdr(a->fmt, &h, b, e);
}

int layout_put_headers(const struct arch *a, const struct layout *l, const struct segment *segs, size_t n,
		       struct buf *b, struct err *e)
{
	int r = put_ehdr(a, l, n, b, e);

	for (size_t i = 0; !r && i < n; i++) {
		const struct segment *s = &segs[i];
		GElf_Phdr h = {
			.p_type = s->type, .p_flags = s->flags, .p_offset = s->off, .p_vaddr = s->vaddr,
			.p_filesz = s->filesz, .p_memsz = s->memsz,
			/* MTE headers have 0: arch/arm64/kernel/elfcore.c, elf_core_write_extra_phdrs(). */
			.p_align = s->type == PT_AARCH64_MEMTAG_MTE ? 0 : align_of(s, l->page_size),
		};

		r = elffmt_put_phdr(a->fmt, &h, b, e);
	}
	return r;
}

/* elf(5), PN_XNUM: section header 0 holds the true number in sh_info.  fill_extnum_info(). */
int layout_put_trailer(const struct arch *a, const struct layout *l, size_t n, struct buf *b, struct err *e)
{
	GElf_Shdr h = { .sh_type = SHT_NULL, .sh_size = 1, .sh_link = SHN_UNDEF, .sh_info = (u32)n };

	return l->shdr_off ? elffmt_put_shdr(a->fmt, &h, b, e) : 0;
}
