#include <string.h>

#include "base/text.h"
#include "base/uapi.h"
#include "base/util.h"
#include "check/checks.h"

/*
 * What a reader makes of this core, where it stumbles: one finding a file, with a
 * count.  What is wrong with the core itself is said by other checks.  The
 * versions are those that were seen: gdb 13.1, LLDB 14 and 19.1, elfutils 0.188.
 */

#define ull unsigned long long

/* What each reader does with a core of that machine; NULL: it reads it. */
struct machine_quirk {
	u16 machine;
	const char *gdb;
	const char *lldb;
	const char *elfutils;
};

/*
 * gdb: of a machine whose backend has no elf_backend_grok_prstatus(), BFD knows the
 * host's own PRSTATUS only (bfd/elf.c: elfcore_grok_prstatus()); m68k has no
 * register sets at all (gdb/corelow.c).  LLDB: ArchSpec.cpp: g_elf_arch_entries;
 * ThreadElfCore.cpp: CreateRegisterContextForFrame().  elfutils: a backend
 * without frame_nregs.
 */
#define NO_HOST "finds no registers, unless it runs on such a machine, and from 16 on crashes"
#define NO_ARCH "does not know the machine"
#define NO_CONTEXT "has no registers of the machine, and may crash"
#define NO_UNWIND "cannot unwind on this machine"
static const struct machine_quirk machine_quirks[] = {
	{ EM_ALPHA, NO_HOST, NO_ARCH, NO_UNWIND },
	{ EM_SPARC, NO_HOST, NO_CONTEXT, NULL },
	{ EM_SPARCV9, NO_HOST, NO_CONTEXT, NULL },
	{ EM_LOONGARCH, "finds no registers, and from 16 on crashes", NO_CONTEXT, NO_UNWIND },
	{ EM_68K, "refuses the core", NO_ARCH, NULL },
	{ EM_PARISC, NULL, NO_ARCH, NO_UNWIND },
	{ EM_MIPS, NULL, NO_CONTEXT, NO_UNWIND },
};

static const struct machine_quirk *machine_quirk(const struct core *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(machine_quirks); i++)
		if (machine_quirks[i].machine == c->ehdr.e_machine)
			return &machine_quirks[i];
	return NULL;
}

static void machine_found(struct check_ctx *x, const char *reader, const char *does)
{
	char name[CORE_MACHINE_MAX];

	if (does && x->core->n_threads)
		check_found(x, 18, "a core of %s: %s %s", core_machine(x->core, name), reader, does);
}

/* Does a gdb that is built for this machine know that one, too?  gdb/configure.tgt. */
static bool gdb_knows_machine(u16 machine)
{
	return machine == UAPI_NATIVE_MACHINE || UAPI_NATIVE_MACHINE == EM_NONE ||
	       (UAPI_NATIVE_MACHINE == EM_X86_64 && machine == EM_386) ||
	       (UAPI_NATIVE_MACHINE == EM_AARCH64 && machine == EM_ARM);
}

/*
 * A gdb without the machine takes the core by BFD's vector for any ELF file, finds no
 * PRSTATUS, and so no thread: 13.1 shows no registers, 16.3 crashes.
 */
void check_quirk_gdb_machine(struct check_ctx *x)
{
	const struct machine_quirk *q = machine_quirk(x->core);

	if (q && q->gdb)
		machine_found(x, "gdb", q->gdb);
	else if (x->core->arch && !gdb_knows_machine(x->core->ehdr.e_machine))
		machine_found(x, "gdb", "finds no registers, and from 16 on crashes, where it is not built for that machine; "
			      "gdb-multiarch is");
}

void check_quirk_lldb_machine(struct check_ctx *x)
{
	const struct machine_quirk *q = machine_quirk(x->core);

	machine_found(x, "LLDB 19", q ? q->lldb : NULL);
}

void check_quirk_elfutils_machine(struct check_ctx *x)
{
	const struct machine_quirk *q = machine_quirk(x->core);

	machine_found(x, "eu-stack 0.188", q ? q->elfutils : NULL);
}

/* Why BFD does not take this segment (bfd/elf.c: elf_read_notes(), elf_parse_notes()), or NULL. */
static const char *gdb_note_seg(const struct core *c, const struct core_note_seg *s)
{
	const GElf_Phdr *p = &c->segs[s->seg];

	if (p->p_align > 4 && p->p_align != 8)
		return "its alignment is neither 4 nor 8";
	if (s->data.len < p->p_filesz)
		return "it is cut off";
	return s->malformed ? "one of its notes does not fit" : NULL;
}

void check_quirk_gdb_notes(struct check_ctx *x)
{
	const struct core *c = x->core;

	for (size_t i = 0; i < c->n_note_segs; i++) {
		const char *why = gdb_note_seg(c, &c->note_segs[i]);

		if (!why)
			continue;
		check_found(x, core_phdr_off(c, c->note_segs[i].seg), "gdb 13 refuses the core, as \"file format not "
			    "recognized\", for the notes of segment %u: %s", c->note_segs[i].seg, why);
		return;
	}
}

/* gdb up to 13, gdbsupport/x86-xstate.h: X86_XSTATE_SIZE(), where Intel's first processors had the parts. */
static const struct {
	u64 parts;	/* of XCR0 */
	u16 size;
} gdb_xstate[] = {
	{ 1 << 9, 2696 }, { 7 << 5, 2688 }, { 3 << 3, 1088 }, { 1 << 2, 832 }, { 0, 576 },
};

static u64 gdb_xstate_size(u64 enabled)
{
	size_t i = 0;

	while (gdb_xstate[i].parts && !(enabled & gdb_xstate[i].parts))
		i++;
	return gdb_xstate[i].size;
}

void check_quirk_gdb_xstate(struct check_ctx *x)
{
	const struct core *c = x->core;
	const struct note *first = NULL;
	u64 want = 0;
	size_t n = 0;

	for (size_t i = 0; check_is_x86(c) && i < c->n_notes; i++) {
		const struct note *note = &c->notes[i].note;
		u64 enabled;

		if (note->type != NT_X86_XSTATE || strcmp(note->owner, "LINUX") ||
		    check_xstate_enabled(c, note, &enabled) || note->desc.len >= gdb_xstate_size(enabled) || n++)
			continue;
		first = note;
		want = gdb_xstate_size(enabled);
	}
	if (first)
		check_found(x, first->off, "X86_XSTATE of %zu bytes (%zu such): gdb up to 13 takes %llu for granted, calls "
			    "it too small, and shows no registers beyond SSE", first->desc.len, n, (ull)want);
}

/* bfd/elf.c: elfcore_grok_note() takes such a type for a register set only with the name "LINUX". */
void check_quirk_gdb_owner(struct check_ctx *x)
{
	const struct core *c = x->core;
	const struct note *first = NULL;
	size_t n = 0;

	for (size_t i = 0; c->arch && i < c->n_notes; i++) {
		const struct note *note = &c->notes[i].note;

		if (!strcmp(note->owner, "CORE") && arch_regset(c->arch, "LINUX", note->type) && !n++)
			first = note;
	}
	if (first)
		check_found(x, first->off, "%zu register set%s of the owner CORE; gdb knows the type 0x%x of the owner "
			    "LINUX only, and passes over it", n, n == 1 ? "" : "s", first->type);
}

/* gABI lets an owner be empty; the reader wants a NUL within the padded name. */
static bool lldb_takes_name(const struct core *c, const struct core_note *n)
{
	struct bytes raw = check_note_raw(c, n);
	u64 namesz = uint_get(c->fmt, raw.p, 4), room = min(align_up(namesz, 4), (u64)raw.len - 12);

	return memchr(raw.p + 12, 0, room) || (namesz == 4 && !memcmp(raw.p + 12, "CORE", 4));
}

/* True where padding to 4 does not lead to the descriptor, or not to the next note. */
static bool is_padded_to_8(const struct core *c, size_t i)
{
	const struct core_note *n = &c->notes[i], *next = i + 1 < c->n_notes ? n + 1 : NULL;
	struct bytes raw = check_note_raw(c, n), desc = n->note.desc;

	return desc.off != align_up(raw.off + 12 + uint_get(c->fmt, raw.p, 4), 4) ||
	       (next && next->seg == n->seg && next->note.off != align_up(desc.off + desc.len, 4));
}

/* LLDB 19, ObjectFileELF.cpp: ELFNote::Parse(); ProcessElfCore.cpp: parseSegment(). */
void check_quirk_lldb_notes(struct check_ctx *x)
{
	const struct core *c = x->core;

	for (size_t i = 0; i < c->n_notes; i++) {
		const char *why = !lldb_takes_name(c, &c->notes[i]) ? "has no owner" :
				  is_padded_to_8(c, i) ? "is padded to 8" : NULL;

		if (!why)
			continue;
		check_found(x, c->notes[i].note.off, "LLDB 19 refuses the core (\"Unable to parse note segment\"), or "
			    "loses its way in it, for note %zu %s", i, why);
		return;
	}
}

/* Paths by which LLDB 19 knows Linux; no other machine's. */
static bool lldb_knows_path(const struct core *c)
{
	for (size_t i = 0; i < c->n_maps; i++) {
		struct core_text t = c->maps[i].name;

		if (memmem(t.p, t.len, "/lib/x86_64-linux-gnu", 21) || memmem(t.p, t.len, "/lib/i386-linux-gnu", 19))
			return true;
	}
	return false;
}

static bool has_owner(const struct core *c, const char *owner)
{
	for (size_t i = 0; i < c->n_notes; i++)
		if (!strcmp(c->notes[i].note.owner, owner))
			return true;
	return false;
}

/* LLDB 19, ObjectFileELF.cpp: RefineModuleDetailsFromNote(); ProcessElfCore.cpp: "Unsupported OS". */
void check_quirk_lldb_os(struct check_ctx *x)
{
	const struct core *c = x->core;
	const struct machine_quirk *q = machine_quirk(c);

	if (!c->n_threads || !check_has_all_notes(c) || (q && q->lldb))
		return;
	if (c->ehdr.e_ident[EI_OSABI] == ELFOSABI_LINUX || has_owner(c, "LINUX") || lldb_knows_path(c))
		return;
	check_found(x, EI_OSABI, "no OS ABI, no note of the owner LINUX, and no path that LLDB 19 knows: it must be "
		    "given the executable, else it refuses the core (\"Unsupported OS\")");
}

/* The FILE note's first entry, as it stands there: core->maps is sorted. */
static bool first_file(const struct core *c, u64 *off, struct core_map *out)
{
	const struct core_note *n = core_note_find(c, 0, "CORE", NT_FILE);
	struct ntfile_iter it;

	if (!n || ntfile_iter_init(&it, n->note.desc, c->fmt, NULL) || ntfile_next(&it, out, NULL) <= 0)
		return false;
	*off = n->note.off;
	return true;
}

/* LLDB 19, ProcessElfCore.cpp: DoLoadCore(). */
void check_quirk_lldb_executable(struct check_ctx *x)
{
	const struct core *c = x->core;
	const struct core_map *exe;
	struct core_map first;
	char name[128], safe[256];
	u64 entry, off;

	if (!core_auxv(c, AT_ENTRY, &entry) || !first_file(c, &off, &first))
		return;
	exe = core_map_at(c, entry);
	if (exe && (exe->name.len != first.name.len || memcmp(exe->name.p, first.name.p, first.name.len)))
		check_found(x, off, "LLDB 19 takes the FILE note's first entry for the executable, and that is %s",
			    text_escape(core_text_copy(first.name, name, sizeof(name)), safe, sizeof(safe)));
}

/* True when the bytes at the thread's sp are not saved, and the file has others at their place. */
static bool elfutils_reads_on(const struct core *c, const struct core_thread *t)
{
	const struct core_area *a;
	const GElf_Phdr *p;
	u64 sp, off;

	if (check_thread_stack(c, t, &sp) || !(a = core_area_find(c, sp)) || a->start > sp || a->seg == CORE_NO_SEG)
		return false;
	p = &c->segs[a->seg];
	return sp - p->p_vaddr >= p->p_filesz && sp - p->p_vaddr < p->p_memsz && !add_overflow(p->p_offset, sp - p->p_vaddr, &off) && off < c->file.size;
}

/* elfutils 0.188, libdwfl/linux-core-attach.c: core_memory_read() does not look at p_filesz. */
void check_quirk_elfutils_absent(struct check_ctx *x)
{
	const struct core *c = x->core;
	const struct core_thread *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < c->n_threads; i++)
		if (elfutils_reads_on(c, &c->threads[i]) && !n++)
			first = &c->threads[i];
	if (first)
		check_found(x, check_thread_off(c, first), "the stack of %zu thread%s, the first %d, is not in the file: "
			    "eu-stack 0.188 takes the bytes that follow its segment in the file", n, n == 1 ? "" : "s",
			    first->tid);
}

/* elfutils 0.188, libdwfl/linux-core-attach.c: dwfl_core_file_attach() stops at the first PT_NOTE. */
void check_quirk_elfutils_notes(struct check_ctx *x)
{
	const struct core *c = x->core;
	const struct core_note *info = core_note_find(c, 0, "CORE", NT_PRPSINFO);
	size_t n = 0;

	if (!c->n_threads)
		return;
	for (size_t i = 0; i < c->n_threads; i++)
		n += c->notes[c->threads[i].note].seg != 0;
	if (!info || info->seg)
		check_found(x, core_phdr_off(c, c->note_segs[0].seg), "eu-stack 0.188 refuses the core (\"not a valid ELF "
			    "file\"): the first PT_NOTE has no PRPSINFO");
	else if (n)
		check_found(x, core_phdr_off(c, c->note_segs[0].seg), "eu-stack 0.188 reads the first PT_NOTE only: %zu of "
			    "%zu threads are in others", n, c->n_threads);
}

/* elfutils 0.188, libdwfl/dwfl_frame.c: dwfl_getthreads() ends at 0, and fails below. */
void check_quirk_elfutils_tid(struct check_ctx *x)
{
	const struct core *c = x->core;

	for (size_t i = 0; i < c->n_threads; i++)
		if (c->threads[i].tid <= 0) {
			check_found(x, check_thread_off(c, &c->threads[i]), "thread id %d: eu-stack 0.188 shows neither it "
				    "nor the %zu threads after it", c->threads[i].tid, c->n_threads - 1 - i);
			return;
		}
}

/* libdwfl/dwfl_segment_report_module.c wants the ELF header of a file in memory. */
void check_quirk_elfutils_modules(struct check_ctx *x)
{
	const struct core *c = x->core;
	size_t n = 0;
	u64 until;

	if (!check_has_all_segs(c))
		return;
	for (size_t i = 0; i < c->n_maps; i++) {
		if (c->maps[i].pgoff)
			continue;
		n++;
		if (core_mem_state(c, c->maps[i].start, &until) == MEM_PRESENT)
			return;
	}
	if (n)
		check_found(x, core_note_find(c, 0, "CORE", NT_FILE)->note.off, "of none of %zu files the first page is "
			    "saved: elfutils finds no modules, and no build-ids, without the executable", n);
}
