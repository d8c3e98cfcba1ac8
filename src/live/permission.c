#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "base/scope.h"
#include "base/text.h"
#include "base/util.h"
#include "live/permission.h"
#include "live/proc.h"

/*
 * The kernel says EPERM or EACCES, whatever it was.  What it looks at, in its order: kernel/ptrace.c:
 * __ptrace_may_access(), security/commoncap.c: cap_ptrace_access_check(), security/yama/yama_lsm.c:
 * yama_ptrace_access_check(); all of that is to be seen here, too.
 */
struct refusal {
	pid_t pid;
	int errnum;
	enum permission_for what;
	struct proc_status st;
};

/* ---- what there is to be seen */

/* A small file as text, without its newline; "" if it cannot be read. */
static void small_file(const char *path, char *out, size_t size)
{
	struct buf b scoped(buf_fini) = { 0 };
	struct err e;
	size_t n;

	out[0] = 0;
	if (io_slurp(path, &b, size - 1, &e))
		return;
	n = min(b.len, size - 1);
	memcpy(out, b.p, n);
	out[n] = 0;
	out[strcspn(out, "\n")] = 0;
}

/* Yama's setting, or -1 without Yama.  Documentation/admin-guide/LSM/Yama.rst. */
static int yama_scope(void)
{
	char text[16];

	small_file("/proc/sys/kernel/yama/ptrace_scope", text, sizeof(text));
	return text[0] ? text[0] - '0' : -1;
}

/* The effective set of this process, capabilities(7). */
static u64 own_caps(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return syscall(SYS_capget, &head, sets) ? 0 : sets[0].effective | (u64)sets[1].effective << 32;
}

static bool has_cap(unsigned cap)
{
	return own_caps() >> cap & 1;
}

/* The owner of a file of the process: for all but root's, root if the process is not dumpable.  proc(5). */
static bool owner_of(pid_t pid, const char *file, uid_t *owner)
{
	struct stat sb;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	if (stat(path, &sb))
		return false;
	*owner = sb.st_uid;
	return true;
}

/* ---- rows: whether it is the reason, and the sentence */

static bool is_traced(const struct refusal *r) { return r->st.tracer; }

static int say_traced(const struct refusal *r, struct err *e)
{
	return permission_traced(r->pid, r->st.tracer, e);
}

/* A call for a process that cannot be (PID_MAX_LIMIT is 2^22) is refused by a filter of calls alone. */
static bool is_filtered(const struct refusal *r)
{
	return r->what == PERMISSION_TO_TRACE && ptrace(PTRACE_SEIZE, INT_MAX, NULL, NULL) < 0 && errno != ESRCH;
}

static int say_filtered(const struct refusal *r, struct err *e)
{
	return err_set(e, -r->errnum, "process %d may not be traced: seccomp forbids ptrace(2) to this program (in a container: "
		       "--cap-add=SYS_PTRACE); to save it without, use tagcore dump --no-stop %d", r->pid, r->pid);
}

/*
 * CAP_SYS_PTRACE gives the right to trace; but mem, pagemap, auxv and others are files
 * with an owner and without rights for others (fs/proc/base.c: tid_base_stuff[]).
 */
static bool is_owners(const struct refusal *r)
{
	uid_t owner;

	return has_cap(CAP_SYS_PTRACE) && !has_cap(CAP_DAC_READ_SEARCH) && !has_cap(CAP_DAC_OVERRIDE) &&
	       owner_of(r->pid, "mem", &owner) && owner != geteuid();
}

static int say_owners(const struct refusal *r, struct err *e)
{
	uid_t owner = 0;

	owner_of(r->pid, "mem", &owner);
	return err_set(e, -r->errnum, "process %d may be traced but not read: /proc/%d/mem belongs to user %u, and with "
		       "CAP_SYS_PTRACE only, CAP_DAC_READ_SEARCH is missing "
		       "(setcap cap_sys_ptrace,cap_dac_read_search+ep PROGRAM); or run as root", r->pid, r->pid, owner);
}

static bool is_others(u32 own, const u32 ids[3]) { return ids[0] != own || ids[1] != own || ids[2] != own; }

static bool is_users(const struct refusal *r)
{
	return !has_cap(CAP_SYS_PTRACE) && is_others(geteuid(), r->st.uid);
}

static int say_users(const struct refusal *r, struct err *e)
{
	return err_set(e, -r->errnum, "process %d belongs to user %u and you are user %u: run as that user or as root (sudo), "
		       "or with CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH", r->pid, r->st.uid[1], geteuid());
}

static bool is_groups(const struct refusal *r)
{
	return !has_cap(CAP_SYS_PTRACE) && is_others(getegid(), r->st.gid);
}

static int say_groups(const struct refusal *r, struct err *e)
{
	return err_set(e, -r->errnum, "process %d has group %u and you have group %u: run with that group (sg), or as root (sudo)",
		       r->pid, r->st.gid[1], getegid());
}

static bool is_undumpable(const struct refusal *r)
{
	uid_t owner;

	return r->st.uid[1] != 0 && owner_of(r->pid, "stat", &owner) && owner == 0;
}

static int say_undumpable(const struct refusal *r, struct err *e)
{
	return err_set(e, -r->errnum, "process %d is not dumpable (set-user-ID, or PR_SET_DUMPABLE 0): run as root (sudo), "
		       "or with CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH", r->pid);
}

/* The link may be read by who may trace; how numbers are mapped, by all. */
static bool is_of_other_ns(const struct refusal *r)
{
	char ours[1024] = "", theirs[1024] = "", path[64];
	struct err e;

	if (!proc_readlink(r->pid, r->pid, "ns/user", theirs, sizeof(theirs), &e) &&
	    !proc_readlink(getpid(), getpid(), "ns/user", ours, sizeof(ours), &e))
		return strcmp(ours, theirs) != 0;
	snprintf(path, sizeof(path), "/proc/%d/uid_map", r->pid);
	small_file(path, theirs, sizeof(theirs));
	small_file("/proc/self/uid_map", ours, sizeof(ours));
	return strcmp(ours, theirs) != 0;
}

static int say_other_ns(const struct refusal *r, struct err *e)
{
	return err_set(e, -r->errnum, "process %d lives in another user namespace: CAP_SYS_PTRACE is needed there "
		       "(outside of all namespaces: sudo)", r->pid);
}

static bool is_more_capable(const struct refusal *r)
{
	return !has_cap(CAP_SYS_PTRACE) && r->st.cap_permitted & ~own_caps();
}

static int say_more_capable(const struct refusal *r, struct err *e)
{
	return err_set(e, -r->errnum, "process %d has capabilities that you have not (0x%llx): run as root (sudo), or with "
		       "CAP_SYS_PTRACE", r->pid, (unsigned long long)(r->st.cap_permitted & ~own_caps()));
}

static bool is_nobodys(const struct refusal *r)
{
	(void)r;
	return yama_scope() >= 3;
}

static int say_nobodys(const struct refusal *r, struct err *e)
{
	return err_set(e, -r->errnum, "process %d may not be traced: kernel.yama.ptrace_scope is %d, so that nobody "
		       "may trace until the next boot", r->pid, yama_scope());
}

static bool is_yamas(const struct refusal *r)
{
	(void)r;
	return yama_scope() > 0 && !has_cap(CAP_SYS_PTRACE);
}

static int say_yamas(const struct refusal *r, struct err *e)
{
	return err_set(e, -r->errnum, "process %d may not be traced: kernel.yama.ptrace_scope is %d; run as root (sudo) "
		       "or set it to 0 (sysctl kernel.yama.ptrace_scope=0)", r->pid, yama_scope());
}

static bool is_unclear(const struct refusal *r)
{
	(void)r;
	return true;
}

/* The name that a module has for us, as "docker-default (enforce)" of AppArmor. */
static int say_unclear(const struct refusal *r, struct err *e)
{
	char label[128], shown[sizeof(label) * 4];

	small_file("/proc/self/attr/current", label, sizeof(label));
	return err_set(e, -r->errnum, "process %d may not be traced: a security module forbids it%s%s%s, or CAP_SYS_PTRACE is "
		       "missing (in a container: --cap-add=SYS_PTRACE)", r->pid, label[0] ? " (you are " : "",
		       text_escape(label, shown, sizeof(shown)), label[0] ? ")" : "");
}

/* The first that applies. */
static const struct {
	const char *name;
	bool (*applies)(const struct refusal *r);
	int (*say)(const struct refusal *r, struct err *e);
} rows[] = {
	{ "tracer", is_traced, say_traced },
	{ "seccomp", is_filtered, say_filtered },
	{ "owner", is_owners, say_owners },
	{ "user", is_users, say_users },
	{ "group", is_groups, say_groups },
	{ "dumpable", is_undumpable, say_undumpable },
	{ "user-namespace", is_of_other_ns, say_other_ns },
	{ "capabilities", is_more_capable, say_more_capable },
	{ "yama-never", is_nobodys, say_nobodys },
	{ "yama", is_yamas, say_yamas },
	{ "module", is_unclear, say_unclear },
};

int permission_explain(pid_t pid, int errnum, enum permission_for what, struct err *e)
{
	struct refusal r = { .pid = pid, .errnum = errnum, .what = what };
	struct err ignored;
	size_t i = 0;

	if (proc_status(pid, pid, &r.st, &ignored))
		return err_set(e, -errnum, "process %d may not be traced", pid);
	while (!rows[i].applies(&r))
		i++;
	return rows[i].say(&r, e);
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
