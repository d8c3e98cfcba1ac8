/* proc_text.h - files of /proc/PID/task/TID as text; false: it cannot be understood, and @out is not to be used. */
#pragma once

#include "live/proc.h"

bool proc_text_stat(const char *text, struct proc_stat *out);
/* Cuts @text into pieces. */
bool proc_text_status(char *text, struct proc_status *out);
/* As proc_syscall(). */
bool proc_text_syscall(const char *text, u64 out[4]);
