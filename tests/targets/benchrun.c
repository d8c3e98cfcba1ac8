/*
 * benchrun.c - times commands in turn (A B A B ...) and prints medians.
 *
 *   benchrun ROUNDS LIMIT CLEANUP COMMAND...
 *
 * Each COMMAND and CLEANUP is a line for sh; CLEANUP runs, untimed, after each.  A command that
 * takes more than LIMIT seconds is killed with its process group.  One line for each COMMAND:
 * wall seconds, CPU seconds, peak memory in KiB (of it or of a child it waited for; the largest
 * of all rounds), and the worst exit status (128 + signal).
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct series {
	const char *command;
	double *wall;
	double *cpu;
	long maxrss;
	int status;
};

static volatile pid_t running;

static void out_of_time(int sig)
{
	(void)sig;
	if (running > 0)
		kill(-running, SIGKILL);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static double seconds(struct timeval tv)
{
	return (double)tv.tv_sec + (double)tv.tv_usec * 1e-6;
}

/* exec: the shell must not be part of what is measured. */
static pid_t start(const char *command)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	setpgid(0, 0);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

static int finish(pid_t pid, unsigned limit, struct rusage *ru)
{
	int status;

	running = pid;
	alarm(limit);
	while (wait4(pid, &status, 0, ru) < 0) {
		if (errno != EINTR)
			return 127;
	}
	alarm(0);
	running = 0;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void run_once(struct series *s, int round, unsigned limit)
{
	struct rusage ru = { 0 };
	double begin = now();
	pid_t pid = start(s->command);
	int status = pid < 0 ? 127 : finish(pid, limit, &ru);

	s->wall[round] = now() - begin;
	s->cpu[round] = seconds(ru.ru_utime) + seconds(ru.ru_stime);
	if (ru.ru_maxrss > s->maxrss)
		s->maxrss = ru.ru_maxrss;
	if (status > s->status)
		s->status = status;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, int n)
{
	qsort(v, (size_t)n, sizeof(*v), by_value);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static bool series_init(struct series *s, const char *command, int rounds)
{
	*s = (struct series){
		.command = command,
		.wall = calloc((size_t)rounds, sizeof(double)),
		.cpu = calloc((size_t)rounds, sizeof(double)),
	};
	return s->wall && s->cpu;
}

int main(int argc, char **argv)
{
	int rounds = argc > 4 ? atoi(argv[1]) : 0;
	unsigned limit = argc > 4 ? (unsigned)atoi(argv[2]) : 0;
	int n = argc - 4;

	if (rounds < 1) {
		fprintf(stderr, "usage: benchrun ROUNDS LIMIT CLEANUP COMMAND...\n");
		return 2;
	}
	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = out_of_time }, NULL);
	struct series *all = calloc((size_t)n, sizeof(*all));
	for (int i = 0; i < n; i++) {
		if (!all || !series_init(&all[i], argv[4 + i], rounds))
			return 2;
	}
	for (int round = 0; round < rounds; round++) {
		for (int i = 0; i < n; i++) {
			run_once(&all[i], round, limit);
			finish(start(argv[3]), limit, &(struct rusage){ 0 });
		}
	}
	for (int i = 0; i < n; i++)
		printf("%.4f %.4f %ld %d\n", median(all[i].wall, rounds), median(all[i].cpu, rounds),
		       all[i].maxrss, all[i].status);
	return 0;
}
