/* seeds.c - writes the cores a fuzzer begins with into a directory: every machine, class and byte order. */
#include "../unit/osbuild.h"
#include "../unit/packbuild.h"
#include "../unit/stackbuild.h"
#include "base/io.h"
#include "fuzz.h"

struct seed {
	const char *name;
	struct elffmt fmt;
	u16 machine;
	void (*change)(struct cb *cb);
	void (*damage)(struct cb *cb);	/* after the layout */
};

static void tagcore_note(struct cb *cb, u32 type, const char *text)
{
	cb_note_add(cb, TAGCORE_OWNER, type, text, strlen(text));
}

static void add_tagcore_notes(struct cb *cb)
{
	tagcore_note(cb, NT_TAGCORE_INFO, "version 1.2.3\nmode stop\n");
	tagcore_note(cb, NT_TAGCORE_THREADS, "1002 S worker one\n1001 R prog\n");
	tagcore_note(cb, NT_TAGCORE_AREAS, "400000-402000 r-xp 3000 - first-page elf-header /bin/a b\\012\n"
				  "500000-501000 rw-s 0 dd omit dontdump \n"
				  "600000-602000 rw-p 0 mt whole anon [heap]\n"
				  "700000-702000 rw-p 0 ? whole anon [stack]\n");
	tagcore_note(cb, NT_TAGCORE_MISSING, "600000-601000 gone\n600800-601000 memory tags: gone\n+3 4096 more ranges\n");
}

static void add_tags(struct cb *cb)
{
	cb_memtag_add(cb, CB_HEAP, 2 * CB_PAGE / TAG_BYTE_SPAN, 2 * CB_PAGE);
	cb_memtag_add(cb, CB_STACK, 2 * CB_PAGE / TAG_BYTE_SPAN, 2 * CB_PAGE);
}

static void add_tags_and_tagcore_notes(struct cb *cb)
{
	add_tags(cb);
	add_tagcore_notes(cb);
}

static void add_threads(struct cb *cb)
{
	for (s32 tid = CB_TID2 + 1; cb->n_notes + 2 < CB_NOTES_MAX; tid++) {
		cb_prstatus(cb, tid, 0);
		cb_fpregs(cb);
	}
}

/* Every register set that the machine has, and the largest of those whose size varies. */
static void add_regsets(struct cb *cb)
{
	u8 raw[2696] = { 0 };

	for (u16 i = 1; i < cb->arch.n_sets && cb->n_notes < CB_NOTES_MAX; i++) {
		const struct regset *s = &cb->arch.sets[i];

		cb_note_add(cb, s->owner, s->type, raw, s->size ? s->size : sizeof(raw));
	}
}

static void add_late_notes(struct cb *cb)
{
	cb->n_late_notes = 3;
}

static void add_overlap(struct cb *cb)
{
	cb_seg_add(cb, PT_LOAD, PF_R, CB_HEAP + CB_PAGE, CB_PAGE, 2 * CB_PAGE);
	cb_seg_add(cb, PT_LOAD, PF_R, CB_TEXT, 0, 16 * CB_PAGE);
}

/* Tags up to the end of the address space, where the next address is 0. */
static void add_tags_at_top(struct cb *cb)
{
	cb_memtag_add(cb, UINT64_MAX - 2 * CB_PAGE + 1, 2 * CB_PAGE / TAG_BYTE_SPAN, 2 * CB_PAGE);
}

/* As with 65535 segments, without them. */
static void use_xnum(struct cb *cb)
{
	size_t last = cb->n_segs - 1;

	cb->ehdr.e_phnum = PN_XNUM;
	cb->ehdr.e_shoff = (cb->data_at[last] + cb->data_len[last] + 7) / 8 * 8;
	cb->ehdr.e_shnum = 1;
	cb->ehdr.e_shentsize = (u16)elffmt_shdr_size(cb->arch.fmt);
}

/* Notes of other makers, and of Linux those that only some threads have; some are too short for what they are. */
static const struct {
	const char *owner;
	u32 type;
	u16 len;
	u16 machine;
} rare_notes[] = {
	{ "OpenBSD", NT_OPENBSD_PROCINFO, 104, EM_X86_64 }, { "OpenBSD", NT_OPENBSD_AUXV, 48, EM_X86_64 },
	{ "OpenBSD@77", NT_OPENBSD_REGS, 16, EM_X86_64 }, { "NetBSD-CORE", NT_NETBSD_PROCINFO, 160, EM_X86_64 },
	{ "FreeBSD", NT_PRSTATUS, 224, EM_X86_64 }, { "FreeBSD", NT_PRPSINFO, 120, EM_X86_64 },
	{ "FreeBSD", NT_FREEBSD_THRMISC, 24, EM_X86_64 }, { "FreeBSD", NT_FREEBSD_PROCSTAT_AUXV, 52, EM_X86_64 },
	{ "QEMU", 0, 440, EM_X86_64 }, { "LINUX", NT_X86_XSAVE_LAYOUT, 48, EM_X86_64 },
	{ "LINUX", NT_386_IOPERM, 64, EM_X86_64 }, { "LINUX", NT_VMCOREDD, 64, EM_X86_64 },
	{ "GNU", 3, 20, EM_X86_64 },
	{ "LINUX", NT_ARM_SVE, 832, EM_AARCH64 }, { "LINUX", NT_ARM_SSVE, 560, EM_AARCH64 },
	{ "LINUX", NT_ARM_ZA, 272, EM_AARCH64 }, { "LINUX", NT_ARM_HW_WATCH, 72, EM_AARCH64 },
	{ "LINUX", NT_ARM_PAC_ENABLED_KEYS, 8, EM_AARCH64 }, { "NetBSD-CORE", NT_NETBSD_AUXV, 64, EM_AARCH64 },
	{ "LINUX", NT_ARM_TAGGED_ADDR_CTRL, 4, EM_AARCH64 },
};

static void add_rare_notes(struct cb *cb)
{
	static const char info[] = "OSRELEASE=6.1.0\nPAGESIZE=4096\nCRASHTIME=1700000000\n";
	u8 desc[1024];

	for (size_t i = 0; i < sizeof(desc); i++)
		desc[i] = (u8)(i % 5 ? 0 : i / 5);
	/* SVE notes begin so, too: size and vector length. */
	desc[0] = 16 + 1;
	desc[1] = 1;
	desc[8] = 16;
	for (size_t i = 0; i < sizeof(rare_notes) / sizeof(rare_notes[0]); i++)
		if (rare_notes[i].machine == cb->arch.machine)
			cb_note_add(cb, rare_notes[i].owner, rare_notes[i].type, desc, rare_notes[i].len);
	cb_note_add(cb, "VMCOREINFO", 0, info, sizeof(info) - 1);
}

/* The memory of a machine: at two addresses, of a kernel. */
static void add_physical(struct cb *cb)
{
	while (cb->n_notes > 1)
		cb_note_drop(cb, &cb->notes[1]);
	add_rare_notes(cb);
	for (size_t i = 1; i < cb->n_segs; i++)
		cb->segs[i].p_paddr = 0x1000000;
}

/* Two threads of another system, with all that its notes have of them. */
static void use_system(struct cb *cb, enum core_kind kind)
{
	u8 more[1300] = { 0 };
	const struct ob_system *s = ob_systems;

	while (s->kind != kind || s->machine != cb->arch.machine)
		s++;
	while (cb->n_notes)
		cb_note_drop(cb, &cb->notes[cb->n_notes - 1]);
	ob_process(cb, kind, 11, 1, OB_TID2);
	for (s32 tid = OB_TID1; tid <= OB_TID2; tid++) {
		ob_thread(cb, s, tid, CB_TEXT + 0x100, CB_STACK + 0x100, 11, 1);
		cb_note_add(cb, ob_owner(kind, tid), kind == CORE_FREEBSD ? NT_FREEBSD_PTLWPINFO : NT_NETBSD_LWPSTATUS, more, 160);
		cb_note_add(cb, ob_owner(kind, tid), kind == CORE_FREEBSD ? NT_FREEBSD_X86_XSTATE : NT_OPENBSD_FPREGS, more, 832);
	}
	more[4] = 144;	/* kve_structsize */
	more[4 + 17] = 0x10;
	memcpy(more + 4 + 136, "/bin/a", 7);
	if (kind == CORE_FREEBSD)
		cb_note_add(cb, "FreeBSD", NT_FREEBSD_PROCSTAT_VMMAP, more, 300);
}

static void use_freebsd(struct cb *cb) { use_system(cb, CORE_FREEBSD); }
static void use_netbsd(struct cb *cb) { use_system(cb, CORE_NETBSD); }
static void use_openbsd(struct cb *cb) { use_system(cb, CORE_OPENBSD); }
static void use_solaris(struct cb *cb) { use_system(cb, CORE_SOLARIS); }

static const struct seed seeds[] = {
	{ "freebsd", CB_LE64, EM_X86_64, .change = use_freebsd },
	{ "freebsd32", CB_LE32, EM_386, .change = use_freebsd },
	{ "netbsd", CB_LE64, EM_AARCH64, .change = use_netbsd },
	{ "openbsd", CB_BE64, EM_SPARCV9, .change = use_openbsd },
	{ "solaris", CB_BE32, EM_SPARC, .change = use_solaris },
	{ "x86_64", CB_LE64, EM_X86_64, .change = add_regsets },
	{ "x86_64-own", CB_LE64, EM_X86_64, .change = add_tagcore_notes },
	{ "x86_64-threads", CB_LE64, EM_X86_64, .change = add_threads },
	{ "x86_64-late-notes", CB_LE64, EM_X86_64, .change = add_late_notes },
	{ "x86_64-overlap", CB_LE64, EM_X86_64, .change = add_overlap },
	{ "x86_64-xnum", CB_LE64, EM_X86_64, .damage = use_xnum },
	{ "x86_64-notes", CB_LE64, EM_X86_64, .change = add_rare_notes },
	{ "x86_64-vmcore", CB_LE64, EM_X86_64, .change = add_physical },
	{ "aarch64", CB_LE64, EM_AARCH64, .change = add_regsets },
	{ "aarch64-notes", CB_LE64, EM_AARCH64, .change = add_rare_notes },
	{ "aarch64-vmcore", CB_LE64, EM_AARCH64, .change = add_physical },
	{ "aarch64-mte", CB_LE64, EM_AARCH64, .change = add_tags },
	{ "aarch64-mte-own", CB_LE64, EM_AARCH64, .change = add_tags_and_tagcore_notes },
	{ "aarch64-mte-top", CB_LE64, EM_AARCH64, .change = add_tags_at_top },
	{ "aarch64-mte-be", CB_BE64, EM_AARCH64, .change = add_tags },
	{ "le64", CB_LE64, CB_NO_MACHINE, .change = add_tagcore_notes },
	{ "be64", CB_BE64, CB_NO_MACHINE, .change = add_tagcore_notes },
	{ "be64-xnum", CB_BE64, CB_NO_MACHINE, .damage = use_xnum },
	{ "le32", CB_LE32, CB_NO_MACHINE, .change = add_tagcore_notes },
	{ "be32", CB_BE32, CB_NO_MACHINE, .change = add_threads },
	{ "be32-xnum", CB_BE32, CB_NO_MACHINE, .damage = use_xnum },
};

static void save(const char *dir, const char *name, const struct buf *b)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	if (!f || fwrite(b->p, 1, b->len, f) != b->len || fclose(f)) {
		fprintf(stderr, "seeds: %s cannot be written\n", path);
		exit(2);
	}
}

static void make(const char *dir, const char *name, const struct seed *s)
{
	struct buf file = { 0 };
	struct cb cb;

	cb_good(&cb, s->machine, s->fmt);
	if (s->change)
		s->change(&cb);
	cb_layout(&cb);
	if (s->damage)
		s->damage(&cb);
	cb_write(&cb, &file);
	save(dir, name, &file);
	buf_fini(&file);
	cb_fini(&cb);
}

/* A plain core of each machine that has tables. */
static void make_machines(const char *dir)
{
	for (size_t i = 0; arches[i]; i++) {
		const struct seed s = { .fmt = arches[i]->fmt, .machine = arches[i]->machine };
		char name[64];

		snprintf(name, sizeof(name), "machine-%s", arches[i]->name);
		make(dir, name, &s);
	}
}

/* Without a checksum, so that damage gets through to the core. */
static void pack_unchecked(const struct buf *in, struct buf *out)
{
	size_t room = ZSTD_compressBound(in->len), n;
	struct err e;
	u8 *to;

	cb_ok(buf_reserve(out, room, &to, &e), &e);
	n = ZSTD_compress(to, room, in->p, in->len, 1);
	assert_false(ZSTD_isError(n));
	out->len += n;
}

static void make_packed(const char *dir, const char *name, void (*pack)(const struct buf *in, struct buf *out))
{
	struct buf plain = { 0 }, packed = { 0 };
	char seed[64];
	struct cb cb;

	cb_good(&cb, EM_X86_64, CB_LE64);
	cb_layout(&cb);
	cb_write(&cb, &plain);
	pack(&plain, &packed);
	snprintf(seed, sizeof(seed), "packed-%s", name);
	save(dir, seed, &packed);
	buf_fini(&plain);
	buf_fini(&packed);
	cb_fini(&cb);
}

/* ---- stacks */

static void remove_sections(struct sb *s)
{
	GElf_Ehdr eh;
	struct bytes b = { .p = s->eb.b.p, .len = s->eb.b.len };
	struct buf h = { 0 };
	struct err e;

	cb_ok(elffmt_get_ehdr(s->cb.arch.fmt, b, &eh, &e), &e);
	eh.e_shoff = eh.e_shnum = eh.e_shstrndx = 0;
	cb_ok(elffmt_put_ehdr(s->cb.arch.fmt, &eh, &h, &e), &e);
	memcpy(s->eb.b.p, h.p, h.len);
	buf_fini(&h);
}

static void sign(struct sb *s)
{
	u8 masks[16] = { 0 };

	masks[6] = masks[14] = 0x7f;
	cb_note_add(&s->cb, "LINUX", NT_ARM_PAC_MASK, masks, sizeof(masks));
	/* The first thread's, too. */
	cb_note_swap(&s->cb, 1, s->cb.n_notes - 1);
	cb_note_add(&s->cb, "LINUX", NT_ARM_PAC_MASK, masks, sizeof(masks));
	s->pac = 0x5aULL << 48;
}

/* From @from on no string of the section ends; the first byte may be an empty one, without which it would be no table. */
static void open_from(struct sb *s, const char *section, size_t from)
{
	for (size_t i = 1; i <= s->eb.n_sections; i++) {
		const GElf_Shdr *sh = &s->eb.sections[i].sh;

		for (size_t at = from; !strcmp(s->eb.sections[i].name, section) && at < sh->sh_size; at++)
			if (!s->eb.b.p[sh->sh_offset + at])
				s->eb.b.p[sh->sh_offset + at] = 'x';
	}
}

static void open_strings(struct sb *s, const char *section)
{
	open_from(s, section, 1);
}

/* In their place, in .debug_info. */
static void open_at(struct sb *s, const char *text)
{
	for (size_t i = 1; i <= s->eb.n_sections; i++) {
		const GElf_Shdr *sh = &s->eb.sections[i].sh;
		const u8 *start = s->eb.b.p + sh->sh_offset, *p = memmem(start, sh->sh_size, text, strlen(text) + 1);

		if (p && !strcmp(s->eb.sections[i].name, ".debug_info"))
			open_from(s, ".debug_info", (size_t)(p - start));
	}
}

static void open_directory(struct sb *s)
{
	open_at(s, "/top");
}

static void open_name(struct sb *s)
{
	open_strings(s, ".strtab");
	open_strings(s, ".dynstr");
	open_at(s, "tiny");
}

static void open_symbols(struct sb *s)
{
	open_strings(s, ".strtab");
}

static void open_dynamic_symbols(struct sb *s)
{
	open_strings(s, ".dynstr");
	remove_sections(s);
}

static void open_names(struct sb *s)
{
	sb_use_strings(s);
	open_strings(s, ".strtab");
	open_strings(s, ".debug_str");
}

static void open_paths(struct sb *s)
{
	sb_use_strings(s);
	open_strings(s, ".debug_line_str");
}

static const struct {
	const char *name;
	u16 machine;
	struct elffmt fmt;
	u16 type;
	bool exe;	/* the file follows */
	void (*change)(struct sb *s);
} stacks[] = {
	{ "x86_64", EM_X86_64, CB_LE64, ET_DYN, .exe = false },
	{ "x86_64-exec", EM_X86_64, CB_LE64, ET_EXEC, .change = remove_sections },
	{ "x86_64-exe", EM_X86_64, CB_LE64, ET_EXEC, .exe = true },
	{ "x86_64-pie-exe", EM_X86_64, CB_LE64, ET_DYN, .exe = true },
	{ "x86_64-strings-exe", EM_X86_64, CB_LE64, ET_EXEC, .exe = true, .change = sb_use_strings },
	{ "x86_64-open-symbols-exe", EM_X86_64, CB_LE64, ET_EXEC, .exe = true, .change = open_symbols },
	{ "x86_64-open-dynamic-exe", EM_X86_64, CB_LE64, ET_EXEC, .exe = true, .change = open_dynamic_symbols },
	{ "x86_64-open-names-exe", EM_X86_64, CB_LE64, ET_DYN, .exe = true, .change = open_names },
	{ "x86_64-open-paths-exe", EM_X86_64, CB_LE64, ET_DYN, .exe = true, .change = open_paths },
	{ "x86_64-open-directory-exe", EM_X86_64, CB_LE64, ET_DYN, .exe = true, .change = open_directory },
	{ "aarch64-open-directory-exe", EM_AARCH64, CB_LE64, ET_EXEC, .exe = true, .change = open_directory },
	{ "x86_64-open-name-exe", EM_X86_64, CB_LE64, ET_DYN, .exe = true, .change = open_name },
	{ "i386-open-symbols-exe", EM_386, CB_LE32, ET_EXEC, .exe = true, .change = open_symbols },
	{ "aarch64-open-names-exe", EM_AARCH64, CB_LE64, ET_DYN, .exe = true, .change = open_names },
	{ "i386", EM_386, CB_LE32, ET_DYN, .exe = false },
	{ "i386-exe", EM_386, CB_LE32, ET_EXEC, .exe = true },
	{ "aarch64", EM_AARCH64, CB_LE64, ET_DYN, .change = sign },
	{ "aarch64-exe", EM_AARCH64, CB_LE64, ET_DYN, .exe = true, .change = sign },
	{ "aarch64_be", EM_AARCH64, CB_BE64, ET_EXEC, .exe = false },
	{ "riscv-exe", EM_RISCV, CB_LE64, ET_DYN, .exe = true },
	{ "s390x-strings-exe", EM_S390, CB_BE64, ET_DYN, .exe = true, .change = sb_use_strings },
	{ "s390x", EM_S390, CB_BE64, ET_DYN, .exe = false },
	{ "s390x-exe", EM_S390, CB_BE64, ET_EXEC, .exe = true },
	{ "ppc64-exe", EM_PPC64, CB_BE64, ET_EXEC, .exe = true },
	{ "ppc", EM_PPC, CB_BE32, ET_EXEC, .exe = false },
	{ "ppc-exe", EM_PPC, CB_BE32, ET_DYN, .exe = true },
	{ "mips-exe", EM_MIPS, CB_BE32, ET_EXEC, .exe = true },
	{ "mipsel", EM_MIPS, CB_LE32, ET_DYN, .exe = false },
	{ "mips64el-exe", EM_MIPS, CB_LE64, ET_DYN, .exe = true },
};

static void make_stacks(const char *dir)
{
	for (size_t i = 0; i < ARRAY_SIZE(stacks); i++) {
		struct sb s;
		char name[64];

		sb_begin_calls(&s, stacks[i].machine, stacks[i].fmt, stacks[i].type, stacks[i].exe);
		if (stacks[i].change)
			stacks[i].change(&s);
		sb_write(&s);
		if (stacks[i].exe) {
			pb_add(&s.file, STACK_EXE_MARK, STACK_EXE_MARK_LEN);
			pb_add(&s.file, s.eb.b.p, s.eb.b.len);
		}
		snprintf(name, sizeof(name), "stack-%s", stacks[i].name);
		save(dir, name, &s.file);
		sb_fini(&s);
	}
}

/* What the kernel says of this process. */
static void make_proc(const char *dir)
{
	static const char *const files[] = { "maps", "smaps", "stat", "status", "syscall" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct buf text = { 0 };
		struct buf b = { 0 };
		char path[64];
		struct err e;

		snprintf(path, sizeof(path), "/proc/self/%s", files[i]);
		if (!io_slurp(path, &text, 1 << 20, &e)) {
			pb_add(&b, FUZZ_PROC, strlen(FUZZ_PROC));
			pb_add(&b, files[i], strlen(files[i]));
			pb_add(&b, "\n", 1);
			pb_add(&b, text.p, text.len);
			snprintf(path, sizeof(path), "proc-%s", files[i]);
			save(dir, path, &b);
		}
		buf_fini(&text);
		buf_fini(&b);
	}
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: seeds DIRECTORY\n");
		return 2;
	}
	for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++)
		make(argv[1], seeds[i].name, &seeds[i]);
	make_machines(argv[1]);
	make_stacks(argv[1]);
	make_proc(argv[1]);
	make_packed(argv[1], "zstd-unchecked", pack_unchecked);
	for (size_t i = 0; i < ARRAY_SIZE(packers); i++)
		make_packed(argv[1], packers[i].name, packers[i].pack);
	return 0;
}
