#include <dwarf.h>

#include "unwindbuild.h"

#include "base/uapi.h"

/* How long vectors are, in whose measure frames are: from the notes of each thread. */
static void note(struct fixture *f, u32 type, const void *p, size_t len)
{
	cb_note_add(&f->o.cb, "LINUX", type, p, len);
}

/* As begin(), with notes of the second thread in between. */
static void begin_with(struct fixture *f, u16 machine, struct elffmt fmt, void (*notes)(struct fixture *f))
{
	struct unwind_opts opts = { 0 };
	struct err e = { 0 };

	*f = (struct fixture){ 0 };
	cb_good(&f->o.cb, machine, fmt);
	notes(f);
	open_built(&f->o);
	cb_ok(unwind_open(&f->u, &f->o.core, &opts, &e), &e);
}

/* The register @reg less @offset in thread @thread; 0 when it is not known. */
static u64 value_of(struct fixture *f, unsigned thread, u64 reg, s64 offset)
{
	Dwarf_Op op = { .atom = DW_OP_bregx, .number = reg, .number2 = (u64)offset };
	u64 got = 0;

	assert_true(regs_of_thread(f->u, &f->o.core.threads[thread], &f->r));
	return expr_eval(f->u, &f->r, 0, &op, 1, &got) ? got : 0;
}

/* struct user_sve_header: size, max_size, vl, max_vl, flags. */
static void sve_note(struct fixture *f, u32 type, u16 vl, u16 flags)
{
	u8 raw[16] = { 0 };
	struct elffmt fmt = f->o.cb.arch.fmt;

	uint_put(fmt, raw, 4, sizeof(raw));
	uint_put(fmt, raw + 4, 4, sizeof(raw));
	uint_put(fmt, raw + 8, 2, vl);
	uint_put(fmt, raw + 12, 2, flags);
	note(f, type, raw, sizeof(raw));
}

static void sve(struct fixture *f) { sve_note(f, NT_ARM_SVE, 64, 0); }
static void streaming(struct fixture *f)
{
	sve_note(f, NT_ARM_SVE, 64, 0);
	sve_note(f, NT_ARM_SSVE, 32, 1);
}
static void not_streaming(struct fixture *f)
{
	sve_note(f, NT_ARM_SVE, 64, 1);
	sve_note(f, NT_ARM_SSVE, 32, 0);
}
static void cut_off(struct fixture *f)
{
	note(f, NT_ARM_SVE, "\x20\0\0\0\x20\0\0\0", 8);
}

static void of_arm64(void **state)
{
	static const struct {
		void (*notes)(struct fixture *f);
		u64 vg;
	} rows[] = { { sve, 8 }, { streaming, 4 }, { not_streaming, 8 }, { cut_off, 0 } };
	enum { VG = 46 };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(rows); i++) {
		begin_with(&f, EM_AARCH64, (struct elffmt){ ELFCLASS64, i % 2 ? ELFDATA2MSB : ELFDATA2LSB }, rows[i / 2].notes);
		assert_int_equal(value_of(&f, 1, VG, 0), rows[i / 2].vg);
		assert_int_equal(value_of(&f, 1, VG, 16), rows[i / 2].vg ? rows[i / 2].vg + 16 : 0);
		/* The first thread has no such note, and no other's counts for it. */
		assert_int_equal(value_of(&f, 0, VG, 0), 0);
		end(&f);
	}
}

/* A function that changes the mode saves what it was: that is the caller's. */
static void saved_on_the_way(void **state)
{
	enum { VG = 46 };
	Dwarf_Op op = { .atom = DW_OP_bregx, .number = VG };
	struct fixture f;
	u64 got;

	(void)state;
	begin_with(&f, EM_AARCH64, (struct elffmt){ ELFCLASS64, ELFDATA2LSB }, streaming);
	assert_int_equal(value_of(&f, 1, VG, 0), 4);
	regs_set_dwarf(&f.r, VG, 8);
	assert_true(expr_eval(f.u, &f.r, 0, &op, 1, &got));
	assert_int_equal(got, 8);
	end(&f);
}

/* struct __riscv_v_regset_state: vstart, vl, vtype, vcsr, vlenb, then the vectors. */
static void vlenb(struct fixture *f)
{
	u8 raw[5 * 8 + 64] = { 0 };
	u8 word = f->o.cb.arch.word;

	uint_put(f->o.cb.arch.fmt, raw + word, word, 3);
	uint_put(f->o.cb.arch.fmt, raw + 4 * word, word, 32);
	note(f, NT_RISCV_VECTOR, raw, sizeof(raw));
}

static void of_riscv(void **state)
{
	enum { VLENB = 4096 + 0xc22, VL = 4096 + 0xc20 };
	struct fixture f;

	(void)state;
	for (int class = ELFCLASS32; class <= ELFCLASS64; class++) {
		begin_with(&f, EM_RISCV, (struct elffmt){ (u8)class, ELFDATA2LSB }, vlenb);
		assert_int_equal(value_of(&f, 1, VLENB, 0), 32);
		assert_int_equal(value_of(&f, 1, VL, 0), 0);
		assert_int_equal(value_of(&f, 0, VLENB, 0), 0);
		end(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_arm64),
		cmocka_unit_test(saved_on_the_way),
		cmocka_unit_test(of_riscv),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
