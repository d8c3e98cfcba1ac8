#include <signal.h>
#include <string.h>

#include "base/util.h"
#include "unwind/frame/frame.h"

/* Frames that the kernel makes for signal handlers: what it saved there, the rows of arch/ say. */

static bool has_code(struct unwind *u, u64 pc, const struct signal_frame *f)
{
	u8 code[sizeof(f->code)];

	return f->code_len && space_read(u, pc, code, f->code_len) && !memcmp(code, f->code, f->code_len);
}

/* How far above the stack pointer a frame of a signal reaches that has its own code. */
enum { ON_STACK_MAX = 4096 };

/* Not all machines can forbid to run what is on the stack, and old kernels put the code there. */
static bool may_run(struct unwind *u, u64 pc, u64 sp, const struct signal_frame *f)
{
	bool in_frame = sp && pc >= sp && pc - sp < ON_STACK_MAX;

	return (f->where != CODE_MAPPED && in_frame) || (f->where != CODE_IN_FRAME && space_is_code(u, pc));
}

/* The row whose code is at @pc, or NULL; @sp is 0 where it is not known. */
static const struct signal_frame *signal_at(struct unwind *u, u64 pc, u64 sp)
{
	const struct arch *a = u->core->arch;

	for (size_t i = 0; a && i < a->frame.n_signals; i++)
		if (may_run(u, pc, sp, &a->frame.signals[i]) && has_code(u, pc, &a->frame.signals[i]))
			return &a->frame.signals[i];
	return NULL;
}

bool step_is_signal(struct unwind *u, u64 pc, u64 sp)
{
	return signal_at(u, pc, sp) != NULL;
}

/* @run's registers; @at is what their places are counted from. */
static bool restore_run(struct unwind *u, const struct saved_regs *run, u64 at, struct cpu_regs *out)
{
	const struct arch *a = u->core->arch;
	unsigned size = run->size ? run->size : u->core->layout.word;

	for (u16 i = 0; i < run->n; i++) {
		u16 reg = (u16)(run->reg + i);
		u64 v;

		if (!space_uint(u, at + run->off + (u64)i * size, size, &v))
			return false;
		if (run->set) {
			regs_set_dwarf(out, run->set->regs[reg].dwarf, v);
			continue;
		}
		regs_set(u, out, reg, u64_of_word(u, v));
		regs_set_mode(u, out, reg, v);
		if (reg == a->pc)
			out->pc = u64_of_word(u, v) & (a->pc_mask ? a->pc_mask : UINT64_MAX);
	}
	return true;
}

bool step_restore(struct unwind *u, const struct signal_frame *f, u64 sp, struct cpu_regs *out)
{
	for (size_t i = 0; i < f->n_saved; i++)
		if (!restore_run(u, &f->saved[i], sp + f->context, out))
			return false;
	return true;
}

/*
 * ---- frames whose code is not in the core: QEMU's cores have no code that begins with
 * an ELF header, and so not its vdso (8.2 and newer, linux-user/elfload.c:
 * vma_dump_size()); of a core cut short, the vdso is among the last areas.
 */

/* A vdso of which the core has no area, in bytes: powerpc's has a page of 64 KiB. */
enum { VDSO_MAX = 65536 };

/* Its functions call none outside: where else a call returns to there, a signal handler does. */
static bool is_in_vdso(const struct unwind *u, u64 addr)
{
	const struct core_area *a;
	u64 start;

	if (!core_auxv(u->core, AT_SYSINFO_EHDR, &start) || addr < start)
		return false;
	a = core_area_find(u->core, start);
	return a && a->start <= start ? addr < a->end : addr - start < VDSO_MAX;
}

static bool may_be_stack(struct unwind *u, u64 sp)
{
	const struct core_area *a;
	bool known;

	sp = core_untag(u->core, sp);
	a = core_area_find(u->core, sp);
	return a && a->start <= sp && (core_area_prot(u->core, a, &known) & PF_W || !known);
}

/*
 * _NSIG is 64, and 128 on MIPS: arch/mips/include/uapi/asm/signal.h.  x86_64 and arm64
 * have a siginfo only for a handler that wants it (SA_SIGINFO).
 */
static bool has_signo(struct unwind *u, const struct signal_frame *f, u64 sp)
{
	u64 signo;

	return f->signo >= 0 && space_uint(u, sp + (u64)f->signo, 4, &signo) && signo >= 1 && signo <= 128;
}

#define AUTODISARM (1ull << 31)	/* SS_AUTODISARM, which only <linux/signal.h> has: a flag beside the mode */

/*
 * uc_stack: a thread's alternate stack, or that it has none (Linux 6.12, kernel/signal.c: __save_altstack(),
 * do_sigaltstack()).  MIPS has the mode last, others between.
 */
static bool has_alt_stack(struct unwind *u, const struct signal_frame *f, u64 sp)
{
	unsigned word = u->core->layout.word;
	u64 mode_at = sp + f->alt_stack + (f->alt_stack + word == f->alt_size ? 2 * word : word);
	u64 start, size, mode;

	if (!f->alt_stack || !space_uint(u, sp + f->alt_stack, word, &start) ||
	    !space_uint(u, sp + f->alt_size, word, &size) || !space_uint(u, mode_at, 4, &mode))
		return false;
	mode &= ~AUTODISARM;
	return size ? mode <= (u64)SS_ONSTACK && may_be_stack(u, start + size - 1) : mode == (u64)SS_DISABLE && !start;
}

/* How much of what the kernel puts into such a frame is there: 0 to 3. */
static unsigned likeness(struct unwind *u, const struct signal_frame *f, u64 sp)
{
	struct cpu_regs saved = { 0 };
	u64 its_sp;

	if (f->where == CODE_IN_FRAME || !step_restore(u, f, sp, &saved) || !regs_get(u, &saved, u->core->arch->sp, &its_sp) ||
	    !may_be_stack(u, its_sp))
		return 0;
	return space_is_code(u, saved.pc) + has_signo(u, f, sp) + has_alt_stack(u, f, sp);
}

/*
 * By its layout, where a return address leads to code that cannot be read.  In the
 * vdso, which may have several forms, one mark is enough: the interrupted pc may be
 * wild.  Elsewhere it may be any function, and two must be there.
 */
static const struct signal_frame *signal_like(struct unwind *u, u64 pc, u64 sp)
{
	const struct arch *a = u->core->arch;
	unsigned best = is_in_vdso(u, pc) ? 0 : 1;
	const struct signal_frame *found = NULL;
	u8 code;

	if (!sp || space_read(u, pc, &code, 1))
		return NULL;
	for (size_t i = 0; a && i < a->frame.n_signals; i++) {
		unsigned is = likeness(u, &a->frame.signals[i], sp);

		if (is > best) {
			best = is;
			found = &a->frame.signals[i];
		}
	}
	return found;
}

bool step_is_like_signal(struct unwind *u, u64 pc, u64 sp)
{
	return signal_like(u, pc, sp) != NULL;
}

/*
 * Through the frame of a signal by what the kernel saved: libdw stops where the
 * interrupted pc is 0, which a call through a null pointer makes it.
 */
bool step_signal(struct unwind *u, struct cpu_regs *r)
{
	const struct arch *a = u->core->arch;
	struct cpu_regs caller = { 0 };
	const struct signal_frame *f;
	u64 sp;

	if (!a || !regs_get(u, r, a->sp, &sp))
		return false;
	f = signal_at(u, r->pc, sp);
	if (!f)
		f = a->frame.n_signals == 1 ? &a->frame.signals[0] : signal_like(u, r->pc, sp);
	if (!f)
		return false;
	if (f->rest_kept)
		caller = *r;
	caller.exact = true;
	if (!step_restore(u, f, sp, &caller))
		return false;
	*r = caller;
	return true;
}
