#include <string.h>

#include "base/util.h"
#include "unwind/frame/frame.h"

/*
 * Signatures are in the bits from the size of addresses up to 54
 * (arch/arm64/include/asm/pointer_auth.h: ptrauth_user_pac_mask()).  Without a note,
 * as in QEMU's cores, the size follows from memory; kernels have 39 bits or more.
 */
static u64 mask_without_note(const struct core *c)
{
	u64 end = c->n_areas ? c->areas[c->n_areas - 1].end : UINT64_MAX;
	unsigned bits = 39;

	while (bits < 55 && (end - 1) >> bits)
		bits++;
	return (1ULL << 55) - (1ULL << bits);
}

/* The PAC mask of this thread, NT_ARM_PAC_MASK: data_mask, then insn_mask. */
static u64 insn_mask_of(const struct unwind *u, const struct core_thread *t)
{
	struct core_regset s;
	u64 mask;

	if (u->core->ehdr.e_machine != EM_AARCH64)
		return 0;
	if (core_thread_regset(u->core, t, "pac_mask", &s))
		for (unsigned i = 0; i < s.set->n_regs; i++)
			if (!strcmp(s.set->regs[i].name, "insn_mask") && !reg_get(u->core->arch, s.set, i, s.desc, &mask, NULL))
				return mask;
	return mask_without_note(u->core);
}

static bool length_of(const struct unwind *u, const struct core_thread *t, const struct vector_length *v, u64 *out)
{
	const struct core *c = u->core;
	const struct core_note *n = core_thread_note(c, t, v->set->owner, v->set->type);
	u64 flags = 0;

	if (!n || (v->flag && reg_get(c->arch, v->set, v->flags, n->note.desc, &flags, NULL)) ||
	    reg_get(c->arch, v->set, v->reg, n->note.desc, out, NULL))
		return false;
	return !v->flag || flags & v->flag;
}

static void find_vectors(struct unwind *u, const struct core_thread *t)
{
	const struct frame_abi *f = &u->core->arch->frame;
	u64 bytes;

	u->vectors.known = false;
	for (size_t i = 0; i < f->n_vectors && !u->vectors.known; i++)
		if (length_of(u, t, &f->vectors[i], &bytes)) {
			u->vectors.dwarf = f->vectors[i].dwarf;
			u->vectors.value = bytes / f->vectors[i].unit;
			u->vectors.known = true;
		}
}

bool regs_vectors(const struct unwind *u, const struct cpu_regs *r, u64 n, u64 *out)
{
	if (!u->vectors.known || u->vectors.dwarf != n)
		return false;
	*out = n < CPU_REGS_MAX && r->have[n] ? r->v[n] : u->vectors.value;
	return true;
}

/*
 * s390's leaf functions save general registers in floating-point ones (gcc,
 * gcc/config/s390/s390.cc: s390_register_info_gprtofpr()): the numbers that fit.
 */
static void add_fpregs(const struct unwind *u, const struct core_thread *t, struct cpu_regs *out)
{
	const struct core *c = u->core;
	const struct regset *set = arch_regset(c->arch, "CORE", NT_PRFPREG);
	const struct core_note *n = set ? core_thread_note(c, t, "CORE", NT_PRFPREG) : NULL;
	u64 v;

	for (unsigned i = 0; n && i < set->n_regs; i++)
		if (set->regs[i].dwarf >= 0 && set->regs[i].size <= sizeof(v) &&
		    !reg_get(&c->layout, set, i, n->note.desc, &v, NULL))
			regs_set_dwarf(out, set->regs[i].dwarf, v);
}

/*
 * Of a thread that did not stop tagcore saves only what is in /proc/TID/syscall, and
 * PRSTATUS has zeros for the rest: not known is not zero.  The notes say which, if they are not lost; and a
 * thread that ran has something in other registers, if only in its flags.
 */
static bool is_partial(const struct arch *a, struct bytes regs)
{
	for (unsigned i = 0; i < a->gregs.n_regs; i++) {
		u64 v;

		if (i != a->pc && i != a->sp && (s32)i != a->syscall.orig_reg && !reg_get(a, &a->gregs, i, regs, &v, NULL) && v)
			return false;
	}
	return true;
}

bool regs_of_thread(struct unwind *u, const struct core_thread *t, struct cpu_regs *out)
{
	const struct core *c = u->core;
	const struct regset *set = &c->layout.gregs;
	struct bytes regs;
	u64 v;

	*out = (struct cpu_regs){ .exact = true };
	u->insn_mask = insn_mask_of(u, t);
	if (core_thread_regs(c, t, &regs, NULL) || core_thread_is_bare(c, t) || arch_pc(&c->layout, regs, &out->pc, NULL))
		return false;
	bool partial = t->partial || is_partial(&c->layout, regs);
	for (unsigned i = 0; i < set->n_regs; i++)
		if ((!partial || i == c->layout.pc || i == c->layout.sp) && !reg_get(&c->layout, set, i, regs, &v, NULL)) {
			regs_set(u, out, (int)i, v);
			regs_set_mode(u, out, i, v);
		}
	find_vectors(u, t);
	if (c->arch->frame.fp_saves)
		add_fpregs(u, t, out);
	return true;
}

void regs_return(const struct unwind *u, struct cpu_regs *r, u64 ret)
{
	const struct arch *a = u->core->arch;

	r->pc = space_strip(u, ret);
	r->mode = ret & a->frame.ret_mode ? a->syscall.mode_mask : 0;
}

void regs_set_mode(const struct unwind *u, struct cpu_regs *r, unsigned index, u64 value)
{
	const struct syscall_abi *abi = &u->core->arch->syscall;

	if (abi->mode_mask && abi->mode_reg == index)
		r->mode = value & abi->mode_mask;
}

s32 regs_dwarf(const struct unwind *u, int index)
{
	const struct regset *set = &u->core->layout.gregs;
	s32 n = index >= 0 && index < set->n_regs ? set->regs[index].dwarf : -1;

	return n < CPU_REGS_MAX ? n : -1;
}

bool regs_get(const struct unwind *u, const struct cpu_regs *r, int index, u64 *out)
{
	s32 n = regs_dwarf(u, index);

	if (n < 0 || !r->have[n])
		return false;
	*out = r->v[n];
	return true;
}

void regs_set(const struct unwind *u, struct cpu_regs *r, int index, u64 value)
{
	regs_set_dwarf(r, regs_dwarf(u, index), value);
}

void regs_set_dwarf(struct cpu_regs *r, s32 n, u64 value)
{
	if (n < 0 || n >= CPU_REGS_MAX)
		return;
	r->v[n] = value;
	r->have[n] = true;
}
