/* message.h - diagnostics: the one place where they are printed. */
#pragma once

/*
 * "PROGRAM: TEXT" on standard error, a line of its own.  What a terminal would
 * act on is escaped (text.h): a process, a core or an argument may have named it.
 */
void message(const char *program, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
