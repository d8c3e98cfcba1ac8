/* opener.h - a process that opens files by name, since to open one may wait for ever. */
#pragma once

#include <signal.h>

#include "unwind/broker.h"

enum { OPENER_WAIT_S = 5, OPENER_HUNG_MAX = 3 };

struct opener {
	struct broker *broker;
	pid_t pid;		/* 0: not started */
	int fd;			/* a socket to it */
	unsigned n_hung;	/* files that did not answer */
};

/*
 * As broker_open(): the descriptor, or an error.  ERR_TIMEOUT for a file that is not open after OPENER_WAIT_S
 * seconds, whose process is killed, or left if it cannot be; and for all after OPENER_HUNG_MAX of them.  @mask is
 * that of signals while it waits, and ERR_CANCELLED that *@cancel is set after one.
 */
int opener_open(struct opener *o, const char *path, const sigset_t *mask, const volatile sig_atomic_t *cancel,
		struct err *e) must_check;
void opener_close(struct opener *o);
