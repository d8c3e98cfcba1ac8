#include "cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "elf/note.h"
#include "soak.h"
#include "unwind/code/code.h"

/*
 * A program whose functions have no tables is gone through instruction by
 * instruction, and at each our backtrace is compared with what was called.  Core
 * and memory: one core at the start, in which the used part of the stack and the
 * registers are changed for each step.  make check compares once at each
 * instruction, make soak as often as it is executed, by whatever calls.
 */
#ifdef __x86_64__

enum { DEPTH_MAX = 256, STACK_BYTES = 64 << 10, STEPS_MAX = 400000, REOPEN = 500, CODE_MAX = 64 << 10 };

struct call {
	u64 ret;
	u64 sp;		/* before the call */
};

struct steps {
	pid_t pid;
	u64 root, lo, hi;
	struct core core;
	struct unwind *u;
	int fd;
	u8 *regs;	/* in the core's own copy of PRSTATUS */
	struct call calls[DEPTH_MAX];
	size_t n;
	size_t n_compared, right, short_of, wrong;
	bool seen[CODE_MAX];	/* instructions, from lo */
};

static u64 mask_of(size_t n)
{
	return n >= 8 ? ~0ULL : (1ULL << 8 * n) - 1;
}

static u64 peek(const struct steps *s, u64 addr, size_t n)
{
	return (u64)ptrace(PTRACE_PEEKDATA, s->pid, (void *)addr, NULL) & mask_of(n);
}

static void start(struct steps *s, const char *path)
{
	unsigned long long root = 0, lo = 0, hi = 0;
	int p[2], status;
	FILE *f;

	assert_int_equal(pipe(p), 0);
	s->pid = fork();
	if (!s->pid) {
		dup2(p[1], 1);
		close(p[0]);
		close(p[1]);
		execl(path, path, (char *)NULL);
		_exit(127);
	}
	close(p[1]);
	f = fdopen(p[0], "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%llx %llx %llx", &root, &lo, &hi), 3);
	fclose(f);
	s->root = root;
	s->lo = lo;
	s->hi = hi;
	assert_int_equal(waitpid(s->pid, &status, WUNTRACED), s->pid);
	assert_true(WIFSTOPPED(status));
}

/* Anew from time to time: what may be read of code is limited. */
static void reopen(struct steps *s)
{
	struct unwind_opts opts = { .unwinder = "libdw" };
	struct err e = { 0 };

	unwind_close(s->u);
	assert_int_equal(unwind_open(&s->u, &s->core, &opts, &e), 0);
}

static void open_core(struct steps *s)
{
	char cmd[512], path[] = "steps.core.XXXXXX";
	struct prstatus st;
	struct err e = { 0 };

	s->fd = mkstemp(path);
	assert_true(s->fd >= 0);
	snprintf(cmd, sizeof(cmd), "%s/tagcore dump --force -q -o %s %d", getenv("O"), path, (int)s->pid);
	assert_int_equal(system(cmd), 0);
	close(s->fd);
	s->fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(core_open(&s->core, path, &e), 0);
	unlink(path);
	assert_int_equal(prstatus_get(&s->core.layout, s->core.notes[s->core.threads[0].note].note.desc, &st, &e), 0);
	s->regs = (u8 *)(uintptr_t)st.regs.p;
}

static void trace(struct steps *s)
{
	int status;

	assert_int_equal(ptrace(PTRACE_SEIZE, s->pid, NULL, (void *)PTRACE_O_EXITKILL), 0);
	assert_int_equal(ptrace(PTRACE_INTERRUPT, s->pid, NULL, NULL), 0);
	assert_int_equal(waitpid(s->pid, &status, __WALL), s->pid);
	kill(s->pid, SIGCONT);
}

static bool step(struct steps *s)
{
	int status;

	return !ptrace(PTRACE_SINGLESTEP, s->pid, NULL, NULL) && waitpid(s->pid, &status, __WALL) == s->pid &&
	       WIFSTOPPED(status);
}

/* ---- x86 */

/* The general register at @i of the machine's. */
static u64 reg(const struct steps *s, unsigned i)
{
	const struct reg *r = &s->core.layout.gregs.regs[i];

	return uint_get(s->core.fmt, s->regs + r->off, r->size);
}

static u64 pc_of(const struct steps *s)
{
	return reg(s, s->core.layout.pc);
}

static u64 sp_of(const struct steps *s)
{
	return reg(s, s->core.layout.sp);
}

static void read_regs(struct steps *s)
{
	struct iovec iov = { .iov_base = s->regs, .iov_len = s->core.layout.gregs.size };

	assert_int_equal(ptrace(PTRACE_GETREGSET, s->pid, (void *)NT_PRSTATUS, &iov), 0);
}

static void called(struct steps *s, u64 sp)
{
	assert_true(s->n < DEPTH_MAX);
	s->calls[s->n++] = (struct call){ .ret = peek(s, sp_of(s), s->core.layout.word), .sp = sp };
}

/* After a step from @pc with @sp: was it a call, was it a return? */
static void follow(struct steps *s, u64 pc, u64 sp)
{
	u64 now = pc_of(s), now_sp = sp_of(s), ret;

	while (s->n && now_sp > s->calls[s->n - 1].sp - s->core.layout.word)
		s->n--;
	if (now_sp != sp - s->core.layout.word || now - pc <= 1)
		return;
	ret = peek(s, now_sp, s->core.layout.word);
	if (ret > pc && ret - pc <= 7 && now != ret)
		called(s, sp);
}

/* ---- comparing */

static void copy_stack(struct steps *s)
{
	static u8 buf[STACK_BYTES];
	u64 sp = (sp_of(s) - 256) & ~7ULL;
	struct iovec here = { .iov_base = buf, .iov_len = sizeof(buf) };
	struct iovec there = { .iov_base = (void *)sp, .iov_len = sizeof(buf) };
	const struct core_area *a = core_area_find(&s->core, sp);
	ssize_t n;

	assert_non_null(a);
	there.iov_len = min(sizeof(buf), (size_t)(a->end - sp));
	n = process_vm_readv(s->pid, &here, 1, &there, 1, 0);
	assert_true(n > 0);
	for (size_t i = 0; i < s->core.n_segs; i++) {
		const GElf_Phdr *p = &s->core.segs[i];

		if (p->p_type == PT_LOAD && sp >= p->p_vaddr && sp - p->p_vaddr + (u64)n <= p->p_filesz) {
			assert_int_equal(pwrite(s->fd, buf, (size_t)n, (off_t)(p->p_offset + (sp - p->p_vaddr))), n);
			return;
		}
	}
	fail_msg("the core has no such stack");
}

/* Frames that are as they were called; the first of them is the thread's own. */
static size_t agreeing(const struct steps *s, const struct stack *got)
{
	size_t i = 1;

	while (i < got->n && i <= s->n && got->frames[i].pc == s->calls[s->n - i].ret)
		i++;
	return i;
}

static void compare(struct steps *s)
{
	struct stack got = { 0 };
	struct err e = { 0 };
	size_t i;

	if (!(s->n_compared++ % REOPEN))
		reopen(s);
	copy_stack(s);
	assert_int_equal(unwind_thread(s->u, &s->core.threads[0], &got, &e), 0);
	i = agreeing(s, &got);
	if (i > s->n)
		s->right++;
	else if (i == got.n)
		s->short_of++;
	else
		s->wrong++;
	if (i <= s->n)
		printf("# at %#" PRIx64 ": frame %zu of %zu is %#" PRIx64 ": %s\n", pc_of(s), i, s->n,
		       i < got.n ? got.frames[i].pc : 0, i < got.n ? frame_by_name(got.frames[i].by) : got.why);
	stack_fini(&got);
}

static bool is_compared(struct steps *s)
{
	u64 pc = pc_of(s);

	if (pc < s->lo || pc >= s->hi)
		return false;
	assert_true(pc - s->lo < CODE_MAX);
	if (s->seen[pc - s->lo] && !soak())
		return false;
	return s->seen[pc - s->lo] = true;
}

static void run(struct steps *s)
{
	bool begun = false;

	for (size_t i = 0; i < STEPS_MAX; i++) {
		u64 pc = pc_of(s), sp = sp_of(s);

		if (!step(s))
			return;
		read_regs(s);
		if (!begun && pc_of(s) == s->root) {
			begun = true;
			called(s, sp_of(s) + s->core.layout.word);
		} else if (begun) {
			follow(s, pc, sp);
		}
		if (begun && !s->n)
			return;
		if (begun && is_compared(s))
			compare(s);
	}
}

static void all_steps(const char *name)
{
	static struct steps s;
	char path[512];


	snprintf(path, sizeof(path), "%s/targets/%s", getenv("O"), name);
	if (access(path, X_OK))
		skip();
	s = (struct steps){ 0 };
	start(&s, path);
	open_core(&s);
	trace(&s);
	read_regs(&s);
	run(&s);
	kill(s.pid, SIGKILL);
	waitpid(s.pid, NULL, __WALL);
	unwind_close(s.u);
	core_close(&s.core);
	close(s.fd);
	printf("# %s: %zu right, %zu incomplete, %zu wrong\n", name, s.right, s.short_of, s.wrong);
	assert_true(s.right > soak_or(300, 500));
	assert_int_equal(s.wrong, 0);
	assert_int_equal(s.short_of, 0);
}

#define STEPS(name, target) static void name(void **state) { (void)state; all_steps(target); }
STEPS(unoptimized, "notable-O0")
STEPS(optimized, "notable-O2")
STEPS(optimized_for_size, "notable-Os")
STEPS(without_symbols, "notable-O2-stripped")

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unoptimized), cmocka_unit_test(optimized),
		cmocka_unit_test(optimized_for_size), cmocka_unit_test(without_symbols),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
int main(void)
{
	puts("1..0 # SKIP what is a call is known here on x86-64 only");
	return 0;
}
#endif
