/* broker.h - opens files for a process that unwinds and may open none itself. */
#pragma once

#include "unwind/unwind.h"

struct broker;

/* As unwind_open() with the same options: an error if one of their directories is none. */
int broker_make(struct broker **out, const struct unwind_opts *opts, struct err *e) must_check;
void broker_free(struct broker *b);
/* For unwind_opts.dirs of the other process, which may not look at them any more (/proc/PID/root). */
const struct unwind *broker_dirs(const struct broker *b);
/*
 * For unwind_opts.open_file of the other process: a regular file, for reading; with --sysroot below
 * that, or where another option says.  May wait for a file system that does not answer.
 */
int broker_open(struct broker *b, const char *path, struct err *e) must_check;
