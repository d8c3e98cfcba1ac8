#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/sandbox.h"
#include "base/fdpass.h"
#include "base/scope.h"
#include "base/uapi.h"
#include "base/util.h"

/* ---- descriptors that others left open */

enum {
	LOW_MAX = 1 << 10,	/* looked at one by one */
	SPARE = 64,		/* of our own, beyond the lowest that is free */
	HIGH_MAX = 1 << 20,	/* fs.nr_open's default: how far is looked where close_range(2) is refused */
};

/* All that we open has FD_CLOEXEC, so without it is what execve(2) handed down. */
static void close_inherited(int from, int to)
{
	for (int fd = from; fd < to; fd++) {
		int flags = fcntl(fd, F_GETFD);

		if (flags >= 0 && !(flags & FD_CLOEXEC))
			close(fd);
	}
}

/* Above all of our own: new descriptors are the lowest that are free, but for a few that were free for a while. */
static int above_our_fds(void)
{
	int fd auto_close = open("/", O_PATH | O_CLOEXEC);

	return fd < 0 ? HIGH_MAX : fd < LOW_MAX - SPARE ? LOW_MAX : fd + SPARE;
}

static void close_others(void)
{
	int above = above_our_fds();

	close_inherited(STDERR_FILENO + 1, above);
	/* Linux 5.9; a container may refuse it. */
	if (syscall(UAPI_SYS_close_range, (unsigned)above, UINT_MAX, 0))
		close_inherited(above, HIGH_MAX);
}

/* ---- Landlock: paths, ports and other processes, by the kernel's access hooks */

/* What each version of the interface can take away; nothing is given back. */
static const struct {
	int abi;
	struct uapi_landlock_ruleset_attr denied;
} landlock_abis[] = {
	{ 1, { .handled_access_fs = UAPI_LANDLOCK_FS_1 } },
	{ 2, { .handled_access_fs = UAPI_LANDLOCK_FS_REFER } },
	{ 3, { .handled_access_fs = UAPI_LANDLOCK_FS_TRUNCATE } },
	{ 4, { .handled_access_net = UAPI_LANDLOCK_NET_TCP } },
	{ 5, { .handled_access_fs = UAPI_LANDLOCK_FS_IOCTL_DEV } },
	{ 6, { .scoped = UAPI_LANDLOCK_SCOPES } },
};

/* @reads: may open what is there, for reading. */
static bool enter_landlock(bool reads)
{
	struct uapi_landlock_ruleset_attr attr = { 0 };
	long abi = syscall(UAPI_SYS_landlock_create_ruleset, NULL, 0, UAPI_LANDLOCK_CREATE_RULESET_VERSION);
	int fd auto_close = -1;

	for (size_t i = 0; i < ARRAY_SIZE(landlock_abis) && landlock_abis[i].abi <= abi; i++) {
		attr.handled_access_fs |= landlock_abis[i].denied.handled_access_fs;
		attr.handled_access_net |= landlock_abis[i].denied.handled_access_net;
		attr.scoped |= landlock_abis[i].denied.scoped;
	}
	if (abi < 1)
		return false;
	if (reads)
		attr.handled_access_fs &= ~(u64)(UAPI_LANDLOCK_FS_READ_FILE | UAPI_LANDLOCK_FS_READ_DIR);
	/* An older kernel takes a longer structure when what it does not know of is 0. */
	fd = (int)syscall(UAPI_SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	return fd >= 0 && !syscall(UAPI_SYS_landlock_restrict_self, fd, 0);
}

/* ---- seccomp: the calls of a reader */

enum { TO_SELF = -1 };	/* the value is our process id */

/* What openat(2) must not have: what writes, makes or truncates.  O_TMPFILE has O_DIRECTORY's bit, too. */
enum { NOT_TO_READ = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY) };

/* A call, and where one argument decides: (argument & mask) == value. */
static const struct {
	int nr;
	bool watched;	/* only in sandbox_enter_watched() */
	int arg;
	u64 mask;	/* 0: any arguments */
	s64 value;
} calls[] = {
	{ .nr = SCMP_SYS(read) },
	{ .nr = SCMP_SYS(readv) },
	{ .nr = SCMP_SYS(pread64) },
	{ .nr = SCMP_SYS(preadv) },
	{ .nr = SCMP_SYS(write) },
	{ .nr = SCMP_SYS(writev) },
	{ .nr = SCMP_SYS(lseek) },
	{ .nr = SCMP_SYS(close) },
	{ .nr = SCMP_SYS(poll) },
	{ .nr = SCMP_SYS(ppoll) },
	{ .nr = SCMP_SYS(fstat) },
	{ .nr = SCMP_SYS(newfstatat), .arg = 3, .mask = UINT64_MAX, .value = AT_EMPTY_PATH },	/* glibc's fstat(), 2.33 to 2.38 */
	{ .nr = SCMP_SYS(ioctl), .arg = 1, .mask = UINT64_MAX, .value = TCGETS },			/* is it a terminal? */
	{ .nr = SCMP_SYS(ioctl), .arg = 1, .mask = UINT64_MAX, .value = TIOCGWINSZ },
	{ .nr = SCMP_SYS(fcntl), .arg = 1, .mask = UINT64_MAX, .value = F_GETFL },
	/* Unpacked or repaired data go into a file that is open already. */
	{ .nr = SCMP_SYS(pwrite64) },
	{ .nr = SCMP_SYS(ftruncate) },
	{ .nr = SCMP_SYS(fallocate) },
	{ .nr = SCMP_SYS(fstatfs) },
	{ .nr = SCMP_SYS(brk) },
	{ .nr = SCMP_SYS(mmap), .arg = 2, .mask = PROT_EXEC, .value = 0 },
	{ .nr = SCMP_SYS(mprotect), .arg = 2, .mask = PROT_EXEC, .value = 0 },
	{ .nr = SCMP_SYS(mremap) },
	{ .nr = SCMP_SYS(munmap) },
	{ .nr = SCMP_SYS(madvise) },
	{ .nr = SCMP_SYS(sysinfo) },			/* qsort() of glibc before 2.37: how much may it allocate */
	{ .nr = SCMP_SYS(getrandom) },		/* the seed of json-c's tables */
	{ .nr = SCMP_SYS(clock_gettime) },
	{ .nr = SCMP_SYS(futex) },
	{ .nr = SCMP_SYS(restart_syscall) },
	{ .nr = SCMP_SYS(rt_sigaction) },
	{ .nr = SCMP_SYS(rt_sigprocmask) },
	{ .nr = SCMP_SYS(rt_sigreturn) },
	{ .nr = SCMP_SYS(getpid) },
	{ .nr = SCMP_SYS(gettid) },
	{ .nr = SCMP_SYS(tgkill), .arg = 0, .mask = UINT64_MAX, .value = TO_SELF },	/* abort() */
	{ .nr = SCMP_SYS(exit) },
	{ .nr = SCMP_SYS(exit_group) },
	/*
	 * Names may be looked at, for realpath(3) and the dynamic linker: that opens nothing.  A server of files that
	 * does not answer can hold it, and no other process by it.
	 */
	{ .nr = SCMP_SYS(openat), .watched = true, .arg = 2, .mask = NOT_TO_READ, .value = 0 },
	{ .nr = SCMP_SYS(fcntl), .watched = true, .arg = 1, .mask = UINT64_MAX, .value = F_GETFD },	/* elf_begin() */
	{ .nr = SCMP_SYS(newfstatat), .watched = true },
	{ .nr = SCMP_SYS(statx), .watched = true },
	{ .nr = SCMP_SYS(lstat), .watched = true },
	{ .nr = SCMP_SYS(stat), .watched = true },
	{ .nr = SCMP_SYS(readlink), .watched = true },
	{ .nr = SCMP_SYS(readlinkat), .watched = true },
	{ .nr = SCMP_SYS(getcwd), .watched = true },
	{ .nr = SCMP_SYS(access), .watched = true },
	{ .nr = SCMP_SYS(faccessat), .watched = true },
	/* Questions to the processes that hold the other ends: no address, and sockets that are there. */
	{ .nr = SCMP_SYS(sendto), .watched = true, .arg = 4, .mask = UINT64_MAX, .value = 0 },
	{ .nr = SCMP_SYS(recvfrom), .watched = true },
	{ .nr = SCMP_SYS(recvmsg), .watched = true },
	/* sandbox_limit_time() moves its own limit on. */
	{ .nr = SCMP_SYS(prlimit64), .watched = true, .arg = 1, .mask = UINT64_MAX, .value = RLIMIT_CPU },
};

/* Code is mapped when a library is loaded: of what file, the other process decides. */
static const struct {
	int nr;
	bool has_arg;
	unsigned arg;
	u64 mask;
} asked[] = {
	{ .nr = SCMP_SYS(openat) },
	{ .nr = SCMP_SYS(mmap), .has_arg = true, .arg = 2, .mask = PROT_EXEC },
};

static int allow(scmp_filter_ctx ctx, size_t i)
{
	u64 value = calls[i].value == TO_SELF ? (u64)getpid() : (u64)calls[i].value;
	struct scmp_arg_cmp arg = { .arg = (unsigned)calls[i].arg, .op = SCMP_CMP_MASKED_EQ,
				    .datum_a = calls[i].mask, .datum_b = value };

	return seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, calls[i].nr, calls[i].mask != 0, &arg);
}

static void release(scmp_filter_ctx *ctx)
{
	if (*ctx)
		seccomp_release(*ctx);
}

static bool enter_seccomp(bool watched, bool reads)
{
	/* Code for libraries: of any file where nobody decides of which, else what the other process allows. */
	struct scmp_arg_cmp of_file = { .arg = 3, .op = SCMP_CMP_MASKED_EQ, .datum_a = MAP_ANONYMOUS, .datum_b = 0 };

	/* Calls in the manner of another machine (i386, x32) end the process: libseccomp's default. */
	scmp_filter_ctx ctx scoped(release) = seccomp_init(SCMP_ACT_ERRNO(EPERM));

	if (!ctx)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if ((watched || !calls[i].watched) && allow(ctx, i))
			return false;
	if (watched && seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), reads, &of_file))
		return false;
	return !seccomp_load(ctx);
}

static unsigned enter(bool watched, bool reads)
{
	unsigned in_force = 0;

	if (!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		in_force |= SANDBOX_NO_NEW_PRIVS;
	if (enter_landlock(reads))
		in_force |= SANDBOX_LANDLOCK;
	if (enter_seccomp(watched, reads))
		in_force |= SANDBOX_SECCOMP;
	return in_force;
}

unsigned sandbox_enter(void)
{
	close_others();
	return enter(false, false);
}

/* ---- a reader whose libraries open files: another process decides */

/*
 * A filter of its own, before the other one: from two, the stricter answer counts, and what that one refuses is
 * not asked (seccomp(2): SECCOMP_RET_USER_NOTIF comes after ERRNO).  A descriptor, or -1: the kernel is
 * older than 5.7, or a container has such a filter already, of which there can be one.
 */
static int listen_to_opens(void)
{
	int theirs, fd;
	scmp_filter_ctx ctx scoped(release) = seccomp_api_get() < 6 ? NULL : seccomp_init(SCMP_ACT_ALLOW);

	if (!ctx)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		struct scmp_arg_cmp arg = { .arg = asked[i].arg, .op = SCMP_CMP_MASKED_EQ,
					    .datum_a = asked[i].mask, .datum_b = asked[i].mask };

		if (seccomp_rule_add_array(ctx, SCMP_ACT_NOTIFY, asked[i].nr, asked[i].has_arg, &arg))
			return -1;
	}
	if (seccomp_load(ctx))
		return -1;
	/* Whether libseccomp closes its own with the context, differs by version. */
	theirs = seccomp_notify_fd(ctx);
	fd = fcntl(theirs, F_DUPFD_CLOEXEC, 0);
	close(theirs);
	return fd;
}

unsigned sandbox_enter_watched(int sock)
{
	/* Of ourselves that needs no right (fs/proc/base.c: proc_mem_open()), of another process it may. */
	int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC), fds[2];
	unsigned in_force;

	close_others();
	fds[0] = memory < 0 ? -1 : listen_to_opens();
	fds[1] = fds[0] < 0 ? -1 : memory;
	in_force = fds[0] < 0 ? 0 : SANDBOX_WATCHED;
	fdpass_send(sock, "", 1, fds, ARRAY_SIZE(fds));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (fds[1] < 0 && memory >= 0)
		close(memory);
	return in_force | enter(true, !in_force);
}
