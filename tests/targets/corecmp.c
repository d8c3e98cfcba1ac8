/*
 * corecmp mem CORE PID [LOST]	every byte in the core against the (stopped) process
 * corecmp kernel CORE KERNEL [LOST]	a core of ours against the kernel's of the same process
 * corecmp state CORE ADDR...	"present", "zero", "absent" or "unmapped": the page at ADDR
 * corecmp notes CORE		"OWNER TYPE SIZE TID" of every note
 *
 * LOST is a file of ranges that the dump could not have (see lost.c): zeros in
 * the core, whatever they should be.
 *
 * For the tests only, of this machine's own byte order; deliberately not the
 * program's own reader, so that the two check each other.  Exit 0 when equal,
 * 1 when not (each difference is a line), 2 on trouble.
 */
#include "coreread.h"

#include <stddef.h>
#include <stdarg.h>
#include <sys/procfs.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#ifndef NT_X86_XSAVE_LAYOUT
#define NT_X86_XSAVE_LAYOUT 0x205	/* Linux 6.12 */
#endif

#ifndef NT_ARM_TLS
#define NT_ARM_TLS 0x401
#endif

#define CHUNK (1ul << 20)
/* struct elf_prstatus of 32 bits: three ints, a short, two longs. */
#define PID_32 24

struct cnote {
	const char *owner;
	uint32_t type;
	const uint8_t *desc;
	size_t len;
	pid_t tid;	/* of the PRSTATUS at or before it; 0: of the process */
};

static int n_diffs;

__attribute__((format(printf, 1, 2)))
static void differ(const char *fmt, ...)
{
	va_list ap;

	if (n_diffs++ >= 40)
		return;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* ---- what is known to be lost */

static struct range lost[4096];
static size_t n_lost;

static void read_lost(const char *path)
{
	FILE *f = path ? fopen(path, "r") : NULL;

	must(!path || f, path);
	while (f && n_lost < 4096 &&
	       fscanf(f, "%lx %lx", &lost[n_lost].start, &lost[n_lost].end) == 2)
		n_lost++;
	need(!f || feof(f), path, "not understood, or too much");
	if (f)
		fclose(f);
}

static int is_lost(uint64_t addr)
{
	for (size_t i = 0; i < n_lost; i++)
		if (addr >= lost[i].start && addr < lost[i].end)
			return 1;
	return 0;
}

static void compare_lost(uint64_t addr, const uint8_t *in_core)
{
	if (!is_zero(in_core, PAGE))
		differ("memory at 0x%lx: content, but it was to be lost", addr);
}

/* ---- mem */

static void show_bytes(uint64_t addr, const uint8_t *a, const uint8_t *b, size_t len)
{
	size_t i = 0;

	while (i < len && a[i] == b[i])
		i++;
	differ("memory at 0x%lx: %02x in the core, %02x expected", addr + i, a[i], b[i]);
}

static pid_t process;
/* The same, when it is our tracee, whose memory ptrace(2) reads where mem(5) may not; or 0. */
static pid_t tracee;

/*
 * Since v6.12 mem may show pages without access to a tracer only, or to nobody: fs/proc/base.c:
 * proc_mem_foll_force().  Only where that is so, since it breaks the process's system calls.
 */
static void trace(pid_t pid)
{
	if (tracee || ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0 || ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) < 0)
		return;
	must(waitpid(pid, NULL, __WALL) == pid, "waitpid");
	tracee = pid;
}

static int peek_page(uint64_t addr, uint8_t *page)
{
	trace(process);
	for (size_t at = 0; at < PAGE; at += sizeof(long)) {
		long word;

		errno = 0;
		word = ptrace(PTRACE_PEEKDATA, tracee, (void *)(addr + at), NULL);
		if (errno)
			return 0;
		memcpy(page + at, &word, sizeof(word));
	}
	return 1;
}

/* What the process itself could not read must be zero in the core. */
static size_t compare_page(int fd, uint64_t addr, const uint8_t *in_core)
{
	uint8_t page[PAGE];

	if (is_lost(addr)) {
		compare_lost(addr, in_core);
		return 0;
	}
	if (pread(fd, page, PAGE, (off_t)addr) == (ssize_t)PAGE || peek_page(addr, page)) {
		if (memcmp(page, in_core, PAGE))
			show_bytes(addr, in_core, page, PAGE);
		return 0;
	}
	if (!is_zero(in_core, PAGE))
		differ("memory at 0x%lx: content, but the process has none", addr);
	return PAGE;
}

/* Returns the bytes that the process could not give. */
static size_t compare_chunk(int fd, uint64_t addr, const uint8_t *in_core, size_t len)
{
	static uint8_t chunk[CHUNK];
	size_t unreadable = 0;

	if (!n_lost && pread(fd, chunk, len, (off_t)addr) == (ssize_t)len && !memcmp(chunk, in_core, len))
		return 0;
	for (size_t at = 0; at < len; at += PAGE)
		unreadable += compare_page(fd, addr + at, in_core + at);
	return unreadable;
}

static int run_mem(char **a)
{
	struct core c = core_open(a[0]);
	size_t compared = 0, absent = 0, unreadable = 0, n = 0;
	char path[64];
	int fd;

	read_lost(a[2]);
	snprintf(path, sizeof(path), "/proc/%s/mem", a[1]);
	fd = open(path, O_RDONLY);
	must(fd >= 0, path);
	process = atoi(a[1]);
	for (size_t i = 0; i < c.n; i++) {
		const Elf64_Phdr *h = &c.phdr[i];

		if (h->p_type != PT_LOAD)
			continue;
		for (size_t at = 0; at < h->p_filesz; at += CHUNK) {
			size_t len = h->p_filesz - at < CHUNK ? h->p_filesz - at : CHUNK;

			unreadable += compare_chunk(fd, h->p_vaddr + at, c.p + h->p_offset + at, len);
		}
		compared += h->p_filesz;
		absent += h->p_memsz - h->p_filesz;
		n++;
	}
	printf("compared %zu bytes of %zu areas, %zu absent, %zu unreadable\n", compared, n, absent,
	       unreadable);
	return n_diffs != 0;
}

/* ---- state */

static int run_state(char **a)
{
	struct core c = core_open(*a++);

	for (; *a; a++) {
		uint64_t addr = strtoull(*a, NULL, 0) & ~(PAGE - 1);
		const Elf64_Phdr *h = core_find(&c, addr);
		uint64_t at = h ? addr - h->p_vaddr : 0;

		if (!h)
			puts("unmapped");
		else if (at >= h->p_filesz)
			puts("absent");
		else
			puts(is_zero(c.p + h->p_offset + at, PAGE) ? "zero" : "present");
	}
	return 0;
}

/* ---- notes */

static size_t pad4(size_t n)
{
	return (n + 3) & ~3ul;
}

static struct cnote *core_notes(const struct core *c, size_t *n)
{
	const Elf64_Phdr *h = c->phdr;
	struct cnote *notes = calloc(65536, sizeof(*notes));
	pid_t tid = 0;
	size_t at = 0;

	must(notes != NULL, "calloc");
	while (h < c->phdr + c->n && h->p_type != PT_NOTE)
		h++;
	need(h < c->phdr + c->n, c->path, "no PT_NOTE");
	for (*n = 0; at < h->p_filesz; (*n)++) {
		const uint8_t *p = c->p + h->p_offset + at;
		const Elf64_Nhdr *nh = (const void *)p;
		struct cnote *note = &notes[*n];
		size_t desc = sizeof(*nh) + pad4(nh->n_namesz);

		need(*n < 65536 && at + desc + nh->n_descsz <= h->p_filesz, c->path, "bad note");
		note->owner = (const char *)(p + sizeof(*nh));
		note->type = nh->n_type;
		note->desc = p + desc;
		note->len = nh->n_descsz;
		if (nh->n_type == NT_PRSTATUS && !strcmp(note->owner, "CORE"))
			memcpy(&tid, note->desc + (c->is32 ? PID_32 : offsetof(struct elf_prstatus, pr_pid)),
			       sizeof(tid));
		/* The kernel writes this one once, after all threads. */
		note->tid = nh->n_type == NT_X86_XSAVE_LAYOUT ? 0 : tid;
		at += desc + pad4(nh->n_descsz);
	}
	return notes;
}

static int run_notes(char **a)
{
	struct core c = core_open(a[0]);
	size_t n;
	struct cnote *notes = core_notes(&c, &n);

	for (size_t i = 0; i < n; i++)
		printf("%s 0x%x %zu %d\n", notes[i].owner, notes[i].type, notes[i].len, notes[i].tid);
	return 0;
}

/* ---- kernel: which bytes of a note may differ, and why */

struct allowed {
	uint32_t type;
	size_t off;
	size_t len;
	size_t off32;	/* in a 32-bit core */
	size_t len32;
	const char *why;
	int used;
};

#define FIELD(t, m, at, n) .off = offsetof(t, m), .len = sizeof(((t *)0)->m), .off32 = (at), .len32 = (n)

static struct allowed allowed[] = {
	{ .type = NT_PRSTATUS, FIELD(struct elf_prstatus, pr_info, 0, 12),
	  .why = "the kernel's core has the signal that killed; nothing killed at our dump" },
	{ .type = NT_PRSTATUS, FIELD(struct elf_prstatus, pr_cursig, 12, 2), .why = "the same" },
	{ .type = NT_PRSTATUS, FIELD(struct elf_prstatus, pr_sigpend, 16, 4),
	  .why = "the kernel kills the other threads by a pending SIGKILL; ours is what was pending" },
	{ .type = NT_PRSTATUS, FIELD(struct elf_prstatus, pr_utime, 40, 8), .why = "time went on" },
	{ .type = NT_PRSTATUS, FIELD(struct elf_prstatus, pr_stime, 48, 8), .why = "time went on" },
	{ .type = NT_PRPSINFO, FIELD(struct elf_prpsinfo, pr_state, 0, 1),
	  .why = "the dying process runs (0, R); ours sleeps or is traced" },
	{ .type = NT_PRPSINFO, FIELD(struct elf_prpsinfo, pr_sname, 1, 1), .why = "the same" },
	{ .type = NT_PRPSINFO, FIELD(struct elf_prpsinfo, pr_flag, 4, 4),
	  .why = "PF_SIGNALED, PF_DUMPCORE, PF_EXITING and what else the kernel does at that moment" },
	/* XSTATE_BV: Intel SDM volume 1, 13.6: XINUSE may be 1 for a component in its initial state, too. */
	{ .type = NT_X86_XSTATE, .off = 512, .len = 8, .off32 = 512, .len32 = 8,
	  .why = "a component in its initial state may be marked as in use or not; its content is compared" },
	{ .type = NT_SIGINFO, .len = 128, .len32 = 128, .why = "the signal that killed" },
};

static int may_differ(uint32_t type, size_t off, int is32)
{
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		struct allowed *a = &allowed[i];

		if (a->type == type && off - (is32 ? a->off32 : a->off) < (is32 ? a->len32 : a->len))
			return ++a->used;
	}
	return 0;
}

static void show_allowed(void)
{
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		if (allowed[i].used)
			printf("note 0x%x differs in %d bytes: %s\n", allowed[i].type, allowed[i].used,
			       allowed[i].why);
}

/*
 * Notes that only ours has: owner TAGCORE, which is our own; a SIGINFO for every
 * thread, where the kernel has the one of the process (the first); the thread
 * pointer of a 32-bit Arm process, which arm64 shows to a tracer only; and
 * XSAVE_LAYOUT, where the kernel is older than 6.12 and has none.
 */
static int is_extra(const struct cnote *n, pid_t first, int is32, int has_layout)
{
	return !strcmp(n->owner, "TAGCORE") || (n->type == NT_SIGINFO && n->tid != first) ||
	       (is32 && n->type == NT_ARM_TLS) || (!has_layout && n->type == NT_X86_XSAVE_LAYOUT);
}

static int has_layout(const struct cnote *notes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (notes[i].type == NT_X86_XSAVE_LAYOUT)
			return 1;
	return 0;
}

static void compare_note(const struct cnote *a, const struct cnote *b, int is32)
{
	if (strcmp(a->owner, b->owner) || a->type != b->type) {
		differ("note of %d: %s 0x%x, the kernel has %s 0x%x", a->tid, a->owner, a->type,
		       b->owner, b->type);
		return;
	}
	if (a->len != b->len) {
		differ("note %s 0x%x of %d: %zu bytes, the kernel has %zu", a->owner, a->type,
		       a->tid, a->len, b->len);
		return;
	}
	for (size_t i = 0; i < a->len; i++)
		if (a->desc[i] != b->desc[i] && !may_differ(a->type, i, is32))
			differ("note %s 0x%x of %d at %zu: %02x, the kernel has %02x", a->owner,
			       a->type, a->tid, i, a->desc[i], b->desc[i]);
}

static void drop_extra(struct cnote *notes, size_t *n, int is32, int layout)
{
	size_t kept = 0;

	for (size_t i = 0; i < *n; i++)
		if (!is_extra(&notes[i], notes[0].tid, is32, layout))
			notes[kept++] = notes[i];
	*n = kept;
}

static size_t thread_begin(const struct cnote *notes, size_t n, pid_t tid)
{
	size_t i = 0;

	while (i < n && notes[i].tid != tid)
		i++;
	return i;
}

/*
 * Thread by thread: the kernel lists threads after the first in the order in
 * which they arrived to die (fs/coredump.c: coredump_task_exit()), we by number.
 */
static void compare_notes(const struct core *ours, const struct core *theirs)
{
	size_t na, nb, matched = 0;
	struct cnote *a = core_notes(ours, &na), *b = core_notes(theirs, &nb);

	drop_extra(a, &na, ours->is32, has_layout(b, nb));
	if (na && nb && a[0].tid != b[0].tid)
		differ("first thread: %d, the kernel has %d", a[0].tid, b[0].tid);
	if (na && nb && a[na - 1].type != b[nb - 1].type)
		differ("last note: 0x%x, the kernel has 0x%x", a[na - 1].type, b[nb - 1].type);
	for (size_t i = 0; i < na;) {
		pid_t tid = a[i].tid;
		size_t j = thread_begin(b, nb, tid);

		for (; i < na && a[i].tid == tid; i++, j++, matched++)
			if (j < nb && b[j].tid == tid)
				compare_note(&a[i], &b[j], ours->is32);
			else
				differ("note %s 0x%x of %d: the kernel has none here", a[i].owner,
				       a[i].type, tid);
	}
	if (matched != nb)
		differ("%zu notes, the kernel has %zu", matched, nb);
	printf("notes: %zu\n", matched);
	show_allowed();
}

/*
 * A segment may be longer in ours: the kernel writes nothing of a private
 * anonymous area that was never touched (no anon_vma: vma_dump_size()), ours
 * is a hole of full size.  It must read as zero.
 */
static int is_untouched(const struct core *c, const Elf64_Phdr *ours, const Elf64_Phdr *theirs)
{
	return theirs->p_filesz == 0 && ours->p_filesz == ours->p_memsz &&
	       is_zero(c->p + ours->p_offset, ours->p_filesz);
}

/*
 * [vvar] cannot be read from outside (EIO), and [vsyscall] is not in the task's
 * range: absent in ours.  The kernel fills [vvar] with zeros and has the other's
 * bytes.  Names are in our own note of areas.
 */
static int is_unreadable(const struct core *c, const Elf64_Phdr *ours)
{
	size_t n;
	struct cnote *notes = core_notes(c, &n);
	char start[32];
	int found = ours->p_vaddr >= 0xffffffff00000000u;

	snprintf(start, sizeof(start), "%lx-", ours->p_vaddr);
	for (size_t i = 0; i < n; i++) {
		const char *d = (const char *)notes[i].desc, *line = NULL, *end;

		if (!strcmp(notes[i].owner, "TAGCORE"))
			line = memmem(d, notes[i].len, start, strlen(start));
		end = line ? memchr(line, '\n', notes[i].len - (size_t)(line - d)) : NULL;
		if (end && memmem(line, (size_t)(end - line), " [vvar", 6))
			found = 1;
	}
	free(notes);
	return found && ours->p_filesz == 0;
}

static void compare_segment(const struct core *a, const Elf64_Phdr *ours, const struct core *b,
			    const Elf64_Phdr *theirs)
{
	size_t len = ours->p_filesz < theirs->p_filesz ? ours->p_filesz : theirs->p_filesz;

	if (ours->p_memsz != theirs->p_memsz || ours->p_flags != theirs->p_flags ||
	    ours->p_align != theirs->p_align)
		differ("segment 0x%lx: memsz 0x%lx flags %x align 0x%lx, the kernel has 0x%lx %x 0x%lx",
		       ours->p_vaddr, ours->p_memsz, ours->p_flags, ours->p_align, theirs->p_memsz,
		       theirs->p_flags, theirs->p_align);
	if (ours->p_filesz != theirs->p_filesz && !is_untouched(a, ours, theirs) &&
	    !is_unreadable(a, ours))
		differ("segment 0x%lx: filesz 0x%lx, the kernel has 0x%lx", ours->p_vaddr,
		       ours->p_filesz, theirs->p_filesz);
	for (size_t at = 0; at < len; at += PAGE)
		if (is_lost(ours->p_vaddr + at))
			compare_lost(ours->p_vaddr + at, a->p + ours->p_offset + at);
		else if (memcmp(a->p + ours->p_offset + at, b->p + theirs->p_offset + at, PAGE))
			show_bytes(ours->p_vaddr + at, a->p + ours->p_offset + at,
				   b->p + theirs->p_offset + at, PAGE);
}

static const Elf64_Phdr *next_load(const struct core *c, size_t *i)
{
	while (*i < c->n)
		if (c->phdr[(*i)++].p_type == PT_LOAD)
			return &c->phdr[*i - 1];
	return NULL;
}

static void compare_segments(const struct core *a, const struct core *b)
{
	size_t i = 0, j = 0, n = 0;
	const Elf64_Phdr *ours = next_load(a, &i), *theirs = next_load(b, &j);

	for (; ours && theirs; n++) {
		uint64_t x = ours->p_vaddr, y = theirs->p_vaddr;

		if (x == y)
			compare_segment(a, ours, b, theirs);
		else
			differ("segment 0x%lx: only %s", x < y ? x : y, x < y ? "ours" : "the kernel's");
		ours = x <= y ? next_load(a, &i) : ours;
		theirs = y <= x ? next_load(b, &j) : theirs;
	}
	for (; ours; ours = next_load(a, &i))
		differ("segment 0x%lx: only ours", ours->p_vaddr);
	for (; theirs; theirs = next_load(b, &j))
		differ("segment 0x%lx: only the kernel's", theirs->p_vaddr);
	printf("segments: %zu\n", n);
}

static void compare_headers(const struct core *a, const struct core *b)
{
	const Elf64_Ehdr *x = &a->ehdr, *y = &b->ehdr;

	if (memcmp(x->e_ident, y->e_ident, EI_NIDENT) || x->e_machine != y->e_machine ||
	    x->e_version != y->e_version || x->e_flags != y->e_flags || x->e_entry != y->e_entry)
		differ("ELF header differs");
}

static int run_kernel(char **a)
{
	struct core ours = core_open(a[0]), theirs = core_open(a[1]);

	read_lost(a[2]);
	compare_headers(&ours, &theirs);
	compare_notes(&ours, &theirs);
	compare_segments(&ours, &theirs);
	return n_diffs != 0;
}

static const struct {
	const char *name;
	int n_args;
	int (*run)(char **args);
} commands[] = {
	{ .name = "mem", .n_args = 2, .run = run_mem },
	{ .name = "kernel", .n_args = 2, .run = run_kernel },
	{ .name = "state", .n_args = 2, .run = run_state },
	{ .name = "notes", .n_args = 1, .run = run_notes },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(commands[i].name, argv[1]) && argc - 2 >= commands[i].n_args)
			return commands[i].run(argv + 2);
	fprintf(stderr, "usage: corecmp mem CORE PID [LOST] | kernel CORE KERNEL [LOST] | state CORE ADDR... | notes CORE\n");
	return 2;
}
