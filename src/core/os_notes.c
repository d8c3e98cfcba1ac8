/* os_notes.c - values from the notes of a system other than Linux, by its tables. */
#include <string.h>

#include "base/util.h"
#include "core/core_priv.h"

/* True when the row is for such a note, and the note has the field. */
static bool applies(const struct core *c, const struct os_field_at *f, struct bytes d)
{
	u64 flags = 0;

	if ((f->word && f->word != c->layout.word) || (f->size && f->size != d.len))
		return false;
	return !f->flag || (!bytes_uint(d, c->fmt, f->flag_off, 4, &flags, NULL) && flags & f->flag);
}

static const struct core_note *find(const struct core *c, const struct core_thread *t, enum os_field field,
				    struct bytes *out)
{
	for (size_t i = 0; c->os && i < c->os->n_fields; i++) {
		const struct os_field_at *f = &c->os->fields[i];
		const struct core_note *n;

		if (f->field != field)
			continue;
		n = t ? core_thread_note(c, t, c->os->owner, f->type) : core_os_note(c, f->type);
		/* Zero is the id of no process that dumps core: another note may have it. */
		if (n && applies(c, f, n->note.desc) && !bytes_sub(n->note.desc, f->off, f->len, out, NULL) &&
		    (field != OS_PID || !mem_is_zero(out->p, out->len)))
			return n;
	}
	return NULL;
}

bool core_os_field(const struct core *c, const struct core_thread *t, enum os_field field, struct bytes *out)
{
	return find(c, t, field, out);
}

bool core_os_number(const struct core *c, const struct core_thread *t, enum os_field field, u64 *out)
{
	struct bytes b;

	if (!core_os_field(c, t, field, &b) || b.len > 8)
		return false;
	*out = uint_get(c->fmt, b.p, (unsigned)b.len);
	return true;
}

u64 core_return_cookie(const struct core *c)
{
	u64 v;

	return c->os && core_os_number(c, NULL, OS_RET_COOKIE, &v) ? v : 0;
}

bool core_os_signal(const struct core *c, u64 *signo)
{
	struct bytes b;
	const struct core_note *n = find(c, NULL, OS_SIGNO, &b);

	if (!n || n->thread >= 0)
		return false;
	*signo = uint_get(c->fmt, b.p, (unsigned)b.len);
	return true;
}

/* A field of the thread, or else one of the process, which is then of the thread that crashed. */
static bool crash_number(const struct core *c, enum os_field field, u64 *out)
{
	struct bytes b;
	const struct core_note *n;

	if (core_os_number(c, c->crashed, field, out))
		return true;
	n = find(c, NULL, field, &b);
	if (!n || n->thread >= 0)
		return false;
	*out = uint_get(c->fmt, b.p, (unsigned)b.len);
	return true;
}

/* Signals whose siginfo_t has the address of a fault, when the kernel sent them: codes above those have other meanings. */
static bool is_fault(const char *signal, s32 code)
{
	static const char *const faults[] = { "SEGV", "BUS", "ILL", "FPE", "TRAP" };

	for (size_t i = 0; signal && i < ARRAY_SIZE(faults); i++)
		if (!strcmp(signal, faults[i]))
			return code > 0 && code < 1000;
	return false;
}

bool core_os_siginfo(const struct core *c, struct core_siginfo *out)
{
	struct core_siginfo s = { .form = SIGINFO_PLAIN };
	u64 code;

	if (!c->crashed || !crash_number(c, OS_SI_CODE, &code))
		return false;
	s.signo = c->crashed->cursig;
	s.code = s.generic_code = (s32)code;
	if (is_fault(core_signal_name(c, s.signo), s.code) && crash_number(c, OS_SI_ADDR, &s.addr)) {
		s.form = SIGINFO_FAULT;
		s.has_addr = true;
	}
	*out = s;
	return true;
}
