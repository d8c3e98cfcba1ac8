#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/util.h"
#include "unwind/mod/fetch.h"
#include "unwind/calls/calls.h"
#include "unwind/walk/walk.h"

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

/* One that cannot be opened is passed over, unless it alone is wanted. */
static int open_unwinders(struct unwind *u, struct err *e)
{
	const char *name = u->opts.unwinder;
	bool only = name && strcmp(name, "auto") != 0;
	struct err ignored;

	for (size_t i = 0; i < ARRAY_SIZE(unwinders); i++) {
		bool opens = is_wanted(u, unwinders[i]) && unwinders[i]->open;
		int r = opens ? unwinders[i]->open(u, only ? e : &ignored) : 0;

		if (r && only)
			return r;
	}
	return 0;
}

/* libdw is opened for the names, whoever unwinds. */
static int open_all(struct unwind *u, struct err *e)
{
	int r = check_name(u, e);

	if (!r)
		r = dirs_open(u, e);
	if (!r)
		r = modules_load(u, e);
	if (!r)
		r = dw_open(u, e);
	return r ? r : open_unwinders(u, e);
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
	u->relocations_left = RELOCATIONS_MAX;
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
	dw_close(u);
	fetch_close(u->fetch);
	code_close(u->code);
	calls_free(u->calls);
	tailcall_free(u->tails);
	modules_close(u);
	dirs_close(u);
	free(u->exe_note);
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

/* What the last frame must be, from which tables lead no further. */
enum last_is { ANY, SIGNAL, NO_SIGNAL, EXACT };

/* How to go on from there, in the order in which it is tried: the surest first. */
static const struct {
	enum stack_end end;
	enum last_is last;
	bool (*step)(struct unwind *u, struct cpu_regs *r);
	enum frame_by by;
} fallbacks[] = {
	{ STACK_NO_TABLE, ANY, step_by_row, FRAME_BY_CFI },
	{ STACK_NO_TABLE, SIGNAL, step_signal, FRAME_BY_SIGNAL },
	{ STACK_NO_TABLE, NO_SIGNAL, step_code, FRAME_BY_CODE },
	{ STACK_NO_CODE, ANY, step_link, FRAME_BY_LINK },
	{ STACK_NO_TABLE, ANY, step_leaf, FRAME_BY_LINK },
	{ STACK_NO_TABLE, ANY, step_fp, FRAME_BY_FP },
	/* After a wild jump.  After a wild return address the frame pointer is not trusted either. */
	{ STACK_NO_CODE, EXACT, step_fp, FRAME_BY_FP },
};

static bool last_is(const struct stack *s, const struct cpu_regs *r, enum last_is want)
{
	const struct frame *last = s->n ? &s->frames[s->n - 1] : NULL;

	switch (want) {
	case SIGNAL:
		return last && last->signal;
	case NO_SIGNAL:
		return last && !last->signal;
	case EXACT:
		return r->exact;
	default:
		return true;
	}
}

static bool step(struct unwind *u, const struct stack *s, struct cpu_regs *r, enum frame_by *by)
{
	for (size_t i = 0; i < ARRAY_SIZE(fallbacks); i++)
		if (fallbacks[i].end == s->end && last_is(s, r, fallbacks[i].last) && fallbacks[i].step(u, r)) {
			*by = fallbacks[i].by;
			return true;
		}
	return false;
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
	stack_trim(u, s);
	return ret;
}

int unwind_thread(struct unwind *u, const struct core_thread *t, struct stack *out, struct err *e)
{
	struct stack best scoped(stack_fini) = { 0 };
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(unwinders) && !stack_is_best(&best); i++) {
		struct stack s = { 0 };

		if (!is_wanted(u, unwinders[i]) || (unwinders[i]->is_open && !unwinders[i]->is_open(u)))
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
