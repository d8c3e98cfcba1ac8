#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/util.h"
#include "explain/crash.h"

/* The verdict, piece by piece.  What does not fit is cut: names in a core are of any length. */

const char *sure_name(enum sure s)
{
	static const char *const names[] = { "certain", "likely", "possible" };

	return names[s];
}

const char *access_name(enum access_type t)
{
	static const char *const names[] = { NULL, "read", "write", "fetch" };

	return names[t];
}

#define PRINT_TO(buf, fmt) \
	do { \
		va_list ap_; \
		va_start(ap_, fmt); \
		vsnprintf(buf, sizeof(buf), fmt, ap_); \
		va_end(ap_); \
	} while (0)

void put_fmt(char *out, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(out, size, fmt, ap);
	va_end(ap);
}

const char *crash_in(const struct crash *c, char out[160])
{
	put_fmt(out, 160, "%s%s", *c->function ? " in " : "", c->function);
	return out;
}

void say(struct crash *c, const char *fmt, ...)
{
	PRINT_TO(c->v->sentence, fmt);
}

void say_sure(struct crash *c, enum sure sure, const char *fmt, ...)
{
	c->v->sure = c->is_inferred && sure == SURE_CERTAIN ? SURE_LIKELY : sure;
	PRINT_TO(c->v->why_sure, fmt);
	if (c->is_inferred)
		put_fmt(c->v->why_sure, sizeof(c->v->why_sure), "%s, and the address follows from the instruction and the registers",
			c->is_kernel_code ? "the kernel gives no address for the signal" :
			c->is_sent_again ? "the siginfo is of the signal that the process has sent to itself" : "the core has no siginfo");
}

/* A row that has no room goes to the last place. */
static struct evidence *evidence_new(struct crash *c)
{
	struct verdict *v = c->v;

	if (v->n_evidence < EVIDENCE_MAX)
		v->n_evidence++;
	return &v->evidence[v->n_evidence - 1];
}

void show_insn(struct crash *c, const char *fmt, ...)
{
	struct evidence *e = evidence_new(c);

	PRINT_TO(e->what, fmt);
	put_fmt(e->where, sizeof(e->where), "thread %d, frame %zu, 0x%" PRIx64, c->thread->tid, c->v->frame, c->pc);
}

void show_thread(struct crash *c, const char *fmt, ...)
{
	struct evidence *e = evidence_new(c);

	PRINT_TO(e->what, fmt);
	put_fmt(e->where, sizeof(e->where), "thread %d", c->thread->tid);
}

void show_frame(struct crash *c, size_t frame, const char *fmt, ...)
{
	struct evidence *e = evidence_new(c);

	PRINT_TO(e->what, fmt);
	put_fmt(e->where, sizeof(e->where), "thread %d, frame %zu", c->thread->tid, frame);
}

void show_tid(struct crash *c, s32 tid, const char *fmt, ...)
{
	struct evidence *e = evidence_new(c);

	PRINT_TO(e->what, fmt);
	put_fmt(e->where, sizeof(e->where), tid ? "thread %d" : "the process", tid);
}

void show_mem(struct crash *c, u64 addr, const char *fmt, ...)
{
	struct evidence *e = evidence_new(c);

	PRINT_TO(e->what, fmt);
	put_fmt(e->where, sizeof(e->where), "0x%" PRIx64, addr);
}

void also_possible(struct crash *c, const char *kind, const char *fmt, ...)
{
	struct verdict *v = c->v;

	if (v->n_candidates == CANDIDATES_MAX)
		return;
	v->candidates[v->n_candidates].kind = kind;
	PRINT_TO(v->candidates[v->n_candidates].what, fmt);
	v->n_candidates++;
}

void try_next(struct crash *c, const char *fmt, ...)
{
	struct verdict *v = c->v;

	if (v->n_next == NEXT_MAX)
		return;
	PRINT_TO(v->next[v->n_next], fmt);
	v->n_next++;
}

static void show_reg(struct crash *c, const char *role, const struct access_reg *r)
{
	if (*r->name && r->known)
		show_insn(c, "%s register %s = 0x%" PRIx64, role, r->name, r->value);
	else if (*r->name)
		show_insn(c, "%s register %s is not known", role, r->name);
}

void show_access(struct crash *c)
{
	const struct access *a = &c->access;

	if (*a->insn)
		show_insn(c, "instruction \"%s\"", a->insn);
	if (!a->is_decoded)
		return;
	show_reg(c, "base", &a->base);
	show_reg(c, "index", &a->index);
}
