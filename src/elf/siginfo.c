#include <elf.h>
#include <limits.h>
#include <string.h>

#include "base/uapi.h"
#include "base/util.h"
#include "elf/note.h"

/*
 * siginfo_t is three ints and a union aligned as a pointer is:
 * include/uapi/asm-generic/siginfo.h, and for the 32-bit cores of a 64-bit kernel
 * include/linux/compat.h, compat_siginfo.  Signal and code say which member of the
 * union it is, as Linux 7.3, kernel/signal.c: siginfo_layout() has it; the first
 * row that matches decides.  The fields of the member, each aligned as itself:
 * 'h' 2 bytes, 'i' 4, 'w' a word, 'p' a word of padding.
 */
static const struct member {
	const char *signal;	/* without SIG; NULL: any */
	int first, last;	/* codes */
	enum siginfo_form form;
	const char *fields;
} members[] = {
	{ "BUS", BUS_MCEERR_AR, BUS_MCEERR_AO, SIGINFO_MEMORY, "wh" },	/* address, least significant bit */
	{ "SEGV", SEGV_BNDERR, SEGV_BNDERR, SIGINFO_BOUNDS, "wpww" },	/* address, lower and upper bound */
	{ "SEGV", SEGV_PKUERR, SEGV_PKUERR, SIGINFO_PKEY, "wpi" },	/* address, key */
	{ "TRAP", 6 /* TRAP_PERF */, 6, SIGINFO_PERF, "wwii" },		/* address, data, type, flags */
	{ "ILL", 1, 11, SIGINFO_FAULT, "w" },
	{ "FPE", 1, 15, SIGINFO_FAULT, "w" },
	{ "SEGV", 1, 10, SIGINFO_FAULT, "w" },
	{ "BUS", 1, 5, SIGINFO_FAULT, "w" },
	{ "TRAP", 1, 6, SIGINFO_FAULT, "w" },
	{ "EMT", 1, 1, SIGINFO_FAULT, "w" },
	{ "CHLD", 1, 6, SIGINFO_CHILD, "iiiww" },	/* process, user, status, user and system time */
	{ "SYS", 1, 2, SIGINFO_CALL, "wii" },		/* address, call, machine */
	{ NULL, 1, 6, SIGINFO_POLL, "wi" },		/* SIGPOLL, or F_SETSIG's: band, descriptor */
	{ NULL, SI_TIMER, SI_TIMER, SIGINFO_TIMER, "iiw" },	/* timer, overrun, value */
	{ NULL, SI_SIGIO, SI_SIGIO, SIGINFO_POLL, "wi" },
	/* The layout has a value, too; do_tkill() leaves it zero. */
	{ NULL, SI_TKILL, SI_TKILL, SIGINFO_SENT, "iiw" },
	{ NULL, INT_MIN, -1, SIGINFO_QUEUED, "iiw" },	/* process, user, value */
	{ NULL, 0, INT_MAX, SIGINFO_SENT, "ii" },	/* process, user */
};

static const struct member *member_of(const char *signal, int code)
{
	const struct member *m = members;

	while ((m->signal && (!signal || strcmp(m->signal, signal))) || code < m->first || code > m->last)
		m++;
	return m;
}

enum siginfo_form siginfo_form(const char *signal, int code)
{
	return member_of(signal, code)->form;
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
	for (const char *f = member_of(sigabbrev_np(si->si_signo), si->si_code)->fields; *f; f++) {
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
