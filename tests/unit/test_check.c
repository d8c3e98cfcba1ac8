#include "checkmut.h"

static void bad_magic(struct cb *cb, struct buf *b) { (void)cb; b->p[0] = 0; }
static void bad_class(struct cb *cb, struct buf *b) { (void)cb; b->p[EI_CLASS] = 9; }
static void short_header(struct cb *cb, struct buf *b) { (void)cb; b->len = 40; }
static void bad_type(struct cb *cb) { cb->ehdr.e_type = ET_EXEC; }
static void bad_phentsize(struct cb *cb) { cb->ehdr.e_phentsize = 32; }
static void bad_version(struct cb *cb) { cb->ehdr.e_version = 2; }
static void bad_ident_version(struct cb *cb) { cb->ehdr.e_ident[EI_VERSION] = 2; }
static void bad_ehsize(struct cb *cb) { cb->ehdr.e_ehsize = 52; }
static void other_machine(struct cb *cb) { cb->ehdr.e_machine = CB_NO_MACHINE; }
static void no_phdrs(struct cb *cb) { cb->ehdr.e_phnum = 0; }
static void xnum_lost(struct cb *cb) { cb->ehdr.e_phnum = PN_XNUM; }

/* The count is where it belongs, but would have had room in the header. */
static void xnum_small(struct cb *cb)
{
	cb->ehdr.e_phnum = PN_XNUM;
	cb->ehdr.e_shoff = cb->segs[3].p_offset + 2 * CB_PAGE;
	cb->ehdr.e_shnum = 1;
	cb->ehdr.e_shentsize = (u16)elffmt_shdr_size(cb->arch.fmt);
}

static void far_phdrs(struct cb *cb) { cb->ehdr.e_phoff = cb->segs[3].p_offset + 2 * CB_PAGE - 8; }
static void wrap_memory(struct cb *cb) { cb->segs[3].p_memsz = ~0ULL - CB_PAGE + 1; }
/* 32 bits: from the last page on. */
static void wrap_4gib(struct cb *cb) { cb->segs[3].p_vaddr = 0xfffff000; }
static void wrap_offset(struct cb *cb) { cb->segs[3].p_offset = ~0ULL - CB_PAGE + 1; }
static void truncate_last(struct cb *cb, struct buf *b) { (void)cb; b->len -= 100; }
static void heap_overlaps(struct cb *cb) { cb->segs[2].p_memsz = CB_STACK - CB_HEAP + CB_PAGE; }
static void odd_align(struct cb *cb) { cb->segs[2].p_align = 0x3000; }
static void misaligned(struct cb *cb) { cb->segs[2].p_vaddr += 16; }
static void off_page(struct cb *cb) { cb->segs[2].p_align = 1; cb->segs[2].p_offset += 16; cb->segs[2].p_filesz -= 16; }
static void filesz_large(struct cb *cb) { cb->segs[2].p_memsz -= CB_PAGE; }
static void shared_bytes(struct cb *cb) { cb->segs[3].p_offset = cb->segs[2].p_offset; }
static void header_bytes(struct cb *cb) { cb->segs[3].p_offset = 0; }
static void no_notes(struct cb *cb) { cb->segs[0].p_type = PT_NULL; }

static void swap_loads(struct cb *cb)
{
	GElf_Phdr tmp = cb->segs[1];

	cb->segs[1] = cb->segs[2];
	cb->segs[2] = tmp;
}

/* The file position of note @n. */
static u8 *note_at(struct cb *cb, struct buf *b, size_t n)
{
	return b->p + cb->data_at[0] + cb_notes_len(cb, 0, n);
}

static void long_desc(struct cb *cb, struct buf *b)
{
	uint_put(cb->arch.fmt, note_at(cb, b, cb->n_notes - 1) + 4, 4, 0xffffff);
}

static void owner_open(struct cb *cb, struct buf *b)
{
	/* The NUL of "OTHER". */
	note_at(cb, b, cb->n_notes - 1)[12 + 5] = 'X';
}

static void spare_note(struct cb *cb) { cb_note_add(cb, "OTHER", 77, "abcde", 5); }

static void dirty_padding(struct cb *cb, struct buf *b)
{
	/* "OTHER\0" is 6 bytes, padded to 8. */
	note_at(cb, b, cb->n_notes - 1)[12 + 7] = 1;
}

static void align_16(struct cb *cb) { cb->segs[0].p_align = 16; }

static void grow(struct cb *cb, u32 type, size_t len)
{
	struct err e;

	cb_ok(buf_zero(&cb_note_at(cb, type, 0)->desc, len, &e), &e);
}

static void long_prstatus(struct cb *cb) { grow(cb, NT_PRSTATUS, 8); }
static void long_prpsinfo(struct cb *cb) { grow(cb, NT_PRPSINFO, 4); }
static void long_siginfo(struct cb *cb) { grow(cb, NT_SIGINFO, 4); }
static void long_fpregs(struct cb *cb) { grow(cb, NT_PRFPREG, 4); }
static void no_prpsinfo(struct cb *cb) { cb_note_drop(cb, cb_note_at(cb, NT_PRPSINFO, 0)); }
static void two_prpsinfo(struct cb *cb) { cb_prpsinfo(cb); }
static void no_auxv(struct cb *cb) { cb_note_drop(cb, cb_note_at(cb, NT_AUXV, 0)); }
static void open_auxv(struct cb *cb) { cb_note_at(cb, NT_AUXV, 0)->desc.len = 16; }
static void no_file(struct cb *cb) { cb_note_drop(cb, cb_note_at(cb, NT_FILE, 0)); }
static void no_fpregs(struct cb *cb) { cb_note_drop(cb, cb_note_at(cb, NT_PRFPREG, 1)); }
static void cut_file(struct cb *cb) { cb_note_at(cb, NT_FILE, 0)->desc.len -= 4; }

static void file_long(struct cb *cb, unsigned index, u64 value)
{
	uint_put(cb->arch.fmt, cb_note_at(cb, NT_FILE, 0)->desc.p + index * cb->arch.word, cb->arch.word, value);
}

static void file_count(struct cb *cb) { file_long(cb, 0, 1ULL << 61); }
static void file_backward(struct cb *cb) { file_long(cb, 3, CB_TEXT); }
static void file_bytes(struct cb *cb) { file_long(cb, 1, 1); }
static void file_astray(struct cb *cb) { file_long(cb, 3, CB_TEXT + 3 * CB_PAGE); }

/* Two entries of a page, at these addresses. */
static void file_two(struct cb *cb, u64 first, u64 second)
{
	const u64 longs[] = { 2, CB_PAGE, first, first + CB_PAGE, (first - CB_TEXT) / CB_PAGE,
			      second, second + CB_PAGE, (second - CB_TEXT) / CB_PAGE };
	struct cb_note *n = cb_note_at(cb, NT_FILE, 0);
	struct err e;

	n->desc.len = 0;
	for (size_t i = 0; i < ARRAY_SIZE(longs); i++)
		cb_long(cb, &n->desc, longs[i]);
	cb_ok(buf_add(&n->desc, "/bin/prog\0/bin/prog", 20, &e), &e);
}

static void file_descends(struct cb *cb) { file_two(cb, CB_TEXT + CB_PAGE, CB_TEXT); }
static void file_overlaps(struct cb *cb) { file_two(cb, CB_TEXT, CB_TEXT); }
static void file_odd_page(struct cb *cb) { file_long(cb, 1, 4097); }
static void file_no_page(struct cb *cb) { file_long(cb, 1, 0); }
static void file_other_page(struct cb *cb) { file_long(cb, 1, 65536); }

/* AT_PAGESZ becomes an entry of @type. */
static void auxv_entry(struct cb *cb, u64 type, u64 value)
{
	u8 *p = cb_note_at(cb, NT_AUXV, 0)->desc.p;

	uint_put(cb->arch.fmt, p, cb->arch.word, type);
	uint_put(cb->arch.fmt, p + cb->arch.word, cb->arch.word, value);
}

static void phdr_astray(struct cb *cb) { auxv_entry(cb, AT_PHDR, CB_TEXT + 2 * CB_PAGE); }
static void entry_astray(struct cb *cb) { auxv_entry(cb, AT_ENTRY, 0x1000); }
static void base_astray(struct cb *cb) { auxv_entry(cb, AT_BASE, ~0ULL); }
static void vdso_astray(struct cb *cb) { auxv_entry(cb, AT_SYSINFO_EHDR, CB_HEAP - 1); }
static void two_auxv(struct cb *cb) { cb_auxv(cb); }
static void two_file(struct cb *cb) { cb_file(cb); }
static void two_fpregs(struct cb *cb) { cb_fpregs(cb); }

static void swap_notes(struct cb *cb, size_t a, size_t b)
{
	struct cb_note tmp = cb->notes[a];

	cb->notes[a] = cb->notes[b];
	cb->notes[b] = tmp;
}

/* 0 PRSTATUS, 1 PRPSINFO, 2 SIGINFO, 3 AUXV, 4 FILE, 5 PRFPREG. */
static void file_before_auxv(struct cb *cb) { swap_notes(cb, 3, 4); }
static void xstate_before_fpregs(struct cb *cb)
{
	static const u8 raw[576];

	cb_note_add(cb, "LINUX", NT_X86_XSTATE, raw, sizeof(raw));
	swap_notes(cb, 7, 8);
}


/* Linux 6.12, arch/arm64/kernel/ptrace.c: enum aarch64_regset has FPMR first. */
static void fpmr_first(struct cb *cb)
{
	static const u8 raw[8];

	cb_note_add(cb, "LINUX", NT_ARM_FPMR, raw, 8);
	cb_note_add(cb, "LINUX", NT_ARM_SYSTEM_CALL, raw, 4);
}

static void fpmr_second(struct cb *cb) { fpmr_first(cb); swap_notes(cb, 8, 9); }

static void zero_notes(struct cb *cb)
{
	/* A header of zeros, twice, as the end of AUXV, which the header then does not count. */
	static const u8 zeros[24];
	struct err e;

	cb_ok(buf_add(&cb_note_at(cb, NT_AUXV, 0)->desc, zeros, sizeof(zeros), &e), &e);
}

static void auxv_shorter(struct cb *cb, struct buf *b)
{
	u8 *p = note_at(cb, b, 3);

	uint_put(cb->arch.fmt, p + 4, 4, uint_get(cb->arch.fmt, p + 4, 4) - 24);
}

static void no_threads(struct cb *cb)
{
	cb_note_drop(cb, cb_note_at(cb, NT_PRSTATUS, 1));
	cb_note_drop(cb, cb_note_at(cb, NT_PRSTATUS, 0));
}

static void prpsinfo_first(struct cb *cb) { swap_notes(cb, 0, 1); }

static void same_tid(struct cb *cb)
{
	uint_put(cb->arch.fmt, cb_note_at(cb, NT_PRSTATUS, 1)->desc.p + 32, 4, CB_TID1);
}

static void set_reg(struct cb *cb, unsigned index, u64 value)
{
	const struct reg *r = &cb->arch.gregs.regs[index];
	struct buf *b = &cb_note_at(cb, NT_PRSTATUS, 1)->desc;

	/* struct elf_prstatus of 64 bits: 8 bytes follow the registers. */
	uint_put(cb->arch.fmt, b->p + b->len - 8 - cb->arch.gregs.size + r->off, r->size, value);
}

static void pc_astray(struct cb *cb) { set_reg(cb, cb->arch.pc, 0x10); }
static void pc_in_heap(struct cb *cb) { set_reg(cb, cb->arch.pc, CB_HEAP); }
static void sp_astray(struct cb *cb) { set_reg(cb, cb->arch.sp, 0x10); }
static void sp_below(struct cb *cb) { set_reg(cb, cb->arch.sp, CB_STACK - 100); }
static void sp_at_end(struct cb *cb) { set_reg(cb, cb->arch.sp, CB_STACK + 2 * CB_PAGE - 100); }

/* An empty stack: its pointer is the end of the area, which nothing follows. */
static void sp_empty(struct cb *cb) { set_reg(cb, cb->arch.sp, CB_STACK + 2 * CB_PAGE); }
static void sp_near_absent(struct cb *cb)
{
	u8 *first = cb_note_at(cb, NT_PRSTATUS, 0)->desc.p, *second = cb_note_at(cb, NT_PRSTATUS, 1)->desc.p;

	cb->segs[3].p_filesz = CB_PAGE;
	set_reg(cb, cb->arch.sp, CB_STACK + CB_PAGE - 64);
	memcpy(first + 112, second + 112, cb->arch.gregs.size);
}
static void no_stack(struct cb *cb) { cb->segs[3].p_filesz = 0; }
/* --stacks: from a little below the stack pointer on; the rest is an area of its own. */
static void mini_stack(struct cb *cb)
{
	cb->segs[3].p_filesz = 0;
	cb->segs[3].p_memsz = CB_PAGE - 256;
	cb_seg_add(cb, PT_LOAD, PF_R | PF_W, CB_STACK + CB_PAGE - 256, CB_PAGE + 256, CB_PAGE + 256)->p_align = 1;
}
static void vm_flags(struct cb *cb)
{
	cb->segs[1].p_flags = 0x8000075;
	cb->segs[2].p_flags = cb->segs[3].p_flags = 0x8000073;
}
static void stray_flag(struct cb *cb) { cb->segs[2].p_flags |= 0x100; }
static void own_flags(struct cb *cb) { cb->segs[2].p_flags |= PF_MASKOS | PF_MASKPROC; }
static void write_exec(struct cb *cb) { cb->segs[2].p_flags = PF_W | PF_X; }
static void appended(struct cb *cb, struct buf *b, const char *p, size_t len)
{
	struct err e;

	(void)cb;
	cb_ok(buf_add(b, p, len, &e), &e);
}
static void one_byte_more(struct cb *cb, struct buf *b) { appended(cb, b, "x", 1); }
static void more_zeros(struct cb *cb, struct buf *b, size_t len)
{
	struct err e;

	(void)cb;
	cb_ok(buf_zero(b, len, &e), &e);
}
static void padded(struct cb *cb, struct buf *b) { more_zeros(cb, b, 65535); }
static void much_padded(struct cb *cb, struct buf *b) { more_zeros(cb, b, 65536); }
/* Section headers after all segments, as gdb's gcore writes them, and after these what one of them names. */
static void sections(struct cb *cb, struct buf *b)
{
	GElf_Shdr sh[2] = { { .sh_type = SHT_NULL }, { .sh_type = SHT_STRTAB, .sh_size = 100 } };
	struct buf head = { 0 };
	struct err e;

	cb->ehdr.e_shoff = b->len;
	cb->ehdr.e_shnum = 2;
	cb->ehdr.e_shentsize = (u16)elffmt_shdr_size(cb->arch.fmt);
	cb_ok(elffmt_put_ehdr(cb->arch.fmt, &cb->ehdr, &head, &e), &e);
	memcpy(b->p, head.p, head.len);
	buf_fini(&head);
	sh[1].sh_offset = b->len + 2 * cb->ehdr.e_shentsize;
	for (size_t i = 0; i < 2; i++)
		cb_ok(elffmt_put_shdr(cb->arch.fmt, &sh[i], b, &e), &e);
	more_zeros(cb, b, 100);
	memset(b->p + b->len - 100, 'n', 100);
}
static void byte_after_sections(struct cb *cb, struct buf *b) { sections(cb, b); one_byte_more(cb, b); }

static void tagcore_note(struct cb *cb, u32 type, const char *text)
{
	cb_note_add(cb, TAGCORE_OWNER, type, text, strlen(text));
}

static void bad_info(struct cb *cb) { tagcore_note(cb, NT_TAGCORE_INFO, "version 1\nnonsense\n"); }
static void bad_threads(struct cb *cb) { tagcore_note(cb, NT_TAGCORE_THREADS, "x R prog\n"); }
static void bad_areas(struct cb *cb) { tagcore_note(cb, NT_TAGCORE_AREAS, "600000-500000 rw-p 0 - whole anon \n"); }
static void bad_missing(struct cb *cb) { tagcore_note(cb, NT_TAGCORE_MISSING, "600000 lost\n"); }
static void gap(struct cb *cb) { tagcore_note(cb, NT_TAGCORE_MISSING, "600000-601000 Input/output error\n"); }

static void areas_differ(struct cb *cb)
{
	tagcore_note(cb, NT_TAGCORE_AREAS, "400000-402000 r-xp 3000 - first-page elf /bin/prog\n"
				  "600000-601000 rw-p 0 - whole anon [heap]\n"
				  "700000-702000 rw-p 0 gd whole anon [stack]\n");
}

#define AREAS "400000-402000 r-xp 3000 - first-page elf /bin/prog\n600000-602000 rw-p 0 - touched anon [heap]\n" \
	      "700000-702000 rw-p 0 gd whole anon [stack]\n"
static void saved_areas(struct cb *cb) { tagcore_note(cb, NT_TAGCORE_AREAS, AREAS); }
static void unsaved_heap(struct cb *cb) { saved_areas(cb); cb->segs[2].p_filesz = CB_PAGE; }
static void unsaved_text(struct cb *cb) { saved_areas(cb); cb->segs[1].p_filesz = 0; }
static void no_heap(struct cb *cb) { saved_areas(cb); cb->segs[2].p_type = PT_NULL; cb->segs[2].p_filesz = 0; }
static void explained(struct cb *cb)
{
	unsaved_heap(cb);
	tagcore_note(cb, NT_TAGCORE_MISSING, "601000-602000 Input/output error\n");
}
static void lost_heap(struct cb *cb)
{
	unsaved_heap(cb);
	tagcore_note(cb, NT_TAGCORE_MISSING, "601000-602000 lost: the file was cut short\n");
}
/* As repair writes it: the segment ends with its bytes, the area does not. */
static void lost_end(struct cb *cb) { lost_heap(cb); cb->segs[2].p_memsz = CB_PAGE; }
static void lost_notes(struct cb *cb) { tagcore_note(cb, NT_TAGCORE_MISSING, "? 100 lost: bytes of notes\n"); }
static void bad_checksums(struct cb *cb) { tagcore_note(cb, NT_TAGCORE_CHECKSUMS, "0123456789012345678901234567890123456789"); }
static void no_checksums(struct cb *cb) { tagcore_note(cb, NT_TAGCORE_INFO, "checksums xxh3\n"); }
static void bad_loss(struct cb *cb) { tagcore_note(cb, NT_TAGCORE_MISSING, "? lost: bytes of notes\n"); }
static void no_stop(struct cb *cb) { tagcore_note(cb, NT_TAGCORE_INFO, "version 1\ninconsistent no-stop\nnot_stopped 1 no-stop\n"); }
static void not_stopped(struct cb *cb) { tagcore_note(cb, NT_TAGCORE_INFO, "version 1\ninconsistent not-stopped\n"); }
/* A page of the file that has no segment, and needs none: the AREAS note says so. */
static void file_left_out(struct cb *cb)
{
	file_astray(cb);
	tagcore_note(cb, NT_TAGCORE_AREAS, "400000-402000 r-xp 3000 - first-page elf /bin/prog\n"
				  "402000-403000 r-xp 5000 - omit stack-rest /bin/prog\n"
				  "600000-602000 rw-p 0 - whole anon [heap]\n"
				  "700000-702000 rw-p 0 gd whole anon [stack]\n");
}

/* It says that it is saved. */
static void file_lost(struct cb *cb)
{
	file_astray(cb);
	tagcore_note(cb, NT_TAGCORE_AREAS, "400000-402000 r-xp 3000 - first-page elf /bin/prog\n"
				  "402000-403000 r-xp 5000 - whole stack-file /bin/prog\n"
				  "600000-602000 rw-p 0 - whole anon [heap]\n"
				  "700000-702000 rw-p 0 gd whole anon [stack]\n");
}

#define SPARC64 .machine = EM_SPARCV9, .data = ELFDATA2MSB

static const struct mutation mutations[] = {
	{ "elf-ident", "no magic", .bytes = bad_magic },
	{ "elf-ident", "class 9", .bytes = bad_class },
	{ "elf-ident", "40 bytes", .bytes = short_header },
	{ "elf-type", "an executable", .late = bad_type },
	{ "elf-phentsize", "32 bytes", .late = bad_phentsize },
	{ "elf-version", "2", .late = bad_version },
	{ "elf-version", "2 in e_ident", .late = bad_ident_version },
	{ "elf-ehsize", "52", .late = bad_ehsize },
	{ "elf-machine", "unknown", .late = other_machine },
	{ "phdr-none", "phnum 0", .late = no_phdrs },
	{ "phdr-xnum", "no section header", .late = xnum_lost },
	{ "phdr-xnum", "a count of 4", .late = xnum_small },
	{ "phdr-truncated", "table past the end", .late = far_phdrs },
	{ "seg-wrap", "memory", .late = wrap_memory },
	{ "seg-wrap", "offset", .late = wrap_offset, .also = "file-tail" },
	{ "seg-wrap", "past 4 GiB", .late = wrap_4gib, .machine = EM_386, .class = ELFCLASS32, .also = "thread-sp" },
	{ "seg-truncated", "100 bytes short", .bytes = truncate_last },
	{ "seg-order", "swapped", .late = swap_loads },
	{ "seg-overlap", "heap into stack", .late = heap_overlaps },
	{ "seg-align", "0x3000", .late = odd_align },
	{ "seg-align", "not congruent", .late = misaligned },
	{ "seg-page", "offset + 16", .late = off_page },
	{ "seg-filesz", "more than memory", .late = filesz_large },
	{ "seg-data-overlap", "stack is heap", .late = shared_bytes, .also = "file-tail" },
	{ "seg-data-overlap", "stack is headers", .late = header_bytes, .also = "file-tail" },
	{ "seg-flags", "VM_ flags", .late = vm_flags, .also = "seg-unreadable" },
	{ "seg-flags", "one bit", .late = stray_flag },
	{ "seg-unreadable", "-wx", .late = write_exec },
	{ "file-tail", "a byte more", .bytes = one_byte_more },
	{ "file-tail", "64 KiB of zeros", .bytes = much_padded },
	{ "file-tail", "a byte after the sections", .bytes = byte_after_sections },
	{ "thread-stack", "filtered", .notes = no_stack, .also = "quirk-elfutils-absent" },
	{ "thread-stack", "only the next page", .notes = sp_near_absent },
	{ "tagcore-saved", "heap", .notes = unsaved_heap },
	{ "tagcore-saved", "first page", .notes = unsaved_text },
	{ "tagcore-saved", "no segment", .notes = no_heap },
	{ "tagcore-gaps", "not saved, and said so", .notes = explained },
	{ "tagcore-inconsistent", "not stopped", .notes = no_stop },
	{ "tagcore-inconsistent", "some threads did not stop", .notes = not_stopped },
	{ "tagcore-lost", "heap", .notes = lost_heap },
	{ "tagcore-lost", "the end of an area", .notes = lost_end },
	{ "tagcore-lost", "notes", .notes = lost_notes },
	{ "tagcore-checksums", "a note of nonsense", .notes = bad_checksums },
	{ "tagcore-checksums", "no note", .notes = no_checksums },
	{ "tagcore-malformed", "loss", .notes = bad_loss },
	{ "note-none", "PT_NULL", .late = no_notes },
	{ "note-malformed", "descriptor past the end", .bytes = long_desc, .also = "quirk-gdb-notes" },
	{ "note-owner", "no NUL", .notes = spare_note, .bytes = owner_open },
	{ "note-owner", "zeros", .notes = zero_notes, .bytes = auxv_shorter, .also = "quirk-lldb-notes" },
	{ "note-padding", "not zero", .notes = spare_note, .bytes = dirty_padding },
	{ "note-padding", "aligned to 16", .late = align_16, .also = "quirk-gdb-notes" },
	{ "note-size", "PRSTATUS", .notes = long_prstatus },
	{ "note-size", "PRPSINFO", .notes = long_prpsinfo },
	{ "note-size", "SIGINFO", .notes = long_siginfo },
	{ "note-regset-size", "fpregs", .notes = long_fpregs },
	{ "note-twice", "AUXV", .notes = two_auxv },
	{ "note-twice", "FILE", .notes = two_file },
	{ "note-twice", "registers of a thread", .notes = two_fpregs },
	{ "note-order", "FILE before AUXV", .notes = file_before_auxv },
	{ "note-order", "XSTATE before FPREGS", .notes = xstate_before_fpregs, .also = "thread-sets" },
	{ "note-order", "FPMR after SYSTEM_CALL", .notes = fpmr_second, .mte = true, .also = "thread-sets" },
	{ "thread-sets", "FPMR before SYSTEM_CALL", .notes = fpmr_first, .mte = true },
	{ "prpsinfo-once", "none", .notes = no_prpsinfo, .also = "quirk-elfutils-notes" },
	{ "prpsinfo-once", "two", .notes = two_prpsinfo },
	{ "auxv-missing", "none", .notes = no_auxv },
	{ "auxv-end", "no AT_NULL", .notes = open_auxv },
	{ "auxv-address", "AT_PHDR", .notes = phdr_astray },
	{ "auxv-address", "AT_ENTRY", .notes = entry_astray },
	{ "auxv-address", "AT_BASE", .notes = base_astray },
	{ "auxv-address", "AT_SYSINFO_EHDR", .notes = vdso_astray },
	{ "file-malformed", "cut name", .notes = cut_file },
	{ "file-malformed", "count", .notes = file_count },
	{ "file-malformed", "end before start", .notes = file_backward },
	{ "file-order", "descending", .notes = file_descends },
	{ "file-order", "the same twice", .notes = file_overlaps },
	{ "file-missing", "none", .notes = no_file },
	{ "file-unit", "as gdb", .notes = file_bytes },
	{ "file-page", "no power of two", .notes = file_odd_page },
	{ "file-page", "0", .notes = file_no_page },
	{ "file-page", "not AT_PAGESZ", .notes = file_other_page },
	{ "file-range", "a page more", .notes = file_astray },
	{ "file-range", "a page more that was saved", .notes = file_lost, .also = "tagcore-saved" },
	{ "thread-none", "no PRSTATUS", .notes = no_threads },
	{ "thread-first", "PRPSINFO first", .notes = prpsinfo_first },
	{ "thread-tid", "twice", .notes = same_tid },
	{ "thread-sets", "second has none", .notes = no_fpregs },
	{ "thread-pc", "no area", .notes = pc_astray },
	{ "thread-pc", "not executable", .notes = pc_in_heap },
	{ "thread-sp", "no area", .notes = sp_astray },
	{ "thread-sp", "below its area", .notes = sp_below },
	/* sparc64's stack is 2047 above sp. */
	{ "quirk-gdb-machine", "good sp with a bias", .notes = sp_below, SPARC64, .also = "quirk-lldb-machine" },
	{ "thread-sp", "bad sp with a bias", .notes = sp_at_end, SPARC64, .also = "quirk-gdb-machine",
	  .too = "quirk-lldb-machine" },
	{ "tagcore-malformed", "INFO", .notes = bad_info },
	{ "tagcore-malformed", "THREADS", .notes = bad_threads },
	{ "tagcore-malformed", "AREAS", .notes = bad_areas },
	{ "tagcore-malformed", "MISSING", .notes = bad_missing },
	{ "tagcore-areas", "heap is shorter", .notes = areas_differ },
	{ "tagcore-gaps", "one", .notes = gap },
};

static void good_core_has_no_finding(void **state)
{
	(void)state;
	mut_good(&(struct mutation){ 0 });
	mut_good(&(struct mutation){ .notes = file_left_out });
	mut_good(&(struct mutation){ .machine = EM_386, .class = ELFCLASS32 });
	mut_good(&(struct mutation){ .machine = EM_S390, .data = ELFDATA2MSB });
	mut_good(&(struct mutation){ .machine = EM_PPC, .class = ELFCLASS32, .data = ELFDATA2MSB });
}

static void every_check_has_a_mutation(void **state)
{
	/* In test_check_quirk.c and its sisters. */
	static const char *const elsewhere[] = { "quirk-", "mte-", "packed-", "note-x", "note-sve", NULL };

	(void)state;
	mut_all_there(mutations, ARRAY_SIZE(mutations), elsewhere, true);
}

static void every_check_is_described(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_checks; i++) {
		assert_non_null(checks[i].what);
		assert_non_null(checks[i].reference);
		assert_true(!checks[i].run == (checks[i].fault != CORE_OK));
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(checks[i].id, checks[k].id);
	}
}

static void pour(struct cb *cb)
{
	for (u64 i = 0; i < 150; i++)
		cb_seg_add(cb, PT_LOAD, PF_R, 0x10000000 + i * CB_PAGE, 0, CB_PAGE)->p_align = 3;
}

static void findings_of_a_check_are_limited(void **state)
{
	static const struct mutation many = { .notes = pour };
	struct findings l = { 0 };

	(void)state;
	check_mutated(&many, &l);
	assert_int_equal(l.n, CHECK_FINDINGS_MAX + 1);
	assert_string_equal(l.f[l.n - 1].msg, "and 50 more");
	findings_fini(&l);
}

/* The first finding of check @id has @part in its sentence. */
static void says(const struct mutation *m, const char *id, const char *part)
{
	struct findings l = { 0 };
	size_t i = 0;

	check_mutated(m, &l);
	while (i < l.n && strcmp(l.f[i].check->id, id))
		i++;
	assert_true(i < l.n);
	if (!strstr(l.f[i].msg, part))
		fail_msg("%s", l.f[i].msg);
	findings_fini(&l);
}

static void cut_text(struct cb *cb) { cb->segs[1].p_filesz = 0x100000; cb->segs[1].p_memsz = 0x100000; }

static void truncation_names_the_file(void **state)
{
	static const struct mutation m = { .late = cut_text };

	(void)state;
	says(&m, "seg-truncated", "area 0x400000-0x500000 (/bin/prog): the last ");
}

static void align_8(struct cb *cb) { cb->segs[0].p_align = 8; }

static void wrong_padding_is_reported(void **state)
{
	static const struct mutation m = { .late = align_8 };

	(void)state;
	says(&m, "note-malformed", "the notes are padded to 4, and their segment's alignment is 8");
}

static void misaligned_all(struct cb *cb) { misaligned(cb); cb->segs[1].p_vaddr += 16; }

static void misaligned_segments_are_counted(void **state)
{
	static const struct mutation m = { .late = misaligned_all };

	(void)state;
	says(&m, "seg-align", "of 2 segments differ");
}

static void missing_file_is_no_finding(void **state)
{
	struct findings l = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_true(check_file("/no/such/core", &l, &e) < 0);
	assert_int_equal(l.n, 0);
	assert_non_null(strstr(e.msg, "/no/such/core"));
}

/* What is no fault, though near one. */
static void near_misses_have_no_finding(void **state)
{
	static const struct mutation good[] = {
		{ .what = "empty stack", .notes = sp_empty }, { .what = "mini-core", .notes = mini_stack },
		{ .what = "bits of system and processor", .late = own_flags }, { .what = "padding", .bytes = padded },
		{ .what = "sections", .bytes = sections }, { .what = "AREAS", .notes = saved_areas },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		mut_good(&good[i]);
}

int main(void)
{
	struct CMUnitTest tests[9 + ARRAY_SIZE(mutations)] = {
		cmocka_unit_test(near_misses_have_no_finding),
		cmocka_unit_test(good_core_has_no_finding),
		cmocka_unit_test(every_check_has_a_mutation),
		cmocka_unit_test(every_check_is_described),
		cmocka_unit_test(findings_of_a_check_are_limited),
		cmocka_unit_test(truncation_names_the_file),
		cmocka_unit_test(wrong_padding_is_reported),
		cmocka_unit_test(misaligned_segments_are_counted),
		cmocka_unit_test(missing_file_is_no_finding),
	};

	mut_tests(mutations, ARRAY_SIZE(mutations), tests + 9);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
