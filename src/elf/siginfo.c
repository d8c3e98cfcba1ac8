#include <elf.h>
#include <limits.h>

#include <tagcore/note.h>

#include "base/uapi.h"
#include "base/util.h"

/*
 * siginfo_t is three ints and a union aligned as a pointer is:
 * include/uapi/asm-generic/siginfo.h, and for the 32-bit cores of a 64-bit kernel
 * include/linux/compat.h, compat_siginfo.  Signal and code tell which member of the
 * union it is, as Linux 6.12, kernel/signal.c: siginfo_layout() has it; the first
 * row that matches decides.  The fields of the member, each aligned as itself:
 * 'h' 2 bytes, 'i' 4, 'w' a word, 'p' a word of padding.
 */
static const struct member {
	int signo;	/* 0: any */
	int first, last;	/* codes */
	const char *fields;
} members[] = {
	{ SIGBUS, BUS_MCEERR_AR, BUS_MCEERR_AO, "wh" },	/* address, least significant bit */
	{ SIGSEGV, SEGV_BNDERR, SEGV_BNDERR, "wpww" },	/* address, lower and upper bound */
	{ SIGSEGV, SEGV_PKUERR, SEGV_PKUERR, "wpi" },	/* address, key */
	{ SIGTRAP, 6 /* TRAP_PERF */, 6, "wwii" },	/* address, data, type, flags */
	{ SIGILL, 1, 11, "w" },
	{ SIGFPE, 1, 15, "w" },
	{ SIGSEGV, 1, 10, "w" },
	{ SIGBUS, 1, 5, "w" },
	{ SIGTRAP, 1, 6, "w" },
	{ SIGCHLD, 1, 6, "iiiww" },			/* process, user, status, user and system time */
	{ SIGSYS, 1, 2, "wii" },			/* address, call, machine */
	{ 0, 1, 6, "wi" },				/* SIGPOLL, or F_SETSIG's: band, descriptor */
	{ 0, SI_TIMER, SI_TIMER, "iiw" },		/* timer, overrun, value */
	{ 0, SI_SIGIO, SI_SIGIO, "wi" },
	{ 0, INT_MIN, -1, "iiw" },			/* process, user, value */
	{ 0, 0, INT_MAX, "ii" },			/* process, user */
};

static const struct member *member_of(const siginfo_t *si)
{
	const struct member *m = members;

	while ((m->signo && m->signo != si->si_signo) || si->si_code < m->first || si->si_code > m->last)
		m++;
	return m;
}

static unsigned field_size(char field, unsigned word)
{
	return field == 'h' ? 2 : field == 'i' ? 4 : word;
}

int siginfo_put(const struct arch *a, const siginfo_t *si, struct buf *b, struct err *e)
{
	const u8 *from = (const u8 *)si;
	const struct elffmt host = { .data = UAPI_NATIVE_DATA };
	u64 in = 3 * sizeof(int), out = in;
	u8 narrow[sizeof(*si)] = { 0 };

	if (a->word == sizeof(long))
		return buf_add(b, si, sizeof(*si), e);
	uint_put(a->fmt, narrow, 4, (u32)si->si_signo);
	uint_put(a->fmt, narrow + 4, 4, (u32)si->si_errno);
	uint_put(a->fmt, narrow + 8, 4, (u32)si->si_code);
	in = align_up(in, sizeof(long));
	out = align_up(out, a->word);
	for (const char *f = member_of(si)->fields; *f; f++) {
		unsigned wide = field_size(*f, sizeof(long)), size = field_size(*f, a->word);

		in = align_up(in, wide);
		out = align_up(out, size);
		if (*f != 'p')
			uint_put(a->fmt, narrow + out, size, uint_get(host, from + in, wide));
		in += wide;
		out += size;
	}
	return buf_add(b, narrow, sizeof(narrow), e);
}
