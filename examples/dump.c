/* dump PID FILE - saves a running process, with progress; SIGINT cancels, and leaves no file. */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <tagcore/tagcore.h>

static volatile sig_atomic_t cancelled;

static void on_signal(int sig)
{
	cancelled = sig;
}

static void print_progress(void *arg, pid_t pid, uint64_t done, uint64_t total)
{
	(void)arg;
	fprintf(stderr, "\r%d: %" PRIu64 " of %" PRIu64 " MiB", (int)pid, done >> 20, total >> 20);
}

static void print_report(struct tagcore_dump *dump)
{
	const struct tagcore_dump_report *report = tagcore_dump_get_report(dump);
	const struct tagcore_dump_missing *m;

	printf("%s: %" PRIu64 " bytes, %" PRIu64 " threads, stopped for %" PRIu64 " us\n", report->path, report->bytes,
	       report->threads, report->pause_us);
	for (size_t i = 0; (m = tagcore_dump_get_missing(dump, i)); i++)
		printf("missing 0x%" PRIx64 "-0x%" PRIx64 ": %s\n", m->start, m->end, m->reason);
}

int main(int argc, char **argv)
{
	struct tagcore_dump_options options = { .size = sizeof(options), .progress = print_progress, .cancel = &cancelled };
	struct sigaction action = { .sa_handler = on_signal };
	struct tagcore_dump *dump;
	struct tagcore_error error;

	if (argc != 3) {
		fputs("usage: dump PID FILE\n", stderr);
		return 2;
	}
	sigaction(SIGINT, &action, NULL);
	options.output = argv[2];
	if (tagcore_dump_run(&dump, (pid_t)atoi(argv[1]), &options, &error)) {
		fprintf(stderr, "dump: %s\n", error.message);
		return 1;
	}
	print_report(dump);
	tagcore_dump_free(dump);
	return 0;
}
