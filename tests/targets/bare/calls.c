/*
 * calls32 [CALL...]: what blocked.c is, as a 32-bit program without a library: one thread in each
 * of the system calls below (default: all), with something in every register set.  SIGUSR1 wakes
 * them, and every one says what its call returned: "result CALL woken ok", or "result CALL
 * returned -4".  SIGUSR2 is blocked, and pending for the process.
 * calls32 plain: no such thread, and no thread pointer.  calls32 exit: ends at once, as a sign
 * that the kernel runs such programs.
 */
#include "bare.h"

#define SLEEP_SECONDS 4
#define STACK 16384

struct timespec32 { int32_t sec, nsec; };

struct site {
	const struct call *call;
	int tid;	/* 0 when it has ended: CLONE_CHILD_CLEARTID */
	int fd[2];
	int word;
	int late;
	long result;
	uint32_t tls[64];
	uint32_t desc[4];	/* struct user_desc */
	uint8_t stack[STACK] __attribute__((aligned(16)));
};

struct call {
	const char *name;
	long (*wait)(struct site *s);
	void (*wake)(struct site *s);
	long want;
};

/* ---- registers, for the dump to have something to save */

#if defined(__i386__)
static const uint32_t pattern[8][4] __attribute__((aligned(16))) = {
	{ 0x01020304, 1, 0x11111111, 0xaaaa0000 }, { 0x01020305, 2, 0x22222222, 0xaaaa0001 },
	{ 0x01020306, 3, 0x33333333, 0xaaaa0002 }, { 0x01020307, 4, 0x44444444, 0xaaaa0003 },
	{ 0x01020308, 5, 0x55555555, 0xaaaa0004 }, { 0x01020309, 6, 0x66666666, 0xaaaa0005 },
	{ 0x0102030a, 7, 0x77777777, 0xaaaa0006 }, { 0x0102030b, 8, 0x88888888, 0xaaaa0007 },
};

static void fill_registers(void)
{
	__asm__ volatile("fld1\n\tfldpi\n\tfldl2e\n\t"
			 "movaps (%0), %%xmm0\n\tmovaps 16(%0), %%xmm1\n\tmovaps 32(%0), %%xmm2\n\t"
			 "movaps 48(%0), %%xmm3\n\tmovaps 64(%0), %%xmm4\n\tmovaps 80(%0), %%xmm5\n\t"
			 "movaps 96(%0), %%xmm6\n\tmovaps 112(%0), %%xmm7" : : "r"(pattern));
}

/* Three slots there are: GDT_ENTRY_TLS_MIN and on.  All threads take one, and the same. */
static int tls_entry = -1;

static void *make_tls(struct site *s)
{
	s->desc[0] = (uint32_t)tls_entry;
	s->desc[1] = (uint32_t)(uintptr_t)s->tls;
	s->desc[2] = sizeof(s->tls) - 1;
	s->desc[3] = 0x41;	/* seg_32bit, useable */
	return s->desc;
}

/* Free slots are found for the thread that asks, so the first decides for all. */
static void begin_tls(void)
{
	static struct site self;

	make_tls(&self);
	bare_must(SYS3(243 /* set_thread_area */, self.desc, 0, 0), "set_thread_area");
	tls_entry = (int)self.desc[0];
	__asm__ volatile("mov %w0, %%gs" : : "r"(tls_entry * 8 + 3));
}

/* AT_SYSINFO: the vdso's __kernel_vsyscall, which uses sysenter or syscall where there is such a thing. */
static uintptr_t vsyscall;

static long sys_fast(long nr, long a, long b, long c, long d)
{
	long r;

	if (!vsyscall)
		return SYS5(nr, a, b, c, d, 0);
	__asm__ volatile("call *%[f]" : "=a"(r) : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), [f] "D"(vsyscall) : "memory");
	return r;
}

static void find_vsyscall(char **p)
{
	long *auxv;

	while (*p++)
		;
	while (*p++)
		;
	for (auxv = (long *)p; auxv[0]; auxv += 2)
		if (auxv[0] == 32)
			vsyscall = (uintptr_t)auxv[1];
}
#else
static const uint32_t pattern[64] = { 0x01020304, 1, 0x11111111, 0xaaaa0000, 2, 3, 4, 5, [31] = 31, [63] = 0x89abcdef };

static void fill_registers(void)
{
	__asm__ volatile("vldmia %0!, {d0-d15}\n\tvldmia %0, {d16-d31}" : : "r"(pattern) : "memory");
}

static void *make_tls(struct site *s)
{
	return s->tls;
}

static void begin_tls(void)
{
	static uint32_t tls[64];

	SYS3(0xf0005 /* __ARM_NR_set_tls */, tls, 0, 0);
}

static long sys_fast(long nr, long a, long b, long c, long d)
{
	return SYS5(nr, a, b, c, d, 0);
}

static void find_vsyscall(char **p)
{
	(void)p;
}
#endif

/* ---- the calls */

static long wait_read(struct site *s)
{
	char c;

	return SYS3(NR_read, s->fd[0], &c, 1);
}

static int make_epoll(struct site *s)
{
	struct { uint32_t events; uint64_t data; } ev = { .events = 1 /* EPOLLIN */ };
	long ep = SYS3(NR_epoll_create1, 0, 0, 0);

	bare_must(SYS5(NR_epoll_ctl, ep, 1, s->fd[0], &ev, 0), "epoll_ctl");
	return (int)ep;
}

static long wait_epoll(struct site *s)
{
	uint32_t ev[8];
	int ep = make_epoll(s);

	return SYS5(NR_epoll_wait, ep, ev, 1, -1, 0);
}

/* By the vdso, with a time limit. */
static long wait_epoll_fast(struct site *s)
{
	uint32_t ev[8];
	int ep = make_epoll(s);

	return sys_fast(NR_epoll_wait, ep, (long)ev, 1, 60000);
}

static long wait_epoll_pwait(struct site *s)
{
	uint32_t ev[8];
	int ep = make_epoll(s);

	return SYS5(NR_epoll_pwait, ep, ev, 1, -1, 0);
}

static long wait_poll(struct site *s)
{
	struct { int fd; short events, revents; } p = { .fd = s->fd[0], .events = 1 };

	return sys_fast(NR_poll, (long)&p, 1, 60000, 0);
}

static long wait_recv(struct site *s)
{
	struct { int32_t sec, usec; } limit = { .sec = 60 };
	char c;

	bare_must(SYS5(NR_socketpair, 1, 1, 0, s->fd, 0), "socketpair");
	bare_must(SYS5(NR_setsockopt, s->fd[0], 1, 20 /* SO_RCVTIMEO */, &limit, sizeof(limit)), "setsockopt");
	__atomic_store_n(&s->word, 1, __ATOMIC_SEQ_CST);
	return SYS5(NR_recvfrom, s->fd[0], &c, 1, 0, 0);
}

static long wait_futex(struct site *s)
{
	return SYS5(NR_futex, &s->word, FUTEX_WAIT, 0, 0, 0);
}

static void wake_futex(struct site *s)
{
	__atomic_store_n(&s->word, 1, __ATOMIC_SEQ_CST);
	SYS3(NR_futex, &s->word, FUTEX_WAKE, 1);
}

static long wait_signal(struct site *s)
{
	uint32_t set[2] = { 0, 1u << 4 };	/* 37 */
	struct timespec32 limit = { .sec = 60 };

	(void)s;
	return SYS5(NR_sigtimedwait, set, 0, &limit, 8, 0) == 37;
}

static void wake_signal(struct site *s)
{
	SYS3(NR_tkill, s->tid, 37, 0);
}

static long wait_nanosleep(struct site *s)
{
	struct timespec32 began, now, how_long = { .sec = SLEEP_SECONDS };
	long r;

	SYS3(NR_clock_gettime, 1, &began, 0);
	r = sys_fast(NR_nanosleep, (long)&how_long, 0, 0, 0);
	SYS3(NR_clock_gettime, 1, &now, 0);
	s->late = now.sec - began.sec < SLEEP_SECONDS || now.sec - began.sec > SLEEP_SECONDS + 30;
	return r;
}

static void wake_none(struct site *s)
{
	(void)s;
}

static void wake_write(struct site *s)
{
	bare_must(SYS3(NR_write, s->fd[1], "x", 1), "write");
}

static const struct call calls[] = {
	{ "read", wait_read, wake_write, 1 },
	{ "epoll_wait", wait_epoll, wake_write, 1 },
	{ "epoll_wait_fast", wait_epoll_fast, wake_write, 1 },
	{ "epoll_pwait", wait_epoll_pwait, wake_write, 1 },
	{ "poll", wait_poll, wake_write, 1 },
	{ "recv_timeo", wait_recv, wake_write, 1 },
	{ "futex", wait_futex, wake_futex, 0 },
	{ "rt_sigtimedwait", wait_signal, wake_signal, 1 },
	{ "nanosleep", wait_nanosleep, wake_none, 0 },
};
#define N_CALLS (sizeof(calls) / sizeof(calls[0]))

static void in_call(void *arg)
{
	struct site *s = arg;

	SYS3(NR_prctl, 15 /* PR_SET_NAME */, s->call->name, 0);
	fill_registers();
	s->result = s->call->wait(s);
	SYS3(NR_exit, 0, 0, 0);
}

static void site_start(struct site *s)
{
	unsigned long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
			      CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;

	bare_must(SYS3(NR_pipe, s->fd, 0, 0), "pipe");
	bare_must(bare_clone(flags, s->stack + STACK, in_call, s, make_tls(s), &s->tid), "clone");
}

static void site_finish(struct site *s)
{
	int tid;

	s->call->wake(s);
	while ((tid = __atomic_load_n(&s->tid, __ATOMIC_SEQ_CST)) != 0)
		SYS5(NR_futex, &s->tid, FUTEX_WAIT, tid, 0, 0);
	if (s->late)
		bare_say("result ", s->call->name, " at the wrong time", "");
	else if (s->result == s->call->want)
		bare_say("result ", s->call->name, " woken ok", "");
	else
		bare_say("result ", s->call->name, " returned ", bare_number(s->result).text);
}

static int is_selected(const char *name, char **list)
{
	if (!*list)
		return 1;
	for (; *list; list++)
		if (bare_equal(*list, name))
			return 1;
	return 0;
}

int bare_main(int argc, char **argv)
{
	static struct site sites[N_CALLS];
	uint32_t blocked[2] = { 1u << 9 | 1u << 11, 1u << 4 }, usr1[2] = { 1u << 9, 0 };
	long pid = SYS3(NR_getpid, 0, 0, 0);
	size_t n = 0;

	if (argc > 1 && bare_equal(argv[1], "exit"))
		return 0;
	bare_begin();
	find_vsyscall(argv);
	if (argc < 2 || !bare_equal(argv[1], "plain"))
		begin_tls();
	SYS5(NR_sigprocmask, 0, blocked, 0, 8, 0);
	SYS3(NR_kill, pid, 12, 0);
	for (size_t i = 0; i < N_CALLS; i++) {
		if (!is_selected(calls[i].name, argv + (argc > 0)))
			continue;
		sites[n].call = &calls[i];
		site_start(&sites[n++]);
	}
	bare_say("ready ", bare_number(pid).text, "", "");
	fill_registers();
	while (SYS5(NR_sigtimedwait, usr1, 0, 0, 8, 0) != 10)
		;
	for (size_t i = 0; i < n; i++)
		site_finish(&sites[i]);
	bare_say("finished", "", "", "");
	return 0;
}
