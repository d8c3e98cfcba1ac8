#include "cmocka_all.h"

#include <string.h>

#include "base/util.h"
#include "unwind/code/insn.h"

/* What instructions of RISC-V are read as; they are as GNU as assembles them. */
enum { RA = 1, SP = 2, T0 = 5, T1 = 6, S0 = 8, S1 = 9, A0 = 10, A1 = 11, A2 = 12, A3 = 13, A5 = 15 };

static const struct elffmt le = { ELFCLASS64, ELFDATA2LSB };

#define AT 0x10000u
#define R(n) (1u << (n))
static const struct {
	const char *name;
	u32 code;
	struct code_op op;
	u8 flow, ret;
	u64 target;
	u64 clobbers;
	bool is_nop;
	u8 word;	/* 4: of 32 bits only */
} insns[] = {
	{ "addi sp,sp,-2032", 0x81010113, .op = { CODE_SET, SP, SP, 0, 0, -2032 } },
	{ "mv a0,s0", 0x8522, .op = { CODE_SET, A0, S0, 0, 0, 0 } },
	{ "nop", 0x00000013, .op = { CODE_SET, CODE_NONE, CODE_CONST, 0, 0, 0 }, .is_nop = true },
	{ "c.nop", 0x0001, .op = { CODE_SET, CODE_NONE, CODE_CONST, 0, 0, 0 }, .is_nop = true },
	{ "li a5,-5", 0xffb00793, .op = { CODE_SET, A5, CODE_CONST, 0, 0, -5 } },
	{ "lui t0,0xfffff", 0xfffff2b7, .op = { CODE_SET, T0, CODE_CONST, 0, 0, -4096 } },
	{ "auipc t1,0x12", 0x00012317, .op = { CODE_SET, T1, CODE_CONST, 0, 0, AT + 0x12000 } },
	{ "add sp,sp,t0", 0x00510133, .op = { CODE_ADD, SP, SP, T0, 0, 1 } },
	{ "sub sp,sp,a5", 0x40f10133, .op = { CODE_ADD, SP, SP, A5, 0, -1 } },
	{ "sh3add sp,t0,sp", 0x2022e133, .op = { CODE_ADD, SP, SP, T0, 0, 8 } },
	{ "slli t0,t0,12", 0x00c29293, .op = { CODE_ADD, T0, CODE_CONST, T0, 0, 4096 } },
	{ "slli t0,t1,40", 0x02831293, .clobbers = R(T0) },
	{ "andi sp,sp,-64", 0xfc017113, .op = { CODE_ALIGN, SP, SP, 0, 0, -64 } },
	{ "andi sp,sp,-63", 0xfc117113, .clobbers = R(SP) },
	{ "xori a0,a0,1", 0x00154513, .clobbers = R(A0) },
	{ "mul a0,a1,a2", 0x02c58533, .clobbers = R(A0) },
	{ "addw a3,a0,a1", 0x00b506bb, .clobbers = R(A3) },
	{ "slliw a3,a0,3", 0x0035169b, .clobbers = R(A3) },
	{ "sd ra,-8(s0)", 0xfe143c23, .op = { CODE_STORE, S0, RA, 0, 8, -8 } },
	{ "sw zero,2047(sp)", 0x7e012fa3, .op = { CODE_STORE, SP, CODE_CONST, 0, 4, 2047 } },
	{ "sb a0,-2048(sp)", 0x80a10023, .op = { CODE_STORE, SP, A0, 0, 1, -2048 } },
	{ "ld s1,-24(s0)", 0xfe843483, .op = { CODE_LOAD, S1, S0, 0, 8, -24 } },
	{ "lwu a0,4(a1)", 0x0045e503, .op = { CODE_LOAD, A0, A1, 0, 4, 4 } },
	{ "fsd fs0,8(sp)", 0x00813427, .op = { CODE_STORE, SP, CODE_NONE, 0, 8, 8 } },
	{ "fld fs0,8(sp)", 0x00813407, .flow = CODE_NEXT },
	{ "amoadd.d a0,a1,(a2)", 0x00b6352f, .op = { CODE_STORE, A2, CODE_NONE, 0, 8, 0 }, .clobbers = R(A0) },
	{ "lr.w a0,(a2)", 0x1006252f, .clobbers = R(A0) },
	{ "fence rw,rw", 0x0330000f, .flow = CODE_NEXT },
	{ "csrr a0,fcsr", 0x00302573, .clobbers = R(A0) },
	{ "ecall", 0x00000073, .clobbers = R(A0) },
	{ "ebreak", 0x00100073, .flow = CODE_STOP },
	{ "unimp", 0xc0001073, .flow = CODE_STOP },
	{ "feq.d a0,fa0,fa1", 0xa2b52553, .clobbers = R(A0) },
	{ "fcvt.w.d a0,fa0", 0xc2057553, .clobbers = R(A0) },
	{ "fmv.x.d a0,fa0", 0xe2050553, .clobbers = R(A0) },
	{ "fmv.d.x fs0,a0", 0xf2050453, .flow = CODE_NEXT },
	{ "fmadd.d fs0,fa0,fa1,fa2", 0x62b57443, .flow = CODE_NEXT },
	{ "vsetvli a0,zero,e32,m1,ta,ma", 0x0d007557, .clobbers = R(A0) },
	{ "vmv.x.s a0,v8", 0x42802557, .clobbers = R(A0) },
	{ "vadd.vv v8,v2,v1", 0x02208457, .flow = CODE_NEXT },
	{ "a vendor's own", 0xe080950b, .clobbers = R(A0) | R(RA) | R(S0) },
	{ "jal ra,.+0x1000", 0x000010ef, .flow = CODE_CALL, .target = AT + 0x1000, .clobbers = R(RA) },
	{ "j .-0x800", 0x801ff06f, .flow = CODE_JUMP, .target = AT - 0x800 },
	{ "jal t0,.+0x7fe", 0x7fe002ef, .flow = CODE_CALL, .target = AT + 0x7fe, .clobbers = 0xfffffffe },
	{ "jalr t1,t3", 0x000e0367, .flow = CODE_JUMP, .clobbers = R(T1) },
	{ "ret", 0x00008067, .flow = CODE_RETURN, .ret = RA },
	{ "jr 4(ra)", 0x00408067, .flow = CODE_JUMP },
	{ "jr t0", 0x00028067, .flow = CODE_RETURN, .ret = T0 },
	{ "jr a5", 0x00078067, .flow = CODE_JUMP },
	{ "jalr a5", 0x000780e7, .flow = CODE_CALL, .clobbers = R(RA) },
	{ "bne a0,a1,.+0xffe", 0x7eb51fe3, .flow = CODE_BRANCH, .target = AT + 0xffe },
	{ "bltu a0,a1,.-0x1000", 0x80b56063, .flow = CODE_BRANCH, .target = AT - 0x1000 },
	{ "c.unimp", 0x0000, .op = { CODE_SET, S0, SP, 0, 0, 0 }, .flow = CODE_STOP },
	{ "c.addi4spn s0,sp,1020", 0x1fe0, .op = { CODE_SET, S0, SP, 0, 0, 1020 } },
	{ "c.addi4spn a5,sp,336", 0x0a9c, .op = { CODE_SET, A5, SP, 0, 0, 336 } },
	{ "c.lw a0,84(s0)", 0x4868, .op = { CODE_LOAD, A0, S0, 0, 4, 84 } },
	{ "c.ld a0,168(s1)", 0x74c8, .op = { CODE_LOAD, A0, S1, 0, 8, 168 } },
	{ "c.fld fa0,8(s1)", 0x2488, .flow = CODE_NEXT },
	{ "c.sw a0,40(s0)", 0xd408, .op = { CODE_STORE, S0, A0, 0, 4, 40 } },
	{ "c.sd a1,80(s0)", 0xe82c, .op = { CODE_STORE, S0, A1, 0, 8, 80 } },
	{ "c.fsd fa1,80(s0)", 0xa82c, .op = { CODE_STORE, S0, CODE_NONE, 0, 8, 80 } },
	{ "c.addi s1,-22", 0x14a9, .op = { CODE_SET, S1, S1, 0, 0, -22 } },
	{ "c.li s1,21", 0x44d5, .op = { CODE_SET, S1, CODE_CONST, 0, 0, 21 } },
	{ "c.lui t0,0xfffeb", 0x72ad, .op = { CODE_SET, T0, CODE_CONST, 0, 0, -21 * 4096 } },
	{ "c.addi16sp sp,-352", 0x710d, .op = { CODE_SET, SP, SP, 0, 0, -352 } },
	{ "c.addi16sp sp,336", 0x6171, .op = { CODE_SET, SP, SP, 0, 0, 336 } },
	{ "c.mop.1", 0x6081, .flow = CODE_NEXT },
	{ "c.sub a0,a1", 0x8d0d, .op = { CODE_ADD, A0, A0, A1, 0, -1 } },
	{ "c.addw a0,a1", 0x9d2d, .clobbers = R(A0) },
	{ "c.andi s1,-16", 0x98c1, .clobbers = R(S1) },
	{ "c.srli s1,3", 0x808d, .clobbers = R(S1) },
	{ "c.j .-1366", 0xb46d, .flow = CODE_JUMP, .target = AT - 1366 },
	{ "c.j .+1364", 0xab91, .flow = CODE_JUMP, .target = AT + 1364 },
	{ "c.beqz a0,.-172", 0xd931, .flow = CODE_BRANCH, .target = AT - 172 },
	{ "c.bnez s1,.+170", 0xe4cd, .flow = CODE_BRANCH, .target = AT + 170 },
	{ "c.slli t0,12", 0x02b2, .op = { CODE_ADD, T0, CODE_CONST, T0, 0, 4096 } },
	{ "c.slli t0,33", 0x1286, .clobbers = R(T0) },
	{ "c.lwsp a0,84(sp)", 0x4556, .op = { CODE_LOAD, A0, SP, 0, 4, 84 } },
	{ "c.ldsp ra,168(sp)", 0x70aa, .op = { CODE_LOAD, RA, SP, 0, 8, 168 } },
	{ "c.ldsp ra,336(sp)", 0x60d6, .op = { CODE_LOAD, RA, SP, 0, 8, 336 } },
	{ "c.fldsp fs0,8(sp)", 0x2422, .flow = CODE_NEXT },
	{ "c.fsdsp fs0,40(sp)", 0xb422, .op = { CODE_STORE, SP, CODE_NONE, 0, 8, 40 } },
	{ "c.swsp a0,148(sp)", 0xcb2a, .op = { CODE_STORE, SP, A0, 0, 4, 148 } },
	{ "c.sdsp ra,168(sp)", 0xf506, .op = { CODE_STORE, SP, RA, 0, 8, 168 } },
	{ "c.sdsp zero,336(sp)", 0xea82, .op = { CODE_STORE, SP, CODE_CONST, 0, 8, 336 } },
	{ "c.mv s1,a0", 0x84aa, .op = { CODE_SET, S1, A0, 0, 0, 0 } },
	{ "c.add sp,t0", 0x9116, .op = { CODE_ADD, SP, SP, T0, 0, 1 } },
	{ "c.jr ra", 0x8082, .flow = CODE_RETURN, .ret = RA },
	{ "c.jr a5", 0x8782, .flow = CODE_JUMP },
	{ "c.jalr a5", 0x9782, .flow = CODE_CALL, .clobbers = R(RA) },
	{ "c.ebreak", 0x9002, .flow = CODE_STOP },
	{ "c.jal .+1364", 0x2b91, .flow = CODE_CALL, .target = AT + 1364, .clobbers = R(RA), .word = 4 },
	{ "c.flwsp fs0,12(sp)", 0x6432, .flow = CODE_NEXT, .word = 4 },
	{ "c.fswsp fs0,44(sp)", 0xf622, .op = { CODE_STORE, SP, CODE_NONE, 0, 4, 44 }, .word = 4 },
	{ "c.flw fa0,4(s1)", 0x60c8, .flow = CODE_NEXT, .word = 4 },
	{ "c.fsw fa0,84(s1)", 0xe8e8, .op = { CODE_STORE, S1, CODE_NONE, 0, 4, 84 }, .word = 4 },
	{ "c.swsp ra,44(sp)", 0xd606, .op = { CODE_STORE, SP, RA, 0, 4, 44 }, .word = 4 },
};

static void expect_op(const char *name, const struct code_insn *in, const struct code_op *want)
{
	static const struct code_op none = { 0 };

	if (!memcmp(want, &none, sizeof(none))) {
		if (in->n_ops)
			fail_msg("%s: does something", name);
		return;
	}
	if (in->n_ops != 1 || in->ops[0].what != want->what || in->ops[0].dst != want->dst ||
	    in->ops[0].src != want->src || in->ops[0].other != want->other || in->ops[0].size != want->size ||
	    in->ops[0].imm != want->imm)
		fail_msg("%s: %u of %u: %u = %u, %u, %u bytes, %ld", name, in->n_ops, in->ops[0].what, in->ops[0].dst,
			 in->ops[0].src, in->ops[0].other, in->ops[0].size, (long)in->ops[0].imm);
}

static void expect_insn(size_t i, const struct code_machine *m)
{
	struct code_reader c = { .m = m };
	struct code_insn in = { .addr = AT };
	u8 len = (insns[i].code & 3) == 3 ? 4 : 2, raw[4];

	uint_put(le, raw, 4, insns[i].code);
	if (!m->decode(&c, raw, len, &in) || in.len != len)
		fail_msg("%s: no instruction", insns[i].name);
	expect_op(insns[i].name, &in, &insns[i].op);
	if (in.flow != insns[i].flow || in.ret != insns[i].ret || in.clobbers != insns[i].clobbers ||
	    in.is_nop != insns[i].is_nop || in.has_target != (insns[i].target != 0) || in.target != insns[i].target)
		fail_msg("%s: flow %u, target %#lx, changes %#lx", insns[i].name, in.flow, (long)in.target,
			 (long)in.clobbers);
	/* Half of it is none. */
	assert_false(m->decode(&c, raw, len - 1, &in));
}

static void each_instruction(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(insns); i++)
		expect_insn(i, insns[i].word == 4 ? &code_riscv32 : &code_riscv64);
}

static bool read_insn(struct code_reader *c, u64 addr, u32 code, struct code_insn *in)
{
	u8 raw[4];

	uint_put(le, raw, 4, code);
	*in = (struct code_insn){ .addr = addr };
	return c->m->decode(c, raw, 4, in);
}

/* Of two instructions: a call or jump farther than one reaches, and by a word that a PLT entry has. */
static void jumps_of_two_instructions(void **state)
{
	struct code_reader c = { .m = &code_riscv64 };
	struct code_insn in;

	(void)state;
	assert_true(read_insn(&c, AT, 0x00001097, &in));	/* auipc ra,0x1 */
	assert_true(read_insn(&c, AT + 4, 0x204080e7, &in));	/* jalr ra,516(ra) */
	assert_true(in.flow == CODE_CALL && in.has_target && !in.is_slot);
	assert_int_equal(in.target, AT + 0x1204);

	assert_true(read_insn(&c, AT, 0x00002e17, &in));	/* auipc t3,0x2 */
	assert_true(read_insn(&c, AT + 4, 0x010e3e03, &in));	/* ld t3,16(t3) */
	assert_true(read_insn(&c, AT + 8, 0x000e0367, &in));	/* jalr t1,t3 */
	assert_true(in.flow == CODE_JUMP && in.has_target && in.is_slot);
	assert_int_equal(in.target, AT + 0x2010);

	/* Of another register, and not right behind. */
	assert_true(read_insn(&c, AT, 0x00001317, &in));	/* auipc t1,0x1 */
	assert_true(read_insn(&c, AT + 4, 0x204080e7, &in));
	assert_true(in.flow == CODE_CALL && !in.has_target);
	assert_true(read_insn(&c, AT, 0x00001097, &in));
	assert_true(read_insn(&c, AT + 8, 0x204080e7, &in));
	assert_true(in.flow == CODE_CALL && !in.has_target);
}

/* Sums of 32 bits are known of constants only: of an address, the upper half would be lost. */
static void sums_of_32_bits(void **state)
{
	struct code_reader c = { .m = &code_riscv64 };
	struct code_state s;
	struct code_insn in;

	(void)state;
	code_begin(c.m, false, &s);
	assert_true(read_insn(&c, AT, 0xffffe2b7, &in));	/* lui t0,0xffffe */
	code_apply(c.m, &in, &s);
	assert_true(read_insn(&c, AT + 4, 0x0102829b, &in));	/* addiw t0,t0,16 */
	code_apply(c.m, &in, &s);
	assert_int_equal(s.r[T0].kind, CODE_VALUE);
	assert_int_equal(s.r[T0].base, CODE_CONST);
	assert_int_equal(s.r[T0].add, -8176);
	assert_true(read_insn(&c, AT + 8, 0x0101029b, &in));	/* addiw t0,sp,16 */
	code_apply(c.m, &in, &s);
	assert_int_equal(s.r[T0].kind, CODE_UNKNOWN);
}

static void longer_instructions_are_none(void **state)
{
	static const u32 longer[] = { 0x0000001f, 0x0000003f, 0x0000007f, 0xffffffff };
	struct code_reader c = { .m = &code_riscv64 };
	struct code_insn in;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(longer); i++)
		assert_false(read_insn(&c, AT, longer[i], &in));
}

/* A variable at a fixed place is no part of a frame, whatever was stored there. */
static void fixed_places_are_forgotten(void **state)
{
	struct code_reader c = { .m = &code_riscv64 };
	struct code_state s;
	struct code_insn in;

	(void)state;
	code_begin(c.m, false, &s);
	assert_true(read_insn(&c, AT, 0x000012b7, &in));	/* lui t0,0x1 */
	code_apply(c.m, &in, &s);
	assert_true(read_insn(&c, AT + 4, 0x0022b023, &in));	/* sd sp,0(t0) */
	code_apply(c.m, &in, &s);
	assert_int_equal(s.n_slots, 0);
	assert_true(read_insn(&c, AT + 8, 0x0002b303, &in));	/* ld t1,0(t0) */
	code_apply(c.m, &in, &s);
	assert_int_equal(s.r[T1].kind, CODE_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_instruction), cmocka_unit_test(jumps_of_two_instructions),
		cmocka_unit_test(sums_of_32_bits), cmocka_unit_test(longer_instructions_are_none),
		cmocka_unit_test(fixed_places_are_forgotten),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
