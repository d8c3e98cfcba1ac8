/* notice.h - what a process has noticed that ought not to be there: how often, and the last of it. */
#pragma once

#include "target.h"

static unsigned noticed;
static const char *what = "nothing";

static void notice(const char *event)
{
	what = event;
	__atomic_add_fetch(&noticed, 1, __ATOMIC_SEQ_CST);
}

static inline void on_child(int sig)
{
	(void)sig;
	notice("SIGCHLD");
}
