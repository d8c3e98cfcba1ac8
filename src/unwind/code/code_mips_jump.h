/* code_mips_jump.h - an instruction of MIPS, being read, and what its jumps, branches and calls do. */
#pragma once

#include "unwind/code/insn.h"

enum { MIPS_SP = 29, MIPS_RA = 31 };
enum mips_slot { SLOT_NONE, SLOT_ALWAYS, SLOT_LIKELY /* done only where the branch is taken */ };

struct mips {
	const struct code_machine *m;
	u32 w;
	u8 rs, rt, rd;
	u8 size;	/* of an access to memory, bytes */
	enum mips_slot slot;
	struct code_insn *in;
};

static inline s64 mips_imm(const struct mips *d)
{
	return code_sbits(d->w, 15, 0);
}

static inline void mips_clobber(struct mips *d, u8 n)
{
	if (n)
		d->in->clobbers |= 1ULL << n;
}

/* ---- what goes elsewhere */

void mips_branch(struct mips *d);
void mips_branch_likely(struct mips *d);
void mips_branch_equal(struct mips *d);
void mips_jump_region(struct mips *d);
void mips_jump_exchange(struct mips *d);
void mips_regimm(struct mips *d);
void mips_compact_16(struct mips *d);
void mips_compact_branch(struct mips *d);
void mips_compact_jump(struct mips *d);
void mips_compact_21(struct mips *d);
void mips_jump_reg(struct mips *d, u8 link);
/* BC1F and so on. */
void mips_branch_flag(struct mips *d);
