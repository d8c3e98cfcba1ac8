/* coreread.h - a core of either class and this machine's byte order, for the programs that check it. */
#pragma once

#include "target.h"

#include <elf.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define PAGE 4096ul

struct core {
	const char *path;
	const uint8_t *p;
	size_t len;
	Elf64_Ehdr ehdr;	/* of 32 bits, too: widened */
	Elf64_Phdr *phdr;
	size_t n;
	int is32;
};

/* [start, end) */
struct range {
	uint64_t start;
	uint64_t end;
};

static inline void need(int good, const char *path, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "%s: %s\n", path, what);
	exit(2);
}

/* The bytes [off, off + len) of the file. */
static inline const void *core_at(const struct core *c, uint64_t off, uint64_t len, const char *what)
{
	need(off <= c->len && len <= c->len - off, c->path, what);
	return c->p + off;
}

static inline void core_widen_ehdr(struct core *c)
{
	const Elf32_Ehdr *h = core_at(c, 0, sizeof(*h), "too short");

	memcpy(c->ehdr.e_ident, h->e_ident, EI_NIDENT);
	c->ehdr.e_type = h->e_type;
	c->ehdr.e_machine = h->e_machine;
	c->ehdr.e_version = h->e_version;
	c->ehdr.e_entry = h->e_entry;
	c->ehdr.e_phoff = h->e_phoff;
	c->ehdr.e_shoff = h->e_shoff;
	c->ehdr.e_flags = h->e_flags;
	c->ehdr.e_phnum = h->e_phnum;
}

static inline void core_widen_phdr(const Elf32_Phdr *h, Elf64_Phdr *out)
{
	*out = (Elf64_Phdr){
		.p_type = h->p_type, .p_flags = h->p_flags, .p_offset = h->p_offset, .p_vaddr = h->p_vaddr,
		.p_paddr = h->p_paddr, .p_filesz = h->p_filesz, .p_memsz = h->p_memsz, .p_align = h->p_align,
	};
}

/* e_phnum 0xffff: the count is in section header 0 (PN_XNUM, gABI). */
static inline size_t core_phnum(const struct core *c)
{
	const char *what = "PN_XNUM without section";

	if (c->ehdr.e_phnum != PN_XNUM)
		return c->ehdr.e_phnum;
	need(c->ehdr.e_shoff != 0, c->path, what);
	if (c->is32)
		return ((const Elf32_Shdr *)core_at(c, c->ehdr.e_shoff, sizeof(Elf32_Shdr), what))->sh_info;
	return ((const Elf64_Shdr *)core_at(c, c->ehdr.e_shoff, sizeof(Elf64_Shdr), what))->sh_info;
}

static inline void core_read_phdrs(struct core *c)
{
	size_t size = c->is32 ? sizeof(Elf32_Phdr) : sizeof(Elf64_Phdr);
	const uint8_t *p;

	c->n = core_phnum(c);
	c->phdr = calloc(c->n + 1, sizeof(*c->phdr));
	must(c->phdr != NULL, "calloc");
	p = core_at(c, c->ehdr.e_phoff, c->n * size, "program headers cut off");
	for (size_t i = 0; i < c->n; i++) {
		if (c->is32)
			core_widen_phdr((const void *)(p + i * size), &c->phdr[i]);
		else
			memcpy(&c->phdr[i], p + i * size, size);
		core_at(c, c->phdr[i].p_offset, c->phdr[i].p_filesz, "segment cut off");
	}
}

static inline struct core core_open(const char *path)
{
	struct core c = { .path = path };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	must(fd >= 0 && fstat(fd, &st) == 0, path);
	c.len = (size_t)st.st_size;
	need(c.len >= sizeof(Elf64_Ehdr), path, "too short");
	c.p = mmap(NULL, c.len, PROT_READ, MAP_PRIVATE, fd, 0);
	must(c.p != MAP_FAILED, path);
	close(fd);
	c.is32 = c.p[EI_CLASS] == ELFCLASS32;
	if (c.is32)
		core_widen_ehdr(&c);
	else
		memcpy(&c.ehdr, c.p, sizeof(c.ehdr));
	need(!memcmp(c.ehdr.e_ident, ELFMAG, SELFMAG) && c.ehdr.e_type == ET_CORE, path, "no core");
	core_read_phdrs(&c);
	return c;
}

static inline const Elf64_Phdr *core_find(const struct core *c, uint64_t addr)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->phdr[i].p_type == PT_LOAD && addr >= c->phdr[i].p_vaddr &&
		    addr - c->phdr[i].p_vaddr < c->phdr[i].p_memsz)
			return &c->phdr[i];
	return NULL;
}

static inline int is_zero(const uint8_t *p, size_t len)
{
	return len == 0 || (*p == 0 && !memcmp(p, p + 1, len - 1));
}
