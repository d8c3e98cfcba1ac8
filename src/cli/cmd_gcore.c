#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/scope.h"
#include "base/text.h"
#include "cli/cmds.h"
#include "cli/dump_args.h"
#include "cli/dump_text.h"
#include "cli/message.h"
#include "dump/dump.h"
#include "dump/job.h"

enum { OPT_ALL = 1, OPT_OUTPUT, OPT_DATADIR, OPT_COMPRESS, OPT_SNAPSHOT, OPT_OUTPUT_TIMEOUT, OPT_HELP, OPT_VERSION };

#define SYNOPSIS "gcore [-a] [-s] [-z] [-o PREFIX] [-d DATADIR] PID..."

/* gcore(1) of gdb: -a all, -o prefix; -d is where gdb keeps its data, of which we have none.  The rest is ours. */
const struct opt gcore_opts[] = {
	{ "all", 'a', NULL, "every readable mapping", OPT_ALL },
	{ "output", 'o', "PREFIX", "write PREFIX.PID (default core.PID)", OPT_OUTPUT },
	{ "data-directory", 'd', "DATADIR", "accepted as gdb's gcore does; nothing is read from it", OPT_DATADIR },
	{ "compress", 'z', "[=LEVEL]", "write PREFIX.PID.zst, by zstd (default level 1)", OPT_COMPRESS },
	{ "snapshot", 's', "[=require]", "stop only while the kernel makes a copy, and save that", OPT_SNAPSHOT },
	{ "output-timeout", 0, "SEC", "how long the output may stand still before the process runs on (default 10; 0: no limit)",
	  OPT_OUTPUT_TIMEOUT },
	{ "help", 'h', NULL, "this text", OPT_HELP },
	{ "version", 'v', NULL, "the version", OPT_VERSION },
	{ 0 }
};

/* The prefix is a name, not a template: its '%' are its own. */
static int make_template(const char *prefix, char **out, struct err *e)
{
	struct buf b scoped(buf_fini) = { 0 };
	int r = 0;

	for (const char *s = prefix; !r && *s; s++)
		r = buf_add(&b, *s == '%' ? "%%" : s, *s == '%' ? 2 : 1, e);
	if (!r)
		r = buf_add(&b, ".%p", sizeof(".%p"), e);
	if (!r)
		*out = (char *)take_ptr(b.p);
	return r;
}

/* gdb's gcore replaces an old core of the same name, and its users' scripts rely on it. */
static int save(const char *word, const struct dump_opts *opts)
{
	struct dump_report rep scoped(dump_report_fini) = { 0 };
	struct err e = { 0 };
	pid_t pid;
	int r = dump_pid_parse(word, &pid, &e);

	if (!r)
		r = dump_job(pid, opts, &rep, &e);
	if (r) {
		message("gcore", "failed to create a core for %s: %s", word, e.msg);
		return EXIT_TROUBLE;
	}
	fputs("Saved corefile ", stdout);
	text_puts(stdout, rep.path);
	putchar('\n');
	if (!rep.missing.n && !rep.n_unstopped)
		return EXIT_GOOD;
	report_print(stderr, &rep);
	return EXIT_FINDINGS;
}

static int usage(void)
{
	puts("Usage: " SYNOPSIS "\n\nOptions:");
	opts_help(stdout, gcore_opts);
	return EXIT_GOOD;
}

int cmd_gcore(int argc, char **argv, struct err *e)
{
	struct dump_opts opts = { .stop_timeout_ms = DUMP_STOP_TIMEOUT_MS, .output_timeout_ms = DUMP_OUTPUT_TIMEOUT_MS,
				  .cancel = &cli_cancelled, .force = true, .stream_fd = -1 };
	const char *prefix = "core";
	char *template auto_free = NULL;
	struct opts_iter it;
	int worst = EXIT_GOOD, r;

	opts_begin(&it, gcore_opts, argc, argv);
	while ((r = opts_next(&it, e)) > 0) {
		if (r == OPT_HELP)
			return usage();
		if (r == OPT_VERSION)
			return puts("tagcore " TAGCORE_VERSION " (gcore)") < 0;
		if (r == OPT_ALL)
			opts.all = true;
		if (r == OPT_OUTPUT)
			prefix = it.arg;
		if (r == OPT_SNAPSHOT && dump_snapshot_parse(it.arg, &opts.snapshot, e))
			return e->code;
		if (r == OPT_OUTPUT_TIMEOUT && dump_timeout_parse("--output-timeout", it.arg, &opts.output_timeout_ms, e))
			return e->code;
		if (r == OPT_COMPRESS && dump_level_parse(it.arg, &opts.compress, e))
			return e->code;
	}
	if (!r && it.operand == argc)
		r = err_set(e, ERR_USAGE, "a process id is missing: " SYNOPSIS);
	if (!r)
		r = make_template(prefix, &template, e);
	if (r)
		return r;
	opts.output = template;
	for (int i = it.operand; i < argc && !cli_cancelled; i++) {
		r = save(argv[i], &opts);
		worst = r > worst ? r : worst;
	}
	return cli_cancelled ? EXIT_TROUBLE : worst;
}
