/* arch.h - a machine, as tables: any host reads any core. */
#pragma once

#include "base/bytes.h"
#include "base/types.h"

/*
 * One register: @size bytes at @off of its set, in the file's byte order; more
 * than 8 for vectors and extended floats, 0 where another system's set lacks it.
 * DWARF number, or -1.
 */
struct reg {
	const char *name;
	u16 off;
	u16 size;
	s32 dwarf;
};

/*
 * One register set: a note number that PTRACE_GETREGSET takes, too, and whose
 * descriptor it returns.  @size 0: it varies.
 */
struct regset {
	const char *name;
	const char *owner;	/* of the note: "CORE" or "LINUX" */
	u32 type;
	u16 size;
	const struct reg *regs;
	u16 n_regs;
	bool unwind;	/* backtraces need it */
	bool sized;	/* the first 32-bit word says how much is used (struct user_sve_header) */
	u16 request;	/* for ptrace: reads the set whatever mode the thread is in; 0: no such request */
	u16 set_request;	/* the same, to write it */
	/*
	 * What PTRACE_GETREGSET gives where the set is not in use, and the kernel's
	 * core has no note: @size bytes, or NULL.
	 */
	const u8 *unused;
};

/*
 * How a system call that our stop interrupted is restarted.  The call
 * instruction is @insn_len bytes before the program counter.
 */
struct syscall_abi {
	u16 insn_len;		/* 0: unknown machine, calls are left alone */
	u32 insn;		/* the instruction, as a little-endian number; 0: nobody asks for it */
	u16 nr_reg;		/* index in gregs of the number to put back */
	u16 ret_reg;		/* index of the result, which an argument may share */
	s32 orig_reg;		/* index of the register that keeps the number, or -1 */
	u16 args[6];		/* indices of the arguments' registers; all 0: not known */
	u16 futex[2];		/* the numbers of futex(2), with times of 32 bits and of 64; 0: there is none, or it is not known */
	const u16 *restartable;	/* calls that EINTR leaves undone; sorted is not needed */
	u16 n_restartable;
	/* Where a bit of a register chooses a second instruction set: its call instruction. */
	u16 mode_reg;
	u16 mode_insn_len;
	u32 mode_insn;
	u64 mode_mask;		/* 0: there is one instruction set only */
	/* Of @restartable where @orig_reg is -1: whose first argument can be told from any other number, and by what. */
	const struct begun_call {
		u16 nr;
		enum first_argument { TAKES_EPOLL, TAKES_SOCKET, TAKES_RING, TAKES_AIO, TAKES_VARIABLE /* of the caller's frame */ } takes;
	} *begun;
	u16 n_begun;
	/*
	 * Where registers at a stop do not say ERESTART_RESTARTBLOCK: the calls that end so, by number; that a
	 * register has other bits than 0, the time limit; and those of another that say it is relative.
	 */
	const struct timed_call { u16 nr, limit_reg, flags_reg; u64 mask, flags; } *timed;
	u16 n_timed;
	u16 restart_call;	/* number of restart_syscall(2) */
};

/*
 * What rt_sigreturn(2) takes, beside the registers that frame_abi.signals[0] has saved: offsets from the stack pointer with
 * which it is called, and of @saved and @fp_pointer from the context.
 */
struct undo_abi {
	u16 len;		/* of such a frame, without the records after it */
	u16 flags_off, mask_off;
	u16 flags;		/* uc_flags */
	u16 fp_pointer;		/* to the floating-point registers; 0: they are records after the frame */
	const struct saved_regs *saved;	/* more registers */
	u16 n_saved;
	u16 exit_call;		/* number of exit_group(2) */
};

/* The calls that are made for a thread, in the order of struct inject_abi's numbers. */
enum inject_call {
	INJECT_CLONE, INJECT_WAIT4, INJECT_MUNMAP, INJECT_CLOSE_RANGE, INJECT_USERFAULTFD, INJECT_CLOSE, INJECT_CALLS
};

/*
 * How a system call is made for a thread that stands still, with nothing but its registers: it runs one
 * instruction of its own vdso.  What follows that instruction needs the stack; should we die before
 * the registers are put back, it faults at once, since the stack pointer and whatever else could
 * lead on are @poison: addresses where nothing can be.  Where @undo has a place, the call is made
 * elsewhere, and the thread goes on as before.
 */
struct inject_abi {
	const struct inject_code { u8 bytes[8], len; } *codes;	/* the instruction, and what follows it */
	u16 n_codes;
	u16 poison[3];
	u16 n_poison;
	/* Bits of a register that are cleared: arm64's BTYPE, which says how code came here. */
	u16 clear_reg;
	u64 clear;
	/* Sets of which a call discards what is in use: a u16 at @flags_off of their data has bits of @active then. */
	const struct volatile_set { u32 type; u16 flags_off, active; } *volatile_sets;
	u16 n_volatile;
	u32 number_set;		/* type of the set that has the call's number; 0: syscall_abi.orig_reg has */
	u16 numbers[INJECT_CALLS];
	u16 waitid;		/* its number: a thread in it, or in wait4, waits for children */
	const struct undo_abi *undo;	/* NULL: nothing puts the registers back if we die before */
};

/* Consecutive registers that the kernel saved for a signal handler, as numbers of @size bytes. */
struct saved_regs {
	const struct regset *set;	/* NULL: gregs */
	u16 reg;	/* index in it of the first */
	u16 n;
	u16 off;	/* in bytes from the saved context */
	u8 size;	/* 0: a word */
};

/* Where the code of a signal's frame is: kernels may put it into the frame, whether that is executable or not. */
enum signal_code { CODE_MAPPED, CODE_ANYWHERE, CODE_IN_FRAME };

/*
 * A frame that a signal handler returns through: the code there, which calls the
 * kernel, and what the kernel had saved.  A machine has one row for each form of
 * that code; with @code_len 0 only a table can say which frames are these.
 */
struct signal_frame {
	const char *name;	/* of the call: "sigreturn", "rt_sigreturn" */
	u8 code[12];
	u8 code_len;
	u16 context;		/* bytes from the stack pointer, as the handler returns, to what @saved is counted from */
	s32 signo;		/* bytes from there to the signal's number, an int of the frame or of its siginfo; -1: not saved */
	const struct saved_regs *saved;	/* pc and sp among them */
	u16 n_saved;
	enum signal_code where;
	bool rest_kept;		/* the other registers are as the handler leaves them; else unknown */
	/*
	 * What such a frame can be found by in memory, in bytes from the stack pointer as for @context: the
	 * alternate stack that was set when the signal came, which the frame is on if the handler runs there
	 * (uc_stack's ss_sp and ss_size); a second copy of the interrupted stack pointer; or a number
	 * of 32 bits that is first in it.  0: it has none.
	 */
	u16 alt_stack;
	u16 alt_size;
	u16 sp_again;
	u32 magic;
};

/*
 * The length of a thread's vectors, in which the size of a frame may be given; it is not in
 * PRSTATUS.  Where a machine has several rows, the first valid one is used.
 */
struct vector_length {
	const struct regset *set;	/* that has it */
	u16 reg;	/* its index there */
	u16 flags;	/* index of a register there; @reg is valid only if @flag is set in it; @flag 0: always */
	u16 flag;
	u16 unit;	/* it is in bytes; the register of DWARF's number @dwarf, in @unit bytes */
	u16 dwarf;
};

/*
 * Where a function that keeps a frame pointer has its caller's: the psABI of each
 * machine.  Places are in words from the frame pointer; they count where @known.
 */
struct frame_abi {
	bool known;
	s32 fp;		/* index in gregs of the frame pointer, or -1: there is no chain of them */
	s32 lr;		/* index of the register that a call leaves the return address in; -1: it pushes it; 0: unknown */
	bool lr_is_scratch;	/* compilers use it for other values, too */
	s32 saved_fp;
	s32 saved_ret;
	s32 caller_sp;	/* the caller's stack pointer */
	const struct signal_frame *signals;	/* a machine's only row is also used where a table says "signal frame" */
	u16 n_signals;
	const struct vector_length *vectors;
	u16 n_vectors;
	bool record_anywhere;	/* in a frame: where that ends is not known */
	u16 cfa_above_sp;	/* bytes from the caller's stack pointer to DWARF's canonical frame address */
	bool fp_saves;		/* functions save general registers in floating-point ones */
	u64 kept;		/* registers that a call keeps, by bits 1 << DWARF number; 0: the unwinder's library knows */
	u16 ret_offset;		/* bytes from what a call leaves as return address to where it returns to */
	u8 ret_mode;		/* bits of a return address that give the instruction set, not an address */
	bool back_chain;	/* fp is the stack pointer, and the caller's is saved; saved_ret is from there */
	bool ret_in_frame;	/* of a back chain: no, saved_ret is from fp, too */
};

/*
 * A machine, or one ABI of it.  prstatus and prpsinfo follow struct elf_prstatus
 * and struct elf_prpsinfo of include/linux/elfcore.h with longs of @word bytes
 * and user ids of @ugid_size bytes; the exceptions to that are numbers here, 0
 * where a machine is as most are.
 */
struct arch {
	const char *name;
	u16 machine;		/* EM_* */
	struct elffmt fmt;
	u32 flags_mask;		/* (e_flags & flags_mask) == flags distinguishes ABIs of one machine and format */
	u32 flags;
	u8 word;
	u8 ugid_size;
	u8 max_align;		/* no member is aligned to more: 2 on m68k */
	u8 regs_align;		/* of the registers in prstatus, where it is not word */
	u8 usec_size;		/* of a timeval's microseconds, where it is not word */
	struct regset gregs;	/* PRSTATUS's registers; type NT_PRSTATUS */
	u16 pc;			/* index in gregs.regs */
	u16 sp;
	u64 pc_mask;		/* the bits of pc that are an address, where not all are */
	u16 sp_bias;		/* the stack is at so many bytes above sp */
	const struct regset *sets;	/* the others, in the kernel's order */
	u16 n_sets;
	struct syscall_abi syscall;
	const struct inject_abi *inject;	/* NULL: not known */
	struct frame_abi frame;
	/*
	 * The thread pointer; set NULL where it is no register.  Thread-local variables are above it
	 * and the thread's own block below ("ELF Handling For Thread-Local Storage", variant I), or
	 * the other way round (variant II).
	 */
	struct { const struct regset *set; u16 reg; bool tls_above; } tp;
	bool top_byte_ignored;		/* TBI: bits 63:56 of a user address are not part of it */
	/* The 32-bit machine whose programs this one's kernel runs, too; or NULL. */
	const struct arch *compat;
	/*
	 * For such a 32-bit machine, if a thread may switch to 64-bit code: the index of each
	 * of gregs.regs in the 64-bit machine's gregs.  NULL: it cannot.
	 */
	const u16 *wide_regs;
};

/* @addr without what the machine ignores in a user address (a tag); unknown machine: as it is. */
static inline u64 arch_untag(const struct arch *a, u64 addr)
{
	/* Bit 55 is set in kernel addresses, whose top byte is not a tag. */
	return a && a->top_byte_ignored && !(addr >> 55 & 1) ? addr & 0x00ffffffffffffffull : addr;
}

/* All machines, NULL-terminated. */
extern const struct arch *const arches[];

/*
 * The machine of a core with these header fields, or NULL.  @e_flags distinguishes the
 * MIPS ABIs n32 and o32; but old kernels left it 0, so see prstatus_arch().
 */
const struct arch *arch_find(u16 machine, struct elffmt fmt, u32 e_flags);
/* The machine this program was built for, or NULL if it has no table. */
const struct arch *arch_native(void);
/* The register set that a note of @owner and @type holds, PRSTATUS not being one of them; or NULL. */
const struct regset *arch_regset(const struct arch *a, const char *owner, u32 type);

/* The bytes of register @index of @set in the descriptor @desc; ERR_TRUNCATED when it is too short. */
int reg_bytes(const struct arch *a, const struct regset *set, unsigned index, struct bytes desc,
	      struct bytes *out, struct err *e) must_check;
/* The same as a number; ERR_UNSUPPORTED when it is wider than 8 bytes. */
int reg_get(const struct arch *a, const struct regset *set, unsigned index, struct bytes desc,
	    u64 *out, struct err *e) must_check;
/* The program counter in PRSTATUS's registers @regs, without the bits that are no address. */
int arch_pc(const struct arch *a, struct bytes regs, u64 *out, struct err *e) must_check;
