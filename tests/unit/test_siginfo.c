#include <signal.h>
#include <string.h>

#include "cmocka_all.h"

#include "base/scope.h"
#include "base/uapi.h"
#include "elf/note.h"

static const struct arch narrow = { .fmt = { ELFCLASS32, UAPI_NATIVE_DATA }, .word = 4 };
static const struct arch narrow_other = { .fmt = { ELFCLASS32, 3 - UAPI_NATIVE_DATA }, .word = 4 };

/* include/linux/compat.h, Linux 6.12: struct compat_siginfo, as far as it is asked for here. */
struct siginfo32 {
	s32 signo, error, code;
	union {
		struct { s32 pid; u32 uid; s32 value; } rt;
		struct { s32 timer, overrun, value; } timer;
		struct { s32 pid; u32 uid; s32 status, utime, stime; } chld;
		struct { u32 addr; int16_t lsb; } mceerr;
		struct { u32 addr, pad, lower, upper; } bnderr;
		struct { u32 addr, pad, key; } pkuerr;
		struct { s32 band, fd; } poll;
		struct { u32 addr; s32 call; u32 machine; } sys;
		u8 room[116];
	};
};

static void expect(const siginfo_t *si, const struct siginfo32 *want)
{
	struct buf b scoped(buf_fini) = { 0 };
	struct err e;

	_Static_assert(sizeof(struct siginfo32) == 128, "SI_MAX_SIZE");
	assert_int_equal(siginfo_put(&narrow, si, &b, &e), 0);
	assert_int_equal(b.len, sizeof(*want));
	assert_memory_equal(b.p, want, sizeof(*want));
}

/* What follows the member in the host's union must not be copied. */
static siginfo_t dirty(int signo, int code)
{
	siginfo_t si;

	memset(&si, 0xee, sizeof(si));
	si.si_signo = signo;
	si.si_code = code;
	si.si_errno = -5;
	return si;
}

#define WANT(...) (&(struct siginfo32){ .signo = si.si_signo, .error = -5, .code = si.si_code, __VA_ARGS__ })

static void senders(void **state)
{
	siginfo_t si = dirty(SIGTERM, SI_USER);

	(void)state;
	si.si_pid = 42;
	si.si_uid = 70000;
	expect(&si, WANT(.rt = { 42, 70000, 0 }));
	si.si_code = SI_KERNEL;
	expect(&si, WANT(.rt = { 42, 70000, 0 }));
	si.si_code = SI_QUEUE;
	si.si_value.sival_ptr = (void *)(uintptr_t)0x1122334489abcdef;
	expect(&si, WANT(.rt = { 42, 70000, (s32)0x89abcdef }));
	si.si_code = SI_TKILL;
	expect(&si, WANT(.rt = { 42, 70000, (s32)0x89abcdef }));
}

static void timer(void **state)
{
	siginfo_t si = dirty(SIGALRM, SI_TIMER);

	(void)state;
	si.si_timerid = 3;
	si.si_overrun = 4;
	si.si_value.sival_int = 5;
	expect(&si, WANT(.timer = { 3, 4, 5 }));
}

static void child(void **state)
{
	siginfo_t si = dirty(SIGCHLD, CLD_EXITED);

	(void)state;
	si.si_pid = 42;
	si.si_uid = 1000;
	si.si_status = 7;
	si.si_utime = 0x100000008;
	si.si_stime = 9;
	expect(&si, WANT(.chld = { 42, 1000, 7, 8, 9 }));
}

static void faults(void **state)
{
	static const struct { int signo, code; } plain[] = {
		{ SIGILL, ILL_ILLOPC }, { SIGFPE, FPE_INTDIV }, { SIGSEGV, SEGV_MAPERR }, { SIGBUS, BUS_ADRALN },
		{ SIGTRAP, TRAP_BRKPT }, { SIGSEGV, 9 /* SEGV_MTESERR */ },
	};
	siginfo_t si;

	(void)state;
	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++) {
		si = dirty(plain[i].signo, plain[i].code);
		si.si_addr = (void *)(uintptr_t)0xfffff000;
		expect(&si, WANT(.mceerr = { 0xfffff000, 0 }));
	}
	si = dirty(SIGBUS, BUS_MCEERR_AO);
	si.si_addr = (void *)(uintptr_t)0x8000;
	si.si_addr_lsb = 12;
	expect(&si, WANT(.mceerr = { 0x8000, 12 }));
}

static void faults_with_more(void **state)
{
	siginfo_t si = dirty(SIGSEGV, SEGV_BNDERR);
	struct siginfo32 want;

	(void)state;
	si.si_addr = (void *)(uintptr_t)0x8000;
	si.si_lower = (void *)(uintptr_t)0x1000;
	si.si_upper = (void *)(uintptr_t)0x2000;
	want = *WANT(.bnderr = { 0x8000, 0, 0x1000, 0x2000 });
	expect(&si, &want);
	si = dirty(SIGSEGV, SEGV_PKUERR);
	si.si_addr = (void *)(uintptr_t)0x8000;
	si.si_pkey = 14;
	want = *WANT(.pkuerr = { 0x8000, 0, 14 });
	expect(&si, &want);
}

static void other_members(void **state)
{
	siginfo_t si = dirty(SIGPOLL, POLL_IN);

	(void)state;
	si.si_band = 65;
	si.si_fd = 3;
	expect(&si, WANT(.poll = { 65, 3 }));
	si.si_code = SI_SIGIO;
	expect(&si, WANT(.poll = { 65, 3 }));
	/* F_SETSIG: another signal, the same member. */
	si.si_signo = SIGRTMIN + 1;
	si.si_code = POLL_HUP;
	expect(&si, WANT(.poll = { 65, 3 }));
	si = dirty(SIGSYS, 1 /* SYS_SECCOMP */);
	si.si_call_addr = (void *)(uintptr_t)0x8000;
	si.si_syscall = 256;
	si.si_arch = 0x40000003;
	expect(&si, WANT(.sys = { 0x8000, 256, 0x40000003 }));
}

static void other_byte_order(void **state)
{
	struct buf b scoped(buf_fini) = { 0 };
	siginfo_t si = dirty(SIGTERM, SI_USER);
	struct err e;
	u64 pid;

	(void)state;
	si.si_pid = 0x01020304;
	assert_int_equal(siginfo_put(&narrow_other, &si, &b, &e), 0);
	assert_int_equal(bytes_uint((struct bytes){ .p = b.p, .len = b.len }, narrow_other.fmt, 12, 4, &pid, &e), 0);
	assert_int_equal(pid, 0x01020304);
}

static void native_is_copied(void **state)
{
	struct buf b scoped(buf_fini) = { 0 };
	siginfo_t si = dirty(SIGTERM, SI_USER);
	struct err e;

	(void)state;
	assert_int_equal(siginfo_put(arch_native(), &si, &b, &e), 0);
	assert_int_equal(b.len, sizeof(si));
	assert_memory_equal(b.p, &si, sizeof(si));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(senders),
		cmocka_unit_test(timer),
		cmocka_unit_test(child),
		cmocka_unit_test(faults),
		cmocka_unit_test(faults_with_more),
		cmocka_unit_test(other_members),
		cmocka_unit_test(other_byte_order),
		cmocka_unit_test(native_is_copied),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
