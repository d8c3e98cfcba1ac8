/*
 * Prints the rows of the program's tables that a command line can have, for the scripts beside this file, which make
 * completions of them.  A line each, with tabs between the fields:
 *
 *	command NAME OPERANDS HELP
 *	option COMMAND NAME LETTER|- ARGUMENT|- HELP
 *	view NAME OPERANDS HELP
 *	note NAME (or owner, of one or more kinds)
 */
#include <stdio.h>

#include "elf/note.h"

#include "cli/cmds.h"
#include "cli/view.h"

static void print_options(const struct cmd *cmd)
{
	for (const struct opt *o = cmd->opts; o->name; o++)
		printf("option\t%s\t%s\t%c\t%s\t%s\n", cmd->name, o->name, o->short_name ? o->short_name : '-',
		       o->arg ? o->arg : "-", o->help);
}

int main(void)
{
	for (size_t i = 0; i < n_cmds; i++) {
		printf("command\t%s\t%s\t%s\n", cmds[i].name, cmds[i].operands, cmds[i].help);
		print_options(&cmds[i]);
	}
	for (size_t i = 0; i < n_views; i++)
		printf("view\t%s\t%s%sCORE\t%s\n", views[i].name, views[i].operands ? views[i].operands : "",
		       views[i].operands ? " " : "", views[i].help);
	for (size_t i = 0; i < n_note_kinds; i++)
		printf("note\t%s\nnote\t%s\n", note_kinds[i].name, note_kinds[i].owner);
	return fflush(stdout) || ferror(stdout);
}
