/* frame.h - one frame: its registers, and the ways to its caller's by tables and by convention. */
#pragma once

#include "unwind/dwarf/debuginfo.h"

/* Registers by DWARF number, as far as they are known. */
enum { CPU_REGS_MAX = 128 };
struct cpu_regs {
	u64 pc;
	bool exact;	/* pc is the next instruction to run, not the address after a call */
	bool doubt;	/* pc was found without tables, and no call instruction is before it */
	u64 mode;	/* the bits that give the instruction set at pc: struct syscall_abi, mode_mask */
	u64 floor;	/* where sp is not known: frames are at this address or above */
	u64 v[CPU_REGS_MAX];
	bool have[CPU_REGS_MAX];
};

/* ---- regs.c */

/* The registers of @t; false when the core has none. */
bool regs_of_thread(struct unwind *u, const struct core_thread *t, struct cpu_regs *out);
/* DWARF's number of the general register at @index of the machine's, or -1. */
s32 regs_dwarf(const struct unwind *u, int index);
/* The general register at @index of the machine's, if it has a DWARF number and is known. */
bool regs_get(const struct unwind *u, const struct cpu_regs *r, int index, u64 *out);
void regs_set(const struct unwind *u, struct cpu_regs *r, int index, u64 value);
/* r->pc and r->mode, of a return address. */
void regs_return(const struct unwind *u, struct cpu_regs *r, u64 ret);
/* r->mode, if the general register at @index has it. */
void regs_set_mode(const struct unwind *u, struct cpu_regs *r, unsigned index, u64 value);
/* The register of DWARF's number @n, if that is the length of vectors. */
bool regs_vectors(const struct unwind *u, const struct cpu_regs *r, u64 n, u64 *out);
/* By its DWARF number; does nothing for a number that is not a register's. */
void regs_set_dwarf(struct cpu_regs *r, s32 n, u64 value);

/* ---- convention.c, sigframe.c: without a table */

/* Goes to the caller of @r by the machine's calling convention; false when nothing there looks like one. */
bool step_link(struct unwind *u, struct cpu_regs *r);
bool step_leaf(struct unwind *u, struct cpu_regs *r);
bool step_signal(struct unwind *u, struct cpu_regs *r);
/* The registers that the kernel has saved in a frame of form @f, where the stack pointer is @sp as the handler returns. */
bool step_restore(struct unwind *u, const struct signal_frame *f, u64 sp, struct cpu_regs *out);
/* A signal handler returns to @pc, by its code; @sp is the stack pointer then, or 0 if unknown. */
bool step_is_signal(struct unwind *u, u64 pc, u64 sp);
/* The same for a return address @pc whose code cannot be read, by what the kernel puts at @sp. */
bool step_is_like_signal(struct unwind *u, u64 pc, u64 sp);
bool step_fp(struct unwind *u, struct cpu_regs *r);
/* What the code says of a return address. */
enum step_return {
	RETURN_NOWHERE,	/* not in code */
	RETURN_DOUBT,	/* no call is before it: interpreters and coroutines push such addresses, but any pointer to code is one */
	RETURN_UNKNOWN,	/* the code cannot be read, or is not read here for this machine */
	RETURN_GOOD,
};
enum step_return step_return(struct unwind *u, u64 addr);
/* Could a call return to @addr? */
bool step_is_return(struct unwind *u, u64 addr);

/* ---- callsite.c */

/* By bit: how long the call may be that the bytes before a return address end in; 0: there is none. */
enum { CALL_BYTES = 7 };
u32 x86_calls(const u8 before[CALL_BYTES]);
u32 m68k_calls(const u8 before[CALL_BYTES]);

/* ---- rows.c */

/* What the tables say of an instruction. */
struct row {
	Dwarf_Frame *frame;	/* NULL: nothing; to be given to free(3) */
	bool is_signal;		/* augmentation "S": a signal handler returns to it */
};
/*
 * The row for @f, of which pc, sp and exact are set; sets f->signal and, for such a frame, f->exact: nothing was
 * called from there.
 */
struct row dw_row_of(struct unwind *u, struct frame *f);

/* ---- cfi.c, expr.c */

/* CFI_NO_RETURN: the table says where the return address is, and there is 0. */
enum cfi_step { CFI_STEPPED, CFI_OUTERMOST, CFI_NO_RETURN, CFI_FAILED, CFI_NO_TABLE };
/* From @r, which a row is for, to its caller; @r is as it was unless CFI_STEPPED. */
enum cfi_step cfi_step(struct unwind *u, Dwarf_Frame *f, struct cpu_regs *r);
/* The stack pointer, where it is not known but follows from the frame pointer by the row. */
bool cfi_sp(const struct unwind *u, Dwarf_Frame *f, const struct cpu_regs *r, u64 *out);
/* The row says that there is no caller: code that begins a thread. */
bool cfi_is_outermost(const struct unwind *u, Dwarf_Frame *f, const struct cpu_regs *r);
/* What the row says by its letter is not so: gcc's, of a frame that is measured in vectors. */
bool cfi_is_misleading(struct unwind *u, Dwarf_Frame *f, const struct cpu_regs *r);
/* The canonical frame address by the row. */
bool cfi_cfa(struct unwind *u, Dwarf_Frame *f, const struct cpu_regs *r, u64 *out);
/* What is on top of the stack when @ops have been done; false when they cannot be. */
bool expr_eval(struct unwind *u, const struct cpu_regs *r, u64 cfa, const Dwarf_Op *ops, size_t n, u64 *out);

/* ---- stack.c: a stack being built */

int stack_add(struct stack *s, const struct frame *f, struct err *e) must_check;
/* Sets s->end and the sentence. */
void stack_ends(struct stack *s, enum stack_end end, const char *fmt, ...) printf_like(3, 4);
/* STACK_NO_MEMORY or STACK_NO_TABLE, as u->fault says. */
void stack_ends_at(struct unwind *u, struct stack *s, u64 pc);
/* As @step says, which has not led to a caller of @pc. */
void stack_ends_by(struct unwind *u, struct stack *s, enum cfi_step step, u64 pc);
/* True if @f, which would be the next frame, is not in code: not a return address.  Sets s->end then. */
bool stack_leaves_code(struct unwind *u, struct stack *s, const struct frame *f);
/* True if @f, which would be the next frame, is one of these again.  Sets s->end then. */
bool stack_loops(struct stack *s, const struct frame *f);
/* A whole stack is better than a part; of parts, the one with more frames that are sure.  @b may be empty. */
bool stack_is_better(const struct stack *a, const struct stack *b);
/* The limit is reached.  Frames in doubt are followed beyond it, to a frame that confirms them. */
bool stack_is_full(const struct unwind *u, const struct stack *s);
/* Whole, and all of it sure: no other unwinder can do better. */
bool stack_is_best(const struct stack *s);
/* Takes off what was followed further than was asked for, and frames in doubt that nothing confirmed. */
void stack_trim(const struct unwind *u, struct stack *s);
