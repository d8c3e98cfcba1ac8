#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "cli/cmds.h"
#include "cli/table.h"

static int cmd_help(int argc, char **argv, struct err *e);
static const struct opt no_opts[] = { { 0 } };

const struct cmd cmds[] = {
	{ .name = "dump", .operands = "PID...", .help = "save the memory and state of running processes",
	  .opts = dump_opts, .run = cmd_dump },
	{ .name = "inspect", .operands = "[VIEW [OPERAND]...] CORE", .help = "look at a core file of any machine",
	  .opts = inspect_opts, .run = cmd_inspect, .help_more = inspect_help_views },
	{ .name = "validate", .operands = "CORE...", .help = "is it a correct, complete core",
	  .opts = validate_opts, .run = cmd_validate },
	{ .name = "repair", .operands = "IN OUT", .help = "repair a damaged core as far as possible",
	  .opts = repair_opts, .run = cmd_repair },
	{ .name = "stack", .operands = "PID|CORE", .help = "backtraces of every thread",
	  .opts = stack_opts, .run = cmd_stack },
	{ .name = "explain", .operands = "PID|CORE", .help = "why it crashed or hangs, with the evidence",
	  .opts = explain_opts, .run = cmd_explain },
	{ .name = "gcore", .operands = "PID...", .help = "save processes as PREFIX.PID, as gdb's gcore does",
	  .opts = gcore_opts, .run = cmd_gcore, .is_program = true },
	{ .name = "help", .operands = "[COMMAND]", .help = "list the commands, or explain one",
	  .opts = no_opts, .run = cmd_help },
};
const size_t n_cmds = ARRAY_SIZE(cmds);

const struct cmd *cmds_program(const char *name)
{
	const struct cmd *cmd = table_find(TABLE(cmds), name);

	return cmd && cmd->is_program ? cmd : NULL;
}

static int unknown_cmd(const char *name, struct err *e)
{
	char hint[CLOSEST_MAX];

	return err_set(e, ERR_USAGE, "no command %s%s", name,
		       table_hint(TABLE(cmds), name, "", ": tagcore help lists them", hint));
}

static void help_cmd(const struct cmd *cmd)
{
	printf("Usage: tagcore %s [OPTION]... %s\n\n%s.\n", cmd->name, cmd->operands, cmd->help);
	if (cmd->help_more)
		cmd->help_more(stdout);
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
	const struct cmd *cmd = argc > 1 ? table_find(TABLE(cmds), argv[1]) : NULL;

	if (argc > 1 && !cmd)
		return unknown_cmd(argv[1], e);
	if (cmd)
		help_cmd(cmd);
	else
		help_all();
	return EXIT_GOOD;
}

static bool is_help(const char *word)
{
	return !strcmp(word, "--help") || !strcmp(word, "-h");
}

/* "tagcore COMMAND --help", wherever it stands before "--". */
static bool wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (is_help(argv[i]))
			return true;
	return false;
}

int cmds_run(int argc, char **argv, struct err *e)
{
	const struct cmd *cmd;

	if (argc < 2)
		return err_set(e, ERR_USAGE, "a command is missing: tagcore help lists them");
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("tagcore " TAGCORE_VERSION);
		return EXIT_GOOD;
	}
	if (is_help(argv[1]))
		return cmd_help(1, argv, e);
	cmd = table_find(TABLE(cmds), argv[1]);
	if (!cmd)
		return unknown_cmd(argv[1], e);
	if (wants_help(argc - 1, argv + 1)) {
		help_cmd(cmd);
		return EXIT_GOOD;
	}
	return cmd->run(argc - 1, argv + 1, e);
}
