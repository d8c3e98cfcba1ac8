/* sandbox.h - a reader locks itself in: what takes it over can open nothing. */
#pragma once

/* What is in force after sandbox_enter(). */
enum {
	SANDBOX_NO_NEW_PRIVS = 1,	/* no program gives more rights */
	SANDBOX_LANDLOCK = 2,		/* no file is opened, made or removed; no TCP; no signals to others */
	SANDBOX_WATCHED = 8,		/* another process opens the files that libraries ask for: sandbox_enter_watched() */
	SANDBOX_SECCOMP = 4,		/* no system calls but those of a reader: the others fail with EPERM */
};

/*
 * From here on this process, and what it starts, has its memory and what it has
 * opened itself, and can end; this cannot be undone.  Descriptors that it was given when
 * it was executed are closed, but for standard input, output and error: a shell's or a service's
 * descriptors are not for the reader of a core.  It must have one thread.  Where the kernel lacks
 * a part, or a container refuses it, the others still hold: the return value
 * says which do (0 to 7).
 *
 * EPERM and not a signal: a call that a later C library makes and that is not
 * listed here then costs what the call was for, and not the answer; and a
 * reader that was taken over gains nothing by being alive.
 */
unsigned sandbox_enter(void);

/*
 * The same for a reader whose libraries open files by themselves: each openat(2) for reading, and each mmap(2) of
 * code, waits for the answer of the process at the other end of @sock, which gets a message of one byte
 * with the listener of seccomp_unotify(2) and this process's /proc/PID/mem, for the names.  It also may look at names, and use
 * sockets that it has.  Where the kernel has no such listener the message comes alone, and files are
 * opened for reading without a question: SANDBOX_WATCHED is not set then.
 */
unsigned sandbox_enter_watched(int sock);
