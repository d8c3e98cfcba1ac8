/* live_look.h - what /proc says of a process that hangs, while it runs: for explain. */
#pragma once

#include "base/err.h"
#include "explain/explain.h"

/*
 * Looks at process @pid twice, with a short time between.  What cannot be read is left out; an error is
 * only that there is no memory.  Fill @out with zeros before.
 */
int live_look(pid_t pid, struct live *out, struct err *e) must_check;
void live_fini(struct live *l);
