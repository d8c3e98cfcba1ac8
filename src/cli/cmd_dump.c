#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/scope.h"
#include "base/text.h"
#include "base/util.h"
#include "cli/cmds.h"
#include "cli/dump_args.h"
#include "cli/dump_text.h"
#include "cli/json.h"
#include "cli/message.h"
#include "cli/progress.h"
#include "dump/dump.h"
#include "dump/job.h"

enum {
	OPT_OUTPUT = 1, OPT_ALL, OPT_FILTER, OPT_INCLUDE, OPT_EXCLUDE, OPT_STOP_TIMEOUT, OPT_LIMIT, OPT_DRY_RUN,
	OPT_FORCE, OPT_STACKS, OPT_COMPRESS, OPT_SNAPSHOT, OPT_MAX_PAUSE, OPT_NO_STOP, OPT_OUTPUT_TIMEOUT, OPT_PROGRESS, OPT_QUIET,
	OPT_JSON, OPT_CHECKSUMS,
};

const struct opt dump_opts[] = {
	{ "output", 'o', "TEMPLATE", "file name: %p %e %h %t %% (default core.%p); - is standard output", OPT_OUTPUT },
	{ "all", 'a', NULL, "every readable mapping, whatever filter and MADV_DONTDUMP say", OPT_ALL },
	{ "filter", 0, "MASK", "instead of the process's coredump_filter (hexadecimal)", OPT_FILTER },
	{ "include", 0, "WHAT", "also save START-END or mappings whose name matches a glob", OPT_INCLUDE },
	{ "exclude", 0, "WHAT", "leave them out; the last --include or --exclude decides", OPT_EXCLUDE },
	{ "compress", 'z', "[=LEVEL]", "by zstd (default level 1); the name gets .zst", OPT_COMPRESS },
	{ "checksums", 0, NULL, "in a note at the end: validate and repair find what was damaged since", OPT_CHECKSUMS },
	{ "snapshot", 's', "[=require]", "stop only while the kernel makes a copy, and save that", OPT_SNAPSHOT },
	{ "max-pause", 0, "MS", "stop it no longer, by a snapshot or by copying while it runs, if that can be", OPT_MAX_PAUSE },
	{ "no-stop", 0, NULL, "without ptrace, while it runs: when another tracer has it, or it cannot be stopped", OPT_NO_STOP },
	{ "stacks", 0, NULL, "only what backtraces and global variables need: a few pages a thread", OPT_STACKS },
	{ "stop-timeout", 0, "SEC", "how long to wait for threads that do not stop (default 5)", OPT_STOP_TIMEOUT },
	{ "output-timeout", 0, "SEC",
	  "how long the output may stand still before the process runs on (default 10; 0: no limit)", OPT_OUTPUT_TIMEOUT },
	{ "limit", 0, "SIZE", "give up before writing more (suffixes K M G)", OPT_LIMIT },
	{ "dry-run", 0, NULL, "print what would be saved; stop and write nothing", OPT_DRY_RUN },
	{ "force", 0, NULL, "replace an existing output file", OPT_FORCE },
	{ "progress", 0, "auto|always|never", "whether progress is shown (default auto: on a terminal)", OPT_PROGRESS },
	{ "quiet", 'q', NULL, "no report and no progress", OPT_QUIET },
	{ "json", 0, NULL, "the report as JSON on standard output", OPT_JSON },
	{ 0 }
};

struct args {
	struct dump_opts dump;
	struct plan_select *select;	/* room for one an argument */
	bool dry_run, quiet, json;
	const char *progress;
	struct progress line;
};

static void args_fini(struct args *a)
{
	free(a->select);
}

static int parse_select(struct args *a, const char *what, bool include, struct err *e)
{
	int r = plan_select_parse(what, include, &a->select[a->dump.n_select], e);

	a->dump.n_select += !r;
	return r;
}

static int parse_filter(struct args *a, const char *arg, struct err *e)
{
	u64 v;

	if (text_parse_u64(arg, 16, false, &v) || v > UINT32_MAX)
		return err_set(e, ERR_USAGE, "--filter %s is not a hexadecimal mask", arg);
	a->dump.have_filter = true;
	a->dump.filter = (u32)v;
	return 0;
}

/* Milliseconds, also as "0.5". */
static int parse_max_pause(struct args *a, const char *arg, struct err *e)
{
	char *end;
	double ms = strtod(arg, &end);

	if (end == arg || *end || !(ms >= 0.001 && ms <= 86400000))
		return err_set(e, ERR_USAGE, "--max-pause %s is not a number of milliseconds from 0.001 to 86400000", arg);
	a->dump.max_pause_us = (u64)(ms * 1000);
	return 0;
}

static int parse_stop_timeout(struct args *a, const char *arg, struct err *e)
{
	a->dump.have_stop_timeout = true;
	return dump_timeout_parse("--stop-timeout", arg, &a->dump.stop_timeout_ms, e);
}

static int parse_limit(struct args *a, const char *arg, struct err *e)
{
	if (text_parse_u64(arg, 10, true, &a->dump.limit) || !a->dump.limit)
		return err_set(e, ERR_USAGE, "--limit %s is not a size (suffixes K M G)", arg);
	return 0;
}

static int parse_progress(struct args *a, const char *arg, struct err *e)
{
	if (strcmp(arg, "auto") != 0 && strcmp(arg, "always") != 0 && strcmp(arg, "never") != 0)
		return err_set(e, ERR_USAGE, "--progress %s is not auto, always or never", arg);
	a->progress = arg;
	return 0;
}

static int parse_one(struct args *a, int id, const char *arg, struct err *e)
{
	switch (id) {
	case OPT_OUTPUT:	a->dump.output = arg; return 0;
	case OPT_ALL:		a->dump.all = true; return 0;
	case OPT_STACKS:	a->dump.stacks = true; return 0;
	case OPT_FILTER:	return parse_filter(a, arg, e);
	case OPT_INCLUDE:	return parse_select(a, arg, true, e);
	case OPT_EXCLUDE:	return parse_select(a, arg, false, e);
	case OPT_STOP_TIMEOUT:	return parse_stop_timeout(a, arg, e);
	case OPT_OUTPUT_TIMEOUT:return dump_timeout_parse("--output-timeout", arg, &a->dump.output_timeout_ms, e);
	case OPT_SNAPSHOT:	return dump_snapshot_parse(arg, &a->dump.snapshot, e);
	case OPT_NO_STOP:	a->dump.no_stop = true; return 0;
	case OPT_MAX_PAUSE:	return parse_max_pause(a, arg, e);
	case OPT_COMPRESS:	return dump_level_parse(arg, &a->dump.compress, e);
	case OPT_CHECKSUMS:	a->dump.checksums = true; return 0;
	case OPT_LIMIT:		return parse_limit(a, arg, e);
	case OPT_DRY_RUN:	a->dry_run = true; return 0;
	case OPT_FORCE:		a->dump.force = true; return 0;
	case OPT_PROGRESS:	return parse_progress(a, arg, e);
	case OPT_QUIET:		a->quiet = true; return 0;
	case OPT_JSON:		a->json = true; return 0;
	}
	return 0;
}

/* Two processes must not be written to one name: a "%p" that is not part of "%%p". */
static bool has_pid_specifier(const char *template)
{
	for (const char *s = template; *s; s++)
		if (*s == '%' && *++s == 'p')
			return true;
		else if (!*s)
			break;
	return false;
}

static int check(const struct args *a, int n_pids, struct err *e)
{
	if (n_pids == 0)
		return err_set(e, ERR_USAGE, "dump: a process id is missing");
	if (a->dump.stacks && a->dump.all)
		return err_set(e, ERR_USAGE, "dump: --stacks and --all contradict each other");
	if (a->dump.stacks && a->dump.max_pause_us)
		return err_set(e, ERR_USAGE, "dump: --stacks is read in one short stop, for which there is no --max-pause");
	if (a->dump.stacks && a->dry_run)
		return err_set(e, ERR_USAGE, "dump: what --stacks saves depends on registers, which --dry-run does not read");
	if (dump_check_no_stop(&a->dump, e))
		return err_wrap(e, "dump");
	if (n_pids > 1 && !a->dry_run && !has_pid_specifier(a->dump.output))
		return err_set(e, ERR_USAGE, "dump: several processes need %%p in --output %s", a->dump.output);
	if (!strcmp(a->dump.output, "-") && a->json && !a->dry_run)
		return err_set(e, ERR_USAGE, "dump: --output - and --json both want standard output");
	if (!strcmp(a->dump.output, "-") && !a->dry_run && isatty(STDOUT_FILENO))
		return err_set(e, ERR_USAGE, "dump: a core is not written to a terminal");
	return 0;
}

static int preview_all(const struct args *a, char **words, int n, struct err *e)
{
	struct json_object *list scoped(json_put_scope) = NULL;
	int worst = EXIT_GOOD, r = 0;

	for (int i = 0; !r && i < n; i++) {
		struct dump_preview p scoped(dump_preview_fini) = { 0 };
		pid_t pid = 0;

		r = dump_pid_parse(words[i], &pid, e);
		if (!r)
			r = dump_preview(pid, &a->dump, &p, e);
		if (!r && a->json)
			r = preview_add_json(&list, pid, &p, e);
		else if (!r)
			preview_print(stdout, pid, &p);
		if (!r && p.unmatched.excludes)
			worst = EXIT_FINDINGS;
	}
	if (!r && a->json)
		r = preview_print_json(list, e);
	return r ? r : worst;
}

static int run_all(struct args *a, char **words, int n, struct err *e)
{
	struct json_object *list scoped(json_put_scope) = NULL;
	int worst = EXIT_GOOD, r = 0;

	for (int i = 0; i < n; i++) {
		struct dump_report rep scoped(dump_report_fini) = { 0 };
		struct err why = { 0 };
		pid_t pid = 0;

		r = dump_pid_parse(words[i], &pid, e);
		if (r)
			return r;
		r = dump_job(pid, &a->dump, &rep, &why);
		progress_end(&a->line);
		if (r && n == 1) {
			*e = why;
			return r;
		}
		if (r) {
			message("tagcore", "%s", why.msg);
			worst = EXIT_TROUBLE;
			if (cli_cancelled)
				break;
			continue;
		}
		if (rep.missing.n || rep.n_unstopped || rep.unmatched.excludes)
			worst = max(worst, (int)EXIT_FINDINGS);
		if (!a->quiet)
			report_print(stderr, &rep);
		if (a->json && report_add_json(&list, &rep, e))
			return e->code;
	}
	if (a->json && report_print_json(list, e))
		return e->code;
	return worst;
}

int cmd_dump(int argc, char **argv, struct err *e)
{
	struct args a scoped(args_fini) = {
		.dump = { .output = "core.%p", .stream_fd = STDOUT_FILENO, .stop_timeout_ms = DUMP_STOP_TIMEOUT_MS,
			  .output_timeout_ms = DUMP_OUTPUT_TIMEOUT_MS, .cancel = &cli_cancelled },
		.progress = "auto",
	};
	struct opts_iter it;
	int r;

	a.select = calloc((size_t)argc + 1, sizeof(*a.select));
	if (!a.select)
		return err_set(e, -ENOMEM, "options");
	a.dump.select = a.select;
	opts_begin(&it, dump_opts, argc, argv);
	while ((r = opts_next(&it, e)) > 0) {
		r = parse_one(&a, r, it.arg, e);
		if (r)
			return r;
	}
	if (!r)
		r = check(&a, argc - it.operand, e);
	if (r)
		return r;
	if (!strcmp(a.progress, "always") || (!strcmp(a.progress, "auto") && !a.quiet && isatty(STDERR_FILENO)))
		a.dump.progress = progress_show;
	a.dump.progress_arg = &a.line;
	if (a.dry_run)
		return preview_all(&a, argv + it.operand, argc - it.operand, e);
	return run_all(&a, argv + it.operand, argc - it.operand, e);
}
