/*
 * mtecore FILE [SI_CODE]: a core of aarch64 with memory tags, as the kernel lays
 * one out, for tests on any machine.  SIGSEGV with SI_CODE (9, SEGV_MTESERR) at
 * the second granule of the heap, through a pointer with tag 0xb.
 *
 * HWCAP2_MTE in the auxiliary vector says to gdb that there are tags.
 *
 *	0x400000 r-x	a page, saved
 *	0x500000 rw-	4 pages, all saved, tags: one page of 5, then 0 1 2 ... f 0 1 ...
 *	0x600000 rw-	4 pages, of which the first is saved, tags: all 3
 *	0x700000 rw-	2 pages, none saved
 *	0x800000 rw-	2 pages, saved, without tags (the stack)
 */
#include "target.h"

#include <elf.h>
#include <sys/mman.h>

enum { PAGE = 4096, MEMTAG = 0x70000002, TAG_CTRL = 0x409, PRSTATUS_SIZE = 392, PRPSINFO_SIZE = 136 };

static const Elf64_Phdr areas[] = {
	{ .p_vaddr = 0x400000, .p_memsz = PAGE, .p_filesz = PAGE, .p_flags = PF_R | PF_X },
	{ .p_vaddr = 0x500000, .p_memsz = 4 * PAGE, .p_filesz = 4 * PAGE, .p_flags = PF_R | PF_W },
	{ .p_vaddr = 0x600000, .p_memsz = 4 * PAGE, .p_filesz = PAGE, .p_flags = PF_R | PF_W },
	{ .p_vaddr = 0x700000, .p_memsz = 2 * PAGE, .p_filesz = 0, .p_flags = PF_R | PF_W },
	{ .p_vaddr = 0x800000, .p_memsz = 2 * PAGE, .p_filesz = 2 * PAGE, .p_flags = PF_R | PF_W },
};
enum { AREAS = 5, TAGGED_FIRST = 1, TAGGED_END = 4, SEGS = 1 + AREAS + TAGGED_END - TAGGED_FIRST };

static unsigned char file[64 * PAGE];
static size_t len;

static void add(const void *p, size_t n)
{
	must(n <= sizeof(file) - len, "room");
	if (p)
		memcpy(file + len, p, n);
	len += n;
}

static void note(const char *owner, unsigned type, const void *desc, size_t n)
{
	Elf64_Nhdr h = { .n_namesz = (unsigned)strlen(owner) + 1, .n_descsz = (unsigned)n, .n_type = type };

	add(&h, sizeof(h));
	add(owner, h.n_namesz);
	add(NULL, -len % 4);
	add(desc, n);
	add(NULL, -len % 4);
}

static void put(unsigned char *at, unsigned long long value, size_t n)
{
	for (size_t i = 0; i < n; i++)
		at[i] = (unsigned char)(value >> 8 * i);
}

static void notes(unsigned code)
{
	unsigned char st[PRSTATUS_SIZE] = { 0 }, ps[PRPSINFO_SIZE] = { 0 }, si[128] = { 0 }, ctrl[8] = { 0 };
	const unsigned long long auxv[] = { AT_PAGESZ, PAGE, AT_HWCAP2, 1 << 18, AT_NULL, 0 };

	put(st + 12, 11, 2);
	put(st + 32, 1001, 4);
	put(st + 112 + 31 * 8, 0x801000, 8);
	put(st + 112 + 32 * 8, 0x400100, 8);
	put(ps + 24, 1001, 4);
	memcpy(ps + 40, "tagged", 6);
	memcpy(ps + 56, "tagged heap", 11);
	put(si, 11, 4);
	put(si + 8, code, 4);
	put(si + 16, code == 8 ? 0 : 0x0b00000000500010, 8);
	put(ctrl, 1 | 2 | 0xfffe << 3, 8);
	note("CORE", NT_PRSTATUS, st, sizeof(st));
	note("CORE", NT_PRPSINFO, ps, sizeof(ps));
	note("CORE", NT_SIGINFO, si, sizeof(si));
	note("CORE", NT_AUXV, auxv, sizeof(auxv));
	note("LINUX", TAG_CTRL, ctrl, sizeof(ctrl));
}

static void tags(const Elf64_Phdr *area)
{
	for (size_t i = 0; i < area->p_filesz / 32; i++)
		file[len++] = area != &areas[1] ? 0x33 : i < PAGE / 32 ? 0x55 :
			      (unsigned char)(2 * i % 16 | (2 * i + 1) % 16 << 4);
}

int main(int argc, char **argv)
{
	Elf64_Ehdr h = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT }, .e_type = ET_CORE,
			 .e_machine = EM_AARCH64, .e_version = EV_CURRENT, .e_phoff = sizeof(h),
			 .e_ehsize = sizeof(h), .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = SEGS };
	Elf64_Phdr p[SEGS] = { { .p_type = PT_NOTE, .p_align = 4 } };
	int fd;

	must(argc > 1, "usage: mtecore FILE [SI_CODE]");
	add(&h, sizeof(h));
	add(NULL, sizeof(p));
	p[0].p_offset = len;
	notes(argc > 2 ? (unsigned)atoi(argv[2]) : 9);
	p[0].p_filesz = len - p[0].p_offset;
	add(NULL, -len % PAGE);
	for (size_t i = 0; i < AREAS; i++) {
		p[1 + i] = areas[i];
		p[1 + i].p_type = PT_LOAD;
		p[1 + i].p_align = PAGE;
		p[1 + i].p_offset = len;
		for (size_t k = 0; k < areas[i].p_filesz; k++)
			file[len++] = (unsigned char)('A' + k % 26);
	}
	for (size_t i = TAGGED_FIRST; i < TAGGED_END; i++) {
		p[AREAS + i] = (Elf64_Phdr){ .p_type = MEMTAG, .p_vaddr = areas[i].p_vaddr, .p_offset = len,
					     .p_filesz = areas[i].p_filesz / 32, .p_memsz = areas[i].p_memsz };
		tags(&areas[i]);
	}
	memcpy(file + sizeof(h), p, sizeof(p));
	fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0600);
	must(fd >= 0 && write(fd, file, len) == (ssize_t)len && close(fd) == 0, argv[1]);
	return 0;
}
