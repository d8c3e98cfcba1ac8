#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/scope.h"
#include "base/util.h"
#include "unwind/fetch.h"
#include "unwind/unwind_priv.h"

const char *frame_by_name(enum frame_by by)
{
	static const char *const names[] = {
		[FRAME_BY_REGISTERS] = "registers", [FRAME_BY_CFI] = "cfi",	[FRAME_BY_EXIDX] = "exidx",
		[FRAME_BY_SIGNAL] = "signal",	    [FRAME_BY_CODE] = "code",	[FRAME_BY_LINK] = "link",
		[FRAME_BY_TAIL_CALL] = "tail-call", [FRAME_BY_LIKELY_TAIL_CALL] = "likely-tail-call",
		[FRAME_BY_FP] = "frame-pointer",
	};

	return names[by];
}

/* ---- a stack being built */

int stack_add(struct stack *s, const struct frame *f, struct err *e)
{
	int r = array_grow((void **)&s->frames, s->n, &s->cap, sizeof(*s->frames), "backtrace", e);

	if (!r)
		s->frames[s->n++] = *f;
	return r;
}

void stack_ends(struct stack *s, enum stack_end end, const char *fmt, ...)
{
	va_list ap;

	s->end = end;
	va_start(ap, fmt);
	vsnprintf(s->why, sizeof(s->why), fmt, ap);
	va_end(ap);
}

void stack_ends_at(struct unwind *u, struct stack *s, u64 pc)
{
	unsigned long long at = pc;

	if (u->fault.is_set)
		stack_ends(s, STACK_NO_MEMORY, "the caller of 0x%llx: the memory at 0x%llx is %s", at,
			   (unsigned long long)u->fault.addr,
			   u->fault.state == MEM_ABSENT ? "not in the core" : "not mapped");
	else
		stack_ends(s, STACK_NO_TABLE, "the call frame information for 0x%llx leads nowhere", at);
}

void stack_ends_by(struct unwind *u, struct stack *s, enum cfi_step step, u64 pc)
{
	unsigned long long at = pc;

	if (step == CFI_OUTERMOST)
		stack_ends(s, STACK_OUTERMOST, "the table says that 0x%llx has no caller", at);
	else if (step == CFI_NO_RETURN)
		stack_ends(s, STACK_NO_RETURN, "the return address of 0x%llx is 0, though its table says that it has a caller", at);
	else if (step == CFI_NO_TABLE)
		stack_ends(s, STACK_NO_TABLE, "no call frame information for 0x%llx", at);
	else
		stack_ends_at(u, s, pc);
}

bool stack_leaves_code(struct unwind *u, struct stack *s, const struct frame *f)
{
	if (!s->n || f->exact || f->signal || space_is_code(u, f->pc - 1))
		return false;
	stack_ends(s, STACK_NO_CODE, "the return address of 0x%llx would be 0x%llx, which is in no executable memory",
		   (unsigned long long)s->frames[s->n - 1].pc, (unsigned long long)f->pc);
	return true;
}

static bool is_gone(const struct frame *f)
{
	return f->by == FRAME_BY_TAIL_CALL || f->by == FRAME_BY_LIKELY_TAIL_CALL;
}

/* A frame without locals may share its stack pointer with its caller, but not its pc, too. */
static bool is_same(const struct frame *a, const struct frame *b)
{
	return a->pc == b->pc && a->sp && a->sp == b->sp;
}

/* Of a longer circle, one frame is at last that whose number is the last power of two (R. P. Brent, 1980). */
bool stack_loops(const struct stack *s, const struct frame *f)
{
	size_t mark = 1;

	if (!s->n)
		return false;
	while (2 * mark <= s->n)
		mark *= 2;
	/* Frames that are gone are no marks. */
	while (mark > 1 && is_gone(&s->frames[mark - 1]))
		mark--;
	return is_same(&s->frames[s->n - 1], f) || is_same(&s->frames[mark - 1], f);
}

static size_t stack_limit(const struct unwind *u)
{
	return u->opts.max_frames ? u->opts.max_frames : UNWIND_FRAMES_MAX;
}

static bool ends_in_doubt(const struct stack *s)
{
	return s->n && s->frames[s->n - 1].doubt;
}

bool stack_is_full(const struct unwind *u, const struct stack *s)
{
	size_t limit = stack_limit(u);

	return s->n >= limit && (!ends_in_doubt(s) || s->n >= max(limit, (size_t)UNWIND_FRAMES_MAX));
}

void stack_fini(struct stack *s)
{
	free(s->frames);
	*s = (struct stack){ 0 };
}

/* ---- open and close */

static const struct unwinder_ops *const unwinders[] = { &unwinder_dw_ops, &unwinder_uw_ops };

static bool is_wanted(const struct unwind *u, const struct unwinder_ops *ops)
{
	const char *name = u->opts.unwinder;

	return !name || !strcmp(name, "auto") || !strcmp(name, ops->name);
}

static int check_name(const struct unwind *u, struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(unwinders); i++)
		if (is_wanted(u, unwinders[i]))
			return 0;
	return err_set(e, ERR_USAGE, "no unwinder %s: there are auto, libdw and libunwind", u->opts.unwinder);
}

/* libdw is opened for the names, whoever unwinds. */
static int open_all(struct unwind *u, struct err *e)
{
	bool only_uw = !is_wanted(u, &unwinder_dw_ops);
	struct err none;
	int r = check_name(u, e);

	if (!r)
		r = dirs_open(u, e);
	if (!r)
		r = modules_load(u, e);
	if (!r)
		r = dw_open(u, e);
	if (!r && is_wanted(u, &unwinder_uw_ops) && uw_open(u, only_uw ? e : &none) && only_uw)
		r = e ? e->code : ERR_UNSUPPORTED;
	return r;
}

int unwind_open(struct unwind **out, struct core *core, const struct unwind_opts *opts, struct err *e)
{
	struct unwind *u = calloc(1, sizeof(*u));
	int r;

	if (!u)
		return err_set(e, -ENOMEM, "backtraces");
	u->core = core;
	u->opts = *opts;
	u->ret_cookie = core_return_cookie(core);
	u->dies_left = CALL_DIES_MAX;
	r = open_all(u, e);
	if (r)
		unwind_close(u);
	else
		*out = u;
	return r;
}

void unwind_close(struct unwind *u)
{
	if (!u)
		return;
	uw_close(u->uw);
	dw_close(u->dw);
	fetch_close(u->fetch);
	code_close(u->code);
	tailcall_free(u->tails);
	modules_close(u);
	dirs_close(u);
	free(u->exe_note);
	free(u->demangled);
	free(u);
}

/* ---- a thread */

/* By libdw's row where libunwind was stopped: there is no .eh_frame_hdr, or the table is not right as it stands. */
static bool step_by_row(struct unwind *u, struct cpu_regs *r)
{
	struct frame f = { .pc = r->pc, .exact = r->exact };
	Dwarf_Frame *row auto_free = NULL;

	regs_get(u, r, u->core->arch->sp, &f.sp);
	row = dw_row_of(u, &f).frame;
	return row && cfi_step(u, row, r) == CFI_STEPPED;
}

static bool step(struct unwind *u, const struct stack *s, struct cpu_regs *r, enum frame_by *by)
{
	if (s->end == STACK_NO_TABLE && step_by_row(u, r)) {
		*by = FRAME_BY_CFI;
		return true;
	}
	if (s->end == STACK_NO_TABLE && s->n && s->frames[s->n - 1].signal && step_signal(u, r)) {
		*by = FRAME_BY_SIGNAL;
		return true;
	}
	if (s->end == STACK_NO_TABLE && s->n && !s->frames[s->n - 1].signal && step_code(u, r)) {
		*by = FRAME_BY_CODE;
		return true;
	}
	if ((s->end == STACK_NO_CODE && step_link(u, r)) || (s->end == STACK_NO_TABLE && step_leaf(u, r))) {
		*by = FRAME_BY_LINK;
		return true;
	}
	*by = FRAME_BY_FP;
	switch (s->end) {
	case STACK_NO_TABLE:
		return step_fp(u, r);
	case STACK_NO_CODE:
		/* A wild jump; a wild return address would be one more guess on top of a guess. */
		return r->exact && step_fp(u, r);
	default:
		return false;
	}
}

/* Where no table leads on, and none says that it is the end. */
static bool may_be_first(const struct stack *s)
{
	return (s->end == STACK_NO_TABLE || s->end == STACK_NO_RETURN || s->end == STACK_NO_MEMORY) && s->n &&
	       !s->frames[s->n - 1].signal;
}

/* Start code that is written in C has a table as if it had a caller: what that leads to is no code. */
static void end_in_first(struct unwind *u, struct stack *s)
{
	const struct frame *last = s->n ? &s->frames[s->n - 1] : NULL;

	if (s->end == STACK_NO_CODE && last && !last->signal && step_is_entry(u, last->pc, last->exact))
		stack_ends(s, STACK_OUTERMOST, "0x%llx is in the first function", (unsigned long long)last->pc);
}

/* The last frames are in doubt, and nothing that follows confirms them. */
static void drop_doubtful(struct stack *s)
{
	u64 from = 0;

	while (ends_in_doubt(s))
		from = s->frames[--s->n].pc;
	if (from && s->n)
		stack_ends(s, STACK_NO_TABLE,
			   "no call frame information for 0x%llx; what may be its return address, 0x%llx, is not after a call, and leads nowhere",
			   (unsigned long long)s->frames[s->n - 1].pc, (unsigned long long)from);
}

/* What was followed further than was asked for. */
static void settle(const struct unwind *u, struct stack *s)
{
	size_t limit = stack_limit(u);

	if (s->end != STACK_OUTERMOST && s->end != STACK_LIMIT)
		drop_doubtful(s);
	if (s->n <= limit)
		return;
	stack_ends(s, STACK_LIMIT, "more frames than wanted, from 0x%llx on", (unsigned long long)s->frames[limit].pc);
	s->n = limit;
}

/* By tables as far as they go, then one step without, and on. */
static int walk(struct unwind *u, const struct unwinder_ops *ops, const struct core_thread *t, struct stack *s,
		struct err *e)
{
	enum frame_by by = FRAME_BY_REGISTERS;
	struct cpu_regs r;
	int ret;

	s->thread = t;
	s->unwinder = ops->name;
	code_refill(u->code);
	if (!regs_of_thread(u, t, &r)) {
		stack_ends(s, STACK_NO_REGISTERS, "its registers are not in the core");
		return 0;
	}
	do {
		ret = ops->walk(u, &r, by, s, e);
		if (!ret && may_be_first(s) && step_is_first(u, &r)) {
			stack_ends(s, STACK_OUTERMOST, "0x%llx is in the first function", (unsigned long long)r.pc);
			break;
		}
		if (!ret)
			end_in_first(u, s);
	} while (!ret && !stack_is_full(u, s) && step(u, s, &r, &by));
	settle(u, s);
	return ret;
}

static size_t sure_frames(const struct stack *s)
{
	size_t n = 0;

	while (n < s->n && s->frames[n].by != FRAME_BY_FP && s->frames[n].by != FRAME_BY_CODE)
		n++;
	return n;
}

bool stack_is_better(const struct stack *a, const struct stack *b)
{
	bool whole_a = a->end == STACK_OUTERMOST, whole_b = b->end == STACK_OUTERMOST;
	size_t sure_a = sure_frames(a), sure_b = sure_frames(b);

	if (!b->unwinder || (whole_a && !whole_b))
		return true;
	if (whole_a != whole_b)
		return false;
	return sure_a != sure_b ? sure_a > sure_b : a->n > b->n;
}

/* Whole, and all of it sure: no other unwinder can do better. */
static bool is_best(const struct stack *s)
{
	return s->unwinder && s->end == STACK_OUTERMOST && sure_frames(s) == s->n;
}

int unwind_thread(struct unwind *u, const struct core_thread *t, struct stack *out, struct err *e)
{
	struct stack best scoped(stack_fini) = { 0 };
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(unwinders) && !is_best(&best); i++) {
		struct stack s = { 0 };

		if (!is_wanted(u, unwinders[i]) || (unwinders[i] == &unwinder_uw_ops && !u->uw))
			continue;
		r = walk(u, unwinders[i], t, &s, e);
		if (!r && stack_is_better(&s, &best)) {
			struct stack swap = best;

			best = s;
			s = swap;
		}
		stack_fini(&s);
	}
	if (r)
		return r;
	*out = best;
	best = (struct stack){ 0 };
	return 0;
}

/* What was not done, of no module. */
enum { LEFT_OUT_MAX = 6 };
static bool lacks_program(const struct unwind *u)
{
	u64 entry;

	return !u->opts.exe && u->core->arch && u->core->n_threads && !core_kind_is_machine(u->core->kind) && !program_entry(u, &entry);
}

static const char *left_out(const struct unwind *u, size_t i)
{
	const char *const texts[LEFT_OUT_MAX] = {
		u->too_many ? "there are more modules than are looked at: of the others there are no names, tables and files" : NULL,
		u->dies_left ? NULL : "the debug information is too large to look for all tail calls in it",
		u->is_elsewhere ? "not all files of the core are here: --sysroot DIR is where those of another system or container are (of a container that runs: /proc/PID/root)" : NULL,
		u->exe_note,
		lacks_program(u) ? "the core does not say what file its program is, or where that was: --exe FILE gives it" : NULL,
		code_left_out(u->code),
	};

	return texts[i];
}

bool unwind_note(const struct unwind *u, size_t *i, struct unwind_note *out)
{
	while (*i < u->n_mods) {
		const struct module *m = &u->mods[(*i)++];

		if (!m->note || !m->needed)
			continue;
		*out = (struct unwind_note){ .module = m->path, .start = m->start, .text = m->note };
		return true;
	}
	while (*i < u->n_mods + LEFT_OUT_MAX) {
		*out = (struct unwind_note){ .text = left_out(u, (*i)++ - u->n_mods) };
		if (out->text)
			return true;
	}
	return false;
}
