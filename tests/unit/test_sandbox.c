/* Children lock themselves in and try to get out. */
#include "helper.h"

#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "base/fdpass.h"
#include "base/io.h"
#include "cli/sandbox.h"
#include "cli/watch.h"
#include "base/uapi.h"

/* What was open before the lock. */
struct open_before {
	int file;
	int sock;
	pid_t other;	/* the test itself */
};

/* ---- what must fail: 0 or more is what a success returns */

static long try_open(const struct open_before *o)
{
	(void)o;
	return open("/dev/null", O_RDONLY);
}

/* glibc's open() is openat(2) nowadays; a shellcode's need not be. */
static long try_open_call(const struct open_before *o)
{
	(void)o;
#ifdef SYS_open
	return syscall(SYS_open, "/dev/null", O_RDONLY);
#else
	errno = EPERM;	/* arm64 never had it */
	return -1;
#endif
}

static long try_openat2(const struct open_before *o)
{
	struct open_how how = { .flags = O_RDONLY };

	(void)o;
	return syscall(SYS_openat2, AT_FDCWD, "/dev/null", &how, sizeof(how));
}

static long try_reopen(const struct open_before *o)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", o->file);
	return open(path, O_RDWR);
}

static long try_create(const struct open_before *o)
{
	(void)o;
	return open("sandbox-was-here", O_WRONLY | O_CREAT, 0600);
}

static long try_mkdir(const struct open_before *o)
{
	(void)o;
	return mkdir("sandbox-was-here", 0700);
}

static long try_unlink(const struct open_before *o)
{
	(void)o;
	return unlink("victim");
}

static long try_rename(const struct open_before *o)
{
	(void)o;
	return rename("victim", "sandbox-was-here");
}

static long try_truncate(const struct open_before *o)
{
	(void)o;
	return truncate("victim", 0);
}

static long try_exec(const struct open_before *o)
{
	char *argv[] = { (char *)"true", NULL };

	(void)o;
	return execv("/bin/true", argv);
}

static long try_fork(const struct open_before *o)
{
	long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	(void)o;
	if (!pid)
		_exit(0);
	return pid;
}

static long try_socket(const struct open_before *o)
{
	(void)o;
	return socket(AF_INET, SOCK_STREAM, 0);
}

static long try_connect(const struct open_before *o)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				  .sin_port = htons(1) };

	return connect(o->sock, (struct sockaddr *)&to, sizeof(to));
}

static long try_bind(const struct open_before *o)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	return bind(o->sock, (struct sockaddr *)&to, sizeof(to));
}

static long try_ptrace(const struct open_before *o)
{
	return ptrace(PTRACE_SEIZE, o->other, 0, 0);
}

static long try_kill(const struct open_before *o)
{
	return kill(o->other, 0);
}

static long try_tgkill(const struct open_before *o)
{
	return syscall(SYS_tgkill, o->other, o->other, 0);
}

static long try_vm_read(const struct open_before *o)
{
	char byte = 0;
	struct iovec mine = { &byte, 1 }, theirs = { (void *)o, 1 };

	return process_vm_readv(o->other, &mine, 1, &theirs, 1, 0);
}

static long try_pidfd(const struct open_before *o)
{
	return syscall(SYS_pidfd_open, o->other, 0);
}

static long try_memfd(const struct open_before *o)
{
	(void)o;
	return syscall(SYS_memfd_create, "code", 0);
}

static long try_map_code(const struct open_before *o)
{
	(void)o;
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED ? 0 : -1;
}

static long try_make_code(const struct open_before *o)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)o;
	return p == MAP_FAILED ? 0 : mprotect(p, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
}

static long try_io_uring(const struct open_before *o)
{
	struct io_uring_params p = { 0 };

	(void)o;
	return syscall(SYS_io_uring_setup, 1, &p);
}

static long try_shm(const struct open_before *o)
{
	(void)o;
	return shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
}

static long try_namespace(const struct open_before *o)
{
	(void)o;
	return unshare(CLONE_NEWUSER);
}

static long try_type_for_the_user(const struct open_before *o)
{
	return ioctl(o->file, TIOCSTI, "x");
}

static long try_chmod(const struct open_before *o)
{
	return fchmod(o->file, 0777);
}

static long try_stat(const struct open_before *o)
{
	struct stat st;

	(void)o;
	return syscall(SYS_newfstatat, AT_FDCWD, "victim", &st, 0);
}

static const struct attempt {
	const char *what;
	long (*run)(const struct open_before *o);
	int since;	/* Landlock alone refuses it, too, from this version of its interface on; 0: it does not */
} attempts[] = {
	{ "open", try_open, .since = 1 },
	{ "open, the call of old", try_open_call, .since = 1 },
	{ "openat2", try_openat2, .since = 1 },
	{ "open what is open with more rights", try_reopen, .since = 1 },
	{ "create a file", try_create, .since = 1 },
	{ "mkdir", try_mkdir, .since = 1 },
	{ "unlink", try_unlink, .since = 1 },
	{ "rename", try_rename, .since = 1 },
	{ "truncate by name", try_truncate, .since = 3 },
	{ "execve", try_exec, .since = 1 },
	{ "fork", try_fork, .since = 0 },
	{ "socket", try_socket, .since = 0 },
	{ "connect an open socket", try_connect, .since = 4 },
	{ "bind an open socket", try_bind, .since = 4 },
	{ "ptrace", try_ptrace, .since = 1 },
	{ "kill another", try_kill, .since = 6 },
	{ "tgkill another", try_tgkill, .since = 6 },
	{ "process_vm_readv", try_vm_read, .since = 1 },
	{ "pidfd_open", try_pidfd, .since = 0 },
	{ "memfd_create", try_memfd, .since = 0 },
	{ "map code", try_map_code, .since = 0 },
	{ "make code", try_make_code, .since = 0 },
	{ "io_uring_setup", try_io_uring, .since = 0 },
	{ "shmget", try_shm, .since = 0 },
	{ "unshare", try_namespace, .since = 0 },
	{ "ioctl(TIOCSTI)", try_type_for_the_user, .since = 0 },
	{ "fchmod", try_chmod, .since = 0 },
	{ "stat by name", try_stat, .since = 0 },
};

/* ---- in a child */

/* Not _exit(): before that, AddressSanitizer makes calls that a reader does not need. */
static void leave(int rc)
{
	syscall(SYS_exit_group, rc);
}

static int in_child(int (*fn)(void *arg), void *arg)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		leave(fn(arg));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

enum { REFUSED = 7, ALLOWED, OTHERWISE, NOT_LOCKED };

struct try {
	const struct attempt *a;
	struct open_before o;
	unsigned need;		/* in force, else NOT_LOCKED */
	bool no_seccomp;	/* as in a container that refuses it */
	bool no_landlock;	/* as before Linux 5.13 */
	int no_close_range;	/* the error, as before Linux 5.9 or in a container */
};

/* What a container's or an older kernel's refusal looks like: a filter that was there first. */
static void refuse_call(int nr, int error)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);

	child_check(ctx && !seccomp_rule_add(ctx, SCMP_ACT_ERRNO((u32)error), nr, 0) && !seccomp_load(ctx));
	seccomp_release(ctx);
}

static void notify_call(int nr)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);

	child_check(ctx && !seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, nr, 0) && !seccomp_load(ctx));
	/* It stays open, as if in another process; libseccomp, as after execve(2), knows nothing of it. */
	child_check(fcntl(seccomp_notify_fd(ctx), F_DUPFD_CLOEXEC, 0) >= 0 && !seccomp_reset(NULL, 0));
	seccomp_release(ctx);
}

static unsigned lock(const struct try *t)
{
	if (t->no_landlock)
		refuse_call(UAPI_SYS_landlock_create_ruleset, ENOSYS);
	if (t->no_seccomp)
		refuse_call(SCMP_SYS(seccomp), EPERM);
	return sandbox_enter();
}

static int attempt_child(void *arg)
{
	struct try *t = arg;

	if ((lock(t) & t->need) != t->need)
		return NOT_LOCKED;
	errno = 0;
	if (t->a->run(&t->o) >= 0)
		return ALLOWED;
	return errno == EPERM || errno == EACCES ? REFUSED : OTHERWISE;
}

static int landlock_abi(void)
{
	return (int)syscall(UAPI_SYS_landlock_create_ruleset, NULL, 0, UAPI_LANDLOCK_CREATE_RULESET_VERSION);
}

/* What the kernel has, found out without the code under test. */
static unsigned kernel_has(void)
{
	u32 action = SECCOMP_RET_ERRNO;

	return SANDBOX_NO_NEW_PRIVS | (landlock_abi() >= 1 ? SANDBOX_LANDLOCK : 0) |
	       (!syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) ? SANDBOX_SECCOMP : 0);
}

static struct open_before open_some(void)
{
	struct open_before o = {
		.file = open("victim", O_RDONLY | O_CREAT | O_CLOEXEC, 0600),
		.sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
		.other = getpid(),
	};

	assert_true(o.file >= 0 && o.sock >= 0);
	return o;
}

static void close_all(const struct open_before *o)
{
	close(o->file);
	close(o->sock);
	assert_int_equal(unlink("victim"), 0);
}

static void try_all(struct try *t)
{
	if ((kernel_has() & t->need) != t->need)
		skip_because("the kernel here has not all of the lock");
	t->o = open_some();
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
		int r;

		t->a = &attempts[i];
		if (t->no_seccomp && (!t->a->since || landlock_abi() < t->a->since))
			continue;
		r = in_child(attempt_child, t);
		if (r != REFUSED)
			fail_msg("%s: %s (%d)", t->a->what, r == ALLOWED ? "was allowed" :
				 r == NOT_LOCKED ? "no lock" : "not refused", r);
	}
	assert_int_equal(access("victim", F_OK), 0);
	assert_int_not_equal(access("sandbox-was-here", F_OK), 0);
	close_all(&t->o);
}

static void test_nothing_gets_out(void **state)
{
	struct try t = { .need = SANDBOX_NO_NEW_PRIVS | SANDBOX_SECCOMP };

	(void)state;
	try_all(&t);
}

static void test_seccomp_alone(void **state)
{
	struct try t = { .need = SANDBOX_NO_NEW_PRIVS | SANDBOX_SECCOMP, .no_landlock = true };

	(void)state;
	try_all(&t);
}

static void test_landlock_alone(void **state)
{
	struct try t = { .need = SANDBOX_NO_NEW_PRIVS | SANDBOX_LANDLOCK, .no_seccomp = true };

	(void)state;
	try_all(&t);
}

/* ---- a reader whose files another process opens */

struct watched {
	struct try t;
	int pair[2];
	const char *may;	/* the one file that is opened for it */
	unsigned asked;
};

static int watched_child(void *arg)
{
	struct watched *v = arg;

	close(v->pair[0]);
	if (!(sandbox_enter_watched(v->pair[1]) & SANDBOX_WATCHED))
		return NOT_LOCKED;
	errno = 0;
	if (v->t.a->run(&v->t.o) >= 0)
		return ALLOWED;
	return errno == EPERM || errno == EACCES ? REFUSED : OTHERWISE;
}

/* Where nobody can be asked, files are opened for reading; nothing more. */
static int unasked_child(void *arg)
{
	struct watched *v = arg;
	unsigned in_force;

	if (v->t.no_seccomp)
		refuse_call(SCMP_SYS(seccomp), EPERM);
	/* As in a container whose manager answers some calls. */
	if (v->t.no_landlock)
		notify_call(SCMP_SYS(swapon));
	in_force = sandbox_enter_watched(v->pair[1]);
	if (in_force & SANDBOX_WATCHED || !(in_force & (v->t.no_seccomp ? SANDBOX_LANDLOCK : SANDBOX_SECCOMP)))
		return NOT_LOCKED;
	errno = 0;
	if (v->t.a->run(&v->t.o) >= 0)
		return ALLOWED;
	return errno == EPERM || errno == EACCES ? REFUSED : OTHERWISE;
}

static void unasked(struct watched *v)
{
	v->t.o = open_some();
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, v->pair), 0);
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
		const struct attempt *a = v->t.a = &attempts[i];
		bool may = a->run == try_open || a->run == try_stat, is_open = may || a->run == try_open_call || a->run == try_openat2;
		int r;

		/* Landlock alone: what it does not refuse is not refused. */
		if (v->t.no_seccomp && (is_open || !a->since || landlock_abi() < a->since))
			continue;
		r = in_child(unasked_child, v);
		if (r != (may ? ALLOWED : REFUSED))
			fail_msg("%s: %d", a->what, r);
	}
	assert_int_not_equal(access("sandbox-was-here", F_OK), 0);
	close_all(&v->t.o);
	close(v->pair[0]);
	close(v->pair[1]);
}

static void test_unasked_reader(void **state)
{
	struct watched landlock = { .t.no_seccomp = true }, other = { .t.no_landlock = true };

	(void)state;
	if (landlock_abi() >= 1)
		unasked(&landlock);
	if (seccomp_api_get() >= 6)
		unasked(&other);
}

static int open_for_watched(void *arg, const char *path)
{
	struct watched *v = arg;

	v->asked++;
	return v->may && !strcmp(path, v->may) ? open(path, O_RDONLY | O_CLOEXEC) : -EACCES;
}

/* Answers until it has ended. */
static int watch_child(struct watched *v)
{
	struct watch w = { .listener = -1, .memory = -1, .open = open_for_watched, .arg = v };
	int fds[2] = { -1, -1 }, status;
	char byte;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, v->pair), 0);
	fflush(NULL);
	w.pid = fork();
	assert_true(w.pid >= 0);
	if (!w.pid)
		leave(watched_child(v));
	close(v->pair[1]);
	assert_int_equal(fdpass_recv(v->pair[0], &byte, 1, fds, 2), 1);
	w.listener = fds[0];
	w.memory = fds[1];
	for (;;) {
		struct pollfd p[2] = { { .fd = w.listener, .events = POLLIN }, { .fd = v->pair[0], .events = POLLIN } };

		assert_true(poll(p, 2, 60000) > 0);
		if (p[0].revents & POLLIN)
			watch_answer(&w);
		else if (p[1].revents)
			break;
	}
	assert_int_equal(waitpid(w.pid, &status, 0), w.pid);
	watch_close(&w);
	close(v->pair[0]);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void test_watched_reader(void **state)
{
	struct watched v = { .t = { .o = open_some() } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
		int r;

		v.t.a = &attempts[i];
		r = watch_child(&v);
		if (r == NOT_LOCKED)
			skip_because("no notification by seccomp here");
		/* What a name leads to may be looked at. */
		if (r != (attempts[i].run == try_stat ? ALLOWED : REFUSED))
			fail_msg("%s: %d", attempts[i].what, r);
	}
	assert_int_not_equal(access("sandbox-was-here", F_OK), 0);
	assert_int_equal(v.asked, 1);
	v.may = "/dev/null";
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
		v.t.a = &attempts[i];
		if (attempts[i].run == try_open)
			assert_int_equal(watch_child(&v), ALLOWED);
		else if (attempts[i].run == try_open_call || attempts[i].run == try_openat2 || attempts[i].run == try_reopen)
			assert_int_equal(watch_child(&v), REFUSED);
	}
	close_all(&v.t.o);
}

/* The attempts are real ones: without the lock those that need no privilege succeed. */
static void test_attempts_are_real(void **state)
{
	static const char *const plain[] = {
		"open", "openat2", "open what is open with more rights", "create a file", "fork", "socket",
		"bind an open socket", "kill another", "tgkill another", "map code", "make code", "memfd_create",
		"fchmod", "stat by name", "truncate by name", "execve",
	};
	struct open_before o = open_some();

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(plain); k++)
		for (size_t i = 0; i < ARRAY_SIZE(attempts); i++)
			if (!strcmp(attempts[i].what, plain[k])) {
				pid_t pid = fork();
				int status;

				if (!pid)
					_exit(attempts[i].run(&o) >= 0 ? 0 : 1);
				assert_int_equal(waitpid(pid, &status, 0), pid);
				if (status)
					fail_msg("%s fails by itself: %d", plain[k], status);
			}
	unlink("sandbox-was-here");
	close_all(&o);
}

/* ---- what was handed down */

static bool is_open(int fd)
{
	/* F_GETFD is not among the calls. */
	return fcntl(fd, F_GETFL) >= 0;
}

/* Among descriptors of ours, those that this program was executed with; without FD_CLOEXEC they are the same to it. */
static int inherited_child(void *arg)
{
	static const int inherited[] = { 5, 800, 1023, 1024, 3000, 9000 };
	struct rlimit limit = { .rlim_cur = 10000, .rlim_max = 10000 };
	const struct try *t = arg;
	int own;

	child_check(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	for (size_t i = 0; i < ARRAY_SIZE(inherited); i++)
		child_check(dup2(t->o.file, inherited[i]) == inherited[i]);
	own = fcntl(t->o.file, F_DUPFD_CLOEXEC, 6);
	child_check(own > 5);
	if (t->no_close_range)
		refuse_call(UAPI_SYS_close_range, t->no_close_range);
	lock(t);
	for (size_t i = 0; i < ARRAY_SIZE(inherited); i++)
		if (is_open(inherited[i]))
			return inherited[i] % 100;
	return is_open(own) && is_open(t->o.file) && is_open(STDOUT_FILENO) && is_open(STDERR_FILENO) ? REFUSED : OTHERWISE;
}

static void test_inherited_descriptors_are_closed(void **state)
{
	static const int refusals[] = { 0, ENOSYS, EPERM, EINVAL };
	struct try t = { .o = open_some() };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		t.no_close_range = refusals[i];
		assert_int_equal(in_child(inherited_child, &t), REFUSED);
	}
	close_all(&t.o);
}

/* So many were handed down that ours are above all that are looked at one by one. */
static int many_descriptors_child(void *arg)
{
	struct rlimit limit = { .rlim_cur = 10000, .rlim_max = 10000 };
	const struct try *t = arg;
	int own, last;

	child_check(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	while ((last = dup(t->o.file)) < 3000)
		child_check(last >= 0);
	own = fcntl(t->o.file, F_DUPFD_CLOEXEC, 3);
	child_check(own > last && dup2(t->o.file, 9999) == 9999);
	lock(t);
	return is_open(own) && !is_open(last) && !is_open(9999) ? REFUSED : OTHERWISE;
}

static void test_our_descriptors_stay_among_many(void **state)
{
	struct try t = { .o = open_some() };

	(void)state;
	assert_int_equal(in_child(many_descriptors_child, &t), REFUSED);
	close_all(&t.o);
}

/* ---- what a reader needs */

static int by_value(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void use_memory(void)
{
	size_t n = 1 << 20;
	char *p = malloc(100), *q;
	int *v = malloc(n * sizeof(*v));

	/* mremap(2), and a sort that asks how much memory there is. */
	child_check(p && v);
	for (size_t len = 100; len < 64u << 20; len *= 4) {
		q = realloc(p, len);
		child_check(q);
		p = q;
		p[len - 1] = 1;
	}
	for (size_t i = 0; i < n; i++)
		v[i] = (int)((i * 7919) % n);
	qsort(v, n, sizeof(*v), by_value);
	child_check(v[0] == 0 && v[n - 1] == (int)n - 1);
	free(p);
	free(v);
}

static void use_files(int fd)
{
	char line[16] = { 0 };
	FILE *f = fdopen(dup(fd), "r");

	/* dup(2) is not among the calls. */
	child_check(!f && errno != 0);
	child_check(pwrite(fd, "content", 7, 1 << 20) == 7 && ftruncate(fd, 1 << 21) == 0);
	child_check(pread(fd, line, 7, 1 << 20) == 7 && !strcmp(line, "content"));
	child_check(lseek(fd, 0, SEEK_DATA) >= 0 && read(fd, line, 1) == 1);
	child_check(write(fd, "x", 1) == 1);
}

static int reader_child(void *arg)
{
	int out = *(int *)arg, fd = memfd_create("file", MFD_CLOEXEC);
	FILE *f = fdopen(out, "w");

	child_check(f && fd >= 0);
	if (!(sandbox_enter() & SANDBOX_SECCOMP))
		return NOT_LOCKED;
	use_memory();
	use_files(fd);
	for (int i = 0; i < 10000; i++)
		fprintf(f, "line %d of %s\n", i, strerror(EPERM));
	child_check(!fclose(f));
	return 0;
}

static void test_reader_works(void **state)
{
	int fd = memfd_create("out", MFD_CLOEXEC), r;

	(void)state;
	assert_true(fd >= 0);
	if (!(kernel_has() & SANDBOX_SECCOMP))
		skip_because("no seccomp here");
	r = in_child(reader_child, &fd);
	assert_int_equal(r, 0);
	assert_true(lseek(fd, 0, SEEK_END) > 10000 * 10);
	close(fd);
}

static int abort_child(void *arg)
{
	(void)arg;
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	signal(SIGABRT, SIG_DFL);
	sandbox_enter();
	raise(SIGABRT);		/* abort(), without what AddressSanitizer does before */
	return 0;
}

/* A fault of ours is still seen as one. */
static void test_abort_ends_it(void **state)
{
	(void)state;
	assert_int_equal(in_child(abort_child, NULL), 128 + SIGABRT);
}

static int status_child(void *arg)
{
	struct buf b = { 0 };
	struct err e;
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	unsigned want = kernel_has(), in_force = sandbox_enter();

	(void)arg;
	child_check(fd >= 0 && !io_slurp_fd(fd, &b, 1 << 20, "status", &e) && !buf_add(&b, "", 1, &e));
	child_check(in_force == want);
	child_check(!(in_force & SANDBOX_NO_NEW_PRIVS) == !strstr((char *)b.p, "NoNewPrivs:\t1"));
	child_check(!(in_force & SANDBOX_SECCOMP) == !strstr((char *)b.p, "Seccomp:\t2"));
	return 0;
}

static void test_status_is_true(void **state)
{
	(void)state;
	assert_int_equal(in_child(status_child, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attempts_are_real),
		cmocka_unit_test(test_inherited_descriptors_are_closed),
		cmocka_unit_test(test_our_descriptors_stay_among_many),
		cmocka_unit_test(test_nothing_gets_out),
		cmocka_unit_test(test_seccomp_alone),
		cmocka_unit_test(test_landlock_alone),
		cmocka_unit_test(test_watched_reader),
		cmocka_unit_test(test_unasked_reader),
		cmocka_unit_test(test_reader_works),
		cmocka_unit_test(test_abort_ends_it),
		cmocka_unit_test(test_status_is_true),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
