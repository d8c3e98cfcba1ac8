/* opts.h - options of a command as a table: parsing, help and the manual's test read the same rows. */
#pragma once

#include <stdio.h>

#include "base/err.h"
#include "base/types.h"

/*
 * One option: "--name" or "-s".  @arg names its argument; in brackets
 * ("[=LEVEL]") it may be left out, and is then only taken from --name=VALUE.
 * Alternatives have "|" between them; one in lower case is a word to be typed.
 * @id is what opts_next returns for it, above 0.
 */
struct opt {
	const char *name;
	char short_name;
	const char *arg;
	const char *help;
	int id;
};

/* A walk over argv[1..argc).  Operands are gathered at argv[operand .. argc) when it ends. */
struct opts_iter {
	const struct opt *table;
	char **argv;
	int argc;
	int at;
	const char *cluster;	/* rest of "-abc" */
	int operand;
	const char *arg;	/* of the option just returned, or NULL */
	const char *dashes;	/* and as the user wrote it, for messages: "-" or "--", */
	char name[32];		/* and the name */
};

/* @table ends with a row whose name is NULL. */
void opts_begin(struct opts_iter *it, const struct opt *table, int argc, char **argv);
/*
 * The next option's id; 0 at the end, ERR_USAGE for an unknown option (names
 * are exact), a missing argument, or one too many.  Options may stand before,
 * between and after operands; "--" ends them.
 */
int opts_next(struct opts_iter *it, struct err *e) must_check;
/* Prints a line per option. */
void opts_help(FILE *f, const struct opt *table);
