/* siginfo_words.h - what a signal's code means, in words. */
#pragma once

#include <tagcore/core.h>

/* Which members of siginfo_t's union are meant. */
enum siginfo_form {
	SIGINFO_UNKNOWN,
	SIGINFO_PLAIN,	/* none */
	SIGINFO_SENT,	/* pid, uid */
	SIGINFO_QUEUED,	/* pid, uid, value */
	SIGINFO_TIMER,	/* timer, overrun, value */
	SIGINFO_CHILD,	/* pid, uid, status, times */
	SIGINFO_POLL,	/* band, descriptor */
	SIGINFO_CALL,	/* address, system call, machine */
	SIGINFO_FAULT,	/* address */
	SIGINFO_MEMORY,	/* and how much is lost */
	SIGINFO_BOUNDS,	/* and the bounds */
	SIGINFO_PKEY,	/* and the protection key */
	SIGINFO_PERF,	/* and the event's data and type */
};
enum siginfo_form siginfo_form(const struct core *core, const struct core_siginfo *si);

/* "address not mapped (SEGV_MAPERR)" in @out, or NULL when the code is not known. */
#define SIGINFO_WORDS_MAX 128
const char *siginfo_words(const struct core *core, const struct core_siginfo *si, char out[SIGINFO_WORDS_MAX]);
