#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "base/scope.h"
#include "base/text.h"
#include "live/permission.h"
#include "live/proc.h"

/* Yama's setting, or -1 without Yama.  Documentation/admin-guide/LSM/Yama.rst. */
static int yama_scope(void)
{
	struct buf b scoped(buf_fini) = { 0 };
	struct err e;

	if (io_slurp("/proc/sys/kernel/yama/ptrace_scope", &b, 64, &e) || !b.len)
		return -1;
	return b.p[0] - '0';
}

static bool other_user_ns(pid_t pid)
{
	char ours[64] = "", theirs[64] = "";
	char path[64];
	struct err e;

	snprintf(path, sizeof(path), "ns/user");
	return !proc_readlink(getpid(), getpid(), path, ours, sizeof(ours), &e) &&
	       !proc_readlink(pid, pid, path, theirs, sizeof(theirs), &e) && strcmp(ours, theirs) != 0;
}

/* A process that is not dumpable has its /proc files owned by root.  proc(5). */
static bool not_dumpable(pid_t pid, const struct proc_status *st)
{
	struct stat sb;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	return st->uid[1] != 0 && !stat(path, &sb) && sb.st_uid == 0;
}

/* capabilities(7): in the effective set of this process. */
static bool has_cap(unsigned cap)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return !syscall(SYS_capget, &head, sets) && sets[CAP_TO_INDEX(cap)].effective & CAP_TO_MASK(cap);
}

/*
 * CAP_SYS_PTRACE gives the right to trace; but mem, pagemap, auxv and others are files
 * with an owner and without rights for others (fs/proc/base.c: tid_base_stuff[]).
 */
static bool owner_alone_forbids(pid_t pid, uid_t *owner)
{
	struct stat sb;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	if (!has_cap(CAP_SYS_PTRACE) || has_cap(CAP_DAC_READ_SEARCH) || has_cap(CAP_DAC_OVERRIDE) || stat(path, &sb))
		return false;
	*owner = sb.st_uid;
	return sb.st_uid != geteuid();
}

int permission_explain(pid_t pid, int errnum, struct err *e)
{
	struct proc_status st = { 0 };
	struct err ignored;
	uid_t owner;

	if (proc_status(pid, pid, &st, &ignored))
		return err_set(e, -errnum, "process %d may not be traced", pid);
	if (st.tracer)
		return permission_traced(pid, st.tracer, e);
	if (owner_alone_forbids(pid, &owner))
		return err_set(e, -errnum, "process %d may be traced but not read: /proc/%d/mem belongs to user %u, and with "
			       "CAP_SYS_PTRACE only, CAP_DAC_READ_SEARCH is missing "
			       "(setcap cap_sys_ptrace,cap_dac_read_search+ep PROGRAM); or run as root", pid, pid, owner);
	if (geteuid() != 0 && (st.uid[0] != geteuid() || st.uid[1] != geteuid() || st.uid[2] != geteuid()))
		return err_set(e, -errnum, "process %d belongs to user %u and you are user %u: run as that user or as root, "
			       "or with CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH", pid, st.uid[1], geteuid());
	if (not_dumpable(pid, &st))
		return err_set(e, -errnum, "process %d is not dumpable (set-user-ID, or PR_SET_DUMPABLE 0): run as root, "
			       "or with CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH",
			       pid);
	if (other_user_ns(pid))
		return err_set(e, -errnum, "process %d lives in another user namespace: CAP_SYS_PTRACE is needed there",
			       pid);
	/* Linux 6.1, Documentation/admin-guide/LSM/Yama.rst: nobody may, and the value cannot be changed */
	if (yama_scope() >= 3)
		return err_set(e, -errnum, "process %d may not be traced: kernel.yama.ptrace_scope is %d, so that nobody "
			       "may trace until the next boot", pid, yama_scope());
	if (yama_scope() > 0)
		return err_set(e, -errnum, "process %d may not be traced: kernel.yama.ptrace_scope is %d; run as root "
			       "or set it to 0", pid, yama_scope());
	return err_set(e, -errnum, "process %d may not be traced: a security module, seccomp or a missing "
		       "CAP_SYS_PTRACE forbids it (in a container: --cap-add=SYS_PTRACE)", pid);
}

int permission_traced(pid_t pid, pid_t tracer, struct err *e)
{
	struct proc_stat st = { .comm = "?" };
	struct err ignored;
	char name[sizeof(st.comm) * 4];

	if (proc_stat(tracer, tracer, &st, &ignored))
		strcpy(st.comm, "?");
	return err_set(e, -EPERM, "process %d is traced by process %d (%s) already, and can have no other tracer: to save it "
		       "without a stop use tagcore dump --no-stop %d", pid, tracer, text_escape(st.comm, name, sizeof(name)), pid);
}
