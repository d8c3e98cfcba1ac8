#include <string.h>

#include "base/util.h"
#include "core/core_priv.h"

enum { ANY_TYPE = 0xffffffff };

/*
 * A note that identifies a kind of core.  The first row that is met decides, so QEMU comes
 * before VMCOREINFO, which it takes from its guest (qemu dump/dump.c:
 * dump_init()).  Owners of BSD may have "@" and a thread's number after them.
 */
static const struct {
	const char *owner;
	u32 type;
	enum core_kind kind;
} marks[] = {
	{ "QEMU", ANY_TYPE, CORE_QEMU },		/* qemu target/i386/arch_dump.c */
	{ "VMCOREINFO", ANY_TYPE, CORE_KDUMP },		/* Linux kernel/vmcore_info.c */
	{ "FreeBSD", ANY_TYPE, CORE_FREEBSD },		/* sys/kern/imgact_elf.c */
	{ "OpenBSD", ANY_TYPE, CORE_OPENBSD },		/* sys/sys/exec_elf.h */
	{ "NetBSD-CORE", ANY_TYPE, CORE_NETBSD },	/* sys/sys/exec_elf.h */
	{ "CORE", NT_SOLARIS_PSTATUS, CORE_SOLARIS },	/* uts/common/exec/elf/elf_notes.c */
	{ "CORE", NT_SOLARIS_PSINFO, CORE_SOLARIS },
	{ "CORE", NT_SOLARIS_LWPSTATUS, CORE_SOLARIS },
	{ "LINUX", NT_S390_PREFIX, CORE_VMCORE },	/* of a processor: qemu target/s390x/arch_dump.c */
};

/* Then EI_OSABI; NetBSD and OpenBSD leave it 0. */
static const struct {
	u8 osabi;
	enum core_kind kind;
} abis[] = {
	{ ELFOSABI_FREEBSD, CORE_FREEBSD }, { ELFOSABI_NETBSD, CORE_NETBSD },
	{ ELFOSABI_OPENBSD, CORE_OPENBSD }, { ELFOSABI_SOLARIS, CORE_SOLARIS },
};

static const struct os *const systems[] = {
	[CORE_FREEBSD] = &os_freebsd, [CORE_OPENBSD] = &os_openbsd, [CORE_NETBSD] = &os_netbsd,
	[CORE_SOLARIS] = &os_solaris,
};

static const char *const names[] = {
	[CORE_PROCESS] = "core",
	[CORE_KDUMP] = "kdump vmcore",
	[CORE_QEMU] = "qemu vmcore",
	[CORE_VMCORE] = "vmcore",
	[CORE_KCORE] = "kcore",
	[CORE_FREEBSD] = "FreeBSD core",
	[CORE_OPENBSD] = "OpenBSD core",
	[CORE_NETBSD] = "NetBSD core",
	[CORE_SOLARIS] = "Solaris core",
};

const char *core_kind_name(enum core_kind k)
{
	return names[k];
}

bool core_kind_is_machine(enum core_kind k)
{
	return CORE_MACHINE_KINDS >> k & 1;
}

static bool has_mark(const struct core *c, size_t row)
{
	for (size_t i = 0; i < c->n_notes; i++) {
		const struct note *n = &c->notes[i].note;

		if ((marks[row].type == ANY_TYPE || marks[row].type == n->type) &&
		    note_owner_is(n->owner, marks[row].owner))
			return true;
	}
	return false;
}

/* /proc/kcore has a task_struct, as cores of Linux 2.4 had, of "vmlinux": fs/proc/kcore.c: read_kcore_iter(). */
static bool is_kcore(const struct core *c)
{
	struct prpsinfo ps;

	return core_note_find(c, 0, "CORE", NT_TASKSTRUCT) && !core_prpsinfo(c, &ps, NULL) &&
	       !strcmp(ps.fname, "vmlinux");
}

/*
 * Where qemu does not follow the guest's page tables, p_vaddr is p_paddr; a
 * PT_LOAD has no flags and no alignment, and processors count from 1 (some
 * machines' have no number), dump/dump.c: write_elf64_load(), cpu_index().
 */
static bool is_by_qemu(const struct core *c)
{
	for (size_t i = 0; i < c->n_segs; i++)
		if (c->segs[i].p_type == PT_LOAD && (c->segs[i].p_flags || c->segs[i].p_align))
			return false;
	for (size_t i = 0; i < c->n_threads; i++)
		if (c->threads[i].tid && c->threads[i].tid != (s32)i + 1)
			return false;
	return true;
}

/*
 * qemu writes no note of its own for most machines (target/arm/arch_dump.c);
 * what is left is that segments have physical addresses, and nothing is of a
 * process.  Those of a system without an MMU, whose threads are its tasks, are
 * the virtual ones.
 */
static bool is_vmcore(const struct core *c)
{
	static const u32 of_process[] = { NT_PRPSINFO, NT_AUXV, NT_SIGINFO, NT_FILE };
	bool physical = false, mapped = false;

	for (size_t i = 0; i < ARRAY_SIZE(of_process); i++)
		if (core_note_find(c, 0, "CORE", of_process[i]))
			return false;
	for (size_t i = 0; i < c->n_segs; i++) {
		const GElf_Phdr *p = &c->segs[i];

		physical |= p->p_type == PT_LOAD && p->p_paddr;
		mapped |= p->p_type == PT_LOAD && p->p_paddr != p->p_vaddr;
	}
	return physical && (mapped || !c->n_notes || is_by_qemu(c));
}

/* Up to Solaris 2.5 all types were those that Linux has, too; the sizes are not. */
static bool is_old_solaris(const struct core *c)
{
	const struct core_note *n = core_note_find(c, 0, "CORE", NT_PRSTATUS);

	for (size_t i = 0; n && i < os_solaris.n_sets; i++) {
		const struct os_set *s = &os_solaris.sets[i];

		if (s->type == NT_PRSTATUS && s->machine == c->ehdr.e_machine && s->size == n->note.desc.len)
			return true;
	}
	return false;
}

enum core_kind core_stated_kind(const struct core *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (has_mark(c, i))
			return marks[i].kind;
	for (size_t i = 0; i < ARRAY_SIZE(abis); i++)
		if (abis[i].osabi == c->ehdr.e_ident[EI_OSABI])
			return abis[i].kind;
	return is_old_solaris(c) ? CORE_SOLARIS : CORE_PROCESS;
}

const struct os *core_kind_os(enum core_kind k)
{
	return k < ARRAY_SIZE(systems) ? systems[k] : NULL;
}

/* Adopted notes may identify a kind that core_stated_kind() did not see. */
enum core_kind core_find_kind(const struct core *c)
{
	enum core_kind stated;

	if (c->os)
		return c->kind;
	if (is_kcore(c))
		return CORE_KCORE;
	stated = core_stated_kind(c);
	if (stated != CORE_PROCESS && !core_kind_os(stated))
		return stated;
	return is_vmcore(c) ? CORE_VMCORE : CORE_PROCESS;
}
