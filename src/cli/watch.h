/* watch.h - answers what a process that is locked in asks the kernel for: seccomp_unotify(2). */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct watch {
	pid_t pid;
	int listener;		/* of the process's filter, or -1 */
	int memory;		/* its /proc/PID/mem, or -1 */
	dev_t dev;		/* the library whose code it may map */
	ino_t ino;
	bool has_library;
	/* Opens a file that the process may read: a descriptor, or negative. */
	int (*open)(void *arg, const char *path);
	void *arg;
};

/* Answers the one call that is waiting. */
void watch_answer(struct watch *w);
void watch_close(struct watch *w);
