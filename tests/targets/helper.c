/*
 * helper COMMAND ...: small things that a shell cannot do to a process.
 *	queue PID TID N MICROSECONDS	N signals to the process and N to the thread (sigs.c)
 *	pend PID N			N signals that sigs.c keeps blocked
 *	trace PID			traces it until its input ends
 *	hold PID			traces all its threads and has them stopped until its input ends
 *	zombie				keeps a dead child; "ready" says its pid
 *	undumpable			has PR_SET_DUMPABLE 0
 *	refuse CALL ERROR COMMAND...	runs it; the system call fails with that number
 *	groups N COMMAND...		runs it with N supplementary groups, of the longest numbers
 *	end-at PID SIGNAL MICROSECONDS COMMAND...	runs it, and sends it the signal so long after it
 *					has seized PID's first thread; "ended STATUS", as waitpid gives it
 *	kill-all PID SIGNAL MICROSECONDS COMMAND...	the same, but to the command and all its children;
 *					"killed AT ended STATUS", AT in ms of CLOCK_MONOTONIC; -1: as PID runs
 *					on, with a child: the copy of a snapshot
 *	stopped-terminal COMMAND...	runs it with a terminal as standard error that takes nothing, as after ^S
 *	bad-disk COMMAND...		runs it; what it reads of a file's first MiB, a page
 *					or more at once by pread(2), fails with EIO
 */
#include "target.h"

#include <dirent.h>
#include <grp.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <termios.h>

#include "../deny.h"

static int queue_one(pid_t pid, pid_t tid, int sig, int value)
{
	siginfo_t si = { .si_signo = sig, .si_code = SI_QUEUE };

	/* Macros for members of one union: no initialisers. */
	si.si_pid = getpid();
	si.si_uid = getuid();
	si.si_value.sival_int = value;
	if (tid)
		return (int)syscall(SYS_rt_tgsigqueueinfo, pid, tid, sig, &si);
	return (int)syscall(SYS_rt_sigqueueinfo, pid, sig, &si);
}

/* The queue has a limit (RLIMIT_SIGPENDING): wait while it is full. */
static void queue_sure(pid_t pid, pid_t tid, int sig, int value)
{
	for (int i = 0; queue_one(pid, tid, sig, value) < 0; i++) {
		must(errno == EAGAIN && i < 5000, "sigqueue");
		target_nap();
	}
}

static int run_queue(char **a)
{
	pid_t pid = atoi(a[0]), tid = atoi(a[1]);
	int n = atoi(a[2]), us = atoi(a[3]);

	for (int i = 0; i < n; i++) {
		queue_sure(pid, 0, SIGRTMIN, i);
		queue_sure(pid, tid, SIGRTMIN + 1, i);
		nanosleep(&(struct timespec){ .tv_nsec = us * 1000L }, NULL);
	}
	return 0;
}

static int run_pend(char **a)
{
	for (int i = 0; i < atoi(a[1]); i++)
		queue_sure(atoi(a[0]), 0, SIGRTMIN + 2, i);
	return 0;
}

static int run_trace(char **a)
{
	must(ptrace(PTRACE_SEIZE, atoi(a[0]), NULL, NULL) == 0, "PTRACE_SEIZE");
	target_ready();
	for (;;)
		pause();
	return 0;
}

static int run_hold(char **a)
{
	char path[64];
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/task", a[0]);
	dir = opendir(path);
	must(dir != NULL, path);
	while ((d = readdir(dir))) {
		pid_t tid = atoi(d->d_name);

		if (tid)
			must(!ptrace(PTRACE_SEIZE, tid, NULL, NULL) && !ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) &&
			     waitpid(tid, NULL, __WALL) == tid, "stop");
	}
	closedir(dir);
	target_ready();
	for (;;)
		pause();
	return 0;
}

static int run_zombie(char **a)
{
	pid_t pid = fork();
	siginfo_t si;

	(void)a;
	if (pid == 0)
		_exit(0);
	must(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT) == 0, "waitid");
	printf("ready %d\n", pid);
	fflush(stdout);
	for (;;)
		pause();
	return 0;
}

static int run_undumpable(char **a)
{
	(void)a;
	must(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0, "PR_SET_DUMPABLE");
	target_ready();
	for (;;)
		pause();
	return 0;
}

/* Memory, and the page tables of high addresses, are read from above the first MiB. */
static int run_bad_disk(char **a)
{
	static const struct deny_if when[] = {
		{ .arg = 3, .word = 1, .mask = UINT32_MAX, .any = 0 },
		{ .arg = 3, .mask = ~0xfffffu, .any = 0 },
		{ .arg = 2, .mask = ~0xfffu, .any = 1 },
	};

	must(deny(SYS_pread64, EIO, when, 3) == 0, "seccomp");
	execvp(a[0], a);
	die(a[0]);
	return 0;
}

/* As a filter of system calls or a security module refuses them. */
static const struct {
	const char *name;
	unsigned nr;
	struct deny_if when;
	size_t n;
} calls[] = {
	{ .name = "ioctl", .nr = SYS_ioctl },
	{ .name = "getdents64", .nr = SYS_getdents64 },
	{ .name = "process_vm_readv", .nr = SYS_process_vm_readv },
	{ .name = "ptrace", .nr = SYS_ptrace },
	/* For all processes that there can be: as a security module does, not a filter of calls. */
	{ .name = "ptrace-any", .nr = SYS_ptrace, .when = { .arg = 1, .mask = 0x40000000, .any = 0 }, .n = 1 },
	{ .name = "close_range", .nr = SYS_close_range },
	/* By /proc/PID/mem, above the first 512 GiB: what is read of pagemap is lower. */
	{ .name = "mem", .nr = SYS_pread64, .when = { .arg = 3, .word = 1, .mask = ~0x7fu, .any = 1 }, .n = 1 },
	/* How mapped files are opened, and files of /proc are not. */
	{ .name = "mapped-files", .nr = SYS_openat, .when = { .arg = 2, .mask = O_NOCTTY, .any = 1 }, .n = 1 },
};

static int run_refuse(char **a)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (!strcmp(calls[i].name, a[0])) {
			must(deny(calls[i].nr, atoi(a[1]), &calls[i].when, calls[i].n) == 0, "seccomp");
			execvp(a[2], a + 2);
		}
	die(a[2]);
	return 0;
}

static int run_groups(char **a)
{
	size_t n = (size_t)atoi(a[0]);
	gid_t *groups = calloc(n, sizeof(*groups));

	must(groups != NULL, "calloc");
	for (size_t i = 0; i < n; i++)
		groups[i] = 4000000000u + (gid_t)i;
	must(setgroups(n, groups) == 0, "setgroups");
	execvp(a[1], a + 1);
	die(a[1]);
	return 0;
}

static int is_traced(const char *pid)
{
	char path[64], text[4096] = "";
	const char *line;
	int fd, n;

	snprintf(path, sizeof(path), "/proc/%s/status", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = (int)read(fd, text, sizeof(text) - 1);
	close(fd);
	line = n > 0 ? strstr(text, "TracerPid:") : NULL;
	return line && atoi(line + strlen("TracerPid:")) > 0;
}

static int run_end_at(char **a)
{
	double until;
	int status = 0, ended = 0;
	pid_t pid = fork();

	if (pid == 0) {
		execvp(a[3], a + 3);
		_exit(127);
	}
	must(pid > 0, "fork");
	while (!ended && !is_traced(a[0]))
		ended = waitpid(pid, &status, WNOHANG) == pid;
	/* No sleep, which is longer than most of what happens. */
	for (until = target_seconds() + atoi(a[2]) / 1e6; target_seconds() < until;)
		;
	if (!ended && kill(pid, atoi(a[1])) == 0)
		waitpid(pid, &status, 0);
	printf("ended %d\n", status);
	return 0;
}

static int run_stopped_terminal(char **a)
{
	/* Kept open by the command: the terminal must not be gone. */
	int end = posix_openpt(O_RDWR | O_NOCTTY), terminal;

	must(end >= 0 && grantpt(end) == 0 && unlockpt(end) == 0, "pty");
	terminal = open(ptsname(end), O_RDWR | O_NOCTTY);
	must(terminal >= 0 && tcflow(terminal, TCOOFF) == 0 && dup2(terminal, 2) == 2, "terminal");
	close(terminal);
	execvp(a[0], a);
	die(a[0]);
	return 0;
}

/* All processes below @pid, and @pid, children first; a guardian is a child of the command. */
static void kill_tree(pid_t pid, int sig)
{
	char path[64], text[4096] = "";
	struct dirent *e;
	DIR *d;
	int fd, n;

	/* A child is listed with the thread that made it. */
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%.16s/children", pid, e->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		n = fd < 0 ? 0 : (int)read(fd, text, sizeof(text) - 1);
		close(fd);
		text[n > 0 ? n : 0] = 0;
		for (char *next = NULL, *at = strtok_r(text, " ", &next); at; at = strtok_r(NULL, " ", &next))
			kill_tree(atoi(at), sig);
	}
	if (d)
		closedir(d);
	kill(pid, sig);
}

/* Of its first thread or any other: a copy of it, in a snapshot. */
static int has_child(const char *pid)
{
	char path[64], c;
	struct dirent *e;
	int fd, found = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%s/task", pid);
	d = opendir(path);
	while (d && !found && (e = readdir(d))) {
		snprintf(path, sizeof(path), "/proc/%s/task/%.16s/children", pid, e->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		found = fd >= 0 && read(fd, &c, 1) == 1;
		close(fd);
	}
	if (d)
		closedir(d);
	return found;
}

static int run_kill_all(char **a)
{
	int status = 0, ended = 0;
	pid_t pid = fork();
	double at;

	if (pid == 0) {
		/* Ignored in what a shell runs in the background. */
		signal(SIGINT, SIG_DFL);
		execvp(a[3], a + 3);
		_exit(127);
	}
	must(pid > 0, "fork");
	/* A snapshot's stop may be over before it is looked at again; then there is the copy. */
	while (!ended && (atoi(a[2]) < 0 ? is_traced(a[0]) || !has_child(a[0]) : !is_traced(a[0]) && !has_child(a[0])))
		ended = waitpid(pid, &status, WNOHANG) == pid;
	for (at = target_seconds() + atoi(a[2]) / 1e6; target_seconds() < at;)
		;
	at = target_seconds();
	kill_tree(pid, atoi(a[1]));
	if (!ended)
		waitpid(pid, &status, 0);
	printf("killed %.0f ended %d\n", at * 1000, status);
	return 0;
}

static const struct {
	const char *name;
	int n_args;	/* -N: N or more */
	int (*run)(char **args);
} commands[] = {
	{ .name = "queue", .n_args = 4, .run = run_queue },
	{ .name = "pend", .n_args = 2, .run = run_pend },
	{ .name = "trace", .n_args = 1, .run = run_trace },
	{ .name = "hold", .n_args = 1, .run = run_hold },
	{ .name = "zombie", .n_args = 0, .run = run_zombie },
	{ .name = "undumpable", .n_args = 0, .run = run_undumpable },
	{ .name = "refuse", .n_args = -3, .run = run_refuse },
	{ .name = "groups", .n_args = -2, .run = run_groups },
	{ .name = "end-at", .n_args = -4, .run = run_end_at },
	{ .name = "kill-all", .n_args = -4, .run = run_kill_all },
	{ .name = "stopped-terminal", .n_args = -1, .run = run_stopped_terminal },
	{ .name = "bad-disk", .n_args = -1, .run = run_bad_disk },
};

int main(int argc, char **argv)
{
	target_begin();
	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(commands[i].name, argv[1]) &&
		    (commands[i].n_args < 0 ? argc - 2 >= -commands[i].n_args : argc - 2 == commands[i].n_args))
			return commands[i].run(argv + 2);
	fprintf(stderr, "usage: see helper.c\n");
	return 2;
}
