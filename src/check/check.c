#include "base/scope.h"
#include "base/util.h"
#include "check/checks.h"

const struct check checks[] = {
	{ "elf-ident", CHECK_ERROR, "The file is ELF, of a known class and byte order",
	  "gABI, ELF Identification", .fault = CORE_FAULT_IDENT },
	{ "elf-type", CHECK_ERROR, "The file is a core (ET_CORE)",
	  "gABI, ELF Header", .fault = CORE_FAULT_TYPE },
	{ "elf-phentsize", CHECK_ERROR, "A program header has the size of its class",
	  "gABI, ELF Header", .fault = CORE_FAULT_PHENTSIZE },
	{ "packed-truncated", CHECK_ERROR, "A packed core (zstd, gzip, xz) is packed to its end",
	  "RFC 8878, RFC 1952, the .xz file format; what comes out before is taken for the core",
	  .run = check_packed_truncated },
	{ "packed-damaged", CHECK_ERROR, "All of a packed core unpacks, with the sizes and checksums stated",
	  "RFC 8878, RFC 1952, the .xz file format; zstd contrib/seekable_format", .run = check_packed_damaged },
	{ "packed-table", CHECK_ERROR, "The seek table of a packed core agrees with its frames",
	  "zstd contrib/seekable_format; who reads by it gets other bytes, or none", .run = check_packed_table },
	{ "elf-version", CHECK_WARNING, "The ELF version is 1, in both places",
	  "gABI, ELF Header", .run = check_elf_version },
	{ "elf-ehsize", CHECK_WARNING, "The ELF header has the size of its class",
	  "gABI, ELF Header", .run = check_elf_ehsize },
	{ "elf-machine", CHECK_INFO, "The machine's registers are known to this program",
	  "tagcore's own tables", .run = check_elf_machine },
	{ "phdr-none", CHECK_ERROR, "There are program headers",
	  "gABI, Program Header", .run = check_phdr_none },
	{ "phdr-xnum", CHECK_ERROR, "With e_phnum PN_XNUM, section header 0 has the count, 65535 or more",
	  "gABI, ELF Header; Linux fs/binfmt_elf.c: fill_extnum_info()", .run = check_phdr_xnum },
	{ "phdr-truncated", CHECK_ERROR, "All program headers are in the file",
	  "gABI, Program Header", .run = check_phdr_truncated },
	{ "seg-wrap", CHECK_ERROR, "No segment's end passes the end of the address space or of all files",
	  "gABI, Program Header", .run = check_seg_wrap },
	{ "seg-truncated", CHECK_ERROR, "All bytes of every segment are in the file",
	  "gABI, Program Header", .run = check_seg_truncated },
	{ "seg-order", CHECK_WARNING, "PT_LOAD segments ascend by address",
	  "gABI, Program Header; elfutils libdwfl takes it for granted; Linux fs/coredump.c: cmp_vma_size(), with "
	  "kernel.core_sort_vma=1",
	  .kinds = CHECK_USER, .run = check_seg_order },
	{ "seg-overlap", CHECK_ERROR, "No two PT_LOAD segments have an address in common",
	  "Linux fs/coredump.c: a segment is an area, and areas do not overlap",
	  .kinds = CHECK_USER, .run = check_seg_overlap },
	{ "seg-align", CHECK_WARNING, "p_align is a power of two, and offset and address agree modulo it",
	  "gABI, Program Header", .kinds = ~(1u << CORE_OPENBSD), .run = check_seg_align },
	{ "seg-page", CHECK_INFO, "A PT_LOAD's bytes begin on a page of the file",
	  "Linux fs/binfmt_elf.c: elf_core_dump(); gdb's gcore does not, so its cores cannot be mapped",
	  .kinds = CHECK_USER, .run = check_seg_page },
	{ "seg-filesz", CHECK_ERROR, "A PT_LOAD has no more bytes in the file than in memory",
	  "gABI, Program Header", .run = check_seg_filesz },
	{ "seg-data-overlap", CHECK_WARNING, "No two segments, nor the headers, share bytes of the file",
	  "Linux fs/binfmt_elf.c: elf_core_dump()", .kinds = CHECK_USER, .run = check_seg_data_overlap },
	{ "seg-flags", CHECK_WARNING, "p_flags are PF_R, PF_W and PF_X, besides bits that gABI keeps for systems and processors",
	  "gABI, Program Header; Linux fs/binfmt_elf.c: elf_core_dump(), which has VM_READ 1 and VM_EXEC 4 in the other order",
	  .run = check_seg_flags },
	{ "seg-unreadable", CHECK_INFO, "An area that can be written and executed can be read",
	  "mmap(2) allows it, and no program is known to ask for it; VM_READ and VM_WRITE read so as p_flags",
	  .kinds = CHECK_USER, .run = check_seg_unreadable },
	{ "file-tail", CHECK_WARNING, "Headers, segments or sections reach up to the end of the file",
	  "Linux fs/coredump.c: what follows is nobody's, or a header for it is lost", .run = check_file_tail },
	{ "note-none", CHECK_ERROR, "There is a PT_NOTE segment",
	  "Linux fs/binfmt_elf.c: elf_core_dump()", .run = check_note_none },
	{ "note-malformed", CHECK_ERROR, "Every note is within its segment",
	  "gABI, Note Section", .run = check_note_malformed },
	{ "note-owner", CHECK_WARNING, "A note's owner is a string, ended by NUL",
	  "gABI, Note Section", .run = check_note_owner },
	{ "note-padding", CHECK_WARNING, "Notes are padded to 4 or 8, with zeros",
	  "gABI, Note Section; elfutils libelf/gelf_getnote.c", .run = check_note_padding },
	{ "note-size", CHECK_ERROR, "PRSTATUS, PRPSINFO and SIGINFO have the machine's sizes",
	  "Linux include/linux/elfcore.h; gdb and LLDB choose the layout by size",
	  .kinds = CHECK_LINUX, .run = check_note_size },
	{ "note-regset-size", CHECK_WARNING, "A register set of fixed size has that size",
	  "Linux arch/*/kernel/ptrace.c: user_regset tables",
	  .kinds = CHECK_LINUX, .run = check_note_regset_size },
	{ "note-xstate", CHECK_WARNING, "X86_XSTATE has room for what its header says, in the standard form",
	  "Linux arch/x86/kernel/fpu/xstate.c: copy_xstate_to_uabi_buf(); gdb chooses the layout by size and mask",
	  .run = check_note_xstate },
	{ "note-xsave-layout", CHECK_WARNING, "X86_XSAVE_LAYOUT lists the parts that X86_XSTATE has, within its size",
	  "Linux arch/x86/kernel/fpu/xstate.c: dump_xsave_layout_desc()", .run = check_note_xsave_layout },
	{ "note-sve", CHECK_WARNING, "ARM_SVE, ARM_SSVE and ARM_ZA have the size of their vector length",
	  "Linux arch/arm64/include/uapi/asm/ptrace.h: SVE_PT_SIZE(), ZA_PT_SIZE()", .run = check_note_sve },
	{ "note-twice", CHECK_WARNING, "No note of the process, and none of one thread, is there twice",
	  "Linux fs/binfmt_elf.c: write_note_info(); a reader takes either",
	  .kinds = CHECK_LINUX, .run = check_note_twice },
	{ "note-order", CHECK_INFO, "Notes of the process, and register sets of a thread, are in the kernel's order",
	  "Linux fs/binfmt_elf.c: fill_note_info(); arch/*/kernel/ptrace.c: user_regset tables",
	  .kinds = CHECK_PROCESS, .run = check_note_order },
	{ "prpsinfo-once", CHECK_WARNING, "There is one PRPSINFO note",
	  "Linux fs/binfmt_elf.c: fill_note_info()", .kinds = CHECK_PROCESS, .run = check_prpsinfo_once },
	{ "auxv-missing", CHECK_WARNING, "There is an AUXV note",
	  "Linux fs/binfmt_elf.c: fill_auxv_note(); gdb needs it to place a PIE",
	  .kinds = CHECK_PROCESS, .run = check_auxv_missing },
	{ "auxv-end", CHECK_WARNING, "The auxiliary vector ends with AT_NULL",
	  "Linux fs/binfmt_elf.c: fill_auxv_note()", .kinds = CHECK_PROCESS, .run = check_auxv_end },
	{ "auxv-address", CHECK_WARNING, "AT_PHDR, AT_ENTRY, AT_BASE and AT_SYSINFO_EHDR are in areas",
	  "Linux fs/binfmt_elf.c: create_elf_tables(); gdb places a PIE by AT_ENTRY, and finds the vdso so",
	  .of_process = true, .kinds = CHECK_PROCESS, .run = check_auxv_address },
	{ "file-malformed", CHECK_ERROR, "The FILE note's counts, ranges and names fit in it",
	  "Linux fs/binfmt_elf.c: fill_files_note()", .kinds = CHECK_PROCESS, .run = check_file_malformed },
	{ "file-order", CHECK_WARNING, "The FILE note's ranges ascend and do not overlap",
	  "Linux fs/binfmt_elf.c: fill_files_note() walks the areas, whose order is seg-order's",
	  .kinds = CHECK_PROCESS, .run = check_file_order },
	{ "file-missing", CHECK_INFO, "There is a FILE note",
	  "Linux fs/binfmt_elf.c: fill_files_note() leaves it out above kernel.core_file_note_size_limit, 4 MiB",
	  .kinds = CHECK_PROCESS, .run = check_file_missing },
	{ "file-unit", CHECK_INFO, "The FILE note counts offsets in pages",
	  "Linux fs/binfmt_elf.c: fill_files_note(); gdb writes a page size of 1",
	  .kinds = CHECK_PROCESS, .run = check_file_unit },
	{ "file-page", CHECK_WARNING, "The FILE note's page size is a power of two, and that of AT_PAGESZ",
	  "Linux fs/binfmt_elf.c: fill_files_note(); offsets are counted in it",
	  .kinds = CHECK_PROCESS, .run = check_file_page },
	{ "file-range", CHECK_WARNING, "Every range of the FILE note is covered by PT_LOADs",
	  "Linux fs/binfmt_elf.c: both come from the same areas",
	  .kinds = CHECK_PROCESS, .run = check_file_range },
	{ "thread-none", CHECK_ERROR, "There is a thread (a PRSTATUS note)",
	  "Linux fs/binfmt_elf.c: fill_note_info()", .kinds = CHECK_LINUX, .run = check_thread_none },
	{ "thread-first", CHECK_INFO, "The first note is a PRSTATUS",
	  "Linux fs/binfmt_elf.c: write_note_info(); gdb puts PRPSINFO first",
	  .kinds = CHECK_PROCESS, .run = check_thread_first },
	{ "thread-tid", CHECK_ERROR, "No two threads have the same id",
	  "gdb corelow.c takes the second for the first", .kinds = CHECK_PROCESS, .run = check_thread_tid },
	{ "thread-sets", CHECK_INFO, "Every thread has the same register sets",
	  "Linux fs/binfmt_elf.c: fill_thread_core_info(); a set may be inactive",
	  .kinds = CHECK_PROCESS, .run = check_thread_sets },
	{ "thread-pc", CHECK_WARNING, "A thread's program counter is in an executable area",
	  "else it jumped astray, or the registers are wrong",
	  .of_process = true, .kinds = CHECK_PROCESS, .run = check_thread_pc },
	{ "thread-sp", CHECK_WARNING, "A thread's stack pointer is in an area, or below a stack that has room to grow",
	  "else no unwinder gets past its first frame; Linux mm/mmap.c: expand_stack_locked()",
	  .of_process = true, .kinds = CHECK_PROCESS, .run = check_thread_sp },
	{ "thread-stack", CHECK_WARNING, "A thread's stack is in the file, from its stack pointer on",
	  "Linux fs/coredump.c: vma_dump_size(), unless coredump_filter says otherwise; else there is no backtrace",
	  .kinds = CHECK_PROCESS, .run = check_thread_stack_bytes },
	{ "mte-old-type", CHECK_WARNING, "A tag segment has the type 0x70000002",
	  "Linux include/uapi/linux/elf.h: PT_AARCH64_MEMTAG_MTE; 5.18 release candidates wrote 0x70000001, "
	  "which gdb and LLDB pass over", .run = check_mte_old_type },
	{ "mte-big-endian", CHECK_WARNING, "A core with tag segments is little-endian",
	  "Linux arch/arm64/lib/mte.S: mte_save_page_tags() stores words of 8 bytes, against the documentation's "
	  "order when big-endian; gdb, LLDB and tagcore read byte by byte", .run = check_mte_big_endian },
	{ "mte-empty", CHECK_WARNING, "A tag segment covers memory",
	  "Linux arch/arm64/kernel/elfcore.c: elf_core_write_extra_phdrs(); gdb never ends on p_memsz 0",
	  .run = check_mte_empty },
	{ "mte-size", CHECK_ERROR, "A tag segment has no more than a byte for 32 bytes of memory",
	  "Linux Documentation/arch/arm64/memory-tagging-extension.rst", .run = check_mte_size },
	{ "mte-page", CHECK_WARNING, "A tag segment has the tags of whole pages",
	  "Linux arch/arm64/kernel/elfcore.c: mte_vma_tag_dump_size()", .run = check_mte_page },
	{ "mte-load", CHECK_WARNING, "A tag segment has the address and memory size of a PT_LOAD",
	  "Linux arch/arm64/kernel/elfcore.c: elf_core_write_extra_phdrs(); LLDB ProcessElfCore.cpp: "
	  "DoGetMemoryRegionInfo() calls no other area tagged", .run = check_mte_load },
	{ "mte-overlap", CHECK_ERROR, "No two tag segments have an address in common",
	  "Linux arch/arm64/kernel/elfcore.c: a segment is an area; a reader takes either", .run = check_mte_overlap },
	{ "mte-order", CHECK_INFO, "Tag segments follow all PT_LOADs and ascend by address",
	  "Linux fs/binfmt_elf.c: elf_core_dump(); gdb's gcore puts them first", .run = check_mte_order },
	{ "mte-fields", CHECK_INFO, "A tag segment's p_flags, p_paddr and p_align are 0",
	  "Linux arch/arm64/kernel/elfcore.c: elf_core_write_extra_phdrs()", .run = check_mte_fields },
	{ "mte-unsaved", CHECK_INFO, "Tags are saved of what memory is saved",
	  "Linux arch/arm64/kernel/elfcore.c; 5.18 to about 6.1 saved the tags of areas left out, too",
	  .run = check_mte_unsaved },
	{ "mte-no-data", CHECK_INFO, "A tag segment has tags in the file",
	  "Linux writes none for an area that is left out; LLDB up to 20 then shows a neighbour's, or stops",
	  .run = check_mte_no_data },
	{ "tagcore-malformed", CHECK_ERROR, "The notes of owner TAGCORE can be read",
	  "tagcore-notes(5)", .run = check_tagcore_malformed },
	{ "tagcore-areas", CHECK_WARNING, "The TAGCORE AREAS note and the PT_LOADs agree",
	  "tagcore-notes(5)", .run = check_tagcore_areas },
	{ "tagcore-saved", CHECK_WARNING, "What the TAGCORE AREAS note calls saved is in its segment",
	  "tagcore-notes(5)", .run = check_tagcore_saved },
	{ "tagcore-gaps", CHECK_WARNING, "The dump recorded no range that it could not save",
	  "tagcore-notes(5)", .run = check_tagcore_gaps },
	{ "tagcore-inconsistent", CHECK_WARNING, "The process stood still while tagcore copied its memory",
	  "tagcore-notes(5); tagcore-dump(1), --no-stop", .run = check_tagcore_inconsistent },
	{ "tagcore-lost", CHECK_WARNING, "No repair recorded a part that the file had lost",
	  "tagcore-notes(5), tagcore-repair(1)", .run = check_tagcore_lost },
	{ "tagcore-checksums", CHECK_ERROR, "The file is what the dump wrote, where that has a CHECKSUMS note",
	  "tagcore-notes(5)", .run = check_tagcore_sums },
	{ "quirk-gdb-machine", CHECK_INFO, "gdb finds the registers of this machine",
	  "gdb 13.1 and 16.3; BFD elf.c: elfcore_grok_prstatus()",
	  .kinds = CHECK_PROCESS, .run = check_quirk_gdb_machine },
	{ "quirk-gdb-notes", CHECK_WARNING,
	  "gdb takes every PT_NOTE: whole, aligned to 4 or 8, with room for every note",
	  "gdb 13.1; BFD elf.c: elf_read_notes(), elf_parse_notes()",
	  .kinds = CHECK_PROCESS, .run = check_quirk_gdb_notes },
	{ "quirk-gdb-owner", CHECK_WARNING, "gdb knows the owner of every register set",
	  "gdb 13.1; BFD elf.c: elfcore_grok_note()", .kinds = CHECK_PROCESS, .run = check_quirk_gdb_owner },
	{ "quirk-gdb-xstate", CHECK_INFO, "X86_XSTATE has the size that gdb up to 13 takes for granted",
	  "gdb 13.1, gdbsupport/x86-xstate.h: X86_XSTATE_SIZE()",
	  .kinds = CHECK_PROCESS, .run = check_quirk_gdb_xstate },
	{ "quirk-lldb-machine", CHECK_INFO, "LLDB has the registers of this machine",
	  "LLDB 19.1, ThreadElfCore.cpp: CreateRegisterContextForFrame()",
	  .kinds = CHECK_PROCESS, .run = check_quirk_lldb_machine },
	{ "quirk-lldb-notes", CHECK_WARNING, "LLDB takes every note: it has an owner, and is padded to 4",
	  "LLDB 19.1, ObjectFileELF.cpp: ELFNote::Parse(); ProcessElfCore.cpp: parseSegment()",
	  .kinds = CHECK_PROCESS, .run = check_quirk_lldb_notes },
	{ "quirk-lldb-os", CHECK_INFO, "LLDB can tell that this is a core of Linux",
	  "LLDB 19.1, ObjectFileELF.cpp: RefineModuleDetailsFromNote()",
	  .kinds = CHECK_PROCESS, .run = check_quirk_lldb_os },
	{ "quirk-lldb-executable", CHECK_INFO, "The FILE note begins with the executable",
	  "LLDB 19.1, ProcessElfCore.cpp: DoLoadCore() looks no further",
	  .kinds = CHECK_PROCESS, .run = check_quirk_lldb_executable },
	{ "quirk-elfutils-machine", CHECK_INFO, "elfutils can unwind on this machine",
	  "elfutils 0.188, backends: set_initial_registers, frame_nregs",
	  .kinds = CHECK_PROCESS, .run = check_quirk_elfutils_machine },
	{ "quirk-elfutils-notes", CHECK_WARNING, "The first PT_NOTE has PRPSINFO and all threads",
	  "elfutils 0.188, libdwfl/linux-core-attach.c: dwfl_core_file_attach() reads no other",
	  .kinds = CHECK_PROCESS, .run = check_quirk_elfutils_notes },
	{ "quirk-elfutils-tid", CHECK_INFO, "Thread ids are above 0",
	  "elfutils 0.188, libdwfl/dwfl_frame.c: dwfl_getthreads() ends at others",
	  .kinds = CHECK_PROCESS, .run = check_quirk_elfutils_tid },
	{ "quirk-elfutils-modules", CHECK_INFO, "elfutils finds the ELF header of at least one file in memory",
	  "elfutils 0.188, libdwfl/dwfl_segment_report_module.c",
	  .kinds = CHECK_PROCESS, .run = check_quirk_elfutils_modules },
	{ "quirk-elfutils-absent", CHECK_INFO,
	  "elfutils does not read other bytes for a thread's stack that is not in the file",
	  "elfutils 0.188, libdwfl/linux-core-attach.c: core_memory_read()",
	  .kinds = CHECK_PROCESS, .run = check_quirk_elfutils_absent },
};
const size_t n_checks = ARRAY_SIZE(checks);

static void run_one(struct check_ctx *x, const struct check *check)
{
	x->check = check;
	x->severity = check->of_process && check_is_by_kernel(x->core) ? CHECK_INFO : check->severity;
	x->unlisted = CHECK_INFO;
	x->n = 0;
	check->run(x);
	check_found_rest(x);
}

int check_core(struct core *core, struct findings *out, struct err *e)
{
	struct check_ctx x = { .core = core, .out = out };
	u32 kind = 1u << core->kind;

	for (size_t i = 0; i < n_checks && !x.oom; i++)
		if (checks[i].run && (!checks[i].kinds || checks[i].kinds & kind))
			run_one(&x, &checks[i]);
	if (x.oom && *x.why.msg && e)
		*e = x.why;
	else if (x.oom)
		err_set(e, x.oom, x.oom == ERR_CANCELLED ? "interrupted" : "check");
	return x.oom;
}

/* The path, which is in why->msg too, is printed before every finding. */
static int refused(const char *path, enum core_fault fault, const struct err *why, struct findings *out,
		   struct err *e)
{
	struct check_ctx x = { .out = out };

	for (size_t i = 0; i < n_checks; i++)
		if (checks[i].fault == fault) {
			x.check = &checks[i];
			x.severity = checks[i].severity;
			check_found_err(&x, 0, why);
		}
	return x.oom ? err_set(e, x.oom, "check %s", path) : 0;
}

int check_file(const char *path, struct findings *out, struct err *e)
{
	struct core_file file = { 0 };
	int r = core_file_open(&file, path, e);

	return r ? r : check_open_file(&file, path, out, e);
}

int check_open_file(struct core_file *file, const char *path, struct findings *out, struct err *e)
{
	struct core core scoped(core_close) = { 0 };
	struct err why = { 0 };
	int r = core_open_file(&core, file, path, &why);

	if (!r)
		return check_core(&core, out, e);
	if (core.fault != CORE_OK)
		return refused(path, core.fault, &why, out, e);
	if (e)
		*e = why;
	return r;
}
