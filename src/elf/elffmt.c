#include <string.h>

#include "base/buf.h"
#include "base/util.h"
#include "elf/elffmt.h"

/*
 * Headers go through libelf's translators (elf_xlatetom, elf_xlatetof), which
 * know both classes and byte orders and need no open Elf: the bytes may come
 * from a pipe or out of a compressed file.
 */
union ehdr { Elf32_Ehdr h32; Elf64_Ehdr h64; };
union phdr { Elf32_Phdr h32; Elf64_Phdr h64; };
union shdr { Elf32_Shdr h32; Elf64_Shdr h64; };

static bool is32(struct elffmt fmt)
{
	return fmt.class == ELFCLASS32;
}

size_t elffmt_ehdr_size(struct elffmt fmt)
{
	return is32(fmt) ? sizeof(Elf32_Ehdr) : sizeof(Elf64_Ehdr);
}

size_t elffmt_phdr_size(struct elffmt fmt)
{
	return is32(fmt) ? sizeof(Elf32_Phdr) : sizeof(Elf64_Phdr);
}

size_t elffmt_shdr_size(struct elffmt fmt)
{
	return is32(fmt) ? sizeof(Elf32_Shdr) : sizeof(Elf64_Shdr);
}

int elffmt_ident(struct bytes b, struct elffmt *out, struct err *e)
{
	if (b.len < EI_NIDENT)
		return err_at(e, ERR_TRUNCATED, b.off, "%zu bytes are too few for an ELF file", b.len);
	if (memcmp(b.p, ELFMAG, SELFMAG) != 0)
		return err_at(e, ERR_INPUT, b.off, "not an ELF file: no \\177ELF at its beginning");
	if (b.p[EI_CLASS] != ELFCLASS32 && b.p[EI_CLASS] != ELFCLASS64)
		return err_at(e, ERR_INPUT, b.off + EI_CLASS, "unknown ELF class %u", b.p[EI_CLASS]);
	if (b.p[EI_DATA] != ELFDATA2LSB && b.p[EI_DATA] != ELFDATA2MSB)
		return err_at(e, ERR_INPUT, b.off + EI_DATA, "unknown byte order %u", b.p[EI_DATA]);
	*out = (struct elffmt){ .class = b.p[EI_CLASS], .data = b.p[EI_DATA] };
	return 0;
}

/* Turns @len bytes of @type from the file's form at @src to the host's at @dst, or back. */
static int xlate(struct elffmt fmt, Elf_Type type, const void *src, void *dst, size_t len,
		 bool to_file, struct err *e)
{
	Elf_Data from = { .d_buf = (void *)(uintptr_t)src, .d_type = type, .d_size = len, .d_version = EV_CURRENT };
	Elf_Data to = { .d_buf = dst, .d_type = type, .d_size = len, .d_version = EV_CURRENT };
	Elf_Data *r;

	elf_version(EV_CURRENT);
	if (is32(fmt))
		r = to_file ? elf32_xlatetof(&to, &from, fmt.data) : elf32_xlatetom(&to, &from, fmt.data);
	else
		r = to_file ? elf64_xlatetof(&to, &from, fmt.data) : elf64_xlatetom(&to, &from, fmt.data);
	return r ? 0 : err_set(e, ERR_INPUT, "ELF header: %s", elf_errmsg(-1));
}

static int decode(struct elffmt fmt, Elf_Type type, struct bytes b, void *dst, size_t len, struct err *e)
{
	struct bytes w = { 0 };
	int r = bytes_sub(b, 0, len, &w, e);

	return r ? r : xlate(fmt, type, w.p, dst, len, false, e);
}

static int encode(struct elffmt fmt, Elf_Type type, const void *src, size_t len, struct buf *b,
		  struct err *e)
{
	u8 *at = NULL;
	int r = buf_reserve(b, len, &at, e);

	if (!r)
		r = xlate(fmt, type, src, at, len, true, e);
	if (!r)
		b->len += len;
	return r;
}

/* Field by field, both ways: the two classes have the same names in another order and width. */
#define COPY_EHDR(to, from) do { \
	memcpy((to).e_ident, (from).e_ident, EI_NIDENT); \
	(to).e_type = (from).e_type; (to).e_machine = (from).e_machine; \
	(to).e_version = (from).e_version; (to).e_entry = (__typeof__((to).e_entry))(from).e_entry; \
	(to).e_phoff = (__typeof__((to).e_phoff))(from).e_phoff; \
	(to).e_shoff = (__typeof__((to).e_shoff))(from).e_shoff; \
	(to).e_flags = (from).e_flags; (to).e_ehsize = (from).e_ehsize; \
	(to).e_phentsize = (from).e_phentsize; (to).e_phnum = (from).e_phnum; \
	(to).e_shentsize = (from).e_shentsize; (to).e_shnum = (from).e_shnum; \
	(to).e_shstrndx = (from).e_shstrndx; } while (0)
#define COPY_PHDR(to, from) do { \
	(to).p_type = (from).p_type; (to).p_flags = (from).p_flags; \
	(to).p_offset = (__typeof__((to).p_offset))(from).p_offset; \
	(to).p_vaddr = (__typeof__((to).p_vaddr))(from).p_vaddr; \
	(to).p_paddr = (__typeof__((to).p_paddr))(from).p_paddr; \
	(to).p_filesz = (__typeof__((to).p_filesz))(from).p_filesz; \
	(to).p_memsz = (__typeof__((to).p_memsz))(from).p_memsz; \
	(to).p_align = (__typeof__((to).p_align))(from).p_align; } while (0)
#define COPY_SHDR(to, from) do { \
	(to).sh_name = (from).sh_name; (to).sh_type = (from).sh_type; \
	(to).sh_flags = (__typeof__((to).sh_flags))(from).sh_flags; \
	(to).sh_addr = (__typeof__((to).sh_addr))(from).sh_addr; \
	(to).sh_offset = (__typeof__((to).sh_offset))(from).sh_offset; \
	(to).sh_size = (__typeof__((to).sh_size))(from).sh_size; \
	(to).sh_link = (from).sh_link; (to).sh_info = (from).sh_info; \
	(to).sh_addralign = (__typeof__((to).sh_addralign))(from).sh_addralign; \
	(to).sh_entsize = (__typeof__((to).sh_entsize))(from).sh_entsize; } while (0)

int elffmt_get_ehdr(struct elffmt fmt, struct bytes b, GElf_Ehdr *out, struct err *e)
{
	union ehdr u;
	int r = decode(fmt, ELF_T_EHDR, b, &u, elffmt_ehdr_size(fmt), e);

	if (r)
		return r;
	if (is32(fmt))
		COPY_EHDR(*out, u.h32);
	else
		*out = u.h64;
	return 0;
}

int elffmt_get_phdr(struct elffmt fmt, struct bytes b, GElf_Phdr *out, struct err *e)
{
	union phdr u;
	int r = decode(fmt, ELF_T_PHDR, b, &u, elffmt_phdr_size(fmt), e);

	if (r)
		return r;
	if (is32(fmt))
		COPY_PHDR(*out, u.h32);
	else
		*out = u.h64;
	return 0;
}

int elffmt_get_shdr(struct elffmt fmt, struct bytes b, GElf_Shdr *out, struct err *e)
{
	union shdr u;
	int r = decode(fmt, ELF_T_SHDR, b, &u, elffmt_shdr_size(fmt), e);

	if (r)
		return r;
	if (is32(fmt))
		COPY_SHDR(*out, u.h32);
	else
		*out = u.h64;
	return 0;
}

static int fits(struct elffmt fmt, u64 widest, const char *what, struct err *e)
{
	if (!is32(fmt) || widest <= UINT32_MAX)
		return 0;
	return err_set(e, ERR_UNSUPPORTED, "%s does not fit a 32-bit ELF file: 0x%llx", what,
		       (unsigned long long)widest);
}

int elffmt_put_ehdr(struct elffmt fmt, const GElf_Ehdr *h, struct buf *b, struct err *e)
{
	union ehdr u;
	int r = fits(fmt, h->e_entry | h->e_phoff | h->e_shoff, "file header", e);

	if (r)
		return r;
	if (is32(fmt))
		COPY_EHDR(u.h32, *h);
	else
		u.h64 = *h;
	return encode(fmt, ELF_T_EHDR, &u, elffmt_ehdr_size(fmt), b, e);
}

int elffmt_put_phdr(struct elffmt fmt, const GElf_Phdr *h, struct buf *b, struct err *e)
{
	union phdr u;
	u64 widest = h->p_offset | h->p_vaddr | h->p_paddr | h->p_filesz | h->p_memsz | h->p_align;
	int r = fits(fmt, widest, "program header", e);

	if (r)
		return r;
	if (is32(fmt))
		COPY_PHDR(u.h32, *h);
	else
		u.h64 = *h;
	return encode(fmt, ELF_T_PHDR, &u, elffmt_phdr_size(fmt), b, e);
}

int elffmt_put_shdr(struct elffmt fmt, const GElf_Shdr *h, struct buf *b, struct err *e)
{
	union shdr u;
	u64 widest = h->sh_flags | h->sh_addr | h->sh_offset | h->sh_size | h->sh_addralign | h->sh_entsize;
	int r = fits(fmt, widest, "section header", e);

	if (r)
		return r;
	if (is32(fmt))
		COPY_SHDR(u.h32, *h);
	else
		u.h64 = *h;
	return encode(fmt, ELF_T_SHDR, &u, elffmt_shdr_size(fmt), b, e);
}
