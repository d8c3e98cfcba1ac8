/* arch.h - a machine, as tables: any host reads any core. */
#pragma once

#include <tagcore/bytes.h>
#include <tagcore/types.h>

/* One register: @size bytes at @off of its set; DWARF number, or -1. */
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
	bool sized;	/* the first 32-bit word tells how much is used (struct user_sve_header) */
};

/*
 * How a system call that our stop broke is set going again.  The call
 * instruction is @insn_len bytes before the program counter.
 */
struct syscall_abi {
	u16 insn_len;		/* 0: unknown machine, calls are left alone */
	u16 nr_reg;		/* index in gregs of the number to put back */
	u16 ret_reg;		/* index of the result, which an argument may share */
	s32 orig_reg;		/* index of the register that keeps the number, or -1 */
	const u16 *restartable;	/* calls that EINTR leaves undone; sorted is not needed */
	u16 n_restartable;
};

/*
 * A machine.  prstatus and prpsinfo follow struct elf_prstatus and struct
 * elf_prpsinfo of include/linux/elfcore.h with longs of @word bytes and user
 * ids of @ugid_size bytes.
 */
struct arch {
	const char *name;
	u16 machine;		/* EM_* */
	struct elffmt fmt;
	u8 word;
	u8 ugid_size;
	struct regset gregs;	/* PRSTATUS's registers; type NT_PRSTATUS */
	u16 pc;			/* index in gregs.regs */
	u16 sp;
	const struct regset *sets;	/* the others, in the kernel's order */
	u16 n_sets;
	struct syscall_abi syscall;
	bool top_byte_ignored;		/* TBI: bits 63:56 of a user address are not part of it */
};

/* @addr without what the machine ignores in a user address (a tag); unknown machine: as it is. */
static inline u64 arch_untag(const struct arch *a, u64 addr)
{
	/* Bit 55 tells user from kernel addresses, whose top byte is not a tag. */
	return a && a->top_byte_ignored && !(addr >> 55 & 1) ? addr & 0x00ffffffffffffffull : addr;
}

/* All machines, NULL-terminated. */
extern const struct arch *const arches[];

/* The machine of a core with these header fields, or NULL. */
const struct arch *arch_find(u16 machine, struct elffmt fmt);
/* The machine this program was built for, or NULL if it has no table. */
const struct arch *arch_native(void);
/* Value of register @index of @set in the descriptor @desc; ERR_TRUNCATED when it is too short. */
int reg_get(const struct arch *a, const struct regset *set, unsigned index, struct bytes desc,
	    u64 *out, struct err *e) must_check;
