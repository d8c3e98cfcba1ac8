/* permission.h - why a process may not be traced, in words that help. */
#pragma once

#include <sys/types.h>

#include "base/err.h"

/* What was refused: ptrace(2), or /proc/PID/mem. */
enum permission_for { PERMISSION_TO_TRACE, PERMISSION_TO_READ };

/* Returns -@errnum with a sentence that names what forbids it, as far as /proc shows, and what would help. */
int permission_explain(pid_t pid, int errnum, enum permission_for what, struct err *e);
/* The same for a process that has a tracer already: -EPERM. */
int permission_traced(pid_t pid, pid_t tracer, struct err *e);
