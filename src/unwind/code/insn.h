/* insn.h - the caller's frame by reading the code of a function: instructions, values, and where they lead. */
#pragma once

#include "unwind/code/code.h"

/*
 * Registers by DWARF number, and what stands beside them as the base of a value.
 * CODE_LR is the link register where DWARF's number of it is larger than these.
 */
enum {
	CODE_LR = 32, CODE_REGS,
	CODE_CFA = CODE_REGS,		/* the stack pointer that the caller goes on with */
	CODE_ALIGNED,			/* and so on: a register rounded down, whatever it was */
	CODE_CONST = CODE_ALIGNED + 4,	/* 0 */
	CODE_NONE,
};

/* What is known of a register or of a word on the stack; bases are registers as they were where the walk began. */
enum code_kind { CODE_UNKNOWN, CODE_VALUE /* base + add */, CODE_MEM /* the word at base + off, + add */ };
struct code_val {
	u8 kind;
	u8 base;
	s32 off;
	s32 add;
};

/* What an instruction does, in order. */
enum code_what {
	CODE_SET,	/* dst = src + imm */
	CODE_ADD,	/* dst = src + other * imm */
	CODE_LOAD,	/* dst = the @size bytes at src + imm */
	CODE_STORE,	/* of src, which may be CODE_NONE, to the @size bytes at dst + imm */
	CODE_ALIGN,	/* dst = src & imm */
	CODE_OR,	/* dst = src | imm, if src is a number */
	CODE_LITERAL,	/* dst = the word of the code at imm: a CODE_SET, once that has been read */
};
struct code_op {
	u8 what;
	u8 dst, src, other;
	u8 size;
	s64 imm;
};

enum code_flow {
	CODE_NEXT,
	CODE_JUMP,	/* to target; where that is not known, anywhere */
	CODE_BRANCH,	/* to target or on */
	CODE_CALL,
	CODE_RETURN,	/* to what the register @ret holds after @ops */
	CODE_STOP,	/* not beyond */
};

/* A jump to what one of several words in the code says, of which the first is at @target. */
enum code_table {
	CODE_NO_TABLE,
	CODE_OFFSETS1,	/* bytes: how many times two bytes after @target */
	CODE_OFFSETS2,	/* the same, of two bytes */
	CODE_ADDRESSES,
	CODE_JUMPS,	/* instructions, which jump on */
};

/* An instruction, as far as it matters for that. */
enum { CODE_OPS_MAX = 18 };
struct code_insn {
	u64 addr;
	u64 target;
	u8 len;
	u8 flow;
	u8 ret;
	u8 cond;		/* done only where this condition holds; 0: always */
	bool sets_cond;		/* what holds is another after it */
	u8 table;		/* enum code_table; has_target is false then */
	bool has_target;
	bool is_slot;		/* target is the address of the word that has it */
	bool is_other_mode;	/* target is code of the machine's other mode */
	bool is_lost;		/* it calls through a word whose address is in a caller-saved register */
	bool is_nop;
	u8 n_ops;
	u64 clobbers;		/* by bit: registers of unknown content, after @ops */
	struct code_op ops[CODE_OPS_MAX];
};

/* Bits @hi to @lo of an instruction; the same as a number with a sign. */
static inline u32 code_bits(u32 w, unsigned hi, unsigned lo)
{
	return w >> lo & ((2u << (hi - lo)) - 1);
}

static inline s64 code_sbits(u32 w, unsigned hi, unsigned lo)
{
	return (s64)((s32)(w << (31 - hi)) >> (31 - hi + lo));
}

struct code_reader;
struct capstone;

/* A machine whose code can be read; of one with several instruction sets, in one mode. */
enum { PLT_BYTES = 12 };
struct code_machine {
	u16 machine;
	u16 mode;		/* as in struct cpu_regs */
	u8 word;
	u8 reg;			/* bytes of a register as functions save it; MIPS n32 has words of 4 and saves 8 */
	u8 step;		/* instructions begin at multiples of it */
	u8 longest;		/* bytes of an instruction at most */
	u8 slot;		/* bytes of a jump's delay slot, which @decode takes for a part of the jump */
	u32 other_code;		/* e_flags of files in which code of another encoding may be, at addresses of the same kind */
	u8 sp, ra;		/* @ra: the register of the return address at a function's start; it may be none */
	u8 pushed;		/* bytes by which a call moves sp, 0 where it leaves the address in @ra */
	u8 sp_align;
	u64 saved;		/* by bit: registers that a function must give back as they were */
	/* The instruction in the @len bytes at in->addr: false when it is not valid. */
	bool (*decode)(struct code_reader *c, const u8 *p, size_t len, struct code_insn *in);
	/* How long a call before @ret may be, in bytes, the likeliest first; 0 ends. */
	u8 call_len[8];
	/* Which of them it can be, by bit; NULL: any. */
	u32 (*calls)(const u8 before[CALL_BYTES]);
	/* The word by which an entry of the procedure linkage table at @addr jumps, where that takes several instructions. */
	bool (*plt_slot)(const u8 code[PLT_BYTES], u64 addr, u64 *slot);
	bool has_prologues;	/* functions that call save @ra where they begin, and only there */
	bool has_pools;		/* numbers stand between the functions' instructions: what no path leads to may be any */
};
extern const struct code_machine code_x86_64, code_i386, code_aarch64, code_mips_o32, code_mips_n32, code_mips_n64;
extern const struct code_machine code_riscv64, code_riscv32, code_arm, code_thumb;

/*
 * What an instruction leaves to the one at @next: an address that a register holds there, or that of the word which
 * has it, since some jumps take two instructions; the conditions of the next ones, as the machine has them.
 */
struct code_upper {
	u64 next, value;
	u8 reg;
	bool is_slot;
	u8 conds;
};

/* What lasts as long as a struct unwind. */
struct code_reader {
	const struct code_machine *m;
	struct elffmt fmt;
	u32 flags;		/* e_flags of the file that the function belongs to, or the core's */
	bool has_file;		/* they are the file's */
	struct capstone *capstone;	/* NULL until needed; for machines that it decodes */
	bool no_capstone;	/* it could not be loaded */
	struct code_upper upper;
	/* Instructions that may still be read, for this thread and for others: a bound for hostile cores. */
	u64 budget, left;
	struct code_memo *memo;
};

/* ---- code_state.c */

/* Words on the stack that were stored to. */
struct code_slot {
	u8 base;
	u8 size;
	s32 off;
	struct code_val v;
};
enum { CODE_SLOTS_MAX = 40 };
struct code_state {
	struct code_val r[CODE_REGS];
	struct code_slot slots[CODE_SLOTS_MAX];
	u8 n_slots;
	bool lossy;		/* more was stored than there is room for */
	bool called;		/* after a call, which perhaps did not return */
	bool from_pc;		/* memory was as the core has it when the walk began */
	u8 cond;		/* the condition that holds in this run of instructions that depend on it; or 0 */
};

/* All registers as they are; @from_pc, else at the start of a function. */
void code_begin(const struct code_machine *m, bool from_pc, struct code_state *s);
void code_apply(const struct code_machine *m, const struct code_insn *in, struct code_state *s);
/* By bit: these registers hold anything now. */
void code_forget(struct code_state *s, u64 regs);
/* Keeps what both have; true when *into changed. */
bool code_join(struct code_state *into, const struct code_state *from);
bool code_same(const struct code_val *a, const struct code_val *b);
/* @v + @add, if that is known and no overflow. */
struct code_val code_plus(struct code_val v, s64 add);

/* ---- code_flow.c */

/* What a walk is to find. */
struct code_walk {
	u64 start;
	u64 lo, hi;		/* the function's bounds, or 0, 0 */
	u64 pc;			/* from the start: where the state is wanted */
	bool exact;
	bool from_pc;		/* from @start, which is pc, to the returns */
	bool any_return;	/* from the start: it is no matter what returns elsewhere have for a stack */
};
/* Called with the state at pc, or before each return with what it does; false ends. */
typedef bool code_found(const struct code_insn *in, const struct code_state *s, void *arg);
enum code_end {
	CODE_FAILED,	/* the code could not be read, is too long, or contradicts itself */
	CODE_UNSAVED,	/* pc is reached, and nothing has the return address there */
	CODE_OPEN,	/* some jumps have unknown targets */
	CODE_ALL,	/* there is nothing else that the code leads to, but for what it calls */
	CODE_ENDS,	/* the same, and all of it could be read */
};
enum code_end code_follow(struct unwind *u, const struct code_walk *w, code_found *fn, void *arg);

/* ---- code_row.c */

/* How to get to the caller's registers from those at pc, as in a row of call frame information. */
struct code_row {
	struct code_val cfa, again;	/* @again: the same by another register, if it is known */
	struct code_val ra;
	struct code_val r[CODE_REGS];
};
enum { CODE_ROWS_MAX = 4 };
/* From the start of a function to @pc: *n is 1 or 0. */
enum code_end code_row_of(struct unwind *u, const struct code_walk *w, struct code_row *out, size_t *n);
enum code_end code_row_from(struct unwind *u, u64 start, u64 lo, u64 hi, u64 pc, bool exact, struct code_row *out,
			    size_t *n);
/* From @pc to the returns: as many as differ in where the caller is; *n > CODE_ROWS_MAX when there are more. */
enum code_end code_rows_to(struct unwind *u, u64 pc, bool exact, u64 lo, u64 hi, struct code_row out[CODE_ROWS_MAX],
			   size_t *n);

/* ---- code_read.c, too */

/* The instruction at @addr; false when it is not valid or cannot be read. */
bool code_insn_at(struct unwind *u, u64 addr, struct code_insn *in);

/* ---- code.c */

/* An address of code, and the mode that it is of: struct cpu_regs. */
struct code_at {
	u64 pc, mode;
};
/* A return address, as it is in memory or in a register. */
struct code_at code_at_return(const struct unwind *u, u64 ret);
struct code_at code_at_pc(const struct cpu_regs *r);
/* Gets ready to read the code at @at, or the call before it; false when that is of a machine without a row. */
bool code_begin_at(struct unwind *u, const struct code_at *at, bool exact);

/* What was found by a walk. */
struct code_memo {
	const struct code_machine *m;	/* NULL: not set */
	struct code_walk w;
	enum code_end end;
	size_t n;
	struct code_row rows[CODE_ROWS_MAX];
};
/* By @w, now or before; with a start of 0: from pc to the returns. */
const struct code_memo *code_rows(struct unwind *u, const struct code_walk *w);

/* What the call before @ret calls, if that is known and code in the mode of the reader's machine. */
bool code_call_target(struct unwind *u, const struct code_at *ret, u64 *out);
/* What the code says of @ret; @sp is the caller's stack pointer, or 0. */
enum step_return code_return(struct unwind *u, const struct code_at *ret, u64 sp);

/* ---- code_prologue.c */

/* It stores the register of the return address. */
bool code_saves_ra(const struct code_machine *m, const struct code_insn *in);
/* Where the function seems to begin that has called something at @pc; 0 where that is not clear. */
u64 code_prologue(struct unwind *u, u64 pc);
