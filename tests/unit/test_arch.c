#include "cmocka_all.h"

#include <elf.h>

#include "arch/arch.h"
#include "base/scope.h"
#include "base/util.h"
#include "elf/note.h"

/*
 * What the kernels' structures are, beside what our tables make of them.  Sizes
 * and offsets: struct elf_prstatus and elf_prpsinfo compiled for each ABI, as
 * BFD's grok_prstatus() and grok_psinfo() know them (bfd/elf*-ARCH.c).  @used:
 * where the last register ends, as some kernels leave room after it.
 */
static const struct row {
	const char *name;
	u16 machine;
	u8 class, data;
	u32 e_flags;
	size_t prstatus, prpsinfo;
	size_t pid, regs;	/* offsets in prstatus */
	size_t fname;		/* in prpsinfo */
	size_t used;
	const char *pc, *sp;
	s32 dwarf_sp;
} rows[] = {
	{ "x86_64", EM_X86_64, ELFCLASS64, ELFDATA2LSB, 0, 336, 136, 32, 112, 40, 212, "rip", "rsp", 7 },
	{ "x32", EM_X86_64, ELFCLASS32, ELFDATA2LSB, 0, 296, 124, 24, 72, 28, 212, "rip", "rsp", 7 },
	{ "i386", EM_386, ELFCLASS32, ELFDATA2LSB, 0, 144, 124, 24, 72, 28, 68, "eip", "esp", 4 },
	{ "aarch64", EM_AARCH64, ELFCLASS64, ELFDATA2LSB, 0, 392, 136, 32, 112, 40, 272, "pc", "sp", 31 },
	{ "aarch64_be", EM_AARCH64, ELFCLASS64, ELFDATA2MSB, 0, 392, 136, 32, 112, 40, 272, "pc", "sp", 31 },
	{ "arm", EM_ARM, ELFCLASS32, ELFDATA2LSB, 0x5000400, 148, 124, 24, 72, 28, 72, "pc", "sp", 13 },
	{ "armeb", EM_ARM, ELFCLASS32, ELFDATA2MSB, 0, 148, 124, 24, 72, 28, 72, "pc", "sp", 13 },
	{ "riscv64", EM_RISCV, ELFCLASS64, ELFDATA2LSB, 5, 376, 136, 32, 112, 40, 256, "pc", "sp", 2 },
	{ "riscv32", EM_RISCV, ELFCLASS32, ELFDATA2LSB, 5, 204, 128, 24, 72, 32, 128, "pc", "sp", 2 },
	{ "ppc64", EM_PPC64, ELFCLASS64, ELFDATA2MSB, 1, 504, 136, 32, 112, 40, 352, "pc", "r1", 1 },
	{ "ppc64le", EM_PPC64, ELFCLASS64, ELFDATA2LSB, 2, 504, 136, 32, 112, 40, 352, "pc", "r1", 1 },
	{ "ppc", EM_PPC, ELFCLASS32, ELFDATA2MSB, 0, 268, 128, 24, 72, 32, 176, "pc", "r1", 1 },
	{ "s390x", EM_S390, ELFCLASS64, ELFDATA2MSB, 0, 336, 136, 32, 112, 40, 216, "pswa", "r15", 15 },
	{ "s390", EM_S390, ELFCLASS32, ELFDATA2MSB, 0, 224, 124, 24, 72, 28, 140, "pswa", "r15", 15 },
	{ "mips", EM_MIPS, ELFCLASS32, ELFDATA2MSB, 0, 256, 128, 24, 72, 32, 176, "pc", "sp", 29 },
	{ "mipsel", EM_MIPS, ELFCLASS32, ELFDATA2LSB, 0x1000, 256, 128, 24, 72, 32, 176, "pc", "sp", 29 },
	{ "mipsn32", EM_MIPS, ELFCLASS32, ELFDATA2MSB, 0x20, 440, 128, 24, 72, 32, 304, "pc", "sp", 29 },
	{ "mipsn32el", EM_MIPS, ELFCLASS32, ELFDATA2LSB, 0x20, 440, 128, 24, 72, 32, 304, "pc", "sp", 29 },
	{ "mips64", EM_MIPS, ELFCLASS64, ELFDATA2MSB, 0, 480, 136, 32, 112, 40, 304, "pc", "sp", 29 },
	{ "mips64el", EM_MIPS, ELFCLASS64, ELFDATA2LSB, 0x20000000, 480, 136, 32, 112, 40, 304, "pc", "sp", 29 },
	{ "loongarch64", EM_LOONGARCH, ELFCLASS64, ELFDATA2LSB, 0x43, 480, 136, 32, 112, 40, 280, "pc", "r3", 3 },
	{ "sparc64", EM_SPARCV9, ELFCLASS64, ELFDATA2MSB, 0, 408, 136, 32, 112, 40, 288, "pc", "sp", 14 },
	{ "sparc", EM_SPARC, ELFCLASS32, ELFDATA2MSB, 0, 228, 124, 24, 72, 28, 152, "pc", "sp", 14 },
	{ "m68k", EM_68K, ELFCLASS32, ELFDATA2MSB, 0, 154, 124, 22, 70, 28, 80, "pc", "sp", 15 },
	{ "alpha", EM_ALPHA, ELFCLASS64, ELFDATA2LSB, 0, 384, 136, 32, 112, 40, 264, "pc", "sp", 30 },
	{ "parisc", EM_PARISC, ELFCLASS32, ELFDATA2MSB, 0, 396, 128, 24, 72, 32, 256, "pcoqh", "sp", 30 },
};

static const struct arch *find(const struct row *r)
{
	return arch_find(r->machine, (struct elffmt){ r->class, r->data }, r->e_flags);
}

static void machines_are_found(void **state)
{
	size_t n = 0;

	(void)state;
	while (arches[n])
		n++;
	assert_int_equal(n, ARRAY_SIZE(rows));
	for (size_t i = 0; i < n; i++) {
		assert_non_null(find(&rows[i]));
		assert_string_equal(find(&rows[i])->name, rows[i].name);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(arches[i]->name, arches[j]->name);
	}
	assert_null(arch_find(EM_X86_64, (struct elffmt){ ELFCLASS64, ELFDATA2MSB }, 0));
	assert_null(arch_find(EM_68K, (struct elffmt){ ELFCLASS64, ELFDATA2MSB }, 0));
	assert_null(arch_find(0x7a5a, (struct elffmt){ ELFCLASS64, ELFDATA2LSB }, 0));
}

static void sizes_are_the_kernels(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *r = &rows[i];

		if (prstatus_size(find(r)) != r->prstatus || prpsinfo_size(find(r)) != r->prpsinfo)
			fail_msg("%s: prstatus %zu, prpsinfo %zu", r->name, prstatus_size(find(r)),
				 prpsinfo_size(find(r)));
	}
}

/* Where pid, registers, times and the command's name come to lie. */
static void members_are_where_the_kernels_are(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *r = &rows[i];
		const struct arch *a = find(r);
		u8 regs[512];
		struct prstatus st = { .pid = 0x01020304, .utime = { 7, 999999 }, .regs = { regs, a->gregs.size, 0 } }, out;
		struct prpsinfo ps = { .uid = 0x1234, .gid = 0x4321, .pid = 5, .fname = "name", .psargs = "args" }, ps_out;
		struct buf b scoped(buf_fini) = { 0 };
		struct buf p scoped(buf_fini) = { 0 };

		memset(regs, 0xa5, sizeof(regs));
		assert_int_equal(prstatus_put(a, &st, &b, NULL), 0);
		assert_int_equal(uint_get(a->fmt, b.p + r->pid, 4), 0x01020304);
		assert_int_equal(b.p[r->regs - 1], 0);
		assert_memory_equal(b.p + r->regs, regs, a->gregs.size);
		assert_int_equal(b.p[r->regs + a->gregs.size], 0);
		assert_int_equal(prstatus_get(a, (struct bytes){ b.p, b.len, 0 }, &out, NULL), 0);
		assert_int_equal(out.pid, st.pid);
		assert_int_equal(out.utime[0], 7);
		assert_int_equal(out.utime[1], 999999);
		assert_int_equal(prpsinfo_put(a, &ps, &p, NULL), 0);
		assert_string_equal((char *)p.p + r->fname, "name");
		assert_string_equal((char *)p.p + r->fname + 16, "args");
		assert_int_equal(prpsinfo_get(a, (struct bytes){ p.p, p.len, 0 }, &ps_out, NULL), 0);
		assert_int_equal(ps_out.uid, 0x1234);
		assert_int_equal(ps_out.gid, 0x4321);
		assert_int_equal(ps_out.pid, 5);
	}
}

/* sparc64's tv_usec is an int: its value is in the first half of the long's place. */
static void sparc64_microseconds(void **state)
{
	const struct arch *a = arch_find(EM_SPARCV9, (struct elffmt){ ELFCLASS64, ELFDATA2MSB }, 0);
	struct prstatus st = { .utime = { 1, 0x0a0b0c }, .stime = { 2, 3 } };
	struct buf b scoped(buf_fini) = { 0 };

	(void)state;
	assert_int_equal(prstatus_put(a, &st, &b, NULL), 0);
	assert_int_equal(uint_get(a->fmt, b.p + 48, 8), 1);
	assert_int_equal(uint_get(a->fmt, b.p + 56, 4), 0x0a0b0c);
	assert_int_equal(uint_get(a->fmt, b.p + 64, 8), 2);
}

static void registers_begin_and_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct arch *a = find(&rows[i]);
		const struct reg *last = &a->gregs.regs[a->gregs.n_regs - 1];

		assert_int_equal(last->off + last->size, rows[i].used);
		assert_true(rows[i].used <= a->gregs.size);
		assert_true(a->pc < a->gregs.n_regs && a->sp < a->gregs.n_regs);
		assert_string_equal(a->gregs.regs[a->pc].name, rows[i].pc);
		assert_string_equal(a->gregs.regs[a->sp].name, rows[i].sp);
		assert_int_equal(a->gregs.regs[a->sp].dwarf, rows[i].dwarf_sp);
	}
}

static void check_pair(const struct arch *a, const struct regset *set, const struct reg *x, const struct reg *y)
{
	if (!strcmp(x->name, y->name))
		fail_msg("%s, %s: %s is there twice", a->name, set->name, x->name);
	if (x->dwarf >= 0 && x->dwarf == y->dwarf)
		fail_msg("%s, %s: %s and %s are both DWARF %d", a->name, set->name, x->name, y->name, x->dwarf);
	if (x->off < y->off + y->size && y->off < x->off + x->size)
		fail_msg("%s, %s: %s and %s overlap", a->name, set->name, x->name, y->name);
}

static void check_set(const struct arch *a, const struct regset *set)
{
	for (unsigned i = 0; i < set->n_regs; i++) {
		const struct reg *r = &set->regs[i];

		if (!r->name[0] || !r->size || r->size > 64 || r->dwarf < -1)
			fail_msg("%s, %s: register %u", a->name, set->name, i);
		if (set->size && r->off + r->size > set->size)
			fail_msg("%s, %s: %s ends past %u", a->name, set->name, r->name, set->size);
		for (unsigned j = 0; j < i; j++)
			check_pair(a, set, r, &set->regs[j]);
	}
}

/* Two sets may have the same register (FXSAVE is in XSAVE), but then it has one number. */
static void check_sets_agree(const struct arch *a, const struct regset *s, const struct regset *t)
{
	for (unsigned i = 0; i < s->n_regs; i++)
		for (unsigned j = 0; j < t->n_regs; j++) {
			const struct reg *x = &s->regs[i], *y = &t->regs[j];

			if (x->dwarf >= 0 && x->dwarf == y->dwarf && strcmp(x->name, y->name))
				fail_msg("%s: %s of %s and %s of %s are both DWARF %d", a->name, x->name, s->name,
					 y->name, t->name, x->dwarf);
			if (!strcmp(x->name, y->name) && x->dwarf != y->dwarf)
				fail_msg("%s: %s is DWARF %d in %s, %d in %s", a->name, x->name, x->dwarf, s->name,
					 y->dwarf, t->name);
		}
}

static void registers_are_consistent(void **state)
{
	(void)state;
	for (size_t i = 0; arches[i]; i++) {
		const struct arch *a = arches[i];

		check_set(a, &a->gregs);
		for (unsigned j = 0; j < a->n_sets; j++) {
			check_set(a, &a->sets[j]);
			check_sets_agree(a, &a->gregs, &a->sets[j]);
			for (unsigned k = 0; k < j; k++)
				check_sets_agree(a, &a->sets[k], &a->sets[j]);
		}
	}
}

static void sets_are_notes_of_threads(void **state)
{
	(void)state;
	for (size_t i = 0; arches[i]; i++)
		for (unsigned j = 0; j < arches[i]->n_sets; j++) {
			const struct regset *s = &arches[i]->sets[j];
			const struct note_kind *k = note_kind_find(s->owner, s->type);

			if (!k || !k->per_thread)
				fail_msg("%s: set %s has no kind of note", arches[i]->name, s->name);
			assert_ptr_equal(arch_regset(arches[i], s->owner, s->type), s);
			for (unsigned l = 0; l < j; l++)
				assert_string_not_equal(s->name, arches[i]->sets[l].name);
			assert_string_not_equal(s->name, "general");
		}
	assert_null(arch_regset(arches[0], "CORE", NT_PRSTATUS));
	assert_null(arch_regset(arches[0], "LINUX", NT_PRFPREG));
}

/* Every register of every machine in its byte order: the last byte of the value is where it must be. */
static void registers_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; arches[i]; i++) {
		const struct arch *a = arches[i];
		struct bytes desc = { .len = a->gregs.size };
		u8 raw[512];
		u64 v;

		desc.p = raw;
		for (unsigned j = 0; j < a->gregs.n_regs; j++) {
			const struct reg *r = &a->gregs.regs[j];

			memset(raw, 0, sizeof(raw));
			raw[r->off + (a->fmt.data == ELFDATA2MSB ? r->size - 1 : 0)] = 0x5a;
			assert_int_equal(reg_get(a, &a->gregs, j, desc, &v, NULL), 0);
			assert_int_equal(v, 0x5a);
		}
		desc.len = a->gregs.regs[a->pc].off + 1;
		assert_int_equal(reg_get(a, &a->gregs, a->pc, desc, &v, NULL), ERR_TRUNCATED);
		assert_int_equal(arch_pc(a, desc, &v, NULL), ERR_TRUNCATED);
		assert_int_equal(reg_get(a, &a->gregs, a->gregs.n_regs, desc, &v, NULL), ERR_UNSUPPORTED);
	}
}

static void wide_registers_are_bytes(void **state)
{
	const struct arch *a = arch_find(EM_X86_64, (struct elffmt){ ELFCLASS64, ELFDATA2LSB }, 0);
	const struct regset *fp = arch_regset(a, "CORE", NT_PRFPREG);
	u8 raw[512] = { 0 };
	struct bytes desc = { .p = raw, .len = sizeof(raw) }, out;
	unsigned i = 0;
	u64 v;

	(void)state;
	while (strcmp(fp->regs[i].name, "xmm1"))
		i++;
	assert_int_equal(reg_bytes(a, fp, i, desc, &out, NULL), 0);
	assert_ptr_equal(out.p, raw + 176);
	assert_int_equal(out.len, 16);
	assert_int_equal(reg_get(a, fp, i, desc, &v, NULL), ERR_UNSUPPORTED);
}

static void program_counters_are_addresses(void **state)
{
	static const struct { u16 machine; u8 class, data; u64 reg, pc; } pcs[] = {
		{ EM_PARISC, ELFCLASS32, ELFDATA2MSB, 0x107eb, 0x107e8 },
		{ EM_S390, ELFCLASS32, ELFDATA2MSB, 0x80401234, 0x401234 },
		{ EM_S390, ELFCLASS64, ELFDATA2MSB, 0x80401234, 0x80401234 },
		{ EM_386, ELFCLASS32, ELFDATA2LSB, 0xf7f38079, 0xf7f38079 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pcs); i++) {
		const struct arch *a = arch_find(pcs[i].machine, (struct elffmt){ pcs[i].class, pcs[i].data }, 0);
		const struct reg *r = &a->gregs.regs[a->pc];
		u8 raw[512] = { 0 };
		u64 pc;

		uint_put(a->fmt, raw + r->off, r->size, pcs[i].reg);
		assert_int_equal(arch_pc(a, (struct bytes){ raw, sizeof(raw), 0 }, &pc, NULL), 0);
		assert_int_equal(pc, pcs[i].pc);
	}
}

/* n32 cores of old kernels say o32. */
/* A 32-bit machine's registers in the 64-bit one's table: "ebx" is "rbx" there, "cs" is "cs". */
static void narrow_registers_are_the_same(void **state)
{
	size_t n = 0;

	(void)state;
	for (size_t i = 0; arches[i]; i++) {
		const struct arch *wide = arches[i], *a = wide->compat;

		if (!a || !a->wide_regs)
			continue;
		for (size_t k = 0; k < a->gregs.n_regs; k++, n++) {
			const char *name = a->gregs.regs[k].name, *other;

			assert_in_range(a->wide_regs[k], 0, wide->gregs.n_regs - 1);
			other = wide->gregs.regs[a->wide_regs[k]].name;
			assert_int_equal(strlen(name), strlen(other));
			assert_string_equal(name + strlen(name) - 2, other + strlen(other) - 2);
		}
	}
	assert_int_equal(n, 17);
}

/* The kernels that run a second machine's programs, and what ptrace gives of a set that is not in use. */
static void narrow_machines_go_with_wide_ones(void **state)
{
	(void)state;
	for (size_t i = 0; arches[i]; i++) {
		const struct arch *a = arches[i];

		if (a->compat) {
			assert_int_equal(a->fmt.class, ELFCLASS64);
			assert_int_equal(a->compat->fmt.class, ELFCLASS32);
			assert_int_equal(a->compat->fmt.data, a->fmt.data);
			assert_null(a->compat->compat);
		}
		for (size_t k = 0; k < a->n_sets; k++)
			assert_true(!a->sets[k].unused || a->sets[k].size);
		assert_true(!a->syscall.mode_mask || a->syscall.mode_insn_len);
	}
}

static void abi_is_known_by_size(void **state)
{
	struct elffmt le32 = { ELFCLASS32, ELFDATA2LSB };
	const struct arch *o32 = arch_find(EM_MIPS, le32, 0), *n32 = arch_find(EM_MIPS, le32, EF_MIPS_ABI2);

	(void)state;
	assert_ptr_not_equal(o32, n32);
	assert_ptr_equal(prstatus_arch(o32, 440), n32);
	assert_ptr_equal(prstatus_arch(o32, 256), o32);
	assert_ptr_equal(prstatus_arch(n32, 256), o32);
	assert_ptr_equal(prstatus_arch(n32, 0), n32);
	assert_ptr_equal(prstatus_arch(o32, 480), o32);
	assert_null(prstatus_arch(NULL, 256));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(machines_are_found),
		cmocka_unit_test(sizes_are_the_kernels),
		cmocka_unit_test(members_are_where_the_kernels_are),
		cmocka_unit_test(sparc64_microseconds),
		cmocka_unit_test(registers_begin_and_end),
		cmocka_unit_test(registers_are_consistent),
		cmocka_unit_test(sets_are_notes_of_threads),
		cmocka_unit_test(registers_are_read),
		cmocka_unit_test(wide_registers_are_bytes),
		cmocka_unit_test(program_counters_are_addresses),
		cmocka_unit_test(narrow_registers_are_the_same),
		cmocka_unit_test(narrow_machines_go_with_wide_ones),
		cmocka_unit_test(abi_is_known_by_size),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
