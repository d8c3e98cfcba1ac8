#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/scope.h"
#include "base/uapi.h"
#include "base/util.h"
#include "live/live.h"
#include "live/proc.h"
#include "live/undo.h"

enum {
	RED_ZONE = 128,		/* below the stack pointer, and in use: psABI x86-64, 3.2.2 */
	STACK_MAX = 64 << 20,	/* a stack pointer further below its beginning is not of that stack */
	FRAMES_MAX = 20 << 10, XSAVE_MAX = 16 << 10,
	SIGNALS = 64,
	XSAVE_ALIGN = 64,
	XSAVE_SOFTWARE = 464,	/* struct _fpx_sw_bytes, arch/x86/include/uapi/asm/sigcontext.h */
	XSAVE_HEADER = 512, XSAVE_MIN = 576,	/* whose first word says which components are in use */
	XSAVE_LEGACY = 3,	/* x87 and SSE, which are always there */
	CPUID_XSTATE = 13,
	XSAVE_BEGIN = 0x46505853, XSAVE_END = 0x46505845,
	REC_FPSIMD = 0x46508001, REC_FPSIMD_LEN = 528,	/* arch/arm64/include/uapi/asm/sigcontext.h */
	REC_POE = 0x504f4530, REC_POE_LEN = 16, POE_SET = 0x40f,
	BAD_STACK = 7,		/* ss_flags that are refused: the alternate stack stays; kernel/signal.c: restore_altstack() */
	RESTARTSYS = 512, RESTART_BLOCK = 516,	/* include/linux/errno.h */
};

/* ---- code that returns from a signal's handler */

/* In the vdso, which is the same for all. */
static u64 in_vdso(const struct signal_frame *f, const struct areas *areas)
{
	const u8 *ours = (const u8 *)(uintptr_t)getauxval(AT_SYSINFO_EHDR);

	for (size_t i = 0; ours && i < areas->n; i++) {
		const struct vma *v = areas->v[i].vma;
		const u8 *at = v->name && !strcmp(v->name, "[vdso]") ? memmem(ours, vma_len(v), f->code, f->code_len) : NULL;

		if (at)
			return v->start + (u64)(at - ours);
	}
	return 0;
}

/* arch/x86/include/uapi/asm/signal.h: struct sigaction, which the C library shows in part only. */
struct kernel_action {
	u64 handler, flags, restorer, mask;
};

/* That of a handler of ours: 0: there is none, or the kernel knows where it is without. */
static u64 own_restorer(void)
{
	const u64 has_restorer = 0x04000000;
	struct kernel_action a;

	for (int sig = 1; sig <= SIGNALS; sig++) {
		a = (struct kernel_action){ 0 };
		if (!syscall(SYS_rt_sigaction, sig, NULL, &a, sizeof(a.mask)) && a.flags & has_restorer && a.restorer)
			return a.restorer;
	}
	return 0;
}

/* In the C library, if the target has ours. */
static u64 in_library(const struct signal_frame *f, const struct areas *areas)
{
	u64 own = own_restorer();
	const char *base;
	Dl_info info;

	if (!own || memcmp((const void *)(uintptr_t)own, f->code, f->code_len) != 0 ||
	    !dladdr((const void *)(uintptr_t)own, &info) || !info.dli_fname)
		return 0;
	base = strrchr(info.dli_fname, '/');
	for (size_t i = 0; base && i < areas->n; i++) {
		const struct vma *v = areas->v[i].vma;
		const char *name = v->name ? strrchr(v->name, '/') : NULL;

		if (name && !strcmp(name, base) && !v->pgoff)
			return v->start + (own - (u64)(uintptr_t)info.dli_fbase);
	}
	return 0;
}

static const struct signal_frame *frame_of(const struct arch *a)
{
	return a->inject && a->inject->undo && a->frame.n_signals ? &a->frame.signals[0] : NULL;
}

u64 undo_find_code(const struct target *t, const struct areas *areas)
{
	const struct signal_frame *f = t->arch ? frame_of(t->arch) : NULL;
	u64 at = f && t->arch == arch_native() ? in_vdso(f, areas) : 0;

	return at || !f || t->arch != arch_native() ? at : in_library(f, areas);
}

static bool is_code(const struct target *t, const struct signal_frame *f, u64 at)
{
	u8 code[sizeof(f->code)];
	struct err ignored;
	size_t n = 0;

	return at && !target_read(t, at, code, f->code_len, &n, &ignored) && n == f->code_len &&
	       !memcmp(code, f->code, n);
}

/* ---- a place */

/* Private pages that are there: bits 63 and 61 of a pagemap entry, Documentation/admin-guide/mm/pagemap.rst. */
static bool are_there(pid_t pid, u64 start, u64 end)
{
	u64 page = (u64)sysconf(_SC_PAGESIZE), entry;
	int fd auto_close = -1;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	for (u64 at = align_down(start, page); at < end; at += page)
		if (fd < 0 || pread(fd, &entry, sizeof(entry), (off_t)(at / page * sizeof(entry))) != sizeof(entry) ||
		    !(entry >> 63 & 1) || entry >> 61 & 1)
			return false;
	return true;
}

/* Below the first thread's stack pointer, if that is on the stack that the kernel made: others may be of any size. */
static u64 place_for(const struct target *t, size_t len)
{
	const struct thread *th = t->n_threads ? &t->threads[0] : NULL;
	struct proc_stat st;
	struct err ignored;
	u64 sp, addr;

	if (!th || th->tid != t->pid || th->stop != THREAD_STOPPED || th->form != t->arch ||
	    proc_stat(t->pid, t->pid, &st, &ignored))
		return 0;
	sp = machine_reg(t->arch, th->regs, t->arch->sp);
	if (sp >= st.start_stack || st.start_stack - sp > STACK_MAX)
		return 0;
	addr = align_down(sp - RED_ZONE - len, XSAVE_ALIGN);
	return are_there(t->pid, addr, sp) ? addr : 0;
}

/* ---- frames */

static void put(u8 *at, u64 value, unsigned size)
{
	memcpy(at, &value, size);	/* of this machine, whose byte order is ours */
}

static void put_saved(u8 *context, const struct arch *a, const struct saved_regs *v, size_t n, const u8 *regs)
{
	for (size_t i = 0; i < n; i++)
		for (unsigned k = 0; k < v[i].n; k++)
			put(context + v[i].off + k * (v[i].size ? v[i].size : a->word), machine_reg(a, regs, v[i].reg + k),
			    v[i].size ? v[i].size : a->word);
}

static size_t get_set(pid_t tid, u32 type, u8 *p, size_t size)
{
	struct iovec iov = { .iov_base = p, .iov_len = size };

	return ptrace(PTRACE_GETREGSET, tid, (void *)(uintptr_t)type, &iov) < 0 ? 0 : iov.iov_len;
}

/* Up to the last component that is in use: AMX alone has 8 KiB, which hardly ever are.  Intel SDM, volume 1, 13.4. */
static size_t used_xsave(u64 in_use)
{
	size_t end = XSAVE_MIN;
	u32 out[4];

	for (unsigned i = 2; i < 63; i++)
		if (in_use >> i & 1 && uapi_cpuid(CPUID_XSTATE, i, out))
			end = max(end, (size_t)out[0] + out[1]);
	return end;
}

/* arch/x86/kernel/fpu/signal.c: check_xstate_in_sigframe(). */
static size_t put_xsave(pid_t tid, u8 *at, size_t size)
{
	size_t len = get_set(tid, NT_X86_XSTATE, at, size);
	u8 *sw = at + XSAVE_SOFTWARE;
	u64 in_use;

	memcpy(&in_use, at + XSAVE_HEADER, sizeof(in_use));
	if (len < XSAVE_MIN || used_xsave(in_use) > min(len, size - XSAVE_ALIGN))
		return 0;
	len = used_xsave(in_use);
	memset(at + len, 0, size - len);
	memset(sw, 0, XSAVE_HEADER - XSAVE_SOFTWARE);
	put(sw, XSAVE_BEGIN, 4);
	put(sw + 4, len + 4, 4);
	put(sw + 8, in_use | XSAVE_LEGACY, 8);
	put(sw + 16, len, 4);
	put(at + len, XSAVE_END, 4);
	return align_up(len + 4, XSAVE_ALIGN);
}

/* Records one after another, to one that is 0: arch/arm64/kernel/signal.c: parse_user_sigframe(). */
static size_t put_records(pid_t tid, u8 *at, size_t size)
{
	u8 fp[REC_FPSIMD_LEN], por[8];
	size_t n = REC_FPSIMD_LEN;

	if (size < REC_FPSIMD_LEN + REC_POE_LEN + 8 || get_set(tid, NT_PRFPREG, fp, sizeof(fp)) < 520)
		return 0;
	put(at, REC_FPSIMD, 4);
	put(at + 4, REC_FPSIMD_LEN, 4);
	memcpy(at + 8, fp + 512, 8);
	memcpy(at + 16, fp, 512);
	if (get_set(tid, POE_SET, por, sizeof(por)) == sizeof(por)) {
		put(at + n, REC_POE, 4);
		put(at + n + 4, REC_POE_LEN, 4);
		memcpy(at + n + 8, por, sizeof(por));
		n += REC_POE_LEN;
	}
	return n + 16;
}

/* A call that was interrupted is made once more: the kernel does so only as it returns from it. */
static void make_again(const struct arch *a, u8 *regs)
{
	const struct syscall_abi *abi = &a->syscall;
	s64 ret = abi->orig_reg >= 0 ? (s64)machine_reg(a, regs, abi->ret_reg) : 0;

	if (abi->orig_reg < 0 || (s64)machine_reg(a, regs, (unsigned)abi->orig_reg) < 0 || ret > -RESTARTSYS ||
	    ret < -RESTART_BLOCK)
		return;
	machine_put_reg(a, regs, abi->nr_reg, machine_reg(a, regs, (unsigned)abi->orig_reg));
	machine_put_reg(a, regs, a->pc, machine_reg(a, regs, a->pc) - abi->insn_len);
}

/* A process of ours ends. */
static void make_end(const struct arch *a, u8 *regs, u64 ender)
{
	machine_put_reg(a, regs, a->syscall.nr_reg, a->inject->undo->exit_call);
	machine_put_reg(a, regs, a->syscall.args[0], 0);
	machine_put_reg(a, regs, a->pc, ender);
}

/* On x86 the floating-point registers come first, for the thread's frame alone. */
struct frames {
	u8 bytes[FRAMES_MAX];
	size_t len;
	size_t at[2];		/* of the thread, of its child */
};

static bool put_frame(struct frames *f, unsigned which, const struct arch *a, pid_t tid, const u8 *regs, u64 mask)
{
	const struct undo_abi *undo = a->inject->undo;
	const struct signal_frame *s = frame_of(a);
	u8 *at = f->bytes + f->len, *context = at + s->context;
	size_t n;

	f->at[which] = f->len;
	put(at + undo->flags_off, undo->flags, 8);
	put(at + s->alt_stack + 8, BAD_STACK, 4);
	put(at + undo->mask_off, mask, 8);
	put_saved(context, a, s->saved, s->n_saved, regs);
	put_saved(context, a, undo->saved, undo->n_saved, regs);
	f->len += undo->len;
	if (undo->fp_pointer)
		return true;
	n = put_records(tid, f->bytes + f->len, sizeof(f->bytes) - f->len);
	f->len = align_up(f->len + n, 16);
	return n > 0;
}

static bool put_frames(struct frames *f, const struct target *t, const struct thread *th, const u8 *regs, u64 ender)
{
	const struct arch *a = t->arch;
	const struct undo_abi *undo = a->inject->undo;
	u8 again[512], end[512];
	u64 mask = 0;

	memcpy(again, regs, sizeof(again));
	memcpy(end, regs, sizeof(end));
	make_again(a, again);
	make_end(a, end, ender);
	if (ptrace(PTRACE_GETSIGMASK, th->tid, (void *)sizeof(mask), &mask) < 0)
		return false;
	if (undo->fp_pointer)
		f->len = put_xsave(th->tid, f->bytes, XSAVE_MAX);
	return (f->len || !undo->fp_pointer) && put_frame(f, 0, a, th->tid, again, mask) &&
	       put_frame(f, 1, a, th->tid, end, UINT64_MAX);
}

/* ---- all together */

static bool write_there(pid_t pid, u64 addr, const u8 *p, size_t len)
{
	struct iovec local = { .iov_base = (void *)(uintptr_t)p, .iov_len = len };
	struct iovec remote = { .iov_base = (void *)(uintptr_t)addr, .iov_len = len };

	return process_vm_writev(pid, &local, 1, &remote, 1, 0) == (ssize_t)len;
}

static bool keep(struct undo *u, const struct target *t, u64 addr, size_t len)
{
	struct err ignored;
	size_t n = 0;

	u->saved = malloc(len);
	u->addr = addr;
	u->len = len;
	return u->saved && !target_read(t, addr, u->saved, len, &n, &ignored) && n == len;
}

void undo_begin(struct undo *u, const struct target *t, const struct thread *th, const u8 *regs, u64 code, u64 ender)
{
	struct frames *f auto_free = NULL;
	const struct arch *a = t->arch;
	u64 addr;

	*u = (struct undo){ 0 };
	if (!code || !frame_of(a) || !is_code(t, frame_of(a), code))
		return;
	f = calloc(1, sizeof(*f));
	if (!f)
		return;
	addr = put_frames(f, t, th, regs, ender) ? place_for(t, f->len) : 0;
	if (addr && a->inject->undo->fp_pointer)
		put(f->bytes + f->at[0] + frame_of(a)->context + a->inject->undo->fp_pointer, addr, 8);
	if (addr && keep(u, t, addr, f->len) && write_there(t->pid, addr, f->bytes, f->len)) {
		u->pc = code;
		u->end = code + frame_of(a)->code_len;
		u->sp = addr + f->at[0];
		u->child_sp = addr + f->at[1];
		return;
	}
	free(u->saved);
	*u = (struct undo){ 0 };
}

void undo_end(struct undo *u, const struct target *t)
{
	if (u->saved)
		write_there(t->pid, u->addr, u->saved, u->len);
	free(u->saved);
	*u = (struct undo){ 0 };
}
