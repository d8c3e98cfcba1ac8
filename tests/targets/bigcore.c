/*
 * bigcore.c - writes a core of x86_64 that is large in one way, as no process at hand is.
 *
 *   bigcore FILE sparse GIB MIB       address space of which most is holes: MIB of it have content
 *   bigcore FILE segments N           N areas of a page each, of 256 files and none in turn; 65535 and more by PN_XNUM
 *   bigcore FILE nested N             N segments that all contain the next: no kernel writes that
 *   bigcore FILE threads N            N threads, with register sets of the sizes of today
 *   bigcore FILE same N               N threads of one id
 *   bigcore FILE missing N            N areas, each in a line of our own note of areas, and its first half in one of what is missing
 *   bigcore FILE tags N               N areas of arm64, with as many segments of memory tags; no threads
 */
#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/procfs.h>
#include <unistd.h>

enum {
	PAGE = 4096,
	BASE = 0x10000000,	/* the first area */
	XSTATE = 2696,		/* bytes, with AVX-512 */
	TID = 1000,
	FILES = 256,		/* areas of a file before as many of none */
};

/* x86_64's, whatever machine this is: Linux arch/x86/include/asm/elf.h. */
struct prstatus64 {
	int32_t signo, code, error;
	int16_t cursig, pad;
	uint64_t sigpend, sighold;
	int32_t pid, ppid, pgrp, sid;
	uint64_t times[8];
	uint64_t regs[27];
	int32_t fpvalid, pad2;
};
struct prpsinfo64 {
	char state, sname, zomb, nice;
	uint32_t pad;
	uint64_t flag;
	uint32_t uid, gid;
	int32_t pid, ppid, pgrp, sid;
	char fname[16], psargs[80];
};

struct shape {
	uint32_t segments;
	uint64_t step;		/* from the start of a segment to the next one's */
	uint64_t size;		/* of each in memory, and in the file */
	uint64_t shrink;	/* less of that from one to the next */
	uint64_t content;	/* bytes of each that are not zero */
	uint32_t threads;
	bool files;
	bool same;		/* all threads have one id */
	bool tagcore;		/* our own notes: tagcore-notes(5) */
	bool tags;
};

struct out {
	FILE *f;
	const struct shape *s;
	uint64_t at;
};

static void put(struct out *o, const void *p, size_t len)
{
	if (fwrite(p, 1, len, o->f) != len) {
		perror("bigcore");
		exit(1);
	}
	o->at += len;
}

static void put_zero(struct out *o, uint64_t len)
{
	static const char zero[PAGE];

	for (uint64_t n; len; len -= n) {
		n = len < PAGE ? len : PAGE;
		put(o, zero, n);
	}
}

/* The layout: header, program headers, notes, and on the next page what is in memory. */
static size_t note_size(size_t desc)
{
	return sizeof(Elf64_Nhdr) + 8 + (desc + 3) / 4 * 4;
}

static uint32_t n_files(const struct shape *s)
{
	return s->files ? (s->segments + FILES) / (2 * FILES) * FILES : 0;
}

enum { NAME = 16 };	/* "/lib/lib0000.so" */

static size_t file_size(const struct shape *s)
{
	return 16 + (size_t)n_files(s) * (24 + NAME);
}

/* Lines of our own notes, all of one length: addresses have eight digits, as BASE and 131,070 areas have. */
#define AREA_LINE "%08llx-%08llx rw-p 0 - whole anon \n"
#define MISSING_LINE "%08llx-%08llx gone\n"
enum { AREA_LEN = 39, MISSING_LEN = 23 };

static size_t notes_size(const struct shape *s)
{
	size_t thread = note_size(sizeof(struct prstatus64)) + note_size(512) + note_size(XSTATE);
	size_t process = note_size(sizeof(struct prpsinfo64)) + note_size(32);

	return s->threads * thread + (s->threads ? process : 0) + (s->files ? note_size(file_size(s)) : 0) +
	       (s->tagcore ? note_size((size_t)s->segments * AREA_LEN) + note_size((size_t)s->segments * MISSING_LEN) : 0);
}

static uint32_t n_headers(const struct shape *s)
{
	return 1 + s->segments * (s->tags ? 2 : 1);
}

static uint64_t headers_size(const struct shape *s)
{
	return sizeof(Elf64_Ehdr) + n_headers(s) * sizeof(Elf64_Phdr);
}

static uint64_t data_at(const struct shape *s)
{
	return (headers_size(s) + notes_size(s) + PAGE - 1) / PAGE * PAGE;
}

static uint64_t size_of(const struct shape *s, uint32_t i)
{
	return s->size - i * s->shrink;
}

/* Nested segments share their bytes. */
static uint64_t tags_at(const struct shape *s)
{
	return data_at(s) + (s->shrink ? s->size : s->segments * s->size);
}

enum { TAG_SPAN = 32 };	/* bytes of memory for a byte of tags */

static uint64_t file_end(const struct shape *s)
{
	return tags_at(s) + (s->tags ? s->segments * s->size / TAG_SPAN : 0);
}

static void put_header(struct out *o)
{
	uint32_t n = n_headers(o->s);
	Elf64_Ehdr h = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT }, .e_type = ET_CORE,
		.e_machine = o->s->tags ? EM_AARCH64 : EM_X86_64, .e_version = EV_CURRENT, .e_phoff = sizeof(h), .e_ehsize = sizeof(h),
		.e_phentsize = sizeof(Elf64_Phdr), .e_phnum = (uint16_t)(n < PN_XNUM ? n : PN_XNUM),
	};

	if (n >= PN_XNUM) {
		h.e_shoff = file_end(o->s);
		h.e_shnum = 1;
		h.e_shentsize = sizeof(Elf64_Shdr);
	}
	put(o, &h, sizeof(h));
}

static void put_segments(struct out *o)
{
	const struct shape *s = o->s;
	Elf64_Phdr p = { .p_type = PT_NOTE, .p_offset = headers_size(s), .p_filesz = notes_size(s), .p_align = 4 };

	put(o, &p, sizeof(p));
	for (uint32_t i = 0; i < s->segments; i++) {
		p = (Elf64_Phdr){
			.p_type = PT_LOAD, .p_flags = PF_R | PF_W | (i ? 0 : PF_X), .p_vaddr = BASE + i * s->step,
			.p_offset = data_at(s) + (s->shrink ? 0 : i * s->size),
			.p_filesz = size_of(s, i), .p_memsz = size_of(s, i), .p_align = PAGE,
		};
		put(o, &p, sizeof(p));
	}
	for (uint32_t i = 0; s->tags && i < s->segments; i++) {
		p = (Elf64_Phdr){
			.p_type = PT_LOPROC + 2,	/* PT_AARCH64_MEMTAG_MTE */
			.p_vaddr = BASE + i * s->step, .p_memsz = s->size,
			.p_offset = tags_at(s) + i * s->size / TAG_SPAN, .p_filesz = s->size / TAG_SPAN,
		};
		put(o, &p, sizeof(p));
	}
}

static void put_note(struct out *o, const char *owner, uint32_t type, const void *desc, size_t len)
{
	Elf64_Nhdr h = { .n_namesz = (uint32_t)strlen(owner) + 1, .n_descsz = (uint32_t)len, .n_type = type };
	char name[8] = { 0 };

	memcpy(name, owner, strlen(owner));
	put(o, &h, sizeof(h));
	put(o, name, sizeof(name));
	put(o, desc, len);
	put_zero(o, (4 - len % 4) % 4);
}

static void put_thread(struct out *o, uint32_t i)
{
	struct prstatus64 s = { .cursig = i ? 0 : 6, .pid = TID + (o->s->same ? 0 : (int32_t)i), .ppid = 1 };
	uint8_t fp[512] = { 0 }, xstate[XSTATE] = { 0 };

	s.regs[16] = BASE + 16;			/* rip */
	s.regs[19] = BASE + PAGE / 2;		/* rsp */
	put_note(o, "CORE", NT_PRSTATUS, &s, sizeof(s));
	if (!i) {
		struct prpsinfo64 ps = { .sname = 'R', .pid = TID, .ppid = 1, .fname = "big", .psargs = "big one" };
		uint64_t auxv[4] = { AT_PAGESZ, PAGE, AT_NULL, 0 };

		put_note(o, "CORE", NT_PRPSINFO, &ps, sizeof(ps));
		put_note(o, "CORE", NT_AUXV, auxv, sizeof(auxv));
	}
	put_note(o, "CORE", NT_PRFPREG, fp, sizeof(fp));
	xstate[464] = xstate[512] = 3;		/* XCR0, XSTATE_BV: x87 and SSE */
	put_note(o, "LINUX", NT_X86_XSTATE, xstate, sizeof(xstate));
}

static void put_files(struct out *o)
{
	const struct shape *s = o->s;
	uint64_t count[2] = { n_files(s), PAGE };
	Elf64_Nhdr h = { .n_namesz = 5, .n_descsz = (uint32_t)file_size(s), .n_type = NT_FILE };

	put(o, &h, sizeof(h));
	put(o, "CORE\0\0\0", 8);
	put(o, count, sizeof(count));
	for (uint32_t i = 0; i < count[0]; i++) {
		uint64_t start = BASE + (i / FILES * 2 * FILES + i % FILES) * s->step;
		uint64_t row[3] = { start, start + s->size, i % FILES };

		put(o, row, sizeof(row));
	}
	for (uint32_t i = 0; i < count[0]; i++) {
		char name[NAME + 8];

		snprintf(name, sizeof(name), "/lib/lib%04u.so", i / FILES % 10000);
		put(o, name, NAME);
	}
	put_zero(o, (4 - file_size(s) % 4) % 4);
}

/* A note of a line for each area; a line may be shorter. */
static void put_tagcore(struct out *o, uint32_t type, const char *fmt, size_t line, uint64_t len)
{
	size_t size = line * o->s->segments;
	char *text = malloc(size + 64);

	for (uint32_t i = 0; text && i < o->s->segments; i++) {
		unsigned long long start = BASE + i * o->s->step;

		snprintf(text + i * line, 64, fmt, start, start + len);
	}
	if (text)
		put_note(o, "TAGCORE", type, text, size);
	free(text);
}

static void seek(struct out *o, uint64_t to)
{
	if (fseeko(o->f, (off_t)to, SEEK_SET)) {
		perror("bigcore");
		exit(1);
	}
	o->at = to;
}

/* In the middle of each segment. */
static void put_content(struct out *o)
{
	const struct shape *s = o->s;
	char *p = malloc(s->content);

	for (uint32_t i = 0; p && s->content && i < s->segments; i++) {
		memset(p, (int)(1 + i % 255), s->content);
		seek(o, data_at(s) + i * s->size + (s->size - s->content) / 2 / PAGE * PAGE);
		put(o, p, s->content);
	}
	free(p);
}

static void put_end(struct out *o)
{
	Elf64_Shdr sh = { .sh_size = 1, .sh_info = n_headers(o->s) };
	bool xnum = sh.sh_info >= PN_XNUM;

	if (xnum) {
		seek(o, file_end(o->s));
		put(o, &sh, sizeof(sh));
	}
	if (fflush(o->f) || (!xnum && ftruncate(fileno(o->f), (off_t)file_end(o->s)))) {
		perror("bigcore");
		exit(1);
	}
}

static bool shape_of(int argc, char **argv, struct shape *s)
{
	unsigned long n = argc > 3 ? strtoul(argv[3], NULL, 0) : 0;

	*s = (struct shape){ .segments = 1, .step = 2 * PAGE, .size = PAGE, .threads = 1 };
	if (!n || n > UINT32_MAX)
		return false;
	if (!strcmp(argv[2], "sparse") && argc == 5) {
		s->segments = 64;
		s->size = n << 30 >> 6;
		s->step = s->size + PAGE;
		s->content = strtoul(argv[4], NULL, 0) << 20 >> 6;
	} else if (!strcmp(argv[2], "segments")) {
		s->segments = (uint32_t)n;
		s->files = true;
	} else if (!strcmp(argv[2], "nested")) {
		s->segments = (uint32_t)n;
		s->step = PAGE;
		s->shrink = 2 * PAGE;
		s->size = n * 2 * PAGE;
	} else if (!strcmp(argv[2], "threads") || !strcmp(argv[2], "same")) {
		s->threads = (uint32_t)n;
		s->same = argv[2][0] == 's';
	} else if (!strcmp(argv[2], "missing")) {
		s->segments = (uint32_t)n;
		s->tagcore = true;
	} else if (!strcmp(argv[2], "tags")) {
		s->segments = (uint32_t)n;
		s->tags = true;
		s->threads = 0;
	} else {
		return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct shape s;
	struct out o = { .s = &s };

	if (argc < 4 || !shape_of(argc, argv, &s)) {
		fprintf(stderr, "usage: bigcore FILE sparse GIB MIB | segments N | nested N | threads N | same N |\n"
			"       missing N | tags N\n");
		return 2;
	}
	o.f = fopen(argv[1], "w");
	if (!o.f) {
		perror(argv[1]);
		return 1;
	}
	put_header(&o);
	put_segments(&o);
	for (uint32_t i = 0; i < s.threads; i++)
		put_thread(&o, i);
	if (s.files)
		put_files(&o);
	if (s.tagcore) {
		put_tagcore(&o, 0x54430003, AREA_LINE, AREA_LEN, s.size);
		put_tagcore(&o, 0x54430004, MISSING_LINE, MISSING_LEN, s.size / 2);
	}
	put_content(&o);
	put_end(&o);
	return fclose(o.f) ? 1 : 0;
}
