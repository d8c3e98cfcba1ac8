#include <errno.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/cmds.h"
#include "cli/message.h"

static int cmd_help(int argc, char **argv, struct err *e);
static const struct opt no_opts[] = { { 0 } };

static const struct cmd cmds[] = {
	{ "dump", "PID...", "save the memory and state of running processes", dump_opts, cmd_dump },
	{ "inspect", "[VIEW [OPERAND]...] CORE", "look at a core file of any machine", inspect_opts, cmd_inspect },
	{ "validate", "CORE...", "is it a correct, complete core", validate_opts, cmd_validate },
	{ "repair", "IN OUT", "mend what can be mended of a damaged core", repair_opts, cmd_repair },
	{ "stack", "PID|CORE", "backtraces of every thread", stack_opts, cmd_stack },
	{ "help", "[COMMAND]", "list the commands, or explain one", no_opts, cmd_help },
};

volatile sig_atomic_t cli_cancelled;

static const struct cmd *find_cmd(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(cmds); i++)
		if (!strcmp(cmds[i].name, name))
			return &cmds[i];
	return NULL;
}

static void help_cmd(const struct cmd *cmd)
{
	printf("Usage: tagcore %s [OPTION]... %s\n\n%s.\n", cmd->name, cmd->operands, cmd->help);
	if (cmd->run == cmd_inspect)
		inspect_help_views(stdout);
	if (cmd->opts->name) {
		puts("\nOptions:");
		opts_help(stdout, cmd->opts);
	}
}

static void help_all(void)
{
	puts("Usage: tagcore COMMAND [OPTION]... OPERAND...\n");
	for (size_t i = 0; i < ARRAY_SIZE(cmds); i++)
		printf("  %-10s %-25s %s\n", cmds[i].name, cmds[i].operands, cmds[i].help);
	puts("\ntagcore help COMMAND explains one.  Called by the name gcore, it is gcore(1).");
}

static int cmd_help(int argc, char **argv, struct err *e)
{
	const struct cmd *cmd = argc > 1 ? find_cmd(argv[1]) : NULL;

	if (argc > 1 && !cmd)
		return err_set(e, ERR_USAGE, "no command %s: tagcore help lists them", argv[1]);
	if (cmd)
		help_cmd(cmd);
	else
		help_all();
	return EXIT_GOOD;
}

/* "tagcore COMMAND --help", wherever it stands before "--". */
static bool wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (!strcmp(argv[i], "--help"))
			return true;
	return false;
}

static int choose(int argc, char **argv, struct err *e)
{
	const struct cmd *cmd;

	if (argc < 2)
		return err_set(e, ERR_USAGE, "a command is missing: tagcore help lists them");
	if (!strcmp(argv[1], "--version")) {
		puts("tagcore " TAGCORE_VERSION);
		return EXIT_GOOD;
	}
	if (!strcmp(argv[1], "--help"))
		return cmd_help(1, argv, e);
	cmd = find_cmd(argv[1]);
	if (!cmd)
		return err_set(e, ERR_USAGE, "no command %s: tagcore help lists them", argv[1]);
	if (wants_help(argc - 1, argv + 1)) {
		help_cmd(cmd);
		return EXIT_GOOD;
	}
	return cmd->run(argc - 1, argv + 1, e);
}

static void on_cancel(int sig)
{
	cli_cancelled = sig;
}

/* Write errors are to come back as errors, not as signals; a wish to stop is to be obeyed in order. */
static void set_signals(void)
{
	static const int cancel[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction sa = { .sa_handler = on_cancel };
	struct sigaction old;

	for (size_t i = 0; i < ARRAY_SIZE(cancel); i++)
		/* nohup(1) and background jobs of a shell ignore them: that stays. */
		if (!sigaction(cancel[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaction(cancel[i], &sa, NULL);
	sa.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &sa, NULL);
	sigaction(SIGXFSZ, &sa, NULL);
}

/* "tagcore inspect ... | head" is no fault to talk about. */
static bool reader_gone(void)
{
	struct pollfd fd = { .fd = STDOUT_FILENO, .events = POLLOUT };

	return poll(&fd, 1, 0) == 1 && fd.revents & POLLERR;
}

int main(int argc, char **argv)
{
	struct err e = { 0 };
	bool is_gcore = argc > 0 && !strcmp(basename(argv[0]), "gcore");
	int r;

	set_signals();
	r = is_gcore ? cmd_gcore(argc, argv, &e) : choose(argc, argv, &e);
	if (r < 0) {
		if (*e.msg)
			message(is_gcore ? "gcore" : "tagcore", "%s", e.msg);
		r = EXIT_TROUBLE;
	}
	if (fflush(stdout) || ferror(stdout)) {
		if (!reader_gone())
			message("tagcore", "standard output cannot be written");
		r = EXIT_TROUBLE;
	}
	return r;
}
