/* coreread.h - a core of this machine's own class, for the programs that check it. */
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
	const Elf64_Phdr *phdr;
	size_t n;
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

/* e_phnum 0xffff: the count is in section header 0 (PN_XNUM, gABI). */
static inline size_t core_phnum(const struct core *c, const Elf64_Ehdr *h)
{
	const Elf64_Shdr *s = (const void *)(c->p + h->e_shoff);

	if (h->e_phnum != PN_XNUM)
		return h->e_phnum;
	need(h->e_shoff && h->e_shoff + sizeof(*s) <= c->len, c->path, "PN_XNUM without section");
	return s->sh_info;
}

static inline struct core core_open(const char *path)
{
	struct core c = { .path = path };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const Elf64_Ehdr *h;
	struct stat st;

	must(fd >= 0 && fstat(fd, &st) == 0, path);
	c.len = (size_t)st.st_size;
	need(c.len >= sizeof(*h), path, "too short");
	c.p = mmap(NULL, c.len, PROT_READ, MAP_PRIVATE, fd, 0);
	must(c.p != MAP_FAILED, path);
	close(fd);
	h = (const void *)c.p;
	need(!memcmp(h->e_ident, ELFMAG, SELFMAG) && h->e_ident[EI_CLASS] == ELFCLASS64 &&
	     h->e_type == ET_CORE, path, "no 64-bit core");
	c.phdr = (const void *)(c.p + h->e_phoff);
	c.n = core_phnum(&c, h);
	need(h->e_phoff + c.n * sizeof(*c.phdr) <= c.len, path, "program headers cut off");
	for (size_t i = 0; i < c.n; i++)
		need(c.phdr[i].p_offset + c.phdr[i].p_filesz <= c.len, path, "segment cut off");
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
