#include "base/util.h"
#include "cli/note_show.h"
#include "cli/siginfo_words.h"
#include "cli/view_text.h"

struct parts {
	struct note_ctx *n;
	struct note_cursor at;	/* in siginfo_t's union */
	unsigned word;
};

static void sender(struct parts *p)
{
	show_s64(p->n->s, "si_pid", note_take_signed(&p->at, 4));
	show_u64(p->n->s, "si_uid", note_take(&p->at, 4));
}

static void value(struct parts *p)
{
	show_hex(p->n->s, "si_value", note_take(&p->at, p->word));
}

static void sent(struct parts *p)
{
	sender(p);
}

static void queued(struct parts *p)
{
	sender(p);
	value(p);
}

static void timer(struct parts *p)
{
	show_s64(p->n->s, "si_timerid", note_take_signed(&p->at, 4));
	show_s64(p->n->s, "si_overrun", note_take_signed(&p->at, 4));
	value(p);
}

static void child(struct parts *p)
{
	sender(p);
	show_s64(p->n->s, "si_status", note_take_signed(&p->at, 4));
	/* Clock ticks: AT_CLKTCK a second. */
	show_s64(p->n->s, "si_utime", note_take_signed(&p->at, p->word));
	show_s64(p->n->s, "si_stime", note_take_signed(&p->at, p->word));
}

/* __ARCH_SI_BAND_T is int on sparc of 64 bits, else long. */
static void poll(struct parts *p)
{
	show_s64(p->n->s, "si_band", note_take_signed(&p->at, p->n->core->ehdr.e_machine == EM_SPARCV9 ? 4 : p->word));
	show_s64(p->n->s, "si_fd", note_take_signed(&p->at, 4));
}

static void call(struct parts *p)
{
	show_hex(p->n->s, "si_call_addr", note_take(&p->at, p->word));
	show_s64(p->n->s, "si_syscall", note_take_signed(&p->at, 4));
	/* AUDIT_ARCH_*: include/uapi/linux/audit.h. */
	show_hex(p->n->s, "si_arch", note_take(&p->at, 4));
}

static void fault(struct parts *p)
{
	show_hex(p->n->s, "si_addr", note_take(&p->at, p->word));
}

static void memory(struct parts *p)
{
	fault(p);
	/* The lost range's size is 1 << si_addr_lsb. */
	show_u64(p->n->s, "si_addr_lsb", note_take(&p->at, 2));
}

/* __ADDR_BND_PKEY_PAD: as a pointer is aligned. */
static void bounds(struct parts *p)
{
	fault(p);
	p->at.at += p->word;
	show_hex(p->n->s, "si_lower", note_take(&p->at, p->word));
	show_hex(p->n->s, "si_upper", note_take(&p->at, p->word));
}

static void pkey(struct parts *p)
{
	fault(p);
	p->at.at += p->word;
	show_u64(p->n->s, "si_pkey", note_take(&p->at, 4));
}

static void perf(struct parts *p)
{
	fault(p);
	show_hex(p->n->s, "si_perf_data", note_take(&p->at, p->word));
	show_u64(p->n->s, "si_perf_type", note_take(&p->at, 4));
	show_hex(p->n->s, "si_perf_flags", note_take(&p->at, 4));
}

static void trap(struct parts *p)
{
	fault(p);
	show_s64(p->n->s, "si_trapno", note_take_signed(&p->at, 4));
}

static void (*const forms[])(struct parts *p) = {
	[SIGINFO_SENT] = sent, [SIGINFO_QUEUED] = queued, [SIGINFO_TIMER] = timer, [SIGINFO_CHILD] = child,
	[SIGINFO_POLL] = poll, [SIGINFO_CALL] = call, [SIGINFO_FAULT] = fault, [SIGINFO_MEMORY] = memory,
	[SIGINFO_BOUNDS] = bounds, [SIGINFO_PKEY] = pkey, [SIGINFO_PERF] = perf, [SIGINFO_TRAP] = trap,
};

int note_show_siginfo(struct note_ctx *n, struct err *e)
{
	const struct core *c = n->core;
	unsigned word = c->layout.word;
	struct parts p = { .n = n, .at = { .b = n->note->desc, .fmt = c->fmt, .at = word == 4 ? 12 : 16 }, .word = word };
	char words[SIGINFO_WORDS_MAX], name[CORE_SIGNAL_MAX];
	struct core_siginfo si;

	(void)e;
	if (core_siginfo_get(c, n->note->desc, &si, NULL))
		return 0;
	show_s64(n->s, "si_signo", si.signo);
	show_str(n->s, "signal_name", core_signal_text(c, si.signo, name));
	show_s64(n->s, "si_code", si.code);
	show_s64(n->s, "si_errno", si.error);
	if (!si.signo)
		return 1;
	show_str(n->s, "meaning", siginfo_words(c, &si, words));
	if (forms[si.form])
		forms[si.form](&p);
	return 1;
}
