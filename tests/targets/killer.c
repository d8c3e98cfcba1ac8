/*
 * killer PID SIGNAL WHOM WHEN COMMAND... - runs a command that examines process PID, and sends a signal.
 *
 * WHOM: "command"; "guardian", its child; "copy", the child that PID has meanwhile; "ours", command and
 * guardian; "all"; or "target", PID itself, to which the command's calls then leave HOLD_MS, or, after "moment" has been
 * printed, the time in which the file $HOLD_WHILE exists.
 * WHEN: "us:N", N microseconds after PID is traced by anybody; "NAME:N", when the command or one of its
 * children is about to make system call NAME (see names[]) for the N-th time; "any:N", any call.
 *
 * Prints "ended STATUS free MS left N zombies N seen YES": status as by waitpid(2); when no thread of PID was traced any
 * more, counted from the signal; processes of the command's that live; dead children of PID; whether the moment
 * came at all.  It waits for up to LIMIT_S that all of this be over.
 */
#include "target.h"

#include <sys/ptrace.h>
#include <sys/wait.h>

enum { LIMIT_S = 60, HOLD_MS = 30, OURS_MAX = 64 };

/* Requests of ptrace(2) by their own names; request 0: any, or another call. */
static const struct { const char *name; unsigned nr; uint64_t request; } names[] = {
	{ "seize", SYS_ptrace, PTRACE_SEIZE }, { "interrupt", SYS_ptrace, PTRACE_INTERRUPT },
	{ "getregs", SYS_ptrace, PTRACE_GETREGSET }, { "setregs", SYS_ptrace, PTRACE_SETREGSET },
	{ "step", SYS_ptrace, PTRACE_SYSCALL }, { "options", SYS_ptrace, PTRACE_SETOPTIONS },
	{ "detach", SYS_ptrace, PTRACE_DETACH }, { "ptrace", SYS_ptrace, 0 }, { "wait", SYS_wait4, 0 },
	{ "kill", SYS_kill, 0 }, { "read", SYS_process_vm_readv, 0 }, { "write", SYS_pwrite64, 0 },
	{ "rename", SYS_renameat, 0 }, { "link", SYS_linkat, 0 }, { "fsync", SYS_fsync, 0 },
	{ "pidfd_getfd", SYS_pidfd_getfd, 0 }, { "exit", SYS_exit_group, 0 },
};

static pid_t pid, command, ours[OURS_MAX];
static int n_ours, sig;
static const char *whom;
static double sent_at;

/* ---- who is there */

static int read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), n;

	n = fd < 0 ? -1 : (int)read(fd, text, size - 1);
	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = 0;
	return n;
}

static char state_of(pid_t p)
{
	char path[64], text[512], *at;

	snprintf(path, sizeof(path), "/proc/%d/stat", p);
	if (read_text(path, text, sizeof(text)) <= 0)
		return 0;
	at = strrchr(text, ')');
	return at ? at[2] : 0;
}

static int lives(pid_t p)
{
	char c = state_of(p);

	return c && c != 'Z' && c != 'X';
}

static int is_traced(pid_t of, pid_t tid)
{
	char path[64], text[4096];
	const char *line;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", of, tid);
	line = read_text(path, text, sizeof(text)) > 0 ? strstr(text, "TracerPid:") : NULL;
	return line && atoi(line + strlen("TracerPid:")) > 0;
}

/* Calls fn for each child of any thread of @of, or, if @threads, for each thread. */
static int each(pid_t of, int threads, int (*fn)(pid_t p))
{
	char path[64], text[4096];
	struct dirent *e;
	int sum = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/task", of);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		char *next = NULL;

		if (e->d_name[0] == '.')
			continue;
		if (threads) {
			sum += fn(atoi(e->d_name));
			continue;
		}
		snprintf(path, sizeof(path), "/proc/%d/task/%.16s/children", of, e->d_name);
		if (read_text(path, text, sizeof(text)) <= 0)
			continue;
		for (char *at = strtok_r(text, " ", &next); at; at = strtok_r(NULL, " ", &next))
			sum += fn(atoi(at));
	}
	if (d)
		closedir(d);
	return sum;
}

static int thread_is_traced(pid_t tid) { return is_traced(pid, tid); }
static int child_lives(pid_t p) { return lives(p); }
static int child_is_dead(pid_t p) { return !lives(p); }

static int note_ours(pid_t p)
{
	for (int i = 0; i < n_ours; i++)
		if (ours[i] == p)
			return 0;
	must(n_ours < OURS_MAX, "too many processes");
	ours[n_ours++] = p;
	return each(p, 0, note_ours) + 1;
}

static int ours_left(void)
{
	int n = 0;

	for (int i = 0; i < n_ours; i++)
		n += lives(ours[i]);
	return n;
}

/* ---- the signal */

static int send_to(pid_t p) { return kill(p, sig) == 0; }
static int is(const char *name) { return !strcmp(whom, name) || !strcmp(whom, "all"); }

static void hold(void)
{
	const char *file = getenv("HOLD_WHILE");
	double limit = target_seconds() + LIMIT_S;

	usleep(HOLD_MS * 1000);
	if (!file)
		return;
	puts("moment");
	fflush(stdout);
	while (access(file, F_OK) == 0 && target_seconds() < limit)
		target_nap();
}

static void send_all(void)
{
	int both = !strcmp(whom, "ours");

	if (sent_at != 0)
		return;
	sent_at = target_seconds();
	note_ours(command);
	if (!strcmp(whom, "target")) {
		send_to(pid);
		hold();
	}
	if (is("copy"))
		each(pid, 0, send_to);
	if (both || is("guardian"))
		each(command, 0, send_to);
	if (both || is("command"))
		send_to(command);
}

/* ---- when */

static void begin(char **argv, int traced)
{
	command = fork();
	if (command == 0) {
		/* Ignored in what a shell runs in the background. */
		signal(SIGINT, SIG_DFL);
		if (traced)
			raise(SIGSTOP);
		execvp(argv[0], argv);
		_exit(127);
	}
	must(command > 0, "fork");
}

/* How the command ended, if it did before. */
static int after_time(long us)
{
	int status = 0;
	double until;

	/* Those that are waited for need the processors, too. */
	for (; !each(pid, 1, thread_is_traced); usleep(100))
		if (waitpid(command, &status, WNOHANG) == command)
			return status;
	/* No sleep, which is longer than most of what happens. */
	for (until = target_seconds() + (double)us / 1e6; target_seconds() < until;)
		;
	send_all();
	return 0;
}

static unsigned name_of(const char *name, size_t len)
{
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i].name) == len && !strncmp(names[i].name, name, len))
			return i;
	must(len == 3, "no such call");
	return UINT32_MAX;
}

static int is_call(pid_t tid, unsigned which)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, (void *)sizeof(info), &info) <= 0 || info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return 0;
	return which == UINT32_MAX ||
	       (info.entry.nr == names[which].nr && (!names[which].request || names[which].request == info.entry.args[0]));
}

/* A thread of the command's, or of a child's, that has stopped goes on; once the signal is sent, untraced. */
static void go_on(pid_t tid, int status)
{
	int by_signal = status >> 16 == 0 && WSTOPSIG(status) != (SIGTRAP | 0x80);

	ptrace(sent_at != 0 ? PTRACE_DETACH : PTRACE_SYSCALL, tid, NULL, (void *)(long)(by_signal ? WSTOPSIG(status) : 0));
}

/* As strace -f has them: all that the command makes. */
static int at_call(const char *when)
{
	const unsigned long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK;
	unsigned which = name_of(when, strcspn(when, ":"));
	long left = atol(when + strcspn(when, ":") + 1);
	int status = 0, end = 0;
	pid_t tid;

	waitpid(command, &status, WUNTRACED);
	must(ptrace(PTRACE_SEIZE, command, NULL, (void *)options) == 0, "PTRACE_SEIZE");
	kill(command, SIGCONT);
	while (sent_at == 0 && ((tid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR)) {
		if (!WIFSTOPPED(status)) {
			end = tid == command ? status : end;
			continue;
		}
		if (WSTOPSIG(status) == (SIGTRAP | 0x80) && is_call(tid, which) && --left == 0)
			send_all();
		go_on(tid, status);
	}
	return end;
}

/* Until all is over. */
static double await_end(int *end)
{
	double limit = target_seconds() + LIMIT_S, freed = -1;
	int status = 0;
	pid_t tid;

	for (; target_seconds() < limit; target_nap()) {
		int traced = each(pid, 1, thread_is_traced);

		if (!traced && freed < 0)
			freed = sent_at != 0 ? (target_seconds() - sent_at) * 1000 : 0;
		while ((tid = waitpid(-1, &status, __WALL | WNOHANG)) > 0)
			if (WIFSTOPPED(status))
				go_on(tid, status);
			else if (tid == command)
				*end = status;
		if (!traced && tid < 0 && !each(pid, 0, child_lives) && !ours_left())
			break;
	}
	return freed;
}

int main(int argc, char **argv)
{
	double freed;
	int status;

	if (argc < 6) {
		fprintf(stderr, "usage: see killer.c\n");
		return 2;
	}
	pid = atoi(argv[1]);
	sig = atoi(argv[2]);
	whom = argv[3];
	begin(argv + 5, strncmp(argv[4], "us:", 3) != 0);
	status = strncmp(argv[4], "us:", 3) ? at_call(argv[4]) : after_time(atol(argv[4] + 3));
	freed = await_end(&status);
	printf("ended %d free %.0f left %d zombies %d seen %s\n", status, freed, ours_left() + each(pid, 0, child_lives),
	       each(pid, 0, child_is_dead), sent_at != 0 ? "yes" : "no");
	return 0;
}
