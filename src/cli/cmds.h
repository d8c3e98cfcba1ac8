/* cmds.h - the commands: a table, and the choice among its rows. */
#pragma once

#include <signal.h>
#include <stdio.h>

#include "base/err.h"
#include "cli/opts.h"

/* Exit codes: part of the contract with scripts. */
enum { EXIT_GOOD = 0, EXIT_FINDINGS = 1, EXIT_TROUBLE = 2 };

/*
 * A command.  run gets its own argv (argv[0] is the command's name) and returns
 * an exit code, or a negative error with its sentence in @e, which main prints.
 */
struct cmd {
	const char *name;
	const char *operands;
	const char *help;
	const struct opt *opts;
	int (*run)(int argc, char **argv, struct err *e);
	bool is_program;		/* the program, called by this name, is this command */
	void (*help_more)(FILE *f);	/* prints what help has beside the options; may be NULL */
};

extern const struct cmd cmds[];
extern const size_t n_cmds;

/* The command that the program is when it is called by @name; or NULL. */
const struct cmd *cmds_program(const char *name);
/* argv[1] names the command, or is --help or --version; the rest is as for struct cmd's run. */
int cmds_run(int argc, char **argv, struct err *e);

extern const struct opt dump_opts[];
extern const struct opt inspect_opts[];
extern const struct opt validate_opts[];
extern const struct opt repair_opts[];
extern const struct opt stack_opts[];
extern const struct opt explain_opts[];
extern const struct opt gcore_opts[];

int cmd_dump(int argc, char **argv, struct err *e);
int cmd_inspect(int argc, char **argv, struct err *e);
int cmd_validate(int argc, char **argv, struct err *e);
int cmd_repair(int argc, char **argv, struct err *e);
int cmd_stack(int argc, char **argv, struct err *e);
int cmd_explain(int argc, char **argv, struct err *e);
/* The drop-in: its options and messages are gcore(1)'s. */
int cmd_gcore(int argc, char **argv, struct err *e);

/* Lists the views of inspect, for help. */
void inspect_help_views(FILE *f);

/* Takes signals as all commands do: those that cancel are noted, SIGPIPE and SIGXFSZ are errors of write(2). */
void cli_signals(void);
/* Set by SIGINT, SIGTERM and SIGHUP; a command that waits or copies looks at it. */
extern volatile sig_atomic_t cli_cancelled;
/*
 * From here on a signal ends the program at once, as it would have without us; for
 * commands that have nothing to clean up any more, and call libraries that may
 * wait for long.  One that is pending does so now.  Ignored signals stay ignored.
 */
void cli_end_by_signal(void);
