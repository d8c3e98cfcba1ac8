#include <string.h>

#include "base/util.h"
#include "dump/plan.h"

enum selected { UNSELECTED, INCLUDED, EXCLUDED };

static enum selected selected(const struct area *a, const struct plan_opts *o)
{
	const struct plan_select *s = plan_selected(a, o);

	return !s ? UNSELECTED : s->include ? INCLUDED : EXCLUDED;
}

static bool has(const struct area *a, u32 flag)
{
	return a->vma->flags & flag;
}

static bool is_private_anon(const struct area *a)
{
	/* Private huge pages without a name of their own are anonymous, though a file stands in maps. */
	if (has(a, VM_HUGETLB))
		return !has(a, VM_SHARED) && a->vma->name && !strcmp(a->vma->name, "/anon_hugepage (deleted)");
	return vma_is_anon(a->vma) && !has(a, VM_SHARED);
}

/* Has private copies: in the kernel, vma->anon_vma is set. */
static bool is_written(const struct area *a)
{
	return a->vma->anon + a->vma->swap > 0;
}

static bool is_vsyscall(const struct area *a, const struct plan_opts *o)
{
	(void)o;
	return a->vma->name && !strcmp(a->vma->name, "[vsyscall]");
}

static bool is_vvar(const struct area *a, const struct plan_opts *o)
{
	(void)o;
	return vma_is_vvar(a->vma);
}

/* [uprobes] and the like: get_user_pages() refuses VM_IO and VM_PFNMAP whoever asks. */
static bool is_special_io(const struct area *a, const struct plan_opts *o)
{
	(void)o;
	return vma_is_special(a->vma) && has(a, VM_IO | VM_PFNMAP);
}

static bool is_io(const struct area *a, const struct plan_opts *o)
{
	(void)o;
	return has(a, VM_IO | VM_PFNMAP);
}

static bool is_excluded(const struct area *a, const struct plan_opts *o)
{
	return selected(a, o) == EXCLUDED;
}

static bool is_reserved(const struct area *a, const struct plan_opts *o)
{
	(void)o;
	return is_private_anon(a) && !has(a, VM_HUGETLB) && !vma_is_accessible(a->vma) && !is_written(a);
}

static bool is_included_anon(const struct area *a, const struct plan_opts *o)
{
	return selected(a, o) == INCLUDED && is_private_anon(a);
}

static bool is_included(const struct area *a, const struct plan_opts *o)
{
	return selected(a, o) == INCLUDED;
}

static bool is_special(const struct area *a, const struct plan_opts *o)
{
	(void)o;
	return vma_is_special(a->vma);
}

static bool all_anon(const struct area *a, const struct plan_opts *o)
{
	return o->all && is_private_anon(a);
}

static bool all_other(const struct area *a, const struct plan_opts *o)
{
	return o->all && (has(a, VM_READ) || is_written(a));
}

static bool is_secret(const struct area *a, const struct plan_opts *o)
{
	(void)o;
	return vma_is_secret(a->vma);
}

static bool is_dontdump(const struct area *a, const struct plan_opts *o)
{
	(void)o;
	return has(a, VM_DONTDUMP);
}

static bool is_wanted(const struct area *a, const struct plan_opts *o)
{
	return o->stacks && plan_has_range(&o->ranges, a->vma) && !has(a, VM_DONTDUMP);
}

static bool stack_anon(const struct area *a, const struct plan_opts *o)
{
	return is_wanted(a, o) && is_private_anon(a);
}

static bool stack_file(const struct area *a, const struct plan_opts *o)
{
	return is_wanted(a, o) && (has(a, VM_READ) || is_written(a));
}

/* If the file could not be looked at, its first page is saved, or recorded as missing, never left out silently. */
static bool is_elf_header(const struct area *a)
{
	return !vma_is_anon(a->vma) && a->vma->pgoff == 0 && has(a, VM_READ) &&
	       (a->file & (AREA_FILE_EXEC | AREA_FILE_ELF | AREA_FILE_UNKNOWN));
}

/*
 * A reader does not find the unwind tables of a deleted file and of a memfd; nor those of a file
 * that only another mount namespace has, unless it looks there.
 */
static bool stack_code(const struct area *a, const struct plan_opts *o)
{
	u32 gone = AREA_FILE_UNLINKED | (o->files_at_hand ? 0 : AREA_FILE_ELSEWHERE);

	return o->stacks && a->file & AREA_FILE_ELF && a->file & gone && has(a, VM_READ) &&
	       !has(a, VM_WRITE | VM_SHARED | VM_DONTDUMP);
}

static bool stack_header(const struct area *a, const struct plan_opts *o)
{
	return o->stacks && is_elf_header(a) && a->file & AREA_FILE_ELF && !has(a, VM_DONTDUMP);
}

static bool stack_rest(const struct area *a, const struct plan_opts *o)
{
	(void)a;
	return o->stacks;
}

/* Rows of one kind of memory: the filter's bit saves it, else the next row leaves it out. */
#define FILTERED(name, is_kind, bit) \
	static bool name(const struct area *a, const struct plan_opts *o) \
	{ \
		return (o->filter & (bit)) && (is_kind); \
	}
#define KIND(name, is_kind) \
	static bool name(const struct area *a, const struct plan_opts *o) \
	{ \
		(void)o; \
		return is_kind; \
	}

FILTERED(dax_shared, (a->file & AREA_FILE_DAX) && has(a, VM_SHARED), FILTER_DAX_SHARED)
FILTERED(dax_private, (a->file & AREA_FILE_DAX) && !has(a, VM_SHARED), FILTER_DAX_PRIVATE)
KIND(dax, a->file & AREA_FILE_DAX)
FILTERED(huge_shared, has(a, VM_HUGETLB) && has(a, VM_SHARED), FILTER_HUGETLB_SHARED)
FILTERED(huge_anon, has(a, VM_HUGETLB) && is_private_anon(a), FILTER_HUGETLB_PRIVATE)
FILTERED(huge_private, has(a, VM_HUGETLB) && !has(a, VM_SHARED), FILTER_HUGETLB_PRIVATE)
KIND(huge, has(a, VM_HUGETLB))
FILTERED(shared_anon, has(a, VM_SHARED) && (a->file & AREA_FILE_UNLINKED), FILTER_ANON_SHARED)
FILTERED(shared_mapped, has(a, VM_SHARED) && !(a->file & AREA_FILE_UNLINKED), FILTER_MAPPED_SHARED)
KIND(shared, has(a, VM_SHARED))
FILTERED(private_anon, is_private_anon(a), FILTER_ANON_PRIVATE)
FILTERED(private_written, is_written(a), FILTER_ANON_PRIVATE)
FILTERED(private_mapped, !vma_is_anon(a->vma), FILTER_MAPPED_PRIVATE)
FILTERED(elf_header, is_elf_header(a), FILTER_ELF_HEADERS)
KIND(rest, a)

/*
 * Linux 6.12, fs/coredump.c: vma_dump_size(), row by row, with what cannot be
 * read at all before it and the user's choice where the kernel has none.  We
 * differ in these, and why:
 *  vvar, vsyscall, special-io: always_dump_vma() says whole, and the kernel
 *    then writes zeros for pages that it cannot get either; zeros that are not
 *    what the process reads, so we say that the bytes are not there.  Since 7.x
 *    it can get some pages of [vvar] (VM_MIXEDMAP instead of VM_PFNMAP), those
 *    of the clock and the generator's state: the machine's, not the process's.
 *  private-anon: an area never written has no anon_vma and the kernel writes
 *    p_filesz 0; it reads as zero, so here it is a hole of full size.  One that
 *    may not even be read (reserved) stays out: there can be terabytes of it.
 */
const struct plan_rule plan_rules[] = {
	{ "vsyscall", is_vsyscall, PLAN_OMIT, "the kernel's own page, outside of the address space" },
	{ "vvar", is_vvar, PLAN_OMIT, "the kernel's clock data, not memory of the process" },
	{ "special-io", is_special_io, PLAN_OMIT, "a mapping of the kernel's own that only the process can read" },
	{ "excluded", is_excluded, PLAN_OMIT, "left out by --exclude" },
	{ "io", is_io, PLAN_OMIT, "device memory: reading it may act on the device" },
	{ "reserved", is_reserved, PLAN_OMIT, "address space that was never used and may not be read" },
	{ "included-anon", is_included_anon, PLAN_TOUCHED, "asked for by --include" },
	{ "included", is_included, PLAN_WHOLE, "asked for by --include" },
	{ "vdso", is_special, PLAN_WHOLE, "the kernel's code in the process: unwinders need it" },
	{ "stack", stack_anon, PLAN_TOUCHED, "--stacks: a stack in use, .bss, or what the linker allocated" },
	{ "stack-file", stack_file, PLAN_WHOLE, "--stacks: pages of a file that were written, or a stack in use" },
	{ "stack-code", stack_code, PLAN_WHOLE, "--stacks: unwind tables that no file here has" },
	{ "stack-header", stack_header, PLAN_FIRST_PAGE, "--stacks: first page identifies the ELF file" },
	{ "stack-rest", stack_rest, PLAN_OMIT, "--stacks leaves it out" },
	{ "all-anon", all_anon, PLAN_TOUCHED, "--all: anonymous memory" },
	{ "all", all_other, PLAN_WHOLE, "--all: readable mapping" },
	{ "secret", is_secret, PLAN_OMIT, "memory of memfd_secret(2): only the process itself can read it" },
	{ "dontdump", is_dontdump, PLAN_OMIT, "the process asked for it with MADV_DONTDUMP" },
	{ "dax-shared", dax_shared, PLAN_WHOLE, "coredump_filter bit 8: shared DAX mapping" },
	{ "dax-private", dax_private, PLAN_WHOLE, "coredump_filter bit 7: private DAX mapping" },
	{ "dax-filtered", dax, PLAN_OMIT, "coredump_filter leaves out this DAX mapping" },
	{ "hugetlb-shared", huge_shared, PLAN_WHOLE, "coredump_filter bit 6: shared huge pages" },
	{ "hugetlb-anon", huge_anon, PLAN_TOUCHED, "coredump_filter bit 5: private huge pages" },
	{ "hugetlb-private", huge_private, PLAN_WHOLE, "coredump_filter bit 5: private huge pages of a file" },
	{ "hugetlb-filtered", huge, PLAN_OMIT, "coredump_filter leaves out these huge pages" },
	{ "shared-anon", shared_anon, PLAN_WHOLE, "coredump_filter bit 1: shared memory without a name" },
	{ "shared-mapped", shared_mapped, PLAN_WHOLE, "coredump_filter bit 3: shared mapping of a file" },
	{ "shared-filtered", shared, PLAN_OMIT, "coredump_filter leaves out this shared mapping" },
	{ "private-anon", private_anon, PLAN_TOUCHED, "coredump_filter bit 0: private anonymous memory" },
	{ "private-written", private_written, PLAN_WHOLE, "coredump_filter bit 0: private mapping with written pages" },
	{ "private-mapped", private_mapped, PLAN_WHOLE, "coredump_filter bit 2: private mapping of a file" },
	{ "elf-header", elf_header, PLAN_FIRST_PAGE, "coredump_filter bit 4: first page identifies the ELF file" },
	{ "filtered", rest, PLAN_OMIT, "coredump_filter leaves it out" },
};
const size_t n_plan_rules = ARRAY_SIZE(plan_rules);
