#include "unwindbuild.h"

#include "base/uapi.h"
#include "soak.h"
#include "unwind/code/insn.h"

/* Steps by reading the code of MIPS: FN is called right before RET; at its first instruction sp is ENTRY. */
enum {
	FN = CB_TEXT + 0x400, RET = CB_TEXT + 0x208,
	ENTRY = CB_STACK + 0x800, OLD_S0 = 0xb0b0, OLD_S8 = CB_STACK + 0xa00,
};
enum { S0 = 16, T9 = 25, SP = 29, S8 = 30, RA = 31 };
enum { NOP = 0, JALR_T9 = 0x0320f809, JR_RA = 0x03e00008 };

#define BE32 { ELFCLASS32, ELFDATA2MSB }
#define LE32 { ELFCLASS32, ELFDATA2LSB }
#define BE64 { ELFCLASS64, ELFDATA2MSB }
#define LE64 { ELFCLASS64, ELFDATA2LSB }
static const struct abi {
	const char *name;
	struct elffmt fmt;
	u32 flags;
	const struct code_machine *m;
} abis[] = {
	{ "o32", BE32, 0, &code_mips_o32 }, { "o32el", LE32, 0, &code_mips_o32 },
	{ "n32", BE32, EF_MIPS_ABI2, &code_mips_n32 }, { "n32el", LE32, EF_MIPS_ABI2, &code_mips_n32 },
	{ "n64", BE64, 0, &code_mips_n64 }, { "n64el", LE64, 0, &code_mips_n64 },
};

static void poke_code(struct fixture *f, u64 addr, const u32 *words, size_t n)
{
	u8 raw[4];

	for (size_t i = 0; i < n; i++) {
		uint_put(f->o.core.fmt, raw, 4, words[i]);
		poke(f, addr + 4 * i, raw, 4);
	}
}

/* A register as functions save it. */
static void poke_reg(struct fixture *f, const struct abi *abi, u64 addr, u64 value)
{
	u8 raw[8];

	uint_put(abi->fmt, raw, abi->m->reg, value);
	poke(f, addr, raw, abi->m->reg);
}

/* FN is called by JAL, or nobody knows by what. */
static void begin_code(struct fixture *f, const struct abi *abi, u32 flags, const u32 *words, size_t n, bool known)
{
	const u32 call[2] = { known ? 0x0c000000 | FN >> 2 : JALR_T9, NOP };

	begin_abi(f, EM_MIPS, abi->fmt, abi->flags | flags);
	poke_code(f, FN, words, n);
	poke_code(f, RET - 8, call, 2);
	poke_reg(f, abi, ENTRY - 8, RET);
	poke_reg(f, abi, ENTRY - 16, OLD_S8);
	poke_reg(f, abi, ENTRY - 24, OLD_S0);
}

/* ---- a whole function, at each of its instructions */

#define FRAME(addi, save, load) { \
	(addi) | 0x03bdffc0,	/* 00 addiu sp,sp,-64 */ \
	(save) | 0x03bf0038,	/* 04 sw ra,56(sp) */ \
	(save) | 0x03be0030,	/* 08 sw s8,48(sp) */ \
	(save) | 0x03b00028,	/* 0c sw s0,40(sp) */ \
	0x03a0f025,		/* 10 move s8,sp */ \
	0x10800004,		/* 14 beqz a0,28 */ \
	0x00808025,		/* 18 move s0,a0 */ \
	JALR_T9,		/* 1c jalr t9 */ \
	NOP,			/* 20 nop */ \
	0x03a2e823,		/* 24 subu sp,sp,v0 */ \
	0x03c0e825,		/* 28 move sp,s8 */ \
	(load) | 0x03bf0038,	/* 2c lw ra,56(sp) */ \
	(load) | 0x03be0030,	/* 30 lw s8,48(sp) */ \
	(load) | 0x03b00028,	/* 34 lw s0,40(sp) */ \
	JR_RA,			/* 38 jr ra */ \
	(addi) | 0x03bd0040,	/* 3c addiu sp,sp,64 */ \
}
enum { ADDIU = 0x24000000, DADDIU = 0x64000000, SW = 0xac000000, LW = 0x8c000000, SD = 0xfc000000, LD = 0xdc000000 };
static const u32 frames[3][16] = { FRAME(ADDIU, SW, LW), FRAME(ADDIU, SD, LD), FRAME(DADDIU, SD, LD) };

static const struct {
	u8 at;
	u16 depth;
	bool own_ra, own_s8, own_s0;
	bool behind;	/* a call */
} places[] = {
	{ .at = 0x00 }, { .at = 0x04, .depth = 64 }, { .at = 0x08, .depth = 64 }, { .at = 0x0c, .depth = 64 },
	{ .at = 0x10, .depth = 64 }, { .at = 0x14, .depth = 64, .own_s8 = true },
	/* Some emulators tell the slot's address. */
	{ .at = 0x18, .depth = 64, .own_s8 = true },
	{ .at = 0x1c, .depth = 64, .own_s8 = true, .own_s0 = true },
	{ .at = 0x24, .depth = 64, .own_ra = true, .own_s8 = true, .own_s0 = true, .behind = true },
	{ .at = 0x28, .depth = 192, .own_ra = true, .own_s8 = true, .own_s0 = true },
	{ .at = 0x2c, .depth = 64, .own_ra = true, .own_s8 = true, .own_s0 = true },
	{ .at = 0x30, .depth = 64, .own_s8 = true, .own_s0 = true }, { .at = 0x34, .depth = 64, .own_s0 = true },
	{ .at = 0x38, .depth = 64 }, { .at = 0x3c, .depth = 64 },
};

static void go_to(struct fixture *f, size_t i)
{
	f->r = (struct cpu_regs){ .pc = FN + places[i].at, .exact = !places[i].behind };
	set(f, SP, ENTRY - places[i].depth);
	set(f, RA, places[i].own_ra ? FN + 0x24 : RET);
	set(f, S8, places[i].own_s8 ? ENTRY - 64 : OLD_S8);
	set(f, S0, places[i].own_s0 ? 1 : OLD_S0);
}

static void expect_caller(struct fixture *f, const char *what, unsigned at)
{
	if (!step_code(f->u, &f->r))
		fail_msg("%s at %#x: nothing", what, at);
	if (f->r.pc != RET || f->r.v[SP] != ENTRY || !f->r.have[S8] || f->r.v[S8] != OLD_S8 || !f->r.have[S0] ||
	    f->r.v[S0] != OLD_S0)
		fail_msg("%s at %#x: pc %#lx sp %#lx s8 %#lx s0 %#lx", what, at, (long)f->r.pc, (long)f->r.v[SP],
			 (long)f->r.v[S8], (long)f->r.v[S0]);
	assert_false(f->r.exact);
}

static void mips_leads_to_the_caller(void **state)
{
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(abis); i++) {
		const struct abi *abi = &abis[i / 2];

		begin_code(&f, abi, 0, frames[i / 4], ARRAY_SIZE(frames[0]), i % 2);
		for (size_t j = 0; j < ARRAY_SIZE(places); j++) {
			go_to(&f, j);
			expect_caller(&f, abi->name, places[j].at);
		}
		end(&f);
	}
}

/* ---- single cases, of o32 */

static const struct {
	const char *what;
	u32 flags;
	u32 code[16];
	u16 at;
	u16 depth;	/* times 16 */
	bool behind;	/* a call: pc is not exact */
	bool own_ra;	/* it is behind the instruction at pc */
	bool known;	/* what calls it */
	bool refused;
} cases[] = {
	{ "a large frame", .code = {
		0x27bdffe0,	/* 00 addiu sp,sp,-32 */
		0xafbf0018,	/* 04 sw ra,24(sp) */
		0x340affe0,	/* 08 li t2,0xffe0 */
		0x3c090001,	/* 0c lui t1,1 */
		0x3529ffe0,	/* 10 ori t1,t1,0xffe0 */
		0x012a4823,	/* 14 subu t1,t1,t2 */
		0x03a9e823,	/* 18 subu sp,sp,t1 */
		0x0320f809,	/* 1c jalr t9 */
		NOP,
	  }, .at = 0x1c, .depth = 2 + 0x1000, .known = true },
	{ "a fault in the slot of a call", .code = {
		0x27bdffe0,	/* 00 addiu sp,sp,-32 */
		0xafbf0018,	/* 04 sw ra,24(sp) */
		0x0320f809,	/* 08 jalr t9 */
		0x8c840000,	/* 0c lw a0,0(a0) */
		0x8fbf0018,	/* 10 lw ra,24(sp) */
		0x03e00008,	/* 14 jr ra */
		0x27bd0020,	/* 18 addiu sp,sp,32 */
	  }, .at = 0x08, .depth = 2, .own_ra = true },
	{ "the same, as emulators tell it", .code = {
		0x27bdffe0, 0xafbf0018, 0x0320f809, 0x8c840000, 0x8fbf0018, 0x03e00008, 0x27bd0020,
	  }, .at = 0x0c, .depth = 2, .own_ra = true },
	/* Nothing leads from there to a return, nobody knows what was called, and another function comes behind. */
	{ "a function that does not return", .code = {
		0x27bdffe0,	/* 00 addiu sp,sp,-32 */
		0xafbf0018,	/* 04 sw ra,24(sp) */
		0x0320f809,	/* 08 jalr t9 */
		NOP,
		0x27bdfff0,	/* 10 addiu sp,sp,-16 */
		0x1000ffff,	/* 14 b 14 */
		NOP,
	  }, .at = 0x10, .depth = 2, .behind = true },
	/* What is before such a call is another function's. */
	{ "a frame that is made by a number", .code = {
		0x27bdffe0,	/* 00 addiu sp,sp,-32 */
		0x0320f809,	/* 04 jalr t9 */
		NOP,
		0x34090020,	/* 0c li t1,32 */
		0x03a9e823,	/* 10 subu sp,sp,t1 */
		0xafbf0018,	/* 14 sw ra,24(sp) */
		0x0320f809,	/* 18 jalr t9 */
		NOP,
		0x1000ffff,	/* 20 b 20 */
		NOP,
	  }, .at = 0x20, .depth = 2, .behind = true, .refused = true },
	{ "a slot that is done only by one way", .code = {
		0x50800002,	/* 00 beqzl a0,0c */
		0x27bdffe0,	/* 04 addiu sp,sp,-32 */
		NOP,
		0x1000ffff,	/* 0c b 0c */
		NOP,
	  }, .at = 0x0c, .depth = 2, .known = true, .refused = true },
	{ "release 6, calls without a slot", .flags = EF_MIPS_ARCH_32R6, .code = {
		0x27bdffe0,	/* 00 addiu sp,sp,-32 */
		0xafbf0018,	/* 04 sw ra,24(sp) */
		0xe8000010,	/* 08 balc 4c */
		0x8fbf0018,	/* 0c lw ra,24(sp) */
		0x27bd0020,	/* 10 addiu sp,sp,32 */
		0xd81f0000,	/* 14 jrc ra */
	  }, .at = 0x0c, .depth = 2, .behind = true },
	{ "a file that may have MIPS16 code", .flags = EF_MIPS_ARCH_ASE_M16, .code = { JR_RA, NOP }, .refused = true },
	{ "a file that may have microMIPS code", .flags = EF_MIPS_MICROMIPS, .code = { JR_RA, NOP }, .refused = true },
	{ "an address of MIPS16 or microMIPS", .code = { NOP, JR_RA, NOP }, .at = 1, .refused = true },
};

static void mips_cases(void **state)
{
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		begin_code(&f, &abis[i % 2], cases[i].flags, cases[i].code, ARRAY_SIZE(cases[i].code), cases[i].known);
		f.r = (struct cpu_regs){ .pc = FN + cases[i].at, .exact = !cases[i].behind };
		set(&f, SP, ENTRY - 16 * cases[i].depth);
		set(&f, RA, cases[i].own_ra ? (f.r.pc & ~7ULL) + 8 : RET);
		set(&f, S8, OLD_S8);
		set(&f, S0, OLD_S0);
		if (!cases[i].refused)
			expect_caller(&f, cases[i].what, cases[i].at);
		else if (step_code(f.u, &f.r))
			fail_msg("%s: pc %#lx sp %#lx", cases[i].what, (long)f.r.pc, (long)f.r.v[SP]);
		end(&f);
	}
}

/*
 * Two functions: the first one's last call does not return.  Who reads on from there into the second
 * takes a return address that an earlier call of the first has left on the stack for the caller's.
 */
static void mips_does_not_read_on_into_another_function(void **state)
{
	enum { OLD_RET = CB_TEXT + 0x108 };
	static const u32 call[2] = { 0x0c000000 | FN >> 2, NOP };
	static const u32 code[] = {
		0x27bdffe0,	/* 00 addiu sp,sp,-32 */
		0xafbf0018,	/* 04 sw ra,24(sp) */
		JALR_T9,	/* 08 jalr t9 */
		NOP,
		0x27bdfff0,	/* 10 the second: addiu sp,sp,-16 */
		0xafbf0008,	/* 14 sw ra,8(sp) */
		JALR_T9,	/* 18 jalr t9 */
		NOP,
		0x1000ffff,	/* 20 b 20 */
		NOP,
	};
	struct fixture f;

	(void)state;
	begin_code(&f, &abis[0], 0, code, ARRAY_SIZE(code), false);
	poke_code(&f, OLD_RET - 8, call, 2);
	poke_reg(&f, &abis[0], ENTRY + 32 - 8, OLD_RET);
	f.r = (struct cpu_regs){ .pc = FN + 0x20 };
	set(&f, SP, ENTRY - 16);
	set(&f, S8, OLD_S8);
	set(&f, S0, OLD_S0);
	expect_caller(&f, "the second function", 0x20);
	end(&f);
}

/* ---- what instructions do */

#define R(n) (1ULL << (n))
static const struct {
	const char *what;
	u32 word, slot;
	bool r6;
	u8 len;		/* 0: none */
	u8 flow;
	u8 n_ops;
	u64 clobbers;
	s32 target;	/* from the instruction; 0: none */
} insns[] = {
	{ "beq $4,$5,8; daddiu $2,$2,1", 0x10850001, 0x64420001, .len = 8, .flow = CODE_BRANCH, .n_ops = 1, .target = 8 },
	{ "b -4", 0x1000fffe, NOP, .len = 8, .flow = CODE_JUMP, .target = -4 },
	{ "bnel $4,$5,8; lw $2,0($3)", 0x54850001, 0x8c620000, .len = 8, .flow = CODE_BRANCH, .n_ops = 1,
	  .clobbers = R(2), .target = 8 },
	{ "bltz $4,8", 0x04800001, NOP, .len = 8, .flow = CODE_BRANCH, .target = 8 },
	{ "bal 8", 0x04110001, NOP, .len = 8, .flow = CODE_CALL, .clobbers = R(RA), .target = 8 },
	{ "nal", 0x04100001, NOP, .len = 8, .flow = CODE_NEXT, .clobbers = R(RA) },
	{ "bc1t 8", 0x45010001, NOP, .len = 8, .flow = CODE_BRANCH, .target = 8 },
	{ "bc1tl 8; li $2,1", 0x45030001, 0x24020001, .len = 8, .flow = CODE_BRANCH, .n_ops = 1, .clobbers = R(2),
	  .target = 8 },
	{ "jr $25", 0x03200008, NOP, .len = 8, .flow = CODE_JUMP },
	{ "jr $31; move $31,$2", 0x03e00008, 0x0040f825, .len = 0 },
	{ "jr $31; jr $31", 0x03e00008, 0x03e00008, .len = 0 },
	{ "jalr $31,$25", JALR_T9, NOP, .len = 8, .flow = CODE_CALL, .clobbers = R(RA) },
	{ "jalx", 0x74000100, NOP, .len = 8, .flow = CODE_CALL },
	{ "syscall", 0x0000000c, NOP, .len = 4, .clobbers = 0x0300ff8e },
	{ "break", 0x0000000d, NOP, .len = 4, .flow = CODE_STOP },
	{ "teq $0,$0", 0x00000034, NOP, .len = 4, .flow = CODE_STOP },
	{ "teq $5,$0,7", 0x00a001f4, NOP, .len = 4 },
	{ "mflo $3", 0x00001812, NOP, .len = 4, .clobbers = R(3) },
	{ "mul $2,$3,$4", 0x70641002, NOP, .len = 4, .clobbers = R(2) },
	{ "ext $2,$3,0,8", 0x7c623800, NOP, .len = 4, .clobbers = R(2) },
	{ "seb $2,$3", 0x7c031420, NOP, .len = 4, .clobbers = R(2) },
	{ "rdhwr $3,$29", 0x7c03e83b, NOP, .len = 4, .clobbers = R(3) },
	{ "mfc1 $2,$f0", 0x44020000, NOP, .len = 4, .clobbers = R(2) },
	{ "mtc1 $2,$f0", 0x44820000, NOP, .len = 4 },
	{ "copy_s.w $2,$w0[0]", 0x78b00099, NOP, .len = 4, .clobbers = R(2) },
	{ "st.d $w0,16($29)", 0x7802e827, NOP, .len = 4, .n_ops = 1 },
	{ "swl $2,0($29)", 0xaba20000, NOP, .len = 4, .n_ops = 1 },
	{ "sc $2,0($3)", 0xe0620000, NOP, .len = 4, .n_ops = 1, .clobbers = R(2) },
	{ "sdc1 $f0,0($29)", 0xf7a00000, NOP, .len = 4, .n_ops = 1 },
	{ "ldc1 $f0,0($29)", 0xd7a00000, NOP, .len = 4 },
	{ "slti $2,$3,1", 0x28620001, NOP, .len = 4, .clobbers = R(2) },
	{ "bc 8", 0xc8000001, NOP, true, .len = 4, .flow = CODE_JUMP, .target = 8 },
	{ "bc 8, before release 6", 0xc8000001, NOP, .len = 0 },
	{ "balc 8", 0xe8000001, NOP, true, .len = 4, .flow = CODE_CALL, .target = 8 },
	{ "jic $25,0", 0xd8190000, NOP, true, .len = 4, .flow = CODE_JUMP },
	{ "jialc $25,0", 0xf8190000, NOP, true, .len = 4, .flow = CODE_CALL },
	{ "beqzc $4,8", 0xd8800001, NOP, true, .len = 4, .flow = CODE_BRANCH, .target = 8 },
	{ "beqc $4,$5,8", 0x20850001, NOP, true, .len = 4, .flow = CODE_BRANCH, .target = 8 },
	{ "beqzalc $5,8", 0x20050001, NOP, true, .len = 4, .flow = CODE_CALL, .target = 8 },
	{ "bgezc $5,8", 0x58a50001, NOP, true, .len = 4, .flow = CODE_BRANCH, .target = 8 },
	{ "blez $4,8", 0x18800001, NOP, true, .len = 8, .flow = CODE_BRANCH, .target = 8 },
	{ "auipc $2,1", 0xec5e0001, NOP, true, .len = 4, .clobbers = R(2) },
	{ "aui $2,$3,1", 0x3c620001, NOP, true, .len = 4, .clobbers = R(2) },
};

static void mips_instructions(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(insns); i++) {
		const struct abi *abi = &abis[4 + i % 2];
		struct code_reader c = { .m = abi->m, .fmt = abi->fmt };
		struct code_insn in = { .addr = FN };
		u8 raw[8];
		bool is;

		if (insns[i / 2].r6)
			c.flags = EF_MIPS_ARCH_64R6;
		uint_put(abi->fmt, raw, 4, insns[i / 2].word);
		uint_put(abi->fmt, raw + 4, 4, insns[i / 2].slot);
		is = abi->m->decode(&c, raw, sizeof(raw), &in);
		if (is != (insns[i / 2].len > 0) || (is && (in.len != insns[i / 2].len || in.flow != insns[i / 2].flow ||
		    in.n_ops != insns[i / 2].n_ops || in.clobbers != insns[i / 2].clobbers ||
		    in.has_target != (insns[i / 2].target != 0) ||
		    (in.has_target && in.target != FN + (u64)(s64)insns[i / 2].target))))
			fail_msg("%s: %d len %u flow %u ops %u clobbers %#lx target %#lx", insns[i / 2].what, is, in.len,
				 in.flow, in.n_ops, (long)in.clobbers, (long)in.target);
	}
}

/* All words of a kind, alone and in a slot: bounded, whatever they are.  make check begins at one of seven. */
static void mips_bears_any_word(void **state)
{
	const unsigned step = 4 * (unsigned)soak_or(7, 1);
	static u32 code[64];
	struct fixture f;

	(void)state;
	for (u32 op = 0; op < 64; op++) {
		for (size_t i = 0; i < ARRAY_SIZE(code); i++)
			code[i] = op << 26 | 0x3bdffc0u >> (i & 31);
		begin_code(&f, &abis[op % ARRAY_SIZE(abis)], op & 1 ? EF_MIPS_ARCH_64R6 : 0, code, ARRAY_SIZE(code), true);
		for (unsigned at = 4 * op % step; at < sizeof(code); at += step) {
			f.r = (struct cpu_regs){ .pc = FN + at, .exact = at & 4 };
			set(&f, SP, ENTRY - 64);
			step_code(f.u, &f.r);
		}
		end(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mips_leads_to_the_caller), cmocka_unit_test(mips_cases),
		cmocka_unit_test(mips_does_not_read_on_into_another_function),
		cmocka_unit_test(mips_instructions), cmocka_unit_test(mips_bears_any_word),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
