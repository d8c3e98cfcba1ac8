#include "unwindbuild.h"

/*
 * Frames of signals, by a core of each machine in which one is built.  Places are
 * in bytes from the stack pointer as the handler returns.
 */
enum { CODE = CB_TEXT + 0x300, SP = CB_STACK + 0x100, NEW_SP = CB_STACK + 0x1800, PC = CB_TEXT + 0x10 };

#define LE64 { ELFCLASS64, ELFDATA2LSB }
#define BE64 { ELFCLASS64, ELFDATA2MSB }
#define LE32 { ELFCLASS32, ELFDATA2LSB }
#define BE32 { ELFCLASS32, ELFDATA2MSB }
#define CODE_OF(...) .code = { __VA_ARGS__ }, .len = sizeof((u8[]){ __VA_ARGS__ })

static const struct frame_row {
	const char *name;	/* machine, then that of the row */
	u16 machine;
	struct elffmt fmt;
	u32 flags;
	u8 code[12];
	u8 len;
	u16 pc_at, sp_at;
	u8 size;		/* of each that is saved */
	s32 dwarf;		/* of one more register, and where it is */
	u16 at;
	enum signal_code where;
	s32 signo_at;		/* -1: the kernel puts none there */
} rows[] = {
	{ "x86_64 rt_sigreturn", EM_X86_64, LE64, 0, CODE_OF(0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05),
	  168, 160, 8, 3, 128, CODE_MAPPED, 304 },
	{ "aarch64 rt_sigreturn", EM_AARCH64, LE64, 0, CODE_OF(0x68, 0x11, 0x80, 0xd2, 1, 0, 0, 0xd4),
	  568, 560, 8, 19, 464, CODE_MAPPED, 0 },
	{ "aarch64_be rt_sigreturn", EM_AARCH64, BE64, 0, CODE_OF(0x68, 0x11, 0x80, 0xd2, 1, 0, 0, 0xd4),
	  568, 560, 8, 19, 464, CODE_MAPPED, 0 },
	{ "i386 sigreturn", EM_386, LE32, 0, CODE_OF(0x58, 0xb8, 0x77, 0, 0, 0, 0xcd, 0x80),
	  60, 32, 4, 3, 36, CODE_ANYWHERE, 0 },
	{ "i386 rt_sigreturn", EM_386, LE32, 0, CODE_OF(0xb8, 0xad, 0, 0, 0, 0xcd, 0x80),
	  216, 188, 4, 3, 192, CODE_ANYWHERE, 0 },
	{ "ppc64 rt_sigreturn", EM_PPC64, BE64, 0, CODE_OF(0x38, 0x21, 0, 0x80, 0x38, 0, 0, 0xac, 0x44, 0, 0, 2),
	  616, 368, 8, 31, 608, CODE_ANYWHERE, 328 },
	{ "ppc64 rt_sigreturn of QEMU", EM_PPC64, BE64, 0, CODE_OF(0x38, 0, 0, 0xac, 0x44, 0, 0, 2),
	  632, 384, 8, 31, 624, CODE_MAPPED, 344 },
	{ "ppc64le rt_sigreturn", EM_PPC64, LE64, 0, CODE_OF(0x80, 0, 0x21, 0x38, 0xac, 0, 0, 0x38, 2, 0, 0, 0x44),
	  616, 368, 8, 31, 608, CODE_ANYWHERE, 328 },
	{ "ppc64le rt_sigreturn of QEMU", EM_PPC64, LE64, 0, CODE_OF(0xac, 0, 0, 0x38, 2, 0, 0, 0x44),
	  632, 384, 8, 65, 664, CODE_MAPPED, 344 },
	{ "ppc sigreturn", EM_PPC, BE32, 0, CODE_OF(0x38, 0, 0, 0x77, 0x44, 0, 0, 2),
	  224, 100, 4, 65, 240, CODE_ANYWHERE, 80 },
	{ "ppc rt_sigreturn", EM_PPC, BE32, 0, CODE_OF(0x38, 0, 0, 0xac, 0x44, 0, 0, 2),
	  528, 404, 4, 31, 524, CODE_ANYWHERE, 80 },
	{ "s390x sigreturn", EM_S390, BE64, 0, CODE_OF(0x0a, 0x77),
	  184, 312, 8, 14, 304, CODE_ANYWHERE, 520 },
	{ "s390x rt_sigreturn", EM_S390, BE64, 0, CODE_OF(0x0a, 0xad),
	  344, 472, 8, 14, 464, CODE_ANYWHERE, 168 },
	{ "s390 sigreturn", EM_S390, BE32, 0, CODE_OF(0x0a, 0x77),
	  116, 180, 4, 14, 176, CODE_ANYWHERE, 384 },
	{ "s390 rt_sigreturn", EM_S390, BE32, 0, CODE_OF(0x0a, 0xad),
	  260, 324, 4, 14, 320, CODE_ANYWHERE, 104 },
	{ "mips sigreturn", EM_MIPS, BE32, 0, CODE_OF(0x24, 2, 0x10, 0x17, 0, 0, 0, 0x0c),
	  32, 272, 8, 31, 288, CODE_ANYWHERE, -1 },
	{ "mips rt_sigreturn", EM_MIPS, BE32, 0, CODE_OF(0x24, 2, 0x10, 0x61, 0, 0, 0, 0x0c),
	  184, 424, 8, 31, 440, CODE_ANYWHERE, 24 },
	{ "mipsel sigreturn", EM_MIPS, LE32, 0, CODE_OF(0x17, 0x10, 2, 0x24, 0x0c, 0, 0, 0),
	  32, 272, 8, 31, 288, CODE_ANYWHERE, -1 },
	{ "mipsel rt_sigreturn", EM_MIPS, LE32, 0, CODE_OF(0x61, 0x10, 2, 0x24, 0x0c, 0, 0, 0),
	  184, 424, 8, 31, 440, CODE_ANYWHERE, 24 },
	{ "mipsn32 rt_sigreturn", EM_MIPS, BE32, EF_MIPS_ABI2, CODE_OF(0x24, 2, 0x18, 0x43, 0, 0, 0, 0x0c),
	  752, 408, 8, 31, 424, CODE_ANYWHERE, 24 },
	{ "mipsn32el rt_sigreturn", EM_MIPS, LE32, EF_MIPS_ABI2, CODE_OF(0x43, 0x18, 2, 0x24, 0x0c, 0, 0, 0),
	  752, 408, 8, 31, 424, CODE_ANYWHERE, 24 },
	{ "mips64 rt_sigreturn", EM_MIPS, BE64, 0, CODE_OF(0x24, 2, 0x14, 0x5b, 0, 0, 0, 0x0c),
	  768, 424, 8, 31, 440, CODE_ANYWHERE, 24 },
	{ "mips64el rt_sigreturn", EM_MIPS, LE64, 0, CODE_OF(0x5b, 0x14, 2, 0x24, 0x0c, 0, 0, 0),
	  768, 424, 8, 31, 440, CODE_ANYWHERE, 24 },
	{ "m68k sigreturn", EM_68K, BE32, 0, CODE_OF(0x70, 0x77, 0x4e, 0x40),
	  50, 28, 4, 1, 36, CODE_IN_FRAME, 0 },
	{ "m68k sigreturn of QEMU", EM_68K, BE32, 0, CODE_OF(0x70, 0x77, 0x4e, 0x40),
	  42, 20, 4, 1, 28, CODE_MAPPED, 0 },
	{ "m68k rt_sigreturn", EM_68K, BE32, 0, CODE_OF(0x70, 0x52, 0x46, 0, 0x4e, 0x40),
	  236, 232, 4, 14, 228, CODE_IN_FRAME, 0 },
	{ "m68k rt_sigreturn of QEMU", EM_68K, BE32, 0, CODE_OF(0x70, 0x52, 0x46, 0, 0x4e, 0x40),
	  228, 224, 4, 14, 220, CODE_MAPPED, 0 },
	{ "m68k rt_sigreturn of ColdFire", EM_68K, BE32, 0, CODE_OF(0x20, 0x3c, 0, 0, 0, 0xad, 0x4e, 0x40),
	  236, 232, 4, 10, 212, CODE_IN_FRAME, 0 },
	{ "riscv64 rt_sigreturn", EM_RISCV, LE64, 0, CODE_OF(0x93, 8, 0xb0, 8, 0x73, 0, 0, 0),
	  304, 320, 8, 8, 368, CODE_ANYWHERE, 0 },
	{ "riscv32 rt_sigreturn", EM_RISCV, LE32, 0, CODE_OF(0x93, 8, 0xb0, 8, 0x73, 0, 0, 0),
	  288, 296, 4, 8, 320, CODE_ANYWHERE, 0 },
	{ "loongarch64 rt_sigreturn", EM_LOONGARCH, LE64, 0, CODE_OF(0x0b, 0x2c, 0x82, 3, 0, 0, 0x2b, 0),
	  304, 336, 8, 22, 488, CODE_MAPPED, 0 },
	{ "alpha sigreturn", EM_ALPHA, LE64, 0, CODE_OF(0x10, 4, 0xfe, 0x47, 0x67, 0, 0x1f, 0x20, 0x83, 0, 0, 0),
	  16, 272, 8, 26, 240, CODE_ANYWHERE, -1 },
	{ "alpha rt_sigreturn", EM_ALPHA, LE64, 0, CODE_OF(0x10, 4, 0xfe, 0x47, 0x5f, 1, 0x1f, 0x20, 0x83, 0, 0, 0),
	  192, 448, 8, 15, 328, CODE_ANYWHERE, 0 },
	{ "sparc64 rt_sigreturn", EM_SPARCV9, BE64, 0, CODE_OF(0x82, 0x10, 0x20, 0x65, 0x91, 0xd0, 0x20, 0x6d),
	  2503, 2479, 8, 31, 2167, CODE_MAPPED, 2239 },
	{ "sparc sigreturn", EM_SPARC, BE32, 0, CODE_OF(0x82, 0x10, 0x20, 0xd8, 0x91, 0xd0, 0x20, 0x10),
	  100, 168, 4, 30, 56, CODE_ANYWHERE, -1 },
	{ "sparc rt_sigreturn", EM_SPARC, BE32, 0, CODE_OF(0x82, 0x10, 0x20, 0x65, 0x91, 0xd0, 0x20, 0x10),
	  228, 296, 4, 30, 56, CODE_ANYWHERE, 96 },
};

static const struct frame_row *row_of(const char *name)
{
	const struct frame_row *row = rows;

	while (strcmp(row->name, name))
		row++;
	return row;
}

static void poke_uint(struct fixture *f, u64 addr, unsigned size, u64 value)
{
	u8 raw[8];

	uint_put(f->o.core.fmt, raw, size, value);
	poke(f, addr, raw, size);
}

static void open_frame(struct fixture *f, const struct frame_row *row, u64 code)
{
	begin_abi(f, row->machine, row->fmt, row->flags);
	assert_non_null(f->o.core.arch);
	poke_uint(f, SP + row->pc_at, row->size, PC);
	poke_uint(f, SP + row->sp_at, row->size, NEW_SP);
	poke_uint(f, SP + row->at, row->size, 0xb0b);
	poke(f, code, row->code, row->len);
	f->r.pc = code;
	regs_set(f->u, &f->r, f->o.core.arch->sp, SP);
}

static void expect_interrupted(struct fixture *f, const struct frame_row *row)
{
	u64 sp;

	assert_true(step_signal(f->u, &f->r));
	assert_int_equal(f->r.pc, PC);
	assert_true(f->r.exact);
	assert_true(regs_get(f->u, &f->r, f->o.core.arch->sp, &sp));
	assert_int_equal(sp, NEW_SP);
	assert_true(f->r.have[row->dwarf]);
	assert_int_equal(f->r.v[row->dwarf], 0xb0b);
}

static void signal_row(void **state)
{
	const struct frame_row *row = *state;
	struct fixture f;

	open_frame(&f, row, CODE);
	assert_true(step_is_signal(f.u, CODE, SP));
	/* Any other code is no signal frame. */
	assert_false(step_is_signal(f.u, CODE + 1, SP));
	/* Nor is this one where nothing could run it. */
	poke(&f, CB_HEAP, row->code, row->len);
	assert_false(step_is_signal(f.u, CB_HEAP, SP));
	expect_interrupted(&f, row);
	end(&f);
}

static void signal_row_on_stack(void **state)
{
	const struct frame_row *row = *state;
	struct fixture f;

	open_frame(&f, row, SP + 0xe00);
	assert_true(step_is_signal(f.u, SP + 0xe00, SP));
	assert_false(step_is_signal(f.u, SP + 0xe00, 0));
	assert_false(step_is_signal(f.u, SP + 0xe00, SP + 0x1000));
	expect_interrupted(&f, row);
	end(&f);
}

/* m68k's sigcontext has only what a call may change: the rest, here %d7, is as the handler leaves it. */
static void rest_is_kept(void **state)
{
	const struct frame_row *row = row_of("m68k sigreturn");
	struct fixture f;

	(void)state;
	open_frame(&f, row, SP + 0xe00);
	f.r.v[7] = 0x77;
	f.r.have[7] = true;
	expect_interrupted(&f, row);
	assert_true(f.r.have[7]);
	assert_int_equal(f.r.v[7], 0x77);
	end(&f);
}

/* Elsewhere what is not saved, here %cs, is not known. */
static void rest_is_unknown(void **state)
{
	const struct frame_row *row = row_of("i386 sigreturn");
	struct fixture f;

	(void)state;
	open_frame(&f, row, CODE);
	f.r.have[41] = true;
	expect_interrupted(&f, row);
	assert_false(f.r.have[41]);
	end(&f);
}

/* s390's leaf functions save general registers in these: %f4, in DWARF 18, is the fifth after fpc. */
static void floats_of_s390(void **state)
{
	static const struct {
		const char *name;
		u64 at;
	} cases[] = {
		{ "s390x sigreturn", 176 + 216 + 4 * 8 },	{ "s390x rt_sigreturn", 336 + 216 + 4 * 8 },
		{ "s390 sigreturn", 112 + 144 + 4 * 8 },	{ "s390 rt_sigreturn", 256 + 144 + 4 * 8 },
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct frame_row *row = row_of(cases[i].name);

		open_frame(&f, row, CODE);
		poke_uint(&f, SP + cases[i].at, 8, 0x1122334455667788);
		expect_interrupted(&f, row);
		assert_true(f.r.have[18]);
		assert_int_equal(f.r.v[18], 0x1122334455667788);
		end(&f);
	}
}

/* And so does the thread's innermost function. */
static void floats_of_s390_threads(void **state)
{
	u8 regs[136] = { [8 + 4 * 8] = 0x11, [8 + 4 * 8 + 7] = 0x88 };
	struct fixture f = { 0 };
	struct cb_note *n;
	struct unwind_opts opts = { 0 };
	struct err e = { 0 };

	(void)state;
	cb_good(&f.o.cb, EM_S390, (struct elffmt)BE64);
	n = cb_note_at(&f.o.cb, NT_PRFPREG, 0);
	buf_fini(&n->desc);
	n->desc = (struct buf){ 0 };
	cb_ok(buf_add(&n->desc, regs, sizeof(regs), &e), &e);
	open_built(&f.o);
	cb_ok(unwind_open(&f.u, &f.o.core, &opts, &e), &e);
	assert_true(regs_of_thread(f.u, &f.o.core.threads[0], &f.r));
	assert_true(f.r.have[18]);
	assert_int_equal(f.r.v[18], 0x1100000000000088);
	end(&f);
}

/* ---- the code is not in the core */

/* The page of the program that is not saved; AT_PAGESZ becomes AT_SYSINFO_EHDR, where the test wants a vdso. */
enum { NOT_SAVED = CB_TEXT + CB_PAGE + 0x10, NOT_MAPPED = CB_HEAP - CB_PAGE };

static void open_absent(struct fixture *f, const struct frame_row *row, u64 vdso)
{
	struct unwind_opts opts = { 0 };
	struct err e = { 0 };
	u8 *auxv;

	*f = (struct fixture){ 0 };
	cb_good_abi(&f->o.cb, row->machine, row->fmt, row->flags);
	auxv = cb_note_at(&f->o.cb, NT_AUXV, 0)->desc.p;
	uint_put(row->fmt, auxv, f->o.cb.arch.word, vdso ? AT_SYSINFO_EHDR : AT_IGNORE);
	uint_put(row->fmt, auxv + f->o.cb.arch.word, f->o.cb.arch.word, vdso);
	open_built(&f->o);
	cb_ok(unwind_open(&f->u, &f->o.core, &opts, &e), &e);
	poke_uint(f, SP + row->pc_at, row->size, PC);
	poke_uint(f, SP + row->sp_at, row->size, NEW_SP);
	poke_uint(f, SP + row->at, row->size, 0xb0b);
	if (row->signo_at >= 0)
		poke_uint(f, SP + (u64)row->signo_at, 4, 11);
	f->r.pc = NOT_SAVED;
	regs_set(f->u, &f->r, f->o.core.arch->sp, SP);
}

/* What the kernel saved decides, and the one of the machine's forms that fits. */
static void code_is_absent(void **state)
{
	const struct frame_row *row = *state;
	struct fixture f;

	open_absent(&f, row, CB_TEXT);
	assert_false(step_is_signal(f.u, NOT_SAVED, SP));
	assert_true(step_is_like_signal(f.u, NOT_SAVED, SP));
	/* Where the code can be read, it decides; without a stack pointer nothing does. */
	assert_false(step_is_like_signal(f.u, CODE, SP));
	assert_false(step_is_like_signal(f.u, NOT_SAVED, 0));
	assert_false(step_is_like_signal(f.u, NOT_SAVED, SP + 8));
	expect_interrupted(&f, row);
	end(&f);
}

/* Outside of a vdso any function may have been called there: all must fit. */
static void code_is_anywhere(void **state)
{
	const struct frame_row *row = *state;
	struct fixture f;

	open_absent(&f, row, 0);
	assert_int_equal(step_is_like_signal(f.u, NOT_SAVED, SP), row->signo_at >= 0);
	assert_int_equal(step_is_like_signal(f.u, NOT_MAPPED, SP), row->signo_at >= 0);
	poke_uint(&f, SP + row->pc_at, row->size, CB_HEAP);
	assert_false(step_is_like_signal(f.u, NOT_SAVED, SP));
	poke_uint(&f, SP + row->pc_at, row->size, PC);
	if (row->signo_at >= 0)
		poke_uint(&f, SP + (u64)row->signo_at, 4, 0);
	assert_false(step_is_like_signal(f.u, NOT_SAVED, SP));
	end(&f);
}

/* A handler that wants no siginfo may have none in its frame: that the thread has no alternate stack is said there. */
static void code_and_siginfo_are_absent(void **state)
{
	static const struct {
		const char *name;
		u16 stack, mode, size;
		u8 word;
	} cases[] = {
		{ "aarch64 rt_sigreturn", 144, 152, 160, 8 },	{ "x86_64 rt_sigreturn", 16, 24, 32, 8 },
		{ "riscv64 rt_sigreturn", 144, 152, 160, 8 },	{ "ppc64le rt_sigreturn", 144, 152, 160, 8 },
		{ "i386 rt_sigreturn", 148, 152, 156, 4 },	{ "mips64 rt_sigreturn", 168, 184, 176, 8 },
		{ "mips rt_sigreturn", 160, 168, 164, 4 },
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct frame_row *row = row_of(cases[i].name);

		open_absent(&f, row, 0);
		poke_uint(&f, SP + (u64)row->signo_at, 4, 0);
		poke_uint(&f, SP + cases[i].stack, cases[i].word, 0);
		poke_uint(&f, SP + cases[i].size, cases[i].word, 0);
		poke_uint(&f, SP + cases[i].mode, 4, 0);
		assert_false(step_is_like_signal(f.u, NOT_SAVED, SP));
		poke_uint(&f, SP + cases[i].mode, 4, SS_DISABLE);
		assert_true(step_is_like_signal(f.u, NOT_SAVED, SP));
		/* One that has no size begins nowhere, and one that has a size is memory that can be written. */
		poke_uint(&f, SP + cases[i].stack, cases[i].word, CB_STACK);
		assert_false(step_is_like_signal(f.u, NOT_SAVED, SP));
		poke_uint(&f, SP + cases[i].size, cases[i].word, CB_PAGE);
		assert_false(step_is_like_signal(f.u, NOT_SAVED, SP));
		poke_uint(&f, SP + cases[i].mode, 4, 1u << 31 /* SS_AUTODISARM */ | SS_ONSTACK);
		assert_true(step_is_like_signal(f.u, NOT_SAVED, SP));
		poke_uint(&f, SP + cases[i].stack, cases[i].word, CB_TEXT);
		assert_false(step_is_like_signal(f.u, NOT_SAVED, SP));
		end(&f);
	}
}

/* A call through a null pointer met the signal, in a vdso that the core has no area of. */
static void code_is_unmapped(void **state)
{
	const struct frame_row *row = row_of("aarch64 rt_sigreturn");
	struct fixture f;

	(void)state;
	open_absent(&f, row, NOT_MAPPED - 0x400);
	poke_uint(&f, SP + row->pc_at, row->size, 0);
	assert_true(step_is_like_signal(f.u, NOT_MAPPED, SP));
	assert_false(step_is_like_signal(f.u, NOT_SAVED, SP));
	/* But with an impossible stack it is no signal frame. */
	poke_uint(&f, SP + row->sp_at, row->size, CB_TEXT);
	assert_false(step_is_like_signal(f.u, NOT_MAPPED, SP));
	end(&f);
}

static bool is_tested(const struct arch *a, const struct signal_frame *s)
{
	char name[64];

	snprintf(name, sizeof(name), "%s %s", a->name, s->name);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strcmp(rows[i].name, name))
			return true;
	return false;
}

/* But those of Arm, which have their own test. */
static void every_row_is_here(void **state)
{
	(void)state;
	for (const struct arch *const *a = arches; *a; a++)
		for (size_t i = 0; (*a)->machine != EM_ARM && i < (*a)->frame.n_signals; i++)
			if (!is_tested(*a, &(*a)->frame.signals[i]))
				fail_msg("%s %s", (*a)->name, (*a)->frame.signals[i].name);
}

/* Where no row allows it, code on the stack is no signal frame. */
static void not_on_stack(void **state)
{
	const struct frame_row *row = rows;
	struct fixture f;

	(void)state;
	assert_int_equal(row->where, CODE_MAPPED);
	open_frame(&f, row, SP + 0xe00);
	assert_false(step_is_signal(f.u, SP + 0xe00, SP));
	end(&f);
}

int main(void)
{
	enum { N = ARRAY_SIZE(rows) };
	static struct CMUnitTest tests[4 * N + 8] = {
		cmocka_unit_test(rest_is_kept),		cmocka_unit_test(rest_is_unknown),
		cmocka_unit_test(every_row_is_here),	cmocka_unit_test(not_on_stack),
		cmocka_unit_test(floats_of_s390),	cmocka_unit_test(floats_of_s390_threads),
		cmocka_unit_test(code_is_unmapped),	cmocka_unit_test(code_and_siginfo_are_absent),
	};
	static char names[N][64], absent[N][64], anywhere[N][64];
	size_t n = 8;

	for (size_t i = 0; i < N; i++) {
		void *row = (void *)&rows[i];

		snprintf(names[i], sizeof(names[i]), "%s, on the stack", rows[i].name);
		snprintf(absent[i], sizeof(absent[i]), "%s, without the vdso's code", rows[i].name);
		snprintf(anywhere[i], sizeof(anywhere[i]), "%s, without code", rows[i].name);
		if (rows[i].where != CODE_IN_FRAME) {
			tests[n++] = (struct CMUnitTest){ rows[i].name, signal_row, NULL, NULL, row };
			tests[n++] = (struct CMUnitTest){ absent[i], code_is_absent, NULL, NULL, row };
			tests[n++] = (struct CMUnitTest){ anywhere[i], code_is_anywhere, NULL, NULL, row };
		}
		if (rows[i].where != CODE_MAPPED)
			tests[n++] = (struct CMUnitTest){ names[i], signal_row_on_stack, NULL, NULL, row };
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return _cmocka_run_group_tests("signal frames", tests, n, NULL, NULL);
}
