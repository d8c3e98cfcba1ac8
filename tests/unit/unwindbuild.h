/* unwindbuild.h - an unwinder on a built core, whose memory a test may change. */
#pragma once

#include "coreopen.h"

#include "base/util.h"
#include "unwind/frame/frame.h"

struct fixture {
	struct opened o;
	struct unwind *u;
	struct cpu_regs r;
};

/* For an ABI that only e_flags distinguish. */
cb_unused static void begin_abi(struct fixture *f, u16 machine, struct elffmt fmt, u32 flags)
{
	struct unwind_opts opts = { 0 };
	struct err e = { 0 };

	*f = (struct fixture){ 0 };
	cb_good_abi(&f->o.cb, machine, fmt, flags);
	open_built(&f->o);
	cb_ok(unwind_open(&f->u, &f->o.core, &opts, &e), &e);
}

cb_unused static void begin(struct fixture *f, u16 machine, struct elffmt fmt)
{
	begin_abi(f, machine, fmt, 0);
}

cb_unused static void end(struct fixture *f)
{
	unwind_close(f->u);
	fini(&f->o);
}

/* Changes the saved bytes at @addr, of whatever segment. */
cb_unused static void poke(struct fixture *f, u64 addr, const void *p, size_t len)
{
	const struct cb *cb = &f->o.cb;

	for (size_t i = 1; i < cb->n_segs; i++)
		if (addr >= cb->segs[i].p_vaddr && addr - cb->segs[i].p_vaddr + len <= cb->data_len[i]) {
			off_t at = (off_t)(cb->data_at[i] + addr - cb->segs[i].p_vaddr);

			assert_int_equal(pwrite(f->o.fd, p, len, at), len);
			return;
		}
	fail_msg("nothing is saved at %#llx", (unsigned long long)addr);
}

cb_unused static void poke_word(struct fixture *f, u64 addr, u64 value)
{
	u8 raw[8];

	uint_put(f->o.core.fmt, raw, f->o.cb.arch.word, value);
	poke(f, addr, raw, f->o.cb.arch.word);
}

/*
 * A stack of 32-bit Arm's at @sp: every register is its number times 0x11; each word above the stack pointer is
 * 0x1000 and its place.
 */
cb_unused static struct cpu_regs begin_arm_stack(struct fixture *f, u64 sp)
{
	struct cpu_regs r = { .exact = true };

	for (unsigned i = 0; i < 15; i++) {
		r.v[i] = i * 0x11;
		r.have[i] = true;
	}
	r.v[13] = sp;
	for (u32 i = 0; i < 64; i++)
		poke_word(f, sp + 4 * i, 0x1000 + i);
	return r;
}

/* The register of DWARF's number @reg is known. */
cb_unused static void set(struct fixture *f, unsigned reg, u64 v)
{
	regs_set_dwarf(&f->r, (s32)reg, v);
}
